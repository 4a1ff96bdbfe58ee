/* SPDX-License-Identifier: MIT */
/*
 * Work that blocks (name resolution), done in threads of its own. A resolver
 * may hang for minutes, so nobody ever waits for a thread: threads are
 * detached, own their job, and leave the result in a mailbox that lives as
 * long as the loop or any thread needs it.
 */
#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST_THREADS 64
#define STACK_BYTES  (1024 * 1024)

struct ses_mailbox {
	pthread_mutex_t lock; /* guards everything that follows */
	int wake_fd;	      /* of the loop; -1 when that is gone */
	unsigned users;	      /* the loop and the threads */
	unsigned threads;
	struct ses_list done;
	struct ses_list posts;
	uint64_t n_posted;	 /* since it is there */
	struct ses_list waiting; /* touched by the loop's thread alone */
};

enum call_state { WAITING, RUNNING, DONE };

struct ses_call {
	struct ses_list link;
	struct sesame_loop *loop; /* not to be used by the thread */
	struct ses_mailbox *box;
	enum call_state state;
	bool cancelled;
	void (*work)(void *job);
	void (*done)(void *job, void *user);
	void (*free_job)(void *job);
	void *job, *user;
};

/* Up to number @last. */
static struct ses_post *next_post(struct ses_mailbox *box, uint64_t last)
{
	struct ses_list *link = ses_list_first(&box->posts);
	struct ses_post *post;

	if (!link)
		return NULL;
	post = ses_container_of(link, struct ses_post, link);
	if (post->number > last)
		return NULL;
	ses_list_remove(link);
	post->waits = false;
	return post;
}

/* Called with the lock held, which is given up. */
static void leave_mailbox(struct ses_mailbox *box)
{
	bool last = --box->users == 0;

	pthread_mutex_unlock(&box->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&box->lock);
	free(box);
}

static void free_call(struct ses_call *call)
{
	if (call->free_job)
		call->free_job(call->job);
	free(call);
}

static void *run_call(void *arg)
{
	struct ses_call *call = arg;
	struct ses_mailbox *box = call->box;
	struct ses_call *unwanted = NULL;
	uint64_t one = 1;

	call->work(call->job);
	pthread_mutex_lock(&box->lock);
	box->threads--;
	if (call->cancelled) {
		unwanted = call;
	} else {
		call->state = DONE;
		ses_list_append(&box->done, &call->link);
	}
	if (box->wake_fd >= 0 && write(box->wake_fd, &one, sizeof(one)) < 0)
		one = 0; /* full: it is awake */
	leave_mailbox(box);
	if (unwanted)
		free_call(unwanted);
	return NULL;
}

/* Signals are for the threads of the program, not for ours. */
static bool start_thread(struct ses_call *call)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&thread, &attr, run_call, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return error == 0;
}

/* Give a call to a thread, unless there are too many already. */
static bool launch(struct ses_call *call)
{
	struct ses_mailbox *box = call->box;
	bool may;

	pthread_mutex_lock(&box->lock);
	may = box->threads < MOST_THREADS;
	if (may) {
		box->threads++;
		box->users++;
		call->state = RUNNING;
	}
	pthread_mutex_unlock(&box->lock);
	if (!may || start_thread(call))
		return may;
	pthread_mutex_lock(&box->lock);
	box->threads--;
	call->state = WAITING;
	leave_mailbox(box);
	return false;
}

static bool any_thread(struct ses_mailbox *box)
{
	bool any;

	pthread_mutex_lock(&box->lock);
	any = box->threads > 0;
	pthread_mutex_unlock(&box->lock);
	return any;
}

struct ses_call *ses_call_start(struct sesame_loop *loop,
				void (*work)(void *job),
				void (*done)(void *job, void *user),
				void (*free_job)(void *job), void *job,
				void *user)
{
	struct ses_mailbox *box = loop->mailbox;
	struct ses_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	*call = (struct ses_call){.loop = loop,
				  .box = box,
				  .work = work,
				  .done = done,
				  .free_job = free_job,
				  .job = job,
				  .user = user};
	ses_list_init(&call->link);
	if (!launch(call)) {
		if (!any_thread(box)) { /* nobody would ever take it up */
			free(call);
			return NULL;
		}
		ses_list_append(&box->waiting, &call->link);
	}
	loop->n_watched++;
	return call;
}

void ses_call_cancel(struct ses_call *call)
{
	struct ses_mailbox *box = call->box;
	bool running;

	call->loop->n_watched--;
	pthread_mutex_lock(&box->lock);
	running = call->state == RUNNING;
	if (running)
		call->cancelled = true; /* the thread will free it */
	else
		ses_list_remove(&call->link);
	pthread_mutex_unlock(&box->lock);
	if (!running)
		free_call(call);
}

