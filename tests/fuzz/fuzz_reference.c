/* SPDX-License-Identifier: MIT */
/* What is read as a reference is written back to something that reads alike. */
#include <stdlib.h>

#include "why/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char written[WHY_REFERENCE_SIZE];
	uint64_t number, again;

	if (!why_reference_read(bytes_of(data, size), &number))
		return 0;
	if (number >> 40)
		abort();
	why_reference_write(number, written);
	if (!why_reference_read(bytes_of_str(written), &again) ||
	    again != number)
		abort();
	return 0;
}
