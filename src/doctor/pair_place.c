/* SPDX-License-Identifier: MIT */
/*
 * Is it the place? Another Host asks for another site of the same server,
 * another path for another resource of the site. What is hard is that guessed
 * paths are mostly wrong, so that what a path that cannot exist gets tells more
 * than what they get.
 */
#include "doctor/pair.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/finding_inner.h"
#include "doctor/harvest.h"
#include "doctor/key.h"

/* ---- the Host ---- */

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
			   doctor_tally(chart, DOCTOR_NO_HEADER).opened);
}

/* "Not Found", written to the bare socket. */
static bool is_headless_lost(const struct doctor_probe *p)
{
	struct bytes raw = bytes_first(bytes_of(p->head, p->head_len), 60);

	return p->outcome == DOCTOR_NOT_HTTP &&
	       (bytes_contains_nocase(raw, BYTES("not found")) ||
		bytes_contains_nocase(raw, BYTES("404")));
}

/*
 * The credentials stayed at home wherever another name was asked for: a server
 * that looks at the name first and at the credentials next refuses all of it.
 */
static void find_host_unproved(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart), *tried = NULL;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != DOCTOR_HOST)
			continue;
		if (!p->bare || p->outcome == DOCTOR_OPEN)
			return;
		tried = p;
	}
	if (tried && base->status == 403 && tried->status / 100 == 4 &&
	    doctor_found(chart, DOCTOR_F_NAME_IS_LOCAL) &&
	    doctor_has_credentials(chart->c))
		doctor_tell_same(
			chart, DOCTOR_F_HOST_UNPROVED, tried,
			"another Host was asked for without the credentials "
			"alone, so that it says little");
}

static void find_host(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_HOST);
	bool lost = base->status / 100 == 2 || base->status == 404 ||
		    base->status == 421 || is_headless_lost(base);

	if (t.opened && opens_without_fields(chart, t.opened))
		return;
	if (t.opened)
		doctor_tell(chart,
			    base->status / 100 == 3 ? DOCTOR_F_HOST_OPENS_LED
			    : lost		    ? DOCTOR_F_HOST_OPENS_LOST
						    : DOCTOR_F_HOST_OPENS,
			    t.opened);
	else if (t.changed && is_elsewhere(t.changed->status) &&
		 !is_elsewhere(base->status))
		doctor_tell(chart, DOCTOR_F_HOST_LEADS_ELSEWHERE, t.changed);
	else if (t.changed && host_matters(chart, t.changed))
		doctor_tell(chart, DOCTOR_F_HOST_CHANGES_ANSWER, t.changed);
	else if (t.same)
		doctor_tell_same(chart, DOCTOR_F_HOST_NO_EFFECT, t.same,
				 "with another Host the answer is the same");
}

/* ---- a path that cannot exist ---- */

/* Web servers refuse to list a directory, and know no other file there. */
static bool is_directory(const struct doctor_case *c)
{
	struct bytes path = c->url.path;

	return path.len == 0 || path.data[path.len - 1] == '/';
}

bool doctor_looks_shut_by_ws(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_ANSWERED && p->status == 400 &&
	       bytes_equal(bytes_of(p->body, p->body_len),
			   BYTES("Bad Request")) &&
	       bytes_equal_nocase(ses_head_get(&p->parsed, "Content-Type"),
				  BYTES("text/html"));
}

/* A status written to the bare socket, as ws does it: no Server, no Date. */
bool doctor_is_ws_shut(const struct doctor_probe *p)
{
	return doctor_looks_shut_by_ws(p) &&
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

/*
 * A page with the fields of a file, and beside it the 404 of the very server in
 * front: an application behind it would have answered that path itself.
 */
static bool serves_files(const struct doctor_chart *chart,
			 const struct doctor_probe *odd)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	int writer = odd->hops.writer;
	enum why_stack stack;

	if (chart->blind || base->outcome != DOCTOR_ANSWERED ||
	    base->status != 200 || odd->status != 404 || writer < 0)
		return false;
	stack = odd->hops.hop[writer].stack;
	return why_stack(stack)->layer == WHY_LAYER_REVERSE_PROXY &&
	       doctor_passed_by(base, stack) &&
	       ses_head_get(&base->parsed, "Last-Modified").data &&
	       (ses_head_get(&base->parsed, "ETag").data ||
		ses_head_get(&base->parsed, "Accept-Ranges").data);
}

/*
 * Nobody takes the other path; this one somebody took, and ended. Who cannot
 * answer a plain GET of it either has it from somebody who is not there.
 */
static bool is_ended_alone(const struct doctor_chart *chart,
			   const struct doctor_probe *odd)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	return g && g->status && g->status < 500 &&
	       base->outcome == DOCTOR_NO_ANSWER &&
	       base->error != SESAME_ETIMEOUT &&
	       odd->outcome == DOCTOR_NO_ANSWER &&
	       odd->error == SESAME_ETIMEOUT && base->ms < 500;
}

/* The connection ended where an answer belongs; a silence is something else. */
static bool is_hung_up(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_NO_ANSWER && p->error != SESAME_ETIMEOUT;
}

