/* SPDX-License-Identifier: MIT */
/* Looks that have to ask: whom, in which order, and what the answer does. */
#include "gate/admit.h"
#include "gate/config.h"
#include "test.h"

static struct gate_policy *policy_to(const char *to, const char *route)
{
	struct gate_policy *p;
	struct ses_buf text, errors;

	ses_buf_init(&text, 65536);
	ses_buf_init(&errors, 65536);
	ses_buf_printf(&text, "routes: [{path: /, to: %s%s}]\n", to, route);
	p = gate_config_parse("sesame.yaml", ses_buf_bytes(&text), false,
			      &errors);
	if (!p)
		fail_msg("%.*s", BYTES_ARG(ses_buf_bytes(&errors)));
	ses_buf_fini(&text);
	ses_buf_fini(&errors);
	return p;
}

static struct gate_policy *policy_of(const char *route)
{
	return policy_to("echo", route);
}

static const struct gate_request asking = {
	.target = {(const uint8_t *)"/", 1},
	.host = {(const uint8_t *)"a.example", 9},
};

static const struct gate_reply yes = {.passed = true, .rule = "yes"};
static const struct gate_reply no = {
	.rule = "no", .line = 7, .cause = WHY_ACCESS_RATE, .status = 429};

#define ALL                                                          \
	", limits: {handshakes: 1/s, token_connections: 1}, allow: " \
	"{token: {hashes_file: t}, authority: {url: \"http://a/\"}}"

TEST("each is asked in its turn, and only where the route has something to ask")
{
	static const struct {
		const char *route;
		enum gate_ask asks[5];
	} rows[] = {
		{"", {GATE_ASK_NOTHING}},
		{", limits: {message: 1MB}", {GATE_ASK_NOTHING}},
		{", limits: {route_connections: 9}", {GATE_ASK_ROOM}},
		/* failures are looked at before any credential */
		{", allow: {token: {hashes_file: t}}",
		 {GATE_ASK_ROOM, GATE_ASK_CREDENTIAL}},
		{", allow: {authority: {url: \"http://a/\"}}",
		 {GATE_ASK_AUTHORITY}},
		{ALL,
		 {GATE_ASK_ROOM, GATE_ASK_CREDENTIAL, GATE_ASK_SUBJECT_ROOM,
		  GATE_ASK_AUTHORITY}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_policy *p = policy_of(rows[i].route);
		struct gate_decision d;
		size_t n = 0;

		gate_admit(p, &asking, &d);
		while (d.ask != GATE_ASK_NOTHING) {
			assert_int_equal(d.ask, rows[i].asks[n++]);
			gate_admit_resume(p, &asking, &yes, &d);
		}
		assert_int_equal(rows[i].asks[n], GATE_ASK_NOTHING);
		assert_true(d.admitted);
		assert_int_equal(d.status, 101);
		gate_policy_unref(p);
	}
}

TEST("the first no ends it, and nobody is asked any more")
{
	struct gate_policy *p = policy_of(ALL);

	for (size_t at = 0; at < 4; at++) {
		struct gate_decision d;

		gate_admit(p, &asking, &d);
		for (size_t k = 0; k < at; k++)
			gate_admit_resume(p, &asking, &yes, &d);
		gate_admit_resume(p, &asking, &no, &d);
		assert_false(d.admitted);
		assert_int_equal(d.ask, GATE_ASK_NOTHING);
		assert_int_equal(d.cause, WHY_ACCESS_RATE);
		assert_int_equal(d.status, 429);
		assert_string_equal(gate_decider(&d)->rule, "no");
		assert_int_equal(gate_decider(&d)->line, 7);
	}
	gate_policy_unref(p);
}

TEST("what a list refuses is refused before anybody is asked")
{
	struct gate_request foreign = asking;
	struct gate_policy *p = policy_of(ALL);
	struct gate_decision d;

	foreign.origin = BYTES("https://foreign.example");
	gate_admit(p, &foreign, &d);
	assert_false(d.admitted);
	assert_int_equal(d.ask, GATE_ASK_NOTHING);
	assert_int_equal(d.cause, WHY_ACCESS_ORIGIN);
	gate_policy_unref(p);
}

TEST("who publishes is asked for its own token and counted in its own limits")
{
	static const char open_to_post[] =
		", hub: {publish: {hashes_file: t}}, limits: {handshakes: 1/s, "
		"route_connections: 1, publishes: 1/s, token_handshakes: 1/s}, "
		"allow: {token: {hashes_file: m}, subprotocols: [a]}";
	static const enum gate_ask asks[] = {GATE_ASK_ROOM, GATE_ASK_CREDENTIAL,
					     GATE_ASK_SUBJECT_ROOM};
	struct gate_policy *p = policy_to("hub", open_to_post);
	struct gate_request post = asking;
	struct gate_decision d;

	post.is_post = true;
	gate_admit(p, &post, &d);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		assert_int_equal(d.ask, asks[i]);
		gate_admit_resume(p, &post, &yes, &d);
	}
	assert_true(d.admitted);
	assert_ptr_equal(gate_wanted_token(&post, d.route),
			 d.route->hub.publish);
	assert_ptr_equal(gate_wanted_token(&asking, d.route), d.route->token);
	for (size_t i = 0; i < d.route->limits.n_of; i++) {
		const struct gate_limit *l = &d.route->limits.of[i];

		assert_int_equal(gate_limit_is_asked(l, GATE_ASK_ROOM, true),
				 l->kind == GATE_LIMIT_FAILURES);
		assert_int_equal(
			gate_limit_is_asked(l, GATE_ASK_SUBJECT_ROOM, true),
			strncmp(l->text, "publishes", 9) == 0);
		assert_false(gate_limit_is_asked(l, GATE_ASK_ROOM, false) &&
			     strncmp(l->text, "publishes", 9) == 0);
	}
	gate_policy_unref(p);
}

TEST("nobody publishes where the route does not say so")
{
	struct gate_policy *p = policy_to("hub", "");
	struct gate_request post = asking;
	struct gate_decision d;

	post.is_post = true;
	gate_admit(p, &post, &d);
	assert_false(d.admitted);
	assert_int_equal(d.status, 405);
	gate_policy_unref(p);
}

TEST("who is let in all the same meets the looks that are left, once each")
{
	struct gate_request foreign = asking;
	struct gate_policy *p = policy_of(ALL);
	struct gate_decision d;
	size_t n = 0;

	foreign.origin = BYTES("https://foreign.example");
	gate_admit(p, &foreign, &d);
	assert_false(d.admitted);
	gate_admit_go_on(p, &foreign, &d);
	for (; d.ask != GATE_ASK_NOTHING; n++) {
		gate_admit_resume(p, &foreign, n == 1 ? &no : &yes, &d);
		if (!d.admitted)
			gate_admit_go_on(p, &foreign, &d);
	}
	assert_int_equal(n, 4);
	assert_true(d.admitted);
	assert_int_equal(d.status, 101);
	gate_policy_unref(p);
}
