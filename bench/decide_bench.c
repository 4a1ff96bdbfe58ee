/* SPDX-License-Identifier: MIT */
/*
 * What one decision costs, by the length of the lists. A policy of 100 routes
 * is read, with lists of 10, 1,000 and 100,000 entries, or those asked for, and
 * thousands of requests, half of which are refused, are decided in turn, so
 * that no list stays warm for the sake of one entry. CPU time; the best of some
 * rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gate/config.h"
#include "gate/limits.h"
#include "gate/nearest.h"

#define REQUESTS 8192
#define SLOW	 512 /* of these, where one takes a hundred times as long */
#define ROUNDS	 9
#define ROUTES	 100

struct asked {
	struct gate_request request;
	char target[64], origin[64], address[GATE_ADDRESS_TEXT];
};

static struct asked asked[REQUESTS];
static struct gate_decision decision;

static uint64_t chance = 88172645463325252;

static uint32_t draw(uint32_t n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (uint32_t)((chance >> 16) % n);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- The policy ---- */

/* Entry @i; the odd ones are in no list. Spread over the whole of a family. */
static void write_address(char *out, size_t size, uint32_t i, const char *mask,
			  bool six)
{
	uint32_t spread = i * 2654435761u; /* odd, so no two are the same */

	if (six)
		snprintf(out, size, "2001:db8:%x:%x::%s", spread >> 16,
			 spread & 0xffff, mask);
	else
		snprintf(out, size, "%u.%u.%u.%u%s", spread >> 24,
			 spread >> 16 & 255, spread >> 8 & 255, spread & 255,
			 mask);
}

static void write_origin(char *out, size_t size, uint32_t i)
{
	snprintf(out, size, "https://app-%u.customer-%u.example", i,
		 i * 2654435761u >> 8);
}

static void put_lists(struct ses_buf *text, uint32_t n, bool addresses,
		      bool origins, bool six)
{
	char entry[80];

	if (addresses)
		ses_buf_append_str(text, "      addresses:\n");
	for (uint32_t i = 0; addresses && i < n; i++) {
		write_address(entry, sizeof(entry), i * 2, six ? "/64" : "/32",
			      six);
		ses_buf_printf(text, "        - %s\n", entry);
	}
	if (origins)
		ses_buf_append_str(text, "      origins:\n");
	for (uint32_t i = 0; origins && i < n; i++) {
		write_origin(entry, sizeof(entry), i * 2);
		ses_buf_printf(text, "        - %s\n", entry);
	}
}

static struct gate_policy *read_policy(uint32_t n)
{
	struct ses_buf text, errors;
	struct gate_policy *policy;

	ses_buf_init(&text, 256 << 20);
	ses_buf_init(&errors, 65536);
	ses_buf_append_str(&text, "routes:\n");
	for (int i = 0; i < ROUTES - 4; i++)
		ses_buf_printf(&text, "  - {path: /room/%d/%s, to: echo}\n", i,
			       i % 3 ? "live" : "**");
	ses_buf_append_str(&text, "  - path: /four/**\n    to: echo\n"
				  "    allow:\n");
	put_lists(&text, n, true, false, false);
	ses_buf_append_str(&text, "  - path: /six/**\n    to: echo\n"
				  "    allow:\n");
	put_lists(&text, n, true, false, true);
	ses_buf_append_str(&text, "  - path: /origin/**\n    to: echo\n"
				  "    allow:\n");
	put_lists(&text, n, false, true, false);
	ses_buf_append_str(&text, "  - path: /both/**\n    to: echo\n"
				  "    allow:\n");
	put_lists(&text, n, true, true, false);
	policy = gate_config_parse("bench", ses_buf_bytes(&text), false,
				   &errors);
	if (!policy) {
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
		exit(1);
	}
	ses_buf_fini(&text);
	ses_buf_fini(&errors);
	return policy;
}

/* ---- The requests ---- */

static void prepare(uint32_t n, const char *path, bool six)
{
	for (size_t i = 0; i < REQUESTS; i++) {
		struct asked *a = &asked[i];
		uint32_t entry = draw(n) * 2 + (i % 2);

		snprintf(a->target, sizeof(a->target), "%s/%u?x=1", path,
			 draw(1000));
		write_address(a->address, sizeof(a->address), entry,
			      six ? "1" : "", six);
		write_origin(a->origin, sizeof(a->origin), entry);
		a->request = (struct gate_request){
			.target = bytes_of_str(a->target),
			.host = BYTES("gateway.example"),
			.origin = bytes_of_str(a->origin),
			.address_text = bytes_of_str(a->address),
		};
		if (!gate_address_read(a->request.address_text,
				       &a->request.address))
			exit(1);
	}
}

static void decide(const struct gate_policy *policy, const struct asked *a)
{
	gate_admit(policy, &a->request, &decision);
}

static void decide_and_tell(const struct gate_policy *policy,
			    const struct asked *a)
{
	unsigned compared;

	gate_admit(policy, &a->request, &decision);
	gate_nearest(policy, &decision, &compared);
}

/* Nanoseconds of one, the least of some rounds. */
static double measure(const struct gate_policy *policy,
		      void (*one)(const struct gate_policy *policy,
				  const struct asked *a),
		      size_t requests)
{
	double least = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = cpu_ns();
		double took;

		for (size_t i = 0; i < requests; i++)
			one(policy, &asked[i]);
		took = (double)(cpu_ns() - start) / (double)requests;
		if (took < least)
			least = took;
	}
	return least;
}

