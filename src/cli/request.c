/* SPDX-License-Identifier: MIT */
/* Options that say what a handshake is to be, and through what it goes. */
#include "cli/request.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/proxy.h"
#include "cli/show.h"
#include "net/addr.h"
#include "wire/head.h"

/* Options whose value is taken as it stands. */
static const struct {
	const char *name;
	size_t place; /* in struct sesame_client_options */
} texts[] = {
#define TEXT(name, member)                                           \
	{                                                            \
		name, offsetof(struct sesame_client_options, member) \
	}
	TEXT("user-agent", user_agent), TEXT("user", basic_auth),
	TEXT("origin", origin),		TEXT("subprotocol", protocols),
	TEXT("proxy", proxy),		TEXT("source", source),
	TEXT("cacert", ca_file),	TEXT("cert", cert_file),
	TEXT("key", key_file),		TEXT("proxy-cacert", proxy_ca_file),
#undef TEXT
};

/* Options that are there or not. */
static const struct {
	const char *name;
	size_t place; /* of a bool in struct cli_request */
} switches[] = {
#define SWITCH(name, member)                               \
	{                                                  \
		name, offsetof(struct cli_request, member) \
	}
	SWITCH("no-deflate", options.no_deflate),
	SWITCH("insecure", options.insecure),
	SWITCH("proxy-insecure", options.proxy_insecure),
	SWITCH("no-proxy", no_proxy),
#undef SWITCH
};

int cli_wrong(const char *command, const char *format, const char *what)
{
	char shown[512];

	fprintf(stderr, "sesame %s: ", command);
	fprintf(stderr, format,
		cli_printable(what, strlen(what), shown, sizeof(shown)));
	fprintf(stderr, "\n`sesame %s --help` tells more.\n", command);
	return EXIT_USAGE;
}

int cli_check_source(const char *command, const char *text)
{
	struct ses_addr address;

	if (ses_addr_parse(bytes_of_str(text), 0, &address))
		return 0;
	return cli_wrong(command,
			 "--source is an address of this machine, such as "
			 "192.0.2.7, and not %s; `ip address` lists them",
			 text);
}

int cli_read_seconds(const char *command, const char *text, double *ret)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 ||
	    seconds > 1e6)
		return cli_wrong(command, "%s is not a number of seconds", text);
	*ret = seconds;
	return 0;
}

int cli_read_count(const char *command, const char *text, const char *unit,
		   unsigned long least, unsigned long most, unsigned long *ret)
{
	char *end, format[128];
	unsigned long n = strtoul(text, &end, 10);

	snprintf(format, sizeof(format),
		 "%%s is not a number of %s (%lu to %lu)", unit, least, most);
	if (*text < '0' || *text > '9' || *end || n < least || n > most)
		return cli_wrong(command, format, text);
	*ret = n;
	return 0;
}

/* One field for all of them, as RFC 6265 has it (section 5.4). */
static int add_cookie(struct cli_request *r, const char *text)
{
	char *before = r->cookies;
	int n = asprintf(&r->cookies, "%s%s%s", before ? before : "",
			 before ? "; " : "", text);

	if (n < 0)
		r->cookies = NULL;
	free(before);
	return n < 0 ? EXIT_NO_ANSWER : 0;
}

/* --resolve, or --connect-to */
static int add_mapping(struct cli_request *r, const char *name,
		       const char *value)
{
	const char *wrong = doctor_route_add(&r->mappings, value,
					     strcmp(name, "connect-to") == 0);
	char text[160];

	if (!wrong)
		return 0;
	snprintf(text, sizeof(text), "--%s %s", name, wrong);
	return cli_wrong(r->command, "%s", text);
}

/* "Name: value" */
static int add_header(struct cli_request *r, const char *text)
{
	const char *colon = strchr(text, ':'), *value;
	size_t n = r->options.n_headers;

	if (!colon || colon == text)
		return cli_wrong(r->command, "%s",
				 "a header is written 'Name: value'; what was "
				 "given has no colon, or no name");
	value = colon + 1 + strspn(colon + 1, " \t");
	if (bytes_equal_nocase(bytes_of(text, (size_t)(colon - text)),
			       BYTES("Cookie")))
		return add_cookie(r, value);
	if (n == CLI_HEADERS)
		return cli_wrong(r->command, "%s", "too many headers");
	r->names[n] = strndup(text, (size_t)(colon - text));
	if (!r->names[n])
		return EXIT_NO_ANSWER;
	r->headers[n] = (struct sesame_header){r->names[n], value};
	r->options.n_headers++;
	return 0;
}

