/* SPDX-License-Identifier: MIT */
/*
 * What is the answer, by its form? Status, fields and body as only some
 * software has them, the first bytes of another protocol, where a redirect
 * leads. Its words are telltale.c, who wrote it is writer.c.
 */
#include "doctor/finding_inner.h"

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/harvest.h"
#include "doctor/limit.h"
#include "doctor/result.h"

/* ---- frameworks ---- */

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

/* Routers whose WebSockets answer a request without Upgrade by a 400. */
static bool has_another_word(const struct doctor_probe *p)
{
	static const char *const phrases[] = {
		"404 page not found",		       /* Go, and gorilla */
		"<html><title>404: Not Found</title>", /* Tornado */
		"404: Not Found",		       /* aiohttp */
		"If you entered the URL manually",     /* Werkzeug */
	};
	struct bytes body = bytes_of(p->body, p->body_len);

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (bytes_contains_nocase(body, bytes_of_str(phrases[i])))
			return true;
	return false;
}

/*
 * Werkzeug has one 400 for a WebSocket at the route of a page, and for a plain
 * request at the route of a WebSocket.
 */
static void find_werkzeug(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	static const char words[] = "<p>The browser (or proxy) sent a request "
				    "that this server could not understand.";
	const struct doctor_probe *g =
		doctor_tried(chart, DOCTOR_PLAIN_GET, NULL);

	if (p->status != 400 ||
	    !bytes_contains_nocase(bytes_of(p->body, p->body_len), BYTES(words)))
		return;
	if (g && doctor_same_answer(p, g))
		doctor_note(chart, DOCTOR_F_WERKZEUG_NO_UPGRADE, g, p,
			    "Werkzeug answers a plain request so at the route "
			    "of a WebSocket, and the handshake arrives as one");
	else
		doctor_note(chart, DOCTOR_F_WERKZEUG_400, p, NULL,
			    "Werkzeug answers a WebSocket so at a route that "
			    "is none");
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
	return doctor_wrote(p, WHY_STACK_NODE) ||
	       doctor_wrote(p, WHY_STACK_EXPRESS) ||
	       doctor_wrote(p, WHY_STACK_NEXTJS);
}

/*
 * A page that a program of Node's made for what it does not find. Who takes
 * handshakes in the handlers of its requests (Koa, Hono) has it for them, too.
 */
static bool is_own_page(const struct doctor_probe *p)
{
	struct bytes body = bytes_trim(bytes_of(p->body, p->body_len));

	return body.len > 0 && body.data[0] == '<' &&
	       doctor_wrote(p, WHY_STACK_NODE) &&
	       !bytes_contains_nocase(body, BYTES("<pre>Cannot GET /"));
}

/*
 * Routers of Node's whose plug-ins for WebSockets register a route like any
 * other: at a path without one a handshake is not found as a plain request is.
 */
static bool is_routed_by_node(const struct doctor_probe *p)
{
	static const char *const bodies[] = {"404 Not Found", /* Hono */
					     "Not Found"};    /* Koa */
	struct bytes body = bytes_trim(bytes_of(p->body, p->body_len));

	if (p->status != 404)
		return false;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (bytes_equal_str(body, bodies[i]) &&
		    doctor_wrote(p, WHY_STACK_NODE))
			return true;
	return bytes_starts(body, BYTES("{\"message\":\"Route GET:/")) ||
	       is_own_page(p);
}

/* What the form of an answer says of a framework's way with upgrades. */
static void find_framework(struct doctor_chart *chart,
			   const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);

	if (is_routed_by_node(p))
		doctor_note(
			chart, DOCTOR_F_NODE_ROUTED, p, NULL,
			"a router of Node's answers the handshake as a plain "
			"request: it has none here, or no WebSocket at all");
	else if (is_unheard_by_node(p))
		doctor_note(
			chart, DOCTOR_F_NODE_UNHEARD, p, NULL,
			"a program of Node's answers the handshake as a "
			"plain request: nothing in it listens for upgrades, "
			"or none arrived");
	else if (is_router_404(p))
		doctor_note(chart, DOCTOR_F_ROUTER_404, p, NULL,
			    "the 404 is that of a router, which goes by the "
			    "path");
	if (is_router_404(p) && has_another_word(p))
		doctor_note(chart, DOCTOR_F_ROUTER_WOULD_400, p, NULL,
			    "WebSockets of this router answer a request that "
			    "lost its Upgrade by a 400, not by a 404");
	if (p->status == 400 && doctor_wrote(p, WHY_STACK_NODE_WS) &&
	    bytes_equal(bytes_trim(body), BYTES("Bad Request")) &&
	    doctor_found(chart, DOCTOR_F_HANDSHAKE_STANDARD))
		doctor_note(chart, DOCTOR_F_WS_BARE_400, p, NULL,
			    "ws answers a sound handshake so when it does not "
			    "serve the path");
	find_werkzeug(chart, p);
}

