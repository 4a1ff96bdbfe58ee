/* SPDX-License-Identifier: MIT */
/*
 * Which sources a page may connect to (CSP level 3, sections 6.7.2.5 on). The
 * page is one of the URL's own host, so 'self' matches, ws for http as well.
 */
#include "doctor/csp.h"

/* Cut the next part off @text at @sep, trimmed. */
static bool next_part(struct bytes *text, uint8_t sep, struct bytes *ret)
{
	ptrdiff_t at;

	if (text->len == 0)
		return false;
	at = bytes_find_byte(*text, sep);
	*ret = bytes_trim(bytes_first(*text, at < 0 ? text->len : (size_t)at));
	*text = bytes_from(*text, at < 0 ? text->len : (size_t)at + 1);
	return true;
}

static bool scheme_matches(struct bytes scheme, bool tls)
{
	if (bytes_equal_nocase(scheme, BYTES("ws")) ||
	    bytes_equal_nocase(scheme, BYTES("http")))
		return true; /* the secure form of a scheme matches as well */
	return tls && (bytes_equal_nocase(scheme, BYTES("wss")) ||
		       bytes_equal_nocase(scheme, BYTES("https")));
}

static bool host_matches(struct bytes pattern, struct bytes host)
{
	if (bytes_starts(pattern, BYTES("*."))) {
		pattern = bytes_from(pattern, 1);
		return host.len > pattern.len &&
		       bytes_equal_nocase(
			       bytes_from(host, host.len - pattern.len),
			       pattern);
	}
	return bytes_equal_str(pattern, "*") ||
	       bytes_equal_nocase(pattern, host);
}

static bool port_matches(struct bytes port, const struct ses_url *url)
{
	uint64_t n;

	if (port.len == 0)
		return url->port == (url->tls ? 443 : 80);
	return bytes_equal_str(port, "*") ||
	       (bytes_to_u64(port, 65535, &n) && n == url->port);
}

static size_t find_text(struct bytes text, const char *what)
{
	struct bytes w = bytes_of_str(what);

	for (size_t i = 0; i + w.len <= text.len; i++)
		if (bytes_equal(bytes_of(text.data + i, w.len), w))
			return i;
	return text.len;
}

static bool source_matches(struct bytes source, const struct ses_url *url)
{
	size_t at = find_text(source, "://");
	struct bytes host = source, port = {0};
	size_t end = 0;

	if (bytes_equal_str(source, "*") ||
	    bytes_equal_nocase(source, BYTES("'self'")))
		return true;
	if (source.len > 1 && source.data[source.len - 1] == ':')
		return scheme_matches(bytes_first(source, source.len - 1),
				      url->tls);
	if (source.data[0] == '\'')
		return false;
	if (at < source.len) {
		if (!scheme_matches(bytes_first(source, at), url->tls))
			return false;
		host = bytes_from(source, at + 3);
	}
	while (end < host.len && host.data[end] != '/')
		end++;
	host = bytes_first(host, end);
	for (size_t i = host.len; i > 0 && host.data[i - 1] != ']'; i--)
		if (host.data[i - 1] == ':') {
			port = bytes_from(host, i);
			host = bytes_first(host, i - 1);
			break;
		}
	return host_matches(host, url->host) && port_matches(port, url);
}

/* Whether @directive is called @name; *ret_sources is the rest. */
static bool is_called(struct bytes directive, const char *name,
		      struct bytes *ret_sources)
{
	struct bytes first = bytes_first(directive, strlen(name));

	*ret_sources = bytes_from(directive, strlen(name));
	return bytes_equal_nocase(first, bytes_of_str(name)) &&
	       (ret_sources->len == 0 || ret_sources->data[0] == ' ');
}

static bool list_forbids(struct bytes sources, const struct ses_url *url)
{
	struct bytes one;

	while (next_part(&sources, ' ', &one))
		if (one.len > 0 && source_matches(one, url))
			return false;
	return true;
}

bool doctor_csp_policy_forbids(struct bytes policy, const struct ses_url *url,
			       struct bytes *ret_directive)
{
	static const char *const names[] = {"connect-src", "default-src"};

	for (size_t i = 0; i < 2; i++) {
		struct bytes rest = policy, directive, sources;

		while (next_part(&rest, ';', &directive)) {
			if (!is_called(directive, names[i], &sources))
				continue;
			*ret_directive = directive;
			return list_forbids(sources, url);
		}
	}
	return false;
}

/* The policy in <meta http-equiv="Content-Security-Policy" content="...">. */
static struct bytes meta_policy(struct bytes body)
{
	struct bytes rest = bytes_from(
		body,
		find_text(body, "http-equiv=\"Content-Security-Policy\""));
	size_t from = find_text(rest, "content=\""), to;

	if (from == rest.len)
		return bytes_of(NULL, 0);
	rest = bytes_from(rest, from + 9);
	to = find_text(rest, "\"");
	return bytes_first(rest, to);
}

bool doctor_csp_forbids(const struct doctor_probe *page,
			const struct ses_url *url, char *out, size_t size)
{
	struct bytes meta = meta_policy(bytes_of(page->body, page->body_len));
	struct bytes directive;

	for (size_t i = 0; i < page->parsed.n_fields; i++) {
		const struct ses_field *f = &page->parsed.fields[i];

		if (bytes_equal_nocase(f->name,
				       BYTES("Content-Security-Policy")) &&
		    doctor_csp_policy_forbids(f->value, url, &directive)) {
			bytes_printable(directive, out, size);
			return true;
		}
	}
	if (!doctor_csp_policy_forbids(meta, url, &directive))
		return false;
	bytes_printable(directive, out, size);
	return true;
}
