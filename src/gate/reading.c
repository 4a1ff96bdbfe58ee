/* SPDX-License-Identifier: MIT */
/* The walk over maps, and the readers of values of each kind. */
#include "gate/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "gate/value.h"

/* ---- Maps ---- */

/* The row of key @key in the map at @path, or -1. */
static int find_row(const char *path, struct bytes key)
{
	size_t prefix = strlen(path);

	for (int i = 0; i < GATE_N_SETTINGS; i++) {
		const char *p = gate_setting((enum gate_setting)i)->path;

		if (strncmp(p, path, prefix) != 0)
			continue;
		p += prefix;
		/* a key is one step of a path, never several */
		if (!strpbrk(p, ".[") && bytes_equal_str(key, p))
			return i;
	}
	return -1;
}

/* The nearest key that the map at @path may have, or NULL. */
static const char *suggest_key(const char *path, struct bytes key)
{
	const char *words[GATE_N_SETTINGS];
	size_t n = 0, prefix = strlen(path);
	struct gate_shown typed = gate_show(key);

	for (int i = 0; i < GATE_N_SETTINGS; i++) {
		const char *p = gate_setting((enum gate_setting)i)->path;

		if (strncmp(p, path, prefix) == 0 && !strpbrk(p + prefix, ".["))
			words[n++] = p + prefix;
	}
	return text_suggest(typed.text, words, n);
}

/* Where the key is known that this map does not know, or NULL. */
static const char *key_elsewhere(struct bytes key)
{
	for (int i = 0; i < GATE_N_SETTINGS; i++)
		if (bytes_equal_str(key, gate_key_name(gate_setting(
						 (enum gate_setting)i))))
			return gate_setting((enum gate_setting)i)->path;
	return NULL;
}

static void unknown_key(struct gate_reader *r, const char *path,
			struct bytes key, struct gate_place at)
{
	const char *other = key_elsewhere(key);
	const char *near = suggest_key(path, key);

	if (other && near)
		gate_complain(r->wrong, at,
			      "unknown key `%s` here (it belongs at `%s`); "
			      "did you mean `%s`?",
			      gate_show(key).text, other, near);
	else if (other)
		gate_complain(r->wrong, at,
			      "unknown key `%s` here (it belongs at `%s`)",
			      gate_show(key).text, other);
	else if (near)
		gate_complain(r->wrong, at,
			      "unknown key `%s` (did you mean `%s`?)",
			      gate_show(key).text, near);
	else
		gate_complain(r->wrong, at, "unknown key `%s`",
			      gate_show(key).text);
}

/* Read one pair of the map at @path. */
static void read_pair(struct gate_reader *r, const char *path,
		      const struct gate_item *key, struct gate_item *value,
		      void *to, struct gate_seen *seen)
{
	struct bytes name = gate_text_of(key);
	int row;

	if (!gate_is_single(key)) {
		gate_complain(r->wrong, key->at, "a key is a single word");
		return;
	}
	row = find_row(path, name);
	if (row < 0) {
		unknown_key(r, path, name, key->at);
		return;
	}
	if (seen->row[row]) {
		gate_complain(r->wrong, key->at,
			      "`%s` stands here a second time",
			      gate_show(name).text);
		return;
	}
	seen->row[row] = true;
	value->row = gate_setting((enum gate_setting)row);
	gate_readings[row].read(r, value,
				(char *)to + gate_readings[row].offset);
}

void gate_read_map(struct gate_reader *r, const char *path,
		   const struct gate_item *map, void *to,
		   struct gate_seen *ret_seen)
{
	struct gate_item key, value;
	void *state = NULL;

	*ret_seen = (struct gate_seen){0};
	while (gate_next_pair(map, &state, &key, &value))
		read_pair(r, path, &key, &value, to, ret_seen);
}

bool gate_read_submap(struct gate_reader *r, const struct gate_item *i,
		      void *to, struct gate_seen *ret_seen)
{
	char path[64];

	if (!gate_want(r, i, gate_is_map(i), "a map"))
		return false;
	snprintf(path, sizeof(path), "%s.", i->row->path);
	gate_read_map(r, path, i, to, ret_seen);
	return true;
}

