/* SPDX-License-Identifier: MIT */
/*
 * What of a request may be written down. A journal is read by people who are
 * not to have their users' tokens, so secrets become "***" in it: where the
 * route takes them from, and where they are usually put by mistake. Pure.
 */
#ifndef GATE_HIDE_H
#define GATE_HIDE_H

#include "gate/credential.h"

/*
 * Write @target to @out (of @size bytes, > 0), printable, cut when too long,
 * without the values of parameters that are secrets. @settings may be NULL:
 * no route was found. Returns @out.
 */
char *gate_hide_target(const struct gate_token_settings *settings,
		       struct bytes target, char *out, size_t size);
/*
 * The same for the value of the field called @name: credentials, cookies,
 * subprotocols that are tokens. Other fields are only made printable.
 */
char *gate_hide_field(const struct gate_token_settings *settings,
		      struct bytes name, struct bytes value, char *out,
		      size_t size);
/*
 * The same for @text that may be a URL, whole or broken, as people write it at
 * a wrong place: who it is and with what password, and what is secret of its
 * query. What has no ":" before an "@" and no "://" stays as it is.
 */
char *gate_hide_url(struct bytes text, char *out, size_t size);
/* The same for each word of a sentence. */
char *gate_hide_urls(struct bytes sentence, char *out, size_t size);

#endif
