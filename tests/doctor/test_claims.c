/* SPDX-License-Identifier: MIT */
/*
 * Who claims a handshake, and who lets it lie: what the silence of other paths,
 * the form of a page and the words of a refusal say of the one that was sent.
 */
#include "test.h"

#include "doctor/alike.h"
#include "doctor/bedside.h"

#define URL  "ws://127.0.0.1:8080/chat"
#define HERE "http://127.0.0.1:8080"
#define WS_400                                                        \
	"HTTP/1.1 400 Bad Request\nConnection: close\nContent-Type: " \
	"text/html\nContent-Length: 11\n\nBad Request"
#define PAGE                                                                 \
	"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>new WebSocket(" \
	"`ws://${location.host}/chat?token=${key}`, \"desk\")</script>"
#define BARE_400 "HTTP/1.1 400 Bad Request\nContent-Length: 0\n\n"
#define DATA                                                             \
	"HTTP/1.1 200 OK\nContent-Type: application/json\n\n{\"error\":" \
	"\"no such command\"}"
#define WEBSOCKIFY_404                                                      \
	"HTTP/1.1 404 File not found\nServer: WebSockify Python/3.11.2\n\n" \
	"<h1>Error response</h1>"
#define UPGRADE_ONLY                                                  \
	"HTTP/1.1 400 Bad Request\nServer: TornadoServer/6.2\n\nCan " \
	"\"Upgrade\" only to \"WebSocket\"."
#define NGINX_500                                                            \
	"HTTP/1.1 500 Internal Server Error\nServer: nginx/1.22.1\n\n<html>" \
	"<center><h1>500 Internal Server Error</h1></center>\n<hr><center>"  \
	"nginx/1.22.1</center></html>"
#define NOT_HERE                                                          \
	"HTTP/1.1 404 Not Found\nContent-Type: text/plain\n\nNot Found: " \
	"There is no WebSocket at /chat on this server."

static const struct {
	struct patient patient;
	enum doctor_finding_kind found;
	enum why_cause cause;
	double at_least, at_most;
} rows[] = {
	/* one path, one subprotocol, and a token that the page knows */
	{{.url = URL,
	  .origin = HERE,
	  .subprotocols = "desk",
	  .answer = WS_400,
	  .answers = {{DOCTOR_PATH, NULL, "@silent"},
		      {DOCTOR_SUBPROTOCOL, NULL, "@silent"},
		      {DOCTOR_NO_SUBPROTOCOL, NULL, "@silent"},
		      {DOCTOR_PLAIN_GET, NULL, PAGE},
		      {DOCTOR_PLAIN_GET_PATH, NULL, PAGE}}},
	 DOCTOR_F_PATH_CLAIMED,
	 WHY_URL_QUERY,
	 0.8,
	 0},
	/* without an Origin it is no handshake, and answered like any GET */
	{{.url = URL,
	  .origin = "http://page.example",
	  .answer = BARE_400,
	  .answers = {{DOCTOR_NO_ORIGIN, NULL, DATA},
		      {DOCTOR_PLAIN_GET, NULL, DATA}}},
	 DOCTOR_F_ORIGIN_MAKES_HANDSHAKE,
	 WHY_SERVER_NO_WEBSOCKET,
	 0,
	 0.92},
	/* any path is served, if the token is known */
	{{.url = URL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, WEBSOCKIFY_404},
		      {DOCTOR_PLAIN_GET_PATH, NULL, WEBSOCKIFY_404}}},
	 DOCTOR_F_RELAY_CLOSES,
	 WHY_URL_QUERY,
	 0,
	 0.89},
	/* the application is there, and what stands before it hangs up */
	{{.url = URL,
	  .answer = "@closed",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, UPGRADE_ONLY},
		      {DOCTOR_PLAIN_GET_PATH, NULL,
		       "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n"}}},
	 DOCTOR_F_UPGRADE_STOPPED,
	 WHY_SERVER_PROXY_UPGRADE,
	 0.5,
	 0.92},
	/* nginx asks somebody of its own, and does not like the answer */
	{{.url = URL, .answer = NGINX_500},
	 DOCTOR_F_NGINX_500,
	 WHY_ACCESS_CREDENTIALS,
	 0,
	 0.89},
	{{.url = URL, .answer = NOT_HERE},
	 DOCTOR_F_SAYS_NOT_HERE,
	 WHY_URL_PATH,
	 0.9,
	 0},
};

TEST("who claims a handshake and refuses it looks at what is in it")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i].patient);
		if (!doctor_found(&b.chart, rows[i].found))
			fail_msg("row %zu: not found", i);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < rows[i].at_least ||
		    (rows[i].at_most > 0 &&
		     b.verdict.confidence > rows[i].at_most))
			fail_msg("row %zu: %s, %.2f", i,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}

TEST("software that names itself is asked where its documentation says")
{
	static struct bed b;
	const struct patient p = {
		.url = "ws://127.0.0.1:8080/socket",
		.answer = "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n",
		.answers = {{DOCTOR_PLAIN_GET_PATH, "/",
			     "HTTP/1.1 200 OK\nContent-Type: text/html\n\n"
			     "<html><title>Snapcast</title></html>"},
			    {DOCTOR_PATH, "/jsonrpc", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_URL_PATH);
	assert_true(b.verdict.confidence > 0.9);
	assert_non_null(strstr(b.verdict.summary, "/jsonrpc"));
	bed_strip(&b);
}

TEST("over TLS the other scheme is asked about before Host is blamed")
{
	static struct bed b;
	const struct patient p = {
		.url = "wss://localhost:8443/chat",
		.origin = "https://localhost:8443",
		.answer = "HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\n\n"
			  "{\"error\":\"Origin mismatch\"}",
		.answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
			    {DOCTOR_ORIGIN, "http://localhost:8443", "@open"}}};

	bed_examine(&b, &p);
	assert_int_equal(b.verdict.cause, WHY_SERVER_PROXY_PROTO);
	assert_true(b.verdict.confidence > 0.7);
	bed_strip(&b);
}

TEST("a reset and a close before any answer are one and the same")
{
	struct doctor_trial own = {.change = DOCTOR_NOTHING};
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"@reset", "@closed", true},   {"@closed", "@closed", true},
		{"@closed", "@silent", false}, {"@reset", "@silent", false},
		{"@reset", "@refused", false}, {"@closed", BARE_400, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct doctor_probe *a = lie(&own, 1, pairs[i].a);
		struct doctor_probe *b = lie(&own, 2, pairs[i].b);

		if (doctor_same_answer(a, b) != pairs[i].same)
			fail_msg("%s, %s", pairs[i].a, pairs[i].b);
		doctor_probe_fini(a);
		doctor_probe_fini(b);
		free(a);
		free(b);
	}
}
