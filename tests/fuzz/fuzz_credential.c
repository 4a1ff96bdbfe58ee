/* SPDX-License-Identifier: MIT */
/*
 * Requests (target, then a line for each field) for a route that takes
 * credentials from everywhere. The static token "abc" and user "a" with no
 * password are good, and nothing else is.
 */
#include <assert.h>
#include <stdlib.h>

#include "../gate/tokens.h"
#include "gate/hide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const places[] = {"cookie:c", "query:t", "subprotocol",
				     "header:X-T", "header"};
static const char tokens_text[] =
	"a:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
static const char users_text[] = "a:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n";

static struct gate_secret_file file_of(const char *text)
{
	static struct gate_complaints wrong;

	return (struct gate_secret_file){"f", bytes_of_str(text), {1, 1}, &wrong};
}

static struct gate_token_settings *make_settings(void)
{
	static struct gate_token_settings s;
	static struct gate_from from[5];
	struct gate_secret_file file;

	s.at.line = s.jwt.at.line = 1;
	for (s.n_from = 0; s.n_from < 5; s.n_from++) {
		from[s.n_from].text = (char *)places[s.n_from];
		assert(!gate_from_read(&from[s.n_from]));
	}
	s.from = from;
	s.keys = gate_keys_new(0);
	file = file_of(SECRET);
	gate_keys_add_secret(s.keys, &file);
	file = file_of(tokens_text);
	s.tokens = gate_tokens_read(&file);
	file = file_of(users_text);
	s.users = gate_users_read(&file);
	assert(s.keys->n && s.tokens && s.users);
	return &s;
}

static struct bytes next_line(struct bytes *in)
{
	ptrdiff_t end = bytes_find_byte(*in, '\n');
	struct bytes line = bytes_first(*in, end < 0 ? in->len : (size_t)end);

	*in = bytes_from(*in, line.len + 1);
	return line;
}

static void check_offers(const struct gate_token_settings *s,
			 const struct gate_asked *asked)
{
	struct bytes fallback;
	struct ses_buf out;

	ses_buf_init(&out, 1 << 20);
	assert(gate_offers_write(s, asked, &out, &fallback) == 0);
	assert(!fallback.len || !ses_buf_len(&out));
	ses_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_token_settings *s;
	struct bytes in = bytes_of(data, size);
	struct ses_field fields[32];
	struct gate_asked asked = {fields, 0, next_line(&in)};
	struct gate_credential c;
	char out[64];

	if (!s)
		s = make_settings();
	while (in.len && asked.n_fields < 32) {
		struct bytes line = next_line(&in);
		ptrdiff_t colon = bytes_find_byte(line, ':');

		if (colon < 0)
			continue;
		fields[asked.n_fields].name = bytes_first(line, (size_t)colon);
		fields[asked.n_fields++].value =
			bytes_trim(bytes_from(line, (size_t)colon + 1));
	}
	gate_credential_check(s, &asked, 1800000000, &c);
	if (c.fault == GATE_FAULT_NONE)
		assert(!strcmp(c.subject, "a") && !strcmp(c.method, "token"));
	else
		assert(c.detail && !c.subject[0]);
	if (c.password) {
		assert(c.fault == GATE_FAULT_PASSWORD);
		gate_credential_settle(&c, gate_password_check(c.password));
		assert(!c.password);
	}
	gate_credential_fini(&c);
	check_offers(s, &asked);
	gate_hide_target(s, asked.target, out, sizeof(out));
	for (size_t i = 0; i < asked.n_fields; i++)
		gate_hide_field(s, fields[i].name, fields[i].value, out,
				sizeof(out));
	return 0;
}
