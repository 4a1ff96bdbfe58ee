/* SPDX-License-Identifier: MIT */
/*
 * Whether a request may enter: a function of the policy and the request, up to
 * where somebody has to be asked, whose answer comes in as well. `serve` asks
 * it for every handshake, `check` for the one on its command line; so both give
 * the same answer, with the same trace.
 */
#ifndef GATE_ADMIT_H
#define GATE_ADMIT_H

#include "gate/client_certificate.h"
#include "gate/places.h"
#include "gate/policy.h"
#include "why/cause.h"

struct ses_tls_info; /* net/tls.h */

/* What is known of a request; all borrowed. data NULL: the field is missing. */
struct gate_request {
	struct bytes target; /* as it came: "/chat?room=1" */
	struct bytes host;
	struct bytes origin;
	struct bytes user_agent;
	struct gate_address address;
	struct bytes address_text;
	/* All of its fields: subprotocols and credentials are among them. */
	const struct ses_field *fields;
	size_t n_fields;
	const struct ses_tls_info *tls; /* NULL: plain, or not known */
	bool any_certificate; /* tls is not known: take that for good */
	bool any_credentials; /* of fields some are missing: the same */
	bool secure;  /* it came by TLS, as far as is known (hops.tls) */
	bool is_post; /* no handshake; at a hub it publishes */
	bool is_read; /* a GET with credentials that is no handshake */
};

/* One look at one list. */
struct gate_trace {
	const char *check;  /* "path", "host", "address", "origin", ... */
	bool passed;
	const char *rule;   /* the entry or default that decided */
	unsigned line;	    /* where it stands; 0: it is built in */
	struct bytes value; /* what was compared; data NULL: missing */
	const char *nearest; /* what would pass, if that is known here */
};

#define GATE_MAX_TRACE 16

/* What no function of policy and request can know; see gate_admit(). */
enum gate_ask {
	GATE_ASK_NOTHING,
	GATE_ASK_ROOM,	       /* limits by address and route */
	GATE_ASK_CREDENTIAL,   /* whether what it brings is good, by now */
	GATE_ASK_SUBJECT_ROOM, /* limits by whose that is */
	GATE_ASK_AUTHORITY,    /* another server */
	GATE_N_ASKS
};

/* What whoever was asked says; borrowed until the decision is used up. */
struct gate_reply {
	bool passed;
	const char *rule; /* that decided */
	unsigned line;
	struct bytes value;   /* what was compared */
	const char *nearest;  /* what would pass; NULL: not known */
	enum why_cause cause; /* and status: of a refusal */
	int status;
};

struct gate_credential;

/* What @credential says; the reply's rule is written to @rule. */
struct gate_reply gate_reply_of(const struct gate_credential *credential,
				char *rule, size_t rule_size);

struct gate_decision {
	bool admitted;
	enum why_cause cause; /* WHY_OK when admitted */
	int status;	      /* to answer with; 101 when admitted */
	const struct gate_route *route; /* NULL: none was found */
	struct gate_trace trace[GATE_MAX_TRACE];
	size_t n_trace;
	char certificate[GATE_CERTIFICATE_SHOWN]; /* that a look compared */
	size_t decided; /* the look that refused first; else the last one */
	enum gate_list list; /* that refused; GATE_N_LISTS: something else */
	/* While it is not made: who has to be asked, for which look. */
	enum gate_ask ask;
	unsigned next;
};

/*
 * Decide. The looks are in a table in admit.c, cheap before dear, and the
 * first that refuses ends it. A look that needs more than policy and request
 * says whom to ask (ret_decision->ask, and nothing is decided yet): find that
 * out and go on with gate_admit_resume(). The decision borrows from both
 * arguments.
 */
void gate_admit(const struct gate_policy *policy,
		const struct gate_request *request,
		struct gate_decision *ret_decision);
void gate_admit_resume(const struct gate_policy *policy,
		       const struct gate_request *request,
		       const struct gate_reply *reply,
		       struct gate_decision *decision);
/*
 * It was refused and is let in all the same: take the looks that are left.
 */
void gate_admit_go_on(const struct gate_policy *policy,
		      const struct gate_request *request,
		      struct gate_decision *decision);
/*
 * As gate_admit(), but a refusal does not end it: the trace has every look
 * that policy and request allow, so it tells what else would refuse. Nobody
 * is asked; of credentials that much is told, whether there are any.
 */
void gate_admit_survey(const struct gate_policy *policy,
		       const struct gate_request *request,
		       struct gate_decision *ret_decision);

/* Whether it reads a channel of @route. */
static inline bool gate_reads(const struct gate_request *r,
			      const struct gate_route *route)
{
	return r->is_read && route && route->to == GATE_TO_HUB &&
	       (route->hub.read || route->hub.publish);
}

/*
 * Whether it publishes to a channel of @route, or reads one: it joins nothing,
 * and brings the token of hub.publish or hub.read instead of a member's.
 */
static inline bool gate_publishes(const struct gate_request *r,
				  const struct gate_route *route)
{
	return (r->is_post && route && route->to == GATE_TO_HUB) ||
	       gate_reads(r, route);
}

/* The credentials that @r has to bring to @route; NULL: none. */
const struct gate_token_settings *
gate_wanted_token(const struct gate_request *r, const struct gate_route *route);
/* Whether @limit is looked at when @ask is asked. */
bool gate_limit_is_asked(const struct gate_limit *limit, enum gate_ask ask,
			 bool publishes);

/* What gate_credential_check() and its like want of a request. */
static inline struct gate_asked gate_asked_of(const struct gate_request *r)
{
	return (struct gate_asked){r->fields, r->n_fields, r->target};
}

/* The look that decided. */
static inline const struct gate_trace *
gate_decider(const struct gate_decision *d)
{
	return &d->trace[d->decided];
}

/* Whether @target begins with a path, as all requests that are admitted do. */
bool gate_is_path(struct bytes target);
/* The path of a target: without its query. */
struct bytes gate_path_of(struct bytes target);

#endif
