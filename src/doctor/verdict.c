/* SPDX-License-Identifier: MIT */
/*
 * From numbers back to words. The best cause becomes a sentence with the values
 * of this very case in it; the findings that weighed most become its evidence;
 * the remedies are those of the stack that refused, the safe form first. What
 * is hard is to say who has to act: that is where the refusal was written.
 */
#include "doctor/verdict.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/apart.h"
#include "doctor/config.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"
#include "net/addr.h"
#include "why/reference.h"
#include "why/remedy.h"

/* A finding that added less to the log odds is not worth a line. */
#define LEAST_EVIDENCE 0.3
/* A cause less likely than this is no alternative. */
#define LEAST_ALTERNATIVE 0.02

/* Who is less sure should look before changing anything, or before all else. */
#define SURE_ENOUGH 0.9
#define IN_DOUBT    0.5

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the values that texts are filled with ---- */

struct facts {
	const struct doctor_chart *chart;
	const struct doctor_probe *base, *key;
	struct doctor_verdict *v;
	char origin[300], host[300], host_port[310], port[8], path[300],
		url[600];
	char subprotocol[300], agent[200], expected[600], server[80];
	char result[300], fault[300], seconds[16], tls[240], address[80];
	char nobody[160], elsewhere[700], misfit[500];
	char upstream[300], slashed[302], origin_host[300];
	struct why_value value[40];
	size_t n_values;
	bool proven;   /* expected is known, */
	bool pastable; /* and can be written down as it is */
};

static void know(struct facts *f, const char *name, const char *value)
{
	if (*value && f->n_values < LEN(f->value))
		f->value[f->n_values++] = (struct why_value){name, value};
}

static void copy(const struct facts *f, struct bytes from, char *out,
		 size_t size)
{
	doctor_redact(f->chart->c, from, out, size);
}

/* The URL with what the key changed about it. */
static void write_url(const struct facts *f, const struct doctor_trial *t,
		      char *out, size_t size)
{
	struct ses_url url = f->chart->c->url;
	char text[1200], shown[1200];
	uint64_t port;

	if (t->change == DOCTOR_SCHEME)
		url.tls = strcmp(t->value, "wss") == 0;
	if (t->change == DOCTOR_PORT &&
	    bytes_to_u64(bytes_of_str(t->value), 65535, &port)) {
		url.port = (uint16_t)port;
		url.port_given = true;
	}
	if (t->change == DOCTOR_PATH) {
		struct bytes path = bytes_of_str(t->value);
		ptrdiff_t query = bytes_find_byte(path, '?');

		url.path =
			bytes_first(path, query < 0 ? path.len : (size_t)query);
		if (query >= 0)
			url.query = bytes_from(path, (size_t)query + 1);
	}
	url.http = false;
	if (ses_url_write(&url, text, sizeof(text)) < 0 ||
	    ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) < 0)
		shown[0] = 0;
	copy(f, bytes_of_str(shown), out, size);
}

/* The probe over the other address family that reached somebody, or NULL. */
static const struct doctor_probe *other_family(const struct facts *f)
{
	const struct doctor_finding *found =
		doctor_found(f->chart, DOCTOR_F_FAMILY_ANSWERS);

	if (f->key)
		return f->key->trial.change == DOCTOR_FAMILY ? f->key : NULL;
	return found && found->probe > 0 &&
			       (size_t)found->probe <= f->chart->n_probes
		       ? f->chart->probe[found->probe - 1]
		       : NULL;
}

/*
 * The URL with the address that @p reached in it. Of this very machine only:
 * elsewhere, and under TLS, the name is part of what was asked for.
 */
static bool write_address(const struct facts *f, const struct doctor_probe *p,
			  char *out, size_t size)
{
	const struct doctor_case *c = f->chart->c;
	struct ses_url url = c->url;
	bool v6 = p->trial.value[0] == '6';
	char host[SES_ADDR_TEXT], text[1200], shown[1200];

	if (url.tls || c->proxy || c->connect_host || c->host ||
	    !(doctor_is_loopback(c) || doctor_is_local_name(c, p)))
		return false;
	if (p->dial.peer.len > 0)
		ses_addr_format_host(&p->dial.peer, host);
	else
		snprintf(host, sizeof(host), "%s", v6 ? "::1" : "127.0.0.1");
	url.host = bytes_of_str(host);
	url.host_kind = v6 ? SES_HOST_IPV6 : SES_HOST_IPV4;
	url.http = false;
	if (ses_url_write(&url, text, sizeof(text)) < 0 ||
	    ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) < 0)
		return false;
	copy(f, bytes_of_str(shown), out, size);
	return true;
}

