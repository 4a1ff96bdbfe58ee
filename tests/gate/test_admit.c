/* SPDX-License-Identifier: MIT */
/* The decision, over policies as people write them. */
#include "gate/admit.h"

#include "gate/config.h"
#include "gate/nearest.h"
#include "gate/story.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char policy_text[] =
	"routes:\n"
	"  - path: /chat\n"
	"    to: echo\n"
	"    allow:\n"
	"      hosts: [a.example, \"*.b.example:8080\"]\n"
	"      addresses: [\"0.0.0.0/0\", \"!203.0.113.0/24\", "
	"\"2001:db8::/32\"]\n"
	"      origins:\n"
	"        - https://app.example\n"
	"        - https://*.example.org\n"
	"      user_agents: [\"*\", \"!*badbot*\"]\n"
	"  - path: /open\n"
	"    to: echo\n"
	"  - path: /any\n"
	"    to: echo\n"
	"    allow: {origins: [\"*\"], user_agents: [\"!*badbot*\"]}\n"
	"  - path: /programs\n"
	"    to: echo\n"
	"    allow: {origins: [none]}\n"
	"  - path: /strict\n"
	"    to: echo\n"
	"    allow: {origins: [\"!https://old.example\"]}\n"
	"  - path: /outer\n"
	"    to: echo\n"
	"    allow: {hosts: [\"*\", \"!inner.example\", "
	"\"!x.example:81\", \"!y.example:80\"]}\n"
	"  - path: /nested\n"
	"    to: echo\n"
	"    allow: {addresses: [\"!10.1.2.0/24\", \"10.1.0.0/16\", "
	"\"!10.0.0.0/8\"]}\n"
	"  - path: /kept-out\n"
	"    to: echo\n"
	"    allow: {addresses: [\"!10.0.0.0/8\"]}\n";

static struct gate_policy *read_policy(const char *text)
{
	struct ses_buf errors;
	struct gate_policy *p;

