/* SPDX-License-Identifier: MIT */
/* One POST to a channel, as a program makes it: a connection, and its answer. */
#ifndef CLUSTER_POSTS_H
#define CLUSTER_POSTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct posts_request {
	struct sockaddr_in to;
	const char *path, *token, *key;
	const char *body;
	bool batch;
	int seconds; /* for the answer; 0: it is not waited for */
};

/*
 * Returns the status, with the answer's body in @ret_body, or 0: nobody knows
 * what became of it.
 */
int posts_send(const struct posts_request *request, char *ret_body,
	       size_t size);

#endif
