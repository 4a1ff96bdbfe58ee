/* SPDX-License-Identifier: MIT */
/*
 * See rig.h. Which functions are wrapped is listed in tests/CMakeLists.txt;
 * those of io_uring are in ring.c.
 */
#include "rig.h"

#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/timer.h"

#define PATIENCE_S  30 /* then a play is taken for one that hangs */
#define HOUR_S	    3600
#define MOST_BLOCKS 65536

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
int __lsan_do_recoverable_leak_check(void);
#define LOOK_FOR_LEAKS() __lsan_do_recoverable_leak_check()
#else
#define LOOK_FOR_LEAKS() 0
#endif

extern char __executable_start;

const char *const rig_names[N_RIG] = {
	[RIG_MEMORY] = "memory", [RIG_SHORT] = "short", [RIG_LATER] = "later",
	[RIG_SIGNAL] = "signal", [RIG_RESET] = "reset", [RIG_SYSTEM] = "system",
	[RIG_EARLY] = "early",	 [RIG_HOUR] = "hour",
};

/* What both processes see; its head is public. */
struct rack {
	struct rig face;
	atomic_bool counting, done;
	atomic_long calls;
	enum rig_kind kind;
	long nth;
	size_t n_notes;
	atomic_int hours;
};

static struct rack *rack;
long rig_sample = 48;
uint64_t rig_clock_ms;
struct rig *rig;
static bool on_the_rack; /* in the process of the play */
static pid_t player;

/* ---- what is alive ---- */

static struct block {
	void *at, *where;
} blocks[MOST_BLOCKS];
static long n_blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t place_of(const void *at)
{
	return ((uintptr_t)at >> 4) * 2654435761u % MOST_BLOCKS;
}

/* Open addressing: @at's place, or the free one where it belongs. */
static size_t find_block(const void *at)
{
	size_t i = place_of(at);

	while (blocks[i].at && blocks[i].at != at)
		i = (i + 1) % MOST_BLOCKS;
	return i;
}

static void *born(void *at, void *where)
{
	if (!on_the_rack || !at)
		return at;
	pthread_mutex_lock(&lock);
	if (n_blocks < MOST_BLOCKS / 2) {
		size_t i = find_block(at);

		n_blocks += !blocks[i].at;
		blocks[i] = (struct block){at, where};
	} else {
		rig->unnoted++;
	}
	pthread_mutex_unlock(&lock);
	return at;
}

/* Those behind it in the same row move up. */
static void close_gap(size_t gap)
{
	for (size_t i = (gap + 1) % MOST_BLOCKS; blocks[i].at;
	     i = (i + 1) % MOST_BLOCKS) {
		struct block moved = blocks[i];

		blocks[i].at = NULL;
		blocks[find_block(moved.at)] = moved;
	}
}

static void gone(void *at)
{
	size_t i;

	if (!on_the_rack || !at)
		return;
	pthread_mutex_lock(&lock);
	i = find_block(at);
	if (blocks[i].at) {
		blocks[i].at = NULL;
		n_blocks--;
		close_gap(i);
	}
	pthread_mutex_unlock(&lock);
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---- striking ---- */

bool rig_strikes(enum rig_kind kind)
{
	if (!on_the_rack || kind != rack->kind || !atomic_load(&rack->counting) ||
	    atomic_fetch_add(&rack->calls, 1) != rack->nth)
		return false;
	atomic_store(&rack->done, true);
	rack->face.depth = backtrace(rack->face.stack, RIG_DEPTH);
	errno = ENOMEM; /* of an allocation; others set their own */
	return true;
}

#define HERE __builtin_return_address(0)

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	return rig_strikes(RIG_MEMORY) ? NULL : born(__real_malloc(n), HERE);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return rig_strikes(RIG_MEMORY) ? NULL
				       : born(__real_calloc(n, size), HERE);
}

/* Taken off the list before: afterwards its place may be somebody else's. */
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	void *new;

	if (rig_strikes(RIG_MEMORY))
		return NULL;
	gone(p);
	new = __real_realloc(p, n);
	born(new ? new : p, HERE);
	return new;
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	void *new;

	if (rig_strikes(RIG_MEMORY))
		return NULL;
	gone(p);
	new = __real_reallocarray(p, n, size);
	born(new ? new : p, HERE);
	return new;
}

