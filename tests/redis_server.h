/* SPDX-License-Identifier: MIT */
/* A redis-server of a test's own, on a free port of 127.0.0.1. */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	pid_t pid; /* 0: it does not run */
	int port;
	char url[64];	 /* redis://127.0.0.1:PORT */
	char folder[64]; /* of what it writes */
	bool keeps;	 /* what it was told, over a restart */
};

/* False: there is none installed, and the test may be skipped. */
bool redis_server_is_here(void);
/* Start it, and wait until it answers. @keeps: it writes all to its disk. */
void redis_server_start(struct redis_server *s, bool keeps);
/* As by a crash; redis_server_again() starts it at the same port. */
void redis_server_kill(struct redis_server *s);
void redis_server_again(struct redis_server *s);
/* It answers nothing until it is let go on. */
void redis_server_pause(struct redis_server *s, bool pause);
/* A command of up to 15 words, without blanks in any. Its answer's first line
 * is asserted to begin with @expected. */
void redis_server_tell(struct redis_server *s, const char *command,
		       const char *expected);
/* The same; its answer as it comes, to @out. */
void redis_server_ask(struct redis_server *s, const char *command, char *out,
		      size_t size);
/* It follows @master until it has what that one has, and leads itself again. */
void redis_server_take_over(struct redis_server *s,
			    const struct redis_server *master);
/* End it, and remove its folder. */
void redis_server_stop(struct redis_server *s);

#endif
