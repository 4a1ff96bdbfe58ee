/* SPDX-License-Identifier: MIT */
/* The access log, with a pipe for its file that is read as slowly as lines
 * come. */
#include "gate/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#define LINE 4096

static void add_line(struct gate_access_log *log)
{
	static char line[LINE];

	assert_true(gate_access_log_has_room(log));
	gate_access_log_add(log, bytes_of(line, sizeof(line)));
}

/* One line's length at most. False: there will be no more. */
static bool read_line(int fd)
{
	struct pollfd in = {.fd = fd, .events = POLLIN};
	char line[LINE];

	return poll(&in, 1, 5000) == 1 && read(fd, line, sizeof(line)) > 0;
}

TEST("a log that is opened again moves on though lines are always waiting")
{
	char folder[] = "/tmp/sesame-log-XXXXXX", file[64], aside[64], text[200];
	struct gate_policy policy = {.log_file = file};
	struct gate_access_log *log = gate_access_log_new();
	struct stat status;
	int fd, n = 0;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/log", folder);
	snprintf(aside, sizeof(aside), "%s/log.1", folder);
	assert_int_equal(mkfifo(file, 0600), 0);
	fd = open(file, O_RDONLY | O_NONBLOCK);
	assert_true(gate_access_log_set(log, &policy, text, sizeof(text)));
	for (int i = 0; i < 100; i++) /* more than a pipe has room for */
		add_line(log);
	assert_int_equal(rename(file, aside), 0);
	gate_access_log_reopen(log);
	for (; n < 1000 && read_line(fd); n++)
		add_line(log);
	gate_access_log_free(log);
	if (n == 1000)
		fail_msg("the old file is written on");
	assert_int_equal(stat(file, &status), 0);
	assert_true(status.st_size > 0);
	close(fd);
	unlink(file);
	unlink(aside);
	rmdir(folder);
}

/* Whether this process has @file open. */
static bool is_open(const char *file)
{
	char name[64], target[200];

	for (int fd = 3; fd < 100; fd++) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, target, sizeof(target) - 1);
		if (n > 0 && (size_t)n == strlen(file) &&
		    memcmp(target, file, (size_t)n) == 0)
			return true;
	}
	return false;
}

TEST("a file that is logged to no more is written to its end, and closed")
{
	char folder[] = "/tmp/sesame-log-XXXXXX", file[64], text[200];
	struct gate_policy policy = {.log_file = file},
			   none = {.log_file = NULL};
	struct gate_access_log *log = gate_access_log_new();
	struct stat status;
	int n = 0;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/log", folder);
	assert_true(gate_access_log_set(log, &policy, text, sizeof(text)));
	add_line(log);
	for (; n < 500 && (stat(file, &status) < 0 || !status.st_size); n++)
		usleep(10000);
	for (int i = 0; i < 19; i++)
		add_line(log);
	assert_true(gate_access_log_set(log, &none, text, sizeof(text)));
	for (; n < 500 && is_open(file); n++)
		usleep(10000);
	assert_true(n < 500);
	assert_int_equal(stat(file, &status), 0);
	assert_true(status.st_size >= 20 * LINE);
	gate_access_log_free(log);
	unlink(file);
	rmdir(folder);
}
