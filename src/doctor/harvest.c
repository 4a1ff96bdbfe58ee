/* SPDX-License-Identifier: MIT */
/*
 * Values for the experiments. Pages and refusals are foreign text: whatever is
 * taken from them is checked to be a plain origin, path or token, and leads to
 * the user's own host only.
 */
#include "doctor/harvest_inner.h"

#include <stdarg.h>
#include <stdio.h>

#include "doctor/redact.h"

void doctor_add_value(struct doctor_values *v, const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n <= 0 || (size_t)n >= sizeof(text) || v->n == DOCTOR_MAX_VALUES ||
	    !ses_is_field_value(bytes_of_str(text)))
		return;
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->value[i], text) == 0)
			return;
	memcpy(v->value[v->n++], text, (size_t)n + 1);
}

void doctor_drop_value(struct doctor_values *v, struct bytes value)
{
	for (size_t i = 0; i < v->n; i++)
		if (bytes_equal_str(value, v->value[i])) {
			memmove(v->value[i], v->value[i + 1],
				(v->n - i - 1) * sizeof(v->value[0]));
			v->n--;
			return;
		}
}

/* ---- paths beside the URL's own ---- */

bool doctor_sibling_path(const struct doctor_case *c, char *out, size_t size)
{
	struct bytes path = c->url.path;
	int n;

	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	while (path.len > 0 && path.data[path.len - 1] != '/')
		path.len--;
	if (path.len < 2)
		return false;
	n = snprintf(out, size, "%.*s" DOCTOR_NONSENSE_PATH, (int)path.len - 1,
		     (const char *)path.data);
	return n > 0 && (size_t)n < size;
}

/* Names are short, and of letters: numbers may be another's, tokens secret. */
static bool is_name(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t b = byte_lower(text.data[i]);

		if ((b < 'a' || b > 'z') && b != '_' && b != '-')
			return false;
	}
	return text.len > 1 && text.len <= 20;
}

bool doctor_namesake_path(const struct doctor_case *c, char *out, size_t size)
{
	struct bytes path = c->url.path;
	size_t at = path.len;
	int n;

	while (at > 0 && path.data[at - 1] != '/')
		at--;
	if (at < 2 || !is_name(bytes_from(path, at)))
		return false;
	n = snprintf(out, size, "%.*s%.*s", BYTES_ARG(path),
		     BYTES_ARG(bytes_from(path, at)));
	return n > 0 && (size_t)n < size;
}

/* ---- reading foreign text ---- */

bool doctor_ends_url(uint8_t b)
{
	return b <= ' ' || b >= 0x7f || strchr("\"'`<>()[]{},;\\$|", b);
}

/* The next URL of one of the schemes in @text from *at on. */
bool doctor_next_url(struct bytes text, size_t *at, struct bytes *ret)
{
	static const char *const schemes[] = {"http://", "https://", "ws://",
					      "wss://"};

	for (; *at < text.len; (*at)++) {
		struct bytes rest = bytes_from(text, *at);
		size_t n = 0;

		if (rest.data[0] != 'h' && rest.data[0] != 'w')
			continue;
		for (size_t i = 0; i < 4; i++)
			if (bytes_starts(rest, bytes_of_str(schemes[i])))
				n = strlen(schemes[i]);
		if (n == 0)
			continue;
		while (n < rest.len && n < 300 && !doctor_ends_url(rest.data[n]))
			n++;
		while (n > 0 && strchr(".:", rest.data[n - 1]))
			n--;
		*ret = bytes_first(rest, n);
		*at += n;
		return true;
	}
	return false;
}

struct bytes doctor_body(const struct doctor_probe *p)
{
	return bytes_of(p->body, p->body_len);
}

struct bytes doctor_field(const struct doctor_probe *p, const char *name)
{
	return p->status ? ses_head_get(&p->parsed, name) : bytes_of(NULL, 0);
}

/* ---- origins ---- */

