/* SPDX-License-Identifier: MIT */
/* Which server of a route is asked next, and what failures do to that. */
#include "gate/pool.h"

#include "test.h"

static char a[] = "ws://a", b[] = "ws://b", c[] = "ws://c";
static struct gate_server servers[] = {{.text = a}, {.text = b}, {.text = c}};

static struct gate_pool *make(struct gate_route *route)
{
	char text[128];
	struct gate_pool *pool;

	route->server = servers;
	route->n_servers = ARRAY_LEN(servers);
	pool = gate_pool_new(route, false, text, sizeof(text));
	assert_non_null(pool);
	return pool;
}

static struct gate_address client(unsigned number)
{
	struct gate_address one = {
		.bytes = {[10] = 0xff, [11] = 0xff, [12] = 10}};

	one.bytes[14] = (uint8_t)(number >> 8);
	one.bytes[15] = (uint8_t)number;
	return one;
}

/* The first choice for one client at @now. */
static int ask(struct gate_pool *pool, unsigned number, uint64_t now)
{
	struct gate_address who = client(number);
	uint64_t tried = 0;

	return gate_pool_choose(pool, &who, now, &tried);
}

TEST("each server is asked in turn, and all are tried before none is left")
{
	struct gate_route route = {.balance = GATE_ROUND_ROBIN};
	struct gate_pool *pool = make(&route);
	struct gate_address who = client(1);
	unsigned asked[3] = {0};
	uint64_t tried = 0;

	for (int i = 0; i < 300; i++)
		asked[ask(pool, 1, 0)]++;
	for (int i = 0; i < 3; i++)
		assert_int_equal(asked[i], 100);
	for (int i = 0; i < 3; i++)
		assert_true(gate_pool_choose(pool, &who, 0, &tried) >= 0);
	assert_int_equal(tried, 7);
	assert_int_equal(gate_pool_choose(pool, &who, 0, &tried), -1);
	gate_pool_free(pool);
}

TEST("a server that failed rests, longer each time, and is asked if need be")
{
	struct gate_route route = {.balance = GATE_ROUND_ROBIN};
	struct gate_pool *pool = make(&route);

	gate_pool_failed(pool, 0, 1000);
	for (int i = 0; i < 30; i++)
		assert_int_not_equal(ask(pool, 1, 1999), 0);
	assert_true(gate_pool_state(pool, 0, 1999).down);
	assert_false(gate_pool_state(pool, 0, 2000).down);
	gate_pool_failed(pool, 0, 2000);
	assert_true(gate_pool_state(pool, 0, 3999).down);
	assert_false(gate_pool_state(pool, 0, 4000).down);
	for (int i = 0; i < 40; i++) /* they were on their way together */
		gate_pool_failed(pool, 0, 5000);
	assert_true(gate_pool_state(pool, 0, 8999).down);
	assert_false(gate_pool_state(pool, 0, 9000).down);
	assert_int_equal(gate_pool_state(pool, 0, 0).n_failures, 42);
	for (uint64_t now = 100000; now < 3000000; now += 100000)
		gate_pool_failed(pool, 0, now);
	gate_pool_failed(pool, 0, 3000000);
	assert_true(gate_pool_state(pool, 0, 3029999).down);
	assert_false(gate_pool_state(pool, 0, 3030000).down);
	gate_pool_failed(pool, 1, 3000000);
	gate_pool_failed(pool, 2, 3000000);
	assert_true(ask(pool, 1, 3000001) >= 0);
	gate_pool_worked(pool, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(pool, 1, 3000001), 0);
	gate_pool_free(pool);
}

TEST("the fewest connections win, and of equals each in turn")
{
	struct gate_route route = {.balance = GATE_LEAST_CONNECTIONS};
	struct gate_pool *pool = make(&route);
	unsigned asked[3] = {0};

	for (int i = 0; i < 300; i++) {
		int k = ask(pool, 1, 0);

		gate_pool_took(pool, (size_t)k);
		asked[k]++;
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(asked[i], 100);
	for (int i = 0; i < 5; i++)
		gate_pool_left(pool, 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask(pool, 1, 0), 1);
		gate_pool_took(pool, 1);
	}
	gate_pool_free(pool);
}

TEST("a client keeps its server, and only those of a lost one move")
{
	struct gate_route route = {.balance = GATE_BY_CLIENT};
	struct gate_pool *pool = make(&route);
	unsigned asked[3] = {0};
	int before[3000];

	for (unsigned i = 0; i < ARRAY_LEN(before); i++) {
		before[i] = ask(pool, i, 0);
		asked[before[i]]++;
		assert_int_equal(ask(pool, i, 0), before[i]);
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(asked[i], 850, 1150);
	gate_pool_failed(pool, 2, 0);
	for (unsigned i = 0; i < ARRAY_LEN(before); i++) {
		int after = ask(pool, i, 1);

		assert_int_not_equal(after, 2);
		if (before[i] != 2)
			assert_int_equal(after, before[i]);
	}
	gate_pool_free(pool);
}

TEST("a server that fails its checks is asked only when all do")
{
	struct gate_route route = {.balance = GATE_ROUND_ROBIN};
	struct gate_pool *pool = make(&route);
	struct gate_address who = client(1);
	uint64_t tried = 0;

	gate_pool_condemn(pool, 0, true);
	gate_pool_condemn(pool, 2, true);
	gate_pool_failed(pool, 1, 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(pool, 1, 0), 1);
	assert_int_equal(gate_pool_choose(pool, &who, 0, &tried), 1);
	assert_int_equal(gate_pool_choose(pool, &who, 0, &tried), -1);
	assert_false(gate_pool_all_fail(pool));

	gate_pool_condemn(pool, 1, true);
	assert_true(gate_pool_all_fail(pool));
	tried = 0;
	for (int i = 0; i < 3; i++)
		assert_true(gate_pool_choose(pool, &who, 0, &tried) >= 0);
	assert_int_equal(tried, 7);
	assert_true(gate_pool_state(pool, 1, 0).down);

	gate_pool_condemn(pool, 2, false);
	assert_int_equal(ask(pool, 1, 0), 2);
	gate_pool_free(pool);
}

TEST("what is known of a server goes over to the pool that takes its place")
{
	struct gate_route old_route = {0}, route = {0}, other = {0};
	struct gate_pool *old = make(&old_route), *pool = make(&route);
	struct gate_pool *unchecked = make(&other);

	gate_pool_check(old, 1)->failing = true;
	gate_pool_check(old, 1)->in_a_row = 7;
	gate_pool_failed(old, 2, 1000);
	gate_pool_remember(pool, old, true);
	gate_pool_remember(unchecked, old, false);
	gate_pool_free(old);
	assert_int_equal(gate_pool_check(unchecked, 1)->in_a_row, 0);
	assert_false(gate_pool_state(unchecked, 1, 1000).down);
	assert_true(gate_pool_state(unchecked, 2, 1000).down);
	assert_int_equal(gate_pool_state(unchecked, 2, 1000).n_failures, 1);
	gate_pool_free(unchecked);
	assert_int_equal(gate_pool_check(pool, 1)->in_a_row, 7);
	assert_true(gate_pool_state(pool, 1, 0).down);
	assert_false(gate_pool_state(pool, 0, 0).down);
	gate_pool_free(pool);
}
