/* SPDX-License-Identifier: MIT */
/* The orders: the operations of the backplane write them, its thread reads. */
#include "hub/redis_inner.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/addr.h"

#define STACK_BYTES  (512 * 1024)
#define ORDERS_BYTES ((size_t)64 * 1024 * 1024) /* but for what is published */
#define FAREWELL_MS  500

static struct redis *of(struct hub_backplane *b)
{
	return ses_container_of(b, struct redis, base);
}

void redis_say(struct redis *r, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!r->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->log(text);
}

/* ---- Writing orders ---- */

static void carry_out(void *arg);

static size_t cost_of(const struct redis_order *o)
{
	return o->errand == REDIS_POST
		       ? 0
		       : sizeof(*o) + o->tag.len + o->text.len + 64;
}

bool redis_give(struct redis *r, struct redis_order *o)
{
	bool given = false;

	pthread_mutex_lock(&r->lock);
	/* People and channels follow what is there: they must not be lost. */
	if (!r->stopping &&
	    (r->orders_bytes <= ORDERS_BYTES || o->errand < REDIS_NOTE)) {
		ses_list_append(&r->orders, &o->link);
		r->orders_bytes += cost_of(o);
		if (!r->knocked)
			ses_loop_post_own(r->loop, &r->knock, carry_out, r);
		r->knocked = given = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (!given)
		redis_free_order(o);
	return given;
}

/* @o has room for its texts behind @size bytes. */
static void fill(struct redis_order *o, size_t size, enum redis_errand errand,
		 const struct hub_channel *c, struct bytes text)
{
	const struct hub_rules *rules = &c->space->rules;
	char *at = (char *)o + size;
	size_t space_len = strlen(c->space->name);

	*o = (struct redis_order){
		.errand = errand,
		.serial = c->serial,
		.space = c->space,
		.tag = bytes_of(at, space_len + 1 + c->name_len),
		.text = bytes_of(text.data ? at + space_len + 1 + c->name_len
					   : NULL,
				 text.len),
		.states = c->states,
		.presence = c->roster != NULL,
		.inhabited = c->n_members > 0,
		.untold = c->untold,
		.bounds = {.most = c->states ? rules->keys : rules->history,
			   .most_bytes = rules->history_bytes,
			   .age_ms = rules->history_ms,
			   .channels = rules->channels,
			   .kept = rules->kept},
	};
	ses_list_init(&o->link);
	memcpy(at, c->space->name, space_len);
	at[space_len] = ' ';
	memcpy(at + space_len + 1, c->name, c->name_len);
	if (text.len)
		memcpy(at + space_len + 1 + c->name_len, text.data, text.len);
}

static size_t texts_of(const struct hub_channel *c, struct bytes text)
{
	return strlen(c->space->name) + 1 + c->name_len + text.len;
}

/* False: no memory. */
static bool order(struct hub_backplane *b, enum redis_errand errand,
		  const struct hub_channel *c, struct bytes text)
{
	struct redis_order *o = malloc(sizeof(*o) + texts_of(c, text));

	if (!o)
		return false;
	fill(o, sizeof(*o), errand, c, text);
	redis_give(of(b), o);
	return true;
}

static void open_channel(struct hub_backplane *b, struct hub_channel *c)
{
	c->serial = ++of(b)->serials;
	c->unheard = !order(b, REDIS_OPEN, c, bytes_of(NULL, 0));
}

/* Without memory it is found out by a look at all channels. */
static void order_or_look(struct hub_backplane *b, enum redis_errand errand,
			  const struct hub_channel *c)
{
	struct redis *r = of(b);

	if (order(b, errand, c, bytes_of(NULL, 0)))
		return;
	pthread_mutex_lock(&r->lock);
	r->unsaid = true;
	pthread_mutex_unlock(&r->lock);
}

static void close_channel(struct hub_backplane *b, struct hub_channel *c)
{
	order_or_look(b, REDIS_CLOSE, c);
}

static void refresh(struct hub_backplane *b, struct hub_channel *c)
{
	c->unheard = !order(b, REDIS_REFRESH, c, bytes_of(NULL, 0));
}

static void inhabit(struct hub_backplane *b, struct hub_channel *c)
{
	order_or_look(b, REDIS_INHABIT, c);
}

/* Whether @who is there is looked at when the order is carried out. */
static void come_or_go(struct hub_backplane *b, struct hub_channel *c,
		       struct bytes who)
{
	c->untold |= !order(b, REDIS_PERSON, c, who);
}

static struct redis_post *new_post(const struct hub_post *post)
{
	size_t size = sizeof(struct redis_post) +
		      post->n * sizeof(struct hub_message *);
	struct redis_post *p =
		calloc(1, size + texts_of(post->channel, post->key));

	if (!p)
		return NULL;
	fill(&p->order, size, REDIS_POST, post->channel, post->key);
	p->ticket = post->ticket;
	p->receipt = *post->receipt;
	p->at_ms = post->now_ms;
	p->n = post->n;
	for (size_t i = 0; i < post->n; i++) {
		p->message[i] = post->message[i];
		hub_message_ref(p->message[i]);
		p->bytes += hub_message_weight(p->message[i]) + 256;
	}
	return p;
}

static bool is_away(struct redis *r)
{
	bool away;

	pthread_mutex_lock(&r->lock);
	away = r->stopping || (!r->figures.up && r->figures.trouble[0]);
	pthread_mutex_unlock(&r->lock);
	return away;
}

static enum hub_verdict publish(struct hub_backplane *b, struct hub_post *post)
{
	struct redis *r = of(b);
	enum hub_verdict verdict = hub_check_rate(post);
	struct redis_post *p;

	if (verdict != HUB_OK)
		return verdict;
	if (is_away(r))
		return HUB_UNAVAILABLE;
	p = new_post(post);
	if (!p)
		return HUB_NO_MEMORY;
	atomic_fetch_add(&b->hub->on_way, p->bytes);
	return redis_give(r, &p->order) ? HUB_LATER : HUB_UNAVAILABLE;
}

/* ---- Carrying them out ---- */

void redis_free_order(struct redis_order *o)
{
	struct redis_post *p;

	if (o->errand == REDIS_POST) {
		p = ses_container_of(o, struct redis_post, order);
		for (size_t i = 0; i < p->n; i++)
			hub_drop_message(p->message[i]);
	}
	free(o);
}

static void carry_out_one(struct redis *r, struct redis_order *o)
{
	switch (o->errand) {
	case REDIS_OPEN:
		if (redis_sync_open(r, o))
			break;
		ses_list_append(&r->late, &o->link);
		return;
	case REDIS_CLOSE:
		redis_sync_close(r, o);
		break;
	case REDIS_REFRESH:
		redis_sync_refresh(r, o);
		break;
	case REDIS_INHABIT:
		redis_sync_inhabit(r, o);
		break;
	case REDIS_PERSON:
		redis_people_order(r, o);
		break;
	case REDIS_POST:
		redis_post_take(r,
				ses_container_of(o, struct redis_post, order));
		return; /* it stays */
	case REDIS_NOTE:
		redis_note_take(r,
				ses_container_of(o, struct redis_note, order));
		return; /* it stays */
	case REDIS_READ:
		redis_note_read(r,
				ses_container_of(o, struct redis_note, order));
		return; /* it stays */
	case REDIS_BLAME:
		redis_malformed(r, "a note", o->tag);
		break;
	}
	redis_free_order(o);
}

void redis_open_late(struct redis *r)
{
	struct ses_list *link, *next;

	for (link = r->late.next; link != &r->late; link = next) {
		next = link->next;
		ses_list_remove(link);
		carry_out_one(r,
			      ses_container_of(link, struct redis_order, link));
	}
}

static void carry_out(void *arg)
{
	struct redis *r = arg;
	struct ses_list now, *link;

	ses_list_init(&now);
	pthread_mutex_lock(&r->lock);
	while ((link = ses_list_first(&r->orders))) {
		ses_list_remove(link);
		ses_list_append(&now, link);
	}
	r->orders_bytes = 0;
	r->knocked = false;
	pthread_mutex_unlock(&r->lock);
	while ((link = ses_list_first(&now))) {
		ses_list_remove(link);
		carry_out_one(r,
			      ses_container_of(link, struct redis_order, link));
	}
	redis_post_send(r);
	redis_sync_some(r);
}

/* ---- The thread ---- */

static bool is_stopping(struct redis *r)
{
	bool stopping;

	pthread_mutex_lock(&r->lock);
	stopping = r->stopping;
	pthread_mutex_unlock(&r->lock);
	return stopping;
}

static void *work(void *arg)
{
	struct redis *r = arg;
	uint64_t end_ms;

	ses_loop_update(r->loop);
	redis_begin(r);
	while (!is_stopping(r))
		sesame_loop_turn(r->loop, -1);
	carry_out(r);
	redis_end(r);
	end_ms = r->loop->now_ms + FAREWELL_MS;
	while (r->up && (r->command.n || redis_link_queued(&r->command)) &&
	       r->loop->now_ms < end_ms)
		sesame_loop_turn(r->loop, 20);
	redis_post_expire(r, true);
	redis_lose(r, "the gateway ends");
	redis_post_expire(r, true);
	redis_sync_end(r);
	sesame_loop_turn(r->loop, 0);
	ses_buf_forget_spares();
	return NULL;
}

/* Signals are for the threads of the program, not for this one. */
static bool start(struct hub_backplane *b)
{
	struct redis *r = of(b);
	sigset_t all, before;
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	r->runs = pthread_create(&r->thread, &attr, work, r) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r->runs;
}

static void knock_only(void *arg)
{
}

static void stop(struct hub_backplane *b)
{
	struct redis *r = of(b);

	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_mutex_unlock(&r->lock);
	if (!r->runs)
		return;
	ses_loop_post(r->loop, knock_only, NULL);
	sesame_loop_stop(r->loop);
	pthread_join(r->thread, NULL);
	r->runs = false;
}

static void free_orders(struct ses_list *orders)
{
	struct ses_list *link;

	while ((link = ses_list_first(orders))) {
		ses_list_remove(link);
		redis_free_order(
			ses_container_of(link, struct redis_order, link));
	}
}

static void free_redis(struct hub_backplane *b)
{
	struct redis *r = of(b);

	stop(b);
	free_orders(&r->orders);
	free_orders(&r->late);
	free_orders(&r->notes);
	if (r->loop)
		ses_loop_unpost(r->loop, &r->knock);
	sesame_loop_free(r->loop);
	ses_tls_context_unref(r->tls);
	pthread_mutex_destroy(&r->lock);
	/* The password does not stay in memory that others get. */
	explicit_bzero(&r->url, sizeof(r->url));
	free(r);
}

/* ---- Making one ---- */

static void name_node(struct redis *r)
{
	uint8_t random[HUB_REDIS_NODE_LEN / 2];

	ses_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(r->node + 2 * i, 3, "%02x", random[i]);
	snprintf(r->base.node, sizeof(r->base.node), "%s", r->node);
	snprintf(r->figures.node, sizeof(r->figures.node), "%s", r->node);
	snprintf(r->figures.address, sizeof(r->figures.address), "%s",
		 r->address);
	ses_random(r->seed, sizeof(r->seed));
}

static bool open_tls(struct redis *r, const char *ca_file, char *text,
		     size_t size)
{
	struct ses_tls_client_options o = {.ca_file = ca_file};

	if (!r->url.tls)
		return true;
	r->tls = ses_tls_client_new(&o, text, size);
	r->command.tls = r->told.tls = r->tls;
	return r->tls != NULL;
}

struct hub_backplane *hub_redis_new(const struct hub_redis_options *options,
				    char *text, size_t text_size)
{
	static const struct hub_backplane_ops ops = {
		.name = "redis",
		.shared = true,
		.linger_ms = REDIS_LINGER_MS,
		.open = open_channel,
		.close = close_channel,
		.refresh = refresh,
		.inhabit = inhabit,
		.publish = publish,
		.enter = come_or_go,
		.leave = come_or_go,
		.start = start,
		.stop = stop,
		.free = free_redis,
	};
	struct bytes url = bytes_of_str(options->url);
	struct redis *r = calloc(1, sizeof(*r));
	const char *wrong;

	snprintf(text, text_size, "out of memory");
	if (!r)
		return NULL;
	r->base.ops = &ops;
	r->log = options->log;
	pthread_mutex_init(&r->lock, NULL);
	ses_list_init(&r->orders);
	ses_list_init(&r->late);
	ses_list_init(&r->all);
	ses_list_init(&r->untuned);
	ses_list_init(&r->due);
	ses_list_init(&r->posts);
	redis_people_init(r);
	redis_notes_init(r);
	hub_redis_url_show(url, r->address);
	name_node(r);
	hub_map_init(&r->channels, r->seed);
	r->loop = sesame_loop_new();
	wrong = redis_url_read(url, &r->url);
	if (wrong)
		snprintf(text, text_size, "%s", wrong);
	if (r->loop && !wrong && open_tls(r, options->ca_file, text, text_size))
		return &r->base;
	free_redis(&r->base);
	return NULL;
}

void hub_redis_count(struct hub_backplane *b, struct hub_redis_figures *ret)
{
	struct redis *r = of(b);

	pthread_mutex_lock(&r->lock);
	*ret = r->figures;
	pthread_mutex_unlock(&r->lock);
}
