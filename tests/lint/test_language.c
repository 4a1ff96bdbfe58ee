/* SPDX-License-Identifier: MIT */
/* A configuration, or a part of one however it is laid out, is known for what
 * it is without being told. */
#include "lint/lint.h"
#include "test.h"

#include "memory.h"

static const struct {
	enum lint_language language;
	const char *text, *told;
} rows[] = {
	{LINT_NGINX,
	 "server { listen 80; location / { proxy_pass http://x; } }\n",
	 "upgrade-not-forwarded:1? host-replaced:1? short-timeout:1?"},
	{LINT_NGINX, "location /ws { proxy_pass http://x; }",
	 "upgrade-not-forwarded:1 host-replaced:1 short-timeout:1?"},
	{LINT_NGINX, "location / { proxy_pass http://x; } # the site\n",
	 "upgrade-not-forwarded:1? host-replaced:1? short-timeout:1?"},
	{LINT_NGINX, "http { server { location / { proxy_pass http://x; } } }\n",
	 "upgrade-not-forwarded:1? host-replaced:1? short-timeout:1?"},
	{LINT_NGINX,
	 "upstream x { server 127.0.0.1:3; }\n"
	 "server { listen 80; location / { proxy_pass http://x; } }\n",
	 "upgrade-not-forwarded:2? host-replaced:2? short-timeout:2?"},
	/* what a location includes */
	{LINT_NGINX, "proxy_pass http://x;\n",
	 "upgrade-not-forwarded:1? host-replaced:1? short-timeout:1?"},
	{LINT_NGINX, "proxy_http_version 1.1;\nproxy_read_timeout 1h;\n", ""},
	{LINT_HAPROXY,
	 "frontend web\n  bind :80\n  acl w hdr(Upgrade) WebSocket\n"
	 "  use_backend a if w\nbackend a\n",
	 "never-true:3"},
	{LINT_HAPROXY,
	 "backend ws\n  server a 127.0.0.1:1\n  timeout server 5s\n",
	 "short-timeout:3"},
	{LINT_HAPROXY, "acl w hdr(Upgrade) WebSocket\nuse_backend a if w\n",
	 "never-true:1"},
	{LINT_APACHE,
	 "<VirtualHost *:80>\nProxyPreserveHost On\nProxyPass / http://x/\n"
	 "</VirtualHost>\n",
	 "upgrade-not-forwarded:3?"},
	{LINT_APACHE, "ProxyPreserveHost On\nProxyPass /ws http://x/ws\n",
	 "upgrade-not-forwarded:2"},
	{LINT_APACHE, "<Location /ws>\n ProxyPass ws://x/ws\n</Location>\n",
	 "host-replaced:2"},
	{LINT_CADDY, "app.example {\n reverse_proxy localhost:1\n}\n", ""},
	{LINT_CADDY, "reverse_proxy localhost:1 {\n header_up -Upgrade\n}\n",
	 "upgrade-removed:2"},
	{LINT_CADDY, ":80\nreverse_proxy localhost:1 {\n header_up -Upgrade\n}\n",
	 "upgrade-removed:3"},
};

TEST("a part of a configuration tells its language, and is judged")
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct memory_file file[] = {{"x", rows[i].text}, {0}};
		struct lint_report report;
		struct lint_error error;
		char told[1024];

		if (memory_lint(file, LINT_UNKNOWN, NULL, &report, &error))
			fail_msg("%s\n%s", rows[i].text, error.text);
		assert_int_equal(report.language, rows[i].language);
		memory_told(&report, told, sizeof(told));
		if (strcmp(told, rows[i].told) != 0)
			fail_msg("%s\ntold:   %s\nwanted: %s", rows[i].text,
				 told, rows[i].told);
		lint_report_fini(&report);
	}
}

TEST("what is none of the four is told as that")
{
	static const struct memory_file file[] = {
		{"x", "Dear Sir,\n\nyours truly\n"}, {0}};
	struct lint_report report;
	struct lint_error error;

	assert_true(memory_lint(file, LINT_UNKNOWN, NULL, &report, &error) < 0);
	assert_non_null(strstr(error.text, "--language"));
}
