/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259) read piece by piece, for files far larger than memory. The
 * caller pulls one event after the other and skips what it has no use for;
 * nothing is kept but the string that was asked for. Pure: bytes come from a
 * function of the caller's.
 */
#ifndef DOCTOR_JSON_H
#define DOCTOR_JSON_H

#include "base/bytes.h"

#define DOCTOR_JSON_DEPTH 128
#define DOCTOR_JSON_TEXT  (128 * 1024) /* a longer string is cut */
#define DOCTOR_JSON_CHUNK (128 * 1024)

enum doctor_json_event {
	DOCTOR_JSON_ERROR, /* broken; r->error and r->error_at say how */
	DOCTOR_JSON_END,   /* the one value that a file holds is over */
	DOCTOR_JSON_OBJECT,
	DOCTOR_JSON_OBJECT_END,
	DOCTOR_JSON_ARRAY,
	DOCTOR_JSON_ARRAY_END,
	DOCTOR_JSON_KEY,    /* text */
	DOCTOR_JSON_STRING, /* text */
	DOCTOR_JSON_NUMBER, /* text */
	DOCTOR_JSON_TRUE,
	DOCTOR_JSON_FALSE,
	DOCTOR_JSON_NULL,
};

struct doctor_json {
	/* Fill @room with up to @size bytes: how many; 0: the end. */
	size_t (*refill)(void *context, uint8_t *room, size_t size);
	void *context;
	char *text; /* of KEY, STRING, NUMBER; ends with NUL, UTF-8 */
	size_t text_len;
	bool cut;	   /* the text was longer than is kept */
	const char *error; /* what is wrong */
	uint64_t error_at; /* byte of the file, from 0 */
	/* inner */
	uint8_t *chunk;
	size_t at, len;
	uint64_t before; /* bytes of the file before the chunk */
	uint8_t open[DOCTOR_JSON_DEPTH];
	size_t depth;
	unsigned state;
};

/* 0, or SESAME_ENOMEM. doctor_json_fini() in any case. */
int doctor_json_init(struct doctor_json *r,
		     size_t (*refill)(void *context, uint8_t *room,
				      size_t size),
		     void *context);
void doctor_json_fini(struct doctor_json *r);
enum doctor_json_event doctor_json_next(struct doctor_json *r);
/*
 * Pass over the rest of the value that began with @event, which was the last
 * one. False: it is broken, or @event began no value.
 */
bool doctor_json_pass(struct doctor_json *r, enum doctor_json_event event);
/*
 * Skip the value that comes next, whatever its size; before it, nothing of it
 * was read. False: it is broken, or there is none.
 */
bool doctor_json_skip(struct doctor_json *r);

#endif
