/* SPDX-License-Identifier: MIT */
/*
 * Three kinds of statements are understood, those that Chromium and Firefox
 * write, and no others: PowerShell is a language, and what it would compute is
 * refused and not guessed. Values are never quoted in complaints.
 */
#include "doctor/power.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "doctor/shell_words.h"
#include "wire/utf8.h"

#define MAX_COOKIES 65536

enum kind {
	END,
	LINE, /* a newline, or ; */
	WORD, /* bare: a command, -Option, $name */
	TEXT, /* in quotes */
	SIGN, /* one of = ( ) { } , or @{ as '@' */
};

struct reading {
	struct doctor_import *m;
	struct bytes in;
	size_t at, line;
	bool in_table; /* within @{...}, where = ends a word */
	enum kind kind;
	char sign;
	char *room; /* of what in has; a token is written from here on */
	struct bytes token; /* until the next one is read */
	struct ses_buf cookies;
};

static int refuse(struct reading *r, const char *what)
{
	return doctor_import_fail(r->m, "line %zu of the PowerShell: %s",
				  r->line, what);
}

static uint8_t peek(const struct reading *r, size_t ahead)
{
	return r->at + ahead < r->in.len ? r->in.data[r->at + ahead] : 0;
}

static bool is_word(const char *a, struct bytes b)
{
	return bytes_equal_nocase(bytes_of_str(a), b);
}

static bool ends_in(struct bytes word, const char *end)
{
	size_t n = strlen(end);

	return word.len > n && is_word(end, bytes_from(word, word.len - n));
}

/* ---- tokens ---- */

static void put(struct reading *r, size_t *n, uint8_t c)
{
	r->room[(*n)++] = (char)c;
}

/* No longer in UTF-8 than the $([char]N) that stood for it. */
static void put_rune(struct reading *r, size_t *n, uint32_t c)
{
	uint8_t bytes[4];
	size_t len = ses_utf8_write(c, bytes);

	for (size_t i = 0; i < len; i++)
		put(r, n, bytes[i]);
}

/* "$([char]228)" at hand: its number, or -1. */
static long take_char(struct reading *r)
{
	static const char begin[] = "$([char]";
	struct bytes rest = bytes_from(r->in, r->at), digits;
	ptrdiff_t end;
	uint64_t number;

	if (!bytes_equal_nocase(bytes_first(rest, strlen(begin)),
				bytes_of_str(begin)))
		return -1;
	digits = bytes_from(rest, strlen(begin));
	end = bytes_find_byte(digits, ')');
	if (end < 1 ||
	    !bytes_to_u64(bytes_first(digits, (size_t)end), 0xffff, &number))
		return -1;
	r->at += strlen(begin) + (size_t)end + 1;
	return (long)number;
}

