/* SPDX-License-Identifier: MIT */
/* What a proxy asks for, read and answered: nothing gets out of its line. */
#include <stdint.h>
#include <stdlib.h>

#include "net/proxy_auth.h"

static void answer(const struct ses_challenge *challenge)
{
	struct ses_proxy proxy = {.has_user = true, .user = "a\"\\",
				  .password = "b"};
	struct ses_buf out;

	ses_buf_init(&out, 16384);
	if (ses_proxy_write_digest(&proxy, challenge, "h:1", "c", &out) == 0 &&
	    !ses_is_field_value(ses_buf_bytes(&out)))
		abort();
	ses_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes list = bytes_of(data, size);
	struct ses_challenge c;

	while (ses_challenge_next(&list, &c)) {
		if (!ses_is_token(c.scheme))
			abort();
		answer(&c);
	}
	return 0;
}
