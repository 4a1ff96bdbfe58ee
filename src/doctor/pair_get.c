/* SPDX-License-Identifier: MIT */
/*
 * Is it the Upgrade? A plain GET of the same URL is the same request without
 * it: answered alike, nobody looked at the Upgrade; answered by somebody else,
 * whoever stands before does not pass it on; and where no handshake gets
 * through anywhere, there may be no WebSocket at all.
 */
#include "doctor/pair.h"

#include <sesame/error.h>

#include "doctor/harvest_inner.h"
#include "doctor/key.h"

/* ---- what the plain GET says ---- */

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
		{DOCTOR_F_SAYS_UNCONNECTED, DOCTOR_F_GET_SAYS_UNCONNECTED},
	};

	if (g->outcome != DOCTOR_ANSWERED || g->status < 400)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!doctor_found(chart, rows[i].says) &&
		    doctor_says(g, rows[i].says))
			doctor_tell(chart, rows[i].kind, g);
}

/* What the page of the same path says of a WebSocket there. */
static void find_get_endpoint(struct doctor_chart *chart,
			      const struct doctor_probe *g)
{
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (doctor_says(g, DOCTOR_F_SAYS_ENDPOINT) &&
	    !(odd && doctor_says(odd, DOCTOR_F_SAYS_ENDPOINT)))
		doctor_tell(chart, DOCTOR_F_GET_SAYS_ENDPOINT, g);
}

/* ---- who answers which ---- */

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
	/* "not implemented" is no gateway's word for whom it cannot reach */
	return (base->status == 502 || base->status == 504) &&
	       g->outcome == DOCTOR_ANSWERED &&
	       (g->status < 500 || g->status == 501) && !of_one_hand(base, g) &&
	       (doctor_wants_upgrade(g) ||
		(written_by_proxy(base) && !written_by_proxy(g)));
}

/* A refusal of who asks, by its status or by its words. */
bool doctor_is_denial(const struct doctor_chart *chart,
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

/*
 * The handshake is ended without a word, and a plain GET is an error of the
 * server's: who passes both on cannot reach whom it asks.
 */
static bool is_lost_behind(const struct doctor_probe *base,
			   const struct doctor_probe *g)
{
	return base->outcome == DOCTOR_NO_ANSWER &&
	       base->error != SESAME_ETIMEOUT &&
	       (g->status == 500 || g->status == 502 || g->status == 504);
}

static void find_plain(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (!g || base->outcome == DOCTOR_OPEN)
		return;
	find_get_words(chart, g);
	if (doctor_is_led_on(chart->c, g) && base->status / 100 != 3)
		doctor_tell(chart, DOCTOR_F_GET_LED_ON, g);
	find_get_endpoint(chart, g);
	if (doctor_found(chart, DOCTOR_F_EMPTY_ENVOY) && g->status != 403)
		return; /* Envoy itself refuses the Upgrade, and it alone */
	if (doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) &&
	    doctor_rank(base) == 2 && doctor_wants_upgrade(base))
		return; /* what arrived was no proper Upgrade to begin with */
	if (neither_upgrades(base, g)) {
		doctor_tell_same(
			chart, DOCTOR_F_GET_SAME_WS, g,
			"a plain GET without Upgrade is told the same");
		return;
	}
	if (doctor_rank(base) == 2 && doctor_same_answer(base, g)) {
		doctor_tell_same(
			chart,
			doctor_wants_upgrade(base) ? DOCTOR_F_GET_SAME_WS
			: base->status / 100 == 2  ? DOCTOR_F_GET_SAME_PAGE
			: base->status / 100 == 5  ? DOCTOR_F_GET_SAME_ERROR
			: doctor_is_denial(chart, base) ? DOCTOR_F_GET_SAME_DENIED
							: DOCTOR_F_GET_SAME,
			g, "a plain GET without Upgrade gets the same answer");
		return;
	}
	if (reaches_further(base, g)) {
		doctor_tell(chart, DOCTOR_F_GET_OTHER_HOP, g);
		return;
	}
	if (base->status == 503 && doctor_wants_upgrade(g) &&
	    !doctor_wants_upgrade(base) && !of_one_hand(base, g) &&
	    !doctor_wavers(chart, &base->trial)) {
		doctor_tell(chart, DOCTOR_F_HANDSHAKES_503, g);
		return;
	}
	/* where several servers take turns, another one answered the GET */
	if (is_up_behind(base, g) && !doctor_wavers(chart, &base->trial)) {
		doctor_tell(chart, DOCTOR_F_GET_REACHES, g);
		if (g->parsed.reason.len == 0)
			doctor_tell(chart, DOCTOR_F_GET_REASONLESS, g);
		if (g->status == 404 && !doctor_wants_upgrade(g))
			doctor_tell(chart, DOCTOR_F_GET_LOST_BEHIND, g);
		return;
	}
	if (says_it_was_lost(chart))
		return; /* half of it may arrive, so that they differ */
	if (doctor_wants_upgrade(g) &&
	    (base->status < 500 || !of_one_hand(base, g)))
		doctor_tell(chart,
			    doctor_rank(base) == 2
				    ? DOCTOR_F_GET_UPGRADE_SEEN
				    : DOCTOR_F_GET_UPGRADE_REQUIRED,
			    g);
	if (base->status == 403 && g->outcome == DOCTOR_ANSWERED &&
	    g->status < 500 && g->status != 401 && g->status != 403 &&
	    g->status != 429 && !doctor_found(chart, DOCTOR_F_WRITER_ASGI))
		doctor_tell(chart, DOCTOR_F_DENIES_HANDSHAKES, g);
	if (doctor_rank(base) == 2 && is_http_route(chart, g))
		doctor_tell(chart, DOCTOR_F_GET_HAS_PAGE, g);
	else if (doctor_rank(base) == 2)
		doctor_tell(chart, DOCTOR_F_GET_DIFFERENT, g);
	else if (doctor_answers(base, g))
		doctor_tell(chart,
			    is_lost_behind(base, g) ? DOCTOR_F_GET_ERROR
						    : DOCTOR_F_GET_ANSWERED,
			    g);
	else if (doctor_rank(base) < 2)
		doctor_tell_same(chart, DOCTOR_F_GET_FAILS_TOO, g,
				 "a plain GET fares no better");
}

