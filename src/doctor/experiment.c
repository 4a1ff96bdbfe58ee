/* SPDX-License-Identifier: MIT */
/*
 * What the experiments show that are no pair of handshakes: HTTP/2, the other
 * transport of engine.io, the page that opens the WebSocket, the application
 * behind the proxy, and servers that disagree among themselves. Pure.
 */
#include "doctor/finding.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/csp.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"
#include "doctor/result.h"

static bool opened(const struct doctor_probe *p)
{
	return p && p->outcome == DOCTOR_OPEN;
}

/* ---- the same request several times ---- */

/* The user's own request; with a longer watch it is still the same. */
static bool is_own(const struct doctor_trial *t)
{
	return t->change == DOCTOR_NOTHING || t->change == DOCTOR_HOLD;
}

static bool same_question(const struct doctor_trial *a,
			  const struct doctor_trial *b)
{
	return a->change == b->change ? strcmp(a->value, b->value) == 0
				      : is_own(a) && is_own(b);
}

/* Whether a 101 came, whatever happened to it later. */
static bool got_in(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_OPEN ||
	       (p->outcome != DOCTOR_ANSWERED && p->status == 101);
}

/* Whether some answer to the user's own request was an error of a gateway. */
static bool fails_itself(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (is_own(&chart->probe[i]->trial) &&
		    chart->probe[i]->status >= 500)
			return true;
	return false;
}

/*
 * Another address may have a share of its own, which is soon used up, too. And
 * who stands behind the one that refuses may not survive being let through to:
 * the gateway's error is then as good a proof that the refuser let it pass.
 */
static bool is_used_up(const struct doctor_chart *chart,
		       const struct doctor_probe *p)
{
	if (!is_own(&p->trial) && p->status >= 502 && p->status <= 504 &&
	    !fails_itself(chart))
		return true;
	return p->trial.change == DOCTOR_SOURCE &&
	       (p->status == 429 || p->status == 503);
}

struct doctor_score doctor_score(const struct doctor_chart *chart,
				 const struct doctor_trial *trial)
{
	struct doctor_score s = {0};

	for (size_t i = 0; i < chart->n_probes; i++)
		if (same_question(&chart->probe[i]->trial, trial)) {
			s.n++;
			s.opened += got_in(chart->probe[i]);
			s.used_up += is_used_up(chart, chart->probe[i]);
		}
	return s;
}

bool doctor_wavers(const struct doctor_chart *chart,
		   const struct doctor_trial *trial)
{
	struct doctor_score s = doctor_score(chart, trial);

	return s.opened > 0 && s.opened + s.used_up < s.n;
}

/* Whether the user's own request was refused after @trial had opened. */
static bool refused_since(const struct doctor_chart *chart,
			  const struct doctor_trial *trial)
{
	bool had = false;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		had |= same_question(&p->trial, trial) && got_in(p);
		if (had && is_own(&p->trial) && !got_in(p))
			return true;
	}
	return false;
}

/*
 * Where servers disagree, one that happened to open shows nothing. A change
 * counts when it opened each time, and often enough to be no luck; and when the
 * request without it was refused later, too, for else the server itself changed
 * meanwhile.
 */
bool doctor_stands(const struct doctor_chart *chart,
		   const struct doctor_trial *trial)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_score s = doctor_score(chart, trial), own;

	if (doctor_wavers(chart, trial))
		return false;
	if (!base || is_own(trial) || !doctor_wavers(chart, &base->trial))
		return true;
	own = doctor_score(chart, &base->trial);
	return own.n < DOCTOR_TIMES ||
	       (s.n >= DOCTOR_TIMES - 1 && refused_since(chart, trial));
}

bool doctor_speaks_http(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->status &&
		    chart->probe[i]->trial.change != DOCTOR_PORT &&
		    chart->probe[i]->trial.change != DOCTOR_SCHEME &&
		    chart->probe[i]->trial.change != DOCTOR_PROXY_LINE &&
		    chart->probe[i]->trial.change != DOCTOR_H2)
			return true;
	return false;
}

/*
 * A page may hold a sentence of the day, or a nonce. Two bodies for the very
 * same question say how alike any two are that mean the same.
 */
