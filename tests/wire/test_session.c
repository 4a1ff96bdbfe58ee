/* SPDX-License-Identifier: MIT */
/*
 * The session: what is told and what is sent, for lawful streams cut anywhere
 * and for every way to break a rule. Both roles, with and without compression.
 */
#include "test.h"

#include "peer.h"
#include "wire/deflate.h"

#include <stdio.h>

#define FIN  0x80u
#define RSV1 0x40u
#define TEXT (FIN | SES_OP_TEXT)
#define PING (FIN | SES_OP_PING)

static const struct sesame_deflate deflate_on = {
	.on = true, .server_max_window_bits = 15, .client_max_window_bits = 15};

static struct sesame_session_settings settings_for(enum sesame_role role,
						   bool deflate)
{
	struct sesame_session_settings settings = {.role = role};

	if (deflate)
		settings.deflate = deflate_on;
	return settings;
}

/* The bit that frames to this role carry in their second byte. */
static unsigned masked_for(enum sesame_role role)
{
	return role == SESAME_SERVER ? FRAME_MASKED : 0;
}

/*
 * The close frame that @p sent last: its code, or 0 when the last frame is
 * none or an empty one. Sent frames are short here: one byte of length.
 */
static unsigned close_sent(const struct peer *p, enum sesame_role role)
{
	struct bytes sent = ses_buf_bytes(&p->sent);
	struct ses_frame frame;
	enum ses_fault fault;
	unsigned code = 0;

	while (sent.len) {
		int n = ses_frame_decode(sent, &frame, &fault);
		uint8_t body[2] = {0};

		assert_true(n > 0);
		assert_int_equal(frame.masked, role == SESAME_CLIENT);
		sent = bytes_from(sent, (size_t)n);
		for (size_t i = 0; i < 2 && i < frame.payload_len; i++)
			body[i] = sent.data[i] ^
				  (frame.masked ? frame.mask[i] : 0);
		code = frame.opcode == SES_OP_CLOSE ? body[0] * 256u + body[1]
						    : 0;
		sent = bytes_from(sent, (size_t)frame.payload_len);
	}
	return code;
}

static void assert_told(struct peer *p, const char *expected)
{
	assert_string_equal(peer_told(p), expected);
}

/* Feed, and expect it to end in @fault, told once and answered by its code. */
static void assert_fails(struct peer *p, enum sesame_role role, struct bytes in,
			 enum ses_fault fault)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	char line[200];
	int error = peer_feed(p, in);

	snprintf(line, sizeof(line), "close %d cut %s\n", row->close_code,
		 row->sentence);
	assert_non_null(strstr(peer_told(p), line));
	assert_int_equal(error, SESAME_EPROTO);
	assert_int_equal(close_sent(p, role), row->close_code);
	assert_true(sesame_session_is_over(p->session));
	assert_int_equal(peer_feed(p, in), SESAME_ECLOSED);
}

/* ---- headers ---- */

/* What RFC 6455 section 5 and RFC 7692 say of a header with no payload. */
static enum ses_fault expected_fault(unsigned first, bool masked,
				     enum sesame_role role, bool deflate,
				     bool inside)
{
	unsigned opcode = first & 15;
	bool fin = first & FIN;

	if ((opcode > 2 && opcode < 8) || opcode > 10)
		return SES_FAULT_OPCODE;
	if (opcode >= 8 && !fin)
		return SES_FAULT_CONTROL_FRAGMENTED;
	if (first & 0x30)
		return SES_FAULT_RSV;
	if ((first & RSV1) && (!deflate || (opcode != 1 && opcode != 2)))
		return SES_FAULT_RSV;
	if (masked != (role == SESAME_SERVER))
		return masked ? SES_FAULT_MASKED : SES_FAULT_UNMASKED;
	if (opcode == 0 && !inside)
		return SES_FAULT_CONTINUATION_ALONE;
	if ((opcode == 1 || opcode == 2) && inside)
		return SES_FAULT_MESSAGE_INSIDE_MESSAGE;
	return SES_FAULT_NONE;
}

/* One first byte, by every role, mask, extension and place. */
static void try_first_byte(unsigned first, unsigned bits)
{
	enum sesame_role role = bits & 1 ? SESAME_SERVER : SESAME_CLIENT;
	bool deflate = bits & 2, inside = bits & 4, masked = bits & 8;
	struct sesame_session_settings settings = settings_for(role, deflate);
	enum ses_fault fault =
		expected_fault(first, masked, role, deflate, inside);
	struct ses_buf in;
	struct peer p;

	ses_buf_init(&in, 100);
	peer_open(&p, &settings);
	if (inside)
		frame_append(&in, SES_OP_TEXT | masked_for(role), BYTES("a"));
	frame_append(&in, first | (masked ? FRAME_MASKED : 0), BYTES(""));
	if (fault) {
		assert_fails(&p, role, ses_buf_bytes(&in), fault);
	} else {
		assert_int_equal(peer_feed(&p, ses_buf_bytes(&in)), 0);
		assert_int_equal(sesame_session_is_over(p.session),
				 (first & 15) == SES_OP_CLOSE);
	}
	ses_buf_fini(&in);
	peer_shut(&p);
}

TEST("of all RSV, opcodes, FIN, masks, roles and places only the lawful pass")
{
	for (unsigned first = 0; first < 256; first++)
		for (unsigned bits = 0; bits < 16; bits++)
			try_first_byte(first, bits);
}

#define LIMIT 1000
/* Announced lengths and what they get, with LIMIT set. */
static const struct {
	uint64_t len;
	enum ses_fault fault;
} announced[] = {
	{0, SES_FAULT_NONE},
	{LIMIT - 1, SES_FAULT_NONE},
	{LIMIT, SES_FAULT_NONE},
	{LIMIT + 1, SES_FAULT_MESSAGE_TOO_BIG},
	{65536, SES_FAULT_MESSAGE_TOO_BIG},
	{(uint64_t)UINT32_MAX - 3, SES_FAULT_MESSAGE_TOO_BIG},
	{(uint64_t)UINT32_MAX, SES_FAULT_MESSAGE_TOO_BIG},
	{(uint64_t)UINT32_MAX + 1, SES_FAULT_MESSAGE_TOO_BIG},
	{INT64_MAX - 13, SES_FAULT_MESSAGE_TOO_BIG},
	{INT64_MAX, SES_FAULT_MESSAGE_TOO_BIG},
	{(uint64_t)INT64_MAX + 1, SES_FAULT_LENGTH_TOP_BIT},
	{UINT64_MAX - 3, SES_FAULT_LENGTH_TOP_BIT},
	{UINT64_MAX, SES_FAULT_LENGTH_TOP_BIT},
};

/* A header that announces @len, alone. */
static struct bytes head_of(unsigned first, uint64_t len, uint8_t out[14])
{
	struct ses_frame frame = {.fin = first & FIN,
				  .rsv1 = first & RSV1,
				  .opcode = first & 15,
				  .masked = first & FRAME_MASKED,
				  .payload_len = len};

