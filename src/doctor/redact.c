/* SPDX-License-Identifier: MIT */
/*
 * Hiding secrets twice: by place (a Cookie's values, a token parameter) and by
 * value, because servers quote what they refuse. What a server says of its own
 * secrets is hidden by the names that stand before them.
 */
#include "doctor/redact.h"

#include <stdio.h>

#include "doctor/secrets.h"
#include "wire/url.h"

#define RANDOM_LEN     16 /* from here on, a value may be a token */
#define RANDOM_CHANGES 3  /* between digits, small letters and capitals */
#define TEXT_LIMIT     (256 * 1024)

/* ---- which names and values are secret ---- */

bool doctor_is_secret_pair(struct bytes pair)
{
	char text[4096];

	if (pair.len >= sizeof(text) - 1 || bytes_find_byte(pair, 0) >= 0)
		return true; /* too long to say */
	/* the URL's redaction knows the names; ask it */
	snprintf(text, sizeof(text), "?%.*s", BYTES_ARG(pair));
	return ses_url_has_secret(bytes_of_str(text));
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

/* "X-Sid", "X-User-Sid": a field of somebody's own, the last word of which is
 * short for a secret. In a URL such words stand for much else. */
static bool is_short_for_secret(struct bytes name)
{
	static const char *const words[] = {"sid",  "pw",     "pin",  "otp",
					    "sess", "code",   "sig",  "hmac",
					    "tok",  "access", "pass", "pwd"};
	size_t from = name.len;

	if (!bytes_equal_nocase(bytes_first(name, 2), BYTES("X-")))
		return false;
	while (name.data[from - 1] != '-')
		from--;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_nocase(bytes_from(name, from),
				       bytes_of_str(words[i])))
			return true;
	return false;
}

bool doctor_is_secret_name(struct bytes name)
{
	char pair[256];

	if (is_short_for_secret(name))
		return true;

	if (name.len >= sizeof(pair) - 4 || is_known_harmless(name))
		return false;
	snprintf(pair, sizeof(pair), "%.*s=v", BYTES_ARG(name));
	return doctor_is_secret_pair(bytes_of_str(pair));
}

/* A subprotocol that says what the next one is: "bearer, TOKEN". */
static bool announces_secret(struct bytes token)
{
	static const char *const names[] = {"bearer", "jwt", "auth",
					    "authbearer"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(token, bytes_of_str(names[i])))
			return true;
	return doctor_is_secret_name(token);
}

/* One word that names its own secret: "bearer.TOKEN", "access_token-TOKEN". */
static bool holds_secret(struct bytes token)
{
	size_t n = 0;

	while (n < token.len && !memchr(".:-~", token.data[n], 4))
		n++;
	if (token.len < n + 9 || !announces_secret(bytes_first(token, n)))
		return false;
	for (size_t i = n + 1; i < token.len; i++)
		if (token.data[i] < 'a' && token.data[i] != '-' &&
		    token.data[i] != '.')
			return true;
	return false;
}

/* Whether an offered subprotocol is a credential in disguise. */
static bool is_secret_subprotocol(struct bytes token)
{
	bool digit = false, letter = false;

	if (token.len > 16 && bytes_starts(token, BYTES("eyJ")))
		return true;
	if (bytes_starts(token, BYTES("base64url.bearer.authorization.")))
		return true;
	if (holds_secret(token))
		return true;
	/* long and mixed: no registered name looks like that */
	for (size_t i = 0; i < token.len; i++) {
		uint8_t c = byte_lower(token.data[i]);

		digit |= c >= '0' && c <= '9';
		letter |= c >= 'a' && c <= 'z';
	}
	return token.len >= 24 && digit && letter;
}

