/* SPDX-License-Identifier: MIT */
/*
 * Is it the Origin? It is left out, or another one is sent: the server's own,
 * those that pages and answers name, and one that nobody has. Where the user
 * sends none, whether one is missed.
 */
#include "doctor/pair.h"

#include "doctor/alike.h"
#include "doctor/finding_inner.h"
#include "doctor/harvest.h"
#include "doctor/key.h"

/* Who is refused another way with an Origin that nobody has shows what becomes
 * of foreign ones, and nothing about those that belong here, or none. */
static bool is_nonsense(const struct doctor_probe *p)
{
	return strcmp(p->trial.value, DOCTOR_NONSENSE_ORIGIN) == 0;
}

/* The refusal is one of the Origin, by its words or by the status. */
static bool refuses_origin(const struct doctor_probe *p,
			   const struct doctor_probe *base)
{
	return p->outcome == DOCTOR_ANSWERED &&
	       (doctor_says(p, DOCTOR_F_SAYS_ORIGIN) ||
		(p->status == 403 && base->status != 403));
}

/*
 * All that were tried instead are refused for the Origin, and the given one is
 * not: the door at which they end it has passed.
 */
static bool is_let_past(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	int others = 0;

	if (base->status < 101 || doctor_says(base, DOCTOR_F_SAYS_ORIGIN))
		return false;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if ((p->trial.change != DOCTOR_ORIGIN &&
		     p->trial.change != DOCTOR_NO_ORIGIN) ||
		    doctor_tried(chart, p->trial.change, p->trial.value) != p)
			continue;
		if (!refuses_origin(p, base))
			return false;
		others++;
	}
	return others >= (chart->c->origin ? 2 : 1);
}

/* It fails without an Origin, and with one it is refused as one should be. */
static bool stops_error(const struct doctor_probe *base,
			const struct doctor_probe *p)
{
	return base->status == 500 && p->outcome == DOCTOR_ANSWERED &&
	       (p->status == 403 || p->status == 401 ||
		doctor_says(p, DOCTOR_F_SAYS_ORIGIN));
}

/* Without an Origin in the user's request: does it open with one? */
static void find_origin_added(struct doctor_chart *chart, struct doctor_tally t)
{
	const struct doctor_probe *odd =
		doctor_tried(chart, DOCTOR_ORIGIN, DOCTOR_NONSENSE_ORIGIN);

	if (t.opened) {
		doctor_tell(chart, DOCTOR_F_ORIGIN_ADDED_OPENS, t.opened);
		if (odd && odd->outcome != DOCTOR_OPEN &&
		    !doctor_comes_further(chart, doctor_baseline(chart), odd))
			doctor_tell(chart, DOCTOR_F_ORIGIN_ADDED_NOT_ANY, odd);
	} else if (t.changed && stops_error(doctor_baseline(chart), t.changed)) {
		doctor_tell(chart, DOCTOR_F_ORIGIN_STOPS_ERROR, t.changed);
	} else if (t.changed && is_let_past(chart)) {
		doctor_tell(chart, DOCTOR_F_ORIGIN_PASSES, t.changed);
	} else if (t.changed && !(t.same && is_nonsense(t.changed))) {
		doctor_tell(chart, DOCTOR_F_ORIGIN_CHANGES_ANSWER, t.changed);
	} else if (t.same) {
		doctor_tell_same(
			chart, DOCTOR_F_ORIGIN_NO_EFFECT, t.same,
			"with the server's own Origin the answer is the same");
	}
}

