/* SPDX-License-Identifier: MIT */
/*
 * What a pair of probes shows: each experiment is compared with the user's own
 * request, one part of the request at a time. What is hard is to say no more
 * than the pair shows.
 */
#include "doctor/finding.h"

#include <stdio.h>

#include <sesame/error.h>

#include "base/percent.h"

#include "doctor/harvest.h"
#include "doctor/key.h"
#include "doctor/redact.h"

#define LONG_QUERY 3000 /* limits of the request line begin at 4 KiB */

/* ---- how two answers compare ---- */

/* An HTTP answer where the user's request got none. */
static bool answers(const struct doctor_probe *base,
		    const struct doctor_probe *p)
{
	return doctor_rank(base) < 2 && doctor_rank(p) >= 2;
}

static bool is_repeat(const struct doctor_chart *chart,
		      const struct doctor_probe *p)
{
	return doctor_tried(chart, p->trial.change, p->trial.value) != p;
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
	const struct doctor_probe *further = NULL;
	struct tally t = {0};

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != change || is_repeat(chart, p))
			continue;
		t.n++;
		if (doctor_opens(chart, base, p) && !t.opened)
			t.opened = p;
		else if (answers(base, p) && !t.answered)
			t.answered = p;
		if (doctor_comes_further(chart, base, p) && !further)
			further = p;
		if (doctor_same_answer(base, p))
			t.same = p;
		else if (doctor_rank(p) < doctor_rank(base) ||
			 doctor_grew_busy(base, p))
			t.worse = p; /* a cure does not make it worse */
		else if (!t.changed && p->outcome != DOCTOR_OPEN)
			t.changed = p;
	}
	if (!t.opened) /* it opens the first door of several */
		t.opened = further;
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
				    : "with one change (%s): %s instead of "
				      "%s",
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
		if (odd && odd->outcome != DOCTOR_OPEN &&
		    !doctor_comes_further(chart, doctor_baseline(chart), odd))
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

/* The own Origin is refused as given, and with http as well. */
static void find_either_refused(struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_ORIGIN &&
		    p->outcome != DOCTOR_OPEN &&
		    !doctor_comes_further(chart, doctor_baseline(chart), p) &&
		    bytes_starts(bytes_of_str(p->trial.value),
				 BYTES("http:")) &&
		    doctor_is_own_origin(chart->c, p->trial.value))
			tell(chart, DOCTOR_F_ORIGIN_EITHER_REFUSED, p);
	}
}

