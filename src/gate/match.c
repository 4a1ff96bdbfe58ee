/* SPDX-License-Identifier: MIT */
/*
 * Matching origins (RFC 6454), networks (RFC 4632), globs and paths. What is
 * hard is what must not match: a foreign suffix, another port, a path that the
 * next program would read differently.
 */
#include "gate/match.h"

#include <arpa/inet.h>

#include "base/percent.h"

/* ---- Addresses ---- */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Returns 4, 6 or 0. */
static int read_address(struct bytes text, struct gate_address *ret)
{
	char s[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(s) ||
	    memchr(text.data, 0, text.len))
		return 0;
	memcpy(s, text.data, text.len);
	s[text.len] = '\0';
	if (inet_pton(AF_INET6, s, ret->bytes) == 1)
		return 6;
	memcpy(ret->bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, s, ret->bytes + sizeof(mapped)) == 1 ? 4 : 0;
}

bool gate_address_read(struct bytes text, struct gate_address *ret)
{
	struct gate_address a;

	if (!read_address(text, &a))
		return false;
	*ret = a;
	return true;
}

struct gate_address gate_address_of_v4(const uint8_t part[4])
{
	struct gate_address a;

	memcpy(a.bytes, mapped, sizeof(mapped));
	memcpy(a.bytes + sizeof(mapped), part, 4);
	return a;
}

