/* SPDX-License-Identifier: MIT */
/* Names of certificates, and subprotocols with tokens among them. */
#include <string.h>

#include "gate/client_names.h"
#include "net/tls.h"
#include "test.h"

static struct ses_tls_info certificate(const char *subject, const char *name)
{
	struct ses_tls_info tls = {.n_names = name != NULL};

	snprintf(tls.subject, sizeof(tls.subject), "%s", subject);
	snprintf(tls.issuer, sizeof(tls.issuer), "CN=ca,O=Devices");
	snprintf(tls.names[0], sizeof(tls.names[0]), "%s", name ? name : "");
	return tls;
}

static bool has(const char *entry, const struct ses_tls_info *tls)
{
	struct gate_rule rule = {.text = (char *)(uintptr_t)entry};

	assert_null(gate_certificate_rule_read(&rule));
	return gate_certificate_has(&rule, tls);
}

TEST("an entry matches a whole part of a name, and no part of a value")
{
	static const struct {
		const char *entry, *subject, *name;
		bool has;
	} rows[] = {
		{"subject:CN=alice", "CN=alice,O=x", NULL, true},
		{"subject:CN=alice", "O=x,CN=alice", NULL, true},
		{"subject:CN=alice", "O=x+CN=alice", NULL, true},
		{"subject:CN=alice,O=x", "CN=alice,O=x", NULL, true},
		{"subject:CN=alice", "CN=alice2", NULL, false},
		{"subject:CN=alice", "CN=mallory\\,CN=alice", NULL, false},
		{"subject:CN=alice", "O=\\+CN=alice", NULL, false},
		{"subject:CN=alice", "XCN=alice", NULL, false},
		{"subject:CN=al*", "CN=alice", NULL, true},
		{"subject:CN=al*", "CN=bob,O=CN=al", NULL, false},
		{"issuer:O=Devices", "CN=a", NULL, true},
		{"issuer:CN=alice", "CN=alice", NULL, false},
		{"san:dns:*.a.example", "", "b.a.example", true},
		{"san:dns:*.a.example", "", "c.b.a.example", false},
		{"san:dns:*.a.example", "", "a.example", false},
		{"san:dns:*.a.example", "", ".a.example", false},
		{"san:dns:A.example", "", "a.Example", true},
		{"san:ip:2001:db8::1", "", "2001:DB8:0::1", true},
		{"san:ip:192.0.2.1", "", "192.0.2.10", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_tls_info tls =
			certificate(rows[i].subject, rows[i].name);

		if (has(rows[i].entry, &tls) != rows[i].has)
			fail_msg("%s and %s", rows[i].entry, rows[i].subject);
		tls.verify = SES_TLS_UNTRUSTED;
		assert_false(has(rows[i].entry, &tls));
		assert_false(has(rows[i].entry, NULL));
	}
}

TEST("a name that was too long to be kept matches nothing")
{
	struct ses_tls_info tls = certificate("", NULL);

	memset(tls.subject, 'x', sizeof(tls.subject) - 1);
	memcpy(tls.subject, "CN=alice,O=", 11);
	assert_false(has("subject:CN=alice", &tls));
	tls.subject[sizeof(tls.subject) - 2] = '\0';
	assert_true(has("subject:CN=alice", &tls));
}

TEST("what does not fit is excluded by every entry that excludes by it")
{
	struct ses_tls_info tls = certificate("CN=a", "a.example");

	assert_false(has("!san:dns:b.example", &tls));
	assert_false(has("!subject:CN=b", &tls));
	tls.more_names = true;
	assert_true(has("!san:dns:b.example", &tls));
	assert_true(has("!san:ip:192.0.2.1", &tls));
	assert_false(has("san:dns:b.example", &tls));
	assert_false(has("!subject:CN=b", &tls));
	tls.more_names = false;
	memset(tls.names[0], 'x', sizeof(tls.names[0]) - 1);
	assert_true(has("!san:dns:b.example", &tls));
	memset(tls.subject, 'x', sizeof(tls.subject) - 1);
	assert_true(has("!subject:CN=b", &tls));
	assert_false(has("subject:CN=b", &tls));
}

TEST("a list of exclusions alone admits every other certificate, and only one")
{
	struct gate_rule rule = {.text = (char *)(uintptr_t) "!subject:CN=a"};
	struct gate_rules rules = {&rule, 1, 1};
	struct ses_tls_info a = certificate("CN=a", NULL),
			    b = certificate("CN=b", NULL),
			    none = {.verify = SES_TLS_OK};
	const struct gate_rule *by;

	assert_null(gate_certificate_rule_read(&rule));
	assert_false(gate_certificate_admitted(&rules, &a, &by));
	assert_ptr_equal(by, &rule);
	assert_true(gate_certificate_admitted(&rules, &b, &by));
	assert_null(by);
	assert_false(gate_certificate_admitted(&rules, &none, &by));
	assert_false(gate_certificate_admitted(&rules, NULL, &by));
	b.verify = SES_TLS_UNTRUSTED;
	assert_false(gate_certificate_admitted(&rules, &b, &by));
}

TEST("a list with an entry that excludes lets only others in")
{
	struct gate_rule rule[] = {
		{.text = (char *)(uintptr_t) "subject:O=x"},
		{.text = (char *)(uintptr_t) "!subject:CN=a"}};
	struct gate_rules rules = {rule, 2, 1};
	struct ses_tls_info a = certificate("CN=a,O=x", NULL),
			    b = certificate("CN=b,O=x", NULL),
			    c = certificate("CN=c", NULL);
	const struct gate_rule *by;

	for (size_t i = 0; i < 2; i++)
		assert_null(gate_certificate_rule_read(&rule[i]));
	assert_false(gate_certificate_admitted(&rules, &a, &by));
	assert_ptr_equal(by, &rule[1]);
	assert_true(gate_certificate_admitted(&rules, &b, &by));
	assert_ptr_equal(by, &rule[0]);
	assert_false(gate_certificate_admitted(&rules, &c, &by));
	assert_null(by);
}

TEST("entries that mean nothing are told")
{
	static const char *const wrong[] = {"",
					    "alice",
					    "subject:",
					    "subject:alice",
					    "subject:=a",
					    "san:dns:",
					    "san:dns:a*.b",
					    "san:dns:*.*.b",
					    "san:ip:1.2.3",
					    "san:email:a@b"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct gate_rule rule = {.text = (char *)(uintptr_t)wrong[i]};

		assert_non_null(gate_certificate_rule_read(&rule));
	}
}

TEST("tokens among the subprotocols are no subprotocols")
{
	static const struct {
		const char *offered, *chosen, *passed_on;
		bool allowed;
	} rows[] = {
		{"b, a", "b", "b, a", true},
		{"x, a", "a", "a", true},
		{"bearer, a, b", "b", "b", true}, /* a is the token */
		{"bearer.secret, a", "a", "a", true},
		{"bearer, secret", "bearer", "", false},
		{"x", "", "", false},
		{"none", "", "", false},
		{"", "", "", false},
	};
	struct gate_rule rule[] = {{.glob = BYTES("a")}, {.glob = BYTES("b")}};
	struct gate_from from = {.text = (char *)(uintptr_t) "subprotocol"};
	struct gate_token_settings token = {.from = &from, .n_from = 1};
	struct gate_route route = {.subprotocols = {rule, 2, 1},
				   .token = &token};

	assert_null(gate_from_read(&from));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ses_field field = {BYTES("sec-websocket-protocol"),
					  bytes_of_str(rows[i].offered)};
		struct gate_asked asked = {&field, 1, BYTES("/")};
		struct bytes fallback = bytes_of(NULL, 0), chosen;
		struct ses_buf out;

		ses_buf_init(&out, 4096);
		assert_int_equal(gate_subprotocols_write(&route, &asked, false,
							 &out, &fallback),
				 0);
		assert_true(bytes_equal(ses_buf_bytes(&out),
					bytes_of_str(rows[i].passed_on)));
		chosen = gate_chosen_subprotocol(&route, &asked, false);
		assert_true(bytes_equal(chosen, bytes_of_str(rows[i].chosen)));
		assert_int_equal(gate_subprotocol_rule(&route, &asked) != NULL,
				 rows[i].allowed);
		ses_buf_fini(&out);
	}
}
