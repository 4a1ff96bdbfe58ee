/* SPDX-License-Identifier: MIT */
/*
 * Dialling against servers and proxies of the test's own, which follow a
 * script: each time something comes, the next line is said.
 */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/certificates.h"
#include "net/listener.h"
#include "net/open_files.h"

#define MOST_GUESTS 8

struct guest {
	struct ses_stream *stream;
	size_t at; /* in the script */
};

static struct sesame_loop *loop;
static struct ses_listener door;
static bool door_is_open;
static struct guest guests[MOST_GUESTS];
static size_t n_guests;
static const struct bytes *script; /* ends with data NULL */
static bool closes_at_end;
static struct ses_buf heard; /* what all guests said */
static struct ses_tls_context *server_tls;

static struct {
	unsigned calls;
	int error;
	struct ses_stream *stream;
	struct ses_dial_report report;
	struct ses_buf got;
	bool refuse; /* do not take the stream */
} result;

/* ---- the other side ---- */

static void on_guest_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct guest *g = s->owner;

	ses_buf_append(&heard, bytes_of(data, len));
	if (!script || !script[g->at].data)
		return;
	ses_stream_send(s, script[g->at++]);
	if (!script[g->at].data && closes_at_end)
		ses_stream_shutdown(s);
}

static void on_guest_end(struct ses_stream *s, int error)
{
	struct guest *g = s->owner;

	ses_stream_close(s);
	g->stream = NULL;
}

static const struct ses_stream_events guest_events = {
	.on_bytes = on_guest_bytes, .on_end = on_guest_end};

static void on_accept(struct ses_listener *l, int fd,
		      const struct ses_addr *from)
{
	static const struct ses_stream_limits limits = {.queue = 1 << 20,
							.queue_high = 1 << 20};
	struct guest *g = &guests[n_guests++];

	assert_true(n_guests <= MOST_GUESTS);
	g->at = 0;
	g->stream = ses_stream_new(loop, fd, &guest_events, g, &limits);
	if (server_tls)
		ses_stream_start_tls(g->stream, server_tls, NULL,
				     bytes_of(NULL, 0));
}

/* ---- our side ---- */

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	ses_buf_append(&result.got, bytes_of(data, len));
}

static const struct ses_stream_events our_events = {.on_bytes = on_bytes};

static void on_done(void *user, struct ses_stream *stream,
		    const struct ses_dial_report *report, int error)
{
	assert_ptr_equal(user, &result);
	result.calls++;
	result.error = error;
	result.report = *report;
	assert_int_equal(stream == NULL, error != 0);
	if (!stream || result.refuse)
		return;
	result.stream = stream;
	ses_stream_take(stream, &our_events, NULL);
}

static uint16_t open_door(const char *address)
{
	struct ses_addr at;

	assert_true(ses_addr_parse(bytes_of_str(address), 0, &at));
	assert_int_equal(ses_listener_open(&door, loop, &at, false), 0);
	door.on_accept = on_accept;
	door_is_open = true;
	return ses_addr_port(&door.at);
}

/* A port that was free a moment ago. */
static uint16_t closed_port(void)
{
	uint16_t port = open_door("127.0.0.1");

	ses_listener_close(&door);
	door_is_open = false;
	return port;
}

static void begin(void)
{
	loop = sesame_loop_new();
	memset(&result, 0, sizeof(result));
	memset(guests, 0, sizeof(guests));
	n_guests = 0;
	script = NULL;
	closes_at_end = false;
	ses_buf_init(&heard, 1 << 20);
	ses_buf_init(&result.got, 1 << 20);
}

static void finish(void)
{
	ses_stream_close(result.stream);
	for (size_t i = 0; i < n_guests; i++)
		ses_stream_close(guests[i].stream);
	if (door_is_open)
		ses_listener_close(&door);
	door_is_open = false;
	assert_int_equal(loop->n_watched, 0);
	assert_int_equal(loop->timers.n, 0);
	sesame_loop_free(loop);
	ses_buf_fini(&heard);
	ses_buf_fini(&result.got);
	ses_tls_context_unref(server_tls);
	server_tls = NULL;
}

