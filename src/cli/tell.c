/* SPDX-License-Identifier: MIT */
/*
 * A change is told only after it was tried: on a copy of the policy that the
 * file makes now, by the same function that decides at the door.
 */
#include "cli/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/term.h"
#include "gate/config.h"
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
	json_t *trace = json_loads(s->trace, 0, NULL), *look;
	bool refused = false;
	size_t i;

	json_array_foreach(trace, i, look)
	{
		tell_look(s, look, refused);
		refused |= json_is_false(json_object_get(look, "passed"));
	}
	json_decref(trace);
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
			       a->assumed ? ", given that its\ncredentials are "
					    "good"
					  : "");
	else if (a->n)
		ses_buf_printf(
			&out,
			"Tried on %s as it is now: %s would still refuse "
			"it (%s).\n",
			now->file, decider->check, decider->rule);
	printf("%.*s", BYTES_ARG(ses_buf_bytes(&out)));
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

/* Paragraphs anew for this width; lines to paste stay as they are. */
static void tell_filled(const char *text)
{
	struct ses_buf part;

	ses_buf_init(&part, 16384);
	for (; *text; text++) {
		bool ends = text[0] == '\n' &&
			    (text[1] == '\n' || text[1] == ' ' || !text[1] ||
			     ses_buf_bytes(&part).data[0] == ' ');

		if (*text != '\n')
			ses_buf_append(&part, bytes_of(text, 1));
		else if (!ends)
			ses_buf_append_str(&part, " ");
		if (!ends && text[1])
			continue;
		ses_buf_append(&part, bytes_of("", 1));
		term_wrap(stdout, (const char *)ses_buf_bytes(&part).data, 0);
		ses_buf_fini(&part);
		ses_buf_init(&part, 16384);
	}
	ses_buf_fini(&part);
}

/* The story's own advice, made when it was refused. */
static void tell_advice(const struct gate_story *s)
{
	struct ses_buf advice;

	ses_buf_init(&advice, 8192);
	gate_story_advise(s, &advice);
	if (ses_buf_append(&advice, bytes_of("", 1)) == 0)
		tell_filled((char *)ses_buf_bytes(&advice).data);
	ses_buf_fini(&advice);
}

void tell_change(const struct gate_story *s, const char *config, json_t *json)
{
	struct gate_rehearsal *r = calloc(1, sizeof(*r));
	struct gate_amendments *a = calloc(1, sizeof(*a));
	bool ruled = s->check[0] != '\0';
	struct gate_policy *now = ruled ? read_now(config) : NULL;
	bool whole = r && a && gate_rehearse_story(s, r);

	if (now && whole)
		gate_assume_certificates(now);
	if (now && whole)
		gate_amend(now, &r->request, a);
	if (now && whole && json)
		add_json(a, now, json);
	else if (now && whole && (a->n || a->then.admitted))
		tell_text(a, now);
	else if (!json)
		tell_advice(s);
	gate_policy_unref(now);
	free(r);
	free(a);
}
