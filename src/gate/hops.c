/* SPDX-License-Identifier: MIT */
/*
 * Reading X-Forwarded-For and Forwarded (RFC 7239) from the right. What is
 * hard: the left part of the same list is the client's to write, so nothing in
 * it, no quote that never ends and no thousand of commas, may change how the
 * right part is read. Elements are cut off backwards for that reason.
 */
#include "gate/hops.h"

/* ---- Lists, from the right ---- */

/* Where a walk stands: before it, to the left, is what was not yet read. */
struct walk {
	const struct ses_head *head;
	struct bytes name;
	bool quotes;  /* elements may hold quoted strings */
	size_t field; /* fields from this one on are used up */
	struct bytes rest;
};

static struct walk walk_of(const struct ses_head *head, const char *name,
			   bool quotes)
{
	return (struct walk){.head = head,
			     .name = bytes_of_str(name),
			     .quotes = quotes,
			     .field = head ? head->n_fields : 0};
}

/* Whether the byte at @i is escaped: an odd run of backslashes before it. */
static bool is_escaped(struct bytes b, size_t i)
{
	size_t run = 0;

	while (run < i && b.data[i - 1 - run] == '\\')
		run++;
	return run % 2 == 1;
}

/* Where the last element of @list begins; past the comma before it. */
static size_t last_element(struct bytes list, bool quotes)
{
	bool quoted = false;

	for (size_t i = list.len; i > 0; i--) {
		uint8_t c = list.data[i - 1];

		if (c == ',' && !quoted)
			return i;
		if (c == '"' && quotes && !(quoted && is_escaped(list, i - 1)))
			quoted = !quoted;
	}
	return 0;
}

/* The line before those that are used up. False: there is none. */
static bool previous_line(struct walk *w)
{
	while (w->field > 0) {
		const struct ses_field *field = &w->head->fields[--w->field];

		if (!bytes_equal_nocase(field->name, w->name))
			continue;
		w->rest = field->value;
		return true;
	}
	return false;
}

/* The next element to the left; lines of one name are one list. */
static bool previous(struct walk *w, struct bytes *ret)
{
	for (;;) {
		size_t from;

		if (w->rest.len == 0 && !previous_line(w))
			return false;
		from = last_element(w->rest, w->quotes);
		*ret = bytes_trim(bytes_from(w->rest, from));
		w->rest = bytes_first(w->rest, from ? from - 1 : 0);
		if (ret->len)
			return true;
	}
}

/* ---- One hop as text ---- */

enum node { NODE_ADDRESS, NODE_HIDDEN, NODE_WRONG };

static bool is_obfuscated(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = byte_lower(text.data[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    !(c && strchr("._-", c)))
			return false;
	}
	return text.len > 1 && text.data[0] == '_';
}

/* What may follow an address: nothing, or a port. */
static bool is_port(struct bytes text)
{
	uint64_t ignored;

	if (text.len == 0)
		return true;
	if (text.data[0] != ':')
		return false;
	text = bytes_from(text, 1);
	return bytes_to_u64(text, 65535, &ignored) || is_obfuscated(text);
}

static enum node read_bracketed(struct bytes text, struct gate_address *ret)
{
	ptrdiff_t bracket = bytes_find_byte(text, ']');
	struct bytes inner;

	if (bracket < 0 || !is_port(bytes_from(text, (size_t)bracket + 1)))
		return NODE_WRONG;
	inner = bytes_from(bytes_first(text, (size_t)bracket), 1);
	return bytes_find_byte(inner, ':') >= 0 && gate_address_read(inner, ret)
		       ? NODE_ADDRESS
		       : NODE_WRONG;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", "_x". */
static enum node read_node(struct bytes text, struct gate_address *ret)
{
	ptrdiff_t colon = bytes_find_byte(text, ':');
	struct bytes name =
		bytes_first(text, colon < 0 ? text.len : (size_t)colon);
	struct bytes port = bytes_from(text, name.len);

