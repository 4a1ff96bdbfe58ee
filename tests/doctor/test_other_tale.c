/* SPDX-License-Identifier: MIT */
/*
 * Answers that look like the usual tale and tell another one: a 426 that is about
 * the client's age, a crash for want of an Origin, a page that names another
 * host, a list where one was to be chosen.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL "ws://127.0.0.1:8080/sync"
#define JSON(status, body)                                                  \
	"HTTP/1.1 " status "\nContent-Type: application/json\n\n{" body "}"
#define BARE(status) "HTTP/1.1 " status "\nContent-Length: 0\n\n"
#define WS_426                                                        \
	"HTTP/1.1 426 Upgrade Required\nContent-Length: 16\n"         \
	"Content-Type: text/plain\nDate: Mon, 23 Nov 2026 12:00:00 "  \
	"GMT\nConnection: close\n\nUpgrade Required"

static const struct {
	struct patient patient;
	enum why_cause cause;
	double at_least, at_most;
} rows[] = {
	{{.name = "a client that is too old",
	  .url = URL,
	  .agent = "FleetApp/1.9",
	  .answer = JSON("426 Upgrade Required",
			 "\"error\":\"client_outdated\""),
	  .answers = {{DOCTOR_USER_AGENT, NULL, "@open"}}},
	 WHY_ACCESS_USER_AGENT,
	 0.9,
	 1},
	{{.name = "a word to update, and no other client is let in",
	  .url = URL,
	  .agent = "FleetApp/1.9",
	  .answer = JSON("426 Upgrade Required",
			 "\"message\":\"Please upgrade to a newer release\"")},
	 WHY_SERVER_APP_REJECTED,
	 0,
	 0.9},
	{{.name = "an Upgrade that is missed in words of its own",
	  .url = URL,
	  .answer = JSON("426 Upgrade Required",
			 "\"error\":\"websocket upgrade required\"")},
	 WHY_SERVER_PROXY_UPGRADE,
	 0.5,
	 1},
	{{.name = "a handler that takes an Origin for granted",
	  .url = URL,
	  .answer = BARE("500 Internal Server Error"),
	  .answers = {{DOCTOR_PATH, NULL, BARE("404 Not Found")},
		      {DOCTOR_ORIGIN, NULL, BARE("403 Forbidden")}}},
	 WHY_ACCESS_ORIGIN_MISSING,
	 0.5,
	 0.85},
	{{.name = "a handler that fails with an Origin as well",
	  .url = URL,
	  .answer = BARE("500 Internal Server Error"),
	  .answers = {{DOCTOR_PATH, NULL, BARE("404 Not Found")}}},
	 WHY_SERVER_APP_REJECTED,
	 0.6,
	 1},
	{{.name = "a page that opens this path at another host of the site",
	  .url = "ws://www.shop.example:8080/stock",
	  .answer = BARE("404 Not Found"),
	  .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		       "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>new "
		       "WebSocket('ws://live.shop.example/stock')</script>"},
		      {DOCTOR_HOST, "live.shop.example:8080", "@open"}}},
	 WHY_URL_HOST,
	 0.8,
	 1},
	{{.name = "one at another site, which is not asked for",
	  .url = "ws://www.shop.example:8080/stock",
	  .answer = BARE("404 Not Found"),
	  .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		       "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>new "
		       "WebSocket('wss://push.example/stock')</script>"}}},
	 WHY_URL_HOST,
	 0.5,
	 0.9},
	{{.name = "what was offered, said back",
	  .url = URL,
	  .subprotocols = "v2.json, v1.json",
	  .answer = "@unasked v2.json, v1.json",
	  .answers = {{DOCTOR_NO_SUBPROTOCOL, NULL, "@open"},
		      {DOCTOR_SUBPROTOCOL, NULL, "@open v3.json"}}},
	 WHY_SERVER_BAD_ACCEPT,
	 0.8,
	 1},
	{{.name = "a relay without the name",
	  .url = "ws://api.depot.example/ws",
	  .answer = "@raw Not Found",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, BARE("404 Not Found")},
		      {DOCTOR_PLAIN_GET_PATH, NULL, BARE("404 Not Found")}}},
	 WHY_URL_HOST,
	 0.6,
	 0.95},
	{{.name = "a router whose word for a strange path is 501",
	  .url = URL,
	  .answer = "HTTP/1.1 501 Not Implemented\nServer: nginx/1.22.1\n\n",
	  .answers = {{DOCTOR_PLAIN_GET_PATH, "/",
		       "HTTP/1.1 200 OK\nServer: nginx/1.22.1\n\nHello"}}},
	 WHY_SERVER_PROXY_UPGRADE,
	 0.3,
	 0.85},
	{{.name = "a 426 that asks for TLS",
	  .url = URL,
	  .answer = "HTTP/1.1 426 Upgrade Required\nUpgrade: TLS/1.2, "
		    "HTTP/1.1\n\nThis service requires use of TLS",
	  .answers = {{DOCTOR_SCHEME, NULL, "@tls not-tls"}}},
	 WHY_URL_SCHEME,
	 0.9,
	 1},
	{{.name = "a 426 that asks for HTTP/2",
	  .url = URL,
	  .answer = "HTTP/1.1 426 Upgrade Required\nUpgrade: h2c\n\n"
		    "HTTP/2 required"},
	 WHY_SERVER_HTTP2,
	 0.8,
	 1},
	{{.name = "a 403 that wants TLS, at a port that has none",
	  .url = URL,
	  .answer = JSON("403 Forbidden",
			 "\"code\":\"SSL_REQUIRED\",\"message\":\"TLS only\""),
	  .answers = {{DOCTOR_SCHEME, NULL, "@tls not-tls"}}},
	 WHY_URL_SCHEME,
	 0.8,
	 1},
	{{.name = "a waiting room",
	  .url = URL,
	  .answer = "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<title>"
		    "Waiting room</title><p>You are now in line."},
	 WHY_SERVER_LIMIT,
	 0.7,
	 1},
	{{.name = "a 403 that says when to come again",
	  .url = URL,
	  .answer = "HTTP/1.1 403 Forbidden\nRetry-After: 60\n\nForbidden"},
	 WHY_ACCESS_RATE,
	 0.7,
	 0.95},
	{{.name = "nginx's question fails with credentials and without",
	  .url = URL,
	  .header = "Authorization: Bearer abcdefgh",
	  .answer = "HTTP/1.1 500 Internal Server Error\nServer: "
		    "nginx/1.22.1\n\n<html><center><h1>500 Internal Server "
		    "Error</h1></center><hr><center>nginx</center></html>"},
	 WHY_SERVER_BACKEND_DOWN,
	 0.4,
	 0.85},
	{{.name = "a filter's page in the tunnel of the proxy",
	  .url = "ws://chat.example/ws",
	  .proxy = "http://p.example:3128",
	  .answer = "HTTP/1.1 403 Forbidden\nContent-Type: text/html\n\n"
		    "<h1>Web filter</h1>Blocked by company policy.",
	  .answers = {{DOCTOR_DIRECT, NULL, "@open"}}},
	 WHY_NET_PROXY_DENIED,
	 0.8,
	 1},
	{{.name = "a query that is dropped without an answer",
	  .url = URL "?q=1'+OR+'1'='1",
	  .answer = "@silent",
	  .answers = {{DOCTOR_SCHEME, NULL, "@tls not-tls: sent \"HTTP/1.1 400"},
		      {DOCTOR_NO_QUERY, NULL, "@open"}}},
	 WHY_ACCESS_WAF,
	 0.8,
	 1},
	{{.name = "a name that is dropped without an answer",
	  .url = URL,
	  .answer = "@silent",
	  .answers = {{DOCTOR_SCHEME, NULL, "@tls not-tls: sent \"HTTP/1.1 400"},
		      {DOCTOR_HOST, NULL, "@open"}}},
	 WHY_ACCESS_HOST,
	 0.5,
	 1},
	{{.name = "ws, behind somebody who ends handshakes",
	  .url = URL,
	  .answer = "@closed late",
	  .answers = {{DOCTOR_PLAIN_GET, NULL, WS_426},
		      {DOCTOR_PLAIN_GET_PATH, NULL, WS_426}}},
	 WHY_SERVER_PROXY_UPGRADE,
	 0.7,
	 1},
};

TEST("what looks like the usual tale is heard to its end")
{
	static struct bed b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bed_examine(&b, &rows[i].patient);
		if (b.verdict.cause != rows[i].cause ||
		    b.verdict.confidence < rows[i].at_least ||
		    b.verdict.confidence > rows[i].at_most)
			fail_msg("%s: %s %.2f", rows[i].patient.name,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		for (size_t k = 0; k < b.chart.n_probes; k++)
			assert_null(strstr(b.chart.probe[k]->trial.value,
					   "push.example"));
		bed_strip(&b);
	}
}