void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return rig_strikes(RIG_MEMORY)
		       ? NULL
		       : born(__real_aligned_alloc(alignment, n), HERE);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
	return rig_strikes(RIG_MEMORY) ? NULL : born(__real_strdup(s), HERE);
}

char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n)
{
	return rig_strikes(RIG_MEMORY) ? NULL : born(__real_strndup(s, n), HERE);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args);
int __real_vasprintf(char **ret, const char *format, va_list args);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	int n;

	if (rig_strikes(RIG_MEMORY))
		return -1;
	n = __real_vasprintf(ret, format, args);
	if (n >= 0)
		born(*ret, HERE);
	return n;
}

int __wrap_asprintf(char **ret, const char *format, ...);
int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	if (rig_strikes(RIG_MEMORY))
		return -1;
	va_start(args, format);
	n = __real_vasprintf(ret, format, args);
	va_end(args);
	if (n >= 0)
		born(*ret, HERE);
	return n;
}

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	gone(p);
	__real_free(p);
}

void *__real_mmap(void *at, size_t n, int protection, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t n, int protection, int flags, int fd,
		  off_t offset)
{
	if (!rig_strikes(RIG_MEMORY))
		return __real_mmap(at, n, protection, flags, fd, offset);
	errno = ENOMEM;
	return MAP_FAILED;
}

/* ---- reading and writing ---- */

static bool is_socket(int fd)
{
	struct stat about;

	return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

/*
 * What becomes of a call that moves *@len bytes: 0, it is made, with *@len as
 * it is now, or an errno.
 */
static int moved(int fd, size_t *len)
{
	if (!on_the_rack || !*len || !is_socket(fd))
		return 0;
	if (rig_strikes(RIG_SHORT))
		*len = 1;
	if (rig_strikes(RIG_LATER))
		return EAGAIN;
	if (rig_strikes(RIG_SIGNAL))
		return EINTR;
	if (!rig_strikes(RIG_RESET))
		return 0;
	shutdown(fd, SHUT_RDWR); /* gone is gone, in both directions */
	return ECONNRESET;
}

#define MOVE(fd, len, call)                     \
	do {                                    \
		int error_ = moved(fd, &(len)); \
		if (!error_)                    \
			return call;            \
		errno = error_;                 \
		return -1;                      \
	} while (0)

ssize_t __real_recv(int fd, void *to, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t len, int flags)
{
	MOVE(fd, len, __real_recv(fd, to, len, flags));
}

ssize_t __real_send(int fd, const void *from, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t len, int flags)
{
	MOVE(fd, len, __real_send(fd, from, len, flags));
}

ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len)
{
	MOVE(fd, len, __real_read(fd, to, len));
}

ssize_t __real_write(int fd, const void *from, size_t len);
ssize_t __wrap_write(int fd, const void *from, size_t len);
ssize_t __wrap_write(int fd, const void *from, size_t len)
{
	MOVE(fd, len, __real_write(fd, from, len));
}

int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (!rig_strikes(RIG_RESET))
		return __real_connect(fd, to, len);
	errno = ECONNREFUSED;
	return -1;
}

int __real_epoll_wait(int fd, struct epoll_event *events, int most, int ms);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int most, int ms);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int most, int ms)
{
	if (!rig_strikes(RIG_SIGNAL))
		return __real_epoll_wait(fd, events, most, ms);
	errno = EINTR;
	return -1;
}

/* ---- what the system gives ---- */

static bool lacks(int error)
{
	if (!rig_strikes(RIG_SYSTEM))
		return false;
	errno = error;
	return true;
}

#define SYSTEM(type, name, error, parameters, arguments)                  \
	type __real_##name parameters;                                    \
	type __wrap_##name parameters;                                    \
	type __wrap_##name parameters                                     \
	{                                                                 \
		return lacks(error) ? (type)-1 : __real_##name arguments; \
	}

SYSTEM(int, socket, EMFILE, (int a, int b, int c), (a, b, c))
SYSTEM(int, socketpair, EMFILE, (int a, int b, int c, int d[2]), (a, b, c, d))
SYSTEM(int, eventfd, EMFILE, (unsigned a, int b), (a, b))
SYSTEM(int, epoll_create1, EMFILE, (int a), (a))
SYSTEM(int, timerfd_create, EMFILE, (int a, int b), (a, b))
SYSTEM(int, signalfd, EMFILE, (int a, const sigset_t *b, int c), (a, b, c))
SYSTEM(int, bind, EADDRINUSE, (int a, const struct sockaddr *b, socklen_t c),
       (a, b, c))
