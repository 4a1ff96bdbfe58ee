/* SPDX-License-Identifier: MIT */
/*
 * Hiding secrets twice: by place (a Cookie's values, a token parameter) and by
 * value, because servers quote what they refuse. A short secret is hidden only
 * where it stands as a word of its own, else a password "in" would leave no
 * sentence readable.
 */
#include "doctor/redact.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/percent.h"
#include "wire/url.h"

#define MAX_SECRETS    128
#define SHORT_SECRET   8  /* hidden as a word only */
#define LEAST_SECRET   4  /* what is shorter hides nothing, and spoils words */
#define RANDOM_LEN     16 /* from here on, a value may be a token */
#define RANDOM_CHANGES 3  /* between digits, small letters and capitals */
#define TEXT_LIMIT     (256 * 1024)

/* The secrets of a case; most borrowed from it, decoded ones kept in room. */
struct secrets {
	struct bytes one[MAX_SECRETS];
	size_t n;
	uint8_t room[8192];
	size_t used;
};

static void add_secret(struct secrets *s, struct bytes secret)
{
	secret = bytes_trim(secret);
	if (secret.len >= LEAST_SECRET && s->n < MAX_SECRETS)
		s->one[s->n++] = secret;
}

/* ---- which names and values are secret ---- */

bool doctor_is_secret_pair(struct bytes pair)
{
	char text[4096], shown[4096];

	if (pair.len >= sizeof(text) - 1 || bytes_find_byte(pair, 0) >= 0)
		return true; /* too long to say */
	/* the URL's redaction knows the names; ask it */
	snprintf(text, sizeof(text), "?%.*s", BYTES_ARG(pair));
	if (ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) < 0)
		return true;
	return strcmp(text, shown) != 0;
}

/* Named like secrets, and told to everybody. */
static bool is_known_harmless(struct bytes name)
{
	static const char *const harmless[] = {
		"Sec-WebSocket-Key", "Surrogate-Key", "WWW-Authenticate",
		"Proxy-Authenticate", "Access-Control-Allow-Credentials"};

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(harmless[i])))
			return true;
	return false;
}

bool doctor_is_secret_name(struct bytes name)
{
	char pair[256];

	if (name.len >= sizeof(pair) - 4 || is_known_harmless(name))
		return false;
	snprintf(pair, sizeof(pair), "%.*s=v", BYTES_ARG(name));
	return doctor_is_secret_pair(bytes_of_str(pair));
}

bool doctor_is_secret_subprotocol(struct bytes token)
{
	bool digit = false, letter = false;

	if (token.len > 16 && bytes_starts(token, BYTES("eyJ")))
		return true;
	if (bytes_starts(token, BYTES("base64url.bearer.authorization.")))
		return true;
	/* long and mixed: no registered name looks like that */
	for (size_t i = 0; i < token.len; i++) {
		uint8_t c = byte_lower(token.data[i]);

		digit |= c >= '0' && c <= '9';
		letter |= c >= 'a' && c <= 'z';
	}
	return token.len >= 24 && digit && letter;
}

enum kind { OTHER, DIGIT, SMALL, CAPITAL };

static enum kind kind_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c >= 'a' && c <= 'z')
		return SMALL;
	return c >= 'A' && c <= 'Z' ? CAPITAL : OTHER;
}

bool doctor_looks_random(struct bytes value)
{
	enum kind last = OTHER;
	bool digit = false;
	int changes = 0;

	if (value.len < RANDOM_LEN)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		enum kind kind = kind_of(value.data[i]);

		if (kind == OTHER && !memchr("-._~+/=%", value.data[i], 8))
			return false;
		changes += kind != OTHER && last != OTHER && kind != last;
		digit |= kind == DIGIT;
		last = kind;
	}
	return digit && changes >= RANDOM_CHANGES;
}

/* ---- the case's secrets ---- */

/* Password in "ann:secret", or all of it when it is a bare token. */
static void add_userinfo(struct secrets *s, struct bytes userinfo)
{
	ptrdiff_t colon = bytes_find_byte(userinfo, ':');

	if (colon >= 0)
		add_secret(s, bytes_from(userinfo, (size_t)colon + 1));
	else if (userinfo.len >= 16)
		add_secret(s, userinfo);
}

/* What stands before the @ of a URL that may be no URL. */
static void add_url_userinfo(struct secrets *s, struct bytes url)
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
static void add_authorization(struct secrets *s, struct bytes value)
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

/* A secret of a URL as servers read it: "a%2Fb" is repeated as "a/b". */
static void add_encoded(struct secrets *s, struct bytes secret)
{
	uint8_t *room = s->room + s->used;
	size_t n = 0;

	add_secret(s, secret);
	if (bytes_find_byte(secret, '%') < 0 ||
	    secret.len > sizeof(s->room) - s->used)
		return;
	while (secret.len > 0)
		room[n++] = ses_percent_next(&secret);
	s->used += n;
	add_secret(s, bytes_of(room, n));
}

