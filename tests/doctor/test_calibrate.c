/* SPDX-License-Identifier: MIT */
/* Between what the weights say and how often that is right. */
#include "doctor/calibrate.h"

#include "test.h"

TEST("more weight is never less confidence, and none and all stay what they "
     "are")
{
	double before = 0;

	assert_true(doctor_calibrate(0) == 0);
	assert_true(doctor_calibrate(1) == 1);
	for (int i = 1; i <= 1000; i++) {
		double now = doctor_calibrate(i / 1000.0);

		assert_true(now > before && now <= 1);
		before = now;
	}
}

TEST("what is less likely than not is not made a verdict by counting")
{
	assert_true(doctor_calibrate(0.25) < 0.3);
	assert_true(doctor_calibrate(0.4) < 0.5);
	assert_true(doctor_calibrate(0.6) > 0.75);
	/* above 0.9 is said of nothing that the weights have below 0.88 */
	assert_true(doctor_calibrate(0.88) <= 0.9);
}
