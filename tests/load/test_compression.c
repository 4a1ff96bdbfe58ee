/* SPDX-License-Identifier: MIT */
#include "load/compression.h"
#include "test.h"

#include <stdio.h>

#define HEAD(fields)                                          \
	BYTES("HTTP/1.1 101 Switching Protocols\r\nUpgrade: " \
	      "websocket\r\n" fields "Sec-WebSocket-Accept: x\r\n\r\n")

static const struct bytes plain = HEAD("");
static const struct bytes empty = HEAD("Sec-WebSocket-Extensions:\r\n");
static const struct bytes takeover =
	HEAD("sec-websocket-extensions:permessage-deflate\r\n");
static const struct bytes alone =
	HEAD("Sec-WebSocket-Extensions:\t permessage-deflate; "
	     "server_no_context_takeover \r\n");

TEST("an answer agrees when it names the extension, in any case and with "
     "blanks")
{
	struct load_compression c = {0};

	load_compression_note(&c, alone);
	assert_int_equal(c.agreed, 1);
	assert_string_equal(c.terms,
			    "permessage-deflate; server_no_context_takeover");
	load_compression_note(&c, takeover);
	assert_int_equal(c.agreed, 2);
	assert_int_equal(c.otherwise, 1);
	assert_int_equal(c.declined, 0);
}

TEST("an answer without the extension, or with an empty one, declines")
{
	struct load_compression c = {0};

	load_compression_note(&c, plain);
	load_compression_note(&c, empty);
	assert_int_equal(c.declined, 2);
	assert_int_equal(c.agreed, 0);
	assert_string_equal(c.terms, "");
}

TEST("terms that are longer than what is kept are cut and stay the same")
{
	struct load_compression c = {0};
	char head[600];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: "
			 "permessage-deflate%400s\r\n\r\n",
			 "; client_no_context_takeover");

	for (int i = 0; i < 2; i++)
		load_compression_note(&c, bytes_of(head, (size_t)n));
	assert_int_equal(strlen(c.terms), LOAD_TERMS - 1);
	assert_int_equal(c.otherwise, 0);
}

TEST("what several threads noted is counted together")
{
	struct load_compression all = {0}, one = {0}, other = {0}, none = {0};

	load_compression_note(&none, plain);
	load_compression_note(&one, alone);
	load_compression_note(&other, takeover);
	load_compression_note(&other, takeover);
	load_compression_add(&all, &none);
	load_compression_add(&all, &one);
	load_compression_add(&all, &other);
	assert_int_equal(all.agreed, 3);
	assert_int_equal(all.declined, 1);
	assert_int_equal(all.otherwise, 2);
	assert_string_equal(all.terms, one.terms);
}