/* What opened the door, as it would be written down. */
static void expect_of_key(struct facts *f)
{
	const struct doctor_trial *t = &f->key->trial;

	switch (t->change) {
	case DOCTOR_SCHEME:
	case DOCTOR_PORT:
	case DOCTOR_PATH:
		write_url(f, t, f->expected, sizeof(f->expected));
		break;
	case DOCTOR_HOST:
	case DOCTOR_ORIGIN:
	case DOCTOR_VERSION:
	case DOCTOR_USER_AGENT:
		copy(f, bytes_of_str(t->value), f->expected,
		     sizeof(f->expected));
		break;
	case DOCTOR_SUBPROTOCOL:
		copy(f,
		     f->key->subprotocol.len ? f->key->subprotocol
					     : bytes_of_str(t->value),
		     f->expected, sizeof(f->expected));
		break;
	case DOCTOR_FAMILY:
		if (write_address(f, f->key, f->expected, sizeof(f->expected)))
			break;
		/* fall through */
	default:
		doctor_trial_text(f->chart->c, t, f->expected,
				  sizeof(f->expected));
		f->pastable = false; /* "no Origin" is no value */
	}
}

static void expect(struct facts *f)
{
	const struct doctor_case *c = f->chart->c;
	char text[600];

	f->pastable = true;
	if (f->key) {
		expect_of_key(f);
	} else if (f->v->cause == WHY_NET_ADDRESS_FAMILY && other_family(f)) {
		if (!write_address(f, other_family(f), f->expected,
				   sizeof(f->expected)))
			f->expected[0] = 0;
	} else if (c->url_fault &&
		   ses_url_suggest(bytes_of_str(c->url_text), text,
				   sizeof(text)) &&
		   ses_url_redact(bytes_of_str(text), f->expected,
				  sizeof(f->expected)) < 0) {
		f->expected[0] = 0;
	}
	f->proven = f->expected[0] != 0;
	know(f, "expected", f->expected);
}

static void know_the_url(struct facts *f)
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
static void know_the_upstream(struct facts *f)
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
static void know_the_slash(struct facts *f)
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

static void know_the_request(struct facts *f)
{
	const struct doctor_case *c = f->chart->c;
	const char *name;

	if (c->origin)
		copy(f, bytes_of_str(c->origin), f->origin, sizeof(f->origin));
	else if (f->key && f->key->trial.change == DOCTOR_ORIGIN)
		copy(f, bytes_of_str(f->key->trial.value), f->origin,
		     sizeof(f->origin));
	know(f, "origin", f->origin);
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
	know(f, "user_agent", f->agent);
	if (c->source)
		snprintf(f->address, sizeof(f->address), "%s", c->source);
	else if (doctor_is_loopback(c))
		snprintf(f->address, sizeof(f->address), "127.0.0.1");
	know(f, "address", f->address);
}

static void know_the_answer(struct facts *f)
{
	const struct ses_tls_info *tls;
	const struct doctor_probe *end = f->key ? f->key : f->base;
	char text[300];

	if (!f->base)
		return;
	tls = &f->base->dial.tls;
	doctor_result_text(f->base, text, sizeof(text));
	copy(f, bytes_of_str(text), f->result, sizeof(f->result));
	know(f, "result", f->result);
	snprintf(f->seconds, sizeof(f->seconds), "%.1f", end->open_ms / 1000);
	know(f, "seconds", f->seconds);
	if (tls->fault == SES_TLS_EXPIRED && tls->not_after[0])
		snprintf(text, sizeof(text), "valid from %s to %s",
			 tls->not_before, tls->not_after);
	else if (tls->fault == SES_TLS_HOSTNAME && tls->n_names > 0)
		snprintf(text, sizeof(text), "it is for %s%s", tls->names[0],
			 tls->n_names > 1 ? " and others" : "");
	else
		snprintf(text, sizeof(text), "%s",
			 tls->alert[0] ? tls->alert : tls->text);
	copy(f, bytes_of_str(text), f->tls, sizeof(f->tls));
	know(f, "tls", f->tls);
}

