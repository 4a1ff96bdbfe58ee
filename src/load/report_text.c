/* SPDX-License-Identifier: MIT */
/* A run's result on a terminal: what was done, what came of it, what to doubt. */
#include "load/report.h"

#include <stdio.h>

#define KIB 1024.0

/* "12,345,678" */
static const char *grouped(double n, char out[40])
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%.0f", n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

/* "870 us", "1.23 ms", "2.10 s" */
static const char *duration(double ns, char out[40])
{
	if (ns < 1000)
		snprintf(out, 40, "%.0f ns", ns);
	else if (ns < 1e6)
		snprintf(out, 40, ns < 1e4 ? "%.2f us" : "%.0f us", ns / 1e3);
	else if (ns < 1e9)
		snprintf(out, 40, ns < 1e7 ? "%.2f ms" : "%.0f ms", ns / 1e6);
	else
		snprintf(out, 40, "%.2f s", ns / 1e9);
	return out;
}

static const char *amount(double bytes, char out[40])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
	unsigned i = 0;

	while (bytes >= 10 * KIB && i < 3)
		bytes /= KIB, i++;
	snprintf(out, 40, i && bytes < 100 ? "%.1f %s" : "%.0f %s", bytes,
		 units[i]);
	return out;
}

struct sheet {
	struct ses_buf *out;
	const struct load_plan *plan;
	const struct load_result *r;
	struct load_figures f;
	int error;
};

#define put(s, ...)                           \
	((s)->error = (s)->error ? (s)->error \
				 : ses_buf_printf((s)->out, __VA_ARGS__))

static void put_plan(struct sheet *s, const char *url)
{
	const struct load_plan *p = s->plan;
	char sizes[256];

	put(s, "%s: %s, %u connection%s", url, load_mode_name(p->mode),
	    p->connections, p->connections == 1 ? "" : "s");
	if (p->mode == LOAD_ECHO || p->mode == LOAD_BROADCAST)
		put(s, ", %s, %u in flight",
		    load_sizes_text(&p->sizes, sizes, sizeof(sizes)),
		    p->in_flight);
	if (p->rate > 0)
		put(s, ", %g each second", p->rate);
	if (p->threads > 1)
		put(s, ", %u threads", p->threads);
	put(s, ", %.1f s%s\n\n", s->r->seconds,
	    s->r->interrupted ? " (interrupted)" : "");
}

static void put_rate(struct sheet *s)
{
	char all[40], each[40], bytes[40];

	put(s, "  %-12s %s, %s/s", s->f.unit,
	    grouped((double)s->r->tally.received, all),
	    grouped(s->f.per_second, each));
	if (s->r->tally.bytes)
		put(s, "; payload %s/s%s", amount(s->f.bytes_per_second, bytes),
		    s->plan->mode == LOAD_ECHO ? " each way" : " heard");
	put(s, "\n");
}

static void put_latency(struct sheet *s)
{
	const struct load_histogram *h = &s->r->tally.latency;
	char text[40];

	if (h->n == 0)
		return;
	put(s, "  %-12s", "latency");
	for (unsigned i = 0; i < LOAD_MARKS; i++)
		put(s, "%s%s %s", i ? ", " : " ", load_marks[i].name,
		    duration((double)load_quantile(h, load_marks[i].share),
			     text));
	put(s, "\n  %-12s %s\n", "",
	    s->f.corrected ? "from when each was due"
			   : "from when each was sent; --rate counts from when "
			     "each was due");
}

static void put_compression(struct sheet *s)
{
	const struct load_compression *c = &s->r->tally.compression;

	if (c->agreed)
		put(s, "  %-12s %s\n", "agreed", c->terms);
	if (c->otherwise)
		put(s, "  %-12s %llu of %llu to other terms\n", "",
		    (unsigned long long)c->otherwise,
		    (unsigned long long)c->agreed);
}

static void put_server(struct sheet *s)
{
	char cpu[40], memory[40], each[40];

	if (!s->plan->n_pids || s->r->ended_pid)
		return;
	put(s, "  %-12s ", "server");
	if (s->r->metered)
		put(s, "CPU %s each, %.2f of a core; ",
		    duration(s->f.server_cpu_ns, cpu), s->f.server_cores);
	put(s, "memory %s", amount((double)s->r->end.memory_bytes, memory));
	if (s->f.bytes_per_connection > 0)
		put(s, ", %s for each connection that opened",
		    amount(s->f.bytes_per_connection, each));
	put(s, "\n");
}

static void put_count(struct sheet *s, const char *name, uint64_t n,
		      const char *what)
{
	if (n)
		put(s, "  %-12s %llu %s\n", name, (unsigned long long)n, what);
}

static void put_faults(struct sheet *s)
{
	const struct load_tally *t = &s->r->tally;
	bool handshakes = s->plan->mode == LOAD_HANDSHAKES;

	if (s->r->ended_pid)
		put(s,
		    "  %-12s process %d ended during the run: what it cost is "
		    "not known\n",
		    "fault", s->r->ended_pid);
	put_count(s, "fault", t->failed,
		  handshakes ? "handshakes ended otherwise"
			     : "connections did not open");
	put_count(s, "fault", t->lost, "connections ended before their time");
	put_count(s, "fault", t->wrong,
		  handshakes ? "handshakes were admitted"
			     : "messages came back as something else");
	put_count(s, "fault", t->missing, "messages did not arrive");
	put_count(s, "fault", t->compression.declined,
		  handshakes ? "handshakes declined compression"
			     : "connections declined compression");
	put_count(s, "late", t->late,
		  "messages were due and had no answer at the end");
	if (t->text[0])
		put(s, "  %-12s %s\n", "the first", t->text);
}

int load_report_text(struct ses_buf *out, const struct load_plan *plan,
		     const char *url, const struct load_result *r)
{
	struct sheet s = {.out = out, .plan = plan, .r = r};

	load_figures(plan, r, &s.f);
	put_plan(&s, url);
	if (plan->mode != LOAD_IDLE)
		put_rate(&s);
	put_latency(&s);
	put_compression(&s);
	put_server(&s);
	put(&s, "  %-12s %.2f of a core in %u thread%s\n", "this load",
	    s.f.own_cores, plan->threads, plan->threads == 1 ? "" : "s");
	if (s.f.limited)
		put(&s,
		    "  %-12s this load worked nearly all the time: the server "
		    "may be faster\n  %-12s than this shows (--threads)\n",
		    "mind", "");
	put_faults(&s);
	return s.error;
}
