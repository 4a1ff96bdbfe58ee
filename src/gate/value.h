/* SPDX-License-Identifier: MIT */
/* Values of the configuration as text: sizes, times, addresses. Pure. */
#ifndef GATE_VALUE_H
#define GATE_VALUE_H

#include "base/bytes.h"

/* "512", "64KiB", "1MiB", "1GiB"; "1MB" is 10^6. False for anything else. */
bool gate_size_read(struct bytes text, uint64_t *ret_bytes);
/* "250ms", "30s", "5m", "1h". A unit is needed. */
bool gate_duration_read(struct bytes text, uint64_t *ret_ms);
#define GATE_VALUE_SIZE 32
/* As the two above read it, by the largest unit that fits. Both return @out. */
const char *gate_size_write(uint64_t bytes, char out[GATE_VALUE_SIZE]);
const char *gate_duration_write(uint64_t ms, char out[GATE_VALUE_SIZE]);
/*
 * "20/minute", "5/second", "100/hour", "1000/day", or by their first letters.
 * At least one. False for anything else.
 */
bool gate_rate_read(struct bytes text, uint64_t *ret_count,
		    uint64_t *ret_period_ms);
/*
 * "127.0.0.1:8080", "[::1]:8080": *ret_host without brackets, borrowed. NULL,
 * or what is wrong as a static sentence.
 */
const char *gate_listen_read(struct bytes text, struct bytes *ret_host,
			     uint16_t *ret_port);
/* One of "a|b|c"; its index or -1. */
int gate_choice_read(const char *choices, struct bytes text);

#endif