static bool is_documentation(struct bytes url)
{
	return bytes_contains_nocase(url, BYTES("w3.org")) ||
	       bytes_contains_nocase(url, BYTES("mozilla.org")) ||
	       bytes_contains_nocase(url, BYTES("nginx.")) ||
	       bytes_contains_nocase(url, BYTES("apache.org")) ||
	       bytes_contains_nocase(url, BYTES("debian.")) ||
	       bytes_contains_nocase(url, BYTES("ietf.org")) ||
	       bytes_contains_nocase(url, BYTES("github.com")) ||
	       bytes_contains_nocase(url, BYTES("errors.pydantic"));
}

static void add_origin_of(struct bytes url, struct doctor_values *v)
{
	size_t slashes = 0, n = 0;

	if (is_documentation(url))
		return;
	for (; n < url.len; n++)
		if (url.data[n] == '/' && ++slashes == 3)
			break;
	if (bytes_starts(url, BYTES("ws")))
		return;
	doctor_add_value(v, "%.*s", (int)n, (const char *)url.data);
}

/* A refusal that names who would be let in. */
static void add_named_origins(struct bytes text, struct doctor_values *v)
{
	struct bytes url;
	size_t at = 0;

	if (text.len > 2000)
		return;
	while (doctor_next_url(text, &at, &url))
		add_origin_of(url, v);
}

/*
 * https://staging.shop.example is off a list that has https://shop.example: who
 * keeps lists begins with the site's own name.
 */
static void add_parent_origin(const struct doctor_case *c,
			      struct doctor_values *v)
{
	struct bytes origin = bytes_of_str(c->origin);
	struct bytes place = doctor_authority(origin);
	ptrdiff_t dot = bytes_find_byte(place, '.');
	struct bytes parent = bytes_from(place, dot < 0 ? 0 : (size_t)dot + 1);
	ptrdiff_t colon = bytes_find_byte(parent, ':');
	struct bytes name =
		colon < 0 ? parent : bytes_first(parent, (size_t)colon);
	bool digits = name.len == 0 || (name.data[name.len - 1] >= '0' &&
					name.data[name.len - 1] <= '9');

	if (dot < 1 || digits || bytes_find_byte(name, '.') < 0 ||
	    doctor_has_credentials(c) || doctor_is_own_origin(c, c->origin))
		return;
	doctor_add_value(v, "%.*s%.*s", (int)(place.data - origin.data),
			 (const char *)origin.data, BYTES_ARG(parent));
}

void doctor_harvest_origins(const struct doctor_chart *chart,
			    struct doctor_values *v)
{
	char own[600];

	if (doctor_own_origin(chart->c, false, own, sizeof(own)))
		doctor_add_value(v, "%s", own);
	if (doctor_found(chart, DOCTOR_F_PAGE_SANDBOXED))
		doctor_add_value(v, "null");
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes allow =
			doctor_field(p, "Access-Control-Allow-Origin");

		if (allow.len > 1)
			doctor_add_value(v, "%.*s", BYTES_ARG(allow));
		if (p->status >= 400 || p->close_code)
			add_named_origins(doctor_body(p), v);
		add_named_origins(bytes_of_str(p->close_reason), v);
		add_named_origins(bytes_of_str(p->first_message), v);
	}
	if (doctor_own_origin(chart->c, true, own, sizeof(own)))
		doctor_add_value(v, "%s", own);
	if (chart->c->origin &&
	    doctor_portless_origin(chart->c->origin, own, sizeof(own)))
		doctor_add_value(v, "%s", own);
	if (chart->c->origin)
		add_parent_origin(chart->c, v);
	doctor_add_value(v, "%s", DOCTOR_NONSENSE_ORIGIN);
}

/* ---- hosts ---- */

static void add_with_port(const struct doctor_case *c, struct bytes host,
			  struct doctor_values *v)
{
	bool usual = c->url.port == (c->url.tls ? 443 : 80);

	if (host.len == 0 || bytes_find_byte(host, '*') >= 0)
		return;
	if (usual)
		doctor_add_value(v, "%.*s", BYTES_ARG(host));
	else
		doctor_add_value(v, "%.*s:%u", BYTES_ARG(host), c->url.port);
}

/* Of "http://ann@example.org:8080/x" example.org. */
static struct bytes host_of(struct bytes url)
{
	struct bytes host = doctor_authority(url);
	ptrdiff_t at;

