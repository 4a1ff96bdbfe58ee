/* SPDX-License-Identifier: MIT */
/* Reading the fields, cookies, parameters and subprotocols of a handshake. */
#include "gate/places.h"

#include "base/percent.h"
#include "wire/head.h"

/* ---- The configuration's words ---- */

static const struct prefix {
	const char *word;
	enum gate_place_kind kind;
} prefixes[] = {
	{"header:", GATE_FROM_FIELD},
	{"cookie:", GATE_FROM_COOKIE},
	{"query:", GATE_FROM_QUERY},
	{"subprotocol:", GATE_FROM_SUBPROTOCOL},
};

/* Fields that mean something else, whatever is in them. */
static const char *const taken[] = {
	"connection", "content-length",
	"cookie",     "host",
	"origin",     "te",
	"trailer",    "transfer-encoding",
	"upgrade",    "proxy-authorization",
	"forwarded",
};

static const char *field_fault(struct bytes name)
{
	if (bytes_equal_nocase(name, BYTES("authorization")))
		return "is written as header alone, for Bearer and Basic";
	if (bytes_starts(name, BYTES("sec-")) ||
	    bytes_starts(name, BYTES("Sec-")))
		return "names a field of the handshake itself";
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(taken[i])))
			return "names a field that means something else";
	return NULL;
}

static const char *name_fault(const struct gate_from *from)
{
	if (!ses_is_token(from->name) || from->name.len > 64)
		return "needs a name of up to 64 letters, digits and marks "
		       "after its colon";
	if (from->kind == GATE_FROM_FIELD)
		return field_fault(from->name);
	for (size_t i = 0; i < from->name.len; i++)
		if (from->kind == GATE_FROM_QUERY &&
		    strchr("&%+#", from->name.data[i]))
			return "has a name that no query can hold unencoded";
	return NULL;
}

const char *gate_from_read(struct gate_from *from)
{
	struct bytes text = bytes_of_str(from->text);

	if (bytes_equal_str(text, "header")) {
		from->kind = GATE_FROM_AUTHORIZATION;
		from->name = BYTES("Authorization");
		return NULL;
	}
	if (bytes_equal_str(text, "subprotocol")) {
		from->kind = GATE_FROM_SUBPROTOCOL;
		from->name = BYTES("bearer");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct bytes word = bytes_of_str(prefixes[i].word);

		if (!bytes_starts(text, word))
			continue;
		from->kind = prefixes[i].kind;
		from->name = bytes_from(text, word.len);
		return name_fault(from);
	}
	return "is none of header, header:NAME, cookie:NAME, query:NAME, "
	       "subprotocol and subprotocol:MARKER";
}

/* ---- Fields ---- */

static enum gate_finding find_field(const struct gate_asked *asked,
				    struct bytes name, struct bytes *ret_value)
{
	enum gate_finding found = GATE_FOUND_NONE;

	for (size_t i = 0; i < asked->n_fields; i++) {
		if (!bytes_equal_nocase(asked->fields[i].name, name))
			continue;
		if (found != GATE_FOUND_NONE)
			return GATE_FOUND_SEVERAL;
		*ret_value = asked->fields[i].value;
		found = ret_value->len ? GATE_FOUND_TOKEN : GATE_FOUND_EMPTY;
	}
	return found;
}

/* A scheme as it may be shown; what is not known could be a secret itself. */
static struct bytes known_scheme(struct bytes scheme)
{
	static const char *const known[] = {
		"Digest", "Negotiate", "NTLM", "Token", "JWT",
		"ApiKey", "Api-Key",   "Key",  "DPoP",	"AWS4-HMAC-SHA256"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_equal_nocase(scheme, bytes_of_str(known[i])))
			return scheme;
	return bytes_of(NULL, 0);
}

static enum gate_finding find_authorization(const struct gate_asked *asked,
					    struct bytes *ret_value)
{
	struct bytes value = bytes_of(NULL, 0), scheme;
	enum gate_finding found =
		find_field(asked, BYTES("Authorization"), &value);
	ptrdiff_t blank = bytes_find_byte(value, ' ');

	if (found != GATE_FOUND_TOKEN)
		return found;
	scheme = bytes_first(value, blank < 0 ? value.len : (size_t)blank);
	*ret_value = bytes_trim(bytes_from(value, scheme.len));
	if (bytes_equal_nocase(scheme, BYTES("Bearer")))
		return ret_value->len ? GATE_FOUND_TOKEN : GATE_FOUND_EMPTY;
	if (bytes_equal_nocase(scheme, BYTES("Basic")))
		return GATE_FOUND_BASIC;
	*ret_value = known_scheme(scheme);
	return GATE_FOUND_SCHEME;
}

/* ---- Cookies ---- */

static bool next_part(struct bytes *rest, uint8_t separator,
		      struct bytes *ret_name, struct bytes *ret_value)
{
	ptrdiff_t end, equals;
	struct bytes part;

	if (rest->len == 0)
		return false;
	end = bytes_find_byte(*rest, separator);
	part = bytes_first(*rest, end < 0 ? rest->len : (size_t)end);
	*rest = bytes_from(*rest, part.len + 1);
	equals = bytes_find_byte(part, '=');
	*ret_name = bytes_first(part, equals < 0 ? part.len : (size_t)equals);
	*ret_value = bytes_from(part, ret_name->len + 1);
	return true;
}

