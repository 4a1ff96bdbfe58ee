/* SPDX-License-Identifier: MIT */
/*
 * What is published: it waits in a queue, flies to Redis, and is answered. What
 * was flying when the connection broke is sent again to the same server, which
 * knows by its counter whether it had come. A server that was restarted, or is
 * another one, may have forgotten that: it is only asked whether it knows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/redis_inner.h"
#include "wire/digest.h"

#define DIGEST_LEN 32 /* of the hexadecimal digits of a digest */
/* Redis performs nothing later than this, so that what is refused is. */
#define PERFORM_MS (HUB_REDIS_WAIT_MS - 500)
#define SEEN_MS	   1000 /* for what is published to be told here, too */

static struct redis_post *of(struct ses_list *link)
{
	return ses_container_of(link, struct redis_post, order.link);
}

/* ---- Answers ---- */

static void settle(struct redis *r, struct redis_post *post,
		   enum hub_verdict verdict, const struct hub_epoch *epoch,
		   uint64_t seq)
{
	struct hub *hub = r->base.hub;

	if (!post->receipt.repeated)
		post->receipt.n = post->n;
	post->receipt.seq = verdict == HUB_OK ? seq : 0;
	if (epoch)
		post->receipt.epoch = *epoch;
	pthread_mutex_lock(&r->lock);
	if (verdict != HUB_OK)
		r->figures.refused += post->n;
	else if (post->receipt.repeated)
		r->figures.repeated += post->n;
	else
		r->figures.published += post->n;
	r->figures.waiting_bytes -= post->bytes;
	pthread_mutex_unlock(&r->lock);
	atomic_fetch_sub(&hub->on_way, post->bytes);
	if (post->ticket)
		hub_answer(post->ticket, verdict, &post->receipt);
	redis_free_order(&post->order);
}

/* Its posts, which have numbers one after the other. */
static void land(struct redis_flight *f, enum hub_verdict verdict,
		 const struct hub_epoch *epoch, uint64_t seq)
{
	struct redis *r = f->redis;
	struct redis_post *post = f->posts, *next;

	f->posts = NULL;
	r->flying_bytes -= f->bytes;
	for (; post; post = next) {
		size_t n = post->n;

		next = post->next;
		settle(r, post, verdict, epoch, seq);
		seq += seq ? n : 0;
	}
	while (r->answered < r->counter &&
	       !r->flight[(r->answered + 1) % REDIS_FLIGHTS].posts)
		r->answered++;
	hub_tell_waiting(r->base.hub);
}

static bool read_epoch(const struct redis_reply *reply, struct hub_epoch *ret)
{
	char id[HUB_EPOCH_LEN + 3] = "";
	struct hub_id read;

	if (reply->sort != REDIS_TEXT || reply->text.len != HUB_EPOCH_LEN)
		return false;
	memcpy(id, reply->text.data, HUB_EPOCH_LEN);
	memcpy(id + HUB_EPOCH_LEN, "-0", 2);
	if (!hub_id_read(bytes_of_str(id), &read))
		return false;
	*ret = read.epoch;
	return true;
}

void redis_refused(struct redis *r, const char *what,
		   const struct redis_reply *reply)
{
	char words[100];

	bytes_printable(reply->text, words, sizeof(words));
	pthread_mutex_lock(&r->lock);
	snprintf(r->figures.refuses, sizeof(r->figures.refuses),
		 "it refuses %s: %s", what, words);
	r->figures.refuses_ms = r->loop->now_ms;
	r->figures.full = redis_reply_is_full(reply);
	pthread_mutex_unlock(&r->lock);
	if (r->loop->now_ms < r->malformed_ms + 1000 && r->malformed_ms)
		return;
	r->malformed_ms = r->loop->now_ms;
	redis_say(r, "the backplane %s refuses %s: %s", r->address, what, words);
}

