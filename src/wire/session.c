/* SPDX-License-Identifier: MIT */
/*
 * The session: frames to messages and back (RFC 6455 sections 5 to 7, RFC 7692
 * section 7.2). One function per state, in a table. A frame that lies whole in
 * the input is unmasked there and handed over without a copy; only what comes
 * in part is kept, in one buffer that grows with the bytes that arrived, never
 * with those that were announced. Callbacks may call back, so before each the
 * session is brought to where the next frame would find it.
 *
 * Here are its beginning, its end, headers, and what lies whole in the input;
 * session_part.c has what comes in part, session_send.c what is sent.
 */
#include "wire/session_inner.h"

#include "base/list.h"
#include "wire/close.h"
#include "wire/deflate.h"
#include "wire/mask.h"

#include <stdlib.h>

#define DEFAULT_MAX_MESSAGE  (16u << 20)
#define DEFAULT_DEFLATE_FROM 64
/*
 * A kilobyte that was compressed can be a megabyte of work. So it is taken in
 * steps, and after so many bytes of work others have a turn.
 */
#define INFLATE_TURN (256 * 1024)

static int read_head(struct sesame_session *s, struct ses_span *in);

static int (*const states[])(struct sesame_session *s, struct ses_span *in) = {
	[SES_STATE_HEAD] = read_head,
	[SES_STATE_DATA] = ses_session_read_data,
	[SES_STATE_CONTROL] = ses_session_read_control,
};

/* ---- what is there only while it is needed ---- */

struct ses_session_work *ses_session_need_work(struct sesame_session *s)
{
	if (s->work)
		return s->work;
	s->work = calloc(1, sizeof(*s->work));
	if (s->work)
		ses_buf_init(&s->work->message, s->terms->max_message);
	return s->work;
}

void ses_session_free_work(struct sesame_session *s)
{
	struct ses_session_work *w = s->work;

	s->work = NULL;
	if (!w)
		return;
	ses_buf_fini(&w->message);
	ses_inflate_free(w->inflate);
	ses_deflate_free(w->deflate);
	free(w);
}

/* ---- input ---- */

int ses_session_feed_some(struct sesame_session *s, uint8_t *data, size_t len,
			  size_t *ret_used)
{
	struct ses_span in = {data, len};
	int error = 0;

	*ret_used = len;
	if (s->over)
		return SESAME_ECLOSED;
	if (s->work)
		s->work->inflated = 0;
	while (in.len && !s->over && !error &&
	       ses_session_inflated(s) < INFLATE_TURN)
		error = states[s->state](s, &in);
	if (!s->over && !error)
		*ret_used = len - in.len;
	ses_session_tidy(s);
	return error;
}

int sesame_session_feed(struct sesame_session *s, uint8_t *data, size_t len)
{
	size_t at = 0, used;
	int error;

	do {
		error = ses_session_feed_some(s, data + at, len - at, &used);
		at += used;
	} while (!error && at < len);
	return error;
}

/* ---- birth and death ---- */

static uint8_t window_bits(uint8_t bits)
{
	return bits >= 8 && bits <= 15 ? bits : 15;
}

static void agree_deflate(struct sesame_session *s,
			  const struct sesame_deflate *d)
{
	uint8_t server_bits = window_bits(d->server_max_window_bits);
	uint8_t client_bits = window_bits(d->client_max_window_bits);
	bool server_takeover = !d->server_no_context_takeover;
	bool client_takeover = !d->client_no_context_takeover;
	bool server = s->terms->role == SESAME_SERVER;

	s->deflate_on = d->on;
	s->in_bits = server ? client_bits : server_bits;
	s->out_bits = server ? server_bits : client_bits;
	s->in_takeover = server ? client_takeover : server_takeover;
	s->out_takeover = server ? server_takeover : client_takeover;
}

/* So far below SIZE_MAX that no header or control frame added to it wraps. */
static size_t bounded_limit(size_t max_message)
{
	return max_message < SIZE_MAX / 2 ? max_message : SIZE_MAX / 2;
}

