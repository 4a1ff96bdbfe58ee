/* SPDX-License-Identifier: MIT */
/*
 * From a case and a trial to bytes. The handshake is written by wire/upgrade.c
 * and then edited line by line, so that a user's own Sec-WebSocket-Version or
 * the absence of every Upgrade field goes out as it was meant.
 */
#include "doctor/request.h"

#include <stdio.h>

#include "doctor/harvest.h"
#include "doctor/redact.h"
#include "doctor/secrets.h"
#include "doctor/withhold.h"

/* ---- the parts of the request ---- */

/* Fields that the handshake writes itself: replaced, not added. */
static bool is_own_field(struct bytes name)
{
	static const char *const own[] = {
		"Upgrade", "Connection", "Sec-WebSocket-Key",
		"Sec-WebSocket-Version", "Sec-WebSocket-Extensions"};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(own[i])))
			return true;
	return false;
}

static bool drops(const struct doctor_trial *trial, const char *name)
{
	return trial->change == DOCTOR_NO_HEADER &&
	       bytes_equal_nocase(bytes_of_str(trial->value),
				  bytes_of_str(name));
}

/* The page's scheme, and the name that Host is given, without a port. */
static struct bytes origin_named_so(const struct doctor_case *c,
				    const struct doctor_trial *trial,
				    struct doctor_request *r)
{
	snprintf(r->origin, sizeof(r->origin), "%.*s%.*s",
		 (int)strcspn(c->origin, "/") + 2, c->origin,
		 (int)strcspn(trial->value, ":"), trial->value);
	return bytes_of_str(r->origin);
}

static struct bytes pick_origin(const struct doctor_case *c,
				const struct doctor_trial *trial,
				struct doctor_request *r)
{
	const char *origin = c->origin;

	if (trial->change == DOCTOR_NAMED_SO)
		return origin_named_so(c, trial, r);
	if (trial->change == DOCTOR_ORIGIN || trial->change == DOCTOR_PREFLIGHT)
		origin = trial->value;
	if (trial->change == DOCTOR_NO_ORIGIN ||
	    trial->change == DOCTOR_PAGE || /* typed in, or followed */
	    trial->change == DOCTOR_MINIMAL || drops(trial, "Origin"))
		origin = NULL;
	return bytes_of_str(origin);
}

static struct bytes pick_user_agent(const struct doctor_case *c,
				    const struct doctor_trial *trial)
{
	const char *agent = trial->change == DOCTOR_USER_AGENT ? trial->value
							       : c->user_agent;

	if (!*agent || drops(trial, "User-Agent"))
		agent = NULL;
	return bytes_of_str(agent);
}

/* The offered subprotocols, without bearers where those are withheld. */
static struct bytes pick_protocols(const struct doctor_case *c,
				   const struct doctor_trial *trial,
				   struct doctor_request *r)
{
	struct doctor_offers offers = {.rest = bytes_of_str(c->subprotocols)};
	size_t n = 0;

	if (trial->change == DOCTOR_SUBPROTOCOL)
		return bytes_of_str(trial->value);
	if (trial->change == DOCTOR_NO_SUBPROTOCOL ||
	    trial->change == DOCTOR_MINIMAL ||
	    drops(trial, "Sec-WebSocket-Protocol"))
		return bytes_of(NULL, 0);
	if (!r->bare)
		return offers.rest;
	while (doctor_next_offer(&offers)) {
		if (offers.secret ||
		    sizeof(r->protocols) - n < offers.one.len + 3)
			continue;
		n += (size_t)sprintf(r->protocols + n, "%s%.*s", n ? ", " : "",
				     BYTES_ARG(offers.one));
	}
	return bytes_of(n ? r->protocols : NULL, n);
}

static int pick_host(const struct doctor_case *c,
		     const struct doctor_trial *trial, struct doctor_request *r)
{
	const char *given = trial->change == DOCTOR_HOST ||
					    trial->change == DOCTOR_NAMED_SO ||
					    trial->change == DOCTOR_BACKEND
				    ? trial->value
			    : trial->change == DOCTOR_PAGE ? NULL
							   : c->host;

	if (!given || !*given)
		return ses_url_host_field(&r->url, r->host, sizeof(r->host));
	if (strlen(given) >= sizeof(r->host))
		return SESAME_ELIMIT;
	strcpy(r->host, given);
	return 0;
}

