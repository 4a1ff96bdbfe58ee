/* SPDX-License-Identifier: MIT */
/*
 * Habits: what particular software means by an answer that has no words for
 * it, and what an application's own words name of the request. A status alone
 * does not tell; who wrote it, and where else it comes, does.
 */
#include "doctor/finding_inner.h"

#include <stdio.h>

#include "doctor/alike.h"
#include "doctor/harvest.h"
#include "doctor/withhold.h"

static bool is_bare(const struct doctor_probe *p, int status)
{
	return p && p->outcome == DOCTOR_ANSWERED && p->status == status &&
	       p->body_len == 0;
}

/* Whether any answer of this server names @stack. */
static bool is_seen(const struct doctor_chart *chart, enum why_stack stack)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (doctor_passed_by(chart->probe[i], stack))
			return true;
	return false;
}

bool doctor_is_hand_written(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_ANSWERED && p->status / 100 == 4 &&
	       p->body_len == 0 &&
	       (p->parsed.n_fields == 0 ||
		(p->parsed.n_fields == 1 &&
		 bytes_equal_nocase(p->parsed.fields[0].name,
				    BYTES("Connection"))));
}

/* The same from every path, but for plain requests. */
static void find_hand_written(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if ((base->status == 400 || base->status == 404) &&
	    doctor_is_hand_written(base) && g && g->status &&
	    !doctor_is_hand_written(g) &&
	    doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD) &&
	    doctor_found(chart, DOCTOR_F_NONSENSE_SAME))
		doctor_note(chart, DOCTOR_F_HAND_WRITTEN, base, g,
			    "who listens for upgrades wrote the %d to the bare "
			    "socket, whatever the path; plain requests get "
			    "more",
			    base->status);
}

/*
 * Cowboy's router has a bare 404 for a path, and a bare 400 for a Host; where
 * the 400 is that of one path, a handler did not find what it matches.
 */
static void find_cowboy(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (!is_bare(base, 400) || !is_seen(chart, WHY_STACK_COWBOY) || !odd ||
	    !doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		return;
	if (is_bare(odd, 400))
		doctor_note(chart, DOCTOR_F_COWBOY_NO_HOST, odd, base,
			    "Cowboy has the same bare 400 for every path, "
			    "which is its answer to a Host without routes");
	else if (is_bare(odd, 404))
		doctor_note(chart, DOCTOR_F_COWBOY_UNMATCHED, odd, base,
			    "Cowboy says 404 to a path without a route, and "
			    "400 here: the handler misses something");
}

/*
 * Caddy answers a Host that none of its sites has with an empty 200, whatever
 * is asked for; a site has mostly something at one of its paths.
 */
static void find_caddy(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool odd = false, root = false;

	if (!doctor_found(chart, DOCTOR_F_EMPTY_CADDY))
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		enum doctor_change change = p->trial.change;

		if (change != DOCTOR_PATH && change != DOCTOR_PLAIN_GET &&
		    change != DOCTOR_PLAIN_GET_PATH)
			continue;
		if (!doctor_same_answer(base, p))
			return;
		odd |= strcmp(p->trial.value, DOCTOR_NONSENSE_PATH) == 0;
		root |= strcmp(p->trial.value, "/") == 0 ||
			(change == DOCTOR_PLAIN_GET &&
			 chart->c->url.path.len <= 1);
	}
	if (odd && root)
		doctor_note(chart, DOCTOR_F_CADDY_NO_SITE, base, NULL,
			    "Caddy has the same empty 200 for every path, the "
			    "root too, as for a Host that none of its sites "
			    "has");
}

static void find_goaccess(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (is_bare(base, 400) && base->parsed.n_fields <= 1 &&
	    bytes_equal(base->parsed.reason, BYTES("Invalid Request")))
		doctor_note(chart, DOCTOR_F_GOACCESS_400, base, NULL,
			    "GoAccess says \"Invalid Request\" to an Origin "
			    "that is not the one that it was given");
}

