/* SPDX-License-Identifier: MIT */
/*
 * From probes to findings: what the request holds, what its answer is, and what
 * time and the pages add. How the request ended is symptom.c, what the answer
 * says in words telltale.c, what the experiments show pair.c.
 */
#include "doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>

#include <sesame/error.h>

#include "doctor/csp.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Heads of this size meet the first limits. */
#define LARGE_HEAD 3800
/* Smaller ones meet none that a server has by itself. */
#define SMALL_HEAD 1200

/* ---- looking things up ---- */

void doctor_note(struct doctor_chart *chart, enum doctor_finding_kind kind,
		 const struct doctor_probe *p,
		 const struct doctor_probe *versus, const char *format, ...)
{
	struct doctor_finding *f;
	char text[512];
	va_list args;

	if (chart->n_findings == DOCTOR_MAX_FINDINGS ||
	    doctor_found(chart, kind))
		return;
	f = &chart->finding[chart->n_findings++];
	f->kind = kind;
	f->probe = p ? p->n : 0;
	f->versus = versus ? versus->n : 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor_redact(chart->c, bytes_of_str(text), f->text, sizeof(f->text));
}

const struct doctor_finding *doctor_found(const struct doctor_chart *chart,
					  enum doctor_finding_kind kind)
{
	for (size_t i = 0; i < chart->n_findings; i++)
		if (chart->finding[i].kind == kind)
			return &chart->finding[i];
	return NULL;
}

/* Where servers disagree, the refusal is what has to be explained. */
const struct doctor_probe *doctor_baseline(const struct doctor_chart *chart)
{
	const struct doctor_probe *first =
		doctor_tried(chart, DOCTOR_NOTHING, NULL);

	for (size_t i = 0; first && first->outcome == DOCTOR_OPEN &&
			   !chart->stopped && i < chart->n_probes;
	     i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_NOTHING &&
		    p->outcome != DOCTOR_OPEN)
			return p;
	}
	return first;
}

const struct doctor_probe *doctor_tried(const struct doctor_chart *chart,
					enum doctor_change change,
					const char *value)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_trial *t = &chart->probe[i]->trial;

		if (t->change == change &&
		    (!value || strcmp(t->value, value) == 0))
			return chart->probe[i];
	}
	return NULL;
}

static bool same_trial(const struct doctor_trial *a,
		       const struct doctor_trial *b)
{
	return a->change == b->change && strcmp(a->value, b->value) == 0;
}

int doctor_repeats(const struct doctor_chart *chart,
		   const struct doctor_trial *trial)
{
	int n = -1;

	for (size_t i = 0; i < chart->n_probes; i++)
		n += same_trial(&chart->probe[i]->trial, trial);
	return n;
}

bool doctor_fell_silent(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if ((p->outcome == DOCTOR_NO_ANSWER ||
		     p->outcome == DOCTOR_NO_CONNECTION) &&
		    p->error == SESAME_ETIMEOUT &&
		    p->trial.change != DOCTOR_SILENCE) /* nothing was asked */
			return true;
	}
	return false;
}

/* ---- what the request holds ---- */

static void context_of_origin(struct doctor_chart *chart,
			      const struct doctor_probe *base)
{
	const struct doctor_case *c = chart->c;

	if (!c->origin)
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
	else if (by_hand(c))
		doctor_note(chart, DOCTOR_F_HANDSHAKE_BY_HAND, base, NULL,
			    "a field of the handshake itself is set by hand");
	else
		doctor_note(chart, DOCTOR_F_HANDSHAKE_STANDARD, base, NULL,
			    "the handshake itself is the standard one");
	if (base->request && strlen(base->request) > LARGE_HEAD)
		doctor_note(chart, DOCTOR_F_HEAD_LARGE, base, NULL,
			    "the request head has %zu bytes",
			    strlen(base->request));
	else if (!base->request || strlen(base->request) < SMALL_HEAD)
		doctor_note(chart, DOCTOR_F_HEAD_SMALL, base, NULL,
			    "the request head is of ordinary size");
}