bool doctor_next_offer(struct doctor_offers *o)
{
	bool announced =
		o->one.len > 0 && !o->secret && announces_secret(o->one);

	if (!bytes_next_element(&o->rest, &o->one))
		return false;
	o->secret = announced || is_secret_subprotocol(o->one);
	return true;
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

/* ---- hiding them in a text ---- */

/* A text by the user or by us: only what is known to be secret is hidden. */
#define OURS false
/* A text by somebody else, who may tell secrets that nobody knows. */
#define THEIRS true

/*
 * A secret of somebody else at @at, or 0. Where what stands before it (from @at
 * to *begin) holds one of the case's, that one begins it.
 */
static size_t foreign_at(const struct doctor_secrets *s,
			 const struct doctor_reading *r, size_t at,
			 size_t *begin)
{
	size_t len = doctor_foreign_secret_at(r->text, at, begin);

	for (size_t k = at; len > 0 && k < *begin; k++)
		if (doctor_secret_at(s, r, k) > 0) {
			len += *begin - k;
			*begin = k;
		}
	return len;
}

static int hide_in(const struct doctor_secrets *s,
		   const struct doctor_reading *reading, bool theirs,
		   struct ses_buf *out)
{
	struct bytes text = reading->text;
	size_t from = 0, at = 0;
	int r = 0;

	while (at < text.len && r == 0) {
		size_t len = doctor_secret_at(s, reading, at), begin = at;

		if (len == 0 && theirs)
			len = foreign_at(s, reading, at, &begin);
		if (len == 0) {
			at++;
			continue;
		}
		if (!theirs && doctor_is_own_word(text, at, len)) {
			at += len;
			continue;
		}
		r = ses_buf_append(out,
				   bytes_of(text.data + from, begin - from));
		if (r == 0)
			r = ses_buf_append_str(out, "***");
		from = at = begin + len;
	}
	return r < 0 ? r : ses_buf_append(out, bytes_from(text, from));
}

static int hide(const struct doctor_secrets *s, struct bytes text, bool theirs,
		struct ses_buf *out)
{
	struct doctor_reading reading;
	int r = doctor_reading_open(text, &reading);

	if (r == 0)
		r = hide_in(s, &reading, theirs, out);
	doctor_reading_close(&reading);
	return r;
}

static char *show(struct doctor_secrets *s, struct bytes text, bool theirs,
		  char *out, size_t size)
{
	struct ses_buf hidden;

	s->ours = !theirs;

	ses_buf_init(&hidden, TEXT_LIMIT);
	/* with more secrets than can be looked for, anything may be one */
	if (!(theirs && s->too_many) && hide(s, text, theirs, &hidden) == 0)
		bytes_printable(ses_buf_bytes(&hidden), out, size);
	else
		snprintf(out, size, "(not shown)");
	ses_buf_fini(&hidden);
	return out;
}

char *doctor_redact(const struct doctor_case *c, struct bytes text, char *out,
		    size_t size)
{
	struct doctor_secrets s;

	doctor_secrets_collect(c, &s);
	return show(&s, text, THEIRS, out, size);
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
	struct doctor_secrets s;
	size_t n = 0;

	doctor_secrets_collect(c, &s);
	out[0] = 0;
	while (rest.len > 0 && size - n > 2) {
		size_t len = line_len(rest);

		show(&s, bytes_first(rest, len), OURS, out + n, size - n - 1);
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
	struct doctor_secrets s;

	doctor_secrets_collect(c, &s);
	show(&s, bytes_of_str(c->url_text), OURS, text, sizeof(text));
	if (ses_url_redact(bytes_of_str(text), out, size) < 0)
		snprintf(out, size, "(too long to show)");
	return out;
}

/* ---- heads ---- */

/* "a=1; b=2; Path=/" with the values hidden (attributes of Set-Cookie too:
 * which they are is nobody's question). */
static int show_cookies(struct doctor_secrets *s, struct bytes list,
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
			     OURS, name, sizeof(name));
		r = ses_buf_printf(out, "%s%s%s***", first ? "" : "; ",
				   equals >= 0 ? name : "",
				   equals >= 0 ? "=" : "");
		list = end < 0 ? bytes_of(NULL, 0)
			       : bytes_from(list, (size_t)end + 1);
	}
	return r;
}

/* The scheme stays ("Basic ***"): it is half of the diagnosis. */
static int show_authorization(struct doctor_secrets *s, struct bytes value,
			      struct ses_buf *out)
{
	ptrdiff_t blank = bytes_find_byte(value, ' ');
	char scheme[64] = "";

	if (blank > 0 && blank < 20)
		show(s, bytes_first(value, (size_t)blank + 1), OURS, scheme,
		     sizeof(scheme));
	return ses_buf_printf(out, "%s***", scheme);
}

static int show_subprotocols(struct doctor_secrets *s, struct bytes list,
			     struct ses_buf *out)
{
	struct doctor_offers offers = {.rest = list};
	char text[512];
	int r = 0;

	for (bool first = true; r == 0 && doctor_next_offer(&offers);
	     first = false)
		r = ses_buf_printf(out, "%s%s", first ? "" : ", ",
				   offers.secret ? "***"
						 : show(s, offers.one, THEIRS,
							text, sizeof(text)));
	return r;
}

