/* SPDX-License-Identifier: MIT */
/*
 * Kinds are few, so one that is there is found by looking at the latest. Where
 * they are many after all, some stand there twice, which costs memory and
 * nothing else.
 */
#include "ws/kind.h"

#include <stdlib.h>

#include "ws/conn.h"

/* What may be compressed, and more work than it looks, is read in such parts. */
#define DEFLATE_RECV_BYTES 16384

/* So many are looked at. */
#define MOST_COMPARED 16

#define DEFAULT_BYTES	     ((size_t)16 << 20)
#define MORE_QUEUE_BYTES     ((size_t)1 << 20)
#define DEFAULT_HIGH_BYTES   ((size_t)1 << 20)
#define DEFAULT_HANDSHAKE_MS 10000
#define DEFAULT_PING_MS	     30000
#define DEFAULT_IDLE_MS	     75000
#define DEFAULT_CLOSE_MS     5000

void ses_limits_default(struct sesame_limits *l)
{
	if (!l->message_bytes)
		l->message_bytes = DEFAULT_BYTES;
	if (!l->queue_bytes) /* what may come may be sent back */
		l->queue_bytes = l->message_bytes < SIZE_MAX - MORE_QUEUE_BYTES
					 ? l->message_bytes + MORE_QUEUE_BYTES
					 : SIZE_MAX;
	if (!l->queue_high_bytes)
		l->queue_high_bytes = DEFAULT_HIGH_BYTES;
	if (l->queue_high_bytes > l->queue_bytes / 2)
		l->queue_high_bytes = l->queue_bytes / 2;
	if (!l->handshake_ms)
		l->handshake_ms = DEFAULT_HANDSHAKE_MS;
	if (!l->ping_ms)
		l->ping_ms = DEFAULT_PING_MS;
	if (!l->idle_ms)
		l->idle_ms = DEFAULT_IDLE_MS;
	if (!l->close_ms)
		l->close_ms = DEFAULT_CLOSE_MS;
}

static struct ses_stream_limits stream_limits(const struct sesame_limits *l,
					      bool deflate)
{
	size_t most = SIZE_MAX - SES_CONTROL_ROOM;

	return (struct ses_stream_limits){
		.queue = (l->queue_bytes < most ? l->queue_bytes : most) +
			 SES_CONTROL_ROOM,
		.queue_high = l->queue_high_bytes,
		/* what it cannot take now is kept */
		.recv_most = deflate ? DEFLATE_RECV_BYTES : 0,
	};
}

static void say_fault(void *user, enum ses_fault fault,
		      char out[SES_REASON_SIZE])
{
	struct sesame_conn *conn = user;

	conn->kind->say_fault(conn, fault, out);
}

/* All but the subprotocol. */
static struct ses_conn_kind describe(struct sesame_loop *loop,
				     const struct ses_conn_setup *setup,
				     const struct sesame_session_events *events)
{
	struct sesame_limits limits = setup->limits;
	struct sesame_session_settings settings = {.role = setup->role};
	struct ses_conn_kind kind = {
		.loop = loop,
		.handlers = setup->handlers,
		.on_gone = setup->on_gone,
		.context = setup->context,
		.say_fault = setup->say_fault,
	};

	ses_limits_default(&limits);
	settings.max_message = limits.message_bytes;
	kind.session = ses_session_terms_of(&settings, events);
	if (setup->say_fault)
		kind.session.say_fault = say_fault;
	kind.stream = stream_limits(&limits, setup->deflate.on);
	kind.ping_ms = limits.ping_ms;
	kind.idle_ms = limits.idle_ms;
	kind.close_ms = limits.close_ms;
	return kind;
}

static bool same_limits(const struct ses_conn_kind *a,
			const struct ses_conn_kind *b)
{
	return a->session.max_message == b->session.max_message &&
	       a->stream.queue == b->stream.queue &&
	       a->stream.queue_high == b->stream.queue_high &&
	       a->stream.recv_most == b->stream.recv_most &&
	       a->ping_ms == b->ping_ms && a->idle_ms == b->idle_ms &&
	       a->close_ms == b->close_ms;
}

static bool is_same(const struct ses_conn_kind *a,
		    const struct ses_conn_kind *b, struct bytes subprotocol)
{
	return a->handlers == b->handlers && a->on_gone == b->on_gone &&
	       a->context == b->context && a->say_fault == b->say_fault &&
	       a->session.events == b->session.events &&
	       a->session.role == b->session.role && same_limits(a, b) &&
	       bytes_equal_str(subprotocol, a->subprotocol);
}

static struct ses_conn_kind *find(struct sesame_loop *loop,
				  const struct ses_conn_kind *wanted,
				  struct bytes subprotocol)
{
	struct ses_list *link = loop->kinds.next;

	for (int i = 0; i < MOST_COMPARED && link != &loop->kinds; i++) {
		struct ses_conn_kind *kind =
			ses_container_of(link, struct ses_conn_kind, link);

		if (is_same(kind, wanted, subprotocol))
			return kind;
		link = link->next;
	}
	return NULL;
}

static struct ses_conn_kind *add(const struct ses_conn_kind *wanted,
				 struct bytes subprotocol)
{
	struct ses_conn_kind *kind = malloc(sizeof(*kind) + subprotocol.len + 1);

	if (!kind)
		return NULL;
	*kind = *wanted;
	if (subprotocol.len)
		memcpy(kind->subprotocol, subprotocol.data, subprotocol.len);
	kind->subprotocol[subprotocol.len] = '\0';
	ses_list_init(&kind->link);
	return kind;
}

struct ses_conn_kind *
ses_conn_kind_of(struct sesame_loop *loop, const struct ses_conn_setup *setup,
		 const struct sesame_session_events *events)
{
	struct ses_conn_kind wanted = describe(loop, setup, events);
	struct ses_conn_kind *kind = find(loop, &wanted, setup->subprotocol);

	if (!kind)
		kind = add(&wanted, setup->subprotocol);
	if (!kind)
		return NULL;
	kind->refs++;
	ses_list_remove(&kind->link);
	ses_list_prepend(&loop->kinds, &kind->link);
	return kind;
}

void ses_conn_kind_unref(struct ses_conn_kind *kind)
{
	if (!kind || --kind->refs > 0)
		return;
	ses_list_remove(&kind->link);
	free(kind);
}
