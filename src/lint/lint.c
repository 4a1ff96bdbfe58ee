/* SPDX-License-Identifier: MIT */
/*
 * The story: read the file, tell its language, have it judged, sort what was
 * found. To tell the language, each line votes for those it could belong to.
 */
#include "lint/lint.h"

#include <sesame/error.h>

#include <stdlib.h>

#include "lint/field.h"
#include "lint/source.h"

#define N_LANGUAGES   (LINT_CADDY + 1)
#define MAX_VOTERS    2000 /* lines that are asked */
#define VOTE_OF_NAMES 3

/* ---- telling the language ---- */

static struct bytes first_word(struct bytes line)
{
	size_t n = 0;

	while (n < line.len && line.data[n] > ' ' && line.data[n] != '{' &&
	       line.data[n] != ';')
		n++;
	return bytes_first(line, n);
}

static bool is_one_of(struct bytes word, const char *const *words)
{
	for (; *words; words++)
		if (bytes_equal_nocase(word, bytes_of_str(*words)))
			return true;
	return false;
}

static bool ends_with(struct bytes line, char c)
{
	return line.len && line.data[line.len - 1] == (uint8_t)c;
}

static struct bytes without_comment(struct bytes line)
{
	for (size_t i = 1; i < line.len; i++)
		if (line.data[i] == '#' && line.data[i - 1] <= ' ')
			return bytes_trim(bytes_first(line, i));
	return line;
}

/* One statement of nginx and what ends it; many may stand in a line. */
static struct bytes next_statement(struct bytes *line, char *ret_end)
{
	size_t n = 0;
	struct bytes statement;

	while (n < line->len && !strchr(";{}", line->data[n]))
		n++;
	*ret_end = n < line->len ? (char)line->data[n] : 0;
	statement = bytes_trim(bytes_first(*line, n));
	*line = bytes_from(*line, n < line->len ? n + 1 : n);
	return statement;
}

static void vote_nginx(struct bytes line, int *votes)
{
	static const char *const words[] = {
		"server",     "location",   "upstream", "proxy_set_header",
		"map",	      "events",	    "http",	"if",
		"proxy_pass", "listen",	    "include",	"server_name",
		"return",     "add_header", NULL};

	if (bytes_starts(line, BYTES("# configuration file /")))
		votes[LINT_NGINX] += 20;
	line = without_comment(line);
	if (!ends_with(line, ';') && !ends_with(line, '{') &&
	    !ends_with(line, '}'))
		return;
	while (line.len) {
		char end;
		struct bytes statement = next_statement(&line, &end);

		votes[LINT_NGINX] += end == ';';
		if ((end == ';' || end == '{') &&
		    is_one_of(first_word(statement), words))
			votes[LINT_NGINX] += 2;
	}
}

static void vote_apache(struct bytes line, int *votes)
{
	static const char *const words[] = {"ProxyPass",
					    "ProxyPassMatch",
					    "ServerName",
					    "LoadModule",
					    "RewriteEngine",
					    "RewriteRule",
					    "RewriteCond",
					    "DocumentRoot",
					    "ProxyPassReverse",
					    "ServerRoot",
					    "ErrorLog",
					    "Listen",
					    "SSLEngine",
					    "Require",
					    "RequestHeader",
					    "ProxyPreserveHost",
					    NULL};

	if (ends_with(line, ';') || ends_with(line, '{'))
		return;
	if (line.data[0] == '<' && ends_with(line, '>'))
		votes[LINT_APACHE] += 4;
	else if (is_one_of(first_word(line), words))
		votes[LINT_APACHE] += 3;
}

static void vote_haproxy(struct bytes line, bool at_margin, int *votes)
{
	static const char *const sections[] = {
		"global", "defaults", "frontend", "backend", "listen", NULL};
	static const char *const words[] = {
		"bind",	   "mode",  "option",	      "timeout",
		"server",  "acl",   "use_backend",    "default_backend",
		"balance", "stats", "http-request",   "http-response",
		"maxconn", "log",   "default-server", NULL};
	/* These are HAProxy's alone: good for lines without their section. */
	static const char *const own[] = {"bind",
					  "acl",
					  "use_backend",
					  "default_backend",
					  "http-request",
					  "http-response",
					  "tcp-request",
					  "default-server",
					  NULL};

	if (ends_with(line, ';') || ends_with(line, '{'))
		return;
	if (at_margin && is_one_of(first_word(line), sections))
		votes[LINT_HAPROXY] += 4;
	else if (is_one_of(first_word(line), at_margin ? own : words))
		votes[LINT_HAPROXY] += 2;
}

