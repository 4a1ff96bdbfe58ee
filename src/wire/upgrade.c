/* SPDX-License-Identifier: MIT */
/*
 * The opening handshake (RFC 6455 section 4). Each side writes only what it
 * has checked: a value that could break a line is refused before the first
 * byte is written. Each side reads by the letter, in the order that tells most
 * about what went wrong on the way.
 */
#include "wire/upgrade.h"

#include <sesame/error.h>

#include "base/base64.h"
#include "wire/digest.h"
#include "wire/url.h"

#define KEY_BYTES 16
/* Most answers' heads are no longer. */
#define HEAD_BYTES 512
/* Telling a list's tokens apart takes the square of their number. */
#define PROTOCOLS_MAX 64

static const struct bytes guid = {
	(const uint8_t *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36};

/* ---- keys ---- */

void ses_key_encode(const uint8_t random[16], char key[SES_KEY_LEN])
{
	ses_base64_encode(bytes_of(random, KEY_BYTES), key);
}

bool ses_key_valid(struct bytes text)
{
	uint8_t bytes[KEY_BYTES];
	size_t n;

	return text.len == SES_KEY_LEN &&
	       ses_base64_decode(text, bytes, sizeof(bytes), &n) == 0 &&
	       n == KEY_BYTES;
}

void ses_key_accept(struct bytes key, char accept[SES_ACCEPT_LEN])
{
	uint8_t digest[SES_SHA1_LEN];

	if (ses_sha1(key, guid, digest))
		ses_base64_encode(bytes_of(digest, sizeof(digest)), accept);
	else /* no base64: never equal to an answer, and no client takes it */
		memset(accept, '!', SES_ACCEPT_LEN);
}

/* ---- writing: all of a head, or nothing of it ---- */

struct draft {
	struct ses_buf *out;
	size_t before; /* what was queued when it began */
	int error;
};

static struct draft draft_on(struct ses_buf *out)
{
	return (struct draft){.out = out, .before = ses_buf_len(out)};
}

static void put_bytes(struct draft *d, struct bytes in)
{
	if (!d->error && in.len > 0)
		d->error = ses_buf_append(d->out, in);
}

static void put(struct draft *d, const char *s)
{
	put_bytes(d, bytes_of_str(s));
}

/* A field whose value could end its line, or that has no name, is an error. */
static void put_field(struct draft *d, struct bytes name, struct bytes value)
{
	if (!ses_is_token(name) || !ses_is_field_value(value))
		d->error = d->error ? d->error : SESAME_EINVAL;
	put_bytes(d, name);
	put(d, ": ");
	put_bytes(d, value);
	put(d, "\r\n");
}

static void put_str_field(struct draft *d, const char *name, const char *value)
{
	put_field(d, bytes_of_str(name), bytes_of_str(value));
}

static int finish(struct draft *d)
{
	if (d->error)
		d->out->end = d->out->start + d->before;
	return d->error;
}

/* ---- client: the request ---- */

static const char *const built_in[] = {
	"Host",
	"Connection",
	"Upgrade",
	"User-Agent",
	"Origin",
	"Sec-WebSocket-Version",
	"Sec-WebSocket-Key",
	"Sec-WebSocket-Extensions",
	"Sec-WebSocket-Protocol",
};

static bool is_built_in(struct bytes name)
{
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(built_in[i])))
			return true;
	return false;
}

/*
 * The field @name in its place: the caller's extras of that name if there are
 * any, or else @value if it has data.
 */
static void put_own(struct draft *d, const struct ses_upgrade_request *request,
		    const char *name, struct bytes value)
{
	bool replaced = false;

	for (size_t i = 0; i < request->n_extra; i++) {
		const struct ses_field *extra = &request->extra[i];

		if (!bytes_equal_nocase(extra->name, bytes_of_str(name)))
			continue;
		replaced = true;
		if (extra->value.data)
			put_field(d, extra->name, extra->value);
	}
	if (!replaced && value.data)
		put_field(d, bytes_of_str(name), value);
}

