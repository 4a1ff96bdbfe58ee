/* SPDX-License-Identifier: MIT */
/* Faults by their lines, and values that come out as they were meant. */
#include "gate/config.h"

#include "gate/credential.h"

#include "gate/value.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct gate_policy *parse(const char *text, struct ses_buf *errors)
{
	size_t len = strlen(text);
	uint8_t *copy = test_guarded(text, len);
	struct gate_policy *p;

	ses_buf_init(errors, 1 << 20);
	p = gate_config_parse("t.yaml", bytes_of(copy, len), false, errors);
	test_guard_free(copy, len);
	return p;
}

#define ROUTE "routes: [{path: /, to: echo"

TEST("each fault is told with its line, its column and what helps")
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"", "t.yaml: the file is empty"},
		{"# nothing\n", "t.yaml: the file is empty"},
		{"~\n", "t.yaml: the file is empty"},
		{"%YAML 1.2\n---\na: b\n",
		 "t.yaml:1:1: this is not YAML: a line begins with %"},
		{"%: &x [\xcd\xcd\xcd\xbe}x]\n",
		 "t.yaml:1:1: this is not YAML: it is not UTF-8"},
		{"a: b\nc: \x01\n",
		 "t.yaml:2:1: this is not YAML: it holds a control byte"},
		{"words\n", "t.yaml:1:1: a configuration is a map"},
		{"[1]\n", "t.yaml:1:2: a configuration is a map"},
		{"a: [b\n", "this is not YAML"},
		{"\"a\n", "this is not YAML"},
		{"\ta: b\n", "this is not YAML"},
		{"listen: []\n", "t.yaml:1:1: `routes` is missing"},
		{"routes: x\n", "t.yaml:1:9: routes: a list is needed here, "
				"not a single value"},
		{"routes: {a: b}\n",
		 "t.yaml:1:10: routes: a list is needed here, not a map"},
		{"routes[].mode: observe\n",
		 "t.yaml:1:1: unknown key `routes[].mode`"},
		{ROUTE "}]\n---\nroutes: []\n",
		 "t.yaml:3:1: a second document"},
		{ROUTE "}]\n---\na: [b\n", "this is not YAML"},
		{"routes:\n", "routes: a list is needed here, not nothing"},
		{"routes: []\n", "routes has 0 elements; 1 to 4096 may be"},
		{"routes: [1]\n",
		 "t.yaml:1:10: routes: a map with a path is needed"},
		{"routes: [{}]\n", "`path` is missing"},
		{"routes: [{to: echo}]\n", "t.yaml:1:11: `path` is missing"},
		{"routes: [{path: /}]\n", "t.yaml:1:11: `to` is missing"},
		{ROUTE ", too: x}]\n",
		 "t.yaml:1:30: unknown key `too` (did you mean `to`?)"},
		{ROUTE ", origins: [a]}]\n",
		 "(it belongs at `routes[].allow.origins`)"},
		{ROUTE ", allow: {origin: [a]}}]\n",
		 "unknown key `origin` here (it belongs at `routes[].origin`); "
		 "did you mean `origins`?"},
		{ROUTE ", allow: {addresses: [!10.0.0.0/8, 192.0.2.1]}}]\n",
		 "addresses: for YAML a word that begins with ! is a tag; "
		 "write the entry in quotes: \"!10.0.0.0/8\""},
		{ROUTE ", allow: {addresses: [! 10.0.0.0/8]}}]\n",
		 "write the entry in quotes: \"!10.0.0.0/8\""},
		{"routes:\n- path: /\n  to: echo\n  allow:\n    user_agents:\n"
		 "    - !*bot*\n",
		 "t.yaml:6:"},
		{ROUTE ", allow: {origins: [*]}}]\n",
		 "a value that begins with * is written in quotes: \"*\""},
		{ROUTE ", zzzzzzzz: 1}]\n", "unknown key `zzzzzzzz`\n"},
		{ROUTE ", path: /x}]\n",
		 "t.yaml:1:30: `path` stands here a second time"},
		{ROUTE "}]\nroutes: []\n",
		 "t.yaml:2:1: `routes` stands here a second time"},
		{ROUTE ", [a]: b}]\n", "a key is a single word"},
		{"routes: [{path: chat, to: echo}]",
		 "t.yaml:1:17: path `chat` must begin with a slash"},
		{"routes: [{path: /a*, to: echo}]",
		 "may have * or ** only as its last segment"},
		{"routes: [{path: /a/*/b, to: echo}]",
		 "may have * or ** only as its last segment"},
		{"routes: [{path: /a?b=c, to: echo}]",
		 "routes are chosen by path alone"},
		{"routes: [{path: \"/a b\", to: echo}]", "write it as %XX"},
		{"routes: [{path: /a/../b, to: echo}]",
		 "no request is admitted with"},
		{"routes: [{path: /, to: ehco}]", "did you mean `echo`?"},
		{"routes: [{path: /, to: \"ws:/x\"}]",
		 "t.yaml:1:25: to: `ws:/x`: "},
		{"routes: [{path: /, to: \"ws://x:99999\"}]",
		 "to: `ws://x:99999`: "},
		{"routes: [{path: /, to: \"http://x\"}]", "to: `http://x`: "},
		{"routes: [{path: /, to: \"ws://x/?q\"}]", "has a query"},
		{"routes: [{path: /, to: \"ws://u:p@x/\"}]", "has a user name"},
		{"routes: [{path: /, to: }]",
		 "to: a single value is needed here, not nothing"},
		{"routes: [{path: /, to: [echo]}]",
		 "t.yaml:1:25: to: `echo` is nothing known; it is "
		 "ws://HOST:PORT"},
		{"routes: [{path: /, to: \"https://x\"}]",
		 "(did you mean `wss://x"},
		{"routes: [{path: /, to: \"http://a:1\"}]",
		 "(did you mean `ws://a:1`?)"},
		{"routes: [{path: /, to: \"localhost:3000\"}]",
		 "(did you mean `ws://localhost:3000`?)"},
		{ROUTE ", host: x}]\n", "this route leads to echo"},
		{"routes: [{path: /, to: \"ws://x\", host: \"a b\"}]",
		 "is no Host field"},
		{"routes: [{path: /, to: \"ws://x\", limits: {messages: 1}}]",
		 "messages is a rate, as in 50/second, not `1`"},
		{ROUTE ", mode: on}]\n",
		 "mode is one of enforce|observe, not `on`"},
		{ROUTE ", allow: [x]}]\n",
		 "allow: a map is needed here, not a list"},
		{ROUTE ", allow: {origins: https://a.example}}]\n",
		 "origins: a list is needed here"},
		{ROUTE ", allow: {origins: [a.example]}}]\n",
		 "t.yaml:1:48: origins: `a.example` has no scheme"},
		{ROUTE ", allow: {origins: [[a]]}}]\n",
		 "origins: a single value is needed"},
		{ROUTE ", allow: {origins: [\"https://*app.example\"]}}]\n",
		 "would match foreign names"},
		{ROUTE ", allow: {addresses: [10.0.0.1/8]}}]\n",
		 "has bits set after its prefix"},
		{ROUTE ", allow: {addresses: [\"!x\"]}}]\n",
		 "addresses: `!x` is neither"},
		{ROUTE ", allow: {hosts: [a.*]}}]\n", "whole first label"},
		{ROUTE ", allow: {hosts: [\"https://a\"]}}]\n",
		 "no scheme and no path"},
		{ROUTE ", allow: {hosts: [\"*.\"]}}]\n",
		 "hosts: `*.` is no Host field"},
		{ROUTE ", allow: {hosts: [\"!*.\"]}}]\n",
		 "hosts: `!*.` is no Host field"},
		{ROUTE ", allow: {hosts: [\"*.:80\"]}}]\n",
		 "hosts: `*.:80` is no Host field"},
		{ROUTE ", allow: {hosts: [\":80\"]}}]\n",
		 "hosts: `:80` is no Host field"},
		{ROUTE ", allow: {hosts: []}}]\n",
		 "hosts has no entry; leave it out for the default (any Host)"},
		{ROUTE ", allow: {addresses: []}}]\n",
		 "addresses has no entry"},
		{ROUTE ", allow: {origins: }}]\n", "origins has no entry"},
		{ROUTE ", limits: {message: 1XB}}]\n", "message is a size"},
		{ROUTE ", limits: {message: 0}}]\n",
		 "0 is out of range: message allows 1 to 1GiB"},
		{ROUTE ", limits: {message: 2GiB}}]\n", "is out of range"},
		{ROUTE ", limits: {message: 99999999999999999999}}]\n",
		 "message is a size"},
		{ROUTE ", limits: {idle: 5}}]\n", "a time with its unit"},
		{ROUTE ", limits: {idle: 1ms}}]\n",
		 "out of range: idle allows 1s to 24h"},
		{ROUTE ", limits: {connections: 1.5}}]\n", "a whole number"},
		{ROUTE "}]\nlisten: [{}]\n", "`address` is missing"},
		{ROUTE "}]\nlisten: [{address: \"[::1]:80\"}, {address: "
		       "\"[0::1]:80\"}]\n",
		 "t.yaml:2:34: this address has a listener already, at line "
		 "2"},
		{ROUTE "}]\nlisten: [{address: x:1}]\n", "not a name"},
		{ROUTE "}]\nlisten: [{address: 127.0.0.1}]\n", "needs a port"},
		{ROUTE "}]\nlisten: [{address: 127.0.0.1:65536}]\n",
		 "0 to 65535"},
		{ROUTE "}]\nlisten: [{address: \"::1:80\"}]\n",
		 "needs brackets"},
		{ROUTE "}]\nlisten: [{address: \"[127.0.0.1]:80\"}]\n",
		 "IPv4 or IPv6"},
		{ROUTE "}]\nlisten: [{address: 127.0.0.1:1, tls: {}}]\n",
		 "`certificate` is missing"},
		{ROUTE "}]\nlisten: [{address: 127.0.0.1:1, tls: {certificate: "
		       "a, client_cert: required}}]\n",
		 "client_cert needs `client_ca`"},
		{ROUTE "}]\nlisten: [{address: 127.0.0.1:1, tls: {certificate: "
		       "a, client_ca: b}}]\n",
		 "client_ca has no effect"},
		{ROUTE "}]\nrefusal: {disclose: all}\n",
		 "t.yaml:2:21: disclose is one of reference|reason|full, not "
		 "`all`"},
		{ROUTE "}]\njournal: {max_rows: 0}\n", "out of range"},
		{"routes: [{path: /a, to: echo}, {path: /a, to: echo}]",
		 "t.yaml:1:39: path `/a` has a route already, at line 1"},
		{"routes: [{path: /a/**, to: echo}, {path: /a/b, to: echo}]",
		 "path `/a/b` is never reached: `/a/**` at line 1 takes it"},
		{ROUTE "}]\nbackplane: http://x\n", "t.yaml:2:12: "},
		{ROUTE "}]\nbackplane: [a]\n", "t.yaml:2:13: "},
		{ROUTE "}]\nbackplane: redis://x\nbackplane_ca: ca.pem\n",
		 "t.yaml:3:15: backplane_ca needs a `backplane` of rediss://"},
		{ROUTE "}]\nnode: a*b\n", "t.yaml:2:7: node: `a*b` is no name"},
		{"x: &a b\nroutes: *a\n",
		 "routes: a list is needed here, not an alias"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_buf errors;
		struct gate_policy *p = parse(rows[i].text, &errors);

		if (p)
			fail_msg("taken: %s", rows[i].text);
		ses_buf_append(&errors, bytes_of("", 1));
		if (!strstr((const char *)ses_buf_bytes(&errors).data,
			    rows[i].fault))
			fail_msg("%s\ngave %s\nnot %s", rows[i].text,
				 (const char *)ses_buf_bytes(&errors).data,
				 rows[i].fault);
		ses_buf_fini(&errors);
	}
}

