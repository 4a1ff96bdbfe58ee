/* SPDX-License-Identifier: MIT */
/* What net/dial.c, which leads, and net/dial_proxy.c share. */
#ifndef NET_DIAL_INNER_H
#define NET_DIAL_INNER_H

#include "net/dial.h"
#include "net/names.h"
#include "net/proxy.h"

_Static_assert(SES_NAMES_MOST <= SES_DIAL_MAX_ADDRESSES,
	       "a report has a place for every address of a name");

struct ses_dial {
	struct sesame_loop *loop;
	void (*done)(void *user, struct ses_stream *stream,
		     const struct ses_dial_report *report, int error);
	void *user;
	bool finishing; /* done() is being called */
	/* the options, copied */
	char host[256], connect_host[256], tls_name[256], user_agent[256];
	uint8_t preface[128];
	size_t preface_len;
	uint16_t port, connect_port;
	int family;
	bool has_source, has_proxy, has_user_agent;
	struct ses_addr source;
	struct ses_proxy proxy;
	struct ses_tls_context *tls, *proxy_tls;
	unsigned timeout_ms, connect_ms, spared;
	const struct ses_stream_limits *limits; /* of the stream */
	const char *wrong; /* an option that cannot be used, as a phrase */
	bool proxy_is_wrong;
	/* where it is */
	uint64_t start_us;
	struct ses_call *names;
	struct ses_polled socket; /* the socket that connects, or fd -1 */
	size_t next_address;
	struct ses_stream *stream;
	struct ses_timer deadline; /* of the whole */
	struct ses_timer step; /* the beginning, an address, a proxy's body */
	struct ses_buf in;	   /* what a proxy said */
	struct ses_head_parser parser;
	bool within_tls; /* the target's TLS began: what TLS taught is its */
	char *authorization; /* for the proxy's second question; or NULL */
	struct ses_call *ticket; /* a Kerberos ticket is being asked for */
	uint8_t n_interim; /* answers of a proxy that announced the answer */
	struct ses_dial_report report;
};

void ses_dial_begin_step(struct ses_dial *d, enum ses_dial_kind kind,
			 const char *what);
/* @error 0 or SESAME_E..., with one phrase. */
void ses_dial_end_step(struct ses_dial *d, int error, int sys_errno,
		       const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* End the dial: tell, and free it. */
void ses_dial_fail(struct ses_dial *d, int error);
/* Call @fire after @delay_ms; of these timers there is one at a time. */
void ses_dial_after(struct ses_dial *d, uint64_t delay_ms,
		    void (*fire)(struct ses_timer *timer));
/* The way to the target is open; @early came already through it. */
void ses_dial_go_on(struct ses_dial *d, struct bytes early);
/* Talk to the proxy; ends in go_on or fail. */
void ses_dial_ask_proxy(struct ses_dial *d);
/* Connect to the proxy once more, to ask again. */
void ses_dial_again(struct ses_dial *d);

#endif