static void find_nonsense(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (p->outcome == DOCTOR_OPEN) {
		if (base->outcome == DOCTOR_NO_ANSWER)
			doctor_tell(chart, DOCTOR_F_NONSENSE_OPENS, p);
		return; /* any path is served */
	}
	if (base->outcome == DOCTOR_NO_ANSWER && doctor_rank(p) >= 2)
		doctor_tell(chart, DOCTOR_F_NONSENSE_ANSWERED, p);
	if (doctor_rank(p) >= 2 && is_hung_up(base) && g && is_hung_up(g))
		doctor_note(chart, DOCTOR_F_PATH_FAILS_ALL, g, p,
			    "a plain GET of this path is ended without an "
			    "answer as well, and one of another path is not");
	if (doctor_same_answer(base, p) && doctor_is_ws_shut(base) &&
	    !a_page_names_it(chart) &&
	    doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		doctor_note(chart, DOCTOR_F_WS_SHUTS_PATHS, p, base,
			    "the same short 400 comes from a path that cannot "
			    "exist; ws answers so to all paths but its own");
	if (doctor_same_answer(base, p))
		doctor_tell_same(
			chart,
			doctor_found(chart, DOCTOR_F_REFUSED_BY_PAGE) ||
					base->status / 100 != 2
				? DOCTOR_F_NONSENSE_SAME
				: DOCTOR_F_NONSENSE_SAME_PAGE,
			p, "a path that cannot exist gets the same answer");
	else if (doctor_is_left_alone(base, p))
		doctor_tell(chart, DOCTOR_F_PATH_CLAIMED, p);
	else if (is_ended_alone(chart, p))
		doctor_note(chart, DOCTOR_F_PATH_ENDED, base, p,
			    "this path is ended at once, and one that cannot "
			    "exist waits for an answer: somebody ends it who "
			    "knows it");
	else if (serves_files(chart, p))
		doctor_tell(chart,
			    chart->c->host ? DOCTOR_F_SERVES_FILES_NAMED
					   : DOCTOR_F_SERVES_FILES,
			    p);
	else if (base->status == 403 && p->status == 404 &&
		 is_directory(chart->c))
		doctor_tell(chart, DOCTOR_F_DIRECTORY_DENIED, p);
	else
		doctor_tell(chart,
			    base->status == 404 && p->status / 100 == 2
				    ? DOCTOR_F_PATH_ROUTED
				    : DOCTOR_F_NONSENSE_DIFFERS,
			    p);
}

/* ---- other paths ---- */

/* Whether two paths differ in a slash at the end alone. */
static bool differ_by_slash(struct bytes a, struct bytes b)
{
	if (a.len + 1 == b.len)
		return b.data[a.len] == '/' && bytes_starts(b, a);
	return b.len + 1 == a.len && a.data[b.len] == '/' && bytes_starts(a, b);
}

/* From "not found" to a refusal by somebody who looked at the request. */
static bool is_nearer(const struct doctor_probe *base,
		      const struct doctor_probe *p)
{
	return base->status == 404 &&
	       (p->status == 400 || p->status == 401 || p->status == 403 ||
		p->status == 426 || doctor_rank(p) == 3);
}

/* The user's own path, below a folder that the page of its refusal links to. */
static bool is_mounted(const struct doctor_chart *chart,
		       const struct doctor_probe *p)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes body = bytes_of(base->body, base->body_len);
	struct bytes own = chart->c->url.path;
	size_t len = strcspn(p->trial.value, "?");
	char link[300];
	int n;

	if (own.len < 2 || len <= own.len || len > 200 ||
	    memcmp(p->trial.value + len - own.len, own.data, own.len) != 0)
		return false;
	n = snprintf(link, sizeof(link), "=\"%.*s/", (int)(len - own.len),
		     p->trial.value);
	return bytes_contains_nocase(body, bytes_of(link, (size_t)n));
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

/* Whether nothing is found here, not even a page at the root. */
static bool is_lost_at_root(const struct doctor_chart *chart,
			    const struct doctor_probe *odd)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *root =
		doctor_tried(chart, DOCTOR_PLAIN_GET_PATH, "/");

	return base->status == 404 && odd->status == 404 && root &&
	       root->status == 404 && chart->c->url.path.len > 1;
}

/* The same path, and a query more or another one. */
static bool adds_query(const struct doctor_case *c, const struct doctor_probe *p)
{
	struct bytes value = bytes_of_str(p->trial.value), path = c->url.path;

	return value.len > path.len && value.data[path.len] == '?' &&
	       bytes_starts(value, path);
}

static bool is_nonsense(const struct doctor_probe *p)
{
	struct bytes value = bytes_of_str(p->trial.value);
	struct bytes end = BYTES(DOCTOR_NONSENSE_PATH);

	return value.len >= end.len &&
	       bytes_equal(bytes_from(value, value.len - end.len), end);
}

