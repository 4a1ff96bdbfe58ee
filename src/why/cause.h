/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary: one row per cause for which a WebSocket handshake fails. The
 * doctor names them, the gateway refuses with them, `sesame explain` is their
 * manual. The rows stand in causes.def; ids are never renamed.
 */
#ifndef WHY_CAUSE_H
#define WHY_CAUSE_H

#include "base/bytes.h"

enum why_cause {
#define CAUSE(symbol, ...) WHY_##symbol,
#include "why/causes.def"
#undef CAUSE
	WHY_N_CAUSES
};

struct why_cause_row {
	const char *id;	      /* "access.origin" */
	const char *who;      /* who has to act: nobody client proxy server network */
	const char *sentence; /* one sentence for somebody who never read an RFC */
	const char *text;     /* some paragraphs: mechanism, how it looks, traps */
};

/* The row of a cause; static, never NULL for a valid cause. */
const struct why_cause_row *why_cause(enum why_cause cause);
/* The cause with this id, or -1. */
int why_cause_find(struct bytes id);
/* The id's part before the dot ("access"; "ok" for ok), borrowed from the row. */
struct bytes why_category(enum why_cause cause);

#endif
