/* SPDX-License-Identifier: MIT */
/*
 * No input keeps a session busy for longer than it has bytes: whatever a frame
 * begins with, and whatever follows, the session comes back.
 */
#include "test.h"

#include "peer.h"

#include <unistd.h>

/* Two bytes of a header, then one byte over and over. */
static void feed_begun_with(struct sesame_session_settings *settings,
			    unsigned head, uint8_t rest)
{
	uint8_t in[200];
	struct peer p;

	memset(in, rest, sizeof(in));
	in[0] = (uint8_t)(head >> 8);
	in[1] = (uint8_t)head;
	peer_open(&p, settings);
	for (int again = 0; again < 20 && !p.over; again++)
		peer_feed(&p, bytes_of(in, sizeof(in)));
	peer_shut(&p);
}

TEST("whatever two bytes a frame begins with, the session comes back")
{
	static const uint8_t rests[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0xff};
	struct sesame_session_settings settings = {
		.deflate = {.on = true,
			    .server_max_window_bits = 15,
			    .client_max_window_bits = 15}};

	alarm(100); /* instead of a loop without an end */
	for (unsigned head = 0; head < 0x10000; head++) {
		settings.role = head & 0x80 ? SESAME_SERVER : SESAME_CLIENT;
		feed_begun_with(&settings, head, rests[head % 6]);
	}
	for (size_t i = 0; i < ARRAY_LEN(rests); i++)
		for (unsigned first = 0; first < 256; first++) {
			settings.role = SESAME_SERVER;
			feed_begun_with(&settings, first << 8 | 0xff, rests[i]);
			settings.role = SESAME_CLIENT;
			feed_begun_with(&settings, first << 8 | 0x7f, rests[i]);
		}
	alarm(0);
}
