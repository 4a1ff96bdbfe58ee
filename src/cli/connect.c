/* SPDX-License-Identifier: MIT */
/*
 * `sesame connect`: open a connection and talk. Lines of standard input are
 * sent, messages go to standard output, and everything that is told about the
 * connection goes to standard error, so that it stands well in a pipe. What a
 * peer sent never reaches a terminal as control bytes.
 */
#include "cli/command.h"

#include <sesame/sesame.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/hint.h"
#include "cli/hush.h"
#include "cli/options.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/term.h"

#define MAX_MESSAGES 256
#define LINE_BYTES   ((size_t)64 << 20)
#define READ_BYTES   ((size_t)64 << 10)
#define SHOWN_BYTES  600 /* of a refusal's body */
#define WAIT_MS	     1000
#define ANSWER_MS    5000

struct talk {
	/* asked for */
	struct cli_request request;
	const char *messages[MAX_MESSAGES];
	size_t n_messages;
	unsigned long wanted; /* messages to wait for; 0: as long as they come */
	enum sesame_kind kind;
	uint64_t wait_ms, ping_ms, max_ms;
	bool wait_given, binary, verbose, help;
	/* as it goes */
	struct sesame_loop *loop;
	struct sesame_conn *conn;
	struct sesame_watch *watch;	/* of standard input */
	struct sesame_timer *next_read; /* of a plain file */
	struct sesame_timer *quiet, *pinger, *limit;
	char *line;
	size_t line_len, line_size;
	uint64_t received;
	bool is_open, at_eof, gone;
	struct hush hush;
	int interrupts;
	int status;
};

static struct talk *interrupted; /* for the signal handler */
static volatile sig_atomic_t signals;

/* ---- showing ---- */

static void show_message(enum sesame_kind kind, const uint8_t *data, size_t len)
{
	if (isatty(STDOUT_FILENO)) {
		cli_print_safely(stdout, (const char *)data, len);
		putchar('\n');
	} else {
		fwrite(data, 1, len, stdout);
		if (kind == SESAME_TEXT)
			putchar('\n');
	}
}

/* ---- ending ---- */

static void stop_timer(struct sesame_timer **timer)
{
	sesame_timer_stop(*timer);
	*timer = NULL;
}

static void stop_reading(struct talk *t)
{
	sesame_watch_stop(t->watch);
	t->watch = NULL;
	stop_timer(&t->next_read);
}

static void stop_all(struct talk *t)
{
	stop_reading(t);
	stop_timer(&t->quiet);
	stop_timer(&t->pinger);
	stop_timer(&t->limit);
}

static void finish(struct talk *t)
{
	if (t->conn)
		sesame_conn_close(t->conn, 1000, NULL);
}

/* How much is still to come before this was a success. */
static bool is_satisfied(const struct talk *t)
{
	return t->received >= t->wanted;
}

static void wait_for_quiet(struct talk *t);

static void on_quiet(void *user)
{
	struct talk *t = user;

	t->quiet = NULL;
	if (t->line_len || sesame_conn_queued(t->conn)) {
		wait_for_quiet(t); /* a slow reader is not a silent one */
		return;
	}
	if (!is_satisfied(t)) {
		term_tell(TERM_RED, "sesame: no answer came within %g s",
			  (double)t->wait_ms / 1000);
		t->status = EXIT_FAULT;
	}
	finish(t);
}

/* Nothing more will be sent: leave when the answers have come to an end. */
static void wait_for_quiet(struct talk *t)
{
	stop_timer(&t->quiet);
	if (!t->at_eof || (t->wanted && !t->n_messages && !t->wait_given))
		return;
	t->quiet = sesame_timer_start(t->loop, t->wait_ms, on_quiet, t);
}

static void on_limit(void *user)
{
	struct talk *t = user;

	t->limit = NULL;
	if (!t->is_open || !is_satisfied(t)) {
		term_tell(TERM_RED, "sesame: %s within %g s",
			  t->is_open ? "not all that was wanted came"
				     : "it did not open",
			  (double)t->max_ms / 1000);
		t->status = EXIT_FAULT;
	}
	finish(t);
}

/* ---- sending ---- */

/* True: go on. */
static bool send_one(struct talk *t, const char *data, size_t len)
{
	int error = sesame_conn_send(t->conn, t->kind, data, len);

	if (error == SESAME_EAGAIN)
		return false; /* on_drain() goes on */
	if (error == 0 || error == SESAME_ECLOSED)
		return error == 0;
	if (error == SESAME_EINVAL)
		term_tell(TERM_RED, "sesame: not sent, because it is not UTF-8 "
				    "(--binary sends any bytes)");
	else
		term_tell(TERM_RED, "sesame: not sent: %s",
			  sesame_strerror(error));
	t->status = EXIT_FAULT;
	return true;
}

