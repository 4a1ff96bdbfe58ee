/* SPDX-License-Identifier: MIT */
/*
 * jansson says whether a text is JSON. An object that is published goes on as
 * it was written, so its text is found in the source: in what is known to be
 * JSON that takes no more than knowing strings and brackets.
 */
#include "hub/demand.h"

#include <jansson.h>
#include <stdio.h>

#include "base/base64.h"

/* ---- Raw values in valid JSON ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct bytes *in)
{
	while (in->len && is_blank(in->data[0]))
		*in = bytes_from(*in, 1);
}

static void skip_text(struct bytes *in)
{
	size_t n = 1;

	while (n < in->len && in->data[n] != '"')
		n += in->data[n] == '\\' ? 2 : 1;
	*in = bytes_from(*in, n + 1);
}

static bool ends_word(uint8_t c)
{
	return is_blank(c) || c == ',' || c == '}' || c == ']' || c == ':';
}

/* Take a whole value off @in. */
static struct bytes take_value(struct bytes *in)
{
	struct bytes from;
	size_t depth = 0;

	skip_blanks(in);
	from = *in;
	if (!in->len || in->data[0] == ']' || in->data[0] == '}')
		return bytes_first(from, 0);
	do {
		uint8_t c = in->len ? in->data[0] : 0;

		if (c == '"') {
			skip_text(in);
		} else if (c == '{' || c == '[') {
			depth++;
			*in = bytes_from(*in, 1);
		} else if (c == '}' || c == ']') {
			depth--;
			*in = bytes_from(*in, 1);
		} else if (depth) {
			*in = bytes_from(*in, 1);
		} else {
			while (in->len && !ends_word(in->data[0]))
				*in = bytes_from(*in, 1);
		}
	} while (depth && in->len);
	return bytes_first(from, from.len - in->len);
}

/* The value of a member of an object, as it is written; the last of its name. */
static struct bytes find_raw(struct bytes object, const char *quoted_name)
{
	struct bytes found = bytes_of(NULL, 0);

	skip_blanks(&object);
	object = bytes_from(object, 1);
	for (;;) {
		struct bytes name, value;

		skip_blanks(&object);
		if (!object.len || object.data[0] == '}')
			return found;
		name = take_value(&object);
		skip_blanks(&object);
		object = bytes_from(object, 1); /* : */
		value = take_value(&object);
		if (bytes_equal_str(name, quoted_name))
			found = value;
		skip_blanks(&object);
		if (object.len && object.data[0] == ',')
			object = bytes_from(object, 1);
	}
}

/* ---- Demands ---- */

#define BAD_PUBLISH "publish is a text, an object or a list"

#define TOO_MUCH "JSON of more than 65536 values is not read"

/* A value that is read takes memory, however short it is written. */
static bool is_too_much(struct bytes text)
{
	size_t n = 0;

	while (text.len) {
		uint8_t c = text.data[0];

		n += c == ',' || c == ':' || c == '{' || c == '[';
		if (c == '"')
			skip_text(&text);
		else
			text = bytes_from(text, 1);
	}
	return n > HUB_JSON_MAX;
}

static json_t *load(struct bytes text, size_t flags)
{
	json_error_t error;

	if (is_too_much(text))
		return NULL;
	return json_loadb((const char *)text.data, text.len,
			  flags | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
			  &error);
}

static struct bytes text_of(const json_t *value)
{
	return bytes_of(json_string_value(value), json_string_length(value));
}

static const char *put(struct hub_demand *d, struct bytes data)
{
	ses_buf_init(&d->data, data.len + 1);
	return ses_buf_append(&d->data, data) < 0 ? "out of memory" : NULL;
}

static const char *read_publish(const json_t *value, struct bytes text,
				struct hub_demand *d)
{
	struct bytes raw;

	d->sort = HUB_PUBLISH;
	if (json_is_string(value))
		return put(d, text_of(value));
	if (!json_is_object(value) && !json_is_array(value))
		return BAD_PUBLISH;
	raw = find_raw(text, "\"publish\"");
	return raw.len ? put(d, raw) : "publish is written with escapes";
}

static const char *read_bytes(const json_t *value, struct hub_demand *d)
{
	struct bytes text = text_of(value);
	uint8_t *to;
	size_t n;

	d->sort = HUB_PUBLISH_BYTES;
	if (!json_is_string(value))
		return "publish_base64 is a text";
	ses_buf_init(&d->data, text.len + 1);
	to = ses_buf_room(&d->data, text.len + 1);
	if (!to)
		return "out of memory";
	if (ses_base64_decode(text, to, text.len, &n) < 0)
		return "publish_base64 is no base64";
	ses_buf_commit(&d->data, n);
	return NULL;
}

static const char *read_presence(const json_t *o, const json_t *value,
				 struct hub_demand *d)
{
	const json_t *limit = json_object_get(o, "limit");
	const json_t *after = json_object_get(o, "after");
	struct bytes name = text_of(after);

