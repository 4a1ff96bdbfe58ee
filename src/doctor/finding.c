/* SPDX-License-Identifier: MIT */
/*
 * From probes to findings. Each experiment is compared with the user's own
 * request, one part of the request at a time; what is hard is to say no more
 * than the pair shows. How the request ended is symptom.c, what the answer
 * says in words is telltale.c.
 */
#include "doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include <sesame/error.h>

#include "doctor/csp.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"

/* Heads of this size meet the first limits. */
#define LARGE_HEAD 3800

/* ---- looking things up ---- */

void doctor_note(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p,
		 const struct doctor_probe *versus, const char *format, ...)
{
	struct doctor_finding *f;
	char text[512];
	va_list args;

	if (chart->n_findings == DOCTOR_MAX_FINDINGS ||
	    doctor_found(chart, kind))
		return;
	f = &chart->finding[chart->n_findings++];
	f->kind = kind;
	f->probe = p ? p->n : 0;
	f->versus = versus ? versus->n : 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor_redact(chart->c, bytes_of_str(text), f->text, sizeof(f->text));
}

const struct doctor_finding *doctor_found(const struct doctor_chart *chart,
					  enum doctor_finding_kind kind)
{
	for (size_t i = 0; i < chart->n_findings; i++)
		if (chart->finding[i].kind == kind)
			return &chart->finding[i];
	return NULL;
}

const struct doctor_probe *doctor_baseline(const struct doctor_chart *chart)
{
	return doctor_tried(chart, DOCTOR_NOTHING, NULL);
}

const struct doctor_probe *doctor_tried(const struct doctor_chart *chart,
					enum doctor_change change,
					const char *value)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_trial *t = &chart->probe[i]->trial;

		if (t->change == change &&
		    (!value || strcmp(t->value, value) == 0))
			return chart->probe[i];
	}
	return NULL;
}

static bool same_trial(const struct doctor_trial *a,
		       const struct doctor_trial *b)
{
	return a->change == b->change && strcmp(a->value, b->value) == 0;
}

int doctor_repeats(const struct doctor_chart *chart,
		   const struct doctor_trial *trial)
{
	int n = -1;

	for (size_t i = 0; i < chart->n_probes; i++)
		n += same_trial(&chart->probe[i]->trial, trial);
	return n;
}

bool doctor_fell_silent(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if ((p->outcome == DOCTOR_NO_ANSWER ||
		     p->outcome == DOCTOR_NO_CONNECTION) &&
		    p->error == SESAME_ETIMEOUT)
			return true;
	}
	return false;
}

/* How far a handshake came. */
static int rank(const struct doctor_probe *p)
{
	switch (p->outcome) {
	case DOCTOR_OPEN:
		return 4;
	case DOCTOR_CLOSED_AFTER:
	case DOCTOR_CUT_AFTER:
	case DOCTOR_BAD_101:
	case DOCTOR_BAD_FRAME:
		return 3;
	case DOCTOR_ANSWERED:
		return 2;
	case DOCTOR_NOT_HTTP:
	case DOCTOR_NO_ANSWER:
		return 1;
	default:
		return 0;
	}
}

static bool opens(const struct doctor_probe *base, const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_OPEN && base->outcome != DOCTOR_OPEN;
}

/* An HTTP answer where the user's request got none. */
static bool answers(const struct doctor_probe *base,
		    const struct doctor_probe *p)
{
	return rank(base) < 2 && rank(p) >= 2;
}

static bool is_repeat(const struct doctor_chart *chart,
		      const struct doctor_probe *p)
{
	return doctor_tried(chart, p->trial.change, p->trial.value) != p;
}

static bool chooses(const struct doctor_probe *base,
		    const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_OPEN && p->outcome == DOCTOR_OPEN &&
	       base->subprotocol.len == 0 && p->subprotocol.len > 0;
}

const struct doctor_probe *doctor_key(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart), *best = NULL;
	enum doctor_change change;

	for (size_t i = 0; base && i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		change = p->trial.change;
		if (change == DOCTOR_HOLD && base->outcome == DOCTOR_OPEN &&
		    p->outcome != DOCTOR_OPEN)
			return p;
		if (change == DOCTOR_NOTHING || change == DOCTOR_HOLD ||
		    change == DOCTOR_PLAIN_GET ||
		    change == DOCTOR_PLAIN_GET_PATH)
			continue;
		if (opens(base, p) || chooses(base, p)) {
			if (change != DOCTOR_MINIMAL)
				return p;
			best = best ? best : p;
		}
	}
	return best;
}

/* ---- what the request holds ---- */

static void context_of_origin(struct doctor_chart *chart,
			      const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (!c->origin)
		doctor_note(chart, DOCTOR_F_ORIGIN_NOT_SENT, base, NULL,
			    "no Origin is sent");
	else if (strcmp(c->origin, "null") == 0)
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT_NULL, base, NULL,
			    "Origin: null is sent, as by a file or a sandboxed "
			    "frame");
	else if (doctor_is_own_origin(c, c->origin))
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT_SAME, base, NULL,
			    "the Origin %s has the same host and port as the "
			    "URL",
			    c->origin);
	else
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT, base, NULL,
			    "the Origin %s is another host than the URL's",
			    c->origin);
}

