/* SPDX-License-Identifier: MIT */
/*
 * The story of one refusal, as the journal keeps it and as people read it:
 * what was asked, from where, which rule said no, what would have passed and
 * what to write to let it in. All text in it is fit for a terminal.
 */
#ifndef GATE_STORY_H
#define GATE_STORY_H

#include <string.h>

#include "base/buf.h"
#include "gate/admit.h"
#include "why/reference.h"

struct gate_story {
	char reference[WHY_REFERENCE_SIZE];
	int64_t time_ms; /* since 1970 */
	int status;
	bool observed; /* it was let in: the route only observes */
	char cause[40]; /* "ok": a handshake that was let in */
	int64_t count;	/* of an admitted kind: how many there were */
	int64_t first_ms; /* and when the first one came */
	/* what was asked; "" for what was not sent */
	char method[16], target[512], host[128], origin[256], user_agent[256];
	char protocols[160]; /* subprotocols offered */
	char address[64];
	char hops[320]; /* from where it is known; "" when it connected itself */
	char listener[80]; /* "ws://127.0.0.1:8080" */
	bool secure;	   /* the client came by TLS, maybe to a hop before */
	/* who it was, as far as credentials tell; no secret is among it */
	char credential[24]; /* "jwt", "token", "basic" */
	char fault[40];	     /* what was wrong with it, by name */
	char subject[128];
	char certificate[400]; /* the names in the client's */
	/* what said no */
	char route[160], upstream[160];
	char check[16];	 /* "origin"; "" when no rule did */
	char rule[280];	 /* the entry, or the default in words; or what is
			  * taken, see gate_story_is_content() */
	bool preset;	 /* the rule is a default that stands in no file */
	char file[256];	 /* "" when no rule did */
	char whole_file[512]; /* from the root on; "": not known */
	unsigned line;	 /* of the rule; of its route for a default */
	char compared[256];
	char nearest[280];
	char note[256];	 /* what else is known, a sentence */
	char trace[4096]; /* the looks at the lists, as a JSON array */
	char node[80];	  /* another gateway, whose story it is; "" */
};

/* A connection that was open, and cut; its status is the close code. */
static inline bool gate_story_is_cut(const struct gate_story *story)
{
	return story->status >= 1000;
}

#define GATE_CHECK_MESSAGE "message" /* of a client that is let in */
#define GATE_CHECK_REQUEST "request" /* of a program, to a channel */

/* Whether it is about what was sent, which no rule is against: story->rule says
 * what would have been taken, and story->note what is wrong. */
static inline bool gate_story_is_content(const struct gate_story *story)
{
	return strcmp(story->check, GATE_CHECK_MESSAGE) == 0 ||
	       strcmp(story->check, GATE_CHECK_REQUEST) == 0;
}

/* Make it one of these: @check, and @takes. */
void gate_story_put_content(struct gate_story *story, const char *check,
			    const char *takes);
/* Name the file of @policy, in which its rules are. */
void gate_story_put_file(struct gate_story *story,
			 const struct gate_policy *policy);
/* Whether its trace says that the client brought none, where some are wanted. */
bool gate_story_has_no_credentials(const struct gate_story *story);

/* "refused", "observed" or "cut". */
static inline const char *gate_story_verb(const struct gate_story *story)
{
	return gate_story_is_cut(story) ? "cut"
	       : story->observed	? "observed"
					: "refused";
}

/* Fill in what @request says. */
void gate_story_ask(struct gate_story *story, const struct gate_request *request);
/*
 * Fill in what @decision says; @policy is the one that it was made by. As
 * upstream stands the first of the route's servers.
 */
void gate_story_decide(struct gate_story *story, const struct gate_policy *policy,
		       const struct gate_decision *decision);
/*
 * After that: put behind the looks of a refusal those that would have been
 * next, so that the trace tells what else would refuse.
 */
void gate_story_survey(struct gate_story *story, const struct gate_policy *policy,
		       const struct gate_request *request,
		       const struct gate_decision *decision);
/* Whether it is about the method, such as a POST where nobody publishes. */
bool gate_story_is_method(const struct gate_story *story);
/* Whether the headline is its note, which says more than its cause. */
bool gate_story_note_is_headline(const struct gate_story *story);
#define GATE_HEADLINE_SIZE 512
/* What it is, in a sentence. False: its cause is none that is known. */
bool gate_story_headline(const struct gate_story *story,
			 char out[GATE_HEADLINE_SIZE]);
/*
 * What the operator can do, in lines that end in a newline; lines to paste
 * begin with blanks. In advice.c. 0 or an error of the buffer.
 */
int gate_story_advise(const struct gate_story *story, struct ses_buf *out);
/*
 * Take the looks of @json, which anybody may have written, for its trace: none
 * of them where it is NULL, too long or no array. 0, or SESAME_ENOMEM, and then
 * there are none as well.
 */
int gate_story_put_trace(struct gate_story *story, const char *json);
/* Read one that another gateway wrote. False: it is none. */
bool gate_story_read(struct bytes json, struct gate_story *ret_story);
/* The story as a JSON object, to be released. NULL: no memory. */
struct json_t *gate_story_object(const struct gate_story *story);
/* Its text, to be freed. NULL: no memory. */
char *gate_story_json(const struct gate_story *story, bool pretty);

#endif
