/* SPDX-License-Identifier: MIT */
/*
 * Tables of options: read from a command line and listed for help. What an
 * option does is the caller's; how options are written is the same everywhere.
 * Pure: words come in, complaints and lists come out as text.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/buf.h"

struct option_row {
	const char *command;
	const char *name;     /* NULL: the title of a group */
	char letter;	      /* 0: none */
	const char *argument; /* NULL: it takes none; "[N]": may be left out */
	const char *text;
};

/*
 * Reading a command line: --name VALUE, --name=VALUE, -c VALUE, -cVALUE,
 * letters in a row, words in between, "--" before words that begin with a dash.
 */
struct option_reader {
	const char *command;
	const struct option_row *rows; /* of other commands, too */
	size_t n_rows;
	char **next;	     /* argv + 1; ends with NULL */
	const char *letters; /* of an argument that is being read */
	bool only_words;     /* "--" was met */
	/* What was read: an option with its value, if it has one, or a word. */
	const struct option_row *row; /* NULL: a word */
	const char *name;	      /* of the option; NULL: a word */
	const char *value;
	char written[48];    /* "--header" or "-H": what to call it */
	char complaint[320]; /* without line end; never holds a value */
};

/* Read the next option or word. 1: there was one; 0: the end; -1: it is wrong,
 * and r->complaint says how. */
int option_read(struct option_reader *r);

/*
 * Append the options of @command, a line or more each, wrapped at @width; titles
 * as they are. 0 or an error of the buffer.
 */
int option_write(struct ses_buf *out, const struct option_row *rows,
		 size_t n_rows, const char *command, int width);

#endif
