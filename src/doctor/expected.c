/* SPDX-License-Identifier: MIT */
/*
 * What would have been right, as it would be written down: the URL, the Origin,
 * the name that opened. Only the handshake that did can tell; where it shows no
 * single value, what is expected is told in words and not to be pasted.
 */
#include "doctor/facts.h"

#include <stdio.h>

#include "doctor/disclosed.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"
#include "doctor/request.h"
#include "net/addr.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The URL with what the key changed about it. */
static void write_url(const struct doctor_facts *f,
		      const struct doctor_trial *t, char *out, size_t size)
{
	struct ses_url url = f->chart->c->url;
	char text[1200], shown[1200], query[600];
	uint64_t port;

	url.query = doctor_changed_query(f->chart->c, t, query, sizeof(query));
	if (t->change == DOCTOR_SCHEME)
		url.tls = strcmp(t->value, "wss") == 0;
	if (t->change == DOCTOR_PORT &&
	    bytes_to_u64(bytes_of_str(t->value), 65535, &port)) {
		url.port = (uint16_t)port;
		url.port_given = true;
	}
	if (t->change == DOCTOR_NAME) {
		url.host = bytes_of_str(t->value);
		url.host_kind = SES_HOST_NAME;
	}
	if (t->change == DOCTOR_PATH) {
		struct bytes path = bytes_of_str(t->value);
		ptrdiff_t mark = bytes_find_byte(path, '?');

		url.path =
			bytes_first(path, mark < 0 ? path.len : (size_t)mark);
		if (mark >= 0)
			url.query = bytes_from(path, (size_t)mark + 1);
	}
	url.http = false;
	if (ses_url_write(&url, text, sizeof(text)) < 0 ||
	    ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) < 0)
		shown[0] = 0;
	doctor_redact(f->chart->c, bytes_of_str(shown), out, size);
}

/*
 * The URL with the address that @p reached in it. Of this very machine only:
 * elsewhere, and under TLS, the name is part of what was asked for.
 */
static bool write_address(const struct doctor_facts *f,
			  const struct doctor_probe *p, char *out, size_t size)
{
	const struct doctor_case *c = f->chart->c;
	struct ses_url url = c->url;
	bool v6 = p->trial.value[0] == '6';
	char host[SES_ADDR_TEXT], text[1200], shown[1200];

	if (url.tls || c->proxy || c->connect_host || c->host ||
	    !(doctor_is_loopback(c) || doctor_is_local_name(c, p)))
		return false;
	if (p->dial.peer.len > 0)
		ses_addr_format_host(&p->dial.peer, host);
	else
		snprintf(host, sizeof(host), "%s", v6 ? "::1" : "127.0.0.1");
	url.host = bytes_of_str(host);
	url.host_kind = v6 ? SES_HOST_IPV6 : SES_HOST_IPV4;
	url.http = false;
	if (ses_url_write(&url, text, sizeof(text)) < 0 ||
	    ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) < 0)
		return false;
	doctor_redact(f->chart->c, bytes_of_str(shown), out, size);
	return true;
}

/* What opened the door, as it would be written down. */
static void expect_of_key(struct doctor_facts *f)
{
	const struct doctor_trial *t = &f->key->trial;

	switch (t->change) {
	case DOCTOR_SCHEME:
	case DOCTOR_PORT:
	case DOCTOR_PATH:
	case DOCTOR_NAME:
	case DOCTOR_PARAMETER:
	case DOCTOR_NO_PARAMETER:
		write_url(f, t, f->expected, sizeof(f->expected));
		break;
	case DOCTOR_HOST:
	case DOCTOR_ORIGIN:
	case DOCTOR_VERSION:
	case DOCTOR_USER_AGENT:
		doctor_redact(f->chart->c, bytes_of_str(t->value), f->expected,
			      sizeof(f->expected));
		break;
	case DOCTOR_SUBPROTOCOL:
		doctor_redact(f->chart->c,
			      f->key->subprotocol.len ? f->key->subprotocol
						      : bytes_of_str(t->value),
			      f->expected, sizeof(f->expected));
		break;
	case DOCTOR_FAMILY:
		if (write_address(f, f->key, f->expected, sizeof(f->expected)))
			break;
		/* fall through */
	default:
		doctor_trial_text(f->chart->c, t, f->expected,
				  sizeof(f->expected));
		f->pastable = false; /* "no Origin" is no value */
	}
}

/* Any name opens there: which one is meant is not to be seen from outside. */
static void expect_below(struct doctor_facts *f)
{
	struct doctor_trial t = f->key->trial;
	char *name;

	t.value[strcspn(t.value, "?")] = 0;
	name = strrchr(t.value, '/') + 1;
	snprintf(name, (size_t)(t.value + sizeof(t.value) - name), "NAME");
	write_url(f, &t, f->expected, sizeof(f->expected));
	f->pastable = false;
}

/* Where a redirect leads, with ws:// for http://. */
static void know_the_target(struct doctor_facts *f)
{
	struct bytes to;
	char text[600], shown[600];

	if (f->v->cause != WHY_SERVER_REDIRECT)
		return;
	to = f->base && f->base->status / 100 == 3
		     ? ses_head_get(&f->base->parsed, "Location")
		     : BYTES("");
	if (f->proven && f->pastable) {
		snprintf(f->target, sizeof(f->target), "%s", f->expected);
	} else if (bytes_starts(to, BYTES("http")) && to.len < sizeof(text)) {
		snprintf(text, sizeof(text), "ws%.*s",
			 BYTES_ARG(bytes_from(to, strlen("http"))));
		if (ses_url_redact(bytes_of_str(text), shown, sizeof(shown)) >= 0)
			doctor_redact(f->chart->c, bytes_of_str(shown),
				      f->target, sizeof(f->target));
	}
	doctor_know_value(f, "target", f->target);
}

/* "with no Origin", "without the query": what opens, as part of a sentence. */
static void know_the_change(struct doctor_facts *f)
{
	static const char *const begins[] = {"with", "over ", "from ", "under ",
					     "straight "};
	const char *changed = f->v->proof.changed;
	bool fits = false;

	for (size_t i = 0; i < LEN(begins); i++)
		fits |= strncmp(changed, begins[i], strlen(begins[i])) == 0;
	if (*changed)
		snprintf(f->by, sizeof(f->by), "%s%s", fits ? "" : "with ",
			 changed);
	doctor_know_value(f, "by", f->by);
}

void doctor_expect(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	char text[600];

	f->pastable = true;
	if (f->key && doctor_any_name_opens(f->chart)) {
		expect_below(f);
	} else if (f->key) {
		expect_of_key(f);
	} else if (f->v->cause == WHY_NET_ADDRESS_FAMILY &&
		   doctor_other_family(f)) {
		if (!write_address(f, doctor_other_family(f), f->expected,
				   sizeof(f->expected)))
			f->expected[0] = 0;
	} else if (c->url_fault &&
		   ses_url_suggest(bytes_of_str(c->url_text), text,
				   sizeof(text)) &&
		   ses_url_redact(bytes_of_str(text), f->expected,
				  sizeof(f->expected)) < 0) {
		f->expected[0] = 0;
	}
	f->proven = f->expected[0] != 0;
	know_the_change(f);
	doctor_know_value(f, "expected", f->expected);
	know_the_target(f);
}
