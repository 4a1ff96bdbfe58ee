/* SPDX-License-Identifier: MIT */
/* Close codes and bodies, as RFC 6455 7.4 and the registry have them. */
#include "test.h"

#include "wire/close.h"

#include <sesame/error.h>

static const struct {
	unsigned from, to;
	bool valid;
} codes[] = {
	{0, 999, false},      {1000, 1003, true},  {1004, 1006, false},
	{1007, 1014, true},   {1015, 2999, false}, {3000, 4999, true},
	{5000, 65535, false},
};

TEST("just the registered and the free codes may stand in a frame")
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		for (unsigned c = codes[i].from; c <= codes[i].to; c++)
			assert_int_equal(ses_close_code_valid(c),
					 codes[i].valid);
	assert_false(ses_close_code_valid(1000 + 0x10000));
}

TEST("every registered code has a name, others have none")
{
	for (unsigned c = 1000; c <= 1015; c++)
		assert_true(c == 1004 || ses_close_code_name(c)[0]);
	assert_string_equal(ses_close_code_name(1001), "going away");
	assert_string_equal(ses_close_code_name(1004), "");
	assert_string_equal(ses_close_code_name(3000), "");
	assert_string_equal(ses_close_code_name(70000), "");
}

static const struct {
	struct bytes body;
	enum ses_fault fault;
	uint16_t code;
	const char *reason;
} bodies[] = {
	{BYTES(""), SES_FAULT_NONE, SES_CLOSE_NONE, ""},
	{BYTES("\x03\xe8"), SES_FAULT_NONE, 1000, ""},
	{BYTES("\x03\xe8"
	       "bye"),
	 SES_FAULT_NONE, 1000, "bye"},
	{BYTES("\x0f\xa0"
	       "caf\xc3\xa9"),
	 SES_FAULT_NONE, 4000, "caf\xc3\xa9"},
	{BYTES("\x03"), SES_FAULT_CLOSE_LENGTH, 0, NULL},
	{BYTES("\x00\x00"), SES_FAULT_CLOSE_CODE, 0, NULL},
	{BYTES("\x03\xed"), SES_FAULT_CLOSE_CODE, 0, NULL},
	{BYTES("\x03\xee"
	       "cut"),
	 SES_FAULT_CLOSE_CODE, 0, NULL},
	{BYTES("\xff\xff"), SES_FAULT_CLOSE_CODE, 0, NULL},
	{BYTES("\x03\xe8\xff"), SES_FAULT_CLOSE_REASON_UTF8, 0, NULL},
	{BYTES("\x03\xe8"
	       "caf\xc3"),
	 SES_FAULT_CLOSE_REASON_UTF8, 0, NULL},
	{BYTES("\x03\xe8\xed\xa0\x80"), SES_FAULT_CLOSE_REASON_UTF8, 0, NULL},
};

TEST("close bodies give code and reason, or the rule that they break")
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		uint8_t *copy =
			test_guarded(bodies[i].body.data, bodies[i].body.len);
		struct bytes body = bytes_of(copy, bodies[i].body.len);
		enum ses_fault fault = SES_FAULT_NONE;
		struct bytes reason;
		uint16_t code;
		int error = ses_close_parse(body, &code, &reason, &fault);

		assert_int_equal(fault, bodies[i].fault);
		assert_int_equal(error, fault ? SESAME_EPROTO : 0);
		if (!error) {
			assert_int_equal(code, bodies[i].code);
			assert_true(bytes_equal_str(reason, bodies[i].reason));
		}
		test_guard_free(copy, bodies[i].body.len);
	}
}