static void put_others(struct draft *d,
		       const struct ses_upgrade_request *request)
{
	for (size_t i = 0; i < request->n_extra; i++) {
		const struct ses_field *extra = &request->extra[i];

		if (!is_built_in(extra->name) && extra->value.data)
			put_field(d, extra->name, extra->value);
	}
}

static bool is_visible(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
			return false;
	return text.len > 0;
}

static void put_offer(struct draft *d, const struct ses_upgrade_request *request)
{
	struct ses_buf value;

	ses_buf_init(&value, 256);
	if (request->deflate.enabled && !d->error)
		d->error = ses_deflate_write_offer(&request->deflate, &value);
	put_own(d, request, "Sec-WebSocket-Extensions", ses_buf_bytes(&value));
	ses_buf_fini(&value);
}

int ses_upgrade_write_request(const struct ses_upgrade_request *request,
			      struct ses_buf *out)
{
	struct draft d = draft_on(out);

	if (!is_visible(request->target) ||
	    (request->host.data && !is_visible(request->host)))
		return SESAME_EINVAL;
	put(&d, "GET ");
	put_bytes(&d, request->target);
	put(&d, " HTTP/1.1\r\n");
	put_own(&d, request, "Host", request->host);
	put_own(&d, request, "Connection", BYTES("Upgrade"));
	put_own(&d, request, "Upgrade", BYTES("websocket"));
	put_own(&d, request, "User-Agent", request->user_agent);
	put_own(&d, request, "Origin", request->origin);
	put_own(&d, request, "Sec-WebSocket-Version", BYTES("13"));
	put_own(&d, request, "Sec-WebSocket-Key",
		bytes_of(request->key, SES_KEY_LEN));
	put_offer(&d, request);
	put_own(&d, request, "Sec-WebSocket-Protocol", request->protocols);
	put_others(&d, request);
	put(&d, "\r\n");
	return finish(&d);
}

/* ---- client: the answer ---- */

static bool has_token(const struct ses_head *head, const char *name,
		      const char *token)
{
	return ses_field_has_token(head->fields, head->n_fields, name, token);
}

static size_t count(const struct ses_head *head, const char *name)
{
	return ses_field_count(head->fields, head->n_fields, name);
}

/* The key that was really sent: an extra field may have replaced it. */
static struct bytes key_sent(const struct ses_upgrade_request *request)
{
	const struct ses_field *extra = ses_field_find(
		request->extra, request->n_extra, "Sec-WebSocket-Key");

	return extra ? extra->value : bytes_of(request->key, SES_KEY_LEN);
}

static bool accepts_key(const struct ses_upgrade_request *request,
			const struct ses_head *response)
{
	char accept[SES_ACCEPT_LEN];

	ses_key_accept(key_sent(request), accept);
	return count(response, "Sec-WebSocket-Accept") == 1 &&
	       bytes_equal(ses_head_get(response, "Sec-WebSocket-Accept"),
			   bytes_of(accept, sizeof(accept)));
}

static bool list_holds(struct bytes list, struct bytes protocol)
{
	struct bytes element;

	while (bytes_next_element(&list, &element))
		if (bytes_equal(element, protocol))
			return true;
	return false;
}

static bool was_offered(const struct ses_upgrade_request *request,
			struct bytes protocol)
{
	const char *name = "Sec-WebSocket-Protocol";

	if (!ses_field_find(request->extra, request->n_extra, name))
		return list_holds(request->protocols, protocol);
	for (size_t i = 0; i < request->n_extra; i++)
		if (bytes_equal_nocase(request->extra[i].name,
				       bytes_of_str(name)) &&
		    list_holds(request->extra[i].value, protocol))
			return true;
	return false;
}

