/* SPDX-License-Identifier: MIT */
/*
 * curl's options are rows of curl_options.def; each becomes an option of the
 * doctor, nothing, a note, or a refusal that names it. Values are never quoted
 * in complaints, because half of them are secrets.
 */
#include "doctor/curl.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/options.h"
#include "doctor/power.h"
#include "doctor/shell_words.h"
#include "net/addr.h"

static const struct option_row rows[] = {
#define CURL(name, letter, argument, action, text) \
	{"curl", name, letter, argument, text},
#include "doctor/curl_options.def"
#undef CURL
};

static const enum action {
	URL,
	HEADER,
	COOKIE,
	REFERER,
	USER,
	BEARER,
	METHOD,
	PROXY,
	PROXY_USER,
	SOCKS,
	NOPROXY,
	RESOLVE,
	CERT,
	INTERFACE,
	SECONDS,
	SAME,
	IGNORE,
	TELL,
	REFUSE,
} actions[] = {
#define CURL(name, letter, argument, action, text) action,
#include "doctor/curl_options.def"
#undef CURL
};

struct reading {
	struct doctor_import *m;
	const char *option; /* as written */
	const char *proxy, *proxy_user;
	bool agent;
};

/* ---- what needs more than passing on ---- */

static int say_field(struct reading *r, const char *name, const char *value)
{
	return doctor_import_field(r->m, bytes_of_str(name),
				   bytes_of_str(value));
}

/* "Name: value", "Name:" (leave it out), "Name;" (send it empty). */
static int take_header(struct reading *r, const char *text)
{
	struct bytes all = bytes_of_str(text);
	ptrdiff_t colon;

	if (text[0] == '@')
		return doctor_import_fail(r->m,
					  "%s reads fields from a file, "
					  "which is not done",
					  r->option);
	/* HTTP/2's own begin with a colon */
	colon = bytes_find_byte(bytes_from(all, 1), ':');
	if (colon >= 0) {
		struct bytes name = bytes_first(all, (size_t)colon + 1);
		struct bytes value =
			bytes_trim(bytes_from(all, (size_t)colon + 2));

		return value.len || text[0] == ':'
			       ? doctor_import_field(r->m, name, value)
			       : doctor_import_say(r->m, "header", all);
	}
	if (all.len > 1 && text[all.len - 1] == ';')
		return doctor_import_say(r->m, "header", all);
	doctor_import_note(r->m, "a field without a colon was left out, as "
				 "curl does");
	return 0;
}

static int take_cookie(struct reading *r, const char *text)
{
	if (!strchr(text, '='))
		return doctor_import_fail(r->m,
					  "%s reads cookies from a file, "
					  "which is not done",
					  r->option);
	return doctor_import_say(r->m, "cookie", bytes_of_str(text));
}

/* "URL;auto" makes curl follow with more of them. */
static int take_referer(struct reading *r, const char *text)
{
	struct bytes url = bytes_of_str(text);

	if (url.len >= 5 &&
	    bytes_equal_str(bytes_from(url, url.len - 5), ";auto"))
		url.len -= 5;
	return url.len ? doctor_import_field(r->m, BYTES("Referer"), url) : 0;
}

static int take_user(struct reading *r, const char *text)
{
	if (!strchr(text, ':'))
		return doctor_import_fail(r->m,
					  "%s has no password, for which "
					  "curl would ask: NAME:PASSWORD",
					  r->option);
	return doctor_import_say(r->m, "user", bytes_of_str(text));
}

static int take_bearer(struct reading *r, const char *text)
{
	char *value;
	int status;

	if (asprintf(&value, "Bearer %s", text) < 0)
		return doctor_import_fail(r->m, "out of memory");
	status = say_field(r, "Authorization", value);
	free(value);
	return status;
}

static int take_method(struct reading *r, const char *text)
{
	char shown[24];

	if (strcmp(text, "GET") == 0)
		return 0;
	return doctor_import_fail(
		r->m,
		"it asks by %s; a WebSocket handshake is a GET, so this "
		"is another request of the page",
		bytes_printable(bytes_of_str(text), shown, sizeof(shown)));
}

