/* SPDX-License-Identifier: MIT */
/*
 * The policy: what a configuration file says, read once and never changed.
 * Every rule knows the line that it stands on, so that a refusal can name it.
 */
#ifndef GATE_POLICY_H
#define GATE_POLICY_H

#include <stdatomic.h>

#include "gate/complaints.h"
#include "gate/limits.h"
#include "gate/match.h"
#include "gate/secret_file.h"

/* The lists of `allow`, in the order in which they are looked at. */
enum gate_list {
	GATE_HOSTS,
	GATE_ADDRESSES,
	GATE_ORIGINS,
	GATE_USER_AGENTS,
	GATE_N_LISTS
};

/* One entry of a list: "https://app.example", "!203.0.113.0/24". */
struct gate_rule {
	char *text;
	unsigned line;
	uint16_t column;
	bool negative; /* it began with "!" */
	union {
		struct gate_origin_pattern origin;
		struct gate_network network;
		struct bytes glob; /* hosts and user agents */
	};
};

struct gate_rules {
	struct gate_rule *rule;
	size_t n;
	unsigned line; /* of the list's key; 0: the list is not given */
};

enum gate_target {
	GATE_TO_ECHO,
	GATE_TO_UPSTREAM,
	GATE_TO_HUB,
	GATE_TO_FILES,
};

struct gate_limits {
	uint64_t message_bytes; /* 0: the built-in limit */
	char *message_text;	/* "message: 64KiB"; NULL: not given */
	unsigned message_line;
	struct gate_limit messages; /* of one connection; most 0: any */
	uint64_t idle_ms;	/* 0: the built-in time */
	/* of handshakes and connections; one of each sort at most */
	struct gate_limit of[8];
	size_t n_of;
};

/* A server behind a route. */
struct gate_server {
	char *text; /* "ws://127.0.0.1:3000/app" as written */
	char *host; /* without brackets */
	uint16_t port;
	char *prefix; /* put before the path: "/app", "" */
	bool tls;
	unsigned line, column;
};

enum gate_balance {
	GATE_ROUND_ROBIN,
	GATE_LEAST_CONNECTIONS,
	GATE_BY_CLIENT,
};

/* A field set for the server behind; value NULL: it is taken away. */
struct gate_field {
	char *name, *value;
};

/* TLS with the servers behind; file names as to be opened. */
struct gate_upstream_tls {
	char *ca, *name, *certificate, *key;
	bool unverified;
};

/* `health`: how the servers of a route are looked after. */
struct gate_health_settings {
	unsigned line;
	char *path; /* NULL: they are not */
	uint64_t every_ms, fails, rest_ms;
};

/* Another server that is asked whether to let somebody in. */
struct gate_authority {
	unsigned line; /* 0: none */
	struct gate_server server;
	char *target; /* what it is asked for: "/auth" */
	uint64_t timeout_ms;
	uint64_t on_failure; /* enum gate_on_failure */
	char **header;	     /* the client's fields that it is shown */
	size_t n_headers;
	char **copy; /* fields of its answer for the server behind */
	size_t n_copies;
};

enum gate_on_failure { GATE_FAILURE_REFUSES, GATE_FAILURE_ADMITS };

struct gate_token_settings; /* gate/credential.h */
struct gate_claim;	    /* gate/jwt.h */
struct hub_space;

/* Who of the members of a channel may do something. */
struct gate_may {
	bool nobody;
	struct gate_claim *claim; /* all of these; none: everybody */
	size_t n_claims;
};

enum gate_hub_kind { GATE_KIND_MESSAGES, GATE_KIND_STATE };

/* `hub`: the channels of a route. */
struct gate_hub_settings {
	uint64_t channels; /* at a time */
	uint64_t members;  /* of one channel */
	uint64_t queue;	   /* bytes that wait for those who are slow */
	uint64_t slow;	   /* enum hub_slow */
	uint64_t kind;	   /* enum gate_hub_kind */
	char *key;	   /* the member that is the key of a state */
	uint64_t keys;
	uint64_t history_messages, history_ms, history_bytes;
	uint64_t kept;	   /* bytes of all channels */
	struct gate_limit rate_member, rate_channel; /* most 0: any */
	struct gate_may may_publish, may_presence;
	bool presence;
	bool echo;	   /* who sends gets it too */
	struct gate_token_settings *read; /* by GET; NULL: as publish */
	struct gate_token_settings *publish; /* by POST; NULL: nobody may */
	struct hub_space *space; /* the house's; NULL before it has one */
};

struct gate_pool; /* gate/pool.h */
struct gate_tally;

struct gate_route {
	char *path;
	struct gate_path_pattern pattern;
	unsigned line, column;
	enum gate_target to;
	struct gate_server *server; /* behind it */
	size_t n_servers;
	uint64_t balance; /* enum gate_balance */
	uint64_t connect_ms, answer_ms;
	uint64_t retries;
	uint64_t proxy_version; /* of the PROXY header for them; 0: none */
	struct gate_upstream_tls upstream_tls;
	struct gate_health_settings health;
	char *host;   /* Host for them; NULL: as it came */
	char *origin; /* Origin for them; NULL: as it came, "": none */
	struct gate_field *field; /* more fields for them */
	size_t n_fields;
	struct gate_pool *pool; /* how they are; NULL without servers */
	struct gate_hub_settings hub;
	char *root; /* of files; as to be opened */
	struct gate_tally *tally; /* gate/metrics.h; NULL: not counted */
	struct gate_rules allow[GATE_N_LISTS];
	struct gate_rules subprotocols, certificates;
	struct gate_token_settings *token; /* NULL: none is asked for */
	struct gate_authority authority;
	struct gate_limits limits;
	bool observe; /* admit all, journal what would have been refused */
};

