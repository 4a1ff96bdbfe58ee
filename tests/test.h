/* SPDX-License-Identifier: MIT */
/*
 * How tests are written here: TEST("a sentence that is true") { ... }, in any
 * number of files linked with test.c, which collects and runs them by cmocka.
 * Assertions are cmocka's (assert_int_equal, assert_string_equal, ...).
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

void test_register(const char *sentence, void (*run)(void **state));

#define TEST_JOIN2(a, b) a##b
#define TEST_JOIN(a, b)	 TEST_JOIN2(a, b)
#define TEST(sentence)                                                         \
	static void TEST_JOIN(test_, __LINE__)(void **state);                  \
	__attribute__((constructor)) static void TEST_JOIN(note_, __LINE__)(   \
		void)                                                          \
	{                                                                      \
		test_register(sentence, TEST_JOIN(test_, __LINE__));           \
	}                                                                      \
	static void TEST_JOIN(test_, __LINE__)(void **state)

/*
 * A copy of @len bytes whose end lies directly before a page that may not be
 * touched, so that reading one byte too far is a crash. Valid until the
 * test program ends or test_guard_free().
 */
uint8_t *test_guarded(const void *data, size_t len);
void test_guard_free(uint8_t *copy, size_t len);

/* What malloc() has given out; 0 where a sanitizer's stands in for it. */
size_t test_heap(void);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
