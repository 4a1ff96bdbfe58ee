/* SPDX-License-Identifier: MIT */
/* The looks are those of a start, in its order, each without its effect. */
#include "gate/foresight.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/yaml.h"

enum kind {
	PLAIN,	/* made where it is missing, in a folder that is there */
	BESIDE, /* others are made beside it, and the folders, too */
	SOCKET, /* made anew, and the folders, too */
};

struct look {
	const struct gate_policy *policy;
	const struct gate_foresight *to;
	bool sure; /* who starts it has the rights that we have here */
};

/* ---- One file ---- */

/* Cut @path to its folder. False: it has none above it. */
static bool cut_to_folder(char *path)
{
	char *slash = strrchr(path, '/');

	if (strcmp(path, ".") == 0 || strcmp(path, "/") == 0)
		return false;
	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path] = '\0';
	return true;
}

/* Why nothing can be made in the folder of @file, as an errno; 0: it can. */
static int why_no_place(const char *file, bool makes_folders)
{
	char folder[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(folder, sizeof(folder), "%s", file) >=
	    sizeof(folder))
		return ENAMETOOLONG;
	do {
		if (!cut_to_folder(folder))
			return ENOENT;
		errno = 0;
	} while (stat(folder, &st) < 0 && errno == ENOENT && makes_folders);
	if (errno)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	return access(folder, W_OK | X_OK) < 0 ? errno : 0;
}

static int why_not_written(const char *file, enum kind kind)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return errno == ENOENT ? why_no_place(file, kind != PLAIN)
				       : errno;
	if (kind == SOCKET)
		return S_ISSOCK(st.st_mode) ? why_no_place(file, true) : EEXIST;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (access(file, kind == BESIDE ? R_OK | W_OK : W_OK) < 0)
		return errno;
	return kind == BESIDE ? why_no_place(file, true) : 0;
}

/* Somebody else may have them. */
static bool is_a_matter_of_rights(int error)
{
	return error == EACCES || error == EPERM || error == EROFS;
}

static void look_at(const struct look *look, const char *setting,
		    const char *file, struct gate_place at, enum kind kind)
{
	const struct gate_policy *policy = look->policy;
	const char *who = policy->user ? policy->user : policy->group;
	bool rights;
	char text[4096];
	int error;

	if (!file || !*file)
		return;
	error = why_not_written(file, kind);
	if (kind == SOCKET &&
	    strlen(file) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		error = ENAMETOOLONG;
	if (!error)
		return;
	rights = is_a_matter_of_rights(error);
	snprintf(text, sizeof(text), "%s:%d:%d: %s: `%s` cannot be %s: %s%s%s",
		 policy->file, at.line, at.column, setting,
		 gate_show(bytes_of_str(file)).text,
		 kind == SOCKET ? "made" : "written", strerror(error),
		 rights && who ? ", as the gateway goes on as " : "",
		 rights && who ? who : "");
	if (rights && !look->sure)
		look->to->on_warning(look->to->user, text);
	else
		look->to->on_fault(look->to->user, text);
}

/* ---- All files ---- */

static bool becomes_another(const struct gate_policy *policy)
{
	return policy->user || policy->group;
}

/* It is written before rights are given up. */
static void look_before(const struct look *look)
{
	const struct gate_policy *policy = look->policy;

	look_at(look, "pid_file", policy->pid_file, policy->pid_file_at, PLAIN);
}

static void look_after(const struct look *look)
{
	const struct gate_policy *policy = look->policy;
	const char *log = policy->log_file;

	if (log && strcmp(log, "stdout") != 0 && strcmp(log, "stderr") != 0)
		look_at(look, "log.file", log, policy->log_file_at, PLAIN);
	gate_privileges_warn(policy, look->to->on_warning, look->to->user);
	look_at(look, "journal.file", policy->journal, policy->journal_at,
		BESIDE);
	if (policy->admin.on)
		look_at(look, "admin.socket", policy->admin.socket,
			policy->admin.socket_at, SOCKET);
}

/* ---- In a process of its own: what is given up does not come back ---- */

static void write_warning(void *user, const char *text)
{
	dprintf(*(int *)user, "w%s\n", text);
}

static void write_fault(void *user, const char *text)
{
	dprintf(*(int *)user, "f%s\n", text);
}

static _Noreturn void look_as_another(const struct gate_policy *policy, int fd)
{
	struct gate_foresight to = {write_fault, write_warning, &fd};
	struct look look = {policy, &to, true};
	bool root = geteuid() == 0;
	char text[256];

	if (root)
		look_before(&look);
	if (gate_privileges_drop(policy, text, sizeof(text)))
		look_after(&look);
	_exit(0);
}

static void pass_on(int fd, const struct gate_foresight *to)
{
	FILE *from = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while (from && (n = getline(&line, &size, from)) > 1) {
		line[n - 1] = '\0';
		if (line[0] == 'f')
			to->on_fault(to->user, line + 1);
		else
			to->on_warning(to->user, line + 1);
	}
	free(line);
	if (from)
		fclose(from);
	else
		close(fd);
}

static void ask_another(const struct gate_policy *policy,
			const struct gate_foresight *to)
{
	int end[2];
	pid_t pid;

	if (pipe2(end, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0)
		look_as_another(policy, end[1]);
	close(end[1]);
	pass_on(end[0], to);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void gate_foresee(const struct gate_policy *policy,
		  const struct gate_foresight *to)
{
	struct look look = {policy, to, geteuid() == 0};

	if (becomes_another(policy)) {
		ask_another(policy, to);
		return;
	}
	look_before(&look);
	look_after(&look);
}
