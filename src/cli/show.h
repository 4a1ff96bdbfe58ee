/* SPDX-License-Identifier: MIT */
/* Showing what a peer sent: never a control byte on a terminal. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stddef.h>
#include <stdio.h>

/* @text on one line, cut with "..." when it does not fit. Returns @out. */
char *cli_printable(const char *text, size_t len, char *out, size_t size);
/* A URL as cli_printable() shows it, without its passwords and tokens. */
char *cli_printable_url(const char *url, char *out, size_t size);
/* Print all of @text; its line ends and tabs stay what they are. */
void cli_print_safely(FILE *f, const char *text, size_t len);

#endif
