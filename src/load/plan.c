/* SPDX-License-Identifier: MIT */
/* What makes a plan whole. */
#include "load/plan.h"

#include <stdarg.h>
#include <stdio.h>

#include "load/broadcast.h"

__attribute__((format(printf, 3, 4))) static int
complain(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
	return SESAME_EINVAL;
}

int load_plan_check(const struct load_plan *plan, char *text, size_t size)
{
	if (plan->threads > plan->connections)
		return complain(text, size,
				"%u threads for %u connections: each thread "
				"needs one",
				plan->threads, plan->connections);
	if (plan->mode != LOAD_BROADCAST)
		return 0;
	if (plan->connections < 2)
		return complain(text, size,
				"a broadcast needs one connection that sends "
				"and others that hear it: -c 2 or more");
	if (plan->threads > 1)
		return complain(text, size,
				"a broadcast is watched by one thread; leave "
				"--threads out");
	for (unsigned i = 0; i < plan->sizes.n; i++)
		if (plan->sizes.ranges[i].from < LOAD_NUMBER)
			return complain(text, size,
					"a broadcast's messages carry their "
					"number: --size %u or more",
					LOAD_NUMBER);
	return 0;
}

void load_tally_add(struct load_tally *t, const struct load_tally *from)
{
	load_histogram_add(&t->latency, &from->latency);
	t->sent += from->sent;
	t->received += from->received;
	t->bytes += from->bytes;
	t->wrong += from->wrong;
	t->missing += from->missing;
	t->late += from->late;
	t->failed += from->failed;
	t->lost += from->lost;
	load_compression_add(&t->compression, &from->compression);
	if (!t->text[0])
		memcpy(t->text, from->text, sizeof(t->text));
}