/* A text that may have URLs in it, each without its secrets. */
static int show_urls(struct bytes text, struct ses_buf *out)
{
	static const char ends[] = " \"'<>";
	char url[8192];
	int r = 0;

	while (text.len > 0 && r == 0) {
		size_t n = 0;

		while (n < text.len && !strchr(ends, text.data[n]))
			n++;
		if (ses_url_redact(bytes_first(text, n), url, sizeof(url)) < 0)
			snprintf(url, sizeof(url), "(too long to show)");
		r = ses_buf_append_str(out, url);
		if (r == 0 && n < text.len)
			r = ses_buf_append(out, bytes_of(text.data + n, 1));
		text = bytes_from(text, n + 1);
	}
	return r;
}

static int show_value(struct doctor_secrets *s, struct bytes name,
		      struct bytes value, struct ses_buf *out)
{
	char text[2048];

	if (bytes_equal_nocase(name, BYTES("Cookie")) ||
	    bytes_equal_nocase(name, BYTES("Set-Cookie")))
		return show_cookies(s, value, out);
	if (bytes_equal_nocase(name, BYTES("Authorization")) ||
	    bytes_equal_nocase(name, BYTES("Proxy-Authorization")))
		return show_authorization(s, value, out);
	if (doctor_is_secret_name(name))
		return ses_buf_append_str(out, "***");
	if (bytes_equal_nocase(name, BYTES("Sec-WebSocket-Protocol")))
		return show_subprotocols(s, value, out);
	/* what is known to be secret first: a place may cut it in two */
	show(s, value, THEIRS, text, sizeof(text));
	if (!strchr(text, '?') && !strstr(text, "//"))
		return ses_buf_append_str(out, text);
	return show_urls(bytes_of_str(text), out);
}

/* "GET /chat?token=... HTTP/1.1" or a status line. */
static int show_start_line(struct doctor_secrets *s, struct bytes line,
			   struct ses_buf *out)
{
	struct bytes version = BYTES(" HTTP/1.1");
	char text[8192];
	bool request =
		line.len > version.len &&
		bytes_equal(bytes_from(line, line.len - version.len), version);
	int r;

	if (request)
		line.len -= version.len;
	if (bytes_starts(line, BYTES("HTTP/")))
		return ses_buf_append_str(
			out, show(s, line, THEIRS, text, sizeof(text)));
	show(s, line, THEIRS, text, sizeof(text));
	r = show_urls(bytes_of_str(text), out);
	return r == 0 && request ? ses_buf_append(out, version) : r;
}

/* Names that everybody uses: where a secret begins alike, it is not meant. */
static bool is_usual_name(struct bytes name)
{
	static const char *const names[] = {
		"Accept",     "Age",	    "Allow",	  "Authorization",
		"Connection", "Cookie",	    "Date",	  "Host",
		"Location",   "Origin",	    "Pragma",	  "Proxy-Authorization",
		"Referer",    "Server",	    "Set-Cookie", "Upgrade",
		"User-Agent", "Via",	    "X-Api-Key",  "X-Auth-Token",
		"Expires",    "Keep-Alive", "Vary",	  "WWW-Authenticate",
		"Extensions", "Key",	    "Protocol",	  "Version"};
	struct bytes prefix = BYTES("Sec-WebSocket-");

	if (bytes_equal_nocase(bytes_first(name, prefix.len), prefix))
		name = bytes_from(name, prefix.len);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(names[i])))
			return true;
	return false;
}

static int show_name(struct doctor_secrets *s, struct bytes name,
		     struct ses_buf *out)
{
	char text[256];

	if (is_usual_name(name))
		return ses_buf_append(out, name);
	return ses_buf_append_str(out, show(s, name, OURS, text, sizeof(text)));
}

static int show_line(struct doctor_secrets *s, struct bytes line, bool first,
		     const char *prefix, struct ses_buf *out)
{
	ptrdiff_t colon = bytes_find_byte(line, ':');
	int r = ses_buf_append_str(out, prefix);

	if (r == 0 && (first || colon < 0))
		r = show_start_line(s, line, out);
	else if (r == 0)
		r = show_name(s, bytes_first(line, (size_t)colon), out);
	if (r == 0 && !first && colon >= 0)
		r = ses_buf_append_str(out, ": ");
	if (r == 0 && !first && colon >= 0)
		r = show_value(s, bytes_trim(bytes_first(line, (size_t)colon)),
			       bytes_trim(bytes_from(line, (size_t)colon + 1)),
			       out);
	return r < 0 ? r : ses_buf_append_str(out, "\n");
}

int doctor_redact_head(const struct doctor_case *c, struct bytes head,
		       const char *prefix, struct ses_buf *out)
{
	struct doctor_secrets s;
	bool first = true;
	int r = 0;

	doctor_secrets_collect(c, &s);
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
