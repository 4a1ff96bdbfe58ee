/* SPDX-License-Identifier: MIT */
/*
 * The story of a visit, from the accepted socket to the last byte: greet, head,
 * admit, upgrade, route, live, farewell, and from any of them refuse. Each is
 * a function below, in this order. A refused visitor is told a reference and
 * the connection is closed; what it sent behind its request is dropped, so
 * nothing can be smuggled past a refusal.
 */
#include "gate/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sesame/version.h>

#include "gate/forward.h"
#include "gate/notice.h"
#include "gate/refuse.h"
#include "gate/relay.h"
#include "gate/upstream.h"
#include "ws/conn.h"
#include "ws/intake.h"

#define HEAD_MS	      10000 /* for the handshake to arrive */
#define LINGER_MS     2000  /* for a refused client to read why */
#define QUEUE_BYTES   (4 * 1024 * 1024)
#define HIGH_BYTES    (256 * 1024)
#define RELAY_IDLE_MS 3600000

/* Who refuses, and what the visitor and the operator are told. */
struct refusal {
	enum why_cause cause;
	int status;	      /* 0: no answer can be sent */
	const char *sentence; /* for the visitor; NULL: the status's own */
	const char *note;     /* for the operator; may be NULL */
	const struct gate_decision *decision; /* NULL: no rule did */
};

/* How a step ends. */
enum outcome {
	GO_ON, /* to the next one */
	WAIT,  /* the same one, when more has come */
	OVER,  /* the visit is over, or has another owner; do not touch it */
};

/* What is known of a handshake; a connection that is open has none of it. */
struct asking {
	struct ses_intake intake;
	/* of the request; lent for the event */
	struct gate_request request;
	struct ses_upgrade_offer offer;
	struct gate_decision decision;
	/* while a server behind is asked: what must outlive the event */
	struct gate_story *story;
	char *accept; /* its Accept field */
};

struct gate_visit {
	struct gate *gate;
	struct gate_entrance *entrance;
	struct gate_policy *policy; /* a reference: the one it came under */
	struct ses_stream *stream;  /* NULL once it has another owner */
	struct ses_list link;
	struct ses_timer timer;
	const struct step *step;
	struct asking *asking; /* NULL once the handshake is done */
	struct gate_address address;
	char address_text[SES_ADDR_TEXT];
	const struct gate_route *route;
	bool counted;	   /* in policy->live */
	bool wrong_scheme; /* plain bytes at a TLS door, or TLS at a plain one */
	bool heard;	   /* anything at all */
	/* what has come and is not used up; lent for the event */
	uint8_t *data;
	size_t len;
	/* who has it now */
	struct gate_upstream *upstream;
	struct sesame_conn *conn;
	struct gate_relay *relay;
};

static enum outcome greet(struct gate_visit *v);
static enum outcome read_head(struct gate_visit *v);
static enum outcome admit(struct gate_visit *v);
static enum outcome check_upgrade(struct gate_visit *v);
static enum outcome follow_route(struct gate_visit *v);
static enum outcome live(struct gate_visit *v);
static void farewell(struct gate_visit *v);
static void free_asking(struct gate_visit *v);
static enum outcome refuse(struct gate_visit *v, const struct refusal *why);

static const struct step {
	const char *name;
	enum outcome (*take)(struct gate_visit *v);
} steps[] = {
	{"greet", greet},	    {"head", read_head},     {"admit", admit},
	{"upgrade", check_upgrade}, {"route", follow_route}, {"live", live},
};

static void go_on(struct gate_visit *v)
{
	enum outcome outcome;

	while ((outcome = v->step->take(v)) == GO_ON)
		v->step++;
}

/* ---- greet: is it TLS, and should it be? ---- */

static bool looks_like_tls(const struct gate_visit *v)
{
	return v->data[0] == 0x16; /* a handshake record (RFC 8446 5.1) */
}

