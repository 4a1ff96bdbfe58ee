/* SPDX-License-Identifier: MIT */
/*
 * How a connection ends: what is known of it is kept when it happens, and told
 * by on_close when none of its callbacks is on the stack.
 */
#include "ws/conn_inner.h"

#include <stdlib.h>

#include "wire/close.h"

/* ---- what most have nothing of ---- */

struct ses_conn_extra *ses_conn_need_extra(struct sesame_conn *conn)
{
	if (!conn->extra)
		conn->extra = calloc(1, sizeof(*conn->extra));
	return conn->extra;
}

void ses_conn_tidy_extra(struct sesame_conn *conn)
{
	const struct ses_conn_extra *x = conn->extra;

	if (!x || x->opening || x->aside || x->peer_text || x->end_reason)
		return;
	free(conn->extra);
	conn->extra = NULL;
}

static void free_extra(struct ses_conn_extra *x)
{
	if (!x)
		return;
	free(x->aside);
	free(x->peer_text);
	free(x->end_reason);
	free(x);
}

/* ---- what is known of the end ---- */

static const char *const sentences[] = {
	[SES_CAUSE_UNANSWERED] =
		"the peer closed, and was gone before its close frame could be "
		"answered",
	[SES_CAUSE_CUT] =
		"the peer closed the connection without a close frame",
	[SES_CAUSE_CUT_CLOSING] = "the peer closed the connection instead of "
				  "answering the close frame",
	[SES_CAUSE_RESET] = "the connection was reset",
	[SES_CAUSE_UNREAD] = "the peer has not read what was sent for too long",
	[SES_CAUSE_SILENT] = "nothing came from the peer for too long, not "
			     "even an answer to a ping",
	[SES_CAUSE_NO_CLOSE] =
		"the peer did not answer the close frame in time",
	[SES_CAUSE_ABORTED] = "aborted",
	[SES_CAUSE_GIVEN_UP] = "closed before the connection was open",
};

static const char *sentence_of_end(const struct sesame_conn *conn)
{
	switch ((enum ses_conn_cause)conn->end_cause) {
	case SES_CAUSE_NONE:
		return "";
	case SES_CAUSE_ERROR:
		return sesame_strerror(conn->end_error);
	case SES_CAUSE_FAULT:
		return ses_fault_row(conn->session.fault)->sentence;
	default:
		return sentences[conn->end_cause];
	}
}

void ses_conn_set_done(struct sesame_conn *conn, int error,
		       enum ses_conn_cause cause)
{
	if (conn->state == SES_CONN_DONE)
		return;
	conn->state = SES_CONN_DONE;
	if (!conn->end_clean && !conn->end_error) {
		conn->end_error = (int8_t)error;
		conn->end_cause = (uint8_t)cause;
	}
	ses_conn_wake_at(conn, ses_conn_now_ms(conn));
}

void ses_conn_keep_end(struct sesame_conn *conn, uint16_t code,
		       const char *reason, size_t reason_len, bool clean)
{
	conn->end_code = code;
	conn->end_clean = clean;
	if (!reason_len || reason_len > SES_CONTROL_MAX ||
	    !ses_conn_need_extra(conn))
		return;
	conn->extra->end_reason = malloc(reason_len);
	if (conn->extra->end_reason) {
		memcpy(conn->extra->end_reason, reason, reason_len);
		conn->extra->end_reason_len = (uint8_t)reason_len;
	}
}

/* ---- telling it ---- */

void ses_conn_release(struct sesame_conn *conn)
{
	ses_timers_stop(&ses_conn_loop(conn)->timers, &conn->timer);
	ses_list_remove(&conn->link);
	ses_session_fini(&conn->session);
	free_extra(conn->extra);
	if (!conn->peer_is_v4)
		free(conn->peer.other);
	ses_conn_kind_unref(conn->kind);
	free(conn);
}

static void drop_stream(struct sesame_conn *conn)
{
	struct ses_stream *stream = conn->stream;

	conn->stream = NULL;
	if (!stream)
		return;
	if (conn->polite)
		ses_stream_linger(stream, conn->kind->close_ms);
	else
		ses_stream_close(stream);
}

