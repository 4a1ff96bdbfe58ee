/* SPDX-License-Identifier: MIT */
/* A story that another gateway wrote as JSON (gate_story_json()). */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

#include "gate/json.h"
#include "gate/story.h"

#define PLACE(name, field)                                      \
	{                                                       \
		name, offsetof(struct gate_story, field),       \
			sizeof(((struct gate_story *)0)->field) \
	}

static const struct {
	const char *name;
	size_t at, size;
} texts[] = {
	PLACE("reference", reference),
	PLACE("cause", cause),
	PLACE("method", method),
	PLACE("target", target),
	PLACE("host", host),
	PLACE("origin", origin),
	PLACE("address", address),
	PLACE("hops", hops),
	PLACE("user_agent", user_agent),
	PLACE("subprotocols", protocols),
	PLACE("credential", credential),
	PLACE("fault", fault),
	PLACE("subject", subject),
	PLACE("certificate", certificate),
	PLACE("listener", listener),
	PLACE("route", route),
	PLACE("upstream", upstream),
	PLACE("check", check),
	PLACE("rule", rule),
	PLACE("file", file),
	PLACE("whole_file", whole_file),
	PLACE("compared", compared),
	PLACE("nearest", nearest),
	PLACE("note", note),
	PLACE("node", node),
};

/* One look, and nothing in it that a terminal would follow. */
static json_t *read_look(const json_t *look)
{
	static const char *const names[] = {"check", "rule", "value"};
	json_t *o = json_object();
	char shown[160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes text = gate_json_text(look, names[i]);

		bytes_printable(text, shown, sizeof(shown));
		if (text.data)
			json_object_set_new(o, names[i], json_string(shown));
	}
	json_object_set_new(
		o, "passed",
		json_boolean(json_is_true(json_object_get(look, "passed"))));
	json_object_set_new(o, "line",
			    json_integer(json_integer_value(
				    json_object_get(look, "line"))));
	return o;
}

static void read_trace(struct gate_story *s, const json_t *o)
{
	json_t *looks = json_array(), *look;
	char *text;
	size_t i;

	json_array_foreach(json_object_get(o, "trace"), i, look)
		json_array_append_new(looks, read_look(look));
	text = json_dumps(looks, JSON_COMPACT);
	strcpy(s->trace, "[]");
	if (text && strlen(text) < sizeof(s->trace))
		strcpy(s->trace, text);
	free(text);
	json_decref(looks);
}

bool gate_story_read(struct bytes json, struct gate_story *s)
{
	const char *wrong;
	json_t *o = gate_json_read(json, &wrong);

	if (!o)
		return false;
	*s = (struct gate_story){.status = 0};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		bytes_printable(gate_json_text(o, texts[i].name),
				(char *)s + texts[i].at, texts[i].size);
	s->status = (int)json_integer_value(json_object_get(o, "status"));
	s->line = (unsigned)json_integer_value(json_object_get(o, "line"));
	s->time_ms = json_integer_value(json_object_get(o, "time_ms"));
	s->observed = json_is_true(json_object_get(o, "observed"));
	s->secure = json_is_true(json_object_get(o, "tls"));
	s->preset = json_is_true(json_object_get(o, "preset"));
	read_trace(s, o);
	json_decref(o);
	return s->reference[0] && s->cause[0];
}
