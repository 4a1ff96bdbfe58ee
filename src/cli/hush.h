/* SPDX-License-Identifier: MIT */
/*
 * What `sesame connect` tells of the connection, without the secrets that its
 * own command line gave it. Messages are the user's data, and shown whole.
 */
#ifndef CLI_HUSH_H
#define CLI_HUSH_H

#include <sesame/sesame.h>
#include <stdio.h>

#include "doctor/case.h"

struct hush {
	struct doctor_case secrets; /* borrows all but the field of -u */
	char *basic;
};

/* Know the secrets of @url and @o, which are borrowed. 0 or SESAME_ENOMEM;
 * hush_fini() in any case. */
int hush_init(struct hush *h, const char *url,
	      const struct sesame_client_options *o);
void hush_fini(struct hush *h);
/* One line that a peer wrote, or we. Returns @out. */
char *hush_text(const struct hush *h, const char *text, size_t len, char *out,
		size_t size);
/* A head of HTTP, or only its first line, each line after "@mark ". */
void hush_print_head(const struct hush *h, FILE *f, char mark, const char *head,
		     size_t len);
/* What came with a refusal, line by line. */
void hush_print_body(const struct hush *h, FILE *f, const char *body,
		     size_t len);

#endif
