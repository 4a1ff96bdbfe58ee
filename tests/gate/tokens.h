/* SPDX-License-Identifier: MIT */
/* Made by make_tokens.py: keys, and what other programs signed with them. */
#ifndef TESTS_GATE_TOKENS_H
#define TESTS_GATE_TOKENS_H

__attribute__((unused)) static const char RSA_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAptcjm0TlM3nVFj7rKgzA\n"
	"bqJ7YH25GdobGzpQKdWOWj/+KAOhbpPY0CzyNV8VKD0Ebvx3Y7rzYz2/gN3UIjkx\n"
	"q/qbIN4ioz3KSYyz0WJ+EjPmNYI+cuZ4qHl+eyvJL8J2j7FlG+i2rcH+JpHaIRBB\n"
	"htDCiG5pWPXrJor5EYsCwOdolHAtiPHigIe3Kqn30D8/SGEqxA4i46U3TzNinY8r\n"
	"eQWXph5Z9wfaPBvIdmFyBm8/mwQzeaKimJNnk/ggcucvOOhh0hGbpf75WgFHVNvu\n"
	"xq/rMshY8gm66JoxmdrlmkUFK/Isr9hpYEiTLXfu48WbI7vOtW7shUs34IBYYBhr\n"
	"EwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P256_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0J0zmDx2MX6wM/+YCVCS6B/FiKxv\n"
	"YYgXtV+DB1Bv70ZmA2eKbP/Uv5CypC0mJEM4i/ZgsfPCxtpBFtHTASGV8g==\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P384_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEyGLBL0iX7N2fiJjpHnDUIDR3l1Hvw0nP\n"
	"WwROc5ELmk19oGG7mfbO+sXho4oZwQ3kcF9rutZsQGg5OLdL9s0y3I2a0yjfgOhq\n"
	"h0sZ4jl8WKrdrhUbqrdIDvrv/fH0YrLF\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char P521_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB9ZBvpmMCHhr9eKE/K6ZCY+F3h3Ae\n"
	"QIv9Wk7hDGKX104tLNf+JmngKC2cFAWWdkD5RkZAgDtiLpRyyRO3bBTpq+MAS0fI\n"
	"M/Nx86W1w5QxNy0uzxVFguZn9SlsZu/YU6hHMBCShI9vMcCjPFUM93nycl60k/3/\n"
	"rDFYDKi69mtQieerj3A=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char ED25519_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEAqT6lY4gjtpOse/F4GA/Ov/gFNGv9u7EqcnR6EfBybGE=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char X25519_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VuAyEARJgqMdxarTGjhjXVA4C/tcGgoobVVOJCUVlQjQ7+nyY=\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char SMALL_RSA_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCsdo35LFNOmyNW8pLrW/3p952w\n"
	"UfoMIXbNowFIL+mj05xq/FoTdZyJxQcDrJ4rX6WsOCjLrT0ebWqt9/49Ticqz/j4\n"
	"7nyyiH5OCPE92fCUGTjnCNyR3DOJuleeXV87m6vAxKhnVuZnCmoBadMkpAOr/isM\n"
	"HN4UXOtPXeSrtM4WkwIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char K1_PEM[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEepZ+TnAnpZ07KGE9GXdRviWuGiJ0BpSY\n"
	"R9pEC/QMfDnKms86ou8PdxhcrpnN5nlLtJNEk4C7c59XgqX22Gvrow==\n"
	"-----END PUBLIC KEY-----\n";

