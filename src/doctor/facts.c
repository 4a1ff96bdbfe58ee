/* SPDX-License-Identifier: MIT */
/*
 * The values of this very case that texts have braces for: the URL and its
 * parts, what was sent and what came, and what would have been right, which
 * only the handshake that opened can tell.
 */
#include "doctor/facts.h"

#include <ctype.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>

#include <sesame/error.h>

#include "base/base64.h"
#include "doctor/disclosed.h"
#include "doctor/proxy_kind.h"
#include "doctor/nodes.h"
#include "doctor/redact.h"
#include "doctor/result.h"
#include "doctor/said.h"
#include "net/addr.h"
#include "why/reference.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

void doctor_know_value(struct doctor_facts *f, const char *name,
		       const char *value)
{
	if (*value && f->n_values < LEN(f->value))
		f->value[f->n_values++] = (struct why_value){name, value};
}

static void know(struct doctor_facts *f, const char *name, const char *value)
{
	doctor_know_value(f, name, value);
}

static void copy(const struct doctor_facts *f, struct bytes from, char *out,
		 size_t size)
{
	doctor_redact(f->chart->c, from, out, size);
}

static void know_the_url(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	char text[300];

	doctor_redact_url(c, f->url, sizeof(f->url));
	know(f, "url", f->url);
	if (c->url_error)
		return;
	copy(f, c->host ? bytes_of_str(c->host) : c->url.host, f->host,
	     sizeof(f->host));
	copy(f, c->url.path.len ? c->url.path : BYTES("/"), f->path,
	     sizeof(f->path));
	snprintf(f->port, sizeof(f->port), "%u", c->url.port);
	if (c->host || ses_url_host_field(&c->url, text, sizeof(text)) < 0)
		snprintf(f->host_port, sizeof(f->host_port), "%s", f->host);
	else
		copy(f, bytes_of_str(text), f->host_port, sizeof(f->host_port));
	know(f, "host", f->host);
	know(f, "host_port", f->host_port);
	know(f, "path", f->path);
	know(f, "port", f->port);
	know(f, "bare_path", f->path + 1);
	know(f, "scheme", c->url.tls ? "wss" : "ws");
	know(f, "http", c->url.tls ? "https" : "http");
}

/* Where the application listens: told by --backend, or an example. */
static void know_the_upstream(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;
	char text[300];

	if (c->backend &&
	    (ses_url_parse(bytes_of_str(c->backend), &url, &fault, &at) == 0 ||
	     fault == SES_URL_HTTP) &&
	    ses_url_host_field(&url, text, sizeof(text)) >= 0)
		copy(f, bytes_of_str(text), f->upstream, sizeof(f->upstream));
	else
		snprintf(f->upstream, sizeof(f->upstream), "127.0.0.1:3000");
	know(f, "upstream", f->upstream);
}

/* The path with a slash more, when that is what a redirect leads to. */
static void know_the_slash(struct doctor_facts *f)
{
	struct bytes to;
	char path[302];

	if (!f->base || f->base->status / 100 != 3)
		return;
	to = ses_head_get(&f->base->parsed, "Location");
	snprintf(path, sizeof(path), "%s/", f->path);
	if (to.len >= strlen(path) && f->path[0] &&
	    bytes_equal(bytes_from(to, to.len - strlen(path)),
			bytes_of_str(path)))
		snprintf(f->slashed, sizeof(f->slashed), "%s", path);
	know(f, "slashed", f->slashed);
}

/* Where the request comes from: of this machine, whither it goes. */
static void know_the_address(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	bool v6 = c->url.host_kind == SES_HOST_IPV6 ||
		  (f->base && f->base->dial.peer.len > 0 &&
		   f->base->dial.peer.any.sa_family == AF_INET6);

	if (c->source)
		snprintf(f->address, sizeof(f->address), "%s", c->source);
	else if (doctor_is_loopback(c))
		snprintf(f->address, sizeof(f->address), "%s",
			 v6 ? "::1" : "127.0.0.1");
	know(f, "address", f->address);
}

