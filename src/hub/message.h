/* SPDX-License-Identifier: MIT */
/*
 * A message of a channel, shared by all who hold it: inboxes of seats, the
 * history or the state of its channel, whoever is sending it. It has its frame
 * for plain clients from the start and gets that for sesame.v1 when the first
 * one needs it; both are built once and sent to all.
 */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H

#include <stdatomic.h>

#include <sesame/protocol.h>

#include "base/buf.h"
#include "hub/id.h"

struct hub_channel;
struct hub_message;

/* A message in one inbox. */
struct hub_delivery {
	struct hub_delivery *next;
	struct hub_message *message;
};

enum hub_sort {
	HUB_MESSAGE, /* numbered */
	HUB_NEWS,    /* an envelope alone, for those who may see presence */
	HUB_LOOK,    /* nothing to send: members look what the channel holds */
};

struct hub_message {
	atomic_uint n_users;
	atomic_uint n_bringing; /* seats that have it in their inbox */
	uint8_t sort; /* enum hub_sort */
	uint8_t kind; /* enum sesame_kind */
	bool gone;    /* it takes its key away */
	bool on_way;  /* counts as such */
	struct hub_epoch epoch;
	uint64_t seq;
	uint32_t era; /* the channel's, when it was put on its way */
	uint64_t sender; /* id of a member; 0: nobody's */
	int64_t time_ms; /* since 1970 */
	size_t payload_len;
	struct ses_buf frame; /* ends with the payload */
	_Atomic(struct ses_buf *) envelope;
	struct hub_channel *channel; /* while it is on its way */
	uint16_t from_len, key_len;
	const char *text;	 /* from and key, behind the deliveries */
	struct hub_delivery delivery[]; /* one for each seat */
};

/* What a message is made of; all borrowed. */
struct hub_content {
	enum sesame_kind kind;
	struct bytes payload;
	struct bytes from; /* data NULL: not told */
	struct bytes key;  /* of a state channel; data NULL: none */
	bool gone;
	uint64_t sender;
};

/* With one user. @from and @key are 65535 bytes at most. NULL: no memory. */
struct hub_message *hub_message_new(const struct hub_content *content,
				    unsigned n_seats);
/* One that is its frame alone: @json as a text message. NULL: no memory. */
struct hub_message *hub_message_news(struct bytes json, unsigned n_seats);
static inline void hub_message_ref(struct hub_message *m)
{
	atomic_fetch_add(&m->n_users, 1);
}
/* True: it was the last user's, and is to be freed. */
static inline bool hub_message_unref(struct hub_message *m)
{
	return atomic_fetch_sub(&m->n_users, 1) == 1;
}
void hub_message_free(struct hub_message *m);

static inline struct bytes hub_message_payload(const struct hub_message *m)
{
	struct bytes frame = ses_buf_bytes(&m->frame);

	return bytes_from(frame, frame.len - m->payload_len);
}
static inline struct bytes hub_message_from(const struct hub_message *m)
{
	return bytes_of(m->from_len ? m->text : NULL, m->from_len);
}
static inline struct bytes hub_message_key(const struct hub_message *m)
{
	return bytes_of(m->text + m->from_len, m->key_len);
}
/* What it counts as, on its way and in a history. */
size_t hub_message_weight(const struct hub_message *m);
/*
 * The frame for plain clients, or that for sesame.v1. One that is far longer
 * than the message is not kept but written to @scratch, which is emptied
 * first. data NULL: no memory.
 */
struct bytes hub_message_frame(struct hub_message *m, bool envelope,
			       struct ses_buf *scratch);

#endif
