/* SPDX-License-Identifier: MIT */
#include "hub/roster.h"

#include <stdlib.h>

static struct hub_person *of_link(struct ses_list *link)
{
	return ses_container_of(link, struct hub_person, link);
}

static struct hub_person *of_changed(struct ses_list *link)
{
	return ses_container_of(link, struct hub_person, changed);
}

void hub_roster_init(struct hub_roster *r, const uint8_t seed[SES_HASH_SEED])
{
	*r = (struct hub_roster){.n = 0};
	hub_map_init(&r->map, seed);
	ses_list_init(&r->people);
	ses_list_init(&r->changed);
}

static void unchange(struct hub_roster *r, struct hub_person *p)
{
	if (ses_list_empty(&p->changed))
		return;
	ses_list_remove(&p->changed);
	r->n_changed--;
}

static void forget(struct hub_roster *r, struct hub_person *p)
{
	unchange(r, p);
	ses_list_remove(&p->link);
	hub_map_remove(&r->map, &p->entry);
	free(p);
}

void hub_roster_fini(struct hub_roster *r)
{
	struct ses_list *link;

	while ((link = ses_list_first(&r->people)))
		forget(r, of_link(link));
	hub_map_fini(&r->map);
	r->n = 0;
}

/* What is against what the others know is told; what is not need not be. */
static void note_change(struct hub_roster *r, struct hub_person *p)
{
	if (p->told == (p->n > 0)) {
		unchange(r, p);
	} else if (ses_list_empty(&p->changed)) {
		ses_list_append(&r->changed, &p->changed);
		r->n_changed++;
	}
	if (r->n_changed <= HUB_UNTOLD_MAX)
		return;
	r->more = true;
	p->told = p->n > 0;
	unchange(r, p);
}

static struct hub_person *add(struct hub_roster *r, struct bytes name)
{
	struct hub_person *p = calloc(1, sizeof(*p) + name.len);

	if (!p)
		return NULL;
	if (name.len)
		memcpy(p->name, name.data, name.len);
	p->entry.name = bytes_of(p->name, name.len);
	ses_list_init(&p->link);
	ses_list_init(&p->changed);
	if (!hub_map_add(&r->map, &p->entry)) {
		free(p);
		return NULL;
	}
	ses_list_append(&r->people, &p->link);
	return p;
}

struct hub_person *hub_roster_find(const struct hub_roster *r, struct bytes name)
{
	struct hub_entry *entry = hub_map_find(&r->map, name);

	return entry ? ses_container_of(entry, struct hub_person, entry) : NULL;
}

struct hub_person *hub_roster_enter(struct hub_roster *r, struct bytes name)
{
	struct hub_person *p = hub_roster_find(r, name);

	if (!p)
		p = add(r, name);
	if (!p)
		return NULL;
	if (p->n++)
		return p;
	r->n++;
	note_change(r, p);
	return p;
}

void hub_roster_leave(struct hub_roster *r, struct hub_person *p)
{
	if (--p->n)
		return;
	r->n--;
	note_change(r, p);
	if (ses_list_empty(&p->changed))
		forget(r, p);
}

bool hub_roster_tell(struct hub_roster *r, struct hub_news *news)
{
	struct ses_list *link = r->changed.next;

	if (!hub_roster_has_news(r))
		return false;
	news->n_joined = news->n_left = 0;
	news->more = r->more;
	news->count = r->n;
	r->more = false;
	for (; link != &r->changed; link = link->next) {
		struct hub_person *p = of_changed(link);
		size_t *n = p->n ? &news->n_joined : &news->n_left;
		struct bytes *list = p->n ? news->joined : news->left;

		p->told = p->n > 0;
		if (*n < HUB_NAMES_TOLD)
			list[(*n)++] = p->entry.name;
		else
			news->more = true;
	}
	return true;
}

void hub_roster_settle(struct hub_roster *r)
{
	struct ses_list *link;

	while ((link = ses_list_first(&r->changed))) {
		struct hub_person *p = of_changed(link);

		p->told = p->n > 0;
		unchange(r, p);
		if (!p->n)
			forget(r, p);
	}
	r->more = false;
}

size_t hub_roster_list(const struct hub_roster *r, struct bytes after,
		       size_t limit, struct bytes *out, bool *ret_more)
{
	const struct hub_person *last =
		after.data ? hub_roster_find(r, after) : NULL;
	const struct ses_list *link = r->people.next;
	size_t n = 0;

	if (last)
		link = last->link.next;
	for (; link != &r->people && n < limit; link = link->next) {
		struct hub_person *p = of_link((struct ses_list *)link);

		if (p->n)
			out[n++] = p->entry.name;
	}
	while (link != &r->people && !of_link((struct ses_list *)link)->n)
		link = link->next;
	*ret_more = link != &r->people;
	return n;
}
