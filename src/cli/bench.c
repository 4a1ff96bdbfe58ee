/* SPDX-License-Identifier: MIT */
/*
 * `sesame bench`: load for a WebSocket server, and how it bore it. What is done
 * is in src/load; here it is asked for and told.
 */
#include "cli/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/hint.h"
#include "cli/hush.h"
#include "cli/options.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/term.h"
#include "load/report.h"
#include "load/run.h"

#define CONNECTIONS_MOST 1000000
#define IN_FLIGHT_MOST	 100000

struct bench {
	struct cli_request request;
	struct load_plan plan;
	char *sources; /* addresses, each in SOURCE_BYTES */
	const char *plot;
	const char *of_messages; /* an option that says how they are, or NULL */
	bool json, quiet, deflate, help;
	struct hush hush;
};

#define SOURCE_BYTES INET6_ADDRSTRLEN

static volatile sig_atomic_t interrupted;

static int wrong(const char *format, const char *what)
{
	return cli_wrong("bench", format, what);
}

/* ---- the command line ---- */

static void print_help(void)
{
	fputs("Usage: sesame bench [options] URL\n\n"
	      "Loads a WebSocket server, checks every answer, and tells rate "
	      "and latency;\nwith --pid what it cost the server. Without "
	      "--broadcast, --handshakes or\n--idle the server has to echo.\n\n"
	      "  sesame bench ws://localhost:9001\n"
	      "  sesame bench -c 1000 -r 20000 --size 64:9,16K:1 "
	      "ws://localhost:9001\n"
	      "  sesame bench --broadcast -c 1001 ws://localhost:8080/chat/x\n"
	      "  sesame bench --handshakes --origin https://evil.example "
	      "--expect 403 \\\n"
	      "    --pid \"$(pidof sesame)\" ws://localhost:8080/chat\n\n",
	      stdout);
	option_list(stdout, "bench");
	fputs("\nExit status: 0 all went well, 1 something was lost, changed "
	      "or refused, 2 wrong\nusage, 3 it could not be measured, 130 "
	      "interrupted. Load only what is yours.\n",
	      stdout);
}

static int add_source(struct bench *b, const struct in_addr *address)
{
	unsigned n = b->plan.n_sources;
	char *text;

	if (n == LOAD_SOURCES)
		return wrong("%s", "too many --source addresses");
	if (!b->sources)
		b->sources = calloc(LOAD_SOURCES, SOURCE_BYTES);
	if (!b->sources)
		return EXIT_NO_ANSWER;
	text = b->sources + (size_t)n * SOURCE_BYTES;
	inet_ntop(AF_INET, address, text, SOURCE_BYTES);
	b->plan.sources[b->plan.n_sources++] = text;
	return 0;
}

/* "127.0.0.2-127.0.0.9", or one address of either family. */
static int add_sources(struct bench *b, const char *value)
{
	const char *dash = strchr(value, '-');
	struct in_addr from, to;
	char first[SOURCE_BYTES];
	int status = 0;

	if (!dash) {
		if (cli_check_source("bench", value))
			return EXIT_USAGE;
		if (b->plan.n_sources == LOAD_SOURCES)
			return wrong("%s", "too many --source addresses");
		b->plan.sources[b->plan.n_sources++] = value;
		return 0;
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dash - value), value);
	if (inet_pton(AF_INET, first, &from) != 1 ||
	    inet_pton(AF_INET, dash + 1, &to) != 1 ||
	    ntohl(from.s_addr) > ntohl(to.s_addr))
		return wrong("%s is not a range of addresses, such as "
			     "127.0.0.2-127.0.0.9",
			     value);
	for (uint32_t at = ntohl(from.s_addr);
	     !status && at <= ntohl(to.s_addr); at++)
		status = add_source(b, &(struct in_addr){htonl(at)});
	return status;
}

static int add_pid(struct bench *b, const char *word)
{
	unsigned long pid;
	int status = cli_read_count("bench", word, "a process", 1, INT32_MAX,
				    &pid);

	if (status)
		return status;
	if (b->plan.n_pids == LOAD_PIDS)
		return wrong("%s", "too many --pid");
	b->plan.pids[b->plan.n_pids++] = (int)pid;
	return 0;
}

