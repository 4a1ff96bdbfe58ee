/* SPDX-License-Identifier: MIT */
/* The opening handshake: what is written, what is refused and in which order. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "wire/upgrade.h"

/* The key and its answer of RFC 6455, section 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const char *text_of(struct ses_buf *out)
{
	assert_int_equal(ses_buf_append(out, bytes_of("", 1)), 0);
	return (const char *)ses_buf_bytes(out).data;
}

static void parse(bool is_request, const char *text, struct ses_head *head)
{
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head_parser p;
	int n;

	ses_head_init(&p, is_request, NULL);
	n = ses_head_parse(&p, bytes_of_str(text), head, &fault);
	if (n <= 0)
		print_error("%s: %s\n", ses_fault_row(fault)->id, text);
	assert_int_equal(n, strlen(text));
}

/* ---- keys ---- */

TEST("the answer to the RFC's key is the RFC's answer")
{
	char accept[SES_ACCEPT_LEN];

	for (int i = 0; i < 3; i++) { /* fetched once, right each time */
		ses_key_accept(BYTES(KEY), accept);
		assert_memory_equal(accept, ACCEPT, SES_ACCEPT_LEN);
	}
}

TEST("a key is sixteen bytes in base64, and every such key is valid")
{
	uint8_t random[16];
	char key[SES_KEY_LEN];

	memcpy(random, "the sample nonce", 16);
	ses_key_encode(random, key);
	assert_memory_equal(key, KEY, SES_KEY_LEN);
	for (int c = 0; c < 256; c++) {
		memset(random, c, 16);
		ses_key_encode(random, key);
		assert_true(ses_key_valid(bytes_of(key, SES_KEY_LEN)));
	}
}

