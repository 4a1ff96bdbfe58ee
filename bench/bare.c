/* SPDX-License-Identifier: MIT */
#include "bare.h"

#include <string.h>

#include "base/buf.h"
#include "listening.h"
#include "wire/upgrade.h"

#define CLOSE	   0x88 /* the first byte of that frame; without a body */
#define HEAD_BYTES 2
#define MASK_BYTES 4
#define REST_BYTES 65536
#define SHORTEST   126 /* lengths from here on are told otherwise */

static const char refusal[] = "HTTP/1.1 403 Forbidden\r\n"
			      "Content-Length: 0\r\n"
			      "Connection: close\r\n\r\n";
static const char welcome[] = "HTTP/1.1 101 Switching Protocols\r\n"
			      "Upgrade: websocket\r\n"
			      "Connection: Upgrade\r\n"
			      "Sec-WebSocket-Accept: ";
static const char key_name[] = "\r\nSec-WebSocket-Key: ";

static bool refuses;
static int open_links[BARE_LINKS];	 /* descriptors that are open ... */
static int place[BARE_LINKS];		 /* ... where each stands among them, */
static bool talks[BARE_LINKS];		 /* and whether it was let in */
static struct ses_buf rests[BARE_LINKS]; /* what came in part */
static int n_open;

void bare_read_options(int argc, char **argv)
{
	refuses = argc == 2 && strcmp(argv[1], "--refuse") == 0;
}

void bare_join(int fd)
{
	if (fd >= BARE_LINKS)
		die("too many connections");
	ses_buf_init(&rests[fd], REST_BYTES);
	talks[fd] = false;
	place[fd] = n_open;
	open_links[n_open++] = fd;
}

static void end(int fd)
{
	int last = open_links[--n_open];

	open_links[place[fd]] = last;
	place[last] = place[fd];
	ses_buf_fini(&rests[fd]);
	bare_close(fd);
}

static void let_in(int fd, struct bytes head)
{
	const uint8_t *key =
		memmem(head.data, head.len, key_name, sizeof(key_name) - 1);
	char answer[sizeof(welcome) + SES_ACCEPT_LEN + 4];
	size_t n = sizeof(welcome) - 1;

	if (!key)
		return;
	memcpy(answer, welcome, n);
	ses_key_accept(bytes_of(key + sizeof(key_name) - 1, SES_KEY_LEN),
		       answer + n);
	n += SES_ACCEPT_LEN;
	memcpy(answer + n, "\r\n\r\n", 4);
	talks[fd] = true;
	bare_say(fd, answer, n + 4);
}

/* Returns the bytes that were dealt with: all, or none of a head in part. */
static size_t answer_head(int fd, struct bytes in)
{
	if (in.len < 4 || memcmp(in.data + in.len - 4, "\r\n\r\n", 4) != 0)
		return 0;
	if (refuses)
		bare_say(fd, refusal, sizeof(refusal) - 1);
	else
		let_in(fd, in);
	return in.len;
}

/* To all others, as a server's frame: without a mask. */
static void pass_on(int from, const uint8_t *frame, size_t len)
{
	uint8_t out[HEAD_BYTES + SHORTEST];
	const uint8_t *mask = frame + HEAD_BYTES, *in = mask + MASK_BYTES;

	out[0] = frame[0];
	out[1] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		out[HEAD_BYTES + i] = in[i] ^ mask[i % MASK_BYTES];
	for (int i = 0; i < n_open; i++)
		if (open_links[i] != from && talks[open_links[i]])
			bare_say(open_links[i], out, HEAD_BYTES + len);
}

/* Returns the bytes of the frames that are whole, and short. */
static size_t hear_frames(int fd, struct bytes in)
{
	size_t used = 0;

	while (in.len - used >= HEAD_BYTES + MASK_BYTES) {
		size_t n = in.data[used + 1] & 0x7f;
		size_t all = HEAD_BYTES + MASK_BYTES + n;

		if (n >= SHORTEST || all > in.len - used)
			break;
		if (in.data[used] == CLOSE)
			bare_say(fd, "\x88", 2);
		else
			pass_on(fd, in.data + used, n);
		used += all;
	}
	return used;
}

static size_t take(int fd, struct bytes in)
{
	return talks[fd] ? hear_frames(fd, in) : answer_head(fd, in);
}

void bare_hear(int fd, const uint8_t *data, size_t len)
{
	struct ses_buf *rest = &rests[fd];
	struct bytes in = bytes_of(data, len);

	if (ses_buf_len(rest) == 0)
		in = bytes_from(in, take(fd, in));
	if (in.len && ses_buf_append(rest, in) < 0)
		die("a head or a frame that is too long");
	if (ses_buf_len(rest) > 0)
		ses_buf_consume(rest, take(fd, ses_buf_bytes(rest)));
	if (len == 0 || (refuses && ses_buf_len(rest) == 0))
		end(fd);
}
