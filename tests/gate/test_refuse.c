/* SPDX-License-Identifier: MIT */
/* What refused clients are told, and what crosses the gateway. */
#include "gate/refuse.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/forward.h"
#include "test.h"

TEST("JSON is for those who prefer it to text")
{
	static const struct {
		const char *accept;
		bool json;
	} rows[] = {
		{"", false},
		{"*/*", false},
		{"text/html,application/xhtml+xml,*/*;q=0.8", false},
		{"application/json", true},
		{"application/problem+json", true},
		{"Application/JSON; charset=utf-8", true},
		{"application/*", true},
		{"application/json, text/plain, */*", true},
		{"text/plain, application/json", false},
		{"application/json;q=0.5, text/plain", false},
		{"application/json;q=0.5, text/plain;q=0.4", true},
		{"application/json;q=0, */*", false},
		{"application/json;q=0", false},
		{"text/*;q=0.9, application/json", true},
		{"text/html;q=0.9, application/problem+json;q=1.0", true},
		{"application/json;q=", true},
		{";;;,,,;q=9", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].accept);
		uint8_t *copy = test_guarded(rows[i].accept, len);

		if (gate_prefers_json(bytes_of(copy, len)) != rows[i].json)
			fail_msg("%s", rows[i].accept);
		test_guard_free(copy, len);
	}
}

static char *answer_to(const struct gate_answer *a)
{
	struct ses_buf out;
	char *text;

	ses_buf_init(&out, 65536);
	assert_int_equal(gate_answer_write(a, &out), 0);
	text = strndup((const char *)ses_buf_bytes(&out).data,
		       ses_buf_len(&out));
	ses_buf_fini(&out);
	return text;
}

TEST("a refusal closes, tells its reference, and no rule unless it is meant to")
{
	static const struct {
		enum gate_disclose disclose;
		bool cause, rule;
	} rows[] = {{GATE_TELL_REFERENCE, false, false},
		    {GATE_TELL_REASON, true, false},
		    {GATE_TELL_FULL, true, true}};
	static const char *const accepts[] = {"*/*", "application/json"};

	for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
		struct gate_answer a = {
			.status = 403,
			.cause = WHY_ACCESS_ORIGIN,
			.path = BYTES("/chat"),
			.accept = bytes_of_str(accepts[i % 2]),
			.reference = "7K2M-Q4XD",
			.disclose = rows[i / 2].disclose,
			.rule = "!secret",
			.file = "sesame.yaml",
			.line = 12,
		};
		char *text = answer_to(&a);

		assert_non_null(strstr(text, "HTTP/1.1 403 Forbidden\r\n"));
		assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
		assert_non_null(strstr(text, "Sesame-Reference: 7K2M-Q4XD"));
		assert_non_null(strstr(
			text, rows[i / 2].cause
				      ? "This origin is not allowed at /chat."
				      : "access /chat on this server."));
		assert_int_equal(strstr(text, "access.origin") != NULL,
				 rows[i / 2].cause);
		assert_int_equal(strstr(text, "!secret") != NULL,
				 rows[i / 2].rule);
		free(text);
	}
}

TEST("a close frame has the reference, and the cause where it is disclosed")
{
	struct gate_answer a = {.status = 403,
				.cause = WHY_ACCESS_IP,
				.path = BYTES("/a/very/long/path/that/goes/on/"
					      "and/on/and/on/and/on/and/on/and"
					      "/on/and/on/to/its/end/at/last"),
				.reference = "7K2M-Q4XD"};
	struct ses_buf out;
	const uint8_t *f;

	for (int tells = 0; tells < 2; tells++) {
		a.disclose = tells ? GATE_TELL_REASON : GATE_TELL_REFERENCE;
		ses_buf_init(&out, 4096);
		assert_int_equal(gate_answer_write_close(&a, &out), 0);
		f = ses_buf_bytes(&out).data;
		assert_int_equal(ses_buf_len(&out), 2 + f[1]);
		assert_int_equal(f[0], 0x88);
		assert_int_equal(f[2] << 8 | f[3], 4403);
		assert_int_equal(f[1], tells ? 125 : 2 + 9);
		assert_memory_equal(f + 4, "7K2M-Q4XD", 9);
		if (tells)
			assert_memory_equal(f + 13, " access.ip Your IP", 18);
		ses_buf_fini(&out);
	}
}

