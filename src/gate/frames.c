/* SPDX-License-Identifier: MIT */
/* Headers are gathered where reads cut them; payloads are only counted. */
#include "gate/frames.h"

#include <string.h>

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/*
 * What a data frame makes of its message. One that begins anew before the last
 * one has ended is a fault that the receiver finds; it counts as more of the
 * same, so that it gets no further by that.
 */
static struct gate_said count(struct gate_frames *f,
			      const struct ses_frame *frame)
{
	struct gate_said said = {.first = !f->within, .last = frame->fin};

	f->message = add(f->within ? f->message : 0, frame->payload_len);
	f->within = !frame->fin;
	said.message = f->message;
	return said;
}

static bool judge_frame(struct gate_frames *f, const struct ses_frame *frame,
			gate_frames_judge judge, void *user)
{
	struct gate_said said;

	if (frame->opcode >= SES_OP_CLOSE)
		return true;
	said = count(f, frame);
	return judge(user, &said);
}

/*
 * The header that @in goes on with. Returns how many bytes of @in it took, 0
 * when all of them are not enough for it, or an error as of
 * ses_frame_decode().
 */
static int take_head(struct gate_frames *f, struct bytes in,
		     struct ses_frame *ret_frame, enum ses_fault *ret_fault)
{
	struct bytes more = bytes_first(in, sizeof(f->head) - f->n_head);
	int r;

	memcpy(f->head + f->n_head, more.data, more.len);
	r = ses_frame_decode(bytes_of(f->head, f->n_head + more.len), ret_frame,
			     ret_fault);
	if (r == 0)
		f->n_head += more.len;
	return r > 0 ? r - (int)f->n_head : r;
}

static bool stop(struct gate_frames_pass *ret)
{
	ret->stopped = true;
	return false;
}

/* A frame that may pass; its header and what is held of it go on. */
static bool next_frame(struct gate_frames *f, struct bytes *in,
		       gate_frames_judge judge, void *user,
		       struct gate_frames_pass *ret)
{
	struct gate_said broken = {.fault = SES_FAULT_NONE};
	struct ses_frame frame;
	int r = take_head(f, *in, &frame, &broken.fault);

	if (r == 0)
		return false;
	if (r < 0) {
		judge(user, &broken);
		return stop(ret);
	}
	if (!judge_frame(f, &frame, judge, user))
		return stop(ret);
	if (f->n_head) { /* only of the first one that is fed */
		memcpy(ret->held, f->head, f->n_head);
		ret->n_held = f->n_head;
		f->n_head = 0;
	}
	ret->n += (size_t)r;
	*in = bytes_from(*in, (size_t)r);
	f->left = frame.payload_len;
	return true;
}

void gate_frames_feed(struct gate_frames *f, struct bytes in,
		      gate_frames_judge judge, void *user,
		      struct gate_frames_pass *ret)
{
	*ret = (struct gate_frames_pass){.n = 0};
	while (in.len) {
		size_t n = in.len < f->left ? in.len : (size_t)f->left;

		ret->n += n;
		f->left -= n;
		in = bytes_from(in, n);
		if (in.len && !next_frame(f, &in, judge, user, ret))
			return;
	}
}
