/* SPDX-License-Identifier: MIT */
/* The loop: when it returns, what stops it, and its place in other loops. */
#include "net/loop.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/listener.h"
#include "net/open_files.h"
#include "test.h"

static struct sesame_loop *loop;
static unsigned fired;

static void fire(void *none)
{
	fired++;
}

static void stop(void *none)
{
	sesame_loop_stop(loop);
}

TEST("a loop with nothing to wait for returns at once")
{
	loop = sesame_loop_new();
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_int_equal(sesame_loop_turn(loop, 0), 0);
	sesame_loop_free(loop);
	sesame_loop_free(NULL);
}

TEST("the loop runs as long as timers run; a stopped one does not count")
{
	struct sesame_timer *t;

	fired = 0;
	loop = sesame_loop_new();
	assert_non_null(sesame_timer_start(loop, 0, fire, NULL));
	assert_non_null(sesame_timer_start(loop, 5, fire, NULL));
	t = sesame_timer_start(loop, 100000, fire, NULL);
	sesame_timer_stop(t);
	sesame_timer_stop(NULL);
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_int_equal(fired, 2);
	sesame_loop_free(loop);
}

#ifndef SES_NO_SPARES
static void note_spares(void *user)
{
	*(size_t *)user = ses_buf_spare_bytes();
}

static void fire_each_tenth(void *user)
{
	if (++*(int *)user < 23)
		sesame_timer_start(loop, 100, fire_each_tenth, user);
}

TEST("big blocks that nobody takes for a second or two go back to the system")
{
	size_t early, late;
	struct ses_buf b;
	int n = 0;

	loop = sesame_loop_new();
	fire_each_tenth(&n);
	ses_buf_init(&b, SIZE_MAX);
	assert_non_null(ses_buf_room(&b, 1 << 20));
	ses_buf_fini(&b);
	sesame_timer_start(loop, 50, note_spares, &early);
	sesame_timer_start(loop, 2200, note_spares, &late);
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_true(early >= 1 << 20);
	assert_int_equal(late, 0);
	sesame_loop_free(loop);
}
#endif

TEST("stop ends a run from within, before it, and by a signal")
{
	struct sesame_timer *far;

	loop = sesame_loop_new();
	far = sesame_timer_start(loop, 1000000, fire, NULL);
	sesame_timer_start(loop, 0, stop, NULL);
	assert_int_equal(sesame_loop_run(loop), 0);
	sesame_loop_stop(loop);
	assert_int_equal(sesame_loop_run(loop), 0);
	sesame_timer_stop(far);
	sesame_loop_free(loop);
}

TEST("a stop is for one run: turns wait again after it")
{
	uint64_t before;

	loop = sesame_loop_new();
	sesame_loop_stop(loop);
	sesame_loop_turn(loop, -1); /* returns, because the stop woke it */
	before = sesame_loop_now_ms(loop);
	sesame_loop_turn(loop, 20);
	assert_true(sesame_loop_now_ms(loop) >= before + 19);
	sesame_loop_free(loop);
}

static void on_alarm(int number)
{
	sesame_loop_stop(loop);
}

TEST("stop is heard from a signal handler while the loop waits")
{
	struct sesame_timer *far;

	loop = sesame_loop_new();
	far = sesame_timer_start(loop, 1000000, fire, NULL);
	signal(SIGALRM, on_alarm);
	ualarm(20000, 0);
	assert_int_equal(sesame_loop_run(loop), 0);
	signal(SIGALRM, SIG_DFL);
	sesame_timer_stop(far);
	sesame_loop_free(loop);
}

static void *stop_by_thread(void *arg)
{
	usleep(10000);
	sesame_loop_stop(loop);
	return NULL;
}

TEST("stop is heard from another thread")
{
	struct sesame_timer *far;
	pthread_t thread;

	loop = sesame_loop_new();
	far = sesame_timer_start(loop, 1000000, fire, NULL);
	pthread_create(&thread, NULL, stop_by_thread, NULL);
	assert_int_equal(sesame_loop_run(loop), 0);
	pthread_join(thread, NULL);
	sesame_timer_stop(far);
	sesame_loop_free(loop);
}