static void find_version_fields(struct doctor_chart *chart,
				const struct doctor_probe *p)
{
	struct bytes version =
		ses_head_get(&p->parsed, "Sec-WebSocket-Version");

	if (!version.data)
		return;
	if (bytes_contains_nocase(version, BYTES("13")))
		doctor_note(chart, DOCTOR_F_VERSION_13_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: 13, so "
			    "software that speaks WebSocket wrote it");
	else
		doctor_note(chart, DOCTOR_F_VERSION_LISTED, p, NULL,
			    "the answer has Sec-WebSocket-Version: %.*s",
			    BYTES_ARG(bytes_first(version, 40)));
	if (p->status == 426 && doctor_found(chart, DOCTOR_F_VERSION_BY_HAND))
		doctor_note(chart, DOCTOR_F_VERSION_REFUSED, p, NULL,
			    "426 with the version that is spoken is the answer "
			    "to another one");
}

/* ---- forms that one software has ---- */

/* What a status and a body mean where one software alone writes them so. */
struct form {
	enum doctor_finding_kind kind;
	int status;
	const char *body; /* all of it, but for space around; NULL: any */
	/* How the answer shows that it is by one of the stacks, or came by it;
	 * NULL: the form is enough. */
	bool (*by)(const struct doctor_probe *p, enum why_stack stack);
	enum why_stack stack, or_stack;
	const char *sentence;
};

static const struct form forms[] = {
	{DOCTOR_F_EMPTY_ENVOY, 403, "", doctor_wrote, WHY_STACK_ENVOY,
	 WHY_STACK_ISTIO,
	 "Envoy answers an upgrade that is not enabled with an empty 403, as "
	 "here"},
	{DOCTOR_F_ACTIONCABLE_404, 404, "Page not found", NULL, WHY_STACK_NONE,
	 WHY_STACK_NONE,
	 "Action Cable answers an Origin that it does not allow with this 404"},
	{DOCTOR_F_EMPTY_CADDY, 200, "", doctor_passed_by, WHY_STACK_CADDY,
	 WHY_STACK_NONE,
	 "Caddy answers a Host that no site of it has with an empty 200, as "
	 "here"},
	{DOCTOR_F_NGINX_503, 503, NULL, doctor_wrote, WHY_STACK_NGINX,
	 WHY_STACK_OPENRESTY,
	 "nginx itself writes 503 when one of its limits is passed; without "
	 "its upstream it writes 502 or 504"},
	{DOCTOR_F_WEBSOCKETD_429, 429, NULL, doctor_wrote, WHY_STACK_WEBSOCKETD,
	 WHY_STACK_NONE,
	 "websocketd writes 429 when as many programs run as --maxforks lets "
	 "it start"},
	{DOCTOR_F_NGINX_500, 500, NULL, doctor_wrote, WHY_STACK_NGINX,
	 WHY_STACK_OPENRESTY,
	 "nginx itself writes 500 when a question of its own fails, mostly "
	 "that of auth_request"},
	{DOCTOR_F_HOME_ASSISTANT_400, 400, "400: Bad Request", NULL,
	 WHY_STACK_NONE, WHY_STACK_NONE,
	 "Home Assistant answers every request from a proxy that it does not "
	 "trust with this 400"},
};

static void find_asgi(struct doctor_chart *chart, const struct doctor_probe *p)
{
	if ((p->status / 100 == 2 || p->status == 404 || p->status == 405) &&
	    (doctor_wrote(p, WHY_STACK_FASTAPI) ||
	     doctor_wrote(p, WHY_STACK_UVICORN)))
		doctor_note(chart, DOCTOR_F_ASGI_404, p, NULL,
			    "an ASGI server refuses a WebSocket by 403; this "
			    "%d is for a plain request",
			    p->status);
}

static void find_relay(struct doctor_chart *chart, const struct doctor_probe *p)
{
	if (p->status >= 500 && doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE))
		doctor_note(chart, DOCTOR_F_SAYS_RELAY, p, NULL,
			    "it is an error of the server's over an Upgrade "
			    "that it did get");
}

/* "": there is none, not even space. */
static bool has_body(const struct doctor_probe *p, const char *body)
{
	struct bytes all = bytes_of(p->body, p->body_len);

	return *body ? bytes_equal_str(bytes_trim(all), body) : all.len == 0;
}

static bool has_form(const struct doctor_probe *p, const struct form *form)
{
	if (p->status != form->status ||
	    (form->body && !has_body(p, form->body)))
		return false;
	if (!form->by || form->by(p, form->stack))
		return true;
	return form->or_stack && form->by(p, form->or_stack);
}

