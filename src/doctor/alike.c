/* SPDX-License-Identifier: MIT */
/*
 * Are two answers alike? They are when only what varies by itself differs:
 * request ids, times, and the echo of what was changed.
 */
#include "doctor/alike.h"

#include <sesame/error.h>

#define MAX_ECHOES 24

/* What a server repeats and what names one answer alone. */
struct echoes {
	struct bytes one[MAX_ECHOES];
	size_t n;
};

/* Bytes above 0x7f are parts of letters: words of every language count. */
static bool is_letter_or_digit(uint8_t c)
{
	uint8_t l = byte_lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static size_t word_len(struct bytes in, bool *ret_digits)
{
	size_t n = 0;

	*ret_digits = false;
	for (; n < in.len && is_letter_or_digit(in.data[n]); n++)
		*ret_digits |= in.data[n] >= '0' && in.data[n] <= '9';
	return n;
}

static size_t span(struct bytes in, const char *alphabet)
{
	size_t n = 0;

	while (n < in.len && in.data[n] && strchr(alphabet, in.data[n]))
		n++;
	return n;
}

/* Groups of four and more of @alphabet with hyphens between; 0: none such. */
static size_t groups_len(struct bytes in, const char *alphabet, bool equal)
{
	size_t first = span(in, alphabet), n = first, len;

	if (first < 4)
		return 0;
	while (n < in.len && in.data[n] == '-') {
		len = span(bytes_from(in, n + 1), alphabet);
		if (len < 4 || (equal && len != first))
			return 0;
		n += 1 + len;
	}
	if (n == first || (n < in.len && is_letter_or_digit(in.data[n])))
		return 0;
	return n;
}

/* A reference, "K7PM-EVXV", or a UUID: some of its groups have no digit. */
static size_t id_len(struct bytes in)
{
	size_t n = groups_len(in, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", true);

	return n ? n : groups_len(in, "0123456789abcdef", false);
}

static void add_echo(struct echoes *e, struct bytes text)
{
	bool path = bytes_starts(text, BYTES("/"));

	if ((path || text.len > 3) && e->n < MAX_ECHOES)
		e->one[e->n++] = text;
}

static void add_ids(struct echoes *e, const struct ses_head *head)
{
	static const char *const fields[] = {"Sesame-Reference",
					     "X-Request-Id",
					     "Request-Id",
					     "X-Correlation-Id",
					     "X-Trace-Id",
					     "CF-Ray",
					     "X-Amz-Cf-Id",
					     "X-Amzn-RequestId",
					     "X-Amzn-Trace-Id",
					     "X-Azure-Ref",
					     "X-Vercel-Id",
					     "Fly-Request-Id",
					     "Date"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		add_echo(e, ses_head_get(head, fields[i]));
}

bool doctor_is_answers_id(const struct doctor_probe *p, struct bytes word)
{
	struct echoes ids = {.n = 0};
	bool digits = false;

	for (size_t i = 0; i < word.len; i++)
		digits |= word.data[i] >= '0' && word.data[i] <= '9';
	if (digits && id_len(word) == word.len)
		return true;
	add_ids(&ids, &p->parsed);
	for (size_t i = 0; i < ids.n; i++)
		if (bytes_equal(ids.one[i], word))
			return true;
	return false;
}

/* "/" and "/ws" stand in many a text that repeats no path. */
static bool is_path_alone(struct bytes body, size_t at, size_t len)
{
	size_t end = at + len;

	return (at == 0 || strchr(" \t\r\n\"'`:", body.data[at - 1])) &&
	       (end == body.len || (!is_letter_or_digit(body.data[end]) &&
				    !strchr("/>-_", body.data[end])));
}

static size_t echo_len(const struct echoes *e, struct bytes body, size_t at)
{
	struct bytes rest = bytes_from(body, at);
	size_t longest = 0;

	for (size_t i = 0; i < e->n; i++) {
		size_t len = e->one[i].len;

		if (len > longest && bytes_starts(rest, e->one[i]) &&
		    (len > 3 || is_path_alone(body, at, len)))
			longest = len;
	}
	return longest;
}

/* The path that was asked for, behind the host. */
static size_t target_len(const struct echoes *e, struct bytes rest)
{
	size_t longest = 0;

	for (size_t i = 0; i < e->n; i++)
		if (bytes_starts(e->one[i], BYTES("/")) &&
		    e->one[i].len > longest && bytes_starts(rest, e->one[i]))
			longest = e->one[i].len;
	return longest;
}

/* "http://" and our host, which is the Origin as well where that is our own. */
static size_t url_len(const struct echoes *e, struct bytes body, size_t at)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct bytes scheme = bytes_of_str(schemes[i]);
		size_t len;

		if (!bytes_starts(bytes_from(body, at), scheme))
			continue;
		len = echo_len(e, body, at + scheme.len);
		if (len == 0)
			return 0;
		len += scheme.len;
		return len + target_len(e, bytes_from(body, at + len));
	}
	return 0;
}

/* A link to write to the administrator holds all of the request. */
static size_t letter_len(struct bytes in)
{
	size_t n = 0;

	if (!bytes_starts(in, BYTES("mailto:")))
		return 0;
	while (n < in.len && !strchr("\"'> \t\r\n", in.data[n]))
		n++;
	return n;
}

/* How many bytes at @at vary by themselves: they count as one mark. */
static size_t varying_len(const struct echoes *e, struct bytes body, size_t at)
{
	struct bytes rest = bytes_from(body, at);
	size_t len = url_len(e, body, at), word;
	bool digits;

	if (len == 0)
		len = echo_len(e, body, at);
	if (len == 0)
		len = letter_len(rest);
	if (len == 0)
		len = id_len(rest);
	if (len > 0)
		return len;
	word = word_len(rest, &digits);
	return digits ? word : 0;
}

static uint64_t hash_byte(uint64_t hash, uint8_t c)
{
	return (hash ^ c) * 0x100000001b3; /* FNV-1a */
}

void doctor_hash_body(struct doctor_probe *p, struct bytes target,
		      struct bytes origin, struct bytes host)
{
	ptrdiff_t query = bytes_find_byte(target, '?');
	ptrdiff_t port = bytes_find_byte(host, ':');
	struct bytes body = bytes_of(p->body, p->body_len);
	struct echoes echoes = {.n = 0};
	uint64_t hash = 0xcbf29ce484222325;
	size_t at = 0;

	add_echo(&echoes, target);
	add_echo(&echoes, bytes_first(target, query < 0 ? 0 : (size_t)query));
	add_echo(&echoes, origin);
	add_echo(&echoes, host);
	add_echo(&echoes, bytes_first(host, port < 0 ? 0 : (size_t)port));
	add_ids(&echoes, &p->parsed);
	while (at < body.len) {
		size_t len = varying_len(&echoes, body, at);
		bool digits;

		if (len > 0) {
			hash = hash_byte(hash, '#');
			at += len;
			continue;
		}
		len = word_len(bytes_from(body, at), &digits);
		for (len += at + (len == 0); at < len; at++)
			hash = hash_byte(hash, body.data[at]);
	}
	p->body_hash = hash;
}

#define WORD_BITS 2048
/* Words vary by chance, and so does how many do. */
#define CHANCE 0.15

/* The set of a body's words, each a bit; words with digits count as one. */
static void note_words(const struct doctor_probe *p, uint64_t *set)
{
	struct bytes body = bytes_of(p->body, p->body_len);
	size_t at = 0;

	while (at < body.len) {
		uint64_t hash = 0xcbf29ce484222325;
		bool digits;
		size_t len = letter_len(bytes_from(body, at)), bit;

		if (len > 0) {
			at += len;
			continue;
		}
		len = word_len(bytes_from(body, at), &digits);
		for (size_t i = 0; i < len && !digits; i++)
			hash = hash_byte(hash, byte_lower(body.data[at + i]));
		bit = (size_t)(hash >> 7) % WORD_BITS;
		if (len > 0)
			set[bit / 64] |= UINT64_C(1) << bit % 64;
		at += len ? len : 1;
	}
}

double doctor_likeness(const struct doctor_probe *a,
		       const struct doctor_probe *b)
{
	uint64_t one[WORD_BITS / 64] = {0}, other[WORD_BITS / 64] = {0};
	int both = 0, either = 0;

	note_words(a, one);
	note_words(b, other);
	for (size_t i = 0; i < WORD_BITS / 64; i++) {
		both += __builtin_popcountll(one[i] & other[i]);
		either += __builtin_popcountll(one[i] | other[i]);
	}
	return either ? (double)both / either : 1;
}

/* Where the same question gets bodies that vary, so may any other. */
static bool same_body(const struct doctor_probe *a, const struct doctor_probe *b)
{
	if (a->body_hash == b->body_hash)
		return true;
	return a->likeness > 0 && b->likeness > 0 &&
	       doctor_likeness(a, b) >= a->likeness - CHANCE;
}

/*
 * Who hangs up while something is left to read resets the connection, who read
 * it all closes it: which of the two it was is a matter of moments.
 */
static bool hung_up(const struct doctor_probe *p)
{
	return p->error == SESAME_ERESET || p->error == SESAME_ECLOSED;
}

bool doctor_same_answer(const struct doctor_probe *a,
			const struct doctor_probe *b)
{
	if (a->outcome != b->outcome || a->status != b->status)
		return false;
	switch (a->outcome) {
	case DOCTOR_ANSWERED:
		return same_body(a, b);
	case DOCTOR_CLOSED_AFTER:
		return a->close_code == b->close_code &&
		       strcmp(a->close_reason, b->close_reason) == 0;
	case DOCTOR_BAD_101:
	case DOCTOR_BAD_FRAME:
		return a->fault == b->fault;
	case DOCTOR_NO_CONNECTION:
		return a->error == b->error &&
		       a->dial.proxy_status == b->dial.proxy_status &&
		       a->dial.tls.fault == b->dial.tls.fault;
	case DOCTOR_NO_ANSWER:
		return a->error == b->error || (hung_up(a) && hung_up(b));
	default:
		return true;
	}
}
