/* SPDX-License-Identifier: MIT */
/*
 * `sesame why`: one refusal by its reference, told whole; or those that fit a
 * search, a line each; or how many there are of which kind. It reads the
 * journal, so it does not matter whether the gateway runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sesame/error.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/tell.h"
#include "cli/term.h"
#include "gate/cluster.h"
#include "gate/config.h"
#include "gate/journal.h"
#include "gate/lookup.h"
#include "gate/match.h"

#define BEHIND_US  (2500 * GATE_JOURNAL_REST_MS) /* it may be so late */
#define WAIT_STEPS 12

static void print_help(void)
{
	puts("Usage: sesame why REFERENCE [-c FILE | --journal FILE] [--json]\n"
	     "       sesame why [--last [N]] [--since WHEN] [--origin ORIGIN]\n"
	     "                  [--route PATH] [--cause CAUSE] [--address "
	     "ADDRESS]\n"
	     "                  [--top WHAT] [-c FILE | --journal FILE] "
	     "[--json]\n"
	     "\nExplain a refusal of `sesame serve` by the reference that the "
	     "client was told:\nwhich rule, at which file and line, and what "
	     "lets it in. Without a reference,\nlist refusals or count "
	     "them.\n\n"
	     "Options");
	option_list(stdout, "why");
	puts("\nExamples\n"
	     "  sesame why 7K2M-Q4XD\n"
	     "  sesame why --last 5\n"
	     "  sesame why --since 10m --cause access --top origin\n\n"
	     "Exit status: 0 found, 1 no such refusal, 2 wrong usage, 3 no "
	     "journal.");
}

struct options {
	const char *reference, *config, *journal, *since, *top;
	struct gate_policy *policy; /* NULL: none was read */
	struct gate_search search;
	enum gate_top by;
	unsigned last;
	bool config_asked; /* it is not the one that happens to be here */
	bool json, help;
};

/* ---- Options ---- */

static bool read_count(const char *text, unsigned *ret)
{
	uint64_t n;

	if (!text || !bytes_to_u64(bytes_of_str(text), 1000000, &n) || n == 0)
		return false;
	*ret = (unsigned)n;
	return true;
}

static int complain_no_reference(void)
{
	fputs("sesame why: which refusal? For example:\n"
	      "  sesame why 7K2M-Q4XD\n"
	      "  sesame why --last 5\n"
	      "`sesame why --help` lists the options.\n",
	      stderr);
	return EXIT_USAGE;
}

static int complain(const char *option, const char *wants, const char *value)
{
	char shown[80];

	fprintf(stderr, "sesame why: %s wants %s, not %s\n", option, wants,
		bytes_printable(bytes_of_str(value), shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int complain_of_two(const char *first, const char *second)
{
	char shown[2][80];

	fprintf(stderr,
		"sesame why: %s or %s? One refusal at a time, or a search\n",
		bytes_printable(bytes_of_str(first), shown[0], sizeof(shown[0])),
		bytes_printable(bytes_of_str(second), shown[1],
				sizeof(shown[1])));
	return EXIT_USAGE;
}

/* "10m" ago. */
static bool read_ago(const char *text, int64_t *ret_ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	struct bytes all = bytes_of_str(text);
	uint64_t n;

	if (all.len < 2 ||
	    !bytes_to_u64(bytes_first(all, all.len - 1), 1000000, &n))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (all.data[all.len - 1] != (uint8_t)units[i].unit)
			continue;
		*ret_ms = time(NULL) * INT64_C(1000) - (int64_t)n * units[i].ms;
		return true;
	}
	return false;
}

/* "2026-11-22T10:00", in the time of this place, or with a Z in that of UTC. */
static bool read_moment(const char *text, int64_t *ret_ms)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d %H:%M", "%Y-%m-%d"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);

		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		*ret_ms = (*end ? timegm(&tm) : mktime(&tm)) * INT64_C(1000);
		return true;
	}
	return false;
}

