/* SPDX-License-Identifier: MIT */
/* What the messages of a broadcast are made of. */
#ifndef LOAD_BROADCAST_H
#define LOAD_BROADCAST_H

/* Bytes of a message's number, in hexadecimal digits, at its beginning. */
#define LOAD_NUMBER 16u

#endif
