/* SPDX-License-Identifier: MIT */
/*
 * The command line once more, for whoever is to repeat it: quoted for a shell,
 * without secrets. A value is hidden by what its option is for, and then by
 * what is known to be secret.
 */
#include "doctor/report.h"

#include <stdio.h>

#include "doctor/options.h"
#include "doctor/redact.h"
#include "wire/url.h"

#define TEXT_SIZE 4096

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* A head of one line, so that a field is shown as in all other places. */
static void show_field(const struct doctor_case *c, const char *value,
		       char out[TEXT_SIZE])
{
	struct ses_buf line, shown;
	struct bytes text;

	ses_buf_init(&line, 64 * 1024);
	ses_buf_init(&shown, 64 * 1024);
	out[0] = 0;
	if (ses_buf_printf(&line, "HTTP/1.1\n%s\n", value) == 0 &&
	    doctor_redact_head(c, ses_buf_bytes(&line), "", &shown) == 0) {
		text = bytes_from(ses_buf_bytes(&shown), strlen("HTTP/1.1\n"));
		text.len -= text.len > 0; /* its line end */
		snprintf(out, TEXT_SIZE, "%.*s", BYTES_ARG(text));
	}
	ses_buf_fini(&shown);
	ses_buf_fini(&line);
}

static void show_plain(const struct doctor_case *c, const char *value,
		       char out[TEXT_SIZE])
{
	char url[TEXT_SIZE];

	if (ses_url_redact(bytes_of_str(value), url, sizeof(url)) < 0)
		snprintf(url, sizeof(url), "(too long to show)");
	doctor_redact(c, bytes_of_str(url), out, TEXT_SIZE);
}

/* What is shown of @value, which was given for @name; NULL: a word. */
static void show_value(const struct doctor_case *c, const char *name,
		       const char *value, enum doctor_reader reader,
		       char out[TEXT_SIZE])
{
	static const char *const commands[] = {"curl", "works", NULL};
	static const char *const files[] = {"cert",	    "key",  "cacert",
					    "config",	    "html", "har",
					    "proxy-cacert", NULL};
	const char *slash = strrchr(value, '/');
	char text[TEXT_SIZE];

	name = name ? name : "";
	slash = reader == DOCTOR_FOR_OTHERS ? slash : NULL;
	if (reader == DOCTOR_FOR_USER) {
		bytes_printable(bytes_of_str(value), out, TEXT_SIZE);
	} else if (is_one_of(name, commands)) {
		snprintf(out, TEXT_SIZE, "(the command)");
	} else if (strcmp(name, "user") == 0) {
		snprintf(out, TEXT_SIZE, "***:***");
	} else if (strcmp(name, "cookie") == 0) {
		snprintf(text, sizeof(text), "Cookie: %s", value);
		show_field(c, text, out);
		memmove(out, out + strlen("Cookie: "),
			strlen(out) - strlen("Cookie: ") + 1);
	} else if (strcmp(name, "header") == 0) {
		show_field(c, value, out);
	} else if (is_one_of(name, files)) {
		show_plain(c, slash ? slash + 1 : value, out);
	} else {
		show_plain(c, value, out);
	}
}

static int put_quoted(const char *text, struct ses_buf *out)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_./:=,@%+";
	int r = 0;

	if (*text && strspn(text, plain) == strlen(text))
		return ses_buf_append_str(out, text);
	r = ses_buf_append_str(out, "'");
	for (; *text && r == 0; text++)
		r = *text == '\'' ? ses_buf_append_str(out, "'\\''")
				  : ses_buf_append(out, bytes_of(text, 1));
	return r < 0 ? r : ses_buf_append_str(out, "'");
}

int doctor_repeat_command(const struct doctor_case *c, char **argv,
			  enum doctor_reader reader, struct ses_buf *out)
{
	struct option_reader o = {.command = "doctor", .next = argv + 1};
	char value[TEXT_SIZE];
	int r = ses_buf_append_str(out, "sesame doctor");

	o.rows = doctor_option_rows(&o.n_rows);
	while (r == 0 && option_read(&o) > 0) {
		r = ses_buf_printf(out, " %s", o.name ? "--" : "");
		if (r == 0 && o.name)
			r = ses_buf_printf(out, "%s%s", o.name,
					   o.value ? " " : "");
		if (r < 0 || !o.value)
			continue;
		show_value(c, o.name, o.value, reader, value);
		r = put_quoted(value, out);
	}
	return r;
}
