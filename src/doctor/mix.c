/* SPDX-License-Identifier: MIT */
/*
 * A request of two. Where it goes decides which credentials it may carry: those
 * whose own request goes to the same scheme, host, port and Host, by a way no
 * less safe.
 */
#include "doctor/mix.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/redact.h"

/* ---- whose a part is ---- */

/* The difference that concerns @item, of mine or the other's, or NULL. */
static const struct doctor_difference *
difference_of(const struct doctor_differ *d, const struct doctor_item *item)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->one[i].from == item || d->one[i].to == item)
			return &d->one[i];
	return NULL;
}

/* Whether the part called so is to be the other's. */
static bool is_others(const struct doctor_differ *d, uint64_t bits,
		      enum doctor_part part, const char *name)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_difference *one = &d->one[i];
		const struct doctor_item *item = one->to ? one->to : one->from;

		if (one->part == part && doctor_applies(one, bits) &&
		    bytes_equal_str(item->name, name))
			return true;
	}
	return false;
}

static const struct doctor_case *owner(const struct doctor_differ *d,
				       uint64_t bits, enum doctor_part part,
				       const char *name)
{
	return is_others(d, bits, part, name) ? d->other.c : d->mine.c;
}

/* ---- what may go along ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_host_field(const struct doctor_case *a,
			    const struct doctor_case *b)
{
	char x[512], y[512];

	if (a->host || b->host)
		return a->host && b->host && strcasecmp(a->host, b->host) == 0;
	return ses_url_host_field(&a->url, x, sizeof(x)) == 0 &&
	       ses_url_host_field(&b->url, y, sizeof(y)) == 0 &&
	       strcasecmp(x, y) == 0;
}

/* Whether what @c may carry may go where @to goes, too. */
static bool leads_to_same(const struct doctor_case *c,
			  const struct doctor_case *to)
{
	return c->url.tls == to->url.tls && c->url.port == to->url.port &&
	       bytes_equal_nocase(c->url.host, to->url.host) &&
	       same_host_field(c, to) &&
	       same_text(c->connect_host, to->connect_host) &&
	       c->connect_port == to->connect_port &&
	       (c->insecure || !to->insecure) &&
	       (c->url.tls || same_text(c->proxy, to->proxy));
}

static bool is_harmless(const struct doctor_item *item)
{
	struct bytes value = item->value;

	switch (item->part) {
	case DOCTOR_PART_SUBPROTOCOL:
		return !item->secret;
	case DOCTOR_PART_QUERY:
		return !doctor_is_secret_pair(value) &&
		       !doctor_looks_random(
			       bytes_from(value, item->name.len + 1));
	case DOCTOR_PART_HANDSHAKE:
	case DOCTOR_PART_PUBLIC:
		return true;
	default:
		return false;
	}
}

/* While a mixed request is put together. */
struct mixing {
	const struct doctor_differ *d;
	uint64_t bits;
	struct doctor_mix *m;
	bool mine_may, other_may; /* whose credentials it may carry */
	int error;
};

/* Whether @item, which @others says whose it is, may go along. */
static bool may_go(struct mixing *x, const struct doctor_item *item, bool others)
{
	/* what both say belongs to both */
	bool shared = !difference_of(x->d, item);
	bool may = is_harmless(item) || (others ? x->other_may : x->mine_may) ||
		   (shared && x->other_may);

	x->m->withheld |= !may;
	return may;
}

/* Call @take for each item of @part that the mixed request has. */
static void each(struct mixing *x, enum doctor_part part,
		 void (*take)(struct mixing *x, const struct doctor_item *item))
{
	for (size_t i = 0; i < x->d->mine.n; i++) {
		const struct doctor_item *item = &x->d->mine.item[i];
		const struct doctor_difference *one = difference_of(x->d, item);
		bool others = doctor_applies(one, x->bits);

		if (item->part != part)
			continue;
		if (others)
			item = one->to;
		if (item && may_go(x, item, others))
			take(x, item);
	}
	for (size_t i = 0; i < x->d->other.n; i++) {
		const struct doctor_item *item = &x->d->other.item[i];
		const struct doctor_difference *one = difference_of(x->d, item);

		if (item->part == part && one && !one->from &&
		    doctor_applies(one, x->bits) && may_go(x, item, true))
			take(x, item);
	}
}

/* ---- part by part ---- */

static void append(struct mixing *x, char *list, size_t size, const char *glue,
		   struct bytes value)
{
	size_t n = strlen(list);

	if (value.len + strlen(glue) + 1 > size - n)
		x->error = SESAME_ELIMIT;
	else
		sprintf(list + n, "%s%.*s", n ? glue : "", BYTES_ARG(value));
}

static void take_cookie(struct mixing *x, const struct doctor_item *item)
{
	append(x, x->m->cookie, sizeof(x->m->cookie), "; ", item->value);
}

static void take_parameter(struct mixing *x, const struct doctor_item *item)
{
	append(x, x->m->query, sizeof(x->m->query), "&", item->value);
}

static void take_protocol(struct mixing *x, const struct doctor_item *item)
{
	append(x, x->m->protocols, sizeof(x->m->protocols), ", ", item->value);
}

