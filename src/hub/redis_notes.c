/* SPDX-License-Identifier: MIT */
/*
 * Notes: short texts with a name, which all nodes can read and which expire. A
 * program without a hub reads one by a connection of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "hub/redis_inner.h"

#define NAME_MAX_LEN  100
#define NOTES_AT_ONCE 64   /* that are written */
#define TRY_AGAIN_MS  1000 /* after one that was refused */

static struct redis *of(struct hub_backplane *b)
{
	return ses_container_of(b, struct redis, base);
}

/* ---- Orders, in any thread ---- */

static struct redis_note *new_note(enum redis_errand errand, struct bytes name,
				   struct bytes text)
{
	size_t len = name.len;
	struct redis_note *note;
	char *at;

	if (!len || len > NAME_MAX_LEN || text.len > HUB_REDIS_NOTE_MAX)
		return NULL;
	note = calloc(1, sizeof(*note) + len + 1 + text.len);
	if (!note)
		return NULL;
	at = (char *)(note + 1);
	memcpy(at, name.data, len);
	if (text.len)
		memcpy(at + len + 1, text.data, text.len);
	note->order.errand = errand;
	note->order.tag = bytes_of(at, len);
	note->order.text = bytes_of(at + len + 1, text.len);
	ses_list_init(&note->order.link);
	return note;
}

void hub_redis_note(struct hub_backplane *b, const char *name,
		    struct bytes text, unsigned ttl_s)
{
	struct redis_note *note = new_note(REDIS_NOTE, bytes_of_str(name), text);

	if (!note)
		return;
	note->ttl_s = ttl_s ? ttl_s : 1;
	redis_give(of(b), &note->order);
}

bool hub_redis_read(struct hub_backplane *b, const char *name,
		    void (*done)(void *user, const char *name, struct bytes text),
		    void *user)
{
	struct redis_note *note =
		new_note(REDIS_READ, bytes_of_str(name), bytes_of(NULL, 0));

	if (!note)
		return false;
	note->done = done;
	note->user = user;
	return redis_give(of(b), &note->order);
}

void hub_redis_blame(struct hub_backplane *b, struct bytes name)
{
	struct redis_note *note = new_note(REDIS_BLAME, name, bytes_of(NULL, 0));

	if (note)
		redis_give(of(b), &note->order);
}

/* ---- Writing ---- */

static void key_of(struct redis *r, struct bytes name, char out[320])
{
	snprintf(out, 320, "%s:note:%.*s", r->url.prefix, (int)name.len,
		 (const char *)name.data);
}

static struct redis_note *note_of(struct ses_list *link)
{
	return link ? ses_container_of(link, struct redis_note, order.link)
		    : NULL;
}

static size_t weight(const struct redis_note *note)
{
	return sizeof(*note) + note->order.tag.len + note->order.text.len;
}

void redis_notes_init(struct redis *r)
{
	ses_list_init(&r->notes);
	ses_list_init(&r->notes_flying);
}

/* It is in neither list. */
static void drop(struct redis *r, struct redis_note *note)
{
	r->n_notes--;
	r->notes_bytes -= weight(note);
	redis_free_order(&note->order);
}

static bool is_over(const struct redis *r, const struct redis_note *note)
{
	return note->end_ms <= r->loop->now_ms;
}

static void write_some(struct redis *r);

/* Said once, as long as it takes none. */
static void be_refused(struct redis *r, const struct redis_reply *reply)
{
	char words[100];

	if (!r->notes_refused)
		redis_say(r,
			  "the backplane %s refuses what other gateways are to "
			  "know, which waits here: %s",
			  r->address,
			  bytes_printable(reply->text, words, sizeof(words)));
	r->notes_refused = true;
}

/* It was written, or is to wait again as the oldest, which it is. */
static void on_written(void *arg, const struct redis_reply *reply)
{
	struct redis_note *note = arg;
	struct redis *r = note->redis;

	r->n_notes_flying--;
	ses_list_remove(&note->order.link);
	if (redis_reply_failed(reply)) {
		ses_list_prepend(&r->notes, &note->order.link);
		if (reply)
			be_refused(r, reply);
		return;
	}
	r->notes_refused = false;
	drop(r, note);
	write_some(r);
}

