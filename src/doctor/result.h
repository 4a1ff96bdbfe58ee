/* SPDX-License-Identifier: MIT */
/*
 * What was seen, made readable: heads as odd as they come, bodies without their
 * chunks, the errors that ended it. The texts for probes are declared in probe.h.
 */
#ifndef DOCTOR_RESULT_H
#define DOCTOR_RESULT_H

#include "doctor/probe.h"

/* A parser for what real servers send, odd and long as it may be. */
void doctor_head_init(struct ses_head_parser *parser);
/* Who wrote the forward proxy's answer to CONNECT: the proxy, or one behind.
 * *ret_hops stays as it is when there is no such answer. */
void doctor_recognise_proxy(const struct ses_dial_report *dial,
			    struct why_hops *ret_hops);

/* What getaddrinfo() came to, when it was the name; or 0. */
int doctor_name_error(const struct doctor_probe *p);

/* Whether nobody listens there: the connection was refused. */
bool doctor_is_unheard(const struct doctor_probe *p);

/* Whether @in begins with a SETTINGS frame, as an HTTP/2 server says hello. */
bool doctor_is_h2_frame(struct bytes in);

/*
 * Undo the chunked coding (RFC 9112 7.1) of @in into @out of @size bytes, as
 * much of it as is there and lawful. True when the last chunk was seen or
 * @out is full.
 */
bool doctor_unchunk(struct bytes in, uint8_t *out, size_t size,
		    size_t *ret_len);

#endif