	for (size_t n = 0; n < host.len; n++)
		if (strchr("/?#", host.data[n]))
			host.len = n;
	while ((at = bytes_find_byte(host, '@')) >= 0)
		host = bytes_from(host, (size_t)at + 1);
	at = bytes_find_byte(host, ':');
	return at < 0 ? host : bytes_first(host, (size_t)at);
}

static void add_redirect_host(const struct doctor_chart *chart,
			      const struct doctor_probe *p,
			      struct doctor_values *v)
{
	struct bytes location = doctor_field(p, "Location"), url;
	size_t at = 0;

	if (doctor_next_url(location, &at, &url))
		add_with_port(chart->c, host_of(url), v);
}

/* Of "chat.shop.example" "shop.example". */
static struct bytes domain_of(struct bytes host)
{
	size_t dots = 0, n = host.len;

	while (n > 0 && !(host.data[n - 1] == '.' && ++dots == 2))
		n--;
	return bytes_from(host, n);
}

/* One of this site's names: its domain is that of the URL, or of the page. */
static bool is_related(const struct doctor_case *c, struct bytes host)
{
	const struct bytes own[] = {
		c->url.host_kind == SES_HOST_NAME ? c->url.host : BYTES(""),
		host_of(bytes_of_str(c->origin ? c->origin : ""))};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].len > 0 &&
		    bytes_equal_nocase(domain_of(own[i]), domain_of(host)))
			return true;
	return false;
}

#define SENTENCE 1000 /* what is longer is a page */

/*
 * The site that a refusal names. A page links to its makers and its neighbours
 * as well: of those only the site's own are asked for.
 */
static void add_named_hosts(const struct doctor_case *c,
			    const struct doctor_probe *p,
			    struct doctor_values *v)
{
	struct bytes text = bytes_first(doctor_body(p), 4000), url, host;
	bool refusal = p->status >= 400 && p->body_len <= SENTENCE;
	size_t at = 0, most = v->n + 2;

	while (v->n < most && doctor_next_url(text, &at, &url)) {
		host = host_of(url);
		if (!is_documentation(url) &&
		    !bytes_equal_nocase(host, c->url.host) &&
		    (refusal || is_related(c, host)))
			add_with_port(c, host, v);
	}
}

/* "... does not match server listening port 8443": our name, with that port. */
static void add_named_ports(const struct doctor_case *c, struct bytes text,
			    struct doctor_values *v)
{
	static const char word[] = "port ";
	const size_t len = sizeof(word) - 1;
	struct ses_url url = c->url;
	char host[600];

	for (size_t most = v->n + 2; v->n < most && text.len > len;
	     text = bytes_from(text, 1)) {
		struct bytes digits = bytes_from(text, len);
		uint64_t port;
		size_t n = 0;

		while (n < digits.len && n < 6 && digits.data[n] >= '0' &&
		       digits.data[n] <= '9')
			n++;
		if (!bytes_equal_nocase(bytes_first(text, len), BYTES(word)) ||
		    !bytes_to_u64(bytes_first(digits, n), 65535, &port) ||
		    port == 0 || port == c->url.port)
			continue;
		url.port = (uint16_t)port;
		url.port_given = true;
		if (ses_url_host_field(&url, host, sizeof(host)) >= 0)
			doctor_add_value(v, "%s", host);
	}
}

/* Where a page of the site has its WebSocket, under another name of the site. */
static void add_socket_hosts(const struct doctor_chart *chart,
			     struct doctor_values *v)
{
	struct bytes url;

	for (size_t i = 0; i < chart->n_probes; i++) {
		struct bytes text = doctor_body(chart->probe[i]);
		size_t at = 0;

		while (chart->probe[i]->status / 100 == 2 &&
		       doctor_next_url(text, &at, &url))
			if (bytes_starts(url, BYTES("ws")) &&
			    !bytes_equal_nocase(host_of(url),
						chart->c->url.host) &&
			    is_related(chart->c, host_of(url)))
				add_with_port(chart->c, host_of(url), v);
	}
}