TEST("no fault of a backplane tells its password")
{
	static const char *const urls[] = {
		"http://:geheim@x",	   "redis://:geheim@[",
		"redis://:geheim@x:99999", "redis://u:geheim@/x/y/z",
		"redis://:geheim@x/-1",	   ":geheim@x",
	};

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct ses_buf text, errors;

		ses_buf_init(&text, 8192);
		ses_buf_printf(&text, ROUTE "}]\nbackplane: '%s'\n", urls[i]);
		ses_buf_append(&text, bytes_of("", 1));
		gate_policy_unref(parse((const char *)ses_buf_bytes(&text).data,
					&errors));
		assert_null(memmem(ses_buf_bytes(&errors).data,
				   ses_buf_len(&errors), "geheim", 6));
		ses_buf_fini(&text);
		ses_buf_fini(&errors);
	}
}

TEST("texts are as long as their rows allow and no longer")
{
	static const struct {
		const char *before, *after;
		enum gate_setting setting;
	} rows[] = {
		{"routes: [{to: echo, path: /", "}]", GATE_SET_ROUTE_PATH},
		{"routes: [{path: /, to: \"ws://x\", host: a", "}]",
		 GATE_SET_ROUTE_HOST},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		bool long_one = i % 2;
		size_t most = gate_setting(rows[i / 2].setting)->most;
		size_t n = most + long_one;
		struct ses_buf text, errors;
		struct gate_policy *p;

		n -= 1; /* what stands before it */
		ses_buf_init(&text, 8192);
		ses_buf_append_str(&text, rows[i / 2].before);
		while (n--)
			ses_buf_append_str(&text, "x");
		ses_buf_append_str(&text, rows[i / 2].after);
		ses_buf_append(&text, bytes_of("", 1));
		p = parse((const char *)ses_buf_bytes(&text).data, &errors);
		ses_buf_append(&errors, bytes_of("", 1));
		if ((p == NULL) != long_one)
			fail_msg("row %zu: %s", i,
				 (const char *)ses_buf_bytes(&errors).data);
		gate_policy_unref(p);
		ses_buf_fini(&text);
		ses_buf_fini(&errors);
	}
}

