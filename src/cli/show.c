/* SPDX-License-Identifier: MIT */
/* Showing what a peer sent: never a control byte on a terminal. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/url.h"

char *cli_printable(const char *text, size_t len, char *out, size_t size)
{
	return bytes_printable(bytes_of(text, len), out, size);
}

char *cli_printable_url(const char *url, char *out, size_t size)
{
	char safe[8192];
	int r = ses_url_redact(bytes_of_str(url), safe, sizeof(safe));

	return bytes_printable(r < 0 ? BYTES("URL") : bytes_of_str(safe), out,
			       size);
}

void cli_print_safely(FILE *f, const char *text, size_t len)
{
	struct bytes left = bytes_of(text, len);

	while (left.len) {
		size_t n = 0, size;
		char *shown;

		while (n < left.len && left.data[n] != '\n' &&
		       left.data[n] != '\t')
			n++;
		size = 4 * n + 1; /* every byte may become \xNN */
		shown = malloc(size);
		if (!shown)
			return;
		fputs(bytes_printable(bytes_first(left, n), shown, size), f);
		free(shown);
		if (n < left.len)
			putc(left.data[n++], f);
		left = bytes_from(left, n);
	}
}
