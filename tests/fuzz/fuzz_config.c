/* SPDX-License-Identifier: MIT */
/* Configurations: each is either a whole policy or a list of its faults. */
#include <assert.h>

#include "gate/admit.h"
#include "gate/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gate_request r = {.target = BYTES("/chat"),
				 .host = BYTES("a.example"),
				 .origin = BYTES("https://a.example"),
				 .address_text = BYTES("10.0.0.1")};
	struct gate_decision d;
	struct gate_policy *policy;
	struct ses_buf errors;

	ses_buf_init(&errors, 1 << 20);
	gate_address_read(r.address_text, &r.address);
	policy = gate_config_parse("f", bytes_of(data, size), false, &errors);
	if (policy) {
		assert(ses_buf_len(&errors) == 0);
		assert(policy->n_routes > 0 && policy->n_listen > 0);
		gate_admit(policy, &r, &d);
	} else {
		assert(ses_buf_len(&errors) > 0);
	}
	gate_policy_unref(policy);
	ses_buf_fini(&errors);
	return 0;
}