static bool is_among(struct bytes name, const char *const names[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal_nocase(name, bytes_of_str(names[i])))
			return true;
	return false;
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
		if (is_among(one, signature, LEN(signature)))
			return true;
		may |= is_among(one, maybe, LEN(maybe));
		ends |= is_among(one, until, LEN(until));
	}
	return may && ends;
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
	else
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

/* ---- what the answer is ---- */

static bool wrote(const struct doctor_probe *p, enum why_stack stack)
{
	return p->hops.writer >= 0 && p->hops.hop[p->hops.writer].stack == stack;
}

bool doctor_passed_by(const struct doctor_probe *p, enum why_stack stack)
{
	for (size_t i = 0; i < p->hops.n; i++)
		if (p->hops.hop[i].stack == stack)
			return true;
	return false;
}

/* Whether a router wrote this 404: it knows paths, and not this one. */
static bool is_router_404(const struct doctor_probe *p)
{
	static const char *const phrases[] = {
		"404 page not found",		   /* Go's mux, gin, chi */
		"{\"message\":\"Not Found\"}",	   /* echo */
		"Cannot GET /",			   /* Express, Fiber */
		"No route matches [",		   /* Rails */
		"Sinatra doesn",		   /* Sinatra, in development */
		"If you entered the URL manually", /* Werkzeug */
		"The requested resource was not found on this server.",
		"did not match any of these",	       /* Django with DEBUG */
		"could not be found.",		       /* Laravel */
		"No route found for",		       /* Symfony */
		"no route found for",		       /* Phoenix */
		"{\"detail\":\"Not Found\"}",	       /* FastAPI */
		"{\"title\": \"404 Not Found\"}",      /* Falcon */
		"<html><title>404: Not Found</title>", /* Tornado */
		"404: Not Found",		       /* aiohttp */
		"Whitelabel Error Page",	       /* Spring */
		"No static resource",		       /* Spring 6.1 */
		"\"error\":\"Not Found\"",	       /* hapi, Fastify, Nest */
		"No matching route",
		"Requested URL",	       /* Sanic */
		"Sorry, the requested URL",    /* Bottle */
		"was not found.</p>",	       /* CherryPy */
		"No Such Resource",	       /* Twisted */
		"<h1>Resource not found</h1>", /* Vert.x */
		"HTTP 404 Not Found",	       /* Jersey, Dropwizard */
		"Action Not Found",	       /* Play */
		"HTTP Status 404",	       /* Tomcat */
		"<h2>HTTP ERROR 404",	       /* Jetty */
		"The page you were looking for doesn't exist", /* Rails */
		"Page not found... yet!",		       /* Mojolicious */
	};
	struct bytes body = bytes_of(p->body, p->body_len);

	for (size_t i = 0;
	     p->status == 404 && i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (bytes_contains_nocase(body, bytes_of_str(phrases[i])))
			return true;
	return false;
}

/*
 * Node hands an Upgrade to its ordinary handler only where nothing in the
 * program listens for upgrades.
 */
static bool is_unheard_by_node(const struct doctor_probe *p)
{
	static const char *const phrases[] = {
		"<pre>Cannot GET /",		  /* Express */
		"{\"message\":\"Cannot GET /",	  /* Nest */
		"{\"message\":\"Route GET:/",	  /* Fastify */
		"{\"code\":\"ResourceNotFound\"", /* restify */
		"\"name\":\"NotFoundError\"",	  /* LoopBack, Strapi */
		"{\"name\":\"NotFound\",",	  /* Feathers */
	};
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->status == 403 || p->status == 401 || p->status >= 500)
		return false;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (bytes_contains_nocase(body, bytes_of_str(phrases[i])))
			return true;
	return wrote(p, WHY_STACK_NODE) || wrote(p, WHY_STACK_EXPRESS) ||
	       wrote(p, WHY_STACK_NEXTJS);
}

