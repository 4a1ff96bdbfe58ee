/* SPDX-License-Identifier: MIT */
/*
 * From a request to who it is. The first place of the configuration's list
 * that has something in it decides, good or bad: going on to the next after a
 * bad token would make the list a row of guesses.
 */
#include "gate/credential.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/base64.h"
#include "wire/digest.h"

static const struct gate_from header = {
	.kind = GATE_FROM_AUTHORIZATION,
	.text = (char *)"header",
	.name = {(const uint8_t *)"Authorization", 13},
};

/* A request that is being looked at. */
struct look {
	const struct gate_token_settings *settings;
	const struct gate_asked *asked;
	int64_t now_s;
	struct gate_credential *to;
};

__attribute__((format(printf, 3, 4))) static void
deny(struct look *l, enum gate_fault fault, const char *format, ...)
{
	struct gate_credential *to = l->to;
	va_list args;

	va_start(args, format);
	vsnprintf(to->note, sizeof(to->note), format, args);
	va_end(args);
	to->fault = fault;
	to->detail = to->note;
}

static bool takes_bearer(const struct gate_token_settings *s)
{
	return s->jwt.at.line || s->hashes_file.name || s->tokens || s->keys;
}

static bool takes_basic(const struct gate_token_settings *s)
{
	return s->htpasswd_file.name || s->users;
}

/* ---- Basic ---- */

/* Whether a name or password could be typed. */
static bool has_control(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 0x20 || text.data[i] == 0x7f)
			return true;
	return false;
}

static void ask_password(struct look *l, struct bytes user,
			 struct bytes password)
{
	struct gate_credential *to = l->to;

	bytes_printable(user, to->name, sizeof(to->name));
	if (!l->settings->users) {
		deny(l, GATE_FAULT_PASSWORD, "the users have not been read");
		return;
	}
	to->password = gate_users_ask(l->settings->users, user, password);
	if (!to->password) {
		deny(l, GATE_FAULT_PASSWORD,
		     "there is no memory to check the "
		     "password");
		return;
	}
	deny(l, GATE_FAULT_PASSWORD,
	     "the password of \"%.100s\" has not been "
	     "checked yet",
	     to->name);
}

static void judge_basic(struct look *l, struct bytes value)
{
	uint8_t room[GATE_USER_MAX + 1 + GATE_PASSWORD_MAX];
	struct bytes pair, user;
	ptrdiff_t colon;
	size_t len;

	l->to->method = "basic";
	if (ses_base64_decode(value, room, sizeof(room), &len) != 0) {
		deny(l, GATE_FAULT_MALFORMED,
		     "what follows Basic is no base64 of USER:PASSWORD");
		return;
	}
	pair = bytes_of(room, len);
	colon = bytes_find_byte(pair, ':');
	user = bytes_first(pair, colon < 0 ? 0 : (size_t)colon);
	if (user.len == 0 || user.len > GATE_USER_MAX ||
	    len - user.len - 1 > GATE_PASSWORD_MAX || has_control(pair))
		deny(l, GATE_FAULT_MALFORMED,
		     "what follows Basic is no base64 of USER:PASSWORD");
	else
		ask_password(l, user, bytes_from(pair, user.len + 1));
	explicit_bzero(room, sizeof(room));
}

/* ---- Tokens ---- */

/* b64token (RFC 6750 section 2.1): what a token may be made of. */
static bool is_token_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	       (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') ||
	       (c && strchr("-._~+/=", c));
}

static bool is_token(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!is_token_byte(value.data[i]))
			return false;
	return value.len > 0;
}

/* What a page sends when its variable was not set. */
static const char *word_of_no_value(struct bytes value)
{
	static const char *const words[] = {"undefined", "null", "None", "nil"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_equal_str(value, words[i]))
			return words[i];
	return NULL;
}

static bool looks_like_jwt(struct bytes value)
{
	size_t dots = 0;

	for (size_t i = 0; i < value.len; i++)
		dots += value.data[i] == '.';
	return dots == 2;
}

static void judge_jwt(struct look *l, struct bytes value)
{
	struct gate_credential *to = l->to;
	const struct gate_token_settings *s = l->settings;
	struct bytes target = l->asked->target;
	ptrdiff_t mark = bytes_find_byte(target, '?');

	to->method = "jwt";
	if (!s->keys) {
		deny(l, GATE_FAULT_KEY, "the keys have not been read");
		return;
	}
	to->fault = gate_jwt_check(
		s->keys, &s->jwt, value,
		bytes_first(target, mark < 0 ? target.len : (size_t)mark),
		l->now_s, &to->jwt);
	to->detail = to->jwt.detail;
	to->compared = &to->jwt.compared;
	to->subject = to->jwt.subject;
	to->expires_s = to->jwt.expires_s;
	to->claims = to->jwt.claims;
	if (to->jwt.line)
		to->line = to->jwt.line;
	else if (s->jwt.at.line)
		to->line = (unsigned)s->jwt.at.line;
}

