/* SPDX-License-Identifier: MIT */
/*
 * How the user's own request ended, as one finding of the group SYMPTOM. The
 * layer that failed decides: URL, names, TCP, proxy, TLS, HTTP, 101, and what
 * came after it. priors.def has a row for each.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include <sesame/error.h>

#include "doctor/disclosed.h"
#include "doctor/finding_inner.h"
#include "doctor/hello.h"
#include "doctor/proxy_kind.h"
#include "doctor/proxy_words.h"
#include "doctor/result.h"
#include "doctor/told.h"

/* An open connection that ends later than this was ended by a silence. */
#define LATER_MS 1200

static const struct ses_dial_step *last_step(const struct doctor_probe *p)
{
	const struct ses_dial_report *d = &p->dial;

	for (size_t i = d->n_steps; i > 0; i--)
		if (d->step[i - 1].error)
			return &d->step[i - 1];
	return d->n_steps ? &d->step[d->n_steps - 1] : NULL;
}

static bool has_word(const char *text, const char *word)
{
	return bytes_contains_nocase(bytes_of_str(text), bytes_of_str(word));
}

/* ---- before HTTP ---- */

/* The certificate, or the TLS, that fails can be the proxy's own. */
bool doctor_is_proxy_tls(const struct doctor_probe *p)
{
	enum ses_tls_fault fault = p->dial.tls.fault;

	return p->error == SESAME_EPROXY &&
	       (fault == SES_TLS_UNTRUSTED || fault == SES_TLS_EXPIRED ||
		fault == SES_TLS_HOSTNAME);
}

static enum doctor_finding_kind proxy_symptom(const struct doctor_probe *p,
					      const struct doctor_case *c)
{
	struct doctor_proxy_kind kind;
	const struct ses_dial_step *step = last_step(p);
	const char *text = step ? step->text : "";
	int status = p->dial.proxy_status;

	doctor_proxy_kind(p, c->proxy, &kind);
	if (kind.what[0])
		return kind.silent ? DOCTOR_F_PROXY_MUTE
				   : DOCTOR_F_PROXY_OTHER_KIND;
	if (status == 407 || has_word(text, "authentication") ||
	    has_word(text, "credential") || has_word(text, "password") ||
	    has_word(text, "log in") ||
	    has_word(text, "ticket")) /* SOCKS: no method that we offered */
		return DOCTOR_F_PROXY_407;
	if (status >= 500 || doctor_proxy_failed(&p->dial))
		return DOCTOR_F_PROXY_GATEWAY;
	if (status >= 300 || has_word(text, "not allowed") ||
	    has_word(text, "ruleset"))
		return DOCTOR_F_PROXY_DENIES;
	if (has_word(text, "refused") || has_word(text, "unreachable") ||
	    has_word(text, "general failure")) /* some say so of a name */
		return DOCTOR_F_PROXY_GATEWAY;
	return DOCTOR_F_PROXY_BROKEN;
}

static enum doctor_finding_kind tcp_symptom(const struct doctor_probe *p)
{
	const struct ses_dial_report *d = &p->dial;
	bool refused = false, lost = false, silent = false;

	for (size_t i = 0; i < d->n_steps; i++) {
		const struct ses_dial_step *s = &d->step[i];

		if (s->kind != SES_DIAL_CONNECT || !s->error)
			continue;
		if (s->sys_errno == ECONNREFUSED)
			refused = true;
		else if (s->error == SESAME_ETIMEOUT ||
			 s->sys_errno == ETIMEDOUT)
			silent = true;
		else
			lost = true;
	}
	if (refused)
		return DOCTOR_F_TCP_REFUSED;
	if (silent || (p->error == SESAME_ETIMEOUT && !lost))
		return DOCTOR_F_TCP_TIMEOUT;
	return lost ? DOCTOR_F_TCP_UNREACHABLE : DOCTOR_F_TCP_REFUSED;
}

/* It was the proxy that could not be reached. */
static enum doctor_finding_kind
missing_proxy_symptom(const struct doctor_probe *p)
{
	if (p->error == SESAME_ENAME)
		return DOCTOR_F_PROXY_UNKNOWN;
	return tcp_symptom(p) == DOCTOR_F_TCP_REFUSED ? DOCTOR_F_PROXY_NOT_THERE
						      : DOCTOR_F_PROXY_SILENT;
}