	return bytes_of(out, ses_frame_encode(&frame, out));
}

TEST("an announced length over the limit, or with its top bit, ends it at once")
{
	for (size_t i = 0; i < ARRAY_LEN(announced); i++)
		for (int k = 0; k < 2; k++) {
			enum sesame_role role =
				k ? SESAME_SERVER : SESAME_CLIENT;
			struct sesame_session_settings settings =
				settings_for(role, false);
			uint8_t head[14];
			struct bytes in = head_of(TEXT | masked_for(role),
						  announced[i].len, head);
			struct peer p;

			settings.max_message = LIMIT;
			peer_open(&p, &settings);
			if (announced[i].fault)
				assert_fails(&p, role, in, announced[i].fault);
			else
				assert_int_equal(peer_feed(&p, in), 0);
			assert_int_equal(peer_holds(&p), 0);
			peer_shut(&p);
		}
}

TEST("a short message, whole in the input, has the same limit")
{
	for (int over = 0; over < 2; over++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, false);
		struct bytes payload =
			over ? BYTES("12345678901") : BYTES("1234567890");
		struct ses_buf in;
		struct peer p;

		settings.max_message = 10;
		peer_open(&p, &settings);
		ses_buf_init(&in, 100);
		frame_append(&in, FIN | SES_OP_TEXT | FRAME_MASKED, payload);
		if (over)
			assert_fails(&p, SESAME_SERVER, ses_buf_bytes(&in),
				     SES_FAULT_MESSAGE_TOO_BIG);
		else
			assert_int_equal(peer_feed(&p, ses_buf_bytes(&in)), 0);
		ses_buf_fini(&in);
		peer_shut(&p);
	}
}

TEST("a fragment that makes the sum pass the limit, or wrap, ends it at once")
{
	for (size_t had = 1; had < 6; had++)
		for (size_t i = 0; i < ARRAY_LEN(announced); i++) {
			struct sesame_session_settings settings =
				settings_for(SESAME_SERVER, false);
			uint64_t len = announced[i].len;
			enum ses_fault fault = announced[i].fault;
			struct ses_buf first;
			uint8_t head[14];
			struct peer p;

			if (len <= LIMIT && len > LIMIT - had)
				fault = SES_FAULT_MESSAGE_TOO_BIG;
			settings.max_message = LIMIT;
			peer_open(&p, &settings);
			ses_buf_init(&first, 100);
			frame_append(&first, SES_OP_TEXT | FRAME_MASKED,
				     bytes_of("abcde", had));
			assert_int_equal(peer_feed(&p, ses_buf_bytes(&first)),
					 0);
			if (fault)
				assert_fails(
					&p, SESAME_SERVER,
					head_of(FIN | FRAME_MASKED, len, head),
					fault);
			else
				assert_int_equal(
					peer_feed(&p, head_of(FIN | FRAME_MASKED,
							      len, head)),
					0);
			ses_buf_fini(&first);
			peer_shut(&p);
		}
}

TEST("without a limit of its own a session takes 16 MiB and no byte more")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	size_t longest = (size_t)16 << 20;
	uint8_t *most = calloc(1, longest - 1), head[14];
	struct peer p;

	peer_open(&p, &settings);
	assert_fails(&p, SESAME_CLIENT, head_of(TEXT, longest + 1, head),
		     SES_FAULT_MESSAGE_TOO_BIG);
	peer_shut(&p);
	for (int over = 0; over < 2; over++) {
		peer_open(&p, &settings);
		peer_feed(&p, head_of(SES_OP_BINARY, longest - 1, head));
		peer_feed(&p, bytes_of(most, longest - 1));
		if (over)
			assert_fails(&p, SESAME_CLIENT, BYTES("\x80\x02"),
				     SES_FAULT_MESSAGE_TOO_BIG);
		else
			assert_int_equal(peer_feed(&p, BYTES("\x80\x01.")), 0);
		assert_int_equal(
			strncmp(peer_told(&p), "binary 16777216 ", 16) != 0,
			over);
		peer_shut(&p);
	}
	free(most);
}

TEST("with no limit that matters lengths near 2^63 wait and take no memory")
{
	for (int deflate = 0; deflate < 2; deflate++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, deflate);
		struct bytes in;
		uint8_t head[14];
		struct peer p;

		settings.max_message = SIZE_MAX;
		peer_open(&p, &settings);
		in = head_of(SES_OP_BINARY | FRAME_MASKED, INT64_MAX, head);
		assert_int_equal(peer_feed(&p, in), 0);
		for (int i = 0; i < 100; i++)
			assert_int_equal(peer_feed(&p, BYTES("0123456789")), 0);
		assert_false(p.over);
		assert_true(peer_holds(&p) <= 2048);
		peer_shut(&p);
	}
}

TEST("with no limit that matters a control frame in parts is gathered behind a "
     "message")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	char text[201];
	struct ses_buf in;
	struct peer p;

	memset(text, 'x', sizeof(text));
	text[200] = '\0';
	settings.max_message = SIZE_MAX;
	ses_buf_init(&in, 1000);
	frame_append(&in, SES_OP_TEXT, bytes_of_str(text));
	frame_append(&in, PING, BYTES("here?"));
	frame_append(&in, FIN, BYTES("!"));
	peer_open(&p, &settings);
	assert_int_equal(peer_feed_parts(&p, ses_buf_bytes(&in), 1), 0);
	assert_memory_equal(peer_told(&p), "ping 5 here?\ntext 201 ", 22);
	ses_buf_fini(&in);
	peer_shut(&p);
}

TEST("the top bit is refused on the tenth byte at the latest, fed one by one")
{
	static const uint8_t head[] = {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0};
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(peer_feed_parts(&p, bytes_of(head, sizeof(head)), 1),
			 SESAME_EPROTO);
	assert_int_equal(peer_holds(&p), 0);
	peer_shut(&p);
}

TEST("a compressed frame that no compressor could make within the limit ends "
     "it")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	uint8_t head[14];
	struct peer p;

	settings.max_message = LIMIT;
	peer_open(&p, &settings);
	assert_fails(&p, SESAME_SERVER,
		     head_of(TEXT | RSV1 | FRAME_MASKED, INT64_MAX, head),
		     SES_FAULT_MESSAGE_TOO_BIG);
	peer_shut(&p);
}

/* ---- streams cut anywhere ---- */