struct ses_session_terms
ses_session_terms_of(const struct sesame_session_settings *settings,
		     const struct sesame_session_events *events)
{
	size_t max = settings->max_message, from = settings->deflate_from;

	from = from ? from : DEFAULT_DEFLATE_FROM;
	return (struct ses_session_terms){
		.events = events,
		.max_message = bounded_limit(max ? max : DEFAULT_MAX_MESSAGE),
		.deflate_from = from < UINT32_MAX ? (uint32_t)from : UINT32_MAX,
		.role = settings->role,
	};
}

void ses_session_init(struct sesame_session *s,
		      const struct ses_session_terms *terms,
		      const struct sesame_deflate *deflate, void *user)
{
	*s = (struct sesame_session){.terms = terms, .user = user};
	agree_deflate(s, deflate);
}

void ses_session_fini(struct sesame_session *s)
{
	ses_session_free_work(s);
	s->over = true;
}

/* One that was not made by a connection, with terms of its own. */
struct lone_session {
	struct sesame_session session;
	struct ses_session_terms terms;
};

struct sesame_session *
sesame_session_new(const struct sesame_session_settings *settings,
		   const struct sesame_session_events *events, void *user)
{
	struct lone_session *lone = malloc(sizeof(*lone));

	if (!lone)
		return NULL;
	lone->terms = ses_session_terms_of(settings, events);
	ses_session_init(&lone->session, &lone->terms, &settings->deflate, user);
	return &lone->session;
}

void sesame_session_free(struct sesame_session *s)
{
	if (!s)
		return;
	ses_session_fini(s);
	free(ses_container_of(s, struct lone_session, session));
}

bool sesame_session_is_over(const struct sesame_session *s)
{
	return s->over;
}

/* ---- the end ---- */

/* Nothing is told after this. Returns @error, for the caller to return. */
static int end(struct sesame_session *s, uint16_t code, struct bytes reason,
	       bool clean, int error)
{
	const char *fault = s->fault ? ses_fault_row(s->fault)->sentence : NULL;

	s->over = true;
	if (s->work)
		ses_buf_release(&s->work->message);
	if (s->terms->events->close)
		s->terms->events->close(s->user, code, (const char *)reason.data,
					reason.len, clean, fault);
	return error;
}

int ses_session_fail(struct sesame_session *s, enum ses_fault fault)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	const char *reason = row->sentence;
	char words[SES_REASON_SIZE];

	if (s->terms->say_fault) {
		s->terms->say_fault(s->user, fault, words);
		reason = words;
	}
	s->fault = (uint8_t)fault;
	ses_session_send_close(s, (uint16_t)row->close_code,
			       bytes_of_str(reason));
	return end(s, (uint16_t)row->close_code, BYTES(""), false,
		   SESAME_EPROTO);
}

int ses_session_give_up(struct sesame_session *s)
{
	ses_session_send_close(s, 1011, BYTES("out of memory"));
	return end(s, 1011, BYTES(""), false, SESAME_ENOMEM);
}

/* ---- frame headers ---- */

static bool is_control(uint8_t opcode)
{
	return opcode & 8;
}

/* Rules on reserved bits: only RSV1, to mark a compressed message's start. */
static bool reserved_bits_allowed(const struct sesame_session *s,
				  const struct ses_frame *frame)
{
	bool starts_message =
		frame->opcode == SES_OP_TEXT || frame->opcode == SES_OP_BINARY;

	return !frame->rsv2 && !frame->rsv3 &&
	       (!frame->rsv1 || (s->deflate_on && starts_message));
}

/*
 * Whether the announced payload can fit. A compressed one is bounded while it
 * inflates; here only what could not come from any compressor is turned away.
 */
static bool fits(const struct sesame_session *s, const struct ses_frame *frame)
{
	size_t max = s->terms->max_message;

	if (frame->rsv1 ||
	    (frame->opcode == SES_OP_CONTINUATION && s->work->compressed))
		return frame->payload_len / 2 <= max + 512;
	return frame->payload_len <= max - ses_session_gathered(s);
}