static struct ses_dial *dial(const struct ses_dial_options *options)
{
	struct ses_dial *d = ses_dial_start(loop, options, on_done, &result);

	assert_non_null(d);
	assert_int_equal(result.calls, 0);
	return d;
}

static void run(const struct ses_dial_options *options)
{
	dial(options);
	while (!result.calls)
		assert_int_equal(sesame_loop_turn(loop, 5000), 0);
	assert_int_equal(result.calls, 1);
}

static void turn(unsigned times)
{
	while (times-- > 0)
		sesame_loop_turn(loop, 0);
}

static void assert_step(size_t i, enum ses_dial_kind kind, int error,
			const char *what, const char *says)
{
	const struct ses_dial_step *step = &result.report.step[i];

	assert_true(i < result.report.n_steps);
	assert_int_equal(step->kind, kind);
	assert_int_equal(step->error, error);
	assert_non_null(strstr(step->what, what));
	assert_non_null(strstr(step->text, says));
	if (i > 0)
		assert_true(step->start_us >=
			    step[-1].start_us + step[-1].took_us);
}

static const char *proxy_url(const char *scheme, const char *user, uint16_t port)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s://%s127.0.0.1:%u", scheme, user, port);
	return text;
}

static bool was_heard(const char *text)
{
	struct bytes all = ses_buf_bytes(&heard);

	return all.len && memmem(all.data, all.len, text, strlen(text));
}

/* ---- straight ---- */

TEST("an address that answers gives a stream and one step")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("127.0.0.1"),
				       .port = open_door("127.0.0.1")});
	assert_int_equal(result.error, 0);
	assert_int_equal(result.report.n_steps, 1);
	assert_step(0, SES_DIAL_CONNECT, 0, "127.0.0.1:", "connected");
	assert_int_equal(ses_addr_port(&result.report.peer),
			 ses_addr_port(&door.at));
	ses_stream_send(result.stream, BYTES("hello"));
	turn(3);
	assert_true(was_heard("hello"));
	finish();
}

TEST("a stream that nobody takes is closed")
{
	size_t before = open_files();

	begin();
	result.refuse = true;
	run(&(struct ses_dial_options){.host = BYTES("127.0.0.1"),
				       .port = open_door("127.0.0.1")});
	turn(4);
	finish();
	assert_int_equal(open_files(), before);
}

TEST("a closed port is a refusal, told with errno and in words")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("127.0.0.1"),
				       .port = closed_port()});
	assert_int_equal(result.error, SESAME_ECONNECT);
	assert_step(0, SES_DIAL_CONNECT, SESAME_ECONNECT, "127.0.0.1",
		    "connection refused");
	assert_int_equal(result.report.step[0].sys_errno, ECONNREFUSED);
	assert_int_equal(result.report.peer.len, 0);
	finish();
}

TEST("localhost is both families: a refusal of one leads to the other")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("localhost"),
				       .port = open_door("127.0.0.1")});
	assert_int_equal(result.error, 0);
	assert_int_equal(result.report.n_addresses, 2);
	assert_int_equal(result.report.n_steps, 3);
	assert_step(0, SES_DIAL_NAMES, 0, "localhost", "2 addresses");
	assert_int_equal(result.report.step[1].error, SESAME_ECONNECT);
	assert_step(2, SES_DIAL_CONNECT, 0, "127.0.0.1", "connected");
	finish();
}

TEST("one family insisted on is the only one tried")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("localhost"),
				       .port = open_door("127.0.0.1"),
				       .family = 6});
	assert_int_equal(result.error, SESAME_ECONNECT);
	assert_int_equal(result.report.n_addresses, 1);
	finish();

	begin();
	run(&(struct ses_dial_options){
		.host = BYTES("127.0.0.1"), .port = 1, .family = 6});
	assert_int_equal(result.error, SESAME_ENAME);
	finish();
}

