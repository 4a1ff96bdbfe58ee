/* SPDX-License-Identifier: MIT */
/*
 * What copies of requests have in common. The hard part is what to believe of
 * the copied handshake: its key is used up, its usual fields say nothing, and
 * whatever is not usual may be the very fault.
 */
#include "doctor/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "doctor/curl.h"
#include "doctor/shell_words.h"
#include "wire/head.h"
#include "wire/upgrade.h"

#define MAX_REQUEST 200000 /* bytes; no server reads so much */

void doctor_import_init(struct doctor_import *m)
{
	m->n_said = m->n_notes = m->said_bytes = 0;
	m->no_credentials = false;
	m->failure[0] = 0;
	m->complaint[0] = 0;
}

void doctor_import_fini(struct doctor_import *m)
{
	for (size_t i = 0; i < m->n_said; i++)
		free(m->said[i].value);
	m->n_said = 0;
}

int doctor_import_fail(struct doctor_import *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(m->complaint, sizeof(m->complaint), format, args);
	va_end(args);
	return -1;
}

void doctor_import_note(struct doctor_import *m, const char *format, ...)
{
	char *note = m->note[m->n_notes];
	va_list args;

	if (m->n_notes == DOCTOR_MAX_NOTES)
		return;
	va_start(args, format);
	vsnprintf(note, sizeof(m->note[0]), format, args);
	va_end(args);
	for (size_t i = 0; i < m->n_notes; i++)
		if (strcmp(m->note[i], note) == 0)
			return; /* once is enough */
	m->n_notes++;
}

const char *doctor_import_said(const struct doctor_import *m, const char *option)
{
	for (size_t i = m->n_said; i > 0; i--)
		if (strcmp(m->said[i - 1].option, option) == 0)
			return m->said[i - 1].value;
	return NULL;
}

int doctor_import_say(struct doctor_import *m, const char *option,
		      struct bytes value)
{
	char *copy;

	if (m->n_said == DOCTOR_MAX_SAID)
		return doctor_import_fail(m, "it says more than %d things",
					  DOCTOR_MAX_SAID);
	if (value.len > MAX_REQUEST - m->said_bytes)
		return doctor_import_fail(m,
					  "it is too large for a handshake: "
					  "over %d kB",
					  MAX_REQUEST / 1000);
	if (bytes_find_byte(value, 0) >= 0)
		return doctor_import_fail(m, "a value in it holds a NUL byte");
	copy = malloc(value.len + 1);
	if (!copy)
		return doctor_import_fail(m, "out of memory");
	if (value.len)
		memcpy(copy, value.data, value.len);
	copy[value.len] = 0;
	m->said[m->n_said].option = option;
	m->said[m->n_said++].value = copy;
	m->said_bytes += value.len;
	return 0;
}

/* ---- fields ---- */

static bool is_websocket(struct bytes value)
{
	return bytes_equal_nocase(value, BYTES("websocket"));
}

static bool has_upgrade(struct bytes value)
{
	struct bytes one;

	while (bytes_next_element(&value, &one))
		if (bytes_equal_nocase(one, BYTES("Upgrade")))
			return true;
	return false;
}

static bool is_13(struct bytes value)
{
	return bytes_equal_str(value, "13");
}

/* What browsers offer; the doctor offers it, too. */
static bool is_deflate(struct bytes value)
{
	return bytes_equal_str(value, "permessage-deflate") ||
	       bytes_equal_str(value, "permessage-deflate; "
				      "client_max_window_bits");
}

static const struct {
	const char *name;
	bool (*is_usual)(struct bytes value);
} handshake[] = {
	{"Upgrade", is_websocket},
	{"Connection", has_upgrade},
	{"Sec-WebSocket-Version", is_13},
	{"Sec-WebSocket-Extensions", is_deflate},
};

