/* SPDX-License-Identifier: MIT */
/*
 * The far ends of a fake kernel's wires (kernel.h), for the targets that drive
 * a whole server: the script that the fuzzer's bytes are, and clients that say
 * what they are told to, right or wrong, and judge every byte that comes back.
 * An answer has to be HTTP with the body that its length announces; behind a
 * 101 that answers this client's key, frames have to be what a client's session
 * takes, nothing follows the close frame, and the messages are those that were
 * sent, in their order.
 */
#ifndef TESTS_FUZZ_FAR_H
#define TESTS_FUZZ_FAR_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "far_tls.h"
#include "kernel.h"
#include "wire/frame.h"
#include "wire/session.h"
#include "wire/upgrade.h"

#define MOST_SAID ((size_t)1 << 20) /* by one of them */

static inline void demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "far end: not so: %s\n", what);
	abort();
}

/* ---- The script ---- */

struct script {
	struct bytes rest;
};

static inline bool is_over(const struct script *s)
{
	return s->rest.len == 0;
}

/* Its next byte, 0 when it is over. */
static inline unsigned next_byte(struct script *s)
{
	unsigned byte = s->rest.len ? s->rest.data[0] : 0;

	s->rest = bytes_from(s->rest, 1);
	return byte;
}

static inline struct bytes next_run(struct script *s)
{
	struct bytes run = bytes_first(s->rest, next_byte(s));

	run = bytes_first(s->rest, run.len);
	s->rest = bytes_from(s->rest, run.len);
	return run;
}

/* Lengths at which something changes, and those around them. */
static inline size_t next_length(struct script *s)
{
	static const size_t lengths[] = {0,	1,     125,   126,
					 127,	300,   999,   4096,
					 16384, 65535, 65536, 140000};
	unsigned byte = next_byte(s);

	return byte < 128 ? byte : lengths[byte % 12] + (byte >> 4 & 1);
}

static inline uint64_t next_time(struct script *s)
{
	static const uint64_t times[] = {1,	20,    150,    1001,
					 2001,	5001,  10001,  30001,
					 45000, 75001, 7200000};

	return times[next_byte(s) % 11];
}

/* ---- A client ---- */

enum far_state { FAR_HEAD, FAR_FRAMES, FAR_BODY, FAR_OVER, FAR_TUNNEL };

struct far {
	struct wire *wire;
	struct far_tls tls;
	bool spoilt; /* by bytes that are no records */
	enum far_state state;
	bool reads;	     /* what comes is read at once */
	bool raw;	     /* its request was not made here */
	bool mute;	     /* it says no more, not even what a session says */
	bool deflate;	     /* the server may agree to it */
	struct ses_buf said; /* all of it, from its first byte */
	size_t pushed;	     /* of that, what went out */
	struct ses_buf got;  /* of an answer's head */
	uint64_t body_left;
	/* frames */
	struct sesame_session *session;
	uint8_t head[SES_FRAME_HEAD_MAX];
	size_t head_len;
	uint64_t payload_left;
	bool in_close, closed; /* the frame at hand is its last; it was */
	/* what was sent to it by this program, and has not come yet */
	struct ses_buf expected;
	bool unsure; /* nobody knows what it was sent */
	uint32_t next_mask;
	char key[SES_KEY_LEN + 1]; /* of its handshake */
	size_t skip;		   /* bytes before its request */
	bool asked, raw_head;	   /* its request is one of ours, or is not */
	struct sesame_deflate agreed; /* of a server, with its client */
	bool lenient;		      /* a server behind may answer */
	bool lossy;		      /* not all that is expected need come */
	/* Optional: a 101 came; bytes of a tunnel did, in @got. */
	void (*on_open)(struct far *f, const struct ses_head *request,
			const struct ses_head *answer);
	void (*on_tunnel)(struct far *f);
	/* of a tunnel: who is at its other end, and where there its bytes
	 * begin; of a server behind: where they begin, once it has accepted */
	struct far *pair;
	size_t at, accepted;
	size_t same;	/* bytes of it that were found right */
	bool judged;	/* the tunnel is one that looks at frames */
	bool unchecked; /* its other end is not known */
};

static inline uint64_t digest_of(enum sesame_kind kind, struct bytes data)
{
	struct ses_hash h;
	static const uint8_t seed[SES_HASH_SEED] = "the same forever";

	ses_hash_init(&h, seed);
	ses_hash_bytes(&h, data);
	return ses_hash_end(&h) + (uint64_t)kind;
}