/* Whether a WebSocket can be had over HTTP/2, if anybody looked. */
static void know_about_h2(struct facts *f)
{
	const struct doctor_probe *p = doctor_tried(f->chart, DOCTOR_H2, NULL);

	know(f, "h2",
	     !p || !p->h2_spoken ? "; whether it takes WebSocket over HTTP/2 "
				   "(RFC 8441) was not seen"
	     : p->h2_offered ? "; WebSocket over HTTP/2 (RFC 8441) is offered"
			     : "; WebSocket over HTTP/2 (RFC 8441) is not "
			       "offered");
}

/* A refusal by sesame has a reference that its log knows. */
static void know_the_reference(struct facts *f)
{
	static const char word[] = "Reference: ";
	const struct doctor_probe *p = f->base;
	struct bytes text;
	const uint8_t *hit;
	uint64_t number;

	if (!p || !p->status || f->chart->blind)
		return;
	text = ses_head_get(&p->parsed, "Sesame-Reference");
	hit = text.data || p->body_len == 0
		      ? NULL
		      : memmem(p->body, p->body_len, word, sizeof(word) - 1);
	if (hit)
		text = bytes_first(bytes_of(hit + sizeof(word) - 1,
					    p->body_len -
						    (size_t)(hit - p->body) -
						    (sizeof(word) - 1)),
				   WHY_REFERENCE_SIZE - 1);
	if (!text.data || !why_reference_read(text, &number))
		return;
	why_reference_write(number, f->v->reference);
	know(f, "reference", f->v->reference);
}

static void know_the_fault(struct facts *f)
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

/* ---- what two ways to the server came to ---- */

/* Where @p connected, or failed to; "" when it did not come so far. */
static const char *place_of(const struct doctor_probe *p)
{
	for (size_t i = p->dial.n_steps; i > 0; i--)
		if (p->dial.step[i - 1].kind == SES_DIAL_CONNECT)
			return p->dial.step[i - 1].what;
	return "";
}

static void know_the_families(struct facts *f)
{
	const struct doctor_probe *p = other_family(f);
	const char *at = f->base ? place_of(f->base) : "";
	const char *there = p ? place_of(p) : "";
	char text[300], result[256];

	at = *at ? at : f->host_port;
	snprintf(f->nobody, sizeof(f->nobody),
		 doctor_found(f->chart, DOCTOR_F_TCP_REFUSED)
			 ? "Nothing listens at %s"
			 : "%s does not answer",
		 at);
	know(f, "nobody", f->nobody);
	if (!p) {
		know(f, "elsewhere",
		     "the server may listen on the other address family alone");
		return;
	}
	if (*there)
		snprintf(text, sizeof(text), "at %s", there);
	else
		doctor_trial_text(f->chart->c, &p->trial, text, sizeof(text));
	doctor_result_text(p, result, sizeof(result));
	if (p->outcome != DOCTOR_OPEN)
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "something %s answers %s, and may be the server", text,
			 result);
	else if (f->pastable)
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "%s the same request opens: %s", text, f->expected);
	else
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "%s the same request opens", text);
	know(f, "elsewhere", f->elsewhere);
}

/* Statuses that do not come from somebody who looked at a WebSocket. */
static bool is_no_websocket(int status)
{
	return status / 100 == 2 || status / 100 == 3 || status == 404 ||
	       status == 405 || status == 421;
}

