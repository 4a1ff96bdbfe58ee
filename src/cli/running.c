/* SPDX-License-Identifier: MIT */
/*
 * The life of a running gateway. What needs rights is opened first, then they
 * are given up, then the rest begins: files are made by the user who will
 * write them, and no thread ever runs with more rights than it needs.
 */
#include "cli/running.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sesame/version.h>

#include "cli/command.h"
#include "cli/pid_file.h"
#include "gate/admin.h"
#include "gate/census.h"
#include "gate/house.h"
#include "gate/log.h"
#include "gate/plan.h"
#include "gate/privileges.h"
#include "gate/service_manager.h"
#include "net/clock.h"

#define STATUS_MS 10000 /* between two lines for the service manager */

struct run {
	const struct running_setup *setup;
	struct sesame_loop *loop;
	struct gate_house *house;
	struct gate_doors *doors; /* before there is a house */
	struct gate_journal *journal;
	struct gate_access_log *log;
	struct gate_admin *admin;
	struct gate_census *census;
	struct gate_view view;
	struct sesame_watch *watch;
	struct sesame_timer *patience; /* runs while it is being left */
	struct sesame_timer *watchdog, *status;
	uint64_t watchdog_ms;
	int signal_fd;
	struct pid_file pid_file;
	bool asleep_told;
};

/* ---- Leaving ---- */

static void end_now(void *user)
{
	struct run *run = user;

	run->patience = NULL; /* a timer that fired is gone */
	gate_log("sesame: %zu still there at stop.deadline; closing them",
		 gate_house_visits(run->house));
	sesame_loop_stop(run->loop);
}

static void on_empty(void *user)
{
	struct run *run = user;

	sesame_loop_stop(run->loop);
}

static void leave(struct run *run)
{
	const struct gate_stop *stop =
		&gate_house_doors(run->house)->policy->stop;
	size_t n = gate_house_visits(run->house);

	if (run->view.leaving) {
		sesame_loop_stop(run->loop);
		return;
	}
	run->view.leaving = true;
	gate_notify("STOPPING=1\nSTATUS=Waiting for %zu to leave", n);
	gate_log("sesame: stopping; %zu %s asked to leave", n,
		 n == 1 ? "connection is" : "connections are");
	run->patience =
		sesame_timer_start(run->loop, stop->deadline_ms, end_now, run);
	gate_house_leave(run->house);
}

/* ---- Reloading ---- */

static void note_reload(struct run *run, const char *fault)
{
	struct gate_reloads *r = &run->view.reloads;

	r->last_good = !fault;
	r->last_ms = ses_clock_wall_ms();
	if (fault) {
		r->n_bad++;
		snprintf(r->text, sizeof(r->text), "%s", fault);
		return;
	}
	r->n_good++;
	r->last_good_ms = r->last_ms;
	r->text[0] = '\0';
}

static void tell_of_restart(const json_t *answer)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(answer, "restart"), i, name)
		gate_log("sesame: %s has changed, which takes effect at the "
			 "next start",
			 json_string_value(name));
}

/* Serve by @policy. False: @text says why not, and nothing has changed. */
static bool change_to(struct run *run, struct gate_policy *policy, char *text,
		      size_t text_size)
{
	struct gate_log_target log;

	if (!gate_access_log_open(policy, &log, text, text_size))
		return false;
	if (!gate_house_reload(run->house, policy, text, text_size)) {
		gate_access_log_drop(&log);
		return false;
	}
	gate_access_log_take(run->log, policy, &log);
	return true;
}

/* What taking @policy over means for those who are there, and does not do. */
static json_t *plan_for(struct run *run, const struct gate_policy *policy)
{
	json_t *plan = gate_plan(run->house, policy, run->loop->now_ms);

	json_object_set_new(plan, "restart",
			    gate_plan_restart(run->setup->policy, policy));
	return plan;
}

/* The plan of @policy as the answer to who asked; it is in force from here. */
static json_t *take_over(struct run *run, struct gate_policy *policy)
{
	json_t *answer = plan_for(run, policy);
	char text[512];

	if (change_to(run, policy, text, sizeof(text))) {
		note_reload(run, NULL);
		json_object_set_new(answer, "done", json_true());
		tell_of_restart(answer);
		gate_log("sesame: reloaded %s", policy->file);
		return answer;
	}
	json_decref(answer);
	note_reload(run, text);
	gate_log("sesame: not reloaded: %s; the old configuration stays in "
		 "force",
		 text);
	return json_pack("{s:b,s:s}", "done", 0, "fault", text);
}

