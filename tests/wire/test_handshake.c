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

		assert_int_equal(sesame_handshake_check(copy, cut, key, NULL, &status),
				 cut == len ? (int)len : 0);
		assert_int_equal(status, cut == len ? 101 : 0);
		test_guard_free(copy, cut);
	}
	assert_int_equal(
		sesame_handshake_check(ANSWER "\x81", len + 2, key, NULL, NULL), len);
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
							key, NULL, &status),
				 rows[i].error);
		assert_int_equal(status, rows[i].status);
	}
	uint8_t other[16] = {0};

	assert_int_equal(
		sesame_handshake_check(ANSWER, strlen(ANSWER), other, NULL, NULL),
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
	assert_int_equal(sesame_handshake_check(answer, written, key, NULL, NULL),
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

TEST("a subprotocol is accepted from those that were offered alone")
{
	static const char answer[] =
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"
		"Sec-WebSocket-Protocol: feed\r\n\r\n";
	static const struct {
		const char *protocols;
		int result;
	} rows[] = {
		{NULL, SESAME_EPROTO},
		{"", SESAME_EPROTO},
		{"chat", SESAME_EPROTO},
		{"chat, feed", sizeof(answer) - 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(sesame_handshake_check(answer, sizeof(answer) - 1, key,
							rows[i].protocols, NULL),
				 rows[i].result);
}

TEST("answers that only announce the answer are passed over")
{
	static const char text[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" ANSWER;
	size_t len = sizeof(text) - 1;

	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *copy = test_guarded(text, cut);
		int status = 0;

		assert_int_equal(sesame_handshake_check(copy, cut, key, NULL, &status),
				 cut == len ? (int)len : 0);
		assert_int_equal(status, cut == len ? 101 : 0);
		test_guard_free(copy, cut);
	}
}

TEST("what one offers and the other takes, both agree to")
{
	struct sesame_offer offer = {
		.origin = "https://o", .protocols = "chat, feed", .deflate = true};
	struct sesame_reply reply = {.protocol = "feed", .deflate = true};
	char request[512], answer[512];
	struct sesame_agreement server = {0}, client = {0};
	struct sesame_handshake seen;
	size_t written = 0;
	int status = 0;
	int n = sesame_handshake_offer("ws://h:1/a?b", key, &offer, request, sizeof(request));

	assert_true(n > 0);
	for (int cut = 0; cut < n; cut++)
		assert_int_equal(sesame_handshake_read(request, (size_t)cut, &seen), 0);
	assert_int_equal(sesame_handshake_read(request, (size_t)n, &seen), n);
	assert_true(bytes_equal_str(bytes_of(seen.target, seen.target_len), "/a?b"));
	assert_true(bytes_equal_str(bytes_of(seen.host, seen.host_len), "h:1"));
	assert_true(bytes_equal_str(bytes_of(seen.origin, seen.origin_len), "https://o"));
	assert_true(bytes_equal_str(bytes_of(seen.protocols, seen.protocols_len), "chat, feed"));
	assert_int_equal(sesame_handshake_reply(request, (size_t)n, &reply, answer, sizeof(answer),
						&written, &server),
			 n);
	assert_int_equal(sesame_handshake_agree(answer, written, key, &offer, &status, &client),
			 written);
	assert_int_equal(status, 101);
	assert_true(server.deflate.on && client.deflate.on);
	assert_memory_equal(&server.deflate, &client.deflate, sizeof(client.deflate));
	assert_true(bytes_equal_str(bytes_of(client.protocol, client.protocol_len), "feed"));
	assert_true(bytes_equal_str(bytes_of(server.protocol, server.protocol_len), "feed"));
	offer.deflate = false; /* as if it had not been offered */
	assert_int_equal(sesame_handshake_agree(answer, written, key, &offer, &status, &client),
			 SESAME_EPROTO);
}

TEST("a reply refuses in its own words, and cannot say what was not asked")
{
	static const struct {
		struct sesame_reply reply;
		int result;
		const char *begin, *end;
	} rows[] = {
		{{.status = 403, .body = "Not you."}, SESAME_EREFUSED, "HTTP/1.1 403 Forbidden\r\n",
		 "\r\n\r\nNot you.\n"},
		{{.status = 404}, SESAME_EREFUSED, "HTTP/1.1 404 Not Found\r\n",
		 "\r\n\r\nNot Found\n"},
		{{.status = 200}, SESAME_EINVAL, NULL, NULL},
		{{.protocol = "feed"}, SESAME_EINVAL, NULL, NULL},
	};
	char request[512];
	int n = sesame_handshake_request("ws://h/", key, NULL, "chat", request, sizeof(request));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sesame_agreement agreement;
		char out[512];
		size_t written = 0;

		assert_int_equal(sesame_handshake_reply(request, (size_t)n, &rows[i].reply, out,
							sizeof(out) - 1, &written, &agreement),
				 rows[i].result);
		out[written] = 0;
		if (rows[i].begin) {
			assert_memory_equal(out, rows[i].begin, strlen(rows[i].begin));
			assert_non_null(strstr(out, rows[i].end));
		}
	}
}

TEST("an empty origin and an empty list of subprotocols are none")
{
	char out[512];
	int n = sesame_handshake_request("ws://h/", key, "", "", out, sizeof(out) - 1);

	assert_true(n > 0);
	out[n] = 0;
	assert_null(strstr(out, "Origin"));
	assert_null(strstr(out, "Protocol"));
}
