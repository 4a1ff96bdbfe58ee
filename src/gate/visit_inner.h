/* SPDX-License-Identifier: MIT */
/*
 * A visit from the inside, for the files that tell its story: visit.c the
 * steps, visit_greet.c who it is, visit_admit.c whether it may enter,
 * visit_upstream.c a server behind, visit_tunnel.c what passes to and from it,
 * visit_cut.c who sends more than the limits allow, visit_echo.c the echo,
 * visit_member.c a channel, visit_words.c what its members say, visit_publish.c
 * a POST to one, visit_read.c a GET of one, visit_verdict.c what the hub does not
 * take, visit_file.c a page, visit_explain.c who asks why, visit_refuse.c every
 * no.
 */
#ifndef GATE_VISIT_INNER_H
#define GATE_VISIT_INNER_H

#include "gate/hops.h"
#include "gate/kept.h"
#include "gate/record.h"
#include "gate/relay.h"
#include "gate/upstream.h"
#include "gate/visit.h"
#include "hub/channel.h"
#include "ws/conn.h"
#include "ws/intake.h"

/* Who refuses, and what the visitor and the operator are told. */
struct gate_refusal {
	enum why_cause cause;
	int status;	      /* 0: no answer can be sent */
	const char *sentence; /* for the visitor; NULL: the status's own */
	const char *note;     /* for the operator; may be NULL */
	const char *takes;    /* instead of what was sent; NULL: not about that */
	const struct gate_decision *decision; /* NULL: no rule did */
	const struct ses_field *fields; /* more of them for the answer */
	size_t n_fields;
	bool quiet; /* it is nothing that an operator has to know */
	bool backplane; /* it does not take part */
};

/* The sentence of a gateway that lacks memory or descriptors. */
#define GATE_NO_ROOM "The gateway has no room for this now; try again later."

/* How a step ends. */
enum gate_outcome {
	GATE_GO_ON, /* to the next one */
	GATE_WAIT,  /* the same one, when more has come */
	GATE_OVER,  /* the visit is over, or has another owner; do not touch it */
};

struct gate_questions; /* visit_admit.c */
struct gate_memo; /* visit_cut.c */
struct gate_member; /* visit_member.c */
struct gate_awaited; /* gate/awaited.h */
struct gate_explaining; /* visit_explain.c */

/*
 * What is known of a handshake, from its first byte on; a connection that is
 * open has none of it.
 */
struct gate_asking {
	struct ses_intake intake;
	struct ses_buf greeting; /* a PROXY header that came in pieces */
	struct ses_proxy_header proxy;
	/*
	 * The request; NULL before it is whole. It and all that borrows from it
	 * below are lent for the event, until gate_visit_keep().
	 */
	const struct ses_head *head;
	struct gate_kept *kept;
	struct gate_request request;
	struct ses_upgrade_offer offer;
	struct gate_questions *questions; /* NULL: nobody was asked */
	bool waiting;	   /* for somebody's answer */
	bool observed;	   /* it is let in where a rule would refuse */
	bool is_handshake; /* offer is set */
	struct bytes fallback; /* the subprotocol to answer with, if nobody
				  chooses one */
	uint64_t tried; /* servers behind, a bit each */
	struct ses_buf body; /* of a POST */
	size_t body_len;     /* as announced */
	bool reads_body;
	struct ses_list awaited; /* what is to become of it: gate/awaited.h */
	struct gate_explaining *explaining; /* others are asked; or NULL */
	/* Large, and filled in when they are needed; hops.n and n_trace tell. */
	struct gate_hops hops; /* who it is, by the head if that is read */
	struct gate_decision decision;
};

struct gate_step {
	enum gate_outcome (*take)(struct gate_visit *v);
};

struct gate_visit {
	struct gate *gate;
	struct gate_entrance *entrance;
	struct gate_policy *policy; /* a reference: the one it came under */
	struct ses_stream *stream;  /* NULL once it has another owner: the
				       handshake is done */
	struct ses_list link;
	struct ses_timer timer;
	const struct gate_step *step;
	struct gate_asking *asking; /* NULL before the first byte, and once the
				       handshake is done */
	struct gate_address peer;
	const struct gate_route *route;
	struct gate_limit_holds *holds; /* what it counts in; or NULL */
	bool counted;	   /* in policy->live */
	bool wrong_scheme; /* plain bytes at a TLS door, or TLS at a plain one */
	bool heard;	   /* of a request: anything at all */
	bool introduced;   /* the PROXY header is read, where there is one */
	/* what has come and is not used up; lent for the event */
	uint8_t *data;
	size_t len;
	/* who has it now */
	struct gate_upstream *upstream;
	const struct gate_server *server; /* that it is joined with, or asks */
	struct sesame_conn *conn;
	struct gate_relay *relay;
	struct gate_member *member; /* of a channel; or NULL */
	struct gate_record *record; /* of an open connection; or NULL */
	struct gate_memo *memo; /* where messages are limited; or NULL */
};

