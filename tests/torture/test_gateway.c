/* SPDX-License-Identifier: MIT */
/*
 * The gateway, with one call of its going wrong while it serves, reloads,
 * starts or stops. Whoever is there then is served, or turned away at once and
 * never let in where he would be refused; who comes next is served as ever;
 * and a stop gives everything back.
 */
#include "rig.h"

#include "folder.h"
#include "redis_server.h"
#include "test.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int sesame_main(int argc, char **argv); /* main() of src/cli/main.c */

static unsigned port;

/* ---- the gateway ---- */

static const char config[] =
	"listen: [{address: '127.0.0.1:%u'}]\n"
	"workers: 2\n"
	"journal: {file: journal.db}\n"
	"log: {file: access.log}\n"
	"admin: {address: '127.0.0.1:0', socket: none}\n"
	"stop: {spread: 0ms, deadline: 5s}\n"
	"routes:\n"
	"  - path: /echo\n"
	"    to: echo\n"
	"    allow: {origins: ['https://app.example'], addresses: "
	"[127.0.0.1]}\n"
	"    limits: {connections: 100, handshakes: 1000/minute,\n"
	"             message: 1MiB, messages: 1000/second}\n"
	"  - path: /token\n"
	"    to: echo\n"
	"    allow: {token: {from: 'query:token', hashes_file: tokens}}\n"
	"  - {path: /up, to: 'ws://127.0.0.1:%u/behind'}\n"
	"  - {path: /behind/**, to: echo}\n"
	"  - {path: /chat/*, to: hub, hub: {slow: close, presence: true}}\n"
	"  - {path: /**, to: files, root: files}\n";

/* Channels that other gateways share; what is asked of Redis may go wrong. */
static const char shared[] =
	"listen: [{address: '127.0.0.1:%u'}]\n"
	"workers: 2\n"
	"admin: {address: '127.0.0.1:0', socket: none}\n"
	"stop: {spread: 0ms, deadline: 5s}\n"
	"backplane: '%s'\n"
	"routes:\n"
	"  - path: /chat/*\n"
	"    to: hub\n"
	"    hub: {presence: true, history: {messages: 9}}\n"
	"  - {path: /board, to: hub, hub: {kind: state}}\n";

static bool strike_at_start;

static int serve(void *arg)
{
	static char *words[] = {(char *)"sesame", (char *)"serve", (char *)"-c",
				(char *)"sesame.yaml", NULL};

	rig_spare();
	if (chdir(folder) != 0)
		return 99;
	redirect(STDOUT_FILENO, "out", O_APPEND);
	redirect(STDERR_FILENO, "err", O_APPEND);
	if (strike_at_start)
		rig_strike();
	return sesame_main(4, words);
}

static void set_up(void)
{
	char text[2048], path[128];

	folder_make();
	port = free_port();
	snprintf(text, sizeof(text), config, port, port);
	write_file("sesame.yaml", text);
	write_file("tokens",
		   "alice:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af7"
		   "1db186d6e90\n"); /* "alice" */
	path_of("files", path);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("files/page.txt", "a page of ours\n");
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Wait for @words in the file @name, which stand there @n times. */
static bool wait_for(const char *name, const char *words, int n)
{
	for (int i = 0; i < 5000 && !rig_has_ended(); i++) {
		const char *at = read_file(name);
		int found = 0;

		for (; (at = strstr(at, words)); at++)
			found++;
		if (found >= n)
			return true;
		nap();
	}
	return false;
}

/* ---- visitors ---- */

/* What became of a visit. */
enum fate {
	GOOD,  /* as ever */
	AWAY,  /* turned away, or cut off in the middle */
	LOST,  /* it waited in vain */
	WRONG, /* it was told something that is not so */
};

static const char *const fates[] = {"good", "turned away", "lost", "wrong"};

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = 8};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

struct visitor {
	int fd;
	char data[4096]; /* what came and was not looked at */
	size_t len;
	bool in_vain;
};

static bool more(struct visitor *v)
{
	ssize_t n =
		recv(v->fd, v->data + v->len, sizeof(v->data) - 1 - v->len, 0);

	v->in_vain |= n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	if (n <= 0)
		return false;
	v->len += (size_t)n;
	v->data[v->len] = '\0';
	return true;
}

static void drop(struct visitor *v, size_t n)
{
	memmove(v->data, v->data + n, v->len - n + 1);
	v->len -= n;
}

