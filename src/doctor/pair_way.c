/* SPDX-License-Identifier: MIT */
/*
 * Is it the way there? The other scheme, another port, name or family of
 * addresses, without the forward proxy, from another address, with less of TLS:
 * the same request on another way. And who shuts the door without a word.
 */
#include "doctor/pair.h"

#include <netdb.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/disclosed.h"
#include "doctor/finding_inner.h"
#include "doctor/harvest.h"
#include "doctor/key.h"
#include "doctor/result.h"

/* ---- TLS ---- */

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
		doctor_tell(chart, DOCTOR_F_SCHEME_OPENS, p);
	else if (doctor_found(chart, DOCTOR_F_SAYS_TLS_PORT) && spoke_tls(p))
		doctor_tell(chart, DOCTOR_F_SCHEME_ANSWERS, p);
	else if ((doctor_found(chart, DOCTOR_F_SAYS_TLS_PORT) ||
		  doctor_found(chart, DOCTOR_F_WANTS_TLS)) &&
		 p->outcome == DOCTOR_NO_CONNECTION)
		doctor_tell_same(chart, DOCTOR_F_SCHEME_ELSEWHERE, p,
				 "this port speaks no TLS, and says that TLS "
				 "is asked for: it has another port");
	else if (doctor_says(p, DOCTOR_F_SAYS_TLS_PORT))
		doctor_tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
				 "without TLS the port says that it wants TLS");
	else if (shows_certificate(p) && !is_proper(base))
		doctor_tell(chart, DOCTOR_F_SCHEME_CERTIFIED, p);
	else if (doctor_answers(base, p) ||
		 (doctor_rank(base) < 2 &&
		  base->outcome != DOCTOR_NO_CONNECTION && spoke_tls(p)) ||
		 (doctor_rank(p) >= 2 && doctor_rank(base) >= 2 &&
		  !doctor_same_answer(base, p)))
		doctor_tell(chart, DOCTOR_F_SCHEME_ANSWERS, p);
	else
		doctor_tell_same(chart, DOCTOR_F_SCHEME_NO_EFFECT, p,
				 "the other scheme fares no better");
}

/* By another name the same address: TLS is told the name before all else. */
static void find_name(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_NAME, NULL);

	if (!p)
		return;
	if (doctor_opens(chart, base, p))
		doctor_tell(chart, DOCTOR_F_NAME_OPENS, p);
	else if (doctor_rank(p) > doctor_rank(base) || shows_certificate(p))
		doctor_tell(chart, DOCTOR_F_NAME_ANSWERS, p);
	else
		doctor_tell_same(chart, DOCTOR_F_NAME_NO_EFFECT, p,
				 "under another name it fares no better");
}

/* ---- the forward proxy ---- */

/*
 * Who only loses the Upgrade brings the server's word for a plain request,
 * which is hardly ever that it is forbidden where handshakes are let in.
 */
static bool is_denied_anyway(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return (base->status == 403 || base->status == 451) &&
	       doctor_found(chart, DOCTOR_F_GET_SAME_DENIED);
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
	if (doctor_found(chart, DOCTOR_F_SILENT))
		return DOCTOR_F_DIRECT_OPENS_MUTE;
	if (doctor_found(chart, DOCTOR_F_GET_FAILS_TOO) ||
	    doctor_found(chart, DOCTOR_F_SAYS_FILTERED) ||
	    doctor_found(chart, DOCTOR_F_PROXY_FORBIDS) ||
	    is_denied_anyway(chart))
		return DOCTOR_F_DIRECT_OPENS_DENIED;
	return DOCTOR_F_DIRECT_OPENS;
}

/* What the proxy answers alike, whatever it is asked, is its own. */
static bool answers_alike(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_PATH, DOCTOR_NONSENSE_PATH);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	return base->outcome == DOCTOR_ANSWERED && (odd || g) &&
	       (!odd || doctor_same_answer(base, odd)) &&
	       (!g || doctor_same_answer(base, g));
}

/* The way in which the destination is not reachable from here, either. */
static enum doctor_finding_kind direct_failure(const struct doctor_probe *p)
{
	if (doctor_name_error(p) == EAI_NONAME)
		return DOCTOR_F_DIRECT_NO_NAME;
	if (p->error == SESAME_ETIMEOUT)
		return DOCTOR_F_DIRECT_WAITS;
	return doctor_is_unheard(p) ? DOCTOR_F_DIRECT_NOBODY
				    : DOCTOR_F_DIRECT_FAILS;
}

