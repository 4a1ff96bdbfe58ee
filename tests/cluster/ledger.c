/* SPDX-License-Identifier: MIT */
#include "cluster/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD 40 /* faults in words */

static const char *const texts[LEDGER_FAULTS] = {
	[LEDGER_TWICE] = "a message came twice to a client",
	[LEDGER_ORDER] = "a number came again or too late",
	[LEDGER_HOLE] = "numbers are missing without a gap",
	[LEDGER_ID] = "an id stands for two messages",
	[LEDGER_MOVED] = "a message has two numbers",
	[LEDGER_GAP] = "a gap is told where there is none, or another one",
	[LEDGER_NEEDLESS] = "an unknown gap within an epoch",
	[LEDGER_EPOCH] = "another epoch without a gap",
	[LEDGER_LOST] = "an accepted message never came, and no gap covers it",
	[LEDGER_REFUSED] = "a message came that was refused",
	[LEDGER_SWAPPED] = "messages of one publisher changed places",
	[LEDGER_FOREIGN] = "a message came that nobody sent",
	[LEDGER_STUCK] = "a client did not come to the end",
	[LEDGER_ANSWER] = "an answer that is none",
};

enum state { SAID, ACKED, REFUSED };

struct place {
	uint32_t publisher, life;
	enum state state;
	bool heard;
	uint32_t again_at; /* losses when it was known to have come again */
	uint32_t acked_at, heard_at; /* the moments when it first was */
	uint32_t epoch; /* where it is known to stand */
	uint64_t seq;	/* 0: nowhere */
};

struct epoch {
	char text[9];
	uint32_t *at; /* by number: the place + 1 */
	uint64_t room;
};

/* What was known from one moment on up to another, and gone then. */
struct loss {
	uint32_t from, to;
};

struct range {
	uint32_t epoch;
	uint64_t from, to;
};

struct channel {
	bool holds_all;
	struct place *places;
	uint32_t n, room;
	struct epoch *epochs;
	uint32_t n_epochs;
};

struct ledger_reader {
	struct ledger_reader *next;
	struct ledger *ledger;
	unsigned channel, number;
	uint32_t owed_from; /* places before it are none of its business */
	bool joined;
	bool astray; /* told of an unknown gap: any epoch may follow */
	uint32_t unknown_gaps;
	uint32_t epoch; /* where it is; of no meaning before a number is known */
	bool placed;
	uint64_t last;
	uint8_t *has; /* a bit for each place */
	uint32_t room;
	struct range *gaps;
	uint32_t n_gaps;
};

struct ledger {
	struct channel *channels;
	unsigned n_channels;
	struct ledger_reader *readers;
	unsigned n_readers, n_told;
	/* Time is counted by what was kept and lost. */
	uint32_t moment, kept;
	struct loss *loss;
	uint32_t losses;
	void (*tell)(const char *line);
	struct ledger_counts counts;
};

static void *grown(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n, size);

	if (!p)
		abort();
	return p;
}

struct ledger *ledger_new(unsigned n_channels, void (*tell)(const char *line))
{
	struct ledger *l = grown(NULL, 1, sizeof(*l));

	*l = (struct ledger){.n_channels = n_channels, .tell = tell};
	l->channels = grown(NULL, n_channels, sizeof(struct channel));
	memset(l->channels, 0, n_channels * sizeof(struct channel));
	return l;
}

static void free_channel(struct channel *c)
{
	for (uint32_t i = 0; i < c->n_epochs; i++)
		free(c->epochs[i].at);
	free(c->epochs);
	free(c->places);
}

void ledger_free(struct ledger *l)
{
	while (l->readers) {
		struct ledger_reader *r = l->readers;

		l->readers = r->next;
		free(r->has);
		free(r->gaps);
		free(r);
	}
	for (unsigned i = 0; i < l->n_channels; i++)
		free_channel(&l->channels[i]);
	free(l->channels);
	free(l->loss);
	free(l);
}

void ledger_holds_all(struct ledger *l, unsigned channel)
{
	l->channels[channel].holds_all = true;
}

