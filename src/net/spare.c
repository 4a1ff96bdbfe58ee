/* SPDX-License-Identifier: MIT */
/*
 * They are given out from the lowest number on, so the number of one tells how
 * many there are beside it.
 */
#include "net/spare.h"

#include <errno.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int ses_first_spared(unsigned spared)
{
	struct rlimit limit;
	rlim_t first;

	if (!spared || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return INT_MAX;
	first = limit.rlim_cur / 8;
	first = limit.rlim_cur - (first < spared ? first : spared);
	return first < INT_MAX ? (int)first : INT_MAX;
}

int ses_socket_sparing(int family, unsigned spared)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || fd < ses_first_spared(spared))
		return fd;
	close(fd);
	errno = EMFILE;
	return -1;
}
