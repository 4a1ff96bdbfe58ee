/* SPDX-License-Identifier: MIT */
/*
 * What comes after a 101? Many refusals do: a close frame, a cut, bytes that
 * are no frames, a message and then the end. The connection is held open for a
 * while and watched, and then ended in good order. Where the protocol inside
 * has the client begin, its first message is said (hello.h): what waits for
 * that would refuse nobody, and end what stays silent.
 */
#include "doctor/probe_inner.h"

#include <stdlib.h>

#include "doctor/hello.h"
#include "doctor/redact.h"

#define SESSION_MS 150 /* a session is known at once, or not at all */
#define PARTING_MS 300 /* for the peer's close frame */

/* ---- the protocol inside ---- */

static void find_engine(struct probing *x, struct bytes message)
{
	const struct ses_url *url = &x->request.url;

	if (x->greeted || x->p->hello || !doctor_is_engine_greeting(message))
		return;
	x->greeted = true;
	x->p->hello = DOCTOR_HELLO_SOCKETIO;
	x->p->hello_due = doctor_wants_connect(url->path, url->query);
}

/* Packets of MQTT go over the ends of messages ([MQTT-6.0.0-2]). */
static struct bytes gather(struct probing *x, struct bytes message)
{
	size_t room = sizeof(x->stream_head) - x->stream_len;
	struct bytes more = bytes_first(message, room);

	if (!doctor_hello_is_stream(x->p->hello))
		return message;
	if (more.len)
		memcpy(x->stream_head + x->stream_len, more.data, more.len);
	x->stream_len += more.len;
	return bytes_of(x->stream_head, x->stream_len);
}

/* Socket.IO: an event of the application, where it tells what it has to tell. */
static bool is_event(const struct doctor_probe *p, struct bytes message)
{
	return p->hello == DOCTOR_HELLO_SOCKETIO &&
	       bytes_starts(message, BYTES("42"));
}

/* What was told behind the greeting is what a disconnect is about. */
static bool has_told(const struct doctor_probe *p, struct bytes message)
{
	return bytes_equal(message, BYTES("41")) &&
	       bytes_starts(bytes_of_str(p->first_message), BYTES("42"));
}

/* A refusal is put in the place of the greeting: there is room for one. */
static struct bytes hear_inside(struct probing *x, struct bytes message,
				char *text, size_t size)
{
	struct doctor_probe *p = x->p;
	struct bytes said;

	find_engine(x, message);
	x->says_pong = x->greeted && bytes_equal(message, BYTES("2"));
	said = gather(x, message);
	if (doctor_hello_welcomes(p->hello, said))
		p->hello_welcomed = true;
	if (is_event(p, message) &&
	    !bytes_starts(bytes_of_str(p->first_message), BYTES("42")))
		p->first_message[0] = 0;
	if (p->hello_refused ||
	    !doctor_hello_refuses(p->hello, said, text, size))
		return message;
	p->hello_refused = true;
	if (!has_told(p, message))
		p->first_message[0] = 0;
	return *text ? bytes_of_str(text) : message;
}

static void say(struct probing *x, bool binary, struct bytes message)
{
	sesame_session_send(&x->session, binary ? SESAME_BINARY : SESAME_TEXT,
			    message.data, message.len);
}

/* What is due: never from within the session's own events. */
static void speak(struct probing *x)
{
	struct doctor_probe *p = x->p;
	uint8_t message[DOCTOR_HELLO_BYTES];
	bool binary = false;
	size_t len;

	if (x->stage == WATCHING && p->hello_due && !p->hello_said &&
	    !x->c->no_hello) {
		len = doctor_hello_write(p->hello, x->request.url.host,
					 ses_random32(), message, &binary);
		if (len)
			say(x, binary, bytes_of(message, len));
		p->hello_said = len > 0;
	}
	if (x->stage == WATCHING && x->says_pong && !x->c->no_hello)
		say(x, false, BYTES("3"));
	x->says_pong = false;
}

/* ---- what comes ---- */

static void on_message(void *user, enum sesame_kind kind, uint8_t *data,
		       size_t len)
{
	struct probing *x = user;
	struct doctor_probe *p = x->p;
	char text[64];
	struct bytes message =
		hear_inside(x, bytes_of(data, len), text, sizeof(text));
	size_t used = strlen(p->first_message), left;

	p->told_ms = doctor_now_ms() - x->opened_ms;
	left = sizeof(p->first_message) - used;
	if (used && left > 2) { /* a refusal may follow a greeting */
		p->first_message[used++] = ' ';
		left--;
	}
	if (left > 1)
		doctor_redact(x->c, message, p->first_message + used, left);
}

