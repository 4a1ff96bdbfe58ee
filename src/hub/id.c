/* SPDX-License-Identifier: MIT */
/* One text for one id: what could be written in two ways is none. */
#include "hub/id.h"

#include <inttypes.h>
#include <stdio.h>

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

struct hub_epoch hub_epoch_of(uint64_t random)
{
	struct hub_epoch e = {""};

	for (int i = 0; i < HUB_EPOCH_LEN; i++, random >>= 5)
		e.text[i] = alphabet[random & 31];
	return e;
}

size_t hub_id_write(const struct hub_epoch *epoch, uint64_t seq,
		    char out[HUB_ID_SIZE])
{
	return (size_t)snprintf(out, HUB_ID_SIZE, "%s-%" PRIu64, epoch->text,
				seq);
}

static bool is_digit_of_epoch(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

bool hub_id_read(struct bytes text, struct hub_id *ret_id)
{
	struct bytes number = bytes_from(text, HUB_EPOCH_LEN + 1);
	struct hub_id id = {{""}, 0};

	if (!number.len || text.data[HUB_EPOCH_LEN] != '-')
		return false;
	for (size_t i = 0; i < HUB_EPOCH_LEN; i++)
		if (!is_digit_of_epoch(text.data[i]))
			return false;
	if (number.len > 1 && number.data[0] == '0')
		return false;
	if (!bytes_to_u64(number, INT64_MAX, &id.seq))
		return false;
	memcpy(id.epoch.text, text.data, HUB_EPOCH_LEN);
	*ret_id = id;
	return true;
}
