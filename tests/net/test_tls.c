/* SPDX-License-Identifier: MIT */
/*
 * TLS between two streams of one loop, and what a client learns from servers
 * that are right, wrong in each of the usual ways, or no TLS servers at all.
 */
#include "net/tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "net/certificates.h"
#include "net/open_files.h"
#include "net/stream.h"
#include "net/tls_cache.h"

static char dir[] = "/tmp/sesame-tls-XXXXXX";
static char path_buffers[8][64];
static char text[256];

/* One end of the connection, and what it saw. */
struct side {
	struct ses_stream *stream;
	struct ses_buf got;
	bool up, echo, pause;
	unsigned ends, drains;
	int error;
};

static struct sesame_loop *loop;
static struct side client, server;

static const char *path(const char *name)
{
	static unsigned turn;
	char *p = path_buffers[turn++ % ARRAY_LEN(path_buffers)];

	snprintf(p, sizeof(path_buffers[0]), "%s/%s", dir, name);
	return p;
}

static void write_leaf(const char *name, const char *names,
		       const struct certificate *ca, int from, int until)
{
	struct certificate c = certificate_new("a leaf", names, ca, from, until);

	certificate_write(&c, path(name));
	certificate_free(&c);
}

static const char names[] = "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,"
			    "IP:::1";
static const char *const files[] = {
	"ca.pem",    "other-ca.pem", "good.pem",
	"self.pem",  "expired.pem",  "early.pem",
	"alien.pem", "client.pem",   "old-alien.pem"};

static void remove_files(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path(files[i]));
	rmdir(dir);
}

static void make_certificates(void)
{
	static bool made;
	struct certificate ca, other;

	if (made)
		return;
	made = true;
	assert_non_null(mkdtemp(dir));
	atexit(remove_files);
	ca = certificate_new("Test CA", NULL, NULL, -1, 10);
	other = certificate_new("Other CA", NULL, NULL, -1, 10);
	certificate_write(&ca, path("ca.pem"));
	certificate_write(&other, path("other-ca.pem"));
	write_leaf("good.pem", names, &ca, -1, 10);
	write_leaf("self.pem", names, NULL, -1, 10);
	write_leaf("expired.pem", names, &ca, -10, -2);
	write_leaf("early.pem", names, &ca, 2, 10);
	write_leaf("alien.pem", names, &other, -1, 10);
	write_leaf("old-alien.pem", names, &other, -10, -2);
	write_leaf("client.pem", "email:ann@example.org", &ca, -1, 10);
	certificate_free(&ca);
	certificate_free(&other);
}

/* ---- two ends ---- */

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct side *side = s->owner;

	assert_false(s->paused);
	assert_int_equal(ses_buf_append(&side->got, bytes_of(data, len)), 0);
	if (side->echo)
		ses_stream_send(s, bytes_of(data, len));
	if (side->pause)
		ses_stream_pause(s);
}

static void on_drain(struct ses_stream *s)
{
	((struct side *)s->owner)->drains++;
}

static void on_end(struct ses_stream *s, int error)
{
	struct side *side = s->owner;

	assert_int_equal(side->ends, 0);
	side->ends++;
	side->error = error;
}

static void on_tls(struct ses_stream *s)
{
	((struct side *)s->owner)->up = true;
}

static const struct ses_stream_events events = {
	.on_bytes = on_bytes,
	.on_drain = on_drain,
	.on_end = on_end,
	.on_tls = on_tls,
};

static void begin_side(struct side *side, int fd)
{
	static const struct ses_stream_limits limits = {.queue = 8 << 20,
							.queue_high = 1 << 20};

	*side = (struct side){0};
	ses_buf_init(&side->got, 64 << 20);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	side->stream = ses_stream_new(loop, fd, &events, side, &limits);
	assert_non_null(side->stream);
}

static void begin(void)
{
	int fds[2];

	make_certificates();
	loop = sesame_loop_new();
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	begin_side(&client, fds[0]);
	begin_side(&server, fds[1]);
}

static void finish(void)
{
	ses_stream_close(client.stream);
	ses_stream_close(server.stream);
	sesame_loop_free(loop);
	ses_buf_fini(&client.got);
	ses_buf_fini(&server.got);
}

static void turn(unsigned times)
{
	while (times-- > 0)
		assert_int_equal(sesame_loop_turn(loop, 0), 0);
}

