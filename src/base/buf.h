/* SPDX-License-Identifier: MIT */
/*
 * A byte queue that grows as bytes arrive, up to a ceiling set at its birth.
 * Appended at the end, consumed at the front.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/bytes.h"

struct ses_buf {
	uint8_t *data;	 /* heap, or NULL while empty */
	size_t start;	 /* first byte not consumed */
	size_t end;	 /* one past the last byte */
	size_t capacity; /* bytes at data */
	size_t limit;	 /* end - start never exceeds this */
};

/* An empty queue that will hold at most @limit_bytes. Takes no memory yet. */
void ses_buf_init(struct ses_buf *b, size_t limit_bytes);
/* Free the memory; the queue is empty and usable again. */
void ses_buf_fini(struct ses_buf *b);
/* What is queued; valid until the next call that changes @b. */
static inline struct bytes ses_buf_bytes(const struct ses_buf *b)
{
	/* NULL + 0 is undefined in C */
	return bytes_of(b->data ? b->data + b->start : NULL, b->end - b->start);
}
static inline size_t ses_buf_len(const struct ses_buf *b)
{
	return b->end - b->start;
}
/*
 * Make room for @n more bytes and return where they go, or NULL when that
 * would pass the limit or memory is short. ses_buf_commit() makes them count.
 */
uint8_t *ses_buf_room(struct ses_buf *b, size_t n);
/* Count @n (<= what was asked for) bytes written into the room as queued. */
void ses_buf_commit(struct ses_buf *b, size_t n);
/* Append; 0, SESAME_ELIMIT or SESAME_ENOMEM (then nothing was appended). */
int ses_buf_append(struct ses_buf *b, struct bytes in);
int ses_buf_append_str(struct ses_buf *b, const char *s);
int ses_buf_printf(struct ses_buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int ses_buf_vprintf(struct ses_buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* Drop the first @n (<= length) bytes. An emptied queue keeps its memory. */
void ses_buf_consume(struct ses_buf *b, size_t n);
/* Forget the content and give the memory back. */
void ses_buf_release(struct ses_buf *b);
/*
 * A thread keeps up to 32 MiB of big blocks that queues gave back, for the
 * next ones. How much that is now; free those that nobody has taken since the
 * last such call; and free them all: before the thread ends, for one.
 */
size_t ses_buf_spare_bytes(void);
void ses_buf_tidy_spares(void);
void ses_buf_forget_spares(void);

#endif
