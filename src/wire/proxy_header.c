/* SPDX-License-Identifier: MIT */
/*
 * The PROXY protocol (HAProxy's doc/proxy-protocol.txt, sections 2.1 to 2.3).
 * What is hard is the end: a byte too few or too many and the request behind
 * it is read wrongly, by a peer that is trusted. So whatever the document does
 * not allow is refused, with the exception of what it says to ignore: unknown
 * extensions, and all that stands in the block of LOCAL.
 */
#include "wire/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>

#include <sesame/error.h>

#define V1_MAX	   107 /* with its CR LF */
#define V2_FIXED   16
#define V2_MAX_LEN (SES_PROXY_HEADER_MAX - V2_FIXED)

#define TLV_SSL	       0x20
#define TLV_SSL_CLIENT 0x01 /* bit: the client connected over TLS */

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
				      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* What is read: the rest of the input, and the sentence if it is wrong. */
struct reading {
	struct bytes in;
	struct ses_proxy_header header;
	const char *why;
};

static int wrong(struct reading *r, const char *why)
{
	r->why = why;
	return SESAME_EPROTO;
}

/* ---- Version 1: a line of text ---- */

/* Cut the next word off; words stand one blank apart. */
static struct bytes next_word(struct bytes *line)
{
	ptrdiff_t blank = bytes_find_byte(*line, ' ');
	struct bytes word =
		bytes_first(*line, blank < 0 ? line->len : (size_t)blank);

	*line = bytes_from(*line, word.len + 1);
	return word;
}

static bool read_text_address(struct bytes word, int family, uint8_t ret[16])
{
	char text[INET6_ADDRSTRLEN];

	if (word.len == 0 || word.len >= sizeof(text) ||
	    memchr(word.data, 0, word.len))
		return false;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	if (family == 6)
		return inet_pton(AF_INET6, text, ret) == 1;
	memcpy(ret, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret + sizeof(mapped)) == 1;
}

