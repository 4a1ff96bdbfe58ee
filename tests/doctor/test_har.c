/* SPDX-License-Identifier: MIT */
/* A browser's recording: which entry is taken, what of it, and broken JSON. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/har.h"
#include "doctor/json.h"

/* Bytes that come in pieces of a size. */
struct source {
	struct bytes rest;
	size_t piece;
};

static size_t refill(void *context, uint8_t *room, size_t size)
{
	struct source *s = context;
	size_t n = s->rest.len < s->piece ? s->rest.len : s->piece;

	n = n < size ? n : size;
	if (n)
		memcpy(room, s->rest.data, n);
	s->rest = bytes_from(s->rest, n);
	return n;
}

/* ---- JSON ---- */

/* "{ k:a s:b }", or ending in "! what at where". */
static char *read_json(const char *text, size_t piece, char *out, size_t size)
{
	static const char *const marks[] = {
		"",   "",   "{ ", "} ",	   "[ ",     "] ",
		"k:", "s:", "n:", "true ", "false ", "null "};
	struct source s = {bytes_of_str(text), piece};
	struct doctor_json r;
	enum doctor_json_event event;
	size_t n = 0;

	assert_int_equal(doctor_json_init(&r, refill, &s), 0);
	out[0] = 0;
	while ((event = doctor_json_next(&r)) > DOCTOR_JSON_END &&
	       n < size - 200) {
		n += (size_t)snprintf(out + n, size - n, "%s", marks[event]);
		if (event >= DOCTOR_JSON_KEY && event <= DOCTOR_JSON_NUMBER)
			n += (size_t)snprintf(out + n, size - n, "%s ", r.text);
	}
	if (event == DOCTOR_JSON_ERROR)
		snprintf(out + n, size - n, "! %s at %d", r.error,
			 (int)r.error_at);
	doctor_json_fini(&r);
	return out;
}

TEST("JSON is the same in pieces of any size")
{
	static const struct {
		const char *text, *read;
	} rows[] = {
		{"{}", "{ } "},
		{"[]", "[ ] "},
		{" [1, -2.5e3 ,true,false,null] ",
		 "[ n:1 n:-2.5e3 true false null ] "},
		{"{\"a\":{\"b\":[\"c\"]},\"d\":\"\"}",
		 "{ k:a { k:b [ s:c ] } k:d s: } "},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"",
		 "s:\"\\/\b\f\n\r\tA "},
		{"\"\\u00e9\\ud83d\\ude00\"", "s:\xc3\xa9\xf0\x9f\x98\x80 "},
		{"\"\\ud83dx\\ude00\\ud83d\\n\"",
		 "s:\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\n "},
		{"\xef\xbb\xbf[1]", "[ n:1 ] "},
		{"", "! it ends in the middle at 0"},
		{"[", "[ ! it ends in the middle at 1"},
		{"[1", "[ n:1 ! it ends in the middle at 2"},
		{"[1,", "[ n:1 ! it ends in the middle at 3"},
		{"[1 2]", "[ n:1 ! no comma where one must be at 3"},
		{"[1,]", "[ n:1 ! no JSON value at 3"},
		{"{\"a\"}", "{ ! no colon behind a key at 4"},
		{"{\"a\":1,}", "{ k:a n:1 ! no key where one must be at 7"},
		{"{a:1}", "{ ! no key where one must be at 1"},
		{"[tru]", "[ ! no JSON value at 4"},
		{"[1]x", "[ n:1 ] ! something follows the end at 3"},
		{"[}", "[ ! no JSON value at 1"},
		{"\"a\nb\"", "! a control character in a string at 2"},
		{"\"\\x\"", "! a backslash with what it may not have at 2"},
		{"\"\\u12\"", "! a backslash with what it may not have at 5"},
		{"\"abc", "! it ends in the middle at 4"},
	};
	char out[1024];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece < 12; piece++) {
			read_json(rows[i].text, piece, out, sizeof(out));
			if (strcmp(out, rows[i].read) != 0)
				fail_msg("%s in pieces of %zu\n gives   %s\n"
					 " and not %s",
					 rows[i].text, piece, out, rows[i].read);
		}
}

