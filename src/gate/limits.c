/* SPDX-License-Identifier: MIT */
/*
 * A table in shards, each with its lock, so that workers seldom meet. A key is
 * 128 bits of keyed hash of what is counted; nobody who does not know the seed
 * can make two of them meet. Rates are token buckets in whole numbers: a
 * bucket holds credit in parts of a token, one token being period_ms parts, and
 * every millisecond adds `most` parts, so nothing is ever rounded.
 */
#include "gate/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/moment.h"

#define SHARDS 16 /* a power of two */
#define NOBODY UINT32_MAX

struct entry {
	uint64_t key[2];
	uint64_t credit; /* of a rate: parts of tokens, at */
	uint64_t at_ms;
	uint32_t live;	       /* connections; those are in no list of age */
	uint32_t next;	       /* of the same bucket */
	uint32_t newer, older; /* by last use */
};

_Static_assert(sizeof(struct entry) == 48, "limits.h tells how many");

struct shard {
	pthread_mutex_t lock;
	struct entry *entry;
	uint32_t *bucket; /* the first entry of each */
	uint32_t room, used, mask;
	uint32_t newest, oldest;
	uint32_t n_live;
} __attribute__((aligned(64)));

struct gate_limiter {
	struct shard shard[SHARDS];
	struct ses_hash begin[2];
};

/* ---- Keys ---- */

/* What is counted, as text for the hash. */
static struct bytes name_of(const struct gate_limit *limit,
			    const struct gate_limit_who *who)
{
	struct gate_network four = {{{[10] = 0xff, [11] = 0xff}}, 96};

	if (limit->by == GATE_BY_ROUTE)
		return bytes_of("", 0);
	if (limit->by & (GATE_BY_SUBJECT | GATE_BY_PUBLISHER))
		return who->subject;
	if (!who->address)
		return bytes_of(NULL, 0);
	return bytes_of(who->address->bytes,
			gate_network_has(&four, who->address) ? 16 : 8);
}

/* Credit is in parts of a period, so with another one a count is another. */
static void make_key(const struct gate_limiter *l,
		     const struct gate_limit *limit, struct bytes name,
		     uint64_t ret_key[2])
{
	struct bytes scope = bytes_of_str(limit->scope);

	for (int i = 0; i < 2; i++) {
		struct ses_hash h = l->begin[i];

		ses_hash_byte(&h, (uint8_t)limit->kind);
		ses_hash_byte(&h, (uint8_t)limit->by);
		for (unsigned bit = 0; bit < 64; bit += 8)
			ses_hash_byte(&h, (uint8_t)(limit->period_ms >> bit));
		ses_hash_bytes(&h, scope);
		ses_hash_byte(&h, 0); /* no scope has one */
		ses_hash_bytes(&h, name);
		ret_key[i] = ses_hash_end(&h);
	}
}

static struct shard *shard_of(struct gate_limiter *l, const uint64_t key[2])
{
	return &l->shard[key[0] >> 32 & (SHARDS - 1)];
}

/* ---- Age: who goes first ---- */

static void forget_age(struct shard *s, uint32_t i)
{
	struct entry *e = &s->entry[i];

	if (e->newer != NOBODY)
		s->entry[e->newer].older = e->older;
	else
		s->newest = e->older;
	if (e->older != NOBODY)
		s->entry[e->older].newer = e->newer;
	else
		s->oldest = e->newer;
}

