/* SPDX-License-Identifier: MIT */
/* How a 407 is answered; the digests were computed by another program. */
#include "net/proxy_auth.h"

#include <sesame/error.h>

#include <stdio.h>

#include "test.h"

static const struct ses_proxy ann = {
	.has_user = true, .user = "ann", .password = "open sesame"};
static const struct ses_proxy ticket = {.ticket = true};
static const struct ses_proxy nobody;

/* The choice for a 407 with these lines, and what is answered. */
static enum ses_proxy_scheme choose(const struct ses_proxy *proxy,
				    const char *lines, char *out, size_t size)
{
	struct ses_challenge challenge = {0};
	struct ses_head_parser parser;
	enum ses_proxy_scheme scheme;
	enum ses_fault fault;
	struct ses_head head;
	struct ses_buf answer;
	char text[2048];

	snprintf(text, sizeof(text), "HTTP/1.1 407 No\r\n%s\r\n", lines);
	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	assert_true(ses_head_parse(&parser, bytes_of_str(text), &head, &fault) >
		    0);
	scheme = ses_proxy_choose(proxy, &head, &challenge);
	out[0] = 0;
	ses_buf_init(&answer, 4096);
	if (scheme == SES_PROXY_DIGEST &&
	    ses_proxy_write_digest(proxy, &challenge, "example.org:443",
				   "c0ffee", &answer) == 0)
		snprintf(out, size, "%.*s", BYTES_ARG(ses_buf_bytes(&answer)));
	ses_buf_fini(&answer);
	return scheme;
}

#define OFFICE "realm=\"the \\\"office\\\"\", nonce=\"n0nce\""

TEST("a Digest is computed as RFC 7616 says, by each algorithm")
{
	static const struct {
		const char *asks, *response;
	} rows[] = {
		{OFFICE ", qop=\"auth\"", "29b26fae43a48ad87d721a7fe4df3d09"},
		{OFFICE, "b61b6a07f46dd17f93f31ef85c3e1709"},
		{OFFICE ", qop=\"auth-int, auth\", algorithm=MD5",
		 "29b26fae43a48ad87d721a7fe4df3d09"},
		{OFFICE ", qop=auth, algorithm=MD5-sess",
		 "57fc7c1e0608670b55cc323828370fb4"},
		{OFFICE ", qop=auth, algorithm=SHA-256, opaque=\"o\"",
		 "41160270121e8dc9536066b3641aa14dacebd843148323085dadfd7e"
		 "ab0e78f2"},
		{OFFICE ", qop=auth, algorithm=SHA-256-sess",
		 "6353d6ef8c7abba10bc55589686d526c56151ba67fc8bd004e5996f8"
		 "a29b45ae"},
	};
	char line[512], out[2048];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(line, sizeof(line),
			 "Proxy-Authenticate: Digest %s\r\n", rows[i].asks);
		assert_int_equal(choose(&ann, line, out, sizeof(out)),
				 SES_PROXY_DIGEST);
		assert_non_null(strstr(out, rows[i].response));
		assert_non_null(strstr(out, "realm=\"the \\\"office\\\"\""));
		assert_non_null(strstr(out, "uri=\"example.org:443\""));
	}
}

TEST("of several digests the best is answered, whatever their order")
{
	char out[2048];

	choose(&ann,
	       "Proxy-Authenticate: Digest " OFFICE ", qop=auth\r\n"
	       "Proxy-Authenticate: Digest " OFFICE
	       ", qop=auth, algorithm=SHA-256, Digest " OFFICE
	       ", algorithm=md5-SESS\r\n",
	       out, sizeof(out));
	assert_non_null(strstr(out, "algorithm=SHA-256,"));
}

TEST("nobody's password or ticket is shown who did not give it for that")
{
	static const char all[] = "Proxy-Authenticate: Negotiate\r\n"
				  "Proxy-Authenticate: Digest " OFFICE "\r\n"
				  "Proxy-Authenticate: Basic realm=x\r\n";
	char out[2048];

	assert_int_equal(choose(&ann, all, out, sizeof(out)), SES_PROXY_DIGEST);
	assert_int_equal(choose(&ticket, all, out, sizeof(out)),
			 SES_PROXY_NEGOTIATE);
	assert_int_equal(choose(&nobody, all, out, sizeof(out)),
			 SES_PROXY_NO_SCHEME);
	assert_int_equal(choose(&ann,
				"Proxy-Authenticate: NTLM\r\n"
				"Proxy-Authenticate: Basic realm=x\r\n",
				out, sizeof(out)),
			 SES_PROXY_NO_SCHEME);
}

TEST("a challenge that lacks something, or would break a line, is not answered")
{
	static const char *const asks[] = {
		"realm=r",
		"nonce=n",
		OFFICE ", algorithm=SHA-512-256",
		OFFICE ", qop=\"auth-int\"",
		"realm=r, nonce=\"a\r\n b\"",
	};
	char line[512], out[2048];

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		snprintf(line, sizeof(line),
			 "Proxy-Authenticate: Digest %s\r\n", asks[i]);
		choose(&ann, line, out, sizeof(out));
		assert_string_equal(out, "");
	}
}