static int read_since(struct options *o)
{
	if (read_ago(o->since, &o->search.since_ms) ||
	    read_moment(o->since, &o->search.since_ms))
		return EXIT_OK;
	return complain("--since",
			"a time like 90s, 10m, 2h, 3d or 2026-11-22T10:00",
			o->since);
}

/* It is read at once: what was left out is then not taken for another. */
static int read_top(const char *top, struct options *o)
{
	const char *names[GATE_N_TOPS], *near;

	for (int i = 0; i < GATE_N_TOPS; i++) {
		names[i] = gate_top_name((enum gate_top)i);
		o->by = (enum gate_top)i;
		if (strcmp(names[i], top) == 0)
			return EXIT_OK;
	}
	near = text_suggest(top, names, GATE_N_TOPS);
	complain("--top", "cause, origin, route, address or rule", top);
	if (near)
		fprintf(stderr, "Did you mean %s?\n", near);
	return EXIT_USAGE;
}

static int read_search(struct options *o)
{
	struct gate_network net;
	int status = EXIT_OK;

	if (o->since)
		status = read_since(o);
	if (!status && o->search.address &&
	    gate_network_read(bytes_of_str(o->search.address), &net))
		status = complain("--address", "an address or a network",
				  o->search.address);
	if (!status && !o->last)
		o->last = 20;
	return status;
}

static const char **place_of(const char *name, struct options *o)
{
	const struct {
		const char *name, **to;
	} places[] = {
		{"config", &o->config},
		{"journal", &o->journal},
		{"since", &o->since},
		{"origin", &o->search.origin},
		{"route", &o->search.route},
		{"cause", &o->search.cause},
		{"address", &o->search.address},
		{"top", &o->top},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].name, name) == 0)
			return places[i].to;
	return NULL;
}

/* The search that is asked for, as one of its options is called, or NULL. */
static const char *search_of(const struct options *o)
{
	return o->last		   ? "--last"
	       : o->since	   ? "--since"
	       : o->top		   ? "--top"
	       : o->search.origin  ? "--origin"
	       : o->search.route   ? "--route"
	       : o->search.cause   ? "--cause"
	       : o->search.address ? "--address"
				   : NULL;
}

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "why", .next = argv + 1};
	const char **to;
	int more;

	while ((more = option_next(&r)) > 0) {
		if (!r.name && o->reference)
			return complain_of_two(o->reference, r.value);
		if (!r.name)
			o->reference = r.value;
		else if (strcmp(r.name, "top") == 0 && read_top(r.value, o))
			return EXIT_USAGE;
		else if ((to = place_of(r.name, o)))
			*to = r.value;
		else if (strcmp(r.name, "json") == 0)
			o->json = true;
		else if (strcmp(r.name, "help") == 0)
			o->help = true;
		else if (!r.value)
			o->last = 20;
		else if (!read_count(r.value, &o->last))
			return complain(
				"--last",
				"a number of refusals, from 1 to 1000000",
				r.value);
	}
	if (more < 0)
		return EXIT_USAGE;
	if (o->help)
		return EXIT_OK;
	if (o->reference && search_of(o))
		return complain_of_two(o->reference, search_of(o));
	if (!o->reference && !search_of(o))
		return complain_no_reference();
	return o->reference ? EXIT_OK : read_search(o);
}

/* ---- The journal's place ---- */

static int default_journal(char *out, size_t size)
{
	if (gate_journal_default_file(out, size))
		return EXIT_OK;
	fputs("sesame why: there is no home in which a journal would be; -c "
	      "FILE or --journal FILE\nsay where it is.\n",
	      stderr);
	return EXIT_NO_ANSWER;
}

static int tell_none(void)
{
	fputs("sesame why: a gateway with the journal `none` keeps no refusals "
	      "to look up\n",
	      stderr);
	return EXIT_USAGE;
}