SYSTEM(int, listen, EADDRINUSE, (int a, int b), (a, b))
SYSTEM(int, accept4, EMFILE, (int a, struct sockaddr *b, socklen_t *c, int d),
       (a, b, c, d))
SYSTEM(int, mkdir, EACCES, (const char *a, mode_t b), (a, b))
SYSTEM(int, mkostemp, EACCES, (char *a, int b), (a, b))
SYSTEM(int, rename, EIO, (const char *a, const char *b), (a, b))
SYSTEM(int, ftruncate, EIO, (int a, off_t b), (a, b))

int __real_open(const char *name, int flags, mode_t mode);
int __wrap_open(const char *name, int flags, mode_t mode);
int __wrap_open(const char *name, int flags, mode_t mode)
{
	return lacks(EMFILE) ? -1 : __real_open(name, flags, mode);
}

int __real_openat(int at, const char *name, int flags, mode_t mode);
int __wrap_openat(int at, const char *name, int flags, mode_t mode);
int __wrap_openat(int at, const char *name, int flags, mode_t mode)
{
	return lacks(EMFILE) ? -1 : __real_openat(at, name, flags, mode);
}

FILE *__real_fopen(const char *name, const char *mode);
FILE *__wrap_fopen(const char *name, const char *mode);
FILE *__wrap_fopen(const char *name, const char *mode)
{
	return lacks(EMFILE) ? NULL : __real_fopen(name, mode);
}

FILE *__real_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode)
{
	return lacks(ENOMEM) ? NULL : __real_fdopen(fd, mode);
}

DIR *__real_opendir(const char *name);
DIR *__wrap_opendir(const char *name);
DIR *__wrap_opendir(const char *name)
{
	return lacks(EMFILE) ? NULL : __real_opendir(name);
}

char *__real_realpath(const char *name, char *to);
char *__wrap_realpath(const char *name, char *to);
char *__wrap_realpath(const char *name, char *to)
{
	return lacks(ENOMEM) ? NULL : __real_realpath(name, to);
}

/* Only to begin with a descriptor can fail. */
int __real_epoll_ctl(int at, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int at, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int at, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && lacks(ENOMEM))
		return -1;
	return __real_epoll_ctl(at, op, fd, event);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*run)(void *), void *arg)
{
	return lacks(EAGAIN) ? EAGAIN
			     : __real_pthread_create(thread, attr, run, arg);
}

/* ---- time ---- */

void __real_ses_timers_fire(struct ses_timers *t, uint64_t now_ms);
void __wrap_ses_timers_fire(struct ses_timers *t, uint64_t now_ms);
void __wrap_ses_timers_fire(struct ses_timers *t, uint64_t now_ms)
{
	if (t->n > 0 && rig_strikes(RIG_EARLY))
		now_ms = UINT64_MAX;
	__real_ses_timers_fire(t, now_ms);
}

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int r = __real_clock_gettime(clock, now);

	if (clock != CLOCK_MONOTONIC || !on_the_rack)
		return r;
	if (rig_clock_ms)
		*now = (struct timespec){(time_t)(rig_clock_ms / 1000),
					 (long)(rig_clock_ms % 1000) * 1000000};
	if (rig_strikes(RIG_HOUR))
		atomic_fetch_add(&rack->hours, 1);
	now->tv_sec += atomic_load(&rack->hours) * HOUR_S;
	return r;
}

/* ---- the play ---- */

void rig_strike(void)
{
	atomic_store(&rack->counting, true);
}

void rig_spare(void)
{
	atomic_store(&rack->counting, false);
}

void rig_note(const char *format, ...)
{
	size_t room = RIG_NOTES - rack->n_notes;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(rig->notes + rack->n_notes, room, format, args);
	va_end(args);
	if (n > 0)
		rack->n_notes += (size_t)n < room ? (size_t)n : room - 1;
}

static void look_for_leaks(void)
{
	rig->leaks = n_blocks;
	for (size_t i = 0; n_blocks && i < MOST_BLOCKS; i++)
		if (blocks[i].at)
			rig->leaked = blocks[i].where;
	if (!rig->leaks)
		rig->leaks = LOOK_FOR_LEAKS();
}

