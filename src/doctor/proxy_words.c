/* SPDX-License-Identifier: MIT */
/*
 * What a forward proxy says of the destination when it refuses a CONNECT: that
 * the name is unknown to it, that nobody listens there, that it waited in vain,
 * or that it does not let it pass; and what one that opens TLS says in the
 * tunnel. Proxies disagree about the status, so it is their fields and their
 * words that tell.
 */
#include "doctor/proxy_words.h"

#include "doctor/finding_inner.h"
#include "wire/head.h"

struct word {
	const char *phrase;
	enum doctor_finding_kind kind;
};

/* Squid's field: the name of its page, and the error of the system's call. */
static const struct word squid_errors[] = {
	{"ERR_DNS_FAIL", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"ERR_CONNECT_FAIL 111", DOCTOR_F_PROXY_WAS_REFUSED},
	{"ERR_CONNECT_FAIL 61", DOCTOR_F_PROXY_WAS_REFUSED},
	{"ERR_CONNECT_FAIL 110", DOCTOR_F_PROXY_WAITED},
	{"ERR_CONNECT_FAIL 60", DOCTOR_F_PROXY_WAITED},
	{"ERR_READ_TIMEOUT", DOCTOR_F_PROXY_WAITED},
	{"ERR_ACCESS_DENIED", DOCTOR_F_PROXY_FORBIDS},
};

/* RFC 9209 section 2.3. */
static const struct word status_errors[] = {
	{"dns_error", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"dns_timeout", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"connection_refused", DOCTOR_F_PROXY_WAS_REFUSED},
	{"connection_timeout", DOCTOR_F_PROXY_WAITED},
	{"destination_ip_prohibited", DOCTOR_F_PROXY_FORBIDS},
	{"http_request_denied", DOCTOR_F_PROXY_FORBIDS},
};

/* How resolvers, the system and the proxies themselves put it. */
static const struct word sentences[] = {
	{"host not found or", DOCTOR_F_NONE}, /* one text for both */
	{"no such domain", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"no such host", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"unknown host", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"host not found", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"host lookup failed", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"could not resolve", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"cannot resolve", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"unable to resolve", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"dns lookup fail", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"dns resolution fail", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"name or service not known", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"nodename nor servname", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"name resolution", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"ENOTFOUND", DOCTOR_F_PROXY_KNOWS_NO_NAME},
	{"connection refused", DOCTOR_F_PROXY_WAS_REFUSED},
	{"ECONNREFUSED", DOCTOR_F_PROXY_WAS_REFUSED},
	{"connection timed out", DOCTOR_F_PROXY_WAITED},
	{"connect timed out", DOCTOR_F_PROXY_WAITED},
	{"connection timeout", DOCTOR_F_PROXY_WAITED},
	{"i/o timeout", DOCTOR_F_PROXY_WAITED},
	{"ETIMEDOUT", DOCTOR_F_PROXY_WAITED},
	{"access denied", DOCTOR_F_PROXY_FORBIDS},
	{"request blocked", DOCTOR_F_PROXY_FORBIDS},
};

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct word *find_word(struct bytes text, const struct word *rows,
				    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_contains_nocase(text, bytes_of_str(rows[i].phrase)))
			return &rows[i];
	return NULL;
}

/* A number that goes on is another one: 111 is no 11. */
static const struct word *squid_word(struct bytes value)
{
	for (size_t i = 0; i < LEN(squid_errors); i++) {
		struct bytes name = bytes_of_str(squid_errors[i].phrase);
		struct bytes rest = bytes_from(value, name.len);

		if (bytes_starts(value, name) &&
		    (rest.len == 0 || rest.data[0] == ' '))
			return &squid_errors[i];
	}
	return NULL;
}

static const struct word *field_word(const struct ses_head *head)
{
	const struct word *w = squid_word(ses_head_get(head, "X-Squid-Error"));

	return w ? w
		 : find_word(ses_head_get(head, "Proxy-Status"), status_errors,
			     LEN(status_errors));
}

/* The part of a page that is about this very request is at its beginning. */
static const struct word *text_word(const struct ses_dial_report *d,
				    const struct ses_head *head)
{
	const struct word *w =
		find_word(head->reason, sentences, LEN(sentences));

	return w ? w
		 : find_word(bytes_of(d->proxy_body, d->proxy_body_len),
			     sentences, LEN(sentences));
}

/* By the proxy's answer to CONNECT, and the words that say so. NONE: it does
 * not say. */
static enum doctor_finding_kind proxy_says(const struct ses_dial_report *d,
					   const char **ret_phrase)
{
	struct ses_head_parser parser;
	const struct word *w;
	struct ses_head head;
	enum ses_fault fault;

	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	if (d->proxy_status < 300 || d->proxy_status == 407 ||
	    ses_head_parse(&parser, bytes_of(d->proxy_head, d->proxy_head_len),
			   &head, &fault) <= 0)
		return DOCTOR_F_NONE;
	w = field_word(&head);
	if (!w)
		w = text_word(d, &head);
	if (!w)
		return DOCTOR_F_NONE;
	*ret_phrase = w->phrase;
	return w->kind;
}

/* Who opens TLS on the way refuses within the tunnel, by the same fields. */
static enum doctor_finding_kind said_inside(const struct doctor_probe *p,
					    const char **ret_phrase)
{
	const struct word *w = field_word(&p->parsed);

	if (!w)
		return DOCTOR_F_NONE;
	*ret_phrase = w->phrase;
	return w->kind;
}

bool doctor_proxy_failed(const struct ses_dial_report *d)
{
	const char *phrase;
	enum doctor_finding_kind kind = proxy_says(d, &phrase);

	return kind != DOCTOR_F_NONE && kind != DOCTOR_F_PROXY_FORBIDS;
}

void doctor_find_proxy_words(struct doctor_chart *chart,
			     const struct doctor_probe *base)
{
	const char *phrase = NULL;
	enum doctor_finding_kind kind;

	if (base->outcome == DOCTOR_ANSWERED && chart->c->proxy)
		kind = said_inside(base, &phrase);
	else if (base->outcome == DOCTOR_NO_CONNECTION)
		kind = proxy_says(&base->dial, &phrase);
	else
		return;
	if (kind != DOCTOR_F_NONE)
		doctor_note(chart, kind, base, NULL,
			    "the forward proxy says \"%s\" of the destination",
			    phrase);
}
