/* SPDX-License-Identifier: MIT */
/* A request for the gate's rules, of the lines that an input is. */
#ifndef TESTS_FUZZ_ASKING_H
#define TESTS_FUZZ_ASKING_H

#include <string.h>

#include "gate/admit.h"

/* The next line of the input, without its end. */
static struct bytes next_line(struct bytes *in)
{
	ptrdiff_t end = bytes_find_byte(*in, '\n');
	struct bytes line = bytes_first(*in, end < 0 ? in->len : (size_t)end);

	*in = bytes_from(*in, line.len + 1);
	return line.len ? line : bytes_of(NULL, 0);
}

/* Target, host, address, origin, user agent; the rest is left in *@in. */
static void read_request(struct bytes *in, struct gate_request *ret)
{
	*ret = (struct gate_request){0};
	ret->target = next_line(in);
	ret->host = next_line(in);
	ret->address_text = next_line(in);
	ret->origin = next_line(in);
	ret->user_agent = next_line(in);
	if (!gate_address_read(ret->address_text, &ret->address))
		memset(&ret->address, 1, sizeof(ret->address));
}

#endif