/* The handshake @p is answered as a plain GET is, the user's own is not. */
static bool is_taken_for_get(const struct doctor_chart *chart,
			     const struct doctor_probe *p)
{
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	return g && doctor_tried(chart, DOCTOR_ORIGIN, NULL) &&
	       doctor_same_answer(g, p) &&
	       !doctor_same_answer(g, doctor_baseline(chart));
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
	else if (without.opened && same && chart->c->url.tls)
		find_either_refused(chart);
	if (without.opened || with.opened || base->outcome == DOCTOR_OPEN)
		return;
	if (without.changed && all_same(with) &&
	    is_taken_for_get(chart, without.changed))
		tell(chart, DOCTOR_F_ORIGIN_MAKES_HANDSHAKE, without.changed);
	else if (with.changed || without.changed)
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

/* The user's fields stay at home with another Host; without them it opens. */
static bool opens_without_fields(const struct doctor_chart *chart,
				 const struct doctor_probe *p)
{
	const struct doctor_probe *minimal =
		doctor_tried(chart, DOCTOR_MINIMAL, NULL);

	return p->bare && ((minimal && minimal->outcome == DOCTOR_OPEN) ||
			   count(chart, DOCTOR_NO_HEADER).opened);
}

/* "Not Found", written to the bare socket. */
static bool is_headless_lost(const struct doctor_probe *p)
{
	struct bytes raw = bytes_first(bytes_of(p->head, p->head_len), 60);

	return p->outcome == DOCTOR_NOT_HTTP &&
	       (bytes_contains_nocase(raw, BYTES("not found")) ||
		bytes_contains_nocase(raw, BYTES("404")));
}

static void find_host(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = count(chart, DOCTOR_HOST);
	bool lost = base->status / 100 == 2 || base->status == 404 ||
		    base->status == 421 || is_headless_lost(base);

	if (t.opened && opens_without_fields(chart, t.opened))
		return;
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

/* A status written to the bare socket, as ws does it: no Server, no Date. */
static bool is_ws_shut(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_ANSWERED && p->status == 400 &&
	       bytes_equal(bytes_of(p->body, p->body_len),
			   BYTES("Bad Request")) &&
	       bytes_equal_nocase(ses_head_get(&p->parsed, "Content-Type"),
				  BYTES("text/html")) &&
	       !ses_head_get(&p->parsed, "Date").data &&
	       !ses_head_get(&p->parsed, "Server").data;
}

/* Whether a page that opens WebSockets has the user's own path in it. */
static bool a_page_names_it(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes text = bytes_of(p->body, p->body_len);

		if (p->status == 200 && chart->c->url.path.len > 1 &&
		    doctor_opens_sockets(text) &&
		    bytes_contains_nocase(text, chart->c->url.path))
			return true;
	}
	return false;
}

/* This handshake is refused in HTTP, the other one gets no answer at all. */
static bool is_left_alone(const struct doctor_probe *base,
			  const struct doctor_probe *p)
{
	return base->outcome == DOCTOR_ANSWERED && base->status / 100 == 4 &&
	       p->outcome == DOCTOR_NO_ANSWER;
}

static void find_nonsense(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (p->outcome == DOCTOR_OPEN) {
		if (base->outcome == DOCTOR_NO_ANSWER)
			tell(chart, DOCTOR_F_NONSENSE_OPENS, p);
		return; /* any path is served */
	}
	if (base->outcome == DOCTOR_NO_ANSWER && doctor_rank(p) >= 2)
		tell(chart, DOCTOR_F_NONSENSE_ANSWERED, p);
	if (doctor_same_answer(base, p) && is_ws_shut(base) &&
	    !a_page_names_it(chart) &&
	    doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		doctor_note(chart, DOCTOR_F_WS_SHUTS_PATHS, p, base,
			    "the same short 400 comes from a path that cannot "
			    "exist; ws answers so to all paths but its own");
	if (doctor_same_answer(base, p))
		tell_same(chart,
			  base->status / 100 == 2 ? DOCTOR_F_NONSENSE_SAME_PAGE
						  : DOCTOR_F_NONSENSE_SAME,
			  p, "a path that cannot exist gets the same answer");
	else if (is_left_alone(base, p))
		tell(chart, DOCTOR_F_PATH_CLAIMED, p);
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
		p->status == 426 || doctor_rank(p) == 3);
}

/*
 * What rules of firewalls look for, whatever it was meant for. The first are
 * signs anywhere, the others in a query alone.
 */
bool doctor_is_attack(struct bytes text, bool query)
{
	static const char *const signs[] = {
		"../",	    "..\\", "<script",	   "$(", "${", "/etc/", "' or ",
		" union ",  "() {", "javascript:", "<",	 "'",  "\"",	"`",
		";",	    "://",  " or ",	   "--", "|",  "\r",	"union",
		" select ", "\n",   "select *",	   "1=1"};
	size_t most = query ? sizeof(signs) / sizeof(signs[0]) : 10;
	char plain[1024];
	size_t n = 0;

	while (text.len > 0 && n < sizeof(plain)) {
		uint8_t b = ses_percent_next(&text);

		plain[n++] = (char)(b == '+' || b == 0 ? ' ' : b);
	}
	for (size_t i = 0; i < most; i++)
		if (bytes_contains_nocase(bytes_of(plain, n),
					  bytes_of_str(signs[i])))
			return true;
	return false;
}

/* The refusal is one of size, and the head is not small. */
static bool is_about_size(const struct doctor_chart *chart)
{
	return !doctor_found(chart, DOCTOR_F_HEAD_SMALL) &&
	       (doctor_found(chart, DOCTOR_F_STATUS_431) ||
		doctor_found(chart, DOCTOR_F_SAYS_HEAD_LARGE));
}

/* A query that makes the request line long, where a limit was met. */
static bool is_too_long(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return is_about_size(chart) ||
	       (chart->c->url.query.len > LONG_QUERY &&
		(base->status == 400 || base->outcome == DOCTOR_NO_ANSWER));
}

static void find_query(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally q = count(chart, DOCTOR_NO_QUERY);
	struct tally with = count(chart, DOCTOR_PARAMETER);
	struct tally without = count(chart, DOCTOR_NO_PARAMETER);
	/* firewalls refuse in HTTP, or cut; they do not say 101 first */
	bool attack = doctor_rank(base) <= 2 && base->status != 404 &&
		      base->status / 100 != 5 &&
		      doctor_is_attack(chart->c->url.query, true);

	if (q.opened && is_too_long(chart))
		tell(chart, DOCTOR_F_HEADER_LARGE_REMOVED_OPENS, q.opened);
	else if (q.opened || without.opened)
		tell(chart,
		     attack	? DOCTOR_F_QUERY_ATTACK_OPENS
		     : q.opened ? DOCTOR_F_QUERY_REMOVED_OPENS
				: DOCTOR_F_PARAMETER_OPENS,
		     q.opened ? q.opened : without.opened);
	else if (with.opened)
		tell(chart, DOCTOR_F_PARAMETER_OPENS, with.opened);
	else if (q.changed)
		tell(chart,
		     attack ? DOCTOR_F_QUERY_ATTACK_CHANGES
			    : DOCTOR_F_QUERY_CHANGES_ANSWER,
		     q.changed);
	else if (q.same)
		tell_same(chart, DOCTOR_F_QUERY_NO_EFFECT, q.same,
			  "without the query the answer is the same");
}

/* Whether the user's request is redirected to the path that @p asked for. */
static bool leads_to(const struct doctor_probe *base,
		     const struct doctor_probe *p)
{
	struct bytes to, path = bytes_of_str(p->trial.value);

	if (base->status / 100 != 3)
		return false;
	to = ses_head_get(&base->parsed, "Location");
	return to.len >= path.len &&
	       bytes_equal(bytes_from(to, to.len - path.len), path);
}

/* A 101 by whoever ends it later in frames, and so speaks WebSocket. */
static bool is_upgraded(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_CLOSED_AFTER;
}

static void find_path(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	struct tally t = count(chart, DOCTOR_PATH);

	if (odd && base->outcome != DOCTOR_OPEN)
		find_nonsense(chart, odd);
	if (t.opened && t.opened != odd)
		tell(chart,
		     differ_by_slash(chart->c->url.path,
				     bytes_of_str(t.opened->trial.value))
			     ? DOCTOR_F_PATH_SLASH_OPENS
		     : leads_to(base, t.opened) ? DOCTOR_F_PATH_OPENS_LED
						: DOCTOR_F_PATH_OPENS,
		     t.opened);
	else if (t.answered)
		tell(chart, DOCTOR_F_PATH_ANSWERS, t.answered);
	for (size_t i = 0; i < chart->n_probes && !t.opened; i++) {
		if (chart->probe[i]->trial.change != DOCTOR_PATH)
			continue;
		if (doctor_rank(base) == 2 && chart->probe[i]->trial.value[0] &&
		    is_upgraded(chart->probe[i]))
			tell(chart, DOCTOR_F_PATH_UPGRADES, chart->probe[i]);
		if (is_nearer(base, chart->probe[i]))
			tell(chart, DOCTOR_F_PATH_NEARER, chart->probe[i]);
	}
	if (!t.opened && t.n - (odd != NULL) >= 4)
		doctor_note(chart,
			    base->status == 404 ? DOCTOR_F_PATHS_ALL_LOST
						: DOCTOR_F_PATHS_NONE_OPEN,
			    base, NULL, "none of %d other paths opens", t.n);
	if (!t.opened && t.n - (odd != NULL) >= 7 && base->status != 404)
		doctor_note(chart, DOCTOR_F_PATHS_MANY_SHUT, base, NULL,
			    "all %d other paths are shut", t.n);
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
		{DOCTOR_F_SAYS_BAD_TOKEN, DOCTOR_F_GET_SAYS_CREDENTIALS},
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
	return doctor_rank(base) == 2 && base->status == g->status &&
	       doctor_says(base, DOCTOR_F_SAYS_NO_UPGRADE) &&
	       doctor_says(g, DOCTOR_F_SAYS_NO_UPGRADE);
}

/* Whether whoever stands before said that it passed this on. */
static bool is_relayed(const struct doctor_probe *p)
{
	static const char *const fields[] = {"Via", "Age", "X-Cache",
					     "X-Served-By", "X-Varnish"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (ses_head_get(&p->parsed, fields[i]).data)
			return true;
	return false;
}

/*
 * The plain GET is answered by who wants an Upgrade, the handshake by somebody
 * else: by whoever stands before, who does not pass it on.
 */
static bool reaches_further(const struct doctor_probe *base,
			    const struct doctor_probe *g)
{
	struct bytes front, back;

	/* a relay's fields on the one, and not on the other */
	if (doctor_rank(base) == 2 && base->status / 100 == 4 &&
	    doctor_wants_upgrade(g) && !doctor_wants_upgrade(base) &&
	    is_relayed(g) && !is_relayed(base))
		return true;
	if (doctor_rank(base) != 2 || base->status / 100 == 5 ||
	    !doctor_wants_upgrade(g) || doctor_wants_upgrade(base))
		return false;
	front = ses_head_get(&base->parsed, "Server");
	back = ses_head_get(&g->parsed, "Server");
	if (front.len > 0 && back.len > 0)
		return !bytes_equal_nocase(front, back);
	return base->hops.writer >= 0 &&
	       why_stack(base->hops.hop[base->hops.writer].stack)->layer ==
		       WHY_LAYER_REVERSE_PROXY &&
	       (g->hops.writer < 0 ||
		g->hops.hop[g->hops.writer].stack !=
			base->hops.hop[base->hops.writer].stack);
}

static bool written_by_proxy(const struct doctor_probe *p)
{
	return p->hops.writer >= 0 &&
	       why_stack(p->hops.hop[p->hops.writer].stack)->layer ==
		       WHY_LAYER_REVERSE_PROXY;
}

/*
 * One program wrote both answers, and it is none that passes others' on: what
 * it says to a plain GET tells nothing of what is behind it.
 */
static bool of_one_hand(const struct doctor_probe *base,
			const struct doctor_probe *g)
{
	return base->hops.writer >= 0 && g->hops.writer >= 0 &&
	       !written_by_proxy(base) &&
	       base->hops.hop[base->hops.writer].stack ==
		       g->hops.hop[g->hops.writer].stack;
}

/*
 * The gateway cannot get an answer to the handshake from what is behind it; a
 * plain GET of the same path is answered there.
 */
static bool is_up_behind(const struct doctor_probe *base,
			 const struct doctor_probe *g)
{
	return (base->status == 502 || base->status == 504) &&
	       g->outcome == DOCTOR_ANSWERED && g->status < 500 &&
	       !of_one_hand(base, g) &&
	       (doctor_wants_upgrade(g) ||
		(written_by_proxy(base) && !written_by_proxy(g)));
}

/* A refusal of who asks, by its status or by its words. */
static bool is_denial(const struct doctor_chart *chart,
		      const struct doctor_probe *base)
{
	static const enum doctor_finding_kind words[] = {
		DOCTOR_F_SAYS_CREDENTIALS, DOCTOR_F_SAYS_BAD_TOKEN,
		DOCTOR_F_SAYS_PERMISSION,  DOCTOR_F_SAYS_ADDRESS,
		DOCTOR_F_SAYS_REGION,	   DOCTOR_F_SAYS_AGENT,
		DOCTOR_F_SAYS_WAF,	   DOCTOR_F_SAYS_RATE,
		DOCTOR_F_SAYS_CLIENT_CERT, DOCTOR_F_SAYS_HOST,
		DOCTOR_F_SAYS_TLS_PORT,	   DOCTOR_F_SAYS_HEAD_LARGE,
		DOCTOR_F_SAYS_FULL,	   DOCTOR_F_SAYS_ORIGIN};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (doctor_found(chart, words[i]))
			return true;
	return base->status == 401 || base->status == 402 ||
	       base->status == 403 || base->status == 429 || base->status == 451;
}

/* What the page of the same path says of a WebSocket there. */
static void find_get_endpoint(struct doctor_chart *chart,
			      const struct doctor_probe *g)
{
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (doctor_says(g, DOCTOR_F_SAYS_ENDPOINT) &&
	    !(odd && doctor_says(odd, DOCTOR_F_SAYS_ENDPOINT)))
		tell(chart, DOCTOR_F_GET_SAYS_ENDPOINT, g);
}

/*
 * A route for plain requests: this path has a page, others have none, and a
 * handshake is no lawful request for it.
 */
static bool is_http_route(const struct doctor_chart *chart,
			  const struct doctor_probe *g)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	return (base->status == 400 || base->status == 405) &&
	       g->status == 200 && odd && odd->status == 404 &&
	       !doctor_wants_upgrade(g) && !doctor_wants_upgrade(base) &&
	       !doctor_found(chart, DOCTOR_F_GET_SAYS_ENDPOINT) &&
	       !doctor_is_engine(chart->c) &&
	       !doctor_opens_sockets(bytes_of(g->body, g->body_len));
}

/* A handshake by the book, and the server says that it is none. */
static bool says_it_was_lost(const struct doctor_chart *chart)
{
	return doctor_rank(doctor_baseline(chart)) == 2 &&
	       doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE) &&
	       doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD);
}