static bool by_hand(const struct doctor_case *c)
{
	static const char *const fields[] = {
		"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade",
		"Connection", "Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (doctor_case_header(c, fields[i]))
			return true;
	return false;
}

static void context_of_handshake(struct doctor_chart *chart,
				 const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_header *v =
		doctor_case_header(c, "Sec-WebSocket-Version");

	if (v && strcmp(v->value, "13") != 0)
		doctor_note(chart, DOCTOR_F_VERSION_BY_HAND, base, NULL,
			    "the request asks for Sec-WebSocket-Version: %s",
			    v->value);
	else if (by_hand(c))
		doctor_note(chart, DOCTOR_F_HANDSHAKE_BY_HAND, base, NULL,
			    "a field of the handshake itself is set by hand");
	else
		doctor_note(chart, DOCTOR_F_HANDSHAKE_STANDARD, base, NULL,
			    "the handshake itself is the standard one");
	if (base->request && strlen(base->request) > LARGE_HEAD)
		doctor_note(chart, DOCTOR_F_HEAD_LARGE, base, NULL,
			    "the request head has %zu bytes",
			    strlen(base->request));
	else
		doctor_note(chart, DOCTOR_F_HEAD_SMALL, base, NULL,
			    "the request head is of ordinary size");
}

static bool has_session(struct bytes query)
{
	return bytes_contains_nocase(query, BYTES("sid=")) ||
	       bytes_contains_nocase(query, BYTES("connectionToken=")) ||
	       bytes_contains_nocase(query, BYTES("session="));
}

static void context_of_request(struct doctor_chart *chart,
			       const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (doctor_has_credentials(c))
		doctor_note(chart, DOCTOR_F_CREDENTIALS_SENT, base, NULL,
			    "credentials are sent");
	else
		doctor_note(chart, DOCTOR_F_CREDENTIALS_NOT_SENT, base, NULL,
			    "no credentials are sent");
	if (c->subprotocols)
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_SENT, base, NULL,
			    "the subprotocol %s is offered", c->subprotocols);
	else
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_NOT_SENT, base, NULL,
			    "no subprotocol is offered");
	if (!c->url.query.data)
		doctor_note(chart, DOCTOR_F_QUERY_NOT_SENT, base, NULL,
			    "the URL has no query");
	else if (has_session(c->url.query))
		doctor_note(chart, DOCTOR_F_SESSION_IN_QUERY, base, NULL,
			    "the query continues a session");
	if (c->user_agent_given)
		doctor_note(chart, DOCTOR_F_AGENT_GIVEN, base, NULL,
			    "the User-Agent is %s", c->user_agent);
	if (c->host)
		doctor_note(chart, DOCTOR_F_HOST_BY_HAND, base, NULL,
			    "the Host field is set to %s", c->host);
	if (c->cert_file)
		doctor_note(chart, DOCTOR_F_CERT_SENT, base, NULL,
			    "a client certificate is offered");
}

static bool mixed_family(const struct doctor_probe *base)
{
	const struct ses_dial_report *d = &base->dial;
	bool failed = false;

	for (size_t i = 0; i < d->n_steps; i++) {
		if (d->step[i].kind != SES_DIAL_CONNECT)
			continue;
		if (!d->step[i].error)
			return failed;
		failed = true;
	}
	return false;
}

static void context_of_way(struct doctor_chart *chart,
			   const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	bool open = base->outcome == DOCTOR_OPEN;

	if (c->proxy)
		doctor_note(chart, DOCTOR_F_PROXY_USED, base, NULL,
			    "the request goes through the proxy %s", c->proxy);
	else
		doctor_note(chart, DOCTOR_F_PROXY_NOT_USED, base, NULL,
			    "no forward proxy is used");
	if (!c->url.tls)
		doctor_note(chart, DOCTOR_F_PLAIN, base, NULL,
			    "the scheme is ws, there is no TLS");
	if (c->family || c->url.host_kind == SES_HOST_IPV6)
		doctor_note(chart, DOCTOR_F_FAMILY_CHOSEN, base, NULL,
			    "only IPv%d is tried", c->family ? c->family : 6);
	if (doctor_is_local_name(c, base))
		doctor_note(chart, DOCTOR_F_NAME_IS_LOCAL, base, NULL,
			    "the name leads to this very machine");
	if (mixed_family(base))
		doctor_note(chart, DOCTOR_F_FAMILY_MIXED, base, NULL,
			    "one address of the name fails, another answers");
	if (open && c->origin && !c->url.tls && !doctor_is_loopback(c) &&
	    bytes_starts(bytes_of_str(c->origin), BYTES("https://")))
		doctor_note(chart, DOCTOR_F_MIXED_CONTENT, base, NULL,
			    "the page %s came over https, the URL is ws",
			    c->origin);
	if (base->dial.tls.asked_for_cert && !c->cert_file)
		doctor_note(
			chart, DOCTOR_F_ASKED_FOR_CERT, base, NULL,
			"in the TLS handshake the server asked for a client "
			"certificate, and none was offered");
}

/* ---- what the answer is ---- */

static bool wrote(const struct doctor_probe *p, enum why_stack stack)
{
	return p->hops.writer >= 0 && p->hops.hop[p->hops.writer].stack == stack;
}

static bool passed_by(const struct doctor_probe *p, enum why_stack stack)
{
	for (size_t i = 0; i < p->hops.n; i++)
		if (p->hops.hop[i].stack == stack)
			return true;
	return false;
}