/* Send the whole lines; what is left at the end is sent with @all. */
static bool send_lines(struct talk *t, bool all)
{
	size_t at = 0;
	bool go_on = true;

	while (at < t->line_len && go_on) {
		char *begin = t->line + at;
		char *end = memchr(begin, '\n', t->line_len - at);

		if (!end && !all)
			break;
		if (!end)
			end = t->line + t->line_len;
		go_on = send_one(t, begin, (size_t)(end - begin));
		at = (size_t)(end - t->line) + 1;
	}
	at = at < t->line_len ? at : t->line_len;
	memmove(t->line, t->line + at, t->line_len - at);
	t->line_len -= at;
	return go_on;
}

static bool make_room(struct talk *t)
{
	size_t size = t->line_size ? t->line_size * 2 : READ_BYTES * 2;
	char *line;

	if (t->line_size - t->line_len >= READ_BYTES)
		return true;
	line = size <= LINE_BYTES ? realloc(t->line, size) : NULL;
	if (!line)
		return false;
	t->line = line;
	t->line_size = size;
	return true;
}

static void end_of_input(struct talk *t)
{
	stop_reading(t);
	t->at_eof = true;
	send_lines(t, true);
	if (isatty(STDIN_FILENO)) /* Ctrl-D */
		finish(t);
	else
		wait_for_quiet(t);
}

static void read_input(void *user);

/* A plain file is always readable, which no loop watches: take turns. */
static void read_on(struct talk *t)
{
	if (t->watch || t->next_read || t->at_eof)
		return;
	t->watch = sesame_watch_start(t->loop, STDIN_FILENO, read_input, t);
	if (!t->watch)
		t->next_read = sesame_timer_start(t->loop, 0, read_input, t);
}

static void read_input(void *user)
{
	struct talk *t = user;
	ssize_t n;

	t->next_read = NULL; /* if it was that, it has fired */
	if (!make_room(t)) {
		term_tell(TERM_RED, "sesame: the line is too long");
		t->status = EXIT_FAULT;
		t->line_len = 0;
		end_of_input(t);
		return;
	}
	n = read(STDIN_FILENO, t->line + t->line_len, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		n = 0;
	else if (n <= 0)
		return end_of_input(t);
	t->line_len += (size_t)n;
	if (send_lines(t, false))
		read_on(t);
	else
		stop_reading(t);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	struct talk *t = user;

	if (!t->n_messages && send_lines(t, t->at_eof))
		read_on(t);
}

/* ---- pinging ---- */

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void on_ping_time(void *user)
{
	struct talk *t = user;
	uint64_t now = clock_us();

	sesame_conn_ping(t->conn, &now, sizeof(now));
	t->pinger = sesame_timer_start(t->loop, t->ping_ms, on_ping_time, t);
}

static void on_pong(struct sesame_conn *conn, void *user, const uint8_t *data,
		    size_t len)
{
	struct talk *t = user;
	uint64_t sent;

	if (!t->ping_ms || len != sizeof(sent))
		return;
	memcpy(&sent, data, sizeof(sent));
	term_tell(TERM_DIM, "pong after %.3f ms",
		  (double)(clock_us() - sent) / 1000);
}

/* ---- what the connection tells ---- */

static void on_handshake(struct sesame_conn *conn, void *user, bool sent,
			 const char *head, size_t len)
{
	const struct talk *t = user;

	if (t->verbose)
		hush_print_head(&t->hush, stderr, sent ? '>' : '<', head, len);
}

static void on_open(struct sesame_conn *conn, void *user)
{
	struct talk *t = user;
	const char *subprotocol = sesame_conn_subprotocol(conn);
	char shown[128];

	t->is_open = true;
	hush_text(&t->hush, subprotocol, strlen(subprotocol), shown,
		  sizeof(shown));
	term_tell(TERM_GREEN, "connected to %s at %s%s%s", t->request.shown_url,
		  sesame_conn_peer(conn), *shown ? ", subprotocol " : "", shown);
	if (t->ping_ms)
		on_ping_time(t);
	for (size_t i = 0; i < t->n_messages; i++)
		send_one(t, t->messages[i], strlen(t->messages[i]));
	if (t->n_messages) {
		t->at_eof = true;
		wait_for_quiet(t);
	} else {
		read_on(t);
	}
}

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct talk *t = user;

	if (t->wanted && is_satisfied(t))
		return; /* came behind the last one that was wanted */
	show_message(kind, data, len);
	t->received++;
	if (fflush(stdout) != 0) { /* the reader went away */
		finish(t);
		return;
	}
	if (t->wanted && is_satisfied(t))
		finish(t);
	else if (t->at_eof)
		wait_for_quiet(t);
}