static void find_get(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (!g || base->outcome == DOCTOR_OPEN)
		return;
	find_get_words(chart, g);
	find_get_endpoint(chart, g);
	if (doctor_found(chart, DOCTOR_F_EMPTY_ENVOY) && g->status != 403)
		return; /* Envoy itself refuses the Upgrade, and it alone */
	if (doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) &&
	    doctor_rank(base) == 2 && doctor_wants_upgrade(base))
		return; /* what arrived was no proper Upgrade to begin with */
	if (neither_upgrades(base, g)) {
		tell_same(chart, DOCTOR_F_GET_SAME_WS, g,
			  "a plain GET without Upgrade is told the same");
		return;
	}
	if (doctor_rank(base) == 2 && doctor_same_answer(base, g)) {
		tell_same(chart,
			  doctor_wants_upgrade(base) ? DOCTOR_F_GET_SAME_WS
			  : base->status / 100 == 2  ? DOCTOR_F_GET_SAME_PAGE
			  : base->status / 100 == 5  ? DOCTOR_F_GET_SAME_ERROR
			  : is_denial(chart, base)   ? DOCTOR_F_GET_SAME_DENIED
						     : DOCTOR_F_GET_SAME,
			  g, "a plain GET without Upgrade gets the same answer");
		return;
	}
	if (reaches_further(base, g)) {
		tell(chart, DOCTOR_F_GET_OTHER_HOP, g);
		return;
	}
	/* where several servers take turns, another one answered the GET */
	if (is_up_behind(base, g) && !doctor_wavers(chart, &base->trial)) {
		tell(chart, DOCTOR_F_GET_REACHES, g);
		return;
	}
	if (says_it_was_lost(chart))
		return; /* half of it may arrive, so that they differ */
	if (doctor_wants_upgrade(g) &&
	    (base->status < 500 || !of_one_hand(base, g)))
		tell(chart,
		     doctor_rank(base) == 2 ? DOCTOR_F_GET_UPGRADE_SEEN
					    : DOCTOR_F_GET_UPGRADE_REQUIRED,
		     g);
	if (base->status == 403 && g->outcome == DOCTOR_ANSWERED &&
	    g->status < 500 && g->status != 401 && g->status != 403 &&
	    g->status != 429 && !doctor_found(chart, DOCTOR_F_WRITER_ASGI))
		tell(chart, DOCTOR_F_DENIES_HANDSHAKES, g);
	if (doctor_rank(base) == 2 && is_http_route(chart, g))
		tell(chart, DOCTOR_F_GET_HAS_PAGE, g);
	else if (doctor_rank(base) == 2)
		tell(chart, DOCTOR_F_GET_DIFFERENT, g);
	else if (answers(base, g))
		tell(chart, DOCTOR_F_GET_ANSWERED, g);
	else if (doctor_rank(base) < 2)
		tell_same(chart, DOCTOR_F_GET_FAILS_TOO, g,
			  "a plain GET fares no better");
}

