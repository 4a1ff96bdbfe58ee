/* SPDX-License-Identifier: MIT */
/* Made by make_tokens.py: keys, and what other programs signed with them. */
#ifndef TESTS_GATE_TOKENS_H
#define TESTS_GATE_TOKENS_H

__attribute__((unused)) static const char RSA_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp5ggN0Y/tB+4MpGMq8yu\n"
	"5WalRExy5gVPFQcznjW4tKC0Mh/EOOnHR9g91EXUvUtCS2TbF5DiWsUsDU7M1guy\n"
	"AlNIOe4LeruRfXvLLnHwRIOCtVsA5goM2aX/ZwZWMUO2cmcOwlhjW77JIbIJg8pN\n"
	"1p2UDNM45m3V2CCPMRj1+zbZ3goH5pEPqCqzoK3CQoUCplhpvBgvrgwVIZh9DWIJ\n"
	"ueWxX1GquspCU06CAa5PFWTAdKu7tiXYR1TbdujUYHlnOVfER5cNSwBu3apiR+Nw\n"
	"N5VgmOY5KpZBDXMWifX4ppfYww0/XAMn5SVSshr858P153J/ZWIDjQHA36bdbYam\n"
	"5wIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P256_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs582uCJ1StliJX/Zw6Ay+KQXQ5ai\n"
	"oNhdYMmFAxuEvPnln7fReoHh++18ftc8wdm4NxhW0ispF03XlSk+x2diwg==\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P384_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEl5rdDtk08+2bEWs0X8soPXs1IndcqPqS\n"
	"ftRVb0BosaXzOGarWZV2VVTci2T65anWkabkfYktlYHGEuRQqng6rSyF6gkNrj7C\n"
	"mMwNnW3eqKFkqmShD4RaUCEKl+o7Hurz\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P521_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQARdNIu3hLGgc00aUBWOgutwcK3MOU\n"
	"8Q5brbsmja11faUM1aGBAkRvxAcYZjnqUKBEk+c7nyVq+0alSS7witr6zPMAPLHI\n"
	"KS0H6E1t4bEzY3woIDM6yAf19y0ltmS0QVyF5GOvdlFtYo6o9sU3y+2gPftWVFxu\n"
	"t+77EUzZB7/dIC5hyuE=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char ED25519_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEAFPwR77cuOfZ8X09BoYn1+t7hVGs2pXksK0mYCS/GLc8=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char X25519_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VuAyEApEoEnKWP2anLw8VonNQwmm9OTma9Ag2EgZ2Fo3UUmxs=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char SMALL_RSA_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDBZ6E21M0DXT8R+/KuYpVZQmgM\n"
	"Rd9MEBAOMOH+KReFV9CuzciZK6p7/XMLsAX3uSUxLm/cFVUC1NOywJxZMJ54Jbkd\n"
	"v240npWwsfCoj4i/v3jqb13As3hJcwVDxX5dxuudiLukAtaeO2A9wql55WJRo8H9\n"
	"PpXoVN9gAXg9gByIUwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char K1_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE95GcyAkqocLDuC0dbkoo/wk7cIC4A0LA\n"
	"euPLQc3GQrF2amKeXOo9ZOUY7fecfgT2c5Bylr6Jozc+EN/k8Z6j/A==\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char PRIVATE_PEM[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"AAAA\n"
	"-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char PKCS1_PEM[] =
	"-----BEGIN RSA PUBLIC KEY-----\n"
	"MIIBCgKCAQEAp5ggN0Y/tB+4MpGMq8yu5WalRExy5gVPFQcznjW4tKC0Mh/EOOnH\n"
	"R9g91EXUvUtCS2TbF5DiWsUsDU7M1guyAlNIOe4LeruRfXvLLnHwRIOCtVsA5goM\n"
	"2aX/ZwZWMUO2cmcOwlhjW77JIbIJg8pN1p2UDNM45m3V2CCPMRj1+zbZ3goH5pEP\n"
	"qCqzoK3CQoUCplhpvBgvrgwVIZh9DWIJueWxX1GquspCU06CAa5PFWTAdKu7tiXY\n"
	"R1TbdujUYHlnOVfER5cNSwBu3apiR+NwN5VgmOY5KpZBDXMWifX4ppfYww0/XAMn\n"
	"5SVSshr858P153J/ZWIDjQHA36bdbYam5wIDAQAB\n"
	"-----END RSA PUBLIC KEY-----\n";

