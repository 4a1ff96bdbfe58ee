/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "doctor/case.h"
#include "doctor/route.h"

#define MAX_WORDS 24

static void clear_environment(void)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "all_proxy", "no_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
}

/* What was told on standard error during open_words(). */
static char told[4096];

static int open_words(struct doctor_case *c, const char *const *words)
{
	char *argv[MAX_WORDS + 2] = {(char *)"doctor"};
	FILE *catch = tmpfile();
	int argc = 1, saved = dup(2), status;
	size_t n;

	while (words[argc - 1] && argc <= MAX_WORDS) {
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	fflush(stderr);
	dup2(fileno(catch), 2);
	status = doctor_case_open(c, argc, argv);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	rewind(catch);
	n = fread(told, 1, sizeof(told) - 1, catch);
	told[n] = 0;
	fclose(catch);
	return status;
}

#define OPEN(c, ...) open_words((c), (const char *const[]){__VA_ARGS__, NULL})

static const char *value_of(const struct doctor_case *c, const char *name)
{
	const struct doctor_header *h = doctor_case_header(c, name);

	return h ? h->value : NULL;
}

TEST("a bare URL is asked for as a plain program asks")
{
	struct doctor_case c;

	clear_environment();
	assert_int_equal(OPEN(&c, "ws://127.0.0.1:8080/chat?room=1"), 0);
	assert_int_equal(c.url_error, 0);
	assert_true(bytes_equal_str(c.url.host, "127.0.0.1"));
	assert_int_equal(c.url.port, 8080);
	assert_null(c.origin);
	assert_false(c.origin_given);
	assert_int_equal(strncmp(c.user_agent, "sesame/", 7), 0);
	assert_non_null(strstr(c.user_agent, "(doctor)"));
	assert_int_equal(c.max_probes, 20);
	assert_int_equal(c.timeout_ms, 5000);
	assert_int_equal(c.hold_ms, 0);
	assert_null(c.proxy);
	assert_int_equal(c.n_headers, 0);
	doctor_case_close(&c);
}

TEST("options are taken in every way of writing them, before and after the URL")
{
	struct doctor_case c;

	clear_environment();
	assert_int_equal(OPEN(&c, "--origin=https://app.example", "-k4v",
			      "ws://h/", "-A", "curl/8", "--timeout", "1.5",
			      "--max-probes", "7", "--hold=90", "--json",
			      "-HX-One: 1", "-H", "X-Two:  2 "),
			 0);
	assert_string_equal(c.origin, "https://app.example");
	assert_true(c.insecure && c.verbose && c.json);
	assert_int_equal(c.family, 4);
	assert_string_equal(c.user_agent, "curl/8");
	assert_true(c.user_agent_given);
	assert_int_equal(c.timeout_ms, 1500);
	assert_int_equal(c.max_probes, 7);
	assert_int_equal(c.hold_ms, 90000);
	assert_string_equal(value_of(&c, "x-one"), "1");
	assert_string_equal(value_of(&c, "X-Two"), "2");
	doctor_case_close(&c);
}

TEST("a field given by -H means the same as its own option")
{
	struct doctor_case c;

	clear_environment();
	assert_int_equal(OPEN(&c, "-H", "Origin: https://a.example", "-H",
			      "user-agent: Bot", "-H", "HOST: inner:81", "-H",
			      "Sec-WebSocket-Protocol: a,b", "--subprotocol=c",
			      "-H", "Cookie: s=1", "-b", "t=2", "ws://h/"),
			 0);
	assert_string_equal(c.origin, "https://a.example");
	assert_true(c.origin_given);
	assert_string_equal(c.user_agent, "Bot");
	assert_string_equal(c.host, "inner:81");
	assert_string_equal(c.subprotocols, "a, b, c");
	assert_string_equal(value_of(&c, "Cookie"), "s=1; t=2");
	assert_int_equal(c.n_headers, 1);
	doctor_case_close(&c);
	assert_int_equal(
		OPEN(&c, "--origin", "https://a", "--no-origin", "ws://h/"), 0);
	assert_null(c.origin);
	assert_true(c.origin_given);
	doctor_case_close(&c);
}

static void expect_basic(const char *userinfo, const char *plain)
{
	char url[256], code[256] = "Basic ";
	struct doctor_case c;

	snprintf(url, sizeof(url), "ws://%s@h/", userinfo);
	code[6 + ses_base64_encode(bytes_of_str(plain), code + 6)] = 0;
	assert_int_equal(OPEN(&c, url), 0);
	assert_string_equal(value_of(&c, "Authorization"), code);
	doctor_case_close(&c);
}

TEST("user and password in the URL become Authorization: Basic, decoded")
{
	struct doctor_case c;

	clear_environment();
	expect_basic("ann:secret", "ann:secret");
	expect_basic("ann:s%40c%3Aret", "ann:s@c:ret");
	expect_basic("ann", "ann:");
	assert_int_equal(
		OPEN(&c, "-H", "Authorization: Bearer x", "ws://ann:secret@h/"),
		0);
	assert_int_equal(c.n_headers, 1);
	assert_string_equal(value_of(&c, "Authorization"), "Bearer x");
	doctor_case_close(&c);
}

TEST("http and https are examined as ws and wss, and noted")
{
	struct doctor_case c;

	clear_environment();
	assert_int_equal(OPEN(&c, "https://h/chat"), 0);
	assert_int_equal(c.url_error, 0);
	assert_int_equal(c.url_fault, SES_URL_HTTP);
	assert_true(c.url.tls);
	doctor_case_close(&c);
}

TEST("a malformed URL is a case too, not wrong usage")
{
	struct doctor_case c;

	clear_environment();
	assert_int_equal(OPEN(&c, "wws://h/"), 0);
	assert_true(c.url_error < 0);
	doctor_case_close(&c);
}

TEST("wrong usage is told with what would be right, and status 2")
{
	static const struct {
		const char *words[4];
		const char *says;
	} rows[] = {
		{{NULL}, "which URL?"},
		{{"--no-origin"}, "which URL?"},
		{{"ws://h/", "ws://g/"}, "one URL, please"},
		{{"--orgin", "x", "ws://h/"}, "did you mean --origin"},
		{{"--frobnicate", "ws://h/"}, "there is no option"},
		{{"-kZ", "ws://h/"}, "there is no option -Z\n"},
		{{"--hat", "x", "ws://h/"}, "did you mean --har"},
		{{"ws://h/", "--origin"}, "--origin wants a value"},
		{{"ws://h/", "-H"}, "-H wants a value"},
		{{"--json=1", "ws://h/"}, "takes no value"},
		{{"-H", "no colon", "ws://h/"}, "no colon"},
		{{"-H", "b ad: x", "ws://h/"}, "field name"},
		{{"-H", "X: a\r\nY: b", "ws://h/"}, "control character"},
		{{"--origin", "a\nb", "ws://h/"}, "control character"},
		{{"-b", "a\nb", "ws://h/"}, "control character"},
		{{"--subprotocol", "a b", "ws://h/"}, "subprotocol"},
		{{"-u", "ann", "ws://h/"}, "NAME:PASSWORD"},
		{{"--timeout", "soon", "ws://h/"}, "seconds"},
		{{"--timeout", "0", "ws://h/"}, "seconds"},
		{{"--timeout", "nan", "ws://h/"}, "seconds"},
		{{"--max-probes", "0", "ws://h/"}, "from 1 to"},
		{{"--max-probes", "41", "ws://h/"}, "from 1 to"},
		{{"--source", "eth0", "ws://h/"}, "address of this machine"},
		{{"--resolve", "h:80", "ws://h/"}, "HOST:PORT:ADDRESS"},
		{{"--connect-to", "h", "ws://h/"}, "H1:P1:H2:P2"},
		{{"-x", "ftp://p:1", "ws://h/"}, "proxy"},
		{{"--key", "k.pem", "ws://h/"}, "--key without --cert"},
		{{"--cacert", "/nowhere/ca.pem", "wss://h/"}, "/nowhere/ca.pem"},
		{{"--cert", "/nowhere/c.pem", "wss://h/"}, "/nowhere/c.pem"},
	};
	struct doctor_case c;

	clear_environment();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *words[5] = {0};

		memcpy(words, rows[i].words, sizeof(rows[i].words));
		if (open_words(&c, words) != 2 || !strstr(told, rows[i].says))
			fail_msg("row %zu: told \"%s\"", i, told);
	}
}

