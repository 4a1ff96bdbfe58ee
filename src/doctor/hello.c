/* SPDX-License-Identifier: MIT */
/*
 * The first words of the protocols inside: graphql-transport-ws, Socket.IO
 * (protocol 5), STOMP 1.2 and MQTT 3.1.1, and how each says yes and no. None of
 * them holds a credential; who is refused for that is told so.
 */
#include "doctor/hello.h"

#include <stdio.h>
#include <string.h>

#define KEEP_ALIVE 60 /* seconds, of MQTT: longer than any is watched */

/* ---- what is said ---- */

static size_t put_text(uint8_t *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n);
	return n;
}

static size_t write_graphql(struct bytes host, uint32_t nonce, uint8_t *out)
{
	return put_text(out, "{\"type\":\"connection_init\",\"payload\":{}}");
}

static size_t write_socketio(struct bytes host, uint32_t nonce, uint8_t *out)
{
	return put_text(out, "40");
}

static size_t write_stomp(struct bytes host, uint32_t nonce, uint8_t *out)
{
	int n = snprintf((char *)out, DOCTOR_HELLO_BYTES,
			 "CONNECT\naccept-version:1.0,1.1,1.2\nhost:%.*s\n"
			 "heart-beat:0,0\n\n",
			 (int)bytes_first(host, 255).len, host.data);

	return (size_t)n + 1; /* the NUL ends the frame */
}

/* MQTT 3.1.1 section 3.1: CONNECT with a clean session, and no more. */
static size_t write_connect(const char *protocol, uint8_t level, uint32_t nonce,
			    uint8_t *out)
{
	size_t name = strlen(protocol), at = 2;
	char id[16];
	size_t id_len = (size_t)snprintf(id, sizeof(id), "sesame%08x", nonce);

	out[0] = 0x10;
	out[at++] = 0;
	out[at++] = (uint8_t)name;
	at += put_text(out + at, protocol);
	out[at++] = level;
	out[at++] = 0x02; /* clean session */
	out[at++] = 0;
	out[at++] = KEEP_ALIVE;
	out[at++] = 0;
	out[at++] = (uint8_t)id_len;
	at += put_text(out + at, id);
	out[1] = (uint8_t)(at - 2);
	return at;
}

static size_t write_mqtt(struct bytes host, uint32_t nonce, uint8_t *out)
{
	return write_connect("MQTT", 4, nonce, out);
}

static size_t write_mqtt3(struct bytes host, uint32_t nonce, uint8_t *out)
{
	return write_connect("MQIsdp", 3, nonce, out);
}

#define write_NULL NULL /* a row that is not spoken */