/* The first line of @head that begins with @word, without its end. */
static struct bytes find_line(struct bytes head, const char *word)
{
	struct bytes line;
	ptrdiff_t end;

	for (; head.len; head = bytes_from(head, line.len + 1)) {
		end = bytes_find_byte(head, '\n');
		line = bytes_first(head, end < 0 ? head.len : (size_t)end);
		if (bytes_equal_nocase(bytes_first(line, strlen(word)),
				       bytes_of_str(word)))
			return bytes_trim(line);
	}
	return head;
}

/* By its reference the operator finds it, whoever wrote the body. */
static void tell_head(const struct talk *t, const struct sesame_end *end)
{
	struct bytes head = bytes_of(end->head, end->head_len);
	struct bytes line = find_line(head, "");
	struct bytes reference = find_line(head, "Sesame-Reference:");

	hush_print_head(&t->hush, stderr, '<', (const char *)line.data, line.len);
	if (reference.len && !end->body_len)
		hush_print_head(&t->hush, stderr, '<',
				(const char *)reference.data, reference.len);
}

static void tell_refusal(const struct talk *t, const struct sesame_end *end)
{
	size_t shown = end->body_len < SHOWN_BYTES ? end->body_len : SHOWN_BYTES;

	if (t->verbose)
		hush_print_head(&t->hush, stderr, '<', end->head, end->head_len);
	else
		tell_head(t, end);
	if (!shown)
		return;
	hush_print_body(&t->hush, stderr, end->body, shown);
	if (end->body[shown - 1] != '\n')
		fputs(shown < end->body_len ? "...\n" : "\n", stderr);
}

static void tell_close(const struct talk *t, const struct sesame_end *end)
{
	const char *name = sesame_close_name(end->code);
	char reason[512];

	hush_text(&t->hush, end->reason, end->reason_len, reason,
		  sizeof(reason));
	term_tell(end->code == 1000 ? TERM_DIM : TERM_YELLOW,
		  "closed%s: %u%s%s%s%s", end->by_peer ? " by the server" : "",
		  end->code, *name ? " " : "", name, *reason ? ": " : "",
		  reason);
}

static void on_close(struct sesame_conn *conn, void *user,
		     const struct sesame_end *end)
{
	struct talk *t = user;
	char text[1024];

	t->conn = NULL;
	t->gone = true;
	stop_all(t); /* this turn of the loop may still have some to call */
	sesame_loop_stop(t->loop);
	if (end->clean)
		tell_close(t, end);
	if (!t->status && !(end->clean && is_satisfied(t)))
		t->status = EXIT_FAULT;
	if (end->clean || end->error == SESAME_ECLOSED)
		return; /* what made us leave was told there */
	hush_text(&t->hush, end->text, strlen(end->text), text, sizeof(text));
	term_tell(TERM_RED, "sesame: %s", text);
	if (end->head_len)
		tell_refusal(t, end);
	if (!t->is_open)
		cli_hint(&t->request, &t->hush, TERM_CYAN);
}

static const struct sesame_handlers handlers = {
	.on_open = on_open,
	.on_message = on_message,
	.on_pong = on_pong,
	.on_drain = on_drain,
	.on_close = on_close,
	.on_handshake = on_handshake,
};

/* ---- the command line ---- */

static void print_help(void)
{
	fputs("Usage: sesame connect [options] URL\n\n"
	      "Opens a connection and talks: lines of standard input are sent "
	      "as text,\nmessages are printed to standard output, all else to "
	      "standard error.\n\n"
	      "  sesame connect wss://example.org/chat\n"
	      "  sesame connect -m hello ws://localhost:8080\n"
	      "  seq 3 | sesame connect ws://localhost:8080\n"
	      "  sesame connect -n 10 wss://example.org/feed < /dev/null\n\n",
	      stdout);
	option_list(stdout, "connect");
	fputs("\nExit status: 0 closed cleanly, 1 refused, failed or not "
	      "answered, 2 wrong usage,\n130 interrupted. When it does not "
	      "open, `sesame doctor URL` tells why.\n",
	      stdout);
}

static int read_ms(const char *text, uint64_t *ret_ms)
{
	double seconds;
	int status = cli_read_seconds("connect", text, &seconds);

	if (!status)
		*ret_ms = (uint64_t)(seconds * 1000);
	return status;
}

