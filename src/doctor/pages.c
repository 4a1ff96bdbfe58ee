/* SPDX-License-Identifier: MIT */
/*
 * What the site's own pages and scripts say of its WebSockets: the calls that
 * open them, the scripts that may hold such calls, the libraries they load.
 */
#include "doctor/harvest_inner.h"

#include <stdio.h>

#define MOST_CALLS 32 /* of one page that are read for ports */

/* The text from the next call of the WebSocket constructor on, or nothing. */
struct bytes doctor_next_call(struct bytes text, size_t *at)
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

	return doctor_next_call(text, &at).data != NULL;
}

bool doctor_is_quote(uint8_t b)
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
	doctor_add_path(path, v);
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

		if (text.data[i] != '/' || (!doctor_is_quote(text.data[i - 1]) &&
					    text.data[i - 1] != '}'))
			continue;
		while (to < text.len && !doctor_ends_url(text.data[to]))
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
void doctor_add_library_paths(struct bytes page, struct doctor_values *v)
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
			doctor_add_value(v, "%s", rows[i].path);
}

/* new WebSocket("/live"), and any ws:// URL */
void doctor_add_links(const struct doctor_case *c, struct bytes text,
		      struct doctor_values *v)
{
	struct bytes url, rest;
	size_t at = 0;

	while (doctor_next_url(text, &at, &url))
		if (bytes_starts(url, BYTES("ws")))
			doctor_add_path(doctor_own_path(c, url), v);
	at = 0;
	while ((rest = doctor_next_call(text, &at)).data) {
		size_t from = 0, to;

		for (from = 0; from < rest.len && from < 190; from++)
			if (rest.data[from] == '/' &&
			    (from + 1 == rest.len || rest.data[from + 1] != '/') &&
			    (from == 0 || rest.data[from - 1] != '/'))
				break;
		for (to = from;
		     to < rest.len && !doctor_ends_url(rest.data[to]); to++)
			;
		add_link(bytes_of(rest.data + from, to - from), v);
	}
	add_literals(text, v);
}