/* What the form of an answer says of a framework's way with upgrades. */
static void find_framework(struct doctor_chart *chart,
			   const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);

	if (is_unheard_by_node(p))
		doctor_note(
			chart, DOCTOR_F_NODE_UNHEARD, p, NULL,
			"a program of Node's answers the handshake as a "
			"plain request: nothing in it listens for upgrades, "
			"or none arrived");
	else if (is_router_404(p))
		doctor_note(chart, DOCTOR_F_ROUTER_404, p, NULL,
			    "the 404 is that of a router, which goes by the "
			    "path");
	if (p->status == 400 && wrote(p, WHY_STACK_NODE_WS) &&
	    bytes_equal(bytes_trim(body), BYTES("Bad Request")) &&
	    doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		doctor_note(chart, DOCTOR_F_WS_BARE_400, p, NULL,
			    "ws answers a sound handshake so when it does not "
			    "serve the path");
	if (p->status == 400 &&
	    bytes_contains_nocase(body,
				  BYTES("<p>The browser (or proxy) sent a "
					"request that this server could "
					"not understand.")))
		doctor_note(chart, DOCTOR_F_WERKZEUG_400, p, NULL,
			    "Werkzeug answers a WebSocket so at a route that "
			    "is none");
}

static void odd_words(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct bytes version =
		ses_head_get(&p->parsed, "Sec-WebSocket-Version");
	struct bytes body = bytes_of(p->body, p->body_len);

	if (version.data && bytes_contains_nocase(version, BYTES("13")))
		doctor_note(chart, DOCTOR_F_VERSION_13_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: 13, so "
			    "software that speaks WebSocket wrote it");
	else if (version.data)
		doctor_note(chart, DOCTOR_F_VERSION_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: %.*s",
			    BYTES_ARG(bytes_first(version, 40)));
	if (chart->blind)
		return;
	if (p->status == 403 && p->body_len == 0 &&
	    (wrote(p, WHY_STACK_ENVOY) || wrote(p, WHY_STACK_ISTIO)))
		doctor_note(chart, DOCTOR_F_EMPTY_ENVOY, p, NULL,
			    "Envoy answers an upgrade that is not enabled with "
			    "an empty 403, as here");
	if (p->status == 404 &&
	    bytes_equal(bytes_trim(body), BYTES("Page not found")))
		doctor_note(chart, DOCTOR_F_ACTIONCABLE_404, p, NULL,
			    "Action Cable answers an Origin that it does not "
			    "allow with this 404");
	if ((p->status / 100 == 2 || p->status == 404 || p->status == 405) &&
	    (wrote(p, WHY_STACK_FASTAPI) || wrote(p, WHY_STACK_UVICORN)))
		doctor_note(chart, DOCTOR_F_ASGI_404, p, NULL,
			    "an ASGI server refuses a WebSocket by 403; this "
			    "%d is for a plain request",
			    p->status);
	find_framework(chart, p);
	if (p->status >= 500 && doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE))
		doctor_note(chart, DOCTOR_F_SAYS_RELAY, p, NULL,
			    "it is an error of the server's over an Upgrade "
			    "that it did get");
	if (p->status == 200 && p->body_len == 0 &&
	    doctor_passed_by(p, WHY_STACK_CADDY))
		doctor_note(chart, DOCTOR_F_EMPTY_CADDY, p, NULL,
			    "Caddy answers a Host that no site of it has with "
			    "an empty 200, as here");
	if (p->status == 503 &&
	    (wrote(p, WHY_STACK_NGINX) || wrote(p, WHY_STACK_OPENRESTY)))
		doctor_note(
			chart, DOCTOR_F_NGINX_503, p, NULL,
			"nginx itself writes 503 when one of its limits is "
			"passed; without its upstream it writes 502 or 504");
	if (p->status == 500 &&
	    (wrote(p, WHY_STACK_NGINX) || wrote(p, WHY_STACK_OPENRESTY)))
		doctor_note(chart, DOCTOR_F_NGINX_500, p, NULL,
			    "nginx itself writes 500 when a question of its "
			    "own fails, mostly that of auth_request");
	if (p->status == 400 &&
	    bytes_equal(bytes_trim(body), BYTES("400: Bad Request")))
		doctor_note(chart, DOCTOR_F_HOME_ASSISTANT_400, p, NULL,
			    "Home Assistant answers every request from a proxy "
			    "that it does not trust with this 400");
}

