/* SPDX-License-Identifier: MIT */
/*
 * What crosses the gateway in a handshake, and what does not. Fields of one
 * hop stay on it (RFC 9110 7.6.1); forwarding fields that a client made up are
 * dropped under all their spellings; and a client cannot use Connection to
 * take away the fields that rules were made on.
 */
#include "gate/forward.h"

#include <stdio.h>

#include <sesame/error.h>

#include "gate/admit.h"
#include "wire/upgrade.h"

static bool is_one_of(struct bytes name, const char *const *names)
{
	for (; *names; names++)
		if (bytes_equal_nocase(name, bytes_of_str(*names)))
			return true;
	return false;
}

static bool is_hop_by_hop(struct bytes name)
{
	static const char *const names[] = {"Connection",
					    "Upgrade",
					    "Keep-Alive",
					    "Proxy-Connection",
					    "TE",
					    "Trailer",
					    "Transfer-Encoding",
					    "Content-Length",
					    "Expect",
					    "Proxy-Authorization",
					    "Proxy-Authenticate",
					    NULL};

	return is_one_of(name, names);
}

#define PLAIN_BYTES 40

/* The name with "_", "." and their like read as "-", as many applications do. */
static struct bytes plain_name(struct bytes name, char plain[PLAIN_BYTES])
{
	if (name.len > PLAIN_BYTES)
		name.len = PLAIN_BYTES;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = byte_lower(name.data[i]);
		bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		plain[i] = kept ? (char)c : '-';
	}
	return bytes_of(plain, name.len);
}

/* Whether they are one name to those who read "_" and its like as "-". */
static bool is_same_name(struct bytes a, struct bytes b)
{
	char text[PLAIN_BYTES], other[PLAIN_BYTES];

	if (a.len != b.len)
		return false;
	while (a.len && bytes_equal(plain_name(a, text), plain_name(b, other))) {
		a = bytes_from(a, PLAIN_BYTES);
		b = bytes_from(b, PLAIN_BYTES);
	}
	return a.len == 0;
}

/*
 * What tells a server behind about the client and its connection, by whichever
 * proxy's custom: only what is nearest to the client could know, and nothing
 * but this gateway is known to be there.
 */
static const char *const forwarding[] = {
	"Forwarded",
	"Forwarded-For",
	"X-Forwarded",
	"X-Real-IP",
	"X-Real-Port",
	"X-Client-IP",
	"X-Client-DN",
	"X-Client-S-DN",
	"Proxy-Client-IP",
	"WL-Proxy-Client-IP",
	"HTTP-Client-IP",
	"X-Originating-IP",
	"X-ForwardedFor",
	"X-Forward-For",
	"X-Appengine-User-IP",
	"Ali-CDN-Real-IP",
	"CDN-SRC-IP",
	"CDN-Real-IP",
	"X-Sucuri-ClientIP",
	"X-Sucuri-Client-IP",
	"Fly-Client-IP",
	"DO-Connecting-IP",
	"X-NF-Client-Connection-IP",
	"X-Peer-IP",
	"HTTP-Forwarded",
	"HTTP-Forwarded-For",
	"HTTP-X-Real-IP",
	"HTTP-X-Cluster-Client-IP",
	"Incap-Client-IP",
	"X-HTTP-Method-Override",
	"Client-IP",
	"True-Client-IP",
	"X-Remote-IP",
	"X-Remote-Addr",
	"Remote-Addr",
	"X-Cluster-Client-IP",
	"X-ProxyUser-IP",
	"X-Original-Forwarded-For",
	"X-Original-URL",
	"X-Original-URI",
	"X-Rewrite-URL",
	"X-Original-Host",
	"X-Host",
	"X-HTTP-Host-Override",
	"X-Scheme",
	"X-URL-Scheme",
	"Front-End-Https",
	"CF-Connecting-IP",
	"CF-Connecting-IPv6",
	"CF-Pseudo-IPv4",
	"Fastly-Client-IP",
	"Remote-User",
	"X-Remote-User",
	"Via",
	"Proxy", /* HTTP_PROXY to a CGI */
	NULL,
};
static const char *const forwarding_beginnings[] = {
	"X-Forwarded-",	   "HTTP-X-Forwarded-",
	"X-Auth-Request-", "X-Envoy-",
	"X-Azure-",	   "X-Vercel-Forwarded-",
	"X-ARR-",	   "X-Amzn-Mtls-",
	"X-Client-Cert",   "X-Client-Verify",
	"Client-Cert",	   "X-SSL-",
	"SSL-Client-",	   NULL,
};

static bool is_forwarding(struct bytes plain)
{
	for (const char *const *b = forwarding_beginnings; *b; b++)
		if (bytes_equal_nocase(bytes_first(plain, strlen(*b)),
				       bytes_of_str(*b)))
			return true;
	return is_one_of(plain, forwarding);
}