/* Without credentials the session goes on: who has none to show may have one. */
static void append_query(const struct doctor_case *c,
			 const struct doctor_trial *trial,
			 struct doctor_request *r, struct bytes query)
{
	bool continues =
		trial->change == DOCTOR_NO_CREDENTIALS && doctor_is_engine(c);
	size_t n = strlen(r->target);
	char mark = '&';
	bool any = false;

	while (query.len > 0) {
		size_t len = 0;
		struct bytes pair;
		char before = any ? mark : '?';

		while (len < query.len && query.data[len] != '&' &&
		       query.data[len] != ';')
			len++;
		pair = bytes_first(query, len);
		mark = len < query.len ? (char)query.data[len] : '&';
		query = bytes_from(query, len + 1);
		if ((doctor_is_secret_part(pair) &&
		     !(continues && doctor_is_session_pair(pair))) ||
		    sizeof(r->target) - n < pair.len + 2)
			continue;
		n += (size_t)sprintf(r->target + n, "%c%.*s", before,
				     BYTES_ARG(pair));
		any = true;
	}
}

/*
 * The query of engine.io's other transport, or with the session that it opened:
 * the user's own parameters, but for those two.
 */
static void session_query(const struct doctor_case *c,
			  const struct doctor_trial *trial,
			  struct doctor_request *r, struct bytes *ret_query)
{
	bool polls = trial->change == DOCTOR_POLLING, eio = false;
	struct bytes query = c->url.query;
	size_t n = 0, size = sizeof(r->query);

	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		size_t len = end < 0 ? query.len : (size_t)end;
		struct bytes pair = bytes_first(query, len);

		query = bytes_from(query, len + 1);
		eio |= bytes_starts(pair, BYTES("EIO="));
		if (pair.len == 0 || bytes_starts(pair, BYTES("sid=")) ||
		    bytes_starts(pair, BYTES("transport=")) ||
		    size - n < pair.len + 256)
			continue;
		n += (size_t)sprintf(r->query + n, "%.*s&", BYTES_ARG(pair));
	}
	if (!eio)
		n += (size_t)sprintf(r->query + n, "EIO=4&");
	n += (size_t)snprintf(
		r->query + n, size - n, "transport=%s%s%.*s",
		polls ? "polling" : "websocket", polls ? "" : "&sid=",
		polls ? 0 : (int)strcspn(trial->value, " "), trial->value);
	*ret_query = bytes_of(r->query, strlen(r->query));
}

/* Whether a trial leads the user's own path to somebody else, or in clear. */
static bool leads_away(const struct doctor_trial *trial)
{
	return trial->change == DOCTOR_SCHEME || trial->change == DOCTOR_PORT ||
	       trial->change == DOCTOR_FAMILY ||
	       trial->change == DOCTOR_INSECURE ||
	       trial->change == DOCTOR_TLS_VERSION;
}

/* The user's own query with a "&" wherever one got lost in copying. */
static struct bytes mend_query(struct bytes query, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < query.len && n < size;) {
		size_t lost = doctor_lost_separator(query, i);

		out[n++] = lost ? '&' : (char)query.data[i];
		i += lost ? lost : 1;
	}
	return bytes_of(out, n);
}

/* The user's own query with one parameter replaced, added or left out. */
static struct bytes change_parameter(struct bytes query,
				     const struct doctor_trial *trial,
				     char *out, size_t size)
{
	bool left_out = trial->change == DOCTOR_NO_PARAMETER;
	struct bytes text = bytes_of_str(trial->value);
	size_t n = 0, name = strcspn(trial->value, "=");
	bool there = left_out;

	while (query.len > 0) {
		ptrdiff_t end = bytes_find_byte(query, '&');
		size_t len = end < 0 ? query.len : (size_t)end;
		struct bytes pair = bytes_first(query, len);
		bool it = bytes_starts(pair, bytes_first(text, name)) &&
			  (pair.len == name || pair.data[name] == '=');

		query = bytes_from(query, len + 1);
		there |= it;
		if (it)
			pair = text;
		if ((it && left_out) || size - n < pair.len + 2)
			continue;
		n += (size_t)sprintf(out + n, "%s%.*s", n ? "&" : "",
				     BYTES_ARG(pair));
	}
	if (!there && size - n >= text.len + 2)
		n += (size_t)sprintf(out + n, "%s%.*s", n ? "&" : "",
				     BYTES_ARG(text));
	return bytes_of(n ? out : NULL, n);
}