static struct ses_call *next_done(struct ses_mailbox *box)
{
	struct ses_list *link;

	pthread_mutex_lock(&box->lock);
	link = ses_list_first(&box->done);
	if (link)
		ses_list_remove(link);
	pthread_mutex_unlock(&box->lock);
	return link ? ses_container_of(link, struct ses_call, link) : NULL;
}

static void finish_call(struct ses_call *call)
{
	call->loop->n_watched--;
	call->done(call->job, call->user);
	free_call(call);
}

/*
 * The end of a thread is the next occasion for calls that found none. If there
 * is none to wait for, a call is done without having been worked on.
 */
static void launch_waiting(struct ses_mailbox *box)
{
	struct ses_list *link;

	while ((link = ses_list_first(&box->waiting))) {
		struct ses_call *call =
			ses_container_of(link, struct ses_call, link);

		ses_list_remove(link);
		if (launch(call))
			continue;
		if (any_thread(box)) {
			ses_list_prepend(&box->waiting, link);
			return;
		}
		finish_call(call);
	}
}

/* Called with the lock held. */
static void append_post(struct ses_mailbox *box, struct ses_post *post,
			void (*run)(void *arg), void *arg)
{
	uint64_t one = 1;

	post->run = run;
	post->arg = arg;
	post->waits = true;
	post->number = ++box->n_posted;
	ses_list_init(&post->link);
	ses_list_append(&box->posts, &post->link);
	if (box->wake_fd >= 0 && write(box->wake_fd, &one, sizeof(one)) < 0)
		one = 0; /* full: it is awake */
}

void ses_loop_post_own(struct sesame_loop *loop, struct ses_post *post,
		       void (*run)(void *arg), void *arg)
{
	struct ses_mailbox *box = loop->mailbox;

	pthread_mutex_lock(&box->lock);
	if (!post->waits)
		append_post(box, post, run, arg);
	pthread_mutex_unlock(&box->lock);
}

void ses_loop_unpost(struct sesame_loop *loop, struct ses_post *post)
{
	struct ses_mailbox *box = loop->mailbox;

	pthread_mutex_lock(&box->lock);
	if (post->waits)
		ses_list_remove(&post->link);
	post->waits = false;
	pthread_mutex_unlock(&box->lock);
}

int ses_loop_post(struct sesame_loop *loop, void (*run)(void *arg), void *arg)
{
	struct ses_post *post = calloc(1, sizeof(*post));

	if (!post)
		return SESAME_ENOMEM;
	post->heap = true;
	ses_loop_post_own(loop, post, run, arg);
	return 0;
}

/* What is posted meanwhile has its turn after all else that is ready. */
static void run_posts(struct ses_mailbox *box)
{
	uint64_t last;

	pthread_mutex_lock(&box->lock);
	last = box->n_posted;
	pthread_mutex_unlock(&box->lock);
	for (;;) {
		struct ses_post *post, now = {0};

		pthread_mutex_lock(&box->lock);
		post = next_post(box, last);
		if (post)
			now = *post;
		pthread_mutex_unlock(&box->lock);
		if (!post)
			return;
		if (now.heap)
			free(post);
		now.run(now.arg);
	}
}

void ses_mailbox_empty(struct sesame_loop *loop)
{
	struct ses_call *call;

	run_posts(loop->mailbox);
	while ((call = next_done(loop->mailbox)))
		finish_call(call);
	launch_waiting(loop->mailbox);
}

int ses_mailbox_open(struct sesame_loop *loop)
{
	struct ses_mailbox *box = calloc(1, sizeof(*box));

	if (!box)
		return SESAME_ENOMEM;
	pthread_mutex_init(&box->lock, NULL);
	box->wake_fd = loop->wake.io.fd;
	box->users = 1;
	ses_list_init(&box->done);
	ses_list_init(&box->posts);
	ses_list_init(&box->waiting);
	loop->mailbox = box;
	return 0;
}

/* Threads may keep the box, but who posts knows that the loop lives. */
static void drop_posts(struct ses_mailbox *box)
{
	struct ses_post *post;

	while ((post = next_post(box, UINT64_MAX)))
		if (post->heap)
			free(post);
}

void ses_mailbox_close(struct sesame_loop *loop)
{
	struct ses_mailbox *box = loop->mailbox;

	if (!box)
		return;
	pthread_mutex_lock(&box->lock);
	box->wake_fd = -1;
	drop_posts(box);
	leave_mailbox(box);
}
