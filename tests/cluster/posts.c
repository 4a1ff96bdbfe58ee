/* SPDX-License-Identifier: MIT */
#include "cluster/posts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int dial(const struct posts_request *request)
{
	struct timeval wait = {.tv_sec = request->seconds};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (!connect(fd, (const struct sockaddr *)&request->to,
		     sizeof(request->to)))
		return fd;
	close(fd);
	return -1;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Until the other side closes; an answer that was cut counts as none. */
static int read_answer(int fd, char *ret_body, size_t size)
{
	char answer[8192], *body;
	size_t len = 0;
	int status;

	for (;;) {
		ssize_t n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);

		if (n < 0)
			return 0;
		len += (size_t)n;
		if (!n || len == sizeof(answer) - 1)
			break;
	}
	answer[len] = '\0';
	body = strstr(answer, "\r\n\r\n");
	if (!body || sscanf(answer, "HTTP/1.1 %d", &status) != 1)
		return 0;
	snprintf(ret_body, size, "%s", body + 4);
	return status;
}

int posts_send(const struct posts_request *request, char *ret_body, size_t size)
{
	char *text;
	int status = 0, fd = dial(request);

	if (fd < 0)
		return 0;
	if (asprintf(&text,
		     "POST %s%s HTTP/1.1\r\nHost: cluster\r\n"
		     "Authorization: Bearer %s\r\nIdempotency-Key: %s\r\n"
		     "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
		     request->path, request->batch ? "?batch" : "",
		     request->token, request->key,
		     request->batch ? "application/json" : "text/plain",
		     strlen(request->body), request->body) < 0)
		abort();
	if (send_all(fd, text, strlen(text)) && request->seconds)
		status = read_answer(fd, ret_body, size);
	free(text);
	close(fd);
	return status;
}