static void make_newest(struct shard *s, uint32_t i)
{
	struct entry *e = &s->entry[i];

	e->newer = NOBODY;
	e->older = s->newest;
	if (s->newest != NOBODY)
		s->entry[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

/* An entry that says nothing any more is the first to go. */
static void make_oldest(struct shard *s, uint32_t i)
{
	struct entry *e = &s->entry[i];

	e->older = NOBODY;
	e->newer = s->oldest;
	if (s->oldest != NOBODY)
		s->entry[s->oldest].older = i;
	else
		s->newest = i;
	s->oldest = i;
}

/* ---- Entries ---- */

static uint32_t *bucket_of(struct shard *s, const uint64_t key[2])
{
	return &s->bucket[(uint32_t)key[0] & s->mask];
}

static uint32_t find(struct shard *s, const uint64_t key[2])
{
	uint32_t i = *bucket_of(s, key);

	while (i != NOBODY &&
	       (s->entry[i].key[0] != key[0] || s->entry[i].key[1] != key[1]))
		i = s->entry[i].next;
	return i;
}

static void unchain(struct shard *s, uint32_t i)
{
	uint32_t *link = bucket_of(s, s->entry[i].key);

	while (*link != i)
		link = &s->entry[*link].next;
	*link = s->entry[i].next;
}

/* A place for a new key: one never used, or the oldest one's. */
static uint32_t make_room(struct shard *s)
{
	uint32_t i = s->oldest;

	if (s->used < s->room)
		return s->used++;
	if (i != NOBODY) {
		forget_age(s, i);
		unchain(s, i);
	}
	return i;
}

/* The entry of @key, new ones with @credit; NOBODY: there is no room. */
static uint32_t find_or_make(struct shard *s, const uint64_t key[2],
			     uint64_t credit, uint64_t now_ms)
{
	uint32_t i = find(s, key), *bucket = bucket_of(s, key);

	if (i != NOBODY)
		return i;
	i = make_room(s);
	if (i == NOBODY)
		return NOBODY;
	s->entry[i] = (struct entry){{key[0], key[1]}, credit, now_ms, 0,
				     *bucket,	       NOBODY, NOBODY};
	*bucket = i;
	make_newest(s, i);
	return i;
}

/* ---- One limit ---- */

/* Add what came in since; credit is never more than the whole of @limit. */
static void refill(struct entry *e, const struct gate_limit *limit,
		   uint64_t now_ms)
{
	uint64_t full = limit->most * limit->period_ms, passed;

	/* Workers read the clock in turn; it does not run backwards here. */
	passed = now_ms > e->at_ms ? now_ms - e->at_ms : 0;
	if (passed > limit->period_ms)
		passed = limit->period_ms;
	if (e->credit > full)
		e->credit = full;
	e->credit += passed * limit->most;
	if (e->credit > full)
		e->credit = full;
	if (now_ms > e->at_ms)
		e->at_ms = now_ms;
}

static uint64_t wait_for_token(const struct entry *e,
			       const struct gate_limit *limit)
{
	uint64_t missing = limit->period_ms - e->credit;

	return (missing + limit->most - 1) / limit->most;
}

/* One token, if there is one. @charge: and take it. */
static enum gate_limit_answer use_rate(struct shard *s,
				       const struct gate_limit *limit,
				       const uint64_t key[2], uint64_t now_ms,
				       bool charge, uint64_t *ret_wait_ms)
{
	uint64_t full = limit->most * limit->period_ms;
	uint32_t i = charge ? find_or_make(s, key, full, now_ms) : find(s, key);
	struct entry *e;

	if (i == NOBODY)
		return charge ? GATE_LIMIT_FULL : GATE_LIMIT_PASSED;
	e = &s->entry[i];
	refill(e, limit, now_ms);
	forget_age(s, i);
	make_newest(s, i);
	if (e->credit < limit->period_ms) {
		*ret_wait_ms = wait_for_token(e, limit);
		return GATE_LIMIT_HIT;
	}
	if (charge)
		e->credit -= limit->period_ms;
	return GATE_LIMIT_PASSED;
}

static enum gate_limit_answer enter(struct shard *s,
				    const struct gate_limit *limit,
				    const uint64_t key[2], uint64_t *ret_open)
{
	uint32_t i = find_or_make(s, key, 0, 0);

	if (i == NOBODY)
		return GATE_LIMIT_FULL;
	*ret_open = s->entry[i].live;
	if (s->entry[i].live >= limit->most)
		return GATE_LIMIT_HIT;
	if (s->entry[i].live++ == 0) {
		forget_age(s, i);
		s->n_live++;
	}
	return GATE_LIMIT_PASSED;
}

static void leave(struct shard *s, const uint64_t key[2])
{
	uint32_t i = find(s, key);

	if (i == NOBODY || s->entry[i].live == 0)
		return;
	if (--s->entry[i].live == 0) {
		s->n_live--;
		make_oldest(s, i);
	}
}

static enum gate_limit_answer pass_one(struct gate_limiter *l,
				       const struct gate_limit *limit,
				       const uint64_t key[2], uint64_t now_ms,
				       struct gate_limit_hit *hit)
{
	struct shard *s = shard_of(l, key);
	enum gate_limit_answer answer;

	*hit = (struct gate_limit_hit){.limit = limit};
	pthread_mutex_lock(&s->lock);
	answer = limit->kind == GATE_LIMIT_CONNECTIONS
			 ? enter(s, limit, key, &hit->open)
			 : use_rate(s, limit, key, now_ms,
				    limit->kind == GATE_LIMIT_RATE,
				    &hit->wait_ms);
	pthread_mutex_unlock(&s->lock);
	return answer;
}

/* ---- All limits ---- */

static void give_back(struct gate_limiter *l, const uint64_t key[2])
{
	struct shard *s = shard_of(l, key);

	pthread_mutex_lock(&s->lock);
	leave(s, key);
	pthread_mutex_unlock(&s->lock);
}

/* A token that was taken for nothing. */
static void refund(struct gate_limiter *l, const struct gate_limit *limit,
		   const uint64_t key[2])
{
	struct shard *s = shard_of(l, key);
	uint32_t i;

	pthread_mutex_lock(&s->lock);
	i = find(s, key);
	if (i != NOBODY)
		s->entry[i].credit += limit->period_ms;
	pthread_mutex_unlock(&s->lock);
}

static bool counts(const struct gate_limit *limit, unsigned by,
		   const struct gate_limit_who *who)
{
	return (limit->by & by) && name_of(limit, who).data;
}

/* Undo what the first @n limits counted, and drop their holds. */
static void undo(struct gate_limiter *l, const struct gate_limit *limits,
		 size_t n, unsigned by, const struct gate_limit_who *who,
		 struct gate_limit_holds *holds, size_t held_before)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t key[2];

		if (limits[i].kind != GATE_LIMIT_RATE ||
		    !counts(&limits[i], by, who))
			continue;
		make_key(l, &limits[i], name_of(&limits[i], who), key);
		refund(l, &limits[i], key);
	}
	while (holds->n > held_before)
		give_back(l, holds->key[--holds->n]);
}

