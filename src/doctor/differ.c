/* SPDX-License-Identifier: MIT */
/*
 * Two requests are flattened to lists of parts and compared by name; what
 * differs is put in words that hold no secret.
 */
#include "doctor/differ.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/redact.h"
#include "doctor/request.h"
#include "doctor/withhold.h"

/* ---- a request as a list ---- */

static void add(struct doctor_items *l, enum doctor_part part,
		struct bytes name, struct bytes value)
{
	struct doctor_item *item = &l->item[l->n];

	if (l->n == DOCTOR_MAX_ITEMS)
		return;
	*item = (struct doctor_item){part, name, value, 0, false};
	for (size_t i = 0; i < l->n; i++)
		item->nth += l->item[i].part == part &&
			     bytes_equal_nocase(l->item[i].name, name);
	l->n++;
}

static void add_text(struct doctor_items *l, enum doctor_part part,
		     const char *name, const char *value)
{
	if (value)
		add(l, part, bytes_of_str(name), bytes_of_str(value));
}

/* "a=1; b=2" or "a=1&b=2": a part for each. */
static void add_pairs(struct doctor_items *l, enum doctor_part part,
		      struct bytes list, const char *between)
{
	while (list.len > 0) {
		size_t n = 0;
		struct bytes pair;
		ptrdiff_t equals;

		while (n < list.len && !strchr(between, list.data[n]))
			n++;
		pair = bytes_trim(bytes_first(list, n));
		equals = bytes_find_byte(pair, '=');
		if (pair.len > 0)
			add(l, part,
			    bytes_first(pair,
					equals < 0 ? pair.len : (size_t)equals),
			    pair);
		list = bytes_from(list, n + 1);
	}
}

static enum doctor_part part_of(const struct doctor_header *h)
{
	struct bytes name = bytes_of_str(h->name);

	if (doctor_is_handshake_field(name))
		return DOCTOR_PART_HANDSHAKE;
	if (doctor_is_public(name))
		return DOCTOR_PART_PUBLIC;
	if (bytes_equal_nocase(name, BYTES("Authorization")) ||
	    doctor_is_secret_name(name) ||
	    doctor_looks_random(bytes_of_str(h->value)))
		return DOCTOR_PART_SECRET;
	return DOCTOR_PART_FIELD;
}

static void add_headers(struct doctor_items *l)
{
	const struct doctor_case *c = l->c;

	for (size_t i = 0; i < c->n_headers; i++) {
		struct bytes name = bytes_of_str(c->header[i].name);
		struct bytes value = bytes_of_str(c->header[i].value);

		if (bytes_equal_nocase(name, BYTES("Cookie")))
			add_pairs(l, DOCTOR_PART_COOKIE, value, ";");
		else
			add(l, part_of(&c->header[i]), name, value);
	}
}

static void add_url(struct doctor_items *l)
{
	const struct ses_url *u = &l->c->url;

	add_text(l, DOCTOR_PART_SCHEME, "", u->tls ? "wss" : "ws");
	add(l, DOCTOR_PART_URL_HOST, BYTES(""), u->host);
	/* the usual port goes with the scheme */
	if (u->port != (u->tls ? 443 : 80))
		snprintf(l->port, sizeof(l->port), "%u", u->port);
	add_text(l, DOCTOR_PART_PORT, "", l->port);
	add(l, DOCTOR_PART_PATH, BYTES(""), u->path.len ? u->path : BYTES("/"));
	add_pairs(l, DOCTOR_PART_QUERY, u->query, "&");
}

static void add_way(struct doctor_items *l)
{
	const struct doctor_case *c = l->c;

	add_text(l, DOCTOR_PART_PROXY, "", c->proxy);
	add_text(l, DOCTOR_PART_CERT, "", c->cert_file);
	add_text(l, DOCTOR_PART_TRUST, "--cacert", c->ca_file);
	add_text(l, DOCTOR_PART_TRUST, "--insecure", c->insecure ? "" : NULL);
	add_text(l, DOCTOR_PART_WAY, "--source", c->source);
	if (c->connect_host)
		snprintf(l->connect, sizeof(l->connect), "%s:%u",
			 c->connect_host, c->connect_port);
	add_text(l, DOCTOR_PART_WAY, "--connect-to",
		 c->connect_host ? l->connect : NULL);
	add_text(l, DOCTOR_PART_WAY, "the address family",
		 c->family == 4	  ? "4"
		 : c->family == 6 ? "6"
				  : NULL);
}

static void flatten(struct doctor_items *l, const struct doctor_case *c)
{
	struct doctor_offers offers = {.rest = bytes_of_str(c->subprotocols)};

	l->c = c;
	l->n = 0;
	l->port[0] = 0;
	add_text(l, DOCTOR_PART_ORIGIN, "", c->origin);
	add_text(l, DOCTOR_PART_USER_AGENT, "",
		 *c->user_agent ? c->user_agent : NULL);
	add_text(l, DOCTOR_PART_HOST, "", c->host);
	while (doctor_next_offer(&offers)) {
		add(l, DOCTOR_PART_SUBPROTOCOL, offers.one, offers.one);
		l->item[l->n - 1].secret |= offers.secret;
	}
	add_headers(l);
	add_url(l);
	add_way(l);
}

