// SPDX-License-Identifier: MIT
// civetweb MODE PORT VARIANT: an echo at /websocket by CivetWeb; `acl` for another
// network, `session` for those with ?sid=, `protocol` for the subprotocol bin.v1.
#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *mode;
static int fixed;

static int is(const char *name)
{
	return !strcmp(mode, name);
}

// What is not 0 ends the connection.
static int on_connect(const struct mg_connection *peer, void *unused)
{
	const char *query = mg_get_request_info(peer)->query_string;

	(void)unused;
	return is("session") && !fixed && !(query && strstr(query, "sid="));
}

static void on_ready(struct mg_connection *peer, void *unused)
{
	(void)peer, (void)unused;
}

static int on_data(struct mg_connection *peer, int bits, char *data, size_t length, void *unused)
{
	(void)unused;
	if ((bits & 15) == MG_WEBSOCKET_OPCODE_TEXT)
		mg_websocket_write(peer, MG_WEBSOCKET_OPCODE_TEXT, data, length);
	return 1;
}

static void on_close(const struct mg_connection *peer, void *unused)
{
	(void)peer, (void)unused;
}

static int show_page(struct mg_connection *peer, void *unused)
{
	static const char page[] = "<h1>panel</h1>";

	(void)unused;
	mg_printf(peer,
		  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n"
		  "Connection: close\r\n\r\n%s",
		  strlen(page), page);
	return 200;
}

int main(int count, char **words)
{
	static const char *names[] = {"bin.v1"};
	static struct mg_websocket_subprotocols subprotocols = {1, names};
	char at[64];
	const char *options[] = {"listening_ports", at, "num_threads", "4", NULL, NULL, NULL};
	struct mg_context *server;

	(void)count;
	mode = words[1];
	fixed = !strcmp(words[3], "fixed");
	snprintf(at, sizeof(at), "127.0.0.1:%s", words[2]);
	if (is("acl") && !fixed) {
		options[4] = "access_control_list";
		options[5] = "-0.0.0.0/0,+10.0.0.0/8";
	}
	mg_init_library(0);
	server = mg_start(NULL, NULL, options);
	if (!server)
		return 1;
	mg_set_websocket_handler_with_subprotocols(server, "/websocket",
						   is("protocol") ? &subprotocols : NULL,
						   on_connect, on_ready, on_data, on_close, NULL);
	mg_set_request_handler(server, "/", show_page, NULL);
	for (;;)
		pause();
}
