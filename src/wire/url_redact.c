/* SPDX-License-Identifier: MIT */
/*
 * Any text that should have been a URL, without its secrets. Redaction errs on
 * the side of hiding, since its text ends up in tickets: of a query the names
 * stay, and of the values those that plainly are none. No list of names knows
 * them all, so the list is of what may be shown.
 */
#include "wire/url.h"

#include "base/percent.h"
#include "wire/pen.h"

#define LONGEST_NAME 32 /* of a parameter that is called by it */

/* Names that mean a secret wherever they stand within a parameter's name. */
static const char *const secret_parts[] = {
	"token",      "secret",	    "password",	 "passwd",    "passphrase",
	"apikey",     "authoriz",   "jwt",	 "signature", "bearer",
	"credential", "session",    "ticket",	 "cookie",    "accesskey",
	"authkey",    "privatekey", "clientkey", "sharedkey", "assertion",
	"csrf",	      "xsrf",	    NULL};
/* Names that mean one only when they are the whole name. */
static const char *const secret_names[] = {
	"key", "sig", "sid",  "code",  "pwd", "pw",   "pass", "auth", "otp",
	"pin", "mac", "hmac", "nonce", "sas", "sess", "ssid", NULL};
/* And when the name ends in them: nobody can list every vendor's key. A
 * monkey that is hidden costs less than a key that is not. */
static const char *const secret_ends[] = {"key", "auth", "pass", NULL};

static bool ends_in(struct bytes name, struct bytes end)
{
	return name.len >= end.len &&
	       bytes_equal(bytes_from(name, name.len - end.len), end);
}

/* "Access%5fToken[]" becomes "accesstoken". */
static struct bytes plain_name(struct bytes name, uint8_t out[64])
{
	size_t n = 0;

