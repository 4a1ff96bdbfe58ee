/* SPDX-License-Identifier: MIT */
/*
 * Where a case keeps its secrets, and every spelling in which a text may hold
 * one. Servers quote what they refuse, and on the way it is encoded, escaped,
 * written in other letters or cut. A short secret counts only where it stands
 * as a word of its own, else a password "in" would leave no sentence readable.
 */
#include "doctor/secrets.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/percent.h"
#include "doctor/redact.h"

#define SHORT_SECRET 8	/* counts as a word only */
#define LEAST_SECRET 4	/* what is shorter hides nothing, and spoils words */
#define LEAST_PATH   20 /* of a part of a path that is a secret */
#define LONG_VALUE   16 /* a value of so many letters is no word */
#define CORE_BYTES   48 /* of a secret that are looked for in base64 */
#define LEAST_CORE   6	/* bytes of a secret that base64 keeps apart */

/* ---- collecting ---- */

static void add_one(struct doctor_secrets *s, struct bytes text, bool base64)
{
	if (s->n == DOCTOR_MAX_SECRETS) {
		s->too_many = true;
		return;
	}
	s->one[s->n++] = (struct doctor_secret){text, base64};
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
	add_one(s, bytes_of(s->room + s->used, to - from), true);
	s->used += to - from;
}

static void add_secret(struct doctor_secrets *s, struct bytes secret)
{
	secret = bytes_trim(secret);
	if (secret.len < LEAST_SECRET)
		return;
	add_one(s, secret, false);
	for (size_t before = 0; before < 3; before++)
		add_base64(s, secret, before);
}

/* A secret of a URL as servers read it: "a%2Fb" is repeated as "a/b". */
static void add_encoded(struct doctor_secrets *s, struct bytes secret)
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
		add_secret(s, bytes_of(room, n));
	}
	add_secret(s, secret);
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

static void add_case(struct doctor_secrets *s, const struct doctor_case *c)
{
	struct doctor_offers offers = {.rest = bytes_of_str(c->subprotocols)};

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
	s->too_many = false;
	memset(s->begins, 0, sizeof(s->begins));
	add_case(s, c);
	if (c->other)
		add_case(s, c->other);
	/* of cookies there may be very many */
	add_headers(s, c, true);
	if (c->other)
		add_headers(s, c->other, true);
}

/* ---- finding them in a text ---- */

static bool is_word_byte(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_base64_byte(uint8_t c)
{
	return is_word_byte(c) || c == '+' || c == '/' || c == '-' || c == '=';
}

static bool stands_alone(struct bytes text, size_t at, size_t len)
{
	return (at == 0 || !is_word_byte(text.data[at - 1])) &&
	       (at + len == text.len || !is_word_byte(text.data[at + len]));
}

/* What looks like a JSON Web Token: its beginning, base64url and dots. */
static size_t token_len(struct bytes text)
{
	size_t n = 0;

	if (!bytes_starts(text, BYTES("eyJ")))
		return 0;
	while (n < text.len && (is_word_byte(text.data[n]) ||
				text.data[n] == '-' || text.data[n] == '.'))
		n++;
	return n > 16 ? n : 0;
}

/* Whether a text ends here, or was cut here and marked so. */
static bool is_cut(struct bytes rest)
{
	return rest.len == 0 || bytes_starts(rest, BYTES("..")) ||
	       bytes_starts(rest, BYTES("…"));
}

static size_t hex_escape(struct bytes in, size_t digits, uint8_t *ret)
{
	unsigned value = 0;

	for (size_t i = 0; i < digits; i++) {
		int digit = i < in.len ? ses_hex_digit(in.data[i]) : -1;

		if (digit < 0)
			return 0;
		value = value * 16 + (unsigned)digit;
	}
	*ret = (uint8_t)value;
	return value < 256 ? digits : 0;
}

/* "&amp;", "&#39;", "&#x27;" */
static size_t entity(struct bytes in, uint8_t *ret)
{
	static const struct {
		const char *text;
		uint8_t byte;
	} rows[] = {{"&amp;", '&'},
		    {"&lt;", '<'},
		    {"&gt;", '>'},
		    {"&quot;", '"'},
		    {"&apos;", '\''}};
	ptrdiff_t end = bytes_find_byte(bytes_first(in, 8), ';');
	uint64_t value;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bytes_starts(in, bytes_of_str(rows[i].text))) {
			*ret = rows[i].byte;
			return strlen(rows[i].text);
		}
	if (end < 4 || in.data[1] != '#')
		return 0;
	if (byte_lower(in.data[2]) == 'x')
		return hex_escape(bytes_from(in, 3), (size_t)end - 3, ret)
			       ? (size_t)end + 1
			       : 0;
	if (!bytes_to_u64(bytes_of(in.data + 2, (size_t)end - 2), 255, &value))
		return 0;
	*ret = (uint8_t)value;
	return (size_t)end + 1;
}

