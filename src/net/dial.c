/* SPDX-License-Identifier: MIT */
/*
 * Dialling, told as it happens: begin, names, connect, (ask the proxy), (TLS),
 * and finish. Whatever is tried becomes a step of the report, also what
 * failed, because that is what a diagnosis is made from.
 */
#include "net/clock.h"
#include "net/dial_inner.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/bridge.h"
#include "net/spare.h"
#include "net/tls_cache.h"

#define TIMEOUT_MS  10000
#define CONNECT_MS  3000
#define QUEUE_LIMIT (16 << 20)
#define QUEUE_HIGH  (1 << 20)

/* ---- the report ---- */

/* The step at work. When there are too many, the last one is written over. */
static struct ses_dial_step *last_step(struct ses_dial *d)
{
	return &d->report.step[d->report.n_steps - 1];
}

void ses_dial_begin_step(struct ses_dial *d, enum ses_dial_kind kind,
			 const char *what)
{
	struct ses_dial_step *step;

	if (d->report.n_steps < SES_DIAL_MAX_STEPS)
		d->report.n_steps++;
	step = last_step(d);
	*step = (struct ses_dial_step){.kind = kind};
	step->start_us = ses_clock_steady_us() - d->start_us;
	bytes_printable(bytes_of_str(what), step->what, sizeof(step->what));
}

void ses_dial_end_step(struct ses_dial *d, int error, int sys_errno,
		       const char *format, ...)
{
	struct ses_dial_step *step = last_step(d);
	va_list args;

	step->took_us = ses_clock_steady_us() - d->start_us - step->start_us;
	step->error = error;
	step->sys_errno = sys_errno;
	va_start(args, format);
	vsnprintf(step->text, sizeof(step->text), format, args);
	va_end(args);
}

/* ---- the end ---- */

static void free_dial(struct ses_dial *d)
{
	ses_timers_stop(&d->loop->timers, &d->deadline);
	ses_timers_stop(&d->loop->timers, &d->step);
	if (d->names)
		ses_call_cancel(d->names);
	if (d->ticket)
		ses_call_cancel(d->ticket);
	if (d->socket.io.fd >= 0) {
		ses_io_forget(d->loop, &d->socket.io);
		close(d->socket.io.fd);
	}
	ses_stream_close(d->stream);
	ses_buf_fini(&d->in);
	ses_tls_context_unref(d->tls);
	ses_tls_context_unref(d->proxy_tls);
	free(d->authorization);
	free(d);
}

void ses_dial_cancel(struct ses_dial *d)
{
	if (d && !d->finishing)
		free_dial(d);
}

static void note_tls(struct ses_dial *d)
{
	const struct ses_tls_info *info =
		d->stream ? ses_stream_tls_info(d->stream) : NULL;

	if (info && d->within_tls)
		d->report.tls = *info;
}

void ses_dial_fail(struct ses_dial *d, int error)
{
	note_tls(d);
	ses_stream_close(d->stream);
	d->stream = NULL;
	d->finishing = true;
	d->done(d->user, NULL, &d->report, error);
	free_dial(d);
}

static const struct ses_stream_events tls_events;

static void succeed(struct ses_dial *d)
{
	struct ses_stream *stream = d->stream;

	note_tls(d);
	d->stream = NULL;
	d->finishing = true;
	/* until it is taken over, nobody is there to be told anything */
	ses_stream_take(stream, &tls_events, NULL);
	d->done(d->user, stream, &d->report, 0);
	if (!stream->closed && stream->events == &tls_events)
		ses_stream_close(stream);
	free_dial(d);
}

static void too_late(struct ses_timer *timer)
{
	struct ses_dial *d = ses_container_of(timer, struct ses_dial, deadline);
	uint64_t waited;

	if (d->report.n_steps == 0)
		ses_dial_begin_step(d, SES_DIAL_NAMES, d->host);
	if (last_step(d)->error) { /* a proxy's refusal, without its body */
		ses_dial_fail(d, last_step(d)->error);
		return;
	}
	waited = ses_clock_steady_us() - d->start_us - last_step(d)->start_us;
	ses_dial_end_step(d, SESAME_ETIMEOUT, ETIMEDOUT,
			  "no answer within %.1f s", (double)waited / 1e6);
	ses_dial_fail(d, SESAME_ETIMEOUT);
}

/* ---- TLS ---- */

