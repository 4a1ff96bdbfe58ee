/* SPDX-License-Identifier: MIT */
/*
 * A whole server of libsesame on a fake kernel: the input is a script of what
 * its clients, its application and the system do. The first bytes choose its
 * options, then each byte is a move and those behind it say how.
 *
 * Beside what its clients demand (far.h) and the kernel (kernel.h): every
 * connection that was opened is closed once, nothing is told before or after,
 * queues and messages keep their limits, and when everybody is silent for long
 * enough nobody is there any more.
 */
#include <errno.h>

#include <sesame/server.h>

#include "far.h"
#include "ws/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORT	     80
#define FIRST_FAR    2000 /* the port of the first client */

/* What the application makes of a message. */
enum habit { ECHO, CLOSE, ABORT, PAUSE, TWICE, DEAF, N_HABITS };

struct guest {
	struct far far;
	struct sesame_conn *conn; /* NULL: not open */
	bool was_open;
};

static struct {
	struct sesame_loop *loop;
	struct sesame_server *server;
	struct sesame_server_options options;
	struct guest guest[KERNEL_WIRES];
	unsigned n_guests;
	enum habit habit;
	size_t n_open;
	bool inside; /* a callback is on the stack */
} hall;

/* ---- The application ---- */

static struct guest *guest_of(struct sesame_conn *conn)
{
	struct guest *g = sesame_conn_user(conn);

	demand(g->conn == conn, "only who is open is told of");
	return g;
}

static void send_to(struct guest *g, enum sesame_kind kind, const void *data,
		    size_t len)
{
	int r = sesame_conn_send(g->conn, kind, data, len);

	if (r == 0 || r == SESAME_EAGAIN)
		far_expect(&g->far, kind, bytes_of(data, len));
	if (r == SESAME_EAGAIN)
		sesame_conn_pause(g->conn);
}

static void on_open(struct sesame_conn *conn, void *user)
{
	unsigned long port =
		strtoul(strchr(sesame_conn_peer(conn), ':') + 1, NULL, 10);
	struct guest *g = &hall.guest[port - FIRST_FAR];

	demand(!g->was_open, "a connection is opened once");
	g->conn = conn;
	g->was_open = true;
	sesame_conn_set_user(conn, g);
	hall.n_open++;
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct guest *g = guest_of(conn);
	size_t most = hall.options.limits.message_bytes;

	demand(!most || len <= most, "messages are as long as agreed");
	switch (hall.habit) {
	case CLOSE:
		sesame_conn_close(conn, 1000, "enough");
		break;
	case ABORT:
		sesame_conn_abort(conn);
		break;
	case PAUSE:
		sesame_conn_pause(conn);
		break;
	case TWICE:
		send_to(g, kind, data, len);
		/* fall through */
	case ECHO:
		send_to(g, kind, data, len);
		break;
	default:
		break;
	}
	if (len)
		memset(data, 0, len); /* it is ours to change */
}

static void on_pong(struct sesame_conn *conn, void *user, const uint8_t *data,
		    size_t len)
{
	guest_of(conn);
	demand(len <= SES_CONTROL_MAX, "a pong is short");
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	guest_of(conn);
	sesame_conn_resume(conn);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct guest *g = guest_of(conn);

	demand(end->text && end->reason, "an end has its words");
	demand(end->reason_len <= 123, "a reason is short");
	demand(!end->clean || !end->error, "a clean end is no error");
	demand(end->error || end->clean, "an end is clean or an error");
	/* whatever is done now does nothing */
	demand(sesame_conn_send(conn, SESAME_TEXT, "x", 1) == SESAME_ECLOSED,
	       "nothing is sent behind the end");
	demand(sesame_conn_close(conn, 1000, NULL) == SESAME_ECLOSED,
	       "what is closed is not closed again");
	sesame_conn_resume(conn);
	g->conn = NULL;
	hall.n_open--;
}

static const struct sesame_handlers handlers = {
	.on_open = on_open,
	.on_message = on_message,
	.on_pong = on_pong,
	.on_drain = on_drain,
	.on_close = on_close,
};

static void on_request(struct sesame_server *server, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	demand(request->target[0] == '/' && request->host && request->protocols,
	       "a request is whole");
	sesame_request_header(request, "Sec-WebSocket-Protocol");
	if (strstr(request->target, "no"))
		answer->status = 403;
	if (strstr(request->protocols, "feed"))
		answer->subprotocol = "feed";
}

/* ---- Looking at it ---- */

