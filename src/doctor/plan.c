/* SPDX-License-Identifier: MIT */
/*
 * The choice of the next experiment. Every row of trials.def says how surely a
 * trial would show which cause; with what is believed now, that says how much
 * it is expected to tell, and how likely it is to settle the case. The best of
 * them by cost is next; which values a row has is candidates.c. A pair that
 * decides is repeated once, in the other order, before it counts as proof
 * (doubt.c).
 */
#include "doctor/plan.h"

#include <math.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/candidates.h"
#include "doctor/doubt.h"
#include "doctor/harvest.h"
#include "doctor/key.h"
#include "doctor/limit.h"

/* How the user's own request ended, as the rows of trials.def see it. */
enum state {
	OPENED = 1,	  /* it opened */
	REFUSED = 2,	  /* an HTTP answer */
	MUTE = 4,	  /* connected, and no HTTP answer */
	AFTER = 8,	  /* a 101, and then something went wrong */
	UNCONNECTED = 16, /* names, TCP */
	PROXY = 32,	  /* the forward proxy */
	TLS = 64,
};

/*
 * Below this a trial is not worth the knock: a chance of one in fifty that it
 * settles the case, or that much told. The more knocks there were already, the
 * more the next one has to promise.
 */
#define LEAST_WORTH 0.02
#define PER_KNOCK   0.0015
/* How likely a trial shows a cause that is not the one. */
#define BY_ACCIDENT 0.005
/* What a wait in vain costs, in handshakes: where one was, more will be. */
#define WAIT_COST 1.0
/* A cause this likely is doubted no more; only its proof is still sought. */
#define SURE 0.93
/* All probes together; whoever waits at a terminal has waited long enough. */
#define PATIENCE_MS 17000
/* Where nothing answers, every question costs a wait, and teaches less. */
#define MUTE_PATIENCE_MS 8000
#define SLOW_MS		 900
/* So many paths of the page's are asked for where each costs a wait. */
#define PAGES_PATHS 2

/* ---- the rows ---- */

struct power {
	enum why_cause cause;
	double w;
};

struct trial_row {
	enum doctor_change change;
	int when;
	size_t most;
	double fade;
	struct power power[16]; /* ends with w == 0 */
};

#define W(symbol, weight) {WHY_##symbol, weight},

