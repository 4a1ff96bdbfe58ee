/* SPDX-License-Identifier: MIT */
/*
 * From a URL to an open connection: dial, ask, read the answer, check it, and
 * hand the stream over to the connection (RFC 6455 section 4.1). Whatever is
 * not a valid 101 ends here, and is told with the answer as it came, because
 * that answer is all that anybody will ever know about the refusal.
 */
#include <sesame/client.h>
#include <sesame/version.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/percent.h"
#include "net/dial.h"
#include "net/proxy.h"
#include "net/tls_cache.h"
#include "wire/close.h"
#include "wire/url.h"
#include "ws/complaint.h"
#include "ws/conn.h"
#include "ws/intake.h"

#define BODY_BYTES ((size_t)8 * 1024) /* of a refusal, kept */
#define BODY_MS	   1000		      /* how long to wait for it */
#define TEXT_BYTES 512		      /* of a sentence */
#define URL_BYTES  256
#define HOST_BYTES 272
#define MAX_EXTRA  64

struct opening {
	struct ses_opening base;
	struct sesame_conn *conn;
	struct sesame_loop *loop;
	struct ses_dial *dial;
	struct ses_stream *stream;
	struct ses_tls_context *tls;
	struct ses_timer timer;
	uint64_t deadline_ms;
	struct ses_conn_setup setup;
	struct ses_upgrade_request request; /* what the answer must match */
	char *protocols;
	struct ses_buf ask;    /* the request as bytes */
	struct ses_buf answer; /* of a refusal: head and body's beginning */
	struct ses_intake intake;
	size_t head_len;
	int64_t body_wanted; /* -1: until the end */
	int status;
	bool is_refused;
	bool is_chunked;      /* its body */
	enum ses_fault fault; /* of an answer that is no valid acceptance */
	char url[URL_BYTES];  /* for sentences, without secrets */
};

/* ---- the end of an attempt ---- */

static void free_opening(struct opening *o)
{
	ses_timers_stop(&o->loop->timers, &o->timer);
	if (o->dial)
		ses_dial_cancel(o->dial);
	ses_stream_close(o->stream);
	if (o->tls)
		ses_tls_context_unref(o->tls);
	ses_intake_fini(&o->intake);
	ses_buf_fini(&o->ask);
	ses_buf_fini(&o->answer);
	free(o->protocols);
	free(o);
}

static void cancel(struct ses_opening *base)
{
	free_opening(ses_container_of(base, struct opening, base));
}

/* It came to nothing, and @text says why. Frees @o. */
static void fail(struct opening *o, int error, const char *text)
{
	struct bytes answer = ses_buf_bytes(&o->answer);
	char sentence[TEXT_BYTES + URL_BYTES];
	struct sesame_end end = {
		.error = error,
		.code = SES_CLOSE_CUT,
		.reason = "",
		.text = sentence,
		.status = o->status,
	};

	snprintf(sentence, sizeof(sentence), "%s: %s", o->url, text);
	if (answer.len) {
		bool has_body = o->head_len && o->head_len < answer.len;
		size_t head = has_body ? o->head_len : answer.len;

		end.head = (const char *)answer.data;
		end.head_len = head;
		end.body = (const char *)answer.data + head;
		end.body_len = answer.len - head;
	}
	ses_stream_close(o->stream);
	o->stream = NULL;
	ses_conn_fail(o->conn, &end);
	free_opening(o);
}

static void fail_fault(struct opening *o, enum ses_fault fault)
{
	fail(o, SESAME_EPROTO, ses_fault_row(fault)->sentence);
}

/* ---- the answer ---- */

static void fail_refused(struct opening *o)
{
	char text[TEXT_BYTES];

	if (o->fault != SES_FAULT_NONE && o->fault != SES_FAULT_RESPONSE_STATUS)
		return fail_fault(o, o->fault);
	snprintf(text, sizeof(text), "the handshake was refused with %d%s%s",
		 o->status, *ses_status_phrase(o->status) ? " " : "",
		 ses_status_phrase(o->status));
	fail(o, SESAME_EREFUSED, text);
}

