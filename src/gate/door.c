/* SPDX-License-Identifier: MIT */
/*
 * A worker has a socket of its own at each address (SO_REUSEPORT), so that the
 * system shares connections out and no worker wakes another. A socket that the
 * service manager opened is one for all, and a connection wakes them all.
 */
#include "gate/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gate/certificate.h"
#include "gate/service_manager.h"

#define BACKLOG 4096 /* the system lowers it to net.core.somaxconn */
/* A port in use at the start is tried again so many times, so long after. */
#define AGAIN	 20
#define AGAIN_NS 5000000

/* What helps against the system's refusal to listen. */
static const char *remedy(int sys_errno)
{
	switch (sys_errno) {
	case EADDRINUSE:
		return "; another program has this port (ss -ltnp shows which)"
		       ", or choose another";
	case EACCES:
		return "; ports below 1024 need root or CAP_NET_BIND_SERVICE, "
		       "or choose another";
	case EADDRNOTAVAIL:
		return "; no interface of this machine has this address";
	case EMFILE:
	case ENFILE:
		return "; raise the limit (ulimit -n, LimitNOFILE=)";
	default:
		return "";
	}
}

/* One socket, that the service manager opened, for all workers. */
static bool share_socket(struct gate_door *door, unsigned n, int fd)
{
	door->fd[0] = fd;
	for (unsigned i = 1; i < n; i++) {
		door->fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (door->fd[i] < 0)
			return false;
	}
	return true;
}

/*
 * A process that was killed leaves its port behind for some milliseconds where
 * the kernel has to clear away its ring (io_uring) first, and who starts it
 * again is sooner there. @patient: nobody is waiting for us, either.
 */
static int listen_alone(const struct ses_addr *at, bool patient)
{
	struct timespec moment = {.tv_nsec = AGAIN_NS};
	int fd = ses_listen(at, false, BACKLOG);

	for (int i = 0; patient && i < AGAIN; i++) {
		if (fd >= 0 || errno != EADDRINUSE)
			break;
		nanosleep(&moment, NULL);
		fd = ses_listen(at, false, BACKLOG);
	}
	return fd;
}

/*
 * SO_REUSEPORT would let two gateways of one user share an address in silence,
 * and each would miss half of the connections. So the first socket is opened
 * without it, which also finds the port where any will do.
 */
static bool open_sockets(struct gate_door *door, unsigned n, bool patient)
{
	int fd = gate_inherited(&door->at);

	door->inherited = fd >= 0;
	if (door->inherited)
		return share_socket(door, n, fd);
	fd = listen_alone(&door->at, patient);
	if (fd < 0 || ses_addr_of_socket(fd, false, &door->at) < 0 || n == 1) {
		door->fd[0] = fd;
		return fd >= 0;
	}
	close(fd);
	for (unsigned i = 0; i < n; i++) {
		door->fd[i] = ses_listen(&door->at, true, BACKLOG);
		if (door->fd[i] < 0)
			return false;
	}
	return true;
}

/* Whether @listen asks for the address @at: it may be written in many ways. */
static bool is_at(const struct gate_listen *listen, const struct ses_addr *at)
{
	char text[2][SES_ADDR_TEXT];
	struct ses_addr asked;

	return ses_addr_parse(bytes_of_str(listen->host), listen->port, &asked) &&
	       strcmp(ses_addr_format(&asked, text[0]),
		      ses_addr_format(at, text[1])) == 0;
}

static bool is_taken(const struct gate_doors *doors, unsigned id)
{
	for (size_t i = 0; i < doors->n; i++)
		if (doors->door[i].id == id)
			return true;
	return false;
}

/*
 * The door of @before at the address @at, or NULL. Several may have been asked
 * for any port, and each of them is taken up once.
 */
static const struct gate_door *find_open(const struct gate_doors *before,
					 const struct gate_doors *doors,
					 const struct ses_addr *at)
{
	for (size_t i = 0; before && i < before->n; i++) {
		const struct gate_door *old = &before->door[i];

		if (is_at(old->listen, at) && !is_taken(doors, old->id))
			return old;
	}
	return NULL;
}

/* The door of @before that has this port, as its wildcard may. */
static const struct gate_door *find_port(const struct gate_doors *before,
					 const struct ses_addr *at)
{
	for (size_t i = 0; before && i < before->n; i++)
		if (ses_addr_port(&before->door[i].at) == ses_addr_port(at))
			return &before->door[i];
	return NULL;
}