static enum hub_verdict verdict_of_error(const struct redis_flight *f,
					 const struct redis_reply *reply)
{
	if (f->again)
		return HUB_UNKNOWN;
	return redis_reply_is_full(reply) ? HUB_STORE_FULL : HUB_UNAVAILABLE;
}

/* An error of the server's: it was not performed. */
static void land_refused(struct redis_flight *f, const struct redis_reply *reply)
{
	struct redis *r = f->redis;
	bool lacks = bytes_starts(reply->text, BYTES("NOSCRIPT"));

	if (lacks) { /* its scripts were flushed: they are loaded again */
		redis_lose(r, "it has forgotten its scripts");
		return;
	}
	redis_refused(r, "what is published", reply);
	land(f, verdict_of_error(f, reply), NULL, 0);
	if (bytes_starts(reply->text, BYTES("READONLY")) ||
	    bytes_starts(reply->text, BYTES("LOADING")))
		redis_lose(r, "it takes no writes for now");
}

/* Whether what it publishes is told here, too. */
static bool will_be_seen(const struct redis_flight *f)
{
	const struct redis_channel *c =
		redis_channel_find(f->redis, f->posts->order.tag);

	return c && !c->closed && c->tuned && !f->whole;
}

/* Who is told of it finds it in the channel. */
static void land_published(struct redis_flight *f, bool again,
			   const struct hub_epoch *epoch, uint64_t seq,
			   uint64_t n)
{
	if (again) {
		f->posts->receipt.repeated = true;
		f->posts->receipt.n = (size_t)n;
	}
	if (again || !will_be_seen(f)) {
		land(f, HUB_OK, epoch, seq);
		return;
	}
	f->answered = true;
	f->answered_ms = f->redis->loop->now_ms;
	f->epoch = *epoch;
	f->seq = seq;
}

static enum hub_verdict verdict_of(const struct redis_flight *f,
				   const struct redis_reply *word)
{
	if (redis_reply_is(word, "full"))
		return HUB_STATE_FULL;
	if (redis_reply_is(word, "channels"))
		return HUB_CHANNELS_FULL;
	if (redis_reply_is(word, "other"))
		return HUB_OTHER_BODY;
	if (redis_reply_is(word, "late") && !f->unsure)
		return HUB_UNAVAILABLE;
	return HUB_UNKNOWN;
}

static void on_published(void *arg, const struct redis_reply *reply)
{
	struct redis_flight *f = arg;
	struct hub_epoch epoch;
	uint64_t seq, n;

	if (!reply || !f->posts)
		return; /* it is tried again, or refused */
	f->redis->command_heard_ms = f->redis->loop->now_ms;
	redis_told_beside(f->redis, reply, f->posts->order.tag);
	if (reply->sort == REDIS_ERROR)
		land_refused(f, reply);
	else if (reply->sort != REDIS_LIST || !reply->n)
		land(f, HUB_UNKNOWN, NULL, 0);
	else if (reply->n >= 4 && read_epoch(reply->part[1], &epoch) &&
		 bytes_to_u64(reply->part[2]->text, REDIS_SEQ_MAX, &seq) &&
		 bytes_to_u64(reply->part[3]->text, UINT32_MAX, &n))
		land_published(f, redis_reply_is(reply->part[0], "again"),
			       &epoch, seq, n);
	else
		land(f, verdict_of(f, reply->part[0]), NULL, 0);
	if (f->redis->up)
		redis_post_send(f->redis);
}

/* ---- Taking off ---- */