static void start_server(const struct ses_tls_server_options *options)
{
	struct ses_tls_context *ctx =
		ses_tls_server_new(options, text, sizeof(text));

	assert_non_null(ctx);
	assert_int_equal(ses_stream_start_tls(server.stream, ctx, NULL,
					      bytes_of(NULL, 0)),
			 0);
	ses_tls_context_unref(ctx);
}

static void start_client(const struct ses_tls_client_options *options,
			 const char *name)
{
	struct ses_tls_context *ctx =
		ses_tls_client_new(options, text, sizeof(text));

	assert_non_null(ctx);
	assert_int_equal(ses_stream_start_tls(client.stream, ctx, name,
					      bytes_of(NULL, 0)),
			 0);
	ses_tls_context_unref(ctx);
}

static void start_good_pair(void)
{
	start_server(&(struct ses_tls_server_options){
		.cert_file = path("good.pem")});
	start_client(
		&(struct ses_tls_client_options){.ca_file = path("ca.pem")},
		"localhost");
	turn(4);
	assert_true(client.up);
	assert_true(server.up);
}

static const struct ses_tls_info *learned(void)
{
	return ses_stream_tls_info(client.stream);
}

/* ---- tests ---- */

TEST("a trusted server: bytes pass both ways, and the handshake is described")
{
	begin();
	server.echo = true;
	/* asked for before the handshake, sent after it */
	ses_stream_send(client.stream, BYTES("open "));
	start_good_pair();
	ses_stream_send(client.stream, BYTES("sesame"));
	turn(4);
	assert_int_equal(ses_buf_len(&client.got), 11);
	assert_memory_equal(client.got.data, "open sesame", 11);
	assert_int_equal(learned()->fault, SES_TLS_OK);
	assert_int_equal(learned()->verify, SES_TLS_OK);
	assert_string_equal(learned()->version, "TLSv1.3");
	assert_string_equal(learned()->alpn, "http/1.1");
	assert_string_equal(learned()->subject, "CN=a leaf");
	assert_string_equal(learned()->issuer, "CN=Test CA");
	assert_int_equal(learned()->names.n, 4);
	assert_string_equal(ses_tls_name(&learned()->names, 0), "localhost");
	assert_string_equal(ses_tls_name(&learned()->names, 3), "::1");
	assert_int_equal(ses_tls_name_kind(&learned()->names, 3),
			 SES_TLS_NAME_IP);
	assert_int_equal(strlen(learned()->not_after),
			 strlen("2026-11-22 14:00:00 UTC"));
	assert_false(learned()->self_signed);
	assert_false(learned()->asked_for_cert);
	assert_int_equal(learned()->chain_len, 1);
	finish();
}

TEST("each fault of a server's certificate has its class")
{
	static const struct {
		const char *cert, *name;
		enum ses_tls_fault fault;
	} rows[] = {
		{"good.pem", "localhost", SES_TLS_OK},
		{"good.pem", "127.0.0.1", SES_TLS_OK},
		{"good.pem", "::1", SES_TLS_OK},
		{"good.pem", "www.example.org", SES_TLS_OK},
		{"good.pem", "localhost.", SES_TLS_OK},
		{"good.pem", "LOCALHOST", SES_TLS_OK},
		{"good.pem", "example.org", SES_TLS_HOSTNAME},
		{"good.pem", "a.b.example.org", SES_TLS_HOSTNAME},
		{"good.pem", "127.0.0.2", SES_TLS_HOSTNAME},
		{"self.pem", "localhost", SES_TLS_UNTRUSTED},
		{"alien.pem", "localhost", SES_TLS_UNTRUSTED},
		{"alien.pem", "example.net", SES_TLS_UNTRUSTED},
		{"old-alien.pem", "example.net", SES_TLS_UNTRUSTED},
		{"expired.pem", "localhost", SES_TLS_EXPIRED},
		{"expired.pem", "example.net", SES_TLS_EXPIRED},
		{"early.pem", "localhost", SES_TLS_EXPIRED},
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		bool insecure = i >= ARRAY_LEN(rows);
		size_t at = i % ARRAY_LEN(rows);
		bool fine = rows[at].fault == SES_TLS_OK;

		begin();
		start_server(&(struct ses_tls_server_options){
			.cert_file = path(rows[at].cert)});
		start_client(
			&(struct ses_tls_client_options){
				.ca_file = path("ca.pem"), .insecure = insecure},
			rows[at].name);
		turn(5);
		assert_int_equal(learned()->verify, rows[at].fault);
		assert_int_equal(learned()->fault,
				 insecure ? SES_TLS_OK : rows[at].fault);
		assert_int_equal(client.up, fine || insecure);
		assert_int_equal(client.error, client.up ? 0 : SESAME_ETLS);
		assert_int_equal(learned()->text[0] != 0, !fine);
		assert_int_equal(learned()->self_signed,
				 strcmp(rows[at].cert, "self.pem") == 0);
		/* also of a server that is not trusted */
		assert_string_equal(learned()->subject, "CN=a leaf");
		assert_int_equal(learned()->names.n, 4);
		assert_int_equal(server.ends, !client.up);
		finish();
	}
}

