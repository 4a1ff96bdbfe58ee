/* SPDX-License-Identifier: MIT */
/* What refused clients were told, on a clock that the test turns. */
#include "gate/told.h"

#include "test.h"
#include "why/reference.h"

#include <stdio.h>

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";

#define NUMBER "0123456789012345678901234567890123456789"

static struct gate_told_name name_of(const char *text)
{
	struct gate_told_name name = {""};

	assert_true(gate_told_name_read(bytes_of_str(text), &name));
	return name;
}

static struct gate_address address_of(const char *text)
{
	struct gate_address address;

	assert_true(gate_address_read(bytes_of_str(text), &address));
	return address;
}

static void keep(struct gate_told *told, const char *address,
		 const char *reference, const char *number, const char *text,
		 uint64_t now_ms)
{
	struct gate_address at = address_of(address);
	struct gate_told_name names[2] = {name_of(reference), {""}};

	if (number)
		names[1] = name_of(number);
	gate_told_keep(told, &at, names, bytes_of_str(text), now_ms);
}

/* "": nothing. */
static const char *find(struct gate_told *told, const char *text,
			uint64_t now_ms)
{
	static char found[GATE_TOLD_BYTES + 1];
	struct gate_told_name name = name_of(text);
	struct ses_buf out;
	bool is;

	ses_buf_init(&out, GATE_TOLD_BYTES);
	is = gate_told_find(told, &name, now_ms, &out);
	snprintf(found, sizeof(found), "%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	assert_int_equal(is, found[0] != '\0');
	ses_buf_fini(&out);
	return found;
}

TEST("a name is a reference, as people write it, or forty digits")
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{"7K2M-Q4XD", "7K2M-Q4XD"},
		{"7k2mq4xd", "7K2M-Q4XD"},
		{NUMBER, NUMBER},
		{NUMBER "0", NULL},
		{"7K2M-Q4X", NULL},
		{"", NULL},
		{"7K2M-Q4XD/", NULL},
		{"7K2M/Q4XD", NULL},
		{"%37K2M-Q4XD", NULL},
		{"-------------------", NULL},
		{"012345678901234567890123456789012345678x", NULL},
	};
	struct gate_told_name name;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);
		uint8_t *text = test_guarded(rows[i].text, len);
		bool is = gate_told_name_read(bytes_of(text, len), &name);

		assert_int_equal(is, rows[i].name != NULL);
		if (is)
			assert_string_equal(name.text, rows[i].name);
		test_guard_free(text, len);
	}
}

TEST("an attempt has its number among the subprotocols")
{
	static const struct {
		const char *offers, *number;
	} rows[] = {
		{"sesame.v1, sesame.attempt." NUMBER, NUMBER},
		{"sesame.attempt." NUMBER ",sesame.v1", NUMBER},
		{"sesame.attempt.1, sesame.attempt." NUMBER, NUMBER},
		{"sesame.attempt.7K2M-Q4XD", ""},
		{"sesame.attempt.", ""},
		{"Sesame.attempt." NUMBER, ""},
		{"bearer, " NUMBER, ""},
		{"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
			gate_told_attempt(bytes_of_str(rows[i].offers)).text,
			rows[i].number);
	assert_string_equal(gate_told_attempt(bytes_of(NULL, 0)).text, "");
}

TEST("what was told is found by both names, the latest of them, for ten "
     "minutes")
{
	struct gate_told *told = gate_told_new(test_seed);

	keep(told, "192.0.2.1", "7K2M-Q4XD", NUMBER, "one", 1000);
	keep(told, "2001:db8::1", "7K2M-Q4XE", NULL, "two", 2000);
	assert_string_equal(find(told, "7K2M-Q4XD", 2000), "one");
	assert_string_equal(find(told, NUMBER, 2000), "one");
	assert_string_equal(find(told, "7K2M-Q4XE", 2000), "two");
	assert_string_equal(find(told, "7K2M-Q4XF", 2000), "");
	assert_string_equal(find(told, "0000-0000", 2000), "");
	keep(told, "192.0.2.1", "7K2M-Q4XG", NUMBER, "three", 3000);
	assert_string_equal(find(told, NUMBER, 3000), "three");
	assert_string_equal(find(told, "7K2M-Q4XD", 999 + GATE_TOLD_MS), "one");
	assert_string_equal(find(told, "7K2M-Q4XD", 1000 + GATE_TOLD_MS), "");
	assert_string_equal(find(told, NUMBER, 1000 + GATE_TOLD_MS), "three");
	gate_told_free(told);
}

TEST("a flood from one address drives out what it was told, and hardly "
     "another's")
{
	struct gate_told *told = gate_told_new(test_seed);
	char reference[WHY_REFERENCE_SIZE], long_text[GATE_TOLD_BYTES + 2];
	char address[32];
	int lost = 0;

	for (unsigned i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "198.51.100.%u", i);
		why_reference_write(i, reference);
		keep(told, address, reference, NULL, "kept", 1);
	}
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(address, sizeof(address), "2001:db8::%x", i);
		why_reference_write(1000 + i, reference);
		keep(told, address, reference, NULL, "flood", 2);
	}
	assert_string_equal(find(told, reference, 3), "flood");
	why_reference_write(1000, reference);
	assert_string_equal(find(told, reference, 3), "");
	for (unsigned i = 0; i < 100; i++) {
		why_reference_write(i, reference);
		lost += !find(told, reference, 3)[0];
	}
	assert_true(lost <= 5);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	keep(told, "192.0.2.1", "7K2M-Q4XD", NULL, long_text, 4);
	assert_string_equal(find(told, "7K2M-Q4XD", 4), "");
	gate_told_free(told);
}