struct bytes doctor_changed_query(const struct doctor_case *c,
				  const struct doctor_trial *trial, char *out,
				  size_t size)
{
	if (trial->change == DOCTOR_PARAMETER && trial->value[0] == '&')
		return mend_query(c->url.query, out, size);
	if (trial->change == DOCTOR_PARAMETER ||
	    trial->change == DOCTOR_NO_PARAMETER)
		return change_parameter(c->url.query, trial, out, size);
	return trial->change == DOCTOR_NO_QUERY ? bytes_of(NULL, 0)
						: c->url.query;
}

/* The path, with a word in the place of each part that may be a token. */
static int withhold_steps(struct doctor_request *r, struct bytes *path)
{
	struct bytes rest = *path;
	struct ses_buf out;
	int error = 0;

	ses_buf_init(&out, sizeof(r->path) - 1);
	while (rest.len > 0 && error == 0) {
		size_t n = 0, name = 0;
		struct bytes step;

		while (n < rest.len && rest.data[n] != '/')
			n++;
		step = bytes_first(rest, n);
		while (name < n && rest.data[name] != ';')
			name++;
		if (name < n || doctor_is_secret_step(step))
			step = BYTES("withheld");
		error = ses_buf_append(&out, step);
		if (error == 0 && n < rest.len)
			error = ses_buf_append(&out, BYTES("/"));
		rest = bytes_from(rest, n + 1);
	}
	if (error == 0) {
		size_t len = ses_buf_len(&out);

		if (len > 0)
			memcpy(r->path, ses_buf_bytes(&out).data, len);
		*path = bytes_of(r->path, len);
	}
	ses_buf_fini(&out);
	return error;
}

static int pick_target(const struct doctor_case *c,
		       const struct doctor_trial *trial,
		       struct doctor_request *r)
{
	struct ses_url url = r->url;
	bool other = trial->change == DOCTOR_PATH ||
		     trial->change == DOCTOR_PLAIN_GET_PATH;

	if (other) {
		url.path = bytes_of_str(trial->value);
		/* a query may be what is refused, wherever it is sent */
		if (trial->change == DOCTOR_PLAIN_GET_PATH ||
		    bytes_equal_str(url.path, DOCTOR_NONSENSE_PATH) ||
		    bytes_find_byte(url.path, '?') >= 0)
			url.query = bytes_of(NULL, 0);
	}
	if (r->bare && leads_away(trial) && withhold_steps(r, &url.path) < 0)
		return SESAME_ELIMIT;
	if (trial->change == DOCTOR_PARAMETER ||
	    trial->change == DOCTOR_NO_PARAMETER ||
	    trial->change == DOCTOR_NO_QUERY)
		url.query = doctor_changed_query(c, trial, r->query,
						 sizeof(r->query));
	if (trial->change == DOCTOR_POLLING || trial->change == DOCTOR_SESSION)
		session_query(c, trial, r, &url.query);
	if (trial->change == DOCTOR_PAGE) /* it has a query of its own */
		return ses_url_target(&url, r->target, sizeof(r->target));
	if (!r->bare || !url.query.data || trial->change == DOCTOR_MINIMAL)
		return ses_url_target(&url, r->target, sizeof(r->target));
	struct bytes query = url.query;

	url.query = bytes_of(NULL, 0);
	if (ses_url_target(&url, r->target, sizeof(r->target)) < 0)
		return SESAME_ELIMIT;
	append_query(c, trial, r, query);
	return 0;
}

/*
 * The cookie that came with the session goes back, as browsers do it: it was
 * set by this very server for this very request. One of the user's is kept.
 */
static bool joins_cookie(const struct doctor_trial *trial,
			 const struct doctor_header *h, struct doctor_request *r)
{
	const char *more = strchr(trial->value, ' ');
	int n;

	if (trial->change != DOCTOR_SESSION || !more ||
	    (h && strcasecmp(h->name, "Cookie") != 0))
		return false;
	n = snprintf(r->cookie, sizeof(r->cookie), "%s%s%s", h ? h->value : "",
		     h ? "; " : "", more + 1);
	return n > 0 && (size_t)n < sizeof(r->cookie);
}

/*
 * The same field with next to nothing in it: "name=x" of a cookie, the scheme
 * of an Authorization. It tells what is too long from what is wrong.
 */
static struct bytes shorten(const struct doctor_header *h,
			    struct doctor_request *r)
{
	bool cookie = strcasecmp(h->name, "Cookie") == 0;
	size_t word = strcspn(h->value, cookie ? "=; " : " ");

