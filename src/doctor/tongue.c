/* SPDX-License-Identifier: MIT */
/*
 * Refusals in other languages. What is hard is that one letter is written in
 * many ways: with an accent or without, as an entity, as \uXXXX, in a character
 * set of its own. So a text is first folded to small letters without accents,
 * and the rows of tongues.def are written so as well.
 */
#include "doctor/tongue.h"

#define MOST_FOLDED   (3 * DOCTOR_MOST_GLOSSED)
#define MOST_SPELLED  6 /* ways in which a row's meaning is told */
#define LAST_OF_LATIN 0x17f

struct meaning {
	const char *english;
	const char *spelled[MOST_SPELLED + 1];
	bool foreign; /* no word of English as well */
};

static const struct meaning meanings[] = {
#define MEANS(language, english, ...) {english, {__VA_ARGS__}, true},
#define SHARED(word)		      {word, {word "$"}, false},
#include "doctor/tongues.def"
#undef SHARED
#undef MEANS
};

/* ---- letters ---- */

/* U+00C0 to U+00FF in small letters without accents; German writes them so. */
static const char *const latin1[] = {
	"a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e",  "e", "e",	"i",
	"i", "i", "i", "d", "n",  "o", "o",  "o", "o", "oe", "x", "o",	"u",
	"u", "u", "ue", "y", "th", "ss", "a", "a", "a", "a", "ae", "a", "ae",
	"c", "e", "e", "e",  "e", "i",	"i", "i", "i", "d",  "n", "o",	"o",
	"o", "o", "oe", "/", "o",  "u",	"u", "u", "ue", "y", "th", "y"};

static size_t utf8_len(uint8_t lead)
{
	return lead < 0xc2   ? 1
	       : lead < 0xe0 ? 2
	       : lead < 0xf0 ? 3
	       : lead < 0xf5 ? 4
			     : 1;
}

/* The character that @text begins with; a byte that is no UTF-8 is Latin-1. */
static size_t decode(struct bytes text, uint32_t *ret_c)
{
	size_t n = utf8_len(text.data[0]);
	uint32_t c = text.data[0] & (0xff >> (n + 1));

	*ret_c = text.data[0];
	if (n == 1 || n > text.len)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (text.data[i] & 0x3f);
	}
	*ret_c = c;
	return n;
}

static bool hex_digit(uint8_t b, uint32_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = b ? strchr(digits, byte_lower(b)) : NULL;

	if (at)
		*value = *value * 16 + (uint32_t)(at - digits);
	return at;
}

/* \uXXXX at the beginning of @text. */
static size_t decode_escape(struct bytes text, uint32_t *ret_c)
{
	uint32_t c = 0;

	if (text.len < 6 || text.data[0] != '\\' || text.data[1] != 'u')
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (!hex_digit(text.data[i], &c))
			return 0;
	*ret_c = c;
	return 6;
}

/* &#233; and &#xe9; */
static bool decode_number(struct bytes name, uint32_t *ret_c)
{
	bool hex = name.len > 1 && byte_lower(name.data[1]) == 'x';
	uint64_t number = 0;
	uint32_t c = 0;

	if (!hex) {
		if (!bytes_to_u64(bytes_from(name, 1), 0x10ffff, &number))
			return false;
		*ret_c = (uint32_t)number;
		return true;
	}
	for (size_t i = 2; i < name.len; i++)
		if (!hex_digit(name.data[i], &c))
			return false;
	*ret_c = c;
	return true;
}

/* Of a name (eacute, uuml) its letter is enough, but for those of German. */
static bool decode_name(struct bytes name, uint32_t *ret_c)
{
	static const struct {
		const char *name;
		uint32_t c;
	} rows[] = {{"auml", 0xe4},  {"ouml", 0xf6},	{"uuml", 0xfc},
		    {"szlig", 0xdf}, {"nbsp", ' '},	{"rsquo", '\''},
		    {"apos", '\''},  {"lsquo", '\''},	{"quot", '"'}};
	static const char *const accents[] = {"acute", "grave", "circ", "tilde",
					      "uml",   "cedil", "ring"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*ret_c = rows[i].c;
		if (bytes_equal_nocase(name, bytes_of_str(rows[i].name)))
			return true;
	}
	*ret_c = name.len > 0 ? byte_lower(name.data[0]) : 0;
	return bytes_is_one_of(bytes_from(name, 1), accents,
			       sizeof(accents) / sizeof(accents[0]));
}

static size_t decode_entity(struct bytes text, uint32_t *ret_c)
{
	ptrdiff_t end = bytes_find_byte(bytes_first(text, 10), ';');
	struct bytes name;

	if (text.data[0] != '&' || end < 2)
		return 0;
	name = bytes_of(text.data + 1, (size_t)end - 1);
	if (!(name.data[0] == '#' ? decode_number(name, ret_c)
				  : decode_name(name, ret_c)))
		return 0;
	return (size_t)end + 1;
}

static size_t next_char(struct bytes text, uint32_t *ret_c)
{
	size_t n = decode_escape(text, ret_c);

	if (n == 0)
		n = decode_entity(text, ret_c);
	return n ? n : decode(text, ret_c);
}

