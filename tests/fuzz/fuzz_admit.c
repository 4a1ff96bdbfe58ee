/* SPDX-License-Identifier: MIT */
/*
 * Requests against a policy that uses every rule. Whatever comes, a decision
 * is whole, and no foreign origin gets through the default.
 */
#include <assert.h>
#include <stdlib.h>

#include "asking.h"
#include "gate/config.h"
#include "gate/refuse.h"
#include "gate/story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "routes:\n"
			   "  - path: /chat\n"
			   "    to: echo\n"
			   "    allow:\n"
			   "      hosts: [a.example, \"*.b.example\"]\n"
			   "      addresses: [\"0.0.0.0/0\", "
			   "\"!203.0.113.0/24\", \"2001:db8::/32\"]\n"
			   "      origins: [https://app.example, "
			   "\"https://*.example.org\", null]\n"
			   "      user_agents: [\"*a*b*c*\", \"!*badbot*\"]\n"
			   "  - path: /x/**\n"
			   "    to: ws://127.0.0.1:1\n";

static void check(const struct gate_policy *policy, const struct gate_request *r)
{
	static struct gate_story story;
	struct gate_decision d;
	struct gate_origin origin;

	gate_admit(policy, r, &d);
	assert(d.n_trace > 0 && d.n_trace <= GATE_MAX_TRACE);
	assert(d.admitted == (d.cause == WHY_OK));
	assert(d.admitted == (d.status == 101));
	assert(d.admitted == d.trace[d.n_trace - 1].passed);
	if (d.admitted && d.route == &policy->route[1] && r->origin.data)
		assert(gate_origin_read(r->origin, &origin));
	if (d.admitted)
		assert(!gate_path_ambiguity(gate_path_of(r->target)));
	memset(&story, 0, sizeof(story));
	gate_story_ask(&story, r);
	gate_story_decide(&story, policy, &d);
	free(gate_story_json(&story, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_policy *policy;
	struct bytes in = bytes_of(data, size);
	struct gate_request r;
	struct ses_buf errors;

	if (!policy) {
		ses_buf_init(&errors, 4096);
		policy = gate_config_parse("f", bytes_of_str(text), false,
					   &errors);
		ses_buf_fini(&errors);
	}
	assert(policy);
	read_request(&in, &r);
	check(policy, &r);
	gate_prefers_json(in);
	return 0;
}
