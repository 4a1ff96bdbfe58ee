/* SPDX-License-Identifier: MIT */
/*
 * Only the exact form that the gateway writes is read: whatever else has a word
 * like "Cause: " in it tells of something else.
 */
#include "doctor/disclosed.h"

#include "why/cause.h"
#include "why/reference.h"

#define DIGITS (WHY_REFERENCE_SIZE - 1)

/* What stands behind the first @word of @text; .data NULL: nowhere. */
static struct bytes behind(struct bytes text, const char *word)
{
	size_t len = strlen(word);
	const uint8_t *hit =
		text.len ? memmem(text.data, text.len, word, len) : NULL;

	if (!hit)
		return (struct bytes){0};
	return bytes_from(text, (size_t)(hit - text.data) + len);
}

/* Up to the first of @ends, or all of it. */
static struct bytes word_of(struct bytes text, const char *ends)
{
	size_t n = 0;

	while (n < text.len && text.data[n] && !strchr(ends, text.data[n]))
		n++;
	return bytes_first(text, n);
}

static bool is_reference(struct bytes text, uint64_t *ret_number)
{
	return text.len >= DIGITS && text.data[DIGITS / 2] == '-' &&
	       why_reference_read(bytes_first(text, DIGITS), ret_number);
}

/* Those that gate_close_code() has. */
static bool is_close_code(unsigned code)
{
	return code == 4403 || code == 4429 || code == 1013 || code == 1011;
}

bool doctor_is_closed_as_refused(const struct doctor_probe *p)
{
	struct bytes reason = bytes_of_str(p->close_reason);
	uint64_t number;

	return p->outcome == DOCTOR_CLOSED_AFTER &&
	       is_close_code(p->close_code) &&
	       is_reference(word_of(reason, " "), &number) &&
	       word_of(reason, " ").len == DIGITS;
}

static struct bytes body_of(const struct doctor_probe *p)
{
	return bytes_of(p->body, p->body ? p->body_len : 0);
}

bool doctor_reference(const struct doctor_probe *p, uint64_t *ret_number)
{
	struct bytes text;

	if (!p->status)
		return false;
	if (doctor_is_closed_as_refused(p))
		return is_reference(bytes_of_str(p->close_reason), ret_number);
	text = ses_head_get(&p->parsed, "Sesame-Reference");
	if (!text.data)
		text = behind(body_of(p), "Reference: ");
	return text.data && is_reference(text, ret_number);
}

/* "Reference: 7K2M-Q4XD", and in the next line "Cause: access.origin". */
static struct bytes told_in_text(struct bytes body)
{
	uint64_t number;
	struct bytes rest = behind(body, "Reference: ");

	if (!is_reference(rest, &number))
		return (struct bytes){0};
	rest = bytes_from(rest, DIGITS);
	if (bytes_starts(rest, BYTES("\r")))
		rest = bytes_from(rest, 1);
	if (!bytes_starts(rest, BYTES("\nCause: ")))
		return (struct bytes){0};
	return word_of(bytes_from(rest, strlen("\nCause: ")), "\r\n");
}

static struct bytes told_in_json(struct bytes body)
{
	uint64_t number;

	if (!bytes_starts(body, BYTES("{")) ||
	    !is_reference(behind(body, "\"reference\":\""), &number))
		return (struct bytes){0};
	return word_of(behind(body, "\"cause\":\""), "\"");
}

int doctor_disclosed(const struct doctor_probe *p)
{
	struct bytes told;

	if (doctor_is_closed_as_refused(p)) {
		told = bytes_of_str(p->close_reason);
		told = word_of(bytes_from(told, DIGITS + 1), " ");
	} else if (p->outcome == DOCTOR_ANSWERED) {
		told = told_in_text(body_of(p));
		if (!told.data)
			told = told_in_json(body_of(p));
	} else {
		return -1;
	}
	return told.len ? why_cause_find(told) : -1;
}
