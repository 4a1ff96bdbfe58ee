/* SPDX-License-Identifier: MIT */
/*
 * What follows from the request alone, before anything was asked of a server:
 * whose origin it has, whether it carries credentials, what it takes part in.
 */
#include "doctor/case.h"

#include <stdio.h>

#include "doctor/redact.h"

const struct doctor_header *doctor_case_header(const struct doctor_case *c,
					       const char *name)
{
	for (size_t i = 0; i < c->n_headers; i++)
		if (bytes_equal_nocase(bytes_of_str(c->header[i].name),
				       bytes_of_str(name)))
			return &c->header[i];
	return NULL;
}

/* ---- origins ---- */

/* As browsers write it: "null", or scheme, host, port and nothing behind. */
bool doctor_is_origin(const char *text)
{
	const char *host = strstr(text, "://");

	if (strcmp(text, "null") == 0)
		return true;
	return host && host > text && host[3] && !strpbrk(host + 3, "/?#\\ @");
}

bool doctor_mended_origin(const char *text, char *out, size_t size)
{
	const char *host = strstr(text, "://");
	size_t len;
	int n;

	if (host)
		len = (size_t)(host + 3 - text) + strcspn(host + 3, "/?#\\ @");
	else
		len = strcspn(text, "/?#\\ @");
	if (text[len] == '@' || text[len] == ' ')
		return false; /* who knows what was meant */
	n = snprintf(out, size, "%s%.*s", host ? "" : "https://", (int)len,
		     text);
	return n > 0 && (size_t)n < size && doctor_is_origin(out);
}

struct bytes doctor_authority(struct bytes origin)
{
	ptrdiff_t colon = bytes_find_byte(origin, ':');

	return colon < 0 ? origin : bytes_from(origin, (size_t)colon + 3);
}

bool doctor_portless_origin(const char *origin, char *out, size_t size)
{
	struct bytes place = doctor_authority(bytes_of_str(origin));
	const char *colon = strrchr(origin, ':');
	int n;

	if (!bytes_starts(bytes_of_str(origin), BYTES("http")) || !colon ||
	    (const uint8_t *)colon < place.data || strchr(colon, ']'))
		return false;
	n = snprintf(out, size, "%.*s", (int)(colon - origin), origin);
	return n > 0 && (size_t)n < size;
}

static struct ses_url plain_url(const struct doctor_case *c, bool swapped)
{
	struct ses_url url = c->url;

	url.tls = swapped ? !url.tls : url.tls;
	return url;
}

bool doctor_own_origin(const struct doctor_case *c, bool swapped, char *out,
		       size_t size)
{
	struct ses_url url = plain_url(c, swapped);
	int n;

	if (c->host && *c->host) {
		n = snprintf(out, size, "%s://%s", url.tls ? "https" : "http",
			     c->host);
		return n > 0 && (size_t)n < size;
	}
	if (swapped && !url.port_given)
		url.port = url.tls ? 443 : 80;
	return ses_url_origin(&url, out, size) >= 0;
}

bool doctor_is_own_origin(const struct doctor_case *c, const char *origin)
{
	char own[600];

	for (int swapped = 0; swapped < 2; swapped++)
		if (doctor_own_origin(c, swapped, own, sizeof(own)) &&
		    bytes_equal_nocase(doctor_authority(bytes_of_str(own)),
				       doctor_authority(bytes_of_str(origin))))
			return true;
	return false;
}

/* ---- other places ---- */

bool doctor_is_loopback(const struct doctor_case *c)
{
	struct bytes h = c->url.host;

	return (c->url.host_kind == SES_HOST_IPV4 &&
		bytes_starts(h, BYTES("127."))) ||
	       (c->url.host_kind == SES_HOST_IPV6 &&
		bytes_equal_str(h, "::1")) ||
	       bytes_equal_nocase(h, BYTES("localhost"));
}

bool doctor_page_url(const struct doctor_case *c, struct ses_url *ret)
{
	enum ses_url_fault fault = SES_URL_OK;
	size_t at;

	return c->page &&
	       ses_url_parse(bytes_of_str(c->page), ret, &fault, &at) < 0 &&
	       fault == SES_URL_HTTP;
}

bool doctor_backend_host(const struct doctor_case *c, bool as_public, char *out,
			 size_t size)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url = c->url;
	size_t at;
	int n;

	if (as_public && c->host && *c->host) {
		n = snprintf(out, size, "%s", c->host);
		return n > 0 && (size_t)n < size;
	}
	if (!as_public &&
	    ses_url_parse(bytes_of_str(c->backend), &url, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP)
		return false;
	return ses_url_host_field(&url, out, size) >= 0;
}

/* ---- credentials ---- */

static bool query_has_secret(const struct doctor_case *c)
{
	struct bytes query = c->url.query;

	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		size_t len = end < 0 ? query.len : (size_t)end;

		if (doctor_is_secret_pair(bytes_first(query, len)) &&
		    !(doctor_is_engine(c) && doctor_is_session_pair(query)))
			return true;
		query = bytes_from(query, len + 1);
	}
	return false;
}

bool doctor_has_credentials(const struct doctor_case *c)
{
	struct doctor_offers offers = {.rest = bytes_of_str(c->subprotocols)};

	for (size_t i = 0; i < c->n_headers; i++) {
		struct bytes name = bytes_of_str(c->header[i].name);

		if (bytes_equal_nocase(name, BYTES("Cookie")) ||
		    bytes_equal_nocase(name, BYTES("Authorization")) ||
		    doctor_is_secret_name(name))
			return true;
	}
	while (doctor_next_offer(&offers))
		if (offers.secret)
			return true;
	return c->url.userinfo.data || query_has_secret(c);
}

/* ---- sessions of engine.io ---- */

bool doctor_is_engine(const struct doctor_case *c)
{
	return bytes_contains_nocase(c->url.path, BYTES("/socket.io")) ||
	       bytes_contains_nocase(c->url.path, BYTES("/engine.io")) ||
	       (bytes_contains_nocase(c->url.query, BYTES("EIO=")) &&
		bytes_contains_nocase(c->url.query, BYTES("transport=")));
}

bool doctor_continues_session(const struct doctor_case *c)
{
	struct bytes query = c->url.query;

	while (doctor_is_engine(c) && query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');

		if (doctor_is_session_pair(query))
			return true;
		query = bytes_from(query, end < 0 ? query.len : (size_t)end + 1);
	}
	return false;
}
