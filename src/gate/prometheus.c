/* SPDX-License-Identifier: MIT */
#include "gate/prometheus.h"

struct gate_label gate_label(const char *value)
{
	struct gate_label l;
	size_t at = 0;

	l.text[at++] = '"';
	for (; *value && at < sizeof(l.text) - 4; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			l.text[at++] = '\\';
		l.text[at++] = *value == '\n' ? 'n' : *value;
	}
	l.text[at++] = '"';
	l.text[at] = '\0';
	return l;
}

void gate_family(struct ses_buf *out, const char *name, const char *type,
		 const char *help)
{
	ses_buf_printf(out, "# HELP sesame_%s %s\n# TYPE sesame_%s %s\n", name,
		       help, name, type);
}

void gate_family_of_one(struct ses_buf *out, const char *name, const char *type,
			const char *help, double value)
{
	gate_family(out, name, type, help);
	ses_buf_printf(out, "sesame_%s %.15g\n", name, value);
}