/* A stream with every kind of lawful frame; ends in a close frame. */
static void make_stream(struct ses_buf *out, enum sesame_role role, bool deflate)
{
	unsigned m = masked_for(role);
	uint8_t long_text[300];

	memset(long_text, 'x', sizeof(long_text));
	frame_append(out, TEXT | m, BYTES("Hello"));
	frame_append(out, FIN | SES_OP_BINARY | m, BYTES("\0\xff\1"));
	frame_append(out, TEXT | m, BYTES(""));
	frame_append(out, FIN | SES_OP_BINARY | m, BYTES(""));
	frame_append(out, PING | m, BYTES("p"));
	frame_append(out, PING | m, BYTES(""));
	frame_append(out, FIN | SES_OP_PONG | m, BYTES("unasked"));
	/* characters cut by fragments, a ping between them, empty fragments */
	frame_append(out, SES_OP_TEXT | m, BYTES("k\xc3"));
	frame_append(out, PING | m, BYTES("inside"));
	frame_append(out, m, BYTES("\xa9\xf0\x9f"));
	frame_append(out, m, BYTES(""));
	frame_append(out, FIN | SES_OP_PONG | m, BYTES(""));
	frame_append(out, FIN | m, BYTES("\x98\x80."));
	frame_append(out, SES_OP_BINARY | m, BYTES(""));
	frame_append(out, FIN | m, BYTES(""));
	frame_append(out, TEXT | m, bytes_of(long_text, 300));
	frame_append(out, PING | m, bytes_of(long_text, 125));
	if (deflate) {
		frame_append(out, TEXT | RSV1 | m,
			     BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"));
		frame_append(out, SES_OP_TEXT | RSV1 | m, BYTES("\xf2\x00\x11"));
		frame_append(out, PING | m, BYTES("in deflate"));
		frame_append(out, FIN | m, BYTES("\x00\x00"));
		frame_append(out, TEXT | RSV1 | m, BYTES("\0"));
		frame_append(out, TEXT | RSV1 | m, BYTES(""));
		frame_append(out, TEXT | m, BYTES("plain"));
	}
	frame_append(out, FIN | SES_OP_CLOSE | m,
		     BYTES("\x03\xe8"
			   "bye"));
}

#define STREAM_TOLD                           \
	"text 5 Hello\n"                      \
	"binary 3 \0\xff\1\n"                 \
	"text 0 \n"                           \
	"binary 0 \n"                         \
	"ping 1 p\n"                          \
	"ping 0 \n"                           \
	"pong 7 unasked\n"                    \
	"ping 6 inside\n"                     \
	"pong 0 \n"                           \
	"text 8 k\xc3\xa9\xf0\x9f\x98\x80.\n" \
	"binary 0 \n"                         \
	"text 300 #970138f5\n"                \
	"ping 125 #b5ab3a37\n"
#define STREAM_TOLD_DEFLATE    \
	"text 5 Hello\n"       \
	"ping 10 in deflate\n" \
	"text 5 Hello\n"       \
	"text 0 \n"            \
	"text 0 \n"            \
	"text 5 plain\n"
#define STREAM_TOLD_END "close 1000 clean - bye\n"

static struct bytes expected_stream(bool deflate)
{
	return deflate ? BYTES(STREAM_TOLD STREAM_TOLD_DEFLATE STREAM_TOLD_END)
		       : BYTES(STREAM_TOLD STREAM_TOLD_END);
}

static void assert_stream(struct peer *p, bool deflate, struct bytes sent)
{
	struct bytes told = ses_buf_bytes(&p->told);
	struct bytes expected = expected_stream(deflate);

	assert_int_equal(told.len, expected.len);
	assert_memory_equal(told.data, expected.data, told.len);
	assert_true(bytes_equal(ses_buf_bytes(&p->sent), sent));
	assert_int_equal(peer_holds(p), 0);
}

/* Feed the stream whole, in equal parts, and in any two parts. */
static void cut_stream(enum sesame_role role, bool deflate)
{
	struct sesame_session_settings settings = settings_for(role, deflate);
	struct ses_buf stream;
	struct peer whole;
	size_t len;

	ses_buf_init(&stream, 10000);
	make_stream(&stream, role, deflate);
	len = ses_buf_len(&stream);
	peer_open(&whole, &settings);
	assert_int_equal(peer_feed(&whole, ses_buf_bytes(&stream)), 0);
	assert_stream(&whole, deflate, ses_buf_bytes(&whole.sent));
	for (size_t cut = 0; cut <= len; cut++) {
		struct peer p;

		peer_open(&p, &settings);
		peer_feed(&p, bytes_first(ses_buf_bytes(&stream), cut));
		peer_feed(&p, bytes_from(ses_buf_bytes(&stream), cut));
		assert_stream(&p, deflate, ses_buf_bytes(&whole.sent));
		peer_shut(&p);
	}
	for (size_t part = 1; part < 40; part++) {
		struct peer p;

		peer_open(&p, &settings);
		peer_feed_parts(&p, ses_buf_bytes(&stream), part);
		assert_stream(&p, deflate, ses_buf_bytes(&whole.sent));
		peer_shut(&p);
	}
	peer_shut(&whole);
	ses_buf_fini(&stream);
}

TEST("a stream of every kind of frame, cut at every byte, tells the same")
{
	for (int i = 0; i < 4; i++)
		cut_stream(i & 1 ? SESAME_SERVER : SESAME_CLIENT, i & 2);
}

TEST("a stream cut off at any byte tells a prefix and waits")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	struct bytes expected = expected_stream(true);
	struct ses_buf stream;

	ses_buf_init(&stream, 10000);
	make_stream(&stream, SESAME_SERVER, true);
	for (size_t cut = 0; cut < ses_buf_len(&stream); cut++) {
		struct peer p;

		peer_open(&p, &settings);
		assert_int_equal(
			peer_feed(&p, bytes_first(ses_buf_bytes(&stream), cut)),
			0);
		assert_true(bytes_starts(expected, ses_buf_bytes(&p.told)));
		assert_false(p.over);
		peer_shut(&p);
	}
	ses_buf_fini(&stream);
}

TEST("every ping is answered by a pong with its payload, masked by a client")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(peer_feed(&p, BYTES("\x89\x03"
					     "abc")),
			 0);
	assert_int_equal(ses_buf_len(&p.sent), 2 + 4 + 3);
	assert_int_equal(p.sent.data[0], 0x8a);
	assert_int_equal(p.sent.data[1], 0x83);
	assert_int_equal(p.sent.data[6] ^ p.sent.data[2], 'a');
	peer_shut(&p);
	settings.role = SESAME_SERVER;
	peer_open(&p, &settings);
	assert_int_equal(peer_feed(&p, BYTES("\x89\x80\1\2\3\4")), 0);
	assert_true(bytes_equal(ses_buf_bytes(&p.sent), BYTES("\x8a\0")));
	peer_shut(&p);
}

TEST("a flood of pings with no room for pongs neither ends it nor grows it")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	struct peer p;

	peer_open(&p, &settings);
	p.refuse = true;
	for (int i = 0; i < 100000; i++) {
		ses_buf_consume(&p.told, ses_buf_len(&p.told));
		assert_int_equal(peer_feed(&p, BYTES("\x89\x83\0\0\0\0"
						     "abc")),
				 0);
	}
	assert_told(&p, "ping 3 abc\n");
	assert_int_equal(ses_buf_len(&p.sent), 0);
	assert_int_equal(peer_holds(&p), 0);
	peer_shut(&p);
}