void gate_need(struct gate_reader *r, const struct gate_seen *seen,
	       enum gate_setting setting, struct gate_place at)
{
	if (!seen->row[setting])
		gate_complain(r->wrong, at, "`%s` is missing",
			      gate_key_name(gate_setting(setting)));
}

bool gate_fits(struct gate_reader *r, const struct gate_item *i, size_t n)
{
	bool fits = n >= i->row->least && n <= i->row->most;

	if (!fits)
		gate_complain(r->wrong, i->at,
			      "%s has %zu elements; %llu to %llu may be",
			      gate_key_name(i->row), n,
			      (unsigned long long)i->row->least,
			      (unsigned long long)i->row->most);
	return fits;
}

bool gate_want_pairs(struct gate_reader *r, const struct gate_item *i,
		     size_t *ret_n)
{
	struct gate_item key, value;
	void *state = NULL;

	*ret_n = 0;
	if (!gate_want(r, i, gate_is_map(i), "a map of names and values"))
		return false;
	while (gate_next_pair(i, &state, &key, &value))
		++*ret_n;
	return gate_fits(r, i, *ret_n);
}

void *gate_read_maps(struct gate_reader *r, const struct gate_item *i,
		     size_t size, gate_read_fn read, size_t *ret_n)
{
	size_t n = 0, room = gate_count(i);
	struct gate_item element;
	void *state = NULL;
	char *array;

	*ret_n = 0;
	if (!gate_want(r, i, gate_is_list(i), "a list"))
		return NULL;
	if (!gate_fits(r, i, room))
		return NULL;
	array = gate_enough(r, calloc(room, size));
	while (array && n < room && gate_next_element(i, &state, &element))
		read(r, &element, array + n++ * size);
	*ret_n = n;
	return array;
}

void gate_read_plain_map(struct gate_reader *r, const struct gate_item *i,
			 void *to)
{
	struct gate_seen seen;

	gate_read_submap(r, i, to, &seen);
}

static char *read_element(struct gate_reader *r, const struct gate_item *i,
			  const char *(*wrong_with)(struct bytes text))
{
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return NULL;
	wrong = wrong_with(s);
	if (!wrong)
		return gate_copy(r, s);
	gate_complain(r->wrong, i->at, "%s: `%s` %s", gate_key_name(i->row),
		      gate_show(s).text, wrong);
	return NULL;
}

char **gate_read_texts(struct gate_reader *r, const struct gate_item *i,
		       const char *(*wrong_with)(struct bytes text),
		       size_t *ret_n)
{
	struct gate_item element;
	void *state = NULL;
	char **texts;
	size_t n = 0;

	if (!gate_want(r, i, gate_is_list(i), "a list") ||
	    !gate_fits(r, i, gate_count(i)))
		return NULL;
	texts = gate_enough(r, calloc(gate_count(i), sizeof(*texts)));
	while (texts && gate_next_element(i, &state, &element))
		if ((texts[n] = read_element(r, &element, wrong_with)))
			n++;
	*ret_n = n;
	return texts;
}

size_t gate_texts_of(struct gate_reader *r, const struct gate_item *i)
{
	size_t n = gate_is_list(i) ? gate_count(i) : 1;

	return !gate_is_list(i) || gate_fits(r, i, n) ? n : 0;
}

bool gate_next_text(const struct gate_item *i, void **state,
		    struct gate_item *ret_element)
{
	if (gate_is_list(i))
		return gate_next_element(i, state, ret_element);
	if (*state)
		return false;
	*state = (void *)i;
	*ret_element = *i;
	return true;
}

/* Once is enough, and told with no place: it is not the file's fault. */
void *gate_enough(struct gate_reader *r, void *memory)
{
	if (!memory && !r->wrong->no_memory) {
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "out of memory");
		r->wrong->no_memory = true;
	}
	return memory;
}