/*
 * Whether the body has come to its end, as far as its head tells. A chunk that
 * looks like the last one only makes us wait less.
 */
static bool is_body_whole(const struct opening *o)
{
	static const char last[] = "\r\n0\r\n\r\n";
	struct bytes body = bytes_from(ses_buf_bytes(&o->answer), o->head_len);

	if (o->is_chunked) {
		size_t n = sizeof(last) - 1;

		return bytes_equal_str(body, last + 2) ||
		       (body.len >= n &&
			bytes_equal_str(bytes_from(body, body.len - n), last));
	}
	return o->body_wanted >= 0 && body.len >= (size_t)o->body_wanted;
}

/* Keep what fits of the refusal; true when there is no more to wait for. */
static bool keep_body(struct opening *o, struct bytes data)
{
	size_t most = o->head_len + BODY_BYTES, had = ses_buf_len(&o->answer);

	ses_buf_append(&o->answer, bytes_first(data, most - had));
	return ses_buf_len(&o->answer) == most || is_body_whole(o);
}

/* The answer is no valid acceptance: keep its head and wait for its body. */
static void refuse(struct opening *o, const struct ses_head *head,
		   struct bytes first, struct bytes rest)
{
	uint64_t wait_until = o->loop->now_ms + BODY_MS;
	bool whole;

	o->is_refused = true;
	o->status = head->status;
	o->head_len = head->length;
	o->body_wanted = ses_head_content_length(head);
	o->is_chunked = ses_field_has_token(head->fields, head->n_fields,
					    "Transfer-Encoding", "chunked");
	if (o->status == 101 || o->status == 204 || o->status == 304)
		o->body_wanted = 0;
	ses_buf_append(&o->answer, first);
	whole = keep_body(o, rest);
	if (whole)
		return fail_refused(o);
	ses_timers_start(&o->loop->timers, &o->timer,
			 wait_until < o->deadline_ms ? wait_until
						     : o->deadline_ms);
}

/* A valid 101: from here on the stream speaks WebSocket. Frees @o. */
static void accept_answer(struct opening *o,
			  const struct ses_upgrade_result *agreed,
			  uint8_t *early, size_t early_len)
{
	struct ses_stream *stream = o->stream;

	o->stream = NULL;
	o->setup.deflate = agreed->deflate;
	o->setup.subprotocol = agreed->subprotocol;
	if (ses_conn_open(o->conn, stream, &o->setup, early, early_len) < 0)
		return fail(o, SESAME_ENOMEM, sesame_strerror(SESAME_ENOMEM));
	free_opening(o);
}

static void look_at_answer(struct opening *o, const struct ses_head *head,
			   uint8_t *data, size_t len, size_t used)
{
	struct bytes first = ses_buf_bytes(&o->intake.gathered);
	struct bytes rest = bytes_from(bytes_of(data, len), used);
	struct ses_upgrade_result agreed = {0};
	int r;

	if (first.len == 0)
		first = bytes_of(data, used);
	first = bytes_first(first, head->length);
	r = ses_upgrade_check_response(&o->request, head, &agreed, &o->fault);
	if (r < 0)
		return refuse(o, head, first, rest);
	if (ses_conn_tell_handshake(o->conn, false, first))
		accept_answer(o, &agreed, data + used, len - used);
}

/* What came cannot be read as HTTP; show it nevertheless. */
static void fail_unreadable(struct opening *o, struct bytes data,
			    enum ses_fault fault)
{
	struct bytes had = ses_buf_bytes(&o->intake.gathered);

	ses_buf_append(&o->answer,
		       had.len ? had : bytes_first(data, BODY_BYTES));
	fail_fault(o, fault);
}

static void take_bytes(struct opening *o, uint8_t *data, size_t len)
{
	enum ses_fault fault = SES_FAULT_HEAD_TOO_LONG;
	struct bytes in = bytes_of(data, len);
	struct ses_head head;
	size_t used;
	int r;

	r = ses_intake_feed_answer(&o->intake, &in, &head, &used, &fault);
	data += len - in.len;
	if (r == SESAME_ENOMEM)
		fail(o, r, sesame_strerror(r));
	else if (r < 0 && fault != SES_FAULT_RESPONSE_STATUS)
		fail_unreadable(o, in, fault);
	else if (r != 0)
		look_at_answer(o, &head, data, in.len, used);
}

