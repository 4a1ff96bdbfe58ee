/* SPDX-License-Identifier: MIT */
/*
 * First messages of the protocols inside a WebSocket, as any server may send
 * them: what they say is read without reading past them, nobody is welcomed and
 * refused at once, and what is shown of them is fit for a terminal. The first
 * byte chooses the protocol, a line is a path, the next one a query.
 */
#include <assert.h>
#include <stdlib.h>

#include "doctor/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum doctor_hello hellos[] = {
	DOCTOR_NO_HELLO,
#define HELLO(symbol, ...) DOCTOR_HELLO_##symbol,
#include "doctor/hello.def"
#undef HELLO
};

static struct bytes cut_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find_byte(*rest, '\n');
	struct bytes line =
		bytes_first(*rest, end < 0 ? rest->len : (size_t)end);

	*rest = bytes_from(*rest, line.len + 1);
	return line;
}

static void check(enum doctor_hello hello, struct bytes message)
{
	uint8_t out[DOCTOR_HELLO_BYTES];
	bool binary, refused;
	char text[160];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	refused = doctor_hello_refuses(hello, message, text, sizeof(text));
	assert(!refused || strlen(text) < sizeof(text));
	for (const char *c = text; refused && *c; c++)
		assert((uint8_t)*c >= ' ' && *c != 0x7f);
	/* that one is looked for the two words alone, and may have both */
	assert(!(refused && doctor_hello_welcomes(hello, message)) ||
	       hello == DOCTOR_HELLO_GRAPHQL);
	assert(doctor_hello_name(hello));
	assert(doctor_hello_write(hello, message, 7, out, &binary) <=
	       sizeof(out));
	doctor_hello_is_stream(hello);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), path, query;

	if (!size)
		return 0;
	in = bytes_from(in, 1);
	check(hellos[data[0] % (sizeof(hellos) / sizeof(hellos[0]))], in);
	doctor_is_engine_greeting(in);
	doctor_hello_of(in);
	path = cut_line(&in);
	query = cut_line(&in);
	doctor_wants_connect(path, query);
	return 0;
}
