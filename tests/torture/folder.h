/* SPDX-License-Identifier: MIT */
/*
 * The folder in which the program runs when it is on the rack: its files, and
 * what it printed. And a free port for it.
 */
#ifndef TESTS_TORTURE_FOLDER_H
#define TESTS_TORTURE_FOLDER_H

#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRINTED (1 << 18)

static char folder[64];

static void folder_make(void)
{
	if (*folder)
		return;
	snprintf(folder, sizeof(folder), "/tmp/ses-torture-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

/* Plays leave by _exit(), so this is for the test itself. */
__attribute__((destructor)) static void folder_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (*folder && system(command) != 0)
		perror(command);
	*folder = '\0';
}

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	folder_make();
	path_of(name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void read_into(const char *name, char to[PRINTED])
{
	char path[128];
	size_t n = 0;
	FILE *f;

	path_of(name, path);
	f = fopen(path, "r");
	if (f) {
		n = fread(to, 1, PRINTED - 1, f);
		fclose(f);
	}
	to[n] = '\0';
}

/* Until it is called again. */
static const char *read_file(const char *name)
{
	static char text[PRINTED];

	read_into(name, text);
	return text;
}

/* From here on what this process prints goes there, and outlives it. */
static void redirect(int to, const char *name, int flags)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	dup2(fd, to);
	close(fd);
}

static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	close(fd);
	return ntohs(at.sin_port);
}

#endif