static bool check_subprotocol(const struct ses_upgrade_request *request,
			      const struct ses_head *response,
			      struct bytes *ret_protocol)
{
	*ret_protocol = bytes_of(NULL, 0);
	if (count(response, "Sec-WebSocket-Protocol") == 0)
		return true;
	*ret_protocol = ses_head_get(response, "Sec-WebSocket-Protocol");
	return count(response, "Sec-WebSocket-Protocol") == 1 &&
	       ses_is_token(*ret_protocol) &&
	       was_offered(request, *ret_protocol);
}

/*
 * What the answer may agree to. Extensions that the caller wrote himself are
 * taken as the plain offer of permessage-deflate if they name it.
 */
static struct ses_deflate_policy
policy_sent(const struct ses_upgrade_request *request)
{
	const struct ses_field *extra = ses_field_find(
		request->extra, request->n_extra, "Sec-WebSocket-Extensions");

	if (!extra)
		return request->deflate;
	return (struct ses_deflate_policy){
		.enabled = bytes_contains_nocase(extra->value,
						 BYTES("permessage-deflate")),
	};
}

static enum ses_fault check_response(const struct ses_upgrade_request *request,
				     const struct ses_head *response,
				     struct ses_upgrade_result *result)
{
	struct ses_deflate_policy policy = policy_sent(request);

	if (!has_token(response, "Upgrade", "websocket"))
		return SES_FAULT_RESPONSE_UPGRADE;
	if (!has_token(response, "Connection", "Upgrade"))
		return SES_FAULT_RESPONSE_CONNECTION;
	if (!accepts_key(request, response))
		return SES_FAULT_RESPONSE_ACCEPT;
	if (!check_subprotocol(request, response, &result->subprotocol))
		return SES_FAULT_RESPONSE_SUBPROTOCOL;
	if (ses_deflate_check_answer(response, &policy, &result->deflate) != 0)
		return SES_FAULT_RESPONSE_EXTENSIONS;
	return SES_FAULT_NONE;
}

int ses_upgrade_check_response(const struct ses_upgrade_request *request,
			       const struct ses_head *response,
			       struct ses_upgrade_result *ret_result,
			       enum ses_fault *ret_fault)
{
	struct ses_upgrade_result result;
	enum ses_fault fault;

	if (response->status != 101) {
		*ret_fault = SES_FAULT_RESPONSE_STATUS;
		return SESAME_EREFUSED;
	}
	fault = check_response(request, response, &result);
	if (fault) {
		*ret_fault = fault;
		return SESAME_EPROTO;
	}
	*ret_result = result;
	return 0;
}

/* ---- server: the request ---- */

static enum ses_fault check_method(const struct ses_head *request)
{
	return bytes_equal_str(request->method, "GET")
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_METHOD;
}

/* A backslash in the path is a slash to some. */
static enum ses_fault check_target(const struct ses_head *request)
{
	struct bytes target = request->target;
	ptrdiff_t query = bytes_find_byte(target, '?');
	struct bytes path =
		query < 0 ? target : bytes_first(target, (size_t)query);

	return is_visible(target) && target.data[0] == '/' &&
			       bytes_find_byte(path, '\\') < 0
		       ? SES_FAULT_NONE
		       : SES_FAULT_HEAD_TARGET;
}

static enum ses_fault check_upgrade(const struct ses_head *request)
{
	return has_token(request, "Upgrade", "websocket")
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_NO_UPGRADE;
}

static enum ses_fault check_http_version(const struct ses_head *request)
{
	return request->minor_version >= 1 ? SES_FAULT_NONE
					   : SES_FAULT_REQUEST_HTTP10;
}

static enum ses_fault check_connection(const struct ses_head *request)
{
	return has_token(request, "Connection", "Upgrade")
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_NO_CONNECTION;
}

static enum ses_fault check_host(const struct ses_head *request)
{
	return count(request, "Host") == 1 &&
			       ses_url_host_field_valid(
				       ses_head_get(request, "Host"))
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_HOST;
}

static enum ses_fault check_body(const struct ses_head *request)
{
	int64_t length = ses_head_content_length(request);