const struct ledger_counts *ledger_counts(const struct ledger *l)
{
	return &l->counts;
}

const char *ledger_fault_text(enum ledger_fault fault)
{
	return texts[fault];
}

void ledger_complain(struct ledger *l, enum ledger_fault fault,
		     unsigned channel, const char *text)
{
	char line[400];

	l->counts.faults[fault]++;
	if (l->n_told++ >= TOLD || !l->tell)
		return;
	snprintf(line, sizeof(line), "channel %u: %s: %s", channel,
		 texts[fault], text);
	l->tell(line);
}

/* Where @place is known to stand, if it is known. */
static const char *standing(const struct channel *c, uint32_t place,
			    char out[60])
{
	const struct place *p = place < c->n ? &c->places[place] : NULL;

	out[0] = '\0';
	if (p && p->seq)
		snprintf(out, 60, ", which is %s-%" PRIu64,
			 c->epochs[p->epoch].text, p->seq);
	return out;
}

static void complain_at(struct ledger_reader *r, enum ledger_fault fault,
			const struct ledger_id *id, uint32_t place)
{
	const struct channel *c = &r->ledger->channels[r->channel];
	char text[200], is[60];

	snprintf(text, sizeof(text),
		 "reader %u at %s-%" PRIu64 " got %s-%" PRIu64 ", place %d%s",
		 r->number, r->placed ? c->epochs[r->epoch].text : "nowhere",
		 r->last, id->epoch, id->seq, (int)place,
		 standing(c, place, is));
	ledger_complain(r->ledger, fault, r->channel, text);
}

/* ---- Ids ---- */

bool ledger_read_id(const char *text, struct ledger_id *ret_id)
{
	char *end;

	for (int i = 0; i < 8; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz234567", text[i]) ||
		    !text[i])
			return false;
	if (text[8] != '-' || text[9] < '0' || text[9] > '9')
		return false;
	memcpy(ret_id->epoch, text, 8);
	ret_id->epoch[8] = '\0';
	ret_id->seq = strtoull(text + 9, &end, 10);
	return true;
}

static uint32_t epoch_of(struct ledger *l, struct channel *c, const char *text)
{
	for (uint32_t i = c->n_epochs; i > 0; i--)
		if (!strcmp(c->epochs[i - 1].text, text))
			return i - 1;
	c->epochs = grown(c->epochs, c->n_epochs + 1, sizeof(struct epoch));
	c->epochs[c->n_epochs] = (struct epoch){.at = NULL};
	memcpy(c->epochs[c->n_epochs].text, text, 8);
	l->counts.epochs++;
	return c->n_epochs++;
}

/* Enter that @seq of @e is @place. False: it is something else already. */
static bool enter_id(struct epoch *e, uint64_t seq, uint32_t place)
{
	if (seq >= e->room) {
		uint64_t room = e->room ? e->room : 64;

		while (room <= seq)
			room *= 2;
		e->at = grown(e->at, room, sizeof(uint32_t));
		memset(e->at + e->room, 0, (room - e->room) * sizeof(uint32_t));
		e->room = room;
	}
	if (!e->at[seq])
		e->at[seq] = place + 1;
	return e->at[seq] == place + 1;
}

/* No channel can have counted so far. */
static bool is_wild(const struct channel *c, const struct ledger_id *id)
{
	return id->seq == 0 || id->seq > 2 * (uint64_t)c->n + 1000000;
}

static bool is_in_a_loss(const struct ledger *l, uint32_t moment)
{
	for (uint32_t i = 0; i < l->losses; i++)
		if (l->loss[i].from <= moment && moment < l->loss[i].to)
			return true;
	return false;
}

/*
 * What was known of a message is not so any more: all was lost since it was
 * heard, and nobody had been told by then that it is held.
 */
static bool was_lost(const struct ledger *l, const struct place *p)
{
	return p->heard && is_in_a_loss(l, p->heard_at) &&
	       (p->state != ACKED || p->acked_at > p->heard_at);
}

