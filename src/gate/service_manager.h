/* SPDX-License-Identifier: MIT */
/*
 * What a service manager is told (sd_notify(3): a datagram to $NOTIFY_SOCKET)
 * and what it brings (sd_listen_fds(3)). Without a manager all of it does
 * nothing.
 */
#ifndef GATE_SERVICE_MANAGER_H
#define GATE_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

/* Send one message: "READY=1\nSTATUS=...". False: nobody is told. */
__attribute__((format(printf, 1, 2))) bool gate_notify(const char *format, ...);
/* RELOADING=1 with the time that the manager wants with it. */
void gate_notify_reloading(void);
/* How often the manager wants to be told WATCHDOG=1, in ms; 0: never. */
uint64_t gate_notify_watchdog_ms(void);

#define GATE_MAX_INHERITED 64

/*
 * Take what sockets the manager opened, once, before there are threads.
 * Descriptors that are no listening TCP sockets are complained of on standard
 * error, and left alone.
 */
void gate_inherit(void);
/* A new descriptor of the inherited socket bound to @at, or -1. */
int gate_inherited(const struct ses_addr *at);
/* Tell of inherited sockets that nobody took up. */
void gate_tell_uninherited(void);

#endif
