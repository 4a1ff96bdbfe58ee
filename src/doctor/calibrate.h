/* SPDX-License-Identifier: MIT */
/*
 * How often a verdict of a given weight is right. Weights are judged one by
 * one and added up; what the sum is worth is a matter of counting, on cases
 * that nobody had weighed anything by. Pure.
 */
#ifndef DOCTOR_CALIBRATE_H
#define DOCTOR_CALIBRATE_H

/*
 * The share of right verdicts among those that the weights give @p, 0 to 1.
 * Grows with @p; 0 is 0 and 1 is 1.
 */
double doctor_calibrate(double p);

#endif
