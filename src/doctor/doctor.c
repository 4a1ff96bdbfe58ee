/* SPDX-License-Identifier: MIT */
/*
 * `sesame doctor` from the question to the answer. The order of the functions
 * is the order of events: open a case, examine (probes observe, one after the
 * other, each chosen by what is known), diagnose, pronounce, report.
 */
#include "doctor/doctor.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "doctor/config.h"
#include "doctor/compare.h"
#include "doctor/limit.h"
#include "doctor/plan.h"
#include "doctor/progress.h"
#include "doctor/report.h"

#define PAUSE_MS	 250 /* between two handshakes to one server */
#define AFTER_SILENCE_MS 2000
#define AT_ONCE_MS	 250 /* who answers so soon is not slow */
#define AFTER_QUICK_MS	 800 /* then so long a silence is one */
#define SOUNDING_MS	 1000 /* TLS is spoken at once, or not at all */
#define AGAIN_MS	 100 /* to see that what stayed open opens again */
#define NO_MORE_MS	 250 /* for a body, where one had no end before */
#define REPORT_LIMIT	 (16 * 1024 * 1024)
#define DESCRIPTORS	 8 /* loop, socket, names, certificates, and some */

enum {
	STATUS_OPEN = 0,
	STATUS_FAULT = 1,
	STATUS_USAGE = 2,
	STATUS_NO_VERDICT = 3,
	STATUS_INTERRUPTED = 130,
};

static void on_signal(int number)
{
	doctor_probe_interrupt();
}

/* Ctrl-C ends the examination, not the report of what is known by then. */
static void catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
}

static int exit_status(const struct doctor_verdict *verdict)
{
	if (doctor_probe_interrupted())
		return STATUS_INTERRUPTED;
	/* what opens and is of no use, say to a browser, is a fault too */
	if (strcmp(verdict->outcome, "open") == 0 &&
	    (verdict->cause == WHY_OK || verdict->confidence < DOCTOR_NO_VERDICT))
		return STATUS_OPEN;
	return verdict->confidence < DOCTOR_NO_VERDICT ? STATUS_NO_VERDICT
						       : STATUS_FAULT;
}

static int report(const struct doctor_chart *chart,
		  const struct doctor_verdict *verdict, double duration_ms,
		  const struct doctor_look *look)
{
	struct ses_buf out;
	struct bytes text;
	int r;

	ses_buf_init(&out, REPORT_LIMIT);
	r = chart->c->json
		    ? doctor_report_json(chart, verdict, duration_ms, &out)
		    : doctor_report_text(chart, verdict, duration_ms, look,
					 &out);
	text = ses_buf_bytes(&out);
	if (r == 0)
		fwrite(text.data, 1, text.len, stdout); /* main() looks how */
	else
		fprintf(stderr, "sesame doctor: the report cannot be made: %s\n",
			sesame_strerror(r));
	ses_buf_fini(&out);
	return r;
}

static void close_chart(struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++) {
		doctor_probe_fini(chart->probe[i]);
		free(chart->probe[i]);
	}
	doctor_compare_end(chart);
	free(chart);
}

static int see(const struct doctor_case *c, struct doctor_chart *chart,
	       char **argv, const struct doctor_look *look)
{
	static struct doctor_opinion opinion;
	static struct doctor_verdict verdict;
	double began = doctor_now_ms(), took;
	int r;

	chart->c = c;
	chart->blind = c->blind;
	r = doctor_examine(chart, &opinion);
	doctor_progress_end(c);
	if (r < 0) {
		fputs("sesame doctor: out of memory\n", stderr);
		return STATUS_NO_VERDICT;
	}
	doctor_pronounce(chart, &opinion, &verdict);
	took = doctor_now_ms() - began;
	if (report(chart, &verdict, took, look) < 0)
		return STATUS_NO_VERDICT;
	if (c->html && !doctor_publish_report(chart, &verdict, took, argv))
		return STATUS_NO_VERDICT;
	return exit_status(&verdict);
}

/*
 * Whether this process may still open what a handshake needs. A shortage of
 * our own looks like a fault of the network, and would be diagnosed as one.
 */
static bool has_descriptors(void)
{
	int fd[DESCRIPTORS], n = 0;

	while (n < DESCRIPTORS) {
		fd[n] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd[n] < 0)
			break;
		n++;
	}
	for (int i = 0; i < n; i++)
		close(fd[i]);
	if (n < DESCRIPTORS)
		fputs("sesame doctor: too few file descriptors are left to "
		      "look at anything; raise the\nlimit: ulimit -n 256\n",
		      stderr);
	return n == DESCRIPTORS;
}

