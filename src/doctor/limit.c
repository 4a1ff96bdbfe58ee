/* SPDX-License-Identifier: MIT */
/*
 * Limits: how many there may be, and how often. A count is told in numbers by
 * who is full. A 429 asks for peace, and gets it. Where neither a field nor a
 * word of it speaks of a count, and the User-Agent is one that the user chose,
 * the one question that is left is asked once, after a pause: would a browser
 * be let in? What is hard is that a limit of one a second lets in whoever comes
 * a second later.
 */
#include "doctor/limit.h"

#include "doctor/candidates.h"
#include "doctor/disclosed.h"
#include "doctor/finding_inner.h"

/* A page of its own that is hardly more than its status. */
#define SHORT_PAGE 420
/* Nobody hides a count further down than this. */
#define MOST_READ 4096

static bool has_count(const struct ses_field *f)
{
	static const char *const names[] = {"Retry-After", "X-RateLimit",
					    "RateLimit", "X-Rate-Limit"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes name = bytes_of_str(names[i]);

		if (bytes_equal_nocase(bytes_first(f->name, name.len), name))
			return true;
	}
	return false;
}

static bool speaks_of_count(struct bytes body)
{
	static const char *const words[] = {
		"limit", "quota", "throttl", "later",  "slow",	      "wait",
		"retry", "again", "minute",  "second", "connections", "exceed"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(body, bytes_of_str(words[i])))
			return true;
	return false;
}

bool doctor_counts_nothing(const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);
	uint64_t reference;

	if (p->outcome != DOCTOR_ANSWERED || p->status != 429)
		return false;
	for (size_t i = 0; i < p->parsed.n_fields; i++)
		if (has_count(&p->parsed.fields[i]))
			return false;
	return body.len <= SHORT_PAGE && !speaks_of_count(body) &&
	       !speaks_of_count(p->parsed.reason) &&
	       doctor_says(p, DOCTOR_F_SAYS_RATE) && /* its status does */
	       !doctor_reference(p, &reference) &&
	       !doctor_says(p, DOCTOR_F_SAYS_CHALLENGE) &&
	       !doctor_says(p, DOCTOR_F_SAYS_FULL) &&
	       !doctor_says(p, DOCTOR_F_SAYS_MANY);
}

/* They all begin so, for historical reasons. */
static bool is_browser(const char *agent)
{
	return bytes_starts(bytes_of_str(agent), BYTES("Mozilla/5.0 ("));
}

bool doctor_may_mean_agent(const struct doctor_case *c,
			   const struct doctor_probe *p)
{
	return p->n == 1 && p->trial.change == DOCTOR_NOTHING && !c->works &&
	       c->user_agent_given && !is_browser(c->user_agent) &&
	       doctor_counts_nothing(p);
}

bool doctor_ask_as_browser(const struct doctor_chart *chart,
			   struct doctor_trial *ret_next)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p =
		doctor_tried(chart, DOCTOR_USER_AGENT, NULL);

	*ret_next = p ? base->trial
		      : (struct doctor_trial){.change = DOCTOR_USER_AGENT};
	if (!p)
		return doctor_first_candidate(chart, DOCTOR_USER_AGENT,
					      ret_next->value,
					      sizeof(ret_next->value));
	return p->outcome == DOCTOR_OPEN && doctor_score(chart, ret_next).n < 2;
}

/* What there is a number of, which may be taken. */
static bool is_place(struct bytes text)
{
	static const char *const names[] = {
		"session",    "connection", "client", "user",	"player",
		"seat",	      "slot",	    "member", "peer",	"place",
		"viewer",     "worker",	    "guest",  "stream", "device",
		"subscriber", "listener",   "socket", "licen",	"participant",
		"concurrent", "active"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes name = bytes_of_str(names[i]);

		if (bytes_equal_nocase(bytes_first(text, name.len), name))
			return true;
	}
	return false;
}

static size_t digits(struct bytes text)
{
	size_t n = 0;

	while (n < text.len && text.data[n] >= '0' && text.data[n] <= '9')
		n++;
	return n;
}

/* "2 of 2 sessions" at the beginning of @text; its length, or 0. */
static size_t all_of_all(struct bytes text)
{
	static const char *const between[] = {" of ", " out of ", "/", " / "};
	size_t n = digits(text);

	for (size_t i = 0; n > 0 && i < sizeof(between) / sizeof(between[0]);
	     i++) {
		struct bytes of = bytes_of_str(between[i]);
		struct bytes rest = bytes_from(text, n);
		struct bytes all = bytes_from(rest, of.len);

		if (bytes_starts(rest, of) && digits(all) == n &&
		    bytes_equal(bytes_first(all, n), bytes_first(text, n)) &&
		    bytes_starts(bytes_from(all, n), BYTES(" ")) &&
		    is_place(bytes_from(all, n + 1)))
			return 2 * n + of.len;
	}
	return 0;
}

/* As many are there as there may be, in numbers. */
static void find_all_of_all(struct doctor_chart *chart,
			    const struct doctor_probe *p, struct bytes text)
{
	char quote[80];

	for (size_t i = 0; i < text.len; i += 1 + digits(bytes_from(text, i))) {
		size_t len = all_of_all(bytes_from(text, i));

		if (len == 0)
			continue;
		bytes_printable(bytes_first(bytes_from(text, i), len + 12),
				quote, sizeof(quote));
		doctor_note(chart, DOCTOR_F_SAYS_FULL, p, NULL,
			    "all places are taken: \"%s\"", quote);
		return;
	}
}

static void find_full(struct doctor_chart *chart, const struct doctor_probe *p)
{
	if (p->outcome == DOCTOR_ANSWERED && p->status >= 400) {
		find_all_of_all(chart, p, p->parsed.reason);
		find_all_of_all(
			chart, p,
			bytes_first(bytes_of(p->body, p->body_len), MOST_READ));
	} else if (p->outcome == DOCTOR_CLOSED_AFTER) {
		find_all_of_all(chart, p, bytes_of_str(p->close_reason));
		find_all_of_all(chart, p, bytes_of_str(p->first_message));
	}
}

void doctor_find_limit(struct doctor_chart *chart, const struct doctor_probe *p)
{
	const struct doctor_probe *browser =
		doctor_tried(chart, DOCTOR_USER_AGENT, NULL);

	find_full(chart, p);
	if (!doctor_counts_nothing(p) || is_browser(chart->c->user_agent))
		return;
	doctor_note(chart, DOCTOR_F_COUNTS_NOTHING, p, NULL,
		    "the 429 says nothing of a count, nor when to come back, "
		    "and the User-Agent is no browser's");
	if (doctor_wavers(chart, &p->trial))
		doctor_note(chart, DOCTOR_F_LIMIT_REFILLED, p, NULL,
			    "two seconds later the very same was let in");
	else if (browser && browser->outcome == DOCTOR_OPEN)
		doctor_note(chart, DOCTOR_F_LIMIT_MAY_REFILL, browser, p,
			    "it came a second later, which is time enough for "
			    "some limits");
}
