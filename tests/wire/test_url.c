/* SPDX-License-Identifier: MIT */
/* URLs: what is read, how each slip is told, mended, and secrets hidden. */
#include "test.h"

#include <stdio.h>

#include <sesame/error.h>

#include "wire/url.h"

static void assert_bytes(struct bytes got, const char *expected)
{
	char text[256];

	snprintf(text, sizeof(text), "%.*s", BYTES_ARG(got));
	assert_string_equal(text, expected);
}

static enum ses_url_fault fault_of(const char *text, size_t *ret_at)
{
	size_t len = strlen(text);
	uint8_t *copy = test_guarded(text, len);
	enum ses_url_fault fault;
	struct ses_url url;
	int result;

	result = ses_url_parse(bytes_of(copy, len), &url, &fault, ret_at);
	assert_int_equal(result, fault == SES_URL_OK ? 0 : SESAME_EURL);
	assert_true(*ret_at <= len);
	test_guard_free(copy, len);
	return fault;
}

TEST("a good URL comes apart into its parts")
{
	static const struct {
		const char *text;
		bool tls;
		const char *host;
		enum ses_host_kind kind;
		unsigned port;
		bool given;
		const char *path, *query, *userinfo; /* NULL: none */
	} rows[] = {
		{"ws://x", false, "x", SES_HOST_NAME, 80, false, "", NULL, NULL},
		{"wss://x", true, "x", SES_HOST_NAME, 443, false, "", NULL, NULL},
		{"WSS://X/", true, "X", SES_HOST_NAME, 443, false, "/", NULL,
		 NULL},
		{"ws://x?a=1", false, "x", SES_HOST_NAME, 80, false, "", "a=1",
		 NULL},
		{"ws://x/?", false, "x", SES_HOST_NAME, 80, false, "/", "", NULL},
		{"ws://x:/", false, "x", SES_HOST_NAME, 80, false, "/", NULL,
		 NULL},
		{"ws://x:1/", false, "x", SES_HOST_NAME, 1, true, "/", NULL,
		 NULL},
		{"ws://x:65535", false, "x", SES_HOST_NAME, 65535, true, "",
		 NULL, NULL},
		{"ws://x:0080", false, "x", SES_HOST_NAME, 80, true, "", NULL,
		 NULL},
		{"ws://a.b-c_d.e./p//q;r/%2F?x=/?:@[]|^%20", false, "a.b-c_d.e.",
		 SES_HOST_NAME, 80, false, "/p//q;r/%2F", "x=/?:@[]|^%20", NULL},
		{"ws://127.0.0.1:8080/chat", false, "127.0.0.1", SES_HOST_IPV4,
		 8080, true, "/chat", NULL, NULL},
		{"wss://[2001:db8::1]:8443/", true, "2001:db8::1",
		 SES_HOST_IPV6, 8443, true, "/", NULL, NULL},
		{"ws://[::ffff:10.0.0.1]", false, "::ffff:10.0.0.1",
		 SES_HOST_IPV6, 80, false, "", NULL, NULL},
		{"ws://ann:se:cret%40@x/", false, "x", SES_HOST_NAME, 80, false,
		 "/", NULL, "ann:se:cret%40"},
		{"ws://@x/", false, "x", SES_HOST_NAME, 80, false, "/", NULL, ""},
		{"ws://wss/", false, "wss", SES_HOST_NAME, 80, false, "/", NULL,
		 NULL},
		{"ws://1e100.net", false, "1e100.net", SES_HOST_NAME, 80, false,
		 "", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum ses_url_fault fault;
		struct ses_url url;
		size_t at;

		assert_int_equal(ses_url_parse(bytes_of_str(rows[i].text), &url,
					       &fault, &at),
				 0);
		assert_int_equal(url.tls, rows[i].tls);
		assert_false(url.http);
		assert_bytes(url.host, rows[i].host);
		assert_int_equal(url.host_kind, rows[i].kind);
		assert_int_equal(url.port, rows[i].port);
		assert_int_equal(url.port_given, rows[i].given);
		assert_bytes(url.path, rows[i].path);
		assert_int_equal(url.query.data != NULL, rows[i].query != NULL);
		assert_bytes(url.query, rows[i].query ? rows[i].query : "");
		assert_int_equal(url.userinfo.data != NULL,
				 rows[i].userinfo != NULL);
		assert_bytes(url.userinfo,
			     rows[i].userinfo ? rows[i].userinfo : "");
	}
}

/*
 * Every slip: its name, where it stands, and the URL that was meant (NULL: no
 * idea).
 */
static const struct slip {
	const char *text;
	enum ses_url_fault fault;
	size_t at;
	const char *meant;
} slips[] = {
	{"", SES_URL_EMPTY, 0, NULL},
	/* around and within */
	{" ws://x", SES_URL_BLANK_AROUND, 0, "ws://x"},
	{"ws://x ", SES_URL_BLANK_AROUND, 6, "ws://x"},
	{"ws://x\r\n", SES_URL_BLANK_AROUND, 7, "ws://x"},
	{"\tws://x\t", SES_URL_BLANK_AROUND, 0, "ws://x"},
	{" ", SES_URL_BLANK_AROUND, 0, NULL},
	{"\"ws://x\"", SES_URL_QUOTED, 0, "ws://x"},
	{"'ws://x/a'", SES_URL_QUOTED, 0, "ws://x/a"},
	{"<ws://x/>", SES_URL_QUOTED, 0, "ws://x/"},
	{"`ws://x/`", SES_URL_QUOTED, 0, "ws://x/"},
	{"ws://x/a\"", SES_URL_QUOTED, 8, "ws://x/a"},
	{"ws://x/a>", SES_URL_QUOTED, 8, "ws://x/a"},
	{"\xe2\x80\x9cws://x/\xe2\x80\x9d", SES_URL_QUOTED, 0, "ws://x/"},
	{"ws://x/\xc2\xa0", SES_URL_INVISIBLE, 7, "ws://x/"},
	{"\xef\xbb\xbfws://x/", SES_URL_INVISIBLE, 0, "ws://x/"},
	{"ws://\xe2\x80\x8bx/", SES_URL_INVISIBLE, 5, "ws://x/"},
	{"ws://x/a b", SES_URL_BLANK_INSIDE, 8, "ws://x/a%20b"},
	{"ws://x/?q=a b c", SES_URL_BLANK_INSIDE, 11, "ws://x/?q=a%20b%20c"},
	{"ws:// x/", SES_URL_BLANK_INSIDE, 5, "ws://x/"},
	{"ws ://x/", SES_URL_BLANK_INSIDE, 2, "ws://x/"},
	{"ws://x\ty/", SES_URL_BLANK_INSIDE, 6, "ws://xy/"},
	{"ws://x/a\r\n  b", SES_URL_LINE_BREAK, 8, "ws://x/ab"},
	{"ws://x/a\nb", SES_URL_LINE_BREAK, 8, "ws://x/ab"},
	{"ws://x/\x01", SES_URL_CONTROL, 7, "ws://x/"},
	{"ws://x/\x7f", SES_URL_CONTROL, 7, "ws://x/"},
	{"ws:\\\\x\\y", SES_URL_BACKSLASH, 3, "ws://x/y"},
	{"ws://x\\y", SES_URL_BACKSLASH, 6, "ws://x/y"},
	{"ws://x/y\\z", SES_URL_BACKSLASH, 8, "ws://x/y/z"},
	{"ws:/\\x", SES_URL_BACKSLASH, 3, "ws://x"},
	/* placeholders */
	{"ws://{host}/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://${HOST}:8080/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://$HOST/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://<your-host>/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://{{host}}:{{port}}/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://%s:%d/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://undefined/chat", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://undefined:3000/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://null", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://None:8000/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://NaN", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://process.env.HOST/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://window.location.host/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://x:undefined/", SES_URL_PLACEHOLDER, 7, NULL},
	{"ws://x:NaN", SES_URL_PLACEHOLDER, 7, NULL},
	{"ws://x:null/", SES_URL_PLACEHOLDER, 7, NULL},
	{"ws://x:PORT/", SES_URL_PLACEHOLDER, 7, NULL},
	{"ws://x:{port}/", SES_URL_PLACEHOLDER, 5, NULL},
	{"ws://x/{room}", SES_URL_PLACEHOLDER, 7, NULL},
	{"ws://x/${room_id}/a", SES_URL_PLACEHOLDER, 8, NULL},
	{"ws://x/?t=<token>&a", SES_URL_PLACEHOLDER, 10, NULL},
	/* before the host */
	{"x", SES_URL_SCHEME_MISSING, 0, "wss://x"},
	{"example.org/chat", SES_URL_SCHEME_MISSING, 0, "wss://example.org/chat"},
	{"localhost:8080", SES_URL_SCHEME_MISSING, 0, "ws://localhost:8080"},
	{"localhost:8080/a", SES_URL_SCHEME_MISSING, 0, "ws://localhost:8080/a"},
	{"example.org:443/", SES_URL_SCHEME_MISSING, 0, "wss://example.org:443/"},
	{"192.168.0.1/a", SES_URL_SCHEME_MISSING, 0, "ws://192.168.0.1/a"},
	{"[::1]:8080", SES_URL_SCHEME_MISSING, 0, "ws://[::1]:8080"},
	{"//example.org/", SES_URL_SCHEME_MISSING, 0, "wss://example.org/"},
	{"://example.org/", SES_URL_SCHEME_MISSING, 0, "wss://example.org/"},
	{"/chat", SES_URL_RELATIVE, 0, NULL},
	{"?a=1", SES_URL_RELATIVE, 0, NULL},
	{"wws://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"wws://127.0.0.1:9/", SES_URL_SCHEME_TYPO, 0, "ws://127.0.0.1:9/"},
	{"wsss://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"sw://x:80/", SES_URL_SCHEME_TYPO, 0, "ws://x:80/"},
	{"w://localhost/", SES_URL_SCHEME_TYPO, 0, "ws://localhost/"},
	{"s://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"wz://x:3000/", SES_URL_SCHEME_TYPO, 0, "ws://x:3000/"},
	{"websocket://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"htp://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"htpps://x/", SES_URL_SCHEME_TYPO, 0, "wss://x/"},
	{"ftp://x/", SES_URL_SCHEME_OTHER, 0, "wss://x/"},
	{"ssh://x/", SES_URL_SCHEME_OTHER, 0, "wss://x/"},
	{"tcp://localhost:1", SES_URL_SCHEME_OTHER, 0, "ws://localhost:1"},
	{"mqtts://x:8883", SES_URL_SCHEME_OTHER, 0, "wss://x:8883"},
	{"file:///etc/hosts", SES_URL_SCHEME_OTHER, 0, NULL},
	{"mailto:ann@example.org", SES_URL_SCHEME_OTHER, 0, NULL},
	{"chrome-extension://abc/", SES_URL_SCHEME_OTHER, 0, "wss://abc/"},
	{"ws://ws://x/", SES_URL_SCHEME_TWICE, 5, "ws://x/"},
	{"ws://http://x/", SES_URL_SCHEME_TWICE, 5, "ws://x/"},
	{"http://ws://x/", SES_URL_SCHEME_TWICE, 7, "ws://x/"},
	{"wss://https://x/", SES_URL_SCHEME_TWICE, 6, "wss://x/"},
	{"ws://http//x/", SES_URL_SCHEME_TWICE, 5, "ws://x/"},
	{"http://x/a", SES_URL_HTTP, 0, "ws://x/a"},
	{"HTTPS://x:8443/?a", SES_URL_HTTP, 0, "wss://x:8443/?a"},
	{"ws//x/", SES_URL_COLON_MISSING, 2, "ws://x/"},
	{"wss//x/", SES_URL_COLON_MISSING, 3, "wss://x/"},
	{"ws:/x/", SES_URL_SLASHES_MISSING, 3, "ws://x/"},
	{"ws:x/", SES_URL_SLASHES_MISSING, 3, "ws://x/"},
	{"wws:/x/", SES_URL_SLASHES_MISSING, 4, "wss://x/"},
	{"ws:://x/", SES_URL_SEPARATOR, 3, "ws://x/"},
	{"ws;//x/", SES_URL_SEPARATOR, 2, "ws://x/"},
	/* host */
	{"ws://", SES_URL_HOST_MISSING, 5, NULL},
	{"ws:///chat", SES_URL_HOST_MISSING, 5, NULL},
	{"ws:///example.org/a", SES_URL_HOST_MISSING, 5, "ws://example.org/a"},
	{"ws://:8080/", SES_URL_HOST_MISSING, 5, "ws://localhost:8080/"},
	{"ws://?a=1", SES_URL_HOST_MISSING, 5, NULL},
	{"ws://ann@/", SES_URL_HOST_MISSING, 9, NULL},
	{"ws://an@n:pw@x/", SES_URL_USERINFO, 7, "ws://an%40n:pw@x/"},
	{"ws://ann:p^w@x/", SES_URL_USERINFO, 10, "ws://ann:p%5Ew@x/"},
	{"ws://[::1/a", SES_URL_BRACKETS, 5, "ws://[::1]/a"},
	{"ws://1::1]/a", SES_URL_BRACKETS, 9, "ws://[1::1]/a"},
	{"ws://::1]/a", SES_URL_BRACKETS, 8, "ws://[::1]/a"},
	{"ws://[::1[/a", SES_URL_BRACKETS, 5, NULL},
	{"ws://a[b/", SES_URL_BRACKETS, 6, "ws://ab/"},
	{"ws://[::1]]/a", SES_URL_BRACKETS, 10, "ws://[::1]/a"},
	{"ws://x]/a", SES_URL_BRACKETS, 6, "ws://x/a"},
	{"ws://::1/a", SES_URL_IPV6_BARE, 5, "ws://[::1]/a"},
	{"ws://2001:db8::1", SES_URL_IPV6_BARE, 5, "ws://[2001:db8::1]"},
	{"ws://::1:8080/", SES_URL_IPV6_BARE, 5, "ws://[::1]:8080/"},
	{"ws://fe80::a:b", SES_URL_IPV6_BARE, 5, "ws://[fe80::a:b]"},
	{"ws://[]/", SES_URL_IPV6, 6, NULL},
	{"ws://[:1]/", SES_URL_IPV6, 6, NULL},
	{"ws://[1:2:3:4:5:6:7]/", SES_URL_IPV6, 6, NULL},
	{"ws://[1:2:3:4:5:6:7:8:9]/", SES_URL_IPV6, 6, NULL},
	{"ws://[1::2::3]/", SES_URL_IPV6, 6, NULL},
	{"ws://[1:2:3:4:5:6:7:8::]/", SES_URL_IPV6, 6, NULL},
	{"ws://[12345::]/", SES_URL_IPV6, 6, NULL},
	{"ws://[::1.2.3]/", SES_URL_IPV6, 6, NULL},
	{"ws://[::1.2.3.256]/", SES_URL_IPV6, 6, NULL},
	{"ws://[1::2:]/", SES_URL_IPV6, 6, NULL},
	{"ws://[::g]/", SES_URL_IPV6, 6, NULL},
	{"ws://[127.0.0.1]/", SES_URL_IPV6, 6, NULL},
	{"ws://[fe80::1%25eth0]/", SES_URL_IPV6, 6, NULL},
	{"ws://[::1]8080/", SES_URL_HOST_BYTE, 10, NULL},
	{"ws://256.0.0.1/", SES_URL_IPV4, 5, NULL},
	{"ws://1.2.3/", SES_URL_IPV4, 5, NULL},
	{"ws://1.2.3.4.5/", SES_URL_IPV4, 5, NULL},
	{"ws://1.2..4/", SES_URL_IPV4, 5, NULL},
	{"ws://1.2.3.04/", SES_URL_IPV4, 5, NULL},
	{"ws://2130706433/", SES_URL_IPV4, 5, NULL},
	{"ws://example.8080/", SES_URL_IPV4, 5, NULL},
	{"ws://b\xc3\xbc"
	 "cher.example/",
	 SES_URL_HOST_NOT_ASCII, 6, NULL},
	{"ws://127.0.0,1/", SES_URL_HOST_BYTE, 12, "ws://127.0.0.1/"},
	{"ws://x;8080/", SES_URL_HOST_BYTE, 6, "ws://x:8080/"},
	{"ws://x*/", SES_URL_HOST_BYTE, 6, NULL},
	{"ws://x%20y/", SES_URL_HOST_BYTE, 6, NULL},
	{"ws://a..b/", SES_URL_HOST_LABEL_EMPTY, 7, "ws://a.b/"},
	{"ws://.a/", SES_URL_HOST_LABEL_EMPTY, 5, "ws://a/"},
	{"ws://a../", SES_URL_HOST_LABEL_EMPTY, 7, "ws://a./"},
	{"ws://./", SES_URL_HOST_LABEL_EMPTY, 5, NULL},
	/* port */
	{"ws://x:http/", SES_URL_PORT_NOT_NUMBER, 7, NULL},
	{"ws://x:8O80/", SES_URL_PORT_NOT_NUMBER, 8, "ws://x:8080/"},
	{"ws://x:80a/", SES_URL_PORT_NOT_NUMBER, 9, NULL},
	{"wws://x:((((((((((((((((((((((((/", SES_URL_SCHEME_TYPO, 0, NULL},
	{"x:99999999999999999999999999/", SES_URL_SCHEME_MISSING, 0, NULL},
	{"ws://[::1]:x/", SES_URL_PORT_NOT_NUMBER, 11, NULL},
	{"ws://x:-80/", SES_URL_PORT_NEGATIVE, 7, "ws://x:80/"},
	{"ws://x:0/", SES_URL_PORT_ZERO, 7, "ws://x/"},
	{"ws://x:000/", SES_URL_PORT_ZERO, 7, "ws://x/"},
	{"ws://x:65536/", SES_URL_PORT_RANGE, 7, NULL},
	{"ws://x:18446744073709551617/", SES_URL_PORT_RANGE, 7, NULL},
	{"ws://x::80/", SES_URL_PORT_TWICE, 7, "ws://x:80/"},
	{"ws://x:80:90/", SES_URL_PORT_TWICE, 7, NULL},
	/* path, query, fragment */
	{"ws://x/%zz", SES_URL_PERCENT, 7, "ws://x/%25zz"},
	{"ws://x/%", SES_URL_PERCENT, 7, "ws://x/%25"},
	{"ws://x/%2", SES_URL_PERCENT, 7, "ws://x/%252"},
	{"ws://x/?d=100%", SES_URL_PERCENT, 13, "ws://x/?d=100%25"},
	{"ws://x/\xc3\xa9", SES_URL_NOT_ENCODED, 7, "ws://x/%C3%A9"},
	{"ws://x/?q={\"a\":1}", SES_URL_NOT_ENCODED, 10,
	 "ws://x/?q=%7B%22a%22:1%7D"},
	{"ws://x/?a\\b", SES_URL_NOT_ENCODED, 9, "ws://x/?a%5Cb"},
	{"ws://x#a", SES_URL_FRAGMENT, 6, "ws://x"},
	{"ws://x/a?b#", SES_URL_FRAGMENT, 10, "ws://x/a?b"},
	{"http://x/#/chat", SES_URL_FRAGMENT, 9, "ws://x/"},
	/* several at once */
	{" 'wws:/x/a b#c' ", SES_URL_BLANK_AROUND, 0, "wss://x/a%20b"},
};

TEST("every slip has its own name and place")
{
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		size_t at;
		enum ses_url_fault fault = fault_of(slips[i].text, &at);

		if (fault != slips[i].fault || at != slips[i].at)
			print_error("%s: %s at %zu\n", slips[i].text,
				    ses_url_fault(fault)->id, at);
		assert_int_equal(fault, slips[i].fault);
		assert_int_equal(at, slips[i].at);
	}
}

TEST("what was meant is found, and is a good URL")
{
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		char meant[256];
		size_t at;
		bool found = ses_url_suggest(bytes_of_str(slips[i].text), meant,
					     sizeof(meant));

		if (found != (slips[i].meant != NULL))
			print_error("%s: %s\n", slips[i].text, meant);
		assert_int_equal(found, slips[i].meant != NULL);
		assert_string_equal(meant, found ? slips[i].meant : "");
		if (found)
			assert_int_equal(fault_of(meant, &at), SES_URL_OK);
	}
}

TEST("each fault has a case above, a cause and a sentence")
{
	bool seen[SES_N_URL_FAULTS] = {[SES_URL_OK] = true};
	const struct ses_url_fault_row *row;

	/* These three have tests of their own below. */
	seen[SES_URL_TOO_LONG] = true;
	seen[SES_URL_HOST_LONG] = true;
	seen[SES_URL_HOST_LABEL_LONG] = true;
	for (size_t i = 0; i < ARRAY_LEN(slips); i++)
		seen[slips[i].fault] = true;
	for (int i = 0; i < SES_N_URL_FAULTS; i++) {
		row = ses_url_fault((enum ses_url_fault)i);
		if (!seen[i])
			print_error("no case for %s\n", row->id);
		assert_true(seen[i]);
		assert_true(strlen(row->sentence) > 0);
		assert_true(i == SES_URL_OK || !strncmp(row->cause, "url.", 4));
	}
}

TEST("a NUL is a control character, not an end")
{
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;

	assert_int_equal(ses_url_parse(BYTES("ws://x/a\0b"), &url, &fault, &at),
			 SESAME_EURL);
	assert_int_equal(fault, SES_URL_CONTROL);
	assert_int_equal(at, 8);
}

TEST("no good URL has anything to suggest, and room is needed for a NUL")
{
	char out[16];

	assert_false(ses_url_suggest(BYTES("ws://x/"), out, sizeof(out)));
	assert_true(ses_url_suggest(BYTES("wws://x/"), out, 9));
	assert_string_equal(out, "wss://x/");
	assert_false(ses_url_suggest(BYTES("wws://x/"), out, 8));
	assert_string_equal(out, "");
	assert_true(ses_url_suggest(BYTES("ws:x/"), out, 8));
	assert_false(ses_url_suggest(BYTES("ws:x/"), out, 7));
	assert_false(ses_url_suggest(BYTES("ws:x/"), out, 0));
}

TEST("http and https are told as a fault and read all the same")
{
	enum ses_url_fault fault;
	struct ses_url url;
	char text[64];
	size_t at;

	assert_int_equal(ses_url_parse(BYTES("https://x/a?b"), &url, &fault, &at),
			 SESAME_EURL);
	assert_int_equal(fault, SES_URL_HTTP);
	assert_string_equal(ses_url_fault(fault)->cause, "url.scheme");
	assert_true(url.http && url.tls);
	assert_int_equal(url.port, 443);
	assert_bytes(url.path, "/a");
	assert_int_equal(ses_url_write(&url, text, sizeof(text)), 0);
	assert_string_equal(text, "https://x/a?b");
}

TEST("a name's parts have up to 63 bytes, the name 253, the URL 32,000")
{
	char text[33000];
	size_t at;

	for (int label = 63; label <= 64; label++) {
		snprintf(text, sizeof(text), "ws://%0*d.org/", label, 0);
		assert_int_equal(fault_of(text, &at),
				 label == 63 ? SES_URL_OK
					     : SES_URL_HOST_LABEL_LONG);
	}
	for (int more = 0; more <= 1; more++) {
		int n = snprintf(text, sizeof(text), "ws://");

		for (int i = 0; i < 125; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "a.");
		n += snprintf(text + n, sizeof(text) - (size_t)n, "abc%s",
			      more ? "d" : ".");
		assert_int_equal(fault_of(text, &at),
				 more ? SES_URL_HOST_LONG : SES_URL_OK);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "ws://x/", 7);
	text[32001] = '\0';
	assert_int_equal(fault_of(text, &at), SES_URL_TOO_LONG);
	text[32000] = '\0';
	assert_int_equal(fault_of(text, &at), SES_URL_OK);
}

TEST("of all 256 bytes a host takes letters, digits, '-', '.' and '_'")
{
	for (int c = 1; c < 256; c++) {
		char text[] = "ws://a?b";
		enum ses_url_fault fault;
		struct ses_url url;
		size_t at;
		bool lawful = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || strchr("-._", c);

		text[6] = (char)c;
		if (ses_url_parse(bytes_of_str(text), &url, &fault, &at) == 0 &&
		    url.host.len == 3)
			assert_true(lawful);
		else
			assert_false(lawful);
	}
}

TEST("cut at every byte, nothing is read past the end")
{
	static const char *const rows[] = {
		"wss://ann:secret@[2001:db8::1]:8443/a%20b/c?d=%41&e",
		"ws://example.org:8080/chat?token={\"a\":1}#top",
		"\xe2\x80\x9cws://\xc2\xa0x/${room}\xe2\x80\x9d",
		"ws://http://192.168.0.1:80/%s",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t cut = 0; cut <= strlen(rows[i]); cut++) {
			uint8_t *copy = test_guarded(rows[i], cut);
			struct bytes text = bytes_of(copy, cut);
			enum ses_url_fault fault;
			struct ses_url url;
			char out[256];
			size_t at;

			ses_url_parse(text, &url, &fault, &at);
			assert_true(at <= cut);
			ses_url_suggest(text, out, sizeof(out));
			assert_int_equal(ses_url_redact(text, out, sizeof(out)),
					 0);
			test_guard_free(copy, cut);
		}
	}
}

TEST("target, Host, origin and the URL again come from the parts")
{
	static const struct {
		const char *text, *target, *host, *origin, *again;
	} rows[] = {
		{"ws://Ann@X:80?a", "/?a", "x", "http://x", "ws://x/?a"},
		{"wss://x:443/a?", "/a?", "x", "https://x", "wss://x/a?"},
		{"wss://x:80/", "/", "x:80", "https://x:80", "wss://x:80/"},
		{"ws://x:443", "/", "x:443", "http://x:443", "ws://x:443/"},
		{"ws://[2001:DB8::1]:81/b", "/b", "[2001:db8::1]:81",
		 "http://[2001:db8::1]:81", "ws://[2001:db8::1]:81/b"},
		{"wss://[::1]", "/", "[::1]", "https://[::1]", "wss://[::1]/"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum ses_url_fault fault;
		struct ses_url url;
		char out[64];
		size_t at, n;

		ses_url_parse(bytes_of_str(rows[i].text), &url, &fault, &at);
		assert_int_equal(ses_url_target(&url, out, sizeof(out)), 0);
		assert_string_equal(out, rows[i].target);
		assert_int_equal(ses_url_host_field(&url, out, sizeof(out)), 0);
		assert_string_equal(out, rows[i].host);
		assert_int_equal(ses_url_origin(&url, out, sizeof(out)), 0);
		assert_string_equal(out, rows[i].origin);
		n = strlen(rows[i].again);
		assert_int_equal(ses_url_write(&url, out, n + 1), 0);
		assert_string_equal(out, rows[i].again);
		assert_int_equal(ses_url_write(&url, out, n), SESAME_ELIMIT);
		assert_string_equal(out, "");
		assert_int_equal(ses_url_write(&url, out, 0), SESAME_ELIMIT);
	}
}

TEST("passwords and secret-looking values are hidden, the rest stays")
{
	static const struct {
		const char *text, *redacted;
	} rows[] = {
		{"ws://x/chat?room=1", "ws://x/chat?room=1"},
		{"ws://ann:secret@x/", "ws://ann:***@x/"},
		{"ws://ann@x/", "ws://ann@x/"},
		{"ws://0123456789abcdef@x/", "ws://***@x/"},
		{"ws://x/?token=abc&room=1", "ws://x/?token=***&room=1"},
		{"ws://x?TOKEN=abc", "ws://x?TOKEN=***"},
		{"ws://x/?access_token=a;Api-Key=b",
		 "ws://x/?access_token=***;Api-Key=***"},
		{"ws://x/?key=a&keyboard=b", "ws://x/?key=***&keyboard=b"},
		{"ws://x/?subscription-key=a&fnKey=b",
		 "ws://x/?subscription-key=***&fnKey=***"},
		{"ws://x/?xauth=a&db_pass=b&passage=c",
		 "ws://x/?xauth=***&db_pass=***&passage=c"},
		{"ws://x/?%74oken=a", "ws://x/?%74oken=***"},
		{"ws://x/?auth=a&author=b", "ws://x/?auth=***&author=b"},
		{"ws://x/?X-Amz-Signature=a", "ws://x/?X-Amz-Signature=***"},
		{"ws://x/?q=eyJhbGciOiJIUzI1NiJ9.e30.x", "ws://x/?q=***"},
		{"ws://x/?eyJhbGciOiJIUzI1NiJ9.e30.x", "ws://x/?***"},
		{"ws://x/?token=", "ws://x/?token="},
		{"ws://x/?token=a=b==", "ws://x/?token=***"},
		/* under any name, but for what is plainly no secret */
		{"ws://x/?k=hunter7&room=lobby", "ws://x/?k=***&room=***"},
		{"ws://x/?EIO=4&transport=websocket&vsn=2.0.0&v=v12",
		 "ws://x/?EIO=4&transport=websocket&vsn=2.0.0&v=v12"},
		{"ws://x/?a=true&b=UTF-8&lang=de&pin=12",
		 "ws://x/?a=true&b=UTF-8&lang=de&pin=***"},
		{"ws://x/?n=123&d=2026.11&v=1.", "ws://x/?n=***&d=***&v=1."},
		{"ws://x/?swordfish&json", "ws://x/?***&json"},
		{"ws://x/?Zm9vYmFyYmF6MTIzNDU2=", "ws://x/?***="},
		{"ws://x/?a123456789012345678901234567890b=1", "ws://x/?***=1"},
		/* and nothing of a fragment */
		{"ws://x/#access_token=a", "ws://x/#***"},
		{"ws://x/a?room=1#k=hunter7&a=1#b", "ws://x/a?room=1#***"},
		{"ws://x/a#", "ws://x/a#"},
		{"ws://x/?sid=1&EIO=4", "ws://x/?sid=***&EIO=4"},
		/* however the URL is mistyped */
		{"ann:secret@x/", "ann:***@x/"},
		{"ws:ann:secret@x/", "ws:ann:***@x/"},
		{"ws:/ann:secret@x/", "ws:/ann:***@x/"},
		{"wws://ann:se@cret@x/", "wws://ann:***@x/"},
		{"ws://ann:se/cret@x/", "ws://ann:***@x/"},
		{"ws://ann:se?cr#et@x/", "ws://ann:***@x/"},
		{"ws:\\\\ann:secret@x", "ws:\\\\ann:***@x"},
		{"ws://x:8080/@me", "ws://x:8080/@me"},
		{"ws://[::1]:80/a@b", "ws://[::1]:80/a@b"},
		{"", ""},
		{"?", "?"},
		{"ws://", "ws://"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[128];
		size_t n = strlen(rows[i].redacted);

		assert_int_equal(ses_url_redact(bytes_of_str(rows[i].text), out,
						sizeof(out)),
				 0);
		assert_string_equal(out, rows[i].redacted);
		assert_int_equal(
			ses_url_redact(bytes_of_str(rows[i].text), out, n + 1),
			0);
		assert_int_equal(
			ses_url_redact(bytes_of_str(rows[i].text), out, n),
			SESAME_ELIMIT);
	}
}

TEST("every name of the list of secrets hides its value")
{
	static const char *const names[] = {
		"token",      "access_token", "id_token",  "key",
		"apikey",     "api_key",      "secret",	   "password",
		"passwd",     "auth",	      "jwt",	   "authorization",
		"sig",	      "ticket",	      "signature", "session",
		"session_id", "sid",	      "code",	   "bearer",
		"otp",	      "credential",   "hmac",	   "pwd",
		"authToken",  "clientSecret",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char text[64], out[64];

		snprintf(text, sizeof(text), "ws://x/?a=1&%s=zzz", names[i]);
		assert_int_equal(
			ses_url_redact(bytes_of_str(text), out, sizeof(out)), 0);
		assert_null(strstr(out, "zzz"));
	}
}

TEST("a Host field is a host, with or without a port, and nothing else")
{
	static const struct {
		const char *field;
		bool valid;
	} rows[] = {
		{"x", true},	     {"x:80", true},
		{"x:", true},	     {"X_y.example.", true},
		{"1.2.3.4", true},   {"[::1]:80", true},
		{"none", true},	     {"", false},
		{":80", false},	     {"x:0", false},
		{"x:65536", false},  {"x:a", false},
		{"a@x", false},	     {"x/", false},
		{"x y", false},	     {"x,y", false},
		{"x, y", false},     {"::1", false},
		{"[::1", false},     {"[::1]x", false},
		{"1.2.3", false},    {"a..b", false},
		{"x?", false},	     {"x#", false},
		{"x\\y", false},     {"http://x", false},
		{"x:80:80", false},  {"x%2e", false},
		{"\xc3\xa9", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].field);
		uint8_t *copy = test_guarded(rows[i].field, len);

		assert_int_equal(ses_url_host_field_valid(bytes_of(copy, len)),
				 rows[i].valid);
		test_guard_free(copy, len);
	}
}
