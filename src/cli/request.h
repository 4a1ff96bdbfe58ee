/* SPDX-License-Identifier: MIT */
/*
 * The handshake that a command line asks for: what `connect` and `bench` have
 * in common. Their options are rows of options.def, as all are.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <sesame/client.h>

#include "doctor/route.h"

#define CLI_HEADERS 64
#define CLI_GIVEN   128

struct cli_request {
	const char *command; /* who complains */
	const char *url;     /* as it was written, or NULL */
	char shown_url[512]; /* fit to be shown */
	struct sesame_client_options options;
	struct sesame_header headers[CLI_HEADERS + 1];
	char *names[CLI_HEADERS + 1]; /* of headers, on the heap */
	char *cookies;		      /* of which there is one field, or NULL */
	struct doctor_mappings mappings;
	char *connect_host;
	bool no_proxy;
	const char *proxy_from; /* what names the proxy: "--proxy" */
	/* Options as they were given, value NULL for those without one; what is
	 * beyond the last is not told again. */
	struct {
		const char *name, *value;
	} given[CLI_GIVEN];
	size_t n_given;
};

/*
 * Take an option (@name, @value as in struct option_reader). 0: taken; -1: it
 * is none of these; else the exit status, and standard error says why.
 */
int cli_request_take(struct cli_request *r, const char *name, const char *value);
/* Remember among r->given an option that a command takes itself. */
void cli_request_note(struct cli_request *r, const char *name,
		      const char *value);
/* Take the URL. 0 or EXIT_USAGE when there was one before. */
int cli_request_take_url(struct cli_request *r, const char *word);
/* When all is known: its headers, whereto it goes, and the proxy of the
 * environment. 0 or the exit status. */
int cli_request_settle(struct cli_request *r);
void cli_request_fini(struct cli_request *r);

/*
 * Tell that @what is wrong, where @format has its %s. Returns EXIT_USAGE.
 */
__attribute__((format(printf, 2, 0))) int
cli_wrong(const char *command, const char *format, const char *what);
/* An address to connect from. 0 or EXIT_USAGE. */
int cli_check_source(const char *command, const char *text);
/* A number of seconds, at most a million. 0 or EXIT_USAGE. */
int cli_read_seconds(const char *command, const char *text, double *ret);
/* A number from @least to @most of @unit. 0 or EXIT_USAGE. */
int cli_read_count(const char *command, const char *text, const char *unit,
		   unsigned long least, unsigned long most, unsigned long *ret);

#endif
