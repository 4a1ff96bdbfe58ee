/* SPDX-License-Identifier: MIT */
/*
 * Clients that mean harm, or that mean well and tell how long they waited. Each
 * kind of harm is a script of prepared bytes: what it sends before, what it
 * repeats, how much of it at a time, and whether it reads. Light by design: the
 * masks are zero, so nothing is masked, and what comes back is dropped unread.
 *
 *	hostile --port 9001 --path / --kind bombs --clients 100
 *
 * A path that ends in "*" gets a number there: one of their own, or one for so
 * many as --share says. Told by lines on standard input: "go" and "rest"
 *(hostile ones act or are still), "tell" (one line about what happened since
 *the last time). It ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define MOST_SAMPLES (1 << 20)

/* What a client is made to send, again and again from @again on. */
struct script {
	uint8_t *data;
	size_t len, again;
};

enum way {
	WAY_REPEAT, /* the script goes on at its @again */
	WAY_HOLD,   /* its last byte is never sent */
	WAY_STAY,   /* all of it, and then nothing more, for ever */
	WAY_FIN,    /* all of it, then the end of sending alone */
};

struct kind {
	const char *name;
	void (*write)(struct script *s);
	size_t step; /* bytes at a time; 0: the whole script */
	enum way way;
	bool reads, deflate, no_handshake;
};

struct client {
	int fd;
	bool open;  /* the handshake is done */
	bool waits; /* an honest one: for its echo */
	size_t at;
	uint64_t due_us, said_us;
};

static struct {
	const char *path;
	uint16_t port;
	size_t clients, share, message, tick_us;
} asked = {.path = "/",
	   .clients = 100,
	   .share = 1,
	   .message = 262144,
	   .tick_us = 250000};

static const struct kind *kind;
static struct script script;
static struct client *clients;
static int poll_fd;
static bool active = true;
static uint64_t n_sent, n_lost, n_read;
static uint32_t *samples_us;
static size_t n_samples, n_open;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- scripts ---- */

static void add(struct script *s, const void *data, size_t len)
{
	s->data = realloc(s->data, s->len + len);
	if (!s->data)
		exit(1);
	if (data)
		memcpy(s->data + s->len, data, len);
	else
		memset(s->data + s->len, 'a', len);
	s->len += len;
}