TEST("JSON that is nested without end is refused, and long strings are cut")
{
	size_t len = 1024 * 1024;
	char *text = malloc(len + 3);
	struct source s = {bytes_of(text, len), 4096};
	struct doctor_json r;

	memset(text, '[', len);
	assert_int_equal(doctor_json_init(&r, refill, &s), 0);
	assert_false(doctor_json_skip(&r));
	assert_int_equal(r.error_at, DOCTOR_JSON_DEPTH);
	doctor_json_fini(&r);
	memset(text, 'a', len);
	memcpy(text, "[\"", 2);
	memcpy(text + len, "\"]", 2);
	s = (struct source){bytes_of(text, len + 2), 4096};
	assert_int_equal(doctor_json_init(&r, refill, &s), 0);
	assert_int_equal(doctor_json_next(&r), DOCTOR_JSON_ARRAY);
	assert_int_equal(doctor_json_next(&r), DOCTOR_JSON_STRING);
	assert_true(r.cut);
	assert_int_equal(r.text_len, DOCTOR_JSON_TEXT);
	assert_int_equal(doctor_json_next(&r), DOCTOR_JSON_ARRAY_END);
	assert_int_equal(doctor_json_next(&r), DOCTOR_JSON_END);
	doctor_json_fini(&r);
	free(text);
}

/* ---- recordings ---- */

#define LOG(entries)                                                  \
	"{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"x\"}," \
	"\"entries\":[" entries "]}}"
#define ENTRY(url, status, more)                                              \
	"{\"startedDateTime\":\"x\",\"request\":{\"method\":\"GET\",\"url\":" \
	"\"" url "\",\"headers\":[{\"name\":\"Origin\",\"value\":"            \
	"\"https://a\"}],\"cookies\":[]},\"response\":{\"status\":" status    \
	",\"content\":{\"text\":\"}]\\\"\"}}" more "}"

/* "option=value|...; note; note" or "! complaint". */
static char *read_har(struct bytes text, size_t piece, const char *match,
		      char *out, size_t size)
{
	struct source s = {text, piece};
	struct doctor_import m;
	size_t n = 0;

	doctor_import_init(&m);
	out[0] = 0;
	if (doctor_har_read_from(refill, &s, match, &m) < 0)
		n += (size_t)snprintf(out, size, "! %s", m.complaint);
	for (size_t i = 0; i < m.n_said && out[0] != '!'; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s=%s", i ? "|" : "",
				      m.said[i].option, m.said[i].value);
	for (size_t i = 0; i < m.n_notes; i++)
		n += (size_t)snprintf(out + n, size - n, "; %s", m.note[i]);
	doctor_import_fini(&m);
	return out;
}

TEST("the WebSocket that failed is taken from a recording, the last of several")
{
	static const struct {
		const char *text, *match, *says;
	} rows[] = {
		{LOG(ENTRY("ws://h/a", "403", "")), NULL, "url=ws://h/a|"},
		{LOG(ENTRY("ws://h/a", "403", "") "," ENTRY("ws://h/b", "0", "")),
		 NULL, "url=ws://h/b|"},
		{LOG(ENTRY("ws://h/a", "403", "") "," ENTRY("ws://h/b", "101",
							    "")),
		 NULL, "url=ws://h/a|"},
		{LOG(ENTRY("ws://h/a", "403", "") "," ENTRY("ws://h/b", "0", "")),
		 "/a", "url=ws://h/a|"},
		{LOG(ENTRY("ws://h/a", "403", "") "," ENTRY("ws://h/b", "0", "")),
		 NULL, "1 other was left out, of which 1 failed"},
		{LOG(ENTRY("ws://h/a", "101", ",\"_webSocketMessages\":[]") "," ENTRY(
			 "ws://h/b", "101", ",\"_webSocketMessages\":[{}]")),
		 NULL, "url=ws://h/a|"},
		{LOG(ENTRY("ws://h/a", "101", "") "," ENTRY("ws://h/b", "101",
							    "")),
		 NULL, "no WebSocket in the recording failed"},
		{LOG(ENTRY("ws://h/a", "101", ",\"_error\":\"net::X\"") "," ENTRY(
			 "ws://h/b", "101", "")),
		 NULL, "url=ws://h/a|"},
		{LOG(ENTRY("http://h/a", "403",
			   ",\"_resourceType\":\"websocket\"")),
		 NULL, "url=ws://h/a|"},
		{LOG(ENTRY("https://h/a", "403",
			   ",\"resourceType\":\"websocket\"")),
		 NULL, "url=wss://h/a|"},
		{LOG(ENTRY("https://h/a", "403", "")), NULL,
		 "! none of the 1 entries is a WebSocket"},
		{LOG(ENTRY("ws://h/a", "403", "")), "/b",
		 "! 1 WebSocket is recorded, and no URL"},
		{LOG(ENTRY("ws://h/a", "403", "")), NULL,
		 "neither Cookie nor Authorization"},
		{LOG(""), NULL, "! none of the 0 entries"},
		{LOG("1,[2,{\"a\":[]}],null," ENTRY("ws://h/a", "403", "")),
		 NULL, "url=ws://h/a|"},
		{"{}", NULL, "! this is no recording"},
		{"[]", NULL, "! this is no recording"},
		{"{\"log\":[]}", NULL, "! this is no recording"},
		{"", NULL, "! this is no recording"},
		{"<html>", NULL, "! this is no recording"},
		{"{\"log\":{\"entries\":[", NULL,
		 "! the recording is broken at byte 19"},
	};
	char out[2048];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t piece = 1; piece < 9; piece += 3) {
			read_har(bytes_of_str(rows[i].text), piece,
				 rows[i].match, out, sizeof(out));
			if (!strstr(out, rows[i].says))
				fail_msg("row %zu: %s\n without %s", i, out,
					 rows[i].says);
		}
}

