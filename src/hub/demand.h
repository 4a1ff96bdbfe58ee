/* SPDX-License-Identifier: MIT */
/*
 * What a client of sesame.v1 asks for (docs/sesame.v1.md), and what a payload
 * of a state channel says of itself. Both come from strangers. Pure.
 */
#ifndef HUB_DEMAND_H
#define HUB_DEMAND_H

#include "base/buf.h"

#define HUB_KEY_MAX   256   /* bytes of a key of a state channel */
#define HUB_LIST_MAX  1000  /* names, or messages, in one answer */
#define HUB_JSON_MAX  65536 /* values in a JSON text that is read */
#define HUB_AFTER_MAX 256   /* bytes of a name to go on after */

enum hub_demand_sort {
	HUB_PUBLISH,
	HUB_PUBLISH_BYTES,
	HUB_RESUME,
	HUB_LIST,
	HUB_COUNT,
};

struct hub_demand {
	enum hub_demand_sort sort;
	int64_t ref;	     /* -1: none */
	struct ses_buf data; /* the payload, or the id to resume from */
	uint8_t after[HUB_AFTER_MAX];
	size_t after_len; /* 0: from the first */
	size_t limit;
};

/*
 * Read an envelope. NULL, or what is wrong with it as a sentence; ref is set
 * then, too, if one was given. Always to be emptied by hub_demand_fini().
 */
const char *hub_demand_read(struct bytes text, struct hub_demand *ret_demand);
void hub_demand_fini(struct hub_demand *demand);

/* What the payload of a state channel is about. */
struct hub_about {
	char key[HUB_KEY_MAX];
	size_t key_len;
	bool gone; /* it takes the key away */
};

/*
 * @name: the member that is the key. A text or a whole number will do; a
 * payload whose other members are all null, or that has none, takes it away.
 * NULL or what is wrong.
 */
const char *hub_about_read(struct bytes payload, const char *name,
			   struct hub_about *ret_about);

/* ---- A list of payloads, as a batch by POST is ---- */

struct hub_list {
	struct bytes rest; /* behind the elements that were taken */
	size_t n;	   /* how many there are */
};

/* NULL or what is wrong: a JSON list of texts, objects and lists. */
const char *hub_list_read(struct bytes text, struct hub_list *ret_list);
/* The next payload to @out, which is emptied first. False: no more, or no
 * memory. */
bool hub_list_next(struct hub_list *list, struct ses_buf *out);

#endif
