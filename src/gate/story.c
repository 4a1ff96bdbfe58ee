/* SPDX-License-Identifier: MIT */
/* From a decision to a story, and from a story to the line that opens. */
#include "gate/story.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/nearest.h"

#define SHOW(to, value) bytes_printable(value, to, sizeof(to))

static void show_text(char *to, size_t size, const char *text)
{
	bytes_printable(bytes_of_str(text ? text : ""), to, size);
}

void gate_story_ask(struct gate_story *s, const struct gate_request *r)
{
	SHOW(s->target, r->target);
	SHOW(s->host, r->host);
	SHOW(s->origin, r->origin);
	SHOW(s->user_agent, r->user_agent);
	SHOW(s->address, r->address_text);
}

char *gate_trace_json(const struct gate_decision *d)
{
	json_t *looks = json_array();
	char *text;

	for (size_t i = 0; i < d->n_trace; i++) {
		const struct gate_trace *t = &d->trace[i];
		char value[160], rule[160];

		show_text(rule, sizeof(rule), t->rule);
		SHOW(value, t->value);
		json_array_append_new(
			looks, json_pack("{s:s, s:b, s:s, s:i, s:s?}", "check",
					 t->check, "passed", t->passed, "rule",
					 rule, "line", (int)t->line, "value",
					 t->value.data ? value : NULL));
	}
	text = json_dumps(looks, JSON_COMPACT);
	json_decref(looks);
	return text;
}

/* A trace too long for its place is left out: half a JSON helps nobody. */
static void keep_trace(struct gate_story *s, const struct gate_decision *d)
{
	char *json = gate_trace_json(d);
	bool fits = json && strlen(json) < sizeof(s->trace);

	strcpy(s->trace, "[]");
	if (fits)
		strcpy(s->trace, json);
	free(json);
}

void gate_story_decide(struct gate_story *s, const struct gate_policy *policy,
		       const struct gate_decision *d)
{
	const struct gate_trace *last = gate_decider(d);
	const struct gate_route *route = d->route;
	unsigned compared;

	s->status = d->status;
	snprintf(s->cause, sizeof(s->cause), "%s", why_cause(d->cause)->id);
	show_text(s->route, sizeof(s->route), route ? route->path : "");
	show_text(s->upstream, sizeof(s->upstream),
		  route && route->n_servers ? route->server[0].text : "");
	keep_trace(s, d);
	if (d->admitted)
		return;
	snprintf(s->check, sizeof(s->check), "%s", last->check);
	show_text(s->rule, sizeof(s->rule), last->rule);
	show_text(s->file, sizeof(s->file), policy->file);
	show_text(s->nearest, sizeof(s->nearest),
		  gate_nearest(policy, d, &compared));
	SHOW(s->compared, last->value);
	s->preset = last->line == 0;
	s->line = last->line ? last->line : route ? route->line : 0;
}

/* ---- Advice ---- */

static const char *list_of_check(const char *check)
{
	static const char *const lists[][2] = {
		{"host", "hosts"},
		{"address", "addresses"},
		{"origin", "origins"},
		{"user-agent", "user_agents"},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i][0], check) == 0)
			return lists[i][1];
	return NULL;
}

static int advise_path(const struct gate_story *s, struct ses_buf *out)
{
	if (s->status == 400 && s->target[0] != '/')
		return ses_buf_append_str(
			out,
			"The target of the request must begin with a slash: "
			"send the path alone, without\nscheme and host.\n");
	if (s->status == 400)
		return ses_buf_printf(
			out,
			"The path holds %s. Two programs may read such a path "
			"as two different paths, so it\nis refused before any "
			"rule. Write it plainly in the client.\n",
			s->rule);
	ses_buf_printf(out, "No route of %s has this path. %s%s\n", s->file,
		       s->nearest[0] ? "The nearest is " : "", s->nearest);
	return ses_buf_append_str(
		out, "Correct the path in the client, or add a route.\n");
}

/* Append @entry, when a list of origins may have it. */
static void put_origin(struct ses_buf *out, const char *scheme,
		       const char *origin)
{
	struct gate_origin_pattern ignored;
	char entry[300];

	snprintf(entry, sizeof(entry), "%s%s", scheme, origin);
	if (!gate_origin_pattern_read(bytes_of_str(entry), &ignored))
		ses_buf_printf(out, ", \"%s\"", entry);
}