/* ---- text ---- */

/* Bad text, and how much of it can be fed before its first bad byte. */
static const struct {
	struct bytes text;
	size_t good;
} bad_texts[] = {
	{BYTES("\xff"), 0},
	{BYTES("good so far \xc0\xaf and on"), 12},
	{BYTES("\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80 edited"), 6},
	{BYTES("\xed\xa0\x80"), 1},
	{BYTES("0123456789012345678901234567890123456789\x80"), 40},
};

/* Feed a frame one byte at a time; it ends at the bad byte, not after. */
static void assert_fails_at(struct peer *p, struct bytes in, size_t at)
{
	for (size_t i = 0; i < at; i++)
		assert_int_equal(peer_feed(p, bytes_of(in.data + i, 1)), 0);
	assert_fails(p, SESAME_SERVER, bytes_of(in.data + at, 1),
		     SES_FAULT_UTF8);
}

TEST("bad text fails at its first bad byte, inside an unfinished frame")
{
	for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++)
		for (unsigned fin = 0; fin <= FIN; fin += FIN) {
			struct sesame_session_settings settings =
				settings_for(SESAME_SERVER, false);
			struct ses_buf in;
			struct peer p;

			ses_buf_init(&in, 1000);
			frame_append(&in, fin | SES_OP_TEXT | FRAME_MASKED,
				     bad_texts[i].text);
			peer_open(&p, &settings);
			assert_fails_at(&p, ses_buf_bytes(&in),
					6 + bad_texts[i].good);
			peer_shut(&p);
			ses_buf_fini(&in);
		}
}

TEST("bad text fails in the fragment that has it, and whole in one frame")
{
	for (size_t i = 0; i < ARRAY_LEN(bad_texts); i++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, false);
		struct ses_buf in;
		struct peer p;

		ses_buf_init(&in, 1000);
		frame_append(&in, TEXT | FRAME_MASKED, bad_texts[i].text);
		peer_open(&p, &settings);
		assert_fails(&p, SESAME_SERVER, ses_buf_bytes(&in),
			     SES_FAULT_UTF8);
		assert_memory_equal(peer_told(&p), "close", 5);
		peer_shut(&p);
		ses_buf_consume(&in, ses_buf_len(&in));
		frame_append(&in, SES_OP_TEXT | FRAME_MASKED, BYTES("ok"));
		frame_append(&in, FRAME_MASKED, bad_texts[i].text);
		peer_open(&p, &settings);
		assert_fails(&p, SESAME_SERVER, ses_buf_bytes(&in),
			     SES_FAULT_UTF8);
		peer_shut(&p);
		ses_buf_fini(&in);
	}
}

TEST("text that ends inside a character is refused, binary is not looked at")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(peer_feed(&p, BYTES("\x82\x02\xc3\xff")), 0);
	assert_int_equal(peer_feed(&p, BYTES("\x02\x01\xc3\x80\x01\xff")), 0);
	assert_fails(&p, SESAME_CLIENT,
		     BYTES("\x81\x02"
			   "a\xc3"),
		     SES_FAULT_UTF8);
	peer_shut(&p);
	peer_open(&p, &settings);
	assert_fails(&p, SESAME_CLIENT, BYTES("\x01\x01\xc3\x80\x00"),
		     SES_FAULT_UTF8);
	peer_shut(&p);
}

TEST("bad text inside a compressed message fails where it inflates")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, true);
	/* a stored block: an "a", then 0xff, of 5 announced */
	struct bytes in = BYTES("\x41\x0a\x00\x05\x00\xfa\xff"
				"a\xff");
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(peer_feed_parts(&p, bytes_first(in, in.len - 1), 1), 0);
	assert_fails(&p, SESAME_CLIENT, bytes_from(in, in.len - 1),
		     SES_FAULT_UTF8);
	peer_shut(&p);
}

/* The compressed form of @plain, appended to @wire. */
static void deflate_to(struct ses_buf *wire, struct bytes plain)
{
	struct ses_deflate *d = ses_deflate_new(15, false);

	assert_int_equal(ses_deflate_message(d, plain, wire), 0);
	ses_deflate_free(d);
}

TEST("bad text far inside a compressed fragment fails with that fragment")
{
	for (size_t before = 1; before < 1100; before += 3) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, true);
		uint8_t text[1200];
		struct ses_buf wire, in;
		struct peer p;

		memset(text, 'a', sizeof(text));
		text[before] = 0xff;
		ses_buf_init(&wire, 10000);
		ses_buf_init(&in, 10000);
		deflate_to(&wire, bytes_of(text, before + 1));
		frame_append(&in, RSV1 | SES_OP_TEXT | FRAME_MASKED,
			     ses_buf_bytes(&wire));
		peer_open(&p, &settings);
		assert_fails(&p, SESAME_SERVER, ses_buf_bytes(&in),
			     SES_FAULT_UTF8);
		ses_buf_fini(&wire);
		ses_buf_fini(&in);
		peer_shut(&p);
	}
}

TEST("a ping in parts inside a message does not move the message's limit")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	uint8_t text[LIMIT + 1] = {0};
	struct ses_buf wire, in;
	struct peer p;

	ses_buf_init(&wire, 10000);
	ses_buf_init(&in, 10000);
	deflate_to(&wire, bytes_of(text, LIMIT + 1));
	frame_append(&in, RSV1 | SES_OP_BINARY | FRAME_MASKED, BYTES(""));
	frame_append(&in, PING | FRAME_MASKED, bytes_of(text, 100));
	settings.max_message = LIMIT;
	peer_open(&p, &settings);
	assert_int_equal(peer_feed_parts(&p, ses_buf_bytes(&in), 5), 0);
	ses_buf_consume(&in, ses_buf_len(&in));
	frame_append(&in, FIN | FRAME_MASKED, ses_buf_bytes(&wire));
	assert_fails(&p, SESAME_SERVER, ses_buf_bytes(&in),
		     SES_FAULT_MESSAGE_TOO_BIG);
	ses_buf_fini(&wire);
	ses_buf_fini(&in);
	peer_shut(&p);
}

/* ---- closing ---- */

