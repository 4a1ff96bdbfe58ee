/* SPDX-License-Identifier: MIT */
/* Tables of small configurations: what is found in them, and where they lead. */
#ifndef TESTS_LINT_ROWS_H
#define TESTS_LINT_ROWS_H

#include "memory.h"

struct config_row {
	const char *text, *told;
	const char *route; /* NULL: not looked at */
};

static inline void check_config(enum lint_language language,
				const struct config_row *row,
				const struct lint_request *request)
{
	const struct memory_file files[] = {{"x", row->text}, {0}};
	struct lint_report report;
	struct lint_error error = {0};
	char told[2048];

	if (memory_lint(files, language, request, &report, &error))
		fail_msg("%s\n%u: %s", row->text, error.line, error.text);
	memory_told(&report, told, sizeof(told));
	if (strcmp(told, row->told) != 0)
		fail_msg("%s\ntold:   %s\nwanted: %s", row->text, told,
			 row->told);
	if (row->route && strcmp(report.route, row->route) != 0)
		fail_msg("%s\nleads to: %s\nwanted:   %s", row->text,
			 report.route, row->route);
	lint_report_fini(&report);
}

static inline void check_configs(enum lint_language language,
				 const struct config_row *row, size_t n,
				 const struct lint_request *request)
{
	for (size_t i = 0; i < n; i++)
		check_config(language, &row[i], request);
}

/* The error that makes no sense of @text: "line:column text". */
static inline void check_error(enum lint_language language, const char *text,
			       unsigned line, const char *part)
{
	const struct memory_file files[] = {{"x", text}, {0}};
	struct lint_report report;
	struct lint_error error = {0};

	assert_true(memory_lint(files, language, NULL, &report, &error) < 0);
	if (error.line != line || !strstr(error.text, part))
		fail_msg("%s\ntold:   %u %s\nwanted: %u %s", text, error.line,
			 error.text, line, part);
}

/* The patch for @text, to be freed. */
static inline char *make_patch(enum lint_language language, const char *text,
			       const struct lint_request *request)
{
	const struct memory_file files[] = {{"x", text}, {0}};
	struct lint_report report;
	struct lint_error error = {0};
	struct ses_buf out;
	char *patch;

	assert_int_equal(memory_lint(files, language, request, &report, &error),
			 0);
	ses_buf_init(&out, 1 << 20);
	assert_true(lint_patch(&report, &out) >= 0);
	assert_int_equal(ses_buf_append(&out, bytes_of("", 1)), 0);
	patch = strdup((const char *)ses_buf_bytes(&out).data);
	ses_buf_fini(&out);
	lint_report_fini(&report);
	return patch;
}

/* The patch for @text holds @part. */
static inline void check_patch(enum lint_language language, const char *text,
			       const struct lint_request *request,
			       const char *part)
{
	char *patch = make_patch(language, text, request);

	if (!strstr(patch, part))
		fail_msg("%s\npatch:\n%s\nwanted:\n%s", text, patch, part);
	free(patch);
}

static inline void check_no_patch(enum lint_language language, const char *text,
				  const struct lint_request *request)
{
	char *patch = make_patch(language, text, request);

	if (*patch)
		fail_msg("%s\npatch:\n%s\nwanted: none", text, patch);
	free(patch);
}

#endif
