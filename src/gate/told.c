/* SPDX-License-Identifier: MIT */
/* Rings, each under a lock of its own; addresses choose theirs by a secret. */
#include "gate/told.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gate/json.h"
#include "why/reference.h"

struct telling {
	struct gate_told_name name[2];
	uint64_t until_ms;
	char *text; /* NULL: nothing was told here yet */
	size_t len;
};

struct part {
	pthread_mutex_t lock;
	size_t next;
	struct telling telling[GATE_TOLD_EACH];
};

struct gate_told {
	struct ses_hash begin;
	struct part part[GATE_TOLD_PARTS];
};

/* ---- Names ---- */

static bool is_attempt(struct bytes text)
{
	if (text.len != GATE_ATTEMPT_DIGITS)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return true;
}

bool gate_told_name_read(struct bytes text, struct gate_told_name *ret_name)
{
	struct gate_told_name name = {""};
	uint64_t number;

	if (is_attempt(text))
		memcpy(name.text, text.data, text.len);
	else if (why_reference_read(text, &number))
		why_reference_write(number, name.text);
	else
		return false;
	*ret_name = name;
	return true;
}

struct gate_told_name gate_told_attempt(struct bytes protocols)
{
	struct bytes prefix = BYTES(GATE_ATTEMPT_PREFIX), offer, number;
	struct gate_told_name name = {""};

	while (bytes_next_element(&protocols, &offer)) {
		number = bytes_from(offer, prefix.len);
		if (bytes_starts(offer, prefix) && is_attempt(number) &&
		    gate_told_name_read(number, &name))
			break;
	}
	return name;
}

/* ---- The whole ---- */

struct gate_told *gate_told_new(const uint8_t seed[SES_HASH_SEED])
{
	struct gate_told *told = calloc(1, sizeof(*told));

	if (!told)
		return NULL;
	ses_hash_init(&told->begin, seed);
	for (size_t i = 0; i < GATE_TOLD_PARTS; i++)
		pthread_mutex_init(&told->part[i].lock, NULL);
	return told;
}

static void forget(struct telling *t)
{
	free(t->text);
	*t = (struct telling){.text = NULL};
}

void gate_told_free(struct gate_told *told)
{
	if (!told)
		return;
	for (size_t i = 0; i < GATE_TOLD_PARTS; i++) {
		for (size_t k = 0; k < GATE_TOLD_EACH; k++)
			forget(&told->part[i].telling[k]);
		pthread_mutex_destroy(&told->part[i].lock);
	}
	free(told);
}

/* ---- Keeping ---- */

/* Of IPv6 a site has a /64, and every address in it. */
static struct part *part_of(struct gate_told *told,
			    const struct gate_address *address)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	bool is_v4 = memcmp(address->bytes, v4, sizeof(v4)) == 0;
	struct ses_hash h = told->begin;

	ses_hash_bytes(&h, bytes_of(address->bytes, is_v4 ? 16 : 8));
	return &told->part[ses_hash_end(&h) % GATE_TOLD_PARTS];
}

static void drop_old(struct part *part, uint64_t now_ms)
{
	for (size_t i = 0; i < GATE_TOLD_EACH; i++)
		if (part->telling[i].text && part->telling[i].until_ms <= now_ms)
			forget(&part->telling[i]);
}

void gate_told_keep(struct gate_told *told, const struct gate_address *address,
		    const struct gate_told_name names[2], struct bytes text,
		    uint64_t now_ms)
{
	struct part *part = part_of(told, address);
	char *copy = text.len && text.len <= GATE_TOLD_BYTES ? malloc(text.len)
							     : NULL;
	struct telling *t;

	if (!copy)
		return;
	memcpy(copy, text.data, text.len);
	pthread_mutex_lock(&part->lock);
	drop_old(part, now_ms);
	t = &part->telling[part->next++ % GATE_TOLD_EACH];
	forget(t);
	*t = (struct telling){.name = {names[0], names[1]},
			      .until_ms = now_ms + GATE_TOLD_MS,
			      .text = copy,
			      .len = text.len};
	pthread_mutex_unlock(&part->lock);
}

