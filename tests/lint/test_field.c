/* SPDX-License-Identifier: MIT */
/* Names of fields that nobody sends, wherever a configuration asks for them. */
#include "lint/field.h"
#include "test.h"

#include "rows.h"

TEST("a name is meant when a slip or two lead to it")
{
	static const struct {
		const char *written, *meant;
	} row[] = {
		{"Upgrdae", "Upgrade"},
		{"Upgrd", "Upgrade"},
		{"upgarde", "Upgrade"},
		{"conection", "Connection"},
		{"Orgin", "Origin"},
		{"user_agnet", "User-Agent"},
		{"sec-websocket-protocl", "Sec-WebSocket-Protocol"},
		{"Sec-WebSocket-Protocols", "Sec-WebSocket-Protocol"},
		/* these are what they are */
		{"Upgrade", NULL},
		{"USER_AGENT", NULL},
		{"X-Origin", NULL},
		{"Host", NULL},
		{"Hosts", NULL},
		{"Orig", NULL},
		{"Region", NULL},
		{"Option", NULL},
		{"Proxy-Connection", NULL},
		{"Upgrade-Insecure-Requests", NULL},
		{"", NULL},
		{"a-name-of-more-than-forty-seven-bytes-is-no-slip-of-these",
		 NULL},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		const char *meant =
			lint_field_meant(bytes_of_str(row[i].written));

		if (!row[i].meant != !meant ||
		    (meant && strcmp(meant, row[i].meant) != 0))
			fail_msg("%s: %s", row[i].written,
				 meant ? meant : "none");
	}
}

#define NGINX(line)                                                   \
	"server { location /ws {\n" line "\nproxy_pass http://a;\n"   \
	"proxy_http_version 1.1; proxy_read_timeout 1h;\n"            \
	"proxy_set_header Host $http_host; proxy_set_header Upgrade " \
	"$http_upgrade; proxy_set_header Connection upgrade;\n} }\n"
#define HAPROXY(line) "frontend web\n bind :80\n" line "\n"

TEST("a condition on a field that nobody sends is told, in any language")
{
	static const struct {
		enum lint_language language;
		struct config_row row;
	} rows[] = {
		{LINT_NGINX,
		 {NGINX("if ($http_orgin !~ x) { return 403; }"),
		  "misspelt-variable:2"}},
		{LINT_NGINX,
		 {NGINX("if (\"${http_orgin}\" = x) { return 403; }"),
		  "misspelt-variable:2"}},
		{LINT_NGINX, {NGINX("set $a $http_x_orign;"), ""}},
		{LINT_APACHE,
		 {"RewriteEngine On\nRewriteCond %{HTTP:Upgrdae} websocket\n"
		  "RewriteRule ^ - [E=a:1]\n",
		  "misspelt-variable:2"}},
		{LINT_APACHE,
		 {"<If \"%{HTTP:Orgin} == 'x'\">\nHeader set A b\n</If>\n",
		  "misspelt-variable:1"}},
		{LINT_APACHE,
		 {"Require expr \"req('Orgin') == 'x'\"\n",
		  "misspelt-variable:1"}},
		{LINT_APACHE, {"SetEnvIf Orgin x a\n", "misspelt-variable:1"}},
		/* it is set by hand */
		{LINT_APACHE,
		 {"RequestHeader set Orgin x\nSetEnvIf Orgin x a\n", ""}},
		{LINT_HAPROXY,
		 {HAPROXY(" acl a hdr(Upgrd) -i websocket\n"
			  " http-request deny if a"),
		  "misspelt-variable:3"}},
		{LINT_HAPROXY,
		 {HAPROXY(" http-request set-var(txn.o) req.fhdr(Orgin,1)"),
		  "misspelt-variable:3"}},
		{LINT_HAPROXY,
		 {HAPROXY(" http-response deny if { res.hdr(Upgrd) a }"), ""}},
		{LINT_CADDY,
		 {":80 {\n@a header Upgrdae websocket\n"
		  "respond @a 403\n}\n",
		  "misspelt-variable:2"}},
		{LINT_CADDY,
		 {":80 {\nrespond {header.Orgin} 200\n}\n",
		  "misspelt-variable:2"}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_config(rows[i].language, &rows[i].row, NULL);
}

TEST("in another server than the request's it is a perhaps")
{
	static const char text[] =
		"server { listen 80; server_name a; location / {\n"
		"proxy_pass http://a; } }\n"
		"server { listen 80; server_name b; location / {\n"
		"if ($http_orgin) { return 403; } } }\n";
	static const struct lint_request request = {
		.host = "b", .port = 80, .path = "/"};
	const struct memory_file file[] = {{"x", text}, {0}};
	struct lint_report report;
	struct lint_error error;
	char told[512];

	assert_int_equal(
		memory_lint(file, LINT_NGINX, &request, &report, &error), 0);
	memory_told(&report, told, sizeof(told));
	assert_non_null(strstr(told, "misspelt-variable:4?"));
	lint_report_fini(&report);
}