void doctor_mark_chance(struct doctor_chart *chart)
{
	const struct doctor_probe *first =
		doctor_tried(chart, DOCTOR_NOTHING, NULL);
	double likeness = 0;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p == first || p->trial.change != DOCTOR_NOTHING ||
		    p->outcome != DOCTOR_ANSWERED ||
		    first->outcome != DOCTOR_ANSWERED ||
		    p->status != first->status ||
		    p->body_hash == first->body_hash)
			continue;
		likeness = doctor_likeness(first, p);
		break;
	}
	for (size_t i = 0; i < chart->n_probes; i++)
		chart->probe[i]->likeness = likeness;
}

static void find_split(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_score s = doctor_score(chart, &base->trial);

	if (doctor_wavers(chart, &base->trial) && s.n >= 3)
		doctor_note(chart, DOCTOR_F_SPLIT, base, NULL,
			    "the very same request was refused %d of %d times: "
			    "servers that share the load disagree, or the time "
			    "decides",
			    s.n - s.opened, s.n);
}

/* ---- HTTP/2 ---- */

/* An answer in HTTP/1.1 that is no word about the version. */
static bool answers_http1(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->status && p->status != 400 && p->status != 426 &&
		    p->status != 464 && p->status != 505 &&
		    !doctor_says(p, DOCTOR_F_SAYS_HTTP2) &&
		    p->trial.change != DOCTOR_PORT &&
		    p->trial.change != DOCTOR_SCHEME &&
		    p->trial.change != DOCTOR_PROXY_LINE &&
		    p->trial.change != DOCTOR_H2 &&
		    p->trial.change != DOCTOR_PAGE &&
		    p->trial.change != DOCTOR_BACKEND)
			return true;
	}
	return false;
}

/*
 * Who answers a TLS hello in HTTP/1 speaks that, whatever becomes of requests:
 * servers that take both drop what a rule forbids in either.
 */
static bool answers_tls_in_http1(const struct doctor_chart *chart)
{
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_SCHEME, NULL);

	return p && p->dial.tls.fault == SES_TLS_NOT_TLS &&
	       bytes_contains_nocase(bytes_of_str(p->dial.tls.text),
				     BYTES("\"HTTP/1."));
}

/*
 * Who finds fault with a TLS hello in HTTP/1, and ends what is no fault without
 * a word, has a rule for that: nginx's 444 for names that are none of its own.
 */
static void find_shut_in_http(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *get =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (base->outcome == DOCTOR_NO_ANSWER &&
	    base->error != SESAME_ETIMEOUT && get &&
	    get->outcome == DOCTOR_NO_ANSWER && get->error == base->error &&
	    !doctor_speaks_http(chart) && answers_tls_in_http1(chart))
		doctor_note(chart, DOCTOR_F_SHUT_IN_HTTP,
			    doctor_tried(chart, DOCTOR_SCHEME, NULL), NULL,
			    "HTTP is spoken there: a TLS hello is answered in "
			    "it, and proper requests are not");
}

static void find_h2(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_H2, NULL);
	bool proper = base->outcome != DOCTOR_ANSWERED &&
		      (answers_http1(chart) || answers_tls_in_http1(chart));
	char result[160];

	if (proper)
		doctor_note(chart, DOCTOR_F_HTTP1_ANSWERS, base, NULL,
			    "the port gives proper answers in HTTP/1.1");
	if (!p)
		return;
	doctor_result_text(p, result, sizeof(result));
	if (!p->h2_spoken)
		doctor_note(chart, DOCTOR_F_H2_NOT_SPOKEN, p, base,
			    "HTTP/2 is not spoken there: %s", result);
	else if (opened(p) && !opened(base))
		doctor_note(chart, DOCTOR_F_H2_OPENS, p, base,
			    "over HTTP/2 the same request opens (RFC 8441)");
	else if (base->outcome != DOCTOR_ANSWERED && !proper)
		doctor_note(chart, DOCTOR_F_H2_ANSWERS, p, base,
			    "the port speaks HTTP/2, WebSocket in it (RFC "
			    "8441) is %s: %s",
			    p->h2_offered ? "offered" : "not offered", result);
	else
		doctor_note(chart, DOCTOR_F_H2_TOO, p, base,
			    "HTTP/2 is spoken as well, WebSocket in it (RFC "
			    "8441) is %s: %s",
			    p->h2_offered ? "offered" : "not offered", result);
}

/* ---- sessions of engine.io ---- */