#define TOLD(more)                                                          \
	"{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403," \
	"\"detail\":\"No.\",\"reference\":\"7K2M-Q4XD\","                   \
	"\"cause\":\"access.ip\"" more "}"
#define RULE ",\"rule\":\"!10.0.0.0/8\",\"file\":\"s.yaml\",\"line\":7"

TEST("what another gateway says is told when it is that, and no more of it "
     "than may be")
{
	static const struct {
		const char *json, *name;
		enum gate_disclose disclose;
		const char *out; /* NULL: nothing */
	} rows[] = {
		{TOLD(""), "7K2M-Q4XD", GATE_TELL_REASON, TOLD("") "\n"},
		{TOLD(""), NUMBER, GATE_TELL_FULL, TOLD("") "\n"},
		{TOLD(RULE), "7K2M-Q4XD", GATE_TELL_FULL, TOLD(RULE) "\n"},
		{TOLD(RULE), "7K2M-Q4XD", GATE_TELL_REASON, TOLD("") "\n"},
		{TOLD(",\"secret\":1"), NUMBER, GATE_TELL_FULL, TOLD("") "\n"},
		{TOLD(""), "7K2M-Q4XE", GATE_TELL_FULL, NULL},
		{TOLD(",\"line\":\"7\""), NUMBER, GATE_TELL_FULL, NULL},
		{"{}", NUMBER, GATE_TELL_FULL, NULL},
		{"", NUMBER, GATE_TELL_FULL, NULL},
		{"[1", NUMBER, GATE_TELL_FULL, NULL},
		{"{\"type\":\"a\",\"title\":\"b\",\"status\":200,\"detail\":"
		 "\"c\",\"reference\":\"7K2M-Q4XD\",\"cause\":\"d\"}",
		 NUMBER, GATE_TELL_FULL, NULL},
		{"{\"type\":\"a\",\"title\":\"b\",\"status\":403,\"detail\":"
		 "\"\\u001b[1m\",\"reference\":\"7K2M-Q4XD\",\"cause\":\"d\"}",
		 NUMBER, GATE_TELL_FULL,
		 "{\"type\":\"a\",\"title\":\"b\",\"status\":403,\"detail\":"
		 "\"\\\\x1b[1m\",\"reference\":\"7K2M-Q4XD\",\"cause\":\"d\"}"
		 "\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_told_name name = name_of(rows[i].name);
		struct ses_buf out;
		bool is;

		ses_buf_init(&out, 4096);
		is = gate_told_repeat(bytes_of_str(rows[i].json), &name,
				      rows[i].disclose, &out);
		assert_int_equal(is, rows[i].out != NULL);
		if (is)
			assert_true(bytes_equal_str(ses_buf_bytes(&out),
						    rows[i].out));
		ses_buf_fini(&out);
	}
}