static enum outcome greet(struct gate_visit *v)
{
	bool tls_up = ses_stream_tls_info(v->stream) != NULL;

	if (tls_up)
		return GO_ON;
	v->wrong_scheme = looks_like_tls(v) != (v->entrance->tls != NULL);
	if (!v->entrance->tls || v->wrong_scheme)
		return GO_ON;
	if (ses_stream_start_tls(v->stream, v->entrance->tls, NULL,
				 bytes_of(v->data, v->len)) < 0) {
		farewell(v);
		return OVER;
	}
	return WAIT;
}

/* ---- head: bytes become a request ---- */

static enum why_cause cause_of_fault(enum ses_fault fault,
				     const struct ses_head *head)
{
	/* Who has a key wanted a WebSocket; a hop lost the rest of it. */
	bool had_key = head && ses_head_get(head, "Sec-WebSocket-Key").data;

	switch (fault) {
	case SES_FAULT_HEAD_TOO_LONG:
	case SES_FAULT_HEAD_LINE_TOO_LONG:
	case SES_FAULT_HEAD_TOO_MANY_FIELDS:
	case SES_FAULT_HEAD_TARGET_TOO_LONG:
		return WHY_CLIENT_HEADERS_TOO_LARGE;
	case SES_FAULT_REQUEST_VERSION:
		return WHY_SERVER_VERSION;
	case SES_FAULT_REQUEST_HTTP10:
	case SES_FAULT_REQUEST_NO_UPGRADE:
	case SES_FAULT_REQUEST_NO_CONNECTION:
		return had_key ? WHY_SERVER_PROXY_UPGRADE
			       : WHY_CLIENT_BAD_HANDSHAKE;
	case SES_FAULT_REQUEST_ORIGIN:
		return WHY_ACCESS_ORIGIN;
	default:
		return WHY_CLIENT_BAD_HANDSHAKE;
	}
}

static enum outcome refuse_fault(struct gate_visit *v, enum ses_fault fault,
				 const struct ses_head *head)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	struct refusal why = {
		.cause = cause_of_fault(fault, head),
		.status = row->status ? row->status : 400,
		.sentence = row->sentence,
		.note = row->sentence,
	};

	if (v->wrong_scheme) {
		why.cause = WHY_URL_SCHEME;
		why.sentence = v->entrance->tls
				       ? "This port speaks TLS: use wss://."
				       : "This port does not speak TLS: use "
					 "ws://.";
		why.note = why.sentence;
		why.status = 400;
	}
	return refuse(v, &why);
}

static void read_request(struct gate_visit *v, const struct ses_head *head)
{
	v->asking->request = (struct gate_request){
		.target = head->target,
		.host = ses_head_get(head, "Host"),
		.origin = ses_head_get(head, "Origin"),
		.user_agent = ses_head_get(head, "User-Agent"),
		.address = v->address,
		.address_text = bytes_of_str(v->address_text),
	};
}

static enum outcome read_head(struct gate_visit *v)
{
	enum ses_fault fault = SES_FAULT_NONE;
	size_t used = 0;
	int r = ses_intake_feed(&v->asking->intake, v->data, v->len,
				&v->gate->head, &used, &fault);

	if (r == 0)
		return WAIT;
	if (r < 0)
		return refuse_fault(v, fault, NULL);
	v->data += used;
	v->len -= used;
	read_request(v, &v->gate->head);
	if (v->wrong_scheme)
		return refuse_fault(v, SES_FAULT_HEAD_NOT_HTTP, NULL);
	return GO_ON;
}

/* ---- admit: the policy decides ---- */

static void journal(struct gate_visit *v, const struct refusal *why,
		    const char *reference, bool observed);

/* Two fields where rules compare one: whichever they took would be wrong. */
static bool is_ambiguous(const struct ses_head *head)
{
	return ses_field_count(head->fields, head->n_fields, "Host") != 1 ||
	       ses_field_count(head->fields, head->n_fields, "Origin") > 1 ||
	       ses_field_count(head->fields, head->n_fields, "User-Agent") > 1;
}