static void find_origin_opened(struct doctor_chart *chart,
			       const struct doctor_probe *p)
{
	const struct doctor_case *c = chart->c;
	const char *value = p->trial.value;
	char portless[512];

	if (doctor_portless_origin(c->origin, portless, sizeof(portless)) &&
	    strcmp(value, portless) == 0)
		/* a proxy that refuses by itself sees the Host that was sent */
		doctor_tell(chart,
			    doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME) &&
					    !doctor_found(chart,
							  DOCTOR_F_WRITER_PROXY)
				    ? DOCTOR_F_ORIGIN_PORTLESS_OPENS
				    : DOCTOR_F_ORIGIN_PORTLESS_LISTED,
			    p);
	else if (doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME)) {
		if (doctor_is_own_origin(c, value))
			doctor_tell(chart, DOCTOR_F_ORIGIN_SCHEME_OPENS, p);
		else if (bytes_contains_nocase(bytes_of_str(value),
					       BYTES("//127.")) ||
			 bytes_contains_nocase(bytes_of_str(value),
					       BYTES("//localhost")))
			doctor_tell(chart, DOCTOR_F_ORIGIN_BACKEND_OPENS, p);
		else
			doctor_tell(chart, DOCTOR_F_ORIGIN_OTHER_OPENS, p);
	} else if (doctor_is_own_origin(c, value)) {
		doctor_tell(chart, DOCTOR_F_ORIGIN_SAME_OPENS, p);
	} else {
		doctor_tell(chart, DOCTOR_F_ORIGIN_OTHER_OPENS, p);
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
			doctor_tell(chart, DOCTOR_F_ORIGIN_EITHER_REFUSED, p);
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

/* Is the Origin compared with what arrives as Host, or looked for in a list? */
static void find_named_so(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_NAMED_SO, NULL);

	if (p && doctor_opens(chart, base, p))
		doctor_tell(chart, DOCTOR_F_ORIGIN_FOLLOWS_HOST, p);
	else if (p && doctor_same_answer(base, p))
		doctor_tell_same(
			chart, DOCTOR_F_ORIGIN_LISTED, p,
			"a Host and an Origin of one name are refused alike");
}

/* Words that compare Origin and Host, which are the same as they were sent. */
static void find_other_host(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes said;

	if (doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME) &&
	    (doctor_found(chart, DOCTOR_F_PROXY_SEEN) ||
	     doctor_found(chart, DOCTOR_F_RELAYED)) &&
	    doctor_found(chart, DOCTOR_F_SAYS_SAME_ORIGIN) &&
	    doctor_says_word(base, "host$", &said))
		doctor_note(chart, DOCTOR_F_ORIGIN_OTHER_THAN_HOST, base, NULL,
			    "the Origin is the URL's own, and what is behind "
			    "the proxy finds it to differ from Host");
}

void doctor_find_origin(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally with = doctor_tally(chart, DOCTOR_ORIGIN);
	struct doctor_tally without = doctor_tally(chart, DOCTOR_NO_ORIGIN);
	bool same = doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME);

	if (!chart->c->origin) {
		find_origin_added(chart, with);
		return;
	}
	if (without.opened)
		doctor_tell(chart,
			    same ? DOCTOR_F_ORIGIN_OWN_REFUSED
				 : DOCTOR_F_ORIGIN_ABSENT_OPENS,
			    without.opened);
	if (with.opened)
		find_origin_opened(chart, with.opened);
	else if (without.opened && same && chart->c->url.tls)
		find_either_refused(chart);
	find_named_so(chart);
	find_other_host(chart);
	if (without.opened || with.opened || base->outcome == DOCTOR_OPEN)
		return;
	if (without.changed && doctor_all_same(with) &&
	    is_taken_for_get(chart, without.changed))
		doctor_tell(chart, DOCTOR_F_ORIGIN_MAKES_HANDSHAKE,
			    without.changed);
	else if (is_let_past(chart))
		doctor_tell(chart, DOCTOR_F_ORIGIN_PASSES,
			    with.changed ? with.changed : with.worse);
	else if (with.changed || without.changed)
		doctor_tell(chart, DOCTOR_F_ORIGIN_CHANGES_ANSWER,
			    with.changed ? with.changed : without.changed);
	else if (with.n + without.n >= (same ? 1 : 2) &&
		 doctor_all_same(with) && doctor_all_same(without))
		doctor_tell_same(
			chart, DOCTOR_F_ORIGIN_NO_EFFECT,
			without.same ? without.same : with.same,
			"with the server's own Origin and with none the "
			"answer is the same");
}