static void know_the_misfit(struct facts *f)
{
	const struct doctor_case *c = f->chart->c;
	const struct doctor_probe *p =
		doctor_tried(f->chart, DOCTOR_SCHEME, NULL);
	char result[256];

	snprintf(f->misfit, sizeof(f->misfit), "The scheme does not fit: %s",
		 f->fault);
	if (p && p->outcome == DOCTOR_ANSWERED &&
	    doctor_found(f->chart, DOCTOR_F_SCHEME_ANSWERS))
		snprintf(f->misfit, sizeof(f->misfit),
			 "Port %s speaks %s. As %s:// it answers %s, which %s",
			 f->port, c->url.tls ? "plain HTTP, no TLS" : "TLS",
			 c->url.tls ? "ws" : "wss",
			 doctor_result_text(p, result, sizeof(result)),
			 is_no_websocket(p->status) ? "is no WebSocket either"
						    : "has a cause of its own");
	know(f, "misfit", f->misfit);
}

/* ---- who answered ---- */

static bool is_proxy_symptom(enum doctor_finding_kind kind)
{
	return kind >= DOCTOR_F_PROXY_407 && kind <= DOCTOR_F_PROXY_BROKEN;
}

static bool proxy_refused(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_findings; i++)
		if (is_proxy_symptom(chart->finding[i].kind))
			return true;
	return false;
}

/* Who wrote the forward proxy's answer to CONNECT. */
static void recognise_proxy(const struct doctor_probe *p, struct why_hops *ret)
{
	struct ses_head_parser parser;
	struct ses_head head = {0};
	enum ses_fault fault;
	struct bytes in = bytes_of(p->dial.proxy_head, p->dial.proxy_head_len);
	struct why_answer answer;

	*ret = (struct why_hops){.writer = -1};
	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	if (ses_head_finish(&parser, in, &head, &fault) <= 0)
		return;
	answer = (struct why_answer){
		.status = head.status,
		.reason = head.reason,
		.fields = head.fields,
		.n_fields = head.n_fields,
		.body = bytes_of(p->dial.proxy_body, p->dial.proxy_body_len),
	};
	why_recognise(&answer, ret);
}

static void name_hops(struct facts *f, const struct why_hops *h)
{
	struct doctor_verdict *v = f->v;

	for (size_t i = 0; i < h->n && v->n_hops < LEN(v->hop); i++)
		snprintf(v->hop[v->n_hops++], sizeof(v->hop[0]), "%s (%s)",
			 h->hop[i].text, h->hop[i].mark);
	if (h->writer < 0 || (size_t)h->writer >= h->n)
		return;
	snprintf(v->refused_by, sizeof(v->refused_by), "%s",
		 h->hop[h->writer].text);
	v->layer = why_stack(h->hop[h->writer].stack)->layer;
}

static void find_responder(struct facts *f, struct why_hops *ret_hops)
{
	bool proxy = f->base && proxy_refused(f->chart);

	*ret_hops = (struct why_hops){.writer = -1};
	if (!f->base || f->chart->blind)
		return;
	if (proxy)
		recognise_proxy(f->base, ret_hops);
	else if (f->base->status)
		*ret_hops = f->base->hops;
	name_hops(f, ret_hops);
	if (proxy) {
		if (!f->v->refused_by[0])
			snprintf(f->v->refused_by, sizeof(f->v->refused_by),
				 "the forward proxy");
		f->v->layer = WHY_LAYER_FORWARD_PROXY;
	}
	if (f->base->outcome == DOCTOR_OPEN) { /* nobody refused */
		f->v->refused_by[0] = 0;
		f->v->layer = WHY_LAYER_NONE;
	}
}

/* "proxy" when a proxy wrote the refusal, "server" otherwise. */
static const char *who_refused(const struct doctor_verdict *v)
{
	return v->layer == WHY_LAYER_REVERSE_PROXY ||
			       v->layer == WHY_LAYER_CDN ||
			       v->layer == WHY_LAYER_FORWARD_PROXY
		       ? "proxy"
		       : "server";
}