static void odd_words(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct bytes version =
		ses_head_get(&p->parsed, "Sec-WebSocket-Version");
	struct bytes body = bytes_of(p->body, p->body_len);

	if (version.data && bytes_contains_nocase(version, BYTES("13")))
		doctor_note(chart, DOCTOR_F_VERSION_13_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: 13, so "
			    "software that speaks WebSocket wrote it");
	else if (version.data)
		doctor_note(chart, DOCTOR_F_VERSION_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: %.*s",
			    BYTES_ARG(bytes_first(version, 40)));
	if (chart->blind)
		return;
	if (p->status == 403 && p->body_len == 0 &&
	    (wrote(p, WHY_STACK_ENVOY) || wrote(p, WHY_STACK_ISTIO)))
		doctor_note(chart, DOCTOR_F_EMPTY_ENVOY, p, NULL,
			    "Envoy answers an upgrade that is not enabled with "
			    "an empty 403, as here");
	if (p->status == 404 &&
	    bytes_equal(bytes_trim(body), BYTES("Page not found")))
		doctor_note(chart, DOCTOR_F_ACTIONCABLE_404, p, NULL,
			    "Action Cable answers an Origin that it does not "
			    "allow with this 404");
	if (p->status == 404 &&
	    (wrote(p, WHY_STACK_FASTAPI) || wrote(p, WHY_STACK_UVICORN)))
		doctor_note(chart, DOCTOR_F_ASGI_404, p, NULL,
			    "an ASGI server refuses a WebSocket by 403; this "
			    "404 is for a plain request");
	if (p->status == 200 && p->body_len == 0 && passed_by(p, WHY_STACK_CADDY))
		doctor_note(chart, DOCTOR_F_EMPTY_CADDY, p, NULL,
			    "Caddy answers a Host that no site of it has with "
			    "an empty 200, as here");
	if (p->status == 503 &&
	    (wrote(p, WHY_STACK_NGINX) || wrote(p, WHY_STACK_OPENRESTY)))
		doctor_note(
			chart, DOCTOR_F_NGINX_503, p, NULL,
			"nginx itself writes 503 when one of its limits is "
			"passed; without its upstream it writes 502 or 504");
	if (p->status == 400 &&
	    bytes_equal(bytes_trim(body), BYTES("400: Bad Request")))
		doctor_note(chart, DOCTOR_F_HOME_ASSISTANT_400, p, NULL,
			    "Home Assistant answers every request from a proxy "
			    "that it does not trust with this 400");
}

static void banner(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct bytes raw = bytes_of(p->head, p->head_len);
	char text[80];

	bytes_printable(bytes_first(raw, 60), text, sizeof(text));
	if (raw.len >= 3 && raw.data[0] >= 0x14 && raw.data[0] <= 0x17 &&
	    raw.data[1] == 3)
		doctor_note(chart, DOCTOR_F_BANNER_TLS, p, NULL,
			    "the answer is a TLS record: the port wants TLS");
	else if (raw.len >= 9 && raw.data[0] == 0 && raw.data[3] == 4 &&
		 raw.data[5] == 0 && raw.data[8] == 0)
		doctor_note(chart, DOCTOR_F_BANNER_H2, p, NULL,
			    "the answer is an HTTP/2 SETTINGS frame");
	else if (bytes_starts(raw, BYTES("HTTP/2")))
		doctor_note(chart, DOCTOR_F_BANNER_H2, p, NULL,
			    "the answer begins \"%s\"", text);
	else if (raw.len > 0 && !bytes_starts(raw, BYTES("HTTP/")))
		doctor_note(chart, DOCTOR_F_BANNER, p, NULL,
			    "another protocol answers: \"%s\"", text);
}

static void writer_by_layer(struct doctor_chart *chart,
			    const struct doctor_probe *p,
			    const struct why_hop *hop)
{
	static const enum why_stack asgi[] = {
		WHY_STACK_UVICORN, WHY_STACK_HYPERCORN, WHY_STACK_DAPHNE,
		WHY_STACK_FASTAPI};
	static const enum why_stack http_only[] = {
		WHY_STACK_PYTHON_HTTP, WHY_STACK_PHP, WHY_STACK_GUNICORN,
		WHY_STACK_LIGHTTPD};
	static const enum why_stack frameworks[] = {
		WHY_STACK_EXPRESS, WHY_STACK_DJANGO, WHY_STACK_RAILS,
		WHY_STACK_NEXTJS};
	enum why_layer layer = why_stack(hop->stack)->layer;

	for (size_t i = 0; i < sizeof(frameworks) / sizeof(frameworks[0]); i++)
		if (hop->stack == frameworks[i])
			return;
	for (size_t i = 0; i < sizeof(asgi) / sizeof(asgi[0]); i++)
		if (hop->stack == asgi[i] && p->status == 403)
			doctor_note(
				chart, DOCTOR_F_WRITER_ASGI, p, NULL,
				"%s wrote the answer; it has one status for "
				"every refusal",
				hop->text);
	for (size_t i = 0; i < sizeof(http_only) / sizeof(http_only[0]); i++)
		if (hop->stack == http_only[i]) {
			doctor_note(chart, DOCTOR_F_WRITER_HTTP_ONLY, p, NULL,
				    "%s wrote the answer; it serves no "
				    "WebSocket by itself",
				    hop->text);
			return;
		}
	if (layer == WHY_LAYER_REVERSE_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_PROXY, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_CDN)
		doctor_note(chart, DOCTOR_F_WRITER_CDN, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_FORWARD_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_FORWARD, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_APPLICATION)
		doctor_note(chart, DOCTOR_F_WRITER_APP, p, NULL,
			    "%s wrote the answer (%s)", hop->text, hop->mark);
}

static void find_writer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	const struct why_hops *h = &p->hops;

	if (chart->blind || !p->status)
		return;
	if (h->writer >= 0 && (size_t)h->writer < h->n)
		writer_by_layer(chart, p, &h->hop[h->writer]);
	for (size_t i = 0; i < h->n; i++) {
		enum why_layer layer = why_stack(h->hop[i].stack)->layer;

		if (layer == WHY_LAYER_CDN)
			doctor_note(chart, DOCTOR_F_CDN_SEEN, p, NULL,
				    "%s stands in between (%s)", h->hop[i].text,
				    h->hop[i].mark);
		if (layer == WHY_LAYER_REVERSE_PROXY && h->writer < 0)
			doctor_note(chart, DOCTOR_F_PROXY_SEEN, p, NULL,
				    "%s wrote the answer or passed it on (%s)",
				    h->hop[i].text, h->hop[i].mark);
		else if (layer == WHY_LAYER_REVERSE_PROXY && (int)i != h->writer)
			doctor_note(chart, DOCTOR_F_RELAYED, p, NULL,
				    "%s passed on an answer that another wrote "
				    "(%s)",
				    h->hop[i].text, h->hop[i].mark);
	}
}