static int take_socks(struct reading *r, const char *text)
{
	char *url;
	int status;

	if (asprintf(&url, "socks5h://%s", text) < 0)
		return doctor_import_fail(r->m, "out of memory");
	status = doctor_import_say(r->m, "proxy", bytes_of_str(url));
	free(url);
	return status;
}

/* curl marks what may be forgotten with "+", and forgets with "-". */
static int take_resolve(struct reading *r, const char *text)
{
	if (*text == '-')
		return 0;
	return doctor_import_say(r->m, "resolve",
				 bytes_of_str(*text == '+' ? text + 1 : text));
}

/* "FILE:PASSWORD" in curl; "\:" is a colon. */
static int take_cert(struct reading *r, const char *text)
{
	struct bytes file = bytes_of_str(text);
	ptrdiff_t colon = bytes_find_byte(file, ':');

	if (colon > 1) {
		doctor_import_note(r->m,
				   "%s: a key with a pass phrase is not "
				   "read",
				   r->option);
		file.len = (size_t)colon;
	}
	return doctor_import_say(r->m, "cert", file);
}

static int take_interface(struct reading *r, const char *text)
{
	struct ses_addr addr;

	if (ses_addr_parse(bytes_of_str(text), 0, &addr))
		return doctor_import_say(r->m, "source", bytes_of_str(text));
	doctor_import_note(r->m,
			   "%s was left out: an address of this machine "
			   "can be given, as --source",
			   r->option);
	return 0;
}

static int take_seconds(struct reading *r, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.01) || seconds > 600)
		return 0; /* 0 is none in curl; here a limit there must be */
	return doctor_import_say(r->m, "timeout", bytes_of_str(text));
}

static int take_tell(struct reading *r, const char *text)
{
	doctor_import_note(r->m, "%s was left out: %s", r->option, text);
	return 0;
}

static int take_noproxy(struct reading *r, const char *text)
{
	if (strcmp(text, "*") == 0)
		return doctor_import_say(r->m, "no-proxy", bytes_of_str(""));
	return take_tell(r, "the variable no_proxy names such hosts");
}

static int take_same(struct reading *r, const char *option, const char *value)
{
	return doctor_import_say(r->m, option, bytes_of_str(value));
}

static int take_option(struct reading *r, enum action action, const char *text,
		       const char *value)
{
	switch (action) {
	case URL:
		return doctor_import_url(r->m, bytes_of_str(value));
	case HEADER:
		return take_header(r, value);
	case COOKIE:
		return take_cookie(r, value);
	case REFERER:
		return take_referer(r, value);
	case USER:
		return take_user(r, value);
	case BEARER:
		return take_bearer(r, value);
	case METHOD:
		return take_method(r, value);
	case PROXY:
		r->proxy = value;
		return 0;
	case PROXY_USER:
		r->proxy_user = value;
		return 0;
	case SOCKS:
		return take_socks(r, value);
	case NOPROXY:
		return take_noproxy(r, value);
	case RESOLVE:
		return take_resolve(r, value);
	case CERT:
		return take_cert(r, value);
	case INTERFACE:
		return take_interface(r, value);
	case SECONDS:
		return take_seconds(r, value);
	case SAME:
		return take_same(r, text, value);
	case TELL:
		return take_tell(r, text);
	case REFUSE:
		return doctor_import_fail(r->m, "%s: %s", r->option, text);
	case IGNORE:
		break;
	}
	return 0;
}

/* ---- the whole command ---- */

static bool is_unreserved(char c)
{
	return (byte_lower((uint8_t)c) >= 'a' && byte_lower((uint8_t)c) <= 'z') ||
	       (c >= '0' && c <= '9') || strchr("-._~", c);
}

