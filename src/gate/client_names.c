/* SPDX-License-Identifier: MIT */
/*
 * Names of certificates are compared part by part, as RFC 4514 separates
 * them, so that no value can pass for two parts. What was too long to be kept
 * whole may be anybody's name: it admits nobody, and every entry that excludes
 * by such a name excludes its bearer.
 */
#include "gate/client_names.h"

#include <string.h>

#include "net/tls.h"

/* ---- Certificates ---- */

static const struct {
	struct bytes word;
	char what;
} sorts[] = {
	{BYTES("subject:"), 's'},
	{BYTES("issuer:"), 'i'},
	{BYTES("san:dns:"), 'd'},
	{BYTES("san:ip:"), 'a'},
};

/* What an entry is about, and its pattern; 0: nothing known. */
static char sort_of(struct bytes entry, struct bytes *ret_pattern)
{
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (!bytes_starts(entry, sorts[i].word))
			continue;
		*ret_pattern = bytes_from(entry, sorts[i].word.len);
		return sorts[i].what;
	}
	return 0;
}

const char *gate_certificate_rule_read(struct gate_rule *rule)
{
	struct bytes s = bytes_of_str(rule->text), pattern = s;
	struct gate_address address;
	char what;

	rule->negative = s.len && s.data[0] == '!';
	rule->glob = s = bytes_from(s, rule->negative);
	what = sort_of(s, &pattern);
	if (!what)
		return "begins with none of subject:, issuer:, san:dns: and "
		       "san:ip:";
	if (!pattern.len || pattern.len > 256)
		return "needs a pattern of 1 to 256 bytes";
	if ((what == 's' || what == 'i') && bytes_find_byte(pattern, '=') <= 0)
		return "needs the part of the name that it is about, as in "
		       "subject:CN=alice";
	if (what == 'a' && !gate_address_read(pattern, &address))
		return "needs an address";
	if (what == 'd' &&
	    bytes_find_byte(
		    bytes_from(pattern, bytes_starts(pattern, BYTES("*."))),
		    '*') >= 0)
		return "may have a wildcard only as its whole first label, as "
		       "in *.example.org";
	return NULL;
}

/* The next part of "CN=a\,b,O=c"; false: that was all. */
static bool next_part(struct bytes *name, struct bytes *ret_part)
{
	size_t i = 0;

	if (!name->len)
		return false;
	while (i < name->len && name->data[i] != ',' && name->data[i] != '+')
		i += name->data[i] == '\\' ? 2 : 1;
	if (i > name->len)
		i = name->len;
	*ret_part = bytes_first(*name, i);
	*name = bytes_from(*name, i + 1);
	return true;
}

static bool name_has(const char *text, size_t room,
		     const struct gate_rule *rule, struct bytes pattern)
{
	struct bytes name = bytes_of_str(text), part;

	if (name.len + 1 >= room)
		return rule->negative; /* cut */
	if (bytes_equal(name, pattern))
		return true;
	while (next_part(&name, &part))
		if (gate_glob_has(pattern, bytes_trim(part)))
			return true;
	return false;
}

static bool dns_has(struct bytes pattern, struct bytes name)
{
	ptrdiff_t dot = bytes_find_byte(name, '.');

	if (!bytes_starts(pattern, BYTES("*.")))
		return bytes_equal_nocase(pattern, name);
	return dot > 0 && bytes_equal_nocase(bytes_from(pattern, 1),
					     bytes_from(name, (size_t)dot));
}

static bool alternative_has(const struct ses_tls_info *tls, char what,
			    const struct gate_rule *rule, struct bytes pattern)
{
	struct gate_address wanted, have;

	if (tls->more_names && rule->negative)
		return true;

	for (size_t i = 0; i < tls->n_names; i++) {
		struct bytes name = bytes_of_str(tls->names[i]);

		if (name.len + 1 >= sizeof(tls->names[i])) {
			if (rule->negative && what == 'd')
				return true;
			continue;
		}
		if (what == 'd' && dns_has(pattern, name))
			return true;
		if (what == 'a' && gate_address_read(name, &have) &&
		    gate_address_read(pattern, &wanted) &&
		    memcmp(&have, &wanted, sizeof(have)) == 0)
			return true;
	}
	return false;
}

bool gate_certificate_has(const struct gate_rule *rule,
			  const struct ses_tls_info *tls)
{
	struct bytes pattern = bytes_of(NULL, 0);
	char what = sort_of(rule->glob, &pattern);

	if (!tls || tls->verify != SES_TLS_OK)
		return false;
	if (what == 's')
		return name_has(tls->subject, sizeof(tls->subject), rule,
				pattern);
	if (what == 'i')
		return name_has(tls->issuer, sizeof(tls->issuer), rule, pattern);
	return alternative_has(tls, what, rule, pattern);
}