static const char *who_acts(const struct facts *f)
{
	const struct doctor_verdict *v = f->v;
	bool connected = f->base && f->base->outcome != DOCTOR_NO_CONNECTION;

	switch (v->cause) {
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_SERVER_CDN_WEBSOCKETS_OFF:
	case WHY_SERVER_BACKEND_DOWN:
	case WHY_SERVER_STICKY_SESSION:
	case WHY_NET_IDLE_TIMEOUT:
	case WHY_NET_PROXY_DENIED:
	case WHY_NET_PROXY_STRIPS_UPGRADE:
		return "proxy";
	case WHY_NET_TIMEOUT:
	case WHY_NET_RESET:
		return connected ? "server" : "network";
	case WHY_SERVER_VERSION:
		return doctor_found(f->chart, DOCTOR_F_VERSION_BY_HAND)
			       ? "client"
			       : "server";
	case WHY_SERVER_REDIRECT:
	case WHY_SERVER_LIMIT:
		return who_refused(v);
	default:
		return bytes_equal_str(why_category(v->cause), "access")
			       ? who_refused(v)
			       : why_cause(v->cause)->who;
	}
}

/* ---- the parts of the verdict ---- */

static const char *outcome_of(const struct facts *f)
{
	if (!f->base)
		return "unreachable";
	switch (f->base->outcome) {
	case DOCTOR_OPEN:
		return f->v->cause == WHY_OK ? "open" : "broken";
	case DOCTOR_ANSWERED:
	case DOCTOR_CLOSED_AFTER:
		return "refused";
	case DOCTOR_BAD_101:
	case DOCTOR_BAD_FRAME:
	case DOCTOR_CUT_AFTER:
		return "broken";
	default:
		return "unreachable";
	}
}

static const struct {
	const char *proven, *otherwise;
} summaries[] = {
#define SUMMARY(cause, proven, otherwise) [WHY_##cause] = {proven, otherwise},
#include "doctor/summaries.def"
#undef SUMMARY
};

static const char *value_of(const struct facts *f, const char *name, size_t len)
{
	for (size_t i = 0; i < f->n_values; i++)
		if (strlen(f->value[i].name) == len &&
		    strncmp(f->value[i].name, name, len) == 0)
			return f->value[i].value;
	return "unknown";
}

/* Summaries know more names than remedies do. */
static void fill_summary(const struct facts *f, const char *text, char *out,
			 size_t size)
{
	size_t len = 0;

	while (*text && len + 1 < size) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		int n;

		if (!end) {
			out[len++] = *text++;
			continue;
		}
		n = snprintf(out + len, size - len, "%s",
			     value_of(f, text + 1, (size_t)(end - text) - 1));
		len = (size_t)n < size - len ? len + (size_t)n : size - 1;
		text = end + 1;
	}
	out[len] = 0;
}

static void summarise(struct facts *f)
{
	const char *text = summaries[f->v->cause].otherwise;
	const char *proven = summaries[f->v->cause].proven;
	char *s = f->v->summary;

	if (f->proven && proven && f->v->cause != WHY_OK)
		text = proven;
	fill_summary(f, text, s, sizeof(f->v->summary));
	if (*s >= 'a' && *s <= 'z' && strncmp(text, "{server}", 8) == 0 &&
	    !f->v->refused_by[0])
		*s ^= 0x20; /* "the server" begins the sentence */
}

static void add_evidence(struct facts *f, const struct doctor_finding *finding,
			 double weight)
{
	struct doctor_verdict *v = f->v;
	char *line = v->evidence[v->n_evidence];

	for (size_t i = 0; i < v->n_evidence; i++)
		if (strstr(v->evidence[i], finding->text))
			return; /* the same words, heard in two ways */
	if (finding->probe)
		snprintf(line, sizeof(v->evidence[0]), "probe %d: %s",
			 finding->probe, finding->text);
	else
		snprintf(line, sizeof(v->evidence[0]), "%s%s",
			 f->base ? "" : "URL: ", finding->text);
	v->evidence_weight[v->n_evidence++] = weight;
}

/* Findings that only say that nothing is special are no evidence to show. */
static bool is_ordinary(enum doctor_finding_kind kind, enum why_cause cause)
{
	static const enum doctor_finding_kind ordinary[] = {
		DOCTOR_F_PLAIN,
		DOCTOR_F_PROXY_NOT_USED,
		DOCTOR_F_HANDSHAKE_STANDARD,
		DOCTOR_F_HEAD_SMALL,
		DOCTOR_F_CREDENTIALS_NOT_SENT,
		DOCTOR_F_SUBPROTOCOL_NOT_SENT};

	for (size_t i = 0; i < LEN(ordinary); i++)
		if (ordinary[i] == kind)
			return true;
	return kind == DOCTOR_F_ORIGIN_NOT_SENT &&
	       cause != WHY_ACCESS_ORIGIN_MISSING;
}