bool gate_cookie_next(struct bytes *cookies, struct bytes *ret_name,
		      struct bytes *ret_value)
{
	if (!next_part(cookies, ';', ret_name, ret_value))
		return false;
	*ret_name = bytes_trim(*ret_name);
	*ret_value = bytes_trim(*ret_value);
	return true;
}

static enum gate_finding find_cookie(const struct gate_asked *asked,
				     struct bytes name, struct bytes *ret_value)
{
	enum gate_finding found = GATE_FOUND_NONE;

	for (size_t i = 0; i < asked->n_fields; i++) {
		struct bytes rest = asked->fields[i].value, one, value;

		if (!bytes_equal_nocase(asked->fields[i].name, BYTES("Cookie")))
			continue;
		while (gate_cookie_next(&rest, &one, &value)) {
			if (!bytes_equal(one, name))
				continue;
			if (found != GATE_FOUND_NONE)
				return GATE_FOUND_SEVERAL;
			*ret_value = value;
			found = value.len ? GATE_FOUND_TOKEN : GATE_FOUND_EMPTY;
		}
	}
	return found;
}

/* ---- Query ---- */

struct bytes gate_query_of(struct bytes target)
{
	ptrdiff_t mark = bytes_find_byte(target, '?');

	return bytes_from(target, mark < 0 ? target.len : (size_t)mark + 1);
}

bool gate_query_next(struct bytes *query, struct bytes *ret_name,
		     struct bytes *ret_value)
{
	return next_part(query, '&', ret_name, ret_value);
}

bool gate_query_name_is(struct bytes encoded, struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (encoded.len == 0 ||
		    ses_percent_next(&encoded) != name.data[i])
			return false;
	return encoded.len == 0;
}

struct bytes gate_query_get(struct bytes target, const char *name)
{
	struct bytes query = gate_query_of(target), one, value;

	while (gate_query_next(&query, &one, &value))
		if (gate_query_name_is(one, bytes_of_str(name)))
			return value.data ? value : BYTES("");
	return bytes_of(NULL, 0);
}

static enum gate_finding find_parameter(const struct gate_asked *asked,
					struct bytes name, uint8_t *room,
					struct bytes *ret_value)
{
	struct bytes query = gate_query_of(asked->target), one, value;
	enum gate_finding found = GATE_FOUND_NONE;

	while (gate_query_next(&query, &one, &value)) {
		if (!gate_query_name_is(one, name))
			continue;
		if (found != GATE_FOUND_NONE)
			return GATE_FOUND_SEVERAL;
		*ret_value = value;
		found = value.len ? GATE_FOUND_TOKEN : GATE_FOUND_EMPTY;
	}
	/* One that is longer is too long however it is spelt. */
	if (found == GATE_FOUND_TOKEN && ret_value->len <= GATE_CREDENTIAL_MAX)
		*ret_value =
			bytes_of(room, ses_percent_decode(*ret_value, room));
	return found;
}

/* ---- Subprotocols ---- */

void gate_offers_init(struct gate_offers *o, const struct gate_asked *asked,
		      const struct gate_from *from)
{
	*o = (struct gate_offers){
		.asked = asked, .marker = from ? from->name : BYTES("bearer")};
}

static bool next_offer(struct gate_offers *o)
{
	while (!bytes_next_element(&o->rest, &o->offer)) {
		if (o->field == o->asked->n_fields)
			return false;
		if (bytes_equal_nocase(o->asked->fields[o->field].name,
				       BYTES("Sec-WebSocket-Protocol")))
			o->rest = o->asked->fields[o->field].value;
		o->field++;
	}
	return true;
}

bool gate_offers_next(struct gate_offers *o)
{
	size_t len = o->marker.len;

	if (!next_offer(o))
		return false;
	o->token = bytes_of(NULL, 0);
	o->is_marker = false;
	if (o->marked) {
		o->token = o->offer;
		o->marked = false;
	} else if (bytes_equal_nocase(o->offer, o->marker)) {
		o->is_marker = o->marked = true;
	} else if (o->offer.len > len + 1 && o->offer.data[len] == '.' &&
		   bytes_equal_nocase(bytes_first(o->offer, len), o->marker)) {
		o->token = bytes_from(o->offer, len + 1);
	}
	return true;
}

static enum gate_finding find_offer(const struct gate_from *from,
				    const struct gate_asked *asked,
				    struct bytes *ret_value)
{
	enum gate_finding found = GATE_FOUND_NONE;
	struct gate_offers o;

	gate_offers_init(&o, asked, from);
	while (gate_offers_next(&o)) {
		if (o.is_marker && found == GATE_FOUND_NONE)
			found = GATE_FOUND_EMPTY;
		if (!o.token.len)
			continue;
		if (found == GATE_FOUND_TOKEN)
			return GATE_FOUND_SEVERAL;
		*ret_value = o.token;
		found = GATE_FOUND_TOKEN;
	}
	return found;
}

enum gate_finding gate_place_find(const struct gate_from *from,
				  const struct gate_asked *asked,
				  uint8_t room[GATE_CREDENTIAL_MAX],
				  struct bytes *ret_value)
{
	switch (from->kind) {
	case GATE_FROM_AUTHORIZATION:
		return find_authorization(asked, ret_value);
	case GATE_FROM_FIELD:
		return find_field(asked, from->name, ret_value);
	case GATE_FROM_COOKIE:
		return find_cookie(asked, from->name, ret_value);
	case GATE_FROM_QUERY:
		return find_parameter(asked, from->name, room, ret_value);
	default:
		return find_offer(from, asked, ret_value);
	}
}