static const struct row {
	const char *subprotocols;
	const char *name;
	size_t (*write)(struct bytes host, uint32_t nonce, uint8_t *out);
} rows[] = {
	[DOCTOR_NO_HELLO] = {"", "", NULL},
#define HELLO(symbol, subprotocols, name, writer) \
	[DOCTOR_HELLO_##symbol] = {subprotocols, name, write_##writer},
#include "doctor/hello.def"
#undef HELLO
};

static bool is_one_of(struct bytes subprotocol, const char *names)
{
	while (*names) {
		size_t n = strcspn(names, " ");
		bool begins = n > 0 && names[n - 1] == '*';
		struct bytes name = bytes_of(names, n - begins);

		if (begins ? bytes_equal_nocase(
				     bytes_first(subprotocol, name.len), name)
			   : bytes_equal_nocase(subprotocol, name))
			return true;
		names += n + strspn(names + n, " ");
	}
	return false;
}

enum doctor_hello doctor_hello_of(struct bytes subprotocol)
{
	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (subprotocol.len > 0 &&
		    is_one_of(subprotocol, rows[i].subprotocols))
			return (enum doctor_hello)i;
	return DOCTOR_NO_HELLO;
}

const char *doctor_hello_name(enum doctor_hello hello)
{
	return rows[hello].name;
}

size_t doctor_hello_write(enum doctor_hello hello, struct bytes host,
			  uint32_t nonce, uint8_t *out, bool *ret_binary)
{
	if (!rows[hello].write)
		return 0;
	*ret_binary = doctor_hello_is_stream(hello);
	return rows[hello].write(host, nonce, out);
}

bool doctor_is_engine_greeting(struct bytes message)
{
	return bytes_starts(message, BYTES("0{")) &&
	       bytes_contains_nocase(message, BYTES("\"sid\"")) &&
	       bytes_contains_nocase(message, BYTES("\"pingInterval\""));
}

/*
 * A program that speaks engine.io alone would take the packet for a message; it
 * seldom hides that it does. Socket.IO is mounted wherever people like.
 */
bool doctor_wants_connect(struct bytes path, struct bytes query)
{
	return !bytes_contains_nocase(path, BYTES("engine.io")) &&
	       bytes_contains_nocase(query, BYTES("EIO=4"));
}

/* ---- what is answered ---- */

bool doctor_hello_is_stream(enum doctor_hello hello)
{
	return hello == DOCTOR_HELLO_MQTT || hello == DOCTOR_HELLO_MQTT3;
}

static bool is_connack(struct bytes m)
{
	return m.len >= 4 && m.data[0] == 0x20 && m.data[1] >= 2;
}

/* "type":"connection_ack", wherever blanks are. */
static bool has_type(struct bytes message, const char *type)
{
	struct bytes quoted = bytes_of_str(type);

	return message.len > 0 && message.data[0] == '{' &&
	       bytes_contains_nocase(message, BYTES("\"type\"")) &&
	       bytes_contains_nocase(message, quoted);
}

bool doctor_hello_welcomes(enum doctor_hello hello, struct bytes message)
{
	if (doctor_hello_is_stream(hello))
		return is_connack(message) && message.data[3] == 0;
	switch (hello) {
	case DOCTOR_HELLO_GRAPHQL:
		return has_type(message, "\"connection_ack\"");
	case DOCTOR_HELLO_SOCKETIO:
		return bytes_starts(message, BYTES("40"));
	case DOCTOR_HELLO_STOMP:
		return bytes_starts(message, BYTES("CONNECTED"));
	default:
		return false;
	}
}

/* MQTT 3.1.1 section 3.2.2.3, and what MQTT 5 has in its place. */
static void read_connack(uint8_t code, char *out, size_t size)
{
	static const struct {
		uint8_t code;
		const char *text;
	} texts[] = {
		{1, "unacceptable protocol version"},
		{2, "identifier rejected"},
		{3, "server unavailable"},
		{4, "bad user name or password"},
		{5, "not authorized"},
		{0x84, "unsupported protocol version"},
		{0x85, "identifier rejected"},
		{0x86, "bad user name or password"},
		{0x87, "not authorized"},
		{0x88, "server unavailable"},
		{0x89, "server busy"},
		{0x8a, "banned"},
		{0x9f, "connection rate exceeded"},
	};
	const char *text = "refused";

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			text = texts[i].text;
	snprintf(out, size, "CONNACK %u: %s", code, text);
}

/* Packets of Socket.IO: 44 is CONNECT_ERROR (or ERROR), 41 DISCONNECT. */
static bool refuses_packet(struct bytes m, char *out, size_t size)
{
	if (m.len > 2 && bytes_starts(m, BYTES("44")) &&
	    strchr("{\"/", m.data[2]))
		return true;
	if (m.len != 2 || !bytes_starts(m, BYTES("41")))
		return false;
	snprintf(out, size, "41: disconnected by the server");
	return true;
}

bool doctor_hello_refuses(enum doctor_hello hello, struct bytes message,
			  char *out, size_t size)
{
	*out = 0;
	if (doctor_hello_is_stream(hello) && is_connack(message) &&
	    message.data[3] != 0) {
		read_connack(message.data[3], out, size);
		return true;
	}
	switch (hello) {
	case DOCTOR_HELLO_GRAPHQL:
		return has_type(message, "\"connection_error\"");
	case DOCTOR_HELLO_SOCKETIO:
		return refuses_packet(message, out, size);
	case DOCTOR_HELLO_STOMP:
		return bytes_starts(message, BYTES("ERROR\n")) ||
		       bytes_starts(message, BYTES("ERROR\r\n"));
	default:
		return false;
	}
}

/* ---- waiting in vain ---- */

/* "Connection initialisation timeout", "handshake timed out". */
static bool names_first_message(const char *reason)
{
	static const char *const firsts[] = {"initiali", "handshake",
					     "connection_init", "CONNECT"};
	struct bytes text = bytes_of_str(reason);

	if (!bytes_contains_nocase(text, BYTES("timeout")) &&
	    !bytes_contains_nocase(text, BYTES("timed out")) &&
	    !bytes_contains_nocase(text, BYTES("in time")))
		return false;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		if (bytes_contains_nocase(text, bytes_of_str(firsts[i])))
			return true;
	return false;
}

bool doctor_waited_for_hello(const struct doctor_probe *p)
{
	if ((p->outcome != DOCTOR_CLOSED_AFTER &&
	     p->outcome != DOCTOR_CUT_AFTER) ||
	    p->hello_said || p->hello_refused)
		return false;
	if ((p->close_code == 4408 && p->hello == DOCTOR_HELLO_GRAPHQL) ||
	    names_first_message(p->close_reason))
		return true;
	/* an own code has a reason of its own, and says it */
	return p->hello_due && p->close_code < 3000 && p->close_code != 1008 &&
	       p->open_ms > 1200;
}
