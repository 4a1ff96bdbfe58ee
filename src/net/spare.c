/* SPDX-License-Identifier: MIT */
/*
 * They are given out from the lowest number on, so the number of one tells how
 * many there are beside it.
 */
#include "net/spare.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool ses_is_spared(int fd, unsigned spared)
{
	struct rlimit limit;
	rlim_t most;

	if (!spared || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return false;
	most = limit.rlim_cur / 8;
	most = limit.rlim_cur - (most < spared ? most : spared);
	return (rlim_t)fd >= most;
}

int ses_socket_sparing(int family, unsigned spared)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || !ses_is_spared(fd, spared))
		return fd;
	close(fd);
	errno = EMFILE;
	return -1;
}
