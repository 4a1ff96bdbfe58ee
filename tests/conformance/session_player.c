/* SPDX-License-Identifier: MIT */
/*
 * Plays rows of the table to the session itself: reads a line for each,
 *
 *	ROLE LIMIT DEFLATE SERVER_FRESH CLIENT_FRESH SERVER_BITS CLIENT_BITS HEX
 *
 * (ROLE s or c, HEX the bytes that come from the peer), lets the session echo
 * every message, and answers with a line "FED OVER HEX": after how many bytes
 * it was over, whether it is, and all that it sent. Every row is played whole,
 * byte by byte, and in two parts; where that changes what is sent, the line
 * says how instead.
 */
#include "../wire/peer.h"

#include <stdio.h>

/* Rows up to this are played in any two parts, others cut near their start. */
#define MOST_CUTS 200
#define FEW_CUTS  8
/* Rows up to this are played byte by byte. */
#define MOST_STEPS 20000

struct row {
	struct sesame_session_settings settings;
	struct bytes in;
};

static void echo(void *user, enum sesame_kind kind, uint8_t *data, size_t len)
{
	struct peer *p = user;

	if (sesame_session_send(p->session, kind, data, len) != 0)
		abort();
}

static void note_close(void *user, uint16_t code, const char *reason,
		       size_t reason_len, bool clean, const char *fault)
{
	struct peer *p = user;

	if (p->over)
		abort(); /* told twice */
	p->over = true;
}

static const struct sesame_session_events echo_events = {
	.message = echo,
	.close = note_close,
	.output = peer_output,
	.mask = peer_mask,
};

/* Feed @row in a first part of @first bytes and others of @rest. */
static size_t play(const struct row *row, size_t first, size_t rest,
		   struct peer *p)
{
	struct bytes in = row->in;
	size_t part = first;

	*p = (struct peer){.next_mask = 1};
	ses_buf_init(&p->sent, (size_t)1 << 30);
	p->session = sesame_session_new(&row->settings, &echo_events, p);
	if (!p->session)
		abort();
	for (; in.len && !p->over; in = bytes_from(in, part), part = rest)
		peer_feed(p, bytes_first(in, part));
	return row->in.len - in.len;
}

static bool plays_alike(const struct row *row, size_t first, size_t rest,
			const struct peer *whole)
{
	struct peer p;
	bool alike;

	play(row, first, rest, &p);
	alike = p.over == whole->over &&
		bytes_equal(ses_buf_bytes(&p.sent), ses_buf_bytes(&whole->sent));
	peer_shut(&p);
	if (!alike)
		printf("otherwise when the first part is of %zu bytes and "
		       "others of %zu\n",
		       first, rest);
	return alike;
}

static bool plays_alike_in_parts(const struct row *row, const struct peer *whole)
{
	size_t last = row->in.len <= MOST_CUTS ? row->in.len : FEW_CUTS;

	for (size_t cut = 1; cut < last; cut++)
		if (!plays_alike(row, cut, row->in.len, whole))
			return false;
	return row->in.len <= MOST_CUTS || plays_alike(row, 997, 997, whole);
}

static void play_row(const struct row *row)
{
	size_t step = row->in.len > MOST_STEPS ? 997 : 1, fed;
	struct peer whole, slow;
	struct bytes sent;

	play(row, row->in.len, 1, &whole);
	fed = play(row, step, step, &slow);
	sent = ses_buf_bytes(&slow.sent);
	if (!bytes_equal(sent, ses_buf_bytes(&whole.sent))) {
		printf("otherwise in parts of %zu\n", step);
	} else if (plays_alike_in_parts(row, &whole)) {
		printf("%zu %d ", fed, slow.over);
		for (size_t i = 0; i < sent.len; i++)
			printf("%02x", sent.data[i]);
		putchar('\n');
	}
	peer_shut(&whole);
	peer_shut(&slow);
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The hexadecimal digits at @hex become bytes in their own place. */
static struct bytes read_hex(char *hex)
{
	uint8_t *out = (uint8_t *)hex;
	size_t n = 0;

	for (; hex[2 * n] > ' '; n++)
		out[n] = (uint8_t)(nibble(hex[2 * n]) << 4 |
				   nibble(hex[2 * n + 1]));
	return bytes_of(out, n);
}

static bool read_row(char *line, struct row *row)
{
	unsigned d[5];
	int at = 0;
	char role;

	*row = (struct row){0};
	if (sscanf(line, "%c %zu %u %u %u %u %u %n", &role,
		   &row->settings.max_message, &d[0], &d[1], &d[2], &d[3],
		   &d[4], &at) < 7 ||
	    !at)
		return false;
	row->settings.role = role == 's' ? SESAME_SERVER : SESAME_CLIENT;
	row->settings.deflate = (struct sesame_deflate){
		.on = d[0],
		.server_no_context_takeover = d[1],
		.client_no_context_takeover = d[2],
		.server_max_window_bits = (uint8_t)d[3],
		.client_max_window_bits = (uint8_t)d[4],
	};
	row->in = read_hex(line + at);
	return true;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	struct row row;

	while (getline(&line, &size, stdin) > 0) {
		if (!read_row(line, &row))
			return 2;
		play_row(&row);
	}
	free(line);
	return 0;
}
