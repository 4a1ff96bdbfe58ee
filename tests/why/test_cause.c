/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary against its contract (tests/contracts/causes.tsv), and what
 * each row owes its reader.
 */
#include "why/cause.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *open_contract(void)
{
	FILE *f = fopen(SOURCE_DIR "/tests/contracts/causes.tsv", "r");
	char line[512];

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f)); /* the column names */
	return f;
}

TEST("every cause of the contract is there, in its order, with its addressee")
{
	FILE *f = open_contract();
	char line[512];
	int n = 0;

	for (; fgets(line, sizeof(line), f); n++) {
		const char *id = strtok(line, "\t");
		const char *who = strtok(NULL, "\t");

		assert_true(n < WHY_N_CAUSES);
		assert_string_equal(why_cause(n)->id, id);
		assert_string_equal(why_cause(n)->who, who);
	}
	assert_int_equal(n, WHY_N_CAUSES);
	fclose(f);
}

TEST("a cause is found by its id and by nothing else")
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		assert_int_equal(why_cause_find(bytes_of_str(why_cause(i)->id)),
				 i);
	assert_int_equal(why_cause_find(BYTES("access.origi")), -1);
	assert_int_equal(why_cause_find(BYTES("access.origin ")), -1);
	assert_int_equal(why_cause_find(BYTES("")), -1);
	assert_null(why_cause(WHY_N_CAUSES));
}

TEST("the category is the part of the id before the dot")
{
	assert_true(bytes_equal_str(why_category(WHY_ACCESS_ORIGIN), "access"));
	assert_true(
		bytes_equal_str(why_category(WHY_NET_ADDRESS_FAMILY), "net"));
	assert_true(bytes_equal_str(why_category(WHY_OK), "ok"));
}

TEST("each cause has one sentence and some paragraphs, fit for any terminal")
{
	for (int i = 0; i < WHY_N_CAUSES; i++) {
		const struct why_cause_row *row = why_cause(i);
		size_t len = strlen(row->sentence);

		assert_true(len > 40 && len < 200);
		assert_int_equal(row->sentence[len - 1], '.');
		assert_null(strchr(row->sentence, '\n'));
		assert_true(strlen(row->text) > 300);
		assert_non_null(strstr(row->text, "\n\n"));
		for (const char *p = row->text; *p; p++)
			assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	}
}

TEST("no two causes are told in the same words")
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(why_cause(i)->sentence,
						why_cause(k)->sentence);
}
