/* SPDX-License-Identifier: MIT */
/* `to: ws://...`: a server behind is asked, and joined with its client. */
#include "gate/visit_inner.h"

#include <stdio.h>
#include <string.h>

#include "gate/subprotocols.h"
#include "gate/forward.h"
#include "gate/pool.h"

static size_t index_of(const struct gate_visit *v)
{
	return (size_t)(v->server - v->route->server);
}

void gate_visit_leave_server(struct gate_visit *v)
{
	if (v->server)
		gate_pool_left(v->route->pool, index_of(v));
	v->server = NULL;
}

void gate_visit_change_server(struct gate_visit *v,
			      const struct gate_route *route)
{
	const struct gate_server *old = v->server;

	if (!old)
		return;
	gate_visit_leave_server(v);
	for (size_t i = 0; i < route->n_servers && !v->server; i++) {
		if (strcmp(route->server[i].text, old->text) != 0)
			continue;
		v->server = &route->server[i];
		gate_pool_took(route->pool, i);
	}
}

/* The PROXY header for the server: who the client is, as far as is known. */
static struct bytes introduce(const struct gate_visit *v,
			      uint8_t out[SES_PROXY_HEADER_WRITE])
{
	struct ses_proxy_header h = {
		.version = (int)v->route->proxy_version,
		.tls = v->asking->hops.tls,
	};
	const struct gate_address *client = &v->asking->hops.client;
	int n;

	if (!h.version)
		return bytes_of(NULL, 0);
	h.family = strchr(v->asking->hops.client_text, ':') ? 6 : 4;
	memcpy(h.source, client->bytes, sizeof(h.source));
	/* where it arrived is nobody's business behind; a place has to be told */
	memcpy(h.destination, client->bytes, sizeof(h.destination));
	n = ses_proxy_header_write(&h, out);
	return bytes_of(out, n > 0 ? (size_t)n : 0);
}

static void on_upstream(void *user, const struct gate_upstream_result *result);

/* What the rules of the route take away, and what they add. */
static int adapt(struct gate_visit *v, struct gate_forward *f,
		 struct ses_buf *protocols)
{
	const struct gate_route *route = v->route;
	struct gate_asked asked = gate_asked_of(&v->asking->request);
	int r = 0;

	f->copies = gate_visit_copies(v);
	if (route->token && route->token->strip)
		f->strip = gate_visit_token_place(v);
	if (!route->token && !route->subprotocols.line)
		return 0;
	r = gate_subprotocols_write(route, &asked, route->observe, protocols,
				    &v->asking->fallback);
	f->protocols =
		ses_buf_len(protocols) ? ses_buf_bytes(protocols) : BYTES("");
	return r;
}

/* Ask the next server. 1: it is being asked, 0: there is none left, or an
 * error. */
static int ask_next(struct gate_visit *v)
{
	const struct gate_route *route = v->route;
	uint8_t preface[SES_PROXY_HEADER_WRITE];
	struct gate_upstream_setup setup = {.route = route};
	struct gate_forward forward = {
		.head = v->asking->head,
		.route = route,
		.hops = &v->asking->hops,
	};
	struct ses_buf out, protocols;
	int i = gate_pool_choose(route->pool, &v->asking->hops.client,
				 v->gate->loop->now_ms, &v->asking->tried);
	int r;

	if (i < 0)
		return 0;
	forward.server = setup.server = &route->server[i];
	setup.preface = introduce(v, preface);
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	ses_buf_init(&protocols, SES_INTAKE_BYTES);
	r = adapt(v, &forward, &protocols);
	if (r >= 0)
		r = gate_forward_write(&forward, &out);
	ses_buf_fini(&protocols);
	if (r >= 0) {
		v->upstream =
			gate_upstream_start(v->gate->loop, &setup, &out,
					    v->asking->head, on_upstream, v);
		r = v->upstream ? 1 : SESAME_ENOMEM;
	}
	ses_buf_fini(&out);
	if (r > 0) {
		v->server = setup.server;
		gate_pool_took(route->pool, (size_t)i);
	}
	return r;
}

enum gate_outcome gate_visit_ask_upstream(struct gate_visit *v)
{
	struct gate_refusal why = {.cause = WHY_SERVER_LIMIT, .status = 503};
	int r = gate_visit_keep(v) ? ask_next(v) : SESAME_ENOMEM;

	if (r <= 0) {
		why.sentence = GATE_NO_ROOM;
		why.note = sesame_strerror(r ? r : SESAME_ENOMEM);
		return gate_visit_refuse(v, &why);
	}
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	v->step++; /* to live(), where the answer is awaited */
	return v->len ? gate_visit_hold_back(v) : GATE_WAIT;
}

static void refuse_for_upstream(struct gate_visit *v,
				const struct gate_upstream_result *result)
{
	char note[256];
	struct gate_refusal why = {
		.cause = result->error == SESAME_EPROTO
				 ? WHY_SERVER_BAD_ACCEPT
				 : WHY_SERVER_BACKEND_DOWN,
		.status = result->error == SESAME_ETIMEOUT ? 504 : 502,
		.note = note,
	};

	if (result->lacked) {
		why.cause = WHY_SERVER_LIMIT;
		why.status = 503;
		why.sentence = GATE_NO_ROOM;
		gate_tell_short(v->gate, result->text);
	}

	snprintf(note, sizeof(note), "%s: %s", v->server->text,
		 result->text ? result->text : sesame_strerror(result->error));
	gate_visit_refuse(v, &why);
}

/* ---- What it answered ---- */

/*
 * Whether another server may be asked. One that has the request may have
 * acted on it, unless it hung up without a word, as servers that are being
 * stopped do.
 */
static bool may_retry(const struct gate_visit *v,
		      const struct gate_upstream_result *result)
{
	unsigned tried = (unsigned)__builtin_popcountll(v->asking->tried);

	return !result->lacked && tried <= v->route->retries &&
	       (!result->sent || result->error == SESAME_ERESET);
}

/* What its answer, or its silence, says about the server. */
static void note_server(struct gate_visit *v,
			const struct gate_upstream_result *result)
{
	struct gate_pool *pool = v->route->pool;

	if (result->error == 0 || result->error == SESAME_EREFUSED)
		gate_pool_worked(pool, index_of(v));
	else if (!result->lacked)
		gate_pool_failed(pool, index_of(v), v->gate->loop->now_ms);
}

static void on_upstream(void *user, const struct gate_upstream_result *result)
{
	struct gate_visit *v = user;
	const struct gate_server *server = v->server;

	v->upstream = NULL;
	note_server(v, result);
	if (result->error == 0) {
		gate_visit_open_tunnel(v, result);
		return;
	}
	if (result->error == SESAME_EREFUSED) {
		gate_visit_pass_refusal_on(v, result);
		return;
	}
	if (may_retry(v, result)) {
		gate_visit_leave_server(v);
		if (ask_next(v) > 0)
			return;
		v->server = server; /* the last one is told of */
		gate_pool_took(v->route->pool, index_of(v));
	}
	refuse_for_upstream(v, result);
}
