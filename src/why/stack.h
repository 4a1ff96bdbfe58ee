/* SPDX-License-Identifier: MIT */
/*
 * Which software wrote an HTTP answer. Stacks are rows (stacks.def), and so
 * are the marks by which they are known (marks.def): a header, a phrase of
 * the body, an odd status line. Recognition is pure: it looks at one answer.
 */
#ifndef WHY_STACK_H
#define WHY_STACK_H

#include "base/bytes.h"

enum why_layer {
	WHY_LAYER_NONE,
	WHY_LAYER_CLIENT,
	WHY_LAYER_FORWARD_PROXY,
	WHY_LAYER_CDN,
	WHY_LAYER_REVERSE_PROXY,
	WHY_LAYER_SERVER,
	WHY_LAYER_APPLICATION,
};

enum why_stack {
	WHY_STACK_NONE,
#define STACK(symbol, ...) WHY_STACK_##symbol,
#include "why/stacks.def"
#undef STACK
	WHY_N_STACKS
};

struct why_stack_row {
	const char *id;	     /* "nginx" */
	const char *name;    /* "nginx" as people write it */
	enum why_layer layer; /* where it usually stands */
};

/* One HTTP answer as it came; everything borrowed for the call. */
struct why_answer {
	int status;
	struct bytes reason; /* the reason phrase */
	const struct ses_field *fields;
	size_t n_fields;
	struct bytes body; /* as much of it as was read */
	/* The path that was asked for, with its query. Where the body repeats it,
	 * that says nothing of who wrote it. */
	struct bytes asked;
};

/* How much a mark says about who wrote the answer. */
enum why_role {
	WHY_HOP,    /* the answer passed here; who wrote it is open */
	WHY_OWNER,  /* a server's own field, which relays leave or replace */
	WHY_WRITER, /* nobody else says it like this */
};

/* What is known of who wrote an answer. */
struct why_hop {
	enum why_stack stack;
	char text[64]; /* "nginx/1.22.1": with the version where it showed */
	char mark[96]; /* what betrayed it: "Server: nginx/1.22.1", printable */
	/* what the answer says of its place; order.c puts that together */
	enum why_role role;
	uint8_t via;	/* its entry in Via, counted from here; 0: none */
	bool is_next;	/* wrote the fields of our own connection */
	bool is_behind; /* another one did, whom Via names */
};

#define WHY_MAX_HOPS 6
struct why_hops {
	struct why_hop hop[WHY_MAX_HOPS]; /* from the client on */
	size_t n;
	int writer; /* index of the one that wrote this answer, or -1: unknown */
};

const struct why_stack_row *why_stack(enum why_stack stack);
/* The stack of this id, name, half of a name, or of stack_names.def; NONE. ASCII
 * case makes no difference. */
enum why_stack why_stack_find(struct bytes name);
/* The @i-th name of stack_names.def, or NULL. */
const char *why_stack_alias(size_t i);
/* Whether @whole is built on @part, so that one hop leaves the marks of both. */
bool why_contains(enum why_stack whole, enum why_stack part);
/* "reverse-proxy", as diagnosis.schema.json spells layers; NULL for NONE. */
const char *why_layer_name(enum why_layer layer);
/*
 * Every stack that left a mark in @answer, nearest first, and which of them
 * wrote it: a mark that only the application can produce beats the Server
 * field of a hop that relayed it.
 */
void why_recognise(const struct why_answer *answer, struct why_hops *ret_hops);
/*
 * Add to @hops those that only @more shows, another answer that came the same
 * way, where they usually stand. The writer stays the same.
 */
void why_join_hops(struct why_hops *hops, const struct why_hops *more);
/*
 * Put @hops into the order of the way, from the client on, by what @answer (@n
 * of them, no 101) shows: Via first, then whose words passed whom. What no
 * answer tells stays as it is.
 */
void why_order_hops(struct why_hops *hops, const struct why_hops *const *answer,
		    size_t n);

#endif