static void on_bytes(struct ses_stream *stream, uint8_t *data, size_t len)
{
	struct opening *o = stream->owner;

	if (!o->is_refused)
		take_bytes(o, data, len);
	else if (keep_body(o, bytes_of(data, len)))
		fail_refused(o);
}

static void on_end(struct ses_stream *stream, int error)
{
	struct opening *o = stream->owner;
	struct bytes had = ses_buf_bytes(&o->intake.gathered);
	const struct ses_tls_info *tls = ses_stream_tls_info(stream);

	if (o->is_refused)
		return fail_refused(o);
	ses_buf_append(&o->answer, had);
	if (error == SESAME_ETLS && tls && tls->text[0])
		fail(o, error, tls->text);
	else if (had.len)
		fail(o, SESAME_ERESET,
		     "the connection was closed in the middle of the answer");
	else if (error)
		fail(o, error, "the connection was reset instead of answering");
	else
		fail(o, SESAME_ERESET,
		     "the connection was closed without an answer");
}

static const struct ses_stream_events answer_events = {
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static void on_timer(struct ses_timer *timer)
{
	struct opening *o = ses_container_of(timer, struct opening, timer);

	if (o->is_refused)
		return fail_refused(o);
	ses_buf_append(&o->answer, ses_buf_bytes(&o->intake.gathered));
	fail(o, SESAME_ETIMEOUT,
	     ses_buf_len(&o->answer)
		     ? "connected, but the answer did not come to its end in "
		       "time"
		     : "connected, but no answer to the handshake came in "
		       "time");
}

/* ---- the dial ---- */

/* The step that the dial failed at: the last one with an error. */
static const struct ses_dial_step *
failed_step(const struct ses_dial_report *report)
{
	for (size_t i = report->n_steps; i-- > 0;)
		if (report->step[i].error)
			return &report->step[i];
	return NULL;
}

static void describe_connect(const struct ses_dial_step *step, char *text,
			     size_t size)
{
	switch (step->sys_errno) {
	case ECONNREFUSED:
		snprintf(text, size,
			 "connection refused by %s (nothing listens there)",
			 step->what);
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
		snprintf(text, size, "%s cannot be reached: %s", step->what,
			 step->text);
		break;
	default:
		snprintf(text, size, "no connection to %s: %s", step->what,
			 step->text);
	}
}

static void describe_step(const struct ses_dial_step *step, char *text,
			  size_t size)
{
	switch (step->kind) {
	case SES_DIAL_NAMES:
		snprintf(text, size, "the name %s does not resolve: %s",
			 step->what, step->text);
		break;
	case SES_DIAL_CONNECT:
		describe_connect(step, text, size);
		break;
	case SES_DIAL_PROXY:
		snprintf(text, size, "the proxy %s did not let it through: %s",
			 step->what, step->text);
		break;
	case SES_DIAL_TLS:
		snprintf(text, size, "TLS with %s failed: %s", step->what,
			 step->text);
		break;
	}
}

/* What a proxy answered to CONNECT is told like a refusal. */
static void keep_proxy_answer(struct opening *o,
			      const struct ses_dial_report *report)
{
	o->status = report->proxy_status;
	o->head_len = report->proxy_head_len;
	ses_buf_append(&o->answer,
		       bytes_of(report->proxy_head, report->proxy_head_len));
	ses_buf_append(&o->answer,
		       bytes_of(report->proxy_body, report->proxy_body_len));
}

static void fail_dial(struct opening *o, const struct ses_dial_report *report,
		      int error)
{
	const struct ses_dial_step *step = failed_step(report);
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "%s", sesame_strerror(error));
	if (step)
		describe_step(step, text, sizeof(text));
	if (error == SESAME_EPROXY)
		keep_proxy_answer(o, report);
	fail(o, error, text);
}

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct opening *o = user;

	o->dial = NULL; /* freed by itself */
	if (error)
		return fail_dial(o, report, error);
	o->stream = stream;
	ses_stream_take(stream, &answer_events, o);
	if (ses_stream_send(stream, ses_buf_bytes(&o->ask)) == SESAME_ELIMIT ||
	    ses_timers_start(&o->loop->timers, &o->timer, o->deadline_ms) < 0)
		return fail(o, SESAME_ENOMEM, sesame_strerror(SESAME_ENOMEM));
	if (ses_conn_tell_handshake(o->conn, true, ses_buf_bytes(&o->ask)))
		ses_buf_release(&o->ask);
}