TEST("of all close codes only those that may be sent are echoed")
{
	static const unsigned codes[] = {
		0,    999,  1000, 1001, 1002, 1003, 1004, 1005,	 1006, 1007,
		1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015,	 1016, 1100,
		2000, 2999, 3000, 3999, 4000, 4999, 5000, 65535,
	};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_CLIENT, false);
		unsigned c = codes[i];
		uint8_t in[] = {0x88, 2, (uint8_t)(c >> 8), (uint8_t)c};
		bool valid = (c >= 1000 && c < 1015 && (c < 1004 || c > 1006)) ||
			     (c >= 3000 && c < 5000);
		struct peer p;
		char line[40];

		peer_open(&p, &settings);
		if (valid) {
			assert_int_equal(peer_feed(&p, bytes_of(in, 4)), 0);
			snprintf(line, sizeof(line), "close %u clean -\n", c);
			assert_told(&p, line);
			assert_int_equal(close_sent(&p, SESAME_CLIENT), c);
			assert_int_equal(ses_buf_len(&p.sent), 8);
		} else {
			assert_fails(&p, SESAME_CLIENT, bytes_of(in, 4),
				     SES_FAULT_CLOSE_CODE);
		}
		peer_shut(&p);
	}
}

static const struct {
	struct bytes body;
	const char *told;
	struct bytes sent;
} closes[] = {
	{BYTES(""), "close 1005 clean -\n", BYTES("\x88\x00")},
	{BYTES("\x03\xe9"), "close 1001 clean -\n", BYTES("\x88\x02\x03\xe9")},
	{BYTES("\x0f\xa0why"), "close 4000 clean - why\n",
	 BYTES("\x88\x02\x0f\xa0")},
};

TEST("a close frame is answered by the same code, an empty one by an empty one")
{
	for (size_t i = 0; i < ARRAY_LEN(closes); i++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, false);
		struct ses_buf in;
		struct peer p;

		ses_buf_init(&in, 200);
		frame_append(&in, FIN | SES_OP_CLOSE | FRAME_MASKED,
			     closes[i].body);
		peer_open(&p, &settings);
		assert_int_equal(peer_feed(&p, ses_buf_bytes(&in)), 0);
		assert_told(&p, closes[i].told);
		assert_true(bytes_equal(ses_buf_bytes(&p.sent), closes[i].sent));
		ses_buf_fini(&in);
		peer_shut(&p);
	}
}

TEST("a close frame of one byte, or with a bad reason, is refused")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_fails(&p, SESAME_CLIENT, BYTES("\x88\x01\x03"),
		     SES_FAULT_CLOSE_LENGTH);
	peer_shut(&p);
	peer_open(&p, &settings);
	assert_fails(&p, SESAME_CLIENT, BYTES("\x88\x03\x03\xe8\xff"),
		     SES_FAULT_CLOSE_REASON_UTF8);
	peer_shut(&p);
}

TEST("whatever follows a close frame is ignored")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(peer_feed(&p, BYTES("\x88\x00\x81\x01"
					     "a\x89\x00"
					     "\xff\xff\xff")),
			 0);
	assert_told(&p, "close 1005 clean -\n");
	assert_int_equal(ses_buf_len(&p.sent), 6);
	assert_int_equal(peer_feed(&p, BYTES("\x81\x01"
					     "a")),
			 SESAME_ECLOSED);
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "a", 1),
			 SESAME_ECLOSED);
	assert_int_equal(sesame_session_ping(p.session, "", 0), SESAME_ECLOSED);
	assert_int_equal(sesame_session_close(p.session, 1000, "", 0),
			 SESAME_ECLOSED);
	peer_shut(&p);
}

TEST("who closes first hears messages until the peer's close frame, sends none")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(sesame_session_close(p.session, 1000, "done", 4), 0);
	assert_int_equal(sesame_session_close(p.session, 1000, "", 0),
			 SESAME_ECLOSED);
	assert_int_equal(ses_buf_len(&p.sent), 2 + 4 + 6);
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "a", 1),
			 SESAME_ECLOSED);
	assert_int_equal(peer_feed(&p, BYTES("\x81\x01"
					     "a\x89\x00")),
			 0);
	assert_false(sesame_session_is_over(p.session));
	assert_int_equal(peer_feed(&p, BYTES("\x88\x02\x03\xe8")), 0);
	assert_told(&p, "text 1 a\nping 0 \nclose 1000 clean -\n");
	assert_int_equal(ses_buf_len(&p.sent), 2 + 4 + 6);
	peer_shut(&p);
}

TEST("a rule broken after our close frame is told, but closed only once")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	size_t len;
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(sesame_session_close(p.session, 1001, "", 0), 0);
	len = ses_buf_len(&p.sent);
	assert_int_equal(peer_feed(&p, BYTES("\xff")), SESAME_EPROTO);
	assert_non_null(strstr(peer_told(&p), "close 1002 cut"));
	assert_int_equal(ses_buf_len(&p.sent), len);
	peer_shut(&p);
}

static const struct {
	unsigned code;
	size_t reason_len;
	int result;
} own_closes[] = {
	{1000, 0, 0},
	{1000, 123, 0},
	{4999, 5, 0},
	{3000, 5, 0},
	{1014, 0, 0},
	{0, 0, 0},
	{1000, 124, SESAME_EINVAL},
	{1000, SIZE_MAX, SESAME_EINVAL},
	{0, 1, SESAME_EINVAL},
	{999, 0, SESAME_EINVAL},
	{1004, 0, SESAME_EINVAL},
	{1005, 0, SESAME_EINVAL},
	{1006, 0, SESAME_EINVAL},
	{1015, 0, SESAME_EINVAL},
	{2999, 0, SESAME_EINVAL},
	{5000, 0, SESAME_EINVAL},
};

TEST("a close that may not be sent is refused and sends nothing")
{
	char reason[200];

	memset(reason, 'r', sizeof(reason));
	for (size_t i = 0; i < ARRAY_LEN(own_closes); i++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, false);
		size_t n = own_closes[i].reason_len;
		struct peer p;

		peer_open(&p, &settings);
		assert_int_equal(sesame_session_close(
					 p.session, (uint16_t)own_closes[i].code,
					 reason, n),
				 own_closes[i].result);
		if (own_closes[i].result)
			assert_int_equal(ses_buf_len(&p.sent), 0);
		else
			assert_int_equal(ses_buf_len(&p.sent),
					 own_closes[i].code ? 4 + n : 2);
		peer_shut(&p);
	}
}

TEST("a close reason that is not text is refused")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(sesame_session_close(p.session, 1000, "\xff", 1),
			 SESAME_EINVAL);
	assert_int_equal(sesame_session_close(p.session, 1000, NULL, 0), 0);
	peer_shut(&p);
}

/* ---- memory ---- */

/* Made to be fed as it is: what a test itself takes must not be seen. */
static void feed_in_place(struct peer *p, struct bytes in)
{
	uint8_t frame[32];

	memcpy(frame, in.data, in.len);
	assert_int_equal(sesame_session_feed(p->session, frame, in.len), 0);
}

/* What the allocator itself adds to one long block, and to a few short ones. */
#define BESIDE_BYTES 8192

