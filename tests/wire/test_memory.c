/* SPDX-License-Identifier: MIT */
/*
 * The session when memory runs short: each allocation in turn is made to fail.
 * Sanitizers bring their own allocator, so under them this stands aside.
 */
#include "test.h"

#include "peer.h"

#include <sesame/error.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static bool counting;
static int until_failure; /* allocations that still succeed while counting */
static long alive;	  /* allocations that nobody has freed yet */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static bool fails(void)
{
	return counting && until_failure-- <= 0;
}

/* Visible, so that zlib's calls come here too. */
#pragma GCC visibility push(default)

static void *counted(void *p)
{
	alive += p != NULL;
	return p;
}

void *malloc(size_t n)
{
	return fails() ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	if (!p)
		return malloc(n);
	return fails() ? NULL : __libc_realloc(p, n);
}

void free(void *p)
{
	alive -= p != NULL;
	__libc_free(p);
}

#pragma GCC visibility pop

/* A peer whose own log needs no memory any more. */
static void open_prepared(struct peer *p,
			  const struct sesame_session_settings *settings)
{
	peer_open(p, settings);
	assert_non_null(ses_buf_room(&p->told, 65536));
	assert_non_null(ses_buf_room(&p->sent, 65536));
}

static void make_input(struct ses_buf *in)
{
	uint8_t text[3000];

	memset(text, 'a', sizeof(text));
	frame_append(in, 0x1 | FRAME_MASKED, bytes_of(text, 3000));
	frame_append(in, 0x89 | FRAME_MASKED, BYTES("ping in parts"));
	frame_append(in, 0x80 | FRAME_MASKED, bytes_of(text, 3000));
	frame_append(in, 0xc1 | FRAME_MASKED,
		     BYTES("\xf2\x48\xcd\xc9\xc9\x07\x00"));
}

/* Feed with the @nth allocation failing; returns what feeding returned. */
static int feed_failing(struct peer *p, struct ses_buf *in, int nth)
{
	int error = 0;

	until_failure = nth;
	counting = true;
	for (size_t i = in->start; i < in->end && !error; i += 100) {
		size_t n = in->end - i < 100 ? in->end - i : 100;

		error = sesame_session_feed(p->session, in->data + i, n);
	}
	counting = false;
	return error;
}

TEST("whichever allocation fails while receiving, it ends with 1011 and says "
     "so")
{
	struct sesame_session_settings settings = {
		.role = SESAME_SERVER,
		.deflate = {.on = true,
			    .server_max_window_bits = 15,
			    .client_max_window_bits = 15},
	};
	int nth = 0, error;

	do {
		long before = alive;
		struct ses_buf in;
		struct peer p;

		ses_buf_init(&in, 10000);
		make_input(&in);
		open_prepared(&p, &settings);
		error = feed_failing(&p, &in, nth++);
		if (error) {
			assert_int_equal(error, SESAME_ENOMEM);
			assert_non_null(
				strstr(peer_told(&p), "close 1011 cut -\n"));
			assert_true(sesame_session_is_over(p.session));
		} else {
			assert_non_null(strstr(peer_told(&p), "text 5 Hello"));
		}
		peer_shut(&p);
		ses_buf_fini(&in);
		assert_int_equal(alive, before);
	} while (error);
	assert_true(nth > 8);
}

TEST("whichever allocation fails while sending, it says so and goes on")
{
	struct sesame_session_settings settings = {
		.role = SESAME_SERVER,
		.deflate = {.on = true,
			    .server_max_window_bits = 15,
			    .client_max_window_bits = 15},
	};
	char text[1000] = {0};
	int nth = 0, error;

	do {
		long before = alive;
		struct peer p;

		open_prepared(&p, &settings);
		until_failure = nth++;
		counting = true;
		error = sesame_session_send(p.session, SESAME_TEXT, text, 1000);
		counting = false;
		assert_true(error == 0 || error == SESAME_ENOMEM);
		assert_int_equal(ses_buf_len(&p.sent) > 0, error == 0);
		assert_int_equal(
			sesame_session_send(p.session, SESAME_TEXT, text, 1000),
			0);
		peer_shut(&p);
		assert_int_equal(alive, before);
	} while (error);
	assert_true(nth > 4);
}

TEST("a session that cannot be made is NULL")
{
	struct sesame_session_settings settings = {.role = SESAME_SERVER};
	struct sesame_session *s;

	until_failure = 0;
	counting = true;
	s = sesame_session_new(&settings, &peer_events, NULL);
	counting = false;
	assert_null(s);
}

#else

TEST("a sanitizer's allocator is left alone")
{
	skip();
}

#endif