/*
 * A WebSocket server that tells handshakes from plain requests, and refuses all
 * of them alike wherever they go: it does not look at the path.
 */
static void find_shut(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (doctor_rank(base) == 2 && base->status != 404 && g &&
	    !says_it_was_lost(chart) && doctor_rank(g) == 2 &&
	    g->status != base->status && doctor_wants_upgrade(g) &&
	    doctor_found(chart, DOCTOR_F_NONSENSE_SAME) &&
	    !doctor_found(chart, DOCTOR_F_WS_SHUTS_PATHS))
		tell_same(chart, DOCTOR_F_SHUT_EVERYWHERE, g,
			  "the server tells handshakes from plain requests, "
			  "and refuses every one, at a path that cannot exist "
			  "as well");
}

/*
 * Pages are served here, handshakes are refused alike whatever they ask for,
 * and nobody says a word of WebSocket: to this software an Upgrade is an error.
 */
static void find_upgrades_shut(struct doctor_chart *chart)
{
	static const enum doctor_finding_kind spoken[] = {
		DOCTOR_F_WRITER_APP,	     DOCTOR_F_WS_SHUTS_PATHS,
		DOCTOR_F_VERSION_13_LISTED,  DOCTOR_F_SAYS_NO_UPGRADE,
		DOCTOR_F_GET_SAYS_ENDPOINT,  DOCTOR_F_HANDSHAKE_BY_HAND,
		DOCTOR_F_ORIGIN_OTHER_OPENS, DOCTOR_F_VERSION_BY_HAND};
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if ((base->status != 400 && base->status != 501) ||
	    base->outcome != DOCTOR_ANSWERED || base->body_len > 0 || !g ||
	    doctor_is_hand_written(base) || g->status != 200 ||
	    doctor_wants_upgrade(g) || doctor_wants_upgrade(base) ||
	    is_ws_shut(base) ||
	    doctor_opens_sockets(bytes_of(g->body, g->body_len)) ||
	    !doctor_found(chart, DOCTOR_F_NONSENSE_SAME))
		return;
	for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
		if (doctor_found(chart, spoken[i]))
			return;
	tell(chart, DOCTOR_F_UPGRADES_SHUT, g);
}

