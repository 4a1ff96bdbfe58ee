/* SPDX-License-Identifier: MIT */
/*
 * The protocol core inside of somebody else's loop: an echo server on poll(2)
 * that uses <sesame/protocol.h> alone. All sockets, buffers and time are the
 * program's; sesame only says what bytes mean and which bytes to send.
 *
 *	own_loop --port 9003
 *
 * What to look at: handshake() and talk(), the two things that are done with
 * bytes that came, and output(), where the session asks for room.
 */
#include <sesame/protocol.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PEERS  64
#define HEAD_BYTES 8192
#define OUT_BYTES  (4u << 20)

struct peer {
	int fd;
	struct sesame_session *session; /* NULL until the handshake is done */
	char head[HEAD_BYTES];		/* the request, as far as it came */
	size_t head_len;
	uint8_t *out; /* bytes to send; OUT_BYTES, so memory is bounded */
	size_t out_len;
	bool closing; /* close when all is sent */
};

static struct peer *peers[MAX_PEERS]; /* sessions point at them: they stay put */
static size_t n_peers;
static volatile sig_atomic_t stopping;

/* ---- what the session tells and asks ---- */

/* Send it back. A full buffer ends it: a peer has to read what it is sent. */
static void on_message(void *user, enum sesame_kind kind, uint8_t *data,
		       size_t len)
{
	struct peer *p = user;

	if (sesame_session_send(p->session, kind, data, len) == SESAME_ELIMIT)
		p->closing = true;
}

/* Room at the end of the buffer. The session fills it before it goes on. */
static uint8_t *output(void *user, size_t len)
{
	struct peer *p = user;
	uint8_t *room = p->out + p->out_len;

	if (len > OUT_BYTES - p->out_len)
		return NULL;
	p->out_len += len;
	return room;
}

static void on_close(void *user, uint16_t code, const char *reason,
		     size_t reason_len, bool clean, const char *fault)
{
	struct peer *p = user;

	p->closing = true;
}

static const struct sesame_session_events events = {
	.message = on_message,
	.output = output,
	.close = on_close,
};

/* ---- bytes that came ---- */

/* After the handshake: everything is the session's business. */
static void talk(struct peer *p, uint8_t *data, size_t len)
{
	if (sesame_session_feed(p->session, data, len) < 0)
		p->closing = true;
}

/* Before it: gather the request until the answer can be written. */
static void handshake(struct peer *p, const uint8_t *data, size_t len)
{
	static const struct sesame_reply reply = {.deflate = true};
	struct sesame_session_settings settings = {.role = SESAME_SERVER,
						   .max_message = 1 << 20};
	struct sesame_agreement agreed;
	size_t room = HEAD_BYTES - p->head_len, written = 0;
	size_t n = len < room ? len : room;
	int used;

	memcpy(p->head + p->head_len, data, n);
	p->head_len += n;
	used = sesame_handshake_reply(p->head, p->head_len, &reply,
				      (char *)p->out, OUT_BYTES, &written,
				      &agreed);
	p->out_len = written;
	if (used == 0 && p->head_len < HEAD_BYTES)
		return; /* more has to come */
	if (used > 0) {
		settings.deflate = agreed.deflate;
		p->session = sesame_session_new(&settings, &events, p);
	}
	if (!p->session) { /* refused, too long, or out of memory */
		p->closing = true;
		return;
	}
	/* frames may have come in the same packet, or did not fit the head */
	talk(p, (uint8_t *)p->head + used, p->head_len - (size_t)used);
	if (n < len && !p->closing)
		talk(p, (uint8_t *)data + n, len - n);
}

/* ---- the loop, which is this program's own ---- */

static void free_peer(struct peer *p)
{
	sesame_session_free(p->session);
	free(p->out);
	free(p);
}

static void add_peer(int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct peer *p = calloc(1, sizeof(*p));

	if (p)
		p->out = malloc(OUT_BYTES);
	if (fd < 0 || !p || !p->out || n_peers == MAX_PEERS) {
		if (p)
			free_peer(p);
		if (fd >= 0)
			close(fd);
		return;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	p->fd = fd;
	peers[n_peers++] = p;
}

static void remove_peer(size_t i)
{
	close(peers[i]->fd);
	free_peer(peers[i]);
	peers[i] = peers[--n_peers];
}

/* Returns false when the peer is gone. */
static bool receive(struct peer *p)
{
	static uint8_t data[65536];
	ssize_t n = recv(p->fd, data, sizeof(data), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n > 0 && p->session)
		talk(p, data, (size_t)n);
	else if (n > 0)
		handshake(p, data, (size_t)n);
	return true;
}

static bool flush(struct peer *p)
{
	ssize_t n = send(p->fd, p->out, p->out_len, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	p->out_len -= (size_t)n;
	memmove(p->out, p->out + n, p->out_len);
	return p->out_len > 0 || !p->closing;
}

/* Reading rests while much waits to be sent: that is all of back-pressure. */
static short wanted(const struct peer *p)
{
	short want = 0;

	if (!p->closing && p->out_len < OUT_BYTES / 4)
		want |= POLLIN;
	if (p->out_len > 0 || p->closing)
		want |= POLLOUT;
	return want;
}

/* Returns false when the peer is to go. */
static bool serve(struct peer *p, short ready)
{
	if (!p->closing && (ready & (POLLIN | POLLHUP | POLLERR)) && !receive(p))
		return false;
	return (p->out_len == 0 && !p->closing) || flush(p);
}

static void turn(int listener)
{
	struct pollfd fds[MAX_PEERS + 1];
	size_t n = n_peers;

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){peers[i]->fd, wanted(peers[i]), 0};
	fds[n] = (struct pollfd){listener, POLLIN, 0};
	if (poll(fds, n + 1, -1) < 0)
		return;
	for (size_t i = n;
	     i-- > 0;) { /* the last takes the place of one that goes */
		if (fds[i].revents && !serve(peers[i], fds[i].revents))
			remove_peer(i);
	}
	if (fds[n].revents)
		add_peer(listener);
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t len = sizeof(at);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    listen(fd, 64) < 0) {
		perror("own_loop");
		exit(1);
	}
	getsockname(fd, (struct sockaddr *)&at, &len);
	printf("listening at ws://127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static void on_signal(int number)
{
	stopping = 1;
}

int main(int argc, char **argv)
{
	struct sigaction stop = {.sa_handler = on_signal};
	bool has_port = argc == 3 && strcmp(argv[1], "--port") == 0;
	int listener;

	if (argc > 1 && !has_port) {
		fprintf(stderr, "usage: own_loop [--port N]\n");
		return 2;
	}
	sigaction(SIGINT, &stop, NULL); /* poll(2) then returns */
	sigaction(SIGTERM, &stop, NULL);
	listener = listen_at(has_port ? (uint16_t)atoi(argv[2]) : 0);
	while (!stopping)
		turn(listener);
	while (n_peers > 0)
		remove_peer(0);
	close(listener);
	return 0;
}
