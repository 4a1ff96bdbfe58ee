/* SPDX-License-Identifier: MIT */
#include "hub/redis_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "hub/hub.h"
#include "hub/redis.h"
#include "wire/utf8.h"

#define HEAD_MAX 256 /* bytes of a first line */

/* ---- Words of a line ---- */

/* A line up to @end, cut off @text. False: there is none that is short. */
static bool take_line(struct bytes *text, struct bytes *ret)
{
	ptrdiff_t at = bytes_find_byte(bytes_first(*text, HEAD_MAX), '\n');

	if (at < 0)
		return false;
	*ret = bytes_first(*text, (size_t)at);
	*text = bytes_from(*text, (size_t)at + 1);
	return true;
}

static bool take_word(struct bytes *line, struct bytes *ret)
{
	ptrdiff_t at = bytes_find_byte(*line, ' ');

	*ret = at < 0 ? *line : bytes_first(*line, (size_t)at);
	*line = at < 0 ? bytes_of(line->data, 0)
		       : bytes_from(*line, (size_t)at + 1);
	return ret->len > 0;
}

static bool take_number(struct bytes *line, uint64_t max, uint64_t *ret)
{
	struct bytes word;

	return take_word(line, &word) && bytes_to_u64(word, max, ret);
}

static bool take_epoch(struct bytes *line, struct hub_epoch *ret)
{
	char id[HUB_EPOCH_LEN + 3];
	struct bytes word;
	struct hub_id read;

	if (!take_word(line, &word) || word.len != HUB_EPOCH_LEN)
		return false;
	memcpy(id, word.data, HUB_EPOCH_LEN);
	memcpy(id + HUB_EPOCH_LEN, "-0", 3);
	if (!hub_id_read(bytes_of(id, HUB_EPOCH_LEN + 2), &read))
		return false;
	*ret = read.epoch;
	return true;
}

bool redis_is_node(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!(word.data[i] >= '0' && word.data[i] <= '9') &&
		    !(word.data[i] >= 'a' && word.data[i] <= 'f'))
			return false;
	return word.len == HUB_REDIS_NODE_LEN;
}

/* @n bytes cut off @text. */
static bool take(struct bytes *text, uint64_t n, struct bytes *ret)
{
	if (text->len < n)
		return false;
	*ret = bytes_first(*text, (size_t)n);
	*text = bytes_from(*text, (size_t)n);
	return true;
}

/* ---- Entries ---- */

static bool read_content(struct bytes *line, struct bytes text,
			 struct hub_content *c)
{
	uint64_t gone, from_len, key_len;
	struct bytes kind;

	if (!take_number(line, INT64_MAX, &c->sender) ||
	    !take_word(line, &kind) || !take_number(line, 1, &gone) ||
	    !take_number(line, HUB_WHO_SIZE - 1, &from_len) ||
	    !take_number(line, UINT16_MAX, &key_len) || line->len)
		return false;
	if (!bytes_equal_str(kind, "t") && !bytes_equal_str(kind, "b"))
		return false;
	if (!take(&text, from_len, &c->from) || !take(&text, key_len, &c->key))
		return false;
	if (!from_len)
		c->from.data = NULL;
	if (!key_len)
		c->key.data = NULL;
	c->kind = kind.data[0] == 't' ? SESAME_TEXT : SESAME_BINARY;
	c->gone = gone != 0;
	c->payload = text;
	if (c->payload.len > HUB_REDIS_MESSAGE_MAX || (c->gone && !key_len))
		return false;
	return ses_utf8_valid(c->from) && ses_utf8_valid(c->key) &&
	       (c->kind == SESAME_BINARY || ses_utf8_valid(c->payload));
}