enum gate_client_cert {
	GATE_CERT_OFF,
	GATE_CERT_OPTIONAL,
	GATE_CERT_REQUIRED
};

/* A certificate with its key; file names as to be opened. */
struct gate_identity {
	char *certificate, *key; /* key NULL: in the certificate's file */
};

struct gate_listen {
	char *host; /* an address, without brackets */
	uint16_t port;
	unsigned line, column;
	bool tls, proxy_protocol;
	struct gate_identity first, *others; /* others: chosen by SNI */
	size_t n_others;
	char *client_ca;
	uint64_t client_cert; /* enum gate_client_cert */
	uint64_t min_version; /* 0: TLS 1.2, 1: TLS 1.3 */
};

/* `admin`: health, figures, status; and the socket for `sesame reload`. */
struct gate_admin_settings {
	bool on;
	char *host; /* an address, without brackets */
	uint16_t port;
	char **name; /* more that it may be called by */
	size_t n_names;
	char *socket; /* file name; NULL: the default place; "": none */
	struct gate_place socket_at;
};

/* `stop`: how connections are asked to leave. */
struct gate_stop {
	uint64_t spread_ms, deadline_ms;
};

enum gate_log_format { GATE_LOG_TEXT, GATE_LOG_JSON };

/* What a file expects of itself; texts NULL: not given. */
struct gate_expectation {
	char *url, *origin, *from, *user_agent, *host, *subprotocol, *expect;
	char *token, *basic, *cookie;
	char **header;	    /* "Name: value" */
	char **certificate; /* "subject:CN=alice" */
	size_t n_headers, n_certificates;
	unsigned line, column;
};

enum gate_disclose {
	GATE_TELL_REFERENCE,
	GATE_TELL_REASON,
	GATE_TELL_FULL
};

struct gate_index; /* gate/index.h */

/*
 * Shared by the workers: nothing of it changes but for the counts of those who
 * use it, of its own and of its routes'.
 */
struct gate_policy {
	atomic_uint refs;
	atomic_ullong *live; /* open connections of each route */
	char *file; /* as it was named; rules are at file:line */
	char *whole_file; /* from the root on; NULL: it is in no file */
	struct gate_listen *listen;
	size_t n_listen;
	struct gate_route *route;
	size_t n_routes;
	struct gate_index *index; /* of routes and their lists */
	struct gate_network *trusted; /* proxies */
	size_t n_trusted;
	uint64_t trusted_field; /* enum gate_hops_field */
	uint64_t disclose; /* enum gate_disclose */
	bool refusal_close; /* accept, and then close with the reference */
	char *explain; /* path; NULL: the default one; "": none */
	uint64_t workers;  /* threads; 0: one for each processor */
	char *journal;	   /* file name; NULL: the default place; "": none */
	struct gate_place journal_at;
	uint64_t journal_rows;
	uint64_t journal_bytes; /* 0: the built-in bound */
	struct gate_expectation *test; /* for `check` alone */
	size_t n_tests;
	struct gate_admin_settings admin;
	struct gate_stop stop;
	/* "stdout", "stderr", a file's name; "": none, NULL: refusals alone */
	char *log_file;
	struct gate_place log_file_at;
	uint64_t log_format; /* enum gate_log_format */
	char *user, *group;  /* to go on as; NULL: as it is */
	char *pid_file;	     /* or NULL */
	struct gate_place pid_file_at;
	char *backplane; /* URL, with its password; NULL: memory */
	struct gate_place backplane_at;
	char *backplane_ca;
	struct gate_place backplane_ca_at;
	char *node; /* NULL: one that is made up */
};

struct gate_policy *gate_policy_ref(struct gate_policy *policy);
/* Give a reference back; the last one frees it. NULL is fine. */
void gate_policy_unref(struct gate_policy *policy);
/* Forget all listeners but the first @n, before anybody else has the policy. */
void gate_policy_keep_listeners(struct gate_policy *policy, size_t n);
/*
 * The route of @policy that leads where @old leads, or NULL. Who may enter
 * may differ: a connection was admitted once, by the rules of its time.
 * @server: that it is joined with, or NULL.
 */
const struct gate_route *gate_same_route(const struct gate_policy *policy,
					 const struct gate_route *old,
					 const struct gate_server *server);
/*
 * Read rule->text as an entry of @list: sets what it matches. NULL, or what is
 * wrong with it as a static sentence.
 */
const char *gate_rule_read(enum gate_list list, struct gate_rule *rule);
/* The same for an entry of `certificates`. */
const char *gate_certificate_rule_read(struct gate_rule *rule);
/* "origins", as the key is called. */
const char *gate_list_name(enum gate_list list);

#endif
