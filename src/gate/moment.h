/* SPDX-License-Identifier: MIT */
/* A moment as a text that sorts: "2026-11-22T10:00:05Z". Pure. */
#ifndef GATE_MOMENT_H
#define GATE_MOMENT_H

#include <stdint.h>

#define GATE_MOMENT_TEXT 24

/* @s is since 1970; beyond the years 1 to 9999 it is told as a number. */
char *gate_moment(int64_t s, char out[GATE_MOMENT_TEXT]);

#endif
