/* SPDX-License-Identifier: MIT */
/* What a client offers, with tokens among it. */
#include "gate/subprotocols.h"
#include "test.h"

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
