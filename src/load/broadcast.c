/* SPDX-License-Identifier: MIT */
/*
 * Broadcast: the first connection sends, all others have to hear each message
 * once and in its order. Messages begin with their number, so that one that was
 * passed over is seen by the next. Without a rate, plan->in_flight messages are
 * on their way: one more is sent when one was heard by all.
 */
#include "load/broadcast.h"

#include <stdio.h>
#include <stdlib.h>

#include "load/crowd.h"
#include "load/meter.h"

/* Messages whose times are kept; of older ones no latency is counted. */
#define REMEMBERED 4096
/* Who has heard nothing for so long will not hear it. */
#define PATIENCE_NS 1000000000

struct broadcast {
	struct load_client *speaker;
	uint64_t sent, heard_by_all;
	uint64_t began_ns; /* when the first message was sent */
	struct {
		uint64_t at_ns;
		unsigned missing; /* listeners that have not heard it */
	} messages[REMEMBERED];
	uint8_t text[]; /* room for a message */
};

static struct bytes make_message(struct load_crowd *crowd, uint64_t number,
				 bool *ret_binary)
{
	struct broadcast *b = crowd->state;
	struct bytes data = load_message(&crowd->stage->payload,
					 load_key(0, number), ret_binary);
	char digits[LOAD_NUMBER + 1];

	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)number);
	memcpy(b->text, data.data, data.len);
	memcpy(b->text, digits, LOAD_NUMBER);
	return bytes_of(b->text, data.len);
}

static void speak(struct load_crowd *crowd, uint64_t at_ns)
{
	struct broadcast *b = crowd->state;
	bool binary;
	struct bytes data = make_message(crowd, b->sent, &binary);
	unsigned listeners = atomic_load(&crowd->n_open) - 1;
	int r;

	if (!b->speaker->open)
		return;
	r = sesame_conn_send(b->speaker->conn,
			     binary ? SESAME_BINARY : SESAME_TEXT, data.data,
			     data.len);
	if (r < 0 && r != SESAME_EAGAIN)
		return;
	b->messages[b->sent % REMEMBERED].at_ns = at_ns;
	b->messages[b->sent % REMEMBERED].missing = listeners;
	if (b->sent == 0)
		b->began_ns = load_now();
	b->sent++;
	crowd->tally.sent++;
}

static unsigned most_in_flight(const struct load_crowd *crowd)
{
	return crowd->plan->in_flight < REMEMBERED ? crowd->plan->in_flight
						   : REMEMBERED;
}

/* Count what all have heard by now, and send as much again. */
static void speak_on(struct load_crowd *crowd)
{
	struct broadcast *b = crowd->state;

	while (b->heard_by_all < b->sent &&
	       b->messages[b->heard_by_all % REMEMBERED].missing == 0)
		b->heard_by_all++;
	if (crowd->interval_ns > 0)
		return;
	while (b->sent - b->heard_by_all < most_in_flight(crowd)) {
		uint64_t before = b->sent;

		speak(crowd, load_now());
		if (b->sent == before)
			return;
	}
}

static void on_due(struct load_crowd *crowd)
{
	struct broadcast *b = crowd->state;
	uint64_t now = load_now(), due;

	while ((due = load_due_ns(crowd, crowd->slot)) <= now &&
	       b->sent - b->heard_by_all < most_in_flight(crowd)) {
		uint64_t before = b->sent;

		speak(crowd, due);
		if (b->sent == before)
			break;
		crowd->slot++;
	}
	load_await_slot(crowd);
}

static void start(struct load_crowd *crowd)
{
	struct broadcast *b = calloc(1, sizeof(*b) + crowd->plan->sizes.most);

	crowd->state = b;
	if (!b) {
		load_complain(crowd, "out of memory");
		return;
	}
	b->speaker = &crowd->clients[0];
	speak_on(crowd);
}

static bool read_number(struct bytes data, uint64_t *ret)
{
	char digits[LOAD_NUMBER + 1] = "", *end;

	if (data.len < LOAD_NUMBER)
		return false;
	memcpy(digits, data.data, LOAD_NUMBER);
	*ret = strtoull(digits, &end, 16);
	return *end == '\0';
}

/* Whether @data is the message @number, whole and unchanged. */
static bool is_message(struct load_crowd *crowd, struct bytes data, bool binary,
		       uint64_t number)
{
	bool wanted_binary;
	struct bytes wanted = make_message(crowd, number, &wanted_binary);

	return binary == wanted_binary && bytes_equal(data, wanted);
}

/* Nobody waits any more for @from to @to, but the last, to be heard by one. */
static void pass_over(struct broadcast *b, uint64_t from, uint64_t to)
{
	if (to - from > REMEMBERED)
		from = to - REMEMBERED;
	for (; from < to; from++)
		if (b->messages[from % REMEMBERED].missing)
			b->messages[from % REMEMBERED].missing--;
}

static void on_message(struct load_client *client, struct bytes data,
		       bool binary)
{
	struct load_crowd *crowd = client->crowd;
	struct broadcast *b = crowd->state;
	uint64_t number, now = load_now();

	if (!b || client == b->speaker)
		return; /* some servers send it back as well */
	if (!read_number(data, &number) || number >= b->sent ||
	    number < client->received ||
	    !is_message(crowd, data, binary, number)) {
		crowd->tally.wrong++;
		load_complain(crowd,
			      "a message of %zu bytes came that was not "
			      "sent, or twice, or out of its order",
			      data.len);
		sesame_conn_abort(client->conn);
		return;
	}
	crowd->tally.missing += number - client->received;
	pass_over(b, client->received, number);
	client->received = number + 1;
	if (number + REMEMBERED >= b->sent) {
		load_count(crowd, now,
			   now - b->messages[number % REMEMBERED].at_ns,
			   data.len);
		if (b->messages[number % REMEMBERED].missing)
			b->messages[number % REMEMBERED].missing--;
	}
	speak_on(crowd);
}

/* What it had not heard yet, nobody waits for any more. */
static bool on_gone(struct load_client *client, const struct sesame_end *end)
{
	struct broadcast *b = client->crowd->state;

	if (!b || client == b->speaker)
		return false;
	pass_over(b, client->received, b->sent);
	speak_on(client->crowd);
	return false;
}

static bool is_deaf(const struct load_crowd *crowd, unsigned i)
{
	const struct load_client *client = &crowd->clients[i];
	const struct broadcast *b = crowd->state;

	return client->conn && client != b->speaker && client->received == 0;
}

/*
 * Who heard a later message counts those before it. Those who heard none count
 * here, if that is for long, or for all of them.
 */
static void count_unheard(struct load_crowd *crowd)
{
	const struct broadcast *b = crowd->state;
	unsigned deaf = 0;

	if (!b || b->sent == 0)
		return;
	for (unsigned i = 0; i < crowd->n_clients; i++)
		deaf += is_deaf(crowd, i);
	if (deaf == 0 || (crowd->tally.received > 0 &&
			  load_now() - b->began_ns < PATIENCE_NS))
		return;
	crowd->tally.missing += deaf * b->sent;
	load_complain(crowd,
		      "%u of %u listeners heard nothing: the server has to send "
		      "what one says to all others",
		      deaf, crowd->n_clients - 1);
}

const struct load_traffic load_broadcast = {
	.start = start,
	.message = on_message,
	.gone = on_gone,
	.due = on_due,
	.stop = count_unheard,
};
