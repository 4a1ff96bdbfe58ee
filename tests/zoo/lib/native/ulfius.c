// SPDX-License-Identifier: MIT
// ulfius MODE PORT VARIANT: an echo at /websocket by Ulfius, for those with a password.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <ulfius.h>
#include <unistd.h>

static int fixed;

static void stays_open(const struct _u_request *request, struct _websocket_manager *manager,
		       void *user)
{
	(void)request;
	(void)user;
	while (ulfius_websocket_status(manager) == U_WEBSOCKET_STATUS_OPEN)
		usleep(50000);
}

static void on_message(const struct _u_request *request, struct _websocket_manager *manager,
		       const struct _websocket_message *message, void *user)
{
	(void)request;
	(void)user;
	if (message->opcode == U_WEBSOCKET_OPCODE_TEXT)
		ulfius_websocket_send_message(manager, message->opcode, message->data_len,
					      message->data);
}

static int websocket(const struct _u_request *request, struct _u_response *response, void *user)
{
	(void)request;
	(void)user;
	if (ulfius_set_websocket_response(response, NULL, NULL, stays_open, NULL, on_message, NULL,
					  NULL, NULL) != U_OK)
		ulfius_set_string_body_response(response, 500, "error");
	return U_CALLBACK_CONTINUE;
}

static int authenticate(const struct _u_request *request, struct _u_response *response, void *user)
{
	(void)response;
	(void)user;
	if (!fixed && (!request->auth_basic_user || strcmp(request->auth_basic_password, "angel")))
		return U_CALLBACK_UNAUTHORIZED;
	return U_CALLBACK_CONTINUE;
}

int main(int count, char **words)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct _u_instance instance;

	(void)count;
	fixed = !strcmp(words[3], "fixed");
	address.sin_port = htons(atoi(words[2]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ulfius_init_instance(&instance, atoi(words[2]), &address, "ulfius");
	ulfius_add_endpoint_by_val(&instance, "GET", "/websocket", NULL, 0, authenticate, NULL);
	ulfius_add_endpoint_by_val(&instance, "GET", "/websocket", NULL, 1, websocket, NULL);
	ulfius_start_framework(&instance);
	pause();
}