static int add_message(struct talk *t, const char *text)
{
	if (t->n_messages == MAX_MESSAGES)
		return cli_wrong("connect", "%s",
				 "too many messages; send them as lines");
	t->messages[t->n_messages++] = text;
	return 0;
}

static int take_option(struct talk *t, const char *name, const char *value)
{
	int status = cli_request_take(&t->request, name, value);

	if (status >= 0)
		return status;
	if (strcmp(name, "message") == 0)
		return add_message(t, value);
	if (strcmp(name, "count") == 0)
		return cli_read_count("connect", value, "messages", 1,
				      UINT32_MAX, &t->wanted);
	if (strcmp(name, "ping") == 0)
		return read_ms(value, &t->ping_ms);
	if (strcmp(name, "max-time") == 0)
		return read_ms(value, &t->max_ms);
	if (strcmp(name, "wait") == 0) {
		t->wait_given = true;
		return read_ms(value, &t->wait_ms);
	}
	if (strcmp(name, "one") == 0)
		t->wanted = 1;
	t->binary |= strcmp(name, "binary") == 0;
	t->verbose |= strcmp(name, "verbose") == 0;
	t->help |= strcmp(name, "help") == 0;
	return 0;
}

static int complain_no_url(void)
{
	fputs("sesame connect: which URL? For example:\n"
	      "  sesame connect wss://example.org/chat\n"
	      "  sesame connect -m hello ws://localhost:8080\n"
	      "`sesame connect --help` lists the options.\n",
	      stderr);
	return EXIT_USAGE;
}

/* What follows from the options once all are known. */
static int settle_options(struct talk *t)
{
	int status;

	if (!t->request.url)
		return complain_no_url();
	status = cli_request_settle(&t->request);
	if (status)
		return status;
	t->kind = t->binary ? SESAME_BINARY : SESAME_TEXT;
	if (t->n_messages && !t->wanted)
		t->wanted = t->n_messages;
	if (!t->wait_given)
		t->wait_ms = t->n_messages ? ANSWER_MS : WAIT_MS;
	return hush_init(&t->hush, t->request.url, &t->request.options) < 0
		       ? EXIT_NO_ANSWER
		       : 0;
}

static int read_options(struct talk *t, char **argv)
{
	struct option_reader reader = {.command = "connect", .next = argv + 1};
	int more, r;

	while ((more = option_next(&reader)) > 0) {
		r = reader.name
			    ? take_option(t, reader.name, reader.value)
			    : cli_request_take_url(&t->request, reader.value);
		if (r || t->help)
			return r;
	}
	return more < 0 ? EXIT_USAGE : settle_options(t);
}

/* ---- running ---- */

static void on_signal(int number)
{
	signals++;
	sesame_loop_stop(interrupted->loop);
}

/* The first Ctrl-C closes, the second one does not wait for the answer. */
static void mind_signals(struct talk *t)
{
	if (signals == t->interrupts)
		return;
	t->status = EXIT_INTERRUPTED;
	t->interrupts = signals;
	if (t->interrupts > 1)
		sesame_conn_abort(t->conn);
	else
		finish(t);
}

static int run(struct talk *t)
{
	char text[1024], shown[1024];
	int r;

	r = sesame_connect(t->loop, t->request.url, &t->request.options,
			   &handlers, t, &t->conn, text, sizeof(text));
	if (r < 0) {
		term_tell(TERM_RED, "sesame: %s",
			  hush_text(&t->hush, text, strlen(text), shown,
				    sizeof(shown)));
		return r == SESAME_ENOMEM ? EXIT_NO_ANSWER : EXIT_USAGE;
	}
	if (t->max_ms)
		t->limit = sesame_timer_start(t->loop, t->max_ms, on_limit, t);
	interrupted = t;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!t->gone && sesame_loop_run(t->loop) == 0)
		if (!t->gone)
			mind_signals(t);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	return t->status;
}

static void release(struct talk *t)
{
	stop_all(t);
	sesame_loop_free(t->loop);
	hush_fini(&t->hush);
	cli_request_fini(&t->request);
	free(t->line);
}

int cmd_connect(int argc, char **argv)
{
	struct talk t = {
		.request = {.command = "connect",
			    .options.limits = {.message_bytes = LINE_BYTES,
					       .queue_bytes = 2 * LINE_BYTES}},
	};
	int status = read_options(&t, argv);

	if (status == 0 && t.help) {
		print_help();
	} else if (status == 0) {
		t.loop = sesame_loop_new();
		status = EXIT_NO_ANSWER;
		if (t.loop)
			status = run(&t);
		else
			perror("sesame");
	}
	release(&t);
	return status;
}