	if (text.len && text.data[0] == '[')
		return read_bracketed(text, ret);
	if (gate_address_read(text, ret))
		return NODE_ADDRESS;
	if (!is_port(port))
		return NODE_WRONG;
	if (bytes_equal_nocase(name, BYTES("unknown")) || is_obfuscated(name))
		return NODE_HIDDEN;
	return gate_address_read(name, ret) ? NODE_ADDRESS : NODE_WRONG;
}

/* ---- An element of Forwarded ---- */

/* A value without its quotes. None that counts here is longer. */
struct value {
	uint8_t text[64];
	size_t len;
	bool given;
};

struct element {
	struct value by_whom; /* for= */
	struct value proto;
};

static bool add(struct value *v, uint8_t c)
{
	/* What is too long is no address, and may not be cut to be one. */
	if (v->len == sizeof(v->text))
		return false;
	v->text[v->len++] = c;
	return true;
}

/* Cut a quoted string off, its first quote being gone. */
static bool read_quoted(struct bytes *in, struct value *v)
{
	while (in->len) {
		uint8_t c = in->data[0];

		*in = bytes_from(*in, 1);
		if (c == '"')
			return true;
		if (c == '\\') {
			if (!in->len)
				return false;
			c = in->data[0];
			*in = bytes_from(*in, 1);
		}
		if (!add(v, c))
			return false;
	}
	return false;
}

/*
 * Without quotes up to the next pair. More bytes than those of a token pass,
 * for many write an address with its port like that; they can only be wrong.
 */
static bool read_plain(struct bytes *in, struct value *v)
{
	while (in->len && !strchr("; \t", in->data[0])) {
		if (in->data[0] == '"' || !add(v, in->data[0]))
			return false;
		*in = bytes_from(*in, 1);
	}
	return v->len > 0;
}

/* A parameter of no interest, of any length. */
static bool skip_value(struct bytes *in)
{
	bool quoted = in->len && in->data[0] == '"';
	size_t i = quoted;

	for (; i < in->len; i++) {
		uint8_t c = in->data[i];

		if (quoted ? c == '"' : c == ';' || c == ' ' || c == '\t')
			break;
		if (quoted && c == '\\')
			i++;
		else if (!quoted && c == '"')
			return false;
	}
	if (quoted && i >= in->len)
		return false;
	*in = bytes_from(*in, i + quoted);
	return true;
}

static bool read_value(struct bytes *in, struct value *v)
{
	if (v->given) /* twice: which one would the next program take? */
		return false;
	v->given = true;
	if (!in->len || in->data[0] != '"')
		return read_plain(in, v);
	*in = bytes_from(*in, 1);
	return read_quoted(in, v);
}

/* "for=192.0.2.1" */
static bool read_pair(struct bytes *in, struct element *ret)
{
	ptrdiff_t equals = bytes_find_byte(*in, '=');
	struct bytes name = bytes_first(*in, equals < 0 ? 0 : (size_t)equals);

	if (!ses_is_token(name))
		return false;
	*in = bytes_from(*in, name.len + 1);
	if (bytes_equal_nocase(name, BYTES("for")))
		return read_value(in, &ret->by_whom);
	if (bytes_equal_nocase(name, BYTES("proto")))
		return read_value(in, &ret->proto);
	return skip_value(in);
}

/* "for=192.0.2.1;proto=https;by=_us"; pairs may be left empty. */
static bool read_element(struct bytes in, struct element *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (;;) {
		while (in.len && in.data[0] == ';')
			in = bytes_trim(bytes_from(in, 1));
		if (!in.len)
			return true;
		if (!read_pair(&in, ret))
			return false;
		in = bytes_trim(in);
		if (in.len && in.data[0] != ';')
			return false;
	}
}

/* ---- The way back ---- */

static bool is_trusted(const struct gate_hops_input *in,
		       const struct gate_address *address)
{
	for (size_t i = 0; i < in->n_trusted; i++)
		if (gate_network_has(&in->trusted[i], address))
			return true;
	return false;
}

static void take(struct gate_hops *h, const struct gate_address *address,
		 enum gate_hop_from from)
{
	h->hop[h->n++] = (struct gate_hop){*address, from};
	h->client = *address;
}

/* 1: by TLS; 0: not; -1: a word that tells neither. */
static int read_proto(struct bytes word)
{
	if (bytes_equal_nocase(word, BYTES("https")) ||
	    bytes_equal_nocase(word, BYTES("wss")))
		return 1;
	if (bytes_equal_nocase(word, BYTES("http")) ||
	    bytes_equal_nocase(word, BYTES("ws")))
		return 0;
	return -1;
}

/* What an entry says: which hop, and by which protocol that came. */
static enum node read_entry(const struct gate_hops_input *in, struct bytes entry,
			    struct gate_address *ret, int *proto)
{
	enum node node = NODE_HIDDEN;
	struct element e;