static void banner(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct bytes raw = bytes_of(p->head, p->head_len);
	char text[80];

	bytes_printable(bytes_first(raw, 60), text, sizeof(text));
	if (raw.len >= 3 && raw.data[0] >= 0x14 && raw.data[0] <= 0x17 &&
	    raw.data[1] == 3)
		doctor_note(chart, DOCTOR_F_BANNER_TLS, p, NULL,
			    "the answer is a TLS record: the port wants TLS");
	else if (raw.len >= 9 && raw.data[0] == 0 && raw.data[3] == 4 &&
		 raw.data[5] == 0 && raw.data[8] == 0)
		doctor_note(chart, DOCTOR_F_BANNER_H2, p, NULL,
			    "the answer is an HTTP/2 SETTINGS frame");
	else if (bytes_starts(raw, BYTES("HTTP/2")))
		doctor_note(chart, DOCTOR_F_BANNER_H2, p, NULL,
			    "the answer begins \"%s\"", text);
	else if (doctor_speaks_http(chart)) {
		if (bytes_contains_nocase(bytes_first(raw, 60), BYTES("404")))
			doctor_note(chart, DOCTOR_F_HEADLESS_404, p, NULL,
				    "the answer to the handshake is no HTTP, "
				    "and says \"%s\"; the port speaks HTTP",
				    text);
	} else if (raw.len > 0 && !bytes_starts(raw, BYTES("HTTP/")))
		doctor_note(chart, DOCTOR_F_BANNER, p, NULL,
			    "another protocol answers: \"%s\"", text);
}

/* An answer that only who relays has: what is behind does not answer. */
static bool is_of_gateway(const struct doctor_probe *p)
{
	return p->status >= 502 && p->status <= 504;
}

static void writer_by_layer(struct doctor_chart *chart,
			    const struct doctor_probe *p,
			    const struct why_hop *hop)
{
	static const enum why_stack asgi[] = {
		WHY_STACK_UVICORN, WHY_STACK_HYPERCORN, WHY_STACK_DAPHNE,
		WHY_STACK_FASTAPI};
	static const enum why_stack http_only[] = {
		WHY_STACK_PYTHON_HTTP, WHY_STACK_PHP,	   WHY_STACK_GUNICORN,
		WHY_STACK_LIGHTTPD,    WHY_STACK_WAITRESS, WHY_STACK_WEBRICK};
	static const enum why_stack frameworks[] = {
		WHY_STACK_EXPRESS, WHY_STACK_DJANGO, WHY_STACK_RAILS,
		WHY_STACK_NEXTJS};
	enum why_layer layer = why_stack(hop->stack)->layer;

	for (size_t i = 0; i < sizeof(frameworks) / sizeof(frameworks[0]); i++)
		if (hop->stack == frameworks[i])
			return;
	for (size_t i = 0; i < sizeof(asgi) / sizeof(asgi[0]); i++)
		if (hop->stack == asgi[i] && p->status == 403)
			doctor_note(
				chart, DOCTOR_F_WRITER_ASGI, p, NULL,
				"%s wrote the answer; it has one status for "
				"every refusal",
				hop->text);
	for (size_t i = 0; i < sizeof(http_only) / sizeof(http_only[0]); i++)
		if (hop->stack == http_only[i] && !is_of_gateway(p)) {
			doctor_note(chart, DOCTOR_F_WRITER_HTTP_ONLY, p, NULL,
				    "%s wrote the answer; it serves no "
				    "WebSocket by itself",
				    hop->text);
			return;
		}
	if (layer == WHY_LAYER_REVERSE_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_PROXY, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_CDN)
		doctor_note(chart, DOCTOR_F_WRITER_CDN, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_FORWARD_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_FORWARD, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_APPLICATION)
		doctor_note(chart, DOCTOR_F_WRITER_APP, p, NULL,
			    "%s wrote the answer (%s)", hop->text, hop->mark);
}