/* A message was sent to it, and taken. */
static inline void far_expect(struct far *f, enum sesame_kind kind,
			      struct bytes data)
{
	uint64_t digest = digest_of(kind, data);

	ses_buf_append(&f->expected, bytes_of(&digest, sizeof(digest)));
}

/* What was said goes out as far as the wire takes it. */
static inline void far_push(struct far *f)
{
	struct bytes rest = bytes_from(ses_buf_bytes(&f->said), f->pushed);
	struct ses_buf *records = &f->tls.records;

	if (f->mute)
		return;
	if (!f->tls.ssl) {
		f->pushed += wire_say(f->wire, rest);
		return;
	}
	f->pushed += far_tls_seal(&f->tls, rest);
	ses_buf_consume(records, wire_say(f->wire, ses_buf_bytes(records)));
}

static inline void far_say(struct far *f, struct bytes data)
{
	ses_buf_append(&f->said, data);
	far_push(f);
}

/* ---- What its session tells and asks ---- */

static inline void on_far_message(void *user, enum sesame_kind kind,
				  uint8_t *data, size_t len)
{
	struct far *f = user;
	uint64_t digest, was;

	if (f->unsure)
		return;
	digest = digest_of(kind, bytes_of(data, len));
	demand(ses_buf_len(&f->expected) >= sizeof(was),
	       "a message came that was sent");
	memcpy(&was, ses_buf_bytes(&f->expected).data, sizeof(was));
	ses_buf_consume(&f->expected, sizeof(was));
	demand(was == digest, "the messages come as they were sent");
}

static inline void on_far_close(void *user, uint16_t code, const char *reason,
				size_t reason_len, bool clean, const char *fault)
{
	if (fault)
		fprintf(stderr, "%s\n", fault);
	demand(!fault, "what the server sends keeps the rules");
}

/* It is filled later, and pushed still later. */
static inline uint8_t *on_far_output(void *user, size_t len)
{
	struct far *f = user;
	static uint8_t dropped[1 << 18];
	uint8_t *room;

	if (f->mute)
		return len <= sizeof(dropped) ? dropped : NULL;
	room = ses_buf_room(&f->said, len);
	if (room)
		ses_buf_commit(&f->said, len);
	return room;
}

static inline uint32_t on_far_mask(void *user)
{
	struct far *f = user;

	f->next_mask = f->next_mask * 1664525u + 1013904223u;
	return f->next_mask;
}

static const struct sesame_session_events far_events = {
	.message = on_far_message,
	.close = on_far_close,
	.output = on_far_output,
	.mask = on_far_mask,
};

/* A key of its own, by which its request is known elsewhere. */
static inline void far_choose_key(struct far *f, unsigned number)
{
	uint8_t random[16] = "the sample";

	random[15] = (uint8_t)number;
	ses_key_encode(random, f->key);
}

static inline void far_begin(struct far *f, struct wire *w)
{
	*f = (struct far){.wire = w, .reads = true};
	far_choose_key(f, 0);
	ses_buf_init(&f->said, MOST_SAID);
	ses_buf_init(&f->got, MOST_SAID);
	ses_buf_init(&f->expected, 1 << 24);
	w->user = f;
}

static inline void far_end(struct far *f)
{
	ses_buf_fini(&f->said);
	ses_buf_fini(&f->got);
	ses_buf_fini(&f->expected);
	sesame_session_free(f->session);
	far_tls_end(&f->tls);
}

/* ---- Judging what comes ---- */

/* What it asked for, as the parser reads it. */
static inline bool far_request(const struct far *f, struct ses_head *ret)
{
	struct ses_head_parser parser;
	enum ses_fault fault;

	ses_head_init(&parser, true, NULL);
	return ses_head_parse(&parser,
			      bytes_from(ses_buf_bytes(&f->said), f->skip), ret,
			      &fault) > 0;
}

/* Where behind its request more begins. */
static inline size_t far_head_length(const struct far *f)
{
	static struct ses_head head;

	return far_request(f, &head) ? f->skip + head.length : 0;
}

