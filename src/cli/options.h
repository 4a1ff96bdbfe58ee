/* SPDX-License-Identifier: MIT */
/*
 * The options of all commands as rows (options.def and doctor/options.def):
 * listed in help, completed by shells, and read from a command line.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdio.h>

#include "base/options.h"

/* The @i-th row in the order of the tables, or NULL. Static. */
const struct option_row *option_row(size_t i);

/* List the options of @command, a line or more each, wrapped for @f. */
void option_list(FILE *f, const char *command);

/*
 * option_read() of the command's rows (@r has its command and next set). A
 * complaint was told on standard error (the exit status is EXIT_USAGE).
 */
int option_next(struct option_reader *r);

#endif
