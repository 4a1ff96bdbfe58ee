/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libwebsockets, as its documents advise: what came is queued
 * for its connection, which is asked to be called when it can be written to,
 *and the queue is emptied there. It is built where libwebsockets is installed.
 *
 *	lws_echo [--cert FILE --key FILE] [--deflate] [--broadcast]
 *	         [--origin ORIGIN]
 */
#include <getopt.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_BYTES (64 * 1024)

struct message {
	unsigned users; /* connections that are to send it */
	size_t len, size;
	enum lws_write_protocol kind;
	unsigned char data[];
};

struct entry {
	struct entry *next;
	struct message *message;
};

struct session {
	struct lws *wsi;
	struct message *coming; /* what came of one so far, or NULL */
	struct entry *first, **last;
	struct session *next; /* of all */
};

static struct session *sessions;
static bool broadcast;
static const char *origin;

/* ---- queues ---- */

static int enqueue(struct session *s, struct message *message)
{
	struct entry *e = malloc(sizeof(*e));

	if (!e)
		return -1;
	*e = (struct entry){NULL, message};
	message->users++;
	*s->last = e;
	s->last = &e->next;
	lws_callback_on_writable(s->wsi);
	return 0;
}

static void dequeue(struct session *s)
{
	struct entry *e = s->first;

	s->first = e->next;
	if (!s->first)
		s->last = &s->first;
	if (--e->message->users == 0)
		free(e->message);
	free(e);
}

/* One callback brings what one read held of a message. */
static int gather(struct session *s, const void *data, size_t len)
{
	size_t rest = lws_remaining_packet_payload(s->wsi);
	struct message *m = s->coming;
	size_t had = m ? m->len : 0;

	if (!m || had + len > m->size) {
		m = realloc(m, sizeof(*m) + LWS_PRE + had + len + rest);
		if (!m)
			return -1;
		if (!s->coming)
			*m = (struct message){.kind = lws_frame_is_binary(s->wsi)
							      ? LWS_WRITE_BINARY
							      : LWS_WRITE_TEXT};
		m->size = had + len + rest;
		s->coming = m;
	}
	memcpy(m->data + LWS_PRE + had, data, len);
	m->len = had + len;
	return rest == 0 && lws_is_final_fragment(s->wsi);
}

/* ---- callbacks ---- */

static int send_to_others(const struct session *s, struct message *m)
{
	int error = 0;

	m->users++;
	for (struct session *other = sessions; other; other = other->next)
		if (other != s && enqueue(other, m) < 0)
			error = -1;
	if (--m->users == 0)
		free(m);
	return error;
}

static int received(struct session *s, const void *data, size_t len)
{
	int whole = gather(s, data, len);
	struct message *m = s->coming;

	if (whole <= 0)
		return whole;
	s->coming = NULL;
	return broadcast ? send_to_others(s, m) : enqueue(s, m);
}

/* As much as leaves without waiting. */
static int writable(struct session *s)
{
	while (s->first) {
		struct message *m = s->first->message;

		if (lws_write(s->wsi, m->data + LWS_PRE, m->len, m->kind) < 0)
			return -1;
		dequeue(s);
		if (s->first && lws_send_pipe_choked(s->wsi)) {
			lws_callback_on_writable(s->wsi);
			break;
		}
	}
	return 0;
}

static void enter(struct session *s, struct lws *wsi)
{
	*s = (struct session){.wsi = wsi, .next = sessions};
	s->last = &s->first;
	sessions = s;
}

static void leave(struct session *s)
{
	struct session **at = &sessions;

	while (s->first)
		dequeue(s);
	free(s->coming);
	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
}

/* Non-zero: it is refused, with 403. */
static int judge(struct lws *wsi)
{
	char text[256] = "";

	if (!origin)
		return 0;
	lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_ORIGIN);
	if (strcmp(text, origin) == 0)
		return 0;
	lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, NULL);
	return 1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
		    void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return judge(wsi);
	case LWS_CALLBACK_ESTABLISHED:
		enter(user, wsi);
		return 0;
	case LWS_CALLBACK_CLOSED:
		leave(user);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return received(user, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return writable(user);
	default:
		return 0;
	}
}

/* ---- the program ---- */

static void read_options(int argc, char **argv,
			 struct lws_context_creation_info *info)
{
	static const struct lws_extension deflate[] = {
		{"permessage-deflate", lws_extension_callback_pm_deflate,
		 "permessage-deflate"},
		{0},
	};
	static const struct option names[] = {
		{"cert", required_argument, NULL, 'c'},
		{"key", required_argument, NULL, 'k'},
		{"deflate", no_argument, NULL, 'd'},
		{"broadcast", no_argument, NULL, 'b'},
		{"origin", required_argument, NULL, 'o'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		switch (c) {
		case 'c':
			info->ssl_cert_filepath = optarg;
			info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
			break;
		case 'k':
			info->ssl_private_key_filepath = optarg;
			break;
		case 'd':
			info->extensions = deflate;
			break;
		case 'b':
			broadcast = true;
			break;
		case 'o':
			origin = optarg;
			break;
		default:
			exit(2);
		}
}

int main(int argc, char **argv)
{
	static const struct lws_protocols protocols[] = {
		{"echo", on_event, sizeof(struct session), RECEIVE_BYTES, 0,
		 NULL, 0},
		{0},
	};
	struct lws_context_creation_info info = {
		.iface = "127.0.0.1",
		.protocols = protocols,
		.pt_serv_buf_size = RECEIVE_BYTES,
		.gid = -1,
		.uid = -1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
	};
	struct lws_context *context;
	struct lws_vhost *vhost;

	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(LLL_ERR, NULL);
	read_options(argc, argv, &info);
	context = lws_create_context(&info);
	vhost = context ? lws_create_vhost(context, &info) : NULL;
	if (!vhost)
		return 1;
	printf("listening at ws://127.0.0.1:%d\n",
	       lws_get_vhost_listen_port(vhost));
	fflush(stdout);
	while (lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return 0;
}