enum gate_limit_answer
gate_limiter_pass(struct gate_limiter *l, const struct gate_limit *limits,
		  size_t n, unsigned by, const struct gate_limit_who *who,
		  uint64_t now_ms, struct gate_limit_holds *holds,
		  struct gate_limit_hit *ret_hit)
{
	size_t held_before = holds->n;

	for (size_t i = 0; i < n; i++) {
		bool opens = limits[i].kind == GATE_LIMIT_CONNECTIONS;
		struct gate_limit_hit hit = {.limit = &limits[i]};
		enum gate_limit_answer answer;
		uint64_t key[2];

		if (!counts(&limits[i], by, who))
			continue;
		make_key(l, &limits[i], name_of(&limits[i], who), key);
		answer = opens && holds->n == GATE_MAX_LIMITS
				 ? GATE_LIMIT_FULL
				 : pass_one(l, &limits[i], key, now_ms, &hit);
		if (answer != GATE_LIMIT_PASSED) {
			*ret_hit = hit;
			undo(l, limits, i, by, who, holds, held_before);
			return answer;
		}
		if (opens) {
			memcpy(holds->key[holds->n], key, sizeof(key));
			holds->n++;
		}
	}
	return GATE_LIMIT_PASSED;
}

/* The key of a limit of failures that holds for @who; false: it does not. */
static bool failure_key(const struct gate_limiter *l,
			const struct gate_limit *limit,
			const struct gate_limit_who *who, uint64_t key[2])
{
	if (limit->kind != GATE_LIMIT_FAILURES || !counts(limit, limit->by, who))
		return false;
	make_key(l, limit, name_of(limit, who), key);
	return true;
}

enum gate_limit_answer
gate_limiter_fail(struct gate_limiter *l, const struct gate_limit *limits,
		  size_t n, const struct gate_limit_who *who, uint64_t now_ms,
		  struct gate_limit_hit *ret_hit)
{
	for (size_t i = 0; i < n; i++) {
		enum gate_limit_answer answer;
		uint64_t key[2], wait_ms = 0;
		struct shard *s;

		if (!failure_key(l, &limits[i], who, key))
			continue;
		s = shard_of(l, key);
		pthread_mutex_lock(&s->lock);
		answer = use_rate(s, &limits[i], key, now_ms, true, &wait_ms);
		pthread_mutex_unlock(&s->lock);
		if (answer == GATE_LIMIT_PASSED)
			continue;
		if (ret_hit)
			*ret_hit = (struct gate_limit_hit){.limit = &limits[i],
							   .wait_ms = wait_ms};
		gate_limiter_forgive(l, limits, i, who);
		return answer;
	}
	return GATE_LIMIT_PASSED;
}

