/* SPDX-License-Identifier: MIT */
/*
 * Jansson reads; the depth is looked at before, for it would follow two
 * thousand brackets down.
 */
#include "gate/json.h"

/* Whether no bracket of @text is too deep. Text that is no JSON may be either. */
static bool is_shallow(struct bytes text)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
		if (depth > GATE_JSON_MAX_DEPTH)
			return false;
	}
	return true;
}

json_t *gate_json_read(struct bytes text, const char **ret_wrong)
{
	json_error_t error;
	json_t *json;

	if (!is_shallow(text)) {
		*ret_wrong = "is nested too deeply";
		return NULL;
	}
	json = json_loadb(text.data ? (const char *)text.data : "", text.len,
			  JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(json))
		return json;
	*ret_wrong = json ? "is no JSON object"
		     : json_error_code(&error) == json_error_duplicate_key
			     ? "has the same name twice in one object"
			     : "is no JSON";
	json_decref(json);
	return NULL;
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
