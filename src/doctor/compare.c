/* SPDX-License-Identifier: MIT */
/*
 * The search follows QuickXplain (Junker 2004): it finds a set of differences
 * that opens, of which none can be left out, in about 2k log(n/k) handshakes
 * for k of n. Differences that are often to blame come first, so that one of
 * those is found by halving alone. What was found speaks through findings.
 */
#include "doctor/compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/finding_inner.h"
#include "doctor/mix.h"
#include "doctor/redact.h"

#define RESERVE	    2 /* handshakes kept to repeat what decides */
#define LARGE_FIELD 1000

/* ---- handshakes ---- */

int doctor_compare_run(const struct doctor_chart *chart,
		       const struct doctor_case *asked,
		       const struct doctor_trial *trial,
		       struct doctor_probe *ret_probe)
{
	static const struct doctor_trial plain = {.change = DOCTOR_NOTHING};
	struct doctor_mix *m = malloc(sizeof(*m));
	int r;

	if (!m)
		return -1;
	r = doctor_differ_mix(&chart->comparison->differ, trial->parts, m);
	if (r < 0) {
		ret_probe->outcome = DOCTOR_NO_CONNECTION;
		ret_probe->error = r;
		r = 0;
	} else {
		m->c.timeout_ms = asked->timeout_ms;
		m->c.hold_ms = asked->hold_ms;
		r = doctor_probe_run(&m->c, &plain, ret_probe);
		ret_probe->bare |= m->withheld;
	}
	ret_probe->trial = *trial;
	free(m);
	return r;
}

struct search {
	struct doctor_chart *chart;
	struct doctor_comparison *k;
	doctor_ask_fn *ask;
	uint64_t smallest; /* that opened */
	bool spent, failed;
};

static const struct doctor_probe *performed(const struct doctor_chart *chart,
					    uint64_t bits)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.parts == bits && bits)
			return chart->probe[i];
	return NULL;
}

