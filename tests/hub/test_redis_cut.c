/* SPDX-License-Identifier: MIT */
/* Members who stay at a node that is cut off from Redis, while others publish. */
#include "redis_relay.h"
#include "redis_server.h"
#include "stage.h"

static struct redis_server server;

/* One node beside Redis, and one behind a relay with @ann in channel "a". */
struct play {
	struct redis_relay relay;
	struct place at[2];
	struct guest ann;
};

static void begin(struct play *p, const struct hub_rules *rules)
{
	p->ann = (struct guest){.you = "ann"};
	stage_begin();
	redis_server_start(&server, false);
	redis_relay_start(&p->relay, &server, false);
	place_open(&p->at[0], server.url, rules);
	place_open(&p->at[1], p->relay.url, rules);
	place_is_up(&p->at[0], true);
	place_is_up(&p->at[1], true);
	guest_comes(&p->ann, &p->at[1], "a", NULL);
}

static void cut_off(struct play *p)
{
	atomic_store(&p->relay.waits, true);
	redis_relay_cut(&p->relay);
	place_is_up(&p->at[1], false);
}

static void end(struct play *p)
{
	places_close(p->at);
	redis_relay_stop(&p->relay);
	redis_server_stop(&server);
}

TEST("what one key became while the node was cut off is heard, and all behind it")
{
	struct hub_rules rules = plain;
	struct play p;

	if (!redis_server_is_here())
		skip();
	rules.states = true;
	rules.keys = 9;
	begin(&p, &rules);
	put(&p.at[0], "a", "x", "1");
	guest_hears(&p.ann, "1:x=1 ");
	cut_off(&p);
	put(&p.at[0], "a", "x", "2");
	put(&p.at[0], "a", "x", "3");
	put(&p.at[0], "a", "y", "4");
	atomic_store(&p.relay.waits, false);
	guest_hears(&p.ann, "3:x=3 4:y=4 ");
	put(&p.at[0], "a", "x", "5");
	guest_hears(&p.ann, "5:x=5 ");
	end(&p);
}

TEST("where a message is gone that came meanwhile a gap is told, and all behind it")
{
	struct play p;

	if (!redis_server_is_here())
		skip();
	begin(&p, &plain);
	tell(&p.at[0], "a", "one");
	guest_hears(&p.ann, "1:one ");
	cut_off(&p);
	tell(&p.at[0], "a", "two");
	tell(&p.at[0], "a", "three");
	tell(&p.at[0], "a", "four");
	redis_server_tell(&server, "XDEL \"sesame:{/chat/* a}:m\" 3-0", ":1");
	atomic_store(&p.relay.waits, false);
	guest_hears(&p.ann, "2:two (3-3) 4:four ");
	tell(&p.at[0], "a", "five");
	guest_hears(&p.ann, "5:five ");
	end(&p);
}