/* A list takes the place of the default, so whom that let in is on it too. */
static int advise_default(const struct gate_story *s, const char *entry,
			  struct ses_buf *out)
{
	ses_buf_printf(out,
		       "Route %s (%s:%u) has no list of origins, so pages of "
		       "its own host and clients\nthat send no Origin may "
		       "enter. A list takes the place of that default. To let "
		       "this\npage in as well, add to that route:\n\n"
		       "    allow: {origins: [none",
		       s->route, s->file, s->line);
	put_origin(out, "http://", s->host);
	put_origin(out, "https://", s->host);
	put_origin(out, "", entry);
	return ses_buf_append_str(out, "]}\n");
}

static bool may_be_listed(const char *list, const char *entry)
{
	struct gate_origin_pattern ignored;

	return strcmp(list, "origins") != 0 ||
	       !gate_origin_pattern_read(bytes_of_str(entry), &ignored);
}

static int advise_list(const struct gate_story *s, const char *list,
		       struct ses_buf *out)
{
	bool missing =
		strcmp(s->cause, why_cause(WHY_ACCESS_ORIGIN_MISSING)->id) == 0;
	const char *entry = missing ? "none" : s->compared;

	if (!may_be_listed(list, entry))
		return ses_buf_append_str(
			out, "What was sent is no origin, so no entry can name "
			     "it. Correct it in the client.\n");
	if (s->preset)
		return advise_default(s, entry, out);
	if (s->rule[0] == '!')
		return ses_buf_printf(out,
				      "%s:%u excludes it with %s. To let it "
				      "in, remove or narrow that entry.\n",
				      s->file, s->line, s->rule);
	if (!entry[0])
		return ses_buf_printf(out,
				      "It was not sent, and only \"*\" in the "
				      "list at %s:%u would admit that.\n",
				      s->file, s->line);
	return ses_buf_printf(out,
			      "To let it in, add it to the list at %s:%u:\n\n"
			      "    %s: [..., \"%s\"]\n",
			      s->file, s->line, list, entry);
}

int gate_story_advise(const struct gate_story *s, struct ses_buf *out)
{
	const char *list = list_of_check(s->check);

	if (strcmp(s->check, "path") == 0)
		return advise_path(s, out);
	if (list)
		return advise_list(s, list, out);
	if (s->upstream[0])
		return ses_buf_printf(out,
				      "No rule of the gateway refused this. "
				      "Look at the server behind it, %s.\n",
				      s->upstream);
	return ses_buf_printf(out,
			      "`sesame explain %s` tells what this is "
			      "about and what helps.\n",
			      s->cause);
}

char *gate_story_json(const struct gate_story *s, bool pretty)
{
	json_t *trace = json_loads(s->trace, 0, NULL);
	json_t *o = json_object();
	struct ses_buf advice;
	char *text;

	ses_buf_init(&advice, 8192);
	gate_story_advise(s, &advice);
	ses_buf_append(&advice, bytes_of("", 1));
	const struct {
		const char *name, *value;
	} texts[] = {
		{"reference", s->reference},
		{"cause", s->cause},
		{"target", s->target},
		{"host", s->host},
		{"origin", s->origin},
		{"address", s->address},
		{"hops", s->hops},
		{"user_agent", s->user_agent},
		{"listener", s->listener},
		{"route", s->route},
		{"upstream", s->upstream},
		{"check", s->check},
		{"rule", s->rule},
		{"file", s->file},
		{"compared", s->compared},
		{"nearest", s->nearest},
		{"note", s->note},
		{"advice", (const char *)ses_buf_bytes(&advice).data},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value && texts[i].value[0])
			json_object_set_new(o, texts[i].name,
					    json_string(texts[i].value));
	json_object_set_new(o, "status", json_integer(s->status));
	json_object_set_new(o, "observed", json_boolean(s->observed));
	if (s->time_ms)
		json_object_set_new(o, "time_ms", json_integer(s->time_ms));
	if (s->line)
		json_object_set_new(o, "line", json_integer(s->line));
	json_object_set_new(o, "trace", trace ? trace : json_array());
	text = json_dumps(o, pretty ? JSON_INDENT(2) : JSON_COMPACT);
	json_decref(o);
	ses_buf_fini(&advice);
	return text;
}
