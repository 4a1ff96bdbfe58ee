/* SPDX-License-Identifier: MIT */
/*
 * The admin listener from the inside: admin.c has who calls and who may,
 * admin_pages.c what is answered.
 */
#ifndef GATE_ADMIN_INNER_H
#define GATE_ADMIN_INNER_H

#include "gate/admin.h"
#include "gate/enquiry.h"
#include "net/listener.h"
#include "net/stream.h"
#include "why/reference.h"
#include "ws/intake.h"

#define GATE_ADMIN_BYTES ((size_t)64 * 1024 * 1024) /* of an answer */

struct gate_admin {
	struct sesame_loop *loop;
	struct ses_listener listener;
	char url[SES_ADDR_TEXT + 8];
	struct ses_polled control; /* fd -1: there is none */
	char *control_file;
	struct ses_list callers;
	size_t n_callers[2]; /* by may_change */
	struct gate_view *view;
	json_t *(*reload)(void *user, bool plan);
	void *user;
};

struct caller;
struct answer;

/* Others have said something, or nothing: write the answer. */
typedef void (*heard_fn)(struct caller *c, struct answer *a,
			 const struct gate_note *said);

struct caller {
	struct gate_admin *admin;
	struct ses_stream *stream;
	struct ses_list link;
	struct ses_timer patience;
	struct ses_intake intake;
	bool may_change; /* it came through the control socket */
	bool head_only;
	/* What others are asked for its answer, and who knows what they say. */
	struct gate_enquiry *enquiry;
	heard_fn heard; /* NULL: it does not wait */
	bool late;	/* they did not answer in time */
	char reference[WHY_REFERENCE_SIZE];
};

struct answer {
	int status;
	const char *allow; /* the methods that a page takes, with 405 */
	const char *type;  /* NULL: text */
	bool page;
	struct ses_buf body;
};

/* Send @a, whose body is used up, and part with the caller. */
void gate_admin_send(struct caller *c, struct answer *a);
/* NULL, or why this request is not answered. */
const char *gate_admin_why_not(const struct gate_admin *admin,
			       const struct ses_head *head);

/* ---- admin_pages.c ---- */

/* Answer @head; or others are asked, and patience runs until they answer. */
void gate_admin_answer(struct caller *c, const struct ses_head *head);
/* No longer than that. */
void gate_admin_answer_without(struct caller *c);

#endif
