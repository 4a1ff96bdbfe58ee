/* SPDX-License-Identifier: MIT */
/* PROXY headers of both versions, whole and cut at every byte. */
#include "wire/proxy_header.h"

#include <arpa/inet.h>

#include <sesame/error.h>

#include "test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR	  "\300\0\2\1\306\63\144\2\333\374\1\273" /* as in the rows below */
#define SIX                                        \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" \
	"\xdb\xfc\x01\xbb"
#define SSL_TLV "\x20\0\5\1\0\0\0\0"

struct row {
	struct bytes in;
	int used; /* 0: more is needed; -1: wrong */
	int family;
	const char *source;
	uint16_t port;
	bool local, tls;
};

#define ROW(in, ...)                   \
	{                              \
		BYTES(in), __VA_ARGS__ \
	}

static const struct row good[] = {
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 56316 443\r\n", 45, 4,
	    "::ffff:192.0.2.1", 56316),
	ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", 56, 4,
	    "::ffff:255.255.255.255", 65535),
	ROW("PROXY TCP6 2001:db8::1 2001:db8::2 56316 443\r\n", 46, 6,
	    "2001:db8::1", 56316),
	ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	    104, 6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n", 39, 4,
	    "::ffff:192.0.2.1", 0),
	ROW("PROXY UNKNOWN\r\n", 15, 0, "::", 0),
	ROW("PROXY UNKNOWN ffff::1 what ever 65535\r\n", 39, 0, "::", 0),
	ROW(SIGNATURE "\x21\x11\0\x0c" FOUR, 28, 4, "::ffff:192.0.2.1", 56316),
	ROW(SIGNATURE "\x21\x21\0\x24" SIX, 52, 6, "2001:db8::1", 56316),
	ROW(SIGNATURE "\x21\x11\0\x14" FOUR SSL_TLV, 36, 4, "::ffff:192.0.2.1",
	    56316, false, true),
	ROW(SIGNATURE "\x21\x11\0\x14" FOUR "\x20\0\5\2\0\0\0\0", 36, 4,
	    "::ffff:192.0.2.1", 56316, false, false),
	ROW(SIGNATURE "\x21\x11\0\x17" FOUR SSL_TLV "\x04\0\0", 39, 4,
	    "::ffff:192.0.2.1", 56316, false, true),
	ROW(SIGNATURE "\x21\x11\0\x12" FOUR "\xee\0\3abc", 34, 4,
	    "::ffff:192.0.2.1", 56316),
	/* LOCAL: with and without a block, of any family, good or not */
	ROW(SIGNATURE "\x20\x00\0\0", 16, 0, "::", 0, true),
	ROW(SIGNATURE "\x20\x11\0\x0c" FOUR, 28, 0, "::", 0, true),
	ROW(SIGNATURE "\x20\x11\0\0", 16, 0, "::", 0, true),
	ROW(SIGNATURE "\x20\xff\0\3abc", 19, 0, "::", 0, true),
	/* PROXY for what is no IP connection */
	ROW(SIGNATURE "\x21\x00\0\0", 16, 0, "::", 0),
	ROW(SIGNATURE "\x21\x00\0\2zz", 18, 0, "::", 0),
};

static const struct row bad[] = {
	ROW("G", -1),
	ROW("P\r", -1),
	ROW("GET / HTTP/1.1\r\n", -1),
	ROW("PROXYTCP4 192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY \r\n", -1),
	ROW("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP4\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n", -1),
	ROW("PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1\t198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", -1),
	ROW("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n", -1),
	ROW("PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n", -1),
	ROW("PROXY UNKNOWN\n", -1),
	ROW("PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
	    -1),
	ROW("\r\n\r\n\0\r\nQUIt\n", -1),
	ROW("\r\n\r\nG", -1),
	ROW(SIGNATURE "\x11", -1),
	ROW(SIGNATURE "\x31", -1),
	ROW(SIGNATURE "\x22", -1),
	ROW(SIGNATURE "\x2f", -1),
	ROW(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc6\x33\x64\2\xdb\xfc\1", -1),
	ROW(SIGNATURE "\x21\x11\0\0", -1),
	ROW(SIGNATURE "\x21\x21\0\x0c" FOUR, -1),
	ROW(SIGNATURE "\x21\x31\0\x0c" FOUR, -1),
	ROW(SIGNATURE "\x21\x12\0\x0c" FOUR, -1), /* UDP */
	ROW(SIGNATURE "\x21\x22\0\x24" SIX, -1),
	ROW(SIGNATURE "\x21\x13\0\x0c" FOUR, -1),
	ROW(SIGNATURE "\x21\x41\0\x0c" FOUR, -1),
	ROW(SIGNATURE "\x21\x11\2\x09", -1), /* 537 bytes */
	ROW(SIGNATURE "\x20\x00\xff\xff", -1),
	ROW(SIGNATURE "\x21\x11\0\x0e" FOUR "\4\0", -1),
	ROW(SIGNATURE "\x21\x11\0\x10" FOUR "\4\0\2a", -1),
	ROW(SIGNATURE "\x21\x11\0\x10" FOUR "\4\xff\xff"
		      "a",
	    -1),
};

static int read_guarded(struct bytes in, struct ses_proxy_header *ret,
			const char **ret_why)
{
	uint8_t *copy = test_guarded(in.data, in.len);
	int n = ses_proxy_header_read(bytes_of(copy, in.len), ret, ret_why);

	test_guard_free(copy, in.len);
	return n;
}

static void check(const struct row *row, size_t i,
		  const struct ses_proxy_header *h)
{
	struct in6_addr source;

	assert_int_equal(inet_pton(AF_INET6, row->source, &source), 1);
	if (h->version != (row->in.data[0] == 'P' ? 1 : 2) ||
	    h->family != row->family || h->local != row->local ||
	    h->tls != row->tls || h->source_port != row->port ||
	    memcmp(h->source, &source, 16) != 0)
		fail_msg("row %zu was read otherwise", i);
}

TEST("a PROXY header is read, whatever stands behind it")
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct ses_proxy_header h = {0};
		uint8_t longer[600] = "";
		const char *why = NULL;

		assert_int_equal(read_guarded(good[i].in, &h, &why),
				 good[i].used);
		assert_int_equal(good[i].used, good[i].in.len);
		check(&good[i], i, &h);
		memcpy(longer, good[i].in.data, good[i].in.len);
		memset(longer + good[i].in.len, 0xff, 60);
		assert_int_equal(ses_proxy_header_read(
					 bytes_of(longer, good[i].in.len + 60),
					 &h, &why),
				 good[i].used);
		check(&good[i], i, &h);
	}
}

