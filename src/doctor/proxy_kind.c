/* SPDX-License-Identifier: MIT */
/*
 * A forward proxy that is asked in the wrong language: TLS where it speaks
 * none, SOCKS where it speaks HTTP, CONNECT where a web server listens. What it
 * answers shows what it is, and no refusal of the destination is in it.
 */
#include "doctor/proxy_kind.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/proxy_words.h"
#include "doctor/result.h"
#include "wire/head.h"

static bool is_of(const char *url, const char *scheme)
{
	return bytes_equal_nocase(bytes_first(bytes_of_str(url), strlen(scheme)),
				  bytes_of_str(scheme));
}

static const struct ses_dial_step *failed_step(const struct doctor_probe *p)
{
	const struct ses_dial_report *d = &p->dial;

	return d->n_steps && d->step[d->n_steps - 1].error
		       ? &d->step[d->n_steps - 1]
		       : NULL;
}

static bool has(const char *text, const char *part)
{
	return bytes_contains_nocase(bytes_of_str(text), bytes_of_str(part));
}

static void say(struct doctor_proxy_kind *ret, const char *what,
		const char *scheme)
{
	snprintf(ret->what, sizeof(ret->what), "%s", what);
	ret->scheme = scheme;
}

/* Who waits for another language is silent, and so is who is stuck. */
static void say_silence(struct doctor_proxy_kind *ret, const char *what)
{
	say(ret, what, "http");
	ret->silent = true;
}

static void judge_tls(const struct doctor_probe *p,
		      const struct ses_dial_step *step,
		      struct doctor_proxy_kind *ret)
{
	if (p->dial.proxy_spoke)
		return;
	if (step->error == SESAME_ETIMEOUT)
		say_silence(ret, "it gives no answer to TLS");
	else if (p->dial.tls.fault == SES_TLS_NOT_TLS &&
		 has(p->dial.tls.text, "\\x05"))
		say(ret, "it answers TLS as a SOCKS proxy does", "socks5");
	else if (p->dial.tls.fault == SES_TLS_NOT_TLS)
		say(ret, "it speaks no TLS", "http");
}

static void judge_socks(const struct doctor_probe *p,
			const struct ses_dial_step *step,
			struct doctor_proxy_kind *ret)
{
	if (p->dial.proxy_spoke)
		return;
	if (has(step->text, "does not speak SOCKS"))
		say(ret, "it does not speak SOCKS 5", "http");
	else if (step->error == SESAME_ETIMEOUT)
		say_silence(ret, "it gives no answer in SOCKS 5");
}

/* Fields that a forward proxy adds to what it says. */
static bool is_signed_by_proxy(const struct ses_head *head)
{
	static const char *const names[] = {
		"Via",		"Proxy-Agent",	     "Proxy-Connection",
		"X-Cache",	"X-Cache-Lookup",    "X-Squid-Error",
		"Proxy-Status", "Proxy-Authenticate"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ses_head_get(head, names[i]).data)
			return true;
	return false;
}

/* Software that is a forward proxy and nothing else. */
static bool is_known_proxy(const struct ses_dial_report *d)
{
	struct why_hops hops = {.writer = -1};

	doctor_recognise_proxy(d, &hops);
	return hops.writer >= 0 &&
	       why_stack(hops.hop[hops.writer].stack)->layer ==
		       WHY_LAYER_FORWARD_PROXY;
}

/* Web servers do not know CONNECT; those that do refuse by 403 or 407. */
static bool is_web_server(const struct ses_dial_report *d)
{
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct ses_head head;
	int status = d->proxy_status;

	if (status != 400 && status != 404 && status != 405 && status != 501 &&
	    status / 100 != 3)
		return false;
	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	if (ses_head_parse(&parser, bytes_of(d->proxy_head, d->proxy_head_len),
			   &head, &fault) <= 0)
		return false;
	return !is_signed_by_proxy(&head) && !is_known_proxy(d) &&
	       !doctor_proxy_failed(d);
}

static void judge_http(const struct doctor_probe *p,
		       const struct ses_dial_step *step,
		       struct doctor_proxy_kind *ret)
{
	const struct ses_dial_report *d = &p->dial;
	char begin[40];

	if (is_web_server(d))
		say(ret,
		    "it does not know CONNECT, so it is a web server and no "
		    "forward proxy",
		    NULL);
	else if (!has(step->text, "does not answer in HTTP"))
		return;
	else if (d->proxy_head_len > 0 && d->proxy_head[0] == 5)
		say(ret, "it answers as a SOCKS proxy does", "socks5");
	else
		snprintf(ret->what, sizeof(ret->what),
			 "it speaks no HTTP, and says \"%s\"",
			 bytes_printable(bytes_first(bytes_of(d->proxy_head,
							      d->proxy_head_len),
						     30),
					 begin, sizeof(begin)));
}

void doctor_proxy_kind(const struct doctor_probe *p, const char *url,
		       struct doctor_proxy_kind *ret)
{
	const struct ses_dial_step *step = failed_step(p);

	*ret = (struct doctor_proxy_kind){.scheme = NULL};
	if (!url || !step || step->kind != SES_DIAL_PROXY ||
	    p->outcome != DOCTOR_NO_CONNECTION)
		return;
	if (is_of(url, "https:"))
		judge_tls(p, step, ret);
	else if (is_of(url, "socks"))
		judge_socks(p, step, ret);
	if (!ret->what[0] && is_of(url, "http"))
		judge_http(p, step, ret);
}
