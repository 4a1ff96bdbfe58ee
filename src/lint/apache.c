/* SPDX-License-Identifier: MIT */
/* Apache httpd 2.4: read, sort by servers, judge. */
#include "lint/apache.h"

#include <sesame/error.h>
#include <stdlib.h>

int lint_apache(struct lint_run *run, const char *file, struct bytes text)
{
	struct apache *a = calloc(1, sizeof(*a));
	long patience = LINT_PATIENCE;
	int r;

	if (!a)
		return SESAME_ENOMEM;
	a->run = run;
	a->main_file = file;
	a->patience = &patience;
	r = apache_parse(a, file, text);
	if (r == 0)
		r = apache_collect(a);
	if (r == 0)
		r = apache_judge(a);
	if (patience < 0)
		run->report->truncated = true;
	apache_forget(a);
	free(a);
	return r;
}