TEST("a close code says whether the same will be refused again")
{
	static const struct {
		int status;
		unsigned code;
	} rows[] = {{400, 4403}, {401, 4403}, {403, 4403},
		    {429, 4429}, {500, 1011}, {502, 1011},
		    {503, 1013}, {504, 1011}};
	struct gate_answer a = {.cause = WHY_ACCESS_IP,
				.reference = "7K2M-Q4XD"};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_buf out;
		const uint8_t *f;

		a.status = rows[i].status;
		ses_buf_init(&out, 4096);
		assert_int_equal(gate_answer_write_close(&a, &out), 0);
		f = ses_buf_bytes(&out).data;
		assert_int_equal((unsigned)f[2] << 8 | f[3], rows[i].code);
		assert_int_equal(gate_close_code(a.status), rows[i].code);
		ses_buf_fini(&out);
	}
}

TEST("no byte of a path can leave the sentence it stands in")
{
	for (int c = 0; c < 256; c++) {
		uint8_t path[] = {'/', (uint8_t)c, '"', '%', 's'};
		struct gate_answer a = {.status = 404,
					.path = bytes_of(path, sizeof(path)),
					.reference = "7K2M-Q4XD",
					.rule = "",
					.file = ""};
		char *text = answer_to(&a), *body = strstr(text, "\r\n\r\n");

		assert_non_null(body);
		for (char *p = body + 4; *p; p++)
			assert_true(*p == '\n' ||
				    ((uint8_t)*p >= ' ' && *p != 0x7f));
		assert_non_null(strstr(body, "on this server.\n\nReference"));
		free(text);
	}
}

/* ---- What crosses the gateway ---- */

static int parse_head(const char *text, bool is_request, struct ses_head *head)
{
	struct ses_head_parser parser;
	enum ses_fault fault;

	ses_head_init(&parser, is_request, NULL);
	return ses_head_parse(&parser, bytes_of_str(text), head, &fault);
}

#define REQUEST                                           \
	"GET /x HTTP/1.1\r\nHost: a\r\n"                  \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Protocol: a, b\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define OPEN   "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