static void vote_caddy(struct bytes line, bool at_margin, int *votes)
{
	static const char *const words[] = {
		"reverse_proxy", "handle",     "handle_path", "encode",
		"file_server",	 "header_up",  "route",	      "respond",
		"tls",		 "basicauth",  "basic_auth",  "redir",
		"php_fastcgi",	 "auto_https", "transport",   "header_down",
		"forward_auth",	 "import",     "templates",   NULL};
	struct bytes word = first_word(line);

	if (ends_with(line, ';'))
		return;
	if (is_one_of(word, words))
		votes[LINT_CADDY] += 3;
	if (line.data[0] == '@' || line.data[0] == '{')
		votes[LINT_CADDY] += 1;
	if (at_margin && ends_with(line, '{') &&
	    (bytes_find_byte(word, '.') >= 0 || bytes_find_byte(word, ':') >= 0))
		votes[LINT_CADDY] += 2;
}

static void vote(struct bytes line, int *votes)
{
	bool at_margin = line.len && line.data[0] > ' ';

	line = bytes_trim(line);
	if (line.len && line.data[line.len - 1] == '\r')
		line = bytes_trim(bytes_first(line, line.len - 1));
	if (!line.len)
		return;
	if (line.data[0] != '#' || bytes_starts(line, BYTES("# conf")))
		vote_nginx(line, votes);
	if (line.data[0] == '#')
		return;
	vote_apache(line, votes);
	vote_haproxy(line, at_margin, votes);
	vote_caddy(line, at_margin, votes);
}

static void vote_by_name(const char *path, int *votes)
{
	static const struct {
		const char *part;
		enum lint_language language;
	} names[] = {
		{"caddyfile", LINT_CADDY}, {"haproxy", LINT_HAPROXY},
		{"nginx", LINT_NGINX},	   {"apache", LINT_APACHE},
		{"httpd", LINT_APACHE},	   {".htaccess", LINT_APACHE},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_contains_nocase(bytes_of_str(path),
					  bytes_of_str(names[i].part)))
			votes[names[i].language] += VOTE_OF_NAMES;
}

static enum lint_language tell_language(const char *path, struct bytes text)
{
	int votes[N_LANGUAGES] = {0};
	enum lint_language best = LINT_UNKNOWN;

	vote_by_name(path, votes);
	for (int i = 0; i < MAX_VOTERS && text.len; i++) {
		ptrdiff_t end = bytes_find_byte(text, '\n');
		size_t len = end < 0 ? text.len : (size_t)end;

		vote(bytes_first(text, len), votes);
		text = bytes_from(text, len + 1);
	}
	for (enum lint_language l = LINT_NGINX; l < N_LANGUAGES; l++)
		if (votes[l] > votes[best])
			best = l;
	return best;
}

/* ---- the story ---- */

static int judge(struct lint_run *run, const char *path,
		 enum lint_language language)
{
	static int (*const judges[])(struct lint_run * run, const char *file,
				     struct bytes text) = {
		[LINT_NGINX] = lint_nginx,
		[LINT_APACHE] = lint_apache,
		[LINT_HAPROXY] = lint_haproxy,
		[LINT_CADDY] = lint_caddy,
	};
	struct bytes text;
	const char *name;
	int error = lint_read(run, path, NULL, &text, &name);

	if (error)
		return error;
	run->root->file = name;
	if (!language)
		language = tell_language(path, text);
	run->report->language = language;
	if (!language)
		return lint_fail(
			run, name, 0, 0,
			"this reads like none of nginx, Apache httpd, "
			"HAProxy and Caddy; if it is one of them, name "
			"it with --language");
	error = judges[language](run, name, text);
	if (!error)
		lint_judge_fields(run, language);
	return error;
}

static int compare(const void *pa, const void *pb)
{
	const struct lint_finding *a = pa, *b = pb;
	int order = strcmp(a->file, b->file);

	if (order == 0)
		order = (a->line > b->line) - (a->line < b->line);
	if (order == 0)
		order = (a->column > b->column) - (a->column < b->column);
	return order ? order : (int)a->rule - (int)b->rule;
}

static int start(struct lint_report *report)
{
	*report = (struct lint_report){.source = lint_source_new()};
	report->finding = calloc(LINT_MAX_FINDINGS, sizeof(*report->finding));
	return report->source && report->finding ? 0 : SESAME_ENOMEM;
}

int lint_file(const struct lint_files *files, const char *path,
	      enum lint_language language, const struct lint_request *request,
	      struct lint_report *ret, struct lint_error *ret_error)
{
	struct lint_report report;
	struct lint_node root = {.name = "", .file = path, .block = true};
	struct lint_run run = {files, request, &report, ret_error, &root};
	int error = start(&report);

	*ret_error = (struct lint_error){0};
	if (!error)
		error = judge(&run, path, language);
	if (report.source && report.source->no_memory)
		error = SESAME_ENOMEM;
	if (error) {
		lint_report_fini(&report);
		return error;
	}
	qsort(report.finding, report.n_findings, sizeof(*report.finding),
	      compare);
	*ret = report;
	return 0;
}

void lint_report_fini(struct lint_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++)
		for (size_t e = 0; e < report->finding[i].n_edits; e++)
			free(report->finding[i].edit[e].text);
	free(report->finding);
	lint_source_free(report->source);
	*report = (struct lint_report){0};
}
