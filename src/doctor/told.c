/* SPDX-License-Identifier: MIT */
/*
 * Messages that end what they begin: many applications accept every handshake,
 * tell in a message that this one is not welcome, and close, or fall silent.
 * What is hard is to tell that from a greeting, which may hold any word.
 */
#include "doctor/told.h"

#include <stdio.h>
#include <string.h>

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

bool doctor_is_error_message(const char *text)
{
	text += strspn(text, " \t\r\n");
	if (is_error_json(text))
		return true;
	if (*text == '{' || *text == '[' || strlen(text) > SENTENCE)
		return false;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (begins(text, refusals[i]))
			return true;
	return false;
}

bool doctor_tells_error(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_OPEN &&
	       (p->hello_refused || doctor_is_error_message(p->first_message));
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