/* Enter that the message stands there; a fault or LEDGER_FAULTS. */
static enum ledger_fault enter(struct ledger *l, struct channel *c,
			       uint32_t place, const struct ledger_id *id)
{
	struct place *p = &c->places[place];
	uint32_t epoch;

	if (is_wild(c, id))
		return LEDGER_FOREIGN;
	epoch = epoch_of(l, c, id->epoch);
	if (!enter_id(&c->epochs[epoch], id->seq, place))
		return LEDGER_ID;
	/* An epoch that goes on after another one has its numbers. */
	if (p->seq && p->seq != id->seq && !was_lost(l, p))
		return LEDGER_MOVED;
	p->epoch = epoch;
	p->seq = id->seq;
	return LEDGER_FAULTS;
}

/* ---- Publishers ---- */

uint32_t ledger_say(struct ledger *l, unsigned channel, uint32_t publisher,
		    uint32_t life)
{
	struct channel *c = &l->channels[channel];

	if (c->n == c->room) {
		c->room = c->room ? 2 * c->room : 1024;
		c->places = grown(c->places, c->room, sizeof(struct place));
	}
	c->places[c->n] = (struct place){.publisher = publisher, .life = life};
	l->counts.said++;
	return c->n++;
}

void ledger_ack(struct ledger *l, unsigned channel, uint32_t place,
		const struct ledger_id *id)
{
	struct channel *c = &l->channels[channel];
	struct place *p = &c->places[place];
	enum ledger_fault fault;
	char text[200], is[60];

	p->state = ACKED;
	p->acked_at = l->moment;
	l->counts.acked++;
	fault = enter(l, c, place, id);
	if (fault == LEDGER_FAULTS)
		return;
	snprintf(text, sizeof(text),
		 "place %" PRIu32 " is acked as %s-%" PRIu64 "%s", place,
		 id->epoch, id->seq, standing(c, place, is));
	ledger_complain(l, fault, channel, text);
}

void ledger_refuse(struct ledger *l, unsigned channel, uint32_t place)
{
	struct place *p = &l->channels[channel].places[place];
	char text[100];

	p->state = REFUSED;
	l->counts.refused++;
	if (!p->heard)
		return;
	snprintf(text, sizeof(text), "place %" PRIu32, place);
	ledger_complain(l, LEDGER_REFUSED, channel, text);
}

void ledger_keep(struct ledger *l)
{
	l->kept = ++l->moment;
}

void ledger_loss(struct ledger *l)
{
	l->loss = grown(l->loss, l->losses + 1, sizeof(struct loss));
	l->loss[l->losses++] = (struct loss){l->kept, ++l->moment};
	l->kept = 0;
	l->counts.losses++;
}

/* ---- Readers ---- */

struct ledger_reader *ledger_reader(struct ledger *l, unsigned channel)
{
	struct ledger_reader *r = grown(NULL, 1, sizeof(*r));

	*r = (struct ledger_reader){
		.next = l->readers,
		.ledger = l,
		.channel = channel,
		.number = l->n_readers++,
	};
	l->readers = r;
	return r;
}

bool ledger_last(const struct ledger_reader *r, struct ledger_id *ret_id)
{
	const struct channel *c = &r->ledger->channels[r->channel];

	if (!r->placed)
		return false;
	memcpy(ret_id->epoch, c->epochs[r->epoch].text, 9);
	ret_id->seq = r->last;
	return true;
}

bool ledger_has(const struct ledger_reader *r, uint32_t place)
{
	return place / 8 < r->room && r->has[place / 8] >> place % 8 & 1;
}

static void mark(struct ledger_reader *r, uint32_t place)
{
	if (place / 8 >= r->room) {
		uint32_t room = place / 4 + 64;

		r->has = grown(r->has, room, 1);
		memset(r->has + r->room, 0, room - r->room);
		r->room = room;
	}
	r->has[place / 8] |= (uint8_t)(1u << place % 8);
}

