/* SPDX-License-Identifier: MIT */
/*
 * Values for the experiments. Pages and refusals are foreign text: whatever is
 * taken from them is checked to be a plain origin, path or token, and leads to
 * the user's own host only.
 */
#include "doctor/harvest.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/percent.h"
#include "doctor/redact.h"

__attribute__((format(printf, 2, 3))) static void add(struct doctor_values *v,
						      const char *format, ...)
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

static void drop_value(struct doctor_values *v, struct bytes value)
{
	for (size_t i = 0; i < v->n; i++)
		if (bytes_equal_str(value, v->value[i])) {
			memmove(v->value[i], v->value[i + 1],
				(v->n - i - 1) * sizeof(v->value[0]));
			v->n--;
			return;
		}
}

/* ---- the case ---- */

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

static struct bytes authority(struct bytes origin)
{
	ptrdiff_t colon = bytes_find_byte(origin, ':');

	return colon < 0 ? origin : bytes_from(origin, (size_t)colon + 3);
}

bool doctor_is_own_origin(const struct doctor_case *c, const char *origin)
{
	char own[600];

	for (int swapped = 0; swapped < 2; swapped++)
		if (doctor_own_origin(c, swapped, own, sizeof(own)) &&
		    bytes_equal_nocase(authority(bytes_of_str(own)),
				       authority(bytes_of_str(origin))))
			return true;
	return false;
}

bool doctor_is_loopback(const struct doctor_case *c)
{
	struct bytes h = c->url.host;

	return (c->url.host_kind == SES_HOST_IPV4 &&
		bytes_starts(h, BYTES("127."))) ||
	       (c->url.host_kind == SES_HOST_IPV6 &&
		bytes_equal_str(h, "::1")) ||
	       bytes_equal_nocase(h, BYTES("localhost"));
}

static bool query_has_secret(struct bytes query)
{
	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		size_t len = end < 0 ? query.len : (size_t)end;

		if (doctor_is_secret_pair(bytes_first(query, len)))
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
	return c->url.userinfo.data || query_has_secret(c->url.query);
}

/* ---- reading foreign text ---- */

static bool ends_url(uint8_t b)
{
	return b <= ' ' || b >= 0x7f || strchr("\"'`<>()[]{},;\\$|", b);
}

/* The next URL of one of the schemes in @text from *at on. */
static bool next_url(struct bytes text, size_t *at, struct bytes *ret)
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
		while (n < rest.len && n < 300 && !ends_url(rest.data[n]))
			n++;
		while (n > 0 && strchr(".:", rest.data[n - 1]))
			n--;
		*ret = bytes_first(rest, n);
		*at += n;
		return true;
	}
	return false;
}

static struct bytes body_of(const struct doctor_probe *p)
{
	return bytes_of(p->body, p->body_len);
}

static struct bytes field_of(const struct doctor_probe *p, const char *name)
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
	add(v, "%.*s", (int)n, (const char *)url.data);
}

/* A refusal that names who would be let in. */
static void add_named_origins(struct bytes text, struct doctor_values *v)
{
	struct bytes url;
	size_t at = 0;

	if (text.len > 2000)
		return;
	while (next_url(text, &at, &url))
		add_origin_of(url, v);
}

void doctor_harvest_origins(const struct doctor_chart *chart,
			    struct doctor_values *v)
{
	char own[600];

	if (doctor_own_origin(chart->c, false, own, sizeof(own)))
		add(v, "%s", own);
	if (doctor_found(chart, DOCTOR_F_PAGE_SANDBOXED))
		add(v, "null");
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes allow = field_of(p, "Access-Control-Allow-Origin");

		if (allow.len > 1)
			add(v, "%.*s", BYTES_ARG(allow));
		if (p->status >= 400 || p->close_code)
			add_named_origins(body_of(p), v);
		add_named_origins(bytes_of_str(p->close_reason), v);
		add_named_origins(bytes_of_str(p->first_message), v);
	}
	if (doctor_own_origin(chart->c, true, own, sizeof(own)))
		add(v, "%s", own);
	add(v, "%s", DOCTOR_NONSENSE_ORIGIN);
}

/* ---- hosts ---- */

static void add_with_port(const struct doctor_case *c, struct bytes host,
			  struct doctor_values *v)
{
	bool usual = c->url.port == (c->url.tls ? 443 : 80);

	if (host.len == 0 || bytes_find_byte(host, '*') >= 0)
		return;
	if (usual)
		add(v, "%.*s", BYTES_ARG(host));
	else
		add(v, "%.*s:%u", BYTES_ARG(host), c->url.port);
}

static void add_redirect_host(const struct doctor_chart *chart,
			      const struct doctor_probe *p,
			      struct doctor_values *v)
{
	struct bytes location = field_of(p, "Location"), url;
	struct bytes host;
	size_t at = 0;

