/* SPDX-License-Identifier: MIT */
/*
 * A story's texts had their control bytes written as \xNN, so they are read
 * back; secrets in it are *** and stay so, for no rule looks at them.
 */
#include "gate/rehearsal.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/percent.h"
#include "gate/client_certificate.h"
#include "gate/credential.h"
#include "gate/index.h"
#include "wire/url.h"

static bool wrong(char *text, size_t size, const char *part, const char *value,
		  const char *what)
{
	char shown[160];

	snprintf(text, size, "%s %s: %s", part,
		 bytes_printable(bytes_of_str(value), shown, sizeof(shown)),
		 what);
	return false;
}

/* ---- The URL ---- */

static const char fragment[] = "a fragment (#...) is not sent; leave it out";

/* A path alone says nothing of TLS, unless there is no other way in. */
static bool all_by_tls(const struct gate_policy *policy)
{
	for (size_t i = 0; i < policy->n_listen; i++)
		if (!policy->listen[i].tls)
			return false;
	return policy->n_listen > 0;
}

static bool read_path(const char *path, struct gate_rehearsal *r, char *text,
		      size_t size)
{
	if (strchr(path, '#'))
		return wrong(text, size, "url", path, fragment);
	if (strlen(path) >= sizeof(r->target))
		return wrong(text, size, "url", path, "too long");
	snprintf(r->target, sizeof(r->target), "%s", path);
	snprintf(r->host, sizeof(r->host), "localhost");
	return true;
}

