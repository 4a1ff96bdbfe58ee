/* SPDX-License-Identifier: MIT */
/*
 * The options of all commands as rows (options.def and doctor/options.def):
 * listed in help, completed by shells, and read from a command line.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct option_row {
	const char *command;
	const char *name;     /* NULL: the title of a group */
	char letter;	      /* 0: none */
	const char *argument; /* NULL: it takes none; "[N]": may be left out */
	const char *text;
};

/* The @i-th row in the order of the tables, or NULL. Static. */
const struct option_row *option_row(size_t i);

/* List the options of @command, a line or more each, wrapped for @f. */
void option_list(FILE *f, const char *command);

/*
 * Reading a command line: --name VALUE, --name=VALUE, -c VALUE, -cVALUE,
 * letters in a row, words in between, "--" before words that begin with a dash.
 */
struct option_reader {
	const char *command;
	char **next;	     /* argv + 1; ends with NULL */
	const char *letters; /* of an argument that is being read */
	bool only_words;     /* "--" was met */
	const char *name;    /* of the option just read; NULL: a word */
	const char *value;   /* its value, or the word; NULL: it has none */
};

/*
 * Read the next option or word. 1: there was one; 0: the end; -1: it is wrong,
 * which was told on standard error (the exit status is EXIT_USAGE).
 */
int option_next(struct option_reader *r);

#endif