static void find_sails(struct doctor_chart *chart)
{
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_POLLING, NULL);

	if (p && p->outcome == DOCTOR_ANSWERED && p->status == 400 &&
	    bytes_contains_nocase(bytes_of(p->body, p->body_len),
				  BYTES("\"code\":3")) &&
	    (is_seen(chart, WHY_STACK_SAILS) ||
	     bytes_contains_nocase(chart->c->url.query, BYTES("__sails_io"))))
		doctor_note(chart, DOCTOR_F_SAILS_FORBIDS, p, NULL,
			    "Sails refuses the session, too, as it does where "
			    "the Origin is not on its list");
}

/* Vite takes no Origin, or any that brings the token which its page has. */
static void find_vite(struct doctor_chart *chart)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_NO_ORIGIN, NULL);
	bool has = bytes_contains_nocase(c->url.query, BYTES("token="));

	if (base->status == 400 && p && p->outcome == DOCTOR_OPEN &&
	    bytes_equal_str(bytes_of_str(c->subprotocols), "vite-hmr"))
		doctor_note(chart, DOCTOR_F_VITE_TOKEN, p, base,
			    "Vite asks whoever sends an Origin for the token "
			    "that its page has, and the query has %s",
			    has ? "that of another start" : "none");
}

/* A handshake that none of its protocols takes is dropped by libwebsockets. */
static void find_libwebsockets(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (base->outcome == DOCTOR_NO_ANSWER && g && g->status &&
	    doctor_passed_by(g, WHY_STACK_LIBWEBSOCKETS))
		doctor_note(chart, DOCTOR_F_LWS_DROPS, g, base,
			    "libwebsockets answers a plain GET, and drops the "
			    "handshake, as it does where it has nobody for its "
			    "subprotocol");
}

/* Who serves WebSocket alone calls a plain GET a bad request. */
static void find_bad_request_behind(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (doctor_found(chart, DOCTOR_F_HOME_ASSISTANT_400) ||
	    doctor_found(chart, DOCTOR_F_WERKZEUG_400) ||
	    doctor_found(chart, DOCTOR_F_WERKZEUG_NO_UPGRADE) ||
	    doctor_found(chart, DOCTOR_F_SAYS_FORWARDED) ||
	    doctor_found(chart, DOCTOR_F_SAYS_PARAMETERS) ||
	    doctor_found(chart, DOCTOR_F_SAYS_QUERY))
		return; /* that is what they say of something else */
	if (base->status == 400 && g && doctor_found(chart, DOCTOR_F_GET_SAME) &&
	    (doctor_found(chart, DOCTOR_F_PROXY_SEEN) ||
	     doctor_found(chart, DOCTOR_F_RELAYED)))
		doctor_note(
			chart, DOCTOR_F_GET_SAME_BEHIND, g, base,
			"what is behind the proxy calls the handshake a bad "
			"request, as it does a plain GET");
}

/*
 * An application mounts GraphQL at a path of its own; a server that a library
 * starts for GraphQL alone has it at every path, and nothing else.
 */
static void find_graphql_alone(struct doctor_chart *chart)
{
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (doctor_found(chart, DOCTOR_F_SAYS_GRAPHQL) &&
	    doctor_found(chart, DOCTOR_F_NONSENSE_SAME))
		doctor_note(chart, DOCTOR_F_GRAPHQL_ALONE, odd,
			    doctor_baseline(chart),
			    "every path is this GraphQL endpoint, as of a "
			    "server that serves nothing else");
}

/*
 * The edge refuses handshakes by itself, whatever their path, and passes plain
 * requests on to whoever is behind.
 */
static void find_edge(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (doctor_found(chart, DOCTOR_F_WRITER_CDN) &&
	    doctor_found(chart, DOCTOR_F_NONSENSE_SAME) &&
	    (base->status == 400 || base->status == 501) && g &&
	    g->status / 100 == 2)
		doctor_note(chart, DOCTOR_F_EDGE_REFUSES, g, base,
			    "the CDN itself refuses handshakes at every path, "
			    "and passes a plain GET on");
}