/* @text with what means something in a URL as %XX; malloc'ed or NULL. */
static char *encode(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = malloc(strlen(text) * 3 + 1), *at = out;

	for (; out && *text; text++) {
		uint8_t c = (uint8_t)*text;

		if (is_unreserved(*text) || *text == ':') {
			*at++ = *text;
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	if (out)
		*at = 0;
	return out;
}

/* --proxy and --proxy-user together are one URL. */
static int say_proxy(struct reading *r)
{
	const char *host, *scheme = "http://";
	char *user, *url;
	size_t len;
	int status;

	if (!r->proxy)
		return 0;
	if (!r->proxy_user || strchr(r->proxy, '@'))
		return take_same(r, "proxy", r->proxy);
	host = strstr(r->proxy, "://");
	if (host)
		scheme = r->proxy;
	len = host ? (size_t)(host - r->proxy) + 3 : strlen(scheme);
	host = host ? host + 3 : r->proxy;
	user = encode(r->proxy_user);
	if (!user ||
	    asprintf(&url, "%.*s%s@%s", (int)len, scheme, user, host) < 0)
		url = NULL;
	free(user);
	if (!url)
		return doctor_import_fail(r->m, "out of memory");
	status = take_same(r, "proxy", url);
	free(url);
	return status;
}

/* curl takes a name without a scheme for http. */
static int take_url(struct reading *r, const char *word)
{
	char *url;
	int status;

	if (strstr(word, "://"))
		return doctor_import_url(r->m, bytes_of_str(word));
	if (asprintf(&url, "http://%s", word) < 0)
		return doctor_import_fail(r->m, "out of memory");
	status = doctor_import_url(r->m, bytes_of_str(url));
	free(url);
	return status;
}

static int read_options(struct reading *r, char **words)
{
	struct option_reader o = {
		.command = "curl",
		.rows = rows,
		.n_rows = sizeof(rows) / sizeof(rows[0]),
		.next = words,
	};
	int more, status = 0;

	while (status == 0 && (more = option_read(&o)) != 0) {
		r->option = o.written;
		if (more < 0)
			/* the first line: the second is of curl's own help */
			status = doctor_import_fail(
				r->m, "%.*s", (int)strcspn(o.complaint, "\n"),
				o.complaint);
		else if (o.row)
			status = take_option(r, actions[o.row - rows],
					     o.row->text, o.value);
		else
			status = take_url(r, o.value);
	}
	return status;
}

/* "curl", "curl.exe", "/usr/bin/curl". */
static bool is_curl(const char *word)
{
	const char *slash = strrchr(word, '/');

	if (!slash)
		slash = strrchr(word, '\\');
	word = slash ? slash + 1 : word;
	return strcasecmp(word, "curl") == 0 ||
	       strcasecmp(word, "curl.exe") == 0;
}

static int read_words(struct doctor_shell_words *w, struct doctor_import *m)
{
	struct reading r = {.m = m};
	int status;

	if (w->n == 0)
		return doctor_import_fail(m, "it is empty");
	if (w->n == 1 && !is_curl(w->word[0]) && strstr(w->word[0], "://"))
		return doctor_import_url(m, bytes_of_str(w->word[0]));
	if (!is_curl(w->word[0]))
		return doctor_import_fail(m, "it does not begin with curl");
	status = read_options(&r, w->word + 1);
	if (status == 0)
		status = say_proxy(&r);
	if (status == 0 && !doctor_import_said(m, "url"))
		status = doctor_import_fail(
			m, "it has no URL; the whole command is "
			   "one argument, or - and paste it");
	return status;
}

/* A URL that stands alone is not quoted, and "&" in it begins nothing. */
static bool is_lone_url(struct bytes text)
{
	const char *first = (const char *)text.data;

	if (bytes_equal_nocase(bytes_first(text, 4), BYTES("curl")) ||
	    text.len == 0 || !memmem(text.data, text.len, "://", 3))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (memchr(" \t\r\n'\"`", first[i], 7) || first[i] == 0)
			return false;
	return true;
}

int doctor_curl_read(struct bytes text, struct doctor_import *m)
{
	struct doctor_shell_words *w;
	int status;

	text = bytes_trim(text);
	while (text.len > 0 && memchr(" \t\r\n", text.data[text.len - 1], 4))
		text.len--;
	if (is_lone_url(text))
		return doctor_import_url(m, text);
	if (doctor_power_is(text))
		return doctor_power_read(text, m);
	w = malloc(sizeof(*w));
	if (!w)
		return doctor_import_fail(m, "out of memory");
	status = doctor_shell_words_split(w, text);
	if (status < 0)
		doctor_import_fail(m, "%s", w->complaint);
	else
		status = read_words(w, m);
	doctor_shell_words_fini(w);
	free(w);
	return status;
}
