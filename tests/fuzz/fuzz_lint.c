/* SPDX-License-Identifier: MIT */
/*
 * Any configuration in any of the languages, its includes in memory: judged or
 * refused with a place, and the patch names files and lines that exist. The
 * first byte chooses language and request; "\n%%%NAME\n" begins another file.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "lint/lint.h"

#define MAX_PARTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct part {
	char name[64];
	struct bytes text;
};

struct parts {
	struct part part[MAX_PARTS];
	size_t n;
};

static int read_part(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	const struct parts *p = ctx;

	for (size_t i = 0; i < p->n; i++) {
		struct bytes text = p->part[i].text;

		if (strcmp(p->part[i].name, path) != 0)
			continue;
		*ret = malloc(text.len ? text.len : 1);
		if (!*ret)
			return ENOMEM;
		if (text.len)
			memcpy(*ret, text.data, text.len);
		*ret_len = text.len;
		return 0;
	}
	return ENOENT;
}

static int list_parts(void *ctx, const char *pattern,
		      void (*found)(void *found_ctx, const char *path),
		      void *found_ctx)
{
	const struct parts *p = ctx;

	for (size_t i = 0; i < p->n; i++)
		if (fnmatch(pattern, p->part[i].name, FNM_PATHNAME) == 0)
			found(found_ctx, p->part[i].name);
	return 0;
}

static const uint8_t *find_mark(struct bytes text)
{
	return text.len ? memmem(text.data, text.len, "\n%%%", 4) : NULL;
}

static void add_part(struct parts *p, struct bytes name, struct bytes text)
{
	struct part *part = &p->part[p->n++];

	name = bytes_first(name, sizeof(part->name) - 1);
	if (name.len)
		memcpy(part->name, name.data, name.len);
	part->name[name.len] = 0;
	part->text = text;
}

static void cut(struct bytes in, struct parts *p)
{
	struct bytes name = BYTES("main");

	while (p->n < MAX_PARTS) {
		const uint8_t *mark = find_mark(in);
		size_t len = mark ? (size_t)(mark - in.data) : in.len;
		ptrdiff_t end;

		add_part(p, name, bytes_first(in, len));
		if (!mark)
			return;
		in = bytes_from(in, len + 4);
		end = bytes_find_byte(in, '\n');
		name = bytes_first(in, end < 0 ? in.len : (size_t)end);
		in = bytes_from(in, name.len + 1);
	}
}

static void check_patch(const struct lint_report *report)
{
	struct ses_buf out;

	ses_buf_init(&out, 1 << 24);
	lint_patch(report, &out);
	ses_buf_fini(&out);
}

static void check(const struct lint_report *report)
{
	if (report->n_findings > LINT_MAX_FINDINGS)
		abort();
	for (size_t i = 0; i < report->n_findings; i++) {
		const struct lint_finding *f = &report->finding[i];

		if (!f->file || !f->text[0] || f->rule >= LINT_N_RULES ||
		    f->n_edits > LINT_MAX_EDITS)
			abort();
		for (size_t e = 0; e < f->n_edits; e++)
			if (!f->edit[e].file ||
			    (f->edit[e].kind != LINT_DELETE && !f->edit[e].text))
				abort();
	}
	check_patch(report);
}

/* What stays in the patch mends: a second trial has nothing to say. */
static void check_trial(const struct lint_files *files,
			enum lint_language language,
			const struct lint_request *request,
			struct lint_report *report)
{
	if (lint_try(files, "main", language, request, report) >= 0 &&
	    lint_try(files, "main", language, request, report) > 0)
		abort();
	check_patch(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct lint_request request = {
		.tls = true,
		.host = "app.example",
		.port = 443,
		.path = "/ws",
		.origin = "https://app.example",
		.user_agent = "Firefox/1"};
	struct parts parts = {.n = 0};
	struct lint_files files = {read_part, list_parts, &parts};
	const struct lint_request *asked;
	enum lint_language language;
	struct lint_report report;
	struct lint_error error;

	if (size == 0)
		return 0;
	language = data[0] % (LINT_CADDY + 1);
	asked = data[0] & 0x40 ? NULL : &request;
	cut(bytes_of(data + 1, size - 1), &parts);
	if (lint_file(&files, "main", language, asked, &report, &error) == 0) {
		check(&report);
		check_trial(&files, language, asked, &report);
		lint_report_fini(&report);
	} else if (!error.text[0]) {
		abort();
	}
	return 0;
}
