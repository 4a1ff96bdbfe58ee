/* SPDX-License-Identifier: MIT */
/* Looking before writing: a pipe that can be written takes a line whole. */
#include "gate/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4000 /* less than PIPE_BUF, which never goes halfway */

static bool would_wait(int fd)
{
	struct pollfd out = {.fd = fd, .events = POLLOUT};

	return poll(&out, 1, 0) == 0;
}

bool gate_log(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	size_t len;

	if (would_wait(STDERR_FILENO))
		return false;
	va_start(args, format);
	vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	len = strlen(line);
	line[len] = '\n';
	line[len + 1] = '\0';
	fputs(line, stderr); /* one write: it has no buffer of its own */
	return true;
}
