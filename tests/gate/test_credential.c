/* SPDX-License-Identifier: MIT */
/*
 * Whole requests against whole settings: where credentials are looked for,
 * what each fault is called, what is passed on and what is written down.
 */
#include "gate/credential.h"

#include "signing.h"
#include "tokens.h"
#include "wire/digest.h"

/* ---- Settings ---- */

static struct gate_complaints wrong;

static void add_from(struct gate_token_settings *s, const char *texts)
{
	char copy[256], *rest = copy, *text;

	snprintf(copy, sizeof(copy), "%s", texts);
	s->from = calloc(GATE_MAX_FROM, sizeof(*s->from));
	while ((text = strsep(&rest, ", ")))
		if (*text) {
			struct gate_from *from = &s->from[s->n_from++];

			from->text = strdup(text);
			assert_null(gate_from_read(from));
		}
}

static const char users_text[] =
	"alice:$apr1$XH19hLg/$yOokoV0WqTA0YPP.JcZhy1\n"; /* open sesame */
static struct gate_secret_file file_of(const char *text)
{
	return (struct gate_secret_file){"f", bytes_of_str(text), {1, 1}, &wrong};
}

/* What a route takes: any of JWT, static tokens, users. */
enum { JWT = 1, HASHES = 2, USERS = 4 };

static struct gate_token_settings *settings_of(const char *from, int what)
{
	struct gate_token_settings *s = calloc(1, sizeof(*s));
	struct gate_secret_file file;

	s->at = (struct gate_place){10, 1};
	wrong.n = 0;
	if (*from)
		add_from(s, from);
	if (what & JWT) {
		s->jwt.at = (struct gate_place){11, 1};
		s->keys = keys_of(gate_keys_add_secret, BYTES(SECRET), 0, NULL);
	}
	if (what & HASHES) {
		char text[200], hex[SES_HEX_LEN];

		assert_true(
			ses_digest_hex("SHA256", BYTES("robot-token-1"), hex));
		snprintf(text, sizeof(text), "robot:%s\n", hex);
		file = file_of(text);
		s->hashes_file.name = strdup("f");
		s->hashes_file.at = (struct gate_place){12, 1};
		s->tokens = gate_tokens_read(&file);
		assert_non_null(s->tokens);
	}
	if (what & USERS) {
		file = file_of(users_text);
		s->htpasswd_file.name = strdup("f");
		s->htpasswd_file.at = (struct gate_place){13, 1};
		s->users = gate_users_read(&file);
		assert_non_null(s->users);
	}
	return s;
}

static void free_settings(struct gate_token_settings *s)
{
	gate_token_fini(s);
	free(s);
}

/* ---- Requests ---- */

struct request {
	struct ses_field fields[16];
	struct gate_asked asked;
};

/* "Name: value\nName: value" */
static struct gate_asked *read_request(struct request *r, const char *target,
				       const char *fields)
{
	struct bytes rest = bytes_of_str(fields);
	size_t n = 0;

	while (rest.len) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');
		struct bytes line =
			bytes_first(rest, end < 0 ? rest.len : (size_t)end);
		ptrdiff_t colon = bytes_find_byte(line, ':');

		r->fields[n].name = bytes_first(line, (size_t)colon);
		r->fields[n++].value =
			bytes_trim(bytes_from(line, (size_t)colon + 1));
		rest = bytes_from(rest, line.len + 1);
	}
	r->asked = (struct gate_asked){r->fields, n, bytes_of_str(target)};
	return &r->asked;
}

static struct gate_credential said;

static enum gate_fault ask(const struct gate_token_settings *s,
			   const char *target, const char *fields)
{
	static struct request r;

	gate_credential_fini(&said);
	gate_credential_check(s, read_request(&r, target, fields), NOW, &said);
	return said.fault;
}

static const char *jwt(void)
{
	return (const char *)sign(SES_ALGORITHM_HS256, SECRET,
				  "{\"alg\":\"HS256\"}", "{\"sub\":\"alice\"}")
		.data;
}

/* ---- Tests ---- */

