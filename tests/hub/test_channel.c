/* SPDX-License-Identifier: MIT */
/* Who is in a channel, who gets what, and how many there may be. */
#include "hub/channel.h"

#include <stdio.h>

#include "test.h"

static const uint8_t test_seed[SES_HASH_SEED] = "not so very secr";
static const struct hub_rules wide = {
	.channels = 1000,
	.members = 1000,
	.kept = 1 << 20,
};

struct world {
	struct hub_table table;
	struct hub_space *space;
	struct hub_member member[8];
};

static void begin(struct world *w)
{
	*w = (struct world){0};
	assert_true(hub_table_init(&w->table, 2, test_seed));
	w->space = hub_table_space(&w->table, "/chat/*");
	assert_non_null(w->space);
	w->space->rules = wide;
}

static void end(struct world *w)
{
	for (size_t i = 0; i < 8; i++)
		hub_table_leave(&w->table, &w->member[i], 0);
	assert_int_equal(w->table.n, 0);
	assert_int_equal(w->space->n_channels, 0);
	hub_table_fini(&w->table);
}

static enum hub_verdict join(struct world *w, const char *name, size_t i)
{
	return hub_table_join(&w->table, w->space, bytes_of_str(name), i % 2,
			      &w->member[i]);
}

TEST("a name is UTF-8 of 1 to 128 bytes without control characters")
{
	static const struct {
		const char *name;
		bool good;
	} cases[] = {
		{"lobby", true},
		{"", false},
		{"k\xc3\xbc"
		 "che",
		 true},
		{"a/b c", true},
		{"a\nb", false},
		{"\x7f", false},
		{"\xc2\x85", false},
		{"\xc2\xa0", true},
		{"\xc3", false},
		{"\xc2", false},
		{"\xff", false},
		{"\x1b[2J", false},
	};
	char name[HUB_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(!hub_name_wrong(bytes_of_str(cases[i].name)),
				 cases[i].good);
	memset(name, 'x', sizeof(name));
	assert_null(hub_name_wrong(bytes_of(name, HUB_NAME_MAX)));
	assert_non_null(hub_name_wrong(bytes_of(name, HUB_NAME_MAX + 1)));
	assert_non_null(hub_name_wrong(bytes_of("a\0b", 3)));
}

TEST("members are counted by channel and seat, and the last one ends it")
{
	struct hub_channel *c;
	struct world w;

	begin(&w);
	assert_int_equal(join(&w, "a", 0), HUB_OK);
	assert_int_equal(join(&w, "a", 1), HUB_OK);
	assert_int_equal(join(&w, "a", 2), HUB_OK);
	assert_int_equal(join(&w, "b", 3), HUB_OK);
	c = hub_table_find(&w.table, w.space, BYTES("a"));
	assert_non_null(c);
	assert_ptr_equal(c, w.member[0].channel);
	assert_int_equal(c->n_members, 3);
	assert_int_equal(c->crowd[0].n, 2);
	assert_int_equal(c->crowd[1].n, 1);
	hub_table_leave(&w.table, &w.member[3], 0);
	assert_null(hub_table_find(&w.table, w.space, BYTES("b")));
	assert_int_equal(w.space->n_channels, 1);
	end(&w);
}

TEST("the same name in another space is another channel")
{
	struct hub_space *other;
	struct world w;

	begin(&w);
	other = hub_table_space(&w.table, "/other/*");
	assert_ptr_not_equal(other, w.space);
	assert_ptr_equal(hub_table_space(&w.table, "/chat/*"), w.space);
	assert_int_equal(join(&w, "a", 0), HUB_OK);
	assert_null(hub_table_find(&w.table, other, BYTES("a")));
	end(&w);
}

TEST("one channel more, or one member more, than may be is refused")
{
	struct world w;

	begin(&w);
	w.space->rules.channels = w.space->rules.members = 2;
	assert_int_equal(join(&w, "a", 0), HUB_OK);
	assert_int_equal(join(&w, "a", 1), HUB_OK);
	assert_int_equal(join(&w, "a", 2), HUB_MEMBERS_FULL);
	assert_null(w.member[2].channel);
	assert_int_equal(join(&w, "b", 2), HUB_OK);
	assert_int_equal(join(&w, "c", 3), HUB_CHANNELS_FULL);
	assert_int_equal(join(&w, "b", 3), HUB_OK);
	hub_table_leave(&w.table, &w.member[0], 0);
	assert_int_equal(join(&w, "a", 4), HUB_OK);
	end(&w);
}

TEST("many channels are all found again")
{
	static struct hub_member members[1000];
	struct world w;
	char name[16];

	begin(&w);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(hub_table_join(&w.table, w.space,
						bytes_of_str(name), 0,
						&members[i]),
				 HUB_OK);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_ptr_equal(
			hub_table_find(&w.table, w.space, bytes_of_str(name)),
			members[i].channel);
	}
	for (int i = 0; i < 1000; i++)
		hub_table_leave(&w.table, &members[i], 0);
	end(&w);
}

/* A message to a channel that nobody is in. */
static void hold_one(struct world *w, struct bytes name)
{
	struct hub_content x = {.kind = SESAME_TEXT, .payload = BYTES("x")};
	struct hub_message *m = hub_message_new(&x, 2);
	struct hub_channel *c;

	assert_non_null(m);
	assert_int_equal(hub_table_use(&w->table, w->space, name, &c), HUB_OK);
	m->seq = c->last_id + 1;
	m->time_ms = 1000;
	hub_table_hold(&w->table, c, m, 1000);
	if (hub_message_unref(m))
		hub_message_free(m);
	hub_table_done(&w->table, c, 1000);
}

TEST("a million names take what as many as may be take")
{
	size_t before, room = 1000 * 1024;
	struct hub_rules rules = wide;
	char name[32];
	struct world w;

	begin(&w);
	rules.history = 10;
	rules.history_ms = 60000;
	rules.history_bytes = rules.kept;
	w.space->rules = rules;
	assert_int_equal(join(&w, "mine", 0), HUB_OK);
	before = test_heap();
	for (int i = 0; i < 1000000; i++) {
		int n = snprintf(name, sizeof(name), "name-%d", i);

		hold_one(&w, bytes_of(name, (size_t)n));
		if (i % 100000 == 99999)
			assert_true(test_heap() <= before + room);
	}
	assert_int_equal(w.table.n, 1000);
	assert_int_equal(w.table.n_evicted, 1000000 - 999);
	assert_non_null(hub_table_find(&w.table, w.space, BYTES("mine")));
	assert_non_null(hub_table_find(&w.table, w.space, BYTES("name-999999")));
	assert_null(hub_table_find(&w.table, w.space, BYTES("name-0")));
	hub_table_leave(&w.table, &w.member[0], 1000);
	hub_table_sweep(&w.table, 100000, 100000000);
	end(&w);
}
