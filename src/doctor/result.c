/* SPDX-License-Identifier: MIT */
/*
 * The results of probes as people read them: heads and bodies as they came, and
 * what is said of them.
 */
#include "doctor/result.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "doctor/redact.h"
#include "doctor/told.h"
#include "wire/chunks.h"

/* ---- heads ---- */

void doctor_head_init(struct ses_head_parser *parser)
{
	static const struct ses_head_limits limits = {
		.line_bytes = 32 * 1024,
		.total_bytes = 64 * 1024,
		.fields = SES_HEAD_MAX_FIELDS,
	};

	ses_head_init(parser, false, &limits);
	parser->tolerant = true;
}

void doctor_recognise_proxy(const struct ses_dial_report *dial,
			    struct why_hops *ret_hops)
{
	struct bytes in = bytes_of(dial->proxy_head, dial->proxy_head_len);
	struct ses_head_parser parser;
	struct ses_head head;
	enum ses_fault fault;
	struct why_answer answer;

	doctor_head_init(&parser);
	if (in.len == 0 || ses_head_finish(&parser, in, &head, &fault) <= 0)
		return;
	answer = (struct why_answer){
		.status = head.status,
		.reason = head.reason,
		.fields = head.fields,
		.n_fields = head.n_fields,
		.body = bytes_of(dial->proxy_body, dial->proxy_body_len),
	};
	why_recognise(&answer, ret_hops);
}

/* ---- chunked bodies ---- */

bool doctor_unchunk(struct bytes in, uint8_t *out, size_t size, size_t *ret_len)
{
	struct ses_buf whole;
	struct bytes data;
	int r;

	ses_buf_init(&whole, in.len + 1); /* no body is longer than its chunks */
	r = ses_chunks_decode(in, &whole);
	data = bytes_first(ses_buf_bytes(&whole), size);
	if (data.len)
		memcpy(out, data.data, data.len);
	*ret_len = data.len;
	ses_buf_fini(&whole);
	return r > 0 || data.len == size;
}

/* ---- texts ---- */

char *doctor_trial_text(const struct doctor_case *c,
			const struct doctor_trial *trial, char *out, size_t size)
{
	static const char *const texts[] = {
#define CHANGE(symbol, text, ...) [DOCTOR_##symbol] = text,
#include "doctor/changes.def"
#undef CHANGE
	};
	const char *text = texts[trial->change];
	const char *place = strstr(text, "%s");
	char value[512], url[1024];

	if (ses_url_redact(bytes_of_str(trial->value), url, sizeof(url)) < 0)
		url[0] = 0;
	/* only what has a query can have a secret in it, besides the case's */
	doctor_redact(c,
		      bytes_of_str(strchr(trial->value, '?') ||
						   trial->change == DOCTOR_PAGE
					   ? url
					   : trial->value),
		      value, sizeof(value));
	if (!place)
		snprintf(out, size, "%s", text);
	else
		snprintf(out, size, "%.*s%s%s", (int)(place - text), text,
			 value, place + 2);
	return out;
}

/* What somebody else wrote: hidden first and cut then, for the beginning of
 * a secret is one, too. */
static char *quote(const struct doctor_probe *p, struct bytes text, char *out,
		   size_t size)
{
	return p->c ? doctor_redact(p->c, text, out, size)
		    : bytes_printable(text, out, size);
}

static void say_open(const struct doctor_probe *p, char *out, size_t size)
{
	char chosen[128], told[128];

	quote(p, p->subprotocol, chosen, sizeof(chosen));
	if (p->trial.change == DOCTOR_H2)
		snprintf(out, size, "%d over HTTP/2, a WebSocket (RFC 8441)",
			 p->status);
	else
		snprintf(out, size, "101%s%s%s",
			 *chosen ? ", subprotocol " : "", chosen,
			 doctor_tells_error(p)
				 ? doctor_told_text(p, told, sizeof(told))
				 : "");
}

static void say_answer(const struct doctor_probe *p, char *out, size_t size)
{
	struct bytes location = ses_head_get(&p->parsed, "Location");
	struct bytes reason = p->parsed.reason;
	char word[160], place[512], whole[4096];

	if (reason.len == 0)
		reason = bytes_of_str(ses_status_phrase(p->status));
	quote(p, reason, word, sizeof(word));
	place[0] = 0;
	/* what is known to be secret first: a place may cut it in two */
	if (p->status / 100 == 3 && location.data &&
	    ses_url_redact(bytes_of_str(quote(p, location, whole, sizeof(whole))),
			   place, sizeof(place)) < 0)
		snprintf(place, sizeof(place),
			 "a place that is too long to show");
	snprintf(out, size, "%d%s%s%s%s%s%s", p->status, *word ? " " : "", word,
		 *place ? " to " : "", place, p->h2_spoken ? " over HTTP/2" : "",
		 p->body_swells ? ", with a body that swells past 64 KiB" : "");
}

