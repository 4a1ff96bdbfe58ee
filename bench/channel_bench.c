/* SPDX-License-Identifier: MIT */
/*
 * Load for servers of channels: CHANNELS channels of MEMBERS members each, over
 * PORTS in turn, and a publisher for each channel. A channel's path is PATH and
 * its number. When every member hears its publisher, "ready" is printed, and
 * then each line of standard input, "SECONDS DEPTH RATE", is answered by one:
 * with RATE 0 there are DEPTH messages of every channel on their way all the
 * time, else so many a second are sent in all. What is printed is per delivery:
 * CPU of the nodes (--pids), of what is between them (--between), of this load,
 * and how long it took since the message was sent, or was due.
 *
 * Every delivery is compared byte for byte with what was published. One that is
 * missing, comes twice, comes to the wrong member or out of its order ends the
 * program with a sentence: then nothing was measured.
 *
 * Members are plain, or offer --protocol, or speak Socket.IO (--socketio),
 * which has a greeting and puts what is published into an event.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "dialing.h"
#include "listening.h"
#include "load/meter.h"
#include "wire/frame.h"

#define MOST_PORTS  8
#define MOST_SIZE   1024
#define REST_BYTES  4096 /* of a frame that came in part */
#define INPUT_BYTES (256 * 1024)

/* So many messages of a channel are on their way at most. */
#define RING 64

/* '@', the channel and the message's number begin a payload. */
#define MARK_CHARS 27

/* After so long without a delivery it is missing. */
#define PATIENCE_NS 10000000000
/* Who does not hear a first message for so long gets another one. */
#define PROBE_NS 500000000

static struct {
	size_t channels, members, size, n_ports;
	int ports[MOST_PORTS];
	struct load_plan nodes, between; /* their processes */
	const char *path, *publish_path, *protocol;
	bool socketio;
} want = {.channels = 1, .members = 10, .size = 64, .path = "/chat/"};

struct channel {
	size_t number;
	int publisher; /* its socket */
	uint64_t sent;
	/* Of the last RING messages: when, what, and how many have not got it. */
	uint64_t at_ns[RING];
	size_t left[RING];
	char text[RING][MOST_SIZE];
};

struct link {
	int fd;
	bool speaks; /* the channel's publisher */
	struct channel *channel;
	uint64_t heard; /* the last message's number; 0: none yet */
	uint8_t *rest;
	size_t rest_len;
};

static struct channel *channels;
static struct link *links;
static int epoll;
static size_t n_links, n_deaf; /* n_deaf: members that have heard nothing */
static uint64_t deliveries, on_their_way;
static struct load_histogram delays;

