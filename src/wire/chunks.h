/* SPDX-License-Identifier: MIT */
/* Bodies in chunks (RFC 9112 section 7.1), as servers that refuse send them. */
#ifndef WIRE_CHUNKS_H
#define WIRE_CHUNKS_H

#include "base/buf.h"

/*
 * Append what the chunks of @in carry to @out, as far as it has come.
 *
 * Returns 1 when the last chunk is there, 0 when more is needed, or:
 *   SESAME_EPROTO  this is no chunk; @out has what came before it
 *   SESAME_ELIMIT  @out is full, or there is no memory
 */
int ses_chunks_decode(struct bytes in, struct ses_buf *out);

#endif
