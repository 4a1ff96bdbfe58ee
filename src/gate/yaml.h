/* SPDX-License-Identifier: MIT */
/*
 * The one door to YAML: a document becomes items, each with the setting that
 * it is for and the place where it stands. What is wrong with one is noted
 * with its place, and reading goes on, so that one run shows all faults.
 */
#ifndef GATE_YAML_H
#define GATE_YAML_H

#include "gate/complaints.h"
#include "gate/config.h"

struct fy_node;

/* Who reads, into what. */
struct gate_reader {
	const char *file;
	bool open_files; /* look into the files that it names, too */
	struct gate_policy *policy;
	struct gate_complaints *wrong;
};

/* What is being read: a node, what it is for, and where it stands. */
struct gate_item {
	const struct gate_setting_row *row;
	struct fy_node *node;  /* NULL: nothing */
	struct gate_place at;  /* of the value */
	struct gate_place key; /* of its key */
};

/* The name of a setting's key: "origins" of "routes[].allow.origins". */
const char *gate_key_name(const struct gate_setting_row *row);

bool gate_is_map(const struct gate_item *i);
bool gate_is_list(const struct gate_item *i);
bool gate_is_single(const struct gate_item *i);
bool gate_is_null(const struct gate_item *i);
/* The text of a single value; empty for others. Borrowed from the document. */
struct bytes gate_text_of(const struct gate_item *i);
/* How many elements a list has. */
size_t gate_count(const struct gate_item *list);
/*
 * Step to the next element of @list, or to the next pair of the map @map; of
 * a pair, *ret_key is an item for its key. *state begins as NULL.
 */
bool gate_next_element(const struct gate_item *list, void **state,
		       struct gate_item *ret_element);
bool gate_next_pair(const struct gate_item *map, void **state,
		    struct gate_item *ret_key, struct gate_item *ret_value);

/* Complain that @wanted is needed here, unless it @fits; returns @fits. */
bool gate_want(struct gate_reader *r, const struct gate_item *i, bool fits,
	       const char *wanted);
/* The text of a single value with its length in bounds, or false. */
bool gate_want_text(struct gate_reader *r, const struct gate_item *i,
		    struct bytes *ret_text);

/* A value shown in a message: short, printable, without the secret of a URL. */
struct gate_shown {
	char text[96];
};

struct gate_shown gate_show(struct bytes value);

/* Read @text and call @read with its root. Faults of YAML are complained of. */
void gate_yaml_read(struct gate_reader *r, struct bytes text,
		    void (*read)(struct gate_reader *r,
				 const struct gate_item *root));

#endif
