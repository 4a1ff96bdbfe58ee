/* SPDX-License-Identifier: MIT */
/*
 * What a session sends: messages, compressed where it was agreed and is worth
 * it, and control frames. Nothing follows a close frame.
 */
#include "wire/session_inner.h"

#include "wire/close.h"
#include "wire/deflate.h"
#include "wire/mask.h"

#include <assert.h>

static bool can_send(const struct sesame_session *s)
{
	return !s->over && !s->close_sent && !s->close_received;
}

/* Four bytes that nobody can predict; without them a client cannot send. */
static bool draw_mask(struct sesame_session *s, struct ses_frame *frame)
{
	uint32_t mask;

	frame->masked = s->terms->role == SESAME_CLIENT;
	if (!frame->masked)
		return true;
	if (!s->terms->events->mask)
		return false;
	mask = s->terms->events->mask(s->user);
	memcpy(frame->mask, &mask, sizeof(mask));
	return true;
}

int ses_session_send_frame(struct sesame_session *s, uint8_t opcode, bool rsv1,
			   struct bytes payload)
{
	struct ses_frame frame = {.fin = true,
				  .rsv1 = rsv1,
				  .opcode = opcode,
				  .payload_len = payload.len};
	uint8_t *out;
	size_t head;

	if (!s->terms->events->output || !draw_mask(s, &frame))
		return SESAME_EINVAL;
	head = ses_frame_head_len(payload.len, frame.masked);
	if (payload.len > SIZE_MAX - head)
		return SESAME_ELIMIT;
	out = s->terms->events->output(s->user, head + payload.len);
	if (!out)
		return SESAME_ELIMIT;
	ses_frame_encode(&frame, out);
	if (frame.masked)
		ses_mask(out + head, payload.data, payload.len, frame.mask, 0);
	else if (payload.len)
		memcpy(out + head, payload.data, payload.len);
	return 0;
}

static bool is_worth_deflating(const struct sesame_session *s, size_t len)
{
	return s->deflate_on && len >= s->terms->deflate_from &&
	       ses_deflate_can(s->out_bits);
}

/* By what remembers nothing if that can do it, else by what may remember. */
static int deflate_payload(struct sesame_session *s, struct bytes payload,
			   struct ses_buf *out)
{
	struct ses_session_work *w;
	int error = SESAME_EAGAIN;

	if (!s->out_takeover)
		error = ses_deflate_once(s->out_bits, payload, out);
	if (error != SESAME_EAGAIN)
		return error;
	w = ses_session_need_work(s);
	if (w && !w->deflate)
		w->deflate = ses_deflate_new(s->out_bits, s->out_takeover);
	if (!w || !w->deflate)
		return SESAME_ENOMEM;
	return ses_deflate_message(w->deflate, payload, out);
}

/* Compress and send. A message that was not sent must not be referred to. */
static int send_deflated(struct sesame_session *s, uint8_t opcode,
			 struct bytes payload)
{
	struct ses_buf out;
	bool smaller;
	int error;

	ses_buf_init(&out, SIZE_MAX / 2);
	error = deflate_payload(s, payload, &out);
	/* what the peer need not remember may as well go as it is */
	smaller = s->out_takeover || (!error && ses_buf_len(&out) < payload.len);
	if (error == SESAME_ELIMIT && !s->out_takeover)
		error = 0;
	if (!error)
		error = ses_session_send_frame(s, opcode, smaller,
					       smaller ? ses_buf_bytes(&out)
						       : payload);
	if (error && s->work && s->work->deflate)
		ses_deflate_forget(s->work->deflate);
	ses_buf_fini(&out);
	return error;
}

/* 0, or why this message cannot be sent. */
static int check_message(const struct sesame_session *s, enum sesame_kind kind,
			 struct bytes payload)
{
	if (!can_send(s))
		return SESAME_ECLOSED;
	if (kind != SESAME_BINARY &&
	    (kind != SESAME_TEXT || !ses_utf8_valid(payload)))
		return SESAME_EINVAL;
	return 0;
}

int ses_session_head(const struct sesame_session *s, enum sesame_kind kind,
		     struct bytes payload, uint8_t out[SES_FRAME_HEAD_MAX])
{
	int error;

	if (s->terms->role == SESAME_CLIENT ||
	    is_worth_deflating(s, payload.len))
		return 0;
	error = check_message(s, kind, payload);
	if (error)
		return error;
	out[0] = SES_FRAME_FIN | (uint8_t)kind;
	out[1] = (uint8_t)payload.len;
	if (payload.len <= SES_FRAME_SHORT)
		return 2;
	return (int)ses_frame_encode(
		&(struct ses_frame){
			.fin = true, .opcode = kind, .payload_len = payload.len},
		out);
}

int sesame_session_send(struct sesame_session *s, enum sesame_kind kind,
			const void *data, size_t len)
{
	struct bytes payload = bytes_of(data, len);
	int error = check_message(s, kind, payload);

	if (error)
		return error;
	if (is_worth_deflating(s, len))
		return send_deflated(s, kind, payload);
	return ses_session_send_frame(s, kind, false, payload);
}

int sesame_session_ping(struct sesame_session *s, const void *data, size_t len)
{
	if (!can_send(s))
		return SESAME_ECLOSED;
	if (len > SES_CONTROL_MAX)
		return SESAME_EINVAL;
	return ses_session_send_frame(s, SES_OP_PING, false,
				      bytes_of(data, len));
}

int ses_session_send_close(struct sesame_session *s, uint16_t code,
			   struct bytes reason)
{
	uint8_t body[SES_CONTROL_MAX];
	size_t len = code ? 2 + reason.len : 0;
	int error;

	assert(len <= sizeof(body));
	if (s->close_sent)
		return SESAME_ECLOSED;
	if (code) {
		body[0] = (uint8_t)(code >> 8);
		body[1] = (uint8_t)code;
		if (reason.len)
			memcpy(body + 2, reason.data, reason.len);
	}
	error = ses_session_send_frame(s, SES_OP_CLOSE, false,
				       bytes_of(body, len));
	s->close_sent = error == 0;
	return error;
}

int sesame_session_close(struct sesame_session *s, uint16_t code,
			 const char *reason, size_t reason_len)
{
	struct bytes text = bytes_of(reason, reason_len);

	if (!can_send(s))
		return SESAME_ECLOSED;
	if (reason_len > SES_CONTROL_MAX - 2 || !ses_utf8_valid(text))
		return SESAME_EINVAL;
	if (code ? !ses_close_code_valid(code) : reason_len > 0)
		return SESAME_EINVAL;
	return ses_session_send_close(s, code, text);
}

int ses_session_frame(struct ses_buf *out, enum sesame_kind kind,
		      struct bytes payload)
{
	struct ses_frame frame = {
		.fin = true, .opcode = kind, .payload_len = payload.len};
	uint8_t head[SES_FRAME_HEAD_MAX];
	size_t n = ses_frame_encode(&frame, head), had = ses_buf_len(out);
	int error = ses_buf_append(out, bytes_of(head, n));

	if (!error)
		error = ses_buf_append(out, payload);
	if (error)
		out->end -= ses_buf_len(out) - had; /* all or nothing */
	return error;
}
