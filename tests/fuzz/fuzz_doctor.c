/* SPDX-License-Identifier: MIT */
/*
 * A whole diagnosis on a fake kernel: every connection that the doctor opens
 * meets the next answer of the input, separated by the byte 0x1e. The first
 * byte of an answer says how it comes: bits 0 and 1: as it is, with the end
 * behind it or without; as an accepted handshake and these bytes, likewise.
 * Bits 2 and 3: in pieces. Bit 4: nobody listens. Bit 5: a reset for an end.
 *
 * Whatever comes, there is a verdict, its reports can be read and hold no
 * secret of the case, and each request is one that the strict parser reads.
 */
#include <errno.h>
#include <jansson.h>

#include "doctor/compare.h"
#include "doctor/doctor.h"
#include "doctor/plan.h"
#include "doctor/report.h"
#include "far.h"
#include "ws/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEPARATOR  0x1e
#define MOST_PARTS 16

static struct {
	struct bytes part[MOST_PARTS];
	size_t n_parts, next;
	struct far far[KERNEL_WIRES];
	struct bytes of[KERNEL_WIRES]; /* its answer */
	bool answered[KERNEL_WIRES];
	unsigned n_far;
} clinic;

static void cut_parts(struct bytes in)
{
	while (clinic.n_parts < MOST_PARTS) {
		ptrdiff_t at = bytes_find_byte(in, SEPARATOR);
		size_t len = at < 0 ? in.len : (size_t)at;

		clinic.part[clinic.n_parts++] = bytes_first(in, len);
		in = bytes_from(in, len + 1);
		if (at < 0)
			return;
	}
}

static unsigned manner(struct bytes part)
{
	return part.len ? part.data[0] : 1;
}

/* ---- The server ---- */

static void meet(void)
{
	static const size_t pieces[] = {WIRE_ROOM, 1, 7, 100};

	for (; clinic.n_far < kernel_n_wires(); clinic.n_far++) {
		struct wire *w = kernel_wire(clinic.n_far);
		struct bytes part = clinic.part[clinic.next++ % clinic.n_parts];

		far_begin(&clinic.far[clinic.n_far], w);
		clinic.of[clinic.n_far] = part;
		w->piece = pieces[manner(part) >> 2 & 3];
		wire_answer(w, manner(part) & 16 ? ECONNREFUSED : 0);
	}
}

static bool has_head(struct bytes got)
{
	return got.len && memmem(got.data, got.len, "\r\n\r\n", 4);
}

/* Those that are meant to be wrong are no handshakes, but HTTP they are. */
static void accept_it(struct far *f, struct bytes got)
{
	static struct ses_head head;
	struct ses_head_limits limits = {.total_bytes = SES_INTAKE_BYTES,
					 .line_bytes = SES_INTAKE_BYTES};
	char accept[SES_ACCEPT_LEN];
	struct ses_head_parser parser;
	enum ses_fault fault;
	struct ses_buf out;
	int r;

	ses_head_init(&parser, true, &limits);
	r = ses_head_parse(&parser, got, &head, &fault);
	demand(r != 0, "a head has come");
	if (r < 0)
		return;
	ses_key_accept(ses_head_get(&head, "Sec-WebSocket-Key"), accept);
	ses_buf_init(&out, 1024);
	ses_buf_printf(&out,
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %.*s\r\n\r\n",
		       (int)sizeof(accept), accept);
	far_say(f, ses_buf_bytes(&out));
	ses_buf_fini(&out);
}

static void answer(unsigned i)
{
	struct far *f = &clinic.far[i];
	struct bytes got = ses_buf_bytes(&f->got), part = clinic.of[i];
	unsigned how = manner(part);

	if (clinic.answered[i] || !has_head(got))
		return;
	clinic.answered[i] = true;
	if (how & 2)
		accept_it(f, got);
	far_say(f, bytes_from(part, 1));
	if (how & 1)
		return;
	if (how & 32)
		wire_reset(f->wire);
	else
		wire_end(f->wire);
}