static void tell_end(struct sesame_conn *conn, const struct sesame_end *end)
{
	ses_timers_stop(&ses_conn_loop(conn)->timers, &conn->timer);
	conn->state = SES_CONN_DONE;
	conn->busy++; /* whatever is called in there, this is the last */
	if (conn->kind->handlers->on_close)
		conn->kind->handlers->on_close(conn, conn->user, end);
	ses_list_remove(&conn->link);
	if (conn->kind->on_gone)
		conn->kind->on_gone(conn, conn->kind->context);
	ses_conn_release(conn);
}

void ses_conn_finish(struct sesame_conn *conn)
{
	const struct ses_tls_info *tls =
		conn->stream ? ses_stream_tls_info(conn->stream) : NULL;
	const struct ses_conn_extra *x = conn->extra;
	char text[256] = "";
	struct sesame_end end = {
		.error = conn->end_error,
		.code = conn->end_code,
		.reason = x && x->end_reason ? x->end_reason : "",
		.reason_len = x ? x->end_reason_len : 0,
		.clean = conn->end_clean,
		.by_peer = conn->end_by_peer,
		.text = sentence_of_end(conn),
	};

	if (conn->end_error == SESAME_ETLS && tls && tls->text[0])
		end.text = strncat(text, tls->text, sizeof(text) - 1);
	drop_stream(conn);
	tell_end(conn, &end);
}

void ses_conn_settle(struct sesame_conn *conn)
{
	if (conn->state == SES_CONN_DONE && conn->busy == 0)
		ses_conn_finish(conn);
}

void ses_conn_fail(struct sesame_conn *conn, const struct sesame_end *end)
{
	tell_end(conn, end);
}

/* ---- at the owner's wish ---- */

void ses_conn_free_opening(struct sesame_conn *conn)
{
	struct ses_opening *opening = conn->extra->opening;

	conn->extra->opening = NULL;
	if (opening)
		opening->cancel(opening);
}

/* The attempt to open is given up; on_close follows. */
static void cancel_opening(struct sesame_conn *conn, enum ses_conn_cause cause)
{
	if (!conn->busy) /* else it is on the stack */
		ses_conn_free_opening(conn);
	ses_conn_set_done(conn, SESAME_ECLOSED, cause);
}

int sesame_conn_close(struct sesame_conn *conn, uint16_t code,
		      const char *reason)
{
	size_t reason_len = reason ? strlen(reason) : 0;
	int r;

	if (conn->state == SES_CONN_OPENING) {
		cancel_opening(conn, SES_CAUSE_GIVEN_UP);
		return 0;
	}
	if (conn->state != SES_CONN_OPEN)
		return SESAME_ECLOSED;
	conn->closed_here = true;
	conn->state = SES_CONN_CLOSING;
	r = sesame_session_close(&conn->session, code, reason, reason_len);
	ses_conn_commit_pending(conn);
	if (r < 0) {
		conn->closed_here = false;
		conn->state = SES_CONN_OPEN;
		return ses_conn_error_of_output(conn, r);
	}
	/* the peer's close frame stands behind what was not read yet */
	sesame_conn_resume(conn);
	if (conn->state == SES_CONN_CLOSING)
		ses_conn_wake_at(conn,
				 ses_conn_now_ms(conn) + conn->kind->close_ms);
	return 0;
}

void sesame_conn_abort(struct sesame_conn *conn)
{
	conn->polite = false;
	if (conn->state == SES_CONN_OPENING) {
		cancel_opening(conn, SES_CAUSE_ABORTED);
		return;
	}
	conn->session.over = true; /* what else has come is not looked at */
	ses_conn_set_done(conn, SESAME_ECLOSED, SES_CAUSE_ABORTED);
}

void ses_conn_abort_now(struct sesame_conn *conn)
{
	sesame_conn_abort(conn);
	ses_conn_settle(conn);
}

const char *sesame_close_name(uint16_t code)
{
	return ses_close_code_name(code);
}
