/* SPDX-License-Identifier: MIT */
/*
 * The values of this very case that texts have braces for: the URL and its
 * parts, what was sent and what came, and what would have been right, which
 * only the handshake that opened can tell.
 */
#include "doctor/facts.h"

#include <ctype.h>
#include <netdb.h>
#include <stdio.h>

#include <sesame/error.h>

#include "base/base64.h"
#include "doctor/disclosed.h"
#include "doctor/harvest.h"
#include "doctor/proxy_kind.h"
#include "doctor/redact.h"
#include "doctor/result.h"
#include "net/addr.h"
#include "why/reference.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void know(struct doctor_facts *f, const char *name, const char *value)
{
	if (*value && f->n_values < LEN(f->value))
		f->value[f->n_values++] = (struct why_value){name, value};
}

static void copy(const struct doctor_facts *f, struct bytes from, char *out,
		 size_t size)
{
	doctor_redact(f->chart->c, from, out, size);
}

/* The URL with what the key changed about it. */
static void write_url(const struct doctor_facts *f,
		      const struct doctor_trial *t, char *out, size_t size)
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
	if (t->change == DOCTOR_NAME) {
		url.host = bytes_of_str(t->value);
		url.host_kind = SES_HOST_NAME;
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
static const struct doctor_probe *other_family(const struct doctor_facts *f)
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
static bool write_address(const struct doctor_facts *f,
			  const struct doctor_probe *p, char *out, size_t size)
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
static void expect_of_key(struct doctor_facts *f)
{
	const struct doctor_trial *t = &f->key->trial;

	switch (t->change) {
	case DOCTOR_SCHEME:
	case DOCTOR_PORT:
	case DOCTOR_PATH:
	case DOCTOR_NAME:
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

/* Any name opens there: which one is meant is not to be seen from outside. */
static void expect_below(struct doctor_facts *f)
{
	struct doctor_trial t = f->key->trial;
	char *name;

	t.value[strcspn(t.value, "?")] = 0;
	name = strrchr(t.value, '/') + 1;
	snprintf(name, (size_t)(t.value + sizeof(t.value) - name), "NAME");
	write_url(f, &t, f->expected, sizeof(f->expected));
	f->pastable = false;
}

/* "with no Origin", "without the query": what opens, as part of a sentence. */
static void know_the_change(struct doctor_facts *f)
{
	static const char *const begins[] = {"with", "over ", "from ", "under ",
					     "straight "};
	const char *changed = f->v->proof.changed;
	bool fits = false;

	for (size_t i = 0; i < LEN(begins); i++)
		fits |= strncmp(changed, begins[i], strlen(begins[i])) == 0;
	if (*changed)
		snprintf(f->by, sizeof(f->by), "%s%s", fits ? "" : "with ",
			 changed);
	know(f, "by", f->by);
}

static void expect(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	char text[600];

	f->pastable = true;
	if (f->key && doctor_any_name_opens(f->chart)) {
		expect_below(f);
	} else if (f->key) {
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
	know_the_change(f);
	know(f, "expected", f->expected);
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
	snprintf(f->seconds, sizeof(f->seconds), "%.1f", end->open_ms / 1000);
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

/* ---- what two ways to the server came to ---- */

/* Where @p connected, or failed to; "" when it did not come so far. */
static const char *place_of(const struct doctor_probe *p)
{
	for (size_t i = p->dial.n_steps; i > 0; i--)
		if (p->dial.step[i - 1].kind == SES_DIAL_CONNECT)
			return p->dial.step[i - 1].what;
	return "";
}

static void know_the_families(struct doctor_facts *f)
{
	const struct doctor_probe *p = other_family(f);
	const char *at = f->base ? place_of(f->base) : "";
	const char *there = p ? place_of(p) : "";
	bool unnamed =
		doctor_found(f->chart, DOCTOR_F_NAMES_OTHER_FAMILY) != NULL;
	char text[300], result[256];

	at = *at ? at : f->host_port;
	if (unnamed)
		snprintf(f->nobody, sizeof(f->nobody),
			 "-%d asks for IPv%d, and %s has no such address: %s",
			 f->chart->c->family, f->chart->c->family, f->host,
			 f->result);
	else
		snprintf(f->nobody, sizeof(f->nobody),
			 doctor_found(f->chart, DOCTOR_F_TCP_REFUSED)
				 ? "Nothing listens at %s"
				 : "%s does not answer",
			 at);
	know(f, "nobody", f->nobody);
	if (!p && unnamed) {
		snprintf(f->elsewhere, sizeof(f->elsewhere), "leave out -%d",
			 f->chart->c->family);
		know(f, "elsewhere", f->elsewhere);
		return;
	}
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

static void know_the_misfit(struct doctor_facts *f)
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

void doctor_know(struct doctor_facts *f)
{
	expect(f);
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
	know(f, "credentials",
	     doctor_has_credentials(f->chart->c)
		     ? "the credentials that were sent are wrong, expired or "
		       "not where it looks for them"
		     : "credentials are missing, or not where it looks for "
		       "them");
	know_the_families(f);
	know_the_misfit(f);
}
