/* SPDX-License-Identifier: MIT */
/*
 * What members are told, as a line of text that a test can compare: "7:text "
 * for a message, "7:key=text " and "7:key- " for a state, "(3-5) " for a gap,
 * "(?) " for one that nobody knows the length of, "[+ann -bob 2] " for who came
 * and went. Texts are taken as they stand in the JSON.
 */
#ifndef TESTS_HUB_STORY_H
#define TESTS_HUB_STORY_H

#include "base/bytes.h"

/* The text of the first of some frames, cut to @size; what is behind it. */
struct bytes story_take_frame(struct bytes frames, char *out, size_t size);
/* What stands behind @name, up to one of @ends; "" where it does not. */
const char *story_field(const char *json, const char *name, const char *ends,
			char out[256]);
void story_add(char *story, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An envelope. */
void story_add_envelope(char *story, size_t size, const char *json);
void story_add_gap(char *story, size_t size, const char *json);
/* ["ann","bob"] behind @name, each with @sign before it. */
void story_add_names(char *story, size_t size, const char *json,
		     const char *name, const char *sign);

#endif
