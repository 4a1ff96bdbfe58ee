/* SPDX-License-Identifier: MIT */
/*
 * The library's two sides in one loop, with one call of theirs going wrong.
 * Whatever it is: both sides learn of their end once and in words, nothing is
 * left over, and who comes afterwards is served as if nothing had been.
 */
#include "rig.h"

#include "../net/certificates.h"
#include "../net/open_files.h"
#include "test.h"

#include <sesame/client.h>
#include <sesame/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define LONG_TEXT 30000
#define LONG_DATA 200000

struct play {
	bool deflate, refuse;
	const char *cert_file, *ca_file;
	enum rig_kind kind;
};

/* One side's view of one connection. */
struct seat {
	int opened, closed, messages, bad;
	size_t bytes;
	struct sesame_end end;
	char text[256];
};

static struct {
	const struct play *play;
	struct sesame_loop *loop;
	struct sesame_server *server;
	struct seat client, served; /* served: all that the server has */
	char *data;
} stage;

int __real_clock_gettime(clockid_t clock, struct timespec *now);

static double seconds(void)
{
	struct timespec now;

	__real_clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- the two sides ---- */

static void note_end(struct seat *s, const struct sesame_end *end)
{
	const char *text = strstr(end->text, "/chat: "); /* behind the port */

	s->closed++;
	s->end = *end;
	snprintf(s->text, sizeof(s->text), "%s", text ? text : end->text);
}

static void served_open(struct sesame_conn *conn, void *user)
{
	stage.served.opened++;
}

static void served_message(struct sesame_conn *conn, void *user,
			   enum sesame_kind kind, uint8_t *data, size_t len)
{
	int r = sesame_conn_send(conn, kind, data, len);

	/* an application that cannot answer says so */
	if (r < 0 && r != SESAME_EAGAIN && r != SESAME_ECLOSED &&
	    sesame_conn_close(conn, 1011, NULL) == SESAME_ELIMIT)
		sesame_conn_abort(conn);
}

static void served_close(struct sesame_conn *conn, void *user,
			 const struct sesame_end *end)
{
	note_end(&stage.served, end);
}

static const struct sesame_handlers served_handlers = {
	.on_open = served_open,
	.on_message = served_message,
	.on_close = served_close,
};

static void give_up(struct sesame_conn *conn, int error)
{
	if (error < 0 && error != SESAME_EAGAIN && error != SESAME_ECLOSED &&
	    sesame_conn_close(conn, 1011, NULL) == SESAME_ELIMIT)
		sesame_conn_abort(conn);
}

static void client_open(struct sesame_conn *conn, void *user)
{
	struct seat *s = user;
	int r;

	s->opened++;
	r = sesame_conn_send(conn, SESAME_TEXT, stage.data, LONG_TEXT);
	if (r == 0)
		r = sesame_conn_send(conn, SESAME_BINARY, stage.data, LONG_DATA);
	if (r == 0)
		r = sesame_conn_ping(conn, "p", 1);
	give_up(conn, r);
}

static void client_message(struct sesame_conn *conn, void *user,
			   enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct seat *s = user;

	s->messages++;
	s->bytes += len;
	s->bad += memcmp(data, stage.data, len) != 0 ||
		  len != (kind == SESAME_TEXT ? LONG_TEXT : LONG_DATA);
	if (s->messages == 2)
		give_up(conn, sesame_conn_close(conn, 1000, "thanks"));
}

static void client_close(struct sesame_conn *conn, void *user,
			 const struct sesame_end *end)
{
	note_end(user, end);
}

static const struct sesame_handlers client_handlers = {
	.on_open = client_open,
	.on_message = client_message,
	.on_close = client_close,
};

static void decide(struct sesame_server *server, void *user,
		   const struct sesame_request *request,
		   struct sesame_answer *answer)
{
	if (stage.play->refuse)
		answer->status = 403;
	else
		answer->subprotocol = request->protocols;
}

/* ---- a visit ---- */

/* Connect, talk, and turn until it is over. False: it never was. */
static bool visit(struct seat *s)
{
	struct sesame_client_options options = {
		.protocols = "echo.example",
		.ca_file = stage.play->ca_file,
		.no_deflate = !stage.play->deflate,
	};
	double until = seconds() + 20;
	struct sesame_conn *conn;
	char url[64], text[256];
	int r;

	memset(s, 0, sizeof(*s));
	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/chat",
		 stage.play->cert_file ? "wss" : "ws",
		 sesame_server_port(stage.server));
	r = sesame_connect(stage.loop, url, &options, &client_handlers, s,
			   &conn, text, sizeof(text));
	if (r < 0) {
		s->closed = 1;
		s->end.error = r;
		snprintf(s->text, sizeof(s->text), "%s", text);
		return true;
	}
	while (!s->closed || sesame_server_connections(stage.server) > 0) {
		sesame_loop_turn(stage.loop, 100);
		if (seconds() > until)
			return false;
	}
	return true;
}

static bool open_stage(void)
{
	struct sesame_server_options options = {
		.deflate = stage.play->deflate,
		.cert_file = stage.play->cert_file,
		.on_request = decide,
	};
	char text[256];

	stage.loop = sesame_loop_new();
	if (!stage.loop)
		return false;
	return sesame_server_new(stage.loop, &options, &served_handlers,
				 &stage.server, text, sizeof(text)) == 0;
}