static void say_close(const struct doctor_probe *p, char *out, size_t size)
{
	const char *reason = p->close_reason;
	char code[32] = "", told[128];

	if (p->close_code != 1005)
		snprintf(code, sizeof(code), " %u", p->close_code);
	snprintf(out, size, "101%s, then close%s%s%s%s",
		 doctor_told_text(p, told, sizeof(told)), code,
		 *reason ? " (" : "", reason, *reason ? ")" : "");
}

bool doctor_is_h2_frame(struct bytes in)
{
	static const uint8_t settings = 4, goaway = 7; /* RFC 9113, section 6 */

	return in.len >= 9 && in.data[0] == 0 &&
	       (in.data[3] == settings ||
		(in.data[3] == goaway && in.data[2] >= 8 && in.data[4] == 0)) &&
	       in.data[5] == 0 && in.data[8] == 0;
}

static void say_not_http(const struct doctor_probe *p, char *out, size_t size)
{
	struct bytes head = bytes_of(p->head, p->head_len);
	char begin[64];

	if (p->trial.change == DOCTOR_H2 && !p->h2_spoken)
		snprintf(out, size, "no HTTP/2: \"%s\"",
			 quote(p, bytes_first(head, 40), begin, sizeof(begin)));
	else if (doctor_is_h2_frame(head))
		snprintf(out, size, "not HTTP/1.1, but a frame of HTTP/2");
	else if (bytes_starts(head, BYTES("HTTP/")))
		snprintf(out, size, "broken HTTP: %s",
			 ses_fault_row(p->fault)->sentence);
	else
		snprintf(out, size, "not HTTP: \"%s\"",
			 quote(p, head, begin, sizeof(begin)));
}

static void say_no_answer(const struct doctor_probe *p, char *out, size_t size)
{
	if (p->trial.change == DOCTOR_H2 && p->error == SESAME_EPROTO) {
		snprintf(out, size, "TLS without HTTP/2");
		return;
	}
	if (p->n_interim)
		snprintf(out, size,
			 "only %d interim answer%s (%d %s), and no final one",
			 p->n_interim, p->n_interim == 1 ? "" : "s", p->interim,
			 ses_status_phrase(p->interim));
	else if (p->error == SESAME_ETIMEOUT)
		snprintf(out, size, "connected, then silence for %.0f s",
			 p->ms / 1000);
	else if (p->error == SESAME_ERESET)
		snprintf(out, size, "connected, then reset without an answer");
	else if (p->error == SESAME_EAGAIN)
		snprintf(out, size, "interrupted");
	else
		snprintf(out, size, "connected, then closed without an answer");
}

static const struct ses_dial_step *
last_failure(const struct ses_dial_report *dial)
{
	for (size_t i = dial->n_steps; i > 0; i--)
		if (dial->step[i - 1].error)
			return &dial->step[i - 1];
	return NULL;
}

static const char *tls_words(const struct ses_tls_info *tls)
{
	static const char *const words[] = {
		[SES_TLS_OK] = "TLS failed",
		[SES_TLS_NOT_TLS] = "no TLS is spoken there",
		[SES_TLS_VERSION] = "no common TLS version",
		[SES_TLS_UNTRUSTED] = "certificate not trusted",
		[SES_TLS_EXPIRED] = "certificate expired or not yet valid",
		[SES_TLS_HOSTNAME] = "certificate for other names",
		[SES_TLS_CLIENT_CERT] = "TLS client certificate required",
		[SES_TLS_ALERT] = "TLS alert",
		[SES_TLS_CUT] = "cut during the TLS handshake",
		[SES_TLS_OTHER] = "TLS failed",
	};

	if (strcmp(tls->alert, "no_application_protocol") == 0)
		return "TLS, but no HTTP/1.1 in it"; /* RFC 7301, ALPN */
	return words[tls->fault <= SES_TLS_OTHER ? tls->fault : 0];
}

