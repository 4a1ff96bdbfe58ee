/* SPDX-License-Identifier: MIT */
/*
 * The public handshake on bytes of any kind: as a request that is answered, as
 * an answer that is checked, and as the texts of a request, which then has to
 * be one that the server side reads back.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sesame/protocol.h>

static const uint8_t key[16] = "the sample nonce";
static char out[65536];

static void check_answered(const uint8_t *data, size_t size)
{
	size_t written = 0;
	int n = sesame_handshake_answer(data, size, out, sizeof(out), &written);

	if (n > 0)
		assert((size_t)n <= size && !memcmp(out, "HTTP/1.1 101 ", 13));
	else if (n == SESAME_EPROTO)
		assert(written > 0 && memcmp(out, "HTTP/1.1 1", 10) != 0);
	else
		assert(n == 0 && written == 0);
}

/* Both sides with all they can agree to. */
static void check_agreed(const uint8_t *data, size_t size)
{
	struct sesame_offer offer = {.protocols = "chat, feed", .deflate = true};
	struct sesame_reply reply = {.deflate = true};
	struct sesame_agreement agreement;
	struct sesame_handshake seen;
	size_t written = 0;
	int status, n = sesame_handshake_read(data, size, &seen);

	if (n > 0)
		assert((size_t)n <= size && seen.target_len && seen.host_len);
	if (sesame_handshake_reply(data, size, &reply, out, sizeof(out),
				   &written, &agreement) > 0)
		assert(n > 0 && written > 0);
	sesame_handshake_agree(data, size, key, &offer, &status, &agreement);
}

/* "url NUL origin NUL protocols" */
static void check_request(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 3), *origin, *protocols;
	size_t written;
	int n;

	memcpy(text, data, size);
	memset(text + size, 0, 3);
	origin = text + strlen(text) + 1;
	protocols = origin <= text + size ? origin + strlen(origin) + 1 : origin;
	if (protocols > text + size)
		protocols = NULL;
	n = sesame_handshake_request(text, key, origin, protocols, out,
				     sizeof(out));
	if (n > 0) {
		char *request = malloc((size_t)n);
		int got;

		memcpy(request, out, (size_t)n);
		got = sesame_handshake_answer(request, (size_t)n, out,
					      sizeof(out), &written);
		assert(got == n || got == SESAME_EPROTO);
		if (got == n)
			assert(sesame_handshake_check(out, written, key, NULL,
						      NULL) == (int)written);
		free(request);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int status;

	check_answered(data, size);
	sesame_handshake_check(data, size, key, "chat", &status);
	check_agreed(data, size);
	check_request(data, size);
	return 0;
}
