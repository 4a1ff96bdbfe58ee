/* SPDX-License-Identifier: MIT */
/* kore.c: a module of kore, whose WebSocket is at /feed. $REASON says what it refuses. */
#include <kore/kore.h>
/* http.h does not ask for all that it needs. */
#include <kore/http.h>
#include <stdlib.h>
#include <string.h>

int page(struct http_request *request);
int feed(struct http_request *request);
void opened(struct connection *connection);
void closed(struct connection *connection);
void echo(struct connection *connection, u_int8_t opcode, void *data, size_t length);

void opened(struct connection *connection)
{
	(void)connection;
}

void closed(struct connection *connection)
{
	(void)connection;
}

void echo(struct connection *connection, u_int8_t opcode, void *data, size_t length)
{
	kore_websocket_send(connection, opcode, data, length);
}

int page(struct http_request *request)
{
	http_response(request, HTTP_STATUS_OK, "farm", 4);
	return KORE_RESULT_OK;
}

/* Does the field have another value than this? If it must be there: or none? */
static int differs(struct http_request *request, const char *name, const char *value, int must)
{
	const char *told;

	if (!http_request_header(request, name, &told))
		return must;
	return strcmp(told, value) != 0;
}

int feed(struct http_request *request)
{
	const char *reason = getenv("REASON");

	if (!strcmp(reason, "origin") &&
	    differs(request, "origin", "https://farm.example", 0))
		http_response(request, HTTP_STATUS_FORBIDDEN, NULL, 0);
	else if (!strcmp(reason, "token") &&
		 differs(request, "authorization", "Bearer k1", 1))
		http_response(request, HTTP_STATUS_UNAUTHORIZED, NULL, 0);
	else
		kore_websocket_handshake(request, "opened", "echo", "closed");
	return KORE_RESULT_OK;
}