static void find_answer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	doctor_find_words(chart, p);
	if (p->status && p->outcome == DOCTOR_ANSWERED)
		odd_words(chart, p);
	if (p->outcome == DOCTOR_NOT_HTTP)
		banner(chart, p);
	if (p->outcome == DOCTOR_BAD_FRAME && p->body_len > 0)
		doctor_note(chart, DOCTOR_F_HTTP_IN_TUNNEL, p, NULL,
			    "after the 101 came an answer in HTTP");
	if (p->outcome == DOCTOR_NO_ANSWER && chart->c->url.tls &&
	    p->error != SESAME_ETIMEOUT)
		doctor_note(chart, DOCTOR_F_CLOSED_BEHIND_TLS, p, NULL,
			    "TLS was spoken, then came no answer");
	if (p->outcome == DOCTOR_ANSWERED)
		find_writer(chart, p);
	if (p->outcome == DOCTOR_OPEN && chart->c->subprotocols &&
	    p->subprotocol.len == 0)
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_UNCHOSEN, p, NULL,
			    "of the offered %s the server chose none; browsers "
			    "fail such a connection",
			    chart->c->subprotocols);
}

static void find_redirect(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	struct bytes to = ses_head_get(&p->parsed, "Location");
	char own[600];

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 3 || !to.data)
		return;
	if (bytes_contains_nocase(to, BYTES("login")) ||
	    bytes_contains_nocase(to, BYTES("signin")) ||
	    bytes_contains_nocase(to, BYTES("auth")))
		doctor_note(chart, DOCTOR_F_SAYS_LOGIN, p, NULL,
			    "the redirect leads to a login page");
	if (doctor_own_origin(chart->c, false, own, sizeof(own)) &&
	    (bytes_starts(to, bytes_of_str(own)) || to.data[0] == '/') &&
	    to.len > 0 && to.data[to.len - 1] == '/')
		doctor_note(chart, DOCTOR_F_REDIRECT_SLASH, p, NULL,
			    "the redirect adds a slash");
	if (bytes_starts(to, chart->c->url.tls ? BYTES("http://")
					       : BYTES("https://")))
		doctor_note(chart, DOCTOR_F_REDIRECT_SCHEME, p, NULL,
			    "the redirect leads to the other scheme");
}

/* ---- experiments ---- */

/* What the probes with one kind of change came to. */
struct tally {
	const struct doctor_probe *opened, *changed, *same, *answered, *worse;
	int n;
};

static struct tally count(const struct doctor_chart *chart,
			  enum doctor_change change)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = {0};

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != change || is_repeat(chart, p))
			continue;
		t.n++;
		if (opens(base, p) && !t.opened)
			t.opened = p;
		else if (answers(base, p) && !t.answered)
			t.answered = p;
		if (doctor_same_answer(base, p))
			t.same = p;
		else if (rank(p) < rank(base))
			t.worse = p; /* a cure does not make it worse */
		else if (!t.changed && !opens(base, p))
			t.changed = p;
	}
	return t;
}

/* None was tried, or one came out the same: a reset alone shows nothing. */
static bool all_same(struct tally t)
{
	return t.n == 0 || t.same;
}

/* The same words for another answer: the status alone does not tell them. */
static const char *again(const struct doctor_probe *base,
			 const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_ANSWERED && p->outcome == DOCTOR_ANSWERED
		       ? " again, with another body"
		       : " again";
}

/* "with Origin: x it gets 101" */
static void tell(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	char trial[300], result[160], before[160];

	doctor_trial_text(chart->c, &p->trial, trial, sizeof(trial));
	doctor_result_text(p, result, sizeof(result));
	doctor_result_text(base, before, sizeof(before));
	if (strlen(trial) > 90)
		memcpy(trial + 87, "...", 4);
	if (strcmp(result, before) == 0)
		doctor_note(chart, kind, p, base, "with one change (%s): %s%s",
			    trial, result, again(base, p));
	else
		doctor_note(chart, kind, p, base,
			    strncmp(before, "no ", 3) == 0
				    ? "with one change (%s): %s; as asked: %s"
				    : "with one change (%s): %s, not %s",
			    trial, result, before);
}

static void tell_same(struct doctor_chart *chart, enum doctor_finding_kind kind,
		      const struct doctor_probe *p, const char *what)
{
	doctor_note(chart, kind, p, doctor_baseline(chart), "%s", what);
}

/* Without an Origin in the user's request: does it open with one? */
static void find_origin_added(struct doctor_chart *chart, struct tally t)
{
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_ORIGIN, DOCTOR_NONSENSE_ORIGIN);

	if (t.opened) {
		tell(chart, DOCTOR_F_ORIGIN_ADDED_OPENS, t.opened);
		if (odd && odd->outcome != DOCTOR_OPEN)
			tell(chart, DOCTOR_F_ORIGIN_ADDED_NOT_ANY, odd);
	} else if (t.changed) {
		tell(chart, DOCTOR_F_ORIGIN_CHANGES_ANSWER, t.changed);
	} else if (t.same) {
		tell_same(
			chart, DOCTOR_F_ORIGIN_NO_EFFECT, t.same,
			"with the server's own Origin the answer is the same");
	}
}

