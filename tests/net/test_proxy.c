/* SPDX-License-Identifier: MIT */
/* Proxies' URLs, what is said to them, and their answers cut anywhere. */
#include "net/proxy.h"

#include <sesame/error.h>

#include "test.h"

TEST("proxy URLs are read, or refused with a phrase")
{
	static const struct {
		const char *in, *host, *name, *user, *password;
		int port;
	} rows[] = {
		{"http://proxy:3128", "proxy", "http://proxy:3128", NULL, NULL,
		 3128},
		{"HTTP://proxy", "proxy", "http://proxy:80", NULL, NULL, 80},
		{"proxy:8080", "proxy", "http://proxy:8080", NULL, NULL, 8080},
		{"proxy", "proxy", "http://proxy:80", NULL, NULL, 80},
		{"http://proxy/", "proxy", "http://proxy:80", NULL, NULL, 80},
		{"socks5://[::1]", "::1", "socks5://[::1]:1080", NULL, NULL,
		 1080},
		{"socks5h://ann:p%40ss@h:1", "h", "socks5://h:1", "ann", "p@ss",
		 1},
		{"http://ann@h", "h", "http://h:80", "ann", "", 80},
		{"http://a@b:c@h:1", "h", "http://h:1", "a@b", "c", 1},
		{"", NULL},
		{"http://", NULL},
		{"ftp://proxy", NULL},
		{"https://proxy", "proxy", "https://proxy:443", NULL, NULL, 443},
		{"https://[::1]:8443", "::1", "https://[::1]:8443", NULL, NULL,
		 8443},
		{"http://:@proxy", "proxy", "http://proxy:80", NULL, NULL, 80},
		{"http://proxy:0", NULL},
		{"http://proxy:65536", NULL},
		{"http://proxy:x", NULL},
		{"http://[::1", NULL},
		{"http://[::1]3128", NULL},
		{"http://[]", NULL},
		{"http://proxy/path", NULL},
		{"http://pro xy", NULL},
		{"http://pro\r\nxy", NULL},
		{"http://a%00b@proxy", NULL},
		{"http://@", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_proxy p;
		const char *text = NULL;
		int r = ses_proxy_parse(rows[i].in, &p, &text);

		if (!rows[i].host) {
			assert_int_equal(r, SESAME_EINVAL);
			assert_non_null(text);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(p.host, rows[i].host);
		assert_string_equal(p.name, rows[i].name);
		assert_int_equal(p.port, rows[i].port);
		assert_int_equal(p.has_user, rows[i].user != NULL);
		if (!rows[i].user)
			continue;
		assert_string_equal(p.user, rows[i].user);
		assert_string_equal(p.password, rows[i].password);
	}
}

TEST("nothing in a host or agent gets out of its line")
{
	static const char *const hosts[] = {"a\r\nX: y", "a b", "a\n", "", "a/"};
	struct ses_proxy p = {0};
	struct ses_buf out;

	ses_buf_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		assert_int_equal(ses_proxy_write_connect(&p,
							 bytes_of_str(hosts[i]),
							 1, NULL, NULL, &out),
				 SESAME_EINVAL);
	assert_int_equal(ses_proxy_write_connect(&p, BYTES("h"), 1, "a\r\nb",
						 NULL, &out),
			 SESAME_EINVAL);
	assert_int_equal(ses_buf_len(&out), 0);
	assert_int_equal(
		ses_proxy_write_connect(&p, BYTES("::1"), 1, NULL, NULL, &out),
		0);
	assert_int_equal(ses_buf_append(&out, bytes_of("", 1)), 0);
	assert_string_equal((char *)out.data, "CONNECT [::1]:1 HTTP/1.1\r\n"
					      "Host: [::1]:1\r\n\r\n");
	ses_buf_fini(&out);
}

TEST("SOCKS requests name the target by its kind")
{
	static const struct {
		const char *host;
		struct bytes request;
	} rows[] = {
		{"1.2.3.4", BYTES("\5\1\0\1\1\2\3\4\0\x50")},
		{"::1",
		 BYTES("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50")},
		{"ab", BYTES("\5\1\0\3\2ab\0\x50")},
	};
	char name[256];
	struct ses_buf out;

	ses_buf_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(ses_socks_write_request(
					 bytes_of_str(rows[i].host), 80, &out),
				 0);
		assert_true(bytes_equal(ses_buf_bytes(&out), rows[i].request));
		ses_buf_release(&out);
	}
	memset(name, 'n', sizeof(name));
	assert_int_equal(ses_socks_write_request(bytes_of(name, 256), 80, &out),
			 SESAME_EINVAL);
	assert_int_equal(ses_socks_write_request(bytes_of(name, 0), 80, &out),
			 SESAME_EINVAL);
	ses_buf_fini(&out);
}

TEST("SOCKS replies cut at every byte wait for more, and whole ones end")
{
	static const struct {
		struct bytes in;
		int result;
	} rows[] = {
		{BYTES("\5\0\0\1\1\2\3\4\0\x50"), 10},
		{BYTES("\5\0\0\3\2ab\0\x50"), 9},
		{BYTES("\5\0\0\3\0\0\x50"), 7},
		{BYTES("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"), 22},
		{BYTES("\5\1"), SESAME_EPROXY},
		{BYTES("\5\x09"), SESAME_EPROXY},
		{BYTES("\5\xff"), SESAME_EPROXY},
		{BYTES("\4"), SESAME_EPROTO},
		{BYTES("\5\0\1"), SESAME_EPROTO},
		{BYTES("\5\7\1"), SESAME_EPROXY},
		{BYTES("\5\0\0\2\0"), SESAME_EPROTO},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t len = 0; len <= rows[i].in.len; len++) {
			const char *text = NULL;
			uint8_t *in = test_guarded(rows[i].in.data, len);
			int r = ses_socks_read_reply(bytes_of(in, len), &text);

			/* a refusal may be seen early, but never changes */
			if (len == rows[i].in.len || r < 0)
				assert_int_equal(r, rows[i].result);
			else
				assert_int_equal(r, 0);
			assert_int_equal(text != NULL, r < 0);
			test_guard_free(in, len);
		}
	}
}