TEST("another host can be connected to than the one asked for")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("door.example"),
				       .port = 443,
				       .connect_host = "127.0.0.1",
				       .connect_port = open_door("127.0.0.1")});
	assert_int_equal(result.error, 0);
	finish();
}

TEST("the source address is bound; addresses of another family are skipped")
{
	struct ses_addr from;
	uint16_t port;

	begin();
	port = open_door("127.0.0.1");
	run(&(struct ses_dial_options){.host = BYTES("localhost"),
				       .port = port,
				       .source = "127.0.0.2"});
	assert_int_equal(result.error, 0);
	assert_int_equal(result.report.n_steps, 2);
	ses_addr_of_socket(result.stream->io.fd, false, &from);
	assert_int_equal(ntohl(from.v4.sin_addr.s_addr), 0x7f000002);
	finish();

	begin();
	run(&(struct ses_dial_options){
		.host = BYTES("127.0.0.1"), .port = 1, .source = "::1"});
	assert_int_equal(result.error, SESAME_ECONNECT);
	assert_step(0, SES_DIAL_CONNECT, SESAME_ECONNECT, "127.0.0.1",
		    "another family");
	finish();

	begin();
	run(&(struct ses_dial_options){
		.host = BYTES("127.0.0.1"), .port = 1, .source = "eth0"});
	assert_int_equal(result.error, SESAME_ECONNECT);
	finish();
}

TEST("a name that does not exist is told as such")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("no-such-name.invalid"),
				       .port = 1,
				       .timeout_ms = 3000});
	/* without a name server the time may run out first */
	if (result.error != SESAME_ETIMEOUT)
		assert_int_equal(result.error, SESAME_ENAME);
	assert_int_equal(result.report.step[0].kind, SES_DIAL_NAMES);
	assert_int_equal(result.report.n_steps, 1);
	finish();
}

/* A port whose queue is full: the system does not answer to more. */
static int full_port(const char *address, uint16_t port, int *fillers)
{
	struct ses_addr at;
	int fd;

	assert_true(ses_addr_parse(bytes_of_str(address), port, &at));
	fd = ses_listen(&at, false, 0);
	if (fd < 0)
		return -1;
	ses_addr_of_socket(fd, false, &at);
	for (int i = 0; i < 2; i++) {
		fillers[i] = socket(at.any.sa_family,
				    SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], &at.any, at.len);
	}
	return fd;
}

TEST("an address without an answer is left for the next one in time")
{
	int fillers[2], fd;
	uint16_t port;

	begin();
	port = open_door("127.0.0.1");
	fd = full_port("::1", port, fillers);
	if (fd < 0) {
		finish();
		skip();
	}
	run(&(struct ses_dial_options){
		.host = BYTES("localhost"), .port = port, .connect_ms = 50});
	assert_int_equal(result.error, 0);
	assert_step(1, SES_DIAL_CONNECT, SESAME_ETIMEOUT, "[::1]",
		    "no answer within 0.1 s");
	assert_step(2, SES_DIAL_CONNECT, 0, "127.0.0.1", "connected");
	close(fd);
	close(fillers[0]);
	close(fillers[1]);
	finish();
}

TEST("the whole time ends a dial wherever it is")
{
	struct ses_addr at;
	int fillers[2], fd;

	begin();
	fd = full_port("127.0.0.1", 0, fillers);
	ses_addr_of_socket(fd, false, &at);
	run(&(struct ses_dial_options){.host = BYTES("127.0.0.1"),
				       .port = ses_addr_port(&at),
				       .timeout_ms = 60});
	assert_int_equal(result.error, SESAME_ETIMEOUT);
	assert_step(0, SES_DIAL_CONNECT, SESAME_ETIMEOUT, "127.0.0.1",
		    "no answer within");
	close(fd);
	close(fillers[0]);
	close(fillers[1]);
	finish();
}

