/* SPDX-License-Identifier: MIT */
/*
 * URLs on their way out: the request target, the Host field, the origin and the
 * URL again.
 */
#include "wire/url.h"

#include "wire/pen.h"

static void put_lower(struct pen *p, struct bytes in)
{
	size_t from = p->len;

	put_bytes(p, in);
	for (; from < p->len; from++)
		p->out[from] = (char)byte_lower((uint8_t)p->out[from]);
}

static void put_number(struct pen *p, unsigned n)
{
	char digits[10];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put_bytes(p, bytes_of(digits + i, sizeof(digits) - i));
}

static void put_target(struct pen *p, const struct ses_url *url)
{
	if (url->path.len == 0)
		put(p, "/");
	put_bytes(p, url->path);
	if (url->query.data) {
		put(p, "?");
		put_bytes(p, url->query);
	}
}

/* In lower case, as browsers send it: some servers compare byte by byte. */
static void put_host(struct pen *p, const struct ses_url *url)
{
	bool v6 = url->host_kind == SES_HOST_IPV6;

	put(p, v6 ? "[" : "");
	put_lower(p, url->host);
	put(p, v6 ? "]" : "");
	if (url->port == (url->tls ? 443 : 80))
		return;
	put(p, ":");
	put_number(p, url->port);
}

int ses_url_target(const struct ses_url *url, char *out, size_t size)
{
	struct pen p = pen_on(out, size);

	put_target(&p, url);
	return finish(&p);
}

int ses_url_host_field(const struct ses_url *url, char *out, size_t size)
{
	struct pen p = pen_on(out, size);

	put_host(&p, url);
	return finish(&p);
}

int ses_url_origin(const struct ses_url *url, char *out, size_t size)
{
	struct pen p = pen_on(out, size);

	put(&p, url->tls ? "https://" : "http://");
	put_host(&p, url);
	return finish(&p);
}

int ses_url_write(const struct ses_url *url, char *out, size_t size)
{
	struct pen p = pen_on(out, size);

	put(&p, url->http ? "http" : "ws");
	put(&p, url->tls ? "s://" : "://");
	put_host(&p, url);
	put_target(&p, url);
	return finish(&p);
}
