/* SPDX-License-Identifier: MIT */
/*
 * The manual around the causes: what a status may mean (statuses.def), the
 * questions that people ask (topics.def), and the page made of all rows.
 */
#ifndef WHY_MANUAL_H
#define WHY_MANUAL_H

#include "base/buf.h"
#include "why/cause.h"

#define WHY_MAX_SHARES 16

struct why_share {
	enum why_cause cause;
	int percent; /* of the threads; 0: too few, or known by mechanism */
};

struct why_status {
	int first, last;  /* HTTP statuses or close codes; 0: none at all */
	const char *word; /* how it is asked for: "403", "none" */
	const char *name; /* "Forbidden" */
	int threads;	  /* how many of the study stand behind the shares */
	const char *says; /* what the number itself means */
	const char *next; /* what to do */
	struct why_share share[WHY_MAX_SHARES]; /* likeliest first */
	size_t n_shares;
};

struct why_topic {
	const char *id;	      /* "same-origin" */
	const char *question; /* "What is the same-origin policy?" */
	const char *text;     /* paragraphs; lines with blanks are examples */
};

/* The @i-th status or topic in the order of the rows, or NULL. Static. */
const struct why_status *why_status(size_t i);
const struct why_topic *why_topic(size_t i);
/* The row that covers @number, or NULL. 0 is the row for no status at all. */
const struct why_status *why_status_find(int number);
const struct why_topic *why_topic_find(struct bytes id);

/*
 * Append the page of all causes, statuses and topics, in Markdown: it is what
 * docs/causes.md holds. 0, or an error of the buffer.
 */
int why_manual_markdown(struct ses_buf *out);

#endif
