/* SPDX-License-Identifier: MIT */
/*
 * From findings to a probability for each cause: the symptom gives the prior
 * (priors.def), every other finding adds to the log odds (evidence.def). What
 * is hard is to stay honest: findings that say the same thing twice must not
 * count twice, so each group of them has a limit, and a rest of doubt remains.
 */
#include "doctor/diagnose.h"

#include <math.h>

#include "doctor/luck.h"

/* One cause, one family of causes, or all that a row does not name. */
struct weight {
	int cause; /* enum why_cause, or one of these: */
#define A_FAMILY  (-1)
#define ALL_OTHER (-2)
	const char *family;
	double w;
};

#define MAX_WEIGHTS 28

struct row {
	enum doctor_finding_kind kind;
	const char *why;
	struct weight weight[MAX_WEIGHTS]; /* ends with w == 0 */
};

#define W(symbol, weight) {.cause = WHY_##symbol, .w = (weight)},
#define FAMILY(name, weight) \
	{.cause = A_FAMILY, .family = #name, .w = (weight)},
#define ELSE(weight) {.cause = ALL_OTHER, .w = (weight)},

#define PRIOR(...)
#define SOURCE(name, text) static const char source_##name[] = text;
#include "doctor/priors.def"
#undef SOURCE
#undef PRIOR

#define SOURCE(...)
static const struct row priors[] = {
#define PRIOR(symptom, source, ...) \
	{DOCTOR_F_##symptom, source_##source, {__VA_ARGS__}},
#include "doctor/priors.def"
#undef PRIOR
};
#undef SOURCE

#define GROUP(...)
static const struct row evidence[] = {
#define EVIDENCE(finding, why, ...) {DOCTOR_F_##finding, why, {__VA_ARGS__}},
#include "doctor/evidence.def"
#undef EVIDENCE
};
#undef GROUP

enum group {
#define EVIDENCE(...)
#define GROUP(name, limit) GROUP_##name,
#include "doctor/evidence.def"
#undef GROUP
	N_GROUPS
};

static const double limits[] = {
#define GROUP(name, limit) [GROUP_##name] = (limit),
#include "doctor/evidence.def"
#undef GROUP
#undef EVIDENCE
};

static const enum group group_of[] = {
#define FINDING(symbol, group, text) [DOCTOR_F_##symbol] = GROUP_##group,
#include "doctor/findings.def"
#undef FINDING
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What causes that a prior does not name share, in parts of its sum. */
#define REST 0.02
/* Doubt that no evidence removes: the table itself may be wrong. */
#define DOUBT 0.015

static const struct row *find_row(const struct row *rows, size_t n,
				  enum doctor_finding_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

bool doctor_is_symptom(enum doctor_finding_kind kind)
{
	return group_of[kind] == GROUP_SYMPTOM;
}

bool doctor_is_proxy_symptom(enum doctor_finding_kind kind)
{
	return kind >= DOCTOR_F_PROXY_407 && kind <= DOCTOR_F_PROXY_BROKEN;
}

bool doctor_is_tls_symptom(enum doctor_finding_kind kind)
{
	return kind >= DOCTOR_F_TLS_NOT_TLS && kind <= DOCTOR_F_TLS_OTHER;
}

bool doctor_is_told_by_itself(enum doctor_finding_kind kind)
{
	return group_of[kind] == GROUP_WORDS || group_of[kind] == GROUP_CONFIG ||
	       group_of[kind] == GROUP_BACKEND ||
	       group_of[kind] == GROUP_SESSION;
}

bool doctor_has_prior(enum doctor_finding_kind symptom)
{
	return find_row(priors, LEN(priors), symptom) != NULL;
}

const char *doctor_weighs(enum doctor_finding_kind kind)
{
	const struct row *row = find_row(evidence, LEN(evidence), kind);

	if (!row)
		row = find_row(priors, LEN(priors), kind);
	return row ? row->why : NULL;
}

static void prior_of(const struct doctor_chart *chart, double p[WHY_N_CAUSES])
{
	const struct row *row = NULL;
	double sum = 0;

	for (size_t i = 0; i < chart->n_findings && !row; i++)
		row = find_row(priors, LEN(priors), chart->finding[i].kind);
	for (const struct weight *w = row ? row->weight : NULL; w && w->w > 0;
	     w++)
		sum += w->w;
	for (int c = 0; c < WHY_N_CAUSES; c++)
		p[c] = (sum > 0 ? sum * REST : 1) / WHY_N_CAUSES;
	if (sum > 0) /* what failed is not in order */
		p[WHY_OK] *= 0.02;
	for (const struct weight *w = row ? row->weight : NULL; w && w->w > 0;
	     w++)
		p[w->cause] += w->w;
}

static double weight_for(const struct row *row, enum why_cause cause)
{
	double family = 0, other = 0;
	bool in_family = false;

	for (const struct weight *w = row->weight; w->w != 0; w++) {
		if (w->cause == (int)cause)
			return w->w;
		if (w->cause == ALL_OTHER)
			other = w->w;
		if (w->cause == A_FAMILY &&
		    bytes_equal_str(why_category(cause), w->family)) {
			family = w->w;
			in_family = true;
		}
	}
	return in_family ? family : other;
}

double doctor_weight(enum doctor_finding_kind kind, enum why_cause cause)
{
	const struct row *row = find_row(evidence, LEN(evidence), kind);

	return row ? weight_for(row, cause) : 0;
}

/* What the word of a gateway weighs that refuses, and when experiments show
 * something else than it says. */
#define WORD_OF_GATEWAY 16.0
#define WORD_IN_DOUBT	3.0

/*
 * Whether a handshake that opened speaks against @told. Against a limit, or a
 * server that was down, none does: it may have come at another time.
 */
static bool is_contradicted(const struct doctor_chart *chart,
			    enum why_cause told)
{
	if (told == WHY_ACCESS_RATE || told == WHY_SERVER_LIMIT ||
	    told == WHY_SERVER_BACKEND_DOWN)
		return false;
	for (size_t i = 0; i < chart->n_findings; i++) {
		const struct doctor_finding *f = &chart->finding[i];

		if (f->versus && f->probe && f->probe <= (int)chart->n_probes &&
		    chart->probe[f->probe - 1]->outcome == DOCTOR_OPEN &&
		    doctor_weight(f->kind, told) < 0)
			return true;
	}
	return false;
}

/*
 * A gateway knows by which rule it refuses. It does not know what a proxy
 * before it made of the request.
 */
static double weight_of_word(const struct doctor_chart *chart,
			     enum why_cause told, enum why_cause cause)
{
	bool same = cause == told ||
		    (told == WHY_ACCESS_ORIGIN &&
		     (cause == WHY_SERVER_PROXY_HOST ||
		      cause == WHY_SERVER_PROXY_PROTO)) ||
		    (told == WHY_SERVER_PROXY_UPGRADE &&
		     cause == WHY_NET_PROXY_STRIPS_UPGRADE);

	if (!same)
		return 0;
	return is_contradicted(chart, told) ? WORD_IN_DOUBT : WORD_OF_GATEWAY;
}

static double weight_in(const struct doctor_chart *chart,
			const struct doctor_finding *f, enum why_cause cause)
{
	double w = doctor_weight(f->kind, cause);

	if (f->kind == DOCTOR_F_TELLS_CAUSE)
		w += weight_of_word(chart, (enum why_cause)f->cause, cause);
	return w;
}

static double clamp(double x, double limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

/* The log odds of one cause, group by group. */
static double judge(const struct doctor_chart *chart, enum why_cause cause)
{
	double sum[N_GROUPS] = {0}, all = 0;

	for (size_t i = 0; i < chart->n_findings; i++) {
		const struct doctor_finding *f = &chart->finding[i];

		sum[group_of[f->kind]] += weight_in(chart, f, cause);
	}
	for (int g = 0; g < N_GROUPS; g++)
		all += clamp(sum[g], limits[g]);
	return all;
}

/* Turn log odds into probabilities that sum to 1, and keep some doubt. */
static void normalise(double p[WHY_N_CAUSES])
{
	double top = p[0], sum = 0;

	for (int c = 1; c < WHY_N_CAUSES; c++)
		top = p[c] > top ? p[c] : top;
	for (int c = 0; c < WHY_N_CAUSES; c++)
		sum += p[c] = exp(p[c] - top);
	for (int c = 0; c < WHY_N_CAUSES; c++)
		p[c] = p[c] / sum * (1 - DOUBT) + DOUBT / WHY_N_CAUSES;
}

/*
 * If it was luck, nothing is known but that the answers change by themselves:
 * with the server that is asked, with what is left of a limit, with the time.
 */
static void allow_for_luck(double p[WHY_N_CAUSES], double luck)
{
	static const enum why_cause fickle[] = {
		WHY_SERVER_STICKY_SESSION, WHY_SERVER_BACKEND_DOWN,
		WHY_SERVER_LIMIT, WHY_ACCESS_RATE};

	for (int c = 0; c < WHY_N_CAUSES; c++)
		p[c] *= 1 - luck;
	for (size_t i = 0; i < LEN(fickle); i++)
		p[fickle[i]] += luck / LEN(fickle);
}

/* What a finding added to the best cause, against all the others together. */
static double weigh(const struct doctor_chart *chart,
		    const struct doctor_opinion *o,
		    const struct doctor_finding *f)
{
	enum doctor_finding_kind kind = f->kind;
	const struct row *row = find_row(evidence, LEN(evidence), kind);
	double others = 0;

	if (!row)
		row = find_row(priors, LEN(priors), kind);
	if (!row || o->p[o->best] >= 1)
		return 0;
	if (doctor_is_symptom(kind)) {
		double sum = 0;

		for (const struct weight *w = row->weight; w->w > 0; w++)
			sum += w->w;
		return log(1 + WHY_N_CAUSES * weight_for(row, o->best) / sum);
	}
	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (c != (int)o->best)
			others += o->p[c] *
				  weight_in(chart, f, (enum why_cause)c);
	return weight_in(chart, f, o->best) - others / (1 - o->p[o->best]);
}

void doctor_diagnose(const struct doctor_chart *chart,
		     struct doctor_opinion *ret_opinion)
{
	struct doctor_opinion o = {.best = WHY_OK};

	prior_of(chart, o.p);
	for (int c = 0; c < WHY_N_CAUSES; c++)
		o.p[c] = log(o.p[c]) + judge(chart, (enum why_cause)c);
	normalise(o.p);
	o.luck = doctor_luck(chart);
	allow_for_luck(o.p, o.luck);
	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (o.p[c] > o.p[o.best])
			o.best = (enum why_cause)c;
	for (size_t i = 0; i < chart->n_findings; i++)
		o.weight[i] = weigh(chart, &o, &chart->finding[i]);
	*ret_opinion = o;
}