static int start_dial(struct opening *o, const struct ses_url *url,
		      const struct sesame_client_options *options)
{
	struct ses_dial_options dial = {
		.host = url->host,
		.port = url->port,
		.family = options->family,
		.source = options->source,
		.connect_host = options->connect_host,
		.connect_port = options->connect_port,
		.proxy = options->proxy,
		.proxy_ca_file = options->proxy_ca_file,
		.proxy_insecure = options->proxy_insecure,
		.tls = o->tls,
		.timeout_ms = o->setup.limits.handshake_ms,
		.user_agent = options->user_agent,
	};

	o->dial = ses_dial_start(o->loop, &dial, on_dialled, o);
	return o->dial ? 0 : SESAME_ENOMEM;
}

/* ---- the request ---- */

static int parse_url(const char *text, struct ses_url *ret_url,
		     const struct ses_complaint *to)
{
	char shown[256], meant[256];
	enum ses_url_fault fault = SES_URL_OK;
	size_t at = 0;
	int r = ses_url_parse(bytes_of_str(text), ret_url, &fault, &at);

	if (r == 0)
		return 0;
	bytes_printable(bytes_of_str(text), shown, sizeof(shown));
	if (ses_url_suggest(bytes_of_str(text), meant, sizeof(meant)))
		return ses_complain(to, r, "%s: %s. Did you mean %s?", shown,
				    ses_url_fault(fault)->sentence, meant);
	return ses_complain(to, r, "%s: %s", shown,
			    ses_url_fault(fault)->sentence);
}

/* Fields that options or the handshake itself are in charge of. */
static const char *const reserved_fields[] = {
	"Upgrade",
	"Connection",
	"Sec-WebSocket-Key",
	"Sec-WebSocket-Version",
	"Sec-WebSocket-Extensions",
	"Sec-WebSocket-Accept",
	"Content-Length",
	"Transfer-Encoding",
	NULL,
};

static bool is_reserved(struct bytes name)
{
	for (const char *const *f = reserved_fields; *f; f++)
		if (bytes_equal_nocase(name, bytes_of_str(*f)))
			return true;
	return false;
}

/* The parts of a request while it is put together; all borrowed or inline. */
struct draft {
	struct ses_upgrade_request request;
	struct ses_field fields[MAX_EXTRA + 1];
	size_t n_fields;
	char host[HOST_BYTES];
	char target[8192];
	char authorization[1024];
};

/* A header of the caller's: one of those we write anyway, or one more. */
static int add_header(struct draft *d, const struct sesame_header *header,
		      const struct ses_complaint *to)
{
	struct bytes name = bytes_of_str(header->name);
	struct bytes value = bytes_of_str(header->value);
	struct {
		const char *name;
		struct bytes *place;
	} known[] = {
		{"Host", &d->request.host},
		{"Origin", &d->request.origin},
		{"User-Agent", &d->request.user_agent},
		{"Sec-WebSocket-Protocol", &d->request.protocols},
	};

	if (!ses_is_token(name) || !ses_is_field_value(value))
		return ses_complain(
			to, SESAME_EINVAL,
			"a header's name or value holds a byte that "
			"may not stand there");
	if (is_reserved(name))
		return ses_complain(
			to, SESAME_EINVAL,
			"the header %s belongs to the handshake itself",
			header->name);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (bytes_equal_nocase(name, bytes_of_str(known[i].name))) {
			*known[i].place = value;
			return 0;
		}
	}
	if (d->n_fields == MAX_EXTRA)
		return ses_complain(to, SESAME_EINVAL,
				    "more than %d headers are too many",
				    MAX_EXTRA);
	d->fields[d->n_fields++] = (struct ses_field){name, value};
	return 0;
}