/* Nodes have no secret in common, and so it is a digest without one. */
static void digest_of(struct bytes in, char out[DIGEST_LEN + 1])
{
	uint8_t sum[SES_SHA256_LEN] = {0};

	ses_sha256(in, sum);
	for (size_t i = 0; i < DIGEST_LEN / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void digest_of_post(const struct redis_post *post,
			   char out[DIGEST_LEN + 1])
{
	struct ses_buf all;

	ses_buf_init(&all, HUB_FULL_BYTES);
	for (size_t i = 0; i < post->n; i++) {
		char one[DIGEST_LEN + 1];

		digest_of(hub_message_payload(post->message[i]), one);
		ses_buf_append_str(&all, one);
	}
	digest_of(ses_buf_bytes(&all), out);
	ses_buf_fini(&all);
}

static void write_message(struct redis_flight *f, size_t place,
			  const struct hub_message *m)
{
	struct redis_link *l = &f->redis->command;
	struct bytes payload = hub_message_payload(m);
	char tail[REDIS_TAIL_SIZE];
	size_t len =
		redis_entry_write(f->redis->node, f->counter, place, m, tail);

	redis_link_word(l, hub_message_key(m));
	redis_link_str(l, m->gone ? "1" : "0");
	redis_link_long_word(l, len + m->from_len + m->key_len + payload.len);
	redis_link_part(l, bytes_of(tail, len));
	redis_link_part(l, bytes_of(m->text, (size_t)m->from_len + m->key_len));
	redis_link_part(l, payload);
	redis_link_long_end(l);
}

static void write_args(struct redis_flight *f)
{
	struct redis *r = f->redis;
	struct redis_link *l = &r->command;
	const struct redis_order *o = &f->posts->order;
	char key[DIGEST_LEN + 1] = "", digest[DIGEST_LEN + 1] = "";
	struct hub_id known = redis_known(r, o->tag);

	redis_script_args(r, &o->bounds, o->states,
			  o->tag.len - strlen(o->space->name) - 1);
	redis_topic(r, l, "c", o->tag);
	redis_link_str(l, r->node);
	redis_link_u64(l, f->counter);
	redis_link_u64(l, f->unsure ? 0 /* it is only asked for */
				    : (uint64_t)((int64_t)f->posts->at_ms +
						 PERFORM_MS + r->ahead_ms));
	redis_link_u64(l, o->bounds.most);
	redis_link_u64(l, o->bounds.most_bytes);
	if (o->text.data) {
		digest_of(o->text, key);
		digest_of_post(f->posts, digest);
	}
	redis_link_str(l, key);
	redis_link_str(l, digest);
	redis_link_u64(l, r->answered);
	redis_link_str(l, f->again ? "1" : "0");
	redis_link_str(l, known.epoch.text);
	redis_link_u64(l, known.seq);
}

static void write_keys(struct redis_flight *f)
{
	const struct redis_order *o = &f->posts->order;
	struct redis *r = f->redis;

	redis_script_keys(r, o->tag, o->states);
	redis_key(r, o->tag, "c");
	redis_key(r, o->tag, "i");
	redis_key(r, o->tag, "j");
}

static bool fly(struct redis_flight *f)
{
	struct redis *r = f->redis;
	size_t place = 0;

	redis_script_begin(r, REDIS_PUBLISH, 7, 19 + 3 * f->n);
	write_keys(f);
	write_args(f);
	for (struct redis_post *p = f->posts; p; p = p->next)
		for (size_t i = 0; i < p->n; i++)
			write_message(f, place++, p->message[i]);
	return redis_link_end(&r->command, on_published, f);
}

/* Whether @post may go with those of @f. */
static bool goes_with(const struct redis_flight *f,
		      const struct redis_post *post)
{
	const struct redis_order *o = &post->order, *first = &f->posts->order;

	return !o->states && !o->text.data && !first->text.data &&
	       o->space == first->space && bytes_equal(o->tag, first->tag) &&
	       f->n + post->n <= REDIS_BATCH &&
	       f->bytes + post->bytes <= REDIS_BATCH_BYTES;
}

static void board(struct redis_flight *f, struct redis_post **end,
		  struct redis_post *post)
{
	ses_list_remove(&post->order.link);
	post->next = NULL;
	*end = post;
	f->n += post->n;
	f->bytes += post->bytes;
}

static void take_off(struct redis *r)
{
	struct redis_flight *f = &r->flight[(r->counter + 1) % REDIS_FLIGHTS];
	struct redis_post *last = of(ses_list_first(&r->posts));
	struct ses_list *link;

	*f = (struct redis_flight){.redis = r, .counter = ++r->counter};
	board(f, &f->posts, last);
	while ((link = ses_list_first(&r->posts)) && goes_with(f, of(link))) {
		board(f, &last->next, of(link));
		last = last->next;
	}
	r->flying_bytes += f->bytes;
	if (!fly(f))
		land(f, HUB_BUSY, NULL, 0);
}

void redis_post_send(struct redis *r)
{
	while (r->up && !ses_list_empty(&r->posts) &&
	       r->counter - r->answered < REDIS_FLIGHTS - 1 &&
	       r->flying_bytes < REDIS_FLIGHT_BYTES)
		take_off(r);
}

void redis_post_take(struct redis *r, struct redis_post *post)
{
	redis_add(r, waiting_bytes, post->bytes);
	ses_list_append(&r->posts, &post->order.link);
}

/* ---- What was flying when the connection broke ---- */

/* Those before it may be held no more: it says itself which one it is. */
void redis_post_seen(struct redis *r, struct bytes tag,
		     const struct redis_entry *e)
{
	struct redis_flight *f = &r->flight[e->counter % REDIS_FLIGHTS];

	if (!f->posts || f->counter != e->counter ||
	    !bytes_equal_str(e->node, r->node) ||
	    !bytes_equal(tag, f->posts->order.tag) || e->place >= f->n ||
	    e->seq <= e->place)
		return;
	if (!f->answered) {
		f->epoch = e->epoch;
		f->seq = e->seq - e->place;
	}
	f->seen = true;
	f->whole |= e->place + 1 == f->n;
	if (f->answered && f->whole)
		land(f, HUB_OK, &f->epoch, f->seq);
}

void redis_post_resume(struct redis *r, bool same)
{
	uint64_t last = r->counter;

	for (uint64_t i = r->answered + 1; i <= last && r->up; i++) {
		struct redis_flight *f = &r->flight[i % REDIS_FLIGHTS];

		if (!f->posts)
			continue;
		f->again = true;
		f->unsure |= !same;
		if (f->seen || f->answered)
			land(f, HUB_OK, &f->epoch, f->seq);
		else if (!fly(f))
			land(f, HUB_UNKNOWN, NULL, 0);
	}
}

void redis_post_lose(struct redis *r)
{
	for (uint64_t i = r->answered + 1; i <= r->counter; i++) {
		struct redis_flight *f = &r->flight[i % REDIS_FLIGHTS];

		if (f->posts && f->answered)
			land(f, HUB_OK, &f->epoch, f->seq);
	}
}

/* It is known to be published, and has waited for the rest. */
static bool is_settled(const struct redis_flight *f, uint64_t now)
{
	return f->answered && f->answered_ms + SEEN_MS <= now;
}

static bool is_given_up(const struct redis_flight *f, uint64_t now, bool end)
{
	return end ||
	       (!f->redis->up && f->posts->at_ms + HUB_REDIS_WAIT_MS <= now);
}

void redis_post_expire(struct redis *r, bool end)
{
	uint64_t now = r->loop->now_ms;
	struct ses_list *link;

	while ((link = ses_list_first(&r->posts)) &&
	       (end || of(link)->at_ms + HUB_REDIS_WAIT_MS <= now)) {
		ses_list_remove(link);
		settle(r, of(link), HUB_UNAVAILABLE, NULL, 0);
	}
	for (uint64_t i = r->answered + 1; i <= r->counter; i++) {
		struct redis_flight *f = &r->flight[i % REDIS_FLIGHTS];

		if (f->posts && (is_settled(f, now) || is_given_up(f, now, end)))
			land(f, f->seen || f->answered ? HUB_OK : HUB_UNKNOWN,
			     &f->epoch, f->seq);
	}
	hub_tell_waiting(r->base.hub);
}