TEST("what is not the base64 of sixteen bytes is no key")
{
	static const char *const rows[] = {
		"",
		"dGhlIHNhbXBsZSBub25jZQ=",   /* cut */
		"dGhlIHNhbXBsZSBub25jZQ",    /* no padding */
		"dGhlIHNhbXBsZSBub25jZQ===", /* too much of it */
		"dGhlIHNhbXBsZSBub25jZR==",  /* bits that mean nothing */
		"dGhlIHNhbXBsZSBub25jZWU=",  /* seventeen bytes */
		"dGhlIHNhbXBsZSBub25jZWVl",  /* eighteen */
		"dGhlIHNhbXBsZSBub24=",	     /* fourteen */
		"dGhlIHNhbXBsZSBub25j ==",   /* a blank */
		"dGhlIHNhbXBsZSBub25jZ_==",  /* the other alphabet */
		"========================",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(ses_key_valid(bytes_of_str(rows[i])));
}

/* ---- client: writing ---- */

static struct ses_upgrade_request plain_request(void)
{
	struct ses_upgrade_request request = {
		.host = BYTES("example.org:8080"),
		.target = BYTES("/chat?room=1"),
	};

	memcpy(request.key, KEY, SES_KEY_LEN);
	return request;
}

TEST("a request has its fields in the order and spelling of browsers")
{
	struct ses_upgrade_request request = plain_request();
	struct ses_buf out;
	static const struct ses_field extra[] = {
		{{(const uint8_t *)"Cookie", 6}, {(const uint8_t *)"a=b", 3}},
		{{(const uint8_t *)"X-Empty", 7}, {(const uint8_t *)"", 0}},
	};

	ses_buf_init(&out, 4096);
	assert_int_equal(ses_upgrade_write_request(&request, &out), 0);
	assert_string_equal(text_of(&out), "GET /chat?room=1 HTTP/1.1\r\n"
					   "Host: example.org:8080\r\n"
					   "Connection: Upgrade\r\n"
					   "Upgrade: websocket\r\n"
					   "Sec-WebSocket-Version: 13\r\n"
					   "Sec-WebSocket-Key: " KEY "\r\n"
					   "\r\n");
	ses_buf_consume(&out, ses_buf_len(&out));
	request.origin = BYTES("https://app.example");
	request.user_agent = BYTES("sesame");
	request.protocols = BYTES("chat, superchat");
	request.deflate.enabled = true;
	request.extra = extra;
	request.n_extra = 2;
	assert_int_equal(ses_upgrade_write_request(&request, &out), 0);
	assert_string_equal(text_of(&out),
			    "GET /chat?room=1 HTTP/1.1\r\n"
			    "Host: example.org:8080\r\n"
			    "Connection: Upgrade\r\n"
			    "Upgrade: websocket\r\n"
			    "User-Agent: sesame\r\n"
			    "Origin: https://app.example\r\n"
			    "Sec-WebSocket-Version: 13\r\n"
			    "Sec-WebSocket-Key: " KEY "\r\n"
			    "Sec-WebSocket-Extensions: permessage-deflate; "
			    "client_max_window_bits\r\n"
			    "Sec-WebSocket-Protocol: chat, superchat\r\n"
			    "Cookie: a=b\r\n"
			    "X-Empty: \r\n"
			    "\r\n");
	ses_buf_fini(&out);
}

static struct ses_field field(const char *name, const char *value)
{
	return (struct ses_field){bytes_of_str(name), bytes_of_str(value)};
}

TEST("an extra field replaces the built-in one in its place, or suppresses it")
{
	static const char *const names[] = {
		"Host",
		"Connection",
		"Upgrade",
		"User-Agent",
		"Origin",
		"Sec-WebSocket-Version",
		"Sec-WebSocket-Key",
		"Sec-WebSocket-Extensions",
		"Sec-WebSocket-Protocol",
	};
	struct ses_upgrade_request request = plain_request();

	request.origin = BYTES("o");
	request.user_agent = BYTES("u");
	request.protocols = BYTES("p");
	request.deflate.enabled = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char lower[64] = "", line[160], built_in[80];
		struct ses_field extra[2];
		struct ses_buf out;
		const char *text;

		for (size_t c = 0; names[i][c]; c++)
			lower[c] = (char)byte_lower((uint8_t)names[i][c]);
		snprintf(built_in, sizeof(built_in), "\r\n%s: ", names[i]);
		snprintf(line, sizeof(line), "\r\n%s: mine\r\n%s: too\r\n",
			 lower, names[i]);
		extra[0] = field(lower, "mine");
		extra[1] = field(names[i], "too");
		request.extra = extra;
		request.n_extra = 2;
		ses_buf_init(&out, 4096);
		assert_int_equal(ses_upgrade_write_request(&request, &out), 0);
		text = strstr(text_of(&out), line);
		assert_non_null(text);
		assert_null(strstr(text + strlen(line) - 2, built_in));
		/* in its place: what came behind it still does */
		if (i + 1 < ARRAY_LEN(names))
			assert_non_null(strstr(text, names[i + 1]));
		extra[0].value.data = NULL;
		extra[0].value.len = 0;
		request.n_extra = 1;
		ses_buf_consume(&out, ses_buf_len(&out));
		assert_int_equal(ses_upgrade_write_request(&request, &out), 0);
		text = text_of(&out);
		assert_null(strstr(text, built_in));
		assert_null(strstr(text, lower));
		ses_buf_fini(&out);
	}
}

/* One request for each value that a caller passes in, holding @bad. */
static void assert_refused(int place, struct bytes bad)
{
	struct ses_upgrade_request request = plain_request();
	struct ses_field extra = field("X", "y");
	struct ses_buf out;

	request.extra = &extra;
	request.n_extra = 1;
	*(struct bytes *[]){&request.host,	 &request.target,
			    &request.origin,	 &request.protocols,
			    &request.user_agent, &extra.name,
			    &extra.value}[place] = bad;
	ses_buf_init(&out, 4096);
	ses_buf_append_str(&out, "before");
	assert_int_equal(ses_upgrade_write_request(&request, &out),
			 SESAME_EINVAL);
	assert_string_equal(text_of(&out), "before");
	ses_buf_fini(&out);
}