/* In ms; a second and what it takes to tell the time. */
static bool is_a_second(double ms)
{
	return ms > 950 && ms < 1400;
}

/* A plain GET is told to upgrade at this path, and at the root it is not. */
static bool is_endpoint_alone(const struct doctor_chart *chart,
			      const struct doctor_probe *g)
{
	const struct doctor_probe *root =
		doctor_tried(chart, DOCTOR_PLAIN_GET_PATH, "/");

	return doctor_wants_upgrade(g) && root && doctor_rank(root) == 2 &&
	       !doctor_wants_upgrade(root);
}

/*
 * Node hands a handshake to whoever listens for it, and where that is nobody
 * for this path, it ends without a word; the same server answers a plain GET.
 */
static void find_unclaimed(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (base->outcome != DOCTOR_NO_ANSWER || !g || doctor_rank(g) != 2 ||
	    !odd || !doctor_same_answer(base, odd))
		return;
	if (!chart->blind && base->error != SESAME_ETIMEOUT &&
	    doctor_passed_by(g, WHY_STACK_WEBSOCKIFY)) {
		tell(chart, DOCTOR_F_RELAY_CLOSES, g);
		return;
	}
	if (is_endpoint_alone(chart, g)) {
		tell(chart, DOCTOR_F_UPGRADE_STOPPED, g);
		return;
	}
	tell(chart, DOCTOR_F_UPGRADE_UNCLAIMED, g);
	if (base->error == SESAME_ETIMEOUT)
		tell(chart, DOCTOR_F_UPGRADE_SWALLOWED, g);
	if (base->error != SESAME_ETIMEOUT && is_a_second(base->ms) &&
	    is_a_second(odd->ms))
		doctor_note(chart, DOCTOR_F_CLOSED_AFTER_A_SECOND, base, odd,
			    "the connection was closed a second after the "
			    "handshake, at a path that cannot exist as well");
}

