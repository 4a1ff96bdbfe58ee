/* SPDX-License-Identifier: MIT */
/*
 * Subprotocols worth an offer: those that a refusal or a script names, siblings
 * of the one that was offered, and the usual ones.
 */
#include "doctor/harvest_inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/alike.h"
#include "doctor/disclosed.h"
#include "doctor/redact.h"
#include "why/reference.h"

static const char *const known[] = {
	"mqtt",
	"graphql-transport-ws",
	"graphql-ws",
	"v12.stomp",
	"actioncable-v1-json",
	"ocpp1.6",
	"ocpp2.0.1",
	"wamp.2.json",
	"binary",
	"chat",
	"sip",
	"xmpp",
	"json",
	"echo-protocol",
	"janus-protocol",
	"vite-hmr",
	"wamp.2.msgpack",
	"v10.stomp",
	"tty",
	"mqttv3.1",
	"stomp",
	"guacamole",
	"v4.channel.k8s.io",
	"v1",
	"soap",
	"base64",
	"esm-hmr",
	"ng.rtpengine.com",
	"amqp",
	"msrp",
	"jsonrpc",
	"webtty",
	"v5.channel.k8s.io",
	"foxglove.websocket.v1",
};

static bool offers(const struct doctor_case *c, struct bytes name)
{
	struct bytes list = bytes_of_str(c->subprotocols), one;

	while (bytes_next_element(&list, &one))
		if (bytes_equal(one, name))
			return true;
	return false;
}

/* A word of a refusal that looks like the name of a subprotocol. */
static bool looks_named(struct bytes word)
{
	bool digit = false, joint = false, letter = false;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t b = word.data[i], l = byte_lower(b);

		digit |= b >= '0' && b <= '9';
		joint |= i > 0 && i + 1 < word.len && strchr(".-_", b);
		letter |= l >= 'a' && l <= 'z';
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_equal_str(word, known[i]))
			return true;
	return letter && (digit || joint) &&
	       !bytes_contains_nocase(word, BYTES("sec-websocket")) &&
	       !bytes_equal_nocase(word, BYTES("sub-protocol"));
}

static bool is_name_byte(uint8_t b)
{
	uint8_t l = byte_lower(b);

	return (l >= 'a' && l <= 'z') || (b >= '0' && b <= '9') ||
	       (b && strchr("._-+", b));
}

/* How much is no text: a tag of HTML as a whole, or one byte. */
static size_t tag_len(struct bytes in)
{
	ptrdiff_t end = in.data[0] == '<' ? bytes_find_byte(in, '>') : -1;

	return end < 0 ? 1 : (size_t)end + 1;
}

/*
 * Whether the word is of this answer alone: a name that is served stands in
 * every refusal of the kind, and what counts or repeats differs in each.
 */
static bool varies(const struct doctor_chart *chart,
		   const struct doctor_probe *p, struct bytes word)
{
	uint64_t ours, number;

	if (doctor_is_answers_id(p, word) ||
	    (doctor_reference(p, &ours) && why_reference_read(word, &number) &&
	     number == ours))
		return true;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *q = chart->probe[i];

		if (q != p && p->body_len > 0 && q->status == p->status &&
		    q->body_hash == p->body_hash &&
		    bytes_contains_nocase(doctor_body(p), word) &&
		    !bytes_contains_nocase(doctor_body(q), word))
			return true;
	}
	return false;
}

/* Whether a quoted word ends at @end, and is the name of a value in JSON. */
static bool is_key(struct bytes text, size_t end)
{
	struct bytes rest = bytes_trim(bytes_from(text, end + 1));

	return text.data[end] == '"' && rest.len > 0 && rest.data[0] == ':';
}

static void add_named_protocols(const struct doctor_chart *chart,
				const struct doctor_probe *p, struct bytes text,
				struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	size_t at = 0;

	if (text.len > 1000)
		return;
	while (at < text.len) {
		size_t n = 0;
		struct bytes word;
		bool quoted;

		while (at < text.len && !is_name_byte(text.data[at]))
			at += tag_len(bytes_from(text, at));
		while (at + n < text.len && is_name_byte(text.data[at + n]))
			n++;
		word = bytes_of(text.data + at, n);
		quoted = at > 0 && at + n < text.len &&
			 strchr("\"'`", text.data[at - 1]) &&
			 text.data[at + n] == text.data[at - 1] &&
			 !is_key(text, at + n);
		while (word.len && word.data[word.len - 1] == '.')
			word.len--;
		at += n;
		if (word.len && word.len < 64 && !offers(c, word) &&
		    (quoted || looks_named(word)) && !varies(chart, p, word))
			doctor_add_value(v, "%.*s", BYTES_ARG(word));
	}
}

