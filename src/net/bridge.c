/* SPDX-License-Identifier: MIT */
/*
 * Two streams that pass on what the other one gets. The slower one stops the
 * faster; the end of one is the end of both, once what is queued has gone out.
 */
#include "net/bridge.h"

#include <sesame/error.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_LIMIT   (4 * 1024 * 1024)
#define QUEUE_HIGH    (256 * 1024)
#define LAST_WORDS_MS 5000

struct ses_bridge {
	struct ses_list link; /* in the loop's list */
	struct ses_stream *outer, *inner;
};

static void free_bridge(struct ses_bridge *b)
{
	ses_list_remove(&b->link);
	free(b);
}

static struct ses_stream *other(const struct ses_bridge *b,
				const struct ses_stream *s)
{
	return s == b->outer ? b->inner : b->outer;
}

/* One end is over: what it said still goes to the other. */
static void on_end(struct ses_stream *s, int error)
{
	struct ses_bridge *b = s->owner;
	struct ses_stream *rest = other(b, s);

	free_bridge(b);
	ses_stream_close(s);
	ses_stream_linger(rest, LAST_WORDS_MS);
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct ses_stream *to = other(s->owner, s);
	int r = ses_stream_send(to, bytes_of(data, len));

	if (r == SESAME_EAGAIN)
		ses_stream_pause(s);
	else if (r != 0)
		on_end(to, r);
}

static void on_drain(struct ses_stream *s)
{
	ses_stream_resume(other(s->owner, s));
}

static const struct ses_stream_events bridging = {
	.on_bytes = on_bytes,
	.on_drain = on_drain,
	.on_end = on_end,
};

static const struct ses_stream_limits limits = {.queue = QUEUE_LIMIT,
						.queue_high = QUEUE_HIGH};

int ses_bridge_open(struct ses_stream *outer, struct bytes early)
{
	struct ses_bridge *b = calloc(1, sizeof(*b));
	int pair[2];

	if (!b)
		return SESAME_ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair) < 0) {
		free(b);
		return SESAME_ESYSTEM;
	}
	b->outer = outer;
	b->inner = ses_stream_new(outer->loop, pair[0], &bridging, b, &limits);
	if (!b->inner || ses_stream_send(b->inner, early) < 0) {
		ses_stream_close(b->inner);
		close(pair[1]);
		free(b);
		return SESAME_ENOMEM;
	}
	ses_list_init(&b->link);
	ses_list_append(&outer->loop->bridges, &b->link);
	ses_stream_take(outer, &bridging, b);
	return pair[1];
}

void ses_bridges_abandon(struct sesame_loop *loop)
{
	struct ses_list *link;

	while ((link = ses_list_first(&loop->bridges))) {
		struct ses_bridge *b =
			ses_container_of(link, struct ses_bridge, link);

		ses_stream_close(b->outer);
		ses_stream_close(b->inner);
		free_bridge(b);
	}
}