/* Without what was offered, @p is told of the subprotocol; with it, not. */
static bool is_missed(const struct doctor_chart *chart,
		      const struct doctor_probe *p)
{
	return p && chart->c->subprotocols &&
	       doctor_says(p, DOCTOR_F_SAYS_SUBPROTOCOL) &&
	       !doctor_says(doctor_baseline(chart), DOCTOR_F_SAYS_SUBPROTOCOL);
}

static void find_subprotocol(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally with = count(chart, DOCTOR_SUBPROTOCOL);
	struct tally without = count(chart, DOCTOR_NO_SUBPROTOCOL);
	const struct doctor_probe *worse = !chart->c->subprotocols ? NULL
					   : with.worse		   ? with.worse
							: without.worse;

	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.change == DOCTOR_SUBPROTOCOL &&
		    doctor_chooses(base, chart->probe[i]))
			tell(chart, DOCTOR_F_SUBPROTOCOL_OPENS, chart->probe[i]);
	if (with.opened || without.opened) {
		tell(chart,
		     with.opened ? DOCTOR_F_SUBPROTOCOL_OPENS
				 : DOCTOR_F_SUBPROTOCOL_REMOVED_OPENS,
		     with.opened ? with.opened : without.opened);
		return;
	}
	if (base->outcome == DOCTOR_OPEN)
		return;
	if (base->outcome == DOCTOR_CLOSED_AFTER && base->subprotocol.len == 0 &&
	    (base->close_code == 1002 || base->close_code == 1003))
		doctor_note(
			chart, DOCTOR_F_SUBPROTOCOL_UNSPOKEN, base, NULL,
			"accepted without a subprotocol, and closed at once "
			"with %u, a fault of the protocol",
			base->close_code);
	if (is_missed(chart, without.changed) || is_missed(chart, with.changed))
		tell(chart, DOCTOR_F_SUBPROTOCOL_CLAIMED,
		     is_missed(chart, without.changed) ? without.changed
						       : with.changed);
	else if (with.changed || without.changed)
		tell(chart, DOCTOR_F_SUBPROTOCOL_CHANGES_ANSWER,
		     with.changed ? with.changed : without.changed);
	else if (worse && is_left_alone(base, worse))
		tell(chart, DOCTOR_F_SUBPROTOCOL_CLAIMED, worse);
	else if (without.same || (with.same && !chart->c->subprotocols))
		tell_same(chart, DOCTOR_F_SUBPROTOCOL_NO_EFFECT,
			  with.same ? with.same : without.same,
			  "with other subprotocols the answer is the same");
}

/* One field with next to nothing in it, which tells size from content. */
static void find_short(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = count(chart, DOCTOR_SHORT_HEADER);

	if (t.opened)
		tell(chart, DOCTOR_F_HEADER_SHORT_OPENS, t.opened);
	else if (t.answered ||
		 (t.changed && (base->status == 400 || base->status == 413 ||
				base->status == 414 || base->status == 431 ||
				base->status == 494)))
		tell(chart, DOCTOR_F_HEADER_SHORT_ANSWERS,
		     t.answered ? t.answered : t.changed);
	else if (t.same)
		tell_same(chart, DOCTOR_F_HEADER_SHORT_SAME, t.same,
			  "with the largest field cut short the answer is the "
			  "same");
}

/* One of the credentials holds what rules of firewalls look for. */
static bool has_odd_credentials(const struct doctor_case *c)
{
	for (size_t i = 0; i < c->n_headers; i++)
		if ((strcasecmp(c->header[i].name, "Cookie") == 0 ||
		     doctor_is_secret_name(bytes_of_str(c->header[i].name))) &&
		    doctor_is_attack(bytes_of_str(c->header[i].value), false))
			return true;
	return false;
}