TEST("no value can end its line: control bytes are refused before writing")
{
	for (int place = 0; place < 7; place++) {
		for (int c = 0; c < 256; c++) {
			uint8_t bad[3] = {'a', (uint8_t)c, 'b'};

			if ((c < ' ' && c != '\t') || c == 0x7f)
				assert_refused(place, bytes_of(bad, 3));
		}
	}
	assert_refused(0, BYTES("a b"));
	assert_refused(1, BYTES("/a b"));
	assert_refused(1, BYTES("/\xc3\xa9"));
	assert_refused(1, BYTES(""));
	assert_refused(5, BYTES("a:"));
	assert_refused(5, BYTES(""));
}

TEST("a request that has no room is not begun")
{
	struct ses_upgrade_request request = plain_request();

	for (size_t room = 0; room < 100; room++) {
		struct ses_buf out;

		ses_buf_init(&out, room + 3);
		ses_buf_append_str(&out, "abc");
		assert_int_equal(ses_upgrade_write_request(&request, &out),
				 SESAME_ELIMIT);
		assert_int_equal(ses_buf_len(&out), 3);
		ses_buf_fini(&out);
	}
}

/* ---- client: reading ---- */

#define START	 "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE	 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define GOOD	 START UPGRADE ACCEPTED

TEST("an answer is an acceptance by the letter, or its fault has a name")
{
	static const struct {
		const char *text;
		enum ses_fault fault;
	} rows[] = {
		{GOOD, SES_FAULT_NONE},
		{START "upgrade: WebSocket\r\nconnection: keep-alive, "
		       "upgrade\r\n" ACCEPTED,
		 SES_FAULT_NONE},
		{"HTTP/1.1 101\r\n" UPGRADE ACCEPTED, SES_FAULT_NONE},
		{GOOD "Sec-WebSocket-Protocol: b\r\n", SES_FAULT_NONE},
		{GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n",
		 SES_FAULT_NONE},
		{"HTTP/1.1 200 OK\r\n" UPGRADE ACCEPTED,
		 SES_FAULT_RESPONSE_STATUS},
		{"HTTP/1.1 403 Forbidden\r\n", SES_FAULT_RESPONSE_STATUS},
		{"HTTP/1.1 301 Moved\r\nLocation: /x\r\n",
		 SES_FAULT_RESPONSE_STATUS},
		{START "Connection: Upgrade\r\n" ACCEPTED,
		 SES_FAULT_RESPONSE_UPGRADE},
		{START "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPTED,
		 SES_FAULT_RESPONSE_UPGRADE},
		{START "Upgrade: websocket\r\n" ACCEPTED,
		 SES_FAULT_RESPONSE_CONNECTION},
		{START "Upgrade: websocket\r\nConnection: close\r\n" ACCEPTED,
		 SES_FAULT_RESPONSE_CONNECTION},
		{START UPGRADE, SES_FAULT_RESPONSE_ACCEPT},
		{START UPGRADE "Sec-WebSocket-Accept: " KEY "\r\n",
		 SES_FAULT_RESPONSE_ACCEPT},
		{START UPGRADE
		 "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
		 SES_FAULT_RESPONSE_ACCEPT},
		{GOOD ACCEPTED, SES_FAULT_RESPONSE_ACCEPT},
		{GOOD "Sec-WebSocket-Protocol: c\r\n",
		 SES_FAULT_RESPONSE_SUBPROTOCOL},
		{GOOD "Sec-WebSocket-Protocol: B\r\n",
		 SES_FAULT_RESPONSE_SUBPROTOCOL},
		{GOOD "Sec-WebSocket-Protocol: a, b\r\n",
		 SES_FAULT_RESPONSE_SUBPROTOCOL},
		{GOOD "Sec-WebSocket-Protocol:\r\n",
		 SES_FAULT_RESPONSE_SUBPROTOCOL},
		{GOOD
		 "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n",
		 SES_FAULT_RESPONSE_SUBPROTOCOL},
		{GOOD "Sec-WebSocket-Extensions: x-other\r\n",
		 SES_FAULT_RESPONSE_EXTENSIONS},
		{GOOD "Sec-WebSocket-Extensions: permessage-deflate; "
		      "client_max_window_bits=16\r\n",
		 SES_FAULT_RESPONSE_EXTENSIONS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_upgrade_request request = plain_request();
		struct ses_upgrade_result result;
		enum ses_fault fault = SES_FAULT_NONE;
		struct ses_head head;
		char text[512];
		int n;

		request.protocols = BYTES("a, b");
		request.deflate.enabled = true;
		snprintf(text, sizeof(text), "%s\r\n", rows[i].text);
		parse(false, text, &head);
		n = ses_upgrade_check_response(&request, &head, &result, &fault);
		if (fault != rows[i].fault)
			print_error("%s: %s\n", ses_fault_row(fault)->id, text);
		assert_int_equal(fault, rows[i].fault);
		assert_int_equal(n, !fault ? 0
				    : fault == SES_FAULT_RESPONSE_STATUS
					    ? SESAME_EREFUSED
					    : SESAME_EPROTO);
	}
}

TEST("what was agreed on is told")
{
	struct ses_upgrade_request request = plain_request();
	struct ses_upgrade_result result;
	enum ses_fault fault;
	struct ses_head head;

	request.protocols = BYTES("a, b");
	request.deflate.enabled = true;
	parse(false,
	      GOOD "Sec-WebSocket-Protocol: b\r\n"
		   "Sec-WebSocket-Extensions: permessage-deflate; "
		   "server_max_window_bits=10\r\n\r\n",
	      &head);
	assert_int_equal(
		ses_upgrade_check_response(&request, &head, &result, &fault), 0);
	assert_true(bytes_equal_str(result.subprotocol, "b"));
	assert_true(result.deflate.on);
	assert_int_equal(result.deflate.server_max_window_bits, 10);
	parse(false, GOOD "\r\n", &head);
	assert_int_equal(
		ses_upgrade_check_response(&request, &head, &result, &fault), 0);
	assert_int_equal(result.subprotocol.len, 0);
	assert_false(result.deflate.on);
}

TEST("an answer is measured by what was really sent, extras included")
{
	struct ses_field extra[] = {
		field("sec-websocket-key", KEY),
		field("sec-websocket-protocol", "mine"),
		field("sec-websocket-extensions", "permessage-deflate"),
	};
	struct ses_upgrade_request request = plain_request();
	struct ses_upgrade_result result;
	enum ses_fault fault;
	struct ses_head head;

	memset(request.key, 'A', SES_KEY_LEN);
	request.protocols = BYTES("a");
	request.extra = extra;
	request.n_extra = 3;
	parse(false,
	      GOOD "Sec-WebSocket-Protocol: mine\r\n"
		   "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	      &head);
	assert_int_equal(
		ses_upgrade_check_response(&request, &head, &result, &fault), 0);
	assert_true(result.deflate.on);
	parse(false, GOOD "Sec-WebSocket-Protocol: a\r\n\r\n", &head);
	assert_int_equal(
		ses_upgrade_check_response(&request, &head, &result, &fault),
		SESAME_EPROTO);
	assert_int_equal(fault, SES_FAULT_RESPONSE_SUBPROTOCOL);
}

/* ---- server: reading ---- */

/* A request of named parts, of which a row changes one. */
struct parts {
	const char *line, *host, *upgrade, *connection, *version, *key, *more;
};

static enum ses_fault check(const struct parts *p, int *ret_status)
{
	static const struct parts usual = {
		.line = "GET /chat HTTP/1.1",
		.host = "Host: example.org\r\n",
		.upgrade = "Upgrade: websocket\r\n",
		.connection = "Connection: Upgrade\r\n",
		.version = "Sec-WebSocket-Version: 13\r\n",
		.key = "Sec-WebSocket-Key: " KEY "\r\n",
		.more = "",
	};
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_upgrade_offer offer;
	struct ses_head head;
	char text[2048];
	int n;

#define PART(name) (p->name ? p->name : usual.name)
	snprintf(text, sizeof(text), "%s\r\n%s%s%s%s%s%s\r\n", PART(line),
		 PART(host), PART(upgrade), PART(connection), PART(version),
		 PART(key), PART(more));
#undef PART
	parse(true, text, &head);
	n = ses_upgrade_check_request(&head, &offer, &fault);
	assert_int_equal(n, fault ? SESAME_EPROTO : 0);
	*ret_status = ses_fault_row(fault)->status;
	return fault;
}

TEST("each rule of RFC 6455 4.2.1 has its fault and status")
{
	static const struct {
		struct parts parts;
		enum ses_fault fault;
		int status;
	} rows[] = {
		{{0}, SES_FAULT_NONE, 0},
		/* method, target, version */
		{{.line = "POST / HTTP/1.1"}, SES_FAULT_REQUEST_METHOD, 405},
		{{.line = "get / HTTP/1.1"}, SES_FAULT_REQUEST_METHOD, 405},
		{{.line = "CONNECT x:80 HTTP/1.1"}, SES_FAULT_REQUEST_METHOD, 405},
		{{.line = "GET http://x/ HTTP/1.1"}, SES_FAULT_HEAD_TARGET, 400},
		{{.line = "GET ws://x/ HTTP/1.1"}, SES_FAULT_HEAD_TARGET, 400},
		{{.line = "GET * HTTP/1.1"}, SES_FAULT_HEAD_TARGET, 400},
		{{.line = "GET x:80 HTTP/1.1"}, SES_FAULT_HEAD_TARGET, 400},
		{{.line = "GET /a\\b HTTP/1.1"}, SES_FAULT_HEAD_TARGET, 400},
		{{.line = "GET /a?b\\c HTTP/1.1"}, SES_FAULT_NONE, 0},
		{{.line = "GET / HTTP/1.0"}, SES_FAULT_REQUEST_HTTP10, 400},
		/* a plain GET, through a proxy or not, lacks its Upgrade */
		{{.upgrade = "", .connection = "", .version = "", .key = ""},
		 SES_FAULT_REQUEST_NO_UPGRADE,
		 426},
		{{.line = "GET / HTTP/1.0",
		  .upgrade = "",
		  .connection = "Connection: close\r\n"},
		 SES_FAULT_REQUEST_NO_UPGRADE,
		 426},
		{{.line = "GET / HTTP/1.0", .host = "", .upgrade = ""},
		 SES_FAULT_REQUEST_NO_UPGRADE,
		 426},
		/* Host */
		{{.host = ""}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host:\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a\r\nHost: a\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a\r\nhOST: b\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a, b\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a@b\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a/b\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: a:b\r\n"}, SES_FAULT_REQUEST_HOST, 400},
		{{.host = "Host: [::1]:8080\r\n"}, SES_FAULT_NONE, 0},
		{{.host = "Host: a_b.example.:8080\r\n"}, SES_FAULT_NONE, 0},
		/* Upgrade and Connection are lists, in any case */
		{{.upgrade = "UPGRADE: WebSocket\r\n"}, SES_FAULT_NONE, 0},
		{{.upgrade = "Upgrade: websocket, h2c\r\n"}, SES_FAULT_NONE, 0},
		{{.upgrade = "Upgrade: h2c\r\nUpgrade: websocket\r\n"},
		 SES_FAULT_NONE,
		 0},
		{{.upgrade = "Upgrade: websocket2\r\n"},
		 SES_FAULT_REQUEST_NO_UPGRADE,
		 426},
		{{.upgrade = "Upgrade: web socket\r\n"},
		 SES_FAULT_REQUEST_NO_UPGRADE,
		 426},
		{{.upgrade = "Upgrade:\r\n"}, SES_FAULT_REQUEST_NO_UPGRADE, 426},
		{{.connection = "Connection: keep-alive, upgrade\r\n"},
		 SES_FAULT_NONE,
		 0},
		{{.connection = "Connection: a\r\nConnection: UPGRADE\r\n"},
		 SES_FAULT_NONE,
		 0},
		{{.connection = ""}, SES_FAULT_REQUEST_NO_CONNECTION, 400},
		{{.connection = "Connection: close\r\n"},
		 SES_FAULT_REQUEST_NO_CONNECTION,
		 400},
		{{.connection = "Connection: upgraded\r\n"},
		 SES_FAULT_REQUEST_NO_CONNECTION,
		 400},
		/* body */
		{{.more = "Content-Length: 0\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Content-Length: 1\r\n"}, SES_FAULT_REQUEST_BODY, 400},
		{{.more = "Content-Length: x\r\n"}, SES_FAULT_REQUEST_BODY, 400},
		{{.more = "Content-Length: 0\r\nContent-Length: 5\r\n"},
		 SES_FAULT_REQUEST_BODY,
		 400},
		{{.more = "Transfer-Encoding: chunked\r\n"},
		 SES_FAULT_REQUEST_BODY,
		 400},
		{{.more = "Transfer-Encoding: identity\r\n"},
		 SES_FAULT_REQUEST_BODY,
		 400},
		/* version and key */
		{{.version = ""}, SES_FAULT_REQUEST_VERSION, 426},
		{{.version = "Sec-WebSocket-Version: 8\r\n"},
		 SES_FAULT_REQUEST_VERSION,
		 426},
		{{.version = "Sec-WebSocket-Version: 013\r\n"},
		 SES_FAULT_REQUEST_VERSION,
		 426},
		{{.version = "Sec-WebSocket-Version: 13, 8\r\n"},
		 SES_FAULT_REQUEST_VERSION,
		 426},
		{{.version = "Sec-WebSocket-Version: 13\r\n"
			     "Sec-WebSocket-Version: 13\r\n"},
		 SES_FAULT_REQUEST_VERSION,
		 426},
		{{.key = ""}, SES_FAULT_REQUEST_KEY, 400},
		{{.key = "Sec-WebSocket-Key: abc\r\n"},
		 SES_FAULT_REQUEST_KEY,
		 400},
		{{.key = "Sec-WebSocket-Key: " KEY "\r\n"
			 "Sec-WebSocket-Key: " KEY "\r\n"},
		 SES_FAULT_REQUEST_KEY,
		 400},
		/* Origin: one word; which word is policy */
		{{.more = "Origin: https://app.example\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Origin: null\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Origin: file://\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Origin:\r\n"}, SES_FAULT_REQUEST_ORIGIN, 400},
		{{.more = "Origin: https://a https://b\r\n"},
		 SES_FAULT_REQUEST_ORIGIN,
		 400},
		{{.more = "Origin: https://\xc3\xa9\r\n"},
		 SES_FAULT_REQUEST_ORIGIN,
		 400},
		{{.more = "Origin: https://a\r\nOrigin: https://a\r\n"},
		 SES_FAULT_REQUEST_ORIGIN,
		 400},
		/* subprotocols and extensions */
		{{.more = "Sec-WebSocket-Protocol: a, b\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Sec-WebSocket-Protocol: a\r\n"
			  "Sec-WebSocket-Protocol: b\r\n"},
		 SES_FAULT_NONE,
		 0},
		{{.more = "Sec-WebSocket-Protocol: a, A\r\n"}, SES_FAULT_NONE, 0},
		{{.more = "Sec-WebSocket-Protocol:\r\n"},
		 SES_FAULT_REQUEST_SUBPROTOCOL,
		 400},
		{{.more = "Sec-WebSocket-Protocol: a, b, a\r\n"},
		 SES_FAULT_REQUEST_SUBPROTOCOL,
		 400},
		{{.more = "Sec-WebSocket-Protocol: a\r\n"
			  "Sec-WebSocket-Protocol: a\r\n"},
		 SES_FAULT_REQUEST_SUBPROTOCOL,
		 400},
		{{.more = "Sec-WebSocket-Protocol: a b\r\n"},
		 SES_FAULT_REQUEST_SUBPROTOCOL,
		 400},
		{{.more = "Sec-WebSocket-Protocol: \"a\"\r\n"},
		 SES_FAULT_REQUEST_SUBPROTOCOL,
		 400},
		{{.more = "Sec-WebSocket-Extensions: x; y=\"z\"\r\n"},
		 SES_FAULT_NONE,
		 0},
		{{.more = "Sec-WebSocket-Extensions: x; y=\r\n"},
		 SES_FAULT_REQUEST_EXTENSIONS,
		 400},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status;
		enum ses_fault fault = check(&rows[i].parts, &status);

		if (fault != rows[i].fault)
			print_error("row %zu: %s\n", i,
				    ses_fault_row(fault)->id);
		assert_int_equal(fault, rows[i].fault);
		assert_int_equal(status, rows[i].status);
	}
}

TEST("up to 64 subprotocols are told apart, more are refused")
{
	for (int n = 64; n <= 65; n++) {
		char more[1024] = "Sec-WebSocket-Protocol: p0";
		struct parts parts = {.more = more};
		int status;

		for (int i = 1; i < n; i++)
			sprintf(more + strlen(more), ", p%d", i);
		strcat(more, "\r\n");
		assert_int_equal(check(&parts, &status),
				 n == 64 ? SES_FAULT_NONE
					 : SES_FAULT_REQUEST_SUBPROTOCOL);
	}
}

#define REQUEST                         \
	"GET /chat?a HTTP/1.1\r\n"      \
	"Host: example.org\r\n"         \
	"Upgrade: websocket\r\n"        \
	"Connection: Upgrade\r\n"       \
	"Sec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: " KEY "\r\n"

TEST("what a request offers is told, over repeated fields")
{
	struct ses_upgrade_offer offer;
	enum ses_fault fault;
	struct ses_head head;

	parse(true,
	      REQUEST "Sec-WebSocket-Protocol: a, b\r\n"
		      "Origin: https://x\r\n"
		      "Sec-WebSocket-Protocol: c\r\n\r\n",
	      &head);
	assert_int_equal(ses_upgrade_check_request(&head, &offer, &fault), 0);
	assert_true(bytes_equal_str(offer.host, "example.org"));
	assert_true(bytes_equal_str(offer.target, "/chat?a"));
	assert_true(bytes_equal_str(offer.origin, "https://x"));
	assert_true(bytes_equal_str(offer.key, KEY));
	assert_true(bytes_equal_str(offer.protocols, "a, b"));
	assert_true(ses_upgrade_offers(&head, BYTES("b")));
	assert_true(ses_upgrade_offers(&head, BYTES("c")));
	assert_false(ses_upgrade_offers(&head, BYTES("C")));
	assert_false(ses_upgrade_offers(&head, BYTES("a, b")));
	parse(true, REQUEST "\r\n", &head);
	assert_int_equal(ses_upgrade_check_request(&head, &offer, &fault), 0);
	assert_null(offer.origin.data);
	assert_null(offer.protocols.data);
	assert_false(ses_upgrade_offers(&head, BYTES("a")));
}

/* ---- server: writing ---- */

TEST("an acceptance names only what was agreed on")
{
	struct ses_upgrade_offer offer = {.key = BYTES(KEY)};
	struct sesame_deflate deflate = {.on = true,
					 .server_max_window_bits = 15,
					 .client_max_window_bits = 12};
	struct bytes none = bytes_of(NULL, 0);
	struct ses_buf out;

	ses_buf_init(&out, 1024);
	assert_int_equal(
		ses_upgrade_write_response(&offer, none, NULL, none, &out), 0);
	assert_string_equal(text_of(&out),
			    "HTTP/1.1 101 Switching Protocols\r\n"
			    "Upgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: " ACCEPT "\r\n"
			    "\r\n");
	ses_buf_consume(&out, ses_buf_len(&out));
	assert_int_equal(ses_upgrade_write_response(&offer, BYTES("chat"),
						    &deflate, BYTES("sesame"),
						    &out),
			 0);
	assert_string_equal(text_of(&out),
			    "HTTP/1.1 101 Switching Protocols\r\n"
			    "Upgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: " ACCEPT "\r\n"
			    "Sec-WebSocket-Protocol: chat\r\n"
			    "Sec-WebSocket-Extensions: permessage-deflate; "
			    "client_max_window_bits=12\r\n"
			    "Server: sesame\r\n"
			    "\r\n");
	ses_buf_consume(&out, ses_buf_len(&out));
	assert_int_equal(ses_upgrade_write_response(&offer, BYTES("a\r\nb"),
						    NULL, none, &out),
			 SESAME_EINVAL);
	assert_int_equal(ses_upgrade_write_response(&offer, none, NULL,
						    BYTES("a\r\nb"), &out),
			 SESAME_EINVAL);
	assert_int_equal(ses_buf_len(&out), 0);
	ses_buf_fini(&out);
}

TEST("a refusal closes, and says what its status asks for")
{
	static const struct {
		int status;
		const char *line, *fields;
	} rows[] = {
		{403, "403 Forbidden", "Connection: close\r\n"},
		{405, "405 Method Not Allowed",
		 "Allow: GET\r\nConnection: close\r\n"},
		{426, "426 Upgrade Required",
		 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		 "Connection: close, Upgrade\r\n"},
		{599, "599 ", "Connection: close\r\n"},
	};
	struct ses_field retry = field("Retry-After", "5");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char expected[512];
		struct ses_buf out;

		snprintf(expected, sizeof(expected),
			 "HTTP/1.1 %s\r\nRetry-After: 5\r\n"
			 "Content-Type: text/plain\r\nContent-Length: 3\r\n"
			 "%s\r\nno\n",
			 rows[i].line, rows[i].fields);
		ses_buf_init(&out, 1024);
		assert_int_equal(ses_upgrade_write_answer(rows[i].status,
							   &retry, 1,
							   BYTES("text/plain"),
							   BYTES("no\n"), &out),
				 0);
		assert_string_equal(text_of(&out), expected);
		ses_buf_fini(&out);
	}
}

TEST("a 405 has the Allow that it was given, and no other")
{
	struct ses_field allow = field("Allow", "GET, POST");
	struct ses_buf out;

	ses_buf_init(&out, 1024);
	assert_int_equal(ses_upgrade_write_answer(405, &allow, 1,
						   BYTES("text/plain"),
						   BYTES("no\n"), &out),
			 0);
	assert_string_equal(text_of(&out),
			    "HTTP/1.1 405 Method Not Allowed\r\n"
			    "Allow: GET, POST\r\nContent-Type: text/plain\r\n"
			    "Content-Length: 3\r\nConnection: close\r\n\r\nno\n");
	ses_buf_fini(&out);
}

TEST("a refusal with an unfit field or status is not begun")
{
	struct ses_field bad[] = {
		field("A", "b\r\nC: d"),
		field("A", "\x1b"),
		field("A b", "c"),
		field("", "c"),
	};
	struct bytes none = bytes_of(NULL, 0);
	struct ses_buf out;

	ses_buf_init(&out, 1024);
	ses_buf_append_str(&out, "before");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ses_upgrade_write_answer(403, &bad[i], 1,
							   none, none, &out),
				 SESAME_EINVAL);
	assert_int_equal(ses_upgrade_write_answer(403, NULL, 0, BYTES("a\nb"),
						   none, &out),
			 SESAME_EINVAL);
	assert_int_equal(
		ses_upgrade_write_answer(101, NULL, 0, none, none, &out),
		SESAME_EINVAL);
	assert_int_equal(
		ses_upgrade_write_answer(600, NULL, 0, none, none, &out),
		SESAME_EINVAL);
	assert_string_equal(text_of(&out), "before");
	ses_buf_fini(&out);
}

TEST("every status that a fault asks for has a reason phrase")
{
	for (int i = 0; i < SES_N_FAULTS; i++) {
		int status = ses_fault_row((enum ses_fault)i)->status;

		if (status)
			assert_true(strlen(ses_status_phrase(status)) > 0);
	}
	assert_string_equal(ses_status_phrase(299), "");
	assert_string_equal(ses_status_phrase(-1), "");
}