static void new_reference(char out[WHY_REFERENCE_SIZE])
{
	uint64_t number;

	ses_random(&number, sizeof(number));
	why_reference_write(number & (((uint64_t)1 << 40) - 1), out);
}

static enum outcome admit(struct gate_visit *v)
{
	struct gate_decision *d = &v->asking->decision;
	struct refusal why = {.decision = d};
	char reference[WHY_REFERENCE_SIZE];

	if (is_ambiguous(&v->gate->head)) {
		why = (struct refusal){
			.cause = WHY_CLIENT_BAD_HANDSHAKE,
			.status = 400,
			.sentence = "one Host is needed, and at most one "
				    "Origin and User-Agent",
		};
		why.note = why.sentence;
		return refuse(v, &why);
	}
	gate_admit(v->policy, &v->asking->request, d);
	v->route = d->route;
	if (d->admitted)
		return GO_ON;
	why.cause = d->cause;
	why.status = d->status;
	if (d->status == 400)
		why.sentence = gate_is_path(v->asking->request.target)
				       ? "The path may be read in more than "
					 "one way"
				       : "The target must begin with a slash";
	if (!d->route || !d->route->observe)
		return refuse(v, &why);
	new_reference(reference);
	journal(v, &why, reference, true);
	/* From here on the rule has said nothing: what else fails, it did not. */
	d->admitted = true;
	d->cause = WHY_OK;
	d->status = 101;
	return GO_ON;
}

/* ---- upgrade: is it a handshake, and is there room? ---- */

static atomic_ullong *live_of(const struct gate_visit *v)
{
	return &v->policy->live[v->route - v->policy->route];
}

static void count_in(struct gate_visit *v)
{
	atomic_fetch_add(live_of(v), 1);
	v->counted = true;
}

static void count_out(struct gate_visit *v)
{
	if (v->counted)
		atomic_fetch_sub(live_of(v), 1);
	v->counted = false;
}

static enum outcome check_upgrade(struct gate_visit *v)
{
	enum ses_fault fault = SES_FAULT_NONE;
	uint64_t most = v->route->limits.connections;

	if (ses_upgrade_check_request(&v->gate->head, &v->asking->offer,
				      &fault) < 0)
		return refuse_fault(v, fault, &v->gate->head);
	if (v->gate->leaving || (most && *live_of(v) >= most)) {
		struct refusal full = {
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.note = v->gate->leaving
					? "the gateway is being stopped"
					: "limits.connections of this route "
					  "is reached",
		};

		return refuse(v, &full);
	}
	count_in(v);
	return GO_ON;
}

/* ---- route: to the echo, or to a server behind ---- */

static void on_message(struct sesame_conn *conn, void *user,
		       enum sesame_kind kind, uint8_t *data, size_t len)
{
	/* What a slow reader has not taken holds its next messages back. */
	if (sesame_conn_send(conn, kind, data, len) == SESAME_EAGAIN)
		sesame_conn_pause(conn);
}

static void on_drain(struct sesame_conn *conn, void *user)
{
	sesame_conn_resume(conn);
}

static const struct sesame_handlers echo = {.on_message = on_message,
					    .on_drain = on_drain};

static void on_conn_gone(struct sesame_conn *conn, void *context)
{
	struct gate_visit *v = context;

	v->conn = NULL;
	farewell(v);
}

/* The first subprotocol offered: browsers drop an answer without one. */
static struct bytes first_protocol(const struct ses_upgrade_offer *offer)
{
	struct bytes list = offer->protocols, first = bytes_of(NULL, 0);

	bytes_next_element(&list, &first);
	return first;
}