	if (word > 60 || !h->value[word])
		word = 0;
	snprintf(r->cookie, sizeof(r->cookie), "%.*s%sx", (int)word, h->value,
		 word == 0 ? ""
		 : cookie  ? "="
			   : " ");
	return bytes_of_str(r->cookie);
}

/* Some servers write into pages, or have any, for those alone who ask for them. */
static bool is_for_page(const struct doctor_trial *trial)
{
	return trial->change == DOCTOR_PAGE ||
	       (trial->change == DOCTOR_PLAIN_GET_PATH &&
		strcmp(trial->value, "/") == 0);
}

static void pick_extra(const struct doctor_case *c,
		       const struct doctor_trial *trial,
		       struct doctor_request *r)
{
	size_t n = 0;
	bool joined = false;

	for (size_t i = 0; i < c->n_headers; i++) {
		const struct doctor_header *h = &c->header[i];

		if (trial->change == DOCTOR_MINIMAL || !*h->value ||
		    is_own_field(bytes_of_str(h->name)) ||
		    drops(trial, h->name) ||
		    (r->bare && doctor_withholds_field(trial, h)))
			continue;
		r->extra[n].name = bytes_of_str(h->name);
		r->extra[n].value = bytes_of_str(h->value);
		if (trial->change == DOCTOR_SHORT_HEADER &&
		    strcasecmp(trial->value, h->name) == 0)
			r->extra[n].value = shorten(h, r);
		if (!joined && joins_cookie(trial, h, r)) {
			r->extra[n].value = bytes_of_str(r->cookie);
			joined = true;
		}
		n++;
	}
	if (!joined && joins_cookie(trial, NULL, r))
		r->extra[n++] = (struct ses_field){BYTES("Cookie"),
						   bytes_of_str(r->cookie)};
	if (is_for_page(trial) && !doctor_case_header(c, "Accept"))
		r->extra[n++] = (struct ses_field){
			BYTES("Accept"), BYTES("text/html,*/*;q=0.8")};
	if (r->preflight)
		r->extra[n++] = (struct ses_field){
			BYTES("Access-Control-Request-Method"), BYTES("GET")};
	r->upgrade.extra = r->extra;
	r->upgrade.n_extra = n;
}

/*
 * What the user (or the trial) says in the place of the handshake's field. A
 * key that is one is for a single handshake, whoever gave it; one that is none
 * may be the very fault, and is sent as it was given.
 */
static const char *own_value(const struct doctor_case *c,
			     const struct doctor_trial *trial, const char *name)
{
	const struct doctor_header *h;

	if ((trial->change == DOCTOR_VERSION || trial->change == DOCTOR_UNFIT) &&
	    strcasecmp(name, "Sec-WebSocket-Version") == 0)
		return trial->value;
	if (trial->change == DOCTOR_KEY &&
	    strcasecmp(name, "Sec-WebSocket-Key") == 0)
		return trial->value;
	if (trial->change == DOCTOR_MINIMAL || trial->change == DOCTOR_STANDARD)
		return NULL;
	if (drops(trial, name))
		return "";
	h = doctor_case_header(c, name);
	if (!h || (strcasecmp(name, "Sec-WebSocket-Key") == 0 &&
		   ses_key_valid(bytes_trim(bytes_of_str(h->value)))))
		return NULL;
	return h->value;
}

static void pick_extensions(const struct doctor_case *c,
			    const struct doctor_trial *trial,
			    struct doctor_request *r)
{
	const char *own = own_value(c, trial, "Sec-WebSocket-Extensions");

	r->upgrade.deflate.enabled =
		trial->change != DOCTOR_NO_EXTENSIONS &&
		(!own || strstr(own, "permessage-deflate"));
}

static void pick_key(const struct doctor_case *c,
		     const struct doctor_trial *trial, struct doctor_request *r)
{
	const char *own = own_value(c, trial, "Sec-WebSocket-Key");
	uint8_t random[16];

	ses_random(random, sizeof(random));
	ses_key_encode(random, r->upgrade.key);
	if (own && strlen(own) == SES_KEY_LEN)
		memcpy(r->upgrade.key, own, SES_KEY_LEN);
}

/* ---- editing the written request ---- */

bool doctor_is_handshake_field(struct bytes name)
{
	return bytes_equal_nocase(name, BYTES("Upgrade")) ||
	       bytes_equal_nocase(name, BYTES("Connection")) ||
	       bytes_equal_nocase(bytes_first(name, 14),
				  BYTES("Sec-WebSocket-"));
}