static void on_close(void *user, uint16_t code, const char *reason,
		     size_t reason_len, bool clean, const char *fault)
{
	struct probing *x = user;
	struct doctor_probe *p = x->p;

	if (x->stage != WATCHING)
		return;
	p->open_ms = doctor_now_ms() - x->opened_ms;
	if (fault) {
		p->outcome = DOCTOR_BAD_FRAME;
		p->error = SESAME_EPROTO;
		p->fault = x->session.fault;
	} else {
		p->outcome = DOCTOR_CLOSED_AFTER;
		p->close_code = code;
		doctor_redact(x->c, bytes_of(reason, reason_len),
			      p->close_reason, sizeof(p->close_reason));
	}
	x->stage = PARTING;
}

static uint8_t *on_output(void *user, size_t len)
{
	struct probing *x = user;
	uint8_t *room = ses_buf_room(&x->out, len);

	if (room)
		ses_buf_commit(&x->out, len);
	return room;
}

static uint32_t on_mask(void *user)
{
	return ses_random32();
}

static const struct sesame_session_events session_events = {
	.message = on_message,
	.close = on_close,
	.output = on_output,
	.mask = on_mask,
};

static void flush(struct probing *x)
{
	struct bytes frames = ses_buf_bytes(&x->out);

	if (frames.len == 0)
		return;
	if (x->request.h2) {
		doctor_h2_send(&x->h2, frames);
		doctor_flush_h2(x);
	} else {
		ses_stream_send(x->stream, frames);
	}
	ses_buf_consume(&x->out, frames.len);
}

/* A relay may say 101 itself and pass on the refusal of who is behind. */
static void keep_refusal(struct doctor_probe *p, struct bytes data)
{
	if (p->body || !bytes_starts(data, BYTES("HTTP/1.")))
		return;
	data = bytes_first(data, BODY_BYTES);
	p->body = malloc(data.len);
	if (!p->body)
		return;
	memcpy(p->body, data.data, data.len);
	p->body_len = data.len;
}

void doctor_take_frames(struct probing *x, uint8_t *data, size_t len)
{
	bool parted = x->stage == PARTING;

	if (!parted)
		keep_refusal(x->p, bytes_of(data, len));

	sesame_session_feed(&x->session, data, len);
	speak(x);
	flush(x);
	if (parted && sesame_session_is_over(&x->session))
		doctor_finish(x);
	else if (!parted && x->stage == PARTING) /* the peer closed */
		doctor_wait_for(x, PARTING_MS, doctor_finish);
}

void doctor_cut(struct probing *x, int error)
{
	x->p->open_ms = doctor_now_ms() - x->opened_ms;
	x->p->cut = true;
	doctor_conclude(x, DOCTOR_CUT_AFTER, error ? error : SESAME_ECLOSED);
}

/* It stayed open as long as it was watched: say good-bye. */
static void part(struct probing *x)
{
	x->p->outcome = DOCTOR_OPEN;
	x->p->open_ms = doctor_now_ms() - x->opened_ms;
	x->stage = PARTING;
	sesame_session_close(&x->session, 1000, NULL, 0);
	flush(x);
	doctor_wait_for(x, PARTING_MS, doctor_finish);
}

static double hold_ms(const struct probing *x)
{
	if (x->p->trial.change == DOCTOR_HOLD)
		return strtod(x->p->trial.value, NULL) * 1000;
	if (x->p->trial.change == DOCTOR_SESSION)
		return SESSION_MS;
	return x->c->hold_ms ? x->c->hold_ms : DOCTOR_HOLD_MS;
}

void doctor_watch(struct probing *x, const struct sesame_deflate *deflate)
{
	static const struct sesame_session_settings settings = {
		.role = SESAME_CLIENT};
	struct bytes early = ses_buf_bytes(&x->in);

	x->terms = ses_session_terms_of(&settings, &session_events);
	ses_session_init(&x->session, &x->terms, deflate, x);
	x->has_session = true;
	x->stage = WATCHING;
	x->opened_ms = doctor_now_ms();
	doctor_wait_for(x, hold_ms(x), part);
	x->p->hello = doctor_hello_of(x->p->subprotocol);
	x->p->hello_due = x->p->hello != DOCTOR_NO_HELLO && !x->request.h2;
	speak(x);
	flush(x);
	if (early.len > 0)
		doctor_take_frames(x, (uint8_t *)early.data, early.len);
}
