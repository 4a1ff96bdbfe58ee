/* SPDX-License-Identifier: MIT */
/*
 * From probes to findings: everything that is looked at, in order, and the look
 * into the chart that all share. What the request holds is context.c, how it
 * ended symptom.c, what the answer is answer.c, who wrote it writer.c, what it
 * says in words telltale.c, what the experiments show pair.c, what time and the
 * pages add is here.
 */
#include "doctor/finding_inner.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/arrived.h"
#include "doctor/csp.h"
#include "doctor/disclosed.h"
#include "doctor/harvest.h"
#include "doctor/hello.h"
#include "doctor/key.h"
#include "doctor/proxy_words.h"
#include "doctor/redact.h"

#define LAST_WORD_MS 250 /* from a message to the close that goes with it */

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
	f->cause = 0;
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

/*
 * The same request, refused after it was let in. What our own repetitions ran
 * into is no refusal of it; the second look is the first repetition there is.
 */
static bool is_refused_again(const struct doctor_chart *chart,
			     const struct doctor_probe *p)
{
	if (p->trial.change == DOCTOR_HOLD)
		return p->outcome == DOCTOR_ANSWERED && p->status >= 400;
	return p->trial.change == DOCTOR_NOTHING && !chart->stopped &&
	       p->outcome != DOCTOR_OPEN;
}

/* Where servers disagree, the refusal is what has to be explained. */
const struct doctor_probe *doctor_baseline(const struct doctor_chart *chart)
{
	const struct doctor_probe *first =
		doctor_tried(chart, DOCTOR_NOTHING, NULL);

	for (size_t i = 0; first && first->outcome == DOCTOR_OPEN &&
			   i < chart->n_probes;
	     i++)
		if (is_refused_again(chart, chart->probe[i]))
			return chart->probe[i];
	return first;
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
		    p->error == SESAME_ETIMEOUT &&
		    p->trial.change != DOCTOR_SILENCE) /* nothing was asked */
			return true;
	}
	return false;
}

/* ---- time ---- */

/* A close frame that gives a reason is the application's, not a clock's. */
static bool gives_reason(const struct doctor_probe *p)
{
	if (doctor_is_closed_as_idle(p))
		return false;
	return p->close_code >= 3000 ||
	       ((p->close_code == 1008 || p->close_code == 1011) &&
		*p->close_reason);
}

/*
 * The server closed by a close frame, and spoke right before it, or of who is
 * not welcome: what ends a silence has nothing to say.
 */
static bool spoke_last(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_CLOSED_AFTER && *p->first_message &&
	       (p->open_ms - p->told_ms < LAST_WORD_MS ||
		doctor_says(p, DOCTOR_F_TOLD_UNAUTHORIZED) ||
		doctor_says(p, DOCTOR_F_TOLD_FORBIDDEN));
}

static void find_told_later(struct doctor_chart *chart,
			    const struct doctor_probe *h,
			    const struct doctor_probe *base)
{
	char text[200];

	doctor_note(chart, DOCTOR_F_HELD_TOLD, h, base,
		    "the application ended the connection after %.1f s: %s",
		    h->open_ms / 1000,
		    doctor_result_text(h, text, sizeof(text)));
	doctor_find_words(chart, h);
	if (h->close_code == 4401 || h->close_code == 3000)
		doctor_note(chart, DOCTOR_F_TOLD_UNAUTHORIZED, h, base,
			    "the close code %u is for who is not authenticated",
			    h->close_code);
	if (h->close_code == 4403 || h->close_code == 3003)
		doctor_note(chart, DOCTOR_F_TOLD_FORBIDDEN, h, base,
			    "the close code %u is for who is forbidden",
			    h->close_code);
}

