/* SPDX-License-Identifier: MIT */
#include "redis_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define PAIRS 16

/* A word of what a node sends, by which a connection is known. */
struct word {
	const char *text;
	size_t at; /* so much of it was the last to come */
	bool seen;
};

struct pair {
	int node, server; /* -1: no connection */
	struct word scripts, told;
	char held[4096]; /* of what comes from the node */
	size_t n_held;
};

static void look_for(struct word *w, const char *data, size_t len)
{
	for (size_t i = 0; i < len && !w->seen; i++) {
		w->at = data[i] == w->text[w->at] ? w->at + 1
						  : data[i] == w->text[0];
		w->seen = w->text[w->at] == '\0';
	}
}

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
}

static void end_pair(struct pair *p)
{
	if (p->node >= 0)
		close(p->node);
	if (p->server >= 0)
		close(p->server);
	p->node = p->server = -1;
}

/* What is held is still on its way. */
static void cut_pair(struct pair *p)
{
	if (!p->n_held) {
		end_pair(p);
		return;
	}
	close(p->node);
	p->node = -1;
}

static void begin_pair(struct redis_relay *r, struct pair *pairs)
{
	struct sockaddr_in to = local(r->server->port);
	struct pair *p = pairs;
	int fd = accept(r->listener, NULL, NULL);

	while (p < pairs + PAIRS && p->server >= 0)
		p++;
	if (fd < 0 || p == pairs + PAIRS) {
		close(fd);
		return;
	}
	*p = (struct pair){
		.node = fd,
		.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.scripts.text = "EVALSHA",
		.told.text = ":c:",
	};
	if (connect(p->server, (struct sockaddr *)&to, sizeof(to)) < 0)
		end_pair(p);
}

static bool pass(int to, const char *data, size_t len)
{
	return send(to, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool hold(struct redis_relay *r, struct pair *p, const char *data,
		 size_t len)
{
	if (p->n_held + len > sizeof(p->held))
		return false;
	memcpy(p->held + p->n_held, data, len);
	p->n_held += len;
	atomic_fetch_add(&r->held, len);
	return true;
}

/* The server may have ended it meanwhile. */
static void let_go(struct redis_relay *r, struct pair *p)
{
	if (!p->n_held)
		return;
	pass(p->server, p->held, p->n_held);
	shutdown(p->server, SHUT_WR);
	while (recv(p->server, p->held, sizeof(p->held), 0) > 0)
		;
	atomic_fetch_sub(&r->held, p->n_held);
	p->n_held = 0;
	end_pair(p);
}

/* "*2\r\n$10\r\n" and the seconds since 1970, of ten digits until 2286. */
static void change_time(const struct redis_relay *r, char *data, size_t len)
{
	static const char head[] = "*2\r\n$10\r\n";
	char *at = memmem(data, len, head, strlen(head));
	char told[11] = "";
	int by = atomic_load(&r->late_by);

	if (!by || !at || at + strlen(head) + 10 > data + len)
		return;
	at += strlen(head);
	memcpy(told, at, 10);
	snprintf(told, sizeof(told), "%lld", atoll(told) - by);
	memcpy(at, told, 10);
}

/* Something can be read. False: it ended. */
static bool carry(struct redis_relay *r, struct pair *p, bool to_server)
{
	char data[65536];
	ssize_t n = read(to_server ? p->node : p->server, data, sizeof(data));

	if (n <= 0)
		return false;
	if (!to_server)
		change_time(r, data, (size_t)n);
	if (!to_server)
		return (p->scripts.seen && atomic_load(&r->loses_answers)) ||
		       (p->told.seen && atomic_load(&r->loses_told)) ||
		       pass(p->node, data, (size_t)n);
	look_for(&p->scripts, data, (size_t)n);
	look_for(&p->told, data, (size_t)n);
	if (p->scripts.seen && atomic_load(&r->holds_orders))
		return hold(r, p, data, (size_t)n);
	if (!p->scripts.seen || !atomic_load(&r->loses_orders))
		return pass(p->server, data, (size_t)n);
	atomic_fetch_add(&r->lost, (size_t)n);
	return true;
}

static void turn(struct redis_relay *r, struct pair *pairs)
{
	struct pollfd fds[1 + 2 * PAIRS];

	fds[0] = (struct pollfd){r->listener, POLLIN, 0};
	for (size_t i = 0; i < PAIRS; i++) {
		fds[1 + 2 * i] = (struct pollfd){pairs[i].node, POLLIN, 0};
		fds[2 + 2 * i] = (struct pollfd){pairs[i].server, POLLIN, 0};
	}
	if (atomic_load(&r->waits)) {
		poll(NULL, 0, 2);
		return;
	}
	if (poll(fds, ARRAY_LEN(fds), 2) <= 0 || atomic_load(&r->waits))
		return;
	for (size_t i = 0; i < PAIRS; i++)
		if ((fds[1 + 2 * i].revents && !carry(r, &pairs[i], true)) ||
		    (fds[2 + 2 * i].revents && pairs[i].node >= 0 &&
		     !carry(r, &pairs[i], false)))
			end_pair(&pairs[i]);
	if (fds[0].revents)
		begin_pair(r, pairs);
}

static void *work(void *arg)
{
	struct redis_relay *r = arg;
	struct pair pairs[PAIRS];
	bool ends = false;

	for (size_t i = 0; i < PAIRS; i++)
		pairs[i] = (struct pair){.node = -1, .server = -1};
	while (!ends) {
		ends = atomic_load(&r->ends);
		if (atomic_exchange(&r->goes, false))
			for (size_t i = 0; i < PAIRS; i++)
				let_go(r, &pairs[i]);
		if (atomic_load(&r->cut)) {
			atomic_store(&r->holds_orders, false);
			for (size_t i = 0; i < PAIRS; i++)
				cut_pair(&pairs[i]);
		}
		for (size_t i = 0; ends && i < PAIRS; i++)
			end_pair(&pairs[i]);
		atomic_store(&r->cut, false);
		if (!ends)
			turn(r, pairs);
	}
	return NULL;
}

void redis_relay_start(struct redis_relay *r, const struct redis_server *server,
		       bool waits)
{
	struct sockaddr_in at = local(0);
	socklen_t len = sizeof(at);

	*r = (struct redis_relay){.server = server};
	atomic_store(&r->waits, waits);
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(r->listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(r->listener, PAIRS), 0);
	assert_int_equal(getsockname(r->listener, (struct sockaddr *)&at, &len),
			 0);
	r->port = ntohs(at.sin_port);
	snprintf(r->url, sizeof(r->url), "redis://127.0.0.1:%d", r->port);
	assert_int_equal(pthread_create(&r->thread, NULL, work, r), 0);
}

void redis_relay_cut(struct redis_relay *r)
{
	atomic_store(&r->cut, true);
	while (atomic_load(&r->cut))
		nanosleep(&(struct timespec){0, 1000000}, NULL);
}

void redis_relay_let_go(struct redis_relay *r)
{
	atomic_store(&r->goes, true);
	while (atomic_load(&r->held))
		nanosleep(&(struct timespec){0, 1000000}, NULL);
}

void redis_relay_stop(struct redis_relay *r)
{
	atomic_store(&r->ends, true);
	pthread_join(r->thread, NULL);
	close(r->listener);
}
