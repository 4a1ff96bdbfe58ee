/* SPDX-License-Identifier: MIT */
/*
 * The names of a client's certificate, and the entries of allow.certificates
 * that are about them: "subject:CN=alice", "san:uri:spiffe://example.org/web".
 * Pure.
 */
#ifndef GATE_CLIENT_CERTIFICATE_H
#define GATE_CLIENT_CERTIFICATE_H

#include "gate/policy.h"

struct ses_tls_info; /* net/tls.h */

/* Whether there is one at all, verified or not; @tls may be NULL. */
bool gate_certificate_is_there(const struct ses_tls_info *tls);
/*
 * Whether a verified certificate is the one of an entry of
 * allow.certificates. @tls NULL, or without a certificate: no.
 */
bool gate_certificate_has(const struct gate_rule *rule,
			  const struct ses_tls_info *tls);
/*
 * Whether the list admits a certificate, and the entry that decided: the first
 * that excludes, else the first that admits; NULL: no entry did.
 */
bool gate_certificate_admitted(const struct gate_rules *rules,
			       const struct ses_tls_info *tls,
			       const struct gate_rule **ret_rule);

#define GATE_CERTIFICATE_SHOWN 300

/*
 * The name of it that was compared, written to @out as an entry would have it:
 * of the kind that @decided is about, or without that (NULL) of the kind of the
 * first entry for which it has any, else the first that it has. data NULL:
 * there is no certificate.
 */
struct bytes gate_certificate_shown(const struct gate_rules *rules,
				    const struct gate_rule *decided,
				    const struct ses_tls_info *tls, char *out,
				    size_t size);
/* All of it, for people: "CN=alice, san:dns:a.example". */
void gate_certificate_tell(const struct ses_tls_info *tls, char *out,
			   size_t size);
/* Add to @tls what @part says, "san:ip:192.0.2.7"; false: it says nothing. */
bool gate_certificate_describe(struct ses_tls_info *tls, struct bytes part);

#endif