bool doctor_names_query(struct bytes text, char *name, size_t size)
{
	struct bytes rest;
	size_t at = 0;

	while ((rest = doctor_next_call(text, &at)).data) {
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
void doctor_add_named_paths(struct bytes text, struct doctor_values *v)
{
	if (text.len > 1000 || bytes_find_byte(text, '<') >= 0)
		return;
	for (size_t i = 1; i < text.len; i++) {
		size_t to = i;

		if (text.data[i] != '/' ||
		    !strchr(" \"'`:=(\n", text.data[i - 1]))
			continue;
		while (to < text.len && !doctor_ends_url(text.data[to]))
			to++;
		while (to > i && strchr(".:", text.data[to - 1]))
			to--;
		if (to - i > 1 && text.data[i + 1] != '/' &&
		    !is_file(bytes_of(text.data + i, to - i)))
			doctor_add_path(bytes_of(text.data + i, to - i), v);
		i = to > i ? to - 1 : i;
	}
}

bool doctor_is_page(const struct doctor_probe *p)
{
	struct bytes text = bytes_trim(doctor_body(p));

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
		src = doctor_own_path(c, src);
	else if (src.data[0] != '/' && base.len + src.len < 300)
		return doctor_add_value(v, "%.*s%.*s", BYTES_ARG(base),
					BYTES_ARG(src));
	if (!bytes_starts(src, BYTES("//")))
		doctor_add_path(src, v);
}

/* A plain request for a page, not for a WebSocket. */
bool doctor_is_fetched(const struct doctor_probe *p)
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
		if (src.len && doctor_is_quote(src.data[0]))
			src = bytes_from(src, 1);
		while (n < src.len && !doctor_ends_url(src.data[n]))
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
		struct bytes text = doctor_body(p), src;

		if (p->trial.change == DOCTOR_PAGE && !is_own_page(c, &base))
			continue;
		if (p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    p->status / 100 == 3) /* the page is somewhere else */
			doctor_add_path(
				doctor_own_path(c, doctor_field(p, "Location")),
				v);
		if (!doctor_is_page(p))
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

	if (!p || !doctor_is_page(p) || !doctor_page_url(chart->c, &page) ||
	    is_own_page(chart->c, &base) ||
	    ses_url_origin(&page, origin, sizeof(origin)) < 0)
		return;
	base = page.path.len ? page.path : BYTES("/");
	while (base.data[base.len - 1] != '/')
		base.len--;
	text = doctor_body(p);
	while (next_script(&text, &src)) {
		if (bytes_starts(src, BYTES("./")))
			src = bytes_from(src, 2);
		if (src.len == 0 || is_library(src) ||
		    bytes_starts(src, BYTES("//")))
			continue;
		if (src.data[0] == '/')
			doctor_add_value(v, "%s%.*s", origin, BYTES_ARG(src));
		else if (bytes_starts(src, bytes_of_str(origin)) &&
			 src.len > strlen(origin) &&
			 src.data[strlen(origin)] == '/')
			doctor_add_value(v, "%.*s", BYTES_ARG(src));
		else if (bytes_find_byte(src, ':') < 0)
			doctor_add_value(v, "%s%.*s%.*s", origin,
					 BYTES_ARG(base), BYTES_ARG(src));
	}
}

/* <script src="//127.0.0.1:35729/livereload.js">: what it loads it may speak to. */
static void add_source_ports(const struct doctor_case *c, struct bytes text,
			     struct doctor_values *v)
{
	struct bytes src;

	while (next_script(&text, &src)) {
		struct bytes place = bytes_starts(src, BYTES("//"))
					     ? bytes_from(src, 2)
					     : doctor_authority(src);
		ptrdiff_t colon = bytes_find_byte(place, ':');
		ptrdiff_t slash = bytes_find_byte(place, '/');
		uint64_t port;

		if (colon < 1 || slash < colon ||
		    !(bytes_equal_nocase(bytes_first(place, (size_t)colon),
					 c->url.host) ||
		      bytes_equal_nocase(bytes_first(place, (size_t)colon),
					 BYTES("localhost"))) ||
		    !bytes_to_u64(bytes_of(place.data + colon + 1,
					   (size_t)(slash - colon - 1)),
				  65535, &port) ||
		    port == c->url.port)
			continue;
		doctor_add_value(v, "%u", (unsigned)port);
	}
}

/* The digits that @text begins with, as another port than the URL's. */
static void add_port(const struct doctor_case *c, struct bytes text,
		     struct doctor_values *v)
{
	size_t n = 0;
	uint64_t port;

	while (n < text.len && n < 6 && text.data[n] >= '0' &&
	       text.data[n] <= '9')
		n++;
	if (n > 1 && bytes_to_u64(bytes_first(text, n), 65535, &port) &&
	    port != c->url.port)
		doctor_add_value(v, "%u", (unsigned)port);
}

/* "?snipver=1&amp;port=35729", as markup has it or a script. */
static void add_port_parameter(const struct doctor_case *c, struct bytes query,
			       struct doctor_values *v)
{
	static const char name[] = "port=";

	for (size_t n = 1; n < query.len; n++)
		if (strchr("?&;", query.data[n - 1]) &&
		    bytes_starts(bytes_from(query, n), BYTES(name)))
			add_port(c, bytes_from(query, n + strlen(name)), v);
}

/*
 * A script whose place the page puts together: ':35729/livereload.js?port=35729'
 * behind a host that it cuts out of its own address.
 */
static void add_made_ports(const struct doctor_case *c, struct bytes page,
			   struct doctor_values *v)
{
	static const char end[] = ".js?";
	const uint8_t *hit;

	while (page.len && (hit = memmem(page.data, page.len, end, 4))) {
		size_t at = (size_t)(hit - page.data), from = at, to = at + 4;

		while (from > 0 && at - from < NEAR &&
		       !doctor_is_quote(page.data[from - 1]))
			from--;
		while (to < page.len && to - at < NEAR && page.data[to] > ' ' &&
		       !doctor_is_quote(page.data[to]))
			to++;
		if (page.data[from] == ':')
			add_port(c, bytes_of(&page.data[from + 1], at - from),
				 v);
		add_port_parameter(c, bytes_of(hit + 3, to - at - 3), v);
		page = bytes_from(page, to);
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
		struct bytes text = doctor_body(chart->probe[i]), rest;
		size_t at = 0, calls = 0;

		while (calls++ < MOST_CALLS &&
		       (rest = doctor_next_call(text, &at)).data) {
			rest = bytes_first(rest, NEAR);
			for (size_t k = 0; k + 3 < rest.len; k++)
				if (rest.data[k] == ':')
					add_port(c, bytes_from(rest, k + 1), v);
		}
		doctor_add_script_ports(c, text, v);
		if (doctor_is_page(chart->probe[i])) {
			add_source_ports(c, text, v);
			add_made_ports(c, text, v);
		}
	}
}
