/* SPDX-License-Identifier: MIT */
/* Names of certificates, and the entries that are about them. */
#include <stdio.h>
#include <string.h>

#include "gate/client_certificate.h"
#include "net/tls.h"
#include "test.h"

/* @name: an alternative name, as an entry would have it, or NULL. */
static struct ses_tls_info certificate(const char *subject, const char *name)
{
	struct ses_tls_info tls = {.verify = SES_TLS_OK};

	snprintf(tls.subject, sizeof(tls.subject), "%s", subject);
	snprintf(tls.issuer, sizeof(tls.issuer), "CN=ca,O=Devices");
	if (name)
		assert_true(gate_certificate_describe(&tls, bytes_of_str(name)));
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
		{"san:dns:*.a.example", "", "san:dns:b.a.example", true},
		{"san:dns:*.a.example", "", "san:dns:c.b.a.example", false},
		{"san:dns:*.a.example", "", "san:dns:a.example", false},
		{"san:dns:*.a.example", "", "san:dns:.a.example", false},
		{"san:dns:A.example", "", "san:dns:a.Example", true},
		{"san:ip:2001:db8::1", "", "san:ip:2001:DB8:0::1", true},
		{"san:ip:192.0.2.1", "", "san:ip:192.0.2.10", false},
		{"san:uri:spiffe://a.example/web", "",
		 "san:uri:spiffe://a.example/web", true},
		{"san:uri:spiffe://a.example/web", "",
		 "san:uri:SPIFFE://A.Example/web", true},
		{"san:uri:spiffe://a.example/web", "",
		 "san:uri:spiffe://a.example/Web", false},
		{"san:uri:spiffe://a.example/web", "",
		 "san:uri:spiffe://a.example/web/", false},
		{"san:uri:spiffe://a.example/web", "",
		 "san:uri:spiffe://b.a.example/web", false},
		{"san:uri:spiffe://a.example", "", "san:uri:spiffe://a.example",
		 true},
		{"san:uri:spiffe://a.example", "",
		 "san:uri:spiffe://a.example/x", false},
		{"san:uri:spiffe://a.example/w/*", "",
		 "san:uri:spiffe://a.example/w/x", true},
		{"san:uri:spiffe://a.example/w/*", "",
		 "san:uri:spiffe://a.example/w/x/y", false},
		{"san:uri:spiffe://a.example/w/*", "",
		 "san:uri:spiffe://a.example/w/", false},
		{"san:uri:spiffe://a.example/w/**", "",
		 "san:uri:spiffe://a.example/w/x/y", true},
		{"san:uri:spiffe://a.example/w/**", "",
		 "san:uri:spiffe://a.example/w/../x", false},
		{"!san:uri:spiffe://a.example/w/**", "",
		 "san:uri:spiffe://a.example/x/../w/y", true},
		{"san:uri:spiffe://a.example/**", "",
		 "san:uri:spiffe://evil.a.example/x", false},
		{"san:uri:urn:uuid:F81D4FAE", "", "san:uri:URN:uuid:F81D4FAE",
		 true},
		{"san:uri:urn:uuid:F81D4FAE", "", "san:uri:urn:uuid:f81d4fae",
		 false},
		{"san:email:alice@a.example", "", "san:email:alice@A.example",
		 true},
		{"san:email:alice@a.example", "", "san:email:Alice@a.example",
		 false},
		{"san:email:*@a.example", "", "san:email:bob@a.example", true},
		{"san:email:*@a.example", "", "san:email:bob@b.a.example", false},
		{"san:email:*@a.example", "", "san:email:x@b@a.example", true},
		{"san:email:*@a.example", "", "san:email:a.example", false},
		/* a name of one kind is none of another */
		{"san:uri:spiffe://a.example/web", "",
		 "san:dns:spiffe://a.example/web", false},
		{"san:uri:spiffe://a.example/web", "",
		 "san:email:spiffe://a.example/web", false},
		{"san:dns:a.example", "", "san:uri:a.example", false},
		{"san:dns:a.example", "", "san:email:a.example", false},
		{"san:email:alice@a.example", "", "san:dns:alice@a.example",
		 false},
		{"san:ip:192.0.2.1", "", "san:dns:192.0.2.1", false},
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
	struct ses_tls_info tls = certificate("CN=a", "san:dns:a.example");
	char long_name[SES_TLS_NAMES_ROOM];

