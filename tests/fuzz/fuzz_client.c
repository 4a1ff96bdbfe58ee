/* SPDX-License-Identifier: MIT */
/*
 * Clients of libsesame on a fake kernel, through proxies or without: the input
 * is a script of what the proxy, the server, the application and the system do.
 * Every attempt is told one end, nothing is told before it was opened or after
 * it was closed, what an opened one sends is what a server's session takes,
 * and an attempt that meets silence is given up.
 */
#include <errno.h>

#include <sesame/client.h>

#include "far.h"
#include "ws/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_ATTEMPTS 8

struct attempt {
	struct sesame_conn *conn; /* NULL: over, or never begun */
	bool opened, over, saw_request;
	struct far *far; /* whom it has reached; NULL: nobody yet */
};

static struct {
	struct sesame_loop *loop;
	struct attempt attempt[MOST_ATTEMPTS];
	unsigned n_attempts;
	struct far far[KERNEL_WIRES];
	unsigned n_far;
	bool echoes, closes;
	struct sesame_limits limits;
} street;

/* ---- The application ---- */

static void on_open(struct sesame_conn *conn, void *user)
{
	struct attempt *a = user;

	demand(!a->opened && !a->over, "an attempt is opened once");
	a->opened = true;
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct attempt *a = user;

	demand(a->opened && !a->over, "only who is open is told of");
	if (street.echoes &&
	    sesame_conn_send(conn, kind, data, len) == SESAME_EAGAIN)
		sesame_conn_pause(conn);
	if (street.closes)
		sesame_conn_close(conn, 1000, "enough");
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct attempt *a = user;

	demand(a->opened && !a->over, "only who is open is told of");
	sesame_conn_resume(conn);
}

static void on_handshake(struct sesame_conn *conn, void *user, bool sent,
			 const char *head, size_t len)
{
	struct attempt *a = user;

	demand(!a->opened && !a->over, "a handshake comes before all");
	demand(sent || a->saw_request, "its answer comes behind it");
	a->saw_request = true;
	if (street.closes && !sent)
		sesame_conn_abort(conn);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct attempt *a = user;

	demand(!a->over, "an attempt has one end");
	demand(end->text && end->reason && end->reason_len <= 123,
	       "an end has its words");
	demand(end->error || end->clean, "an end is clean or an error");
	for (const char *c = end->text; *c; c++)
		demand((uint8_t)*c >= ' ' && *c != 0x7f,
		       "they are fit for a terminal");
	if (end->head) { /* it is all there */
		struct bytes head = bytes_of(end->head, end->head_len);

		demand(bytes_find_byte(head, '\n') >= -1, "a head is lent");
	}
	demand(sesame_conn_send(conn, SESAME_TEXT, "x", 1) == SESAME_ECLOSED,
	       "nothing is sent behind the end");
	a->over = true;
	a->conn = NULL;
}

static const struct sesame_handlers handlers = {
	.on_open = on_open,
	.on_message = on_message,
	.on_drain = on_drain,
	.on_close = on_close,
	.on_handshake = on_handshake,
};

static void connect_out(struct script *s)
{
	static const char *const urls[] = {
		"ws://127.0.0.1:90/chat?room=1",
		"ws://ann:secret@[::1]:91/",
		"ws://127.0.0.1/",
	};
	static const char *const proxies[] = {
		NULL,
		"http://ann:secret@127.0.0.1:92",
		"socks5://127.0.0.1:93",
		"socks5://ann:secret@127.0.0.1:94",
	};
	struct attempt *a = &street.attempt[street.n_attempts];
	unsigned how = next_byte(s);
	struct sesame_client_options options = {
		.origin = how & 1 ? "https://a.example" : NULL,
		.protocols = how & 2 ? "chat, feed" : NULL,
		.no_deflate = how & 4,
		.proxy = proxies[how >> 3 & 3],
		.limits = street.limits,
	};
	char text[256] = "";

	if (street.n_attempts == MOST_ATTEMPTS)
		return;
	demand(sesame_connect(street.loop, urls[(how >> 5) % 3], &options,
			      &handlers, a, &a->conn, text, sizeof(text)) == 0,
	       "an attempt can be made");
	street.n_attempts++;
}

/* ---- The far ends ---- */

static void meet(void)
{
	for (; street.n_far < kernel_n_wires(); street.n_far++)
		far_begin(&street.far[street.n_far], kernel_wire(street.n_far));
}

