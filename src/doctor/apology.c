/* SPDX-License-Identifier: MIT */
/*
 * Successes that refuse: a sign-in in place of the answer, a waiting room, an
 * apology, an error of JSON with the status 200. What is hard is to tell them
 * from the page of a site, which may hold any word: only those are heard that
 * have hardly more to say.
 */
#include <stdio.h>
#include <string.h>

#include "doctor/finding_inner.h"
#include "doctor/said.h"
#include "doctor/told.h"
#include "doctor/tongue.h"
#include "doctor/visible.h"

/* Nobody says more than this by a refusal. */
#define MOST_READ 16384
#define MOST_SAID 400
/* A heading, and a line at the most. */
#define MOST_DENIED 160
/* Where browsers are sent stands no further from how they are. */
#define PLACE 200
/* An error of JSON begins with what it is; most are about a plain request, as
 * it comes where the Upgrade was lost. */
#define MOST_JSON 600

struct apology {
	const struct doctor_probe *p;
	struct bytes body, said;
	struct doctor_gloss gloss; /* of what is said */
	char text[MOST_READ];
};

static bool has_any(struct bytes text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_contains_nocase(text, bytes_of_str(words[i])))
			return true;
	return false;
}

#define HAS_ANY(text, words) \
	has_any(text, words, sizeof(words) / sizeof((words)[0]))
/* In whatever language. */
#define SAYS_ANY(a, words)         \
	(HAS_ANY((a)->said, words) || \
	 HAS_ANY(bytes_of((a)->gloss.text, (a)->gloss.len), words))

/* ---- errors of JSON ---- */

static bool is_json(const struct apology *a)
{
	return a->body.len > 0 &&
	       (a->body.data[0] == '{' || a->body.data[0] == '[');
}

/* "errcode":61004, "errno": -3 and their like, if they are not 0. */
static bool has_error_number(struct bytes json)
{
	static const char *const names[] = {
		"\"errcode\":", "\"err_code\":", "\"errorcode\":",
		"\"error_code\":", "\"errno\":"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes value =
			doctor_text_start(doctor_after(json, names[i]));

		if (value.len > 0 && !strchr("0nf", value.data[0]))
			return true;
	}
	return false;
}

static bool is_error(const struct apology *a)
{
	char text[MOST_JSON];

	snprintf(text, sizeof(text), "%.*s", (int)a->body.len,
		 (const char *)a->body.data);
	return doctor_is_error_message(text) || has_error_number(a->body);
}

/* What a status means that stands in the text alone. */
static bool find_spelled(struct doctor_chart *chart, const struct apology *a)
{
	static const struct {
		int from, to;
		enum doctor_finding_kind kind;
	} rows[] = {
		{401, 401, DOCTOR_F_TOLD_UNAUTHORIZED},
		{403, 403, DOCTOR_F_TOLD_FORBIDDEN},
		{429, 429, DOCTOR_F_SAYS_RATE},
		{500, 599, DOCTOR_F_TOLD_5XX},
	};
	int status = doctor_spelled_status(a->body);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (status < rows[i].from || status > rows[i].to)
			continue;
		if (!doctor_found(chart, rows[i].kind))
			doctor_note(chart, rows[i].kind, a->p, NULL,
				    "the success is a %d, in words", status);
		return true;
	}
	return false;
}

/* ---- pages ---- */

/* Words of somebody who is not let in, where the address is spoken of. */
static bool denies(const struct apology *a)
{
	static const char *const words[] = {
		"not allowed", "not permitted", "denied",    "forbidden",
		"blocked",     "banned",	"whitelist", "allowlist",
		"restricted",  "not in",	"rejected",  "unauthori"};

	return SAYS_ANY(a, words);
}

