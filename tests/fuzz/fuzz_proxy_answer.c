/* SPDX-License-Identifier: MIT */
/*
 * What a proxy may answer. The first byte chooses the reader; the rest is what
 * came. Reading a prefix never says more than reading the whole.
 */
#include "net/proxy.h"
#include "wire/head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_connect_answer(struct bytes in)
{
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct ses_head head;

	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	return ses_head_parse(&parser, in, &head, &fault);
}

static int read_answer(unsigned kind, struct bytes in)
{
	const char *text;
	bool wants_user;

	switch (kind % 4) {
	case 0:
		return ses_socks_read_method(in, &wants_user, &text);
	case 1:
		return ses_socks_read_user(in, &text);
	case 2:
		return ses_socks_read_reply(in, &text);
	default:
		return read_connect_answer(in);
	}
}

static void read_url(struct bytes in)
{
	struct ses_proxy proxy;
	const char *text;
	char *copy = malloc(in.len + 1);

	memcpy(copy, in.data, in.len);
	copy[in.len] = 0;
	ses_proxy_parse(copy, &proxy, &text);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data + 1, size - 1);
	int whole;

	if (size < 2)
		return 0;
	if (data[0] % 5 == 4) {
		read_url(in);
		return 0;
	}
	whole = read_answer(data[0] % 5, in);
	if (whole > 0 && (size_t)whole > in.len)
		abort();
	for (size_t len = 0; len < in.len && len < 300; len++) {
		int part = read_answer(data[0] % 5, bytes_first(in, len));

		if (part != 0 && part != whole)
			abort();
	}
	return 0;
}
