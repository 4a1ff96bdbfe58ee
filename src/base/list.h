/* SPDX-License-Identifier: MIT */
/* An intrusive doubly linked list: the link lives in the member's struct. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ses_list {
	struct ses_list *next, *prev;
};

#define ses_container_of(ptr, type, member)                                    \
	((type *)((char *)(ptr)-offsetof(type, member)))

/* An empty list, or a link that is in no list. */
static inline void ses_list_init(struct ses_list *l)
{
	l->next = l->prev = l;
}

static inline bool ses_list_empty(const struct ses_list *l)
{
	return l->next == l;
}

/* Put @link (in no list) at the end of @l. */
static inline void ses_list_append(struct ses_list *l, struct ses_list *link)
{
	link->prev = l->prev;
	link->next = l;
	l->prev->next = link;
	l->prev = link;
}

/* The same at the beginning. */
static inline void ses_list_prepend(struct ses_list *l, struct ses_list *link)
{
	ses_list_append(l->next, link);
}

/* Take @link out of its list, if it is in one; it can be removed again. */
static inline void ses_list_remove(struct ses_list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	ses_list_init(link);
}

/* The first link, or NULL. */
/* All of @from go behind the last of @to, in their order. */
static inline void ses_list_append_all(struct ses_list *to,
				       struct ses_list *from)
{
	if (ses_list_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	ses_list_init(from);
}

static inline struct ses_list *ses_list_first(struct ses_list *l)
{
	return ses_list_empty(l) ? NULL : l->next;
}

#endif