/* What Connection cannot take away: a rule here or there was made on it. */
static bool is_end_to_end(struct bytes name)
{
	static const char *const names[] = {"Host",	  "Origin",
					    "Cookie",	  "Authorization",
					    "User-Agent", NULL};

	return is_one_of(name, names) ||
	       bytes_equal_nocase(bytes_first(name, 14),
				  BYTES("Sec-WebSocket-"));
}

/* "User_Agent": to a server behind it may be the field that a rule is about. */
static bool is_disguised(struct bytes name, struct bytes plain)
{
	return !bytes_equal_nocase(name, plain) &&
	       (is_hop_by_hop(plain) || is_end_to_end(plain));
}

static bool may_not_pass(struct bytes name)
{
	char text[PLAIN_BYTES];
	struct bytes plain = plain_name(name, text);

	return is_forwarding(plain) ||
	       is_disguised(bytes_first(name, plain.len), plain);
}

static bool named_by_connection(const struct ses_head *head, struct bytes name)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		struct bytes list = head->fields[i].value, element;

		if (!bytes_equal_nocase(head->fields[i].name,
					BYTES("Connection")))
			continue;
		while (bytes_next_element(&list, &element))
			if (bytes_equal_nocase(element, name))
				return true;
	}
	return false;
}

static bool stays_on_its_hop(const struct ses_head *head, struct bytes name)
{
	return is_hop_by_hop(name) ||
	       (!is_end_to_end(name) && named_by_connection(head, name));
}

static int put_field(struct ses_buf *out, const char *name, struct bytes value)
{
	if (!ses_is_field_value(value))
		return SESAME_EINVAL;
	return ses_buf_printf(out, "%s: %.*s\r\n", name, BYTES_ARG(value));
}

static int copy_field(struct ses_buf *out, const struct ses_field *field)
{
	return ses_buf_printf(out, "%.*s: %.*s\r\n", BYTES_ARG(field->name),
			      BYTES_ARG(field->value));
}

static int put_host(const struct gate_forward *f, struct bytes host,
		    struct ses_buf *out)
{
	const struct gate_server *server = f->server;
	bool six = strchr(server->host, ':');

	if (!f->route->host)
		return put_field(out, "Host", host);
	if (strcmp(f->route->host, "upstream") != 0)
		return put_field(out, "Host", bytes_of_str(f->route->host));
	if (server->port == (server->tls ? 443 : 80))
		return ses_buf_printf(out, "Host: %s%s%s\r\n", six ? "[" : "",
				      server->host, six ? "]" : "");
	return ses_buf_printf(out, "Host: %s%s%s:%u\r\n", six ? "[" : "",
			      server->host, six ? "]" : "", server->port);
}

/* What the route sets of its own, or takes away. */
static bool is_set_by_route(const struct gate_route *route, struct bytes name)
{
	if (route->origin && bytes_equal_nocase(name, BYTES("Origin")))
		return true;
	for (size_t i = 0; i < route->n_fields; i++)
		if (is_same_name(name, bytes_of_str(route->field[i].name)))
			return true;
	return false;
}

/* What stands in the place of a client's field, whatever it has there. */
static bool is_replaced(const struct gate_forward *f, struct bytes name)
{
	const struct gate_authority *a = &f->route->authority;
	const struct gate_from *strip = f->strip;

	if (f->protocols.data &&
	    bytes_equal_nocase(name, BYTES("Sec-WebSocket-Protocol")))
		return true;
	if (strip && strip->kind == GATE_FROM_AUTHORIZATION &&
	    bytes_equal_nocase(name, BYTES("Authorization")))
		return true;
	if (strip && strip->kind == GATE_FROM_FIELD &&
	    is_same_name(name, strip->name))
		return true;
	for (size_t i = 0; i < a->n_copies; i++)
		if (is_same_name(name, bytes_of_str(a->copy[i])))
			return true;
	return false;
}

/* The target, without the token that is to be taken out of its query. */
static int put_target(const struct gate_forward *f, struct ses_buf *out)
{
	struct bytes target = f->head->target, query = gate_query_of(target);
	struct bytes name, value, whole;
	size_t path = target.len - query.len;
	char mark = '?';
	int r;

	if (!f->strip || f->strip->kind != GATE_FROM_QUERY || !query.len)
		return ses_buf_append(out, target);
	r = ses_buf_append(out, bytes_first(target, path - 1));
	for (whole = query; r >= 0 && gate_query_next(&query, &name, &value);
	     whole = query) {
		ptrdiff_t end = bytes_find_byte(whole, '&');

		if (gate_query_name_is(name, f->strip->name))
			continue;
		/* as it was written: "a" and "a=" are not the same to all */
		r = ses_buf_printf(out, "%c%.*s", mark,
				   end < 0 ? (int)whole.len : (int)end,
				   (const char *)whole.data);
		mark = '&';
	}
	return r;
}