void ledger_welcome(struct ledger_reader *r, const struct ledger_id *newest,
		    bool resumed)
{
	struct ledger *l = r->ledger;
	struct channel *c = &l->channels[r->channel];
	uint32_t epoch = epoch_of(l, c, newest->epoch);

	if (!r->joined) {
		r->joined = r->placed = true;
		r->owed_from = c->n;
		r->epoch = epoch;
		r->last = newest->seq;
	} else if (resumed && r->placed && epoch != r->epoch && !r->astray) {
		complain_at(r, LEDGER_EPOCH, newest, UINT32_MAX);
	}
}

/* Where the reader is after what follows another epoch's. */
static void settle(struct ledger_reader *r, const struct ledger_id *id,
		   uint32_t epoch)
{
	if (r->astray) {
		if (r->placed && epoch == r->epoch)
			complain_at(r, LEDGER_NEEDLESS, id, UINT32_MAX);
	} else if (epoch != r->epoch) {
		complain_at(r, LEDGER_EPOCH, id, UINT32_MAX);
	} else if (id->seq <= r->last) {
		complain_at(r, LEDGER_ORDER, id, UINT32_MAX);
	} else if (id->seq != r->last + 1) {
		complain_at(r, LEDGER_HOLE, id, UINT32_MAX);
	}
	r->astray = false;
	r->placed = true;
	r->epoch = epoch;
	r->last = id->seq;
}

static void check_again(struct ledger_reader *r, const struct place *p,
			const struct ledger_id *id, uint32_t place)
{
	const struct ledger *l = r->ledger;

	if (r->unknown_gaps &&
	    (was_lost(l, p) || (l->losses && p->again_at == l->losses)))
		r->ledger->counts.repeats++;
	else
		complain_at(r, LEDGER_TWICE, id, place);
}

void ledger_hear(struct ledger_reader *r, const struct ledger_id *id,
		 uint32_t place)
{
	struct ledger *l = r->ledger;
	struct channel *c = &l->channels[r->channel];
	enum ledger_fault fault;
	struct place *p;

	l->counts.heard++;
	settle(r, id, epoch_of(l, c, id->epoch));
	if (place >= c->n) {
		complain_at(r, LEDGER_FOREIGN, id, place);
		return;
	}
	p = &c->places[place];
	if (ledger_has(r, place))
		check_again(r, p, id, place);
	fault = enter(l, c, place, id);
	if (fault != LEDGER_FAULTS)
		complain_at(r, fault, id, place);
	if (p->state == REFUSED)
		complain_at(r, LEDGER_REFUSED, id, place);
	if (was_lost(l, p))
		p->again_at = l->losses;
	if (!p->heard || was_lost(l, p))
		p->heard_at = l->moment;
	p->heard = true;
	mark(r, place);
}

static void unknown_gap(struct ledger_reader *r, const struct ledger_id *to)
{
	struct ledger *l = r->ledger;

	l->counts.unknown_gaps++;
	r->unknown_gaps++;
	if (!to->epoch[0]) {
		r->astray = true;
		return;
	}
	/* The first one that is still held is behind it. */
	if (l->channels[r->channel].holds_all)
		complain_at(r, LEDGER_GAP, to, UINT32_MAX);
	r->astray = true;
	settle(r, to, epoch_of(l, &l->channels[r->channel], to->epoch));
}

void ledger_gap(struct ledger_reader *r, const struct ledger_id *from,
		const struct ledger_id *to, int64_t missing)
{
	struct ledger *l = r->ledger;
	struct channel *c = &l->channels[r->channel];
	uint32_t epoch;

	if (missing < 0) {
		unknown_gap(r, to);
		return;
	}
	epoch = epoch_of(l, c, to->epoch);
	l->counts.gaps++;
	l->counts.missing += (uint64_t)missing;
	if (c->holds_all || strcmp(from->epoch, to->epoch) ||
	    from->seq > to->seq || (uint64_t)missing != to->seq - from->seq + 1 ||
	    (!r->astray && (epoch != r->epoch || from->seq != r->last + 1)))
		complain_at(r, LEDGER_GAP, from, UINT32_MAX);
	r->gaps = grown(r->gaps, r->n_gaps + 1, sizeof(struct range));
	r->gaps[r->n_gaps++] = (struct range){epoch, from->seq, to->seq};
	r->epoch = epoch;
	r->last = to->seq;
	r->placed = true;
	r->astray = false;
}