	assert_false(has("!san:dns:b.example", &tls));
	assert_false(has("!subject:CN=b", &tls));
	memset(long_name, 'x', sizeof(long_name));
	assert_false(ses_tls_names_add(&tls.names, SES_TLS_NAME_URI,
				       bytes_of(long_name, sizeof(long_name))));
	assert_true(has("!san:dns:b.example", &tls));
	assert_true(has("!san:ip:192.0.2.1", &tls));
	assert_true(has("!san:uri:spiffe://a.example/x", &tls));
	assert_true(has("!san:email:a@a.example", &tls));
	assert_false(has("san:dns:b.example", &tls));
	assert_true(has("san:dns:a.example", &tls));
	assert_false(has("!subject:CN=b", &tls));
	tls.names.more = false;
	assert_false(has("!san:dns:b.example", &tls));
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
					    "san:other:a",
					    "san:uri:",
					    "san:uri:/web",
					    "san:uri:spiffe",
					    "san:uri:spiffe://*/web",
					    "san:uri:spiffe://*.a.example/web",
					    "san:uri:spiffe://a.example/w*",
					    "san:uri:spiffe://a.example/*/w",
					    "san:uri:spiffe://a/../w/*",
					    "san:uri:urn:*",
					    "san:email:alice",
					    "san:email:@a.example",
					    "san:email:alice@",
					    "san:email:al*@a.example",
					    "san:email:alice@*.example"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct gate_rule rule = {.text = (char *)(uintptr_t)wrong[i]};

		assert_non_null(gate_certificate_rule_read(&rule));
	}
}

TEST("what is shown of a certificate is what its list is about")
{
	static const struct {
		const char *entry, *shown;
	} rows[] = {
		{"subject:CN=b", "subject:CN=a"},
		{"issuer:CN=b", "issuer:CN=ca,O=Devices"},
		{"san:dns:b.example", "san:dns:a.example"},
		{"san:uri:spiffe://b/x", "san:uri:spiffe://a/x"},
		{"san:uri:spiffe://a/y", "san:uri:spiffe://a/y"},
		{"!san:uri:spiffe://a/y", "san:uri:spiffe://a/y"},
		{"san:ip:192.0.2.1", "subject:CN=a"}, /* it has none */
	};
	struct ses_tls_info a = certificate("CN=a", "san:dns:a.example");
	char shown[GATE_CERTIFICATE_SHOWN], all[200];

	gate_certificate_describe(&a, BYTES("san:uri:spiffe://a/x"));
	gate_certificate_describe(&a, BYTES("san:uri:spiffe://a/y"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_rule rule = {
			.text = (char *)(uintptr_t)rows[i].entry};
		struct gate_rules rules = {&rule, 1, 1};
		const struct gate_rule *by;
		struct bytes value;

		assert_null(gate_certificate_rule_read(&rule));
		gate_certificate_admitted(&rules, &a, &by);
		value = gate_certificate_shown(&rules, by, &a, shown,
					       sizeof(shown));
		assert_true(bytes_equal(value, bytes_of_str(rows[i].shown)));
		value = gate_certificate_shown(&rules, by, NULL, shown,
					       sizeof(shown));
		assert_null(value.data);
	}
	gate_certificate_tell(&a, all, sizeof(all));
	assert_string_equal(all, "CN=a, san:dns:a.example, "
				 "san:uri:spiffe://a/x, san:uri:spiffe://a/y");
}

TEST("a certificate without a subject is one, and its name is shown")
{
	struct gate_rule rule = {.text = (char *)(uintptr_t) "subject:CN=b"};
	struct gate_rules rules = {&rule, 1, 1};
	struct ses_tls_info a = certificate("", "san:uri:spiffe://a/x");
	char shown[GATE_CERTIFICATE_SHOWN];

	assert_null(gate_certificate_rule_read(&rule));
	assert_true(gate_certificate_is_there(&a));
	assert_true(bytes_equal(
		gate_certificate_shown(&rules, NULL, &a, shown, sizeof(shown)),
		BYTES("san:uri:spiffe://a/x")));
}