/* What the configuration says, else the default; or told why there is none. */
static int find_journal(struct options *o, char *out, size_t size)
{
	struct gate_policy *policy;
	struct ses_buf errors;
	int status = EXIT_OK;

	if (o->journal && strcmp(o->journal, "none") == 0)
		return tell_none();
	if (o->journal) {
		snprintf(out, size, "%s", o->journal);
		return EXIT_OK;
	}
	o->config_asked = o->config != NULL;
	if (!o->config && access("sesame.yaml", F_OK) == 0)
		o->config = "sesame.yaml";
	if (!o->config)
		return default_journal(out, size);
	ses_buf_init(&errors, 1 << 20);
	policy = gate_config_read(o->config, &errors);
	if (!policy)
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&errors);
	if (!policy)
		return EXIT_USAGE;
	if (policy->journal && !*policy->journal)
		status = tell_none();
	else if (policy->journal)
		snprintf(out, size, "%s", policy->journal);
	else
		status = default_journal(out, size);
	o->policy = policy;
	return status;
}

/* ---- One refusal ---- */

static void tell_sentence(const struct gate_story *s)
{
	char sentence[GATE_HEADLINE_SIZE];

	if (gate_story_headline(s, sentence))
		term_wrap(stdout, sentence, 2);
}

static void tell_head(const struct gate_story *s)
{
	bool colour = term_colour(stdout), admitted = s->count > 0;
	const char *bold = colour ? TERM_BOLD : "";
	const char *red = !colour ? "" : admitted ? TERM_GREEN : TERM_RED;
	const char *reset = colour ? TERM_RESET : "";

	printf("%s%s%s  %s%s%s", bold, s->reference, reset, red,
	       admitted		      ? "let in"
	       : s->observed	      ? "would have been refused"
	       : gate_story_is_cut(s) ? "cut"
				      : "refused",
	       reset);
	if (s->status && !admitted)
		printf(" with %d", s->status);
	printf(": %s%s%s\n", bold, s->cause, reset);
	tell_sentence(s);
	printf("\n");
}

static void tell_asked(const struct gate_story *s)
{
	char when[32], asked[sizeof(s->method) + sizeof(s->target) + 1];

	tell_time(s->time_ms, when);
	snprintf(asked, sizeof(asked), "%s%s%s", s->method,
		 s->method[0] ? " " : "", s->target);
	tell_row("asked", asked);
	tell_row("at", s->listener);
	tell_row("node", s->node);
	tell_row("when", when);
	tell_row("from", s->address);
	tell_row("hops", s->hops);
	tell_row("Host", s->host);
	tell_row("Origin", s->origin[0] ? s->origin : "(none was sent)");
	tell_row("User-Agent", s->user_agent);
	tell_row("offers", s->protocols);
	tell_row("credential", s->credential);
	tell_row("its fault", s->fault);
	tell_row("subject", s->subject);
	tell_row("certificate", s->certificate);
	tell_row("route", s->route);
	tell_row("behind it", s->upstream);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat is, other;

	return stat(a, &is) == 0 && stat(b, &other) == 0 &&
	       is.st_dev == other.st_dev && is.st_ino == other.st_ino;
}

/* The file that has its rules, by the shortest name that means it from here. */
static const char *file_of(const struct gate_story *s)
{
	return !s->whole_file[0] || is_same_file(s->file, s->whole_file)
		       ? s->file
		       : s->whole_file;
}

/* The file to try a change on: the one that was asked for, else its own. */
static const char *file_to_try(const struct gate_story *s,
			       const struct options *o)
{
	if (o->config && (o->config_asked || !s->whole_file[0] ||
			  is_same_file(o->config, s->whole_file)))
		return o->config;
	return file_of(s);
}

/* Gateways may share a journal: a file of that name may be another's. */
static void tell_other_file(const struct gate_story *s, const struct options *o)
{
	char text[1200];

	if (!o->config || !s->whole_file[0] ||
	    is_same_file(o->config, s->whole_file))
		return;
	snprintf(text, sizeof(text),
		 "%s %s; %s is another file.",
		 s->count ? "It was let in by" : "It was decided by",
		 s->whole_file, o->config);
	term_wrap(stdout, text, 0);
	printf("\n");
}

