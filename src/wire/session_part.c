/* SPDX-License-Identifier: MIT */
/*
 * What comes in part: a message whose bytes are gathered as they arrive, copied
 * out of the input or received directly; and a control frame that interrupts
 * one, whose bytes wait behind it in the same buffer.
 */
#include "wire/session_inner.h"

#include "wire/deflate.h"
#include "wire/mask.h"

#include <assert.h>

/* Direct receiving begins when this much is still to come of a frame ... */
#define ROOM_WORTH_IT 16384
/* ... and this much has come, which bounds what is taken ahead of the bytes. */
#define ROOM_EARNED 4096
/*
 * A kilobyte that was compressed can be a megabyte of work, so it is taken in
 * steps of so many bytes; see INFLATE_TURN.
 */
#define INFLATE_STEP 512

/* ---- messages ---- */

/* Unmask the next @n bytes of the present frame where they lie. */
static void unmask(struct sesame_session *s, uint8_t *data, size_t n)
{
	struct ses_session_work *w = s->work;

	if (s->terms->role == SESAME_SERVER)
		w->mask_at =
			(uint8_t)ses_mask(data, data, n, w->mask, w->mask_at);
	w->payload_left -= n;
}

/* Whether the message's bytes from @from on can still become valid text. */
static bool check_text(struct sesame_session *s, size_t from)
{
	struct ses_session_work *w = s->work;
	struct bytes text = bytes_from(ses_buf_bytes(&w->message), from);

	return s->kind != SESAME_TEXT || ses_utf8_feed(&w->utf8, text);
}

static int inflate_into_message(struct sesame_session *s, struct bytes in)
{
	struct ses_session_work *w = s->work;
	bool last = w->fin && w->payload_left == 0;
	size_t had = ses_buf_len(&w->message);
	int error;

	if (!w->inflate)
		w->inflate = ses_inflate_new(s->in_bits, s->in_takeover);
	if (!w->inflate)
		return SESAME_ENOMEM;
	error = ses_inflate_feed(w->inflate, in, last, &w->message);
	w->inflated += (uint32_t)(ses_buf_len(&w->message) - had);
	return error;
}

/* Take unmasked payload into the message and check what it became. */
static int take_payload(struct sesame_session *s, struct bytes in)
{
	struct ses_session_work *w = s->work;
	size_t had = ses_buf_len(&w->message);
	int error = w->compressed ? inflate_into_message(s, in)
				  : ses_buf_append(&w->message, in);

	if (error == SESAME_ENOMEM)
		return ses_session_give_up(s);
	/* What came before the error is looked at first: it came first. */
	if (!check_text(s, had))
		return ses_session_fail(s, SES_FAULT_UTF8);
	if (error == SESAME_ELIMIT)
		return ses_session_fail(s, SES_FAULT_MESSAGE_TOO_BIG);
	if (error)
		return ses_session_fail(s, SES_FAULT_DEFLATE_DATA);
	return 0;
}

static int finish_message(struct sesame_session *s)
{
	struct ses_buf message = s->work->message;
	uint8_t kind = s->kind, nothing[1];

	if (kind == SESAME_TEXT && !ses_utf8_done(&s->work->utf8))
		return ses_session_fail(s, SES_FAULT_UTF8);
	/* The callback gets the old buffer while the session has a new one. */
	ses_buf_init(&s->work->message, s->terms->max_message);
	s->kind = 0;
	ses_session_tell(s, kind, message.data ? message.data : nothing,
			 ses_buf_len(&message));
	ses_buf_fini(&message);
	return 0;
}

static int finish_frame(struct sesame_session *s)
{
	s->state = SES_STATE_HEAD;
	return s->work->fin ? finish_message(s) : 0;
}

/* Bytes of the input that belong to the present frame. */
static size_t present(const struct sesame_session *s, const struct ses_span *in)
{
	uint64_t left = s->work->payload_left;

	return in->len < left ? in->len : (size_t)left;
}

int ses_session_read_data(struct sesame_session *s, struct ses_span *in)
{
	size_t n = present(s, in);
	struct bytes part;
	int error;

	if (s->work->compressed && n > INFLATE_STEP)
		n = INFLATE_STEP;
	part = bytes_of(in->data, n);
	unmask(s, in->data, n);
	ses_span_skip(in, n);
	error = take_payload(s, part);
	if (error || s->work->payload_left)
		return error;
	return finish_frame(s);
}

/* ---- receiving directly ---- */

uint8_t *ses_session_room(struct sesame_session *s, size_t *ret_len)
{
	struct ses_session_work *w = s->work;
	size_t had = ses_session_gathered(s), n;
	uint8_t *room;

	if (s->over || s->state != SES_STATE_DATA || w->compressed ||
	    w->payload_left < ROOM_WORTH_IT || had < ROOM_EARNED)
		return NULL;
	/* as much again as has come, and what memory is there anyway */
	n = had < w->payload_left ? had : (size_t)w->payload_left;
	room = ses_buf_room(&w->message, n);
	if (!room)
		return NULL;
	n = w->message.capacity - w->message.end;
	*ret_len = n < w->payload_left ? n : (size_t)w->payload_left;
	return room;
}

static int take_filled(struct sesame_session *s, size_t n)
{
	struct ses_session_work *w = s->work;
	size_t had = ses_buf_len(&w->message);

	unmask(s, w->message.data + w->message.end, n);
	ses_buf_commit(&w->message, n);
	if (!check_text(s, had))
		return ses_session_fail(s, SES_FAULT_UTF8);
	return w->payload_left ? 0 : finish_frame(s);
}

int ses_session_filled(struct sesame_session *s, size_t n)
{
	int error;

	if (s->over)
		return SESAME_ECLOSED;
	error = take_filled(s, n);
	ses_session_tidy(s);
	return error;
}

/* ---- control frames ---- */

/*
 * The gathered part of a control frame waits behind the message that it
 * interrupts. It is copied out before anything is told, because what is told
 * may make the session move.
 */
static int finish_gathered(struct sesame_session *s, size_t len)
{
	struct ses_buf *message = &s->work->message;
	uint8_t body[SES_CONTROL_MAX];

	assert(len <= sizeof(body));
	message->end -= len;
	memcpy(body, message->data + message->end, len);
	message->limit = s->terms->max_message;
	if (!s->kind)
		ses_buf_release(message);
	return ses_session_take_control(s, s->work->opcode, bytes_of(body, len));
}

static int gather_control(struct sesame_session *s, struct bytes part)
{
	struct ses_session_work *w = s->work;

	w->message.limit = s->terms->max_message + SES_CONTROL_MAX;
	w->control_len += (uint8_t)part.len;
	return ses_buf_append(&w->message, part) == 0 ? 0
						      : ses_session_give_up(s);
}

int ses_session_read_control(struct sesame_session *s, struct ses_span *in)
{
	struct ses_session_work *w = s->work;
	size_t n = present(s, in), had = w->control_len;
	struct bytes part = bytes_of(in->data, n);
	int error;

	unmask(s, in->data, n);
	ses_span_skip(in, n);
	error = gather_control(s, part);
	if (error || w->payload_left)
		return error;
	s->state = SES_STATE_HEAD;
	w->control_len = 0;
	return finish_gathered(s, had + n);
}
