/* SPDX-License-Identifier: MIT */
/*
 * A change is told only after it was tried: on a copy of the policy that the
 * file makes now, by the same function that decides at the door.
 */
#include "cli/tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/term.h"
#include "gate/config.h"
#include "gate/json.h"
#include "gate/rehearsal.h"

#define NAME_WIDTH 12
#define WIDTH	   80

void tell_time(int64_t time_ms, char out[32])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm = {0};

	localtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

/* @text in lines of at most @width bytes, the second and more after @indent. */
static void print_broken(const char *text, int width, int indent)
{
	while ((int)strlen(text) > width) {
		int n = width;

		/* At a blank of the last half, else anywhere but in UTF-8. */
		while (n > width / 2 && text[n] != ' ')
			n--;
		if (text[n] != ' ')
			for (n = width; n > 1 && (text[n] & 0xc0) == 0x80;)
				n--;
		printf("%.*s\n%*s", n, text, indent, "");
		text += n + (text[n] == ' ');
	}
	puts(text);
}

void tell_row(const char *name, const char *value)
{
	if (!value[0])
		return;
	printf("  %-*s", NAME_WIDTH, name);
	print_broken(value, WIDTH - 2 - NAME_WIDTH, 2 + NAME_WIDTH);
}

/* ---- The looks ---- */

static const char *text_of(json_t *look, const char *name)
{
	const char *text = json_string_value(json_object_get(look, name));

	return text ? text : "";
}

static void tell_look(const struct gate_story *s, json_t *look, bool after)
{
	bool passed = json_is_true(json_object_get(look, "passed"));
	json_int_t line = json_integer_value(json_object_get(look, "line"));
	bool has_value = json_is_string(json_object_get(look, "value"));
	bool colour = term_colour(stdout);
	char place[300] = "";

	if (line)
		snprintf(place, sizeof(place), "%s:%d  ", s->file, (int)line);
	printf("  %s%-6s%s  %-11s ",
	       !colour	? ""
	       : passed ? TERM_GREEN
			: TERM_RED,
	       passed  ? "pass"
	       : after ? "then"
		       : "REFUSE",
	       colour ? TERM_RESET : "", text_of(look, "check"));
	print_broken(has_value ? text_of(look, "value") : "(not sent)",
		     WIDTH - 22, 22);
	printf("%22s", "");
	strncat(place, text_of(look, "rule"), sizeof(place) - strlen(place) - 1);
	print_broken(place, WIDTH - 22, 22);
}

void tell_trace(const struct gate_story *s)
{
	json_t *trace = gate_json_load(s->trace), *look;
	bool refused = false;
	size_t i;

	if (!trace && errno == ENOMEM)
		fputs("sesame: out of memory: what was looked at is not "
		      "shown\n",
		      stderr);
	json_array_foreach(trace, i, look)
	{
		tell_look(s, look, refused);
		refused |= json_is_false(json_object_get(look, "passed"));
	}
	json_decref(trace);
}

json_t *tell_object(const struct gate_story *s)
{
	json_t *o = gate_story_object(s);

	if (!o)
		fputs("sesame: out of memory: the refusal is not shown\n",
		      stderr);
	return o;
}

/* ---- What helps ---- */

static struct gate_policy *read_now(const char *config)
{
	struct gate_policy *policy;
	struct ses_buf errors;

	ses_buf_init(&errors, 1 << 20);
	policy = config && access(config, R_OK) == 0
			 ? gate_config_read(config, &errors)
			 : NULL;
	ses_buf_fini(&errors);
	return policy;
}

/* What is gathered of a paragraph, wrapped. */
static void tell_paragraph(struct ses_buf *part)
{
	if (ses_buf_len(part) && ses_buf_append(part, bytes_of("", 1)) == 0)
		term_wrap(stdout, (const char *)ses_buf_bytes(part).data, 0);
	ses_buf_fini(part);
	ses_buf_init(part, 65536);
}

