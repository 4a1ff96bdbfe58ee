/* SPDX-License-Identifier: MIT */
/*
 * Reading maps by the rows of settings.def: each key finds its row, and the
 * row its reader and the place in the policy for what is read.
 */
#ifndef GATE_READING_H
#define GATE_READING_H

#include "gate/yaml.h"

typedef void (*gate_read_fn)(struct gate_reader *r, const struct gate_item *i,
			     void *to);

/* How the value of a setting is read. */
struct gate_reading {
	gate_read_fn read;
	size_t offset; /* of its place in the struct that the map is for */
};

/* The reading of each setting; in config.c. */
extern const struct gate_reading gate_readings[GATE_N_SETTINGS];

/* Which settings a map had. */
struct gate_seen {
	bool row[GATE_N_SETTINGS];
};

/*
 * Read a map into the struct @to. @path is that of its keys with the last dot:
 * "routes[].allow.".
 */
void gate_read_map(struct gate_reader *r, const char *path,
		   const struct gate_item *map, void *to,
		   struct gate_seen *ret_seen);
/* A map below another; false when the item is none. */
bool gate_read_submap(struct gate_reader *r, const struct gate_item *i,
		      void *to, struct gate_seen *ret_seen);
/* Complain when a setting is not there. */
void gate_need(struct gate_reader *r, const struct gate_seen *seen,
	       enum gate_setting setting, struct gate_place at);
/*
 * Each element of a list of maps in turn, into an array of @size big elements
 * that is made for it.
 */
void *gate_read_maps(struct gate_reader *r, const struct gate_item *i,
		     size_t size, gate_read_fn read, size_t *ret_n);

/* Complain of a list with too few or too many elements; returns if it fits. */
bool gate_fits(struct gate_reader *r, const struct gate_item *i, size_t n);

/* A map of names that no row knows, with as many pairs as its row allows. */
bool gate_want_pairs(struct gate_reader *r, const struct gate_item *i,
		     size_t *ret_n);

/*
 * A list of texts that @wrong_with finds nothing wrong with, as a sentence
 * without its subject: copies of them, to be freed, and how many.
 */
char **gate_read_texts(struct gate_reader *r, const struct gate_item *i,
		       const char *(*wrong_with)(struct bytes text),
		       size_t *ret_n);

/* A text or a list of texts: how many there are; 0 when too many. */
size_t gate_texts_of(struct gate_reader *r, const struct gate_item *i);
/* Step through them; *state begins as NULL. */
bool gate_next_text(const struct gate_item *i, void **state,
		    struct gate_item *ret_element);

/*
 * What was allocated. Where there was no memory that is a complaint like any
 * other: a rule that is not there must never be one that lets all in.
 */
