/* SPDX-License-Identifier: MIT */
/*
 * Programs that publish by POST, each a thread: one message or a few, with an
 * Idempotency-Key, again and again at any node until it is accepted.
 */
#include "cluster/crowd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/posts.h"

#define MOST	     10 /* messages of one POST */
#define ANSWER_S     8
#define FIRST_NUMBER 1000000u /* posters are publishers behind all members */

struct crowd_poster {
	struct crowd *crowd;
	pthread_t thread;
	uint32_t number, posts;
	uint64_t seed;
};

/* What is posted, until it is accepted. */
struct post {
	unsigned channel, n;
	uint32_t place[MOST];
	char path[32], key[64], body[MOST * 260];
};

static void write_post(struct crowd_poster *p, unsigned channel, unsigned n,
		       struct post *ret_post)
{
	char payload[256], *out = ret_post->body;

	ret_post->channel = channel;
	ret_post->n = n;
	crowd_path(channel, ret_post->path);
	snprintf(ret_post->key, sizeof(ret_post->key), "k%u-%u-%u",
		 p->crowd->seed, p->number, p->posts++);
	pthread_mutex_lock(&p->crowd->lock);
	for (unsigned i = 0; i < n; i++)
		ret_post->place[i] =
			ledger_say(p->crowd->ledger, channel, p->number, 0);
	pthread_mutex_unlock(&p->crowd->lock);
	for (unsigned i = 0; i < n; i++) {
		crowd_payload(payload, sizeof(payload), channel,
			      ret_post->place[i]);
		out += sprintf(out, n > 1 ? "%s\"%s\"" : "%s%s",
			       n == 1 ? ""
			       : i    ? ","
				      : "[",
			       payload);
	}
	if (n > 1)
		strcpy(out, "]");
}

/* False: it is to be tried again. */
static bool note_answer(struct crowd *crowd, const struct post *post,
			int status, const char *body)
{
	const char *id_text = strstr(body, "\"id\": \"");
	struct ledger_id id;
	char text[300];

	if (status == 202 && id_text && ledger_read_id(id_text + 7, &id)) {
		for (unsigned i = 0; i < post->n; i++, id.seq++)
			ledger_ack(crowd->ledger, post->channel, post->place[i],
				   &id);
		return true;
	}
	crowd->figures.retries++;
	if (status == 0 || status == 503 || status == 429)
		return false;
	snprintf(text, sizeof(text), "%d to a POST: %.200s", status, body);
	ledger_complain(crowd->ledger, LEDGER_ANSWER, post->channel, text);
	return false;
}

static void post_until_accepted(struct crowd_poster *p, const struct post *post)
{
	struct crowd *crowd = p->crowd;
	struct posts_request request = {
		.path = post->path,
		.token = crowd->token,
		.key = post->key,
		.body = post->body,
		.batch = post->n > 1,
	};
	bool done = false;

	while (!done) {
		unsigned node = crowd_random(&p->seed, crowd->n_nodes);
		char body[1024] = "";
		int status;

		/* Some go before they know, and come again. */
		request.seconds = crowd_random(&p->seed, 8) ? ANSWER_S : 0;
		request.to = crowd->nodes[node].addr;
		status = posts_send(&request, body, sizeof(body));
		pthread_mutex_lock(&crowd->lock);
		done = note_answer(crowd, post, status, body);
		pthread_mutex_unlock(&crowd->lock);
		if (!done)
			usleep(50000 + crowd_random(&p->seed, 250000));
	}
}

static void *be_poster(void *user)
{
	struct crowd_poster *p = user;
	struct crowd *crowd = p->crowd;
	uint32_t pause_us =
		crowd->post_rate ? 2000000 / crowd->post_rate * crowd->n_posters
				 : 1000000;

	while (!atomic_load(&crowd->ending)) {
		unsigned n = crowd_random(&p->seed, 2)
				     ? 1
				     : 2 + crowd_random(&p->seed, MOST - 1);
		struct post post;

		write_post(p, crowd_random(&p->seed, crowd->n_channels), n,
			   &post);
		post_until_accepted(p, &post);
		usleep(crowd_random(&p->seed, pause_us));
	}
	atomic_fetch_sub(&crowd->n_posting, 1);
	return NULL;
}

void crowd_posters_start(struct crowd *crowd)
{
	crowd->posters = calloc(crowd->n_posters, sizeof(struct crowd_poster));
	assert(crowd->posters || !crowd->n_posters);
	atomic_store(&crowd->n_posting, crowd->n_posters);
	for (unsigned i = 0; i < crowd->n_posters; i++) {
		struct crowd_poster *p = &crowd->posters[i];

		p->crowd = crowd;
		p->number = FIRST_NUMBER + i;
		p->seed = crowd->seed * 7000003ull + i + 1;
		if (pthread_create(&p->thread, NULL, be_poster, p))
			abort();
	}
}

void crowd_posters_join(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_posters; i++)
		pthread_join(crowd->posters[i].thread, NULL);
	free(crowd->posters);
}

uint32_t crowd_post_last(struct crowd *crowd, unsigned channel)
{
	struct crowd_poster last = {
		.crowd = crowd,
		.number = 2 * FIRST_NUMBER,
		.posts = channel,
		.seed = crowd->seed,
	};
	struct post post;

	write_post(&last, channel, 1, &post);
	post_until_accepted(&last, &post);
	return post.place[0];
}
