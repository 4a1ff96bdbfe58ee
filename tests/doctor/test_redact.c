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

TEST("a secret in the name of another one is hidden with it")
{
	expect("tokentok-4711=hunter23-long", "token***");
	expect("token: tok-4711 token2=hunter23-long", "token: *** token2=***");
}

TEST("a short secret is hidden as a word only, and what is no secret stays")
{
	expect("abcdef dabcd abcd_", "abcdef dabcd abcd_");
	expect("theme is dark", "theme is ***"); /* any cookie may be one */
	expect("blue chat room 1", "blue chat room 1");
	expect("a tiny cookie, on and off", "a tiny cookie, on and off");
}

TEST("a secret that is an ordinary word leaves our own sentences whole")
{
	static const char ours[] =
		"the server answers 401: the credentials that were sent are "
		"wrong, expired or not where it looks for them.";
	struct doctor_case c = {
		.url_text = (char *)"ws://h/",
		.header = {{(char *)"Authorization", (char *)"Bearer wrong"}},
		.n_headers = 1};
	char out[1024];

	assert_string_equal(doctor_redact_lines(&c, ours, out, sizeof(out)),
			    ours);
	assert_string_equal(doctor_redact_lines(&c, "it says wrong, expired",
						out, sizeof(out)),
			    "it says ***, expired");
	assert_string_equal(
		doctor_redact(&c, bytes_of_str(ours), out, sizeof(out)),
		"the server answers 401: the credentials that were "
		"sent are ***, expired or not where it looks for "
		"them.");
	c.header[0].value = (char *)"Bearer expired";
	assert_string_equal(doctor_redact_lines(&c, ours, out, sizeof(out)),
			    ours);
}

/* What is shown of @text when @n cookies are sent besides a token. */
static void expect_beside_cookies(size_t n, const char *text, const char *shown)
{
	static char cookies[64 * 1024];
	struct doctor_case c = {
		.url_text = (char *)"wss://h/chat?token=tok-4711",
		.header = {{(char *)"Cookie", cookies},
			   {(char *)"X-Api-Key", (char *)"abcd"}},
		.n_headers = 2,
	};
	char out[1024];
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(cookies + at, "c%zu=crumb-%zu-%zu; ", i,
				      i, i);
	assert_string_equal(
		doctor_redact(&c, bytes_of_str(text), out, sizeof(out)), shown);
}

TEST("as many cookies as browsers keep are hidden, and what comes after them")
{
	expect_beside_cookies(180, "no tok-4711, abcd", "no ***, ***");
	expect_beside_cookies(180, "no crumb-179-179", "no ***");
	expect_beside_cookies(180, "Y3J1bWItMTc5LTE3OQ==", "***");
}