static void find_writer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	const struct why_hops *h = &p->hops;

	if (chart->blind || !p->status)
		return;
	if (h->writer >= 0 && (size_t)h->writer < h->n)
		writer_by_layer(chart, p, &h->hop[h->writer]);
	for (size_t i = 0; i < h->n; i++) {
		enum why_layer layer = why_stack(h->hop[i].stack)->layer;

		if (layer == WHY_LAYER_CDN)
			doctor_note(chart, DOCTOR_F_CDN_SEEN, p, NULL,
				    "%s stands in between (%s)", h->hop[i].text,
				    h->hop[i].mark);
		if (layer == WHY_LAYER_REVERSE_PROXY && h->writer < 0)
			doctor_note(chart, DOCTOR_F_PROXY_SEEN, p, NULL,
				    "%s wrote the answer or passed it on (%s)",
				    h->hop[i].text, h->hop[i].mark);
		else if (layer == WHY_LAYER_REVERSE_PROXY && (int)i != h->writer)
			doctor_note(chart, DOCTOR_F_RELAYED, p, NULL,
				    "%s passed on an answer that another wrote "
				    "(%s)",
				    h->hop[i].text, h->hop[i].mark);
	}
}

/* Fields that only who stands in between adds. */
static bool has_relay_field(const struct doctor_probe *p)
{
	static const char *const names[] = {"Via",	     "X-Cache",
					    "Age",	     "X-Cache-Status",
					    "X-Proxy-Cache", "X-Served-By",
					    "X-Upstream",    "X-Forwarded-For"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ses_head_get(&p->parsed, names[i]).data)
			return true;
	return false;
}

static bool shows_proxy(const struct doctor_probe *p)
{
	for (size_t i = 0; i < p->hops.n; i++) {
		enum why_layer layer = why_stack(p->hops.hop[i].stack)->layer;

		if (layer == WHY_LAYER_REVERSE_PROXY ||
		    layer == WHY_LAYER_CDN || layer == WHY_LAYER_FORWARD_PROXY)
			return true;
	}
	return p->outcome == DOCTOR_ANSWERED && has_relay_field(p);
}

/*
 * Proxies can be quiet; yet where nothing in any answer is a proxy's, and the
 * server behind does not speak of an Upgrade that it missed, there may be none.
 */
static void find_no_proxy(struct doctor_chart *chart,
			  const struct doctor_probe *base)
{
	static const enum doctor_finding_kind missed[] = {
		DOCTOR_F_SAYS_NO_UPGRADE,   DOCTOR_F_SAYS_HTTP10,
		DOCTOR_F_SAYS_RELAY,	    DOCTOR_F_ASGI_404,
		DOCTOR_F_SAYS_CONNECTOR,    DOCTOR_F_ACTIONCABLE_404,
		DOCTOR_F_VERSION_13_LISTED, DOCTOR_F_GET_SAME_WS};

	if (base->outcome != DOCTOR_ANSWERED || base->status == 426 ||
	    base->status == 502 || base->status >= 504 || chart->c->proxy ||
	    chart->config)
		return;
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++)
		if (doctor_found(chart, missed[i]))
			return;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->blind ? has_relay_field(chart->probe[i])
				 : shows_proxy(chart->probe[i]))
			return;
	if (!chart->blind)
		doctor_note(chart, DOCTOR_F_NO_PROXY_SIGN, base, NULL,
			    "nothing in the answers is a proxy's");
	else if (base->status / 100 == 2 || base->status == 405)
		doctor_note(chart, DOCTOR_F_NO_RELAY_FIELD, base, NULL,
			    "no answer has a field that a relay adds");
}

/* Close codes say little; who then speaks of the Origin has looked for it. */
static void find_missed_origin(struct doctor_chart *chart,
			       const struct doctor_probe *p)
{
	if (!chart->c->origin &&
	    (p->outcome == DOCTOR_CLOSED_AFTER ||
	     p->outcome == DOCTOR_CUT_AFTER) &&
	    (doctor_found(chart, DOCTOR_F_SAYS_ORIGIN) ||
	     doctor_found(chart, DOCTOR_F_SAYS_SAME_ORIGIN)))
		doctor_note(chart, DOCTOR_F_ORIGIN_MISSED, p, NULL,
			    "the server speaks of the Origin, and none was "
			    "sent");
}

