/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 by nghttp2, and the only place that knows it. What is hard is that the
 * request depends on the answer: whether WebSockets exist there is said in the
 * server's SETTINGS, so those are waited for (RFC 8441 section 3).
 */
#include "doctor/h2.h"

#include <nghttp2/nghttp2.h>

#define HEAD_BYTES  (64 * 1024)
#define DATA_BYTES  (256 * 1024)
#define MAX_FIELDS  (DOCTOR_MAX_HEADERS + 16)
#define ASKED_BYTES (256 * 1024)

/* ---- the request ---- */

struct list {
	nghttp2_nv nv[MAX_FIELDS];
	char name[MAX_FIELDS][128]; /* HTTP/2 wants small letters */
	size_t n;
};

static void add(struct doctor_h2 *h, struct list *l, struct bytes name,
		struct bytes value)
{
	char *small = l->name[l->n];

	if (l->n == MAX_FIELDS || name.len >= sizeof(l->name[0]) || !value.data)
		return;
	for (size_t i = 0; i < name.len; i++)
		small[i] = (char)byte_lower(name.data[i]);
	small[name.len] = 0;
	l->nv[l->n++] = (nghttp2_nv){.name = (uint8_t *)small,
				     .value = (uint8_t *)value.data,
				     .namelen = name.len,
				     .valuelen = value.len};
	ses_buf_printf(&h->asked, "%s: %.*s\r\n", small, BYTES_ARG(value));
}

/* Fields of the connection, which HTTP/2 does not have (RFC 9113 8.2.2). */
static bool is_of_connection(struct bytes name)
{
	static const char *const names[] = {
		"Connection",	   "Upgrade", "Host",
		"Keep-Alive",	   "TE",      "Transfer-Encoding",
		"Proxy-Connection"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(names[i])))
			return true;
	return false;
}

static void list_fields(struct doctor_h2 *h, struct list *l)
{
	const struct ses_upgrade_request *u = &h->request->upgrade;

	if (h->offers) {
		add(h, l, BYTES(":method"), BYTES("CONNECT"));
		add(h, l, BYTES(":protocol"), BYTES("websocket"));
	} else {
		add(h, l, BYTES(":method"), BYTES("GET"));
	}
	add(h, l, BYTES(":scheme"),
	    h->request->url.tls ? BYTES("https") : BYTES("http"));
	add(h, l, BYTES(":authority"), u->host);
	add(h, l, BYTES(":path"), u->target);
	add(h, l, BYTES("user-agent"), u->user_agent);
	add(h, l, BYTES("origin"), u->origin);
	for (size_t i = 0; i < u->n_extra; i++)
		if (!is_of_connection(u->extra[i].name))
			add(h, l, u->extra[i].name, u->extra[i].value);
	if (!h->offers)
		return;
	add(h, l, BYTES("sec-websocket-version"), BYTES("13"));
	if (u->protocols.len)
		add(h, l, BYTES("sec-websocket-protocol"), u->protocols);
}

/* What is to be sent on the stream: nothing yet, or frames of WebSocket. */
static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *buf,
		       size_t len, uint32_t *flags, nghttp2_data_source *source,
		       void *user)
{
	struct doctor_h2 *h = user;
	struct bytes next = bytes_first(ses_buf_bytes(&h->out), len);

	if (next.len == 0)
		return NGHTTP2_ERR_DEFERRED;
	memcpy(buf, next.data, next.len);
	ses_buf_consume(&h->out, next.len);
	return (ssize_t)next.len;
}

static void ask(struct doctor_h2 *h)
{
	nghttp2_data_provider provider = {.read_callback = on_read};
	struct list list = {.n = 0};

	list_fields(h, &list);
	h->stream = nghttp2_submit_request(h->session, NULL, list.nv, list.n,
					   h->offers ? &provider : NULL, NULL);
	if (h->stream < 0) {
		h->ended = true;
		h->stream = 0;
	}
}

