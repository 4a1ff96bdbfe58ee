/* SPDX-License-Identifier: MIT */
/*
 * The doors of the gateway: the listening sockets of a policy's `listen` and
 * what TLS needs there. They are opened once for all workers, so that a fault
 * is found before anybody is served, and a door that a new policy still has
 * stays open while it takes over.
 */
#ifndef GATE_DOOR_H
#define GATE_DOOR_H

#include "gate/policy.h"
#include "net/addr.h"
#include "net/tls.h"

/* One listener of the file, as all workers share it. */
struct gate_door {
	unsigned id; /* the same as long as its sockets are */
	const struct gate_listen *listen; /* of the doors' policy */
	struct ses_tls_context *tls;	  /* NULL: plain */
	struct ses_addr at;		  /* with the real port */
	char url[SES_ADDR_TEXT + 8];	  /* "ws://127.0.0.1:8080" */
	int *fd; /* a socket for each worker; -1 once it has taken it */
	atomic_bool *lost; /* by each worker: it has none for all that */
	bool inherited; /* from the service manager, which keeps it open */
	struct gate_tally *tally; /* gate/metrics.h */
};

struct gate_doors {
	atomic_uint refs;
	struct gate_policy *policy; /* a reference */
	unsigned n_workers;
	size_t n;
	struct gate_door *door; /* one for each of policy->listen */
};

/*
 * Open what @policy listens at, for @n_workers. What @before (or NULL) has
 * open at the same address is used on, and needs no socket. NULL: @text is a
 * sentence that says which door and what to do; nothing was changed.
 */
struct gate_doors *gate_doors_open(struct gate_policy *policy,
				   unsigned n_workers,
				   const struct gate_doors *before, char *text,
				   size_t text_size);
struct gate_doors *gate_doors_ref(struct gate_doors *doors);
void gate_doors_unref(struct gate_doors *doors);
/*
 * @worker does not take these up: close its new sockets, so that nobody is
 * connected to them, and let the next doors open them anew.
 */
void gate_doors_forgo(struct gate_doors *doors, unsigned worker);

#endif
