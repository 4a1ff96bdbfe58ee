/* SPDX-License-Identifier: MIT */
/* The epoch and the number are set before anybody can ask for an envelope. */
#include "hub/message.h"

#include <stdlib.h>

#include "hub/envelope.h"
#include "wire/session.h"

static struct hub_message *make(unsigned n_seats, size_t text_len,
				size_t frame_len)
{
	struct hub_message *m = calloc(
		1, sizeof(*m) + n_seats * sizeof(m->delivery[0]) + text_len);

	if (!m)
		return NULL;
	atomic_init(&m->n_users, 1);
	atomic_init(&m->envelope, NULL);
	m->text = (char *)(m->delivery + n_seats);
	ses_buf_init(&m->frame, frame_len + SES_FRAME_HEAD_MAX);
	return m;
}

struct hub_message *hub_message_new(const struct hub_content *c,
				    unsigned n_seats)
{
	struct hub_message *m =
		make(n_seats, c->from.len + c->key.len, c->payload.len);
	char *text;

	if (!m)
		return NULL;
	text = (char *)(m->delivery + n_seats);
	m->sort = HUB_MESSAGE;
	m->kind = (uint8_t)c->kind;
	m->gone = c->gone;
	m->sender = c->sender;
	m->payload_len = c->payload.len;
	m->from_len = (uint16_t)c->from.len;
	m->key_len = (uint16_t)c->key.len;
	if (c->from.len)
		memcpy(text, c->from.data, c->from.len);
	if (c->key.len)
		memcpy(text + c->from.len, c->key.data, c->key.len);
	if (ses_session_frame(&m->frame, c->kind, c->payload) == 0)
		return m;
	hub_message_free(m);
	return NULL;
}

struct hub_message *hub_message_news(struct bytes json, unsigned n_seats)
{
	struct hub_message *m = make(n_seats, 0, json.len);

	if (!m)
		return NULL;
	m->sort = HUB_NEWS;
	m->payload_len = json.len;
	if (ses_session_frame(&m->frame, SESAME_TEXT, json) == 0)
		return m;
	hub_message_free(m);
	return NULL;
}

static void free_frame(struct ses_buf *frame)
{
	if (!frame)
		return;
	ses_buf_fini(frame);
	free(frame);
}

void hub_message_free(struct hub_message *m)
{
	free_frame(atomic_load(&m->envelope));
	ses_buf_fini(&m->frame);
	free(m);
}

size_t hub_message_weight(const struct hub_message *m)
{
	return ses_buf_len(&m->frame) + m->from_len + m->key_len + sizeof(*m);
}

static bool build(struct hub_message *m, struct ses_buf *frame)
{
	struct ses_buf json;
	int r;

	ses_buf_init(&json,
		     HUB_ENVELOPE_MAX(m->payload_len, m->from_len, m->key_len));
	r = hub_envelope_message(m, &json);
	ses_buf_init(frame, ses_buf_len(&json) + SES_FRAME_HEAD_MAX);
	if (r == 0)
		r = ses_session_frame(frame, SESAME_TEXT, ses_buf_bytes(&json));
	ses_buf_fini(&json);
	if (r < 0)
		ses_buf_fini(frame);
	return r == 0;
}

/* Of two threads that build one at a time one throws its own away. */
static struct ses_buf *keep(struct hub_message *m, struct ses_buf *frame)
{
	struct ses_buf *kept = malloc(sizeof(*kept)), *other = NULL;

	if (!kept)
		return NULL;
	*kept = *frame;
	if (atomic_compare_exchange_strong(&m->envelope, &other, kept))
		return kept;
	free_frame(kept);
	return other;
}

struct bytes hub_message_frame(struct hub_message *m, bool envelope,
			       struct ses_buf *scratch)
{
	struct ses_buf *kept, frame;

	if (!envelope || m->sort != HUB_MESSAGE)
		return ses_buf_bytes(&m->frame);
	kept = atomic_load_explicit(&m->envelope, memory_order_acquire);
	if (kept)
		return ses_buf_bytes(kept);
	if (!build(m, &frame))
		return bytes_of(NULL, 0);
	if (ses_buf_len(&frame) <= 2 * ses_buf_len(&m->frame) + 256) {
		kept = keep(m, &frame);
		if (kept)
			return ses_buf_bytes(kept);
	}
	ses_buf_fini(scratch);
	*scratch = frame;
	return ses_buf_bytes(scratch);
}
