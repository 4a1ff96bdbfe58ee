/* SPDX-License-Identifier: MIT */
/*
 * Load for an echo server: CONNECTIONS connections with DEPTH messages of SIZE
 * bytes in flight on each, for SECONDS, on raw sockets, so that it measures the
 * server and not a client library. Every echo is compared byte for byte with
 * what was sent. With --tcp the same bytes go to a plain TCP echo, unchanged.
 *
 * It prints one line: messages, seconds, and the CPU time that the server
 * process (--pid) spent on them, from /proc/PID/schedstat.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

#define BUFFER_BYTES (512 * 1024)

static struct {
	size_t size, depth, connections;
	double seconds;
	int port, pid;
	bool tcp;
} want = {.size = 20, .depth = 1, .connections = 100, .seconds = 2};

/* What is sent: DEPTH frames in one piece. What comes back: the same each. */
static uint8_t *batch, *echo;
static size_t batch_len, echo_len; /* of one echo */

struct link {
	int fd;
	size_t at;	/* place within the present echo */
	size_t back;	/* echoes of the present batch that came back */
	size_t to_send; /* bytes of the batch still to be sent */
};

static uint64_t messages;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

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

static size_t write_length(uint8_t *out, size_t size, uint8_t mask_bit)
{
	if (size < 126) {
		out[1] = mask_bit | (uint8_t)size;
		return 2;
	}
	if (size < 65536) {
		out[1] = mask_bit | 126;
		out[2] = (uint8_t)(size >> 8);
		out[3] = (uint8_t)size;
		return 4;
	}
	out[1] = mask_bit | 127;
	for (int i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
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

/* One masked frame at @out, the same payload in the echo. Its length. */
static size_t write_frame(uint8_t *out)
{
	size_t head = write_length(out, want.size, 0x80);
	uint8_t *mask = out + head, *payload = mask + 4;
	size_t echo_head = write_length(echo, want.size, 0);

	out[0] = echo[0] = 0x82;
	fill_random(mask, 4);
	for (size_t i = 0; i < want.size; i++)
		payload[i] = echo[echo_head + i] ^ mask[i & 3];
	return head + 4 + want.size;
}

static void prepare(void)
{
	size_t most = want.size + 14;

	batch = malloc(most * want.depth);
	echo = malloc(most);
	if (!batch || !echo)
		die("malloc");
	echo_len = write_length(echo, want.size, 0) + want.size;
	fill_random(echo, most);
	for (size_t i = 0; i < want.depth; i++) {
		if (i == 0 || !want.tcp)
			batch_len += write_frame(batch + batch_len);
	}
	if (!want.tcp)
		return;
	/* a byte echo: as many bytes as a client's frame has, both ways */
	echo_len = batch_len;
	memcpy(echo, batch, echo_len);
	for (size_t i = 1; i < want.depth; i++, batch_len += echo_len)
		memcpy(batch + batch_len, echo, echo_len);
}

/* ---- talking ---- */

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)want.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	return fd;
}

static void shake_hands(int fd)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	char answer[2048] = "";
	size_t len = 0;
	ssize_t n;

	if (send(fd, request, sizeof(request) - 1, 0) < 0)
		die("send");
	while (!strstr(answer, "\r\n\r\n") && len < sizeof(answer) - 1) {
		n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
		if (n <= 0)
			die("recv");
		len += (size_t)n;
		answer[len] = 0;
	}
	if (strncmp(answer, "HTTP/1.1 101", 12) != 0) {
		fprintf(stderr, "echo_bench: refused: %.40s\n", answer);
		exit(1);
	}
}

static void send_more(struct link *l)
{
	ssize_t n = send(l->fd, batch + batch_len - l->to_send, l->to_send,
			 MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		die("send");
	if (n > 0)
		l->to_send -= (size_t)n;
}

/* Compare; a batch that came back whole is followed by the next. */
static void check(struct link *l, const uint8_t *data, size_t len)
{
	while (len) {
		size_t left = echo_len - l->at, n = len < left ? len : left;

		if (memcmp(data, echo + l->at, n) != 0) {
			fprintf(stderr, "echo_bench: a wrong echo\n");
			exit(1);
		}
		data += n;
		len -= n;
		l->at += n;
		if (l->at < echo_len)
			return;
		l->at = 0;
		messages++;
		if (++l->back == want.depth) {
			l->back = 0;
			l->to_send = batch_len;
		}
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
	if (l->to_send)
		send_more(l);
}

static void want_of(int epoll, struct link *l, int how)
{
	struct epoll_event event = {
		.events = EPOLLIN | (l->to_send ? (uint32_t)EPOLLOUT : 0),
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
			bool was_sending = l->to_send > 0;

			serve(l);
			if (was_sending || l->to_send)
				want_of(epoll, l, EPOLL_CTL_MOD);
		}
	}
}

static void open_all(int epoll, struct link *links)
{
	for (size_t i = 0; i < want.connections; i++) {
		links[i] = (struct link){.fd = dial(), .to_send = batch_len};
		if (!want.tcp)
			shake_hands(links[i].fd);
		fcntl(links[i].fd, F_SETFL, O_NONBLOCK);
		want_of(epoll, &links[i], EPOLL_CTL_ADD);
	}
}

static void measure(int epoll)
{
	uint64_t began, cpu, ns;

	turn_until(epoll, now_ns() + 200000000); /* warm up */
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
		{"depth", required_argument, NULL, 'd'},
		{"connections", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 't'},
		{"port", required_argument, NULL, 'p'},
		{"pid", required_argument, NULL, 'i'},
		{"tcp", no_argument, NULL, 'r'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (c) {
		case 's':
			want.size = strtoul(optarg, NULL, 10);
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
		case 'p':
			want.port = atoi(optarg);
			break;
		case 'i':
			want.pid = atoi(optarg);
			break;
		case 'r':
			want.tcp = true;
			break;
		default:
			exit(2);
		}
	if (!want.port || !want.depth || !want.connections) {
		fprintf(stderr, "usage: echo_bench --port N [--pid N] [--tcp] "
				"[--size B] [--depth N] [--connections N] "
				"[--seconds S]\n");
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
	measure(epoll);
	return 0;
}
