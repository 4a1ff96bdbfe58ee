/* SPDX-License-Identifier: MIT */
/*
 * What a client of sesame.v1 asks for (docs/sesame.v1.md), and what a payload
 * of a state channel says of itself. Both come from strangers. Pure.
 */
#ifndef HUB_DEMAND_H
#define HUB_DEMAND_H

#include "base/buf.h"
#include "wire/json.h"

#define HUB_KEY_MAX   256   /* bytes of a key of a state channel */
#define HUB_LIST_MAX  1000  /* names, or messages, in one answer */
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
	int64_t ref;	   /* -1: none */
	struct bytes data; /* the payload, or the id to resume from */
	struct ses_buf own; /* that it lies in, if not in the envelope */
	bool no_memory;	    /* nothing was wrong but that */
	size_t broken_at;   /* bytes before it is JSON no more; 0: it is all */
	uint8_t after[HUB_AFTER_MAX];
	size_t after_len; /* 0: from the first */
	size_t limit;
};

/*
 * Read an envelope, of which the demand may borrow. NULL, or what is wrong with
 * it as a sentence; ref is set then, too, if the text is JSON and has a good
 * one. Always to be emptied by hub_demand_fini().
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
	struct ses_json in;
	size_t n;	   /* how many there are */
	struct ses_buf own; /* where those lie that were written with escapes */
	const char *wrong; /* with one that was to be taken */
	size_t broken_at;  /* bytes before it is JSON no more; 0: it is all */
};

/*
 * @text, a JSON list of texts, objects and lists, is borrowed. NULL or what is
 * wrong. Always to be emptied by hub_list_fini(), and the payloads with it.
 */
const char *hub_list_read(struct bytes text, struct hub_list *ret_list);
/* The next payload. False: no more, or list->wrong. */
bool hub_list_next(struct hub_list *list, struct bytes *ret_payload);
void hub_list_fini(struct hub_list *list);

/* What is wrong where there is no memory. */
extern const char hub_no_memory[];

#endif