/* "chat, chat.v2": anything else is no field of a handshake. */
static int check_subprotocols(const char *command, const char *value)
{
	struct bytes list = bytes_of_str(value), one;

	if (bytes_trim(list).len == 0)
		return cli_wrong(command, "%s",
				 "--subprotocol is empty; leave it out to "
				 "offer none");
	while (bytes_next_element(&list, &one))
		if (!ses_is_token(one))
			return cli_wrong(command, "%s", SES_SUBPROTOCOL_WRONG);
	return 0;
}

static int take(struct cli_request *r, const char *name, const char *value)
{
	if (strcmp(name, "subprotocol") == 0 &&
	    check_subprotocols(r->command, value))
		return EXIT_USAGE;
	if (strcmp(name, "source") == 0 && cli_check_source(r->command, value))
		return EXIT_USAGE;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		*(const char **)((char *)&r->options + texts[i].place) = value;
		return 0;
	}
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(name, switches[i].name) != 0)
			continue;
		*(bool *)((char *)r + switches[i].place) = true;
		return 0;
	}
	if (strcmp(name, "header") == 0)
		return add_header(r, value);
	if (strcmp(name, "cookie") == 0)
		return add_cookie(r, value);
	if (strcmp(name, "resolve") == 0 || strcmp(name, "connect-to") == 0)
		return add_mapping(r, name, value);
	if (strcmp(name, "ipv4") != 0 && strcmp(name, "ipv6") != 0)
		return -1;
	r->options.family = name[3] - '0';
	return 0;
}

void cli_request_note(struct cli_request *r, const char *name, const char *value)
{
	if (r->n_given == CLI_GIVEN)
		return;
	r->given[r->n_given].name = name;
	r->given[r->n_given++].value = value;
}

int cli_request_take(struct cli_request *r, const char *name, const char *value)
{
	int status = take(r, name, value);

	if (status == 0)
		cli_request_note(r, name, value);
	return status;
}

int cli_request_take_url(struct cli_request *r, const char *word)
{
	char more[sizeof(r->shown_url)];

	if (r->url) {
		cli_printable_url(word, more, sizeof(more));
		return cli_wrong(r->command, "one URL, please; what is '%s'?",
				 more);
	}
	r->url = word;
	cli_printable_url(word, r->shown_url, sizeof(r->shown_url));
	return 0;
}

/* The library tells what is wrong with a URL that cannot be read. */
static int settle_place(struct cli_request *r)
{
	enum ses_url_fault fault;
	struct bytes host;
	struct ses_url url;
	size_t at;

	if (ses_url_parse(bytes_of_str(r->url), &url, &fault, &at) < 0 ||
	    !doctor_route_maps(&r->mappings, &url, &host,
			       &r->options.connect_port))
		return 0;
	r->connect_host = strndup((const char *)host.data, host.len);
	r->options.connect_host = r->connect_host;
	return r->connect_host ? 0 : EXIT_NO_ANSWER;
}

/* --no-proxy goes before all others, and an empty --proxy means the same. */
static int settle_proxy(struct cli_request *r)
{
	const char **proxy = &r->options.proxy;
	char text[256];

	if (r->no_proxy || (*proxy && !**proxy))
		*proxy = NULL;
	else if (*proxy)
		r->proxy_from = "--proxy";
	else
		*proxy = cli_proxy_for(r->url, &r->proxy_from);
	if (*proxy && doctor_route_check_proxy(*proxy, r->proxy_from, text,
					       sizeof(text)) < 0)
		return cli_wrong(r->command, "%s", text);
	return 0;
}

int cli_request_settle(struct cli_request *r)
{
	struct sesame_header cookie = {"Cookie", r->cookies};
	int status;

	if (r->cookies)
		r->headers[r->options.n_headers++] = cookie;
	r->options.headers = r->headers;
	if (r->options.key_file && !r->options.cert_file)
		return cli_wrong(r->command, "%s",
				 "--key without --cert: a key alone shows "
				 "nothing");
	status = settle_proxy(r);
	return status ? status : settle_place(r);
}

void cli_request_fini(struct cli_request *r)
{
	for (size_t i = 0; i < r->options.n_headers; i++)
		free(r->names[i]);
	r->options.n_headers = 0;
	free(r->cookies);
	free(r->connect_host);
	r->cookies = NULL;
	r->connect_host = NULL;
}
