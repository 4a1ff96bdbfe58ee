/* SPDX-License-Identifier: MIT */
/* Tokens may stand among the offers; they are no subprotocols. */
#include "gate/subprotocols.h"

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

/* "none" as an entry is for those who offer nothing, here too. */
static bool is_let_in(const struct gate_route *route, struct bytes offer)
{
	return !route->subprotocols.line ||
	       (!bytes_equal(offer, BYTES("none")) &&
		find_entry(&route->subprotocols, offer));
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
		if (!all && !is_let_in(route, offer))
			continue;
		r = ses_buf_printf(out, "%s%.*s", first ? "" : ", ",
				   BYTES_ARG(offer));
		first = false;
	}
	ses_buf_fini(&plain);
	return r;
}

bool gate_offers_subprotocol(const struct gate_route *route,
			     const struct gate_asked *asked, struct bytes name,
			     bool all)
{
	struct plain_offers o;
	struct bytes offer;

	begin_offers(&o, route, asked);
	while (next_offer(&o, &offer))
		if (bytes_equal(offer, name))
			return all || is_let_in(route, offer);
	return false;
}

struct bytes gate_chosen_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked, bool all)
{
	struct plain_offers o;
	struct bytes offer;

	begin_offers(&o, route, asked);
	while (next_offer(&o, &offer))
		if (all || is_let_in(route, offer))
			return offer;
	return gate_marker_subprotocol(route, asked);
}

struct bytes gate_marker_subprotocol(const struct gate_route *route,
				     const struct gate_asked *asked)
{
	struct bytes fallback = bytes_of(NULL, 0);
	struct ses_buf ignored;

	ses_buf_init(&ignored, 64 * 1024);
	gate_offers_write(token_of(route), asked, &ignored, &fallback);
	ses_buf_fini(&ignored);
	return fallback;
}
