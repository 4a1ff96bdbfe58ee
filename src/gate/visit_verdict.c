/* SPDX-License-Identifier: MIT */
/*
 * What the hub does not take or have, in words: a row for each verdict, and
 * from it the answer to a request and the error of an open connection.
 */
#include "gate/visit_inner.h"

#include <assert.h>

#include "gate/awaited.h"
#include "gate/outage.h"

struct row {
	enum why_cause cause;
	int status;
	const char *sentence; /* of an answer by HTTP */
	const char *word;     /* of sesame.v1; NULL: no message gets it */
	const char *text;     /* for a member */
	const char *note;     /* for the operator */
	bool backplane;	      /* it does not take part */
};

static const struct row rows[] = {
	[HUB_CHANNELS_FULL] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence = "There is no room for a further channel",
			.word = "busy",
			.text = "there is no room for a further channel",
			.note = "hub.channels of this route is reached",
		},
	[HUB_MEMBERS_FULL] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence =
				"There is no room for a further member of this "
				"channel",
			.note = "hub.members of this channel is reached",
		},
	[HUB_STATE_FULL] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence = "There is no room for a further key",
			.word = "full",
			.text = "no room for a further key",
			.note = "hub.keys, or the bytes of a state, are "
				"reached",
		},
	[HUB_BUSY] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence =
				"Too many messages are on their way; try again "
				"later",
			.word = "busy",
			.text = "the gateway holds no more",
			.note = "too many messages were on their way",
		},
	[HUB_TOO_OFTEN] =
		{
			.cause = WHY_ACCESS_RATE,
			.status = 429,
			.sentence =
				"Too many messages in this channel; try again "
				"later",
			.word = "rate",
			.text = "too many messages in this channel",
			.note = "its channel got more messages than "
				"hub.rates.channel "
				"allows",
		},
	[HUB_OTHER_BODY] =
		{
			.cause = WHY_CLIENT_BAD_HANDSHAKE,
			.status = 422,
			.sentence = "This Idempotency-Key was used for another "
				    "body",
			.note = "this Idempotency-Key was used for another "
				"body",
		},
	[HUB_UNAVAILABLE] =
		{
			.cause = WHY_SERVER_BACKEND_DOWN,
			.status = 503,
			.sentence =
				"The channel is not available; try again later",
			.word = "unavailable",
			.text = "the channel is not available",
			.note = "the backplane took nothing",
			.backplane = true,
		},
	[HUB_STORE_FULL] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence = "The store of the channels is full; try "
				    "again later",
			.word = "storage",
			.text = "the store of the channels is full",
			.note = GATE_OUTAGE_FULL,
			.backplane = true,
		},
	[HUB_UNKNOWN] =
		{
			.cause = WHY_SERVER_BACKEND_DOWN,
			.status = 503,
			.sentence = "The channel did not answer in time. "
				    "Nobody knows "
				    "whether this was published: send it again "
				    "with "
				    "the same Idempotency-Key, if it had one.",
			.word = "unknown",
			.text = "nobody knows whether this was published",
			.note = "the backplane went away before it answered",
			.backplane = true,
		},
	[HUB_NO_MEMORY] =
		{
			.cause = WHY_SERVER_LIMIT,
			.status = 503,
			.sentence = GATE_NO_ROOM,
			.word = "busy",
			.text = "there is no memory; try again later",
			.note = "out of memory",
		},
};

static const struct row *row_of(enum hub_verdict verdict)
{
	assert(verdict > HUB_OK && verdict < HUB_LATER);
	return &rows[verdict];
}

struct gate_refusal gate_verdict_refusal(enum hub_verdict verdict)
{
	const struct row *row = row_of(verdict);

	return (struct gate_refusal){
		.cause = row->cause,
		.status = row->status,
		.sentence = row->sentence,
		.note = row->note,
		.backplane = row->backplane,
	};
}

struct gate_unwanted gate_verdict_unwanted(enum hub_verdict verdict)
{
	const struct row *row = row_of(verdict);

	return (struct gate_unwanted){
		.cause = row->cause,
		.status = row->status,
		.code = 1013,
		.word = row->word,
		.text = row->text,
		.note = row->note,
		.backplane = row->backplane,
	};
}

enum gate_outcome gate_visit_refuse_verdict(struct gate_visit *v,
					    enum hub_verdict verdict)
{
	struct gate_refusal why = gate_verdict_refusal(verdict);

	return gate_visit_refuse(v, &why);
}

enum gate_outcome gate_visit_refuse_unanswered(struct gate_visit *v)
{
	struct gate_refusal why = gate_verdict_refusal(HUB_UNKNOWN);

	why.note = "the backplane did not answer in time";
	if (!v->asking->request.is_post)
		why.sentence = "The channel did not answer in time; try again "
			       "later.";
	return gate_visit_refuse(v, &why);
}

static bool is_store_full(struct gate_visit *v)
{
	struct gate_outage outage;

	gate_outage_see(v->gate->cluster, v->policy, v->gate->loop->now_ms,
			&outage);
	return outage.full;
}

enum gate_outcome gate_visit_refuse_unreached(struct gate_visit *v,
					      enum hub_verdict verdict)
{
	bool silent = verdict == HUB_UNAVAILABLE;
	struct gate_refusal why;

	if (silent && is_store_full(v))
		return gate_visit_refuse_verdict(v, HUB_STORE_FULL);
	why = gate_verdict_refusal(verdict);
	if (silent)
		why.note = "the backplane did not tell what the channel holds";
	return gate_visit_refuse(v, &why);
}
