/* SPDX-License-Identifier: MIT */
/*
 * What makes several gateways one. The URL may have a password, so no complaint
 * repeats any of it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gate/reading.h"
#include "hub/redis.h"

void gate_read_backplane(struct gate_reader *r, const struct gate_item *i,
			 void *to)
{
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s) || bytes_equal(s, BYTES("memory")))
		return;
	r->policy->backplane_at = i->at;
	wrong = hub_redis_url_wrong(s);
	if (wrong)
		gate_complain(r->wrong, i->at, "%s", wrong);
	else
		gate_put(to, gate_copy(r, s));
}

void gate_read_backplane_ca(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	char **file = to;

	gate_read_file_name(r, i, to);
	r->policy->backplane_ca_at = i->at;
	if (r->open_files && *file && access(*file, R_OK) != 0)
		gate_complain(r->wrong, i->at, "backplane_ca: `%s`: %s",
			      gate_show(bytes_of_str(*file)).text,
			      strerror(errno));
}

/* It stands in figures and in names of notes. */
static bool is_node_name(struct bytes s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	for (size_t i = 0; i < s.len; i++)
		if (!s.data[i] || !strchr(plain, s.data[i]))
			return false;
	return true;
}

void gate_read_node(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (is_node_name(s))
		gate_put(to, gate_copy(r, s));
	else
		gate_complain(r->wrong, i->at,
			      "node: `%s` is no name of letters, digits, dots, "
			      "hyphens and underscores",
			      gate_show(s).text);
}

static void check_messages(struct gate_reader *r, const struct gate_route *route)
{
	struct gate_place at = {(int)route->line, (int)route->column};

	if (route->to == GATE_TO_HUB &&
	    route->limits.message_bytes > HUB_REDIS_MESSAGE_MAX)
		gate_complain(r->wrong, at,
			      "limits.message of a channel is 4MiB at most with "
			      "a `backplane`: for longer ones Redis would cut "
			      "off all gateways");
}

void gate_check_backplane(struct gate_reader *r)
{
	const struct gate_policy *p = r->policy;
	const char *url = p->backplane ? p->backplane : "";

	for (size_t i = 0; p->backplane && i < p->n_routes; i++)
		check_messages(r, &p->route[i]);

	if (p->backplane_ca && strncmp(url, "rediss:", 7) != 0)
		gate_complain(r->wrong, p->backplane_ca_at,
			      "backplane_ca needs a `backplane` of rediss://: "
			      "nobody else shows a certificate");
}