static const struct trial_row rows[] = {
#define TRIAL(change, values, when, most, fade, ...) \
	{DOCTOR_##change, when, most, fade, {__VA_ARGS__}},
#include "doctor/trials.def"
#undef TRIAL
};

static int state_of(const struct doctor_chart *chart,
		    const struct doctor_probe *base)
{
	switch (base->outcome) {
	case DOCTOR_OPEN:
		return OPENED;
	case DOCTOR_ANSWERED:
		return REFUSED;
	case DOCTOR_NO_ANSWER:
	case DOCTOR_NOT_HTTP:
		return MUTE;
	case DOCTOR_NO_CONNECTION:
		break;
	default:
		return AFTER;
	}
	if (doctor_is_proxy_tls(base)) /* nothing of the server's TLS was seen */
		return PROXY;
	for (size_t i = 0; i < chart->n_findings; i++) {
		enum doctor_finding_kind kind = chart->finding[i].kind;

		if (doctor_is_proxy_symptom(kind))
			return PROXY;
		if (doctor_is_tls_symptom(kind))
			return TLS;
	}
	return UNCONNECTED;
}

/* A share of the uncertainty (Shannon's entropy, in nats). */
static double entropy(double p)
{
	return p > 0 ? -p * log(p) : 0;
}

/*
 * How much a trial is worth, as things stand: what it is expected to tell, plus
 * the chance that it settles the case. It may show one of the row's causes,
 * each in its own way, or nothing. What it tells is the mutual information
 * between that and the cause: how uncertain its outcome is, less how uncertain
 * it would be if the cause were known. Telling alone would never prove what is
 * all but sure; settling alone would not care what else is possible.
 */
static double worth(const struct trial_row *row, size_t i,
		    const struct doctor_opinion *o)
{
	double told = 0, settled = 0, nothing = 1, unnamed = 1;
	double fade = pow(row->fade, (double)i);
	int n = 0;

	while (row->power[n].w > 0)
		n++;
	for (const struct power *p = row->power; p->w > 0; p++) {
		double now = o->p[p->cause];
		double shows =
			fmax(BY_ACCIDENT, p->w * fade * (1 - n * BY_ACCIDENT));
		double in_all = now * shows + (1 - now) * BY_ACCIDENT;
		double others = (n - 1) * BY_ACCIDENT;

		told += entropy(in_all) -
			now * (entropy(shows) + (n - 1) * entropy(BY_ACCIDENT) +
			       entropy(1 - shows - others));
		settled += now * (shows - BY_ACCIDENT);
		nothing -= in_all;
		unnamed -= now;
	}
	told += entropy(nothing) - unnamed * (n * entropy(BY_ACCIDENT) +
					      entropy(1 - n * BY_ACCIDENT));
	return told + settled;
}

static double cost(const struct doctor_chart *chart, enum doctor_change change)
{
	static const double knocks[] = {
#define CHANGE(symbol, text, knocks) [DOCTOR_##symbol] = (knocks),
#include "doctor/changes.def"
#undef CHANGE
	};

	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);
	/* who answers plain requests answers the next one, too */
	bool plain = change == DOCTOR_PLAIN_GET_PATH || change == DOCTOR_POLLING;
	bool waits = doctor_fell_silent(chart) && !(plain && g && g->status);

	return knocks[change] + (waits ? WAIT_COST : 0);
}

/* The @r-th row's first value that was not tried yet; *ret_i: how many were. */
static bool untried(const struct doctor_chart *chart, size_t r,
		    struct doctor_trial *ret, size_t *ret_i)
{
	struct doctor_trial t = {.change = rows[r].change};
	size_t tried = 0;

	for (size_t i = 0;
	     doctor_candidate(chart, r, i, t.value, sizeof(t.value)); i++) {
		if (doctor_tried(chart, t.change, t.value)) {
			tried++;
			continue;
		}
		if (tried >= rows[r].most)
			return false;
		*ret = t;
		*ret_i = tried;
		return true;
	}
	return false;
}

static bool choose(const struct doctor_chart *chart,
		   const struct doctor_opinion *o, int state,
		   struct doctor_trial *ret_next)
{
	double least = LEAST_WORTH + PER_KNOCK * (double)chart->n_probes;
	double best = least;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct doctor_trial t;
		double w;
		size_t i;

		if (!(rows[r].when & state) || !untried(chart, r, &t, &i))
			continue;
		w = worth(&rows[r], i, o) / cost(chart, t.change);
		if (w > best) {
			best = w;
			*ret_next = t;
		}
	}
	return best > least;
}

/* Trials that look for another place, or for something that was never sent. */
static bool looks_elsewhere(const struct doctor_chart *chart,
			    const struct doctor_trial *t)
{
	switch (t->change) {
	case DOCTOR_H2:
	case DOCTOR_PORT:
	case DOCTOR_SILENCE:
		return true;
	case DOCTOR_SUBPROTOCOL:
		return !doctor_is_told(chart, t);
	case DOCTOR_USER_AGENT:
		return !chart->c->user_agent_given &&
		       (chart->c->origin || chart->c->url.query.data ||
			doctor_answers_tls_in_http(chart));
	case DOCTOR_HOST:
		return doctor_fell_silent(chart);
	case DOCTOR_PATH:
		return doctor_fell_silent(chart) && !doctor_is_told(chart, t) &&
		       strcmp(t->value, DOCTOR_NONSENSE_PATH) != 0;
	default:
		return false;
	}
}