/* ---- proxies ---- */

TEST("CONNECT: asked with host, agent and credentials, then a tunnel")
{
	static const struct bytes lines[] = {
		BYTES("HTTP/1.1 200 Connection established\r\n"
		      "Via: test\r\n\r\nfirst words"),
		{NULL, 0}};

	begin();
	script = lines;
	run(&(struct ses_dial_options){
		.host = BYTES("door.example"),
		.port = 8443,
		.proxy = proxy_url("http", "ann:a%3ab@", open_door("127.0.0.1")),
		.user_agent = "sesame/test"});
	assert_int_equal(result.error, 0);
	assert_int_equal(result.report.proxy_status, 200);
	assert_step(1, SES_DIAL_PROXY, 0,
		    "http://127.0.0.1:", "the proxy answered 200");
	assert_null(strstr(result.report.step[1].what, "ann"));
	assert_true(was_heard("CONNECT door.example:8443 HTTP/1.1\r\n"
			      "Host: door.example:8443\r\n"
			      "User-Agent: sesame/test\r\n"
			      "Proxy-Authorization: Basic YW5uOmE6Yg==\r\n"
			      "\r\n"));
	turn(2);
	assert_int_equal(ses_buf_len(&result.got), 11);
	assert_memory_equal(result.got.data, "first words", 11);
	finish();
}

TEST("what a proxy says before its answer is passed over")
{
	static const struct bytes lines[] = {
		BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 "
		      "Early\r\nLink: x\r\n\r\n"
		      "HTTP/1.1 200 Ok\r\n\r\nfirst"),
		{NULL, 0}};

	begin();
	script = lines;
	run(&(struct ses_dial_options){
		.host = BYTES("door.example"),
		.port = 8443,
		.proxy = proxy_url("http", "", open_door("127.0.0.1"))});
	assert_int_equal(result.error, 0);
	assert_int_equal(result.report.proxy_status, 200);
	turn(2);
	assert_int_equal(ses_buf_len(&result.got), 5);
	finish();
}