/* What was asked for by name, or changes how all the rest is to be read. */
static bool is_always_told(enum doctor_finding_kind kind)
{
	static const enum doctor_finding_kind told[] = {
		DOCTOR_F_SPLIT,		DOCTOR_F_BACKEND_SAME,
		DOCTOR_F_BACKEND_OPENS, DOCTOR_F_BACKEND_DIFFERS,
		DOCTOR_F_BACKEND_GONE,	DOCTOR_F_PAGE_LOST,
		DOCTOR_F_PAGE_UPGRADES, DOCTOR_F_PAGE_SANDBOXED};

	for (size_t i = 0; i < LEN(told); i++)
		if (told[i] == kind)
			return true;
	return doctor_is_symptom(kind);
}

static void gather_evidence(struct facts *f, const struct doctor_opinion *o)
{
	const struct doctor_chart *chart = f->chart;
	bool taken[DOCTOR_MAX_FINDINGS] = {false};

	while (f->v->n_evidence < DOCTOR_MAX_EVIDENCE) {
		size_t best = chart->n_findings;

		for (size_t i = 0; i < chart->n_findings; i++)
			if (!taken[i] &&
			    !is_ordinary(chart->finding[i].kind, o->best) &&
			    (o->weight[i] >= LEAST_EVIDENCE ||
			     is_always_told(chart->finding[i].kind)) &&
			    (best == chart->n_findings ||
			     o->weight[i] > o->weight[best]))
				best = i;
		if (best == chart->n_findings)
			return;
		taken[best] = true;
		add_evidence(f, &chart->finding[best], o->weight[best]);
	}
}

/* The key is a proof when what it shows speaks for the cause. */
static bool proves(const struct facts *f, const struct doctor_opinion *o)
{
	for (size_t i = 0; f->key && i < f->chart->n_findings; i++)
		if (f->chart->finding[i].probe == f->key->n && o->weight[i] > 0)
			return true;
	return false;
}

static void prove(struct facts *f)
{
	struct doctor_verdict *v = f->v;
	char result[256];

	if (!f->key || v->cause == WHY_OK)
		return;
	v->proof.given = true;
	v->proof.probe = f->key->n;
	doctor_trial_text(f->chart->c, &f->key->trial, v->proof.changed,
			  sizeof(v->proof.changed));
	doctor_result_text(f->key, result, sizeof(result));
	copy(f, bytes_of_str(result), v->proof.result, sizeof(v->proof.result));
	v->proof.repeated = doctor_repeats(f->chart, &f->key->trial);
}

/* ---- remedies ---- */

static bool is_known_fix(const struct doctor_verdict *v, const char *what)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strcmp(v->fix[i].what, what) == 0)
			return true;
	return false;
}

/* Whether all that @text cannot do without is known. */
static bool is_telling(const struct facts *f, const char *text)
{
	return ((f->proven && f->pastable) || !strstr(text, "{expected}")) &&
	       (f->slashed[0] || !strstr(text, "{slashed}"));
}

static void fill(const struct facts *f, const char *text, char *out, size_t size)
{
	out[0] = 0;
	if (text && is_telling(f, text))
		why_remedy_fill(text, f->value, f->n_values, out, size);
}

/* Where it goes, and into whose configuration. */
static void fill_place(const struct facts *f, const struct why_remedy *r,
		       char *out, size_t size)
{
	char where[128];

	fill(f, r->where, where, sizeof(where));
	if (r->stack == WHY_STACK_NONE)
		snprintf(out, size, "%s", where);
	else
		snprintf(out, size, "%s%s%s", why_stack(r->stack)->name,
			 where[0] ? ", " : "", where);
}

