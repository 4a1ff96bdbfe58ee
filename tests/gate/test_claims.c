/* SPDX-License-Identifier: MIT */
/* What good tokens claim: times, issuer, audience, claims and paths. */
#include "gate/jwt.h"

#include "checking.h"

static struct gate_word issuer = {(char *)"https://id.example", 30};

TEST("times are kept to the second, with the leeway")
{
	static const struct {
		const char *payload;
		unsigned leeway_s;
		enum gate_fault fault;
		const char *detail;
	} rows[] = {
		{"{\"exp\":1800000001}", 0, GATE_FAULT_NONE, ""},
		{"{\"exp\":1800000000}", 0, GATE_FAULT_EXPIRED,
		 "the token expired 1 s ago (leeway 0 s)"},
		{"{\"exp\":1799999997}", 0, GATE_FAULT_EXPIRED,
		 "the token expired 3 s ago (leeway 0 s)"},
		{"{\"exp\":1800000000.5}", 0, GATE_FAULT_NONE, ""},
		{"{\"exp\":1799999971}", 30, GATE_FAULT_NONE, ""},
		{"{\"exp\":1799999970}", 30, GATE_FAULT_EXPIRED,
		 "the token expired 30 s ago (leeway 30 s)"},
		{"{\"exp\":1799999400}", 30, GATE_FAULT_EXPIRED,
		 "the token expired 10 min ago (leeway 30 s)"},
		{"{\"exp\":1799900000}", 30, GATE_FAULT_EXPIRED,
		 "the token expired 27 h ago (leeway 30 s)"},
		{"{\"exp\":1}", 30, GATE_FAULT_EXPIRED,
		 "the token expired 20833 days ago (leeway 30 s)"},
		{"{\"exp\":-1e300}", 30, GATE_FAULT_EXPIRED,
		 "the token expired 46296296296296 days ago (leeway 30 s)"},
		{"{\"exp\":1e300}", 30, GATE_FAULT_NONE, ""},
		{"{\"exp\":9223372036854775807}", 600, GATE_FAULT_NONE, ""},
		{"{\"nbf\":1800000000}", 0, GATE_FAULT_NONE, ""},
		{"{\"nbf\":1800000001}", 0, GATE_FAULT_EARLY,
		 "the token is valid in 1 s (leeway 0 s)"},
		{"{\"nbf\":1800000000.5}", 0, GATE_FAULT_EARLY,
		 "the token is valid in 1 s (leeway 0 s)"},
		{"{\"nbf\":1800000030}", 30, GATE_FAULT_NONE, ""},
		{"{\"nbf\":1800000031}", 30, GATE_FAULT_EARLY,
		 "the token is valid in 31 s (leeway 30 s)"},
		{"{\"nbf\":9223372036854775807}", 30, GATE_FAULT_EARLY,
		 "the token is valid in 46296296296296 days (leeway 30 s)"},
		{"{\"iat\":1900000000}", 0, GATE_FAULT_NONE, ""},
		{"{}", 0, GATE_FAULT_NONE, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_jwt_settings s = {.leeway_ms =
						      1000 * rows[i].leeway_s};

		if (check_claims(&s, rows[i].payload) != rows[i].fault ||
		    strcmp(said.detail, rows[i].detail) != 0)
			fail_msg("%s: %s", rows[i].payload, said.detail);
	}
}

TEST("a token that never expires is refused where that is asked for")
{
	static const struct gate_jwt_settings s = {
		.expiry = GATE_EXPIRY_REQUIRED};

	assert_int_equal(check_claims(&s, "{}"), GATE_FAULT_EXPIRED);
	assert_int_equal(check_claims(&s, "{\"exp\":1800000300}"),
			 GATE_FAULT_NONE);
	assert_int_equal(said.expires_s, 1800000300);
}

TEST("a token is for its audience, and from its issuer")
{
	static struct gate_word both[] = {{(char *)"chat", 5},
					  {(char *)"feed", 6}};
	static struct gate_word any = {(char *)"*", 5};
	static const struct {
		const char *payload;
		int audiences; /* 0, 1, 2; 3: any */
		enum gate_fault fault;
		const char *detail;
	} rows[] = {
		{"{\"aud\":\"chat\"}", 1, GATE_FAULT_NONE, ""},
		{"{\"aud\":[\"x\",\"chat\"]}", 1, GATE_FAULT_NONE, ""},
		{"{\"aud\":\"feed\"}", 2, GATE_FAULT_NONE, ""},
		{"{\"aud\":\"Chat\"}", 1, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is \"Chat\"; \"chat\" is needed"},
		{"{\"aud\":\"chat2\"}", 2, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is \"chat2\"; \"chat\" or another of the "
		 "list is needed"},
		{"{\"aud\":[]}", 1, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is []; \"chat\" is needed"},
		{"{\"aud\":[[\"chat\"]]}", 1, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is [[\"chat\"]]; \"chat\" is needed"},
		{"{\"aud\":{\"chat\":1}}", 1, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is {\"chat\":1}; \"chat\" is needed"},
		{"{}", 1, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is missing; \"chat\" is needed"},
		{"{}", 0, GATE_FAULT_NONE, ""},
		{"{\"aud\":\"chat\"}", 0, GATE_FAULT_AUDIENCE,
		 "the token's \"aud\" is \"chat\"; the route names no audience "
		 "of its own"},
		{"{\"aud\":\"chat\"}", 3, GATE_FAULT_NONE, ""},
		{"{}", 3, GATE_FAULT_NONE, ""},
		{"{\"iss\":\"https://id.example\"}", -1, GATE_FAULT_NONE, ""},
		{"{\"iss\":\"https://id.example/\"}", -1, GATE_FAULT_ISSUER,
		 "the token's \"iss\" is \"https://id.example/\"; "
		 "\"https://id.example\" is needed"},
		{"{\"iss\":[\"https://id.example\"]}", -1, GATE_FAULT_ISSUER,
		 "the token's \"iss\" is [\"https://id.example\"]; "
		 "\"https://id.example\" is needed"},
		{"{}", -1, GATE_FAULT_ISSUER,
		 "the token's \"iss\" is missing; \"https://id.example\" is "
		 "needed"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gate_jwt_settings s = {0};

		if (rows[i].audiences < 0) {
			s.issuer = (struct gate_words){&issuer, 1};
		} else if (rows[i].audiences == 3) {
			s.audience = (struct gate_words){&any, 1};
		} else {
			s.audience = (struct gate_words){
				both, (size_t)rows[i].audiences};
		}
		if (check_claims(&s, rows[i].payload) != rows[i].fault ||
		    strcmp(said.detail, rows[i].detail) != 0)
			fail_msg("%s: %s", rows[i].payload, said.detail);
		if (rows[i].fault && rows[i].audiences)
			assert_int_equal(said.line,
					 rows[i].audiences < 0 ? 30 : 5);
	}
}

TEST("a claim is a value, or holds it")
{
	static const struct {
		const char *name, *value, *claims;
		bool has;
	} rows[] = {
		{"role", "admin", "{\"role\":\"admin\"}", true},
		{"role", "admin", "{\"role\":\"Admin\"}", false},
		{"role", "admin", "{\"role\":\"administrator\"}", false},
		{"role", "admin", "{\"role\":\"user admin\"}", false},
		{"role", "admin", "{\"role\":[\"user\",\"admin\"]}", true},
		{"role", "admin", "{\"role\":[[\"admin\"]]}", false},
		{"role", "admin", "{\"role\":{\"admin\":true}}", false},
		{"role", "admin", "{\"role\":[]}", false},
		{"role", "admin", "{}", false},
		{"role", "null", "{\"role\":null}", false},
		{"role", "", "{\"role\":\"\"}", true},
		{"role", "", "{}", false},
		{"on", "true", "{\"on\":true}", true},
		{"on", "true", "{\"on\":\"true\"}", true},
		{"on", "true", "{\"on\":1}", false},
		{"on", "false", "{\"on\":false}", true},
		{"level", "3", "{\"level\":3}", true},
		{"level", "3", "{\"level\":3.0}", false},
		{"level", "3", "{\"level\":33}", false},
		{"level", "-3", "{\"level\":[1,-3]}", true},
		{"scope", "chat", "{\"scope\":\"feed chat\"}", true},
		{"scope", "chat", "{\"scope\":\"chat\"}", true},
		{"scope", "chat", "{\"scope\":\"chats chat:read\"}", false},
		{"scope", "", "{\"scope\":\"feed  chat\"}", false},
		{"scp", "chat", "{\"scp\":\"chat  feed\"}", true},
		{"scp", "chat", "{\"scp\":[\"chat\"]}", true},
		{"a.b", "x", "{\"a\":{\"b\":\"x\"}}", true},
		{"a.b", "x", "{\"a.b\":\"x\"}", true},
		{"a.b", "x", "{\"a.b\":\"y\",\"a\":{\"b\":\"x\"}}", false},
		{"a.b", "x", "{\"a\":[{\"b\":\"x\"}]}", false},
		{"a.b.c", "x", "{\"a\":{\"b\":{\"c\":[\"x\"]}}}", true},
		{"a..c", "x", "{\"a\":{\"\":{\"c\":\"x\"}}}", true},
		{"a.", "x", "{\"a\":\"x\"}", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *claims = json_loads(rows[i].claims, 0, NULL);

		assert_non_null(claims);
		if (gate_claim_has(claims, rows[i].name, rows[i].value) !=
		    rows[i].has)
			fail_msg("%s=%s in %s", rows[i].name, rows[i].value,
				 rows[i].claims);
		json_decref(claims);
	}
}

TEST("a good token without a claim that is needed says which")
{
	static struct gate_claim claims[] = {
		{(char *)"role", (char *)"admin", 41},
		{(char *)"plan", (char *)"gold", 42},
	};
	static const struct gate_jwt_settings s = {.claim = claims,
						   .n_claims = 2};

	assert_int_equal(
		check_claims(&s, "{\"role\":\"admin\",\"plan\":\"gold\"}"),
		GATE_FAULT_NONE);
	assert_int_equal(check_claims(&s, "{\"role\":\"admin\"}"),
			 GATE_FAULT_CLAIM);
	assert_string_equal(
		said.detail,
		"the claim \"plan\" is missing; \"gold\" is needed");
	assert_int_equal(said.line, 42);
	assert_string_equal(said.compared.value, "plan: missing");
	assert_string_equal(said.compared.nearest, "plan: \"gold\"");
	assert_int_equal(
		check_claims(&s, "{\"sub\":\"bob\",\"role\":\"us\\ner\"}"),
		GATE_FAULT_CLAIM);
	assert_string_equal(said.detail, "the claim \"role\" is \"us\\ner\"; "
					 "\"admin\" is needed");
	assert_string_equal(said.subject, "bob");
	assert_int_equal(gate_fault(GATE_FAULT_CLAIM)->status, 403);
	assert_int_equal(gate_fault(GATE_FAULT_CLAIM)->cause,
			 WHY_ACCESS_PERMISSION);
}

TEST("a claim of paths opens these paths alone")
{
	static const struct gate_jwt_settings s = {
		.paths_claim = {(char *)"rooms", 51}};
	static const struct {
		const char *payload, *path;
		bool opens;
	} rows[] = {
		{"{\"rooms\":[\"/chat/1\",\"/chat/2\"]}", "/chat/2", true},
		{"{\"rooms\":[\"/chat/1\",\"/chat/2\"]}", "/chat/3", false},
		{"{\"rooms\":[\"/chat/1\"]}", "/chat/12", false},
		{"{\"rooms\":[\"/chat/1\"]}", "/chat/1/", false},
		{"{\"rooms\":[\"/chat/*\"]}", "/chat/1", true},
		{"{\"rooms\":[\"/chat/*\"]}", "/chat/1/2", false},
		{"{\"rooms\":[\"/chat/**\"]}", "/chat/1/2", true},
		{"{\"rooms\":\"/chat/1\"}", "/chat/1", true},
		{"{\"rooms\":[\"*\"]}", "/chat/1", false},
		{"{\"rooms\":[\"\"]}", "/chat/1", false},
		{"{\"rooms\":[\"chat/1\"]}", "/chat/1", false},
		{"{\"rooms\":[\"/ch*\"]}", "/chat", false},
		{"{\"rooms\":[[\"/chat\"]]}", "/chat", false},
		{"{\"rooms\":{\"/chat\":1}}", "/chat", false},
		{"{\"rooms\":[]}", "/chat", false},
		{"{\"rooms\":null}", "/chat", false},
		{"{}", "/chat", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes token = sign(SES_ALGORITHM_HS256, SECRET,
					  HS256_HEADER, rows[i].payload);
		enum gate_fault fault =
			check_at(secret_keys(), &s, token, rows[i].path, NOW);

		if (fault != (rows[i].opens ? GATE_FAULT_NONE : GATE_FAULT_PATH))
			fail_msg("%s %s: %s", rows[i].payload, rows[i].path,
				 said.detail);
		if (fault)
			assert_int_equal(said.line, 51);
	}
}

TEST("what a token has is compared with the nearest that would do")
{
	static struct gate_word words[] = {{(char *)"feed", 5},
					   {(char *)"chat", 6}};
	static const struct {
		const char *payload, *value, *nearest;
	} rows[] = {
		{"{\"aud\":\"chap\"}", "aud: \"chap\"", "aud: \"chat\""},
		{"{\"aud\":[\"chap\",\"x\"]}", "aud: [\"chap\",\"x\"]",
		 "aud: \"chat\""},
		{"{}", "aud: missing", "aud: \"feed\""},
		{"{\"exp\":1800000000}", "exp: 2027-01-15T08:00:00Z",
		 "exp: later than 2027-01-15T08:00:00Z"},
		{"{\"exp\":-1e300}", "exp: -4000000000000000000",
		 "exp: later than 2027-01-15T08:00:00Z"},
		{"{\"nbf\":1800000060}", "nbf: 2027-01-15T08:01:00Z",
		 "nbf: 2027-01-15T08:00:00Z or before"},
		{"{\"aud\":\"chat\",\"rooms\":[\"/a\"]}", "rooms: [\"/a\"]",
		 "rooms: /chat"},
		{"{\"aud\":\"chat\",\"rooms\":\"/chat\"}", "", ""},
	};
	struct gate_jwt_settings s = {.audience = {words, 2},
				      .paths_claim = {(char *)"rooms", 51}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_claims(&s, rows[i].payload);
		assert_string_equal(said.compared.value, rows[i].value);
		assert_string_equal(said.compared.nearest, rows[i].nearest);
	}
}
