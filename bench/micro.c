/* SPDX-License-Identifier: MIT */
/*
 * What the hot functions cost, one by one, beside memcpy() of as many bytes in
 * the same round: the machine's mood is then in both. The median of the rounds
 * is printed. Cycles are those of the time stamp counter, where there is one.
 *
 *	micro [NAME...]            measure all, or those whose name begins so
 *	micro --times N NAME       call one N times and do nothing else, for
 *	                           tools that count instructions
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "gate/admit.h"
#include "gate/config.h"
#include "wire/frame.h"
#include "wire/head.h"
#include "wire/mask.h"
#include "wire/upgrade.h"
#include "wire/utf8.h"

#define ROUNDS	 31
#define SLICE_NS 300000 /* of one measurement */
#define ROOM	 (64 * 1024)

static uint8_t from[ROOM + 64], to[ROOM + 64];
static uint8_t ascii[ROOM], mixed[ROOM];
static const struct gate_policy *policy;

static const char request[] =
	"GET /chat/room-17?token=abcdef HTTP/1.1\r\n"
	"Host: chat.example.org\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) "
	"Gecko/20100101 Firefox/140.0\r\n"
	"Accept: */*\r\n"
	"Accept-Language: en-GB,en;q=0.5\r\n"
	"Accept-Encoding: gzip, deflate, br, zstd\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Origin: https://app-500.example\r\n"
	"Sec-WebSocket-Extensions: permessage-deflate\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Connection: keep-alive, Upgrade\r\n"
	"Cookie: session=0123456789abcdef0123456789abcdef\r\n"
	"Pragma: no-cache\r\nCache-Control: no-cache\r\n"
	"Upgrade: websocket\r\n\r\n";
static struct ses_head head;

/* The compiler may not know what becomes of it. */
#define USE(x) __asm__ volatile("" : : "g"(x) : "memory")

/* ---- what is called ---- */

static void copy(size_t n)
{
	memcpy(to, from, n);
	USE(to);
}

static void frame_decode(size_t n)
{
	static const uint8_t small[] = {0x82, 0x94, 1, 2, 3, 4};
	static const uint8_t medium[] = {0x82, 0xfe, 4, 0, 1, 2, 3, 4};
	struct ses_frame frame;
	enum ses_fault fault;

	ses_frame_decode(n == sizeof(small) ? bytes_of(small, n)
					    : bytes_of(medium, n),
			 &frame, &fault);
	USE(&frame);
}

static void frame_encode(size_t n)
{
	struct ses_frame frame = {
		.fin = true, .opcode = SES_OP_BINARY, .payload_len = 1024};

	ses_frame_encode(&frame, to);
	USE(to);
}

static void unmask(size_t n)
{
	static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

	/* behind a header of 6 bytes, as it comes */
	ses_mask_whole(to + 6, n, key);
	USE(to);
}

static void utf8_ascii(size_t n)
{
	if (!ses_utf8_valid(bytes_of(ascii, n)))
		abort();
}

static void utf8_mixed(size_t n)
{
	if (!ses_utf8_valid(bytes_of(mixed, n)))
		abort();
}

static void parse_head(size_t n)
{
	struct ses_head_parser parser;
	enum ses_fault fault;

	ses_head_init(&parser, true, NULL);
	if (ses_head_parse(&parser, bytes_of(request, n), &head, &fault) <= 0)
		abort();
}

static void check_upgrade(size_t n)
{
	struct ses_upgrade_offer offer;
	enum ses_fault fault;

	if (ses_upgrade_check_request(&head, &offer, &fault) < 0)
		abort();
	USE(&offer);
}

