/* SPDX-License-Identifier: MIT */
/*
 * What the experiments show that are no pair of handshakes: HTTP/2, the other
 * transport of engine.io, the page that opens the WebSocket, the application
 * behind the proxy, and servers that disagree among themselves. Pure.
 */
#include "doctor/finding_inner.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/csp.h"
#include "doctor/harvest_inner.h"
#include "doctor/nodes.h"
#include "doctor/redact.h"

/* From so many bytes on, a head is a packet that a tunnel may have no room for. */
#define PACKET_HEAD 1000

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

/* Somebody was let in before @p, and since then nobody gets any answer. */
static bool takes_one_at_a_time(const struct doctor_chart *chart,
				const struct doctor_probe *p)
{
	bool taken = false, waits = false;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *q = chart->probe[i];

		if (taken && q->status)
			return false;
		waits |= taken && q == p;
		taken |= got_in(q);
	}
	return waits;
}

/*
 * Another address may have a share of its own, which is soon used up, too. And
 * who stands behind the one that refuses may not survive being let through to:
 * the gateway's error is then as good a proof that the refuser let it pass.
 */
static bool is_used_up(const struct doctor_chart *chart,
		       const struct doctor_probe *p)
{
	if (!is_own(&p->trial) && takes_one_at_a_time(chart, p))
		return true;
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

bool doctor_fills_packet(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_NO_ANSWER && p->error == SESAME_ETIMEOUT &&
	       p->request && strlen(p->request) >= PACKET_HEAD;
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

/*
 * Whether it was the first time alone: something came and went, as when a
 * server starts. Servers that take turns would have refused again.
 */
static bool has_passed(const struct doctor_chart *chart, struct doctor_score s)
{
	if (got_in(doctor_baseline(chart)) || s.n < 4 || s.opened != s.n - 1)
		return false;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_trial *t = &chart->probe[i]->trial;

		if (!is_own(t) && doctor_wavers(chart, t))
			return false;
	}
	return true;
}

/* Who asks is known at one time and unknown at another: so it is where each
 * server has the sessions that it opened. */
static void find_split_session(struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (is_own(&p->trial) && (p->status == 401 || p->status == 403) &&
		    doctor_found(chart, DOCTOR_F_CREDENTIALS_SENT)) {
			doctor_note(chart, DOCTOR_F_SPLIT_SESSION, p, NULL,
				    "the same credentials were known some "
				    "times, and unknown at others");
			return;
		}
	}
}

/* Each server that names itself is of one mind, and they are of two. */
static void find_split_by_node(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_nodes nodes;
	bool opens = false, refuses = false;
	char text[300];

	doctor_count_nodes(chart, &nodes);
	for (size_t i = 0; i < nodes.n; i++) {
		if (nodes.node[i].opened && nodes.node[i].refused)
			return;
		opens |= nodes.node[i].opened > 0;
		refuses |= nodes.node[i].refused > 0;
	}
	doctor_nodes_text(&nodes, text, sizeof(text));
	if (opens && refuses)
		doctor_note(chart, DOCTOR_F_SPLIT_BY_NODE, base, NULL,
			    "of the servers that share the load (%s)", text);
}

static void find_split(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_score s = doctor_score(chart, &base->trial);

	if (has_passed(chart, s))
		doctor_note(chart, DOCTOR_F_PASSED, base, NULL,
			    "the very same request was let in the %d times "
			    "after that: what was in the way came and went",
			    s.opened);
	else if (doctor_wavers(chart, &base->trial) && s.n >= 3) {
		find_split_session(chart);
		find_split_by_node(chart);
		doctor_note(chart, DOCTOR_F_SPLIT, base, NULL,
			    "the very same request was refused %d of %d times: "
			    "servers that share the load disagree, or the time "
			    "decides",
			    s.n - s.opened, s.n);
	}
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
bool doctor_answers_tls_in_http(const struct doctor_chart *chart)
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
	    !doctor_speaks_http(chart) && doctor_answers_tls_in_http(chart))
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
		      (answers_http1(chart) || doctor_answers_tls_in_http(chart));
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

/* ---- CORS ---- */

static void find_preflight(struct doctor_chart *chart)
{
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_PREFLIGHT, NULL);
	struct bytes allowed;

	if (!p || p->outcome != DOCTOR_ANSWERED)
		return;
	allowed = doctor_field(p, "Access-Control-Allow-Origin");
	if (allowed.len > 1 && !bytes_equal_str(allowed, p->trial.value))
		doctor_note(chart, DOCTOR_F_CORS_NAMES, p, NULL,
			    "asked by CORS, the server allows the origin %.*s",
			    BYTES_ARG(bytes_first(allowed, 120)));
}

/* ---- the page ---- */

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

/* As asked it opens; as the page in the sandbox would ask it does not. */
static void find_null_refused(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_ORIGIN, "null");
	char result[160];

	if (!p || base->outcome != DOCTOR_OPEN || p->outcome == DOCTOR_OPEN ||
	    !doctor_found(chart, DOCTOR_F_PAGE_SANDBOXED))
		return;
	doctor_note(chart, DOCTOR_F_PAGE_NULL_REFUSED, p, base,
		    "with Origin: null, which a browser sends for this page: "
		    "%s",
		    doctor_result_text(p, result, sizeof(result)));
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
	if (p->status / 100 == 2 && doctor_csp_scriptless(p))
		doctor_note(chart, DOCTOR_F_PAGE_SCRIPTLESS, p, NULL,
			    "the page's policy puts it into a sandbox without "
			    "allow-scripts, so none of its scripts runs");
	find_null_refused(chart);
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
	doctor_find_sessions(chart);
	find_preflight(chart);
	find_given_page(chart);
	find_backend(chart);
	doctor_find_nodes(chart);
	find_split(chart);
}