TEST("a million fragments of one byte take at most twice their bytes")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	size_t n = 1 << 20, most = 0, before;
	struct peer p;

	ses_buf_forget_spares();
	peer_open(&p, &settings);
	before = test_heap();
	feed_in_place(&p, BYTES("\x02\x81\0\0\0\0x"));
	for (size_t i = 1; i < n; i++) {
		feed_in_place(&p, BYTES("\x00\x81\0\0\0\0x"));
		if (peer_holds(&p) > most)
			most = peer_holds(&p);
	}
	assert_true(most <= 2 * n);
	assert_true(test_heap() <= before + 2 * n + BESIDE_BYTES);
	feed_in_place(&p, BYTES("\x80\x80\0\0\0\0"));
	assert_memory_equal(peer_told(&p), "binary 1048576 #", 16);
	assert_int_equal(peer_holds(&p), 0);
	peer_shut(&p);
}

TEST("endless empty fragments take no memory")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;
	size_t before;

	peer_open(&p, &settings);
	feed_in_place(&p, BYTES("\x01\x00"));
	before = test_heap();
	for (int i = 0; i < 100000; i++)
		feed_in_place(&p, BYTES("\x00\x00"));
	assert_true(test_heap() <= before);
	assert_int_equal(peer_holds(&p), 0);
	peer_shut(&p);
}

TEST("an announced 16 MiB takes memory as its bytes come, not before")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	size_t fed = 0, total = 16u << 20;
	uint8_t head[14], chunk[1000] = {0};
	struct peer p;

	ses_buf_forget_spares();
	peer_open(&p, &settings);
	assert_int_equal(peer_feed(&p, head_of(FIN | SES_OP_BINARY | FRAME_MASKED,
					       total, head)),
			 0);
	while (fed < total / 8) {
		assert_int_equal(peer_feed(&p, bytes_of(chunk, 1000)), 0);
		fed += 1000;
		assert_true(peer_holds(&p) <= 2 * fed);
	}
	peer_shut(&p);
}

TEST("a session is small and holds no memory between messages")
{
	assert_true(sizeof(struct sesame_session) <= 160);
}

TEST("a bomb of 1000:1 ends in 1009 and never holds more than the limit")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	struct ses_deflate *d = ses_deflate_new(15, false);
	uint8_t *zeros = calloc(1, 4 << 20);
	struct ses_buf bomb, in;
	struct peer p;

	ses_buf_init(&bomb, 1 << 20);
	ses_buf_init(&in, 1 << 20);
	assert_int_equal(
		ses_deflate_message(d, bytes_of(zeros, 4 << 20), &bomb), 0);
	frame_append(&in, FIN | RSV1 | SES_OP_BINARY | FRAME_MASKED,
		     ses_buf_bytes(&bomb));
	settings.max_message = 100000;
	peer_open(&p, &settings);
	for (size_t i = 0; !p.over; i++) {
		peer_feed(&p, bytes_of(in.data + i, 1));
		assert_true(peer_holds(&p) <= 100000);
	}
	assert_told(&p, "close 1009 cut a message over the limit\n");
	assert_int_equal(close_sent(&p, SESAME_SERVER), 1009);
	peer_shut(&p);
	ses_buf_fini(&bomb);
	ses_buf_fini(&in);
	ses_deflate_free(d);
	free(zeros);
}

TEST("compressed data that does not inflate ends in 1007")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, true);
	struct peer p;

	peer_open(&p, &settings);
	assert_fails(&p, SESAME_CLIENT, BYTES("\xc2\x02\x07\x00"),
		     SES_FAULT_DEFLATE_DATA);
	peer_shut(&p);
}

/* ---- direct receiving ---- */

/* Feed as a connection does: into the message's room whenever there is one. */
static int feed_directly(struct peer *p, struct bytes in, size_t most)
{
	int error = 0;

	while (in.len && !error) {
		size_t n;
		uint8_t *room = ses_session_room(p->session, &n);

		n = room && n < most ? n : most;
		n = n < in.len ? n : in.len;
		if (room)
			memcpy(room, in.data, n);
		error = room ? ses_session_filled(p->session, n)
			     : peer_feed(p, bytes_first(in, n));
		in = bytes_from(in, n);
	}
	return error;
}

TEST("a large message received directly is the same as one fed")
{
	static const size_t steps[] = {1000, 4096, 65536, 1 << 20};
	size_t len = 300000;
	uint8_t *text = malloc(len);

	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)("\xc3\xa9 and more"[i % 11]);
	for (size_t k = 0; k < ARRAY_LEN(steps) * 2; k++) {
		enum sesame_role role = k & 1 ? SESAME_SERVER : SESAME_CLIENT;
		struct sesame_session_settings settings =
			settings_for(role, false);
		struct peer fed, direct;
		struct ses_buf in;

		ses_buf_init(&in, 1 << 20);
		frame_append(&in, SES_OP_TEXT | masked_for(role),
			     bytes_of(text, len / 11 * 11));
		frame_append(&in, PING | masked_for(role), BYTES("now"));
		frame_append(&in, FIN | masked_for(role),
			     bytes_of(text, len / 11 * 11));
		frame_append(&in, TEXT | masked_for(role), BYTES("after"));
		peer_open(&fed, &settings);
		peer_open(&direct, &settings);
		assert_int_equal(peer_feed(&fed, ses_buf_bytes(&in)), 0);
		assert_int_equal(feed_directly(&direct, ses_buf_bytes(&in),
					       steps[k / 2]),
				 0);
		assert_string_equal(peer_told(&fed), peer_told(&direct));
		assert_non_null(strstr(peer_told(&direct), "text 5 after"));
		peer_shut(&fed);
		peer_shut(&direct);
		ses_buf_fini(&in);
	}
	free(text);
}

TEST("room is offered only for what has been earned, and text is checked in it")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	uint8_t head[14], chunk[5000], *room;
	size_t n;
	struct peer p;

	memset(chunk, 'a', sizeof(chunk));
	peer_open(&p, &settings);
	assert_null(ses_session_room(p.session, &n));
	peer_feed(&p, head_of(TEXT, 1 << 20, head));
	peer_feed(&p, bytes_of(chunk, 10));
	assert_null(ses_session_room(p.session, &n));
	peer_feed(&p, bytes_of(chunk, 5000));
	room = ses_session_room(p.session, &n);
	assert_non_null(room);
	assert_in_range(n, 5010, 3 * 5010);
	assert_int_equal(ses_session_filled(p.session, 0), 0);
	room = ses_session_room(p.session, &n);
	memcpy(room, "abc\xff", 4);
	assert_int_equal(ses_session_filled(p.session, 4), SESAME_EPROTO);
	assert_int_equal(close_sent(&p, SESAME_CLIENT), 1007);
	assert_null(ses_session_room(p.session, &n));
	assert_int_equal(ses_session_filled(p.session, 0), SESAME_ECLOSED);
	peer_shut(&p);
}

/* ---- sending ---- */