/* The client's fields that may pass. */
static int put_fields(const struct gate_forward *f, struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < f->head->n_fields; i++) {
		const struct ses_field *field = &f->head->fields[i];

		if (!stays_on_its_hop(f->head, field->name) &&
		    !may_not_pass(field->name) &&
		    !is_set_by_route(f->route, field->name) &&
		    !is_replaced(f, field->name) &&
		    !bytes_equal_nocase(field->name, BYTES("Host")))
			r = copy_field(out, field);
	}
	return r;
}

static int put_route_fields(const struct gate_route *route, struct ses_buf *out)
{
	int r = 0;

	if (route->origin && route->origin[0])
		r = put_field(out, "Origin", bytes_of_str(route->origin));
	for (size_t i = 0; r >= 0 && i < route->n_fields; i++)
		if (route->field[i].value)
			r = put_field(out, route->field[i].name,
				      bytes_of_str(route->field[i].value));
	return r;
}

/* An address as a node of Forwarded has it (RFC 7239 6). */
static const char *node(const struct gate_address *a, char out[64])
{
	char text[GATE_ADDRESS_TEXT];

	gate_address_format(a, text);
	snprintf(out, 64, strchr(text, ':') ? "\"[%s]\"" : "%s", text);
	return out;
}

/* The client first and then each hop on its way here, as far as it is known. */
static int put_hops(const struct gate_hops *hops, struct bytes host,
		    struct ses_buf *out)
{
	const char *proto = hops->tls ? "https" : "http";
	char text[GATE_ADDRESS_TEXT], shown[64];
	int r = ses_buf_append_str(out, "X-Forwarded-For: ");

	for (size_t i = hops->n; r >= 0 && i-- > 0;) {
		gate_address_format(&hops->hop[i].address, text);
		r = ses_buf_printf(out, "%s%s", text, i ? ", " : "\r\n");
	}
	if (r >= 0)
		r = ses_buf_printf(
			out, "X-Forwarded-Proto: %s\r\nForwarded: ", proto);
	for (size_t i = hops->n; r >= 0 && i-- > 0;) {
		r = ses_buf_printf(out, "for=%s",
				   node(&hops->hop[i].address, shown));
		if (r >= 0 && i + 1 == hops->n)
			r = ses_buf_printf(out, ";proto=%s;host=\"%.*s\"",
					   proto, BYTES_ARG(host));
		if (r >= 0)
			r = ses_buf_append_str(out, i ? ", " : "\r\n");
	}
	return r;
}

/* Whether @host may stand between quotes as it is. */
static bool is_quotable(struct bytes host)
{
	return bytes_find_byte(host, '"') < 0 && bytes_find_byte(host, '\\') < 0;
}

char *gate_forward_place(const struct gate_server *server, struct bytes target,
			 char *out, size_t size)
{
	struct bytes base = bytes_of_str(server->text);
	struct bytes path = gate_path_of(target);
	size_t n;

	if (base.len && base.data[base.len - 1] == '/')
		base.len--; /* the path brings its own */
	bytes_printable(base, out, size);
	n = strlen(out);
	bytes_printable(path, out + n, size - n);
	return out;
}

int gate_forward_write(const struct gate_forward *f, struct ses_buf *out)
{
	struct bytes host = ses_head_get(f->head, "Host");
	int r = ses_buf_printf(out, "GET %s", f->server->prefix);

	if (r >= 0)
		r = put_target(f, out);
	if (r >= 0)
		r = ses_buf_append_str(out, " HTTP/1.1\r\n");
	if (r >= 0)
		r = put_host(f, host, out);
	if (r >= 0)
		r = ses_buf_append_str(out, "Connection: Upgrade\r\n"
					    "Upgrade: websocket\r\n");
	if (r >= 0)
		r = put_fields(f, out);
	if (r >= 0 && f->protocols.len)
		r = put_field(out, "Sec-WebSocket-Protocol", f->protocols);
	if (r >= 0)
		r = ses_buf_append(out, f->copies);
	if (r >= 0)
		r = put_route_fields(f->route, out);
	if (r >= 0)
		r = put_hops(f->hops,
			     is_quotable(host) ? host : bytes_of("", 0), out);
	if (r >= 0)
		r = put_field(out, "X-Forwarded-Host", host);
	return r < 0 ? r : ses_buf_append_str(out, "\r\n");
}

/* ---- Answers ---- */

static bool is_accept_of(struct bytes value, struct bytes key)
{
	char accept[SES_ACCEPT_LEN];

	ses_key_accept(key, accept);
	return bytes_equal(value, bytes_of(accept, sizeof(accept)));
}