TEST("-4 and an IPv6 source address exclude each other")
{
	struct doctor_case c;

	assert_int_equal(OPEN(&c, "-4", "--source", "::1", "ws://h/"), 2);
	assert_int_equal(OPEN(&c, "-6", "--source", "::1", "ws://h/"), 0);
	doctor_case_close(&c);
}

TEST("the proxy comes from the option, else from the variable for the scheme")
{
	static const struct {
		const char *url, *variable, *proxy;
	} rows[] = {
		{"ws://h/", "http_proxy", "http://p:1"},
		{"ws://h/", "HTTP_PROXY",
		 NULL}, /* a CGI's client could set it */
		{"ws://h/", "https_proxy", NULL},
		{"ws://h/", "all_proxy", "http://p:1"},
		{"wss://h/", "https_proxy", "http://p:1"},
		{"wss://h/", "HTTPS_PROXY", "http://p:1"},
		{"wss://h/", "http_proxy", NULL},
		{"wss://h/", "ALL_PROXY", "http://p:1"},
	};
	struct doctor_case c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		clear_environment();
		setenv(rows[i].variable, "p:1", 1);
		assert_int_equal(OPEN(&c, rows[i].url), 0);
		if (rows[i].proxy) {
			assert_string_equal(c.proxy, rows[i].proxy);
			assert_string_equal(c.proxy_from, rows[i].variable);
		} else if (c.proxy) {
			fail_msg("row %zu: %s", i, c.proxy);
		}
		doctor_case_close(&c);
	}
	clear_environment();
	setenv("http_proxy", "p:1", 1);
	assert_int_equal(OPEN(&c, "--no-proxy", "ws://h/"), 0);
	assert_null(c.proxy);
	doctor_case_close(&c);
	assert_int_equal(OPEN(&c, "-x", "socks5://q:2", "ws://h/"), 0);
	assert_string_equal(c.proxy, "socks5://q:2");
	assert_string_equal(c.proxy_from, "--proxy");
	doctor_case_close(&c);
	setenv("no_proxy", "h", 1);
	assert_int_equal(OPEN(&c, "ws://h/"), 0);
	assert_null(c.proxy);
	doctor_case_close(&c);
	assert_int_equal(OPEN(&c, "-x", "q:2", "ws://h/"), 0);
	assert_string_equal(c.proxy, "http://q:2");
	doctor_case_close(&c);
	clear_environment();
}