static void add_fix(struct facts *f, const struct why_remedy *r)
{
	struct doctor_verdict *v = f->v;
	struct doctor_fix *fix = &v->fix[v->n_fixes];

	if (v->n_fixes == DOCTOR_MAX_FIXES)
		return;
	fill(f, r->what, fix->what, sizeof(fix->what));
	if (!fix->what[0] || is_known_fix(v, fix->what))
		return;
	fix->who = r->who;
	fix->stack = r->stack ? why_stack(r->stack)->id : NULL;
	fill_place(f, r, fix->where, sizeof(fix->where));
	fill(f, r->snippet, fix->snippet, sizeof(fix->snippet));
	v->n_fixes++;
}

/* What the client can do, or whoever is meant: @who NULL. */
static void add_fixes_for(struct facts *f, enum why_stack stack, const char *who)
{
	const struct why_remedy *r;

	for (size_t i = 0; (r = why_remedy(f->v->cause, stack, i)); i++)
		if ((r->stack == WHY_STACK_NONE) == (stack == WHY_STACK_NONE) &&
		    (!who || strcmp(r->who, who) == 0))
			add_fix(f, r);
}

static bool is_proxy(enum why_stack stack)
{
	return why_stack(stack)->layer <= WHY_LAYER_REVERSE_PROXY;
}

static void add_fixes_for_layer(struct facts *f, const struct why_hops *h,
				bool proxies, const char *who)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->hop[i].stack != WHY_STACK_NONE &&
		    is_proxy(h->hop[i].stack) == proxies)
			add_fixes_for(f, h->hop[i].stack, who);
}

/*
 * Causes for which a proxy may act without leaving a mark: the answer is the
 * application's own, or there was none to know it by. The usual ones then each
 * get a say, since one of them probably stands there.
 */
static bool may_be_unseen(const struct facts *f)
{
	switch (f->v->cause) {
	case WHY_NET_IDLE_TIMEOUT:
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
		return true;
	case WHY_SERVER_HTTP2:
	case WHY_TLS_VERSION:
	case WHY_ACCESS_CLIENT_CERT:
	case WHY_ACCESS_USER_AGENT:
	case WHY_ACCESS_IP:
		return f->v->status == 0;
	default:
		return false;
	}
}

static bool is_seen(const struct why_hops *h, bool proxy)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->hop[i].stack != WHY_STACK_NONE &&
		    is_proxy(h->hop[i].stack) == proxy)
			return true;
	return false;
}

static void add_fixes_for_unseen(struct facts *f, const struct why_hops *h)
{
	static const enum why_stack usual[] = {
		WHY_STACK_NGINX, WHY_STACK_HAPROXY, WHY_STACK_APACHE,
		WHY_STACK_CADDY};

	if (f->chart->blind || is_seen(h, true) || !may_be_unseen(f))
		return;
	add_fixes_for(f, WHY_STACK_NONE, "proxy");
	for (size_t i = 0; i < LEN(usual); i++) {
		const struct why_remedy *r =
			why_remedy(f->v->cause, usual[i], 0);

		if (r && r->stack == usual[i])
			add_fix(f, r);
	}
}

/* What a proxy does wrong, whoever then refuses. */
static bool is_of_the_proxy(enum why_cause cause)
{
	switch (cause) {
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_SERVER_CDN_WEBSOCKETS_OFF:
	case WHY_SERVER_STICKY_SESSION:
	case WHY_SERVER_BACKEND_DOWN:
	case WHY_NET_IDLE_TIMEOUT:
		return true;
	default:
		return false;
	}
}

/*
 * The rules that refused are the writer's, and no other's. Where the writer is
 * unknown, the application's come first: a proxy's own page is known.
 */
static void add_fixes_for_refuser(struct facts *f, const struct why_hops *h,
				  const char *who)
{
	if (h->writer >= 0 && (size_t)h->writer < h->n) {
		add_fixes_for(f, h->hop[h->writer].stack, who);
		return;
	}
	add_fixes_for_layer(f, h, false, who);
	if (f->v->cause != WHY_SERVER_FORWARDED_UNTRUSTED)
		add_fixes_for_layer(f, h, true, who);
}

