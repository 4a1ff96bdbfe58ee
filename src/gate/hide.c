/* SPDX-License-Identifier: MIT */
/*
 * Hiding by place, by name and by looks, in this order of certainty. Hiding
 * too much costs a reader a moment, too little costs a token.
 */
#include "gate/hide.h"

#include "base/percent.h"
#include "wire/url.h"

#define RAW_MAX 4096 /* bytes of one value that are written down */

/* What has been written so far, not yet printable. */
struct raw {
	uint8_t data[RAW_MAX];
	size_t len;
};

static void put(struct raw *raw, struct bytes in)
{
	size_t room = sizeof(raw->data) - raw->len;
	struct bytes part = bytes_first(in, room);

	if (part.len)
		memcpy(raw->data + raw->len, part.data, part.len);
	raw->len += part.len;
}

/* ---- Names and looks ---- */

static bool is_secret_name(struct bytes name)
{
	static const char *const parts[] = {
		"token", "secret", "passw", "auth",	  "jwt",    "key",
		"sig",	 "ticket", "sess",  "credential", "cookie", "pwd",
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (bytes_contains_nocase(name, bytes_of_str(parts[i])))
			return true;
	return bytes_equal_nocase(name, BYTES("sid")) ||
	       bytes_equal_nocase(name, BYTES("code"));
}

static bool is_letter(uint8_t c)
{
	c = byte_lower(c);
	return c >= 'a' && c <= 'z';
}

/* Long, with digits among its letters: words are not like that. */
static bool looks_secret(struct bytes value)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < value.len; i++) {
		digits += value.data[i] >= '0' && value.data[i] <= '9';
		letters += is_letter(value.data[i]);
	}
	/* "eyJ" is what a JWT begins with: {" in base64url. */
	return (value.len >= 20 && digits >= 2 && letters >= 2) ||
	       (value.len > 10 && bytes_starts(value, BYTES("eyJ")));
}

static bool is_configured(const struct gate_token_settings *s,
			  enum gate_place_kind kind, struct bytes name)
{
	for (size_t i = 0; s && i < s->n_from; i++)
		if (s->from[i].kind == kind &&
		    bytes_equal_nocase(name, s->from[i].name))
			return true;
	return false;
}

/* ---- The query ---- */

static bool is_secret_parameter(const struct gate_token_settings *s,
				struct bytes encoded, struct bytes value)
{
	uint8_t room[128];
	struct bytes name;

	/* A name that long is nobody's; better not to look at its value. */
	if (encoded.len > sizeof(room))
		return true;
	name = bytes_of(room, ses_percent_decode(encoded, room));
	/* by its place, any value may be one that is not plainly none */
	return is_secret_name(name) || is_configured(s, GATE_FROM_QUERY, name) ||
	       !ses_url_is_plain_value(value);
}

static void put_query(struct raw *raw, const struct gate_token_settings *s,
		      struct bytes query)
{
	struct bytes before = query, name, value;
	bool has_equals;

	for (; gate_query_next(&query, &name, &value); before = query) {
		has_equals = bytes_find_byte(
				     bytes_first(before, before.len - query.len),
				     '=') >= 0;
		/* One without a "=" is a value that stands by itself. */
		put(raw, !has_equals && !ses_url_is_plain_value(name)
				 ? BYTES("***")
				 : name);
		if (has_equals)
			put(raw, BYTES("="));
		put(raw, value.len && is_secret_parameter(s, name, value)
				 ? BYTES("***")
				 : value);
		if (query.len)
			put(raw, BYTES("&"));
	}
}

static void put_target(struct raw *raw, const struct gate_token_settings *s,
		       struct bytes target)
{
	ptrdiff_t mark = bytes_find_byte(target, '?');

	if (mark < 0) {
		put(raw, target);
		return;
	}
	put(raw, bytes_first(target, (size_t)mark + 1));
	put_query(raw, s, bytes_from(target, (size_t)mark + 1));
}

char *gate_hide_target(const struct gate_token_settings *settings,
		       struct bytes target, char *out, size_t size)
{
	struct raw raw;

	raw.len = 0;
	put_target(&raw, settings, target);
	return bytes_printable(bytes_of(raw.data, raw.len), out, size);
}

/* ---- URLs ---- */

static ptrdiff_t last_at(struct bytes in)
{
	ptrdiff_t at = (ptrdiff_t)in.len - 1;

	while (at >= 0 && in.data[at] != '@')
		at--;
	return at;
}

/* Of "redis://", or of "redis:" where slashes are missing; 0: of nothing. */
static size_t scheme_len(struct bytes url)
{
	ptrdiff_t colon = bytes_find_byte(url, ':');
	size_t n = (size_t)(colon + 1);

	while (n && n < url.len && url.data[n] == '/')
		n++;
	return n;
}

