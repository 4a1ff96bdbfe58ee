/* SPDX-License-Identifier: MIT */
/* Colour and width, as https://no-color.org and common practice have them. */
#include "cli/term.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

bool term_colour(FILE *f)
{
	const char *term = getenv("TERM");

	if (is_set("NO_COLOR"))
		return false;
	if (is_set("CLICOLOR_FORCE"))
		return true;
	return isatty(fileno(f)) && !(term && strcmp(term, "dumb") == 0);
}

int term_width(FILE *f)
{
	struct winsize size;

	if (ioctl(fileno(f), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	if (size.ws_col < 40)
		return 40;
	return size.ws_col > 100 ? 100 : size.ws_col;
}

void term_wrap(FILE *f, const char *text, int indent)
{
	struct ses_buf out;

	ses_buf_init(&out, 1 << 20);
	if (text_wrap(&out, text, indent, term_width(f)) == 0)
		fprintf(f, "%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	else /* better long lines than none */
		fprintf(f, "%*s%s\n", indent, "", text);
	ses_buf_fini(&out);
}

int term_room(FILE *f, int column)
{
	return isatty(fileno(f)) ? term_width(f) - column : INT_MAX;
}

void term_line(FILE *f, const char *text)
{
	if (isatty(fileno(f)))
		term_wrap(f, text, 0);
	else
		fprintf(f, "%s\n", text);
}

void term_cut(FILE *f, const char *text, int column)
{
	struct bytes all = bytes_of_str(text);
	size_t room = (size_t)term_room(f, column), dots = strlen("...");

	if (all.len <= room)
		fprintf(f, "%s\n", text);
	else
		fprintf(f, "%.*s...\n",
			BYTES_ARG(bytes_first_whole(all, room - dots)));
}

void term_tell(const char *colour, const char *format, ...)
{
	bool coloured = colour && term_colour(stderr);
	va_list args;

	if (coloured)
		fputs(colour, stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(coloured ? TERM_RESET "\n" : "\n", stderr);
}
