/* SPDX-License-Identifier: MIT */
/* Envelopes, written and read; and who is there. */
#include "hub/envelope.h"

#include <stdio.h>
#include <time.h>

#include "hub/demand.h"
#include "test.h"

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";

TEST("an envelope is read, and what is wrong with it is a sentence")
{
	static const struct {
		const char *text;
		enum hub_demand_sort sort;
		const char *data; /* NULL: it is wrong */
	} cases[] = {
		{"{\"publish\":\"a\\u00fc\\n\"}", HUB_PUBLISH, "a\xc3\xbc\n"},
		{" { \"ref\" : 1 , \"publish\" : [ 1, \"]\" ] } ", HUB_PUBLISH,
		 "[ 1, \"]\" ]"},
		{"{\"x\":{\"publish\":1},\"publish\":{\"\\\"\":0.10}}",
		 HUB_PUBLISH, "{\"\\\"\":0.10}"},
		{"{\"publish_base64\":\"aGk=\"}", HUB_PUBLISH_BYTES, "hi"},
		{"{\"resume\":\"x\"}", HUB_RESUME, "x"},
		{"{\"presence\":\"count\"}", HUB_COUNT, ""},
		{"{\"presence\":\"list\",\"limit\":1000}", HUB_LIST, ""},
		{"{\"\\u0070ublish\":{}}", HUB_PUBLISH, "{}"},
		{"{\"publish\":[1e400,{\"\\u0000\":\"\\ud800\"}],\"x\":1,"
		 "\"x\":2}",
		 HUB_PUBLISH, "[1e400,{\"\\u0000\":\"\\ud800\"}]"},
		{"{\"publish_base64\":\"aG\\u006b\\/\"}", HUB_PUBLISH_BYTES,
		 "hi\x3f"},
		{"{\"publish\":1}", HUB_PUBLISH, NULL},
		{"{\"publish\":\"\\ud800\"}", HUB_PUBLISH, NULL},
		{"{\"publish\":\"a\",\"publish\":\"b\"}", HUB_PUBLISH, NULL},
		{"{\"publish\":\"a\",\"pub\\u006cish\":\"b\"}", HUB_PUBLISH,
		 NULL},
		{"{\"ref\":1,\"publish\":\"a\",\"ref\":1}", HUB_PUBLISH, NULL},
		{"{\"ref\":1.0,\"publish\":\"a\"}", HUB_PUBLISH, NULL},
		{"{\"ref\":9007199254740992,\"publish\":\"a\"}", HUB_PUBLISH,
		 NULL},
		{"{\"publish\":\"a\",\"presence\":\"count\"}", HUB_PUBLISH, NULL},
		{"{\"presence\":\"list\",\"limit\":0}", HUB_LIST, NULL},
		{"{\"publish\":\"\xff\"}", HUB_PUBLISH, NULL},
		{"[]", HUB_PUBLISH, NULL},
		{"", HUB_PUBLISH, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].text);
		uint8_t *text = test_guarded(cases[i].text, len);
		struct hub_demand d;
		const char *wrong = hub_demand_read(bytes_of(text, len), &d);

		assert_int_equal(!wrong, cases[i].data != NULL);
		if (!wrong) {
			assert_int_equal(d.sort, cases[i].sort);
			assert_true(bytes_equal_str(d.data, cases[i].data));
		}
		hub_demand_fini(&d);
		test_guard_free(text, len);
	}
}

TEST("an envelope says what its message is")
{
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = BYTES("say \"\\\x01\x7f\xc3\xbc\n"),
		.from = BYTES("alice"),
	};
	struct hub_message *m = hub_message_new(&content, 1);
	struct ses_buf out;
	struct bytes frame;

	m->epoch = (struct hub_epoch){"k3m9t2ax"};
	m->seq = 7;
	m->time_ms = 1234;
	ses_buf_init(&out, 1000);
	assert_int_equal(hub_envelope_message(m, &out), 0);
	assert_true(bytes_equal_str(
		ses_buf_bytes(&out),
		"{\"type\":\"message\",\"id\":\"k3m9t2ax-7\",\"time\":1234,"
		"\"from\":\"alice\",\"data\":\"say "
		"\\\"\\\\\\u0001\x7f\xc3\xbc\\n\"}"));
	ses_buf_fini(&out);
	frame = hub_message_frame(m, true, &out);
	assert_ptr_equal(hub_message_frame(m, true, &out).data, frame.data);
	assert_int_equal(hub_message_frame(m, false, &out).len,
			 content.payload.len + 2);
	ses_buf_fini(&out);
	hub_message_free(m);
}