/* True: it was among the hashes. */
static bool judge_static(struct look *l, struct bytes value)
{
	struct gate_credential *to = l->to;
	unsigned line;
	const char *name =
		l->settings->tokens
			? gate_tokens_find(l->settings->tokens, value, &line)
			: NULL;

	if (!name)
		return false;
	to->method = "token";
	to->fault = GATE_FAULT_NONE;
	to->detail = "";
	snprintf(to->name, sizeof(to->name), "%s", name);
	to->subject = to->name;
	return true;
}

static void deny_token(struct look *l, struct bytes value)
{
	const struct gate_token_settings *s = l->settings;
	uint8_t digest[SES_SHA256_LEN];

	l->to->method = "token";
	if (s->hashes_file.at.line)
		l->to->line = (unsigned)s->hashes_file.at.line;
	if (!s->tokens || !ses_sha256(value, digest))
		deny(l, GATE_FAULT_TOKEN, "the tokens have not been read");
	else /* enough to compare with a hash one has, too little to guess by */
		deny(l, GATE_FAULT_TOKEN,
		     "it has %zu byte%s, and its SHA-256 begins with "
		     "%02x%02x; the file has %zu token%s",
		     value.len, value.len == 1 ? "" : "s", digest[0], digest[1],
		     gate_tokens_count(s->tokens),
		     gate_tokens_count(s->tokens) == 1 ? "" : "s");
}

static void judge_token(struct look *l, struct bytes value)
{
	const struct gate_token_settings *s = l->settings;
	bool has_jwt = s->jwt.at.line || s->keys;

	if (value.len > GATE_CREDENTIAL_MAX)
		deny(l, GATE_FAULT_MALFORMED,
		     "the token is longer than %d bytes", GATE_CREDENTIAL_MAX);
	else if (word_of_no_value(value))
		deny(l, GATE_FAULT_MALFORMED,
		     "the token is the word \"%s\": the client had none when "
		     "it connected",
		     word_of_no_value(value));
	else if (!is_token(value))
		deny(l, GATE_FAULT_MALFORMED,
		     "the token has a byte that no token has; they are made "
		     "of letters, digits and -._~+/=");
	else if (judge_static(l, value))
		return;
	else if (has_jwt && (!s->tokens || looks_like_jwt(value)))
		judge_jwt(l, value);
	else
		deny_token(l, value);
}

/* ---- Nothing found ---- */

/* Names under which tokens are sent, to tell where a lost one stands. */
static const char *const usual[] = {"token",  "access_token", "jwt",
				    "auth",   "id_token",     "authorization",
				    "session"};

static bool is_usual(struct bytes name, bool encoded)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (encoded ? gate_query_name_is(name, bytes_of_str(usual[i]))
			    : bytes_equal_nocase(name, bytes_of_str(usual[i])))
			return true;
	return false;
}

static bool is_taken_from(const struct gate_token_settings *s,
			  enum gate_place_kind kind, struct bytes name)
{
	for (size_t i = 0; i < s->n_from; i++)
		if (s->from[i].kind == kind &&
		    (kind == GATE_FROM_AUTHORIZATION ||
		     kind == GATE_FROM_SUBPROTOCOL ||
		     bytes_equal(s->from[i].name, name)))
			return true;
	return s->n_from == 0 && kind == GATE_FROM_AUTHORIZATION;
}

static bool query_has_usual(const struct look *l, struct bytes *ret_name)
{
	struct bytes query = gate_query_of(l->asked->target), value;

	while (gate_query_next(&query, ret_name, &value))
		if (value.len && is_usual(*ret_name, true) &&
		    !is_taken_from(l->settings, GATE_FROM_QUERY, *ret_name))
			return true;
	return false;
}

static bool cookies_have_usual(const struct look *l, struct bytes *ret_name)
{
	for (size_t i = 0; i < l->asked->n_fields; i++) {
		struct bytes rest = l->asked->fields[i].value, value;

		if (!bytes_equal_nocase(l->asked->fields[i].name,
					BYTES("Cookie")))
			continue;
		while (gate_cookie_next(&rest, ret_name, &value))
			if (value.len && is_usual(*ret_name, false) &&
			    !is_taken_from(l->settings, GATE_FROM_COOKIE,
					   *ret_name))
				return true;
	}
	return false;
}

static bool offers_have_token(const struct look *l)
{
	struct gate_offers o;

	gate_offers_init(&o, l->asked, NULL);
	while (gate_offers_next(&o))
		if (o.token.len)
			return !is_taken_from(l->settings, GATE_FROM_SUBPROTOCOL,
					      bytes_of(NULL, 0));
	return false;
}

