/* SPDX-License-Identifier: MIT */
/*
 * Every no: an answer, a line in the log, a row in the journal. The connection
 * is closed after it, and what was sent behind the request is dropped, so
 * nothing can be smuggled past a refusal.
 */
#include "gate/visit_inner.h"

#include <stdio.h>

#include <sesame/version.h>

#include "gate/subprotocols.h"
#include "gate/forward.h"
#include "gate/notice.h"
#include "gate/outage.h"
#include "gate/refuse.h"

#define LINGER_MS 2000 /* for a refused client to read why */

void gate_new_reference(char out[WHY_REFERENCE_SIZE])
{
	uint64_t high = ses_random32() & 0xff;

	why_reference_write(high << 32 | ses_random32(), out);
}

/* @wrong goes on behind a colon. */
void gate_content_note(const char *what, const char *wrong, size_t broken_at,
		       char out[GATE_CONTENT_SIZE])
{
	bool is_word = wrong[0] >= 'A' && wrong[0] <= 'Z' &&
		       !(wrong[1] >= 'A' && wrong[1] <= 'Z');
	char place[48] = "";

	if (broken_at)
		snprintf(place, sizeof(place), "; its JSON breaks at byte %zu",
			 broken_at + 1);
	snprintf(out, GATE_CONTENT_SIZE, "%s could not be taken: %c%s%s", what,
		 is_word ? wrong[0] - 'A' + 'a' : wrong[0], wrong + 1, place);
}

void gate_content_of_state(const struct gate_route *route,
			   char out[GATE_CONTENT_SIZE])
{
	char key[128];

	bytes_printable(bytes_of_str(route->hub.key), key, sizeof(key));
	snprintf(out, GATE_CONTENT_SIZE,
		 "a JSON object with its key in the member %s, a text of up to "
		 "256 bytes or a whole number",
		 key);
}

/* What is known of a visitor. */
static struct gate_notice describe(struct gate_visit *v)
{
	if (!v->asking->hops.n) /* its head was not read */
		gate_visit_recognize(v);
	return (struct gate_notice){
		.policy = v->policy,
		/* of a request that the rules let in: what they looked at */
		.decision = v->asking->decision.n_trace ? &v->asking->decision
							: NULL,
		.request = &v->asking->request,
		.route = v->route,
		.hops = &v->asking->hops,
		.head = v->asking->head,
		.credential = gate_visit_credential(v),
		.listener = v->entrance->url,
	};
}

void gate_visit_note_entry(struct gate_visit *v)
{
	struct gate_notice notice = describe(v);

	gate_notice_admitted(v->gate, &notice);
}

static void tell(struct gate_visit *v, const struct gate_refusal *why,
		 const char *reference, bool observed)
{
	struct gate_notice notice = describe(v);
	struct gate_outage outage;

	if (why->backplane) {
		gate_outage_see(v->gate->cluster, v->policy,
				v->gate->loop->now_ms, &outage);
		notice.outage = &outage;
	}
	notice.reference = reference;
	notice.cause = why->cause;
	notice.status = why->status;
	notice.note = why->note;
	notice.takes = why->takes;
	notice.observed = observed;
	gate_record_refusal(v, why->cause, observed);
	gate_notice_tell(v->gate, &notice);
}

void gate_visit_observe(struct gate_visit *v, const struct gate_refusal *why)
{
	char reference[WHY_REFERENCE_SIZE];

	gate_new_reference(reference);
	tell(v, why, reference, true);
}

/*
 * It says nothing more, and nothing that it said is unread: ses_stream_part()
 * takes this on trust, and would close with a reset if it were not so.
 */
static bool waits_for_answer(const struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;

	return head && v->len == 0 && ses_upgrade_awaits_answer(head);
}

/* The visitor is gone from here on; its stream says the last words. */
enum gate_outcome gate_visit_answer(struct gate_visit *v, struct ses_buf *out,
				    unsigned linger_ms)
{
	struct ses_stream *stream = v->stream;

	v->stream = NULL;
	ses_stream_send(stream, ses_buf_bytes(out));
	ses_buf_fini(out);
	if (waits_for_answer(v))
		ses_stream_part(stream, linger_ms);
	else
		ses_stream_linger(stream, linger_ms);
	gate_visit_farewell(v);
	return GATE_OVER;
}

/*
 * With refusal.close a handshake that is one is accepted, so that a page can
 * read the reference: browsers show it no status.
 */
static bool accept_to_close(struct gate_visit *v, const struct gate_refusal *why,
			    const struct gate_answer *answer,
			    struct ses_buf *out)
{
	struct gate_asking *a = v->asking;
	struct gate_asked asked = gate_asked_of(&a->request);
	struct sesame_deflate none = {0};
	enum ses_fault fault = SES_FAULT_NONE;
	struct bytes protocol;

	if (!v->policy->refusal_close || !v->route || !a->head ||
	    v->wrong_scheme || why->status == 408 || why->quiet)
		return false;
	if (!a->is_handshake &&
	    ses_upgrade_check_request(a->head, &a->offer, &fault) < 0)
		return false;
	protocol = gate_chosen_subprotocol(v->route, &asked, true);
	if (ses_upgrade_write_response(&a->offer, protocol, &none,
				       BYTES("sesame/" SESAME_VERSION),
				       out) == 0 &&
	    gate_answer_write_close(answer, out) == 0)
		return true;
	ses_buf_consume(out, ses_buf_len(out)); /* no answer behind a 101 */
	return false;
}