void *gate_enough(struct gate_reader *r, void *memory);
/* A text of its own, or NULL with a complaint. */
char *gate_copy(struct gate_reader *r, struct bytes text);
char *gate_print(struct gate_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Replace what @to holds. */
void gate_put(char **to, char *text);

/* ---- Readers: @to is a uint64_t for numbers and choices, a bool for flags,
 * a char * for texts and files; a map's own struct for maps ---- */

void gate_read_plain_map(struct gate_reader *r, const struct gate_item *i,
			 void *to);
void gate_read_number(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_choice(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_flag(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_text(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_file_name(struct gate_reader *r, const struct gate_item *i,
			 void *to);

/* ---- The parts of the file, a source file each ---- */

void gate_read_listen(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_listen_address(struct gate_reader *r, const struct gate_item *i,
			      void *to);
void gate_read_listen_tls(struct gate_reader *r, const struct gate_item *i,
			  void *to);
void gate_read_listen_identities(struct gate_reader *r,
				 const struct gate_item *i, void *to);
void gate_read_routes(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_route_path(struct gate_reader *r, const struct gate_item *i,
			  void *to);
void gate_read_route_to(struct gate_reader *r, const struct gate_item *i,
			void *to);
void gate_read_route_host(struct gate_reader *r, const struct gate_item *i,
			  void *to);
void gate_read_route_mode(struct gate_reader *r, const struct gate_item *i,
			  void *to);
void gate_read_route_origin(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_route_headers(struct gate_reader *r, const struct gate_item *i,
			     void *to);
/* A flag whose opposite is kept. */
void gate_read_verify(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_health(struct gate_reader *r, const struct gate_item *i,
		      void *to);
void gate_read_health_path(struct gate_reader *r, const struct gate_item *i,
			   void *to);
/* What the settings of a route's target mean together. */
void gate_check_target(struct gate_reader *r, const struct gate_item *i,
		       const struct gate_seen *seen, struct gate_route *route);
/* ---- config_hub.c: what belongs to `to: hub` and `to: files` ---- */

void gate_read_publish(struct gate_reader *r, const struct gate_item *i,
		       void *to);
void gate_read_history(struct gate_reader *r, const struct gate_item *i,
		       void *to);
/* @to is a struct gate_may. */
void gate_read_may(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_check_hub(struct gate_reader *r, const struct gate_item *i,
		    const struct gate_seen *seen, struct gate_route *route);
void gate_check_files(struct gate_reader *r, const struct gate_item *i,
		      const struct gate_seen *seen, struct gate_route *route);
/* ---- config_backplane.c ---- */

void gate_read_backplane(struct gate_reader *r, const struct gate_item *i,
			 void *to);
void gate_read_backplane_ca(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_node(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_check_backplane(struct gate_reader *r);
/* ---- config_operation.c ---- */

void gate_read_journal_file(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_log(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_log_file(struct gate_reader *r, const struct gate_item *i,
			void *to);
void gate_read_admin(struct gate_reader *r, const struct gate_item *i,
		     void *to);
void gate_read_admin_address(struct gate_reader *r, const struct gate_item *i,
			     void *to);
void gate_read_admin_hosts(struct gate_reader *r, const struct gate_item *i,
			   void *to);
/* @to is a struct gate_expectation. */
void gate_read_test_headers(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_test_certificate(struct gate_reader *r,
				const struct gate_item *i, void *to);
void gate_read_explain(struct gate_reader *r, const struct gate_item *i,
		       void *to);
void gate_read_stop(struct gate_reader *r, const struct gate_item *i, void *to);
/* A user or a group. */
void gate_read_admin_socket(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_pid_file(struct gate_reader *r, const struct gate_item *i,
			void *to);
void gate_read_user(struct gate_reader *r, const struct gate_item *i, void *to);
/* The admin listener beside the others. */
void gate_check_admin(struct gate_reader *r);

/* An empty one at *@to, for what is read of the map @i; NULL: it is none. */
struct gate_token_settings *
gate_read_token_map(struct gate_reader *r, const struct gate_item *i,
		    struct gate_token_settings **to,
		    struct gate_seen *ret_seen);
/* `allow.token`; @to is a struct gate_token_settings *, made here. */
void gate_read_token(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_token_from(struct gate_reader *r, const struct gate_item *i,
			  void *to);
/* @to is a struct gate_file_name. */
void gate_read_token_file(struct gate_reader *r, const struct gate_item *i,
			  void *to);
void gate_read_jwt(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_jwt_algorithms(struct gate_reader *r, const struct gate_item *i,
			      void *to);
void gate_read_jwt_claims(struct gate_reader *r, const struct gate_item *i,
			  void *to);
/* Claims as a map, made at *ret_claims; how many. */
struct gate_claim;
size_t gate_read_claims(struct gate_reader *r, const struct gate_item *i,
			struct gate_claim **ret_claims);
/* @to is a struct gate_word, or struct gate_words for a text or a list. */
void gate_read_word(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_words(struct gate_reader *r, const struct gate_item *i, void *to);
/* What the file expects of itself. */
void gate_read_tests(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_expect(struct gate_reader *r, const struct gate_item *i,
		      void *to);
/* ---- config_allow.c ---- */

/* A list of `allow`: struct gate_rules. */
void gate_read_rules(struct gate_reader *r, const struct gate_item *i, void *to);
void gate_read_subprotocols(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_certificates(struct gate_reader *r, const struct gate_item *i,
			    void *to);
void gate_read_authority(struct gate_reader *r, const struct gate_item *i,
			 void *to);
void gate_read_authority_url(struct gate_reader *r, const struct gate_item *i,
			     void *to);
/* `headers` or `copy`. */
void gate_read_authority_names(struct gate_reader *r,
			       const struct gate_item *i, void *to);
void gate_read_message_limit(struct gate_reader *r, const struct gate_item *i,
			     void *to);
/* A rate alone, as a struct gate_limit. */
void gate_read_rate_limit(struct gate_reader *r, const struct gate_item *i,
			  void *to);
/* One of struct gate_limits. */
void gate_read_limit(struct gate_reader *r, const struct gate_item *i, void *to);
/* What the settings of a route's `allow` and `limits` mean together. */
void gate_check_allow(struct gate_reader *r, const struct gate_item *i,
		      struct gate_route *route);

#endif
