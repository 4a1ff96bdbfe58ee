/* SPDX-License-Identifier: MIT */
/*
 * Choosing among servers without a lock: each number is an atomic of its own,
 * and a choice that is a moment old is as good as another.
 */
#include "gate/pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls.h"

#define REST_MS	     1000 /* after the first failure; doubled by each more */
#define MOST_REST_MS 30000

struct member {
	atomic_ullong live, n_failures;
	atomic_uint in_a_row;	  /* failures since it last worked */
	atomic_ullong down_until; /* ms */
	atomic_bool failing;	  /* its checks */
	struct gate_check check;
};

struct gate_pool {
	const struct gate_route *route;
	struct ses_tls_context *tls;
	atomic_uint turn;
	size_t n;
	struct member member[];
};

static bool needs_tls(const struct gate_route *route)
{
	for (size_t i = 0; i < route->n_servers; i++)
		if (route->server[i].tls)
			return true;
	return false;
}

struct gate_pool *gate_pool_new(const struct gate_route *route, bool open_files,
				char *text, size_t text_size)
{
	struct ses_tls_client_options options = {
		.ca_file = route->upstream_tls.ca,
		.cert_file = route->upstream_tls.certificate,
		.key_file = route->upstream_tls.key,
		.insecure = route->upstream_tls.unverified,
	};
	struct gate_pool *pool = calloc(
		1, sizeof(*pool) + route->n_servers * sizeof(pool->member[0]));

	assert(route->n_servers <= GATE_MAX_SERVERS);
	snprintf(text, text_size, "out of memory");
	if (!pool)
		return NULL;
	pool->route = route;
	pool->n = route->n_servers;
	if (!needs_tls(route) || !open_files)
		return pool;
	pool->tls = ses_tls_client_new(&options, text, text_size);
	if (pool->tls)
		return pool;
	gate_pool_free(pool);
	return NULL;
}

void gate_pool_free(struct gate_pool *pool)
{
	if (!pool)
		return;
	ses_tls_context_unref(pool->tls);
	free(pool);
}

struct ses_tls_context *gate_pool_tls(const struct gate_pool *pool)
{
	return pool->tls;
}

/* ---- Choosing ---- */

/* How far one has to go to ask a server. */
enum reach {
	WELL,	 /* nothing is known against it */
	RESTING, /* or it failed of late */
	FAILING, /* or it fails its checks */
};

static enum reach reach_of(struct member *m, uint64_t now_ms)
{
	if (atomic_load(&m->failing))
		return FAILING;
	return atomic_load(&m->down_until) > now_ms ? RESTING : WELL;
}

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return mix(h);
}

/*
 * How much server @i is liked: the highest is taken. A client keeps its server
 * as long as that is there, whoever else comes and goes (rendezvous hashing).
 */
static uint64_t liking(struct gate_pool *pool, size_t i, size_t turn,
		       const struct gate_address *client)
{
	const char *text = pool->route->server[i].text;
	uint64_t place = (i + pool->n - turn % pool->n) % pool->n;

	switch (pool->route->balance) {
	case GATE_BY_CLIENT:
		return hash(hash(0, text, strlen(text)), client->bytes,
			    sizeof(client->bytes));
	case GATE_LEAST_CONNECTIONS:
		return (UINT64_MAX >> 8) -
		       (atomic_load(&pool->member[i].live) << 8) - place;
	default:
		return UINT64_MAX - place;
	}
}

static int best(struct gate_pool *pool, const struct gate_address *client,
		uint64_t now_ms, uint64_t tried, size_t turn, enum reach reach)
{
	uint64_t most = 0;
	int found = -1;

	for (size_t i = 0; i < pool->n; i++) {
		uint64_t liked;

		if ((tried >> i & 1) ||
		    reach_of(&pool->member[i], now_ms) > reach)
			continue;
		liked = liking(pool, i, turn, client);
		if (found < 0 || liked > most) {
			most = liked;
			found = (int)i;
		}
	}
	return found;
}

int gate_pool_choose(struct gate_pool *pool, const struct gate_address *client,
		     uint64_t now_ms, uint64_t *tried)
{
	size_t turn = atomic_fetch_add(&pool->turn, 1);
	int i = best(pool, client, now_ms, *tried, turn, WELL);

	if (i < 0)
		i = best(pool, client, now_ms, *tried, turn, RESTING);
	if (i < 0 && gate_pool_all_fail(pool))
		i = best(pool, client, now_ms, *tried, turn, FAILING);
	if (i >= 0)
		*tried |= (uint64_t)1 << i;
	return i;
}

/* ---- What happens to them ---- */

void gate_pool_took(struct gate_pool *pool, size_t i)
{
	atomic_fetch_add(&pool->member[i].live, 1);
}

void gate_pool_left(struct gate_pool *pool, size_t i)
{
	atomic_fetch_sub(&pool->member[i].live, 1);
}

void gate_pool_worked(struct gate_pool *pool, size_t i)
{
	atomic_store(&pool->member[i].in_a_row, 0);
	atomic_store(&pool->member[i].down_until, 0);
}

/*
 * Handshakes that were on their way together all fail by one fault, so what
 * fails while the server rests already does not make it rest any longer.
 */
void gate_pool_failed(struct gate_pool *pool, size_t i, uint64_t now_ms)
{
	struct member *m = &pool->member[i];
	unsigned long long until = atomic_load(&m->down_until);
	unsigned n = atomic_load(&m->in_a_row);
	uint64_t rest = REST_MS;

	atomic_fetch_add(&m->n_failures, 1);
	while (n-- > 0 && rest < MOST_REST_MS)
		rest *= 2;
	rest = rest < MOST_REST_MS ? rest : MOST_REST_MS;
	if (now_ms >= until && atomic_compare_exchange_strong(
				       &m->down_until, &until, now_ms + rest))
		atomic_fetch_add(&m->in_a_row, 1);
}

struct gate_server_state gate_pool_state(struct gate_pool *pool, size_t i,
					 uint64_t now_ms)
{
	struct member *m = &pool->member[i];

	return (struct gate_server_state){
		.down = reach_of(m, now_ms) != WELL,
		.live = atomic_load(&m->live),
		.n_failures = atomic_load(&m->n_failures),
	};
}

/* ---- Checks ---- */

void gate_pool_condemn(struct gate_pool *pool, size_t i, bool failing)
{
	atomic_store(&pool->member[i].failing, failing);
}

bool gate_pool_all_fail(struct gate_pool *pool)
{
	for (size_t i = 0; i < pool->n; i++)
		if (!atomic_load(&pool->member[i].failing))
			return false;
	return true;
}

struct gate_check *gate_pool_check(struct gate_pool *pool, size_t i)
{
	return &pool->member[i].check;
}

static struct member *find_member(struct gate_pool *pool, const char *server)
{
	for (size_t i = 0; i < pool->n; i++)
		if (strcmp(pool->route->server[i].text, server) == 0)
			return &pool->member[i];
	return NULL;
}

void gate_pool_remember(struct gate_pool *pool, struct gate_pool *old,
			bool checks)
{
	for (size_t i = 0; i < pool->n; i++) {
		struct member *m = &pool->member[i];
		struct member *was =
			find_member(old, pool->route->server[i].text);

		if (!was)
			continue;
		atomic_store(&m->n_failures, atomic_load(&was->n_failures));
		atomic_store(&m->in_a_row, atomic_load(&was->in_a_row));
		atomic_store(&m->down_until, atomic_load(&was->down_until));
		if (!checks)
			continue;
		m->check = was->check;
		gate_pool_condemn(pool, i, was->check.failing);
	}
}
