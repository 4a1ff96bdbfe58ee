/* SPDX-License-Identifier: MIT */
/*
 * A run's result for people, for programs and as a picture. Pure: they write to
 * a buffer. Texts of peers must have been made printable before.
 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include <jansson.h>

#include "base/buf.h"
#include "load/plan.h"

/* Figures that several reports show. */
struct load_figures {
	double per_second, bytes_per_second; /* messages; payload, one way */
	double server_cpu_ns;		     /* a message; 0: not known */
	double server_cores, own_cores;	     /* CPU seconds each second */
	double bytes_per_connection;	     /* server memory; 0: unknown */
	bool limited;			     /* this load had no more to give */
	bool corrected;	  /* latencies count from when a message was due */
	const char *unit; /* "messages" or "handshakes" */
};

void load_figures(const struct load_plan *plan, const struct load_result *r,
		  struct load_figures *ret);

/* @url as it may be shown. Each returns 0 or an error of the buffer. */
int load_report_text(struct ses_buf *out, const struct load_plan *plan,
		     const char *url, const struct load_result *r);
int load_report_plot(struct ses_buf *out, const struct load_plan *plan,
		     const char *url, const struct load_result *r);
/* NULL when out of memory. */
json_t *load_report_json(const struct load_plan *plan, const char *url,
			 const struct load_result *r);

/* The quantiles that are told, by name. */
struct load_mark {
	const char *name, *key; /* "p99.9", "p99_9" */
	double share;
};
#define LOAD_MARKS 6
extern const struct load_mark load_marks[LOAD_MARKS];

const char *load_mode_name(enum load_mode mode);
/* "20 B", "125-1024 B", "64 B (9 of 10), 16384 B (1 of 10)". Returns @out. */
char *load_sizes_text(const struct load_sizes *sizes, char *out, size_t size);

#endif
