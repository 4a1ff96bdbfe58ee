/* SPDX-License-Identifier: MIT */
/* Hashes that htpasswd, openssl and crypt(3) have made, and the file of them. */
#include "gate/password.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/users.h"
#include "test.h"

#define X25 "xxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *hash, *password;
} rows[] = {
	/* htpasswd 2.4 -B, -m, -s */
	{"$2y$05$DT1pgzl6BKMQoQKxnqjsnOwzNoPFbiyK1JqWZfpJyL67AIA.o3/KW",
	 "open sesame"},
	{"$apr1$XH19hLg/$yOokoV0WqTA0YPP.JcZhy1", "open sesame"},
	{"{SHA}W8r/fyL/UzygmbNAjq2HbA67qac=", "open sesame"},
	{"$apr1$HOr40enJ$exTljAEt25qgzsehXUwII.", ""},
	{"$2y$04$xa8e9EwuDBQX./f3u1aQOu8b55WYsTy7QrLkbkHqG1KXBt2PWI5e2", ""},
	{"{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", ""},
	{"$apr1$ZOI3QXPc$T.tn66XxoTwm93hmmS5SW1", X25 X25 X25 X25},
	{"$apr1$f1GcMLZX$5wb6/aWiyezkkuTFSZjbh/", "p"},
	{"$apr1$EVp4Wf5c$egg8yU3xwyQZi/vxOI5gq/",
	 "p\xc3\xa4ssw\xc3\xb6rt\xe2\x82\xac"},
	{"$2y$04$aO5HYPBhvLUpH7RZhiYFiuzKHlLu3kFa3fBtq8BHAUN58Pk.6SAKq",
	 X25 X25 "xxxxxxxxxxxxxxxxxxxxxx"},
	/* openssl passwd */
	{"$apr1$abcdefgh$sxHfOFLANAYXeGF./FBFh.", "0123456789abcdef"},
	{"$apr1$a$zNcJqxMW4ckd4C2f.ntE9.", "0123456789abcdefg"},
	{"$5$saltstring$sOFRiuqOzKEQCZAIFmMrCbPuMEMUPOi/BmBpBwWMgW3",
	 "open sesame"},
	{"$6$s$zWw9u5w88GTgLiaJ6F69gOGWAbEejXqsfRHkjbwA9NDOjTajzYN4SDnNSUUn5U2"
	 "hi1MaILyyhN227qvERhn4x.",
	 "open sesame"},
	/* crypt(3) */
	{"$6$rounds=1000$salty$QvcxYUV21ScTZv8.mueDCk4AOzSQ4EW8bw.mHRy6o8Hg5Iu"
	 "yaQPGTGNCP4FEpcbZDLa9dfgKRGqyHL7R08tMM1",
	 "open sesame"},
	{"$5$rounds=77777$salty$aO0fotFLiiTZwDoB2As53THoGxCKtswjwQBUHOQHI/1",
	 "open sesame"},
};

TEST("the password of a hash matches, and none near it")
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].password);
		char *near = calloc(1, len + 2);
		uint8_t *copy = test_guarded(rows[i].password, len);

		assert_null(gate_hash_fault(bytes_of_str(rows[i].hash)));
		if (!gate_hash_matches(rows[i].hash, bytes_of(copy, len)))
			fail_msg("%s: not %s", rows[i].hash, rows[i].password);
		test_guard_free(copy, len);
		memcpy(near, rows[i].password, len);
		near[len] = 'x';
		assert_false(gate_hash_matches(rows[i].hash,
					       bytes_of(near, len + 1)));
		near[len] = '\0';
		assert_false(gate_hash_matches(rows[i].hash,
					       bytes_of(near, len + 1)));
		if (len) {
			assert_false(gate_hash_matches(
				rows[i].hash, bytes_of(near, len - 1)));
			near[0] ^= 0x20;
			assert_false(gate_hash_matches(rows[i].hash,
						       bytes_of(near, len)));
		}
		free(near);
	}
}

