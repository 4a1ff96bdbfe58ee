/* SPDX-License-Identifier: MIT */
/*
 * The first screen: verdict, proof and remedy on 80 columns and 24 lines,
 * whatever the cause and whoever refused. Every cause is laid upon every
 * stack, with short and with long names, with a proof and without.
 */
#include "test.h"

#include "doctor/report.h"

#include "bedside.h"

#define LONG_ORIGIN                                                        \
	"https://a-tenant-with-a-very-long-name.of.a.department.with.many" \
	".labels.customers.example.org:18443"
#define LONG_URL                                                              \
	"wss://a-gateway-with-a-very-long-name.of.a.department.with.many"     \
	".labels.example.org:18443/a/very/long/path/to/the/one/endpoint/that" \
	"/opens/a/websocket/for/everybody/who/asks?room=general&since=0"

static const struct patient patients[] = {
	{.name = "short, with a proof",
	 .url = "ws://h:8080/chat",
	 .origin = "https://evil.example",
	 .answer = "HTTP/1.1 403 Forbidden\nServer: x\n\nno",
	 .answers = {{DOCTOR_ORIGIN, NULL, "@open"}}},
	{.name = "short, without one",
	 .url = "ws://h:8080/chat",
	 .answer = "HTTP/1.1 403 Forbidden\nServer: x\n\nno"},
	{.name = "long, with a proof",
	 .url = LONG_URL,
	 .origin = LONG_ORIGIN,
	 .proxy = "http://a-forward-proxy.of.the.house.example.org:3128",
	 .answer = "HTTP/1.1 307 Temporary Redirect To Another Place That Is "
		   "Better Suited\nLocation: " LONG_URL "\n\nno",
	 .answers = {{DOCTOR_ORIGIN, NULL, "@open"}}},
};

static char page[65536];

static void render(const struct bed *b, int width)
{
	struct doctor_look look = {.width = width};
	struct ses_buf out;
	struct bytes text;

	ses_buf_init(&out, sizeof(page) - 1);
	assert_int_equal(
		doctor_report_text(&b->chart, &b->verdict, 1500, &look, &out),
		0);
	text = ses_buf_bytes(&out);
	memcpy(page, text.data, text.len);
	page[text.len] = 0;
	ses_buf_fini(&out);
}

/* What @patient showed, whoever refused. */
static void lay(struct bed *b, const struct patient *patient)
{
	struct doctor_trial as_asked = {0};
	struct doctor_trial other = {DOCTOR_ORIGIN, "https://app.example"};

	bed_make(b, patient);
	b->c.proxy_from = patient->proxy ? strdup("https_proxy") : NULL;
	bed_probe(b, patient, &as_asked);
	bed_probe(b, patient, &other);
}

/* The verdict that it was @cause, by @stack. */
static void pronounce(struct bed *b, enum why_cause cause, enum why_stack stack)
{
	struct why_hops *hops = &b->chart.probe[0]->hops;

	*hops = (struct why_hops){.n = 1};
	hops->hop[0].stack = stack;
	snprintf(hops->hop[0].text, sizeof(hops->hop[0].text), "%s/1.22.1",
		 why_stack(stack)->name);
	snprintf(hops->hop[0].mark, sizeof(hops->hop[0].mark), "Server: %s",
		 why_stack(stack)->name);
	if (stack == WHY_STACK_NONE)
		*hops = (struct why_hops){.writer = -1};
	b->opinion = (struct doctor_opinion){.best = cause};
	b->opinion.p[cause] = 0.9;
	for (size_t i = 0; i < b->chart.n_findings; i++)
		b->opinion.weight[i] = 1;
	doctor_pronounce(&b->chart, &b->opinion, &b->verdict);
}

static size_t columns(const char *from, const char *end)
{
	size_t n = 0;

	for (; from < end; from++)
		n += ((unsigned char)*from & 0xc0) != 0x80;
	return n;
}

