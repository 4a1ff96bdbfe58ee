/* SPDX-License-Identifier: MIT */
/* Text on a terminal: what is cut, where, and how many lines it takes. */
#include "test.h"

#include "doctor/sheet.h"

static struct ses_buf out;

static struct doctor_sheet sheet_of(int width, bool colour)
{
	ses_buf_init(&out, 64 * 1024);
	return (struct doctor_sheet){
		.out = &out, .width = width, .colour = colour};
}

static void assert_written(const char *expected)
{
	struct bytes text = ses_buf_bytes(&out);

	if (text.len != strlen(expected))
		print_error("%.*s", BYTES_ARG(text));
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.data, expected, text.len);
	ses_buf_fini(&out);
}

TEST("what is too wide is cut between characters and marked")
{
	static const struct {
		const char *text;
		size_t width;
		const char *cut; /* NULL: it fits */
	} rows[] = {
		{"", 1, NULL},
		{"chat", 4, NULL},
		{"chats", 4, "cha…"},
		{"äöüß", 4, NULL},
		{"äöüße", 4, "äöü…"},
		{"one two three", 5, "one…"},
		/* what stands for a byte is there whole, or not at all */
		{"ab\\x1bcd", 6, "ab…"},
		{"ab\\x1bcd", 7, "ab\\x1b…"},
	};
	char cell[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool cut = doctor_sheet_fit(rows[i].text, rows[i].width, cell,
					    sizeof(cell));

		assert_int_equal(cut, rows[i].cut != NULL);
		assert_string_equal(cell, cut ? rows[i].cut : rows[i].text);
	}
}

TEST("lines are those of the terminal, and colours take no room")
{
	struct doctor_sheet s = sheet_of(10, true);

	doctor_sheet_put(&s, "%s1234567890%s\n",
			 doctor_sheet_paint(&s, SHEET_RED),
			 doctor_sheet_paint(&s, SHEET_RESET));
	assert_int_equal(doctor_sheet_lines(&s), 1);
	doctor_sheet_put(&s, "12345678901\n\n");
	assert_int_equal(doctor_sheet_lines(&s), 4);
	ses_buf_fini(&out);
}

TEST("a text keeps to its lines and says that there was more")
{
	struct doctor_sheet s = sheet_of(26, false);

	assert_true(doctor_sheet_text(
		&s, "1.", "one two three four five six seven eight nine ten", 5,
		2));
	assert_written("  1. one two three four\n"
		       "     five six seven eight…\n");
	s = sheet_of(26, false);
	assert_false(doctor_sheet_text(&s, "", "one two", 2, 2));
	assert_written("  one two\n");
}

TEST("lines to paste are never wrapped, and cut as a whole")
{
	struct doctor_sheet s = sheet_of(40, false);

	assert_false(doctor_sheet_lines_to_paste(&s, "a {\n\tb;\n}", 3));
	assert_written("         a {\n             b;\n         }\n");
	s = sheet_of(40, false);
	assert_true(doctor_sheet_lines_to_paste(&s, "a {\n\tb;\n}", 2));
	assert_written("         a {\n         … more below\n");
}

TEST("two cells wrap beside each other")
{
	struct doctor_sheet s = sheet_of(40, false);
	struct doctor_row row = {.before = "   1  ",
				 .left = "as asked",
				 .right = "403 Forbidden by one rule",
				 .left_width = 8,
				 .right_width = 20,
				 .max = 2,
				 .colour = "",
				 .after = " 1 ms"};

	doctor_sheet_row(&s, &row);
	assert_written("   1  as asked  403 Forbidden by one 1 ms\n"
		       "                rule\n");
}

TEST("the right column gets what it needs, up to three fifths")
{
	size_t left = 60, right = 20;

	doctor_sheet_share(50, &left, &right);
	assert_int_equal(right, 20);
	assert_int_equal(left, 30);
	left = right = 60;
	doctor_sheet_share(50, &left, &right);
	assert_int_equal(right, 30);
	assert_int_equal(left, 20);
}