	while (name.len && n < 64) {
		uint8_t c = byte_lower(ses_percent_next(&name));

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	return bytes_of(out, n);
}

static bool is_secret_name(struct bytes name)
{
	uint8_t room[64];

	name = plain_name(name, room);
	for (const char *const *part = secret_parts; *part; part++)
		if (bytes_contains_nocase(name, bytes_of_str(*part)))
			return true;
	for (const char *const *word = secret_names; *word; word++)
		if (bytes_equal_str(name, *word))
			return true;
	for (const char *const *end = secret_ends; *end; end++)
		if (ends_in(name, bytes_of_str(*end)))
			return true;
	return false;
}

/* A JSON Web Token gives itself away, whatever its parameter is called. */
static bool is_secret_value(struct bytes value)
{
	return value.len > 16 && bytes_starts(value, BYTES("eyJ"));
}

static bool is_byte_of(uint8_t c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "13", "v2", "2.0.0": numbers of one or two digits. */
static bool is_version(struct bytes value)
{
	size_t digits = 0, n = value.len > 0 && value.data[0] == 'v';

	if (value.len > 11)
		return false;
	for (; n < value.len; n++) {
		if (is_digit(value.data[n]))
			digits++;
		else if (value.data[n] == '.' && digits > 0)
			digits = 0;
		else
			return false;
		if (digits > 2)
			return false;
	}
	return digits > 0;
}

bool ses_url_is_plain_value(struct bytes value)
{
	/* what switches something, transports and ways to write messages */
	static const char *const words[] = {"true",	    "false",
					    "yes",	    "no",
					    "on",	    "off",
					    "null",	    "none",
					    "undefined",    "websocket",
					    "websockets",   "ws",
					    "wss",	    "polling",
					    "longpolling",  "long-polling",
					    "xhr",	    "sse",
					    "eventsource",  "serversentevents",
					    "webtransport", "json",
					    "text",	    "plain",
					    "xml",	    "binary",
					    "blob",	    "arraybuffer",
					    "msgpack",	    "messagepack",
					    "protobuf",	    "cbor",
					    "utf8",	    "utf-8",
					    "base64",	    "gzip",
					    "deflate",	    "js",
					    "javascript",   "web",
					    "browser"};

	/* two characters keep nothing secret */
	if (value.len <= 2 || is_version(value))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(value, bytes_of_str(words[i])))
			return true;
	return false;
}

bool ses_url_is_plain_name(struct bytes name)
{
	size_t digits = 0;

	for (size_t i = 0; i < name.len; i++)
		digits += is_digit(name.data[i]);
	/* a token in the place of a name: long, with digits in it */
	return name.len <= LONGEST_NAME && (name.len < 12 || digits < 3) &&
	       !is_secret_value(name);
}

static size_t span_until(struct bytes in, const char *set)
{
	size_t n = 0;

	while (n < in.len && !is_byte_of(in.data[n], set))
		n++;
	return n;
}

/* Past the scheme and its slashes, however they were mistyped. */
static size_t authority_start(struct bytes text)
{
	size_t n = span_until(text, ":;|/\\?#@"), m = n;

	while (m < text.len && is_byte_of(text.data[m], ":;|/\\"))
		m++;
	for (size_t i = n; i < m; i++)
		if (is_byte_of(text.data[i], "/\\"))
			return m;
	/* "ws:ann:secret@host" against "ann:secret@host" */
	if (bytes_equal_nocase(bytes_first(text, n), BYTES("ws")) ||
	    bytes_equal_nocase(bytes_first(text, n), BYTES("wss")))
		return m;
	return 0;
}

static bool all_digits(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		if (in.data[i] < '0' || in.data[i] > '9')
			return false;
	return true;
}

/* The last @ of @in, or -1. */
static ptrdiff_t find_last_at(struct bytes in)
{
	ptrdiff_t at = (ptrdiff_t)in.len - 1;

	while (at >= 0 && in.data[at] != '@')
		at--;
	return at;
}

/*
 * The length of the userinfo that @rest begins with, or -1. A password that
 * holds a raw "/", "?" or "#" reaches past the authority: what stands after a
 * colon there and is no port belongs to it.
 */
static ptrdiff_t userinfo_len(struct bytes rest)
{
	struct bytes authority = bytes_first(rest, span_until(rest, "/\\?#"));
	ptrdiff_t at = find_last_at(authority);
	ptrdiff_t colon = bytes_find_byte(authority, ':');

	if (at >= 0 || colon < 0 || authority.data[0] == '[' ||
	    all_digits(bytes_from(authority, (size_t)colon + 1)))
		return at;
	return find_last_at(rest);
}

static void put_userinfo(struct pen *p, struct bytes userinfo)
{
	ptrdiff_t colon = bytes_find_byte(userinfo, ':');

	if (colon >= 0) {
		put_bytes(p, bytes_first(userinfo, (size_t)colon + 1));
		put(p, "***");
	} else if (userinfo.len >= 16) { /* a token, not a name */
		put(p, "***");
	} else {
		put_bytes(p, userinfo);
	}
}

static void put_value(struct pen *p, struct bytes value, bool known_only)
{
	put_bytes(p, known_only			     ? value
		     : ses_url_is_plain_value(value) ? value
						     : BYTES("***"));
}

static void put_pair(struct pen *p, struct bytes pair, bool known_only)
{
	size_t equals = span_until(pair, "=");
	struct bytes name = bytes_first(pair, equals), value;

	if (equals == pair.len) {
		if (is_secret_value(pair))
			put(p, "***");
		else
			/* a name, or a value alone */
			put_value(p, pair, known_only);
		return;
	}
	value = bytes_from(pair, equals + 1);
	put_bytes(p, known_only || ses_url_is_plain_name(name) ? name
							       : BYTES("***"));
	put(p, "=");
	if (value.len > 0 && (is_secret_name(name) || is_secret_value(value)))
		put(p, "***");
	else
		put_value(p, value, known_only);
}

/*
 * Pairs between ?, & and ;. What is behind a # is for the page alone, and no
 * server's business: an access token of OAuth stands there.
 */
static void put_pairs(struct pen *p, struct bytes rest, bool known_only)
{
	while (rest.len > 0) {
		size_t n;

		put_bytes(p, bytes_first(rest, 1));
		if (rest.data[0] == '#' && rest.len > 1 && !known_only) {
			put(p, "***");
			return;
		}
		rest = bytes_from(rest, 1);
		n = span_until(rest, "?&;#");
		put_pair(p, bytes_first(rest, n), known_only);
		if (n == rest.len)
			return;
		rest = bytes_from(rest, n);
	}
}

/* @known_only: what may be a secret and may be none is shown. */
static int redact(struct bytes text, bool known_only, char *out, size_t size)
{
	struct pen p = pen_on(out, size);
	size_t start = authority_start(text);
	struct bytes rest = bytes_from(text, start);
	ptrdiff_t userinfo;
	size_t path;

	if (start == text.len)
		rest = bytes_of(NULL, 0);
	put_bytes(&p, bytes_first(text, start));
	userinfo = rest.len > 0 ? userinfo_len(rest) : -1;
	if (userinfo >= 0) {
		put_userinfo(&p, bytes_first(rest, (size_t)userinfo));
		rest = bytes_from(rest, (size_t)userinfo);
	}
	path = span_until(rest, "?#");
	put_bytes(&p, bytes_first(rest, path));
	if (path < rest.len)
		put_pairs(&p, bytes_from(rest, path), known_only);
	return finish(&p);
}

int ses_url_redact(struct bytes text, char *out, size_t size)
{
	return redact(text, false, out, size);
}

bool ses_url_has_secret(struct bytes text)
{
	char out[8192];

	return redact(text, true, out, sizeof(out)) < 0 ||
	       !bytes_equal_str(text, out);
}