	if (in->field == GATE_HOPS_X_FORWARDED)
		return read_node(entry, ret);
	if (!read_element(entry, &e))
		return NODE_WRONG;
	if (e.by_whom.given)
		node = read_node(bytes_of(e.by_whom.text, e.by_whom.len), ret);
	if (node != NODE_WRONG)
		*proto = read_proto(bytes_of(e.proto.text, e.proto.len));
	return node;
}

static const char *field_name(enum gate_hops_field field)
{
	return field == GATE_HOPS_FORWARDED ? "Forwarded" : "X-Forwarded-For";
}

static void stop(struct gate_hops *h, enum gate_hops_end end, struct bytes at)
{
	h->end = end;
	h->stopped_at = at;
}

/* Returns what the last entry that was taken says of its protocol, or -1. */
static int follow_field(const struct gate_hops_input *in, struct gate_hops *h)
{
	struct walk w = walk_of(in->head, field_name(in->field),
				in->field == GATE_HOPS_FORWARDED);
	struct bytes entry;
	size_t taken = 0;
	int proto = -1;

	while (previous(&w, &entry)) {
		struct gate_address address;
		enum node node;

		if (!is_trusted(in, &h->client)) {
			stop(h, GATE_HOPS_UNTRUSTED, entry);
			break;
		}
		if (taken++ == GATE_MAX_HOPS) {
			stop(h, GATE_HOPS_TOO_MANY, entry);
			break;
		}
		node = read_entry(in, entry, &address, &proto);
		if (node != NODE_ADDRESS) {
			stop(h,
			     node == NODE_HIDDEN ? GATE_HOPS_HIDDEN
						 : GATE_HOPS_MALFORMED,
			     entry);
			break;
		}
		take(h, &address, GATE_HOP_FIELD);
	}
	return proto;
}

/*
 * X-Forwarded-Proto, when it is a list, has an entry for each hop as
 * X-Forwarded-For has, so it is counted as far; a hop that writes its own over
 * it leaves one entry, and that is the client's.
 */
static int count_proto(const struct ses_head *head, size_t hops)
{
	struct walk w = walk_of(head, "X-Forwarded-Proto", false);
	struct bytes entry = {NULL, 0};

	for (size_t i = 0; i < hops && previous(&w, &entry); i++)
		;
	return read_proto(entry);
}

static void follow_request(const struct gate_hops_input *in, struct gate_hops *h)
{
	size_t before = h->n, told;
	/* Whom the request came from: what it says of others counts, or not. */
	bool trusted = is_trusted(in, &h->client);
	int proto = follow_field(in, h);

	if (!trusted)
		return;
	told = h->n - before;
	if (in->field == GATE_HOPS_X_FORWARDED)
		proto = count_proto(in->head, told ? told : 1);
	if (proto >= 0)
		h->tls = proto;
	else if (told || h->end == GATE_HOPS_HIDDEN)
		h->tls = false;
}

static void follow_proxy(const struct gate_hops_input *in, struct gate_hops *h)
{
	struct gate_address source;

	if (!in->proxy || !in->proxy->family)
		return;
	if (!is_trusted(in, &in->peer)) {
		stop(h, GATE_HOPS_UNTRUSTED, bytes_of(NULL, 0));
		return;
	}
	memcpy(source.bytes, in->proxy->source, sizeof(source.bytes));
	take(h, &source, GATE_HOP_PROXY);
	h->tls = h->tls || in->proxy->tls;
}

void gate_hops_read(const struct gate_hops_input *input,
		    struct gate_hops *ret_hops)
{
	struct gate_hops *h = ret_hops;

	h->n = 0;
	h->end = GATE_HOPS_ALL;
	h->field = input->field;
	h->stopped_at = bytes_of(NULL, 0);
	h->tls = input->tls;
	take(h, &input->peer, GATE_HOP_PEER);
	follow_proxy(input, h);
	if (input->head)
		follow_request(input, h);
	gate_address_format(&h->client, h->client_text);
}

/* ---- For people ---- */

struct line {
	char *out;
	size_t size, len;
};

static void put(struct line *line, const char *text)
{
	size_t room = line->size - line->len, len = strlen(text);

	if (len >= room)
		len = room - 1;
	memcpy(line->out + line->len, text, len);
	line->len += len;
	line->out[line->len] = '\0';
}

static void put_hop(struct line *line, const struct gate_hops *h, size_t i)
{
	const struct gate_hop *hop = &h->hop[i];
	char text[GATE_ADDRESS_TEXT];

	put(line, i ? ", " : "");
	put(line, gate_address_format(&hop->address, text));
	put(line, hop->from == GATE_HOP_PEER	    ? " (connected)"
		  : hop->from == GATE_HOP_PROXY	    ? " (PROXY header)"
		  : h->field == GATE_HOPS_FORWARDED ? " (Forwarded)"
						    : " (X-Forwarded-For)");
}

static const char *why_ended(enum gate_hops_end end)
{
	switch (end) {
	case GATE_HOPS_UNTRUSTED:
		return "said by a hop that is not trusted";
	case GATE_HOPS_HIDDEN:
		return "it hides the address";
	case GATE_HOPS_MALFORMED:
		return "it is no address";
	default:
		return "there are more hops than are read";
	}
}

char *gate_hops_format(const struct gate_hops *hops, char *out, size_t size)
{
	struct line line = {out, size, 0};
	char entry[64];

	out[0] = '\0';
	for (size_t i = 0; i < hops->n; i++)
		put_hop(&line, hops, i);
	if (hops->end == GATE_HOPS_ALL)
		return out;
	put(&line, "; not read: ");
	if (hops->stopped_at.data) {
		put(&line,
		    bytes_printable(hops->stopped_at, entry, sizeof(entry)));
		put(&line, " in ");
		put(&line, field_name(hops->field));
	} else {
		put(&line, "the PROXY header");
	}
	put(&line, ", ");
	put(&line, why_ended(hops->end));
	return out;
}