/* Append @line (with its end) to @out, or what is to stand in its place. */
static int edit_line(const struct doctor_case *c,
		     const struct doctor_trial *trial, bool plain,
		     struct bytes line, struct ses_buf *out)
{
	ptrdiff_t colon = bytes_find_byte(line, ':');
	struct bytes name = bytes_first(line, colon < 0 ? 0 : (size_t)colon);
	const char *own = NULL;
	char text[64];

	if (plain && doctor_is_handshake_field(name))
		return 0;
	if (name.len > 0 && is_own_field(name) &&
	    !(trial->change == DOCTOR_NO_EXTENSIONS &&
	      bytes_equal_nocase(name, BYTES("Sec-WebSocket-Extensions"))))
		own = own_value(c, trial,
				bytes_printable(name, text, sizeof(text)));
	if (!own)
		return ses_buf_append(out, line);
	return *own ? ses_buf_printf(out, "%s: %s\r\n", text, own) : 0;
}

static size_t line_len(struct bytes in)
{
	ptrdiff_t end = bytes_find_byte(in, '\n');

	return end < 0 ? in.len : (size_t)end + 1;
}

static int edit(const struct doctor_case *c, const struct doctor_trial *trial,
		bool plain, struct bytes written, struct ses_buf *out)
{
	bool first = true;
	int r = 0;

	while (written.len > 0 && r == 0) {
		struct bytes line = bytes_first(written, line_len(written));

		written = bytes_from(written, line.len);
		if (written.len == 0 && plain)
			r = ses_buf_append_str(out, "Connection: close\r\n");
		if (r == 0)
			r = first || line.len <= 2
				    ? ses_buf_append(out, line)
				    : edit_line(c, trial, plain, line, out);
		first = false;
	}
	return r;
}

static int edit_request(const struct doctor_case *c,
			const struct doctor_trial *trial,
			struct doctor_request *r, struct bytes written)
{
	int error = 0;

	if (r->preflight && bytes_starts(written, BYTES("GET "))) {
		written = bytes_from(written, 3);
		error = ses_buf_append_str(&r->bytes, "OPTIONS");
	}
	return error ? error : edit(c, trial, r->plain, written, &r->bytes);
}

static int write_request(const struct doctor_case *c,
			 const struct doctor_trial *trial,
			 struct doctor_request *r)
{
	struct ses_buf written;
	int error;

	ses_buf_init(&written, 256 * 1024);
	error = ses_upgrade_write_request(&r->upgrade, &written);
	if (error == 0)
		error = edit_request(c, trial, r, ses_buf_bytes(&written));
	ses_buf_fini(&written);
	return error;
}

/* ---- where to ---- */

/* Another URL altogether; without a path of its own it keeps the user's. */
static int take_url(const char *text, bool keeps_path, struct doctor_request *r)
{
	struct ses_url own = r->url;
	enum ses_url_fault fault = SES_URL_OK;
	size_t at;

	if (ses_url_parse(bytes_of_str(text), &r->url, &fault, &at) < 0 &&
	    fault != SES_URL_HTTP)
		return SESAME_EINVAL;
	if (keeps_path && r->url.path.len <= 1 && !r->url.query.data) {
		r->url.path = own.path;
		r->url.query = own.query;
	}
	return 0;
}

static int pick_url(const struct doctor_case *c,
		    const struct doctor_trial *trial, struct doctor_request *r)
{
	uint64_t port;

	if (trial->change == DOCTOR_PAGE)
		return take_url(trial->value, false, r);
	if (trial->change == DOCTOR_BACKEND)
		return take_url(c->backend, true, r);

	if (trial->change == DOCTOR_SCHEME) {
		r->url.tls = strncmp(trial->value, "wss", 3) == 0;
		if (!r->url.port_given)
			r->url.port = r->url.tls ? 443 : 80;
	}
	if (trial->change == DOCTOR_SILENCE)
		r->url.tls = false;
	if (trial->change == DOCTOR_NAME) {
		r->url.host = bytes_of_str(trial->value);
		r->url.host_kind = SES_HOST_NAME;
	}
	if (trial->change == DOCTOR_PORT &&
	    bytes_to_u64(bytes_of_str(trial->value), 65535, &port))
		r->url.port = (uint16_t)port;
	return 0;
}