/* For every visitor, so without the printf() that inet_ntop() has in it. */
static void format_v4(const uint8_t part[4], char *out)
{
	for (int i = 0; i < 4; i++) {
		if (part[i] >= 100)
			*out++ = (char)('0' + part[i] / 100);
		if (part[i] >= 10)
			*out++ = (char)('0' + part[i] / 10 % 10);
		*out++ = (char)('0' + part[i] % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

char *gate_address_format(const struct gate_address *a,
			  char out[GATE_ADDRESS_TEXT])
{
	if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		format_v4(a->bytes + sizeof(mapped), out);
	else
		inet_ntop(AF_INET6, a->bytes, out, GATE_ADDRESS_TEXT);
	return out;
}

static bool has_host_bits(const struct gate_network *net)
{
	for (unsigned bit = net->prefix; bit < 128; bit++)
		if (net->base.bytes[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

const char *gate_network_read(struct bytes text, struct gate_network *ret)
{
	ptrdiff_t slash = bytes_find_byte(text, '/');
	struct gate_network net;
	uint64_t prefix;
	int family = read_address(
		bytes_first(text, slash < 0 ? text.len : (size_t)slash),
		&net.base);
	unsigned max = family == 4 ? 32 : 128;

	if (!family)
		return "is neither an IPv4 nor an IPv6 address, with or "
		       "without a /prefix";
	prefix = max;
	if (slash >= 0 &&
	    !bytes_to_u64(bytes_from(text, (size_t)slash + 1), max, &prefix))
		return family == 4 ? "needs a prefix of 0 to 32 after the slash"
				   : "needs a prefix of 0 to 128 after the "
				     "slash";
	net.prefix = (unsigned)prefix + (128 - max);
	if (has_host_bits(&net))
		return "has bits set after its prefix; one address is written "
		       "without a prefix";
	*ret = net;
	return NULL;
}

bool gate_network_has(const struct gate_network *net,
		      const struct gate_address *address)
{
	unsigned whole = net->prefix / 8, rest = net->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(net->base.bytes, address->bytes, whole) == 0 &&
	       (rest == 0 ||
		((net->base.bytes[whole] ^ address->bytes[whole]) & mask) == 0);
}

/* ---- Origins ---- */

static bool is_alnum(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(struct bytes host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!is_alnum(host.data[i]) && !strchr("-._", host.data[i]))
			return false;
	return host.len > 0 && host.len <= 253 && host.data[0] != '.';
}

static bool is_bracketed(struct bytes host)
{
	struct gate_address ignored;

	return host.len > 2 && host.data[0] == '[' &&
	       host.data[host.len - 1] == ']' &&
	       read_address(bytes_of(host.data + 1, host.len - 2), &ignored) ==
		       6;
}

static bool is_scheme(struct bytes scheme)
{
	for (size_t i = 0; i < scheme.len; i++)
		if (!is_alnum(scheme.data[i]) && !strchr("+-.", scheme.data[i]))
			return false;
	return scheme.len > 0 &&
	       !(scheme.data[0] >= '0' && scheme.data[0] <= '9');
}

static unsigned default_port(struct bytes scheme)
{
	if (bytes_equal_nocase(scheme, BYTES("http")) ||
	    bytes_equal_nocase(scheme, BYTES("ws")))
		return 80;
	if (bytes_equal_nocase(scheme, BYTES("https")) ||
	    bytes_equal_nocase(scheme, BYTES("wss")))
		return 443;
	return 0;
}

/* Split "host[:port]"; *ret_port stays as it is when none is given. */
static bool split_host(struct bytes text, struct bytes *ret_host,
		       unsigned *ret_port)
{
	ptrdiff_t bracket = bytes_find_byte(text, ']');
	struct bytes after = bytes_from(text, (size_t)(bracket + 1));
	ptrdiff_t colon = bytes_find_byte(after, ':');
	uint64_t port;

	*ret_host = text;
	if (colon < 0)
		return true;
	*ret_host = bytes_first(text, (size_t)(bracket + 1 + colon));
	if (!bytes_to_u64(bytes_from(after, (size_t)colon + 1), 65535, &port) ||
	    port == 0)
		return false;
	*ret_port = (unsigned)port;
	return true;
}

/* Cut "scheme://" off. */
static bool split_scheme(struct bytes text, struct bytes *ret_scheme,
			 struct bytes *ret_rest)
{
	ptrdiff_t colon = bytes_find_byte(text, ':');

	if (colon < 0 ||
	    !bytes_starts(bytes_from(text, (size_t)colon), BYTES("://")))
		return false;
	*ret_scheme = bytes_first(text, (size_t)colon);
	*ret_rest = bytes_from(text, (size_t)colon + 3);
	return is_scheme(*ret_scheme);
}

bool gate_origin_read(struct bytes text, struct gate_origin *ret)
{
	struct gate_origin o;
	struct bytes rest;

	if (!split_scheme(text, &o.scheme, &rest))
		return false;
	o.port = default_port(o.scheme);
	if (!split_host(rest, &o.host, &o.port) ||
	    !(is_name(o.host) || is_bracketed(o.host)))
		return false;
	*ret = o;
	return true;
}

static const char *why_no_origin(struct bytes text)
{
	struct bytes scheme, rest;

	if (!split_scheme(text, &scheme, &rest))
		return "has no scheme; an origin is written like "
		       "https://app.example";
	if (bytes_find_byte(rest, '/') >= 0)
		return "has a path; an origin is scheme, host and port, "
		       "without a slash at the end";
	if (bytes_find_byte(rest, '@') >= 0)
		return "has a user name; an origin is scheme, host and port";
	if (bytes_find_byte(rest, '*') >= 0)
		return "has a wildcard where it would match foreign names; "
		       "only a whole first label may be one, as in "
		       "https://*.example.org";
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] >= 0x80)
			return "has letters beyond ASCII; browsers send the "
			       "xn-- form, so write that";
	return "is no origin; it is written like https://app.example:8443";
}

static const char *read_wildcard(struct bytes text, ptrdiff_t star,
				 struct gate_origin_pattern *ret)
{
	struct bytes scheme = bytes_first(text, (size_t)star), rest, name;
	struct bytes after = bytes_from(text, (size_t)star + 2);
	struct gate_origin o = {0};

	if (!bytes_starts(bytes_from(text, (size_t)star), BYTES("*.")) ||
	    !split_scheme(scheme, &o.scheme, &rest) || rest.len != 0)
		return why_no_origin(text);
	o.port = default_port(o.scheme);
	if (!split_host(after, &name, &o.port) || !is_name(name))
		return why_no_origin(text);
	if (bytes_find_byte(bytes_first(name, name.len - 1), '.') < 0)
		return "has a wildcard over a whole top-level domain; name at "
		       "least two labels after it";
	o.host = name;
	*ret = (struct gate_origin_pattern){GATE_ORIGIN_WILDCARD, o};
	return NULL;
}

const char *gate_origin_pattern_read(struct bytes text,
				     struct gate_origin_pattern *ret)
{
	struct gate_origin_pattern p = {GATE_ORIGIN_EXACT, {{0}, {0}, 0}};
	ptrdiff_t star = bytes_find_byte(text, '*');

	if (bytes_equal(text, BYTES("*")))
		p.kind = GATE_ORIGIN_ANY;
	else if (bytes_equal(text, BYTES("none")))
		p.kind = GATE_ORIGIN_NONE;
	else if (bytes_equal(text, BYTES("null")))
		p.kind = GATE_ORIGIN_NULL;
	else if (star >= 0)
		return read_wildcard(text, star, ret);
	else if (!gate_origin_read(text, &p.origin))
		return why_no_origin(text);
	*ret = p;
	return NULL;
}

static bool one_label_more(struct bytes host, struct bytes parent)
{
	size_t label;

	if (host.len < 2 || parent.len > host.len - 2)
		return false;
	label = host.len - parent.len - 1;
	return host.data[label] == '.' &&
	       bytes_find_byte(bytes_first(host, label), '.') < 0 &&
	       bytes_equal_nocase(bytes_from(host, label + 1), parent);
}

static bool fits(const struct gate_origin_pattern *p,
		 const struct gate_origin *o)
{
	if (!bytes_equal_nocase(o->scheme, p->origin.scheme) ||
	    o->port != p->origin.port)
		return false;
	return p->kind == GATE_ORIGIN_WILDCARD
		       ? one_label_more(o->host, p->origin.host)
		       : bytes_equal_nocase(o->host, p->origin.host);
}

bool gate_origin_pattern_has(const struct gate_origin_pattern *p,
			     struct bytes origin)
{
	struct gate_origin o;

	if (p->kind == GATE_ORIGIN_ANY)
		return true;
	if (p->kind == GATE_ORIGIN_NONE)
		return !origin.data;
	if (p->kind == GATE_ORIGIN_NULL)
		return bytes_equal(origin, BYTES("null"));
	return origin.data && gate_origin_read(origin, &o) && fits(p, &o);
}

struct bytes gate_without_dot(struct bytes name)
{
	if (name.len > 1 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

bool gate_origin_pattern_excludes(const struct gate_origin_pattern *p,
				  struct bytes origin)
{
	struct gate_origin o;

	if (gate_origin_pattern_has(p, origin))
		return true;
	if (p->kind < GATE_ORIGIN_EXACT || !origin.data ||
	    !gate_origin_read(origin, &o))
		return false;
	o.host = gate_without_dot(o.host);
	return fits(p, &o);
}

bool gate_origin_is_same(struct bytes origin, struct bytes host, bool secure)
{
	struct gate_origin o;
	struct bytes name;
	unsigned port = 0;

	if (!gate_origin_read(origin, &o) || !split_host(host, &name, &port) ||
	    !(bytes_equal_nocase(o.scheme, BYTES("https")) ||
	      (!secure && bytes_equal_nocase(o.scheme, BYTES("http")))))
		return false;
	if (port == 0)
		port = default_port(o.scheme);
	return port == o.port && bytes_equal_nocase(name, o.host);
}

/* ---- Globs ---- */

bool gate_glob_has(struct bytes glob, struct bytes text)
{
	size_t g = 0, t = 0, star = SIZE_MAX, retry = 0;

	/*
	 * Only the last star has to be tried again: what the earlier ones
	 * took was the shortest way, and no longer way fits more.
	 */
	while (t < text.len) {
		if (g < glob.len && glob.data[g] == '*') {
			star = g++;
			retry = t;
		} else if (g < glob.len && byte_lower(glob.data[g]) ==
						   byte_lower(text.data[t])) {
			g++;
			t++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.data[g] == '*')
		g++;
	return g == glob.len;
}

/* ---- Paths ---- */

/* The byte that "%40" at the beginning of @path stands for, or -1. */
static int encoded_byte(struct bytes path)
{
	int high = path.len > 2 && path.data[0] == '%'
			   ? ses_hex_digit(path.data[1])
			   : -1;
	int low = high < 0 ? -1 : ses_hex_digit(path.data[2]);

	return low < 0 ? -1 : high << 4 | low;
}

/* Cut the next byte off: "@" and "%40" are one to the server behind. */
static uint8_t next_byte(struct bytes *path)
{
	int encoded = encoded_byte(*path);
	uint8_t c = encoded < 0 ? path->data[0] : (uint8_t)encoded;

	*path = bytes_from(*path, encoded < 0 ? 1 : 3);
	return c;
}

static bool begins_with(struct bytes path, struct bytes prefix,
			struct bytes *ret_rest)
{
	while (prefix.len)
		if (!path.len || next_byte(&path) != next_byte(&prefix))
			return false;
	*ret_rest = path;
	return true;
}

const char *gate_path_pattern_read(struct bytes text,
				   struct gate_path_pattern *ret)
{
	struct gate_path_pattern p = {GATE_PATH_EXACT, text};

	if (text.len == 0 || text.data[0] != '/')
		return "must begin with a slash";
	if (text.len >= 3 && memcmp(text.data + text.len - 3, "/**", 3) == 0) {
		p.kind = GATE_PATH_BELOW;
		p.prefix = bytes_first(text, text.len - 2);
	} else if (text.len >= 2 &&
		   memcmp(text.data + text.len - 2, "/*", 2) == 0) {
		p.kind = GATE_PATH_SEGMENT;
		p.prefix = bytes_first(text, text.len - 1);
	}
	if (bytes_find_byte(p.prefix, '*') >= 0)
		return "may have * or ** only as its last segment";
	if (bytes_find_byte(p.prefix, '?') >= 0)
		return "has a query; routes are chosen by path alone";
	for (size_t i = 0; i < p.prefix.len; i++)
		if (p.prefix.data[i] <= ' ' || p.prefix.data[i] >= 0x7f)
			return "has a byte that no path on the wire has; "
			       "write it as %XX";
	if (gate_path_ambiguity(p.prefix))
		return "is of a form that no request is admitted with "
		       "(//, dot segments, needless or double encoding)";
	*ret = p;
	return NULL;
}

bool gate_path_pattern_has(const struct gate_path_pattern *p, struct bytes path)
{
	struct bytes rest;

	if (!begins_with(path, p->prefix, &rest))
		return false;
	if (p->kind == GATE_PATH_EXACT)
		return rest.len == 0;
	return p->kind == GATE_PATH_BELOW ||
	       (rest.len > 0 && bytes_find_byte(rest, '/') < 0);
}

struct bytes gate_path_pattern_rest(const struct gate_path_pattern *p,
				    struct bytes path)
{
	struct bytes rest;

	return begins_with(path, p->prefix, &rest) ? rest : bytes_of(NULL, 0);
}

bool gate_path_pattern_covers(const struct gate_path_pattern *a,
			      const struct gate_path_pattern *b)
{
	struct bytes rest;

	if (b->kind == GATE_PATH_EXACT)
		return gate_path_pattern_has(a, b->prefix);
	if (!begins_with(b->prefix, a->prefix, &rest))
		return false;
	return a->kind == GATE_PATH_BELOW ||
	       (a->kind == b->kind && rest.len == 0);
}

/*
 * UTF-8 longer than needed: to a careless reader "%c0%af" is a slash, and so is
 * a form of five or six bytes, which UTF-8 has no more.
 */
static bool is_overlong(uint8_t c, struct bytes after)
{
	int next = encoded_byte(after);

	return c == 0xc0 || c == 0xc1 || c > 0xf4 ||
	       (c == 0xe0 && next >= 0x80 && next < 0xa0) ||
	       (c == 0xf0 && next >= 0x80 && next < 0x90);
}

static const char *encoding_ambiguity(struct bytes at)
{
	int encoded = encoded_byte(at);
	uint8_t c = (uint8_t)encoded;

	if (encoded < 0)
		return "a percent sign without two hexadecimal digits";
	if (is_overlong(c, bytes_from(at, 3)))
		return "an overlong encoding";
	if (c == '/' || c == '\\')
		return "an encoded slash or backslash";
	if (c == '%')
		return "an encoded percent sign (double encoding)";
	if (c < ' ' || c == 0x7f)
		return "an encoded control byte";
	if (c == ';')
		return "an encoded semicolon";
	if (c == '?' || c == '#')
		return "an encoded question mark or number sign";
	if (is_alnum(c) || strchr("-._~", c))
		return "an encoded character that needs no encoding";
	return NULL;
}

static bool is_dot_segment(struct bytes path)
{
	ptrdiff_t slash = bytes_find_byte(path, '/');
	struct bytes s = bytes_first(path, slash < 0 ? path.len : (size_t)slash);

	return bytes_equal(s, BYTES(".")) || bytes_equal(s, BYTES(".."));
}

const char *gate_path_ambiguity(struct bytes path)
{
	const char *found;

	for (; path.len; path = bytes_from(path, 1)) {
		struct bytes next = bytes_from(path, 1);

		switch (path.data[0]) {
		case '/':
			if (next.len && next.data[0] == '/')
				return "an empty segment (//)";
			if (is_dot_segment(next))
				return "a dot segment (/./ or /../)";
			break;
		case '\\':
			return "a backslash";
		case ';':
			return "a path parameter (;)";
		case '#':
			return "a fragment (#)";
		case '%':
			found = encoding_ambiguity(path);
			if (found)
				return found;
		}
	}
	return NULL;
}
