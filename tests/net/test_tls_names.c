/* SPDX-License-Identifier: MIT */
/* Alternative names: of one kind each, and whole. */
#include <string.h>

#include "net/tls_names.h"
#include "test.h"

TEST("names keep their order and their kind")
{
	struct ses_tls_names n = {.n = 0};
	size_t at = 0;

	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_URI, BYTES("a:b")));
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_DNS, BYTES("a.b")));
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_EMAIL, BYTES("a@b")));
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_IP, BYTES("::1")));
	assert_string_equal(ses_tls_name(&n, 0), "a:b");
	assert_int_equal(ses_tls_name_kind(&n, 0), SES_TLS_NAME_URI);
	assert_string_equal(ses_tls_name(&n, 2), "a@b");
	assert_string_equal(ses_tls_next_host(&n, &at), "a.b");
	assert_string_equal(ses_tls_next_host(&n, &at), "::1");
	assert_null(ses_tls_next_host(&n, &at));
	assert_false(n.more);
}

TEST("the longest SPIFFE id has room, and what has none is not cut")
{
	struct ses_tls_names n = {.n = 0};
	char id[2048], rest[SES_TLS_NAMES_ROOM - sizeof(id) - 1];

	memset(id, 'x', sizeof(id));
	memset(rest, 'y', sizeof(rest));
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_URI,
				      bytes_of(id, sizeof(id))));
	assert_int_equal(strlen(ses_tls_name(&n, 0)), sizeof(id));
	assert_false(ses_tls_names_add(&n, SES_TLS_NAME_URI,
				       bytes_of(rest, sizeof(rest))));
	assert_true(n.more);
	assert_int_equal(n.n, 1);
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_URI,
				      bytes_of(rest, sizeof(rest) - 1)));
	assert_int_equal(strlen(ses_tls_name(&n, 1)), sizeof(rest) - 1);
	assert_false(ses_tls_names_add(&n, SES_TLS_NAME_DNS, BYTES("")));
	assert_int_equal(n.n, 2);
}

TEST("bytes that are no text have room for what they are shown as")
{
	struct ses_tls_names n = {.n = 0};
	char id[SES_TLS_NAMES_ROOM / 4];

	memset(id, 1, sizeof(id));
	assert_false(ses_tls_names_add(&n, SES_TLS_NAME_DNS,
				       bytes_of(id, sizeof(id))));
	assert_true(ses_tls_names_add(&n, SES_TLS_NAME_DNS,
				      bytes_of(id, sizeof(id) - 1)));
	assert_int_equal(strlen(ses_tls_name(&n, 0)), 4 * (sizeof(id) - 1));
}

TEST("there are so many names, and no more")
{
	struct ses_tls_names n = {.n = 0};

	for (int i = 0; i < SES_TLS_MAX_NAMES; i++)
		assert_true(ses_tls_names_add(&n, SES_TLS_NAME_DNS, BYTES("a")));
	assert_false(n.more);
	assert_false(ses_tls_names_add(&n, SES_TLS_NAME_DNS, BYTES("a")));
	assert_true(n.more);
}
