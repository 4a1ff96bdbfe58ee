/* SPDX-License-Identifier: MIT */
/*
 * Messages that end what they begin: many applications accept every handshake,
 * tell in a message that this one is not welcome, and close, or fall silent.
 * What is hard is to tell that from a greeting, which may hold any word.
 */
#include "doctor/told.h"

#include <stdio.h>
#include <string.h>

#include "doctor/tongue.h"

#define SENTENCE 200 /* a plain text up to this long is one */
#define QUOTED	 60

/* JSON that says of itself that it tells an error; blanks are left out. */
static const char *const errors[] = {
	"\"type\":\"error",	       /* most */
	"\"type\":\"connection_error", /* graphql-transport-ws's predecessor */
	"\"type\":\"disconnect",       /* Action Cable */
	"\"type\":\"reject",
	"\"type\":\"unauthorized",
	"\"type\":\"forbidden",
	"\"type\":\"auth_error",
	"\"type\":\"auth_failed",
	"\"type\":\"auth_invalid",
	"\"event\":\"error",
	"\"event\":\"connect_error",
	"\"event\":\"unauthorized",
	"\"event\":\"phx_error",
	"\"event\":\"pusher:error",
	"\"op\":\"error",
	"\"kind\":\"error",
	"\"action\":\"error",
	"\"status\":\"error", /* Phoenix's phx_reply, JSend */
	"\"status\":\"fail",
	"\"status\":\"unauthorized",
	"\"status\":\"forbidden",
	"\"ok\":false",
	"\"success\":false",
	"\"errors\":[{",
	"\"errors\":[\"",
	"\"phx_error\"",
	"42[\"error\"", /* events of Socket.IO */
	"42[\"exception\"",
	"42[\"unauthorized\"",
	"42[\"forbidden\"",
	"42[\"connect_error\"",
	"42[\"auth_error\"",
};

/* How a sentence begins that refuses. */
static const char *const refusals[] = {"error",
				       "err ",
				       "unauthori",
				       "forbidden",
				       "access denied",
				       "permission denied",
				       "not authori",
				       "not allowed",
				       "not permitted",
				       "authentication fail",
				       "authentication req",
				       "unauthenticated",
				       "not authenticated",
				       "invalid token",
				       "missing token",
				       "token ",
				       "rejected",
				       "connection rejected",
				       "connection refused",
				       "401 ",
				       "403 ",
				       "401",
				       "403"};

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* A value of "error" other than null, false, 0 and the empty text. */
static bool has_error_value(const char *json)
{
	static const char *const none[] = {"null", "false", "\"\"",
					   "0",	   "{}",    "[]"};
	static const char key[] = "\"error\":";
	const char *at = strcasestr(json, key);

	if (!at)
		return false;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (begins(at + sizeof(key) - 1, none[i]))
			return false;
	return true;
}

static bool is_error_json(const char *text)
{
	char json[256];
	size_t n = 0;

	for (; *text && n + 1 < sizeof(json); text++)
		if (!strchr(" \t\r\n", *text))
			json[n++] = *text;
	json[n] = 0;
	/* Socket.IO: a packet of type 4 (message) and 4 (CONNECT_ERROR) */
	if (begins(json, "44{") || begins(json, "44\"") || begins(json, "44/"))
		return true;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcasestr(json, errors[i]))
			return true;
	return has_error_value(json);
}

static bool begins_to_refuse(const char *text)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (begins(text, refusals[i]))
			return true;
	return false;
}

/*
 * A list whose parts are in the order of the protocol: ["CLOSED", "restricted:
 * not a member"]. What lies deeper, or begins with any other word, is data.
 */
static bool holds_refusal(const char *list)
{
	static const char *const words[] = {"restricted: ", "blocked: ",
					    "auth-required: "};
	const char *end = list + 1 + strcspn(list + 1, "[{");

	if (begins(list, "[\"error\""))
		return true;
	for (const char *at = list; (at = strchr(at, '"')) && at < end; at++)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (begins(at + 1, words[i]))
				return true;
	return false;
}

bool doctor_is_error_message(const char *text)
{
	struct doctor_gloss gloss;

	text += strspn(text, " \t\r\n");
	if (is_error_json(text) || (*text == '[' && holds_refusal(text)))
		return true;
	if (*text == '{' || *text == '[' || strlen(text) > SENTENCE)
		return false;
	return begins_to_refuse(text) ||
	       (doctor_gloss(bytes_of_str(text), &gloss) &&
		begins_to_refuse(gloss.text));
}

bool doctor_tells_error(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_OPEN &&
	       (p->hello_refused || doctor_is_error_message(p->first_message));
}

/* ---- statuses of HTTP, in words that are none of HTTP's ---- */

static bool is_word_byte(uint8_t b)
{
	return b == '.' || b == '-' || b == '_' || (b >= '0' && b <= '9') ||
	       (byte_lower(b) >= 'a' && byte_lower(b) <= 'z');
}

/* Whether @before, and what separates a name from its value, ends in a name
 * that a status has. */
static bool names_status(struct bytes before)
{
	static const char *const names[] = {"code", "status", "error", "http"};

	while (before.len > 0 && strchr(" \t\":=", before.data[before.len - 1]))
		before.len--;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (before.len >= n &&
		    bytes_equal_nocase(bytes_from(before, before.len - n),
				       bytes_of_str(names[i])))
			return true;
	}
	return false;
}

int doctor_spelled_status(struct bytes text)
{
	for (size_t i = 1; i + 3 <= text.len; i++) {
		uint64_t number;

		if (is_word_byte(text.data[i - 1]) ||
		    (i + 3 < text.len && is_word_byte(text.data[i + 3])) ||
		    !bytes_to_u64(bytes_of(text.data + i, 3), 599, &number) ||
		    number < 400)
			continue;
		if (names_status(bytes_first(text, i)))
			return (int)number;
	}
	return 0;
}

struct bytes doctor_told_sentence(struct bytes json)
{
	static const char *const names[] = {"\"message\"", "\"reason\"",
					    "\"detail\"", "\"msg\"",
					    "\"description\""};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);
		const uint8_t *at =
			json.len ? memmem(json.data, json.len, names[i], n)
				 : NULL;
		struct bytes rest;
		ptrdiff_t end;

		if (!at)
			continue;
		rest = bytes_from(json, (size_t)(at - json.data) + n);
		while (rest.len > 0 && strchr(" \t:", rest.data[0]))
			rest = bytes_from(rest, 1);
		if (!bytes_starts(rest, BYTES("\"")))
			continue;
		rest = bytes_from(rest, 1);
		end = bytes_find_byte(rest, '"');
		return bytes_first(rest, end < 0 ? rest.len : (size_t)end);
	}
	return bytes_of(NULL, 0);
}

char *doctor_told_text(const struct doctor_probe *p, char *out, size_t size)
{
	int n = (int)strlen(p->first_message);

	*out = 0;
	if (n > QUOTED) {
		n = QUOTED - 3;
		while (n > 0 &&
		       ((unsigned char)p->first_message[n] & 0xc0) == 0x80)
			n--;
	}
	if (n > 0)
		snprintf(out, size, ", told \"%.*s%s\"", n, p->first_message,
			 p->first_message[n] ? "..." : "");
	return out;
}
