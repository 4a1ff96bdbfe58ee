/* SPDX-License-Identifier: MIT */
/* Rates and counts, on a clock that the test turns. */
#include "gate/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/value.h"
#include "test.h"

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";

#define EVERY (GATE_BY_ADDRESS | GATE_BY_SUBJECT | GATE_BY_ROUTE)

static struct gate_limit limit_of(enum gate_limit_kind kind,
				  enum gate_limit_by by, const char *text)
{
	struct gate_limit limit = {kind, by, 0, 0, "/chat", text, 1};

	if (kind == GATE_LIMIT_CONNECTIONS)
		limit.most = (uint64_t)atoi(text);
	else
		assert_true(gate_rate_read(bytes_of_str(text), &limit.most,
					   &limit.period_ms));
	return limit;
}

/* One who asks, by address, and perhaps a subject after a blank. */
struct asker {
	struct gate_address address;
	struct gate_limit_who who;
};

static const struct gate_limit_who *who_is(struct asker *a, const char *address,
					   const char *subject)
{
	assert_true(gate_address_read(bytes_of_str(address), &a->address));
	a->who = (struct gate_limit_who){&a->address, bytes_of_str(subject)};
	return &a->who;
}

struct gateway {
	struct gate_limiter *limiter;
	struct gate_limit limit[4];
	size_t n;
	struct gate_limit_hit hit;
};

static enum gate_limit_answer ask(struct gateway *g, const char *address,
				  const char *subject, uint64_t now_ms,
				  struct gate_limit_holds *holds)
{
	struct gate_limit_holds none = {.n = 0};
	struct asker a;

	return gate_limiter_pass(g->limiter, g->limit, g->n, EVERY,
				 who_is(&a, address, subject), now_ms,
				 holds ? holds : &none, &g->hit);
}

TEST("a rate lets its burst pass at once, and then one at a time")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};
	static const struct {
		uint64_t now_ms;
		bool passes;
		uint64_t wait_ms, retry_s;
	} rows[] = {{1000, false, 3000, 3}, {1001, false, 2999, 3},
		    {3999, false, 1, 1},    {4000, true, 0, 0},
		    {4000, false, 3000, 3}, {6000, false, 1000, 1},
		    {5000, false, 1000, 1}, /* another worker's clock */
		    {10000, true, 0, 0},    {10000, true, 0, 0},
		    {10000, false, 3000, 3}};

	g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS, "20/minute");
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(&g, "192.0.2.1", NULL, 1000, NULL),
				 GATE_LIMIT_PASSED);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum gate_limit_answer answer =
			ask(&g, "192.0.2.1", NULL, rows[i].now_ms, NULL);

		if ((answer == GATE_LIMIT_PASSED) != rows[i].passes)
			fail_msg("row %zu: %d", i, answer);
		if (rows[i].passes)
			continue;
		assert_ptr_equal(g.hit.limit, &g.limit[0]);
		assert_int_equal(g.hit.wait_ms, rows[i].wait_ms);
		assert_int_equal(gate_retry_after_s(&g.hit), rows[i].retry_s);
	}
	gate_limiter_free(g.limiter);
}

TEST("over a long time a rate is exact, whatever does not divide evenly")
{
	static const char *const rates[] = {"7/second", "999/minute", "3/hour",
					    "1/day", "13/m"};

	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct gateway g = {.limiter = gate_limiter_new(64, test_seed),
				    .n = 1};
		uint64_t passed = 0, step;

		g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ROUTE, rates[i]);
		step = g.limit[0].period_ms / 1000;
		for (uint64_t t = 0; t <= 10 * g.limit[0].period_ms; t += step)
			for (int k = 0; k < 3; k++)
				passed += ask(&g, "::1", NULL, 77 + t, NULL) ==
					  GATE_LIMIT_PASSED;
		assert_int_equal(passed, 11 * g.limit[0].most);
		gate_limiter_free(g.limiter);
	}
}