static void accept_key(size_t n)
{
	char accept[SES_ACCEPT_LEN];

	ses_key_accept(BYTES("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	USE(accept);
}

static void answer_upgrade(size_t n)
{
	struct ses_upgrade_offer offer;
	enum ses_fault fault;
	struct ses_buf out;

	ses_buf_init(&out, 4096);
	ses_upgrade_check_request(&head, &offer, &fault);
	ses_upgrade_write_response(&offer, BYTES(""), NULL, BYTES("sesame"),
				   &out);
	ses_buf_fini(&out);
}

static void decide(struct bytes origin)
{
	static struct gate_decision decision;
	struct gate_request asked = {
		.target = BYTES("/chat/room-17?token=abcdef"),
		.host = BYTES("chat.example.org"),
		.origin = origin,
		.address_text = BYTES("203.0.113.9"),
	};

	gate_address_read(asked.address_text, &asked.address);
	gate_admit(policy, &asked, &decision);
	USE(&decision);
}

static void admit(size_t n)
{
	decide(BYTES("https://app-500.example"));
}

static void refuse(size_t n)
{
	decide(BYTES("https://evil.example"));
}

static const struct function {
	const char *name;
	void (*call)(size_t n);
	size_t n; /* bytes that it works on */
} functions[] = {
	{"frame-decode-20", frame_decode, 6},
	{"frame-decode-1K", frame_decode, 8},
	{"frame-encode-1K", frame_encode, 4},
	{"unmask-20", unmask, 20},
	{"unmask-125", unmask, 125},
	{"unmask-1K", unmask, 1024},
	{"unmask-16K", unmask, 16384},
	{"utf8-ascii-20", utf8_ascii, 20},
	{"utf8-ascii-1K", utf8_ascii, 1024},
	{"utf8-ascii-16K", utf8_ascii, 16384},
	{"utf8-mixed-20", utf8_mixed, 20},
	{"utf8-mixed-1K", utf8_mixed, 1024},
	{"utf8-mixed-16K", utf8_mixed, 16384},
	{"head", parse_head, sizeof(request) - 1},
	{"upgrade-check", check_upgrade, sizeof(request) - 1},
	{"upgrade-accept", accept_key, 24},
	{"upgrade-answer", answer_upgrade, sizeof(request) - 1},
	{"admit", admit, 64},
	{"refuse", refuse, 64},
};
#define N_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* ---- what they are called with ---- */

static void fill(void)
{
	/*
	 * 1, 2, 3 and 4 bytes, as the world writes; 20 in all, and whole after
	 * four, so that no length used here cuts a character
	 */
	static const char words[] = "Gr\xc3\xbc\xd0\xbc\xd0\xb8 "
				    "\xe4\xb8\x96\xf0\x9f\x91\x8bwave";
	size_t len = sizeof(words) - 1;

	for (size_t i = 0; i < ROOM; i++) {
		ascii[i] = (uint8_t)(' ' + i % 95);
		mixed[i] = (uint8_t)words[i % len];
	}
	memset(from, 0x5a, sizeof(from));
}

static void make_policy(void)
{
	struct ses_buf text, errors;

	ses_buf_init(&text, 1 << 20);
	ses_buf_init(&errors, 65536);
	ses_buf_append_str(&text, "routes:\n  - path: /chat/**\n    to: echo\n"
				  "    allow:\n      origins:\n");
	for (int i = 0; i < 1000; i++)
		ses_buf_printf(&text, "        - https://app-%d.example\n", i);
	policy = gate_config_parse("micro", ses_buf_bytes(&text), false,
				   &errors);
	if (!policy) {
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
		exit(1);
	}
	ses_buf_fini(&text);
	ses_buf_fini(&errors);
}

/* ---- measuring ---- */

struct cost {
	double ns, cycles; /* of one call */
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cycles(void)
{
#ifdef __x86_64__
	return (double)__rdtsc();
#else
	return 0;
#endif
}

static struct cost time_calls(void (*call)(size_t n), size_t n, size_t times)
{
	double ns = now_ns(), began = cycles();

	for (size_t i = 0; i < times; i++)
		call(n);
	return (struct cost){(now_ns() - ns) / (double)times,
			     (cycles() - began) / (double)times};
}

static size_t times_for(void (*call)(size_t n), size_t n)
{
	double one = time_calls(call, n, 64).ns;

	return one > 0 ? (size_t)(SLICE_NS / one) + 1 : SLICE_NS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static void measure(const struct function *f)
{
	double ns[ROUNDS], per_cycle[ROUNDS], ratio[ROUNDS];
	size_t times = times_for(f->call, f->n), copies = times_for(copy, f->n);

	for (int i = 0; i < ROUNDS; i++) {
		struct cost ours, reference;

		if (i % 2)
			reference = time_calls(copy, f->n, copies);
		ours = time_calls(f->call, f->n, times);
		if (i % 2 == 0)
			reference = time_calls(copy, f->n, copies);
		ns[i] = ours.ns;
		per_cycle[i] = ours.cycles > 0 ? (double)f->n / ours.cycles : 0;
		ratio[i] = ours.ns / reference.ns;
	}
	printf("%-16s %6zu B %9.1f ns %7.2f B/cycle %8.2f x memcpy\n", f->name,
	       f->n, median(ns), median(per_cycle), median(ratio));
	fflush(stdout);
}

static bool is_wanted(const char *name, char **words)
{
	if (!*words)
		return true;
	for (; *words; words++)
		if (strncmp(name, *words, strlen(*words)) == 0)
			return true;
	return false;
}

static int call_often(const char *name, size_t times)
{
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		if (strcmp(functions[i].name, name) == 0) {
			time_calls(functions[i].call, functions[i].n, times);
			return 0;
		}
	fprintf(stderr, "micro: there is no %s\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	fill();
	make_policy();
	parse_head(sizeof(request) - 1);
	if (argc == 4 && strcmp(argv[1], "--times") == 0)
		return call_often(argv[3], strtoul(argv[2], NULL, 10));
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		if (is_wanted(functions[i].name, argv + 1))
			measure(&functions[i]);
	return 0;
}