/*
 * Handshakes wait in vain, at a path that cannot exist as well: all
 * subprotocols cost one wait, each guess of a path another one.
 */
static bool may_lack_subprotocol(const struct doctor_chart *chart,
				 const struct doctor_trial *next)
{
	return doctor_found(chart, DOCTOR_F_UPGRADE_SWALLOWED) &&
	       next->change == DOCTOR_PATH && !chart->c->subprotocols &&
	       !doctor_tried(chart, DOCTOR_SUBPROTOCOL, NULL);
}

/*
 * Without an answer, what was sent is asked about before what is elsewhere: a
 * rule that drops connections looks at the Origin, the query, the User-Agent.
 */
static void ask_of_request_first(const struct doctor_chart *chart,
				 struct doctor_trial *next)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	enum doctor_change own = c->origin ? DOCTOR_NO_ORIGIN : DOCTOR_ORIGIN;
	struct doctor_trial t = {.change = DOCTOR_NOTHING};

	if (base->outcome != DOCTOR_NO_ANSWER || !looks_elsewhere(chart, next))
		return;
	if (c->url.query.data && !doctor_tried(chart, DOCTOR_NO_QUERY, NULL))
		t.change = DOCTOR_NO_QUERY;
	else if (!doctor_tried(chart, own, NULL) &&
		 (c->origin ||
		  doctor_first_candidate(chart, own, t.value, sizeof(t.value))))
		t.change = own;
	else if (c->user_agent_given &&
		 !doctor_tried(chart, DOCTOR_USER_AGENT, NULL) &&
		 doctor_first_candidate(chart, DOCTOR_USER_AGENT, t.value,
					sizeof(t.value)))
		t.change = DOCTOR_USER_AGENT;
	else if (doctor_answers_tls_in_http(chart) &&
		 next->change != DOCTOR_HOST &&
		 !doctor_tried(chart, DOCTOR_HOST, NULL) &&
		 doctor_first_candidate(chart, DOCTOR_HOST, t.value,
					sizeof(t.value)))
		t.change = DOCTOR_HOST;
	else if (may_lack_subprotocol(chart, next) &&
		 doctor_first_candidate(chart, DOCTOR_SUBPROTOCOL, t.value,
					sizeof(t.value)))
		t.change = DOCTOR_SUBPROTOCOL;
	if (t.change != DOCTOR_NOTHING)
		*next = t;
}

/*
 * A port that is silent to a handshake may answer TLS at once, if only to say
 * that it is none. Then it is known to be quick, and each further silence is
 * waited for a shorter time, so that more can be asked.
 */
static bool sounds_by_tls(const struct doctor_chart *chart,
			  struct doctor_trial *next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_trial t = {.change = DOCTOR_SCHEME};

	if (next->change != DOCTOR_PLAIN_GET || chart->c->proxy ||
	    base->outcome != DOCTOR_NO_ANSWER ||
	    base->error != SESAME_ETIMEOUT || chart->c->url.tls ||
	    doctor_tried(chart, DOCTOR_SCHEME, NULL) ||
	    !doctor_first_candidate(chart, DOCTOR_SCHEME, t.value,
				    sizeof(t.value)))
		return false;
	*next = t;
	return true;
}

/* A page, or a status that is nobody's, may be anyone's way to refuse. */
static bool is_told_otherwise(const struct doctor_probe *base)
{
	return base->status / 100 == 2 || base->status >= 600;
}

static bool may_yet(const struct doctor_chart *chart, struct doctor_trial *t,
		    enum doctor_change change)
{
	*t = (struct doctor_trial){.change = change};
	return !doctor_tried(chart, change, NULL) &&
	       (change == DOCTOR_NO_ORIGIN ||
		doctor_first_candidate(chart, change, t->value,
				       sizeof(t->value)));
}

/*
 * Before another place is asked, what the user chose to send is left out, since
 * no status is above being a refusal of it. Where a page for all paths looks
 * like a server of pages alone, what it might miss is sent as well.
 */
