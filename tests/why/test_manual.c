/* SPDX-License-Identifier: MIT */
/* The manual around the causes: statuses, topics, and the page of all rows. */
#include "why/manual.h"
#include "why/stack.h"
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static char *read_page(void)
{
	FILE *f = fopen(SOURCE_DIR "/docs/causes.md", "r");
	char *page = NULL;
	size_t size = 0;

	assert_non_null(f);
	assert_true(getdelim(&page, &size, '\0', f) > 0);
	fclose(f);
	return page;
}

TEST("docs/causes.md is what the rows say (sesame explain --markdown)")
{
	struct ses_buf made;
	char *page = read_page();

	ses_buf_init(&made, 1 << 20);
	assert_int_equal(why_manual_markdown(&made), 0);
	assert_int_equal(ses_buf_append(&made, bytes_of("", 1)), 0);
	assert_string_equal((const char *)ses_buf_bytes(&made).data, page);
	ses_buf_fini(&made);
	free(page);
}

TEST("a page that does not fit into its buffer is an error, at every size")
{
	for (size_t limit = 0; limit < 4000; limit += 97) {
		struct ses_buf made;

		ses_buf_init(&made, limit);
		assert_true(why_manual_markdown(&made) < 0);
		ses_buf_fini(&made);
	}
}

TEST("the statuses that people meet are all there")
{
	static const int numbers[] = {
		0,   307, 308, 425, 428, 429, 431, 444, 451, 460, 463,	464,
		494, 495, 496, 497, 499, 511, 520, 526, 530, 561, 4404,
	};
	static const int others[] = {-1, 1, 99, 199, 399, 999, 5000};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		assert_non_null(why_status_find(numbers[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_null(why_status_find(others[i]));
}

TEST("each status of RFC 9110 and each close code of the registry is explained")
{
	static const struct {
		int first, last;
	} known[] = {
		{100, 101},   {200, 206},   {300, 308},
		{400, 418},   {421, 422},   {426, 426},
		{500, 505},   {1000, 1015}, /* RFC 6455, IANA */
		{3000, 3999}, {4000, 4999},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		for (int n = known[i].first; n <= known[i].last; n++)
			if (!why_status_find(n))
				fail_msg("nothing is known of %d", n);
}

static void check_shares(const struct why_status *s)
{
	int sum = 0, last = 100;

	assert_true(s->n_shares > 0 && s->n_shares <= WHY_MAX_SHARES);
	for (size_t i = 0; i < s->n_shares; i++) {
		assert_true(s->share[i].percent <= last);
		last = s->share[i].percent;
		sum += last;
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(s->share[k].cause,
					     s->share[i].cause);
	}
	assert_true(sum <= 100);
	assert_true(sum == 0 || s->threads > 0);
}

TEST("a status names each cause once, the likeliest first, at most 100 percent")
{
	for (size_t i = 0; why_status(i); i++) {
		const struct why_status *s = why_status(i);

		assert_ptr_equal(why_status_find(s->first), s);
		assert_ptr_equal(why_status_find(s->last), s);
		assert_true(strlen(s->says) > 20 && strlen(s->next) > 5);
		check_shares(s);
	}
}

TEST("403 begins with the Origin, 400 with the upgrade, 401 with credentials")
{
	assert_int_equal(why_status_find(403)->share[0].cause,
			 WHY_ACCESS_ORIGIN);
	assert_int_equal(why_status_find(400)->share[0].cause,
			 WHY_SERVER_PROXY_UPGRADE);
	assert_int_equal(why_status_find(401)->share[0].cause,
			 WHY_ACCESS_CREDENTIALS);
}

TEST("topics have an id to type, a question and an answer")
{
	for (size_t i = 0; why_topic(i); i++) {
		const struct why_topic *t = why_topic(i);
		size_t n = strlen(t->question);

		for (const char *c = t->id; *c; c++)
			assert_true(islower((unsigned char)*c) || *c == '-');
		assert_int_equal(t->question[n - 1], '?');
		assert_true(strlen(t->text) > 300);
		assert_ptr_equal(why_topic_find(bytes_of_str(t->id)), t);
	}
	assert_null(why_topic_find(BYTES("same-origi")));
	assert_non_null(why_topic_find(BYTES("CORS")));
}

TEST("no word is a cause, a topic and a stack at once")
{
	for (size_t i = 0; why_topic(i); i++) {
		struct bytes id = bytes_of_str(why_topic(i)->id);

		assert_int_equal(why_cause_find(id), -1);
		for (int s = 1; s < WHY_N_STACKS; s++)
			assert_false(bytes_equal_str(id, why_stack(s)->id));
		assert_int_equal(why_stack_find(id), WHY_STACK_NONE);
	}
}
