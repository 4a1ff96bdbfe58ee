/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis as one JSON object, in the shape of
 * tests/contracts/diagnosis.schema.json. Every string goes through redaction:
 * this is what people paste into tickets without looking.
 */
#include "doctor/report.h"

#include <jansson.h>
#include <stdlib.h>

#include "doctor/compare.h"
#include "doctor/redact.h"

#define TEXT_SIZE 8192

/* The case whose secrets are to be hidden, and room to do it in. */
struct writer {
	const struct doctor_case *c;
	char text[TEXT_SIZE];
};

static json_t *string(struct writer *w, const char *text)
{
	return json_string(doctor_redact_lines(w->c, text, w->text, TEXT_SIZE));
}

static json_t *string_or_null(struct writer *w, const char *text)
{
	return text && *text ? string(w, text) : json_null();
}

/* Probabilities and times with the digits that mean something. */
static json_t *rounded(double value, double per_unit)
{
	return json_real((double)(long long)(value * per_unit + 0.5) / per_unit);
}

static json_t *target(struct writer *w)
{
	json_t *o = json_object();

	json_object_set_new(
		o, "url",
		json_string(doctor_redact_url(w->c, w->text, TEXT_SIZE)));
	json_object_set_new(o, "origin",
			    w->c->origin ? string(w, w->c->origin)
					 : json_null());
	return o;
}

static json_t *fixes(struct writer *w, const struct doctor_verdict *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_fixes; i++) {
		const struct doctor_fix *fix = &v->fix[i];
		json_t *o = json_object();

		json_object_set_new(o, "who", json_string(fix->who));
		json_object_set_new(o, "stack",
				    fix->stack ? json_string(fix->stack)
					       : json_null());
		json_object_set_new(o, "what", string(w, fix->what));
		json_object_set_new(o, "where", string_or_null(w, fix->where));
		json_object_set_new(o, "snippet",
				    string_or_null(w, fix->snippet));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *proof(struct writer *w, const struct doctor_verdict *v)
{
	json_t *o;

	if (!v->proof.given)
		return json_null();
	o = json_object();
	json_object_set_new(o, "probe", json_integer(v->proof.probe));
	json_object_set_new(o, "changed", string(w, v->proof.changed));
	json_object_set_new(o, "result", string(w, v->proof.result));
	json_object_set_new(o, "repeated", json_integer(v->proof.repeated));
	return o;
}

static json_t *evidence(struct writer *w, const struct doctor_verdict *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_evidence; i++)
		json_array_append_new(list, string(w, v->evidence[i]));
	return list;
}

static json_t *verdict_object(struct writer *w, const struct doctor_verdict *v)
{
	struct bytes category = why_category(v->cause);
	json_t *o = json_object();

	json_object_set_new(o, "cause", json_string(why_cause(v->cause)->id));
	json_object_set_new(
		o, "category",
		json_stringn((const char *)category.data, category.len));
	json_object_set_new(o, "confidence", rounded(v->confidence, 10000));
	json_object_set_new(o, "who", json_string(v->who));
	json_object_set_new(o, "summary", string(w, v->summary));
	json_object_set_new(o, "evidence", evidence(w, v));
	json_object_set_new(o, "fix", fixes(w, v));
	json_object_set_new(o, "proof", proof(w, v));
	return o;
}

static json_t *alternatives(struct writer *w, const struct doctor_verdict *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n_alternatives; i++) {
		json_t *o = json_object();

		json_object_set_new(
			o, "cause",
			json_string(why_cause(v->alternative[i].cause)->id));
		json_object_set_new(o, "confidence",
				    rounded(v->alternative[i].confidence, 10000));
		json_object_set_new(
			o, "tell_apart",
			string_or_null(w, v->alternative[i].tell_apart));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *responder(struct writer *w, const struct doctor_verdict *v)
{
	const char *layer = why_layer_name(v->layer);
	json_t *o = json_object(), *hops = json_array();

	json_object_set_new(o, "refused_by", string_or_null(w, v->refused_by));
	json_object_set_new(o, "layer",
			    layer ? json_string(layer) : json_null());
	for (size_t i = 0; i < v->n_hops; i++)
		json_array_append_new(hops, string(w, v->hop[i]));
	json_object_set_new(o, "hops", hops);
	if (*v->reference) /* for `sesame why`, when a sesame refused */
		json_object_set_new(o, "reference", string(w, v->reference));
	return o;
}

static json_t *remarks(struct writer *w, const struct doctor_chart *chart)
{
	json_t *list = json_array();
	const char *remark;

	for (size_t i = 0; (remark = doctor_remark(chart, i)); i++)
		json_array_append_new(list, string(w, remark));
	return list;
}

static json_t *probes(struct writer *w, const struct doctor_chart *chart)
{
	json_t *list = json_array();
	char text[1024];

	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];
		json_t *o = json_object();

		json_object_set_new(o, "n", json_integer(p->n));
		json_object_set_new(
			o, "changed",
			string(w, doctor_trial_text(w->c, &p->trial, text,
						    sizeof(text))));
		json_object_set_new(
			o, "result",
			string(w, doctor_result_text(p, text, sizeof(text))));
		json_object_set_new(o, "ms", rounded(p->ms, 10));
		json_array_append_new(list, o);
	}
	return list;
}

static int append_json(const char *data, size_t len, void *out)
{
	return ses_buf_append(out, bytes_of(data, len)) < 0 ? -1 : 0;
}

int doctor_report_json(const struct doctor_chart *chart,
		       const struct doctor_verdict *verdict, double duration_ms,
		       struct ses_buf *out)
{
	struct writer w = {.c = chart->c};
	json_t *o = json_object();
	int r;

	json_object_set_new(o, "schema", json_string("sesame.diagnosis/1"));
	json_object_set_new(o, "target", target(&w));
	json_object_set_new(o, "outcome", json_string(verdict->outcome));
	json_object_set_new(o, "status",
			    verdict->status ? json_integer(verdict->status)
					    : json_null());
	json_object_set_new(o, "verdict", verdict_object(&w, verdict));
	json_object_set_new(o, "alternatives", alternatives(&w, verdict));
	json_object_set_new(o, "responder", responder(&w, verdict));
	json_object_set_new(o, "probes", probes(&w, chart));
	if (doctor_remark(chart, 0))
		json_object_set_new(o, "remarks", remarks(&w, chart));
	if (chart->stopped)
		json_object_set_new(o, "stopped", json_string(chart->stopped));
	json_object_set_new(o, "duration_ms", rounded(duration_ms, 10));
	r = json_dump_callback(o, append_json, out,
			       JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	json_decref(o);
	return r < 0 ? SESAME_ENOMEM : ses_buf_append_str(out, "\n");
}
