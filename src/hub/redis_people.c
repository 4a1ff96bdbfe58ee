/* SPDX-License-Identifier: MIT */
/*
 * Who is in a channel at which node. Each node writes its own people into the
 * channel's list and tells the others; what a node has written counts as long
 * as it renews its lease. Who ended without a word is taken out by all others
 * when they have not heard it for as long as that. A node keeps those of others
 * here; its own are in the channel's roster, where it says which of them are
 * written.
 *
 * What is told may be anybody's, or get lost. So a node reads the list of each
 * channel again and again, some of it at a time: who is not in it is taken out
 * here, and who is here and not in it is written once more. Few channels are
 * asked for at once, however many there are.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hub/redis_inner.h"

#define PEOPLE_MAX 65536 /* of others, in a channel */
#define LOOK_MS	   10000 /* between two looks at the list of a channel */
#define LOOKS	   64	 /* that begin at most each REDIS_CHORES_MS */
#define LIST_MS	   ((uint64_t)24 * 3600 * 1000)
#define LEAVERS	   4096 /* people of ended nodes, each REDIS_CHORES_MS */

static struct redis_person *of(struct ses_list *link)
{
	return ses_container_of(link, struct redis_person, link);
}

/* ---- People of other nodes ---- */

static struct redis_person *find(const struct redis_channel *c,
				 struct bytes person)
{
	struct hub_entry *entry = hub_map_find(&c->people, person);

	return entry ? ses_container_of(entry, struct redis_person, entry)
		     : NULL;
}

/* It is one of @node, or one of it again. */
static void attach(struct redis_person *p, struct redis_node *node)
{
	p->node = node;
	p->life = node->life;
	ses_list_remove(&p->of_node);
	ses_list_append(&node->persons, &p->of_node);
}

static struct redis_person *add(struct redis_channel *c, struct bytes person,
				struct redis_node *node)
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
	p->channel = c;
	ses_list_init(&p->of_node);
	ses_list_init(&p->link);
	ses_list_append(&c->persons, &p->link);
	attach(p, node);
	return p;
}