bool redis_entry_read(struct bytes text, struct redis_entry *ret)
{
	struct redis_entry e = {.seq = 0};
	struct bytes line;
	uint64_t time_ms;

	if (!take_line(&text, &line) || !take_epoch(&line, &e.epoch) ||
	    !take_number(&line, REDIS_SEQ_MAX, &e.seq) || !e.seq ||
	    !take_number(&line, REDIS_SEQ_MAX, &time_ms) ||
	    !take_word(&line, &e.node) || !redis_is_node(e.node) ||
	    !take_number(&line, INT64_MAX, &e.counter) ||
	    !take_number(&line, UINT32_MAX, &e.place) ||
	    !read_content(&line, text, &e.content))
		return false;
	e.time_ms = (int64_t)time_ms;
	*ret = e;
	return true;
}

size_t redis_entry_write(const char *node, uint64_t counter, uint64_t place,
			 const struct hub_message *m, char out[REDIS_TAIL_SIZE])
{
	return (size_t)snprintf(
		out, REDIS_TAIL_SIZE,
		"%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %c %d %u %u\n", node,
		counter, place, m->sender, m->kind == SESAME_TEXT ? 't' : 'b',
		m->gone, m->from_len, m->key_len);
}

/* ---- What a node asked for ---- */

bool redis_next(struct bytes *entries, struct bytes *ret)
{
	ptrdiff_t at = bytes_find_byte(bytes_first(*entries, 12), ':');
	struct bytes rest;
	uint64_t len;

	if (at < 0 ||
	    !bytes_to_u64(bytes_first(*entries, (size_t)at), UINT32_MAX, &len))
		return false;
	rest = bytes_from(*entries, (size_t)at + 1);
	if (!take(&rest, len, ret))
		return false;
	*entries = rest;
	return true;
}

/* "EPOCH LAST EPOCH LAST " */
static bool read_past(struct bytes text, struct redis_holding *h)
{
	while (text.len) {
		struct redis_past *p = &h->past[h->n_past];

		if (h->n_past == REDIS_PAST_MAX ||
		    !take_epoch(&text, &p->epoch) ||
		    !take_number(&text, REDIS_SEQ_MAX, &p->last))
			return false;
		h->n_past++;
	}
	return true;
}

bool redis_holding_read(struct bytes text, struct redis_holding *ret)
{
	struct redis_holding h = {.number = 0};
	uint64_t tag_len, past_len;
	struct bytes line, word, past;

	if (!take_line(&text, &line) || !take_word(&line, &word) ||
	    !bytes_equal_str(word, "s") ||
	    !take_number(&line, INT64_MAX, &h.number) ||
	    !take_epoch(&line, &h.epoch) ||
	    !take_number(&line, REDIS_SEQ_MAX, &h.seq) ||
	    !take_number(&line, REDIS_SEQ_MAX, &h.from) ||
	    !take_number(&line, REDIS_SEQ_MAX, &h.floor) ||
	    !take_number(&line, REDIS_SEQ_MAX, &h.more) ||
	    !take_number(&line, UINT16_MAX, &tag_len) ||
	    !take_number(&line, UINT16_MAX, &past_len) || line.len ||
	    !take(&text, tag_len, &h.tag) || !take(&text, past_len, &past) ||
	    !read_past(past, &h))
		return false;
	h.entries = text;
	*ret = h;
	return true;
}

bool redis_people_read(struct bytes text, struct redis_people *ret)
{
	struct redis_people p = {.number = 0};
	struct bytes line, word;
	uint64_t tag_len;

	if (!take_line(&text, &line) || !take_word(&line, &word) ||
	    !bytes_equal_str(word, "p") ||
	    !take_number(&line, INT64_MAX, &p.number) ||
	    !take_number(&line, UINT64_MAX, &p.more) ||
	    !take_number(&line, UINT16_MAX, &tag_len) || line.len ||
	    !take(&text, tag_len, &p.tag))
		return false;
	p.entries = text;
	*ret = p;
	return true;
}

bool redis_person_read(struct bytes text, struct bytes *ret_node,
		       struct bytes *ret_who)
{
	if (text.len > REDIS_PERSON_MAX || !take_word(&text, ret_node) ||
	    !redis_is_node(*ret_node))
		return false;
	*ret_who = text;
	return text.len && text.len < HUB_WHO_SIZE && ses_utf8_valid(text);
}
