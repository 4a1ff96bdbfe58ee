/* SPDX-License-Identifier: MIT */
/*
 * Is it the Upgrade? A plain GET of the same URL is the same request without
 * it: answered alike, nobody looked at the Upgrade; answered by somebody else,
 * whoever stands before does not pass it on.
 */
#include "doctor/pair.h"

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/finding_inner.h"
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
		{DOCTOR_F_SAYS_CHALLENGE, DOCTOR_F_GET_SAYS_WAF},
		{DOCTOR_F_SAYS_REGION, DOCTOR_F_GET_SAYS_ADDRESS},
		{DOCTOR_F_SAYS_RATE, DOCTOR_F_GET_SAYS_RATE},
		{DOCTOR_F_SAYS_UNCONNECTED, DOCTOR_F_GET_SAYS_UNCONNECTED},
	};

	const struct doctor_probe *base = doctor_baseline(chart);
	bool why = false;

	if (g->outcome != DOCTOR_ANSWERED || g->status < 400)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!doctor_found(chart, rows[i].says) &&
		    !doctor_says(base, rows[i].says) &&
		    doctor_says(g, rows[i].says)) {
			doctor_tell(chart, rows[i].kind, g);
			why |= rows[i].kind != DOCTOR_F_GET_SAYS_CREDENTIALS;
		}
	if (why && base->status == g->status && base->body_len == 0)
		doctor_tell(chart, DOCTOR_F_GET_SAYS_WHY, g);
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

static bool written_by_proxy(const struct doctor_probe *p)
{
	return p->hops.writer >= 0 &&
	       why_stack(p->hops.hop[p->hops.writer].stack)->layer ==
		       WHY_LAYER_REVERSE_PROXY;
}

/*
 * The plain GET is answered by who wants an Upgrade, the handshake by somebody
 * else: by whoever stands before, who does not pass it on.
 */
static bool reaches_further(const struct doctor_probe *base,
			    const struct doctor_probe *g)
{
	struct bytes front, back;

	/*
	 * a relay's fields on the one, and not on the other; a library has them
	 * on none that it writes itself, where a relay pipes what is upgraded
	 */
	if (doctor_rank(base) == 2 && base->status / 100 == 4 &&
	    doctor_wants_upgrade(g) && !doctor_wants_upgrade(base) &&
	    is_relayed(g) && !is_relayed(base) &&
	    !doctor_is_to_bare_socket(base))
		return true;
	if (doctor_rank(base) != 2 || base->status / 100 == 5 ||
	    !doctor_wants_upgrade(g) || doctor_wants_upgrade(base))
		return false;
	front = ses_head_get(&base->parsed, "Server");
	back = ses_head_get(&g->parsed, "Server");
	if (front.len > 0 && back.len > 0)
		return !bytes_equal_nocase(front, back);
	return written_by_proxy(base) &&
	       (g->hops.writer < 0 ||
		g->hops.hop[g->hops.writer].stack !=
			base->hops.hop[base->hops.writer].stack);
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

/* The gateway wrote the plain GET's answer as well, and nobody behind it. */
bool doctor_answers_itself(const struct doctor_probe *base,
			   const struct doctor_probe *g)
{
	return written_by_proxy(base) && written_by_proxy(g) &&
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
	       !doctor_answers_itself(base, g) &&
	       (doctor_wants_upgrade(g) ||
		(written_by_proxy(base) && !written_by_proxy(g)));
}

/*
 * Libraries write what they refuse to the bare socket, without the Date that
 * every server has, and that a proxy adds to what it passes on.
 */
bool doctor_is_to_bare_socket(const struct doctor_probe *p)
{
	return !ses_head_get(&p->parsed, "Date").data &&
	       !ses_head_get(&p->parsed, "Server").data &&
	       !ses_head_get(&p->parsed, "Via").data;
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
		DOCTOR_F_SAYS_FULL,	   DOCTOR_F_SAYS_ORIGIN,
		DOCTOR_F_SAYS_MANY,	   DOCTOR_F_REFUSED_BY_PAGE};

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
bool doctor_misses_upgrade(const struct doctor_chart *chart)
{
	return doctor_rank(doctor_baseline(chart)) == 2 &&
	       doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE) &&
	       doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD);
}

