/* SPDX-License-Identifier: MIT */
/*
 * Every spelling in which a text may hold a secret. Servers quote what they
 * refuse, and on the way it is encoded, escaped, encoded again, written in
 * other letters, folded or cut. A short secret counts only where it stands as a
 * word of its own, else a password "in" would leave no sentence readable.
 */
#include "doctor/secrets.h"

#include "base/percent.h"

#define SHORT_SECRET   8 /* counts as a word only */
#define LEAST_TAIL     6 /* the last four are what a mask leaves, mostly */
#define LONGEST_TAG    60
#define LONGEST_ESCAPE 48 /* of one that was escaped again */
#define MOST_GAPS      256

static bool is_base64_byte(uint8_t c)
{
	return doctor_is_word_byte(c) || c == '+' || c == '/' || c == '-' ||
	       c == '=';
}

/* Whether what begins at @at is, in some reading, no part of a word. */
static bool ends_word(const struct doctor_reading *r, size_t at)
{
	for (size_t times = 0; times <= r->n_levels; times++) {
		struct doctor_unit u = doctor_reading_at(r, times, at);

		if (u.what < 128 && !doctor_is_word_byte((uint8_t)u.what))
			return true;
	}
	return false;
}

/* Whether what ends before @at is: "%22" as well as its last letter. */
static bool begins_word(const struct doctor_reading *r, size_t at)
{
	for (size_t n = 1; n <= LONGEST_ESCAPE && n <= at; n++)
		for (size_t times = 0; times <= r->n_levels; times++) {
			struct doctor_unit u =
				doctor_reading_at(r, times, at - n);

			if (u.end == at && u.what < 128 &&
			    !doctor_is_word_byte((uint8_t)u.what))
				return true;
		}
	return at == 0;
}

static bool stands_alone(const struct doctor_reading *r, size_t at, size_t len)
{
	return begins_word(r, at) &&
	       (at + len == r->text.len || ends_word(r, at + len));
}

/* What looks like a JSON Web Token: its beginning, base64url and dots. */
static size_t token_len(struct bytes text)
{
	size_t n = 0;

	if (!bytes_starts(text, BYTES("eyJ")))
		return 0;
	while (n < text.len && (doctor_is_word_byte(text.data[n]) ||
				text.data[n] == '-' || text.data[n] == '.'))
		n++;
	return n > 16 ? n : 0;
}

/* Whether a text ends here, or was cut here and marked so. */
static bool is_cut(struct bytes rest)
{
	return rest.len == 0 || bytes_starts(rest, BYTES("..")) ||
	       bytes_starts(rest, BYTES("…")) ||
	       bytes_starts(rest, BYTES("**")) ||
	       (rest.data[0] == '<' && rest.len < LONGEST_TAG &&
		bytes_find_byte(rest, '>') < 0);
}

static bool is_same(const struct doctor_secret *secret, uint8_t a, uint8_t b)
{
	if (secret->base64)
		return a == b || (a == '+' && b == '-') ||
		       (a == '/' && b == '_');
	/* of letters beyond ASCII the last bytes differ as those within do */
	return byte_lower(a) == byte_lower(b) ||
	       ((a ^ b) == 0x20 && a >= 0x80 && a < 0xc0);
}

