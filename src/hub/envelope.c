/* SPDX-License-Identifier: MIT */
/* Written by hand, since this is what every message to every client costs. */
#include "hub/envelope.h"

#include <inttypes.h>
#include <string.h>

#include <sesame/error.h>

#include "base/base64.h"

/* ---- Texts ---- */

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c != '"' && c != '\\';
}

/* Those with a letter; all others are \u00 and two digits. */
static const char letters[' '] = {
	['\n'] = 'n',
	['\r'] = 'r',
	['\t'] = 't',
};

static size_t length_of(struct bytes text)
{
	size_t n = text.len;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!is_plain(c))
			n += c >= ' ' || letters[c] ? 1 : 5;
	}
	return n;
}

static uint8_t *put_escaped(uint8_t *to, uint8_t c)
{
	char letter = c >= ' ' ? (char)c : letters[c];

	*to++ = '\\';
	if (letter) {
		*to++ = (uint8_t)letter;
		return to;
	}
	memcpy(to, c < 16 ? "u000" : "u001", 4);
	to[4] = (uint8_t) "0123456789abcdef"[c & 15];
	return to + 5;
}

/* Room is taken once, so that no byte costs more than being written. */
int hub_json_text(struct ses_buf *out, struct bytes text)
{
	size_t len = length_of(text) + 2;
	uint8_t *to = ses_buf_room(out, len);

	if (!to)
		return SESAME_ENOMEM;
	*to++ = '"';
	while (text.len) {
		size_t n = 0;

		while (n < text.len && is_plain(text.data[n]))
			n++;
		memcpy(to, text.data, n);
		to += n;
		for (; n < text.len && !is_plain(text.data[n]); n++)
			to = put_escaped(to, text.data[n]);
		text = bytes_from(text, n);
	}
	*to = '"';
	ses_buf_commit(out, len);
	return 0;
}

/* What is being written; after an error nothing more is. */
struct writer {
	struct ses_buf *out;
	int r;
};

static void put(struct writer *w, const char *literal)
{
	if (w->r >= 0)
		w->r = ses_buf_append_str(w->out, literal);
}

static void put_text(struct writer *w, const char *before, struct bytes text)
{
	put(w, before);
	if (w->r >= 0)
		w->r = hub_json_text(w->out, text);
}

static void put_number(struct writer *w, const char *before, uint64_t number)
{
	put(w, before);
	if (w->r >= 0)
		w->r = ses_buf_printf(w->out, "%" PRIu64, number);
}

static void put_id(struct writer *w, const char *before,
		   const struct hub_epoch *epoch, uint64_t seq)
{
	char id[HUB_ID_SIZE];

	hub_id_write(epoch, seq, id);
	put(w, before);
	put(w, "\"");
	put(w, id);
	put(w, "\"");
}

static void put_base64(struct writer *w, const char *before, struct bytes data)
{
	size_t n = SES_BASE64_LEN(data.len);
	uint8_t *to;

	put(w, before);
	to = w->r < 0 ? NULL : ses_buf_room(w->out, n + 2);
	if (!to) {
		w->r = SESAME_ENOMEM;
		return;
	}
	to[0] = '"';
	ses_base64_encode(data, (char *)to + 1);
	to[n + 1] = '"';
	ses_buf_commit(w->out, n + 2);
}

static void put_ref(struct writer *w, int64_t ref)
{
	if (ref >= 0)
		put_number(w, ",\"ref\":", (uint64_t)ref);
}

static int end(struct writer *w)
{
	put(w, "}");
	return w->r < 0 ? w->r : 0;
}

/* ---- Messages ---- */