bool gate_certificate_admitted(const struct gate_rules *rules,
			       const struct ses_tls_info *tls,
			       const struct gate_rule **ret_rule)
{
	/* A list of exclusions alone is for all others who have one. */
	bool admitted = tls && tls->verify == SES_TLS_OK &&
			(tls->subject[0] || tls->n_names);

	*ret_rule = NULL;
	for (size_t i = 0; i < rules->n; i++) {
		const struct gate_rule *rule = &rules->rule[i];
		bool has = gate_certificate_has(rule, tls);

		if (has && rule->negative) {
			*ret_rule = rule;
			return false;
		}
		if (!rule->negative && !*ret_rule) {
			admitted = has;
			*ret_rule = has ? rule : NULL;
		}
	}
	return admitted;
}

/* ---- Subprotocols ---- */

static const struct gate_token_settings *token_of(const struct gate_route *route)
{
	static const struct gate_token_settings none;

	return route->token ? route->token : &none;
}

/* What of a request is offered, but for tokens and their markers. */
struct plain_offers {
	struct gate_offers all;
	bool has_tokens;
};

static void begin_offers(struct plain_offers *o, const struct gate_route *route,
			 const struct gate_asked *asked)
{
	const struct gate_token_settings *token = token_of(route);
	const struct gate_from *from = NULL;

	for (size_t i = 0; i < token->n_from && !from; i++)
		if (token->from[i].kind == GATE_FROM_SUBPROTOCOL)
			from = &token->from[i];
	o->has_tokens = from != NULL;
	gate_offers_init(&o->all, asked, from);
}

static bool next_offer(struct plain_offers *o, struct bytes *ret_offer)
{
	while (gate_offers_next(&o->all)) {
		if (o->has_tokens && (o->all.is_marker || o->all.token.len))
			continue;
		*ret_offer = o->all.offer;
		return true;
	}
	return false;
}

static const struct gate_rule *find_entry(const struct gate_rules *rules,
					  struct bytes name)
{
	for (size_t i = 0; i < rules->n; i++)
		if (bytes_equal(rules->rule[i].glob, name))
			return &rules->rule[i];
	return NULL;
}

const struct gate_rule *gate_subprotocol_rule(const struct gate_route *route,
					      const struct gate_asked *asked)
{
	const struct gate_rule *rule = NULL;
	struct plain_offers o;
	struct bytes offer;
	bool any = false;

	begin_offers(&o, route, asked);
	while (!rule && next_offer(&o, &offer)) {
		any = true;
		/* "none" as an entry is for those who offer nothing */
		if (!bytes_equal(offer, BYTES("none")))
			rule = find_entry(&route->subprotocols, offer);
	}
	return any ? rule : find_entry(&route->subprotocols, BYTES("none"));
}

struct bytes gate_first_offer(const struct gate_route *route,
			      const struct gate_asked *asked)
{
	struct plain_offers o;
	struct bytes offer;

	begin_offers(&o, route, asked);
	return next_offer(&o, &offer) ? offer : bytes_of(NULL, 0);
}

int gate_subprotocols_write(const struct gate_route *route,
			    const struct gate_asked *asked, bool all,
			    struct ses_buf *out, struct bytes *ret_fallback)
{
	struct bytes list, offer;
	struct ses_buf plain;
	bool first = true;
	int r;

	ses_buf_init(&plain, 64 * 1024);
	r = gate_offers_write(token_of(route), asked, &plain, ret_fallback);
	list = ses_buf_bytes(&plain);
	while (r >= 0 && bytes_next_element(&list, &offer)) {
		if (!all && route->subprotocols.line &&
		    (!find_entry(&route->subprotocols, offer) ||
		     bytes_equal(offer, BYTES("none"))))
			continue;
		r = ses_buf_printf(out, "%s%.*s", first ? "" : ", ",
				   BYTES_ARG(offer));
		first = false;
	}
	ses_buf_fini(&plain);
	return r;
}

struct bytes gate_chosen_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked, bool all)
{
	struct bytes offer, fallback = bytes_of(NULL, 0);
	struct plain_offers o;
	struct ses_buf ignored;

	begin_offers(&o, route, asked);
	while (next_offer(&o, &offer))
		if (all || !route->subprotocols.line ||
		    find_entry(&route->subprotocols, offer))
			return offer;
	ses_buf_init(&ignored, 64 * 1024);
	gate_offers_write(token_of(route), asked, &ignored, &fallback);
	ses_buf_fini(&ignored);
	return fallback;
}
