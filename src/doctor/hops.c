/* SPDX-License-Identifier: MIT */
/*
 * The way to the server as all answers show it together: some hops betray
 * themselves in other answers than the refusal. Only those count that came from
 * the very server of the user's request, all the way.
 */
#include "doctor/facts.h"

struct why_hops doctor_all_hops(const struct doctor_chart *chart,
				const struct why_hops *seen)
{
	const struct why_hops *answer[DOCTOR_MAX_PROBES + 1] = {seen};
	struct why_hops all = *seen;
	size_t n = 1;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (!doctor_same_way(&p->trial))
			continue;
		why_join_hops(&all, &p->hops);
		if (p->status != 101) /* passed on as a stream of bytes */
			answer[n++] = &p->hops;
	}
	why_order_hops(&all, answer, n);
	return all;
}
