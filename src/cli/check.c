/* SPDX-License-Identifier: MIT */
/*
 * `sesame check`: the configuration as `serve` would read it, and, for one
 * request, the very decision that `serve` would make, look by look.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/term.h"
#include "gate/config.h"
#include "gate/story.h"
#include "wire/url.h"

static void print_help(void)
{
	puts("Usage: sesame check [FILE] [--url URL [--origin ORIGIN] [--from "
	     "ADDRESS]\n                    [--user-agent UA]] [--json]\n\n"
	     "Test a configuration as `sesame serve` would read it: all faults "
	     "in one run,\neach with its line and column. With --url, also say "
	     "whether that request would\nbe admitted, and which rules "
	     "decide.\n\n"
	     "Options");
	option_list(stdout, "check");
	puts("\nExamples\n"
	     "  sesame check sesame.yaml\n"
	     "  sesame check sesame.yaml --url /chat --origin "
	     "https://evil.example\n\n"
	     "Exit status: 0 valid, and admitted; 1 refused; 2 wrong usage or "
	     "configuration.");
}

struct options {
	const char *file, *url, *origin, *from, *user_agent;
	bool json, help;
};

static const char **place_of(const char *name, struct options *o)
{
	if (!name || strcmp(name, "config") == 0)
		return &o->file;
	if (strcmp(name, "url") == 0)
		return &o->url;
	if (strcmp(name, "origin") == 0)
		return &o->origin;
	if (strcmp(name, "from") == 0)
		return &o->from;
	if (strcmp(name, "user-agent") == 0)
		return &o->user_agent;
	return NULL;
}

static int read_options(char **argv, struct options *o)
{
	static const char here[] = "127.0.0.1";
	struct option_reader r = {.command = "check", .next = argv + 1};
	char shown[512];
	int more;

	o->from = here;
	while ((more = option_next(&r)) > 0) {
		const char **to = place_of(r.name, o);

		if (to == &o->file && o->file) {
			fprintf(stderr,
				"sesame check: one file at a time; it has %s "
				"already\n",
				bytes_printable(bytes_of_str(o->file), shown,
						sizeof(shown)));
			return EXIT_USAGE;
		}
		if (to)
			*to = r.value;
		else if (strcmp(r.name, "json") == 0)
			o->json = true;
		else
			o->help = true;
	}
	if (!o->file)
		o->file = "sesame.yaml";
	if (more == 0 && !o->help && !o->url &&
	    (o->origin || o->user_agent || o->from != here)) {
		fputs("sesame check: --origin, --from and --user-agent "
		      "describe "
		      "a request; say which\nwith --url, for example --url "
		      "/chat\n",
		      stderr);
		return EXIT_USAGE;
	}
	return more < 0 ? EXIT_USAGE : EXIT_OK;
}

/* ---- The request ---- */

struct asked {
	struct gate_request request;
	char host[300], target[4096];
};

static bool complain(const char *url, const char *what)
{
	char shown[160];

	fprintf(stderr, "sesame check: --url %s: %s\n",
		bytes_printable(bytes_of_str(url), shown, sizeof(shown)), what);
	return false;
}

static const char fragment[] = "a fragment (#...) is not sent; leave it out";

static bool read_path(const char *path, struct asked *a)
{
	if (strchr(path, '#'))
		return complain(path, fragment);
	if (strlen(path) >= sizeof(a->target))
		return complain(path, "too long");
	snprintf(a->target, sizeof(a->target), "%s", path);
	return true;
}

static bool read_url(const char *text, struct asked *a)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url;
	size_t at;

	/* A page's address is read too: people copy it from the browser. */
	if (ses_url_parse(bytes_of_str(text), &url, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP)
		return complain(text, fault == SES_URL_FRAGMENT
					      ? fragment
					      : ses_url_fault(fault)->sentence);
	if (ses_url_target(&url, a->target, sizeof(a->target)) < 0 ||
	    ses_url_host_field(&url, a->host, sizeof(a->host)) < 0)
		return complain(text, "too long");
	return true;
}

