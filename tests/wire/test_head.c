/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 heads: what is read, what is refused, where, and at what cost. */
#include "test.h"

#include <stdio.h>

#include <sesame/error.h>

#include "wire/head.h"

#define REQUEST                               \
	"GET /chat?room=1 HTTP/1.1\r\n"       \
	"Host: example.org:8080\r\n"          \
	"X-Empty:\r\n"                        \
	"X_Under_Score: \t two words \t \r\n" \
	"\r\n"

struct outcome {
	int result;
	enum ses_fault fault;
	enum ses_fault tolerated;
	size_t scanned;
	struct ses_head head;
};

/* Shown at once, from memory whose end is forbidden. */
static struct outcome parse_with(bool is_request, bool tolerant,
				 const struct ses_head_limits *limits,
				 struct bytes text)
{
	uint8_t *copy = test_guarded(text.data, text.len);
	struct outcome o = {.fault = SES_FAULT_NONE};
	struct ses_head_parser p;

	ses_head_init(&p, is_request, limits);
	p.tolerant = tolerant;
	o.result =
		ses_head_parse(&p, bytes_of(copy, text.len), &o.head, &o.fault);
	o.scanned = p.scanned;
	o.tolerated = p.tolerated;
	test_guard_free(copy, text.len);
	return o;
}

static struct outcome parse(bool is_request, const char *text)
{
	return parse_with(is_request, false, NULL, bytes_of_str(text));
}

static void assert_bytes(struct bytes got, const char *expected)
{
	if (!bytes_equal(got, bytes_of_str(expected)))
		fail_msg("%.*s is not %s", (int)got.len,
			 got.len ? (const char *)got.data : "", expected);
}

static void assert_fault(bool is_request, const char *text,
			 enum ses_fault expected)
{
	struct outcome o = parse(is_request, text);

	if (o.result != SESAME_EPROTO || o.fault != expected)
		print_error("%s gave %d, %s\n", text, o.result,
			    ses_fault_row(o.fault)->id);
	assert_int_equal(o.result, SESAME_EPROTO);
	assert_int_equal(o.fault, expected);
}

TEST("a request's parts are its method, target, version and trimmed fields")
{
	struct bytes text = BYTES(REQUEST "frames");
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head_parser p;
	struct ses_head head;

	ses_head_init(&p, true, NULL);
	assert_int_equal(ses_head_parse(&p, text, &head, &fault),
			 strlen(REQUEST));
	assert_true(head.is_request);
	assert_bytes(head.method, "GET");
	assert_bytes(head.target, "/chat?room=1");
	assert_int_equal(head.minor_version, 1);
	assert_int_equal(head.length, strlen(REQUEST));
	assert_int_equal(head.n_fields, 3);
	assert_bytes(ses_head_get(&head, "host"), "example.org:8080");
	assert_bytes(ses_head_get(&head, "x-empty"), "");
	assert_non_null(ses_head_get(&head, "x-empty").data);
	assert_null(ses_head_get(&head, "x-none").data);
	assert_bytes(ses_head_get(&head, "x_under_score"), "two words");
}