/* "123 124\n", as pidof(1) and pgrep(1) print them; one at least. */
static int add_pids_of(struct bench *b, char *words)
{
	char *word = strtok_r(words, " \n", &words);
	int status;

	if (!word)
		return wrong("%s", "--pid has an empty place: processes are "
				   "numbers, several with commas");
	status = add_pid(b, word);
	while (!status && (word = strtok_r(NULL, " \n", &words)))
		status = add_pid(b, word);
	return status;
}

/* "123" or "123,124" */
static int add_pids(struct bench *b, const char *value)
{
	char list[LOAD_PIDS * 12], *at = list, *part;
	int status = 0;

	if (strlen(value) >= sizeof(list))
		return wrong("%s", "too many --pid");
	snprintf(list, sizeof(list), "%s", value);
	while (!status && (part = strsep(&at, ",")))
		status = add_pids_of(b, part);
	return status;
}

static int read_unsigned(const char *value, const char *unit,
			 unsigned long least, unsigned long most, unsigned *ret)
{
	unsigned long n;
	int status = cli_read_count("bench", value, unit, least, most, &n);

	if (!status)
		*ret = (unsigned)n;
	return status;
}

static int read_kind(struct bench *b, const char *value)
{
	static const char *const kinds[] = {"text", "binary", "both"};

	for (int i = 0; i < 3; i++)
		if (strcmp(value, kinds[i]) == 0) {
			b->plan.kind = (enum load_kind)i;
			return 0;
		}
	return wrong("--kind is text, binary or both, not %s", value);
}

static int read_rate(struct bench *b, const char *value)
{
	unsigned rate = 0;
	int status = read_unsigned(value, "messages each second", 1, 100000000,
				   &rate);

	b->plan.rate = rate;
	return status;
}

static int read_expect(struct bench *b, const char *value)
{
	unsigned status = 0;
	int wrong_status = read_unsigned(value, "a status", 200, 599, &status);

	b->plan.expect = (int)status;
	return wrong_status;
}

static int set_mode(struct bench *b, const char *name)
{
	static const struct {
		const char *name;
		enum load_mode mode;
	} modes[] = {{"broadcast", LOAD_BROADCAST},
		     {"handshakes", LOAD_HANDSHAKES},
		     {"idle", LOAD_IDLE}};

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(name, modes[i].name) != 0)
			continue;
		if (b->plan.mode != LOAD_ECHO && b->plan.mode != modes[i].mode)
			return wrong("%s", "one of --broadcast, --handshakes "
					   "and --idle, please");
		b->plan.mode = modes[i].mode;
		return 0;
	}
	return -1;
}

static int take_switch(struct bench *b, const char *name)
{
	if (strcmp(name, "json") == 0)
		b->json = true;
	else if (strcmp(name, "quiet") == 0)
		b->quiet = true;
	else if (strcmp(name, "deflate") == 0)
		b->deflate = true;
	else if (strcmp(name, "help") == 0)
		b->help = true;
	else
		return set_mode(b, name);
	return 0;
}

/* Whether option @name says how messages are. */
static bool is_of_messages(const char *name)
{
	return strcmp(name, "size") == 0 || strcmp(name, "kind") == 0 ||
	       strcmp(name, "in-flight") == 0;
}

static int take_option(struct bench *b, const char *name, const char *value)
{
	struct load_plan *plan = &b->plan;
	int status = take_switch(b, name);

	if (status >= 0)
		return status;
	if (is_of_messages(name))
		b->of_messages = name;
	if (strcmp(name, "connections") == 0)
		return read_unsigned(value, "connections", 1, CONNECTIONS_MOST,
				     &plan->connections);
	if (strcmp(name, "in-flight") == 0)
		return read_unsigned(value, "messages in flight", 1,
				     IN_FLIGHT_MOST, &plan->in_flight);
	if (strcmp(name, "threads") == 0)
		return read_unsigned(value, "threads", 1, LOAD_CROWDS,
				     &plan->threads);
	if (strcmp(name, "rate") == 0)
		return read_rate(b, value);
	if (strcmp(name, "expect") == 0)
		return read_expect(b, value);
	if (strcmp(name, "time") == 0)
		return cli_read_seconds("bench", value, &plan->seconds);
	if (strcmp(name, "warm-up") == 0)
		return cli_read_seconds("bench", value, &plan->warm_up);
	if (strcmp(name, "kind") == 0)
		return read_kind(b, value);
	if (strcmp(name, "source") == 0) {
		cli_request_note(&b->request, name, value);
		return add_sources(b, value);
	}
	if (strcmp(name, "pid") == 0)
		return add_pids(b, value);
	if (strcmp(name, "plot") == 0) {
		b->plot = value;
		return 0;
	}
	if (strcmp(name, "size") != 0)
		return cli_request_take(&b->request, name, value);
	if (!load_sizes_read(value, &plan->sizes))
		return wrong("%s is no size: 20, 125-1024, 16K, or several "
			     "with weights: 64:9,16K:1",
			     value);
	return 0;
}

