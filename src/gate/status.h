/* SPDX-License-Identifier: MIT */
/*
 * How the gateway is just now, gathered in the thread of the house: as a JSON
 * document, which the status page is made of too, and as figures for
 * Prometheus.
 */
#ifndef GATE_STATUS_H
#define GATE_STATUS_H

#include <jansson.h>

#include "base/buf.h"
#include "gate/house.h"
#include "gate/story.h"

/* What became of reading the configuration again. */
struct gate_reloads {
	uint64_t n_good, n_bad;
	bool last_good;
	int64_t last_ms, last_good_ms; /* since 1970; the start counts */
	char text[2048];	       /* why the last one failed */
};

/* What there is to look at; all borrowed. */
struct gate_view {
	struct gate_house *house;
	struct gate_journal *journal; /* NULL: none is kept */
	struct gate_access_log *log;
	int64_t started_ms;
	struct sesame_loop *loop; /* whose time it is */
	bool leaving;
	struct gate_reloads reloads;
};

/* NULL: no memory. */
json_t *gate_status_json(struct gate_view *view);
/* Append the figures, in the text format of Prometheus (0.0.4). */
int gate_status_figures(struct gate_view *view, struct ses_buf *out);
/* Append the page. @status is gate_status_json()'s. */
int gate_status_page(const json_t *status, struct ses_buf *out);
/* Append the page of one refusal. False: it is not among the latest. */
bool gate_status_refusal_page(const json_t *status, struct bytes reference,
			      struct ses_buf *out);
/* The same of one that another gateway told of. False: no memory. */
bool gate_status_story_page(const struct gate_story *story, struct ses_buf *out);
/* One refusal, with what can be done. NULL: no memory. */
json_t *gate_status_story(const struct gate_story *story);
/* The policy for these pages: Content-Security-Policy. Static. */
const char *gate_status_csp(void);

#endif