/* ---- Finding ---- */

static bool is_called(const struct telling *t, const struct gate_told_name *name)
{
	bool first =
		memcmp(t->name[0].text, name->text, sizeof(name->text)) == 0;
	bool other =
		memcmp(t->name[1].text, name->text, sizeof(name->text)) == 0;

	return t->text && (first || other);
}

/* The latest that is called so, or NULL. */
static const struct telling *
find_in(struct part *part, const struct gate_told_name *name, uint64_t now_ms)
{
	const struct telling *found = NULL;

	drop_old(part, now_ms);
	for (size_t i = 0; i < GATE_TOLD_EACH; i++) {
		const struct telling *t = &part->telling[i];

		if (is_called(t, name) &&
		    (!found || t->until_ms >= found->until_ms))
			found = t;
	}
	return found;
}

bool gate_told_find(struct gate_told *told, const struct gate_told_name *name,
		    uint64_t now_ms, struct ses_buf *out)
{
	bool found = false;

	for (size_t i = 0; name->text[0] && i < GATE_TOLD_PARTS; i++) {
		struct part *part = &told->part[i];
		const struct telling *t;

		pthread_mutex_lock(&part->lock);
		t = find_in(part, name, now_ms);
		if (t && !found)
			found = ses_buf_append(out,
					       bytes_of(t->text, t->len)) >= 0;
		pthread_mutex_unlock(&part->lock);
	}
	return found;
}

/* ---- What another gateway says ---- */

/* A text of it, fit to be shown; false: there is none. */
static bool copy_text(json_t *to, const json_t *from, const char *key)
{
	struct bytes text = gate_json_text(from, key);
	char shown[512];

	if (!text.data)
		return false;
	bytes_printable(text, shown, sizeof(shown));
	return json_object_set_new(to, key, json_string(shown)) == 0;
}

static bool is_number(const json_t *from, const char *key, json_int_t least,
		      json_int_t most)
{
	const json_t *n = json_object_get(from, key);

	return json_is_integer(n) && json_integer_value(n) >= least &&
	       json_integer_value(n) <= most;
}

static bool copy_rule(json_t *to, const json_t *from)
{
	if (!json_object_get(from, "line"))
		return true;
	return is_number(from, "line", 1, 1 << 30) &&
	       copy_text(to, from, "rule") && copy_text(to, from, "file") &&
	       json_object_set(to, "line", json_object_get(from, "line")) == 0;
}

/* A reference has to be the one that was asked for. */
static bool is_about(const json_t *from, const struct gate_told_name *name)
{
	struct bytes reference = gate_json_text(from, "reference");
	struct gate_told_name own;

	return reference.data && gate_told_name_read(reference, &own) &&
	       !is_attempt(reference) &&
	       (is_attempt(bytes_of_str(name->text)) ||
		strcmp(own.text, name->text) == 0);
}

static bool copy_all(json_t *to, const json_t *from,
		     const struct gate_told_name *name,
		     enum gate_disclose disclose)
{
	return is_about(from, name) && copy_text(to, from, "type") &&
	       copy_text(to, from, "title") &&
	       is_number(from, "status", 400, 599) &&
	       json_object_set(to, "status", json_object_get(from, "status")) ==
		       0 &&
	       copy_text(to, from, "detail") &&
	       copy_text(to, from, "reference") &&
	       copy_text(to, from, "cause") &&
	       (disclose < GATE_TELL_FULL || copy_rule(to, from));
}

bool gate_told_repeat(struct bytes json, const struct gate_told_name *name,
		      enum gate_disclose disclose, struct ses_buf *out)
{
	const char *wrong;
	json_t *from = gate_json_read(json, &wrong), *to = json_object();
	char *text = NULL;
	bool done;

	if (from && to && copy_all(to, from, name, disclose))
		text = json_dumps(to, JSON_COMPACT);
	done = text && ses_buf_printf(out, "%s\n", text) >= 0;
	free(text);
	json_decref(from);
	json_decref(to);
	return done;
}