static void find_hold(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *h = doctor_tried(chart, DOCTOR_HOLD, NULL);

	if (base->outcome != DOCTOR_OPEN && !doctor_waited_for_hello(base))
		return;
	if (!h && chart->c->hold_given && chart->c->hold_ms >= 2000)
		h = base;
	if (!h)
		return;
	if (doctor_waited_for_hello(h))
		doctor_note(chart, DOCTOR_F_HELD_UNSPOKEN, h, NULL,
			    "the server waits for the first message of the "
			    "protocol inside%s%s%s, and ended after %.1f s "
			    "what stayed silent",
			    h->hello ? " (" : "", doctor_hello_name(h->hello),
			    h->hello ? ")" : "", h->open_ms / 1000);
	else if (h->outcome == DOCTOR_CLOSED_AFTER &&
		 (gives_reason(h) || spoke_last(h)))
		find_told_later(chart, h, base);
	else if (h->outcome == DOCTOR_OPEN)
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

		if (!doctor_same_answer(first, p) &&
		    !doctor_found(chart, DOCTOR_F_SPLIT) &&
		    !doctor_found(chart, DOCTOR_F_PASSED)) {
			doctor_note(chart, DOCTOR_F_REPEAT_DIFFERS, p, first,
				    "the same request was answered differently "
				    "the second time");
			return;
		}
	}
	if (key && doctor_repeats(chart, &key->trial) > 0 &&
	    doctor_repeats(chart, &base->trial) > 0 &&
	    !doctor_wavers(chart, &base->trial))
		doctor_note(chart, DOCTOR_F_REPEATED, key, base,
			    "the pair was repeated, in the other order, with "
			    "the same "
			    "outcome");
}

/* ---- what a gateway discloses ---- */

static void find_disclosed(struct doctor_chart *chart,
			   const struct doctor_probe *base)
{
	int cause = doctor_disclosed(base);

	if (cause <= WHY_OK || chart->blind)
		return;
	doctor_note(chart, DOCTOR_F_TELLS_CAUSE, base, NULL,
		    "the gateway that refuses names the cause: %s",
		    why_cause((enum why_cause)cause)->id);
	chart->finding[chart->n_findings - 1].cause = cause;
}

/* ---- the protocol inside ---- */

static void find_hello(struct doctor_chart *chart,
		       const struct doctor_probe *base)
{
	const char *name = doctor_hello_name(base->hello);

	if (base->hello_welcomed && !base->hello_refused)
		doctor_note(chart, DOCTOR_F_HELLO_WELCOMED, base, NULL,
			    "%s is answered as its protocol has it", name);
	else if (base->hello_said &&
		 (base->hello_refused || base->outcome == DOCTOR_CLOSED_AFTER))
		doctor_note(chart, DOCTOR_F_HELLO_REFUSED, base, NULL,
			    "%s, said without credentials, is refused", name);
}

/* ---- a queue ---- */

/* A whole number of seconds, and what it takes to tell the time. */
static bool is_whole_seconds(double ms)
{
	double over = fmod(ms, 1000);

	return ms >= 950 && (over < 60 || over > 995);
}

/*
 * The same 503 after the same whole seconds each time: so long a queue lets its
 * guests wait. Three seconds are as many retries to reach a server, too.
 */
static void find_queue(struct doctor_chart *chart,
		       const struct doctor_probe *base)
{
	int n = 0;

	if (base->status != 503 || !is_whole_seconds(base->ms) ||
	    lround(base->ms / 1000) == 3)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->status != 503)
			continue;
		if (fabs(p->ms - base->ms) > 60)
			return;
		n++;
	}
	if (n >= 2)
		doctor_note(chart, DOCTOR_F_QUEUED_503, base, NULL,
			    "each of %d answers of 503 came after %ld s", n,
			    lround(base->ms / 1000));
}

/* ---- the page ---- */

static struct bytes page_of(const struct doctor_probe *p)
{
	bool page = p->outcome == DOCTOR_ANSWERED && p->status / 100 == 2;

	return bytes_of(page ? p->body : NULL, page ? p->body_len : 0);
}

/* Whether the URL has the parameter of @pair, and another value in it. */
static bool has_otherwise(struct bytes query, const char *pair)
{
	size_t name = strcspn(pair, "=") + 1;

	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		struct bytes one =
			bytes_first(query, end < 0 ? query.len : (size_t)end);

		if (bytes_starts(one, bytes_of(pair, name)))
			return !bytes_equal_str(one, pair);
		query = bytes_from(query, one.len + 1);
	}
	return false;
}