TEST("fields and cookies come from the recording, the handshake's own do not")
{
	static const char text[] = LOG(
		"{\"request\":{\"headers\":[{\"value\":\"websocket\",\"name\":"
		"\"Upgrade\"},{\"name\":\":authority\",\"value\":\"h\"},{"
		"\"name\":\"X-A\",\"value\":\"1\",\"comment\":{\"a\":[1]}},{"
		"\"name\":\"Sec-WebSocket-Key\",\"value\":"
		"\"dGhlIHNhbXBsZSBub25jZQ==\"},{\"name\":\"No-Value\"}],"
		"\"cookies\":[{\"name\":\"s\",\"value\":\"1\",\"path\":\"/\"},{"
		"\"name\":\"t\",\"value\":\"2\"}],\"url\":\"http://h/\"},"
		"\"response\":{\"status\":403}}");
	char out[2048];

	read_har(bytes_of_str(text), 64, NULL, out, sizeof(out));
	assert_non_null(strstr(out, "url=ws://h/|header=X-A: 1|cookie=s=1|"
				    "cookie=t=2;"));
	assert_non_null(strstr(out, ":authority"));
	assert_null(strstr(out, "Sec-WebSocket-Key"));
	assert_null(strstr(out, "neither"));
}

TEST("a recording that is cut anywhere gives what was whole, or says where")
{
	static const char text[] =
		LOG(ENTRY("ws://h/a?token=CANARY", "403",
			  "") "," ENTRY("ws://h/b", "403", ""));
	size_t whole = 0;
	char out[2048];

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		uint8_t *copy = test_guarded(text, len);

		read_har(bytes_of(copy, len), 7, NULL, out, sizeof(out));
		test_guard_free(copy, len);
		assert_non_null(strstr(out, "at byte"));
		whole += strncmp(out, "url=", 4) == 0;
		if (out[0] == '!' || strstr(out, "url=ws://h/b"))
			assert_null(strstr(out, "CANARY"));
	}
	assert_true(whole > 100);
}

TEST("an entry too large for a handshake is refused, not cut")
{
	static const char before[] =
		"{\"log\":{\"entries\":[{\"request\":{\"url\":\"ws://h/\","
		"\"headers\":[{\"name\":\"Cookie\",\"value\":\"";
	static const char after[] = "\"}]},\"response\":{\"status\":403}}]}}";
	size_t len = 2 * 1024 * 1024;
	char *text = malloc(len), out[1024];

	memset(text, 'a', len);
	memcpy(text, before, sizeof(before) - 1);
	memcpy(text + len - sizeof(after) + 1, after, sizeof(after) - 1);
	read_har(bytes_of(text, len), 4096, NULL, out, sizeof(out));
	if (!strstr(out, "! entry 1 is no handshake"))
		fail_msg("%.200s", out);
	free(text);
}