static void ask_of_choice_first(const struct doctor_chart *chart,
				struct doctor_trial *next)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	bool any = is_told_otherwise(base);
	struct doctor_trial t;

	if (base->outcome != DOCTOR_ANSWERED ||
	    (next->change != DOCTOR_PATH && next->change != DOCTOR_HOST &&
	     next->change != DOCTOR_PORT) ||
	    doctor_is_told(chart, next) ||
	    strcmp(next->value, DOCTOR_NONSENSE_PATH) == 0)
		return;
	if ((c->origin && may_yet(chart, &t, DOCTOR_NO_ORIGIN)) ||
	    ((any || c->user_agent_given) &&
	     may_yet(chart, &t, DOCTOR_USER_AGENT)) ||
	    (any && !c->origin && may_yet(chart, &t, DOCTOR_ORIGIN)))
		*next = t;
}

/* So many guesses of a path that all get the same 404 are enough for a while. */
#define LOST_PATHS 3

/* Where a router finds no path at all, it may be the name that it misses. */
static void ask_under_other_name(const struct doctor_chart *chart,
				 struct doctor_trial *next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_trial t;
	size_t lost = 0;

	if (base->outcome != DOCTOR_ANSWERED || base->status != 404 ||
	    next->change != DOCTOR_PATH || doctor_is_told(chart, next))
		return;
	for (size_t i = 0; i < chart->n_probes; i++)
		lost += chart->probe[i]->trial.change == DOCTOR_PATH &&
			doctor_same_answer(base, chart->probe[i]);
	if (lost >= LOST_PATHS && may_yet(chart, &t, DOCTOR_HOST))
		*next = t;
}

/* Without a favourite, who asks is asked about before the next guess is. */
#define FAVOURITE 0.6
#define GUESSES	  5

/*
 * A list of addresses seldom has those of both families. A refusal of who asks
 * that nothing explains is asked for over the other one before more is guessed.
 */
static void ask_over_other_family(const struct doctor_chart *chart,
				  const struct doctor_opinion *o,
				  struct doctor_trial *next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_trial t;

	if (base->outcome == DOCTOR_ANSWERED &&
	    (base->status == 401 || base->status == 403) &&
	    o->p[o->best] < FAVOURITE && chart->n_probes > GUESSES &&
	    may_yet(chart, &t, DOCTOR_FAMILY))
		*next = t;
}

/*
 * Waits are few, and where a page of the server opens WebSockets itself, the
 * paths that it has for them, and the subprotocol, are worth the first.
 */
static bool follows_page(const struct doctor_chart *chart,
			 struct doctor_trial *next)
{
	struct doctor_trial t = {.change = DOCTOR_PATH};

	if (doctor_baseline(chart)->outcome != DOCTOR_NO_ANSWER ||
	    !doctor_fell_silent(chart) ||
	    !doctor_found(chart, DOCTOR_F_PAGE_OPENS))
		return false;
	for (size_t i = 0; i < PAGES_PATHS; i++)
		if (doctor_told_path(chart, i, t.value, sizeof(t.value)) &&
		    !doctor_tried(chart, DOCTOR_PATH, t.value)) {
			*next = t;
			return true;
		}
	if (!doctor_found(chart, DOCTOR_F_PAGE_NAMES_SUBPROTOCOL) ||
	    doctor_tried(chart, DOCTOR_SUBPROTOCOL, NULL) ||
	    !doctor_first_candidate(chart, DOCTOR_SUBPROTOCOL, t.value,
				    sizeof(t.value)))
		return false;
	t.change = DOCTOR_SUBPROTOCOL;
	*next = t;
	return true;
}

/* A path that opens is told only if it is not merely one of all. */
static bool asks_beside(const struct doctor_chart *chart,
			struct doctor_trial *next)
{
	struct doctor_trial t = {.change = DOCTOR_PATH};

