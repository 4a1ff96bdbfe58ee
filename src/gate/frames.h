/* SPDX-License-Identifier: MIT */
/*
 * Where one direction of a tunnel stands: between two frames, in a header that
 * was cut, or in a payload, which is never looked at. A header is judged before
 * the first byte of it goes on, so whoever ends the tunnel there ends it between
 * two frames and may put one of its own there.
 */
#ifndef GATE_FRAMES_H
#define GATE_FRAMES_H

#include "wire/frame.h"

/* One direction; zeroed at first. */
struct gate_frames {
	uint8_t head[SES_FRAME_HEAD_MAX]; /* begun, and not passed on */
	size_t n_head;
	uint64_t left;	  /* of the payload */
	uint64_t message; /* bytes of the message so far, as announced */
	bool within;	  /* more frames of it are to come */
};

/* A frame of a message begins, or something that is no frame. */
struct gate_said {
	enum ses_fault fault;
	bool first, last; /* of its message */
	uint64_t message; /* bytes of it, this frame's with them */
};

/*
 * Asked about each frame of a message, and about a fault. False: nothing from
 * this header on may pass.
 */
typedef bool (*gate_frames_judge)(void *user, const struct gate_said *said);

/* What of the bytes may be passed on. */
struct gate_frames_pass {
	uint8_t held[SES_FRAME_HEAD_MAX]; /* from earlier on, first */
	size_t n_held;
	size_t n;     /* of those that were fed, then */
	bool stopped; /* the judge, or a fault, said so */
};

/* Look at the next bytes. A fault stops it whatever @judge says. */
void gate_frames_feed(struct gate_frames *f, struct bytes in,
		      gate_frames_judge judge, void *user,
		      struct gate_frames_pass *ret);
/* Whether all that was passed on are whole frames. */
static inline bool gate_frames_between(const struct gate_frames *f)
{
	return f->left == 0;
}

#endif
