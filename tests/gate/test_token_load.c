/* SPDX-License-Identifier: MIT */
/* Settings of credentials together with their files. */
#include "gate/credential.h"

#include <unistd.h>

#include "signing.h"
#include "tokens.h"

static struct gate_complaints wrong;

static bool lets_in(const struct gate_token_settings *s, struct bytes token)
{
	char value[512];
	struct ses_field field = {BYTES("Authorization"), {0}};
	struct gate_asked asked = {&field, 1, BYTES("/")};
	struct gate_credential c;
	bool good;

	snprintf(value, sizeof(value), "Bearer %.*s", BYTES_ARG(token));
	field.value = bytes_of_str(value);
	gate_credential_check(s, &asked, NOW, &c);
	good = c.fault == GATE_FAULT_NONE;
	gate_credential_fini(&c);
	return good;
}

static char *write_file(const char *text)
{
	char name[] = "/tmp/sesame-credential-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return strdup(name);
}

TEST("settings are loaded from their files")
{
	struct gate_token_settings s = {.at = {10, 3},
					.jwt.at = {11, 3},
					.hashes_file.at = {14, 3},
					.htpasswd_file.at = {15, 3}};
	char *names[5];

	wrong.n = 0;
	assert_null(gate_algorithm_add(BYTES("HS256"), &s.jwt.algorithms));
	assert_null(gate_algorithm_add(BYTES("ES256"), &s.jwt.algorithms));
	names[0] = s.jwt.secret_file.name = write_file(SECRET);
	names[1] = s.jwt.key_file.name = write_file(P256_PEM);
	names[2] = s.jwt.jwks_file.name = write_file(JWKS);
	names[3] = s.hashes_file.name = write_file(
		"a:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
		"15ad\n");
	names[4] = s.htpasswd_file.name =
		write_file("alice:$apr1$XH19hLg/$yOokoV0WqTA0YPP.JcZhy1\n");
	if (!gate_token_load(&s, true, &wrong))
		fail_msg("%s", wrong.list[0].text);
	assert_int_equal(s.keys->n, 4);
	assert_true(lets_in(&s, sign(SES_ALGORITHM_HS256, SECRET,
				     "{\"alg\":\"HS256\"}", "{}")));
	assert_true(lets_in(&s, BYTES("abc")));
	assert_false(lets_in(&s, BYTES("abcd")));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(names[i]);
	gate_token_fini(&s);
}

static bool complained_of(const char *text)
{
	for (size_t i = 0; i < wrong.n; i++)
		if (strcmp(wrong.list[i].text, text) == 0)
			return true;
	if (wrong.n)
		print_message("%s\n", wrong.list[0].text);
	return false;
}

TEST("settings that do not go together are refused, and files as well")
{
	static const char *const places[] = {"query:t", "subprotocol",
					     "subprotocol:x"};
	struct gate_token_settings s = {.at = {10, 3}};
	unsigned set = 0;
	char *name;

	assert_string_equal(gate_algorithm_add(BYTES("none"), &set),
			    "would let anybody make tokens: it is never taken");
	assert_non_null(gate_algorithm_add(BYTES("HS1"), &set));
	wrong.n = 0;
	assert_false(gate_token_load(&s, true, &wrong));
	assert_true(complained_of("token needs jwt, hashes_file or "
				  "htpasswd_file: something to check "
				  "credentials by"));
	s.jwt.at.line = 11;
	wrong.n = 0;
	assert_false(gate_token_load(&s, true, &wrong));
	assert_true(complained_of("jwt needs key_file, secret_file or "
				  "jwks_file"));
	s.jwt.at.line = 0;
	s.htpasswd_file.name = strdup("/nonexistent/users");
	s.from = calloc(ARRAY_LEN(places), sizeof(*s.from));
	for (; s.n_from < ARRAY_LEN(places); s.n_from++) {
		s.from[s.n_from].text = strdup(places[s.n_from]);
		assert_null(gate_from_read(&s.from[s.n_from]));
	}
	wrong.n = 0;
	assert_false(gate_token_load(&s, false, &wrong));
	assert_true(
		complained_of("htpasswd_file needs \"header\" in from: "
			      "names and passwords come in no other place"));
	assert_true(complained_of("from has more than one subprotocol: what is "
				  "no token for the one could be one for the "
				  "other"));
	gate_token_fini(&s);

	s = (struct gate_token_settings){.at = {10, 3}, .jwt.at = {11, 3}};
	s.htpasswd_file.name = strdup("/nonexistent/users");
	s.hashes_file.name = strdup("/tmp");
	name = s.jwt.key_file.name = write_file(P256_PEM);
	s.jwt.algorithms = SES_ALGORITHM_BIT(SES_ALGORITHM_ES256) |
			   SES_ALGORITHM_BIT(SES_ALGORITHM_RS256);
	wrong.n = 0;
	assert_true(gate_token_load(&s, false, &wrong));
	assert_false(gate_token_load(&s, true, &wrong));
	assert_int_equal(wrong.n, 3);
	assert_true(complained_of("/nonexistent/users: cannot be read: No such "
				  "file or directory"));
	assert_true(complained_of("/tmp: cannot be read: it is no file"));
	assert_true(complained_of("algorithms has RS256, but no key is for "
				  "it"));
	unlink(name);
	gate_token_fini(&s);
}
