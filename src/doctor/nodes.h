/* SPDX-License-Identifier: MIT */
/*
 * The servers that share the load behind one name, as far as they name
 * themselves: by a field of the answer, or by the address that was dialled.
 */
#ifndef DOCTOR_NODES_H
#define DOCTOR_NODES_H

#include "doctor/finding.h"

#define DOCTOR_MAX_NODES 4

struct doctor_nodes {
	char by[40]; /* "X-Node", "address"; "": none names itself */
	struct doctor_node {
		char name[64]; /* printable */
		int opened, refused;
	} node[DOCTOR_MAX_NODES];
	size_t n;
};

/*
 * Which servers answered the user's own request, and how often each let it in.
 * Those beyond the fourth are left out.
 */
void doctor_count_nodes(const struct doctor_chart *chart,
			struct doctor_nodes *ret_nodes);
/* Whether any answer on the way to the server names the node that gave it. */
bool doctor_names_node(const struct doctor_chart *chart);
/* Tell that several of them answered. */
void doctor_find_nodes(struct doctor_chart *chart);
/* "X-Node: a refuses, b lets in"; "" when they do not tell themselves apart. */
void doctor_nodes_text(const struct doctor_nodes *nodes, char *out, size_t size);

#endif