/* A frame's header with a mask of zeros. */
static void add_head(struct script *s, uint8_t first, uint64_t len)
{
	uint8_t head[14] = {first};
	size_t n = len < 126 ? 2 : len < 65536 ? 4 : 10;

	head[1] = 0x80 | (uint8_t)(n == 2 ? len : n == 4 ? 126 : 127);
	for (size_t i = 2; i < n; i++)
		head[i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	add(s, head, n + 4);
}

static void add_frame(struct script *s, uint8_t first, size_t len)
{
	add_head(s, first, len);
	add(s, NULL, len);
}

static void write_largest(struct script *s)
{
	add_frame(s, 0x82, asked.message);
}

static void write_fragments(struct script *s)
{
	add_frame(s, 0x01, 1);
	s->again = s->len;
	for (int i = 0; i < 512; i++)
		add_frame(s, 0x00, 1);
}

static void write_empty_fragments(struct script *s)
{
	add_frame(s, 0x01, 1);
	s->again = s->len;
	for (int i = 0; i < 512; i++)
		add_head(s, 0x00, 0);
}

static void add_bomb(struct script *s, size_t len)
{
	uint8_t *plain = calloc(1, len), *packed = malloc(len / 100 + 1024);
	z_stream z = {0};

	if (!plain || !packed ||
	    deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		exit(1);
	z.next_in = plain;
	z.avail_in = (uInt)len;
	z.next_out = packed;
	z.avail_out = (uInt)(len / 100 + 1024);
	deflate(&z, Z_SYNC_FLUSH);
	add_head(s, 0xc2, z.total_out - 4);
	add(s, packed, z.total_out - 4);
	deflateEnd(&z);
	free(plain);
	free(packed);
}

static void write_bomb(struct script *s)
{
	add_bomb(s, asked.message);
}

static void write_large_bomb(struct script *s)
{
	add_bomb(s, asked.message * 16);
}

static void write_pings(struct script *s)
{
	for (int i = 0; i < 256; i++)
		add_frame(s, 0x89, 125);
}

static void add_request(struct script *s, size_t number, bool whole)
{
	size_t fixed = strcspn(asked.path, "*");
	char text[1024], tail[32] = "";
	int n;

	if (asked.path[fixed])
		snprintf(tail, sizeof(tail), "%zu", number / asked.share);
	n = snprintf(text, sizeof(text),
		     "GET %.*s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
		     "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		     "Sec-WebSocket-Version: 13\r\n"
		     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s",
		     (int)fixed, asked.path, tail, asked.port,
		     kind->deflate ? "Sec-WebSocket-Extensions: "
				     "permessage-deflate\r\n"
				   : "",
		     whole ? "\r\n" : "X: ");

	add(s, text, (size_t)n);
}

static void write_slow_head(struct script *s)
{
	add_request(s, 0, false);
	s->again = s->len;
	add(s, NULL, 1);
}

static void write_messages(struct script *s)
{
	add_frame(s, 0x82, asked.message < 16384 ? asked.message : 16384);
}

static void write_close(struct script *s)
{
	add_head(s, 0x88, 0);
}

static void write_half(struct script *s)
{
	add_head(s, 0x82, asked.message);
	add(s, NULL, asked.message / 2);
}

static void write_nothing(struct script *s)
{
	add(s, NULL, 1);
}

static const struct kind kinds[] = {
	{"idle", write_nothing, 1, WAY_HOLD, true, false, false},
	{"idle-deflate", write_nothing, 1, WAY_HOLD, true, true, false},
	{"largest", write_largest, 65536, WAY_REPEAT, true, false, false},
	{"unfinished", write_largest, 65536, WAY_HOLD, true, false, false},
	{"fragments", write_fragments, 3584, WAY_REPEAT, true, false, false},
	{"empty-fragments", write_empty_fragments, 3072, WAY_REPEAT, true,
	 false, false},
	{"bombs", write_bomb, 0, WAY_REPEAT, true, true, false},
	{"large-bombs", write_large_bomb, 0, WAY_REPEAT, true, true, false},
	{"pings", write_pings, 0, WAY_REPEAT, false, false, false},
	{"slow-heads", write_slow_head, 1, WAY_REPEAT, true, false, true},
	{"slow-frames", write_largest, 1, WAY_REPEAT, true, false, false},
	{"slow-readers", write_messages, 0, WAY_REPEAT, false, false, false},
	{"deaf-bombs", write_bomb, 0, WAY_REPEAT, false, true, false},
	{"half-closes", write_close, 0, WAY_STAY, false, false, false},
	{"cut-off", write_half, 65536, WAY_FIN, true, false, false},
	{"honest", NULL, 0, WAY_STAY, true, false, false},
};

/* ---- one client ---- */

static bool is_honest(void)
{
	return !kind->write;
}

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	n_open -= c->open;
	n_lost++;
	c->fd = -1;
	c->open = c->waits = false;
	c->at = 0;
}

static void dial(struct client *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(asked.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct script request = {0};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	int one = 1, small = 4096;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!kind->reads)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(c->fd);
		c->fd = -1;
		return;
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->at = 0;
	if (kind->no_handshake) {
		c->open = true;
		n_open++;
	} else {
		add_request(&request, (size_t)(c - clients), true);
		send(c->fd, request.data, request.len, MSG_NOSIGNAL);
		free(request.data);
	}
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

/* After the handshake a client that does not read is not listened to. */
static void opened(struct client *c)
{
	c->open = true;
	n_open++;
	if (!kind->reads)
		epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd,
			  &(struct epoll_event){.events = 0, .data.ptr = c});
}

/* What should have been said while it waited would have waited for the rest. */
static void note_echo(struct client *c)
{
	uint64_t took = now_us() - c->said_us;

	c->waits = false;
	while (n_samples < MOST_SAMPLES) {
		samples_us[n_samples++] = (uint32_t)took;
		if (took <= asked.tick_us)
			break;
		took -= asked.tick_us;
	}
}

static void on_input(struct client *c)
{
	static uint8_t head[4096];
	/* dropped by the system, without a copy */
	ssize_t n = c->open && !is_honest()
			    ? recv(c->fd, NULL, 1 << 20, MSG_TRUNC)
			    : recv(c->fd, head, sizeof(head), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	n_read += (uint64_t)n;
	if (!c->open)
		opened(c);
	else if (c->waits)
		note_echo(c);
}

static void say(struct client *c)
{
	static const uint8_t message[70] = {0x82, 0xc0};

	if (c->waits)
		return; /* see note_echo() */
	c->waits = true;
	c->said_us = c->due_us;
	if (send(c->fd, message, sizeof(message), MSG_NOSIGNAL) < 0)
		hang_up(c);
}

/* Where the script goes on after all that may be sent was. */
static void turn_back(struct client *c)
{
	if (c->at == script.len && kind->way == WAY_REPEAT)
		c->at = script.again;
	if (c->at == script.len && kind->way == WAY_FIN) {
		shutdown(c->fd, SHUT_WR);
		c->at++;
	}
}

static void act(struct client *c)
{
	size_t most = script.len - (kind->way == WAY_HOLD), n;
	ssize_t sent;

	if (c->at >= most)
		return;
	n = kind->step ? kind->step : script.len;
	n = n < most - c->at ? n : most - c->at;
	sent = send(c->fd, script.data + c->at, n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		hang_up(c);
		return;
	}
	if (sent > 0) {
		c->at += (size_t)sent;
		n_sent += (uint64_t)sent;
	}
	turn_back(c);
}

static void look_after(struct client *c, uint64_t now)
{
	if (now < c->due_us)
		return;
	if (c->fd < 0)
		dial(c);
	else if (c->open && is_honest())
		say(c);
	else if (c->open)
		act(c);
	c->due_us += asked.tick_us;
	if (c->due_us < now && !is_honest())
		c->due_us = now + asked.tick_us;
}

/* ---- all of them ---- */

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t share(double q)
{
	return n_samples ? samples_us[(size_t)((double)(n_samples - 1) * q)] : 0;
}

static void tell(void)
{
	struct timespec cpu;

	/* who waits still has waited so long at least */
	for (size_t i = 0; is_honest() && i < asked.clients; i++)
		if (clients[i].waits && now_us() - clients[i].said_us > 1000000)
			note_echo(&clients[i]);
	qsort(samples_us, n_samples, sizeof(*samples_us), by_size);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("open %zu lost %llu sent %llu read %llu echoes %zu p50 %u p99 "
	       "%u "
	       "most %u cpu %lld\n",
	       n_open, (unsigned long long)n_lost, (unsigned long long)n_sent,
	       (unsigned long long)n_read, n_samples, share(0.5), share(0.99),
	       share(1), (long long)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000);
	fflush(stdout);
	n_samples = 0;
	n_lost = n_sent = n_read = 0;
}

/* Each at a moment of its own. */
static void spread(void)
{
	uint64_t now = now_us();

	for (size_t i = 0; i < asked.clients; i++)
		clients[i].due_us = now + asked.tick_us * i / asked.clients;
}

/* False: the input has ended. */
static bool obey(void)
{
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (strcmp(line, "tell\n") == 0)
		tell();
	else
		active = strcmp(line, "go\n") == 0;
	if (strcmp(line, "go\n") == 0)
		spread();
	return true;
}

static bool on_events(void)
{
	struct epoll_event ready[256];
	int n = epoll_wait(poll_fd, ready, 256, 1);

	for (int i = 0; i < n; i++) {
		struct client *c = ready[i].data.ptr;

		if (!c && !obey())
			return false;
		if (c && c->fd >= 0 &&
		    (ready[i].events & (EPOLLERR | EPOLLHUP)) && !kind->reads)
			hang_up(c);
		else if (c && c->fd >= 0)
			on_input(c);
	}
	return true;
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"port", required_argument, NULL, 'p'},
		{"path", required_argument, NULL, 'a'},
		{"kind", required_argument, NULL, 'k'},
		{"clients", required_argument, NULL, 'c'},
		{"message", required_argument, NULL, 'm'},
		{"share", required_argument, NULL, 's'},
		{"tick-ms", required_argument, NULL, 't'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'p')
			asked.port = (uint16_t)atoi(optarg);
		else if (c == 'a')
			asked.path = optarg;
		else if (c == 'c')
			asked.clients = strtoul(optarg, NULL, 10);
		else if (c == 's')
			asked.share = strtoul(optarg, NULL, 10);
		else if (c == 'm')
			asked.message = strtoul(optarg, NULL, 10);
		else if (c == 't')
			asked.tick_us = strtoul(optarg, NULL, 10) * 1000;
		else if (c == 'k')
			for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]);
			     i++)
				if (strcmp(optarg, kinds[i].name) == 0)
					kind = &kinds[i];
	}
	if (!kind || !asked.port || !asked.clients || !asked.share ||
	    !asked.tick_us) {
		fputs("usage: hostile --port N --kind NAME [--path PATH]\n"
		      "               [--clients N] [--message BYTES] "
		      "[--tick-ms MS]\nkinds:",
		      stderr);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			fprintf(stderr, " %s", kinds[i].name);
		fputs("\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};

	read_options(argc, argv);
	setvbuf(stdin, NULL, _IONBF, 0);
	clients = calloc(asked.clients, sizeof(*clients));
	samples_us = calloc(MOST_SAMPLES, sizeof(*samples_us));
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || !samples_us || poll_fd < 0)
		return 1;
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &e);
	if (kind->write)
		kind->write(&script);
	for (size_t i = 0; i < asked.clients; i++)
		clients[i].fd = -1;
	spread();
	while (on_events())
		for (size_t i = 0; active && i < asked.clients; i++)
			look_after(&clients[i], now_us());
	return 0;
}
