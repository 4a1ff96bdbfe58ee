/* SPDX-License-Identifier: MIT */
/*
 * Reading ws: and wss: URLs (RFC 6455 section 3, RFC 3986). Grammar is the
 * smaller half: a URL that is refused was typed by somebody, so the reader
 * goes from left to right as that person did, and each step knows the slips
 * that are made there.
 */
#include "wire/url.h"

#include "base/percent.h"
#include "base/text.h"

#include <sesame/error.h>

#define URL_MAX	   32000
#define HOST_MAX   253
#define LABEL_MAX  63
#define IPV6_WORDS 8

/* What is being read, and where the first fault stands. */
struct reader {
	struct bytes text;
	size_t pos;
	struct ses_url url;
};

static bool is_alpha(uint8_t c)
{
	c = byte_lower(c);
	return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_scheme_byte(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

static bool is_one_of(uint8_t c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static bool is_word_of(struct bytes word, const char *const *words)
{
	for (; *words; words++)
		if (bytes_equal_nocase(word, bytes_of_str(*words)))
			return true;
	return false;
}

/* Up to the first byte of @set, or all of @in. */
static struct bytes until(struct bytes in, const char *set)
{
	size_t n = 0;

	while (n < in.len && !is_one_of(in.data[n], set))
		n++;
	return bytes_first(in, n);
}

static struct bytes until_byte(struct bytes in, uint8_t c)
{
	ptrdiff_t n = bytes_find_byte(in, c);

	return bytes_first(in, n < 0 ? in.len : (size_t)n);
}

/* Without the first @n (<= length) bytes; unlike bytes_from(), an empty rest
 * still says where it stands. */
static struct bytes drop(struct bytes in, size_t n)
{
	return bytes_of(in.data + n, in.len - n);
}

static struct bytes rest_of(const struct reader *r)
{
	return drop(r->text, r->pos);
}

static bool starts(struct bytes in, const char *prefix)
{
	return bytes_starts(in, bytes_of_str(prefix));
}

/* Where @part, which lies in the text, begins. */
static size_t offset_of(const struct reader *r, struct bytes part)
{
	return (size_t)(part.data - r->text.data);
}

static enum ses_url_fault fault_at(struct reader *r, size_t pos,
				   enum ses_url_fault fault)
{
	r->pos = pos;
	return fault;
}

/* ---- the text as a whole: what copying and pasting leaves behind ---- */

/* Characters that are not seen but are there, in UTF-8. */
static const char *const invisible[] = {
	"\xc2\xa0",					/* no-break space */
	"\xc2\xad",					/* soft hyphen */
	"\xe2\x80\x8b",					/* zero width space */
	"\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e", /* left-to-right mark */
	"\xe2\x80\x8f", "\xe2\x80\xa8",			/* line separator */
	"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\xa0", /* word joiner */
	"\xe3\x80\x80",					/* ideographic space */
	"\xef\xbb\xbf",					/* byte order mark */
	NULL,
};

size_t ses_url_invisible(struct bytes in)
{
	for (const char *const *mark = invisible; *mark; mark++)
		if (starts(in, *mark))
			return strlen(*mark);
	return 0;
}

/* Opening quotes, beyond ASCII's: left double, left single, guillemet. */
static bool starts_quoted(struct bytes in)
{
	return (in.len > 0 && is_one_of(in.data[0], "\"'`<(")) ||
	       starts(in, "\xe2\x80\x9c") || starts(in, "\xe2\x80\x98") ||
	       starts(in, "\xc2\xab");
}

static bool ends_quoted(struct bytes in)
{
	return in.len > 0 && is_one_of(in.data[in.len - 1], "\"`>");
}

static enum ses_url_fault look_at_byte(struct bytes rest)
{
	uint8_t c = rest.data[0];

	if (c == '\r' || c == '\n')
		return SES_URL_LINE_BREAK;
	if (c == ' ' || c == '\t')
		return SES_URL_BLANK_INSIDE;
	if (c < 0x20 || c == 0x7f)
		return SES_URL_CONTROL;
	return c >= 0x80 && ses_url_invisible(rest) ? SES_URL_INVISIBLE
						    : SES_URL_OK;
}

static enum ses_url_fault look_over(struct reader *r)
{
	struct bytes text = r->text;
	enum ses_url_fault fault;

	if (text.len == 0)
		return SES_URL_EMPTY;
	if (text.len > URL_MAX)
		return fault_at(r, URL_MAX, SES_URL_TOO_LONG);
	if (is_blank(text.data[0]))
		return SES_URL_BLANK_AROUND;
	if (is_blank(text.data[text.len - 1]))
		return fault_at(r, text.len - 1, SES_URL_BLANK_AROUND);
	if (starts_quoted(text))
		return SES_URL_QUOTED;
	for (size_t i = 0; i < text.len; i++) {
		fault = look_at_byte(bytes_from(text, i));
		if (fault)
			return fault_at(r, i, fault);
	}
	return SES_URL_OK;
}

/* ---- scheme ---- */

static const char *const our_schemes[] = {"ws", "wss", "http", "https", NULL};
/* A word that people take for the scheme of WebSocket. */
static const char *const wishful_schemes[] = {
	"websocket", "websockets", "web-socket", "websocket+tls",
	"ws+tls",    "ws+ssl",	   "http+ws",	 "https+wss",
	"ws+http",   "socket",	   "sockets",	 NULL};
/* Protocols that really exist, lest "ssh" count as a misspelt "wss". */
static const char *const other_schemes[] = {
	"ftp",	 "ftps", "sftp",  "ssh",    "tcp",    "udp",	    "tls",
	"ssl",	 "mqtt", "mqtts", "amqp",   "amqps",  "redis",	    "rediss",
	"stomp", "file", "data",  "blob",   "about",  "grpc",	    "grpcs",
	"ipc",	 "unix", "nats",  "rtmp",   "rtsp",   "sip",	    "sips",
	"xmpp",	 "ldap", "smb",	  "nfs",    "git",    "irc",	    "ircs",
	"app",	 "sse",	 "h2",	  "h2c",    "h3",     "quic",	    "tel",
	"urn",	 "jdbc", "socks", "socks5", "mailto", "javascript", NULL};

static bool is_near(struct bytes word, const char *scheme, int edits)
{
	char text[17];

	if (word.len >= sizeof(text))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	return text_distance(text, scheme) <= edits;
}

/* "wws", "wsss", "sw": any mixture of the two letters. */
static bool only_w_and_s(struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_one_of(byte_lower(word.data[i]), "ws"))
			return false;
	return word.len > 0 && word.len <= 6;
}

static bool is_scheme_typo(struct bytes word)
{
	if (is_word_of(word, other_schemes))
		return false;
	return is_word_of(word, wishful_schemes) || only_w_and_s(word) ||
	       (word.len >= 2 && word.len <= 4 && is_near(word, "ws", 1)) ||
	       (word.len >= 2 && word.len <= 4 && is_near(word, "wss", 1)) ||
	       (word.len >= 3 && is_near(word, "http", 2)) ||
	       (word.len >= 3 && is_near(word, "https", 2));
}

static bool is_ours_or_typo(struct bytes word)
{
	return is_word_of(word, our_schemes) || is_scheme_typo(word);
}

static struct bytes scheme_run(struct bytes in)
{
	size_t n = 0;

	while (n < in.len && is_scheme_byte(in.data[n]))
		n++;
	return bytes_first(in, n);
}

/* "8080/chat": what follows the colon of "localhost:8080/chat". */
static bool looks_like_port(struct bytes in)
{
	struct bytes port = until(in, "/?#");

	for (size_t i = 0; i < port.len; i++)
		if (!is_digit(port.data[i]))
			return false;
	return port.len > 0 && port.len <= 5;
}

static enum ses_url_fault judge_scheme(struct reader *r, struct bytes scheme)
{
	struct ses_url *url = &r->url;

	url->tls = bytes_equal_nocase(scheme, BYTES("wss")) ||
		   bytes_equal_nocase(scheme, BYTES("https"));
	url->http = bytes_equal_nocase(scheme, BYTES("http")) ||
		    bytes_equal_nocase(scheme, BYTES("https"));
	if (is_word_of(scheme, our_schemes))
		return SES_URL_OK;
	return is_scheme_typo(scheme) ? SES_URL_SCHEME_TYPO
				      : SES_URL_SCHEME_OTHER;
}

/* There is a word and a colon, but no "//": what was it meant to be? */
static enum ses_url_fault judge_colon(struct reader *r, struct bytes word,
				      struct bytes after)
{
	if (looks_like_port(after) && !is_word_of(word, our_schemes))
		return SES_URL_SCHEME_MISSING;
	if (!is_ours_or_typo(word))
		return is_word_of(word, other_schemes) ? SES_URL_SCHEME_OTHER
						       : SES_URL_SCHEME_MISSING;
	r->pos = word.len + 1;
	if (after.len > 0 && is_one_of(after.data[0], ":;|"))
		return SES_URL_SEPARATOR;
	if (starts(after, "\\") || starts(after, "/\\"))
		return SES_URL_BACKSLASH;
	return SES_URL_SLASHES_MISSING;
}

/* There is no colon after the first word. */
static enum ses_url_fault judge_no_colon(struct reader *r, struct bytes word,
					 struct bytes after)
{
	if (word.len == 0) {
		if (starts(after, "//") || starts(after, ":") ||
		    starts(after, "["))
			return SES_URL_SCHEME_MISSING;
		if (starts(after, "/") || starts(after, "?"))
			return SES_URL_RELATIVE;
		return starts(after, "\\") ? SES_URL_BACKSLASH
					   : SES_URL_SCHEME_MISSING;
	}
	if (!is_ours_or_typo(word))
		return SES_URL_SCHEME_MISSING;
	if (starts(after, "//")) {
		r->pos = word.len;
		return SES_URL_COLON_MISSING;
	}
	if (after.len > 1 && is_one_of(after.data[0], ";|,.=") &&
	    after.data[1] == '/') {
		r->pos = word.len;
		return SES_URL_SEPARATOR;
	}
	return SES_URL_SCHEME_MISSING;
}

/* "ws://ws://x", "ws://http//x" as address bars make it, "ws://https:x". */
static bool has_second_scheme(struct bytes after)
{
	struct bytes word = scheme_run(after);

	after = bytes_from(after, word.len);
	return is_word_of(word, our_schemes) &&
	       (starts(after, "://") || starts(after, "//"));
}

static enum ses_url_fault read_scheme(struct reader *r)
{
	struct bytes word = scheme_run(r->text);
	struct bytes after = bytes_from(r->text, word.len);
	enum ses_url_fault fault;

	if (word.len == 0 || !starts(after, ":"))
		return judge_no_colon(r, word, after);
	if (!starts(after, "://"))
		return judge_colon(r, word, bytes_from(after, 1));
	fault = judge_scheme(r, word);
	if (fault)
		return fault;
	r->pos = word.len + 3;
	return has_second_scheme(rest_of(r)) ? SES_URL_SCHEME_TWICE : SES_URL_OK;
}

/* ---- placeholders: what a template or a program left behind ---- */

static const char *const unset_ports[] = {"undefined", "null", "nan", "none",
					  "nil",       "port", NULL};
static const char *const unset_hosts[] = {"undefined",
					  "null",
					  "nan",
					  "none",
					  "nil",
					  "your-host",
					  "your_host",
					  "yourhost",
					  "your-domain",
					  "your_domain",
					  "your-server",
					  "your_server",
					  "your-server-ip",
					  "your_server_ip",
					  "server_ip",
					  "window.location.host",
					  "window.location.hostname",
					  "location.hostname",
					  NULL};

static bool holds_template(struct bytes in)
{
	return bytes_contains_nocase(in, BYTES("process.env.")) ||
	       bytes_contains_nocase(in, BYTES("import.meta.env")) ||
	       bytes_contains_nocase(in, BYTES("[object ")) ||
	       bytes_contains_nocase(in, BYTES("%s")) ||
	       until(in, "${}<>").len < in.len;
}

/* In the place of host and port. */
static bool is_unset(struct bytes authority)
{
	return holds_template(authority) ||
	       is_word_of(until(authority, ":"), unset_hosts);
}

/* "{room}", "${ROOM}", "{{ room }}", "<room>" in path or query; not JSON. */
static bool is_template_at(struct bytes in)
{
	size_t n = 0;

	if (in.len == 0 || !is_one_of(in.data[0], "{<"))
		return false;
	while (n < in.len && in.data[n] == in.data[0])
		n++;
	in = bytes_from(in, n);
	for (n = 0; n < in.len && (is_alpha(in.data[n]) || is_digit(in.data[n]) ||
				   is_one_of(in.data[n], "_-."));)
		n++;
	return n > 0 && n < in.len && is_one_of(in.data[n], "}>");
}

/* ---- userinfo, host, port ---- */

/* At the first byte that is neither unreserved, sub-delim, %XX nor in @more. */
static enum ses_url_fault check_chars(struct reader *r, struct bytes part,
				      const char *more,
				      enum ses_url_fault otherwise)
{
	size_t at = offset_of(r, part);

	for (size_t i = 0; i < part.len; i++) {
		uint8_t c = part.data[i];

		if (c == '%') {
			if (part.len - i < 3 ||
			    ses_hex_digit(part.data[i + 1]) < 0 ||
			    ses_hex_digit(part.data[i + 2]) < 0)
				return fault_at(r, at + i, SES_URL_PERCENT);
			continue;
		}
		if (c >= 0x80 ||
		    (!is_alpha(c) && !is_digit(c) &&
		     !is_one_of(c, "-._~!$&'()*+,;=") && !is_one_of(c, more))) {
			if (is_template_at(bytes_from(part, i)))
				otherwise = SES_URL_PLACEHOLDER;
			return fault_at(r, at + i, otherwise);
		}
	}
	return SES_URL_OK;
}

static enum ses_url_fault read_userinfo(struct reader *r,
					struct bytes *authority)
{
	size_t end = authority->len;

	while (end > 0 && authority->data[end - 1] != '@')
		end--;
	if (end == 0)
		return SES_URL_OK;
	r->url.userinfo = bytes_first(*authority, end - 1);
	*authority = drop(*authority, end);
	return check_chars(r, r->url.userinfo, ":", SES_URL_USERINFO);
}

static enum ses_url_fault read_port(struct reader *r, struct bytes port)
{
	size_t at = offset_of(r, port);
	uint32_t value = 0;

	if (port.len == 0) /* "host:" is lawful: RFC 3986, 3.2.3 */
		return SES_URL_OK;
	if (is_word_of(port, unset_ports))
		return fault_at(r, at, SES_URL_PLACEHOLDER);
	if (bytes_find_byte(port, ':') >= 0)
		return fault_at(r, at, SES_URL_PORT_TWICE);
	if (port.len > 1 && port.data[0] == '-' && is_digit(port.data[1]))
		return fault_at(r, at, SES_URL_PORT_NEGATIVE);
	for (size_t i = 0; i < port.len; i++) {
		if (!is_digit(port.data[i]))
			return fault_at(r, at + i, SES_URL_PORT_NOT_NUMBER);
		if (value <= UINT16_MAX)
			value = value * 10 + (port.data[i] - '0');
	}
	if (value > UINT16_MAX)
		return fault_at(r, at, SES_URL_PORT_RANGE);
	if (value == 0)
		return fault_at(r, at, SES_URL_PORT_ZERO);
	r->url.port = (uint16_t)value;
	r->url.port_given = true;
	return SES_URL_OK;
}

/* Four decimal numbers up to 255; a leading zero would be octal to some. */
static bool is_ipv4(struct bytes in)
{
	int parts = 0;

	while (parts < 4) {
		struct bytes part = until_byte(in, '.');
		uint64_t value;

		if (part.len == 0 || part.len > 3 ||
		    (part.len > 1 && part.data[0] == '0') ||
		    !bytes_to_u64(part, 255, &value))
			return false;
		parts++;
		if (part.len == in.len)
			return parts == 4;
		in = bytes_from(in, part.len + 1);
		if (in.len == 0)
			return false;
	}
	return false;
}

/* RFC 4291, 2.2: words, at most one "::", perhaps an IPv4 tail. */
static bool is_ipv6(struct bytes in)
{
	int words = 0;
	bool gap = false;

	if (starts(in, "::")) {
		gap = true;
		in = bytes_from(in, 2);
	}
	while (in.len > 0) {
		struct bytes word = until_byte(in, ':');

		if (bytes_find_byte(word, '.') >= 0) {
			if (word.len != in.len || !is_ipv4(word))
				return false;
			words += 2;
			break;
		}
		for (size_t i = 0; i < word.len; i++)
			if (ses_hex_digit(word.data[i]) < 0)
				return false;
		if (word.len == 0 || word.len > 4 || ++words > IPV6_WORDS)
			return false;
		in = bytes_from(in, word.len);
		if (in.len == 0)
			break;
		if (in.len == 1) /* a lone colon at the end */
			return false;
		if (starts(in, "::")) {
			if (gap)
				return false;
			gap = true;
			in = bytes_from(in, 2);
		} else {
			in = bytes_from(in, 1);
		}
	}
	return gap ? words < IPV6_WORDS : words == IPV6_WORDS;
}

/* "::1", or "::1:8080", which only looks as if it had a port. */
static bool is_bare_ipv6(struct bytes in)
{
	size_t colons = 0, last = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (in.data[i] == ':') {
			colons++;
			last = i;
		}
	}
	return colons >= 2 && (is_ipv6(in) || is_ipv6(bytes_first(in, last)));
}

static enum ses_url_fault read_bracketed(struct reader *r,
					 struct bytes authority)
{
	ptrdiff_t close = bytes_find_byte(authority, ']');
	struct bytes after;

	if (close < 0)
		return SES_URL_BRACKETS;
	r->url.host = bytes_from(bytes_first(authority, (size_t)close), 1);
	r->url.host_kind = SES_HOST_IPV6;
	if (!is_ipv6(r->url.host))
		return fault_at(r, offset_of(r, authority) + 1, SES_URL_IPV6);
	after = bytes_from(authority, (size_t)close + 1);
	if (after.len == 0)
		return SES_URL_OK;
	if (after.data[0] != ':')
		return fault_at(r, offset_of(r, after),
				after.data[0] == ']' ? SES_URL_BRACKETS
						     : SES_URL_HOST_BYTE);
	return read_port(r, bytes_from(after, 1));
}

static bool is_host_byte(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

static enum ses_url_fault check_host_bytes(struct reader *r, struct bytes host)
{
	size_t at = offset_of(r, host);

	for (size_t i = 0; i < host.len; i++) {
		if (is_host_byte(host.data[i]))
			continue;
		return fault_at(r, at + i,
				host.data[i] >= 0x80 ? SES_URL_HOST_NOT_ASCII
				: is_one_of(host.data[i], "[]")
					? SES_URL_BRACKETS
					: SES_URL_HOST_BYTE);
	}
	return SES_URL_OK;
}

/* A name that ends in a number is an address, or a slip in one. */
static bool ends_in_number(struct bytes host)
{
	size_t start = host.len;

	while (start > 0 && host.data[start - 1] != '.')
		start--;
	for (size_t i = start; i < host.len; i++)
		if (!is_digit(host.data[i]))
			return false;
	return start < host.len;
}

/* One trailing dot is lawful: it makes the name absolute. */
static enum ses_url_fault check_labels(struct reader *r, struct bytes host)
{
	size_t at = offset_of(r, host);

	for (;;) {
		struct bytes label = until_byte(host, '.');

		if (label.len == 0)
			return fault_at(r, at, SES_URL_HOST_LABEL_EMPTY);
		if (label.len > LABEL_MAX)
			return fault_at(r, at, SES_URL_HOST_LABEL_LONG);
		if (host.len - label.len <= 1)
			return SES_URL_OK;
		at += label.len + 1;
		host = bytes_from(host, label.len + 1);
	}
}

static enum ses_url_fault check_host(struct reader *r, struct bytes host)
{
	enum ses_url_fault fault;

	if (host.len == 0)
		return SES_URL_HOST_MISSING;
	fault = check_host_bytes(r, host);
	if (fault)
		return fault;
	if (ends_in_number(host)) {
		r->url.host_kind = SES_HOST_IPV4;
		return is_ipv4(host) ? SES_URL_OK : SES_URL_IPV4;
	}
	if (host.len - (host.data[host.len - 1] == '.') > HOST_MAX)
		return SES_URL_HOST_LONG;
	return check_labels(r, host);
}

static enum ses_url_fault read_host_port(struct reader *r,
					 struct bytes authority)
{
	ptrdiff_t colon = bytes_find_byte(authority, ':');
	ptrdiff_t bracket = bytes_find_byte(authority, ']');
	enum ses_url_fault fault;

	r->pos = offset_of(r, authority);
	if (starts(authority, "["))
		return read_bracketed(r, authority);
	if (bracket >= 0)
		return fault_at(r, r->pos + (size_t)bracket, SES_URL_BRACKETS);
	if (is_bare_ipv6(authority))
		return SES_URL_IPV6_BARE;
	r->url.host = authority;
	if (colon >= 0)
		r->url.host = bytes_first(authority, (size_t)colon);
	fault = check_host(r, r->url.host);
	if (fault || colon < 0)
		return fault;
	return read_port(r, bytes_from(authority, (size_t)colon + 1));
}

static enum ses_url_fault read_authority(struct reader *r)
{
	struct bytes authority = until(rest_of(r), "/?#");
	size_t end = r->pos + authority.len;
	ptrdiff_t backslash = bytes_find_byte(authority, '\\');
	enum ses_url_fault fault;

	if (backslash >= 0)
		return fault_at(r, r->pos + (size_t)backslash,
				SES_URL_BACKSLASH);
	fault = read_userinfo(r, &authority);
	if (fault)
		return fault;
	if (is_unset(authority))
		return SES_URL_PLACEHOLDER;
	fault = read_host_port(r, authority);
	if (fault)
		return fault;
	r->pos = end;
	return SES_URL_OK;
}

/* ---- path, query, fragment ---- */

static enum ses_url_fault read_path(struct reader *r)
{
	struct bytes path = until(rest_of(r), "?#");
	ptrdiff_t backslash = bytes_find_byte(path, '\\');
	enum ses_url_fault fault;

	if (backslash >= 0)
		return fault_at(r, r->pos + (size_t)backslash,
				SES_URL_BACKSLASH);
	r->url.path = path;
	/* [ ] | ^ are sent raw by browsers too, and are read alike by all. */
	fault = check_chars(r, path, "/:@[]|^", SES_URL_NOT_ENCODED);
	if (!fault)
		r->pos += path.len;
	return fault;
}

static enum ses_url_fault read_query(struct reader *r)
{
	struct bytes query = rest_of(r);
	enum ses_url_fault fault;

	if (!starts(query, "?"))
		return SES_URL_OK;
	query = until(bytes_from(query, 1), "#");
	r->url.query = query;
	fault = check_chars(r, query, "/:@?[]|^", SES_URL_NOT_ENCODED);
	if (!fault)
		r->pos += query.len + 1;
	return fault;
}

static enum ses_url_fault read_end(struct reader *r)
{
	if (r->pos < r->text.len)
		return SES_URL_FRAGMENT;
	if (!r->url.port_given)
		r->url.port = r->url.tls ? 443 : 80;
	r->pos = 0;
	return r->url.http ? SES_URL_HTTP : SES_URL_OK;
}

/* ---- the story ---- */

static enum ses_url_fault (*const steps[])(struct reader *) = {
	look_over, read_scheme, read_authority, read_path, read_query, read_end,
};

int ses_url_parse(struct bytes text, struct ses_url *ret_url,
		  enum ses_url_fault *ret_fault, size_t *ret_at)
{
	struct reader r = {.text = text};
	enum ses_url_fault fault = SES_URL_OK;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !fault; i++)
		fault = steps[i](&r);
	/* Seen last, so that "wws://x>" is told as the typo that it is. */
	if (fault == SES_URL_NOT_ENCODED && ends_quoted(text) &&
	    r.pos == text.len - 1)
		fault = SES_URL_QUOTED;
	*ret_fault = fault;
	*ret_at = r.pos;
	if (!fault || fault == SES_URL_HTTP)
		*ret_url = r.url;
	return fault ? SESAME_EURL : 0;
}

bool ses_url_host_field_valid(struct bytes field)
{
	struct reader r = {.text = field};

	return field.len > 0 && field.len <= URL_MAX &&
	       bytes_find_byte(field, '@') < 0 &&
	       read_host_port(&r, field) == SES_URL_OK;
}

static const struct ses_url_fault_row rows[] = {
	{"OK", "ok", "nothing is wrong"},
#define URL_FAULT(symbol, cause, sentence) {#symbol, cause, sentence},
#include "wire/url_faults.def"
#undef URL_FAULT
};

const struct ses_url_fault_row *ses_url_fault(enum ses_url_fault fault)
{
	return &rows[(unsigned)fault < SES_N_URL_FAULTS ? fault : SES_URL_OK];
}
