/* SPDX-License-Identifier: MIT */
/*
 * Two arrays take turns: the workers fill one while the thread writes the
 * other in one transaction. A killed process loses what the thread had not yet
 * written; docs/sesame.yaml.md has how much that was. A batch that could not
 * be written is kept and tried again, by a new connection unless it was only a
 * lock, until it is in the file or the journal is closed.
 */
#include "gate/journal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gate/journal_file.h"
#include "gate/log.h"
#include "gate/sampler.h"
#include "net/clock.h"

#define QUEUE_ROWS 256
#define RETRY_MS   500	 /* after one that failed */
#define TELL_MS	   60000 /* between two complaints */
#define REGULARS   1024	 /* admitted kinds that are counted */
#define PROBES	   8
#define NEW_KINDS  200 /* of admissions, at once */
#define NEW_RATE   10  /* and a second */
#define MAX_BYTES  (UINT64_C(64) << 20)

struct regular {
	uint64_t key, n; /* n: not yet in the file */
	int64_t last_ms;
};

struct batch {
	struct gate_batch_story story[QUEUE_ROWS];
	size_t n;
	uint64_t omitted[GATE_N_OMISSIONS][WHY_N_CAUSES];
};

struct gate_journal {
	char *name;
	pthread_t thread;
	pthread_mutex_t lock; /* for all that follows, up to the thread's own */
	pthread_cond_t work;
	struct batch *filling;
	struct gate_sampler sampler;
	struct regular regular[REGULARS];
	bool counted;	    /* any of them has more to write */
	uint64_t new_kinds; /* in thousandths: how many more may come */
	int64_t new_kinds_ms;
	struct gate_journal_health health;
	bool closing;
	bool asleep; /* the thread: until there is something to write */
	/* the thread's own */
	struct batch *writing;
	struct gate_recount recount[REGULARS];
	size_t n_recounts;
	struct gate_journal_file file;
	bool failing;
	uint64_t told_ms, told_gone_ms, unwritten;
	pthread_mutex_t tell_lock; /* for the two that follow */
	void (*kept)(void *user, const struct gate_story *story);
	void *kept_user;
};

/* ---- The file's place ---- */

bool gate_journal_default_file(char *out, size_t size)
{
	const char *state = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && *state) /* it may be a list; the first is the gateway's */
		n = snprintf(out, size, "%.*s/journal.db",
			     (int)strcspn(state, ":"), state);
	else if (geteuid() == 0)
		n = snprintf(out, size, "/var/lib/sesame/journal.db");
	else if (xdg && xdg[0] == '/')
		n = snprintf(out, size, "%s/sesame/journal.db", xdg);
	else if (home && *home)
		n = snprintf(out, size, "%s/.local/state/sesame/journal.db",
			     home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

void gate_make_folders(const char *file)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s", file) >= sizeof(path))
		return;
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0700); /* fails where it is there already */
		*p = '/';
	}
}

/* ---- Saying what is wrong ---- */

static void set_health(struct gate_journal *j, const char *wrong)
{
	pthread_mutex_lock(&j->lock);
	j->health.written = !wrong;
	snprintf(j->health.wrong, sizeof(j->health.wrong), "%s",
		 wrong ? wrong : "");
	pthread_mutex_unlock(&j->lock);
}

static void complain(struct gate_journal *j, const char *why)
{
	uint64_t now = ses_clock_steady_ms();

	j->failing = true;
	set_health(j, why);
	if (j->told_ms && now - j->told_ms < TELL_MS)
		return;
	j->told_ms = now;
	gate_log("sesame: the journal %s cannot be written: %s; serving goes "
		 "on without it",
		 j->name, why);
}

static void tell_recovery(struct gate_journal *j)
{
	if (!j->failing)
		return;
	j->failing = false;
	set_health(j, NULL);
	gate_log("sesame: the journal %s is written again; %llu left out "
		 "meanwhile",
		 j->name, (unsigned long long)j->unwritten);
	j->unwritten = 0;
}

/* ---- The thread ---- */

static bool reopen(struct gate_journal *j)
{
	char text[300];
	bool passing;

	gate_make_folders(j->name);
	if (gate_journal_file_open(&j->file, j->name, text, sizeof(text),
				   &passing) == 0)
		return true;
	complain(j, text);
	return false;
}

/* Whether the file can be written to: opened anew when it was replaced. */
static bool is_ready(struct gate_journal *j)
{
	if (j->file.db && !gate_journal_file_is_there(&j->file, j->name)) {
		uint64_t now = ses_clock_steady_ms();

		gate_journal_file_close(&j->file, false);
		if (!j->told_gone_ms || now - j->told_gone_ms >= TELL_MS) {
			j->told_gone_ms = now;
			gate_log("sesame: the journal %s was removed or "
				 "replaced; going on with what is there now",
				 j->name);
		}
	}
	return j->file.db || reopen(j);
}

