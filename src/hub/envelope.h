/* SPDX-License-Identifier: MIT */
/*
 * The envelopes of sesame.v1 that the hub sends (docs/sesame.v1.md), as JSON.
 * All functions append to @out and return 0 or an error of the buffer. Pure.
 */
#ifndef HUB_ENVELOPE_H
#define HUB_ENVELOPE_H

#include "hub/message.h"
#include "hub/roster.h"

#define HUB_SUBPROTOCOL "sesame.v1"

/* Bytes that the envelope of a message takes at most: \u0000 for each. */
#define HUB_ENVELOPE_MAX(payload, from, key) \
	(256 + 6 * ((size_t)(payload) + (from) + (key)))

/* @text, which is UTF-8, as a JSON string with its quotes. */
int hub_json_text(struct ses_buf *out, struct bytes text);

/* "message", or "state" for one that has a key. */
int hub_envelope_message(const struct hub_message *m, struct ses_buf *out);

struct hub_welcome {
	struct bytes channel, you;
	const struct hub_epoch *epoch;
	uint64_t seq; /* the newest */
	bool states;
	bool resumed;
	bool tells_count;
	size_t count;
};

int hub_envelope_welcome(const struct hub_welcome *w, struct ses_buf *out);
/*
 * Messages @from to @to are missing, all of them of @epoch. 0: an unknown
 * number is, and @to may be 0 as well.
 */
int hub_envelope_gap(const struct hub_epoch *epoch, uint64_t from, uint64_t to,
		     struct ses_buf *out);
int hub_envelope_news(const struct hub_news *news, struct ses_buf *out);
/* @ref: -1: none. @names NULL: only the count. */
int hub_envelope_members(int64_t ref, size_t count, const struct bytes *names,
			 size_t n, bool more, struct ses_buf *out);
int hub_envelope_ack(int64_t ref, const struct hub_epoch *epoch, uint64_t seq,
		     struct ses_buf *out);
int hub_envelope_error(int64_t ref, const char *code, const char *text,
		       const char *cause, const char *reference,
		       struct ses_buf *out);

#endif
