/* SPDX-License-Identifier: MIT */
/*
 * The limit of handshakes and of broadcasts: for each that comes the answer,
 * and what one says to all others. Nothing is checked, nobody is waited for,
 * and who cannot take a frame at once loses it: no server that does its work
 * can do less. bare_server.c has the system calls by epoll, bare_server_uring.c
 * those by io_uring.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BARE_LINKS 65536 /* descriptors are below */

/* "--refuse": 403 for everybody, instead of 101. */
void bare_read_options(int argc, char **argv);
/* It came. */
void bare_join(int fd);
/* It said this; 0 bytes: it has gone. */
void bare_hear(int fd, const uint8_t *data, size_t len);

/* ---- to be supplied ---- */

/* Send it; @data is borrowed for the call. */
void bare_say(int fd, const void *data, size_t len);
/* Nothing more is said to it. */
void bare_close(int fd);

#endif
