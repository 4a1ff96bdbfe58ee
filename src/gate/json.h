/* SPDX-License-Identifier: MIT */
/*
 * JSON that is taken apart as values of jansson: that of tokens and keys, which
 * a stranger may have written, and our own with strangers' words in it. Strict,
 * and of bounded depth.
 */
#ifndef GATE_JSON_H
#define GATE_JSON_H

#include <jansson.h>

#include "base/bytes.h"

#define GATE_JSON_MAX_DEPTH 16

/*
 * The object that is all of @text, to be released. NULL: *ret_wrong is a
 * static sentence without its subject. A name that stands twice in one object
 * is a fault, since two readers may take two different values.
 */
json_t *gate_json_read(struct bytes text, const char **ret_wrong);
/*
 * The same of any value. NULL: errno is ENOMEM, or EINVAL where @text is NULL or
 * no JSON.
 */
json_t *gate_json_load(const char *text);
/* The string called @name in @object, borrowed; data NULL: there is none. */
struct bytes gate_json_text(const json_t *object, const char *name);
/* The string that @value is, borrowed; data NULL: it is none. */
struct bytes gate_json_bytes(const json_t *value);

#endif
