/* SPDX-License-Identifier: MIT */
/*
 * A borrowed run of bytes. It owns nothing: whoever takes one says until when
 * it is looked at. All functions here are pure and never read past the end.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len;
};

/* For printf("%.*s", BYTES_ARG(b)). Lengths over INT_MAX are not printable. */
#define BYTES_ARG(b) (int)(b).len, (const char *)(b).data
/* A struct bytes over a string literal. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){data, len};
}

/* A NUL-terminated string without its NUL; NULL gives the empty run. */
static inline struct bytes bytes_of_str(const char *s)
{
	return (struct bytes){(const uint8_t *)s, s ? strlen(s) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_of_str(s));
}

static inline bool bytes_starts(struct bytes a, struct bytes prefix)
{
	return a.len >= prefix.len && bytes_equal(bytes_of(a.data, prefix.len), prefix);
}

/* The part of @a from @from on; empty when @from is at or past the end. */
static inline struct bytes bytes_from(struct bytes a, size_t from)
{
	return from >= a.len ? bytes_of(a.data, 0) : bytes_of(a.data + from, a.len - from);
}

/* The first @n bytes of @a, or all of it. */
static inline struct bytes bytes_first(struct bytes a, size_t n)
{
	return bytes_of(a.data, n < a.len ? n : a.len);
}

/* ASCII case folding, independent of any locale. */
static inline uint8_t byte_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool bytes_equal_nocase_n(const uint8_t *a, const uint8_t *b, size_t n);
/* Equal but for ASCII case, as field names and tokens are (RFC 9110, 5.1). */
static inline bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
	/* most are told apart by their length */
	return a.len == b.len && bytes_equal_nocase_n(a.data, b.data, a.len);
}
/* Whether it equals one of @n texts, but for ASCII case. */
bool bytes_is_one_of(struct bytes a, const char *const *texts, size_t n);
/* Without leading and trailing blanks and tabs (OWS, RFC 9110, 5.6.3). */
struct bytes bytes_trim(struct bytes a);
/* Where @c first stands in @a, or -1. */
ptrdiff_t bytes_find_byte(struct bytes a, uint8_t c);
/* Whether @needle stands somewhere in @hay, ASCII case ignored. */
bool bytes_contains_nocase(struct bytes hay, struct bytes needle);
/*
 * Cut the next element off a comma-separated list (RFC 9110, 5.6.1), trimmed;
 * empty elements are skipped. False when the list is used up. Commas within
 * quoted strings are not understood: for those see wire/extensions.h.
 */
bool bytes_next_element(struct bytes *list, struct bytes *ret_element);
/* Parse all of @a as a decimal number up to @max. False for anything else. */
bool bytes_to_u64(struct bytes a, uint64_t max, uint64_t *ret_value);
/*
 * Copy @a into @out (of @size bytes, > 0) as a printable NUL-terminated
 * string: control bytes, bytes over 0x7e that are not valid UTF-8, ESC, CR, LF,
 * the UTF-8 line separators and what is not seen become \xNN; cut with "..."
 * when too long.
 * Everything a peer sent goes through this before it meets a terminal or log.
 */
char *bytes_printable(struct bytes a, char *out, size_t size);
/* At most @n bytes of the UTF-8 text @a, and no character cut in two. */
struct bytes bytes_first_whole(struct bytes a, size_t n);
/* Compare in time that depends on the lengths alone, for secrets. */
bool bytes_equal_secret(struct bytes a, struct bytes b);

/* A field of an HTTP head: a name and a trimmed value, both borrowed. */
struct ses_field {
	struct bytes name;
	struct bytes value;
};

/* The first field called @name (ASCII case ignored), or NULL. */
const struct ses_field *ses_field_named(const struct ses_field *fields,
					size_t n, struct bytes name);
static inline const struct ses_field *
ses_field_find(const struct ses_field *fields, size_t n, const char *name)
{
	return ses_field_named(fields, n, bytes_of_str(name));
}
/* How many fields are called @name. */
size_t ses_fields_named(const struct ses_field *fields, size_t n,
			struct bytes name);
static inline size_t ses_field_count(const struct ses_field *fields, size_t n,
				     const char *name)
{
	return ses_fields_named(fields, n, bytes_of_str(name));
}
/*
 * Whether a list-valued field @name holds @token (ASCII case ignored), over
 * all fields of that name: Connection: keep-alive, Upgrade.
 */
bool ses_fields_have_token(const struct ses_field *fields, size_t n,
			   struct bytes name, struct bytes token);
static inline bool ses_field_has_token(const struct ses_field *fields, size_t n,
				       const char *name, const char *token)
{
	return ses_fields_have_token(fields, n, bytes_of_str(name),
				     bytes_of_str(token));
}

#endif