/* The status of the answer to a request for @target; 0: there is none. */
static int ask(struct visitor *v, const char *target, const char *fields,
	       bool upgrade)
{
	char request[1024], *end;
	int status;

	*v = (struct visitor){.fd = dial()};
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s%s\r\n", target,
		 port, fields,
		 upgrade ? "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
			   "dGhlIHNhbXBsZSBub25jZQ==\r\n"
			 : "");
	if (v->fd < 0)
		return 0;
	send(v->fd, request, strlen(request), MSG_NOSIGNAL);
	while (!(end = strstr(v->data, "\r\n\r\n")))
		if (!more(v))
			return 0;
	status = atoi(v->data + strlen("HTTP/1.1 "));
	drop(v, (size_t)(end + 4 - v->data));
	return status;
}

/* A frame of a client, masked with zeros, of less than 126 bytes. */
static void say(struct visitor *v, uint8_t first, const char *text, size_t len)
{
	uint8_t frame[256] = {first, (uint8_t)(0x80 | len)};

	memcpy(frame + 6, text, len);
	send(v->fd, frame, 6 + len, MSG_NOSIGNAL);
}

/* The next frame begins with @first and is @text. */
static enum fate hears(struct visitor *v, uint8_t first, const char *text,
		       size_t len)
{
	const uint8_t *frame = (const uint8_t *)v->data;
	bool is_it;

	while (v->len < 2 || v->len < 2u + frame[1])
		if (!more(v))
			return v->in_vain ? LOST : AWAY;
	is_it = frame[0] == first && frame[1] == len &&
		memcmp(frame + 2, text, len) == 0;
	/* 1001, 1011, 1013: it is told to leave */
	if (!is_it && frame[0] == 0x88 && frame[1] >= 2 && frame[2] == 3 &&
	    (frame[3] == 0xe9 || frame[3] == 0xf3 || frame[3] == 0xf5))
		return AWAY;
	drop(v, 2u + frame[1]);
	return is_it ? GOOD : WRONG;
}

static enum fate leave(struct visitor *v, enum fate fate)
{
	if (v->fd >= 0)
		close(v->fd);
	return fate;
}

/* Of somebody who is to come in: 101, or he is turned away. */
static enum fate enter(struct visitor *v, const char *target, const char *fields)
{
	int status = ask(v, target, fields, true);

	if (status == 101)
		return GOOD;
	if (status == 0)
		return v->in_vain ? LOST : AWAY;
	return status >= 500 || status == 408 || status == 429 ? AWAY : WRONG;
}

static enum fate talk(const char *target, const char *fields)
{
	struct visitor v;
	enum fate fate = enter(&v, target, fields);

	if (fate == GOOD) {
		say(&v, 0x01, "hel", 3);
		say(&v, 0x89, "?", 1);
		say(&v, 0x80, "lo", 2);
		fate = hears(&v, 0x8a, "?", 1);
	}
	if (fate == GOOD)
		fate = hears(&v, 0x81, "hello", 5);
	if (fate == GOOD) {
		say(&v, 0x88, "\x03\xe8", 2);
		fate = hears(&v, 0x88, "\x03\xe8", 2);
	}
	return leave(&v, fate);
}

static enum fate echo(void)
{
	return talk("/echo", "Origin: https://app.example\r\n");
}

static enum fate with_token(void)
{
	return talk("/token?token=alice", "");
}

static enum fate upstream(void)
{
	return talk("/up", "");
}

/* Of somebody who is to be refused: that, or any other refusal. */
static enum fate refused(const char *target, const char *fields, int status)
{
	struct visitor v;
	int got = ask(&v, target, fields, true);
	enum fate fate = got == status ? GOOD
			 : got >= 400  ? AWAY
			 : got	       ? WRONG
			 : v.in_vain   ? LOST
				       : AWAY;

	return leave(&v, fate);
}

static enum fate foreign(void)
{
	return refused("/echo", "Origin: https://evil.test\r\n", 403);
}

static enum fate no_token(void)
{
	return refused("/token?token=mallory", "", 401);
}

static enum fate page(void)
{
	struct visitor v;
	int status = ask(&v, "/page.txt", "", false);
	enum fate fate = AWAY;

	while (status == 200 && v.len < strlen("a page of ours\n") && more(&v))
		;
	if (status == 200 && strcmp(v.data, "a page of ours\n") == 0)
		fate = GOOD;
	else if (v.in_vain)
		fate = LOST;
	else if (status && status != 200 && status < 500 && status != 408)
		fate = WRONG;
	return leave(&v, fate);
}