bool doctor_is_engine(const struct doctor_case *c)
{
	return bytes_contains_nocase(c->url.path, BYTES("/socket.io")) ||
	       bytes_contains_nocase(c->url.path, BYTES("/engine.io")) ||
	       (bytes_contains_nocase(c->url.query, BYTES("EIO=")) &&
		bytes_contains_nocase(c->url.query, BYTES("transport=")));
}

static struct bytes field_of(const struct doctor_probe *p, const char *name)
{
	return p->status ? ses_head_get(&p->parsed, name) : bytes_of(NULL, 0);
}

/* The name of the cookie that came with a session; who sends it back? */
static struct bytes cookie_name(const struct doctor_probe *p)
{
	struct bytes cookie = field_of(p, "Set-Cookie");
	ptrdiff_t equals = bytes_find_byte(cookie, '=');

	return bytes_first(cookie, equals < 0 ? 0 : (size_t)equals);
}

static void find_session(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart), *kept = NULL;
	const struct doctor_probe *polling =
		doctor_tried(chart, DOCTOR_POLLING, NULL);
	int n = 0, lost = 0;

	if (doctor_is_engine(chart->c) && base->outcome == DOCTOR_ANSWERED &&
	    !doctor_found(chart, DOCTOR_F_SESSION_IN_QUERY))
		doctor_note(chart, DOCTOR_F_SESSION_NOT_ASKED, base, NULL,
			    "the URL names no session that another node could "
			    "have");
	else if (doctor_is_engine(chart->c))
		doctor_note(chart, DOCTOR_F_ENGINE_PATH, base, NULL,
			    "the path is one of engine.io (Socket.IO), which "
			    "begins with plain requests and goes on by "
			    "WebSocket in the same session");
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		char result[160], cookie[80] = "";

		if (p->trial.change != DOCTOR_SESSION)
			continue;
		n++;
		if (p->outcome != DOCTOR_ANSWERED) {
			kept = p;
			continue;
		}
		lost++;
		doctor_result_text(p, result, sizeof(result));
		if (polling)
			bytes_printable(bytes_first(cookie_name(polling), 60),
					cookie, sizeof(cookie));
		doctor_note(chart, DOCTOR_F_SESSION_LOST, p, polling,
			    "a session that polling had just opened is refused "
			    "to the WebSocket: %s%s%s%s",
			    result, *cookie ? " (the cookie " : "", cookie,
			    *cookie ? " was sent back)" : "");
	}
	/* nodes that are picked by lot agree now and then */
	if (kept && lost == 0 && (n >= 3 || cookie_name(polling).len))
		doctor_note(chart, DOCTOR_F_SESSION_KEPT, kept, polling,
			    "a session that polling opened goes on by "
			    "WebSocket, %d of %d times",
			    n, n);
}

/* {"code":4,"message":"Forbidden"}: the number, or -1. */
static int engine_code(const struct doctor_probe *p)
{
	static const char name[] = "\"code\":";
	const uint8_t *hit;
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 4 ||
	    body.len == 0 || body.len > 300)
		return -1;
	hit = memmem(body.data, body.len, name, sizeof(name) - 1);
	if (!hit)
		return -1;
	body = bytes_from(body, (size_t)(hit - body.data) + sizeof(name) - 1);
	if (bytes_starts(body, BYTES("null")))
		return 4; /* before 3.4 a check's own "no" has no number */
	return body.len > 0 && body.data[0] >= '0' && body.data[0] <= '9'
		       ? body.data[0] - '0'
		       : -1;
}

/* Polling gets an answer that is none of engine.io: "0{...}", "97:0{...}". */
static bool is_other_page(const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->status == 404)
		return engine_code(p) < 0;
	return p->status == 200 && bytes_starts(bytes_trim(body), BYTES("<"));
}

