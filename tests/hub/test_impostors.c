/* SPDX-License-Identifier: MIT */
/* What answers where Redis was to be, and is none. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

static const struct hub_rules rules = {
	.channels = 10,
	.members = 10,
	.queue = 1 << 20,
	.kept = 1 << 20,
};

/* Says the same to all who come, whatever they ask. */
struct impostor {
	int fd;
	int port;
	pthread_t thread;
	struct bytes answer;
	bool leaves;
};

static void *answer_all(void *arg)
{
	struct impostor *im = arg;
	char asked[4096];
	int fd[64], n = 0;

	while (n < 64 && (fd[n] = accept(im->fd, NULL, NULL)) >= 0) {
		if (read(fd[n], asked, sizeof(asked)) > 0 && im->answer.len &&
		    write(fd[n], im->answer.data, im->answer.len) < 0)
			break;
		if (im->leaves)
			shutdown(fd[n], SHUT_WR);
		n++;
	}
	while (n)
		close(fd[--n]);
	return NULL;
}

static void impostor_begin(struct impostor *im, struct bytes answer, bool leaves)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	socklen_t len = sizeof(at);

	im->answer = answer;
	im->leaves = leaves;
	im->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(im->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(im->fd, 64), 0);
	getsockname(im->fd, (struct sockaddr *)&at, &len);
	im->port = ntohs(at.sin_port);
	pthread_create(&im->thread, NULL, answer_all, im);
}

static void impostor_end(struct impostor *im)
{
	shutdown(im->fd, SHUT_RDWR);
	pthread_join(im->thread, NULL);
	close(im->fd);
}

#define DEEP	"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
#define RUN_ID	"$22\r\n# Server\r\nrun_id:abc\r\n\r\n"
#define SHA	"$40\r\n0123456789012345678901234567890123456789\r\n"
#define HISTORY "$35\r\n# Replication\r\nmaster_replid:0123\r\n\r\n"
#define CLIENT	":7\r\n"
#define INFOS	RUN_ID HISTORY CLIENT
#define GREETED INFOS SHA SHA SHA SHA

TEST("what answers as no Redis does is told of, and nobody is harmed")
{
	static const struct {
		struct bytes answer;
		const char *said;
		bool leaves;
	} rows[] = {
		{BYTES(""), "it closed the connection", true},
		{BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
		 "the answer is not Redis's protocol"},
		{BYTES("\0\1\2\3\r\n"), "the answer is not Redis's protocol"},
		{BYTES("-ERR unknown \x1b[31mcommand\r\n"),
		 "it does not say who it is: ERR unknown"},
		{BYTES("+OK\r\n+OK\r\n"), "it does not say who it is: OK"},
		{BYTES(":1\r\n"), "it does not say who it is"},
		{BYTES("$-1\r\n"), "it does not say who it is"},
		{BYTES("*0\r\n"), "it does not say who it is"},
		{BYTES("$7\r\nrun_id:\r\n"), "it does not say who it is"},
		{BYTES("$99999999999999999999\r\n"),
		 "the answer is not Redis's protocol"},
		{BYTES("*2147483647\r\n"), "a reply was larger than may be"},
		{BYTES("*65537\r\n"), "a reply was larger than may be"},
		{BYTES(DEEP DEEP), "the answer is not Redis's protocol"},
		{BYTES(INFOS ":1\r\n"), "it takes no script"},
		{BYTES(INFOS "$3\r\nabc\r\n"), "it takes no script"},
		{BYTES(GREETED ":5\r\n"), "it does not tell the time"},
		{BYTES(GREETED "*2\r\n:1\r\n$-1\r\n"),
		 "it does not tell the time"},
		{BYTES(GREETED "*2\r\n$1\r\n1\r\n$1\r\n2\r\n+more\r\n"),
		 "it answers what nobody asked"},
	};

	struct hub_content x = {.kind = SESAME_TEXT, .payload = BYTES("x")};
	struct hub_receipt receipt;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct impostor im;
		struct place at;
		char url[64];

		stage_begin();
		impostor_begin(&im, rows[i].answer, rows[i].leaves);
		snprintf(url, sizeof(url), "redis://127.0.0.1:%d", im.port);
		place_open(&at, url, &rules);
		place_says(&at, rows[i].said);
		assert_null(strchr(places_said(), '\x1b'));
		assert_int_equal(say(&at, "a", &x, 1, NULL, &receipt),
				 HUB_UNAVAILABLE);
		place_close(&at);
		impostor_end(&im);
	}
}