/* Something comes for @v before it comes for @other. */
static bool comes(const struct visitor *v, const struct visitor *other)
{
	struct pollfd fds[] = {{v->fd, POLLIN, 0}, {other->fd, POLLIN, 0}};

	return poll(fds, 2, 8000) <= 0 || fds[0].revents;
}

static enum fate chat(void)
{
	struct visitor a, b;
	enum fate fate = enter(&a, "/chat/room", "");

	if (fate != GOOD)
		return leave(&a, fate);
	fate = enter(&b, "/chat/room", "");
	if (fate == GOOD) {
		say(&a, 0x81, "hi", 2);
		/* what a member says goes with the member, when it is cut */
		fate = comes(&b, &a) ? hears(&b, 0x81, "hi", 2) : AWAY;
	}
	leave(&b, fate);
	return leave(&a, fate);
}

static bool is_in(const uint8_t *data, size_t len, const char *words)
{
	return memmem(data, len, words, strlen(words));
}

/* An envelope of sesame.v1 that has @words in it comes, among others. */
static enum fate finds(struct visitor *v, const char *words)
{
	for (;;) {
		const uint8_t *frame = (const uint8_t *)v->data;
		size_t head = 2, len;
		bool is_there, is_told;

		while (v->len < 4)
			if (!more(v))
				return v->in_vain ? LOST : AWAY;
		len = frame[1];
		if (len == 126) {
			head = 4;
			len = (size_t)frame[2] << 8 | frame[3];
		}
		while (v->len < head + len)
			if (!more(v))
				return v->in_vain ? LOST : AWAY;
		is_there = is_in(frame + head, len, words);
		is_told = frame[0] == 0x88 ||
			  is_in(frame + head, len, "\"error\"");
		drop(v, head + len);
		if (is_there || is_told)
			return is_there ? GOOD : AWAY;
	}
}

static const char v1[] = "Sec-WebSocket-Protocol: sesame.v1\r\n";

/* A member is in its channel when it is welcome there. */
static enum fate join(struct visitor *v, const char *target)
{
	enum fate fate = enter(v, target, v1);

	return fate == GOOD ? finds(v, "\"welcome\"") : fate;
}

static enum fate tell(struct visitor *v, const char *text, const char *answer)
{
	say(v, 0x81, text, strlen(text));
	return finds(v, answer);
}

static enum fate envelopes(void)
{
	struct visitor a, b;
	enum fate fate = join(&a, "/chat/room");

	if (fate != GOOD)
		return leave(&a, fate);
	fate = join(&b, "/chat/room");
	if (fate == GOOD)
		fate = tell(&a, "{\"publish\":\"hello\",\"ref\":1}", "\"ack\"");
	if (fate == GOOD)
		fate = finds(&b, "\"hello\"");
	if (fate == GOOD)
		fate = tell(&b, "{\"presence\":\"list\",\"ref\":2}",
			    "\"members\":[");
	leave(&b, fate);
	return leave(&a, fate);
}

static enum fate board(void)
{
	struct visitor v;
	enum fate fate = join(&v, "/board");

	if (fate == GOOD)
		fate = tell(&v,
			    "{\"publish\":{\"key\":\"a\",\"n\":1},\"ref\":1}",
			    "\"ack\"");
	return leave(&v, fate);
}

static int n_reloads;

/* Whatever came of it is told; which of the two, its caller knows. */
static enum fate reload(void)
{
	static const char told[] = "reloaded";
	const char *at = read_file("err");
	bool bad;

	rig_signal(SIGHUP);
	if (!wait_for("err", told, ++n_reloads))
		return LOST;
	at = read_file("err");
	for (int i = 0; i < n_reloads; i++)
		at = strstr(at + (i > 0), told);
	bad = at - read_file("err") >= 4 && memcmp(at - 4, "not ", 4) == 0;
	return bad ? AWAY : GOOD;
}

struct visit {
	const char *name;
	enum fate (*visit)(void);
};

static const struct visit of_all_kinds[] = {
	{"echo", echo},
	{"a foreign page", foreign},
	{"a token", with_token},
	{"a wrong token", no_token},
	{"upstream", upstream},
	{"a page", page},
	{"a chat", chat},
	{"envelopes", envelopes},
	{"a reload", reload},
	{"echo", echo},
	{NULL, NULL},
};
static const struct visit of_channels[] = {
	{"envelopes", envelopes},
	{"a board", board},
	{NULL, NULL},
};
static const struct visit *visits = of_all_kinds;
static int patience = 50; /* tries, until it serves as ever */

static const char *why; /* which visit went how, when one went wrong */

