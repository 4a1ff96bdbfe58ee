/* SPDX-License-Identifier: MIT */
/*
 * Users and the hashes of their passwords, from a file as htpasswd writes it.
 * Who is meant is found out at once; whether the password is right takes long
 * and is asked apart, in another thread. Pure.
 */
#ifndef GATE_USERS_H
#define GATE_USERS_H

#include "gate/password.h"
#include "gate/secret_file.h"

#define GATE_USER_MAX 128 /* bytes */

struct gate_users;

/* Read "USER:HASH" lines; "#" begins a comment. NULL: complaints say why. */
struct gate_users *gate_users_read(const struct gate_secret_file *file);
void gate_users_free(struct gate_users *users);

/* A password that is to be checked; it stands by itself. */
struct gate_password {
	char hash[GATE_HASH_MAX + 1];
	char password[GATE_PASSWORD_MAX + 1];
	size_t password_len;
	bool known;    /* there is such a user */
	unsigned line; /* of the user; 0: unknown */
};

/*
 * What is to be checked for @user. For one who is not known it is the hash of
 * somebody else, always the same one, so that it takes as long. Takes the same
 * time for all. NULL: no memory. Free with gate_password_free().
 */
struct gate_password *gate_users_ask(const struct gate_users *users,
				     struct bytes user, struct bytes password);
/* The slow part; any thread may. False for all who are not known. */
bool gate_password_check(const struct gate_password *password);
/* Wipes it. NULL is fine. */
void gate_password_free(struct gate_password *password);

#endif
