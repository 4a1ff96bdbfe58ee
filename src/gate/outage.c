/* SPDX-License-Identifier: MIT */
/* The backplane in the place of a rule that has refused. */
#include "gate/outage.h"

#include <stdio.h>

#include "gate/cluster.h"
#include "hub/redis.h"

#define FRESH_MS 5000 /* what it refused before that says nothing */

void gate_outage_see(const struct gate_cluster *cluster,
		     const struct gate_policy *policy, uint64_t now_ms,
		     struct gate_outage *ret)
{
	struct hub_redis_figures f;
	const char *trouble = "it does not answer in time";

	*ret = (struct gate_outage){.line = 0};
	if (!cluster || !gate_cluster_count(cluster, &f))
		return;
	if (!f.up && f.trouble[0])
		trouble = f.trouble;
	else if (f.up && f.refuses[0] && now_ms < f.refuses_ms + FRESH_MS) {
		trouble = f.refuses;
		ret->full = f.full;
	}
	snprintf(ret->address, sizeof(ret->address), "%.255s", f.address);
	snprintf(ret->trouble, sizeof(ret->trouble), "%s", trouble);
	if (policy->backplane)
		ret->line = (unsigned)policy->backplane_at.line;
}

void gate_outage_put(const struct gate_outage *o, struct gate_story *s)
{
	if (!o->address[0])
		return;
	snprintf(s->check, sizeof(s->check), "backplane");
	snprintf(s->rule, sizeof(s->rule), "%s", o->address);
	snprintf(s->compared, sizeof(s->compared), "%s", o->trouble);
	s->line = o->line;
}

/* By a word of its trouble. */
static const char *remedy_of(const char *trouble)
{
	static const char *const rows[][2] = {
		{"the user, the password",
		 "Correct the user, the password or the number of the "
		 "database there."},
		{"READONLY",
		 "It is a replica: name the server that it copies."},
		{"for another name", "Name it in `backplane` as its "
				     "certificate does, or let it show one for "
				     "this name."},
		{"nobody trusted vouches",
		 "Name the authority that signed it in `backplane_ca`, or see "
		 "who it is that answers there."},
		{"certificate", "Let it show one that is valid today."},
		{"onnection refused", "Nobody listens there: start Redis, or "
				      "correct the address."},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(trouble, rows[i][0]))
			return rows[i][1];
	return "See that it runs, and that this machine can reach it.";
}

static const char *options_of(const struct gate_story *s)
{
	return strncmp(s->rule, "rediss:", 7) == 0 ? " --cacert FILE" : "";
}

static int advise_silent(const struct gate_story *s, const char *place,
			 struct ses_buf *out)
{
	return ses_buf_printf(
		out,
		"The channels stand on the `backplane` of %s%s,\n%s, and it "
		"takes nothing: %s.\n%s To try it:\n\n"
		"    redis-cli -u %s%s ping\n\n"
		"No rule of the gateway refused this. Members stay, and what "
		"is published is taken again\nas soon as it answers.\n",
		s->file, place, s->rule, s->compared, remedy_of(s->compared),
		s->rule, options_of(s));
}

static int advise_full(const struct gate_story *s, const char *place,
		       struct ses_buf *out)
{
	const char *options = options_of(s);

	return ses_buf_printf(
		out,
		"The channels stand on the `backplane` of %s%s,\n%s. It "
		"answers, but uses all of its `maxmemory`,\nand takes nothing "
		"that needs more. To see what it may use, and what it "
		"does:\n\n"
		"    redis-cli -u %s%s config get maxmemory\n"
		"    redis-cli -u %s%s info memory\n\n"
		"Raise its `maxmemory`, or let channels hold less: "
		"`hub.kept`, `hub.channels`, `hub.history`,\n`hub.keys` of "
		"their routes. Leave its `maxmemory-policy` at noeviction: by "
		"any other it makes\nroom by deleting what channels hold. "
		"Members stay, and what is published is taken again as\nsoon "
		"as there is room.\n",
		s->file, place, s->rule, s->rule, options, s->rule, options);
}

int gate_outage_advise(const struct gate_story *s, struct ses_buf *out)
{
	char place[20] = "";

	if (s->line)
		snprintf(place, sizeof(place), ":%u", s->line);
	return strcmp(s->note, GATE_OUTAGE_FULL) == 0
		       ? advise_full(s, place, out)
		       : advise_silent(s, place, out);
}