static const struct bytes extensions = {
	(const uint8_t *)"Sec-WebSocket-Extensions", 24};

static bool offers_extension(const struct ses_head *request, struct bytes name)
{
	struct ses_extension offer;

	for (size_t i = 0; i < request->n_fields; i++) {
		struct bytes list = request->fields[i].value;

		if (!bytes_equal_nocase(request->fields[i].name, extensions))
			continue;
		while (ses_extension_next(&list, &offer) == 1)
			if (bytes_equal_nocase(offer.name, name))
				return true;
	}
	return false;
}

/* Whether every extension that was chosen had been offered. */
static bool are_offered(const struct ses_head *request, struct bytes chosen)
{
	struct ses_extension choice;
	int r;

	while ((r = ses_extension_next(&chosen, &choice)) == 1)
		if (!offers_extension(request, choice.name))
			return false;
	return r == 0;
}

const char *gate_acceptance_fault(const struct ses_head *request,
				  const struct ses_head *answer,
				  struct bytes key)
{
	const struct ses_field *f = answer->fields;
	size_t n = answer->n_fields;
	struct bytes protocol = ses_head_get(answer, "Sec-WebSocket-Protocol");

	if (answer->minor_version < 1)
		return "the 101 answer is in HTTP/1.0";
	if (ses_field_count(f, n, "Content-Length") ||
	    ses_field_count(f, n, "Transfer-Encoding"))
		return "the 101 answer announces a body";
	if (!ses_field_has_token(f, n, "Upgrade", "websocket"))
		return ses_fault_row(SES_FAULT_RESPONSE_UPGRADE)->sentence;
	if (!ses_field_has_token(f, n, "Connection", "upgrade"))
		return ses_fault_row(SES_FAULT_RESPONSE_CONNECTION)->sentence;
	if (ses_field_count(f, n, "Sec-WebSocket-Accept") != 1 ||
	    !is_accept_of(ses_head_get(answer, "Sec-WebSocket-Accept"), key))
		return ses_fault_row(SES_FAULT_RESPONSE_ACCEPT)->sentence;
	for (size_t i = 0; i < n; i++)
		if (bytes_equal_nocase(f[i].name, extensions) &&
		    !are_offered(request, f[i].value))
			return ses_fault_row(SES_FAULT_RESPONSE_EXTENSIONS)
				->sentence;
	if (ses_field_count(f, n, "Sec-WebSocket-Protocol") > 1 ||
	    (protocol.data && !ses_upgrade_offers(request, protocol)))
		return ses_fault_row(SES_FAULT_RESPONSE_SUBPROTOCOL)->sentence;
	return NULL;
}

int gate_acceptance_write(const struct ses_head *answer, struct bytes fallback,
			  struct ses_buf *out)
{
	int r = ses_buf_append_str(out, "HTTP/1.1 101 Switching Protocols\r\n"
					"Connection: Upgrade\r\n"
					"Upgrade: websocket\r\n");

	for (size_t i = 0; r >= 0 && i < answer->n_fields; i++)
		if (!stays_on_its_hop(answer, answer->fields[i].name))
			r = copy_field(out, &answer->fields[i]);
	if (r >= 0 && fallback.len &&
	    !ses_head_get(answer, "Sec-WebSocket-Protocol").data)
		r = put_field(out, "Sec-WebSocket-Protocol", fallback);
	return r < 0 ? r : ses_buf_append_str(out, "\r\n");
}

/* Fields that are written here or by ses_upgrade_write_answer(). */
static bool is_ours(int status, struct bytes name)
{
	static const char *const reference[] = {"Sesame-Reference", NULL};
	static const char *const allow[] = {"Allow", NULL};
	static const char *const version[] = {"Sec-WebSocket-Version", NULL};

	return is_one_of(name, reference) ||
	       (status == 405 && is_one_of(name, allow)) ||
	       (status == 426 && is_one_of(name, version));
}

int gate_relayed_refusal_write(const struct ses_head *answer, struct bytes body,
			       const char *reference, struct ses_buf *out)
{
	struct ses_field fields[SES_HEAD_MAX_FIELDS + 1];
	size_t n = 0;

	for (size_t i = 0; i < answer->n_fields; i++) {
		struct bytes name = answer->fields[i].name;

		if (!stays_on_its_hop(answer, name) &&
		    !is_ours(answer->status, name))
			fields[n++] = answer->fields[i];
	}
	fields[n++] = (struct ses_field){BYTES("Sesame-Reference"),
					 bytes_of_str(reference)};
	return ses_upgrade_write_answer(answer->status, fields, n,
					bytes_of(NULL, 0), body, out);
}
