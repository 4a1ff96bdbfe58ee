/* SPDX-License-Identifier: MIT */
/*
 * Accepting connections: listen, read the handshake's head within limits and
 * time, let the application decide, answer, hand over. An answer other than
 * 101 closes the connection, and what was pipelined behind the request is
 * dropped: behind a proxy that tunnels on intent it would be smuggled in.
 */
#include <sesame/server.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "net/listener.h"
#include "wire/close.h"
#include "wire/utf8.h"
#include "ws/complaint.h"
#include "ws/conn.h"
#include "ws/intake.h"

#define REFUSED_MS	2000 /* for a refused client to read why */
#define MAX_CONNECTIONS 100000
#define ANSWER_BYTES	((size_t)64 * 1024)
/* Over so many that linger, who is refused is cut off: it has a descriptor. */
#define MOST_LINGERING 1000

struct sesame_server {
	struct ses_listener listener;
	struct sesame_loop *loop;
	struct sesame_server_options options;
	const struct sesame_handlers *handlers;
	struct ses_tls_context *tls;
	struct ses_list visitors; /* whose handshake is not done */
	struct ses_list conns;
	size_t n_visitors, n_conns;
	bool is_listening;
};

/* A client before its handshake is done. */
struct visitor {
	struct sesame_server *server;
	struct ses_stream *stream;
	struct ses_addr peer;
	struct ses_timer timer;
	struct ses_list link;
	struct ses_intake intake;
	char *protocols; /* offered, in one list; what an answer may point to */
	char peer_text[SES_ADDR_TEXT]; /* likewise */
	bool came;		       /* some bytes have come */
	bool asking;		       /* on_request is on the stack */
	bool expelled;		       /* the server was closed meanwhile */
	bool awaits_answer;	       /* and says nothing more before it */
};

/* ---- refusing ---- */

static void free_visitor(struct visitor *v)
{
	ses_timers_stop(&v->server->loop->timers, &v->timer);
	ses_list_remove(&v->link);
	v->server->n_visitors--;
	ses_intake_fini(&v->intake);
	free(v->protocols);
	free(v);
}

/* @awaited: nothing is unread, and nothing more comes before the answer. */
static void send_refusal(struct ses_stream *stream, bool awaited, int status,
			 const char *text)
{
	struct ses_buf out, body;

	if (stream->loop->n_lingering >= MOST_LINGERING) {
		ses_stream_close(stream);
		return;
	}
	ses_buf_init(&out, ANSWER_BYTES);
	ses_buf_init(&body, ANSWER_BYTES);
	ses_buf_printf(&body, "%s\n", text);
	if (ses_upgrade_write_answer(status, NULL, 0,
				     BYTES("text/plain; charset=utf-8"),
				     ses_buf_bytes(&body), &out) == 0)
		ses_stream_send(stream, ses_buf_bytes(&out));
	ses_buf_fini(&out);
	ses_buf_fini(&body);
	if (awaited)
		ses_stream_part(stream, REFUSED_MS);
	else
		ses_stream_linger(stream, REFUSED_MS);
}

/* Answer with @status and @text and let go. Frees @v. */
static void refuse(struct visitor *v, int status, const char *text)
{
	if (!text)
		text = ses_status_phrase(status);
	send_refusal(v->stream, v->awaits_answer, status, text);
	free_visitor(v);
}

static void refuse_fault(struct visitor *v, enum ses_fault fault)
{
	const struct ses_fault_row *row = ses_fault_row(fault);

	refuse(v, row->status ? row->status : 400, row->sentence);
}

static void drop(struct visitor *v)
{
	ses_stream_close(v->stream);
	free_visitor(v);
}

/* ---- deciding ---- */

/* "host:port" apart. An IPv6 address keeps its brackets. */
static void split_port(struct bytes text, struct bytes *ret_host,
		       struct bytes *ret_port)
{
	size_t i = text.len;

	while (i > 0 && text.data[i - 1] >= '0' && text.data[i - 1] <= '9')
		i--;
	if (i == 0 || text.data[i - 1] != ':') {
		*ret_host = text;
		*ret_port = BYTES("");
		return;
	}
	*ret_host = bytes_first(text, i - 1);
	*ret_port = bytes_from(text, i);
}

static bool same_port(struct bytes a, struct bytes b, struct bytes standard)
{
	a = a.len ? a : standard;
	b = b.len ? b : standard;
	return bytes_equal(a, b);
}

