/* SPDX-License-Identifier: MIT */
/*
 * JSON (RFC 8259) that strangers send, in one piece: whether it is JSON, and
 * where in it what lies. Nothing is built of it and no memory is taken, so that
 * a text costs its length and no more. Pure.
 *
 * The grammar is that of the RFC, in UTF-8 and at most SES_JSON_DEPTH levels
 * deep. Numbers may be of any size, names may stand twice, and \ud800 may stand
 * alone: what is passed on as it is written need not mean anything here. A text
 * that is taken out is UTF-8, though, and half a pair of surrogates is none.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/bytes.h"

#define SES_JSON_DEPTH 128 /* levels of brackets in a JSON text */

enum ses_json_sort {
	SES_JSON_NONE, /* nothing that a value begins with */
	SES_JSON_OBJECT,
	SES_JSON_ARRAY,
	SES_JSON_TEXT,
	SES_JSON_NUMBER,
	SES_JSON_TRUE,
	SES_JSON_FALSE,
	SES_JSON_NULL,
};

enum ses_json_fault {
	SES_JSON_FINE,
	SES_JSON_BROKEN, /* it is no JSON */
	SES_JSON_DEEP,	 /* it has more levels than are followed */
};

/* Where a reader is. */
struct ses_json {
	struct bytes rest; /* not looked at yet, or from the fault on */
	enum ses_json_sort sort;
	enum ses_json_fault fault;
	bool begun, ended;
};

/* A member of an object or an element of an array, borrowed as it is written. */
struct ses_json_item {
	enum ses_json_sort sort;
	struct bytes name;  /* with its quotes; that of an element is empty */
	struct bytes value; /* a text has its quotes, too */
};

/*
 * Begin to read @text; returns what it is, or begins like. Its items are what
 * ses_json_next() gives; a value that has none is its own only item.
 */
enum ses_json_sort ses_json_begin(struct ses_json *j, struct bytes text);
/*
 * False: there are no more; then, and not before, j->fault says whether all of
 * the text is JSON.
 */
bool ses_json_next(struct ses_json *j, struct ses_json_item *ret_item);

/* ---- What items are ---- */

/* Whether @quoted, a text as it is written, is @text. */
bool ses_json_is(struct bytes quoted, const char *text);
/* What a text without escapes says, borrowed. False: it has some. */
bool ses_json_borrow(struct bytes quoted, struct bytes *ret_text);
/*
 * What a text says, written to @out, which has room for @quoted.len bytes.
 * False: half a pair of surrogates is in it.
 */
bool ses_json_text(struct bytes quoted, uint8_t *out, size_t *ret_len);
/* False: it has a fraction or an exponent, or is no int64_t. */
bool ses_json_integer(struct bytes number, int64_t *ret_value);

#endif
