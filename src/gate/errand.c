/* SPDX-License-Identifier: MIT */
/* A dial, a request, the head of its answer, and one timer over all of it. */
#include "gate/errand.h"

#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "ws/intake.h"

#define QUEUE_BYTES (256 * 1024)
#define LINGER_MS   500 /* lest what is not read makes the goodbye a reset */

struct gate_errand {
	struct sesame_loop *loop;
	struct ses_dial *dial; /* while it lasts, then */
	struct ses_stream *stream;
	struct ses_timer timer;
	struct ses_intake intake;
	struct ses_buf request;
	gate_errand_done done;
	void *user;
};

static void free_errand(struct gate_errand *e)
{
	ses_timers_stop(&e->loop->timers, &e->timer);
	if (e->dial)
		ses_dial_cancel(e->dial);
	ses_stream_close(e->stream);
	ses_intake_fini(&e->intake);
	ses_buf_fini(&e->request);
	free(e);
}

void gate_errand_cancel(struct gate_errand *e)
{
	if (e)
		free_errand(e);
}

static void tell(struct gate_errand *e, struct gate_errand_answer answer)
{
	e->done(e->user, &answer);
	if (answer.head) {
		ses_stream_linger(e->stream, LINGER_MS);
		e->stream = NULL;
	}
	free_errand(e);
}

static void fail(struct gate_errand *e, const char *text)
{
	tell(e, (struct gate_errand_answer){.text = text});
}

static void on_answer(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct gate_errand *e = s->owner;
	enum ses_fault fault = SES_FAULT_NONE;
	struct ses_head head;
	struct bytes in = bytes_of(data, len);
	size_t used = 0;
	int r = ses_intake_feed_answer(&e->intake, &in, &head, &used, &fault);

	if (r == 0)
		return;
	if (r < 0)
		fail(e, "its answer is no HTTP");
	else
		tell(e, (struct gate_errand_answer){&head, "", false});
}

static void on_end(struct ses_stream *s, int error)
{
	fail(s->owner, "it closed the connection without an answer");
}

static const struct ses_stream_events answering = {.on_bytes = on_answer,
						   .on_end = on_end};

static void on_time(struct ses_timer *timer)
{
	fail(ses_container_of(timer, struct gate_errand, timer),
	     "it did not answer in time");
}

static void tell_undialled(struct gate_errand *e,
			   const struct ses_dial_report *report, int error)
{
	const struct ses_dial_step *last =
		report && report->n_steps ? &report->step[report->n_steps - 1]
					  : NULL;
	char text[300];

	snprintf(text, sizeof(text), "%s",
		 last ? last->text : sesame_strerror(error));
	tell(e, (struct gate_errand_answer){
			.text = text, .ours = ses_dial_lacked(report, error)});
}

static void on_dialled(void *user, struct ses_stream *stream,
		       const struct ses_dial_report *report, int error)
{
	struct gate_errand *e = user;

	e->dial = NULL;
	if (error) {
		tell_undialled(e, report, error);
		return;
	}
	e->stream = stream;
	ses_stream_take(stream, &answering, e);
	if (ses_stream_send(stream, ses_buf_bytes(&e->request)) < 0)
		fail(e, "the request could not be sent");
}

struct gate_errand *gate_errand_start(struct sesame_loop *loop,
				      const struct ses_dial_options *to,
				      struct ses_buf *request,
				      gate_errand_done done, void *user)
{
	static const struct ses_stream_limits limits = {
		.queue = QUEUE_BYTES, .queue_high = QUEUE_BYTES / 2};
	struct gate_errand *e = calloc(1, sizeof(*e));
	struct ses_dial_options options = *to;

	if (!e)
		return NULL;
	options.limits = &limits;
	e->loop = loop;
	e->done = done;
	e->user = user;
	e->timer.fire = on_time;
	ses_intake_init(&e->intake, false);
	e->request = *request;
	ses_buf_init(request, 0);
	if (ses_timers_start(&loop->timers, &e->timer,
			     loop->now_ms + options.timeout_ms) < 0 ||
	    !(e->dial = ses_dial_start(loop, &options, on_dialled, e))) {
		free_errand(e);
		return NULL;
	}
	return e;
}