/* "header, query:token" */
static void name_places(struct look *l)
{
	const struct gate_token_settings *s = l->settings;
	char *out = l->to->other.nearest;
	size_t room = sizeof(l->to->other.nearest), at = 0;

	for (size_t i = 0; i < s->n_from && at < room; i++)
		at += (size_t)snprintf(out + at, room - at, "%s%s",
				       i ? ", " : "", s->from[i].text);
	if (!s->n_from)
		snprintf(out, room, "%s", header.text);
}

/* Where one stands that is not taken from there: most likely what is wrong. */
static void tell_misplaced(struct look *l)
{
	struct bytes name = bytes_of(NULL, 0);
	char shown[48];

	if (ses_field_find(l->asked->fields, l->asked->n_fields,
			   "Authorization") &&
	    !is_taken_from(l->settings, GATE_FROM_AUTHORIZATION, name))
		deny(l, GATE_FAULT_MISSING,
		     "there is an Authorization field, but \"header\" is not "
		     "among the places");
	else if (query_has_usual(l, &name))
		deny(l, GATE_FAULT_MISSING,
		     "the query has a \"%s\", but \"query:%s\" is not among "
		     "the places",
		     bytes_printable(name, shown, sizeof(shown)), shown);
	else if (offers_have_token(l))
		deny(l, GATE_FAULT_MISSING,
		     "a subprotocol is a token, but \"subprotocol\" is not "
		     "among the places");
	else if (cookies_have_usual(l, &name))
		deny(l, GATE_FAULT_MISSING,
		     "there is a cookie \"%s\", but \"cookie:%s\" is not among "
		     "the places",
		     bytes_printable(name, shown, sizeof(shown)), shown);
	else if (l->to->fault == GATE_FAULT_NONE)
		deny(l, GATE_FAULT_MISSING, "%s", "");
	if (l->to->fault == GATE_FAULT_MISSING)
		name_places(l);
}

/* ---- One place ---- */

static void tell_scheme(struct look *l, struct bytes scheme)
{
	bool bearer = takes_bearer(l->settings),
	     basic = takes_basic(l->settings);
	const char *wanted = bearer && basic ? "Bearer and Basic"
			     : bearer	     ? "Bearer"
					     : "Basic";
	struct gate_compared *compared = &l->to->other;
	char shown[32];

	bytes_printable(scheme, shown, sizeof(shown));
	snprintf(compared->value, sizeof(compared->value),
		 "Authorization: %s ...", shown);
	snprintf(compared->nearest, sizeof(compared->nearest),
		 "Authorization: %s ...", bearer ? "Bearer" : "Basic");
	if (scheme.len == 0)
		deny(l, GATE_FAULT_SCHEME,
		     "the Authorization field does not begin with a scheme; "
		     "the route takes %s, then a blank, then the credentials",
		     wanted);
	else
		deny(l, GATE_FAULT_SCHEME,
		     "the Authorization field is of scheme %s; the route takes "
		     "%s",
		     shown, wanted);
}

/* What was noted of places before is not what is compared now. */
static void found_at(struct look *l, const struct gate_from *from)
{
	l->to->from = from;
	l->to->other = (struct gate_compared){"", ""};
}

/* True: it decides. Else what it lacks is noted, and the next one is asked. */
static bool judge_place(struct look *l, const struct gate_from *from,
			uint8_t *room)
{
	const struct gate_token_settings *s = l->settings;
	struct bytes value = bytes_of(NULL, 0);

	switch (gate_place_find(from, l->asked, room, &value)) {
	case GATE_FOUND_NONE:
		return false;
	case GATE_FOUND_EMPTY:
		deny(l, GATE_FAULT_MISSING, "\"%s\" is there, and is empty",
		     from->text);
		return false;
	case GATE_FOUND_SCHEME:
		tell_scheme(l, value);
		return false;
	case GATE_FOUND_SEVERAL:
		found_at(l, from);
		deny(l, GATE_FAULT_AMBIGUOUS, "\"%s\" is there more than once",
		     from->text);
		return true;
	case GATE_FOUND_BASIC:
		if (!takes_basic(s)) {
			tell_scheme(l, BYTES("Basic"));
			return false;
		}
		found_at(l, from);
		l->to->line = (unsigned)s->htpasswd_file.at.line;
		judge_basic(l, value);
		return true;
	case GATE_FOUND_TOKEN:
		break;
	}
	if (!takes_bearer(s)) {
		tell_scheme(l, BYTES("Bearer"));
		return false;
	}
	found_at(l, from);
	judge_token(l, value);
	return true;
}

