/* SPDX-License-Identifier: MIT */
/*
 * URLs: a fault stands within the text, a suggestion is a good URL, a good URL
 * written out is the same URL, and its parts can go into a request as they are.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/head.h"
#include "wire/url.h"

#define ROOM 40000

static char out[ROOM], meant[ROOM];

static void check_good(const struct ses_url *url)
{
	enum ses_url_fault fault;
	struct ses_url again;
	size_t at;

	assert(ses_url_host_field(url, out, ROOM) == 0);
	assert(ses_url_host_field_valid(bytes_of_str(out)));
	assert(ses_url_origin(url, out, ROOM) == 0);
	assert(ses_url_target(url, out, ROOM) == 0);
	assert(out[0] == '/');
	for (const char *c = out; *c; c++)
		assert(*c > ' ' && *c < 0x7f && *c != '#' && *c != '\\');
	assert(ses_url_write(url, out, ROOM) == 0);
	ses_url_parse(bytes_of_str(out), &again, &fault, &at);
	/* "ws://@ws//" without its userinfo looks like a scheme twice, and so
	 * does "ws://ws:80//" without the port that goes without saying. */
	if (fault == SES_URL_TOO_LONG ||
	    (fault == SES_URL_SCHEME_TWICE &&
	     bytes_starts(url->path, BYTES("//"))))
		return;
	assert(fault == (url->http ? SES_URL_HTTP : SES_URL_OK));
	assert(again.tls == url->tls && again.port == url->port);
	assert(bytes_equal_nocase(again.host, url->host));
	assert(again.host_kind == url->host_kind);
	assert(bytes_equal(again.query, url->query));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;

	if (size > 9000)
		return 0;
	ses_url_parse(text, &url, &fault, &at);
	assert(at <= size && fault < SES_N_URL_FAULTS);
	if (fault == SES_URL_OK || fault == SES_URL_HTTP)
		check_good(&url);
	assert(ses_url_redact(text, out, ROOM) == 0);
	if (!ses_url_suggest(text, meant, ROOM))
		return 0;
	assert(fault != SES_URL_OK);
	ses_url_parse(bytes_of_str(meant), &url, &fault, &at);
	assert(fault == SES_URL_OK);
	check_good(&url);
	return 0;
}