static json_t *tell_faults(struct run *run, struct bytes faults, bool plan)
{
	char text[sizeof(run->view.reloads.text)];

	snprintf(text, sizeof(text), "%.*s", BYTES_ARG(faults));
	if (!plan) {
		fprintf(stderr, "%.*s", BYTES_ARG(faults));
		note_reload(run, text);
		gate_log("sesame: not reloaded; the old configuration stays "
			 "in force");
	}
	return json_pack("{s:b,s:s%}", "done", 0, "fault", (char *)faults.data,
			 faults.len);
}

/* A file with a fault changes nothing: who is served is served on. */
static json_t *read_again(void *user, bool plan)
{
	struct run *run = user;
	struct gate_policy *policy;
	struct ses_buf errors;
	json_t *answer;

	if (run->view.leaving)
		return NULL;
	if (!plan)
		gate_notify_reloading();
	ses_buf_init(&errors, 1 << 20);
	policy = run->setup->read(run->setup->user, &errors);
	if (!policy) {
		answer = tell_faults(run, ses_buf_bytes(&errors), plan);
	} else if (plan) {
		answer = plan_for(run, policy);
		json_object_set_new(answer, "done", json_true());
	} else {
		answer = take_over(run, policy);
	}
	if (answer)
		json_object_set_new(
			answer, "file",
			json_string(gate_house_doors(run->house)->policy->file));
	gate_policy_unref(policy);
	ses_buf_fini(&errors);
	if (!plan)
		gate_notify("READY=1");
	return answer;
}

/* ---- Signals ---- */

static void on_signal(void *user)
{
	struct run *run = user;
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		json_decref(read_again(run, false));
	else if (info.ssi_signo == SIGUSR1)
		gate_access_log_reopen(run->log);
	else
		leave(run);
}

static int block_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file over its limit is a write's error */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- The service manager ---- */

/* A worker that hangs is found by the manager: it is told no more. */
static void on_watchdog(void *user)
{
	struct run *run = user;
	bool awake = gate_house_is_awake(run->house);

	if (awake)
		gate_notify("WATCHDOG=1");
	else if (!run->asleep_told)
		gate_log("sesame: a worker does not answer; the service "
			 "manager is not told that all is well");
	run->asleep_told = !awake;
	run->watchdog = sesame_timer_start(run->loop, run->watchdog_ms,
					   on_watchdog, run);
}

static void on_status(void *user)
{
	struct run *run = user;
	size_t n = gate_house_visits(run->house);

	if (!run->view.leaving)
		gate_notify("STATUS=Serving %zu connection%s%s", n,
			    n == 1 ? "" : "s",
			    run->view.reloads.last_good
				    ? ""
				    : "; the configuration has a fault");
	run->status = sesame_timer_start(run->loop, STATUS_MS, on_status, run);
}

static void tell_manager(struct run *run)
{
	if (!gate_notify("READY=1\nMAINPID=%ld\nSTATUS=Serving", (long)getpid()))
		return;
	run->status = sesame_timer_start(run->loop, STATUS_MS, on_status, run);
	run->watchdog_ms = gate_notify_watchdog_ms();
	if (run->watchdog_ms)
		on_watchdog(run);
}

/* ---- Beginning ---- */

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* what cannot be raised stays */
}

static void print_start(const struct run *run)
{
	const struct gate_doors *doors = gate_house_doors(run->house);

	for (size_t i = 0; i < doors->n; i++)
		printf("sesame %s listening on %s\n", SESAME_VERSION,
		       doors->door[i].url);
	if (doors->policy->file[0] == '(')
		printf("no configuration: every path echoes, for pages of "
		       "this host and for programs\n");
	fflush(stdout);
}

/* It is written before rights are given up: /run is root's. */
static bool write_pid(struct run *run, char *text, size_t text_size)
{
	const char *name = run->setup->policy->pid_file;

	return !name || pid_file_open(&run->pid_file, name, text, text_size);
}

static bool open_doors(struct run *run, char *text, size_t text_size)
{
	struct gate_policy *policy = run->setup->policy;

	gate_inherit();
	run->doors = gate_doors_open(policy, gate_house_workers(policy), NULL,
				     text, text_size);
	if (run->doors && policy->admin.on)
		run->admin = gate_admin_open(run->loop, &policy->admin, text,
					     text_size);
	gate_tell_uninherited();
	return run->doors && (run->admin || !policy->admin.on);
}

