/* SPDX-License-Identifier: MIT */
/* JSON that is looked at and never built. */
#include "wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "test.h"

/* A text that ends at a forbidden page. */
static enum ses_json_fault read_all(const char *text, size_t len)
{
	uint8_t *guarded = test_guarded(text, len);
	struct ses_json_item item;
	struct ses_json in;

	ses_json_begin(&in, bytes_of(guarded, len));
	while (ses_json_next(&in, &item))
		assert_true(item.value.len && item.sort != SES_JSON_NONE);
	assert_true(in.ended);
	test_guard_free(guarded, len);
	return in.fault;
}

TEST("all of the grammar is read, and nothing else is")
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"{}", true},
		{" [ ] \r\n\t", true},
		{"null", true},
		{"true", true},
		{"false", true},
		{"\"\"", true},
		{"0", true},
		{"-0", true},
		{"1e5", true},
		{"1E+5", true},
		{"1.50e-07", true},
		{"-12345678901234567890123456789012345678901234567890", true},
		{"1e400", true},
		{"[1,[2,{\"a\":[{}]}],\"]\"]", true},
		{"{\"a\":1,\"a\":2}", true},
		{"{\"\":{\"\\u0000\":null}}", true},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fC\"", true},
		{"\"\\ud800\"", true},
		{"\"\x7f\xc3\xbc\xf0\x9f\x98\x80\"", true},
		{"", false},
		{" ", false},
		{"\xef\xbb\xbf{}", false},
		{"{} {}", false},
		{"{}x", false},
		{"nul", false},
		{"nulll", false},
		{"True", false},
		{"01", false},
		{"-", false},
		{"+1", false},
		{".5", false},
		{"1.", false},
		{"1e", false},
		{"1e+", false},
		{"0x1", false},
		{"NaN", false},
		{"-Infinity", false},
		{"[1,]", false},
		{"[,1]", false},
		{"[1 2]", false},
		{"[1", false},
		{"]", false},
		{"[}", false},
		{"{]", false},
		{"[{]}", false},
		{"{\"a\"}", false},
		{"{\"a\":}", false},
		{"{\"a\":1,}", false},
		{"{,}", false},
		{"{a:1}", false},
		{"{'a':1}", false},
		{"{1:1}", false},
		{"{\"a\" 1}", false},
		{"{\"a\":1 \"b\":2}", false},
		{"\"", false},
		{"\"\\", false},
		{"\"\\\"", false},
		{"\"\\x\"", false},
		{"\"\\u12\"", false},
		{"\"\\u12g4\"", false},
		{"\"\n\"", false},
		{"\"\x1f\"", false},
		{"\"aaaaaaaaaaaaaaaa\x01\"", false},
		{"\"\xff\"", false},
		{"\"\xed\xa0\x80\"", false},
		{"[1]\xc2\xa0", false},
		{"// no\n1", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text = cases[i].text;
		char within[128];

		if ((read_all(text, strlen(text)) == SES_JSON_FINE) !=
		    cases[i].good)
			fail_msg("%s is taken for %s", text,
				 cases[i].good ? "wrong" : "good");
		/* And so on any level. */
		snprintf(within, sizeof(within), "{\"x\":[0,[%s]]}", text);
		if (cases[i].good)
			assert_int_equal(read_all(within, strlen(within)),
					 SES_JSON_FINE);
		/* Cut short it is wrong, but for numbers. */
		for (size_t n = 0; cases[i].good && n < strlen(within); n++)
			assert_int_equal(read_all(within, n), SES_JSON_BROKEN);
	}
	assert_int_equal(read_all("\"a\0b\"", 5), SES_JSON_BROKEN);
	assert_int_equal(read_all("[1]\0", 4), SES_JSON_BROKEN);
}

static enum ses_json_fault read_deep(size_t n, char open, char close)
{
	static char text[1 << 20];

	memset(text, open, n);
	memset(text + n, close, n);
	return read_all(text, 2 * n);
}