static void find_direct(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_DIRECT, NULL);

	if (!p)
		return;
	if (doctor_proxy_is_missing(chart)) {
		if (doctor_rank(p) > 0)
			doctor_tell(chart, DOCTOR_F_DIRECT_WORKS, p);
		return;
	}
	/* one whose certificate fails was asked for nothing, denied nothing */
	if (doctor_opens(chart, base, p) && !doctor_is_proxy_tls(base))
		doctor_tell(chart, direct_finding(chart), p);
	else if (doctor_rank(base) == 0 && doctor_rank(p) > 0)
		doctor_tell(chart, DOCTOR_F_DIRECT_ANSWERS, p);
	else if (doctor_rank(base) == 0)
		doctor_tell(chart, direct_failure(p), p);
	else if (doctor_is_unheard(p) && answers_alike(chart) &&
		 !doctor_is_denial(chart, base))
		doctor_tell(chart, DOCTOR_F_DIRECT_REFUSED, p);
	else if (doctor_same_answer(base, p))
		doctor_tell_same(
			chart, DOCTOR_F_DIRECT_SAME, p,
			"without the forward proxy the answer is the same");
}

/* ---- ports and addresses ---- */

/*
 * What it means that another port opens. One that was guessed, beside a door
 * that shuts without a word, may be the application behind that door.
 */
static enum doctor_finding_kind port_finding(const struct doctor_chart *chart,
					     const struct doctor_probe *base)
{
	if (base->outcome == DOCTOR_ANSWERED)
		return doctor_found(chart, DOCTOR_F_STATE_PAGE)
			       ? DOCTOR_F_PORT_OPENS
			       : DOCTOR_F_PORT_NAMED_OPENS;
	if (doctor_found(chart, DOCTOR_F_TCP_REFUSED))
		return DOCTOR_F_PORT_OF_NEIGHBOUR_OPENS;
	if (doctor_speaks_http(chart))
		return DOCTOR_F_PORT_BESIDE_OPENS;
	if ((base->outcome == DOCTOR_NO_ANSWER &&
	     base->error != SESAME_ETIMEOUT) ||
	    base->error == SESAME_ETLS)
		return DOCTOR_F_PORT_BEHIND_OPENS;
	return DOCTOR_F_PORT_OPENS;
}

/* Who waits unasked waits for TLS, and that is no word of what is behind. */
static bool is_ended_behind_tls(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return chart->c->url.tls && base->dial.tls.version[0] &&
	       base->outcome == DOCTOR_NO_ANSWER &&
	       base->error != SESAME_ETIMEOUT && !doctor_speaks_http(chart);
}

/* Who shuts the door without a word: who has not listened, or who has? */
static void find_silence(struct doctor_chart *chart)
{
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_SILENCE, NULL);

	if (!p || p->outcome != DOCTOR_NO_ANSWER)
		return;
	if (p->error == SESAME_ETIMEOUT && is_ended_behind_tls(chart))
		doctor_note(chart, DOCTOR_F_TLS_END_SHUTS,
			    doctor_baseline(chart), NULL,
			    "TLS is completed, and whatever is asked then ends "
			    "without a byte of HTTP");
	else if (p->error == SESAME_ETIMEOUT)
		doctor_tell_same(
			chart, DOCTOR_F_SHUT_WHEN_ASKED, p,
			"a connection on which nothing is said stays open");
	else
		doctor_tell_same(
			chart, DOCTOR_F_SHUT_UNASKED, p,
			"a connection on which nothing is said is ended, too");
}

/* Connected, and then nothing: neither an end nor a byte. */
static bool is_waited_on(const struct doctor_probe *p)
{
	if (!p || p->error != SESAME_ETIMEOUT)
		return false;
	return p->outcome == DOCTOR_NO_ANSWER ||
	       (p->dial.n_steps > 0 &&
		p->dial.step[p->dial.n_steps - 1].kind == SES_DIAL_TLS);
}

/* What the user sends that servers look at was changed, and in vain. */
static bool own_fields_cleared(const struct doctor_chart *chart)
{
	const struct doctor_case *c = chart->c;

	return (!c->origin || doctor_tried(chart, DOCTOR_NO_ORIGIN, NULL)) &&
	       (!c->user_agent_given ||
		doctor_tried(chart, DOCTOR_USER_AGENT, NULL)) &&
	       (!c->url.query.data ||
		doctor_tried(chart, DOCTOR_NO_QUERY, NULL));
}