static void tell(const struct gate_story *s, const struct options *o)
{
	char place[300] = "", many[80];

	tell_head(s);
	tell_asked(s);
	if (s->count) {
		snprintf(many, sizeof(many), "%lld of this kind were let in",
			 (long long)s->count);
		tell_row("count", many);
	}
	printf("\n");
	tell_trace(s);
	if (s->check[0] && s->line)
		snprintf(place, sizeof(place), "%s:%u", s->file, s->line);
	if (gate_story_is_content(s)) {
		if (strcmp(s->trace, "[]") != 0)
			printf("\n");
		tell_row("expected", s->rule);
	} else if (s->check[0]) {
		printf("\n");
		tell_row("decided", place);
		tell_row("rule", s->rule);
		if (strcmp(s->check, "path") != 0)
			tell_row("compared",
				 s->compared[0] ? s->compared : "(nothing)");
	}
	tell_row("nearest", s->nearest);
	if (!gate_story_note_is_headline(s))
		tell_row("note", s->note);
	if (s->count)
		return;
	printf("\n");
	tell_other_file(s, o);
	tell_change(s, file_to_try(s, o), NULL);
}

static void print_json(json_t *o, size_t flags)
{
	char *text = json_dumps(o, flags);

	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}

static int tell_whole_json(const struct gate_story *s, const struct options *asked)
{
	json_t *o = tell_object(s);

	if (!o)
		return EXIT_NO_ANSWER;
	tell_change(s, file_to_try(s, asked), o);
	print_json(o, JSON_INDENT(2));
	return EXIT_OK;
}

/* ---- Many ---- */

#define COLUMN 11 /* of what stands below a reference */

static void tell_below(const char *text)
{
	printf("%*s", COLUMN, "");
	term_cut(stdout, text, COLUMN);
}

static void tell_rule(const struct gate_story *s)
{
	char text[sizeof(s->file) + sizeof(s->rule) + 16];

	snprintf(text, sizeof(text), "%s:%u  %s", s->file, s->line, s->rule);
	tell_below(text);
}

static void tell_short(void *user, const struct gate_story *s)
{
	char when[32], origin[sizeof(s->origin) + 8];

	if (*(bool *)user) {
		json_t *o = tell_object(s);

		if (o)
			print_json(o, JSON_COMPACT);
		return;
	}
	tell_time(s->time_ms, when);
	printf("%s  %s  %3d %-21s %s%s\n", s->reference, when, s->status,
	       s->cause, s->address, s->observed ? " (let in)" : "");
	tell_below(s->target);
	if (s->origin[0]) {
		snprintf(origin, sizeof(origin), "Origin %s", s->origin);
		tell_below(origin);
	}
	if (s->check[0] && s->line)
		tell_rule(s);
	else if (s->note[0])
		tell_below(s->note);
}

static int complain_of_journal(struct gate_lookup *journal, const char *file)
{
	char shown[4096];

	fprintf(stderr, "sesame why: the journal %s cannot be read: %s\n",
		bytes_printable(bytes_of_str(file), shown, sizeof(shown)),
		gate_lookup_error(journal));
	return EXIT_NO_ANSWER;
}

/* What the journal does not have, and why. */
static void tell_gaps(const struct gate_lookup_state *state)
{
	char when[32];

	if (state->sampled)
		fprintf(stderr,
			"%llu more were left out, many of a kind at once\n",
			(unsigned long long)state->sampled);
	if (state->busy)
		fprintf(stderr,
			"%llu more were left out while the gateway was busy\n",
			(unsigned long long)state->busy);
	if (state->unwritten)
		fprintf(stderr,
			"%llu more were left out while the journal could not "
			"be written\n",
			(unsigned long long)state->unwritten);
	if (state->full)
		fprintf(stderr, "The disk that holds the journal is full: what "
				"was refused last may be missing\n");
	if (!state->killed)
		return;
	tell_time(state->last_ms, when);
	fprintf(stderr,
		"The gateway did not end in order; what it refused just before "
		"may be missing\n(last written: %s)\n",
		when);
}