TEST("a whole policy comes out as it was written")
{
	struct ses_buf errors;
	struct gate_policy *p =
		parse("listen:\n"
		      "  - address: \"[::1]:0\"\n"
		      "  - address: 0.0.0.0:8443\n"
		      "    tls: {certificate: c.pem, key: k.pem, client_ca: "
		      "a.pem, client_cert: optional}\n"
		      "routes:\n"
		      "  - path: /chat/*\n"
		      "    to: echo\n"
		      "    allow:\n"
		      "      origins: [https://a.example, \"!null\"]\n"
		      "    limits: {message: 64KiB, idle: 5m, connections: 7}\n"
		      "    mode: observe\n"
		      "  - path: /legacy/**\n"
		      "    to: ws://[::1]:3000/app/\n"
		      "    host: upstream\n"
		      "refusal: {disclose: full}\n"
		      "journal: {file: j.db, max_rows: 5}\n"
		      "backplane: rediss://:secret@[::1]:7/2\n"
		      "backplane_ca: r.pem\n"
		      "node: left-1\n",
		      &errors);

	assert_non_null(p);
	assert_int_equal(ses_buf_len(&errors), 0);
	assert_int_equal(p->n_listen, 2);
	assert_string_equal(p->listen[0].host, "::1");
	assert_false(p->listen[0].tls);
	assert_true(p->listen[1].tls);
	assert_string_equal(p->listen[1].first.key, "k.pem");
	assert_int_equal(p->listen[1].client_cert, GATE_CERT_OPTIONAL);
	assert_int_equal(p->n_routes, 2);
	assert_int_equal(p->route[0].line, 6);
	assert_true(p->route[0].observe);
	assert_int_equal(p->route[0].limits.message_bytes, 65536);
	assert_int_equal(p->route[0].limits.idle_ms, 300000);
	assert_int_equal(p->route[0].limits.n_of, 1);
	assert_int_equal(p->route[0].limits.of[0].most, 7);
	assert_int_equal(p->route[0].limits.of[0].by, GATE_BY_ADDRESS);
	assert_string_equal(p->route[0].limits.of[0].text, "connections: 7");
	assert_int_equal(p->route[0].allow[GATE_ORIGINS].n, 2);
	assert_int_equal(p->route[0].allow[GATE_ORIGINS].line, 9);
	assert_true(p->route[0].allow[GATE_ORIGINS].rule[1].negative);
	assert_int_equal(p->route[1].to, GATE_TO_UPSTREAM);
	assert_string_equal(p->route[1].server[0].host, "::1");
	assert_int_equal(p->route[1].server[0].port, 3000);
	assert_string_equal(p->route[1].server[0].prefix, "/app");
	assert_string_equal(p->route[1].host, "upstream");
	assert_int_equal(p->disclose, GATE_TELL_FULL);
	assert_string_equal(p->journal, "j.db");
	assert_int_equal(p->journal_rows, 5);
	assert_string_equal(p->backplane, "rediss://:secret@[::1]:7/2");
	assert_string_equal(p->backplane_ca, "r.pem");
	assert_string_equal(p->node, "left-1");
	gate_policy_unref(p);
	ses_buf_fini(&errors);
}

