/* SPDX-License-Identifier: MIT */
/*
 * Load for an echo server: CONNECTIONS connections with DEPTH messages of SIZE
 * bytes (or SIZE to MOST) in flight on each, for SECONDS, on raw sockets, so
 * that it measures the server and not a client library. As many messages as
 * came back are sent again, and every echo is compared byte for byte with what
 * was sent. With --tcp the same bytes go to a plain TCP echo, unchanged. With
 * --hold one message is echoed on each connection, and then nothing happens
 * until standard input ends.
 *
 * It prints one line: messages, seconds, and the CPU time that the server
 * process (--pid) spent on one, from /proc/PID/schedstat.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dialing.h"
#include "listening.h"

#define BUFFER_BYTES (512 * 1024)

/* Frames of different lengths follow each other round this many. */
#define MIXED_FRAMES 256

static struct {
	size_t size, most, depth, connections, sources;
	double seconds, warm_up;
	int port, pid;
	bool tcp, hold, text, wide;
} want = {.size = 20, .depth = 1, .connections = 100, .seconds = 2, .warm_up = 0.2};

/*
 * What is sent and what must come back, frame by frame, round and round. The
 * bytes stand there twice, so that what follows a frame lies behind it.
 */
struct ring {
	uint8_t *bytes;
	size_t len;
	size_t *frame_len, *frame_at;
};
static struct ring out, back;
static size_t n_frames;

struct link {
	int fd;
	size_t send_at;	 /* where in out.bytes the next byte to send is */
	size_t send_len; /* how many are to be sent now */
	size_t next;	 /* frame to be sent after those */
	size_t awaited;	 /* frame that is coming back */
	size_t came;	 /* bytes of it */
};

