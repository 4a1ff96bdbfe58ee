/* SPDX-License-Identifier: MIT */
/*
 * What distinguishes two requests, part by part, in words and as experiments.
 * Pure.
 */
#ifndef DOCTOR_DIFFER_H
#define DOCTOR_DIFFER_H

#include "doctor/probe.h"

#define DOCTOR_MAX_DIFFERENCES 64 /* a bit each */

/* Where in a request; the more often it is to blame, the earlier. */
enum doctor_part {
	DOCTOR_PART_ORIGIN,
	DOCTOR_PART_SECRET, /* a field that holds a credential */
	DOCTOR_PART_COOKIE,
	DOCTOR_PART_SUBPROTOCOL,
	DOCTOR_PART_PATH,
	DOCTOR_PART_QUERY,
	DOCTOR_PART_HOST,
	DOCTOR_PART_HANDSHAKE, /* a field of the handshake itself */
	DOCTOR_PART_USER_AGENT,
	DOCTOR_PART_URL_HOST,
	DOCTOR_PART_SCHEME,
	DOCTOR_PART_PORT,
	DOCTOR_PART_CERT,
	DOCTOR_PART_TRUST, /* --cacert, --insecure */
	DOCTOR_PART_PROXY,
	DOCTOR_PART_WAY, /* address, family, source */
	DOCTOR_PART_FIELD,
	DOCTOR_PART_PUBLIC, /* a field that every browser sends */
	DOCTOR_N_PARTS
};

/* One part of a request; borrowed from its case. */
struct doctor_item {
	enum doctor_part part;
	struct bytes name;  /* of a field, cookie, parameter; or empty */
	struct bytes value; /* all of it: "name=value" of cookie, parameter */
	size_t nth;	    /* of those with that name, from 0 */
	bool secret;	    /* a subprotocol that is a credential */
};

struct doctor_difference {
	enum doctor_part part;
	const struct doctor_item *from, *to; /* NULL: it has none */
	unsigned bit;
};

/* Whether the difference is one of @bits; NULL is not. */
static inline bool doctor_applies(const struct doctor_difference *one,
				  uint64_t bits)
{
	return one && bits >> one->bit & 1;
}

#define DOCTOR_MAX_ITEMS 256

struct doctor_items {
	const struct doctor_case *c;
	struct doctor_item item[DOCTOR_MAX_ITEMS];
	size_t n;
	char port[8], connect[300]; /* as texts */
};

struct doctor_differ {
	struct doctor_items mine, other;
	struct doctor_difference one[2 * DOCTOR_MAX_ITEMS];
	size_t n;
	unsigned n_bits; /* the last bit stands for all that have no own */
};

/* What it takes to get from @mine to @other. */
void doctor_differ(struct doctor_differ *d, const struct doctor_case *mine,
		   const struct doctor_case *other);
/* All of it. */
uint64_t doctor_differ_all(const struct doctor_differ *d);

/* `the cookie "sid"`, `no Origin`: without its value, unless that is public. */
char *doctor_difference_text(const struct doctor_difference *one, char *out,
			     size_t size);
/* The experiment that @bits are, by the name that it has alone, if any. */
void doctor_differ_trial(const struct doctor_differ *d, uint64_t bits,
			 struct doctor_trial *ret);

#endif