TEST("a file cut at every byte is a policy or a list of faults")
{
	static const char text[] =
		"listen: [{address: 127.0.0.1:1}]\n"
		"routes:\n"
		"  - {path: /a, to: echo, allow: {origins: [\"*\"]}}\n"
		"  - path: /b\n"
		"    to: \"ws://127.0.0.1:3\"\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct ses_buf errors;
		struct gate_policy *p;

		ses_buf_init(&errors, 1 << 20);
		p = gate_config_parse("t", bytes_of(text, n), false, &errors);
		assert_int_equal(p == NULL, ses_buf_len(&errors) > 0);
		gate_policy_unref(p);
		ses_buf_fini(&errors);
	}
}

TEST("a file with thousands of faults tells the first hundred")
{
	struct ses_buf text, errors;
	struct bytes lines;
	size_t n = 0;

	ses_buf_init(&text, 1 << 20);
	for (int i = 0; i < 3000; i++)
		ses_buf_printf(&text, "wrong%d: x\n", i);
	ses_buf_append(&text, bytes_of("", 1));
	assert_null(parse((const char *)ses_buf_bytes(&text).data, &errors));
	lines = ses_buf_bytes(&errors);
	for (size_t i = 0; i < lines.len; i++)
		n += lines.data[i] == '\n';
	assert_int_equal(n, 101);
	ses_buf_fini(&text);
	ses_buf_fini(&errors);
}

