/* SPDX-License-Identifier: MIT */
/*
 * One table of options for help, completions and reading, so that none of
 * them can know an option that the others do not.
 */
#include "cli/options.h"

#include "cli/term.h"

static const struct option_row rows[] = {
#define GROUP(title) {"doctor", NULL, 0, NULL, title},
#define OPTION(name, letter, argument, take, text) \
	{"doctor", name, letter, argument, text},
#include "doctor/options.def"
#undef OPTION
#undef GROUP
#define GROUP(command, title) {command, NULL, 0, NULL, title},
#define OPTION(command, name, letter, argument, text) \
	{command, name, letter, argument, text},
#include "cli/options.def"
#undef OPTION
#undef GROUP
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct option_row *option_row(size_t i)
{
	return i < N_ROWS ? &rows[i] : NULL;
}

void option_list(FILE *f, const char *command)
{
	struct ses_buf out;

	ses_buf_init(&out, 64 * 1024);
	if (option_write(&out, rows, N_ROWS, command, term_width(f)) == 0)
		fprintf(f, "%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

int option_next(struct option_reader *r)
{
	int more;

	r->rows = rows;
	r->n_rows = N_ROWS;
	more = option_read(r);
	if (more < 0)
		fprintf(stderr, "sesame %s: %s\n", r->command, r->complaint);
	return more;
}