static void find_credentials(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally t = count(chart, DOCTOR_NO_CREDENTIALS);

	if (t.opened && doctor_found(chart, DOCTOR_F_HEADER_SHORT_OPENS))
		return; /* what was in the way was their length */
	if (t.opened && is_about_size(chart) &&
	    !doctor_found(chart, DOCTOR_F_HEADER_SHORT_SAME))
		tell(chart, DOCTOR_F_HEADER_LARGE_REMOVED_OPENS, t.opened);
	else if (t.opened && base->status != 401 && has_odd_credentials(chart->c))
		tell(chart, DOCTOR_F_HEADER_ATTACK_OPENS, t.opened);
	else if (t.opened && base->status == 404 && chart->c->n_headers == 0 &&
		 chart->c->url.query.len > 0)
		/* who finds the target without it compares all of the target */
		tell(chart, DOCTOR_F_QUERY_REMOVED_OPENS, t.opened);
	else if (t.opened)
		tell(chart, DOCTOR_F_CREDENTIALS_REMOVED_OPENS, t.opened);
	else if (t.changed && t.changed->status == 401 && base->status == 400)
		tell(chart, DOCTOR_F_CREDENTIALS_UNREAD, t.changed);
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

static bool removes_attack(const struct doctor_case *c,
			   const struct doctor_probe *p)
{
	const struct doctor_header *h = doctor_case_header(c, p->trial.value);

	return h && doctor_is_attack(bytes_of_str(h->value), false);
}

static void find_fields(struct doctor_chart *chart)
{
	struct tally removed = count(chart, DOCTOR_NO_HEADER);
	struct tally bare = count(chart, DOCTOR_MINIMAL);
	struct tally version = count(chart, DOCTOR_VERSION);
	struct tally plain = count(chart, DOCTOR_NO_EXTENSIONS);

	if (removed.opened && removes_attack(chart->c, removed.opened))
		tell(chart, DOCTOR_F_HEADER_ATTACK_OPENS, removed.opened);
	else if (removed.opened)
		tell(chart,
		     doctor_found(chart, DOCTOR_F_HEAD_LARGE) ||
				     doctor_found(chart,
						  DOCTOR_F_HEADER_SHORT_OPENS)
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

/* Whoever shows a certificate speaks TLS, and means to. */
static bool shows_certificate(const struct doctor_probe *p)
{
	enum ses_tls_fault fault = p->dial.tls.fault;

	return p->outcome == DOCTOR_NO_CONNECTION && p->error == SESAME_ETLS &&
	       (fault == SES_TLS_UNTRUSTED || fault == SES_TLS_EXPIRED ||
		fault == SES_TLS_HOSTNAME);
}

/* An answer by somebody who takes plain HTTP for what it is. */
static bool is_proper(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_NO_CONNECTION || doctor_rank(p) > 2 ||
	       (doctor_rank(p) == 2 && p->status != 400);
}

static void find_scheme(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_SCHEME, NULL);

	if (!p)
		return;
	if (doctor_opens(chart, base, p))
		tell(chart, DOCTOR_F_SCHEME_OPENS, p);
	else if (doctor_found(chart, DOCTOR_F_SAYS_TLS_PORT) && spoke_tls(p))
		tell(chart, DOCTOR_F_SCHEME_ANSWERS, p);
	else if (doctor_says(p, DOCTOR_F_SAYS_TLS_PORT))
		tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
			  "without TLS the port says that it wants TLS");
	else if (shows_certificate(p) && !is_proper(base))
		tell(chart, DOCTOR_F_SCHEME_CERTIFIED, p);
	else if (answers(base, p) ||
		 (doctor_rank(base) < 2 &&
		  base->outcome != DOCTOR_NO_CONNECTION && spoke_tls(p)) ||
		 (doctor_rank(p) >= 2 && doctor_rank(base) >= 2 &&
		  !doctor_same_answer(base, p)))
		tell(chart, DOCTOR_F_SCHEME_ANSWERS, p);
	else
		tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
			  "the other scheme fares no better");
}

/* A proxy whose certificate fails was asked for nothing, and denied nothing. */
static bool stopped_before_proxy(const struct doctor_probe *base)
{
	enum ses_tls_fault fault = base->dial.tls.fault;

	return base->error == SESAME_EPROXY &&
	       (fault == SES_TLS_UNTRUSTED || fault == SES_TLS_EXPIRED ||
		fault == SES_TLS_HOSTNAME);
}

/* What the proxy did, that it opens without it. */
static enum doctor_finding_kind direct_finding(const struct doctor_chart *chart)
{
	if (doctor_found(chart, DOCTOR_F_TLS_UNTRUSTED) ||
	    doctor_found(chart, DOCTOR_F_TLS_EXPIRED) ||
	    doctor_found(chart, DOCTOR_F_TLS_HOSTNAME))
		return DOCTOR_F_DIRECT_TRUSTED;
	if (doctor_found(chart, DOCTOR_F_CUT_LATER))
		return DOCTOR_F_DIRECT_OUTLIVES;
	return DOCTOR_F_DIRECT_OPENS;
}