static void on_tls(struct ses_stream *s)
{
	struct ses_dial *d = s->owner;
	const struct ses_tls_info *info = ses_stream_tls_info(s);

	ses_dial_end_step(d, 0, 0, "%s, %s", info->version, info->cipher);
	succeed(d);
}

static void on_tls_end(struct ses_stream *s, int error)
{
	struct ses_dial *d = s->owner;
	const struct ses_tls_info *info = ses_stream_tls_info(s);

	if (!d)
		return;
	ses_dial_end_step(d, SESAME_ETLS, 0, "%s",
			  info->text[0] ? info->text : "TLS failed");
	ses_dial_fail(d, SESAME_ETLS);
}

static const struct ses_stream_events tls_events = {
	.on_tls = on_tls,
	.on_end = on_tls_end,
};

/* What comes through a proxy's TLS, as a stream of its own for the target. */
static bool leave_proxy_tls(struct ses_dial *d, struct bytes early)
{
	int fd = ses_bridge_open(d->stream, early);

	if (fd < 0)
		return false;
	d->stream = ses_stream_new(d->loop, fd, &tls_events, NULL, d->limits);
	return d->stream != NULL;
}

void ses_dial_go_on(struct ses_dial *d, struct bytes early)
{
	if (d->has_proxy && d->proxy.tls) {
		if (!leave_proxy_tls(d, early)) {
			ses_dial_fail(d, SESAME_ENOMEM);
			return;
		}
		early = bytes_of(NULL, 0);
	}
	if (!d->tls) {
		if (ses_stream_unread(d->stream, early) < 0)
			ses_dial_fail(d, SESAME_ENOMEM);
		else
			succeed(d);
		return;
	}
	ses_dial_begin_step(d, SES_DIAL_TLS, d->tls_name);
	d->within_tls = true;
	ses_stream_take(d->stream, &tls_events, d);
	if (ses_stream_start_tls(d->stream, d->tls, d->tls_name, early) == 0)
		return;
	ses_dial_end_step(d, SESAME_ENOMEM, 0, "out of memory");
	ses_dial_fail(d, SESAME_ENOMEM);
}

/* ---- TLS with the proxy ---- */

static void on_proxy_tls(struct ses_stream *s)
{
	struct ses_dial *d = s->owner;

	d->report.proxy_spoke = true;
	ses_dial_end_step(d, 0, 0, "TLS with the proxy");
	ses_dial_ask_proxy(d);
}

static void on_proxy_tls_end(struct ses_stream *s, int error)
{
	struct ses_dial *d = s->owner;
	const struct ses_tls_info *info = ses_stream_tls_info(s);

	d->report.tls = *info;
	ses_dial_end_step(d, SESAME_EPROXY, 0, "no TLS with the proxy: %s",
			  info->text[0] ? info->text : "it failed");
	ses_dial_fail(d, SESAME_EPROXY);
}

static const struct ses_stream_events proxy_tls_events = {
	.on_tls = on_proxy_tls,
	.on_end = on_proxy_tls_end,
};

static void greet_proxy(struct ses_dial *d)
{
	if (!d->proxy.tls) {
		ses_dial_ask_proxy(d);
		return;
	}
	ses_dial_begin_step(d, SES_DIAL_PROXY, d->proxy.name);
	ses_stream_take(d->stream, &proxy_tls_events, d);
	if (ses_stream_start_tls(d->stream, d->proxy_tls, d->proxy.host,
				 bytes_of(NULL, 0)) < 0) {
		ses_dial_end_step(d, SESAME_ENOMEM, 0, "out of memory");
		ses_dial_fail(d, SESAME_ENOMEM);
	}
}

/* ---- connecting ---- */

static void connect_next(struct ses_dial *d);

static const char *phrase(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ENETUNREACH:
		return "network unreachable";
	case EHOSTUNREACH:
		return "host unreachable";
	case ECONNRESET:
		return "connection reset";
	case ETIMEDOUT:
		return "no answer";
	case EACCES:
	case EPERM:
		return "not permitted by this system";
	case EADDRNOTAVAIL:
		return "no local address to connect from";
	case EAFNOSUPPORT:
		return "this system does not have this address family";
	case EMFILE:
	case ENFILE:
		return "out of file descriptors; raise the limit "
		       "(ulimit -n 1024)";
	default:
		return strerror(error);
	}
}

static bool fits_source(const struct ses_dial *d, const struct ses_addr *a)
{
	return !d->has_source ||
	       ses_addr_family(a) == ses_addr_family(&d->source);
}