TEST("each address, /64 and subject has a count of its own")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};
	static const struct {
		enum gate_limit_by by;
		const char *address, *subject;
		bool passes;
	} rows[] = {
		{GATE_BY_ADDRESS, "192.0.2.1", NULL, true},
		{GATE_BY_ADDRESS, "192.0.2.1", "x", false},
		{GATE_BY_ADDRESS, "::ffff:192.0.2.1", NULL, false},
		{GATE_BY_ADDRESS, "192.0.2.2", NULL, true},
		{GATE_BY_ADDRESS, "2001:db8:0:1::1", NULL, true},
		{GATE_BY_ADDRESS, "2001:db8:0:1:ffff::", NULL, false},
		{GATE_BY_ADDRESS, "2001:db8:0:2::1", NULL, true},
		{GATE_BY_ADDRESS, "::", NULL, true},
		{GATE_BY_SUBJECT, "192.0.2.1", "ann", true},
		{GATE_BY_SUBJECT, "192.0.2.9", "ann", false},
		{GATE_BY_SUBJECT, "192.0.2.1", "Ann", true},
		{GATE_BY_SUBJECT, "192.0.2.1", "", true},
		{GATE_BY_SUBJECT, "192.0.2.1", "", false},
		{GATE_BY_SUBJECT, "192.0.2.1", NULL, true}, /* not known: */
		{GATE_BY_SUBJECT, "192.0.2.1", NULL, true}, /* not counted */
		{GATE_BY_ROUTE, "192.0.2.1", "ann", true},
		{GATE_BY_ROUTE, "192.0.2.9", "bob", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		g.limit[0] = limit_of(GATE_LIMIT_RATE, rows[i].by, "1/hour");
		if ((ask(&g, rows[i].address, rows[i].subject, 5, NULL) ==
		     GATE_LIMIT_PASSED) != rows[i].passes)
			fail_msg("row %zu", i);
	}
	/* another route, another kind: other counts */
	g.limit[0].scope = "/other";
	assert_int_equal(ask(&g, "::1", NULL, 5, NULL), GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "::1", NULL, 5, NULL), GATE_LIMIT_HIT);
	gate_limiter_free(g.limiter);
}

TEST("connections are counted while they are open, and given back once")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 2};
	struct gate_limit_holds a = {.n = 0}, b = a, c = a;
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, "2");
	g.limit[1] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "1");
	assert_int_equal(ask(&g, "::1", "ann", 0, &a), GATE_LIMIT_PASSED);
	assert_int_equal(a.n, 2);
	/* the second limit says no: the first does not count it */
	assert_int_equal(ask(&g, "::1", "ann", 0, &b), GATE_LIMIT_HIT);
	assert_ptr_equal(g.hit.limit, &g.limit[1]);
	assert_int_equal(g.hit.wait_ms, 0);
	assert_int_equal(gate_retry_after_s(&g.hit), 1);
	assert_int_equal(b.n, 0);
	assert_int_equal(ask(&g, "::1", "bob", 0, &b), GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "::1", "eve", 0, &c), GATE_LIMIT_HIT);
	assert_ptr_equal(g.hit.limit, &g.limit[0]);
	assert_int_equal(g.hit.open, 2);
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 3);
	gate_limiter_leave(g.limiter, &a);
	gate_limiter_leave(g.limiter, &a); /* nothing is left to give back */
	assert_int_equal(ask(&g, "::1", "eve", 0, &c), GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "::1", "ann", 0, &a), GATE_LIMIT_HIT);
	gate_limiter_leave(g.limiter, &b);
	gate_limiter_leave(g.limiter, &c);
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 0);
	gate_limiter_free(g.limiter);
}

TEST("what a later limit refuses costs no token of an earlier one")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 2};
	struct gate_limit_holds a = {.n = 0};

	g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS, "2/hour");
	g.limit[1] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ROUTE, "1");
	assert_int_equal(ask(&g, "::1", NULL, 0, &a), GATE_LIMIT_PASSED);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask(&g, "::1", NULL, 0, NULL), GATE_LIMIT_HIT);
		assert_ptr_equal(g.hit.limit, &g.limit[1]);
	}
	gate_limiter_leave(g.limiter, &a);
	assert_int_equal(ask(&g, "::1", NULL, 0, &a), GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "::1", NULL, 0, NULL), GATE_LIMIT_HIT);
	assert_ptr_equal(g.hit.limit, &g.limit[0]);
	gate_limiter_leave(g.limiter, &a);
	gate_limiter_free(g.limiter);
}

TEST("limits are asked for in parts: before a token is known, and after")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed)};
	struct gate_limit_holds holds = {.n = 0};
	struct asker a;
	const struct gate_limit_who *who = who_is(&a, "::1", "ann");
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, "1");
	g.limit[1] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "1");
	assert_int_equal(gate_limiter_pass(g.limiter, g.limit, 2,
					   GATE_BY_ADDRESS | GATE_BY_ROUTE, who,
					   0, &holds, &g.hit),
			 GATE_LIMIT_PASSED);
	assert_int_equal(holds.n, 1);
	assert_int_equal(gate_limiter_pass(g.limiter, g.limit, 2, GATE_BY_SUBJECT,
					   who, 0, &holds, &g.hit),
			 GATE_LIMIT_PASSED);
	assert_int_equal(holds.n, 2);
	gate_limiter_leave(g.limiter, &holds);
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 0);
	gate_limiter_free(g.limiter);
}