	ses_buf_init(&errors, 65536);
	p = gate_config_parse("t.yaml", bytes_of_str(text), false, &errors);
	if (!p)
		fail_msg("%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&errors);
	return p;
}

static struct gate_request ask(const char *target, const char *host,
			       const char *address, const char *origin,
			       const char *user_agent)
{
	struct gate_request r = {
		.target = bytes_of_str(target),
		.host = bytes_of_str(host),
		.origin = bytes_of_str(origin),
		.user_agent = bytes_of_str(user_agent),
		.address_text = bytes_of_str(address),
	};

	assert_true(gate_address_read(r.address_text, &r.address));
	return r;
}

static const struct row {
	const char *target, *host, *address, *origin, *user_agent;
	const char *cause; /* "ok" */
	int status;
	unsigned line; /* of the rule that decided; 0: a default */
	const char *rule;
} rows[] = {
	{"/chat", "a.example", "10.1.1.1", "https://app.example", "x", "ok",
	 101, 10, "*"},
	{"/chat?q=//..;", "a.example", "10.1.1.1", "https://app.example", "x",
	 "ok", 101, 10, "*"},
	{"/chat", "A.Example:99", "10.1.1.1", "https://app.example", "x", "ok",
	 101, 10, "*"},
	{"/chat", "x.b.example:8080", "2001:db8::1", "https://x.example.org",
	 "x", "ok", 101, 10, "*"},
	{"/chat", "x.b.example:80", "10.1.1.1", "https://app.example", "x",
	 "access.host", 403, 5, "no entry matches"},
	{"/chat", "evil.example", "10.1.1.1", "https://app.example", "x",
	 "access.host", 403, 5, "no entry matches"},
	{"/chat", "a.example", "203.0.113.7", "https://app.example", "x",
	 "access.ip", 403, 6, "!203.0.113.0/24"},
	{"/chat", "a.example", "::ffff:203.0.113.7", "https://app.example", "x",
	 "access.ip", 403, 6, "!203.0.113.0/24"},
	{"/chat", "a.example", "2001:db9::1", "https://app.example", "x",
	 "access.ip", 403, 6, "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", "https://evil.example", "x",
	 "access.origin", 403, 7, "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", "https://a.example", "x",
	 "access.origin", 403, 7, "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", "null", "x", "access.origin", 403, 7,
	 "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", "", "x", "access.origin", 403, 7,
	 "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", NULL, "x", "access.origin-missing",
	 403, 7, "no entry matches"},
	{"/chat", "a.example", "10.1.1.1", "https://app.example", "A BADBOT/2",
	 "access.user-agent", 403, 10, "!*badbot*"},
	{"/chat", "a.example", "10.1.1.1", "https://app.example", NULL, "ok",
	 101, 10, "*"},
	{"/open", "a.example", "10.1.1.1", NULL, NULL, "ok", 101, 0, "no list"},
	{"/open", "a.example:8080", "10.1.1.1", "http://a.example:8080", NULL,
	 "ok", 101, 0, "no list"},
	{"/open", "a.example", "10.1.1.1", "https://evil.example", NULL,
	 "access.origin", 403, 0, NULL},
	{"/open", "a.example", "10.1.1.1", "null", NULL, "access.origin", 403,
	 0, NULL},
	{"/open", "a.example", "10.1.1.1", "http://a.example:8080", NULL,
	 "access.origin", 403, 0, NULL},
	{"/any", "a.example", "10.1.1.1", "https://evil.example", "x", "ok",
	 101, 15, NULL},
	{"/any", "a.example", "10.1.1.1", "null", "x", "ok", 101, 15, NULL},
	{"/any", "a.example", "10.1.1.1", NULL, NULL, "ok", 101, 15, NULL},
	{"/any", "a.example", "10.1.1.1", NULL, "badbot", "access.user-agent",
	 403, 15, "!*badbot*"},
	{"/programs", "a.example", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	{"/programs", "a.example", "10.1.1.1", "https://a.example", NULL,
	 "access.origin", 403, 18, "no entry matches"},
	/* a list of exclusions alone admits all others */
	{"/strict", "a.example", "10.1.1.1", "https://new.example", NULL, "ok",
	 101, 0, NULL},
	{"/strict", "a.example", "10.1.1.1", "https://old.example", NULL,
	 "access.origin", 403, 21, "!https://old.example"},
	/* the dot of the root, and ports */
	{"/chat", "a.example.", "10.1.1.1", "https://app.example", "x", "ok",
	 101, 10, "*"},
	{"/outer", "o.example", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	{"/outer", "inner.example.", "10.1.1.1", NULL, NULL, "access.host", 403,
	 24, "!inner.example"},
	{"/outer", "INNER.example.:80", "10.1.1.1", NULL, NULL, "access.host",
	 403, 24, "!inner.example"},
	{"/outer", "x.example.:81", "10.1.1.1", NULL, NULL, "access.host", 403,
	 24, "!x.example:81"},
	{"/outer", "x.example:82", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	{"/outer", "x.example", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	{"/outer", "x.example:0081", "10.1.1.1", NULL, NULL, "access.host", 403,
	 24, "!x.example:81"},
	{"/outer", "y.example", "10.1.1.1", NULL, NULL, "access.host", 403, 24,
	 "!y.example:80"},
	{"/outer", "y.example:81", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	/* the most specific network decides */
	{"/nested", "a.example", "10.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	{"/nested", "a.example", "10.1.2.1", NULL, NULL, "access.ip", 403, 27,
	 "!10.1.2.0/24"},
	{"/nested", "a.example", "10.2.1.1", NULL, NULL, "access.ip", 403, 27,
	 "!10.0.0.0/8"},
	{"/nested", "a.example", "11.1.1.1", NULL, NULL, "access.ip", 403, 27,
	 "no entry matches"},
	{"/kept-out", "a.example", "10.1.1.1", NULL, NULL, "access.ip", 403, 30,
	 "!10.0.0.0/8"},
	{"/kept-out", "a.example", "11.1.1.1", NULL, NULL, "ok", 101, 0, NULL},
	/* paths */
	{"/nowhere", "a.example", "10.1.1.1", NULL, NULL, "url.path", 404, 0,
	 "no route has this path"},
	{"/chat/", "a.example", "10.1.1.1", NULL, NULL, "url.path", 404, 0, NULL},
	{"/CHAT", "a.example", "10.1.1.1", NULL, NULL, "url.path", 404, 0, NULL},
	{"/x/../open", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0,
	 NULL},
	{"/%6fpen", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0,
	 NULL},
	{"/open;x", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0,
	 NULL},
	{"http://a.example/open", "a.example", "10.1.1.1", NULL, NULL,
	 "url.path", 400, 0, NULL},
	{"*", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0, NULL},
	{"", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0, NULL},
	{"?/open", "a.example", "10.1.1.1", NULL, NULL, "url.path", 400, 0, NULL},
};

TEST("a request is admitted or refused for one rule at one line")
{
	struct gate_policy *p = read_policy(policy_text);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct gate_request r = ask(row->target, row->host, row->address,
					    row->origin, row->user_agent);
		struct gate_decision d;
		const struct gate_trace *last;

		gate_admit(p, &r, &d);
		last = &d.trace[d.n_trace - 1];
		if (strcmp(why_cause(d.cause)->id, row->cause) != 0 ||
		    d.status != row->status ||
		    d.admitted != (row->status == 101))
			fail_msg("row %zu: %s %d", i, why_cause(d.cause)->id,
				 d.status);
		if (last->line != row->line ||
		    (row->rule && strcmp(last->rule, row->rule) != 0))
			fail_msg("row %zu: %s at %u", i, last->rule, last->line);
	}
	gate_policy_unref(p);
}

TEST("the looks are in order and only the last one can refuse")
{
	static const char *const order[] = {"path", "host", "address", "origin",
					    "user-agent"};
	struct gate_policy *p = read_policy(policy_text);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_request r =
			ask(rows[i].target, rows[i].host, rows[i].address,
			    rows[i].origin, rows[i].user_agent);
		struct gate_decision d;

		gate_admit(p, &r, &d);
		for (size_t k = 0; k < d.n_trace; k++) {
			assert_string_equal(d.trace[k].check, order[k]);
			assert_int_equal(d.trace[k].passed,
					 d.admitted || k + 1 < d.n_trace);
		}
		assert_int_equal(d.admitted && d.n_trace != 5, 0);
	}
	gate_policy_unref(p);
}

TEST("the nearest entry that would have passed is named")
{
	static const struct {
		const char *target, *address, *origin, *nearest;
	} near[] = {
		{"/chat", "10.1.1.1", "https://app.exmple",
		 "https://app.example"},
		{"/chat", "10.1.1.1", "https://a.b.example.org",
		 "https://*.example.org"},
		{"/chat", "2001:db9::1", NULL, "2001:db8::/32"},
		{"/caht", "10.1.1.1", NULL, "/chat"},
		/* nothing is near to what was not sent, or is kept out */
		{"/chat", "10.1.1.1", NULL, NULL},
		{"/chat", "203.0.113.7", NULL, NULL},
		{"/chat//x", "10.1.1.1", NULL, NULL},
	};
	struct gate_policy *p = read_policy(policy_text);

	for (size_t i = 0; i < ARRAY_LEN(near); i++) {
		struct gate_request r =
			ask(near[i].target, "a.example", near[i].address,
			    near[i].origin, NULL);
		struct gate_decision d;
		const char *nearest;
		unsigned compared;

		gate_admit(p, &r, &d);
		assert_false(d.admitted);
		nearest = gate_nearest(p, &d, &compared);
		if ((nearest == NULL) != (near[i].nearest == NULL))
			fail_msg("row %zu: %s", i, nearest ? nearest : "none");
		if (nearest)
			assert_string_equal(nearest, near[i].nearest);
	}
	gate_policy_unref(p);
}

/* A policy whose route /chat has thousands of origins, and as many routes. */
static struct gate_policy *read_long_policy(void)
{
	struct gate_policy *p;
	struct ses_buf text;

	ses_buf_init(&text, 1 << 20);
	ses_buf_append_str(&text, "routes:\n");
	for (int i = 0; i < 4000; i++)
		ses_buf_printf(&text,
			       "  - {path: /path/%d/of/many, to: echo}\n", i);
	ses_buf_append_str(&text, "  - path: /chat\n    to: echo\n"
				  "    allow:\n      origins:\n");
	for (int i = 0; i < 4096; i++)
		ses_buf_printf(&text,
			       "        - https://a-rather-long-name-%04d.of-"
			       "many-applications.example\n",
			       i);
	ses_buf_append(&text, bytes_of("", 1));
	p = read_policy((const char *)ses_buf_bytes(&text).data);
	ses_buf_fini(&text);
	return p;
}

/* The least time of some tries, for a machine that has other work too. */
static clock_t time_to_admit(const struct gate_policy *p,
			     const struct gate_request *r, bool admitted)
{
	clock_t least = 0;

	for (int i = 0; i < 5; i++) {
		clock_t start = clock(), took;
		struct gate_decision d;

		for (int k = 0; k < 10; k++)
			gate_admit(p, r, &d);
		took = clock() - start;
		assert_int_equal(d.admitted, admitted);
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

TEST("a refusal costs no more than an admission by the last entry")
{
	struct gate_policy *p = read_long_policy();
	struct gate_request last =
		ask("/chat", "a.example", "10.0.0.1",
		    "https://a-rather-long-name-4095.of-many-applications."
		    "example",
		    NULL);
	struct gate_request none = last;

	none.origin = BYTES("https://b-rather-long-name-4095.of-many-"
			    "applications.exampl");
	assert_true(time_to_admit(p, &none, false) <
		    time_to_admit(p, &last, true) * 5 + CLOCKS_PER_SEC / 1000);
	gate_policy_unref(p);
}

TEST("a typo is found in a long list by comparing a few")
{
	static const char *const asked[][3] = {
		{"/chat",
		 "https://a-rather-long-nane-3071.of-many-applications.example",
		 "https://"
		 "a-rather-long-name-3071.of-many-applications.example"},
		{"/path/3977/of/mny", NULL, "/path/3977/of/many"},
	};
	struct gate_policy *p = read_long_policy();

	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct gate_request r = ask(asked[i][0], "a.example",
					    "10.0.0.1", asked[i][1], NULL);
		struct gate_decision d;
		unsigned compared;

		gate_admit(p, &r, &d);
		assert_string_equal(gate_nearest(p, &d, &compared), asked[i][2]);
		assert_true(compared <= GATE_MAX_COMPARED);
	}
	gate_policy_unref(p);
}

TEST("following the advice opens the door, and shuts it for nobody")
{
	static const struct {
		const char *origin;
		bool admitted;
	} origins[] = {
		{"https://evil.example", true},	  {"https://a.example", true},
		{"http://a.example", true},	  {NULL, true},
		{"https://other.example", false}, {"null", false}};
	struct gate_policy *p = read_policy("routes:\n"
					    "  - path: /open\n"
					    "    to: echo\n");
	struct gate_request r = ask("/open", "a.example", "10.0.0.1",
				    "https://evil.example", NULL);
	struct gate_story s = {0};
	struct gate_decision d;
	struct ses_buf advice, text;
	const char *lines;

	gate_admit(p, &r, &d);
	gate_story_ask(&s, &r);
	gate_story_decide(&s, p, &d);
	assert_true(s.preset);
	assert_int_equal(s.line, 2); /* the route's, for a default */
	ses_buf_init(&advice, 4096);
	ses_buf_init(&text, 4096);
	gate_story_advise(&s, &advice);
	ses_buf_append(&advice, bytes_of("", 1));
	lines = strstr((const char *)ses_buf_bytes(&advice).data, "    allow");
	assert_non_null(lines);
	ses_buf_printf(&text, "routes:\n  - path: /open\n    to: echo\n%s",
		       lines);
	gate_policy_unref(p);
	ses_buf_append(&text, bytes_of("", 1));
	p = read_policy((const char *)ses_buf_bytes(&text).data);
	for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
		r.origin = bytes_of_str(origins[i].origin);
		gate_admit(p, &r, &d);
		if (d.admitted != origins[i].admitted)
			fail_msg("%s", origins[i].origin);
	}
	gate_policy_unref(p);
	ses_buf_fini(&advice);
	ses_buf_fini(&text);
}

TEST("who sends no User-Agent is let in by a star alone")
{
	struct gate_policy *p = read_policy("routes:\n"
					    "  - path: /a\n"
					    "    to: echo\n"
					    "    allow: {user_agents: [x]}\n");
	struct gate_request r = ask("/a", "a.example", "10.0.0.1", NULL, NULL);
	struct gate_story s = {0};
	struct gate_decision d;
	struct ses_buf advice;

	gate_admit(p, &r, &d);
	gate_story_ask(&s, &r);
	gate_story_decide(&s, p, &d);
	ses_buf_init(&advice, 4096);
	gate_story_advise(&s, &advice);
	assert_true(bytes_equal_str(ses_buf_bytes(&advice),
				    "It was not sent, and only \"*\" in the "
				    "list at t.yaml:4 would admit that.\n"));
	ses_buf_fini(&advice);
	gate_policy_unref(p);
}

TEST("no advice names an entry that a list cannot have")
{
	static const char *const no_origins[] = {"", "app.example", "x\"]}"};
	struct gate_policy *p = read_policy(policy_text);

	for (size_t i = 0; i < ARRAY_LEN(no_origins) * 2; i++) {
		struct gate_request r =
			ask(i % 2 ? "/open" : "/chat", "a.example", "10.0.0.1",
			    no_origins[i / 2], NULL);
		struct gate_story s = {0};
		struct gate_decision d;
		struct ses_buf advice;

		gate_admit(p, &r, &d);
		gate_story_ask(&s, &r);
		gate_story_decide(&s, p, &d);
		ses_buf_init(&advice, 4096);
		gate_story_advise(&s, &advice);
		assert_true(bytes_starts(ses_buf_bytes(&advice),
					 BYTES("What was sent is no origin")));
		ses_buf_fini(&advice);
	}
	gate_policy_unref(p);
}

TEST("a story of anything a peer may send is printable and bounded")
{
	struct gate_policy *p = read_policy(policy_text);
	char *junk = malloc(20000);
	struct gate_request r;
	struct gate_decision d;
	struct gate_story s = {0};
	char *json;

	for (int i = 0; i < 20000; i++)
		junk[i] = (char)(i % 255 + 1);
	r = ask("/chat", "a.example", "10.0.0.1", "x", NULL);
	r.origin = r.user_agent = bytes_of(junk, 20000);
	gate_admit(p, &r, &d);
	gate_story_ask(&s, &r);
	gate_story_decide(&s, p, &d);
	json = gate_story_json(&s, false);
	assert_non_null(json);
	for (const char *c = s.compared; *c; c++)
		assert_true((uint8_t)*c >= ' ' && *c != 0x7f);
	assert_non_null(strstr(json, "\"cause\":\"access.origin\""));
	free(json);
	free(junk);
	gate_policy_unref(p);
}

TEST("a Host without a port has that of its scheme")
{
	static const struct {
		const char *host;
		bool secure, admitted;
	} hosts[] = {
		{"a.example", true, true},	{"a.example", false, true},
		{"b.example", true, false},	{"b.example", false, true},
		{"a.example:443", false, true}, {"a.example:80", true, false},
		{"d.example", true, true},	{"d.example", false, false}};
	struct gate_policy *p = read_policy(
		"routes:\n"
		"  - path: /x\n"
		"    to: echo\n"
		"    allow: {hosts: [\"a.example:443\", \"b.example:80\", "
		"d.example, \"!d.example:80\"]}\n");

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct gate_request r =
			ask("/x", hosts[i].host, "10.1.1.1", NULL, NULL);
		struct gate_decision d;

		r.secure = hosts[i].secure;
		gate_admit(p, &r, &d);
		if (d.admitted != hosts[i].admitted)
			fail_msg("row %zu", i);
	}
	gate_policy_unref(p);
}