/* Whether @url names this very port, which no other server is likely to have. */
static bool is_at_own_port(const struct doctor_case *c, struct bytes url)
{
	struct bytes place = doctor_authority(url);
	char port[8];
	size_t n = 0;

	while (n < place.len && !strchr("/?#", place.data[n]))
		n++;
	place.len = n;
	snprintf(port, sizeof(port), ":%u", c->url.port);
	n = strlen(port);
	return c->url.port != 80 && c->url.port != 443 && place.len > n &&
	       bytes_equal_str(bytes_from(place, place.len - n), port);
}

/* The sites of a server that is met by its address, as its pages link to them. */
static void add_linked_hosts(const struct doctor_chart *chart,
			     struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	struct bytes url;

	for (size_t i = 0; i < chart->n_probes; i++) {
		struct bytes text = doctor_body(chart->probe[i]);
		size_t at = 0, most = v->n + 2;

		while (c->url.host_kind != SES_HOST_NAME && !c->host &&
		       chart->probe[i]->status / 100 == 2 && v->n < most &&
		       doctor_next_url(text, &at, &url))
			if (is_at_own_port(c, url) && host_of(url).len > 0 &&
			    host_of(url).data[0] > '9' &&
			    !bytes_equal_nocase(host_of(url),
						BYTES("localhost")))
				add_with_port(c, host_of(url), v);
	}
}

/* Of "ws://h:1/room?x" "/room"; "/" of one that has no path. */
static struct bytes path_of(struct bytes url)
{
	struct bytes rest = doctor_authority(url), path = BYTES("/");
	size_t n = 0;

	for (size_t k = 0; k < rest.len; k++)
		if (strchr("/?#", rest.data[k])) {
			path = rest.data[k] == '/' ? bytes_from(rest, k) : path;
			break;
		}
	while (n < path.len && path.data[n] != '?' && path.data[n] != '#')
		n++;
	return bytes_first(path, n);
}

bool doctor_names_other_host(const struct doctor_case *c,
			     const struct doctor_probe *p, struct bytes *ret)
{
	struct bytes own = c->url.path.len ? c->url.path : BYTES("/"), url;
	size_t at = 0;

	while (doctor_next_url(doctor_body(p), &at, &url)) {
		*ret = host_of(url);
		if (bytes_starts(url, BYTES("ws")) &&
		    bytes_equal(path_of(url), own) && ret->len > 0 &&
		    !bytes_equal_nocase(*ret, c->url.host) &&
		    !bytes_equal_nocase(*ret, BYTES("localhost")) &&
		    ret->data[0] > '9' && bytes_find_byte(*ret, '$') < 0)
			return true;
	}
	return false;
}

/* Development servers know localhost, and not the names that lead to it. */
bool doctor_is_local_name(const struct doctor_case *c,
			  const struct doctor_probe *p)
{
	const struct ses_addr *a = &p->dial.peer;

	return !c->proxy && c->url.host_kind == SES_HOST_NAME && a->len > 0 &&
	       ses_addr_is_loopback(a);
}

void doctor_harvest_hosts(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	bool name = c->url.host_kind == SES_HOST_NAME;
	const char *of_cert;
	char own[600];
	size_t i = 0;

	if (base && !c->host && doctor_found(chart, DOCTOR_F_SAYS_HOST)) {
		add_named_ports(c, base->parsed.reason, v);
		add_named_ports(c, bytes_first(doctor_body(base), 400), v);
	}
	if (c->host && ses_url_host_field(&c->url, own, sizeof(own)) >= 0)
		doctor_add_value(v, "%s", own);
	add_socket_hosts(chart, v);
	add_linked_hosts(chart, v);
	while (base && c->url.tls &&
	       (of_cert = ses_tls_next_host(&base->dial.tls.names, &i)))
		add_with_port(c, bytes_of_str(of_cert), v);
	if ((doctor_is_loopback(c) && !name) ||
	    (base && doctor_is_local_name(c, base)))
		add_with_port(c, BYTES("localhost"), v);
	if (base)
		add_redirect_host(chart, base, v);
	if (base && base->outcome == DOCTOR_ANSWERED)
		add_named_hosts(c, base, v);
	if ((doctor_is_loopback(c) && name) ||
	    (base && doctor_is_local_name(c, base)))
		add_with_port(c, BYTES("127.0.0.1"), v);
	if (c->origin && bytes_starts(bytes_of_str(c->origin), BYTES("http")) &&
	    !doctor_is_own_origin(c, c->origin))
		doctor_add_value(
			v, "%.*s",
			BYTES_ARG(doctor_authority(bytes_of_str(c->origin))));
	if (c->url.port_given)
		doctor_add_value(v, "%.*s", BYTES_ARG(c->url.host));
	if (!c->host && ses_url_host_field(&c->url, own, sizeof(own)) >= 0)
		doctor_drop_value(v, bytes_of_str(own));
}

