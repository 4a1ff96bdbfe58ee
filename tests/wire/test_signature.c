/* SPDX-License-Identifier: MIT */
/*
 * Signatures of the RFCs' own examples, and of everything near them. Tokens by
 * other programs are checked in tests/gate/test_jwt.c.
 */
#include "wire/signature.h"

#include <stdlib.h>

#include "base/base64.h"
#include "test.h"

#define PAYLOAD                                                            \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

/* RFC 7515 A.1 to A.4, RFC 8037 A.4: the key's parts in base64url. */
static const struct vector {
	enum ses_algorithm algorithm;
	enum ses_key_kind kind;
	const char *a, *b;
	const char *data, *signature;
} vectors[] = {
	{SES_ALGORITHM_HS256, SES_KEY_SECRET,
	 "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"
	 "cgUuTwjAzZr1Z9CAow",
	 NULL, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD,
	 "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
	{SES_ALGORITHM_RS256, SES_KEY_RSA,
	 "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw"
	 "-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b3269"
	 "0r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS"
	 "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aG"
	 "hyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp"
	 "oQ",
	 "AQAB", "eyJhbGciOiJSUzI1NiJ9." PAYLOAD,
	 "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuH"
	 "Im4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi"
	 "uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN"
	 "9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2"
	 "w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77"
	 "Rw"},
	{SES_ALGORITHM_ES256, SES_KEY_P256,
	 "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
	 "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
	 "eyJhbGciOiJFUzI1NiJ9." PAYLOAD,
	 "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"
	 "xfKTUJqPP3-Kg6NU1Q"},
	{SES_ALGORITHM_ES512, SES_KEY_P521,
	 "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1j"
	 "SfS9tsz4qUxcWceqwQGk",
	 "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0A"
	 "ZMaZmh9ubmf63e3kyMj2",
	 "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
	 "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2"
	 "SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqO"
	 "gzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
	{SES_ALGORITHM_EDDSA, SES_KEY_ED25519,
	 "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", NULL,
	 "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	 "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsP"
	 "t9g7sVvpAr_MuM0KAg"},
};

struct raw {
	uint8_t data[1100];
	size_t len;
};

static struct bytes decode(const char *text, struct raw *raw)
{
	raw->len = 0;
	if (text)
		assert_int_equal(
			ses_base64url_decode(bytes_of_str(text), raw->data,
					     sizeof(raw->data), &raw->len),
			0);
	return bytes_of(raw->data, raw->len);
}

static struct ses_key *key_from(enum ses_key_kind kind, struct bytes a,
				struct bytes b, const char **ret_wrong)
{
	switch (kind) {
	case SES_KEY_SECRET:
		return ses_key_from_secret(a, ret_wrong);
	case SES_KEY_RSA:
		return ses_key_from_rsa(a, b, ret_wrong);
	case SES_KEY_ED25519:
		return ses_key_from_ed25519(a, ret_wrong);
	default:
		return ses_key_from_point(kind, a, b, ret_wrong);
	}
}

static struct ses_key *key_of(const struct vector *v)
{
	static struct raw a, b;
	const char *wrong = NULL;
	struct ses_key *key =
		key_from(v->kind, decode(v->a, &a), decode(v->b, &b), &wrong);

	if (!key)
		fail_msg("%s: the key %s", ses_algorithm_name(v->algorithm),
			 wrong);
	return key;
}

TEST("the signatures of the RFCs are good, by their own algorithm alone")
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct ses_key *key = key_of(v);
		struct raw signature;

		decode(v->signature, &signature);
		assert_int_equal(ses_key_kind(key), v->kind);
		for (enum ses_algorithm a = 0; a < SES_N_ALGORITHMS; a++) {
			bool good = ses_signature_verify(
				key, a, bytes_of_str(v->data),
				bytes_of(signature.data, signature.len));

			if (good != (a == v->algorithm))
				fail_msg("%s by %s: %d",
					 ses_algorithm_name(v->algorithm),
					 ses_algorithm_name(a), good);
		}
		ses_key_free(key);
	}
}

static bool verify(const struct ses_key *key, enum ses_algorithm algorithm,
		   struct bytes data, const uint8_t *signature, size_t len)
{
	uint8_t *copy = test_guarded(signature, len);
	bool good =
		ses_signature_verify(key, algorithm, data, bytes_of(copy, len));

	test_guard_free(copy, len);
	return good;
}

TEST("a signature with any bit changed, cut or longer is none")
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct bytes data = bytes_of_str(v->data);
		struct ses_key *key = key_of(v);
		struct raw s;

		decode(v->signature, &s);
		for (size_t bit = 0; bit < 8 * s.len; bit++) {
			s.data[bit / 8] ^= 1 << bit % 8;
			assert_false(
				verify(key, v->algorithm, data, s.data, s.len));
			s.data[bit / 8] ^= 1 << bit % 8;
		}
		for (size_t len = 0; len < s.len; len++)
			assert_false(
				verify(key, v->algorithm, data, s.data, len));
		for (size_t byte = 0; byte < 256; byte++) {
			s.data[s.len] = (uint8_t)byte;
			assert_false(verify(key, v->algorithm, data, s.data,
					    s.len + 1));
		}
		assert_true(verify(key, v->algorithm, data, s.data, s.len));
		ses_key_free(key);
	}
}