/* ---- visit.c ---- */

/*
 * Go on with the present step: who was asked has answered, in an event that is
 * not the client's.
 */
void gate_visit_answered(struct gate_visit *v);
/*
 * Copy the request, so that it outlives the event. Whoever waits for somebody
 * does so first. False: no memory.
 */
bool gate_visit_keep(struct gate_visit *v);
/*
 * What a client says while somebody is asked is put back, to be read again
 * later; until then no more of it is taken. One that says nothing stays heard,
 * so that its leaving is noticed.
 */
enum gate_outcome gate_visit_hold_back(struct gate_visit *v);
/* The handshake is done: forget what was only for it. */
void gate_visit_free_asking(struct gate_visit *v);
void gate_visit_farewell(struct gate_visit *v);
/* The gateway is being stopped: 503. */
enum gate_outcome gate_visit_refuse_stopped(struct gate_visit *v);

/* ---- visit_greet.c ---- */

/* Who connected; the address of a peer may have a scope, which is dropped. */
void gate_visit_meet(struct gate_visit *v, const struct ses_addr *peer);
/* The PROXY header, where one is demanded. */
enum gate_outcome gate_visit_introduce(struct gate_visit *v);
/* Who the client is, as far as trusted hops tell; sets asking->hops. */
void gate_visit_recognize(struct gate_visit *v);

/* ---- visit_admit.c ---- */

/* Whether it may enter; it may take a while. */
enum gate_outcome gate_visit_admit(struct gate_visit *v);
/* Whether the request is a handshake; sets asking->offer. */
enum gate_outcome gate_visit_check_offer(struct gate_visit *v);
/* What it brought, as far as that was looked at; or NULL. */
const struct gate_credential *gate_visit_credential(const struct gate_visit *v);
/* Where its credential stood, or NULL. */
const struct gate_from *gate_visit_token_place(const struct gate_visit *v);
/* Fields that the authority has for the server behind, as lines. */
struct bytes gate_visit_copies(const struct gate_visit *v);
/* It is over: the limits that it was under have room again. */
void gate_visit_give_room_back(struct gate_visit *v);
/* Whoever is asked need not answer any more. NULL is fine. */
void gate_visit_free_questions(struct gate_questions *questions);

/* ---- visit_*.c: where a route leads ---- */

enum gate_outcome gate_visit_echo(struct gate_visit *v);
/*
 * Answer 101 and have @setup's handlers, its deflate and its limits of queues
 * serve the connection; the rest of it is filled in here.
 */
enum gate_outcome gate_visit_serve(struct gate_visit *v,
				   struct ses_conn_setup *setup);
/* The on_open of all such handlers. */
void gate_visit_on_open(struct sesame_conn *conn, void *user);
enum gate_outcome gate_visit_join(struct gate_visit *v);
/* A member of a channel has sent something. */
void gate_visit_hear(struct gate_visit *v, enum sesame_kind kind,
		     struct bytes data);
/* Leave the channel, if it is in one. */
void gate_visit_leave_channel(struct gate_visit *v);
/* A POST to a channel, and a GET of one. */
enum gate_outcome gate_visit_publish(struct gate_visit *v);
/*
 * Wait for the answer that the ticket in use gets; no longer than the backplane
 * takes to give up.
 */
enum gate_outcome gate_visit_await(struct gate_visit *v,
				   void (*on_answer)(struct gate_visit *v,
						     const struct gate_awaited *a));
enum gate_outcome gate_visit_read(struct gate_visit *v);
/*
 * The channel that the path names, decoded into @out. False: the visit has been
 * refused.
 */
bool gate_visit_channel(struct gate_visit *v, uint8_t out[HUB_NAME_MAX],
			struct bytes *ret_name);
enum gate_outcome gate_visit_file(struct gate_visit *v);
enum gate_outcome gate_visit_ask_upstream(struct gate_visit *v);
/* The same server as another route, of a new policy, has it. */
void gate_visit_change_server(struct gate_visit *v,
			      const struct gate_route *route);
/* Forget the server behind. */
void gate_visit_leave_server(struct gate_visit *v);

/* ---- visit_tunnel.c ---- */

/* The server has accepted: so is the client, and both are joined. */
void gate_visit_open_tunnel(struct gate_visit *v,
			    const struct gate_upstream_result *result);

/* ---- visit_cut.c: messages that the route's limits do not allow ---- */

/*
 * Before the request is forgotten: keep of it what the journal is told, where
 * the route limits messages. False: no memory.
 */
