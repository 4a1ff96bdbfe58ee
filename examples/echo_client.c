/* SPDX-License-Identifier: MIT */
/*
 * A client that sends and one that answers.
 *
 *	echo_client ws://127.0.0.1:9001 hello world
 *		sends each word as a message and prints what comes back, until
 *		as many messages came as were sent
 *	echo_client ws://127.0.0.1:9001 < file
 *		the same with the lines of standard input
 *	echo_client --autobahn ws://127.0.0.1:9001 [--agent NAME]
 *		takes all cases of an Autobahn fuzzing server: asks how many
 *		there are, echoes through each, and has the report written;
 *		compression is always offered
 */
#include <sesame/sesame.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sesame_loop *loop;
static struct sesame_client_options options = {.no_deflate = true};

/*
 * Open @url and turn the loop until that connection is gone. The handlers set
 * *@gone in on_close, which comes in every case, also when nothing was opened.
 */
static int visit(const char *url, const struct sesame_handlers *handlers,
		 void *user, const bool *gone)
{
	struct sesame_conn *conn;
	char text[512];

	if (sesame_connect(loop, url, &options, handlers, user, &conn, text,
			   sizeof(text)) < 0) {
		fprintf(stderr, "echo_client: %s\n", text);
		return 1;
	}
	while (!*gone)
		if (sesame_loop_turn(loop, -1) < 0)
			return 1;
	return 0;
}

/* ---- sending and printing ---- */

struct talk {
	char **words; /* NULL: the lines of standard input */
	size_t n_words;
	size_t sent, received;
	bool failed, gone;
};

/* Queue everything. A real program would wait for on_drain() in between. */
static void talk_open(struct sesame_conn *conn, void *user)
{
	struct talk *talk = user;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	for (size_t i = 0; i < talk->n_words; i++, talk->sent++)
		sesame_conn_send(conn, SESAME_TEXT, talk->words[i],
				 strlen(talk->words[i]));
	while (!talk->words && (n = getline(&line, &size, stdin)) > 0) {
		n -= line[n - 1] == '\n';
		if (sesame_conn_send(conn, SESAME_TEXT, line, (size_t)n) ==
		    SESAME_ELIMIT)
			break;
		talk->sent++;
	}
	free(line);
	if (talk->sent == 0)
		sesame_conn_close(conn, 1000, NULL);
}

static void talk_message(struct sesame_conn *conn, void *user,
			 enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct talk *talk = user;

	fwrite(data, 1, len, stdout);
	putchar('\n');
	if (++talk->received == talk->sent)
		sesame_conn_close(conn, 1000, NULL);
}

static void talk_close(struct sesame_conn *conn, void *user,
		       const struct sesame_end *end)
{
	struct talk *talk = user;

	talk->gone = true;
	talk->failed = !end->clean || talk->received < talk->sent;
	if (*end->text)
		fprintf(stderr, "echo_client: %s\n", end->text);
}

static int talk(const char *url, char **words, size_t n_words)
{
	static const struct sesame_handlers handlers = {
		.on_open = talk_open,
		.on_message = talk_message,
		.on_close = talk_close,
	};
	struct talk talk = {.words = n_words ? words : NULL, .n_words = n_words};

	if (visit(url, &handlers, &talk, &talk.gone) != 0)
		return 1;
	return talk.failed;
}

/* ---- Autobahn ---- */

struct round {
	unsigned long number; /* a message that is one, for getCaseCount */
	bool gone;
	bool refused;	 /* what answered is no such server */
	bool unanswered; /* nobody is there */
};

static void keep_number(struct sesame_conn *conn, void *user,
			enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct round *round = user;
	char text[16] = "";

	memcpy(text, data, len < sizeof(text) - 1 ? len : sizeof(text) - 1);
	round->number = strtoul(text, NULL, 10);
}

static void echo(struct sesame_conn *conn, void *user, enum sesame_kind kind,
		 uint8_t *data, size_t len)
{
	if (sesame_conn_send(conn, kind, data, len) == SESAME_EAGAIN)
		sesame_conn_pause(conn);
}

static void go_on(struct sesame_conn *conn, void *user)
{
	sesame_conn_resume(conn);
}

static void round_over(struct sesame_conn *conn, void *user,
		       const struct sesame_end *end)
{
	struct round *round = user;

	round->gone = true;
	round->refused = end->status != 0;
	round->unanswered = end->error == SESAME_ECONNECT;
}

static const struct sesame_handlers question_handlers = {
	.on_message = keep_number,
	.on_close = round_over,
};
static const struct sesame_handlers echo_handlers = {
	.on_message = echo,
	.on_drain = go_on,
	.on_close = round_over,
};

/*
 * One connection to @base/@path. 0, or 1 when it could not be opened: that a
 * case (no question, that is) is refused may be what it is about.
 */
static int play(const char *base, const char *path,
		const struct sesame_handlers *handlers, struct round *round)
{
	bool failed;
	size_t n = strlen(base);
	char url[1024];

	*round = (struct round){0};
	n -= n > 0 && base[n - 1] == '/';
	snprintf(url, sizeof(url), "%.*s%s", (int)n, base, path);
	if (visit(url, handlers, round, &round->gone) != 0)
		return 1;
	failed = round->unanswered ||
		 (round->refused && handlers == &question_handlers);
	if (failed)
		fprintf(stderr, "echo_client: %s did not open\n", url);
	return failed;
}

static int autobahn(const char *base, const char *agent)
{
	struct round round;
	unsigned long n_cases;
	char path[256];

	if (play(base, "/getCaseCount", &question_handlers, &round) != 0)
		return 1;
	n_cases = round.number;
	for (unsigned long i = 1; i <= n_cases; i++) {
		snprintf(path, sizeof(path), "/runCase?case=%lu&agent=%s", i,
			 agent);
		if (play(base, path, &echo_handlers, &round) != 0)
			return 1;
	}
	snprintf(path, sizeof(path), "/updateReports?agent=%s", agent);
	printf("%lu cases\n", n_cases);
	return play(base, path, &question_handlers, &round);
}

/* ---- the command line ---- */

static const char usage[] =
	"usage: echo_client [--deflate] [--cacert FILE | --insecure] URL "
	"[MESSAGE...]\n"
	"       echo_client --autobahn URL [--agent NAME]\n";

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{"autobahn", required_argument, NULL, 'b'},
		{"agent", required_argument, NULL, 'a'},
		{"deflate", no_argument, NULL, 'd'},
		{"cacert", required_argument, NULL, 'c'},
		{"insecure", no_argument, NULL, 'k'},
		{0},
	};
	const char *suite = NULL, *agent = "sesame";
	int c, status;

	while ((c = getopt_long(argc, argv, "b:a:dc:k", names, NULL)) != -1)
		switch (c) {
		case 'b':
			suite = optarg;
			options.no_deflate = false;
			break;
		case 'a':
			agent = optarg;
			break;
		case 'd':
			options.no_deflate = false;
			break;
		case 'c':
			options.ca_file = optarg;
			break;
		case 'k':
			options.insecure = true;
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (!suite == (optind == argc)) {
		fputs(usage, stderr);
		return 2;
	}
	options.limits.message_bytes = (size_t)64 << 20;
	options.limits.queue_bytes = (size_t)80 << 20;
	loop = sesame_loop_new();
	if (!loop) {
		perror("echo_client");
		return 1;
	}
	status = suite ? autobahn(suite, agent)
		       : talk(argv[optind], argv + optind + 1,
			      (size_t)(argc - optind - 1));
	sesame_loop_free(loop);
	return status;
}
