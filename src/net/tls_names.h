/* SPDX-License-Identifier: MIT */
/*
 * The alternative names of a certificate (RFC 5280 section 4.2.1.6): each of
 * one kind, since a name of one kind must never pass for one of another, and
 * each whole, since a name that was cut may be anybody's.
 */
#ifndef NET_TLS_NAMES_H
#define NET_TLS_NAMES_H

#include "base/bytes.h"

enum ses_tls_name_kind {
	SES_TLS_NAME_DNS,
	SES_TLS_NAME_IP, /* as text: "192.0.2.7" */
	SES_TLS_NAME_URI,
	SES_TLS_NAME_EMAIL,
	SES_TLS_NAME_KINDS
};

#define SES_TLS_MAX_NAMES 32
/* Of all of them; a SPIFFE id alone may have 2048. */
#define SES_TLS_NAMES_ROOM 2560

struct ses_tls_names {
	struct {
		uint16_t at;
		uint8_t kind;
	} of[SES_TLS_MAX_NAMES];
	char text[SES_TLS_NAMES_ROOM]; /* one after the other, each with a NUL */
	size_t n, used;
	bool more; /* than there was room for */
};

/* Add a name, fit for a terminal; false: it had no room, and more is set. */
bool ses_tls_names_add(struct ses_tls_names *names, enum ses_tls_name_kind kind,
		       struct bytes name);

static inline enum ses_tls_name_kind
ses_tls_name_kind(const struct ses_tls_names *names, size_t i)
{
	return (enum ses_tls_name_kind)names->of[i].kind;
}

static inline const char *ses_tls_name(const struct ses_tls_names *names,
				       size_t i)
{
	return names->text + names->of[i].at;
}

/* The next name from @i on that a host may have; NULL: there is none. */
const char *ses_tls_next_host(const struct ses_tls_names *names, size_t *i);

#endif