	return count(request, "Transfer-Encoding") == 0 &&
			       (length == -1 || length == 0)
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_BODY;
}

static enum ses_fault check_version(const struct ses_head *request)
{
	return count(request, "Sec-WebSocket-Version") == 1 &&
			       bytes_equal_str(
				       ses_head_get(request,
						    "Sec-WebSocket-Version"),
				       "13")
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_VERSION;
}

static enum ses_fault check_key(const struct ses_head *request)
{
	return count(request, "Sec-WebSocket-Key") == 1 &&
			       ses_key_valid(ses_head_get(request,
							  "Sec-WebSocket-Key"))
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_KEY;
}

/* "null", "https://app.example", "file://": whether it is let in is policy. */
static enum ses_fault check_origin(const struct ses_head *request)
{
	size_t n = count(request, "Origin");

	return n == 0 || (n == 1 && is_visible(ses_head_get(request, "Origin")))
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_ORIGIN;
}

static bool is_distinct(const struct bytes *earlier, size_t n,
			struct bytes token)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_equal(earlier[i], token))
			return false;
	return true;
}

static bool is_protocols_field(const struct ses_field *field)
{
	return bytes_equal_nocase(field->name, BYTES("Sec-WebSocket-Protocol"));
}

static enum ses_fault check_subprotocols(const struct ses_head *request)
{
	struct bytes seen[PROTOCOLS_MAX], list, token;
	size_t n = 0;

	for (size_t i = 0; i < request->n_fields; i++) {
		if (!is_protocols_field(&request->fields[i]))
			continue;
		list = request->fields[i].value;
		while (bytes_next_element(&list, &token)) {
			if (n == PROTOCOLS_MAX || !ses_is_token(token) ||
			    !is_distinct(seen, n, token))
				return SES_FAULT_REQUEST_SUBPROTOCOL;
			seen[n++] = token;
		}
	}
	return n == 0 && count(request, "Sec-WebSocket-Protocol") > 0
		       ? SES_FAULT_REQUEST_SUBPROTOCOL
		       : SES_FAULT_NONE;
}

static enum ses_fault check_extensions(const struct ses_head *request)
{
	static const struct ses_deflate_policy none;
	struct sesame_deflate chosen;

	return ses_deflate_choose(request, &none, &chosen) == 0
		       ? SES_FAULT_NONE
		       : SES_FAULT_REQUEST_EXTENSIONS;
}

/* What explains most comes first: see the header. */
static enum ses_fault (*const checks[])(const struct ses_head *) = {
	check_method,	  check_target, check_upgrade,	    check_http_version,
	check_connection, check_host,	check_body,	    check_version,
	check_key,	  check_origin, check_subprotocols, check_extensions,
};

bool ses_upgrade_awaits_answer(const struct ses_head *request)
{
	int64_t body = ses_head_content_length(request);

	return (body == 0 || body == -1) &&
	       bytes_equal(request->method, BYTES("GET")) &&
	       ses_head_get(request, "Sec-WebSocket-Key").data &&
	       !ses_head_get(request, "Transfer-Encoding").data;
}

int ses_upgrade_check_request(const struct ses_head *request,
			      struct ses_upgrade_offer *ret_offer,
			      enum ses_fault *ret_fault)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		enum ses_fault fault = checks[i](request);

		if (fault) {
			*ret_fault = fault;
			return SESAME_EPROTO;
		}
	}
	*ret_offer = (struct ses_upgrade_offer){
		.host = ses_head_get(request, "Host"),
		.target = request->target,
		.origin = ses_head_get(request, "Origin"),
		.key = ses_head_get(request, "Sec-WebSocket-Key"),
		.protocols = ses_head_get(request, "Sec-WebSocket-Protocol"),
	};
	return 0;
}

bool ses_upgrade_offers(const struct ses_head *request, struct bytes protocol)
{
	for (size_t i = 0; i < request->n_fields; i++)
		if (is_protocols_field(&request->fields[i]) &&
		    list_holds(request->fields[i].value, protocol))
			return true;
	return false;
}