/* ---- handshakes alone are refused ---- */

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
		doctor_tell_same(
			chart, DOCTOR_F_SHUT_EVERYWHERE, g,
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
	    doctor_is_ws_shut(base) ||
	    doctor_opens_sockets(bytes_of(g->body, g->body_len)) ||
	    !doctor_found(chart, DOCTOR_F_NONSENSE_SAME))
		return;
	for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
		if (doctor_found(chart, spoken[i]))
			return;
	doctor_tell(chart, DOCTOR_F_UPGRADES_SHUT, g);
}

/* ---- handshakes alone get no answer ---- */

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
		doctor_tell(chart, DOCTOR_F_RELAY_CLOSES, g);
		return;
	}
	if (is_endpoint_alone(chart, g)) {
		doctor_tell(chart, DOCTOR_F_UPGRADE_STOPPED, g);
		return;
	}
	doctor_tell(chart,
		    g->status / 100 == 2 && chart->c->url.path.len > 1
			    ? DOCTOR_F_UPGRADE_UNCLAIMED_PAGE
			    : DOCTOR_F_UPGRADE_UNCLAIMED,
		    g);
	if (base->error == SESAME_ETIMEOUT)
		doctor_tell(chart, DOCTOR_F_UPGRADE_SWALLOWED, g);
	if (base->error != SESAME_ETIMEOUT && is_a_second(base->ms) &&
	    is_a_second(odd->ms))
		doctor_note(chart, DOCTOR_F_CLOSED_AFTER_A_SECOND, base, odd,
			    "the connection was closed a second after the "
			    "handshake, at a path that cannot exist as well");
}

/*
 * Libraries write what they refuse to the bare socket, without the Date that
 * every server has, and that a proxy adds to what it passes on.
 */
static bool is_to_bare_socket(const struct doctor_probe *p)
{
	return !ses_head_get(&p->parsed, "Date").data &&
	       !ses_head_get(&p->parsed, "Server").data &&
	       !ses_head_get(&p->parsed, "Via").data;
}

/*
 * A handshake of a version that nobody speaks: whoever looks at handshakes
 * refuses it, as HTTP, which gets through where a 101 does not.
 */
static void find_unfit(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_UNFIT, NULL);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	bool refused =
		p && p->outcome == DOCTOR_ANSWERED && p->status / 100 == 4;

	if (!p)
		return;
	if (base->outcome == DOCTOR_NO_ANSWER && refused)
		doctor_tell(chart,
			    is_to_bare_socket(p) ? DOCTOR_F_UNFIT_REFUSED_BARE
						 : DOCTOR_F_UNFIT_REFUSED,
			    p);
	else if (refused && base->status == 504)
		doctor_tell(chart, DOCTOR_F_UNFIT_IN_TIME, p);
	else if (base->outcome == DOCTOR_NO_ANSWER && doctor_same_answer(base, p))
		doctor_tell_same(
			chart, DOCTOR_F_UNFIT_SILENT, p,
			"a handshake of a version that nobody speaks "
			"gets no answer either, so nobody looks at it");
	else if (refused && doctor_found(chart, DOCTOR_F_GET_REACHES))
		doctor_tell(chart, DOCTOR_F_UNFIT_ANSWERED, p);
	else if (doctor_same_answer(base, p))
		doctor_tell_same(chart,
				 g && doctor_wants_upgrade(g)
					 ? DOCTOR_F_UNFIT_STOPPED
					 : DOCTOR_F_UNFIT_FAILS,
				 p,
				 "a handshake of a version that nobody speaks "
				 "ends alike");
}

/*
 * Files have a date and can be had in parts. Where who stands in front has one
 * here, and knows no path that cannot exist, there may be nobody behind.
 */
static void find_file(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (doctor_found(chart, DOCTOR_F_GET_SAME_PAGE) && odd &&
	    odd->status == 404 && written_by_proxy(odd) &&
	    ses_head_get(&base->parsed, "Last-Modified").data &&
	    ses_head_get(&base->parsed, "Accept-Ranges").data)
		doctor_note(chart, DOCTOR_F_FILE_SERVED, base, odd,
			    "the answer is a file, and a path that cannot "
			    "exist gets the front server's own page");
}

void doctor_find_get(struct doctor_chart *chart)
{
	find_plain(chart);
	find_file(chart);
	find_unclaimed(chart);
	find_unfit(chart);
	find_shut(chart);
	find_upgrades_shut(chart);
}