static void find_origin_opened(struct doctor_chart *chart,
			       const struct doctor_probe *p)
{
	const struct doctor_case *c = chart->c;
	const char *value = p->trial.value;

	if (doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME)) {
		if (doctor_is_own_origin(c, value))
			tell(chart, DOCTOR_F_ORIGIN_SCHEME_OPENS, p);
		else if (bytes_contains_nocase(bytes_of_str(value),
					       BYTES("//127.")) ||
			 bytes_contains_nocase(bytes_of_str(value),
					       BYTES("//localhost")))
			tell(chart, DOCTOR_F_ORIGIN_BACKEND_OPENS, p);
		else
			tell(chart, DOCTOR_F_ORIGIN_OTHER_OPENS, p);
	} else if (doctor_is_own_origin(c, value)) {
		tell(chart, DOCTOR_F_ORIGIN_SAME_OPENS, p);
	} else {
		tell(chart, DOCTOR_F_ORIGIN_OTHER_OPENS, p);
	}
}

static void find_origin(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally with = count(chart, DOCTOR_ORIGIN);
	struct tally without = count(chart, DOCTOR_NO_ORIGIN);
	bool same = doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME);

	if (!chart->c->origin) {
		find_origin_added(chart, with);
		return;
	}
	if (without.opened)
		tell(chart,
		     same ? DOCTOR_F_ORIGIN_OWN_REFUSED
			  : DOCTOR_F_ORIGIN_ABSENT_OPENS,
		     without.opened);
	if (with.opened)
		find_origin_opened(chart, with.opened);
	if (without.opened || with.opened || base->outcome == DOCTOR_OPEN)
		return;
	if (with.changed || without.changed)
		tell(chart, DOCTOR_F_ORIGIN_CHANGES_ANSWER,
		     with.changed ? with.changed : without.changed);
	else if (with.n + without.n >= (same ? 1 : 2) && all_same(with) &&
		 all_same(without))
		tell_same(chart, DOCTOR_F_ORIGIN_NO_EFFECT,
			  without.same ? without.same : with.same,
			  "with the server's own Origin and with none the "
			  "answer is the same");
}

/*
 * A probe without the user's credentials differs in those too; the answer that
 * they alone make a difference to is then the one to compare with.
 */
static bool host_matters(const struct doctor_chart *chart,
			 const struct doctor_probe *p)
{
	const struct doctor_probe *bare =
		doctor_tried(chart, DOCTOR_NO_CREDENTIALS, NULL);

	return !(p->bare && bare && doctor_same_answer(bare, p));
}

/* An answer that is no refusal by anybody who saw a WebSocket. */
static bool is_elsewhere(int status)
{
	return status / 100 == 2 || status / 100 == 3 || status == 404 ||
	       status == 421;
}

static void find_host(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = count(chart, DOCTOR_HOST);
	bool lost = base->status / 100 == 2 || base->status == 404 ||
		    base->status == 421;

	if (t.opened)
		tell(chart,
		     base->status / 100 == 3 ? DOCTOR_F_HOST_OPENS_LED
		     : lost		     ? DOCTOR_F_HOST_OPENS_LOST
					     : DOCTOR_F_HOST_OPENS,
		     t.opened);
	else if (t.changed && is_elsewhere(t.changed->status) &&
		 !is_elsewhere(base->status))
		tell(chart, DOCTOR_F_HOST_LEADS_ELSEWHERE, t.changed);
	else if (t.changed && host_matters(chart, t.changed))
		tell(chart, DOCTOR_F_HOST_CHANGES_ANSWER, t.changed);
	else if (t.same)
		tell_same(chart, DOCTOR_F_HOST_NO_EFFECT, t.same,
			  "with another Host the answer is the same");
}

/* Whether two paths differ in a slash at the end alone. */
static bool differ_by_slash(struct bytes a, struct bytes b)
{
	if (a.len + 1 == b.len)
		return b.data[a.len] == '/' && bytes_starts(b, a);
	return b.len + 1 == a.len && a.data[b.len] == '/' && bytes_starts(a, b);
}

/* Web servers refuse to list a directory, and know no other file there. */
static bool is_directory(const struct doctor_case *c)
{
	struct bytes path = c->url.path;

	return path.len == 0 || path.data[path.len - 1] == '/';
}

static void find_nonsense(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (p->outcome == DOCTOR_OPEN)
		return; /* any path is served */
	if (doctor_same_answer(base, p))
		tell_same(chart,
			  base->status / 100 == 2 ? DOCTOR_F_NONSENSE_SAME_PAGE
						  : DOCTOR_F_NONSENSE_SAME,
			  p, "a path that cannot exist gets the same answer");
	else if (base->status == 403 && p->status == 404 &&
		 is_directory(chart->c))
		tell(chart, DOCTOR_F_DIRECTORY_DENIED, p);
	else
		tell(chart, DOCTOR_F_NONSENSE_DIFFERS, p);
}

/* From "not found" to a refusal by somebody who looked at the request. */
static bool is_nearer(const struct doctor_probe *base,
		      const struct doctor_probe *p)
{
	return base->status == 404 &&
	       (p->status == 400 || p->status == 401 || p->status == 403 ||
		p->status == 426 || rank(p) == 3);
}

static void find_path(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	struct tally t = count(chart, DOCTOR_PATH);
	struct tally q = count(chart, DOCTOR_NO_QUERY);

	if (odd && base->outcome != DOCTOR_OPEN)
		find_nonsense(chart, odd);
	if (t.opened && t.opened != odd)
		tell(chart,
		     differ_by_slash(chart->c->url.path,
				     bytes_of_str(t.opened->trial.value))
			     ? DOCTOR_F_PATH_SLASH_OPENS
			     : DOCTOR_F_PATH_OPENS,
		     t.opened);
	else if (t.answered)
		tell(chart, DOCTOR_F_PATH_ANSWERS, t.answered);
	for (size_t i = 0; i < chart->n_probes && !t.opened; i++)
		if (chart->probe[i]->trial.change == DOCTOR_PATH &&
		    is_nearer(base, chart->probe[i]))
			tell(chart, DOCTOR_F_PATH_NEARER, chart->probe[i]);
	if (!t.opened && t.n - (odd != NULL) >= 4)
		doctor_note(chart, DOCTOR_F_PATHS_NONE_OPEN, base, NULL,
			    "none of %d other paths opens", t.n);
	if (!t.opened && t.n - (odd != NULL) >= 9 && base->status != 404)
		doctor_note(chart, DOCTOR_F_PATHS_MANY_SHUT, base, NULL,
			    "all %d other paths are shut", t.n);
	if (q.opened)
		tell(chart, DOCTOR_F_QUERY_REMOVED_OPENS, q.opened);
	else if (q.changed)
		tell(chart, DOCTOR_F_QUERY_CHANGES_ANSWER, q.changed);
}