static void put_url(struct raw *raw, struct bytes url)
{
	ptrdiff_t at = last_at(url);
	size_t scheme = scheme_len(url);

	if (scheme && at > (ptrdiff_t)scheme) {
		put(raw, bytes_first(url, scheme));
		put(raw, BYTES("***"));
		url = bytes_from(url, (size_t)at);
	}
	if (bytes_contains_nocase(url, BYTES("://")) || at >= 0)
		put_target(raw, NULL, url);
	else
		put(raw, url);
}

char *gate_hide_url(struct bytes text, char *out, size_t size)
{
	struct raw raw;

	raw.len = 0;
	put_url(&raw, text);
	return bytes_printable(bytes_of(raw.data, raw.len), out, size);
}

static bool ends_word(uint8_t c)
{
	return c <= ' ' || strchr("`\"'(),", c);
}

char *gate_hide_urls(struct bytes sentence, char *out, size_t size)
{
	struct raw raw;

	raw.len = 0;
	while (sentence.len) {
		size_t n = 0;

		while (n < sentence.len && !ends_word(sentence.data[n]))
			n++;
		put_url(&raw, bytes_first(sentence, n));
		put(&raw, bytes_first(bytes_from(sentence, n), 1));
		sentence = bytes_from(sentence, n + 1);
	}
	return bytes_printable(bytes_of(raw.data, raw.len), out, size);
}

/* ---- Fields ---- */

/* "Bearer ***": the scheme helps, when it is one. */
static void put_authorization(struct raw *raw, struct bytes value)
{
	static const char *const schemes[] = {"Bearer", "Basic", "Digest",
					      "Token", "Negotiate"};
	ptrdiff_t blank = bytes_find_byte(value, ' ');
	struct bytes scheme = bytes_first(value, blank < 0 ? 0 : (size_t)blank);

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (bytes_equal_nocase(scheme, bytes_of_str(schemes[i]))) {
			put(raw, scheme);
			put(raw, BYTES(" "));
		}
	}
	put(raw, BYTES("***"));
}

/* The names alone: which cookies are secrets, only their maker knows. */
static void put_cookies(struct raw *raw, struct bytes cookies)
{
	struct bytes name, value;
	bool first = true;

	while (gate_cookie_next(&cookies, &name, &value)) {
		if (!first)
			put(raw, BYTES("; "));
		first = false;
		if (value.len) {
			put(raw, name);
			put(raw, BYTES("=***"));
		} else {
			put(raw, BYTES("***"));
		}
	}
}

static const struct gate_from *subprotocol_of(const struct gate_token_settings *s)
{
	for (size_t i = 0; s && i < s->n_from; i++)
		if (s->from[i].kind == GATE_FROM_SUBPROTOCOL)
			return &s->from[i];
	return NULL;
}

static void put_offers(struct raw *raw, const struct gate_token_settings *s,
		       struct bytes value)
{
	struct ses_field field = {BYTES("Sec-WebSocket-Protocol"), value};
	struct gate_asked asked = {&field, 1, bytes_of(NULL, 0)};
	struct gate_offers own, usual;
	bool first = true;

	/* Both read the same offers, each with its own marker. */
	gate_offers_init(&own, &asked, subprotocol_of(s));
	gate_offers_init(&usual, &asked, NULL);
	while (gate_offers_next(&own) && gate_offers_next(&usual)) {
		struct bytes token = own.token.len ? own.token : usual.token;

		if (!first)
			put(raw, BYTES(", "));
		first = false;
		if (!token.len && looks_secret(own.offer))
			token = own.offer;
		put(raw, bytes_first(own.offer, own.offer.len - token.len));
		if (token.len)
			put(raw, BYTES("***"));
	}
}

char *gate_hide_field(const struct gate_token_settings *settings,
		      struct bytes name, struct bytes value, char *out,
		      size_t size)
{
	struct raw raw;

	raw.len = 0;
	if (bytes_equal_nocase(name, BYTES("Authorization")) ||
	    bytes_equal_nocase(name, BYTES("Proxy-Authorization")))
		put_authorization(&raw, value);
	else if (bytes_equal_nocase(name, BYTES("Cookie")))
		put_cookies(&raw, value);
	else if (bytes_equal_nocase(name, BYTES("Sec-WebSocket-Protocol")))
		put_offers(&raw, settings, value);
	else if (bytes_equal_nocase(name, BYTES("Referer")))
		put_target(&raw, settings, value);
	else if (bytes_equal_nocase(name, BYTES("Sec-WebSocket-Key")))
		put(&raw, value); /* it is called a key, and opens nothing */
	else if (is_configured(settings, GATE_FROM_FIELD, name) ||
		 is_secret_name(name))
		put(&raw, BYTES("***"));
	else
		put(&raw, value);
	return bytes_printable(bytes_of(raw.data, raw.len), out, size);
}
