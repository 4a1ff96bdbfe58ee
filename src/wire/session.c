/* SPDX-License-Identifier: MIT */
/*
 * The session: frames to messages and back (RFC 6455 sections 5 to 7, RFC 7692
 * section 7.2). One function per state, in a table. A frame that lies whole in
 * the input is unmasked there and handed over without a copy; only what comes
 * in part is kept, in one buffer that grows with the bytes that arrived, never
 * with those that were announced. Callbacks may call back, so before each the
 * session is brought to where the next frame would find it.
 */
#include "wire/session.h"

#include "base/list.h"
#include "wire/close.h"
#include "wire/deflate.h"
#include "wire/mask.h"

#include <sesame/error.h>

#include <assert.h>
#include <stdlib.h>

#define DEFAULT_MAX_MESSAGE  (16u << 20)
#define DEFAULT_DEFLATE_FROM 64
/* Direct receiving begins when this much is still to come of a frame ... */
#define ROOM_WORTH_IT 16384
/* ... and this much has come, which bounds what is taken ahead of the bytes. */
#define ROOM_EARNED 4096
/*
 * A kilobyte that was compressed can be a megabyte of work. So it is taken in
 * steps of so many bytes, and after so many bytes of work others have a turn.
 */
#define INFLATE_STEP 512
#define INFLATE_TURN (256 * 1024)

/* Input, used up from the front and unmasked where it lies. */
struct span {
	uint8_t *data;
	size_t len;
};

enum { STATE_HEAD, STATE_DATA, STATE_CONTROL };

static int read_head(struct sesame_session *s, struct span *in);
static int read_data(struct sesame_session *s, struct span *in);
static int read_control(struct sesame_session *s, struct span *in);

static int (*const states[])(struct sesame_session *s, struct span *in) = {
	[STATE_HEAD] = read_head,
	[STATE_DATA] = read_data,
	[STATE_CONTROL] = read_control,
};

/* ---- what is there only while it is needed ---- */

/* NULL: no memory. */
static struct ses_session_work *need_work(struct sesame_session *s)
{
	if (s->work)
		return s->work;
	s->work = calloc(1, sizeof(*s->work));
	if (s->work)
		ses_buf_init(&s->work->message, s->terms->max_message);
	return s->work;
}

static void free_work(struct sesame_session *s)
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

/* Between messages, and without a compressor's memory of them, it is nothing. */
static inline void drop_idle_work(struct sesame_session *s)
{
	const struct ses_session_work *w = s->work;

	if (w && s->state == STATE_HEAD && !s->kind && !w->head_len &&
	    !w->inflate && !w->deflate)
		free_work(s);
}

/* Bytes of the present message. */
static size_t gathered(const struct sesame_session *s)
{
	return s->work ? ses_buf_len(&s->work->message) : 0;
}

/* ---- input ---- */

