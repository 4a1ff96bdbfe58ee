/* SPDX-License-Identifier: MIT */
/* A year has four digits here, so that the text has its room. */
#include "gate/moment.h"

#include <stdio.h>
#include <time.h>

#define LEAST_S (-INT64_C(62135596800)) /* 0001-01-01 */
#define MOST_S	INT64_C(253402300799)	/* 9999-12-31 */

char *gate_moment(int64_t s, char out[GATE_MOMENT_TEXT])
{
	time_t seconds = (time_t)s;
	struct tm tm;

	if (s < LEAST_S || s > MOST_S || !gmtime_r(&seconds, &tm))
		snprintf(out, GATE_MOMENT_TEXT, "%lld", (long long)s);
	else
		strftime(out, GATE_MOMENT_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}
