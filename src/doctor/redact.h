/* SPDX-License-Identifier: MIT */
/*
 * What may be shown. Reports are pasted into tickets, so no secret of the
 * user's may be in them: not where it was given (Authorization, Cookie, query,
 * subprotocol, password) and not where a server sent it back.
 */
#ifndef DOCTOR_REDACT_H
#define DOCTOR_REDACT_H

#include "base/buf.h"
#include "doctor/case.h"

/*
 * Copy @text, which somebody else wrote, to @out (@size > 0) fit for a
 * terminal: printable, cut when too long, the case's secrets and what is named
 * or looks like one as "***". Returns @out.
 */
char *doctor_redact(const struct doctor_case *c, struct bytes text, char *out,
		    size_t size);
/* The same for lines by the user or by ourselves: line ends and tabs stay, and
 * so does what is only named like a secret. */
char *doctor_redact_lines(const struct doctor_case *c, const char *text,
			  char *out, size_t size);
/* The case's URL, as it may be shown. */
char *doctor_redact_url(const struct doctor_case *c, char *out, size_t size);
/*
 * Append an HTTP head, request or answer, a line each after @prefix; values of
 * fields that carry secrets are hidden whatever they are. 0 or an error.
 */
int doctor_redact_head(const struct doctor_case *c, struct bytes head,
		       const char *prefix, struct ses_buf *out);

/* Whether a field or parameter called @name is there to hold a secret. */
bool doctor_is_secret_name(struct bytes name);
/*
 * Take the next of the offered subprotocols. One is a secret by its looks, or
 * because the one before announces it, as in "bearer, TOKEN". Set @rest.
 */
struct doctor_offers {
	struct bytes rest, one;
	bool secret;
};
bool doctor_next_offer(struct doctor_offers *o);
/* Whether @value is long and mixed, as tokens are and words are not. */
bool doctor_looks_random(struct bytes value);
/* Whether the part "name=value" of a query holds a secret. */
bool doctor_is_secret_pair(struct bytes pair);

#endif
