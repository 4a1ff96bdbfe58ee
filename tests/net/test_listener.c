/* SPDX-License-Identifier: MIT */
/*
 * A port is free as soon as its listener is closed, wherever that is done. With
 * io_uring the kernel may still hold the socket of somebody who watches it.
 */
#include "net/listener.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#define TIMES 50

static struct sesame_loop *loop;
static struct ses_listener door;
static struct ses_addr here;
static unsigned accepted;

static void take(struct ses_listener *l, int fd, const struct ses_addr *from)
{
	accepted++;
	close(fd);
}

/* An address of its own, for nobody else's connection to have its port. */
static void begin(void)
{
	assert_true(ses_addr_parse(BYTES("127.83.69.83"), 0, &here));
	accepted = 0;
}

static void open_door(void)
{
	if (ses_listener_open(&door, loop, &here, false) < 0)
		fail_msg("port %d, time %u: %s", ses_addr_port(&here), accepted,
			 strerror(errno));
	here = door.at;
	door.on_accept = take;
}

/* Somebody comes in, so that the door was watched, and is again. */
static void visit(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned before = accepted;

	assert_int_equal(connect(fd, &here.any, here.len), 0);
	while (accepted == before)
		sesame_loop_turn(loop, 1000);
	close(fd);
}

TEST("a port is free when its listener was closed between two turns")
{
	begin();
	loop = sesame_loop_new();
	for (int i = 0; i < TIMES; i++) {
		open_door();
		visit();
		ses_listener_close(&door);
	}
	open_door();
	ses_listener_close(&door); /* without a turn */
	open_door();
	ses_listener_close(&door);
	sesame_loop_free(loop);
}

/* By a timer: while it is watched, which its own callback is not in. */
static void open_again(void *none)
{
	ses_listener_close(&door);
	open_door();
}

TEST("a port is free when its listener was closed in a turn")
{
	begin();
	loop = sesame_loop_new();
	open_door();
	for (int i = 0; i < TIMES; i++) {
		visit();
		sesame_timer_start(loop, 0, open_again, NULL);
		sesame_loop_turn(loop, 1000);
	}
	visit();
	ses_listener_close(&door);
	sesame_loop_free(loop);
}

static void close_and_stop(void *none)
{
	ses_listener_finish(&door);
	sesame_loop_stop(loop);
}

TEST("a port is free when a loop has ended in which its listener was closed")
{
	begin();
	for (int i = 0; i < TIMES; i++) {
		loop = sesame_loop_new();
		open_door();
		visit();
		sesame_timer_start(loop, 0, close_and_stop, NULL);
		assert_int_equal(sesame_loop_run(loop), 0);
		sesame_loop_free(loop);
	}
}

static void *work(void *none)
{
	visit();
	sesame_timer_start(loop, 0, close_and_stop, NULL);
	sesame_loop_run(loop);
	return NULL;
}

TEST("a port is free when a thread has ended that had listened, before its "
     "loop is freed")
{
	begin();
	for (int i = 0; i < TIMES; i++) {
		struct sesame_loop *its;
		pthread_t thread;

		loop = its = sesame_loop_new();
		open_door();
		assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
		pthread_join(thread, NULL);
		loop = sesame_loop_new();
		open_door();
		ses_listener_close(&door);
		sesame_loop_free(loop);
		sesame_loop_free(its);
	}
}
