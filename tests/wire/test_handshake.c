/* SPDX-License-Identifier: MIT */
/* The public handshake: both sides of it, from bytes to bytes. */
#include "test.h"

#include <stdio.h>

#include <sesame/protocol.h>

#include "base/bytes.h"

static const uint8_t key[16] = "the sample nonce";

#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define ANSWER                                 \
	"HTTP/1.1 101 Switching Protocols\r\n" \
	"Upgrade: websocket\r\n"               \
	"Connection: Upgrade\r\n"              \
	"Sec-WebSocket-Accept: " ACCEPT "\r\n" \
	"\r\n"

TEST("the request is that of the URL, without its userinfo")
{
	char out[512];
	int n = sesame_handshake_request("wss://ann:pw@Example.org:8443/a?b",
					 key, "https://app.example", "x, y",
					 out, sizeof(out));

	assert_true(n > 0);
	out[n] = '\0';
	assert_string_equal(out, "GET /a?b HTTP/1.1\r\n"
				 "Host: example.org:8443\r\n"
				 "Connection: Upgrade\r\n"
				 "Upgrade: websocket\r\n"
				 "Origin: https://app.example\r\n"
				 "Sec-WebSocket-Version: 13\r\n"
				 "Sec-WebSocket-Key: " KEY "\r\n"
				 "Sec-WebSocket-Protocol: x, y\r\n"
				 "\r\n");
	assert_int_equal(sesame_handshake_request("wss://ann:pw@Example.org:"
						  "8443/a?b",
						  key, "https://app.example",
						  "x, y", out, (size_t)n),
			 n);
	assert_int_equal(sesame_handshake_request("wss://ann:pw@Example.org:"
						  "8443/a?b",
						  key, "https://app.example",
						  "x, y", out, (size_t)n - 1),
			 SESAME_ELIMIT);
}

TEST("a bad URL or value gives no request")
{
	static const struct {
		const char *url, *origin, *protocols;
		int error;
	} rows[] = {
		{NULL, NULL, NULL, SESAME_EINVAL},
		{"", NULL, NULL, SESAME_EURL},
		{"http://x/", NULL, NULL, SESAME_EURL},
		{"ws://x/a b", NULL, NULL, SESAME_EURL},
		{"ws://x/\r\nA: b", NULL, NULL, SESAME_EURL},
		{"ws://x/", "a\r\nb", NULL, SESAME_EINVAL},
		{"ws://x/", NULL, "a\nb", SESAME_EINVAL},
	};
	char out[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(sesame_handshake_request(
					 rows[i].url, key, rows[i].origin,
					 rows[i].protocols, out, sizeof(out)),
				 rows[i].error);
}

TEST("an answer is waited for byte by byte and then checked")
{
	size_t len = strlen(ANSWER);

	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *copy = test_guarded(ANSWER, cut);
		int status = 0;

		assert_int_equal(sesame_handshake_check(copy, cut, key, &status),
				 cut == len ? (int)len : 0);
		assert_int_equal(status, cut == len ? 101 : 0);
		test_guard_free(copy, cut);
	}
	assert_int_equal(
		sesame_handshake_check(ANSWER "\x81", len + 2, key, NULL), len);
}

TEST("an answer that is no acceptance says why")
{
	static const struct {
		const char *text;
		int error, status;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\r\n\r\n", SESAME_EREFUSED, 403},
		{"HTTP/1.1 101 Yes\r\n\r\n", SESAME_EPROTO, 101},
		{"SSH-2.0", SESAME_EPROTO, 0},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"
		 "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		 SESAME_EPROTO, 101},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = 0;

		assert_int_equal(sesame_handshake_check(rows[i].text,
							strlen(rows[i].text),
							key, &status),
				 rows[i].error);
		assert_int_equal(status, rows[i].status);
	}
	uint8_t other[16] = {0};

	assert_int_equal(
		sesame_handshake_check(ANSWER, strlen(ANSWER), other, NULL),
		SESAME_EPROTO);
}

TEST("client and server open the door to each other")
{
	char request[512], answer[512];
	size_t written = 99;
	int n = sesame_handshake_request("ws://x/", key, NULL, NULL, request,
					 sizeof(request));

	for (int cut = 0; cut < n; cut++) {
		assert_int_equal(sesame_handshake_answer(request, (size_t)cut,
							 answer, sizeof(answer),
							 &written),
				 0);
		assert_int_equal(written, 0);
	}
	assert_int_equal(sesame_handshake_answer(request, (size_t)n, answer,
						 sizeof(answer), &written),
			 n);
	assert_int_equal(written, strlen(ANSWER));
	assert_memory_equal(answer, ANSWER, written);
	assert_int_equal(sesame_handshake_check(answer, written, key, NULL),
			 written);
	assert_int_equal(sesame_handshake_answer(request, (size_t)n, answer,
						 written, &written),
			 n);
	assert_int_equal(sesame_handshake_answer(request, (size_t)n, answer,
						 written - 1, &written),
			 SESAME_ELIMIT);
}

TEST("a refused request gets its status, its reason and a close")
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{"\x16\x03", "HTTP/1.1 400 Bad Request\r\n"},
		{"GET / HTTP/2.0\r\n",
		 "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		 "HTTP/1.1 426 Upgrade Required\r\n"},
		{"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
		 "HTTP/1.1 405 Method Not Allowed\r\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t written = 0;
		char out[512];

		assert_int_equal(sesame_handshake_answer(
					 rows[i].text, strlen(rows[i].text),
					 out, sizeof(out) - 1, &written),
				 SESAME_EPROTO);
		out[written] = '\0';
		assert_int_equal(
			strncmp(out, rows[i].line, strlen(rows[i].line)), 0);
		assert_non_null(strstr(out, "\r\nConnection: close"));
		assert_non_null(strstr(out, "(RFC "));
	}
}
