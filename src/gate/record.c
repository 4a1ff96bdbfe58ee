/* SPDX-License-Identifier: MIT */
/*
 * Numbers of a connection are added to its route's while it is open, so that a
 * long one is seen. Texts are kept only where a log wants them at the end.
 */
#include "gate/record.h"

#include <stdlib.h>
#include <string.h>

#include "gate/access_log.h"
#include "gate/hide.h"
#include "gate/visit_inner.h"
#include "net/clock.h"

struct gate_record {
	struct gate_counts *counts; /* of the route; NULL: not counted */
	uint64_t opened_ms;	    /* of the loop's clock */
	uint64_t bytes[2], messages[2], dropped;
	char id[WHY_REFERENCE_SIZE];
	char client[GATE_ADDRESS_TEXT];
	bool ended;
	uint8_t by;
	uint16_t code;
	char *reason;	   /* NULL: none was given */
	char *target;	   /* printable; NULL: no log asks for it */
	char *subprotocol; /* NULL: none */
};

static bool wants_lines(const struct gate *gate)
{
	return gate->log && gate_access_log_mode(gate->log) == GATE_LOG_LINES;
}

static struct gate_counts *counts_of(const struct gate_visit *v)
{
	struct gate_tally *tally =
		v->route ? v->route->tally : v->gate->no_route;

	return tally ? gate_tally_counts(tally, v->gate->worker) : NULL;
}

static struct gate_counts *counts_of_listener(const struct gate_visit *v)
{
	struct gate_tally *tally = v->entrance->tally;

	return tally ? gate_tally_counts(tally, v->gate->worker) : NULL;
}

static void count_both(struct gate_visit *v, size_t offset, int64_t by)
{
	struct gate_counts *of[] = {counts_of(v), counts_of_listener(v)};

	for (int i = 0; i < 2; i++)
		if (of[i])
			gate_count((atomic_ullong *)((char *)of[i] + offset),
				   (uint64_t)by);
}

#define AT(field, i) \
	(offsetof(struct gate_counts, field) + (i) * sizeof(atomic_ullong))

/* ---- Lines ---- */

/* What both lines of a connection have. */
static void begin_line(struct gate_visit *v, struct gate_line *line,
		       const char *event)
{
	struct gate_record *r = v->record;

	gate_line_begin(line, gate_access_log_is_json(v->gate->log),
			ses_clock_wall_ms(), event);
	gate_line_text(line, "id", bytes_of_str(r->id));
	gate_line_text(line, "client", bytes_of_str(r->client));
	gate_line_text(line, "listener", bytes_of_str(v->entrance->url));
	gate_line_text(line, "route", bytes_of_str(v->route->path));
	if (r->target)
		gate_line_text(line, "target", bytes_of_str(r->target));
	if (v->server)
		gate_line_text(line, "upstream", bytes_of_str(v->server->text));
	if (r->subprotocol)
		gate_line_text(line, "subprotocol",
			       bytes_of_str(r->subprotocol));
}

static void write_open(struct gate_visit *v)
{
	const struct gate_request *request = &v->asking->request;
	struct gate_line line;

	begin_line(v, &line, "open");
	gate_line_text(&line, "host", request->host);
	gate_line_text(&line, "origin", request->origin);
	gate_line_text(&line, "user_agent", request->user_agent);
	gate_access_log_add(v->gate->log, gate_line_end(&line));
}

static void write_close(struct gate_visit *v)
{
	struct gate_record *r = v->record;
	struct gate_line line;

	begin_line(v, &line, "close");
	gate_line_seconds(&line, "duration",
			  v->gate->loop->now_ms - r->opened_ms);
	if (r->code)
		gate_line_number(&line, "code", r->code);
	gate_line_text(&line, "by", bytes_of_str(gate_by_name(r->by)));
	if (r->reason)
		gate_line_text(&line, "reason", bytes_of_str(r->reason));
	gate_line_number(&line, "bytes_in", r->bytes[GATE_IN]);
	gate_line_number(&line, "bytes_out", r->bytes[GATE_OUT]);
	if (r->dropped)
		gate_line_number(&line, "messages_dropped", r->dropped);
	if (!v->server || v->memo) { /* another tunnel is not looked into */
		gate_line_number(&line, "messages_in", r->messages[GATE_IN]);
		gate_line_number(&line, "messages_out", r->messages[GATE_OUT]);
	}
	gate_access_log_add(v->gate->log, gate_line_end(&line));
}

/* ---- A connection ---- */

static char *copy(struct bytes text)
{
	char *s = text.len ? malloc(text.len + 1) : NULL;

	if (s) {
		memcpy(s, text.data, text.len);
		s[text.len] = '\0';
	}
	return s;
}

static void keep_texts(struct gate_visit *v, struct bytes subprotocol)
{
	const struct gate_token_settings *token = v->route->token;
	char target[512], shown[512];

	gate_new_reference(v->record->id);
	strcpy(v->record->client, v->asking->hops.client_text);
	gate_hide_target(token, v->asking->request.target, target,
			 sizeof(target));
	v->record->target = strdup(target);
	/* A browser that offered its token is answered with it. */
	gate_hide_field(token, BYTES("Sec-WebSocket-Protocol"), subprotocol,
			shown, sizeof(shown));
	v->record->subprotocol = copy(bytes_of_str(shown));
	write_open(v);
}