static bool wants_upgrade(const struct doctor_probe *p)
{
	return p->status == 426 || doctor_says(p, DOCTOR_F_SAYS_NO_UPGRADE) ||
	       (p->outcome == DOCTOR_ANSWERED &&
		ses_head_get(&p->parsed, "Sec-WebSocket-Version").data);
}

/*
 * What a plain GET is refused for, in words, is often what the handshake is
 * refused for without any.
 */
static void find_get_words(struct doctor_chart *chart,
			   const struct doctor_probe *g)
{
	static const struct {
		enum doctor_finding_kind says, kind;
	} rows[] = {
		{DOCTOR_F_SAYS_HOST, DOCTOR_F_GET_SAYS_HOST},
		{DOCTOR_F_SAYS_ADDRESS, DOCTOR_F_GET_SAYS_ADDRESS},
		{DOCTOR_F_SAYS_AGENT, DOCTOR_F_GET_SAYS_AGENT},
		{DOCTOR_F_SAYS_CREDENTIALS, DOCTOR_F_GET_SAYS_CREDENTIALS},
		{DOCTOR_F_CHALLENGE, DOCTOR_F_GET_SAYS_CREDENTIALS},
		{DOCTOR_F_SAYS_QUERY, DOCTOR_F_GET_SAYS_QUERY},
		{DOCTOR_F_SAYS_SUBPROTOCOL, DOCTOR_F_GET_SAYS_SUBPROTOCOL},
		{DOCTOR_F_SAYS_FORWARDED, DOCTOR_F_GET_SAYS_FORWARDED},
		{DOCTOR_F_SAYS_WAF, DOCTOR_F_GET_SAYS_WAF},
		{DOCTOR_F_SAYS_RATE, DOCTOR_F_GET_SAYS_RATE},
	};

	if (g->outcome != DOCTOR_ANSWERED || g->status < 400)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!doctor_found(chart, rows[i].says) &&
		    doctor_says(g, rows[i].says))
			tell(chart, rows[i].kind, g);
}

/* Both are told to upgrade, if not in the very same words. */
static bool neither_upgrades(const struct doctor_probe *base,
			     const struct doctor_probe *g)
{
	return rank(base) == 2 && base->status == g->status &&
	       doctor_says(base, DOCTOR_F_SAYS_NO_UPGRADE) &&
	       doctor_says(g, DOCTOR_F_SAYS_NO_UPGRADE);
}

static void find_get(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (!g || base->outcome == DOCTOR_OPEN)
		return;
	find_get_words(chart, g);
	if (doctor_found(chart, DOCTOR_F_EMPTY_ENVOY) && g->status != 403)
		return; /* Envoy itself refuses the Upgrade, and it alone */
	if (doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) &&
	    rank(base) == 2 && wants_upgrade(base))
		return; /* what arrived was no proper Upgrade to begin with */
	if (neither_upgrades(base, g)) {
		tell_same(chart, DOCTOR_F_GET_SAME_WS, g,
			  "a plain GET without Upgrade is told the same");
		return;
	}
	if (rank(base) == 2 && doctor_same_answer(base, g)) {
		tell_same(chart,
			  wants_upgrade(base)	    ? DOCTOR_F_GET_SAME_WS
			  : base->status / 100 == 2 ? DOCTOR_F_GET_SAME_PAGE
			  : base->status / 100 == 5 ? DOCTOR_F_GET_SAME_ERROR
			  : base->status == 401 || base->status == 403
				  ? DOCTOR_F_GET_SAME_DENIED
				  : DOCTOR_F_GET_SAME,
			  g, "a plain GET without Upgrade gets the same answer");
		return;
	}
	if (wants_upgrade(g))
		tell(chart,
		     rank(base) == 2 ? DOCTOR_F_GET_UPGRADE_SEEN
				     : DOCTOR_F_GET_UPGRADE_REQUIRED,
		     g);
	if (rank(base) == 2)
		tell(chart, DOCTOR_F_GET_DIFFERENT, g);
	else if (answers(base, g))
		tell(chart, DOCTOR_F_GET_ANSWERED, g);
	else if (rank(base) < 2)
		tell_same(chart, DOCTOR_F_GET_FAILS_TOO, g,
			  "a plain GET fares no better");
}

static void find_subprotocol(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally with = count(chart, DOCTOR_SUBPROTOCOL);
	struct tally without = count(chart, DOCTOR_NO_SUBPROTOCOL);

	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.change == DOCTOR_SUBPROTOCOL &&
		    chooses(base, chart->probe[i]))
			tell(chart, DOCTOR_F_SUBPROTOCOL_OPENS, chart->probe[i]);
	if (with.opened)
		tell(chart, DOCTOR_F_SUBPROTOCOL_OPENS, with.opened);
	else if (without.opened)
		tell(chart, DOCTOR_F_SUBPROTOCOL_REMOVED_OPENS, without.opened);
	else if (base->outcome == DOCTOR_OPEN)
		return;
	else if (with.changed || without.changed)
		tell(chart, DOCTOR_F_SUBPROTOCOL_CHANGES_ANSWER,
		     with.changed ? with.changed : without.changed);
	else if (with.same || without.same)
		tell_same(chart, DOCTOR_F_SUBPROTOCOL_NO_EFFECT,
			  with.same ? with.same : without.same,
			  "with other subprotocols the answer is the same");
}

