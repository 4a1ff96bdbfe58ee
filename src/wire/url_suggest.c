/* SPDX-License-Identifier: MIT */
/*
 * What a mistyped URL probably meant. Every fault that can be mended has one
 * small mend; they are applied one after another until the URL reads well, so
 * " wws:/x y" is mended four times.
 */
#include "wire/url.h"

#define MENDS_MAX 256

struct draft {
	char *text; /* no NUL while it is worked on */
	size_t len, size;
	size_t at; /* where the fault stands */
};

static struct bytes content(const struct draft *d)
{
	return bytes_of(d->text, d->len);
}

static uint8_t byte_at(const struct draft *d, size_t i)
{
	return i < d->len ? (uint8_t)d->text[i] : 0;
}

static bool is_one_of(uint8_t c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

/* Put @in where @drop bytes stand now. False when there is no room. */
static bool splice(struct draft *d, size_t at, size_t drop, const char *in)
{
	size_t n = strlen(in);

	if (at > d->len || drop > d->len - at)
		return false;
	if (n > drop && n - drop >= d->size - d->len) /* room for a NUL */
		return false;
	memmove(d->text + at + n, d->text + at + drop, d->len - at - drop);
	memcpy(d->text + at, in, n);
	d->len = d->len - drop + n;
	return true;
}

static size_t span(const struct draft *d, size_t from, const char *set)
{
	size_t n = 0;

	while (is_one_of(byte_at(d, from + n), set))
		n++;
	return n;
}

static size_t span_until(const struct draft *d, size_t from, const char *set)
{
	size_t n = 0;

	while (from + n < d->len && !is_one_of(byte_at(d, from + n), set))
		n++;
	return n;
}

/* The word that the text begins with. */
static size_t scheme_len(const struct draft *d)
{
	return span_until(d, 0, ":;|,=/\\?#[ ");
}

/*
 * Where the host begins: after the word, its colon and slashes. Colons after
 * the slashes belong to an IPv6 address.
 */
static size_t host_start(const struct draft *d)
{
	size_t word = scheme_len(d), n = word + span(d, word, ":;|,=/\\");
	size_t slash = n;

	if (!is_one_of(byte_at(d, word), ":;|,=/\\"))
		return 0;
	while (slash > word && !is_one_of(byte_at(d, slash - 1), "/\\"))
		slash--;
	return slash > word ? slash : n;
}

/* ---- which scheme? ---- */

static bool is_near(struct bytes host)
{
	return bytes_starts(host, BYTES("localhost")) ||
	       bytes_starts(host, BYTES("127.")) ||
	       bytes_starts(host, BYTES("10.")) ||
	       bytes_starts(host, BYTES("192.168.")) ||
	       bytes_starts(host, BYTES("[::1]")) ||
	       bytes_starts(host, BYTES("0.0.0.0"));
}

/* The port that @after (the scheme) names, or 0. */
static unsigned port_in(struct bytes after)
{
	size_t n = 0, start;
	uint64_t port;

	while (n < after.len && !is_one_of(after.data[n], "/?#"))
		n++;
	for (start = n; start > 0 && after.data[start - 1] != ':';)
		start--;
	if (start == 0 || !bytes_to_u64(bytes_of(after.data + start, n - start),
					UINT16_MAX, &port))
		return 0;
	return (unsigned)port;
}

/* Public hosts speak TLS; a port of its own, or a near host, mostly does not. */
static const char *likely_scheme(struct bytes after, bool port_says_plain)
{
	unsigned port = port_in(after);

	if (port == 443 || port == 8443)
		return "wss";
	if (port == 80 || is_near(after) || (port > 0 && port_says_plain))
		return "ws";
	return "wss";
}

static bool mend_scheme(struct draft *d)
{
	size_t n = scheme_len(d);
	struct bytes after = bytes_from(content(d), host_start(d));

	if (n == 0 || !bytes_starts(bytes_from(content(d), n), BYTES("://")))
		return false;
	/* "w", "sw", "ww": too short to have been wss. */
	return splice(d, 0, n, likely_scheme(after, n <= 2));
}

static bool mend_scheme_missing(struct draft *d)
{
	const char *scheme;

	if (!splice(d, 0, span(d, 0, ":/\\"), "") || d->len == 0)
		return false;
	scheme = likely_scheme(content(d), true);
	return splice(d, 0, 0, "://") && splice(d, 0, 0, scheme);
}

static bool mend_http(struct draft *d)
{
	size_t n = scheme_len(d);

	return splice(d, 0, n, n == strlen("https") ? "wss" : "ws");
}

/* Keep the one that is ws or wss, or else the first. */
static bool mend_scheme_twice(struct draft *d)
{
	size_t first = host_start(d);
	size_t word = span_until(d, first, ":/");
	size_t second = first + word + span(d, first + word, ":/");

	if (byte_at(d, first) == 'w' || byte_at(d, first) == 'W') {
		if (byte_at(d, first + word) != ':')
			return splice(d, first + word, 0, ":") &&
			       splice(d, 0, first, "");
		return splice(d, 0, first, "");
	}
	return splice(d, first, second - first, "");
}

static bool mend_separator(struct draft *d)
{
	size_t n = scheme_len(d);

	return splice(d, n, span(d, n, ":;|,=/\\"), "://");
}

/* ---- what copying left behind ---- */

static bool mend_ends(struct draft *d)
{
	size_t n = span(d, 0, " \t\r\n\v\f");

	if (!splice(d, 0, n, ""))
		return false;
	while (d->len > 0 && is_one_of(byte_at(d, d->len - 1), " \t\r\n\v\f"))
		d->len--;
	return true;
}

/* Quotes of one byte, or of two or three in UTF-8. */
static bool mend_quotes(struct draft *d)
{
	size_t n = 1;

	if (d->at == 0) {
		while ((byte_at(d, n) & 0xc0) == 0x80)
			n++;
		if (!splice(d, 0, n, ""))
			return false;
	}
	while (d->len > 0 && is_one_of(byte_at(d, d->len - 1), "\"'`>),;"))
		d->len--;
	while (d->len > 2 && (byte_at(d, d->len - 1) & 0x80) &&
	       byte_at(d, d->len - 3) == 0xe2)
		d->len -= 3;
	return d->len > 0;
}

static bool drop_byte(struct draft *d)
{
	return splice(d, d->at, 1, "");
}

static bool mend_invisible(struct draft *d)
{
	size_t n = ses_url_invisible(bytes_from(content(d), d->at));

	return n > 0 && splice(d, d->at, n, "");
}

static bool encode_byte(struct draft *d)
{
	static const char hex[] = "0123456789ABCDEF";
	uint8_t c = byte_at(d, d->at);
	char code[4] = {'%', hex[c >> 4], hex[c & 15], '\0'};

	return splice(d, d->at, 1, code);
}

static bool mend_blank(struct draft *d)
{
	size_t host = host_start(d);

	if (d->at < host + span_until(d, host, "/?"))
		return drop_byte(d);
	return encode_byte(d);
}

static bool mend_line_break(struct draft *d)
{
	return splice(d, d->at, span(d, d->at, "\r\n \t"), "");
}

static bool mend_backslashes(struct draft *d)
{
	for (size_t i = 0; i < d->len && d->text[i] != '?'; i++)
		if (d->text[i] == '\\')
			d->text[i] = '/';
	return true;
}

/* ---- host and port ---- */

/* "ws:///example.org/chat" has a slash too many; "ws://:80/" no host. */
static bool mend_host_missing(struct draft *d)
{
	size_t slashes = scheme_len(d) + 1;
	size_t host = host_start(d);
	size_t n = span_until(d, host, "/?#");
	struct bytes word = bytes_first(bytes_from(content(d), host), n);

	if (byte_at(d, slashes + 2) == ':')
		return splice(d, slashes + 2, 0, "localhost");
	if (host <= slashes + 2 || host >= d->len ||
	    (bytes_find_byte(word, '.') < 0 && bytes_find_byte(word, ':') < 0 &&
	     !bytes_equal_nocase(word, BYTES("localhost"))))
		return false;
	return splice(d, slashes, host - slashes, "//");
}

static bool mend_brackets(struct draft *d)
{
	size_t host = host_start(d),
	       n = span(d, host, "0123456789abcdefABCDEF:.");

	if (byte_at(d, host) == '[') {
		n = span(d, host + 1, "0123456789abcdefABCDEF:.");
		if (byte_at(d, host + 1 + n) == ']') /* one too many */
			return splice(d, host + 2 + n, 1, "");
		return splice(d, host + 1 + n, 0, "]");
	}
	if (byte_at(d, host + n) == ']')
		return splice(d, host, 0, "[");
	return splice(d, d->at, 1, "");
}

/* "::1:8080" is an address as a whole, but 8080 was meant as the port. */
static bool mend_bare_ipv6(struct draft *d)
{
	size_t start = d->at, n = span_until(d, start, "/?#"), colon = start + n;
	struct ses_url url;
	enum ses_url_fault fault;
	size_t at, digits;

	while (colon > start && byte_at(d, colon) != ':')
		colon--;
	digits = span(d, colon + 1, "0123456789");
	if (!splice(d, start, 0, "["))
		return false;
	if (digits >= 2 && colon + 1 + digits == start + n) {
		if (!splice(d, colon + 1, 0, "]"))
			return false;
		ses_url_parse(content(d), &url, &fault, &at);
		if (fault != SES_URL_IPV6)
			return true;
		splice(d, colon + 1, 1, "");
	}
	return splice(d, start + 1 + n, 0, "]");
}

static bool mend_host_byte(struct draft *d)
{
	uint8_t c = byte_at(d, d->at), next = byte_at(d, d->at + 1);

	if (c == ';' && next >= '0' && next <= '9')
		return splice(d, d->at, 1, ":");
	return c == ',' && splice(d, d->at, 1, ".");
}

/* The letters that are taken for digits. */
static bool mend_port(struct draft *d)
{
	uint8_t c = byte_at(d, d->at);

	if (c == 'o' || c == 'O')
		return splice(d, d->at, 1, "0");
	return (c == 'l' || c == 'I') && splice(d, d->at, 1, "1");
}

static bool drop_port(struct draft *d)
{
	return d->at > 0 &&
	       splice(d, d->at - 1, span_until(d, d->at, "/?#") + 1, "");
}

static bool mend_second_port(struct draft *d)
{
	return byte_at(d, d->at) == ':' && drop_byte(d);
}

/* ---- the rest ---- */

static bool mend_percent(struct draft *d)
{
	return splice(d, d->at + 1, 0, "25");
}

static bool drop_fragment(struct draft *d)
{
	d->len = d->at;
	return true;
}

static bool (*const mends[SES_N_URL_FAULTS])(struct draft *) = {
	[SES_URL_BLANK_AROUND] = mend_ends,
	[SES_URL_QUOTED] = mend_quotes,
	[SES_URL_INVISIBLE] = mend_invisible,
	[SES_URL_BLANK_INSIDE] = mend_blank,
	[SES_URL_LINE_BREAK] = mend_line_break,
	[SES_URL_CONTROL] = drop_byte,
	[SES_URL_BACKSLASH] = mend_backslashes,
	[SES_URL_SCHEME_MISSING] = mend_scheme_missing,
	[SES_URL_SCHEME_TYPO] = mend_scheme,
	[SES_URL_SCHEME_OTHER] = mend_scheme,
	[SES_URL_SCHEME_TWICE] = mend_scheme_twice,
	[SES_URL_HTTP] = mend_http,
	[SES_URL_COLON_MISSING] = mend_separator,
	[SES_URL_SLASHES_MISSING] = mend_separator,
	[SES_URL_SEPARATOR] = mend_separator,
	[SES_URL_HOST_MISSING] = mend_host_missing,
	[SES_URL_USERINFO] = encode_byte,
	[SES_URL_BRACKETS] = mend_brackets,
	[SES_URL_IPV6_BARE] = mend_bare_ipv6,
	[SES_URL_HOST_BYTE] = mend_host_byte,
	[SES_URL_HOST_LABEL_EMPTY] = drop_byte,
	[SES_URL_PORT_NOT_NUMBER] = mend_port,
	[SES_URL_PORT_NEGATIVE] = drop_byte,
	[SES_URL_PORT_ZERO] = drop_port,
	[SES_URL_PORT_TWICE] = mend_second_port,
	[SES_URL_PERCENT] = mend_percent,
	[SES_URL_NOT_ENCODED] = encode_byte,
	[SES_URL_FRAGMENT] = drop_fragment,
};

static bool mend_all(struct draft *d)
{
	enum ses_url_fault fault;
	struct ses_url url;

	for (int i = 0; i < MENDS_MAX; i++) {
		ses_url_parse(content(d), &url, &fault, &d->at);
		if (fault == SES_URL_OK)
			return i > 0;
		if (!mends[fault] || !mends[fault](d))
			return false;
	}
	return false;
}

bool ses_url_suggest(struct bytes text, char *out, size_t size)
{
	struct draft d = {.text = out, .len = text.len, .size = size};

	if (size == 0)
		return false;
	out[0] = '\0';
	if (text.len >= size)
		return false;
	if (text.len > 0)
		memcpy(out, text.data, text.len);
	if (!mend_all(&d)) {
		out[0] = '\0';
		return false;
	}
	out[d.len] = '\0';
	return true;
}
