/* SPDX-License-Identifier: MIT */
/* HAProxy: small configurations, and what is found in them at which line. */
#include "lint/lint.h"
#include "test.h"

#include <sesame/error.h>

#include "rows.h"

/* Seven lines, then what a case adds to the frontend. */
#define TOP                                                                    \
	"defaults\n mode http\n timeout client 20s\n timeout server 20s\n"     \
	" timeout tunnel 1h\nfrontend web\n bind :80\n"
#define APP  "backend app\n server a 127.0.0.1:1\n"
#define WS   "backend ws\n server a 127.0.0.1:2\n"
#define ISWS " acl is_ws hdr(Upgrade) -i websocket\n"

static void check(const struct config_row *row, size_t n,
		  const struct lint_request *request)
{
	check_configs(LINT_HAPROXY, row, n, request);
}

TEST("nothing is found where HAProxy is set up right")
{
	static const struct config_row rows[] = {
		{TOP " default_backend ws\n" WS, "", 0},
		{TOP ISWS " use_backend ws if is_ws\n default_backend app\n" APP
		     WS, "", 0},
		{TOP " use_backend ws if { path_beg /ws }\n default_backend app\n"
		     APP WS, "", 0},
		/* Passive and active closing leave an upgraded stream alone. */
		{TOP " option httpclose\n option http-server-close\n"
		     " default_backend ws\n" WS, "", 0},
		{TOP " acl none hdr_cnt(Upgrade) eq 0\n use_backend app if none\n"
		     " default_backend ws\n" APP WS, "", 0},
		{TOP " http-request set-header Connection upgrade\n"
		     " http-request set-header Upgrade %[req.hdr(upgrade)]\n"
		     " default_backend ws\n" WS, "", 0},
		{"frontend a\n mode tcp\n bind :80\n default_backend ws\n"
		 "backend ws\n mode tcp\n server a 127.0.0.1:2\n", "", 0},
		{"backend ws\n server a 127.0.0.1:1 # proto h2\n", "", 0},
		/* whose backend only the request tells */
		{"defaults\n mode http\n timeout client 20s\nfrontend x\n"
		 " bind :80\n use_backend %[req.hdr(host),lower]\n"
		 " use_backend ws if { path_beg /ws }\n"
		 "backend ws\n timeout tunnel 1h\n server a b:1\n", "", 0},
		{"", "", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("each mistake in HAProxy's configuration is found at its line")
{
	static const struct config_row rows[] = {
		{TOP " http-request del-header Upgrade\n default_backend ws\n" WS,
		 "upgrade-removed:8", 0},
		{TOP " http-request del-header connection\n default_backend ws\n"
		     WS, "upgrade-removed:8", 0},
		{TOP " http-request del-header ^Up -m reg\n default_backend ws\n"
		     WS, "upgrade-removed:8", 0},
		{TOP " default_backend ws\n" WS " http-send-name-header Host\n",
		 "host-replaced:11", 0},
		{TOP " default_backend ws\n" WS
		     " http-request set-header Connection close\n",
		 "upgrade-removed:11", 0},
		{TOP " default_backend ws\n" WS
		     " http-request set-header Host internal\n",
		 "host-replaced:11", 0},
		{TOP " http-request del-header Origin\n default_backend ws\n" WS,
		 "origin-missing:8", 0},
		{TOP " default_backend ws\nbackend ws\n server a b:1 proto h2\n",
		 "http-version:10", 0},
		{TOP " default_backend ws\nbackend ws\n"
		     " server a b:1 proto h2 ws h1\n", "", 0},
		{TOP " bind :443 ssl crt x alpn h2\n http-request set-header "
		     "X-Forwarded-Proto https\n default_backend ws\n" WS,
		 "http-version:8", 0},
		{TOP " bind :443 ssl crt x\n default_backend ws\n" WS,
		 "scheme-lost:8", 0},
		{TOP " bind :443 ssl crt x\n http-request set-header "
		     "X-Forwarded-Proto http\n default_backend ws\n" WS,
		 "scheme-lost:9", 0},
		{TOP " bind :443 ssl crt x verify required ca-file y\n"
		     " http-request set-header X-Forwarded-Proto https\n"
		     " default_backend ws\n" WS, "certificate-rule:8", 0},
		{TOP " acl is_ws hdr(Upgrade) WebSocket\n"
		     " use_backend ws if is_ws\n" WS, "never-true:8", 0},
		{TOP ISWS " use_backend ws if is_wss\n default_backend app\n" APP
		     WS, "unused:8 undeclared:9", 0},
		{TOP ISWS " use_backend wss if is_ws\n default_backend app\n" APP
		     WS, "undeclared:9", 0},
		{TOP ISWS " use_backend app if { path_beg / }\n"
		     " use_backend ws if is_ws { path_beg /ws }\n" APP WS,
		 "order:10", 0},
		{TOP ISWS " use_backend app if TRUE\n use_backend ws if is_ws\n"
		     APP WS, "order:10", 0},
		{TOP " option forceclose\n default_backend ws\n" WS,
		 "outdated:8", 0},
		{TOP " reqidel ^Upgrade\n default_backend ws\n" WS,
		 "outdated:8", 0},
		{TOP " reqirep ^x y\n default_backend ws\n" WS, "outdated:8?", 0},
		{TOP " http-request auth unless { http_auth(x) }\n"
		     " default_backend ws\n" WS, "auth-rule:8", 0},
		{TOP " http-request deny if { sc_http_req_rate(0) gt 10 }\n"
		     " default_backend ws\n" WS, "rate-rule:8", 0},
		{TOP " tcp-request connection reject if { src 10.0.0.0/8 }\n"
		     " default_backend ws\n" WS, "address-rule:8", 0},
		{TOP " http-request deny if { hdr(origin) -m found }\n"
		     " default_backend ws\n" WS, "origin-rule:8", 0},
		{"defaults\n mode http\n timeout client 20s\n timeout server 30s\n"
		 "frontend web\n bind :80\n default_backend ws\n" WS,
		 "short-timeout:3", 0},
		{"listen ws\n mode http\n timeout tunnel 30s\n bind :80\n"
		 " server a b:1\n", "short-timeout:3", 0},
		{"defaults\n mode tcp\nfrontend web\n bind :80\n" ISWS
		 " use_backend ws if is_ws\n default_backend app\n" APP WS,
		 "engine-off:2", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("a request is followed through binds, acls and defaults")
{
	static const struct lint_request request = {
		.host = "a.example", .port = 80, .path = "/chat/1",
		.origin = "https://b.example", .user_agent = "curl/8.1"};
	static const struct config_row rows[] = {
		{TOP " default_backend app\n" APP, "", "x:9 backend app"},
		{TOP " use_backend app if { path_beg /chat }\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { path /chat }\n" APP, "no-route:6",
		 "x:6 frontend web"},
		{TOP " use_backend app if { path_dir chat }\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { path_reg ^/chat/[0-9]+$ }\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { hdr(host) -i A.EXAMPLE }\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { req.hdr(host),field(1,:),lower "
		     "a.example }\n" APP, "", "x:9 backend app"},
		{TOP " use_backend ws if { hdr_end(host) .org } or "
		     "{ hdr(Connection) -i upgrade }\n default_backend app\n" APP
		     WS, "", "x:12 backend ws"},
		{TOP " use_backend ws if !{ ssl_fc }\n" WS, "", "x:9 backend ws"},
		{TOP " use_backend ws if { src 10.0.0.0/8 }\n" WS, "no-route:6?",
		 0},
		{TOP " redirect scheme https if !{ ssl_fc }\n default_backend ws\n"
		     WS, "redirect-rule:8", 0},
		{TOP " http-request redirect scheme https unless { ssl_fc }\n"
		     " default_backend ws\n" WS, "redirect-rule:8", 0},
		{TOP " http-request deny if { path_beg /admin }\n"
		     " default_backend ws\n" WS, "", 0},
		{TOP " http-request deny if { path_beg /chat }\n"
		     " default_backend ws\n" WS, "refused:8", 0},
		{TOP " http-request allow if { path_beg /chat }\n"
		     " http-request deny\n default_backend ws\n" WS, "", 0},
		{TOP " acl good req.hdr(origin) -i https://a.example\n"
		     " http-request deny if !good\n default_backend ws\n" WS,
		 "origin-rule:9", 0},
		{TOP " acl good req.hdr(origin) -i https://a.example\n"
		     " acl good req.hdr(origin) -i https://b.example\n"
		     " http-request deny if !good\n default_backend ws\n" WS, "",
		 0},
		{TOP " http-request silent-drop if { req.hdr(user-agent) -m beg "
		     "-i CURL }\n default_backend ws\n" WS, "agent-rule:8", 0},
		{TOP " http-request deny unless { hdr(host) -i localhost }\n"
		     " default_backend ws\n" WS, "host-rule:8", 0},
		{"defaults one\n mode http\n timeout tunnel 5s\ndefaults two\n"
		 " mode http\n timeout tunnel 1h\nfrontend a from two\n bind :80\n"
		 " default_backend b\nbackend b from one\n server s h:1\n",
		 "short-timeout:3", "x:10 backend b"},
		{"frontend other\n mode http\n bind :81\n default_backend b\n"
		 "frontend mine\n mode http\n bind 127.0.0.1:80\n"
		 " default_backend b\nbackend b\n mode http\n server s h:1\n", "",
		 "x:9 backend b"},
	};

	check(rows, ARRAY_LEN(rows), &request);
	check_patch(LINT_HAPROXY, rows[15].text, &request,
		    "+ http-request deny if !good !{ req.fhdr(origin) -m str "
		    "'https://b.example' }\n");
}

TEST("HAProxy's mended files say what they should")
{
	check_patch(LINT_HAPROXY,
		    TOP " acl is_ws hdr(Upgrade) WebSocket\n"
			" use_backend ws if is_ws\n" WS, NULL,
		    "+ acl is_ws hdr(Upgrade) -i WebSocket\n");
	check_patch(LINT_HAPROXY,
		    TOP ISWS " use_backend app if TRUE\n"
			     " use_backend ws if is_ws\n" APP WS, NULL,
		    "+ use_backend ws if is_ws\n  use_backend app");
	check_patch(LINT_HAPROXY,
		    "defaults\n\tmode http\n\ttimeout client 20s\n"
		    "frontend web\n\tbind :80\n\tdefault_backend ws\n" WS, NULL,
		    " \ttimeout client 20s\n+\ttimeout tunnel 1h\n");
	check_patch(LINT_HAPROXY,
		    TOP " bind :443 ssl crt x\n default_backend ws\n" WS, NULL,
		    "+ http-request set-header X-Forwarded-Proto https if "
		    "{ ssl_fc }\n");
}

TEST("HAProxy's words are cut as it cuts them")
{
	static const struct lint_request request = {.port = 80, .path = "/a b"};
	static const struct config_row rows[] = {
		{TOP " use_backend app if { path \"/a b\" }\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { path '/a b' } # or not\n" APP, "",
		 "x:9 backend app"},
		{TOP " use_backend app if { path /a\\ b }\n" APP, "",
		 "x:9 backend app"},
		{TOP " .if defined(X)\n use_backend app if TRUE\n .else\n"
		     " use_backend ws if TRUE\n .endif\n" APP WS, "",
		 "x:13 backend app"},
	};

	check(rows, ARRAY_LEN(rows), &request);
	check_error(LINT_HAPROXY, "frontend a\n bind \"x\n", 2, "never closed");
}

TEST("HAProxy's configuration may be cut anywhere")
{
	static const char text[] =
		TOP ISWS " use_backend ws if is_ws !{ path_beg \"/x y\" } or "
			 "{ req.hdr(host),field(1,:) -m reg ^a(b|c)*$ }\n" WS;
	char cut[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		struct memory_file files[] = {{"x", cut}, {0}};
		struct lint_report report;
		struct lint_error error = {0};

		memcpy(cut, text, i);
		cut[i] = '\0';
		if (memory_lint(files, LINT_HAPROXY, NULL, &report, &error) == 0)
			lint_report_fini(&report);
		else
			assert_true(error.text[0] != '\0');
	}
}

TEST("a patch goes to the section that the finding is about, and to whole words")
{
	check_patch(LINT_HAPROXY,
		    "backend app\n server a 127.0.0.1:1\ndefaults\n"
		    " timeout client 3s\nfrontend web\n mode http\n"
		    " acl is_ws hdr(Upgrade) -i websocket\n"
		    " use_backend app if is_ws\n",
		    NULL, " backend app\n+ timeout tunnel 1h\n");
	check_patch(LINT_HAPROXY,
		    "frontend web\n acl enx path /x\n"
		    " http-request deny if en\n",
		    NULL, "+ http-request deny if enx\n");
}