static int complain_no_url(void)
{
	fputs("sesame bench: which URL? For example:\n"
	      "  sesame bench ws://localhost:9001\n"
	      "`sesame bench --help` lists the options.\n",
	      stderr);
	return EXIT_USAGE;
}

/* By the clock, messages wait for nobody: there has to be room for them. */
#define IN_FLIGHT_AT_RATE 1000

/* Whether the options go together. */
static int check_options(const struct bench *b)
{
	const struct load_plan *plan = &b->plan;
	bool is_silent = plan->mode == LOAD_HANDSHAKES || plan->mode == LOAD_IDLE;
	char text[256];

	if (plan->expect && plan->mode != LOAD_HANDSHAKES)
		return wrong("%s", "--expect goes with --handshakes");
	if (is_silent && b->of_messages)
		return wrong("--%s is of messages, and --handshakes and --idle "
			     "send none",
			     b->of_messages);
	if (plan->seconds <= 0)
		return wrong("%s", "--time 0 measures nothing");
	if (load_plan_check(plan, text, sizeof(text)) < 0)
		return wrong("%s", text);
	return 0;
}

static int complain_of_plot(const struct bench *b, const char *what)
{
	fprintf(stderr, "sesame bench: %s %s: %s\n", b->plot, what,
		strerror(errno));
	return EXIT_NO_ANSWER;
}

/* Told before the run and not after it: there can be no picture. */
static int try_plot(const struct bench *b)
{
	int fd = b->plot ? open(b->plot, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)
			 : -1;

	if (b->plot && fd < 0)
		return complain_of_plot(b, "cannot be written");
	if (fd >= 0)
		close(fd);
	return 0;
}

static int settle_options(struct bench *b)
{
	struct load_plan *plan = &b->plan;
	int status;

	if (!b->request.url)
		return complain_no_url();
	if (!plan->in_flight)
		plan->in_flight = plan->rate > 0 ? IN_FLIGHT_AT_RATE : 1;
	status = check_options(b);
	if (!status)
		status = try_plot(b);
	if (!status)
		status = cli_request_settle(&b->request);
	if (status)
		return status;
	b->request.options.no_deflate = !b->deflate;
	plan->options = b->request.options;
	plan->url = b->request.url;
	return hush_init(&b->hush, b->request.url, &b->request.options) < 0
		       ? EXIT_NO_ANSWER
		       : 0;
}

static int read_options(struct bench *b, char **argv)
{
	struct option_reader reader = {.command = "bench", .next = argv + 1};
	int more, r;

	while ((more = option_next(&reader)) > 0) {
		r = reader.name
			    ? take_option(b, reader.name, reader.value)
			    : cli_request_take_url(&b->request, reader.value);
		if (r || b->help)
			return r;
	}
	return more < 0 ? EXIT_USAGE : settle_options(b);
}

/* ---- running ---- */

static void on_signal(int number)
{
	interrupted = 1;
}

static void show_progress(const struct load_progress *p, void *user)
{
	const struct bench *b = user;
	char line[160];
	int width = term_width(stderr) - 1;

	if (b->quiet || b->json || !isatty(STDERR_FILENO))
		return;
	if (p->measuring)
		snprintf(line, sizeof(line),
			 "%.1f of %g s, %.0f each second, %u open", p->seconds,
			 b->plan.seconds, p->per_second, p->opened);
	else
		snprintf(line, sizeof(line), "%u of %u open%s, %u failed",
			 p->opened, b->plan.connections,
			 p->opened == b->plan.connections ? ", warming up" : "",
			 p->failed);
	fprintf(stderr, "\r%-*.*s\r", width, width, line);
}

