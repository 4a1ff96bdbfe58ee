/* SPDX-License-Identifier: MIT */
/*
 * Who is in a channel at which node. Each node writes its own people into the
 * channel's list and tells the others; what a node has written counts as long
 * as it renews its lease. Who ended without a word is taken out by all others
 * when they have not heard it for as long as that.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/redis_inner.h"

#define PEOPLE_MAX 65536 /* of others, in a channel */
#define LIST_MS	   ((uint64_t)24 * 3600 * 1000)

static struct redis_person *of(struct ses_list *link)
{
	return ses_container_of(link, struct redis_person, link);
}

/* ---- The list here ---- */

static struct redis_person *find(const struct redis_channel *c,
				 struct bytes person)
{
	struct hub_entry *entry = hub_map_find(&c->people, person);

	return entry ? ses_container_of(entry, struct redis_person, entry)
		     : NULL;
}

static struct redis_person *add(struct redis_channel *c, struct bytes person)
{
	struct redis_person *p;

	if (c->people.n >= PEOPLE_MAX)
		return NULL;
	p = calloc(1, sizeof(*p) + person.len);
	if (!p)
		return NULL;
	memcpy(p->text, person.data, person.len);
	p->entry.name = bytes_of(p->text, person.len);
	if (!hub_map_add(&c->people, &p->entry)) {
		free(p);
		return NULL;
	}
	ses_list_init(&p->link);
	ses_list_append(&c->persons, &p->link);
	return p;
}

static void drop(struct redis_channel *c, struct redis_person *p)
{
	hub_map_remove(&c->people, &p->entry);
	ses_list_remove(&p->link);
	free(p);
}

static bool is_of(const struct redis_person *p, const char *node)
{
	return bytes_starts(p->entry.name, bytes_of_str(node));
}

static bool is_own(const struct redis *r, const struct redis_person *p)
{
	return is_of(p, r->node);
}

static struct bytes who_of(const struct redis_person *p)
{
	return bytes_from(p->entry.name, HUB_REDIS_NODE_LEN + 1);
}

/* Somebody elsewhere comes or goes. */
static void bring(struct redis_channel *c, const struct redis_person *p,
		  bool comes)
{
	struct hub *hub = c->redis->base.hub;
	struct hub_channel *hc;

	hub_lock(hub);
	hc = redis_hub_channel(c);
	if (hc)
		hub_bring_person(hub, hc, who_of(p), comes);
	hub_unlock(hub);
}

static void take_out(struct redis_channel *c, struct redis_person *p)
{
	bring(c, p, false);
	drop(c, p);
}

/* ---- Nodes ---- */

static void take_node_out(struct redis *r, const char *node)
{
	for (struct ses_list *l = r->all.next; l != &r->all; l = l->next) {
		struct redis_channel *c =
			ses_container_of(l, struct redis_channel, link);
		struct ses_list *link = c->persons.next, *next;

		for (; link != &c->persons; link = next) {
			next = link->next;
			if (is_of(of(link), node))
				take_out(c, of(link));
		}
	}
}

static void count_nodes(struct redis *r)
{
	uint64_t n = 1;

	for (size_t i = 0; i < REDIS_NODES; i++)
		n += r->nodes[i].id[0] != '\0';
	pthread_mutex_lock(&r->lock);
	r->figures.nodes = n;
	pthread_mutex_unlock(&r->lock);
}

static void end_node(struct redis *r, struct redis_node *node)
{
	char id[HUB_REDIS_NODE_LEN + 1];

	memcpy(id, node->id, sizeof(id));
	node->id[0] = '\0';
	take_node_out(r, id);
	count_nodes(r);
}

/* It lives. Where there are too many the one is given up that was silent for
 * longest. */
static void hear_node(struct redis *r, struct bytes id)
{
	struct redis_node *place = &r->nodes[0];

	if (bytes_equal_str(id, r->node))
		return;
	for (size_t i = 0; i < REDIS_NODES; i++) {
		struct redis_node *node = &r->nodes[i];

		if (bytes_equal_str(id, node->id)) {
			node->heard_ms = r->loop->now_ms;
			return;
		}
		if (place->id[0] &&
		    (!node->id[0] || node->heard_ms < place->heard_ms))
			place = node;
	}
	if (place->id[0])
		end_node(r, place);
	memcpy(place->id, id.data, HUB_REDIS_NODE_LEN);
	place->id[HUB_REDIS_NODE_LEN] = '\0';
	place->heard_ms = r->loop->now_ms;
	count_nodes(r);
}

void redis_node_told(struct redis *r, struct bytes text)
{
	struct bytes id = bytes_from(text, 1);

	if (text.len != 1 + HUB_REDIS_NODE_LEN || !redis_is_node(id)) {
		redis_malformed(r, "a word", BYTES("the nodes"));
		return;
	}
	if (text.data[0] == '+') {
		hear_node(r, id);
		return;
	}
	for (size_t i = 0; i < REDIS_NODES; i++)
		if (bytes_equal_str(id, r->nodes[i].id))
			end_node(r, &r->nodes[i]);
}

static void renew_lease(struct redis *r)
{
	struct redis_link *l = &r->command;

	redis_link_begin(l, 5);
	redis_link_str(l, "SET");
	redis_own_key(r, "lease", r->node);
	redis_link_str(l, "1");
	redis_link_str(l, "EX");
	redis_link_u64(l, REDIS_LEASE_S);
	redis_link_end(l, redis_no_reply, NULL);
	redis_link_begin(l, 3);
	redis_link_str(l, "PUBLISH");
	redis_topic(r, l, "nodes", BYTES("all"));
	redis_link_long_word(l, 1 + HUB_REDIS_NODE_LEN);
	redis_link_part(l, BYTES("+"));
	redis_link_part(l, bytes_of_str(r->node));
	redis_link_long_end(l);
	redis_link_end(l, redis_no_reply, NULL);
}

