/* SPDX-License-Identifier: MIT */
/*
 * `sesame serve`: read the configuration, open the doors, run until told to
 * stop. The first SIGTERM or SIGINT asks everybody to leave (close 1001), the
 * second one ends at once; SIGHUP reads the configuration again. What a
 * request meets is told in gate/visit.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sesame/version.h>

#include "cli/command.h"
#include "cli/options.h"
#include "gate/config.h"
#include "gate/house.h"
#include "gate/log.h"
#include "gate/value.h"

#define LEAVE_MS 10000 /* for connections to close */

static void print_help(void)
{
	puts("Usage: sesame serve [-c FILE] [--listen HOST:PORT] [--journal "
	     "FILE]\n\n"
	     "Run the gateway. Without -c it takes ./sesame.yaml, and without "
	     "that one it\nlistens at ws://127.0.0.1:8080 and echoes on every "
	     "path. Refused clients get a\nreference; `sesame why REFERENCE` "
	     "explains it.\n\n"
	     "Options");
	option_list(stdout, "serve");
	puts("\nExamples\n"
	     "  sesame serve -c sesame.yaml\n"
	     "  sesame serve --listen 127.0.0.1:0\n\n"
	     "Exit status: 0 stopped by a signal, 2 wrong usage or "
	     "configuration, 3 it could\nnot run.");
}

struct options {
	const char *config, *listen, *journal;
	bool help;
};

/* ---- Options ---- */

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "serve", .next = argv + 1};
	int more;

	while ((more = option_next(&r)) > 0) {
		if (!r.name) {
			fprintf(stderr,
				"sesame serve: a configuration is named with "
				"-c: sesame serve -c %s\n",
				r.value);
			return EXIT_USAGE;
		}
		if (strcmp(r.name, "config") == 0)
			o->config = r.value;
		else if (strcmp(r.name, "listen") == 0)
			o->listen = r.value;
		else if (strcmp(r.name, "journal") == 0)
			o->journal = r.value;
		else
			o->help = true;
	}
	return more < 0 ? EXIT_USAGE : EXIT_OK;
}

/* ---- Configuration ---- */

static struct gate_policy *read_file(const char *file)
{
	struct gate_policy *policy;
	struct ses_buf errors;

	if (!file && access("sesame.yaml", F_OK) == 0)
		file = "sesame.yaml";
	if (!file)
		return gate_config_builtin();
	ses_buf_init(&errors, 1 << 20);
	policy = gate_config_read(file, &errors);
	if (!policy)
		fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&errors);
	return policy;
}

/* Whoever reads the file must not believe that its listeners are there. */
static void tell_what_is_not_heard(const struct gate_policy *policy)
{
	char file[512];
	size_t i = 0;

	bytes_printable(bytes_of_str(policy->file), file, sizeof(file));
	while (i < policy->n_listen && !policy->listen[i].tls)
		i++;
	if (i < policy->n_listen)
		fprintf(stderr,
			"sesame: --listen is plain ws://, without the TLS of "
			"%s:%u\n",
			file, policy->listen[i].line);
	if (policy->n_listen > 1)
		fprintf(stderr,
			"sesame: --listen takes the place of all %zu listeners "
			"of %s\n",
			policy->n_listen, file);
}

/* --listen: one plain listener instead of those of the file. */
static bool listen_instead(struct gate_policy *policy, const char *text)
{
	struct gate_listen *listen = &policy->listen[0];
	struct bytes host;
	uint16_t port;
	char shown[512];
	const char *wrong = gate_listen_read(bytes_of_str(text), &host, &port);

	if (wrong) {
		fprintf(stderr, "sesame serve: --listen %s %s\n",
			bytes_printable(bytes_of_str(text), shown, sizeof(shown)),
			wrong);
		return false;
	}
	tell_what_is_not_heard(policy);
	gate_policy_keep_listeners(policy, 1);
	free(listen->host);
	listen->host = strndup((const char *)host.data, host.len);
	listen->port = port;
	listen->tls = false;
	return listen->host != NULL;
}

/* The configuration as file and options have it, or NULL: it is told. */
static struct gate_policy *read_policy(const struct options *o)
{
	struct gate_policy *policy = read_file(o->config);

	if (!policy || !o->listen || listen_instead(policy, o->listen))
		return policy;
	gate_policy_unref(policy);
	return NULL;
}

/*
 * Open the journal. Where nobody chose its place, the gateway runs without
 * one rather than not at all. False: it cannot run.
 */
static bool open_journal(const struct gate_policy *policy, const char *option,
			 struct gate_journal **ret)
{
	const char *file = option ? option : policy->journal;
	char place[4096], text[512];

