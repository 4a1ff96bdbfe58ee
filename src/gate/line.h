/* SPDX-License-Identifier: MIT */
/*
 * One line of the access log: an event and what belongs to it, as name=value
 * or as a JSON object. Control bytes of what a client sent are escaped, and a
 * field that does not fit is left out whole. Pure.
 */
#ifndef GATE_LINE_H
#define GATE_LINE_H

#include "base/bytes.h"

#define GATE_LINE_BYTES 8192

struct gate_line {
	bool json;
	size_t len;
	char text[GATE_LINE_BYTES];
};

/* Begin with the time (ms since 1970) and the event: "open". */
void gate_line_begin(struct gate_line *line, bool json, int64_t time_ms,
		     const char *event);
/* Add a field; an empty value is left out. */
void gate_line_text(struct gate_line *line, const char *name, struct bytes value);
void gate_line_number(struct gate_line *line, const char *name, uint64_t value);
void gate_line_seconds(struct gate_line *line, const char *name, uint64_t ms);
/* The whole line with its newline. */
struct bytes gate_line_end(struct gate_line *line);
/*
 * Whether @s begins with \xNN, which stands for a byte that cannot be shown; in
 * JSON its backslash is one of the value's characters.
 */
bool gate_line_is_escape(const char *s);

#endif
