/* SPDX-License-Identifier: MIT */
/*
 * Requests that are made to cost time: what it takes to judge one grows with
 * its length and not with its square. Counted are steps, and not seconds: each
 * block of the parsers' code calls __sanitizer_cov_trace_pc() here
 * (CMakeLists.txt), which is a counter.
 */
#include "test.h"

#include <stdio.h>

#include "wire/extensions.h"
#include "wire/upgrade.h"

#define START                                                  \
	"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"  \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* All that a server makes of a request. */
static void judge(struct bytes in)
{
	static const struct ses_deflate_policy policy = {.enabled = true};
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_upgrade_offer offer;
	struct ses_head_parser parser;
	struct sesame_deflate chosen;
	struct ses_head head;

	ses_head_init(&parser, true, NULL);
	if (ses_head_parse(&parser, in, &head, &fault) <= 0)
		return;
	ses_upgrade_check_request(&head, &offer, &fault);
	ses_upgrade_offers(&head, BYTES("not among them"));
	ses_deflate_choose(&head, &policy, &chosen);
}

static long steps;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

static long count(struct bytes in)
{
	steps = 0;
	judge(in);
	return steps;
}

/* Requests that go on with the same piece. */
static const struct {
	const char *field, *piece, *end;
} forms[] = {
	{"Sec-WebSocket-Extensions: a", ", a", ""},
	{"Sec-WebSocket-Extensions: a", ",,,,", ""},
	{"Sec-WebSocket-Extensions: a", "; b; c=d", ""},
	{"Sec-WebSocket-Extensions: a; b=\"", "\\\\", "\""},
	{"Sec-WebSocket-Extensions: a; b=\"", "\\\"", ""},
	{"Sec-WebSocket-Extensions: a; b=", "c", ""},
	{"Sec-WebSocket-Extensions: a", "  \t", ", b"},
	{"Sec-WebSocket-Extensions: x",
	 ", permessage-deflate; server_max_window_bits=99", ""},
	{"Sec-WebSocket-Extensions: x", "\r\nSec-WebSocket-Extensions: a", ""},
	{"Sec-WebSocket-Protocol: a", ", a", ""},
	{"Sec-WebSocket-Protocol: a", "\r\nSec-WebSocket-Protocol: b", ""},
	{"Connection: a", ", a", ""},
	{"Upgrade: a", ", websocket", ""},
	{"Cookie: a", "; a=b", ""},
	{"A: b",
	 "\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
	 ""},
	{"A:", " ", ""},
};

/* A request with @form of about @len bytes; no line of it is too long. */
static struct bytes make(size_t form, size_t len, char *out)
{
	size_t n = (size_t)sprintf(out, START "%s", forms[form].field);

	while (n < len)
		n += (size_t)sprintf(out + n, "%s", forms[form].piece);
	n += (size_t)sprintf(out + n, "%s\r\n\r\n", forms[form].end);
	return bytes_of(out, n);
}

TEST("what it takes to judge a request grows with its length, not its square")
{
	static char text[16384];

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		long none = count(make(i, 0, text));
		long once = count(make(i, 4000, text)) - none;
		long twice = count(make(i, 8000, text)) - none;

		print_message("%-32s %7ld %7ld\n", forms[i].field, once, twice);
		assert_true(none > 100);
		assert_true(twice < once * 9 / 4 + 1000);
	}
}

/* The same in parts, as far as it is taken before it is whole. */
static long count_parts(struct bytes in, size_t part)
{
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head_parser parser;
	struct ses_head head;
	int r = 0;

	steps = 0;
	ses_head_init(&parser, true, NULL);
	for (size_t n = part; n < in.len && r == 0; n += part)
		r = ses_head_parse(&parser, bytes_first(in, n), &head, &fault);
	return steps;
}

TEST("byte by byte, the work grows with the bytes and not with their square")
{
	static char text[16384];

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct bytes in = make(i, 8000, text);
		long at_once = count_parts(in, in.len - 1);
		long in_bytes = count_parts(in, 1);

		print_message("%-32s %7ld %7ld\n", forms[i].field, at_once,
			      in_bytes);
		assert_true(at_once > 2000);
		/* a call costs something, and no more the more came before */
		assert_true(in_bytes < at_once + 20 * (long)in.len);
	}
}

/* Names that mean something where names are looked up among other things. */
static const char *const names[] = {
	"__proto__",
	"constructor",
	"toString",
	"hasOwnProperty",
	"valueOf",
	"length",
	"__class__",
	"prototype",
	"permessage-deflat",
	"permessage-deflate_",
	"PerMessage-Deflate2",
};

TEST("of extensions one name is known, and no other means anything")
{
	static const struct ses_deflate_policy policy = {.enabled = true};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (int as = 0; as < 3; as++) {
			struct ses_head head = {.n_fields = 1};
			struct sesame_deflate chosen;
			char value[256];

			snprintf(value, sizeof(value),
				 as == 0   ? "%s"
				 : as == 1 ? "permessage-deflate; %s"
					   : "permessage-deflate; %s=1",
				 names[i]);
			head.fields[0].name = BYTES("Sec-WebSocket-Extensions");
			head.fields[0].value = bytes_of_str(value);
			assert_int_equal(
				ses_deflate_choose(&head, &policy, &chosen), 0);
			assert_false(chosen.on);
		}
	}
}
