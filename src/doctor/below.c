/* SPDX-License-Identifier: MIT */
/*
 * One path below a prefix opened: is the WebSocket there, or below the prefix
 * wherever one asks? A name beside it that nobody has tells, as channels and
 * rooms are opened by whatever name they are asked for.
 */
#include <stdio.h>

#include "doctor/harvest.h"
#include "doctor/key.h"

/* How much of "/rooms/ws" stands before its last slash; 0: it is at the root,
 * or ends with it. */
static size_t prefix_len(struct bytes path)
{
	ptrdiff_t query = bytes_find_byte(path, '?');
	size_t n = query < 0 ? path.len : (size_t)query, end = n;

	while (n > 0 && path.data[n - 1] != '/')
		n--;
	return n > 1 && n < end ? n - 1 : 0;
}

/* Whether the user's own path is a name there, which does not open. */
static bool has_name_below(struct bytes path, struct bytes prefix)
{
	return bytes_starts(path, prefix) && path.len > prefix.len + 1 &&
	       path.data[prefix.len] == '/';
}

/* Whether the user showed by --works that it is this path that is meant. */
static bool is_of_works(const struct doctor_chart *chart, struct bytes path)
{
	const struct doctor_case *works = chart->c->other;

	if (!works)
		return false;
	if (bytes_find_byte(path, '?') >= 0)
		path.len = (size_t)bytes_find_byte(path, '?');
	return bytes_equal(path, works->url.path);
}

bool doctor_beside_path(const struct doctor_chart *chart, char *out, size_t size)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *key = doctor_key(chart);
	struct bytes prefix;
	int n;

	if (!key || key->trial.change != DOCTOR_PATH ||
	    !doctor_opens(chart, base, key))
		return false;
	prefix = bytes_of_str(key->trial.value);
	if (is_of_works(chart, prefix))
		return false;
	prefix.len = prefix_len(prefix);
	if (prefix.len == 0 || has_name_below(chart->c->url.path, prefix))
		return false;
	n = snprintf(out, size, "%.*s" DOCTOR_NONSENSE_PATH, BYTES_ARG(prefix));
	return n > 0 && (size_t)n < size;
}

bool doctor_any_name_opens(const struct doctor_chart *chart)
{
	const struct doctor_probe *p;
	struct doctor_trial t;

	if (!doctor_beside_path(chart, t.value, sizeof(t.value)))
		return false;
	p = doctor_tried(chart, DOCTOR_PATH, t.value);
	return p && p->outcome == DOCTOR_OPEN;
}
