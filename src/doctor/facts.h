/* SPDX-License-Identifier: MIT */
/*
 * What is known of a case when its verdict is put into words: the values that
 * summaries and remedies are filled with. Made once, by doctor_know(); redacted,
 * so that whatever is filled with them may be shown.
 */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include "doctor/arrived.h"
#include "doctor/verdict.h"
#include "why/remedy.h"

struct doctor_facts {
	const struct doctor_chart *chart;
	const struct doctor_probe *base, *key;
	struct doctor_verdict *v;
	char origin[300], host[300], host_port[310], port[8], path[300],
		url[600];
	char subprotocol[300], agent[200], expected[600], server[80];
	char target[600]; /* that a redirect names, as one would dial it */
	char result[300], fault[300], seconds[16], tls[240], address[80];
	char nobody[700], elsewhere[1400], misfit[500];
	char upstream[300], slashed[302], origin_host[300], certified[300], nameless[400], proxy_from[80], session[256], by[520];
	struct doctor_arrived arrived;
	char nodes[300]; /* "X-Node: a refuses, b lets in" */
	char parameter[40], asking[660], of_credential[300];
	/* What a firewall takes for an attack, and as ModSecurity calls it. */
	char suspect[120], exempt[100];
	struct why_value value[60];
	char user[80], from[100], proxy_kind[140], proxy_try[320], mended[320];
	size_t n_values;
	char blocked_at[600]; /* where a forward proxy sends who it refuses */
	bool has_remedy; /* prescribed, more than advice to look */
	bool proven;   /* expected is known, */
	bool pastable; /* and can be written down as it is */
	bool at_last;  /* the last resorts are prescribed */
};

/*
 * Find out all that texts may want to know. chart, base, key and v are set by
 * the caller, in v the cause and who refused.
 */
void doctor_know(struct doctor_facts *f);

/* A value by its name, unless it is empty. @name and @value are kept. */
void doctor_know_value(struct doctor_facts *f, const char *name,
		       const char *value);
/* expected.c: what would have been right. */
void doctor_expect(struct doctor_facts *f);
/* elsewhere.c: IPv4 and IPv6, ws and wss. */
void doctor_know_elsewhere(struct doctor_facts *f);
/* elsewhere.c: the probe over the other address family that reached somebody, or
 * NULL. */
const struct doctor_probe *doctor_other_family(const struct doctor_facts *f);

/* Whether the proxy was not even reached: nobody refused anything. */
bool doctor_missed_proxy(const struct doctor_facts *f);
/* Whether an Origin is refused that is none, so that no list can name it. */
bool doctor_sent_no_origin(const struct doctor_facts *f);
/* Whether a hop lost the key of the handshake, and nothing else. */
bool doctor_lost_key(const struct doctor_facts *f);
/* Below this no single rule is told of, where servers disagree. */
#define DOCTOR_RULE_TOLD 0.5
/* Whether it is the port in Host that is refused, and not the name. */
bool doctor_differs_in_port(const struct doctor_facts *f);
/* Whether servers disagree about the very same request, and no session is why. */
bool doctor_is_split(const struct doctor_facts *f);
/* Whether it is of another kind than was said, or looks so. */
bool doctor_mistook_proxy(const struct doctor_facts *f);
/* verdict.c: whether it went to the very server of the user's request, all the
 * way. */
bool doctor_same_way(const struct doctor_trial *t);
/* hops.c: @seen and the hops of the other answers, from the client on. */
struct why_hops doctor_all_hops(const struct doctor_chart *chart,
				const struct why_hops *seen);

/*
 * proof.c: the handshake that shows the cause best, of those with another
 * outcome than the user's own; NULL when none of them speaks for it.
 */
const struct doctor_probe *
doctor_telling_key(const struct doctor_chart *chart,
		   const struct doctor_opinion *opinion);
/* The pair of f->base and f->key, into f->v. */
void doctor_prove(struct doctor_facts *f);

/* condition.c: whether what a remedy needs is true, or a value that is known. */
bool doctor_holds(const struct doctor_facts *f, const char *need);
/* Whether silence was ended by a close frame, which no clock of a proxy sends. */
bool doctor_is_closed_idle(const struct doctor_facts *f);

/* this_side.c: the remedies when the matter stands before the server, up to an
 * empty row; or NULL. */
const struct why_remedy *
doctor_remedies_on_this_side(const struct doctor_facts *f);
/* prescribe.c: the remedies, those of the refuser first, into f->v. */
void doctor_prescribe(struct doctor_facts *f, const struct why_hops *hops);

#endif