static void find_credentials(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = count(chart, DOCTOR_NO_CREDENTIALS);

	if (t.opened)
		tell(chart, DOCTOR_F_CREDENTIALS_REMOVED_OPENS, t.opened);
	else if (t.changed && t.changed->status == 401 && base->status != 401)
		tell(chart, DOCTOR_F_CREDENTIALS_JUDGED, t.changed);
	else if (t.changed)
		tell(chart, DOCTOR_F_CREDENTIALS_CHANGE_ANSWER, t.changed);
	else if (t.same)
		tell_same(chart, DOCTOR_F_CREDENTIALS_NO_EFFECT, t.same,
			  "without the credentials the answer is the same");
}

static void find_agent(struct doctor_chart *chart)
{
	struct tally t = count(chart, DOCTOR_USER_AGENT);

	if (t.opened)
		tell(chart, DOCTOR_F_AGENT_OPENS, t.opened);
	else if (t.changed)
		tell(chart, DOCTOR_F_AGENT_CHANGES_ANSWER, t.changed);
	else if (t.same)
		tell_same(chart, DOCTOR_F_AGENT_NO_EFFECT, t.same,
			  "with a browser's User-Agent the answer is the same");
}

static void find_fields(struct doctor_chart *chart)
{
	struct tally removed = count(chart, DOCTOR_NO_HEADER);
	struct tally bare = count(chart, DOCTOR_MINIMAL);
	struct tally version = count(chart, DOCTOR_VERSION);
	struct tally plain = count(chart, DOCTOR_NO_EXTENSIONS);

	if (removed.opened)
		tell(chart,
		     doctor_found(chart, DOCTOR_F_HEAD_LARGE)
			     ? DOCTOR_F_HEADER_LARGE_REMOVED_OPENS
			     : DOCTOR_F_HEADER_REMOVED_OPENS,
		     removed.opened);
	if (bare.opened && doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) &&
	    !chart->c->origin && !doctor_has_credentials(chart->c))
		tell(chart, DOCTOR_F_HEADER_REMOVED_OPENS, bare.opened);
	else if (bare.opened)
		tell(chart, DOCTOR_F_MINIMAL_OPENS, bare.opened);
	else if (bare.same)
		tell_same(chart, DOCTOR_F_MINIMAL_NO_EFFECT, bare.same,
			  "with nothing but the handshake itself the answer is "
			  "the same");
	if (version.opened)
		tell(chart,
		     doctor_found(chart, DOCTOR_F_VERSION_BY_HAND)
			     ? DOCTOR_F_VERSION_13_OPENS
			     : DOCTOR_F_VERSION_OPENS,
		     version.opened);
	if (plain.opened)
		tell(chart, DOCTOR_F_EXTENSIONS_REMOVED_OPENS, plain.opened);
}

/* The peer spoke TLS, whatever it thought of us. */
static bool spoke_tls(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_NO_CONNECTION && p->error == SESAME_ETLS &&
	       (p->dial.tls.fault == SES_TLS_UNTRUSTED ||
		p->dial.tls.fault == SES_TLS_EXPIRED ||
		p->dial.tls.fault == SES_TLS_HOSTNAME ||
		p->dial.tls.fault == SES_TLS_CLIENT_CERT ||
		p->dial.tls.fault == SES_TLS_VERSION ||
		p->dial.tls.fault == SES_TLS_ALERT);
}

static void find_scheme(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_SCHEME, NULL);

	if (!p)
		return;
	if (opens(base, p))
		tell(chart, DOCTOR_F_SCHEME_OPENS, p);
	else if (doctor_says(p, DOCTOR_F_SAYS_TLS_PORT))
		tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
			  "without TLS the port says that it wants TLS");
	else if (answers(base, p) ||
		 (rank(base) < 2 && base->outcome != DOCTOR_NO_CONNECTION &&
		  spoke_tls(p)) ||
		 (rank(p) >= 2 && rank(base) >= 2 &&
		  !doctor_same_answer(base, p)))
		tell(chart, DOCTOR_F_SCHEME_ANSWERS, p);
	else
		tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
			  "the other scheme fares no better");
}

static void find_direct(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_DIRECT, NULL);

	if (!p)
		return;
	if (opens(base, p))
		tell(chart, DOCTOR_F_DIRECT_OPENS, p);
	else if (rank(base) == 0 && rank(p) > 0)
		tell(chart, DOCTOR_F_DIRECT_ANSWERS, p);
	else if (rank(base) == 0)
		tell(chart, DOCTOR_F_DIRECT_FAILS, p);
	else if (doctor_same_answer(base, p))
		tell_same(chart, DOCTOR_F_DIRECT_SAME, p,
			  "without the forward proxy the answer is the same");
}

static void find_way(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally source = count(chart, DOCTOR_SOURCE);
	struct tally insecure = count(chart, DOCTOR_INSECURE);
	struct tally lower = count(chart, DOCTOR_TLS_VERSION);
	struct tally port = count(chart, DOCTOR_PORT);
	struct tally family = count(chart, DOCTOR_FAMILY);

	find_scheme(chart);
	find_direct(chart);
	if (port.opened)
		tell(chart,
		     base->outcome == DOCTOR_ANSWERED ? DOCTOR_F_PORT_NAMED_OPENS
						      : DOCTOR_F_PORT_OPENS,
		     port.opened);
	if (family.opened)
		tell(chart, DOCTOR_F_FAMILY_OPENS, family.opened);
	else if (family.changed && rank(base) == 0 && rank(family.changed) > 0)
		tell(chart, DOCTOR_F_FAMILY_ANSWERS, family.changed);
	if (source.opened)
		tell(chart,
		     base->status == 503 || base->status == 429
			     ? DOCTOR_F_SOURCE_OPENS_BUSY
			     : DOCTOR_F_SOURCE_OPENS,
		     source.opened);
	else if (source.same)
		tell_same(chart, DOCTOR_F_SOURCE_NO_EFFECT, source.same,
			  "from another address the answer is the same");
	if (insecure.opened)
		tell(chart, DOCTOR_F_INSECURE_OPENS, insecure.opened);
	if (lower.opened || lower.answered)
		tell(chart, DOCTOR_F_TLS_LOWER_OPENS,
		     lower.opened ? lower.opened : lower.answered);
}

