/* SPDX-License-Identifier: MIT */
/* Opening the entrances, changing the policy under way, closing again. */
#include "gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sesame/error.h>

#include "gate/delivery.h"
#include "gate/log.h"
#include "gate/metrics.h"
#include "gate/passwords.h"
#include "gate/visit.h"
#include "net/addr.h"

#define SHORT_MS 10000 /* between two complaints about descriptors */

/* No line in the journal: who was not let in has not said a word yet. */
static void tell_full(struct gate *gate, const char *why, const char *remedy)
{
	if (gate->n_short)
		gate_count(gate->n_short, 1);
	if (gate->short_told_ms &&
	    gate->loop->now_ms - gate->short_told_ms < SHORT_MS)
		return;
	gate->short_told_ms = gate->loop->now_ms;
	gate_log("sesame: no more connections for now: %s; %zu are open%s", why,
		 gate->n_visits, remedy);
}

static void on_accept(struct ses_listener *listener, int fd,
		      const struct ses_addr *peer)
{
	struct gate_entrance *entrance = listener->owner;

	if (entrance->gate->n_visits < GATE_MAX_VISITS) {
		gate_visit_begin(entrance, fd, peer);
		return;
	}
	close(fd);
	tell_full(entrance->gate, "this worker holds no more", "");
}

#define REMEDY ". Raise the limit (ulimit -n, LimitNOFILE=)"

void gate_tell_short(struct gate *gate, const char *why)
{
	tell_full(gate, why, REMEDY);
}

static void on_short(struct ses_listener *listener, int sys_errno)
{
	struct gate_entrance *entrance = listener->owner;

	tell_full(entrance->gate, strerror(sys_errno), REMEDY);
}

/* ---- Entrances ---- */

static void free_if_done(struct gate_entrance *e)
{
	if (e->open || e->n_visits)
		return;
	ses_list_remove(&e->link);
	ses_tls_context_unref(e->tls);
	free(e);
}

/* What other threads are shown. */
static void show_count(const struct gate *gate)
{
	if (gate->n_visits_seen)
		atomic_store_explicit(gate->n_visits_seen, gate->n_visits,
				      memory_order_relaxed);
}

void gate_entrance_visited(struct gate_entrance *e)
{
	e->n_visits++;
	e->gate->n_visits++;
	show_count(e->gate);
}

void gate_entrance_done(struct gate_entrance *e)
{
	e->n_visits--;
	e->gate->n_visits--;
	show_count(e->gate);
	free_if_done(e);
}

/*
 * Who waits at the door has been told by the system that he is connected, so
 * he is let in, to be answered; save where another program goes on listening
 * and will answer him.
 */
static void close_entrance(struct gate_entrance *e, bool at_once)
{
	if (e->open && (at_once || e->inherited))
		ses_listener_close(&e->listener);
	else if (e->open)
		ses_listener_finish(&e->listener);
	e->open = false;
	free_if_done(e);
}

static struct gate_entrance *find_entrance(struct gate *gate, unsigned id)
{
	struct ses_list *link;

	for (link = gate->entrances.next; link != &gate->entrances;
	     link = link->next) {
		struct gate_entrance *e =
			ses_container_of(link, struct gate_entrance, link);

		if (e->open && e->id == id)
			return e;
	}
	return NULL;
}

static struct gate_entrance *open_entrance(struct gate *gate,
					   struct gate_door *door)
{
	struct gate_entrance *e = calloc(1, sizeof(*e));
	int fd = door->fd[gate->worker];

	door->fd[gate->worker] = -1; /* ours now, even to be closed */
	if (fd < 0 || !e ||
	    ses_listener_adopt(&e->listener, gate->loop, fd) < 0) {
		if (fd >= 0 && !e)
			close(fd);
		free(e);
		atomic_store(&door->lost[gate->worker], true);
		return NULL;
	}
	e->gate = gate;
	e->id = door->id;
	e->inherited = door->inherited;
	e->open = true;
	e->listener.owner = e;
	e->listener.on_accept = on_accept;
	e->listener.on_short = on_short;
	e->listener.spared = GATE_SPARED;
	ses_list_init(&e->link);
	ses_list_append(&gate->entrances, &e->link);
	return e;
}

/* What a new policy may change of an entrance. */
static void renew_entrance(struct gate_entrance *e, const struct gate_door *door)
{
	struct ses_tls_context *old = e->tls;

	if (door->tls)
		ses_tls_context_ref(door->tls);
	e->tls = door->tls;
	ses_tls_context_unref(old);
	e->proxy_protocol = door->listen->proxy_protocol;
	e->tally = door->tally;
	strcpy(e->url, door->url);
}

static bool has_door(const struct gate_doors *doors, unsigned id)
{
	for (size_t i = 0; i < doors->n; i++)
		if (doors->door[i].id == id)
			return true;
	return false;
}

static void close_entrances(struct gate *gate, const struct gate_doors *but,
			    bool at_once)
{
	struct ses_list *link, *next;

	for (link = gate->entrances.next; link != &gate->entrances; link = next) {
		struct gate_entrance *e =
			ses_container_of(link, struct gate_entrance, link);

		next = link->next;
		if (!but || !has_door(but, e->id))
			close_entrance(e, at_once);
	}
}

int gate_serve(struct gate *gate, struct gate_doors *doors)
{
	struct gate_policy *old = gate->policy;
	struct ses_list *link, *next;
	int result = 0;

	close_entrances(gate, doors, false);
	for (size_t i = 0; i < doors->n; i++) {
		struct gate_door *door = &doors->door[i];
		struct gate_entrance *e = find_entrance(gate, door->id);

		if (!e)
			e = open_entrance(gate, door);
		if (e)
			renew_entrance(e, door);
		else
			result = SESAME_ESYSTEM;
	}
	gate->policy = gate_policy_ref(doors->policy);
	/* A visitor may be gone when its turn is over, but only that one. */
	for (link = gate->visits.next; link != &gate->visits; link = next) {
		next = link->next;
		gate_visit_move(link, gate->policy);
	}
	gate_policy_unref(old);
	return result;
}

/* ---- The whole ---- */

struct gate *gate_new(struct sesame_loop *loop, unsigned worker,
		      struct gate_journal *journal)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	uint8_t seed[SES_HASH_SEED];

	if (!gate)
		return NULL;
	ses_random(seed, sizeof(seed));
	gate_texts_init(&gate->texts, seed);
	gate->loop = loop;
	gate->worker = worker;
	gate->journal = journal;
	ses_list_init(&gate->entrances);
	ses_list_init(&gate->visits);
	ses_list_init(&gate->deliveries);
	return gate;
}

void gate_leave(struct gate *gate)
{
	struct ses_list *link, *next;

	gate->leaving = true;
	close_entrances(gate, NULL, false);
	for (link = gate->visits.next; link != &gate->visits; link = next) {
		next = link->next;
		gate_visit_dismiss(link);
	}
}

bool gate_is_empty(const struct gate *gate)
{
	return gate->n_visits == 0;
}

void gate_free(struct gate *gate)
{
	struct ses_list *link;

	if (!gate)
		return;
	if (gate->n_not_logged)
		gate_log("sesame: %u more refusals not shown",
			 gate->n_not_logged);
	gate->leaving = false;
	while ((link = ses_list_first(&gate->visits)))
		gate_visit_expel(link);
	gate_deliveries_end(gate);
	close_entrances(gate, NULL, true);
	gate_policy_unref(gate->policy);
	gate_passwords_free(gate->passwords);
	free(gate->spare);
	free(gate->spare_asking);
	gate_texts_fini(&gate->texts);
	free(gate);
}