/* Whether there are causes of this id, or of this kind ("access"). */
static bool is_of_causes(const char *word)
{
	size_t len = strlen(word);

	for (int c = 0; c < WHY_N_CAUSES; c++) {
		const char *id = why_cause((enum why_cause)c)->id;

		if (strncmp(id, word, len) == 0 &&
		    (id[len] == '\0' || id[len] == '.'))
			return true;
	}
	return false;
}

static int tell_last(struct gate_lookup *journal, struct options *o,
		     const char *file)
{
	struct gate_lookup_state state;
	int n;

	usleep(BEHIND_US); /* what was refused just now is to be among them */
	n = gate_lookup_search(journal, &o->search, o->last, tell_short,
			       &o->json);
	if (n < 0)
		return complain_of_journal(journal, file);
	gate_lookup_state(journal, &state);
	tell_gaps(&state);
	if (!state.refusals)
		fprintf(stderr, "sesame why: nothing was refused yet\n");
	else if (!n)
		fprintf(stderr,
			"sesame why: of the refusals kept (%llu) none fits\n",
			(unsigned long long)state.refusals);
	if (!n && o->search.cause && !is_of_causes(o->search.cause))
		fprintf(stderr,
			"There is no cause of that name; `sesame explain` "
			"lists them.\n");
	return n ? EXIT_OK : EXIT_FAULT;
}

/* ---- Counts ---- */

struct counting {
	const struct options *o;
	json_t *rows; /* NULL: for people */
};

static void tell_count(void *user, const struct gate_top_row *row)
{
	struct counting *c = user;
	const char *value = row->value[0]		  ? row->value
			    : c->o->by == GATE_TOP_ORIGIN ? "(none was sent)"
							  : "(none)";
	char start[80], when[32];
	int column;

	if (c->rows) {
		json_array_append_new(c->rows,
				      json_pack("{s:s, s:I, s:I, s:s}", "value",
						row->value, "count",
						(json_int_t)row->n, "last_ms",
						(json_int_t)row->last_ms,
						"reference", row->reference));
		return;
	}
	tell_time(row->last_ms, when);
	column = snprintf(start, sizeof(start), "%8llu  %s  %s  ",
			  (unsigned long long)row->n, row->reference, when);
	fputs(start, stdout);
	if ((int)strlen(value) > term_room(stdout, column)) {
		column = COLUMN;
		printf("\n%*s", column, "");
	}
	term_cut(stdout, value, column);
}

static void add_omitted(void *user, const char *cause, const char *why,
			uint64_t n)
{
	json_t *list = user;

	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:I}", "cause", cause,
					"why", why, "count", (json_int_t)n));
}

static int tell_top(struct gate_lookup *journal, struct options *o,
		    const char *file)
{
	struct counting c = {o, o->json ? json_array() : NULL};
	struct gate_lookup_state state;
	json_t *omitted;
	int n;

	usleep(BEHIND_US);
	if (!o->json)
		printf("   count  latest                          %s\n", o->top);
	n = gate_lookup_top(journal, &o->search, o->by, o->last, tell_count, &c);
	if (n < 0) {
		json_decref(c.rows);
		return complain_of_journal(journal, file);
	}
	gate_lookup_state(journal, &state);
	if (o->json) {
		omitted = json_array();
		gate_lookup_omitted(journal, add_omitted, omitted);
		print_json(json_pack("{s:s, s:I, s:o, s:o}", "top", o->top,
				     "kept", (json_int_t)state.refusals, "rows",
				     c.rows, "left_out", omitted),
			   JSON_INDENT(2));
	} else {
		tell_gaps(&state);
	}
	return n ? EXIT_OK : EXIT_FAULT;
}

/* ---- Unknown references ---- */

struct nearest {
	const char *typed;
	char reference[WHY_REFERENCE_SIZE];
	int distance;
};

static void come_near(void *user, const struct gate_story *s)
{
	struct nearest *n = user;
	int d = text_distance(n->typed, s->reference);

	if (d < n->distance) {
		n->distance = d;
		memcpy(n->reference, s->reference, sizeof(n->reference));
	}
}