static double cost(const struct gate_policy *policy, uint32_t n,
		   const char *path, bool six)
{
	prepare(n, path, six);
	return measure(policy, decide, REQUESTS);
}

/* A rate and a count of one connection, by address, from a table that is full. */
static double cost_of_limits(void)
{
	static const struct gate_limit limits[] = {
		{GATE_LIMIT_RATE, GATE_BY_ADDRESS, 20, 60000, "/", "", 1},
		{GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, 20, 0, "/", "", 2},
	};
	static const uint8_t seed[SES_HASH_SEED] = "bench";
	struct gate_limiter *l = gate_limiter_new(GATE_LIMITER_KEYS, seed);
	uint64_t start = 0;

	for (uint32_t i = 0; i < 3 * GATE_LIMITER_KEYS; i++) {
		struct gate_address address = {{0}};
		struct gate_limit_who who = {&address, {NULL, 0}};
		struct gate_limit_holds holds = {.n = 0};
		struct gate_limit_hit hit;
		uint32_t one = draw(UINT32_MAX);

		if (i == GATE_LIMITER_KEYS)
			start = cpu_ns();
		memcpy(address.bytes, &one, sizeof(one));
		gate_limiter_pass(l, limits, 2, GATE_BY_ADDRESS, &who, i,
				  &holds, &hit);
		gate_limiter_leave(l, &holds);
	}
	start = cpu_ns() - start;
	gate_limiter_free(l);
	return (double)start / (2 * GATE_LIMITER_KEYS);
}

#define MOST_ENTRIES 1000000

static uint32_t read_size(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n == 0 || n > MOST_ENTRIES) {
		fprintf(stderr, "usage: decide_bench [ENTRIES...]\n");
		exit(2);
	}
	return (uint32_t)n;
}

static void tell(uint32_t n)
{
	uint64_t start = cpu_ns();
	struct gate_policy *policy = read_policy(n);
	uint64_t took = cpu_ns() - start;

	printf("%7u %6.0f ms", n, (double)took / 1e6);
	printf(" %4.0f ns", cost(policy, n, "/room/93", false));
	printf(" %4.0f ns", cost(policy, n, "/four", false));
	printf(" %4.0f ns", cost(policy, n, "/six", true));
	printf(" %4.0f ns", cost(policy, n, "/both", false));
	printf(" %4.0f ns", cost(policy, n, "/origin", false));
	printf(" %6.0f ns\n", measure(policy, decide_and_tell, SLOW));
	fflush(stdout);
	gate_policy_unref(policy);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {10, 1000, 100000};

	printf("%7s %9s %7s %7s %7s %7s %7s %9s\n", "entries", "read", "path",
	       "IPv4", "IPv6", "both", "origin", "and near");
	for (int i = 1; i < argc; i++)
		tell(read_size(argv[i]));
	if (argc > 1)
		return 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		tell(sizes[i]);
	printf("a rate and a count by address: %.0f ns\n", cost_of_limits());
	return 0;
}
