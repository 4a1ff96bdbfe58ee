/* SPDX-License-Identifier: MIT */
/*
 * Memory goes back to the system when the gateway is calm after it had much.
 * The allocator keeps what one thread has taken and another given back, and
 * does so for each thread: after a flood through channels that is tens of
 * megabytes which nobody uses.
 */
#ifndef GATE_THRIFT_H
#define GATE_THRIFT_H

#include <stdbool.h>
#include <stdint.h>

struct sesame_loop;
struct gate_thrift;

/*
 * Whether what the process has and nobody uses, @idle_bytes, has grown by so
 * much since the least of it, *@floor_bytes, that it is to be given back. The
 * floor follows what is less; it begins as INT64_MAX. Pure.
 */
bool gate_thrift_is_due(int64_t idle_bytes, int64_t *floor_bytes);

/* Look after the process from now on, in @loop. NULL: no memory. */
struct gate_thrift *gate_thrift_new(struct sesame_loop *loop);
/* NULL is fine. */
void gate_thrift_free(struct gate_thrift *thrift);

#endif