static int tell_unknown(struct gate_lookup *journal, const char *reference,
			const char *file)
{
	struct nearest near = {.typed = reference, .distance = 3};
	const struct gate_search any = {0};
	struct gate_lookup_state state;

	if (gate_lookup_search(journal, &any, 1000, come_near, &near) < 0)
		return complain_of_journal(journal, file);
	gate_lookup_state(journal, &state);
	fprintf(stderr, "sesame why: %s is not in %s, which holds %llu %s\n",
		reference, file, (unsigned long long)state.refusals,
		state.refusals == 1 ? "refusal" : "refusals");
	if (near.reference[0])
		fprintf(stderr, "Did you mean %s?\n", near.reference);
	tell_gaps(&state);
	fprintf(stderr, "`sesame why --last` shows the latest.\n");
	return EXIT_FAULT;
}

static int find(struct gate_lookup *journal, const char *reference,
		struct gate_story *ret_story)
{
	int found = 0;

	for (int i = 0; i < WAIT_STEPS && found == 0; i++) {
		if (i)
			usleep(BEHIND_US);
		found = gate_lookup_find(journal, reference, ret_story);
	}
	return found;
}

/* Whether another gateway on the same backplane has told of it. */
static bool find_elsewhere(const struct options *o, const char *reference,
			   struct gate_story *story)
{
	char text[300];
	int found = o->policy ? gate_cluster_find(o->policy, reference, story,
						  text, sizeof(text))
			      : 0;

	if (found < 0)
		fprintf(stderr,
			"sesame why: other gateways cannot be asked: the "
			"backplane: %s\n",
			text);
	return found > 0;
}

static int tell_one(struct gate_lookup *journal, const struct options *o,
		    const char *file)
{
	char reference[WHY_REFERENCE_SIZE];
	struct gate_story *story = calloc(1, sizeof(*story));
	uint64_t number = 0;
	int status = EXIT_OK, found;

	if (!story) {
		fputs("sesame why: out of memory\n", stderr);
		return EXIT_NO_ANSWER;
	}
	why_reference_read(bytes_of_str(o->reference), &number);
	why_reference_write(number, reference);
	found = find(journal, reference, story);
	if (found < 0)
		status = complain_of_journal(journal, file);
	else if (found == 0 && !find_elsewhere(o, reference, story))
		status = tell_unknown(journal, reference, file);
	else if (o->json)
		status = tell_whole_json(story, o);
	else
		tell(story, o);
	free(story);
	return status;
}

/* All that is to be known of what is asked, from the journal @file. */
static int look_up(struct options *o, const char *file)
{
	char text[4400];
	struct gate_lookup *journal = gate_lookup_open(file, text, sizeof(text));
	int status;

	if (!journal) {
		fprintf(stderr, "sesame why: %s\n", text);
		fprintf(stderr, "-c FILE or --journal FILE say where else to "
				"look.\n");
		return EXIT_NO_ANSWER;
	}
	if (o->reference)
		status = tell_one(journal, o, file);
	else if (o->top)
		status = tell_top(journal, o, file);
	else
		status = tell_last(journal, o, file);
	gate_lookup_close(journal);
	return status;
}

int cmd_why(int argc, char **argv)
{
	struct options o = {0};
	char file[4096];
	uint64_t number;
	int status;

	status = read_options(argv, &o);
	if (status)
		return status;
	if (o.help) {
		print_help();
		return EXIT_OK;
	}
	if (o.reference &&
	    !why_reference_read(bytes_of_str(o.reference), &number)) {
		fprintf(stderr,
			"sesame why: a reference looks like 7K2M-Q4XD, "
			"eight letters and digits without I, L, O, U\n");
		return EXIT_USAGE;
	}
	status = find_journal(&o, file, sizeof(file));
	if (!status)
		status = look_up(&o, file);
	gate_policy_unref(o.policy);
	return status;
}
