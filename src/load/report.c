/* SPDX-License-Identifier: MIT */
/* What all reports of a run have in common, and the one for programs. */
#include "load/report.h"

#include <stdio.h>

#include <sesame/version.h>

/* A thread that works this much of its time is what limits the run. */
#define BUSY 0.9
/* Among fewer connections, what a loop has for all of them is most of it. */
#define ENOUGH 500

const struct load_mark load_marks[LOAD_MARKS] = {
	{"p50", "p50", 0.5},	      {"p90", "p90", 0.9},
	{"p99", "p99", 0.99},	      {"p99.9", "p99_9", 0.999},
	{"p99.99", "p99_99", 0.9999}, {"max", "max", 1},
};

const char *load_mode_name(enum load_mode mode)
{
	switch (mode) {
	case LOAD_ECHO:
		return "echo";
	case LOAD_BROADCAST:
		return "broadcast";
	case LOAD_HANDSHAKES:
		return "handshakes";
	case LOAD_IDLE:
		break;
	}
	return "idle";
}

char *load_sizes_text(const struct load_sizes *sizes, char *out, size_t size)
{
	struct ses_buf text;

	ses_buf_init(&text, size - 1);
	for (unsigned i = 0; i < sizes->n; i++) {
		ses_buf_printf(&text, "%s%u", i ? ", " : "",
			       sizes->ranges[i].from);
		if (sizes->ranges[i].to != sizes->ranges[i].from)
			ses_buf_printf(&text, "-%u", sizes->ranges[i].to);
		ses_buf_append_str(&text, " B");
		if (sizes->n > 1)
			ses_buf_printf(&text, " (%u of %u)",
				       sizes->ranges[i].weight, sizes->weights);
	}
	snprintf(out, size, "%.*s", BYTES_ARG(ses_buf_bytes(&text)));
	ses_buf_fini(&text);
	return out;
}

static double per(double what, double each)
{
	return each > 0 ? what / each : 0;
}

static double grown(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) : 0;
}

void load_figures(const struct load_plan *plan, const struct load_result *r,
		  struct load_figures *ret)
{
	double cpu = grown(r->begin.cpu_ns, r->end.cpu_ns);

	*ret = (struct load_figures){
		.per_second = per((double)r->tally.received, r->seconds),
		.bytes_per_second = per((double)r->tally.bytes, r->seconds),
		.server_cpu_ns = per(cpu, (double)r->metered),
		.server_cores = per(cpu, r->seconds * 1e9),
		.own_cores = per((double)r->own_cpu_ns, r->seconds * 1e9),
		.corrected = plan->rate > 0,
		.unit = plan->mode == LOAD_HANDSHAKES ? "handshakes"
						      : "messages",
	};
	if (plan->mode != LOAD_HANDSHAKES && r->opened >= ENOUGH)
		ret->bytes_per_connection =
			per(grown(r->before.memory_bytes, r->open.memory_bytes),
			    r->opened);
	ret->limited = ret->own_cores > BUSY * plan->threads;
}

/* ---- for programs ---- */

static json_t *latency_json(const struct load_histogram *h, bool corrected)
{
	json_t *o =
		json_pack("{s:f, s:f, s:b}", "min", (double)h->least / 1000,
			  "mean", load_mean(h) / 1000, "corrected", corrected);

	for (unsigned i = 0; i < LOAD_MARKS; i++)
		json_object_set_new(
			o, load_marks[i].key,
			json_real((double)load_quantile(h, load_marks[i].share) /
				  1000));
	return o;
}

static json_t *server_json(const struct load_plan *plan,
			   const struct load_result *r,
			   const struct load_figures *f)
{
	if (!plan->n_pids || r->ended_pid)
		return json_null();
	return json_pack("{s:f, s:f, s:I, s:I, s:I, s:o}", "cpu_ns_per_message",
			 f->server_cpu_ns, "cores", f->server_cores,
			 "memory_bytes_before",
			 (json_int_t)r->before.memory_bytes,
			 "memory_bytes_open", (json_int_t)r->open.memory_bytes,
			 "memory_bytes_end", (json_int_t)r->end.memory_bytes,
			 "memory_bytes_per_connection",
			 f->bytes_per_connection > 0
				 ? json_real(f->bytes_per_connection)
				 : json_null());
}

static json_t *samples_json(const struct load_result *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < r->n_samples; i++)
		json_array_append_new(list, json_pack("[f, f]", r->samples[i].at,
						      r->samples[i].per_second));
	return list;
}

static json_t *faults_json(const struct load_tally *t, int ended_pid)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s}",
			 "server_ended", ended_pid, "not_opened",
			 (json_int_t)t->failed, "ended", (json_int_t)t->lost,
			 "wrong", (json_int_t)t->wrong, "missing",
			 (json_int_t)t->missing, "late", (json_int_t)t->late,
			 "declined", (json_int_t)t->compression.declined,
			 "first", t->text);
}

static json_t *compression_json(const struct load_plan *plan,
				const struct load_compression *c)
{
	if (plan->options.no_deflate)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:s*}", "agreed",
			 (json_int_t)c->agreed, "declined",
			 (json_int_t)c->declined, "otherwise",
			 (json_int_t)c->otherwise, "terms",
			 c->terms[0] ? c->terms : NULL);
}

json_t *load_report_json(const struct load_plan *plan, const char *url,
			 const struct load_result *r)
{
	struct load_figures f;
	char sizes[256];

	load_figures(plan, r, &f);
	load_sizes_text(&plan->sizes, sizes, sizeof(sizes));
	return json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:s, s:f, s:I, s:f, "
		"s:f, s:o, s:o, s:o, s:{s:f, s:b}, s:o, s:o, s:b}",
		"sesame", SESAME_VERSION, "url", url, "mode",
		load_mode_name(plan->mode), "connections",
		(json_int_t)plan->connections, "opened", (json_int_t)r->opened,
		"in_flight", (json_int_t)plan->in_flight, "threads",
		(json_int_t)plan->threads, "rate", plan->rate, "sizes", sizes,
		"seconds", r->seconds, "messages",
		(json_int_t)r->tally.received, "messages_per_second",
		f.per_second, "payload_bytes_per_second", f.bytes_per_second,
		"latency_us", latency_json(&r->tally.latency, f.corrected),
		"deflate", compression_json(plan, &r->tally.compression),
		"server", server_json(plan, r, &f), "load", "cores", f.own_cores,
		"limited", f.limited, "faults", faults_json(&r->tally, r->ended_pid),
		"samples", samples_json(r), "interrupted", r->interrupted);
}