TEST("no_proxy names hosts, domains, addresses and networks")
{
	static const struct {
		const char *list, *host;
		bool excluded;
	} rows[] = {
		{"example.org", "example.org", true},
		{"example.org", "EXAMPLE.org", true},
		{"example.org", "www.example.org", true},
		{".example.org", "www.example.org", true},
		{".example.org", "example.org", true},
		{"example.org", "badexample.org", false},
		{"example.org", "example.org.evil", false},
		{"a, b c", "c", true},
		{"*", "anything", true},
		{"", "h", false},
		{",,", "h", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.0/8", "127.9.9.9", true},
		{"10.0.0.0/9", "10.128.0.1", false},
		{"10.0.0.0/33", "10.0.0.1", false},
		{"::1", "::1", true},
		{"fe80::/10", "fe81::1", true},
		{"0.0.0.0/0", "::1", false},
		{"0.1", "127.0.0.1", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (doctor_route_excluded(bytes_of_str(rows[i].host),
					  rows[i].list) != rows[i].excluded)
			fail_msg("row %zu", i);
}

TEST("--resolve and --connect-to apply to the URL's host and port alone")
{
	static const struct {
		const char *option, *value, *host;
		int port;
	} rows[] = {
		{"--resolve", "h:81:127.0.0.2", "127.0.0.2", 0},
		{"--resolve", "H:81:[::1]", "::1", 0},
		{"--resolve", "*:81:127.0.0.2,127.0.0.3", "127.0.0.2", 0},
		{"--resolve", "h:82:127.0.0.2", NULL, 0},
		{"--resolve", "g:81:127.0.0.2", NULL, 0},
		{"--connect-to", "h:81:other:90", "other", 90},
		{"--connect-to", "::other:", "other", 0},
		{"--connect-to", "::[::1]:90", "::1", 90},
		{"--connect-to", ":::90", "h", 90},
		{"--connect-to", "g::other:90", NULL, 0},
	};
	struct doctor_case c;

	clear_environment();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (OPEN(&c, rows[i].option, rows[i].value, "ws://h:81/"))
			fail_msg("row %zu: %s", i, told);
		if (rows[i].host) {
			assert_non_null(c.connect_host);
			assert_string_equal(c.connect_host, rows[i].host);
			assert_int_equal(c.connect_port, rows[i].port);
		} else {
			assert_null(c.connect_host);
		}
		doctor_case_close(&c);
	}
}

TEST("a way that cannot be gone is told before any server is blamed for it")
{
	static const struct {
		const char *words[8], *says;
	} rows[] = {
		{{"-6", "ws://127.0.0.1/"}, "leave out -6"},
		{{"-4", "ws://[::1]/"}, "leave out -4"},
		{{"-6", "--resolve", "h:80:127.0.0.1", "ws://h/"},
		 "127.0.0.1 is an IPv4 address"},
		{{"-6", "-x", "http://127.0.0.1:3128", "ws://[::1]/"},
		 "127.0.0.1 is an IPv4 address"},
		{{"--source", "127.0.0.2", "ws://[::1]/"}, "leave out --source"},
		{{"--source", "192.0.2.7", "ws://h/"},
		 "no address of this machine; `ip address` lists"},
	};
	struct doctor_case c;

	clear_environment();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(open_words(&c, rows[i].words), 2);
		if (!strstr(told, rows[i].says))
			fail_msg("%s: %s", rows[i].says, told);
	}
	assert_int_equal(OPEN(&c, "-4", "ws://127.0.0.1/"), 0);
	doctor_case_close(&c);
	assert_int_equal(
		OPEN(&c, "-6", "--connect-to", "::[::1]:", "ws://127.0.0.1/"),
		0);
	doctor_case_close(&c);
}
