/* SPDX-License-Identifier: MIT */
/*
 * Character sets. What is hard is whom to believe: the name comes from the
 * network, so only those in a list are asked for, all of them without states.
 */
#include "doctor/charset.h"

#include <errno.h>
#include <iconv.h>

#define NEAR_BEGINNING 1024 /* as in HTML, 13.2.3.2 */
#define MOST_NAME      20

static const char *const known[] = {
	"gb2312",	"gbk",	       "gb18030",      "big5",
	"shift_jis",	"sjis",	       "euc-jp",       "euc-kr",
	"iso-8859-1",	"iso-8859-2",  "iso-8859-5",   "iso-8859-9",
	"iso-8859-15",	"windows-1250", "windows-1251", "windows-1252",
	"windows-1254", "koi8-r",      "koi8-u"};

static struct bytes name_after_charset(struct bytes text)
{
	static const char word[] = "charset=";
	size_t n = 0;

	for (size_t i = 0; i + sizeof(word) - 1 <= text.len; i++) {
		if (!bytes_equal_nocase(
			    bytes_of(text.data + i, sizeof(word) - 1),
			    bytes_of_str(word)))
			continue;
		text = bytes_from(text, i + sizeof(word) - 1);
		if (text.len > 0 && strchr("\"'", text.data[0]))
			text = bytes_from(text, 1);
		while (n < text.len && text.data[n] > ' ' &&
		       !strchr("\"'>;/", text.data[n]))
			n++;
		return bytes_first(text, n);
	}
	return bytes_of(NULL, 0);
}

static bool is_known(struct bytes name)
{
	return bytes_is_one_of(name, known, sizeof(known) / sizeof(known[0]));
}

/* The last character may have been cut off with the body. */
static bool convert(iconv_t set, struct bytes body, struct ses_buf *out)
{
	char *in = (char *)(uintptr_t)body.data;
	size_t left = body.len;

	while (left > 0) {
		char text[512], *to = text;
		size_t room = sizeof(text);
		size_t r = iconv(set, &in, &left, &to, &room);
		bool cut = r == (size_t)-1 && errno == EINVAL;

		if (r == (size_t)-1 && errno != E2BIG && !cut)
			return false;
		if (ses_buf_append(out, bytes_of(text, sizeof(text) - room)) ||
		    cut)
			break; /* as much of it as there is place for */
	}
	return true;
}

bool doctor_decode_charset(struct bytes content_type, struct bytes body,
			   struct ses_buf *out)
{
	struct bytes named = name_after_charset(content_type);
	char name[MOST_NAME];
	bool converted;
	iconv_t set;

	if (named.len == 0)
		named = name_after_charset(bytes_first(body, NEAR_BEGINNING));
	if (named.len >= sizeof(name) || !is_known(named))
		return false;
	memcpy(name, named.data, named.len);
	name[named.len] = 0;
	set = iconv_open("UTF-8", name);
	if (set == (iconv_t)-1)
		return false;
	converted = convert(set, body, out);
	iconv_close(set);
	return converted;
}