/* Authorization: Basic (RFC 7617), from the options or else the URL. */
static int add_credentials(struct draft *d, const struct ses_url *url,
			   const char *basic_auth,
			   const struct ses_complaint *to)
{
	static const char scheme[] = "Basic ";
	uint8_t plain[512];
	struct bytes text =
		basic_auth ? bytes_of_str(basic_auth) : url->userinfo;
	size_t n;

	if (!text.len || ses_field_find(d->fields, d->n_fields, "Authorization"))
		return 0;
	if (text.len >= sizeof(plain))
		return ses_complain(to, SESAME_EINVAL,
				    "the credentials are too long");
	if (basic_auth)
		memcpy(plain, text.data, n = text.len);
	else
		n = ses_percent_decode(text, plain);
	if (bytes_find_byte(text, ':') < 0)
		plain[n++] = ':'; /* a user without a password */
	memcpy(d->authorization, scheme, sizeof(scheme));
	n = ses_base64_encode(bytes_of(plain, n),
			      d->authorization + sizeof(scheme) - 1);
	d->fields[d->n_fields++] = (struct ses_field){
		BYTES("Authorization"),
		bytes_of(d->authorization, sizeof(scheme) - 1 + n)};
	return 0;
}

/* "" is as good as nothing: an empty field would be sent, and refused. */
static struct bytes given(const char *text)
{
	return bytes_of_str(text && *text ? text : NULL);
}

static int draft_request(struct draft *d, const struct ses_url *url,
			 const struct sesame_client_options *options,
			 const struct ses_complaint *to)
{
	uint8_t random[16];
	int r;

	if (ses_url_target(url, d->target, sizeof(d->target)) < 0 ||
	    ses_url_host_field(url, d->host, sizeof(d->host)) < 0)
		return ses_complain(to, SESAME_EURL, "the URL is too long");
	d->request.target = bytes_of_str(d->target);
	d->request.host = bytes_of_str(d->host);
	d->request.origin = given(options->origin);
	d->request.protocols = given(options->protocols);
	d->request.user_agent = options->user_agent
					? bytes_of_str(options->user_agent)
					: BYTES("sesame/" SESAME_VERSION);
	d->request.deflate.enabled = !options->no_deflate;
	for (size_t i = 0; i < options->n_headers; i++) {
		r = add_header(d, &options->headers[i], to);
		if (r < 0)
			return r;
	}
	r = add_credentials(d, url, options->basic_auth, to);
	if (r < 0)
		return r;
	ses_random(random, sizeof(random));
	ses_key_encode(random, d->request.key);
	d->request.extra = d->fields;
	d->request.n_extra = d->n_fields;
	return 0;
}

static int write_request(struct opening *o, const struct ses_url *url,
			 const struct sesame_client_options *options,
			 const struct ses_complaint *to)
{
	struct draft d = {0};
	struct bytes protocols;
	int r = draft_request(&d, url, options, to);

	if (r < 0)
		return r;
	r = ses_upgrade_write_request(&d.request, &o->ask);
	if (r < 0)
		return ses_complain(
			to, r,
			r == SESAME_EINVAL
				? "the origin, the subprotocols or a "
				  "header hold a byte that may not "
				  "stand there"
			: r == SESAME_ENOMEM ? "out of memory"
					     : "the request is too long");
	/* for the check of the answer only these are needed */
	protocols = d.request.protocols;
	o->request.deflate = d.request.deflate;
	memcpy(o->request.key, d.request.key, sizeof(o->request.key));
	if (!protocols.data)
		return 0;
	o->protocols = strndup((const char *)protocols.data, protocols.len);
	o->request.protocols = bytes_of_str(o->protocols);
	return o->protocols ? 0 : SESAME_ENOMEM;
}