static struct sesame_watch *watch;
static int pipe_fds[2];

static void read_and_stop(void *none)
{
	char c;

	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	fired++;
	sesame_watch_stop(watch);
}

TEST("a watch tells when a descriptor can be read, and may end within")
{
	fired = 0;
	loop = sesame_loop_new();
	assert_int_equal(pipe(pipe_fds), 0);
	watch = sesame_watch_start(loop, pipe_fds[0], read_and_stop, NULL);
	assert_non_null(watch);
	sesame_loop_turn(loop, 0);
	assert_int_equal(fired, 0);
	assert_int_equal(write(pipe_fds[1], "xy", 2), 2);
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_int_equal(fired, 1);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	sesame_loop_free(loop);
}

static struct sesame_watch *rivals[2];

static void stop_the_other(void *user)
{
	size_t me = user == &rivals[1];

	fired++;
	sesame_watch_stop(rivals[!me]);
	rivals[!me] = NULL;
}

TEST("of two watches that stop each other only one is told, in one turn")
{
	int copies[2];

	fired = 0;
	loop = sesame_loop_new();
	assert_int_equal(pipe(pipe_fds), 0);
	copies[0] = dup(pipe_fds[0]);
	copies[1] = dup(pipe_fds[0]);
	for (int i = 0; i < 2; i++)
		rivals[i] = sesame_watch_start(loop, copies[i], stop_the_other,
					       &rivals[i]);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	sesame_loop_turn(loop, 0);
	assert_int_equal(fired, 1);
	assert_int_equal(loop->n_watched, 1);
	for (int i = 0; i < 2; i++)
		sesame_watch_stop(rivals[i]);
	close(copies[0]);
	close(copies[1]);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	sesame_loop_free(loop);
}

TEST("a plain file cannot be watched, and the answer says so")
{
	int fd = open("/proc/self/exe", O_RDONLY);

	loop = sesame_loop_new();
	assert_null(sesame_watch_start(loop, fd, fire, NULL));
	assert_int_equal(loop->n_watched, 0);
	sesame_loop_free(loop);
	close(fd);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

TEST("the loop's descriptor rings for timers, also for those started later")
{
	int fd;

	fired = 0;
	loop = sesame_loop_new();
	fd = sesame_loop_fd(loop);
	assert_int_equal(sesame_loop_fd(loop), fd);
	assert_false(is_readable(fd, 0));
	sesame_timer_start(loop, 10, fire, NULL);
	assert_true(is_readable(fd, 5000));
	while (!fired)
		sesame_loop_turn(loop, 0);
	sesame_loop_turn(loop, 0);
	assert_false(is_readable(fd, 0));
	assert_int_equal(sesame_loop_run(loop), 0);
	sesame_loop_free(loop);
}

/* ---- work in threads ---- */

static sem_t may_go;
static unsigned freed, done;
static char user[] = "user";
static pthread_mutex_t freeing = PTHREAD_MUTEX_INITIALIZER;

static void wait_for_leave(void *job)
{
	sem_wait(&may_go);
}

static void quick(void *job)
{
	++*(int *)job;
}

static void count_done(void *job, void *who)
{
	done++;
	assert_int_equal(*(int *)job, 8);
	assert_ptr_equal(who, user);
}

static void free_job(void *job)
{
	pthread_mutex_lock(&freeing);
	freed++;
	pthread_mutex_unlock(&freeing);
	free(job);
}

static unsigned freed_now(void)
{
	unsigned n;

	pthread_mutex_lock(&freeing);
	n = freed;
	pthread_mutex_unlock(&freeing);
	return n;
}

static void *new_job(void)
{
	int *job = malloc(sizeof(*job));

	*job = 7;
	return job;
}

TEST("200 calls are done by threads, and told in the loop's thread")
{
	freed = done = 0;
	loop = sesame_loop_new();
	for (int i = 0; i < 200; i++)
		assert_non_null(ses_call_start(loop, quick, count_done,
					       free_job, new_job(), user));
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_int_equal(done, 200);
	assert_int_equal(freed_now(), 200);
	sesame_loop_free(loop);
}

TEST("a call that hangs hangs nobody: cancelled, even with its loop freed")
{
	struct ses_call *calls[70];

	freed = done = 0;
	sem_init(&may_go, 0, 0);
	loop = sesame_loop_new();
	for (int i = 0; i < 70; i++)
		calls[i] = ses_call_start(loop, wait_for_leave, count_done,
					  free_job, new_job(), user);
	for (int i = 0; i < 70; i++)
		ses_call_cancel(calls[i]);
	assert_int_equal(freed_now(), 6); /* the ones that had no thread yet */
	assert_int_equal(sesame_loop_run(loop), 0);
	sesame_loop_free(loop);
	for (int i = 0; i < 64; i++)
		sem_post(&may_go);
	for (int i = 0; i < 5000 && freed_now() < 70; i++)
		usleep(1000);
	assert_int_equal(freed_now(), 70);
	assert_int_equal(done, 0);
	sem_destroy(&may_go);
}

/*
 * Stands before the system's: threads that cannot be had, when the test says
 * so.
 */
static bool no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*run)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		    void *);

	if (no_threads)
		return EAGAIN;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	return real(thread, attr, run, arg);
}