TEST("who failed too often is kept out for a while, and others are not")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};
	struct asker a;
	const struct gate_limit_who *who = who_is(&a, "192.0.2.1", NULL);

	g.limit[0] = limit_of(GATE_LIMIT_FAILURES, GATE_BY_ADDRESS, "3/minute");
	for (int i = 0; i < 100; i++) /* to ask is no failure */
		assert_int_equal(ask(&g, "192.0.2.1", NULL, 0, NULL),
				 GATE_LIMIT_PASSED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask(&g, "192.0.2.1", NULL, 0, NULL),
				 GATE_LIMIT_PASSED);
		gate_limiter_fail(g.limiter, g.limit, g.n, who, 0, NULL);
	}
	assert_int_equal(ask(&g, "192.0.2.1", NULL, 0, NULL), GATE_LIMIT_HIT);
	assert_int_equal(g.hit.wait_ms, 20000);
	assert_int_equal(ask(&g, "192.0.2.2", NULL, 0, NULL), GATE_LIMIT_PASSED);
	gate_limiter_fail(g.limiter, g.limit, g.n, who, 0, NULL); /* no deeper */
	assert_int_equal(ask(&g, "192.0.2.1", NULL, 19999, NULL),
			 GATE_LIMIT_HIT);
	assert_int_equal(ask(&g, "192.0.2.1", NULL, 20000, NULL),
			 GATE_LIMIT_PASSED);
	gate_limiter_free(g.limiter);
}

TEST("what is counted as a failure beforehand can be taken back")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};
	struct gate_limit_hit hit = {.limit = NULL};
	struct asker a;
	const struct gate_limit_who *who = who_is(&a, "192.0.2.1", NULL);

	g.limit[0] = limit_of(GATE_LIMIT_FAILURES, GATE_BY_ADDRESS, "2/minute");
	for (int i = 0; i < 2; i++)
		assert_int_equal(gate_limiter_fail(g.limiter, g.limit, g.n, who,
						   0, &hit),
				 GATE_LIMIT_PASSED);
	assert_int_equal(gate_limiter_fail(g.limiter, g.limit, g.n, who, 0, &hit),
			 GATE_LIMIT_HIT);
	assert_ptr_equal(hit.limit, &g.limit[0]);
	assert_int_equal(hit.wait_ms, 30000);
	gate_limiter_forgive(g.limiter, g.limit, g.n, who);
	assert_int_equal(gate_limiter_fail(g.limiter, g.limit, g.n, who, 0, &hit),
			 GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "192.0.2.1", NULL, 0, NULL), GATE_LIMIT_HIT);
	gate_limiter_free(g.limiter);
}

static const char *nth_address(char out[GATE_ADDRESS_TEXT], unsigned i)
{
	snprintf(out, GATE_ADDRESS_TEXT, "10.%u.%u.%u", i >> 16 & 255,
		 i >> 8 & 255, i & 255);
	return out;
}

TEST("a flood of addresses forgets the oldest rates and no connection")
{
	struct gateway g = {.limiter = gate_limiter_new(1024, test_seed),
			    .n = 2};
	struct gate_limit_holds kept[100] = {0};
	char text[GATE_ADDRESS_TEXT];
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, "1");
	g.limit[1] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS, "1/hour");
	for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
		assert_int_equal(ask(&g, nth_address(text, i), NULL, 0, &kept[i]),
				 GATE_LIMIT_PASSED);
	for (unsigned i = 1000; i < 100000; i++) {
		struct gate_limit_holds holds = {.n = 0};

		assert_int_equal(ask(&g, nth_address(text, i), NULL, 0, &holds),
				 GATE_LIMIT_PASSED);
		gate_limiter_leave(g.limiter, &holds);
	}
	gate_limiter_count(g.limiter, &keys, &live);
	assert_true(keys <= 1024);
	assert_int_equal(live, ARRAY_LEN(kept));
	/* the newest rates are still known */
	for (unsigned i = 99990; i < 100000; i++) {
		assert_int_equal(ask(&g, nth_address(text, i), NULL, 0, NULL),
				 GATE_LIMIT_HIT);
		assert_ptr_equal(g.hit.limit, &g.limit[1]);
	}
	for (unsigned i = 0; i < ARRAY_LEN(kept); i++) {
		assert_int_equal(ask(&g, nth_address(text, i), NULL, 0, NULL),
				 GATE_LIMIT_HIT);
		assert_ptr_equal(g.hit.limit, &g.limit[0]);
		gate_limiter_leave(g.limiter, &kept[i]);
	}
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 0);
	gate_limiter_free(g.limiter);
}

