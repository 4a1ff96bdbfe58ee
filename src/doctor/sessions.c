/* SPDX-License-Identifier: MIT */
/*
 * Protocols that begin with plain requests and go on by WebSocket: engine.io
 * (Socket.IO) and SockJS. What they tell over their other transport is often
 * all that is known of a handshake that ends without a word.
 */
#include <stdio.h>

#include "doctor/finding_inner.h"
#include "doctor/harvest_inner.h"

/* The name of the cookie that came with a session; who sends it back? */
static struct bytes cookie_name(const struct doctor_probe *p)
{
	struct bytes cookie = doctor_field(p, "Set-Cookie");
	ptrdiff_t equals = bytes_find_byte(cookie, '=');

	return bytes_first(cookie, equals < 0 ? 0 : (size_t)equals);
}

/*
 * Whether handshakes are let in, and the session is what decides: without one
 * it opens, or with another one, or the server says that it knows this one not.
 */
static bool is_about_session(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (base->outcome == DOCTOR_OPEN ||
	    doctor_found(chart, DOCTOR_F_SESSION_ABSENT_OPENS) ||
	    doctor_found(chart, DOCTOR_F_SAYS_SESSION))
		return true;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.change == DOCTOR_SESSION &&
		    chart->probe[i]->outcome == DOCTOR_OPEN)
			return true;
	return false;
}

/* The URL's own session is refused, and one that polling opened is not. */
static void find_stale_session(struct doctor_chart *chart,
			       const struct doctor_probe *kept)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	if (kept->outcome == DOCTOR_OPEN && base->outcome != DOCTOR_OPEN)
		doctor_note(chart, DOCTOR_F_SESSION_STALE, kept, base,
			    "a session that polling has just opened goes on by "
			    "WebSocket, and the URL's own does not");
}

static void find_session(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart), *kept = NULL;
	bool continues = doctor_continues_session(chart->c);
	const struct doctor_probe *polling =
		doctor_tried(chart, DOCTOR_POLLING, NULL);
	int n = 0, lost = 0;

	if (doctor_is_engine(chart->c) && base->outcome == DOCTOR_ANSWERED &&
	    !doctor_found(chart, DOCTOR_F_SESSION_IN_QUERY))
		doctor_note(chart, DOCTOR_F_SESSION_NOT_ASKED, base, NULL,
			    "the URL names no session that another node could "
			    "have");
	else if (doctor_is_engine(chart->c))
		doctor_note(chart, DOCTOR_F_ENGINE_PATH, base, NULL,
			    "the path is one of engine.io (Socket.IO), which "
			    "begins with plain requests and goes on by "
			    "WebSocket in the same session");
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		char result[160], cookie[80] = "";

		if (p->trial.change != DOCTOR_SESSION ||
		    !is_about_session(chart))
			continue;
		n++;
		if (p->outcome != DOCTOR_ANSWERED) {
			kept = p;
			continue;
		}
		lost++;
		doctor_result_text(p, result, sizeof(result));
		if (polling)
			bytes_printable(bytes_first(cookie_name(polling), 60),
					cookie, sizeof(cookie));
		doctor_note(chart, DOCTOR_F_SESSION_LOST, p, polling,
			    "a session that polling had just opened is refused "
			    "to the WebSocket: %s%s%s%s",
			    result, *cookie ? " (the cookie " : "", cookie,
			    *cookie ? " was sent back)" : "");
	}
	if (kept && continues)
		find_stale_session(chart, kept);
	/* nodes that are picked by lot agree now and then */
	else if (kept && lost == 0 && (n >= 3 || cookie_name(polling).len))
		doctor_note(chart, DOCTOR_F_SESSION_KEPT, kept, polling,
			    "a session that polling opened goes on by "
			    "WebSocket, %d of %d times",
			    n, n);
}

static bool is_digit(struct bytes text, size_t at)
{
	return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

/* {"code":4,"message":"Forbidden"}: the number, or -1 ("code":404 is none). */
static int engine_code(const struct doctor_probe *p)
{
	static const char name[] = "\"code\":";
	const uint8_t *hit;
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 4 ||
	    body.len == 0 || body.len > 300)
		return -1;
	hit = memmem(body.data, body.len, name, sizeof(name) - 1);
	if (!hit)
		return -1;
	body = bytes_from(body, (size_t)(hit - body.data) + sizeof(name) - 1);
	if (bytes_starts(body, BYTES("null")))
		return 4; /* before 3.4 a check's own "no" has no number */
	return is_digit(body, 0) && !is_digit(body, 1) ? body.data[0] - '0'
						       : -1;
}

