/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "doctor/alike.h"
#include "doctor/result.h"

static bool unchunk(const char *text, size_t len, char *out, size_t size)
{
	uint8_t *copy = test_guarded(text, len);
	size_t n;
	bool whole = doctor_unchunk(bytes_of(copy, len), (uint8_t *)out,
				    size - 1, &n);

	out[n] = 0;
	test_guard_free(copy, len);
	return whole;
}

TEST("chunks are put together, cut anywhere")
{
	static const char text[] = "4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";
	static const char whole[] = "Wikipedia";
	char out[64];

	for (size_t n = 0; n < sizeof(text); n++) {
		bool done = unchunk(text, n, out, sizeof(out));

		assert_int_equal(done, n >= strlen(text) - 2);
		assert_int_equal(strncmp(out, whole, strlen(out)), 0);
		if (done)
			assert_string_equal(out, whole);
	}
}

TEST("chunks that lie about their size give what is there, bounded")
{
	char out[8];

	assert_false(unchunk("zz\r\nabc", 7, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(unchunk("ffffffffffffffff\r\nabc", 21, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(unchunk("fffffffffffffffff\r\nabc", 22, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(unchunk("7f\r\nabc", 7, out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(
		unchunk("a\r\n0123456789\r\n0\r\n\r\n", 20, out, sizeof(out)));
	assert_string_equal(out, "0123456");
}

static struct doctor_probe answer(const char *body, const char *target,
				  const char *origin)
{
	struct doctor_probe p = {.outcome = DOCTOR_ANSWERED,
				 .status = 403,
				 .body = (uint8_t *)(uintptr_t)body,
				 .body_len = strlen(body)};

	doctor_hash_body(&p, bytes_of_str(target), bytes_of_str(origin),
			 bytes_of_str("h:8080"));
	return p;
}

static bool alike(const char *a, const char *b)
{
	struct doctor_probe pa = answer(a, "/chat?x=1", "https://a.example");
	struct doctor_probe pb = answer(b, "/other", "https://b.example");

	return doctor_same_answer(&pa, &pb);
}

TEST("answers are alike when only ids, times and echoes differ")
{
	assert_true(alike("id 7f3a9c at 12:00:01", "id 8811bb at 13:30:59"));
	assert_true(alike("no /chat here", "no /other here"));
	assert_true(
		alike("https://a.example is bad", "https://b.example is bad"));
	assert_true(alike("", ""));
	assert_false(alike("forbidden origin", "forbidden host"));
	assert_false(alike("Forbidden", ""));
	assert_false(alike("a", "b"));
}

TEST("a page that repeats the URL is the same with our own Origin and without")
{
	struct doctor_probe with =
		answer("see http://h:8080/chat <b>", "/chat", "http://h:8080");
	struct doctor_probe without =
		answer("see http://h:8080/chat <b>", "/chat", "");
	struct doctor_probe root =
		answer("see http://h:8080/ <b>", "/", "http://h:8080");

	assert_true(doctor_same_answer(&with, &without));
	assert_true(doctor_same_answer(&without, &root));
}

TEST("a reference without a digit and ids told in a field are no difference")
{
	struct doctor_probe a = {.outcome = DOCTOR_ANSWERED, .status = 403};
	struct doctor_probe b = a;
	struct ses_field x = {BYTES("X-Request-Id"), BYTES("wqzhkpvt")};
	struct ses_field y = {BYTES("X-Request-Id"), BYTES("bdfghjkm")};

	assert_true(alike("ref EVXV-7K2M.", "ref K7PM-TTQW."));
	assert_true(alike("ref EVXV-TTQW.", "ref K7PM-3J2M."));
	assert_true(alike("id 550e8400-e29b-41d4-a716-446655440000",
			  "id 550e8400-abcd-eeff-a716-446655440000"));
	assert_false(alike("UPGRADE-REQUIRED", "ORIGIN-DENIED"));
	assert_false(alike("bad-origin", "bad-header"));
	a.body = (uint8_t *)"see wqzhkpvt";
	b.body = (uint8_t *)"see bdfghjkm";
	a.body_len = b.body_len = 12;
	doctor_hash_body(&a, BYTES("/"), BYTES(""), BYTES("h"));
	doctor_hash_body(&b, BYTES("/"), BYTES(""), BYTES("h"));
	assert_false(doctor_same_answer(&a, &b));
	a.parsed.fields[a.parsed.n_fields++] = x;
	b.parsed.fields[b.parsed.n_fields++] = y;
	doctor_hash_body(&a, BYTES("/"), BYTES(""), BYTES("h"));
	doctor_hash_body(&b, BYTES("/"), BYTES(""), BYTES("h"));
	assert_true(doctor_same_answer(&a, &b));
}

TEST("a short path is an echo where it stands alone")
{
	static const struct {
		const char *a, *path_a, *b, *path_b;
		bool alike;
	} rows[] = {
		{"Cannot GET /ws", "/ws", "Cannot GET /", "/", true},
		{"Cannot GET /ws/", "/ws/", "Cannot GET /ws", "/ws", true},
		{"<p>no</p><br />", "/", "<p>no</p><br />", "/ws", true},
		{"no\n", "/", "not\n", "/ws", false},
		{"at example.org", "/", "at example.com", "/", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_probe a = answer(rows[i].a, rows[i].path_a, "");
		struct doctor_probe b = answer(rows[i].b, rows[i].path_b, "");

		if (doctor_same_answer(&a, &b) != rows[i].alike)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
	}
}

TEST("answers differ by outcome, status, close code and error")
{
	struct doctor_probe a = {.outcome = DOCTOR_ANSWERED, .status = 403};
	struct doctor_probe b = {.outcome = DOCTOR_ANSWERED, .status = 404};

	assert_false(doctor_same_answer(&a, &b));
	a = b = (struct doctor_probe){.outcome = DOCTOR_CLOSED_AFTER,
				      .status = 101,
				      .close_code = 4004};
	assert_true(doctor_same_answer(&a, &b));
	b.close_code = 1008;
	assert_false(doctor_same_answer(&a, &b));
	a = b = (struct doctor_probe){.outcome = DOCTOR_NO_ANSWER,
				      .error = SESAME_ETIMEOUT};
	assert_true(doctor_same_answer(&a, &b));
	b.error = SESAME_ERESET;
	assert_false(doctor_same_answer(&a, &b));
}

static void expect_result(const struct doctor_probe *p, const char *text)
{
	char out[256];

	assert_string_equal(doctor_result_text(p, out, sizeof(out)), text);
}

TEST("every outcome has its words")
{
	struct doctor_probe p = {.outcome = DOCTOR_OPEN, .status = 101};

	expect_result(&p, "101");
	p.subprotocol = BYTES("chat.v2");
	expect_result(&p, "101, subprotocol chat.v2");
	p = (struct doctor_probe){.outcome = DOCTOR_ANSWERED, .status = 403};
	expect_result(&p, "403 Forbidden");
	p.parsed.reason = BYTES("Go\x1b away");
	expect_result(&p, "403 Go\\x1b away");
	p = (struct doctor_probe){.outcome = DOCTOR_CLOSED_AFTER,
				  .close_code = 4004,
				  .close_reason = "no"};
	expect_result(&p, "101, then close 4004 (no)");
	p = (struct doctor_probe){.outcome = DOCTOR_CLOSED_AFTER,
				  .close_code = 1005};
	expect_result(&p, "101, then close");
	p = (struct doctor_probe){.outcome = DOCTOR_CUT_AFTER, .open_ms = 3021};
	expect_result(&p, "101, then cut after 3.0 s");
	p = (struct doctor_probe){.outcome = DOCTOR_NOT_HTTP,
				  .head = (char *)"-ERR\r\n",
				  .head_len = 6};
	expect_result(&p, "not HTTP: \"-ERR\\x0d\\x0a\"");
	p = (struct doctor_probe){.outcome = DOCTOR_NOT_HTTP,
				  .head = (char *)"HTTP/1.1 4",
				  .head_len = 10,
				  .fault = SES_FAULT_HEAD_TOO_LONG};
	expect_result(&p, "broken HTTP: the head is longer than the limit");
	p = (struct doctor_probe){.outcome = DOCTOR_NO_ANSWER,
				  .error = SESAME_ERESET};
	expect_result(&p, "connected, then reset without an answer");
	p.error = SESAME_ECLOSED;
	expect_result(&p, "connected, then closed without an answer");
	p = (struct doctor_probe){.outcome = DOCTOR_NO_CONNECTION,
				  .error = SESAME_ECONNECT};
	p.dial.step[0].kind = SES_DIAL_CONNECT;
	p.dial.step[0].error = SESAME_ECONNECT;
	p.dial.step[0].sys_errno = ECONNREFUSED;
	p.dial.n_steps = 1;
	expect_result(&p, "connection refused");
	p = (struct doctor_probe){.outcome = DOCTOR_NO_CONNECTION,
				  .error = SESAME_EPROXY};
	p.dial.proxy_status = 407;
	expect_result(&p, "407 Proxy Authentication Required from the proxy");
	p = (struct doctor_probe){.outcome = DOCTOR_NO_CONNECTION,
				  .error = SESAME_ETLS};
	p.dial.tls.fault = SES_TLS_EXPIRED;
	expect_result(&p, "certificate expired or not yet valid");
}

TEST("a secret that a server repeats is hidden before it is cut")
{
	struct doctor_case c = {
		.header = {{(char *)"X-Token", (char *)"SuperSecretValue"}},
		.n_headers = 1,
	};
	struct doctor_probe p = {
		.c = &c, .outcome = DOCTOR_ANSWERED, .status = 403};
	char reason[128], out[256];

	/* at every place relative to the cut of the reason */
	for (size_t n = 0; n < 90; n++) {
		memset(reason, 'x', n);
		strcpy(reason + n, " SuperSecretValue");
		p.parsed.reason = bytes_of_str(reason);
		doctor_result_text(&p, out, sizeof(out));
		assert_null(strstr(out, "Sup"));
	}
	p.outcome = DOCTOR_NOT_HTTP;
	p.head = (char *)"GOAWAY SuperSecretValue";
	p.head_len = strlen(p.head);
	expect_result(&p, "not HTTP: \"GOAWAY ***\"");
	p.outcome = DOCTOR_OPEN;
	p.subprotocol = BYTES("SuperSecretValue");
	expect_result(&p, "101, subprotocol ***");
}

TEST("a redirect says where to, without the secrets in it")
{
	struct doctor_probe p = {.outcome = DOCTOR_ANSWERED, .status = 302};

	p.parsed.fields[0].name = BYTES("location");
	p.parsed.fields[0].value = BYTES("https://h/login?ticket=77");
	p.parsed.n_fields = 1;
	expect_result(&p, "302 Found to https://h/login?ticket=***");
}

TEST("a trial is told in words, redacted")
{
	static struct doctor_case c = {
		.url_text = (char *)"ws://h/?token=abc-secret"};
	struct doctor_trial t = {DOCTOR_ORIGIN, "https://app.example"};
	char out[256];

	assert_string_equal(doctor_trial_text(&c, &t, out, sizeof(out)),
			    "Origin: https://app.example");
	t = (struct doctor_trial){DOCTOR_PATH, "/x?token=abc-secret"};
	assert_string_equal(doctor_trial_text(&c, &t, out, sizeof(out)),
			    "path /x?token=***");
	t = (struct doctor_trial){DOCTOR_NOTHING, ""};
	assert_string_equal(doctor_trial_text(&c, &t, out, sizeof(out)),
			    "nothing");
}