int hub_envelope_message(const struct hub_message *m, struct ses_buf *out)
{
	struct bytes from = hub_message_from(m), key = hub_message_key(m);
	struct writer w = {out, 0};

	put_id(&w,
	       key.len ? "{\"type\":\"state\",\"id\":"
		       : "{\"type\":\"message\",\"id\":",
	       &m->epoch, m->seq);
	put_number(&w, ",\"time\":", (uint64_t)m->time_ms);
	if (key.len)
		put_text(&w, ",\"key\":", key);
	if (from.len)
		put_text(&w, ",\"from\":", from);
	if (m->gone)
		put(&w, ",\"data\":null");
	else if (m->kind == SESAME_TEXT)
		put_text(&w, ",\"data\":", hub_message_payload(m));
	else
		put_base64(&w, ",\"base64\":", hub_message_payload(m));
	return end(&w);
}

/* ---- All else ---- */

int hub_envelope_welcome(const struct hub_welcome *welcome, struct ses_buf *out)
{
	struct writer w = {out, 0};

	put_text(&w, "{\"type\":\"welcome\",\"channel\":", welcome->channel);
	put(&w,
	    welcome->states ? ",\"kind\":\"state\"" : ",\"kind\":\"messages\"");
	put_text(&w, ",\"epoch\":", bytes_of_str(welcome->epoch->text));
	put_id(&w, ",\"id\":", welcome->epoch, welcome->seq);
	put(&w, welcome->resumed ? ",\"resumed\":true" : ",\"resumed\":false");
	put_text(&w, ",\"you\":", welcome->you);
	if (welcome->tells_count)
		put_number(&w, ",\"count\":", welcome->count);
	return end(&w);
}

int hub_envelope_gap(const struct hub_epoch *epoch, uint64_t from, uint64_t to,
		     struct ses_buf *out)
{
	struct writer w = {out, 0};

	if (from)
		put_id(&w, "{\"type\":\"gap\",\"from\":", epoch, from);
	else
		put(&w, "{\"type\":\"gap\",\"from\":null");
	if (to)
		put_id(&w, ",\"to\":", epoch, to);
	else
		put(&w, ",\"to\":null");
	if (from)
		put_number(&w, ",\"missing\":", to - from + 1);
	else
		put(&w, ",\"missing\":null");
	return end(&w);
}

static void put_names(struct writer *w, const char *before,
		      const struct bytes *names, size_t n)
{
	put(w, before);
	for (size_t i = 0; i < n; i++)
		put_text(w, i ? "," : "", names[i]);
	put(w, "]");
}

int hub_envelope_news(const struct hub_news *news, struct ses_buf *out)
{
	struct writer w = {out, 0};

	put_names(&w, "{\"type\":\"presence\",\"joined\":[", news->joined,
		  news->n_joined);
	put_names(&w, ",\"left\":[", news->left, news->n_left);
	put_number(&w, ",\"count\":", news->count);
	if (news->more)
		put(&w, ",\"more\":true");
	return end(&w);
}

int hub_envelope_members(int64_t ref, size_t count, const struct bytes *names,
			 size_t n, bool more, struct ses_buf *out)
{
	struct writer w = {out, 0};

	put_number(&w, "{\"type\":\"members\",\"count\":", count);
	put_ref(&w, ref);
	if (names)
		put_names(&w, ",\"members\":[", names, n);
	if (more && n)
		put_text(&w, ",\"next\":", names[n - 1]);
	return end(&w);
}

int hub_envelope_ack(int64_t ref, const struct hub_epoch *epoch, uint64_t seq,
		     struct ses_buf *out)
{
	struct writer w = {out, 0};

	put(&w, "{\"type\":\"ack\"");
	put_ref(&w, ref);
	put_id(&w, ",\"id\":", epoch, seq);
	return end(&w);
}

int hub_envelope_error(int64_t ref, const char *code, const char *text,
		       const char *cause, const char *reference,
		       struct ses_buf *out)
{
	struct writer w = {out, 0};

	put_text(&w, "{\"type\":\"error\",\"code\":", bytes_of_str(code));
	put_ref(&w, ref);
	put_text(&w, ",\"text\":", bytes_of_str(text));
	put_text(&w, ",\"cause\":", bytes_of_str(cause));
	put_text(&w, ",\"reference\":", bytes_of_str(reference));
	return end(&w);
}