/* Polling gets an answer that is none of engine.io: "0{...}", "97:0{...}". */
static bool is_other_page(const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->status == 404)
		return engine_code(p) < 0;
	return p->status == 200 && bytes_starts(bytes_trim(body), BYTES("<"));
}

/* What engine.io tells of itself over its other transport. */
static void find_engine(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_POLLING, NULL);
	struct bytes body;

	if (!p || p->outcome != DOCTOR_ANSWERED || base->outcome == DOCTOR_OPEN)
		return;
	body = bytes_of(p->body, p->body_len);
	if (is_other_page(p) && (base->outcome == DOCTOR_NO_ANSWER ||
				 base->status == 502 || base->status == 504))
		doctor_note(chart, DOCTOR_F_ENGINE_LOST, p, base,
			    "over polling the same path is %s, and the "
			    "handshake gets another end: it arrives where "
			    "nobody takes it",
			    p->status == 404 ? "not found" : "a page");
	if (p->status == 401 && base->outcome == DOCTOR_NO_ANSWER)
		doctor_note(chart, DOCTOR_F_ENGINE_UNAUTHORIZED, p, base,
			    "over polling the same path answers 401: it asks "
			    "for credentials, and drops the handshake without "
			    "them");
	if (engine_code(p) == 4 && doctor_found(chart, DOCTOR_F_SAYS_ADDRESS) &&
	    doctor_says(p, DOCTOR_F_SAYS_ADDRESS))
		doctor_note(chart, DOCTOR_F_ENGINE_FORBIDS_ADDRESS, p, base,
			    "over polling the server says code 4: a check of "
			    "its own forbids the request, and names the "
			    "address");
	else if (engine_code(p) == 4)
		doctor_note(chart, DOCTOR_F_ENGINE_FORBIDS, p, base,
			    "over polling the server says code 4: a check of "
			    "its own forbids the request");
	else if (engine_code(p) == 3 && base->status == 400)
		doctor_note(chart, DOCTOR_F_ENGINE_STOPS, p, base,
			    "over polling the server says code 3 as well: "
			    "something before its sessions stops requests of "
			    "the right form");
	else if (engine_code(p) == 5)
		doctor_note(chart, DOCTOR_F_ENGINE_VERSION, p, base,
			    "over polling the server says code 5: it does not "
			    "speak the version that EIO= names");
	else if (engine_code(p) == 1)
		doctor_note(chart, DOCTOR_F_ENGINE_NO_SESSION, p, base,
			    "over polling the server says code 1: it does not "
			    "know the session");
	if (p->status != 200 || !bytes_contains_nocase(body, BYTES("\"sid\":")))
		return;
	if (bytes_contains_nocase(body, BYTES("\"upgrades\":[\"websocket\"")))
		doctor_note(chart, DOCTOR_F_ENGINE_OFFERS, p, base,
			    "over polling a session opens, and offers to go on "
			    "by WebSocket");
	else if (bytes_contains_nocase(body, BYTES("\"upgrades\":[]")))
		doctor_note(chart, DOCTOR_F_ENGINE_POLLS_ONLY, p, base,
			    "over polling a session opens, and offers no other "
			    "transport");
}

/* SockJS tells beside its WebSocket whether it has one. */
static void find_sockjs(struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		struct bytes body = bytes_of(p->body, p->body_len);
		bool off = bytes_contains_nocase(body,
						 BYTES("\"websocket\":false"));

		if (p->trial.change != DOCTOR_PLAIN_GET_PATH ||
		    p->status != 200 || body.len > 1000 ||
		    !bytes_contains_nocase(body, BYTES("\"entropy\"")))
			continue;
		doctor_note(chart,
			    off ? DOCTOR_F_SOCKJS_OFF : DOCTOR_F_SOCKJS_ON, p,
			    doctor_baseline(chart),
			    "the SockJS server says of itself \"websocket\": "
			    "%s",
			    off ? "false" : "true");
	}
}

void doctor_find_sessions(struct doctor_chart *chart)
{
	find_session(chart);
	find_engine(chart);
	find_sockjs(chart);
}
