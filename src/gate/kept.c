/* SPDX-License-Identifier: MIT */
/* Everything in a head that borrows is moved along by the same distance. */
#include "gate/kept.h"

#include <stdlib.h>
#include <string.h>

struct gate_kept *gate_keep_head(const struct ses_head *head, const uint8_t *raw)
{
	struct gate_kept *k = malloc(sizeof(*k) + head->length);

	if (!k)
		return NULL;
	k->head = *head;
	k->len = head->length;
	memcpy(k->text, raw, head->length);
	k->head.method = gate_kept_bytes(k, raw, head->method);
	k->head.target = gate_kept_bytes(k, raw, head->target);
	k->head.reason = gate_kept_bytes(k, raw, head->reason);
	for (size_t i = 0; i < head->n_fields; i++) {
		struct ses_field *f = &k->head.fields[i];

		f->name = gate_kept_bytes(k, raw, f->name);
		f->value = gate_kept_bytes(k, raw, f->value);
	}
	return k;
}

struct gate_kept *gate_keep_request(const struct ses_head *head)
{
	return gate_keep_head(head, head->method.data);
}