/*
 * Whether a page from @origin (RFC 6454: scheme "://" host [":" port]) came
 * from the host that the request names. A server with a certificate serves no
 * page over http; one without may stand behind somebody who has it.
 */
static bool is_same_origin(struct bytes origin, struct bytes host, bool own_tls)
{
	static const struct {
		const char *scheme, *port;
	} schemes[] = {{"http://", "80"}, {"https://", "443"}};
	struct bytes origin_host, origin_port, own_host, own_port;

	for (size_t i = own_tls; i < 2; i++) {
		struct bytes scheme = bytes_of_str(schemes[i].scheme);

		if (!bytes_equal_nocase(bytes_first(origin, scheme.len), scheme))
			continue;
		split_port(bytes_from(origin, scheme.len), &origin_host,
			   &origin_port);
		split_port(host, &own_host, &own_port);
		return bytes_equal_nocase(origin_host, own_host) &&
		       same_port(origin_port, own_port,
				 bytes_of_str(schemes[i].port));
	}
	return false; /* "null", or no origin of a web page at all */
}

static void decide_by_origin(const struct sesame_server *server,
			     const struct ses_upgrade_offer *offer,
			     struct sesame_answer *answer)
{
	if (!offer->origin.data ||
	    is_same_origin(offer->origin, offer->host, server->tls))
		return;
	answer->status = 403;
	answer->body = "Forbidden: the Origin of the request is not this "
		       "server's own.";
}

const char *sesame_request_header(const struct sesame_request *request,
				  const char *name)
{
	/* every value was terminated in its place: see terminate() */
	return (const char *)ses_head_get(request->internal, name).data;
}

/*
 * Put a NUL behind each value. Its place is the blank or the line end that
 * follows in the head, which is ours to write to and was parsed already.
 */
static void terminate(const struct ses_head *head)
{
	((uint8_t *)head->target.data)[head->target.len] = '\0';
	for (size_t i = 0; i < head->n_fields; i++) {
		struct bytes value = head->fields[i].value;

		((uint8_t *)value.data)[value.len] = '\0';
	}
}

/* All offered subprotocols in one list, on the heap; NULL: no memory. */
static char *join_protocols(const struct ses_head *head)
{
	struct ses_buf list;
	int error = 0;

	ses_buf_init(&list, SES_INTAKE_BYTES * 2);
	for (size_t i = 0; i < head->n_fields; i++) {
		const struct ses_field *f = &head->fields[i];

		if (!bytes_equal_nocase(f->name,
					BYTES("Sec-WebSocket-Protocol")))
			continue;
		if (ses_buf_len(&list))
			error |= ses_buf_append_str(&list, ", ");
		error |= ses_buf_append(&list, f->value);
	}
	error |= ses_buf_append(&list, bytes_of("", 1));
	if (!error)
		return (char *)list.data; /* from the start: none is consumed */
	ses_buf_fini(&list);
	return NULL;
}

/* The application's answer, or the rule that holds without one. */
static int ask(struct visitor *v, const struct ses_head *head,
	       const struct ses_upgrade_offer *offer,
	       struct sesame_answer *answer)
{
	struct sesame_server *server = v->server;
	struct sesame_request request;

	if (!server->options.on_request) {
		decide_by_origin(server, offer, answer);
		return 0;
	}
	v->protocols = join_protocols(head);
	if (!v->protocols)
		return SESAME_ENOMEM;
	terminate(head);
	request = (struct sesame_request){
		.target = (const char *)head->target.data,
		.host = (const char *)offer->host.data,
		.origin = (const char *)offer->origin.data,
		.protocols = v->protocols,
		.peer = ses_addr_format(&v->peer, v->peer_text),
		.internal = head,
	};
	v->asking = true;
	server->options.on_request(server, server->options.user, &request,
				   answer);
	v->asking = false;
	return 0;
}

/* ---- accepting ---- */

static void on_conn_gone(struct sesame_conn *conn, void *context)
{
	struct sesame_server *server = context;

	server->n_conns--;
}

/*
 * False: there is no memory for the answer. A stream that breaks is not told
 * here: the connection will end by itself.
 */
static bool write_101(struct visitor *v, const struct ses_upgrade_offer *offer,
		      const struct ses_conn_setup *setup)
{
	struct ses_buf out;
	int r;

	ses_buf_init(&out, ANSWER_BYTES);
	r = ses_upgrade_write_response(offer, setup->subprotocol,
				       &setup->deflate, BYTES("sesame"), &out);
	if (r == 0)
		r = ses_stream_send(v->stream, ses_buf_bytes(&out));
	ses_buf_fini(&out);
	return r == 0 || r == SESAME_EAGAIN || r == SESAME_ECLOSED;
}

