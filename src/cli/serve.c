/* SPDX-License-Identifier: MIT */
/*
 * `sesame serve`: what its options and its configuration say. How it runs then
 * is told in cli/running.c, and what a request meets in gate/visit.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/running.h"
#include "gate/config.h"
#include "gate/value.h"

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

/*
 * Once a file was taken it is the one: where it is gone later, that is a fault
 * and no reason to serve what nobody chose.
 */
static struct gate_policy *read_file(struct options *o, struct ses_buf *errors)
{
	if (!o->config && access("sesame.yaml", F_OK) == 0)
		o->config = "sesame.yaml";
	if (!o->config)
		return gate_config_builtin();
	return gate_config_read(o->config, errors);
}

/* Whoever reads the file must not believe that its listeners are there. */
static void tell_what_is_not_heard(const struct gate_policy *policy)
{
	const struct gate_listen *tls = NULL, *proxied = NULL;
	char file[512];

	bytes_printable(bytes_of_str(policy->file), file, sizeof(file));
	for (size_t i = policy->n_listen; i-- > 0;) {
		const struct gate_listen *l = &policy->listen[i];

		tls = l->tls ? l : tls;
		proxied = l->proxy_protocol ? l : proxied;
	}
	if (tls)
		fprintf(stderr,
			"sesame: --listen is plain ws://, without the TLS of "
			"%s:%u\n",
			file, tls->line);
	if (proxied)
		fprintf(stderr,
			"sesame: --listen is plain ws://, without the "
			"proxy_protocol of %s:%u\n",
			file, proxied->line);
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
	listen->tls = listen->proxy_protocol = false;
	return listen->host != NULL;
}

/* The configuration as file and options have it, or NULL: why is told. */
static struct gate_policy *read_policy(struct options *o, struct ses_buf *errors)
{
	struct gate_policy *policy = read_file(o, errors);

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
	*ret = gate_journal_open(file, policy->journal_rows,
				 policy->journal_bytes, text, sizeof(text));
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

/* ---- For cli/running.c ---- */

static struct gate_policy *read_again(void *user, struct ses_buf *errors)
{
	return read_policy(user, errors);
}

static bool open_the_journal(void *user, const struct gate_policy *policy,
			     struct gate_journal **ret)
{
	const struct options *o = user;

	return open_journal(policy, o->journal, ret);
}

int cmd_serve(int argc, char **argv)
{
	struct options options = {0};
	struct running_setup setup = {.read = read_again,
				      .open_journal = open_the_journal,
				      .user = &options};
	struct ses_buf errors;
	int status = read_options(argv, &options);

	if (status)
		return status;
	if (options.help) {
		print_help();
		return EXIT_OK;
	}
	ses_buf_init(&errors, 1 << 20);
	setup.policy = read_policy(&options, &errors);
	fprintf(stderr, "%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&errors);
	if (!setup.policy)
		return EXIT_USAGE;
	status = running_serve(&setup);
	gate_policy_unref(setup.policy);
	return status;
}
