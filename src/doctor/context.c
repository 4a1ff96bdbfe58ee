/* SPDX-License-Identifier: MIT */
/*
 * What does the user's request hold? The group of the context: Origin,
 * handshake, credentials, subprotocol, query, the way it goes. It tells before
 * anything is asked which causes are out of the question.
 */
#include "doctor/finding_inner.h"

#include <time.h>

#include "doctor/harvest.h"
#include "doctor/token.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Heads of this size meet the first limits. */
#define LARGE_HEAD 3800
/* Smaller ones meet none that a server has by itself. */
#define SMALL_HEAD 1200
/* The last hop asks for a host on its network so long before it gives up. */
#define ASKED_IN_VAIN_MS 900
/* So many fields meet the limits that some servers have for their number. */
#define MANY_FIELDS 24

static void context_of_origin(struct doctor_chart *chart,
			      const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (!c->origin && doctor_found(chart, DOCTOR_F_HOST_ARRIVED_OTHER))
		doctor_note(chart, DOCTOR_F_ORIGIN_NOT_ASKED, base, NULL,
			    "no Origin is sent, and the refusal is about Host");
	else if (!c->origin)
		doctor_note(chart, DOCTOR_F_ORIGIN_NOT_SENT, base, NULL,
			    "no Origin is sent");
	else if (strcmp(c->origin, "null") == 0)
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT_NULL, base, NULL,
			    "Origin: null is sent, as by a file or a sandboxed "
			    "frame");
	else if (doctor_is_own_origin(c, c->origin))
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT_SAME, base, NULL,
			    "the Origin %s has the same host and port as the "
			    "URL",
			    c->origin);
	else
		doctor_note(chart, DOCTOR_F_ORIGIN_SENT, base, NULL,
			    "the Origin %s is another host than the URL's",
			    c->origin);
}

static bool by_hand(const struct doctor_case *c)
{
	static const char *const fields[] = {
		"Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade",
		"Connection", "Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (doctor_case_header(c, fields[i]))
			return true;
	return false;
}

static bool announces_body(const struct doctor_case *c)
{
	const struct doctor_header *len =
		doctor_case_header(c, "Content-Length");

	return (len && strcmp(len->value, "0") != 0) ||
	       doctor_case_header(c, "Transfer-Encoding");
}

static void context_of_handshake(struct doctor_chart *chart,
				 const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	const struct doctor_header *v =
		doctor_case_header(c, "Sec-WebSocket-Version");

	if (v && strcmp(v->value, "13") != 0)
		doctor_note(chart, DOCTOR_F_VERSION_BY_HAND, base, NULL,
			    "the request asks for Sec-WebSocket-Version: %s",
			    v->value);
	else if (by_hand(c) || announces_body(c))
		doctor_note(chart, DOCTOR_F_HANDSHAKE_BY_HAND, base, NULL,
			    "a field of the handshake itself is set by hand");
	else
		doctor_note(chart, DOCTOR_F_HANDSHAKE_STANDARD, base, NULL,
			    "the handshake itself is the standard one");
	if (announces_body(c))
		doctor_note(chart, DOCTOR_F_BODY_BY_HAND, base, NULL,
			    "a body is announced by hand, and a handshake has "
			    "none");
	if (base->request && strlen(base->request) > LARGE_HEAD)
		doctor_note(chart, DOCTOR_F_HEAD_LARGE, base, NULL,
			    "the request head has %zu bytes",
			    strlen(base->request));
	else if (c->n_headers >= MANY_FIELDS)
		doctor_note(chart, DOCTOR_F_HEAD_MANY, base, NULL,
			    "%zu fields are added to the handshake",
			    c->n_headers);
	else if ((!base->request || strlen(base->request) < SMALL_HEAD) &&
		 base->status != 431 && base->status != 494)
		doctor_note(chart, DOCTOR_F_HEAD_SMALL, base, NULL,
			    "the request head is of ordinary size");
}

static bool has_session(struct bytes query)
{
	return bytes_contains_nocase(query, BYTES("sid=")) ||
	       bytes_contains_nocase(query, BYTES("connectionToken=")) ||
	       bytes_contains_nocase(query, BYTES("session="));
}

/*
 * Parameters of a link that somebody signed: what it is signed by, or till when
 * it is good together with anything that may be its signature.
 */
static bool is_signed(struct bytes query)
{
	static const char *const signature[] = {
		"signature",	   "sig",   "md5",	   "hmac",
		"hdnts",	   "hdnea", "Key-Pair-Id", "X-Amz-Signature",
		"X-Goog-Signature"};
	static const char *const maybe[] = {"hash", "token",  "st",
					    "s",    "Policy", "key"};
	static const char *const until[] = {"expires", "expiry", "expire",
					    "exp",     "e",	 "se"};
	bool may = false, ends = false;

	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&'), equals;
		struct bytes one =
			bytes_first(query, end < 0 ? query.len : (size_t)end);

		equals = bytes_find_byte(one, '=');
		query = bytes_from(query, end < 0 ? query.len : (size_t)end + 1);
		if (equals < 0)
			continue;
		one.len = (size_t)equals;
		if (bytes_is_one_of(one, signature, LEN(signature)))
			return true;
		may |= bytes_is_one_of(one, maybe, LEN(maybe));
		ends |= bytes_is_one_of(one, until, LEN(until));
	}
	return may && ends;
}

