/* SPDX-License-Identifier: MIT */
/* What programs of this folder begin with. */
#ifndef BENCH_LISTENING_H
#define BENCH_LISTENING_H

/* A socket that listens at 127.0.0.1:@port (0: any), and is told of. */
int listen_at(unsigned short port, int flags);
/* Say what failed and why, and leave. */
void die(const char *what);

#endif
