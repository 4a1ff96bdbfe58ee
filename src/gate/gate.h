/* SPDX-License-Identifier: MIT */
/*
 * The gateway as a whole: its doors, and everybody who came through one. How a
 * request passes it is told in gate/visit.c.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "gate/admit.h"
#include "gate/journal.h"
#include "net/listener.h"
#include "net/tls.h"
#include "wire/upgrade.h"

#define GATE_MAX_VISITS 100000 /* at a time */

/* One listener. */
struct gate_door {
	struct ses_listener listener;
	struct gate *gate;
	struct ses_tls_context *tls; /* NULL: plain */
	bool open;
	char url[SES_ADDR_TEXT + 8]; /* "ws://127.0.0.1:8080" */
};

struct gate {
	struct sesame_loop *loop;
	const struct gate_policy *policy;
	struct gate_journal *journal; /* NULL: none is kept */
	struct gate_door *door;	      /* one for each of policy->listen */
	struct ses_list visits;
	size_t n_visits;
	uint64_t *live; /* connections of each route */
	bool leaving;
	/* lines on standard error in this second, and those not shown */
	uint64_t log_second_ms;
	unsigned n_logged, n_not_logged;
	uint64_t short_told_ms;
	/* What a visit works with during one event; lent, never kept. */
	struct ses_head head;
	struct gate_story story;
};

/*
 * A gateway with its doors open. NULL: @text is a sentence that says which
 * door and what to do. @policy and @journal are borrowed.
 */
struct gate *gate_open(struct sesame_loop *loop, const struct gate_policy *policy,
		       struct gate_journal *journal, char *text,
		       size_t text_size);
/* Close the doors and ask everybody to leave (1001); run the loop then. */
void gate_leave(struct gate *gate);
bool gate_is_empty(const struct gate *gate);
/* Throw out who is still there. NULL is fine. */
void gate_free(struct gate *gate);

#endif