bool gate_visit_limit_messages(struct gate_visit *v);
/* A message begins that is @bytes long so far. False: *ret_cut says why not. */
bool gate_visit_may_say(struct gate_visit *v, bool first, uint64_t bytes,
			struct gate_cut *ret_cut);
/* The server behind speaks no WebSocket, or the client does not. */
void gate_visit_cut_for_fault(struct gate_visit *v, int side,
			      enum ses_fault fault, struct gate_cut *ret_cut);
/* What a client at a connection that ends here is told of its fault. */
void gate_visit_say_fault(struct sesame_conn *conn, enum ses_fault fault,
			  char out[SES_REASON_SIZE]);
/* One more message at a connection that ends here. False: it was closed. */
bool gate_visit_may_go_on(struct gate_visit *v);
void gate_visit_forget_memo(struct gate_visit *v);

/* A message that is refused, at a connection of a channel. */
struct gate_unwanted {
	enum why_cause cause;
	int status;	  /* as it would be by HTTP */
	unsigned code;	  /* to close with */
	const char *word; /* of sesame.v1: "rate" */
	const char *text; /* for the client; short, for a close frame */
	const char *note; /* for the operator */
	const char *takes; /* instead of what was sent; NULL: not about that */
	const struct gate_limit *limit; /* NULL: it is none's doing */
	uint64_t wait_ms;
	bool backplane; /* it does not take part */
};

#define GATE_CONTENT_SIZE 256
/*
 * The note on what could not be taken, @what: @wrong, a sentence; and from which
 * byte on (0: nowhere in particular).
 */
void gate_content_note(const char *what, const char *wrong, size_t broken_at,
		       char out[GATE_CONTENT_SIZE]);
/* What a state takes. */
void gate_content_of_state(const struct gate_route *route,
			   char out[GATE_CONTENT_SIZE]);
/* A new one; whoever knows some cannot tell the next. */
void gate_new_reference(char out[WHY_REFERENCE_SIZE]);
/* Tell the operator alone; the connection stays. */
void gate_visit_tell_unwanted(struct gate_visit *v,
			      const struct gate_unwanted *unwanted,
			      char reference[WHY_REFERENCE_SIZE]);
/* Close it, with the reference. */
void gate_visit_cut_unwanted(struct gate_visit *v,
			     const struct gate_unwanted *unwanted);

/* ---- visit_verdict.c: in words, but for HUB_OK and HUB_LATER ---- */

/* As an answer to a request. */
struct gate_refusal gate_verdict_refusal(enum hub_verdict verdict);
/* As an error of an open connection: of a message of its, or the end. */
struct gate_unwanted gate_verdict_unwanted(enum hub_verdict verdict);
enum gate_outcome gate_visit_refuse_verdict(struct gate_visit *v,
					    enum hub_verdict verdict);
/* No answer came, or one that does not tell. */
enum gate_outcome gate_visit_refuse_unanswered(struct gate_visit *v);
/* The channel is not to be had for who reads it. */
enum gate_outcome gate_visit_refuse_unreached(struct gate_visit *v,
					      enum hub_verdict verdict);

/* ---- visit_explain.c ---- */

/* Whether it is no handshake, but asks why one was refused. */
bool gate_visit_asks_why(const struct gate_visit *v);
/* Tell it, as far as `refusal.disclose` allows; it may take a while. */
enum gate_outcome gate_visit_explain(struct gate_visit *v);
/* Others did not say in time. */
void gate_visit_explain_without(struct gate_visit *v);
/* Whoever is asked need not answer any more. NULL is fine. */
void gate_visit_free_explaining(struct gate_explaining *explaining);
/* The client was told @answer: who asks for it may hear it once more. */
struct gate_answer;
void gate_visit_keep_told(struct gate_visit *v,
			  const struct gate_answer *answer);

/* ---- visit_refuse.c ---- */

/* Tell the visitor and the operator, and part. */
enum gate_outcome gate_visit_refuse(struct gate_visit *v,
				    const struct gate_refusal *why);
/* The same for a fault of the request; @head: as far as it could be read. */
enum gate_outcome gate_visit_refuse_fault(struct gate_visit *v,
					  enum ses_fault fault,
					  const struct ses_head *head);
/* Send an answer that is none of these; @out is used up. */
enum gate_outcome gate_visit_answer(struct gate_visit *v, struct ses_buf *out,
				    unsigned linger_ms);
/* The server behind said no: its words, our reference, and the end. */
void gate_visit_pass_refusal_on(struct gate_visit *v,
				const struct gate_upstream_result *result);
/* The journal keeps what kinds of handshakes are let in. */
void gate_visit_note_entry(struct gate_visit *v);
/* Tell the operator alone: it is let in all the same. */
void gate_visit_observe(struct gate_visit *v, const struct gate_refusal *why);

#endif