static void end_progress(const struct bench *b)
{
	if (!b->quiet && !b->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", term_width(stderr) - 1, "");
}

/* What a server said may hold secrets of ours, and control bytes of its own. */
static void tame_text(const struct bench *b, char *text, size_t size)
{
	char tamed[sizeof(((struct load_tally *)NULL)->text)];

	snprintf(text, size, "%s",
		 hush_text(&b->hush, text, strlen(text), tamed, size));
}

static void tame(const struct bench *b, struct load_result *r)
{
	struct load_tally *t = &r->tally;

	tame_text(b, t->text, sizeof(t->text));
	tame_text(b, t->compression.terms, sizeof(t->compression.terms));
}

static int print_text(const struct bench *b, const struct load_result *r)
{
	struct ses_buf out;
	int error;

	ses_buf_init(&out, 65536);
	error = load_report_text(&out, &b->plan, b->request.shown_url, r);
	fwrite(out.data + out.start, 1, ses_buf_len(&out), stdout);
	ses_buf_fini(&out);
	return error;
}

static int print_json(const struct bench *b, const struct load_result *r)
{
	json_t *o = load_report_json(&b->plan, b->request.shown_url, r);
	char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
		       : NULL;

	json_decref(o);
	if (!text)
		return SESAME_ENOMEM;
	puts(text);
	free(text);
	return 0;
}

static int write_plot(const struct bench *b, const struct load_result *r)
{
	struct ses_buf out;
	FILE *f = fopen(b->plot, "w");
	int error;

	if (!f) {
		complain_of_plot(b, "cannot be written");
		return SESAME_ESYSTEM;
	}
	ses_buf_init(&out, (size_t)1 << 20);
	error = load_report_plot(&out, &b->plan, b->request.shown_url, r);
	fwrite(out.data + out.start, 1, ses_buf_len(&out), f);
	ses_buf_fini(&out);
	if (fclose(f) != 0) {
		complain_of_plot(b, "was not written whole");
		error = SESAME_ESYSTEM;
	}
	return error;
}

/* Answers came, but not in the time that counts. */
static int complain_of_nothing(void)
{
	fputs("sesame bench: no answer came in the time that was measured; "
	      "--time makes it longer\n",
	      stderr);
	return EXIT_NO_ANSWER;
}

static int tell_result(const struct bench *b, const struct load_result *r)
{
	const struct load_tally *t = &r->tally;
	int error = b->json ? print_json(b, r) : print_text(b, r);

	if (b->plot && !error)
		error = write_plot(b, r);
	if (error)
		return EXIT_NO_ANSWER;
	if (r->interrupted)
		return EXIT_INTERRUPTED;
	if (t->wrong || t->missing || t->lost || t->failed ||
	    t->compression.declined || r->ended_pid)
		return EXIT_FAULT;
	return t->received || b->plan.mode == LOAD_IDLE
		       ? EXIT_OK
		       : complain_of_nothing();
}

static int run(struct bench *b)
{
	struct load_watcher watcher = {show_progress, b, &interrupted};
	struct load_result *r = calloc(1, sizeof(*r));
	char text[512], shown[512];
	int error, status;

	if (!r)
		return EXIT_NO_ANSWER;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	error = load_run(&b->plan, &watcher, r, text, sizeof(text));
	end_progress(b);
	tame(b, r);
	if (error) {
		fprintf(stderr, "sesame bench: %s\n",
			hush_text(&b->hush, text, strlen(text), shown,
				  sizeof(shown)));
		if (error == SESAME_EREFUSED)
			cli_hint(&b->request, &b->hush, NULL);
		status = error == SESAME_EREFUSED ? EXIT_FAULT : EXIT_NO_ANSWER;
	} else {
		status = tell_result(b, r);
	}
	free(r);
	return status;
}

int cmd_bench(int argc, char **argv)
{
	struct bench b = {
		.request.command = "bench",
		.plan = {.connections = 100,
			 .threads = 1,
			 .seconds = 10,
			 .warm_up = 1},
	};
	int status;

	load_sizes_read("20", &b.plan.sizes);
	status = read_options(&b, argv);
	if (status == 0 && b.help)
		print_help();
	else if (status == 0)
		status = run(&b);
	hush_fini(&b.hush);
	cli_request_fini(&b.request);
	free(b.sources);
	return status;
}