static void set_limits(const struct gate_route *route,
		       struct sesame_limits *limits)
{
	limits->message_bytes = (size_t)route->limits.message_bytes;
	limits->idle_ms = (uint32_t)route->limits.idle_ms;
	/* So that a peer which is alive is never silent that long. */
	if (limits->idle_ms && limits->idle_ms < 75000)
		limits->ping_ms = limits->idle_ms * 2 / 5;
}

static enum outcome open_echo(struct gate_visit *v)
{
	struct ses_conn_setup setup = {
		.role = SESAME_SERVER,
		.handlers = &echo,
		.subprotocol = first_protocol(&v->asking->offer),
		.user = v,
		.on_gone = on_conn_gone,
		.context = v,
	};
	struct ses_deflate_policy deflate = {.enabled = true};
	struct ses_stream *stream = v->stream;
	struct sesame_conn *conn = NULL;
	struct ses_buf out;

	if (ses_deflate_choose(&v->gate->head, &deflate, &setup.deflate) < 0)
		return refuse_fault(v, SES_FAULT_REQUEST_EXTENSIONS,
				    &v->gate->head);
	set_limits(v->route, &setup.limits);
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	if (ses_upgrade_write_response(
		    &v->asking->offer, setup.subprotocol, &setup.deflate,
		    BYTES("sesame/" SESAME_VERSION), &out) == 0)
		ses_stream_send(stream, ses_buf_bytes(&out));
	ses_buf_fini(&out);
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	v->stream = NULL; /* the connection's from now on */
	if (ses_conn_begin(stream, &setup, v->data, v->len, &conn) < 0)
		farewell(v);
	if (!conn) /* it has come and gone, and the visit with it */
		return OVER;
	v->conn = conn;
	free_asking(v);
	gate_visit_move(&v->link, v->gate->policy);
	return OVER;
}

static enum outcome ask_upstream(struct gate_visit *v);

static enum outcome follow_route(struct gate_visit *v)
{
	return v->route->to == GATE_TO_ECHO ? open_echo(v) : ask_upstream(v);
}

static void answer_client(struct gate_visit *v,
			  const struct gate_upstream_result *result);

static void on_upstream(void *user, const struct gate_upstream_result *result)
{
	struct gate_visit *v = user;

	v->upstream = NULL;
	answer_client(v, result);
}

static char *copy_field(const struct ses_head *head, const char *name)
{
	struct bytes value = ses_head_get(head, name);

	return value.data ? strndup((const char *)value.data, value.len) : NULL;
}

/*
 * What a client says before the server behind has accepted is put back, to be
 * read again by the tunnel; until then no more of it is taken. One that says
 * nothing stays heard, so that its leaving is noticed.
 */
static enum outcome hold_back(struct gate_visit *v)
{
	ses_stream_pause(v->stream);
	if (ses_stream_unread(v->stream, bytes_of(v->data, v->len)) == 0)
		return WAIT;
	farewell(v);
	return OVER;
}

static enum outcome ask_upstream(struct gate_visit *v)
{
	struct gate_forward forward = {
		.head = &v->gate->head,
		.route = v->route,
		.address = v->address_text,
		.tls = v->entrance->tls != NULL,
	};
	struct refusal why = {.cause = WHY_SERVER_LIMIT, .status = 503};
	struct ses_buf out;
	int r = SESAME_ENOMEM;

	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	v->asking->story = calloc(1, sizeof(*v->asking->story));
	v->asking->accept = copy_field(&v->gate->head, "Accept");
	if (v->asking->story)
		r = gate_forward_write(&forward, &out);
	if (r >= 0) {
		gate_story_ask(v->asking->story, &v->asking->request);
		gate_story_decide(v->asking->story, v->policy,
				  &v->asking->decision);
		v->upstream =
			gate_upstream_start(v->gate->loop, v->route, &out,
					    &v->gate->head, on_upstream, v);
	}
	ses_buf_fini(&out);
	why.note = r < 0 ? sesame_strerror(r) : "out of memory";
	if (!v->upstream)
		return refuse(v, &why);
	ses_timers_stop(&v->gate->loop->timers, &v->timer);
	v->asking->request = (struct gate_request){0}; /* it was lent */
	v->step++;
	return v->len ? hold_back(v) : WAIT;
}

