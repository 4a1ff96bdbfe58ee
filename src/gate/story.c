/* SPDX-License-Identifier: MIT */
/* From a request and a decision to a story, and a story as JSON. */
#include "gate/story.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/fault.h"
#include "gate/hide.h"
#include "gate/json.h"
#include "gate/nearest.h"

#define SHOW(to, value) bytes_printable(value, to, sizeof(to))

static void show_text(char *to, size_t size, const char *text)
{
	bytes_printable(bytes_of_str(text ? text : ""), to, size);
}

void gate_story_ask(struct gate_story *s, const struct gate_request *r)
{
	gate_hide_target(NULL, r->target, s->target, sizeof(s->target));
	SHOW(s->host, r->host);
	SHOW(s->origin, r->origin);
	SHOW(s->user_agent, r->user_agent);
	SHOW(s->address, r->address_text);
	s->secure = r->secure;
}

static void add_look(json_t *looks, const struct gate_trace *t)
{
	char value[160], rule[160];

	show_text(rule, sizeof(rule), t->rule);
	SHOW(value, t->value);
	json_array_append_new(looks,
			      json_pack("{s:s, s:b, s:s, s:i, s:s?}", "check",
					t->check, "passed", t->passed, "rule",
					rule, "line", (int)t->line, "value",
					t->value.data ? value : NULL));
}

static bool has_look(const struct gate_decision *d, const char *check)
{
	for (size_t i = 0; i < d->n_trace; i++)
		if (strcmp(d->trace[i].check, check) == 0)
			return true;
	return false;
}

/*
 * The looks of @d and those of @survey (or NULL) that it has not, as a JSON
 * array, to be freed. NULL: no memory.
 */
static char *trace_json(const struct gate_decision *d,
			const struct gate_decision *survey)
{
	json_t *looks = json_array();
	char *text;

	for (size_t i = 0; i < d->n_trace; i++)
		add_look(looks, &d->trace[i]);
	for (size_t i = 0; survey && i < survey->n_trace; i++)
		if (!has_look(d, survey->trace[i].check))
			add_look(looks, &survey->trace[i]);
	text = json_dumps(looks, JSON_COMPACT);
	json_decref(looks);
	return text;
}

/* A trace too long for its place is left out: half a JSON helps nobody. */
static void keep_trace(struct gate_story *s, const struct gate_decision *d,
		       const struct gate_decision *survey)
{
	char *json = trace_json(d, survey);
	bool fits = json && strlen(json) < sizeof(s->trace);

	strcpy(s->trace, "[]");
	if (fits)
		strcpy(s->trace, json);
	free(json);
}

void gate_story_survey(struct gate_story *s, const struct gate_policy *policy,
		       const struct gate_request *request,
		       const struct gate_decision *d)
{
	struct gate_decision survey;

	if (d->admitted || !d->route)
		return;
	gate_admit_survey(policy, request, &survey);
	keep_trace(s, d, &survey);
}

bool gate_story_has_no_credentials(const struct gate_story *s)
{
	json_t *trace = gate_json_load(s->trace), *look;
	bool none = false;
	size_t i;

	json_array_foreach(trace, i, look)
	{
		const char *check =
			json_string_value(json_object_get(look, "check"));
		const char *rule =
			json_string_value(json_object_get(look, "rule"));

		if (check && rule && strcmp(check, "token") == 0 &&
		    strcmp(rule, gate_fault(GATE_FAULT_MISSING)->text) == 0)
			none = json_is_false(json_object_get(look, "passed"));
	}
	json_decref(trace);
	return none;
}

void gate_story_put_file(struct gate_story *s, const struct gate_policy *policy)
{
	const char *whole = policy->whole_file ? policy->whole_file : "";
	/* A part of a name would name another file. */
	bool fits = strlen(whole) < sizeof(s->whole_file);

	show_text(s->file, sizeof(s->file), policy->file);
	show_text(s->whole_file, sizeof(s->whole_file), fits ? whole : "");
}

void gate_story_put_content(struct gate_story *s, const char *check,
			    const char *takes)
{
	snprintf(s->check, sizeof(s->check), "%s", check);
	show_text(s->rule, sizeof(s->rule), takes);
	s->compared[0] = s->nearest[0] = '\0';
	s->line = 0;
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
	gate_story_put_file(s, policy);
	keep_trace(s, d, NULL);
	if (d->admitted)
		return;
	snprintf(s->check, sizeof(s->check), "%s", last->check);
	show_text(s->rule, sizeof(s->rule), last->rule);
	show_text(s->nearest, sizeof(s->nearest),
		  last->nearest ? last->nearest
				: gate_nearest(policy, d, &compared));
	SHOW(s->compared, last->value);
	s->preset = last->line == 0;
	s->line = last->line ? last->line : route ? route->line : 0;
}