static void add_protocols_of(const struct doctor_chart *chart,
			     const struct doctor_probe *p,
			     struct doctor_values *v)
{
	add_named_protocols(chart, p, doctor_field(p, "Sec-WebSocket-Protocol"),
			    v);
	for (size_t i = 0; p->status && i < p->parsed.n_fields; i++)
		if (doctor_gives_reason(p->parsed.fields[i].name))
			add_named_protocols(chart, p, p->parsed.fields[i].value,
					    v);
	if (p->status)
		add_named_protocols(chart, p, p->parsed.reason, v);
	add_named_protocols(chart, p, bytes_of_str(p->close_reason), v);
	add_named_protocols(chart, p, doctor_body(p), v);
}

/* new WebSocket(url, "name"), new WebSocket(url, ["name"]) */
static void add_script_protocols(const struct doctor_case *c, struct bytes text,
				 struct doctor_values *v)
{
	struct bytes list = bytes_of_str(c->subprotocols), rest;
	size_t at = 0;

	while (bytes_next_element(&list, &rest))
		if (rest.len > 2 && bytes_contains_nocase(text, rest))
			return; /* what is offered is what the page offers */
	while ((rest = doctor_next_call(text, &at)).data) {
		ptrdiff_t end = bytes_find_byte(rest, ';');
		size_t n = 0, from;

		rest = bytes_first(rest,
				   end < 0 || end > NEAR ? NEAR : (size_t)end);
		while (n < rest.len && rest.data[n] != ',')
			n++;
		while (n < rest.len && strchr(", [\n\t", rest.data[n]))
			n++;
		if (n >= rest.len || !doctor_is_quote(rest.data[n]))
			continue;
		for (from = ++n; n < rest.len && is_name_byte(rest.data[n]); n++)
			;
		if (n > from && n < rest.len && doctor_is_quote(rest.data[n]) &&
		    !offers(c, bytes_of(rest.data + from, n - from)))
			doctor_add_value(v, "%.*s", (int)(n - from),
					 (const char *)rest.data + from);
	}
}

