/* SPDX-License-Identifier: MIT */
/*
 * What two ways to the server came to, in words: over IPv4 and over IPv6, with
 * TLS and without.
 */
#include <stdio.h>

#include "doctor/facts.h"

/* The probe over the other address family that reached somebody, or NULL. */
const struct doctor_probe *doctor_other_family(const struct doctor_facts *f)
{
	const struct doctor_finding *found =
		doctor_found(f->chart, DOCTOR_F_FAMILY_ANSWERS);

	if (f->key)
		return f->key->trial.change == DOCTOR_FAMILY ? f->key : NULL;
	return found && found->probe > 0 &&
			       (size_t)found->probe <= f->chart->n_probes
		       ? f->chart->probe[found->probe - 1]
		       : NULL;
}

/* Where @p connected, or failed to; "" when it did not come so far. */
static const char *place_of(const struct doctor_probe *p)
{
	for (size_t i = p->dial.n_steps; i > 0; i--)
		if (p->dial.step[i - 1].kind == SES_DIAL_CONNECT)
			return p->dial.step[i - 1].what;
	return "";
}

static void know_the_families(struct doctor_facts *f)
{
	const struct doctor_probe *p = doctor_other_family(f);
	const char *at = f->base ? place_of(f->base) : "";
	const char *there = p ? place_of(p) : "";
	bool unnamed =
		doctor_found(f->chart, DOCTOR_F_NAMES_OTHER_FAMILY) != NULL;
	char text[300], result[256];

	at = *at ? at : f->host_port;
	if (unnamed)
		snprintf(f->nobody, sizeof(f->nobody),
			 "-%d asks for IPv%d, and %s has no such address: %s",
			 f->chart->c->family, f->chart->c->family, f->host,
			 f->result);
	else
		snprintf(f->nobody, sizeof(f->nobody),
			 doctor_found(f->chart, DOCTOR_F_TCP_REFUSED)
				 ? "Nothing listens at %s"
				 : "%s does not answer",
			 at);
	doctor_know_value(f, "nobody", f->nobody);
	if (!p && unnamed) {
		snprintf(f->elsewhere, sizeof(f->elsewhere), "leave out -%d",
			 f->chart->c->family);
		doctor_know_value(f, "elsewhere", f->elsewhere);
		return;
	}
	if (!p) {
		doctor_know_value(
			f,
			"elsewhere", "the server may listen on the other address family alone");
		return;
	}
	if (*there)
		snprintf(text, sizeof(text), "at %s", there);
	else
		doctor_trial_text(f->chart->c, &p->trial, text, sizeof(text));
	doctor_result_text(p, result, sizeof(result));
	if (p->outcome != DOCTOR_OPEN)
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "something %s answers %s, and may be the server", text,
			 result);
	else if (f->pastable)
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "%s the same request opens: %s", text, f->expected);
	else
		snprintf(f->elsewhere, sizeof(f->elsewhere),
			 "%s the same request opens", text);
	doctor_know_value(f, "elsewhere", f->elsewhere);
}

/* Statuses that do not come from somebody who looked at a WebSocket. */
static bool is_no_websocket(int status)
{
	return status / 100 == 2 || status / 100 == 3 || status == 404 ||
	       status == 405 || status == 421;
}

static void know_the_misfit(struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;
	const struct doctor_probe *p =
		doctor_tried(f->chart, DOCTOR_SCHEME, NULL);
	char result[256];

	snprintf(f->misfit, sizeof(f->misfit), "The scheme does not fit: %s",
		 f->fault);
	if (p && p->outcome == DOCTOR_ANSWERED &&
	    doctor_found(f->chart, DOCTOR_F_SCHEME_ANSWERS))
		snprintf(f->misfit, sizeof(f->misfit),
			 "Port %s speaks %s. As %s:// it answers %s, which %s",
			 f->port, c->url.tls ? "plain HTTP, no TLS" : "TLS",
			 c->url.tls ? "ws" : "wss",
			 doctor_result_text(p, result, sizeof(result)),
			 is_no_websocket(p->status) ? "is no WebSocket either"
						    : "has a cause of its own");
	doctor_know_value(f, "misfit", f->misfit);
}

void doctor_know_elsewhere(struct doctor_facts *f)
{
	know_the_families(f);
	know_the_misfit(f);
}
