/* SPDX-License-Identifier: MIT */
/*
 * Where the user's credentials may go, and which parts of a request are none.
 * What is hard is that a changed request may reach somebody else without
 * looking so: by another name, another path, another address of one machine.
 */
#include "doctor/withhold.h"

#include "doctor/redact.h"
#include "doctor/secrets.h"
#include "net/addr.h"

/*
 * Whether @other is the very path that the user asked for, with any query. A
 * redirect's target or a guess may be another application's.
 */
static bool same_place(struct bytes path, struct bytes other)
{
	size_t query = 0;

	while (query < other.len && other.data[query] != '?')
		query++;
	return bytes_equal(path.len ? path : BYTES("/"),
			   bytes_first(other, query));
}

/* This machine has an address in either family, whichever was written. */
const char *doctor_connect_host(const struct doctor_case *c,
				const struct doctor_trial *trial)
{
	if (!c->connect_host && trial->change == DOCTOR_NAME)
		return c->url.host_kind == SES_HOST_IPV6 ? "::1" : "127.0.0.1";
	if (c->connect_host || trial->change != DOCTOR_FAMILY)
		return c->connect_host;
	if (trial->value[0] == '6' && c->url.host_kind == SES_HOST_IPV4 &&
	    bytes_starts(c->url.host, BYTES("127.")))
		return "::1";
	if (trial->value[0] == '4' && c->url.host_kind == SES_HOST_IPV6 &&
	    bytes_equal_str(c->url.host, "::1"))
		return "127.0.0.1";
	return NULL;
}

/* "1.2" is 12. */
int doctor_tls_version(const char *text)
{
	return text[0] == '1' && text[1] == '.' ? 10 + (text[2] - '0') : 0;
}

/* Whether the page @text is at the very place that credentials are for. */
static bool is_own_place(const struct doctor_case *c, const char *text)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url url;
	size_t at;

	/* the page is asked for by its own name, whatever Host was given */
	return !c->host &&
	       ses_url_parse(bytes_of_str(text), &url, &fault, &at) < 0 &&
	       fault == SES_URL_HTTP && url.tls == c->url.tls &&
	       url.port == c->url.port &&
	       bytes_equal_nocase(url.host, c->url.host);
}

static bool is_port(struct bytes text)
{
	uint64_t port;

	return text.len == 0 || bytes_to_u64(text, 65535, &port);
}

/* Whether @text is an address of every machine's own, canonically written. */
static bool is_own_address(struct bytes text)
{
	struct ses_addr a;

	return ses_addr_parse(text, 0, &a) && ses_addr_is_loopback(&a);
}

/* Whether @host, with a port or without, is a name of every machine's own. */
static bool is_own_name(struct bytes host)
{
	ptrdiff_t end = bytes_find_byte(host, ']');
	struct bytes name;

	if (end > 0 && host.data[0] == '[') {
		struct bytes rest = bytes_from(host, (size_t)end + 1);

		return is_own_address(bytes_of(host.data + 1, (size_t)end - 1)) &&
		       (rest.len == 0 ||
			(rest.data[0] == ':' && is_port(bytes_from(rest, 1))));
	}
	if (is_own_address(host)) /* as a URL has it: ::1 */
		return true;
	end = bytes_find_byte(host, ':');
	name = end < 0 ? host : bytes_first(host, (size_t)end);
	return (bytes_equal_nocase(name, BYTES("localhost")) ||
		is_own_address(name)) &&
	       (end < 0 || is_port(bytes_from(host, (size_t)end + 1)));
}

/*
 * Who was named by a name of this very machine stays the same under each of
 * them. Any other name, the user's own or the trial's, may be a site of a proxy
 * here, which passes on by it to whoever that is: so may one that --resolve or
 * --connect-to only leads here, and one that was given as Host.
 */
static bool stays_on_machine(const struct doctor_case *c, const char *host)
{
	return !c->proxy && !c->connect_host && is_own_name(c->url.host) &&
	       (!c->host || is_own_name(bytes_of_str(c->host))) &&
	       is_own_name(bytes_of_str(host));
}

bool doctor_withholds(const struct doctor_case *c,
		      const struct doctor_trial *trial)
{
	switch (trial->change) {
	case DOCTOR_PAGE:
		return !is_own_place(c, trial->value);
	case DOCTOR_PREFLIGHT: /* as browsers have it */
	case DOCTOR_MINIMAL:
	case DOCTOR_NO_CREDENTIALS:
	case DOCTOR_PORT:
	case DOCTOR_SCHEME:
	case DOCTOR_NAMED_SO:
		return true;
	case DOCTOR_SILENCE: /* nothing is sent */
		return true;
	case DOCTOR_NAME:
	case DOCTOR_HOST:
		return !stays_on_machine(c, trial->value);
	case DOCTOR_FAMILY: /* the other loopback address may be another's */
		return doctor_connect_host(c, trial) != c->connect_host;
	case DOCTOR_TLS_VERSION: /* 1.0 and 1.1 keep no secret any more */
		return doctor_tls_version(trial->value) < 12;
	case DOCTOR_INSECURE: /* whoever answers is not known to be trusted */
		return !c->insecure;
	case DOCTOR_PATH:
	case DOCTOR_PLAIN_GET_PATH:
		return !same_place(c->url.path, bytes_of_str(trial->value));
	default:
		return false;
	}
}

bool doctor_is_public(struct bytes name)
{
	static const char *const names[] = {
		"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control",
		"DNT",	  "Origin",	     "Pragma",		"User-Agent"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(names[i])))
			return true;
	return bytes_equal_nocase(bytes_first(name, 10), BYTES("Sec-Fetch-"));
}

static bool is_credential(const struct doctor_header *h)
{
	struct bytes name = bytes_of_str(h->name);

	return bytes_equal_nocase(name, BYTES("Cookie")) ||
	       bytes_equal_nocase(name, BYTES("Authorization")) ||
	       doctor_is_secret_name(name) ||
	       doctor_looks_random(bytes_of_str(h->value));
}

/*
 * Whether a field stays at home. To somebody else only what is known to be
 * harmless goes, since no list of names knows every vendor's key; without
 * credentials to the same server, all but them, for one thing is to change.
 */
bool doctor_withholds_field(const struct doctor_trial *trial,
			    const struct doctor_header *h)
{
	return trial->change == DOCTOR_NO_CREDENTIALS
		       ? is_credential(h)
		       : !doctor_is_public(bytes_of_str(h->name));
}

bool doctor_is_secret_part(struct bytes pair)
{
	ptrdiff_t equals = bytes_find_byte(pair, '=');

	return doctor_is_secret_pair(pair) ||
	       doctor_looks_random(bytes_from(pair, (size_t)(equals + 1)));
}