static bool refuses_in_words(const struct doctor_chart *chart,
			     const struct apology *a)
{
	static const enum doctor_finding_kind kinds[] = {
		DOCTOR_F_SAYS_RATE,	   DOCTOR_F_SAYS_FULL,
		DOCTOR_F_SAYS_WAF,	   DOCTOR_F_SAYS_CHALLENGE,
		DOCTOR_F_SAYS_MAINTENANCE, DOCTOR_F_SAYS_REGION,
		DOCTOR_F_SAYS_QUEUE,	   DOCTOR_F_SAYS_BAD_TOKEN,
		DOCTOR_F_SAYS_UNCONNECTED, DOCTOR_F_SAYS_MANY,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (doctor_found(chart, kinds[i]))
			return true;
	return doctor_found(chart, DOCTOR_F_SAYS_ADDRESS) && denies(a);
}

/* An error about who asks; of a page such words are part of the offer. */
static bool refuses_somebody(const struct doctor_chart *chart)
{
	return doctor_found(chart, DOCTOR_F_SAYS_CREDENTIALS) ||
	       doctor_found(chart, DOCTOR_F_SAYS_PERMISSION) ||
	       doctor_found(chart, DOCTOR_F_SAYS_AGENT);
}

/* A field for a password is a sign-in, whatever the language. */
static bool find_sign_in(struct doctor_chart *chart, const struct apology *a)
{
	static const char *const fields[] = {
		"type=password", "type=\"password\"", "type='password'"};

	if (!HAS_ANY(a->body, fields))
		return false;
	doctor_note(chart, DOCTOR_F_SIGN_IN_FORM, a->p, NULL,
		    "the page has a field for a password");
	return true;
}

/* A page without a word of its own that sends browsers to a sign-in. */
static bool find_lead(struct doctor_chart *chart, const struct apology *a)
{
	static const char *const means[] = {
		"http-equiv=\"refresh\"", "http-equiv='refresh'",
		"http-equiv=refresh",	  "location.href",
		"location.replace(",	  "location.assign(",
		"window.location"};

	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		struct bytes to =
			bytes_first(doctor_after(a->body, means[i]), PLACE);

		if (!doctor_names_sign_in(to))
			continue;
		doctor_note(chart, DOCTOR_F_PAGE_LEADS_TO_SIGN_IN, a->p, NULL,
			    "the page sends browsers on to a sign-in");
		return true;
	}
	return false;
}

/* A page that says hardly more than that nobody is let in. */
static bool find_denial(struct doctor_chart *chart, const struct apology *a)
{
	static const char *const who[] = {"unauthorized", "unauthorised",
					  "not authorized", "not authorised"};
	static const char *const what[] = {
		"access denied",      "access is denied",   "forbidden",
		"permission denied",  "have permission",    "no permission",
		"account is disabled", "account is suspended", "not allowed"};
	bool unknown = SAYS_ANY(a, who);

	if (a->said.len > MOST_DENIED || (!unknown && !SAYS_ANY(a, what)))
		return false;
	doctor_note(chart,
		    unknown ? DOCTOR_F_TOLD_UNAUTHORIZED
			    : DOCTOR_F_TOLD_FORBIDDEN,
		    a->p, NULL, "the success says nothing else than that");
	return true;
}

static bool find_absence(struct doctor_chart *chart, const struct apology *a)
{
	static const char *const words[] = {"temporarily unavailable",
					    "temporarily not available",
					    "service unavailable",
					    "service is unavailable",
					    "currently unavailable",
					    "is unavailable",
					    "not available right now",
					    "temporarily down",
					    "temporarily offline",
					    "currently offline",
					    "currently down",
					    "be right back",
					    "be back soon",
					    "be back shortly",
					    "technical difficulties",
					    "technical problems",
					    "something went wrong",
					    "bad gateway",
					    "gateway timeout",
					    "gateway time-out"};

	if (!SAYS_ANY(a, words))
		return false;
	doctor_note(
		chart, DOCTOR_F_SAYS_ABSENT, a->p, NULL,
		"the page says that the service is not there at the moment");
	return true;
}

static bool is_refusal(struct doctor_chart *chart, const struct apology *a)
{
	bool refused;

	if (is_json(a))
		return find_spelled(chart, a) ||
		       (is_error(a) &&
			(refuses_in_words(chart, a) || refuses_somebody(chart) ||
			 find_denial(chart, a) || find_absence(chart, a)));
	if (a->said.len > MOST_SAID)
		return false;
	refused = find_sign_in(chart, a) || find_lead(chart, a);
	if (!refused && !doctor_found(chart, DOCTOR_F_SAYS_MAINTENANCE))
		refused = find_absence(chart, a);
	return refused || refuses_in_words(chart, a) || find_denial(chart, a);
}

void doctor_find_apology(struct doctor_chart *chart,
			 const struct doctor_probe *p)
{
	struct apology a = {.p = p};

	if (p->outcome != DOCTOR_ANSWERED || p->status / 100 != 2)
		return;
	a.body = doctor_text_start(
		bytes_first(bytes_of(p->body, p->body_len), MOST_READ));
	if (a.body.len == 0)
		return;
	a.said = a.body.data[0] == '<'
			 ? doctor_visible_text(a.body, a.text, sizeof(a.text))
			 : a.body;
	doctor_gloss(a.said, &a.gloss);
	if (is_refusal(chart, &a))
		doctor_note(chart, DOCTOR_F_REFUSED_BY_PAGE, p, NULL,
			    "the success is a refusal by its words");
}
