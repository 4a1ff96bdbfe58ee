/* SPDX-License-Identifier: MIT */
/*
 * Handshakes: open, leave at once, open again; or hold what is open and say
 * nothing. A refusal with the status that was asked for counts as an answer, so
 * that the cost of refusing can be measured like that of admitting.
 */
#include "load/crowd.h"
#include "load/meter.h"

static void answered(struct load_client *client)
{
	uint64_t now = load_now();

	client->crowd->tally.sent++;
	load_count(client->crowd, now, now - client->began_ns, 0);
}

static void on_open(struct load_client *client)
{
	struct load_crowd *crowd = client->crowd;

	if (crowd->plan->expect) {
		crowd->tally.wrong++;
		load_complain(crowd,
			      "a handshake was admitted that was to be "
			      "refused with %d",
			      crowd->plan->expect);
	} else {
		answered(client);
	}
	sesame_conn_abort(client->conn);
}

/* With a rate, who is free waits for the next slot. */
static void go_on(struct load_client *client)
{
	if (client->crowd->interval_ns > 0)
		return;
	load_client_open(client);
}

static bool on_gone(struct load_client *client, const struct sesame_end *end)
{
	int expect = client->crowd->plan->expect;
	bool mine = end->error == SESAME_ECLOSED;
	bool wanted = expect && end->status == expect;

	if (wanted)
		answered(client);
	/* Who is turned away comes again, unless that is all there is. */
	if (mine || client->crowd->tally.sent > 0)
		go_on(client);
	return mine || wanted;
}

static void on_due(struct load_crowd *crowd)
{
	uint64_t now = load_now();

	for (unsigned i = 0; i < crowd->n_clients; i++) {
		struct load_client *client = &crowd->clients[i];

		if (load_due_ns(crowd, crowd->slot) > now)
			break;
		if (client->conn)
			continue;
		load_client_open(client);
		client->began_ns = load_due_ns(crowd, crowd->slot++);
	}
	load_await_slot(crowd);
}

static void start(struct load_crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_clients; i++)
		go_on(&crowd->clients[i]);
}

const struct load_traffic load_handshakes = {
	.start = start,
	.open = on_open,
	.gone = on_gone,
	.due = on_due,
};

const struct load_traffic load_idle = {0};
