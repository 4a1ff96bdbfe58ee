/* SPDX-License-Identifier: MIT */
#include "redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define PROGRAM "/usr/bin/redis-server"

bool redis_server_is_here(void)
{
	return access(PROGRAM, X_OK) == 0;
}

/* Outside of the ports that the system hands out. */
static int free_port(void)
{
	struct timespec now;
	int port = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (long i = now.tv_nsec / 1000 + getpid() * 977; !port; i += 131) {
		struct sockaddr_in at = {
			.sin_family = AF_INET,
			.sin_port = htons((uint16_t)(10000 + i % 22000)),
			.sin_addr = {htonl(INADDR_LOOPBACK)},
		};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
			port = ntohs(at.sin_port);
		close(fd);
	}
	return port;
}

static int dial(const struct redis_server *s)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)s->port),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool exchange(const struct redis_server *s, const char *command,
		     char *out, size_t size)
{
	int fd = dial(s);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return false;
	/* Redis takes words in a line, too. */
	assert_int_equal(write(fd, command, strlen(command)), strlen(command));
	assert_int_equal(write(fd, "\r\n", 2), 2);
	shutdown(fd, SHUT_WR);
	while (n + 1 < size && (got = read(fd, out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd);
	return n > 0;
}

static void wait_a_moment(void)
{
	struct timespec moment = {0, 10 * 1000 * 1000};

	nanosleep(&moment, NULL);
}

void redis_server_again(struct redis_server *s)
{
	char port[12], answer[100];

	assert_int_equal(s->pid, 0);
	snprintf(port, sizeof(port), "%d", s->port);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		execl(PROGRAM, PROGRAM, "--port", port, "--bind", "127.0.0.1",
		      "--dir", s->folder, "--save", "", "--appendonly",
		      s->keeps ? "yes" : "no", "--appendfsync", "always",
		      "--enable-debug-command", "yes",
		      "--repl-diskless-sync-delay", "0", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++, wait_a_moment())
		if (exchange(s, "PING", answer, sizeof(answer)) &&
		    answer[0] == '+')
			return;
	fail_msg("redis-server does not answer");
}

void redis_server_start(struct redis_server *s, bool keeps)
{
	*s = (struct redis_server){.port = free_port(), .keeps = keeps};
	strcpy(s->folder, "/tmp/sesame-redis-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->url, sizeof(s->url), "redis://127.0.0.1:%d", s->port);
	redis_server_again(s);
}

void redis_server_kill(struct redis_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

void redis_server_pause(struct redis_server *s, bool pause)
{
	kill(s->pid, pause ? SIGSTOP : SIGCONT);
}

void redis_server_ask(struct redis_server *s, const char *command, char *out,
		      size_t size)
{
	assert_true(exchange(s, command, out, size));
}

void redis_server_tell(struct redis_server *s, const char *command,
		       const char *expected)
{
	char answer[4096];

	redis_server_ask(s, command, answer, sizeof(answer));
	if (strncmp(answer, expected, strlen(expected)) != 0)
		fail_msg("%s: %s", command, answer);
}

static bool is_in_step(struct redis_server *s)
{
	char text[4096];

	redis_server_ask(s, "INFO replication", text, sizeof(text));
	return strstr(text, "master_link_status:up") &&
	       !strstr(text, "master_sync_in_progress:1");
}

void redis_server_take_over(struct redis_server *s,
			    const struct redis_server *master)
{
	char command[64];

	snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %d",
		 master->port);
	redis_server_tell(s, command, "+OK");
	for (int i = 0; !is_in_step(s); i++, wait_a_moment())
		if (i == 2000)
			fail_msg("one server never got what another has");
	redis_server_tell(s, "REPLICAOF NO ONE", "+OK");
}

void redis_server_stop(struct redis_server *s)
{
	char command[128];

	if (s->pid)
		redis_server_kill(s);
	snprintf(command, sizeof(command), "rm -rf %s", s->folder);
	assert_int_equal(system(command), 0);
}