/* The next address worth trying at or after @at, or n_addresses. */
static size_t find_address(const struct ses_dial *d, size_t at)
{
	while (at < d->report.n_addresses &&
	       !fits_source(d, &d->report.address[at]))
		at++;
	return at;
}

/* A port of our own range that nobody listens at may answer to itself. */
static bool is_self(int fd, const struct ses_addr *peer)
{
	struct ses_addr self;

	if (ses_addr_of_socket(fd, false, &self) < 0 || self.len != peer->len)
		return false;
	if (ses_addr_port(&self) != ses_addr_port(peer))
		return false;
	if (ses_addr_family(peer) == 4)
		return self.v4.sin_addr.s_addr == peer->v4.sin_addr.s_addr;
	return memcmp(&self.v6.sin6_addr, &peer->v6.sin6_addr, 16) == 0;
}

static void drop_socket(struct ses_dial *d)
{
	ses_timers_stop(&d->loop->timers, &d->step);
	ses_io_forget(d->loop, &d->socket.io);
	close(d->socket.io.fd);
	d->socket.io.fd = -1;
}

static void connected(struct ses_dial *d, const struct ses_addr *peer)
{
	int fd = d->socket.io.fd;

	ses_timers_stop(&d->loop->timers, &d->step);
	ses_io_forget(d->loop, &d->socket.io);
	d->socket.io.fd = -1;
	d->report.peer = *peer;
	ses_dial_end_step(d, 0, 0, "connected");
	d->stream = ses_stream_new(d->loop, fd, &tls_events, NULL, d->limits);
	if (!d->stream ||
	    ses_stream_send(d->stream, bytes_of(d->preface, d->preface_len)) < 0)
		ses_dial_fail(d, SESAME_ENOMEM);
	else if (d->has_proxy)
		greet_proxy(d);
	else
		ses_dial_go_on(d, bytes_of(NULL, 0));
}

static void on_connect(struct ses_polled *polled, unsigned ready)
{
	struct ses_dial *d = ses_container_of(polled, struct ses_dial, socket);
	const struct ses_addr *peer = &d->report.address[d->next_address - 1];
	socklen_t len = sizeof(int);
	int fd = polled->io.fd, error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0 && is_self(fd, peer))
		error = ECONNREFUSED;
	if (error == 0) {
		connected(d, peer);
		return;
	}
	drop_socket(d);
	ses_dial_end_step(d,
			  error == ETIMEDOUT ? SESAME_ETIMEOUT : SESAME_ECONNECT,
			  error, "%s", phrase(error));
	connect_next(d);
}

void ses_dial_after(struct ses_dial *d, uint64_t delay_ms,
		    void (*fire)(struct ses_timer *timer))
{
	d->step.fire = fire;
	/* without it the deadline of the whole still holds */
	ses_timers_start(&d->loop->timers, &d->step, d->loop->now_ms + delay_ms);
}

static void address_too_late(struct ses_timer *timer)
{
	struct ses_dial *d = ses_container_of(timer, struct ses_dial, step);

	drop_socket(d);
	ses_dial_end_step(d, SESAME_ETIMEOUT, ETIMEDOUT,
			  "no answer within %.1f s",
			  (double)d->connect_ms / 1000);
	connect_next(d);
}

/* A socket on its way to @to, or -1 with errno. */
static int open_socket(const struct ses_dial *d, const struct ses_addr *to)
{
	int fd = ses_socket_sparing(to->any.sa_family, d->spared);
	int one = 1, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (d->has_source) {
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			   sizeof(one));
		if (bind(fd, &d->source.any, d->source.len) < 0)
			goto fail;
	}
	if (connect(fd, &to->any, to->len) == 0 || errno == EINPROGRESS)
		return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Begin with one address. False, with the step ended, if that is no use. */
static bool try_address(struct ses_dial *d, const struct ses_addr *to,
			bool others_remain)
{
	char text[SES_ADDR_TEXT];

	ses_dial_begin_step(d, SES_DIAL_CONNECT, ses_addr_format(to, text));
	d->socket.io.fd = open_socket(d, to);
	if (d->socket.io.fd < 0) {
		ses_dial_end_step(d, SESAME_ECONNECT, errno, "%s",
				  phrase(errno));
		return false;
	}
	if (ses_io_watch(d->loop, &d->socket.io, SES_WRITABLE) < 0) {
		drop_socket(d);
		ses_dial_end_step(d, SESAME_ESYSTEM, errno, "%s", phrase(errno));
		return false;
	}
	if (others_remain)
		ses_dial_after(d, d->connect_ms, address_too_late);
	return true;
}