/* The code point that @in (not empty) begins with in UTF-8, or 0. */
static size_t utf8_len(struct bytes in, uint32_t *ret)
{
	size_t n = in.data[0] >= 0xf0	? 4
		   : in.data[0] >= 0xe0 ? 3
		   : in.data[0] >= 0xc0 ? 2
					: 0;
	uint32_t value;

	if (n == 0 || n > in.len)
		return 0;
	value = in.data[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		value = value << 6 | (in.data[i] & 0x3f);
	*ret = value;
	return n;
}

/* How many bytes of @secret from @matched on @u is; 0: another one. */
static size_t fits(const struct doctor_secret *secret, size_t matched,
		   struct doctor_unit u)
{
	uint8_t wanted = secret->text.data[matched];
	uint32_t point = 0, what = u.what & ~DOCTOR_CODE_POINT;
	size_t n;

	/* what is written as \xc3 may be a byte or a character */
	if (what < 256 && (is_same(secret, wanted, (uint8_t)what) ||
			   (wanted == ' ' && what == '+')))
		return 1;
	if (what < 128)
		return 0;
	n = utf8_len(bytes_from(secret->text, matched), &point);
	return point == what ? n : 0;
}

/* "<wbr>", "</b>": how long a tag that @in begins with is. */
static size_t tag_len(struct bytes in)
{
	size_t n = 1;

	if (in.len < 3 || in.data[0] != '<' ||
	    !(doctor_is_word_byte(in.data[1]) || in.data[1] == '/' ||
	      in.data[1] == '!'))
		return 0;
	while (n < in.len && n < LONGEST_TAG && in.data[n] != '>')
		n++;
	return n < in.len && in.data[n] == '>' ? n + 1 : 0;
}

/*
 * What may stand within a word and be no part of it: a tag, the end of a line
 * that was folded (with the "=" of quoted-printable), half of UTF-16, a soft
 * hyphen, a space of no width.
 */
static size_t gap_len(const struct doctor_reading *r, size_t at)
{
	struct bytes rest = bytes_from(r->text, at);
	size_t n = 0;

	if (bytes_starts(rest, BYTES("\xc2\xad")))
		return 2;
	if (bytes_starts(rest, BYTES("\xe2\x80\x8b")))
		return 3;
	if (rest.data[0] == 0)
		return 1;
	if (rest.data[0] == '<')
		return tag_len(rest);
	if (rest.data[0] == '=' && rest.len > 1)
		n = 1;
	for (size_t times = 0; times <= r->n_levels; times++) {
		struct doctor_unit u = doctor_reading_at(r, times, at + n);

		if (u.what != '\n' && u.what != '\r')
			continue;
		n = u.end - at;
		while (n < rest.len && strchr("\r\n\t ", rest.data[n]) &&
		       rest.data[n])
			n++;
		return n;
	}
	return 0;
}

/* While a secret is looked for in one place. */
struct match {
	const struct doctor_secret *secret;
	const struct doctor_reading *r;
	unsigned tries; /* ways that may still be tried besides the first */
	unsigned gaps;	/* how many were skipped */
	size_t matched; /* bytes of the secret, the most that was found */
	size_t end;	/* where that ends in the text */
};

/*
 * Follow the secret from @matched on at @at. What is decoded most often goes
 * first; where a sign stands both for itself and for the beginning of an
 * escape, the other ways are tried as well.
 */
static void follow(struct match *m, size_t at, size_t matched)
{
	size_t len = m->secret->text.len;

	while (matched < len && at < m->r->text.len) {
		size_t end = 0, n = 0;

		for (size_t times = m->r->n_levels + 1; times-- > 0;) {
			struct doctor_unit u =
				doctor_reading_at(m->r, times, at);
			size_t more = fits(m->secret, matched, u);

			if (more == 0 || u.end == end)
				continue;
			if (end == 0) {
				end = u.end;
				n = more;
			} else if (m->tries > 0) {
				m->tries--;
				follow(m, u.end, matched + more);
			}
		}
		if (end == 0 && matched > 0 && m->gaps++ < MOST_GAPS)
			end = at + gap_len(m->r, at);
		if (end <= at)
			return;
		at = end;
		matched += n;
		if (n > 0 && matched > m->matched) {
			m->matched = matched;
			m->end = at;
		}
	}
}

/* How much of the secret stands in hexadecimal digits at @at. */
static void follow_hex(struct match *m, size_t at)
{
	struct bytes text = m->r->text;

	while (m->matched < m->secret->text.len && at + 1 < text.len) {
		int high = ses_hex_digit(text.data[at]);
		int low = ses_hex_digit(text.data[at + 1]);

		if (high < 0 || low < 0 ||
		    !is_same(m->secret, m->secret->text.data[m->matched],
			     (uint8_t)(high * 16 + low)))
			return;
		m->matched++;
		m->end = at += 2;
		/* "5a 71", "5a:71" */
		if (at < text.len && strchr(" :-,", text.data[at]) &&
		    text.data[at])
			at++;
	}
}

/* Past what goes on in base64 from @n on, over the ends of lines. */
static size_t base64_end(struct bytes text, size_t n)
{
	while (n < text.len) {
		size_t next = n;

		while (next < text.len &&
		       (text.data[next] == '\r' || text.data[next] == '\n'))
			next++;
		if (next == text.len || !is_base64_byte(text.data[next]))
			break;
		n = next + 1;
	}
	return n;
}

/*
 * Whether what was matched is a secret: all of it, or its beginning where the
 * text was cut before it came here. Our own sentences end where they end.
 */
static bool is_found(const struct doctor_secrets *s, const struct match *m,
		     size_t at)
{
	const struct doctor_secret *secret = m->secret;
	struct bytes rest = bytes_from(m->r->text, m->end);
	bool whole = m->matched == secret->text.len;

	if (m->matched < DOCTOR_LEAST_SECRET || (!whole && !is_cut(rest)))
		return false;
	if (!whole && rest.len == 0 && s->ours && m->matched < SHORT_SECRET)
		return false;
	if (secret->base64)
		return whole || m->matched >= SHORT_SECRET;
	return (m->matched >= SHORT_SECRET && !secret->weak) ||
	       stands_alone(m->r, at, m->end - at);
}

/* Where @secret ends that begins at @at, or @at. */
static size_t secret_end(const struct doctor_secrets *s,
			 const struct doctor_secret *secret,
			 const struct doctor_reading *r, size_t at)
{
	struct match m = {.secret = secret, .r = r, .tries = 16, .end = at};

	follow(&m, at, 0);
	if (is_found(s, &m, at))
		return secret->base64 ? base64_end(r->text, m.end) : m.end;
	m = (struct match){.secret = secret, .r = r, .end = at};
	follow_hex(&m, at);
	return m.matched == secret->text.len && m.matched > 0 ? m.end : at;
}

/* Whether a secret may begin at @at: whether one begins with what is there. */
static bool may_begin(const struct doctor_secrets *s,
		      const struct doctor_reading *r, size_t at)
{
	struct bytes rest = bytes_first(bytes_from(r->text, at), 2);
	int high = ses_hex_digit(rest.data[0]);
	int low = rest.len > 1 ? ses_hex_digit(rest.data[1]) : -1;

	if (high >= 0 && low >= 0 &&
	    s->begins[byte_lower((uint8_t)(high * 16 + low))])
		return true;
	for (size_t times = 0; times <= r->n_levels; times++) {
		struct doctor_unit u = doctor_reading_at(r, times, at);

		if (u.what >= 256 || s->begins[byte_lower((uint8_t)u.what)])
			return true;
	}
	return false;
}

/*
 * How much of the text at @at is the end of @secret, whose beginning was cut
 * off or masked: what stands there up to a blank or a quotation mark.
 */
static size_t tail_len(const struct doctor_secret *secret, struct bytes tail)
{
	if (secret->base64 || tail.len < LEAST_TAIL ||
	    tail.len >= secret->text.len)
		return 0;
	return bytes_equal_nocase(tail, bytes_from(secret->text,
						   secret->text.len - tail.len))
		       ? tail.len
		       : 0;
}

static bool follows_mask(struct bytes text, size_t at)
{
	if (at < 2 || strchr(".*", text.data[at]))
		return false;
	if (at > 2 && bytes_starts(bytes_from(text, at - 3), BYTES("…")))
		return true;
	return text.data[at - 1] == text.data[at - 2] &&
	       (text.data[at - 1] == '.' || text.data[at - 1] == '*');
}

/*
 * What follows "..." or "**" at @at, or nothing. A quote may begin within a
 * secret as well, behind a tag that was in it.
 */
static struct bytes masked_tail(struct bytes text, size_t at, bool quote)
{
	struct bytes rest = bytes_from(text, at);
	size_t n = 0;

	if (!(at == 0 && quote) && !follows_mask(text, at))
		return bytes_of(NULL, 0);
	while (n < rest.len && !strchr(" \t\r\n\"'<>(),;&", rest.data[n]))
		n++;
	return bytes_first(rest, n);
}

size_t doctor_secret_at(const struct doctor_secrets *s,
			const struct doctor_reading *r, size_t at)
{
	struct bytes rest = bytes_from(r->text, at);
	struct bytes tail = masked_tail(r->text, at, !s->ours);
	size_t longest = byte_lower(rest.data[0]) == 'e' ? token_len(rest) : 0;

	if (tail.len == 0 && !may_begin(s, r, at))
		return longest;
	for (size_t i = 0; i < s->n; i++) {
		size_t len = secret_end(s, &s->one[i], r, at) - at;

		if (len == 0)
			len = tail_len(&s->one[i], tail);
		longest = len > longest ? len : longest;
	}
	return longest;
}
