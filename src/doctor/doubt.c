/* SPDX-License-Identifier: MIT */
/*
 * What is asked again, or in another way, before it is believed: the deciding
 * pair once more, a rival of what opens, bodies that may differ by chance; and
 * what the user named to be looked at, too.
 */
#include "doctor/doubt.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/candidates.h"
#include "doctor/harvest.h"
#include "doctor/harvest_inner.h"
#include "doctor/key.h"
#include "doctor/luck.h"
#include "doctor/nodes.h"

/* Scripts of the page that was given, when it is elsewhere. */
#define MOST_SCRIPTS 3
/* So many words in common: the same page, if not the same body. */
#define SAME_PAGE     0.5
#define ALL_BUT_ALIKE 0.8

static bool put(char *out, size_t size, const char *text)
{
	int n = snprintf(out, size, "%s", text);

	return n >= 0 && (size_t)n < size;
}

size_t doctor_count(const struct doctor_chart *chart, enum doctor_change change)
{
	size_t n = 0;

	for (size_t i = 0; i < chart->n_probes; i++)
		n += chart->probe[i]->trial.change == change;
	return n;
}

bool doctor_large_header(const struct doctor_case *c, char *out, size_t size)
{
	size_t best = c->n_headers;

	for (size_t k = 0; k < c->n_headers; k++)
		if (best == c->n_headers ||
		    strlen(c->header[k].value) > strlen(c->header[best].value))
			best = k;
	return best < c->n_headers && strlen(c->header[best].value) > 1000 &&
	       put(out, size, c->header[best].name);
}

/* Whether a trial whose first time opened was refused the second time. */
static bool any_wavers(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (doctor_wavers(chart, &chart->probe[i]->trial))
			return true;
	return false;
}

/*
 * How often each side of the deciding pair is to be asked: once more will do,
 * unless the order of the answers is all there is. Where answers to the same
 * request differ, both are asked more often.
 */
static int times_for(const struct doctor_chart *chart)
{
	if (any_wavers(chart))
		return DOCTOR_TIMES;
	return doctor_is_bare(chart) ? 3 : 2;
}

/*
 * The deciding pair once more, in the order A B B A (B A A B A B): servers that
 * take turns, up to four of them, would tell A from B in simpler ones.
 */
static bool repeat_pair(const struct doctor_chart *chart,
			struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = doctor_key(chart);
	int times = times_for(chart), other;
	int own = doctor_score(chart, &base->trial).n;

	if (!key || key->trial.change == DOCTOR_HOLD) {
		*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
		return times > 2 && own < times;
	}
	other = doctor_score(chart, &key->trial).n;
	*ret_next = own < other || (own == other && own > 2) ? base->trial
							     : key->trial;
	return own < times || other < times;
}

/* A field that was in the way, and long: is it its length or its content? */
static bool cut_short(const struct doctor_chart *chart,
		      struct doctor_trial *ret_next)
{
	const struct doctor_probe *key = doctor_key(chart);
	struct doctor_trial t = {.change = DOCTOR_SHORT_HEADER};

	if (!key || (key->trial.change != DOCTOR_NO_CREDENTIALS &&
		     key->trial.change != DOCTOR_NO_HEADER &&
		     key->trial.change != DOCTOR_MINIMAL &&
		     key->trial.change != DOCTOR_HOST))
		return false;
	if (doctor_tried(chart, t.change, NULL) ||
	    !doctor_large_header(chart->c, t.value, sizeof(t.value)))
		return false;
	*ret_next = t;
	return true;
}

/* The page's own Origin as it is when the proxy tells of @scheme. */
static bool other_origin(const struct doctor_chart *chart, const char *scheme,
			 struct doctor_trial *ret)
{
	const struct doctor_case *c = chart->c;
	char own[512];
	int n;

	ret->change = DOCTOR_ORIGIN;
	if (!doctor_own_origin(c, false, own, sizeof(own)))
		return false;
	n = snprintf(ret->value, sizeof(ret->value), "%s://%.*s", scheme,
		     BYTES_ARG(doctor_authority(bytes_of_str(own))));
	return n > 0 && (size_t)n < sizeof(ret->value) &&
	       !doctor_tried(chart, DOCTOR_ORIGIN, ret->value);
}

/*
 * The page's own Origin is refused, and none is not. Whether the server takes
 * itself for another host or only for one of another scheme (a proxy may call
 * a handshake's "wss") shows in a question or two more, and what is to be
 * mended depends on it.
 */
static bool doubt_host(const struct doctor_chart *chart,
		       struct doctor_trial *ret_next)
{
	const struct doctor_probe *key = doctor_key(chart);
	struct doctor_trial t = {.change = DOCTOR_ORIGIN};
	bool tls = chart->c->url.tls;

