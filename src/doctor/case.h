/* SPDX-License-Identifier: MIT */
/*
 * The question: the user's own request, and what may be done to explain its
 * refusal. Opened from the command line; immutable afterwards.
 */
#ifndef DOCTOR_CASE_H
#define DOCTOR_CASE_H

#include "base/bytes.h"
#include "wire/url.h"

#define DOCTOR_MAX_HEADERS 256
#define DOCTOR_MAX_CONFIGS 16
#define DOCTOR_MAX_REMARKS 16

struct doctor_header {
	char *name;
	char *value;
};

struct doctor_case {
	int64_t opened_s; /* when, in seconds since 1970 */
	char *url_text;	  /* as given */
	int url_error;	  /* 0 or SESAME_EURL: nothing can be dialled */
	/* SES_URL_HTTP with url_error 0: http(s)://, examined as ws(s)://. */
	enum ses_url_fault url_fault;
	size_t url_fault_at;
	struct ses_url url; /* parts borrowed from url_text; unset on error */
	char *origin;	    /* NULL: none is sent */
	bool origin_given;  /* --origin or --no-origin was said */
	char *user_agent;   /* "sesame/VERSION (doctor)" by default; "": none */
	bool user_agent_given;
	char *host; /* -H 'Host: x', or NULL: the URL's */
	/*
	 * -H, the cookie and Authorization. Of the handshake's own fields
	 * (Sec-WebSocket-Version...) a row here replaces the usual one; an
	 * empty value leaves it out.
	 */
	struct doctor_header header[DOCTOR_MAX_HEADERS];
	size_t n_headers;
	char *subprotocols;  /* comma-separated, or NULL */
	char *proxy;	     /* URL, or NULL: direct */
	char *proxy_from;    /* "--proxy", "https_proxy", NULL */
	char *proxy_ca_file; /* for a proxy of https:// */
	bool proxy_insecure;
	char *ca_file, *cert_file, *key_file;
	bool insecure;
	char *source;
	int family;	    /* 4, 6 or 0 */
	char *connect_host; /* --resolve, --connect-to, or NULL */
	uint16_t connect_port;
	unsigned max_probes; /* 20 */
	unsigned timeout_ms; /* for one handshake; 5 s */
	unsigned hold_ms;    /* watch an open connection; 0: 500 ms */
	bool hold_given;
	unsigned body_ms; /* wait for the end of a body; 0: 1000 ms */
	bool json, quiet, verbose;
	bool no_hello; /* nothing is to be said after a 101 */
	bool blind;    /* stacks are not to be recognised */
	/* What else may be looked at, each NULL when not given. */
	char *page;	 /* URL of the page that opens the WebSocket */
	char *page_host; /* where to connect for it instead, or NULL */
	uint16_t page_port;
	char *backend; /* URL of the application behind the proxy */
	char *config[DOCTOR_MAX_CONFIGS]; /* of the servers in between */
	size_t n_configs;
	char *curl;  /* the request as a curl command */
	char *har;   /* a browser's recording that holds the request */
	char *match; /* which entry of it: part of the URL */
	char *works; /* a curl command that opens, for comparison */
	char *html;  /* where a report to pass on is written */
	/* What is to be known of the copy that the request was taken from. */
	char *remark[DOCTOR_MAX_REMARKS];
	size_t n_remarks;
	bool bare_copy; /* it has no credentials, and may have lost them */
	char failed_there[80]; /* what the recording says it came to, or "" */
	/* The request that --works holds, or NULL; its secrets are secret, too. */
	struct doctor_case *other;
};

#define DOCTOR_HOLD_MS 500 /* when hold_ms is 0 */

/*
 * Read the command line of `sesame doctor`. Returns 0, or 2 after it has told
 * what is wrong on standard error (-1: help was asked for and printed).
 */
int doctor_case_open(struct doctor_case *c, int argc, char **argv);
void doctor_case_close(struct doctor_case *c);

/* ---- case_questions.c: what follows from the request alone. Pure. ---- */

/* The first of the case's own fields called @name, or NULL. */
const struct doctor_header *doctor_case_header(const struct doctor_case *c,
					       const char *name);
/* Whether browsers would send it as an Origin: "null", or scheme, host, port. */
bool doctor_is_origin(const char *text);
/* What was probably meant by one that is none. False: nobody knows. */
bool doctor_mended_origin(const char *text, char *out, size_t size);
/* Host and port of an origin. */
struct bytes doctor_authority(struct bytes origin);
/* The origin of a page served by the URL's own host (the Host field counts);
 * @swapped: with the other scheme. False: too long. */
bool doctor_own_origin(const struct doctor_case *c, bool swapped, char *out,
		       size_t size);
/* @origin as those write it who forget its port. False: it has none. */
bool doctor_portless_origin(const char *origin, char *out, size_t size);
/* Whether @origin has the URL's host and port, whatever its scheme. */
bool doctor_is_own_origin(const struct doctor_case *c, const char *origin);
/* Whether the URL leads to this very machine. */
bool doctor_is_loopback(const struct doctor_case *c);
/* The URL of the page that was given. False: none, or no http(s). */
bool doctor_page_url(const struct doctor_case *c, struct ses_url *ret);
/* The Host for the backend: the one of the user's request, or its own. */
bool doctor_backend_host(const struct doctor_case *c, bool as_public, char *out,
			 size_t size);
/* Whether the case carries credentials in any place. */
bool doctor_has_credentials(const struct doctor_case *c);
/* Whether the URL looks like one of engine.io (Socket.IO). */
bool doctor_is_engine(const struct doctor_case *c);
/* Whether the URL continues a session that engine.io opened before (sid=). */
bool doctor_continues_session(const struct doctor_case *c);
/* Whether a query begins with the name of such a session. It is no credential:
 * whoever asks for a new one gets it. */
static inline bool doctor_is_session_pair(struct bytes pair)
{
	return bytes_starts(pair, BYTES("sid="));
}

#endif