static int make_tls(struct opening *o,
		    const struct sesame_client_options *options,
		    const struct ses_complaint *to)
{
	struct ses_tls_client_options tls = {
		.ca_file = options->ca_file,
		.cert_file = options->cert_file,
		.key_file = options->key_file,
		.insecure = options->insecure,
	};
	char text[256] = "";

	o->tls = ses_tls_client_shared(o->loop, &tls, text, sizeof(text));
	return o->tls ? 0 : ses_complain(to, SESAME_ETLS, "%s", text);
}

/* For sentences: without secrets, as much of it as there is room for. */
static void describe_url(const char *url, char *out, size_t size)
{
	char safe[8192];
	int r = ses_url_redact(bytes_of_str(url), safe, sizeof(safe));

	bytes_printable(r < 0 ? BYTES("the URL") : bytes_of_str(safe), out,
			size);
}

static struct opening *new_opening(struct sesame_loop *loop, const char *url)
{
	struct opening *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->base.cancel = cancel;
	o->loop = loop;
	o->timer.fire = on_timer;
	ses_intake_init(&o->intake, false);
	ses_buf_init(&o->ask, (size_t)64 * 1024);
	ses_buf_init(&o->answer, SES_INTAKE_BYTES + BODY_BYTES);
	describe_url(url, o->url, sizeof(o->url));
	/* from here on the timer has its place, so to move it cannot fail */
	if (ses_timers_start(&loop->timers, &o->timer, UINT64_MAX) < 0) {
		free(o);
		return NULL;
	}
	return o;
}

static int prepare(struct opening *o, const char *text,
		   const struct sesame_client_options *options,
		   const struct ses_complaint *to, struct ses_url *ret_url)
{
	int r = parse_url(text, ret_url, to);
	struct ses_proxy proxy;
	const char *fault;

	if (r < 0)
		return r;
	if (options->family && options->family != 4 && options->family != 6)
		return ses_complain(to, SESAME_EINVAL,
				    "the address family is 4, 6 or 0");
	if (options->key_file && !options->cert_file)
		return ses_complain(to, SESAME_EINVAL,
				    "key_file without cert_file: a key alone "
				    "proves nothing");
	if (options->proxy && ses_proxy_parse(options->proxy, &proxy, &fault) < 0)
		return ses_complain(to, SESAME_EINVAL, "%s", fault);
	r = write_request(o, ret_url, options, to);
	if (r < 0)
		return r;
	return ret_url->tls ? make_tls(o, options, to) : 0;
}

int sesame_connect(struct sesame_loop *loop, const char *url_text,
		   const struct sesame_client_options *options,
		   const struct sesame_handlers *handlers, void *user,
		   struct sesame_conn **ret_conn, char *text, size_t text_size)
{
	static const struct sesame_client_options defaults;
	struct ses_complaint to = {text, text_size};
	struct opening *o = new_opening(loop, url_text);
	struct ses_url url;
	int r;

	if (!o)
		return ses_complain(&to, SESAME_ENOMEM, "out of memory");
	if (!options)
		options = &defaults;
	if (!loop->in_turn)
		ses_loop_update(loop);
	o->setup = (struct ses_conn_setup){
		.role = SESAME_CLIENT,
		.limits = options->limits,
		.handlers = handlers,
		.user = user,
	};
	ses_limits_default(&o->setup.limits);
	o->deadline_ms = loop->now_ms + o->setup.limits.handshake_ms;
	ses_complain(&to, 0,
		     "out of memory"); /* unless a better word is found */
	r = prepare(o, url_text, options, &to, &url);
	if (r == 0)
		r = start_dial(o, &url, options);
	if (r == 0) {
		o->conn = ses_conn_new(loop, &o->setup, &o->base);
		r = o->conn ? 0 : SESAME_ENOMEM;
	}
	if (r < 0) {
		free_opening(o);
		return r;
	}
	ses_complain(&to, 0, "%s", "");
	*ret_conn = o->conn;
	return 0;
}
