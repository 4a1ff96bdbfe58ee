/* SPDX-License-Identifier: MIT */
/* What `why` and `check` both tell: looks in their order, and what would help. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include <jansson.h>

#include "gate/amend.h"
#include "gate/story.h"

/* "  name        value", the value wrapped at 80 columns; nothing for "". */
void tell_row(const char *name, const char *value);
/* The looks of a story's trace, a line or two each. */
void tell_trace(const struct gate_story *story);
/* The story as JSON, to be released. NULL: no memory, and that is said. */
json_t *tell_object(const struct gate_story *story);
/*
 * Read @config as it is now and try on it what would let the story's request
 * in. Says on standard output, or adds "now" to @json when it is not NULL.
 * Nothing is said when there is no such file.
 */
void tell_change(const struct gate_story *story, const char *config,
		 json_t *json);
/* "2026-11-22 10:00:05", in the time of this place. */
void tell_time(int64_t time_ms, char out[32]);

/*
 * Whether a look is one that policy and request decide alone, by its lists;
 * what others said, no list can change.
 */
bool tell_is_ruled(const char *check);

#endif