static void check_conn(const struct sesame_conn *conn)
{
	struct sesame_limits limits = hall.options.limits;
	const struct ses_session_work *w = conn->session.work;
	size_t held = w ? w->message.capacity : 0, most;

	ses_limits_default(&limits);
	most = limits.message_bytes + SES_CONTROL_MAX;
	demand(sesame_conn_queued(conn) <= limits.queue_bytes + SES_CONTROL_ROOM,
	       "a queue keeps its limit");
	demand(held <= (most > 64 ? most : 64),
	       "a message keeps its limit");
}

static void look(void)
{
	for (unsigned i = 0; i < hall.n_guests; i++) {
		struct guest *g = &hall.guest[i];

		far_read(&g->far);
		if (g->conn)
			check_conn(g->conn);
	}
	demand(hall.n_open <= sesame_server_connections(hall.server),
	       "who is open is counted");
}

static void turn(void)
{
	for (unsigned i = 0; i < hall.n_guests; i++)
		far_push(&hall.guest[i].far);
	demand(sesame_loop_turn(hall.loop, 0) == 0, "the loop can turn");
	look();
}

/* ---- Moves ---- */

static struct guest *pick(unsigned byte)
{
	return hall.n_guests ? &hall.guest[byte % hall.n_guests] : NULL;
}

static void arrive(struct script *s)
{
	struct ses_addr from;
	struct wire *w;

	ses_addr_parse(BYTES("10.0.0.1"), (uint16_t)(FIRST_FAR + hall.n_guests),
		       &from);
	w = kernel_arrive(PORT, &from);
	if (!w)
		return;
	far_begin(&hall.guest[hall.n_guests].far, w);
	far_choose_key(&hall.guest[hall.n_guests].far, hall.n_guests);
	hall.guest[hall.n_guests].far.deflate = hall.options.deflate;
	if (hall.options.cert_file)
		far_tls_begin(&hall.guest[hall.n_guests].far.tls,
			      hall.n_guests & 1);
	hall.n_guests++;
}

static void ask(struct guest *g, struct script *s)
{
	static const char *const paths[] = {"/", "/no", "/chat?x=1"};
	unsigned how = next_byte(s);

	far_ask(&g->far, paths[how / 8 % 3], how);
}

static void say(struct guest *g, struct script *s)
{
	struct bytes run = next_run(s);

	g->far.raw = true;
	if (!g->far.tls.ssl || run.len % 4) {
		far_say(&g->far, run);
		return;
	}
	g->far.spoilt = true;
	wire_say(g->far.wire, run);
}

static void say_message(struct guest *g, struct script *s)
{
	far_say_message(&g->far, s, false);
}

static void say_control(struct guest *g, struct script *s)
{
	far_say_control(&g->far, s);
}

static void part(struct guest *g, struct script *s)
{
	far_part(&g->far, s);
}

static void strain(struct guest *g, struct script *s)
{
	far_strain(&g->far, s);
}

static void app_sends(struct guest *g, struct script *s)
{
	static uint8_t data[200000];
	unsigned how = next_byte(s);
	size_t len = next_length(s);

	memset(data, 'A' + how % 8, len);
	if (g->conn)
		send_to(g, how & 8 ? SESAME_BINARY : SESAME_TEXT, data, len);
}

static void app_does(struct guest *g, struct script *s)
{
	unsigned how = next_byte(s);

	if (!g->conn)
		return;
	switch (how % 6) {
	case 0:
		sesame_conn_close(g->conn, how & 8 ? 1001 : 0, NULL);
		break;
	case 1:
		sesame_conn_abort(g->conn);
		break;
	case 2:
		sesame_conn_ping(g->conn, "are you there", how % 13);
		break;
	case 3:
		sesame_conn_pause(g->conn);
		break;
	case 4:
		sesame_conn_resume(g->conn);
		break;
	default:
		demand(sesame_conn_close(g->conn, 1005, NULL) < 0,
		       "not every code may be sent");
	}
}

/* For which of them a broadcast is; and how many that were. */
struct choice {
	struct guest *only; /* NULL: everybody */
	size_t n;
};

static bool wants(struct sesame_conn *conn, void *user)
{
	struct choice *c = user;

	c->n += !c->only || c->only->conn == conn;
	return !c->only || c->only->conn == conn;
}

static void broadcast(struct script *s)
{
	struct choice choice = {0};
	static uint8_t data[200000];
	unsigned how = next_byte(s);
	size_t len = next_length(s), n;

	choice.only = how & 1 ? pick(how >> 1) : NULL;
	memset(data, 'b', len);
	n = sesame_server_broadcast(hall.server, SESAME_TEXT, data, len, wants,
				    &choice);
	demand(n <= choice.n, "no more take it than were asked");
	for (unsigned i = 0; i < hall.n_guests; i++) {
		struct guest *g = &hall.guest[i];

		if (!g->conn || (choice.only && choice.only != g))
			continue;
		if (n == choice.n)
			far_expect(&g->far, SESAME_TEXT, bytes_of(data, len));
		else if (n > 0)
			g->far.unsure = true;
	}
}

