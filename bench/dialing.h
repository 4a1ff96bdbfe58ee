/* SPDX-License-Identifier: MIT */
/* How loads get their connections; what fails ends the program. */
#ifndef BENCH_DIALING_H
#define BENCH_DIALING_H

#include <stddef.h>

/*
 * A connection to 127.0.0.1:@port. One address has some 28,000 ports for a
 * server: with @sources they come from that many, in turn, 127.0.0.2 on.
 */
int dial(int port, size_t sources);
void send_all(int fd, const void *data, size_t len);
/*
 * Become a WebSocket at @path, offering @protocol (NULL: none). What follows
 * the answer stays in the socket.
 */
void shake_hands(int fd, const char *path, const char *protocol);

#endif