TEST("a response's parts are its version, status, reason and fields")
{
	static const struct {
		const char *text;
		int minor, status;
		const char *reason;
	} rows[] = {
		{"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n", 1, 101,
		 "Switching Protocols"},
		{"HTTP/1.0 403 Forbidden\r\nA: b\r\n\r\n", 0, 403, "Forbidden"},
		{"HTTP/1.1 101\r\nA: b\r\n\r\n", 1, 101, ""},
		{"HTTP/1.1 101 \r\nA: b\r\n\r\n", 1, 101, ""},
		{"HTTP/1.1 599 \xe9\t!\r\nA: b\r\n\r\n", 1, 599, "\xe9\t!"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_head_parser p;
		struct ses_head head;
		enum ses_fault fault;

		ses_head_init(&p, false, NULL);
		assert_int_equal(ses_head_parse(&p, bytes_of_str(rows[i].text),
						&head, &fault),
				 strlen(rows[i].text));
		assert_false(head.is_request);
		assert_int_equal(head.minor_version, rows[i].minor);
		assert_int_equal(head.status, rows[i].status);
		assert_bytes(head.reason, rows[i].reason);
		assert_bytes(ses_head_get(&head, "a"), "b");
	}
}

TEST("a head that ends with its status line has no fields")
{
	struct outcome o = parse(false, "HTTP/1.1 403 Access denied\r\n\r\n");

	assert_int_equal(o.result, 30);
	assert_int_equal(o.head.n_fields, 0);
	assert_int_equal(o.head.status, 403);
}

TEST("each fault of a request has its name")
{
	static const struct {
		const char *text;
		enum ses_fault fault;
	} rows[] = {
		{"\x16\x03\x01", SES_FAULT_HEAD_NOT_HTTP},
		{"\r\nGET / HTTP/1.1\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{" GET / HTTP/1.1\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{"hello\r\n", SES_FAULT_HEAD_START_LINE},
		{"GE(T / HTTP/1.1\r\n", SES_FAULT_HEAD_METHOD},
		{"GET\t/ HTTP/1.1\r\n", SES_FAULT_HEAD_METHOD},
		{"GET  / HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET /\r\n", SES_FAULT_HEAD_START_LINE},
		{"GET /a b HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET /a\tb HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET /#x HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET /\x7f HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET /\xc3\xa9 HTTP/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET / HTTP/1.1 \r\n", SES_FAULT_HEAD_START_LINE},
		{"GET / HTTP/1.2\r\n", SES_FAULT_HEAD_VERSION},
		{"GET / HTTP/2.0\r\n", SES_FAULT_HEAD_VERSION},
		{"PRI * HTTP/2.0\r\n", SES_FAULT_HEAD_VERSION},
		{"GET / HTTP/0.9\r\n", SES_FAULT_HEAD_VERSION},
		{"GET / HTTP/1.10\r\n", SES_FAULT_HEAD_VERSION},
		{"GET / HTTP/1\r\n", SES_FAULT_HEAD_VERSION},
		{"GET / http/1.1\r\n", SES_FAULT_HEAD_TARGET},
		{"GET / HTTQ/1.1\r\n", SES_FAULT_HEAD_START_LINE},
		{"GET / HTTP/1.1\n", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\rA", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\r\n", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\nA: b\n", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\nA: b\rc", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\nA: b\r\n\n", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\nA: b\r\n\rX", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\r\n A: b\r\n", SES_FAULT_HEAD_FOLDED},
		{"GET / HTTP/1.1\r\nA: b\r\n c\r\n", SES_FAULT_HEAD_FOLDED},
		{"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", SES_FAULT_HEAD_FOLDED},
		{"GET / HTTP/1.1\r\n: b\r\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA : b\r\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA\t: b\r\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA\r\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\n(A): b\r\n", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA: \x01", SES_FAULT_HEAD_VALUE},
		{"GET / HTTP/1.1\r\nA: \x1b[31m", SES_FAULT_HEAD_VALUE},
		{"GET / HTTP/1.1\r\nA: \x7f", SES_FAULT_HEAD_VALUE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fault(true, rows[i].text, rows[i].fault);
}

TEST("each fault of a response has its name")
{
	static const struct {
		const char *text;
		enum ses_fault fault;
	} rows[] = {
		{"SSH-2.0-OpenSSH_9.2\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{"HTTQ", SES_FAULT_HEAD_NOT_HTTP},
		{"http/1.1 200 OK\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{"ICY 200 OK\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{"-ERR unknown\r\n", SES_FAULT_HEAD_NOT_HTTP},
		{"HTTP/2 200\r\n", SES_FAULT_HEAD_VERSION},
		{"HTTP/1.3 200\r\n", SES_FAULT_HEAD_VERSION},
		{"HTTP/1.11 200\r\n", SES_FAULT_HEAD_VERSION},
		{"HTTP/1.1\r\n", SES_FAULT_HEAD_START_LINE},
		{"HTTP/1.1  101\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 10x\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 10\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 1010\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 011\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 101\tOK\r\n", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 101 O\x02K\r\n", SES_FAULT_HEAD_START_LINE},
		{"HTTP/1.1 101 OK\n", SES_FAULT_HEAD_LINE_END},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_fault(false, rows[i].text, rows[i].fault);
}

TEST("a fault is told at the byte that shows it, and not before")
{
	static const struct {
		const char *text; /* its last byte is the one */
		enum ses_fault fault;
	} rows[] = {
		{"GET / HTTP/1.1\r\nA ", SES_FAULT_HEAD_NAME},
		{"GET / HTTP/1.1\r\nA: b\r\n ", SES_FAULT_HEAD_FOLDED},
		{"GET / HTTP/1.1\r\nA: b\n", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/1.1\rx", SES_FAULT_HEAD_LINE_END},
		{"GET / HTTP/2", SES_FAULT_HEAD_VERSION},
		{"GET /\x01", SES_FAULT_HEAD_TARGET},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_of_str(rows[i].text);
		struct bytes less = bytes_first(text, text.len - 1);

		assert_int_equal(parse_with(true, false, NULL, less).result, 0);
		assert_fault(true, rows[i].text, rows[i].fault);
	}
}

TEST("a head cut at every byte reads the same and is looked at once")
{
	struct bytes text = BYTES(REQUEST);
	struct outcome whole = parse(true, REQUEST);
	struct ses_head_parser p;
	struct ses_head head;
	enum ses_fault fault;

	for (size_t cut = 0; cut <= text.len; cut++) {
		uint8_t *copy = test_guarded(text.data, cut);
		int n;

		ses_head_init(&p, true, NULL);
		n = ses_head_parse(&p, bytes_of(copy, cut), &head, &fault);
		assert_int_equal(n, cut == text.len ? (int)cut : 0);
		assert_int_equal(p.scanned, cut);
		test_guard_free(copy, cut);
		n = ses_head_parse(&p, text, &head, &fault);
		assert_int_equal(n, text.len);
		assert_int_equal(head.n_fields, whole.head.n_fields);
		assert_bytes(head.target, "/chat?room=1");
		assert_bytes(ses_head_get(&head, "Host"), "example.org:8080");
	}
}

TEST("what follows a head is not looked at")
{
	struct outcome o = parse(true, "GET / HTTP/1.1\r\n\r\n\xff\n\n\r\x01");

	assert_int_equal(o.result, 18);
	assert_int_equal(o.scanned, 18);
}

/* A request whose first line is @line long and that has @total bytes. */
static struct bytes make_request(uint8_t *text, size_t target, size_t value,
				 size_t fields)
{
	size_t n = (size_t)sprintf((char *)text, "GET /");

	memset(text + n, 'a', target);
	n += target;
	n += (size_t)sprintf((char *)text + n, " HTTP/1.1\r\nA:");
	memset(text + n, 'b', value);
	n += value;
	n += (size_t)sprintf((char *)text + n, "\r\n");
	for (size_t i = 1; i < fields; i++)
		n += (size_t)sprintf((char *)text + n, "F:\r\n");
	n += (size_t)sprintf((char *)text + n, "\r\n");
	return bytes_of(text, n);
}

TEST("the limits hold to the byte, on line, count and total")
{
	static uint8_t text[4096];
	struct ses_head_limits limits = {.line_bytes = 100, .fields = 10};
	static const struct {
		size_t target, value, fields;
		enum ses_fault fault;
	} rows[] = {
		{86, 1, 1, SES_FAULT_NONE},
		{87, 1, 1, SES_FAULT_HEAD_LINE_TOO_LONG},
		{96, 1, 1, SES_FAULT_HEAD_TARGET_TOO_LONG},
		{1, 98, 1, SES_FAULT_NONE},
		{1, 99, 1, SES_FAULT_HEAD_LINE_TOO_LONG},
		{1, 1, 10, SES_FAULT_NONE},
		{1, 1, 11, SES_FAULT_HEAD_TOO_MANY_FIELDS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes in = make_request(text, rows[i].target,
					       rows[i].value, rows[i].fields);
		struct outcome o = parse_with(true, false, &limits, in);

		assert_int_equal(o.fault, rows[i].fault);
		assert_int_equal(o.result,
				 rows[i].fault ? SESAME_EPROTO : (int)in.len);
	}
	struct bytes in = make_request(text, 1, 50, 5);

	limits.total_bytes = in.len;
	assert_int_equal(parse_with(true, false, &limits, in).result, in.len);
	limits.total_bytes = in.len - 1;
	assert_int_equal(parse_with(true, false, &limits, in).fault,
			 SES_FAULT_HEAD_TOO_LONG);
	in.len -= 1; /* as soon as it is certain, before it is whole */
	assert_int_equal(parse_with(true, false, &limits, in).fault,
			 SES_FAULT_HEAD_TOO_LONG);
	in.len -= 1;
	assert_int_equal(parse_with(true, false, &limits, in).result, 0);
}

TEST("too much is answered with 431, a target that is too long with 414")
{
	assert_int_equal(ses_fault_row(SES_FAULT_HEAD_TOO_LONG)->status, 431);
	assert_int_equal(ses_fault_row(SES_FAULT_HEAD_LINE_TOO_LONG)->status,
			 431);
	assert_int_equal(ses_fault_row(SES_FAULT_HEAD_TOO_MANY_FIELDS)->status,
			 431);
	assert_int_equal(ses_fault_row(SES_FAULT_HEAD_TARGET_TOO_LONG)->status,
			 414);
}

TEST("more fields than the head can hold are refused whatever is asked for")
{
	static uint8_t text[4096];
	struct ses_head_limits limits = {.fields = 100000};
	struct bytes in = make_request(text, 1, 1, SES_HEAD_MAX_FIELDS);

	assert_int_equal(parse_with(true, false, &limits, in).result, in.len);
	in = make_request(text, 1, 1, SES_HEAD_MAX_FIELDS + 1);
	assert_int_equal(parse_with(true, false, &limits, in).fault,
			 SES_FAULT_HEAD_TOO_MANY_FIELDS);
}

static const char tchars[] = "!#$%&'*+-.^_`|~0123456789"
			     "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static int try_byte(const char *before, int c, const char *after)
{
	char text[128];
	size_t n = strlen(before), m = strlen(after);

	memcpy(text, before, n);
	text[n] = (char)c;
	memcpy(text + n + 1, after, m);
	return parse_with(true, false, NULL, bytes_of(text, n + 1 + m)).result;
}

TEST("of all 256 bytes a name takes the token bytes only")
{
	for (int c = 0; c < 256; c++) {
		bool token = c && strchr(tchars, c);
		uint8_t byte = (uint8_t)c;
		int n = try_byte("GET / HTTP/1.1\r\nA", c, "B: c\r\n\r\n");

		assert_int_equal(ses_is_token(bytes_of(&byte, 1)), token);
		/* a colon ends the name: it then is "A" */
		assert_int_equal(n > 0, token || c == ':');
	}
}

TEST("of all 256 bytes a value takes all but the control bytes; a tab is fine")
{
	for (int c = 0; c < 256; c++) {
		bool plain = c == '\t' || (c >= ' ' && c != 0x7f);
		uint8_t byte = (uint8_t)c;
		int n = try_byte("GET / HTTP/1.1\r\nA: b", c, "c\r\n\r\n");

		assert_int_equal(ses_is_field_value(bytes_of(&byte, 1)), plain);
		assert_int_equal(n > 0, plain);
	}
}

TEST("of all 256 bytes a target takes the visible ones of ASCII but #")
{
	for (int c = 0; c < 256; c++) {
		bool visible = c > ' ' && c < 0x7f && c != '#';
		int n = try_byte("GET /a", c, "b HTTP/1.1\r\n\r\n");

		assert_int_equal(n > 0, visible);
	}
}

TEST("an empty text is no token, but a value")
{
	assert_false(ses_is_token(BYTES("")));
	assert_true(ses_is_field_value(BYTES("")));
}

/* ---- tolerance ---- */

TEST("a tolerant parser reads what real servers send, and notes the fault")
{
	static const struct {
		const char *text;
		int status;
		const char *reason, *value; /* of X */
		enum ses_fault tolerated;
	} rows[] = {
		{"HTTP/1.1 403 Forbidden\r\nX: y\r\n\r\n", 403, "Forbidden",
		 "y", SES_FAULT_NONE},
		{"HTTP/1.1 403 Access denied\r\n\r\n", 403, "Access denied", "",
		 SES_FAULT_NONE},
		{"HTTP/1.1 400 Bad\nX: y\n\n", 400, "Bad", "y",
		 SES_FAULT_HEAD_LINE_END},
		{"HTTP/1.1 400\nX: y\n\n", 400, "", "y", SES_FAULT_HEAD_LINE_END},
		{"HTTP/1.1  400  Bad\r\nX: y\r\n\r\n", 400, "Bad", "y",
		 SES_FAULT_NONE},
		{"HTTP/2 400 Bad\r\nX: y\r\n\r\n", 400, "Bad", "y",
		 SES_FAULT_HEAD_VERSION},
		{"HTTP/1.1 nope\r\nX: y\r\n\r\n", 0, "", "y",
		 SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1\r\nX: y\r\n\r\n", 0, "", "y", SES_FAULT_HEAD_STATUS},
		{"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", 200, "OK", "y",
		 SES_FAULT_HEAD_NAME},
		{"HTTP/1.1 200 OK\r\nX: y\x01\r\n\r\n", 200, "OK", "y\x01",
		 SES_FAULT_HEAD_VALUE},
		{"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", 200, "OK", "y\r\n z",
		 SES_FAULT_HEAD_FOLDED},
		{"HTTP/1.1 200 OK\r\n folded\r\nX: y\r\n\r\n", 200, "OK", "y",
		 SES_FAULT_HEAD_FOLDED},
		{"HTTP/1.1 200 OK\r\njunk\r\nX: y\r\n\r\n", 200, "OK", "y",
		 SES_FAULT_HEAD_NAME},
		{"HTTP/1.1 200 OK\r\n: none\r\nX: y\r\n\r\n", 200, "OK", "y",
		 SES_FAULT_HEAD_NAME},
		{"HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n", 200, "OK", "y\rz",
		 SES_FAULT_HEAD_LINE_END},
		{"HTTP/1.1 200 OK\r\r\nX: y\r\n\r\n", 200, "OK\r", "y",
		 SES_FAULT_HEAD_LINE_END},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_of_str(rows[i].text);

		for (size_t cut = 0; cut <= text.len; cut++) {
			enum ses_fault fault = SES_FAULT_NONE;
			struct ses_head_parser p;
			struct ses_head head;
			int n;

			ses_head_init(&p, false, NULL);
			p.tolerant = true;
			n = ses_head_parse(&p, bytes_first(text, cut), &head,
					   &fault);
			assert_int_equal(n, cut == text.len ? (int)cut : 0);
			n = ses_head_parse(&p, text, &head, &fault);
			assert_int_equal(n, text.len);
			assert_int_equal(head.status, rows[i].status);
			assert_bytes(head.reason, rows[i].reason);
			assert_bytes(ses_head_get(&head, "X"), rows[i].value);
			assert_int_equal(p.tolerated, rows[i].tolerated);
		}
	}
}

TEST("what does not begin with HTTP/ is no HTTP to a tolerant parser either")
{
	static const char *const rows[] = {
		"S",	 "HX",		 "HTX",	   "HTTX", "HTTP ",
		"HTTP-", "\x15\x03\x01", "<html>", "\n",   "-ERR",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes text = bytes_of_str(rows[i]);
		struct outcome o = parse_with(false, true, NULL, text);

		assert_int_equal(o.fault, SES_FAULT_HEAD_NOT_HTTP);
		assert_true(o.scanned < text.len);
	}
}

TEST("a tolerant parser leaves out the fields that are too many")
{
	static char text[8192];
	struct outcome o;
	size_t n = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");

	for (int i = 0; i < 200; i++)
		n += (size_t)sprintf(text + n, "A: b\r\n:\r\n");
	n += (size_t)sprintf(text + n, "\r\n");
	o = parse_with(false, true, NULL, bytes_of(text, n));
	assert_int_equal(o.result, n);
	assert_int_equal(o.head.n_fields, 100);
}

TEST("a tolerant parser keeps the limits on line and total")
{
	static uint8_t text[40000];
	struct bytes in = bytes_of(text, sizeof(text));

	memset(text, '\n', sizeof(text));
	memset(text, 'a', 9000);
	memcpy(text, "HTTP/", 5);
	assert_int_equal(parse_with(false, true, NULL, in).fault,
			 SES_FAULT_HEAD_LINE_TOO_LONG);
	for (size_t i = 20; i < sizeof(text); i += 20)
		text[i] = '\n';
	memset(text + 9000, 'a', sizeof(text) - 9000);
	for (size_t i = 9000; i < sizeof(text); i += 20)
		text[i] = '\n';
	assert_int_equal(parse_with(false, true, NULL, in).fault,
			 SES_FAULT_HEAD_TOO_LONG);
}

static int finish(bool tolerant, bool is_request, const char *text,
		  struct ses_head *head, enum ses_fault *fault)
{
	struct ses_head_parser p;

	ses_head_init(&p, is_request, NULL);
	p.tolerant = tolerant;
	ses_head_parse(&p, bytes_of_str(text), head, fault);
	return ses_head_finish(&p, bytes_of_str(text), head, fault);
}

TEST("a response cut after its status is read by tolerant parsers only")
{
	static const struct {
		const char *text;
		bool readable;
		size_t fields;
	} rows[] = {
		{"", false, 0},
		{"HTTP/", false, 0},
		{"HTTP/1.1 4", false, 0},
		{"HTTP/1.1 403", true, 0},
		{"HTTP/1.1 403 Forb", true, 0},
		{"HTTP/1.1 403 Forbidden\r\n", true, 0},
		{"HTTP/1.1 403 Forbidden\r\nA", true, 0},
		{"HTTP/1.1 403 Forbidden\r\nA: b", true, 1},
		{"HTTP/1.1 403 Forbidden\r\nA: b\r\n", true, 1},
	};
	enum ses_fault fault;
	struct ses_head head;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = rows[i].text;
		int n = finish(true, false, text, &head, &fault);

		if (rows[i].readable) {
			assert_int_equal(n, strlen(text));
			assert_int_equal(head.status, 403);
			assert_int_equal(head.n_fields, rows[i].fields);
			assert_int_equal(fault, SES_FAULT_NONE);
		} else {
			assert_int_equal(n, SESAME_EPROTO);
			assert_int_equal(fault, SES_FAULT_HEAD_CUT);
		}
		n = finish(false, false, text, &head, &fault);
		assert_int_equal(n, SESAME_EPROTO);
		assert_int_equal(fault, SES_FAULT_HEAD_CUT);
	}
	assert_int_equal(finish(true, true, "GET / HTTP/1.1\r\n", &head, &fault),
			 SESAME_EPROTO);
	assert_int_equal(finish(false, true, REQUEST, &head, &fault),
			 strlen(REQUEST));
}

/* ---- Content-Length ---- */

TEST("a body's length is one number or it is bad")
{
	static const struct {
		const char *fields;
		int64_t length;
	} rows[] = {
		{"", -1},
		{"Content-Length: 0\r\n", 0},
		{"Content-Length: 12\r\n", 12},
		{"content-length: 9223372036854775807\r\n", INT64_MAX},
		{"Content-Length: 9223372036854775808\r\n", -2},
		{"Content-Length: 18446744073709551616\r\n", -2},
		{"Content-Length: -1\r\n", -2},
		{"Content-Length: +1\r\n", -2},
		{"Content-Length: 1 2\r\n", -2},
		{"Content-Length: 0x10\r\n", -2},
		{"Content-Length:\r\n", -2},
		{"Content-Length: 5, 5\r\n", -2},
		{"Content-Length: 5\r\nContent-Length: 5\r\n", 5},
		{"Content-Length: 5\r\nContent-Length: 6\r\n", -2},
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_head_parser p;
		struct ses_head head;
		enum ses_fault fault;

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n",
			 rows[i].fields);
		ses_head_init(&p, true, NULL);
		assert_true(ses_head_parse(&p, bytes_of_str(text), &head,
					   &fault) > 0);
		assert_true(ses_head_content_length(&head) == rows[i].length);
	}
}
