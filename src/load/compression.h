/* SPDX-License-Identifier: MIT */
/*
 * What servers answered to an offer of permessage-deflate (RFC 7692): what is
 * measured of one that declines is not compressed, whatever was asked for. Pure.
 */
#ifndef LOAD_COMPRESSION_H
#define LOAD_COMPRESSION_H

#include "base/bytes.h"

#define LOAD_TERMS 160

/* Handshakes, by their answer. */
struct load_compression {
	uint64_t agreed, declined;
	uint64_t otherwise; /* of those agreed: to other terms than these: */
	char terms[LOAD_TERMS]; /* of the first that agreed; "": none did */
};

/*
 * Count the answer that begins with @head, a 101 that the library found lawful:
 * it names no extension but the one that was offered.
 */
void load_compression_note(struct load_compression *c, struct bytes head);
/* Count what @from has in @c, too. */
void load_compression_add(struct load_compression *c,
			  const struct load_compression *from);

#endif
