/* SPDX-License-Identifier: MIT */
/* Caddy: small Caddyfiles, and what is found in them at which line. */
#include "lint/lint.h"
#include "test.h"

#include <sesame/error.h>

#include "rows.h"

#define TO_A "reverse_proxy 127.0.0.1:1\n"

static void check(const struct config_row *row, size_t n,
		  const struct lint_request *request)
{
	check_configs(LINT_CADDY, row, n, request);
}

TEST("nothing is found where a Caddyfile is right")
{
	static const struct config_row rows[] = {
		{"a.example\n" TO_A, "", 0},
		{"a.example {\n" TO_A "}\n", "", 0},
		{TO_A, "", 0},
		{"{\n debug\n}\n:80 {\n @ws {\n  header Connection *Upgrade*\n"
		 "  header Upgrade websocket\n }\n reverse_proxy @ws a:1\n"
		 " file_server\n}\n", "", 0},
		{"a.example {\n reverse_proxy /ws* a:1 {\n"
		 "  header_up Host {hostport}\n  header_up -Cookie\n"
		 "  transport http {\n   read_timeout 1h\n   versions 1.1 2\n"
		 "  }\n }\n}\n", "", 0},
		{"a.example {\n respond /x <<END\n  header_up -Upgrade\n  END 200\n"
		 " " TO_A "}\n", "", 0},
		{"a.example, \\\n b.example,\nc.example {\n " TO_A "}\n", "", 0},
		{"", "", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("each mistake in a Caddyfile is found at its line")
{
	static const struct config_row rows[] = {
		{"reverse_proxy /ws a:1 {\n header_up -Upgrade\n}\n",
		 "upgrade-removed:2", 0},
		{"reverse_proxy /ws a:1 {\n header_up -Connection\n}\n",
		 "upgrade-removed:2", 0},
		{"reverse_proxy /ws a:1 {\n header_up -Sec-*\n}\n",
		 "upgrade-removed:2", 0},
		{"reverse_proxy /ws a:1 {\n header_up Connection close\n}\n",
		 "upgrade-removed:2", 0},
		{"reverse_proxy /ws a:1 {\n header_up Connection {>Connection}\n"
		 "}\n", "misspelt-variable:2", 0},
		{"request_header -Upgrade\nreverse_proxy /ws a:1\n",
		 "upgrade-removed:1", 0},
		{"reverse_proxy /ws a:1 {\n header_up Host {upstream_hostport}\n"
		 "}\n", "host-replaced:2", 0},
		{"http://a:8080 {\n reverse_proxy /ws a:1 {\n"
		 "  header_up Host {host}\n }\n}\n", "host-without-port:3", 0},
		{"https://a {\n reverse_proxy /ws a:1 {\n"
		 "  header_up X-Forwarded-Proto http\n }\n}\n", "scheme-lost:3",
		 0},
		{"reverse_proxy /ws h2c://a:1\n", "http-version:1", 0},
		{"reverse_proxy /ws a:1 {\n transport http {\n"
		 "  versions h2c 2\n }\n}\n", "http-version:3", 0},
		{"reverse_proxy /ws a:1 {\n transport http {\n"
		 "  read_timeout 30s\n }\n}\n", "short-timeout:3", 0},
		{"reverse_proxy /ws a:1 {\n stream_timeout 30s\n}\n",
		 "short-timeout:2", 0},
		{"reverse_proxy a:1 {\n websocket\n}\n", "outdated:2", 0},
		{"reverse_proxy a:1 {\n header_upstream X {host}\n}\n",
		 "outdated:2", 0},
		{"a.example {\n proxy / a:1 {\n  websocket\n  transparent\n }\n}\n",
		 "outdated:2", 0},
		{":80 {\n @ws header Upgrade WebSocket\n reverse_proxy @ws a:1\n"
		 "}\n", "never-true:2", 0},
		{":80 {\n @ws header Connection Upgrade\n"
		 " reverse_proxy @ws a:1\n}\n", "never-true:2", 0},
		{":80 {\n @ws header Upgrade websocket\n " TO_A "}\n",
		 "unused:2", 0},
		{":80 {\n @websocket header Upgrade websocket\n"
		 " reverse_proxy @websockets a:1\n}\n",
		 "unused:2 undeclared:3", 0},
		{":80 {\n route {\n  " TO_A "  reverse_proxy /ws a:2\n }\n}\n",
		 "order:4", 0},
		{":80 {\n @all path *\n @ws header Upgrade websocket\n"
		 " reverse_proxy @all a:1\n reverse_proxy @ws a:2\n}\n",
		 "order:5", 0},
		{":80 {\n basicauth /ws {\n  a b\n }\n reverse_proxy /ws a:1\n}\n",
		 "auth-rule:2", 0},
		{":80 {\n @bad not remote_ip 10.0.0.0/8\n respond @bad 403\n"
		 " reverse_proxy /ws a:1\n}\n", "address-rule:3", 0},
		{":80 {\n @bad not header Origin https://a\n respond @bad 403\n"
		 " reverse_proxy /ws a:1\n}\n", "origin-rule:3", 0},
		{":80 {\n @bad header User-Agent *curl*\n abort @bad\n"
		 " reverse_proxy /ws a:1\n}\n", "agent-rule:3", 0},
		{"{\n servers {\n  max_header_size 2kb\n }\n}\n:80 {\n " TO_A "}\n",
		 "header-limit:3?", 0},
		{"a.example {\n tls {\n  client_auth {\n"
		 "   mode require_and_verify\n  }\n }\n " TO_A "}\n",
		 "certificate-rule:4", 0},
		{"a.example {\n handle_path /ws* {\n  " TO_A " }\n}\n",
		 "path-changed:2?", 0},
		/* what tells of no WebSocket may be meant so */
		{"a.example {\n handle_path /desk/* {\n  " TO_A " }\n}\n",
		 "", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("a request is followed through sites, in Caddy's own order")
{
	static const struct lint_request request = {
		.host = "a.example", .port = 80, .path = "/chat",
		.origin = "https://b.example", .user_agent = "curl/8.1"};
	static const struct config_row rows[] = {
		{":80 {\n" TO_A "}\n", "", "x:2 reverse_proxy 127.0.0.1:1"},
		{":80 {\n respond 404\n" TO_A "}\n", "no-route:2",
		 "x:2 respond 404"},
		{":80 {\n " TO_A " reverse_proxy /chat b:1\n}\n", "",
		 "x:3 reverse_proxy /chat"},
		{":80 {\n route {\n  " TO_A "  reverse_proxy /chat b:1\n }\n}\n",
		 "", "x:3 reverse_proxy 127.0.0.1:1"},
		{":80 {\n handle {\n  respond 404\n }\n handle /chat {\n  " TO_A
		 " }\n}\n", "", "x:6 reverse_proxy 127.0.0.1:1"},
		{":80 {\n reverse_proxy /ws a:1\n}\n", "no-route:1", "x:1 :80"},
		{":80 {\n reverse_proxy /chat/* a:1\n}\n", "no-route:2", 0},
		{":80 {\n handle_path /chat {\n  " TO_A " }\n}\n",
		 "path-changed:2?", "x:3 reverse_proxy 127.0.0.1:1"},
		{":80 {\n redir https://b{uri}\n " TO_A "}\n", "redirect-rule:2",
		 "x:2 redir https://b{uri}"},
		{":80 {\n redir /old /new\n " TO_A "}\n", "", 0},
		{":80 {\n file_server\n reverse_proxy /ws a:1\n}\n", "no-route:2",
		 "x:2 file_server"},
		{"http://b.example {\n " TO_A "}\n", "no-site:1", ""},
		{"http://b.example {\n respond 404\n}\nhttp://*.example {\n " TO_A
		 "}\n", "", "x:5 reverse_proxy 127.0.0.1:1"},
		{":80 {\n @bad not header Origin https://a.example\n"
		 " respond @bad 403\n " TO_A "}\n", "origin-rule:3",
		 "x:3 respond @bad"},
		{":80 {\n @bad {\n  not header Origin https://a.example\n"
		 "  not header Origin https://b.example\n }\n"
		 " respond @bad 403\n " TO_A "}\n", "", 0},
		{":80 {\n @bad header_regexp User-Agent (?i)CURL\n abort @bad\n "
		 TO_A "}\n", "agent-rule:3", 0},
		{":80 {\n @bad header User-Agent *wget*\n abort @bad\n " TO_A
		 "}\n", "", 0},
		{"(p) {\n reverse_proxy {args.0}\n}\n:80 {\n import p a:1\n}\n",
		 "", "x:2 reverse_proxy a:1"},
		{"&(r) {\n " TO_A "}\n:80 {\n invoke r\n}\n", "",
		 "x:2 reverse_proxy 127.0.0.1:1"},
		{":{$PORT:80} {\n " TO_A "}\n", "",
		 "x:2 reverse_proxy 127.0.0.1:1"},
	};

	check(rows, ARRAY_LEN(rows), &request);
	check_patch(LINT_CADDY, rows[13].text, &request,
		    "+ @bad {\n"
		    "+ \tnot header Origin https://a.example\n"
		    "+ \tnot header Origin \"https://b.example\"\n"
		    "+ }\n");
	check_patch(LINT_CADDY, rows[6].text, &request,
		    "+ reverse_proxy /chat* a:1\n");
}

TEST("an Origin that is wanted and not sent is told apart")
{
	static const struct lint_request request = {.host = "a", .port = 80,
						    .path = "/chat"};
	static const struct config_row rows[] = {
		{":80 {\n @bad not header Origin *\n respond @bad 403\n " TO_A
		 "}\n", "origin-missing:3", 0},
		{"reverse_proxy a:1 {\n header_up -Origin\n}\n",
		 "origin-missing:2", 0},
		{":80 {\n @bad header Origin https://x\n respond @bad 403\n "
		 TO_A "}\n", "", 0},
	};

	check(rows, ARRAY_LEN(rows), &request);
}

TEST("what is moved up takes its matcher along, the definition first")
{
	check_patch(LINT_CADDY,
		    ":80 {\n\troute {\n\t\treverse_proxy a:1\n"
		    "\t\t@ws {\n\t\t\theader Upgrade websocket\n\t\t}\n"
		    "\t\treverse_proxy @ws a:2\n\t}\n}\n",
		    NULL,
		    " \troute {\n"
		    "+\t\t@ws {\n+\t\t\theader Upgrade websocket\n+\t\t}\n"
		    "+\t\treverse_proxy @ws a:2\n"
		    " \t\treverse_proxy a:1\n"
		    "-\t\t@ws {\n-\t\t\theader Upgrade websocket\n-\t\t}\n"
		    "-\t\treverse_proxy @ws a:2\n");
}

TEST("Caddy's mended files say what they should")
{
	check_patch(LINT_CADDY,
		    "a {\n\t@ws header Upgrade WebSocket\n"
		    "\treverse_proxy @ws a:1\n}\n",
		    NULL, "+\t@ws header Upgrade websocket\n");
	check_patch(LINT_CADDY, "reverse_proxy /ws a:1 {\n\theader_up -Upgrade\n"
				"}\n", NULL,
		    "-\theader_up -Upgrade\n");
	check_patch(LINT_CADDY, "a {\n proxy / a:1 {\n  websocket\n }\n}\n", NULL,
		    "+ reverse_proxy a:1 {\n-  websocket\n");
	check_patch(LINT_CADDY,
		    "a {\n proxy  /ws a:1 {\n  header_upstream X-A b\n }\n}\n",
		    NULL,
		    "- proxy  /ws a:1 {\n+ reverse_proxy /ws* a:1 {\n"
		    "-  header_upstream X-A b\n+  header_up X-A b\n");
}

TEST("a Caddyfile is read with what it imports")
{
	static const struct memory_file files[] = {
		{"e/Caddyfile", "import sites/*\nimport gone\n"},
		{"e/sites/a", "a.example {\n import ../proxy\n}\n"},
		{"e/sites/../proxy",
		 "reverse_proxy /ws a:1 {\n header_up -Upgrade\n}\n"},
		{0},
	};
	struct lint_report report;
	struct lint_error error = {0};
	char told[512];

	if (memory_lint(files, LINT_CADDY, NULL, &report, &error))
		fail_msg("%s:%u %s", error.file, error.line, error.text);
	assert_string_equal(memory_told(&report, told, sizeof(told)),
			    "cannot-read:2? upgrade-removed:2");
	lint_report_fini(&report);
}

TEST("what makes no sense in a Caddyfile is named with its line")
{
	check_error(LINT_CADDY, "a {\n reverse_proxy b {\n }\n", 1,
		    "never closed");
	check_error(LINT_CADDY, "a {\n}\n}\n", 3, "expected");
	check_error(LINT_CADDY, "a {\n respond \"x\n}\n", 2, "never closed");
}

TEST("snippets that import each other end with an error, not with the stack")
{
	static const struct memory_file files[] = {
		{"x", "a {\n import x\n}\nimport x\n"}, {0}};
	struct lint_report report;
	struct lint_error error = {0};

	assert_int_equal(memory_lint(files, LINT_CADDY, NULL, &report, &error),
			 SESAME_EINVAL);
	assert_non_null(strstr(error.text, "deep"));
}

TEST("a Caddyfile may be cut anywhere")
{
	static const char text[] =
		"{\n debug\n}\n(s) {\n header_up {args.0} \"a b\"\n}\n"
		"a.example:{$P:80}, b {\n @ws {\n  header Upgrade *\n  not {\n"
		"   path /x\n  }\n }\n reverse_proxy @ws `a:1` {\n"
		"  import s -Upgrade\n }\n respond <<E\n  x\n  E\n}\n";
	char cut[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		struct memory_file files[] = {{"x", cut}, {0}};
		struct lint_report report;
		struct lint_error error = {0};

		memcpy(cut, text, i);
		cut[i] = '\0';
		if (memory_lint(files, LINT_CADDY, NULL, &report, &error) == 0)
			lint_report_fini(&report);
		else
			assert_true(error.text[0] != '\0');
	}
}
