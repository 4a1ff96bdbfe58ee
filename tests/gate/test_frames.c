/* SPDX-License-Identifier: MIT */
/* What of a direction's bytes passes, wherever reads cut them. */
#include "gate/frames.h"

#include "test.h"

struct heard {
	uint64_t most; /* longest message that may pass */
	unsigned n_first, n_last, n_faults;
	uint64_t longest;
	uint8_t out[4096];
	size_t n_out;
	bool stopped;
};

static bool judge(void *user, const struct gate_said *said)
{
	struct heard *h = user;

	if (said->fault != SES_FAULT_NONE) {
		h->n_faults++;
		return false;
	}
	h->n_first += said->first;
	h->n_last += said->last;
	if (said->message > h->longest)
		h->longest = said->message;
	return said->message <= h->most;
}

static void feed(struct gate_frames *f, struct bytes in, struct heard *h)
{
	struct gate_frames_pass may;

	if (h->stopped)
		return;
	gate_frames_feed(f, in, judge, h, &may);
	memcpy(h->out + h->n_out, may.held, may.n_held);
	h->n_out += may.n_held;
	memcpy(h->out + h->n_out, in.data, may.n);
	h->n_out += may.n;
	h->stopped = may.stopped;
}

static size_t put(uint8_t *to, uint8_t first, size_t len, bool masked)
{
	struct ses_frame f = {.fin = first & 0x80,
			      .opcode = first & 0xf,
			      .masked = masked,
			      .mask = {1, 2, 3, 4},
			      .payload_len = len};
	size_t n = ses_frame_encode(&f, to);

	memset(to + n, 'x', len);
	return n + len;
}

/* Two messages, the second in three fragments with a ping between; a close. */
static size_t usual(uint8_t *to, bool masked)
{
	size_t n = put(to, 0x81, 5, masked);

	n += put(to + n, 0x02, 300, masked);
	n += put(to + n, 0x89, 4, masked);
	n += put(to + n, 0x00, 0, masked);
	n += put(to + n, 0x80, 130, masked);
	return n + put(to + n, 0x88, 2, masked);
}

TEST("all passes as it came, wherever it is cut")
{
	uint8_t bytes[1024];

	for (int masked = 0; masked < 2; masked++) {
		size_t len = usual(bytes, masked);

		for (size_t a = 0; a <= len; a++) {
			size_t b = a + (len - a) / 2;
			struct gate_frames f = {0};
			struct heard h = {.most = UINT64_MAX};

			feed(&f, bytes_of(bytes, a), &h);
			feed(&f, bytes_of(bytes + a, b - a), &h);
			feed(&f, bytes_of(bytes + b, len - b), &h);
			assert_int_equal(h.n_out, len);
			assert_memory_equal(h.out, bytes, len);
			assert_int_equal(h.n_first, 2);
			assert_int_equal(h.n_last, 2);
			assert_int_equal(h.longest, 430);
			assert_true(gate_frames_between(&f));
		}
	}
}

TEST("single bytes pass like one piece")
{
	uint8_t bytes[1024];
	size_t len = usual(bytes, true);
	struct gate_frames f = {0};
	struct heard h = {.most = UINT64_MAX};

	for (size_t i = 0; i < len; i++)
		feed(&f, bytes_of(bytes + i, 1), &h);
	assert_int_equal(h.n_out, len);
	assert_memory_equal(h.out, bytes, len);
}

TEST("what is too long is stopped before its frame, wherever it is cut")
{
	uint8_t bytes[1024];
	size_t before = put(bytes, 0x81, 5, true);
	size_t len;

	before += put(bytes + before, 0x01, 90, true);
	before += put(bytes + before, 0x8a, 0, true);
	len = before + put(bytes + before, 0x80, 11, true);
	for (size_t a = 0; a <= len; a++) {
		struct gate_frames f = {0};
		struct heard h = {.most = 100};

		feed(&f, bytes_of(bytes, a), &h);
		feed(&f, bytes_of(bytes + a, len - a), &h);
		assert_true(h.stopped);
		assert_int_equal(h.n_out, before);
		assert_memory_equal(h.out, bytes, before);
		assert_true(gate_frames_between(&f));
	}
}

TEST("a message that is begun anew gets no further by that")
{
	uint8_t bytes[256];
	size_t len = put(bytes, 0x01, 60, true);
	struct gate_frames f = {0};
	struct heard h = {.most = 100};

	len += put(bytes + len, 0x01, 60, true);
	feed(&f, bytes_of(bytes, len), &h);
	assert_true(h.stopped);
	assert_int_equal(h.n_first, 1);
}

TEST("lengths that add up to more than there is stay too long")
{
	static const uint8_t huge[] = {0x02, 0x7f, 0x7f, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xff};
	struct gate_frames f = {.within = true, .message = UINT64_MAX - 5};
	struct heard h = {.most = 100};

	feed(&f, bytes_of(huge, sizeof(huge)), &h);
	assert_true(h.stopped);
	assert_true(h.longest == UINT64_MAX);
}

TEST("what is no frame is told once, and nothing of it passes")
{
	uint8_t bytes[64];
	size_t good = put(bytes, 0x81, 3, false);
	struct gate_frames f = {0};
	struct heard h = {.most = UINT64_MAX};

	memcpy(bytes + good, "GET / HTTP/1.1\r\n", 16);
	bytes[good] = 0x83; /* an opcode that nobody has */
	feed(&f, bytes_of(bytes, good + 16), &h);
	assert_int_equal(h.n_faults, 1);
	assert_true(h.stopped);
	assert_int_equal(h.n_out, good);
}