	if (!next_url(location, &at, &url))
		return;
	host = authority(url);
	for (size_t n = 0; n < host.len; n++)
		if (strchr(":/?#", host.data[n]))
			host.len = n;
	add_with_port(chart->c, host, v);
}

/* The site that a page or a refusal names. */
static void add_named_hosts(const struct doctor_case *c, struct bytes text,
			    struct doctor_values *v)
{
	struct bytes url, host;
	size_t at = 0, most = v->n + 2;

	while (v->n < most && next_url(text, &at, &url)) {
		host = authority(url);
		for (size_t n = 0; n < host.len; n++)
			if (strchr(":/?#", host.data[n]))
				host.len = n;
		if (!is_documentation(url) &&
		    !bytes_equal_nocase(host, c->url.host))
			add_with_port(c, host, v);
	}
}

/* Development servers know localhost, and not the names that lead to it. */
bool doctor_is_local_name(const struct doctor_case *c,
			  const struct doctor_probe *p)
{
	const struct ses_addr *a = &p->dial.peer;

	if (c->proxy || c->url.host_kind != SES_HOST_NAME || a->len == 0)
		return false;
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return a->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

void doctor_harvest_hosts(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_probe *base = doctor_baseline(chart);
	bool name = c->url.host_kind == SES_HOST_NAME;
	char own[600];

	if (c->host && ses_url_host_field(&c->url, own, sizeof(own)) >= 0)
		add(v, "%s", own);
	for (size_t i = 0; base && i < base->dial.tls.n_names &&
			   i < SES_TLS_MAX_NAMES && c->url.tls;
	     i++)
		add_with_port(c, bytes_of_str(base->dial.tls.names[i]), v);
	if ((doctor_is_loopback(c) && !name) ||
	    (base && doctor_is_local_name(c, base)))
		add_with_port(c, BYTES("localhost"), v);
	if (base)
		add_redirect_host(chart, base, v);
	if (base && base->outcome == DOCTOR_ANSWERED)
		add_named_hosts(c, bytes_first(body_of(base), 4000), v);
	if ((doctor_is_loopback(c) && name) ||
	    (base && doctor_is_local_name(c, base)))
		add_with_port(c, BYTES("127.0.0.1"), v);
	if (c->origin && bytes_starts(bytes_of_str(c->origin), BYTES("http")) &&
	    !doctor_is_own_origin(c, c->origin))
		add(v, "%.*s", BYTES_ARG(authority(bytes_of_str(c->origin))));
	if (c->url.port_given)
		add(v, "%.*s", BYTES_ARG(c->url.host));
	if (!c->host && ses_url_host_field(&c->url, own, sizeof(own)) >= 0)
		drop_value(v, bytes_of_str(own));
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

static void add_path(struct bytes path, struct doctor_values *v)
{
	if (is_path(path))
		add(v, "%.*s", BYTES_ARG(path));
}

/* The path of a URL on the user's own host, or of a reference without one. */
static struct bytes own_path(const struct doctor_case *c, struct bytes url)
{
	struct bytes host = authority(url), path = host;

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

/* ---- pages and their scripts ---- */

/* How far from the call its URL, its parameters and its names stand. */
#define NEAR 300

/* The text from the next call of the WebSocket constructor on, or nothing. */
static struct bytes next_call(struct bytes text, size_t *at)
{
	static const char call[] = "WebSocket(";
	const uint8_t *hit = *at < text.len
				     ? memmem(text.data + *at, text.len - *at,
					      call, sizeof(call) - 1)
				     : NULL;

	if (!hit)
		return bytes_of(NULL, 0);
	*at = (size_t)(hit - text.data) + sizeof(call) - 1;
	return bytes_from(text, *at);
}

bool doctor_opens_sockets(struct bytes text)
{
	size_t at = 0;

	return next_call(text, &at).data != NULL;
}

static bool is_quote(uint8_t b)
{
	return b == '"' || b == '\'' || b == '`';
}

/* A word that a URL of a WebSocket is called by or made of. */
static bool has_mark(struct bytes text)
{
	static const char *const marks[] = {
		"socket", "location.host", "ws://", "wss:",   "cable",
		"ws_",	  "ws-",	   "wsurl", "wspath", "wsuri"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (bytes_contains_nocase(text, bytes_of_str(marks[i])))
			return true;
	return false;
}

static bool is_file(struct bytes path)
{
	static const char *const ends[] = {".js",  ".css", ".html", ".png",
					   ".svg", ".map", ".ico",  ".mjs"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (bytes_contains_nocase(path, bytes_of_str(ends[i])))
			return true;
	return false;
}

/* A path as a page writes it down; "/live?room=" has its value elsewhere. */
static void add_link(struct bytes path, struct doctor_values *v)
{
	ptrdiff_t query = bytes_find_byte(path, '?');

	if (query >= 0 && path.data[path.len - 1] == '=')
		path = bytes_first(path, (size_t)query);
	add_path(path, v);
}

/*
 * Paths in quotes, or after the host in a template, with a word of WebSocket
 * shortly before: new WebSocket(scheme + location.host + "/live"), data-ws-url=
 * "/live", `wss://${host}/live`.
 */
static void add_literals(struct bytes text, struct doctor_values *v)
{
	for (size_t i = 1; i < text.len; i++) {
		struct bytes path, before;
		size_t to = i, from = i < 90 ? 0 : i - 90;

		if (text.data[i] != '/' ||
		    (!is_quote(text.data[i - 1]) && text.data[i - 1] != '}'))
			continue;
		while (to < text.len && !ends_url(text.data[to]))
			to++;
		path = bytes_of(text.data + i, to - i);
		before = bytes_of(text.data + from, i - from);
		if (path.len < 2 || path.data[1] == '/' || is_file(path) ||
		    to == text.len || !has_mark(before))
			continue;
		add_link(path, v);
	}
}

/* Client libraries that a page loads, and where their servers listen. */
static void add_library_paths(struct bytes page, struct doctor_values *v)
{
	static const struct {
		const char *library, *path;
	} rows[] = {
		{"socket.io", "/socket.io/?EIO=4&transport=websocket"},
		{"action-cable", "/cable"},
		{"actioncable", "/cable"},
		{"phoenix_live_view", "/live/websocket"},
		{"phoenix", "/socket/websocket"},
		{"/@vite/client", "/"},
		{"_next/", "/_next/webpack-hmr"},
		{"streamlit", "/_stcore/stream"},
		{"novnc", "/websockify"},
		{"sockjs", "/sockjs/websocket"},
		{"primus", "/primus/"},
		{"faye", "/faye"},
		{"engine.io", "/engine.io/?EIO=4&transport=websocket"},
		{"xterm", "/ws"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bytes_contains_nocase(page, bytes_of_str(rows[i].library)))
			add(v, "%s", rows[i].path);
}

/* new WebSocket("/live"), and any ws:// URL */
static void add_links(const struct doctor_case *c, struct bytes text,
		      struct doctor_values *v)
{
	struct bytes url, rest;
	size_t at = 0;

	while (next_url(text, &at, &url))
		if (bytes_starts(url, BYTES("ws")))
			add_path(own_path(c, url), v);
	at = 0;
	while ((rest = next_call(text, &at)).data) {
		size_t from = 0, to;

		for (from = 0; from < rest.len && from < 190; from++)
			if (rest.data[from] == '/' &&
			    (from + 1 == rest.len || rest.data[from + 1] != '/') &&
			    (from == 0 || rest.data[from - 1] != '/'))
				break;
		for (to = from; to < rest.len && !ends_url(rest.data[to]); to++)
			;
		add_link(bytes_of(rest.data + from, to - from), v);
	}
	add_literals(text, v);
}

bool doctor_names_query(struct bytes text, char *name, size_t size)
{
	struct bytes rest;
	size_t at = 0;

	while ((rest = next_call(text, &at)).data) {
		rest = bytes_first(rest, NEAR);
		for (size_t i = 0; i < rest.len; i++) {
			size_t n = 1;

			while (i + n < rest.len &&
			       ses_is_token(bytes_of(rest.data + i + n, 1)))
				n++;
			if (rest.data[i] != '?' || n < 3 || i + n >= rest.len ||
			    rest.data[i + n] != '=' || n > size)
				continue;
			snprintf(name, size, "%.*s", (int)n - 1,
				 (const char *)rest.data + i + 1);
			return true;
		}
	}
	return false;
}

/* "no such endpoint, try /live": the paths in a refusal of few words. */
static void add_named_paths(struct bytes text, struct doctor_values *v)
{
	if (text.len > 1000 || bytes_find_byte(text, '<') >= 0)
		return;
	for (size_t i = 1; i < text.len; i++) {
		size_t to = i;

		if (text.data[i] != '/' ||
		    !strchr(" \"'`:=(\n", text.data[i - 1]))
			continue;
		while (to < text.len && !ends_url(text.data[to]))
			to++;
		while (to > i && strchr(".:", text.data[to - 1]))
			to--;
		if (to - i > 1 && text.data[i + 1] != '/' &&
		    !is_file(bytes_of(text.data + i, to - i)))
			add_path(bytes_of(text.data + i, to - i), v);
		i = to > i ? to - 1 : i;
	}
}

static bool is_page(const struct doctor_probe *p)
{
	struct bytes text = bytes_trim(body_of(p));

	return p->outcome == DOCTOR_ANSWERED && text.len > 0 &&
	       text.data[0] == '<';
}

/* Libraries open no WebSocket of the site's own. */
static bool is_library(struct bytes path)
{
	static const char *const names[] = {"jquery", "bootstrap", "polyfill",
					    "vendor", "analytics", "font"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_contains_nocase(path, bytes_of_str(names[i])))
			return true;
	return false;
}

/* src="..." of a script of the page at @base, as a path of the own host. */
static void add_script(const struct doctor_case *c, struct bytes base,
		       struct bytes src, struct doctor_values *v)
{
	while (base.len > 0 && base.data[base.len - 1] != '/')
		base.len--;
	if (bytes_starts(src, BYTES("./")))
		src = bytes_from(src, 2);
	if (src.len == 0 || is_library(src))
		return;
	if (bytes_find_byte(src, ':') >= 0)
		src = own_path(c, src);
	else if (src.data[0] != '/' && base.len + src.len < 300)
		return add(v, "%.*s%.*s", BYTES_ARG(base), BYTES_ARG(src));
	if (!bytes_starts(src, BYTES("//")))
		add_path(src, v);
}

/* A plain request for a page, not for a WebSocket. */
static bool is_fetched(const struct doctor_probe *p)
{
	return p->trial.change == DOCTOR_PLAIN_GET ||
	       p->trial.change == DOCTOR_PLAIN_GET_PATH ||
	       p->trial.change == DOCTOR_POLLING ||
	       p->trial.change == DOCTOR_PREFLIGHT ||
	       p->trial.change == DOCTOR_PAGE;
}

/* Whether the page that was given is at the URL's own host and port. */
static bool is_own_page(const struct doctor_case *c, struct bytes *ret_path)
{
	struct ses_url page;

	if (!doctor_page_url(c, &page) || page.tls != c->url.tls ||
	    page.port != c->url.port ||
	    !bytes_equal_nocase(page.host, c->url.host))
		return false;
	*ret_path = page.path;
	return true;
}

/* The next src="..." of a script in *text, which is cut behind it. */
static bool next_script(struct bytes *text, struct bytes *ret)
{
	static const char tag[] = "<script";
	const uint8_t *hit;

	while (text->len && (hit = memmem(text->data, text->len, tag, 7))) {
		struct bytes src =
			bytes_from(*text, (size_t)(hit - text->data) + 7);
		ptrdiff_t end = bytes_find_byte(src, '>');
		size_t n = 0;

		*text = src;
		src = bytes_first(src, end < 0 ? 0 : (size_t)end);
		hit = src.len ? memmem(src.data, src.len, "src=", 4) : NULL;
		if (!hit)
			continue;
		src = bytes_from(src, (size_t)(hit - src.data) + 4);
		if (src.len && is_quote(src.data[0]))
			src = bytes_from(src, 1);
		while (n < src.len && !ends_url(src.data[n]))
			n++;
		*ret = bytes_first(src, n);
		return true;
	}
	return false;
}

void doctor_harvest_scripts(const struct doctor_chart *chart,
			    struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		bool other = p->trial.change == DOCTOR_PLAIN_GET_PATH ||
			     p->trial.change == DOCTOR_PATH;
		struct bytes base =
			other ? bytes_of_str(p->trial.value) : c->url.path;
		struct bytes text = body_of(p), src;

		if (p->trial.change == DOCTOR_PAGE && !is_own_page(c, &base))
			continue;
		if (p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    p->status / 100 == 3) /* the page is somewhere else */
			add_path(own_path(c, field_of(p, "Location")), v);
		if (!is_page(p))
			continue;
		while (next_script(&text, &src))
			add_script(c, base.len ? base : BYTES("/"), src, v);
	}
}

/* The scripts of a page of another host are at that host, too. */
void doctor_harvest_page_scripts(const struct doctor_chart *chart,
				 struct doctor_values *v)
{
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_PAGE, chart->c->page);
	struct bytes text, src, base = {0};
	struct ses_url page;
	char origin[300];

	if (!p || !is_page(p) || !doctor_page_url(chart->c, &page) ||
	    is_own_page(chart->c, &base) ||
	    ses_url_origin(&page, origin, sizeof(origin)) < 0)
		return;
	base = page.path.len ? page.path : BYTES("/");
	while (base.data[base.len - 1] != '/')
		base.len--;
	text = body_of(p);
	while (next_script(&text, &src)) {
		if (bytes_starts(src, BYTES("./")))
			src = bytes_from(src, 2);
		if (src.len == 0 || is_library(src) ||
		    bytes_starts(src, BYTES("//")))
			continue;
		if (src.data[0] == '/')
			add(v, "%s%.*s", origin, BYTES_ARG(src));
		else if (bytes_starts(src, bytes_of_str(origin)) &&
			 src.len > strlen(origin) &&
			 src.data[strlen(origin)] == '/')
			add(v, "%.*s", BYTES_ARG(src));
		else if (bytes_find_byte(src, ':') < 0)
			add(v, "%s%.*s%.*s", origin, BYTES_ARG(base),
			    BYTES_ARG(src));
	}
}

/* location.hostname + ":8081/" */
void doctor_harvest_named_ports(const struct doctor_chart *chart,
				struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;

	if (!doctor_is_loopback(c) || c->proxy || c->connect_host)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		struct bytes text = body_of(chart->probe[i]), rest;
		size_t at = 0;

		while ((rest = next_call(text, &at)).data) {
			rest = bytes_first(rest, NEAR);
			for (size_t k = 0; k + 3 < rest.len; k++) {
				struct bytes digits = bytes_from(rest, k + 1);
				size_t n = 0;
				uint64_t port;

				while (n < digits.len && n < 6 &&
				       digits.data[n] >= '0' &&
				       digits.data[n] <= '9')
					n++;
				if (rest.data[k] != ':' || n < 2 ||
				    !bytes_to_u64(bytes_first(digits, n), 65535,
						  &port) ||
				    port == c->url.port)
					continue;
				add(v, "%u", (unsigned)port);
			}
		}
	}
}

static struct bytes without_slash(struct bytes path)
{
	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	return path;
}

static void add_slashed(struct bytes path, struct doctor_values *v)
{
	if (path.len > 1 && path.data[path.len - 1] == '/')
		add(v, "%.*s", (int)path.len - 1, (const char *)path.data);
	else if (path.len > 1)
		add(v, "%.*s/", BYTES_ARG(path));
}

/* Prefixes and suffixes that proxies and frameworks add or take away. */
static void add_relatives(struct bytes path, struct doctor_values *v)
{
	bool ws = bytes_starts(path, BYTES("/ws")) || /* it says so itself */
		  bytes_starts(path, BYTES("/websocket"));
	size_t second = 1;

	while (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	if (path.len < 2)
		return;
	while (second < path.len && path.data[second] != '/')
		second++;
	if (!ws) {
		add(v, "/ws%.*s", BYTES_ARG(path));
		add(v, "%.*s/ws", BYTES_ARG(path));
	}
	add(v, "%.*s/websocket", BYTES_ARG(path));
	if (second < path.len) /* "/api" is what proxies take away */
		add_path(bytes_from(path, second), v);
	add(v, "/api%.*s", BYTES_ARG(path));
	if (ws)
		add(v, "/api/v1%.*s", BYTES_ARG(path));
	add(v, "/app%.*s", BYTES_ARG(path));
	if (second < path.len)
		add_path(bytes_first(path, second), v);
}

static void add_lower(struct bytes path, struct doctor_values *v)
{
	char text[300];

	if (path.len == 0 || path.len >= sizeof(text))
		return;
	for (size_t i = 0; i < path.len; i++)
		text[i] = (char)byte_lower(path.data[i]);
	text[path.len] = 0;
	if (memcmp(text, path.data, path.len) != 0)
		add(v, "%s", text);
}

/* Where the applications that speak a subprotocol usually are. */
static const struct {
	const char *protocol; /* how its name begins */
	const char *path[3];
} homes[] = {
	{"xmpp", {"/xmpp-websocket", "/ws", "/websocket"}},
	{"mqtt", {"/mqtt", "/ws", "/"}},
	{"graphql", {"/graphql", "/subscriptions", "/api/graphql"}},
	{"v12.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"v11.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"v10.stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"stomp", {"/ws", "/stomp", "/ws/websocket"}},
	{"wamp", {"/ws", "/", "/wamp"}},
	{"sip", {"/", "/ws", "/sip"}},
	{"binary", {"/websockify", "/", "/ws"}},
	{"base64", {"/websockify", "/", "/ws"}},
	{"actioncable", {"/cable", "/", "/ws"}},
	{"vite-hmr", {"/", "/@vite/client", "/ws"}},
	{"tty", {"/ws", "/", "/tty"}},
	{"janus-protocol", {"/", "/janus", "/ws"}},
	{"ocpp", {"/ocpp/1", "/ocpp", "/1"}},
	{"soap", {"/", "/ocpp", "/ws"}},
	{"jmap", {"/jmap/ws", "/jmap/ws/", "/ws"}},
};

static void add_homes(const struct doctor_case *c, struct doctor_values *v)
{
	struct bytes list = bytes_of_str(c->subprotocols), one;

	while (bytes_next_element(&list, &one))
		for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
			for (size_t k = 0;
			     k < 3 &&
			     bytes_starts(one, bytes_of_str(homes[i].protocol));
			     k++)
				add(v, "%s", homes[i].path[k]);
}

/* engine.io has one path of its own, and Socket.IO another for the same. */
static void add_engines(const struct doctor_case *c, struct doctor_values *v)
{
	static const char *const mounts[] = {"/socket.io/", "/engine.io/"};

	if (!bytes_contains_nocase(c->url.query, BYTES("transport=")))
		return;
	for (size_t i = 0; i < 2; i++)
		add(v, "%s?%.*s", mounts[i],
		    BYTES_ARG(
			    bytes_contains_nocase(c->url.query, BYTES("EIO="))
				    ? bytes_of_str("EIO=4&transport=websocket")
				    : c->url.query));
}

/* "//chat" is "/chat", "/%63hat" too: servers differ in whether they see it. */
static void add_plain(struct bytes path, struct doctor_values *v)
{
	char text[300];
	size_t n = 0;

	if (path.len >= sizeof(text))
		return;
	while (path.len > 0) {
		uint8_t b = ses_percent_next(&path);

		if (b <= ' ' || b >= 0x7f || b == '?' || b == '#')
			return;
		if (b != '/' || n == 0 || text[n - 1] != '/')
			text[n++] = (char)b;
	}
	add(v, "%.*s", (int)n, text);
}

/* "/v1/ticks" may have become "/v2/ticks". */
static void add_versions(struct bytes path, struct doctor_values *v)
{
	for (size_t i = 0; i + 2 < path.len; i++) {
		uint8_t digit = path.data[i + 2];

		if (path.data[i] != '/' || path.data[i + 1] != 'v' ||
		    digit < '1' || digit > '8' ||
		    (i + 3 < path.len && path.data[i + 3] != '/'))
			continue;
		add(v, "%.*s/v%c%.*s", (int)i, (const char *)path.data,
		    digit + 1, BYTES_ARG(bytes_from(path, i + 3)));
		if (digit > '1')
			add(v, "%.*s/v%c%.*s", (int)i, (const char *)path.data,
			    digit - 1, BYTES_ARG(bytes_from(path, i + 3)));
		return;
	}
}

/* Whether the value is the user's own path and query. */
static bool is_own(const struct doctor_case *c, const char *value)
{
	struct bytes text = bytes_of_str(value);

	return bytes_starts(text, c->url.path) && text.len > c->url.path.len &&
	       text.data[c->url.path.len] == '?' &&
	       bytes_equal(bytes_from(text, c->url.path.len + 1), c->url.query);
}

static void add_guesses(const struct doctor_chart *chart, struct bytes path,
			struct doctor_values *v)
{
	/* those that real servers have most often come first */
	static const char *const usual[] = {
		"/ws",
		"/",
		"/websocket",
		"/socket.io/?EIO=4&transport=websocket",
		"/echo",
		"/ws/",
		"/socket",
		"/live",
		"/api/ws",
		"/events",
		"/chat",
		"/cable",
		"/live/websocket",
		"/stream",
		"/api/v1/ws",
		"/graphql",
		"/subscriptions",
		"/mqtt",
		"/hub",
		"/socket/websocket",
		"/xmpp-websocket",
		"/websockify",
		"/connection/websocket",
	};
	const struct doctor_case *c = chart->c;

	add_slashed(path, v);
	add_lower(path, v);
	add_plain(path, v);
	add_engines(c, v);
	add_homes(c, v);
	for (size_t i = 0; i < 3; i++)
		add(v, "%s", usual[i]);
	add_versions(path, v);
	add_relatives(path, v);
	for (size_t i = 3; i < sizeof(usual) / sizeof(usual[0]); i++)
		add(v, "%s", usual[i]);
}

/* The site's root leads to where the application is: so may its WebSocket. */
static void add_mounted(struct bytes mount, struct bytes path,
			struct doctor_values *v)
{
	for (size_t i = 0; i < mount.len; i++)
		if (mount.data[i] == '?' || mount.data[i] == '#')
			mount.len = i;
	mount = without_slash(mount);
	if (mount.len < 2 || mount.len > 100 || mount.data[0] != '/' ||
	    mount.data[1] == '/')
		return;
	add(v, "%.*s%.*s", BYTES_ARG(mount), BYTES_ARG(path));
	add(v, "%.*s/ws", BYTES_ARG(mount));
}

void doctor_harvest_paths(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	struct bytes path = c->url.path.len ? c->url.path : BYTES("/");

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes location = field_of(p, "Location");

		if (p->status / 100 == 3 && !is_fetched(p))
			add_path(own_path(c, location), v);
		if (p->status / 100 == 3 &&
		    p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    strcmp(p->trial.value, "/") == 0)
			add_mounted(location.data && location.data[0] == '/'
					    ? location
					    : own_path(c, location),
				    path, v);
		add_links(c, body_of(p), v);
		if (p->status >= 400 && p->trial.change != DOCTOR_PATH)
			add_named_paths(body_of(p), v);
		if (is_page(p) && p->status == 200)
			add_library_paths(body_of(p), v);
		if (bytes_contains_nocase(bytes_first(body_of(p), 200),
					  BYTES("welcome to sockjs")))
			add(v, "%.*s/websocket", BYTES_ARG(without_slash(path)));
	}
	drop_value(v, path);
	v->n_told = v->n;
	add_guesses(chart, path, v);
	for (size_t i = v->n_told; i < v->n; i++)
		if (bytes_equal_str(path, v->value[i]) || is_own(c, v->value[i]))
			drop_value(v, bytes_of_str(v->value[i--]));
}

/* ---- side resources ---- */

/* What lists the WebSockets of its kind, beside them. */
void doctor_harvest_side(const struct doctor_chart *chart,
			 struct doctor_values *v)
{
	static const struct bytes tail = {(const uint8_t *)"/websocket", 10};
	const struct doctor_case *c = chart->c;
	struct bytes path = without_slash(c->url.path);

	for (size_t i = 0; i < chart->n_probes; i++)
		if (bytes_contains_nocase(
			    bytes_first(body_of(chart->probe[i]), 200),
			    BYTES("WebSockets request was "
				  "expected")))
			add(v, "/json/list"); /* an inspector's */
	if (path.len > tail.len &&
	    bytes_equal(bytes_from(path, path.len - tail.len), tail))
		add(v, "%.*s/info", (int)(path.len - tail.len),
		    (const char *)path.data); /* SockJS's */
}

/* ---- subprotocols ---- */

static const char *const known[] = {
	"mqtt",
	"graphql-transport-ws",
	"graphql-ws",
	"v12.stomp",
	"actioncable-v1-json",
	"ocpp1.6",
	"ocpp2.0.1",
	"wamp.2.json",
	"binary",
	"chat",
	"sip",
	"xmpp",
	"json",
	"echo-protocol",
	"janus-protocol",
	"vite-hmr",
	"wamp.2.msgpack",
	"v10.stomp",
	"tty",
	"mqttv3.1",
	"stomp",
	"guacamole",
	"v4.channel.k8s.io",
	"v1",
	"soap",
	"base64",
};

static bool offers(const struct doctor_case *c, struct bytes name)
{
	struct bytes list = bytes_of_str(c->subprotocols), one;

	while (bytes_next_element(&list, &one))
		if (bytes_equal(one, name))
			return true;
	return false;
}

/* A word of a refusal that looks like the name of a subprotocol. */
static bool looks_named(struct bytes word)
{
	bool digit = false, joint = false, letter = false;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t b = word.data[i], l = byte_lower(b);

		digit |= b >= '0' && b <= '9';
		joint |= i > 0 && i + 1 < word.len && strchr(".-_", b);
		letter |= l >= 'a' && l <= 'z';
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_equal_str(word, known[i]))
			return true;
	return letter && (digit || joint) &&
	       !bytes_contains_nocase(word, BYTES("sec-websocket")) &&
	       !bytes_equal_nocase(word, BYTES("sub-protocol"));
}

static bool is_name_byte(uint8_t b)
{
	uint8_t l = byte_lower(b);

	return (l >= 'a' && l <= 'z') || (b >= '0' && b <= '9') ||
	       (b && strchr("._-+", b));
}

static void add_named_protocols(const struct doctor_case *c, struct bytes text,
				struct doctor_values *v)
{
	size_t at = 0;

	if (text.len > 1000)
		return;
	while (at < text.len) {
		size_t n = 0;
		struct bytes word;
		bool quoted;

		while (at < text.len && !is_name_byte(text.data[at]))
			at++;
		while (at + n < text.len && is_name_byte(text.data[at + n]))
			n++;
		word = bytes_of(text.data + at, n);
		quoted = at > 0 && at + n < text.len &&
			 strchr("\"'`", text.data[at - 1]) &&
			 text.data[at + n] == text.data[at - 1];
		while (word.len && word.data[word.len - 1] == '.')
			word.len--;
		at += n;
		if (word.len && word.len < 64 && !offers(c, word) &&
		    (quoted || looks_named(word)))
			add(v, "%.*s", BYTES_ARG(word));
	}
}

static void add_protocols_of(const struct doctor_case *c,
			     const struct doctor_probe *p,
			     struct doctor_values *v)
{
	add_named_protocols(c, field_of(p, "Sec-WebSocket-Protocol"), v);
	for (size_t i = 0; p->status && i < p->parsed.n_fields; i++)
		if (doctor_gives_reason(p->parsed.fields[i].name))
			add_named_protocols(c, p->parsed.fields[i].value, v);
	add_named_protocols(c, body_of(p), v);
	add_named_protocols(c, bytes_of_str(p->close_reason), v);
	if (p->status)
		add_named_protocols(c, p->parsed.reason, v);
}

/* new WebSocket(url, "name"), new WebSocket(url, ["name"]) */
static void add_script_protocols(const struct doctor_case *c, struct bytes text,
				 struct doctor_values *v)
{
	struct bytes list = bytes_of_str(c->subprotocols), rest;
	size_t at = 0;

	while (bytes_next_element(&list, &rest))
		if (rest.len > 2 && bytes_contains_nocase(text, rest))
			return; /* what is offered is what the page offers */
	while ((rest = next_call(text, &at)).data) {
		ptrdiff_t end = bytes_find_byte(rest, ';');
		size_t n = 0, from;

		rest = bytes_first(rest,
				   end < 0 || end > NEAR ? NEAR : (size_t)end);
		while (n < rest.len && rest.data[n] != ',')
			n++;
		while (n < rest.len && strchr(", [\n\t", rest.data[n]))
			n++;
		if (n >= rest.len || !is_quote(rest.data[n]))
			continue;
		for (from = ++n; n < rest.len && is_name_byte(rest.data[n]); n++)
			;
		if (n > from && n < rest.len && is_quote(rest.data[n]) &&
		    !offers(c, bytes_of(rest.data + from, n - from)))
			add(v, "%.*s", (int)(n - from),
			    (const char *)rest.data + from);
	}
}

/* Names that are taken for one another, or that a word of the URL suggests. */
static const struct {
	const char *sign;
	const char *name[3];
} siblings[] = {
	{"graphql", {"graphql-transport-ws", "graphql-ws"}},
	{"subscriptions", {"graphql-ws", "graphql-transport-ws"}},
	{"mqtt", {"mqtt", "mqttv3.1"}},
	{"stomp", {"v12.stomp", "v10.stomp", "stomp"}},
	{"wamp", {"wamp.2.json", "wamp.2.msgpack"}},
	{"ocpp", {"ocpp1.6", "ocpp2.0.1"}},
	{"xmpp", {"xmpp"}},
	{"sip", {"sip"}},
	{"msrp", {"msrp"}},
	{"jmap", {"jmap"}},
	{"janus", {"janus-protocol"}},
	{"cable", {"actioncable-v1-json"}},
	{"websockify", {"binary", "base64"}},
	{"vnc", {"binary", "base64"}},
	{"binary", {"base64"}},
	{"base64", {"binary"}},
	{"vite", {"vite-hmr"}},
	{"tty", {"tty"}},
	{"exec", {"v4.channel.k8s.io"}},
	{"rtsp", {"rtsp"}},
	{"webrtc", {"webrtc"}},
	{"jsonrpc", {"jsonrpc"}},
	{"echo", {"echo-protocol", "echo"}},
	{"chat", {"chat"}},
};

static void add_siblings(const struct doctor_case *c, struct doctor_values *v)
{
	for (size_t i = 0; i < sizeof(siblings) / sizeof(siblings[0]); i++) {
		struct bytes sign = bytes_of_str(siblings[i].sign);

		if (!bytes_contains_nocase(c->url.path, sign) &&
		    !bytes_contains_nocase(bytes_of_str(c->subprotocols), sign))
			continue;
		for (size_t k = 0; k < 3 && siblings[i].name[k]; k++)
			if (!offers(c, bytes_of_str(siblings[i].name[k])))
				add(v, "%s", siblings[i].name[k]);
	}
}

/* Whether the first of @all was chosen, and came to nothing. */
static bool picks_first(const struct doctor_chart *chart, const char *all)
{
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_SUBPROTOCOL, all);

	return p && p->outcome != DOCTOR_OPEN && p->subprotocol.len > 0 &&
	       bytes_starts(bytes_of_str(all), p->subprotocol);
}

void doctor_harvest_subprotocols(const struct doctor_chart *chart,
				 struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	char all[512];
	size_t n = 0;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_PLAIN_GET_PATH ||
		    p->trial.change == DOCTOR_PAGE)
			add_script_protocols(c, body_of(p), v);
		else if (doctor_says(p, DOCTOR_F_SAYS_SUBPROTOCOL))
			add_protocols_of(c, p, v);
	}
	v->n_told = v->n;
	add_siblings(c, v);
	/* All the usual ones in one handshake: the server takes its pick. */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!offers(c, bytes_of_str(known[i])) &&
		    n + strlen(known[i]) + 3 < sizeof(all))
			n += (size_t)sprintf(all + n, "%s%s", n ? ", " : "",
					     known[i]);
	add(v, "%s", all);
	/* Some take the first, whatever it is: then each has to be alone. */
	if (picks_first(chart, all))
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!offers(c, bytes_of_str(known[i])))
				add(v, "%s", known[i]);
}

/* ---- ports ---- */

void doctor_harvest_ports(const struct doctor_chart *chart,
			  struct doctor_values *v)
{
	static const unsigned usual[] = {8080, 3000, 8000, 80};
	const struct doctor_case *c = chart->c;
	unsigned port = c->url.port;

	/* Knocking at other doors is polite on one's own machine only. */
	if (!doctor_is_loopback(c) || c->proxy || c->connect_host)
		return;
	if (port < 65535)
		add(v, "%u", port + 1);
	if (port > 1)
		add(v, "%u", port - 1);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] != port)
			add(v, "%u", usual[i]);
}