static void refuse_for_upstream(struct gate_visit *v,
				const struct gate_upstream_result *result)
{
	char note[256];
	struct refusal why = {
		.cause = result->error == SESAME_EPROTO
				 ? WHY_SERVER_BAD_ACCEPT
				 : WHY_SERVER_BACKEND_DOWN,
		.status = result->error == SESAME_ETIMEOUT ? 504 : 502,
		.note = note,
	};

	snprintf(note, sizeof(note), "%s: %s", v->route->upstream,
		 result->text ? result->text : sesame_strerror(result->error));
	refuse(v, &why);
}

static void pass_refusal_on(struct gate_visit *v,
			    const struct gate_upstream_result *result);

static void on_relay_gone(void *user)
{
	struct gate_visit *v = user;

	v->relay = NULL;
	farewell(v);
}

static void free_asking(struct gate_visit *v)
{
	struct asking *a = v->asking;

	v->asking = NULL;
	if (!a)
		return;
	ses_intake_fini(&a->intake);
	free(a->story);
	free(a->accept);
	free(a);
}

static void open_tunnel(struct gate_visit *v,
			const struct gate_upstream_result *result)
{
	uint64_t idle = v->route->limits.idle_ms;
	struct ses_stream *client = v->stream;
	struct ses_buf out;

	free_asking(v);
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	if (gate_acceptance_write(result->head, &out) < 0 ||
	    ses_stream_send(client, ses_buf_bytes(&out)) < 0) {
		ses_stream_close(result->stream);
		farewell(v);
	} else {
		ses_stream_send(client, result->early);
		v->stream = NULL;
		v->relay = gate_relay_start(client, result->stream,
					    idle ? idle : RELAY_IDLE_MS,
					    on_relay_gone, v);
		if (v->relay)
			gate_visit_move(&v->link, v->gate->policy);
		else
			farewell(v);
	}
	ses_buf_fini(&out);
}

static void answer_client(struct gate_visit *v,
			  const struct gate_upstream_result *result)
{
	if (result->error == 0)
		open_tunnel(v, result);
	else if (result->error == SESAME_EREFUSED)
		pass_refusal_on(v, result);
	else
		refuse_for_upstream(v, result);
}

/* ---- live: the connection or the tunnel has it ---- */

static enum outcome live(struct gate_visit *v)
{
	return v->upstream ? hold_back(v) : WAIT;
}

/* ---- farewell ---- */

static void farewell(struct gate_visit *v)
{
	struct gate *gate = v->gate;

	ses_timers_stop(&gate->loop->timers, &v->timer);
	ses_list_remove(&v->link);
	count_out(v);
	gate_upstream_cancel(v->upstream);
	ses_stream_close(v->stream);
	free_asking(v);
	gate_entrance_done(v->entrance);
	gate_policy_unref(v->policy);
	free(v);
	if (gate->leaving && gate->n_visits == 0)
		sesame_loop_stop(gate->loop);
}

/* ---- refuse: an answer, a line in the log, a row in the journal ---- */

static void journal(struct gate_visit *v, const struct refusal *why,
		    const char *reference, bool observed)
{
	struct gate_notice notice = {
		.reference = reference,
		.cause = why->cause,
		.status = why->status,
		.note = why->note,
		.observed = observed,
		.policy = v->policy,
		.decision = why->decision,
		.request = &v->asking->request,
		.story = v->asking->story,
		.route = v->route,
		.address = v->address_text,
		.listener = v->entrance->url,
	};

	gate_notice_tell(v->gate, &notice);
}

