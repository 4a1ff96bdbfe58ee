/* SPDX-License-Identifier: MIT */
/*
 * Each server has a timer, shaken a little so that many gateways, or many
 * servers, are not asked in one instant.
 */
#include "gate/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/errand.h"
#include "gate/log.h"
#include "gate/pool.h"
#include "wire/proxy_header.h"

#define MOST_AT_ONCE 64	  /* checks; the others wait for their turn */
#define TURN_MS	     50	  /* until it is tried again */
#define FIRST_MS     1000 /* the first checks are spread over this */
#define LONGEST_MS   5000 /* that a check may last, if it is not due before */
#define REQUEST_MAX  4096

struct check {
	struct gate_health *health;
	const struct gate_route *route;
	size_t i; /* of its servers */
	struct ses_timer timer;
	struct gate_errand *errand; /* while it is asked */
};

struct gate_health {
	struct sesame_loop *loop;
	struct gate_policy *policy;
	size_t n_running, n;
	struct check check[];
};

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A tenth more or less than @ms. */
static uint64_t about(uint64_t ms)
{
	return ms - ms / 10 + ses_random32() % (ms / 5 + 1);
}

/* Without memory for a timer there is no check, and nobody is condemned. */
static void be_back(struct check *c, uint64_t ms)
{
	struct sesame_loop *loop = c->health->loop;

	ses_timers_start(&loop->timers, &c->timer, loop->now_ms + ms);
}

/* ---- What came of it ---- */

static void tell_change(const struct check *c, const struct gate_check *known)
{
	const struct gate_route *r = c->route;
	const char *file = c->health->policy->file;

	if (!known->failing) {
		gate_log("sesame: %s behind %s is up again: it %s to %s",
			 r->server[c->i].text, r->path, known->said,
			 r->health.path);
		return;
	}
	gate_log("sesame: %s behind %s is down: of %s the last %u checks "
		 "failed (%s); it gets no new connections until one succeeds "
		 "(%s:%u)",
		 r->server[c->i].text, r->path, r->health.path, known->in_a_row,
		 known->said, file, r->health.line);
	if (gate_pool_all_fail(r->pool))
		gate_log("sesame: all servers behind %s fail their checks, so "
			 "they are asked all the same (%s:%u)",
			 r->path, file, r->health.line);
}

static bool is_good(const struct gate_errand_answer *answer)
{
	return answer->head && answer->head->status >= 200 &&
	       answer->head->status < 400;
}

static void judge(struct check *c, const struct gate_errand_answer *answer)
{
	struct gate_check *known = gate_pool_check(c->route->pool, c->i);
	bool good = is_good(answer), failing;

	if (answer->head)
		snprintf(known->said, sizeof(known->said), "answered %d",
			 answer->head->status);
	else
		snprintf(known->said, sizeof(known->said), "%s", answer->text);
	if (good)
		known->n_good++;
	else
		known->n_failed++;
	known->in_a_row = good ? 0 : known->in_a_row + 1;
	failing = !good &&
		  (known->failing || known->in_a_row >= c->route->health.fails);
	if (failing == known->failing)
		return;
	known->failing = failing;
	gate_pool_condemn(c->route->pool, c->i, failing);
	tell_change(c, known);
}

static void on_answer(void *user, const struct gate_errand_answer *answer)
{
	struct check *c = user;
	const struct gate_health_settings *s = &c->route->health;

	c->errand = NULL;
	c->health->n_running--;
	if (!answer->ours)
		judge(c, answer);
	be_back(c, about(gate_pool_check(c->route->pool, c->i)->failing
				 ? s->rest_ms
				 : s->every_ms));
}

/* ---- Asking ---- */

static int write_request(const struct gate_route *route,
			 const struct gate_server *server, struct ses_buf *out)
{
	bool six = strchr(server->host, ':');
	bool own = !route->host || strcmp(route->host, "upstream") == 0;
	char name[300];

	snprintf(name, sizeof(name), "%s%s%s:%u", six ? "[" : "", server->host,
		 six ? "]" : "", server->port);
	return ses_buf_printf(out,
			      "GET %s HTTP/1.1\r\nHost: %s\r\n"
			      "User-Agent: sesame-health\r\n"
			      "Accept: */*\r\nConnection: close\r\n\r\n",
			      route->health.path, own ? name : route->host);
}

