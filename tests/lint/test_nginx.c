/* SPDX-License-Identifier: MIT */
/* nginx: small configurations, and what is found in them at which line. */
#include "lint/lint.h"
#include "test.h"

#include <sesame/error.h>

#include "rows.h"

#define GOOD                                                                   \
	"proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"      \
	" proxy_set_header Connection upgrade;"                                \
	" proxy_set_header Host $http_host; proxy_read_timeout 1h;"
#define WS "location /ws { proxy_pass http://a; " GOOD " }\n"

#define check_rows(rows, n, request) \
	check_configs(LINT_NGINX, rows, n, request)

TEST("nothing is found where all is right")
{
	static const struct config_row rows[] = {
		{WS, ""},
		{"server { listen 80; " WS " }", ""},
		{"map $http_upgrade $connection_upgrade { default upgrade; '' "
		 "close; }\n"
		 "server { proxy_set_header Upgrade $http_upgrade;"
		 " proxy_set_header Connection $connection_upgrade;"
		 " proxy_set_header Host $http_host;"
		 " proxy_http_version 1.1; proxy_read_timeout 1d;\n"
		 " location /ws { proxy_pass http://a; } }",
		 ""},
		{"location /ws { proxy_pass http://a; proxy_read_timeout 1h;\n"
		 "proxy_http_version 1.1; proxy_set_header Host $http_host;\n"
		 "proxy_set_header upgrade websocket;\n"
		 "proxy_set_header connection \"Keep-Alive, Upgrade\"; }",
		 ""},
		{"location /ws { proxy_pass http://a; proxy_read_timeout 1h;\n"
		 "proxy_http_version 1.1; proxy_set_header Host $http_host;\n"
		 "proxy_set_header Upgrade $http_upgrade;\n"
		 "proxy_set_header Connection $http_connection; }",
		 ""},
		/* a place that tells of none, beside one that is set up */
		{WS "location / { proxy_pass http://b; }", ""},
		/* exact is exact: "/ws/" is not taken by "= /ws" */
		{"server { location = /w { return 204; } " WS " }", ""},
		/* streams know no fields */
		{"stream { server { listen 1; proxy_pass ws; } }", ""},
		{"location /ws { content_by_lua_block { s = \"}\" -- }\n"
		 "--[[ } ]] t = { 1, '}' } } }\n",
		 ""},
		{"location / { root /var/www; }", ""},
		{"", ""},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

TEST("what does not reach the server behind is found at its line")
{
	static const struct config_row rows[] = {
		{"location /ws {\nproxy_pass http://a;\nproxy_read_timeout 1h;\n"
		 "proxy_set_header Host $http_host; }",
		 "upgrade-not-forwarded:2"},
		/* no sign of any WebSocket in the whole of it */
		{"location / {\nproxy_pass http://a; }",
		 "upgrade-not-forwarded:2? host-replaced:2? short-timeout:2?"},
		/* the name of the server behind is a sign */
		{"location / {\nproxy_pass http://ws-backend;\n"
		 "proxy_read_timeout 1h; proxy_set_header Host $http_host; }",
		 "upgrade-not-forwarded:2"},
		/* one line of its own cancels those around */
		{"server { proxy_set_header Upgrade $http_upgrade;"
		 " proxy_set_header Connection upgrade; proxy_http_version "
		 "1.1;\n"
		 "location / { proxy_set_header Host $http_host;\n"
		 " proxy_read_timeout 1h;\n proxy_pass http://a; } }",
		 "upgrade-not-forwarded:4"},
		{"location /ws {\nproxy_pass http://a;\nadd_header Upgrade "
		 "$http_upgrade; proxy_set_header Host $http_host; "
		 "proxy_read_timeout 1h; }",
		 "upgrade-not-forwarded:2"},
		{"location /ws { proxy_pass http://a; " GOOD "\n"
		 "proxy_set_header Sec-WebSocket-Key ''; }",
		 "upgrade-removed:2"},
		{"location /ws { proxy_pass http://a; " GOOD "\n"
		 "proxy_pass_request_headers off; }",
		 "upgrade-removed:2"},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

/* A location that is right but for the value of one field, in line 2. */
#define UPGRADE(value)                                                         \
	"map $http_upgrade $connection_upgrade { default upgrade; '' close; }" \
	"location /ws { proxy_pass http://a; proxy_read_timeout 1h;"           \
	"proxy_http_version 1.1; proxy_set_header Host $http_host;"            \
	"proxy_set_header Connection upgrade;\n"                               \
	"proxy_set_header Upgrade " value "; }"
#define CONNECTION(value)                                                      \
	"location /ws { proxy_pass http://a; proxy_read_timeout 1h;"           \
	"proxy_http_version 1.1; proxy_set_header Host $http_host;"            \
	"proxy_set_header Upgrade $http_upgrade;\n"                            \
	"proxy_set_header Connection " value "; }"

TEST("a value counts by what it comes to")
{
	static const struct config_row rows[] = {
		{UPGRADE("websocket"), ""},
		{UPGRADE("'WebSocket'"), ""},
		{UPGRADE("${http_upgrade}"), ""},
		{UPGRADE("http_upgrade"), "misspelt-variable:2"},
		{UPGRADE("upgrade"), "misspelt-variable:2"},
		{UPGRADE("$connection_upgrade"), "misspelt-variable:2"},
		{UPGRADE("$htp_upgrade"), "misspelt-variable:2?"},
		{UPGRADE("$http_upgarde"), "misspelt-variable:2"},
		{UPGRADE("$http_upgrad"), "misspelt-variable:2"},
		{CONNECTION("$http_connetion"), "misspelt-variable:2"},
		{CONNECTION("$http_connection"), ""},
		{UPGRADE("''"), "upgrade-removed:2"},
		{CONNECTION("Upgrade"), ""},
		{CONNECTION("'keep-alive, upgrade'"), ""},
		{CONNECTION("close"), "upgrade-not-forwarded:2"},
		{CONNECTION("''"), "upgrade-not-forwarded:2"},
		{CONNECTION("keep-alive"), "upgrade-not-forwarded:2"},
		{CONNECTION("upgraded"), "misspelt-variable:2"},
		{CONNECTION("connection_upgrade"), "misspelt-variable:2"},
		{CONNECTION("$connection_upgrade"), "misspelt-variable:2?"},
		{"map $http_upgrade $c { default keep-alive; }\n" CONNECTION(
			 "$c"),
		 "upgrade-not-forwarded:3"},
		{"map $http_upgrade $c { ~*^web upgrade; default x; }\n"
		 CONNECTION("$c"),
		 ""},
		{"map $http_upgrade $c { \"WEBSOCKET\" upgrade; }\n" CONNECTION(
			 "$c"),
		 ""},
		{"map $d $c { x upgrade; } map $http_upgrade $d { websocket x; }\n"
		 CONNECTION("$c"),
		 ""},
		/* maps that look at each other have no value */
		{"map $d $c { x upgrade; } map $c $d { websocket x; }\n"
		 CONNECTION("$c"),
		 ""},
		{"http { server { listen 80;\n" CONNECTION(
			 "$connection_upgrade") " } }",
		 "misspelt-variable:3"},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

#define REST "proxy_set_header Upgrade $http_upgrade; " \
	     "proxy_set_header Connection upgrade;"

TEST("the version, Host, scheme and time are looked at")
{
	static const struct config_row rows[] = {
		{"location /ws {\nproxy_pass http://a; proxy_read_timeout 1h; "
		 "proxy_set_header Host $http_host; " REST " }",
		 "http-version:2"},
		{"location /ws { proxy_pass http://a; proxy_read_timeout 1h; "
		 "proxy_set_header Host $http_host; " REST
		 "\nproxy_http_version 1.0; }",
		 "http-version:2"},
		{"location /ws {\nproxy_pass http://a; proxy_http_version 1.1; "
		 REST " }",
		 "host-replaced:2 short-timeout:2?"},
		{"location /ws { " REST "\nproxy_pass http://a; "
		 "proxy_http_version 1.1;\nproxy_set_header Host $host;\n"
		 "proxy_read_timeout 30s; }",
		 "short-timeout:4"},
		{"server { listen 8080; location /ws { " REST
		 " proxy_pass http://a; proxy_read_timeout 1h; "
		 "proxy_http_version 1.1;\nproxy_set_header Host $host; } }",
		 "host-without-port:2?"},
		{"server { listen 8080; location /ws { " REST
		 " proxy_pass http://a; proxy_read_timeout 1h; "
		 "proxy_http_version 1.1;\n"
		 "proxy_set_header Host $host:$server_port; } }",
		 ""},
		{"server { listen 443 ssl; location /ws {\nproxy_pass http://a; "
		 GOOD " } }",
		 "scheme-lost:2"},
		{"server { listen 443 ssl; location /ws {\nproxy_pass http://a; "
		 GOOD " proxy_set_header X-Forwarded-Proto $scheme; } }",
		 ""},
		{"server { listen 443 ssl; location /ws {\nproxy_pass http://a; "
		 GOOD "\nproxy_set_header X-Forwarded-Proto http; } }",
		 "scheme-lost:3"},
		{"server { listen 443 ssl; location /ws {\nproxy_pass http://a; "
		 GOOD " proxy_set_header X-Forwarded-Ssl on; } }",
		 ""},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

TEST("what is never reached is found")
{
	static const struct config_row rows[] = {
		{"server { location ~ ^/w { proxy_pass http://b; }\n" WS " }",
		 "shadowed:2"},
		{"server { location ~ ^/w { proxy_pass http://b; }\n"
		 "location ^~ /ws { proxy_pass http://a; " GOOD " } }",
		 ""},
		{"server { location = /ws { return 204; }\n" WS " }",
		 "shadowed:2"},
		{"server { listen 80; server_name a; " WS " }\n"
		 "server { listen 443 ssl; server_name a;\n"
		 "location / { proxy_pass http://a; } }",
		 "plain-vhost-only:4"},
		{"server { listen 80; server_name a; " WS " }\n"
		 "server { listen 443 ssl; server_name b;\n"
		 "location / { proxy_pass http://a; } }",
		 ""},
		{"server { listen 80; server_name a b; }\n"
		 "server { listen 80; server_name b;\n" WS " }",
		 "shadowed:3"},
		{"server { listen 80; server_name a; }\n"
		 "server { listen 81; server_name a;\n" WS " }",
		 ""},
		{"server { listen 80; return 301 https://$host$request_uri;\n"
		 WS " }",
		 "redirect-rule:1"},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

/* A server that asks /a, which does @what. */
#define AUTH(what) \
	"server { location = /a { internal; " what " }\n" \
	"auth_request /a;\n" WS " }"

TEST("what refuses is told, and is not sure where it depends on the client")
{
	static const struct config_row rows[] = {
		{"server { if ($http_origin !~ ^https://a$) { return 403; }\n"
		 WS " }",
		 "origin-rule:1?"},
		/* told once, though two locations run into it */
		{"server { if ($http_origin = x) { return 403; }\n" WS
		 "location /wss { proxy_pass http://a; " GOOD " } }",
		 "origin-rule:1?"},
		{"server { if ($http_user_agent ~* bot) { return 403; }\n" WS
		 " }",
		 "agent-rule:1?"},
		{"map $http_origin $bad { default 1; https://a 0; }\n"
		 "server {\nif ($bad) { return 403; }\n" WS " }",
		 "origin-rule:3?"},
		{"server { set $no 1; if ($http_origin = https://a) "
		 "{ set $no 0; }\nif ($no) { return 403; }\n" WS " }",
		 "origin-rule:2?"},
		{"server { valid_referers server_names;\n"
		 "if ($invalid_referer) { return 403; }\n" WS " }",
		 "refused:2"},
		{"server { valid_referers none server_names;\n"
		 "if ($invalid_referer) { return 403; }\n" WS " }",
		 ""},
		{"location /ws { proxy_pass http://a; " GOOD
		 "\nallow 10.0.0.0/8;\ndeny all; }",
		 "address-rule:3?"},
		{"server {\nauth_basic x;\n" WS " }", "auth-rule:2?"},
		{"server {\nauth_basic x;\nlocation /ws { proxy_pass http://a; "
		 GOOD " auth_basic off; } }",
		 ""},
		{"server {\nauth_request /a;\n" WS " }", "auth-rule:2?"},
		{AUTH("proxy_pass http://b;"), "auth-rule:2?"},
		/* who is asked answers by rules of nginx: those are told */
		{AUTH("return 204;"), ""},
		{AUTH("if ($http_origin = https://a) { return 403; }\n"
		      "return 204;"),
		 "origin-rule:1?"},
		{AUTH("return 401;"), "refused:1"},
		{"server {\nssl_verify_client on;\n" WS " }",
		 "certificate-rule:2?"},
		{"limit_conn_zone $binary_remote_addr zone=c:1m;\nserver {\n"
		 "limit_conn c 2;\n" WS " }",
		 "rate-rule:3?"},
		{"limit_req_zone $binary_remote_addr zone=r:1m rate=6r/m;\n"
		 "server {\nlimit_req zone=r;\n" WS " }",
		 "rate-rule:3?"},
		{"limit_req_zone $binary_remote_addr zone=r:1m rate=60r/s;\n"
		 "server {\nlimit_req zone=r;\n" WS " }",
		 ""},
		{"server {\nlisten 80 http2;\n" WS " }", "plain-http2:2"},
		{"server {\nlisten 443 ssl http2;\nlocation /ws { proxy_pass "
		 "http://a; " GOOD " proxy_set_header X-Forwarded-Proto https; "
		 "} }",
		 ""},
		{"server {\nlarge_client_header_buffers 4 1k;\n" WS " }",
		 "header-limit:2?"},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

/* ---- a request ---- */

static const struct lint_request plain = {
	.host = "app.example", .port = 80, .path = "/ws",
	.origin = "http://app.example", .user_agent = "Firefox/1"};
static const struct lint_request tls = {
	.tls = true, .host = "app.example", .port = 443, .path = "/ws/1",
	.origin = "https://app.example"};

TEST("a request is judged along its way alone")
{
	static const struct config_row rows[] = {
		{"server { listen 80; " WS "}", ""},
		{"server { listen 80; " WS
		 "location /api/ws {\nproxy_pass http://a; } }",
		 ""},
		{"server { if ($http_origin !~ ^http://app\\.example$) "
		 "{ return 403; }\n" WS " }",
		 ""},
		{"server { if ($http_origin !~ ^https://app\\.example$) "
		 "{ return 403; }\n" WS " }",
		 "origin-rule:1"},
		{"server {\nif ($http_user_agent ~* (curl|fire)) "
		 "{ return 403; }\n" WS " }",
		 "agent-rule:2"},
		{"server { location / {\nproxy_pass http://a; " GOOD "\n"
		 "if ($http_upgrade != websocket) { return 404; } } }",
		 ""},
		{AUTH("if ($http_origin !~ app) { return 403; }\nreturn 204;"),
		 ""},
		{AUTH("\nif ($http_origin ~ app) { return 403; } return 204;"),
		 "origin-rule:2"},
		{AUTH("if ($http_origin !~ app) { return 403; }\n"
		      "proxy_pass http://b;"),
		 "auth-rule:3"},
		{AUTH("return 302 /login;"), "refused:1"},
		{"server { location / {\nroot /srv; try_files $uri @app; }\n"
		 "location @app { proxy_pass http://a; " GOOD " } }",
		 ""},
		{"server { location / {\nif ($http_upgrade) { return 418; }\n"
		 "error_page 418 = @ws; }\n"
		 "location @ws { proxy_pass http://a; " GOOD " } }",
		 ""},
		{"server {\nlocation / { root /srv; } }", "no-proxy:2"},
		{"server {\nlocation / { root /srv; }\n"
		 "location /chat { proxy_pass http://a; } }",
		 "no-route:2"},
		{"server { listen 80 default_server;\nreturn 403; }\n"
		 "server { listen 80; server_name b; " WS " }",
		 "host-rule:2"},
		{"server {\nlocation /ws/ { proxy_pass http://a; " GOOD " } }",
		 "redirect-rule:2"},
		{"server {\nreturn 301 https://$host$request_uri; " WS " }",
		 "redirect-rule:2"},
		{"server { listen 80 default_server; return 444; }\n"
		 "server { listen 80; server_name *.example; " WS " }",
		 ""},
		{"server { server_name other;\nlocation / { proxy_pass http://a; "
		 GOOD " } }\nserver { server_name ~^app; " WS " }",
		 ""},
		{"location / {\nproxy_pass http://a; " GOOD "\ndeny all; }",
		 "address-rule:3"},
		{"location / { proxy_pass http://a; " GOOD " }\n"
		 "location ~ s$ {\nproxy_pass http://b;\n"
		 "proxy_read_timeout 1h; proxy_set_header Host $http_host; }",
		 "upgrade-not-forwarded:3"},
		{"upstream a { server b; }", "no-route:0"},
	};

	check_rows(rows, ARRAY_LEN(rows), &plain);
}

TEST("the Origin or User-Agent of a request is let past the test, and no other")
{
	static const struct lint_request none = {.path = "/ws", .port = 80};
	static const struct {
		const char *text, *patch;
		const struct lint_request *request;
	} rows[] = {
		{"server {\n\tif ($http_origin !~ z) { return 444; }\n" WS "}",
		 "+\tif ($http_origin = \"http://app.example\") { break; }\n"
		 " \tif ($http_origin !~ z)",
		 &plain},
		{"server {\nlocation /ws { if ($http_user_agent ~ F) { return "
		 "403; } proxy_pass http://a; " GOOD " } }",
		 "+location /ws { if ($http_user_agent = \"Firefox/1\") { break; "
		 "} if ($http_user_agent ~ F) {",
		 &plain},
		{"map $http_origin $bad { default 1; }\nserver {\nlocation /ws "
		 "{\nif ($bad) { return 403; }\nproxy_pass http://a; " GOOD "}}",
		 "+if ($http_origin = \"\") { break; }\n if ($bad)", &none},
		{AUTH("if ($http_origin ~ p) { return 403; } return 204;"),
		 "internal; if ($http_origin = \"http://app.example\") { return "
		 "204; } if", &plain},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_patch(LINT_NGINX, rows[i].text, rows[i].request,
			    rows[i].patch);
}

TEST("what an end of the tests would leave out stands in the way of the patch")
{
	static const char *const rows[] = {
		"server {\nif ($http_origin ~ p) { return 403; }\n"
		"if ($http_user_agent ~ x) { return 403; }\n" WS "}",
		"server {\nif ($http_origin ~ p) { return 403; }\nset $a b;\n" WS
		"}",
	};
	static const struct lint_request odd = {
		.path = "/ws", .port = 80, .origin = "http://$p\""};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_no_patch(LINT_NGINX, rows[i], &plain);
	check_no_patch(LINT_NGINX,
		       "server {\nif ($http_origin ~ p) { return 403; }\n" WS "}",
		       &odd);
}

TEST("a request over TLS comes to the server with TLS, or to none")
{
	static const struct config_row rows[] = {
		{"server { listen 80; " WS "}\n"
		 "server { listen 443 ssl; location / {\nproxy_pass http://a; "
		 GOOD "\n} }",
		 "scheme-lost:4"},
		/* TLS ends before nginx, on another port */
		{"server { listen 80; location / { proxy_pass http://a; " GOOD
		 "\nproxy_set_header X-Forwarded-Proto $scheme; } }",
		 "scheme-lost:2"},
		{"server { listen 8443 ssl; location / { proxy_pass http://a; "
		 GOOD " proxy_set_header X-Forwarded-Proto $scheme; } }",
		 ""},
	};

	check_rows(rows, ARRAY_LEN(rows), &tls);
}

/* ---- files ---- */

static void check_files_error(const struct memory_file *files, const char *file,
			unsigned line, const char *text)
{
	struct lint_report report;
	struct lint_error error;

	assert_int_equal(memory_lint(files, LINT_NGINX, NULL, &report, &error),
			 SESAME_EINVAL);
	assert_string_equal(error.file, file);
	assert_int_equal(error.line, line);
	if (!strstr(error.text, text))
		fail_msg("told: %s\nwanted: %s", error.text, text);
}

TEST("includes are looked for beside the main file and above it")
{
	static const struct memory_file files[] = {
		{"/e/sites/x.conf",
		 "server { listen 80;\ninclude snip/*.conf; }\n"},
		{"/e/snip/a.conf", "location /ws {\ninclude pass;\n}"},
		{"/e/sites/pass", "\nproxy_pass http://a;\n"},
		{0}};
	struct lint_report report;
	struct lint_error error;

	assert_int_equal(memory_lint(files, LINT_UNKNOWN, NULL, &report,
				     &error),
			 0);
	assert_int_equal(report.language, LINT_NGINX);
	assert_int_equal(report.n_findings, 3);
	assert_string_equal(report.finding[0].file, "/e/sites/pass");
	assert_int_equal(report.finding[0].line, 2);
	lint_report_fini(&report);
}

TEST("a forgotten semicolon is told where it belongs")
{
	static const struct {
		const char *text;
		unsigned line;
	} rows[] = {
		{"location / {\nproxy_pass http://a\nproxy_set_header A b;\n}", 2},
		{"server {\nlisten 80 # plain\n\nserver_name a;\n}", 2},
		{"location /a {\nproxy_pass http://a\n}\nlocation /b { }", 3},
		{"server {\nproxy_pass a\nlocation / { return 200; } }", 2},
	};
	/* values may stand in lines of their own */
	static const struct config_row fine[] = {
		{"server { server_name\n a\n \"listen\"\n b; listen\n80; }", ""}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_files_error((struct memory_file[]){{"x", rows[i].text}, {0}},
			    "x", rows[i].line, "\";\"");
	check_rows(fine, ARRAY_LEN(fine), NULL);
}

TEST("a path of proxy_pass is told where Socket.IO would miss its own")
{
#define IO(location, pass) "location " location " { " pass " " GOOD " }\n"
	static const struct config_row rows[] = {
		{IO("/socket.io/", "proxy_pass http://a/;"),
		 "path-changed:1?"},
		{IO("^~ /socket.io", "proxy_pass http://a/x/;"),
		 "path-changed:1?"},
		{IO("/socket.io/", "proxy_pass http://a;"), ""},
		{IO("/socket.io/", "proxy_pass http://a/socket.io/;"), ""},
		{IO("/x/socket.io/", "proxy_pass http://a/socket.io/;"), ""},
		{IO("/socket.io/", "proxy_pass http://unix:/run/a.sock;"), ""},
		{IO("/ws/", "proxy_pass http://a/;"), ""},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

TEST("a missing include is told, and what does not matter is not")
{
	static const struct config_row rows[] = {
		{"server {\ninclude no/such;\n" WS "}", "cannot-read:2?"},
		{"http { include mime.types; include conf.d/*.conf; }", ""},
	};

	check_rows(rows, ARRAY_LEN(rows), NULL);
}

TEST("an include that comes back to itself is an error with its place")
{
	static const struct memory_file loop[] = {
		{"a", "http {\ninclude b;\n}"}, {"b", "\n\ninclude a;"}, {0}};
	static const struct memory_file fan[] = {
		{"a", "include b; include b; include b; include b;"},
		{"b", "include c; include c; include c; include c;"},
		{"c", "include d; include d; include d; include d;"},
		{"d", "include e; include e; include e; include e;"},
		{"e", "include f; include f; include f; include f;"},
		{"f", "include g; include g; include g; include g;"},
		{"g", "include h; include h; include h; include h;"},
		{"h", "include i; include i; include i; include i;"},
		{"i", "include j; include j; include j; include j;"},
		{"j", "a; a; a; a;"},
		{0}};

	check_files_error(loop, "b", 3, "a includes itself");
	check_files_error(fan, "j", 1, "more than 200000 directives");
}

TEST("what nginx -T prints is several files")
{
	static const struct memory_file files[] = {
		{"-",
		 "nginx: the configuration file /n/nginx.conf syntax is ok\n"
		 "# configuration file /n/nginx.conf:\n"
		 "http {\n    include conf.d/*.conf;\n}\n\n"
		 "# configuration file /n/conf.d/a.conf:\n"
		 "server {\n    location /ws {\n\tproxy_pass http://a;\n"
		 "    }\n}\n\n"},
		{0}};
	struct lint_report report;
	struct lint_error error;
	struct ses_buf patch;

	assert_int_equal(memory_lint(files, LINT_UNKNOWN, NULL, &report,
				     &error),
			 0);
	assert_int_equal(report.finding[0].rule, LINT_UPGRADE_NOT_FORWARDED);
	assert_string_equal(report.finding[0].file, "/n/conf.d/a.conf");
	assert_int_equal(report.finding[0].line, 3);
	ses_buf_init(&patch, 65536);
	assert_true(lint_patch(&report, &patch) >= 0);
	assert_true(bytes_starts(
		ses_buf_bytes(&patch),
		BYTES("--- /n/conf.d/a.conf\t\n+++ /n/conf.d/a.conf\t\n"
		      "@@ -1,5 +1,10 @@\n server {\n     location /ws {\n"
		      " \tproxy_pass http://a;\n"
		      "+\tproxy_http_version 1.1;\n")));
	ses_buf_fini(&patch);
	lint_report_fini(&report);
}

TEST("a server may have as many names as people give it")
{
	char text[8192] = "server {\nserver_name";
	struct memory_file files[] = {{"x", text}, {0}};
	struct lint_report report;
	struct lint_error error;
	size_t n = strlen(text);

	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " h%d.example",
				      i);
	snprintf(text + n, sizeof(text) - n, ";\n}\n");
	assert_int_equal(memory_lint(files, LINT_NGINX, NULL, &report, &error),
			 0);
	assert_int_equal(report.n_findings, 0);
	lint_report_fini(&report);
}

TEST("a configuration cut anywhere is read or refused, never misread")
{
	static const char whole[] =
		"map $http_upgrade $c { default upgrade; '' close; }\n"
		"server { listen 443 ssl; server_name ~^(?<n>a+)$ \"b c\";\n"
		"  if ($http_origin !~ \"^https://\\w+\\.x$\") { return 403; }\n"
		"  location ~* ^/ws/(\\d{1,3}) { # c\n"
		"    content_by_lua_block { local a = '}' }\n"
		"    proxy_pass http://a$1; proxy_set_header Connection $c;\n"
		"  } }\n";

	for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
		char *text = strndup(whole, n);
		struct memory_file files[] = {{"x", text}, {0}};
		struct lint_report report;
		struct lint_error error;
		int r = memory_lint(files, LINT_NGINX, &plain, &report, &error);

		if (r == 0)
			lint_report_fini(&report);
		else
			assert_true(error.line > 0 && error.text[0]);
		free(text);
	}
}