static bool read_text_port(struct bytes word, uint16_t *ret)
{
	uint64_t port;

	if (!bytes_to_u64(word, 65535, &port) ||
	    (word.len > 1 && word.data[0] == '0'))
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* "192.0.2.1 198.51.100.1 56324 443" */
static int read_line(struct reading *r, struct bytes line)
{
	struct ses_proxy_header *h = &r->header;
	struct bytes source = next_word(&line), destination = next_word(&line);
	ptrdiff_t blank = bytes_find_byte(line, ' ');

	if (!read_text_address(source, h->family, h->source) ||
	    !read_text_address(destination, h->family, h->destination))
		return wrong(r, "the PROXY line has no two addresses of the "
				"family that it names");
	if (blank < 0 ||
	    !read_text_port(bytes_first(line, (size_t)blank), &h->source_port) ||
	    !read_text_port(bytes_from(line, (size_t)blank + 1),
			    &h->destination_port))
		return wrong(r, "the PROXY line has no two ports of 0 to 65535 "
				"at its end");
	return 0;
}

static int read_v1(struct reading *r)
{
	struct bytes line = bytes_first(r->in, V1_MAX), protocol;
	ptrdiff_t end = bytes_find_byte(line, '\n');
	int length = (int)end + 1;

	if (end < 0)
		return line.len < V1_MAX
			       ? 0
			       : wrong(r, "the PROXY line does not end within "
					  "107 bytes");
	if (line.data[end - 1] != '\r')
		return wrong(r, "the PROXY line does not end in CR LF");
	line = bytes_from(bytes_first(line, (size_t)end - 1), 6);
	r->header.version = 1;
	protocol = next_word(&line);
	if (bytes_equal(protocol, BYTES("UNKNOWN")))
		return length;
	if (bytes_equal(protocol, BYTES("TCP4")))
		r->header.family = 4;
	else if (bytes_equal(protocol, BYTES("TCP6")))
		r->header.family = 6;
	else
		return wrong(r, "the PROXY line names neither TCP4, TCP6 nor "
				"UNKNOWN");
	return read_line(r, line) < 0 ? SESAME_EPROTO : length;
}

/* ---- Version 2: a binary block ---- */

static uint16_t read_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The extensions: each a type, a length and that many bytes. */
static int read_extensions(struct reading *r, struct bytes rest)
{
	while (rest.len) {
		struct bytes value;

		if (rest.len < 3 || read_u16(rest.data + 1) > rest.len - 3)
			return wrong(r, "an extension of the PROXY header is "
					"longer than the header");
		value = bytes_of(rest.data + 3, read_u16(rest.data + 1));
		if (rest.data[0] == TLV_SSL && value.len > 0)
			r->header.tls = value.data[0] & TLV_SSL_CLIENT;
		rest = bytes_from(rest, 3 + value.len);
	}
	return 0;
}

static void read_four(struct ses_proxy_header *h, const uint8_t *p)
{
	h->family = 4;
	memcpy(h->source, mapped, sizeof(mapped));
	memcpy(h->source + 12, p, 4);
	memcpy(h->destination, mapped, sizeof(mapped));
	memcpy(h->destination + 12, p + 4, 4);
	h->source_port = read_u16(p + 8);
	h->destination_port = read_u16(p + 10);
}

static void read_six(struct ses_proxy_header *h, const uint8_t *p)
{
	h->family = 6;
	memcpy(h->source, p, 16);
	memcpy(h->destination, p + 16, 16);
	h->source_port = read_u16(p + 32);
	h->destination_port = read_u16(p + 34);
}

/* What a byte of family and transport stands for. */
static const struct family {
	uint8_t code;
	size_t bytes; /* of its addresses and ports */
	void (*read)(struct ses_proxy_header *h, const uint8_t *p);
} families[] = {
	{0x00, 0, NULL},       /* UNSPEC */
	{0x11, 12, read_four}, /* TCP over IPv4 */
	{0x21, 36, read_six},  /* TCP over IPv6 */
	{0x31, 216, NULL},     /* a Unix stream: two paths, no address */
};

static const struct family *find_family(uint8_t code)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].code == code)
			return &families[i];
	return NULL;
}

static int read_block(struct reading *r, uint8_t code, struct bytes block)
{
	const struct family *family = find_family(code);

	if (!family)
		return wrong(r, "the PROXY header names a family or transport "
				"that no TCP connection has");
	if (block.len < family->bytes)
		return wrong(r, "the PROXY header is shorter than the "
				"addresses of its family");
	if (family->read)
		family->read(&r->header, block.data);
	/* Of what UNSPEC carries nothing is said, so nothing is read. */
	return family->bytes
		       ? read_extensions(r, bytes_from(block, family->bytes))
		       : 0;
}

/* What the fixed part tells before the block is there. */
static int check_fixed(struct reading *r)
{
	struct bytes in = r->in;

	if (in.len > 12 && (in.data[12] & 0xf0) != 0x20)
		return wrong(r, "the PROXY header is of a version that is not "
				"known");
	if (in.len > 12 && (in.data[12] & 0x0f) > 1)
		return wrong(r, "the command of the PROXY header is neither "
				"LOCAL nor PROXY");
	if (in.len >= V2_FIXED && read_u16(in.data + 14) > V2_MAX_LEN)
		return wrong(r, "the PROXY header is longer than 536 bytes");
	return 0;
}

static int read_v2(struct reading *r)
{
	size_t length;

	if (check_fixed(r) < 0)
		return SESAME_EPROTO;
	if (r->in.len < V2_FIXED)
		return 0;
	length = V2_FIXED + (size_t)read_u16(r->in.data + 14);
	if (r->in.len < length)
		return 0;
	r->header.version = 2;
	r->header.local = (r->in.data[12] & 0x0f) == 0;
	/* LOCAL: the block is skipped unread, be there one or not. */
	if (!r->header.local &&
	    read_block(r, r->in.data[13],
		       bytes_of(r->in.data + V2_FIXED, length - V2_FIXED)) < 0)
		return SESAME_EPROTO;
	return (int)length;
}

