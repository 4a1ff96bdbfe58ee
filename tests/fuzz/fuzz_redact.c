/* SPDX-License-Identifier: MIT */
/*
 * Whatever a peer sends: no secret of the case comes out, and nothing that a
 * terminal would obey. Also the readers of what only the doctor reads.
 */
#include <stdint.h>
#include <stdlib.h>

#include "doctor/alike.h"
#include "doctor/redact.h"
#include "doctor/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* None begins with what an escape such as \x9c ends with. */
static const char *const secrets[] = {"tok-4711-abc", "hunter22-long",
				      "qookie-value"};

static void check(struct bytes shown, bool lines)
{
	if (shown.len == 0)
		return;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (memmem(shown.data, shown.len, secrets[i], strlen(secrets[i])))
			abort();
	for (size_t i = 0; i < shown.len; i++)
		if (shown.data[i] < ' ' && !(lines && shown.data[i] == '\n'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct doctor_case c = {
		.url_text =
			(char *)"ws://a:hunter22-long@h/?token=tok-4711-abc",
		.header = {{(char *)"Cookie", (char *)"s=qookie-value"}},
		.n_headers = 1,
	};
	struct bytes in = bytes_of(data, len);
	struct doctor_probe p = {.body = (uint8_t *)(uintptr_t)data,
				 .body_len = len};
	uint8_t body[512];
	struct ses_buf out;
	char text[512];
	size_t n;

	doctor_redact(&c, in, text, sizeof(text));
	check(bytes_of_str(text), false);
	ses_buf_init(&out, 1 << 20);
	if (doctor_redact_head(&c, in, "", &out) == 0)
		check(ses_buf_bytes(&out), true);
	ses_buf_fini(&out);
	doctor_unchunk(in, body, sizeof(body), &n);
	doctor_hash_body(&p, BYTES("/chat"), BYTES("https://a.example"),
			 BYTES("h"));
	return 0;
}
