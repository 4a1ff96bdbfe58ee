/* SPDX-License-Identifier: MIT */
/*
 * Where a case keeps its secrets, and what becomes of them on the way: each is
 * kept as it was given, decoded, and as what base64 makes of its middle.
 */
#include "doctor/secrets.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/percent.h"
#include "doctor/redact.h"
#include "wire/url.h"

#define LEAST_PATH 20 /* of a part of a path that is a secret */
#define CORE_BYTES 48 /* of a secret that are looked for in base64 */
#define LEAST_CORE 6  /* bytes of a secret that base64 keeps apart */

static void add_one(struct doctor_secrets *s, struct bytes text, bool base64,
		    bool weak)
{
	if (s->n == DOCTOR_MAX_SECRETS) {
		s->too_many = true;
		return;
	}
	s->one[s->n++] = (struct doctor_secret){text, base64, weak};
	s->begins[byte_lower(text.data[0])] = true;
	if (base64 && (text.data[0] == '+' || text.data[0] == '/'))
		s->begins['-'] = s->begins['_'] = true;
}

/*
 * What @secret becomes in base64 when @before bytes stand in front of it: only
 * the characters that depend on nothing else.
 */
static void add_base64(struct doctor_secrets *s, struct bytes secret,
		       size_t before)
{
	uint8_t padded[CORE_BYTES + 2] = {0};
	char text[SES_BASE64_LEN(sizeof(padded))];
	size_t n = secret.len < CORE_BYTES ? secret.len : CORE_BYTES;
	size_t from = before == 0 ? 0 : before + 1;
	size_t to = (before + n) * 8 / 6;

	if (secret.len < LEAST_CORE)
		return;
	if (sizeof(s->room) - s->used < sizeof(text)) {
		s->too_many = true;
		return;
	}
	memcpy(padded + before, secret.data, n);
	ses_base64_encode(bytes_of(padded, before + n), text);
	memcpy(s->room + s->used, text + from, to - from);
	add_one(s, bytes_of(s->room + s->used, to - from), true, false);
	s->used += to - from;
}

static void add_spelt(struct doctor_secrets *s, struct bytes secret, bool weak)
{
	secret = bytes_trim(secret);
	if (secret.len < DOCTOR_LEAST_SECRET)
		return;
	add_one(s, secret, false, weak);
	for (size_t before = 0; before < 3; before++)
		add_base64(s, secret, before);
}

static void add_secret(struct doctor_secrets *s, struct bytes secret)
{
	add_spelt(s, secret, false);
}

/* A secret of a URL as servers read it: "a%2Fb" is repeated as "a/b". */
static void add_decoded(struct doctor_secrets *s, struct bytes secret, bool weak)
{
	uint8_t *room = s->room + s->used;
	bool encoded = bytes_find_byte(secret, '%') >= 0;
	bool fits = secret.len <= sizeof(s->room) - s->used;
	size_t n = 0;

	s->too_many |= encoded && !fits;
	if (encoded && fits) {
		struct bytes rest = secret;

		while (rest.len > 0)
			room[n++] = ses_percent_next(&rest);
		s->used += n;
		add_spelt(s, bytes_of(room, n), weak);
	}
	add_spelt(s, secret, weak);
}

static void add_encoded(struct doctor_secrets *s, struct bytes secret)
{
	add_decoded(s, secret, false);
}

/* Password in "ann:secret", or all of it when it is a bare token. */
static void add_userinfo(struct doctor_secrets *s, struct bytes userinfo)
{
	ptrdiff_t colon = bytes_find_byte(userinfo, ':');

	if (colon >= 0)
		add_encoded(s, bytes_from(userinfo, (size_t)colon + 1));
	else if (userinfo.len >= 16)
		add_encoded(s, userinfo);
}

/* What stands before the @ of a URL that may be no URL. */
static void add_url_userinfo(struct doctor_secrets *s, struct bytes url)
{
	ptrdiff_t at = (ptrdiff_t)url.len - 1;
	size_t from = 0;

	while (at >= 0 && url.data[at] != '@')
		at--;
	if (at < 0)
		return;
	for (size_t i = 0; i + 1 < (size_t)at; i++)
		if (url.data[i] == '/' && url.data[i + 1] == '/') {
			from = i + 2;
			break;
		}
	add_userinfo(s, bytes_of(url.data + from, (size_t)at - from));
}

/* "Basic YW5uOnNlY3JldA==": the code, and the password in it. */
static void add_authorization(struct doctor_secrets *s, struct bytes value)
{
	ptrdiff_t blank = bytes_find_byte(value, ' ');
	uint8_t *room = s->room + s->used;
	size_t len;

	if (blank < 0) {
		add_secret(s, value);
		return;
	}
	add_secret(s, bytes_from(value, (size_t)blank + 1));
	if (!bytes_equal_nocase(bytes_first(value, (size_t)blank),
				BYTES("Basic")))
		return;
	if (ses_base64_decode(bytes_trim(bytes_from(value, (size_t)blank)),
			      room, sizeof(s->room) - s->used, &len) < 0)
		return;
	s->used += len;
	add_userinfo(s, bytes_of(room, len));
}

