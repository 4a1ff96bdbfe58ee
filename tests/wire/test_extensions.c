/* SPDX-License-Identifier: MIT */
/* The extensions field: grammar, offers, choices and answers. */
#include "test.h"

#include <stdio.h>

#include <sesame/error.h>

#include "wire/extensions.h"

#define PMD "permessage-deflate"

/* "name;param=value;param" of all extensions, joined by "|", or "broken". */
static void describe(struct bytes list, char out[512])
{
	struct ses_extension ext;
	size_t n = 0;
	int more;

	out[0] = '\0';
	while ((more = ses_extension_next(&list, &ext)) > 0) {
		n += (size_t)snprintf(out + n, 512 - n, "%s%.*s", n ? "|" : "",
				      BYTES_ARG(ext.name));
		for (size_t i = 0; i < ext.n_params; i++) {
			n += (size_t)snprintf(out + n, 512 - n, ";%.*s",
					      BYTES_ARG(ext.params[i].name));
			if (ext.params[i].has_value)
				n += (size_t)snprintf(
					out + n, 512 - n, "%s%.*s",
					ext.params[i].quoted ? "=q:" : "=",
					BYTES_ARG(ext.params[i].value));
		}
	}
	if (more < 0)
		strcpy(out, "broken");
}

static const struct {
	const char *list, *parts;
} grammar[] = {
	{"", ""},
	{" ", ""},
	{",", ""},
	{" , ,", ""},
	{"a", "a"},
	{" a\t", "a"},
	{"a,b", "a|b"},
	{",a , ,b,", "a|b"},
	{"a;b", "a;b"},
	{"a ; b ;c", "a;b;c"},
	{"a;b=1;c, d", "a;b=1;c|d"},
	{"a;b = 1", "a;b=1"},
	{"a;b=\"1\"", "a;b=q:1"},
	{"a;b=\"x\\y\" ; c", "a;b=q:x\\y;c"},
	{"a;b=\"1\",c", "a;b=q:1|c"},
	{"a!#$%&'*+-.^_`|~9;b", "a!#$%&'*+-.^_`|~9;b"},
	{";", "broken"},
	{"a;", "broken"},
	{"a;,b", "broken"},
	{"a;;b", "broken"},
	{"a;=1", "broken"},
	{"a;b=", "broken"},
	{"a;b=,c", "broken"},
	{"a;b==1", "broken"},
	{"a b", "broken"},
	{"a;b c", "broken"},
	{"a=1", "broken"},
	{"\"a\"", "broken"},
	{"a;\"b\"", "broken"},
	{"a;b=\"", "broken"},
	{"a;b=\"\"", "broken"},
	{"a;b=\"1", "broken"},
	{"a;b=\"1\\", "broken"},
	{"a;b=\"1\\\"", "broken"},
	{"a;b=\"1\\\"\"", "broken"},
	{"a;b=\"1 2\"", "broken"},
	{"a;b=\"1,2\"", "broken"},
	{"a;b=\"1\"2", "broken"},
	{"a;b='1'", "a;b='1'"},
	{"a/b", "broken"},
	{"a\x80", "broken"},
};

TEST("the grammar of the field takes lists, parameters and quoted strings")
{
	for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
		size_t len = strlen(grammar[i].list);
		uint8_t *copy = test_guarded(grammar[i].list, len);
		char parts[512];

		describe(bytes_of(copy, len), parts);
		assert_string_equal(parts, grammar[i].parts);
		test_guard_free(copy, len);
	}
}

TEST("cut at every byte, nothing is read past the end")
{
	for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
		for (size_t n = 0; n < strlen(grammar[i].list); n++) {
			uint8_t *copy = test_guarded(grammar[i].list, n);
			char parts[512];

			describe(bytes_of(copy, n), parts);
			test_guard_free(copy, n);
		}
	}
}

