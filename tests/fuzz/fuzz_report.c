/* SPDX-License-Identifier: MIT */
/*
 * What is told about whatever servers answer: answers, separated by the byte
 * 0x1e, are diagnosed and reported as text, as JSON and as a page. No report
 * holds a secret of the case, none a byte that a terminal obeys, the JSON can
 * be read, and no element of the page is somebody else's.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../doctor/bedside.h"
#include "doctor/redact.h"
#include "doctor/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SEPARATOR 0x1e
#define FOREIGN	  "<x-" /* no page of ours has such an element */

static struct bytes cut_answer(struct bytes *rest)
{
	ptrdiff_t at = bytes_find_byte(*rest, SEPARATOR);
	struct bytes part = bytes_first(*rest, at < 0 ? rest->len : (size_t)at);

	*rest = bytes_from(*rest, part.len + 1);
	return part;
}

/* As it is kept of what comes over an open connection. */
static void redact(const struct doctor_case *c, char *text, size_t size)
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", text);
	doctor_redact(c, bytes_of_str(copy), text, size);
}

static struct doctor_probe *answer(const struct doctor_case *c,
				   const struct doctor_trial *trial, int n,
				   struct bytes what)
{
	char word[200];
	struct doctor_probe *p;

	if (what.len > 0 && what.data[0] == '@' && what.len < sizeof(word)) {
		memcpy(word, what.data, what.len);
		word[what.len] = 0;
		p = lie(trial, n, word);
		p->c = c;
		redact(c, p->close_reason, sizeof(p->close_reason));
		redact(c, p->first_message, sizeof(p->first_message));
		return p;
	}
	p = lie(trial, n, "@closed");
	p->c = c;
	lie_answered(p, what);
	return p;
}

static bool has(struct bytes text, const char *what)
{
	return text.len && memmem(text.data, text.len, what, strlen(what));
}

static bool is_control(uint8_t byte)
{
	return byte == 0x7f || (byte < ' ' && byte != '\n' && byte != '\t');
}

static void check(struct bytes text)
{
	if (has(text, "tok-4711-abc") || has(text, "hunter22-long") ||
	    has(text, "qookie-value"))
		abort();
	for (size_t i = 0; i < text.len; i++)
		if (is_control(text.data[i]))
			abort();
}

static void check_json(struct bytes text)
{
	json_error_t error;
	json_t *o = json_loadb((const char *)text.data, text.len, 0, &error);

	if (!json_is_object(o))
		abort();
	json_decref(o);
}

static void report(const struct bed *b)
{
	struct doctor_look look = {false, 80};
	struct ses_buf out;

	ses_buf_init(&out, 1 << 24);
	if (doctor_report_text(&b->chart, &b->verdict, 1500, &look, &out) == 0)
		check(ses_buf_bytes(&out));
	ses_buf_release(&out);
	if (doctor_report_json(&b->chart, &b->verdict, 1500, &out) == 0) {
		check(ses_buf_bytes(&out));
		check_json(ses_buf_bytes(&out));
	}
	ses_buf_release(&out);
	if (doctor_report_html(&b->chart, &b->verdict, 1500, "sesame doctor x",
			       "today", &out) == 0) {
		check(ses_buf_bytes(&out));
		if (has(ses_buf_bytes(&out), FOREIGN))
			abort();
	}
	ses_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct patient patient = {
		.url = "ws://ann:hunter22-long@127.0.0.1:8080/chat?"
		       "token=tok-4711-abc",
		.header = "Cookie: s=qookie-value",
		.origin = "https://app.example",
	};
	struct doctor_trial trial = {.change = DOCTOR_NOTHING};
	struct bytes rest = bytes_of(data, len);
	static struct bed b;
	bool last;

	bed_make(&b, &patient);
	b.c.max_probes = 4;
	do {
		struct doctor_chart *chart = &b.chart;
		struct bytes part = cut_answer(&rest);

		chart->probe[chart->n_probes] =
			answer(&b.c, &trial, (int)chart->n_probes + 1, part);
		chart->n_probes++;
		last = rest.len == 0;
		doctor_find(chart);
		doctor_diagnose(chart, &b.opinion);
		memset(&trial, 0, sizeof(trial));
	} while (!last && doctor_plan(&b.chart, &b.opinion, &trial));
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	report(&b);
	bed_strip(&b);
	return 0;
}