	if (!doctor_beside_path(chart, t.value, sizeof(t.value)) ||
	    doctor_tried(chart, DOCTOR_PATH, t.value) ||
	    doctor_is_told(chart, &doctor_key(chart)->trial))
		return false;
	*next = t;
	return true;
}

/*
 * Where the session in the URL is what is refused, a fresh one tells whether
 * another node has it, or whether it was merely over. Nodes that take turns
 * agree now and then, so more than one is asked for.
 */
static bool asks_fresh_session(const struct doctor_chart *chart,
			       struct doctor_trial *next)
{
	static const enum doctor_change changes[] = {DOCTOR_SESSION,
						     DOCTOR_POLLING};
	size_t tried;

	if (!doctor_found(chart, DOCTOR_F_SESSION_ABSENT_OPENS) ||
	    doctor_found(chart, DOCTOR_F_SESSION_LOST))
		return false;
	for (size_t c = 0; c < sizeof(changes) / sizeof(changes[0]); c++)
		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
			if (rows[r].change == changes[c] &&
			    (rows[r].when & REFUSED) &&
			    untried(chart, r, next, &tried))
				return true;
	return false;
}

/* A page in a sandbox sends another Origin than its address has. */
static bool asks_as_sandboxed(const struct doctor_chart *chart,
			      struct doctor_trial *next)
{
	const struct doctor_case *c = chart->c;

	*next = (struct doctor_trial){.change = DOCTOR_ORIGIN, .value = "null"};
	return doctor_baseline(chart)->outcome == DOCTOR_OPEN &&
	       doctor_found(chart, DOCTOR_F_PAGE_SANDBOXED) &&
	       !doctor_tried(chart, next->change, next->value) &&
	       !(c->origin && strcmp(c->origin, next->value) == 0);
}

static double time_spent(const struct doctor_chart *chart)
{
	double sum = 0;

	for (size_t i = 0; i < chart->n_probes; i++)
		sum += chart->probe[i]->ms + chart->probe[i]->open_ms;
	return sum;
}

bool doctor_plan(const struct doctor_chart *chart,
		 const struct doctor_opinion *opinion,
		 struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	bool sure;

	doctor_candidates_anew();
	if (chart->c->url_error || chart->stopped ||
	    chart->n_probes >= chart->c->max_probes ||
	    chart->n_probes >= DOCTOR_MAX_PROBES)
		return false;
	if (!base) {
		*ret_next = (struct doctor_trial){.change = DOCTOR_NOTHING};
		return true;
	}
	if (time_spent(chart) > (doctor_fell_silent(chart) || base->ms > SLOW_MS
					 ? MUTE_PATIENCE_MS
					 : PATIENCE_MS))
		return false;
	if (base->status == 429)
		return doctor_ask_as_browser(chart, ret_next);
	if (doctor_doubt(chart, ret_next) || asks_beside(chart, ret_next) ||
	    asks_fresh_session(chart, ret_next) ||
	    asks_as_sandboxed(chart, ret_next))
		return true;
	if ((doctor_found(chart, DOCTOR_F_SPLIT) ||
	     doctor_found(chart, DOCTOR_F_PASSED)) &&
	    !doctor_key(chart))
		return false; /* nothing can be told from a pair any more */
	/* against luck nothing helps but what was repeated above */
	sure = opinion->p[opinion->best] >= SURE * (1 - opinion->luck);
	if (sure && doctor_key(chart))
		return false;
	if (choose(chart, opinion, state_of(chart, base), ret_next)) {
		if (!sounds_by_tls(chart, ret_next) &&
		    !follows_page(chart, ret_next))
			ask_of_request_first(chart, ret_next);
		ask_of_choice_first(chart, ret_next);
		ask_under_other_name(chart, ret_next);
		ask_over_other_family(chart, opinion, ret_next);
		return true;
	}
	return doctor_doubt_error(chart, ret_next);
}
