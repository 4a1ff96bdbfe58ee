/* SPDX-License-Identifier: MIT */
/* When memory is given back, on looks that the test makes up. */
#include "gate/thrift.h"

#include "test.h"

#define MIB ((int64_t)1024 * 1024)

TEST("memory goes back when much more of it is idle than at the least")
{
	static const struct {
		int64_t mib; /* idle */
		bool due;
		int64_t floor_mib; /* from then on */
	} rows[] = {
		{10, false, 10}, {100, true, 10}, {13, false, 10},
		{14, true, 10},	 {8, false, 8},	  {11, false, 8},
		{12, true, 8},	 {-5, false, -5}, {-2, false, -5},
		{-1, true, -5},
	};
	int64_t floor_bytes = INT64_MAX;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
			gate_thrift_is_due(rows[i].mib * MIB, &floor_bytes),
			rows[i].due);
		assert_int_equal(floor_bytes / MIB, rows[i].floor_mib);
	}
}