TEST("a 101 is an acceptance by its Upgrade, Connection and Accept together")
{
	static const struct {
		const char *answer;
		bool good;
	} rows[] = {
		{OPEN ACCEPT "\r\n", true},
		{"HTTP/1.1 101 X\r\nupgrade: WebSocket\r\nconnection: "
		 "keep-alive, "
		 "upgrade\r\n" ACCEPT "\r\n",
		 true},
		{OPEN ACCEPT "Sec-WebSocket-Protocol: b\r\n\r\n", true},
		{OPEN ACCEPT "Sec-WebSocket-Protocol: c\r\n\r\n", false},
		{OPEN ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n", false},
		{OPEN ACCEPT ACCEPT "\r\n", false},
		{OPEN ACCEPT "Sec-WebSocket-Protocol: b\r\n"
			     "Sec-WebSocket-Protocol: c\r\n\r\n",
		 false},
		{OPEN ACCEPT "Content-Length: 0\r\n\r\n", false},
		{OPEN ACCEPT "Transfer-Encoding: chunked\r\n\r\n", false},
		{"HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\n" ACCEPT "\r\n",
		 false},
		{OPEN "\r\n", false},
		{OPEN "Sec-WebSocket-Accept: \r\n\r\n", false},
		{OPEN
		 "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		 false},
		{"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
		 false},
		{"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n" ACCEPT "\r\n", false},
		{"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: "
		 "Upgrade\r\n" ACCEPT "\r\n",
		 false},
	};
	struct ses_head request, answer;

	assert_true(parse_head(REQUEST "\r\n", true, &request) > 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *fault;

		assert_true(parse_head(rows[i].answer, false, &answer) > 0);
		fault = gate_acceptance_fault(
			&request, &answer,
			ses_head_get(&request, "Sec-WebSocket-Key"));
		if ((fault == NULL) != rows[i].good)
			fail_msg("row %zu: %s", i, fault ? fault : "taken");
	}
}

TEST("an extension is chosen only from those that were offered")
{
	static const struct {
		const char *offer, *choice;
		bool good;
	} rows[] = {
		{"permessage-deflate", "permessage-deflate", true},
		{"x, permessage-deflate; a", "Permessage-Deflate; b=9", true},
		{"permessage-deflate", "foo", false},
		{"permessage-deflate", "permessage-deflate, foo", false},
		{"permessage-deflate", "permessage-deflate;;", false},
	};
	struct ses_head request, answer;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char asked[1024], said[1024];

		snprintf(asked, sizeof(asked),
			 REQUEST "Sec-WebSocket-Extensions: %s\r\n\r\n",
			 rows[i].offer);
		snprintf(said, sizeof(said),
			 OPEN ACCEPT "Sec-WebSocket-Extensions: %s\r\n\r\n",
			 rows[i].choice);
		assert_true(parse_head(asked, true, &request) > 0);
		assert_true(parse_head(said, false, &answer) > 0);
		assert_int_equal(gate_acceptance_fault(
					 &request, &answer,
					 ses_head_get(&request,
						      "Sec-WebSocket-Key")) ==
					 NULL,
				 rows[i].good);
	}
}

TEST("the upstream's path and Host are as the route has them")
{
	static struct {
		char host[16], prefix[8]; /* "": as it came */
		const char *line, *field;
	} rows[] = {
		{"", "", "GET /x HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"", "/app", "GET /app/x HTTP/1.1\r\n", "\r\nHost: a\r\n"},
		{"upstream", "", "GET /x HTTP/1.1\r\n",
		 "\r\nHost: [::1]:3000\r\n"},
		{"b.example", "", "GET /x HTTP/1.1\r\n",
		 "\r\nHost: b.example\r\n"},
	};
	static char upstream[] = "::1";
	struct ses_head request;

	assert_true(parse_head(REQUEST "\r\n", true, &request) > 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_route route = {
			.host = rows[i].host[0] ? rows[i].host : NULL,
		};
		struct gate_hops hops = {.tls = true, .n = 2};
		struct gate_server server = {
			.host = upstream,
			.port = 3000,
			.prefix = rows[i].prefix,
		};
		struct gate_forward f = {&request, &route, &server, &hops};
		struct ses_buf out;
		const char *text;

		gate_address_read(BYTES("10.0.0.1"), &hops.hop[0].address);
		gate_address_read(BYTES("2001:db8::7"), &hops.hop[1].address);
		ses_buf_init(&out, 4096);
		assert_true(gate_forward_write(&f, &out) >= 0);
		ses_buf_append(&out, bytes_of("", 1));
		text = (const char *)ses_buf_bytes(&out).data;
		assert_memory_equal(text, rows[i].line, strlen(rows[i].line));
		assert_non_null(strstr(text, rows[i].field));
		assert_non_null(
			strstr(text, "\r\nX-Forwarded-For: 2001:db8::7, "
				     "10.0.0.1\r\n"));
		assert_non_null(
			strstr(text, "\r\nX-Forwarded-Proto: https\r\n"));
		assert_non_null(strstr(text, "\r\nX-Forwarded-Host: a\r\n"));
		assert_null(strstr(strstr(text, "\nHost:") + 1, "\nHost:"));
		ses_buf_fini(&out);
	}
}

TEST("a refusal that is passed on has our reference alone")
{
	struct ses_head answer;
	struct ses_buf out;
	const char *text;

	assert_true(parse_head("HTTP/1.1 403 No\r\nSesame-Reference: AAAA-AAAA"
			       "\r\nX-Kept: 1\r\n\r\n",
			       false, &answer) > 0);
	ses_buf_init(&out, 4096);
	assert_true(gate_relayed_refusal_write(&answer, BYTES("no"),
					       "BBBB-BBBB", &out) >= 0);
	ses_buf_append(&out, bytes_of("", 1));
	text = (const char *)ses_buf_bytes(&out).data;
	assert_null(strstr(text, "AAAA"));
	assert_non_null(strstr(text, "\r\nSesame-Reference: BBBB-BBBB\r\n"));
	assert_non_null(strstr(text, "\r\nX-Kept: 1\r\n"));
	ses_buf_fini(&out);
}