TEST("versions that do not meet are told apart from other faults")
{
	begin();
	start_server(&(struct ses_tls_server_options){
		.cert_file = path("good.pem")});
	start_client(&(struct ses_tls_client_options){.ca_file = path("ca.pem"),
						      .max_version = 11},
		     "localhost");
	turn(5);
	assert_int_equal(client.ends, 1);
	assert_int_equal(learned()->fault, SES_TLS_VERSION);
	assert_string_equal(learned()->alert, "protocol_version");
	finish();
}

TEST("the version asked for is the version spoken")
{
	begin();
	start_server(&(struct ses_tls_server_options){
		.cert_file = path("good.pem")});
	start_client(&(struct ses_tls_client_options){.ca_file = path("ca.pem"),
						      .min_version = 12,
						      .max_version = 12},
		     "localhost");
	turn(5);
	assert_true(client.up);
	assert_string_equal(learned()->version, "TLSv1.2");
	finish();
}

TEST("a server that shares no ALPN name with the client says so")
{
	begin();
	start_server(&(struct ses_tls_server_options){
		.cert_file = path("good.pem")});
	start_client(&(struct ses_tls_client_options){.ca_file = path("ca.pem"),
						      .alpn = "h2"},
		     "localhost");
	turn(5);
	assert_false(client.up);
	assert_string_equal(learned()->alert, "no_application_protocol");
	finish();
}

TEST("client certificates: required or wished for, sent or not")
{
	static const struct {
		bool required;
		const char *cert;
		int max_version;
		bool admitted;
		enum ses_tls_fault fault;
	} rows[] = {
		{false, NULL, 13, true, SES_TLS_OK},
		{false, NULL, 12, true, SES_TLS_OK},
		{false, "client.pem", 13, true, SES_TLS_OK},
		{true, "client.pem", 13, true, SES_TLS_OK},
		{true, "client.pem", 12, true, SES_TLS_OK},
		{true, NULL, 13, false, SES_TLS_CLIENT_CERT},
		{true, NULL, 12, false, SES_TLS_CLIENT_CERT},
		{true, "alien.pem", 13, false, SES_TLS_CLIENT_CERT},
		{true, "alien.pem", 12, false, SES_TLS_CLIENT_CERT},
		{false, "alien.pem", 13, false, SES_TLS_CLIENT_CERT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ses_tls_info *seen;

		begin();
		start_server(&(struct ses_tls_server_options){
			.cert_file = path("good.pem"),
			.client_ca_file = path("ca.pem"),
			.client_cert_required = rows[i].required});
		start_client(
			&(struct ses_tls_client_options){
				.ca_file = path("ca.pem"),
				.max_version = rows[i].max_version,
				.cert_file = rows[i].cert ? path(rows[i].cert)
							  : NULL},
			"localhost");
		ses_stream_send(client.stream, BYTES("GET /"));
		turn(6);
		assert_true(learned()->asked_for_cert);
		assert_int_equal(server.up, rows[i].admitted);
		assert_int_equal(ses_buf_len(&server.got),
				 rows[i].admitted ? 5 : 0);
		assert_int_equal(learned()->fault, rows[i].fault);
		assert_int_equal(client.error,
				 rows[i].admitted ? 0 : SESAME_ETLS);
		seen = ses_stream_tls_info(server.stream);
		if (rows[i].admitted && rows[i].cert)
			assert_string_equal(seen->issuer, "CN=Test CA");
		else if (rows[i].admitted)
			assert_string_equal(seen->subject, "");
		else if (!rows[i].cert)
			assert_int_equal(seen->fault, SES_TLS_CLIENT_CERT);
		finish();
	}
}

TEST("a server that does not speak TLS is quoted")
{
	static const struct {
		const char *says;
		bool closes;
		enum ses_tls_fault fault;
		const char *quote;
	} rows[] = {
		{"HTTP/1.1 400 Bad Request\r\n\r\n", false, SES_TLS_NOT_TLS,
		 "HTTP/1.1 400 Bad Request"},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", true, SES_TLS_NOT_TLS,
		 "HTTP/1.1 400 Bad Request"},
		{"SSH-2.0-OpenSSH_9.2\r\n", false, SES_TLS_NOT_TLS, "SSH-2.0"},
		{"HT", true, SES_TLS_NOT_TLS, "HT"},
		{"\x1b[2J bad \n", true, SES_TLS_NOT_TLS, "\\x1b[2J bad"},
		{"", true, SES_TLS_CUT, "closed"},
		{"\x16\x03\x01", true, SES_TLS_CUT, "closed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin();
		start_client(
			&(struct ses_tls_client_options){
				.ca_file = path("ca.pem")},
			"localhost");
		ses_stream_send(server.stream, bytes_of_str(rows[i].says));
		turn(2);
		if (rows[i].closes) {
			ses_stream_shutdown(server.stream);
			turn(3);
		}
		assert_int_equal(client.ends, 1);
		assert_int_equal(client.error, SESAME_ETLS);
		assert_int_equal(learned()->fault, rows[i].fault);
		assert_non_null(strstr(learned()->text, rows[i].quote));
		finish();
	}
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 131 + (i >> 9));
}