static bool is_lock(int code)
{
	return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

static bool write_out(struct gate_journal *j)
{
	struct gate_batch batch = {
		.story = j->writing->story,
		.n = j->writing->n,
		.recount = j->recount,
		.n_recounts = j->n_recounts,
		.omitted = j->writing->omitted,
		.now_ms = ses_clock_wall_ms(),
	};
	int r;

	if (!is_ready(j))
		return false;
	r = gate_journal_file_write(&j->file, j->name, &batch);
	if (r == SQLITE_OK) {
		tell_recovery(j);
		return true;
	}
	complain(j, j->file.wrong);
	if (!is_lock(r))
		gate_journal_file_rest(&j->file);
	return false;
}

/* Sleep until there is something to write. With the lock held. */
static void wait_for_work(struct gate_journal *j)
{
	j->asleep = true;
	pthread_cond_wait(&j->work, &j->lock);
	j->asleep = false;
}

/*
 * One who rests finds what has come by itself: a wake for each of a flood of
 * refusals cost more than to refuse. With the lock held.
 */
static void wake(struct gate_journal *j)
{
	if (!j->asleep)
		return;
	j->asleep = false;
	pthread_cond_signal(&j->work);
}

/* Sleep, unless it is to close. With the lock held. */
static void rest(struct gate_journal *j, long ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!j->closing &&
	       pthread_cond_timedwait(&j->work, &j->lock, &until) == 0)
		;
}

static bool has_omitted(const struct batch *b)
{
	for (int i = 0; i < GATE_N_OMISSIONS * WHY_N_CAUSES; i++)
		if (b->omitted[i / WHY_N_CAUSES][i % WHY_N_CAUSES])
			return true;
	return false;
}

static bool is_idle(const struct gate_journal *j)
{
	return j->filling->n == 0 && !j->counted && !has_omitted(j->filling);
}

static void take_counts(struct gate_journal *j)
{
	j->n_recounts = 0;
	for (size_t i = 0; j->counted && i < REGULARS; i++) {
		struct regular *r = &j->regular[i];

		if (r->n)
			j->recount[j->n_recounts++] =
				(struct gate_recount){r->key, r->last_ms, r->n};
		r->n = 0;
	}
	j->counted = false;
}

/* The other array is written out: fill that one. With the lock held. */
static void swap(struct gate_journal *j)
{
	struct batch *full = j->filling;

	j->filling = j->writing;
	j->writing = full;
	j->filling->n = 0;
	memset(j->filling->omitted, 0, sizeof(j->filling->omitted));
	take_counts(j);
}

static void tell_kept(struct gate_journal *j)
{
	pthread_mutex_lock(&j->tell_lock);
	for (size_t i = 0; j->kept && i < j->writing->n; i++)
		if (!j->writing->story[i].key)
			j->kept(j->kept_user, &j->writing->story[i].story);
	pthread_mutex_unlock(&j->tell_lock);
}

void gate_journal_tell(struct gate_journal *j,
		       void (*kept)(void *user, const struct gate_story *story),
		       void *user)
{
	pthread_mutex_lock(&j->tell_lock);
	j->kept = kept;
	j->kept_user = user;
	pthread_mutex_unlock(&j->tell_lock);
}

static void *write_on(void *user)
{
	struct gate_journal *j = user;
	bool done = true, last = false;

	pthread_mutex_lock(&j->lock);
	while (!last) {
		if (done && is_idle(j) && !j->closing) {
			wait_for_work(j);
			continue;
		}
		last = j->closing;
		if (done)
			swap(j);
		pthread_mutex_unlock(&j->lock);
		done = write_out(j);
		if (done)
			tell_kept(j);
		pthread_mutex_lock(&j->lock);
		if (done)
			j->health.kept += j->writing->n;
		/* What came while the last but one was written. */
		last = last && (is_idle(j) || !done);
		if (!last)
			rest(j, done ? GATE_JOURNAL_REST_MS : RETRY_MS);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* ---- Opening and closing ---- */

static void free_journal(struct gate_journal *j)
{
	gate_journal_file_close(&j->file, true);
	free(j->filling);
	free(j->writing);
	free(j->name);
	free(j);
}

/* Its waits go by a clock that nobody sets. */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t how;

	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &how);
	pthread_condattr_destroy(&how);
}

static struct gate_journal *new_journal(const char *name)
{
	struct gate_journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->file.lock_fd = -1;
	j->name = strdup(name);
	j->filling = calloc(1, sizeof(*j->filling));
	j->writing = calloc(1, sizeof(*j->writing));
	j->health.written = true;
	j->new_kinds = NEW_KINDS * 1000;
	gate_sampler_init(&j->sampler, ses_clock_steady_ms());
	pthread_mutex_init(&j->lock, NULL);
	pthread_mutex_init(&j->tell_lock, NULL);
	init_condition(&j->work);
	if (j->name && j->filling && j->writing)
		return j;
	free_journal(j);
	return NULL;
}