/* What a header gets wrong here and now. */
static enum ses_fault check_frame(const struct sesame_session *s,
				  const struct ses_frame *frame)
{
	if (!reserved_bits_allowed(s, frame))
		return SES_FAULT_RSV;
	if (frame->masked != (s->terms->role == SESAME_SERVER))
		return frame->masked ? SES_FAULT_MASKED : SES_FAULT_UNMASKED;
	if (is_control(frame->opcode))
		return SES_FAULT_NONE;
	if (frame->opcode == SES_OP_CONTINUATION && !s->kind)
		return SES_FAULT_CONTINUATION_ALONE;
	if (frame->opcode != SES_OP_CONTINUATION && s->kind)
		return SES_FAULT_MESSAGE_INSIDE_MESSAGE;
	return fits(s, frame) ? SES_FAULT_NONE : SES_FAULT_MESSAGE_TOO_BIG;
}

/* What is left is less than a header. Returns 0 or an error. */
static int keep_head(struct sesame_session *s, struct ses_span *in)
{
	struct ses_session_work *w = ses_session_need_work(s);

	if (!w)
		return ses_session_give_up(s);
	memcpy(w->head + w->head_len, in->data, in->len);
	w->head_len += (uint8_t)in->len;
	ses_span_skip(in, in->len);
	return 0;
}

/*
 * Decode a header from the input, or, when it came in part, from where its bytes
 * are gathered. Returns 1 with *ret_frame, 0 when more is needed, or an error.
 */
static int take_head(struct sesame_session *s, struct ses_span *in,
		     struct ses_frame *ret_frame)
{
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_session_work *w = s->work;
	size_t had = w ? w->head_len : 0, n = SES_FRAME_HEAD_MAX - had;
	struct bytes head = bytes_of(in->data, in->len);
	int used;

	if (had) {
		n = n < in->len ? n : in->len;
		memcpy(w->head + had, in->data, n);
		head = bytes_of(w->head, had + n);
	}
	used = ses_frame_decode(head, ret_frame, &fault);
	if (used < 0)
		return ses_session_fail(s, fault);
	if (used == 0)
		return keep_head(s, in);
	if (had)
		w->head_len = 0;
	ses_span_skip(in, (size_t)used - had);
	return 1;
}

/* The work's utf8 stands between characters: no text ends anywhere else. */
static void begin_message(struct sesame_session *s,
			  const struct ses_frame *frame)
{
	if (frame->opcode == SES_OP_CONTINUATION)
		return;
	s->kind = frame->opcode;
	s->work->compressed = frame->rsv1;
}

static int begin_frame(struct sesame_session *s, const struct ses_frame *frame)
{
	struct ses_session_work *w = ses_session_need_work(s);

	if (!w)
		return ses_session_give_up(s);
	w->opcode = frame->opcode;
	w->payload_left = frame->payload_len;
	w->mask_at = 0;
	memcpy(w->mask, frame->mask, sizeof(w->mask));
	if (is_control(frame->opcode)) {
		s->state = SES_STATE_CONTROL;
		return 0;
	}
	s->state = SES_STATE_DATA;
	w->fin = frame->fin;
	begin_message(s, frame);
	return 0;
}

/*
 * A plain message that is all here, behind a header that took the long way, or
 * a control frame that is.
 */
static bool is_whole(const struct ses_frame *frame, struct ses_span in)
{
	return frame->fin && !frame->rsv1 && frame->payload_len <= in.len &&
	       frame->opcode != SES_OP_CONTINUATION;
}

/* ---- control frames ---- */

static int take_close(struct sesame_session *s, struct bytes body)
{
	enum ses_fault fault = SES_FAULT_NONE;
	struct bytes reason;
	bool both;
	uint16_t code;

	if (ses_close_parse(body, &code, &reason, &fault) != 0)
		return ses_session_fail(s, fault);
	s->close_received = true;
	/* the reply carries the peer's code, or none as the peer did */
	both = s->close_sent ||
	       ses_session_send_close(s, code == SES_CLOSE_NONE ? 0 : code,
				      BYTES("")) == 0;
	return end(s, code, reason, both, 0);
}

