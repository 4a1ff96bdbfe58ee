/* SPDX-License-Identifier: MIT */
/* A ring under a lock that its writer only tries. */
#include "gate/recent.h"

#include <pthread.h>
#include <stdlib.h>

struct gate_recent {
	pthread_mutex_t lock;
	uint64_t n; /* that were ever put in */
	struct gate_story story[GATE_RECENT_STORIES];
};

struct gate_recent *gate_recent_new(void)
{
	struct gate_recent *r = calloc(1, sizeof(*r));

	if (r)
		pthread_mutex_init(&r->lock, NULL);
	return r;
}

void gate_recent_free(struct gate_recent *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void gate_recent_add(struct gate_recent *r, const struct gate_story *story)
{
	if (pthread_mutex_trylock(&r->lock) != 0)
		return;
	r->story[r->n++ % GATE_RECENT_STORIES] = *story;
	pthread_mutex_unlock(&r->lock);
}

size_t gate_recent_get(struct gate_recent *r, struct gate_story *to, size_t room)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n < GATE_RECENT_STORIES ? r->n : GATE_RECENT_STORIES;
	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		to[i] = r->story[(r->n - 1 - i) % GATE_RECENT_STORIES];
	pthread_mutex_unlock(&r->lock);
	return n;
}
