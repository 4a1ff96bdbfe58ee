/* SPDX-License-Identifier: MIT */
/* `allow.token`: where credentials come from and what they are checked by. */
#include <stdlib.h>

#include "gate/credential.h"
#include "gate/reading.h"

static void read_from(struct gate_reader *r, const struct gate_item *i,
		      struct gate_token_settings *settings)
{
	struct gate_from *from = &settings->from[settings->n_from];
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	from->text = gate_copy(r, s);
	from->line = (unsigned)i->at.line;
	if (!from->text)
		return;
	wrong = gate_from_read(from);
	for (size_t k = 0; !wrong && k < settings->n_from; k++)
		if (settings->from[k].kind == from->kind &&
		    bytes_equal_nocase(settings->from[k].name, from->name))
			wrong = "stands in the list before";
	settings->n_from++;
	if (wrong)
		gate_complain(r->wrong, i->at, "from: `%s` %s",
			      gate_show(s).text, wrong);
}

void gate_read_token_from(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_token_settings *settings = to;
	size_t n = gate_texts_of(r, i);
	struct gate_item element;
	void *state = NULL;

	settings->from =
		n ? gate_enough(r, calloc(n, sizeof(*settings->from))) : NULL;
	while (settings->from && gate_next_text(i, &state, &element))
		read_from(r, &element, settings);
}

void gate_read_token_file(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_file_name *file = to;

	file->at = i->at;
	gate_read_file_name(r, i, &file->name);
}

struct gate_token_settings *gate_read_token_map(struct gate_reader *r,
						const struct gate_item *i,
						struct gate_token_settings **to,
						struct gate_seen *ret_seen)
{
	*to = gate_enough(r, calloc(1, sizeof(**to)));
	if (!*to)
		return NULL;
	(*to)->at = i->key;
	return gate_read_submap(r, i, *to, ret_seen) ? *to : NULL;
}

void gate_read_token(struct gate_reader *r, const struct gate_item *i, void *to)
{
	size_t wrong = r->wrong->n;
	struct gate_seen seen;
	struct gate_token_settings *settings =
		gate_read_token_map(r, i, to, &seen);

	if (!settings)
		return;
	/* What is missing is told only when what is there was understood. */
	if (r->wrong->n == wrong)
		gate_token_load(settings, r->open_files, r->wrong);
	else if (r->open_files)
		gate_token_load_files(settings, r->wrong);
}

/* ---- jwt ---- */

#define LEEWAY_MS 30000

void gate_read_jwt(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_jwt_settings *jwt = to;
	struct gate_seen seen;

	jwt->at = i->key;
	jwt->leeway_ms = LEEWAY_MS;
	gate_read_submap(r, i, jwt, &seen);
}

void gate_read_jwt_algorithms(struct gate_reader *r, const struct gate_item *i,
			      void *to)
{
	struct gate_item element;
	void *state = NULL;
	const char *wrong;
	struct bytes s;

	if (!gate_texts_of(r, i))
		return;
	while (gate_next_text(i, &state, &element)) {
		if (!gate_want_text(r, &element, &s))
			continue;
		wrong = gate_algorithm_add(s, to);
		if (wrong)
			gate_complain(r->wrong, element.at,
				      "algorithms: `%s` %s", gate_show(s).text,
				      wrong);
	}
}

static void read_word(struct gate_reader *r, const struct gate_item *i,
		      struct gate_word *word)
{
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	gate_put(&word->text, gate_copy(r, s));
	word->line = (unsigned)i->at.line;
}

void gate_read_word(struct gate_reader *r, const struct gate_item *i, void *to)
{
	read_word(r, i, to);
}

void gate_read_words(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_words *words = to;
	size_t n = gate_texts_of(r, i);
	struct gate_item element;
	void *state = NULL;

	words->word = n ? gate_enough(r, calloc(n, sizeof(*words->word))) : NULL;
	while (words->word && gate_next_text(i, &state, &element)) {
		read_word(r, &element, &words->word[words->n]);
		words->n += words->word[words->n].text != NULL;
	}
}

static void read_claim(struct gate_reader *r, const struct gate_item *key,
		       const struct gate_item *value, struct gate_claim *claim)
{
	struct bytes s;

	if (!gate_is_single(key)) {
		gate_complain(r->wrong, key->at, "a claim's name is a text");
		return;
	}
	if (!gate_want_text(r, value, &s))
		return;
	claim->name = gate_copy(r, gate_text_of(key));
	claim->value = gate_copy(r, s);
	claim->line = (unsigned)key->at.line;
}

size_t gate_read_claims(struct gate_reader *r, const struct gate_item *i,
			struct gate_claim **ret_claims)
{
	struct gate_claim *claim;
	struct gate_item key, value;
	void *state = NULL;
	size_t room, n = 0;

	if (!gate_want_pairs(r, i, &room))
		return 0;
	claim = *ret_claims = gate_enough(r, calloc(room, sizeof(*claim)));
	while (claim && gate_next_pair(i, &state, &key, &value)) {
		read_claim(r, &key, &value, &claim[n]);
		if (claim[n].name)
			n++;
	}
	return n;
}

void gate_read_jwt_claims(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_jwt_settings *jwt = to;

	jwt->n_claims = gate_read_claims(r, i, &jwt->claim);
}
