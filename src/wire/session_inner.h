/* SPDX-License-Identifier: MIT */
/* What wire/session.c, which leads, session_part.c and session_send.c share. */
#ifndef WIRE_SESSION_INNER_H
#define WIRE_SESSION_INNER_H

#include "wire/session.h"

#include <sesame/error.h>

/* Input, used up from the front and unmasked where it lies. */
struct ses_span {
	uint8_t *data;
	size_t len;
};

static inline void ses_span_skip(struct ses_span *in, size_t n)
{
	in->data += n;
	in->len -= n;
}

/*
 * The states: each reads what it can of the input. 0, or the error that ended
 * the session.
 */
enum { SES_STATE_HEAD, SES_STATE_DATA, SES_STATE_CONTROL };

int ses_session_read_data(struct sesame_session *s, struct ses_span *in);
int ses_session_read_control(struct sesame_session *s, struct ses_span *in);

/* ---- what is there only while it is needed ---- */

/* NULL: no memory. */
struct ses_session_work *ses_session_need_work(struct sesame_session *s);
void ses_session_free_work(struct sesame_session *s);

/* Between messages, and without a compressor's memory of them, it is nothing. */
static inline void ses_session_tidy(struct sesame_session *s)
{
	const struct ses_session_work *w = s->work;

	if (w && s->state == SES_STATE_HEAD && !s->kind && !w->head_len &&
	    !w->inflate && !w->deflate)
		ses_session_free_work(s);
}

/* Bytes of the present message. */
static inline size_t ses_session_gathered(const struct sesame_session *s)
{
	return s->work ? ses_buf_len(&s->work->message) : 0;
}

/* ---- what was read ---- */

static inline void ses_session_tell(struct sesame_session *s, uint8_t kind,
				    uint8_t *data, size_t len)
{
	const struct sesame_session_events *events = s->terms->events;

	if (events->message)
		events->message(s->user, (enum sesame_kind)kind, data, len);
}

/* A control frame that is whole and unmasked. 0 or an error. */
int ses_session_take_control(struct sesame_session *s, uint8_t opcode,
			     struct bytes body);

/* The peer broke a rule: tell it which by code and sentence, and end. */
int ses_session_fail(struct sesame_session *s, enum ses_fault fault);
/* Out of memory is nobody's fault, but the message is lost. */
int ses_session_give_up(struct sesame_session *s);

/* ---- what is sent ---- */

/* One frame with all of @payload. 0, SESAME_EINVAL or SESAME_ELIMIT. */
int ses_session_send_frame(struct sesame_session *s, uint8_t opcode, bool rsv1,
			   struct bytes payload);
/* Send a close frame, once; @code 0 sends none. */
int ses_session_send_close(struct sesame_session *s, uint16_t code,
			   struct bytes reason);

#endif
