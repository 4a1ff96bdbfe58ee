/* SPDX-License-Identifier: MIT */
/*
 * A story that another gateway wrote as JSON (gate_story_json()), and the looks
 * that stand as JSON in a journal.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

#include <sesame/error.h>

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

static void copy_text(json_t *o, const json_t *look, const char *name)
{
	struct bytes text = gate_json_text(look, name);
	char shown[160];

	bytes_printable(text, shown, sizeof(shown));
	json_object_set_new(o, name,
			    text.data ? json_string(shown) : json_null());
}

/* One look, and nothing in it that a terminal would follow. */
static json_t *read_look(const json_t *look)
{
	json_t *o = json_object();

	copy_text(o, look, "check");
	json_object_set_new(
		o, "passed",
		json_boolean(json_is_true(json_object_get(look, "passed"))));
	copy_text(o, look, "rule");
	json_object_set_new(o, "line",
			    json_integer(json_integer_value(
				    json_object_get(look, "line"))));
	copy_text(o, look, "value");
	return o;
}

static void put_looks(struct gate_story *s, const json_t *trace)
{
	json_t *looks = json_array(), *look;
	char *text;
	size_t i;

	json_array_foreach(trace, i, look)
		json_array_append_new(looks, read_look(look));
	text = json_dumps(looks, JSON_COMPACT);
	strcpy(s->trace, "[]");
	if (text && strlen(text) < sizeof(s->trace))
		strcpy(s->trace, text);
	free(text);
	json_decref(looks);
}

int gate_story_put_trace(struct gate_story *s, const char *json)
{
	bool fits = json && strlen(json) < sizeof(s->trace);
	json_t *trace = fits ? gate_json_load(json) : NULL;
	bool no_memory = fits && !trace && errno == ENOMEM;

	put_looks(s, trace);
	json_decref(trace);
	return no_memory ? SESAME_ENOMEM : 0;
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
	put_looks(s, json_object_get(o, "trace"));
	json_decref(o);
	return s->reference[0] && s->cause[0];
}