TEST("beside more secrets than can be looked for, nothing is repeated")
{
	expect_beside_cookies(1500, "no crumb-1499-1499", "(not shown)");
	expect_beside_cookies(1500, "no tok-4711", "(not shown)");
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
	static const char *const secret[] = {
		"X-Sid",  "X-Pw",
		"X-Pin",  "X-Otp",
		"X-Sess", "x-user-sid",
		"X-Code", "X-Sig",
		"X-Hmac", "X-Access",
		"X-Tok",  "Ocp-Apim-Subscription-Key",
		"X-Auth", "x-functions-key",
		"X-Key",  "DB-Pass"};
	static const char *const open[] = {
		"X-Coded",  "X-Pinned",	     "X",	"", "Sec-WebSocket-Key",
		"X-Author", "Surrogate-Key", "X-Colour"};

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

TEST("a name that only begins as a usual one is shown as text, not as it came")
{
	expect_head("HTTP/1.1 101 x\r\n"
		    "Sec-WebSocket-x\x1b[2J: 1\r\n"
		    "Sec-WebSocket-tok-4711: 1\r\n\r\n",
		    "> HTTP/1.1 101 x\n"
		    "> Sec-WebSocket-x\\x1b[2J: 1\n"
		    "> Sec-WebSocket-***: 1\n");
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

TEST("a secret is hidden in every spelling that servers give it")
{
	struct doctor_case c = {
		.url_text = (char *)"ws://h/feed?token=a/b+c&d\"e<f>4711",
		.header = {{(char *)"X-Api-Key", (char *)"Correct-Horse-99"}},
		.n_headers = 1,
	};
	static const struct {
		const char *text, *shown;
	} rows[] = {
		/* percent-encoded, by HTML, by JSON, in other letters */
		{"c%6Frrect%2Dhorse%2D99", "***"},
		{"<b>correct&#45;horse&#x2D;99</b>", "<b>***</b>"},
		{"correct\\u002dhorse\\x2d99", "***"},
		{"CORRECT-HORSE-99", "***"},
		/* base64 of it, alone and within something longer */
		{"Q29ycmVjdC1Ib3JzZS05OQ==", "***"},
		{"sha=YTpDb3JyZWN0LUhvcnNlLTk5.", "sha=YTp***."},
		{"ab Y29uOkNvcnJlY3QtSG9yc2UtOTk= cd", "ab Y29uO***"},
	};
	char out[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		doctor_redact(&c, bytes_of_str(rows[i].text), out, sizeof(out));
		if (strncmp(out, rows[i].shown, 5) != 0 ||
		    !strstr(out, "***") || strstr(out, "horse") ||
		    strstr(out, "JzZ") || strstr(out, "3JzZ"))
			fail_msg("%s: %s", rows[i].text, out);
	}
}

TEST("parts of a path that look like tokens are secrets, names and ids are not")
{
	struct doctor_case c = {
		.url_text = (char *)"wss://h/v1/9f86d081884c7d659a2feaa0/rooms/"
				    "550e8400-e29b-41d4-a716-446655440000"
				    ";jsessionid=77AB12CD/general-discussion",
	};
	char out[300];

	doctor_redact_url(&c, out, sizeof(out));
	assert_null(strstr(out, "9f86d081"));
	assert_null(strstr(out, "77AB12CD"));
	assert_non_null(strstr(out, "wss://h/v1/***/rooms/550e8400-"));
	doctor_redact(&c, BYTES("no 9F86D081884C7D659A2FEAA0"), out,
		      sizeof(out));
	assert_string_equal(out, "no ***");
}

TEST("what a server tells of its own secrets is hidden by what stands before "
     "it")
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"{\"access_token\":\"ab-cd-ef\",\"n\":1}",
		 "{\"access_token\":\"***\",\"n\":1}"},
		{"{'password' : 'swordfish'}", "{'password' : '***'}"},
		{"refresh_token=xyz789&room=1", "refresh_token=***&room=1"},
		{"Authorization: Bearer abcdefghijklmnop",
		 "Authorization: Bearer ***"},
		{"<input name=\"csrf_token\" value=\"q1w2e3r4\">",
		 "<input name=\"csrf_token\" value=\"***\">"},
		{"<meta name='csrf-token' content='q1w2e3r4'>",
		 "<meta name='csrf-token' content='***'>"},
		{"cannot reach postgres://app:pgpass@db/x",
		 "cannot reach postgres://app:***@db/x"},
		/* and this is what the reader has to see */
		{"invalid token: signature expired",
		 "invalid token: signature expired"},
		{"{\"token\":\"missing\"}", "{\"token\":\"missing\"}"},
		{"{\"code\":\"ERR_ORIGIN_1\"}", "{\"code\":\"ERR_ORIGIN_1\"}"},
		{"see https://example.org:8443/a@b",
		 "see https://example.org:8443/a@b"},
	};
	struct doctor_case c = {.url_text = (char *)"ws://h/"};
	char out[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(doctor_redact(&c, bytes_of_str(rows[i].text),
						  out, sizeof(out)),
				    rows[i].shown);
}

TEST("secrets of the other command lines are secrets of the case")
{
	struct doctor_case c = {
		.url_text = (char *)"ws://h/",
		.works = (char *)"curl 'https://h/?key=k3yk3yk3y' -H "
				 "'Cookie: a=c00kie-one; b=c00kie-two' -b "
				 "\"c=c00kie-three\" -u ann:passw0rd",
		.backend = (char *)"http://ann:b4ckend-pass@127.0.0.1:1/",
	};
	char out[200];

	assert_string_equal(
		doctor_redact(&c,
			      BYTES("k3yk3yk3y c00kie-one c00kie-two "
				    "c00kie-three passw0rd b4ckend-pass"),
			      out, sizeof(out)),
		"*** *** *** *** *** ***");
}