TEST("much passes through TLS whole, with back-pressure, pauses and a drain")
{
	size_t len = 3 << 20;
	uint8_t *all = malloc(len);

	fill(all, len);
	for (int step = 0; step < 2; step++) {
		begin();
		start_good_pair();
		server.pause = step == 1;
		if (step == 0)
			ses_stream_pause(server.stream);
		assert_int_equal(
			ses_stream_send(client.stream, bytes_of(all, 1)), 0);
		assert_int_equal(ses_stream_send(client.stream,
						 bytes_of(all + 1, len - 1)),
				 SESAME_EAGAIN);
		turn(3);
		if (step == 0)
			assert_int_equal(ses_buf_len(&server.got), 0);
		for (int i = 0; i < 20000 && ses_buf_len(&server.got) < len;
		     i++) {
			ses_stream_resume(server.stream);
			turn(1);
		}
		assert_int_equal(ses_buf_len(&server.got), len);
		assert_memory_equal(server.got.data, all, len);
		turn(2);
		assert_int_equal(client.drains, 1);
		assert_int_equal(ses_stream_queued(client.stream), 0);
		finish();
	}
	free(all);
}

TEST("what is sent at once and does not leave is watched for room")
{
	static uint8_t much[64 * 1024];
	size_t sent = 0;

	fill(much, sizeof(much));
	begin();
	start_good_pair();
	ses_stream_pause(client.stream);
	while (!server.stream->blocked) {
		assert_int_equal(
			ses_stream_send_now(server.stream,
					    bytes_of(much, sizeof(much))),
			0);
		sent += sizeof(much);
		turn(1);
	}
	ses_stream_resume(client.stream);
	turn(50);
	assert_int_equal(ses_buf_len(&client.got), sent);
	finish();
}

static uint8_t room[100000];
static size_t filled, room_step;

static uint8_t *give_room(struct ses_stream *s, size_t *ret_len)
{
	size_t left = sizeof(room) - filled;

	*ret_len = left < room_step ? left : room_step;
	return room + filled;
}

static void note_filled(struct ses_stream *s, size_t n)
{
	filled += n;
	if (server.pause)
		ses_stream_pause(s);
}

TEST("plain text goes straight into the room the owner offers, paused or not")
{
	static const struct ses_stream_events with_room = {.on_bytes = on_bytes,
							   .on_end = on_end,
							   .on_tls = on_tls,
							   .on_room = give_room,
							   .on_filled =
								   note_filled};
	uint8_t *all = malloc(sizeof(room) + 3);

	fill(all, sizeof(room) + 3);
	for (int paused = 0; paused < 2; paused++) {
		begin();
		ses_stream_take(server.stream, &with_room, &server);
		filled = 0;
		room_step = 5000;
		start_good_pair();
		server.pause = paused;
		ses_stream_send(client.stream, bytes_of(all, sizeof(room) + 3));
		for (int i = 0; i < 200; i++) {
			turn(1);
			ses_stream_resume(server.stream);
		}
		assert_int_equal(filled, sizeof(room));
		assert_memory_equal(room, all, sizeof(room));
		assert_int_equal(ses_buf_len(&server.got), 3);
		finish();
	}
	free(all);
}