/* The request, with whatever a proxy was told before it. */
static const uint8_t *find_request(struct bytes got)
{
	return got.len ? memmem(got.data, got.len, "GET /", 5) : NULL;
}

/* From its 101 on a server's session judges what comes. */
static void begin_session(struct far *f, const struct ses_head *request)
{
	struct sesame_session_settings settings = {
		.role = SESAME_SERVER,
		.max_message = SIZE_MAX / 4,
		.deflate = f->agreed,
	};

	f->session = sesame_session_new(&settings, &far_events, f);
	f->state = FAR_FRAMES;
	f->unsure = true;
}

static void read_far(struct far *f)
{
	struct ses_buf *out = &f->wire->out;
	struct bytes in = ses_buf_bytes(out);

	if (!f->reads || !in.len)
		return;
	if (f->session && f->accepted)
		far_take_frames(f, in);
	else
		ses_buf_append(&f->got, in);
	ses_buf_consume(out, ses_buf_len(out));
}

static void turn(void)
{
	for (unsigned i = 0; i < street.n_far; i++)
		far_push(&street.far[i]);
	demand(sesame_loop_turn(street.loop, 0) == 0, "the loop can turn");
	meet();
	for (unsigned i = 0; i < street.n_far; i++)
		read_far(&street.far[i]);
}

/* ---- What they say ---- */

static void say(struct far *f, struct script *s)
{
	f->raw = true;
	far_say(f, next_run(s));
}

/* What a proxy says, right or wrong. */
static void say_as_proxy(struct far *f, struct script *s)
{
	static const struct bytes words[] = {
		BYTES("\x05\x00"),
		BYTES("\x05\x02"),
		BYTES("\x01\x00"),
		BYTES("\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"),
		BYTES("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"),
		BYTES("\x05\x00\x00\x03\x02hi\x00\x50"),
		BYTES("HTTP/1.1 200 OK\r\n\r\n"),
		BYTES("HTTP/1.1 407 x\r\nProxy-Authenticate: Digest "
		      "realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n"
		      "Content-Length: 2\r\n\r\nno"),
		BYTES("HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno"),
	};
	unsigned row = next_byte(s) % (sizeof(words) / sizeof(words[0]));

	far_say(f, words[row]);
}

static void answer(struct far *f, struct script *s)
{
	static struct ses_head request;
	struct bytes got = ses_buf_bytes(&f->got);
	const uint8_t *at = find_request(got);
	unsigned how = next_byte(s);
	struct ses_upgrade_offer offer;
	struct ses_deflate_policy policy = {.enabled = how & 1};
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct ses_buf out;
	int r;

	if (!at || f->session)
		return;
	ses_head_init(&parser, true, NULL);
	r = ses_head_parse(&parser, bytes_from(got, (size_t)(at - got.data)),
			   &request, &fault);
	demand(r >= 0, "a request is HTTP");
	if (r == 0)
		return;
	demand(ses_upgrade_check_request(&request, &offer, &fault) == 0,
	       "and a handshake");
	demand(ses_deflate_choose(&request, &policy, &f->agreed) == 0,
	       "whose offers can be read");
	ses_buf_init(&out, 4096);
	ses_upgrade_write_response(
		&offer,
		how & 2 && ses_upgrade_offers(&request, BYTES("feed"))
			? BYTES("feed")
			: BYTES(""),
		&f->agreed, BYTES("far"), &out);
	far_say(f, ses_buf_bytes(&out));
	ses_buf_fini(&out);
	/* what the client says is judged if nothing was said before */
	f->accepted = !f->raw;
	begin_session(f, &request);
}

