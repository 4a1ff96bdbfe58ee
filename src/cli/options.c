/* SPDX-License-Identifier: MIT */
/*
 * One table of options for help, completions and reading, so that none of
 * them can know an option that the others do not.
 */
#include "cli/options.h"

#include "cli/term.h"
#include "doctor/options.h"

static const struct option_row rows[] = {
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
	size_t n;
	const struct option_row *doctors = doctor_option_rows(&n);

	if (i < n)
		return &doctors[i];
	return i - n < N_ROWS ? &rows[i - n] : NULL;
}

/* The rows among which those of @command are. */
static const struct option_row *table_of(const char *command, size_t *ret_n)
{
	if (strcmp(command, "doctor") == 0)
		return doctor_option_rows(ret_n);
	*ret_n = N_ROWS;
	return rows;
}

void option_list(FILE *f, const char *command)
{
	struct ses_buf out;
	size_t n;
	const struct option_row *table = table_of(command, &n);

	ses_buf_init(&out, 64 * 1024);
	if (option_write(&out, table, n, command, term_width(f)) == 0)
		fprintf(f, "%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

int option_next(struct option_reader *r)
{
	int more;

	r->rows = table_of(r->command, &r->n_rows);
	more = option_read(r);
	if (more < 0)
		fprintf(stderr, "sesame %s: %s\n", r->command, r->complaint);
	return more;
}
