/* SPDX-License-Identifier: MIT */
/*
 * What is said first in the protocols inside a WebSocket. In many of them the
 * client has to begin, and a server that waits in vain ends the connection:
 * that is no fault of the way. Where one message is all that it takes, and does
 * nothing but open, it is spoken (hello.def). Pure.
 */
#ifndef DOCTOR_HELLO_H
#define DOCTOR_HELLO_H

#include "doctor/probe.h"

#define DOCTOR_HELLO_BYTES 512

enum doctor_hello {
	DOCTOR_NO_HELLO, /* the server begins, or nothing is known of it */
#define HELLO(symbol, ...) DOCTOR_HELLO_##symbol,
#include "doctor/hello.def"
#undef HELLO
};

/* The protocol that this agreed subprotocol opens, or DOCTOR_NO_HELLO. */
enum doctor_hello doctor_hello_of(struct bytes subprotocol);
/* "connection_init": what it begins with, as people of that protocol say. */
const char *doctor_hello_name(enum doctor_hello hello);
/*
 * Write the first message for @host into @out, of DOCTOR_HELLO_BYTES;
 * @nonce makes it unlike others. Returns its length, 0 where none is spoken,
 * and in *ret_binary the kind of the message.
 */
size_t doctor_hello_write(enum doctor_hello hello, struct bytes host,
			  uint32_t nonce, uint8_t *out, bool *ret_binary);
/* Whether a server's first message is engine.io's greeting. */
bool doctor_is_engine_greeting(struct bytes message);
/* Whether the URL is of Socket.IO, and of a release in which clients begin. */
bool doctor_wants_connect(struct bytes path, struct bytes query);
/* Whether it is a stream of bytes, whatever messages they come in. */
bool doctor_hello_is_stream(enum doctor_hello hello);
/* Whether this message is how the protocol says that one is in. */
bool doctor_hello_welcomes(enum doctor_hello hello, struct bytes message);
/*
 * Whether this message is how it says that one is not. Then @out is what people
 * can read of it; empty where they can read the message itself.
 */
bool doctor_hello_refuses(enum doctor_hello hello, struct bytes message,
			  char *out, size_t size);
/*
 * Whether the connection was ended for want of a first message that was not
 * spoken: nobody refused anything.
 */
bool doctor_waited_for_hello(const struct doctor_probe *p);

#endif