/* The visitor is gone from here on; its stream says the last words. */
static void send_and_close(struct gate_visit *v, struct ses_buf *out)
{
	struct ses_stream *stream = v->stream;

	v->stream = NULL;
	ses_stream_send(stream, ses_buf_bytes(out));
	ses_buf_fini(out);
	ses_stream_linger(stream, LINGER_MS);
	farewell(v);
}

static struct bytes path_of(const struct gate_visit *v)
{
	return v->asking->story
		       ? gate_path_of(bytes_of_str(v->asking->story->target))
		       : gate_path_of(v->asking->request.target);
}

static enum outcome refuse(struct gate_visit *v, const struct refusal *why)
{
	const struct gate_decision *d = why->decision;
	const struct gate_trace *last = d ? gate_decider(d) : NULL;
	char reference[WHY_REFERENCE_SIZE];
	struct gate_answer answer = {
		.status = why->status,
		.cause = why->cause,
		.sentence = why->sentence,
		.path = path_of(v),
		.accept = v->asking->accept ? bytes_of_str(v->asking->accept)
					    : bytes_of(NULL, 0),
		.reference = reference,
		.disclose = (enum gate_disclose)v->policy->disclose,
		.rule = last ? last->rule : "",
		.file = v->policy->file,
		.line = last ? last->line : 0,
	};
	struct ses_buf out;

	new_reference(reference);
	journal(v, why, reference, false);
	if (!answer.status) {
		farewell(v);
		return OVER;
	}
	if (v->asking->request.target.data && !v->asking->accept)
		answer.accept = ses_head_get(&v->gate->head, "Accept");
	ses_buf_init(&out, SES_INTAKE_BYTES);
	gate_answer_write(&answer, &out);
	send_and_close(v, &out);
	return OVER;
}

/* The server behind said no: its words, our reference, and the end. */
static void pass_refusal_on(struct gate_visit *v,
			    const struct gate_upstream_result *result)
{
	char reference[WHY_REFERENCE_SIZE], note[256];
	struct refusal why = {
		.cause = WHY_SERVER_APP_REJECTED,
		.status = result->head->status,
		.note = note,
	};
	struct ses_buf out;

	new_reference(reference);
	ses_buf_init(&out, 256 * 1024);
	if (gate_relayed_refusal_write(result->head, result->body, reference,
				       &out) < 0) {
		ses_buf_fini(&out);
		snprintf(note, sizeof(note),
			 "%s: its answer cannot be passed on",
			 v->route->upstream);
		why.cause = WHY_SERVER_BACKEND_DOWN;
		why.status = 502;
		refuse(v, &why);
		return;
	}
	snprintf(note, sizeof(note), "%s answered %d", v->route->upstream,
		 result->head->status);
	journal(v, &why, reference, false);
	send_and_close(v, &out);
}

/* ---- what the stream tells, until it has another owner ---- */

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_visit *v = s->owner;

	v->heard = true;
	v->data = data;
	v->len = len;
	go_on(v);
}

/* What a failed TLS handshake says about the visitor. */
static bool tls_failed(const struct gate_visit *v, struct refusal *ret_why)
{
	const struct ses_tls_info *info = ses_stream_tls_info(v->stream);

	if (!info)
		return false;
	*ret_why = (struct refusal){.note = info->text};
	switch (info->fault) {
	case SES_TLS_CLIENT_CERT:
		ret_why->cause = WHY_ACCESS_CLIENT_CERT;
		return true;
	case SES_TLS_VERSION:
		ret_why->cause = WHY_TLS_VERSION;
		return true;
	case SES_TLS_ALERT:
	case SES_TLS_UNTRUSTED:
		ret_why->cause = WHY_TLS_UNTRUSTED;
		return true;
	default:
		return false; /* a scan, or a client that changed its mind */
	}
}

static void on_end(struct ses_stream *s, int error)
{
	struct gate_visit *v = s->owner;
	struct refusal why;

	if (error == SESAME_ETLS && tls_failed(v, &why))
		refuse(v, &why);
	else if (error || !v->heard || v->upstream || v->entrance->tls)
		farewell(v);
	else
		refuse_fault(v, SES_FAULT_HEAD_CUT, NULL);
}

