/* SPDX-License-Identifier: MIT */
/*
 * The commands of the program: one row each in commands.def, one function each
 * in a file of its name. Shared manners of the command line live in term.h.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* Exit statuses that all commands share. */
enum {
	EXIT_OK = 0,	   /* the answer is good: it opens, it is valid */
	EXIT_FAULT = 1,	   /* it ran and found a fault, or the peer refused */
	EXIT_USAGE = 2,	   /* wrong usage or a bad configuration */
	EXIT_NO_ANSWER = 3, /* it could not be answered */
	EXIT_INTERRUPTED = 130,
};

/* int cmd_NAME(argc, argv): argv[0] is the command's name; the exit status. */
#define COMMAND(symbol, ...) int cmd_##symbol(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

#endif