TEST("a table full of open connections refuses who needs a place, until one "
     "leaves")
{
	struct gateway g = {.limiter = gate_limiter_new(16, test_seed), .n = 1};
	struct gate_limit_holds holds[400] = {0}, again = {.n = 0};
	char text[GATE_ADDRESS_TEXT];
	unsigned n_full = 0, first_full = 0;
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, "2");
	for (unsigned i = 0; i < ARRAY_LEN(holds); i++) {
		if (ask(&g, nth_address(text, i), NULL, 0, &holds[i]) !=
		    GATE_LIMIT_FULL)
			continue;
		assert_int_equal(holds[i].n, 0);
		assert_ptr_equal(g.hit.limit, &g.limit[0]);
		if (n_full++ == 0)
			first_full = i;
	}
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 16);
	assert_int_equal(n_full, ARRAY_LEN(holds) - 16);
	/* who is inside may come again */
	assert_int_equal(ask(&g, nth_address(text, 0), NULL, 0, &again),
			 GATE_LIMIT_PASSED);
	gate_limiter_leave(g.limiter, &again);
	for (unsigned i = 0; i < first_full; i++)
		gate_limiter_leave(g.limiter, &holds[i]);
	assert_int_equal(ask(&g, nth_address(text, first_full), NULL, 0,
			     &holds[first_full]),
			 GATE_LIMIT_PASSED);
	gate_limiter_free(g.limiter);
}

TEST("a changed rate goes on with no more than it allows")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};

	g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ROUTE, "1000/hour");
	assert_int_equal(ask(&g, "::1", NULL, 0, NULL), GATE_LIMIT_PASSED);
	g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ROUTE, "2/second");
	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(&g, "::1", NULL, 0, NULL),
				 GATE_LIMIT_PASSED);
	assert_int_equal(ask(&g, "::1", NULL, 0, NULL), GATE_LIMIT_HIT);
	gate_limiter_free(g.limiter);
}

/* ---- Workers ---- */

struct worker {
	struct gateway *gate;
	pthread_t thread;
	unsigned passed, most_held;
};

static _Atomic int inside;

static void *work(void *at)
{
	struct worker *w = at;
	struct gateway *g = w->gate;

	for (int i = 0; i < 5000; i++) {
		struct gate_limit_holds holds = {.n = 0};
		struct gate_limit_hit hit;
		struct asker a;

		if (gate_limiter_pass(g->limiter, g->limit, g->n, EVERY,
				      who_is(&a, "::1", "ann"), 0, &holds,
				      &hit) != GATE_LIMIT_PASSED)
			continue;
		w->passed++;
		if (holds.n && ++inside > 3)
			w->most_held = 4;
		if (holds.n)
			inside--;
		gate_limiter_leave(g->limiter, &holds);
	}
	return NULL;
}

static unsigned let_work(struct gateway *g)
{
	struct worker workers[4] = {0};
	unsigned passed = 0;

	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		workers[i].gate = g;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
						&workers[i]),
				 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		passed += workers[i].passed;
		assert_int_equal(workers[i].most_held, 0);
	}
	return passed;
}

TEST("several workers together let no more pass than one would")
{
	struct gateway g = {.limiter = gate_limiter_new(64, test_seed), .n = 1};
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS, "777/hour");
	assert_int_equal(let_work(&g), 777);
	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "3");
	assert_true(let_work(&g) > 0);
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 0);
	gate_limiter_free(g.limiter);
}