/* ---- The end ---- */

/* Numbers go on in an epoch after another one, so later gaps count as well. */
static bool is_covered(const struct ledger_reader *r, const struct place *p)
{
	const struct channel *c = &r->ledger->channels[r->channel];

	if (r->unknown_gaps && !c->holds_all)
		return true;
	for (uint32_t i = 0; i < r->n_gaps; i++)
		if (r->gaps[i].epoch >= p->epoch && r->gaps[i].from <= p->seq &&
		    r->gaps[i].to >= p->seq)
			return true;
	return false;
}

static void check_owed(struct ledger_reader *r, uint32_t place)
{
	struct ledger *l = r->ledger;
	const struct channel *c = &l->channels[r->channel];
	const struct place *p = &c->places[place];
	bool was_acked = p->state == ACKED;
	uint32_t known_at = was_acked ? p->acked_at : p->heard_at;
	struct ledger_id id = {.seq = p->seq};

	if ((!was_acked && !p->heard) || ledger_has(r, place) ||
	    is_covered(r, p))
		return;
	if (r->unknown_gaps && is_in_a_loss(l, known_at)) {
		l->counts.lost++;
		return;
	}
	if (p->seq)
		memcpy(id.epoch, c->epochs[p->epoch].text, 9);
	complain_at(r, LEDGER_LOST, &id, place);
}

/* One who spoke: how far it is in an epoch. */
struct speaker {
	uint32_t publisher, life;
	uint32_t last; /* the latest place + 1 */
};

static struct speaker *speaker_of(struct speaker **all, unsigned *n,
				  uint32_t publisher)
{
	for (unsigned i = 0; i < *n; i++)
		if ((*all)[i].publisher == publisher)
			return &(*all)[i];
	*all = grown(*all, *n + 1, sizeof(struct speaker));
	(*all)[*n] = (struct speaker){.publisher = publisher};
	return &(*all)[(*n)++];
}

/*
 * Places are given in the order in which a publisher speaks. What it said in an
 * earlier life and was never acked may still come behind what it said later.
 */
static bool is_in_order(struct speaker *s, const struct place *p, uint32_t place)
{
	bool late = place + 1 < s->last;

	if (late && (p->life == s->life || p->state == ACKED))
		return false;
	if (!late) {
		s->last = place + 1;
		s->life = p->life;
	}
	return true;
}

static void check_order(struct ledger *l, unsigned channel, uint32_t epoch)
{
	const struct channel *c = &l->channels[channel];
	const struct epoch *e = &c->epochs[epoch];
	struct speaker *speakers = NULL;
	unsigned n = 0;
	char text[100];

	for (uint64_t seq = 1; seq < e->room; seq++) {
		uint32_t place = e->at[seq] - 1;
		const struct place *p = &c->places[place];

		if (!e->at[seq] ||
		    is_in_order(speaker_of(&speakers, &n, p->publisher), p,
				place))
			continue;
		snprintf(text, sizeof(text), "%s-%" PRIu64 ", place %" PRIu32,
			 e->text, seq, place);
		ledger_complain(l, LEDGER_SWAPPED, channel, text);
	}
	free(speakers);
}

uint64_t ledger_close(struct ledger *l)
{
	uint64_t n = 0;

	for (struct ledger_reader *r = l->readers; r; r = r->next)
		for (uint32_t i = r->owed_from; i < l->channels[r->channel].n;
		     i++)
			check_owed(r, i);
	for (unsigned i = 0; i < l->n_channels; i++)
		for (uint32_t e = 0; e < l->channels[i].n_epochs; e++)
			check_order(l, i, e);
	l->counts.unknown = l->counts.said - l->counts.acked - l->counts.refused;
	for (unsigned i = 0; i < LEDGER_FAULTS; i++)
		n += l->counts.faults[i];
	return n;
}
