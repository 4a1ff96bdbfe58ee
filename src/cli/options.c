/* SPDX-License-Identifier: MIT */
/*
 * One table of options for help, completions and reading, so that none of
 * them can know an option that the others do not.
 */
#include "cli/options.h"

#include <string.h>

#include "base/text.h"
#include "cli/term.h"

#define COLUMN	  26 /* where the texts of a list begin */
#define MAX_NAMES 64

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

const struct option_row *option_row(size_t i)
{
	return i < sizeof(rows) / sizeof(rows[0]) ? &rows[i] : NULL;
}

/* ---- listing ---- */

static void list_row(FILE *f, const struct option_row *row)
{
	struct ses_buf text;
	struct bytes wrapped;
	char names[80];
	int len;

	len = snprintf(names, sizeof(names), "  %c%c%s --%s %s",
		       row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		       row->letter ? "," : " ", row->name,
		       row->argument ? row->argument : "");
	ses_buf_init(&text, 8192);
	if (text_wrap(&text, row->text, COLUMN, term_width(f)) == 0) {
		wrapped = ses_buf_bytes(&text);
		if (len < COLUMN) /* the first line stands beside the name */
			wrapped = bytes_from(wrapped, COLUMN);
		fprintf(f, "%-*s%s%.*s", COLUMN, names,
			len < COLUMN ? "" : "\n", BYTES_ARG(wrapped));
	}
	ses_buf_fini(&text);
}

void option_list(FILE *f, const char *command)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++) {
		if (strcmp(row->command, command) != 0)
			continue;
		if (row->name)
			list_row(f, row);
		else
			fprintf(f, "%s\n", row->text);
	}
}

/* ---- reading ---- */

static const struct option_row *find_name(const char *command, struct bytes name)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++)
		if (row->name && strcmp(row->command, command) == 0 &&
		    bytes_equal_str(name, row->name))
			return row;
	return NULL;
}

static const struct option_row *find_letter(const char *command, char letter)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++)
		if (row->name && row->letter == letter &&
		    strcmp(row->command, command) == 0)
			return row;
	return NULL;
}

static int complain_unknown(const char *command, const char *typed)
{
	static char text[MAX_NAMES][24];
	const char *names[MAX_NAMES + 1];
	const struct option_row *row;
	size_t n = 0;

	for (size_t i = 0; (row = option_row(i)) && n < MAX_NAMES; i++) {
		if (!row->name || strcmp(row->command, command) != 0)
			continue;
		snprintf(text[n], sizeof(text[n]), "--%s", row->name);
		names[n] = text[n];
		n++;
	}
	names[n] = NULL;
	term_unknown_option(command, typed, names);
	return -1;
}

static bool is_number(const char *word)
{
	return word && *word && strspn(word, "0123456789") == strlen(word);
}

/* @value is what was written in the same argument, or NULL. */
static int take(struct option_reader *r, const struct option_row *row,
		const char *value)
{
	bool may_lack = row->argument && row->argument[0] == '[';

	r->name = row->name;
	r->value = value;
	if (!row->argument && value) {
		fprintf(stderr, "sesame %s: --%s takes no value\n", r->command,
			row->name);
		return -1;
	}
	if (!row->argument || value || (may_lack && !is_number(*r->next)))
		return 1;
	if (*r->next) {
		r->value = *r->next++;
		return 1;
	}
	fprintf(stderr, "sesame %s: --%s wants a value: %s\n", r->command,
		row->name, row->argument);
	return -1;
}

static int read_long(struct option_reader *r, const char *word)
{
	const char *equals = strchr(word, '=');
	struct bytes name = bytes_of_str(word + 2);
	const struct option_row *row;

	if (equals)
		name = bytes_of(word + 2, (size_t)(equals - word) - 2);
	row = find_name(r->command, name);
	if (!row)
		return complain_unknown(r->command, word);
	return take(r, row, equals ? equals + 1 : NULL);
}

/* -h, -cFILE, -c FILE, or several letters, of which the last takes a value. */
static int read_letter(struct option_reader *r)
{
	const char *at = r->letters++;
	const struct option_row *row = find_letter(r->command, *at);
	const char typed[] = {'-', *at, 0};
	const char *value = NULL;

	if (!row)
		return complain_unknown(r->command, typed);
	if (row->argument && at[1])
		value = at + 1;
	if (row->argument || !at[1])
		r->letters = NULL;
	return take(r, row, value);
}

int option_next(struct option_reader *r)
{
	char *word;

	if (r->letters)
		return read_letter(r);
	word = *r->next;
	if (!word)
		return 0;
	r->next++;
	if (!r->only_words && strcmp(word, "--") == 0) {
		r->only_words = true;
		return option_next(r);
	}
	if (r->only_words || word[0] != '-' || word[1] == 0) {
		r->name = NULL;
		r->value = word;
		return 1;
	}
	if (word[1] == '-')
		return read_long(r, word);
	r->letters = word + 1;
	return read_letter(r);
}
