/* SPDX-License-Identifier: MIT */
/*
 * What would let a request in, found by changing a policy. Whoever was let in
 * needs no change; what is proposed is told in lines; and entries that were
 * added let in nobody from another page, unless one of them is a pattern.
 */
#include <assert.h>

#include "asking.h"
#include "gate/amend.h"
#include "gate/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
	"routes:\n"
	"- path: /chat\n"
	"  to: echo\n"
	"  allow:\n"
	"    hosts: [a.example, \"*.b.example\"]\n"
	"    addresses: [\"10.0.0.0/8\", \"!10.1.0.0/16\", \"2001:db8::/32\"]\n"
	"    origins: [https://app.example, \"https://*.example.org\"]\n"
	"    user_agents: [\"*a*b*c*\", \"!*badbot*\"]\n"
	"    subprotocols: [chat]\n"
	"- path: /open/**\n"
	"  to: echo\n"
	"  allow: {addresses: [\"!203.0.113.0/24\"], hosts: [\"!x.example\"], "
	"origins: [\"!https://evil.example\"]}\n"
	"- path: /x/**\n"
	"  to: ws://127.0.0.1:1\n";

static struct gate_policy *read_policy(void)
{
	struct gate_policy *policy;
	struct ses_buf errors;

	ses_buf_init(&errors, 4096);
	policy = gate_config_parse("f", bytes_of_str(text), false, &errors);
	ses_buf_fini(&errors);
	assert(policy);
	return policy;
}

static bool lets_in(const struct gate_policy *policy,
		    const struct gate_request *r)
{
	struct gate_trial trial = {.judges = GATE_JUDGES_ALL};
	struct gate_decision d;

	gate_try(policy, r, &trial, &d);
	gate_trial_fini(&trial);
	return d.admitted;
}

static void check_told(const struct gate_amendment *a)
{
	struct ses_buf out;
	struct bytes told;

	ses_buf_init(&out, 8192);
	assert(gate_amendment_tell(a, "f", &out) == 0);
	told = ses_buf_bytes(&out);
	assert(told.len && told.data[told.len - 1] == '\n');
	for (size_t i = 0; i < told.len; i++)
		assert(told.data[i] == '\n' ||
		       (told.data[i] >= ' ' && told.data[i] != 0x7f));
	ses_buf_fini(&out);
}

static bool only_adds_names(const struct gate_amendments *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->amendment[i].kind == GATE_REMOVE_ENTRY ||
		    strchr(a->amendment[i].entry, '*'))
			return false;
	return true;
}

static void check(struct gate_policy *policy, const struct gate_request *r)
{
	static struct gate_amendments a;
	struct gate_request stranger = *r;
	bool was_in = lets_in(policy, r), stranger_was_in;

	stranger.origin = BYTES("https://stranger.invalid");
	stranger_was_in = lets_in(policy, &stranger);
	memset(&a, 0, sizeof(a));
	gate_amend(policy, r, &a);
	assert(a.n <= GATE_MAX_AMENDMENTS);
	assert(!was_in || (a.n == 0 && a.then.admitted));
	assert(!a.then.admitted || lets_in(policy, r));
	for (size_t i = 0; i < a.n; i++)
		check_told(&a.amendment[i]);
	if (!stranger_was_in && a.n == 1 &&
	    strcmp(a.amendment[0].list, "origins") == 0 && only_adds_names(&a))
		assert(!lets_in(policy, &stranger));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gate_policy *policy = read_policy();
	struct bytes in = bytes_of(data, size);
	struct ses_field protocol = {BYTES("Sec-WebSocket-Protocol")};
	struct gate_request r;

	read_request(&in, &r);
	protocol.value = next_line(&in);
	if (protocol.value.data) {
		r.fields = &protocol;
		r.n_fields = 1;
	}
	check(policy, &r);
	gate_policy_unref(policy);
	return 0;
}
