/* SPDX-License-Identifier: MIT */
/* Most answers are there at once, so the worker has one ticket for them all. */
#include "gate/awaited.h"

#include <stdlib.h>

#include "gate/visit_inner.h"

#define ANSWER_MS 15000 /* the backplane gives up before that */

static void on_done(struct hub_ticket *ticket)
{
	struct gate_awaited *a =
		ses_container_of(ticket, struct gate_awaited, ticket);

	ses_list_remove(&a->link);
	if (a->visit)
		a->on_answer(a->visit, a);
	hub_release(&a->ticket);
	free(a);
}

struct hub_ticket *gate_awaited_offer(struct gate *gate)
{
	if (!gate->spare)
		gate->spare = calloc(1, sizeof(*gate->spare));
	if (!gate->spare)
		return NULL;
	gate->spare->ticket.done = on_done;
	return &gate->spare->ticket;
}

struct gate_awaited *gate_awaited_take(struct gate_visit *visit,
				       struct ses_list *list)
{
	struct gate_awaited *a = visit->gate->spare;

	visit->gate->spare = NULL;
	a->visit = visit;
	a->since_ms = visit->gate->loop->now_ms;
	ses_list_init(&a->link);
	ses_list_append(list, &a->link);
	return a;
}

void gate_awaited_forget(struct ses_list *list)
{
	struct ses_list *link;

	while ((link = ses_list_first(list))) {
		ses_list_remove(link);
		ses_container_of(link, struct gate_awaited, link)->visit = NULL;
	}
}

/* ---- Those who have asked by HTTP ---- */

enum gate_outcome gate_visit_await(
	struct gate_visit *v,
	void (*on_answer)(struct gate_visit *v, const struct gate_awaited *a))
{
	gate_awaited_take(v, &v->asking->awaited)->on_answer = on_answer;
	ses_buf_fini(&v->asking->body);
	if (gate_visit_keep(v) &&
	    ses_timers_start(&v->gate->loop->timers, &v->timer,
			     v->gate->loop->now_ms + ANSWER_MS) == 0)
		return GATE_WAIT;
	return gate_visit_refuse_unanswered(v);
}
