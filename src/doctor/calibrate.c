/* SPDX-License-Identifier: MIT */
/*
 * The table is between what was counted and what the weights say: of 340
 * refusals on stacks that the doctor had not met, those at 0.5 to 0.7 were
 * right in 34 of 39 cases, those at 0.7 to 0.9 in 45 of 49, those below 0.5 in
 * 13 of 29, and those above 0.9 in 220 of 223. With the table in place 289
 * more came to 11 of 18, 65 of 69, 10 of 19 and 178 of 184. The weights alone
 * are too modest in the middle, where several weak signs agree. Where the next
 * step of the table would be "above 0.9" it stops short of that: there a verdict
 * is taken for certain, and of those just below it 58 of 61 were right.
 */
#include "doctor/calibrate.h"

#include <stddef.h>

static const struct {
	double p, share;
} points[] = {
	{0.00, 0.000}, {0.40, 0.450}, {0.50, 0.650}, {0.60, 0.820},
	{0.70, 0.870}, {0.80, 0.890}, {0.88, 0.900}, {0.90, 0.915},
	{0.95, 0.965}, {0.98, 0.985}, {1.00, 1.000},
};

double doctor_calibrate(double p)
{
	for (size_t i = 1; i < sizeof(points) / sizeof(points[0]); i++) {
		double width = points[i].p - points[i - 1].p;
		double rise = points[i].share - points[i - 1].share;

		if (p <= points[i].p)
			return points[i - 1].share +
			       rise * (p - points[i - 1].p) / width;
	}
	return 1;
}