/* ws tells its own path from others; where the root is another's, beside it. */
static bool find_sibling(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = NULL;
	char value[512];

	if (doctor_sibling_path(chart->c, value, sizeof(value)))
		p = doctor_tried(chart, DOCTOR_PATH, value);
	if (!p || !doctor_same_answer(base, p) ||
	    !doctor_looks_shut_by_ws(base) || a_page_names_it(chart) ||
	    !doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		return false;
	doctor_note(chart, DOCTOR_F_WS_SHUTS_PATHS, p, base,
		    "the same short 400 comes from a path beside it that "
		    "cannot exist; ws answers so to all paths but its own");
	doctor_tell_same(chart, DOCTOR_F_NONSENSE_SAME, p,
			 "a path beside it that cannot exist gets the same "
			 "answer");
	return true;
}

/* A made-up name, where the user's own path has its last one. */
static bool is_beside(const struct doctor_case *c, const struct doctor_probe *p)
{
	char value[512];

	return doctor_namesake_path(c, value, sizeof(value)) &&
	       strcmp(p->trial.value, value) == 0;
}

/* A path that the server tells from one that cannot exist, and refuses. */
static bool is_known(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	bool refused = base->status >= 400 || base->outcome == DOCTOR_NO_ANSWER;

	return odd && odd->status == 404 && base->status != 404 && refused &&
	       !(base->status == 403 && is_directory(chart->c));
}

/* Whether neither path is a part, a folder or a name of the other. */
static bool is_unlike(struct bytes own, struct bytes other)
{
	struct bytes name = own;
	size_t query = 0;

	while (query < other.len && other.data[query] != '?')
		query++;
	other = bytes_first(other, query);
	for (size_t i = 0; i + 1 < own.len; i++)
		if (own.data[i] == '/')
			name = bytes_from(own, i + 1);
	return own.len > 1 && other.len > 1 &&
	       !bytes_contains_nocase(other, name) &&
	       !bytes_contains_nocase(own, other);
}

static enum doctor_finding_kind path_finding(const struct doctor_chart *chart,
					     const struct doctor_probe *opened)
{
	struct bytes path = bytes_of_str(opened->trial.value);

	if (adds_query(chart->c, opened))
		return DOCTOR_F_PARAMETER_OPENS;
	if (differ_by_slash(chart->c->url.path, path))
		return DOCTOR_F_PATH_SLASH_OPENS;
	if (leads_to(doctor_baseline(chart), opened))
		return DOCTOR_F_PATH_OPENS_LED;
	return is_known(chart) && is_unlike(chart->c->url.path, path)
		       ? DOCTOR_F_ANOTHER_PATH_OPENS
		       : DOCTOR_F_PATH_OPENS;
}

/*
 * Who relays by names has nobody to hand a handshake to: it says "Not Found" to
 * the socket, without a head, and to plain requests of any path, the root too.
 */
static bool is_lost_by_name(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_probe *root =
		doctor_tried(chart, DOCTOR_PLAIN_GET_PATH, "/");
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	return base->outcome == DOCTOR_NOT_HTTP &&
	       bytes_equal(bytes_trim(bytes_of(base->head, base->head_len)),
			   BYTES("Not Found")) &&
	       g && g->status == 404 && root && root->status == 404 && odd &&
	       doctor_same_answer(base, odd);
}

static void find_path(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_PATH);

	if (odd && base->outcome != DOCTOR_OPEN && !find_sibling(chart))
		find_nonsense(chart, odd);
	if (is_lost_by_name(chart))
		doctor_note(chart, DOCTOR_F_NAME_LOST, base, NULL,
			    "handshakes are told \"Not Found\" on the bare "
			    "socket, and nothing is found at any path");
	if (odd && is_lost_at_root(chart, odd))
		doctor_tell_same(chart, DOCTOR_F_ROOT_LOST, odd,
				 "nothing is found at any path, not even a "
				 "page at the root");
	if (t.opened && base->status == 403 && is_beside(chart->c, t.opened))
		doctor_tell(chart, DOCTOR_F_NAME_BESIDE_OPENS, t.opened);
	else if (t.opened && !is_nonsense(t.opened))
		doctor_tell(chart, path_finding(chart, t.opened), t.opened);
	else if (t.answered)
		doctor_tell(chart, DOCTOR_F_PATH_ANSWERS, t.answered);
	for (size_t i = 0; i < chart->n_probes && !t.opened; i++) {
		if (chart->probe[i]->trial.change != DOCTOR_PATH)
			continue;
		if (doctor_rank(base) == 2 && chart->probe[i]->trial.value[0] &&
		    is_upgraded(chart->probe[i]))
			doctor_tell(chart, DOCTOR_F_PATH_UPGRADES,
				    chart->probe[i]);
		if (is_nearer(base, chart->probe[i]))
			doctor_tell(chart,
				    is_mounted(chart, chart->probe[i])
					    ? DOCTOR_F_PATH_MOUNTED
					    : DOCTOR_F_PATH_NEARER,
				    chart->probe[i]);
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

void doctor_find_place(struct doctor_chart *chart)
{
	find_host(chart);
	find_host_unproved(chart);
	find_path(chart);
}