static void drop(struct redis_channel *c, struct redis_person *p)
{
	hub_map_remove(&c->people, &p->entry);
	ses_list_remove(&p->link);
	ses_list_remove(&p->of_node);
	free(p);
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

/* As many as may go by now: each is told to members. */
static void take_leavers_out(struct redis *r)
{
	struct ses_list *link;

	while (r->n_may_leave && (link = ses_list_first(&r->leavers))) {
		struct redis_person *p = ses_container_of(
			link, struct redis_person, of_node);

		r->n_may_leave--;
		take_out(p->channel, p);
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
	node->id[0] = '\0';
	node->life++;
	ses_list_append_all(&r->leavers, &node->persons);
	take_leavers_out(r);
	count_nodes(r);
}

/*
 * Where it is, or may be: in a free place, or in that of the one that was silent
 * for longest. NULL: all others live, or seem to.
 */
static struct redis_node *place_of(struct redis *r, struct bytes id)
{
	struct redis_node *place = &r->nodes[0];

	for (size_t i = 0; i < REDIS_NODES; i++) {
		struct redis_node *node = &r->nodes[i];

		if (bytes_equal_str(id, node->id))
			return node;
		if (place->id[0] &&
		    (!node->id[0] || node->heard_ms < place->heard_ms))
			place = node;
	}
	if (place->id[0] && r->loop->now_ms < place->heard_ms + REDIS_DEAD_MS)
		return NULL;
	return place;
}

/* It lives. NULL: there is no place for it. */
static struct redis_node *hear_node(struct redis *r, struct bytes id)
{
	struct redis_node *node = place_of(r, id);

	if (!node)
		return NULL;
	node->heard_ms = r->loop->now_ms;
	if (bytes_equal_str(id, node->id))
		return node;
	if (node->id[0])
		end_node(r, node);
	memcpy(node->id, id.data, HUB_REDIS_NODE_LEN);
	node->id[HUB_REDIS_NODE_LEN] = '\0';
	count_nodes(r);
	return node;
}

void redis_node_told(struct redis *r, struct bytes text)
{
	struct bytes id = bytes_from(text, 1);

	if (text.len != 1 + HUB_REDIS_NODE_LEN || !redis_is_node(id)) {
		redis_malformed(r, "a word", BYTES("the nodes"));
		return;
	}
	if (bytes_equal_str(id, r->node))
		return;
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

/* Under the hub's lock; NULL: the channel is not there any more. */
static struct hub_roster *roster_of(const struct redis_channel *c)
{
	const struct hub_channel *hc = redis_hub_channel(c);

	return hc ? hc->roster : NULL;
}

/* Under the hub's lock; NULL: @who is not at this node. */
static struct hub_person *find_here(const struct redis_channel *c,
				    struct bytes who)
{
	const struct hub_roster *roster = roster_of(c);
	struct hub_person *p = roster ? hub_roster_find(roster, who) : NULL;

	return p && p->here ? p : NULL;
}

static void tell_whether_here(struct redis_channel *c, struct bytes who)
{
	struct hub *hub = c->redis->base.hub;
	char buf[REDIS_PERSON_MAX];
	struct hub_person *p;
	bool is_known;

	hub_lock(hub);
	p = find_here(c, who);
	is_known = p && p->listed;
	if (p && !is_known)
		p->listed = c->people_round;
	hub_unlock(hub);
	if (!is_known)
		write_person(c, own_text(c->redis, who, buf), p != NULL);
}

void redis_people_order(struct redis *r, const struct redis_order *o)
{
	struct redis_channel *c = redis_channel_find(r, o->tag);

	/* While Redis is away nothing is told: its list is read after that. */
	if (c && !c->closed && c->serial == o->serial && r->up)
		tell_whether_here(c, o->text);
}

/* The next behind @after (data NULL: the first) who is not listed as @listed. */
static struct hub_person *next_not_listed(const struct hub_roster *roster,
					  struct bytes after, uint32_t listed)
{
	const struct hub_person *last =
		after.data ? hub_roster_find(roster, after) : NULL;
	struct ses_list *l = last ? last->link.next : roster->people.next;

	for (; l != &roster->people; l = l->next) {
		struct hub_person *p =
			ses_container_of(l, struct hub_person, link);

		if (p->here && p->listed != listed)
			return p;
	}
	return NULL;
}

/*
 * The next of this node, behind @last (none: the first), who was not listed as
 * @listed, and is by now. It is written to @out, where @last may lie.
 */
static struct bytes list_next(struct redis_channel *c, uint32_t listed,
			      struct bytes last, char out[REDIS_PERSON_MAX])
{
	struct bytes who =
		last.data ? bytes_from(last, HUB_REDIS_NODE_LEN + 1) : last;
	struct hub *hub = c->redis->base.hub;
	struct bytes person = bytes_of(NULL, 0);
	const struct hub_roster *roster;
	struct hub_person *p;

	hub_lock(hub);
	roster = roster_of(c);
	p = roster ? next_not_listed(roster, who, listed) : NULL;
	if (p) {
		p->listed = listed;
		person = own_text(c->redis, p->entry.name, out);
	}
	hub_unlock(hub);
	return person;
}

/* Redis is told of all of this node who were not listed as @listed. */
static void write_not_listed(struct redis_channel *c, uint32_t listed,
			     bool come)
{
	char buf[REDIS_PERSON_MAX];
	struct bytes person = list_next(c, listed, bytes_of(NULL, 0), buf);

	while (person.data) {
		write_person(c, person, come);
		person = list_next(c, listed, person, buf);
	}
}

void redis_people_forget(struct redis *r, struct redis_channel *c)
{
	struct ses_list *link;

	if (r->up)
		write_not_listed(c, 0, false);
	while ((link = ses_list_first(&c->persons)))
		drop(c, of(link));
}

/* ---- Whose turn it is to be asked for ---- */

static struct redis_channel *first_of(struct ses_list *turns)
{
	struct ses_list *link = ses_list_first(turns);

	return link ? ses_container_of(link, struct redis_channel, turn) : NULL;
}

void redis_people_init(struct redis *r)
{
	ses_list_init(&r->people_due);
	ses_list_init(&r->people_asked);
	ses_list_init(&r->people_kept);
	ses_list_init(&r->leavers);
	for (size_t i = 0; i < REDIS_NODES; i++)
		ses_list_init(&r->nodes[i].persons);
}

void redis_people_rest(struct redis_channel *c)
{
	if (c->people_asked)
		c->redis->n_people_asked--;
	c->people_asked = false;
	ses_list_remove(&c->turn);
}

void redis_people_sync(struct redis_channel *c)
{
	redis_people_rest(c);
	c->people_more = 0;
	ses_list_append(&c->redis->people_due, &c->turn);
}

static void look_later(struct redis_channel *c)
{
	redis_people_rest(c);
	c->people_ms = c->redis->loop->now_ms;
	ses_list_append(&c->redis->people_kept, &c->turn);
}

static void on_asked(void *arg, const struct redis_reply *reply)
{
	redis_told_there(arg, reply);
	if (!reply || reply->sort != REDIS_ERROR)
		return; /* what it has to say comes the other way */
	if (bytes_starts(reply->text, BYTES("NOSCRIPT")))
		redis_lose(arg, "it has forgotten its scripts");
	else
		redis_refused(arg, "to tell who is there", reply);
}

static bool write_question(struct redis_channel *c)
{
	struct redis *r = c->redis;
	struct redis_link *l = &r->command;

	redis_script_begin(r, REDIS_PEOPLE, 1, 7);
	redis_key(r, c->entry.name, "p");
	redis_topic(r, l, "node", bytes_of_str(r->node));
	redis_link_u64(l, c->people_number);
	redis_link_word(l, c->entry.name);
	redis_own_key(r, "lease", "");
	redis_link_u64(l, LIST_MS);
	redis_link_u64(l, c->people_more);
	redis_link_u64(l, REDIS_LEASE_S * 1000);
	return redis_link_end(l, on_asked, r);
}

static void begin_list(struct redis_channel *c)
{
	for (struct ses_list *l = c->persons.next; l != &c->persons; l = l->next)
		of(l)->confirmed = false;
	c->people_round++;
	c->leaving |= redis_channel_is_gone(c);
}

static void ask(struct redis_channel *c)
{
	struct redis *r = c->redis;

	if (!c->people_more)
		begin_list(c);
	c->people_number = ++r->number;
	look_later(c);
	if (!write_question(c))
		return;
	ses_list_remove(&c->turn);
	ses_list_append(&r->people_asked, &c->turn);
	c->people_asked = true;
	r->n_people_asked++;
}

void redis_people_some(struct redis *r)
{
	struct redis_channel *c;

	while (r->up && r->n_people_asked < REDIS_PEOPLE_ASKED &&
	       (c = first_of(&r->people_due)))
		ask(c);
}

static bool is_over(const struct redis *r, const struct redis_channel *c,
		    uint64_t ms)
{
	return c && r->loop->now_ms > c->people_ms + ms;
}

void redis_people_keep(struct redis *r)
{
	struct redis_channel *c;

	r->n_may_leave = LEAVERS;
	take_leavers_out(r);
	while (!r->paused && (c = first_of(&r->people_asked)) &&
	       is_over(r, c, HUB_REDIS_WAIT_MS))
		redis_people_sync(c);
	for (int i = 0; i < LOOKS && (c = first_of(&r->people_kept)) &&
			is_over(r, c, LOOK_MS);
	     i++)
		redis_people_sync(c);
	redis_people_some(r);
}

/* ---- The list ---- */

/* @person of @id; @p: it is here, of a node that may have ended since. */
static void come(struct redis_channel *c, struct redis_person *p,
		 struct bytes person, struct bytes id)
{
	struct redis_node *node = NULL;

	if (!p || p->life != p->node->life) {
		node = hear_node(c->redis, id);
		if (!node)
			return; /* it is asked for again and again */
	}
	if (!p) {
		p = add(c, person, node);
		if (p)
			bring(c, p, true);
	} else if (node) {
		attach(p, node);
	}
	if (p)
		p->confirmed = true;
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
	if (comes)
		come(c, p, text, node);
	else if (p)
		take_out(c, p);
}

/* What is not in the list, now that it was read to its end. */
static void settle_unconfirmed(struct redis_channel *c)
{
	struct ses_list *link = c->persons.next, *next;

	for (; link != &c->persons; link = next) {
		next = link->next;
		if (!of(link)->confirmed)
			take_out(c, of(link));
	}
	write_not_listed(c, c->people_round, true);
}

/*
 * One of this node, as the list has it: it may have left when Redis could not
 * be told. Of who came back since and is not written yet the list says nothing.
 */
static void confirm_own(struct redis_channel *c, struct bytes person,
			struct bytes who)
{
	struct hub *hub = c->redis->base.hub;
	struct hub_person *p;

	hub_lock(hub);
	p = find_here(c, who);
	if (p && p->listed)
		p->listed = c->people_round;
	hub_unlock(hub);
	if (!p)
		write_person(c, person, false);
}

static void take_some(struct redis *r, struct redis_channel *c,
		      struct bytes entries)
{
	struct bytes person, node, who;

	while (redis_next(&entries, &person)) {
		if (redis_person_read(person, &node, &who) &&
		    bytes_equal_str(node, r->node))
			confirm_own(c, person, who);
		else
			redis_people_told(r, c, person, true);
	}
}

void redis_people_answered(struct redis *r, struct bytes text)
{
	struct redis_people people;
	struct redis_channel *c;

	if (!redis_people_read(text, &people)) {
		redis_malformed(r, "an answer", BYTES("who is there"));
		return;
	}
	c = redis_channel_find(r, people.tag);
	if (!c || !c->people_asked || c->people_number != people.number)
		return;
	take_some(r, c, people.entries);
	look_later(c);
	c->people_more = people.more;
	if (people.more) { /* others have their turn in between */
		ses_list_remove(&c->turn);
		ses_list_append(&r->people_due, &c->turn);
	} else {
		settle_unconfirmed(c);
		if (c->leaving)
			redis_channel_close(c);
	}
	redis_people_some(r);
}