TEST("a signature is for its data alone")
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct ses_key *key = key_of(v);
		size_t len = strlen(v->data);
		char *data = strdup(v->data);
		struct raw s;

		decode(v->signature, &s);
		for (size_t at = 0; at < len; at++) {
			data[at] ^= 1;
			assert_false(verify(key, v->algorithm,
					    bytes_of(data, len), s.data, s.len));
			data[at] ^= 1;
			assert_false(verify(key, v->algorithm,
					    bytes_of(data, at), s.data, s.len));
		}
		free(data);
		ses_key_free(key);
	}
}

TEST("zeros are no signature of a curve (CVE-2022-21449)")
{
	static const uint8_t zeros[132];

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct ses_key *key = key_of(&vectors[i]);

		for (size_t len = 0; len <= sizeof(zeros); len++)
			assert_false(verify(key, vectors[i].algorithm,
					    bytes_of_str(vectors[i].data),
					    zeros, len));
		ses_key_free(key);
	}
}

/* DER is what OpenSSL reads; JOSE does not write it. */
TEST("a signature of a curve in DER is none")
{
	struct ses_key *key = key_of(&vectors[2]);
	uint8_t der[72] = {0x30, 69, 2, 32};
	struct raw s;

	decode(vectors[2].signature, &s);
	memcpy(der + 4, s.data, 32);
	memcpy(der + 36, "\x02\x21", 3);
	memcpy(der + 39, s.data + 32, 32);
	assert_false(verify(key, SES_ALGORITHM_ES256,
			    bytes_of_str(vectors[2].data), der, 71));
	ses_key_free(key);
}

TEST("keys that protect nothing are refused")
{
	static const uint8_t ones[1030] = {[0 ... 1029] = 0xff};
	static const uint8_t zeros[64];
	static const struct {
		enum ses_key_kind kind;
		struct bytes a, b;
		const char *wrong;
	} rows[] = {
		{SES_KEY_SECRET, {zeros, 0}, {0}, "is an empty secret"},
		{SES_KEY_SECRET,
		 {ones, 31},
		 {0},
		 "is a secret of less than 32 bytes, which one token is enough "
		 "to guess (RFC 7518 section 3.2)"},
		{SES_KEY_RSA,
		 {ones, 128},
		 {ones, 1},
		 "is an RSA key of less than 2048 bits"},
		{SES_KEY_RSA,
		 {ones, 255},
		 {ones, 1},
		 "is an RSA key of less than 2048 bits"},
		{SES_KEY_RSA,
		 {ones, 1025},
		 {ones, 1},
		 "is an RSA key of more than 8192 bits"},
		{SES_KEY_RSA,
		 {ones, 1026},
		 {ones, 1},
		 "is an RSA key whose modulus or exponent is empty or too "
		 "long"},
		{SES_KEY_RSA,
		 {ones, 0},
		 {ones, 1},
		 "is an RSA key whose modulus or exponent is empty or too "
		 "long"},
		{SES_KEY_RSA,
		 {ones, 256},
		 {ones, 0},
		 "is an RSA key whose modulus or exponent is empty or too "
		 "long"},
		{SES_KEY_RSA,
		 {ones, 256},
		 {(const uint8_t *)"\1", 1},
		 "is an RSA key with a modulus or an exponent that no RSA key "
		 "has"},
		{SES_KEY_RSA,
		 {ones, 256},
		 {(const uint8_t *)"\1\0\0", 3},
		 "is an RSA key with a modulus or an exponent that no RSA key "
		 "has"},
		{SES_KEY_P256, {ones, 32}, {ones, 32}, "is no point on its curve"},
		{SES_KEY_P256,
		 {zeros, 32},
		 {zeros, 32},
		 "is no point on its curve"},
		{SES_KEY_P256,
		 {ones, 31},
		 {ones, 32},
		 "has an x or y of another length than its curve"},
		{SES_KEY_P384,
		 {ones, 32},
		 {ones, 32},
		 "has an x or y of another length than its curve"},
		{SES_KEY_ED25519,
		 {ones, 31},
		 {0},
		 "has an x of other than 32 bytes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *wrong = "nothing";
		struct ses_key *key =
			key_from(rows[i].kind, rows[i].a, rows[i].b, &wrong);

		assert_null(key);
		assert_string_equal(wrong, rows[i].wrong);
	}
}

TEST("a secret is for the algorithms that it is long enough for")
{
	static const uint8_t secret[64] = {1};
	static const struct {
		size_t len;
		unsigned set;
	} rows[] = {{32, 1}, {47, 1}, {48, 3}, {63, 3}, {64, 7}};
	const char *wrong;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_key *key = ses_key_from_secret(
			bytes_of(secret, rows[i].len), &wrong);

		assert_int_equal(ses_key_algorithms(key), rows[i].set);
		ses_key_free(key);
	}
}

TEST("an algorithm is known by its exact name")
{
	static const char *const foreign[] = {
		"none",	  "None",  "hs256",   "HS256 ",	  "",	    "RS1",
		"ES256K", "EDDSA", "Ed25519", "RSA-OAEP", "HS2567", "HS25",
	};
	enum ses_algorithm a;

	for (enum ses_algorithm i = 0; i < SES_N_ALGORITHMS; i++) {
		assert_true(ses_algorithm_read(
			bytes_of_str(ses_algorithm_name(i)), &a));
		assert_int_equal(a, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		assert_false(ses_algorithm_read(bytes_of_str(foreign[i]), &a));
	assert_false(ses_algorithm_read(bytes_of("HS256\0", 6), &a));
}
