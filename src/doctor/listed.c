/* SPDX-License-Identifier: MIT */
/*
 * Paths that the site lists: the root of an API tells its links in JSON, a page
 * has addresses of its own. Most of them are no WebSocket's. Worth a try are
 * those that end in the user's own path, which has moved then, and, of an API,
 * those that are called as streams are. Pure, and foreign text.
 */
#include "doctor/harvest_inner.h"

#define LONGEST	     200
#define MOST_STREAMS 4

/* The string that begins at @at, up to its quote; JSON may write \/ for /. */
static struct bytes read_string(struct bytes text, size_t at, char out[LONGEST])
{
	size_t n = 0;

	for (; at < text.len && n < LONGEST; at++) {
		uint8_t b = text.data[at];

		if (doctor_is_quote(b))
			return bytes_of(out, n);
		if (b == '\\' && at + 1 < text.len && text.data[at + 1] == '/')
			continue;
		if (doctor_ends_url(b))
			break;
		out[n++] = (char)b;
	}
	return bytes_of(out, 0);
}

/* The next string of @text that is a path of the own host, without a query. */
static bool next_path(const struct doctor_case *c, struct bytes text,
		      size_t *at, char out[LONGEST], struct bytes *ret)
{
	while (*at < text.len) {
		struct bytes path;
		ptrdiff_t query;

		if (!doctor_is_quote(text.data[(*at)++]))
			continue;
		path = doctor_own_path(c, read_string(text, *at, out));
		query = bytes_find_byte(path, '?');
		if (query >= 0)
			path = bytes_first(path, (size_t)query);
		if (path.len > 1 && path.data[0] == '/') {
			*ret = path;
			return true;
		}
	}
	return false;
}

static bool ends_in(struct bytes path, struct bytes end)
{
	return path.len > end.len &&
	       bytes_equal(bytes_from(path, path.len - end.len), end);
}

/* "/orders/stream" became "/v1/orders/stream". */
static bool is_moved(struct bytes path, struct bytes asked)
{
	while (asked.len > 0 && asked.data[asked.len - 1] == '/')
		asked.len--;
	while (path.len > 0 && path.data[path.len - 1] == '/')
		path.len--;
	return asked.len > 1 && ends_in(path, asked);
}

/* Whether the last step of @path is called as streams are. */
static bool is_stream(struct bytes path)
{
	static const char *const words[] = {
		"socket", "stream", "realtime", "subscri", "events", "live",
		"feed",	  "notif",  "hub",	"updates", "cable",  "graphql"};
	struct bytes step = path;
	ptrdiff_t slash;

	while (step.len > 0 && step.data[step.len - 1] == '/')
		step.len--;
	while ((slash = bytes_find_byte(step, '/')) >= 0)
		step = bytes_from(step, (size_t)slash + 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(step, bytes_of_str(words[i])))
			return true;
	return bytes_equal_nocase(step, BYTES("ws"));
}

static bool is_json(struct bytes text)
{
	text = bytes_trim(text);
	return text.len > 0 && (text.data[0] == '{' || text.data[0] == '[');
}

void doctor_add_listed_paths(const struct doctor_case *c, struct bytes text,
			     struct doctor_values *v)
{
	struct bytes path;
	char out[LONGEST];
	size_t at = 0, streams = 0;

	while (next_path(c, text, &at, out, &path))
		if (is_moved(path, c->url.path))
			doctor_add_path(path, v);
	for (at = 0; is_json(text) && streams < MOST_STREAMS &&
		     next_path(c, text, &at, out, &path);)
		if (is_stream(path)) {
			doctor_add_path(path, v);
			streams++;
		}
}
