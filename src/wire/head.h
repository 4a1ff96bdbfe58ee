/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 heads, request and response (RFC 9112): strict, incremental, with
 * limits on a line, on the number of fields and on the whole. The parser keeps
 * no bytes: the caller keeps the head in one piece and shows it again, longer.
 */
#ifndef WIRE_HEAD_H
#define WIRE_HEAD_H

#include "base/bytes.h"
#include "wire/fault.h"

#define SES_HEAD_MAX_FIELDS 128

struct ses_head_limits {
	size_t line_bytes;  /* longest line without its end; 0: 8 KiB */
	size_t total_bytes; /* whole head; 0: 32 KiB */
	size_t fields;	    /* 0: 100; at most SES_HEAD_MAX_FIELDS */
};

/* A parsed head. All parts are borrowed from the bytes that were shown. */
struct ses_head {
	bool is_request;
	int minor_version; /* of HTTP/1.x: 0 or 1 */
	/* of a request */
	struct bytes method;
	struct bytes target; /* as sent: "/chat?room=1" */
	/* of a response */
	int status;
	struct bytes reason;
	struct ses_field fields[SES_HEAD_MAX_FIELDS];
	size_t n_fields;
	size_t length; /* bytes of the head with its empty line */
};

struct ses_head_parser {
	struct ses_head_limits limits;
	bool is_request;
	/*
	 * For the doctor, who must read what real servers send: line ends in
	 * bare LF, blanks round names, odd bytes in values and folded lines
	 * (their value then holds the line ends) pass, as does any first line
	 * that begins with "HTTP/" (status 0 when it has none); fields over
	 * the limit are left out. The first such fault is kept in @tolerated.
	 */
	bool tolerant;
	enum ses_fault tolerated;
	size_t line_start; /* where the line that is not yet whole begins */
	size_t scanned;	   /* bytes looked at so far */
	size_t mark;	   /* where the element that is being read begins */
	size_t n_fields;   /* fields begun so far */
	unsigned state;	   /* what is being read: see head.c */
};

/* @limits may be NULL: the defaults. */
void ses_head_init(struct ses_head_parser *p, bool is_request,
		   const struct ses_head_limits *limits);
/*
 * Look at @in, all bytes so far from the head's first. Takes time linear in
 * the bytes that are new. Returns the head's length when it is whole (then
 * *ret_head is set), 0 when more is needed, or SESAME_EPROTO with *ret_fault,
 * as soon as the fault is visible.
 */
int ses_head_parse(struct ses_head_parser *p, struct bytes in,
		   struct ses_head *ret_head, enum ses_fault *ret_fault);
/*
 * The peer closed after @in: what can still be read of it. Tolerant parsers
 * accept a response cut anywhere after its status, and the line that is not
 * whole counts if it can be read; others say SES_FAULT_HEAD_CUT.
 */
int ses_head_finish(struct ses_head_parser *p, struct bytes in,
		    struct ses_head *ret_head, enum ses_fault *ret_fault);

/* The value of the first field @name, or an empty run with data NULL. */
static inline struct bytes ses_head_get(const struct ses_head *head,
					const char *name)
{
	const struct ses_field *field =
		ses_field_find(head->fields, head->n_fields, name);

	return field ? field->value : bytes_of(NULL, 0);
}

/* tchar (RFC 9110 5.6.2) for all bytes and at least one. */
bool ses_is_token(struct bytes text);
/* What to say of an offered subprotocol that is none. */
#define SES_SUBPROTOCOL_WRONG                                             \
	"a subprotocol is a word without blanks or any of ( ) < > @ , ; " \
	": \\ \" / [ ] ? = { }"
/* No CR, LF, NUL or other control byte but tab: fit for a field value. */
bool ses_is_field_value(struct bytes text);
/* How many bytes of body follow, by Content-Length; -1 none given, -2 bad. */
int64_t ses_head_content_length(const struct ses_head *head);

#endif