void redis_node_beat(struct redis *r)
{
	uint64_t now = r->loop->now_ms;

	renew_lease(r);
	for (size_t i = 0; i < REDIS_NODES; i++) {
		struct redis_node *node = &r->nodes[i];

		/* While nothing could be heard nobody was silent. */
		if (node->heard_ms < r->up_ms)
			node->heard_ms = r->up_ms;
		if (node->id[0] && now > node->heard_ms + REDIS_LEASE_S * 1000)
			end_node(r, node);
	}
	count_nodes(r);
}

/* ---- People of this node ---- */

static void write_person(struct redis_channel *c, struct bytes text, bool comes)
{
	struct redis *r = c->redis;
	struct redis_link *l = &r->command;

	c->written |= comes;
	redis_link_begin(l, comes ? 4 : 3);
	redis_link_str(l, comes ? "HSET" : "HDEL");
	redis_key(r, c->entry.name, "p");
	redis_link_word(l, text);
	if (comes)
		redis_link_str(l, "1");
	redis_link_end(l, redis_no_reply, NULL);
	redis_link_begin(l, 3);
	redis_link_str(l, "PUBLISH");
	redis_topic(r, l, "c", c->entry.name);
	redis_link_long_word(l, 1 + text.len);
	redis_link_part(l, comes ? BYTES("+") : BYTES("-"));
	redis_link_part(l, text);
	redis_link_long_end(l);
	redis_link_end(l, redis_no_reply, NULL);
}

static struct bytes own_text(const struct redis *r, struct bytes who,
			     char out[REDIS_PERSON_MAX])
{
	int n = snprintf(out, REDIS_PERSON_MAX, "%s %.*s", r->node,
			 (int)who.len, (const char *)who.data);

	return bytes_of(out, (size_t)n);
}

void redis_people_order(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);
	char buf[REDIS_PERSON_MAX];
	struct bytes text = own_text(r, o->text, buf);
	struct redis_person *p = c ? find(c, text) : NULL;
	bool comes = o->errand == REDIS_ENTER;

	if (!c || c->closed || c->serial != o->serial || (!comes && !p))
		return;
	if (!p)
		p = add(c, text);
	if (!p)
		return; /* others do not see it */
	p->n += comes ? 1 : -1U;
	if (r->up && p->n == (comes ? 1 : 0))
		write_person(c, text, comes);
	if (!p->n)
		drop(c, p);
}

void redis_people_forget(struct redis *r, struct redis_channel *c)
{
	struct ses_list *link;

	while ((link = ses_list_first(&c->persons))) {
		if (r->up && is_own(r, of(link)))
			write_person(c, of(link)->entry.name, false);
		drop(c, of(link));
	}
}

/* ---- The whole list ---- */

void redis_people_sync(struct redis *r, struct redis_channel *c)
{
	struct redis_link *l = &r->command;

	c->people_number = ++r->number;
	redis_script_begin(r, REDIS_PEOPLE, 1, 5);
	redis_key(r, c->entry.name, "p");
	redis_topic(r, l, "node", bytes_of_str(r->node));
	redis_link_u64(l, c->people_number);
	redis_link_word(l, c->entry.name);
	redis_own_key(r, "lease", "");
	redis_link_u64(l, LIST_MS);
	redis_link_end(l, redis_no_reply, NULL);
	/* Behind it, for it takes away what is no list. */
	for (struct ses_list *k = c->persons.next; k != &c->persons;
	     k = k->next) {
		of(k)->confirmed = false;
		if (is_own(r, of(k)))
			write_person(c, of(k)->entry.name, true);
	}
}

void redis_people_told(struct redis *r, struct redis_channel *c,
		       struct bytes text, bool comes)
{
	struct bytes node, who;
	struct redis_person *p;

	if (!redis_person_read(text, &node, &who)) {
		redis_malformed(r, "somebody", c->entry.name);
		return;
	}
	if (!c->presence || bytes_equal_str(node, r->node))
		return;
	p = find(c, text);
	if (!comes && p) {
		take_out(c, p);
	} else if (comes && !p) {
		hear_node(r, node);
		p = add(c, text);
		if (p)
			bring(c, p, true);
	}
	if (comes && p)
		p->confirmed = true;
}

static void take_unconfirmed_out(struct redis *r, struct redis_channel *c)
{
	struct ses_list *link = c->persons.next, *next;

	for (; link != &c->persons; link = next) {
		next = link->next;
		if (!of(link)->confirmed && !is_own(r, of(link)))
			take_out(c, of(link));
	}
}

/* Of this node, and not here: it left when Redis could not be told. */
static bool is_left_over(const struct redis *r, const struct redis_channel *c,
			 struct bytes person)
{
	struct bytes node, who;

	return redis_person_read(person, &node, &who) &&
	       bytes_equal_str(node, r->node) && !find(c, person);
}

void redis_people_answered(struct redis *r, struct bytes text)
{
	struct redis_people people;
	struct redis_channel *c;
	struct bytes person;

	if (!redis_people_read(text, &people)) {
		redis_malformed(r, "an answer", BYTES("who is there"));
		return;
	}
	c = redis_channel_find(r, people.tag);
	if (!c || c->closed || c->people_number != people.number)
		return;
	while (redis_next(&people.entries, &person)) {
		if (is_left_over(r, c, person))
			write_person(c, person, false);
		else
			redis_people_told(r, c, person, true);
	}
	take_unconfirmed_out(r, c);
	if (c->leaving)
		redis_channel_close(c);
}
