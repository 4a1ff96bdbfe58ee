/* SPDX-License-Identifier: MIT */
/*
 * Servers that share the load and do not agree: who of them refuses is told, as
 * far as they name themselves, and nobody is sent to mend a rule of all.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL	 "ws://127.0.0.1:8080/chat"
#define NO(who)	 "HTTP/1.1 403 Forbidden\nX-Served-By: " who "\n\nForbidden"
#define YES(who) "@opens X-Served-By: " who

static const struct {
	struct patient patient;
	const char *says;
} rows[] = {
	{{.name = "one of two refuses",
	  .url = URL,
	  .answer = NO("a") " || " YES("b")},
	 "X-Served-By: a refuses, b lets in"},
	{{.name = "the other way about",
	  .url = URL,
	  .answer = YES("b") " || " NO("a")},
	 "b lets in, a refuses"},
	{{.name = "only refusals have the name",
	  .url = URL,
	  .answer = NO("a") " || @open"},
	 "X-Served-By: a refuses)"},
	{{.name = "nobody has a name",
	  .url = URL,
	  .answer = "HTTP/1.1 403 Forbidden\n\nForbidden || @open"},
	 "do not agree"},
};

TEST("servers that disagree are to be asked one by one, and no rule is mended")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doctor_verdict *v = &b.verdict;

		bed_examine(&b, &rows[i].patient);
		if (!strstr(v->summary, rows[i].says) || v->n_fixes > 2 ||
		    !strstr(v->fix[0].what, "each server of the pool"))
			fail_msg("%s: %s; %s", rows[i].patient.name, v->summary,
				 v->fix[0].what);
		bed_strip(&b);
	}
}

TEST("a rule that the refusal names is mended where it is missing")
{
	const struct patient p = {
		.url = URL,
		.answer = "HTTP/1.1 403 Forbidden\nX-Node: 7\n\ninvalid token "
			  "|| @opens X-Node: 8"};
	static struct bed b;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_ACCESS_CREDENTIALS);
	assert_non_null(strstr(b.verdict.summary, "X-Node: 7 refuses, 8 lets"));
	assert_non_null(strstr(b.verdict.fix[0].what, "each server"));
	assert_true(b.verdict.n_fixes > 2);
	bed_strip(&b);
}

/* How often @p is asked as given. */
static int asked(const struct patient *p)
{
	const struct doctor_trial nothing = {.change = DOCTOR_NOTHING};
	static struct bed b;
	int n;

	bed_examine(&b, p);
	n = doctor_score(&b.chart, &nothing).n;
	bed_strip(&b);
	return n;
}

TEST("another server's name is a reason to ask again")
{
	const struct patient other = {.url = URL,
				      .answer = NO("a"),
				      .answers = {{DOCTOR_PLAIN_GET, NULL,
						   NO("b")}}},
			     same = {.url = URL, .answer = NO("a")},
			     open = {.url = URL, .answer = YES("a")},
			     edge = {.url = URL, .answer = YES("cache-fra-1")};

	assert_int_equal(asked(&other), 3);
	assert_int_equal(asked(&same), 1);
	assert_int_equal(asked(&open), 3);
	assert_int_equal(asked(&edge), 2);
}
