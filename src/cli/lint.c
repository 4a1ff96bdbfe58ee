/* SPDX-License-Identifier: MIT */
/*
 * `sesame lint`: mistakes in the configurations of nginx, Apache httpd, HAProxy
 * and Caddy that keep WebSockets from opening. src/lint judges; here files are
 * read for it and findings are told, as text, JSON or a patch.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sesame/error.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/show.h"
#include "cli/term.h"
#include "doctor/files.h"
#include "lint/lint.h"
#include "wire/url.h"

#define MAX_FILES 64
#define MAX_PATCH ((size_t)64 * 1024 * 1024)

static void print_help(void)
{
	puts("Usage: sesame lint [--fix | --json] [--language L] "
	     "FILE...\n"
	     "       sesame lint [--fix | --json] [--language L] --request "
	     "URL\n"
	     "                   [--origin ORIGIN] [--user-agent AGENT] "
	     "FILE...\n"
	     "       sesame lint --rules\n\n"
	     "Find what keeps WebSockets from opening in configurations of "
	     "nginx, Apache,\nHAProxy and Caddy, includes and all. Without "
	     "--request, every place is judged\nthat has signs of a "
	     "WebSocket; with it, the place that this request comes to.\n\n"
	     "Options");
	option_list(stdout, "lint");
	puts("\nExamples\n"
	     "  sesame lint /etc/nginx/nginx.conf\n"
	     "  nginx -T | sesame lint -\n"
	     "  sesame lint --fix site.conf | patch -p0\n"
	     "  sesame lint haproxy.cfg --request wss://app.example/chat\n\n"
	     "Exit status: 0 nothing was found, 1 something was, 2 wrong usage "
	     "or a file that\nmakes no sense.");
}

struct options {
	const char *file[MAX_FILES];
	size_t n_files;
	const char *language, *request, *origin, *user_agent;
	bool fix, json, rules, help;
};

/* What was asked for, and what came of it. */
struct job {
	const struct options *o;
	enum lint_language language;
	struct lint_request request;
	char host[256], path[4096];
	json_t *all; /* with --json */
	struct ses_buf patch;
	size_t n_findings, n_edited, n_mended;
	bool from_root; /* the patch is for / */
};

/* ---- telling ---- */

static const char *printable(const char *text, char *out, size_t size)
{
	return bytes_printable(bytes_of_str(text), out, size);
}

#define PLACE_SIZE 540

/* "FILE:LINE:COLUMN: ", as far as it is known. */
static const char *place(const char *file, unsigned line, unsigned column,
			 char out[PLACE_SIZE])
{
	char shown[512], number[24] = "";

	if (line && column)
		snprintf(number, sizeof(number), ":%u:%u", line, column);
	else if (line)
		snprintf(number, sizeof(number), ":%u", line);
	snprintf(out, PLACE_SIZE,
		 "%s%s: ", printable(file, shown, sizeof(shown)), number);
	return out;
}

/* A line made harmless; the tabs that it begins with stay. */
static const char *printable_line(const char *text, size_t len, char *out,
				  size_t size)
{
	size_t tabs = strspn(text, "\t");

	tabs = tabs < len ? tabs : len;
	tabs = tabs < size / 2 ? tabs : size / 2;
	memset(out, '\t', tabs);
	bytes_printable(bytes_of(text + tabs, len - tabs), out + tabs,
			size - tabs);
	return out;
}

/* Lines to paste; each made harmless on its own. */
static void print_fix(const char *fix)
{
	char line[1200];

	while (*fix) {
		size_t len = strcspn(fix, "\n");

		printf("    %s\n", printable_line(fix, len, line, sizeof(line)));
		fix += len + (fix[len] == '\n');
	}
}

/* A remedy that only takes lines out has nothing to paste. */
static void print_removal(const struct lint_finding *f)
{
	for (size_t e = 0; e < f->n_edits; e++)
		if (f->edit[e].kind != LINT_DELETE ||
		    f->edit[e].line != f->edit[0].line + e)
			return;
	if (f->n_edits == 1 && f->edit[0].line == f->line)
		puts("    (take this line out)");
	else if (f->n_edits == 1)
		printf("    (take line %u out)\n", f->edit[0].line);
	else if (f->n_edits)
		printf("    (take lines %u to %u out)\n", f->edit[0].line,
		       f->edit[f->n_edits - 1].line);
}