static void add_cookies(struct secrets *s, struct bytes list)
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

static void add_query(struct secrets *s, struct bytes query)
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

static void add_header(struct secrets *s, const struct doctor_header *h)
{
	struct bytes name = bytes_of_str(h->name);
	struct bytes value = bytes_of_str(h->value);

	if (bytes_equal_nocase(name, BYTES("Cookie")))
		add_cookies(s, value);
	else if (bytes_equal_nocase(name, BYTES("Authorization")) ||
		 bytes_equal_nocase(name, BYTES("Proxy-Authorization")))
		add_authorization(s, value);
	else if (doctor_is_secret_name(name) || doctor_looks_random(value))
		add_secret(s, value);
}

static void collect(const struct doctor_case *c, struct secrets *s)
{
	struct bytes list = bytes_of_str(c->subprotocols), token;
	struct bytes url = bytes_of_str(c->url_text);
	ptrdiff_t query = bytes_find_byte(url, '?');

	s->n = s->used = 0;
	for (size_t i = 0; i < c->n_headers; i++)
		add_header(s, &c->header[i]);
	add_url_userinfo(s, url);
	if (query >= 0)
		add_query(s, bytes_from(url, (size_t)query + 1));
	if (c->proxy)
		add_url_userinfo(s, bytes_of_str(c->proxy));
	while (bytes_next_element(&list, &token))
		if (doctor_is_secret_subprotocol(token))
			add_secret(s, token);
}

/* ---- hiding them in a text ---- */

static bool is_word_byte(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool stands_alone(struct bytes text, size_t at, size_t len)
{
	return (at == 0 || !is_word_byte(text.data[at - 1])) &&
	       (at + len == text.len || !is_word_byte(text.data[at + len]));
}

/* A JSON Web Token: three runs of base64url with dots between. */
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

/*
 * How much of @secret stands at @at: all, or its beginning where the text was
 * cut before it came here.
 */
static size_t secret_len(struct bytes secret, struct bytes text, size_t at)
{
	struct bytes rest = bytes_from(text, at);
	size_t n = 0;

	while (n < secret.len && n < rest.len && rest.data[n] == secret.data[n])
		n++;
	if (n < LEAST_SECRET || (n < secret.len && !is_cut(bytes_from(rest, n))))
		return 0;
	return n >= SHORT_SECRET || stands_alone(text, at, n) ? n : 0;
}

/* How many bytes at @at are to be hidden. */
static size_t secret_at(const struct secrets *s, struct bytes text, size_t at)
{
	struct bytes rest = bytes_from(text, at);
	size_t longest = token_len(rest);

	for (size_t i = 0; i < s->n; i++) {
		size_t len = secret_len(s->one[i], text, at);

		longest = len > longest ? len : longest;
	}
	return longest;
}

static int hide(const struct secrets *s, struct bytes text, struct ses_buf *out)
{
	size_t from = 0, at = 0;
	int r = 0;

	while (at < text.len && r == 0) {
		size_t len = secret_at(s, text, at);

		if (len == 0) {
			at++;
			continue;
		}
		r = ses_buf_append(out, bytes_of(text.data + from, at - from));
		if (r == 0)
			r = ses_buf_append_str(out, "***");
		from = at += len;
	}
	return r < 0 ? r : ses_buf_append(out, bytes_from(text, from));
}

static char *show(const struct secrets *s, struct bytes text, char *out,
		  size_t size)
{
	struct ses_buf hidden;

	ses_buf_init(&hidden, TEXT_LIMIT);
	if (hide(s, text, &hidden) == 0)
		bytes_printable(ses_buf_bytes(&hidden), out, size);
	else
		snprintf(out, size, "(not shown)");
	ses_buf_fini(&hidden);
	return out;
}

char *doctor_redact(const struct doctor_case *c, struct bytes text, char *out,
		    size_t size)
{
	struct secrets s;

	collect(c, &s);
	return show(&s, text, out, size);
}

/* Where the first line end or tab of @text stands, or its length. */
static size_t line_len(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] != '\n' && text.data[n] != '\t')
		n++;
	return n;
}

char *doctor_redact_lines(const struct doctor_case *c, const char *text,
			  char *out, size_t size)
{
	struct bytes rest = bytes_of_str(text);
	struct secrets s;
	size_t n = 0;

	collect(c, &s);
	out[0] = 0;
	while (rest.len > 0 && size - n > 2) {
		size_t len = line_len(rest);

		show(&s, bytes_first(rest, len), out + n, size - n - 1);
		n += strlen(out + n);
		if (len == rest.len)
			break;
		out[n++] = (char)rest.data[len];
		out[n] = 0;
		rest = bytes_from(rest, len + 1);
	}
	return out;
}