static void on_idle(void)
{
	meet();
	for (unsigned i = 0; i < clinic.n_far; i++) {
		struct far *f = &clinic.far[i];
		struct ses_buf *out = &f->wire->out;

		if (ses_buf_len(out)) {
			ses_buf_append(&f->got, ses_buf_bytes(out));
			ses_buf_consume(out, ses_buf_len(out));
		}
		answer(i);
		far_push(f);
	}
}

/* ---- What is told ---- */

static bool has(struct bytes text, const char *what)
{
	return text.len && memmem(text.data, text.len, what, strlen(what));
}

static void check(struct bytes text)
{
	demand(!has(text, "tok-4711-abc") && !has(text, "hunter22-long") &&
		       !has(text, "qookie-value"),
	       "no secret of the case is told");
	for (size_t i = 0; i < text.len; i++)
		demand(text.data[i] >= ' ' || text.data[i] == '\n' ||
			       text.data[i] == '\t',
		       "nothing is told that a terminal obeys");
}

static void report(const struct doctor_chart *chart,
		   const struct doctor_verdict *verdict)
{
	struct doctor_look look = {false, 80};
	struct ses_buf out;
	json_t *o;

	ses_buf_init(&out, 1 << 24);
	if (doctor_report_text(chart, verdict, 1500, &look, &out) == 0)
		check(ses_buf_bytes(&out));
	ses_buf_release(&out);
	if (doctor_report_json(chart, verdict, 1500, &out) == 0) {
		check(ses_buf_bytes(&out));
		o = json_loadb((const char *)ses_buf_bytes(&out).data,
			       ses_buf_len(&out), 0, NULL);
		demand(json_is_object(o), "the JSON can be read");
		json_decref(o);
	}
	ses_buf_fini(&out);
}

/* ---- The whole ---- */

static void examine(void)
{
	static char *argv[] = {
		(char *)"doctor",
		(char *)"ws://ann:hunter22-long@127.0.0.1:90/chat?"
			"token=tok-4711-abc",
		(char *)"--quiet",
		(char *)"-H",
		(char *)"Cookie: s=qookie-value",
		(char *)"--origin",
		(char *)"https://app.example",
		NULL};
	static struct doctor_chart chart;
	static struct doctor_opinion opinion;
	static struct doctor_verdict verdict;
	struct doctor_case c;

	memset(&chart, 0, sizeof(chart));
	memset(&verdict, 0, sizeof(verdict));
	demand(doctor_case_open(&c, 7, argv) == 0, "the case can be opened");
	c.max_probes = 4;
	chart.c = &c;
	demand(doctor_examine(&chart, &opinion) == 0, "it can be examined");
	demand(chart.n_probes <= 4, "no more is asked than was allowed");
	doctor_pronounce(&chart, &opinion, &verdict);
	demand(verdict.outcome && verdict.summary[0], "there is a verdict");
	report(&chart, &verdict);
	for (size_t i = 0; i < chart.n_probes; i++) {
		doctor_probe_fini(chart.probe[i]);
		free(chart.probe[i]);
	}
	doctor_compare_end(&chart);
	doctor_case_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ambient[] = {"http_proxy", "https_proxy",
					      "all_proxy",  "ALL_PROXY",
					      "HTTP_PROXY", "HTTPS_PROXY"};

	for (size_t i = 0; i < sizeof(ambient) / sizeof(ambient[0]); i++)
		unsetenv(ambient[i]);
	memset(&clinic, 0, sizeof(clinic));
	cut_parts(bytes_of(data, size));
	kernel_start(size);
	kernel_when_idle(on_idle);
	examine();
	for (unsigned i = 0; i < clinic.n_far; i++)
		far_end(&clinic.far[i]);
	kernel_stop();
	return 0;
}