/* The handshake is won: the stream becomes a connection. Frees @v. */
static void admit(struct visitor *v, struct ses_conn_setup *setup,
		  uint8_t *early, size_t early_len)
{
	struct sesame_server *server = v->server;
	struct ses_stream *stream = v->stream;
	struct ses_addr peer = v->peer;
	struct sesame_conn *conn;

	setup->peer = &peer;
	setup->list = &server->conns;
	setup->on_gone = on_conn_gone;
	setup->context = server;
	server->n_conns++;
	ses_list_remove(&v->link); /* its head is still lent to @setup */
	if (ses_conn_begin(stream, setup, early, early_len, &conn) < 0)
		server->n_conns--;
	free_visitor(v);
}

/* Fill @setup as @answer has it. False: it was refused, @v is gone. */
static bool agree(struct visitor *v, const struct ses_head *head,
		  const struct sesame_answer *answer,
		  struct ses_conn_setup *setup)
{
	struct bytes subprotocol = bytes_of_str(answer->subprotocol);

	if (answer->status && answer->status != 101) {
		bool lawful = answer->status >= 400 && answer->status <= 599;

		refuse(v, lawful ? answer->status : 500, answer->body);
		return false;
	}
	if (subprotocol.len && !ses_upgrade_offers(head, subprotocol)) {
		refuse(v, 500,
		       "The application chose a subprotocol that the request "
		       "does not offer.");
		return false;
	}
	setup->subprotocol = subprotocol;
	setup->user = answer->user ? answer->user : v->server->options.user;
	return true;
}

/* A whole head has come, and @early after it. Frees @v. */
static void receive_visitor(struct visitor *v, const struct ses_head *head,
			    uint8_t *early, size_t early_len)
{
	struct ses_conn_setup setup = {
		.role = SESAME_SERVER,
		.limits = v->server->options.limits,
		.handlers = v->server->handlers,
	};
	struct ses_deflate_policy policy = {
		.enabled = v->server->options.deflate,
		.no_context_takeover = !v->server->options.deflate_takeover,
	};
	enum ses_fault fault = SES_FAULT_HEAD_NOT_HTTP;
	struct ses_upgrade_offer offer;
	struct sesame_answer answer = {0};

	v->awaits_answer = early_len == 0 && ses_upgrade_awaits_answer(head);
	if (ses_upgrade_check_request(head, &offer, &fault) < 0)
		return refuse_fault(v, fault);
	if (ses_deflate_choose(head, &policy, &setup.deflate) < 0)
		return refuse_fault(v, SES_FAULT_REQUEST_EXTENSIONS);
	if (ask(v, head, &offer, &answer) < 0)
		return refuse(v, 503, NULL);
	if (v->expelled)
		return refuse(v, 503, "The server is going away.");
	if (!agree(v, head, &answer, &setup))
		return;
	if (write_101(v, &offer, &setup))
		admit(v, &setup, early, early_len);
	else
		drop(v);
}

static void on_bytes(struct ses_stream *stream, uint8_t *data, size_t len)
{
	struct visitor *v = stream->owner;
	enum ses_fault fault = SES_FAULT_HEAD_TOO_LONG;
	struct ses_head head;
	size_t used;
	int r;

	v->came = true;
	r = ses_intake_feed(&v->intake, data, len, &head, &used, &fault);
	if (r > 0)
		receive_visitor(v, &head, data + used, len - used);
	else if (r == SESAME_ENOMEM)
		drop(v);
	else if (r < 0)
		refuse_fault(v, fault);
}

static void on_end(struct ses_stream *stream, int error)
{
	drop(stream->owner);
}

