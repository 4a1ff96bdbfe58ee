/* SPDX-License-Identifier: MIT */
/* A patch is judged by what it leaves: what it does not mend is not in it. */
#include "lint/lint.h"
#include "test.h"

#include "lint/source.h"
#include "memory.h"

#define HAPROXY_LATE                             \
	"backend app\n"                          \
	" server a 127.0.0.1:1\n"                \
	"defaults\n"                             \
	" timeout client 3s\n"                   \
	"frontend web\n"                         \
	" mode http\n"                           \
	" bind :80\n"                            \
	" acl is_ws hdr(Upgrade) -i websocket\n" \
	" use_backend app if is_ws\n"
#define HAPROXY_NAMED             \
	"defaults one\n"          \
	" timeout client 3s\n"    \
	"defaults two from one\n" \
	" mode http\n"            \
	"frontend web from one\n" \
	" mode http\n"            \
	" bind :80\n"             \
	" default_backend ws\n"   \
	"backend ws from two\n"   \
	" server a 127.0.0.1:1\n"
#define HAPROXY_WORDS           \
	"frontend web\n"        \
	" mode http\n"          \
	" bind :80\n"           \
	" acl enx path /deny\n" \
	" http-request deny if en\n"
#define APACHE_SITE                                    \
	"<VirtualHost *:80>\n"                         \
	"RewriteEngine On\n"                           \
	"RewriteCond %{HTTP:Upgrade} websocket [NC]\n" \
	"RewriteRule ^/(.*) ws://a/$1 [P,L]\n"         \
	"ProxyPreserveHost On\n"                       \
	"ProxyPass / http://a/\n"                      \
	"</VirtualHost>\n"                             \
	"<VirtualHost *:443>\n"                        \
	"SSLEngine on\n"                               \
	"<Location ~ \"^/ws\">\n"                      \
	"ProxyPass http://a/\n"                        \
	"</Location>\n"                                \
	"</VirtualHost>\n"
#define NGINX_DUMP                              \
	"# configuration file /n/nginx.conf:\n" \
	"http {\n"                              \
	"include c/*;\n"                        \
	"}\n\n"                                 \
	"# configuration file /n/c/a:\n"        \
	"server { location /ws { proxy_pass http://a; } }"

struct desk {
	struct memory memory;
	struct lint_files files;
	struct lint_report report;
};

static void open_desk(struct desk *d, const struct memory_file *file,
		      enum lint_language language)
{
	struct lint_error error;

	d->memory = (struct memory){file};
	d->files = (struct lint_files){memory_read, memory_list, &d->memory};
	assert_int_equal(lint_file(&d->files, file->name, language, NULL,
				   &d->report, &error),
			 0);
}

/* Findings that stay, and those that still have edits. */
static void count(const struct lint_report *report, size_t *stay, size_t *mended)
{
	*stay = *mended = 0;
	for (size_t i = 0; i < report->n_findings; i++) {
		*stay += report->finding[i].stays;
		*mended += report->finding[i].n_edits > 0;
		if (report->finding[i].stays)
			assert_int_equal(report->finding[i].n_edits, 0);
	}
}

/* The file as lint_try()'s patch leaves it, to be freed. */
static char *patched(const struct lint_report *report)
{
	bool chosen[LINT_MAX_FINDINGS] = {0};
	unsigned *moved = NULL;
	struct ses_buf out;
	char *text;

	ses_buf_init(&out, 1 << 20);
	assert_true(lint_patched(report, 0, &out, &moved, chosen) >= 0);
	assert_int_equal(ses_buf_append(&out, bytes_of("", 1)), 0);
	text = strdup((const char *)ses_buf_bytes(&out).data);
	ses_buf_fini(&out);
	free(moved);
	return text;
}

/* Mend @text (taken over) once; NULL when there is nothing that can be mended. */
static char *mend(enum lint_language language, char *text)
{
	struct memory_file file[] = {{"x", text}, {0}};
	size_t stay, mended;
	char *left = NULL;
	struct desk d;

	open_desk(&d, file, language);
	assert_true(lint_try(&d.files, "x", language, NULL, &d.report) >= 0);
	count(&d.report, &stay, &mended);
	if (mended)
		left = patched(&d.report);
	lint_report_fini(&d.report);
	free(text);
	return left;
}

/* What one patch uncovers may want another; the same line is never added again. */
TEST("patches come to an end, whatever the layout")
{
	static const struct {
		enum lint_language language;
		const char *text;
	} row[] = {
		{LINT_HAPROXY, HAPROXY_LATE},
		{LINT_HAPROXY, HAPROXY_NAMED},
		{LINT_HAPROXY, HAPROXY_WORDS},
		{LINT_APACHE, APACHE_SITE},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		char *text = mend(row[i].language, strdup(row[i].text));
		int n = 1;

		assert_non_null(text);
		while (text && n < 4) {
			text = mend(row[i].language, text);
			n++;
		}
		if (text)
			fail_msg("a patch without an end for\n%s", text);
	}
}

TEST("the output of nginx -T is judged again with its parts")
{
	static const struct memory_file file[] = {{"x", NGINX_DUMP}, {0}};
	size_t stay, mended;
	struct desk d;

	open_desk(&d, file, LINT_NGINX);
	assert_int_equal(lint_try(&d.files, "x", LINT_NGINX, NULL, &d.report),
			 0);
	count(&d.report, &stay, &mended);
	assert_true(mended > 0);
	lint_report_fini(&d.report);
}

TEST("edits that leave their finding where it is go, and it says so")
{
	static const struct memory_file file[] = {{"x", APACHE_SITE}, {0}};
	size_t stay, mended;
	struct desk d;

	open_desk(&d, file, LINT_APACHE);
	for (size_t i = 0; i < d.report.n_findings; i++)
		lint_no_edits(&d.report.finding[i]);
	d.report.finding[0].no_edits = false;
	d.report.finding[0].n_edits = 1;
	d.report.finding[0].edit[0] =
		(struct lint_edit){.kind = LINT_INSERT_AFTER,
				   .file = "x",
				   .line = 1,
				   .text = strdup("# of no use\n")};
	assert_int_equal(lint_try(&d.files, "x", LINT_APACHE, NULL, &d.report),
			 1);
	count(&d.report, &stay, &mended);
	assert_int_equal(stay, 1);
	assert_int_equal(mended, 0);
	assert_true(d.report.finding[0].stays);
	lint_report_fini(&d.report);
}

TEST("edits that make a configuration senseless go")
{
	static const struct memory_file file[] = {
		{"x", "location /ws { proxy_pass http://a; }\n"}, {0}};
	struct desk d;

	open_desk(&d, file, LINT_NGINX);
	d.report.finding[0].edit[0].text[0] = '}';
	assert_true(lint_try(&d.files, "x", LINT_NGINX, NULL, &d.report) > 0);
	assert_true(d.report.finding[0].stays);
	lint_report_fini(&d.report);
}