	if (!key || key->trial.change != DOCTOR_NO_ORIGIN ||
	    !doctor_found(chart, DOCTOR_F_ORIGIN_SENT_SAME) ||
	    doctor_found(chart, DOCTOR_F_ORIGIN_SCHEME_OPENS))
		return false;
	*ret_next = t;
	if (tls && doctor_own_origin(chart->c, true, t.value, sizeof(t.value)) &&
	    !doctor_tried(chart, DOCTOR_ORIGIN, t.value)) {
		*ret_next = t;
		return true;
	}
	return other_origin(chart, tls ? "wss" : "ws", ret_next);
}

/* Scripts of a page elsewhere, which may tell where its WebSocket is. */
static bool page_script(const struct doctor_chart *chart,
			struct doctor_trial *ret_next)
{
	struct doctor_trial t = {.change = DOCTOR_PAGE};
	static struct doctor_values v;

	if (!chart->c->page || doctor_baseline(chart)->outcome == DOCTOR_OPEN ||
	    doctor_count(chart, DOCTOR_PAGE) > MOST_SCRIPTS)
		return false;
	v.n = v.n_told = 0;
	doctor_harvest_page_scripts(chart, &v);
	for (size_t i = 0; i < v.n; i++)
		if (put(t.value, sizeof(t.value), v.value[i]) &&
		    !doctor_tried(chart, DOCTOR_PAGE, t.value)) {
			*ret_next = t;
			return true;
		}
	return false;
}

/* What the user named to be looked at, too. */
static bool look_there(const struct doctor_chart *chart,
		       struct doctor_trial *ret_next)
{
	const struct doctor_case *c = chart->c;
	struct doctor_trial t = {.change = DOCTOR_PAGE};
	struct ses_url page;

	if (doctor_page_url(c, &page) && put(t.value, sizeof(t.value), c->page) &&
	    !doctor_tried(chart, DOCTOR_PAGE, NULL)) {
		*ret_next = t;
		return true;
	}
	if (page_script(chart, ret_next))
		return true;
	t.change = DOCTOR_BACKEND;
	for (int own = 0; c->backend && own < 2; own++)
		if (doctor_baseline(chart)->outcome != DOCTOR_OPEN &&
		    doctor_backend_host(c, own == 0, t.value, sizeof(t.value)) &&
		    !doctor_tried(chart, DOCTOR_BACKEND, t.value)) {
			*ret_next = t;
			return true;
		}
	return false;
}

/* Nobody listened, or who did reset it: so it is while a server starts. */
static bool is_refused_below(const struct doctor_chart *chart,
			     const struct doctor_probe *base)
{
	return doctor_found(chart, DOCTOR_F_TCP_REFUSED) ||
	       (base->outcome == DOCTOR_NO_ANSWER &&
		base->error == SESAME_ERESET);
}

/* What was sent to prove who asks is not taken: a session that another server
 * of several has is refused like one that is over. */
static bool is_disbelieved(const struct doctor_chart *chart,
			   const struct doctor_probe *base)
{
	return (base->status == 401 || base->status == 403) &&
	       doctor_found(chart, DOCTOR_F_CREDENTIALS_SENT);
}

/*
 * A proxy has one 503 for a server that is gone and for an address that had its
 * share. Where there is another address to ask from, it tells the two apart, once
 * it is no turn of servers.
 */
static bool asks_from_elsewhere(const struct doctor_chart *chart,
				struct doctor_trial *ret_next)
{
	if (doctor_baseline(chart)->status != 503 ||
	    doctor_wavers(chart, &doctor_baseline(chart)->trial) ||
	    doctor_tried(chart, DOCTOR_SOURCE, NULL))
		return false;
	*ret_next = (struct doctor_trial){.change = DOCTOR_SOURCE};
	return doctor_first_candidate(chart, DOCTOR_SOURCE, ret_next->value,
				      sizeof(ret_next->value));
}

/*
 * An error of the server may be the error of one server of several, and so may
 * its ignorance of who asks. Twice in a row, since those take turns.
 */
bool doctor_doubt_error(const struct doctor_chart *chart,
			struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool one_of_several = (base->status >= 500 && base->status <= 504) ||
			      is_disbelieved(chart, base);

	*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
	if (is_refused_below(chart, base))
		return doctor_score(chart, ret_next).n < 2;
	if (!one_of_several || base->ms >= 1000)
		return false;
	return doctor_score(chart, ret_next).n < 3 ||
	       asks_from_elsewhere(chart, ret_next);
}

/*
 * A difference in the body alone may be one of chance: the same is asked again
 * before it counts for anything.
 */
