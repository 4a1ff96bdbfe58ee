/* SPDX-License-Identifier: MIT */
/* One name after the other, in the order of the certificate. */
#include "net/tls_names.h"

#include <string.h>

static bool is_plain(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] < ' ' || name.data[i] > '~')
			return false;
	return true;
}

bool ses_tls_names_add(struct ses_tls_names *n, enum ses_tls_name_kind kind,
		       struct bytes name)
{
	size_t room = sizeof(n->text) - n->used;
	char *to = n->text + n->used;

	/* A byte that has to be escaped is shown as four. */
	if (n->n == SES_TLS_MAX_NAMES ||
	    name.len >= (is_plain(name) ? room : room / 4)) {
		n->more = true;
		return false;
	}
	bytes_printable(name, to, room);
	n->of[n->n].at = (uint16_t)n->used;
	n->of[n->n++].kind = (uint8_t)kind;
	n->used += strlen(to) + 1;
	return true;
}

const char *ses_tls_next_host(const struct ses_tls_names *n, size_t *i)
{
	while (*i < n->n) {
		size_t at = (*i)++;
		enum ses_tls_name_kind kind = ses_tls_name_kind(n, at);

		if (kind == SES_TLS_NAME_DNS || kind == SES_TLS_NAME_IP)
			return ses_tls_name(n, at);
	}
	return NULL;
}
