/* SPDX-License-Identifier: MIT */
/* The service manager's protocols are a datagram and three variables. */
#include "gate/service_manager.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/log.h"
#include "net/clock.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* ---- Telling ---- */

/* The address in $NOTIFY_SOCKET: a path, or an abstract name behind "@". */
static bool find_manager(struct sockaddr_un *to, socklen_t *ret_len)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(to->sun_path) ||
	    (name[0] != '/' && name[0] != '@'))
		return false;
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	memcpy(to->sun_path, name, len);
	if (name[0] == '@')
		to->sun_path[0] = '\0';
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

bool gate_notify(const char *format, ...)
{
	struct sockaddr_un to;
	char message[1024];
	socklen_t len;
	va_list args;
	bool sent;
	int fd;

	if (!find_manager(&to, &len))
		return false;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		      (struct sockaddr *)&to, len) >= 0;
	close(fd);
	return sent;
}

void gate_notify_reloading(void)
{
	gate_notify("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the "
		    "configuration",
		    (unsigned long long)ses_clock_steady_us());
}

/* A number in the variable, or -1. */
static long long number_of(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t n;

	if (!text || !bytes_to_u64(bytes_of_str(text), INT64_MAX, &n))
		return -1;
	return (long long)n;
}

/* The variables are for one process, which a child of it is not. */
static bool is_for_us(const char *variable, bool by_default)
{
	long long pid = number_of(variable);

	return pid < 0 ? by_default : pid == getpid();
}

uint64_t gate_notify_watchdog_ms(void)
{
	long long us = number_of("WATCHDOG_USEC");

	if (us <= 0 || !is_for_us("WATCHDOG_PID", true))
		return 0;
	return us < 2000 ? 1 : (uint64_t)us / 2000; /* twice in its time */
}

/* ---- Inheriting ---- */

static struct inherited {
	int fd;
	struct ses_addr at;
	char name[64];
	bool used;
} inherited[GATE_MAX_INHERITED];

static size_t n_inherited;

static bool is_listening(int fd)
{
	int type = 0, listening = 0;
	socklen_t a = sizeof(type), b = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &a) == 0 &&
	       type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &b) == 0 &&
	       listening;
}

static bool take(int fd, struct bytes name)
{
	struct inherited *i = &inherited[n_inherited];

	if (!is_listening(fd) || ses_addr_of_socket(fd, false, &i->at) < 0 ||
	    (i->at.any.sa_family != AF_INET && i->at.any.sa_family != AF_INET6))
		return false;
	i->fd = fd;
	bytes_printable(name, i->name, sizeof(i->name));
	n_inherited++;
	return true;
}

/* Cut the next name off "a:b:c". */
static struct bytes next_name(struct bytes *names)
{
	ptrdiff_t colon = bytes_find_byte(*names, ':');
	struct bytes name =
		bytes_first(*names, colon < 0 ? names->len : (size_t)colon);

	*names = bytes_from(*names, name.len + 1);
	return name;
}

void gate_inherit(void)
{
	long long n = number_of("LISTEN_FDS");
	const char *text = getenv("LISTEN_FDNAMES");
	struct bytes names = bytes_of_str(text ? text : "");

	if (n <= 0 || !is_for_us("LISTEN_PID", false))
		return;
	n = n < GATE_MAX_INHERITED ? n : GATE_MAX_INHERITED;
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		struct bytes name = next_name(&names);
		char shown[64];

		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (!take(fd, name))
			gate_log("sesame: the inherited descriptor %d (%s) is "
				 "no TCP socket that listens; it is not used",
				 fd,
				 bytes_printable(name, shown, sizeof(shown)));
	}
}

static bool is_same(const struct ses_addr *a, const struct ses_addr *b)
{
	char x[SES_ADDR_TEXT], y[SES_ADDR_TEXT];

	return strcmp(ses_addr_format(a, x), ses_addr_format(b, y)) == 0;
}

int gate_inherited(const struct ses_addr *at)
{
	for (size_t i = 0; i < n_inherited; i++) {
		if (!is_same(&inherited[i].at, at))
			continue;
		inherited[i].used = true;
		return fcntl(inherited[i].fd, F_DUPFD_CLOEXEC, FIRST_FD);
	}
	return -1;
}

void gate_tell_uninherited(void)
{
	char at[SES_ADDR_TEXT];

	for (size_t i = 0; i < n_inherited; i++)
		if (!inherited[i].used)
			gate_log("sesame: the inherited socket at %s (%s) is "
				 "no address of `listen`; nobody is served "
				 "there",
				 ses_addr_format(&inherited[i].at, at),
				 inherited[i].name);
}