static bool doubt_body(const struct doctor_chart *chart,
		       struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	int asked;

	*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
	asked = doctor_score(chart, ret_next).n;

	if (base->outcome != DOCTOR_ANSWERED || base->body_len == 0 ||
	    asked > 2 || base->likeness > 0)
		return false;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->outcome == DOCTOR_ANSWERED &&
		    p->status == base->status && !doctor_same_answer(base, p) &&
		    doctor_likeness(base, p) >
			    (asked > 1 ? ALL_BUT_ALIKE : SAME_PAGE))
			return true;
	}
	return false;
}

/* Fields of the handshake that were set by hand are suspects before others. */
static bool by_the_book(const struct doctor_chart *chart,
			struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	*ret_next = (struct doctor_trial){.change = DOCTOR_STANDARD};
	if (!doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND) ||
	    (base->outcome != DOCTOR_NO_ANSWER &&
	     base->outcome != DOCTOR_NOT_HTTP &&
	     (base->outcome != DOCTOR_ANSWERED || base->status >= 500)))
		return false;
	if (!doctor_tried(chart, DOCTOR_STANDARD, NULL))
		return true;
	/* the standard fields offer an extension, too */
	ret_next->change = DOCTOR_NO_EXTENSIONS;
	return doctor_case_header(chart->c, "Sec-WebSocket-Extensions") &&
	       !doctor_tried(chart, DOCTOR_NO_EXTENSIONS, NULL);
}

/*
 * So are many fields. Where another path opens without those of the user's own,
 * which stay at theirs, it may have opened for that.
 */
static bool without_many(const struct doctor_chart *chart,
			 struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	*ret_next = (struct doctor_trial){.change = DOCTOR_MINIMAL};
	return doctor_found(chart, DOCTOR_F_HEAD_MANY) &&
	       base->outcome == DOCTOR_ANSWERED && base->status < 500 &&
	       !doctor_tried(chart, DOCTOR_MINIMAL, NULL);
}

#define NODE_TIMES 3

/*
 * Where servers share the load and name themselves, the next one may think
 * otherwise of the very same request. Three in a row reach more than one; of an
 * open door the longer watch is the third.
 */
static bool doubt_node(const struct doctor_chart *chart,
		       struct doctor_trial *ret_next)
{
	bool open = doctor_baseline(chart)->outcome == DOCTOR_OPEN;
	bool several = open ? doctor_names_node(chart)
			    : doctor_found(chart, DOCTOR_F_NODES_DIFFER) != NULL;

	*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
	return several && doctor_score(chart, ret_next).n < NODE_TIMES - open;
}

/* What a forward proxy keeps from passing: the Upgrade, or whatever is sent? */
static bool doubt_proxy(const struct doctor_chart *chart,
			struct doctor_trial *ret_next)
{
	const struct doctor_probe *key = doctor_key(chart);

	*ret_next = (struct doctor_trial){.change = DOCTOR_PLAIN_GET};
	return key && key->trial.change == DOCTOR_DIRECT &&
	       doctor_baseline(chart)->outcome == DOCTOR_NO_ANSWER &&
	       !doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
}

/*
 * Programs differ in which address of a local name they take, and most servers
 * of this machine are asked by several: one more knock there costs nothing.
 */
static bool doubt_family(const struct doctor_chart *chart,
			 struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	*ret_next = (struct doctor_trial){.change = DOCTOR_FAMILY};
	return base->outcome == DOCTOR_OPEN && doctor_is_loopback(chart->c) &&
	       chart->c->url.host_kind == SES_HOST_NAME &&
	       !doctor_tried(chart, DOCTOR_FAMILY, NULL) &&
	       doctor_first_candidate(chart, DOCTOR_FAMILY, ret_next->value,
				      sizeof(ret_next->value));
}

/* Nothing is heard after a head that fills a packet: does a short one arrive? */
static bool doubt_packets(const struct doctor_chart *chart,
			  struct doctor_trial *ret_next)
{
	*ret_next = (struct doctor_trial){.change = DOCTOR_MINIMAL};
	return doctor_fills_packet(doctor_baseline(chart)) &&
	       chart->c->n_headers > 0 &&
	       !doctor_tried(chart, DOCTOR_MINIMAL, NULL);
}

bool doctor_doubt(const struct doctor_chart *chart,
		  struct doctor_trial *ret_next)
{
	return by_the_book(chart, ret_next) || doubt_packets(chart, ret_next) ||
	       without_many(chart, ret_next) || look_there(chart, ret_next) ||
	       cut_short(chart, ret_next) || doubt_host(chart, ret_next) ||
	       doubt_proxy(chart, ret_next) || doubt_family(chart, ret_next) ||
	       doubt_node(chart, ret_next) || repeat_pair(chart, ret_next) ||
	       doubt_body(chart, ret_next);
}