/* Where connections begin with a PROXY header, that of a check speaks for us. */
static struct bytes introduce(const struct gate_route *route,
			      uint8_t out[SES_PROXY_HEADER_WRITE])
{
	struct ses_proxy_header h = {.version = (int)route->proxy_version,
				     .local = true};
	int n = h.version ? ses_proxy_header_write(&h, out) : 0;

	return bytes_of(out, n > 0 ? (size_t)n : 0);
}

static void ask(struct check *c)
{
	const struct gate_route *route = c->route;
	const struct gate_server *server = &route->server[c->i];
	uint8_t preface[SES_PROXY_HEADER_WRITE];
	struct ses_dial_options to = {
		.host = bytes_of_str(server->host),
		.port = server->port,
		.timeout_ms = (unsigned)less(route->health.every_ms, LONGEST_MS),
		.tls = server->tls ? gate_pool_tls(route->pool) : NULL,
		.tls_name = route->upstream_tls.name,
		.preface = introduce(route, preface),
	};
	struct ses_buf request;

	ses_buf_init(&request, REQUEST_MAX);
	if (write_request(route, server, &request) >= 0)
		c->errand = gate_errand_start(c->health->loop, &to, &request,
					      on_answer, c);
	ses_buf_fini(&request);
}

static void on_time(struct ses_timer *timer)
{
	struct check *c = ses_container_of(timer, struct check, timer);

	if (c->health->n_running >= MOST_AT_ONCE) {
		be_back(c, about(TURN_MS));
		return;
	}
	ask(c);
	if (c->errand)
		c->health->n_running++;
	else
		be_back(c, about(c->route->health.every_ms));
}

/* ---- All of them ---- */

static void begin(struct gate_health *health, const struct gate_route *route,
		  size_t i)
{
	struct check *c = &health->check[health->n++];
	uint64_t spread = less(route->health.every_ms, FIRST_MS);

	*c = (struct check){.health = health, .route = route, .i = i};
	c->timer.fire = on_time;
	be_back(c, ses_random32() % spread);
}

static const struct gate_route *find_route(const struct gate_policy *policy,
					   const char *path)
{
	for (size_t i = 0; policy && i < policy->n_routes; i++)
		if (strcmp(policy->route[i].path, path) == 0)
			return &policy->route[i];
	return NULL;
}

/* What was found out under the old policy; by checks, if they are the same. */
static void remember(const struct gate_route *route,
		     const struct gate_route *old)
{
	const char *path = route->health.path;

	if (route->pool && old && old->pool)
		gate_pool_remember(route->pool, old->pool,
				   path && old->health.path &&
					   strcmp(old->health.path, path) == 0);
}

struct gate_health *gate_health_new(struct sesame_loop *loop,
				    struct gate_policy *policy,
				    const struct gate_policy *before)
{
	struct gate_health *health;
	size_t n = 0;

	for (size_t i = 0; i < policy->n_routes; i++)
		if (policy->route[i].health.path)
			n += policy->route[i].n_servers;
	health = calloc(1, sizeof(*health) + n * sizeof(health->check[0]));
	if (!health)
		return NULL;
	health->loop = loop;
	health->policy = gate_policy_ref(policy);
	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct gate_route *route = &policy->route[i];

		remember(route, find_route(before, route->path));
		if (!route->health.path)
			continue;
		for (size_t k = 0; k < route->n_servers; k++)
			begin(health, route, k);
	}
	return health;
}

void gate_health_free(struct gate_health *health)
{
	if (!health)
		return;
	for (size_t i = 0; i < health->n; i++) {
		ses_timers_stop(&health->loop->timers, &health->check[i].timer);
		gate_errand_cancel(health->check[i].errand);
	}
	gate_policy_unref(health->policy);
	free(health);
}