TEST("what is built in is a policy")
{
	struct gate_policy *p = gate_config_builtin();

	assert_non_null(p);
	assert_int_equal(p->n_listen, 1);
	assert_string_equal(p->listen[0].host, "127.0.0.1");
	gate_policy_unref(p);
}

TEST("sizes and times have their units")
{
	static const struct {
		const char *text;
		uint64_t size, ms; /* UINT64_MAX: not one */
	} rows[] = {
		{"0", 0, UINT64_MAX},
		{"512", 512, UINT64_MAX},
		{"1KiB", 1024, UINT64_MAX},
		{"1 MiB", 1048576, UINT64_MAX},
		{"1MB", 1000000, UINT64_MAX},
		{"2gib", 2147483648, UINT64_MAX},
		{"5s", UINT64_MAX, 5000},
		{"5m", UINT64_MAX, 300000},
		{"250ms", UINT64_MAX, 250},
		{"1h", UINT64_MAX, 3600000},
		{"", UINT64_MAX, UINT64_MAX},
		{"KiB", UINT64_MAX, UINT64_MAX},
		{"-1", UINT64_MAX, UINT64_MAX},
		{"1.5MiB", UINT64_MAX, UINT64_MAX},
		{"9999999999999GiB", UINT64_MAX, UINT64_MAX},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes s = bytes_of_str(rows[i].text);
		uint64_t size = UINT64_MAX, ms = UINT64_MAX;

		gate_size_read(s, &size);
		gate_duration_read(s, &ms);
		if (size != rows[i].size || ms != rows[i].ms)
			fail_msg("%s: %llu bytes, %llu ms", rows[i].text,
				 (unsigned long long)size,
				 (unsigned long long)ms);
	}
}

