/* SPDX-License-Identifier: MIT */
/*
 * Servers of HTTP/2 that flood: with resets, with heads that never end, with
 * frames that want an answer. However long they go on, what is held of them
 * stays small.
 */
#include "test.h"

#include <stdlib.h>

#include <sesame/error.h>

#include "doctor/h2.h"

#define FLOOD	   50000
#define MOST_BYTES ((size_t)1024 * 1024)

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING };
enum { WINDOW_UPDATE = 8, CONTINUATION = 9 };
#define END_HEADERS 4

static size_t make_frame(uint8_t *out, uint8_t type, uint8_t flags,
			 uint32_t stream, const void *body, size_t len)
{
	uint8_t head[9] = {(uint8_t)(len >> 16),
			   (uint8_t)(len >> 8),
			   (uint8_t)len,
			   type,
			   flags,
			   (uint8_t)(stream >> 24),
			   (uint8_t)(stream >> 16),
			   (uint8_t)(stream >> 8),
			   (uint8_t)stream};

	memcpy(out, head, sizeof(head));
	if (len)
		memcpy(out + sizeof(head), body, len);
	return sizeof(head) + len;
}

struct flooded {
	struct doctor_h2 h;
	bool reads_answers; /* the server takes what it is told */
	size_t before;
};

static int hear(struct flooded *f, uint8_t type, uint8_t flags, uint32_t stream,
		const void *body, size_t len)
{
	uint8_t frame[9 + 16384];
	int r = doctor_h2_feed(&f->h,
			       bytes_of(frame, make_frame(frame, type, flags,
							  stream, body, len)));

	while (f->reads_answers && doctor_h2_output(&f->h).len > 0)
		;
	return r;
}

static struct doctor_request request;

/* Asked, and the server has said that it speaks HTTP/2. */
static void begin(struct flooded *f, bool reads_answers)
{
	request.upgrade.host = BYTES("h.example");
	request.upgrade.target = BYTES("/live");
	memset(f, 0, sizeof(*f));
	f->reads_answers = true;
	f->before = test_heap();
	assert_int_equal(doctor_h2_init(&f->h, &request), 0);
	assert_int_equal(hear(f, SETTINGS, 0, 0, NULL, 0), 0);
	assert_int_equal(f->h.stream, 1);
	f->reads_answers = reads_answers;
}

/* The same frame for ever: 0, or the error that ended it. */
static int flood(struct flooded *f, uint8_t type, uint8_t flags,
		 uint32_t stream, const void *body, size_t len)
{
	int r = 0;

	for (int i = 0; i < FLOOD && r == 0; i++) {
		r = hear(f, type, flags, stream, body, len);
		assert_true(test_heap() <= f->before + MOST_BYTES);
	}
	return r;
}

TEST("resets of the one stream there is, without end, cost nothing")
{
	struct flooded f;

	begin(&f, true);
	flood(&f, RST_STREAM, 0, 1, "\0\0\0\x08", 4);
	assert_true(f.h.ended);
	doctor_h2_fini(&f.h);
}

TEST("resets of streams that nobody opened are no answer and cost nothing")
{
	struct flooded f;

	begin(&f, true);
	hear(&f, RST_STREAM, 0, 3, "\0\0\0\x08", 4);
	assert_int_equal(flood(&f, RST_STREAM, 0, 5, "\0\0\0\x08", 4), 0);
	assert_false(f.h.has_head);
	doctor_h2_fini(&f.h);
}

TEST("streams that the server pushes and resets are not taken")
{
	/* of stream 1, promised is 2: ":method: GET" alone */
	static const uint8_t promise[] = {0, 0, 0, 2, 0x82};
	struct flooded f;
	int r = 0;

	begin(&f, true);
	for (int i = 0; i < FLOOD && r == 0; i++) {
		r = hear(&f, PUSH_PROMISE, END_HEADERS, 1, promise,
			 sizeof(promise));
		assert_true(test_heap() <= f.before + MOST_BYTES);
	}
	assert_false(f.h.has_head);
	doctor_h2_fini(&f.h);
}

/* ":status: 200" and then fields of 100 bytes that are not to be indexed. */
static int endless_head(struct flooded *f, bool empty)
{
	uint8_t field[104] = {0x10, 1, 'a', 100};
	int r = hear(f, HEADERS, 0, 1, "\x88", 1);

	memset(field + 4, 'b', 100);
	return r ? r
		 : flood(f, CONTINUATION, 0, 1, field,
			 empty ? 0 : sizeof(field));
}

