/* SPDX-License-Identifier: MIT */
/* Base64: RFC 4648's vectors, all lengths, and everything that is not strict. */
#include "test.h"

#include "base/base64.h"

#include <sesame/error.h>

static const struct {
	struct bytes plain;
	const char *text;
} vectors[] = {
	{BYTES(""), ""},
	{BYTES("f"), "Zg=="},
	{BYTES("fo"), "Zm8="},
	{BYTES("foo"), "Zm9v"},
	{BYTES("foob"), "Zm9vYg=="},
	{BYTES("fooba"), "Zm9vYmE="},
	{BYTES("foobar"), "Zm9vYmFy"},
	{BYTES("\xff\xef\xbe"), "/+++"},
	{BYTES("the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ=="},
};

TEST("the vectors of RFC 4648 and RFC 6455 hold both ways")
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		char text[40];
		uint8_t plain[40];
		size_t n = ses_base64_encode(vectors[i].plain, text);

		assert_int_equal(n, SES_BASE64_LEN(vectors[i].plain.len));
		assert_true(bytes_equal_str(bytes_of(text, n), vectors[i].text));
		assert_int_equal(ses_base64_decode(bytes_of(text, n), plain,
						   vectors[i].plain.len, &n),
				 0);
		assert_true(bytes_equal(bytes_of(plain, n), vectors[i].plain));
	}
}

TEST("every run of bytes comes back")
{
	for (size_t len = 0; len < 200; len++) {
		uint8_t in[200], out[200], *copy;
		char text[300];
		size_t n;

		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)(i * 37 + len);
		copy = test_guarded(in, len);
		n = ses_base64_encode(bytes_of(copy, len), text);
		test_guard_free(copy, len);
		copy = test_guarded(text, n);
		assert_int_equal(
			ses_base64_decode(bytes_of(copy, n), out, len, &n), 0);
		test_guard_free(copy, SES_BASE64_LEN(len));
		assert_true(bytes_equal(bytes_of(out, n), bytes_of(in, len)));
	}
}

TEST("text that is not canonical base64 is refused")
{
	static const char *const bad[] = {
		"Z",	 "Zg",	     "Zg=",	 "Zg===", "=",	  "====",
		"Z===",	 "Zm9v====", "Zg==Zg==", "Zh==",  "Zm9=", "Zm8=Zm8=",
		"Zm 9v", " Zm9v",    "Zm9v\n",	 "Zm9-",  "Zm9_", "=Zg=",
		"Z=g=",	 "Zm=v",     "Zm9\x80",	 "Zm9v=",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t out[20];
		size_t n = 77;

		if (ses_base64_decode(bytes_of_str(bad[i]), out, sizeof(out),
				      &n) != SESAME_EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(n, 77);
	}
}

TEST("no more is written than there is room for")
{
	uint8_t out[3] = {0, 0, 0xee};
	size_t n;

	assert_int_equal(ses_base64_decode(BYTES("Zm9v"), out, 2, &n),
			 SESAME_ELIMIT);
	assert_int_equal(ses_base64_decode(BYTES("Zm8="), out, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[2], 0xee);
}

TEST("base64url has its own letters and no padding")
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		size_t n = strcspn(vectors[i].text, "=");
		uint8_t plain[16];
		char text[32];

		for (size_t k = 0; k < n; k++) {
			char c = vectors[i].text[k];

			text[k] = c == '+' ? '-' : c == '/' ? '_' : c;
		}
		assert_int_equal(ses_base64url_decode(bytes_of(text, n), plain,
						      vectors[i].plain.len, &n),
				 0);
		assert_true(bytes_equal(bytes_of(plain, n), vectors[i].plain));
	}
	{
		uint8_t plain[3];
		size_t n;

		assert_int_equal(
			ses_base64url_decode(BYTES("-_-_"), plain, 3, &n), 0);
		assert_memory_equal(plain, "\xfb\xff\xbf", 3);
		assert_int_equal(
			ses_base64url_decode(BYTES("-_-_"), plain, 2, &n),
			SESAME_ELIMIT);
	}
}

TEST("text that is not canonical base64url is refused")
{
	static const char *const bad[] = {
		"Z",	"Zg==", "Zg=",	"Zh",	 "Zm9", "Zm9vY", "Zm8=",
		"+/+/", "-_+_", "Zm 9", "Zm9\n", "=",	"Z=",	 "Zm\x80v",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t len = strlen(bad[i]), n = 77;
		uint8_t *copy = test_guarded(bad[i], len), out[20];

		if (ses_base64url_decode(bytes_of(copy, len), out, sizeof(out),
					 &n) != SESAME_EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(n, 77);
		test_guard_free(copy, len);
	}
}