/* How many lines of the screen stand before the first blank one after @heading; 0: none. */
static size_t lines_up_to(const char *heading)
{
	const char *from = strstr(page, heading), *end;
	size_t n = 0;

	if (!from)
		return 0;
	end = strstr(from, "\n\n");
	assert_non_null(end);
	for (const char *p = page; p < end; p = strchr(p, '\n') + 1)
		n += (columns(p, strchr(p, '\n')) + 79) / 80 +
		     (*p == '\n'); /* an empty line is one, too */
	return n;
}

/* Lines to paste are not broken; everything else keeps to the width. */
static const char *line_beyond(size_t width)
{
	for (const char *p = page; *p; p = strchr(p, '\n') + 1)
		if (columns(p, strchr(p, '\n')) > width &&
		    strncmp(p, "         ", 9) != 0 && strchr(p, ' ') &&
		    strncmp(p, "  https://", 10) != 0 &&
		    !strstr(p, "example.org"))
			return p;
	return NULL;
}

static void look_at(struct bed *b, const char *name, enum why_cause cause,
		    enum why_stack stack)
{
	size_t n;

	pronounce(b, cause, stack);
	b->chart.stopped = why_stack(stack)->layer == WHY_LAYER_CDN
				   ? "the answer was 429, too many requests"
				   : NULL;
	render(b, 80);
	n = lines_up_to("What opens it");
	if ((n == 0 && cause != WHY_OK) || n > 24)
		fail_msg("%s: %s by %s: %zu lines\n%s", name,
			 why_cause(cause)->id, why_stack(stack)->name, n, page);
	if (line_beyond(80))
		fail_msg("%s: %s by %s: too wide: %.100s", name,
			 why_cause(cause)->id, why_stack(stack)->name,
			 line_beyond(80));
}

TEST("verdict, proof and remedy fit one screen, for every cause and stack")
{
	for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
		struct bed b;

		lay(&b, &patients[i]);
		for (int c = 0; c < WHY_N_CAUSES; c++)
			for (int s = 0; s < WHY_N_STACKS; s++)
				look_at(&b, patients[i].name, (enum why_cause)c,
					(enum why_stack)s);
		bed_strip(&b);
	}
}

/* Every line of every snippet of the verdict, however far below. */
static void expect_all_snippets(const struct bed *b)
{
	for (size_t i = 0; i < b->verdict.n_fixes; i++) {
		char text[1024], *line, *rest = text;

		snprintf(text, sizeof(text), "%s", b->verdict.fix[i].snippet);
		while ((line = strsep(&rest, "\n"))) {
			line += strspn(line, "\t");
			if (!strchr(line, '\t') && !strstr(page, line))
				fail_msg("%s is not in\n%s", line, page);
		}
	}
}

TEST("what is cut on the first screen comes whole below it")
{
	struct bed b;
	size_t cut = 0;

	lay(&b, &patients[0]);
	for (int c = 1; c < WHY_N_CAUSES; c++)
		for (int s = 0; s < WHY_N_STACKS; s++) {
			pronounce(&b, (enum why_cause)c, (enum why_stack)s);
			render(&b, 80);
			expect_all_snippets(&b);
			cut += strstr(page, "… more below") != NULL;
		}
	bed_strip(&b);
	assert_true(cut > 0); /* or this test tests nothing */
}

TEST("the report is readable on narrow and on wide terminals")
{
	static const int widths[] = {60, 200};

	for (size_t w = 0; w < ARRAY_LEN(widths); w++)
		for (size_t i = 0; i < ARRAY_LEN(patients); i++) {
			struct bed b;

			lay(&b, &patients[i]);
			pronounce(&b, WHY_ACCESS_ORIGIN, WHY_STACK_NGINX);
			render(&b, widths[w]);
			if (line_beyond((size_t)widths[w]))
				fail_msg("%d: %.200s", widths[w],
					 line_beyond((size_t)widths[w]));
			bed_strip(&b);
		}
}