TEST("a shutdown says close_notify; half-closed, the answer still comes")
{
	begin();
	start_good_pair();
	ses_stream_send(client.stream, BYTES("question"));
	ses_stream_shutdown(client.stream);
	turn(4);
	assert_int_equal(server.ends, 1);
	assert_int_equal(server.error, 0);
	assert_int_equal(ses_buf_len(&server.got), 8);
	assert_int_equal(SSL_get_shutdown(server.stream->extra->tls->ssl),
			 SSL_RECEIVED_SHUTDOWN);
	ses_stream_send(server.stream, BYTES("answer"));
	ses_stream_shutdown(server.stream);
	turn(4);
	assert_int_equal(ses_buf_len(&client.got), 6);
	assert_int_equal(client.ends, 1);
	assert_int_equal(client.error, 0);
	finish();
}

TEST("what the handshake taught may be forgotten, and a failure is told still")
{
	begin();
	start_good_pair();
	assert_string_equal(learned()->version, "TLSv1.3");
	ses_stream_forget_tls_info(client.stream);
	assert_null(learned());
	assert_int_equal(send(server.stream->io.fd, "garbage garbage", 15, 0),
			 15);
	turn(3);
	assert_int_equal(client.error, SESAME_ETLS);
	assert_non_null(learned());
	assert_int_not_equal(learned()->fault, SES_TLS_OK);
	assert_true(learned()->text[0]);
	finish();
}

TEST("who paused hears of the peer's end afterwards, while TCP goes on")
{
	uint8_t out[40000];
	struct ses_tls_wire wire = {.out = out, .out_size = sizeof(out)};
	struct ses_tls *tls;

	begin();
	start_good_pair();
	tls = client.stream->extra->tls;
	server.pause = true;
	assert_int_equal(ses_tls_write(tls, &wire, BYTES("hello")), 5);
	ses_tls_close(tls, &wire);
	assert_int_equal(send(client.stream->io.fd, out, wire.out_len, 0),
			 (int)wire.out_len);
	turn(3);
	assert_int_equal(ses_buf_len(&server.got), 5);
	assert_int_equal(server.ends, 0);
	ses_stream_resume(server.stream);
	turn(3);
	assert_int_equal(server.ends, 1);
	assert_int_equal(server.error, 0);
	finish();
}

TEST("random bytes after the handshake break the stream and nothing else")
{
	begin();
	start_good_pair();
	assert_int_equal(send(server.stream->io.fd, "garbage garbage", 15, 0),
			 15);
	turn(3);
	assert_int_equal(client.ends, 1);
	assert_int_equal(client.error, SESAME_ETLS);
	finish();
}

static void close_now(struct ses_stream *s)
{
	((struct side *)s->owner)->up = true;
	ses_stream_close(s);
}

TEST("the owner may close when TLS is up")
{
	static const struct ses_stream_events closing = {.on_tls = close_now};

	begin();
	ses_stream_take(client.stream, &closing, &client);
	ses_stream_take(server.stream, &closing, &server);
	start_server(&(struct ses_tls_server_options){
		.cert_file = path("good.pem")});
	start_client(
		&(struct ses_tls_client_options){.ca_file = path("ca.pem")},
		"localhost");
	turn(5);
	assert_true(client.up);
	assert_int_equal(loop->n_watched, server.up ? 0 : 1);
	if (!server.up)
		ses_stream_close(server.stream);
	sesame_loop_free(loop);
}