static bool write_note(struct redis *r, struct redis_note *note)
{
	struct redis_link *l = &r->command;
	char key[320];

	key_of(r, note->order.tag, key);
	redis_link_begin(l, 5);
	redis_link_str(l, "SET");
	redis_link_str(l, key);
	redis_link_word(l, note->order.text);
	redis_link_str(l, "PX");
	redis_link_u64(l, note->end_ms - r->loop->now_ms);
	return redis_link_end(l, on_written, note);
}

/* Few at a time, and one alone after one that was refused. */
static void write_some(struct redis *r)
{
	size_t most = r->notes_refused ? 1 : NOTES_AT_ONCE;
	struct redis_note *note;

	while (r->up && r->n_notes_flying < most &&
	       (note = note_of(ses_list_first(&r->notes)))) {
		bool over = is_over(r, note);

		if (!over && !write_note(r, note))
			return; /* with the next chores */
		ses_list_remove(&note->order.link);
		if (over) {
			drop(r, note);
			continue;
		}
		ses_list_append(&r->notes_flying, &note->order.link);
		r->n_notes_flying++;
	}
	r->notes_tried_ms = r->loop->now_ms;
}

/* What waits under the same name says what was so before. */
static void replace(struct redis *r, const struct redis_note *by)
{
	for (struct ses_list *l = r->notes.next; l != &r->notes; l = l->next) {
		if (!bytes_equal(note_of(l)->order.tag, by->order.tag))
			continue;
		ses_list_remove(l);
		drop(r, note_of(l));
		return;
	}
}

static void bound(struct redis *r)
{
	struct ses_list *oldest;

	while ((r->n_notes > HUB_REDIS_NOTES ||
		r->notes_bytes > HUB_REDIS_NOTES_BYTES) &&
	       (oldest = ses_list_first(&r->notes))) {
		ses_list_remove(oldest);
		if (!is_over(r, note_of(oldest)))
			redis_add(r, notes_lost, 1);
		drop(r, note_of(oldest));
	}
}

void redis_note_take(struct redis *r, struct redis_note *note)
{
	note->redis = r;
	note->end_ms = r->loop->now_ms + note->ttl_s * UINT64_C(1000);
	replace(r, note);
	ses_list_append(&r->notes, &note->order.link);
	r->n_notes++;
	r->notes_bytes += weight(note);
	bound(r);
	if (!r->notes_refused)
		write_some(r);
}

void redis_notes_keep(struct redis *r)
{
	if (!r->notes_refused ||
	    r->loop->now_ms >= r->notes_tried_ms + TRY_AGAIN_MS)
		write_some(r);
}

/* ---- Reading ---- */

/* The name of one that is asked for: that of a node for a "*" at the end. */
struct asked {
	struct redis *redis;
	struct redis_note *note;
	char name[NAME_MAX_LEN + HUB_REDIS_NODE_LEN + 1];
};

/* Whoever left megabytes there sends a little of them. */
static void write_get(struct redis_link *l, const char *key)
{
	redis_link_begin(l, 4);
	redis_link_str(l, "GETRANGE");
	redis_link_str(l, key);
	redis_link_u64(l, 0);
	redis_link_u64(l, HUB_REDIS_NOTE_MAX);
}

static bool is_note(const struct redis_reply *reply)
{
	return reply && reply->sort == REDIS_TEXT && reply->text.len;
}

/* It has that name, and is a list or a hash. */
static bool is_other(const struct redis_reply *reply)
{
	return reply && reply->sort == REDIS_ERROR &&
	       bytes_starts(reply->text, BYTES("WRONGTYPE"));
}

static void end_reading(struct redis_note *note)
{
	note->done(note->user, NULL, bytes_of(NULL, 0));
	redis_free_order(&note->order);
}

static void on_note(void *arg, const struct redis_reply *reply)
{
	struct asked *asked = arg;
	struct redis_note *note = asked->note;

	if (is_note(reply))
		note->done(note->user, asked->name, reply->text);
	else if (is_other(reply))
		redis_malformed(asked->redis, "a note",
				bytes_of_str(asked->name));
	if (--note->n_asked == 0)
		end_reading(note);
	free(asked);
}

static void ask_for(struct redis *r, struct redis_note *note, struct bytes head,
		    const char *node)
{
	struct redis_link *l = &r->command;
	struct asked *asked = calloc(1, sizeof(*asked));
	char key[320];

	if (!asked)
		return;
	asked->redis = r;
	asked->note = note;
	snprintf(asked->name, sizeof(asked->name), "%.*s%s", (int)head.len,
		 (const char *)head.data, node);
	key_of(r, bytes_of_str(asked->name), key);
	write_get(l, key);
	if (redis_link_end(l, on_note, asked))
		note->n_asked++;
	else
		free(asked);
}

