/* SPDX-License-Identifier: MIT */
/*
 * What channels promise (docs/delivery.md), as a book: all that is published is
 * entered, with what became of it, and all that each client is told. What breaks
 * the promise is a fault. Pure: it learns everything from who calls.
 *
 * A message is named by its place in the book of its channel, which is part of
 * its payload. The readers are clients that come back with their last id.
 */
#ifndef CLUSTER_LEDGER_H
#define CLUSTER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

enum ledger_fault {
	LEDGER_TWICE,
	LEDGER_ORDER,
	LEDGER_HOLE,
	LEDGER_ID,
	LEDGER_MOVED,
	LEDGER_GAP,
	LEDGER_NEEDLESS,
	LEDGER_EPOCH,
	LEDGER_LOST,
	LEDGER_REFUSED,
	LEDGER_SWAPPED,
	LEDGER_FOREIGN,
	LEDGER_STUCK,
	LEDGER_ANSWER,
	LEDGER_FAULTS,
};

/* An id as it is written, and taken apart. */
struct ledger_id {
	char epoch[9]; /* "": null */
	uint64_t seq;
};

struct ledger_counts {
	uint64_t said, acked, refused, unknown;
	uint64_t heard;
	uint64_t gaps, missing; /* with a number, and those numbers' sum */
	uint64_t unknown_gaps;	/* without */
	uint64_t lost;	  /* owed to a reader but for a loss, and not heard */
	uint64_t repeats; /* heard again because the first one was lost */
	uint64_t epochs, losses;
	uint64_t faults[LEDGER_FAULTS];
};

struct ledger;
struct ledger_reader;

/* @tell is given a line for each of the first faults. */
struct ledger *ledger_new(unsigned n_channels, void (*tell)(const char *line));
void ledger_free(struct ledger *l);
/* @channel is to hold all there is: no gap with a number is right in it. */
void ledger_holds_all(struct ledger *l, unsigned channel);

/* "k3m7t2ax-1207"; false: it is none. */
bool ledger_read_id(const char *text, struct ledger_id *ret_id);

/*
 * @publisher is about to send its next message in its @life: one connection, in
 * which order is kept whatever is answered. Its place in the book is returned.
 */
uint32_t ledger_say(struct ledger *l, unsigned channel, uint32_t publisher,
		    uint32_t life);
/* It was acknowledged. */
void ledger_ack(struct ledger *l, unsigned channel, uint32_t place,
		const struct ledger_id *id);
/* It was refused, and is not to come. */
void ledger_refuse(struct ledger *l, unsigned channel, uint32_t place);

struct ledger_reader *ledger_reader(struct ledger *l, unsigned channel);
/* It was welcomed by a node. */
void ledger_welcome(struct ledger_reader *r, const struct ledger_id *newest,
		    bool resumed);
/* It was brought what stands at @place, or (UINT32_MAX) what is in no book. */
void ledger_hear(struct ledger_reader *r, const struct ledger_id *id,
		 uint32_t place);
/* It was told of a gap; @missing < 0: null. */
void ledger_gap(struct ledger_reader *r, const struct ledger_id *from,
		const struct ledger_id *to, int64_t missing);
/* The id to come back with; false: none yet. */
bool ledger_last(const struct ledger_reader *r, struct ledger_id *ret_id);
/* Whether it heard that. */
bool ledger_has(const struct ledger_reader *r, uint32_t place);

/* What is known by now outlives the next loss. */
void ledger_keep(struct ledger *l);
/* All that was held but for that is gone: from here on it may be missing. */
void ledger_loss(struct ledger *l);
/* Something else broke. */
void ledger_complain(struct ledger *l, enum ledger_fault fault,
		     unsigned channel, const char *text);

/* The book is closed: what is owed is counted. Returns the number of faults. */
uint64_t ledger_close(struct ledger *l);
const struct ledger_counts *ledger_counts(const struct ledger *l);
const char *ledger_fault_text(enum ledger_fault fault);

#endif