/* Where the library has one status for all, it does not say what it misses. */
static void find_status_for_all(struct doctor_chart *chart,
				const struct doctor_probe *p)
{
	if (p->status == 401 && wrote(p, WHY_STACK_NODE_WS) && !chart->blind &&
	    !ses_head_get(&p->parsed, "WWW-Authenticate").data &&
	    doctor_found(chart, DOCTOR_F_ORIGIN_SENT) &&
	    !doctor_has_credentials(chart->c))
		doctor_note(chart, DOCTOR_F_ORIGIN_OR_TOKEN, p, NULL,
			    "the library that answers says 401 to an Origin "
			    "that is not allowed as well");
}

static void find_answer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	doctor_find_words(chart, p);
	find_missed_origin(chart, p);
	find_status_for_all(chart, p);
	if (p->status && p->outcome == DOCTOR_ANSWERED)
		odd_words(chart, p);
	if (p->outcome == DOCTOR_NOT_HTTP)
		banner(chart, p);
	if (p->outcome == DOCTOR_BAD_FRAME && p->body_len > 0)
		doctor_note(chart, DOCTOR_F_HTTP_IN_TUNNEL, p, NULL,
			    "after the 101 came an answer in HTTP");
	if (p->outcome == DOCTOR_NO_ANSWER && chart->c->url.tls &&
	    p->error != SESAME_ETIMEOUT)
		doctor_note(chart, DOCTOR_F_CLOSED_BEHIND_TLS, p, NULL,
			    "TLS was spoken, then came no answer");
	if (p->outcome == DOCTOR_ANSWERED)
		find_writer(chart, p);
	if (p->outcome == DOCTOR_OPEN && chart->c->subprotocols &&
	    p->subprotocol.len == 0)
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_UNCHOSEN, p, NULL,
			    "of the offered %s the server chose none; browsers "
			    "fail such a connection",
			    chart->c->subprotocols);
}

static void find_redirect(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	struct bytes to = ses_head_get(&p->parsed, "Location"), place;
	struct bytes path = chart->c->url.path;
	char own[600];

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 3 || !to.data)
		return;
	if (bytes_contains_nocase(to, BYTES("login")) ||
	    bytes_contains_nocase(to, BYTES("signin")) ||
	    bytes_contains_nocase(to, BYTES("auth")))
		doctor_note(chart, DOCTOR_F_SAYS_LOGIN, p, NULL,
			    "the redirect leads to a login page");
	place = to;
	if (doctor_own_origin(chart->c, false, own, sizeof(own)) &&
	    bytes_starts(to, bytes_of_str(own)))
		place = bytes_from(to, strlen(own));
	if (place.len > 1 && place.len == path.len + 1 &&
	    place.data[path.len] == '/' && bytes_starts(place, path))
		doctor_note(chart, DOCTOR_F_REDIRECT_SLASH, p, NULL,
			    "the redirect adds a slash");
	else if (bytes_equal(place, BYTES("/")) && path.len > 1)
		doctor_note(chart, DOCTOR_F_REDIRECT_HOME, p, NULL,
			    "the redirect leads to the home page");
	if (bytes_starts(to, chart->c->url.tls ? BYTES("http://")
					       : BYTES("https://")))
		doctor_note(chart, DOCTOR_F_REDIRECT_SCHEME, p, NULL,
			    "the redirect leads to the other scheme");
}

/* ---- time ---- */