TEST("a PROXY header cut at any byte waits for more and touches nothing")
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		for (size_t cut = 0; cut < good[i].in.len; cut++) {
			struct ses_proxy_header h = {.version = 77};
			const char *why = NULL;
			int n = read_guarded(bytes_first(good[i].in, cut), &h,
					     &why);

			if (n != 0 || why || h.version != 77)
				fail_msg("row %zu cut at %zu: %d", i, cut, n);
		}
	}
}

TEST("what is no PROXY header is refused with a sentence")
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ses_proxy_header h = {.version = 77};
		const char *why = NULL;

		if (read_guarded(bad[i].in, &h, &why) != SESAME_EPROTO ||
		    !why || h.version != 77)
			fail_msg("row %zu was taken", i);
	}
}

TEST("a wrong header is never right before: a fault stays one")
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		bool refused = false;

		for (size_t cut = 0; cut <= bad[i].in.len; cut++) {
			struct ses_proxy_header h;
			const char *why;
			int n = read_guarded(bytes_first(bad[i].in, cut), &h,
					     &why);

			if (n > 0 || (refused && n == 0))
				fail_msg("row %zu cut at %zu: %d", i, cut, n);
			refused = n < 0;
		}
	}
}

/* How many bytes of addresses version 2 has for this family; -1: none such. */
static int block_of(unsigned family)
{
	switch (family) {
	case 0x00:
		return 0;
	case 0x11:
		return 12;
	case 0x21:
		return 36;
	case 0x31:
		return 216;
	default:
		return -1;
	}
}

static void try_header(unsigned command, unsigned family, unsigned len)
{
	uint8_t bytes[16 + 219] = SIGNATURE;
	struct ses_proxy_header h = {0};
	const char *why = NULL;
	int block = block_of(family), n;
	bool fits;

	bytes[12] = (uint8_t)command;
	bytes[13] = (uint8_t)family;
	bytes[15] = (uint8_t)len;
	fits = command == 0x20 ||
	       (command == 0x21 && block >= 0 && len >= (unsigned)block &&
		(block == 0 || (len - (unsigned)block) % 3 == 0));
	n = read_guarded(bytes_of(bytes, 16 + len), &h, &why);
	if (fits != (n == (int)(16 + len)) || (!fits && n != SESAME_EPROTO))
		fail_msg("command %x, family %x, length %u: %d", command,
			 family, len, n);
	if (fits && (h.local != (command == 0x20) ||
		     (h.family != 0) != (!h.local && (block == 12 || block == 36))))
		fail_msg("command %x, family %x: family %d", command, family,
			 h.family);
	if (len)
		n = read_guarded(bytes_of(bytes, 15 + len), &h, &why);
	if (len && n > 0)
		fail_msg("command %x, family %x, length %u: cut", command,
			 family, len);
}

TEST("every command with every family and any length is read or refused, LOCAL "
     "without addresses as well")
{
	static const unsigned commands[] = {0x00, 0x01, 0x10, 0x11, 0x1f, 0x20,
					    0x21, 0x22, 0x2f, 0x30, 0xff};
	static const unsigned lengths[] = {0,  1,  11,	12,  15,  35,
					   36, 39, 215, 216, 217, 219};

	for (size_t c = 0; c < ARRAY_LEN(commands); c++)
		for (unsigned family = 0; family < 256; family++)
			for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
				try_header(commands[c], family, lengths[l]);
}