/* Servers with nothing but one WebSocket, which is at whatever path. */
static void find_any_path(struct doctor_chart *chart)
{
	static const char *const names[] = {"{\"tinylr\":"}; /* LiveReload */
	const struct doctor_probe *base = doctor_baseline(chart);

	if (base->outcome != DOCTOR_ANSWERED || base->status != 404)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes text =
			bytes_first(bytes_of(p->body, p->body_len), 200);

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (p->outcome == DOCTOR_ANSWERED &&
			    bytes_starts(text, bytes_of_str(names[k])))
				doctor_note(chart, DOCTOR_F_TAKES_ANY_PATH, p,
					    base,
					    "what answers here takes "
					    "handshakes at any path");
	}
}

/*
 * Nobody takes a GET for a method that is not known. Where the root has a page,
 * and a path that cannot exist the same 501, it may be a router's word as well.
 */
static void find_empty_501(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	const struct doctor_probe *root =
		doctor_tried(chart, DOCTOR_PLAIN_GET_PATH, "/");

	if (!is_bare(base, 501) || !is_bare(g, 501))
		return;
	if (is_bare(odd, 501) && root && root->status == 200)
		doctor_note(chart, DOCTOR_F_ROUTED_501, odd, root,
			    "the root has a page, and every other path an "
			    "empty 501");
	else
		doctor_note(chart, DOCTOR_F_EMPTY_501, g, base,
			    "a plain GET gets an empty 501 as well, which is "
			    "how many an example answers it");
}

/* What tells why, or who: a name beside it is mentioned by the way. */
static bool says_why(const struct doctor_chart *chart)
{
	static const enum doctor_finding_kind kinds[] = {
		DOCTOR_F_SAYS_FULL,	    DOCTOR_F_SAYS_RATE,
		DOCTOR_F_SAYS_CREDENTIALS,  DOCTOR_F_SAYS_BAD_TOKEN,
		DOCTOR_F_SAYS_PERMISSION,   DOCTOR_F_SAYS_MAINTENANCE,
		DOCTOR_F_TOLD_UNAUTHORIZED, DOCTOR_F_TOLD_FORBIDDEN,
		DOCTOR_F_SAYS_ORIGIN,	    DOCTOR_F_SAYS_SAME_ORIGIN,
		DOCTOR_F_SAYS_HOST,	    DOCTOR_F_SAYS_ADDRESS,
		DOCTOR_F_SAYS_AGENT,	    DOCTOR_F_SAYS_SUBPROTOCOL,
		DOCTOR_F_SAYS_SESSION,	    DOCTOR_F_SAYS_UNKNOWN_NAME,
		DOCTOR_F_SAYS_NO_UPGRADE,   DOCTOR_F_SAYS_UPGRADE_FAILED,
		DOCTOR_F_SAYS_NOT_HERE,	    DOCTOR_F_SAYS_NO_WEBSOCKET,
		DOCTOR_F_SAYS_UNCONNECTED,  DOCTOR_F_SAYS_BACKEND,
		DOCTOR_F_SAYS_QUERY,	    DOCTOR_F_SAYS_PARAMETERS,
		DOCTOR_F_SAYS_VERSION,	    DOCTOR_F_SAYS_WAF,
		DOCTOR_F_SAYS_KEY,	    DOCTOR_F_SAYS_PATH,
		DOCTOR_F_SAYS_IDLE,	    DOCTOR_F_SAYS_TAKEN,
		DOCTOR_F_SAYS_MANY,	    DOCTOR_F_SAYS_ABSENT};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (doctor_found(chart, kinds[i]))
			return true;
	return false;
}

/* A refusal that names a parameter of the user's own query finds fault there. */
static void find_own_parameter(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes query = chart->c->url.query, said = {0};
	char word[42], quote[160];

	if (base->status / 100 != 4 || says_why(chart))
		return;
	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		struct bytes pair =
			bytes_first(query, end < 0 ? query.len : (size_t)end);
		ptrdiff_t equals = bytes_find_byte(pair, '=');

		query = bytes_from(query, pair.len + 1);
		if (equals < 3 || equals > 40 || doctor_is_secret_part(pair))
			continue;
		snprintf(word, sizeof(word), "%.*s$", (int)equals,
			 (const char *)pair.data);
		if (!doctor_says_word(base, word, &said))
			continue;
		bytes_printable(said, quote, sizeof(quote));
		doctor_note(chart, DOCTOR_F_SAYS_QUERY, base, NULL,
			    "the answer names %.*s, which the query has: "
			    "\"%s\"",
			    (int)equals, (const char *)pair.data, quote);
		return;
	}
}