static void print_finding(const struct lint_finding *f)
{
	bool colour = term_colour(stdout);
	char at[PLACE_SIZE], text[900], where[300], line[2048], fix_place[64];

	printable(f->where, where, sizeof(where));
	snprintf(line, sizeof(line), "%s%s%s%s: %s%s%s%s",
		 place(f->file, f->line, f->column, at), colour ? TERM_BOLD : "",
		 lint_rule_id(f->rule), colour ? TERM_RESET : "", where,
		 *where ? ": " : "", f->sure ? "" : "perhaps: ",
		 printable(f->text, text, sizeof(text)));
	term_line(stdout, line);
	if (*lint_fix_place(f, fix_place, sizeof(fix_place)))
		printf("    (%s)\n", fix_place);
	if (f->fix[0])
		print_fix(f->fix);
	else
		print_removal(f);
	if (f->stays)
		puts("    (these lines alone do not mend it here)");
}

static void print_report(const struct lint_report *report)
{
	char route[600];

	if (report->route[0])
		printf("The request comes to %s\n",
		       printable(report->route, route, sizeof(route)));
	for (size_t i = 0; i < report->n_findings; i++)
		print_finding(&report->finding[i]);
	if (report->truncated)
		printf("Too much for one look: only a part was judged.\n");
}

/* ---- JSON ---- */

/* What a file says may be of any bytes; JSON is UTF-8. */
static json_t *text_json(const char *text)
{
	char shown[2400], line[1200];
	size_t used = 0;

	for (shown[0] = 0; *text && used + 1 < sizeof(shown);) {
		size_t len = strcspn(text, "\n");

		printable_line(text, len, line, sizeof(line));
		text += len;
		used += (size_t)snprintf(shown + used, sizeof(shown) - used,
					 "%s%s", line, *text ? "\n" : "");
		text += *text == '\n';
	}
	return json_string(shown);
}

static json_t *finding_json(const struct lint_finding *f)
{
	return json_pack("{s:s, s:s, s:o, s:i, s:i, s:o, s:o, s:o, s:b, s:b}",
			 "rule", lint_rule_id(f->rule), "cause",
			 why_cause(lint_rule_cause(f->rule))->id, "file",
			 text_json(f->file), "line", (int)f->line, "column",
			 (int)f->column, "where", text_json(f->where), "text",
			 text_json(f->text), "fix", text_json(f->fix), "sure",
			 f->sure, "patched", f->n_edits > 0);
}

static json_t *report_json(const char *file, const struct lint_report *report)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < report->n_findings; i++)
		json_array_append_new(findings,
				      finding_json(&report->finding[i]));
	return json_pack("{s:o, s:s, s:o, s:b, s:o}", "file", text_json(file),
			 "language", lint_language_name(report->language),
			 "route", text_json(report->route), "truncated",
			 report->truncated, "findings", findings);
}

static void print_json(json_t *all)
{
	char *text = json_dumps(all, JSON_INDENT(2));

	puts(text ? text : "[]");
	free(text);
}

/* ---- the patch ---- */

/* Whether patch(1) takes this name in a folder other than the root. */
static bool is_below(const char *name)
{
	return name[0] != '/' && strncmp(name, "../", 3) != 0 &&
	       !strstr(name, "/../");
}

static bool all_below(const struct lint_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++)
		for (size_t e = 0; e < report->finding[i].n_edits; e++)
			if (!is_below(report->finding[i].edit[e].file))
				return false;
	return true;
}

static void count_edits(struct job *job, const struct lint_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++)
		job->n_edited += report->finding[i].n_edits > 0;
}

/* ---- one file ---- */

static int complain(const char *file, const struct lint_error *error)
{
	char at[PLACE_SIZE], text[900];

	fprintf(stderr, "sesame lint: %s%s\n",
		place(*error->file ? error->file : file, error->line,
		      error->column, at),
		printable(error->text, text, sizeof(text)));
	return EXIT_USAGE;
}

static int read_report(struct job *job, const char *file,
		       struct lint_report *ret)
{
	struct lint_files files = doctor_files(file, true);
	struct lint_error error;
	int r = lint_file(&files, file, job->language,
			  job->o->request ? &job->request : NULL, ret, &error);

	if (r == SESAME_ENOMEM)
		fputs("sesame lint: out of memory\n", stderr);
	else if (r < 0)
		complain(file, &error);
	return r < 0 ? EXIT_USAGE : EXIT_OK;
}

