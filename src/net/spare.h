/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are left to others: who opens many leaves the last few of
 * the process to those who need one now and then.
 */
#ifndef NET_SPARE_H
#define NET_SPARE_H

/*
 * The first of the last @spared descriptors that the process may have; these
 * are an eighth of all at most, where there are few. 0 spares none: INT_MAX.
 */
int ses_first_spared(unsigned spared);
/* A TCP socket that does not block, or -1 with errno: EMFILE also where only
 * spared ones are left. */
int ses_socket_sparing(int family, unsigned spared);

#endif