static const struct ses_stream_events visiting = {.on_bytes = on_bytes,
						  .on_end = on_end};

static void on_time(struct ses_timer *timer)
{
	struct gate_visit *v = ses_container_of(timer, struct gate_visit, timer);
	struct refusal slow = {
		.cause = WHY_CLIENT_BAD_HANDSHAKE,
		.status = 408,
		.note = "the handshake did not arrive within 10 s",
	};
	const struct ses_tls_info *info = ses_stream_tls_info(v->stream);

	/* Who said nothing at all is no visitor: browsers connect ahead. */
	if (v->heard && (!info || info->version[0]))
		refuse(v, &slow);
	else
		farewell(v);
}

/* ---- the visit as a whole ---- */

static void read_peer(struct gate_visit *v, const struct ses_addr *peer)
{
	const struct gate_address *a = &v->address;
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0,    0,
					   0, 0, 0, 0, 0xff, 0xff};

	ses_addr_format_host(peer, v->address_text);
	/* "%eth0" of a link-local address is no part of the address */
	v->address_text[strcspn(v->address_text, "%")] = '\0';
	gate_address_read(bytes_of_str(v->address_text), &v->address);
	if (memcmp(a->bytes, mapped, sizeof(mapped)) == 0)
		snprintf(v->address_text, sizeof(v->address_text), "%u.%u.%u.%u",
			 a->bytes[12], a->bytes[13], a->bytes[14], a->bytes[15]);
}

void gate_visit_begin(struct gate_entrance *entrance, int fd,
		      const struct ses_addr *peer)
{
	struct gate *gate = entrance->gate;
	struct gate_visit *v = calloc(1, sizeof(*v));

	if (v)
		v->asking = calloc(1, sizeof(*v->asking));
	if (!v || !v->asking) {
		close(fd);
		free(v ? v->asking : NULL);
		free(v);
		return;
	}
	v->stream = ses_stream_new(gate->loop, fd, &visiting, v, QUEUE_BYTES,
				   HIGH_BYTES);
	if (!v->stream) {
		free(v->asking);
		free(v);
		return;
	}
	v->gate = gate;
	v->entrance = entrance;
	v->policy = gate_policy_ref(gate->policy);
	v->step = steps;
	v->timer.fire = on_time;
	ses_intake_init(&v->asking->intake, true);
	read_peer(v, peer);
	ses_list_init(&v->link);
	ses_list_append(&gate->visits, &v->link);
	gate_entrance_visited(entrance);
	if (ses_timers_start(&gate->loop->timers, &v->timer,
			     gate->loop->now_ms + HEAD_MS) < 0)
		farewell(v);
}

void gate_visit_move(struct ses_list *link, struct gate_policy *policy)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);
	const struct gate_route *route;

	/* A handshake is judged to its end by the policy it began under. */
	if (v->asking || v->policy == policy)
		return;
	route = gate_same_route(policy, v->route);
	if (!route) {
		gate_visit_dismiss(link);
		return;
	}
	count_out(v);
	gate_policy_unref(v->policy);
	v->policy = gate_policy_ref(policy);
	v->route = route;
	count_in(v);
}

void gate_visit_dismiss(struct ses_list *link)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);

	if (v->conn)
		sesame_conn_close(v->conn, 1001, "the gateway is going away");
	else
		gate_visit_expel(link);
}

void gate_visit_expel(struct ses_list *link)
{
	struct gate_visit *v = ses_container_of(link, struct gate_visit, link);

	if (v->conn) {
		ses_conn_abort_now(v->conn);
		return; /* on_conn_gone said farewell */
	}
	if (v->relay)
		gate_relay_close(v->relay);
	v->relay = NULL;
	farewell(v);
}