int doctor_main(int argc, char **argv, const struct doctor_look *look)
{
	struct doctor_config *config = NULL;
	struct doctor_chart *chart;
	struct doctor_case c;
	int status = doctor_case_open(&c, argc, argv);

	if (status != 0)
		return status < 0 ? STATUS_OPEN : status;
	status = c.html && !doctor_can_publish(&c)
			 ? STATUS_USAGE
			 : doctor_config_read(&c, &config);
	if (status != 0) {
		doctor_case_close(&c);
		return status;
	}
	catch_interrupts();
	chart = calloc(1, sizeof(*chart));
	if (chart) {
		chart->config = config;
		status = has_descriptors() ? see(&c, chart, argv, look)
					   : STATUS_NO_VERDICT;
		close_chart(chart);
	} else {
		fputs("sesame doctor: out of memory\n", stderr);
		status = STATUS_NO_VERDICT;
	}
	doctor_config_free(config);
	doctor_case_close(&c);
	return status;
}

/* ---- examining ---- */

/* A page for people, or a field, by which a bot is to be told from them. */
static bool is_challenge(const struct doctor_probe *p)
{
	return p->status != 200 && doctor_says(p, DOCTOR_F_SAYS_CHALLENGE);
}

/* Varnish puts Retry-After into every answer of its own, whatever it means. */
static bool is_wish(const struct doctor_probe *p)
{
	for (size_t i = 0; i < p->hops.n && p->status != 503; i++)
		if (p->hops.hop[i].stack == WHY_STACK_VARNISH)
			return false;
	return p->status >= 300 && ses_head_get(&p->parsed, "Retry-After").data;
}

/* Twice in a row what the first answer was not: a limit without a name. */
static bool grew_busy(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	size_t n = chart->n_probes;

	return n >= 3 && base && base->status < 500 &&
	       chart->probe[n - 1]->status == 503 &&
	       chart->probe[n - 2]->status == 503 &&
	       chart->probe[n - 1]->trial.change != DOCTOR_PATH;
}

/* A 429 that is not asked about again, or that was asked about in vain. */
static bool is_limited(const struct doctor_chart *chart,
		       const struct doctor_probe *p)
{
	if (p->status == 429 || p->dial.proxy_status == 429)
		return !doctor_may_mean_agent(chart->c, p);
	return chart->probe[0]->status == 429 && p->outcome != DOCTOR_OPEN;
}

/* What a polite visitor takes for "enough", or NULL. */
static const char *asked_to_stop(const struct doctor_chart *chart,
				 const struct doctor_probe *p)
{
	if (is_limited(chart, p))
		return "the answer was 429, too many requests";
	if (p->outcome != DOCTOR_ANSWERED)
		return NULL;
	if (is_challenge(p))
		return "the answer is a challenge for bots";
	if (grew_busy(chart))
		return "the answers turned to 503, so a limit was met";
	if (is_wish(p))
		return "the server asked to come back later (Retry-After)";
	return NULL;
}