bool doctor_proxy_is_missing(const struct doctor_chart *chart)
{
	return doctor_found(chart, DOCTOR_F_PROXY_UNKNOWN) ||
	       doctor_found(chart, DOCTOR_F_PROXY_NOT_THERE) ||
	       doctor_found(chart, DOCTOR_F_PROXY_SILENT);
}

static enum doctor_finding_kind alert_symptom(const struct doctor_probe *p,
					      const struct doctor_case *c)
{
	const struct ses_tls_info *tls = &p->dial.tls;
	const char *word = tls->alert[0] ? tls->alert : tls->text;

	if (has_word(word, "application"))
		return DOCTOR_F_TLS_ALPN;
	if (has_word(word, "unrecognized") || has_word(word, "unrecognised"))
		return DOCTOR_F_TLS_NAME;
	if (has_word(word, "certificate") ||
	    (tls->asked_for_cert && !c->cert_file))
		return DOCTOR_F_TLS_CLIENT_CERT;
	if (tls->fault == SES_TLS_VERSION ||
	    has_word(word, "handshake failure") ||
	    has_word(word, "insufficient security"))
		return DOCTOR_F_TLS_VERSION;
	return DOCTOR_F_TLS_ALERT;
}

static enum doctor_finding_kind tls_symptom(const struct doctor_probe *p,
					    const struct doctor_case *c)
{
	if (p->error == SESAME_ETIMEOUT)
		return DOCTOR_F_TLS_SILENT;
	switch (p->dial.tls.fault) {
	case SES_TLS_NOT_TLS:
		return DOCTOR_F_TLS_NOT_TLS;
	case SES_TLS_UNTRUSTED:
		return DOCTOR_F_TLS_UNTRUSTED;
	case SES_TLS_EXPIRED:
		return DOCTOR_F_TLS_EXPIRED;
	case SES_TLS_HOSTNAME:
		return DOCTOR_F_TLS_HOSTNAME;
	case SES_TLS_CLIENT_CERT:
		return DOCTOR_F_TLS_CLIENT_CERT;
	case SES_TLS_VERSION:
	case SES_TLS_ALERT:
		return alert_symptom(p, c);
	case SES_TLS_CUT:
		return p->dial.tls.asked_for_cert && !c->cert_file
			       ? DOCTOR_F_TLS_CLIENT_CERT
			       : DOCTOR_F_TLS_CUT;
	default:
		return p->error == SESAME_ERESET ? DOCTOR_F_TLS_CUT
						 : DOCTOR_F_TLS_OTHER;
	}
}

static enum doctor_finding_kind connection_symptom(const struct doctor_probe *p,
						   const struct doctor_case *c)
{
	const struct ses_dial_step *step = last_step(p);
	enum ses_dial_kind kind = step ? step->kind : SES_DIAL_CONNECT;

	if (p->error == SESAME_ETLS || (step && kind == SES_DIAL_TLS) ||
	    doctor_is_proxy_tls(p))
		return tls_symptom(p, c);
	if (p->error == SESAME_EPROXY || (step && kind == SES_DIAL_PROXY))
		return proxy_symptom(p, c);
	if (c->proxy)
		return missing_proxy_symptom(p);
	if (p->error == SESAME_ENAME)
		return doctor_name_error(p) == EAI_ADDRFAMILY
			       ? DOCTOR_F_NAMES_OTHER_FAMILY
			       : DOCTOR_F_NAMES_FAIL;
	return tcp_symptom(p);
}

/* ---- HTTP ---- */

