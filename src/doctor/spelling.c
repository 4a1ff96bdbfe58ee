/* SPDX-License-Identifier: MIT */
/*
 * Every spelling in which a text may hold a secret. Servers quote what they
 * refuse, and on the way it is encoded, escaped, written in other letters or
 * cut. A short secret counts only where it stands as a word of its own, else a
 * password "in" would leave no sentence readable.
 */
#include "doctor/secrets.h"

#include "base/percent.h"

#define SHORT_SECRET 8 /* counts as a word only */

static bool is_base64_byte(uint8_t c)
{
	return doctor_is_word_byte(c) || c == '+' || c == '/' || c == '-' ||
	       c == '=';
}

static bool stands_alone(struct bytes text, size_t at, size_t len)
{
	return (at == 0 || !doctor_is_word_byte(text.data[at - 1])) &&
	       (at + len == text.len ||
		!doctor_is_word_byte(text.data[at + len]));
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

	if (matched < DOCTOR_LEAST_SECRET ||
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