/* ---- server: the answer ---- */

static void put_choice(struct draft *d, const struct sesame_deflate *deflate)
{
	put(d, "Sec-WebSocket-Extensions: ");
	if (!d->error)
		d->error = ses_deflate_write_choice(deflate, d->out);
	put(d, "\r\n");
}

int ses_upgrade_write_response(const struct ses_upgrade_offer *offer,
			       struct bytes subprotocol,
			       const struct sesame_deflate *deflate,
			       struct bytes server, struct ses_buf *out)
{
	struct draft d = draft_on(out);
	char accept[SES_ACCEPT_LEN];

	if (subprotocol.len > 0 && !ses_is_token(subprotocol))
		return SESAME_EINVAL;
	ses_key_accept(offer->key, accept);
	ses_buf_room(out, HEAD_BYTES); /* at once, if it can be */
	put(&d, "HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\n"
		"Connection: Upgrade\r\n"
		"Sec-WebSocket-Accept: ");
	put_bytes(&d, bytes_of(accept, sizeof(accept)));
	put(&d, "\r\n");
	if (subprotocol.len > 0)
		put_field(&d, BYTES("Sec-WebSocket-Protocol"), subprotocol);
	if (deflate && deflate->on)
		put_choice(&d, deflate);
	if (server.len > 0)
		put_field(&d, BYTES("Server"), server);
	put(&d, "\r\n");
	return finish(&d);
}

static void put_number(struct draft *d, size_t n)
{
	char digits[24];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put_bytes(d, bytes_of(digits + i, sizeof(digits) - i));
}

/* The fields that a status brings along (RFC 9110 15.5.6 and 15.5.22). */
static void put_status_fields(struct draft *d, int status, bool has_allow)
{
	if (status == 405 && !has_allow)
		put_str_field(d, "Allow", "GET");
	if (status != 426) {
		put_str_field(d, "Connection", "close");
		return;
	}
	put_str_field(d, "Upgrade", "websocket");
	put_str_field(d, "Sec-WebSocket-Version", "13");
	/* Upgrade has to be named here wherever it is sent (RFC 9110 7.8). */
	put_str_field(d, "Connection", "close, Upgrade");
}

int ses_upgrade_write_answer(int status, const struct ses_field *fields,
			     size_t n_fields, struct bytes content_type,
			     struct bytes body, struct ses_buf *out)
{
	struct draft d = draft_on(out);

	if (status < 200 || status > 599)
		return SESAME_EINVAL;
	ses_buf_room(out, HEAD_BYTES + body.len); /* at once, if it can be */
	put(&d, "HTTP/1.1 ");
	put_number(&d, (size_t)status);
	put(&d, " ");
	put(&d, ses_status_phrase(status));
	put(&d, "\r\n");
	for (size_t i = 0; i < n_fields; i++)
		put_field(&d, fields[i].name, fields[i].value);
	if (content_type.len > 0)
		put_field(&d, BYTES("Content-Type"), content_type);
	/* These end with their head (RFC 9112 6.3). */
	if (status == 204 || status == 304) {
		body.len = 0;
	} else {
		put(&d, "Content-Length: ");
		put_number(&d, body.len);
		put(&d, "\r\n");
	}
	put_status_fields(&d, status,
			  ses_field_count(fields, n_fields, "Allow") > 0);
	put(&d, "\r\n");
	put_bytes(&d, body);
	return finish(&d);
}

const char *ses_status_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} rows[] = {
		{100, "Continue"},
		{101, "Switching Protocols"},
		{103, "Early Hints"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{203, "Non-Authoritative Information"},
		{204, "No Content"},
		{205, "Reset Content"},
		{206, "Partial Content"},
		{300, "Multiple Choices"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{305, "Use Proxy"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{402, "Payment Required"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{425, "Too Early"},
		{426, "Upgrade Required"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
		{511, "Network Authentication Required"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].phrase;
	return "";
}
