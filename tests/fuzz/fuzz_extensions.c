/* SPDX-License-Identifier: MIT */
/*
 * The extensions field as an offer and as an answer. Whatever a server
 * chooses, its answer is one that a client of the same policy would not find
 * broken. A server that is asked for a window of 8 bits, of which size zlib makes
 * none, agrees and sends its messages as they are.
 */
#include <assert.h>

#include "wire/extensions.h"

static struct ses_head head_with(struct bytes value)
{
	struct ses_head head = {.n_fields = 1};

	head.fields[0].name = BYTES("Sec-WebSocket-Extensions");
	head.fields[0].value = value;
	return head;
}

static void check_choice(const struct sesame_deflate *chosen)
{
	static const struct ses_deflate_policy plain = {.enabled = true};
	struct sesame_deflate agreed;
	struct ses_buf answer;
	struct ses_head head;

	assert(chosen->server_max_window_bits >= 8 &&
	       chosen->server_max_window_bits <= 15);
	assert(chosen->client_max_window_bits >= 8 &&
	       chosen->client_max_window_bits <= 15);
	ses_buf_init(&answer, 256);
	assert(ses_deflate_write_choice(chosen, &answer) == 0);
	head = head_with(ses_buf_bytes(&answer));
	assert(ses_deflate_check_answer(&head, &plain, &agreed) == 0);
	assert(agreed.server_max_window_bits == chosen->server_max_window_bits);
	assert(agreed.client_max_window_bits == chosen->client_max_window_bits);
	ses_buf_fini(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ses_deflate_policy policy = {.enabled = true};
	struct bytes list, before;
	struct sesame_deflate chosen;
	struct ses_extension ext;
	struct ses_head head;
	int more, steps = 0;

	if (size == 0)
		return 0;
	policy.no_context_takeover = data[0] & 1;
	policy.max_window_bits = data[0] >> 4;
	list = bytes_of(data + 1, size - 1);
	head = head_with(list);
	if (ses_deflate_choose(&head, &policy, &chosen) == 0 && chosen.on)
		check_choice(&chosen);
	ses_deflate_check_answer(&head, &policy, &chosen);
	do {
		before = list;
		more = ses_extension_next(&list, &ext);
		assert(more <= 0 || list.len < before.len);
		assert(more <= 0 || ses_is_token(ext.name));
		steps++;
	} while (more > 0);
	assert((size_t)steps <= size);
	return 0;
}
