/* SPDX-License-Identifier: MIT */
/* Apache: small configurations, and what is found in them at which line. */
#include "lint/lint.h"
#include "test.h"

#include <sesame/error.h>

#include "rows.h"

#define KEEP	 "ProxyPreserveHost On\nTimeout 3600\n"
#define REWRITES "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} websocket [NC]\n"
#define TO_WS	 "RewriteRule ^/(.*) ws://a/$1 [P,L]\n"

static void check(const struct config_row *row, size_t n,
		  const struct lint_request *request)
{
	check_configs(LINT_APACHE, row, n, request);
}

TEST("nothing is found where Apache is set up right")
{
	static const struct config_row rows[] = {
		{KEEP "ProxyPass /ws ws://a/ws\nProxyPass / http://a/\n", "", 0},
		{KEEP "ProxyPass /ws http://a/ws upgrade=websocket\n", "", 0},
		{KEEP "ProxyPass /ws http://a/ws retry=0 upgrade=ANY\n", "", 0},
		{KEEP REWRITES TO_WS "ProxyPass / http://a/\n", "", 0},
		{KEEP "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} "
		      "=WebSocket [NC]\n" TO_WS, "", 0},
		{KEEP "RewriteEngine On\nRewriteCond %{HTTP:CONNECTION} "
		      "Upgrade [NC]\n" TO_WS, "", 0},
		{KEEP "RewriteEngine On\n"
		      "RewriteCond %{HTTP:UPGRADE} ^WebSocket$ [NC,OR]\n"
		      "RewriteCond %{HTTP:CONNECTION} ^Upgrade$ [NC]\n" TO_WS,
		 "", 0},
		/* everything but WebSockets has a rule, too */
		{KEEP REWRITES TO_WS "RewriteCond %{HTTP:Upgrade} !=websocket "
		      "[NC]\nRewriteRule /(.*) http://a/$1 [P,L]\n", "", 0},
		{KEEP "<Location /ws>\nProxyPass ws://a/ws\n</Location>\n", "", 0},
		{KEEP "<Location />\nProxyPass http://a/\n</Location>\n"
		      "<Location /ws>\nProxyPass ws://a/ws\n</Location>\n", "", 0},
		{KEEP "<Proxy balancer://b>\nBalancerMember http://a "
		      "upgrade=websocket\n</Proxy>\n"
		      "ProxyPass /ws balancer://b/ws\n", "", 0},
		{KEEP "RequestHeader unset Connection\nProxyPass /ws ws://a/\n",
		 "", 0},
		{KEEP "ProxyPass /a \\\n  ws://a/ \\\n  timeout=3600\n", "", 0},
		{"# only a comment \\\nProxyPass /ws http://a/\n", "", 0},
		{"DocumentRoot /var/www\n", "", 0},
		{"", "", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("each mistake in Apache's configuration is found at its line")
{
	static const struct config_row rows[] = {
		{KEEP "ProxyPass /ws http://a/ws\n", "upgrade-not-forwarded:3", 0},
		{KEEP "ProxyPass /app http://a/\n", "upgrade-not-forwarded:3?", 0},
		{KEEP "<Location /ws>\n ProxyPass http://a/\n</Location>\n",
		 "upgrade-not-forwarded:4", 0},
		{KEEP "<Proxy balancer://b>\nBalancerMember http://a\n</Proxy>\n"
		      "ProxyPass /ws balancer://b/\n",
		 "upgrade-not-forwarded:6", 0},
		/* only where its path or its condition says */
		{KEEP REWRITES "RewriteRule ^/?live/(.*) ws://a/$1 [P]\n"
		      "ProxyPass / http://b/\n", "", 0},
		{KEEP REWRITES "RewriteCond %{REQUEST_URI} ^/live\n" TO_WS
		      "ProxyPass / http://b/\n", "", 0},
		{KEEP REWRITES "RewriteRule ^/(ws|live)/ ws://a/ [P]\n"
		      "ProxyPass / http://b/\n", "", 0},
		/* one member has it, the other has not */
		{KEEP "<Proxy \"balancer://b\">\nBalancerMember http://a\n"
		      "BalancerMember http://c upgrade=websocket\n</Proxy>\n"
		      "ProxyPass /ws balancer://b/\n",
		 "upgrade-not-forwarded:7", 0},
		{KEEP "BalancerMember balancer://b http://a upgrade=websocket\n"
		      "BalancerMember balancer://bc http://c\n"
		      "ProxyPass /ws balancer://b/\n", "", 0},
		/* in the wrong place */
		{KEEP "<Proxy balancer://b>\nBalancerMember ws://a\n</Proxy>\n"
		      "ProxyPass /ws balancer://b/ upgrade=websocket\n",
		 "upgrade-not-forwarded:6", 0},
		{KEEP "ProxyPass / http://a/\nProxyPass /ws ws://a/ws\n",
		 "order:4", 0},
		{KEEP "<Location /ws>\nProxyPass ws://a/\n</Location>\n"
		      "<Location />\nProxyPass http://a/\n</Location>\n",
		 "order:4", 0},
		{KEEP "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} WebSocket\n"
		      TO_WS "ProxyPass / http://a/\n", "never-true:4", 0},
		{KEEP "RewriteEngine On\nRewriteCond %{HTTP:Connection} "
		      "^Upgrade$ [NC]\n" TO_WS, "never-true:4", 0},
		{KEEP "RewriteEngine On\nRewriteCond %{HTTP_UPGRADE} websocket\n"
		      TO_WS "ProxyPass / http://a/\n", "misspelt-variable:4", 0},
		{KEEP REWRITES "RewriteRule ^/(.*) ws://a/$1 [L]\n",
		 "upgrade-not-forwarded:5", 0},
		{KEEP REWRITES "RewriteRule ^/(.*) http://a/$1 [P]\n",
		 "upgrade-not-forwarded:5", 0},
		{KEEP "RewriteCond %{HTTP:Upgrade} websocket [NC]\n" TO_WS
		      "ProxyPass / http://a/\n", "engine-off:3", 0},
		{KEEP "RewriteEngine Off\n"
		      "RewriteCond %{HTTP:Upgrade} websocket [NC]\n" TO_WS,
		 "engine-off:3", 0},
		{KEEP "RequestHeader unset Upgrade\nProxyPass /ws ws://a/\n",
		 "upgrade-removed:3", 0},
		{KEEP "RequestHeader unset Upgrade early\nProxyPass /w ws://a/\n",
		 "upgrade-removed:3", 0},
		{KEEP "RequestHeader unset Upgrade env=x\nProxyPass /w ws://a/\n",
		 "upgrade-removed:3?", 0},
		{KEEP "RequestHeader unset Origin\nProxyPass /ws ws://a/\n",
		 "origin-missing:3", 0},
		{KEEP "SetEnv force-proxy-request-1.0 1\nProxyPass /w ws://a/\n",
		 "http-version:3", 0},
		{"Timeout 3600\nProxyPass /ws ws://a/\n", "host-replaced:2", 0},
		{"Timeout 3600\nProxyPreserveHost Off\nProxyPass /w ws://a/\n",
		 "host-replaced:2", 0},
		{"ProxyPreserveHost On\nTimeout 20\nProxyPass /w ws://a/\n",
		 "short-timeout:2", 0},
		{"ProxyPreserveHost On\nTimeout 20\nProxyTimeout 30\n"
		 "ProxyPass /w ws://a/\n", "short-timeout:3", 0},
		{"ProxyPreserveHost On\nTimeout 20\nProxyTimeout 600\n"
		 "ProxyPass /w ws://a/\n", "", 0},
		{"ProxyPreserveHost On\nTimeout 20\n"
		 "ProxyPass /w ws://a/ timeout=30\n", "short-timeout:3", 0},
		{KEEP "SSLEngine on\nProxyPass /ws ws://a/\n", "scheme-lost:4", 0},
		{KEEP "SSLEngine on\nRequestHeader set X-Forwarded-Proto http\n"
		      "ProxyPass /ws ws://a/\n", "scheme-lost:4", 0},
		{KEEP "SSLEngine on\nSSLVerifyClient require\n"
		      "RequestHeader set X-Forwarded-Proto https\n"
		      "ProxyPass /ws ws://a/\n", "certificate-rule:4", 0},
		{KEEP "LimitRequestFieldSize 1024\nProxyPass /ws ws://a/\n",
		 "header-limit:3", 0},
		{KEEP "ProxyPass /ws ws://a/\n<Location /ws>\nRequire ip "
		      "10.0.0.0/8\n</Location>\n", "address-rule:5", 0},
		{KEEP "ProxyPass /ws ws://a/\n<Location /ws>\nAuthType Basic\n"
		      "Require valid-user\n</Location>\n", "auth-rule:6", 0},
		{KEEP "ProxyPass /ws ws://a/\n<Location /ws>\nRequire all granted"
		      "\n</Location>\n<Location />\nRequire all denied\n"
		      "</Location>\n", "refused:8", 0},
		{KEEP "LoadModule proxy_module m/mod_proxy.so\n"
		      "<IfModule mod_proxy_wstunnel.c>\nProxyPass /ws ws://a/\n"
		      "</IfModule>\n", "module-missing:4", 0},
		{KEEP "LoadModule proxy_module m/mod_proxy.so\n"
		      "ProxyPass /ws ws://a/\n", "module-missing:4", 0},
		{KEEP "LoadModule proxy_http_module m/mod_proxy_http.so\n"
		      "ProxyPass /ws ws://a/\n", "module-missing:4?", 0},
		{KEEP "<VirtualHost *:80>\nServerName a\nProxyPass /ws ws://a/\n"
		      "</VirtualHost>\n<VirtualHost *:443>\nServerName a\n"
		      "SSLEngine on\nRequestHeader set X-Forwarded-Proto https\n"
		      "ProxyPass / http://a/\n</VirtualHost>\n",
		 "plain-vhost-only:7", 0},
	};

	check(rows, ARRAY_LEN(rows), NULL);
}

TEST("a request is followed to what takes it, in the order of the hooks")
{
	static const struct lint_request request = {.host = "a.example",
						    .port = 80,
						    .path = "/chat"};
	static const struct config_row rows[] = {
		{KEEP "ProxyPass /chat ws://a/\nProxyPass / http://a/\n", "",
		 "x:3 ProxyPass /chat"},
		{KEEP "ProxyPass /chat !\nProxyPass / ws://a/\n", "order:4",
		 "x:3 ProxyPass /chat"},
		{KEEP "ProxyPass /other ws://a/\n", "no-route:0", ""},
		{KEEP "ProxyPass /cha ws://a/\nProxyPass / http://a/\n",
		 "upgrade-not-forwarded:4", "x:4 ProxyPass /"},
		{KEEP "ProxyPassMatch ^/(ch.*)$ ws://a/$1\n", "",
		 "x:3 ProxyPassMatch ^/(ch.*)$"},
		{KEEP "ProxyPass / ws://a/\nRedirect / https://b/\n", "",
		 "x:3 ProxyPass /"},
		{KEEP "Redirect / https://b/\n", "redirect-rule:3",
		 "x:3 Redirect /"},
		{KEEP "ProxyPass / ws://a/\n<Location />\nRedirect / https://b/\n"
		      "</Location>\n", "redirect-rule:5", "x:5 <Location />"},
		{KEEP "ProxyPass / ws://a/\nRewriteEngine On\n"
		      "RewriteRule ^/(.*) https://b/$1 [R=301,L]\n",
		 "redirect-rule:5", "x:5 RewriteRule ^/(.*)"},
		{KEEP REWRITES TO_WS "ProxyPass / http://a/\n", "",
		 "x:5 RewriteRule ^/(.*)"},
		{KEEP "<VirtualHost *:80>\nServerName b.example\nProxyPass / "
		      "http://b/\n</VirtualHost>\n<VirtualHost *:80>\n"
		      "ServerAlias *.example\nProxyPass / ws://a/\n"
		      "</VirtualHost>\n", "", "x:9 ProxyPass /"},
		{KEEP "ProxyPass / ws://a/\n<VirtualHost *:80>\n"
		      "</VirtualHost>\n", "", "x:3 ProxyPass /"},
		{"Define WS ws://a/\n" KEEP "ProxyPass / ${WS}\n", "",
		 "x:4 ProxyPass /"},
		{KEEP "<IfDefine NOPE>\nProxyPass / http://a/\n</IfDefine>\n"
		      "<IfModule !mod_nope.c>\n</IfModule>\n"
		      "ProxyPass / ws://a/\n", "", "x:8 ProxyPass /"},
	};

	check(rows, ARRAY_LEN(rows), &request);
}

TEST("rules about Origin and User-Agent are asked for the request's own")
{
	static const struct lint_request request = {
		.host = "a", .port = 80, .path = "/chat",
		.origin = "https://b.example", .user_agent = "curl/8"};
	static const struct config_row rows[] = {
		{KEEP "ProxyPass / ws://a/\nRewriteEngine On\nRewriteCond "
		      "%{HTTP:Origin} !^https://a\\.example$\n"
		      "RewriteRule ^ - [F]\n", "origin-rule:6", 0},
		{KEEP "ProxyPass / ws://a/\nRewriteEngine On\nRewriteCond "
		      "%{HTTP:Origin} !^https://(a|b)\\.example$\n"
		      "RewriteRule ^ - [F]\n", "", 0},
		{KEEP "ProxyPass / ws://a/\nRewriteEngine On\nRewriteCond "
		      "%{HTTP_USER_AGENT} ^(python|curl) [NC]\n"
		      "RewriteRule ^ - [F]\n", "agent-rule:6", 0},
		{KEEP "ProxyPass / ws://a/\nRewriteEngine On\nRewriteCond "
		      "%{HTTP_USER_AGENT} ^python\nRewriteRule ^ - [F]\n", "", 0},
		{KEEP "ProxyPass / ws://a/\nSetEnvIf User-Agent ^curl bad\n"
		      "<Location />\n<RequireAll>\nRequire all granted\n"
		      "Require not env bad\n</RequireAll>\n</Location>\n",
		 "agent-rule:8", 0},
		{KEEP "ProxyPass / ws://a/\nSetEnvIf Origin b\\.example$ good\n"
		      "<Location />\nRequire env good\n</Location>\n", "", 0},
		{KEEP "ProxyPass / ws://a/\n<Location />\nRequire expr "
		      "\"%{HTTP:Origin} in { '', 'https://a.example' }\"\n"
		      "</Location>\n", "origin-rule:5", 0},
		{KEEP "ProxyPass / ws://a/\n<Location />\nRequire expr "
		      "\"%{HTTP:Origin} == 'https://b.example'\"\n"
		      "</Location>\n", "", 0},
	};

	check(rows, ARRAY_LEN(rows), &request);
	check_patch(LINT_APACHE, rows[0].text, &request,
		    "+RewriteCond %{HTTP:Origin} \"!=https://b.example\"\n"
		    " RewriteRule ^ - [F]\n");
}

TEST("Apache's mended files say what they should")
{
	check_patch(LINT_APACHE, KEEP "\tProxyPass /ws http://a/ws retry=0\n",
		    NULL, "+\tProxyPass /ws http://a/ws retry=0 "
			  "upgrade=websocket\n");
	check_patch(LINT_APACHE,
		    KEEP "  ProxyPass / http://a/\n  ProxyPass /ws ws://a/ws\n",
		    NULL, "+  ProxyPass /ws ws://a/ws\n"
			  "   ProxyPass / http://a/\n"
			  "-  ProxyPass /ws ws://a/ws\n");
	check_patch(LINT_APACHE,
		    KEEP REWRITES "RewriteRule ^/(.*) ws://a/$1 [L]\n", NULL,
		    "+RewriteRule ^/(.*) ws://a/$1 [P,L]\n");
	check_patch(LINT_APACHE,
		    KEEP "RewriteEngine On\nRewriteCond %{HTTP:Upgrade} "
			 "WebSocket\n" TO_WS, NULL,
		    "+RewriteCond %{HTTP:Upgrade} WebSocket [NC]\n");
	check_patch(LINT_APACHE,
		    KEEP "LoadModule proxy_module m/mod_proxy.so\n"
			 "<IfModule mod_proxy_wstunnel.c>\nProxyPass / ws://a/\n"
			 "</IfModule>\n", NULL,
		    "+LoadModule proxy_wstunnel_module m/mod_proxy_wstunnel.so");
}

TEST("Apache's files are read with what they include")
{
	static const struct memory_file files[] = {
		{"e/apache2.conf",
		 "ProxyPreserveHost On\nTimeout 3600\n"
		 "IncludeOptional sites/*.conf\nInclude gone.conf\n"
		 "IncludeOptional never.conf\n"},
		{"e/sites/a.conf", "ProxyPass /ws ws://a/\n"},
		{"e/sites/b.conf", "\nProxyPass /cable http://a/\n"},
		{0},
	};
	struct lint_report report;
	struct lint_error error = {0};
	char told[512];

	assert_int_equal(memory_lint(files, LINT_APACHE, NULL, &report, &error),
			 0);
	assert_string_equal(memory_told(&report, told, sizeof(told)),
			    "cannot-read:4? upgrade-not-forwarded:2");
	assert_string_equal(report.finding[1].file, "e/sites/b.conf");
	lint_report_fini(&report);
}

TEST("what makes no sense in Apache's configuration is named with its line")
{
	check_error(LINT_APACHE, "\n<Location />\n", 2, "never closed");
	check_error(LINT_APACHE, "</Location>\n", 1, "without its");
	check_error(LINT_APACHE, "<Location />\n</Directory>\n", 2, "closes");
}

TEST("a file that includes itself ends with an error")
{
	static const struct memory_file files[] = {{"x", "Include x\n"}, {0}};
	struct lint_report report;
	struct lint_error error = {0};

	assert_int_equal(memory_lint(files, LINT_APACHE, NULL, &report, &error),
			 SESAME_EINVAL);
	assert_non_null(strstr(error.text, "deep"));
}

TEST("Apache's configuration may be cut anywhere")
{
	static const char text[] =
		KEEP "<VirtualHost *:80>\n" REWRITES TO_WS
		     "<Location \"/a b\">\nRequire expr \"%{HTTP:Origin}\"\n"
		     "</Location>\nProxyPass /x \\\n http://a/\n</VirtualHost>\n";
	char cut[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		struct memory_file files[] = {{"x", cut}, {0}};
		struct lint_report report;
		struct lint_error error = {0};

		memcpy(cut, text, i);
		cut[i] = '\0';
		if (memory_lint(files, LINT_APACHE, NULL, &report, &error) == 0)
			lint_report_fini(&report);
		else
			assert_true(error.text[0] != '\0');
	}
}
