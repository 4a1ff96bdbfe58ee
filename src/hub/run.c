/* SPDX-License-Identifier: MIT */
/*
 * Messages that came together. A channel may have very many members: what is
 * sent to each at once, and from where it lies, is in memory once. What waits
 * for the end of a turn would be there as many times as there are members.
 */
#include "hub/hub_inner.h"

/* An envelope may be six times as long as what is in it, and more. */
#define JOINED_BYTES (8 * HUB_RUN_BYTES)

static bool follows(const struct hub_message *m, const struct hub_message *last,
		    size_t bytes)
{
	return m->sort == HUB_MESSAGE && last->sort == HUB_MESSAGE &&
	       m->channel == last->channel && m->era == last->era &&
	       m->seq == last->seq + 1 &&
	       bytes + ses_buf_len(&m->frame) <= HUB_RUN_BYTES;
}

struct hub_delivery *hub_run_take(struct hub_run *run, struct hub_delivery *d)
{
	size_t bytes = 0;

	run->n = run->payload_bytes = 0;
	for (int i = 0; i < 2; i++) {
		run->frames[i] = bytes_of(NULL, 0);
		ses_buf_init(&run->own[i], JOINED_BYTES);
	}
	do {
		struct hub_message *m = d->message;

		run->message[run->n++] = m;
		run->payload_bytes += m->payload_len;
		bytes += ses_buf_len(&m->frame);
		d = d->next;
	} while (d && run->n < HUB_RUN_MOST &&
		 follows(d->message, run->message[run->n - 1], bytes));
	return d;
}

static struct bytes join(struct hub_run *run, bool envelopes,
			 struct ses_buf *scratch)
{
	struct ses_buf *all = &run->own[envelopes];

	for (size_t i = 0; i < run->n; i++) {
		struct bytes frame =
			hub_message_frame(run->message[i], envelopes, scratch);

		if (!frame.data || ses_buf_append(all, frame) < 0) {
			ses_buf_fini(all);
			return bytes_of(NULL, 0);
		}
	}
	return ses_buf_bytes(all);
}

struct bytes hub_run_frames(struct hub_run *run, bool envelopes,
			    struct ses_buf *scratch)
{
	struct bytes *frames = &run->frames[envelopes];

	if (frames->data)
		return *frames;
	if (run->n == 1)
		*frames = hub_message_frame(run->message[0], envelopes,
					    &run->own[envelopes]);
	else
		*frames = join(run, envelopes, scratch);
	return *frames;
}

void hub_run_fini(struct hub_run *run)
{
	ses_buf_fini(&run->own[0]);
	ses_buf_fini(&run->own[1]);
}