char *doctor_redact_url(const struct doctor_case *c, char *out, size_t size)
{
	char text[8192];

	if (ses_url_redact(bytes_of_str(c->url_text), text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "(too long to show)");
	return doctor_redact(c, bytes_of_str(text), out, size);
}

/* ---- heads ---- */

/* "a=1; b=2; Path=/" with the values hidden (attributes of Set-Cookie too:
 * which they are is nobody's question). */
static int show_cookies(const struct secrets *s, struct bytes list,
			struct ses_buf *out)
{
	char name[128] = "";
	int r = 0;

	for (bool first = true; list.len > 0 && r == 0; first = false) {
		ptrdiff_t end = bytes_find_byte(list, ';');
		struct bytes one =
			end < 0 ? list : bytes_first(list, (size_t)end);
		ptrdiff_t equals = bytes_find_byte(one, '=');

		if (equals >= 0)
			show(s, bytes_trim(bytes_first(one, (size_t)equals)),
			     name, sizeof(name));
		r = ses_buf_printf(out, "%s%s%s***", first ? "" : "; ",
				   equals >= 0 ? name : "",
				   equals >= 0 ? "=" : "");
		list = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(list, (size_t)end + 1);
	}
	return r;
}

/* The scheme stays ("Basic ***"): it is half of the diagnosis. */
static int show_authorization(const struct secrets *s, struct bytes value,
			      struct ses_buf *out)
{
	ptrdiff_t blank = bytes_find_byte(value, ' ');
	char scheme[64] = "";

	if (blank > 0 && blank < 20)
		show(s, bytes_first(value, (size_t)blank + 1), scheme,
		     sizeof(scheme));
	return ses_buf_printf(out, "%s***", scheme);
}

static int show_value(const struct secrets *s, struct bytes name,
		      struct bytes value, struct ses_buf *out)
{
	char text[2048];
	char url[4096];

	if (bytes_equal_nocase(name, BYTES("Cookie")) ||
	    bytes_equal_nocase(name, BYTES("Set-Cookie")))
		return show_cookies(s, value, out);
	if (bytes_equal_nocase(name, BYTES("Authorization")) ||
	    bytes_equal_nocase(name, BYTES("Proxy-Authorization")))
		return show_authorization(s, value, out);
	if (doctor_is_secret_name(name))
		return ses_buf_append_str(out, "***");
	if (bytes_equal_nocase(name, BYTES("Location")) ||
	    bytes_equal_nocase(name, BYTES("Referer"))) {
		if (ses_url_redact(value, url, sizeof(url)) < 0)
			return ses_buf_append_str(out, "(too long to show)");
		value = bytes_of_str(url);
	}
	return ses_buf_append_str(out, show(s, value, text, sizeof(text)));
}

/* "GET /chat?token=... HTTP/1.1" or a status line. */
static int show_start_line(const struct secrets *s, struct bytes line,
			   struct ses_buf *out)
{
	struct bytes version = BYTES(" HTTP/1.1");
	char url[8192], text[8192];
	bool request =
		line.len > version.len &&
		bytes_equal(bytes_from(line, line.len - version.len), version);
	int r;

	if (request)
		line.len -= version.len;
	if (bytes_starts(line, BYTES("HTTP/")))
		return ses_buf_append_str(out,
					  show(s, line, text, sizeof(text)));
	if (ses_url_redact(line, url, sizeof(url)) < 0)
		snprintf(url, sizeof(url), "(too long to show)");
	r = ses_buf_append_str(out,
			       show(s, bytes_of_str(url), text, sizeof(text)));
	return r == 0 && request ? ses_buf_append(out, version) : r;
}

static int show_line(const struct secrets *s, struct bytes line, bool first,
		     const char *prefix, struct ses_buf *out)
{
	ptrdiff_t colon = bytes_find_byte(line, ':');
	char name[256];
	int r = ses_buf_append_str(out, prefix);

	if (r == 0 && (first || colon < 0))
		r = show_start_line(s, line, out);
	else if (r == 0)
		r = ses_buf_printf(out, "%s: ",
				   show(s, bytes_first(line, (size_t)colon),
					name, sizeof(name)));
	if (r == 0 && !first && colon >= 0)
		r = show_value(s, bytes_trim(bytes_first(line, (size_t)colon)),
			       bytes_trim(bytes_from(line, (size_t)colon + 1)),
			       out);
	return r < 0 ? r : ses_buf_append_str(out, "\n");
}

int doctor_redact_head(const struct doctor_case *c, struct bytes head,
		       const char *prefix, struct ses_buf *out)
{
	struct secrets s;
	bool first = true;
	int r = 0;

	collect(c, &s);
	while (head.len > 0 && r == 0) {
		ptrdiff_t end = bytes_find_byte(head, '\n');
		struct bytes line =
			end < 0 ? head : bytes_first(head, (size_t)end);

		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			r = show_line(&s, line, first, prefix, out);
		first = false;
		head = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(head, (size_t)end + 1);
	}
	return r;
}