static void context_of_token(struct doctor_chart *chart,
			     const struct doctor_probe *base)
{
	char date[32];
	int64_t exp;
	struct tm tm;

	if (base->outcome == DOCTOR_OPEN ||
	    doctor_token_time(chart->c, &exp) != DOCTOR_TOKEN_OVER ||
	    !gmtime_r(&exp, &tm))
		return;
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	doctor_note(chart, DOCTOR_F_TOKEN_OVER, base, NULL,
		    "the token that is sent ended at %s (exp)", date);
}

/* Whether what the query lacks by its looks was added in vain. */
static bool is_added_in_vain(const struct doctor_chart *chart,
			     const struct doctor_values *lacks)
{
	bool tried = false;

	for (size_t i = 0; i < lacks->n; i++) {
		const struct doctor_probe *p =
			doctor_tried(chart, DOCTOR_PARAMETER, lacks->value[i]);

		if (p && p->outcome == DOCTOR_OPEN)
			return false;
		tried |= p != NULL;
	}
	return tried;
}

/* What a URL lacks by its looks, as long as it was not added in vain. */
static void context_of_query(struct doctor_chart *chart,
			     const struct doctor_probe *base)
{
	struct doctor_values lacks = {.n = 0};

	doctor_harvest_lacks(chart, &lacks);
	if (base->outcome == DOCTOR_OPEN || lacks.n == 0 ||
	    is_added_in_vain(chart, &lacks))
		return;
	if (bytes_contains_nocase(chart->c->url.query, BYTES("&amp;")))
		doctor_note(chart, DOCTOR_F_QUERY_MISCOPIED, base, NULL,
			    "the \"&\" before %s got lost in copying",
			    lacks.value[0] + 1);
	else if (lacks.value[0][0] != '&')
		doctor_note(chart, DOCTOR_F_ENGINE_NOT_ASKED, base, NULL,
			    "the URL is one of engine.io, and lacks %s",
			    lacks.value[0]);
}

static void context_of_request(struct doctor_chart *chart,
			       const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (doctor_has_credentials(c))
		doctor_note(chart, DOCTOR_F_CREDENTIALS_SENT, base, NULL,
			    "credentials are sent");
	else
		doctor_note(chart, DOCTOR_F_CREDENTIALS_NOT_SENT, base, NULL,
			    "no credentials are sent");
	if (c->bare_copy && !doctor_has_credentials(c))
		doctor_note(chart, DOCTOR_F_COPY_IS_BARE, base, NULL,
			    "the recording holds no cookie and no "
			    "Authorization, which browsers leave out");
	if (c->subprotocols)
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_SENT, base, NULL,
			    "the subprotocol %s is offered", c->subprotocols);
	else
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_NOT_SENT, base, NULL,
			    "no subprotocol is offered");
	if (!c->url.query.data)
		doctor_note(chart, DOCTOR_F_QUERY_NOT_SENT, base, NULL,
			    "the URL has no query");
	else if (has_session(c->url.query))
		doctor_note(chart, DOCTOR_F_SESSION_IN_QUERY, base, NULL,
			    "the query continues a session");
	context_of_query(chart, base);
	if ((base->status == 403 || base->status == 404 || base->status == 410) &&
	    is_signed(c->url.query))
		doctor_note(chart, DOCTOR_F_SIGNED_LINK, base, NULL,
			    "the query is that of a signed link");
	if (c->user_agent_given)
		doctor_note(chart, DOCTOR_F_AGENT_GIVEN, base, NULL,
			    "the User-Agent is %s", c->user_agent);
	if (c->host)
		doctor_note(chart, DOCTOR_F_HOST_BY_HAND, base, NULL,
			    "the Host field is set to %s", c->host);
	if (c->cert_file)
		doctor_note(chart, DOCTOR_F_CERT_SENT, base, NULL,
			    "a client certificate is offered");
}