/* What engine.io tells of itself over its other transport. */
static void find_engine(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_POLLING, NULL);
	struct bytes body;

	if (!p || p->outcome != DOCTOR_ANSWERED || opened(base))
		return;
	body = bytes_of(p->body, p->body_len);
	if (is_other_page(p) && (base->outcome == DOCTOR_NO_ANSWER ||
				 base->status == 502 || base->status == 504))
		doctor_note(chart, DOCTOR_F_ENGINE_LOST, p, base,
			    "over polling the same path is %s, and the "
			    "handshake gets another end: it arrives where "
			    "nobody takes it",
			    p->status == 404 ? "not found" : "a page");
	if (engine_code(p) == 4)
		doctor_note(chart, DOCTOR_F_ENGINE_FORBIDS, p, base,
			    "over polling the server says code 4: a check of "
			    "its own forbids the request");
	else if (engine_code(p) == 5)
		doctor_note(chart, DOCTOR_F_ENGINE_VERSION, p, base,
			    "over polling the server says code 5: it does not "
			    "speak the version that EIO= names");
	else if (engine_code(p) == 1)
		doctor_note(chart, DOCTOR_F_ENGINE_NO_SESSION, p, base,
			    "over polling the server says code 1: it does not "
			    "know the session");
	if (p->status != 200 || !bytes_contains_nocase(body, BYTES("\"sid\":")))
		return;
	if (bytes_contains_nocase(body, BYTES("\"upgrades\":[\"websocket\"")))
		doctor_note(chart, DOCTOR_F_ENGINE_OFFERS, p, base,
			    "over polling a session opens, and offers to go on "
			    "by WebSocket");
	else if (bytes_contains_nocase(body, BYTES("\"upgrades\":[]")))
		doctor_note(chart, DOCTOR_F_ENGINE_POLLS_ONLY, p, base,
			    "over polling a session opens, and offers no other "
			    "transport");
}

/* SockJS tells beside its WebSocket whether it has one. */
static void find_sockjs(struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes body = bytes_of(p->body, p->body_len);
		bool off = bytes_contains_nocase(body,
						 BYTES("\"websocket\":false"));

		if (p->trial.change != DOCTOR_PLAIN_GET_PATH ||
		    p->status != 200 || body.len > 1000 ||
		    !bytes_contains_nocase(body, BYTES("\"entropy\"")))
			continue;
		doctor_note(chart,
			    off ? DOCTOR_F_SOCKJS_OFF : DOCTOR_F_SOCKJS_ON, p,
			    doctor_baseline(chart),
			    "the SockJS server says of itself \"websocket\": "
			    "%s",
			    off ? "false" : "true");
	}
}

/* ---- CORS ---- */

static void find_preflight(struct doctor_chart *chart)
{
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_PREFLIGHT, NULL);
	struct bytes allowed;

	if (!p || p->outcome != DOCTOR_ANSWERED)
		return;
	allowed = field_of(p, "Access-Control-Allow-Origin");
	if (allowed.len > 1 && !bytes_equal_str(allowed, p->trial.value))
		doctor_note(chart, DOCTOR_F_CORS_NAMES, p, NULL,
			    "asked by CORS, the server allows the origin %.*s",
			    BYTES_ARG(bytes_first(allowed, 120)));
}

/* ---- the page ---- */

bool doctor_page_url(const struct doctor_case *c, struct ses_url *ret)
{
	enum ses_url_fault fault = SES_URL_OK;
	size_t at;

	return c->page &&
	       ses_url_parse(bytes_of_str(c->page), ret, &fault, &at) < 0 &&
	       fault == SES_URL_HTTP;
}

/* Names that browsers trust although no TLS protects them. */
static bool is_trusted_host(const struct ses_url *url)
{
	return (url->host_kind == SES_HOST_IPV4 &&
		bytes_starts(url->host, BYTES("127."))) ||
	       (url->host_kind == SES_HOST_IPV6 &&
		bytes_equal_str(url->host, "::1")) ||
	       bytes_equal_nocase(url->host, BYTES("localhost")) ||
	       (url->host.len > 10 &&
		bytes_equal_nocase(bytes_from(url->host, url->host.len - 10),
				   BYTES(".localhost")));
}

static void judge_page(struct doctor_chart *chart, const struct ses_url *page,
		       const struct doctor_probe *p)
{
	const struct doctor_case *c = chart->c;
	struct ses_url asked = c->url;
	char policy[300];

	if (!p)
		return;
	if (doctor_csp_has(p, "upgrade-insecure-requests", policy,
			   sizeof(policy)) &&
	    !asked.tls) {
		doctor_note(chart, DOCTOR_F_PAGE_UPGRADES, p, NULL,
			    "the page's policy makes wss: of this ws: URL (%s)",
			    policy);
		asked.tls = true;
		if (!asked.port_given)
			asked.port = 443;
	}
	if (doctor_csp_sandboxed(p))
		doctor_note(chart, DOCTOR_F_PAGE_SANDBOXED, p, NULL,
			    "the page's policy puts it into a sandbox, so its "
			    "Origin is null");
	if (page->tls && !asked.tls && !is_trusted_host(&asked))
		doctor_note(chart, DOCTOR_F_PAGE_MIXED, p, NULL,
			    "the page comes over https, the URL is ws: mixed "
			    "content, which browsers block");
	if (p->status / 100 == 2 &&
	    doctor_csp_page_forbids(p, page, &asked, policy, sizeof(policy)))
		doctor_note(chart, DOCTOR_F_PAGE_FORBIDS, p, NULL,
			    "the page's policy forbids it: %s", policy);
}

