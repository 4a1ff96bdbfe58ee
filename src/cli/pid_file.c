/* SPDX-License-Identifier: MIT */
#include "cli/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

static bool write_number(int fd)
{
	char number[32];
	int n = snprintf(number, sizeof(number), "%ld\n", (long)getpid());

	return ftruncate(fd, 0) == 0 && write(fd, number, (size_t)n) == n;
}

bool pid_file_open(struct pid_file *file, const char *name, char *text,
		   size_t text_size)
{
	/* A pipe that nobody reads must not hold us. */
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	int saved;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_number(fd) &&
	    (file->name = strdup(name))) {
		file->fd = fd;
		return true;
	}
	saved = errno;
	snprintf(text, text_size, "pid_file: %s cannot be written: %s", name,
		 saved == EWOULDBLOCK
			 ? "a gateway that runs has it; name another"
			 : strerror(saved));
	if (fd >= 0)
		close(fd);
	return false;
}

/* Somebody may have put another file in its place. */
static bool is_still_there(const struct pid_file *file)
{
	struct stat ours, there;

	return fstat(file->fd, &ours) == 0 && lstat(file->name, &there) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void pid_file_close(struct pid_file *file)
{
	if (!file->name)
		return;
	/* Its folder may be of the user that was given up: /run is root's. */
	if (!is_still_there(file) || unlink(file->name) < 0) {
		if (ftruncate(file->fd, 0) < 0)
			perror(file->name);
	}
	close(file->fd);
	free(file->name);
	file->name = NULL;
}

/* The first line of @fd as a process; 0: it is none. */
static pid_t read_number(int fd)
{
	char number[32];
	ssize_t n = read(fd, number, sizeof(number));
	struct bytes line = bytes_of(number, n > 0 ? (size_t)n : 0);
	uint64_t pid;

	while (line.len && (line.data[line.len - 1] == '\n' ||
			    line.data[line.len - 1] == '\r'))
		line.len--;
	return bytes_to_u64(line, INT32_MAX, &pid) && pid > 1 ? (pid_t)pid : 0;
}

pid_t pid_file_read(const char *name, char *text, size_t text_size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	pid_t pid = 0;

	if (fd < 0) {
		snprintf(text, text_size, "%s: %s", name, strerror(errno));
		return 0;
	}
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		snprintf(text, text_size, "%s: no gateway that runs has it",
			 name);
	else if ((pid = read_number(fd)) == 0)
		snprintf(text, text_size, "%s: there is no process in it", name);
	close(fd);
	return pid;
}