TEST("files that cannot be used are named with the reason")
{
	static const struct {
		const char *cert, *key, *ca, *says;
	} rows[] = {
		{"missing.pem", NULL, NULL, "No such file"},
		{"good.pem", "missing.pem", NULL, "No such file"},
		{"good.pem", "self.pem", NULL, "key of another certificate"},
		{"good.pem", NULL, "missing.pem", "No such file"},
		{"", NULL, NULL, "certificate"},
	};

	make_certificates();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *cert = path(rows[i].cert);
		const char *key = rows[i].key ? path(rows[i].key) : NULL;
		const char *ca = rows[i].ca ? path(rows[i].ca) : NULL;
		const char *culprit = ca ? ca : key ? key : cert;

		text[0] = 0;
		assert_null(ses_tls_server_new(
			&(struct ses_tls_server_options){.cert_file = cert,
							 .key_file = key,
							 .client_ca_file = ca},
			text, sizeof(text)));
		assert_non_null(strstr(text, culprit));
		assert_non_null(strstr(text, rows[i].says));
	}
	assert_null(ses_tls_client_new(
		&(struct ses_tls_client_options){.ca_file = path("nothing")},
		text, sizeof(text)));
	assert_non_null(strstr(text, "CA certificates"));
}

/* Write a file for one of the rows below. */
static void put_file(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	fwrite(data, 1, len, f);
	fclose(f);
}

/* The files make no context, and @says is part of why. NULL: they may. */
static void expect_told(const char *cert, const char *key, const char *says)
{
	struct ses_tls_client_options o = {.cert_file = cert, .key_file = key};

	text[0] = 0;
	if (!says)
		return;
	assert_null(ses_tls_client_new(&o, text, sizeof(text)));
	if (!strstr(text, says))
		fail_msg("%s", text);
}

TEST("of a file that is none of its kind it is told what it is and what to do")
{
	static const struct {
		const char *file, *cert_says, *key_says;
	} rows[] = {
		{"empty.pem", "the file is empty", "the file is empty"},
		{"text.pem", "it is not PEM", "it is not PEM"},
		{"cert.der", "-inform der", "a certificate in DER"},
		{"key.der", "a key in DER", "openssl pkey -inform der"},
		{"public.pem", "a public key, no cert", "the private one"},
		{"key.pem", "a private key, no certificate", NULL},
		{"cert.pem", NULL, "a certificate, no private key"},
		{"cut.pem", "damaged or was cut", "no private key"},
		{"", "Is a directory", "Is a directory"},
	};
	struct certificate c = certificate_new("leaf", "DNS:a", NULL, -1, 30);
	unsigned char *der = NULL;
	int n;
	FILE *f;

	make_certificates();
	put_file("empty.pem", "", 0);
	put_file("text.pem", "no certificate\n", 15);
	n = i2d_X509(c.cert, &der);
	put_file("cert.der", der, (size_t)n);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_PrivateKey(c.key, &der);
	put_file("key.der", der, (size_t)n);
	OPENSSL_free(der);
	f = fopen(path("public.pem"), "w");
	PEM_write_PUBKEY(f, c.key);
	fclose(f);
	f = fopen(path("key.pem"), "w");
	PEM_write_PrivateKey(f, c.key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	f = fopen(path("cert.pem"), "w");
	PEM_write_X509(f, c.cert);
	fclose(f);
	put_file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", 33);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_told(path(rows[i].file), path("key.pem"),
			    rows[i].cert_says);
		expect_told(path("cert.pem"), path(rows[i].file),
			    rows[i].key_says);
	}
	for (size_t i = 0; i + 1 < ARRAY_LEN(rows); i++)
		unlink(path(rows[i].file));
	certificate_free(&c);
}

TEST("no descriptor is left open")
{
	size_t before = open_files();

	begin();
	start_good_pair();
	finish();
	assert_int_equal(open_files(), before);
}

TEST("a key that is encrypted is told as that, and nobody is asked")
{
	struct certificate c = certificate_new("leaf", "DNS:a", NULL, -1, 30);
	struct ses_tls_server_options options = {0};
	char file[64];
	FILE *f;

	snprintf(file, sizeof(file), "/tmp/ses-net-%d-key.pem", getpid());
	f = fopen(file, "w");
	assert_non_null(f);
	PEM_write_X509(f, c.cert);
	PEM_write_PrivateKey(f, c.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL,
			     NULL);
	fclose(f);
	options.cert_file = file;
	assert_null(ses_tls_server_new(&options, text, sizeof(text)));
	if (!strstr(text, "it is encrypted"))
		fail_msg("%s", text);
	unlink(file);
	certificate_free(&c);
}

TEST("options that would be without effect make no context")
{
	struct ses_tls_client_options lone_key = {.key_file = "key.pem"};
	struct ses_tls_server_options no_ca = {.cert_file = "a", .client_cert_required = true};

	assert_null(ses_tls_client_new(&lone_key, text, sizeof(text)));
	assert_non_null(strstr(text, "without a certificate"));
	assert_null(ses_tls_server_new(&no_ca, text, sizeof(text)));
	assert_non_null(strstr(text, "no CA"));
}

