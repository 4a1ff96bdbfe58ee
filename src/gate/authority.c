/* SPDX-License-Identifier: MIT */
/* What an authority is told. */
#include "gate/authority.h"

#include <stdlib.h>
#include <string.h>

#include "gate/errand.h"
#include "gate/gate.h"
#include "ws/intake.h"

struct gate_authority_call {
	struct gate_errand *errand;
	void (*done)(void *user, const struct gate_authority_answer *answer);
	void *user;
};

void gate_authority_cancel(struct gate_authority_call *c)
{
	if (c)
		gate_errand_cancel(c->errand);
	free(c);
}

static void on_answer(void *user, const struct gate_errand_answer *answer)
{
	struct gate_authority_call *c = user;
	struct gate_authority_answer told = {answer->head, answer->text};

	c->done(c->user, &told);
	free(c);
}

/* ---- The request ---- */

static int put(struct ses_buf *out, const char *name, struct bytes value)
{
	if (!value.data || !ses_is_field_value(value))
		return 0;
	return ses_buf_printf(out, "%s: %.*s\r\n", name, BYTES_ARG(value));
}

/* The client's fields of that name, as they came. */
static int put_client_fields(const struct ses_head *head, const char *name,
			     struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < head->n_fields; i++)
		if (bytes_equal_nocase(head->fields[i].name, bytes_of_str(name)))
			r = put(out, name, head->fields[i].value);
	return r;
}

static int write_request(const struct gate_authority_question *q,
			 struct ses_buf *out)
{
	static const char *const usual[] = {"Authorization", "Cookie", "Origin",
					    "User-Agent"};
	const struct gate_authority *a = q->authority;
	bool six = strchr(a->server.host, ':');
	size_t n =
		a->n_headers ? a->n_headers : sizeof(usual) / sizeof(usual[0]);
	int r = ses_buf_printf(out,
			       "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\n"
			       "Connection: close\r\n",
			       a->target, six ? "[" : "", a->server.host,
			       six ? "]" : "", a->server.port);

	if (r >= 0)
		r = put(out, "X-Original-Method", q->head->method);
	if (r >= 0)
		r = put(out, "X-Original-URI", q->head->target);
	if (r >= 0)
		r = put(out, "X-Forwarded-Host", ses_head_get(q->head, "Host"));
	if (r >= 0)
		r = ses_buf_printf(out,
				   "X-Forwarded-For: %s\r\n"
				   "X-Forwarded-Proto: %s\r\n",
				   q->hops->client_text,
				   q->hops->tls ? "https" : "http");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = put_client_fields(
			q->head, a->n_headers ? a->header[i] : usual[i], out);
	return r < 0 ? r : ses_buf_append_str(out, "\r\n");
}

struct gate_authority_call *gate_authority_ask(
	struct sesame_loop *loop, const struct gate_authority_question *question,
	void (*done)(void *user, const struct gate_authority_answer *answer),
	void *user)
{
	const struct gate_authority *a = question->authority;
	struct ses_dial_options to = {
		.host = bytes_of_str(a->server.host),
		.port = a->server.port,
		.timeout_ms = (unsigned)a->timeout_ms,
		.spared = GATE_SPARED,
	};
	struct gate_authority_call *c = calloc(1, sizeof(*c));
	struct ses_buf request;

	if (!c)
		return NULL;
	c->done = done;
	c->user = user;
	ses_buf_init(&request, SES_INTAKE_BYTES * 2);
	if (write_request(question, &request) >= 0)
		c->errand = gate_errand_start(loop, &to, &request, on_answer, c);
	ses_buf_fini(&request);
	if (c->errand)
		return c;
	free(c);
	return NULL;
}
