/* SPDX-License-Identifier: MIT */
#include "doctor/token.h"

#include <jansson.h>

#include "base/base64.h"

#define MAX_CLAIMS 4096 /* bytes of them that are read */
#define SKEW	   60	/* seconds that clocks may differ */
#define LATEST	   0xffffffffffff /* seconds: the end of no token */

/* What has been seen so far. */
struct look {
	int64_t now, exp;
	enum doctor_token_time time;
};

static bool is_base64url(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static struct bytes next_part(struct bytes *rest)
{
	struct bytes part = *rest;

	part.len = 0;
	while (part.len < rest->len && is_base64url(rest->data[part.len]))
		part.len++;
	*rest = bytes_from(*rest, part.len);
	return part;
}

static bool take_dot(struct bytes *rest)
{
	bool is = rest->len > 0 && rest->data[0] == '.';

	if (is)
		*rest = bytes_from(*rest, 1);
	return is;
}

static void look_at_claims(struct look *l, struct bytes part)
{
	uint8_t room[MAX_CLAIMS];
	json_t *claims, *exp;
	size_t len;

	if (ses_base64url_decode(part, room, sizeof(room), &len) < 0)
		return;
	claims = json_loadb((const char *)room, len, 0, NULL);
	exp = json_object_get(claims, "exp");
	if (json_is_number(exp)) {
		double value = json_number_value(exp);
		int64_t at = value < 0 ? 0
			     : value > LATEST ? LATEST
					      : (int64_t)value;

		if (at + SKEW > l->now)
			l->time = DOCTOR_TOKEN_GOOD;
		else if (l->time == DOCTOR_TOKEN_NONE)
			l->time = DOCTOR_TOKEN_OVER;
		if (at > l->exp)
			l->exp = at;
	}
	json_decref(claims);
}

/* A header is an object, so that its first two bytes are {": "eyJ". */
static void look_for_tokens(struct look *l, const char *text)
{
	for (const char *at = text; at && (at = strstr(at, "eyJ")); at += 3) {
		struct bytes rest = bytes_of_str(at), claims;

		next_part(&rest);
		if (!take_dot(&rest))
			continue;
		claims = next_part(&rest);
		if (take_dot(&rest))
			look_at_claims(l, claims);
	}
}

enum doctor_token_time doctor_token_time(const struct doctor_case *c,
					 int64_t *exp)
{
	struct look l = {.now = c->opened_s, .time = DOCTOR_TOKEN_NONE};

	for (size_t i = 0; i < c->n_headers; i++)
		look_for_tokens(&l, c->header[i].value);
	look_for_tokens(&l, c->subprotocols);
	look_for_tokens(&l, c->url_text);
	*exp = l.exp;
	return l.time;
}