/* A script of the page has a token, and the URL that of another day. */
static void find_stale(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct doctor_values v = {.n = 0};

	doctor_harvest_page_parameters(page_of(p), &v);
	for (size_t i = 0; i < v.n; i++)
		if (has_otherwise(chart->c->url.query, v.value[i]))
			doctor_note(chart, DOCTOR_F_PAGE_NAMES_VALUE, p, NULL,
				    "the page's own WebSocket has another "
				    "value for %.*s in its URL",
				    (int)strcspn(v.value[i], "="), v.value[i]);
}

/* The parameter was sent as a page has it, and it made no difference. */
static bool is_given_in_vain(const struct doctor_chart *chart, const char *name)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	size_t len = strlen(name);

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_PARAMETER &&
		    strncmp(p->trial.value, name, len) == 0 &&
		    p->trial.value[len] == '=' && doctor_same_answer(base, p))
			return true;
	}
	return false;
}

/* What the site's own scripts tell of how its WebSocket is opened. */
static void find_page(struct doctor_chart *chart)
{
	struct doctor_values v = {.n = 0};
	struct bytes host;
	char name[64];

	if (doctor_baseline(chart)->outcome == DOCTOR_OPEN)
		return;
	doctor_harvest_named_ports(chart, &v);
	if (v.n > 0)
		doctor_note(chart, DOCTOR_F_PAGE_NAMES_PORT, NULL, NULL,
			    "a page or script of this server opens its "
			    "WebSocket at port %s",
			    v.value[0]);
	v.n = 0;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (!doctor_opens_sockets(page_of(p)))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_OPENS, p, NULL,
			    "a page of this server opens WebSockets itself");
		if (p->status / 100 == 2 &&
		    doctor_names_other_host(chart->c, p, &host)) {
			bytes_printable(host, name, sizeof(name));
			doctor_note(chart, DOCTOR_F_PAGE_NAMES_HOST, p, NULL,
				    "a page of this server opens this very "
				    "path at the host %s",
				    name);
		}
		doctor_harvest_subprotocols(chart, &v);
		if (v.n_told > 0 &&
		    !doctor_found(chart, DOCTOR_F_SAYS_SUBPROTOCOL))
			doctor_note(chart, DOCTOR_F_PAGE_NAMES_SUBPROTOCOL, p,
				    NULL,
				    "the page's own WebSocket offers the "
				    "subprotocol %s",
				    v.value[0]);
		find_stale(chart, p);
		if (chart->c->url.query.data ||
		    !doctor_names_query(page_of(p), name, sizeof(name)) ||
		    is_given_in_vain(chart, name))
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

/* ---- what arrived ---- */

/* With a foreign Origin, the refusal may be right whatever Host is. */
static void find_arrived(struct doctor_chart *chart,
			 const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	struct doctor_arrived a;

	if (doctor_arrived_host(c, base, &a) &&
	    (!c->origin || doctor_is_own_origin(c, c->origin)))
		doctor_note(chart, DOCTOR_F_HOST_ARRIVED_OTHER, base, NULL,
			    "the refusal quotes the Host %s, and the request "
			    "had %s",
			    a.host, a.sent);
}

/* ---- all of them, in order ---- */

void doctor_find(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	chart->n_findings = 0;
	if (!base && !chart->c->url_error)
		return;
	doctor_mark_chance(chart);
	doctor_find_symptom(chart, base);
	if (!base)
		return;
	find_disclosed(chart, base);
	doctor_find_proxy_words(chart, base);
	find_arrived(chart, base);
	doctor_find_context(chart, base);
	doctor_find_answer(chart, base);
	doctor_find_redirect(chart, base);
	doctor_find_pairs(chart);
	doctor_find_no_proxy(chart, base);
	doctor_find_comparison(chart);
	doctor_find_experiments(chart);
	doctor_find_config(chart);
	find_page(chart);
	find_hello(chart, base);
	find_hold(chart);
	find_queue(chart, base);
	find_repeats(chart);
	find_csp(chart);
}
