/* SPDX-License-Identifier: MIT */
/* The oldest stands first in the gate's list. */
#include "gate/delivery.h"

#include <stdlib.h>

#include "net/stream.h"

struct delivery {
	struct gate *gate;
	struct ses_list link;
	struct ses_stream *stream;
	size_t bytes;
	struct gate_limit_holds *holds;
};

static void give_back(struct gate *gate, struct gate_limit_holds *holds)
{
	if (holds && gate->limiter)
		gate_limiter_leave(gate->limiter, holds);
	free(holds);
}

static void on_gone(void *user)
{
	struct delivery *d = user;

	ses_list_remove(&d->link);
	d->gate->delivery_bytes -= d->bytes;
	give_back(d->gate, d->holds);
	free(d);
}

/* The stream that has been on its way longest; NULL: there is none. */
static struct ses_stream *oldest(struct gate *gate)
{
	struct ses_list *link = ses_list_first(&gate->deliveries);

	return link ? ses_container_of(link, struct delivery, link)->stream
		    : NULL;
}

void gate_deliver(struct gate *gate, struct ses_stream *stream, size_t bytes,
		  struct gate_limit_holds *holds, unsigned timeout_ms)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (!d) {
		ses_stream_close(stream);
		give_back(gate, holds);
		return;
	}
	while (oldest(gate) && gate->delivery_bytes + bytes > GATE_DELIVERY_BYTES)
		ses_stream_reset(oldest(gate));
	*d = (struct delivery){gate, {0}, stream, bytes, holds};
	ses_list_init(&d->link);
	ses_list_append(&gate->deliveries, &d->link);
	gate->delivery_bytes += bytes;
	ses_stream_linger_until(stream, timeout_ms, on_gone, d);
}

void gate_deliveries_end(struct gate *gate)
{
	while (oldest(gate)) /* what the system has by now may still arrive */
		ses_stream_close(oldest(gate));
}
