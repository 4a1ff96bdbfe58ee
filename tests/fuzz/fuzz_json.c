/* SPDX-License-Identifier: MIT */
/*
 * Our reader of JSON and jansson take the same texts for JSON, and see the same
 * in them. Where they differ jansson reads less: no number that is too large
 * for it, no half of a pair of surrogates, no name with a NUL in it; and ours
 * follows less levels. And jansson passes over a NUL that follows a word.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "gate/json.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum ses_json_fault read_all(struct bytes text)
{
	struct ses_json_item item;
	struct ses_json in;

	ses_json_begin(&in, text);
	while (ses_json_next(&in, &item))
		assert(item.value.data >= text.data &&
		       item.value.data + item.value.len <= text.data + text.len);
	return in.fault;
}

static void compare(const struct ses_json_item *item, const json_t *other);

static void compare_text(struct bytes quoted, const json_t *other)
{
	struct bytes says =
		bytes_of(json_string_value(other), json_string_length(other));
	uint8_t *out = malloc(quoted.len);
	struct bytes plain;
	size_t n;

	assert(ses_json_text(quoted, out, &n));
	assert(bytes_equal(bytes_of(out, n), says));
	if (ses_json_borrow(quoted, &plain))
		assert(bytes_equal(plain, says));
	if (!says.len || !memchr(says.data, 0, says.len))
		assert(ses_json_is(quoted, json_string_value(other)));
	free(out);
}

static const json_t *find(const json_t *object, struct bytes quoted)
{
	char *name = malloc(quoted.len);
	const json_t *found;
	size_t n;

	assert(ses_json_text(quoted, (uint8_t *)name, &n));
	name[n] = '\0';
	found = json_object_get(object, name);
	free(name);
	assert(found);
	return found;
}

/* Names stand once: jansson was told to insist on it. */
static void compare_many(struct bytes text, const json_t *other)
{
	struct ses_json_item item;
	struct ses_json in;
	size_t n = 0;

	ses_json_begin(&in, text);
	while (ses_json_next(&in, &item)) {
		compare(&item, json_is_object(other) ? find(other, item.name)
						     : json_array_get(other, n));
		n++;
	}
	assert(!in.fault &&
	       n == (json_is_object(other) ? json_object_size(other)
					   : json_array_size(other)));
}

static void compare(const struct ses_json_item *item, const json_t *other)
{
	static const json_type types[] = {
		[SES_JSON_OBJECT] = JSON_OBJECT, [SES_JSON_ARRAY] = JSON_ARRAY,
		[SES_JSON_TEXT] = JSON_STRING,	 [SES_JSON_TRUE] = JSON_TRUE,
		[SES_JSON_FALSE] = JSON_FALSE,	 [SES_JSON_NULL] = JSON_NULL,
	};
	int64_t whole;

	assert(item->sort != SES_JSON_NONE);
	if (item->sort == SES_JSON_NUMBER) {
		if (json_is_integer(other))
			assert(ses_json_integer(item->value, &whole) &&
			       whole == json_integer_value(other));
		else
			assert(json_is_real(other) &&
			       !ses_json_integer(item->value, &whole));
		return;
	}
	assert(json_typeof(other) == types[item->sort]);
	if (item->sort == SES_JSON_TEXT)
		compare_text(item->value, other);
	else if (item->sort <= SES_JSON_ARRAY)
		compare_many(item->value, other);
}

static void compare_all(struct bytes text, const json_t *other)
{
	struct ses_json in;
	struct ses_json_item item;

	if (ses_json_begin(&in, text) <= SES_JSON_ARRAY) {
		compare_many(text, other);
		return;
	}
	assert(ses_json_next(&in, &item));
	compare(&item, other);
}

static bool is_known_difference(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_numeric_overflow ||
	       code == json_error_null_byte_in_key ||
	       code == json_error_duplicate_key ||
	       strstr(error->text, "invalid Unicode '\\u");
}

/* What is built of it is what jansson would have built. */
static void compare_built(struct bytes text, const json_t *other)
{
	const char *wrong = NULL;
	json_t *ours = gate_json_read(text, &wrong);

	assert(ours || wrong);
	if (ours)
		assert(json_equal(ours, other));
	json_decref(ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	enum ses_json_fault fault = read_all(text);
	json_error_t error;
	json_t *other = json_loadb((const char *)data, size,
				   JSON_DECODE_ANY | JSON_ALLOW_NUL |
					   JSON_REJECT_DUPLICATES,
				   &error);

	bool nul = size && memchr(data, 0, size);

	if (other && fault != SES_JSON_DEEP && !(fault && nul)) {
		assert(!fault);
		compare_all(text, other);
		compare_built(text, other);
	} else if (!other) {
		assert(fault || is_known_difference(&error));
	}
	json_decref(other);
	return 0;
}