/* Names that are taken for one another, or that a word of the URL suggests. */
static const struct {
	const char *sign;
	const char *name[3];
} siblings[] = {
	{"graphql", {"graphql-transport-ws", "graphql-ws"}},
	{"subscriptions", {"graphql-ws", "graphql-transport-ws"}},
	{"mqtt", {"mqtt", "mqttv3.1"}},
	{"stomp", {"v12.stomp", "v10.stomp", "stomp"}},
	{"wamp", {"wamp.2.json", "wamp.2.msgpack"}},
	{"ocpp", {"ocpp1.6", "ocpp2.0.1"}},
	{"xmpp", {"xmpp"}},
	{"sip", {"sip"}},
	{"msrp", {"msrp"}},
	{"jmap", {"jmap"}},
	{"janus", {"janus-protocol"}},
	{"cable", {"actioncable-v1-json"}},
	{"websockify", {"binary", "base64"}},
	{"vnc", {"binary", "base64"}},
	{"binary", {"base64"}},
	{"base64", {"binary"}},
	{"vite", {"vite-hmr"}},
	{"tty", {"tty"}},
	{"exec", {"v4.channel.k8s.io"}},
	{"rtsp", {"rtsp"}},
	{"webrtc", {"webrtc"}},
	{"jsonrpc", {"jsonrpc"}},
	{"echo", {"echo-protocol", "echo"}},
	{"chat", {"chat"}},
	{"protoo", {"protoo"}},
	{"tunnel", {"tunnel-protocol"}},
	{"ari", {"ari"}},
	/* the scalability protocols: the name is the other side's */
	{"sub.sp.nanomsg.org", {"pub.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"pub.sp.nanomsg.org", {"sub.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"req.sp.nanomsg.org", {"rep.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"rep.sp.nanomsg.org", {"req.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"push.sp.nanomsg.org", {"pull.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"pull.sp.nanomsg.org", {"push.sp.nanomsg.org", "pair.sp.nanomsg.org"}},
	{"pair.sp.nanomsg.org", {"pair1.sp.nanomsg.org", "pub.sp.nanomsg.org"}},
};

static void add_siblings(const struct doctor_case *c, struct doctor_values *v)
{
	for (size_t i = 0; i < sizeof(siblings) / sizeof(siblings[0]); i++) {
		struct bytes sign = bytes_of_str(siblings[i].sign);

		if (!bytes_contains_nocase(c->url.path, sign) &&
		    !bytes_contains_nocase(bytes_of_str(c->subprotocols), sign))
			continue;
		for (size_t k = 0; k < 3 && siblings[i].name[k]; k++)
			if (!offers(c, bytes_of_str(siblings[i].name[k])))
				doctor_add_value(v, "%s", siblings[i].name[k]);
	}
}

/* Where the number of the version ends: "board.v1", "v1.board". */
static size_t version_end(struct bytes one)
{
	size_t n = one.len;

	if (n > 0 && one.data[n - 1] >= '0' && one.data[n - 1] <= '9')
		return n;
	if (n < 3 || byte_lower(one.data[0]) != 'v')
		return 0;
	for (n = 1; n < one.len && one.data[n] >= '0' && one.data[n] <= '9';)
		n++;
	return n > 1 && n < one.len && strchr(".-_", one.data[n]) ? n : 0;
}

/* "board.v1" is followed by "board.v2", and somebody lags behind. */
static void add_next_versions(const struct doctor_case *c,
			      struct doctor_values *v)
{
	static const int steps[] = {1, -1, 2};
	struct doctor_offers o = {.rest = bytes_of_str(c->subprotocols)};

	while (doctor_next_offer(&o)) {
		struct bytes one = o.one;
		size_t end = version_end(one), n = end;
		int number;

		if (o.secret)
			continue; /* the end of a token is no version */
		while (n > 0 && one.data[n - 1] >= '0' && one.data[n - 1] <= '9')
			n--;
		if (n == 0 || n == end || end - n > 2 || one.len > 60)
			continue;
		number = atoi((const char *)one.data + n);
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (number + steps[i] > 0)
				doctor_add_value(v, "%.*s%d%.*s", (int)n,
						 (const char *)one.data,
						 number + steps[i],
						 BYTES_ARG(bytes_from(one, end)));
	}
}

/*
 * libwebsockets takes no list of 128 bytes and more: the usual ones, those of
 * its own users first, in short lists.
 */
static void add_short_lists(const struct doctor_case *c, struct doctor_values *v)
{
	char list[120] = "janus-protocol, tty, mqtt, binary, chat";
	size_t n = strlen(list);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (offers(c, bytes_of_str(known[i])) || strstr(list, known[i]))
			continue;
		if (n + strlen(known[i]) + 3 > sizeof(list)) {
			doctor_add_value(v, "%s", list);
			n = 0;
		}
		n += (size_t)sprintf(list + n, "%s%s", n ? ", " : "", known[i]);
	}
	doctor_add_value(v, "%s", list);
}

/*
 * Whether libwebsockets answered anything here, or may have: it ends without a
 * word what it has nobody for, as others end handshakes wherever they go.
 */
static bool may_be_libwebsockets(const struct doctor_chart *chart)
{
	if ((doctor_found(chart, DOCTOR_F_UPGRADE_UNCLAIMED) ||
	     doctor_found(chart, DOCTOR_F_UPGRADE_UNCLAIMED_PAGE)) &&
	    !doctor_found(chart, DOCTOR_F_UPGRADE_SWALLOWED))
		return true;
	for (size_t i = 0; i < chart->n_probes && !chart->blind; i++)
		if (doctor_passed_by(chart->probe[i], WHY_STACK_LIBWEBSOCKETS))
			return true;
	return false;
}

/* Whether the first of @all was chosen, and came to nothing. */
static bool picks_first(const struct doctor_chart *chart, const char *all)
{
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_SUBPROTOCOL, all);

	return p && p->outcome != DOCTOR_OPEN && p->subprotocol.len > 0 &&
	       bytes_starts(bytes_of_str(all), p->subprotocol);
}

void doctor_harvest_subprotocols(const struct doctor_chart *chart,
				 struct doctor_values *v)
{
	const struct doctor_case *c = chart->c;
	char all[512];
	size_t n = 0;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change == DOCTOR_PLAIN_GET_PATH ||
		    p->trial.change == DOCTOR_PAGE)
			add_script_protocols(c, doctor_body(p), v);
		else if (doctor_says(p, DOCTOR_F_SAYS_SUBPROTOCOL) &&
			 !doctor_says(p, DOCTOR_F_SAYS_TWO_CREDENTIALS))
			add_protocols_of(chart, p, v);
	}
	v->n_told = v->n;
	add_siblings(c, v);
	add_next_versions(c, v);
	if (may_be_libwebsockets(chart)) {
		add_short_lists(c, v);
		return;
	}
	/* All the usual ones in one handshake: the server takes its pick. */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!offers(c, bytes_of_str(known[i])) &&
		    n + strlen(known[i]) + 3 < sizeof(all))
			n += (size_t)sprintf(all + n, "%s%s", n ? ", " : "",
					     known[i]);
	doctor_add_value(v, "%s", all);
	/* Some take the first, whatever it is: then each has to be alone. */
	if (picks_first(chart, all))
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!offers(c, bytes_of_str(known[i])))
				doctor_add_value(v, "%s", known[i]);
}