/*
 * The handshake is ended without a word, and a plain GET is an error of the
 * server's: who passes both on cannot reach whom it asks.
 */
static bool is_error_for_get(const struct doctor_probe *base,
			     const struct doctor_probe *g)
{
	return base->outcome == DOCTOR_NO_ANSWER &&
	       base->error != SESAME_ETIMEOUT &&
	       (g->status == 500 || g->status == 502 || g->status == 504);
}

/*
 * The handshake is ended without a word, and a plain GET is told by a gateway
 * that it cannot reach what is behind: who pipes an upgrade has no answer of
 * its own to give any more.
 */
static bool is_cut_off_behind(const struct doctor_probe *base,
			      const struct doctor_probe *g)
{
	return base->outcome == DOCTOR_NO_ANSWER &&
	       base->error != SESAME_ETIMEOUT && g->status >= 502 &&
	       g->status <= 504 &&
	       (written_by_proxy(g) || doctor_says(g, DOCTOR_F_SAYS_BACKEND));
}

/* ---- what the two answers are to each other: the first that holds ---- */

/* Envoy itself refuses the Upgrade, and it alone. */
static bool is_stopped_by_envoy(const struct doctor_chart *chart,
				const struct doctor_probe *base,
				const struct doctor_probe *g)
{
	return doctor_rank(base) == 2 && g->status != 403 &&
	       doctor_found(chart, DOCTOR_F_EMPTY_ENVOY);
}

/* What arrived was no proper Upgrade to begin with. */
static bool is_unfit_by_hand(const struct doctor_chart *chart,
			     const struct doctor_probe *base,
			     const struct doctor_probe *g)
{
	(void)g;
	return doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) &&
	       doctor_rank(base) == 2 && doctor_wants_upgrade(base);
}

/* Both are told to upgrade, if not in the very same words. */
static bool neither_upgrades(const struct doctor_chart *chart,
			     const struct doctor_probe *base,
			     const struct doctor_probe *g)
{
	(void)chart;
	return doctor_rank(base) == 2 && base->status == g->status &&
	       doctor_says(base, DOCTOR_F_SAYS_NO_UPGRADE) &&
	       doctor_says(g, DOCTOR_F_SAYS_NO_UPGRADE);
}

static bool is_same(const struct doctor_chart *chart,
		    const struct doctor_probe *base,
		    const struct doctor_probe *g)
{
	(void)chart;
	return doctor_rank(base) == 2 && doctor_same_answer(base, g);
}

static bool is_same_of_websocket(const struct doctor_chart *chart,
				 const struct doctor_probe *base,
				 const struct doctor_probe *g)
{
	return is_same(chart, base, g) && doctor_wants_upgrade(base);
}

static bool is_same_page(const struct doctor_chart *chart,
			 const struct doctor_probe *base,
			 const struct doctor_probe *g)
{
	return is_same(chart, base, g) && base->status / 100 == 2 &&
	       !doctor_found(chart, DOCTOR_F_REFUSED_BY_PAGE);
}

static bool is_same_error(const struct doctor_chart *chart,
			  const struct doctor_probe *base,
			  const struct doctor_probe *g)
{
	return is_same(chart, base, g) && base->status / 100 == 5;
}

static bool is_same_denial(const struct doctor_chart *chart,
			   const struct doctor_probe *base,
			   const struct doctor_probe *g)
{
	return is_same(chart, base, g) && doctor_is_denial(chart, base);
}

static bool is_passed_by_one(const struct doctor_chart *chart,
			     const struct doctor_probe *base,
			     const struct doctor_probe *g)
{
	(void)chart;
	return reaches_further(base, g);
}

/* Who switched WebSockets off before a server that is up. */
static bool is_503_for_handshakes(const struct doctor_chart *chart,
				  const struct doctor_probe *base,
				  const struct doctor_probe *g)
{
	return base->status == 503 && doctor_wants_upgrade(g) &&
	       !doctor_wants_upgrade(base) && !of_one_hand(base, g) &&
	       !doctor_wavers(chart, &base->trial);
}

/*
 * A gateway's error that software which speaks WebSocket wrote to the bare
 * socket is its own: no gateway made it.
 */
