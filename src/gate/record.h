/* SPDX-License-Identifier: MIT */
/*
 * The record of one connection, from its 101 to its end: what is counted of it
 * and what the access log tells. Whoever serves a connection says when it is
 * open, what passes and how it ends; the rest is done here.
 */
#ifndef GATE_RECORD_H
#define GATE_RECORD_H

#include "gate/metrics.h"
#include "gate/notice.h"

struct gate_visit;
struct gate_record;

/*
 * The handshake of @v is answered with 101; what it asked is still known. The
 * record is v->record (NULL when memory is short, which all functions take).
 */
void gate_record_open(struct gate_visit *v, struct bytes subprotocol);
/* Bytes passed, in so many messages (0 where they are not looked into). */
void gate_record_pass(struct gate_record *record, enum gate_direction direction,
		      size_t bytes, unsigned messages);
/* So many messages were left out, because there was no room for them. */
void gate_record_drop(struct gate_record *record, uint64_t n);
/*
 * How it ends; the first word counts. @code 0: none is known. @reason is copied
 * and may be empty.
 */
void gate_record_end(struct gate_record *record, enum gate_by by, unsigned code,
		     struct bytes reason);
/* The same from a connection's end. */
struct sesame_end;
void gate_record_ended(struct gate_record *record, const struct sesame_end *end);
/* The route is now the one of another policy. */
void gate_record_move(struct gate_visit *v);
/* It is gone: count it, write its line, forget it. */
void gate_record_close(struct gate_visit *v);

/* The line of a request that is no handshake and has its answer. */
void gate_record_answer(struct gate_visit *v, int status, size_t bytes);

/* A refusal, or one that was only observed. */
void gate_record_refusal(struct gate_visit *v, enum why_cause cause,
			 bool observed);
/* The line of a refusal, where a log is set. */
void gate_record_write_story(struct gate_access_log *log,
			     const struct gate_story *story);

#endif