static enum doctor_finding_kind status_symptom(int status)
{
	static const struct {
		int low, high;
		enum doctor_finding_kind kind;
	} rows[] = {
		{200, 299, DOCTOR_F_STATUS_2XX},
		{300, 399, DOCTOR_F_STATUS_3XX},
		{400, 400, DOCTOR_F_STATUS_400},
		{401, 401, DOCTOR_F_STATUS_401},
		{402, 402, DOCTOR_F_STATUS_402},
		{403, 403, DOCTOR_F_STATUS_403},
		{404, 404, DOCTOR_F_STATUS_404},
		{405, 405, DOCTOR_F_STATUS_405},
		{407, 407, DOCTOR_F_STATUS_407},
		{410, 410, DOCTOR_F_STATUS_404},
		{413, 414, DOCTOR_F_STATUS_431}, /* a GET has no content */
		{419, 419, DOCTOR_F_STATUS_401}, /* Laravel: page expired */
		{420, 420, DOCTOR_F_STATUS_429},
		{421, 421, DOCTOR_F_STATUS_421},
		{422, 422, DOCTOR_F_STATUS_422},
		{426, 426, DOCTOR_F_STATUS_426},
		{429, 429, DOCTOR_F_STATUS_429},
		{431, 431, DOCTOR_F_STATUS_431},
		{440, 440, DOCTOR_F_STATUS_401}, /* IIS: login time-out */
		{451, 451, DOCTOR_F_STATUS_451},
		{494, 494, DOCTOR_F_STATUS_431},
		{495, 496, DOCTOR_F_STATUS_400},
		{498, 499, DOCTOR_F_STATUS_401}, /* ArcGIS: token */
		{400, 499, DOCTOR_F_STATUS_4XX},
		{500, 500, DOCTOR_F_STATUS_500},
		{501, 501, DOCTOR_F_STATUS_405},
		{502, 502, DOCTOR_F_STATUS_502},
		{503, 503, DOCTOR_F_STATUS_503},
		{504, 504, DOCTOR_F_STATUS_504},
		{505, 505, DOCTOR_F_STATUS_505},
		{511, 511, DOCTOR_F_STATUS_511},
		{520, 527, DOCTOR_F_STATUS_52X},
		{529, 529, DOCTOR_F_STATUS_503}, /* overloaded */
		{530, 530, DOCTOR_F_STATUS_52X},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (status >= rows[i].low && status <= rows[i].high)
			return rows[i].kind;
	return DOCTOR_F_STATUS_OTHER;
}

/* ---- after the 101 ---- */

/*
 * Pusher's protocol has codes of its own, and says by an event that they are
 * its: 4004 is a quota there, and nothing that is not found.
 */
static enum doctor_finding_kind pusher_symptom(const struct doctor_probe *p)
{
	switch (p->close_code) {
	case 4001: /* no application has this key, which stands in the path */
		return DOCTOR_F_CLOSE_NOT_FOUND;
	case 4004: /* over the connections that it may have */
	case 4100: /* over capacity */
		return DOCTOR_F_CLOSE_LATER;
	case 4301: /* too many events */
		return DOCTOR_F_CLOSE_RATE;
	default:
		return DOCTOR_F_CLOSE_PRIVATE;
	}
}

static enum doctor_finding_kind close_symptom(const struct doctor_probe *p)
{
	static const struct {
		uint16_t code;
		enum doctor_finding_kind kind;
	} rows[] = {
		{1008, DOCTOR_F_CLOSE_POLICY},
		{1011, DOCTOR_F_CLOSE_ERROR},
		{1012, DOCTOR_F_CLOSE_RESTART},
		{1013, DOCTOR_F_CLOSE_LATER},
		{1014, DOCTOR_F_CLOSE_RESTART},
		{3000, DOCTOR_F_CLOSE_UNAUTHORIZED},
		{3003, DOCTOR_F_CLOSE_FORBIDDEN},
		{3008, DOCTOR_F_CLOSE_OTHER},
		{4401, DOCTOR_F_CLOSE_UNAUTHORIZED},
		{4403, DOCTOR_F_CLOSE_FORBIDDEN},
		{4404, DOCTOR_F_CLOSE_NOT_FOUND},
		{4004, DOCTOR_F_CLOSE_NOT_FOUND},
		{4406, DOCTOR_F_CLOSE_SUBPROTOCOL},
		{4029, DOCTOR_F_CLOSE_RATE},
		{4429, DOCTOR_F_CLOSE_RATE},
		{4502, DOCTOR_F_CLOSE_ABSENT},
		{4503, DOCTOR_F_CLOSE_ABSENT},
		{4504, DOCTOR_F_CLOSE_ABSENT},
	};