char *gate_print(struct gate_reader *r, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return gate_enough(r, text);
}

char *gate_copy(struct gate_reader *r, struct bytes text)
{
	char *s = gate_enough(r, malloc(text.len + 1));

	if (s) {
		memcpy(s, text.data, text.len);
		s[text.len] = '\0';
	}
	return s;
}

void gate_put(char **to, char *text)
{
	free(*to);
	*to = text;
}

/* ---- Values of a kind ---- */

/* As the file would have it. */
static const char *write_number(enum gate_setting_kind kind, uint64_t n,
				char out[GATE_VALUE_SIZE])
{
	if (kind == GATE_SIZE)
		return gate_size_write(n, out);
	if (kind == GATE_DURATION)
		return gate_duration_write(n, out);
	snprintf(out, GATE_VALUE_SIZE, "%llu", (unsigned long long)n);
	return out;
}

void gate_read_number(struct gate_reader *r, const struct gate_item *i, void *to)
{
	char least[GATE_VALUE_SIZE], most[GATE_VALUE_SIZE];
	enum gate_setting_kind kind = i->row->kind;
	uint64_t value;
	struct bytes s;
	bool good;

	if (!gate_want_text(r, i, &s))
		return;
	good = kind == GATE_SIZE       ? gate_size_read(s, &value)
	       : kind == GATE_DURATION ? gate_duration_read(s, &value)
				       : bytes_to_u64(s, UINT64_MAX / 4, &value);
	if (!good)
		gate_complain(r->wrong, i->at, "%s is %s, as in %s, not `%s`",
			      gate_key_name(i->row),
			      kind == GATE_SIZE	      ? "a size"
			      : kind == GATE_DURATION ? "a time with its unit"
						      : "a whole number",
			      kind == GATE_SIZE	      ? "1MiB"
			      : kind == GATE_DURATION ? "30s"
						      : "100",
			      gate_show(s).text);
	else if (value < i->row->least || value > i->row->most)
		gate_complain(r->wrong, i->at,
			      "%s is out of range: %s allows %s to %s",
			      gate_show(s).text, gate_key_name(i->row),
			      write_number(kind, i->row->least, least),
			      write_number(kind, i->row->most, most));
	else
		*(uint64_t *)to = value;
}

void gate_read_choice(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct bytes s;
	int choice;

	if (!gate_want_text(r, i, &s))
		return;
	choice = gate_choice_read(i->row->unit, s);
	if (choice < 0)
		gate_complain(r->wrong, i->at, "%s is one of %s, not `%s`",
			      gate_key_name(i->row), i->row->unit,
			      gate_show(s).text);
	else
		*(uint64_t *)to = (uint64_t)choice;
}

void gate_read_flag(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (bytes_equal(s, BYTES("true")))
		*(bool *)to = true;
	else if (bytes_equal(s, BYTES("false")))
		*(bool *)to = false;
	else
		gate_complain(r->wrong, i->at, "%s is true or false, not `%s`",
			      gate_key_name(i->row), gate_show(s).text);
}

void gate_read_text(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct bytes s;

	if (gate_want_text(r, i, &s))
		gate_put(to, gate_copy(r, s));
}

void gate_read_file_name(struct gate_reader *r, const struct gate_item *i,
			 void *to)
{
	const char *slash = strrchr(r->file, '/');
	size_t folder = slash ? (size_t)(slash - r->file) + 1 : 0;
	struct bytes s;
	char *name;

	if (!gate_want_text(r, i, &s))
		return;
	if (bytes_contains_nocase(s, BYTES("://"))) {
		gate_complain(r->wrong, i->at,
			      "%s: `%s` is a URL; a file is needed",
			      gate_key_name(i->row), gate_show(s).text);
		return;
	}
	/* Names are relative to the file that they stand in. */
	if (s.data[0] == '/' || folder == 0)
		name = gate_copy(r, s);
	else
		name = gate_print(r, "%.*s%.*s", (int)folder, r->file,
				  BYTES_ARG(s));
	gate_put(to, name);
}