static void know_the_request(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	const char *name;

	if (c->origin)
		copy(f, bytes_of_str(c->origin), f->origin, sizeof(f->origin));
	else if (f->key && f->key->trial.change == DOCTOR_ORIGIN)
		copy(f, bytes_of_str(f->key->trial.value), f->origin,
		     sizeof(f->origin));
	know(f, "origin", f->origin);
	if (c->origin && !doctor_is_origin(c->origin) &&
	    !doctor_mended_origin(f->origin, f->mended, sizeof(f->mended)))
		snprintf(f->mended, sizeof(f->mended), "https://app.example");
	know(f, "mended", f->mended);
	name = strstr(f->origin, "://");
	snprintf(f->origin_host, sizeof(f->origin_host), "%s",
		 name ? name + 3 : "");
	know(f, "origin_host", f->origin_host);
	if (c->subprotocols)
		copy(f, bytes_of_str(c->subprotocols), f->subprotocol,
		     sizeof(f->subprotocol));
	else
		snprintf(f->subprotocol, sizeof(f->subprotocol), "none");
	if (f->key && f->key->trial.change == DOCTOR_SUBPROTOCOL &&
	    !c->subprotocols)
		know(f, "subprotocol", f->expected);
	know(f, "subprotocol", f->subprotocol);
	copy(f, bytes_of_str(c->user_agent), f->agent, sizeof(f->agent));
	f->value[f->n_values++] =
		(struct why_value){"user_agent", f->agent}; /* "" as well */
	know_the_address(f);
	/* Of the machine itself it is not known which of its addresses. */
	if (!c->source && doctor_is_loopback(c))
		snprintf(f->from, sizeof(f->from), "local");
	else
		snprintf(f->from, sizeof(f->from), "ip %s",
			 f->address[0] ? f->address : "<address>");
	know(f, "from", f->from);
}

/* The name that goes with a password, where it can be written as one word. */
static void know_the_user(struct doctor_facts *f)
{
	const struct doctor_header *h =
		doctor_case_header(f->chart->c, "Authorization");
	struct bytes value = bytes_of_str(h ? h->value : "");
	uint8_t plain[256];
	size_t len, n = 0;

	if (!bytes_starts(value, BYTES("Basic ")) ||
	    ses_base64_decode(bytes_from(value, 6), plain, sizeof(plain),
			      &len) < 0)
		return;
	while (n < len && n < sizeof(f->user) - 1 &&
	       (isalnum(plain[n]) || memchr("._@-", plain[n], 4)))
		n++;
	if (n == 0 || n == len || plain[n] != ':')
		return;
	copy(f, bytes_of(plain, n), f->user, sizeof(f->user));
	know(f, "user", f->user);
}

/* How long it was open; of what stayed so, the longest look. */
static double open_ms(const struct doctor_facts *f,
		      const struct doctor_probe *end)
{
	double most_ms = end->open_ms;

	if (end->outcome == DOCTOR_OPEN)
		for (size_t i = 0; i < f->chart->n_probes; i++)
			if (f->chart->probe[i]->outcome == DOCTOR_OPEN)
				most_ms = fmax(most_ms,
					       f->chart->probe[i]->open_ms);
	return most_ms;
}

static void know_the_answer(struct doctor_facts *f)
{
	const struct ses_tls_info *tls;
	const struct doctor_probe *end = f->key ? f->key : f->base;
	const char *name;
	size_t next = 0;
	char text[300];

	if (!f->base)
		return;
	tls = &f->base->dial.tls;
	doctor_result_often(f->chart, f->base, text, sizeof(text));
	copy(f, bytes_of_str(text), f->result, sizeof(f->result));
	know(f, "result", f->result);
	snprintf(f->seconds, sizeof(f->seconds), "%.1f", open_ms(f, end) / 1000);
	know(f, "seconds", f->seconds);
	if (tls->fault == SES_TLS_EXPIRED && tls->not_after[0])
		snprintf(text, sizeof(text), "valid from %s to %s",
			 tls->not_before, tls->not_after);
	else if (tls->fault == SES_TLS_HOSTNAME &&
		 (name = ses_tls_next_host(&tls->names, &next)))
		snprintf(text, sizeof(text), "it is for %s%s", name,
			 ses_tls_next_host(&tls->names, &next) ? " and others"
							       : "");
	else
		snprintf(text, sizeof(text), "%s",
			 tls->alert[0] ? tls->alert : tls->text);
	copy(f, bytes_of_str(text), f->tls, sizeof(f->tls));
	know(f, "tls", f->tls);
}

