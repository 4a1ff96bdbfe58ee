/* SPDX-License-Identifier: MIT */
/*
 * A thread's connections from first to last. What they say to each other is the
 * traffic's; here they come, are counted, and go. The phase is the watcher's to
 * set, so it is looked at by a timer: ten milliseconds are nothing to a run.
 */
#include "load/crowd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "load/meter.h"

#define POLL_MS	 10
#define LATER_NS 1000000
/* Connections that are opening at the same time: less than a backlog. */
#define OPENING_MOST 100
/* After this long, who does not answer a close frame is dropped. */
#define LEAVE_MS 2000
/* What nobody sent, a greeting for one, may have so many bytes. */
#define UNASKED_MOST ((uint32_t)1 << 20)
/* A message may always be queued behind those in flight. */
#define QUEUE_MORE ((size_t)1 << 20)

static const struct sesame_handlers handlers;

void load_complain(struct load_crowd *crowd, const char *format, ...)
{
	va_list args;

	if (crowd->tally.text[0])
		return;
	va_start(args, format);
	vsnprintf(crowd->tally.text, sizeof(crowd->tally.text), format, args);
	va_end(args);
}

static enum load_phase phase_of(const struct load_crowd *crowd)
{
	return (enum load_phase)atomic_load(&crowd->stage->phase);
}

/* ---- counting ---- */

/* Only this thread writes them; others may look at any time. */
#define ADD(counter, n)                                                       \
	atomic_store_explicit(                                                \
		&(counter),                                                   \
		atomic_load_explicit(&(counter), memory_order_relaxed) + (n), \
		memory_order_relaxed)

void load_count(struct load_crowd *crowd, uint64_t now_ns, uint64_t latency_ns,
		size_t bytes)
{
	const struct load_stage *stage = crowd->stage;

	ADD(crowd->n_received, 1);
	if (now_ns < stage->begin_ns || now_ns >= stage->end_ns)
		return;
	crowd->tally.received++;
	crowd->tally.bytes += bytes;
	load_note(&crowd->tally.latency, latency_ns);
}

/* The clock would cost a tenth of what small messages do. */
uint64_t load_came(const struct load_client *client)
{
	struct load_crowd *crowd = client->crowd;

	if (crowd->came_from != client) {
		crowd->came_from = client;
		crowd->came_ns = load_now();
	}
	return crowd->came_ns;
}

/* ---- the schedule ---- */

uint64_t load_due_ns(const struct load_crowd *crowd, uint64_t slot)
{
	return crowd->stage->start_ns +
	       (uint64_t)((double)slot * crowd->interval_ns);
}

