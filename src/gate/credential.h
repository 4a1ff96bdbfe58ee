/* SPDX-License-Identifier: MIT */
/*
 * Who a client says it is, and whether that is so. Pure but for
 * gate_token_load(): the time is an argument, and what takes long (a password)
 * is left to whoever has a thread for it.
 *
 * The settings, below a route's allow:
 *   token.from           a list of header, header:NAME, cookie:NAME,
 *                        query:NAME, subprotocol, subprotocol:MARKER; they
 *                        are looked at in this order, the first that is there
 *                        counts, and no other place does. Default: [header]
 *   token.jwt            see gate/jwt.h
 *   token.hashes_file    see gate/tokens.h
 *   token.htpasswd_file  see gate/users.h; needs header among from
 * One of the last three at least. A bearer token is looked for among the
 * hashes first, which is cheap, and is a JWT otherwise.
 */
#ifndef GATE_CREDENTIAL_H
#define GATE_CREDENTIAL_H

#include "gate/jwt.h"
#include "gate/places.h"
#include "gate/tokens.h"
#include "gate/users.h"

#define GATE_MAX_FROM 8

struct gate_token_settings {
	struct gate_place at; /* of allow.token; line 0: not given */
	struct gate_from *from;
	size_t n_from; /* 0: header alone */
	struct gate_jwt_settings jwt;
	struct gate_file_name hashes_file, htpasswd_file;
	bool strip; /* it from what the server behind is sent */
	/* made of the files by gate_token_load() */
	struct gate_keys *keys;
	struct gate_tokens *tokens;
	struct gate_users *users;
};

/*
 * Read what the settings name. False: complaints say what is wrong, which is
 * as well what does not go together. With @open_files false the files are not
 * opened, and nobody is let in.
 */
bool gate_token_load(struct gate_token_settings *settings, bool open_files,
		     struct gate_complaints *wrong);
/*
 * Of settings that are at fault: complain of the files that they name, too.
 * Nobody is let in by them.
 */
void gate_token_load_files(struct gate_token_settings *settings,
			   struct gate_complaints *wrong);
/* Free all that is in the settings, texts too. */
void gate_token_fini(struct gate_token_settings *settings);
/* Add the algorithm called @text to the set @set; NULL, or what is wrong. */
const char *gate_algorithm_add(struct bytes text, unsigned *set);

/* What came of it. */
struct gate_credential {
	enum gate_fault fault; /* GATE_FAULT_NONE: let in */
	const char *detail;    /* more than the fault's sentence; "" for none */
	const char *method;    /* "jwt", "token", "basic"; NULL: none was read */
	const struct gate_from *from; /* where it stood; NULL: nowhere */
	const char *subject;	      /* who it is, printable; "" for nobody */
	int64_t expires_s;	      /* of a JWT; 0: never */
	unsigned line;		      /* of the setting that said no */
	const struct gate_compared *compared; /* what did not do; never NULL */
	json_t *claims;		      /* of a JWT; NULL: none */
	/*
	 * Not NULL: the fault stands until this has been checked, in a thread,
	 * by gate_password_check(); see gate_credential_settle().
	 */
	struct gate_password *password;
	/* room for the texts above */
	struct gate_jwt jwt;
	struct gate_compared other;
	char note[GATE_DETAIL_SIZE];
	char name[GATE_SUBJECT_SIZE];
};

/*
 * Look for credentials in @asked and check them at @now_s. A route without
 * settings (line 0) lets everybody in. Always sets *ret_credential, which is
 * to be emptied by gate_credential_fini() and not to be moved.
 */
void gate_credential_check(const struct gate_token_settings *settings,
			   const struct gate_asked *asked, int64_t now_s,
			   struct gate_credential *ret_credential);
/* Whether something stands where credentials are taken from, good or not. */
bool gate_credential_is_there(const struct gate_token_settings *settings,
			      const struct gate_asked *asked);
/* The password has been checked: sets the fault, and frees the password. */
void gate_credential_settle(struct gate_credential *credential, bool matches);
/* Free what it holds, and wipe a password. */
void gate_credential_fini(struct gate_credential *credential);

/*
 * The WWW-Authenticate fields of a refusal with @fault (RFC 9110 11.6.1, RFC
 * 6750 section 3), static. How many there are: 0 to 2.
 */
size_t gate_challenges(const struct gate_token_settings *settings,
		       enum gate_fault fault, struct ses_field ret[2]);

/*
 * Append what the server behind is offered: the subprotocols of @asked without
 * tokens and their markers, "a, b"; nothing when none is left. *ret_fallback
 * (borrowed from @asked; empty: none) is what to answer when that server
 * chooses none, because a browser that offers needs an answer among the
 * offers: the marker, or the offer with the token in it when it has no other.
 * Returns 0 or an error of the buffer.
 */
int gate_offers_write(const struct gate_token_settings *settings,
		      const struct gate_asked *asked, struct ses_buf *out,
		      struct bytes *ret_fallback);

#endif
