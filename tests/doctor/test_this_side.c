/* SPDX-License-Identifier: MIT */
/*
 * What fails on this side of the server: a resolver that is mute is not a name
 * that does not exist, and a proxy that is not there is not the server.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/report.h"

#define URL   "ws://chat.example/room"
#define PROXY "http://user:secret@proxy.example:3128"

static bool says(const struct doctor_verdict *v, const char *text)
{
	if (strstr(v->summary, text))
		return true;
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strstr(v->fix[i].what, text) ||
		    strstr(v->fix[i].snippet, text))
			return true;
	return false;
}

TEST("a name without an address of the family that was asked for says so")
{
	static const struct {
		const char *other, *summary;
	} rows[] = {
		{"@open", "over IPv4 the same request opens"},
		{"@refused", "leave out -6"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;
		const struct patient p = {
			.url = URL,
			.family = 6,
			.answer = "@v4only",
			.answers = {{DOCTOR_FAMILY, "4", rows[i].other}}};

		bed_examine(&b, &p);
		assert_string_equal(why_cause(b.verdict.cause)->id,
				    "net.address-family");
		assert_true(b.verdict.confidence > 0.9);
		assert_true(says(&b.verdict, "no IPv6 address, but 192.0.2.1"));
		assert_true(says(&b.verdict, rows[i].summary));
		bed_strip(&b);
	}
}

TEST("a name that does not exist is told from a resolver that is mute")
{
	static const struct {
		const char *answer, *summary, *evidence, *fix;
	} rows[] = {
		{"@noname", "The name chat.example does not exist, so",
		 "the name does not exist", "Correct the name"},
		{"@mute", "The resolver did not answer: whether the name chat",
		 "the resolver did not answer", "See which resolver"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;
		const struct patient p = {.url = URL, .answer = rows[i].answer};
		const struct doctor_verdict *v = &b.verdict;

		bed_examine(&b, &p);
		assert_int_equal(v->cause, WHY_NET_DNS);
		assert_string_equal(v->who, "client");
		assert_non_null(strstr(v->summary, rows[i].summary));
		assert_non_null(strstr(v->evidence[0], rows[i].evidence));
		assert_non_null(strstr(v->fix[0].what, rows[i].fix));
		assert_string_equal(doctor_say_who(v),
				    "The client's side has to act.");
		bed_strip(&b);
	}
}

TEST("what failed in a recording and opens here is no request to be changed")
{
	static struct bed b;
	const struct patient p = {.url = URL, .answer = "@open"};

	bed_make(&b, &p);
	snprintf(b.c.failed_there, sizeof(b.c.failed_there), "status 0");
	bed_probe(&b, &p, &(struct doctor_trial){.change = DOCTOR_NOTHING});
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	assert_int_equal(b.verdict.cause, WHY_OK);
	assert_string_equal(doctor_say_who(&b.verdict),
			    "What failed in the recording is on the browser's "
			    "side, or is over.");
	bed_strip(&b);
}

TEST("a proxy that is not there is named, and nobody else is accused")
{
	static const struct {
		const char *answer;
		enum why_cause cause;
	} rows[] = {
		{"@refused", WHY_NET_REFUSED},
		{"@lost", WHY_NET_TIMEOUT},
		{"@noname", WHY_NET_DNS},
		{"@mute", WHY_NET_DNS},
	};
	static const char *const others[] = {"@open", "@refused", "@noname",
					     "HTTP/1.1 403 Forbidden\n\n"};

	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(others); i++) {
		static struct bed b;
		const struct patient p = {
			.url = URL,
			.proxy = PROXY,
			.answer = rows[i / ARRAY_LEN(others)].answer,
			.answers = {{DOCTOR_DIRECT, NULL,
				     others[i % ARRAY_LEN(others)]}}};
		const struct doctor_verdict *v = &b.verdict;

		bed_examine(&b, &p);
		assert_int_equal(v->cause, rows[i / ARRAY_LEN(others)].cause);
		assert_true(v->confidence > 0.9);
		assert_string_equal(v->who, "client");
		assert_string_equal(v->refused_by, "");
		assert_true(says(v, "http://user:***@proxy.example:3128"));
		assert_true(says(v, "given by --proxy"));
		assert_true(says(v, "--no-proxy"));
		assert_false(says(v, "secret"));
		assert_true(b.chart.n_probes <= 4);
		bed_strip(&b);
	}
}