static void find_forms(struct doctor_chart *chart, const struct doctor_probe *p)
{
	find_asgi(chart, p);
	find_framework(chart, p);
	find_relay(chart, p);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (has_form(p, &forms[i]))
			doctor_note(chart, forms[i].kind, p, NULL, "%s",
				    forms[i].sentence);
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
	else if (doctor_is_h2_frame(raw))
		doctor_note(chart, DOCTOR_F_BANNER_H2, p, NULL,
			    "the answer is a frame of HTTP/2");
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
	if (p->status == 401 && doctor_wrote(p, WHY_STACK_NODE_WS) &&
	    !chart->blind && !ses_head_get(&p->parsed, "WWW-Authenticate").data &&
	    doctor_found(chart, DOCTOR_F_ORIGIN_SENT) &&
	    !doctor_has_credentials(chart->c))
		doctor_note(chart, DOCTOR_F_ORIGIN_OR_TOKEN, p, NULL,
			    "the library that answers says 401 to an Origin "
			    "that is not allowed as well");
	if (p->status == 401 && chart->c->subprotocols && p->body_len < 100 &&
	    !ses_head_get(&p->parsed, "WWW-Authenticate").data &&
	    !doctor_has_credentials(chart->c))
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_OR_TOKEN, p, NULL,
			    "the 401 names no scheme to log in by, and came to "
			    "a request that offers a subprotocol");
}

/* The close says that a silence was too long. */
bool doctor_is_closed_as_idle(const struct doctor_probe *p)
{
	static const char *const words[] = {
		"idle",		"inactiv",	     "no activity",
		"ping timeout", "heartbeat timeout", "no heartbeat",
		"pong timeout", "keepalive timeout", "no pong"};
	struct bytes reason = bytes_of_str(p->close_reason);

	if (p->outcome != DOCTOR_CLOSED_AFTER)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(reason, bytes_of_str(words[i])))
			return true;
	return false;
}

void doctor_find_answer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	doctor_find_words(chart, p);
	if (doctor_is_closed_as_idle(p))
		doctor_note(chart, DOCTOR_F_SAYS_IDLE, p, NULL,
			    "the close says that a silence was too long");
	doctor_find_limit(chart, p);
	doctor_find_apology(chart, p);
	find_missed_origin(chart, p);
	find_status_for_all(chart, p);
	if (p->status && p->outcome == DOCTOR_ANSWERED)
		find_version_fields(chart, p);
	if (p->status && p->outcome == DOCTOR_ANSWERED && !chart->blind)
		find_forms(chart, p);
	if (p->outcome == DOCTOR_ANSWERED && doctor_shows_state(p))
		doctor_note(chart, DOCTOR_F_STATE_PAGE, p, NULL,
			    "the page is one on which a service shows its own "
			    "state; its clients have another port");
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
		doctor_find_writer(chart, p);
	if (p->outcome == DOCTOR_OPEN && chart->c->subprotocols &&
	    p->subprotocol.len == 0)
		doctor_note(chart, DOCTOR_F_SUBPROTOCOL_UNCHOSEN, p, NULL,
			    "of the offered %s the server chose none; browsers "
			    "fail such a connection",
			    chart->c->subprotocols);
}

/* ---- redirects ---- */

/*
 * https that is sent to https, at the same name and path: whoever redirects takes
 * the request for one that came without TLS. Only the port may be another, which
 * is left out by those who do not know it, and by those who do not want it.
 */
static void find_redirect_to_itself(struct doctor_chart *chart,
				    const struct doctor_probe *p,
				    struct bytes to)
{
	const struct ses_url *asked = &chart->c->url;
	struct bytes path = asked->path.len ? asked->path : BYTES("/");
	enum ses_url_fault fault = SES_URL_HTTP;
	struct ses_url url;
	size_t at;

	if (ses_url_parse(to, &url, &fault, &at) < 0 && fault != SES_URL_HTTP)
		return;
	if (!asked->tls || !url.tls ||
	    !bytes_equal_nocase(url.host, asked->host) ||
	    !bytes_equal(url.path.len ? url.path : BYTES("/"), path) ||
	    !bytes_equal(url.query, asked->query))
		return;
	if (url.port == asked->port)
		doctor_note(chart, DOCTOR_F_REDIRECT_SELF, p, NULL,
			    "the redirect leads from https to the very same "
			    "https");
	else
		doctor_note(chart, DOCTOR_F_REDIRECT_SELF_PORTLESS, p, NULL,
			    "the redirect leads from https to the same https, "
			    "and loses the port");
}

bool doctor_names_sign_in(struct bytes text)
{
	static const char *const names[] = {"login",   "logon",	  "signin",
					    "sign-in", "sign_in", "auth"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_contains_nocase(text, bytes_of_str(names[i])))
			return true;
	return false;
}

void doctor_find_redirect(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	struct bytes to = ses_head_get(&p->parsed, "Location"), place;
	struct bytes path = chart->c->url.path;
	char own[600];

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 3 || !to.data)
		return;
	if (doctor_names_sign_in(to))
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
	find_redirect_to_itself(chart, p, to);
	if (bytes_starts(to, chart->c->url.tls ? BYTES("http://")
					       : BYTES("https://")))
		doctor_note(chart, DOCTOR_F_REDIRECT_SCHEME, p, NULL,
			    "the redirect leads to the other scheme");
}