/*
 * The same 403 whatever was changed: it is about who asks, not what for. Of
 * ASGI servers it tells less, since they have one 403 for all.
 */
static void find_denied(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (base->status != 403 || !g || !doctor_same_answer(base, g) ||
	    !doctor_found(chart, DOCTOR_F_NONSENSE_SAME) ||
	    doctor_found(chart, DOCTOR_F_WRITER_ASGI))
		return;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (!doctor_same_answer(base, chart->probe[i]) &&
		    chart->probe[i]->trial.change != DOCTOR_SCHEME &&
		    chart->probe[i]->trial.change != DOCTOR_HOST &&
		    chart->probe[i]->trial.change != DOCTOR_SOURCE)
			return;
	doctor_note(chart, DOCTOR_F_DENIED_ALL, g, base,
		    "every path and a plain GET get the same 403");
}

/* ---- time ---- */

static void find_hold(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *h = doctor_tried(chart, DOCTOR_HOLD, NULL);

	if (base->outcome != DOCTOR_OPEN)
		return;
	if (!h && chart->c->hold_given && chart->c->hold_ms >= 2000)
		h = base;
	if (!h)
		return;
	if (h->outcome == DOCTOR_OPEN)
		doctor_note(chart, DOCTOR_F_HELD, h, NULL,
			    "an idle connection stayed open for %.1f s",
			    h->open_ms / 1000);
	else if (h->outcome == DOCTOR_CUT_AFTER)
		doctor_note(
			chart, DOCTOR_F_HELD_CUT, h, base,
			"an idle connection was cut after %.1f s, without a "
			"close frame",
			h->open_ms / 1000);
	else if (h->outcome == DOCTOR_CLOSED_AFTER)
		doctor_note(
			chart, DOCTOR_F_HELD_CLOSED, h, base,
			"an idle connection was closed with %u after %.1f s",
			h->close_code, h->open_ms / 1000);
}

static void find_repeats(struct doctor_chart *chart)
{
	const struct doctor_probe *key = doctor_key(chart);
	const struct doctor_probe *base = doctor_baseline(chart);

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		const struct doctor_probe *first =
			doctor_tried(chart, p->trial.change, p->trial.value);

		if (!doctor_same_answer(first, p)) {
			doctor_note(chart, DOCTOR_F_REPEAT_DIFFERS, p, first,
				    "the same request was answered differently "
				    "the second time");
			return;
		}
	}
	if (key && doctor_repeats(chart, &key->trial) > 0 &&
	    doctor_repeats(chart, &base->trial) > 0)
		doctor_note(chart, DOCTOR_F_REPEATED, key, base,
			    "the pair was repeated, alternating, with the same "
			    "outcome");
}

/* ---- the page ---- */

static struct bytes page_of(const struct doctor_probe *p)
{
	bool page = p->outcome == DOCTOR_ANSWERED && p->status / 100 == 2;

	return bytes_of(page ? p->body : NULL, page ? p->body_len : 0);
}

/* What the site's own scripts tell of how its WebSocket is opened. */
static void find_page(struct doctor_chart *chart)
{
	struct doctor_values v = {.n = 0};
	char name[64];

	if (doctor_baseline(chart)->outcome == DOCTOR_OPEN)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (!doctor_opens_sockets(page_of(p)))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_OPENS, p, NULL,
			    "a page of this server opens WebSockets itself");
		doctor_harvest_subprotocols(chart, &v);
		if (v.n_told > 0 &&
		    !doctor_found(chart, DOCTOR_F_SAYS_SUBPROTOCOL))
			doctor_note(chart, DOCTOR_F_PAGE_NAMES_SUBPROTOCOL, p,
				    NULL,
				    "the page's own WebSocket offers the "
				    "subprotocol %s",
				    v.value[0]);
		if (chart->c->url.query.data ||
		    !doctor_names_query(page_of(p), name, sizeof(name)))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_NAMES_QUERY, p, NULL,
			    "the page's own WebSocket has the parameter \"%s\" "
			    "in its URL",
			    name);
	}
}

static void find_csp(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	char policy[300];

	if (base->outcome != DOCTOR_OPEN || !chart->c->origin ||
	    !doctor_is_own_origin(chart->c, chart->c->origin))
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    p->outcome == DOCTOR_ANSWERED &&
		    doctor_csp_forbids(p, &chart->c->url, policy, sizeof(policy)))
			doctor_note(chart, DOCTOR_F_CSP_FORBIDS, p, NULL,
				    "the page's policy forbids it: %s", policy);
	}
}

void doctor_find(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	chart->n_findings = 0;
	if (!base && !chart->c->url_error)
		return;
	doctor_find_symptom(chart, base);
	if (!base)
		return;
	context_of_origin(chart, base);
	context_of_handshake(chart, base);
	context_of_request(chart, base);
	context_of_way(chart, base);
	find_answer(chart, base);
	find_redirect(chart, base);
	find_origin(chart);
	find_host(chart);
	find_path(chart);
	find_get(chart);
	find_subprotocol(chart);
	find_credentials(chart);
	find_agent(chart);
	find_fields(chart);
	find_way(chart);
	find_denied(chart);
	find_page(chart);
	find_hold(chart);
	find_repeats(chart);
	find_csp(chart);
}