TEST("a server's frame is its header and the payload, at every length's edge")
{
	static const struct {
		size_t len;
		struct bytes head;
	} sizes[] = {
		{0, BYTES("\x82\x00")},
		{1, BYTES("\x82\x01")},
		{125, BYTES("\x82\x7d")},
		{126, BYTES("\x82\x7e\x00\x7e")},
		{65535, BYTES("\x82\x7e\xff\xff")},
		{65536, BYTES("\x82\x7f\0\0\0\0\0\1\0\0")},
	};
	uint8_t *data = malloc(65536);

	memset(data, 0xab, 65536);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct sesame_session_settings settings =
			settings_for(SESAME_SERVER, false);
		uint8_t alone[SES_FRAME_HEAD_MAX];
		struct bytes head = sizes[i].head;
		struct ses_buf frame;
		struct peer p;

		peer_open(&p, &settings);
		assert_int_equal(sesame_session_send(p.session, SESAME_BINARY,
						     data, sizes[i].len),
				 0);
		assert_int_equal(ses_buf_len(&p.sent), head.len + sizes[i].len);
		assert_memory_equal(p.sent.data, head.data, head.len);
		assert_memory_equal(p.sent.data + head.len, data, sizes[i].len);
		/* a header alone is the same header */
		assert_int_equal(ses_session_head(p.session, SESAME_BINARY,
						  bytes_of(data, sizes[i].len),
						  alone),
				 head.len);
		assert_memory_equal(alone, head.data, head.len);
		/* and the frame made for many peers is the same */
		ses_buf_init(&frame, 70000);
		assert_int_equal(ses_session_frame(&frame, SESAME_BINARY,
						   bytes_of(data, sizes[i].len)),
				 0);
		assert_true(bytes_equal(ses_buf_bytes(&frame),
					ses_buf_bytes(&p.sent)));
		ses_buf_fini(&frame);
		peer_shut(&p);
	}
	free(data);
}

TEST("a header alone is for what may go as it is, and only then")
{
	static const struct {
		enum sesame_role role;
		bool deflate, closed;
		enum sesame_kind kind;
		const char *payload;
		int result;
	} rows[] = {
		{SESAME_SERVER, false, false, SESAME_TEXT, "text", 2},
		{SESAME_SERVER, false, false, SESAME_TEXT, "\xff", SESAME_EINVAL},
		{SESAME_SERVER, false, false, SESAME_BINARY, "\xff", 2},
		{SESAME_SERVER, false, false, 3, "", SESAME_EINVAL},
		{SESAME_SERVER, false, true, SESAME_TEXT, "", SESAME_ECLOSED},
		{SESAME_CLIENT, false, false, SESAME_TEXT, "text", 0},
		{SESAME_SERVER, true, false, SESAME_TEXT, "short", 2},
		{SESAME_SERVER, true, false, SESAME_TEXT,
		 "long enough to be worth the work of compressing it, which is "
		 "from 64 bytes on",
		 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_session_settings settings =
			settings_for(rows[i].role, rows[i].deflate);
		uint8_t head[SES_FRAME_HEAD_MAX];
		struct peer p;

		peer_open(&p, &settings);
		if (rows[i].closed)
			sesame_session_close(p.session, 1000, NULL, 0);
		assert_int_equal(ses_session_head(p.session, rows[i].kind,
						  bytes_of_str(rows[i].payload),
						  head),
				 rows[i].result);
		peer_shut(&p);
	}
}

TEST("a frame for many peers that does not fit leaves nothing behind")
{
	struct ses_buf out;

	ses_buf_init(&out, 10);
	assert_int_equal(ses_session_frame(&out, SESAME_TEXT, BYTES("12345")),
			 0);
	assert_int_equal(ses_session_frame(&out, SESAME_TEXT, BYTES("12345")),
			 SESAME_ELIMIT);
	assert_int_equal(ses_buf_len(&out), 7);
	ses_buf_fini(&out);
}

TEST("a client draws a new mask for every frame and applies it")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct peer p;

	peer_open(&p, &settings);
	for (int i = 0; i < 3; i++) {
		struct ses_frame frame;
		enum ses_fault fault;
		uint32_t mask;

		assert_int_equal(
			sesame_session_send(p.session, SESAME_TEXT, "Hello", 5),
			0);
		assert_int_equal(ses_frame_decode(ses_buf_bytes(&p.sent),
						  &frame, &fault),
				 6);
		memcpy(&mask, frame.mask, 4);
		assert_int_equal(mask, p.next_mask);
		for (int k = 0; k < 5; k++)
			assert_int_equal(ses_buf_bytes(&p.sent).data[6 + k] ^
						 frame.mask[k % 4],
					 "Hello"[k]);
		ses_buf_consume(&p.sent, 11);
		assert_int_equal(ses_buf_len(&p.sent), 0);
	}
	peer_shut(&p);
}

TEST("a client without a source of masks sends nothing")
{
	struct sesame_session_events events = peer_events;
	struct sesame_session_settings settings =
		settings_for(SESAME_CLIENT, false);
	struct ses_session_terms terms;
	struct peer p;

	peer_open(&p, &settings);
	events.mask = NULL;
	terms = *p.session->terms;
	terms.events = &events;
	p.session->terms = &terms;
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "a", 1),
			 SESAME_EINVAL);
	assert_int_equal(ses_buf_len(&p.sent), 0);
	peer_shut(&p);
}

TEST("text that is not UTF-8 and pings over 125 bytes are not sent")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	char data[126] = {0};
	struct peer p;

	peer_open(&p, &settings);
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "\xc3", 1),
			 SESAME_EINVAL);
	assert_int_equal(
		sesame_session_send(p.session, (enum sesame_kind)8, "", 0),
		SESAME_EINVAL);
	assert_int_equal(sesame_session_ping(p.session, data, 126),
			 SESAME_EINVAL);
	assert_int_equal(ses_buf_len(&p.sent), 0);
	assert_int_equal(sesame_session_ping(p.session, data, 125), 0);
	assert_int_equal(sesame_session_ping(p.session, NULL, 0), 0);
	assert_int_equal(sesame_session_send(p.session, SESAME_BINARY, NULL, 0),
			 0);
	peer_shut(&p);
}

TEST("a send that finds no room fails and the session goes on")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	struct peer p;

	peer_open(&p, &settings);
	p.refuse = true;
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "a", 1),
			 SESAME_ELIMIT);
	assert_int_equal(sesame_session_ping(p.session, "a", 1), SESAME_ELIMIT);
	assert_int_equal(sesame_session_close(p.session, 1000, "", 0),
			 SESAME_ELIMIT);
	p.refuse = false;
	assert_int_equal(sesame_session_send(p.session, SESAME_TEXT, "a", 1), 0);
	assert_int_equal(sesame_session_close(p.session, 1000, "", 0), 0);
	peer_shut(&p);
}

/* ---- two sessions, face to face ---- */

static void pump(struct peer *from, struct peer *to)
{
	assert_int_equal(peer_feed(to, ses_buf_bytes(&from->sent)), 0);
	ses_buf_consume(&from->sent, ses_buf_len(&from->sent));
}

