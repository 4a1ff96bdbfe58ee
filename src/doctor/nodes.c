/* SPDX-License-Identifier: MIT */
/*
 * Which server was it? Many a pool lets its servers name themselves in a field.
 * What is hard is to take no edge of a CDN for one of them, and no number of
 * the request for a name.
 */
#include "doctor/nodes.h"

#include <stdio.h>

#include "doctor/finding_inner.h"
#include "net/addr.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Fields in which servers of a pool name themselves; no standard has one. */
static const char *const fields[] = {
	"X-Node",	"X-Node-Id",	   "X-Node-Name",	"X-Served-By",
	"X-Backend",	"X-Backend-Name",  "X-Backend-Server",	"X-Server",
	"X-Server-Id",	"X-Server-Name",   "X-Instance",	"X-Instance-Id",
	"X-Upstream",	"X-Upstream-Addr", "X-Upstream-Server", "X-Pod",
	"X-Pod-Name",	"X-Hostname",	   "X-Worker",		"X-Worker-Id",
	"X-Handled-By", "X-App-Server",	   "X-Container",	"X-Replica"};

/* Fastly's edges have the same field, and share no application. */
static bool is_edge(struct bytes name)
{
	return bytes_starts(name, BYTES("cache-"));
}

static struct bytes named_in(const struct doctor_probe *p, const char *field)
{
	struct bytes name = bytes_of(NULL, 0);

	if (p->status)
		name = bytes_trim(ses_head_get(&p->parsed, field));
	return is_edge(name) ? bytes_of(NULL, 0) : name;
}

/* A question to the server of the URL, whatever it was about. */
static bool is_to_server(const struct doctor_probe *p)
{
	switch (p->trial.change) {
	case DOCTOR_PORT:
	case DOCTOR_SCHEME:
	case DOCTOR_HOST:
	case DOCTOR_BACKEND:
	case DOCTOR_PAGE:
	case DOCTOR_H2:
		return false;
	default:
		return true;
	}
}

/* The first field in which an answer names its server, or NULL. */
static const char *naming_field(const struct doctor_chart *chart)
{
	for (size_t k = 0; k < LEN(fields); k++)
		for (size_t i = 0; i < chart->n_probes; i++)
			if (is_to_server(chart->probe[i]) &&
			    named_in(chart->probe[i], fields[k]).len > 0)
				return fields[k];
	return NULL;
}

bool doctor_names_node(const struct doctor_chart *chart)
{
	return naming_field(chart) != NULL;
}

static struct doctor_node *node_of(struct doctor_nodes *nodes, const char *name)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (strcmp(nodes->node[i].name, name) == 0)
			return &nodes->node[i];
	if (nodes->n == DOCTOR_MAX_NODES)
		return NULL;
	snprintf(nodes->node[nodes->n].name, sizeof(nodes->node[0].name), "%s",
		 name);
	return &nodes->node[nodes->n++];
}

/* Into @out who answered @p; @field: the one that tells, NULL: the address. */
static bool name_of(const struct doctor_probe *p, const char *field, char *out,
		    size_t size)
{
	char address[SES_ADDR_TEXT];
	struct bytes name;

	if (!field) {
		snprintf(out, size, "%s",
			 p->dial.peer.len > 0
				 ? ses_addr_format_host(&p->dial.peer, address)
				 : "");
		return *out != 0;
	}
	name = named_in(p, field);
	bytes_printable(bytes_first(name, 40), out, size);
	return name.len > 0;
}

void doctor_count_nodes(const struct doctor_chart *chart,
			struct doctor_nodes *ret_nodes)
{
	const char *field = naming_field(chart);
	struct doctor_nodes nodes = {.n = 0};
	char name[64];

	snprintf(nodes.by, sizeof(nodes.by), "%s", field ? field : "address");
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct doctor_node *node;

		if ((p->trial.change != DOCTOR_NOTHING &&
		     p->trial.change != DOCTOR_HOLD) ||
		    !name_of(p, field, name, sizeof(name)))
			continue;
		node = node_of(&nodes, name);
		if (!node)
			continue;
		node->opened += p->outcome == DOCTOR_OPEN;
		node->refused += p->outcome != DOCTOR_OPEN;
	}
	*ret_nodes = nodes;
}

/* Another name in the same field of any two answers. */
void doctor_find_nodes(struct doctor_chart *chart)
{
	const char *field = naming_field(chart);
	const struct doctor_probe *first = NULL;

	for (size_t i = 0; field && i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes name = named_in(p, field);

		if (!is_to_server(p) || name.len == 0)
			continue;
		if (first && !bytes_equal(name, named_in(first, field))) {
			doctor_note(chart, DOCTOR_F_NODES_DIFFER, p, first,
				    "%s names another server than before: "
				    "several share the load",
				    field);
			return;
		}
		first = first ? first : p;
	}
}

static const char *does(const struct doctor_node *node)
{
	return !node->opened	? "refuses"
	       : !node->refused ? "lets in"
				: "does both";
}

void doctor_nodes_text(const struct doctor_nodes *nodes, char *out, size_t size)
{
	bool by_address = strcmp(nodes->by, "address") == 0;
	size_t len;

	out[0] = 0;
	if (nodes->n == 0 ||
	    (nodes->n == 1 &&
	     (by_address || (nodes->node[0].opened && nodes->node[0].refused))))
		return;
	len = (size_t)snprintf(out, size, "%s: ", nodes->by);
	for (size_t i = 0; i < nodes->n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s %s",
					i ? ", " : "", nodes->node[i].name,
					does(&nodes->node[i]));
}