void gate_credential_check(const struct gate_token_settings *settings,
			   const struct gate_asked *asked, int64_t now_s,
			   struct gate_credential *ret_credential)
{
	size_t n = settings->n_from ? settings->n_from : 1;
	uint8_t room[GATE_CREDENTIAL_MAX];
	struct look l = {settings, asked, now_s, ret_credential};

	memset(ret_credential, 0, sizeof(*ret_credential));
	ret_credential->detail = ret_credential->subject = "";
	ret_credential->compared = &ret_credential->other;
	if (!settings->at.line)
		return;
	ret_credential->line = (unsigned)settings->at.line;
	for (size_t i = 0; i < n; i++)
		if (judge_place(&l,
				settings->n_from ? &settings->from[i] : &header,
				room))
			return;
	tell_misplaced(&l);
}

bool gate_credential_is_there(const struct gate_token_settings *settings,
			      const struct gate_asked *asked)
{
	size_t n = settings->n_from ? settings->n_from : 1;
	uint8_t room[GATE_CREDENTIAL_MAX];
	struct bytes ignored;

	for (size_t i = 0; i < n; i++) {
		const struct gate_from *from =
			settings->n_from ? &settings->from[i] : &header;
		enum gate_finding found =
			gate_place_find(from, asked, room, &ignored);

		if (found != GATE_FOUND_NONE && found != GATE_FOUND_EMPTY)
			return true;
	}
	return false;
}

void gate_credential_settle(struct gate_credential *credential, bool matches)
{
	struct gate_password *p = credential->password;

	if (!p)
		return;
	if (matches && p->known) {
		credential->fault = GATE_FAULT_NONE;
		credential->detail = "";
		credential->subject = credential->name;
	} else {
		snprintf(credential->note, sizeof(credential->note),
			 p->known ? "the password of \"%.100s\" is wrong"
				  : "there is no user \"%.100s\"",
			 credential->name);
	}
	gate_password_free(p);
	credential->password = NULL;
}

void gate_credential_fini(struct gate_credential *credential)
{
	json_decref(credential->claims);
	gate_password_free(credential->password);
	credential->claims = NULL;
	credential->password = NULL;
}

/* ---- What is said and what is passed on ---- */

size_t gate_challenges(const struct gate_token_settings *settings,
		       enum gate_fault fault, struct ses_field ret[2])
{
	static const struct {
		const char *error;
		struct bytes text;
	} bearer[] = {
		{"", {(const uint8_t *)"Bearer realm=\"sesame\"", 21}},
		{"invalid_request",
		 BYTES("Bearer realm=\"sesame\", error=\"invalid_request\"")},
		{"invalid_token",
		 BYTES("Bearer realm=\"sesame\", error=\"invalid_token\"")},
		{"insufficient_scope", BYTES("Bearer realm=\"sesame\", "
					     "error=\"insufficient_scope\"")},
	};
	const char *error = gate_fault(fault)->error;
	size_t n = 0;

	if (!settings->at.line || fault == GATE_FAULT_NONE)
		return 0;
	for (size_t i = 0; i < sizeof(bearer) / sizeof(bearer[0]); i++)
		if (takes_bearer(settings) && strcmp(error, bearer[i].error) == 0)
			ret[n++] = (struct ses_field){BYTES("WWW-Authenticate"),
						      bearer[i].text};
	if (takes_basic(settings) && gate_fault(fault)->status == 401)
		ret[n++] = (struct ses_field){
			BYTES("WWW-Authenticate"),
			BYTES("Basic realm=\"sesame\", charset=\"UTF-8\"")};
	return n;
}

static const struct gate_from *
subprotocol_of(const struct gate_token_settings *settings)
{
	for (size_t i = 0; i < settings->n_from; i++)
		if (settings->from[i].kind == GATE_FROM_SUBPROTOCOL)
			return &settings->from[i];
	return NULL;
}

int gate_offers_write(const struct gate_token_settings *settings,
		      const struct gate_asked *asked, struct ses_buf *out,
		      struct bytes *ret_fallback)
{
	const struct gate_from *from = subprotocol_of(settings);
	struct bytes marker = bytes_of(NULL, 0), with_token = marker;
	struct gate_offers o;
	bool first = true;
	int error = 0;

	gate_offers_init(&o, asked, from);
	while (!error && gate_offers_next(&o)) {
		if (from && o.is_marker) {
			marker = o.offer;
		} else if (from && o.token.len) {
			/* Behind a marker it stands for itself alone. */
			if (o.token.len < o.offer.len)
				with_token = o.offer;
		} else {
			error = first ? 0 : ses_buf_append_str(out, ", ");
			error = error ? error : ses_buf_append(out, o.offer);
			first = false;
		}
	}
	*ret_fallback = !first	     ? bytes_of(NULL, 0)
			: marker.len ? marker
				     : with_token;
	return error;
}