static void find_hold(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *h = doctor_tried(chart, DOCTOR_HOLD, NULL);

	if (base->outcome != DOCTOR_OPEN)
		return;
	if (!h && chart->c->hold_given && chart->c->hold_ms >= 2000)
		h = base;
	if (!h)
		return;
	if (h->outcome == DOCTOR_OPEN)
		doctor_note(chart, DOCTOR_F_HELD, h, NULL,
			    "an idle connection stayed open for %.1f s",
			    h->open_ms / 1000);
	else if (h->outcome == DOCTOR_CUT_AFTER)
		doctor_note(
			chart, DOCTOR_F_HELD_CUT, h, base,
			"an idle connection was cut after %.1f s, without a "
			"close frame",
			h->open_ms / 1000);
	else if (h->outcome == DOCTOR_CLOSED_AFTER)
		doctor_note(
			chart, DOCTOR_F_HELD_CLOSED, h, base,
			"an idle connection was closed with %u after %.1f s",
			h->close_code, h->open_ms / 1000);
}

static void find_repeats(struct doctor_chart *chart)
{
	const struct doctor_probe *key = doctor_key(chart);
	const struct doctor_probe *base = doctor_baseline(chart);

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		const struct doctor_probe *first =
			doctor_tried(chart, p->trial.change, p->trial.value);

		if (!doctor_same_answer(first, p) &&
		    !doctor_found(chart, DOCTOR_F_SPLIT)) {
			doctor_note(chart, DOCTOR_F_REPEAT_DIFFERS, p, first,
				    "the same request was answered differently "
				    "the second time");
			return;
		}
	}
	if (key && doctor_repeats(chart, &key->trial) > 0 &&
	    doctor_repeats(chart, &base->trial) > 0 &&
	    !doctor_wavers(chart, &base->trial))
		doctor_note(chart, DOCTOR_F_REPEATED, key, base,
			    "the pair was repeated, in the other order, with "
			    "the same "
			    "outcome");
}

/* ---- the page ---- */

static struct bytes page_of(const struct doctor_probe *p)
{
	bool page = p->outcome == DOCTOR_ANSWERED && p->status / 100 == 2;

	return bytes_of(page ? p->body : NULL, page ? p->body_len : 0);
}

/* What the site's own scripts tell of how its WebSocket is opened. */
static void find_page(struct doctor_chart *chart)
{
	struct doctor_values v = {.n = 0};
	char name[64];

	if (doctor_baseline(chart)->outcome == DOCTOR_OPEN)
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (!doctor_opens_sockets(page_of(p)))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_OPENS, p, NULL,
			    "a page of this server opens WebSockets itself");
		doctor_harvest_subprotocols(chart, &v);
		if (v.n_told > 0 &&
		    !doctor_found(chart, DOCTOR_F_SAYS_SUBPROTOCOL))
			doctor_note(chart, DOCTOR_F_PAGE_NAMES_SUBPROTOCOL, p,
				    NULL,
				    "the page's own WebSocket offers the "
				    "subprotocol %s",
				    v.value[0]);
		if (chart->c->url.query.data ||
		    !doctor_names_query(page_of(p), name, sizeof(name)))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_NAMES_QUERY, p, NULL,
			    "the page's own WebSocket has the parameter \"%s\" "
			    "in its URL",
			    name);
	}
}

static void find_csp(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	char policy[300];

	if (base->outcome != DOCTOR_OPEN || !chart->c->origin ||
	    !doctor_is_own_origin(chart->c, chart->c->origin))
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_PLAIN_GET_PATH &&
		    p->outcome == DOCTOR_ANSWERED &&
		    doctor_csp_forbids(p, &chart->c->url, policy, sizeof(policy)))
			doctor_note(chart, DOCTOR_F_CSP_FORBIDS, p, NULL,
				    "the page's policy forbids it: %s", policy);
	}
}

void doctor_find(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	chart->n_findings = 0;
	if (!base && !chart->c->url_error)
		return;
	doctor_mark_chance(chart);
	doctor_find_symptom(chart, base);
	if (!base)
		return;
	context_of_origin(chart, base);
	context_of_handshake(chart, base);
	context_of_request(chart, base);
	context_of_way(chart, base);
	find_answer(chart, base);
	find_redirect(chart, base);
	doctor_find_pairs(chart);
	find_no_proxy(chart, base);
	doctor_find_comparison(chart);
	doctor_find_experiments(chart);
	doctor_find_config(chart);
	find_page(chart);
	find_hold(chart);
	find_repeats(chart);
	find_csp(chart);
}
