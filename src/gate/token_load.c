/* SPDX-License-Identifier: MIT */
/* The files that a route's credentials are checked by, and whether its
 * settings go together. */
#include <stdlib.h>

#include "gate/credential.h"

const char *gate_algorithm_add(struct bytes text, unsigned *set)
{
	enum ses_algorithm algorithm;

	if (bytes_equal_nocase(text, BYTES("none")))
		return "would let anybody make tokens: it is never taken";
	if (!ses_algorithm_read(text, &algorithm))
		return "is none of HS256, HS384, HS512, RS256, RS384, RS512, "
		       "PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA";
	if (*set & SES_ALGORITHM_BIT(algorithm))
		return "stands in the list before";
	*set |= SES_ALGORITHM_BIT(algorithm);
	return NULL;
}

/* Open @name and hand it to one of the functions that read. */
static bool load(const struct gate_file_name *name,
		 struct gate_complaints *wrong,
		 bool (*read)(struct gate_token_settings *s,
			      const struct gate_secret_file *file),
		 struct gate_token_settings *s)
{
	struct gate_secret_file file = {
		.name = name->name, .at = name->at, .wrong = wrong};
	struct ses_buf content;
	bool good;

	if (!name->name)
		return true;
	if (!gate_secret_file_open(&file, &content))
		return false;
	good = read(s, &file);
	gate_secret_file_close(&content);
	return good;
}

static bool read_pem(struct gate_token_settings *s,
		     const struct gate_secret_file *file)
{
	return gate_keys_add_pem(s->keys, file);
}

static bool read_secret(struct gate_token_settings *s,
			const struct gate_secret_file *file)
{
	return gate_keys_add_secret(s->keys, file);
}

static bool read_jwks(struct gate_token_settings *s,
		      const struct gate_secret_file *file)
{
	return gate_keys_add_jwks(s->keys, file);
}

static bool read_hashes(struct gate_token_settings *s,
			const struct gate_secret_file *file)
{
	s->tokens = gate_tokens_read(file);
	return s->tokens != NULL;
}

static bool read_htpasswd(struct gate_token_settings *s,
			  const struct gate_secret_file *file)
{
	s->users = gate_users_read(file);
	return s->users != NULL;
}

/* An algorithm that the list has and no key can check is a mistake. */
static bool check_algorithms(const struct gate_token_settings *s,
			     struct gate_complaints *wrong)
{
	unsigned unused = s->jwt.algorithms & ~s->keys->algorithms;
	char text[128];

	if (!unused || s->jwt.jwks_file.name)
		return true; /* a key set may get its keys later */
	gate_complain(wrong, s->jwt.at,
		      "algorithms has %s, but no key is for "
		      "it",
		      gate_algorithms_text(unused, text, sizeof(text)));
	return false;
}

static bool load_keys(struct gate_token_settings *s,
		      struct gate_complaints *wrong)
{
	const struct gate_jwt_settings *jwt = &s->jwt;
	bool good;

	s->keys = gate_keys_new(jwt->algorithms);
	if (!s->keys) {
		gate_complain(wrong, jwt->at, "there is no memory for keys");
		return false;
	}
	good = load(&jwt->key_file, wrong, read_pem, s);
	good = load(&jwt->secret_file, wrong, read_secret, s) && good;
	good = load(&jwt->jwks_file, wrong, read_jwks, s) && good;
	return good && check_algorithms(s, wrong);
}

static size_t count_from(const struct gate_token_settings *s,
			 enum gate_place_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_from; i++)
		n += s->from[i].kind == kind;
	return n;
}

/* What goes together and what does not. */
static bool check_settings(const struct gate_token_settings *s,
			   struct gate_complaints *wrong)
{
	const struct gate_jwt_settings *jwt = &s->jwt;
	bool good = true;

	if (!jwt->at.line && !s->hashes_file.name && !s->htpasswd_file.name) {
		gate_complain(wrong, s->at,
			      "token needs jwt, hashes_file or htpasswd_file: "
			      "something to check credentials by");
		good = false;
	}
	if (jwt->at.line && !jwt->key_file.name && !jwt->secret_file.name &&
	    !jwt->jwks_file.name) {
		gate_complain(wrong, jwt->at,
			      "jwt needs key_file, secret_file or jwks_file");
		good = false;
	}
	if (count_from(s, GATE_FROM_SUBPROTOCOL) > 1) {
		gate_complain(wrong, s->at,
			      "from has more than one subprotocol: what is no "
			      "token for the one could be one for the other");
		good = false;
	}
	if (s->htpasswd_file.name && s->n_from &&
	    !count_from(s, GATE_FROM_AUTHORIZATION)) {
		gate_complain(wrong, s->htpasswd_file.at,
			      "htpasswd_file needs \"header\" in from: names "
			      "and passwords come in no other place");
		good = false;
	}
	return good;
}

static bool load_all(struct gate_token_settings *settings,
		     struct gate_complaints *wrong)
{
	bool good = true;

	if (settings->jwt.at.line)
		good = load_keys(settings, wrong);
	good = load(&settings->hashes_file, wrong, read_hashes, settings) &&
	       good;
	return load(&settings->htpasswd_file, wrong, read_htpasswd, settings) &&
	       good;
}

void gate_token_load_files(struct gate_token_settings *settings,
			   struct gate_complaints *wrong)
{
	/* Half a list of algorithms would be a second fault of the keys. */
	settings->jwt.algorithms = 0;
	load_all(settings, wrong);
}

bool gate_token_load(struct gate_token_settings *settings, bool open_files,
		     struct gate_complaints *wrong)
{
	bool good;

	if (!settings->at.line)
		return true;
	good = check_settings(settings, wrong);
	if (!open_files)
		return good;
	return load_all(settings, wrong) && good;
}

static void free_words(struct gate_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->word[i].text);
	free(words->word);
}

static void free_jwt(struct gate_jwt_settings *jwt)
{
	free(jwt->key_file.name);
	free(jwt->secret_file.name);
	free(jwt->jwks_file.name);
	free_words(&jwt->issuer);
	free_words(&jwt->audience);
	for (size_t i = 0; i < jwt->n_claims; i++) {
		free(jwt->claim[i].name);
		free(jwt->claim[i].value);
	}
	free(jwt->claim);
	free(jwt->paths_claim.text);
}

void gate_token_fini(struct gate_token_settings *settings)
{
	for (size_t i = 0; i < settings->n_from; i++)
		free(settings->from[i].text);
	free(settings->from);
	free_jwt(&settings->jwt);
	free(settings->hashes_file.name);
	free(settings->htpasswd_file.name);
	gate_keys_free(settings->keys);
	gate_tokens_free(settings->tokens);
	gate_users_free(settings->users);
	*settings = (struct gate_token_settings){0};
}
