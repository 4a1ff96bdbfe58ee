/* SPDX-License-Identifier: MIT */
/* What connections of a kind share. */
#include "test.h"

#include "ws/conn.h"

static const struct sesame_handlers handlers, others;
static const struct sesame_session_events events;

static const struct ses_conn_setup plain = {.role = SESAME_SERVER,
					    .handlers = &handlers};

TEST("connections that agreed to the same are of one kind")
{
	struct sesame_loop *loop = sesame_loop_new();
	struct ses_conn_setup again = plain;
	struct ses_conn_kind *kind;

	assert_non_null(loop);
	again.limits.ping_ms = 30000; /* the default, spelled out */
	again.user = loop;
	kind = ses_conn_kind_of(loop, &plain, &events);
	assert_non_null(kind);
	assert_ptr_equal(ses_conn_kind_of(loop, &again, &events), kind);
	ses_conn_kind_unref(kind);
	assert_ptr_equal(ses_conn_kind_of(loop, &plain, &events), kind);
	ses_conn_kind_unref(kind);
	ses_conn_kind_unref(kind);
	assert_true(ses_list_empty(&loop->kinds));
	sesame_loop_free(loop);
}

TEST("whatever is not the same makes another kind")
{
	struct ses_conn_setup setups[9];
	struct ses_conn_kind *kinds[ARRAY_LEN(setups)];
	struct sesame_loop *loop = sesame_loop_new();

	assert_non_null(loop);
	for (size_t i = 0; i < ARRAY_LEN(setups); i++)
		setups[i] = plain;
	setups[1].role = SESAME_CLIENT;
	setups[2].handlers = &others;
	setups[3].subprotocol = BYTES("chat");
	setups[4].subprotocol = BYTES("chat2");
	setups[5].deflate.on = true;
	setups[6].context = loop;
	setups[7].limits.message_bytes = 5;
	setups[8].limits.idle_ms = 5;
	for (size_t i = 0; i < ARRAY_LEN(setups); i++) {
		kinds[i] = ses_conn_kind_of(loop, &setups[i], &events);
		assert_non_null(kinds[i]);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(kinds[i], kinds[j]);
	}
	assert_string_equal(kinds[0]->subprotocol, "");
	assert_string_equal(kinds[3]->subprotocol, "chat");
	for (size_t i = 0; i < ARRAY_LEN(setups); i++)
		ses_conn_kind_unref(kinds[i]);
	assert_true(ses_list_empty(&loop->kinds));
	sesame_loop_free(loop);
}
