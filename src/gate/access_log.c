/* SPDX-License-Identifier: MIT */
/* Two buffers take turns: workers fill one while the thread writes the other. */
#include "gate/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/log.h"
#include "net/clock.h"

#define QUEUE_BYTES ((size_t)1024 * 1024)
#define STEP_BYTES  ((size_t)4096) /* a pipe that has room takes these whole */
#define POLL_MS	    100
#define PATIENCE_MS 1000 /* for the last lines */
#define COMPLAIN_MS 60000
#define NOWHERE	    (-2) /* instead of a file: nothing is written any more */

struct gate_access_log {
	pthread_t thread;
	_Atomic enum gate_log_mode mode;
	atomic_bool json;
	atomic_ullong left_out; /* in all */
	pthread_mutex_t lock;	/* for all that follows */
	pthread_cond_t work;
	char *filling, *writing; /* QUEUE_BYTES each */
	size_t n_filling;
	char *file; /* NULL: a standard stream, or none */
	int fd;	    /* written to; below 0: nothing is */
	int next;   /* to be used instead from now on; -1: none, or NOWHERE */
	uint64_t left_out_told;
	bool closing;
	uint64_t give_up_ms;	/* while closing */
	uint64_t complained_ms; /* of the thread */
};

/* ---- In the thread ---- */

static bool is_time_up(struct gate_access_log *log)
{
	bool up;

	pthread_mutex_lock(&log->lock);
	up = log->closing && ses_clock_steady_ms() >= log->give_up_ms;
	pthread_mutex_unlock(&log->lock);
	return up;
}

static void complain(struct gate_access_log *log, int sys_errno)
{
	uint64_t now = ses_clock_steady_ms();

	if (log->complained_ms && now - log->complained_ms < COMPLAIN_MS)
		return;
	log->complained_ms = now;
	gate_log("sesame: the access log cannot be written: %s",
		 strerror(sys_errno));
}

