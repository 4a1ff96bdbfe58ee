/* SPDX-License-Identifier: MIT */
/*
 * Echo: what is sent has to come back, as it was and in its order. Without a
 * rate a new message follows each answer. With one, messages are due by the
 * clock, whatever the server does: one that could not be sent in time, because
 * too many before it were not answered, is as late as it is, and its latency is
 * counted from when it was due. So a stall is seen by all that it kept waiting,
 * and not by the few that were on their way (coordinated omission, as Gil Tene
 * calls it).
 */
#include "load/crowd.h"

#include <stdlib.h>

#include "load/meter.h"

static struct bytes message_of(const struct load_client *client,
			       uint64_t number, bool *ret_binary)
{
	return load_message(&client->crowd->stage->payload,
			    load_key(client->seed, number), ret_binary);
}

/* True: it is on its way. */
static bool send_next(struct load_client *client)
{
	bool binary;
	struct bytes data = message_of(client, client->sent, &binary);
	int r = sesame_conn_send(client->conn,
				 binary ? SESAME_BINARY : SESAME_TEXT,
				 data.data, data.len);

	if (r < 0 && r != SESAME_EAGAIN)
		return false;
	client->sent++;
	client->crowd->tally.sent++;
	return true;
}

/* Whether what came is what was to come; if not, the connection is dropped. */
static bool check(struct load_client *client, struct bytes data, bool binary)
{
	bool wanted_binary;
	struct bytes wanted =
		message_of(client, client->received, &wanted_binary);

	if (client->received < client->sent && binary == wanted_binary &&
	    bytes_equal(data, wanted))
		return true;
	client->crowd->tally.wrong++;
	if (client->received >= client->sent)
		load_complain(client->crowd,
			      "a message of %zu bytes came that "
			      "nobody had sent: it is no echo server",
			      data.len);
	else
		load_complain(client->crowd,
			      "message %llu of a connection came back changed: "
			      "%zu bytes%s instead of %zu%s%s",
			      (unsigned long long)client->received, data.len,
			      binary ? " (binary)" : "", wanted.len,
			      wanted_binary ? " (binary)" : "",
			      data.len == wanted.len && binary == wanted_binary
				      ? ", with other words: without "
					"--broadcast the server has to echo"
				      : "");
	sesame_conn_abort(client->conn);
	return false;
}

/* ---- as they go ---- */

static void send_timed(struct load_client *client, uint64_t now)
{
	uint64_t number = client->sent;

	if (send_next(client))
		client->sent_at[number % client->crowd->plan->in_flight] = now;
}

static void begin(struct load_client *client)
{
	unsigned most = client->crowd->plan->in_flight;

	if (!client->sent_at)
		client->sent_at = calloc(most, sizeof(*client->sent_at));
	if (!client->sent_at) {
		load_complain(client->crowd, "out of memory");
		sesame_conn_abort(client->conn);
		return;
	}
	for (unsigned i = 0; i < most; i++)
		send_timed(client, load_now());
}

static void start(struct load_crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_clients; i++)
		if (crowd->clients[i].open)
			begin(&crowd->clients[i]);
}

static void on_echo(struct load_client *client, struct bytes data, bool binary)
{
	struct load_crowd *crowd = client->crowd;
	uint64_t now = load_came(client);

	if (!check(client, data, binary))
		return;
	load_count(
		crowd, now,
		now - client->sent_at[client->received % crowd->plan->in_flight],
		data.len);
	client->received++;
	if (atomic_load_explicit(&crowd->stage->phase, memory_order_relaxed) ==
	    LOAD_RUNNING)
		send_timed(client, now);
}

/*
 * Where not one message came back to anybody, those that were sent are lost. Of
 * others that are on their way at the end nothing is known.
 */
static void count_unanswered(struct load_crowd *crowd)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < crowd->n_clients; i++) {
		if (crowd->clients[i].received > 0)
			return;
		if (crowd->clients[i].conn)
			sent += crowd->clients[i].sent;
	}
	if (sent == 0)
		return;
	crowd->tally.missing += sent;
	load_complain(crowd, "not one message came back: without --broadcast "
			     "the server has to echo");
}

const struct load_traffic load_echo = {
	.start = start,
	.message = on_echo,
	.stop = count_unanswered,
};

/* ---- by the clock ---- */

/* When the message @number of @client is due: they take turns. */
static uint64_t due_ns(const struct load_client *client, uint64_t number)
{
	const struct load_crowd *crowd = client->crowd;

	return load_due_ns(crowd, number * crowd->n_clients +
					  (uint64_t)(client - crowd->clients));
}

/* Send what is due, as far as the messages in flight allow. */
static void catch_up(struct load_client *client, uint64_t now)
{
	while (client->open &&
	       client->sent - client->received < client->crowd->plan->in_flight &&
	       due_ns(client, client->sent) <= now)
		if (!send_next(client))
			return;
}

static void on_due(struct load_crowd *crowd)
{
	uint64_t now = load_now();

	while (load_due_ns(crowd, crowd->slot) <= now)
		catch_up(&crowd->clients[crowd->slot++ % crowd->n_clients], now);
	load_await_slot(crowd);
}

static void on_answer(struct load_client *client, struct bytes data, bool binary)
{
	uint64_t now = load_now();

	if (!check(client, data, binary))
		return;
	load_count(client->crowd, now, now - due_ns(client, client->received),
		   data.len);
	client->received++;
	catch_up(client, now);
}

/* What was due in the time that was measured and has no answer counts with the
 * age that it has reached. */
static void count_late(struct load_crowd *crowd)
{
	uint64_t now = load_now();
	uint64_t end = crowd->stage->end_ns < now ? crowd->stage->end_ns : now;

	count_unanswered(crowd);
	for (unsigned i = 0; i < crowd->n_clients; i++) {
		struct load_client *client = &crowd->clients[i];
		uint64_t due;

		if (!client->conn)
			continue;
		for (uint64_t n = client->received;
		     (due = due_ns(client, n)) < end; n++) {
			crowd->tally.late++;
			load_note(&crowd->tally.latency, now - due);
		}
	}
}

const struct load_traffic load_schedule = {
	.message = on_answer,
	.due = on_due,
	.stop = count_late,
};