/* What no line of ours mends is told, and is not in the patch. */
static void tell_staying(const struct lint_report *report)
{
	char at[PLACE_SIZE];

	for (size_t i = 0; i < report->n_findings; i++) {
		const struct lint_finding *f = &report->finding[i];

		if (!f->stays)
			continue;
		fprintf(stderr,
			"sesame lint: %s%s: would be told again behind its "
			"lines, so they are not in the patch; mend it by "
			"hand\n",
			place(f->file, f->line, f->column, at),
			lint_rule_id(f->rule));
	}
}

/* A patch is a promise: that what it mends is not found again. */
static int try_patch(struct job *job, const char *file,
		     struct lint_report *report)
{
	struct lint_files files = doctor_files(file, true);
	int r = lint_try(&files, file, job->language,
			 job->o->request ? &job->request : NULL, report);

	if (r >= 0)
		return EXIT_OK;
	lint_report_fini(report);
	fputs("sesame lint: out of memory\n", stderr);
	return EXIT_USAGE;
}

/* Files in other folders can be patched from the root only, and all together:
 * so the names are made absolute then. *ret: the name to be freed, or NULL. */
static int read_from_root(struct job *job, const char *file,
			  struct lint_report *report, char **ret)
{
	*ret = NULL;
	if (all_below(report))
		return EXIT_OK;
	job->from_root = true;
	if (file[0] == '/' || strcmp(file, "-") == 0)
		return EXIT_OK;
	*ret = realpath(file, NULL);
	if (!*ret)
		return EXIT_OK;
	lint_report_fini(report);
	return read_report(job, *ret, report);
}

static int patch(struct job *job, const struct lint_report *report)
{
	int mended;

	tell_staying(report);
	mended = lint_patch(report, &job->patch);
	if (mended < 0) {
		fprintf(stderr, "sesame lint: %s\n",
			mended == SESAME_ENOMEM ? "out of memory"
						: "the patch is too large");
		return EXIT_USAGE;
	}
	job->n_mended += (size_t)mended;
	return EXIT_OK;
}

static int examine(struct job *job, const char *file, struct lint_report *report)
{
	char *whole = NULL;
	int status = read_report(job, file, report);

	if (status == EXIT_OK && job->o->fix)
		status = read_from_root(job, file, report, &whole);
	if (status == EXIT_OK)
		status = try_patch(job, whole ? whole : file, report);
	free(whole);
	return status;
}

static int do_file(struct job *job, const char *file)
{
	struct lint_report report = {0};
	int status = examine(job, file, &report);

	if (status != EXIT_OK)
		return status;
	if (job->o->fix)
		status = patch(job, &report);
	else if (job->o->json)
		json_array_append_new(job->all, report_json(file, &report));
	else
		print_report(&report);
	job->n_findings += report.n_findings;
	count_edits(job, &report);
	lint_report_fini(&report);
	return status;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* For patch(1) as it is; on a terminal what files hold could paint it. */
static void print_patch(struct bytes patch)
{
	if (isatty(STDOUT_FILENO))
		cli_print_safely(stdout, (const char *)patch.data, patch.len);
	else if (patch.len)
		fwrite(patch.data, 1, patch.len, stdout);
}

static void print_end(const struct job *job)
{
	size_t n = job->n_findings;

	if (job->o->fix) {
		print_patch(ses_buf_bytes(&job->patch));
		fprintf(stderr, "%zu finding%s, %zu mended by the patch", n,
			plural(n), job->n_mended);
		fputs(!job->n_mended   ? "\n"
		      : job->from_root ? "; apply it with: patch -d / -p0\n"
				       : "; apply it with: patch -p0\n",
		      stderr);
	} else if (job->o->json) {
		print_json(job->all);
	} else if (n) {
		printf("%zu finding%s", n, plural(n));
		puts(job->n_edited ? "; --fix prints a patch" : "");
	} else {
		puts("Nothing found.");
	}
}

static int do_files(struct job *job)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < job->o->n_files && status == EXIT_OK; i++)
		status = do_file(job, job->o->file[i]);
	if (status != EXIT_OK)
		return status;
	print_end(job);
	return job->n_findings ? EXIT_FAULT : EXIT_OK;
}

/* ---- rules ---- */

static void print_rules(void)
{
	for (int r = 0; r < LINT_N_RULES; r++) {
		printf("%s  (%s)\n", lint_rule_id(r),
		       why_cause(lint_rule_cause(r))->id);
		term_wrap(stdout, lint_rule_text(r), 4);
	}
}