TEST("a place is written as its kind and its name")
{
	static const struct {
		const char *text;
		enum gate_place_kind kind;
		const char *name;
	} good[] = {
		{"header", GATE_FROM_AUTHORIZATION, "Authorization"},
		{"header:X-Api-Key", GATE_FROM_FIELD, "X-Api-Key"},
		{"cookie:session", GATE_FROM_COOKIE, "session"},
		{"query:token", GATE_FROM_QUERY, "token"},
		{"subprotocol", GATE_FROM_SUBPROTOCOL, "bearer"},
		{"subprotocol:access_token", GATE_FROM_SUBPROTOCOL,
		 "access_token"},
	};
	static const char *const bad[] = {
		"",
		"headers",
		"cookie",
		"query",
		"cookie:",
		"query:",
		"query:a b",
		"query:a=b",
		"query:a&b",
		"cookie:a;b",
		"header:Authorization",
		"header:authorization",
		"header:Host",
		"header:Sec-WebSocket-Key",
		"header:Cookie",
		"header:Origin",
		"body:token",
		"Header",
		"header:",
		"subprotocol:",
		"subprotocol:a,b",
	};
	struct gate_from from = {0};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		from.text = (char *)good[i].text;
		assert_null(gate_from_read(&from));
		assert_int_equal(from.kind, good[i].kind);
		assert_true(bytes_equal_str(from.name, good[i].name));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		from.text = (char *)bad[i];
		if (!gate_from_read(&from))
			fail_msg("%s was taken", bad[i]);
	}
}

TEST("a token is taken from its place, and from there only")
{
	static const char *const from[] = {
		"header",      "header:X-Token", "cookie:session",
		"query:token", "subprotocol",	 "subprotocol:my-token",
	};
	/* Which of the above takes it; -1: none. */
	static const struct {
		int by;
		const char *target, *fields;
	} rows[] = {
		{0, "/chat", "Authorization: Bearer %s"},
		{0, "/chat", "authorization: bearer %s"},
		{0, "/chat", "Authorization: BEARER   %s"},
		{1, "/chat", "x-token: %s"},
		{2, "/chat", "Cookie: session=%s"},
		{2, "/chat", "Cookie: a=b; session=%s; c=d"},
		{2, "/chat", "Cookie: a=b;session=%s"},
		{2, "/chat", "Cookie: a=b\nCookie: session=%s"},
		{3, "/chat?token=%s", ""},
		{3, "/chat?a=b&token=%s&c=d", ""},
		{3, "/chat?%%74oken=%s", ""},
		{4, "/chat", "Sec-WebSocket-Protocol: bearer, %s"},
		{4, "/chat", "Sec-WebSocket-Protocol: chat.v1, Bearer, %s, x"},
		{4, "/chat", "Sec-WebSocket-Protocol: bearer.%s"},
		{4, "/chat", "Sec-WebSocket-Protocol: a, bearer.%s, b"},
		{4, "/chat",
		 "Sec-WebSocket-Protocol: bearer\n"
		 "Sec-WebSocket-Protocol: %s"},
		{5, "/chat", "Sec-WebSocket-Protocol: my-token, %s"},
		{5, "/chat", "Sec-WebSocket-Protocol: my-token.%s"},
		{-1, "/chat", ""},
		{-1, "/chat", "X-Authorization: Bearer %s"},
		{-1, "/chat", "Proxy-Authorization: Bearer %s"},
		{-1, "/chat", "Cookie: Session=%s"},
		{-1, "/chat", "Cookie: xsession=%s; session2=%s"},
		{-1, "/chat", "Set-Cookie: session=%s"},
		{-1, "/chat?Token=%s", ""},
		{-1, "/chat?xtoken=%s", ""},
		{-1, "/chat?tokenx=%s", ""},
		{-1, "/chat?a=token=%s", ""},
		{-1, "/chat;token=%s", ""},
		{-1, "/chat", "Sec-WebSocket-Protocol: %s"},
		{-1, "/chat", "Sec-WebSocket-Protocol: %s, bearer"},
		{-1, "/chat", "Sec-WebSocket-Protocol: bearer"},
		{-1, "/chat", "Sec-WebSocket-Extensions: bearer, %s"},
	};

	for (size_t f = 0; f < ARRAY_LEN(from); f++) {
		struct gate_token_settings *s = settings_of(from[f], JWT);

		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			char target[512], fields[512];
			enum gate_fault fault;

			snprintf(target, sizeof(target), rows[i].target, jwt());
			snprintf(fields, sizeof(fields), rows[i].fields, jwt(),
				 jwt());
			fault = ask(s, target, fields);
			if ((fault == GATE_FAULT_NONE) != (rows[i].by == (int)f))
				fail_msg("%s: %s %s: %s", from[f],
					 rows[i].target, rows[i].fields,
					 said.detail);
			if (fault)
				continue;
			assert_string_equal(said.subject, "alice");
			assert_string_equal(said.method, "jwt");
			assert_string_equal(said.from->text, from[f]);
		}
		free_settings(s);
	}
}

