/* SPDX-License-Identifier: MIT */
/*
 * Any bytes through a tunnel whose messages are judged: however they are cut,
 * the same of them passes, and that is whole frames and the beginning of one.
 */
#include "gate/frames.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct run {
	struct gate_frames frames;
	struct bytes expected; /* what has not passed yet */
	uint64_t most, n_judged, bytes, came, passed;
	bool stopped;
};

static bool judge(void *user, const struct gate_said *said)
{
	struct run *r = user;

	r->n_judged++;
	r->bytes += said->message;
	return said->fault == SES_FAULT_NONE && said->message <= r->most;
}

/* What passes is the next of what came, and nothing else. */
static void expect(struct run *r, struct bytes passed)
{
	check(passed.len <= r->expected.len);
	check(bytes_equal(passed, bytes_first(r->expected, passed.len)));
	r->expected = bytes_from(r->expected, passed.len);
	r->passed += passed.len;
}

static void feed(struct run *r, struct bytes in)
{
	struct gate_frames_pass may;

	if (r->stopped)
		return;
	gate_frames_feed(&r->frames, in, judge, r, &may);
	check(may.n <= in.len && may.n_held < SES_FRAME_HEAD_MAX);
	expect(r, bytes_of(may.held, may.n_held));
	expect(r, bytes_first(in, may.n));
	r->stopped = may.stopped;
	r->came += in.len;
	if (r->stopped)
		check(gate_frames_between(&r->frames));
	else
		check(r->came == r->passed + r->frames.n_head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in;
	struct run whole, pieces;
	size_t step, left;

	if (size < 2)
		return 0;
	step = 1 + data[0] % 40;
	in = bytes_of(data + 2, size - 2);
	whole = pieces = (struct run){.expected = in, .most = data[1] * 16u};
	feed(&whole, in);
	for (left = in.len; left; left -= step < left ? step : left)
		feed(&pieces, bytes_first(bytes_from(in, in.len - left), step));
	check(whole.stopped == pieces.stopped);
	check(whole.n_judged == pieces.n_judged);
	check(whole.bytes == pieces.bytes);
	check(whole.expected.len == pieces.expected.len);
	return 0;
}
