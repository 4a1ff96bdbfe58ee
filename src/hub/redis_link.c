/* SPDX-License-Identifier: MIT */
#include "hub/redis_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <hiredis/read.h>
#include <sesame/error.h>

#define COMMAND_KEPT ((size_t)256 * 1024) /* of its buffer, for the next */

/* ---- Replies, as hiredis has them made ---- */

static void free_reply(void *of)
{
	struct redis_reply *r = of;

	if (!r)
		return;
	for (size_t i = 0; r->part && i < r->n; i++)
		free_reply(r->part[i]);
	free(r->part);
	free(r);
}

/* Into its list. NULL, which ends the connection: no memory. */
static void *place(const redisReadTask *task, struct redis_reply *r)
{
	struct redis_reply *list;

	if (r && task->parent) {
		list = task->parent->obj;
		list->part[task->idx] = r;
	}
	return r;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
	struct redis_reply *r = malloc(sizeof(*r) + len + 1);
	char *copy = (char *)(r + 1);

	if (!r)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*r = (struct redis_reply){
		.sort = task->type == REDIS_REPLY_ERROR ? REDIS_ERROR
							: REDIS_TEXT,
		.text = bytes_of(copy, len),
	};
	return place(task, r);
}

static void *make_list(const redisReadTask *task, int n)
{
	struct redis_reply *r;

	if (n < 0 || n > REDIS_PARTS_MAX)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->sort = REDIS_LIST;
	r->n = (size_t)n;
	r->part = n ? calloc(r->n, sizeof(struct redis_reply *)) : NULL;
	if (n && !r->part) {
		free(r);
		return NULL;
	}
	return place(task, r);
}

static void *make_number(const redisReadTask *task, long long number)
{
	struct redis_reply *r = calloc(1, sizeof(*r));

	if (r) {
		r->sort = REDIS_NUMBER;
		r->number = number;
	}
	return place(task, r);
}

static void *make_nil(const redisReadTask *task)
{
	struct redis_reply *r = calloc(1, sizeof(*r));

	if (r)
		r->sort = REDIS_NIL;
	return place(task, r);
}

static redisReplyObjectFunctions making = {
	.createString = make_text,
	.createArray = make_list,
	.createInteger = make_number,
	.createNil = make_nil,
	.freeObject = free_reply,
};

/* ---- Its end ---- */

static void free_reader(struct redis_link *link)
{
	if (link->reader && !link->reading) {
		redisReaderFree(link->reader);
		link->reader = NULL;
	}
}

static void tell_lost(struct redis_link *link)
{
	while (link->n) {
		struct redis_expected e = link->expected[link->first];

		link->first = (link->first + 1) % link->room;
		link->n--;
		if (e.on_reply)
			e.on_reply(e.arg, NULL);
	}
	free(link->expected);
	link->expected = NULL;
	link->first = link->room = 0;
}

void redis_link_close(struct redis_link *link)
{
	ses_dial_cancel(link->dial);
	link->dial = NULL;
	ses_stream_close(link->stream);
	link->stream = NULL;
	link->gone = true;
	free_reader(link);
	ses_buf_fini(&link->command);
	tell_lost(link);
}

static void break_off(struct redis_link *link, const char *why)
{
	char phrase[160];

	snprintf(phrase, sizeof(phrase), "%.159s", why);
	redis_link_close(link);
	link->events->on_down(link, phrase);
}

/* ---- What comes ---- */

static void take(struct redis_link *link, const struct redis_reply *reply)
{
	struct redis_expected e;

	if (!link->n) {
		link->events->on_told(link, reply);
		return;
	}
	e = link->expected[link->first];
	link->first = (link->first + 1) % link->room;
	link->n--;
	if (e.on_reply)
		e.on_reply(e.arg, reply);
}

static const char *read_replies(struct redis_link *link)
{
	redisReader *reader = link->reader;
	void *reply;

	for (;;) {
		reply = NULL;
		if (redisReaderGetReply(reader, &reply) != REDIS_OK)
			return reader->err == REDIS_ERR_OOM
				       ? "a reply was larger than may be"
				       : "the answer is not Redis's protocol";
		if (!reply)
			return reader->len - reader->pos > REDIS_REPLY_MAX
				       ? "a reply was larger than may be"
				       : NULL;
		take(link, reply);
		free_reply(reply);
		if (link->gone)
			return NULL;
	}
}

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct redis_link *link = s->owner;
	const char *wrong = "out of memory";

	link->reading = true;
	if (redisReaderFeed(link->reader, (char *)data, len) == REDIS_OK)
		wrong = read_replies(link);
	link->reading = false;
	if (link->gone)
		free_reader(link);
	else if (wrong)
		break_off(link, wrong);
}

static void on_end(struct ses_stream *s, int error)
{
	break_off(s->owner,
		  error ? "the connection broke" : "it closed the connection");
}

static void on_drain(struct ses_stream *s)
{
}

/* ---- Its beginning ---- */

static const struct ses_stream_events events = {
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_drain = on_drain,
};

/* What is wrong with the certificate, by which gate/outage.c finds a remedy. */
static const char *certificate_phrase(enum ses_tls_fault fault)
{
	switch (fault) {
	case SES_TLS_UNTRUSTED:
		return "nobody trusted vouches for its certificate: ";
	case SES_TLS_HOSTNAME:
		return "its certificate is for another name: ";
	default:
		return "";
	}
}