TEST("what stands twice in one place is not chosen from")
{
	static const struct {
		const char *from, *target, *fields;
	} rows[] = {
		{"header", "/",
		 "Authorization: Bearer %s\nAuthorization: Bearer %s"},
		{"header", "/", "Authorization: Bearer %s\nauthorization: x"},
		{"header:X-Token", "/", "X-Token: %s\nX-Token: %s"},
		{"cookie:c", "/", "Cookie: c=%s; c=%s"},
		{"cookie:c", "/", "Cookie: c=%s; c="},
		{"cookie:c", "/", "Cookie: c=; c=%s"},
		{"cookie:c", "/", "Cookie: c=%s\nCookie: a=b; c=x"},
		{"query:t", "/?t=%s&t=%s", ""},
		{"query:t", "/?t=%s&%%74=x", ""},
		{"query:t", "/?t&t=%s", ""},
		{"subprotocol", "/",
		 "Sec-WebSocket-Protocol: bearer, %s, bearer, %s"},
		{"subprotocol", "/",
		 "Sec-WebSocket-Protocol: bearer.%s, bearer.x"},
		{"subprotocol", "/",
		 "Sec-WebSocket-Protocol: bearer, %s\n"
		 "Sec-WebSocket-Protocol: bearer.%s"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_token_settings *s = settings_of(rows[i].from, JWT);
		char target[512], fields[512];

		snprintf(target, sizeof(target), rows[i].target, jwt(), jwt());
		snprintf(fields, sizeof(fields), rows[i].fields, jwt(), jwt());
		if (ask(s, target, fields) != GATE_FAULT_AMBIGUOUS)
			fail_msg("%s %s: %d %s", rows[i].target, rows[i].fields,
				 said.fault, said.detail);
		free_settings(s);
	}
}

TEST("the first place of the list that has something decides")
{
	struct gate_token_settings *s =
		settings_of("cookie:c, query:t, header", JWT | USERS);
	char fields[512], target[512];

	snprintf(fields, sizeof(fields),
		 "Cookie: c=bad.bad.bad\n"
		 "Authorization: Bearer %s",
		 jwt());
	snprintf(target, sizeof(target), "/?t=%s", jwt());
	assert_int_equal(ask(s, target, fields), GATE_FAULT_MALFORMED);
	assert_string_equal(said.from->text, "cookie:c");
	/* An empty cookie, as a logout leaves it, is none. */
	assert_int_equal(ask(s, target, "Cookie: c="), GATE_FAULT_NONE);
	assert_string_equal(said.from->text, "query:t");
	assert_int_equal(ask(s, "/", "Cookie: c="), GATE_FAULT_MISSING);
	assert_string_equal(said.detail, "\"cookie:c\" is there, and is empty");
	/* A field for somebody else is none either. */
	assert_int_equal(ask(s, target, "Authorization: Digest x"),
			 GATE_FAULT_NONE);
	free_settings(s);
}

TEST("each fault has its sentence")
{
	static const struct {
		int what;
		const char *target, *fields;
		enum gate_fault fault;
		const char *detail;
		unsigned line;
	} rows[] = {
		{JWT, "/", "", GATE_FAULT_MISSING, "", 10},
		{JWT, "/", "Authorization: Bearer", GATE_FAULT_MISSING,
		 "\"header\" is there, and is empty", 10},
		{JWT, "/", "Authorization: Basic YTpi", GATE_FAULT_SCHEME,
		 "the Authorization field is of scheme Basic; the route takes "
		 "Bearer",
		 10},
		{USERS, "/", "Authorization: Bearer abc", GATE_FAULT_SCHEME,
		 "the Authorization field is of scheme Bearer; the route takes "
		 "Basic",
		 10},
		{JWT | USERS, "/", "Authorization: Token abc", GATE_FAULT_SCHEME,
		 "the Authorization field is of scheme Token; the route takes "
		 "Bearer and Basic",
		 10},
		/* Without its scheme it may be the secret itself. */
		{JWT, "/", "Authorization: abc.def.ghi", GATE_FAULT_SCHEME,
		 "the Authorization field does not begin with a scheme; the "
		 "route takes Bearer, then a blank, then the credentials",
		 10},
		{JWT, "/", "Authorization: hunter2 x", GATE_FAULT_SCHEME,
		 "the Authorization field does not begin with a scheme; the "
		 "route takes Bearer, then a blank, then the credentials",
		 10},
		{JWT, "/", "Authorization: Bearer undefined",
		 GATE_FAULT_MALFORMED,
		 "the token is the word \"undefined\": the client had none "
		 "when it connected",
		 10},
		{JWT, "/", "Authorization: Bearer a b", GATE_FAULT_MALFORMED,
		 "the token has a byte that no token has; they are made of "
		 "letters, digits and -._~+/=",
		 10},
		{JWT, "/", "Authorization: Bearer \"a.b.c\"",
		 GATE_FAULT_MALFORMED,
		 "the token has a byte that no token has; they are made of "
		 "letters, digits and -._~+/=",
		 10},
		{JWT, "/", "Authorization: Bearer abc", GATE_FAULT_MALFORMED,
		 "a signed token has three parts with dots between them; this "
		 "has no dot",
		 11},
		{HASHES, "/", "Authorization: Bearer abc", GATE_FAULT_TOKEN,
		 "it has 3 bytes, and its SHA-256 begins with ba78; the file "
		 "has 1 token",
		 12},
		{HASHES, "/", "Authorization: Bearer x", GATE_FAULT_TOKEN,
		 "it has 1 byte, and its SHA-256 begins with 2d71; the file has "
		 "1 token",
		 12},
		{HASHES | JWT, "/", "Authorization: Bearer abc", GATE_FAULT_TOKEN,
		 "it has 3 bytes, and its SHA-256 begins with ba78; the file "
		 "has 1 token",
		 12},
		{HASHES | JWT, "/", "Authorization: Bearer e30.e30.x",
		 GATE_FAULT_MALFORMED, "the token's header has no \"alg\"", 11},
		{USERS, "/", "Authorization: Basic !", GATE_FAULT_MALFORMED,
		 "what follows Basic is no base64 of USER:PASSWORD", 13},
		{USERS, "/", "Authorization: Basic", GATE_FAULT_MALFORMED,
		 "what follows Basic is no base64 of USER:PASSWORD", 13},
		{USERS, "/", "Authorization: Basic YWI=", GATE_FAULT_MALFORMED,
		 "what follows Basic is no base64 of USER:PASSWORD", 13},
		{USERS, "/", "Authorization: Basic OmI=", GATE_FAULT_MALFORMED,
		 "what follows Basic is no base64 of USER:PASSWORD", 13},
		/* "a:b" and a NUL */
		{USERS, "/",
		 "Authorization: Basic YTpiAA==", GATE_FAULT_MALFORMED,
		 "what follows Basic is no base64 of USER:PASSWORD", 13},
		{JWT, "/?access_token=x", "", GATE_FAULT_MISSING,
		 "the query has a \"access_token\", but \"query:access_token\" "
		 "is not among the places",
		 10},
		{JWT, "/", "Sec-WebSocket-Protocol: bearer, x",
		 GATE_FAULT_MISSING,
		 "a subprotocol is a token, but \"subprotocol\" is not among "
		 "the places",
		 10},
		{JWT, "/", "Cookie: a=b; token=x", GATE_FAULT_MISSING,
		 "there is a cookie \"token\", but \"cookie:token\" is not "
		 "among the places",
		 10},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_token_settings *s = settings_of("", rows[i].what);

		if (ask(s, rows[i].target, rows[i].fields) != rows[i].fault ||
		    strcmp(said.detail, rows[i].detail) != 0)
			fail_msg("%s: %s: %s", rows[i].fields,
				 gate_fault(said.fault)->name, said.detail);
		if (said.line != rows[i].line)
			fail_msg("%s: line %u", rows[i].fields, said.line);
		free_settings(s);
	}
}

TEST("an Authorization where it is not looked for is told")
{
	struct gate_token_settings *s = settings_of("query:t", JWT);

	assert_int_equal(ask(s, "/", "Authorization: Bearer x"),
			 GATE_FAULT_MISSING);
	assert_string_equal(said.detail,
			    "there is an Authorization field, but \"header\" "
			    "is not among the places");
	free_settings(s);
}

TEST("static tokens and JWTs may be taken side by side")
{
	struct gate_token_settings *s = settings_of("", JWT | HASHES);
	char fields[512];

	assert_int_equal(ask(s, "/", "Authorization: Bearer robot-token-1"),
			 GATE_FAULT_NONE);
	assert_string_equal(said.subject, "robot");
	assert_string_equal(said.method, "token");
	snprintf(fields, sizeof(fields), "Authorization: Bearer %s", jwt());
	assert_int_equal(ask(s, "/", fields), GATE_FAULT_NONE);
	assert_string_equal(said.method, "jwt");
	assert_int_equal(ask(s, "/", "Authorization: Bearer robot-token-2"),
			 GATE_FAULT_TOKEN);
	free_settings(s);
}

TEST("a password is refused until it has been checked")
{
	struct gate_token_settings *s = settings_of("", USERS);
	bool good;

	/* alice:open sesame */
	assert_int_equal(
		ask(s, "/", "Authorization: Basic YWxpY2U6b3BlbiBzZXNhbWU="),
		GATE_FAULT_PASSWORD);
	assert_non_null(said.password);
	assert_string_equal(said.subject, "");
	good = gate_password_check(said.password);
	gate_credential_settle(&said, good);
	assert_int_equal(said.fault, GATE_FAULT_NONE);
	assert_string_equal(said.subject, "alice");
	assert_string_equal(said.method, "basic");
	assert_null(said.password);
	/* alice:x */
	assert_int_equal(ask(s, "/", "Authorization: Basic YWxpY2U6eA=="),
			 GATE_FAULT_PASSWORD);
	gate_credential_settle(&said, gate_password_check(said.password));
	assert_int_equal(said.fault, GATE_FAULT_PASSWORD);
	assert_string_equal(said.detail, "the password of \"alice\" is wrong");
	/* bob:open sesame */
	ask(s, "/", "Authorization: Basic Ym9iOm9wZW4gc2VzYW1l");
	gate_credential_settle(&said, gate_password_check(said.password));
	assert_int_equal(said.fault, GATE_FAULT_PASSWORD);
	assert_string_equal(said.detail, "there is no user \"bob\"");
	/* Even one who says that it matches lets nobody unknown in. */
	ask(s, "/", "Authorization: Basic Ym9iOm9wZW4gc2VzYW1l");
	gate_credential_settle(&said, true);
	assert_int_equal(said.fault, GATE_FAULT_PASSWORD);
	free_settings(s);
}

TEST("a route without settings lets everybody in, one without files nobody")
{
	struct gate_token_settings none = {0};
	struct gate_token_settings *s = settings_of("", 0);
	char fields[512];

	assert_int_equal(ask(&none, "/", ""), GATE_FAULT_NONE);
	s->jwt.at.line = 11;
	s->jwt.key_file.name = strdup("never read");
	snprintf(fields, sizeof(fields), "Authorization: Bearer %s", jwt());
	assert_int_equal(ask(s, "/", fields), GATE_FAULT_KEY);
	s->jwt.at.line = 0;
	s->hashes_file.name = strdup("never read");
	assert_int_equal(ask(s, "/", fields), GATE_FAULT_TOKEN);
	s->htpasswd_file.name = strdup("never read");
	assert_int_equal(ask(s, "/", "Authorization: Basic YWxpY2U6eA=="),
			 GATE_FAULT_PASSWORD);
	assert_null(said.password);
	free_settings(s);
}

TEST("the challenge names the schemes that are taken, and what was wrong")
{
	struct gate_token_settings *s = settings_of("", JWT | USERS);
	struct ses_field f[2];

	assert_int_equal(gate_challenges(s, GATE_FAULT_NONE, f), 0);
	assert_int_equal(gate_challenges(s, GATE_FAULT_MISSING, f), 2);
	assert_true(bytes_equal_str(f[0].name, "WWW-Authenticate"));
	assert_true(bytes_equal_str(f[0].value, "Bearer realm=\"sesame\""));
	assert_true(bytes_equal_str(
		f[1].value, "Basic realm=\"sesame\", charset=\"UTF-8\""));
	assert_int_equal(gate_challenges(s, GATE_FAULT_EXPIRED, f), 2);
	assert_true(bytes_equal_str(
		f[0].value,
		"Bearer realm=\"sesame\", error=\"invalid_token\""));
	assert_int_equal(gate_challenges(s, GATE_FAULT_CLAIM, f), 1);
	assert_true(bytes_equal_str(f[0].value,
				    "Bearer realm=\"sesame\", "
				    "error=\"insufficient_scope\""));
	for (enum gate_fault i = 1; i < GATE_N_FAULTS; i++) {
		assert_in_range(gate_challenges(s, i, f), 1, 2);
		assert_true(bytes_starts(f[0].value, BYTES("Bearer ")));
		assert_true(gate_fault(i)->status == 401 ||
			    gate_fault(i)->status == 403);
		assert_non_null(gate_fault(i)->text);
	}
	free_settings(s);
	s = settings_of("", USERS);
	assert_int_equal(gate_challenges(s, GATE_FAULT_MISSING, f), 1);
	assert_true(bytes_starts(f[0].value, BYTES("Basic ")));
	free_settings(s);
}

TEST("the server behind is not offered a token")
{
	static const struct {
		const char *from, *fields, *offers, *fallback;
	} rows[] = {
		{"subprotocol", "", "", ""},
		{"subprotocol", "a, b", "a, b", ""},
		{"subprotocol", "bearer, T", "", "bearer"},
		{"subprotocol", "Bearer, T", "", "Bearer"},
		{"subprotocol", "bearer, T, chat", "chat", ""},
		{"subprotocol", "a, bearer, T, b", "a, b", ""},
		{"subprotocol", "bearer.T", "", "bearer.T"},
		{"subprotocol", "chat, bearer.T", "chat", ""},
		{"subprotocol", "bearer.T,bearer,U", "", "bearer"},
		{"subprotocol", "bearer", "", "bearer"},
		{"subprotocol:k", "bearer, T, k, U", "bearer, T", ""},
		{"subprotocol:k", "k.U", "", "k.U"},
		/* Where no subprotocol is a token, none is taken away. */
		{"header", "bearer, T", "bearer, T", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_token_settings *s = settings_of(rows[i].from, JWT);
		char fields[200];
		struct request r;
		struct bytes fallback;
		struct ses_buf out;

		snprintf(fields, sizeof(fields),
			 *rows[i].fields ? "Sec-WebSocket-Protocol: %s" : "%s",
			 rows[i].fields);
		ses_buf_init(&out, 4096);
		assert_int_equal(
			gate_offers_write(s, read_request(&r, "/", fields),
					  &out, &fallback),
			0);
		if (!bytes_equal_str(ses_buf_bytes(&out), rows[i].offers) ||
		    !bytes_equal_str(fallback, rows[i].fallback))
			fail_msg("%s: \"%.*s\" \"%.*s\"", rows[i].fields,
				 BYTES_ARG(ses_buf_bytes(&out)),
				 BYTES_ARG(fallback));
		ses_buf_fini(&out);
		free_settings(s);
	}
}

/* The marks of the secrets; none may be in what operators read. */
TEST("no detail has a secret in it")
{
	static const char *const fields[] = {
		"Authorization: Bearer XSECRETX",
		"Authorization: Bearer XSECRETX.YSECRETY.ZSECRETZ",
		"Authorization: XSECRETX",
		"Authorization: XSECRETX YSECRETY",
		"Authorization: Basic WFNFQ1JFVFg=",
		"Authorization: Basic YWxpY2U6WFNFQ1JFVFg=",
		"Cookie: c=XSECRETX; token=XSECRETX",
		"Cookie: c=XSECRETX; c=YSECRETY",
		"Sec-WebSocket-Protocol: bearer, XSECRETX",
		"Sec-WebSocket-Protocol: bearer.XSECRETX, bearer.YSECRETY",
	};
	static const char *const from[] = {"header", "cookie:c", "query:t",
					   "subprotocol", ""};

	for (size_t f = 0; f < ARRAY_LEN(from); f++)
		for (int what = JWT; what < 8; what++) {
			struct gate_token_settings *s =
				settings_of(from[f], what);

			for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
				assert_int_not_equal(
					ask(s, "/?t=XSECRETX&token=XSECRETX",
					    fields[i]),
					GATE_FAULT_NONE);
				if (said.password)
					gate_credential_settle(
						&said, gate_password_check(
							       said.password));
				if (strstr(said.detail, "SECRET") ||
				    strstr(said.subject, "SECRET"))
					fail_msg("%s: %s", fields[i],
						 said.detail);
			}
			free_settings(s);
		}
}