static uint32_t small_letter(uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e) /* as wide as a Chinese character */
		c -= 0xff01 - '!';
	if (c >= 'A' && c <= 'Z')
		return c | 0x20;
	if (c >= 0x410 && c <= 0x42f) /* Cyrillic */
		return c + 0x20;
	if (c == 0x401 || c == 0x451) /* and its yo, which most write as ye */
		return 0x435;
	if (c == 0x2019 || c == 0x2018 || c == 0x92)
		return '\'';
	if (c == 0xa0 || c == 0x3000 || c == '\t' || c == '\r' || c == '\n')
		return ' ';
	return c;
}

/* @c as it stands in tongues.def; its length. */
static size_t spell(uint32_t c, char out[4])
{
	if (c >= 0xc0 && c <= 0xff) {
		size_t n = strlen(latin1[c - 0xc0]);

		memcpy(out, latin1[c - 0xc0], n);
		return n;
	}
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c > 0xffff) /* in no word of a row */
		return 0;
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

struct folded {
	char text[MOST_FOLDED + 4];
	uint16_t said_at[MOST_FOLDED + 4];
	size_t len;
};

static void fold(struct bytes said, struct folded *f)
{
	size_t at = 0;

	f->len = 0;
	while (at < said.len && at < UINT16_MAX && f->len < MOST_FOLDED) {
		uint32_t c;
		size_t read = next_char(bytes_from(said, at), &c);
		size_t n;

		c = small_letter(c);
		if (c == ' ' && f->len > 0 && f->text[f->len - 1] == ' ')
			n = 0;
		else
			n = spell(c, f->text + f->len);
		for (size_t i = 0; i < n; i++)
			f->said_at[f->len + i] = (uint16_t)at;
		f->len += n;
		at += read;
	}
}

/* ---- phrases ---- */

static bool is_ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_cyrillic(char lead)
{
	return (uint8_t)lead == 0xd0 || (uint8_t)lead == 0xd1;
}

/* Whether a word may begin at @at; Chinese and Japanese put nothing between. */
static bool begins_word(const struct folded *f, size_t at)
{
	if (((uint8_t)f->text[at] & 0xc0) == 0x80)
		return false;
	if (at == 0)
		return true;
	if (is_ascii_letter(f->text[at]))
		return !is_ascii_letter(f->text[at - 1]);
	if (is_cyrillic(f->text[at]))
		return at < 2 || !is_cyrillic(f->text[at - 2]);
	return true;
}

/* How long @spelled is, where @f has it at @at; 0: it does not. */
static size_t matched(const struct folded *f, size_t at, const char *spelled)
{
	size_t n = strlen(spelled);
	bool whole = n > 0 && spelled[n - 1] == '$';

	n -= whole;
	if (f->len - at < n || f->text[at] != *spelled ||
	    memcmp(f->text + at, spelled, n) != 0)
		return 0;
	if (whole && at + n < f->len && is_ascii_letter(f->text[at + n]))
		return 0;
	return n;
}

/* The longest phrase at @at, since it is the one with the most meaning. */
static const struct meaning *meaning_at(const struct folded *f, size_t at,
					size_t *ret_len)
{
	const struct meaning *found = NULL;

	*ret_len = 0;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		for (size_t k = 0; meanings[i].spelled[k]; k++) {
			size_t n = matched(f, at, meanings[i].spelled[k]);

			if (n > *ret_len) {
				*ret_len = n;
				found = &meanings[i];
			}
		}
	return found;
}

static void append(struct doctor_gloss *g, const char *english, uint16_t said_at)
{
	size_t n = strlen(english);

	if (n == 0 || g->n == DOCTOR_MOST_GLOSSES ||
	    g->len + n + 2 > sizeof(g->text))
		return;
	if (g->len > 0)
		g->text[g->len++] = ' ';
	g->phrase[g->n].at = (uint16_t)g->len;
	g->phrase[g->n++].said_at = said_at;
	memcpy(g->text + g->len, english, n + 1);
	g->len += n;
}

bool doctor_gloss(struct bytes said, struct doctor_gloss *ret)
{
	struct folded f;
	bool foreign = false;
	size_t len;

	fold(said, &f);
	ret->len = ret->n = 0;
	ret->text[0] = 0;
	for (size_t at = 0; at < f.len; at += len) {
		const struct meaning *m = NULL;

		if (begins_word(&f, at))
			m = meaning_at(&f, at, &len);
		if (!m) {
			len = 1;
			continue;
		}
		foreign |= m->foreign;
		append(ret, m->english, f.said_at[at]);
	}
	if (!foreign)
		ret->len = ret->n = 0;
	ret->text[ret->len] = 0;
	return foreign;
}

size_t doctor_glossed_at(const struct doctor_gloss *gloss, size_t at)
{
	size_t said_at = 0;

	for (size_t i = 0; i < gloss->n && gloss->phrase[i].at <= at; i++)
		said_at = gloss->phrase[i].said_at;
	return said_at;
}