/* ---- the answer ---- */

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame,
		    void *user)
{
	struct doctor_h2 *h = user;

	if (!h->has_head)
		ses_buf_consume(&h->head, ses_buf_len(&h->head));
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *user)
{
	struct doctor_h2 *h = user;
	struct bytes key = bytes_of(name, name_len);
	struct bytes text = bytes_of(value, value_len);
	uint64_t status;

	if (h->has_head) /* trailers */
		return 0;
	if (!bytes_equal_str(key, ":status"))
		return ses_buf_printf(&h->head, "%.*s: %.*s\r\n",
				      BYTES_ARG(key), BYTES_ARG(text)) < 0
			       ? NGHTTP2_ERR_CALLBACK_FAILURE
			       : 0;
	h->status = bytes_to_u64(text, 999, &status) ? (int)status : 0;
	return ses_buf_printf(&h->head, "HTTP/1.1 %d %s\r\n", h->status,
			      ses_status_phrase(h->status)) < 0
		       ? NGHTTP2_ERR_CALLBACK_FAILURE
		       : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame,
		    void *user)
{
	struct doctor_h2 *h = user;

	if (frame->hd.type == NGHTTP2_SETTINGS &&
	    !(frame->hd.flags & NGHTTP2_FLAG_ACK) && !h->spoken) {
		h->spoken = true;
		h->offers =
			nghttp2_session_get_remote_settings(
				session,
				NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
		ask(h);
	}
	if (frame->hd.type == NGHTTP2_GOAWAY && !h->has_head)
		h->ended = true;
	if (!h->stream || frame->hd.stream_id != h->stream)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && h->status >= 200)
		h->has_head = true;
	if ((frame->hd.type == NGHTTP2_HEADERS ||
	     frame->hd.type == NGHTTP2_DATA) &&
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		h->ended = true;
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream,
		   const uint8_t *data, size_t len, void *user)
{
	struct doctor_h2 *h = user;

	/* more than is kept of a body needs not be kept here either */
	ses_buf_append(&h->data, bytes_of(data, len));
	return 0;
}

static int on_stream_end(nghttp2_session *session, int32_t stream,
			 uint32_t error, void *user)
{
	struct doctor_h2 *h = user;

	if (stream == h->stream)
		h->ended = true;
	return 0;
}

/* ---- the session ---- */

static nghttp2_session *new_session(struct doctor_h2 *h)
{
	nghttp2_session_callbacks *calls;
	nghttp2_session *session = NULL;

	if (nghttp2_session_callbacks_new(&calls) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls,
								  on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls,
							       on_stream_end);
	if (nghttp2_session_client_new(&session, calls, h) != 0)
		session = NULL;
	nghttp2_session_callbacks_del(calls);
	return session;
}

int doctor_h2_init(struct doctor_h2 *h, const struct doctor_request *request)
{
	nghttp2_settings_entry no_push = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};

	*h = (struct doctor_h2){.request = request};
	ses_buf_init(&h->head, HEAD_BYTES);
	ses_buf_init(&h->data, DATA_BYTES);
	ses_buf_init(&h->asked, ASKED_BYTES);
	ses_buf_init(&h->out, DATA_BYTES);
	h->session = new_session(h);
	if (!h->session || nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE,
						   &no_push, 1) != 0)
		return SESAME_ENOMEM;
	return 0;
}

void doctor_h2_fini(struct doctor_h2 *h)
{
	nghttp2_session_del(h->session);
	ses_buf_fini(&h->head);
	ses_buf_fini(&h->data);
	ses_buf_fini(&h->asked);
	ses_buf_fini(&h->out);
}

int doctor_h2_feed(struct doctor_h2 *h, struct bytes in)
{
	if (nghttp2_session_mem_recv(h->session, in.data, in.len) < 0)
		return SESAME_EPROTO;
	return 0;
}

int doctor_h2_send(struct doctor_h2 *h, struct bytes data)
{
	int r = ses_buf_append(&h->out, data);

	if (r == 0 && h->stream)
		nghttp2_session_resume_data(h->session, h->stream);
	return r;
}

struct bytes doctor_h2_output(struct doctor_h2 *h)
{
	const uint8_t *data;
	ssize_t n = nghttp2_session_mem_send(h->session, &data);

	return bytes_of(n > 0 ? data : NULL, n > 0 ? (size_t)n : 0);
}
