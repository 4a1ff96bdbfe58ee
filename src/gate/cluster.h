/* SPDX-License-Identifier: MIT */
/*
 * This gateway among those that share its backplane: its name, and what they
 * tell each other besides messages.
 */
#ifndef GATE_CLUSTER_H
#define GATE_CLUSTER_H

#include "gate/enquiry.h"
#include "gate/policy.h"
#include "gate/story.h"

struct gate_cluster;
struct hub_backplane;
struct hub_redis_figures;

#define GATE_NODE_SIZE 80 /* of a gateway's name, with its NUL */

/*
 * By what @policy says; @loop hears the answers. NULL: @text says what is
 * wrong.
 */
struct gate_cluster *gate_cluster_new(const struct gate_policy *policy,
				      struct sesame_loop *loop, char *text,
				      size_t text_size);
/* What the channels stand on, for hub_new(), once. NULL: no memory. */
struct hub_backplane *gate_cluster_backplane(struct gate_cluster *cluster);
/* The hub is gone. NULL is fine. */
void gate_cluster_free(struct gate_cluster *cluster);

/*
 * Let the others know why somebody was refused here: `sesame why` finds it from
 * any of them. For any thread, as long as the hub lives.
 */
void gate_cluster_tell(struct gate_cluster *cluster,
		       const struct gate_story *story);
/*
 * Let them know what a refused client was told, as JSON, by a name of it that
 * is asked for. @now_ms is a clock that never goes back. For any thread, as
 * long as the hub lives.
 */
void gate_cluster_repeat(struct gate_cluster *cluster, const char *name,
			 struct bytes json, uint64_t now_ms);
/* How many they were not told of, lest there be too many. */
uint64_t gate_cluster_untold(struct gate_cluster *cluster);
/*
 * What another gateway told of @reference. 1: *ret_story; 0: there is none, or
 * no backplane; -1: it could not be asked, @text says why.
 */
int gate_cluster_find(const struct gate_policy *policy, const char *reference,
		      struct gate_story *ret_story, char *text,
		      size_t text_size);

/* ---- For a loop; nothing here waits ---- */

/*
 * Those that another loop than the cluster's own asks; of the same life as
 * gate_enquiries_init() says.
 */
void gate_cluster_enquiries(const struct gate_cluster *cluster,
			    struct sesame_loop *loop,
			    struct gate_enquiries *ret_enquiries);
/* Ask what a refused client was told elsewhere; as gate_enquire(). */
struct gate_enquiry *gate_cluster_ask_told(struct gate_enquiries *enquiries,
					   const char *name,
					   gate_enquiry_done done, void *user);

/*
 * Ask for what others have left under @name (gate/enquiry.h). NULL: there is no
 * backplane, or it cannot be asked now.
 */
struct gate_enquiry *gate_cluster_ask(struct gate_cluster *cluster,
				      const char *name, gate_enquiry_done done,
				      void *user);
/* The same for why somebody was refused. */
struct gate_enquiry *gate_cluster_ask_why(struct gate_cluster *cluster,
					  const char *reference,
					  gate_enquiry_done done, void *user);
/* Whether @said is the story of @reference; *ret_story. What is none is blamed. */
bool gate_cluster_hear_why(struct gate_cluster *cluster,
			   const struct gate_note *said, const char *reference,
			   struct gate_story *ret_story);
/*
 * Leave @text for the others for @ttl_s, where there are any. Its name is
 * "@what:ID"; who asks for "@what:*" gets that of each gateway.
 */
void gate_cluster_note(struct gate_cluster *cluster, const char *what,
		       struct bytes text, unsigned ttl_s);
/* No gateway wrote that: it is counted, and told in the log. */
void gate_cluster_blame(struct gate_cluster *cluster,
			const struct gate_note *said);

/* How the backplane is, as long as the hub lives. False: there is none. */
bool gate_cluster_count(const struct gate_cluster *cluster,
			struct hub_redis_figures *ret_figures);
/* This one's. */
const char *gate_cluster_node(const struct gate_cluster *cluster);

#endif