/* Takes two bytes, puts the rest back and goes, maybe asking for patience. */
static void take_two(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct side *side = s->owner;

	assert_true(len > 2);
	assert_int_equal(ses_buf_append(&side->got, bytes_of(data, 2)), 0);
	if (side->pause)
		ses_stream_pause(s);
	side->pause = false;
	assert_int_equal(ses_stream_unread(s, bytes_of(data + 2, len - 2)), 0);
	ses_stream_take(s, &events, side);
}

static const struct ses_stream_events two_takers = {
	.on_bytes = take_two,
	.on_end = on_end,
};

TEST("plain text that is put back is told again, before what came behind it")
{
	size_t len = SES_RECV_BYTES * 3;
	uint8_t *data = malloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 11);
	for (int pause = 0; pause < 2; pause++) {
		begin();
		start_good_pair();
		ses_stream_take(server.stream, &two_takers, &server);
		server.pause = pause;
		ses_stream_send(client.stream, bytes_of(data, len));
		ses_stream_shutdown(client.stream);
		turn(20);
		if (pause) {
			assert_int_equal(ses_buf_len(&server.got), 2);
			assert_int_equal(server.ends, 0);
			ses_stream_resume(server.stream);
		}
		turn(200);
		assert_int_equal(ses_buf_len(&server.got), len);
		assert_memory_equal(server.got.data, data, len);
		assert_int_equal(server.ends, 1);
		assert_int_equal(server.error, 0);
		finish();
	}
	free(data);
}

TEST("a short text that is put back comes before the peer's end")
{
	for (int pause = 0; pause < 2; pause++) {
		begin();
		start_good_pair();
		ses_stream_take(server.stream, &two_takers, &server);
		server.pause = pause;
		ses_stream_send(client.stream, BYTES("hello"));
		ses_stream_shutdown(client.stream);
		turn(5);
		if (pause)
			ses_stream_resume(server.stream);
		turn(5);
		assert_int_equal(ses_buf_len(&server.got), 5);
		assert_memory_equal(server.got.data, "hello", 5);
		assert_int_equal(server.ends, 1);
		finish();
	}
}

TEST("clients of a loop share a context until its options or files change")
{
	struct ses_tls_client_options options = {0}, careless = {.insecure = true};
	struct ses_tls_context *a, *b, *c, *d;
	struct certificate other;
	char file[64];

	make_certificates();
	loop = sesame_loop_new();
	snprintf(file, sizeof(file), "%s", path("own-ca.pem"));
	options.ca_file = file;
	other = certificate_new("Another CA", NULL, NULL, -1, 10);
	certificate_write(&other, options.ca_file);
	a = ses_tls_client_shared(loop, &options, text, sizeof(text));
	b = ses_tls_client_shared(loop, &options, text, sizeof(text));
	c = ses_tls_client_shared(loop, &careless, text, sizeof(text));
	assert_non_null(a);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	unlink(options.ca_file);
	assert_null(ses_tls_client_shared(loop, &options, text, sizeof(text)));
	assert_non_null(strstr(text, "own-ca.pem"));
	certificate_free(&other);
	other = certificate_new("A third CA, of another length", NULL, NULL, -1, 10);
	certificate_write(&other, options.ca_file);
	d = ses_tls_client_shared(loop, &options, text, sizeof(text));
	assert_ptr_not_equal(a, d);
	for (int i = 0; i < 20; i++) { /* more than are kept */
		ses_tls_context_unref(d);
		careless.insecure = i & 1;
		careless.ca_file = i & 2 ? options.ca_file : NULL;
		careless.cert_file = i & 4 ? path("good.pem") : NULL;
		careless.key_file = i >= 16 ? path("good.pem") : NULL;
		careless.cert_file = i >= 16 ? path("good.pem") : careless.cert_file;
		d = ses_tls_client_shared(loop, &careless, text, sizeof(text));
		assert_non_null(d);
	}
	sesame_loop_free(loop);
	ses_tls_context_unref(a);
	ses_tls_context_unref(b);
	ses_tls_context_unref(c);
	ses_tls_context_unref(d);
	unlink(options.ca_file);
	certificate_free(&other);
}