void gate_limiter_forgive(struct gate_limiter *l,
			  const struct gate_limit *limits, size_t n,
			  const struct gate_limit_who *who)
{
	uint64_t key[2];

	for (size_t i = 0; i < n; i++)
		if (failure_key(l, &limits[i], who, key))
			refund(l, &limits[i], key);
}

void gate_limiter_leave(struct gate_limiter *l, struct gate_limit_holds *holds)
{
	while (holds->n)
		give_back(l, holds->key[--holds->n]);
}

/* ---- The table ---- */

static bool open_shard(struct shard *s, size_t room)
{
	size_t buckets = 1;

	while (buckets < room)
		buckets *= 2;
	s->entry = malloc(room * sizeof(*s->entry));
	s->bucket = malloc(buckets * sizeof(*s->bucket));
	if (!s->entry || !s->bucket)
		return false;
	for (size_t i = 0; i < buckets; i++)
		s->bucket[i] = NOBODY;
	s->room = (uint32_t)room;
	s->mask = (uint32_t)(buckets - 1);
	s->newest = s->oldest = NOBODY;
	return true;
}

struct gate_limiter *gate_limiter_new(size_t keys,
				      const uint8_t seed[SES_HASH_SEED])
{
	struct gate_limiter *l = aligned_alloc(64, sizeof(*l));
	uint8_t other[SES_HASH_SEED];
	size_t each = (keys + SHARDS - 1) / SHARDS;
	bool good = each > 0 && each < NOBODY / 2;

	if (!l)
		return NULL;
	memset(l, 0, sizeof(*l));
	for (int i = 0; i < SES_HASH_SEED; i++)
		other[i] = seed[i] ^ 0xff;
	ses_hash_init(&l->begin[0], seed);
	ses_hash_init(&l->begin[1], other);
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&l->shard[i].lock, NULL);
	for (int i = 0; good && i < SHARDS; i++)
		good = open_shard(&l->shard[i], each);
	if (!good) {
		gate_limiter_free(l);
		l = NULL;
	}
	return l;
}

void gate_limiter_free(struct gate_limiter *l)
{
	if (!l)
		return;
	for (int i = 0; i < SHARDS; i++) {
		free(l->shard[i].entry);
		free(l->shard[i].bucket);
		pthread_mutex_destroy(&l->shard[i].lock);
	}
	free(l);
}

void gate_limiter_count(struct gate_limiter *l, size_t *ret_keys,
			size_t *ret_live)
{
	size_t keys = 0, live = 0;

	for (int i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&l->shard[i].lock);
		keys += l->shard[i].used;
		live += l->shard[i].n_live;
		pthread_mutex_unlock(&l->shard[i].lock);
	}
	*ret_keys = keys;
	*ret_live = live;
}

/* ---- For people ---- */

static const char *noun_of(enum gate_limit_kind kind)
{
	return kind == GATE_LIMIT_FAILURES ? " failures" : "";
}

void gate_limit_hit_tell(const struct gate_limit_hit *hit, struct bytes who,
			 int64_t now_s, struct gate_compared *ret)
{
	const struct gate_limit *limit = hit->limit;
	char shown[100], moment[GATE_MOMENT_TEXT];

	if (limit->by == GATE_BY_ROUTE)
		who = BYTES("all clients together");
	else if (!who.len)
		who = BYTES("who has no name");
	bytes_printable(who, shown, sizeof(shown));
	if (limit->kind == GATE_LIMIT_CONNECTIONS) {
		snprintf(ret->value, sizeof(ret->value), "%s: %llu open", shown,
			 (unsigned long long)hit->open);
		snprintf(ret->nearest, sizeof(ret->nearest),
			 "%llu open, when one of them leaves",
			 (unsigned long long)(limit->most - 1));
		return;
	}
	snprintf(ret->value, sizeof(ret->value), "%s: none left of %llu%s",
		 shown, (unsigned long long)limit->most, noun_of(limit->kind));
	snprintf(ret->nearest, sizeof(ret->nearest),
		 "one more, from %s on (%llu s later)",
		 gate_moment(now_s + (int64_t)gate_retry_after_s(hit), moment),
		 (unsigned long long)gate_retry_after_s(hit));
}