static void find_given_page(struct doctor_chart *chart)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_PAGE, c->page);
	struct ses_url page;

	if (!doctor_page_url(c, &page))
		return;
	if (p && p->outcome != DOCTOR_ANSWERED) {
		char result[160];

		doctor_note(chart, DOCTOR_F_PAGE_LOST, p, NULL,
			    "the page cannot be read: %s",
			    doctor_result_text(p, result, sizeof(result)));
	}
	if (!p && page.tls && !c->url.tls && !is_trusted_host(&c->url))
		doctor_note(chart, DOCTOR_F_PAGE_MIXED, NULL, NULL,
			    "the page comes over https, the URL is ws: mixed "
			    "content, which browsers block");
	judge_page(chart, &page, p);
}

/* ---- the backend ---- */

bool doctor_backend_host(const struct doctor_case *c, bool as_public, char *out,
			 size_t size)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url = c->url;
	size_t at;
	int n;

	if (as_public && c->host && *c->host) {
		n = snprintf(out, size, "%s", c->host);
		return n > 0 && (size_t)n < size;
	}
	if (!as_public &&
	    ses_url_parse(bytes_of_str(c->backend), &url, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP)
		return false;
	return ses_url_host_field(&url, out, size) >= 0;
}

static void find_backend(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *as_public = NULL, *as_own = NULL, *p;
	char result[160], hosts[2][300] = {"", ""};
	bool public_opens, own_opens;

	if (!chart->c->backend || opened(base))
		return;
	for (int i = 0; i < 2; i++)
		doctor_backend_host(chart->c, i == 0, hosts[i],
				    sizeof(hosts[i]));
	as_public = doctor_tried(chart, DOCTOR_BACKEND, hosts[0]);
	as_own = doctor_tried(chart, DOCTOR_BACKEND, hosts[1]);
	p = as_public ? as_public : as_own;
	if (!p)
		return;
	public_opens = opened(as_public);
	own_opens = opened(as_own);
	doctor_result_text(p, result, sizeof(result));
	if (public_opens && as_own && !own_opens &&
	    strcmp(hosts[0], hosts[1]) != 0)
		doctor_note(chart, DOCTOR_F_BACKEND_WANTS_HOST, as_own,
			    as_public,
			    "straight to the backend it opens with the public "
			    "Host %s, and not with the backend's own",
			    hosts[0]);
	else if (public_opens || own_opens)
		doctor_note(chart,
			    public_opens ? DOCTOR_F_BACKEND_OPENS
					 : DOCTOR_F_BACKEND_OPENS_OWN,
			    public_opens ? as_public : as_own, base,
			    "straight to the backend the same request opens%s",
			    public_opens
				    ? ""
				    : ", but only with its own name as Host");
	else if (p->outcome == DOCTOR_NO_CONNECTION)
		doctor_note(chart, DOCTOR_F_BACKEND_GONE, p, base,
			    "the backend cannot be reached: %s", result);
	else if (p->outcome == base->outcome && p->status == base->status)
		doctor_note(chart, DOCTOR_F_BACKEND_SAME, p, base,
			    "the backend, asked directly, refuses alike: %s",
			    result);
	else
		doctor_note(chart, DOCTOR_F_BACKEND_DIFFERS, p, base,
			    "the backend, asked directly, refuses otherwise: "
			    "%s",
			    result);
}

void doctor_find_experiments(struct doctor_chart *chart)
{
	find_shut_in_http(chart);
	find_h2(chart);
	find_session(chart);
	find_engine(chart);
	find_sockjs(chart);
	find_preflight(chart);
	find_given_page(chart);
	find_backend(chart);
	find_split(chart);
}