TEST("levels are followed down to a bound, and no stack is taken by them")
{
	static char objects[SES_JSON_DEPTH * 6 + 8];
	size_t at = 0;

	assert_int_equal(read_deep(SES_JSON_DEPTH, '[', ']'), SES_JSON_FINE);
	assert_int_equal(read_deep(SES_JSON_DEPTH + 1, '[', ']'), SES_JSON_DEEP);
	assert_int_equal(read_deep(1 << 19, '[', ']'), SES_JSON_DEEP);
	for (size_t i = 0; i < SES_JSON_DEPTH; i++)
		at += (size_t)snprintf(objects + at, sizeof(objects) - at,
				       i % 3 ? "{\"\":" : "[");
	/* The innermost is open: nothing is needed in it. */
	at -= (SES_JSON_DEPTH - 1) % 3 ? strlen("\"\":") : 0;
	for (size_t i = SES_JSON_DEPTH; i-- > 0;)
		objects[at++] = i % 3 ? '}' : ']';
	assert_int_equal(read_all(objects, at), SES_JSON_FINE);
	objects[at - 1] = '}';
	assert_int_equal(read_all(objects, at), SES_JSON_BROKEN);
}

TEST("items are told as they are written")
{
	static const struct {
		enum ses_json_sort sort;
		const char *name, *value;
	} items[] = {
		{SES_JSON_TEXT, "\"a\"", "\"x,}\\\"\""},
		{SES_JSON_NUMBER, "\"\\u0061\"", "-1.50"},
		{SES_JSON_OBJECT, "\"\"", "{\"a\" : [ ] }"},
		{SES_JSON_ARRAY, "\"[\"", "[ 1, {} ]"},
		{SES_JSON_TRUE, "\"t\"", "true"},
		{SES_JSON_FALSE, "\"f\"", "false"},
		{SES_JSON_NULL, "\"n\"", "null"},
	};
	char text[512] = " {";
	struct ses_json_item item;
	struct ses_json in;

	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s %s\t:\n%s ", i ? "," : "", items[i].name,
			 items[i].value);
	strcat(text, "} ");
	assert_int_equal(ses_json_begin(&in, bytes_of_str(text)),
			 SES_JSON_OBJECT);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		assert_true(ses_json_next(&in, &item));
		assert_int_equal(item.sort, items[i].sort);
		assert_true(bytes_equal_str(item.name, items[i].name));
		assert_true(bytes_equal_str(item.value, items[i].value));
	}
	assert_false(ses_json_next(&in, &item));
	assert_int_equal(in.fault, SES_JSON_FINE);
	assert_false(ses_json_next(&in, &item));
	ses_json_begin(&in, BYTES("[7]"));
	assert_true(ses_json_next(&in, &item) && !item.name.len);
	ses_json_begin(&in, BYTES("7"));
	assert_true(ses_json_next(&in, &item));
	assert_true(bytes_equal_str(item.value, "7"));
}

TEST("a text says what its escapes say, and half a pair says nothing")
{
	static const struct {
		const char *quoted, *says; /* NULL: no text */
	} cases[] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"\\u0041\\/\\n\"", "A/\n"},
		{"\"\\u00fc\\u20AC\"", "\xc3\xbc\xe2\x82\xac"},
		{"\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y"},
		{"\"\\ud800\"", NULL},
		{"\"\\udc00\"", NULL},
		{"\"\\ud800\\ud800\"", NULL},
		{"\"\\ud800x\"", NULL},
		{"\"\\ud800\\n\"", NULL},
		{"\"\\ud800\\u0041\"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes quoted = bytes_of_str(cases[i].quoted), plain;
		const char *says = cases[i].says;
		uint8_t *out = malloc(quoted.len);
		size_t n = 0;

		assert_int_equal(ses_json_text(quoted, out, &n), says != NULL);
		if (says)
			assert_true(bytes_equal_str(bytes_of(out, n), says));
		assert_true(ses_json_is(quoted, says ? says : "x") ==
			    (says != NULL));
		assert_false(ses_json_is(quoted, "plainer"));
		assert_false(ses_json_is(quoted, "plai"));
		if (ses_json_borrow(quoted, &plain))
			assert_true(says && bytes_equal_str(plain, says));
		else
			assert_non_null(strchr(cases[i].quoted, '\\'));
		free(out);
	}
}

TEST("a whole number is one, as far as it fits")
{
	static const struct {
		const char *digits;
		bool fits;
		int64_t value;
	} cases[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999", false, 0},
		{"1.0", false, 0},
		{"1e2", false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t value = 0;

		assert_int_equal(
			ses_json_integer(bytes_of_str(cases[i].digits), &value),
			cases[i].fits);
		assert_true(value == cases[i].value);
	}
}