static void close_stage(void)
{
	if (stage.server) {
		sesame_server_close(stage.server, 1001);
		sesame_server_free(stage.server);
	}
	/* a timer or a stream of the last visit may linger */
	sesame_loop_free(stage.loop);
}

/* What may be told when one call failed; anything else is a fault of ours. */
static const char *judge(const struct seat *s, bool is_client)
{
	static const int may_be[] = {0,
				     SESAME_ENOMEM,
				     SESAME_ERESET,
				     SESAME_ETIMEOUT,
				     SESAME_ESYSTEM,
				     SESAME_ECONNECT,
				     SESAME_ETLS,
				     SESAME_EREFUSED};
	bool known = false;

	if (s->bad)
		return "a message was another";
	if (s->closed != (is_client ? 1 : s->opened))
		return "the end was not told once";
	if (!s->closed)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(may_be); i++)
		known |= s->end.error == may_be[i];
	if (!known)
		return "an error that nothing here can cause";
	if (s->end.error == SESAME_ETIMEOUT && stage.play->kind < RIG_EARLY)
		return "somebody waited in vain";
	if (s->end.error && !*s->text)
		return "an error without a word";
	if (s->end.error && s->end.clean)
		return "an error, and yet it is clean";
	if (!s->end.error && !s->end.clean)
		return "no error, and yet it is not clean";
	if (s->end.clean && s->end.code != 1000 && s->end.code != 1011)
		return "a close code that nobody sent";
	if (!s->end.clean && s->end.code != 1006 && s->end.code != 1011 &&
	    s->end.code != 0 && s->end.code != 1000)
		return "a close code for no reason";
	return NULL;
}

static bool is_lossless(enum rig_kind kind)
{
	return kind == RIG_SHORT || kind == RIG_LATER || kind == RIG_SIGNAL;
}

static void tell(const char *who, const struct seat *s)
{
	rig_note("%s: opened %d closed %d messages %d bytes %zu error %s "
		 "code %u clean %d status %d: %s\n",
		 who, s->opened, s->closed, s->messages, s->bytes,
		 sesame_strerror(s->end.error), s->end.code, s->end.clean,
		 s->end.status, s->text);
}

static int play(void *arg)
{
	const char *wrong;
	bool over;

	stage.play = arg;
	if (!open_stage()) {
		close_stage();
		return 3;
	}
	over = visit(&stage.client);
	rig_spare();
	tell("client", &stage.client);
	tell("server", &stage.served);
	wrong = over ? judge(&stage.client, true) : "the visit never ended";
	if (!wrong)
		wrong = judge(&stage.served, false);
	/* who comes next finds everything in order */
	memset(&stage.served, 0, sizeof(stage.served));
	if (!wrong && !visit(&stage.client))
		wrong = "the next visit never ended";
	if (!wrong && stage.play->refuse && stage.client.end.status != 403)
		wrong = "the next one was not refused";
	if (!wrong && !stage.play->refuse &&
	    (stage.client.messages != 2 || !stage.client.end.clean))
		wrong = "the next one was not served";
	if (wrong) {
		tell("next client", &stage.client);
		rig_note("%s\n", wrong);
	}
	close_stage();
	return wrong != NULL;
}

/* ---- at every place ---- */

static char quiet[RIG_NOTES]; /* the notes when nothing goes wrong */

static bool at_place(enum rig_kind kind, long nth, void *arg)
{
	rig_run(kind, nth, play, arg);
	rig_check_end();
	if (nth < 0)
		memcpy(quiet, rig->notes, sizeof(quiet));
	if (WEXITSTATUS(rig->status) == 1)
		rig_fail("what was told is not right");
	else if (WEXITSTATUS(rig->status) != 0 &&
		 (nth < 0 || kind == RIG_SHORT || kind == RIG_LATER))
		rig_fail("it did not come to a start");
	else if ((nth < 0 || is_lossless(kind)) && strcmp(rig->notes, quiet) != 0)
		rig_fail("it was noticed");
	return nth < 0 || rig->struck;
}

static void torture(struct play *p)
{
	stage.data = malloc(LONG_DATA);
	for (size_t i = 0; i < LONG_DATA; i++)
		stage.data[i] = (char)('a' + (i * i >> 7) % 26);
	for (p->kind = 0; p->kind < N_RIG; p->kind++)
		rig_each(p->kind, at_place, p);
	free(stage.data);
	stage.data = NULL;
}

TEST("whichever call fails, a server and its client both come to an end in "
     "words, and the next one is served")
{
	torture(&(struct play){.deflate = false});
}

TEST("the same with compression")
{
	torture(&(struct play){.deflate = true});
}

TEST("the same when the handshake is refused")
{
	torture(&(struct play){.refuse = true});
}

TEST("the same over TLS")
{
	char file[64], ca_file[64];
	struct certificate ca = certificate_new("Test CA", NULL, NULL, -1, 30);
	struct certificate leaf =
		certificate_new("leaf", "IP:127.0.0.1", &ca, -1, 30);

	snprintf(file, sizeof(file), "/tmp/ses-torture-%d.pem", getpid());
	snprintf(ca_file, sizeof(ca_file), "/tmp/ses-torture-%d-ca.pem",
		 getpid());
	certificate_write(&leaf, file);
	certificate_write(&ca, ca_file);
	torture(&(struct play){
		.deflate = true, .cert_file = file, .ca_file = ca_file});
	unlink(file);
	unlink(ca_file);
	certificate_free(&ca);
	certificate_free(&leaf);
}
