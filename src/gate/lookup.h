/* SPDX-License-Identifier: MIT */
/*
 * Looking into a journal, while it is written or afterwards, whichever version
 * of sesame made it. Nothing in it is trusted: texts come out fit for a
 * terminal.
 */
#ifndef GATE_LOOKUP_H
#define GATE_LOOKUP_H

#include "gate/story.h"

struct gate_lookup;

/* NULL: @text says why. */
struct gate_lookup *gate_lookup_open(const char *file, char *text,
				     size_t text_size);
void gate_lookup_close(struct gate_lookup *lookup);
/* Why the last call failed; until the next one. */
const char *gate_lookup_error(struct gate_lookup *lookup);

/* Which refusals; NULL or 0: any. Texts may have "*" for anything. */
struct gate_search {
	int64_t since_ms;
	const char *origin;  /* "none": where none was sent */
	const char *route;
	const char *cause;   /* an id, or what it begins with: "access" */
	const char *address; /* an address or a network */
};

typedef void (*gate_lookup_fn)(void *user, const struct gate_story *story);

/* Find a story: 1, 0 when there is none, or SESAME_ESYSTEM. */
int gate_lookup_find(struct gate_lookup *lookup, const char *reference,
		     struct gate_story *ret_story);
/*
 * The latest @n refusals that fit, newest first; @n 0: all of them. How many,
 * or SESAME_ESYSTEM.
 */
int gate_lookup_search(struct gate_lookup *lookup,
		       const struct gate_search *search, unsigned n,
		       gate_lookup_fn each, void *user);
/* All kinds of handshakes that were let in, the latest first. */
int gate_lookup_admitted(struct gate_lookup *lookup, gate_lookup_fn each,
			 void *user);

enum gate_top {
	GATE_TOP_CAUSE,
	GATE_TOP_ORIGIN,
	GATE_TOP_ROUTE,
	GATE_TOP_ADDRESS,
	GATE_TOP_RULE,
	GATE_N_TOPS
};

/* "cause". */
const char *gate_top_name(enum gate_top top);

struct gate_top_row {
	char value[400];
	uint64_t n;
	int64_t last_ms;
	char reference[WHY_REFERENCE_SIZE]; /* of the last one */
};

/* The @n values that most refusals that fit have. How many, or an error. */
int gate_lookup_top(struct gate_lookup *lookup,
		    const struct gate_search *search, enum gate_top top,
		    unsigned n,
		    void (*each)(void *user, const struct gate_top_row *row),
		    void *user);

/* What the journal knows about itself. */
struct gate_lookup_state {
	uint64_t refusals; /* rows */
	uint64_t admitted; /* kinds */
	uint64_t sampled, busy, unwritten; /* refusals left out, and why */
	int64_t oldest_ms, last_ms;
	bool killed; /* the last gateway did not come to its end in order */
	bool runs;   /* one is writing now, or would if it could */
	bool full;   /* the disk that holds the file */
};

void gate_lookup_state(struct gate_lookup *lookup,
		       struct gate_lookup_state *ret_state);
/* Refusals left out, by cause. */
int gate_lookup_omitted(struct gate_lookup *lookup,
			void (*each)(void *user, const char *cause,
				     const char *why, uint64_t n),
			void *user);

#endif
