/* SPDX-License-Identifier: MIT */
/* The intrusive list, and the text of errors. */
#include "test.h"

#include "base/list.h"

#include <sesame/error.h>

struct guest {
	int number;
	struct ses_list link;
};

static struct guest *first(struct ses_list *l)
{
	struct ses_list *link = ses_list_first(l);

	return link ? ses_container_of(link, struct guest, link) : NULL;
}

TEST("members leave a list in the order they came, or from anywhere")
{
	struct guest guests[3] = {{1, {0}}, {2, {0}}, {3, {0}}};
	struct ses_list list;

	ses_list_init(&list);
	assert_true(ses_list_empty(&list));
	assert_null(ses_list_first(&list));
	for (int i = 0; i < 3; i++)
		ses_list_append(&list, &guests[i].link);
	ses_list_remove(&guests[1].link);
	assert_int_equal(first(&list)->number, 1);
	ses_list_remove(&guests[0].link);
	ses_list_remove(&guests[0].link); /* twice does no harm */
	assert_int_equal(first(&list)->number, 3);
	ses_list_append(&list, &guests[1].link);
	assert_int_equal(first(&list)->number, 3);
	ses_list_prepend(&list, &guests[0].link);
	assert_int_equal(first(&list)->number, 1);
	ses_list_remove(&guests[0].link);
	ses_list_remove(&guests[2].link);
	ses_list_remove(&guests[1].link);
	assert_true(ses_list_empty(&list));
}

TEST("every error has its own sentence, every other number has one too")
{
	for (int a = -1; a >= SESAME_ERESET; a--)
		for (int b = a - 1; b >= SESAME_ERESET; b--)
			assert_string_not_equal(sesame_strerror(a),
						sesame_strerror(b));
	assert_string_equal(sesame_strerror(SESAME_ENOMEM), "out of memory");
	assert_string_equal(sesame_strerror(-9999), "an unknown error");
	assert_string_equal(sesame_strerror(0), "no error");
	assert_string_equal(sesame_strerror(7), "no error");
}
