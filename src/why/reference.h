/* SPDX-License-Identifier: MIT */
/*
 * The reference that a refused client is told and the operator looks up:
 * 40 bits as two groups of four characters without I, L, O, U: "7K2M-Q4XD".
 */
#ifndef WHY_REFERENCE_H
#define WHY_REFERENCE_H

#include "base/bytes.h"

#define WHY_REFERENCE_SIZE 10 /* "7K2M-Q4XD" and its NUL */

/* Write the low 40 bits of @number as a reference. */
void why_reference_write(uint64_t number, char out[WHY_REFERENCE_SIZE]);
/*
 * Read a reference as people type it: any case, O for 0, I and L for 1, the
 * hyphen optional, blanks around. False when it is none.
 */
bool why_reference_read(struct bytes text, uint64_t *ret_number);

#endif