__attribute__((format(printf, 1, 2), noreturn)) static void
invalid(const char *format, ...)
{
	va_list args;

	fputs("channel_bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- publishing ---- */

static void send_frame(int fd, uint8_t opcode, const char *text, size_t len)
{
	/* with a mask of zeros it looks as it is */
	struct ses_frame frame = {.fin = true,
				  .opcode = opcode,
				  .masked = true,
				  .payload_len = len};
	uint8_t bytes[SES_FRAME_HEAD_MAX + MOST_SIZE + 64];
	size_t head = ses_frame_encode(&frame, bytes);

	memcpy(bytes + head, text, len);
	send_all(fd, bytes, head + len);
}

static void write_text(char *to, const struct channel *c, uint64_t number)
{
	snprintf(to, MOST_SIZE, "@%08zx-%016llx-", c->number,
		 (unsigned long long)number);
	for (size_t i = MARK_CHARS; i < want.size; i++)
		to[i] = (char)('a' + (i + number) % 26);
}

static void publish(struct channel *c, uint64_t at_ns)
{
	size_t slot = ++c->sent % RING, len = want.size;
	char event[MOST_SIZE + 32];

	write_text(c->text[slot], c, c->sent);
	c->at_ns[slot] = at_ns;
	c->left[slot] = want.members;
	on_their_way += want.members;
	memcpy(event, c->text[slot], len);
	if (want.socketio)
		len = (size_t)snprintf(event, sizeof(event),
				       "42[\"pub\",\"%.*s\"]", (int)want.size,
				       c->text[slot]);
	send_frame(c->publisher, SES_OP_TEXT, event, len);
}

/* ---- hearing ---- */

static void deliver(struct link *l, const char *text)
{
	struct channel *c = l->channel;
	uint64_t number = strtoull(text + 10, NULL, 16);
	size_t slot = number % RING;

	if (l->speaks)
		invalid("the publisher of channel %zu heard itself", c->number);
	if (number == 0 || number > c->sent)
		invalid("channel %zu: nobody sent %.30s", c->number, text);
	if (l->heard && number != l->heard + 1)
		invalid("channel %zu: %llu came after %llu", c->number,
			(unsigned long long)number,
			(unsigned long long)l->heard);
	if (memcmp(text, c->text[slot], want.size) != 0)
		invalid("channel %zu: not what was sent: %.30s", c->number,
			text);
	if (!l->heard)
		n_deaf--;
	l->heard = number;
	c->left[slot]--;
	on_their_way--;
	deliveries++;
	load_note(&delays, load_now() - c->at_ns[slot]);
}

/* Payloads as they are, or somewhere in an envelope; other words pass there. */
static void take_text(struct link *l, const uint8_t *payload, size_t len)
{
	const uint8_t *mark = memchr(payload, '@', len);
	bool wrapped = want.socketio || want.protocol;
	char text[MOST_SIZE] = "";

	if (want.socketio && len == 1 && payload[0] == '2') {
		send_frame(l->fd, SES_OP_TEXT, "3", 1);
		return;
	}
	if (!mark && (wrapped || l->speaks))
		return;
	if (!mark || (size_t)(payload + len - mark) < want.size ||
	    (!wrapped && len != want.size))
		invalid("channel %zu: not what was sent: %.*s",
			l->channel->number, (int)(len < 60 ? len : 60), payload);
	memcpy(text, mark, want.size);
	deliver(l, text);
}

static void take(struct link *l, const struct ses_frame *frame,
		 const uint8_t *payload)
{
	size_t len = (size_t)frame->payload_len;

	if (frame->opcode == SES_OP_PING)
		send_frame(l->fd, SES_OP_PONG, (const char *)payload, len);
	else if (frame->opcode == SES_OP_CLOSE)
		invalid("channel %zu: closed: %.*s", l->channel->number,
			len > 2 ? (int)len - 2 : 0, payload + 2);
	else if (frame->opcode != SES_OP_PONG)
		take_text(l, payload, len);
}

/* Whole frames; returns how many bytes they have. */
static size_t take_frames(struct link *l, const uint8_t *data, size_t len)
{
	size_t at = 0;

	for (;;) {
		struct ses_frame frame;
		enum ses_fault fault;
		int head = ses_frame_decode((struct bytes){data + at, len - at},
					    &frame, &fault);

		if (head < 0)
			invalid("channel %zu: a frame that is none",
				l->channel->number);
		if (head == 0 || len - at - (size_t)head < frame.payload_len)
			return at;
		take(l, &frame, data + at + head);
		at += (size_t)head + (size_t)frame.payload_len;
	}
}

static void keep_rest(struct link *l, const uint8_t *data, size_t len)
{
	if (len > REST_BYTES)
		invalid("a frame is too long");
	if (len && !l->rest && !(l->rest = malloc(REST_BYTES)))
		die("malloc");
	if (len)
		memcpy(l->rest, data, len);
	l->rest_len = len;
}

static void hear(struct link *l)
{
	static uint8_t buffer[REST_BYTES + INPUT_BYTES];
	size_t len = l->rest_len, used;
	ssize_t n;

	if (len)
		memcpy(buffer, l->rest, len);
	n = recv(l->fd, buffer + len, INPUT_BYTES, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		invalid("channel %zu: a connection ended", l->channel->number);
	len += (size_t)n;
	used = take_frames(l, buffer, len);
	keep_rest(l, buffer + used, len - used);
}

static void turn(int patience_ms)
{
	struct epoll_event events[512];
	int n = epoll_wait(epoll, events, 512, patience_ms);

	for (int i = 0; i < n; i++)
		hear(events[i].data.ptr);
}

/* ---- measuring ---- */

/* Until @is_done, or until nothing has come for so long. */
static void hear_until(bool (*is_done)(void), uint64_t patience_ns)
{
	uint64_t last = load_now(), before = deliveries;

	while (!is_done() && load_now() < last + patience_ns) {
		turn(100);
		if (deliveries != before)
			last = load_now();
		before = deliveries;
	}
}

static bool has_all_come(void)
{
	return on_their_way == 0;
}

/* Until all that was published has come to everybody. */
static void settle(void)
{
	hear_until(has_all_come, PATIENCE_NS);
	if (on_their_way)
		invalid("%llu deliveries are missing",
			(unsigned long long)on_their_way);
}

static bool has_room(const struct channel *c, size_t depth)
{
	/* in their order, so the oldest of @depth is the last to be done */
	return c->left[(c->sent + 1 + RING - depth) % RING] == 0;
}

static void publish_by_depth(uint64_t until, size_t depth)
{
	while (load_now() < until) {
		for (size_t i = 0; i < want.channels; i++)
			while (has_room(&channels[i], depth))
				publish(&channels[i], load_now());
		turn(100);
	}
}

static void publish_by_rate(uint64_t until, double rate)
{
	uint64_t began = load_now(), n = 0, now;

	while ((now = load_now()) < until) {
		uint64_t due = began + (uint64_t)((double)n * 1e9 / rate);
		struct channel *c = &channels[n % want.channels];

		if (due <= now && has_room(c, RING)) {
			publish(c, due);
			n++;
		}
		turn(due > now + 1000000 ? 1 : 0);
	}
}

static void publish_for(double seconds, size_t depth, double rate)
{
	uint64_t until = load_now() + (uint64_t)(seconds * 1e9);

	if (rate > 0)
		publish_by_rate(until, rate);
	else
		publish_by_depth(until, depth);
	settle();
}

static uint64_t cpu_of(const struct load_plan *processes)
{
	struct load_reading reading;
	int pid;

	if (load_meter_read(processes, &reading, &pid) < 0)
		invalid("process %d is gone", pid);
	return reading.cpu_ns;
}

static void measure(double seconds, size_t depth, double rate)
{
	uint64_t began, nodes, between, own;
	double n, took;

	publish_for(seconds < 0.4 ? seconds / 4 : 0.1, depth, rate);
	memset(&delays, 0, sizeof(delays));
	deliveries = 0;
	nodes = cpu_of(&want.nodes);
	between = cpu_of(&want.between);
	own = load_own_cpu();
	began = load_now();
	publish_for(seconds, depth, rate);
	took = (double)(load_now() - began);
	own = load_own_cpu() - own;
	nodes = cpu_of(&want.nodes) - nodes;
	between = cpu_of(&want.between) - between;
	n = (double)deliveries;
	printf("deliveries %llu seconds %.4f nodes_ns %.1f between_ns %.1f "
	       "load_ns %.1f p50_us %.1f p99_us %.1f\n",
	       (unsigned long long)deliveries, took / 1e9, (double)nodes / n,
	       (double)between / n, (double)own / n,
	       (double)load_quantile(&delays, 0.5) / 1e3,
	       (double)load_quantile(&delays, 0.99) / 1e3);
	fflush(stdout);
}

/* ---- opening ---- */

/* The next frame, which has @what in it; of one connection that just opened. */
static void await(int fd, const char *what)
{
	uint8_t head[4];
	char payload[REST_BYTES];
	size_t len;

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		invalid("no greeting came");
	len = head[1];
	if (len == 126 && recv(fd, head + 2, 2, MSG_WAITALL) == 2)
		len = (size_t)head[2] << 8 | head[3];
	if (len >= sizeof(payload) ||
	    recv(fd, payload, len, MSG_WAITALL) != (ssize_t)len)
		invalid("no greeting came");
	payload[len] = 0;
	if (!strstr(payload, what))
		invalid("a greeting without %s: %.60s", what, payload);
}

static int join(size_t port, const char *place, size_t channel, bool speaks)
{
	char path[512];
	int fd = dial(want.ports[port], 8);

	snprintf(path, sizeof(path), "%s%zu", place, channel);
	shake_hands(fd, path, speaks ? NULL : want.protocol);
	if (want.socketio) {
		await(fd, "\"sid\"");
		send_frame(fd, SES_OP_TEXT, "40", 2);
		await(fd, "40{");
	}
	return fd;
}

static void hear_of(int fd, struct channel *c, bool speaks)
{
	struct link *l = &links[n_links++];
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};

	*l = (struct link){.fd = fd, .channel = c, .speaks = speaks};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
	turn(0);
}

static void open_channel(struct channel *c)
{
	size_t first = c->number % want.n_ports;

	for (size_t m = 0; m < want.members; m++) {
		size_t port = (first + m) % want.n_ports;

		hear_of(join(port, want.path, c->number, false), c, false);
	}
	c->publisher =
		join(first, want.publish_path ?: want.path, c->number, true);
	hear_of(c->publisher, c, true);
}

static bool is_nobody_deaf(void)
{
	return n_deaf == 0;
}

static bool have_all_heard_all(void)
{
	for (size_t i = 0; i < n_links; i++)
		if (!links[i].speaks && links[i].heard != links[i].channel->sent)
			return false;
	return true;
}

/* Who is in may not be subscribed yet; nothing was promised until it is. */
static void probe(void)
{
	for (int i = 0; i < RING - 1 && n_deaf; i++) {
		for (size_t k = 0; k < want.channels; k++)
			publish(&channels[k], load_now());
		hear_until(is_nobody_deaf, PROBE_NS);
	}
	if (n_deaf)
		invalid("%zu members hear nothing", n_deaf);
}

/* What came before a member was there is not missing; all that follows is. */
static void forget_probes(void)
{
	hear_until(have_all_heard_all, PATIENCE_NS);
	if (!have_all_heard_all())
		invalid("a member does not hear what others hear");
	for (size_t i = 0; i < want.channels; i++)
		memset(channels[i].left, 0, sizeof(channels[i].left));
	on_their_way = 0;
}

static void open_all(void)
{
	n_deaf = want.channels * want.members;
	for (size_t i = 0; i < want.channels; i++) {
		channels[i].number = i;
		open_channel(&channels[i]);
	}
	probe();
	forget_probes();
}

/* ---- the command line ---- */

static unsigned read_list(const char *text, int *to, unsigned most)
{
	unsigned n = 0;
	char *end;

	for (; n < most && *text; text = *end ? end + 1 : end)
		to[n++] = (int)strtol(text, &end, 10);
	return n;
}

static void read_option(int c)
{
	switch (c) {
	case 'p':
		want.n_ports = read_list(optarg, want.ports, MOST_PORTS);
		break;
	case 'i':
		want.nodes.n_pids =
			read_list(optarg, want.nodes.pids, LOAD_PIDS);
		break;
	case 'b':
		want.between.n_pids =
			read_list(optarg, want.between.pids, LOAD_PIDS);
		break;
	case 'c':
		want.channels = strtoul(optarg, NULL, 10);
		break;
	case 'm':
		want.members = strtoul(optarg, NULL, 10);
		break;
	case 's':
		want.size = strtoul(optarg, NULL, 10);
		break;
	case 'a':
		want.path = optarg;
		break;
	case 'u':
		want.publish_path = optarg;
		break;
	case 'o':
		want.protocol = optarg;
		break;
	case 'x':
		want.socketio = true;
		break;
	default:
		exit(2);
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"ports", required_argument, NULL, 'p'},
		{"pids", required_argument, NULL, 'i'},
		{"between", required_argument, NULL, 'b'},
		{"channels", required_argument, NULL, 'c'},
		{"members", required_argument, NULL, 'm'},
		{"size", required_argument, NULL, 's'},
		{"path", required_argument, NULL, 'a'},
		{"publish-path", required_argument, NULL, 'u'},
		{"protocol", required_argument, NULL, 'o'},
		{"socketio", no_argument, NULL, 'x'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		read_option(c);
	if (want.n_ports && want.channels && want.members &&
	    want.size >= MARK_CHARS && want.size < MOST_SIZE)
		return;
	fprintf(stderr,
		"usage: channel_bench --ports N[,N] [--pids N[,N]] "
		"[--between N[,N]] [--channels N] [--members N] "
		"[--size %d..%d] [--path PATH] [--publish-path PATH] "
		"[--protocol NAME | --socketio]\n",
		MARK_CHARS, MOST_SIZE - 1);
	exit(2);
}

int main(int argc, char **argv)
{
	double seconds, rate;
	size_t depth;
	char line[200];

	read_options(argc, argv);
	epoll = epoll_create1(0);
	channels = calloc(want.channels, sizeof(*channels));
	links = calloc(want.channels * (want.members + 1), sizeof(*links));
	if (!channels || !links || epoll < 0)
		die("channel_bench");
	open_all();
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "%lf %zu %lf", &seconds, &depth, &rate) == 3 &&
		    depth >= 1 && depth <= RING)
			measure(seconds, depth, rate);
	return 0;
}
