// SPDX-License-Identifier: MIT
// lws MODE PORT VARIANT: an echo of the subprotocol "chart" by libwebsockets; with
// `origin` its filter drops all but one origin.
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1024 };

static int checks_origin;

static int foreign_origin(struct lws *peer)
{
	char origin[256];

	return lws_hdr_copy(peer, origin, sizeof(origin), WSI_TOKEN_ORIGIN) > 0 &&
	       strcmp(origin, "https://app.example");
}

static int chart(struct lws *peer, enum lws_callback_reasons reason, void *user, void *in,
		 size_t length)
{
	unsigned char out[LWS_PRE + LIMIT];

	(void)user;
	if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return checks_origin && foreign_origin(peer) ? -1 : 0;
	if (reason == LWS_CALLBACK_RECEIVE && length <= LIMIT) {
		memcpy(out + LWS_PRE, in, length);
		lws_write(peer, out + LWS_PRE, length, LWS_WRITE_TEXT);
	}
	return 0;
}

int main(int count, char **words)
{
	static const struct lws_protocols protocols[] = {
		{.name = "http-only", .callback = lws_callback_http_dummy},
		{.name = "chart", .callback = chart, .rx_buffer_size = LIMIT},
		{.name = NULL},
	};
	struct lws_context_creation_info info = {.protocols = protocols, .iface = "lo"};
	struct lws_context *context;

	(void)count;
	checks_origin = !strcmp(words[1], "origin") && strcmp(words[3], "fixed");
	info.port = atoi(words[2]);
	lws_set_log_level(0, NULL);
	context = lws_create_context(&info);
	if (!context)
		return 1;
	while (lws_service(context, 0) >= 0)
		;
	return 0;
}
