/* SPDX-License-Identifier: MIT */
/* Patches: applied by a reader of unified diffs that allows for nothing. */
#include "lint/lint.h"
#include "test.h"

#include <limits.h>

#include "lint/source.h"
#include "memory.h"

/* A report with findings made by hand, over files from memory. */
struct desk {
	struct lint_report report;
	struct lint_error error;
	struct lint_node root;
	struct lint_run run;
	struct ses_buf patch;
};

static void open_desk(struct desk *d)
{
	*d = (struct desk){0};
	d->report.source = lint_source_new();
	d->report.finding =
		calloc(LINT_MAX_FINDINGS, sizeof(*d->report.finding));
	d->root = (struct lint_node){.name = "", .file = "a"};
	d->run = (struct lint_run){.report = &d->report,
				   .error = &d->error,
				   .root = &d->root};
	ses_buf_init(&d->patch, 1 << 20);
}

static void close_desk(struct desk *d)
{
	ses_buf_fini(&d->patch);
	lint_report_fini(&d->report);
}

static void add_text(struct desk *d, const char *name, const char *text)
{
	assert_int_equal(lint_add_part(&d->run, name, bytes_of_str(text)), 0);
}

static struct lint_finding *note(struct desk *d)
{
	return lint_note(&d->run, LINT_REFUSED, NULL, true, "", "x");
}

static const char *patch_of(struct desk *d)
{
	assert_true(lint_patch(&d->report, &d->patch) >= 0);
	assert_int_equal(ses_buf_append(&d->patch, bytes_of("", 1)), 0);
	return (const char *)ses_buf_bytes(&d->patch).data;
}

TEST("lines are put in, replaced and deleted, with three lines around")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n");
	f = note(&d);
	lint_insert(&d.run, f, "a", 4, "new");
	lint_replace(&d.run, f, "a", 5, "five\n");
	lint_delete(&d.run, f, "a", 13);
	assert_string_equal(patch_of(&d),
			    "--- a\t\n+++ a\t\n"
			    "@@ -2,7 +2,8 @@\n 2\n 3\n 4\n+new\n-5\n+five\n"
			    " 6\n 7\n 8\n"
			    "@@ -10,5 +11,4 @@\n 10\n 11\n 12\n-13\n 14\n");
	close_desk(&d);
}

TEST("a file may be empty, or lack its last newline")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "");
	add_text(&d, "b", "1\n2");
	add_text(&d, "c", "1");
	f = note(&d);
	lint_insert(&d.run, f, "a", 0, "new");
	lint_insert(&d.run, f, "b", 2, "new");
	lint_replace(&d.run, f, "c", 1, "one");
	assert_string_equal(patch_of(&d),
			    "--- a\t\n+++ a\t\n@@ -0,0 +1,1 @@\n+new\n"
			    "--- b\t\n+++ b\t\n@@ -1,2 +1,3 @@\n 1\n-2\n"
			    "\\ No newline at end of file\n+2\n+new\n"
			    "--- c\t\n+++ c\t\n@@ -1,1 +1,1 @@\n-1\n"
			    "\\ No newline at end of file\n+one\n");
	close_desk(&d);
}

TEST("a line that two findings add is added once")
{
	struct desk d;

	open_desk(&d);
	add_text(&d, "a", "1\n");
	lint_insert(&d.run, note(&d), "a", 1, "one\ntwo\n");
	lint_insert(&d.run, note(&d), "a", 1, "two\nthree\n");
	assert_string_equal(patch_of(&d), "--- a\t\n+++ a\t\n@@ -1,1 +1,4 @@\n"
					  " 1\n+one\n+two\n+three\n");
	close_desk(&d);
}

TEST("a block that two findings add is added once, its end included")
{
	struct desk d;

	open_desk(&d);
	add_text(&d, "a", "1\n");
	lint_insert(&d.run, note(&d), "a", 0, "map {\n}\n");
	lint_insert(&d.run, note(&d), "a", 0, "map {\n}\n");
	assert_string_equal(patch_of(&d), "--- a\t\n+++ a\t\n@@ -1,1 +1,3 @@\n"
					  "+map {\n+}\n 1\n");
	close_desk(&d);
}

