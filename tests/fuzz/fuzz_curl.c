/* SPDX-License-Identifier: MIT */
/*
 * Whatever is pasted as a curl command: nothing is read past its end, and what
 * comes out is options that are known, without a NUL in them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "doctor/curl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const known[] = {
	"url",
#define GROUP(title)
#define OPTION(name, ...) name,
#include "doctor/options.def"
#undef OPTION
#undef GROUP
};

static void check(const struct doctor_import *m)
{
	for (size_t i = 0; i < m->n_said; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			found |= strcmp(m->said[i].option, known[k]) == 0;
		if (!found || !m->said[i].value)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct doctor_import m;

	doctor_import_init(&m);
	if (doctor_curl_read(bytes_of(data, len), &m) < 0 && !m.complaint[0])
		abort();
	check(&m);
	doctor_import_fini(&m);
	return 0;
}
