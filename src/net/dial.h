/* SPDX-License-Identifier: MIT */
/*
 * From a name to a stream: names, each address, a proxy (CONNECT or SOCKS5),
 * TLS. Every step is kept with its time and outcome, so that a failure can be
 * told as a story and a success can be timed.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/stream.h"
#include "wire/head.h"

enum ses_dial_kind {
	SES_DIAL_NAMES,	  /* resolving the host's (or proxy's) name */
	SES_DIAL_CONNECT, /* TCP to one address */
	SES_DIAL_PROXY,	  /* TLS with it, CONNECT or SOCKS5 through it */
	SES_DIAL_TLS,
};

struct ses_dial_step {
	enum ses_dial_kind kind;
	uint64_t start_us, took_us; /* start: since the dial began */
	int error;     /* 0 or SESAME_E... */
	int sys_errno; /* of a refused connect(2); EAI_... for NAMES */
	char what[96]; /* "127.0.0.1:8080", "example.org", "http://proxy:3128" */
	char text[160]; /* what happened, one phrase */
};

#define SES_DIAL_MAX_STEPS     24
#define SES_DIAL_MAX_ADDRESSES 8

struct ses_dial_options {
	struct bytes host; /* name or address, no brackets; copied */
	uint16_t port;
	int family;	      /* 4, 6 or 0 */
	const char *source;   /* local address, or NULL */
	/* http://, https:// or socks5:// (or socks5h://), or NULL */
	const char *proxy;
	/* For a proxy of https://: whom to trust (NULL: the system's
	 * certificates), or not to verify it. */
	const char *proxy_ca_file;
	bool proxy_insecure;
	/* Connect to this instead of host:port (curl's --resolve, --connect-to). */
	const char *connect_host;
	uint16_t connect_port; /* 0: port */
	struct ses_tls_context *tls; /* NULL: plain; referenced for the dial */
	const char *tls_name; /* SNI and verification; NULL: host */
	unsigned timeout_ms; /* for the whole dial; 0: 10 s */
	/*
	 * For one address when others remain; 0: 3 s. They are tried one after
	 * the other, IPv6 and IPv4 in turns, until one takes the connection.
	 */
	unsigned connect_ms;
	/* Sent first on the connection, before TLS; 128 bytes at most. */
	struct bytes preface;
	const char *user_agent; /* for CONNECT; NULL: none */
	/* Of the stream, borrowed for its life; NULL: 16 MiB, 1 MiB are high. */
	const struct ses_stream_limits *limits;
	unsigned spared; /* descriptors that it leaves to others: net/spare.h */
};

/* What a dial found out. Lives as long as the dial. */
struct ses_dial_report {
	struct ses_dial_step step[SES_DIAL_MAX_STEPS];
	size_t n_steps;
	struct ses_addr address[SES_DIAL_MAX_ADDRESSES]; /* that the name has */
	size_t n_addresses;
	struct ses_addr peer; /* the one that answered; len 0: none */
	/* Meaningful when a TLS step is there; or of the proxy's TLS, when
	 * that is what failed. */
	struct ses_tls_info tls;
	bool proxy_spoke; /* TLS or SOCKS as its URL has it: it is of that kind */
	/* A proxy's answer to CONNECT: its status, head and body's beginning. */
	int proxy_status;
	char proxy_head[4096];
	size_t proxy_head_len;
	char proxy_body[1024];
	size_t proxy_body_len;
};

/*
 * Whether a dial failed because this machine has no descriptor or memory for
 * it, which says nothing about whom it was to reach. @report may be NULL.
 */
bool ses_dial_lacked(const struct ses_dial_report *report, int error);

struct ses_dial;

/*
 * Begin. @done is called once, never before this returns: with a connected
 * stream (to be taken over by ses_stream_take() in the call) and error 0, or
 * with NULL and SESAME_ENAME, ECONNECT, ETIMEOUT, EPROXY, ETLS or ENOMEM. The
 * dial, and so the report, is freed after @done returned. NULL: no memory.
 */
struct ses_dial *ses_dial_start(struct sesame_loop *loop,
				const struct ses_dial_options *options,
				void (*done)(void *user,
					     struct ses_stream *stream,
					     const struct ses_dial_report *report,
					     int error),
				void *user);
/* Give up; @done is not called. */
void ses_dial_cancel(struct ses_dial *dial);

#endif
