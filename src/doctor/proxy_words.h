/* SPDX-License-Identifier: MIT */
/* What a forward proxy says of the destination that it does not connect to. */
#ifndef DOCTOR_PROXY_WORDS_H
#define DOCTOR_PROXY_WORDS_H

#include "doctor/finding.h"

/* Whether it says that it tried to reach the destination, and failed. */
bool doctor_proxy_failed(const struct ses_dial_report *d);
/* What it says, as a finding: PROXY_KNOWS_NO_NAME, PROXY_WAS_REFUSED,
 * PROXY_WAITED or PROXY_FORBIDS. */
void doctor_find_proxy_words(struct doctor_chart *chart,
			     const struct doctor_probe *base);

#endif