static void hinder(struct script *s)
{
	static const struct hindrance rows[] = {
		{KERNEL_ACCEPT, EMFILE},   {KERNEL_ACCEPT, ECONNABORTED},
		{KERNEL_ACCEPT, ENOBUFS},  {KERNEL_ACCEPT, EINTR},
		{KERNEL_RECV, EINTR},	   {KERNEL_RECV, EAGAIN},
		{KERNEL_RECV, ENOMEM},	   {KERNEL_SEND, EINTR},
		{KERNEL_SEND, EAGAIN},	   {KERNEL_SEND, ENOBUFS},
		{KERNEL_SEND, ECONNRESET}, {KERNEL_WATCH, ENOSPC},
	};

	hinder_by(s, rows, sizeof(rows) / sizeof(rows[0]));
}

static void move_guest(unsigned what, struct script *s)
{
	static void (*const moves[])(struct guest *, struct script *) = {
		ask,  say,    say_message, say_control,
		part, strain, app_sends,   app_does,
	};
	struct guest *g = pick(next_byte(s));

	if (g)
		moves[what](g, s);
}

static void play(struct script *s)
{
	unsigned byte = next_byte(s), what = (byte & 0x7f) % 14;

	if (what < 8)
		move_guest(what, s);
	else if (what == 8 || what == 9)
		arrive(s);
	else if (what == 10)
		kernel_pass(next_time(s));
	else if (what == 11)
		broadcast(s);
	else if (what == 12)
		hinder(s);
	else
		hall.habit = (enum habit)(next_byte(s) % N_HABITS);
	if (!(byte & 0x80))
		turn();
}

/* ---- The whole ---- */

static void open_hall(struct script *s)
{
	static const size_t messages[] = {0, 100, 5000, 70000};
	static const size_t queues[] = {0, 200, 10000, 400000};
	unsigned how = next_byte(s), more = next_byte(s);
	char text[256] = "";

	memset(&hall, 0, sizeof(hall));
	hall.loop = sesame_loop_new();
	hall.options = (struct sesame_server_options){
		.port = PORT,
		.deflate = how & 1,
		.limits.message_bytes = messages[how >> 1 & 3],
		.limits.queue_bytes = queues[how >> 3 & 3],
		.limits.queue_high_bytes = how & 0x20 ? 50 : 0,
		.max_connections = how & 0x40 ? 3 : 0,
		.on_request = how & 0x80 ? on_request : NULL,
		.cert_file = more & 0x80 ? far_identity_file() : NULL,
	};
	hall.habit = (enum habit)((more & 0x7f) % N_HABITS);
	demand(sesame_server_new(hall.loop, &hall.options, &handlers,
				 &hall.server, text, sizeof(text)) == 0,
	       "a server can be opened");
}

/* Nobody says anything any more: whoever is there has to be given up. */
static void fall_silent(void)
{
	for (unsigned i = 0; i < hall.n_guests; i++) {
		struct guest *g = &hall.guest[i];

		g->far.mute = true;
		g->far.wire->piece = WIRE_ROOM;
		if (g->conn)
			sesame_conn_resume(g->conn);
	}
	hall.habit = DEAF;
	for (int i = 0; i < 60; i++) {
		turn();
		kernel_pass(5000);
	}
	turn();
	demand(hall.n_open == 0 && sesame_server_connections(hall.server) == 0,
	       "nobody is kept who is silent");
	demand(hall.loop->n_lingering == 0, "nobody lingers for ever");
	for (unsigned i = 0; i < hall.n_guests; i++)
		demand(hall.guest[i].far.wire->closed ||
			       hall.guest[i].far.wire->state == WIRE_REFUSED,
		       "who is given up is closed");
}

static void close_hall(unsigned how)
{
	if (how & 1)
		fall_silent();
	if (how & 2)
		sesame_server_close(hall.server, how & 4 ? 1001 : 0);
	for (unsigned i = 0; i < (how >> 3 & 7); i++)
		turn();
	sesame_server_free(hall.server);
	demand(hall.n_open == 0, "every connection is closed in the end");
	sesame_loop_free(hall.loop);
	for (unsigned i = 0; i < hall.n_guests; i++)
		far_end(&hall.guest[i].far);
	kernel_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {bytes_of(data, size)};
	unsigned how;

	if (size > 4096)
		return 0;
	how = next_byte(&s);
	kernel_start(how);
	open_hall(&s);
	while (!is_over(&s))
		play(&s);
	turn();
	close_hall(how);
	return 0;
}
