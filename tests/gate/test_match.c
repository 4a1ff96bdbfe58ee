/* SPDX-License-Identifier: MIT */
/* Tables of what matches and, more important, what does not. */
#include "gate/match.h"

#include "test.h"

static bool origin_has(const char *pattern, const char *origin)
{
	struct gate_origin_pattern p;
	const char *wrong = gate_origin_pattern_read(bytes_of_str(pattern), &p);
	uint8_t *copy;
	bool has;

	if (wrong)
		fail_msg("%s: %s", pattern, wrong);
	if (!origin)
		return gate_origin_pattern_has(&p, bytes_of(NULL, 0));
	copy = test_guarded(origin, strlen(origin));
	has = gate_origin_pattern_has(&p, bytes_of(copy, strlen(origin)));
	test_guard_free(copy, strlen(origin));
	return has;
}

TEST("an origin matches by scheme, host and port, and by nothing less")
{
	static const struct {
		const char *pattern, *origin;
		bool has;
	} rows[] = {
		{"https://app.example", "https://app.example", true},
		{"https://app.example", "https://APP.example", true},
		{"https://APP.example", "HTTPS://app.EXAMPLE", true},
		{"https://app.example", "https://app.example:443", true},
		{"https://app.example:443", "https://app.example", true},
		{"http://app.example", "http://app.example:80", true},
		{"https://app.example:8443", "https://app.example:8443", true},
		{"https://[::1]:8443", "https://[::1]:8443", true},
		/* prefix, suffix, port, scheme, case of what is near */
		{"https://app.example", "https://app.example.evil.example",
		 false},
		{"https://app.example", "https://evilapp.example", false},
		{"https://app.example", "https://evil-app.example", false},
		{"https://app.example", "https://app.examplee", false},
		{"https://app.example", "https://app.exampl", false},
		{"https://app.example", "http://app.example", false},
		{"https://app.example", "https://app.example:8443", false},
		{"https://app.example", "https://app.example:80", false},
		{"https://app.example:8443", "https://app.example", false},
		{"https://app.example", "https://app.example.", false},
		{"https://app.example", "https://app.example/", false},
		{"https://app.example", "https://app.example/x", false},
		{"https://app.example", "https://app.example@evil.example",
		 false},
		{"https://app.example", "https://evil.example#app.example",
		 false},
		{"https://app.example", "https://evil.example?app.example",
		 false},
		{"https://app.example", "https://user@app.example", false},
		{"https://app.example", "https://app.example:", false},
		{"https://app.example", "https://app.example:0443", true},
		{"https://app.example", "https://app.example:443:1", false},
		{"https://app.example", "https://app.example:65979", false},
		{"https://app.example", "//app.example", false},
		{"https://app.example", "app.example", false},
		{"https://app.example", "https:/app.example", false},
		{"https://app.example", "https://", false},
		{"https://app.example", "", false},
		{"https://app.example", "null", false},
		{"https://app.example", "https://app\xc2\xad.example", false},
		{"https://xn--bcher-kva.example",
		 "https://xn--bcher-kva.example", true},
		{"https://xn--bcher-kva.example",
		 "https://b\xc3\xbc"
		 "cher.example",
		 false},
		{"https://1.2.3.4", "https://1.2.3.4", true},
		{"https://[::1]", "https://[::2]", false},
		{"https://[::1]", "https://::1", false},
		/* one label, and one only */
		{"https://*.example.org", "https://a.example.org", true},
		{"https://*.example.org", "https://A-1.Example.ORG", true},
		{"https://*.example.org", "https://example.org", false},
		{"https://*.example.org", "https://.example.org", false},
		{"https://*.example.org", "https://a.b.example.org", false},
		{"https://*.example.org", "https://aexample.org", false},
		{"https://*.example.org", "https://a.example.org.evil.example",
		 false},
		{"https://*.example.org", "http://a.example.org", false},
		{"https://*.example.org", "https://a.example.org:8443", false},
		{"https://*.example.org:8443", "https://a.example.org:8443",
		 true},
		/* values of their own */
		{"*", "https://any.example", true},
		{"*", "null", true},
		{"*", "garbage", true},
		{"*", NULL, true},
		{"none", NULL, true},
		{"none", "https://app.example", false},
		{"none", "none", false},
		{"none", "", false},
		{"null", "null", true},
		{"null", "NULL", false},
		{"null", NULL, false},
		{"https://app.example", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (origin_has(rows[i].pattern, rows[i].origin) != rows[i].has)
			fail_msg("%s %s %s", rows[i].pattern,
				 rows[i].has ? "must have" : "must not have",
				 rows[i].origin ? rows[i].origin : "(none)");
}

TEST("an origin pattern that could match a foreign name is no pattern")
{
	static const char *const rows[] = {
		"app.example",
		"https://*app.example",
		"https://app.example*",
		"https://a*.example.org",
		"https://*.*.example.org",
		"https://app.*.example",
		"https://*.org",
		"https://*",
		"https://*.",
		"*.example.org",
		"https://app.example/",
		"https://app.example/x",
		"https://u@app.example",
		"https://app.example:*",
		"https://app.example:0",
		"https://app.example:65536",
		("https://b\xc3\xbc"
		 "cher.example"),
		"https://",
		"https:/app.example",
		"https//app.example",
		"",
		"https://*.ex ample.org",
		"htt ps://app.example",
		"https://app..example/",
	};
	struct gate_origin_pattern p;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!gate_origin_pattern_read(bytes_of_str(rows[i]), &p))
			fail_msg("%s was taken", rows[i]);
}

TEST("a page of the same host and port is known whatever its scheme")
{
	static const struct {
		const char *origin, *host;
		bool same;
	} rows[] = {
		{"http://a.example", "a.example", true},
		{"https://a.example", "a.example", true},
		{"https://a.example", "A.EXAMPLE", true},
		{"https://a.example", "a.example:443", true},
		{"http://a.example:8080", "a.example:8080", true},
		{"http://[::1]:8080", "[::1]:8080", true},
		{"http://[::1]", "[::1]", true},
		{"http://a.example:8080", "a.example", false},
		{"http://a.example", "a.example:8080", false},
		{"https://a.example", "a.example:80", false},
		{"http://b.example", "a.example", false},
		{"http://a.example.b.example", "a.example", false},
		{"http://a.example.", "a.example", false},
		{"HTTPS://a.example", "a.example", true},
		{"ftp://a.example", "a.example", false},
		{"x://a.example", "a.example", false},
		{"null", "null", false},
		{"", "", false},
		{"http://", "", false},
		{"a.example", "a.example", false},
		{"http://a.example", "", false},
		{"http://a.example:x", "a.example:x", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (gate_origin_is_same(bytes_of_str(rows[i].origin),
					bytes_of_str(rows[i].host),
					false) != rows[i].same)
			fail_msg("%s and %s", rows[i].origin, rows[i].host);
}

TEST("who came by TLS comes from an https page of the same host")
{
	struct bytes host = BYTES("a.example");

	assert_true(gate_origin_is_same(BYTES("https://a.example"), host, true));
	assert_true(gate_origin_is_same(BYTES("HTTPS://a.example:443"), host,
					true));
	assert_false(gate_origin_is_same(BYTES("http://a.example"), host, true));
	assert_false(gate_origin_is_same(BYTES("http://a.example:443"),
					 BYTES("a.example:443"), true));
}

static bool network_has(const char *network, const char *address)
{
	struct gate_network net;
	struct gate_address a;
	const char *wrong = gate_network_read(bytes_of_str(network), &net);

	if (wrong)
		fail_msg("%s: %s", network, wrong);
	if (!gate_address_read(bytes_of_str(address), &a))
		fail_msg("%s is no address", address);
	return gate_network_has(&net, &a);
}

TEST("a network has the addresses below its prefix, in both families")
{
	static const struct {
		const char *network, *address;
		bool has;
	} rows[] = {
		{"0.0.0.0/0", "1.2.3.4", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "::1", true},
		{"::/0", "1.2.3.4", true}, /* as ::ffff:1.2.3.4 */
		{"203.0.113.0/24", "203.0.113.255", true},
		{"203.0.113.0/24", "203.0.114.0", false},
		{"203.0.113.0/24", "::ffff:203.0.113.9", true},
		{"203.0.113.8/29", "203.0.113.15", true},
		{"203.0.113.8/29", "203.0.113.16", false},
		{"203.0.113.8/29", "203.0.113.7", false},
		{"203.0.113.9", "203.0.113.9", true},
		{"203.0.113.9/32", "203.0.113.8", false},
		{"::ffff:203.0.113.0/120", "203.0.113.9", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"2001:db8::1", "2001:DB8:0::1", true},
		{"2001:db8::1/128", "2001:db8::2", false},
		{"128.0.0.0/1", "127.255.255.255", false},
		{"128.0.0.0/1", "128.0.0.0", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (network_has(rows[i].network, rows[i].address) != rows[i].has)
			fail_msg("%s and %s", rows[i].network, rows[i].address);
}

TEST("what is no network is told so")
{
	static const char *const rows[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/a",
		"10.0.0.1/8",
		"10.0.0/8",
		"010.0.0.1",
		"10.0.0.256",
		"::/129",
		"2001:db8::1/32",
		"[::1]",
		"::1%lo",
		"example.org",
		"10.0.0.0/8/8",
		"10.0.0.0 /8",
	};
	struct gate_network net;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!gate_network_read(bytes_of_str(rows[i]), &net))
			fail_msg("%s was taken", rows[i]);
}

TEST("a glob's star is any text, and case does not count")
{
	static const struct {
		const char *glob, *text;
		bool has;
	} rows[] = {
		{"*", "", true},
		{"*", "abc", true},
		{"", "", true},
		{"", "a", false},
		{"abc", "ABC", true},
		{"abc", "abcd", false},
		{"*bot*", "a BadBot 2", true},
		{"*bot*", "b o t", false},
		{"a*c", "ac", true},
		{"a*c", "abbbc", true},
		{"a*c", "abbbcd", false},
		{"*a*b*c*", "xaxbxcx", true},
		{"*a*b*c", "xaxbxcx", false},
		{"**", "x", true},
		{"a*a", "a", false},
		{"a*a*a", "aaa", true},
		{"a?c", "abc", false},
		{"a?c", "a?c", true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (gate_glob_has(bytes_of_str(rows[i].glob),
				  bytes_of_str(rows[i].text)) != rows[i].has)
			fail_msg("%s and %s", rows[i].glob, rows[i].text);
}

TEST("a path pattern has its paths, however they are encoded")
{
	static const struct {
		const char *pattern, *path;
		bool has;
	} rows[] = {
		{"/chat", "/chat", true},
		{"/chat", "/Chat", false},
		{"/chat", "/chat/", false},
		{"/chat", "/chatx", false},
		{"/chat/*", "/chat/a", true},
		{"/chat/*", "/chat/", false},
		{"/chat/*", "/chat", false},
		{"/chat/*", "/chat/a/b", false},
		{"/chat/*", "/chat/a/", false},
		{"/l/**", "/l/", true},
		{"/l/**", "/l", false},
		{"/l/**", "/l/a/b", true},
		{"/l/**", "/lx/a", false},
		{"/**", "/", true},
		{"/**", "/a/b/c", true},
		{"/*", "/a", true},
		{"/*", "/", false},
		{"/", "/", true},
		{"/@ops/**", "/%40ops/x", true},
		{"/%40ops/**", "/@ops/x", true},
		{"/caf%C3%A9", "/caf%c3%a9", true},
		{"/caf%C3%A9", "/caf%c3", false},
		{"/a%20b/*", "/a%20b/%21", true},
		{"/a!", "/a%21", true},
		{"/a!", "/a%2", false},
	};
	struct gate_path_pattern p;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_null(gate_path_pattern_read(
			bytes_of_str(rows[i].pattern), &p));
		if (gate_path_pattern_has(&p, bytes_of_str(rows[i].path)) !=
		    rows[i].has)
			fail_msg("%s and %s", rows[i].pattern, rows[i].path);
	}
}

TEST("the dot of the root takes no origin out of an exclusion")
{
	static const struct {
		const char *pattern, *origin;
		bool has, excludes;
	} rows[] = {
		{"https://e.example", "https://e.example", true, true},
		{"https://e.example", "https://e.example.", false, true},
		{"https://e.example", "https://e.example.:443", false, true},
		{"https://e.example", "https://e.example..", false, false},
		{"https://e.example", "http://e.example.", false, false},
		{"https://*.e.example", "https://a.e.example.", false, true},
		{"https://*.e.example", "https://e.example.", false, false},
		{"null", "null", true, true},
		{"null", "https://e.example.", false, false},
		{"none", NULL, true, true},
	};
	struct gate_origin_pattern p;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes origin = bytes_of_str(rows[i].origin);

		assert_null(gate_origin_pattern_read(
			bytes_of_str(rows[i].pattern), &p));
		if (gate_origin_pattern_has(&p, origin) != rows[i].has ||
		    gate_origin_pattern_excludes(&p, origin) != rows[i].excludes)
			fail_msg("%s and %s", rows[i].pattern, rows[i].origin);
	}
}

TEST("a pattern covers another when it has all of its paths")
{
	static const struct {
		const char *a, *b;
		bool covers;
	} rows[] = {
		{"/a", "/a", true},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/**", false},
		{"/a/**", "/a/*", true},
		{"/a/**", "/a/b/**", true},
		{"/a/b/**", "/a/**", false},
		{"/**", "/x", true},
		{"/a/**", "/a", false},
		{"/a/*", "/a/*", true},
		{"/a/*", "/b/*", false},
		{"/a", "/a/*", false},
		{"/@a/**", "/%40a/b/*", true},
		{"/caf%c3%a9", "/caf%C3%A9", true},
	};
	struct gate_path_pattern a, b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		gate_path_pattern_read(bytes_of_str(rows[i].a), &a);
		gate_path_pattern_read(bytes_of_str(rows[i].b), &b);
		if (gate_path_pattern_covers(&a, &b) != rows[i].covers)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

TEST("a path that two programs may read as two paths is found out")
{
	static const char *const bad[] = {
		"//",	      "/a//b",
		"/./a",	      "/a/.",
		"/a/..",      "/../a",
		"/a/../b",    "/a%2fb",
		"/a%2Fb",     "/a%5cb",
		"/a\\b",      "/a;b",
		"/a;/b",      "/a%3bb",
		"/a%00",      "/a%3Fx",
		"/a%23x",     "/%f8%80%80%80%af",
		"/a%0d%0a",   "/a%252f",
		"/a%2",	      "/a%",
		"/a%zz",      "/%61dmin",
		"/a%2eb",     "/%2e%2e/b",
		"/a#b",	      "/a%7fb",
		"/a%7Eb",     "/%41",
		"/%c0%ae",    "/%C1%9c",
		"/%e0%80%af", "/%f0%80%80%af",
	};
	static const char *const good[] = {
		"/",	      "/a",	"/a/b",		 "/a/",	   "/a.b",
		"/.a",	      "/a..",	"/...",		 "/a%20b", "/%c3%bc",
		"/a@b:c",     "/a,b=c", "/~a",		 "/a-b_c", "/caf%e9",
		"/%e0%a0%80", "/%e0",	"/%f0%9f%98%80",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t *copy = test_guarded(bad[i], strlen(bad[i]));

		if (!gate_path_ambiguity(bytes_of(copy, strlen(bad[i]))))
			fail_msg("%s passed", bad[i]);
		test_guard_free(copy, strlen(bad[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (gate_path_ambiguity(bytes_of_str(good[i])))
			fail_msg("%s: %s", good[i],
				 gate_path_ambiguity(bytes_of_str(good[i])));
}

TEST("an address is written as it is read")
{
	static const char *const texts[] = {
		"0.0.0.0",    "9.10.99.100", "192.0.2.7", "255.255.255.255",
		"10.101.0.1", "::",	     "::1",	  "2001:db8::ff00:1",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char out[GATE_ADDRESS_TEXT];
		struct gate_address a;

		assert_true(gate_address_read(bytes_of_str(texts[i]), &a));
		assert_string_equal(gate_address_format(&a, out), texts[i]);
	}
	assert_memory_equal(
		gate_address_of_v4((const uint8_t *)"\x7f\0\0\1").bytes,
		"\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
}
