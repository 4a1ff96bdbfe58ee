/* SPDX-License-Identifier: MIT */
/* Whether what listens where the forward proxy should be is of another kind. */
#ifndef DOCTOR_PROXY_KIND_H
#define DOCTOR_PROXY_KIND_H

#include "doctor/probe.h"

struct doctor_proxy_kind {
	char what[120];	    /* "it speaks no TLS"; empty: nothing is wrong */
	const char *scheme; /* that it probably speaks, "http"; NULL: none */
	bool silent; /* nothing shows it but that no answer came */
};

/* What the probe @p saw of the proxy that @url names. */
void doctor_proxy_kind(const struct doctor_probe *p, const char *url,
		       struct doctor_proxy_kind *ret);

#endif