static uint64_t messages;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Nanoseconds on a CPU so far. */
static uint64_t cpu_of_server(void)
{
	char path[64];
	unsigned long long ns = 0;
	FILE *f;

	if (!want.pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", want.pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &ns) != 1)
		die(path);
	fclose(f);
	return ns;
}

/* ---- what is sent and what must come back ---- */

static size_t write_length(uint8_t *head, size_t size, uint8_t mask_bit)
{
	if (size < 126) {
		head[1] = mask_bit | (uint8_t)size;
		return 2;
	}
	if (size < 65536) {
		head[1] = mask_bit | 126;
		head[2] = (uint8_t)(size >> 8);
		head[3] = (uint8_t)size;
		return 4;
	}
	head[1] = mask_bit | 127;
	for (int i = 0; i < 8; i++)
		head[2 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
	return 10;
}

static void fill_random(uint8_t *to, size_t len)
{
	while (len) {
		ssize_t n = getrandom(to, len < 256 ? len : 256, 0);

		if (n < 0)
			die("getrandom");
		to += n;
		len -= (size_t)n;
	}
}

static void begin_ring(struct ring *r)
{
	r->bytes = malloc((want.most + 14) * n_frames * 2);
	r->frame_len = calloc(n_frames, sizeof(size_t));
	r->frame_at = calloc(n_frames, sizeof(size_t));
	if (!r->bytes || !r->frame_len || !r->frame_at)
		die("malloc");
}

static void add_frame(struct ring *r, size_t frame, size_t len)
{
	r->frame_at[frame] = r->len;
	r->frame_len[frame] = len;
	r->len += len;
}

/* Letters, by what @at holds: Latin ones, or Cyrillic. */
static void make_text(uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = 'a' + at[i] % 26;
	for (size_t i = 0; want.wide && i + 1 < size; i += 2) {
		at[i + 1] = 0xb0 + at[i + 1] % 16;
		at[i] = 0xd0;
	}
}

/* One masked frame and its echo. */
static void make_frame(size_t frame, size_t size)
{
	uint8_t *sent = out.bytes + out.len, *echo = back.bytes + back.len;
	size_t head = write_length(sent, size, 0x80);
	size_t echo_head = write_length(echo, size, 0);
	uint8_t *mask = sent + head, *payload = mask + 4;

	sent[0] = echo[0] = want.text ? 0x81 : 0x82;
	fill_random(mask, 4);
	fill_random(echo + echo_head, size);
	if (want.text)
		make_text(echo + echo_head, size);
	for (size_t i = 0; i < size; i++)
		payload[i] = echo[echo_head + i] ^ mask[i & 3];
	add_frame(&out, frame, head + 4 + size);
	add_frame(&back, frame, echo_head + size);
}

static void prepare(void)
{
	bool mixed = want.most > want.size;

	n_frames = mixed ? MIXED_FRAMES : want.depth;
	if (n_frames < want.depth)
		n_frames = want.depth;
	begin_ring(&out);
	begin_ring(&back);
	for (size_t i = 0; i < n_frames; i++)
		make_frame(i, want.size +
				      (mixed ? (size_t)random() % (want.most -
								   want.size + 1)
					     : 0));
	memcpy(out.bytes + out.len, out.bytes, out.len);
	if (want.tcp) /* as many bytes as a client's frame has, both ways */
		back = out;
}

/* ---- talking ---- */

static void owe_frame(struct link *l)
{
	l->send_len += out.frame_len[l->next];
	l->next = (l->next + 1) % n_frames;
}

static void send_more(struct link *l)
{
	ssize_t n =
		send(l->fd, out.bytes + l->send_at, l->send_len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		die("send");
	if (n <= 0)
		return;
	l->send_at = (l->send_at + (size_t)n) % out.len;
	l->send_len -= (size_t)n;
}

/* Compare; each echo that came back whole is followed by another message. */
static void check(struct link *l, const uint8_t *data, size_t len)
{
	while (len) {
		size_t left = back.frame_len[l->awaited] - l->came;
		size_t n = len < left ? len : left;

		if (memcmp(data, back.bytes + back.frame_at[l->awaited] + l->came,
			   n) != 0) {
			fprintf(stderr, "echo_bench: a wrong echo\n");
			exit(1);
		}
		data += n;
		len -= n;
		l->came += n;
		if (n < left)
			return;
		l->came = 0;
		l->awaited = (l->awaited + 1) % n_frames;
		messages++;
		if (!want.hold)
			owe_frame(l);
	}
}

static void serve(struct link *l)
{
	static uint8_t buffer[BUFFER_BYTES];
	ssize_t n = recv(l->fd, buffer, sizeof(buffer), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("recv");
	if (n > 0)
		check(l, buffer, (size_t)n);
	if (l->send_len)
		send_more(l);
}

static void want_of(int epoll, struct link *l, int how)
{
	struct epoll_event event = {
		.events = EPOLLIN | (l->send_len ? (uint32_t)EPOLLOUT : 0),
		.data.ptr = l};

	epoll_ctl(epoll, how, l->fd, &event);
}

static void turn_until(int epoll, uint64_t until)
{
	struct epoll_event events[256];

	while (now_ns() < until) {
		int n = epoll_wait(epoll, events, 256, 100);

		for (int i = 0; i < n; i++) {
			struct link *l = events[i].data.ptr;
			bool was_sending = l->send_len > 0;

			serve(l);
			if (was_sending || l->send_len)
				want_of(epoll, l, EPOLL_CTL_MOD);
		}
	}
}

static void open_all(int epoll, struct link *links)
{
	for (size_t i = 0; i < want.connections; i++) {
		size_t first = i % n_frames;

		links[i] = (struct link){.fd = dial(want.port, want.sources),
					 .send_at = out.frame_at[first],
					 .next = first,
					 .awaited = first};
		if (!want.tcp)
			shake_hands(links[i].fd, "/", NULL);
		for (size_t d = 0; d < want.depth; d++)
			owe_frame(&links[i]);
		fcntl(links[i].fd, F_SETFL, O_NONBLOCK);
		want_of(epoll, &links[i], EPOLL_CTL_ADD);
	}
}

/* Echo once everywhere, and stay. */
static void hold(int epoll)
{
	while (messages < want.connections * want.depth)
		turn_until(epoll, now_ns() + 10000000);
	puts("holding");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static void measure(int epoll)
{
	uint64_t began, cpu, ns;

	turn_until(epoll, now_ns() + (uint64_t)(want.warm_up * 1e9));
	messages = 0;
	began = now_ns();
	cpu = cpu_of_server();
	turn_until(epoll, began + (uint64_t)(want.seconds * 1e9));
	cpu = cpu_of_server() - cpu;
	ns = now_ns() - began;
	printf("messages %llu seconds %.3f cpu_ns_per_message %.1f\n",
	       (unsigned long long)messages, (double)ns / 1e9,
	       messages ? (double)cpu / (double)messages : 0);
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"size", required_argument, NULL, 's'},
		{"most", required_argument, NULL, 'm'},
		{"depth", required_argument, NULL, 'd'},
		{"connections", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 't'},
		{"warm-up", required_argument, NULL, 'u'},
		{"port", required_argument, NULL, 'p'},
		{"pid", required_argument, NULL, 'i'},
		{"tcp", no_argument, NULL, 'r'},
		{"hold", no_argument, NULL, 'h'},
		{"text", no_argument, NULL, 'x'},
		{"wide", no_argument, NULL, 'w'},
		{"sources", required_argument, NULL, 'o'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (c) {
		case 's':
			want.size = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			want.most = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			want.depth = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			want.connections = strtoul(optarg, NULL, 10);
			break;
		case 't':
			want.seconds = strtod(optarg, NULL);
			break;
		case 'u':
			want.warm_up = strtod(optarg, NULL);
			break;
		case 'p':
			want.port = atoi(optarg);
			break;
		case 'i':
			want.pid = atoi(optarg);
			break;
		case 'r':
			want.tcp = true;
			break;
		case 'h':
			want.hold = true;
			break;
		case 'w':
			want.wide = true;
			/* fall through */
		case 'x':
			want.text = true;
			break;
		case 'o':
			want.sources = strtoul(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	if (want.most < want.size)
		want.most = want.size;
	if (!want.port || !want.depth || !want.connections) {
		fprintf(stderr,
			"usage: echo_bench --port N [--pid N] [--tcp] "
			"[--hold] [--text | --wide] [--size B [--most B]] [--depth N] "
			"[--connections N] [--sources N] "
			"[--seconds S] [--warm-up S]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct link *links;
	int epoll = epoll_create1(0);

	read_options(argc, argv);
	prepare();
	links = calloc(want.connections, sizeof(*links));
	if (!links || epoll < 0)
		die("echo_bench");
	open_all(epoll, links);
	if (want.hold)
		hold(epoll);
	else
		measure(epoll);
	return 0;
}