TEST("a frame that is far longer than its message is not kept")
{
	static uint8_t zeros[1000];
	struct hub_content content = {
		.kind = SESAME_TEXT,
		.payload = bytes_of(zeros, sizeof(zeros)),
	};
	struct hub_message *m = hub_message_new(&content, 1);
	struct ses_buf scratch;

	ses_buf_init(&scratch, 0);
	assert_true(hub_message_frame(m, true, &scratch).len > 6000);
	assert_null(atomic_load(&m->envelope));
	ses_buf_fini(&scratch);
	hub_message_free(m);
}

TEST("what is wrong is told with the number that it was asked by")
{
	static const char *const texts[] = {
		"{\"ref\":7,\"publish\":1}",
		"{\"publish\":\"\\udc00\",\"ref\":7}",
		"{\"x\":1e400,\"ref\":7}",
	};
	struct hub_demand d;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_non_null(hub_demand_read(bytes_of_str(texts[i]), &d));
		assert_int_equal(d.ref, 7);
		assert_false(d.no_memory);
		hub_demand_fini(&d);
	}
}

TEST("a payload that was written without escapes takes no memory")
{
	static char text[200000] = "{\"publish\":[";
	size_t at = strlen(text);
	struct hub_demand d;

	for (size_t i = 0; i < 90000; i++, at += 2)
		memcpy(text + at, "1,", 2);
	memcpy(text + at, "1]}", 3);
	assert_null(hub_demand_read(bytes_of(text, at + 3), &d));
	assert_ptr_equal(d.data.data, text + strlen("{\"publish\":"));
	assert_null(d.own.data);
	hub_demand_fini(&d);
	assert_null(hub_demand_read(BYTES("{\"publish\":\"a\"}"), &d));
	assert_null(d.own.data);
}

TEST("a payload of a state says what it is about, once")
{
	static const struct {
		const char *payload, *key; /* NULL: it is wrong */
		bool gone;
	} cases[] = {
		{"{\"k\":\"a\",\"x\":1}", "a", false},
		{"{\"x\":null,\"\\u006b\":\"a\\u0062\"}", "ab", true},
		{"{\"k\":12}", "12", true},
		{"{\"k\":-0,\"x\":[1e400]}", "0", false},
		{"{\"k\":123456789012345678901234567890,\"x\":0}",
		 "123456789012345678901234567890", false},
		{"{\"k\":1.5,\"x\":0}", NULL, false},
		{"{\"k\":1e2,\"x\":0}", NULL, false},
		{"{\"k\":\"\",\"x\":0}", NULL, false},
		{"{\"k\":\"\\ud800\",\"x\":0}", NULL, false},
		{"{\"k\":\"a\",\"k\":\"b\"}", NULL, false},
		{"{\"k\":null}", NULL, false},
		{"{\"x\":{\"k\":1}}", NULL, false},
		{"[\"k\"]", NULL, false},
		{"{\"k\":1", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hub_about about;
		const char *wrong = hub_about_read(
			bytes_of_str(cases[i].payload), "k", &about);

		assert_int_equal(!wrong, cases[i].key != NULL);
		if (wrong)
			continue;
		assert_true(bytes_equal_str(bytes_of(about.key, about.key_len),
					    cases[i].key));
		assert_int_equal(about.gone, cases[i].gone);
	}
}

TEST("a key may have 256 bytes, however it is written")
{
	char payload[16 + 6 * 257] = "{\"k\":\"";
	struct hub_about about;

	for (size_t i = 0; i < 256; i++)
		strcat(payload, "\\u0061");
	strcat(payload, "\"}");
	assert_null(hub_about_read(bytes_of_str(payload), "k", &about));
	assert_int_equal(about.key_len, 256);
	strcpy(payload + strlen(payload) - 2, "a\"}");
	assert_non_null(hub_about_read(bytes_of_str(payload), "k", &about));
}

TEST("a batch is taken apart where it lies, but for what has escapes")
{
	static const char text[] = " [ \"plain\" , \"\\u0061\\n\" , {\"a\" : "
				   "1}, [\"]\"], \"\\\"\" ] ";
	static const char *const says[] = {"plain", "a\n", "{\"a\" : 1}",
					   "[\"]\"]", "\""};
	struct bytes got[ARRAY_LEN(says)], more;
	struct hub_list list;

	assert_null(hub_list_read(bytes_of_str(text), &list));
	assert_int_equal(list.n, ARRAY_LEN(says));
	for (size_t i = 0; i < list.n; i++)
		assert_true(hub_list_next(&list, &got[i]));
	assert_false(hub_list_next(&list, &more));
	assert_null(list.wrong);
	for (size_t i = 0; i < list.n; i++)
		assert_true(bytes_equal_str(got[i], says[i]));
	hub_list_fini(&list);
}

TEST("a batch of what is no payload is refused")
{
	static const char *const texts[] = {
		"[]", "{}", "[1]", "[\"a\"", "[null]", "[\"a\",true]", "\"a\"",
	};
	struct hub_list list;
	struct bytes one;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_non_null(hub_list_read(bytes_of_str(texts[i]), &list));
		hub_list_fini(&list);
	}
	assert_null(hub_list_read(BYTES("[\"a\",\"\\ud800\"]"), &list));
	assert_true(hub_list_next(&list, &one));
	assert_false(hub_list_next(&list, &one));
	assert_non_null(list.wrong);
	hub_list_fini(&list);
}