/* Whether a WebSocket can be had over HTTP/2, if anybody looked. */
static void know_about_h2(struct doctor_facts *f)
{
	const struct doctor_probe *p = doctor_tried(f->chart, DOCTOR_H2, NULL);

	know(f, "h2",
	     !p || !p->h2_spoken ? "; whether it takes WebSocket over HTTP/2 "
				   "(RFC 8441) was not seen"
	     : p->h2_offered ? "; WebSocket over HTTP/2 (RFC 8441) is offered"
			     : "; WebSocket over HTTP/2 (RFC 8441) is not "
			       "offered");
}

/* The page of a filter that refuses by a redirect says why. */
static void know_the_block_page(struct doctor_facts *f)
{
	const struct ses_dial_report *d = f->base ? &f->base->dial : NULL;
	struct ses_head_parser parser;
	struct ses_head head;
	enum ses_fault fault;

	if (!d || d->proxy_status / 100 != 3)
		return;
	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	if (ses_head_parse(&parser, bytes_of(d->proxy_head, d->proxy_head_len),
			   &head, &fault) <= 0)
		return;
	copy(f, ses_head_get(&head, "Location"), f->blocked_at,
	     sizeof(f->blocked_at));
	know(f, "blocked_at", f->blocked_at);
}

/* A refusal by sesame has a reference that its log knows. */
static void know_the_reference(struct doctor_facts *f)
{
	uint64_t number;

	if (!f->base || f->chart->blind || !doctor_reference(f->base, &number))
		return;
	why_reference_write(number, f->v->reference);
	know(f, "reference", f->v->reference);
}

/* What became of the name: a resolver that is mute says nothing about it. */
static void know_the_name(struct doctor_facts *f)
{
	static const struct {
		int code;
		const char *before, *after;
	} rows[] = {
		{EAI_NONAME, "The name ",
		 " does not exist, so there is nothing to connect to."},
		{EAI_NODATA, "The name ",
		 " exists and has no address, so there is nothing to connect "
		 "to."},
		{EAI_ADDRFAMILY, "The name ",
		 " has no address of the family that was asked for."},
		{EAI_AGAIN, "The resolver did not answer: whether the name ",
		 " exists is not known."},
		{EAI_FAIL, "The resolver failed: whether the name ",
		 " exists is not known."},
		{0, "The name ",
		 " does not resolve, so there is nothing to connect to."},
	};
	int code = f->base ? doctor_name_error(f->base) : 0;
	size_t i = 0;

	while (rows[i].code && rows[i].code != code)
		i++;
	snprintf(f->nameless, sizeof(f->nameless), "%s%s%s", rows[i].before,
		 f->host, rows[i].after);
	know(f, "nameless", f->nameless);
}

/* What the refusal says of the credential, and the parameter that it names. */
static void know_what_was_said(struct doctor_facts *f)
{
	char sentence[200];
	struct bytes said;

	if (f->base && doctor_said_of_credential(f->base, &said)) {
		copy(f, said, sentence, sizeof(sentence));
		snprintf(f->of_credential, sizeof(f->of_credential),
			 "it says of the credential: \"%s\"", sentence);
	}
	if (!f->base || f->v->cause != WHY_URL_QUERY ||
	    doctor_holds(f, "query_opens") ||
	    !doctor_said_parameter(f->base, &said))
		return;
	copy(f, said, f->parameter, sizeof(f->parameter));
	know(f, "parameter", f->parameter);
	snprintf(f->asking, sizeof(f->asking), "%s%c%s=VALUE", f->url,
		 strchr(f->url, '?') ? '&' : '?', f->parameter);
	know(f, "asking", f->asking);
}

/* The name of the query's only parameter; empty: there are more, or none. */
static struct bytes only_parameter(struct bytes query)
{
	ptrdiff_t equals = bytes_find_byte(query, '=');
	struct bytes name = bytes_first(query, equals < 0 ? 0 : (size_t)equals);