/* ---- the command line ---- */

static const char **place_of(const char *name, struct options *o)
{
	if (strcmp(name, "language") == 0)
		return &o->language;
	if (strcmp(name, "request") == 0)
		return &o->request;
	if (strcmp(name, "origin") == 0)
		return &o->origin;
	if (strcmp(name, "user-agent") == 0)
		return &o->user_agent;
	return NULL;
}

static bool *flag_of(const char *name, struct options *o)
{
	if (strcmp(name, "fix") == 0)
		return &o->fix;
	if (strcmp(name, "json") == 0)
		return &o->json;
	if (strcmp(name, "rules") == 0)
		return &o->rules;
	return &o->help;
}

static int misused(const char *what)
{
	fprintf(stderr, "sesame lint: %s\n", what);
	return EXIT_USAGE;
}

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "lint", .next = argv + 1};
	int more;

	while ((more = option_next(&r)) > 0) {
		const char **to = r.name ? place_of(r.name, o) : NULL;

		if (to)
			*to = r.value;
		else if (r.name)
			*flag_of(r.name, o) = true;
		else if (o->n_files < MAX_FILES)
			o->file[o->n_files++] = r.value;
		else
			return misused("at most 64 files at a time");
	}
	if (more < 0)
		return EXIT_USAGE;
	if (o->help || o->rules)
		return EXIT_OK;
	if (!o->n_files)
		return misused("which file? For example: sesame lint "
			       "/etc/nginx/nginx.conf");
	if (!o->request && (o->origin || o->user_agent))
		return misused("--origin and --user-agent describe a request; "
			       "say which with --request URL");
	if (o->fix && o->json)
		return misused("--fix prints a patch and --json JSON; one of "
			       "them, please");
	return EXIT_OK;
}

static int read_language(const char *name, enum lint_language *ret)
{
	const char *names[LINT_CADDY + 1], *near;
	char shown[80];
	size_t n = 0;

	for (int l = LINT_NGINX; l <= LINT_CADDY; l++) {
		*ret = l;
		if (!name || strcmp(name, lint_language_name(l)) == 0)
			break;
		names[n++] = lint_language_name(l);
		*ret = LINT_UNKNOWN;
	}
	if (!name)
		*ret = LINT_UNKNOWN;
	if (!name || *ret)
		return EXIT_OK;
	near = text_suggest(name, names, n);
	fprintf(stderr,
		"sesame lint: --language %s is not known%s%s; there are nginx, "
		"apache, haproxy and caddy\n",
		printable(name, shown, sizeof(shown)),
		near ? "; did you mean " : "", near ? near : "");
	return EXIT_USAGE;
}

static int read_request(struct job *job)
{
	const struct options *o = job->o;
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url;
	char shown[160];
	size_t at;

	/* A page's address is read too: people copy it from the browser. */
	if (ses_url_parse(bytes_of_str(o->request), &url, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP) {
		fprintf(stderr, "sesame lint: --request %s: %s\n",
			cli_printable_url(o->request, shown, sizeof(shown)),
			ses_url_fault(fault)->sentence);
		return EXIT_USAGE;
	}
	if (url.host.len >= sizeof(job->host) ||
	    url.path.len >= sizeof(job->path))
		return misused("--request: the URL is too long");
	snprintf(job->host, sizeof(job->host), "%.*s", BYTES_ARG(url.host));
	snprintf(job->path, sizeof(job->path), "%.*s", BYTES_ARG(url.path));
	job->request = (struct lint_request){
		.tls = url.tls,
		.host = job->host,
		.port = url.port,
		.path = job->path[0] ? job->path : "/",
		.origin = o->origin,
		.user_agent = o->user_agent,
	};
	return EXIT_OK;
}

int cmd_lint(int argc, char **argv)
{
	struct options o = {0};
	struct job job = {.o = &o};
	int status = read_options(argv, &o);

	if (status == EXIT_OK && o.help)
		print_help();
	else if (status == EXIT_OK && o.rules)
		print_rules();
	if (status != EXIT_OK || o.help || o.rules)
		return status;
	status = read_language(o.language, &job.language);
	if (status == EXIT_OK && o.request)
		status = read_request(&job);
	if (status != EXIT_OK)
		return status;
	ses_buf_init(&job.patch, MAX_PATCH);
	job.all = json_array();
	status = do_files(&job);
	json_decref(job.all);
	ses_buf_fini(&job.patch);
	return status;
}