/* Where somebody chose the place, it is needed; else it may be missing. */
static bool open_control(struct run *run, char *text, size_t text_size)
{
	const char *file = run->setup->policy->admin.socket;
	char place[4096];

	if (!run->admin || (file && !*file))
		return true;
	gate_admin_obey(run->admin, read_again, run);
	if (file)
		return gate_admin_open_socket(run->admin, file, text, text_size);
	if (!gate_admin_default_socket(place, sizeof(place)) ||
	    !gate_admin_open_socket(run->admin, place, text, text_size))
		gate_log("sesame: `sesame reload` cannot ask this gateway: %s",
			 text);
	return true;
}

static bool open_house(struct run *run, char *text, size_t text_size)
{
	struct gate_house_setup setup = {.loop = run->loop,
					 .doors = run->doors,
					 .journal = run->journal,
					 .log = run->log,
					 .on_empty = on_empty,
					 .user = run};

	run->house = gate_house_open(&setup, text, text_size);
	if (!run->house)
		return false;
	gate_doors_unref(run->doors);
	run->doors = NULL;
	run->view.house = run->house;
	run->view.journal = run->journal;
	run->view.log = run->log;
	run->view.started_ms = ses_clock_wall_ms();
	run->view.loop = run->loop;
	run->view.reloads.last_good = true;
	run->view.reloads.last_good_ms = run->view.started_ms;
	run->census = gate_census_begin(&run->view);
	if (run->admin)
		gate_admin_show(run->admin, &run->view);
	if (!run->census)
		snprintf(text, text_size, "out of memory");
	return run->census;
}

static bool open_log(struct run *run, char *text, size_t text_size)
{
	run->log = gate_access_log_new();
	if (run->log)
		return gate_access_log_set(run->log, run->setup->policy, text,
					   text_size);
	snprintf(text, text_size, "no thread for the log: %s", strerror(errno));
	return false;
}

static bool open_watch(struct run *run, char *text, size_t text_size)
{
	run->watch =
		sesame_watch_start(run->loop, run->signal_fd, on_signal, run);
	if (!run->watch)
		snprintf(text, text_size, "out of memory");
	return run->watch;
}

static void warn(void *user, const char *sentence)
{
	(void)user;
	gate_log("sesame: %s", sentence);
}

/* In this order: see the top. False: it cannot run, which is told. */
static bool begin(struct run *run)
{
	const struct running_setup *setup = run->setup;
	char text[512] = "";
	bool good;

	if (!run->loop || run->signal_fd < 0) {
		fprintf(stderr, "sesame: cannot start: %s%s\n", strerror(errno),
			errno == EMFILE || errno == ENFILE
				? "; raise the limit (ulimit -n, LimitNOFILE=)"
				: "");
		return false;
	}
	good = open_doors(run, text, sizeof(text)) &&
	       write_pid(run, text, sizeof(text)) &&
	       gate_privileges_drop(setup->policy, text, sizeof(text)) &&
	       open_log(run, text, sizeof(text));
	if (good)
		gate_privileges_warn(setup->policy, warn, NULL);
	if (good &&
	    !setup->open_journal(setup->user, setup->policy, &run->journal))
		return false; /* it was told */
	good = good && open_house(run, text, sizeof(text)) &&
	       open_watch(run, text, sizeof(text)) &&
	       open_control(run, text, sizeof(text));
	if (!good)
		fprintf(stderr, "sesame: %s\n", text);
	return good;
}

static void stop_timer(struct sesame_timer *timer)
{
	if (timer)
		sesame_timer_stop(timer);
}

static void end(struct run *run)
{
	gate_admin_close(run->admin);
	gate_census_end(run->census);
	gate_house_free(run->house);
	gate_doors_unref(run->doors);
	gate_access_log_free(run->log);
	gate_journal_close(run->journal);
	stop_timer(run->patience);
	stop_timer(run->watchdog);
	stop_timer(run->status);
	if (run->watch)
		sesame_watch_stop(run->watch);
	sesame_loop_free(run->loop);
	if (run->signal_fd >= 0)
		close(run->signal_fd);
	pid_file_close(&run->pid_file);
}

int running_serve(const struct running_setup *setup)
{
	struct run run = {.setup = setup, .signal_fd = -1};
	int status = EXIT_NO_ANSWER;

	raise_descriptor_limit();
	run.signal_fd = block_signals(); /* before there are threads */
	run.loop = sesame_loop_new();
	if (begin(&run)) {
		if (run.admin)
			printf("admin: %s\n", gate_admin_url(run.admin));
		print_start(&run);
		tell_manager(&run);
		status = sesame_loop_run(run.loop) == 0 ? EXIT_OK
							: EXIT_NO_ANSWER;
	}
	end(&run);
	return status;
}