static void wait_and_work(void *job)
{
	wait_for_leave(job);
	quick(job);
}

static unsigned unworked;

static void count_unworked(void *job, void *who)
{
	done++;
	unworked += *(int *)job == 7;
}

TEST("a call that waited and gets no thread is told all the same")
{
	freed = done = 0;
	sem_init(&may_go, 0, 0);
	loop = sesame_loop_new();
	for (int i = 0; i < 66; i++)
		assert_non_null(ses_call_start(loop, wait_and_work,
					       count_unworked, free_job,
					       new_job(), user));
	no_threads = true;
	for (int i = 0; i < 64; i++)
		sem_post(&may_go);
	assert_int_equal(sesame_loop_run(loop), 0);
	no_threads = false;
	assert_int_equal(done, 66);
	assert_int_equal(unworked, 2);
	assert_int_equal(freed_now(), 66);
	sesame_loop_free(loop);
	sem_destroy(&may_go);
}

static int inner_turn, inner_run;

static void turn_inside(void *nothing)
{
	inner_turn = sesame_loop_turn(loop, 0);
	inner_run = sesame_loop_run(loop);
}

TEST("a loop does not turn inside of its own turn")
{
	loop = sesame_loop_new();
	assert_non_null(sesame_timer_start(loop, 0, turn_inside, NULL));
	assert_int_equal(sesame_loop_run(loop), 0);
	assert_int_equal(inner_turn, SESAME_EINVAL);
	assert_int_equal(inner_run, SESAME_EINVAL);
	sesame_loop_free(loop);
}

TEST("a descriptor is watched once, and a second watch is refused")
{
	struct sesame_watch *first;
	int fds[2];

	loop = sesame_loop_new();
	assert_int_equal(pipe(fds), 0);
	first = sesame_watch_start(loop, fds[0], turn_inside, NULL);
	assert_non_null(first);
	assert_null(sesame_watch_start(loop, fds[0], turn_inside, NULL));
	sesame_watch_stop(first);
	close(fds[0]);
	close(fds[1]);
	sesame_loop_free(loop);
}

/* ---- listeners ---- */

static unsigned accepted;
static int short_of;