TEST("of two findings that contradict each other the first is mended, whole")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "1\n2\n");
	lint_replace(&d.run, note(&d), "a", 1, "one");
	f = note(&d);
	lint_delete(&d.run, f, "a", 1);
	lint_insert(&d.run, f, "a", 2, "never");
	lint_replace(&d.run, note(&d), "a", 1, "one");
	assert_string_equal(patch_of(&d),
			    "--- a\t\n+++ a\t\n@@ -1,2 +1,2 @@\n"
			    "-1\n+one\n 2\n");
	close_desk(&d);
}

TEST("different parts of one line are mended by one patch")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "a; bad; c; }\r\nb\n");
	lint_change(&d.run, note(&d), "a", 1, 3, 4, "good;");
	lint_change(&d.run, note(&d), "a", 1, 10, 0, " d;");
	f = note(&d);
	lint_change(&d.run, f, "a", 1, 10, 0, " d;");
	lint_change(&d.run, f, "a", 1, 10, 0, " e;");
	lint_change(&d.run, note(&d), "a", 1, 0, 0, "0; ");
	/* another wish for what is changed already */
	f = note(&d);
	lint_change(&d.run, f, "a", 1, 5, 4, "worse;");
	lint_change(&d.run, f, "a", 2, 0, UINT_MAX, "never");
	lint_replace(&d.run, note(&d), "a", 1, "never");
	assert_int_equal(lint_patch(&d.report, &d.patch), 4);
	ses_buf_consume(&d.patch, ses_buf_bytes(&d.patch).len);
	assert_string_equal(patch_of(&d),
			    "--- a\t\n+++ a\t\n@@ -1,2 +1,2 @@\n"
			    "-a; bad; c; }\r\n+0; a; good; c; d; e; }\r\n b\n");
	close_desk(&d);
}

TEST("of a line all that is left is blanks: it goes")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "a\n  b c;\nd\n");
	f = note(&d);
	lint_change(&d.run, f, "a", 2, 2, 1, "");
	lint_change(&d.run, f, "a", 2, 4, UINT_MAX, "");
	assert_string_equal(patch_of(&d), "--- a\t\n+++ a\t\n"
					  "@@ -1,3 +1,2 @@\n a\n-  b c;\n d\n");
	close_desk(&d);
}

TEST("names with strange bytes are quoted, line ends stay what they are")
{
	struct desk d;

	open_desk(&d);
	add_text(&d, "a\"\n\x1b", "1\r\n2\r\n");
	lint_insert(&d.run, note(&d), "a\"\n\x1b", 1, "new");
	assert_string_equal(patch_of(&d),
			    "--- \"a\\\"\\012\\033\"\n"
			    "+++ \"a\\\"\\012\\033\"\n"
			    "@@ -1,2 +1,3 @@\n 1\r\n+new\r\n 2\r\n");
	close_desk(&d);
}

TEST("a finding with more edits than it can hold has none")
{
	struct desk d;
	struct lint_finding *f;

	open_desk(&d);
	add_text(&d, "a", "1\n");
	f = note(&d);
	for (int i = 0; i <= LINT_MAX_EDITS + 1; i++)
		lint_insert(&d.run, f, "a", 1, "%d", i);
	assert_int_equal(f->n_edits, 0);
	assert_string_equal(patch_of(&d), "");
	close_desk(&d);
}

TEST("more findings than fit are counted out")
{
	struct desk d;

	open_desk(&d);
	add_text(&d, "a", "1\n");
	for (int i = 0; i < LINT_MAX_FINDINGS; i++)
		assert_non_null(note(&d));
	assert_false(d.report.truncated);
	assert_null(note(&d));
	assert_true(d.report.truncated);
	lint_insert(&d.run, NULL, "a", 1, "x");
	lint_fix(NULL, "x");
	close_desk(&d);
}