__attribute__((unused)) static const char PRIVATE_PEM[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"AAAA\n"
	"-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char PKCS1_PEM[] =
	"-----BEGIN RSA PUBLIC KEY-----\n"
	"MIIBCgKCAQEAptcjm0TlM3nVFj7rKgzAbqJ7YH25GdobGzpQKdWOWj/+KAOhbpPY\n"
	"0CzyNV8VKD0Ebvx3Y7rzYz2/gN3UIjkxq/qbIN4ioz3KSYyz0WJ+EjPmNYI+cuZ4\n"
	"qHl+eyvJL8J2j7FlG+i2rcH+JpHaIRBBhtDCiG5pWPXrJor5EYsCwOdolHAtiPHi\n"
	"gIe3Kqn30D8/SGEqxA4i46U3TzNinY8reQWXph5Z9wfaPBvIdmFyBm8/mwQzeaKi\n"
	"mJNnk/ggcucvOOhh0hGbpf75WgFHVNvuxq/rMshY8gm66JoxmdrlmkUFK/Isr9hp\n"
	"YEiTLXfu48WbI7vOtW7shUs34IBYYBhrEwIDAQAB\n"
	"-----END RSA PUBLIC KEY-----\n";

__attribute__((unused)) static const char CERTIFICATE_PEM[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBCTCBsaADAgECAgEHMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBGxlYWYwHhcN\n"
	"MjAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDARsZWFmMFkw\n"
	"EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0J0zmDx2MX6wM/+YCVCS6B/FiKxvYYgX\n"
	"tV+DB1Bv70ZmA2eKbP/Uv5CypC0mJEM4i/ZgsfPCxtpBFtHTASGV8jAKBggqhkjO\n"
	"PQQDAgNHADBEAiB6n6TE0WYH3p+9BKHE4wyvqN5dPv6mYgnhoKvGQ+800QIgep1R\n"
	"YPPZF9nEjyTZApN9mwCEhF+OqfxVxab0mZ6AvmE=\n"
	"-----END CERTIFICATE-----\n";

__attribute__((unused)) static const char CHAIN_PEM[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBJzCBr6ADAgECAgEHMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAmNhMB4XDTIw\n"
	"MDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDzENMAsGA1UEAwwEbGVhZjBZMBMG\n"
	"ByqGSM49AgEGCCqGSM49AwEHA0IABNCdM5g8djF+sDP/mAlQkugfxYisb2GIF7Vf\n"
	"gwdQb+9GZgNnimz/1L+QsqQtJiRDOIv2YLHzwsbaQRbR0wEhlfIwCgYIKoZIzj0E\n"
	"AwIDZwAwZAIwRRV7CsuFKRTPL3XqjaShIJ0/bTrqB4B8zrPbhhzxCRoXDGRb1dSb\n"
	"y5q3ZHMcmxbXAjAnW1XJSNE0urCTfp2Yjizspv6w45ybzaMRmrmL0LV2F0vFtI3Q\n"
	"Ly5zo3bs7FOCvU8=\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBRDCByqADAgECAgEHMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAmNhMB4XDTIw\n"
	"MDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDTELMAkGA1UEAwwCY2EwdjAQBgcq\n"
	"hkjOPQIBBgUrgQQAIgNiAATIYsEvSJfs3Z+ImOkecNQgNHeXUe/DSc9bBE5zkQua\n"
	"TX2gYbuZ9s76xeGjihnBDeRwX2u61mxAaDk4t0v2zTLcjZrTKN+A6GqHSxniOXxY\n"
	"qt2uFRuqt0gO+u/98fRissUwCgYIKoZIzj0EAwIDaQAwZgIxAPdX9chpT5ZVm1rR\n"
	"/qzXkUC4tadqHK6ILYOCdpz5wS0c9eoq4lK5Ll47vc2Cmb/SwAIxAL8dTvJ80FJD\n"
	"4SOvA3mB8TfV36dkUmipYngbIE3lcsd9C5YVUmEBo+hkH4X2Sr02sg==\n"
	"-----END CERTIFICATE-----\n";

__attribute__((unused)) static const char SECRET[] =
	"correct horse battery staple, and a bit more to make 64 bytes...!";

__attribute__((unused)) static const char JWKS[] =
	"{\n"
	" \"keys\": [\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"ptcjm0TlM3nVFj7rKgzAbqJ7YH25GdobGzpQKdWOWj_-KAOhbpPY0CzyN"
	"V8VKD0Ebvx3Y7rzYz2_gN3UIjkxq_qbIN4ioz3KSYyz0WJ-EjPmNYI-cuZ4qHl-eyv"
	"JL8J2j7FlG-i2rcH-JpHaIRBBhtDCiG5pWPXrJor5EYsCwOdolHAtiPHigIe3Kqn30"
	"D8_SGEqxA4i46U3TzNinY8reQWXph5Z9wfaPBvIdmFyBm8_mwQzeaKimJNnk_ggcuc"
	"vOOhh0hGbpf75WgFHVNvuxq_rMshY8gm66JoxmdrlmkUFK_Isr9hpYEiTLXfu48WbI"
	"7vOtW7shUs34IBYYBhrEw\",\n"
	"   \"e\": \"AQAB\",\n"
	"   \"kid\": \"rsa\",\n"
	"   \"use\": \"sig\",\n"
	"   \"alg\": \"RS256\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-256\",\n"
	"   \"x\": \"0J0zmDx2MX6wM_-YCVCS6B_FiKxvYYgXtV-DB1Bv70Y\",\n"
	"   \"y\": \"ZgNnimz_1L-QsqQtJiRDOIv2YLHzwsbaQRbR0wEhlfI\",\n"
	"   \"kid\": \"p256\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-384\",\n"
	"   \"x\": \"yGLBL0iX7N2fiJjpHnDUIDR3l1Hvw0nPWwROc5ELmk19oGG7mfbO-sXho"
	"4oZwQ3k\",\n"
	"   \"y\": \"cF9rutZsQGg5OLdL9s0y3I2a0yjfgOhqh0sZ4jl8WKrdrhUbqrdIDvrv_"
	"fH0YrLF\",\n"
	"   \"kid\": \"p384\",\n"
	"   \"use\": \"sig\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"P-521\",\n"
	"   \"x\": \"AfWQb6ZjAh4a_XihPyumQmPhd4dwHkCL_VpO4Qxil9dOLSzX_iZp4Cgtn"
	"BQFlnZA-UZGQIA7Yi6UcskTt2wU6avj\",\n"
	"   \"y\": \"AEtHyDPzcfOltcOUMTctLs8VRYLmZ_UpbGbv2FOoRzAQkoSPbzHAozxVD"
	"Pd58nJetJP9_6wxWAyouvZrUInnq49w\",\n"
	"   \"kid\": \"p521\",\n"
	"   \"key_ops\": [\n"
	"    \"verify\"\n"
	"   ]\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"OKP\",\n"
	"   \"crv\": \"Ed25519\",\n"
	"   \"x\": \"qT6lY4gjtpOse_F4GA_Ov_gFNGv9u7EqcnR6EfBybGE\",\n"
	"   \"kid\": \"ed\",\n"
	"   \"alg\": \"EdDSA\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"ptcjm0TlM3nVFj7rKgzAbqJ7YH25GdobGzpQKdWOWj_-KAOhbpPY0CzyN"
	"V8VKD0Ebvx3Y7rzYz2_gN3UIjkxq_qbIN4ioz3KSYyz0WJ-EjPmNYI-cuZ4qHl-eyv"
	"JL8J2j7FlG-i2rcH-JpHaIRBBhtDCiG5pWPXrJor5EYsCwOdolHAtiPHigIe3Kqn30"
	"D8_SGEqxA4i46U3TzNinY8reQWXph5Z9wfaPBvIdmFyBm8_mwQzeaKimJNnk_ggcuc"
	"vOOhh0hGbpf75WgFHVNvuxq_rMshY8gm66JoxmdrlmkUFK_Isr9hpYEiTLXfu48WbI"
	"7vOtW7shUs34IBYYBhrEw\",\n"
	"   \"e\": \"AQAB\",\n"
	"   \"kid\": \"enc\",\n"
	"   \"use\": \"enc\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"EC\",\n"
	"   \"crv\": \"secp256k1\",\n"
	"   \"x\": \"epZ-TnAnpZ07KGE9GXdRviWuGiJ0BpSYR9pEC_QMfDk\",\n"
	"   \"y\": \"yprPOqLvD3cYXK6ZzeZ5S7STRJOAu3OfV4Kl9thr66M\",\n"
	"   \"kid\": \"k1\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"OKP\",\n"
	"   \"crv\": \"X25519\",\n"
	"   \"x\": \"RJgqMdxarTGjhjXVA4C_tcGgoobVVOJCUVlQjQ7-nyY\",\n"
	"   \"kid\": \"x\"\n"
	"  },\n"
	"  {\n"
	"   \"kty\": \"RSA\",\n"
	"   \"n\": \"ptcjm0TlM3nVFj7rKgzAbqJ7YH25GdobGzpQKdWOWj_-KAOhbpPY0CzyN"
	"V8VKD0Ebvx3Y7rzYz2_gN3UIjkxq_qbIN4ioz3KSYyz0WJ-EjPmNYI-cuZ4qHl-eyv"
	"JL8J2j7FlG-i2rcH-JpHaIRBBhtDCiG5pWPXrJor5EYsCwOdolHAtiPHigIe3Kqn30"
	"D8_SGEqxA4i46U3TzNinY8reQWXph5Z9wfaPBvIdmFyBm8_mwQzeaKimJNnk_ggcuc"
	"vOOhh0hGbpf75WgFHVNvuxq_rMshY8gm66JoxmdrlmkUFK_Isr9hpYEiTLXfu48WbI"
	"7vOtW7shUs34IBYYBhrEw\",\n"
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
	"{\"kty\": \"RSA\", \"n\": \"rHaN-SxTTpsjVvKS61v96fedsFH6DCF2zaMBSC_po9Oca"
	"vxaE3WcicUHA6yeK1-lrDgoy609Hm1qrff-PU4nKs_4-O58soh-TgjxPdnwlBk45wj"
	"ckdwzibpXnl1fO5urwMSoZ1bmZwpqAWnTJKQDq_4rDBzeFFzrT13kq7TOFpM\", \"e\""
	": \"AQAB\", \"kid\": \"small\"}";

__attribute__((unused)) static const char PRIVATE_JWK[] =
	"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"0J0zmDx2MX6wM_-YCVCS6B_FiKxvYY"
	"gXtV-DB1Bv70Y\", \"y\": \"ZgNnimz_1L-QsqQtJiRDOIv2YLHzwsbaQRbR0wEhlfI\""
	", \"kid\": \"own\", \"d\": \"AAAA\"}";

/* Good from 1799999900 on, until 1800000300. */
__attribute__((unused)) static const struct token {
	const char *algorithm, *key, *text;
} tokens[] = {
	{"RS256", RSA_PEM,
	"eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhb"
	"GljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQ"
	"iOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb"
	"2xlIjoibWVtYmVyIn0.DLPNxe1qEJFBn4WC5Ykts-mS2OQhlK-S6N9Gzem6_5aRpiN"
	"Q_TbJmF5iJ7Nw69Vsj1y8cPbnvTg35vn_2A0vAJOrmLDoxzxHLKeY0_tFyJ1cNJvy1"
	"KlpDtCkOkxwwcgrQy-o8Mg02wBEsSpWhraoZXH7m_qNU4HEIzaBng7EUKv1AluXLji"
	"lkSvv_LbSEiCzncAoVQWCzNoPNruexMBV4oCODQiNfWvaBMW3XGQRqv4QPzyC5tohi"
	"Tk7vodWb2UCdeaMfzjUm6jieU-4WjbIr0mzjV47s7vY5bR5ya9iCUO2h60RCzbSozt"
	"3l3zDNcEPoP5jTuZ2M_lomrYyb9-94Q"},

	{"RS384", RSA_PEM,
	"eyJhbGciOiAiUlMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.nnZp8OZnz4MmItuyYgDYOgAsBgBLPDW4G8DQdBCgg9-QNjwfFu_0N6a4n5I_"
	"C0OITfWk2-CRObttomrHx09og5T7oyt5pbiHNsjHQWwGJNfq0pJFWiVPmIzoXXNcp2"
	"NeaB44n2FTWTtZHhOE7upQDkz91BSCtF916YZiuY6Gnm36gqmXe5RgOzqjcb4JO_1O"
	"bppxpF4Gc4U2qgS2gsXKIE1kTqPZXdssuvXMhD6EjnuQUBLmUBI4W3lL-So03B9B1c"
	"UoPR4nz3BpJ3Nm5mB-hQKvFrCnkQZkHOHSxDc8-PtPpFueAJ8y1c1zVpAnPg16RmYj"
	"WLFJPyTt4xMZeOMTNw"},

	{"RS512", RSA_PEM,
	"eyJhbGciOiAiUlM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.WekVrCJuo35NSlFh0cP8jZlYJcORjNnzRkwCPg5lyIux5QzI0ehL34kC2EhI"
	"zgAXMe56Tmai35WOZ3DZQ0pwlYZi9qy_3czMiB7JBhHK9BCL1uIslA5cdce3rc82Bu"
	"QaBzxQSYD8tXBZmjkAkSjIGKmk3XoT5dkFGXvzAnVoV_Q60WonBswr-ouTbeNShtYz"
	"gAELX21F2TFWB0lQmvfhFoXq-TE9sdHR3m1sjSmHdMgyOSfKJsXfpNwOm2Kr65efDH"
	"lcfTOkagTCWpgX3AcqkvvgbGiVlb5_Mnqgh8EmgKvK1BgYzNRyBQEDWaWfjJoB58pp"
	"uZMZ4_q3QN0VzKVjpw"},

	{"RS512", PKCS1_PEM,
	"eyJhbGciOiAiUlM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.WekVrCJuo35NSlFh0cP8jZlYJcORjNnzRkwCPg5lyIux5QzI0ehL34kC2EhI"
	"zgAXMe56Tmai35WOZ3DZQ0pwlYZi9qy_3czMiB7JBhHK9BCL1uIslA5cdce3rc82Bu"
	"QaBzxQSYD8tXBZmjkAkSjIGKmk3XoT5dkFGXvzAnVoV_Q60WonBswr-ouTbeNShtYz"
	"gAELX21F2TFWB0lQmvfhFoXq-TE9sdHR3m1sjSmHdMgyOSfKJsXfpNwOm2Kr65efDH"
	"lcfTOkagTCWpgX3AcqkvvgbGiVlb5_Mnqgh8EmgKvK1BgYzNRyBQEDWaWfjJoB58pp"
	"uZMZ4_q3QN0VzKVjpw"},

	{"PS256", RSA_PEM,
	"eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSIsImlzcyI6I"
	"mh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQiOjE3OTk5OTk5MDA"
	"sIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2xlIjoibWVtYmVyI"
	"n0.cpwZ_BqQiF5M5ymzBye139JSU9MBwJkJYT0osmeCr00PwWLLD4ozvd0toe0yxmB"
	"sMQJ9ZYkEKjgt17MMUM6HKC8DXm7349BVVRFehdKNmFagIWrgTLMyPr6vsu5gaFNgU"
	"7Sdf7C8AKuG_wkVIqS14psRvFC83kr5RWSyynuVP-jRkCfpdsTrd6lNJClmWcyz8Dp"
	"Kty-Zp-10VUChxc0458ONyQsfUz0LEnrfYChiAeyT6ckuRajKUkan3W5HvP80_O0wo"
	"5_KmEHrz2TaZUubRoWzpr7GU-TS6dNAvwZry5NEIDcIWpdB9qhoJLenkCaQomuu6GP"
	"MURFD-PUYwgX87w"},

	{"PS384", RSA_PEM,
	"eyJhbGciOiAiUFMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.epxQYSkhchatooUdA6GTzaedDj5qyrsf7Ilbah0xE2PZwOPPv8oN0f96WzIh"
	"pNgWdGZs8xqtTevILBIpU_79KWh1ihEdpErCeTT3CbcPjiBbOHTTEhbkiRmmonFCOk"
	"Ve7bn3X29Gr02oNv_Wd5zmTjcd1IviJHiWfrdz_cg-YEz0HC0xf7IxPFZKP0SmE1sy"
	"sWYfFO5-5uTaLZE0B7iPTqpPtIaZk3luWgsi6uhFenQNWkGqmZtW8M8QkTQceRtBIY"
	"7MrNkrynPosWfHuHfOllx9AkEhzPwbtFtxGEcx9ol51Fad8zPxPlvUVq8kt74R1Imk"
	"2JoiJOqCzp6KlCSaiA"},

	{"PS512", RSA_PEM,
	"eyJhbGciOiAiUFM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.F0yus2Jw0gRG-8306wyTJl6kqgKhaRxPQQjMKeDOGEebv0RYXFpCE7G8lcL7"
	"OZJwC_MFGx_5uJG4i1TSA_dZ1dH1uqves_qSlillg0ItXfjtw3pn2MT0ryEPc0FSWA"
	"u_oHYR31q6N3DiSl4OCzPBtaLFUOTFhOiDNBRlRXKIgnL9VcKyIgWz9dV3eO8zu2l8"
	"N1nBLA5XdwMNT4mkIGRqll_o9Br76tjnuv_yrV1HpzyoCBy4FLCABH1hmuateuazgR"
	"igOTUvbibw3CqFIsQhYGx3AEI9hTgPXepGB4vmT_WjMZewlTVmvGwkL4mK64pOpaLa"
	"qxnGnlBm4HeNufYKQw"},

	{"PS256", RSA_PEM,
	"eyJhbGciOiAiUFMyNTYifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.KGuWApWLZJbF2VhPUgXOKWiUdQCRxJX23n8UM13mqXrVISvkxv3UGPVLDQn-"
	"yt_LniaawosbnhXdUmpYE3VqoOVa3AM54kk76iHPbpdulR0H8HA5zKnZgVZ2BlidUI"
	"Nj1L5pnbkYw_fjlzZkz072x5EI-KrEQFGbjNkZcEY5K7SgN728tTMglWi24Gix703Z"
	"5q8ijXfFrJz_0JwX-jEOymLFQw_YAJ3D3Uo-TZYMPtA5qdcLwk1XCbaWm7MBp9cEB8"
	"9OBXeAYa-wQxkSAxwEKTKKuNwiEPs5oXEmrmm8iky_pIyOOAob4V9801aIjhsTyjfK"
	"AT3f5LTd9qcmol8fpw"},

	{"ES256", P256_PEM,
	"eyJhbGciOiJFUzI1NiIsImtpZCI6InAyNTYiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ"
	"hbGljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpY"
	"XQiOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJ"
	"yb2xlIjoibWVtYmVyIn0.EkG1tRtvHuRdcv827xCZAij9szdb3qaC5VswCQ4s-Tla2"
	"F6disdqJEUGVUfOLUotbl0fBTKBgE03BZ8ZyMiGEQ"},

	{"ES256", CERTIFICATE_PEM,
	"eyJhbGciOiAiRVMyNTYifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.Vz_rQ2wng5QwF-yehgQkpZDp0X0UGtlcKvqK1Kqg7EHm_OIpbgNTsREqLBi2"
	"Hki_aar1Y8_w0PoHmtc-138Xpg"},

	{"ES384", P384_PEM,
	"eyJhbGciOiAiRVMzODQiLCAia2lkIjogInAzODQifQ.eyJzdWIiOiAiYWxpY2UiLCA"
	"iaXNzIjogImh0dHBzOi8vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiO"
	"iAxNzk5OTk5OTAwLCAibmJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDA"
	"sICJyb2xlIjogIm1lbWJlciJ9.jx7FjgBLjcpspofX4DAtxJiKq0qAU0t5RwW16dtP"
	"VZPLma3WSGVwsSMPYNcYq0YQaDOABtXnwkda0L2FZ4b1L458z_05TDUIdPAFM_MZqa"
	"mXMCu4rcEo77aHW88I2D4K"},

	{"ES384", P384_PEM,
	"eyJhbGciOiAiRVMzODQifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.fOMlWAGVJYg0bX6VUVFS-q5U66Gqn7O6PXgerMmK1_1LsX4O0PgQ3wb2EAFn"
	"h0Yl8Ac5XQSNw-aMkkzG_e2uqUmMZ8z9N98uI8omtJCRZSC2lgd9VoD7Wi31V8L1WD"
	"Wh"},

	{"ES512", P521_PEM,
	"eyJhbGciOiJFUzUxMiIsImtpZCI6InA1MjEiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ"
	"hbGljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpY"
	"XQiOjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJ"
	"yb2xlIjoibWVtYmVyIn0.AJfD1aL4JluLV79kSkPB9f2Y2KCY8I91gmLBJoztva-iq"
	"pPyYZiN7ukLtAHU0_VyXSL72kaT1XPKel92NTvVi11ZAVLvRlJ9iFfSfl0CyJMSbCb"
	"dVT3Ka5ONbXDQzU5qgiJhM06sruSjrcNJjKaay2p_araSGoEOzi1cegFZHfjXQQHt"},

	{"ES512", P521_PEM,
	"eyJhbGciOiAiRVM1MTIifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.Ad7JnQ_98QfMxDHwlfZqdrVT2YTn_9BP_YPGQgmlVbMzk8Nq1M5TlluV4YuT"
	"gvrwU4_61uulhuHTTZzt9aYVO6pqAVbcq_G6mEysxOIDmtj2jTEThbhYl73Jc_s_lH"
	"wVZowSsAMH8tdEnR8F0ZpOZ2kFEkU4smnktpcGHMOcp2wnzxO1"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbG"
	"ljZSIsImlzcyI6Imh0dHBzOi8vaWQuZXhhbXBsZSIsImF1ZCI6ImNoYXQiLCJpYXQi"
	"OjE3OTk5OTk5MDAsIm5iZiI6MTc5OTk5OTkwMCwiZXhwIjoxODAwMDAwMzAwLCJyb2"
	"xlIjoibWVtYmVyIn0.nVDMk7M1ps2uc7hTRMxF29Hi19N_FiYYft0RaygB14qLe3kx"
	"Qed3ffvXwZoNlXDluTpiVNZBCMF5yMyG22jGCg"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiAiRWREU0EifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.NTlnNdEcQbc080VXEv5jOgqdtgw1CqcdQvf-XK3qwkK_agPEemMWN2NkQPV6"
	"pwek45-DHLptRrrkXbwTY0kOBQ"},

	{"EdDSA", ED25519_PEM,
	"eyJhbGciOiAiRWREU0EifQ.eyJzdWIiOiAiYWxpY2UiLCAiaXNzIjogImh0dHBzOi8"
	"vaWQuZXhhbXBsZSIsICJhdWQiOiAiY2hhdCIsICJpYXQiOiAxNzk5OTk5OTAwLCAib"
	"mJmIjogMTc5OTk5OTkwMCwgImV4cCI6IDE4MDAwMDAzMDAsICJyb2xlIjogIm1lbWJ"
	"lciJ9.NTlnNdEcQbc080VXEv5jOgqdtgw1CqcdQvf-XK3qwkK_agPEemMWN2NkQPV6"
	"pwek45-DHLptRrrkXbwTY0kOBQ"},

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