static void run_and_exit(bool later, rig_play play, void *arg)
{
	void *warm[2];
	int before, status;

	signal(SIGALRM, SIG_DFL);
	alarm(PATIENCE_S);
	backtrace(warm, 2); /* it loads a library when it is first called */
	before = open_files();
	on_the_rack = true;
	atomic_store(&rack->counting, !later);
	status = play(arg);
	rig_spare();
	rig->files = open_files() - before;
	fflush(stdout);
	fflush(stderr);
	look_for_leaks();
	_exit(status);
}

static void set_up(void)
{
	if (rack)
		return;
	rack = mmap(NULL, sizeof(*rack), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rack == MAP_FAILED)
		abort();
	rig = &rack->face;
}

void rig_start(enum rig_kind kind, long nth, bool later, rig_play play,
	       void *arg)
{
	set_up();
	memset(rack, 0, sizeof(*rack));
	rack->kind = kind;
	rack->nth = nth;
	fflush(stdout);
	player = fork();
	assert_true(player >= 0);
	if (player == 0)
		run_and_exit(later, play, arg);
}

/* Whether it has ended. */
static bool look_at_player(int options)
{
	pid_t r;

	if (!player)
		return true;
	do {
		r = waitpid(player, &rig->status, options);
	} while (r < 0 && errno == EINTR);
	assert_true(r >= 0);
	if (r == 0)
		return false;
	player = 0;
	rig->ended = true;
	return true;
}

void rig_wait(void)
{
	look_at_player(0);
	rig->calls = atomic_load(&rack->calls);
	rig->struck = atomic_load(&rack->done);
}

bool rig_has_ended(void)
{
	return look_at_player(WNOHANG);
}

void rig_signal(int signal)
{
	if (!rig_has_ended())
		kill(player, signal);
}

void rig_run(enum rig_kind kind, long nth, rig_play play, void *arg)
{
	rig_start(kind, nth, false, play, arg);
	rig_wait();
}

/* ---- all places ---- */

void rig_each(enum rig_kind kind,
	      bool (*each)(enum rig_kind kind, long nth, void *arg), void *arg)
{
	const char *which = getenv("SESAME_TORTURE");
	size_t len = strlen(rig_names[kind]);
	long calls, most, step;

	each(kind, -1, arg);
	if (which && strcmp(which, "all") != 0) {
		if (strncmp(which, rig_names[kind], len) == 0 &&
		    which[len] == ':')
			each(kind, atol(which + len + 1), arg);
		return;
	}
	calls = rig->calls;
	most = which ? 4 * calls + 1000 : calls; /* or until none is struck */
	step = which || calls <= rig_sample ? 1 : calls / rig_sample;
	for (long nth = 0; nth < most && each(kind, nth, arg); nth += step)
		;
}

/* ---- the verdict ---- */

/* Its arguments for addr2line, which knows the lines. */
static void print_stack(FILE *f, void *const *stack, int depth)
{
	for (int i = 0; i < depth; i++)
		fprintf(f, " 0x%zx",
			(size_t)((char *)stack[i] - &__executable_start));
	fputc('\n', f);
}

void rig_fail(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "%s\n", text);
	if (rig->struck) {
		fprintf(stderr, "SESAME_TORTURE=%s:%ld, struck at",
			rig_names[rack->kind], rack->nth);
		print_stack(stderr, rig->stack, rig->depth);
	}
	if (rig->leaks) {
		fprintf(stderr, "%ld left over, one from", rig->leaks);
		print_stack(stderr, &rig->leaked, 1);
	}
	fprintf(stderr, "notes:\n%s\n", rig->notes);
	if (getenv("SESAME_TORTURE_GO_ON"))
		return;
	fail_msg("%s", text);
}

void rig_check_end(void)
{
	if (!rig->ended)
		rig_fail("nobody saw it end");
	else if (WIFSIGNALED(rig->status))
		rig_fail("ended by signal %d%s", WTERMSIG(rig->status),
			 WTERMSIG(rig->status) == SIGALRM ? ": it hung" : "");
	else if (rig->unnoted)
		rig_fail(
			"%ld blocks were too many to be noted: MOST_BLOCKS has "
			"to grow",
			rig->unnoted);
	else if (rig->leaks)
		rig_fail("memory was left over");
	else if (rig->files)
		rig_fail("%d descriptors were left open", rig->files);
}
