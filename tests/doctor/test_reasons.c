/* SPDX-License-Identifier: MIT */
/*
 * Reasons that name what they are about: a subprotocol in the midst of the
 * phrase, the User-Agent that was sent, a firewall's rule after a 101.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL   "ws://127.0.0.1:8080/live"
#define AGENT "PlantPanel/2.1 (till 7)"

static const struct {
	struct patient patient;
	enum why_cause cause;
} rows[] = {
	{{.name = "a subprotocol that is required, by name",
	  .url = URL,
	  .answer = "@close 1008 protocol feed.v3 required",
	  .answers = {{DOCTOR_SUBPROTOCOL, "feed.v3", "@open feed.v3"}}},
	 WHY_SERVER_SUBPROTOCOL},
	{{.name = "one that is expected, in HTTP",
	  .url = URL,
	  .answer = "HTTP/1.1 400 Bad Request\nContent-Type: text/plain\n\n"
		    "expected protocol feed.v3",
	  .answers = {{DOCTOR_SUBPROTOCOL, "feed.v3", "@open feed.v3"}}},
	 WHY_SERVER_SUBPROTOCOL},
	{{.name = "the User-Agent in the reason of a close",
	  .url = URL,
	  .agent = AGENT,
	  .answer = "@close 4006 we do not talk to " AGENT,
	  .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}},
	 WHY_ACCESS_USER_AGENT},
	{{.name = "a client that is not supported",
	  .url = URL,
	  .agent = AGENT,
	  .answer = "@close 4010 client not supported",
	  .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}},
	 WHY_ACCESS_USER_AGENT},
	{{.name = "a firewall's rule in the reason of a close",
	  .url = URL "?q=%3Cscript%3E",
	  .answer = "@close 1008 request blocked by firewall rule 17",
	  .answers = {{DOCTOR_NO_QUERY, NULL, "@open"}}},
	 WHY_ACCESS_WAF},
	{{.name = "a share of a key that is used up",
	  .url = URL,
	  .header = "X-Api-Key: k1",
	  .answer = "HTTP/1.1 403 Forbidden\nContent-Type: "
		    "application/json\n\n{\"message\":\"Quota exceeded for "
		    "this API key\"}"},
	 WHY_ACCESS_RATE},
	{{.name = "a query that the application does not take",
	  .url = URL "?q=%3Cscript%3E",
	  .answer = "@close 1008 no such filter",
	  .answers = {{DOCTOR_NO_QUERY, NULL, "@open"}}},
	 WHY_URL_QUERY},
};

TEST("a reason is read for what it names")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i].patient);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < 0.85)
			fail_msg("%s: %s %.2f", rows[i].patient.name,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("a protocol that is none within the WebSocket is no subprotocol")
{
	static const char *const answers[] = {
		"@close 1002 protocol error: missing mask",
		"@close 1008 unsupported protocol version",
		"HTTP/1.1 400 Bad Request\n\nHTTP protocol upgrade expected",
	};
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct patient patient = {.url = URL,
						.answer = answers[i]};

		bed_examine(&b, &patient);
		if (doctor_found(&b.chart, DOCTOR_F_SAYS_SUBPROTOCOL))
			fail_msg("%s", answers[i]);
		bed_strip(&b);
	}
}
