/* SPDX-License-Identifier: MIT */
/*
 * `sesame reload`: ask a running gateway to read its configuration again, and
 * tell what came of it. The gateway's control socket answers; where there is
 * none a signal has to do, and the outcome is in the gateway's log only.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/pid_file.h"
#include "gate/admin.h"
#include "gate/config.h"
#include "gate/json.h"

#define ANSWER_BYTES ((size_t)64 * 1024 * 1024)
#define ANSWER_S     60

static void print_help(void)
{
	puts("Usage: sesame reload [-c FILE] [--plan] [--socket FILE | --pid "
	     "PID]\n\n"
	     "Ask the gateway that runs FILE (else ./sesame.yaml) to read it "
	     "again. A file\nwith a fault changes nothing. Connections stay "
	     "whose route is still there and\nleads to the same place.\n\n"
	     "Options");
	option_list(stdout, "reload");
	puts("\nExamples\n"
	     "  sesame reload -c sesame.yaml --plan\n"
	     "  sesame reload -c sesame.yaml\n\n"
	     "Exit status: 0 reloaded, or asked to; 1 not reloaded: the file "
	     "has "
	     "a fault, or\nthe gateway could not take it up; 2 wrong usage; 3 "
	     "the gateway was "
	     "not found.");
}

struct options {
	const char *config, *socket, *pid;
	bool plan, help;
};

static int read_options(char **argv, struct options *o)
{
	struct option_reader r = {.command = "reload", .next = argv + 1};
	int more;

	while ((more = option_next(&r)) > 0) {
		if (!r.name) {
			fprintf(stderr,
				"sesame reload: a configuration is named with "
				"-c: sesame reload -c %s\n",
				r.value);
			return EXIT_USAGE;
		}
		if (strcmp(r.name, "config") == 0)
			o->config = r.value;
		else if (strcmp(r.name, "socket") == 0)
			o->socket = r.value;
		else if (strcmp(r.name, "pid") == 0)
			o->pid = r.value;
		else if (strcmp(r.name, "plan") == 0)
			o->plan = true;
		else
			o->help = true;
	}
	if (more >= 0 && o->pid && (o->plan || o->socket)) {
		fprintf(stderr,
			"sesame reload: --pid sends a signal, which "
			"%s\n",
			o->plan ? "tells no plan" : "needs no --socket");
		return EXIT_USAGE;
	}
	return more < 0 ? EXIT_USAGE : EXIT_OK;
}

/* ---- By a signal ---- */

static int send_signal(pid_t pid)
{
	if (kill(pid, SIGHUP) < 0) {
		fprintf(stderr, "sesame reload: process %ld: %s\n", (long)pid,
			strerror(errno));
		return EXIT_NO_ANSWER;
	}
	printf("asked process %ld; its log tells what came of it\n", (long)pid);
	return EXIT_OK;
}

static int send_signal_to(const char *text)
{
	uint64_t pid;

	if (bytes_to_u64(bytes_of_str(text), INT32_MAX, &pid) && pid > 1)
		return send_signal((pid_t)pid);
	fprintf(stderr, "sesame reload: `%s` is no process\n", text);
	return EXIT_USAGE;
}

static int send_signal_by_file(const char *file)
{
	char text[4400];
	pid_t pid = pid_file_read(file, text, sizeof(text));

	if (pid)
		return send_signal(pid);
	fprintf(stderr, "sesame reload: %s\n", text);
	return EXIT_NO_ANSWER;
}

/* ---- By the control socket ---- */

static int dial(const char *file)
{
	struct timeval patience = {.tv_sec = ANSWER_S};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(file) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, file);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* All that comes until the end, behind the head. */
static json_t *read_answer(int fd)
{
	struct ses_buf in;
	json_t *answer = NULL;
	uint8_t *room;
	const char *body;
	ssize_t n = 0;

	ses_buf_init(&in, ANSWER_BYTES);
	while ((room = ses_buf_room(&in, 65536)) &&
	       (n = recv(fd, room, 65536, 0)) > 0)
		ses_buf_commit(&in, (size_t)n);
	ses_buf_append(&in, bytes_of("", 1));
	if (room && n == 0 && in.data) {
		body = strstr((const char *)ses_buf_bytes(&in).data,
			      "\r\n\r\n");
		answer = gate_json_load(body ? body + 4 : NULL);
	}
	ses_buf_fini(&in);
	return answer;
}

/* NULL: told why. */
static json_t *ask(const char *socket_file, const char *method, const char *path)
{
	char request[128];
	int fd = dial(socket_file);
	json_t *answer;

	if (fd < 0) {
		fprintf(stderr,
			"sesame reload: no gateway answers at %s: %s; one that "
			"was started with another admin.socket is named with "
			"--socket\n",
			socket_file, strerror(errno));
		return NULL;
	}
	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, path);
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	answer = read_answer(fd);
	close(fd);
	if (!answer)
		fprintf(stderr,
			"sesame reload: the gateway at %s gave no answer; it "
			"may be stopping\n",
			socket_file);
	return answer;
}

