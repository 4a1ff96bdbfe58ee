/* SPDX-License-Identifier: MIT */
/*
 * Whatever servers answer, a diagnosis comes out: answers, separated by the
 * byte 0x1e, go to one trial after the other; findings, plan, judgement and
 * verdict look at them, and some sums have to come out right.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../doctor/bedside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SEPARATOR 0x1e

static struct bytes cut_answer(struct bytes *rest)
{
	ptrdiff_t at = bytes_find_byte(*rest, SEPARATOR);
	struct bytes part = bytes_first(*rest, at < 0 ? rest->len : (size_t)at);

	*rest = bytes_from(*rest, part.len + 1);
	return part;
}

static struct doctor_probe *answer(const struct doctor_trial *trial, int n,
				   struct bytes what)
{
	char word[200];
	struct doctor_probe *p;

	if (what.len > 0 && what.data[0] == '@' && what.len < sizeof(word)) {
		memcpy(word, what.data, what.len);
		word[what.len] = 0;
		return lie(trial, n, word);
	}
	p = lie(trial, n, "@closed");
	lie_answered(p, what);
	return p;
}

static void check(const struct bed *b)
{
	const struct doctor_verdict *v = &b->verdict;
	double sum = 0;

	for (int c = 0; c < WHY_N_CAUSES; c++)
		sum += b->opinion.p[c];
	if (sum < 0.999 || sum > 1.001 || v->confidence > 1 ||
	    v->summary[0] == 0 || !v->who || !v->outcome)
		abort();
	for (const char *s = v->summary; *s; s++)
		if ((uint8_t)*s < ' ')
			abort();
	for (size_t i = 0; i < v->n_evidence; i++)
		for (const char *s = v->evidence[i]; *s; s++)
			if ((uint8_t)*s < ' ')
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct patient patients[] = {
		{.url = "ws://127.0.0.1:8080/chat?room=1",
		 .origin = "http://127.0.0.1:8080",
		 .subprotocols = "a, b"},
		{.url = "wss://chat.example/", .header = "Cookie: session=1"},
		{.url = "ws://chat.example/socket.io/?EIO=4",
		 .page = "https://app.example/x/y"},
		{.url = "ws://127.0.0.1:8080/chat",
		 .page = "http://127.0.0.1:8080/",
		 .backend = "http://127.0.0.1:3000"},
	};
	static struct bed b;
	struct doctor_trial trial = {.change = DOCTOR_NOTHING};
	struct bytes rest;
	bool last;

	if (len < 1)
		return 0;
	rest = bytes_of(data + 1, len - 1);
	bed_make(&b, &patients[data[0] & 3]);
	b.c.max_probes = 8;
	do {
		struct doctor_chart *chart = &b.chart;
		struct bytes part = cut_answer(&rest);

		chart->probe[chart->n_probes] =
			answer(&trial, (int)chart->n_probes + 1, part);
		chart->n_probes++;
		last = rest.len == 0;
		doctor_find(chart);
		doctor_diagnose(chart, &b.opinion);
		memset(&trial, 0, sizeof(trial));
	} while (!last && doctor_plan(&b.chart, &b.opinion, &trial));
	doctor_pronounce(&b.chart, &b.opinion, &b.verdict);
	check(&b);
	bed_strip(&b);
	return 0;
}