TEST("a subprotocol that announces a secret makes one of the next, whatever it "
     "looks like")
{
	static const struct {
		const char *list, *secret; /* or NULL */
	} rows[] = {
		{"bearer, opensesame", "opensesame"},
		{"chat, Bearer, opensesame, v2", "opensesame"},
		{"access_token, plain-word", "plain-word"},
		{"bearer, jwt, chat", "jwt"},
		{"bearer", NULL},
		{"bearer.CaNaRy0123", "bearer.CaNaRy0123"},
		{"chat, access_token-0123456789", "access_token-0123456789"},
		{"auth.v1", NULL},
		{"bearer-authorization", NULL},
		{"graphql-ws, chat", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor_offers o = {.rest = bytes_of_str(rows[i].list)};
		size_t n = 0;

		while (doctor_next_offer(&o)) {
			if (!o.secret)
				continue;
			n++;
			assert_non_null(rows[i].secret);
			assert_true(bytes_equal(o.one,
						bytes_of_str(rows[i].secret)));
		}
		assert_int_equal(n, rows[i].secret ? 1 : 0);
	}
}

TEST("an announced subprotocol is hidden where it is sent and where it is told")
{
	struct doctor_case c = {.url_text = (char *)"ws://h/",
				.subprotocols = (char *)"bearer, opensesame"};
	char out[256];

	assert_string_equal(doctor_redact(&c, BYTES("bad opensesame here"), out,
					  sizeof(out)),
			    "bad *** here");
}

TEST("values of the query are hidden under any name, unless they stand in the "
     "open as well")
{
	struct doctor_case c = {
		.url_text = (char *)"ws://h/lobby?k=hunter7&room=lobby&n=4711"
				    "&x=origin&y=Qx%2Fy1#swordfish",
		.origin = (char *)"https://app.example",
	};
	char out[300];

	c.url.host = BYTES("h");
	c.url.path = BYTES("/lobby");
	assert_string_equal(
		doctor_redact(&c,
			      BYTES("hunter7 HUNTER7 xhunter7x lobby 4711 "
				    "origin qx/y1 swordfish 68756e74657237"),
			      out, sizeof(out)),
		"*** *** xhunter7x lobby 4711 origin *** *** ***");
	assert_string_equal(doctor_redact_url(&c, out, sizeof(out)),
			    "ws://h/lobby?k=***&room=***&n=***&x=***&y=***"
			    "#***");
}

TEST("what was encoded, and encoded again, is hidden as what it is")
{
	struct doctor_case c = {
		.url_text = (char *)"ws://h/",
		.header = {{(char *)"X-Api-Key", (char *)"Horse/99\\x+\"y%4z"},
			   {(char *)"X-Auth",
			    (char *)"p\303\244ssw\303\266rd1"}},
		.n_headers = 2,
	};
	static const char *const texts[] = {
		"Horse/99\\x+\"y%4z",
		"Horse%2F99%5Cx%2B%22y%254z",
		"Horse%252F99%255Cx%252B%2522y%25254z",
		"Horse%25252F99%25255Cx%25252B%252522y%2525254z",
		"Horse\\/99\\\\x+\\\"y%4z",
		"Horse\\\\\\/99\\\\\\\\x+\\\\\\\"y%4z",
		"Horse&sol;99&bsol;x&plus;&quot;y&percnt;4z",
		"Horse&amp;#x2f;99\\x+&amp;quot;y%4z",
		"Horse\\u002f99\\\\x\\u002b\\&quot;y\\u00254z",
		"Ho<b>rse/99</b>\\x+\"y%4z",
		"Horse/9=\r\n9\\x+\"y%4z",
		"486F7273652f39395c782b227925347A",
		"p\\u00e4ssw\\u00f6rd1",
		"p%C3%A4ssw%C3%B6rd1",
		"p&#228;ssw&#xf6;rd1",
		"P\303\204SSW\303\226RD1",
		"p%E4ssw%f6rd1",
		"p\\xc3\\xa4ssw\\xc3\\xb6rd1",
		"p%u00e4ssw%u00F6rd1",
		"p=C3=A4ssw=C3=B6rd1",
		"Horse<!-- x -->/99\\x+\"y%4z",
		"48:6F:72:73:65:2f:39:39:5c:78:2b:22:79:25:34:7a",
		"48 6F 72 73 65 2f 39 39 5c 78 2b 22 79 25 34 7a",
	};
	char text[300], out[300];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		snprintf(text, sizeof(text), "no (%s)", texts[i]);
		assert_string_equal(
			doctor_redact(&c, bytes_of_str(text), out, sizeof(out)),
			"no (***)");
	}
}

TEST("of a secret whose beginning was masked no long end is shown")
{
	expect("no ...0kie-value!", "no ...0kie-value!"); /* no end of it */
	expect("no ...0kie-value", "no ...***");
	expect("no \"****kie-value\"", "no \"*******\"");
	expect("no ...alue", "no ...alue"); /* four letters, as masks leave */
}

TEST("a short secret stands alone where an escape ends before it")
{
	expect("%7B%22t%22%3A%22abcd%22%7D", "%7B%22t%22%3A%22***%22%7D");
	expect("%22abcde", "%22abcde");
	expect("2abcd%22", "2abcd%22");
}

TEST("what a hostile text can be decoded to takes no long time")
{
	static const char *const parts[] = {"%25", "&amp;", "\\\\", "tok<b>",
					    "&#",  "%",	    "t\n"};
	static char text[64 * 1024], out[64 * 1024];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t n = strlen(parts[i]);

		for (size_t at = 0; at + n < sizeof(text); at += n)
			memcpy(text + at, parts[i], n);
		doctor_redact(&secretive, bytes_of(text, sizeof(text)), out,
			      sizeof(out));
	}
}