TEST("an extension has up to sixteen parameters")
{
	char text[128] = "a";
	struct ses_extension ext;

	for (int i = 0; i < 16; i++)
		strcat(text, ";b");
	struct bytes list = bytes_of_str(text);

	assert_int_equal(ses_extension_next(&list, &ext), 1);
	assert_int_equal(ext.n_params, 16);
	strcat(text, ";b");
	list = bytes_of_str(text);
	assert_int_equal(ses_extension_next(&list, &ext), SESAME_EPROTO);
}

static struct ses_head head_with(const char *first, const char *second)
{
	struct ses_head head = {.n_fields = 0};
	const char *values[] = {first, second};

	for (int i = 0; i < 2 && values[i]; i++)
		head.fields[head.n_fields++] =
			(struct ses_field){BYTES("sec-websocket-extensions"),
					   bytes_of_str(values[i])};
	return head;
}

/* "s" and "c": no context takeover; the numbers: server's and client's bits. */
static void summarise(const struct sesame_deflate *d, char out[64])
{
	if (!d->on)
		strcpy(out, "off");
	else
		snprintf(out, 64, "%s%s%u/%u",
			 d->server_no_context_takeover ? "s" : "",
			 d->client_no_context_takeover ? "c" : "",
			 d->server_max_window_bits, d->client_max_window_bits);
}

struct bargain {
	const char *first, *second; /* fields */
	const char *chosen;	    /* summary, or "broken" */
	const char *answer;	    /* the answer's field, if any */
};

static void check_choice(const struct ses_deflate_policy *policy,
			 const struct bargain *row)
{
	struct ses_head head = head_with(row->first, row->second);
	struct sesame_deflate chosen = {.server_max_window_bits = 99};
	struct ses_buf out;
	char summary[64];

	ses_buf_init(&out, 1024);
	if (ses_deflate_choose(&head, policy, &chosen) != 0) {
		assert_int_equal(chosen.server_max_window_bits, 99);
		assert_string_equal("broken", row->chosen);
		return;
	}
	summarise(&chosen, summary);
	if (strcmp(summary, row->chosen) != 0)
		print_error("for %s\n", row->first);
	assert_string_equal(summary, row->chosen);
	if (chosen.on) {
		assert_int_equal(ses_deflate_write_choice(&chosen, &out), 0);
		assert_int_equal(ses_buf_append(&out, bytes_of("", 1)), 0);
		assert_string_equal(ses_buf_bytes(&out).data, row->answer);
	}
	ses_buf_fini(&out);
}