/* ---- what differs ---- */

/* Names of fields alone are the same in other letters. */
static bool same_name(const struct doctor_item *a, const struct doctor_item *b)
{
	bool field = a->part == DOCTOR_PART_SECRET ||
		     a->part == DOCTOR_PART_HANDSHAKE ||
		     a->part == DOCTOR_PART_FIELD ||
		     a->part == DOCTOR_PART_PUBLIC;

	return field ? bytes_equal_nocase(a->name, b->name)
		     : bytes_equal(a->name, b->name);
}

static bool is_field(enum doctor_part part)
{
	return part == DOCTOR_PART_SECRET || part == DOCTOR_PART_FIELD;
}

/* A field is the same one, whether or not its value looks like a secret. */
static bool same_item(const struct doctor_item *a, const struct doctor_item *b)
{
	return (a->part == b->part || (is_field(a->part) && is_field(b->part))) &&
	       a->nth == b->nth && same_name(a, b);
}

static const struct doctor_item *find(const struct doctor_items *l,
				      const struct doctor_item *wanted)
{
	for (size_t i = 0; i < l->n; i++)
		if (same_item(&l->item[i], wanted))
			return &l->item[i];
	return NULL;
}

static void note(struct doctor_differ *d, const struct doctor_item *from,
		 const struct doctor_item *to)
{
	enum doctor_part part = from && to && from->part > to->part ? to->part
				: from				    ? from->part
								    : to->part;

	d->one[d->n++] = (struct doctor_difference){part, from, to, 0};
}

static int by_part(const void *a, const void *b)
{
	const struct doctor_difference *x = a, *y = b;

	return (int)x->part - (int)y->part;
}

void doctor_differ(struct doctor_differ *d, const struct doctor_case *mine,
		   const struct doctor_case *other)
{
	flatten(&d->mine, mine);
	flatten(&d->other, other);
	d->n = 0;
	for (size_t i = 0; i < d->mine.n; i++) {
		const struct doctor_item *from = &d->mine.item[i];
		const struct doctor_item *to = find(&d->other, from);

		if (!to || !bytes_equal(from->value, to->value))
			note(d, from, to);
	}
	for (size_t i = 0; i < d->other.n; i++)
		if (!find(&d->mine, &d->other.item[i]))
			note(d, NULL, &d->other.item[i]);
	qsort(d->one, d->n, sizeof(d->one[0]), by_part);
	for (size_t i = 0; i < d->n; i++)
		d->one[i].bit = i < DOCTOR_MAX_DIFFERENCES
					? (unsigned)i
					: DOCTOR_MAX_DIFFERENCES - 1;
	d->n_bits = d->n ? d->one[d->n - 1].bit + 1 : 0;
}

uint64_t doctor_differ_all(const struct doctor_differ *d)
{
	return d->n_bits == 64 ? UINT64_MAX : (UINT64_C(1) << d->n_bits) - 1;
}

/* ---- in words ---- */

static const char *part_word(enum doctor_part part)
{
	switch (part) {
	case DOCTOR_PART_COOKIE:
		return "cookie";
	case DOCTOR_PART_QUERY:
		return "parameter";
	case DOCTOR_PART_SUBPROTOCOL:
		return "subprotocol";
	default:
		return "field";
	}
}

/* Texts of parts that there is one of; %s stands for a value to be shown. */
static const struct {
	const char *with, *without;
} single[DOCTOR_N_PARTS] = {
	[DOCTOR_PART_ORIGIN] = {"Origin: %s", "no Origin"},
	[DOCTOR_PART_USER_AGENT] = {"User-Agent: %s", "no User-Agent"},
	[DOCTOR_PART_PATH] = {"path %s", "path /"},
	[DOCTOR_PART_HOST] = {"Host: %s", "the URL's own Host"},
	[DOCTOR_PART_URL_HOST] = {"the host %s", "no host"},
	[DOCTOR_PART_SCHEME] = {"%s:// as scheme", ""},
	[DOCTOR_PART_PORT] = {"port %s", "the usual port"},
	[DOCTOR_PART_CERT] = {"the client certificate",
			      "no client certificate"},
	[DOCTOR_PART_PROXY] = {"the proxy", "no proxy"},
};

static char *single_text(const struct doctor_difference *one, char *out,
			 size_t size)
{
	bool with = one->to && one->to->value.len > 0;
	const char *text =
		with ? single[one->part].with : single[one->part].without;
	const char *place = strstr(text, "%s");
	char value[200];

	if (!place)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, "%.*s%s%s", (int)(place - text), text,
			 bytes_printable(one->to->value, value, sizeof(value)),
			 place + 2);
	return out;
}

