/* SPDX-License-Identifier: MIT */
/* The manual of causes: `sesame explain [ID|STATUS|TOPIC]`. */
#include "why/cause.h"

#include <stdio.h>

int cmd_explain(int argc, char **argv);

int cmd_explain(int argc, char **argv)
{
	for (int i = 0; i < WHY_N_CAUSES; i++)
		printf("%-28s %s\n", why_cause(i)->id, why_cause(i)->sentence);
	return 0;
}