static void add_cookies(struct doctor_secrets *s, struct bytes list)
{
	while (list.len > 0) {
		ptrdiff_t end = bytes_find_byte(list, ';');
		struct bytes one =
			end < 0 ? list : bytes_first(list, (size_t)end);
		ptrdiff_t equals = bytes_find_byte(one, '=');

		add_encoded(s, bytes_from(one, (size_t)(equals + 1)));
		list = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(list, (size_t)end + 1);
	}
}

/* Words and numbers of a report: hiding them would hide what it says. */
static bool is_report_word(struct bytes value)
{
	static const char *const words[] = {
		"address",     "admin",	   "answer",	  "apache",
		"application", "browser",  "caddy",	  "certificate",
		"chat",	       "client",   "close",	  "closed",
		"connection",  "cookie",   "credentials", "default",
		"envoy",       "error",	   "field",	  "forbidden",
		"handshake",   "haproxy",  "header",	  "host",
		"invalid",     "line",	   "local",	  "localhost",
		"location",    "message",  "missing",	  "name",
		"nginx",       "nothing",  "open",	  "origin",
		"path",	       "plain",	   "port",	  "probe",
		"program",     "protocol", "proxy",	  "public",
		"query",       "request",  "route",	  "rule",
		"scheme",      "server",   "session",	  "stream",
		"subprotocol", "test",	   "time",	  "token",
		"transport",   "upgrade",  "user",	  "value",
		"version",     "with",	   "without"};
	bool number = true;

	for (size_t i = 0; i < value.len; i++)
		number &= value.data[i] >= '0' && value.data[i] <= '9';
	if (number && value.len < 6)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(value, bytes_of_str(words[i])))
			return true;
	return false;
}

/* Whether @word stands in @text, with no letter or digit around it. */
static bool has_word(struct bytes text, struct bytes word)
{
	while (text.len >= word.len) {
		if (bytes_equal_nocase(bytes_first(text, word.len), word) &&
		    (text.len == word.len ||
		     !doctor_is_word_byte(text.data[word.len])))
			return true;
		while (text.len > 0 && doctor_is_word_byte(text.data[0]))
			text = bytes_from(text, 1);
		text = bytes_from(text, 1);
	}
	return false;
}

/*
 * A value of the query that is secret by its place alone: it is looked for
 * unless it stands in the open as well, as part of the path or so.
 */
static void add_value(struct doctor_secrets *s, struct bytes value)
{
	if (ses_url_is_plain_value(value) || is_report_word(value))
		return;
	for (size_t i = 0; i < sizeof(s->open) / sizeof(s->open[0]); i++)
		if (has_word(s->open[i], value))
			return;
	add_decoded(s, value, true);
}

static void add_query(struct doctor_secrets *s, struct bytes query)
{
	while (query.len > 0) {
		size_t n = 0;
		struct bytes pair;
		ptrdiff_t equals;

		while (n < query.len && !strchr("&;?#", query.data[n]))
			n++;
		pair = bytes_first(query, n);
		equals = bytes_find_byte(pair, '=');
		if (doctor_is_secret_pair(pair))
			add_encoded(s, bytes_from(pair, (size_t)(equals + 1)));
		else
			add_value(s, bytes_from(pair, (size_t)(equals + 1)));
		if (equals > 0 &&
		    !ses_url_is_plain_name(bytes_first(pair, (size_t)equals)))
			add_encoded(s, bytes_first(pair, (size_t)equals));
		query = bytes_from(query, n + 1);
	}
}

static bool is_uuid(struct bytes text)
{
	if (text.len != 36)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23
			    ? text.data[i] != '-'
			    : ses_hex_digit(text.data[i]) < 0)
			return false;
	return true;
}

/* How much of @text stands before the first of @ends. */
static size_t span_until(struct bytes text, const char *ends)
{
	size_t n = 0;

	while (n < text.len && !strchr(ends, text.data[n]))
		n++;
	return n;
}

bool doctor_is_secret_step(struct bytes name)
{
	/* a UUID names a thing, mostly */
	return name.len >= LEAST_PATH && doctor_looks_random(name) &&
	       !is_uuid(name);
}

/* "name;sid=1": what a part of a path may hold. */
static void add_part(struct doctor_secrets *s, struct bytes part)
{
	size_t n = span_until(part, ";");
	struct bytes name = bytes_first(part, n);

	if (doctor_is_secret_step(name))
		add_encoded(s, name);
	add_query(s, bytes_from(part, n + 1));
}

