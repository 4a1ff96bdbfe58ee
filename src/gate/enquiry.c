/* SPDX-License-Identifier: MIT */
/*
 * Until it is posted an enquiry is the backplane's thread's, but for who wants
 * to know and its place in the list, which are the loop's at all times.
 */
#include "gate/enquiry.h"

#include <stdlib.h>
#include <string.h>

#include "hub/redis.h"
#include "net/loop.h"

struct gate_enquiry {
	struct gate_enquiries *of;
	struct ses_list link;
	gate_enquiry_done done; /* NULL: nobody wants to know any more */
	void *user;
	struct ses_post post;
	/* ---- the backplane's thread's ---- */
	struct gate_note *said, **last;
	size_t bytes;
};

static void free_enquiry(struct gate_enquiry *e)
{
	struct gate_note *said;

	while ((said = e->said)) {
		e->said = said->next;
		free(said);
	}
	ses_list_remove(&e->link);
	e->of->n--;
	free(e);
}

static void tell(void *arg)
{
	struct gate_enquiry *e = arg;

	if (e->done)
		e->done(e->user, e->said);
	free_enquiry(e);
}

/* ---- In the backplane's thread ---- */

static void keep(struct gate_enquiry *e, struct bytes name, struct bytes text)
{
	struct gate_note *said;
	uint8_t *at;

	if (text.len > GATE_ENQUIRY_BYTES - e->bytes)
		return;
	said = calloc(1, sizeof(*said) + name.len + text.len);
	if (!said)
		return;
	at = (uint8_t *)(said + 1);
	memcpy(at, name.data, name.len);
	if (text.len)
		memcpy(at + name.len, text.data, text.len);
	said->name = bytes_of(at, name.len);
	said->text = bytes_of(at + name.len, text.len);
	*e->last = said;
	e->last = &said->next;
	e->bytes += text.len;
}

static void on_note(void *user, const char *name, struct bytes text)
{
	struct gate_enquiry *e = user;

	if (name)
		keep(e, bytes_of_str(name), text);
	else
		ses_loop_post_own(e->of->loop, &e->post, tell, e);
}

/* ---- In the loop ---- */

void gate_enquiries_init(struct gate_enquiries *all, struct sesame_loop *loop,
			 struct hub_backplane *redis)
{
	*all = (struct gate_enquiries){.redis = redis, .loop = loop};
	ses_list_init(&all->all);
}

void gate_enquiries_fini(struct gate_enquiries *all)
{
	struct ses_list *link;

	while ((link = ses_list_first(&all->all))) {
		struct gate_enquiry *e =
			ses_container_of(link, struct gate_enquiry, link);

		ses_loop_unpost(all->loop, &e->post);
		free_enquiry(e);
	}
}

struct gate_enquiry *gate_enquire(struct gate_enquiries *all, const char *name,
				  gate_enquiry_done done, void *user)
{
	struct gate_enquiry *e = NULL;

	if (all->n < GATE_ENQUIRIES)
		e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->of = all;
	e->done = done;
	e->user = user;
	e->last = &e->said;
	ses_list_init(&e->link);
	ses_list_append(&all->all, &e->link);
	all->n++;
	if (hub_redis_read(all->redis, name, on_note, e))
		return e;
	free_enquiry(e);
	return NULL;
}

void gate_enquiry_forget(struct gate_enquiry *e)
{
	if (e)
		e->done = NULL;
}