__attribute__((unused)) static const char CERTIFICATE_PEM[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBCTCBsaADAgECAgEHMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGxlYWYwHhcN\n"
	"MjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARsZWFmMFkw\n"
	"EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs582uCJ1StliJX/Zw6Ay+KQXQ5aioNhd\n"
	"YMmFAxuEvPnln7fReoHh++18ftc8wdm4NxhW0ispF03XlSk+x2diwjAKBggqhkjO\n"
	"PQQDAgNHADBEAiBspm4XXaNTE+M9WAnHczo+53qTJYdQO3rXS6o/bN8ldgIgVAPz\n"
	"hYxyDjT9C5HFQkrtv26hOm2DcPZji1r94Tm4fQ0=\n"
	"-----END CERTIFICATE-----\n";

__attribute__((unused)) static const char CHAIN_PEM[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBKTCBr6ADAgECAgEHMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAmNhMB4XDTIw\n"
	"MDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDzENMAsGA1UEAwwEbGVhZjBZMBMG\n"
	"ByqGSM49AgEGCCqGSM49AwEHA0IABLOfNrgidUrZYiV/2cOgMvikF0OWoqDYXWDJ\n"
	"hQMbhLz55Z+30XqB4fvtfH7XPMHZuDcYVtIrKRdN15UpPsdnYsIwCgYIKoZIzj0E\n"
	"AwIDaQAwZgIxAIixadT8iFHAEVUyqpMJZMIWeQrBDEWDMh0A9Q8cBwo6zBUg36de\n"
	"kCWqspPoU7HzHQIxAIz1iccDV7Wpp+TJzb79Jkitt7PqsDJnXIa+R0Nxb49Yc688\n"
	"0SDO2zg2QJi9gR+YJw==\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBQzCByqADAgECAgEHMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAmNhMB4XDTIw\n"
	"MDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDTELMAkGA1UEAwwCY2EwdjAQBgcq\n"
	"hkjOPQIBBgUrgQQAIgNiAASXmt0O2TTz7ZsRazRfyyg9ezUid1yo+pJ+1FVvQGix\n"
	"pfM4ZqtZlXZVVNyLZPrlqdaRpuR9iS2VgcYS5FCqeDqtLIXqCQ2uPsKYzA2dbd6o\n"
	"oWSqZKEPhFpQIQqX6jse6vMwCgYIKoZIzj0EAwIDaAAwZQIwMp8gWmUFF75mVe0y\n"
	"s8l7UdMDtCJZ7ngXMWjIVa0SDjNM7/MmWUx0LaGjChPYMBBtAjEAppy9EWJpVO7r\n"
	"IYkDy/E4xhxBX58NV3qXQHwE4jtpPKwJtpFU/BPYQEM1X4YzFjuc\n"
	"-----END CERTIFICATE-----\n";

__attribute__((unused)) static const char SECRET[] =
	"correct horse battery staple, and a bit more to make 64 bytes...!";

__attribute__((unused)) static const char JWKS[] =
	"{\n"
	" \"keys\": [\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"p5ggN0Y_tB-4MpGMq8yu5WalRExy5gVPFQcznjW4tKC0Mh_EOOnHR9g91"
	"EXUvUtCS2TbF5DiWsUsDU7M1guyAlNIOe4LeruRfXvLLnHwRIOCtVsA5goM2aX_ZwZ"
	"WMUO2cmcOwlhjW77JIbIJg8pN1p2UDNM45m3V2CCPMRj1-zbZ3goH5pEPqCqzoK3CQ"
	"oUCplhpvBgvrgwVIZh9DWIJueWxX1GquspCU06CAa5PFWTAdKu7tiXYR1TbdujUYHl"
	"nOVfER5cNSwBu3apiR-NwN5VgmOY5KpZBDXMWifX4ppfYww0_XAMn5SVSshr858P15"
	"3J_ZWIDjQHA36bdbYam5w\",\n"
	"   \"e\": \"AQAB\",\n"
	"   \"kid\": \"rsa\",\n"
	"   \"use\": \"sig\",\n"
	"   \"alg\": \"RS256\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-256\",\n"
	"   \"x\": \"s582uCJ1StliJX_Zw6Ay-KQXQ5aioNhdYMmFAxuEvPk\",\n"
	"   \"y\": \"5Z-30XqB4fvtfH7XPMHZuDcYVtIrKRdN15UpPsdnYsI\",\n"
	"   \"kid\": \"p256\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-384\",\n"
	"   \"x\": \"l5rdDtk08-2bEWs0X8soPXs1IndcqPqSftRVb0BosaXzOGarWZV2VVTci"
	"2T65anW\",\n"
	"   \"y\": \"kabkfYktlYHGEuRQqng6rSyF6gkNrj7CmMwNnW3eqKFkqmShD4RaUCEKl"
	"-o7Hurz\",\n"
	"   \"kid\": \"p384\",\n"
	"   \"use\": \"sig\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-521\",\n"
	"   \"x\": \"AEXTSLt4SxoHNNGlAVjoLrcHCtzDlPEOW627Jo2tdX2lDNWhgQJEb8QHG"
	"GY56lCgRJPnO58lavtGpUku8Ira-szz\",\n"
	"   \"y\": \"ADyxyCktB-hNbeGxM2N8KCAzOsgH9fctJbZktEFcheRjr3ZRbWKOqPbFN"
	"8vtoD37VlRcbrfu-xFM2Qe_3SAuYcrh\",\n"
	"   \"kid\": \"p521\",\n"
	"   \"key_ops\": [\n"
	"    \"verify\"\n"
	"   ]\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"OKP\",\n"
	"   \"crv\": \"Ed25519\",\n"
	"   \"x\": \"FPwR77cuOfZ8X09BoYn1-t7hVGs2pXksK0mYCS_GLc8\",\n"
	"   \"kid\": \"ed\",\n"
	"   \"alg\": \"EdDSA\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"p5ggN0Y_tB-4MpGMq8yu5WalRExy5gVPFQcznjW4tKC0Mh_EOOnHR9g91"
	"EXUvUtCS2TbF5DiWsUsDU7M1guyAlNIOe4LeruRfXvLLnHwRIOCtVsA5goM2aX_ZwZ"
	"WMUO2cmcOwlhjW77JIbIJg8pN1p2UDNM45m3V2CCPMRj1-zbZ3goH5pEPqCqzoK3CQ"
	"oUCplhpvBgvrgwVIZh9DWIJueWxX1GquspCU06CAa5PFWTAdKu7tiXYR1TbdujUYHl"
	"nOVfER5cNSwBu3apiR-NwN5VgmOY5KpZBDXMWifX4ppfYww0_XAMn5SVSshr858P15"
	"3J_ZWIDjQHA36bdbYam5w\",\n"
	"   \"e\": \"AQAB\",\n"
	"   \"kid\": \"enc\",\n"
	"   \"use\": \"enc\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"secp256k1\",\n"
	"   \"x\": \"95GcyAkqocLDuC0dbkoo_wk7cIC4A0LAeuPLQc3GQrE\",\n"
	"   \"y\": \"dmpinlzqPWTlGO33nH4E9nOQcpa-iaM3PhDf5PGeo_w\",\n"
	"   \"kid\": \"k1\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"OKP\",\n"
	"   \"crv\": \"X25519\",\n"
	"   \"x\": \"pEoEnKWP2anLw8VonNQwmm9OTma9Ag2EgZ2Fo3UUmxs\",\n"
	"   \"kid\": \"x\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"p5ggN0Y_tB-4MpGMq8yu5WalRExy5gVPFQcznjW4tKC0Mh_EOOnHR9g91"
	"EXUvUtCS2TbF5DiWsUsDU7M1guyAlNIOe4LeruRfXvLLnHwRIOCtVsA5goM2aX_ZwZ"
	"WMUO2cmcOwlhjW77JIbIJg8pN1p2UDNM45m3V2CCPMRj1-zbZ3goH5pEPqCqzoK3CQ"
	"oUCplhpvBgvrgwVIZh9DWIJueWxX1GquspCU06CAa5PFWTAdKu7tiXYR1TbdujUYHl"
	"nOVfER5cNSwBu3apiR-NwN5VgmOY5KpZBDXMWifX4ppfYww0_XAMn5SVSshr858P15"
	"3J_ZWIDjQHA36bdbYam5w\",\n"
	"   \"e\": \"AQAB\",\n"
	"   \"kid\": \"oaep\",\n"
	"   \"alg\": \"RSA-OAEP\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"oct\",\n"
	"   \"kid\": \"secret\",\n"
	"   \"k\": \"Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSwgYW5kIGEgYml0IG1vc"
	"mUgdG8gbWFrZSA2NCBieXRlcy4uLiE\",\n"
	"   \"alg\": \"HS256\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"new\",\n"
	"   \"kid\": \"new\"\n"
	"  }\n"
	" ]\n"
	"}";

__attribute__((unused)) static const char SMALL_JWK[] =
	"{\"kty\": \"RSA\", \"n\": \"wWehNtTNA10_EfvyrmKVWUJoDEXfTBAQDjDh_ikXhVfQr"
	"s3ImSuqe_1zC7AF97klMS5v3BVVAtTTssCcWTCeeCW5Hb9uNJ6VsLHwqI-Iv7946m9"
	"dwLN4SXMFQ8V-XcbrnYi7pALWnjtgPcKpeeViUaPB_T6V6FTfYAF4PYAciFM\", \"e\""
	": \"AQAB\", \"kid\": \"small\"}";

__attribute__((unused)) static const char PRIVATE_JWK[] =
	"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"s582uCJ1StliJX_Zw6Ay-KQXQ5aioN"
	"hdYMmFAxuEvPk\", \"y\": \"5Z-30XqB4fvtfH7XPMHZuDcYVtIrKRdN15UpPsdnYsI\""
	", \"kid\": \"own\", \"d\": \"AAAA\"}";

__attribute__((unused)) static const char OTHER_SALT_TOKEN[] =
	"eyJhbGciOiAiUFM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.UM5SRsYjr88rcPs8atvf3CIeUryDhbtKGQqor1oAmoB93kdD5eiZLk4rdcMk"
	"lsriZen-d4TNdn1R4fUfIEpFUGsr7qsSUl9Z0QullunuSWjxuAOvIga6jXwCJqVxbg"
	"GRhA0Z83u-klfNAL_-2p1054gxiyqV6b4_RaY-bp20_ChnL8z9_H8napZIVPKeh8rq"
	"9hztvHgQGt0kndndlQ8ZlK8xP1G_zzMfUiaoXSid-FPtI7U1WcX8KqUUiptWM_peyh"
	"-p5ZqNXo4_8LwC-l1LAniEEsAQGLus9Jmz1Le2jq6Yj7pxaR3cI5ZDJzs_OX4taWh0"
	"ahsEw8dAAoG4wpytXw";

/* Good from 1799999900 on, until 1800000300. */
__attribute__((unused)) static const struct token {
	const char *algorithm, *key, *text;
} tokens[] = {
	{"RS256", RSA_PEM,
	"eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhb"
	"GljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQ"
	"iOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb"
	"2xlIjoibWVtYmVyIn0.JcjEhwYAUm-6ZMKl4XrKgHFnJvDMLam40Qz280usNCl_aiQ"
	"UmXHCxF22YS-jk_zvXfAjGCt2HN3DpyzO9UYPSzGE_mLw7ZT5k3wpyNCMKbEtqKiwN"
	"eXwrwM-1Kp7U5pw_yM1Mm2V7YiCiq58N9jOzsxDtzUO24cK6aq09tzHpqVBRC9q3IH"
	"u2oCNJoKzmrmHr_W9LqBXQadc6IzlSaAhyfoXTQVSGbhBkrUPp-OqK68oonFjJCdDd"
	"fosAIXjnngF9YFX1CcxzsJTk4QHyPbQ5EzChmCxfMV4DTkuse8e8fq4Bwdm-aS-FAz"
	"OtkgE5o6d_1qMRQT_lWGKFGkN4Da2Kw"},

	{"RS384", RSA_PEM,
	"eyJhbGciOiAiUlMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.KsAR2aGhmAYAykuF4hAB7YEKvr8nVcCw729CCvevc62YWYN7m_j8rK4hkjkF"
	"F1ldwlYW4AQ7kk13a-5Ihos6w0XtucALZOB-hY2ZCZPvGCeXxst3JTAfVCX6HvXw9q"
	"NL_XpzEsGBGmPN3_DIlsHb_471rlJ6NpebwlvgvsEgKnkx9eAEl6W_y-oj538gF68B"
	"HzH0alKCiKE1M9ZDuA7Br8mImsmpYcZBJq8M2c38AoaQZg6NJo4YAcX_4tH26dO2hF"
	"vmFdIFl9fd12CqPfnT_aa3soGENJaPRIGKs4yA18EfpPLLUESqJKQ_T-aJF_co6ZSp"
	"f9K4SJ5cIsLsDzH4Og"},

	{"RS512", RSA_PEM,
	"eyJhbGciOiAiUlM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.pBRSY_dRnepN3fzDIDH7t2aQNDsvOMGmZzPOYYtFFJammZ1jdo6SFoqmFnSQ"
	"8_-m01suv0HNlV3l9HLnA_Kc9BiXuVchH6Y-qr8a5csX2tZgR5jixw_x3F-Txk2FQJ"
	"zt4pl6XiLeI7wumL5wnASBEeoSpqUQyxnlYiETVz2YBzIvmzB8sZ_PoTNXtEn1YYhR"
	"0jO4KIytCbttjA4lRjZG8pPkudQuZO1mERYsB6mK0yyJDCoT7nNgluCDvUb21FosCN"
	"U1hnaGmwgjxzF0LaqsPRRfWXjLa4fcXdsu5rMvVG8uaIpQShG304hXDz_A3RKBwMew"
	"ktEiwKaEoVQfr-PhhA"},

	{"RS512", PKCS1_PEM,
	"eyJhbGciOiAiUlM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.pBRSY_dRnepN3fzDIDH7t2aQNDsvOMGmZzPOYYtFFJammZ1jdo6SFoqmFnSQ"
	"8_-m01suv0HNlV3l9HLnA_Kc9BiXuVchH6Y-qr8a5csX2tZgR5jixw_x3F-Txk2FQJ"
	"zt4pl6XiLeI7wumL5wnASBEeoSpqUQyxnlYiETVz2YBzIvmzB8sZ_PoTNXtEn1YYhR"
	"0jO4KIytCbttjA4lRjZG8pPkudQuZO1mERYsB6mK0yyJDCoT7nNgluCDvUb21FosCN"
	"U1hnaGmwgjxzF0LaqsPRRfWXjLa4fcXdsu5rMvVG8uaIpQShG304hXDz_A3RKBwMew"
	"ktEiwKaEoVQfr-PhhA"},

	{"PS256", RSA_PEM,
	"eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImlzcyI6I"
	"mh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQiOjE3OTk5OTk5MDA"
	"sIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2xlIjoibWVtYmVyI"
	"n0.boF_2K7HMsPj6-OQggvKjyircVsLw_GsE1bh772pKXiG4QJQ7FqzOrgR8wYtSxr"
	"tPKzWNrizeOHm0A6HhWlL4QoAzj4GgHeRGHaUWpn5W0hSHxvzMmG2YAcVfe7admsAq"
	"rtrz462KiPfNFUyZ_zuOeZvqsqjgjcNktfhXtrU1IksbLAZB2nUq8FOzzNxgFV_XRo"
	"eD3dD0h0O4wwBiGDbOOTBeZIB3FNB_IT8NMVxA2CjPNoW2jSvratlS-VGOtYc7ZgKn"
	"NPbYXt3vw-Xp-IK0IKby7-fjTMRy4zWnoQkvV-Mi0DIZd5vTEz2wfAFItK8H06EuEJ"
	"pZnrbOExs3th6lg"},

	{"PS384", RSA_PEM,
	"eyJhbGciOiAiUFMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.IB6PyldOSb0GYugFQIJw3mKm1RL3aLsiiXvKv2QF2mcN5Vm5-4zJxAcoEsOc"
	"iEZ64jO3YQhy-Ixkwf7paJpmulj8zyT1eW8UaRBgmDhOSs4I98PGipL7B5f2nnALzI"
	"wYg9auYWQ6Ut8DLNn8LH8IIQmbegjLTcgpiM7en-eoPnAbuVkGZzn-CPtUWn7XygtD"
	"dmJqRpFpgpdQmDJrj5kWZrSeP_rW3-VcxBtVFZOOR6XNU0-VygceLRALwgTVG34WfE"
	"i_RHViJ_2T-IdEQHnUz4sE8M0YSQ8Y8ZKsfSRB2uj5qJ8cK2bMTumDiOdNauObt05L"
	"g_8uoaTz7soZLQ8DbA"},

	{"PS512", RSA_PEM,
	"eyJhbGciOiAiUFM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.TtUEHnv4rFrA9ZP-vXMRuEc_RJKUjFNXcme2_vJvpXz52ShxzsUXv2NGyjam"
	"wuntd54rCu8-SReu707rnIrpkxWN-CFpeSndhPO1I3ywoP-PcpekGTnoo3zafLlk9Y"
	"YjP_sYj8YNE6Pcc98-8Sl1LPptgDKaaSasHyY3hCUVCENsVwyKPIApa_4CF8rjMOnv"
	"kmyYTJ6DAepysjYAsUtn3xDy_1SiCJ1OSIwv1G1YO1qph1KPtznSQHj1LgOpudcTOj"
	"QEzHk9LgEjxLW_EcTAe_nVBqga4a_hd078QgoakV-qJ-tfpIyCmAkBThrti11YxpdE"
	"8haiWZ34NjR_IpaN4g"},

	{"PS256", RSA_PEM,
	"eyJhbGciOiAiUFMyNTYifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.gv1vR3Q3bi5dRxhHhNxiMdEm1_tvGPR2rgZU-nx0WFMMQSk6-VuG0vpF4abs"
	"CLB9i4vvRGrfkce9mjcYw1_K_ueQyTig6gbW1QL6DEDapBjMAbl7m9WqED6lDeZKgm"
	"7nHCtBU3Tz0-4ghVv-PjmL4RZtfsCHYIQ8c2uoZOCCP0r2bkYg11cNzqk_rEnnFqML"
	"6ZmTiC0sdn8NflasFc2_ZJbmUmI4H8nSyzyOwihFrlWNXw4VldCy_dKHu0b36NrRv8"
	"1thrwvxvDXiAJhK89ZdVOtMZbyH8nk_F4InHFiFTWv1-ttc-crPBkhrd8GzfhUIjNq"
	"O0P0zYTCp_Vk7Z8rRA"},

	{"ES256", P256_PEM,
	"eyJhbGciOiJFUzI1NiIsImtpZCI6InAyNTYiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ"
	"hbGljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpY"
	"XQiOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJ"
	"yb2xlIjoibWVtYmVyIn0.SB45r6yEK3TmkEoYIyDHz34VLQWpynFs8ZAM15LVMOLOc"
	"7PQkRFAc-2D1sFYW5EP8brfz-Cz5rVumF6LT7RD4Q"},

	{"ES256", CERTIFICATE_PEM,
	"eyJhbGciOiAiRVMyNTYifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.wyz82ghoTm8o8UL9oCyuc57INRsPyYdtGMjmQcCOkHsZACTbth04E-fRd4vs"
	"XsWhcIzsiYjrIqV6HK45-UQAew"},

	{"ES384", P384_PEM,
	"eyJhbGciOiAiRVMzODQiLCAia2lkIjogInAzODQifQ.eyJzdWIiOiAiYWxpY2UiLCA"
	"iaXNzIjogImh0dHBzOi8vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiO"
	"iAxNzk5OTk5OTAwLCAibmJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDA"
	"sICJyb2xlIjogIm1lbWJlciJ9.70-2m0jA4zG7IM9TMR7feKtJslWWDJ4empV-DUY6"
	"t5MoczQmPr2UXklMadXR-SNKIeTpSMwNr0mX--jvcsRbDji8SftboZdrcCRac4V9mV"
	"yJVUI1FdJXoCl7rhR-SmhV"},

	{"ES384", P384_PEM,
	"eyJhbGciOiAiRVMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.FHHFdnBcjjOKOhJmk5GvXAl-Tq0rT57NBOx-LjKUKxakS0Xl5CjjW9JVp5qo"
	"PcjpEjoZtWM5aqyCTp9PMv9KLFVCA0ixpqZpmFvbL0a_AQBscDZtLHeXJKfHgP0rdW"
	"SO"},

	{"ES512", P521_PEM,
	"eyJhbGciOiJFUzUxMiIsImtpZCI6InA1MjEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ"
	"hbGljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpY"
	"XQiOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJ"
	"yb2xlIjoibWVtYmVyIn0.AE3GAemMzs3NUQGjcepNreJHSUqcl4_VaJ5TyyZEvnYlu"
	"xc47OjAOQGe7LU7LNgENG1-wgssFJYCNu54xfT-LXPpAVWCHl47-XBBIf_2QTWAl46"
	"mv-E0N6LndXF6x4t7gCWm1TjFhxAT5yjwrEADJYVacNB3f2jPBfwhaZNznS3Wdby-"},

	{"ES512", P521_PEM,
	"eyJhbGciOiAiRVM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.AP57RZQbRgqXvgdGo3-ocr1cyk6RVFfhXbnLsMrCt3axE2zh6h_5wNPSKLK3"
	"KPtm_Pu2EYsowD6jhIkFzElkIHwtASGAQFJpGU7iswVhtV1WAqWK1L6pY0mEqEgeEC"
	"AtvCp8Tl9TVLZDKqqli2n13uF-fwhoP50mwSHX6AH3A8jhupYK"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbG"
	"ljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQi"
	"OjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2"
	"xlIjoibWVtYmVyIn0.xKcJlr0uccWUBqIzwx6XVla54TMW74IbbM7WD8cTu8eZcGS4"
	"Vs_uMhVFlSLMxAhQA3IaEhMEkY27GloVJAHJCQ"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiAiRWREU0EifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.mq5pENy2UDWOIj5OwCKRqCw5UsSTaNIKwO8-Yww4rRv2Un3lnDv-xwDU257G"
	"M8LCC_iZ1gbLfsl1TQ69NikhDg"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiAiRWREU0EifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.mq5pENy2UDWOIj5OwCKRqCw5UsSTaNIKwO8-Yww4rRv2Un3lnDv-xwDU257G"
	"M8LCC_iZ1gbLfsl1TQ69NikhDg"},

	{"HS256", SECRET,
	"eyJhbGciOiJIUzI1NiIsImtpZCI6InNlY3JldCIsInR5cCI6IkpXVCJ9.eyJzdWIiO"
	"iJhbGljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJ"
	"pYXQiOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwL"
	"CJyb2xlIjoibWVtYmVyIn0.LsF2b3g_o-CtegAZS1IUQrTu_zNh2O1g9oB9gcf8Cmo"},

	{"HS384", SECRET,
	"eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImlzcyI6I"
	"mh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQiOjE3OTk5OTk5MDA"
	"sIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2xlIjoibWVtYmVyI"
	"n0.MN6JM2VIBszPRLmQmBvUZEvVchMP-OLpPM1uzcS2xpo-4VGi8Arvu4WDewzbRtS"
	"b"},

	{"HS512", SECRET,
	"eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImlzcyI6I"
	"mh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQiOjE3OTk5OTk5MDA"
	"sIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2xlIjoibWVtYmVyI"
	"n0.U48sYTXTGCP4zMT81OUoDtJVywGz6LovEoRLiRTn8xaVx4Wq-8cDw_LYiY_EYh4"
	"vvqLSbr5C-w8fzxl-Dfo4jA"},

};

#endif