/* "\/", "\u002f", "\x2f" */
static size_t escape(struct bytes in, uint8_t *ret)
{
	size_t n;

	if (in.len < 2)
		return 0;
	n = in.data[1] == 'u' ? 4 : in.data[1] == 'x' ? 2 : 0;
	if (n > 0)
		return hex_escape(bytes_from(in, 2), n, ret) ? n + 2 : 0;
	*ret = in.data[1];
	return 2;
}

/* How much of @in spells one byte otherwise than by itself, or 0. */
static size_t spelt(struct bytes in, uint8_t *ret)
{
	size_t n = 0;

	switch (in.data[0]) {
	case '%':
		n = hex_escape(bytes_from(in, 1), 2, ret);
		return n ? n + 1 : 0;
	case '&':
		return entity(in, ret);
	case '\\':
		return escape(in, ret);
	case '+':
		*ret = ' ';
		return 1;
	default:
		return 0;
	}
}

static bool is_same(const struct doctor_secret *secret, uint8_t a, uint8_t b)
{
	if (secret->base64)
		return a == b || (a == '+' && b == '-') ||
		       (a == '/' && b == '_');
	return secret->text.len >= SHORT_SECRET ? byte_lower(a) == byte_lower(b)
						: a == b;
}

/*
 * How much of @text is the beginning of @secret, spelt somehow; *ret_matched
 * says how much of the secret that is.
 */
static size_t common(const struct doctor_secret *secret, struct bytes text,
		     size_t *ret_matched)
{
	size_t n = 0, matched = 0;

	while (matched < secret->text.len && n < text.len) {
		uint8_t wanted = secret->text.data[matched], got = 0;
		size_t len = spelt(bytes_from(text, n), &got);

		if (len > 0 && is_same(secret, wanted, got))
			n += len;
		else if (is_same(secret, wanted, text.data[n]))
			n++;
		else
			break;
		matched++;
	}
	*ret_matched = matched;
	return n;
}

/*
 * How much of @secret stands at @at: all, or its beginning where the text was
 * cut before it came here. What is base64 goes on to its end.
 */
static size_t secret_len(const struct doctor_secret *secret, struct bytes text,
			 size_t at)
{
	struct bytes rest = bytes_from(text, at);
	size_t matched, n = common(secret, rest, &matched);

	if (matched < LEAST_SECRET ||
	    (matched < secret->text.len && !is_cut(bytes_from(rest, n))))
		return 0;
	if (!secret->base64)
		return matched >= SHORT_SECRET || stands_alone(text, at, n) ? n
									    : 0;
	if (matched < secret->text.len && matched < SHORT_SECRET)
		return 0;
	while (n < rest.len && is_base64_byte(rest.data[n]))
		n++;
	return n;
}

size_t doctor_secret_at(const struct doctor_secrets *s, struct bytes text,
			size_t at)
{
	struct bytes rest = bytes_from(text, at);
	uint8_t c = byte_lower(text.data[at]), other;
	size_t longest = c == 'e' ? token_len(rest) : 0;

	if (!s->begins[c] && !strchr("%&\\+", c))
		return longest;
	if (!spelt(rest, &other))
		other = text.data[at];
	for (size_t i = 0; i < s->n; i++) {
		uint8_t first = s->one[i].text.data[0];
		size_t len;

		if (!is_same(&s->one[i], first, text.data[at]) &&
		    !is_same(&s->one[i], first, other))
			continue;
		len = secret_len(&s->one[i], text, at);
		longest = len > longest ? len : longest;
	}
	return longest;
}

/* ---- secrets of others ---- */