/* Paragraphs anew for this width; lines to paste stay as they are. */
static void tell_filled(struct bytes text)
{
	struct ses_buf part;

	ses_buf_init(&part, 65536);
	while (text.len) {
		ptrdiff_t end = bytes_find_byte(text, '\n');
		struct bytes line =
			bytes_first(text, end < 0 ? text.len : (size_t)end);

		text = bytes_from(text, line.len + 1);
		if (!line.len || line.data[0] == ' ') {
			tell_paragraph(&part);
			printf("%.*s\n", BYTES_ARG(line));
			continue;
		}
		if (ses_buf_len(&part))
			ses_buf_append_str(&part, " ");
		ses_buf_append(&part, line);
	}
	tell_paragraph(&part);
	ses_buf_fini(&part);
}

static void tell_text(const struct gate_amendments *a,
		      const struct gate_policy *now)
{
	const struct gate_trace *decider = gate_decider(&a->then);
	struct ses_buf out;

	ses_buf_init(&out, 65536);
	for (size_t i = 0; i < a->n; i++) {
		ses_buf_append_str(&out, i ? "\nand " : "To let it in, ");
		gate_amendment_tell(&a->amendment[i], now->file, &out);
	}
	ses_buf_append_str(&out, a->n ? "\n" : "");
	if (!a->n && a->then.admitted)
		ses_buf_printf(&out,
			       "With %s as it is now it would be let in; a "
			       "running gateway\nneeds to reload it.\n",
			       now->file);
	else if (a->then.admitted)
		ses_buf_printf(&out,
			       "Tried on %s as it is now: with that it is let "
			       "in%s.\n",
			       now->file,
			       a->assumed
				       ? ", if credentials, limits and whoever "
					 "else is asked agree"
				       : "");
	else if (a->n)
		ses_buf_printf(
			&out,
			"Tried on %s as it is now: %s would still refuse "
			"it (%s).\n",
			now->file, decider->check, decider->rule);
	tell_filled(ses_buf_bytes(&out));
	ses_buf_fini(&out);
}

static void add_json(const struct gate_amendments *a,
		     const struct gate_policy *now, json_t *json)
{
	static const char *const kinds[] = {"add-entry", "remove-entry",
					    "add-list"};
	json_t *changes = json_array();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(
			changes,
			json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "change",
				  kinds[a->amendment[i].kind], "list",
				  a->amendment[i].list, "file", now->file,
				  "line", (int)a->amendment[i].line, "route",
				  a->amendment[i].route, "entry",
				  a->amendment[i].entry));
	json_object_set_new(json, "changes", changes);
	json_object_set_new(json, "admitted_then",
			    json_boolean(a->then.admitted));
	if (!a->then.admitted)
		json_object_set_new(json, "then_refused_by",
				    json_string(gate_decider(&a->then)->check));
}

/* The story's own advice, made when it was refused. */
static void tell_advice(const struct gate_story *s)
{
	struct ses_buf advice;

	ses_buf_init(&advice, 8192);
	gate_story_advise(s, &advice);
	tell_filled(ses_buf_bytes(&advice));
	ses_buf_fini(&advice);
}

bool tell_is_ruled(const char *check)
{
	static const char *const checks[] = {"path",	   "host",
					     "address",	   "origin",
					     "user-agent", "subprotocol"};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (strcmp(check, checks[i]) == 0)
			return true;
	return false;
}

/* What only its own setting changes, which nothing here can try. */
static void add_setting(const struct gate_story *s, json_t *json)
{
	json_t *changes = json_array();

	if (strcmp(s->check, "limits") == 0 && !gate_story_is_cut(s))
		json_array_append_new(
			changes,
			json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "change",
				  s->preset ? "add-limit" : "raise-limit",
				  "list", "limits", "file", s->file, "line",
				  (int)s->line, "route", s->route, "entry",
				  s->rule));
	json_object_set_new(json, "changes", changes);
}

void tell_change(const struct gate_story *s, const char *config, json_t *json)
{
	struct gate_rehearsal *r = calloc(1, sizeof(*r));
	struct gate_amendments *a = calloc(1, sizeof(*a));
	bool ruled = tell_is_ruled(s->check);
	struct gate_policy *now = ruled ? read_now(config) : NULL;
	bool whole = r && a && gate_rehearse_story(s, r);

	if (now && whole)
		gate_amend(now, &r->request, a);
	if (now && whole && json)
		add_json(a, now, json);
	else if (now && whole && (a->n || a->then.admitted))
		tell_text(a, now);
	else if (!json)
		tell_advice(s);
	else if (!ruled)
		add_setting(s, json);
	gate_policy_unref(now);
	free(r);
	free(a);
}
