/* SPDX-License-Identifier: MIT */
/*
 * What is printed only where something speaks for it: each row is a handshake,
 * the server whose lines are looked at, and what they have to hold, or must not.
 */
#include "test.h"

#include "doctor/bedside.h"

#define URL   "ws://127.0.0.1:8080/chat"
#define NGINX "Server: nginx/1.22.1\n"
#define ENDPOINT                                                       \
	"\nI am not Web server, but a <b>WebSocket Endpoint</b>: can " \
	"\"Upgrade\""                                                  \
	" only to \"WebSocket\"."

static const struct row {
	struct patient patient;
	const char *stack, *has, *lacks;
} rows[] = {
	{{.name = "an answer out of a cache",
	  .url = URL,
	  .answer = "HTTP/1.1 200 OK\n" NGINX "X-Cache-Status: HIT\n" ENDPOINT},
	 "nginx",
	 "proxy_cache off;",
	 NULL},
	{{.name = "one that was not in it",
	  .url = URL,
	  .answer =
		  "HTTP/1.1 200 OK\n" NGINX "X-Cache-Status: MISS\n" ENDPOINT},
	 "nginx",
	 "proxy_http_version 1.1;",
	 "proxy_cache"},
	{{.name = "one that Varnish has had just now",
	  .url = URL,
	  .answer = "HTTP/1.1 200 OK\n" NGINX
		    "X-Varnish: 2\nAge: 0\n" ENDPOINT},
	 "nginx",
	 "proxy_http_version 1.1;",
	 "proxy_cache"},
	{{.name = "one that Varnish has had from an earlier request",
	  .url = URL,
	  .answer = "HTTP/1.1 200 OK\n" NGINX
		    "X-Varnish: 32770 3\nAge: 0\n" ENDPOINT},
	 "nginx",
	 "proxy_cache off;",
	 NULL},
	{{.name = "a token in a field that nginx drops",
	  .url = URL,
	  .header = "auth_token: tk-42",
	  .answer = "HTTP/1.1 401 Unauthorized\n" NGINX "\n<hr><center>nginx"},
	 "nginx",
	 "underscores_in_headers on;",
	 NULL},
	{{.name = "one in a field that it passes",
	  .url = URL,
	  .header = "auth-token: tk-42",
	  .answer = "HTTP/1.1 401 Unauthorized\n" NGINX "\n<hr><center>nginx"},
	 "nginx",
	 "auth_basic off;",
	 "underscores"},
	{{.name = "the address of the other family",
	  .url = "ws://[::1]:8080/chat",
	  .answer = "HTTP/1.1 403 Forbidden\n" NGINX "\n<hr><center>nginx",
	  .answers = {{DOCTOR_FAMILY, "4", "@open"}}},
	 "nginx",
	 "allow ::1;",
	 "127.0.0.1"},
	{{.name = "nobody there in one of the families",
	  .url = "ws://[::1]:8080/chat",
	  .answer = "@refused",
	  .answers = {{DOCTOR_FAMILY, "4", "@open"}}},
	 "caddy",
	 "bind 0.0.0.0 [::]",
	 NULL},
	{{.name = "a key that somebody else wrote",
	  .url = URL,
	  .answer = "@bad101"},
	 "apache",
	 "# remove: RequestHeader set Sec-WebSocket-...",
	 NULL},
	{{.name = "a TLS port behind one that speaks no TLS",
	  .url = URL,
	  .answer = "HTTP/1.1 400 Bad Request\n" NGINX
		    "\n400 The plain HTTP request was sent to HTTPS port",
	  .answers = {{DOCTOR_SCHEME, NULL, "@tls not-tls"}}},
	 "nginx",
	 "proxy_pass https://",
	 NULL},
	{{.name = "a redirect of Caddy's own",
	  .url = URL,
	  .origin = "https://evil.example",
	  .answer = "HTTP/1.1 302 Found\nServer: Caddy\nLocation: /\n"
		    "Content-Length: 0\n\n",
	  .answers = {{DOCTOR_NO_ORIGIN, NULL, "@open"},
		      {DOCTOR_ORIGIN, "http://127.0.0.1:8080", "@open"}}},
	 "caddy",
	 "# into the matcher of redir: not header Origin https://evil.example",
	 NULL},
};

static const char *first_lines(const struct doctor_verdict *v, const char *stack)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (v->fix[i].stack && strcmp(v->fix[i].stack, stack) == 0 &&
		    v->fix[i].snippet[0] && strcmp(v->fix[i].who, "client"))
			return v->fix[i].snippet;
	return "";
}

TEST("lines for what was seen come first, and for what was not seen not at all")
{
	static struct bed b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		const char *lines;

		bed_examine(&b, &r->patient);
		lines = first_lines(&b.verdict, r->stack);
		if (!strstr(lines, r->has) ||
		    (r->lacks && strstr(lines, r->lacks)))
			fail_msg("%s: %s, \"%s\"", r->patient.name,
				 why_cause(b.verdict.cause)->id, lines);
		bed_strip(&b);
	}
}

