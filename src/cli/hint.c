/* SPDX-License-Identifier: MIT */
/*
 * The doctor is to be asked what was asked here: a request without the options
 * that made it is another request, with another answer.
 */
#include "cli/hint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/term.h"
#include "doctor/report.h"

#define COMMAND_BYTES ((size_t)256 << 10)

/* sesame doctor, two words for each option, the URL, NULL */
struct words {
	char *argv[2 + 2 * CLI_GIVEN + 2];
	char option[CLI_GIVEN][32];
	char source[64];
};

/* `bench` takes a range of addresses; each of them asks the same. */
static const char *first_source(const char *value, char out[64])
{
	snprintf(out, 64, "%.*s", (int)strcspn(value, "-,"), value);
	return out;
}

static void collect(const struct cli_request *r, struct words *w)
{
	size_t n = 0;

	w->argv[n++] = (char *)"doctor";
	for (size_t i = 0; i < r->n_given; i++) {
		const char *name = r->given[i].name, *value = r->given[i].value;

		/* the doctor offers no compression, and asks for no nothing */
		if (strcmp(name, "no-deflate") == 0 || (value && !*value))
			continue;
		snprintf(w->option[i], sizeof(w->option[i]), "--%s", name);
		w->argv[n++] = w->option[i];
		if (value && strcmp(name, "source") == 0)
			value = first_source(value, w->source);
		if (value)
			w->argv[n++] = (char *)(uintptr_t)value;
	}
	w->argv[n++] = (char *)(uintptr_t)r->url;
	w->argv[n] = NULL;
}

static void tell_proxy(const struct cli_request *r, const char *colour)
{
	char shown[512];

	if (!r->options.proxy)
		return;
	term_tell(colour,
		  "The way leads through the proxy %s, which %s names%s.",
		  cli_printable_url(r->options.proxy, shown, sizeof(shown)),
		  r->proxy_from,
		  strcmp(r->proxy_from, "--proxy") == 0
			  ? ""
			  : "; --no-proxy goes directly");
}

void cli_hint(const struct cli_request *r, const struct hush *h,
	      const char *colour)
{
	/* The command line stands above on a terminal, secrets and all. */
	bool terminal = isatty(STDERR_FILENO);
	struct words *w = calloc(1, sizeof(*w));
	struct ses_buf command;
	struct bytes text;

	tell_proxy(r, colour);
	ses_buf_init(&command, COMMAND_BYTES);
	if (w) {
		collect(r, w);
		if (doctor_repeat_command(&h->secrets, w->argv,
					  terminal ? DOCTOR_FOR_USER
						   : DOCTOR_FOR_A_LOG,
					  &command) == 0) {
			text = ses_buf_bytes(&command);
			term_tell(colour, "%.*s tells why.%s", BYTES_ARG(text),
				  !terminal && memmem(text.data, text.len,
						      "***", 3)
					  ? " (*** is what you gave.)"
					  : "");
		}
	}
	ses_buf_fini(&command);
	free(w);
}
