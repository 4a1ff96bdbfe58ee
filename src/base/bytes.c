/* SPDX-License-Identifier: MIT */
/*
 * Comparing, cutting and showing runs of bytes. Nothing here trusts its input:
 * it is what peers sent.
 */
#include "base/bytes.h"

/* Of eight bytes those from 'A' to 'Z' become lower case. */
static uint64_t lower(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
	uint64_t low = word & ~tops;
	uint64_t upper = (low + ones * (0x80 - 'A')) &
			 ~(low + ones * (0x7f - 'Z')) & ~word & tops;

	return word | upper >> 2;
}

/* Most are the same as they stand, or differ in more than the bit of case. */
static inline bool equal_nocase(uint64_t a, uint64_t b)
{
	const uint64_t case_bits = UINT64_MAX / 255 * ('a' ^ 'A');

	return a == b || (!((a ^ b) & ~case_bits) && lower(a) == lower(b));
}

static inline uint64_t load_eight(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Four to seven: the first four and the last, some of them twice. */
static inline uint64_t load_few(const uint8_t *at, size_t n)
{
	uint32_t first, last;

	memcpy(&first, at, sizeof(first));
	memcpy(&last, at + n - sizeof(last), sizeof(last));
	return (uint64_t)first << 32 | last;
}

bool bytes_equal_nocase_n(const uint8_t *a, const uint8_t *b, size_t n)
{
	if (n >= 8) {
		for (size_t i = 0; i + 8 < n; i += 8)
			if (!equal_nocase(load_eight(a + i), load_eight(b + i)))
				return false;
		/* the last eight, some of them for the second time */
		return equal_nocase(load_eight(a + n - 8),
				    load_eight(b + n - 8));
	}
	if (n >= 4)
		return equal_nocase(load_few(a, n), load_few(b, n));
	for (size_t i = 0; i < n; i++)
		if (byte_lower(a[i]) != byte_lower(b[i]))
			return false;
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool bytes_is_one_of(struct bytes a, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal_nocase(a, bytes_of_str(texts[i])))
			return true;
	return false;
}

struct bytes bytes_trim(struct bytes a)
{
	while (a.len && is_blank(a.data[a.len - 1]))
		a.len--;
	while (a.len && is_blank(a.data[0]))
		a = bytes_from(a, 1);
	return a;
}

ptrdiff_t bytes_find_byte(struct bytes a, uint8_t c)
{
	const uint8_t *at = a.len ? memchr(a.data, c, a.len) : NULL;

	return at ? at - a.data : -1;
}

bool bytes_contains_nocase(struct bytes hay, struct bytes needle)
{
	for (; hay.len >= needle.len; hay = bytes_from(hay, 1)) {
		if (bytes_equal_nocase(bytes_first(hay, needle.len), needle))
			return true;
		if (hay.len == 0)
			break;
	}
	return false;
}

bool bytes_next_element(struct bytes *list, struct bytes *ret_element)
{
	while (list->len) {
		ptrdiff_t comma = bytes_find_byte(*list, ',');
		size_t len = comma < 0 ? list->len : (size_t)comma;
		struct bytes element = bytes_trim(bytes_first(*list, len));

		*list = bytes_from(*list, comma < 0 ? len : len + 1);
		if (element.len) {
			*ret_element = element;
			return true;
		}
	}
	return false;
}

bool bytes_to_u64(struct bytes a, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (a.len == 0)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		unsigned digit = a.data[i] - (unsigned)'0';

		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

/*
 * The length of the UTF-8 character at the start of @a and its number, or 0
 * when none stands there (RFC 3629: shortest form, no surrogates).
 */
static size_t read_character(struct bytes a, uint32_t *ret_character)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t lead = a.data[0];
	size_t n = lead < 0x80	 ? 1
		   : lead < 0xc2 ? 0
		   : lead < 0xe0 ? 2
		   : lead < 0xf0 ? 3
		   : lead < 0xf5 ? 4
				 : 0;
	uint32_t character = n == 1 ? lead : lead & (0x7fu >> n);

	if (n == 0 || a.len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((a.data[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (a.data[i] & 0x3f);
	}
	if (character < lowest[n] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return n;
}

/* Whether a terminal or a log reader shows it and does nothing else. */
static bool is_printable(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && /* C0, DEL, C1 */
	       !(c >= 0x200b && c <= 0x200f) &&	      /* no width, directions */
	       !(c >= 0x2028 && c <= 0x202e) &&	  /* line ends, directions */
	       !(c >= 0x2060 && c <= 0x206f) &&	  /* more of both */
	       !(c >= 0xfdd0 && c <= 0xfdef) &&	  /* no characters at all */
	       !(c >= 0xe0000 && c <= 0xe007f) && /* tags, which nobody sees */
	       (c & 0xfffe) != 0xfffe && c != 0xad && c != 0x061c && c != 0xfeff;
}

/*
 * Show what stands at the start of @a: one character as it is, or one byte as
 * \xNN. Returns how many bytes of @a that was; *ret_len counts those shown.
 */
static size_t show_one(struct bytes a, char shown[4], size_t *ret_len)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t character = 0;
	size_t n = read_character(a, &character);

	if (n && is_printable(character)) {
		memcpy(shown, a.data, n);
		*ret_len = n;
		return n;
	}
	memcpy(shown,
	       (char[4]){'\\', 'x', hex[a.data[0] >> 4], hex[a.data[0] & 15]},
	       4);
	*ret_len = 4;
	return 1;
}

char *bytes_printable(struct bytes a, char *out, size_t size)
{
	static const char dots[] = "...";
	size_t at = 0, safe = 0; /* safe: how much can stay before the dots */

	while (a.len) {
		char shown[4];
		size_t n, taken = show_one(a, shown, &n);

		if (n >= size - at)
			break;
		memcpy(out + at, shown, n);
		at += n;
		if (size - at >= sizeof(dots))
			safe = at;
		a = bytes_from(a, taken);
	}
	if (a.len) {
		size_t n = size - safe - 1;

		n = n < sizeof(dots) - 1 ? n : sizeof(dots) - 1;
		memcpy(out + safe, dots, n);
		at = safe + n;
	}
	out[at] = '\0';
	return out;
}

struct bytes bytes_first_whole(struct bytes a, size_t n)
{
	if (n >= a.len)
		return a;
	while (n && (a.data[n] & 0xc0) == 0x80)
		n--;
	return bytes_first(a, n);
}

bool bytes_equal_secret(struct bytes a, struct bytes b)
{
	volatile uint8_t difference = a.len != b.len;

	for (size_t i = 0; i < a.len && i < b.len; i++)
		difference |= a.data[i] ^ b.data[i];
	return difference == 0;
}

const struct ses_field *ses_field_named(const struct ses_field *fields,
					size_t n, struct bytes name)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal_nocase(fields[i].name, name))
			return &fields[i];
	return NULL;
}

size_t ses_fields_named(const struct ses_field *fields, size_t n,
			struct bytes name)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += bytes_equal_nocase(fields[i].name, name);
	return count;
}

bool ses_fields_have_token(const struct ses_field *fields, size_t n,
			   struct bytes name, struct bytes token)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes list = fields[i].value, element;

		if (!bytes_equal_nocase(fields[i].name, name))
			continue;
		while (bytes_next_element(&list, &element))
			if (bytes_equal_nocase(element, token))
				return true;
	}
	return false;
}