TEST("a head that goes on for ever in CONTINUATION frames is cut off")
{
	struct flooded f;

	begin(&f, true);
	assert_int_equal(endless_head(&f, false), SESAME_EPROTO);
	assert_false(f.h.has_head);
	doctor_h2_fini(&f.h);
}

/*
 * ":status: 200" and @n fields of 100 bytes, whole, in frames so long that
 * nghttp2, which bounds their number, has nothing against them.
 */
static int long_head(struct flooded *f, size_t n)
{
	static uint8_t block[1 + 1000 * 104];
	const size_t len = 1 + n * 104, most = 16384;
	int r = 0;

	assert_true(len <= sizeof(block));
	block[0] = 0x88;
	for (size_t i = 0; i < n; i++) {
		uint8_t *field = block + 1 + i * 104;

		memset(field, 'b', 104);
		memcpy(field, "\x10\1a\x64", 4);
	}
	for (size_t at = 0; at < len && r == 0; at += most)
		r = hear(f, at ? CONTINUATION : HEADERS,
			 at + most < len ? 0 : END_HEADERS, 1, block + at,
			 at + most < len ? most : len - at);
	return r;
}

TEST("a head of 64 KiB is taken, and a longer one is cut off")
{
	struct flooded f;

	begin(&f, true);
	assert_int_equal(long_head(&f, 600), 0);
	assert_true(f.h.has_head);
	assert_in_range(ses_buf_len(&f.h.head), 60000, 65536);
	doctor_h2_fini(&f.h);
	begin(&f, true);
	assert_int_equal(long_head(&f, 640), SESAME_EPROTO);
	assert_false(f.h.has_head);
	doctor_h2_fini(&f.h);
}

TEST("what is kept of the request itself has an end")
{
	static char value[4096];
	static struct ses_field extra[100];
	struct flooded f;

	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		extra[i] = (struct ses_field){
			.name = BYTES("a"),
			.value = bytes_of(value, sizeof(value))};
	request.upgrade.extra = extra;
	request.upgrade.n_extra = ARRAY_LEN(extra);
	begin(&f, true);
	request.upgrade.n_extra = 0;
	assert_in_range(ses_buf_len(&f.h.asked), 250000, 256 * 1024);
	doctor_h2_fini(&f.h);
}

TEST("a head that goes on for ever in empty frames takes no memory")
{
	struct flooded f;

	begin(&f, true);
	endless_head(&f, true);
	assert_false(f.h.has_head);
	doctor_h2_fini(&f.h);
}

TEST("pings and settings without end are answered, or refused where nobody "
     "reads")
{
	static const uint8_t ping[8];
	struct flooded f;

	for (int reads = 0; reads < 2; reads++) {
		begin(&f, reads);
		assert_int_equal(flood(&f, PING, 0, 0, ping, 8),
				 reads ? 0 : SESAME_EPROTO);
		doctor_h2_fini(&f.h);
		begin(&f, reads);
		assert_int_equal(flood(&f, SETTINGS, 0, 0, NULL, 0),
				 reads ? 0 : SESAME_EPROTO);
		doctor_h2_fini(&f.h);
	}
}

TEST("a body without end is held as far as it may come unasked")
{
	uint8_t body[16384] = {0};
	struct flooded f;

	begin(&f, true);
	assert_int_equal(hear(&f, HEADERS, END_HEADERS, 1, "\x88", 1), 0);
	flood(&f, DATA, 0, 1, body, sizeof(body));
	assert_true(ses_buf_len(&f.h.data) <= 256 * 1024);
	doctor_h2_fini(&f.h);
}

TEST("heads of status 1xx without end are not gathered")
{
	/* ":status: 103" and a field */
	static const uint8_t early[] = {0x08, 3,   '1', '0', '3', 0x10,
					4,    'l', 'i', 'n', 'k', 4,
					'<',  'a', '>', ';'};
	struct flooded f;

	begin(&f, true);
	assert_int_equal(
		flood(&f, HEADERS, END_HEADERS, 1, early, sizeof(early)), 0);
	assert_int_equal(f.h.status, 103);
	assert_false(f.h.has_head);
	assert_true(ses_buf_len(&f.h.head) < 1024);
	doctor_h2_fini(&f.h);
}