	return bytes_find_byte(query, '&') < 0 && ses_is_token(name)
		       ? name
		       : bytes_of(NULL, 0);
}

/* What had to be left out before a firewall let the request in. */
static void know_the_suspect(struct doctor_facts *f)
{
	const struct doctor_trial *t = f->key ? &f->key->trial : NULL;
	struct bytes name;

	if (f->v->cause != WHY_ACCESS_WAF || !t ||
	    f->key->outcome != DOCTOR_OPEN)
		return;
	if (t->change == DOCTOR_NO_HEADER) {
		snprintf(f->suspect, sizeof(f->suspect), "the field %.60s",
			 t->value);
		snprintf(f->exempt, sizeof(f->exempt), "REQUEST_HEADERS:%.60s",
			 t->value);
	} else if (t->change == DOCTOR_NO_QUERY ||
		   t->change == DOCTOR_NO_PARAMETER) {
		name = t->change == DOCTOR_NO_PARAMETER
			       ? bytes_of_str(t->value)
			       : only_parameter(f->chart->c->url.query);
		name = bytes_first(name, 60);
		snprintf(f->suspect, sizeof(f->suspect), "%s%.*s",
			 name.len ? "the parameter " : "the query",
			 BYTES_ARG(name));
		snprintf(f->exempt, sizeof(f->exempt), "ARGS%s%.*s",
			 name.len ? ":" : "", BYTES_ARG(name));
	}
	know(f, "suspect", f->suspect);
	know(f, "exempt", f->exempt);
}

static void know_what_arrived(struct doctor_facts *f)
{
	struct doctor_arrived a;

	if (!doctor_found(f->chart, DOCTOR_F_HOST_ARRIVED_OTHER) ||
	    !doctor_arrived_host(f->chart->c, f->base, &a))
		return;
	copy(f, bytes_of_str(a.host), f->arrived.host, sizeof(f->arrived.host));
	copy(f, bytes_of_str(a.sent), f->arrived.sent, sizeof(f->arrived.sent));
	know(f, "arrived", f->arrived.host);
	know(f, "sent_host", f->arrived.sent);
}

/* The first answer that a session got which polling had opened. */
static void know_the_session(struct doctor_facts *f)
{
	char text[256] = "";

	for (size_t i = 0; i < f->chart->n_probes && !*text; i++) {
		const struct doctor_probe *p = f->chart->probe[i];

		if (p->trial.change == DOCTOR_SESSION &&
		    p->outcome != DOCTOR_OPEN)
			doctor_result_text(p, text, sizeof(text));
	}
	copy(f, bytes_of_str(*text ? text : f->result), f->session,
	     sizeof(f->session));
	know(f, "session", f->session);
}

/* Whose certificate was looked at: the server's, or that of a proxy. */
static void know_the_certified(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;

	if (!f->base || !c->proxy ||
	    (f->base->error != SESAME_EPROXY && !doctor_missed_proxy(f) &&
	     !doctor_mistook_proxy(f)) ||
	    ses_url_redact(bytes_of_str(c->proxy), f->certified,
			   sizeof(f->certified)) < 0)
		snprintf(f->certified, sizeof(f->certified), "%s", f->host);
	know(f, "certified", f->certified);
	if (c->proxy_from && c->proxy_from[0] != '-')
		snprintf(f->proxy_from, sizeof(f->proxy_from),
			 "from the environment variable %s", c->proxy_from);
	else
		snprintf(f->proxy_from, sizeof(f->proxy_from),
			 "given by --proxy");
	know(f, "proxy_from", f->proxy_from);
	know(f, "variable", c->proxy_from ? c->proxy_from : "");
}

/* What the proxy is instead, and its URL if that is so. */
static void know_the_proxy_kind(struct doctor_facts *f)
{
	struct doctor_proxy_kind kind;
	const char *place = strstr(f->certified, "://");

	if (!doctor_mistook_proxy(f))
		return;
	doctor_proxy_kind(f->base, f->chart->c->proxy, &kind);
	copy(f, bytes_of_str(kind.what), f->proxy_kind, sizeof(f->proxy_kind));
	know(f, "proxy_kind", f->proxy_kind);
	know(f, "is", kind.silent ? "is probably" : "is");
	if (kind.scheme && place)
		snprintf(f->proxy_try, sizeof(f->proxy_try), "%s%s",
			 kind.scheme, place);
	know(f, "proxy_try", f->proxy_try);
}