static void tell_closed(const struct gate_door *door,
			const struct gate_doors *before, int sys_errno,
			char *text, size_t text_size)
{
	const struct gate_door *own =
		sys_errno == EADDRINUSE ? find_port(before, &door->at) : NULL;
	char shown[SES_ADDR_TEXT], ours[SES_ADDR_TEXT];

	ses_addr_format(&door->at, shown);
	if (own)
		snprintf(text, text_size,
			 "cannot listen at %s: this gateway still listens at "
			 "%s, which may be in the way; a restart changes from "
			 "one to the other",
			 shown, ses_addr_format(&own->at, ours));
	else
		snprintf(text, text_size, "cannot listen at %s: %s%s", shown,
			 strerror(sys_errno), remedy(sys_errno));
}

/*
 * A worker that could not take its socket up gets another one, if there is one
 * by now; else it goes on without, and says so.
 */
static void find_again(struct gate_door *door, const struct gate_door *old,
		       unsigned n)
{
	for (unsigned i = 0; !door->inherited && i < n; i++)
		if (atomic_load(&old->lost[i]))
			door->fd[i] = ses_listen(&door->at, n > 1, BACKLOG);
}

static bool open_door(struct gate_doors *doors, size_t i,
		      const struct gate_doors *before, char *text,
		      size_t text_size)
{
	static atomic_uint ids;
	struct gate_door *door = &doors->door[i];
	const struct gate_listen *listen = &doors->policy->listen[i];
	const struct gate_door *old;
	char shown[SES_ADDR_TEXT];

	door->listen = listen;
	door->fd = malloc(doors->n_workers * sizeof(*door->fd));
	door->lost = calloc(doors->n_workers, sizeof(*door->lost));
	if (!door->fd || !door->lost)
		return false;
	for (unsigned k = 0; k < doors->n_workers; k++)
		door->fd[k] = -1;
	if (!ses_addr_parse(bytes_of_str(listen->host), listen->port,
			    &door->at)) {
		snprintf(text, text_size, "%s is no address", listen->host);
		return false;
	}
	if (listen->tls && !(door->tls = gate_tls_open(listen, text, text_size)))
		return false;
	old = find_open(before, doors, &door->at);
	door->id = old ? old->id : atomic_fetch_add(&ids, 1) + 1;
	if (old) {
		door->at = old->at;
		door->inherited = old->inherited;
		find_again(door, old, doors->n_workers);
	} else if (!open_sockets(door, doors->n_workers, !before)) {
		tell_closed(door, before, errno, text, text_size);
		return false;
	}
	snprintf(door->url, sizeof(door->url), "%s://%s",
		 listen->tls ? "wss" : "ws", ses_addr_format(&door->at, shown));
	return true;
}

struct gate_doors *gate_doors_open(struct gate_policy *policy,
				   unsigned n_workers,
				   const struct gate_doors *before, char *text,
				   size_t text_size)
{
	struct gate_doors *doors = calloc(1, sizeof(*doors));

	snprintf(text, text_size, "out of memory");
	if (!doors)
		return NULL;
	atomic_init(&doors->refs, 1);
	doors->policy = gate_policy_ref(policy);
	doors->n_workers = n_workers;
	doors->door = calloc(policy->n_listen, sizeof(*doors->door));
	while (doors->door && doors->n < policy->n_listen) {
		if (!open_door(doors, doors->n++, before, text, text_size)) {
			gate_doors_unref(doors);
			return NULL;
		}
	}
	if (doors->door)
		return doors;
	gate_doors_unref(doors);
	return NULL;
}

struct gate_doors *gate_doors_ref(struct gate_doors *doors)
{
	atomic_fetch_add(&doors->refs, 1);
	return doors;
}

static void close_door(struct gate_door *door, unsigned n_workers)
{
	for (unsigned i = 0; door->fd && i < n_workers; i++)
		if (door->fd[i] >= 0)
			close(door->fd[i]);
	free(door->fd);
	free(door->lost);
	ses_tls_context_unref(door->tls);
}

void gate_doors_unref(struct gate_doors *doors)
{
	if (!doors || atomic_fetch_sub(&doors->refs, 1) > 1)
		return;
	for (size_t i = 0; i < doors->n; i++)
		close_door(&doors->door[i], doors->n_workers);
	free(doors->door);
	gate_policy_unref(doors->policy);
	free(doors);
}

void gate_doors_forgo(struct gate_doors *doors, unsigned worker)
{
	for (size_t i = 0; i < doors->n; i++) {
		struct gate_door *door = &doors->door[i];

		if (door->fd[worker] < 0)
			continue;
		close(door->fd[worker]);
		door->fd[worker] = -1;
		atomic_store(&door->lost[worker], true);
	}
}
