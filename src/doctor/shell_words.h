/* SPDX-License-Identifier: MIT */
/*
 * A command line as a shell would split it into words: bash, cmd and
 * PowerShell, as browsers quote for them. Nothing is ever run or expanded: what
 * a shell would run is refused, and it is said where. Pure.
 */
#ifndef DOCTOR_SHELL_WORDS_H
#define DOCTOR_SHELL_WORDS_H

#include "base/bytes.h"

#define DOCTOR_MAX_WORDS 1024
#define DOCTOR_MAX_TEXT	 (2 * 1024 * 1024)

struct doctor_shell_words {
	char *word[DOCTOR_MAX_WORDS + 1]; /* ends with NULL */
	size_t n;
	char *room;	     /* heap; the words are in it */
	char complaint[200]; /* never quotes a value */
};

/*
 * Split @text. 0, or -1 with ret->complaint; doctor_shell_words_fini() in any
 * case.
 */
int doctor_shell_words_split(struct doctor_shell_words *ret, struct bytes text);
void doctor_shell_words_fini(struct doctor_shell_words *w);

#endif
