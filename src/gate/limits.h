/* SPDX-License-Identifier: MIT */
/*
 * How often, and how many at a time: rates and open connections by address, by
 * the subject of a token and by route, and failed credentials by address. All
 * workers share one table of fixed size. Time comes in as an argument.
 *
 * What the table holds is bounded, so something has to give when more keys
 * come than it has room for:
 * - of rates the one that was not asked for longest is forgotten, and starts
 *   afresh when it comes again. Whoever has more addresses than the table has
 *   keys is not held by a rate by address anyway;
 * - counts of open connections are exact: what has one is never forgotten;
 * - when nothing but such counts is left, newcomers that need a place are
 *   refused (GATE_LIMIT_FULL): a limit that may or may not hold is none. A
 *   table of gate_limiter_keys() is never that full.
 */
#ifndef GATE_LIMITS_H
#define GATE_LIMITS_H

#include "base/hash.h"
#include "gate/compared.h"
#include "gate/match.h"

enum gate_limit_kind {
	GATE_LIMIT_RATE,	/* admissions in a period; as many at once */
	GATE_LIMIT_CONNECTIONS, /* open at a time */
	GATE_LIMIT_FAILURES,	/* failed credentials in a period */
};

/* Whom a limit counts. Each has its own count. */
enum gate_limit_by {
	GATE_BY_ADDRESS = 1, /* IPv4: one; IPv6: the /64 that a site has */
	GATE_BY_SUBJECT = 2,
	GATE_BY_ROUTE = 4, /* all together */
	GATE_BY_PUBLISHER = 8, /* a subject that publishes by POST */
	GATE_BY_ANYTHING = 15,
};

/* One line of the configuration. */
struct gate_limit {
	enum gate_limit_kind kind;
	enum gate_limit_by by;
	uint64_t most;	    /* 1 to 2^32 - 1 */
	uint64_t period_ms; /* 1 to a day; not for connections */
	/*
	 * What it holds for, as "/chat": the counts of one scope go on when
	 * the configuration is read again, as long as their period is the same.
	 */
	const char *scope;
	const char *text; /* "20/minute", for people */
	unsigned line;
};

#define GATE_MAX_LIMITS	  16 /* that one connection can be under */
#define GATE_LIMITER_KEYS 262144 /* beside those of open connections */

/* Who asks; what is not known yet is left out, and its limits with it. */
struct gate_limit_who {
	const struct gate_address *address; /* NULL: not known */
	struct bytes subject;		    /* data NULL: not known */
};

/* What an open connection counts in; zeroed at first. */
struct gate_limit_holds {
	uint64_t key[GATE_MAX_LIMITS][2];
	size_t n;
};

enum gate_limit_answer { GATE_LIMIT_PASSED, GATE_LIMIT_HIT, GATE_LIMIT_FULL };

/* The limit that was in the way. */
struct gate_limit_hit {
	const struct gate_limit *limit;
	/* Until the next would pass; 0: when one of those inside leaves. */
	uint64_t wait_ms;
	uint64_t open; /* connections, of a limit of them */
};

struct gate_limiter;

/*
 * Keys that a table needs where there are @connections at most: each may count
 * by its address and by its subject, and routes are few.
 */
static inline size_t gate_limiter_keys(size_t connections)
{
	return GATE_LIMITER_KEYS + 2 * connections;
}

/*
 * A table for @keys counts, at 52 bytes each, of which 4 are touched now; @seed is secret. NULL: no memory.
 */
struct gate_limiter *gate_limiter_new(size_t keys,
				      const uint8_t seed[SES_HASH_SEED]);
/* Every hold must have been given back, or nobody may come to do so. */
void gate_limiter_free(struct gate_limiter *limiter);

/*
 * Let @who pass all of @limits that count by one of @by (GATE_BY_ADDRESS |
 * GATE_BY_ROUTE before a token is looked at, GATE_BY_SUBJECT after): all are
 * counted, or none and *ret_hit says why not. Of connections @holds keeps what
 * is to be given back. Limits of failures are only looked at: those who have
 * failed too often do not pass.
 */
enum gate_limit_answer
gate_limiter_pass(struct gate_limiter *limiter, const struct gate_limit *limits,
		  size_t n, unsigned by, const struct gate_limit_who *who,
		  uint64_t now_ms, struct gate_limit_holds *holds,
		  struct gate_limit_hit *ret_hit);
/*
 * The credentials were no good, or will be known to be in a while: count that
 * in the limits of failures. GATE_LIMIT_HIT: one of them has no room for it;
 * nothing is counted then, and *ret_hit (or NULL) says which.
 */
enum gate_limit_answer
gate_limiter_fail(struct gate_limiter *limiter, const struct gate_limit *limits,
		  size_t n, const struct gate_limit_who *who, uint64_t now_ms,
		  struct gate_limit_hit *ret_hit);
/* They were good after all: what gate_limiter_fail() counted is taken back. */
void gate_limiter_forgive(struct gate_limiter *limiter,
			  const struct gate_limit *limits, size_t n,
			  const struct gate_limit_who *who);
/* The connection is over. It can be called again. */
void gate_limiter_leave(struct gate_limiter *limiter,
			struct gate_limit_holds *holds);
/* How many keys are in the table, and in how many are connections. */
void gate_limiter_count(struct gate_limiter *limiter, size_t *ret_keys,
			size_t *ret_live);

/*
 * For people: what was compared, by @who ("192.0.2.7: 2 open"), and with what
 * it would have passed. @now_s is since 1970.
 */
void gate_limit_hit_tell(const struct gate_limit_hit *hit, struct bytes who,
			 int64_t now_s, struct gate_compared *ret);

/* For Retry-After: whole seconds, one at least. */
static inline uint64_t gate_retry_after_s(const struct gate_limit_hit *hit)
{
	return hit->wait_ms <= 1000 ? 1 : (hit->wait_ms + 999) / 1000;
}

#endif
