/* SPDX-License-Identifier: MIT */
#include "load/compression.h"

#include <stdio.h>

#define FIELD BYTES("Sec-WebSocket-Extensions:")

/* Cut the next line off @head; false: there is none. */
static bool next_line(struct bytes *head, struct bytes *ret_line)
{
	const uint8_t *end =
		head->len ? memchr(head->data, '\n', head->len) : NULL;

	if (!end)
		return false;
	*ret_line = bytes_first(*head, (size_t)(end - head->data));
	*head = bytes_from(*head, ret_line->len + 1);
	return true;
}

/* "permessage-deflate; server_no_context_takeover"; empty: nothing agreed. */
static struct bytes terms_of(struct bytes head)
{
	struct bytes line;

	while (next_line(&head, &line)) {
		struct bytes value = bytes_from(line, FIELD.len);

		if (!bytes_equal_nocase(bytes_first(line, FIELD.len), FIELD))
			continue;
		if (value.len && value.data[value.len - 1] == '\r')
			value.len--;
		value = bytes_trim(value);
		if (value.len)
			return value;
	}
	return BYTES("");
}

static void note_terms(struct load_compression *c, struct bytes terms)
{
	terms = bytes_first(terms, LOAD_TERMS - 1);
	if (!c->terms[0])
		snprintf(c->terms, sizeof(c->terms), "%.*s", BYTES_ARG(terms));
	else if (!bytes_equal_str(terms, c->terms))
		c->otherwise++;
}

void load_compression_note(struct load_compression *c, struct bytes head)
{
	struct bytes terms = terms_of(head);

	if (!terms.len) {
		c->declined++;
		return;
	}
	c->agreed++;
	note_terms(c, terms);
}

void load_compression_add(struct load_compression *c,
			  const struct load_compression *from)
{
	bool same = !c->terms[0] || !from->terms[0] ||
		    strcmp(c->terms, from->terms) == 0;

	c->agreed += from->agreed;
	c->declined += from->declined;
	c->otherwise += same ? from->otherwise : from->agreed;
	if (!c->terms[0])
		memcpy(c->terms, from->terms, sizeof(c->terms));
}