TEST("a proxy's refusal is kept: status, head and the body's beginning")
{
	static const struct {
		struct bytes answer;
		bool closes;
		int status;
		const char *text, *body;
	} rows[] = {
		{BYTES("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n"
		       "rule"),
		 false, 403, "the proxy answered 403 Forbidden", "rule"},
		{BYTES("HTTP/1.1 407 Proxy Authentication Required\r\n"
		       "Proxy-Authenticate: Basic realm=\"x\"\r\n\r\nwho"),
		 true, 407, "answered 407 Proxy Auth", "who"},
		{BYTES("HTTP/1.1 503 \r\n\r\nno time to close"), false, 503,
		 "answered 503", "no time to close"},
		{BYTES("HTTP/1.0 302 Found\nLocation: http://login/\n\n"), true,
		 302, "answered 302 Found", ""},
		{BYTES("SSH-2.0-OpenSSH\r\n"), true, 0,
		 "does not answer in HTTP", ""},
		{BYTES(""), true, 0, "closed the connection", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes lines[] = {rows[i].answer, {NULL, 0}};
		uint64_t began;

		begin();
		began = sesame_loop_now_ms(loop);
		script = lines;
		closes_at_end = rows[i].closes;
		run(&(struct ses_dial_options){
			.host = BYTES("door.example"),
			.port = 443,
			.proxy = proxy_url("http", "", open_door("127.0.0.1"))});
		assert_int_equal(result.error, SESAME_EPROXY);
		assert_int_equal(result.report.proxy_status, rows[i].status);
		/* the body is waited for, but not for the whole time */
		assert_true(sesame_loop_now_ms(loop) - began < 5000);
		assert_step(1, SES_DIAL_PROXY, SESAME_EPROXY, "http://",
			    rows[i].text);
		assert_int_equal(result.report.proxy_body_len,
				 strlen(rows[i].body));
		assert_memory_equal(result.report.proxy_body, rows[i].body,
				    strlen(rows[i].body));
		if (rows[i].status)
			assert_memory_equal(result.report.proxy_head, "HTTP/1.",
					    7);
		finish();
	}
}

TEST("SOCKS 5: greeting, password, request; what comes after is the tunnel's")
{
	static const struct bytes plain[] = {
		BYTES("\5\0"), BYTES("\5\0\0\1\0\0\0\0\0\0hi"), {NULL, 0}};
	static const struct bytes with_user[] = {BYTES("\5\2"),
						 BYTES("\1\0"),
						 BYTES("\5\0\0\3\2ab\0\0hi"),
						 {NULL, 0}};

	for (int user = 0; user < 2; user++) {
		begin();
		script = user ? with_user : plain;
		run(&(struct ses_dial_options){
			.host = BYTES("door.example"),
			.port = 443,
			.proxy = proxy_url(user ? "socks5h" : "socks5",
					   user ? "ann:secret@" : "",
					   open_door("127.0.0.1"))});
		assert_int_equal(result.error, 0);
		assert_int_equal(result.report.proxy_status, 0);
		assert_step(1, SES_DIAL_PROXY, 0,
			    "socks5://127.0.0.1:", "connected");
		assert_true(was_heard("\x0c"
				      "door.example\x01\xbb"));
		assert_int_equal(was_heard("\x01\x03"
					   "ann\x06secret"),
				 user);
		turn(2);
		assert_int_equal(ses_buf_len(&result.got), 2);
		assert_memory_equal(result.got.data, "hi", 2);
		finish();
	}
}

TEST("SOCKS 5 refusals are told in words")
{
	static const struct {
		const char *user;
		struct bytes lines[4];
		bool closes;
		const char *text;
	} rows[] = {
		{"", {BYTES("\5\xff")}, false, "none of the ways to log in"},
		{"", {BYTES("\5\2")}, false, "wants a user name"},
		{"a:b@",
		 {BYTES("\5\2"), BYTES("\1\1")},
		 true,
		 "refused user name and password"},
		{"",
		 {BYTES("\5\0"), BYTES("\5\5\0\1\0\0\0\0\0\0")},
		 true,
		 "was refused the connection"},
		{"",
		 {BYTES("\5\0"), BYTES("\5\2\0\1\0\0\0\0\0\0")},
		 false,
		 "not allowed by the proxy's rules"},
		{"", {BYTES("\5\0"), BYTES("\5\4")}, true, "host unreachable"},
		{"",
		 {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
		 true,
		 "does not speak SOCKS 5"},
		{"", {BYTES("\5\0"), BYTES("")}, true, "closed the connection"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		script = rows[i].lines;
		closes_at_end = rows[i].closes;
		run(&(struct ses_dial_options){
			.host = BYTES("door.example"),
			.port = 443,
			.proxy = proxy_url("socks5", rows[i].user,
					   open_door("127.0.0.1"))});
		assert_int_equal(result.error, SESAME_EPROXY);
		assert_step(1, SES_DIAL_PROXY, SESAME_EPROXY, "socks5://",
			    rows[i].text);
		finish();
	}
}

TEST("a proxy that is none, or not there, ends the dial with its name")
{
	begin();
	run(&(struct ses_dial_options){.host = BYTES("door.example"),
				       .port = 443,
				       .proxy = "ftp://127.0.0.1"});
	assert_int_equal(result.error, SESAME_EPROXY);
	assert_step(0, SES_DIAL_PROXY, SESAME_EPROXY, "", "https:// or socks5");
	finish();

	begin();
	run(&(struct ses_dial_options){
		.host = BYTES("door.example"),
		.port = 443,
		.proxy = proxy_url("http", "", closed_port())});
	assert_int_equal(result.error, SESAME_ECONNECT);
	assert_step(0, SES_DIAL_CONNECT, SESAME_ECONNECT,
		    "127.0.0.1:", "refused");
	finish();
}

TEST("a mute proxy costs the whole time and no more")
{
	begin();
	run(&(struct ses_dial_options){
		.host = BYTES("door.example"),
		.port = 443,
		.timeout_ms = 80,
		.proxy = proxy_url("http", "", open_door("127.0.0.1"))});
	assert_int_equal(result.error, SESAME_ETIMEOUT);
	assert_step(1, SES_DIAL_PROXY, SESAME_ETIMEOUT, "http://",
		    "no answer within");
	finish();
}

/* ---- TLS ---- */

static char cert_path[] = "/tmp/sesame-dial-XXXXXX";

static void remove_certificate(void)
{
	unlink(cert_path);
}

static void make_certificate(void)
{
	static bool made;
	struct certificate c;

	if (made)
		return;
	made = true;
	close(mkstemp(cert_path));
	atexit(remove_certificate);
	c = certificate_new("door.example", "DNS:door.example", NULL, -1, 2);
	certificate_write(&c, cert_path);
	certificate_free(&c);
}

static struct ses_tls_context *client_context(bool trusts)
{
	char text[200];
	struct ses_tls_context *ctx = ses_tls_client_new(
		&(struct ses_tls_client_options){.ca_file = trusts ? cert_path
								   : NULL},
		text, sizeof(text));

	assert_non_null(ctx);
	return ctx;
}

static void start_tls_server(void)
{
	char text[200];

	make_certificate();
	server_tls = ses_tls_server_new(
		&(struct ses_tls_server_options){.cert_file = cert_path}, text,
		sizeof(text));
	assert_non_null(server_tls);
}

TEST("TLS is a step of its own, with its fault in the report")
{
	for (int trusted = 0; trusted < 2; trusted++) {
		struct ses_tls_context *ctx;

		begin();
		start_tls_server();
		ctx = client_context(trusted);
		run(&(struct ses_dial_options){.host = BYTES("127.0.0.1"),
					       .port = open_door("127.0.0.1"),
					       .tls = ctx,
					       .tls_name = "door.example"});
		ses_tls_context_unref(ctx);
		assert_int_equal(result.error, trusted ? 0 : SESAME_ETLS);
		assert_int_equal(result.report.tls.fault,
				 trusted ? SES_TLS_OK : SES_TLS_UNTRUSTED);
		assert_step(1, SES_DIAL_TLS, result.error, "door.example",
			    trusted ? "TLSv1.3" : "self-signed");
		assert_string_equal(result.report.tls.subject,
				    "CN=door.example");
		finish();
	}
}

TEST("a dial may be cancelled at any moment; nothing is left")
{
	static const struct bytes lines[] = {BYTES("HTTP/1.1 200 OK\r\n\r\n"),
					     {NULL, 0}};
	size_t before = open_files();

	make_certificate();
	for (unsigned turns = 0; turns < 16; turns++) {
		for (int way = 0; way < 4; way++) {
			struct ses_tls_context *ctx = client_context(true);
			struct ses_dial *d;
			uint16_t port;

			begin();
			port = open_door("127.0.0.1");
			if (way == 1)
				script = lines; /* and then no TLS */
			if (way == 2)
				start_tls_server();
			d = dial(&(struct ses_dial_options){
				.host = way == 3 ? BYTES("no-such-name.invalid")
						 : BYTES("127.0.0.1"),
				.port = port,
				.tls = ctx,
				.tls_name = "door.example",
				.proxy = way == 1 ? proxy_url("http", "", port)
						  : NULL});
			ses_tls_context_unref(ctx);
			for (unsigned i = 0; i < turns && !result.calls; i++)
				turn(1);
			if (!result.calls)
				ses_dial_cancel(d);
			finish();
		}
	}
	/* a resolver's thread opens and closes as it likes, until it ends */
	for (int i = 0, still = 0; i < 20000 && still < 100; i++) {
		still = open_files() == before ? still + 1 : 0;
		usleep(1000);
	}
	assert_int_equal(open_files(), before);
}