static void add_header(struct mixing *x, const char *name, const char *value)
{
	struct doctor_case *c = &x->m->c;

	if (c->n_headers == DOCTOR_MAX_HEADERS) {
		x->error = SESAME_ELIMIT;
		return;
	}
	/* borrowed, and never changed: the case ends before its lenders */
	c->header[c->n_headers].name = (char *)(uintptr_t)name;
	c->header[c->n_headers++].value = (char *)(uintptr_t)value;
}

/* A field's name and value are whole texts of a case. */
static void take_field(struct mixing *x, const struct doctor_item *item)
{
	add_header(x, (const char *)item->name.data,
		   (const char *)item->value.data);
}

static void mix_way(struct mixing *x)
{
	const struct doctor_differ *d = x->d;
	struct doctor_case *c = &x->m->c;
	const struct doctor_case *o;

	o = owner(d, x->bits, DOCTOR_PART_PROXY, "");
	c->proxy = o->proxy;
	c->proxy_from = o->proxy_from;
	c->ca_file = owner(d, x->bits, DOCTOR_PART_TRUST, "--cacert")->ca_file;
	c->insecure =
		owner(d, x->bits, DOCTOR_PART_TRUST, "--insecure")->insecure;
	c->source = owner(d, x->bits, DOCTOR_PART_WAY, "--source")->source;
	c->family =
		owner(d, x->bits, DOCTOR_PART_WAY, "the address family")->family;
	o = owner(d, x->bits, DOCTOR_PART_WAY, "--connect-to");
	c->connect_host = o->connect_host;
	c->connect_port = o->connect_port;
}

/* All of the URL but its query, which depends on where the rest leads. */
static void mix_url(struct mixing *x)
{
	const struct doctor_differ *d = x->d;
	struct ses_url *u = &x->m->c.url;
	const struct ses_url *from;

	u->userinfo = bytes_of(NULL, 0); /* it became a field long ago */
	u->http = false;
	u->tls = owner(d, x->bits, DOCTOR_PART_SCHEME, "")->url.tls;
	from = &owner(d, x->bits, DOCTOR_PART_URL_HOST, "")->url;
	u->host = from->host;
	u->host_kind = from->host_kind;
	from = &owner(d, x->bits, DOCTOR_PART_PORT, "")->url;
	u->port = from->port == (from->tls ? 443 : 80) ? (u->tls ? 443 : 80)
						       : from->port;
	u->port_given = u->port != (u->tls ? 443 : 80);
	u->path = owner(d, x->bits, DOCTOR_PART_PATH, "")->url.path;
}

static void mix_certificate(struct mixing *x)
{
	const struct doctor_case *o = owner(x->d, x->bits, DOCTOR_PART_CERT, "");
	bool may = o == x->d->mine.c ? x->mine_may : x->other_may;

	x->m->withheld |= o->cert_file && !may;
	x->m->c.cert_file = may ? o->cert_file : NULL;
	x->m->c.key_file = may ? o->key_file : NULL;
}

/* The URL as text again, which everything else is read from. */
static void write_url(struct mixing *x)
{
	struct doctor_case *c = &x->m->c;

	each(x, DOCTOR_PART_QUERY, take_parameter);
	c->url.query = bytes_of_str(x->m->query[0] ? x->m->query : NULL);
	if (ses_url_write(&c->url, x->m->url, sizeof(x->m->url)) < 0) {
		x->error = SESAME_ELIMIT;
		return;
	}
	c->url_text = x->m->url;
	if (ses_url_parse(bytes_of_str(x->m->url), &c->url, &c->url_fault,
			  &c->url_fault_at) < 0)
		x->error = SESAME_ELIMIT;
}

static void mix_fields(struct mixing *x)
{
	static const enum doctor_part fields[] = {
		DOCTOR_PART_SECRET, DOCTOR_PART_HANDSHAKE, DOCTOR_PART_FIELD,
		DOCTOR_PART_PUBLIC};
	struct doctor_case *c = &x->m->c;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		each(x, fields[i], take_field);
	each(x, DOCTOR_PART_COOKIE, take_cookie);
	if (x->m->cookie[0])
		add_header(x, "Cookie", x->m->cookie);
	each(x, DOCTOR_PART_SUBPROTOCOL, take_protocol);
	c->subprotocols = x->m->protocols[0] ? x->m->protocols : NULL;
}

int doctor_differ_mix(const struct doctor_differ *d, uint64_t bits,
		      struct doctor_mix *ret)
{
	struct mixing x = {.d = d, .bits = bits, .m = ret};
	struct doctor_case *c = &ret->c;

	ret->withheld = false;
	ret->url[0] = ret->query[0] = ret->cookie[0] = ret->protocols[0] = 0;
	*c = *d->mine.c;
	c->n_headers = 0;
	c->url_fault = 0;
	c->origin = owner(d, bits, DOCTOR_PART_ORIGIN, "")->origin;
	c->user_agent = owner(d, bits, DOCTOR_PART_USER_AGENT, "")->user_agent;
	c->host = owner(d, bits, DOCTOR_PART_HOST, "")->host;
	mix_way(&x);
	mix_url(&x);
	x.mine_may = leads_to_same(d->mine.c, c);
	x.other_may = leads_to_same(d->other.c, c);
	mix_certificate(&x);
	write_url(&x);
	mix_fields(&x);
	return x.error;
}