static inline void far_open(struct far *f, const struct ses_head *answer)
{
	static struct ses_head request;
	struct ses_deflate_policy policy = {.enabled = f->deflate};
	struct sesame_session_settings settings = {
		.role = SESAME_CLIENT,
		.max_message = SIZE_MAX / 4,
	};
	char accept[SES_ACCEPT_LEN];

	demand(far_request(f, &request), "a request came before its answer");
	ses_key_accept(ses_head_get(&request, "Sec-WebSocket-Key"), accept);
	demand(bytes_equal(ses_head_get(answer, "Sec-WebSocket-Accept"),
			   bytes_of(accept, strnlen(accept, sizeof(accept)))),
	       "the key is answered");
	demand(ses_deflate_choose(&request, &policy, &settings.deflate) == 0,
	       "what was offered could be read");
	/* a server behind may have agreed to less */
	if (!ses_head_get(answer, "Sec-WebSocket-Extensions").data)
		settings.deflate.on = false;
	demand(f->lenient ||
		       settings.deflate.on ==
			       (ses_head_get(answer, "Sec-WebSocket-Extensions")
					.data != NULL),
	       "nothing is agreed to that was not offered");
	f->session = sesame_session_new(&settings, &far_events, f);
	f->state = FAR_FRAMES;
	if (f->on_open)
		f->on_open(f, &request, answer);
}

/* Frame by frame, so that nothing follows the last one. */
static inline void far_walk(struct far *f, struct bytes in)
{
	struct ses_frame frame;
	enum ses_fault fault;
	size_t n;
	int r;

	while (in.len) {
		demand(!f->closed, "nothing follows the close frame");
		n = in.len < f->payload_left ? in.len : (size_t)f->payload_left;
		f->payload_left -= n;
		in = bytes_from(in, n);
		if (f->payload_left)
			return;
		if (n) {
			f->closed = f->in_close;
			continue;
		}
		f->head[f->head_len++] = in.data[0];
		in = bytes_from(in, 1);
		r = ses_frame_decode(bytes_of(f->head, f->head_len), &frame,
				     &fault);
		demand(r >= 0, "frames have heads");
		if (r == 0)
			continue;
		f->head_len = 0;
		f->payload_left = frame.payload_len;
		f->in_close = frame.opcode == SES_OP_CLOSE;
		f->closed = f->in_close && !f->payload_left;
	}
}

static inline void far_take_frames(struct far *f, struct bytes in)
{
	uint8_t *copy;
	bool over;

	far_walk(f, in);
	over = sesame_session_is_over(f->session);
	copy = malloc(in.len ? in.len : 1);
	if (in.len)
		memcpy(copy, in.data, in.len);
	if (!over)
		sesame_session_feed(f->session, copy, in.len);
	free(copy);
	if (f->closed && !f->unsure && !f->lossy)
		demand(ses_buf_len(&f->expected) == 0,
		       "what was sent before the close frame came before it");
}

static inline void far_take(struct far *f, struct bytes in);

static inline void far_take_head(struct far *f, struct bytes in)
{
	static struct ses_head head;
	struct ses_head_parser parser;
	enum ses_fault fault;
	size_t had = ses_buf_len(&f->got);
	int64_t length;
	int r;

	ses_buf_append(&f->got, in);
	ses_head_init(&parser, false, NULL);
	r = ses_head_parse(&parser, ses_buf_bytes(&f->got), &head, &fault);
	demand(r >= 0, "an answer is HTTP");
	if (r == 0)
		return;
	in = bytes_from(in, (size_t)r - had);
	if (head.status == 100) {
		ses_buf_release(&f->got);
		far_take(f, in);
		return;
	}
	if (head.status == 101) {
		far_open(f, &head);
	} else {
		length = ses_head_content_length(&head);
		demand(head.status >= 200, "the status is a last one");
		demand(length >= 0, "the length is told");
		f->state = FAR_BODY;
		f->body_left = (uint64_t)length;
	}
	ses_buf_release(&f->got); /* @in is not of it */
	far_take(f, in);
}

static inline void far_take(struct far *f, struct bytes in)
{
	if (!in.len)
		return;
	switch (f->state) {
	case FAR_HEAD:
		far_take_head(f, in);
		break;
	case FAR_FRAMES:
		far_take_frames(f, in);
		break;
	case FAR_BODY:
		demand(in.len <= f->body_left,
		       "no more comes than was announced");
		f->body_left -= in.len;
		break;
	case FAR_TUNNEL:
		ses_buf_append(&f->got, in);
		if (f->on_tunnel)
			f->on_tunnel(f);
		break;
	default:
		break;
	}
}

static inline void far_take_records(struct far *f, struct bytes in)
{
	static uint8_t plain[16384];
	size_t n;

	far_tls_feed(&f->tls, in);
	while ((n = far_tls_open(&f->tls, plain, sizeof(plain))) > 0)
		far_take(f, bytes_of(plain, n));
	demand(!f->tls.broken || f->spoilt, "what comes is TLS");
}

