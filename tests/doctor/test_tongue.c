/* SPDX-License-Identifier: MIT */
/*
 * Other languages: a phrase is known however its letters are written, English
 * is left alone, and the rows are written as they are compared.
 */
#include "test.h"

#include "doctor/charset.h"
#include "doctor/tongue.h"

static void expect(const char *said, const char *english)
{
	struct doctor_gloss g;

	doctor_gloss(bytes_of_str(said), &g);
	if (strcmp(g.text, english) != 0)
		fail_msg("%s: %s, not %s", said, g.text, english);
}

TEST("a phrase is the same however its letters are written")
{
	static const char *const refused[] = {
		"Accès refusé",		  "ACCÈS REFUSÉ",
		"Acces refuse",		  "Acc\xe8s refus\xe9",
		"Acc&egrave;s refus&eacute;", "Acc&#232;s refus&#xE9;",
		"Acc\\u00e8s refus\\u00e9",	  "Accès\u00a0 \n refusé",
	};
	static const char *const missing[] = {"Доступ запрещён",
					      "ДОСТУП ЗАПРЕЩЕН"};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		expect(refused[i], "access denied");
	for (size_t i = 0; i < ARRAY_LEN(missing); i++)
		expect(missing[i], "access denied");
	expect("Ungültiges Token", "invalid token");
	expect("UNGUELTIGES TOKEN", "invalid token");
	expect("ＩＰ地址 不在白名单", "your IP address whitelist");
}

TEST("a phrase begins where a word begins, and the longest one counts")
{
	expect("Entgesperrt", "");
	expect("Konto gesperrt", "account is disabled");
	expect("das Tokenize ist ungültig", "invalid");
	expect("недоступ запрещён", "");
	expect("您的token已过期", "token expired");
}

TEST("a stock sentence of a server means nothing")
{
	expect("überlastet oder wegen Wartungsarbeiten nicht verfügbar", "");
}

TEST("what stands in English is quoted from where it was said")
{
	static const char said[] = "Fehler 7: Ihr Token ist ungültig";
	struct doctor_gloss g;

	assert_true(doctor_gloss(BYTES(said), &g));
	assert_string_equal(g.text, "token invalid");
	assert_int_equal(doctor_glossed_at(&g, 0), 14);
	assert_int_equal(doctor_glossed_at(&g, 6), 24);
	assert_int_equal(doctor_glossed_at(&g, 12), 24);
}

TEST("no row of English is another language's")
{
	static const char *const english[] = {
#define TELLTALE(where, phrase, kind, source) phrase,
#include "doctor/telltales.def"
#undef TELLTALE
	};
	struct doctor_gloss g;

	for (size_t i = 0; i < ARRAY_LEN(english); i++)
		if (doctor_gloss(bytes_of_str(english[i]), &g))
			fail_msg("%s: %s", english[i], g.text);
}

static const struct {
	const char *english, *spelled[8];
} rows[] = {
#define SHARED(word)
#define MEANS(language, english, ...) {english, {__VA_ARGS__}},
#include "doctor/tongues.def"
#undef MEANS
#undef SHARED
};

TEST("each row is read as what it means, and no phrase has two meanings")
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; rows[i].spelled[k]; k++)
			expect(rows[i].spelled[k], rows[i].english);
}

TEST("a text without an end is read as far as there is room")
{
	static char said[100000];
	struct doctor_gloss g;

	for (size_t i = 0; i + 8 < sizeof(said); i += 8)
		memcpy(said + i, "bloqu\xe9, ", 8);
	assert_true(doctor_gloss(bytes_of(said, sizeof(said)), &g));
	assert_int_equal(g.n, DOCTOR_MOST_GLOSSES);
	assert_true(g.len < sizeof(g.text));
}

TEST("bytes that are no characters are read as what they are")
{
	static const char *const broken[] = {"\xe6",	    "\xe6\xb5",
					     "\\u12",	    "\\u",
					     "&#xfffffffffff;", "&;&#;&a",
					     "\xf4\x90\x80\x80", "\xc0\x80"};

	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		expect(broken[i], "");
}

static void expect_decoded(const char *type, const char *body, const char *text)
{
	struct ses_buf out;
	bool known;

	ses_buf_init(&out, 100);
	known = doctor_decode_charset(bytes_of_str(type), bytes_of_str(body),
				      &out);
	if (known != (text != NULL) ||
	    (text && !bytes_equal_str(ses_buf_bytes(&out), text)))
		fail_msg("%s: %.*s", type, BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

TEST("a body is decoded from the set that it names, if that is a known one")
{
	expect_decoded("text/plain; charset=gbk", "\xce\xac\xbb\xa4", "维护");
	expect_decoded("text/plain; Charset=\"Windows-1251\"; x=1",
		       "\xc4\xee\xf1\xf2\xf3\xef", "Доступ");
	expect_decoded("text/html", "<meta charset=shift_jis>\x96\xb3",
		       "<meta charset=shift_jis>無");
	expect_decoded("text/plain; charset=gbk", "a\xce\xac\xbb", "a维");
	expect_decoded("text/plain; charset=euc-jp", "\xff\xff", NULL);
	expect_decoded("text/plain; charset=utf-8", "\xc3\xa9", NULL);
	expect_decoded("text/plain; charset=iso-2022-cn-ext", "a", NULL);
	expect_decoded("text/plain; charset=", "a", NULL);
	expect_decoded("text/plain", "a", NULL);
}