static void prescribe_to(struct facts *f, const struct why_hops *h,
			 const char *who)
{
	if (is_of_the_proxy(f->v->cause)) {
		add_fixes_for_layer(f, h, true, who);
		add_fixes_for_unseen(f, h);
		add_fixes_for_layer(f, h, false, who);
	} else {
		add_fixes_for_refuser(f, h, who);
	}
	add_fixes_for(f, WHY_STACK_NONE, who);
}

/* What the server could do instead opens the door a little for others too. */
static bool client_comes_first(enum why_cause cause)
{
	return cause == WHY_ACCESS_CREDENTIALS ||
	       cause == WHY_ACCESS_CLIENT_CERT ||
	       cause == WHY_ACCESS_ORIGIN_MISSING || cause == WHY_ACCESS_RATE;
}

/* What settles it before anybody changes anything: the refuser's own log. */
static void advise_to_look(struct facts *f, const struct why_hops *h)
{
	struct doctor_fix *fix = &f->v->fix[f->v->n_fixes];
	char words[256];

	if (f->v->n_fixes == DOCTOR_MAX_FIXES ||
	    !*doctor_log_words(f->v->cause, h, words, sizeof(words)))
		return;
	*fix = (struct doctor_fix){.who = f->v->who};
	snprintf(fix->what, sizeof(fix->what), "To be sure, look: %s", words);
	f->v->n_fixes++;
}

static void prescribe(struct facts *f, const struct why_hops *h)
{
	if (f->v->confidence < IN_DOUBT)
		advise_to_look(f, h);
	if (client_comes_first(f->v->cause))
		prescribe_to(f, h, "client");
	prescribe_to(f, h, NULL);
	add_fixes_for_unseen(f, h); /* if that was not its turn yet */
	if (f->v->confidence >= IN_DOUBT && f->v->confidence < SURE_ENOUGH)
		advise_to_look(f, h);
}

/* ---- alternatives ---- */

static void weigh_alternatives(struct facts *f, const struct doctor_opinion *o,
			       const struct why_hops *hops)
{
	struct doctor_verdict *v = f->v;
	bool taken[WHY_N_CAUSES] = {false};

	if (f->chart->c->url_error)
		return; /* nothing was asked that could decide */
	taken[o->best] = true;
	while (v->n_alternatives < DOCTOR_MAX_ALTERNATIVES) {
		int best = -1;

		for (int c = 0; c < WHY_N_CAUSES; c++)
			if (!taken[c] && (best < 0 || o->p[c] > o->p[best]))
				best = c;
		if (best < 0 || o->p[best] < LEAST_ALTERNATIVE)
			return;
		taken[best] = true;
		v->alternative[v->n_alternatives].cause = (enum why_cause)best;
		v->alternative[v->n_alternatives].confidence = o->p[best];
		doctor_tell_apart(v->n_alternatives ? NULL : f->chart->c,
				  o->best, (enum why_cause)best, hops,
				  v->alternative[v->n_alternatives].tell_apart,
				  sizeof(v->alternative[0].tell_apart));
		v->n_alternatives++;
	}
}

void doctor_pronounce(const struct doctor_chart *chart,
		      const struct doctor_opinion *opinion,
		      struct doctor_verdict *ret_verdict)
{
	struct doctor_verdict *v = ret_verdict;
	struct facts f = {.chart = chart, .v = v};
	struct why_hops hops;

	*v = (struct doctor_verdict){.cause = opinion->best,
				     .confidence = opinion->p[opinion->best]};
	f.base = doctor_baseline(chart);
	f.key = doctor_key(chart);
	if (!proves(&f, opinion))
		f.key = NULL;
	v->status = f.base ? f.base->status : 0;
	v->outcome = outcome_of(&f);
	find_responder(&f, &hops);
	v->who = who_acts(&f);
	expect(&f);
	know_the_url(&f);
	know_the_request(&f);
	know_the_upstream(&f);
	know_the_answer(&f);
	know_the_slash(&f);
	know_the_reference(&f);
	know_about_h2(&f);
	know_the_fault(&f);
	know_the_families(&f);
	know_the_misfit(&f);
	summarise(&f);
	gather_evidence(&f, opinion);
	prove(&f);
	doctor_config_prescribe(chart, v);
	prescribe(&f, &hops);
	weigh_alternatives(&f, opinion, &hops);
}
