/* SPDX-License-Identifier: MIT */
/*
 * `sesame check`: the configuration as `serve` would read it, its certificates
 * and key files too; the expectations that it has of itself; one request from
 * the command line; and the handshakes of a journal once more. Nothing is sent
 * and no name is looked up: a file is good or bad whatever the network does.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/options.h"
#include "gate/amend.h"
#include "gate/config.h"
#include "gate/foresight.h"

static void print_help(void)
{
	puts("Usage: sesame check [FILE] [--json]\n"
	     "       sesame check [FILE] --url URL [--origin ORIGIN] "
	     "[--from ADDRESS]\n"
	     "                    [--via HOP]... [--host HOST] "
	     "[--user-agent AGENT]\n"
	     "                    [--subprotocol LIST] [--header FIELD]... "
	     "[--token TOKEN]\n"
	     "                    [--user NAME:PASSWORD] "
	     "[--certificate PART]... [--json]\n"
	     "       sesame check [FILE] --replay FILE [--json]\n\n"
	     "Test a configuration as `sesame serve` would read it: all faults "
	     "in one run,\neach with its line and column, and then its "
	     "`tests`. With --url, also say\nwhether that request would be "
	     "admitted, and which rules decide. With --replay,\nsay which "
	     "handshakes of a journal would now be let in or refused.\n\n"
	     "Options");
	option_list(stdout, "check");
	puts("\nExamples\n"
	     "  sesame check sesame.yaml\n"
	     "  sesame check sesame.yaml --url /chat --origin "
	     "https://evil.example\n"
	     "  sesame check new.yaml --replay /var/lib/sesame/journal.db\n\n"
	     "Exit status: 0 valid, and admitted; 1 refused, or a test not "
	     "met, or a handshake\nthat was let in would be refused; 2 wrong "
	     "usage or configuration; 3 no journal.");
}

struct options {
	const char *file, *replay;
	struct gate_description asked;
	bool json, help;
};

/* ---- Options ---- */

static const char **place_of(const char *name, struct options *o)
{
	const struct {
		const char *name, **to;
	} places[] = {
		{"config", &o->file},
		{"url", &o->asked.url},
		{"origin", &o->asked.origin},
		{"from", &o->asked.from},
		{"user-agent", &o->asked.user_agent},
		{"host", &o->asked.host},
		{"subprotocol", &o->asked.subprotocol},
		{"token", &o->asked.token},
		{"user", &o->asked.basic},
		{"replay", &o->replay},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!name || strcmp(places[i].name, name) == 0)
			return places[i].to;
	return NULL;
}

static bool add(const char **list, size_t *n, size_t most, const char *value,
		const char *option)
{
	if (*n == most) {
		fprintf(stderr, "sesame check: at most %zu times --%s\n", most,
			option);
		return false;
	}
	list[(*n)++] = value;
	return true;
}

static bool take_option(const struct option_reader *r, struct options *o)
{
	const char **to = place_of(r->name, o);
	char shown[512];

	if (to == &o->file && o->file) {
		fprintf(stderr,
			"sesame check: one file at a time; it has %s already\n",
			bytes_printable(bytes_of_str(o->file), shown,
					sizeof(shown)));
		return false;
	}
	if (to)
		*to = r->value;
	else if (strcmp(r->name, "via") == 0)
		return add(o->asked.via, &o->asked.n_via, GATE_MAX_VIA,
			   r->value, "via");
	else if (strcmp(r->name, "certificate") == 0)
		return add(o->asked.certificate, &o->asked.n_parts,
			   GATE_MAX_PARTS, r->value, "certificate");
	else if (strcmp(r->name, "header") == 0)
		return add(o->asked.header, &o->asked.n_headers,
			   GATE_MAX_HEADERS, r->value, "header");
	else if (strcmp(r->name, "json") == 0)
		o->json = true;
	else
		o->help = true;
	return true;
}