TEST("a server takes the first offer that it can meet")
{
	static const struct ses_deflate_policy policy = {.enabled = true};
	static const struct bargain rows[] = {
		{NULL, NULL, "off", NULL},
		{"", NULL, "off", NULL},
		{"x-other", NULL, "off", NULL},
		{"Permessage-Deflate", NULL, "off", NULL},
		{PMD, NULL, "15/15", PMD},
		{"x-other, " PMD, NULL, "15/15", PMD},
		{"x-other", PMD, "15/15", PMD},
		{PMD "; client_max_window_bits", NULL, "15/15", PMD},
		{PMD "; client_max_window_bits=15", NULL, "15/15", PMD},
		{PMD "; client_max_window_bits=8", NULL, "15/8",
		 PMD "; client_max_window_bits=8"},
		{PMD "; client_max_window_bits=\"10\"", NULL, "15/10",
		 PMD "; client_max_window_bits=10"},
		{PMD "; client_max_window_bits=\"1\\0\"", NULL, "15/10",
		 PMD "; client_max_window_bits=10"},
		{PMD "; server_max_window_bits=10", NULL, "10/15",
		 PMD "; server_max_window_bits=10"},
		{PMD "; server_max_window_bits=15", NULL, "14/15",
		 PMD "; server_max_window_bits=14"},
		{PMD "; server_max_window_bits=9; client_max_window_bits=9",
		 NULL, "9/9",
		 PMD "; server_max_window_bits=9; client_max_window_bits=9"},
		{PMD "; server_no_context_takeover", NULL, "s15/15",
		 PMD "; server_no_context_takeover"},
		{PMD "; client_no_context_takeover", NULL, "c15/15",
		 PMD "; client_no_context_takeover"},
		{PMD "; client_no_context_takeover; server_no_context_takeover"
		     "; client_max_window_bits; server_max_window_bits=11",
		 NULL, "sc11/15",
		 PMD "; server_no_context_takeover; client_no_context_takeover"
		     "; server_max_window_bits=11"},
		/* declined: the next offer counts */
		{PMD "; server_max_window_bits=8, " PMD, NULL, "15/15", PMD},
		/* with 8 the server sends plainly, so a later offer is better */
		{PMD "; server_max_window_bits=8", NULL, "8/15",
		 PMD "; server_max_window_bits=8"},
		{PMD "; server_max_window_bits=8, " PMD "; unknown", NULL,
		 "8/15", PMD "; server_max_window_bits=8"},
		{PMD "; server_max_window_bits=8",
		 PMD "; server_max_window_bits=12", "12/15",
		 PMD "; server_max_window_bits=12"},
		{PMD "; unknown, " PMD "; client_no_context_takeover", NULL,
		 "c15/15", PMD "; client_no_context_takeover"},
		{PMD "; server_no_context_takeover, " PMD, NULL, "s15/15",
		 PMD "; server_no_context_takeover"},
		{PMD "; unknown", NULL, "off", NULL},
		{PMD "; server_no_context_takeover=1", NULL, "off", NULL},
		{PMD "; client_no_context_takeover=\"true\"", NULL, "off", NULL},
		{PMD "; server_max_window_bits", NULL, "off", NULL},
		{PMD "; client_max_window_bits; client_max_window_bits", NULL,
		 "off", NULL},
		{PMD "; client_max_window_bits=9; client_max_window_bits", NULL,
		 "off", NULL},
		{PMD "; client_max_window_bits; client_max_window_bits=9", NULL,
		 "off", NULL},
		{PMD "; server_max_window_bits=9; server_max_window_bits=9",
		 NULL, "off", NULL},
		{PMD "; server_no_context_takeover; server_no_context_takeover",
		 NULL, "off", NULL},
		{PMD "; client_no_context_takeover; client_no_context_takeover",
		 NULL, "off", NULL},
		/* the grammar is judged to the end, whatever was chosen */
		{PMD ", a;", NULL, "broken", NULL},
		{PMD, "a b", "broken", NULL},
		{"a b", PMD, "broken", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_choice(&policy, &rows[i]);
}

TEST("a server keeps to its own policy")
{
	static const struct ses_deflate_policy thrifty = {
		.enabled = true,
		.no_context_takeover = true,
		.max_window_bits = 10};
	static const struct bargain rows[] = {
		{PMD, NULL, "sc10/15",
		 PMD "; server_no_context_takeover; client_no_context_takeover"
		     "; server_max_window_bits=10"},
		{PMD "; client_max_window_bits", NULL, "sc10/10",
		 PMD "; server_no_context_takeover; client_no_context_takeover"
		     "; server_max_window_bits=10; client_max_window_bits=10"},
		{PMD "; client_max_window_bits=9; server_max_window_bits=9",
		 NULL, "sc9/9",
		 PMD "; server_no_context_takeover; client_no_context_takeover"
		     "; server_max_window_bits=9; client_max_window_bits=9"},
	};
	static const struct ses_deflate_policy off;
	static const struct bargain none = {PMD, NULL, "off", NULL};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_choice(&thrifty, &rows[i]);
	check_choice(&off, &none);
}

/* Every number that may be written for a window. */
static const struct {
	const char *value;
	int bits; /* 0: not lawful */
} windows[] = {
	{"8", 8},	   {"9", 9},	 {"10", 10},	 {"11", 11},
	{"12", 12},	   {"13", 13},	 {"14", 14},	 {"15", 15},
	{"0", 0},	   {"7", 0},	 {"16", 0},	 {"08", 0},
	{"015", 0},	   {"+9", 0},	 {"-9", 0},	 {"1", 0},
	{"99", 0},	   {"256", 0},	 {"9.0", 0},	 {"0x9", 0},
	{"4294967305", 0}, {"\"9\"", 9}, {"\"\\9\"", 9}, {"\"09\"", 0},
	{"a", 0},
};

TEST("window bits are 8 to 15 without leading zeros, in offer and answer")
{
	static const struct ses_deflate_policy policy = {.enabled = true};
	struct sesame_deflate d;
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		int bits = windows[i].bits;

		snprintf(text, sizeof(text), PMD "; client_max_window_bits=%s",
			 windows[i].value);
		struct ses_head head = head_with(text, NULL);

		assert_int_equal(ses_deflate_choose(&head, &policy, &d), 0);
		assert_int_equal(d.on, bits != 0);
		assert_int_equal(d.client_max_window_bits, bits);
		assert_int_equal(ses_deflate_check_answer(&head, &policy, &d),
				 bits ? 0 : SESAME_EPROTO);
		snprintf(text, sizeof(text), PMD "; server_max_window_bits=%s",
			 windows[i].value);
		head = head_with(text, NULL);
		assert_int_equal(ses_deflate_choose(&head, &policy, &d), 0);
		assert_int_equal(d.on, bits != 0);
		assert_int_equal(ses_deflate_check_answer(&head, &policy, &d),
				 bits ? 0 : SESAME_EPROTO);
		if (bits)
			assert_int_equal(d.server_max_window_bits, bits);
	}
}

static const struct ses_deflate_policy plain = {.enabled = true};
static const struct ses_deflate_policy small = {.enabled = true,
						.max_window_bits = 10};
static const struct ses_deflate_policy fresh = {.enabled = true,
						.no_context_takeover = true};
static const struct ses_deflate_policy disabled = {.enabled = false};

TEST("a client offers what its policy asks for")
{
	static const struct {
		const struct ses_deflate_policy *policy;
		const char *offer;
	} rows[] = {
		{&plain, PMD "; client_max_window_bits"},
		{&small, PMD "; server_max_window_bits=10"
			     "; client_max_window_bits=10"},
		{&fresh, PMD "; server_no_context_takeover"
			     "; client_no_context_takeover"
			     "; client_max_window_bits"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_buf out;

		ses_buf_init(&out, 256);
		assert_int_equal(ses_deflate_write_offer(rows[i].policy, &out),
				 0);
		assert_int_equal(ses_buf_append(&out, bytes_of("", 1)), 0);
		assert_string_equal(ses_buf_bytes(&out).data, rows[i].offer);
		ses_buf_fini(&out);
	}
}

TEST("a client takes only answers to what it offered")
{
	static const struct {
		const struct ses_deflate_policy *policy;
		const char *first, *second;
		const char *agreed; /* summary, or "refused" */
	} rows[] = {
		{&plain, NULL, NULL, "off"},
		{&plain, "", NULL, "off"},
		{&plain, PMD, NULL, "15/15"},
		{&plain, PMD "; client_max_window_bits=9", NULL, "15/9"},
		{&plain, PMD "; server_max_window_bits=9", NULL, "9/15"},
		{&plain, PMD "; server_no_context_takeover", NULL, "s15/15"},
		{&plain, PMD "; client_no_context_takeover", NULL, "c15/15"},
		{&plain, "x-other", NULL, "refused"},
		{&plain, PMD ", x-other", NULL, "refused"},
		{&plain, PMD ", " PMD, NULL, "refused"},
		{&plain, PMD, PMD, "refused"},
		{&plain, PMD "; client_max_window_bits", NULL, "refused"},
		{&plain, PMD "; server_max_window_bits", NULL, "refused"},
		{&plain, PMD "; unknown", NULL, "refused"},
		{&plain, PMD "; server_no_context_takeover=1", NULL, "refused"},
		{&plain,
		 PMD "; server_max_window_bits=9; server_max_window_bits=9",
		 NULL, "refused"},
		{&plain, PMD ";", NULL, "refused"},
		{&small, PMD, NULL, "refused"},
		{&small, PMD "; server_max_window_bits=11", NULL, "refused"},
		{&small, PMD "; server_max_window_bits=10", NULL, "10/10"},
		{&small,
		 PMD "; server_max_window_bits=9; client_max_window_bits=9",
		 NULL, "9/9"},
		{&small,
		 PMD "; server_max_window_bits=9; client_max_window_bits=11",
		 NULL, "refused"},
		{&fresh, PMD, NULL, "refused"},
		{&fresh, PMD "; server_no_context_takeover", NULL, "sc15/15"},
		{&disabled, PMD, NULL, "refused"},
		{&disabled, NULL, NULL, "off"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_head head = head_with(rows[i].first, rows[i].second);
		struct sesame_deflate agreed;
		char summary[64] = "refused";

		if (ses_deflate_check_answer(&head, rows[i].policy, &agreed) == 0)
			summarise(&agreed, summary);
		if (strcmp(summary, rows[i].agreed) != 0)
			print_error("for %s\n", rows[i].first);
		assert_string_equal(summary, rows[i].agreed);
	}
}

TEST("a client agrees with a server's choice for every policy of both")
{
	for (unsigned i = 0; i < 2 * 2 * 8 * 8; i++) {
		struct ses_deflate_policy client = {
			.enabled = true,
			.no_context_takeover = i & 1,
			.max_window_bits = (uint8_t)(8 + (i >> 2) % 8)};
		struct ses_deflate_policy server = {
			.enabled = true,
			.no_context_takeover = i & 2,
			.max_window_bits = (uint8_t)(8 + (i >> 5) % 8)};
		struct sesame_deflate chosen, agreed;
		struct ses_head head = head_with("", NULL);
		struct ses_buf offer, answer;

		ses_buf_init(&offer, 256);
		ses_buf_init(&answer, 256);
		ses_deflate_write_offer(&client, &offer);
		head.fields[0].value = ses_buf_bytes(&offer);
		assert_int_equal(ses_deflate_choose(&head, &server, &chosen), 0);
		assert_true(chosen.on);
		ses_deflate_write_choice(&chosen, &answer);
		head.fields[0].value = ses_buf_bytes(&answer);
		assert_int_equal(
			ses_deflate_check_answer(&head, &client, &agreed), 0);
		assert_int_equal(agreed.server_no_context_takeover,
				 chosen.server_no_context_takeover);
		assert_int_equal(agreed.client_no_context_takeover,
				 chosen.client_no_context_takeover);
		assert_int_equal(agreed.server_max_window_bits,
				 chosen.server_max_window_bits);
		assert_int_equal(agreed.client_max_window_bits,
				 chosen.client_max_window_bits);
		ses_buf_fini(&offer);
		ses_buf_fini(&answer);
	}
}

TEST("an offer or choice that has no room is not begun")
{
	struct sesame_deflate chosen = {.on = true,
					.server_max_window_bits = 15,
					.client_max_window_bits = 15};
	struct ses_buf out;

	ses_buf_init(&out, strlen(PMD) - 1);
	assert_int_equal(ses_deflate_write_choice(&chosen, &out), SESAME_ELIMIT);
	assert_int_equal(ses_deflate_write_offer(&plain, &out), SESAME_ELIMIT);
	assert_int_equal(ses_buf_len(&out), 0);
	ses_buf_fini(&out);
}
