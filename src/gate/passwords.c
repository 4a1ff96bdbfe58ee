/* SPDX-License-Identifier: MIT */
/*
 * What a thread works on belongs to it: a check that is given up leaves it
 * behind, to be wiped and freed when the thread is done, and until then it
 * keeps its place among those that may be at work.
 */
#include "gate/passwords.h"

#include <stdlib.h>
#include <string.h>

#include "net/addr.h"
#include "wire/digest.h"

struct known {
	uint8_t digest[SES_SHA256_LEN];
	uint64_t until_ms; /* 0: nothing is here */
};

struct gate_passwords {
	struct sesame_loop *loop;
	uint8_t secret[32];
	struct ses_list waiting;
	size_t n_waiting, n_at_work;
	struct ses_list checks; /* all that are at work */
	struct known known[GATE_PASSWORDS_KNOWN];
};

struct job {
	struct gate_password *password;
	int outcome; /* as done() is told */
};

struct gate_password_check {
	struct gate_passwords *all;
	struct ses_list link; /* in waiting, or in checks */
	struct job *job;      /* while it waits; then the thread's */
	struct ses_call *call;
	uint8_t digest[SES_SHA256_LEN];
	bool has_digest;
	void (*done)(void *user, int outcome); /* NULL: given up */
	void *user;
};

/* ---- Who was right ---- */

/* The hash is part of it: a new password in the file is another digest. */
static bool digest_of(const struct gate_passwords *all,
		      const struct gate_password *p, uint8_t out[SES_SHA256_LEN])
{
	uint8_t text[sizeof(all->secret) + sizeof(p->hash) + sizeof(p->password)];
	size_t hash = strlen(p->hash) + 1, len = 0;
	bool good;

	memcpy(text, all->secret, sizeof(all->secret));
	len += sizeof(all->secret);
	memcpy(text + len, p->hash, hash);
	len += hash;
	memcpy(text + len, p->password, p->password_len);
	len += p->password_len;
	good = p->known && ses_sha256(bytes_of(text, len), out);
	explicit_bzero(text, sizeof(text));
	return good;
}

static struct known *place_of(struct gate_passwords *all, const uint8_t *digest)
{
	return &all->known[digest[0] % GATE_PASSWORDS_KNOWN];
}

bool gate_passwords_knows(struct gate_passwords *all,
			  const struct gate_password *password)
{
	uint8_t digest[SES_SHA256_LEN];
	const struct known *k;

	if (!digest_of(all, password, digest))
		return false;
	k = place_of(all, digest);
	return k->until_ms > all->loop->now_ms &&
	       memcmp(k->digest, digest, sizeof(digest)) == 0;
}

static void remember(struct gate_passwords *all, const uint8_t *digest)
{
	struct known *k = place_of(all, digest);

	memcpy(k->digest, digest, sizeof(k->digest));
	k->until_ms = all->loop->now_ms + GATE_PASSWORDS_KNOWN_MS;
}

/* ---- In a thread ---- */

static void work(void *arg)
{
	struct job *job = arg;

	job->outcome = gate_password_check(job->password);
}

static void free_job(void *arg)
{
	struct job *job = arg;

	gate_password_free(job->password);
	free(job);
}

/* ---- The line ---- */

static void start_next(struct gate_passwords *all);

static void on_done(void *arg, void *user)
{
	struct job *job = arg;
	struct gate_password_check *c = user;
	struct gate_passwords *all = c->all;
	int outcome = job->outcome;

	if (outcome > 0 && c->has_digest)
		remember(all, c->digest);
	ses_list_remove(&c->link);
	all->n_at_work--;
	if (c->done)
		c->done(c->user, outcome);
	explicit_bzero(c->digest, sizeof(c->digest));
	free(c);
	start_next(all);
}

static void start_next(struct gate_passwords *all)
{
	struct ses_list *link;

	while (all->n_at_work < GATE_PASSWORDS_AT_ONCE &&
	       (link = ses_list_first(&all->waiting))) {
		struct gate_password_check *c =
			ses_container_of(link, struct gate_password_check, link);
		struct job *job = c->job;

		ses_list_remove(&c->link);
		all->n_waiting--;
		c->job = NULL;
		ses_list_append(&all->checks, &c->link);
		all->n_at_work++;
		c->call = ses_call_start(all->loop, work, on_done, free_job,
					 job, c);
		if (c->call)
			continue;
		/* Its turn comes again with the next one that is done. */
		ses_list_remove(&c->link);
		all->n_at_work--;
		c->job = job;
		ses_list_append(&all->waiting, &c->link);
		all->n_waiting++;
		return;
	}
}

struct gate_password_check *
gate_passwords_ask(struct gate_passwords *all,
		   const struct gate_password *password,
		   void (*done)(void *user, int outcome), void *user)
{
	struct gate_password_check *c;
	struct job *job;

	if (all->n_waiting == GATE_PASSWORDS_WAITING)
		return NULL;
	c = calloc(1, sizeof(*c));
	job = calloc(1, sizeof(*job));
	if (job)
		job->password = malloc(sizeof(*job->password));
	if (!c || !job || !job->password) {
		free(c);
		free(job);
		return NULL;
	}
	*job->password = *password;
	job->outcome = -1; /* when no thread can be had */
	*c = (struct gate_password_check){
		.all = all, .job = job, .done = done, .user = user};
	c->has_digest = digest_of(all, password, c->digest);
	ses_list_init(&c->link);
	ses_list_append(&all->waiting, &c->link);
	all->n_waiting++;
	start_next(all);
	return c;
}

void gate_passwords_cancel(struct gate_password_check *c)
{
	if (!c)
		return;
	c->done = NULL;
	if (!c->job)
		return; /* the thread works on; on_done() frees it */
	ses_list_remove(&c->link);
	c->all->n_waiting--;
	free_job(c->job);
	free(c);
}

struct gate_passwords *gate_passwords_new(struct sesame_loop *loop)
{
	struct gate_passwords *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->loop = loop;
	ses_random(all->secret, sizeof(all->secret));
	ses_list_init(&all->waiting);
	ses_list_init(&all->checks);
	return all;
}

void gate_passwords_free(struct gate_passwords *all)
{
	struct ses_list *link;

	if (!all)
		return;
	while ((link = ses_list_first(&all->checks))) {
		struct gate_password_check *c =
			ses_container_of(link, struct gate_password_check, link);

		ses_call_cancel(c->call);
		ses_list_remove(&c->link);
		free(c);
	}
	explicit_bzero(all, sizeof(*all));
	free(all);
}