void redis_note_read(struct redis *r, struct redis_note *note)
{
	struct bytes name = note->order.tag;
	bool all = name.data[name.len - 1] == '*';
	struct bytes head = bytes_first(name, name.len - all);

	note->n_asked = 1;
	if (r->up && !r->ended)
		ask_for(r, note, head, all ? r->node : "");
	for (size_t i = 0; all && r->up && i < REDIS_NODES; i++)
		if (r->nodes[i].id[0])
			ask_for(r, note, head, r->nodes[i].id);
	if (--note->n_asked == 0)
		end_reading(note);
}

/* ---- A program without a hub ---- */

struct question {
	struct redis_link link;
	struct redis_url url;
	const char *name;
	void (*done)(void *user, const char *name, struct bytes text);
	void *user;
	bool over;
	char wrong[160];
};

static struct question *question_of(struct redis_link *link)
{
	return ses_container_of(link, struct question, link);
}

static void fail(struct question *q, const char *why)
{
	if (!q->over)
		snprintf(q->wrong, sizeof(q->wrong), "%s", why);
	q->over = true;
}

static void on_step(void *arg, const struct redis_reply *reply)
{
	if (reply && reply->sort == REDIS_ERROR)
		fail(arg, "it refuses the user, the password or the database");
}

static void on_answer(void *arg, const struct redis_reply *reply)
{
	struct question *q = arg;

	if (!reply || q->over)
		return;
	if (is_note(reply))
		q->done(q->user, q->name, reply->text);
	else if (reply->sort == REDIS_ERROR)
		fail(q, "it does not let notes be read");
	q->over = true;
}

static void on_up(struct redis_link *l)
{
	struct question *q = question_of(l);
	char key[320];

	redis_link_greet(l, &q->url, on_step, on_step, q);
	snprintf(key, sizeof(key), "%s:note:%s", q->url.prefix, q->name);
	write_get(l, key);
	if (!redis_link_end(l, on_answer, q))
		fail(q, "out of memory");
}

static void on_told(struct redis_link *l, const struct redis_reply *reply)
{
	fail(question_of(l), "it answers what nobody asked");
}

static void on_down(struct redis_link *l, const char *why)
{
	fail(question_of(l), why);
}

static int await(struct question *q, unsigned timeout_ms)
{
	struct sesame_loop *loop = q->link.loop;
	uint64_t end_ms;

	ses_loop_update(loop);
	end_ms = loop->now_ms + timeout_ms;
	if (!redis_link_open(&q->link, &q->url))
		return SESAME_ENOMEM;
	while (!q->over && loop->now_ms < end_ms)
		sesame_loop_turn(loop, 20);
	if (!q->over)
		fail(q, "it does not answer in time");
	redis_link_close(&q->link);
	return q->wrong[0] ? SESAME_ECONNECT : 0;
}

int hub_redis_ask(const struct hub_redis_options *options, const char *name,
		  unsigned timeout_ms,
		  void (*done)(void *user, const char *name, struct bytes text),
		  void *user, char *text, size_t text_size)
{
	static const struct redis_link_events events = {
		.on_up = on_up, .on_told = on_told, .on_down = on_down};
	struct question q = {.name = name, .done = done, .user = user};
	struct ses_tls_client_options tls = {.ca_file = options->ca_file};
	const char *wrong = redis_url_read(bytes_of_str(options->url), &q.url);
	int r = SESAME_EINVAL;

	if (wrong) {
		snprintf(text, text_size, "%s", wrong);
		return r;
	}
	snprintf(text, text_size, "out of memory");
	q.link.events = &events;
	q.link.loop = sesame_loop_new();
	if (q.link.loop && q.url.tls)
		q.link.tls = ses_tls_client_new(&tls, text, text_size);
	if (q.link.loop && (!q.url.tls || q.link.tls)) {
		r = await(&q, timeout_ms);
		if (q.wrong[0])
			snprintf(text, text_size, "%s", q.wrong);
	}
	sesame_loop_free(q.link.loop);
	ses_tls_context_unref(q.link.tls);
	explicit_bzero(&q.url, sizeof(q.url));
	return r;
}
