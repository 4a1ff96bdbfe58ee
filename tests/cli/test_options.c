/* SPDX-License-Identifier: MIT */
/* The table of options, and the reader of command lines that goes by it. */
#include "cli/options.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/command.h"
#include "test.h"

static const char *const commands[] = {
#define COMMAND(symbol, ...) #symbol,
#include "cli/commands.def"
#undef COMMAND
};

/* Standard error goes nowhere from here on. */
static int be_quiet(void)
{
	int before = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	fflush(stderr);
	dup2(null, STDERR_FILENO);
	close(null);
	return before;
}

static void speak_again(int before)
{
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
}

/* "config=x; help; (word)", or ending in "!" where the reader complained. */
static char *read_all(const char *command, const char *const *words, char *out)
{
	struct option_reader r = {.command = command, .next = (char **)words};
	int more, quiet = be_quiet();
	char *at = out;

	*at = 0;
	while ((more = option_next(&r)) > 0) {
		if (!r.name)
			at += sprintf(at, "(%s) ", r.value);
		else if (r.value)
			at += sprintf(at, "%s=%s ", r.name, r.value);
		else
			at += sprintf(at, "%s ", r.name);
	}
	speak_again(quiet);
	strcpy(at, more < 0 ? "!" : "");
	return out;
}

TEST("a command line is read as people write it")
{
	static const struct {
		const char *command;
		const char *words[6];
		const char *read;
	} cases[] = {
		{"serve", {NULL}, ""},
		{"serve", {"-c", "a", NULL}, "config=a "},
		{"serve", {"-ca", NULL}, "config=a "},
		{"serve", {"--config", "a", NULL}, "config=a "},
		{"serve", {"--config=a", NULL}, "config=a "},
		{"serve", {"--config=", NULL}, "config= "},
		{"serve", {"--config=a=b", NULL}, "config=a=b "},
		{"serve", {"-c", "--help", NULL}, "config=--help "},
		{"serve", {"-hca", NULL}, "help config=a "},
		{"serve", {"a", "-h", "b", NULL}, "(a) help (b) "},
		{"serve", {"--", "-h", "--", NULL}, "(-h) (--) "},
		{"serve", {"-", "", NULL}, "(-) () "},
		{"serve", {"-c", NULL}, "!"},
		{"serve", {"--config", NULL}, "!"},
		{"serve", {"--help=yes", NULL}, "!"},
		{"serve", {"--confi", "a", NULL}, "!"},
		{"serve", {"--=a", NULL}, "!"},
		{"serve", {"-x", NULL}, "!"},
		{"serve", {"-hx", NULL}, "help !"},
		{"serve", {"--json", NULL}, "!"}, /* of another command */
		{"why", {"--last", NULL}, "last "},
		{"why", {"--last", "5", NULL}, "last=5 "},
		{"why", {"--last=5", NULL}, "last=5 "},
		{"why", {"--last", "5x", NULL}, "last (5x) "},
		{"why", {"--last", "-c", "a", NULL}, "last config=a "},
		{"connect",
		 {"-1kvm", "a", "b", NULL},
		 "one insecure verbose message=a (b) "},
		{"connect", {"-46", NULL}, "ipv4 ipv6 "},
		{"doctor",
		 {"-kH", "A: b", "--json", NULL},
		 "insecure header=A: b json "},
	};
	char out[512];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
			read_all(cases[i].command, cases[i].words, out),
			cases[i].read);
}

TEST("every command has --help, and every row belongs to a command")
{
	const struct option_row *row;

	for (size_t c = 0; c < ARRAY_LEN(commands); c++) {
		bool has_help = false;

		for (size_t i = 0; (row = option_row(i)); i++)
			has_help |= row->name && row->letter == 'h' &&
				    strcmp(row->command, commands[c]) == 0 &&
				    strcmp(row->name, "help") == 0;
		assert_true(has_help);
	}
	for (size_t i = 0; (row = option_row(i)); i++) {
		bool known = false;

		for (size_t c = 0; c < ARRAY_LEN(commands); c++)
			known |= strcmp(row->command, commands[c]) == 0;
		assert_true(known);
	}
}

TEST("a command has no option and no letter twice")
{
	const struct option_row *a, *b;

	for (size_t i = 0; (a = option_row(i)); i++)
		for (size_t j = i + 1; (b = option_row(j)); j++) {
			if (!a->name || !b->name ||
			    strcmp(a->command, b->command) != 0)
				continue;
			assert_string_not_equal(a->name, b->name);
			assert_false(a->letter && a->letter == b->letter);
		}
}

TEST("a list of options fits eighty columns and names each of them")
{
	const struct option_row *row;
	char text[8192], name[40];

	for (size_t c = 0; c < ARRAY_LEN(commands); c++) {
		FILE *f = tmpfile();
		size_t n;

		option_list(f, commands[c]);
		rewind(f);
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[n] = 0;
		for (size_t i = 0; (row = option_row(i)); i++) {
			if (!row->name || strcmp(row->command, commands[c]) != 0)
				continue;
			snprintf(name, sizeof(name), " --%s ", row->name);
			assert_non_null(strstr(text, name));
		}
		for (char *line = strtok(text, "\n"); line;
		     line = strtok(NULL, "\n"))
			assert_true(strlen(line) <= 80);
	}
}
