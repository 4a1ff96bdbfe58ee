/* SPDX-License-Identifier: MIT */
/*
 * Jansson holds the values and does not read the text: its reader does not
 * survive an allocation that fails, and follows two thousand brackets down.
 */
#include "gate/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "wire/json.h"

static const char no_json[] = "is no JSON";
static const char no_memory[] = "could not be read: out of memory";

struct builder {
	const char *wrong; /* the first fault */
	unsigned depth;
};

static json_t *build(struct builder *b, const struct ses_json_item *item);

static json_t *fail(struct builder *b, const char *wrong)
{
	if (!b->wrong)
		b->wrong = wrong;
	return NULL;
}

/* What a text says, on the heap and NUL-terminated. NULL: @b says why. */
static char *take_text(struct builder *b, struct bytes quoted)
{
	char *text = malloc(quoted.len);
	size_t n;

	if (!text)
		return (char *)fail(b, no_memory);
	/* Values are C strings to many of their readers. */
	if (ses_json_text(quoted, (uint8_t *)text, &n) && !memchr(text, 0, n)) {
		text[n] = '\0';
		return text;
	}
	free(text);
	return (char *)fail(b, no_json);
}

static json_t *build_text(struct builder *b, struct bytes quoted)
{
	char *text = take_text(b, quoted);
	json_t *value = text ? json_string_nocheck(text) : NULL;

	free(text);
	return value;
}

static json_t *build_real(struct builder *b, struct bytes digits)
{
	char *text = strndup((const char *)digits.data, digits.len);
	bool real = text && strpbrk(text, ".eE");
	double value = real ? strtod(text, NULL) : INFINITY;

	free(text);
	if (!text)
		return fail(b, no_memory);
	return isinf(value) ? fail(b, "has a number that is too large")
			    : json_real(value);
}

static json_t *build_number(struct builder *b, struct bytes digits)
{
	int64_t whole;

	return ses_json_integer(digits, &whole) ? json_integer(whole)
						: build_real(b, digits);
}

/* @value is taken. */
static bool add_member(struct builder *b, json_t *object, struct bytes quoted,
		       json_t *value)
{
	char *name = value ? take_text(b, quoted) : NULL;
	bool twice = name && json_object_get(object, name);
	bool good = name && !twice &&
		    json_object_set_new_nocheck(object, name, value) == 0;

	if (!name || twice)
		json_decref(value);
	if (twice)
		fail(b, "has the same name twice in one object");
	free(name);
	return good;
}

/* An object or an array, and all that is in it. */
static json_t *build_many(struct builder *b, struct bytes text)
{
	struct ses_json_item item;
	struct ses_json in;
	bool object = ses_json_begin(&in, text) == SES_JSON_OBJECT;
	json_t *many = object ? json_object() : json_array();
	bool good = many != NULL;

	while (good && ses_json_next(&in, &item)) {
		json_t *value = build(b, &item);

		if (object)
			good = add_member(b, many, item.name, value);
		else
			good = value && json_array_append_new(many, value) == 0;
	}
	if (good)
		return many;
	json_decref(many);
	return fail(b, no_memory);
}

static json_t *build_nested(struct builder *b, struct bytes text)
{
	json_t *many;

	if (b->depth == GATE_JSON_MAX_DEPTH)
		return fail(b, "is nested too deeply");
	b->depth++;
	many = build_many(b, text);
	b->depth--;
	return many;
}

/* The value that @item is. NULL: @b says why, or there is no memory. */
static json_t *build(struct builder *b, const struct ses_json_item *item)
{
	switch (item->sort) {
	case SES_JSON_OBJECT:
	case SES_JSON_ARRAY:
		return build_nested(b, item->value);
	case SES_JSON_TEXT:
		return build_text(b, item->value);
	case SES_JSON_NUMBER:
		return build_number(b, item->value);
	case SES_JSON_TRUE:
		return json_true();
	case SES_JSON_FALSE:
		return json_false();
	default:
		return json_null();
	}
}

/* All of @text: whether it is JSON, and what one value it is. */
static enum ses_json_fault look(struct bytes text,
				struct ses_json_item *ret_item)
{
	struct ses_json_item item;
	struct ses_json in;

	ret_item->sort = ses_json_begin(&in, text);
	ret_item->value = in.rest;
	while (ses_json_next(&in, &item))
		if (ret_item->sort > SES_JSON_ARRAY)
			*ret_item = item;
	return in.fault;
}

static json_t *read_any(struct bytes text, const char **ret_wrong)
{
	struct builder b = {.wrong = NULL};
	struct ses_json_item all;
	enum ses_json_fault fault = look(text, &all);
	json_t *json = NULL;

	if (fault)
		fail(&b,
		     fault == SES_JSON_DEEP ? "is nested too deeply" : no_json);
	else
		json = build(&b, &all);
	*ret_wrong = b.wrong ? b.wrong : no_memory;
	return json;
}

json_t *gate_json_read(struct bytes text, const char **ret_wrong)
{
	const char *wrong;
	json_t *json = read_any(text, &wrong);

	if (json_is_object(json))
		return json;
	*ret_wrong = json ? "is no JSON object" : wrong;
	json_decref(json);
	return NULL;
}

json_t *gate_json_load(const char *text)
{
	const char *wrong = NULL;
	json_t *json = text ? read_any(bytes_of_str(text), &wrong) : NULL;

	if (!json)
		errno = wrong == no_memory ? ENOMEM : EINVAL;
	return json;
}

struct bytes gate_json_bytes(const json_t *value)
{
	if (!json_is_string(value))
		return bytes_of(NULL, 0);
	return bytes_of(json_string_value(value), json_string_length(value));
}

struct bytes gate_json_text(const json_t *object, const char *name)
{
	return gate_json_bytes(json_object_get(object, name));
}