/* Refusals say more than silence: the error of the dial that has both. */
static int worst_of_connects(const struct ses_dial *d)
{
	int error = SESAME_ECONNECT;
	bool any = false;

	for (size_t i = 0; i < d->report.n_steps; i++) {
		if (d->report.step[i].kind != SES_DIAL_CONNECT)
			continue;
		if (d->report.step[i].error != SESAME_ETIMEOUT)
			return SESAME_ECONNECT;
		any = true;
	}
	return any ? SESAME_ETIMEOUT : error;
}

static void connect_next(struct ses_dial *d)
{
	size_t at, after;

	for (;;) {
		at = find_address(d, d->next_address);
		if (at == d->report.n_addresses)
			break;
		d->next_address = at + 1;
		after = find_address(d, at + 1);
		if (try_address(d, &d->report.address[at],
				after < d->report.n_addresses))
			return;
	}
	if (d->report.n_steps == 0 || last_step(d)->kind == SES_DIAL_NAMES) {
		ses_dial_begin_step(d, SES_DIAL_CONNECT, d->host);
		ses_dial_end_step(d, SESAME_ECONNECT, 0,
				  "the source address is of another family");
	}
	ses_dial_fail(d, worst_of_connects(d));
}

void ses_dial_again(struct ses_dial *d)
{
	ses_stream_close(d->stream);
	d->stream = NULL;
	ses_buf_consume(&d->in, ses_buf_len(&d->in));
	d->next_address--; /* the one that answered */
	connect_next(d);
}

/* ---- names ---- */

static void have_names(struct ses_dial *d, const struct ses_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		d->report.address[i] = names->address[i];
	d->report.n_addresses = names->n;
	connect_next(d);
}

static void on_names(const struct ses_names *names, void *user)
{
	struct ses_dial *d = user;
	char text[SES_ADDR_TEXT];

	d->names = NULL;
	if (names->gai_error == EAI_ADDRFAMILY && names->other.len) {
		ses_dial_end_step(d, SESAME_ENAME, EAI_ADDRFAMILY,
				  "no IPv%d address, but %s", d->family,
				  ses_addr_format_host(&names->other, text));
		ses_dial_fail(d, SESAME_ENAME);
		return;
	}
	if (names->gai_error || names->n == 0) {
		ses_dial_end_step(d, SESAME_ENAME, names->gai_error, "%s",
				  ses_names_error(names));
		ses_dial_fail(d, SESAME_ENAME);
		return;
	}
	ses_dial_end_step(d, 0, 0, "%zu address%s", names->n,
			  names->n == 1 ? "" : "es");
	have_names(d, names);
}

static void find_names(struct ses_dial *d, const char *host, uint16_t port)
{
	struct ses_names names;

	if (ses_names_known(bytes_of_str(host), port, d->family, &names)) {
		if (names.n > 0 && ses_names_is_address(bytes_of_str(host))) {
			have_names(d, &names);
			return;
		}
		ses_dial_begin_step(d, SES_DIAL_NAMES, host);
		on_names(&names, d);
		return;
	}
	ses_dial_begin_step(d, SES_DIAL_NAMES, host);
	d->names = ses_names_ask(d->loop, bytes_of_str(host), port, d->family,
				 on_names, d);
	if (d->names)
		return;
	ses_dial_end_step(d, SESAME_ENAME, 0, "the resolver cannot be asked");
	ses_dial_fail(d, SESAME_ENAME);
}

/* ---- the beginning ---- */

static void refuse_options(struct ses_dial *d)
{
	bool proxy = d->proxy_is_wrong;
	int error = proxy ? SESAME_EPROXY : SESAME_ECONNECT;

	ses_dial_begin_step(d, proxy ? SES_DIAL_PROXY : SES_DIAL_CONNECT,
			    d->host);
	ses_dial_end_step(d, error, EINVAL, "%s", d->wrong);
	ses_dial_fail(d, error);
}

static void begin(struct ses_timer *timer)
{
	struct ses_dial *d = ses_container_of(timer, struct ses_dial, step);

	if (d->wrong)
		refuse_options(d);
	else if (d->has_proxy)
		find_names(d, d->proxy.host, d->proxy.port);
	else
		find_names(d, d->connect_host, d->connect_port);
}