/* Words that close anything, and say nothing. */
static bool is_stock(struct bytes reason)
{
	static const char *const words[] = {
		"polic",   "forbid", "denied",	"unauth", "allow", "refus",
		"reject",  "clos",   "invalid", "bad",	  "error", "violat",
		"goodbye", "bye",    "normal",	"auth",	  "fail",  "access"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(reason, bytes_of_str(words[i])))
			return true;
	return false;
}

/* Whether the words leave it to the server's own log, after all. */
static bool says_own_affair(const struct doctor_chart *chart)
{
	static const enum doctor_finding_kind kinds[] = {
		DOCTOR_F_SAYS_BACKEND, DOCTOR_F_SAYS_UNCONNECTED,
		DOCTOR_F_SAYS_MAINTENANCE, DOCTOR_F_SAYS_TAKEN,
		DOCTOR_F_SAYS_ABSENT,	   DOCTOR_F_SAYS_UNKNOWN_NAME};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (doctor_found(chart, kinds[i]))
			return true;
	return false;
}

#define ONE_SENTENCE 420 /* a longer page of an error quotes what went wrong */

/* Who accepted it and then says why not, or has a sentence in the place of an
 * error's page, is no riddle to anybody outside. */
static void find_told_why(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool after = base->status == 101 && base->outcome != DOCTOR_OPEN;
	bool error = base->outcome == DOCTOR_ANSWERED && base->status >= 500 &&
		     base->body_len <= ONE_SENTENCE;

	if ((after || error) && says_why(chart) && !says_own_affair(chart))
		doctor_note(chart, DOCTOR_F_TOLD_WHY, base, NULL, "%s",
			    after ? "after the 101 it says why"
				  : "the error says why in a sentence");
}

/* Some languages put no blanks between words. */
static bool is_sentence(struct bytes text)
{
	for (size_t i = 0; text.len >= 8 && i < text.len; i++)
		if (text.data[i] == ' ' || text.data[i] >= 0x80)
			return true;
	return false;
}

static void find_other_reason(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes reason = bytes_trim(bytes_of_str(base->close_reason));
	char quote[160];

	if (base->outcome != DOCTOR_CLOSED_AFTER || !is_sentence(reason) ||
	    is_stock(reason) || says_why(chart))
		return;
	bytes_printable(reason, quote, sizeof(quote));
	doctor_note(chart, DOCTOR_F_SAYS_OTHERWISE, base, NULL,
		    "the close gives a reason of its own: \"%s\"", quote);
}

static bool ends_with(struct bytes text, struct bytes end)
{
	return text.len >= end.len &&
	       bytes_equal(bytes_from(text, text.len - end.len), end);
}

/*
 * A page that says 404 comes with scripts and styles of its own. Where none of
 * those is found at the paths that it names, it does not know where it is.
 */
static void find_lost_links(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart), *lost = NULL;
	struct bytes body = bytes_of(base->body, base->body_len);

	if (base->outcome != DOCTOR_ANSWERED || base->status != 404)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		size_t len = strcspn(p->trial.value, "?");

		if (p->trial.change != DOCTOR_PLAIN_GET_PATH || len < 4 ||
		    !bytes_contains_nocase(body, bytes_of(p->trial.value, len)))
			continue;
		if (p->status != 404)
			return;
		lost = p;
	}
	if (lost)
		doctor_note(chart, DOCTOR_F_LINKS_LOST, lost, base,
			    "what the page itself links to is not found "
			    "either: somebody on the way changes paths");
}

/*
 * Routers repeat the path that they looked for: where it is not the one that was
 * asked for, somebody on the way has changed it. To take a prefix off is usual.
 */