static bool mixed_family(const struct doctor_probe *base)
{
	const struct ses_dial_report *d = &base->dial;
	bool failed = false;

	for (size_t i = 0; i < d->n_steps; i++) {
		if (d->step[i].kind != SES_DIAL_CONNECT)
			continue;
		if (!d->step[i].error)
			return failed;
		failed = true;
	}
	return false;
}

static void context_of_way(struct doctor_chart *chart,
			   const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;
	bool open = base->outcome == DOCTOR_OPEN;

	if (c->proxy)
		doctor_note(chart, DOCTOR_F_PROXY_USED, base, NULL,
			    "the request goes through the proxy %s", c->proxy);
	else if (!doctor_found(chart, DOCTOR_F_STATUS_511)) /* by one unasked */
		doctor_note(chart, DOCTOR_F_PROXY_NOT_USED, base, NULL,
			    "no forward proxy is used");
	if (!c->url.tls && base->dial.tls.fault == SES_TLS_OK)
		doctor_note(chart, DOCTOR_F_PLAIN, base, NULL,
			    "the scheme is ws, there is no TLS");
	if (c->family || c->url.host_kind == SES_HOST_IPV6)
		doctor_note(chart, DOCTOR_F_FAMILY_CHOSEN, base, NULL,
			    "only IPv%d is tried", c->family ? c->family : 6);
	if (doctor_is_local_name(c, base))
		doctor_note(chart, DOCTOR_F_NAME_IS_LOCAL, base, NULL,
			    "the name leads to this very machine");
	if (mixed_family(base))
		doctor_note(chart, DOCTOR_F_FAMILY_MIXED, base, NULL,
			    "one address of the name fails, another answers");
	if (open && !c->page && c->origin && !c->url.tls &&
	    !doctor_is_loopback(c) &&
	    bytes_starts(bytes_of_str(c->origin), BYTES("https://")))
		doctor_note(chart, DOCTOR_F_MIXED_CONTENT, base, NULL,
			    "the page %s came over https, the URL is ws",
			    c->origin);
	if (base->dial.tls.asked_for_cert && !c->cert_file)
		doctor_note(
			chart, DOCTOR_F_ASKED_FOR_CERT, base, NULL,
			"in the TLS handshake the server asked for a client "
			"certificate, and none was offered");
}

/* No way to an address: who told, and how long did that take? */
static void context_of_address(struct doctor_chart *chart,
			       const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (!doctor_found(chart, DOCTOR_F_TCP_UNREACHABLE))
		return;
	if ((c->url.host_kind == SES_HOST_IPV4 ||
	     c->url.host_kind == SES_HOST_IPV6) &&
	    !doctor_is_loopback(c))
		doctor_note(chart, DOCTOR_F_UNREACHABLE_GIVEN, base, NULL,
			    "the URL has the address itself, and no name that "
			    "could have another");
	if (base->ms >= ASKED_IN_VAIN_MS)
		doctor_note(chart, DOCTOR_F_UNREACHABLE_LATE, base, NULL,
			    "to find no way took %.1f s: nobody answers for "
			    "the address where it should be",
			    base->ms / 1000);
}

void doctor_find_context(struct doctor_chart *chart,
			 const struct doctor_probe *base)
{
	context_of_origin(chart, base);
	context_of_handshake(chart, base);
	context_of_request(chart, base);
	context_of_token(chart, base);
	context_of_way(chart, base);
	context_of_address(chart, base);
}