	if (doctor_is_closed_as_refused(p) && p->close_code == 4403)
		return DOCTOR_F_CLOSE_REFERENCE;
	if (doctor_is_closed_as_refused(p) && p->close_code == 1011)
		return DOCTOR_F_CLOSE_BEHIND;
	if (p->close_code >= 4000 && has_word(p->first_message, "pusher:error"))
		return pusher_symptom(p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == p->close_code)
			return rows[i].kind;
	if (p->open_ms > LATER_MS && p->close_code < 3000 &&
	    !doctor_is_error_message(p->first_message))
		return DOCTOR_F_CUT_LATER;
	return p->close_code >= 3000 ? DOCTOR_F_CLOSE_PRIVATE
				     : DOCTOR_F_CLOSE_OTHER;
}

/* "HTTP/1.1 400 Bad Request" where frames should be. */
static enum doctor_finding_kind relayed_symptom(const struct doctor_probe *p)
{
	struct bytes text = bytes_of(p->body, p->body_len);
	uint64_t status;

	if (text.len < 12 || !bytes_starts(text, BYTES("HTTP/1.")) ||
	    !bytes_to_u64(bytes_of(text.data + 9, 3), 599, &status) ||
	    status < 400)
		return DOCTOR_F_BAD_FRAME;
	return status_symptom((int)status);
}

static enum doctor_finding_kind no_answer_symptom(const struct doctor_probe *p)
{
	if (p->error == SESAME_ETIMEOUT)
		return DOCTOR_F_SILENT;
	return p->error == SESAME_ERESET ? DOCTOR_F_RESET : DOCTOR_F_CLOSED;
}

static enum doctor_finding_kind symptom_of(const struct doctor_probe *p,
					   const struct doctor_case *c)
{
	switch (p->outcome) {
	case DOCTOR_OPEN:
		return c->url_fault == SES_URL_HTTP ? DOCTOR_F_URL_FOREIGN
		       : doctor_tells_error(p)	    ? DOCTOR_F_OPEN_ERROR
						    : DOCTOR_F_OPEN;
	case DOCTOR_ANSWERED:
		return status_symptom(p->status);
	case DOCTOR_BAD_101:
		return p->fault != SES_FAULT_RESPONSE_SUBPROTOCOL
			       ? DOCTOR_F_BAD_101
		       : c->subprotocols ? DOCTOR_F_BAD_101_SUBPROTOCOL
					 : DOCTOR_F_BAD_101_UNASKED;
	case DOCTOR_CLOSED_AFTER:
		return doctor_waited_for_hello(p) ? DOCTOR_F_OPEN
						  : close_symptom(p);
	case DOCTOR_CUT_AFTER:
		return doctor_waited_for_hello(p) ? DOCTOR_F_OPEN
		       : p->hello_refused ||
				       doctor_is_error_message(p->first_message)
			       ? DOCTOR_F_CUT_ERROR
		       : p->open_ms > LATER_MS ? DOCTOR_F_CUT_LATER
					       : DOCTOR_F_CUT_AT_ONCE;
	case DOCTOR_BAD_FRAME:
		return relayed_symptom(p);
	case DOCTOR_NOT_HTTP:
		return DOCTOR_F_NOT_HTTP;
	case DOCTOR_NO_ANSWER:
		return no_answer_symptom(p);
	default:
		return connection_symptom(p, c);
	}
}

static void url_symptom(struct doctor_chart *chart)
{
	const struct ses_url_fault_row *row = ses_url_fault(chart->c->url_fault);
	bool scheme = strcmp(row->cause, "url.scheme") == 0;

	doctor_note(chart,
		    scheme ? DOCTOR_F_URL_FOREIGN : DOCTOR_F_URL_MALFORMED,
		    NULL, NULL, "%s", row->sentence);
}

void doctor_find_symptom(struct doctor_chart *chart,
			 const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	char text[200];

	if (c->url_error) {
		url_symptom(chart);
		return;
	}
	doctor_note(chart, symptom_of(base, c), base, NULL,
		    "the request as given%s gets: %s",
		    c->url_fault != SES_URL_HTTP ? ""
		    : c->url.tls		 ? ", taken as wss://,"
						 : ", taken as ws://,",
		    doctor_result_text(base, text, sizeof(text)));
}
