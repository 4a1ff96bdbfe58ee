/* SPDX-License-Identifier: MIT */
/*
 * A chat room: what one says, all others hear.
 *
 *	chat --port 9002
 *	sesame connect 'ws://127.0.0.1:9002/?nick=ann'
 *
 * What to look at: on_request(), which decides who comes in and hands over
 * what it made for the visitor; broadcast() with a filter, which builds the
 * frame once for all; and on_close(), the one place where a visitor ends.
 */
#include <sesame/sesame.h>

#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NICK_LEN 24

/* A visitor; made in on_request, freed in on_close. */
struct visitor {
	char nick[NICK_LEN + 1];
};

static struct sesame_loop *loop;
static struct sesame_server *server;

/* ---- coming in ---- */

/* The nick in "/?nick=ann&...": letters and digits, so nothing to decode. */
static bool read_nick(const char *target, char nick[NICK_LEN + 1])
{
	const char *at = strstr(target, "nick=");
	size_t n = 0;

	if (!at || at == target || (at[-1] != '?' && at[-1] != '&'))
		return false;
	for (at += 5; isalnum((unsigned char)*at) && n < NICK_LEN; at++)
		nick[n++] = *at;
	nick[n] = '\0';
	return n > 0 && (*at == '\0' || *at == '&');
}

/*
 * Whoever has a name may enter, from wherever their page came: a chat with
 * cookies or passwords would look at request->origin here. The visitor made
 * here is the user pointer of the connection's callbacks.
 */
static void on_request(struct sesame_server *s, void *user,
		       const struct sesame_request *request,
		       struct sesame_answer *answer)
{
	struct visitor *visitor = calloc(1, sizeof(*visitor));

	if (visitor && read_nick(request->target, visitor->nick)) {
		answer->user = visitor;
		return;
	}
	free(visitor);
	answer->status = 400;
	answer->body = "Say who you are: /?nick=NAME, up to 24 letters and "
		       "digits.";
}

/* ---- talking ---- */

static bool is_other(struct sesame_conn *conn, void *user)
{
	return conn != user;
}

/*
 * Tell all but @but. Whoever reads too slowly has a full queue and misses it;
 * nobody else waits for them.
 */
static void tell_others(struct sesame_conn *but, const char *nick,
			const char *verb, const void *data, size_t len)
{
	size_t room = NICK_LEN + 16 + len;
	char *line = malloc(room);
	int head;

	if (!line)
		return;
	head = snprintf(line, room, "%s%s", nick, verb);
	if (len)
		memcpy(line + head, data, len);
	sesame_server_broadcast(server, SESAME_TEXT, line, (size_t)head + len,
				is_other, but);
	free(line);
}

static void on_open(struct sesame_conn *conn, void *user)
{
	const struct visitor *visitor = user;

	tell_others(conn, visitor->nick, " came in", NULL, 0);
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	const struct visitor *visitor = user;

	if (kind == SESAME_TEXT)
		tell_others(conn, visitor->nick, ": ", data, len);
	else
		sesame_conn_close(conn, 1003, "only text, please");
}

/* However it ended: the connection is gone, and the visitor is ours again. */
static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct visitor *visitor = user;

	tell_others(conn, visitor->nick, end->clean ? " left" : " is gone",
		    NULL, 0);
	free(visitor);
}

/* ---- the program ---- */

static void on_signal(int number)
{
	sesame_loop_stop(loop);
}

static uint16_t read_port(int argc, char **argv)
{
	static const struct option names[] = {
		{"port", required_argument, NULL, 'p'}, {0}};
	int c = getopt_long(argc, argv, "p:", names, NULL);
	long port = c == 'p' ? strtol(optarg, NULL, 10) : 0;

	if ((c != 'p' && c != -1) || optind < argc || port < 0 || port > 65535) {
		fprintf(stderr, "usage: chat [--port N]\n");
		exit(2);
	}
	return (uint16_t)port;
}

int main(int argc, char **argv)
{
	static const struct sesame_handlers handlers = {
		.on_open = on_open,
		.on_message = on_message,
		.on_close = on_close,
	};
	struct sesame_server_options options = {
		.port = read_port(argc, argv),
		.on_request = on_request,
		.limits = {.message_bytes = 4096, .queue_bytes = 1 << 20},
	};
	char text[256];

	loop = sesame_loop_new();
	if (!loop) {
		perror("chat");
		return 1;
	}
	if (sesame_server_new(loop, &options, &handlers, &server, text,
			      sizeof(text)) < 0) {
		fprintf(stderr, "chat: %s\n", text);
		sesame_loop_free(loop);
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	printf("listening at ws://127.0.0.1:%u/?nick=NAME\n",
	       sesame_server_port(server));
	fflush(stdout);

	sesame_loop_run(loop); /* until a signal */

	sesame_server_close(server, 1001);
	while (sesame_server_connections(server) > 0 &&
	       sesame_loop_turn(loop, -1) == 0)
		;
	sesame_server_free(server);
	sesame_loop_free(loop);
	return 0;
}