void gate_record_open(struct gate_visit *v, struct bytes subprotocol)
{
	struct gate_record *r = malloc(sizeof(*r));

	if (!r)
		return;
	*r = (struct gate_record){
		.counts = counts_of(v),
		.opened_ms = v->gate->loop->now_ms,
	};
	v->record = r;
	count_both(v, AT(opened, 0), 1);
	count_both(v, AT(live, 0), 1);
	if (wants_lines(v->gate))
		keep_texts(v, subprotocol);
}

void gate_record_pass(struct gate_record *r, enum gate_direction direction,
		      size_t bytes, unsigned messages)
{
	if (!r)
		return;
	r->bytes[direction] += bytes;
	r->messages[direction] += messages;
	if (!r->counts)
		return;
	gate_count(&r->counts->bytes[direction], bytes);
	gate_count(&r->counts->messages[direction], messages);
}

void gate_record_drop(struct gate_record *r, uint64_t n)
{
	if (!r)
		return;
	r->dropped += n;
	if (r->counts)
		gate_count(&r->counts->dropped, n);
}

void gate_record_end(struct gate_record *r, enum gate_by by, unsigned code,
		     struct bytes reason)
{
	if (!r || r->ended)
		return;
	r->ended = true;
	r->by = (uint8_t)by;
	r->code = (uint16_t)code;
	r->reason = copy(reason);
}

void gate_record_ended(struct gate_record *r, const struct sesame_end *end)
{
	struct bytes reason = bytes_of(end->reason, end->reason_len);

	gate_record_end(r, end->by_peer ? GATE_END_CLIENT : GATE_END_GATEWAY,
			end->code,
			reason.len ? reason : bytes_of_str(end->text));
}

void gate_record_move(struct gate_visit *v)
{
	if (v->record)
		v->record->counts = counts_of(v); /* the same, by its path */
}

void gate_record_close(struct gate_visit *v)
{
	struct gate_record *r = v->record;

	if (!r)
		return;
	gate_record_end(r, GATE_END_GATEWAY, 0, bytes_of(NULL, 0));
	count_both(v, AT(live, 0), -1);
	count_both(v,
		   AT(closed, r->by * GATE_N_CODES + gate_code_class(r->code)),
		   1);
	count_both(v, AT(duration_ms, 0),
		   (int64_t)(v->gate->loop->now_ms - r->opened_ms));
	if (r->id[0] && wants_lines(v->gate))
		write_close(v);
	free(r->reason);
	free(r->target);
	free(r->subprotocol);
	free(r);
	v->record = NULL;
}

/* ---- Requests that are no handshakes ---- */

void gate_record_answer(struct gate_visit *v, int status, size_t bytes)
{
	const struct gate_request *request = &v->asking->request;
	const struct gate_credential *c = gate_visit_credential(v);
	struct gate_line line;
	char target[512];

	if (!wants_lines(v->gate) || !gate_access_log_has_room(v->gate->log))
		return;
	gate_hide_target(v->route ? v->route->token : NULL, request->target,
			 target, sizeof(target));
	gate_line_begin(&line, gate_access_log_is_json(v->gate->log),
			ses_clock_wall_ms(), "answer");
	gate_line_number(&line, "status", (uint64_t)status);
	gate_line_text(&line, "method", v->asking->head->method);
	gate_line_text(&line, "client",
		       bytes_of_str(v->asking->hops.client_text));
	gate_line_text(&line, "listener", bytes_of_str(v->entrance->url));
	gate_line_text(&line, "route",
		       bytes_of_str(v->route ? v->route->path : ""));
	gate_line_text(&line, "target", bytes_of_str(target));
	if (c && c->subject)
		gate_line_text(&line, "subject", bytes_of_str(c->subject));
	gate_line_text(&line, "host", request->host);
	gate_line_text(&line, "origin", request->origin);
	gate_line_text(&line, "user_agent", request->user_agent);
	gate_line_number(&line, "bytes_in", ses_buf_len(&v->asking->body));
	gate_line_number(&line, "bytes_out", bytes);
	gate_access_log_add(v->gate->log, gate_line_end(&line));
}

/* ---- Refusals ---- */

void gate_record_refusal(struct gate_visit *v, enum why_cause cause,
			 bool observed)
{
	count_both(v, observed ? AT(observed, cause) : AT(refused, cause), 1);
}

void gate_record_write_story(struct gate_access_log *log,
			     const struct gate_story *s)
{
	struct gate_line line;

	gate_line_begin(&line, gate_access_log_is_json(log), s->time_ms,
			gate_story_verb(s));
	gate_line_text(&line, "reference", bytes_of_str(s->reference));
	if (s->status)
		gate_line_number(&line, "status", (uint64_t)s->status);
	gate_line_text(&line, "cause", bytes_of_str(s->cause));
	gate_line_text(&line, "client", bytes_of_str(s->address));
	gate_line_text(&line, "hops", bytes_of_str(s->hops));
	gate_line_text(&line, "listener", bytes_of_str(s->listener));
	gate_line_text(&line, "route", bytes_of_str(s->route));
	gate_line_text(&line, "target", bytes_of_str(s->target));
	gate_line_text(&line, "host", bytes_of_str(s->host));
	gate_line_text(&line, "origin", bytes_of_str(s->origin));
	gate_line_text(&line, "user_agent", bytes_of_str(s->user_agent));
	gate_line_text(&line, "upstream", bytes_of_str(s->upstream));
	if (s->check[0] && s->line) {
		gate_line_text(&line, "rule", bytes_of_str(s->rule));
		gate_line_text(&line, "file", bytes_of_str(s->file));
		gate_line_number(&line, "line", s->line);
	}
	gate_line_text(&line, "note", bytes_of_str(s->note));
	gate_access_log_add(log, gate_line_end(&line));
}