static void pick_tls(const struct doctor_case *c,
		     const struct doctor_trial *trial, struct doctor_request *r)
{
	/* on another path or without a token it is still the server meant */
	bool elsewhere = trial->change == DOCTOR_PORT ||
			 trial->change == DOCTOR_SCHEME ||
			 (trial->change == DOCTOR_PAGE && r->bare) ||
			 (trial->change == DOCTOR_FAMILY && r->bare) ||
			 (trial->change == DOCTOR_INSECURE && r->bare);

	r->tls = (struct ses_tls_client_options){
		.ca_file = c->ca_file,
		.cert_file = elsewhere ? NULL : c->cert_file,
		.key_file = elsewhere ? NULL : c->key_file,
		.insecure = c->insecure || trial->change == DOCTOR_INSECURE,
	};
	if (r->h2)
		r->tls.alpn = "h2";
	if (trial->change == DOCTOR_TLS_VERSION) {
		r->tls.min_version = 10;
		r->tls.max_version = doctor_tls_version(trial->value);
	}
}

static void pick_dial(const struct doctor_case *c,
		      const struct doctor_trial *trial, struct doctor_request *r)
{
	/* another address was given for the URL's own host alone */
	bool other = (trial->change == DOCTOR_PAGE ||
		      trial->change == DOCTOR_BACKEND) &&
		     (r->url.port != c->url.port ||
		      !bytes_equal_nocase(r->url.host, c->url.host));

	/* --page, and not another that is looked at */
	bool page = other && trial->change == DOCTOR_PAGE && c->page &&
		    strcmp(trial->value, c->page) == 0;

	r->dial = (struct ses_dial_options){
		.host = r->url.host,
		.port = r->url.port,
		.family = trial->change == DOCTOR_FAMILY ? trial->value[0] - '0'
							 : c->family,
		.source = trial->change == DOCTOR_SOURCE      ? trial->value
			  : trial->change == DOCTOR_NO_SOURCE ? NULL
							      : c->source,
		.proxy = trial->change == DOCTOR_DIRECT ||
					 trial->change == DOCTOR_BACKEND
				 ? NULL
				 : c->proxy,
		.proxy_ca_file = c->proxy_ca_file,
		.proxy_insecure = c->proxy_insecure,
		.connect_host = page	? c->page_host
				: other ? NULL
					: doctor_connect_host(c, trial),
		.connect_port = page ? c->page_port
				: other || trial->change == DOCTOR_PORT
					? 0
					: c->connect_port,
		.timeout_ms = c->timeout_ms,
		.user_agent = *c->user_agent ? c->user_agent : NULL,
	};
}

/* What a load balancer says before all else: the PROXY protocol, version 1. */
static void pick_preface(const struct doctor_trial *trial,
			 struct doctor_request *r)
{
	if (trial->change != DOCTOR_PROXY_LINE)
		return;
	snprintf(r->preface, sizeof(r->preface), "PROXY %.100s\r\n",
		 trial->value);
	r->dial.preface = bytes_of_str(r->preface);
}

int doctor_request_make(const struct doctor_case *c,
			const struct doctor_trial *trial,
			struct doctor_request *ret)
{
	struct doctor_request *r = ret;

	*r = (struct doctor_request){.url = c->url};
	ses_buf_init(&r->bytes, 256 * 1024);
	r->h2 = trial->change == DOCTOR_H2;
	r->preflight = trial->change == DOCTOR_PREFLIGHT;
	r->plain = trial->change == DOCTOR_PLAIN_GET ||
		   trial->change == DOCTOR_PLAIN_GET_PATH ||
		   trial->change == DOCTOR_POLLING ||
		   trial->change == DOCTOR_PAGE || r->preflight;
	r->bare = doctor_withholds(c, trial);
	if (pick_url(c, trial, r) < 0)
		return SESAME_EINVAL;
	pick_tls(c, trial, r);
	pick_dial(c, trial, r);
	pick_preface(trial, r);
	if (pick_host(c, trial, r) < 0 || pick_target(c, trial, r) < 0)
		return SESAME_EINVAL;
	r->upgrade.host = bytes_of_str(r->host);
	r->upgrade.target = bytes_of_str(r->target);
	r->upgrade.origin = pick_origin(c, trial, r);
	r->upgrade.user_agent = pick_user_agent(c, trial);
	r->upgrade.protocols = pick_protocols(c, trial, r);
	pick_extra(c, trial, r);
	pick_extensions(c, trial, r);
	pick_key(c, trial, r);
	return write_request(c, trial, r);
}

void doctor_request_fini(struct doctor_request *r)
{
	ses_buf_fini(&r->bytes);
}