/* Characters beyond the first 65536 are written as two. */
static int put_char(struct reading *r, size_t *n)
{
	long high = take_char(r), low;

	if (high < 0)
		return refuse(r,
			      "a $ would fill in a value, which is not done");
	if (high < ' ')
		return refuse(r, "a control character in a value");
	if (high >= 0xd800 && high < 0xdc00) {
		low = take_char(r);
		if (low < 0xdc00 || low > 0xdfff)
			return refuse(r, "half a character");
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	put_rune(r, n, (uint32_t)high);
	return 0;
}

static bool begins_name(uint8_t c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '(' ||
	       c == '{' || c == '_';
}

static int read_text(struct reading *r, uint8_t quote)
{
	size_t n = 0, begun = r->line;

	for (r->at++; r->at < r->in.len; r->at++) {
		uint8_t c = peek(r, 0);

		if (c == quote && peek(r, 1) != quote) {
			r->at++;
			r->token = bytes_of(r->room, n);
			r->kind = TEXT;
			return 0;
		}
		if (quote == '"' && c == '$' && begins_name(peek(r, 1))) {
			if (put_char(r, &n) < 0)
				return -1;
			r->at--;
			continue;
		}
		r->at += c == quote; /* doubled */
		if (quote == '"' && c == '`') {
			r->at++;
			c = peek(r, 0);
			if (memchr("0abefnrtv", c, 9))
				return refuse(r, "a control character in a "
						 "value");
		}
		if (r->at < r->in.len && c < ' ' && c != '\t')
			return refuse(r, "a control character in a value");
		put(r, &n, c);
	}
	r->line = begun;
	return refuse(r, "a quote has no end");
}

static bool ends_word(uint8_t c)
{
	return c <= ' ' || strchr("\"'(){},;`|&<>", c);
}

/* An address may hold =, a name does not. */
static int read_word(struct reading *r)
{
	bool name = peek(r, 0) == '$' || r->in_table;
	size_t n = 0;

	for (; r->at < r->in.len; r->at++) {
		uint8_t c = peek(r, 0);

		if (ends_word(c) || (c == '=' && name))
			break;
		put(r, &n, c);
	}
	r->token = bytes_of(r->room, n);
	r->kind = WORD;
	return 0;
}

/* Blanks, and line ends behind a backquote. */
static void skip_blanks(struct reading *r)
{
	for (;; r->at++) {
		uint8_t c = peek(r, 0);
		size_t end = peek(r, 1) == '\r' ? 2 : 1;

		if (c == '`' && peek(r, end) == '\n') {
			r->at += end;
			r->line++;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return;
		}
	}
}

static int next(struct reading *r)
{
	uint8_t c;

	skip_blanks(r);
	c = peek(r, 0);
	if (r->at >= r->in.len) {
		r->kind = END;
		return 0;
	}
	if (c == '\n' || c == ';') {
		r->line += c == '\n';
		r->at++;
		r->kind = LINE;
		return 0;
	}
	if (c == '"' || c == '\'')
		return read_text(r, c);
	if (c == '@' && peek(r, 1) == '{')
		r->at++;
	if (strchr("=(){},", peek(r, 0))) {
		r->sign = c;
		r->kind = SIGN;
		r->at++;
		return 0;
	}
	if (c < ' ' || strchr("|&<>#@`", c))
		return refuse(r, "this would begin something else than a "
				 "request");
	return read_word(r);
}

static int want_sign(struct reading *r, char sign)
{
	if (next(r) < 0)
		return -1;
	return r->kind == SIGN && r->sign == sign
		       ? 0
		       : refuse(r, "it does not read as browsers write it");
}

static int want_word(struct reading *r, const char *word)
{
	if (next(r) < 0)
		return -1;
	return r->kind == WORD && is_word(word, r->token)
		       ? 0
		       : refuse(r, "it does not read as browsers write it");
}

/* A value: in quotes, or a bare word that nothing has to fill in. */
static int want_value(struct reading *r)
{
	if (next(r) < 0)
		return -1;
	if (r->kind == TEXT || (r->kind == WORD && r->token.data[0] != '$'))
		return 0;
	return refuse(r, "a value is missing, or something would fill it in, "
			 "which is not done");
}

/* ---- $session ---- */

/* Cookies.Add((New-Object System.Net.Cookie("name", "value", "/", "host"))) */
static int take_cookie(struct reading *r)
{
	int more;

	if (want_sign(r, '(') < 0 || want_sign(r, '(') < 0 ||
	    want_word(r, "New-Object") < 0 ||
	    want_word(r, "System.Net.Cookie") < 0 || want_sign(r, '(') < 0 ||
	    want_value(r) < 0)
		return -1;
	if (ses_buf_printf(&r->cookies,
			   "%s%.*s=", ses_buf_len(&r->cookies) ? "; " : "",
			   BYTES_ARG(r->token)) < 0 ||
	    want_sign(r, ',') < 0 || want_value(r) < 0 ||
	    ses_buf_append(&r->cookies, r->token) < 0)
		return r->m->complaint[0]
			       ? -1
			       : refuse(r, "more than 64 KiB of cookies");
	for (more = next(r); more == 0 && r->kind == SIGN && r->sign == ',';
	     more = next(r))
		if (want_value(r) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (r->kind != SIGN || r->sign != ')')
		return refuse(r, "it does not read as browsers write it");
	return want_sign(r, ')') < 0 ? -1 : want_sign(r, ')');
}

/* $session = New-Object ...; $session.UserAgent = "..."; $session.Cookies... */
static int take_variable(struct reading *r)
{
	bool agent = ends_in(r->token, ".UserAgent");

	if (ends_in(r->token, ".Cookies.Add"))
		return take_cookie(r);
	if (want_sign(r, '=') < 0)
		return -1;
	if (agent)
		return want_value(r) < 0
			       ? -1
			       : doctor_import_say(r->m, "user-agent", r->token);
	return want_word(r, "New-Object") < 0
		       ? -1
		       : want_word(r, "Microsoft.PowerShell.Commands."
				      "WebRequestSession");
}

/* ---- Invoke-WebRequest ---- */

/* "Name"="value", each in its line or with ; between. */
static int take_headers(struct reading *r)
{
	char name[256];
	int status = want_sign(r, '@');

	r->in_table = true;
	while (status == 0 && (status = next(r)) == 0) {
		if (r->kind == LINE)
			continue;
		if (r->kind == SIGN && r->sign == '}')
			break;
		if ((r->kind != TEXT && r->kind != WORD) ||
		    r->token.len >= sizeof(name)) {
			status = refuse(r, "a field of -Headers has no name");
			break;
		}
		snprintf(name, sizeof(name), "%.*s", BYTES_ARG(r->token));
		status = want_sign(r, '=');
		if (status == 0)
			status = want_value(r);
		if (status == 0)
			status = doctor_import_field(r->m, bytes_of_str(name),
						     r->token);
	}
	r->in_table = false;
	return status;
}

static int take_method(struct reading *r)
{
	if (is_word("GET", r->token))
		return 0;
	return refuse(r, "it does not ask by GET; a WebSocket handshake does, "
			 "so this is another request of the page");
}

static int take_option(struct reading *r, struct bytes option)
{
	static const char *const bare[] = {"-UseBasicParsing",
					   "-SkipHeaderValidation",
					   "-DisableKeepAlive"};
	char name[32];

	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++)
		if (is_word(bare[i], option))
			return 0;
	if (is_word("-SkipCertificateCheck", option))
		return doctor_import_say(r->m, "insecure", BYTES(""));
	if (is_word("-Headers", option))
		return take_headers(r);
	if (is_word("-WebSession", option)) {
		if (next(r) < 0)
			return -1;
		return r->kind == WORD && r->token.data[0] == '$'
			       ? 0
			       : refuse(r, "-WebSession has no $session");
	}
	snprintf(name, sizeof(name), "%.*s", BYTES_ARG(option));
	if (is_word("-Body", bytes_of_str(name)))
		return refuse(r,
			      "it sends a body; a WebSocket handshake has "
			      "none, so this is another request of the page");
	if (want_value(r) < 0)
		return -1;
	if (is_word("-Uri", bytes_of_str(name)))
		return doctor_import_url(r->m, r->token);
	if (is_word("-UserAgent", bytes_of_str(name)))
		return doctor_import_say(r->m, "user-agent", r->token);
	if (is_word("-Method", bytes_of_str(name)))
		return take_method(r);
	if (is_word("-Proxy", bytes_of_str(name)))
		return doctor_import_say(r->m, "proxy", r->token);
	if (is_word("-ContentType", bytes_of_str(name)))
		return 0; /* of the body, and there is none */
	return refuse(r, "an option that browsers do not write");
}

static int take_command(struct reading *r)
{
	int status;

	while ((status = next(r)) == 0 && r->kind != LINE && r->kind != END) {
		if (r->kind == WORD && r->token.data[0] == '-')
			status = take_option(r, r->token);
		else if (r->kind != SIGN)
			status = doctor_import_url(r->m, r->token);
		else
			status = refuse(r, "it does not read as browsers write "
					   "it");
		if (status < 0)
			break;
	}
	return status;
}

/* ---- the whole of it ---- */

static bool is_command(struct bytes word)
{
	return is_word("Invoke-WebRequest", word) || is_word("iwr", word) ||
	       is_word("Invoke-RestMethod", word) || is_word("irm", word);
}

static int read_statements(struct reading *r)
{
	int status;

	while ((status = next(r)) == 0 && r->kind != END) {
		if (r->kind == LINE)
			continue;
		if (r->kind == WORD && r->token.data[0] == '$')
			status = take_variable(r);
		else if (r->kind == WORD && is_command(r->token))
			status = take_command(r);
		else
			status = refuse(r, "a statement that browsers do not "
					   "write");
		if (status < 0)
			break;
	}
	if (status == 0 && ses_buf_len(&r->cookies))
		status = doctor_import_say(r->m, "cookie",
					   ses_buf_bytes(&r->cookies));
	if (status == 0 && !doctor_import_said(r->m, "url"))
		status = doctor_import_fail(r->m, "it has no -Uri");
	return status;
}

bool doctor_power_is(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] > ' ')
		n++;
	return (text.len && text.data[0] == '$' &&
		memmem(text.data, text.len, "New-Object", 10)) ||
	       is_command(bytes_first(text, n));
}

int doctor_power_read(struct bytes text, struct doctor_import *m)
{
	struct reading r = {.m = m, .in = text, .line = 1};
	int status;

	if (text.len > DOCTOR_MAX_TEXT)
		return doctor_import_fail(m, "the command is over 2 MB long");
	if (bytes_find_byte(text, 0) >= 0)
		return doctor_import_fail(m, "a NUL byte is in the command");
	r.room = malloc(text.len + 1);
	if (!r.room)
		return doctor_import_fail(m, "out of memory");
	ses_buf_init(&r.cookies, MAX_COOKIES);
	status = read_statements(&r);
	ses_buf_fini(&r.cookies);
	free(r.room);
	return status;
}
