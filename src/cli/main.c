/* SPDX-License-Identifier: MIT */
/*
 * The program's door: finds the command that was asked for and hands over.
 * The commands are rows in commands.def; each has a file of its name here.
 * To follow the two main stories, read on in doctor/doctor.c (how a refusal
 * is explained) and gate/visit.c (how a handshake is admitted or refused).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sesame/version.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/term.h"

static const struct command {
	const char *name;
	const char *arguments;
	const char *what;
	int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(symbol, arguments, what) \
	{#symbol, arguments, what, cmd_##symbol},
#include "cli/commands.def"
#undef COMMAND
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *const examples[][2] = {
	{"sesame doctor wss://example.org/chat", "why does it not open?"},
	{"sesame doctor --origin https://app.example wss://example.org/chat",
	 "as a page of app.example would ask"},
	{"sesame serve -c sesame.yaml", "a gateway that explains itself"},
	{"sesame why 7K2M-Q4XD", "the rule behind a refusal's reference"},
	{"sesame explain 403", "what may be behind a status"},
};

static void print_help(FILE *f)
{
	bool colour = term_colour(f);
	const char *bold = colour ? TERM_BOLD : "";
	const char *dim = colour ? TERM_DIM : "";
	const char *reset = colour ? TERM_RESET : "";

	fprintf(f,
		"%ssesame%s makes WebSocket connections open, and when one "
		"does not, says why.\n\n%sExamples%s\n",
		bold, reset, bold, reset);
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		fprintf(f, "  %s\n      %s%s%s\n", examples[i][0], dim,
			examples[i][1], reset);
	fprintf(f, "\n%sCommands%s\n", bold, reset);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-10s %-13s %s\n", commands[i].name,
			commands[i].arguments, commands[i].what);
	fprintf(f, "\n`sesame COMMAND --help` tells more.\n"
		   "Exit status: 0 good, 1 a fault was found or the peer "
		   "refused, 2 wrong usage or\nconfiguration, 3 no answer "
		   "could be given.\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* The command that was probably meant; of an option nobody knows whose it is. */
static const char *suggest(const char *name)
{
	static const char *const options[] = {"--help", "--version"};
	const char *names[N_COMMANDS];

	if (name[0] == '-')
		return text_suggest(name, options, 2);
	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i].name;
	return text_suggest(name, names, N_COMMANDS);
}

static int complain(const char *name)
{
	const char *near = suggest(name);
	char shown[512];

	bytes_printable(bytes_of_str(name), shown, sizeof(shown));
	if (name[0] == '-')
		fprintf(stderr,
			"sesame: there is no option %s before a command%s%s"
			"%s\n",
			shown, near ? "; did you mean " : "", near ? near : "",
			near ? "?" : "");
	else if (strstr(name, "://"))
		fprintf(stderr,
			"sesame: a URL needs a command before it: "
			"sesame doctor %s\n",
			shown);
	else if (near)
		fprintf(stderr,
			"sesame: there is no command \"%s\"; did you "
			"mean \"%s\"?\n",
			shown, near);
	else
		fprintf(stderr, "sesame: there is no command \"%s\"\n", shown);
	fprintf(stderr, "`sesame --help` lists the commands.\n");
	return EXIT_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv)
{
	const struct command *command;
	static char flag[] = "--help";
	char *asked[] = {argc > 1 ? argv[1] : NULL, flag, NULL};

	if (argc < 2 || is_help(argv[1])) {
		print_help(stdout);
		return EXIT_OK;
	}
	command = find_command(argv[1]);
	return command ? command->run(2, asked) : complain(argv[1]);
}

/*
 * What a program opens takes the lowest free number: without this, a journal
 * or a connection could become the standard output that somebody closed.
 * Writing to the closed one goes on failing, as it should.
 */
static void hold_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Whether nobody reads standard output any more (sesame ... | head). */
static bool reader_left(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* An answer that could not be written is none; one not wanted is fine. */
static int finish(int status)
{
	bool failed = ferror(stdout);

	errno = 0;
	failed |= fflush(stdout) != 0;
	if (!failed || errno == EPIPE || reader_left())
		return status;
	fprintf(stderr, "sesame: standard output cannot be written%s%s\n",
		errno ? ": " : "", errno ? strerror(errno) : "");
	return status == EXIT_OK || status == EXIT_FAULT ? EXIT_NO_ANSWER
							 : status;
}

int main(int argc, char **argv)
{
	const struct command *command;

	signal(SIGPIPE, SIG_IGN);
	hold_standard_files();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	/* `sesame --help doctor` asks what `sesame help doctor` does */
	if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
		return finish(help(argc - 1, argv + 1));
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("sesame %s\n", SESAME_VERSION);
		return finish(EXIT_OK);
	}
	command = find_command(argv[1]);
	if (!command)
		return complain(argv[1]);
	return finish(command->run(argc - 1, argv + 1));
}
