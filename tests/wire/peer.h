/* SPDX-License-Identifier: MIT */
/*
 * One end of a session that writes down all it is told, a line each, and all
 * it sends. For tests and fuzz targets, so it depends on no test library.
 */
#ifndef TESTS_WIRE_PEER_H
#define TESTS_WIRE_PEER_H

#include "wire/session.h"

#include <stdlib.h>

struct peer {
	struct sesame_session *session;
	struct ses_buf told; /* "text 5 hello\n", "close 1000 - clean\n" */
	struct ses_buf sent;
	uint32_t next_mask;
	bool refuse; /* output() has no room */
	bool over;   /* close() was told */
	/* called inside message(), when set */
	void (*inside)(struct peer *peer);
};

/* The bytes that its session holds for a message in part. */
static inline size_t peer_holds(const struct peer *p)
{
	return p->session->work ? p->session->work->message.capacity : 0;
}

/* A run of bytes as text: itself when short, else its length and a hash. */
static void peer_write(struct peer *p, const char *what, const uint8_t *data,
		       size_t len)
{
	uint32_t hash = 2166136261u;

	if (p->over)
		abort(); /* something was told after the end */
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 16777619u;
	if (len <= 32) {
		ses_buf_printf(&p->told, "%s %zu ", what, len);
		ses_buf_append(&p->told, bytes_of(data, len));
		ses_buf_append_str(&p->told, "\n");
	} else {
		ses_buf_printf(&p->told, "%s %zu #%08x\n", what, len, hash);
	}
}

static void peer_message(void *user, enum sesame_kind kind, uint8_t *data,
			 size_t len)
{
	struct peer *p = user;

	peer_write(p, kind == SESAME_TEXT ? "text" : "binary", data, len);
	if (len)
		data[0] ^= 0xff; /* it may be changed in place */
	if (p->inside)
		p->inside(p);
}

static void peer_ping(void *user, const uint8_t *data, size_t len)
{
	peer_write(user, "ping", data, len);
}

static void peer_pong(void *user, const uint8_t *data, size_t len)
{
	peer_write(user, "pong", data, len);
}

static void peer_close(void *user, uint16_t code, const char *reason,
		       size_t reason_len, bool clean, const char *fault)
{
	struct peer *p = user;

	if (p->over)
		abort();
	ses_buf_printf(&p->told, "close %u %s %s", code,
		       clean ? "clean" : "cut", fault ? fault : "-");
	ses_buf_append_str(&p->told, reason_len ? " " : "");
	ses_buf_append(&p->told, bytes_of(reason, reason_len));
	ses_buf_append_str(&p->told, "\n");
	p->over = true;
}

static uint8_t *peer_output(void *user, size_t len)
{
	struct peer *p = user;
	uint8_t *room = p->refuse ? NULL : ses_buf_room(&p->sent, len);

	if (room)
		ses_buf_commit(&p->sent, len);
	return room;
}

static uint32_t peer_mask(void *user)
{
	struct peer *p = user;

	p->next_mask = p->next_mask * 1664525u + 1013904223u;
	return p->next_mask;
}

static const struct sesame_session_events peer_events = {
	.message = peer_message,
	.ping = peer_ping,
	.pong = peer_pong,
	.close = peer_close,
	.output = peer_output,
	.mask = peer_mask,
};

static inline void peer_open(struct peer *p,
			     const struct sesame_session_settings *settings)
{
	*p = (struct peer){.next_mask = 1};
	ses_buf_init(&p->told, (size_t)1 << 30);
	ses_buf_init(&p->sent, (size_t)1 << 30);
	p->session = sesame_session_new(settings, &peer_events, p);
	if (!p->session)
		abort();
}

static inline void peer_shut(struct peer *p)
{
	sesame_session_free(p->session);
	ses_buf_fini(&p->told);
	ses_buf_fini(&p->sent);
}

/*
 * Feed a copy of @in that is exactly as long as it may be read, so that a
 * memory checker sees every byte too far.
 */
static inline int peer_feed(struct peer *p, struct bytes in)
{
	uint8_t *copy = malloc(in.len ? in.len : 1);
	int error;

	if (!copy)
		abort();
	if (in.len)
		memcpy(copy, in.data, in.len);
	error = sesame_session_feed(p->session, copy, in.len);
	free(copy);
	return error;
}

/* The same in parts of @part bytes; stops at the first error. */
static inline int peer_feed_parts(struct peer *p, struct bytes in, size_t part)
{
	int error = 0;

	for (; in.len && !error && !p->over; in = bytes_from(in, part))
		error = peer_feed(p, bytes_first(in, part));
	return error;
}

/* The session's log so far as a string; valid until the next event. */
static inline const char *peer_told(struct peer *p)
{
	uint8_t *end = ses_buf_room(&p->told, 1);

	*end = '\0';
	return (const char *)p->told.data + p->told.start;
}

/* ---- frames made by hand, right and wrong ---- */

#define FRAME_MASKED 0x100 /* added to the first byte: mask the payload */

/*
 * Append a frame: @first is its first byte (FIN, RSV, opcode), with
 * FRAME_MASKED as a client sends it.
 */
static inline void frame_append(struct ses_buf *out, unsigned first,
				struct bytes payload)
{
	static const uint8_t key[4] = {0x12, 0x34, 0xab, 0xcd};
	struct ses_frame frame = {
		.fin = first & 0x80,
		.rsv1 = first & 0x40,
		.rsv2 = first & 0x20,
		.rsv3 = first & 0x10,
		.opcode = first & 15,
		.masked = first & FRAME_MASKED,
		.mask = {0x12, 0x34, 0xab, 0xcd},
		.payload_len = payload.len,
	};
	uint8_t head[SES_FRAME_HEAD_MAX];

	ses_buf_append(out, bytes_of(head, ses_frame_encode(&frame, head)));
	for (size_t i = 0; i < payload.len; i++) {
		uint8_t byte = payload.data[i];

		byte ^= frame.masked ? key[i % 4] : 0;
		ses_buf_append(out, bytes_of(&byte, 1));
	}
}

#endif