static void find_direct(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_DIRECT, NULL);

	if (!p)
		return;
	if (doctor_proxy_is_missing(chart)) {
		if (doctor_rank(p) > 0)
			tell(chart, DOCTOR_F_DIRECT_WORKS, p);
		return;
	}
	if (doctor_opens(chart, base, p) && !stopped_before_proxy(base))
		tell(chart, direct_finding(chart), p);
	else if (doctor_rank(base) == 0 && doctor_rank(p) > 0)
		tell(chart, DOCTOR_F_DIRECT_ANSWERS, p);
	else if (doctor_rank(base) == 0)
		tell(chart, DOCTOR_F_DIRECT_FAILS, p);
	else if (doctor_same_answer(base, p))
		tell_same(chart, DOCTOR_F_DIRECT_SAME, p,
			  "without the forward proxy the answer is the same");
}

/*
 * What it means that another port opens. One that was guessed, beside a door
 * that shuts without a word, may be the application behind that door.
 */
static enum doctor_finding_kind port_finding(const struct doctor_chart *chart,
					     const struct doctor_probe *base)
{
	if (base->outcome == DOCTOR_ANSWERED)
		return DOCTOR_F_PORT_NAMED_OPENS;
	if (doctor_speaks_http(chart))
		return DOCTOR_F_PORT_BESIDE_OPENS;
	if ((base->outcome == DOCTOR_NO_ANSWER &&
	     base->error != SESAME_ETIMEOUT) ||
	    base->error == SESAME_ETLS)
		return DOCTOR_F_PORT_BEHIND_OPENS;
	return DOCTOR_F_PORT_OPENS;
}

/* By another name the same address: TLS is told the name before all else. */
static void find_name(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_NAME, NULL);

	if (!p)
		return;
	if (doctor_opens(chart, base, p))
		tell(chart, DOCTOR_F_NAME_OPENS, p);
	else if (doctor_rank(p) > doctor_rank(base) || shows_certificate(p))
		tell(chart, DOCTOR_F_NAME_ANSWERS, p);
	else
		tell_same(chart, DOCTOR_F_NAME_NO_EFFECT, p,
			  "under another name it fares no better");
}

/* Who shuts the door without a word: who has not listened, or who has? */
static void find_silence(struct doctor_chart *chart)
{
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_SILENCE, NULL);

	if (!p || p->outcome != DOCTOR_NO_ANSWER)
		return;
	if (p->error == SESAME_ETIMEOUT)
		tell_same(chart, DOCTOR_F_SHUT_WHEN_ASKED, p,
			  "a connection on which nothing is said stays open");
	else
		tell_same(
			chart, DOCTOR_F_SHUT_UNASKED, p,
			"a connection on which nothing is said is ended, too");
}

static void find_way(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct tally source = count(chart, DOCTOR_SOURCE);
	struct tally unbound = count(chart, DOCTOR_NO_SOURCE);
	struct tally insecure = count(chart, DOCTOR_INSECURE);
	struct tally lower = count(chart, DOCTOR_TLS_VERSION);
	struct tally port = count(chart, DOCTOR_PORT);
	struct tally family = count(chart, DOCTOR_FAMILY);

	find_scheme(chart);
	find_direct(chart);
	find_name(chart);
	find_silence(chart);
	if (port.opened)
		tell(chart, port_finding(chart, base), port.opened);
	if (family.opened)
		tell(chart,
		     doctor_rank(base) == 2 ? DOCTOR_F_SOURCE_OPENS
					    : DOCTOR_F_FAMILY_OPENS,
		     family.opened);
	else if (family.changed && doctor_rank(base) == 0 &&
		 doctor_rank(family.changed) > 0)
		tell(chart, DOCTOR_F_FAMILY_ANSWERS, family.changed);
	if (unbound.opened && !source.opened)
		source = unbound;
	if (!unbound.opened && !source.opened &&
	    (unbound.answered || unbound.changed) && doctor_rank(base) == 0)
		tell(chart, DOCTOR_F_SOURCE_ANSWERS,
		     unbound.answered ? unbound.answered : unbound.changed);
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
		    chart->probe[i]->trial.change != DOCTOR_FAMILY &&
		    (!doctor_is_aside(chart->probe[i]->trial.change) ||
		     chart->probe[i] == g) &&
		    chart->probe[i]->trial.change != DOCTOR_H2 &&
		    chart->probe[i]->trial.change != DOCTOR_HOST &&
		    chart->probe[i]->trial.change != DOCTOR_SOURCE)
			return;
	doctor_note(chart, DOCTOR_F_DENIED_ALL, g, base,
		    "every path and a plain GET get the same 403");
}

void doctor_find_pairs(struct doctor_chart *chart)
{
	find_origin(chart);
	find_host(chart);
	find_path(chart);
	find_query(chart);
	find_get(chart);
	find_unclaimed(chart);
	find_shut(chart);
	find_upgrades_shut(chart);
	find_subprotocol(chart);
	find_short(chart);
	find_credentials(chart);
	find_agent(chart);
	find_fields(chart);
	find_way(chart);
	find_denied(chart);
	doctor_find_habits(chart);
}
