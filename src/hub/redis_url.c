/* SPDX-License-Identifier: MIT */
/* Sentences here repeat nothing of the URL: a password may be anywhere. */
#include "hub/redis_url.h"

#include <stdio.h>

#include "hub/redis.h"

static const char wrong_form[] =
	"A backplane is redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], or "
	"rediss:// for TLS";

/* Up to the first (or last) @c; *rest is what follows it. False: there is none. */
static bool cut(struct bytes text, uint8_t c, bool last, struct bytes *first,
		struct bytes *rest)
{
	size_t at = text.len;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == c && (last || at == text.len))
			at = i;
	if (at == text.len)
		return false;
	*first = bytes_first(text, at);
	*rest = bytes_from(text, at + 1);
	return true;
}

static int hex(uint8_t c)
{
	c = byte_lower(c);
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* Percent-decoded, without NUL. False: it is too long, or no such text. */
static bool copy(struct bytes text, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int c = text.data[i];

		if (c == '%') {
			if (i + 2 >= text.len || hex(text.data[i + 1]) < 0 ||
			    hex(text.data[i + 2]) < 0)
				return false;
			c = hex(text.data[i + 1]) * 16 + hex(text.data[i + 2]);
			i += 2;
		}
		if (!c || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

static const char *read_user(struct bytes text, struct redis_url *url)
{
	struct bytes user = text, password = bytes_of(NULL, 0);

	if (!cut(text, ':', false, &user, &password))
		return "The backplane's URL has a user without a password: "
		       "write USER:PASSWORD@ or :PASSWORD@";
	if (!copy(user, url->user, sizeof(url->user)) ||
	    !copy(password, url->password, sizeof(url->password)))
		return "The user or the password of the backplane's URL is too "
		       "long, or its %XX are no hexadecimal numbers";
	return NULL;
}

static bool is_host(struct bytes host)
{
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i], low = byte_lower(c);

		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_' && c != ':')
			return false;
	}
	return host.len > 0;
}

static const char *read_host(struct bytes text, struct redis_url *url)
{
	struct bytes host = text, port = bytes_of(NULL, 0), rest;
	uint64_t number = 6379;

	if (text.len && text.data[0] == '[') {
		if (!cut(bytes_from(text, 1), ']', false, &host, &rest) ||
		    (rest.len && rest.data[0] != ':'))
			return wrong_form;
		url->v6 = true;
		port = bytes_from(rest, 1);
	} else {
		cut(text, ':', false, &host, &port);
	}
	if (!is_host(host) || !copy(host, url->host, sizeof(url->host)))
		return wrong_form;
	if (port.len && (!bytes_to_u64(port, 65535, &number) || !number))
		return "The port of the backplane's URL is none: it is a "
		       "number "
		       "from 1 to 65535";
	url->port = (uint16_t)number;
	return NULL;
}

static const char *read_prefix(struct bytes query, struct redis_url *url)
{
	struct bytes prefix = bytes_from(query, 7);
	bool fits = bytes_starts(query, BYTES("prefix=")) &&
		    copy(prefix, url->prefix, sizeof(url->prefix)) && prefix.len;

	for (size_t i = 0; fits && url->prefix[i]; i++)
		fits = url->prefix[i] > ' ' && url->prefix[i] < 0x7f &&
		       url->prefix[i] != '{' && url->prefix[i] != '}';
	return fits ? NULL
		    : "Behind the ? of the backplane's URL there can be "
		      "prefix=TEXT alone, of 1 to 63 printable characters "
		      "without { and }";
}

const char *redis_url_read(struct bytes text, struct redis_url *ret_url)
{
	struct redis_url url = {.db = 0, .prefix = HUB_REDIS_PREFIX};
	struct bytes rest, part;
	const char *wrong = NULL;
	uint64_t db = 0;

	url.tls = bytes_starts(text, BYTES("rediss://"));
	if (!url.tls && !bytes_starts(text, BYTES("redis://")))
		return wrong_form;
	if (text.len > HUB_REDIS_URL_MAX)
		return "The backplane's URL is longer than 1024 bytes";
	rest = bytes_from(text, url.tls ? 9 : 8);
	if (cut(rest, '@', true, &part, &rest))
		wrong = read_user(part, &url);
	part = rest;
	if (!wrong && cut(rest, '?', false, &rest, &part))
		wrong = read_prefix(part, &url);
	if (cut(rest, '/', false, &rest, &part) && part.len && !wrong &&
	    !bytes_to_u64(part, 65535, &db))
		wrong = "The path of the backplane's URL is the number of a "
			"database, as /0";
	url.db = (unsigned)db;
	wrong = wrong ? wrong : read_host(rest, &url);
	if (!wrong)
		*ret_url = url;
	return wrong;
}

const char *hub_redis_url_wrong(struct bytes text)
{
	struct redis_url url;

	return redis_url_read(text, &url);
}

void hub_redis_url_show(struct bytes text, char out[HUB_REDIS_ADDRESS_SIZE])
{
	struct redis_url url;

	if (redis_url_read(text, &url)) {
		snprintf(out, HUB_REDIS_ADDRESS_SIZE, "redis://?");
		return;
	}
	snprintf(out, HUB_REDIS_ADDRESS_SIZE, "redis%s://%s%s%s:%u/%u",
		 url.tls ? "s" : "", url.v6 ? "[" : "", url.host,
		 url.v6 ? "]" : "", url.port, url.db);
}
