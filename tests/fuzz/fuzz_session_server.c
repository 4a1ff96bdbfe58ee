/* SPDX-License-Identifier: MIT */
/* Any bytes as what a server's session receives; see fuzz/session.h. */
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_session(SESAME_SERVER, data, size);
}