/* False, and empty, if it does not fit or is no string. */
static bool copy(char *to, size_t size, struct bytes from)
{
	to[0] = 0;
	if (from.len == 0)
		return true;
	if (from.len >= size || memchr(from.data, 0, from.len))
		return false;
	memcpy(to, from.data, from.len);
	to[from.len] = 0;
	return true;
}

static void open_proxy_tls(struct ses_dial *d, const struct ses_dial_options *o)
{
	struct ses_tls_client_options tls = {.ca_file = o->proxy_ca_file,
					     .insecure = o->proxy_insecure};

	d->proxy_tls = ses_tls_client_shared(d->loop, &tls, NULL, 0);
	if (d->proxy_tls)
		return;
	d->wrong = o->proxy_ca_file
			   ? "the certificates to trust for the proxy cannot "
			     "be read"
			   : "TLS with the proxy cannot be set up";
	d->proxy_is_wrong = true;
}

static const struct ses_stream_limits default_limits = {
	.queue = QUEUE_LIMIT, .queue_high = QUEUE_HIGH};

static void copy_options(struct ses_dial *d, const struct ses_dial_options *o)
{
	const char *connect_host = o->connect_host;

	d->port = o->port;
	d->connect_port = o->connect_port ? o->connect_port : o->port;
	d->family = o->family;
	d->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	d->spared = o->spared;
	d->connect_ms = o->connect_ms ? o->connect_ms : CONNECT_MS;
	d->limits = o->limits ? o->limits : &default_limits;
	if (!copy(d->host, sizeof(d->host), o->host) ||
	    !copy(d->connect_host, sizeof(d->connect_host),
		  connect_host ? bytes_of_str(connect_host) : o->host) ||
	    !copy(d->tls_name, sizeof(d->tls_name),
		  o->tls_name ? bytes_of_str(o->tls_name) : o->host))
		d->wrong = "the host's name is too long";
	if (o->preface.len > sizeof(d->preface)) {
		d->wrong = "the preface is too long";
	} else if (o->preface.len) {
		d->preface_len = o->preface.len;
		memcpy(d->preface, o->preface.data, o->preface.len);
	}
	d->has_user_agent =
		o->user_agent && copy(d->user_agent, sizeof(d->user_agent),
				      bytes_of_str(o->user_agent));
	if (o->tls)
		ses_tls_context_ref(o->tls);
	d->tls = o->tls;
	if (o->proxy) {
		d->has_proxy =
			ses_proxy_parse(o->proxy, &d->proxy, &d->wrong) == 0;
		d->proxy_is_wrong = !d->has_proxy;
	}
	if (d->has_proxy && d->proxy.tls)
		open_proxy_tls(d, o);
	if (o->source) {
		d->has_source =
			ses_addr_parse(bytes_of_str(o->source), 0, &d->source);
		if (!d->has_source)
			d->wrong = "the source address is no IP address";
	}
}

struct ses_dial *
ses_dial_start(struct sesame_loop *loop, const struct ses_dial_options *options,
	       void (*done)(void *user, struct ses_stream *stream,
			    const struct ses_dial_report *report, int error),
	       void *user)
{
	struct ses_dial *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (!loop->in_turn)
		ses_loop_update(loop);
	d->loop = loop;
	d->done = done;
	d->user = user;
	d->socket = (struct ses_polled){.io.fd = -1, .on_ready = on_connect};
	d->start_us = ses_clock_steady_us();
	ses_buf_init(&d->in, 64 * 1024);
	copy_options(d, options);
	d->deadline.fire = too_late;
	d->step.fire = begin;
	if (ses_timers_start(&loop->timers, &d->deadline,
			     loop->now_ms + d->timeout_ms) < 0 ||
	    ses_timers_start(&loop->timers, &d->step, loop->now_ms) < 0) {
		free_dial(d);
		return NULL;
	}
	return d;
}

bool ses_dial_lacked(const struct ses_dial_report *report, int error)
{
	int sys_errno = report && report->n_steps
				? report->step[report->n_steps - 1].sys_errno
				: 0;

	return error == SESAME_ENOMEM || sys_errno == EMFILE ||
	       sys_errno == ENFILE || sys_errno == ENOBUFS ||
	       sys_errno == ENOMEM;
}
