/* SPDX-License-Identifier: MIT */
/*
 * What both session targets do: feed the same bytes whole, in parts, and by
 * direct receiving, and demand that the same is told and sent. The first byte
 * chooses compression and limit, the second the parts.
 */
#ifndef TESTS_FUZZ_SESSION_H
#define TESTS_FUZZ_SESSION_H

#include "../wire/peer.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_memory(const struct peer *p, size_t fed)
{
	const struct sesame_session *s = p->session;
	size_t most = s->terms->max_message + SES_CONTROL_MAX;
	size_t held = peer_holds(p);

	check(held <= (most > 64 ? most : 64));
	if (!s->deflate_on)
		check(held <= 64 || held <= 2 * fed);
}

static int feed_parts(struct peer *p, struct bytes in, size_t part)
{
	int error = 0;

	for (size_t fed = 0; in.len && !error && !p->over;
	     in = bytes_from(in, part)) {
		fed += part < in.len ? part : in.len;
		error = peer_feed(p, bytes_first(in, part));
		check_memory(p, fed);
	}
	return error;
}

/* As a connection does: into the message's room wherever it has one. */
static int feed_directly(struct peer *p, struct bytes in, size_t part)
{
	int error = 0;

	while (in.len && !error && !p->over) {
		size_t n;
		uint8_t *room = ses_session_room(p->session, &n);

		n = room && n < part ? n : part;
		n = n < in.len ? n : in.len;
		if (room) {
			memcpy(room, in.data, n);
			error = ses_session_filled(p->session, n);
		} else {
			error = peer_feed(p, bytes_first(in, n));
		}
		in = bytes_from(in, n);
	}
	return error;
}

/*
 * zlib looks further back than a small window while what it looks for is still
 * in the output, so whether data that breaks the agreement inflates depends on
 * the cuts. Neither answer is wrong, and nothing else may differ.
 */
static bool breaks_a_small_window(const struct peer *p)
{
	return p->session->fault == SES_FAULT_DEFLATE_DATA &&
	       p->session->in_bits < 15;
}

static int fuzz_session(enum sesame_role role, const uint8_t *data, size_t size)
{
	static const size_t limits[] = {100, 5000, 1 << 20, SIZE_MAX};
	uint8_t choice = size ? data[0] : 0;
	size_t part = size > 1 ? data[1] + 1u : 1;
	struct bytes in = bytes_from(bytes_of(data, size), 2);
	struct sesame_session_settings settings = {
		.role = role,
		.max_message = limits[choice >> 3 & 3],
		.deflate =
			{
				.on = choice & 1,
				.server_no_context_takeover = choice & 2,
				.client_no_context_takeover = choice & 4,
				.server_max_window_bits = 8 + (choice >> 5),
				.client_max_window_bits = 8 + (choice >> 5),
			},
	};
	int (*const ways[])(struct peer *, struct bytes,
			    size_t) = {feed_parts, feed_directly};
	struct peer whole;
	int error;

	peer_open(&whole, &settings);
	error = feed_parts(&whole, in, SIZE_MAX);
	check(!error || whole.over);
	check(whole.over == sesame_session_is_over(whole.session));
	for (size_t i = 0; i < 2; i++) {
		struct peer p;

		int r;

		peer_open(&p, &settings);
		r = ways[i](&p, in, part);
		if (breaks_a_small_window(&p) || breaks_a_small_window(&whole)) {
			peer_shut(&p);
			continue;
		}
		check(r == error);
		check(bytes_equal(ses_buf_bytes(&whole.told),
				  ses_buf_bytes(&p.told)));
		check(bytes_equal(ses_buf_bytes(&whole.sent),
				  ses_buf_bytes(&p.sent)));
		peer_shut(&p);
	}
	peer_shut(&whole);
	return 0;
}

#endif
