/* SPDX-License-Identifier: MIT */
/*
 * The way to the server as curl would choose it, so that what curl's users
 * know holds here: the proxy variables with their exceptions, --resolve and
 * --connect-to.
 */
#include "doctor/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "net/addr.h"
#include "net/proxy.h"

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Cut the next element off a list with commas or blanks. */
static bool next_word(struct bytes *list, struct bytes *ret_word)
{
	static const char separators[] = ", \t";
	size_t from = 0, to;

	while (from < list->len && strchr(separators, list->data[from]))
		from++;
	for (to = from; to < list->len; to++)
		if (strchr(separators, list->data[to]))
			break;
	*ret_word = bytes_of(list->data + from, to - from);
	*list = bytes_from(*list, to);
	return ret_word->len > 0;
}

static const uint8_t *address_bytes(const struct ses_addr *a)
{
	return ses_addr_family(a) == 4 ? (const uint8_t *)&a->v4.sin_addr
				       : (const uint8_t *)&a->v6.sin6_addr;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8" or "192.0.2.1" against an address. */
static bool network_holds(struct bytes network, const struct ses_addr *host)
{
	ptrdiff_t slash = bytes_find_byte(network, '/');
	unsigned width = ses_addr_family(host) == 4 ? 32 : 128;
	uint64_t bits = width;
	struct ses_addr base;

	if (slash >= 0) {
		if (!bytes_to_u64(bytes_from(network, (size_t)slash + 1), width,
				  &bits))
			return false;
		network = bytes_first(network, (size_t)slash);
	}
	if (!ses_addr_parse(network, 0, &base))
		return false;
	return ses_addr_family(&base) == ses_addr_family(host) &&
	       same_bits(address_bytes(&base), address_bytes(host),
			 (unsigned)bits);
}

static bool name_below(struct bytes host, struct bytes domain)
{
	size_t before;

	if (domain.len > 0 && domain.data[0] == '.')
		domain = bytes_from(domain, 1);
	if (domain.len == 0 || host.len < domain.len)
		return false;
	before = host.len - domain.len;
	return bytes_equal_nocase(bytes_from(host, before), domain) &&
	       (before == 0 || host.data[before - 1] == '.');
}

bool doctor_route_excluded(struct bytes host, const char *no_proxy)
{
	struct bytes list = bytes_of_str(no_proxy), word;
	struct ses_addr addr;
	bool is_address = ses_addr_parse(host, 0, &addr);

	while (next_word(&list, &word)) {
		if (bytes_equal_str(word, "*"))
			return true;
		if (is_address ? network_holds(word, &addr)
			       : name_below(host, word))
			return true;
	}
	return false;
}

const char *doctor_route_proxy(const struct ses_url *url, const char **ret_from)
{
	/* HTTP_PROXY is what a CGI program's client may set: not believed */
	static const char *const for_tls[] = {"https_proxy", "HTTPS_PROXY",
					      "all_proxy", "ALL_PROXY", NULL};
	static const char *const for_plain[] = {"http_proxy", "all_proxy",
						"ALL_PROXY", NULL};
	const char *except = variable("no_proxy");

	if (!except)
		except = variable("NO_PROXY");
	if (except && doctor_route_excluded(url->host, except))
		return NULL;
	for (const char *const *name = url->tls ? for_tls : for_plain; *name;
	     name++) {
		const char *value = variable(*name);

		if (!value)
			continue;
		*ret_from = *name;
		return value;
	}
	return NULL;
}

/* What has a scheme, and none that is spoken. */
static bool is_other_kind(const char *proxy)
{
	static const char *const known[] = {"http://", "https://", "socks5://",
					    "socks5h://"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncasecmp(proxy, known[i], strlen(known[i])) == 0)
			return false;
	return strstr(proxy, "://");
}

int doctor_route_check_proxy(const char *proxy, const char *from, char *text,
			     size_t size)
{
	struct ses_proxy parsed;
	const char *fault;

	if (is_other_kind(proxy))
		snprintf(text, size,
			 "%s: this kind of proxy is not spoken; http://, "
			 "https:// and socks5:// are, --no-proxy goes without",
			 from);
	else if (ses_proxy_parse(proxy, &parsed, &fault) < 0)
		snprintf(text, size,
			 "%s: %s; it is written http://HOST:PORT, --no-proxy "
			 "goes without",
			 from, fault);
	else
		return 0;
	return -1;
}

/* Cut a host, in brackets or not, and the colon after it off @rest. */
static bool cut_host(struct bytes *rest, struct bytes *ret_host)
{
	ptrdiff_t end;

	if (rest->len > 0 && rest->data[0] == '[') {
		end = bytes_find_byte(*rest, ']');
		if (end < 0)
			return false;
		*ret_host = bytes_of(rest->data + 1, (size_t)end - 1);
		end++;
	} else {
		end = bytes_find_byte(*rest, ':');
		if (end < 0)
			return false;
		*ret_host = bytes_first(*rest, (size_t)end);
	}
	if ((size_t)end >= rest->len || rest->data[end] != ':')
		return false;
	*rest = bytes_from(*rest, (size_t)end + 1);
	return true;
}

/* A port, which may be left out when @optional: 0. */
static bool read_port(struct bytes text, bool optional, uint16_t *ret_port)
{
	uint64_t port = 0;

	if (text.len == 0 ? !optional : !bytes_to_u64(text, 65535, &port))
		return false;
	if (text.len > 0 && port == 0)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

struct mapping {
	struct bytes from_host, to_host;
	uint16_t from_port, to_port;
};

static bool read_connect_to(struct bytes rest, struct mapping *m)
{
	ptrdiff_t colon;

	if (!cut_host(&rest, &m->from_host))
		return false;
	colon = bytes_find_byte(rest, ':');
	if (colon < 0 ||
	    !read_port(bytes_first(rest, (size_t)colon), true, &m->from_port))
		return false;
	rest = bytes_from(rest, (size_t)colon + 1);
	return cut_host(&rest, &m->to_host) &&
	       read_port(rest, true, &m->to_port);
}

static bool read_resolve(struct bytes rest, struct mapping *m)
{
	struct ses_addr addr;
	ptrdiff_t colon;

	if (rest.len > 0 && (rest.data[0] == '+' || rest.data[0] == '-'))
		rest = bytes_from(rest, 1);
	if (!cut_host(&rest, &m->from_host) || m->from_host.len == 0)
		return false;
	if (bytes_equal_str(m->from_host, "*"))
		m->from_host.len = 0;
	colon = bytes_find_byte(rest, ':');
	if (colon < 0 ||
	    !read_port(bytes_first(rest, (size_t)colon), false, &m->from_port))
		return false;
	rest = bytes_from(rest, (size_t)colon + 1);
	if (!bytes_next_element(&rest, &m->to_host))
		return false;
	if (m->to_host.len > 2 && m->to_host.data[0] == '[' &&
	    m->to_host.data[m->to_host.len - 1] == ']')
		m->to_host = bytes_of(m->to_host.data + 1, m->to_host.len - 2);
	m->to_port = 0;
	return ses_addr_parse(m->to_host, 0, &addr);
}

static bool read_mapping(const char *text, bool connect_to, struct mapping *m)
{
	*m = (struct mapping){0};
	return connect_to ? read_connect_to(bytes_of_str(text), m)
			  : read_resolve(bytes_of_str(text), m);
}

const char *doctor_route_add(struct doctor_mappings *m, const char *text,
			     bool connect_to)
{
	struct mapping parts;

	if (!read_mapping(text, connect_to, &parts))
		return connect_to ? "wants H1:P1:H2:P2, such as "
				    "example.org:443:127.0.0.1:8443"
				  : "wants HOST:PORT:ADDRESS, such as "
				    "example.org:443:127.0.0.1";
	if (m->n == DOCTOR_MAX_MAPPINGS)
		return "is given too often";
	m->one[m->n].text = text;
	m->one[m->n++].connect_to = connect_to;
	return NULL;
}

static bool is_for(const struct mapping *m, const struct ses_url *url)
{
	return (!m->from_host.len ||
		bytes_equal_nocase(m->from_host, url->host)) &&
	       (!m->from_port || m->from_port == url->port);
}

bool doctor_route_maps(const struct doctor_mappings *m,
		       const struct ses_url *url, struct bytes *ret_host,
		       uint16_t *ret_port)
{
	struct mapping parts;

	for (size_t i = 0; i < m->n; i++) {
		if (!read_mapping(m->one[i].text, m->one[i].connect_to, &parts) ||
		    !is_for(&parts, url))
			continue;
		*ret_host = parts.to_host.len ? parts.to_host : url->host;
		*ret_port = parts.to_port;
		return true;
	}
	return false;
}