static const struct ses_stream_events visitor_events = {
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static const struct ses_stream_limits visitor_limits = {
	.queue = ANSWER_BYTES, .queue_high = ANSWER_BYTES};

/* Who sends the head byte by byte is not waited for. */
static void on_timer(struct ses_timer *timer)
{
	struct visitor *v = ses_container_of(timer, struct visitor, timer);

	if (v->came)
		refuse(v, 408, "The request did not come to its end in time.");
	else
		drop(v);
}

static struct visitor *new_visitor(struct sesame_server *server, int fd,
				   const struct ses_addr *peer)
{
	struct visitor *v = calloc(1, sizeof(*v));

	if (!v) {
		close(fd);
		return NULL;
	}
	v->stream = ses_stream_new(server->loop, fd, &visitor_events, v,
				   &visitor_limits);
	if (!v->stream) {
		free(v);
		return NULL;
	}
	v->server = server;
	v->peer = *peer;
	v->timer.fire = on_timer;
	ses_intake_init(&v->intake, true);
	ses_list_init(&v->link);
	ses_list_append(&server->visitors, &v->link);
	server->n_visitors++;
	return v;
}

static bool is_full(const struct sesame_server *server)
{
	return server->n_conns + server->n_visitors >=
	       server->options.max_connections;
}

/* Over the limit: say so without reading; TLS would cost a handshake first. */
static void turn_away(struct sesame_server *server, int fd)
{
	static const struct ses_stream_events none;
	struct ses_stream *stream;

	if (server->tls || server->loop->n_lingering >= MOST_LINGERING) {
		close(fd);
		return;
	}
	stream = ses_stream_new(server->loop, fd, &none, NULL, &visitor_limits);
	if (stream)
		send_refusal(stream, false, 503, "Too many connections.");
}

static void on_accept(struct ses_listener *listener, int fd,
		      const struct ses_addr *peer)
{
	struct sesame_server *server = listener->owner;
	struct visitor *v;
	uint64_t until;

	if (is_full(server)) {
		turn_away(server, fd);
		return;
	}
	v = new_visitor(server, fd, peer);
	if (!v)
		return;
	until = server->loop->now_ms + server->options.limits.handshake_ms;
	if (ses_timers_start(&server->loop->timers, &v->timer, until) < 0 ||
	    (server->tls &&
	     ses_stream_start_tls(v->stream, server->tls, NULL, BYTES("")) < 0))
		drop(v);
}

/* ---- listening ---- */

static int complain_listen(const struct ses_addr *at,
			   const struct ses_complaint *to)
{
	int saved = errno;
	char where[SES_ADDR_TEXT];

	ses_addr_format(at, where);
	switch (saved) {
	case EADDRINUSE:
		ses_complain(
			to, 0,
			"cannot listen at %s: another program listens there "
			"already; stop it or take another port",
			where);
		break;
	case EACCES:
		ses_complain(to, 0,
			     "cannot listen at %s: ports below 1024 need "
			     "permission; take a higher port or grant "
			     "CAP_NET_BIND_SERVICE",
			     where);
		break;
	case EADDRNOTAVAIL:
		ses_complain(to, 0,
			     "cannot listen at %s: this machine does not have "
			     "that address",
			     where);
		break;
	case EMFILE:
	case ENFILE:
		ses_complain(
			to, 0,
			"cannot listen at %s: no file descriptors are left; "
			"raise the limit (ulimit -n)",
			where);
		break;
	default:
		ses_complain(to, 0, "cannot listen at %s: %s", where,
			     strerror(saved));
	}
	errno = saved;
	return SESAME_ESYSTEM;
}

static int make_tls(struct sesame_server *server, const struct ses_complaint *to)
{
	const struct sesame_server_options *o = &server->options;
	struct ses_tls_server_options tls = {
		.cert_file = o->cert_file,
		.key_file = o->key_file,
		.client_ca_file = o->client_ca_file,
		.client_cert_required = o->client_cert_required,
	};
	char why[256] = "";

	if (!o->cert_file &&
	    (o->key_file || o->client_ca_file || o->client_cert_required))
		return ses_complain(
			to, SESAME_EINVAL,
			"options for TLS without cert_file: that would "
			"be a server without TLS");
	if (o->client_cert_required && !o->client_ca_file)
		return ses_complain(
			to, SESAME_EINVAL,
			"client_cert_required without client_ca_file: "
			"nothing says which certificates to take");
	if (!o->cert_file)
		return 0;
	server->tls = ses_tls_server_new(&tls, why, sizeof(why));
	if (server->tls)
		return 0;
	return ses_complain(to, SESAME_ETLS, "%s", why);
}

static int start_listening(struct sesame_server *server,
			   const struct ses_complaint *to)
{
	const char *address = server->options.address;
	struct ses_addr at;

	address = address ? address : "127.0.0.1";
	if (!ses_addr_parse(bytes_of_str(address), server->options.port, &at))
		return ses_complain(to, SESAME_EINVAL,
				    "%s is not an IPv4 or IPv6 address",
				    address);
	if (ses_listener_open(&server->listener, server->loop, &at,
			      server->options.reuse_port) < 0)
		return complain_listen(&at, to);
	server->listener.owner = server;
	server->listener.on_accept = on_accept;
	server->is_listening = true;
	return 0;
}

int sesame_server_new(struct sesame_loop *loop,
		      const struct sesame_server_options *options,
		      const struct sesame_handlers *handlers,
		      struct sesame_server **ret_server, char *text,
		      size_t text_size)
{
	struct ses_complaint to = {text, text_size};
	struct sesame_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return ses_complain(&to, SESAME_ENOMEM, "out of memory");
	ses_complain(&to, 0, "%s", "");
	server->loop = loop;
	server->options = *options;
	server->handlers = handlers;
	ses_list_init(&server->visitors);
	ses_list_init(&server->conns);
	ses_limits_default(&server->options.limits);
	if (!server->options.max_connections)
		server->options.max_connections = MAX_CONNECTIONS;
	r = make_tls(server, &to);
	if (r == 0)
		r = start_listening(server, &to);
	if (r < 0) {
		int saved = errno;

		sesame_server_free(server);
		errno = saved;
		return r;
	}
	*ret_server = server;
	return 0;
}

uint16_t sesame_server_port(const struct sesame_server *server)
{
	return ses_addr_port(&server->listener.at);
}

size_t sesame_server_connections(const struct sesame_server *server)
{
	return server->n_conns;
}

/* ---- closing ---- */

static void stop_listening(struct sesame_server *server)
{
	if (server->is_listening)
		ses_listener_close(&server->listener);
	server->is_listening = false;
}

static void expel_visitors(struct sesame_server *server)
{
	struct ses_list *link, *next;

	for (link = server->visitors.next; link != &server->visitors;
	     link = next) {
		struct visitor *v = ses_container_of(link, struct visitor, link);

		next = link->next;
		if (v->asking)
			v->expelled = true;
		else
			drop(v);
	}
}

/* Who cannot even be told would never leave by himself. */
static void close_or_abort(struct sesame_conn *conn, uint16_t code)
{
	int r = sesame_conn_close(conn, code, NULL);

	if (r < 0 && r != SESAME_ECLOSED)
		sesame_conn_abort(conn);
}

int sesame_server_close(struct sesame_server *server, uint16_t code)
{
	struct ses_list *link;

	if (code && !ses_close_code_valid(code))
		return SESAME_EINVAL;
	stop_listening(server);
	expel_visitors(server);
	for (link = server->conns.next; link != &server->conns;
	     link = link->next)
		close_or_abort(ses_container_of(link, struct sesame_conn, link),
			       code);
	return 0;
}

void sesame_server_free(struct sesame_server *server)
{
	struct ses_list *link;

	if (!server)
		return;
	stop_listening(server);
	expel_visitors(server);
	server->loop->in_calls++;
	while ((link = ses_list_first(&server->conns)))
		ses_conn_abort_now(
			ses_container_of(link, struct sesame_conn, link));
	server->loop->in_calls--;
	if (server->tls)
		ses_tls_context_unref(server->tls);
	free(server);
}

/* ---- one message to many ---- */

size_t
sesame_server_broadcast(struct sesame_server *server, enum sesame_kind kind,
			const void *data, size_t len,
			bool (*wants)(struct sesame_conn *conn, void *user),
			void *user)
{
	struct bytes payload = bytes_of(data, len), frame = payload;
	bool fits = len <= server->options.limits.queue_bytes;
	struct ses_list *link;
	struct ses_buf own;
	size_t n = 0;

	if (kind != SESAME_BINARY &&
	    (kind != SESAME_TEXT || !ses_utf8_valid(payload)))
		return 0;
	ses_buf_init(&own, SIZE_MAX / 2);
	/* of what fits into no queue, nobody looks at more than its length */
	if (fits && ses_session_frame(&own, kind, payload) < 0) {
		ses_buf_fini(&own);
		return 0;
	}
	if (fits)
		frame = ses_buf_bytes(&own);
	server->loop->in_calls++; /* no turn by wants() frees one of the list */
	for (link = server->conns.next; link != &server->conns;
	     link = link->next) {
		struct sesame_conn *conn =
			ses_container_of(link, struct sesame_conn, link);
		int r;

		if (wants && !wants(conn, user))
			continue;
		r = ses_conn_send_frame(conn, frame);
		n += r == 0 || r == SESAME_EAGAIN;
	}
	server->loop->in_calls--;
	ses_buf_fini(&own);
	return n;
}