char *doctor_difference_text(const struct doctor_difference *one, char *out,
			     size_t size)
{
	const struct doctor_item *item = one->to ? one->to : one->from;
	char name[120];

	if (single[one->part].with)
		return single_text(one, out, size);
	bytes_printable(item->name, name, sizeof(name));
	if (one->part == DOCTOR_PART_TRUST || one->part == DOCTOR_PART_WAY)
		snprintf(out, size, "%s%s", one->to ? "" : "without ", name);
	else
		snprintf(out, size, "%sthe %s \"%s\"%s",
			 one->to ? "" : "without ", part_word(one->part), name,
			 one->from && one->to ? " with another value" : "");
	return out;
}

/* ---- as an experiment ---- */

static const struct doctor_difference *only(const struct doctor_differ *d,
					    uint64_t bits)
{
	const struct doctor_difference *found = NULL;

	for (size_t i = 0; i < d->n; i++) {
		if (!doctor_applies(&d->one[i], bits))
			continue;
		if (found)
			return NULL;
		found = &d->one[i];
	}
	return found;
}

static bool name_trial(struct doctor_trial *t, enum doctor_change change,
		       struct bytes value)
{
	if (value.len >= sizeof(t->value))
		return false;
	t->change = change;
	snprintf(t->value, sizeof(t->value), "%.*s", BYTES_ARG(value));
	return true;
}

/* The usual experiment that a difference alone amounts to. */
static bool usual_trial(const struct doctor_differ *d,
			const struct doctor_difference *one,
			struct doctor_trial *t)
{
	struct bytes to = one->to ? one->to->value : bytes_of(NULL, 0);

	switch (one->part) {
	case DOCTOR_PART_ORIGIN:
		return name_trial(t, one->to ? DOCTOR_ORIGIN : DOCTOR_NO_ORIGIN,
				  to);
	case DOCTOR_PART_USER_AGENT:
		return one->to && name_trial(t, DOCTOR_USER_AGENT, to);
	case DOCTOR_PART_HOST:
		return one->to && name_trial(t, DOCTOR_HOST, to);
	case DOCTOR_PART_PATH:
		return name_trial(t, DOCTOR_PATH, to);
	case DOCTOR_PART_SCHEME:
		return name_trial(t, DOCTOR_SCHEME, to);
	case DOCTOR_PART_PORT:
		return to.len && name_trial(t, DOCTOR_PORT, to);
	case DOCTOR_PART_SUBPROTOCOL: /* where it is the only one */
		return !one->from && !d->mine.c->subprotocols &&
		       name_trial(t, DOCTOR_SUBPROTOCOL, to);
	case DOCTOR_PART_FIELD:
	case DOCTOR_PART_HANDSHAKE:
		return !one->to &&
		       name_trial(t, DOCTOR_NO_HEADER, one->from->name);
	default:
		return false;
	}
}

static unsigned count(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

/* "Origin: https://a, the cookie "sid" and 5 more" */
static void list(const struct doctor_differ *d, uint64_t bits, char *out,
		 size_t size)
{
	unsigned all = count(bits), told = 0;
	size_t n = 0;
	char text[300];

	out[0] = 0;
	for (size_t i = 0; i < d->n && (told < 3 || all == 4); i++) {
		if (!doctor_applies(&d->one[i], bits))
			continue;
		doctor_difference_text(&d->one[i], text, sizeof(text));
		if (strlen(text) > 90)
			memcpy(text + 87, "...", 4);
		told++;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
				      told == 1	    ? ""
				      : told == all ? " and "
						    : ", ",
				      text);
		if (told == all)
			return;
	}
	snprintf(out + n, size - n, " and %u more", all - told);
}

/* "1-7, 12": which of the differences. */
static char *ranges(uint64_t bits, char *out, size_t size)
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned from = 0, to; from < 64 && n + 8 < size; from = to + 1) {
		to = from;
		if (!(bits >> from & 1))
			continue;
		while (to < 63 && bits >> (to + 1) & 1)
			to++;
		n += (size_t)snprintf(out + n, size - n, "%s%u", n ? ", " : "",
				      from + 1);
		if (to > from)
			n += (size_t)snprintf(out + n, size - n, "-%u", to + 1);
	}
	return out;
}

void doctor_differ_trial(const struct doctor_differ *d, uint64_t bits,
			 struct doctor_trial *ret)
{
	const struct doctor_difference *one = only(d, bits);
	char text[400], numbers[100];

	*ret = (struct doctor_trial){.parts = bits};
	if (one && usual_trial(d, one, ret))
		return;
	list(d, bits, text, sizeof(text));
	ret->change = DOCTOR_AS_WORKS;
	if (bits == doctor_differ_all(d) && count(bits) > 1)
		snprintf(ret->value, sizeof(ret->value), "all that differs");
	else if (count(bits) > 4) /* two such texts could be the same */
		snprintf(ret->value, sizeof(ret->value), "%s (%s)", text,
			 ranges(bits, numbers, sizeof(numbers)));
	else
		snprintf(ret->value, sizeof(ret->value), "%s", text);
}