/* ---- As people read it ---- */

/*
 * Of limits there are many: which one it was says more than the cause does. A
 * backplane is no application behind a proxy, and what is sent after a
 * handshake is none.
 */
bool gate_story_note_is_headline(const struct gate_story *s)
{
	int cause = why_cause_find(bytes_of_str(s->cause));

	return s->note[0] &&
	       (cause == WHY_ACCESS_RATE || cause == WHY_SERVER_LIMIT ||
		strcmp(s->check, "backplane") == 0 || gate_story_is_content(s) ||
		(cause == WHY_CLIENT_BAD_HANDSHAKE && gate_story_is_cut(s)));
}

bool gate_story_is_method(const struct gate_story *s)
{
	return s->status == 405 && s->method[0] &&
	       (s->check[0] ? s->rule[0] : s->note[0]);
}

/* A note as a sentence; the name of a setting stays as it is. */
static void write_note(const char *note, char out[GATE_HEADLINE_SIZE])
{
	snprintf(out, GATE_HEADLINE_SIZE, "%s.", note);
	if (out[0] >= 'a' && out[0] <= 'z' && out[strcspn(out, " .")] == ' ')
		out[0] -= 'a' - 'A';
}

bool gate_story_headline(const struct gate_story *s,
			 char out[GATE_HEADLINE_SIZE])
{
	int cause = why_cause_find(bytes_of_str(s->cause));

	if (gate_story_note_is_headline(s))
		write_note(s->note, out);
	else if (gate_story_is_method(s))
		snprintf(out, GATE_HEADLINE_SIZE, "A %s was refused: %s.",
			 s->method, s->check[0] ? s->rule : s->note);
	else if (cause > WHY_OK)
		snprintf(out, GATE_HEADLINE_SIZE, "%s",
			 why_cause((enum why_cause)cause)->sentence);
	return gate_story_note_is_headline(s) || cause > WHY_OK;
}

/* A damaged journal has no looks to show. NULL: no memory. */
static json_t *read_looks(const struct gate_story *s)
{
	json_t *looks = gate_json_load(s->trace);

	return looks || errno == ENOMEM ? looks : json_array();
}

/* All of it, or none. */
static void put_advice(json_t *o, const struct gate_story *s)
{
	struct ses_buf advice;

	ses_buf_init(&advice, 8192);
	if (gate_story_advise(s, &advice) == 0)
		json_object_set_new(
			o, "advice",
			json_stringn((const char *)ses_buf_bytes(&advice).data,
				     ses_buf_len(&advice)));
	ses_buf_fini(&advice);
}

json_t *gate_story_object(const struct gate_story *s)
{
	json_t *looks = read_looks(s), *o = looks ? json_object() : NULL;

	if (!o) {
		json_decref(looks);
		return NULL;
	}
	const struct {
		const char *name, *value;
	} texts[] = {
		{"reference", s->reference},
		{"cause", s->cause},
		{"method", s->method},
		{"target", s->target},
		{"host", s->host},
		{"origin", s->origin},
		{"address", s->address},
		{"hops", s->hops},
		{"user_agent", s->user_agent},
		{"subprotocols", s->protocols},
		{"credential", s->credential},
		{"fault", s->fault},
		{"subject", s->subject},
		{"certificate", s->certificate},
		{"listener", s->listener},
		{"route", s->route},
		{"upstream", s->upstream},
		{"check", s->check},
		{"rule", s->rule},
		{"file", s->file},
		{"whole_file", s->whole_file},
		{"compared", s->compared},
		{"nearest", s->nearest},
		{"note", s->note},
		{"node", s->node},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value && texts[i].value[0])
			json_object_set_new(o, texts[i].name,
					    json_string(texts[i].value));
	put_advice(o, s);
	json_object_set_new(o, "status", json_integer(s->status));
	json_object_set_new(o, "observed", json_boolean(s->observed));
	json_object_set_new(o, "tls", json_boolean(s->secure));
	if (s->time_ms)
		json_object_set_new(o, "time_ms", json_integer(s->time_ms));
	if (s->count) {
		json_object_set_new(o, "count", json_integer(s->count));
		json_object_set_new(o, "first_ms", json_integer(s->first_ms));
	}
	if (s->preset)
		json_object_set_new(o, "preset", json_true());
	if (s->line)
		json_object_set_new(o, "line", json_integer(s->line));
	json_object_set_new(o, "trace", looks);
	return o;
}

char *gate_story_json(const struct gate_story *s, bool pretty)
{
	json_t *o = gate_story_object(s);
	char *text = json_dumps(o, pretty ? JSON_INDENT(2) : JSON_COMPACT);

	json_decref(o);
	return text;
}
