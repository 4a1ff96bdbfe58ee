/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are left to others: who opens many leaves the last few of
 * the process to those who need one now and then.
 */
#ifndef NET_SPARE_H
#define NET_SPARE_H

#include <stdbool.h>

/*
 * Whether descriptor @fd is one of the last @spared that the process may have;
 * an eighth of all at most, where there are few. 0 spares none.
 */
bool ses_is_spared(int fd, unsigned spared);
/* A TCP socket that does not block, or -1 with errno: EMFILE also where only
 * spared ones are left. */
int ses_socket_sparing(int family, unsigned spared);

#endif
