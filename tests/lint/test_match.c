/* SPDX-License-Identifier: MIT */
/* Patterns, durations and names, as the servers understand them. */
#include "lint/match.h"
#include "test.h"

TEST("a regular expression is found where PCRE finds it")
{
	static const struct {
		const char *pattern, *subject;
		enum lint_truth found;
	} rows[] = {
		{"", "", LINT_YES},
		{"b", "abc", LINT_YES},
		{"^b", "abc", LINT_NO},
		{"c$", "abc", LINT_YES},
		{"^a.c$", "abc", LINT_YES},
		{"^(a|b)+$", "abba", LINT_YES},
		{"^(a|b|cd)*$", "abcd", LINT_YES},
		{"^(?:ab)?c$", "abc", LINT_YES},
		{"^(?:ab)?c$", "ac", LINT_NO},
		{"^a{2}$", "aa", LINT_YES},
		{"^a{2}$", "aaa", LINT_NO},
		{"^a{2,3}$", "aaa", LINT_YES},
		{"^a{0,2}b$", "b", LINT_YES},
		{"^a{0,2}b$", "aaab", LINT_NO},
		{"^a{2,}$", "aaaa", LINT_YES},
		{"^a{0}b$", "b", LINT_YES},
		{"a{x", "a{x", LINT_YES},
		{"^a{+$", "a{{", LINT_YES},
		{"^a{-1}$", "a{-1}", LINT_YES},
		{"^a{2}{3}$", "aaaaaa", LINT_PERHAPS},
		{"^[a-c]+$", "abc", LINT_YES},
		{"^[^a-c]+$", "xyz", LINT_YES},
		{"^[]a]+$", "a]", LINT_YES},
		{"^[\\w-]+\\.example$", "my-app.example", LINT_YES},
		{"^https://(app|shop)\\.example$", "https://shop.example",
		 LINT_YES},
		{"^https://(app|shop)\\.example$", "https://shopXexample",
		 LINT_NO},
		{"^\\d+\\s?\\D$", "12 x", LINT_YES},
		{"\\bchat\\b", "/chat/1", LINT_YES},
		{"\\bchat\\b", "/chats", LINT_NO},
		{"(?i)WEB", "websocket", LINT_YES},
		{"^a*?b$", "aab", LINT_YES},
		{"^[[:alpha:]]+$", "abc", LINT_YES},
		{"(a*)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", LINT_YES},
		{"^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", LINT_NO},
		{"(?!x)a", "a", LINT_PERHAPS},
		{"(a)\\1", "aa", LINT_PERHAPS},
		{"(a", "a", LINT_PERHAPS},
		{"[a", "a", LINT_PERHAPS},
		{"*", "a", LINT_PERHAPS},
		{"a{1000}{1000}", "a", LINT_PERHAPS},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (lint_regex(rows[i].pattern, false, rows[i].subject) !=
		    rows[i].found)
			fail_msg("%s in %s", rows[i].pattern, rows[i].subject);
	assert_int_equal(lint_regex("^WebSocket$", true, "websocket"), LINT_YES);
	assert_int_equal(lint_regex("^WebSocket$", false, "websocket"), LINT_NO);
}

TEST("three answers are joined as they should")
{
	assert_int_equal(lint_and(LINT_PERHAPS, LINT_NO), LINT_NO);
	assert_int_equal(lint_and(LINT_YES, LINT_PERHAPS), LINT_PERHAPS);
	assert_int_equal(lint_or(LINT_PERHAPS, LINT_YES), LINT_YES);
	assert_int_equal(lint_or(LINT_NO, LINT_PERHAPS), LINT_PERHAPS);
	assert_int_equal(lint_not(LINT_PERHAPS), LINT_PERHAPS);
}

TEST("durations are read in the units of the servers")
{
	assert_int_equal(lint_duration_ms("20", 1000), 20000);
	assert_int_equal(lint_duration_ms("20", 1), 20);
	assert_int_equal(lint_duration_ms("20s", 1), 20000);
	assert_int_equal(lint_duration_ms("1h30m", 1), 5400000);
	assert_int_equal(lint_duration_ms("1.5m", 1), 90000);
	assert_int_equal(lint_duration_ms("300ms", 1000), 300);
	assert_int_equal(lint_duration_ms("x", 1), -1);
	assert_int_equal(lint_duration_ms("5x", 1), -1);
	assert_int_equal(lint_duration_ms("", 1), -1);
}

TEST("names that speak of WebSockets are told from those that do not")
{
	assert_true(lint_smells("/ws"));
	assert_true(lint_smells("/api/WS/"));
	assert_true(lint_smells("/socket.io/"));
	assert_true(lint_smells("my_websocket_app"));
	assert_true(lint_smells("/cable"));
	assert_false(lint_smells("/news"));
	assert_false(lint_smells("/"));
	assert_false(lint_smells("sockshop"));
}

TEST("globs match as in Caddy and in Apache")
{
	assert_true(lint_glob("/chat*", "/chat/1", false, false));
	assert_false(lint_glob("/chat/*", "/chat", false, false));
	assert_true(lint_glob("*Upgrade*", "keep-alive, Upgrade", false, false));
	assert_true(lint_glob("*.Example", "a.example", true, false));
	assert_true(lint_glob("a?c", "abc", false, true));
	assert_false(lint_glob("a?c", "abc", false, false));
	assert_true(lint_glob("*", "", false, false));
}
