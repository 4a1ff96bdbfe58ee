/* SPDX-License-Identifier: MIT */
/*
 * Keys that do not open: an answer by whoever stands behind the first refuser
 * proves the first fault, and says what the second one is.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/key.h"

#define URL  "ws://127.0.0.1:8080/chat"
#define HERE "http://127.0.0.1:8080"
#define DENIED \
	"HTTP/1.1 403 Forbidden\nContent-Type: text/plain\n\n403: Forbidden"
#define NOT_UPGRADED                                                \
	"HTTP/1.1 426 Upgrade Required\nContent-Type: text/plain\n" \
	"\nUpgrade Required"
#define NGINX_403                                                            \
	"HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n<html><center><h1>" \
	"403 "                                                               \
	"Forbidden</h1></center>\n<hr><center>nginx/1.22.1</center></html>"
#define NGINX_502                                                              \
	"HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\n\n<html><center><h1>" \
	"502 Bad Gateway</h1></center>\n<hr><center>nginx/1.22.1</center>"     \
	"</html>"
#define LOST "HTTP/1.1 404 Not Found\nContent-Type: text/plain\n\nNothing here"
#define BUSY "HTTP/1.1 503 Service Unavailable\n\nbusy"
#define ASKED \
	"HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer\n\nWho are you?"

TEST("a refusal from further behind proves the first, and names the second")
{
	static const struct {
		struct patient patient;
		enum why_cause cause, next;
		const char *told;
	} rows[] = {
		{{.url = URL,
		  .origin = HERE,
		  .answer = DENIED,
		  .answers = {{DOCTOR_NO_ORIGIN, NULL, NOT_UPGRADED}}},
		 WHY_SERVER_PROXY_HOST,
		 WHY_SERVER_PROXY_UPGRADE,
		 "after one change (no Origin) the next answer is 426 Upgrade "
		 "Required "
		 "(probably server.proxy-upgrade)"},
		{{.url = URL,
		  .origin = "http://evil.example",
		  .answer = DENIED,
		  .answers = {{DOCTOR_NO_ORIGIN, NULL, NOT_UPGRADED},
			      {DOCTOR_ORIGIN, HERE, NOT_UPGRADED}}},
		 WHY_ACCESS_ORIGIN,
		 WHY_SERVER_PROXY_UPGRADE,
		 "server.proxy-upgrade"},
		{{.url = URL,
		  .agent = "python-requests/2",
		  .answer = NGINX_403,
		  .answers = {{DOCTOR_USER_AGENT, NULL, NGINX_502}}},
		 WHY_ACCESS_USER_AGENT,
		 WHY_SERVER_BACKEND_DOWN,
		 "502 Bad Gateway (probably server.backend-down)"},
		{{.url = URL,
		  .answer = DENIED,
		  .answers = {{DOCTOR_ORIGIN, NULL, "@close 4401 no token"}}},
		 WHY_ACCESS_ORIGIN_MISSING,
		 WHY_ACCESS_CREDENTIALS,
		 "(probably access.credentials)"},
		{{.url = URL,
		  .answer = "@closed",
		  .answers = {{DOCTOR_SOURCE, NULL, LOST}}},
		 WHY_ACCESS_IP,
		 WHY_URL_PATH,
		 "the next answer is 404 Not Found"},
	};
	static struct bed b;
	struct doctor_opinion next;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i].patient);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < 0.85)
			fail_msg("row %zu: %s, %.2f", i,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		assert_true(doctor_next_fault(&b.chart, &next));
		assert_int_equal(next.best, rows[i].next);
		if (!strstr(b.verdict.summary, rows[i].told))
			fail_msg("row %zu: %s", i, b.verdict.summary);
		assert_null(strstr(b.verdict.summary, "opens"));
		assert_true(b.verdict.proof.given);
		assert_int_equal(b.verdict.proof.repeated, 1);
		bed_strip(&b);
	}
}

TEST("another refusal in the place of silence does not prove the Origin")
{
	static const struct patient rows[] = {
		{.url = URL,
		 .origin = "http://evil.example",
		 .answer = "@silent",
		 .answers = {{DOCTOR_NO_ORIGIN, NULL,
			      "HTTP/1.1 400 Header required\n\nMissing header"},
			     {DOCTOR_PLAIN_GET, NULL, NOT_UPGRADED}}},
		{.url = URL,
		 .answer = "@closed",
		 .answers = {{DOCTOR_ORIGIN, NULL, LOST}}},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i]);
		assert_false(b.verdict.proof.given);
		assert_true(b.opinion.p[WHY_ACCESS_ORIGIN] < 0.6);
		assert_true(b.opinion.p[WHY_ACCESS_ORIGIN_MISSING] < 0.6);
		bed_strip(&b);
	}
}

TEST("what opens is a better key than what only comes further")
{
	static struct bed b;
	const struct patient p = {
		.url = URL,
		.origin = "http://evil.example",
		.answer = DENIED,
		.answers = {{DOCTOR_NO_ORIGIN, NULL, NOT_UPGRADED},
			    {DOCTOR_ORIGIN, HERE, "@open"}}};
	struct doctor_trial trial = {.change = DOCTOR_NOTHING};
	struct doctor_opinion next;

	bed_make(&b, &p);
	bed_probe(&b, &p, &trial);
	trial.change = DOCTOR_NO_ORIGIN;
	bed_probe(&b, &p, &trial);
	assert_int_equal(doctor_key(&b.chart)->n, 2);
	trial.change = DOCTOR_ORIGIN;
	strcpy(trial.value, HERE);
	bed_probe(&b, &p, &trial);
	assert_int_equal(doctor_key(&b.chart)->n, 3);
	assert_false(doctor_next_fault(&b.chart, &next));
	bed_strip(&b);
}

TEST("another word of the same refuser, or a limit that was met, is no key")
{
	static const struct {
		const char *answer, *changed;
		enum doctor_change change;
		const char *origin;
	} rows[] = {
		{DENIED, ASKED, DOCTOR_NO_ORIGIN, HERE},
		{ASKED, DENIED, DOCTOR_NO_ORIGIN, HERE},
		{DENIED, BUSY, DOCTOR_NO_ORIGIN, HERE},
		{LOST, ASKED, DOCTOR_NO_ORIGIN, HERE},
		{DENIED, LOST, DOCTOR_ORIGIN, NULL}, /* refused for the Origin */
		{DENIED, LOST, DOCTOR_HOST, HERE},   /* another site */
		{DENIED, NOT_UPGRADED, DOCTOR_PLAIN_GET, HERE},
		{DENIED, LOST, DOCTOR_NO_CREDENTIALS, HERE},
		{NOT_UPGRADED, DENIED, DOCTOR_NO_ORIGIN, HERE},
		{"@refused", DENIED, DOCTOR_SOURCE, NULL},
		{DENIED, LOST " || " DENIED, DOCTOR_NO_ORIGIN, HERE},
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct patient p = {
			.url = URL,
			.origin = rows[i].origin,
			.answer = rows[i].answer,
			.answers = {{rows[i].change, NULL, rows[i].changed}}};
		struct doctor_trial own = {.change = DOCTOR_NOTHING};
		struct doctor_trial trial = {.change = rows[i].change};

		strcpy(trial.value, rows[i].change == DOCTOR_ORIGIN ? HERE : "");
		bed_make(&b, &p);
		bed_probe(&b, &p, &own);
		bed_probe(&b, &p, &trial);
		bed_probe(&b, &p, &trial);
		if (doctor_key(&b.chart))
			fail_msg("row %zu has a key", i);
		bed_strip(&b);
	}
}