TEST("a hash that is cut, or is none, is refused when it is read")
{
	static const struct {
		const char *hash, *wrong;
	} bad[] = {
		{"", "is plain text, or crypt's old DES, both of which are "
		     "refused; `htpasswd -B FILE USER` writes bcrypt"},
		{"secret",
		 "is plain text, or crypt's old DES, both of which "
		 "are refused; `htpasswd -B FILE USER` writes bcrypt"},
		{"z/Z7.7wE6x9m6",
		 "is plain text, or crypt's old DES, both of which are "
		 "refused; `htpasswd -B FILE USER` writes bcrypt"},
		{"$1$abcdefgh$sxHfOFLANAYXeGF./FBFh.",
		 "is of a kind other than bcrypt, apr1, $5$ and $6$; "
		 "`htpasswd -B FILE USER` writes bcrypt"},
		{"$2y$16$DT1pgzl6BKMQoQKxnqjsnOwzNoPFbiyK1JqWZfpJyL67AIA.o3/KW",
		 "costs more than 15, so every try would take seconds"},
		{"$2y$03$DT1pgzl6BKMQoQKxnqjsnOwzNoPFbiyK1JqWZfpJyL67AIA.o3/KW",
		 "is no whole bcrypt hash"},
		{"$2y$05$DT1pgzl6BKMQoQKxnqjsnOwzNoPFbiyK1JqWZfpJyL67AIA.o3/"
		 "K\xff",
		 "is no whole bcrypt hash"},
		{"$apr1$$sxHfOFLANAYXeGF./FBFh.", "is no whole apr1 hash"},
		{"$apr1$abcdefghi$sxHfOFLANAYXeGF./FBFh.",
		 "is no whole apr1 hash"},
		{"{SHA}W8r/fyL/UzygmbNAjq2HbA67qac", "is no whole {SHA} hash"},
		{"{SHA}W8r/fyL/UzygmbNAjq2HbA67", "is no whole {SHA} hash"},
		{"$6$rounds=1000001$salty$x",
		 "has more than 1000000 rounds, so every try would take "
		 "seconds"},
		{"$5$rounds=$salty$x", "is no whole SHA-crypt hash"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_string_equal(gate_hash_fault(bytes_of_str(bad[i].hash)),
				    bad[i].wrong);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t len = 0; len < strlen(rows[i].hash); len++) {
			uint8_t *copy = test_guarded(rows[i].hash, len);

			assert_non_null(gate_hash_fault(bytes_of(copy, len)));
			test_guard_free(copy, len);
		}
}

/* ---- The file ---- */

static struct gate_complaints wrong;

static struct gate_users *read_users(const char *text)
{
	size_t len = strlen(text);
	uint8_t *copy = test_guarded(text, len);
	struct gate_secret_file file = {
		"users", bytes_of(copy, len), {3, 1}, &wrong};
	struct gate_users *users;

	wrong.n = 0;
	users = gate_users_read(&file);
	test_guard_free(copy, len);
	assert_int_equal(users != NULL, wrong.n == 0);
	return users;
}

#define FILE_TEXT                                         \
	"# people\n\n"                                    \
	"alice:$apr1$XH19hLg/$yOokoV0WqTA0YPP.JcZhy1\r\n" \
	"  bob:{SHA}W8r/fyL/UzygmbNAjq2HbA67qac=\n"       \
	"\xc3\xa9va:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="

static bool lets_in(const struct gate_users *users, const char *user,
		    const char *password)
{
	struct gate_password *p = gate_users_ask(users, bytes_of_str(user),
						 bytes_of_str(password));
	bool good;

	assert_non_null(p);
	good = gate_password_check(p);
	gate_password_free(p);
	return good;
}

TEST("a user is let in by the user's own password alone")
{
	struct gate_users *users = read_users(FILE_TEXT);

	assert_non_null(users);
	assert_true(lets_in(users, "alice", "open sesame"));
	assert_true(lets_in(users, "bob", "open sesame"));
	assert_true(lets_in(users, "\xc3\xa9va", ""));
	assert_false(lets_in(users, "alice", ""));
	assert_false(lets_in(users, "alice", "Open sesame"));
	assert_false(lets_in(users, "Alice", "open sesame"));
	assert_false(lets_in(users, "", ""));
	assert_false(lets_in(users, "# people", ""));
	/* Whoever's hash is tried for one who is not known. */
	for (char c = 'a'; c <= 'z'; c++) {
		char name[] = {'x', c, 0};

		assert_false(lets_in(users, name, "open sesame"));
		assert_false(lets_in(users, name, ""));
	}
	gate_users_free(users);
}

TEST("one who is not known costs the hash of somebody, always the same")
{
	struct gate_users *users = read_users(FILE_TEXT);
	unsigned dear = 0;

	for (char c = 'a'; c <= 'z'; c++) {
		char name[] = {'x', c, 0};
		struct gate_password *p, *q;

		p = gate_users_ask(users, bytes_of_str(name), BYTES("a"));
		q = gate_users_ask(users, bytes_of_str(name), BYTES("b"));
		assert_false(p->known);
		assert_int_equal(p->line, 0);
		assert_string_equal(p->hash, q->hash);
		assert_null(gate_hash_fault(bytes_of_str(p->hash)));
		dear += strncmp(p->hash, "$apr1$", 6) == 0;
		gate_password_free(p);
		gate_password_free(q);
	}
	assert_in_range(dear, 1, 25);
	gate_users_free(users);
}

TEST("a file of users with a fault is refused, each with its line")
{
	static const struct {
		const char *text, *wrong;
	} bad[] = {
		{"", "users: has no user"},
		{"# nobody\n\n", "users: has no user"},
		{"alice\n", "users:1: the line has no colon: a line is "
			    "USER:HASH"},
		{"\n:x\n", "users:2: the line needs a user of 1 to 128 bytes "
			   "before its colon"},
		{"alice:open sesame\n",
		 "users:1: the password is plain text, or crypt's old DES, "
		 "both of which are refused; `htpasswd -B FILE USER` writes "
		 "bcrypt"},
		{"alice:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n#\n"
		 "alice:{SHA}W8r/fyL/UzygmbNAjq2HbA67qac=\n",
		 "users:3: the line is for a user who stands in the file "
		 "before"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(read_users(bad[i].text));
		assert_string_equal(wrong.list[0].text, bad[i].wrong);
		assert_int_equal(wrong.list[0].at.line, 3);
	}
	assert_null(read_users("a:b\nc\nd:e\n"));
	assert_int_equal(wrong.n, 3);
}

/* ---- Threads ---- */

static void *check_often(void *arg)
{
	const struct gate_users *users = arg;
	size_t good = 0;

	for (int i = 0; i < 20; i++)
		good += lets_in(users, "alice", "open sesame") &&
			lets_in(users, "bob", "open sesame") &&
			!lets_in(users, "alice", "x") &&
			!lets_in(users, "carol", "x");
	return (void *)good;
}

TEST("passwords are checked by several threads at a time")
{
	struct gate_users *users = read_users(
		"alice:$6$rounds=1000$salty$QvcxYUV21ScTZv8.mueDCk4AOzSQ4EW8bw"
		".mHRy6o8Hg5IuyaQPGTGNCP4FEpcbZDLa9dfgKRGqyHL7R08tMM1\n"
		"bob:$apr1$XH19hLg/$yOokoV0WqTA0YPP.JcZhy1\n");
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, check_often, users),
			0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_int_equal((size_t)good, 20);
	}
	gate_users_free(users);
}
