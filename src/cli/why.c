/* SPDX-License-Identifier: MIT */
/*
 * `sesame why REFERENCE`: what was asked, from where, which rule at which
 * file:line said no, what would have passed, and the line that lets it in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sesame/error.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/term.h"
#include "gate/config.h"
#include "gate/journal.h"

#define BEHIND_US  100000 /* by how much the journal may be behind */
#define WAIT_STEPS 12

static void print_help(void)
{
	puts("Usage: sesame why REFERENCE [-c FILE | --journal FILE] [--json]\n"
	     "       sesame why --last [N] [-c FILE | --journal FILE] "
	     "[--json]\n"
	     "\nExplain a refusal of `sesame serve` by the reference that the "
	     "client was told:\nwhich rule, at which file and line, and what "
	     "lets it in.\n\n"
	     "Options");
	option_list(stdout, "why");
	puts("\nExamples\n"
	     "  sesame why 7K2M-Q4XD\n"
	     "  sesame why --last 5\n\n"
	     "Exit status: 0 found, 1 no such refusal, 2 wrong usage, 3 no "
	     "journal.");
}

struct options {
	const char *reference, *config, *journal;
	unsigned last;
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

static int complain_count(const char *value)
{
	char shown[80];

	fprintf(stderr,
		"sesame why: --last wants a number of refusals, from 1 to "
		"1000000, not %s\n",
		bytes_printable(bytes_of_str(value), shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int complain_of_two(const char *first, const char *second)
{
	char shown[2][80];

	fprintf(stderr,
		"sesame why: %s or %s? One refusal at a time, or --last\n",
		bytes_printable(bytes_of_str(first), shown[0], sizeof(shown[0])),
		bytes_printable(bytes_of_str(second), shown[1],
				sizeof(shown[1])));
	return EXIT_USAGE;
}

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "why", .next = argv + 1};
	int more;

	while ((more = option_next(&r)) > 0) {
		if (!r.name && o->reference)
			return complain_of_two(o->reference, r.value);
		if (!r.name)
			o->reference = r.value;
		else if (strcmp(r.name, "config") == 0)
			o->config = r.value;
		else if (strcmp(r.name, "journal") == 0)
			o->journal = r.value;
		else if (strcmp(r.name, "json") == 0)
			o->json = true;
		else if (strcmp(r.name, "help") == 0)
			o->help = true;
		else if (!r.value)
			o->last = 20;
		else if (!read_count(r.value, &o->last))
			return complain_count(r.value);
	}
	if (more < 0)
		return EXIT_USAGE;
	if (o->help)
		return EXIT_OK;
	if (o->reference && o->last)
		return complain_of_two(o->reference, "--last");
	return o->reference || o->last ? EXIT_OK : complain_no_reference();
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

/* What the configuration says, else the default; or told why there is none. */
static int find_journal(const struct options *o, char *out, size_t size)
{
	const char *config = o->config;
	struct gate_policy *policy;
	struct ses_buf errors;
	int status = EXIT_OK;

	if (o->journal && strcmp(o->journal, "none") == 0) {
		fputs("sesame why: a gateway with the journal `none` keeps no "
		      "refusals to look up\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (o->journal) {
		snprintf(out, size, "%s", o->journal);
		return EXIT_OK;
	}
	if (!config && access("sesame.yaml", F_OK) == 0)
		config = "sesame.yaml";
	if (!config)
		return default_journal(out, size);
	ses_buf_init(&errors, 1 << 20);
	policy = gate_config_read(config, &errors);
	if (!policy)
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&errors);
	if (!policy)
		return EXIT_USAGE;
	if (policy->journal)
		snprintf(out, size, "%s", policy->journal);
	else
		status = default_journal(out, size);
	gate_policy_unref(policy);
	return status;
}

/* ---- Telling ---- */

static void print_time(int64_t time_ms, char out[32])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

static void print_row(const char *name, const char *value)
{
	if (value[0])
		printf("  %-11s %s\n", name, value);
}

static void tell(const struct gate_story *s)
{
	bool colour = term_colour(stdout);
	const char *bold = colour ? TERM_BOLD : "",
		   *red = colour ? TERM_RED : "";
	const char *reset = colour ? TERM_RESET : "";
	int cause = why_cause_find(bytes_of_str(s->cause));
	char when[32];
	struct ses_buf advice;

	print_time(s->time_ms, when);
	printf("%s%s%s  %s%s%s", bold, s->reference, reset, red,
	       s->observed ? "would have been refused" : "refused", reset);
	if (s->status)
		printf(" with %d", s->status);
	printf(": %s%s%s\n", bold, s->cause, reset);
	if (cause >= 0)
		term_wrap(stdout, why_cause((enum why_cause)cause)->sentence, 2);
	printf("\n");
	print_row("asked", s->target);
	print_row("at", s->listener);
	print_row("when", when);
	print_row("from", s->address);
	print_row("Host", s->host);
	print_row("Origin", s->origin[0] ? s->origin : "(none was sent)");
	print_row("User-Agent", s->user_agent);
	print_row("route", s->route);
	print_row("behind it", s->upstream);
	printf("\n");
	if (s->check[0] && s->line)
		printf("  %s%s:%u%s  ", bold, s->file, s->line, reset);
	else
		printf("  ");
	if (s->check[0])
		printf("%s: %s\n", s->check, s->rule);
	else
		printf("%s\n", s->note);
	if (s->check[0] && strcmp(s->check, "path") != 0)
		print_row("compared",
			  s->compared[0] ? s->compared : "(nothing)");
	print_row("nearest", s->nearest);
	printf("\n");
	ses_buf_init(&advice, 8192);
	gate_story_advise(s, &advice);
	printf("%.*s", BYTES_ARG(ses_buf_bytes(&advice)));
	ses_buf_fini(&advice);
}

static void tell_json(const struct gate_story *s, bool pretty)
{
	char *text = gate_story_json(s, pretty);

	puts(text ? text : "{}");
	free(text);
}

static void tell_short(void *user, const struct gate_story *s)
{
	char when[32];

	if (*(bool *)user) {
		tell_json(s, false);
		return;
	}
	print_time(s->time_ms, when);
	printf("%s  %s  %3d  %-22s %-15s %s", s->reference, when, s->status,
	       s->cause, s->address, s->target);
	if (s->origin[0])
		printf("  %s", s->origin);
	if (s->check[0] && s->line)
		printf("  %s:%u", s->file, s->line);
	printf("%s\n", s->observed ? "  (let in)" : "");
}

static int complain_of_journal(struct gate_journal_reader *journal,
			       const char *file)
{
	char shown[4096];

	fprintf(stderr, "sesame why: the journal %s cannot be read: %s\n",
		bytes_printable(bytes_of_str(file), shown, sizeof(shown)),
		gate_journal_error(journal));
	return EXIT_NO_ANSWER;
}

static int tell_last(struct gate_journal_reader *journal, struct options *o,
		     const char *file)
{
	uint64_t rows, left_out;

	usleep(BEHIND_US); /* what was refused just now is to be among them */
	if (gate_journal_last(journal, o->last, tell_short, &o->json) < 0)
		return complain_of_journal(journal, file);
	gate_journal_count(journal, &rows, &left_out);
	if (left_out)
		fprintf(stderr,
			"%llu more were left out while the gateway was busy\n",
			(unsigned long long)left_out);
	if (!rows)
		fprintf(stderr, "sesame why: nothing was refused yet\n");
	return rows ? EXIT_OK : EXIT_FAULT;
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

static int tell_unknown(struct gate_journal_reader *journal,
			const char *reference, const char *file)
{
	struct nearest near = {.typed = reference, .distance = 3};
	uint64_t rows, left_out;

	if (gate_journal_last(journal, 1000, come_near, &near) < 0)
		return complain_of_journal(journal, file);
	gate_journal_count(journal, &rows, &left_out);
	fprintf(stderr, "sesame why: %s is not in %s, which holds %llu %s\n",
		reference, file, (unsigned long long)rows,
		rows == 1 ? "refusal" : "refusals");
	if (near.reference[0])
		fprintf(stderr, "Did you mean %s?\n", near.reference);
	if (left_out)
		fprintf(stderr,
			"%llu were left out while the gateway was busy.\n",
			(unsigned long long)left_out);
	fprintf(stderr, "`sesame why --last` shows the latest.\n");
	return EXIT_FAULT;
}

static int find(struct gate_journal_reader *journal, const char *reference,
		struct gate_story *ret_story)
{
	int found = 0;

	for (int i = 0; i < WAIT_STEPS && found == 0; i++) {
		if (i)
			usleep(BEHIND_US);
		found = gate_journal_find(journal, reference, ret_story);
	}
	return found;
}

static int tell_one(struct gate_journal_reader *journal,
		    const struct options *o, const char *file)
{
	char reference[WHY_REFERENCE_SIZE];
	struct gate_story *story = calloc(1, sizeof(*story));
	uint64_t number = 0;
	int status = EXIT_OK, found;

	why_reference_read(bytes_of_str(o->reference), &number);
	why_reference_write(number, reference);
	found = story ? find(journal, reference, story) : SESAME_ENOMEM;
	if (found < 0)
		status = complain_of_journal(journal, file);
	else if (found == 0)
		status = tell_unknown(journal, reference, file);
	else if (o->json)
		tell_json(story, true);
	else
		tell(story);
	free(story);
	return status;
}

int cmd_why(int argc, char **argv)
{
	struct gate_journal_reader *journal;
	struct options o = {0};
	char file[4096], text[4400];
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
	if (status)
		return status;
	journal = gate_journal_read(file, text, sizeof(text));
	if (!journal) {
		fprintf(stderr, "sesame why: %s\n", text);
		fprintf(stderr, "-c FILE or --journal FILE say where else to "
				"look.\n");
		return EXIT_NO_ANSWER;
	}
	status = o.last ? tell_last(journal, &o, file)
			: tell_one(journal, &o, file);
	gate_journal_read_close(journal);
	return status;
}