/* A path, a query and a fragment. */
static void add_path(struct doctor_secrets *s, struct bytes url)
{
	size_t path = span_until(url, "?#");
	struct bytes rest = bytes_first(url, path);

	while (rest.len > 0) {
		size_t n = span_until(rest, "/");

		add_part(s, bytes_first(rest, n));
		rest = bytes_from(rest, n + 1);
	}
	add_query(s, bytes_from(url, path + 1));
}

/* Whatever part of a URL may hold a secret. */
static void add_url(struct doctor_secrets *s, struct bytes url)
{
	struct bytes rest = url;

	add_url_userinfo(s, url);
	for (size_t i = 0; i + 1 < url.len; i++)
		if (url.data[i] == '/' && url.data[i + 1] == '/') {
			rest = bytes_from(url, i + 2);
			break;
		}
	add_path(s, bytes_from(rest, span_until(rest, "/?#")));
}

static void add_header(struct doctor_secrets *s, struct bytes name,
		       struct bytes value)
{
	if (bytes_equal_nocase(name, BYTES("Cookie")))
		add_cookies(s, value);
	else if (bytes_equal_nocase(name, BYTES("Authorization")) ||
		 bytes_equal_nocase(name, BYTES("Proxy-Authorization")))
		add_authorization(s, value);
	else if (doctor_is_secret_name(name) || doctor_looks_random(value))
		add_secret(s, value);
}

/* Whether @word is this option of curl's. */
static bool is_option(struct bytes word, const char *letter, const char *name)
{
	return bytes_equal_str(word, letter) || bytes_equal_str(word, name);
}

static void add_word(struct doctor_secrets *s, struct bytes before,
		     struct bytes word)
{
	ptrdiff_t colon = bytes_find_byte(word, ':');

	if (is_option(before, "-b", "--cookie"))
		add_cookies(s, word);
	else if (is_option(before, "-u", "--user") ||
		 is_option(before, "-U", "--proxy-user"))
		add_userinfo(s, word);
	else if (is_option(before, "-H", "--header") && colon > 0)
		add_header(s, bytes_first(word, (size_t)colon),
			   bytes_trim(bytes_from(word, (size_t)colon + 1)));
	else if (bytes_contains_nocase(word, BYTES("//")))
		add_url(s, word);
}

/* A command line with other secrets than the case's; split more roughly than
 * a shell would, which loses nothing here. */
static void add_command(struct doctor_secrets *s, struct bytes text)
{
	struct bytes before = BYTES("");
	size_t at = 0;

	while (at < text.len) {
		char quote = (char)text.data[at];
		const char *ends = quote == '\''  ? "'"
				   : quote == '"' ? "\""
						  : " \t\r\n'\"";
		size_t n = 0;

		at += ends[1] == 0;
		while (at + n < text.len && !strchr(ends, text.data[at + n]))
			n++;
		if (n > 0) {
			add_word(s, before, bytes_of(text.data + at, n));
			before = bytes_of(text.data + at, n);
		}
		at += n + (ends[1] == 0 || n == 0);
	}
}

static void add_texts(struct doctor_secrets *s, const struct doctor_case *c)
{
	const char *const urls[] = {c->url_text, c->proxy, c->page, c->backend,
				    c->origin};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (urls[i])
			add_url(s, bytes_of_str(urls[i]));
	if (c->works)
		add_command(s, bytes_of_str(c->works));
	if (c->curl)
		add_command(s, bytes_of_str(c->curl));
}

/* Those fields that are cookies, or those that are not. */
static void add_headers(struct doctor_secrets *s, const struct doctor_case *c,
			bool cookies)
{
	for (size_t i = 0; i < c->n_headers; i++) {
		struct bytes name = bytes_of_str(c->header[i].name);

		if (bytes_equal_nocase(name, BYTES("Cookie")) == cookies)
			add_header(s, name, bytes_of_str(c->header[i].value));
	}
}

/* What of @c is shown as it is, by its place. */
static void keep_open(struct doctor_secrets *s, const struct doctor_case *c)
{
	s->open[0] = c->url.host;
	s->open[1] = c->url.path;
	s->open[2] = bytes_of_str(c->subprotocols);
	s->open[3] = bytes_of_str(c->origin);
}

static void add_case(struct doctor_secrets *s, const struct doctor_case *c)
{
	struct doctor_offers offers = {.rest = bytes_of_str(c->subprotocols)};

	keep_open(s, c);
	add_headers(s, c, false);
	while (doctor_next_offer(&offers))
		if (offers.secret)
			add_secret(s, offers.one);
	add_texts(s, c);
}

void doctor_secrets_collect(const struct doctor_case *c,
			    struct doctor_secrets *s)
{
	s->n = s->used = 0;
	s->too_many = s->ours = false;
	memset(s->begins, 0, sizeof(s->begins));
	add_case(s, c);
	if (c->other)
		add_case(s, c->other);
	/* of cookies there may be very many */
	add_headers(s, c, true);
	if (c->other)
		add_headers(s, c->other, true);
}
