/* SPDX-License-Identifier: MIT */
/*
 * Refusals that give no reason: what is said of a bare 403 that nothing changes
 * stays a guess, and the other guesses are named beside it. What an alert says
 * is told as that, and what a proxy says as the proxy's.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL	"ws://127.0.0.1:8080/chat"
#define FOREIGN "https://other.example"
#define BARE	"HTTP/1.1 403 Forbidden\nContent-Type: text/plain\n\nForbidden"
#define NGINX                                                         \
	"HTTP/1.1 403 Forbidden\nServer: nginx\n\n<html><center><h1>" \
	"403 Forbidden</h1></center><hr><center>nginx</center></html>"
#define APIGW(error, message)                                             \
	"HTTP/1.1 403 Forbidden\nX-Amzn-RequestId: 2f1e\n"                \
	"X-Amzn-ErrorType: " error "\nContent-Type: application/json\n\n" \
	"{\"message\":\"" message "\"}"
#define PAGE "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<p>Hello"

static double share_of(const struct doctor_verdict *v, enum why_cause cause)
{
	for (size_t i = 0; i < v->n_alternatives; i++)
		if (v->alternative[i].cause == cause)
			return v->alternative[i].confidence;
	return 0;
}

static const struct {
	struct patient patient;
	enum why_cause cause;
	double at_least, at_most;
	enum why_cause beside;
	double share;
} rows[] = {
	{{.name = "a foreign Origin, and no Origin opens",
	  .url = URL,
	  .origin = FOREIGN,
	  .answer = BARE},
	 WHY_ACCESS_ORIGIN,
	 0.5,
	 0.75,
	 WHY_ACCESS_CREDENTIALS,
	 0.12},
	{{.name = "the same of handshakes alone",
	  .url = URL,
	  .origin = FOREIGN,
	  .answer = BARE,
	  .answers = {{DOCTOR_PLAIN_GET, NULL, PAGE},
		      {DOCTOR_PLAIN_GET_PATH, NULL, PAGE}}},
	 WHY_ACCESS_ORIGIN,
	 0.5,
	 0.75,
	 WHY_ACCESS_CREDENTIALS,
	 0.12},
	{{.name = "no Origin, and nobody's words", .url = URL, .answer = BARE},
	 WHY_ACCESS_IP,
	 0.4,
	 0.6,
	 WHY_ACCESS_CREDENTIALS,
	 0.15},
	{{.name = "no Origin, and a web server's own words",
	  .url = URL,
	  .answer = NGINX},
	 WHY_ACCESS_IP,
	 0.8,
	 1,
	 WHY_ACCESS_WAF,
	 0.02},
	{{.name = "API Gateway without its key",
	  .url = URL,
	  .answer = APIGW("ForbiddenException", "Forbidden")},
	 WHY_ACCESS_CREDENTIALS,
	 0.6,
	 0.9,
	 WHY_URL_PATH,
	 0.08},
	{{.name = "API Gateway, asked for what has no route",
	  .url = URL,
	  .answer = APIGW("MissingAuthenticationTokenException",
			  "Missing Authentication Token")},
	 WHY_ACCESS_CREDENTIALS,
	 0.5,
	 0.9,
	 WHY_URL_PATH,
	 0.1},
};

TEST("a refusal without a reason is no more than a guess, and says the others")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct doctor_verdict *v = &b.verdict;

		bed_examine(&b, &rows[i].patient);
		if (v->cause != rows[i].cause ||
		    v->confidence < rows[i].at_least ||
		    v->confidence > rows[i].at_most ||
		    share_of(v, rows[i].beside) < rows[i].share)
			fail_msg("%s: %s %.2f, beside it %.2f",
				 rows[i].patient.name, why_cause(v->cause)->id,
				 v->confidence, share_of(v, rows[i].beside));
		bed_strip(&b);
	}
}

#define CADDY(status, type, length, body)                                \
	"HTTP/1.1 " status "\n" type "Server: Caddy\nDate: Mon, 23 Nov " \
	"2026 12:00:00 GMT\nContent-Length: " length "\n\n" body

TEST("what the proxy says itself to a plain GET tells nothing of what is "
     "behind")
{
	const struct patient p = {
		.url = URL,
		.answer = CADDY("502 Bad Gateway", "", "0", ""),
		.answers = {{DOCTOR_PLAIN_GET, NULL,
			     CADDY("426 Upgrade Required",
				   "Content-Type: text/plain\n", "15",
				   "a WebSocket, no")}}};
	static struct bed b;

	bed_examine(&b, &p);
	assert_null(doctor_found(&b.chart, DOCTOR_F_GET_REACHES));
	assert_int_equal(b.verdict.cause, WHY_SERVER_BACKEND_DOWN);
	assert_true(b.verdict.confidence > 0.9);
	bed_strip(&b);
}

TEST("a server that takes no HTTP/1.1 in TLS is not told of its TLS version")
{
	const struct patient p = {
		.url = "wss://a.example/chat",
		.answer = "@tls alert:no_application_protocol",
		.answers = {{DOCTOR_H2, NULL, "@h2 HTTP/1.1 200 OK\n\n"}}};
	static struct bed b;

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_HTTP2);
	assert_non_null(strstr(b.verdict.summary, "no HTTP/1.1 in it"));
	assert_null(strstr(b.verdict.summary, "TLS version"));
	bed_strip(&b);
}
