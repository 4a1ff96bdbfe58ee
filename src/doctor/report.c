/* SPDX-License-Identifier: MIT */
/*
 * What the forms of the report have in common, so that the text, the page and
 * whoever reads one aloud to somebody with the other in front of him use the
 * same words.
 */
#include "doctor/report.h"

#include <stdio.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum doctor_standing doctor_standing(const struct doctor_verdict *v)
{
	if (v->is_unknown)
		return DOCTOR_UNKNOWN;
	if (strcmp(v->outcome, "open") == 0)
		return v->cause == WHY_OK ? DOCTOR_FINE : DOCTOR_FLAWED;
	return v->confidence < DOCTOR_NO_VERDICT ? DOCTOR_UNSURE
						 : DOCTOR_REFUSES;
}

const char *doctor_say_confidence(double confidence)
{
	static const struct {
		double from;
		const char *words;
	} scale[] = {
		{0.97, "practically certain"},
		{0.85, "very likely"},
		{0.65, "likely"},
		{0.45, "as likely as not"},
		{0.25, "the best of several guesses"},
	};

	for (size_t i = 0; i < LEN(scale); i++)
		if (confidence >= scale[i].from)
			return scale[i].words;
	return "a mere guess";
}

const char *doctor_say_who(const struct doctor_verdict *v)
{
	static const char *const rows[][2] = {
		{"nobody", "Nobody has to act."},
		{"client", "The client has to act: the request must change."},
		{"proxy", "Whoever runs the proxy has to act."},
		{"server", "Whoever runs the server has to act."},
		{"network", "Whoever runs the network in between has to act."},
	};

	if (v->n_fixes > 0 && strcmp(v->fix[0].who, "client") == 0 &&
	    bytes_equal_str(why_category(v->cause), "access")) {
		if (strcmp(v->who, "server") == 0)
			return "The server makes the rule; the client can "
			       "meet it.";
		if (strcmp(v->who, "proxy") == 0)
			return "The proxy makes the rule; the client can meet "
			       "it.";
	}
	if (v->cause == WHY_OK && strcmp(v->who, "client") == 0)
		return "What failed in the recording is on the browser's side, "
		       "or is over.";
	if (strcmp(v->who, "client") == 0 &&
	    bytes_equal_str(why_category(v->cause), "net"))
		return "The client's side has to act.";
	for (size_t i = 0; i < LEN(rows); i++)
		if (strcmp(rows[i][0], v->who) == 0)
			return rows[i][1];
	return "";
}

const char *doctor_say_layer(enum why_layer layer)
{
	static const char *const names[] = {
		[WHY_LAYER_CLIENT] = "client",
		[WHY_LAYER_FORWARD_PROXY] = "forward proxy",
		[WHY_LAYER_CDN] = "CDN",
		[WHY_LAYER_REVERSE_PROXY] = "reverse proxy",
		[WHY_LAYER_SERVER] = "server",
		[WHY_LAYER_APPLICATION] = "application",
	};

	return (size_t)layer < LEN(names) ? names[layer] : NULL;
}

char *doctor_say_evidence(const struct doctor_verdict *v, size_t i, char *out,
			  size_t size)
{
	static const char probe[] = "probe ";
	bool of_probe = strncmp(v->evidence[i], probe, strlen(probe)) == 0;

	snprintf(out, size, "%s%s", of_probe ? "handshake " : "",
		 v->evidence[i] + (of_probe ? strlen(probe) : 0));
	return out;
}

char *doctor_say_repeats(int repeated, char *out, size_t size)
{
	if (repeated < 1)
		out[0] = 0;
	else if (repeated <= 2)
		snprintf(out, size, "confirmed %s",
			 repeated == 1 ? "once" : "twice");
	else
		snprintf(out, size, "confirmed %d times", repeated);
	return out;
}

char *doctor_say_change(const struct doctor_case *c,
			const struct doctor_probe *p, char *out, size_t size)
{
	if (p->trial.change == DOCTOR_NOTHING)
		snprintf(out, size, p->n == 1 ? "as asked" : "as asked, again");
	else
		doctor_trial_text(c, &p->trial, out, size);
	return out;
}

const char *doctor_say_step(enum ses_dial_kind kind)
{
	switch (kind) {
	case SES_DIAL_NAMES:
		return "names";
	case SES_DIAL_CONNECT:
		return "connect";
	case SES_DIAL_PROXY:
		return "proxy";
	case SES_DIAL_TLS:
		return "TLS";
	}
	return "";
}

const char *doctor_say_object(const struct ses_dial_step *step, char *out,
			      size_t size)
{
	if (ses_url_redact(bytes_of_str(step->what), out, size) < 0)
		out[0] = 0;
	return out;
}

const char *doctor_say_outcome(const struct ses_dial_step *step)
{
	if (*step->text)
		return step->text;
	return step->error ? sesame_strerror(step->error) : "done";
}
