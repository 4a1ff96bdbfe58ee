/* SPDX-License-Identifier: MIT */
/*
 * The byte queue. It grows by doubling what has really arrived, so memory
 * follows bytes and never an announcement, and moves its content to the front
 * only when that is cheaper than growing.
 */
#include "base/buf.h"

#include <sesame/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALLEST 64

/*
 * Memory fresh from the system costs more to touch than the bytes that go into
 * it cost to copy. So each thread keeps a few big blocks that were given back,
 * for whoever outgrows the smallest of them next.
 */
#define SPARES	    8
#define SPARE_MOST  ((size_t)16 * 1024 * 1024)
#define SPARES_MOST ((size_t)32 * 1024 * 1024)
#ifdef SES_NO_SPARES /* where a look at freed memory is to be noticed */
#define SPARE_LEAST SIZE_MAX
#else
#define SPARE_LEAST ((size_t)128 * 1024)
#endif

struct spare {
	uint8_t *data; /* NULL: none */
	size_t capacity;
	bool idle; /* since ses_buf_tidy_spares() */
};
static _Thread_local struct spare spares[SPARES];
static _Thread_local size_t spare_bytes;

/* ---- big blocks, kept warm ---- */

static bool is_spare_size(size_t capacity)
{
	return capacity >= SPARE_LEAST && capacity <= SPARE_MOST;
}

static bool is_kept(size_t capacity)
{
	return is_spare_size(capacity) && capacity <= SPARES_MOST - spare_bytes;
}

static void give_block(uint8_t *data, size_t capacity)
{
	for (size_t i = 0; is_kept(capacity) && i < SPARES; i++) {
		if (!spares[i].data) {
			spares[i] = (struct spare){data, capacity, false};
			spare_bytes += capacity;
			return;
		}
	}
	free(data);
}

/* One of @needed to @most bytes: what is too long would break a limit. */
static uint8_t *take_block(size_t needed, size_t most, size_t *ret_capacity)
{
	for (size_t i = 0; is_spare_size(needed) && i < SPARES; i++) {
		uint8_t *data = spares[i].data;

		if (!data || spares[i].capacity < needed ||
		    spares[i].capacity > most)
			continue;
		spares[i].data = NULL;
		spare_bytes -= spares[i].capacity;
		*ret_capacity = spares[i].capacity;
		return data;
	}
	return NULL;
}

size_t ses_buf_spare_bytes(void)
{
	return spare_bytes;
}

void ses_buf_forget_spares(void)
{
	for (size_t i = 0; i < SPARES; i++) {
		free(spares[i].data);
		spares[i].data = NULL;
	}
	spare_bytes = 0;
}

void ses_buf_tidy_spares(void)
{
	for (size_t i = 0; spare_bytes && i < SPARES; i++) {
		if (spares[i].data && spares[i].idle) {
			free(spares[i].data);
			spares[i].data = NULL;
			spare_bytes -= spares[i].capacity;
		}
		spares[i].idle = true;
	}
}

/* ---- the queue ---- */

void ses_buf_init(struct ses_buf *b, size_t limit_bytes)
{
	*b = (struct ses_buf){.limit = limit_bytes};
}

void ses_buf_fini(struct ses_buf *b)
{
	give_block(b->data, b->capacity);
	ses_buf_init(b, b->limit);
}

void ses_buf_release(struct ses_buf *b)
{
	ses_buf_fini(b);
}

static void move_to_front(struct ses_buf *b)
{
	if (b->start == 0)
		return;
	memmove(b->data, b->data + b->start, b->end - b->start);
	b->end -= b->start;
	b->start = 0;
}

/* How many more may be queued; a limit may have been lowered below the length. */
static size_t left(const struct ses_buf *b)
{
	size_t len = ses_buf_len(b);

	return len < b->limit ? b->limit - len : 0;
}

/* Twice the capacity, or what @needed (<= limit) asks for; within the limit. */
static size_t next_capacity(const struct ses_buf *b, size_t needed)
{
	size_t most = b->limit > SMALLEST ? b->limit : SMALLEST;
	size_t capacity = b->capacity ? b->capacity : SMALLEST / 2;

	do {
		capacity = capacity > most / 2 ? most : capacity * 2;
	} while (capacity < needed);
	return capacity;
}

/* A block of at least *@capacity with what @b holds; @b's own is given up. */
static uint8_t *move_to_spare(struct ses_buf *b, size_t *capacity)
{
	uint8_t *data = take_block(*capacity, b->limit, capacity);

	if (!data)
		return NULL;
	if (b->end > b->start)
		memcpy(data + b->start, b->data + b->start, b->end - b->start);
	give_block(b->data, b->capacity);
	return data;
}

static bool grow(struct ses_buf *b, size_t needed)
{
	size_t capacity = next_capacity(b, needed);
	uint8_t *data = move_to_spare(b, &capacity);

	if (!data)
		data = realloc(b->data, capacity);
	if (!data)
		return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

/*
 * Moving costs no more than what was consumed since the last time when that
 * was at least as much as is left; otherwise growing is what stays linear.
 */
static bool must_grow(const struct ses_buf *b, size_t needed)
{
	return needed > b->capacity || !b->data ||
	       (b->start < b->end - b->start && b->capacity < b->limit);
}

uint8_t *ses_buf_room(struct ses_buf *b, size_t n)
{
	size_t len = ses_buf_len(b);

	if (n > left(b))
		return NULL;
	if (b->data && n <= b->capacity - b->end)
		return b->data + b->end;
	if (must_grow(b, len + n) && !grow(b, len + n))
		return NULL;
	if (n > b->capacity - b->end)
		move_to_front(b);
	return b->data + b->end;
}

void ses_buf_commit(struct ses_buf *b, size_t n)
{
	b->end += n;
}

int ses_buf_append(struct ses_buf *b, struct bytes in)
{
	uint8_t *room;

	if (in.len > left(b))
		return SESAME_ELIMIT;
	if (in.len == 0)
		return 0;
	room = b->data && in.len <= b->capacity - b->end
		       ? b->data + b->end
		       : ses_buf_room(b, in.len);
	if (!room)
		return SESAME_ENOMEM;
	memcpy(room, in.data, in.len);
	ses_buf_commit(b, in.len);
	return 0;
}

int ses_buf_append_str(struct ses_buf *b, const char *s)
{
	return ses_buf_append(b, bytes_of_str(s));
}

int ses_buf_vprintf(struct ses_buf *b, const char *format, va_list args)
{
	size_t limit = b->limit;
	uint8_t *room;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		return SESAME_EINVAL;
	if ((size_t)n > left(b))
		return SESAME_ELIMIT;
	/* vsnprintf() wants a byte for its NUL, which may pass the limit */
	b->limit = limit < SIZE_MAX ? limit + 1 : limit;
	room = ses_buf_room(b, (size_t)n + 1);
	b->limit = limit;
	if (!room)
		return SESAME_ENOMEM;
	vsnprintf((char *)room, (size_t)n + 1, format, args);
	ses_buf_commit(b, (size_t)n);
	return 0;
}

int ses_buf_printf(struct ses_buf *b, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = ses_buf_vprintf(b, format, args);
	va_end(args);
	return r;
}

void ses_buf_consume(struct ses_buf *b, size_t n)
{
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}
