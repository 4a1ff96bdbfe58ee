/* SPDX-License-Identifier: MIT */
/* Without a backplane a gateway is its own cluster of one. */
#include "gate/cluster.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"
#include "gate/log.h"
#include "hub/redis.h"

#define NODE_SIZE	     GATE_NODE_SIZE
#define NOTE_NAME	     64
#define TOLD_S		     86400 /* that a refusal can be found from elsewhere */
#define TOLD_EACH_SECOND     100
#define TOLD_A_DAY	     10000
#define ASK_MS		     3000
#define REPEATED_S	     600 /* that it is known what a client was told */
#define REPEATED_EACH_SECOND 20

struct gate_cluster {
	struct hub_backplane *redis; /* NULL: it is alone */
	struct gate_enquiries enquiries;
	char node[NODE_SIZE];
	pthread_mutex_t lock; /* for what follows */
	int64_t second;
	unsigned n_told; /* in it */
	struct hub_bucket day, repeated;
	uint64_t n_untold;
};

static void log_sentence(const char *sentence)
{
	gate_log("sesame: %s", sentence);
}

/* Two on one host have to differ. */
static void name_node(struct gate_cluster *c, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char host[64] = "";
	uint8_t random[4];

	if (name) {
		snprintf(c->node, sizeof(c->node), "%s", name);
		return;
	}
	if (gethostname(host, sizeof(host) - 1) < 0 || !host[0])
		strcpy(host, "node");
	for (char *at = host; *at; at++)
		if (*at <= ' ' || *at > '~' || strchr("\"\\*#", *at))
			*at = '_';
	ses_random(random, sizeof(random));
	snprintf(c->node, sizeof(c->node), "%s-%c%c%c%c", host,
		 letters[random[0] % 32], letters[random[1] % 32],
		 letters[random[2] % 32], letters[random[3] % 32]);
}

struct gate_cluster *gate_cluster_new(const struct gate_policy *policy,
				      struct sesame_loop *loop, char *text,
				      size_t text_size)
{
	struct hub_redis_options options = {
		.url = policy->backplane,
		.ca_file = policy->backplane_ca,
		.log = log_sentence,
	};
	struct gate_cluster *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	name_node(c, policy->node);
	if (policy->backplane)
		c->redis = hub_redis_new(&options, text, text_size);
	if (policy->backplane && !c->redis) {
		free(c);
		return NULL;
	}
	gate_enquiries_init(&c->enquiries, loop, c->redis);
	return c;
}

struct hub_backplane *gate_cluster_backplane(struct gate_cluster *c)
{
	return c->redis ? c->redis : hub_memory_new();
}