/* Words that stand where a secret might, and are the diagnosis. */
static bool is_plain_word(struct bytes value)
{
	static const char *const words[] = {
		"missing", "invalid",	"expired",   "required", "null",
		"none",	   "true",	"false",     "unknown",	 "undefined",
		"denied",  "forbidden", "malformed", "revoked",	 "string",
		"bearer",  "basic",	"digest",    "negotiate"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(value, bytes_of_str(words[i])))
			return true;
	return false;
}

/* Names that mean a secret in a query and something else in a sentence. */
static bool is_weak_name(struct bytes name)
{
	static const char *const weak[] = {"code", "key", "pin",  "mac",
					   "auth", "sid", "pass", "otp"};

	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(weak[i])))
			return true;
	return false;
}

static bool has_digit(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= '0' && text.data[i] <= '9')
			return true;
	return false;
}

static bool is_secret_value(struct bytes name, struct bytes value, bool quoted)
{
	if (value.len < LEAST_SECRET || is_plain_word(value) ||
	    bytes_find_byte(value, ' ') >= 0)
		return false;
	if (is_weak_name(name))
		return doctor_looks_random(value);
	return quoted || has_digit(value) || value.len >= LONG_VALUE;
}

static size_t skip(struct bytes text, size_t at, const char *set)
{
	while (at < text.len && text.data[at] && strchr(set, text.data[at]))
		at++;
	return at;
}

/* Past one word of @words at @at, or @at. */
static size_t skip_word(struct bytes text, size_t at, const char *const *words)
{
	for (; *words; words++) {
		struct bytes word = bytes_of_str(*words);

		if (bytes_equal_nocase(
			    bytes_first(bytes_from(text, at), word.len), word))
			return at + word.len;
	}
	return at;
}

/* Where the value begins that a name before @at has; 0: it has none. */
static size_t value_start(struct bytes text, size_t at)
{
	static const char *const attributes[] = {"value=", "content=", NULL};
	static const char *const schemes[] = {"Bearer ", "Basic ", "Token ",
					      "Negotiate ", NULL};
	size_t from = skip(text, at, "\\\"' \t"), after;

	after = skip_word(text, from, attributes);
	if (after == from)
		after = skip(text, from, ":=");
	if (after == from)
		return 0;
	after = skip(text, after, "\\\"' \t");
	return skip_word(text, after, schemes);
}

static size_t pair_at(struct bytes text, size_t at, size_t *ret_from)
{
	size_t n = at, from, end;
	struct bytes name, value;

	while (n < text.len && n - at < 64 &&
	       (is_word_byte(text.data[n]) || text.data[n] == '-'))
		n++;
	name = bytes_of(text.data + at, n - at);
	if (name.len < 2 || !doctor_is_secret_name(name))
		return 0;
	from = value_start(text, n);
	if (from == 0 || from >= text.len)
		return 0;
	for (end = from; end < text.len &&
			 !strchr(" \t\r\n\"'\\,;&<>(){}[]", text.data[end]);)
		end++;
	value = bytes_of(text.data + from, end - from);
	*ret_from = from;
	return is_secret_value(name, value,
			       strchr("\"'", text.data[from - 1]) != NULL)
		       ? value.len
		       : 0;
}

/* The password in "//name:password@host". */
static size_t password_at(struct bytes text, size_t at, size_t *ret_from)
{
	size_t colon = 0, n = at + 2;

	if (!bytes_starts(bytes_from(text, at), BYTES("//")))
		return 0;
	for (; n < text.len && n - at < 300; n++) {
		if (text.data[n] == '@')
			break;
		if (strchr("/?# \t\r\n\"'<>", text.data[n]))
			return 0;
		if (text.data[n] == ':' && colon == 0)
			colon = n + 1;
	}
	*ret_from = colon;
	return colon > 0 && n < text.len && text.data[n] == '@' ? n - colon : 0;
}

size_t doctor_foreign_secret_at(struct bytes text, size_t at, size_t *ret_from)
{
	if (text.data[at] == '/')
		return password_at(text, at, ret_from);
	if (!is_word_byte(text.data[at]) ||
	    (at > 0 &&
	     (is_word_byte(text.data[at - 1]) || text.data[at - 1] == '-')))
		return 0;
	return pair_at(text, at, ret_from);
}