/* An answer to HEAD ends with its head, whatever length it tells. */
static void drop_body(struct ses_buf *answer)
{
	struct bytes all = ses_buf_bytes(answer);
	const uint8_t *end = memmem(all.data, all.len, "\r\n\r\n", 4);
	struct ses_buf head;

	if (!end)
		return;
	ses_buf_init(&head, SES_INTAKE_BYTES * 2);
	ses_buf_append(&head, bytes_first(all, (size_t)(end - all.data) + 4));
	ses_buf_fini(answer);
	*answer = head;
}

/* What the route takes, for who came by another method (RFC 9110 10.2.1). */
static const struct ses_field *allow_of(const struct gate_route *route)
{
	static const struct ses_field get = {BYTES("Allow"), BYTES("GET")};
	static const struct ses_field read = {BYTES("Allow"),
					      BYTES("GET, HEAD")};
	static const struct ses_field publish = {BYTES("Allow"),
						 BYTES("GET, POST")};

	if (route && route->to == GATE_TO_FILES)
		return &read;
	return route && route->hub.publish ? &publish : &get;
}

static struct gate_answer answer_of(const struct gate_visit *v,
				    const struct gate_refusal *why,
				    const char *reference)
{
	const struct gate_decision *d = why->decision;
	const struct gate_trace *last = d ? gate_decider(d) : NULL;
	bool tells_allow = why->status == 405 && !why->n_fields;

	return (struct gate_answer){
		.status = why->status,
		.cause = why->cause,
		.sentence = why->sentence,
		.path = gate_path_of(v->asking->request.target),
		.reference = reference,
		.disclose = (enum gate_disclose)v->policy->disclose,
		.rule = last ? last->rule : "",
		.file = v->policy->file,
		.line = last ? last->line : 0,
		.fields = tells_allow ? allow_of(v->route) : why->fields,
		.n_fields = tells_allow ? 1 : why->n_fields,
	};
}

enum gate_outcome gate_visit_refuse(struct gate_visit *v,
				    const struct gate_refusal *why)
{
	char reference[WHY_REFERENCE_SIZE] = "";
	struct gate_answer answer = answer_of(v, why, reference);
	struct ses_buf out;

	if (why->quiet) {
		answer.reference = NULL;
	} else {
		gate_new_reference(reference);
		tell(v, why, reference, false);
		gate_visit_keep_told(v, &answer);
	}
	/* Who has not said who it is may be anything but an HTTP client. */
	if (!answer.status || (v->entrance->proxy_protocol && !v->introduced)) {
		gate_visit_farewell(v);
		return GATE_OVER;
	}
	if (v->asking->head)
		answer.accept = ses_head_get(v->asking->head, "Accept");
	ses_buf_init(&out, SES_INTAKE_BYTES * 2);
	if (!accept_to_close(v, why, &answer, &out))
		gate_answer_write(&answer, &out);
	if (v->asking->head &&
	    bytes_equal(v->asking->head->method, BYTES("HEAD")))
		drop_body(&out);
	return gate_visit_answer(v, &out, LINGER_MS);
}

void gate_visit_pass_refusal_on(struct gate_visit *v,
				const struct gate_upstream_result *result)
{
	char reference[WHY_REFERENCE_SIZE], note[256], asked[224];
	struct gate_answer told;
	struct gate_refusal why = {
		.cause = WHY_SERVER_APP_REJECTED,
		.status = result->head->status,
		.note = note,
	};
	struct ses_buf out;

	gate_new_reference(reference);
	ses_buf_init(&out, 256 * 1024);
	if (gate_relayed_refusal_write(result->head, result->body, reference,
				       &out) < 0) {
		ses_buf_fini(&out);
		snprintf(note, sizeof(note),
			 "%s: its answer cannot be passed on", v->server->text);
		why.cause = WHY_SERVER_BACKEND_DOWN;
		why.status = 502;
		gate_visit_refuse(v, &why);
		return;
	}
	snprintf(note, sizeof(note), "%s answered %d",
		 gate_forward_place(v->server, v->asking->request.target, asked,
				    sizeof(asked)),
		 result->head->status);
	tell(v, &why, reference, false);
	told = answer_of(v, &why, reference);
	gate_visit_keep_told(v, &told);
	gate_visit_answer(v, &out, LINGER_MS);
}

/* ---- Faults of the request ---- */

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

enum gate_outcome gate_visit_refuse_fault(struct gate_visit *v,
					  enum ses_fault fault,
					  const struct ses_head *head)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	struct gate_refusal why = {
		.cause = cause_of_fault(fault, head),
		.status = row->status ? row->status : 400,
		.sentence = row->sentence,
		.note = row->sentence,
	};

	/* A page that is looked at, or a health check: nobody was kept out. */
	if (fault == SES_FAULT_REQUEST_NO_UPGRADE && v->route &&
	    why.cause == WHY_CLIENT_BAD_HANDSHAKE) {
		why.quiet = true;
		why.sentence = NULL;
	}
	if (v->wrong_scheme) {
		why.cause = WHY_URL_SCHEME;
		why.sentence = v->entrance->tls
				       ? "This port speaks TLS: use wss://."
				       : "This port does not speak TLS: use "
					 "ws://.";
		why.note = why.sentence;
		why.status = 400;
	}
	return gate_visit_refuse(v, &why);
}