static clock_t time_of_texts(int byte)
{
	static uint8_t text[65536];
	clock_t from = clock();
	struct ses_buf out;

	memset(text, byte, sizeof(text));
	for (int i = 0; i < 20; i++) {
		ses_buf_init(&out, 6 * sizeof(text) + 2);
		assert_int_equal(
			hub_json_text(&out, bytes_of(text, sizeof(text))), 0);
		ses_buf_fini(&out);
	}
	return clock() - from;
}

TEST("a byte that is escaped costs little more than one that is not")
{
	clock_t plain = time_of_texts('x'), escaped = time_of_texts(1);

	assert_true(escaped < 60 * (plain + 100));
}

static struct hub_person *enter(struct hub_roster *r, const char *name)
{
	return hub_roster_enter(r, bytes_of_str(name));
}

static const char *told(struct hub_roster *r)
{
	static char text[2000];
	struct hub_news news;
	size_t at = 0;

	text[0] = '\0';
	if (!hub_roster_tell(r, &news))
		return "nothing";
	for (size_t i = 0; i < news.n_joined; i++)
		at += (size_t)sprintf(text + at, "+%.*s ",
				      BYTES_ARG(news.joined[i]));
	for (size_t i = 0; i < news.n_left; i++)
		at += (size_t)sprintf(text + at, "-%.*s ",
				      BYTES_ARG(news.left[i]));
	sprintf(text + at, "%zu%s", news.count, news.more ? " more" : "");
	hub_roster_settle(r);
	return text;
}

TEST("who comes and goes is told once, and what changed back is not")
{
	struct hub_roster r;
	struct hub_person *a, *b, *c;

	hub_roster_init(&r, test_seed);
	a = enter(&r, "a");
	b = enter(&r, "b");
	assert_ptr_equal(enter(&r, "a"), a);
	assert_string_equal(told(&r), "+a +b 2");
	assert_string_equal(told(&r), "nothing");
	hub_roster_leave(&r, a);
	c = enter(&r, "c");
	hub_roster_leave(&r, c);
	assert_string_equal(told(&r), "nothing");
	hub_roster_leave(&r, a);
	assert_int_equal(r.n, 1);
	a = enter(&r, "a");
	assert_string_equal(told(&r), "nothing");
	hub_roster_leave(&r, a);
	hub_roster_leave(&r, b);
	assert_string_equal(told(&r), "-a -b 0");
	assert_int_equal(r.map.n, 0);
	hub_roster_fini(&r);
}

TEST("a storm of names is bounded, and says that it left some out")
{
	struct hub_roster r;
	char name[16];

	hub_roster_init(&r, test_seed);
	for (int i = 0; i < 3 * HUB_UNTOLD_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_non_null(enter(&r, name));
		assert_in_range(r.n_changed, 0, HUB_UNTOLD_MAX);
	}
	assert_non_null(strstr(told(&r), "more"));
	assert_int_equal(r.n, 3 * HUB_UNTOLD_MAX);
	for (int i = 0; i < 3 * HUB_UNTOLD_MAX; i++) {
		struct hub_entry *e;

		snprintf(name, sizeof(name), "n%d", i);
		e = hub_map_find(&r.map, bytes_of_str(name));
		hub_roster_leave(&r,
				 ses_container_of(e, struct hub_person, entry));
		assert_in_range(r.n_changed, 0, HUB_UNTOLD_MAX);
	}
	assert_non_null(strstr(told(&r), "more"));
	assert_int_equal(r.map.n, 0);
	hub_roster_fini(&r);
}

TEST("a list is told in pages, and goes on after somebody who left")
{
	struct hub_roster r;
	struct hub_person *p[5];
	struct bytes names[5];
	char name[2] = "a";
	bool more;

	hub_roster_init(&r, test_seed);
	for (int i = 0; i < 5; i++, name[0]++)
		p[i] = enter(&r, name);
	assert_int_equal(
		hub_roster_list(&r, bytes_of(NULL, 0), 3, names, &more), 3);
	assert_true(more);
	assert_int_equal(hub_roster_list(&r, names[2], 3, names, &more), 2);
	assert_false(more);
	assert_true(bytes_equal_str(names[0], "d"));
	hub_roster_leave(&r, p[4]);
	assert_int_equal(hub_roster_list(&r, BYTES("c"), 1, names, &more), 1);
	assert_false(more);
	assert_int_equal(hub_roster_list(&r, BYTES("gone"), 5, names, &more), 4);
	hub_roster_fini(&r);
}
