/* SPDX-License-Identifier: MIT */
/*
 * Taking in an HTTP head from a stream that cuts it anywhere. A head that
 * comes in one piece, as nearly all do, is parsed where it lies; one that does
 * not is gathered, up to a ceiling.
 */
#ifndef WS_INTAKE_H
#define WS_INTAKE_H

#include "base/buf.h"
#include "wire/head.h"

#define SES_INTAKE_BYTES ((size_t)16 * 1024) /* longest head */

struct ses_intake {
	struct ses_head_parser parser;
	struct ses_buf gathered;
	unsigned n_interim;
};

void ses_intake_init(struct ses_intake *in, bool is_request);
void ses_intake_fini(struct ses_intake *in);
/*
 * Take the next @len bytes at @data. Returns 1 when the head is whole (then
 * *ret_head is set, borrowed from @data and @in, and *ret_used says how many
 * bytes of @data belong to it), 0 when more is needed, SESAME_EPROTO with
 * *ret_fault, or SESAME_ENOMEM.
 */
int ses_intake_feed(struct ses_intake *in, uint8_t *data, size_t len,
		    struct ses_head *ret_head, size_t *ret_used,
		    enum ses_fault *ret_fault);
/*
 * The same for the head of an answer, but for interim ones (RFC 9110 15.2), a
 * few of which may come before it: *data begins with that head then. Of too many
 * *ret_head is the last, with SESAME_EPROTO and SES_FAULT_RESPONSE_STATUS.
 */
int ses_intake_feed_answer(struct ses_intake *in, struct bytes *data,
			   struct ses_head *ret_head, size_t *ret_used,
			   enum ses_fault *ret_fault);

#endif