	if (json_is_string(value) && bytes_equal_str(text_of(value), "count"))
		d->sort = HUB_COUNT;
	else if (json_is_string(value) &&
		 bytes_equal_str(text_of(value), "list"))
		d->sort = HUB_LIST;
	else
		return "presence is \"list\" or \"count\"";
	if (limit && (!json_is_integer(limit) || json_integer_value(limit) < 1 ||
		      json_integer_value(limit) > HUB_LIST_MAX))
		return "limit is a number from 1 to 1000";
	if (after && (!json_is_string(after) || name.len > sizeof(d->after)))
		return "after is a name out of members";
	if (limit)
		d->limit = (size_t)json_integer_value(limit);
	if (name.len)
		memcpy(d->after, name.data, name.len);
	d->after_len = name.len;
	return NULL;
}

static const char *read_resume(const json_t *value, struct hub_demand *d)
{
	d->sort = HUB_RESUME;
	return json_is_string(value) ? put(d, text_of(value))
				     : "resume is an id";
}

static const char *read_ref(const json_t *ref, struct hub_demand *d)
{
	if (!ref)
		return NULL;
	if (!json_is_integer(ref) || json_integer_value(ref) < 0 ||
	    json_integer_value(ref) > INT64_C(9007199254740991))
		return "ref is a number from 0 to 2^53 - 1";
	d->ref = json_integer_value(ref);
	return NULL;
}

static const char *read_object(const json_t *o, struct bytes text,
			       struct hub_demand *d)
{
	const json_t *publish = json_object_get(o, "publish");
	const json_t *base64 = json_object_get(o, "publish_base64");
	const json_t *resume = json_object_get(o, "resume");
	const json_t *presence = json_object_get(o, "presence");
	const char *wrong = read_ref(json_object_get(o, "ref"), d);

	if (wrong)
		return wrong;
	if (!!publish + !!base64 + !!resume + !!presence != 1)
		return "one of publish, publish_base64, resume and presence "
		       "is needed";
	if (publish)
		return read_publish(publish, text, d);
	if (base64)
		return read_bytes(base64, d);
	if (resume)
		return read_resume(resume, d);
	return read_presence(o, presence, d);
}

const char *hub_demand_read(struct bytes text, struct hub_demand *d)
{
	const char *wrong = "an envelope is a JSON object";
	json_t *o = load(text, 0);

	*d = (struct hub_demand){.ref = -1, .limit = 100};
	if (json_is_object(o))
		wrong = read_object(o, text, d);
	else if (is_too_much(text))
		wrong = TOO_MUCH;
	json_decref(o);
	return wrong;
}

void hub_demand_fini(struct hub_demand *d)
{
	ses_buf_fini(&d->data);
}

/* ---- States ---- */

static bool only_key(json_t *o, const char *name)
{
	const char *member;
	json_t *value;

	json_object_foreach(o, member,
			    value) if (strcmp(member, name) != 0 &&
				       !json_is_null(value)) return false;
	return true;
}

static const char *read_key(const json_t *key, struct hub_about *about)
{
	struct bytes text = text_of(key);

	if (json_is_integer(key)) {
		about->key_len = (size_t)snprintf(about->key, sizeof(about->key),
						  "%" JSON_INTEGER_FORMAT,
						  json_integer_value(key));
		return NULL;
	}
	if (!json_is_string(key))
		return "The payload has no key: a text or a whole number";
	if (!text.len || text.len > sizeof(about->key))
		return "The key of the payload is empty, or longer than 256 "
		       "bytes";
	memcpy(about->key, text.data, text.len);
	about->key_len = text.len;
	return NULL;
}

const char *hub_about_read(struct bytes payload, const char *name,
			   struct hub_about *about)
{
	const char *wrong = "A payload of this channel is a JSON object";
	json_t *o = load(payload, 0);

	about->key_len = 0;
	if (json_is_object(o)) {
		wrong = read_key(json_object_get(o, name), about);
		about->gone = only_key(o, name);
	} else if (is_too_much(payload)) {
		wrong = TOO_MUCH;
	}
	json_decref(o);
	return wrong;
}

/* ---- Lists ---- */

const char *hub_list_read(struct bytes text, struct hub_list *list)
{
	const char *wrong = NULL;
	json_t *o = load(text, 0), *element;
	size_t i;

	if (is_too_much(text))
		wrong = TOO_MUCH;
	else if (!json_is_array(o) || !json_array_size(o))
		wrong = "A batch is a JSON list of payloads";
	else if (json_array_size(o) > HUB_LIST_MAX)
		wrong = "A batch has at most 1000 payloads";
	json_array_foreach(o, i, element) if (!json_is_string(element) &&
					      !json_is_object(element) &&
					      !json_is_array(element)) wrong =
		"A payload of a batch is a text, an object or "
		"a list";
	list->n = json_array_size(o);
	json_decref(o);
	skip_blanks(&text);
	list->rest = bytes_from(text, 1);
	return wrong;
}

bool hub_list_next(struct hub_list *list, struct ses_buf *out)
{
	struct bytes raw;
	json_t *text;
	bool good;

	skip_blanks(&list->rest);
	if (list->rest.len && list->rest.data[0] == ',')
		list->rest = bytes_from(list->rest, 1);
	raw = take_value(&list->rest);
	if (!raw.len)
		return false;
	ses_buf_consume(out, ses_buf_len(out));
	if (raw.data[0] != '"')
		return ses_buf_append(out, raw) == 0;
	text = load(raw, JSON_DECODE_ANY);
	good = text && ses_buf_append(out, text_of(text)) == 0;
	json_decref(text);
	return good;
}
