/* SPDX-License-Identifier: MIT */
/*
 * Static tokens: a file with a line "NAME:SHA-256 in hex" for each, so that
 * who reads the file cannot use them. Pure.
 */
#ifndef GATE_TOKENS_H
#define GATE_TOKENS_H

#include "gate/secret_file.h"

#define GATE_TOKEN_NAME_MAX 64 /* bytes */

struct gate_tokens;

/*
 * Read a file of tokens; "#" begins a comment. One name may have several
 * tokens, so that they can be changed. NULL: complaints say why.
 */
struct gate_tokens *gate_tokens_read(const struct gate_secret_file *file);
void gate_tokens_free(struct gate_tokens *tokens);
size_t gate_tokens_count(const struct gate_tokens *tokens);
/*
 * Whose token @token is, with the line of the file; NULL: nobody's. Always
 * takes the same time.
 */
const char *gate_tokens_find(const struct gate_tokens *tokens,
			     struct bytes token, unsigned *ret_line);

#endif
