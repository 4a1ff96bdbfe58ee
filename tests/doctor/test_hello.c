/* SPDX-License-Identifier: MIT */
/*
 * The first words of the protocols inside a WebSocket, what is answered to
 * them, and that nobody is blamed where a server waits for them in vain.
 */
#include "test.h"

#include "doctor/bedside.h"
#include "doctor/hello.h"

#define URL "ws://chat.example/room"

TEST("the subprotocol that was agreed says who begins, and with what")
{
	static const struct {
		const char *subprotocol;
		enum doctor_hello hello;
		const char *begins; /* "": it is known, and not spoken */
	} rows[] = {
		{"", DOCTOR_NO_HELLO, ""},
		{"chat", DOCTOR_NO_HELLO, ""},
		{"mqtt5-bridge", DOCTOR_NO_HELLO, ""},
		{"graphql-transport-ws", DOCTOR_HELLO_GRAPHQL,
		 "{\"type\":\"connection_init\""},
		{"graphql-ws", DOCTOR_HELLO_GRAPHQL,
		 "{\"type\":\"connection_init\""},
		{"v12.stomp", DOCTOR_HELLO_STOMP,
		 "CONNECT\naccept-version:1.0,1.1,1.2\nhost:h.example\n"},
		{"mqtt", DOCTOR_HELLO_MQTT, "\x10\x1a"},
		{"mqttv3.1", DOCTOR_HELLO_MQTT3, "\x10\x1c"},
		{"wamp.2.json", DOCTOR_HELLO_WAMP, ""},
		{"ocpp1.6", DOCTOR_HELLO_OCPP, ""},
	};
	uint8_t out[DOCTOR_HELLO_BYTES];
	bool binary = false;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum doctor_hello hello =
			doctor_hello_of(bytes_of_str(rows[i].subprotocol));
		size_t n = doctor_hello_write(hello, BYTES("h.example"), 7, out,
					      &binary);

		if (hello != rows[i].hello)
			fail_msg("\"%s\" is %d", rows[i].subprotocol, hello);
		assert_int_equal(n > 0, *rows[i].begins != 0);
		assert_true(bytes_starts(bytes_of(out, n),
					 bytes_of_str(rows[i].begins)));
	}
}

TEST("a CONNECT of MQTT 3.1.1 is a clean session, and has no credential")
{
	static const char want[] = "\x10\x1a\0\4MQTT\4\2\0\x3c\0\16sesame12"
				   "345678";
	uint8_t out[DOCTOR_HELLO_BYTES];
	bool binary = false;
	size_t n = doctor_hello_write(DOCTOR_HELLO_MQTT, BYTES("h"), 0x12345678,
				      out, &binary);

	assert_true(binary);
	assert_int_equal(n, sizeof(want) - 1);
	assert_memory_equal(out, want, n);
	assert_int_equal(out[1] + 2, n);
}

