/* SPDX-License-Identifier: MIT */
/*
 * No input keeps a session busy for longer than it has bytes: whatever a frame
 * begins with, and whatever follows, the session comes back.
 */
#include "test.h"

#include "peer.h"
#include "wire/deflate.h"

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

/* Half a KiB of compressed input is inflated at a time: 1032:1 at most. */
TEST("however much comes of a few bytes, others have their turn soon")
{
	static const uint8_t zeros[4 << 20];
	const size_t most = (size_t)256 * 1024 + 512 * 1032;
	struct sesame_session_settings settings = {
		.role = SESAME_CLIENT,
		.deflate = {.on = true,
			    .server_max_window_bits = 15,
			    .client_max_window_bits = 15}};
	struct ses_deflate *d = ses_deflate_new(15, false);
	size_t at = 0, used, turns = 0;
	struct ses_buf bomb, in;
	struct peer p;

	ses_buf_init(&bomb, 1 << 20);
	ses_buf_init(&in, 1 << 20);
	assert_int_equal(
		ses_deflate_message(d, bytes_of(zeros, sizeof(zeros)), &bomb),
		0);
	frame_append(&in, 0xc0 | SES_OP_BINARY, ses_buf_bytes(&bomb));
	peer_open(&p, &settings);
	for (; at < ses_buf_len(&in); turns++, at += used) {
		assert_int_equal(ses_session_feed_some(p.session, in.data + at,
						       ses_buf_len(&in) - at,
						       &used),
				 0);
		assert_true(used > 0);
		assert_true(ses_session_inflated(p.session) <= most);
	}
	assert_true(turns >= sizeof(zeros) / most);
	assert_int_equal(strncmp(peer_told(&p), "binary 4194304 ", 15), 0);
	peer_shut(&p);
	ses_buf_fini(&bomb);
	ses_buf_fini(&in);
	ses_deflate_free(d);
}
