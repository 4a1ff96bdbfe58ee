/* SPDX-License-Identifier: MIT */
/*
 * Lines on standard error, for whoever runs the gateway. When nobody reads
 * them a pipe gets full, and who writes on waits; the gateway must not.
 */
#ifndef GATE_LOG_H
#define GATE_LOG_H

#include <stdbool.h>

/* Say one line, without its end. False: it could not be said just now. */
__attribute__((format(printf, 1, 2))) bool gate_log(const char *format, ...);

#endif