TEST("each protocol says yes and no in its own way")
{
	static const struct {
		enum doctor_hello hello;
		struct bytes message;
		bool yes, no;
		const char *text;
	} rows[] = {
		{DOCTOR_HELLO_GRAPHQL, BYTES("{\"type\":\"connection_ack\"}"),
		 true, false, ""},
		{DOCTOR_HELLO_GRAPHQL,
		 BYTES("{\"type\":\"connection_error\",\"payload\":{}}"), false,
		 true, ""},
		{DOCTOR_HELLO_GRAPHQL, BYTES("{\"type\":\"ka\"}"), false, false,
		 ""},
		{DOCTOR_HELLO_SOCKETIO, BYTES("40{\"sid\":\"x\"}"), true, false,
		 ""},
		{DOCTOR_HELLO_SOCKETIO, BYTES("44{\"message\":\"no\"}"), false,
		 true, ""},
		{DOCTOR_HELLO_SOCKETIO, BYTES("44\"no\""), false, true, ""},
		{DOCTOR_HELLO_SOCKETIO, BYTES("41"), false, true,
		 "41: disconnected by the server"},
		{DOCTOR_HELLO_SOCKETIO, BYTES("42[\"news\",41]"), false, false,
		 ""},
		{DOCTOR_HELLO_STOMP, BYTES("CONNECTED\nversion:1.2\n\n"), true,
		 false, ""},
		{DOCTOR_HELLO_STOMP, BYTES("ERROR\nmessage:Bad CONNECT\n\n"),
		 false, true, ""},
		{DOCTOR_HELLO_MQTT, BYTES("\x20\2\0\0"), true, false, ""},
		{DOCTOR_HELLO_MQTT, BYTES("\x20\2\0\5"), false, true,
		 "CONNACK 5: not authorized"},
		{DOCTOR_HELLO_MQTT, BYTES("\x20\2\0"), false, false, ""},
		{DOCTOR_HELLO_MQTT, BYTES("\xd0\2\0\5"), false, false, ""},
		{DOCTOR_NO_HELLO, BYTES("44{\"message\":\"no\"}"), false, false,
		 ""},
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (doctor_hello_welcomes(rows[i].hello, rows[i].message) !=
		    rows[i].yes)
			fail_msg("row %zu: yes", i);
		if (doctor_hello_refuses(rows[i].hello, rows[i].message, text,
					 sizeof(text)) != rows[i].no)
			fail_msg("row %zu: no", i);
		assert_string_equal(text, rows[i].text);
	}
}

TEST("only Socket.IO whose clients begin is spoken to, and only when it greets")
{
	assert_true(doctor_is_engine_greeting(BYTES(
		"0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000}")));
	assert_false(doctor_is_engine_greeting(BYTES("0{\"sid\":\"x\"}")));
	assert_false(doctor_is_engine_greeting(BYTES("{\"sid\":\"x\"}")));
	assert_true(doctor_wants_connect(BYTES("/a/socket.io/"),
					 BYTES("EIO=4&transport=websocket")));
	assert_false(doctor_wants_connect(BYTES("/socket.io/"),
					  BYTES("EIO=3&transport=websocket")));
	assert_true(doctor_wants_connect(BYTES("/rt/"),
					 BYTES("EIO=4&transport=websocket")));
	assert_false(doctor_wants_connect(BYTES("/engine.io/"),
					  BYTES("EIO=4&transport=websocket")));
}

TEST("who closes for want of the first message refuses nobody")
{
	static struct bed b;
	const struct patient patient = {
		.name = "who never began",
		.url = URL,
		.subprotocols = "graphql-transport-ws",
		.answer = "@open graphql-transport-ws",
		.answers = {{DOCTOR_HOLD, NULL,
			     "@close 4408 Connection initialisation timeout"}},
	};

	bed_examine(&b, &patient);
	assert_string_equal(why_cause(b.verdict.cause)->id, "ok");
	assert_true(b.verdict.confidence > 0.9);
	assert_true(doctor_found(&b.chart, DOCTOR_F_HELD_UNSPOKEN));
	bed_strip(&b);
}

TEST("a later close with a reason is the application's, and no idle cut")
{
	static const struct {
		const char *close, *cause;
		double at_least;
	} rows[] = {
		{"@close 4009 identify within three seconds",
		 "server.app-rejected", 0.6},
		{"@close 1008 something is wrong", "server.app-rejected", 0.6},
		{"@close 4401 Unauthorized", "access.credentials", 0.7},
		{"@close 4403 Forbidden", "access.permission", 0.5},
		{"@close 1001", "net.idle-timeout", 0.7},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static struct bed b;
		const struct patient patient = {
			.url = URL,
			.answer = "@open",
			.answers = {{DOCTOR_HOLD, NULL, rows[i].close}},
		};

		bed_examine(&b, &patient);
		if (strcmp(why_cause(b.verdict.cause)->id, rows[i].cause) != 0 ||
		    b.verdict.confidence < rows[i].at_least)
			fail_msg("%s: %s %.2f", rows[i].close,
				 why_cause(b.verdict.cause)->id,
				 b.verdict.confidence);
		bed_strip(&b);
	}
}
