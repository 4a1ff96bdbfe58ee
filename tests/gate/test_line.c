/* SPDX-License-Identifier: MIT */
/* Lines of the access log: whatever is put into one, it stays one line. */
#include "gate/line.h"

#include <jansson.h>

#include "test.h"

static const char *text_of(struct gate_line *line)
{
	struct bytes all = gate_line_end(line);

	assert_true(all.len < GATE_LINE_BYTES);
	assert_int_equal(all.data[all.len - 1], '\n');
	line->text[all.len - 1] = '\0';
	assert_null(strchr(line->text, '\n'));
	return line->text;
}

TEST("a line of text quotes what would not be one word")
{
	static const struct {
		const char *value, *shown;
	} rows[] = {
		{"/chat", " x=/chat"},
		{"a b", " x=\"a b\""},
		{"a\"b", " x=\"a\\x22b\""},
		{"a=b", " x=\"a=b\""},
		{"a\nb", " x=\"a\\x0ab\""},
		{"\x1b[2J", " x=\"\\x1b[2J\""},
		{"\\", " x=\"\\x5c\""},
		{"\xe2\x80\xa8", " x=\"\\xe2\\x80\\xa8\""},
		{"", ""},
	};
	struct gate_line line;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gate_line_begin(&line, false, 1234567, "open");
		gate_line_text(&line, "x", bytes_of_str(rows[i].value));
		assert_string_equal(text_of(&line) +
					    strlen("1970-01-01T00:20:34.567Z "
						   "open"),
				    rows[i].shown);
	}
}

TEST("a line of JSON is a JSON object with the values that were put in")
{
	struct gate_line line;
	json_t *object;

	gate_line_begin(&line, true, 1234567, "close");
	gate_line_text(&line, "quoted", BYTES("a\"b\\c"));
	gate_line_text(&line, "raw", BYTES("\x1b\r\n\xff"));
	gate_line_number(&line, "n", 18446744073709551615u);
	gate_line_seconds(&line, "s", 1050);
	object = json_loads(text_of(&line), JSON_DECODE_INT_AS_REAL, NULL);
	assert_non_null(object);
	assert_string_equal(
		json_string_value(json_object_get(object, "quoted")),
		"a\"b\\c");
	assert_string_equal(json_string_value(json_object_get(object, "raw")),
			    "\\x1b\\x0d\\x0a\\xff");
	assert_true(json_real_value(json_object_get(object, "s")) == 1.05);
	json_decref(object);
}

TEST("a field that does not fit is left out, and the line stays whole")
{
	char much[GATE_LINE_BYTES];
	struct gate_line line;
	json_t *object;

	memset(much, '"', sizeof(much));
	for (size_t n = 0; n < 12; n++) {
		gate_line_begin(&line, true, 0, "open");
		for (size_t i = 0; i < n; i++)
			gate_line_text(&line, "x", bytes_of(much, 700 + i));
		gate_line_text(&line, "last", BYTES("here"));
		object = json_loads(text_of(&line), 0, NULL);
		assert_non_null(object);
		json_decref(object);
	}
}
