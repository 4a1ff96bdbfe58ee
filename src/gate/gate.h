/* SPDX-License-Identifier: MIT */
/*
 * One worker of the gateway: a loop of its own, an entrance for each door, and
 * everybody who came through one. What workers share is listed in
 * gate/house.h. How a request passes is told in gate/visit.c.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "gate/admit.h"
#include "gate/door.h"
#include "gate/journal.h"
#include "gate/limits.h"
#include "gate/texts.h"
#include "net/listener.h"
#include "wire/upgrade.h"

#define GATE_MAX_VISITS 100000 /* at a time, of one worker */
/*
 * Descriptors that clients, and what is dialled for them, leave to probes,
 * `sesame reload` and files.
 */
#define GATE_SPARED 16

struct gate_asking;    /* gate/visit_inner.h */
struct gate_awaited;   /* gate/awaited.h */
struct gate_passwords; /* gate/passwords.h */
struct gate_told;      /* gate/told.h */
struct gate_enquiries; /* gate/enquiry.h */

/* Where visitors of one door come in to one worker. */
struct gate_entrance {
	struct ses_listener listener;
	struct ses_list link; /* in gate->entrances */
	struct gate *gate;
	unsigned id; /* of its door */
	struct ses_tls_context *tls; /* NULL: plain */
	bool proxy_protocol;
	struct gate_tally *tally; /* gate/metrics.h; NULL: not counted */
	char url[SES_ADDR_TEXT + 8];
	size_t n_visits; /* that still speak of it */
	bool inherited;	 /* somebody else goes on listening there */
	bool open;
};

struct gate {
	struct sesame_loop *loop;
	unsigned worker; /* its number, from 0 */
	struct gate_policy *policy; /* a reference */
	struct gate_journal *journal; /* NULL: none is kept */
	struct gate_limiter *limiter; /* of the house; NULL: nothing is counted */
	struct gate_passwords *passwords; /* being checked; NULL: none was yet */
	struct ses_list entrances;
	struct ses_list visits;
	size_t n_visits;
	struct ses_list deliveries; /* gate/delivery.h */
	size_t delivery_bytes;
	atomic_size_t *n_visits_seen; /* by other threads; or NULL */
	/* The house's, for all workers; NULL: there are none. */
	struct gate_access_log *log;
	struct gate_recent *recent;
	struct hub_seat *seat;	     /* among the channels */
	struct gate_cluster *cluster; /* what they stand on */
	struct gate_enquiries *enquiries; /* at it, by this loop */
	struct gate_told *told;	     /* to refused clients */
	struct gate_awaited *spare;  /* to publish with; or NULL */
	struct gate_asking *spare_asking; /* for the next visit; or NULL */
	struct gate_texts texts;     /* of visits */
	struct gate_tally *no_route; /* for requests without a route */
	atomic_ullong *n_short;	     /* connections that could not be taken */
	bool leaving;
	/* lines on standard error in this second, and those not shown */
	uint64_t log_second_ms;
	unsigned n_logged, n_not_logged;
	uint64_t short_told_ms;
	/* What a visit works with during one event; lent, never kept. */
	struct ses_head head;
	struct gate_story story;
};

/* A worker without doors. @journal is borrowed. NULL: no memory. */
struct gate *gate_new(struct sesame_loop *loop, unsigned worker,
		      struct gate_journal *journal);
/*
 * Serve by @doors and their policy from now on: open what is new, close what
 * is gone, and ask those to leave (1001) whose route is gone or leads
 * elsewhere. What is not known to lack anything stays as it is. 0, or an error
 * when a door could not be opened.
 */
int gate_serve(struct gate *gate, struct gate_doors *doors);
/* Close the doors and ask everybody to leave (1001); run the loop then. */
void gate_leave(struct gate *gate);
bool gate_is_empty(const struct gate *gate);
/* Throw out who is still there. NULL is fine. */
void gate_free(struct gate *gate);

/*
 * A server behind could not be asked, because the gateway has no descriptor or
 * memory for that. It is counted, and told now and then.
 */
void gate_tell_short(struct gate *gate, const char *why);
/* For a visit alone: it begins and ends at @entrance. */
void gate_entrance_visited(struct gate_entrance *entrance);
void gate_entrance_done(struct gate_entrance *entrance);

#endif