static const struct general {
	struct patient patient;
	const char *where, *not_where;
} generals[] = {
	{{.name = "a subprotocol that nobody offered",
	  .url = URL,
	  .answer = "@unasked chat"},
	 "Sec-WebSocket-Protocol",
	 "Sec-WebSocket-Accept"},
	{{.name = "a proof of another key", .url = URL, .answer = "@bad101"},
	 "Sec-WebSocket-Accept",
	 "Sec-WebSocket-Protocol"},
	{{.name = "a token against forged requests",
	  .url = URL,
	  .answer = "HTTP/1.1 403 Forbidden\nContent-Type: text/plain\n\n"
		    "ForbiddenError: invalid csrf token"},
	 "X-CSRF-Token",
	 "Authorization"},
	{{.name = "another token",
	  .url = URL,
	  .answer = "HTTP/1.1 401 Unauthorized\nContent-Type: text/plain\n\n"
		    "invalid token"},
	 "Authorization",
	 "X-CSRF-Token"},
	{{.name = "TLS that knows HTTP/2 alone, and WebSocket in it",
	  .url = "wss://a.example/chat",
	  .answer = "@tls alert:no_application_protocol",
	  .answers = {{DOCTOR_H2, NULL, "@h2open"}}},
	 "RFC 8441",
	 "the shell"},
};

static bool is_fixed_at(const struct doctor_verdict *v, const char *where)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (strstr(v->fix[i].where, where))
			return true;
	return false;
}

TEST("who runs no known server is told of what was seen as well")
{
	static struct bed b;

	for (size_t i = 0; i < sizeof(generals) / sizeof(*generals); i++) {
		const struct general *g = &generals[i];

		bed_examine(&b, &g->patient);
		if (!is_fixed_at(&b.verdict, g->where) ||
		    is_fixed_at(&b.verdict, g->not_where))
			fail_msg("%s: %s", g->patient.name,
				 why_cause(b.verdict.cause)->id);
		bed_strip(&b);
	}
}

#define UNAUTHORIZED(challenge)                                            \
	"HTTP/1.1 401 Unauthorized\n" NGINX "WWW-Authenticate: " challenge \
	"\n\n<hr><center>nginx"

static const struct challenge {
	const char *answer, *has;
} challenges[] = {
	{UNAUTHORIZED("Basic realm=\"x\""), "ws://NAME:PASSWORD@127.0.0.1"},
	{UNAUTHORIZED("basic"), "ws://NAME:PASSWORD@127.0.0.1"},
	{UNAUTHORIZED("Digest realm=\"x\", nonce=\"n\""), "--digest"},
	{UNAUTHORIZED("Negotiate"), "--negotiate"},
	{UNAUTHORIZED("NTLM"), "--negotiate"},
	{UNAUTHORIZED("Bearer realm=\"x\""), "Authorization: Bearer TOKEN"},
	{"HTTP/1.1 401 Unauthorized\n" NGINX "\n<hr><center>nginx",
	 "Authorization: Bearer TOKEN"},
};

TEST("the first remedy is of the scheme that the challenge names")
{
	static struct bed b;

	for (size_t i = 0; i < sizeof(challenges) / sizeof(*challenges); i++) {
		const struct challenge *c = &challenges[i];
		struct patient patient = {
			.name = c->has, .url = URL, .answer = c->answer};

		bed_examine(&b, &patient);
		if (!b.verdict.n_fixes ||
		    !strstr(b.verdict.fix[0].snippet, c->has))
			fail_msg("%s: %s, \"%s\"", c->answer,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.fix[0].snippet);
		bed_strip(&b);
	}
}

TEST("a password is waived for a loopback address last of all, with a warning")
{
	static const char *const servers[] = {"nginx/1.22.1", "Apache/2.4.66",
					      "Caddy", NULL};
	static struct bed b;
	char answer[200];

	for (const char *const *server = servers; *server; server++) {
		struct patient patient = {
			.name = *server, .url = URL, .answer = answer};
		bool waived = false;

		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 401 Unauthorized\nServer: %s\n"
			 "WWW-Authenticate: Basic realm=\"x\"\n\n",
			 *server);
		bed_examine(&b, &patient);
		assert_int_equal(b.verdict.cause, WHY_ACCESS_CREDENTIALS);
		for (size_t i = 0; i < b.verdict.n_fixes; i++) {
			const char *what = b.verdict.fix[i].what;
			bool waives = strstr(what, "without the password");

			assert_true(!waives || strstr(what, "where no proxy"));
			assert_true(waives || !waived);
			waived |= waives;
		}
		bed_strip(&b);
	}
}