static bool may_go_on(struct doctor_chart *chart)
{
	const struct doctor_case *c = chart->c;

	if (c->url_error || doctor_probe_interrupted() || chart->stopped)
		return false;
	return chart->n_probes < c->max_probes &&
	       chart->n_probes < DOCTOR_MAX_PROBES;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

/* Servers count handshakes; only this machine's own get no pause, and after a
 * 429 they do as well. */
static void pause_before_next(const struct doctor_chart *chart)
{
	const struct doctor_probe *last = chart->probe[chart->n_probes - 1];
	const struct ses_dial_report *dial = &last->dial;

	if (chart->probe[0]->status == 429)
		pause_ms(DOCTOR_LIMIT_PAUSE_MS);
	else if (!ses_addr_is_loopback(dial->peer.len ? &dial->peer
						      : &dial->address[0]))
		pause_ms(PAUSE_MS);
}

/* Whether the same was watched before, for as long as is usual, and stayed. */
static bool stayed_before(const struct doctor_chart *chart,
			  const struct doctor_trial *trial)
{
	const struct doctor_probe *before =
		doctor_tried(chart, trial->change, trial->value);

	return trial->change != DOCTOR_NOTHING && !trial->parts && before &&
	       before->outcome == DOCTOR_OPEN;
}

/*
 * How long to watch an open connection. The user's own request, as long as was
 * asked for; others only as long as it takes to see that they outlive it.
 */
static unsigned watch_ms(const struct doctor_chart *chart,
			 const struct doctor_trial *trial)
{
	const struct doctor_case *c = chart->c;
	unsigned usual = DOCTOR_HOLD_MS, outlive;

	if (chart->n_probes == 0 || trial->change == DOCTOR_HOLD)
		return c->hold_ms;
	outlive = (unsigned)(chart->probe[0]->open_ms * 1.5);
	if (c->hold_ms && c->hold_ms < usual)
		usual = c->hold_ms;
	if (stayed_before(chart, trial) && usual > AGAIN_MS)
		usual = AGAIN_MS;
	return outlive + usual;
}

static int perform(struct doctor_chart *chart, const struct doctor_case *asked,
		   const struct doctor_trial *trial, struct doctor_probe *p)
{
	return trial->parts ? doctor_compare_run(chart, asked, trial, p)
			    : doctor_probe_run(asked, trial, p);
}

/*
 * After one silence, a shorter one is as telling; so it is at a guessed path of
 * a server that answered the user's own request without delay.
 */
static bool is_soon_told(const struct doctor_chart *chart,
			 const struct doctor_trial *trial)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return doctor_fell_silent(chart) ||
	       (trial->change == DOCTOR_PATH && base &&
		base->outcome == DOCTOR_ANSWERED &&
		base->ms < AFTER_SILENCE_MS / 4);
}

/* Whether some answer was whole long before its connection was given up. */
static bool leaves_bodies_open(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->body_open)
			return true;
	return false;
}

/* An answer of its own to TLS, which it does not speak, is one as well. */
static bool has_answered(const struct doctor_probe *p)
{
	return p->status || p->dial.tls.fault == SES_TLS_NOT_TLS;
}

/* Whether this server is known to be quick: all that it answers, at once. */
static bool is_quick(const struct doctor_chart *chart)
{
	bool answered = false;

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (has_answered(p) && p->ms > AT_ONCE_MS)
			return false;
		answered |= has_answered(p);
	}
	return answered;
}

/* How long the answer to @trial is waited for, at most. */
static unsigned wait_ms(const struct doctor_chart *chart,
			const struct doctor_trial *trial)
{
	if (!is_soon_told(chart, trial))
		return UINT_MAX;
	if (trial->change == DOCTOR_SCHEME && !chart->c->url.tls)
		return SOUNDING_MS;
	return doctor_fell_silent(chart) && is_quick(chart) ? AFTER_QUICK_MS
							    : AFTER_SILENCE_MS;
}

/* One more probe for the chart. 0, or -1: out of memory. */
static int ask(struct doctor_chart *chart, const struct doctor_trial *trial)
{
	struct doctor_case asked = *chart->c;
	struct doctor_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	if (chart->n_probes > 0)
		pause_before_next(chart);
	p->n = (int)chart->n_probes + 1;
	p->c = chart->c;
	asked.hold_ms = watch_ms(chart, trial);
	if (asked.timeout_ms > wait_ms(chart, trial))
		asked.timeout_ms = wait_ms(chart, trial);
	if (leaves_bodies_open(chart))
		asked.body_ms = NO_MORE_MS;
	doctor_progress(chart->c, p->n, trial);
	if (perform(chart, &asked, trial, p) < 0) {
		doctor_probe_fini(p);
		free(p);
		return -1;
	}
	if (doctor_probe_interrupted()) { /* half an observation is none */
		doctor_probe_fini(p);
		free(p);
		chart->stopped = "interrupted";
		return 0;
	}
	chart->probe[chart->n_probes++] = p;
	chart->stopped = asked_to_stop(chart, p);
	return 0;
}

int doctor_examine(struct doctor_chart *chart,
		   struct doctor_opinion *ret_opinion)
{
	struct doctor_trial next;

	if (doctor_compare(chart, ask) < 0)
		return -1;
	for (;;) {
		doctor_find(chart);
		doctor_diagnose(chart, ret_opinion);
		if (!may_go_on(chart))
			return 0;
		next = (struct doctor_trial){0};
		if (!doctor_plan(chart, ret_opinion, &next))
			return 0;
		if (ask(chart, &next) < 0)
			return -1;
	}
}