/* Redis and its like: a line that they do not know ends the connection. */
static void find_other_tongue(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	const struct doctor_probe *tls =
		doctor_tried(chart, DOCTOR_SCHEME, NULL);
	const struct doctor_probe *h2 = doctor_tried(chart, DOCTOR_H2, NULL);

	if (base->outcome != DOCTOR_NO_ANSWER || base->error == SESAME_ETIMEOUT ||
	    chart->c->url.tls || !g || !doctor_same_answer(base, g) ||
	    doctor_speaks_http(chart) || !own_fields_cleared(chart))
		return;
	if (is_waited_on(tls) || is_waited_on(h2))
		doctor_tell_same(
			chart, DOCTOR_F_WAITS_FOR_MORE,
			is_waited_on(tls) ? tls : h2,
			"requests are ended at once, and first bytes that are "
			"no line of text are waited on");
}

/* Who takes the line for a request answers that it is none. */
static bool finds_fault(const struct doctor_probe *p)
{
	static const int statuses[] = {400, 405, 414, 501, 505};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (p->status == statuses[i])
			return true;
	return p->outcome == DOCTOR_NOT_HTTP;
}

/* A door for load balancers, which say for whom they come. */
static void find_proxy_line(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_PROXY_LINE, NULL);

	if (!p)
		return;
	if (doctor_opens(chart, base, p))
		doctor_tell(chart, DOCTOR_F_PROXY_LINE_OPENS, p);
	else if (doctor_answers(base, p) && !finds_fault(p))
		doctor_tell(chart, DOCTOR_F_PROXY_LINE_ANSWERS, p);
}

/* A share of something is used up: by the status, or in so many words. */
static bool is_busy(const struct doctor_chart *chart,
		    const struct doctor_probe *base)
{
	return base->status == 503 || base->status == 429 ||
	       doctor_found(chart, DOCTOR_F_SAYS_RATE);
}

static void find_port(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_PORT);

	if (t.opened)
		doctor_tell(chart, port_finding(chart, base), t.opened);
}

static void find_family(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_FAMILY);

	if (t.opened)
		doctor_tell(chart,
			    doctor_rank(base) == 2
				    ? is_busy(chart, base)
					      ? DOCTOR_F_SOURCE_OPENS_BUSY
					      : DOCTOR_F_SOURCE_OPENS
			    : doctor_found(chart, DOCTOR_F_TCP_TIMEOUT)
				    ? DOCTOR_F_FAMILY_OPENS_LOST
				    : DOCTOR_F_FAMILY_OPENS,
			    t.opened);
	else if (t.worse && base->outcome == DOCTOR_OPEN &&
		 doctor_rank(t.worse) > 1)
		doctor_tell(chart, DOCTOR_F_FAMILY_REFUSES, t.worse);
	else if (t.changed && doctor_rank(base) == 0 &&
		 doctor_rank(t.changed) > 0)
		doctor_tell(chart, DOCTOR_F_FAMILY_ANSWERS, t.changed);
}

static void find_source(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally source = doctor_tally(chart, DOCTOR_SOURCE);
	struct doctor_tally unbound = doctor_tally(chart, DOCTOR_NO_SOURCE);

	if (unbound.opened && !source.opened)
		source = unbound;
	if (!unbound.opened && !source.opened &&
	    (unbound.answered || unbound.changed) && doctor_rank(base) == 0)
		doctor_tell(chart, DOCTOR_F_SOURCE_ANSWERS,
			    unbound.answered ? unbound.answered
					     : unbound.changed);
	if (source.opened)
		doctor_tell(chart,
			    doctor_is_closed_as_refused(base)
				    ? DOCTOR_F_SOURCE_OPENS_UNTOLD
			    : is_busy(chart, base) ? DOCTOR_F_SOURCE_OPENS_BUSY
						   : DOCTOR_F_SOURCE_OPENS,
			    source.opened);
	else if (source.same)
		doctor_tell_same(chart, DOCTOR_F_SOURCE_NO_EFFECT, source.same,
				 "from another address the answer is the same");
}

static void find_insecure(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_INSECURE);

	if (t.opened)
		doctor_tell(chart, DOCTOR_F_INSECURE_OPENS, t.opened);
}

static void find_lower_tls(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_TLS_VERSION);

	if (t.opened || t.answered)
		doctor_tell(chart, DOCTOR_F_TLS_LOWER_OPENS,
			    t.opened ? t.opened : t.answered);
}

void doctor_find_way(struct doctor_chart *chart)
{
	find_scheme(chart);
	find_direct(chart);
	find_name(chart);
	find_silence(chart);
	find_other_tongue(chart);
	find_proxy_line(chart);
	find_port(chart);
	find_family(chart);
	find_source(chart);
	find_insecure(chart);
	find_lower_tls(chart);
}