void load_await_slot(struct load_crowd *crowd)
{
	/* who could not go when he was due tries again, not at once */
	uint64_t at = load_due_ns(crowd, crowd->slot);
	uint64_t soon = load_now() + LATER_NS;
	struct itimerspec when = {
		.it_value = {.tv_sec = (time_t)(at / 1000000000),
			     .tv_nsec = (long)(at % 1000000000)}};

	if (at + LATER_NS < soon)
		when.it_value =
			(struct timespec){.tv_sec = (time_t)(soon / 1000000000),
					  .tv_nsec = (long)(soon % 1000000000)};
	timerfd_settime(crowd->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_slot(void *user)
{
	struct load_crowd *crowd = user;
	uint64_t times;

	if (read(crowd->timer_fd, &times, sizeof(times)) > 0 &&
	    phase_of(crowd) == LOAD_RUNNING)
		crowd->traffic->due(crowd);
}

static int begin_schedule(struct load_crowd *crowd)
{
	crowd->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (crowd->timer_fd < 0)
		return SESAME_ESYSTEM;
	crowd->timer = sesame_watch_start(crowd->loop, crowd->timer_fd, on_slot,
					  crowd);
	if (!crowd->timer)
		return SESAME_ENOMEM;
	load_await_slot(crowd);
	return 0;
}

/* ---- opening ---- */

static struct sesame_client_options options_of(const struct load_client *client)
{
	const struct load_plan *plan = client->crowd->plan;
	struct sesame_client_options options = plan->options;

	if (plan->n_sources)
		options.source = plan->sources[client->seed % plan->n_sources];
	/* longer ones are not what was sent: they had better not be kept */
	options.limits.message_bytes = plan->sizes.most > UNASKED_MOST
					       ? plan->sizes.most
					       : UNASKED_MOST;
	options.limits.queue_bytes =
		(size_t)plan->in_flight * (plan->sizes.most + 14) + QUEUE_MORE;
	options.limits.queue_high_bytes = options.limits.queue_bytes / 2;
	return options;
}

void load_client_open(struct load_client *client)
{
	struct load_crowd *crowd = client->crowd;
	struct sesame_client_options options = options_of(client);
	char text[400];
	int r;

	client->began_ns = load_now();
	r = sesame_connect(crowd->loop, crowd->plan->url, &options, &handlers,
			   client, &client->conn, text, sizeof(text));
	if (r < 0) {
		client->conn = NULL;
		crowd->tally.failed++;
		ADD(crowd->n_failed, 1);
		load_complain(crowd, "%s", text);
		return;
	}
	crowd->n_opening++;
}

static void open_more(struct load_crowd *crowd)
{
	while (crowd->n_begun < crowd->n_clients &&
	       crowd->n_opening < OPENING_MOST &&
	       phase_of(crowd) == LOAD_OPENING)
		load_client_open(&crowd->clients[crowd->n_begun++]);
}

/* Looked at where compression was offered: who declines it is a fault. */
static void on_handshake(struct sesame_conn *conn, void *user, bool sent,
			 const char *head, size_t len)
{
	const struct load_client *client = user;
	struct load_crowd *crowd = client->crowd;
	struct load_compression *c = &crowd->tally.compression;

	if (sent || crowd->plan->options.no_deflate)
		return;
	load_compression_note(c, bytes_of(head, len));
	if (c->declined)
		load_complain(crowd,
			      "the server declined permessage-deflate, so what "
			      "it was sent is not compressed: let it agree, or "
			      "leave --deflate out");
}

static void on_open(struct sesame_conn *conn, void *user)
{
	struct load_client *client = user;
	struct load_crowd *crowd = client->crowd;

	client->open = true;
	crowd->n_opening--;
	ADD(crowd->n_open, 1);
	ADD(crowd->n_opened, 1);
	if (!crowd->started)
		open_more(crowd);
	else if (crowd->traffic->open)
		crowd->traffic->open(client);
}

/* ---- talking ---- */

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct load_client *client = user;

	if (client->crowd->started && client->crowd->traffic->message)
		client->crowd->traffic->message(client, bytes_of(data, len),
						kind == SESAME_BINARY);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct load_client *client = user;

	if (client->crowd->started && client->crowd->traffic->drain)
		client->crowd->traffic->drain(client);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct load_client *client = user;
	struct load_crowd *crowd = client->crowd;
	bool was_open = client->open;

	client->conn = NULL;
	client->open = false;
	if (was_open)
		ADD(crowd->n_open, -1);
	else
		crowd->n_opening--;
	if (phase_of(crowd) == LOAD_LEAVING)
		return;
	if (crowd->traffic->gone && crowd->traffic->gone(client, end))
		return;
	if (was_open) {
		crowd->tally.lost++;
		load_complain(crowd,
			      "the server ended a connection: %u%s%.*s%s%s",
			      end->code, end->reason_len ? " " : "",
			      (int)end->reason_len, end->reason,
			      *end->text ? ", " : "", end->text);
	} else {
		crowd->tally.failed++;
		ADD(crowd->n_failed, 1);
		load_complain(crowd, "%s", end->text);
	}
	if (!crowd->started)
		open_more(crowd);
}

static const struct sesame_handlers handlers = {
	.on_handshake = on_handshake,
	.on_open = on_open,
	.on_message = on_message,
	.on_drain = on_drain,
	.on_close = on_close,
};

/* ---- beginning and leaving ---- */

static void start(struct load_crowd *crowd)
{
	crowd->started = true;
	if (crowd->interval_ns > 0 && crowd->traffic->due &&
	    begin_schedule(crowd) < 0)
		load_complain(crowd, "no descriptor is left for the schedule");
	if (crowd->traffic->start)
		crowd->traffic->start(crowd);
}

static void drop_all(void *user)
{
	struct load_crowd *crowd = user;

	crowd->limit = NULL;
	for (unsigned i = 0; i < crowd->n_clients; i++)
		if (crowd->clients[i].conn)
			sesame_conn_abort(crowd->clients[i].conn);
}

static void leave(struct load_crowd *crowd)
{
	if (crowd->started && crowd->traffic->stop)
		crowd->traffic->stop(crowd);
	sesame_watch_stop(crowd->timer);
	crowd->timer = NULL;
	for (unsigned i = 0; i < crowd->n_clients; i++)
		if (crowd->clients[i].conn)
			sesame_conn_close(crowd->clients[i].conn, 1000, NULL);
	crowd->limit =
		sesame_timer_start(crowd->loop, LEAVE_MS, drop_all, crowd);
	if (!crowd->limit)
		drop_all(crowd);
}

static void on_poll(void *user)
{
	struct load_crowd *crowd = user;
	enum load_phase phase = phase_of(crowd);

	crowd->poll = NULL;
	if (phase == LOAD_RUNNING && !crowd->started)
		start(crowd);
	if (phase == LOAD_LEAVING) {
		leave(crowd);
		return;
	}
	crowd->poll = sesame_timer_start(crowd->loop, POLL_MS, on_poll, crowd);
	if (!crowd->poll) /* without it nobody would learn of the end */
		abort();
}

static bool is_anybody_there(const struct load_crowd *crowd)
{
	return crowd->n_opening > 0 || atomic_load(&crowd->n_open) > 0;
}

void load_crowd_run(struct load_crowd *crowd)
{
	on_poll(crowd);
	if (crowd->plan->mode != LOAD_HANDSHAKES)
		open_more(crowd);
	while (crowd->poll || is_anybody_there(crowd)) {
		if (sesame_loop_turn(crowd->loop, -1) < 0)
			break;
		crowd->came_from = NULL;
	}
	sesame_timer_stop(crowd->limit);
	crowd->limit = NULL;
}

/* ---- birth and death ---- */

static const struct load_traffic *traffic_of(const struct load_plan *plan)
{
	switch (plan->mode) {
	case LOAD_ECHO:
		return plan->rate > 0 ? &load_schedule : &load_echo;
	case LOAD_BROADCAST:
		return &load_broadcast;
	case LOAD_HANDSHAKES:
		return &load_handshakes;
	case LOAD_IDLE:
		break;
	}
	return &load_idle;
}

static int init_clients(struct load_crowd *crowd, unsigned first)
{
	crowd->clients = calloc(crowd->n_clients, sizeof(*crowd->clients));
	if (!crowd->clients)
		return SESAME_ENOMEM;
	for (unsigned i = 0; i < crowd->n_clients; i++) {
		crowd->clients[i].crowd = crowd;
		crowd->clients[i].seed = first + i;
	}
	return 0;
}

int load_crowd_init(struct load_crowd *crowd, struct load_stage *stage,
		    unsigned number, unsigned first, unsigned n)
{
	const struct load_plan *plan = stage->plan;

	*crowd = (struct load_crowd){.stage = stage,
				     .plan = plan,
				     .traffic = traffic_of(plan),
				     .number = number,
				     .n_clients = n,
				     .timer_fd = -1};
	if (plan->rate > 0)
		crowd->interval_ns = 1e9 * plan->threads / plan->rate;
	if (init_clients(crowd, first) < 0)
		return SESAME_ENOMEM;
	crowd->loop = sesame_loop_new();
	if (crowd->loop)
		return 0;
	load_crowd_fini(crowd);
	return SESAME_ESYSTEM;
}

void load_crowd_fini(struct load_crowd *crowd)
{
	for (unsigned i = 0; crowd->clients && i < crowd->n_clients; i++)
		free(crowd->clients[i].sent_at);
	free(crowd->clients);
	crowd->clients = NULL;
	free(crowd->state);
	crowd->state = NULL;
	if (crowd->timer_fd >= 0)
		close(crowd->timer_fd);
	crowd->timer_fd = -1;
	sesame_loop_free(crowd->loop);
	crowd->loop = NULL;
}