static bool receive(enum fate worst)
{
	static char text[128];

	for (const struct visit *v = visits; v->visit; v++) {
		enum fate fate = v->visit();

		if (fate <= worst)
			continue;
		snprintf(text, sizeof(text), "%s: %s", v->name, fates[fate]);
		why = text;
		return false;
	}
	return true;
}

/* ---- at every place ---- */

static void forget_output(void)
{
	char path[128];

	path_of("out", path);
	unlink(path);
	path_of("err", path);
	unlink(path);
	n_reloads = 0;
	why = NULL;
}

static void judge_end(bool may_fail)
{
	rig_check_end();
	if (why)
		rig_fail("%s\n%s", why, read_file("err"));
	else if (WIFEXITED(rig->status) && WEXITSTATUS(rig->status) != 0 &&
		 !(may_fail && WEXITSTATUS(rig->status) <= 3))
		rig_fail("exit status %d\n%s", WEXITSTATUS(rig->status),
			 read_file("err"));
	else if (WIFEXITED(rig->status) && WEXITSTATUS(rig->status) != 0 &&
		 !*read_file("err"))
		rig_fail("exit status %d without a word",
			 WEXITSTATUS(rig->status));
}

static bool while_serving(enum rig_kind kind, long nth, void *arg)
{
	forget_output();
	strike_at_start = false;
	rig_start(kind, nth, true, serve, NULL);
	if (!wait_for("out", "listening on ", 1))
		why = "it did not start";
	if (!why) {
		rig_strike();
		receive(nth < 0 ? GOOD : AWAY);
		rig_spare();
	}
	/* who was cut off may take his time to be gone */
	if (!why && !receive(AWAY))
		why = "afterwards, not even turned away";
	for (int i = 0; !why && i < patience && !receive(GOOD); i++) {
		if (i < patience - 1)
			why = NULL;
		nap();
	}
	rig_signal(SIGTERM);
	rig_wait();
	judge_end(false);
	return nth < 0 || rig->struck;
}

static bool while_starting(enum rig_kind kind, long nth, void *arg)
{
	bool started;

	forget_output();
	strike_at_start = true;
	rig_start(kind, nth, true, serve, NULL);
	started = wait_for("out", "listening on ", 1);
	rig_spare();
	if (started && !rig_has_ended() && !receive(AWAY))
		why = why ? why : "it started, and does not serve";
	rig_signal(SIGTERM);
	rig_wait();
	judge_end(!started && nth >= 0);
	return nth < 0 || rig->struck;
}

static bool while_stopping(enum rig_kind kind, long nth, void *arg)
{
	struct visitor v = {.fd = -1};

	forget_output();
	strike_at_start = false;
	rig_start(kind, nth, true, serve, NULL);
	if (!wait_for("out", "listening on ", 1))
		why = "it did not start";
	else if (enter(&v, "/up", "") != GOOD)
		why = "it did not let in";
	rig_strike();
	rig_signal(SIGTERM);
	if (!why && hears(&v, 0x88, "\x03\xe9", 2) == LOST)
		why = "the one inside waited in vain";
	leave(&v, GOOD);
	rig_wait();
	judge_end(false);
	return nth < 0 || rig->struck;
}

static void torture(bool (*each)(enum rig_kind kind, long nth, void *arg))
{
	set_up();
	rig_sample = 10;
	for (enum rig_kind kind = 0; kind < N_RIG; kind++)
		rig_each(kind, each, NULL);
	folder_remove();
}

TEST("whichever call of a gateway fails, whoever is there is served or turned "
     "away, and who comes next is served")
{
	torture(while_serving);
}

TEST("a gateway that cannot start says why, and leaves nothing behind")
{
	torture(while_starting);
}

TEST("whichever call fails while it stops, a gateway leaves nothing behind")
{
	torture(while_stopping);
}

/* A call of the library that talks to Redis is none of ours, and does not fail. */
TEST("with Redis behind it, too, whoever is there is served or turned away")
{
	static const enum rig_kind kinds[] = {RIG_MEMORY, RIG_SYSTEM, RIG_EARLY,
					      RIG_HOUR};
	struct redis_server redis;
	char text[2048];

	if (!redis_server_is_here())
		skip();
	redis_server_start(&redis, false);
	folder_make();
	port = free_port();
	snprintf(text, sizeof(text), shared, port, redis.url);
	write_file("sesame.yaml", text);
	visits = of_channels;
	patience = 2000;
	rig_sample = 10;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		rig_each(kinds[i], while_serving, NULL);
	visits = of_all_kinds;
	patience = 50;
	folder_remove();
	redis_server_stop(&redis);
}
