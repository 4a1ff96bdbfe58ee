/* SPDX-License-Identifier: MIT */
/*
 * Are handshakes shut out as such? Where none gets through at any path, and
 * plain requests do: refused by whoever knows no Upgrade, ended without a word
 * by whoever takes none, or accepted behind somebody who loses what is said.
 */
#include "doctor/pair.h"

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/finding_inner.h"
#include "doctor/harvest_inner.h"
#include "doctor/key.h"

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
	    !doctor_misses_upgrade(chart) && doctor_rank(g) == 2 &&
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
 * ws has a server of its own that says 426 to every plain request, and ends no
 * handshake without a word: where one is ended, it did not get there. (Its first
 * versions let those at other paths wait.)
 */
static bool is_library_alone(const struct doctor_chart *chart,
			     const struct doctor_probe *g)
{
	return !chart->blind && g->status == 426 &&
	       doctor_wrote(g, WHY_STACK_NODE_WS);
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
	    !odd || !doctor_same_answer(base, odd) ||
	    doctor_found(chart, DOCTOR_F_GET_CUT_OFF))
		return;
	if (!chart->blind && base->error != SESAME_ETIMEOUT &&
	    doctor_passed_by(g, WHY_STACK_WEBSOCKIFY)) {
		doctor_tell(chart, DOCTOR_F_RELAY_CLOSES, g);
		return;
	}
	if (is_endpoint_alone(chart, g) ||
	    (base->error != SESAME_ETIMEOUT && is_library_alone(chart, g))) {
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
 * The gateway passes plain requests on in no time, and has no answer to a
 * handshake a second later, whatever its path: the program behind lets one that
 * nobody claims wait so long before it ends it.
 */
static void find_ended_behind(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);

	if (doctor_found(chart, DOCTOR_F_GET_REACHES) && odd &&
	    doctor_same_answer(base, odd) && is_a_second(base->ms) &&
	    is_a_second(odd->ms) && g->ms < base->ms / 4)
		doctor_note(chart, DOCTOR_F_ENDED_BEHIND, base, g,
			    "the gateway's error comes a second after the "
			    "handshake, at a path that cannot exist as well; "
			    "a plain GET is answered in %.0f ms",
			    g->ms);
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
			    doctor_is_to_bare_socket(p)
				    ? DOCTOR_F_UNFIT_REFUSED_BARE
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
				 g && doctor_wants_upgrade(g) &&
						 !doctor_answers_itself(base, g)
					 ? DOCTOR_F_UNFIT_STOPPED
					 : DOCTOR_F_UNFIT_FAILS,
				 p,
				 "a handshake of a version that nobody speaks "
				 "ends alike");
}

/*
 * HAProxy says 503 where it cannot connect. Its 502 is for an answer that it
 * does not take; where plain requests get one, that is the 101.
 */
static void find_101_refused(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (!chart->blind && base->status == 502 && base->ms < 1000 &&
	    doctor_wrote(base, WHY_STACK_HAPROXY) &&
	    doctor_found(chart, DOCTOR_F_GET_REACHES))
		doctor_note(chart, DOCTOR_F_ANSWER_NOT_TAKEN, g, base,
			    "HAProxy reached what is behind, as the plain GET "
			    "shows, and took no answer to the handshake: it "
			    "was none, or a 101 without Sec-WebSocket-Accept");
}

void doctor_find_shut(struct doctor_chart *chart)
{
	find_unclaimed(chart);
	find_ended_behind(chart);
	find_unfit(chart);
	find_101_refused(chart);
	find_shut(chart);
	find_upgrades_shut(chart);
}