void gate_cluster_free(struct gate_cluster *c)
{
	if (!c)
		return;
	gate_enquiries_fini(&c->enquiries);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- Refusals ---- */

/* Under load what is found elsewhere is less important than what is done. */
static bool may_tell(struct gate_cluster *c, int64_t now_ms)
{
	static const struct hub_rate a_day = {TOLD_A_DAY, TOLD_S * 1000};
	bool may;

	pthread_mutex_lock(&c->lock);
	if (now_ms / 1000 != c->second)
		c->n_told = 0;
	c->second = now_ms / 1000;
	may = c->n_told++ < TOLD_EACH_SECOND &&
	      hub_bucket_take(&c->day, a_day, 1, (uint64_t)now_ms, NULL);
	c->n_untold += !may;
	pthread_mutex_unlock(&c->lock);
	return may;
}

static void name_note(const char *reference, char out[NOTE_NAME])
{
	snprintf(out, NOTE_NAME, "why:%s", reference);
}

void gate_cluster_tell(struct gate_cluster *c, const struct gate_story *story)
{
	struct gate_story *named;
	char name[NOTE_NAME], *json;

	if (!c->redis || !may_tell(c, story->time_ms))
		return;
	named = malloc(sizeof(*named));
	if (!named)
		return;
	*named = *story;
	snprintf(named->node, sizeof(named->node), "%s", c->node);
	json = gate_story_json(named, false);
	name_note(story->reference, name);
	if (json)
		hub_redis_note(c->redis, name, bytes_of_str(json), TOLD_S);
	free(json);
	free(named);
}

static bool may_repeat(struct gate_cluster *c, uint64_t now_ms)
{
	static const struct hub_rate a_second = {REPEATED_EACH_SECOND, 1000};
	bool may;

	pthread_mutex_lock(&c->lock);
	may = hub_bucket_take(&c->repeated, a_second, 1, now_ms, NULL);
	pthread_mutex_unlock(&c->lock);
	return may;
}

static void name_repeated(const char *name, char out[NOTE_NAME])
{
	snprintf(out, NOTE_NAME, "told:%s", name);
}

void gate_cluster_repeat(struct gate_cluster *c, const char *name,
			 struct bytes json, uint64_t now_ms)
{
	char note[NOTE_NAME];

	if (!c->redis || !may_repeat(c, now_ms))
		return;
	name_repeated(name, note);
	hub_redis_note(c->redis, note, json, REPEATED_S);
}

struct found {
	const char *reference;
	struct gate_story *story;
	bool is;
};

static void on_found(void *user, const char *name, struct bytes text)
{
	struct found *f = user;

	/* Anybody may have written it, under any name. */
	f->is = f->is || (gate_story_read(text, f->story) &&
			  strcmp(f->story->reference, f->reference) == 0);
}

int gate_cluster_find(const struct gate_policy *policy, const char *reference,
		      struct gate_story *story, char *text, size_t text_size)
{
	struct hub_redis_options options = {
		.url = policy->backplane,
		.ca_file = policy->backplane_ca,
	};
	struct found found = {.reference = reference, .story = story};
	char name[NOTE_NAME];

	if (!policy->backplane)
		return 0;
	name_note(reference, name);
	if (hub_redis_ask(&options, name, ASK_MS, on_found, &found, text,
			  text_size) < 0)
		return -1;
	return found.is;
}

/* ---- From the loop ---- */

struct gate_enquiry *gate_cluster_ask(struct gate_cluster *c, const char *name,
				      gate_enquiry_done done, void *user)
{
	return c->redis ? gate_enquire(&c->enquiries, name, done, user) : NULL;
}

struct gate_enquiry *gate_cluster_ask_why(struct gate_cluster *c,
					  const char *reference,
					  gate_enquiry_done done, void *user)
{
	char name[NOTE_NAME];

	name_note(reference, name);
	return gate_cluster_ask(c, name, done, user);
}

void gate_cluster_enquiries(const struct gate_cluster *c,
			    struct sesame_loop *loop,
			    struct gate_enquiries *ret_enquiries)
{
	gate_enquiries_init(ret_enquiries, loop, c->redis);
}

struct gate_enquiry *gate_cluster_ask_told(struct gate_enquiries *enquiries,
					   const char *name,
					   gate_enquiry_done done, void *user)
{
	char note[NOTE_NAME];

	if (!enquiries->redis)
		return NULL;
	name_repeated(name, note);
	return gate_enquire(enquiries, note, done, user);
}

bool gate_cluster_hear_why(struct gate_cluster *c, const struct gate_note *said,
			   const char *reference, struct gate_story *story)
{
	if (gate_story_read(said->text, story) &&
	    strcmp(story->reference, reference) == 0)
		return true;
	gate_cluster_blame(c, said);
	return false;
}

void gate_cluster_note(struct gate_cluster *c, const char *what,
		       struct bytes text, unsigned ttl_s)
{
	struct hub_redis_figures f;
	char name[NOTE_NAME];

	if (!gate_cluster_count(c, &f))
		return;
	snprintf(name, sizeof(name), "%s:%s", what, f.node);
	hub_redis_note(c->redis, name, text, ttl_s);
}

void gate_cluster_blame(struct gate_cluster *c, const struct gate_note *said)
{
	hub_redis_blame(c->redis, said->name);
}

const char *gate_cluster_node(const struct gate_cluster *c)
{
	return c->node;
}

bool gate_cluster_count(const struct gate_cluster *c,
			struct hub_redis_figures *ret_figures)
{
	if (c->redis)
		hub_redis_count(c->redis, ret_figures);
	return c->redis != NULL;
}

uint64_t gate_cluster_untold(struct gate_cluster *c)
{
	struct hub_redis_figures f = {.notes_lost = 0};
	uint64_t n;

	gate_cluster_count(c, &f);
	pthread_mutex_lock(&c->lock);
	n = c->n_untold + f.notes_lost;
	pthread_mutex_unlock(&c->lock);
	return n;
}