static void find_rewritten(struct doctor_chart *chart)
{
	static const char *const before[] = {"Route GET:", "Cannot GET ",
					     "No route found for GET "};
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes own = chart->c->url.path, body, said;

	if (base->outcome != DOCTOR_ANSWERED || base->status != 404)
		return;
	body = bytes_first(bytes_of(base->body, base->body_len), 2000);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct bytes mark = bytes_of_str(before[i]);
		const uint8_t *hit =
			memmem(body.data, body.len, mark.data, mark.len);
		size_t n = 0;

		if (!body.data || !hit)
			continue;
		said = bytes_from(body, (size_t)(hit - body.data) + mark.len);
		while (n < said.len && said.data[n] > ' ' &&
		       !strchr("?\"'<&", said.data[n]))
			n++;
		said = bytes_first(said, n);
		if (bytes_starts(said, BYTES("/")) && own.len > 0 &&
		    said.len < 200 && !ends_with(own, said) &&
		    bytes_find_byte(own, '%') < 0)
			doctor_note(
				chart, DOCTOR_F_PATH_REWRITTEN, base, NULL,
				"the 404 is for %.*s, another path than the "
				"one that was asked for",
				BYTES_ARG(said));
	}
}

/* nginx, Apache, HAProxy and their like ask for credentials by 401. */
static void find_rule(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (base->outcome == DOCTOR_ANSWERED && base->status == 403 &&
	    doctor_found(chart, DOCTOR_F_WRITER_PROXY) &&
	    !doctor_wrote(base, WHY_STACK_AWS_APIGW) &&
	    doctor_found(chart, DOCTOR_F_CREDENTIALS_NOT_SENT) &&
	    !doctor_found(chart, DOCTOR_F_CHALLENGE) &&
	    !doctor_found(chart, DOCTOR_F_SAYS_CREDENTIALS))
		doctor_note(chart, DOCTOR_F_RULE_403, base, NULL,
			    "the 403 is a web server's own, which asks for "
			    "credentials by 401");
}

/* API Gateway has one bare word for a missing key and a stage it does not have. */
static void find_apigw(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes body = bytes_of(base->body, base->body_len);

	if (base->outcome == DOCTOR_ANSWERED && base->status == 403 &&
	    doctor_wrote(base, WHY_STACK_AWS_APIGW) &&
	    bytes_contains_nocase(body, BYTES("\"forbidden\"")))
		doctor_note(chart, DOCTOR_F_APIGW_FORBIDDEN, base, NULL,
			    "API Gateway says a bare 403 to a request without "
			    "its key, and to a stage or path that it does not "
			    "have");
}

/* What the Upgrader refuses has the status's own words for a body. */
static void find_gorilla(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (base->outcome == DOCTOR_ANSWERED && base->status == 403 &&
	    (doctor_wrote(base, WHY_STACK_GORILLA) ||
	     doctor_wrote(base, WHY_STACK_WEBSOCKETD)) &&
	    bytes_starts(bytes_of(base->body, base->body_len),
			 BYTES("Forbidden")))
		doctor_note(chart,
			    doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME)
				    ? DOCTOR_F_GORILLA_OWN_403
				    : DOCTOR_F_GORILLA_403,
			    base, NULL,
			    "gorilla's Upgrader says a bare 403 to an Origin "
			    "that the program turns down");
}

void doctor_find_habits(struct doctor_chart *chart)
{
	find_own_parameter(chart);
	find_told_why(chart);
	find_other_reason(chart);
	find_hand_written(chart);
	find_rewritten(chart);
	find_lost_links(chart);
	if (chart->blind)
		return;
	find_rule(chart);
	find_apigw(chart);
	find_gorilla(chart);
	find_cowboy(chart);
	find_caddy(chart);
	find_graphql_alone(chart);
	find_edge(chart);
	find_any_path(chart);
	find_goaccess(chart);
	find_sails(chart);
	find_vite(chart);
	find_bad_request_behind(chart);
	find_libwebsockets(chart);
	find_empty_501(chart);
}