static void break_off_dial(struct redis_link *link,
			   const struct ses_dial_report *report)
{
	const struct ses_dial_step *last;
	char phrase[256];

	if (!report->n_steps) {
		break_off(link, "no connection");
		return;
	}
	last = &report->step[report->n_steps - 1];
	snprintf(phrase, sizeof(phrase), "%s%s",
		 last->kind == SES_DIAL_TLS
			 ? certificate_phrase(report->tls.verify)
			 : "",
		 last->text);
	break_off(link, phrase);
}

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct redis_link *link = user;

	link->dial = NULL;
	if (!stream) {
		break_off_dial(link, report);
		return;
	}
	link->reader = redisReaderCreateWithFunctions(&making);
	if (!link->reader) {
		ses_stream_close(stream);
		break_off(link, "out of memory");
		return;
	}
	ses_stream_take(stream, &events, link);
	link->stream = stream;
	link->events->on_up(link);
}

bool redis_link_open(struct redis_link *link, const struct redis_url *url)
{
	static const struct ses_stream_limits limits = {
		.queue = REDIS_QUEUE_MAX,
		.queue_high = REDIS_QUEUE_MAX,
	};
	struct ses_dial_options o = {
		.host = bytes_of_str(url->host),
		.port = url->port,
		.tls = link->tls,
		.timeout_ms = 5000,
		.limits = &limits,
	};

	link->gone = link->reading = link->pushes = false;
	ses_buf_init(&link->command, REDIS_QUEUE_MAX);
	link->dial = ses_dial_start(link->loop, &o, on_dialled, link);
	return link->dial != NULL;
}

/* ---- Commands ---- */

static void head(struct redis_link *link, char sort, size_t n)
{
	ses_buf_printf(&link->command, "%c%zu\r\n", sort, n);
}

void redis_link_begin(struct redis_link *link, size_t n)
{
	ses_buf_consume(&link->command, ses_buf_len(&link->command));
	link->command.limit = REDIS_QUEUE_MAX;
	head(link, '*', n);
}

void redis_link_long_word(struct redis_link *link, size_t len)
{
	head(link, '$', len);
}

/* What does not fit leaves a limit of 0, by which the end knows. */
void redis_link_part(struct redis_link *link, struct bytes part)
{
	if (ses_buf_append(&link->command, part) < 0)
		link->command.limit = 0;
}

void redis_link_long_end(struct redis_link *link)
{
	redis_link_part(link, BYTES("\r\n"));
}

void redis_link_word(struct redis_link *link, struct bytes word)
{
	redis_link_long_word(link, word.len);
	redis_link_part(link, word);
	redis_link_long_end(link);
}

void redis_link_str(struct redis_link *link, const char *word)
{
	redis_link_word(link, bytes_of_str(word));
}

void redis_link_u64(struct redis_link *link, uint64_t word)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, word);
	redis_link_str(link, text);
}

static bool grow(struct redis_link *link)
{
	size_t room = link->room ? link->room * 2 : 64;
	struct redis_expected *larger = malloc(room * sizeof(*larger));

	if (!larger)
		return false;
	for (size_t i = 0; i < link->n; i++)
		larger[i] = link->expected[(link->first + i) % link->room];
	free(link->expected);
	link->expected = larger;
	link->room = room;
	link->first = 0;
	return true;
}

bool redis_link_end(struct redis_link *link, redis_on_reply *on_reply, void *arg)
{
	struct bytes command = ses_buf_bytes(&link->command);
	int r;

	if (!link->stream || !link->command.limit ||
	    (!link->pushes && link->n == link->room && !grow(link)))
		return false;
	r = ses_stream_send(link->stream, command);
	if (command.len > COMMAND_KEPT)
		ses_buf_release(&link->command);
	if (r < 0 && r != SESAME_EAGAIN)
		return false;
	if (link->pushes)
		return true;
	link->expected[(link->first + link->n++) % link->room] =
		(struct redis_expected){on_reply, arg};
	return true;
}

void redis_link_greet(struct redis_link *link, const struct redis_url *url,
		      redis_on_reply *on_reply,
		      redis_on_reply *on_selected, void *arg)
{
	bool named = url->user[0] != '\0';

	if (url->password[0]) {
		redis_link_begin(link, named ? 3 : 2);
		redis_link_str(link, "AUTH");
		if (named)
			redis_link_str(link, url->user);
		redis_link_str(link, url->password);
		redis_link_end(link, on_reply, arg);
	}
	if (url->db) {
		redis_link_begin(link, 2);
		redis_link_str(link, "SELECT");
		redis_link_u64(link, url->db);
		redis_link_end(link, on_selected, arg);
	}
}

bool redis_reply_is_full(const struct redis_reply *r)
{
	/* The first word, or behind what a script says before it. */
	return r && r->sort == REDIS_ERROR &&
	       memmem(r->text.data, r->text.len, "OOM command", 11);
}

size_t redis_link_queued(const struct redis_link *link)
{
	return link->stream ? ses_stream_queued(link->stream) : 0;
}
