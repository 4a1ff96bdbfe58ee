/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>

#include "doctor/redact.h"

/* A case with a secret in every place that can hold one. */
static struct doctor_case secretive = {
	.url_text = (char *)"wss://ann:hunter22@h/chat?room=1&token=tok-4711",
	.proxy = (char *)"http://bob:proxypass@p:3128",
	.subprotocols =
		(char *)"chat, "
			"base64url.bearer.authorization.k8s.io.Zm9vYmFy",
	.header = {{(char *)"Authorization", (char *)"Basic YW5uOmh1bnRlcjIy"},
		   {(char *)"Cookie",
		    (char *)"theme=dark; sid=c00kie-value; m=on"},
		   {(char *)"X-Api-Key", (char *)"abcd"},
		   {(char *)"X-Colour", (char *)"blue"}},
	.n_headers = 4,
};

static void expect(const char *text, const char *shown)
{
	char out[1024];

	assert_string_equal(
		doctor_redact(&secretive, bytes_of_str(text), out, sizeof(out)),
		shown);
}

TEST("a secret of the request is hidden wherever a server repeats it")
{
	expect("bad token tok-4711!", "bad token ***!");
	expect("YW5uOmh1bnRlcjIy", "***");
	expect("wrong password: hunter22", "wrong password: ***");
	expect("cookie c00kie-value unknown", "cookie *** unknown");
	expect("key 'abcd'", "key '***'");
	expect("proxy said proxypass", "proxy said ***");
	expect("base64url.bearer.authorization.k8s.io.Zm9vYmFy", "***");
	expect("xxtok-4711xx", "xx***xx");
}

TEST("a short secret is hidden as a word only, and what is no secret stays")
{
	expect("abcdef dabcd abcd_", "abcdef dabcd abcd_");
	expect("theme is dark", "theme is ***"); /* any cookie may be one */
	expect("blue chat room 1", "blue chat room 1");
	expect("a tiny cookie, on and off", "a tiny cookie, on and off");
}

TEST("what looks random is told from words, ids and times")
{
	static const struct {
		const char *value;
		bool random;
	} rows[] = {
		{"Zm9vYmFyYmF6MTIzNDU2Nzg5", true},
		{"550e8400-e29b-41d4-a716-446655440000", true},
		{"9f86d081884c7d659a2feaa0", true},
		{"sk_live_4eC39HqLyjWDarjt", true},
		{"9f86d081", false},
		{"2026-11-22T16:30:00.123Z", false},
		{"room-of-the-general-public-1", false},
		{"ThisIsACamelNotAToken", false},
		{"1234567890123456789", false},
		{"", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (doctor_looks_random(bytes_of_str(rows[i].value)) !=
		    rows[i].random)
			fail_msg("%s", rows[i].value);
}

TEST("any field whose name ends like a key is secret, the handshake's not")
{
	static const char *const secret[] = {"Ocp-Apim-Subscription-Key",
					     "X-Auth", "x-functions-key",
					     "X-Key", "DB-Pass"};
	static const char *const open[] = {"Sec-WebSocket-Key", "X-Author",
					   "Surrogate-Key", "X-Colour"};

	for (size_t i = 0; i < ARRAY_LEN(secret); i++)
		assert_true(doctor_is_secret_name(bytes_of_str(secret[i])));
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		assert_false(doctor_is_secret_name(bytes_of_str(open[i])));
}

TEST("a JSON Web Token is hidden although nobody knows it")
{
	expect("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here",
	       "got *** here");
	expect("eyJ", "eyJ");
}

TEST("what a terminal would obey is made harmless")
{
	expect("a\x1b[31mb\r\nc", "a\\x1b[31mb\\x0d\\x0ac");
}

TEST("a secret of a URL or cookie is hidden however it is spelt")
{
	struct doctor_case c = {
		.url_text = (char *)"ws://h/?token=tok%2F47%2b11",
		.header = {{(char *)"Cookie", (char *)"a=one%20two%20three"}},
		.n_headers = 1,
	};
	char out[128];

	assert_string_equal(doctor_redact(&c, BYTES("tok%2F47%2b11 tok/47+11"),
					  out, sizeof(out)),
			    "*** ***");
	assert_string_equal(
		doctor_redact(&c, BYTES("got one two three"), out, sizeof(out)),
		"got ***");
}

TEST("of a secret that was cut the beginning is hidden, too")
{
	expect("bad c00kie-val", "bad ***");
	expect("\"c00kie-va..\" and more", "\"***..\" and more");
	expect("c00kie-va…", "***…");
	expect("c00kie-va is not cut", "c00kie-va is not cut");
	expect("c00", "c00");
	expect("xc00kie", "xc00kie");
}

TEST("lines stay lines, each redacted")
{
	char out[256];

	assert_string_equal(doctor_redact_lines(&secretive,
						"one tok-4711\n\n  two\n", out,
						sizeof(out)),
			    "one ***\n\n  two\n");
	assert_string_equal(
		doctor_redact_lines(&secretive, "tok-4711\nrest", out, 8),
		"***\n..");
}

TEST("the URL keeps its shape")
{
	char out[256];

	assert_string_equal(doctor_redact_url(&secretive, out, sizeof(out)),
			    "wss://ann:***@h/chat?room=1&token=***");
}

static void expect_head(const char *head, const char *shown)
{
	struct ses_buf out;

	ses_buf_init(&out, 4096);
	assert_int_equal(
		doctor_redact_head(&secretive, bytes_of_str(head), "> ", &out),
		0);
	ses_buf_append(&out, BYTES("\0"));
	assert_string_equal((const char *)ses_buf_bytes(&out).data, shown);
	ses_buf_fini(&out);
}

TEST("in a head the fields that carry secrets are hidden by name")
{
	expect_head("GET /chat?room=1&token=other HTTP/1.1\r\n"
		    "Cookie: a=1; b=2\r\n"
		    "authorization: Bearer unknown\r\n"
		    "X-Auth-Token: zzz\r\n"
		    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		    "\r\n",
		    "> GET /chat?room=1&token=*** HTTP/1.1\n"
		    "> Cookie: a=***; b=***\n"
		    "> authorization: Bearer ***\n"
		    "> X-Auth-Token: ***\n"
		    "> Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n");
	expect_head("HTTP/1.1 302 Found\r\n"
		    "X-tok-4711: Basic tok-4711\r\n"
		    "Set-Cookie: sid=abc; Path=/; tok-4711=1\r\n"
		    "Location: https://h/login?ticket=99\r\n"
		    "WWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
		    "> HTTP/1.1 302 Found\n"
		    "> X-***: Basic ***\n"
		    "> Set-Cookie: sid=***; Path=***; ***=***\n"
		    "> Location: https://h/login?ticket=***\n"
		    "> WWW-Authenticate: Basic realm=\"x\"\n");
}

TEST("redaction reads nothing past its input")
{
	static const char head[] = "GET / HTTP/1.1\r\nCookie: a=b; c";

	for (size_t n = 0; n < sizeof(head); n++) {
		uint8_t *copy = test_guarded(head, n);
		struct ses_buf out;
		char text[64];

		ses_buf_init(&out, 4096);
		assert_int_equal(doctor_redact_head(&secretive,
						    bytes_of(copy, n), "", &out),
				 0);
		doctor_redact(&secretive, bytes_of(copy, n), text, sizeof(text));
		ses_buf_fini(&out);
		test_guard_free(copy, n);
	}
}