/* Read what has come. */
static inline void far_read(struct far *f)
{
	struct ses_buf *out = &f->wire->out;

	if (!f->reads)
		return;
	/* what it says to this goes another way, so out stays as it is */
	if (f->tls.ssl)
		far_take_records(f, ses_buf_bytes(out));
	else
		far_take(f, ses_buf_bytes(out));
	ses_buf_consume(out, ses_buf_len(out));
	/* a head's end is known by the head: to HEAD there is no body */
	if (f->wire->shut && !f->wire->cut && f->state == FAR_BODY && !f->raw &&
	    !f->spoilt)
		demand(f->body_left == 0, "the body is as long as announced");
}

/* ---- What it says ---- */

/* A handshake. @how chooses what else is in it. */
static inline void far_ask(struct far *f, const char *path, unsigned how)
{
	static const char *const more[] = {
		"",
		"Sec-WebSocket-Extensions: permessage-deflate\r\n",
		"Sec-WebSocket-Extensions: permessage-deflate; "
		"client_max_window_bits; server_max_window_bits=9\r\n",
		"Sec-WebSocket-Extensions: permessage-deflate; "
		"server_no_context_takeover; client_no_context_takeover\r\n",
		"Sec-WebSocket-Protocol: chat, feed\r\n",
		"Origin: https://a.example\r\n",
		"Origin: https://b.example\r\n",
		"Authorization: Bearer x\r\n"};
	struct ses_buf out;

	f->asked = true;
	ses_buf_init(&out, 4096);
	ses_buf_printf(&out,
		       "GET %s HTTP/1.1\r\nHost: a.example\r\n"
		       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Key: %s\r\n"
		       "Sec-WebSocket-Version: 13\r\n%s\r\n",
		       path, f->key, more[how % 8]);
	far_say(f, ses_buf_bytes(&out));
	ses_buf_fini(&out);
}

/* A message by its session, if there is one; @echoed: it is to come back. */
static inline void far_send(struct far *f, unsigned how, size_t len, bool echoed)
{
	enum sesame_kind kind = how & 4 ? SESAME_BINARY : SESAME_TEXT;
	uint8_t *data = malloc(len + 1);

	memset(data, 'a' + how % 3, len);
	for (size_t i = 0; how & 8 && i < len; i++) /* to be of some use */
		data[i] = (uint8_t)('a' + (i * 7 + i / 11) % 26);
	if (f->session &&
	    sesame_session_send(f->session, kind, data, len) == 0 && echoed)
		far_expect(f, kind, bytes_of(data, len));
	free(data);
	far_push(f);
}

static inline void far_say_message(struct far *f, struct script *s, bool echoed)
{
	unsigned how = next_byte(s);

	far_send(f, how, next_length(s), echoed);
}

static inline void far_say_control(struct far *f, struct script *s)
{
	static const uint16_t codes[] = {0, 1000, 1001, 3000, 4999};
	unsigned how = next_byte(s);
	uint16_t code = codes[how / 2 % 5];

	if (!f->session)
		return;
	if (how & 1)
		sesame_session_ping(f->session, "ping", how >> 1 & 3);
	else
		sesame_session_close(f->session, code, "bye", code ? 3 : 0);
}

/* ---- What befalls it ---- */

static inline void far_part(struct far *f, struct script *s)
{
	unsigned how = next_byte(s) % 3;

	if (how == 0)
		wire_end(f->wire);
	else if (how == 1)
		wire_leave(f->wire);
	else
		wire_reset(f->wire);
}

/* How the network is with it. */
static inline void far_strain(struct far *f, struct script *s)
{
	static const size_t pieces[] = {1, 2, 7, 100, 4096, WIRE_ROOM};
	unsigned how = next_byte(s);

	f->reads = how & 1;
	f->mute = how & 2;
	f->wire->piece = pieces[(how >> 2) % 6];
	f->wire->room = next_length(s);
	if (f->reads && f->wire->room == 0)
		f->wire->room = 1;
}

/* A connect() under way is answered, well or not. */
static inline void far_take_call(struct far *f, struct script *s)
{
	static const int errors[] = {0, 0, 0, ECONNREFUSED, ETIMEDOUT,
				     0, 0, 0, ECONNREFUSED, EHOSTUNREACH};

	wire_answer(f->wire, errors[next_byte(s) % 10]);
}

/* A call of the system that may fail once, and how. */
struct hindrance {
	enum kernel_call call;
	int error;
};

static inline void hinder_by(struct script *s, const struct hindrance *rows,
			     size_t n)
{
	unsigned row = next_byte(s) % n;

	kernel_fail(rows[row].call, rows[row].error);
}

#endif
