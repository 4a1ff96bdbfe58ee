/* SPDX-License-Identifier: MIT */
/*
 * One reader and one list for all tables of options, so that an option is
 * written, refused and explained in the same way in every command.
 */
#include "base/options.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

#define COLUMN	  26 /* where the texts of a list begin */
#define MAX_NAMES 256

/* ---- listing ---- */

static int write_row(struct ses_buf *out, const struct option_row *row,
		     int width)
{
	struct ses_buf text;
	struct bytes wrapped;
	char names[80];
	int len, r;

	len = snprintf(names, sizeof(names), "  %c%c%s --%s %s",
		       row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		       row->letter ? "," : " ", row->name,
		       row->argument ? row->argument : "");
	ses_buf_init(&text, 8192);
	r = text_wrap(&text, row->text, COLUMN, width);
	if (r == 0) {
		wrapped = ses_buf_bytes(&text);
		if (len < COLUMN) /* the first line stands beside the name */
			wrapped = bytes_from(wrapped, COLUMN);
		r = ses_buf_printf(out, "%-*s%s%.*s", COLUMN, names,
				   len < COLUMN ? "" : "\n", BYTES_ARG(wrapped));
	}
	ses_buf_fini(&text);
	return r;
}

static bool is_of(const struct option_row *row, const char *command)
{
	return strcmp(row->command, command) == 0;
}

int option_write(struct ses_buf *out, const struct option_row *rows,
		 size_t n_rows, const char *command, int width)
{
	int r = 0;

	for (size_t i = 0; i < n_rows && r == 0; i++) {
		if (!is_of(&rows[i], command))
			continue;
		r = rows[i].name ? write_row(out, &rows[i], width)
				 : ses_buf_printf(out, "%s\n", rows[i].text);
	}
	return r;
}

/* ---- reading ---- */

__attribute__((format(printf, 2, 3))) static int
complain(struct option_reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->complaint, sizeof(r->complaint), format, args);
	va_end(args);
	return -1;
}

static const struct option_row *find_name(const struct option_reader *r,
					  struct bytes name)
{
	for (size_t i = 0; i < r->n_rows; i++)
		if (r->rows[i].name && is_of(&r->rows[i], r->command) &&
		    bytes_equal_str(name, r->rows[i].name))
			return &r->rows[i];
	return NULL;
}

static const struct option_row *find_letter(const struct option_reader *r,
					    char letter)
{
	for (size_t i = 0; i < r->n_rows; i++)
		if (r->rows[i].name && r->rows[i].letter == letter &&
		    is_of(&r->rows[i], r->command))
			return &r->rows[i];
	return NULL;
}

/* @name without its dashes and without a value, which may be a secret. */
static int complain_unknown(struct option_reader *r, const char *dashes,
			    struct bytes name)
{
	const char *names[MAX_NAMES], *near;
	char word[64];
	size_t n = 0;

	for (size_t i = 0; i < r->n_rows && n < MAX_NAMES; i++)
		if (r->rows[i].name && is_of(&r->rows[i], r->command))
			names[n++] = r->rows[i].name;
	bytes_printable(name, word, sizeof(word));
	near = text_suggest(word, names, n);
	return complain(r,
			"there is no option %s%s%s%s%s\n"
			"`sesame %s --help` lists them.",
			dashes, word, near ? "; did you mean --" : "",
			near ? near : "", near ? "?" : "", r->command);
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

	r->row = row;
	r->name = row->name;
	r->value = value;
	if (!row->argument && value)
		return complain(r, "%s takes no value", r->written);
	if (!row->argument || value || (may_lack && !is_number(*r->next)))
		return 1;
	if (!*r->next)
		return complain(r, "%s wants a value: %s %s", r->written,
				r->written, row->argument);
	r->value = *r->next++;
	return 1;
}

static int read_long(struct option_reader *r, const char *word)
{
	const char *equals = strchr(word, '=');
	struct bytes name = bytes_of_str(word + 2);
	const struct option_row *row;

	if (equals)
		name = bytes_of(word + 2, (size_t)(equals - word) - 2);
	row = find_name(r, name);
	if (!row)
		return complain_unknown(r, "--", name);
	snprintf(r->written, sizeof(r->written), "--%s", row->name);
	return take(r, row, equals ? equals + 1 : NULL);
}

/* -h, -cFILE, -c FILE, or several letters, of which the last takes a value. */
static int read_letter(struct option_reader *r)
{
	const char *at = r->letters++;
	const struct option_row *row = find_letter(r, *at);
	const char *value = NULL;

	if (!row)
		return complain_unknown(r, "-", bytes_of(at, 1));
	snprintf(r->written, sizeof(r->written), "-%c", *at);
	if (row->argument && at[1])
		value = at + 1;
	if (row->argument || !at[1])
		r->letters = NULL;
	return take(r, row, value);
}

static int read_word(struct option_reader *r, const char *word)
{
	r->row = NULL;
	r->name = NULL;
	r->value = word;
	return 1;
}

int option_read(struct option_reader *r)
{
	const char *word;

	if (r->letters)
		return read_letter(r);
	word = *r->next;
	if (!word)
		return 0;
	r->next++;
	if (!r->only_words && strcmp(word, "--") == 0) {
		r->only_words = true;
		return option_read(r);
	}
	if (r->only_words || word[0] != '-' || word[1] == 0)
		return read_word(r, word);
	if (word[1] == '-')
		return read_long(r, word);
	r->letters = word + 1;
	return read_letter(r);
}
