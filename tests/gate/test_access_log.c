/* SPDX-License-Identifier: MIT */
/* The access log, with a pipe for its file that is read as slowly as lines
 * come. */
#include "gate/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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