static bool is_usual(struct bytes name, struct bytes value)
{
	for (size_t i = 0; i < sizeof(handshake) / sizeof(handshake[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(handshake[i].name)))
			return handshake[i].is_usual(value);
	return false;
}

/* Fields with an empty value are written "Name;", as curl has them. */
int doctor_import_field(struct doctor_import *m, struct bytes name,
			struct bytes value)
{
	char *text;
	int n, r;

	value = bytes_trim(value);
	if (name.len > 0 && name.data[0] == ':') {
		doctor_import_note(m, "its fields of HTTP/2 (:authority and "
				      "the like) were left out");
		return 0;
	}
	if (bytes_equal_nocase(name, BYTES("Sec-WebSocket-Key"))) {
		/* a key is for one handshake */
		if (!ses_key_valid(value))
			doctor_import_note(m, "its Sec-WebSocket-Key, which is "
					      "not 16 bytes in base64, was "
					      "left out for a new one: -H "
					      "sends it as it is");
		return 0;
	}
	if (is_usual(name, value))
		return 0;
	if (name.len > MAX_REQUEST || value.len > MAX_REQUEST)
		return doctor_import_fail(
			m, "a field in it is too large for a handshake");
	n = value.len ? asprintf(&text, "%.*s: %.*s", BYTES_ARG(name),
				 BYTES_ARG(value))
		      : asprintf(&text, "%.*s;", BYTES_ARG(name));
	if (n < 0)
		return doctor_import_fail(m, "out of memory");
	r = doctor_import_say(m, "header", bytes_of(text, (size_t)n));
	free(text);
	return r;
}

/* ---- the URL ---- */

int doctor_import_url(struct doctor_import *m, struct bytes url)
{
	bool tls = bytes_equal_nocase(bytes_first(url, 8), BYTES("https://"));
	bool http = bytes_equal_nocase(bytes_first(url, 7), BYTES("http://"));
	char *text;
	int r;

	if (doctor_import_said(m, "url"))
		return doctor_import_fail(m, "it has two URLs");
	if (url.len == 0 || url.len > MAX_REQUEST)
		return doctor_import_fail(m, "its URL is %s",
					  url.len ? "too long" : "empty");
	if (!tls && !http)
		return doctor_import_say(m, "url", url);
	r = asprintf(&text, "%s://%.*s", tls ? "wss" : "ws",
		     BYTES_ARG(bytes_from(url, tls ? 8 : 7)));
	if (r < 0)
		return doctor_import_fail(m, "out of memory");
	r = doctor_import_say(m, "url", bytes_of(text, (size_t)r));
	free(text);
	return r;
}

/* ---- commands ---- */

#define PIECE 65536

static int read_stream(struct doctor_import *m, FILE *f, const char *name,
		       struct ses_buf *text)
{
	uint8_t *room;
	size_t n;

	do {
		room = ses_buf_room(text, PIECE);
		if (!room)
			return doctor_import_fail(m, "%s holds over 2 MB", name);
		n = fread(room, 1, PIECE, f);
		ses_buf_commit(text, n);
	} while (n > 0);
	if (ferror(f))
		return doctor_import_fail(m, "%s: %s", name, strerror(errno));
	return 0;
}

static int read_command(struct doctor_import *m, const char *value,
			struct ses_buf *text)
{
	const char *name = value[0] == '@' ? value + 1 : "standard input";
	FILE *f;
	int r;

	if (strcmp(value, "-") == 0)
		return read_stream(m, stdin, name, text);
	if (value[0] != '@')
		return ses_buf_append_str(text, value) < 0
			       ? doctor_import_fail(m, "it is over 2 MB long")
			       : 0;
	f = fopen(name, "re");
	if (!f)
		return doctor_import_fail(m, "%s: %s", name, strerror(errno));
	r = read_stream(m, f, name, text);
	fclose(f);
	return r;
}

int doctor_import_command(struct doctor_import *m, const char *value)
{
	struct ses_buf text;
	int r;

	ses_buf_init(&text, DOCTOR_MAX_TEXT + PIECE);
	r = read_command(m, value, &text);
	if (r == 0)
		r = doctor_curl_read(ses_buf_bytes(&text), m);
	ses_buf_fini(&text);
	return r;
}