TEST("a rate is read by its words")
{
	static const struct {
		const char *text;
		uint64_t count, period_ms; /* 0: it is none */
	} rows[] = {
		{"20/minute", 20, 60000},
		{"5/second", 5, 1000},
		{"100/hour", 100, 3600000},
		{"1000/day", 1000, 86400000},
		{"5/s", 5, 1000},
		{"5/m", 5, 60000},
		{"5/h", 5, 3600000},
		{"5/d", 5, 86400000},
		{"5 / Minute", 5, 60000},
		{"4294967295/s", 4294967295, 1000},
		{"4294967296/s", 0, 0},
		{"0/minute", 0, 0},
		{"20", 0, 0},
		{"20/", 0, 0},
		{"/minute", 0, 0},
		{"-1/minute", 0, 0},
		{"20/minutes", 0, 0},
		{"20/minute/s", 0, 0},
		{"", 0, 0},
		{"20 minute", 0, 0},
		{"2.5/s", 0, 0},
		{"20/ms", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t count = 0, period_ms = 0;
		bool good = gate_rate_read(bytes_of_str(rows[i].text), &count,
					   &period_ms);

		if (good != (rows[i].count != 0) || count != rows[i].count ||
		    period_ms != rows[i].period_ms)
			fail_msg("%s", rows[i].text);
	}
}

TEST("a rate with another period starts afresh")
{
	static const struct {
		const char *before, *after;
		int left; /* of those after, when all but one before are used */
	} rows[] = {
		{"3/second", "3/day", 3},      {"3/day", "3/second", 3},
		{"20/minute", "20/day", 20},   {"20/day", "5/minute", 5},
		{"20/minute", "4/minute", 1}, /* the same unit goes on */
		{"20/minute", "99/minute", 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gateway g = {.limiter = gate_limiter_new(64, test_seed),
				    .n = 1};
		int n = atoi(rows[i].before) - 1;

		g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS,
				      rows[i].before);
		while (n-- > 0)
			assert_int_equal(ask(&g, "192.0.2.1", NULL, 1000, NULL),
					 GATE_LIMIT_PASSED);
		g.limit[0] = limit_of(GATE_LIMIT_RATE, GATE_BY_ADDRESS,
				      rows[i].after);
		for (n = 0;
		     ask(&g, "192.0.2.1", NULL, 1000, NULL) == GATE_LIMIT_PASSED;
		     n++)
			;
		assert_int_equal(n, rows[i].left);
		gate_limiter_free(g.limiter);
	}
}

TEST("a table for all connections has a place for each of them")
{
	enum { CONNECTIONS = 200000 };
	struct gateway g = {
		.limiter = gate_limiter_new(gate_limiter_keys(CONNECTIONS),
					    test_seed),
		.n = 2,
	};
	char address[GATE_ADDRESS_TEXT], subject[16];
	size_t keys, live;

	g.limit[0] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_ADDRESS, "1");
	g.limit[1] = limit_of(GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "1");
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct gate_limit_holds holds = {.n = 0};

		snprintf(subject, sizeof(subject), "%u", i);
		if (ask(&g, nth_address(address, i), subject, 0, &holds) !=
		    GATE_LIMIT_PASSED)
			fail_msg("the table is full at %u", i);
	}
	gate_limiter_count(g.limiter, &keys, &live);
	assert_int_equal(live, 2 * CONNECTIONS);
	gate_limiter_free(g.limiter);
}

TEST("what was hit is told with the count, and the moment when one more passes")
{
	static const struct {
		enum gate_limit_kind kind;
		enum gate_limit_by by;
		const char *limit, *who, *value, *nearest;
		uint64_t wait_ms, open;
	} rows[] = {
		{GATE_LIMIT_RATE, GATE_BY_ADDRESS, "20/minute", "192.0.2.7",
		 "192.0.2.7: none left of 20",
		 "one more, from 2027-01-15T08:00:03Z on (3 s later)", 2001, 0},
		{GATE_LIMIT_FAILURES, GATE_BY_ADDRESS, "3/day", "::1",
		 "::1: none left of 3 failures",
		 "one more, from 2027-01-15T08:00:01Z on (1 s later)", 1, 0},
		{GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "2", "ann",
		 "ann: 2 open", "1 open, when one of them leaves", 0, 2},
		{GATE_LIMIT_CONNECTIONS, GATE_BY_SUBJECT, "1", "",
		 "who has no name: 3 open", "0 open, when one of them leaves",
		 0, 3},
		{GATE_LIMIT_RATE, GATE_BY_ROUTE, "1/s", "192.0.2.7",
		 "all clients together: none left of 1",
		 "one more, from 2027-01-15T08:00:01Z on (1 s later)", 900, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_limit limit =
			limit_of(rows[i].kind, rows[i].by, rows[i].limit);
		struct gate_limit_hit hit = {&limit, rows[i].wait_ms,
					     rows[i].open};
		struct gate_compared told = {"", ""};

		gate_limit_hit_tell(&hit, bytes_of_str(rows[i].who), 1800000000,
				    &told);
		assert_string_equal(told.value, rows[i].value);
		assert_string_equal(told.nearest, rows[i].nearest);
	}
}
