/* SPDX-License-Identifier: MIT */
/*
 * The smallest useful server: every message goes back to whoever sent it.
 *
 *	echo_server --port 9001
 *	echo_server --port 9001 --deflate --max-message 67108864
 *	echo_server --port 9001 --deflate --takeover
 *	echo_server --port 9443 --cert chain.pem --key key.pem
 *
 * What to look at: on_message(), which is the whole application, and how it
 * slows down a peer who sends faster than he reads.
 */
#include <sesame/sesame.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sesame_loop *loop;

/*
 * Send the message back. When too much waits to be sent, reading stops until
 * on_drain(): TCP then slows the peer down, and memory stays bounded.
 */
static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	int error = sesame_conn_send(conn, kind, data, len);

	if (error == SESAME_EAGAIN)
		sesame_conn_pause(conn);
	else if (error == SESAME_ELIMIT)
		sesame_conn_close(conn, 1008, "read what you are sent");
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	sesame_conn_resume(conn);
}

/* May be called at any moment, so it does one thing that is allowed then. */
static void on_signal(int number)
{
	sesame_loop_stop(loop);
}

static const char usage[] =
	"usage: echo_server [--port N] [--address A] [--deflate [--takeover]]\n"
	"                   [--max-message BYTES] [--cert FILE --key FILE]\n";

static unsigned long long number(const char *text, unsigned long long most)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > most) {
		fprintf(stderr, "echo_server: %s is not a number up to %llu\n",
			text, most);
		exit(2);
	}
	return n;
}

static void read_options(int argc, char **argv,
			 struct sesame_server_options *options)
{
	static const struct option names[] = {
		{"port", required_argument, NULL, 'p'},
		{"address", required_argument, NULL, 'a'},
		{"deflate", no_argument, NULL, 'd'},
		{"takeover", no_argument, NULL, 't'},
		{"max-message", required_argument, NULL, 'm'},
		{"cert", required_argument, NULL, 'c'},
		{"key", required_argument, NULL, 'k'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:a:dtm:c:k:", names, NULL)) != -1)
		switch (c) {
		case 'p':
			options->port = (uint16_t)number(optarg, 65535);
			break;
		case 'a':
			options->address = optarg;
			break;
		case 'd':
			options->deflate = true;
			break;
		case 't':
			options->deflate_takeover = true;
			break;
		case 'm':
			options->limits.message_bytes =
				number(optarg, (size_t)1 << 40);
			break;
		case 'c':
			options->cert_file = optarg;
			break;
		case 'k':
			options->key_file = optarg;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

/* An IPv6 address needs brackets in a URL. */
static void announce(const struct sesame_server_options *options,
		     const struct sesame_server *server)
{
	const char *scheme = options->cert_file ? "wss" : "ws";
	const char *address = options->address ? options->address : "127.0.0.1";
	const char *format = strchr(address, ':')
				     ? "listening at %s://[%s]:%u\n"
				     : "listening at %s://%s:%u\n";

	printf(format, scheme, address, sesame_server_port(server));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct sesame_handlers handlers = {
		.on_message = on_message,
		.on_drain = on_drain,
	};
	struct sesame_server_options options = {
		.limits.message_bytes = (size_t)64 << 20,
	};
	struct sesame_server *server;
	char text[256];

	read_options(argc, argv, &options);
	/* one whole message must fit behind what waits already */
	options.limits.queue_bytes =
		options.limits.message_bytes + ((size_t)16 << 20);
	loop = sesame_loop_new();
	if (!loop) {
		perror("echo_server");
		return 1;
	}
	if (sesame_server_new(loop, &options, &handlers, &server, text,
			      sizeof(text)) < 0) {
		fprintf(stderr, "echo_server: %s\n", text);
		sesame_loop_free(loop);
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	announce(&options, server);

	sesame_loop_run(loop); /* until a signal */

	sesame_server_close(server, 1001); /* tell everybody, wait for all */
	while (sesame_server_connections(server) > 0 &&
	       sesame_loop_turn(loop, -1) == 0)
		;
	sesame_server_free(server);
	sesame_loop_free(loop);
	return 0;
}
