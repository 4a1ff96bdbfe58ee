/* SPDX-License-Identifier: MIT */
/*
 * The secrets of a case, and where they stand in a text: as they were given, or
 * spelt as servers spell what they quote (percent-encoded, with the escapes of
 * HTML or JSON, all that within one another, in base64, in hexadecimal digits,
 * in other letters, cut off).
 */
#ifndef DOCTOR_SECRETS_H
#define DOCTOR_SECRETS_H

#include "doctor/case.h"
#include "doctor/reading.h"

#define DOCTOR_MAX_SECRETS  1024 /* four for each, mostly */
#define DOCTOR_LEAST_SECRET 4 /* what is shorter hides nothing, spoils words */

struct doctor_secret {
	struct bytes text; /* borrowed from the case, or from the room below */
	bool base64;	   /* the middle of what it becomes in base64 */
	bool weak;	   /* by its place alone: hidden as a word only */
};

struct doctor_secrets {
	struct doctor_secret one[DOCTOR_MAX_SECRETS];
	size_t n;
	uint8_t room[64 * 1024];
	size_t used;
	struct bytes open[4]; /* of the case, and shown: no secrets */
	bool begins[256]; /* whether any begins with this byte */
	bool too_many;	  /* some are missing here */
	bool ours;	  /* the text is our own, and ends where it ends */
};

static inline bool doctor_is_word_byte(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* All secrets of @c; borrowed from it. */
void doctor_secrets_collect(const struct doctor_case *c,
			    struct doctor_secrets *ret_secrets);
/* spelling.c: how many bytes of the text at @at are to be hidden; 0: no secret
 * begins there. */
size_t doctor_secret_at(const struct doctor_secrets *s,
			const struct doctor_reading *r, size_t at);
/* own_words.c: whether what stands there is of a sentence of ours, with what is
 * around it. */
bool doctor_is_own_word(struct bytes text, size_t at, size_t len);
/* Whether a part of a path is as long and mixed as a token. */
bool doctor_is_secret_step(struct bytes name);
/*
 * foreign.c: the same for secrets of somebody else, known by what stands before them:
 * "token": "...", password=..., //name:...@host. When one begins within a pair
 * at @at, *ret_from is where; it is @at or more.
 */
size_t doctor_foreign_secret_at(struct bytes text, size_t at, size_t *ret_from);

#endif