TEST("the longest header of version 2 has 536 bytes")
{
	uint8_t block[SES_PROXY_HEADER_MAX] =
		SIGNATURE "\x21\x11\2\x08" FOUR "\xee\1\xf9";
	struct ses_proxy_header h;
	const char *why;

	assert_int_equal(read_guarded(bytes_of(block, sizeof(block)), &h, &why),
			 536);
	assert_int_equal(
		read_guarded(bytes_of(block, sizeof(block) - 1), &h, &why), 0);
}

TEST("the paths of a Unix socket are skipped")
{
	uint8_t block[16 + 216 + 8] = SIGNATURE "\x21\x31\0\xe0/run/a.sock";
	struct ses_proxy_header h;
	const char *why;

	memcpy(block + 232, SSL_TLV, 8);
	assert_int_equal(read_guarded(bytes_of(block, sizeof(block)), &h, &why),
			 240);
	assert_int_equal(h.family, 0);
	assert_true(h.tls);
	block[15] = 215; /* too short for two paths */
	assert_int_equal(read_guarded(bytes_of(block, sizeof(block)), &h, &why),
			 SESAME_EPROTO);
}

static void fill(uint8_t address[16], const char *text)
{
	assert_int_equal(inet_pton(AF_INET6, text, address), 1);
}

TEST("what is written is read as the same")
{
	static const struct {
		struct ses_proxy_header h;
		const char *source, *destination;
		int family; /* as it is read */
	} rows[] = {
		{{1, false, 4, {0}, {0}, 1, 65535},
		 "::ffff:192.0.2.1",
		 "::ffff:198.51.100.2",
		 4},
		{{2, false, 4, {0}, {0}, 1, 65535},
		 "::ffff:192.0.2.1",
		 "::ffff:198.51.100.2",
		 4},
		{{1, false, 6, {0}, {0}, 1, 2}, "2001:db8::1", "::", 6},
		{{2, false, 6, {0}, {0}, 1, 2}, "2001:db8::1", "::", 6},
		{{2, false, 6, {0}, {0}, 1, 2, true}, "2001:db8::1", "::", 6},
		{{2, false, 4, {0}, {0}, 1, 2, true},
		 "::ffff:192.0.2.1",
		 "::ffff:198.51.100.2",
		 4},
		/* one end of each family */
		{{1, false, 4, {0}, {0}, 1, 2},
		 "::ffff:192.0.2.1",
		 "2001:db8::1",
		 6},
		{{2, false, 4, {0}, {0}, 1, 2},
		 "2001:db8::1",
		 "::ffff:192.0.2.1",
		 6},
		{{1, false, 0}, "::", "::", 0},
		{{2, false, 0}, "::", "::", 0},
		{{2, true, 0}, "::", "::", 0},
		{{1, false, 6, {0}, {0}, 65535, 65535},
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_proxy_header h = rows[i].h, back;
		uint8_t out[SES_PROXY_HEADER_WRITE];
		const char *why;
		int n;

		fill(h.source, rows[i].source);
		fill(h.destination, rows[i].destination);
		n = ses_proxy_header_write(&h, out);
		assert_true(n > 0 && n <= SES_PROXY_HEADER_WRITE);
		assert_int_equal(
			read_guarded(bytes_of(out, (size_t)n), &back, &why), n);
		assert_int_equal(back.version, h.version);
		assert_int_equal(back.family, rows[i].family);
		assert_int_equal(back.local, h.local);
		assert_int_equal(back.tls, h.tls);
		assert_memory_equal(back.source, h.source, 16);
		assert_memory_equal(back.destination, h.destination, 16);
		assert_int_equal(back.source_port, h.source_port);
		assert_int_equal(back.destination_port, h.destination_port);
	}
}

TEST("version 1 is written letter for letter as its document shows")
{
	struct ses_proxy_header h = {1, false, 4, {0}, {0}, 56324, 443};
	uint8_t out[SES_PROXY_HEADER_WRITE];
	int n;

	fill(h.source, "::ffff:192.168.0.1");
	fill(h.destination, "::ffff:192.168.0.11");
	n = ses_proxy_header_write(&h, out);
	assert_true(bytes_equal(bytes_of(out, (size_t)n),
				BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 "
				      "56324 443\r\n")));
	h.local = true; /* which this version cannot say */
	n = ses_proxy_header_write(&h, out);
	assert_true(bytes_equal(bytes_of(out, (size_t)n),
				BYTES("PROXY UNKNOWN\r\n")));
	h.version = 3;
	assert_int_equal(ses_proxy_header_write(&h, out), SESAME_EINVAL);
	h.version = 1;
	h.family = 5;
	assert_int_equal(ses_proxy_header_write(&h, out), SESAME_EINVAL);
}
