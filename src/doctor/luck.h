/* SPDX-License-Identifier: MIT */
/*
 * Luck: how easily a server that opens by chance, and not for what was changed,
 * would have answered as this one did. Pure.
 */
#ifndef DOCTOR_LUCK_H
#define DOCTOR_LUCK_H

#include "doctor/finding.h"

/*
 * Whether nothing but the order of the answers speaks for what the key shows:
 * the refusal names no cause, and is nobody's that is known.
 */
bool doctor_is_bare(const struct doctor_chart *chart);
/* How likely the openings fell to the key by luck: 0 where more than their
 * order speaks for it. */
double doctor_luck(const struct doctor_chart *chart);

#endif
