/* SPDX-License-Identifier: MIT */
/*
 * One parameter of the query at a time: which are tried, with which values, and
 * what it shows when one of them opens.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/harvest.h"

#define REFUSED "HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n"
#define LOST	"HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"

static void harvest(const char *url,
		    void (*by)(const struct doctor_chart *chart,
			       struct doctor_values *v),
		    char *out, size_t size)
{
	static struct bed b;
	static struct doctor_values v;
	const struct patient p = {.url = url, .answer = REFUSED};
	size_t n = 0;

	bed_make(&b, &p);
	v.n = v.n_told = 0;
	by(&b.chart, &v);
	*out = 0;
	for (size_t i = 0; i < v.n; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? " " : "",
				      v.value[i]);
	bed_strip(&b);
}

TEST("versions are those of parameters that are called so, and near ones")
{
	static const struct {
		const char *query, *values;
	} rows[] = {
		{"", ""},
		{"?v=6", "v=7 v=8 v=9 v=10 v=5"},
		{"?vsn=1.0.0&x=2", "vsn=2.0.0 vsn=3.0.0 vsn=4.0.0 vsn=5.0.0"},
		{"?room=1&VERSION=v2",
		 "VERSION=v3 VERSION=v4 VERSION=v5 VERSION=v6 VERSION=v1"},
		{"?room=6&page=2", ""},
		{"?v=", ""},
		{"?v", ""},
		{"?v=latest", ""},
		{"?v=2024-05-01", ""},
		{"?api-version=20240501", ""},
		{"?v=1;2", ""},
	};
	char url[200], got[600];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(url, sizeof(url), "ws://h/ws%s", rows[i].query);
		harvest(url, doctor_harvest_versions, got, sizeof(got));
		if (strcmp(got, rows[i].values) != 0)
			fail_msg("%s: %s", rows[i].query, got);
	}
}

TEST("parameters are left out one by one, but for the only one and for secrets")
{
	static const struct {
		const char *query, *names;
	} rows[] = {
		{"", ""},
		{"?a=1", ""},
		{"?a=1&b=2&a=3", "a b"},
		{"?a=1&token=s3cret&b=x", "a b"},
		{"?a&b=1&=2", "b"},
	};
	char url[200], got[600];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(url, sizeof(url), "ws://h/ws%s", rows[i].query);
		harvest(url, doctor_harvest_parameters, got, sizeof(got));
		if (strcmp(got, rows[i].names) != 0)
			fail_msg("%s: %s", rows[i].query, got);
	}
}

TEST("the parameter that opens is the proof")
{
	static const struct patient rows[] = {
		{.url = "ws://127.0.0.1:8080/events?v=6&encoding=json",
		 .answer = REFUSED,
		 .answers = {{DOCTOR_PARAMETER, "v=8", "@open"},
			     {DOCTOR_PATH, NULL, LOST},
			     {DOCTOR_PLAIN_GET, NULL, LOST}}},
		{.url = "ws://127.0.0.1:8080/events?room=6&compress=zstd",
		 .answer = REFUSED,
		 .answers = {{DOCTOR_NO_PARAMETER, "compress", "@open"},
			     {DOCTOR_PATH, NULL, LOST},
			     {DOCTOR_PLAIN_GET, NULL, LOST}}},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i]);
		assert_int_equal(b.verdict.cause, WHY_URL_QUERY);
		assert_true(b.verdict.confidence > 0.9);
		assert_true(b.verdict.proof.repeated >= 1);
		assert_non_null(
			strstr(b.verdict.summary,
			       i == 0 ? "with v=8 in the query the same"
				      : "without compress in the query"));
		bed_strip(&b);
	}
}

TEST("a separator that got lost in copying is one, and what it stood for not")
{
	static const struct {
		const char *query, *values;
	} rows[] = {
		{"", ""},
		{"?a=1&b=2", ""},
		{"?a=1&amp;b=2&amp;c=3", "&b="},
		{"?a=1%26b=2", "&b="},
		{"?a=1?b=2", "&b="},
		{"?a=1;b=2", "&b="},
		{"?a=1&amp;token=s3cret", "&token="},
		{"?a=1%26", ""},
		{"?a=salt%26pepper&b=1", ""},
		{"?next=/x?y", ""},
	};
	char url[200], got[600];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(url, sizeof(url), "ws://h/ws%s", rows[i].query);
		harvest(url, doctor_harvest_lacks, got, sizeof(got));
		if (strcmp(got, rows[i].values) != 0)
			fail_msg("%s: %s", rows[i].query, got);
	}
}

TEST("engine.io is asked for what a bare client leaves out")
{
	static const struct {
		const char *url, *values;
	} rows[] = {
		{"ws://h/socket.io/",
		 "EIO=4&transport=websocket EIO=3&transport=websocket"},
		{"ws://h/socket.io/?EIO=4", "transport=websocket"},
		{"ws://h/socket.io/?transport=websocket", "EIO=4 EIO=3"},
		{"ws://h/socket.io/?EIO=4&transport=websocket", ""},
		{"ws://h/ws", ""},
	};
	char got[600];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		harvest(rows[i].url, doctor_harvest_lacks, got, sizeof(got));
		if (strcmp(got, rows[i].values) != 0)
			fail_msg("%s: %s", rows[i].url, got);
	}
}

TEST("what the query lacks by its looks is tried before any other place")
{
	static const struct patient rows[] = {
		{.url = "ws://h/live?room=7&amp;device=tv",
		 .answer = REFUSED,
		 .answers = {{DOCTOR_PARAMETER, "&device=", "@open"},
			     {DOCTOR_PLAIN_GET, NULL, LOST}}},
		{.url = "ws://h/socket.io/",
		 .answer = REFUSED,
		 .answers = {{DOCTOR_PARAMETER, "EIO=4&transport=websocket",
			      "@open"},
			     {DOCTOR_POLLING, NULL,
			      "HTTP/1.1 200 OK\n\n0{\"sid\":\"AAAAb\","
			      "\"upgrades\":[\"websocket\"]}"}}},
		/* somebody before it has other reasons, whatever is asked for */
		{.url = "ws://h/socket.io/",
		 .answer = "HTTP/1.1 403 Forbidden\n\nInvalid origin",
		 .origin = "http://a.example",
		 .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"}}},
	};
	static const enum why_cause causes[] = {WHY_URL_QUERY, WHY_URL_QUERY,
						WHY_ACCESS_ORIGIN};
	static const char *const snippets[] = {
		"ws://h/live?room=7&device=tv",
		"ws://h/socket.io/?EIO=4&transport=websocket", NULL};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i]);
		if (b.verdict.cause != causes[i] || b.verdict.confidence < 0.9)
			fail_msg("%s: %s %.2f", rows[i].url,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		if (snippets[i])
			assert_string_equal(b.verdict.fix[0].snippet,
					    snippets[i]);
		bed_strip(&b);
	}
}