struct gate_journal *gate_journal_open(const char *file, uint64_t max_rows,
				       uint64_t max_bytes, char *text,
				       size_t text_size)
{
	struct gate_journal *j = new_journal(file);
	char why[300];
	bool passing;
	int r;

	if (!j) {
		snprintf(text, text_size, "out of memory");
		return NULL;
	}
	j->file.max_rows = max_rows;
	j->file.max_bytes = max_bytes ? max_bytes : MAX_BYTES;
	gate_make_folders(file);
	if (gate_journal_file_open(&j->file, file, why, sizeof(why), &passing) <
	    0) {
		snprintf(text, text_size, "the journal %s cannot be opened: %s",
			 file, why);
		if (!passing) {
			free_journal(j);
			return NULL;
		}
		complain(j, why);
	}
	r = pthread_create(&j->thread, NULL, write_on, j);
	if (r != 0) {
		snprintf(text, text_size, "no thread for the journal: %s",
			 strerror(r));
		free_journal(j);
		return NULL;
	}
	return j;
}

void gate_journal_close(struct gate_journal *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->closing = true;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->tell_lock);
	pthread_cond_destroy(&j->work);
	free_journal(j);
}

void gate_journal_health(struct gate_journal *j,
			 struct gate_journal_health *ret_health)
{
	pthread_mutex_lock(&j->lock);
	*ret_health = j->health;
	pthread_mutex_unlock(&j->lock);
}

/* ---- Taking ---- */

/* With the lock held. */
static void omit(struct gate_journal *j, enum gate_omission why,
		 enum why_cause cause)
{
	j->filling->omitted[why][cause]++;
	j->health.left_out++;
	if (!j->health.written)
		j->unwritten++;
	wake(j);
}

static enum gate_omission why_full(const struct gate_journal *j)
{
	return j->health.written ? GATE_BUSY : GATE_UNWRITTEN;
}

bool gate_journal_wants(struct gate_journal *j, uint64_t kind,
			enum why_cause cause, uint64_t now_ms)
{
	bool room, spare, wanted;

	pthread_mutex_lock(&j->lock);
	room = j->filling->n < QUEUE_ROWS;
	spare = j->filling->n < QUEUE_ROWS / 2;
	wanted = room && gate_sampler_takes(&j->sampler, kind, now_ms, spare);
	if (!wanted)
		omit(j, spare ? GATE_SAMPLED : why_full(j), cause);
	pthread_mutex_unlock(&j->lock);
	return wanted;
}

/* With the lock held. */
static bool queue(struct gate_journal *j, uint64_t key,
		  const struct gate_story *story)
{
	int cause = why_cause_find(bytes_of_str(story->cause));
	bool room = j->filling->n < QUEUE_ROWS;

	if (room) {
		struct gate_batch_story *to =
			&j->filling->story[j->filling->n++];

		to->key = key;
		to->story = *story;
		wake(j);
	} else {
		omit(j, why_full(j), cause < 0 ? WHY_OK : (enum why_cause)cause);
	}
	return room;
}

bool gate_journal_add(struct gate_journal *j, const struct gate_story *story)
{
	bool room;

	pthread_mutex_lock(&j->lock);
	room = queue(j, 0, story);
	pthread_mutex_unlock(&j->lock);
	return room;
}

/* ---- Those who were let in ---- */

/* The place of @key, or one that can be its; NULL: there is none. */
static struct regular *find_regular(struct gate_journal *j, uint64_t key)
{
	struct regular *oldest = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct regular *r = &j->regular[(key + i) % REGULARS];

		if (r->key == key)
			return r;
		if (!r->n && (!oldest || r->last_ms < oldest->last_ms))
			oldest = r;
	}
	return oldest;
}

static bool may_be_new(struct gate_journal *j, int64_t time_ms)
{
	int64_t passed = time_ms - j->new_kinds_ms;

	/* The clock of the wall may be set back, or far ahead. */
	if (passed < 0 || passed > NEW_KINDS * 1000 / NEW_RATE)
		passed = NEW_KINDS * 1000 / NEW_RATE;
	j->new_kinds += (uint64_t)passed * NEW_RATE;
	if (j->new_kinds > NEW_KINDS * 1000)
		j->new_kinds = NEW_KINDS * 1000;
	j->new_kinds_ms = time_ms;
	if (j->new_kinds < 1000)
		return false;
	j->new_kinds -= 1000;
	return true;
}

bool gate_journal_counts(struct gate_journal *j, uint64_t key, int64_t time_ms)
{
	struct regular *r;
	bool counted = true;

	pthread_mutex_lock(&j->lock);
	r = find_regular(j, key);
	if (r && r->key == key) {
		r->n++;
		r->last_ms = time_ms;
		j->counted = true;
		wake(j);
	} else if (!r || j->filling->n >= QUEUE_ROWS / 2 ||
		   !may_be_new(j, time_ms)) {
		omit(j, GATE_SAMPLED, WHY_OK);
	} else {
		counted = false;
	}
	pthread_mutex_unlock(&j->lock);
	return counted;
}

void gate_journal_admit(struct gate_journal *j, uint64_t key,
			const struct gate_story *story)
{
	struct regular *r;

	pthread_mutex_lock(&j->lock);
	r = find_regular(j, key);
	/* Another worker may have been as quick; then it is counted already. */
	if (r && queue(j, key, story) && r->key != key)
		*r = (struct regular){key, 0, story->time_ms};
	pthread_mutex_unlock(&j->lock);
}