static void talk(struct peer *a, struct peer *b, const char *text, size_t len)
{
	assert_int_equal(
		sesame_session_send(a->session, SESAME_TEXT, text, len), 0);
	pump(a, b);
	assert_int_equal(
		sesame_session_send(b->session, SESAME_BINARY, text, len), 0);
	pump(b, a);
}

TEST("sessions understand each other under every agreed parameter")
{
	char text[3000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 17);
	for (unsigned bits = 8; bits <= 15; bits++)
		for (int k = 0; k < 4; k++) {
			struct sesame_deflate d = {
				.on = true,
				.server_no_context_takeover = k & 1,
				.client_no_context_takeover = k & 2,
				.server_max_window_bits = (uint8_t)bits,
				.client_max_window_bits = (uint8_t)(23 - bits),
			};
			struct sesame_session_settings
				cs = {.role = SESAME_CLIENT, .deflate = d},
				ss = {.role = SESAME_SERVER, .deflate = d};
			struct peer c, s;

			peer_open(&c, &cs);
			peer_open(&s, &ss);
			for (int round = 0; round < 3; round++) {
				talk(&c, &s, text, 3000);
				talk(&c, &s, text, 63); /* not worth it */
				talk(&c, &s, text, 0);
			}
			/* messages are told once more after the pump */
			assert_int_equal(
				strncmp(peer_told(&c), "binary 3000 #", 13), 0);
			assert_int_equal(strlen(peer_told(&c)),
					 strlen(peer_told(&s)) + 2 * 9);
			peer_shut(&c);
			peer_shut(&s);
		}
}

TEST("for a window of 8 bits, which zlib lacks, messages go uncompressed")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	char text[1000] = {0};
	struct peer p;

	settings.deflate.server_max_window_bits = 8;
	peer_open(&p, &settings);
	assert_int_equal(sesame_session_send(p.session, SESAME_BINARY, text,
					     sizeof(text)),
			 0);
	assert_int_equal(ses_buf_len(&p.sent), 4 + sizeof(text));
	assert_int_equal(p.sent.data[0], 0x82);
	peer_shut(&p);
}

TEST("what is short, or grows by compression, goes uncompressed")
{
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, true);
	uint32_t r = 1;
	uint8_t noise[500];
	struct peer p;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((r = r * 1103515245u + 12345u) >> 16);
	settings.deflate.server_no_context_takeover = true;
	peer_open(&p, &settings);
	sesame_session_send(p.session, SESAME_BINARY, noise, sizeof(noise));
	assert_int_equal(p.sent.data[0], 0x82);
	assert_int_equal(ses_buf_len(&p.sent), 4 + sizeof(noise));
	ses_buf_consume(&p.sent, ses_buf_len(&p.sent));
	memset(noise, 0, sizeof(noise));
	sesame_session_send(p.session, SESAME_BINARY, noise, 63);
	assert_int_equal(p.sent.data[p.sent.start], 0x82);
	ses_buf_consume(&p.sent, ses_buf_len(&p.sent));
	sesame_session_send(p.session, SESAME_BINARY, noise, 64);
	assert_int_equal(p.sent.data[p.sent.start], 0xc2);
	assert_true(ses_buf_len(&p.sent) < 20);
	peer_shut(&p);
}

TEST("a compressed message that found no room is not referred to later")
{
	struct sesame_session_settings cs = settings_for(SESAME_CLIENT, true),
				       ss = settings_for(SESAME_SERVER, true);
	char text[2000];
	struct peer c, s;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	peer_open(&c, &cs);
	peer_open(&s, &ss);
	s.refuse = true;
	assert_int_equal(sesame_session_send(s.session, SESAME_TEXT, text, 2000),
			 SESAME_ELIMIT);
	s.refuse = false;
	talk(&c, &s, text, 2000);
	talk(&c, &s, text, 2000);
	assert_int_equal(strncmp(peer_told(&c), "binary 2000 #", 13), 0);
	peer_shut(&c);
	peer_shut(&s);
}

/* ---- calls from inside callbacks ---- */

static void echo_inside(struct peer *p)
{
	sesame_session_send(p->session, SESAME_TEXT, "echo", 4);
}

static void close_inside(struct peer *p)
{
	sesame_session_close(p->session, 4000, "", 0);
}

static void close_and_hear_close_inside(struct peer *p)
{
	uint8_t answer[] = {0x88, 0x80, 1, 2, 3, 4};

	p->inside = NULL;
	sesame_session_close(p->session, 4000, "", 0);
	sesame_session_feed(p->session, answer, sizeof(answer));
}

static void break_rule_inside(struct peer *p)
{
	uint8_t bad[] = {0xff};

	p->inside = NULL;
	sesame_session_feed(p->session, bad, sizeof(bad));
}

static const struct {
	void (*inside)(struct peer *p);
	const char *told;
} insides[] = {
	{echo_inside, "text 1 a\ntext 2 bc\ntext 1 d\n"},
	{close_inside, "text 1 a\ntext 2 bc\ntext 1 d\n"},
	{close_and_hear_close_inside, "text 1 a\nclose 1005 clean -\n"},
	{break_rule_inside,
	 "text 1 a\nclose 1002 cut an opcode that is not defined\n"},
};

TEST("callbacks may send, close and feed; after close nothing is told")
{
	for (size_t i = 0; i < ARRAY_LEN(insides); i++)
		for (size_t part = 1; part < 30; part++) {
			struct sesame_session_settings settings =
				settings_for(SESAME_SERVER, false);
			struct ses_buf in;
			struct peer p;

			ses_buf_init(&in, 100);
			frame_append(&in, TEXT | FRAME_MASKED, BYTES("a"));
			frame_append(&in, SES_OP_TEXT | FRAME_MASKED,
				     BYTES("b"));
			frame_append(&in, FIN | FRAME_MASKED, BYTES("c"));
			frame_append(&in, TEXT | FRAME_MASKED, BYTES("d"));
			peer_open(&p, &settings);
			p.inside = insides[i].inside;
			peer_feed_parts(&p, ses_buf_bytes(&in), part);
			assert_told(&p, insides[i].told);
			ses_buf_fini(&in);
			peer_shut(&p);
		}
}

TEST("callbacks that are NULL are not called")
{
	static const struct sesame_session_events none;
	struct sesame_session_settings settings =
		settings_for(SESAME_SERVER, false);
	struct sesame_session *s = sesame_session_new(&settings, &none, NULL);
	struct ses_buf in;

	ses_buf_init(&in, 10000);
	make_stream(&in, SESAME_SERVER, false);
	assert_int_equal(sesame_session_feed(s, in.data, in.end), 0);
	assert_true(sesame_session_is_over(s));
	assert_int_equal(sesame_session_send(s, SESAME_TEXT, "a", 1),
			 SESAME_ECLOSED);
	sesame_session_free(s);
	sesame_session_free(NULL);
	ses_buf_fini(&in);
}
