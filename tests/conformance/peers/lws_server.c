/* SPDX-License-Identifier: MIT */
/*
 * libwebsockets as a server that echoes; says where it listens. The library
 * hands messages over in parts, so they are gathered and then sent whole.
 */
#include <libwebsockets.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)64 << 20)

struct message {
	struct message *next;
	size_t len, room;
	int binary;
	unsigned char *data; /* LWS_PRE bytes before the payload */
};

struct talk {
	struct message *coming, *first, **last;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = 1;
}

static int gather(struct lws *wsi, struct talk *talk, const void *in, size_t len)
{
	struct message *m = talk->coming;

	if (!m) {
		m = talk->coming = calloc(1, sizeof(*m));
		m->binary = lws_frame_is_binary(wsi);
	}
	if (len > MOST - m->len) {
		lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL,
				 0);
		return -1;
	}
	if (m->len + len > m->room || !m->data) {
		m->room = 2 * (m->len + len) + 64;
		m->data = realloc(m->data, LWS_PRE + m->room);
	}
	memcpy(m->data + LWS_PRE + m->len, in, len);
	m->len += len;
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
		return 0;
	*talk->last = m;
	talk->last = &m->next;
	talk->coming = NULL;
	lws_callback_on_writable(wsi);
	return 0;
}

static void drop_first(struct talk *talk)
{
	struct message *m = talk->first;

	talk->first = m->next;
	if (!talk->first)
		talk->last = &talk->first;
	free(m->data);
	free(m);
}

static int send_first(struct lws *wsi, struct talk *talk)
{
	struct message *m = talk->first;

	if (!m)
		return 0;
	if (lws_write(wsi, m->data + LWS_PRE, m->len,
		      m->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0)
		return -1;
	drop_first(talk);
	if (talk->first)
		lws_callback_on_writable(wsi);
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
		    void *user, void *in, size_t len)
{
	struct talk *talk = user;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		memset(talk, 0, sizeof(*talk));
		talk->last = &talk->first;
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return gather(wsi, talk, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return send_first(wsi, talk);
	case LWS_CALLBACK_CLOSED:
		while (talk->first)
			drop_first(talk);
		if (talk->coming)
			free(talk->coming->data);
		free(talk->coming);
		return 0;
	default:
		return 0;
	}
}

int main(void)
{
	static const struct lws_protocols protocols[] = {
		{"echo", on_event, sizeof(struct talk), 65536, 0, NULL, 0},
		{0},
	};
	static const struct lws_extension extensions[] = {
		{"permessage-deflate", lws_extension_callback_pm_deflate,
		 "permessage-deflate"},
		{0},
	};
	struct lws_context_creation_info info = {
		.iface = "127.0.0.1",
		.port = 0,
		.protocols = protocols,
		.extensions = extensions,
		.options = LWS_SERVER_OPTION_VALIDATE_UTF8,
	};
	struct lws_context *context;
	struct lws_vhost *vhost;

	lws_set_log_level(0, NULL);
	signal(SIGTERM, on_signal);
	info.options |= LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	context = lws_create_context(&info);
	vhost = context ? lws_create_vhost(context, &info) : NULL;
	if (!vhost)
		return 1;
	printf("listening at ws://127.0.0.1:%d\n",
	       lws_get_vhost_listen_port(vhost));
	fflush(stdout);
	while (!stopped && lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
