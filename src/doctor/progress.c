/* SPDX-License-Identifier: MIT */
/*
 * One line that is written over and over. It is wiped with blanks, which every
 * terminal understands, and never reaches the last column, where some wrap.
 */
#include "doctor/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_shown(const struct doctor_case *c)
{
	return !c->quiet && !c->json && isatty(STDERR_FILENO);
}

static int width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 79;
	return (size.ws_col > 200 ? 200 : size.ws_col) - 1;
}

/* Write @text over the line, as much of it as fits, and wipe what is left. */
static void rewrite(const char *text)
{
	int left = width();

	fputc('\r', stderr);
	while (*text && left > 0) {
		do
			fputc(*text++, stderr);
		while (((unsigned char)*text & 0xc0) == 0x80);
		left--;
	}
	fprintf(stderr, "%*s\r", left, "");
	fflush(stderr);
}

void doctor_progress(const struct doctor_case *c, int n,
		     const struct doctor_trial *trial)
{
	char line[720], text[640];

	if (!is_shown(c))
		return;
	doctor_trial_text(c, trial, text, sizeof(text));
	snprintf(line, sizeof(line), "handshake %d of at most %u: %s", n,
		 c->max_probes,
		 trial->change == DOCTOR_NOTHING ? "as asked" : text);
	rewrite(line);
}

void doctor_progress_end(const struct doctor_case *c)
{
	if (is_shown(c))
		rewrite("");
}