int ses_session_feed_some(struct sesame_session *s, uint8_t *data, size_t len,
			  size_t *ret_used)
{
	struct span in = {data, len};
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
	drop_idle_work(s);
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
	free_work(s);
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

static int send_close(struct sesame_session *s, uint16_t code,
		      struct bytes reason);

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

/* The peer broke a rule: tell it which by code and sentence, and end. */
static int fail(struct sesame_session *s, enum ses_fault fault)
{
	const struct ses_fault_row *row = ses_fault_row(fault);

	s->fault = (uint8_t)fault;
	send_close(s, (uint16_t)row->close_code, bytes_of_str(row->sentence));
	return end(s, (uint16_t)row->close_code, BYTES(""), false,
		   SESAME_EPROTO);
}

/* Out of memory is nobody's fault, but the message is lost. */
static int give_up(struct sesame_session *s)
{
	send_close(s, 1011, BYTES("out of memory"));
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
	return frame->payload_len <= max - gathered(s);
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

static void skip(struct span *in, size_t n)
{
	in->data += n;
	in->len -= n;
}

/* What is left is less than a header. Returns 0 or an error. */
static int keep_head(struct sesame_session *s, struct span *in)
{
	struct ses_session_work *w = need_work(s);

	if (!w)
		return give_up(s);
	memcpy(w->head + w->head_len, in->data, in->len);
	w->head_len += (uint8_t)in->len;
	skip(in, in->len);
	return 0;
}

/*
 * Decode a header from the input, or, when it came in part, from where its bytes
 * are gathered. Returns 1 with *ret_frame, 0 when more is needed, or an error.
 */
static int take_head(struct sesame_session *s, struct span *in,
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
		return fail(s, fault);
	if (used == 0)
		return keep_head(s, in);
	if (had)
		w->head_len = 0;
	skip(in, (size_t)used - had);
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
	struct ses_session_work *w = need_work(s);

	if (!w)
		return give_up(s);
	w->opcode = frame->opcode;
	w->payload_left = frame->payload_len;
	w->mask_at = 0;
	memcpy(w->mask, frame->mask, sizeof(w->mask));
	if (is_control(frame->opcode)) {
		s->state = STATE_CONTROL;
		return 0;
	}
	s->state = STATE_DATA;
	w->fin = frame->fin;
	begin_message(s, frame);
	return 0;
}

/*
 * A plain message that is all here, behind a header that took the long way, or
 * a control frame that is.
 */
static bool is_whole(const struct ses_frame *frame, struct span in)
{
	return frame->fin && !frame->rsv1 && frame->payload_len <= in.len &&
	       frame->opcode != SES_OP_CONTINUATION;
}

/* ---- messages that are whole ---- */

static inline void tell_message(struct sesame_session *s, uint8_t kind,
				uint8_t *data, size_t len)
{
	const struct sesame_session_events *events = s->terms->events;

	if (events->message)
		events->message(s->user, (enum sesame_kind)kind, data, len);
}

static int take_control(struct sesame_session *s, uint8_t opcode,
			struct bytes body);

static inline int read_payload(struct sesame_session *s, uint8_t kind,
			       uint8_t *data, size_t len, const uint8_t *mask)
{
	if (mask)
		ses_mask_whole(data, len, mask);
	if (kind == SES_OP_TEXT && !ses_utf8_valid(bytes_of(data, len)))
		return fail(s, SES_FAULT_UTF8);
	tell_message(s, kind, data, len);
	return 0;
}

/*
 * Messages of up to 64 KiB, each in one frame and all here, are most of all
 * traffic, and they come in rows: their headers are read without a detour. It
 * stops at whatever is unusual, for the long way to judge; one that is wrong is
 * that, too.
 */
static int read_plain_messages(struct sesame_session *s, struct span *in)
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
		skip(in, head_len + len);
		error = read_payload(s, kind, head + head_len, len,
				     masked ? head + head_len - 4 : NULL);
	}
	return error;
}

/* A frame that is_whole(), without a stop on the way. */
static int read_whole(struct sesame_session *s, const struct ses_frame *frame,
		      struct span *in)
{
	size_t len = (size_t)frame->payload_len;
	const uint8_t *mask = frame->masked ? frame->mask : NULL;
	uint8_t *data = in->data;

	skip(in, len);
	if (!is_control(frame->opcode))
		return read_payload(s, frame->opcode, data, len, mask);
	if (mask)
		ses_mask_whole(data, len, mask);
	return take_control(s, frame->opcode, bytes_of(data, len));
}

static int read_head(struct sesame_session *s, struct span *in)
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
		return fail(s, fault);
	if (is_whole(&frame, *in))
		return read_whole(s, &frame, in);
	taken = begin_frame(s, &frame);
	/* an empty frame has no byte that could call its state */
	if (taken == 0 && frame.payload_len == 0)
		return states[s->state](s, in);
	return taken;
}

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
		return give_up(s);
	/* What came before the error is looked at first: it came first. */
	if (!check_text(s, had))
		return fail(s, SES_FAULT_UTF8);
	if (error == SESAME_ELIMIT)
		return fail(s, SES_FAULT_MESSAGE_TOO_BIG);
	if (error)
		return fail(s, SES_FAULT_DEFLATE_DATA);
	return 0;
}

static int finish_message(struct sesame_session *s)
{
	struct ses_buf message = s->work->message;
	uint8_t kind = s->kind, nothing[1];

	if (kind == SESAME_TEXT && !ses_utf8_done(&s->work->utf8))
		return fail(s, SES_FAULT_UTF8);
	/* The callback gets the old buffer while the session has a new one. */
	ses_buf_init(&s->work->message, s->terms->max_message);
	s->kind = 0;
	tell_message(s, kind, message.data ? message.data : nothing,
		     ses_buf_len(&message));
	ses_buf_fini(&message);
	return 0;
}