/* ---- paths ---- */

static bool is_path(struct bytes path)
{
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] <= ' ' || path.data[i] >= 0x7f ||
		    strchr("\"<>\\^`{|}#", path.data[i]))
			return false;
	/* "//name" is no path: it names another host */
	return path.len > 0 && path.len < 300 && path.data[0] == '/' &&
	       !bytes_starts(path, BYTES("//"));
}

void doctor_add_path(struct bytes path, struct doctor_values *v)
{
	if (is_path(path))
		doctor_add_value(v, "%.*s", BYTES_ARG(path));
}

/* The path of a URL on the user's own host, or of a reference without one. */
struct bytes doctor_own_path(const struct doctor_case *c, struct bytes url)
{
	struct bytes host = doctor_authority(url), path = host;

	if (url.len > 0 && url.data[0] == '/')
		return url;
	for (size_t n = 0; n <= host.len; n++)
		if (n == host.len || strchr("/?#", host.data[n])) {
			path = bytes_from(host, n);
			host = bytes_first(host, n);
			break;
		}
	for (size_t n = 0; n < host.len; n++)
		if (host.data[n] == ':')
			host.len = n;
	return bytes_equal_nocase(host, c->url.host) ||
			       bytes_equal_nocase(host, BYTES("localhost"))
		       ? path
		       : bytes_of(NULL, 0);
}

/* ---- ports ---- */

/*
 * Pages on which software shows its own state, by words of theirs, and where
 * its WebSocket usually is, by its documentation.
 */
static const struct {
	const char *word;
	unsigned port[3];
} services[] = {
	{"//nats.io/favicon", {8080, 9222, 443}}, /* 8222 */
	{"RabbitMQ Management", {15674, 15675}},  /* 15672 */
	{"EMQX Dashboard", {8083, 8084}},	  /* 18083 */
	{"Apache ActiveMQ", {61614}},		  /* 8161 */
	{"Statistics Report for HAProxy", {80}},
	{"# HELP ", {8080}}, /* metrics for Prometheus */
};

/* The page's row of @services, or -1. */
static int service_of(const struct doctor_probe *p)
{
	struct bytes text = bytes_first(doctor_body(p), 12000);

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (p->status == 200 &&
		    bytes_contains_nocase(text, bytes_of_str(services[i].word)))
			return (int)i;
	return -1;
}

bool doctor_shows_state(const struct doctor_probe *p)
{
	return service_of(p) >= 0;
}

static void add_ports_of_service(const struct doctor_chart *chart,
				 struct doctor_values *v)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	int row = base ? service_of(base) : -1;

	for (size_t k = 0; row >= 0 && k < 3 && services[row].port[k]; k++)
		if (services[row].port[k] != chart->c->url.port)
			doctor_add_value(v, "%u", services[row].port[k]);
}

void doctor_harvest_ports(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	static const unsigned usual[] = {8080, 3000, 8000, 80};
	const struct doctor_case *c = chart->c;
	unsigned port = c->url.port;

	/* Knocking at other doors is polite on one's own machine only. */
	if (!doctor_is_loopback(c) || c->proxy || c->connect_host)
		return;
	add_ports_of_service(chart, v);
	if (port < 65535)
		doctor_add_value(v, "%u", port + 1);
	if (port > 1)
		doctor_add_value(v, "%u", port - 1);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] != port)
			doctor_add_value(v, "%u", usual[i]);
}