static void know_the_fault(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;

	if (c->url_fault)
		snprintf(f->fault, sizeof(f->fault), "%s",
			 ses_url_fault(c->url_fault)->sentence);
	else
		snprintf(f->fault, sizeof(f->fault), "%s", f->result);
	know(f, "fault", f->fault);
	snprintf(f->server, sizeof(f->server), "%s",
		 f->v->refused_by[0] ? f->v->refused_by : "the server");
	know(f, "server", f->server);
}

bool doctor_missed_proxy(const struct doctor_facts *f)
{
	return f->base && doctor_proxy_is_missing(f->chart);
}

bool doctor_mistook_proxy(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_PROXY_OTHER_KIND) ||
	       doctor_found(f->chart, DOCTOR_F_PROXY_MUTE);
}

bool doctor_sent_no_origin(const struct doctor_facts *f)
{
	const char *origin = f->chart->c->origin;

	/* pages of files had this one once, and programs send it still */
	return f->v->cause == WHY_ACCESS_ORIGIN && origin &&
	       !doctor_is_origin(origin) && strcmp(origin, "file://") != 0;
}

bool doctor_lost_key(const struct doctor_facts *f)
{
	return f->v->cause == WHY_SERVER_PROXY_UPGRADE &&
	       (doctor_found(f->chart, DOCTOR_F_ACCEPT_OF_NO_KEY) ||
		doctor_found(f->chart, DOCTOR_F_ACCEPT_OF_OTHER_KEY));
}

/* Of "127.0.0.1:8080" and "[::1]" the part before the port. */
static struct bytes without_port(const char *host)
{
	const char *colon = strrchr(host, ':');

	return bytes_of(host, colon && !strchr(colon, ']')
				      ? (size_t)(colon - host)
				      : strlen(host));
}

bool doctor_differs_in_port(const struct doctor_facts *f)
{
	return f->v->cause == WHY_ACCESS_HOST && f->key &&
	       f->key->trial.change == DOCTOR_HOST &&
	       bytes_equal_nocase(without_port(f->key->trial.value),
				  without_port(f->host_port));
}

/* Which of several servers refuse, where they tell themselves apart. */
static void know_the_nodes(struct doctor_facts *f)
{
	struct doctor_nodes nodes;
	char text[300];

	if (!doctor_found(f->chart, DOCTOR_F_SPLIT))
		return;
	doctor_count_nodes(f->chart, &nodes);
	doctor_nodes_text(&nodes, text, sizeof(text));
	copy(f, bytes_of_str(text), f->nodes, sizeof(f->nodes));
	know(f, "nodes", f->nodes);
}

bool doctor_is_split(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_SPLIT) && !f->proven &&
	       !(f->v->cause == WHY_SERVER_STICKY_SESSION &&
		 f->v->confidence >= DOCTOR_RULE_TOLD);
}

void doctor_know(struct doctor_facts *f)
{
	doctor_expect(f);
	know_the_url(f);
	know_the_request(f);
	know_the_user(f);
	know_the_upstream(f);
	know_the_answer(f);
	know_the_slash(f);
	know_the_reference(f);
	know_about_h2(f);
	know_the_fault(f);
	know_the_certified(f);
	know_the_proxy_kind(f);
	know_the_name(f);
	know_the_session(f);
	know_what_arrived(f);
	know_what_was_said(f);
	know_the_suspect(f);
	know_the_nodes(f);
	know_the_block_page(f);
	know(f, "credentials",
	     f->of_credential[0] ? f->of_credential
	     : doctor_has_credentials(f->chart->c)
		     ? "the credentials that were sent are wrong, expired or "
		       "not where it looks for them"
		     : "credentials are missing, or not where it looks for "
		       "them");
	doctor_know_elsewhere(f);
}