static int finish_frame(struct sesame_session *s)
{
	s->state = STATE_HEAD;
	return s->work->fin ? finish_message(s) : 0;
}

/* Bytes of the input that belong to the present frame. */
static size_t present(const struct sesame_session *s, const struct span *in)
{
	uint64_t left = s->work->payload_left;

	return in->len < left ? in->len : (size_t)left;
}

static int read_data(struct sesame_session *s, struct span *in)
{
	size_t n = present(s, in);
	struct bytes part;
	int error;

	if (s->work->compressed && n > INFLATE_STEP)
		n = INFLATE_STEP;
	part = bytes_of(in->data, n);
	unmask(s, in->data, n);
	skip(in, n);
	error = take_payload(s, part);
	if (error || s->work->payload_left)
		return error;
	return finish_frame(s);
}

/* ---- receiving directly ---- */

uint8_t *ses_session_room(struct sesame_session *s, size_t *ret_len)
{
	struct ses_session_work *w = s->work;
	size_t had = gathered(s), n;
	uint8_t *room;

	if (s->over || s->state != STATE_DATA || w->compressed ||
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
		return fail(s, SES_FAULT_UTF8);
	return w->payload_left ? 0 : finish_frame(s);
}

int ses_session_filled(struct sesame_session *s, size_t n)
{
	int error;

	if (s->over)
		return SESAME_ECLOSED;
	error = take_filled(s, n);
	drop_idle_work(s);
	return error;
}

/* ---- control frames ---- */

static int send_frame(struct sesame_session *s, uint8_t opcode, bool rsv1,
		      struct bytes payload);

static int take_close(struct sesame_session *s, struct bytes body)
{
	enum ses_fault fault = SES_FAULT_NONE;
	struct bytes reason;
	bool both;
	uint16_t code;

	if (ses_close_parse(body, &code, &reason, &fault) != 0)
		return fail(s, fault);
	s->close_received = true;
	/* the reply carries the peer's code, or none as the peer did */
	both = s->close_sent ||
	       send_close(s, code == SES_CLOSE_NONE ? 0 : code, BYTES("")) == 0;
	return end(s, code, reason, both, 0);
}

static int take_ping(struct sesame_session *s, struct bytes body)
{
	/* A pong that finds no room is dropped: the next ping asks again. */
	if (!s->close_sent)
		send_frame(s, SES_OP_PONG, false, body);
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

static int take_control(struct sesame_session *s, uint8_t opcode,
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
	return take_control(s, s->work->opcode, bytes_of(body, len));
}

static int gather_control(struct sesame_session *s, struct bytes part)
{
	struct ses_session_work *w = s->work;

	w->message.limit = s->terms->max_message + SES_CONTROL_MAX;
	w->control_len += (uint8_t)part.len;
	return ses_buf_append(&w->message, part) == 0 ? 0 : give_up(s);
}

static int read_control(struct sesame_session *s, struct span *in)
{
	struct ses_session_work *w = s->work;
	size_t n = present(s, in), had = w->control_len;
	struct bytes part = bytes_of(in->data, n);
	int error;

	unmask(s, in->data, n);
	skip(in, n);
	error = gather_control(s, part);
	if (error || w->payload_left)
		return error;
	s->state = STATE_HEAD;
	w->control_len = 0;
	return finish_gathered(s, had + n);
}

/* ---- sending ---- */

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

static int send_frame(struct sesame_session *s, uint8_t opcode, bool rsv1,
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
	w = need_work(s);
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
		error = send_frame(s, opcode, smaller,
				   smaller ? ses_buf_bytes(&out) : payload);
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
	return send_frame(s, kind, false, payload);
}

int sesame_session_ping(struct sesame_session *s, const void *data, size_t len)
{
	if (!can_send(s))
		return SESAME_ECLOSED;
	if (len > SES_CONTROL_MAX)
		return SESAME_EINVAL;
	return send_frame(s, SES_OP_PING, false, bytes_of(data, len));
}

/* Send a close frame, once; @code 0 sends none. */
static int send_close(struct sesame_session *s, uint16_t code,
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
	error = send_frame(s, SES_OP_CLOSE, false, bytes_of(body, len));
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
	return send_close(s, code, text);
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
