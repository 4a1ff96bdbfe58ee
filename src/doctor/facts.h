/* SPDX-License-Identifier: MIT */
/*
 * What is known of a case when its verdict is put into words: the values that
 * summaries and remedies are filled with. Made once, by doctor_know();
 * redacted, so that whatever is filled with them may be shown.
 */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include "doctor/arrived.h"
#include "doctor/verdict.h"
#include "why/remedy.h"

/*
 * Each array is the value of the braces of its name ({origin}) in summaries.def
 * and why/remedies.def; "" when it is not known. They stand in the order in
 * which doctor_know() finds them out, each with a sample.
 */
struct doctor_facts {
	/* Set by the caller. */
	const struct doctor_chart *chart;
	const struct doctor_probe *base; /* as asked; NULL: nothing was sent */
	const struct doctor_probe *key;	 /* what fared better; NULL: nothing */
	struct doctor_verdict *v;

	/* What would have been right (expected.c). */
	char expected[600]; /* "https://app.example", "no Origin" */
	bool proven;	    /* it is known, */
	bool pastable;	    /* and can be written down as it is */
	char by[520];	    /* what opens, in a sentence: "with no Origin" */
	char target[600];   /* where a redirect leads: "wss://h/chat/" */

	/* The URL. */
	char url[600];	     /* "wss://h:8443/chat?token=***" */
	char host[300];	     /* "h", or the Host that was given */
	char path[300];	     /* "/chat" */
	char port[8];	     /* "8443" */
	char host_port[310]; /* "h:8443", or the Host that was given */

	/* The request. */
	char origin[300];      /* "https://app.example" */
	char mended[320];      /* an origin for one that is none */
	char origin_host[300]; /* "app.example" */
	char subprotocol[300]; /* "mqtt"; "none" */
	char agent[200];       /* {user_agent}: "curl/7.88.1" */
	char address[80];      /* where it comes from: "192.0.2.1" */
	char from[100];	       /* behind Require: "ip 192.0.2.1", "local" */
	char user[80];	       /* that goes with a password: "ann" */
	char upstream[300];    /* the application's: "127.0.0.1:3000" */

	/* The answer. */
	char result[300];  /* "403 Forbidden (3 of 5 times)" */
	char seconds[16];  /* for which it was open: "60.0" */
	char tls[240];	   /* "it is for a.example and others" */
	char slashed[302]; /* where a redirect adds but a slash: "/chat/" */
	char fault[300];   /* the URL's, in a sentence; or the result */
	char server[80];   /* who refused: "nginx"; "the server" */

	/* A forward proxy. */
	char certified[300];  /* "h"; the proxy's URL where it is about that */
	char proxy_from[80];  /* "given by --proxy" */
	char proxy_kind[140]; /* what is amiss with it: "it speaks no TLS" */
	char proxy_try[320];  /* what it may be: "http://proxy:3128" */

	/* What else shows in this case. */
	char nameless[400]; /* "The name h does not exist, so ..." */
	char session[256];  /* what one got that polling had opened */
	struct doctor_arrived arrived; /* {arrived}, {sent_host} */
	char of_credential[300]; /* {credentials}, where the refusal says it */
	char parameter[40];	 /* that the refusal asks for: "token" */
	char asking[660];	 /* "wss://h/chat?token=VALUE" */
	char suspect[120];	 /* to a firewall: "the parameter q" */
	char exempt[100];	 /* as ModSecurity calls that: "ARGS:q" */
	char nodes[300];	 /* "X-Node: a refuses, b lets in" */
	char blocked_at[600];	 /* the page of a filter that refuses */

	/* Other ways to the server (elsewhere.c). */
	char nobody[700];     /* "Nothing listens at 127.0.0.1:80" */
	char elsewhere[1400]; /* "at [::1]:80 the same request opens" */
	char misfit[500];     /* "Port 80 speaks TLS. As wss:// it ..." */

	/* All values by their names, as texts are filled with them. */
	struct why_value value[60];
	size_t n_values;

	/* While remedies are prescribed. */
	bool has_remedy; /* one is prescribed, more than advice to look */
	bool at_last;	 /* the last resorts are prescribed */
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
/* elsewhere.c: the probe over the other address family that reached somebody,
 * or NULL. */
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
