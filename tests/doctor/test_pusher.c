/* SPDX-License-Identifier: MIT */
/* Close codes that a protocol inside gives a meaning of its own. */
#include "test.h"

#include "doctor/bedside.h"

#define EVENT(code, message)                                              \
	"{\"event\":\"pusher:error\",\"data\":\"{\\\"code\\\":" code ","  \
	"\\\"message\\\":\\\"" message "\\\"}\"}"

static void pusher(struct bed *b, uint16_t code, const char *event,
		   const char *reason)
{
	const struct patient p = {.url = "ws://127.0.0.1:8080/app/key"};
	struct doctor_trial own = {.change = DOCTOR_NOTHING};
	struct doctor_probe *probe = lie(&own, 1, "@close 4000 x");

	bed_make(b, &p);
	probe->close_code = code;
	snprintf(probe->close_reason, sizeof(probe->close_reason), "%s", reason);
	snprintf(probe->first_message, sizeof(probe->first_message), "%s",
		 event);
	b->chart.probe[b->chart.n_probes++] = probe;
	doctor_find(&b->chart);
	doctor_diagnose(&b->chart, &b->opinion);
}

TEST("4004 after an error of Pusher's protocol is a full application, and "
     "otherwise something that is not found")
{
	static struct bed b;

	pusher(&b, 4004, EVENT("4004", "Application is over connection quota"),
	       "Application is over connection quota");
	assert_int_equal(b.opinion.best, WHY_SERVER_LIMIT);
	assert_true(b.opinion.p[WHY_SERVER_LIMIT] > 0.8);
	bed_strip(&b);
	pusher(&b, 4100, EVENT("4100", "Over capacity"), "");
	assert_int_equal(b.opinion.best, WHY_SERVER_LIMIT);
	bed_strip(&b);
	pusher(&b, 4001, EVENT("4001", "Application does not exist"), "");
	assert_non_null(doctor_found(&b.chart, DOCTOR_F_CLOSE_NOT_FOUND));
	bed_strip(&b);
	pusher(&b, 4004, "{\"hello\":1}", "");
	assert_non_null(doctor_found(&b.chart, DOCTOR_F_CLOSE_NOT_FOUND));
	bed_strip(&b);
}

TEST("a challenge before which nobody else is seen is the proxy's own")
{
	static const struct {
		const char *fields, *who;
	} rows[] = {{"Server: Caddy\n", "proxy"}, {"Server: mysite\n", "server"}};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char answer[200];
		const struct patient p = {.url = "ws://127.0.0.1:8080/",
					  .answer = answer};

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 403 Forbidden\n%sContent-Type: text/html\n\n"
			 "<title>Just a moment...</title>",
			 rows[i].fields);
		bed_examine(&b, &p);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_WAF);
		assert_string_equal(b.verdict.who, rows[i].who);
		bed_strip(&b);
	}
}