/* ---- Telling ---- */

static long long number_of(const json_t *from, const char *name)
{
	return json_integer_value(json_object_get(from, name));
}

static void tell_routes(const json_t *answer, bool plan)
{
	const json_t *route;
	size_t i;

	json_array_foreach(json_object_get(answer, "routes"), i, route)
	{
		long long kept = number_of(route, "kept");
		long long cut = number_of(route, "cut");

		if (!cut && !(plan && kept))
			continue;
		printf("  %-32s ",
		       json_string_value(json_object_get(route, "path")));
		if (kept)
			printf("%lld %s%s", kept, plan ? "would stay" : "stay",
			       cut ? ", " : "");
		if (cut)
			printf("%lld %s", cut, plan ? "would be cut" : "cut");
		printf("\n");
	}
}

static void tell_of_restart(const json_t *answer)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(answer, "restart"), i, name)
		printf("  %s has changed, which takes effect at the next "
		       "start\n",
		       json_string_value(name));
}

static int tell(const json_t *answer, bool plan)
{
	const char *fault = json_string_value(json_object_get(answer, "fault"));
	long long kept;

	if (!json_is_true(json_object_get(answer, "done"))) {
		fprintf(stderr,
			"%s%ssesame reload: not reloaded; the old "
			"configuration is in force\n",
			fault ? fault : "",
			fault && *fault && fault[strlen(fault) - 1] != '\n'
				? "\n"
				: "");
		return EXIT_FAULT;
	}
	kept = number_of(answer, "kept");
	printf("%s %s: %lld connection%s %s, %lld %s\n",
	       plan ? "with" : "reloaded",
	       json_string_value(json_object_get(answer, "file")), kept,
	       kept == 1 ? "" : "s",
	       plan	   ? "would stay"
	       : kept == 1 ? "stays"
			   : "stay",
	       number_of(answer, "cut"), plan ? "would be cut" : "cut");
	tell_routes(answer, plan);
	tell_of_restart(answer);
	return EXIT_OK;
}

/* The gateway at the socket may run another file than the one that was meant. */
static bool runs(const char *socket_file, const char *config)
{
	json_t *status = ask(socket_file, "GET", "/status.json");
	const char *path = json_string_value(json_object_get(
		json_object_get(status, "configuration"), "path"));
	char *ours = realpath(config, NULL);
	bool same = status && (!path || !ours || strcmp(path, ours) == 0);

	if (status && !same)
		fprintf(stderr,
			"sesame reload: the gateway at %s runs %s; --socket "
			"names that of another\n",
			socket_file, path);
	free(ours);
	json_decref(status);
	return same;
}

static int ask_to_reload(const char *socket_file, const char *config, bool plan)
{
	json_t *answer;
	int status;

	if (config && !runs(socket_file, config))
		return EXIT_NO_ANSWER;
	answer = ask(socket_file, "POST", plan ? "/reload-plan" : "/reload");
	if (!answer)
		return EXIT_NO_ANSWER;
	status = tell(answer, plan);
	json_decref(answer);
	return status;
}

/* ---- Finding the gateway ---- */

static int reload_by(const struct gate_policy *policy, const char *config,
		     const struct options *o)
{
	const char *file = policy->admin.socket;
	char place[4096];

	if (policy->admin.on && file && *file)
		return ask_to_reload(file, config, o->plan);
	if (policy->admin.on && !file &&
	    gate_admin_default_socket(place, sizeof(place)))
		return ask_to_reload(place, config, o->plan);
	if (policy->pid_file && !o->plan)
		return send_signal_by_file(policy->pid_file);
	fprintf(stderr,
		"sesame reload: %s has no `admin`%s, so its gateway cannot be "
		"asked; --socket or --pid name it\n",
		config, o->plan ? "" : " and no pid_file");
	return EXIT_NO_ANSWER;
}

static int reload_by_file(const struct options *o)
{
	const char *config = o->config ? o->config : "sesame.yaml";
	struct gate_policy *policy;
	struct ses_buf errors;
	int status = EXIT_FAULT;

	ses_buf_init(&errors, 1 << 20);
	policy = gate_config_read(config, &errors);
	if (policy)
		status = reload_by(policy, config, o);
	else
		fprintf(stderr,
			"%.*ssesame reload: no gateway was asked; one that "
			"runs %s keeps the configuration that it has\n",
			BYTES_ARG(ses_buf_bytes(&errors)), config);
	gate_policy_unref(policy);
	ses_buf_fini(&errors);
	return status;
}

int cmd_reload(int argc, char **argv)
{
	struct options o = {0};
	int status = read_options(argv, &o);

	if (status)
		return status;
	if (o.help) {
		print_help();
		return EXIT_OK;
	}
	if (o.pid)
		return send_signal_to(o.pid);
	if (o.socket)
		return ask_to_reload(o.socket, o.config, o.plan);
	return reload_by_file(&o);
}
