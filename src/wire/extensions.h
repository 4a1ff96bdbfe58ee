/* SPDX-License-Identifier: MIT */
/*
 * Sec-WebSocket-Extensions: its grammar with quoted strings (RFC 6455 9.1) and
 * the negotiation of permessage-deflate (RFC 7692 section 5 and 7.1).
 */
#ifndef WIRE_EXTENSIONS_H
#define WIRE_EXTENSIONS_H

#include <sesame/protocol.h>

#include "base/buf.h"
#include "wire/head.h"

#define SES_EXTENSION_MAX_PARAMS 16

struct ses_extension {
	struct bytes name;
	struct {
		struct bytes name;
		struct bytes value; /* without quotes and backslashes' effect: see quoted */
		bool has_value;
		bool quoted;
	} params[SES_EXTENSION_MAX_PARAMS];
	size_t n_params;
};

/*
 * Cut the next extension off the field value @list (which then begins after
 * it). Returns 1, 0 at the end, or SESAME_EPROTO when the grammar is broken.
 */
int ses_extension_next(struct bytes *list, struct ses_extension *ret_ext);

/* What this side is willing to do. */
struct ses_deflate_policy {
	bool enabled;
	bool no_context_takeover; /* ask for, or insist on, both directions */
	uint8_t max_window_bits;  /* 9..15; 0: 15 */
};

/* Server: choose from the request's offers. *ret_chosen.on false: none fits.
 * SESAME_EPROTO when the grammar is broken. */
int ses_deflate_choose(const struct ses_head *request,
		       const struct ses_deflate_policy *policy,
		       struct sesame_deflate *ret_chosen);
/* Append the value of the answer's field for @chosen (which is on). */
int ses_deflate_write_choice(const struct sesame_deflate *chosen,
			     struct ses_buf *out);
/* Client: append the value of the request's field. */
int ses_deflate_write_offer(const struct ses_deflate_policy *policy,
			    struct ses_buf *out);
/* Client: read the server's answer to that offer. SESAME_EPROTO: not lawful. */
int ses_deflate_check_answer(const struct ses_head *response,
			     const struct ses_deflate_policy *policy,
			     struct sesame_deflate *ret_agreed);

#endif