static bool is_error_of_library(const struct doctor_chart *chart,
				const struct doctor_probe *base,
				const struct doctor_probe *g)
{
	(void)chart;
	return base->outcome == DOCTOR_ANSWERED &&
	       (base->status == 502 || base->status == 504) &&
	       base->hops.writer >= 0 && !written_by_proxy(base) &&
	       doctor_is_to_bare_socket(base) && doctor_wants_upgrade(g);
}

/* Where several servers take turns, another one answered the GET. */
static bool is_answered_behind(const struct doctor_chart *chart,
			       const struct doctor_probe *base,
			       const struct doctor_probe *g)
{
	return is_up_behind(base, g) && !doctor_wavers(chart, &base->trial);
}

/* Half of a handshake may arrive, so that the two differ. */
static bool is_half_lost(const struct doctor_chart *chart,
			 const struct doctor_probe *base,
			 const struct doctor_probe *g)
{
	(void)base;
	(void)g;
	return doctor_misses_upgrade(chart);
}

#define SAME	 "a plain GET without Upgrade gets the same answer"
#define ALSO	 "a plain GET without Upgrade is told the same"
#define UNTOLD	 DOCTOR_N_FINDINGS /* nothing can be said of the two */
#define ONE_MORE NULL /* told as what a change makes of the answer */

static const struct {
	bool (*holds)(const struct doctor_chart *chart,
		      const struct doctor_probe *base,
		      const struct doctor_probe *g);
	enum doctor_finding_kind kind;
	const char *what;
} pairs[] = {
	{is_stopped_by_envoy, UNTOLD, NULL},
	{is_unfit_by_hand, UNTOLD, NULL},
	{neither_upgrades, DOCTOR_F_GET_SAME_WS, ALSO},
	{is_same_of_websocket, DOCTOR_F_GET_SAME_WS, SAME},
	{is_same_page, DOCTOR_F_GET_SAME_PAGE, SAME},
	{is_same_error, DOCTOR_F_GET_SAME_ERROR, SAME},
	{is_same_denial, DOCTOR_F_GET_SAME_DENIED, SAME},
	{is_same, DOCTOR_F_GET_SAME, SAME},
	{is_passed_by_one, DOCTOR_F_GET_OTHER_HOP, ONE_MORE},
	{is_503_for_handshakes, DOCTOR_F_HANDSHAKES_503, ONE_MORE},
	{is_error_of_library, DOCTOR_F_ERROR_OF_LIBRARY, ONE_MORE},
	{is_answered_behind, DOCTOR_F_GET_REACHES, ONE_MORE},
	{is_half_lost, UNTOLD, NULL},
};

/* What stands behind the gateway says more of itself. */
static void find_behind(struct doctor_chart *chart, const struct doctor_probe *g)
{
	if (g->parsed.reason.len == 0)
		doctor_tell(chart, DOCTOR_F_GET_REASONLESS, g);
	if (g->status == 404 && !doctor_wants_upgrade(g))
		doctor_tell(chart, DOCTOR_F_GET_404_BEHIND, g);
}

/* The two differ, and both may be true at a time. */
static void find_different(struct doctor_chart *chart,
			   const struct doctor_probe *g)
{
	const struct doctor_probe *base = doctor_baseline(chart);

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
			    is_cut_off_behind(base, g)	? DOCTOR_F_GET_CUT_OFF
			    : is_error_for_get(base, g) ? DOCTOR_F_GET_ERROR
							: DOCTOR_F_GET_ANSWERED,
			    g);
	else if (doctor_rank(base) < 2)
		doctor_tell_same(chart, DOCTOR_F_GET_FAILS_TOO, g,
				 "a plain GET fares no better");
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
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		enum doctor_finding_kind kind = pairs[i].kind;

		if (!pairs[i].holds(chart, base, g))
			continue;
		if (kind != UNTOLD && pairs[i].what)
			doctor_tell_same(chart, kind, g, pairs[i].what);
		else if (kind != UNTOLD)
			doctor_tell(chart, kind, g);
		if (kind == DOCTOR_F_GET_REACHES)
			find_behind(chart, g);
		return;
	}
	find_different(chart, g);
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
}
