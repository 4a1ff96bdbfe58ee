/* SPDX-License-Identifier: MIT */
/*
 * The Host that arrived, where a refusal quotes it: `port 3000 in HTTP Host
 * header "a:3000" does not match`. If it is not the one that was sent, a proxy
 * changed it. What is hard is that a sentence may name the Host that it would
 * rather have, and that a page may name the server's own.
 */
#include "doctor/arrived.h"

#include <stdio.h>

#define MOST_READ 2000 /* bytes of a body */
#define MOST_HOST 260

static bool is_host_byte(uint8_t b)
{
	b = byte_lower(b);
	return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '.' ||
	       b == '-' || b == ':' || b == '[' || b == ']' || b == '_';
}

static bool is_letter(uint8_t b)
{
	b = byte_lower(b);
	return b >= 'a' && b <= 'z';
}

/* The next run of bytes that hosts and words consist of. */
static struct bytes next_word(struct bytes *rest)
{
	struct bytes word;
	size_t n = 0;

	while (rest->len > 0 && !is_host_byte(rest->data[0]))
		*rest = bytes_from(*rest, 1);
	while (n < rest->len && is_host_byte(rest->data[n]))
		n++;
	word = bytes_first(*rest, n);
	*rest = bytes_from(*rest, n);
	while (word.len > 0 && strchr(".:-", word.data[word.len - 1]))
		word.len--;
	return word;
}

/* A name with a dot, or anything with a port: no word of a sentence. */
static bool looks_like_host(struct bytes word)
{
	ptrdiff_t colon = bytes_find_byte(word, ':');

	if (word.len < 4 || word.len > MOST_HOST)
		return false;
	return bytes_find_byte(word, '.') > 0 || word.data[0] == '[' ||
	       (colon > 0 && (size_t)colon + 1 < word.len &&
		!is_letter(word.data[colon + 1]));
}

/* Whether the sentence finds fault with what it quotes. */
static bool complains(struct bytes line)
{
	static const char *const words[] = {
		"match",   "not allowed", "not authorized", "not permitted",
		"invalid", "unknown",	  "disallowed",	    "blocked",
		"denied",  "untrusted",	  "not trusted",    "rejected",
		"refused", "unexpected",  "not recogni"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(line, bytes_of_str(words[i])))
			return true;
	return false;
}

/*
 * `Host header: "a:1"`, `HTTP_HOST 'a:1'`, `not authorized for Host "a:1"`:
 * what stands behind the name of the field. `expected host "b"` is another's.
 */
static struct bytes quoted_host(struct bytes line)
{
	static const char *const names[] = {"host", "http_host"};
	static const char *const between[] = {
		"header", "field", "name", "value", "is", "was", "of"};
	static const char *const wished[] = {"expected", "allowed", "required",
					     "trusted",	 "correct", "server",
					     "expects",	 "your"};
	struct bytes before = bytes_of(NULL, 0), word;
	bool named = false;

	if (!complains(line))
		return before;
	while ((word = next_word(&line)).len > 0) {
		if (named && looks_like_host(word))
			return word;
		named = (named && bytes_is_one_of(word, between, 7)) ||
			(bytes_is_one_of(word, names, 2) &&
			 !bytes_is_one_of(before, wished, 8));
		before = word;
	}
	return word;
}

/* "a:80" and "a" are the same where 80 is what the scheme has. */
static struct bytes without_usual_port(struct bytes host, bool tls)
{
	struct bytes usual = tls ? BYTES(":443") : BYTES(":80");

	if (host.len > usual.len &&
	    bytes_equal(bytes_from(host, host.len - usual.len), usual))
		host.len -= usual.len;
	return host;
}

/* A name alone may be the Host that was sent, without its port. */
static bool is_same(struct bytes arrived, struct bytes sent, bool tls)
{
	arrived = without_usual_port(arrived, tls);
	sent = without_usual_port(sent, tls);
	if (bytes_equal_nocase(arrived, sent))
		return true;
	return bytes_find_byte(arrived, ':') < 0 && arrived.len < sent.len &&
	       bytes_equal_nocase(bytes_first(sent, arrived.len), arrived) &&
	       sent.data[arrived.len] == ':';
}

static bool arrives_in(const struct doctor_case *c, struct bytes text,
		       struct doctor_arrived *ret)
{
	char sent[MOST_HOST + 10];
	struct bytes rest = bytes_first(text, MOST_READ);

	if (c->host)
		snprintf(sent, sizeof(sent), "%s", c->host);
	else if (ses_url_host_field(&c->url, sent, sizeof(sent)) < 0)
		return false;
	while (rest.len > 0) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');
		size_t n = end < 0 ? rest.len : (size_t)end;
		struct bytes host = quoted_host(bytes_first(rest, n));

		rest = bytes_from(rest, n + 1);
		if (host.len == 0 ||
		    is_same(host, bytes_of_str(sent), c->url.tls))
			continue;
		snprintf(ret->host, sizeof(ret->host), "%.*s", BYTES_ARG(host));
		snprintf(ret->sent, sizeof(ret->sent), "%s", sent);
		return true;
	}
	return false;
}

bool doctor_arrived_host(const struct doctor_case *c,
			 const struct doctor_probe *p,
			 struct doctor_arrived *ret)
{
	if (p->status < 400 || p->outcome != DOCTOR_ANSWERED)
		return p->outcome == DOCTOR_CLOSED_AFTER &&
		       arrives_in(c, bytes_of_str(p->close_reason), ret);
	return arrives_in(c, p->parsed.reason, ret) ||
	       arrives_in(c, bytes_of(p->body, p->body_len), ret);
}