static bool read_request(const struct options *o, struct asked *a)
{
	char shown[512];

	snprintf(a->host, sizeof(a->host), "localhost");
	if (o->url[0] == '/') {
		if (!read_path(o->url, a))
			return false;
	} else if (!read_url(o->url, a)) {
		return false;
	}
	a->request = (struct gate_request){
		.target = bytes_of_str(a->target),
		.host = bytes_of_str(a->host),
		.origin = bytes_of_str(o->origin),
		.user_agent = bytes_of_str(o->user_agent),
		.address_text = bytes_of_str(o->from),
	};
	if (gate_address_read(a->request.address_text, &a->request.address))
		return true;
	fprintf(stderr, "sesame check: --from %s is no address\n",
		bytes_printable(bytes_of_str(o->from), shown, sizeof(shown)));
	return false;
}

/* ---- Output ---- */

static void print_look(const struct gate_policy *policy,
		       const struct gate_trace *t)
{
	bool colour = term_colour(stdout);
	char value[160], rule[200];

	bytes_printable(t->value, value, sizeof(value));
	bytes_printable(bytes_of_str(t->rule), rule, sizeof(rule));
	printf("  %s%-6s%s  %-10s  %-28s  %s",
	       !colour	   ? ""
	       : t->passed ? TERM_GREEN
			   : TERM_RED,
	       t->passed ? "pass" : "REFUSE", colour ? TERM_RESET : "",
	       t->check, t->value.data ? value : "(none)", rule);
	if (t->line)
		printf("  %s:%u", policy->file, t->line);
	putchar('\n');
}

static void print_decision(const struct gate_policy *policy,
			   const struct gate_decision *d,
			   const struct gate_story *story)
{
	struct ses_buf advice;

	printf("\n");
	for (size_t i = 0; i < d->n_trace; i++)
		print_look(policy, &d->trace[i]);
	if (d->admitted) {
		printf("\nadmitted: to %s\n",
		       d->route->to == GATE_TO_ECHO ? "the echo"
						    : d->route->server[0].text);
		return;
	}
	printf("\nrefused: %d %s%s\n", d->status, story->cause,
	       story->observed ? ", but let in: the route only observes" : "");
	if (story->nearest[0])
		printf("nearest that would pass: %s\n", story->nearest);
	ses_buf_init(&advice, 8192);
	gate_story_advise(story, &advice);
	printf("\n%.*s", BYTES_ARG(ses_buf_bytes(&advice)));
	ses_buf_fini(&advice);
}

static void print_json(const struct gate_decision *d,
		       const struct gate_story *story)
{
	char *text = gate_story_json(story, false);
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	free(text);
	if (!o)
		o = json_object();
	json_object_set_new(o, "valid", json_true());
	json_object_set_new(o, "admitted", json_boolean(d->admitted));
	if (d->admitted)
		json_object_del(o, "advice");
	text = json_dumps(o, JSON_INDENT(2));
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int try_request(const struct options *o, const struct gate_policy *policy)
{
	struct asked asked;
	struct gate_decision decision;
	struct gate_story story = {0};

	if (!read_request(o, &asked))
		return EXIT_USAGE;
	gate_admit(policy, &asked.request, &decision);
	gate_story_ask(&story, &asked.request);
	gate_story_decide(&story, policy, &decision);
	story.observed =
		!decision.admitted && decision.route && decision.route->observe;
	if (o->json)
		print_json(&decision, &story);
	else
		print_decision(policy, &decision, &story);
	return decision.admitted || story.observed ? EXIT_OK : EXIT_FAULT;
}

static void print_valid(const struct gate_policy *policy)
{
	printf("%s is valid: %zu %s, %zu %s\n", policy->file, policy->n_listen,
	       policy->n_listen == 1 ? "listener" : "listeners",
	       policy->n_routes, policy->n_routes == 1 ? "route" : "routes");
}

/* The faults as {"valid": false, "errors": [...]}, or as they are. */
static void print_faults(struct bytes lines, bool json)
{
	json_t *errors = json_array();
	json_t *o = json_pack("{s:b, s:o}", "valid", 0, "errors", errors);
	char text[8192], *all;

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
	all = json_dumps(o, JSON_INDENT(2));
	if (json)
		puts(all ? all : "{}");
	free(all);
	json_decref(o);
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
	if (!policy) {
		print_faults(ses_buf_bytes(&errors), options.json);
		status = EXIT_USAGE;
	} else {
		if (!options.json)
			print_valid(policy);
		else if (!options.url)
			puts("{\"valid\": true}");
		if (options.url)
			status = try_request(&options, policy);
	}
	ses_buf_fini(&errors);
	gate_policy_unref(policy);
	return status;
}