static bool describes(const struct gate_description *d)
{
	return d->origin || d->user_agent || d->from || d->host ||
	       d->subprotocol || d->n_via || d->n_headers || d->token ||
	       d->basic || d->n_parts;
}

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "check", .next = argv + 1};
	int more;

	while ((more = option_next(&r)) > 0)
		if (!take_option(&r, o))
			return EXIT_USAGE;
	if (!o->file)
		o->file = "sesame.yaml";
	if (more == 0 && !o->help && !o->asked.url && describes(&o->asked)) {
		fputs("sesame check: --origin, --from, --header, --token and "
		      "their like describe a\nrequest; say which with --url, "
		      "for example --url /chat\n",
		      stderr);
		return EXIT_USAGE;
	}
	return more < 0 ? EXIT_USAGE : EXIT_OK;
}

/* ---- The file ---- */

static void print_valid(const struct gate_policy *policy)
{
	printf("%s is valid: %zu %s, %zu %s\n", policy->file, policy->n_listen,
	       policy->n_listen == 1 ? "listener" : "listeners",
	       policy->n_routes, policy->n_routes == 1 ? "route" : "routes");
}

static void print_json(json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(2));

	puts(text ? text : "{}");
	free(text);
}

/* The faults as {"valid": false, "errors": [...]}, or as they are. */
static void print_faults(struct bytes lines, bool json)
{
	json_t *errors = json_array();
	json_t *o = json_pack("{s:b, s:o}", "valid", 0, "errors", errors);
	char text[8192];

	while (lines.len) {
		ptrdiff_t end = bytes_find_byte(lines, '\n');
		size_t n = end < 0 ? lines.len : (size_t)end;

		/* A file's name may be of any bytes; JSON is UTF-8. */
		bytes_printable(bytes_first(lines, n), text, sizeof(text));
		json_array_append_new(errors, json_string(text));
		if (!json)
			fprintf(stderr, "%s\n", text);
		lines = bytes_from(lines, n + 1);
	}
	if (json)
		print_json(o);
	json_decref(o);
}

/* What the start would stumble over. */
struct foreseen {
	struct ses_buf faults; /* lines */
	json_t *json;	       /* where warnings go, or NULL */
};

static void note_fault(void *user, const char *sentence)
{
	struct foreseen *f = user;

	ses_buf_printf(&f->faults, "%s\n", sentence);
}

/* To "warnings" of the JSON object, or in the words of the start. */
static void tell_warning(void *user, const char *sentence)
{
	json_t *to = ((struct foreseen *)user)->json;
	json_t *warnings = json_object_get(to, "warnings");
	char text[5000];

	bytes_printable(bytes_of_str(sentence), text, sizeof(text));
	if (!to) {
		fprintf(stderr, "sesame: %s\n", text);
		return;
	}
	if (!warnings) {
		warnings = json_array();
		json_object_set_new(to, "warnings", warnings);
	}
	json_array_append_new(warnings, json_string(text));
}

static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int examine_valid(const struct gate_policy *policy,
			 const struct options *o, json_t *json)
{
	int status;

	if (!json)
		print_valid(policy);
	status = check_tests(policy, json);
	if (o->asked.url)
		status = worse(status, check_request(policy, &o->asked, json));
	if (o->replay)
		status = worse(status, check_replay(policy, o->replay, json));
	if (json && status != EXIT_USAGE) /* without a journal, too */
		print_json(json);
	return status;
}

static int examine(const struct gate_policy *policy, const struct options *o)
{
	struct foreseen seen = {.json = NULL};
	struct gate_foresight to = {note_fault, tell_warning, &seen};
	int status = EXIT_USAGE;

	ses_buf_init(&seen.faults, 1 << 20);
	seen.json = o->json ? json_pack("{s:b}", "valid", 1) : NULL;
	gate_foresee(policy, &to);
	if (ses_buf_bytes(&seen.faults).len)
		print_faults(ses_buf_bytes(&seen.faults), o->json);
	else
		status = examine_valid(policy, o, seen.json);
	json_decref(seen.json);
	ses_buf_fini(&seen.faults);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct options options = {0};
	struct gate_policy *policy;
	struct ses_buf errors;
	int status;

	status = read_options(argv, &options);
	if (status)
		return status;
	if (options.help) {
		print_help();
		return EXIT_OK;
	}
	ses_buf_init(&errors, 1 << 20);
	policy = gate_config_read(options.file, &errors);
	if (policy) {
		status = examine(policy, &options);
	} else {
		print_faults(ses_buf_bytes(&errors), options.json);
		status = EXIT_USAGE;
	}
	ses_buf_fini(&errors);
	gate_policy_unref(policy);
	return status;
}