static unsigned count(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

static bool may_ask(const struct search *s)
{
	const struct doctor_chart *chart = s->chart;

	return !s->failed && !chart->stopped &&
	       chart->n_probes + RESERVE < chart->c->max_probes &&
	       chart->n_probes + RESERVE < DOCTOR_MAX_PROBES;
}

/* Whether the request opens with these differences applied. */
static bool opens(struct search *s, uint64_t bits)
{
	const struct doctor_probe *p = performed(s->chart, bits);
	struct doctor_trial trial;

	if (bits == 0)
		return false; /* that was seen first of all */
	if (!p && !may_ask(s)) {
		s->spent = true;
		return false;
	}
	if (!p) {
		doctor_differ_trial(&s->k->differ, bits, &trial);
		s->failed |= s->ask(s->chart, &trial) < 0;
		p = performed(s->chart, bits);
	}
	if (!p || p->outcome != DOCTOR_OPEN)
		return false;
	if (count(bits) < count(s->smallest))
		s->smallest = bits;
	return true;
}

/* ---- the search ---- */

/* The lower half of the set bits. */
static uint64_t first_half(uint64_t bits)
{
	unsigned n = (count(bits) + 1) / 2;
	uint64_t half = 0;

	for (; n > 0; n--) {
		half |= bits & -bits;
		bits &= bits - 1;
	}
	return half;
}

/*
 * The part of @among that is needed besides @given; @fresh says that @given
 * grew since it was last asked for. Depth: six, for 64 differences.
 */
static uint64_t needed(struct search *s, uint64_t given, bool fresh,
		       uint64_t among)
{
	uint64_t first, second;

	if (fresh && opens(s, given))
		return 0;
	if (count(among) <= 1)
		return among;
	first = first_half(among);
	second = needed(s, given | first, true, among & ~first);
	return second | needed(s, given | second, second != 0, first);
}

static void search(struct search *s)
{
	uint64_t found = needed(s, 0, false, s->smallest);

	/* parts can hinder each other; only what was seen to open counts */
	if (count(found) <= count(s->smallest) && opens(s, found))
		s->smallest = found;
	s->k->minimal = s->smallest == found && !s->spent;
}

/* ---- in words ---- */

__attribute__((format(printf, 2, 3))) static void
say(struct doctor_comparison *k, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(k->outcome, sizeof(k->outcome), format, args);
	va_end(args);
}

static void say_found(struct search *s)
{
	struct doctor_comparison *k = s->k;
	char text[300];
	size_t n = 0;

	k->outcome[0] = 0;
	for (size_t i = 0; i < k->differ.n; i++) {
		if (!(k->deciding >> k->differ.one[i].bit & 1))
			continue;
		doctor_difference_text(&k->differ.one[i], text, sizeof(text));
		if (strlen(text) > 100)
			memcpy(text + 97, "...", 4);
		if (n + strlen(text) + 120 > sizeof(k->outcome))
			break;
		n += (size_t)sprintf(k->outcome + n, "%s%s",
				     n ? " and "
				     : k->minimal
					     ? "the smallest difference that "
					       "matters: "
					     : "what matters is among: ",
				     text);
	}
	snprintf(k->outcome + n, sizeof(k->outcome) - n,
		 " (of %zu difference%s to the request that works%s%s)",
		 k->differ.n, k->differ.n == 1 ? "" : "s",
		 s->spent ? "; not looked at more closely, because " : "",
		 !s->spent	     ? ""
		 : s->chart->stopped ? s->chart->stopped
				     : "no handshakes were left");
}

static void say_unfit(struct search *s, const struct doctor_probe *mine,
		      const struct doctor_probe *other)
{
	char result[256];
	bool mine_opens = mine && mine->outcome == DOCTOR_OPEN;

	if (!mine || !other)
		say(s->k, "the two requests could not be compared");
	else if (mine_opens && other->outcome == DOCTOR_OPEN)
		say(s->k, "both requests open, so there is nothing to "
			  "compare");
	else if (mine_opens)
		say(s->k,
		    "this request opens, and the one that is said to "
		    "work does not: %s",
		    doctor_result_text(other, result, sizeof(result)));
	else
		say(s->k,
		    "the request that is said to work does not open "
		    "from here either: %s",
		    doctor_result_text(other, result, sizeof(result)));
}

/* ---- the whole ---- */

static int begin(struct search *s)
{
	static const struct doctor_trial as_asked = {.change = DOCTOR_NOTHING};
	struct doctor_chart *chart = s->chart;

	s->k = calloc(1, sizeof(*s->k));
	if (!s->k)
		return -1;
	chart->comparison = s->k;
	doctor_differ(&s->k->differ, chart->c, chart->c->other);
	return s->ask(chart, &as_asked);
}

int doctor_compare(struct doctor_chart *chart, doctor_ask_fn *ask)
{
	struct search s = {.chart = chart, .ask = ask};
	const struct doctor_probe *mine, *other;
	uint64_t all;

	if (!chart->c->other || chart->c->url_error)
		return 0;
	if (begin(&s) < 0)
		return -1;
	all = doctor_differ_all(&s.k->differ);
	if (s.k->differ.n == 0) {
		say(s.k, "the request that is said to work is the same one");
		return 0;
	}
	s.smallest = all;
	opens(&s, all);
	mine = doctor_baseline(chart);
	other = performed(chart, all);
	if (!mine || !other || mine->outcome == DOCTOR_OPEN ||
	    other->outcome != DOCTOR_OPEN) {
		say_unfit(&s, mine, other);
		return s.failed ? -1 : 0;
	}
	search(&s);
	s.k->deciding = s.smallest;
	s.k->probe = performed(chart, s.smallest)->n;
	say_found(&s);
	return s.failed ? -1 : 0;
}

void doctor_compare_end(struct doctor_chart *chart)
{
	free(chart->comparison);
	chart->comparison = NULL;
}

const char *doctor_remark(const struct doctor_chart *chart, size_t i)
{
	const struct doctor_comparison *k = chart->comparison;

	if (i < chart->c->n_remarks)
		return chart->c->remark[i];
	return i == chart->c->n_remarks && k && k->outcome[0] ? k->outcome
							      : NULL;
}

/* ---- what it shows ---- */

const struct doctor_probe *doctor_compared(const struct doctor_chart *chart)
{
	const struct doctor_comparison *k = chart->comparison;

	return k && k->probe > 0 && (size_t)k->probe <= chart->n_probes
		       ? chart->probe[k->probe - 1]
		       : NULL;
}

static enum doctor_finding_kind kind_of_field(const struct doctor_difference *one)
{
	if (!one->to && one->from->value.len > LARGE_FIELD)
		return DOCTOR_F_COMPARED_LARGE;
	return DOCTOR_F_COMPARED_FIELD;
}

static enum doctor_finding_kind kind_of(const struct doctor_difference *one)
{
	static const enum doctor_finding_kind kinds[DOCTOR_N_PARTS] = {
		[DOCTOR_PART_PATH] = DOCTOR_F_COMPARED_PATH,
		[DOCTOR_PART_HOST] = DOCTOR_F_COMPARED_HOST,
		[DOCTOR_PART_HANDSHAKE] = DOCTOR_F_COMPARED_HANDSHAKE,
		[DOCTOR_PART_USER_AGENT] = DOCTOR_F_COMPARED_AGENT,
		[DOCTOR_PART_URL_HOST] = DOCTOR_F_COMPARED_URL_HOST,
		[DOCTOR_PART_SCHEME] = DOCTOR_F_COMPARED_SCHEME,
		[DOCTOR_PART_PORT] = DOCTOR_F_COMPARED_PORT,
		[DOCTOR_PART_CERT] = DOCTOR_F_COMPARED_CERT,
		[DOCTOR_PART_TRUST] = DOCTOR_F_COMPARED_TRUST,
		[DOCTOR_PART_PROXY] = DOCTOR_F_COMPARED_WAY,
		[DOCTOR_PART_WAY] = DOCTOR_F_COMPARED_WAY,
	};
	const struct doctor_item *item = one->to ? one->to : one->from;

	switch (one->part) {
	case DOCTOR_PART_ORIGIN:
		return one->from ? DOCTOR_F_COMPARED_ORIGIN
				 : DOCTOR_F_COMPARED_ORIGIN_MISSING;
	case DOCTOR_PART_SECRET:
	case DOCTOR_PART_COOKIE:
		return !one->to && item->value.len > LARGE_FIELD
			       ? DOCTOR_F_COMPARED_LARGE
			       : DOCTOR_F_COMPARED_CREDENTIALS;
	case DOCTOR_PART_SUBPROTOCOL:
		return item->secret ? DOCTOR_F_COMPARED_CREDENTIALS
				    : DOCTOR_F_COMPARED_SUBPROTOCOL;
	case DOCTOR_PART_QUERY:
		return doctor_is_secret_name(item->name)
			       ? DOCTOR_F_COMPARED_CREDENTIALS
			       : DOCTOR_F_COMPARED_QUERY;
	case DOCTOR_PART_FIELD:
	case DOCTOR_PART_PUBLIC:
		return kind_of_field(one);
	default:
		return kinds[one->part];
	}
}

void doctor_find_comparison(struct doctor_chart *chart)
{
	const struct doctor_comparison *k = chart->comparison;

	/* where more may be in it than is needed, nothing is proven */
	if (!doctor_compared(chart) || !k->minimal)
		return;
	for (size_t i = 0; i < k->differ.n; i++) {
		const struct doctor_difference *one = &k->differ.one[i];
		enum doctor_finding_kind kind = kind_of(one);

		if (!(k->deciding >> one->bit & 1) || count(k->deciding) > 3 ||
		    doctor_found(chart, kind))
			continue;
		doctor_note(chart, kind, doctor_compared(chart),
			    doctor_baseline(chart), "%s", k->outcome);
	}
}
