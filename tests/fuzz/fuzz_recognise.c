/* SPDX-License-Identifier: MIT */
/*
 * Any answer is recognised without reading past it, and the hops keep their
 * promises: in order, each once, printable, the writer among them.
 */
#include <stdlib.h>

#include "why/stack.h"

#define MAX_FIELDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes cut_line(struct bytes *rest)
{
	ptrdiff_t end = bytes_find_byte(*rest, '\n');
	struct bytes line =
		bytes_first(*rest, end < 0 ? rest->len : (size_t)end);

	*rest = bytes_from(*rest, line.len + 1);
	return line;
}

static void read_fields(struct bytes *rest, struct why_answer *answer,
			struct ses_field *fields)
{
	struct bytes line;

	while ((line = cut_line(rest)).len && answer->n_fields < MAX_FIELDS) {
		ptrdiff_t colon = bytes_find_byte(line, ':');

		if (colon < 0)
			continue;
		fields[answer->n_fields].name = bytes_first(line, colon);
		fields[answer->n_fields++].value =
			bytes_trim(bytes_from(line, colon + 1));
	}
}

static void check_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

static void check(const struct why_hops *hops)
{
	if (hops->n > WHY_MAX_HOPS || hops->writer < -1 ||
	    hops->writer >= (int)hops->n)
		abort();
	for (size_t i = 0; i < hops->n; i++) {
		if (i && hops->hop[i].stack <= hops->hop[i - 1].stack)
			abort();
		check_text(hops->hop[i].text);
		check_text(hops->hop[i].mark);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 400, 401, 403, 404, 426, 500, 502};
	struct ses_field fields[MAX_FIELDS];
	struct why_answer answer = {.fields = fields};
	struct bytes rest = bytes_of(data, size);
	struct why_hops hops;

	if (!size)
		return 0;
	answer.status = statuses[data[0] % 8];
	rest = bytes_from(rest, 1);
	answer.reason = cut_line(&rest);
	read_fields(&rest, &answer, fields);
	answer.body = rest;
	why_recognise(&answer, &hops);
	check(&hops);
	return 0;
}
