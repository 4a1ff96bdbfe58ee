/* SPDX-License-Identifier: MIT */
/*
 * The file with the number of the process. It is locked as long as the gateway
 * runs, so that nobody signals whoever has the number next; and it is kept
 * open, so that it can be emptied where it may not be removed any more.
 */
#ifndef CLI_PID_FILE_H
#define CLI_PID_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_file {
	char *name; /* NULL: there is none */
	int fd;
};

/* False: @text says why not, and what stands in the file stays. */
bool pid_file_open(struct pid_file *file, const char *name, char *text,
		   size_t text_size);
/* Remove it, or at least what it says. One that is zeroed is fine. */
void pid_file_close(struct pid_file *file);
/* The process that holds the file @name; 0: @text says why there is none. */
pid_t pid_file_read(const char *name, char *text, size_t text_size);

#endif