static int take_ping(struct sesame_session *s, struct bytes body)
{
	/* A pong that finds no room is dropped: the next ping asks again. */
	if (!s->close_sent)
		ses_session_send_frame(s, SES_OP_PONG, false, body);
	if (s->terms->events->ping)
		s->terms->events->ping(s->user, body.data, body.len);
	return 0;
}

static int take_pong(struct sesame_session *s, struct bytes body)
{
	if (s->terms->events->pong)
		s->terms->events->pong(s->user, body.data, body.len);
	return 0;
}

int ses_session_take_control(struct sesame_session *s, uint8_t opcode,
			     struct bytes body)
{
	switch (opcode) {
	case SES_OP_CLOSE:
		return take_close(s, body);
	case SES_OP_PING:
		return take_ping(s, body);
	default:
		return take_pong(s, body);
	}
}

/* ---- messages that are whole ---- */

static inline int read_payload(struct sesame_session *s, uint8_t kind,
			       uint8_t *data, size_t len, const uint8_t *mask)
{
	if (mask)
		ses_mask_whole(data, len, mask);
	if (kind == SES_OP_TEXT && !ses_utf8_valid(bytes_of(data, len)))
		return ses_session_fail(s, SES_FAULT_UTF8);
	ses_session_tell(s, kind, data, len);
	return 0;
}

/*
 * Messages of up to 64 KiB, each in one frame and all here, are most of all
 * traffic, and they come in rows: their headers are read without a detour. It
 * stops at whatever is unusual, for the long way to judge; one that is wrong is
 * that, too.
 */
static int read_plain_messages(struct sesame_session *s, struct ses_span *in)
{
	const struct ses_session_terms *terms = s->terms;
	const uint8_t masked =
		terms->role == SESAME_SERVER ? SES_FRAME_MASKED : 0;
	const size_t mask = masked ? 4 : 0;
	int error = 0;

	while (in->len >= 4 && !error && !s->over) {
		uint8_t *head = in->data;
		uint8_t kind = head[0] ^ SES_FRAME_FIN;
		size_t len = head[1] ^ masked, head_len = 2 + mask;

		if (len == SES_FRAME_SHORT + 1) {
			len = (size_t)head[2] << 8 | head[3];
			head_len += 2;
			if (len <= SES_FRAME_SHORT)
				break;
		} else if (len > SES_FRAME_SHORT) {
			break;
		}
		if ((kind != SES_OP_TEXT && kind != SES_OP_BINARY) ||
		    in->len < head_len || len > in->len - head_len ||
		    len > terms->max_message)
			break;
		ses_span_skip(in, head_len + len);
		error = read_payload(s, kind, head + head_len, len,
				     masked ? head + head_len - 4 : NULL);
	}
	return error;
}

/* A frame that is_whole(), without a stop on the way. */
static int read_whole(struct sesame_session *s, const struct ses_frame *frame,
		      struct ses_span *in)
{
	size_t len = (size_t)frame->payload_len;
	const uint8_t *mask = frame->masked ? frame->mask : NULL;
	uint8_t *data = in->data;

	ses_span_skip(in, len);
	if (!is_control(frame->opcode))
		return read_payload(s, frame->opcode, data, len, mask);
	if (mask)
		ses_mask_whole(data, len, mask);
	return ses_session_take_control(s, frame->opcode, bytes_of(data, len));
}

static int read_head(struct sesame_session *s, struct ses_span *in)
{
	struct ses_frame frame;
	enum ses_fault fault;
	int taken;

	if (!s->kind && !(s->work && s->work->head_len)) {
		taken = read_plain_messages(s, in);
		if (taken < 0 || s->over || !in->len)
			return taken;
	}
	taken = take_head(s, in, &frame);
	if (taken <= 0)
		return taken;
	fault = check_frame(s, &frame);
	if (fault)
		return ses_session_fail(s, fault);
	if (is_whole(&frame, *in))
		return read_whole(s, &frame, in);
	taken = begin_frame(s, &frame);
	/* an empty frame has no byte that could call its state */
	if (taken == 0 && frame.payload_len == 0)
		return states[s->state](s, in);
	return taken;
}