/* ---- Either ---- */

/* Whether @in is @beginning as far as both go. */
static bool may_begin(struct bytes in, struct bytes beginning)
{
	return bytes_starts(beginning, bytes_first(in, beginning.len));
}

int ses_proxy_header_read(struct bytes in, struct ses_proxy_header *ret,
			  const char **ret_why)
{
	struct reading r = {.in = in};
	struct bytes line = BYTES("PROXY "),
		     block = bytes_of(signature, sizeof(signature));
	int n = 0;

	if (in.len == 0)
		return 0;
	if (!may_begin(in, line) && !may_begin(in, block))
		n = wrong(&r, "the connection does not begin with a PROXY "
			      "header");
	else if (in.len >= line.len && may_begin(in, line))
		n = read_v1(&r);
	else if (in.len >= block.len)
		n = read_v2(&r);
	if (n > 0)
		*ret = r.header;
	else if (n < 0)
		*ret_why = r.why;
	return n;
}

/* ---- Writing ---- */

static bool is_mapped(const uint8_t address[16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* IPv4 is written when both ends can be; a mix is written as IPv6. */
static bool is_four(const struct ses_proxy_header *h)
{
	return h->family == 4 && is_mapped(h->source) &&
	       is_mapped(h->destination);
}

static int write_v1(const struct ses_proxy_header *h, uint8_t *out)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	bool four = is_four(h);
	int family = four ? AF_INET : AF_INET6, skip = four ? 12 : 0;

	if (h->local || !h->family)
		return snprintf((char *)out, SES_PROXY_HEADER_WRITE,
				"PROXY UNKNOWN\r\n");
	inet_ntop(family, h->source + skip, source, sizeof(source));
	inet_ntop(family, h->destination + skip, destination,
		  sizeof(destination));
	return snprintf((char *)out, SES_PROXY_HEADER_WRITE,
			"PROXY %s %s %s %u %u\r\n", four ? "TCP4" : "TCP6",
			source, destination, h->source_port,
			h->destination_port);
}

static size_t put(uint8_t *out, size_t at, const void *data, size_t len)
{
	memcpy(out + at, data, len);
	return at + len;
}

static size_t put_u16(uint8_t *out, size_t at, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	return put(out, at, bytes, 2);
}

static size_t put_addresses(const struct ses_proxy_header *h, uint8_t *out,
			    size_t at)
{
	size_t skip = is_four(h) ? 12 : 0;

	at = put(out, at, h->source + skip, 16 - skip);
	at = put(out, at, h->destination + skip, 16 - skip);
	at = put_u16(out, at, h->source_port);
	return put_u16(out, at, h->destination_port);
}

static int write_v2(const struct ses_proxy_header *h, uint8_t *out)
{
	/* TLS, and (all ones) no certificate of the client's was verified */
	static const uint8_t ssl[] = {TLV_SSL, 0,    5,	   TLV_SSL_CLIENT,
				      0xff,    0xff, 0xff, 0xff};
	bool told = !h->local && h->family;
	size_t at = put(out, 0, signature, sizeof(signature));

	out[at++] = h->local ? 0x20 : 0x21;
	out[at++] = !told ? 0x00 : is_four(h) ? 0x11 : 0x21;
	at += 2;
	if (told)
		at = put_addresses(h, out, at);
	if (told && h->tls)
		at = put(out, at, ssl, sizeof(ssl));
	put_u16(out, 14, (uint16_t)(at - V2_FIXED));
	return (int)at;
}

int ses_proxy_header_write(const struct ses_proxy_header *h,
			   uint8_t out[SES_PROXY_HEADER_WRITE])
{
	if (h->family != 0 && h->family != 4 && h->family != 6)
		return SESAME_EINVAL;
	if (h->version != 1 && h->version != 2)
		return SESAME_EINVAL;
	return h->version == 1 ? write_v1(h, out) : write_v2(h, out);
}