/* Write all of it, or return false when that cannot be. */
static bool write_out(struct gate_access_log *log, int fd, const char *data,
		      size_t len)
{
	while (len) {
		struct pollfd out = {.fd = fd, .events = POLLOUT};
		ssize_t n;

		if (poll(&out, 1, POLL_MS) <= 0) {
			if (is_time_up(log))
				return false;
			continue;
		}
		n = write(fd, data, len < STEP_BYTES ? len : STEP_BYTES);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			complain(log, errno);
			return false;
		}
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static size_t count_lines(const char *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '\n';
	return n;
}

static void tell_left_out(struct gate_access_log *log, int fd)
{
	uint64_t all = atomic_load(&log->left_out);
	struct gate_line line;
	struct bytes text;

	if (all == log->left_out_told)
		return;
	gate_line_begin(&line, atomic_load(&log->json), ses_clock_wall_ms(),
			"left_out");
	gate_line_number(&line, "lines", all - log->left_out_told);
	text = gate_line_end(&line);
	if (write_out(log, fd, (const char *)text.data, text.len))
		log->left_out_told = all;
}

static void close_fd(int fd)
{
	if (fd > STDERR_FILENO)
		close(fd);
}

/* With the lock held; without it while it writes. */
static void write_turn(struct gate_access_log *log)
{
	char *full = log->filling;
	size_t n = log->n_filling;
	int fd = log->fd;

	log->filling = log->writing;
	log->writing = full;
	log->n_filling = 0;
	pthread_mutex_unlock(&log->lock);
	if (fd >= 0 && write_out(log, fd, full, n))
		tell_left_out(log, fd);
	else if (fd >= 0)
		atomic_fetch_add(&log->left_out, count_lines(full, n));
	pthread_mutex_lock(&log->lock);
}

static void change_over(struct gate_access_log *log)
{
	close_fd(log->fd);
	log->fd = log->next;
	log->next = -1;
}

/*
 * Lines may never stop coming, so another file is taken from the next turn on,
 * with what is queued by then. Where no lines come any more, all are written
 * before the file is let go.
 */
static bool changes_over(const struct gate_access_log *log)
{
	return log->next >= 0 || (log->next == NOWHERE && !log->n_filling);
}

static void *write_on(void *user)
{
	struct gate_access_log *log = user;

	pthread_mutex_lock(&log->lock);
	while (log->n_filling || !log->closing) {
		if (changes_over(log))
			change_over(log);
		if (log->n_filling)
			write_turn(log);
		else
			pthread_cond_wait(&log->work, &log->lock);
	}
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* ---- In the thread of the house ---- */

struct gate_access_log *gate_access_log_new(void)
{
	struct gate_access_log *log = calloc(1, sizeof(*log));
	sigset_t all, before;
	int r = ENOMEM;

	if (!log)
		return NULL;
	log->fd = log->next = -1;
	log->filling = malloc(QUEUE_BYTES);
	log->writing = malloc(QUEUE_BYTES);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->work, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (log->filling && log->writing)
		r = pthread_create(&log->thread, NULL, write_on, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r == 0)
		return log;
	free(log->filling);
	free(log->writing);
	free(log);
	errno = r;
	return NULL;
}

static int open_file(const char *file)
{
	/* no O_NONBLOCK for files; a FIFO without a reader must not hold us */
	return open(file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			    O_NONBLOCK,
		    0640);
}

/* The thread goes on with @fd once it has written what it is writing. */
static void go_on_with(struct gate_access_log *log, int fd)
{
	pthread_mutex_lock(&log->lock);
	close_fd(log->next);
	log->next = fd;
	pthread_cond_signal(&log->work);
	pthread_mutex_unlock(&log->lock);
}

static void set_file(struct gate_access_log *log, const char *file)
{
	char *copy = file ? strdup(file) : NULL;

	pthread_mutex_lock(&log->lock);
	free(log->file);
	log->file = copy;
	pthread_mutex_unlock(&log->lock);
}

/* As open_file(); *ret_made: it was not there before. */
static int open_or_make(const char *file, bool *ret_made)
{
	bool there = access(file, F_OK) == 0;
	int fd = open_file(file);

	*ret_made = !there && fd >= 0;
	return fd;
}

bool gate_access_log_open(const struct gate_policy *policy,
			  struct gate_log_target *ret, char *text,
			  size_t text_size)
{
	const char *name = policy->log_file;

	*ret = (struct gate_log_target){.fd = NOWHERE};
	if (!name || !*name)
		return true;
	if (strcmp(name, "stdout") == 0) {
		ret->fd = STDOUT_FILENO;
	} else if (strcmp(name, "stderr") == 0) {
		ret->fd = STDERR_FILENO;
	} else {
		ret->file = name;
		ret->fd = open_or_make(name, &ret->made);
	}
	if (ret->fd >= 0)
		return true;
	snprintf(text, text_size, "the log %s cannot be opened: %s", name,
		 strerror(errno));
	return false;
}

void gate_access_log_drop(const struct gate_log_target *target)
{
	close_fd(target->fd);
	if (target->made)
		unlink(target->file);
}

void gate_access_log_take(struct gate_access_log *log,
			  const struct gate_policy *policy,
			  const struct gate_log_target *target)
{
	const char *name = policy->log_file;
	enum gate_log_mode mode = !name	   ? GATE_LOG_REFUSALS
				  : !*name ? GATE_LOG_NOTHING
					   : GATE_LOG_LINES;

	if (mode == GATE_LOG_LINES)
		go_on_with(log, target->fd);
	set_file(log, target->file);
	atomic_store(&log->json, policy->log_format == GATE_LOG_JSON);
	atomic_store(&log->mode, mode);
	if (mode != GATE_LOG_LINES)
		go_on_with(log, NOWHERE);
}

bool gate_access_log_set(struct gate_access_log *log,
			 const struct gate_policy *policy, char *text,
			 size_t text_size)
{
	struct gate_log_target target;

	if (!gate_access_log_open(policy, &target, text, text_size))
		return false;
	gate_access_log_take(log, policy, &target);
	return true;
}

void gate_access_log_reopen(struct gate_access_log *log)
{
	int fd;

	if (!log->file)
		return;
	fd = open_file(log->file);
	if (fd >= 0) {
		go_on_with(log, fd);
		gate_log("sesame: opened %s again", log->file);
	} else {
		gate_log("sesame: %s cannot be opened again: %s; the old one "
			 "is written on",
			 log->file, strerror(errno));
	}
}

void gate_access_log_free(struct gate_access_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->closing = true;
	log->give_up_ms = ses_clock_steady_ms() + PATIENCE_MS;
	pthread_cond_signal(&log->work);
	pthread_mutex_unlock(&log->lock);
	pthread_join(log->thread, NULL);
	close_fd(log->fd);
	close_fd(log->next);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->work);
	free(log->filling);
	free(log->writing);
	free(log->file);
	free(log);
}

/* ---- For all threads ---- */

enum gate_log_mode gate_access_log_mode(const struct gate_access_log *log)
{
	return atomic_load_explicit(&log->mode, memory_order_relaxed);
}

bool gate_access_log_is_json(const struct gate_access_log *log)
{
	return atomic_load_explicit(&log->json, memory_order_relaxed);
}

void gate_access_log_add(struct gate_access_log *log, struct bytes line)
{
	bool room;

	pthread_mutex_lock(&log->lock);
	room = line.len <= QUEUE_BYTES - log->n_filling;
	if (room) {
		memcpy(log->filling + log->n_filling, line.data, line.len);
		if (log->n_filling == 0)
			pthread_cond_signal(&log->work);
		log->n_filling += line.len;
	}
	pthread_mutex_unlock(&log->lock);
	if (!room)
		atomic_fetch_add(&log->left_out, 1);
}

bool gate_access_log_has_room(struct gate_access_log *log)
{
	bool room;

	pthread_mutex_lock(&log->lock);
	room = QUEUE_BYTES - log->n_filling >= GATE_LINE_BYTES;
	pthread_mutex_unlock(&log->lock);
	if (!room)
		atomic_fetch_add(&log->left_out, 1);
	return room;
}

uint64_t gate_access_log_left_out(const struct gate_access_log *log)
{
	return atomic_load(&log->left_out);
}