static void refuse(struct far *f, struct script *s)
{
	static const char *const words[] = {
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n",
		("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "3\r\nabc\r\n0\r\n\r\n"),
		"HTTP/1.1 404 x\r\n\r\nuntil the end",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\n<html>",
	};

	f->raw = true;
	far_say(f, bytes_of_str(words[next_byte(s) % 6]));
}

static void say_message(struct far *f, struct script *s)
{
	far_say_message(f, s, false);
}

/* ---- What the application does ---- */

static void act(struct script *s)
{
	static uint8_t data[200000];
	unsigned how = next_byte(s);
	struct attempt *a = &street.attempt[how % MOST_ATTEMPTS];
	size_t len = next_length(s);

	if (!a->conn)
		return;
	switch (how >> 3 & 7) {
	case 0:
		sesame_conn_close(a->conn, 1000, "bye");
		break;
	case 1:
		sesame_conn_abort(a->conn);
		break;
	case 2:
		sesame_conn_ping(a->conn, "ping", 4);
		break;
	case 3:
		sesame_conn_pause(a->conn);
		break;
	case 4:
		sesame_conn_resume(a->conn);
		break;
	default:
		memset(data, 'a' + how % 7, len);
		sesame_conn_send(a->conn, SESAME_BINARY, data, len);
	}
	demand(sesame_conn_peer(a->conn) && sesame_conn_subprotocol(a->conn),
	       "what is asked about it has an answer");
}

static void hinder(struct script *s)
{
	static const struct hindrance rows[] = {
		{KERNEL_RECV, EINTR},	       {KERNEL_RECV, EAGAIN},
		{KERNEL_SEND, EINTR},	       {KERNEL_SEND, EAGAIN},
		{KERNEL_SEND, ENOBUFS},	       {KERNEL_SEND, ECONNRESET},
		{KERNEL_CONNECT, 0},	       {KERNEL_CONNECT, ECONNREFUSED},
		{KERNEL_CONNECT, ENETUNREACH}, {KERNEL_SOCKET, EMFILE},
		{KERNEL_WATCH, ENOSPC},
	};

	hinder_by(s, rows, sizeof(rows) / sizeof(rows[0]));
}

static void move_far(unsigned what, struct script *s)
{
	static void (*const moves[])(struct far *, struct script *) = {
		say,	  say_as_proxy, answer,
		refuse,	  say_message,	far_say_control,
		far_part, far_strain,	far_take_call,
	};
	struct far *f =
		street.n_far ? &street.far[next_byte(s) % street.n_far] : NULL;

	if (f)
		moves[what](f, s);
}

static void play(struct script *s)
{
	unsigned byte = next_byte(s), what = (byte & 0x7f) % 13;

	if (what < 9)
		move_far(what, s);
	else if (what == 9)
		connect_out(s);
	else if (what == 10)
		kernel_pass(next_time(s));
	else if (what == 11)
		hinder(s);
	else
		act(s);
	if (!(byte & 0x80))
		turn();
}

/* ---- The whole ---- */

/* Nobody says anything any more: whoever is there has to be given up. */
static void fall_silent(void)
{
	street.echoes = false;
	for (int i = 0; i < 60; i++) {
		for (unsigned k = 0; k < street.n_far; k++) {
			street.far[k].mute = true;
			street.far[k].wire->piece = WIRE_ROOM;
		}
		for (unsigned k = 0; k < street.n_attempts; k++)
			if (street.attempt[k].conn)
				sesame_conn_resume(street.attempt[k].conn);
		turn();
		kernel_pass(5000);
	}
	turn();
	for (unsigned k = 0; k < street.n_attempts; k++)
		demand(street.attempt[k].over,
		       "nobody waits for ever who meets silence");
	demand(street.loop->n_lingering == 0, "nobody lingers for ever");
	for (unsigned k = 0; k < street.n_far; k++)
		demand(street.far[k].wire->closed, "who is given up is closed");
}

static void close_street(void)
{
	for (unsigned k = 0; k < street.n_attempts; k++)
		if (street.attempt[k].conn)
			sesame_conn_abort(street.attempt[k].conn);
	for (int i = 0; i < 3; i++)
		turn();
	for (unsigned k = 0; k < street.n_attempts; k++)
		demand(street.attempt[k].over,
		       "who is aborted comes to an end");
	sesame_loop_free(street.loop);
	for (unsigned i = 0; i < street.n_far; i++)
		far_end(&street.far[i]);
	kernel_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t messages[] = {0, 100, 5000, 70000};
	struct script s = {bytes_of(data, size)};
	unsigned how;

	if (size > 4096)
		return 0;
	how = next_byte(&s);
	kernel_start(how);
	memset(&street, 0, sizeof(street));
	street.loop = sesame_loop_new();
	street.echoes = how & 2;
	street.closes = how & 4;
	street.limits.message_bytes = messages[how >> 3 & 3];
	street.limits.queue_bytes = how & 0x20 ? 2000 : 0;
	while (!is_over(&s))
		play(&s);
	turn();
	if (how & 1)
		fall_silent();
	close_street();
	return 0;
}
