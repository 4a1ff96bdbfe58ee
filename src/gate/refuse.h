/* SPDX-License-Identifier: MIT */
/*
 * What a refused client is told: the status, a sentence and a reference. It
 * never learns the policy, unless `disclose` says so; what of its own request
 * is repeated is made printable, and is never HTML.
 */
#ifndef GATE_REFUSE_H
#define GATE_REFUSE_H

#include "base/buf.h"
#include "gate/policy.h"
#include "why/cause.h"

struct gate_answer {
	int status;
	enum why_cause cause;
	const char *sentence;	/* NULL: the status's own */
	struct bytes path;	/* that was asked for; may be empty */
	struct bytes accept;	/* the Accept field; data NULL: none */
	const char *reference;
	enum gate_disclose disclose;
	const char *rule, *file; /* "" or what `full` tells */
	unsigned line;
	const struct ses_field *fields; /* more of them */
	size_t n_fields;
};

/*
 * With what a refusal of @status is closed after an acceptance: 4403, which no
 * second try changes; 4429, too often; 1013, no room at the moment; 1011, the
 * server behind has failed.
 */
unsigned gate_close_code(int status);

/* Append the whole answer to @out. 0 or an error of the buffer. */
int gate_answer_write(const struct gate_answer *answer, struct ses_buf *out);
/*
 * Append its body alone, as problem details (RFC 9457). 0 or an error of the
 * buffer.
 */
int gate_problem_write(const struct gate_answer *answer, struct ses_buf *out);
/*
 * Append the close frame that tells the same: a code with the reference, and
 * with the cause where that is disclosed. 0 or an error of the buffer.
 */
int gate_answer_write_close(const struct gate_answer *answer,
			    struct ses_buf *out);
/* Whether an Accept field prefers JSON to text (RFC 9110 12.5.1). */
bool gate_prefers_json(struct bytes accept);

#endif