static void count_accept(struct ses_listener *l, int fd,
			 const struct ses_addr *from)
{
	char text[SES_ADDR_TEXT];

	accepted++;
	assert_memory_equal(ses_addr_format(from, text), "127.0.0.1:", 10);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

static void close_within(struct ses_listener *l, int fd,
			 const struct ses_addr *from)
{
	accepted++;
	close(fd);
	ses_listener_close(l);
	free(l);
}

static void note_short(struct ses_listener *l, int sys_errno)
{
	short_of = sys_errno;
}

static struct ses_listener *listen_here(void)
{
	struct ses_listener *l = malloc(sizeof(*l));
	struct ses_addr at;

	assert_true(ses_addr_parse(BYTES("127.0.0.1"), 0, &at));
	assert_int_equal(ses_listener_open(l, loop, &at, false), 0);
	assert_int_not_equal(ses_addr_port(&l->at), 0);
	l->on_accept = count_accept;
	l->on_short = note_short;
	return l;
}

static int connect_to(const struct ses_listener *l)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, &l->at.any, l->at.len), 0);
	return fd;
}

TEST("a listener accepts all who wait, and may be closed while accepting")
{
	size_t before = open_files();
	struct ses_listener *l;
	int fds[5];

	accepted = 0;
	loop = sesame_loop_new();
	l = listen_here();
	for (int i = 0; i < 5; i++)
		fds[i] = connect_to(l);
	sesame_loop_turn(loop, 0);
	assert_int_equal(accepted, 5);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	l->on_accept = close_within;
	fds[0] = connect_to(l);
	fds[1] = connect_to(l);
	sesame_loop_turn(loop, 0);
	assert_int_equal(accepted, 6);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(sesame_loop_run(loop), 0);
	sesame_loop_free(loop);
	assert_int_equal(open_files(), before);
}

TEST("out of descriptors the listener rests, then accepts again")
{
	struct rlimit before, few;
	struct ses_listener *l;
	int fd;

	accepted = 0;
	short_of = 0;
	loop = sesame_loop_new();
	l = listen_here();
	fd = connect_to(l);
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = (rlim_t)fd + 1; /* all below are taken */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 5; i++)
		sesame_loop_turn(loop, 0);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(short_of, EMFILE);
	assert_int_equal(accepted, 0);
	assert_true(ses_timer_running(&l->rest));
	while (!accepted)
		sesame_loop_turn(loop, 1000);
	close(fd);
	ses_listener_close(l);
	free(l);
	sesame_loop_free(loop);
}

TEST("an address in use is told by errno")
{
	struct ses_listener *l, other;

	loop = sesame_loop_new();
	l = listen_here();
	assert_int_equal(ses_listener_open(&other, loop, &l->at, false),
			 SESAME_ESYSTEM);
	assert_int_equal(errno, EADDRINUSE);
	ses_listener_close(l);
	free(l);
	sesame_loop_free(loop);
}

struct posted {
	struct sesame_loop *loop;
	struct ses_post post;
	int n;
};

static void note_post(void *arg)
{
	struct posted *p = arg;

	/* at once again: from here on its place is free */
	if (++p->n == 1)
		ses_loop_post_own(p->loop, &p->post, note_post, p);
}

static void *post_twice(void *arg)
{
	struct posted *p = arg;

	ses_loop_post_own(p->loop, &p->post, note_post, p);
	ses_loop_post_own(p->loop, &p->post, note_post, p);
	return NULL;
}

TEST("a post of one's own is run once for all times that it was posted")
{
	struct posted p = {.loop = sesame_loop_new()};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_twice, &p), 0);
	pthread_join(thread, NULL);
	for (int i = 0; i < 4; i++)
		sesame_loop_turn(p.loop, 0);
	assert_int_equal(p.n, 2);
	/* one that was taken back is not run */
	post_twice(&p);
	ses_loop_unpost(p.loop, &p.post);
	sesame_loop_turn(p.loop, 0);
	ses_loop_unpost(p.loop, &p.post);
	assert_int_equal(p.n, 2);
	/* one that waits when the loop goes is left alone */
	post_twice(&p);
	sesame_loop_free(p.loop);
	assert_int_equal(p.n, 2);
}