static void say_tls(const struct doctor_probe *p, char *out, size_t size)
{
	const struct ses_tls_info *tls = &p->dial.tls;
	const char *more = tls->alert[0] ? tls->alert : tls->text;
	char text[200];

	if (bytes_starts(bytes_of_str(more), BYTES("the peer does not speak "
						   "TLS; ")))
		more = strchr(more, ';') + 2; /* that much is said already */
	quote(p, bytes_of_str(more), text, sizeof(text));
	snprintf(out, size, "%s%s%s%s", tls_words(tls), *text ? " (" : "", text,
		 *text ? ")" : "");
}

int doctor_name_error(const struct doctor_probe *p)
{
	const struct ses_dial_step *step = last_failure(&p->dial);

	return p->error == SESAME_ENAME && step && step->kind == SES_DIAL_NAMES
		       ? step->sys_errno
		       : 0;
}

/* What getaddrinfo() says, for people. */
static const char *name_words(int code)
{
	switch (code) {
	case EAI_NONAME:
		return "the name does not exist";
	case EAI_NODATA:
		return "the name has no address";
	case EAI_ADDRFAMILY:
		return "the name has no address of this family";
	case EAI_AGAIN:
		return "the resolver did not answer";
	case EAI_FAIL:
		return "the resolver failed";
	default:
		return "the name does not resolve";
	}
}

bool doctor_is_unheard(const struct doctor_probe *p)
{
	const struct ses_dial_step *step = last_failure(&p->dial);

	return p->outcome == DOCTOR_NO_CONNECTION && step &&
	       step->kind == SES_DIAL_CONNECT && step->sys_errno == ECONNREFUSED;
}

static void say_no_connection(const struct doctor_probe *p, char *out,
			      size_t size)
{
	const struct ses_dial_step *step = last_failure(&p->dial);

	if (p->error == SESAME_ETLS)
		say_tls(p, out, size);
	else if (p->error == SESAME_EPROXY && p->dial.proxy_status)
		snprintf(out, size, "%d %s from the proxy", p->dial.proxy_status,
			 ses_status_phrase(p->dial.proxy_status));
	else if (doctor_name_error(p) == EAI_ADDRFAMILY && *step->text)
		snprintf(out, size, "the name has %s", step->text);
	else if (p->error == SESAME_ENAME)
		snprintf(out, size, "%s", name_words(doctor_name_error(p)));
	else if (doctor_is_unheard(p))
		snprintf(out, size, "connection refused");
	else if (p->error == SESAME_ETIMEOUT)
		snprintf(out, size, "no connection in time");
	else if (step && *step->text)
		quote(p, bytes_of_str(step->text), out, size);
	else
		snprintf(out, size, "%s", sesame_strerror(p->error));
}

/* What was cut ends with dots, and not within a character or an escape. */
static void end_well(char *out, size_t size)
{
	size_t n = strlen(out);

	if (size < 8 || n + 1 < size)
		return;
	n -= 3;
	while (n > 0 && ((unsigned char)out[n] & 0xc0) == 0x80)
		n--;
	for (size_t back = 1; back < 4 && back < n; back++)
		if (out[n - back] == '\\') {
			n -= back;
			break;
		}
	memcpy(out + n, "...", 4);
}

char *doctor_result_text(const struct doctor_probe *p, char *out, size_t size)
{
	char told[128];

	switch (p->outcome) {
	case DOCTOR_OPEN:
		say_open(p, out, size);
		break;
	case DOCTOR_ANSWERED:
		say_answer(p, out, size);
		break;
	case DOCTOR_BAD_101:
		snprintf(out, size, "invalid 101: %s",
			 ses_fault_row(p->fault)->sentence);
		break;
	case DOCTOR_CLOSED_AFTER:
		say_close(p, out, size);
		break;
	case DOCTOR_CUT_AFTER:
		snprintf(out, size, "101%s, then cut after %.1f s",
			 doctor_told_text(p, told, sizeof(told)),
			 p->open_ms / 1000);
		break;
	case DOCTOR_BAD_FRAME:
		snprintf(out, size, "101, then a broken frame: %s",
			 ses_fault_row(p->fault)->sentence);
		break;
	case DOCTOR_NOT_HTTP:
		say_not_http(p, out, size);
		break;
	case DOCTOR_NO_ANSWER:
		say_no_answer(p, out, size);
		break;
	case DOCTOR_NO_CONNECTION:
		say_no_connection(p, out, size);
		break;
	}
	end_well(out, size);
	return out;
}
