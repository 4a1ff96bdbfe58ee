/* SPDX-License-Identifier: MIT */
/* Whether a listener's certificate, key and authorities can be used. */
#ifndef GATE_CERTIFICATE_H
#define GATE_CERTIFICATE_H

#include "gate/complaints.h"
#include "gate/policy.h"
#include "net/tls.h"

/* What TLS needs for @listen. NULL: @text says which file and why. */
struct ses_tls_context *gate_tls_open(const struct gate_listen *listen,
				      char *text, size_t text_size);
/* Open the files of @listen and complain of each that is not fit, about @at. */
void gate_certificate_check(const struct gate_listen *listen,
			    struct gate_place at, struct gate_complaints *wrong);

#endif