	*ret = NULL;
	if (file && (!*file || strcmp(file, "none") == 0)) {
		printf("journal: none; refusals are told on standard error "
		       "only\n");
		return true;
	}
	if (!file && gate_journal_default_file(place, sizeof(place)))
		file = place;
	if (!file) {
		fprintf(stderr, "sesame: no journal: there is no home to keep "
				"it in; set journal.file\n");
		return true;
	}
	*ret = gate_journal_open(file, policy->journal_rows, policy->journal_bytes,
				 text, sizeof(text));
	if (*ret) {
		printf("journal: %s\n", file);
		return true;
	}
	fprintf(stderr, "sesame: %s\n", text);
	if (file != place)
		return false;
	fprintf(stderr, "sesame: running without a journal; set journal.file "
			"to a place that can be written\n");
	return true;
}

/* ---- Running ---- */

struct run {
	const struct options *options;
	struct sesame_loop *loop;
	struct gate_house *house;
	struct sesame_timer *patience; /* runs while it is being left */
	int signal_fd;
	bool leaving;
};

static void end_now(void *user)
{
	struct run *run = user;

	run->patience = NULL; /* a timer that fired is gone */
	sesame_loop_stop(run->loop);
}

static void on_empty(void *user)
{
	struct run *run = user;

	sesame_loop_stop(run->loop);
}

static void leave(struct run *run)
{
	size_t n = gate_house_visits(run->house);

	if (run->leaving) {
		sesame_loop_stop(run->loop);
		return;
	}
	run->leaving = true;
	gate_log("sesame: stopping; %zu %s asked to leave", n,
		 n == 1 ? "connection is" : "connections are");
	gate_house_leave(run->house);
	run->patience = sesame_timer_start(run->loop, LEAVE_MS, end_now, run);
}

/* A file with a fault changes nothing: who is served is served on. */
static void reload(struct run *run)
{
	struct gate_policy *policy;
	char text[512];

	if (run->leaving)
		return;
	policy = read_policy(run->options);
	if (!policy) {
		gate_log("sesame: not reloaded; the old configuration stays "
			 "in force");
		return;
	}
	if (gate_house_reload(run->house, policy, text, sizeof(text)))
		gate_log("sesame: reloaded %s", policy->file);
	else
		gate_log("sesame: not reloaded: %s; the old configuration "
			 "stays in force",
			 text);
	gate_policy_unref(policy);
}

static void on_signal(void *user)
{
	struct run *run = user;
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		reload(run);
	else
		leave(run);
}

static int block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* what cannot be raised stays */
}

static void print_start(const struct gate_doors *doors)
{
	for (size_t i = 0; i < doors->n; i++)
		printf("sesame %s listening on %s\n", SESAME_VERSION,
		       doors->door[i].url);
	if (doors->policy->file[0] == '(')
		printf("no configuration: every path echoes, for pages of "
		       "this host and for programs\n");
	fflush(stdout);
}

static int run_gate(const struct options *options, struct gate_policy *policy,
		    struct gate_journal *journal, int signal_fd)
{
	struct run run = {.options = options,
			  .loop = sesame_loop_new(),
			  .signal_fd = signal_fd};
	struct sesame_watch *watch = NULL;
	int status = EXIT_NO_ANSWER;
	char text[512];

	if (!run.loop || signal_fd < 0) {
		fprintf(stderr, "sesame: cannot start: %s%s\n", strerror(errno),
			errno == EMFILE || errno == ENFILE
				? "; raise the limit (ulimit -n, LimitNOFILE=)"
				: "");
		goto out;
	}
	run.house = gate_house_open(run.loop, policy, journal, on_empty, &run,
				    text, sizeof(text));
	if (!run.house) {
		fprintf(stderr, "sesame: %s\n", text);
		goto out;
	}
	watch = sesame_watch_start(run.loop, signal_fd, on_signal, &run);
	if (!watch) {
		fprintf(stderr, "sesame: out of memory\n");
		goto out;
	}
	print_start(gate_house_doors(run.house));
	status = sesame_loop_run(run.loop) == 0 ? EXIT_OK : EXIT_NO_ANSWER;
out:
	gate_house_free(run.house);
	if (run.patience)
		sesame_timer_stop(run.patience);
	if (watch)
		sesame_watch_stop(watch);
	sesame_loop_free(run.loop);
	return status;
}

int cmd_serve(int argc, char **argv)
{
	struct options options = {0};
	struct gate_policy *policy;
	struct gate_journal *journal;
	int status, signal_fd;

	status = read_options(argv, &options);
	if (status)
		return status;
	if (options.help) {
		print_help();
		return EXIT_OK;
	}
	policy = read_policy(&options);
	if (!policy)
		return EXIT_USAGE;
	raise_descriptor_limit();
	signal_fd = block_signals(); /* before there are threads */
	status = EXIT_NO_ANSWER;
	if (open_journal(policy, options.journal, &journal)) {
		status = run_gate(&options, policy, journal, signal_fd);
		gate_journal_close(journal);
	}
	if (signal_fd >= 0)
		close(signal_fd);
	gate_policy_unref(policy);
	return status;
}