static bool read_url(const char *url, struct gate_rehearsal *r, bool *ret_tls,
		     char *text, size_t size)
{
	enum ses_url_fault fault = SES_URL_OK;
	struct ses_url parts;
	size_t at;

	/* A page's address is read too: people copy it from the browser. */
	if (ses_url_parse(bytes_of_str(url), &parts, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP)
		return wrong(text, size, "url", url,
			     fault == SES_URL_FRAGMENT
				     ? fragment
				     : ses_url_fault(fault)->sentence);
	if (ses_url_target(&parts, r->target, sizeof(r->target)) < 0 ||
	    ses_url_host_field(&parts, r->host, sizeof(r->host)) < 0)
		return wrong(text, size, "url", url, "too long");
	*ret_tls = parts.tls;
	return true;
}

/* ---- The fields ---- */

static struct bytes optional(const char *text)
{
	return text ? bytes_of(text, strlen(text)) : bytes_of(NULL, 0);
}

static bool put_field(struct gate_rehearsal *r, struct bytes name,
		      struct bytes value)
{
	if (!value.data)
		return true;
	if (r->head.n_fields == SES_HEAD_MAX_FIELDS)
		return false;
	r->head.fields[r->head.n_fields++] = (struct ses_field){name, value};
	return true;
}

static bool put_header(struct gate_rehearsal *r, const char *header, char *text,
		       size_t size)
{
	struct bytes all = bytes_of_str(header), name, value;
	ptrdiff_t colon = bytes_find_byte(all, ':');

	name = bytes_first(all, colon < 0 ? 0 : (size_t)colon);
	value = bytes_trim(bytes_from(all, name.len + 1));
	if (!ses_is_token(name) || !ses_is_field_value(value))
		return wrong(text, size, "header", header,
			     "is no field; they look like `Name: value`");
	/* "Name:" is sent, with nothing in it. */
	put_field(r, name, value.data ? value : bytes_of("", 0));
	return true;
}

static bool describes_proto(const struct gate_description *d)
{
	struct bytes name = BYTES("X-Forwarded-Proto");

	for (size_t i = 0; i < d->n_headers; i++)
		if (bytes_equal_nocase(
			    bytes_first(bytes_of_str(d->header[i]), name.len),
			    name))
			return true;
	return false;
}

/*
 * What proxies in between would write: the client, then each hop but the last,
 * which is the one that connects; and that the client came by TLS.
 */
static bool put_forwarded(const struct gate_policy *policy,
			  const struct gate_description *d, bool tls,
			  struct gate_rehearsal *r)
{
	bool rfc7239 = policy->trusted_field == GATE_HOPS_FORWARDED;
	const char *proto = tls ? ";proto=https" : "";
	size_t at = 0;

	if (!rfc7239 && tls && d->n_via && !describes_proto(d))
		put_field(r, BYTES("X-Forwarded-Proto"), BYTES("https"));

	for (size_t i = 0; i < d->n_via; i++) {
		const char *a = i ? d->via[i - 1] : d->from;
		bool v6 = strchr(a, ':');
		int n = snprintf(r->forwarded + at, sizeof(r->forwarded) - at,
				 rfc7239 ? v6 ? "%sfor=\"[%s]\"%s" : "%sfor=%s%s"
					 : "%s%s",
				 i ? ", " : "", a, proto);

		at += (size_t)n;
		if (at >= sizeof(r->forwarded))
			return false;
	}
	return put_field(
		r, rfc7239 ? BYTES("Forwarded") : BYTES("X-Forwarded-For"),
		d->n_via ? bytes_of_str(r->forwarded) : bytes_of(NULL, 0));
}

static bool read_addresses(const struct gate_description *d,
			   struct gate_address *ret_peer, char *text,
			   size_t size)
{
	struct gate_address client;

	if (!gate_address_read(bytes_of_str(d->from), &client))
		return wrong(text, size, "from", d->from,
			     "is no IPv4 or IPv6 address");
	*ret_peer = client;
	for (size_t i = 0; i < d->n_via; i++)
		if (!gate_address_read(bytes_of_str(d->via[i]), ret_peer))
			return wrong(text, size, "via", d->via[i],
				     "is no IPv4 or IPv6 address");
	return true;
}

/* ---- Credentials ---- */

static const char too_long[] = "too long";

/* The field that stands at @from, with what the description has for it. */
static bool put_token(const struct gate_description *d,
		      const struct gate_from *from, struct gate_rehearsal *r)
{
	static const char before[] = "Sec-WebSocket-Protocol";
	size_t at = strlen(r->target), room = sizeof(r->target) - at;
	struct bytes name = from->name;
	int n = 0;

	switch (from->kind) {
	case GATE_FROM_AUTHORIZATION:
		name = BYTES("Authorization");
		n = snprintf(r->authorization, sizeof(r->authorization),
			     "Bearer %s", d->token);
		return n < (int)sizeof(r->authorization) &&
		       put_field(r, name, bytes_of_str(r->authorization));
	case GATE_FROM_FIELD:
		return put_field(r, name, bytes_of_str(d->token));
	case GATE_FROM_COOKIE:
		n = snprintf(r->cookie, sizeof(r->cookie), "%s%s%.*s=%s",
			     d->cookie ? d->cookie : "", d->cookie ? "; " : "",
			     BYTES_ARG(name), d->token);
		return n < (int)sizeof(r->cookie);
	case GATE_FROM_QUERY:
		n = snprintf(r->target + at, room, "%c%.*s=%s",
			     strchr(r->target, '?') ? '&' : '?',
			     BYTES_ARG(name), d->token);
		return n < (int)room;
	case GATE_FROM_SUBPROTOCOL:
	default:
		n = snprintf(r->protocols, sizeof(r->protocols), "%s%s%.*s, %s",
			     d->subprotocol ? d->subprotocol : "",
			     d->subprotocol ? ", " : "", BYTES_ARG(name),
			     d->token);
		return n < (int)sizeof(r->protocols) &&
		       put_field(r, bytes_of_str(before),
				 bytes_of_str(r->protocols));
	}
}

/* In the first place that the route of this path takes a token from. */
static bool put_tokens(const struct gate_policy *policy,
		       const struct gate_description *d,
		       struct gate_rehearsal *r)
{
	static const struct gate_from header = {.kind = GATE_FROM_AUTHORIZATION};
	const struct gate_token_settings *token = NULL;
	const struct gate_route *route;

	r->bare = d->token && strcmp(d->token, "none") == 0;
	if (!d->token || r->bare)
		return true;
	route = gate_index_route(policy, gate_path_of(bytes_of_str(r->target)));
	if (route)
		token = route->token;
	return put_token(d, token && token->n_from ? &token->from[0] : &header,
			 r);
}

static bool put_basic(const struct gate_description *d, struct gate_rehearsal *r)
{
	static const char word[] = "Basic ";
	size_t len = d->basic ? strlen(d->basic) : 0;

	if (!d->basic)
		return true;
	if (len * 4 / 3 + sizeof(word) + 4 > sizeof(r->authorization))
		return false;
	strcpy(r->authorization, word);
	len = ses_base64_encode(bytes_of(d->basic, len),
				r->authorization + sizeof(word) - 1);
	return put_field(r, BYTES("Authorization"),
			 bytes_of(r->authorization, sizeof(word) - 1 + len));
}

static bool put_credentials(const struct gate_policy *policy,
			    const struct gate_description *d,
			    struct gate_rehearsal *r, char *text, size_t size)
{
	struct bytes protocols = optional(d->subprotocol);

	if (d->token && d->basic)
		return wrong(text, size, "basic", "",
			     "and token are two; a request has one");
	if (d->cookie)
		snprintf(r->cookie, sizeof(r->cookie), "%s", d->cookie);
	if (!put_tokens(policy, d, r))
		return wrong(text, size, "token", d->token, too_long);
	if (!put_basic(d, r))
		return wrong(text, size, "basic", "", too_long);
	r->head.target = bytes_of_str(r->target);
	if (!r->protocols[0])
		put_field(r, BYTES("Sec-WebSocket-Protocol"), protocols);
	put_field(r, BYTES("Cookie"),
		  r->cookie[0] ? bytes_of_str(r->cookie) : bytes_of(NULL, 0));
	return true;
}

static bool put_certificate(const struct gate_description *d,
			    struct gate_rehearsal *r, char *text, size_t size)
{
	bool none = d->n_parts == 1 && strcmp(d->certificate[0], "none") == 0;

	for (size_t i = 0; !none && i < d->n_parts; i++)
		if (!gate_certificate_describe(&r->tls,
					       bytes_of_str(d->certificate[i])))
			return wrong(text, size, "certificate",
				     d->certificate[i],
				     "is none of subject:NAME, issuer:NAME, "
				     "san:dns:NAME, san:ip:ADDRESS, "
				     "san:uri:URI, san:email:ADDRESS and none");
	return true;
}

static void make_request(struct gate_rehearsal *r)
{
	r->request = (struct gate_request){
		.target = r->head.target,
		.host = ses_head_get(&r->head, "Host"),
		.origin = ses_head_get(&r->head, "Origin"),
		.user_agent = ses_head_get(&r->head, "User-Agent"),
		.address = r->hops.client,
		.address_text = bytes_of_str(r->hops.client_text),
		.secure = r->hops.tls,
		.fields = r->head.fields,
		.n_fields = r->head.n_fields,
	};
}

bool gate_rehearse(const struct gate_policy *policy,
		   const struct gate_description *described,
		   struct gate_rehearsal *r, char *text, size_t size)
{
	struct gate_description d = *described;
	struct gate_hops_input input = {
		.head = &r->head,
		.trusted = policy->trusted,
		.n_trusted = policy->n_trusted,
		.field = (enum gate_hops_field)policy->trusted_field,
	};

	memset(r, 0, sizeof(*r));
	d.from = d.from ? d.from : "127.0.0.1";
	input.tls = d.url[0] == '/' && all_by_tls(policy);
	if (!(d.url[0] == '/' ? read_path(d.url, r, text, size)
			      : read_url(d.url, r, &input.tls, text, size)) ||
	    !read_addresses(&d, &input.peer, text, size))
		return false;
	if (d.host && !ses_url_host_field_valid(bytes_of_str(d.host)))
		return wrong(text, size, "host", d.host,
			     "is no host or host:port, and answered 400");
	r->head.is_request = true;
	r->head.minor_version = 1;
	r->head.method = BYTES("GET");
	r->head.target = bytes_of_str(r->target);
	put_field(r, BYTES("Host"), optional(d.host ? d.host : r->host));
	put_field(r, BYTES("Origin"), optional(d.origin));
	put_field(r, BYTES("User-Agent"), optional(d.user_agent));
	if (!put_credentials(policy, &d, r, text, size) ||
	    !put_certificate(&d, r, text, size))
		return false;
	if (!put_forwarded(policy, &d, input.tls, r))
		return wrong(text, size, "via", d.via[0], "too many hops");
	for (size_t i = 0; i < d.n_headers; i++)
		if (!put_header(r, d.header[i], text, size))
			return false;
	gate_hops_read(&input, &r->hops);
	make_request(r);
	r->request.any_certificate = d.n_parts == 0;
	r->request.any_credentials = !r->bare;
	r->request.tls = d.n_parts ? &r->tls : NULL;
	return true;
}

/* ---- From the journal ---- */

static bool is_cut(const char *text, size_t size)
{
	size_t len = strlen(text);

	/* A character of up to four bytes may not have had room. */
	return len + 8 >= size && len >= 3 && strcmp(text + len - 3, "...") == 0;
}

/* Write @shown to @to as it was before it was made printable. */
static struct bytes read_back(const char *shown, char **to)
{
	char *begin = *to;

	if (!shown[0])
		return bytes_of(NULL, 0);
	while (*shown) {
		int high, low;

		if (shown[0] == '\\' && shown[1] == 'x' &&
		    (high = ses_hex_digit((uint8_t)shown[2])) >= 0 &&
		    (low = ses_hex_digit((uint8_t)shown[3])) >= 0) {
			*(*to)++ = (char)(high << 4 | low);
			shown += 4;
		} else {
			*(*to)++ = *shown++;
		}
	}
	return bytes_of(begin, (size_t)(*to - begin));
}

bool gate_rehearse_story(const struct gate_story *s, struct gate_rehearsal *r)
{
	char *to = r->text;

	_Static_assert(sizeof(r->text) >= sizeof(s->target) + sizeof(s->host) +
						  sizeof(s->origin) +
						  sizeof(s->protocols) +
						  sizeof(s->user_agent),
		       "all texts have room");
	memset(r, 0, sizeof(*r));
	r->request = (struct gate_request){
		.target = read_back(s->target, &to),
		.host = read_back(s->host, &to),
		.origin = read_back(s->origin, &to),
		.user_agent = read_back(s->user_agent, &to),
		.address_text = bytes_of_str(s->address),
		.secure = s->secure,
		.any_certificate = true,
		.any_credentials = !gate_story_has_no_credentials(s),
	};
	gate_address_read(r->request.address_text, &r->request.address);
	put_field(r, BYTES("Host"), r->request.host);
	put_field(r, BYTES("Origin"), r->request.origin);
	put_field(r, BYTES("User-Agent"), r->request.user_agent);
	put_field(r, BYTES("Sec-WebSocket-Protocol"),
		  read_back(s->protocols, &to));
	r->request.fields = r->head.fields;
	r->request.n_fields = r->head.n_fields;
	return !is_cut(s->target, sizeof(s->target)) &&
	       !is_cut(s->host, sizeof(s->host)) &&
	       !is_cut(s->origin, sizeof(s->origin)) &&
	       !is_cut(s->protocols, sizeof(s->protocols)) &&
	       !is_cut(s->user_agent, sizeof(s->user_agent));
}