TEST("every setting has its place on the page, with its default")
{
	char *page = calloc(1, 1 << 20);
	FILE *f = fopen(SOURCE_DIR "/docs/sesame.yaml.md", "r");

	assert_non_null(f);
	assert_true(fread(page, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	for (int i = 0; i < GATE_N_SETTINGS; i++) {
		const struct gate_setting_row *row = gate_setting(i);
		char heading[128];
		const char *at, *end;

		snprintf(heading, sizeof(heading), "### `%s`\n", row->path);
		at = strstr(page, heading);
		if (!at)
			fail_msg("the page lacks %s", row->path);
		end = strstr(at + 4, "\n### ");
		end = end ? end : page + strlen(page);
		if (!memmem(at, (size_t)(end - at), row->preset,
			    strlen(row->preset)) ||
		    !memmem(at, (size_t)(end - at), row->text, strlen(row->text)))
			fail_msg("the page on %s differs from its row",
				 row->path);
	}
	free(page);
}

#define TOKEN "routes:\n- path: /\n  to: echo\n  allow:\n    token:\n"

TEST("what is wrong with credentials is told with its line")
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{TOKEN, "t.yaml:5:5: token: a map is needed here, not nothing"},
		{TOKEN "      from: header\n",
		 "t.yaml:5:5: token needs jwt, hashes_file or htpasswd_file"},
		{TOKEN "      jwt: {}\n",
		 "t.yaml:6:7: jwt needs key_file, secret_file or jwks_file"},
		{TOKEN
		 "      from: [header, cookies:a]\n      hashes_file: x\n",
		 "t.yaml:6:22: from: `cookies:a` is none of header"},
		{TOKEN "      from: [query:a, query:a]\n      hashes_file: x\n",
		 "t.yaml:6:23: from: `query:a` stands in the list before"},
		{TOKEN "      from: []\n      hashes_file: x\n",
		 "from has 0 elements"},
		{TOKEN "      from: query:t\n      htpasswd_file: x\n",
		 "t.yaml:7:22: htpasswd_file needs \"header\" in from"},
		{TOKEN "      jwt: {key_file: x, algorithms: none}\n",
		 "t.yaml:6:38: algorithms: `none` would let anybody make "
		 "tokens"},
		{TOKEN "      jwt: {key_file: x, algorithms: [RS256, RS256]}\n",
		 "algorithms: `RS256` stands in the list before"},
		{TOKEN "      jwt: {key_file: x, algorithms: [rs256]}\n",
		 "algorithms: `rs256` is none of HS256"},
		{TOKEN "      jwt: {key_file: x, claims: {}}\n",
		 "claims has 0 elements"},
		{TOKEN "      jwt: {key_file: x, claims: {a: [b]}}\n",
		 "a single value is needed here"},
		{TOKEN "      jwt: {key_file: x, leeway: 11m}\n",
		 "out of range: leeway allows"},
		{TOKEN "      jwt: {key_file: x, expiry: never}\n",
		 "expiry is one of optional|required"},
		{TOKEN "      jwt: {keyfile: x}\n",
		 "unknown key `keyfile` (did you mean `key_file`?)"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_buf errors;

		assert_null(parse(rows[i].text, &errors));
		ses_buf_append(&errors, bytes_of("", 1));
		if (!strstr((char *)ses_buf_bytes(&errors).data, rows[i].fault))
			fail_msg("%s: %s", rows[i].text,
				 (char *)ses_buf_bytes(&errors).data);
		ses_buf_fini(&errors);
	}
}

TEST("settings of credentials come out as they were meant")
{
	struct ses_buf errors;
	struct gate_policy *p =
		parse(TOKEN "      from: [cookie:s, subprotocol]\n"
			    "      hashes_file: /h\n"
			    "      jwt:\n"
			    "        key_file: /k\n"
			    "        algorithms: [ES256, RS256]\n"
			    "        issuer: https://id.example\n"
			    "        audience: [a, b]\n"
			    "        leeway: 5s\n"
			    "        expiry: required\n"
			    "        claims: {role: admin, on: true}\n"
			    "        paths_claim: rooms\n",
		      &errors);
	const struct gate_token_settings *t;

	if (!p)
		fail_msg("%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	t = p->route[0].token;
	assert_int_equal(t->at.line, 5);
	assert_int_equal(t->n_from, 2);
	assert_int_equal(t->from[1].kind, GATE_FROM_SUBPROTOCOL);
	assert_string_equal(t->hashes_file.name, "/h");
	assert_int_equal(t->hashes_file.at.line, 7);
	assert_null(t->htpasswd_file.name);
	assert_string_equal(t->jwt.key_file.name, "/k");
	assert_int_equal(t->jwt.algorithms,
			 SES_ALGORITHM_BIT(SES_ALGORITHM_ES256) |
				 SES_ALGORITHM_BIT(SES_ALGORITHM_RS256));
	assert_int_equal(t->jwt.issuer.n, 1);
	assert_string_equal(t->jwt.audience.word[1].text, "b");
	assert_int_equal(t->jwt.leeway_ms, 5000);
	assert_int_equal(t->jwt.expiry, GATE_EXPIRY_REQUIRED);
	assert_int_equal(t->jwt.n_claims, 2);
	assert_string_equal(t->jwt.claim[1].name, "on");
	assert_string_equal(t->jwt.claim[1].value, "true");
	assert_string_equal(t->jwt.paths_claim.text, "rooms");
	assert_null(t->keys); /* the files were not to be opened */
	gate_policy_unref(p);
	ses_buf_fini(&errors);
	p = parse(TOKEN "      jwt: {secret_file: /s}\n", &errors);
	assert_int_equal(p->route[0].token->jwt.leeway_ms, 30000);
	gate_policy_unref(p);
	ses_buf_fini(&errors);
}
