/* SPDX-License-Identifier: MIT */
/*
 * Is it something else that the user sends? The query, the subprotocols, the
 * credentials, the User-Agent and the other fields are left out, cut short or
 * changed, one at a time. What is hard is that one field may be in the way for
 * its size, its content, or for what it is.
 */
#include "doctor/pair.h"

#include "base/percent.h"

#include "doctor/finding_inner.h"
#include "doctor/key.h"
#include "doctor/redact.h"

#define LONG_QUERY 3000 /* limits of the request line begin at 4 KiB */

/* ---- the query ---- */

/*
 * What rules of firewalls look for, whatever it was meant for. The first are
 * signs anywhere, the others in a query alone.
 */
bool doctor_is_attack(struct bytes text, bool query)
{
	static const char *const signs[] = {
		"../",	    "..\\", "<script",	   "$(", "${", "/etc/", "' or ",
		" union ",  "() {", "javascript:", "<",	 "'",  "\"",	"`",
		";",	    "://",  " or ",	   "--", "|",  "\r",	"union",
		" select ", "\n",   "select *",	   "1=1"};
	size_t most = query ? sizeof(signs) / sizeof(signs[0]) : 10;
	char plain[1024];
	size_t n = 0;

	while (text.len > 0 && n < sizeof(plain)) {
		uint8_t b = ses_percent_next(&text);

		plain[n++] = (char)(b == '+' || b == 0 ? ' ' : b);
	}
	for (size_t i = 0; i < most; i++)
		if (bytes_contains_nocase(bytes_of(plain, n),
					  bytes_of_str(signs[i])))
			return true;
	return false;
}

/* The refusal is one of size, and the head is not small. */
static bool is_about_size(const struct doctor_chart *chart)
{
	return !doctor_found(chart, DOCTOR_F_HEAD_SMALL) &&
	       (doctor_found(chart, DOCTOR_F_STATUS_431) ||
		doctor_found(chart, DOCTOR_F_SAYS_HEAD_LARGE));
}

/* A query that makes the request line long, where a limit was met. */
static bool is_too_long(const struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);

	return is_about_size(chart) ||
	       (chart->c->url.query.len > LONG_QUERY &&
		(base->status == 400 || base->outcome == DOCTOR_NO_ANSWER));
}

void doctor_find_query(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally q = doctor_tally(chart, DOCTOR_NO_QUERY);
	struct doctor_tally with = doctor_tally(chart, DOCTOR_PARAMETER);
	struct doctor_tally without = doctor_tally(chart, DOCTOR_NO_PARAMETER);
	/* firewalls refuse in HTTP, or cut; they seldom say 101 first */
	bool attack = (doctor_rank(base) <= 2 ||
		       doctor_found(chart, DOCTOR_F_SAYS_WAF)) &&
		      base->status != 404 &&
		      base->status / 100 != 5 &&
		      doctor_is_attack(chart->c->url.query, true);

	if (q.opened && is_too_long(chart))
		doctor_tell(chart, DOCTOR_F_HEADER_LARGE_REMOVED_OPENS,
			    q.opened);
	else if (without.opened && doctor_continues_session(chart->c) &&
		 strcmp(without.opened->trial.value, "sid") == 0)
		doctor_tell(chart, DOCTOR_F_SESSION_ABSENT_OPENS,
			    without.opened);
	else if (q.opened || without.opened)
		doctor_tell(chart,
			    attack     ? DOCTOR_F_QUERY_ATTACK_OPENS
			    : q.opened ? DOCTOR_F_QUERY_REMOVED_OPENS
				       : DOCTOR_F_PARAMETER_OPENS,
			    q.opened ? q.opened : without.opened);
	else if (with.opened)
		doctor_tell(chart, DOCTOR_F_PARAMETER_OPENS, with.opened);
	else if (q.changed)
		doctor_tell(chart,
			    attack ? DOCTOR_F_QUERY_ATTACK_CHANGES
				   : DOCTOR_F_QUERY_CHANGES_ANSWER,
			    q.changed);
	else if (q.same && !doctor_found(chart, DOCTOR_F_SAYS_QUERY) &&
		 !doctor_found(chart, DOCTOR_F_SAYS_PARAMETERS))
		/* who names a parameter says so to one that is missing, too */
		doctor_tell_same(chart, DOCTOR_F_QUERY_NO_EFFECT, q.same,
				 "without the query the answer is the same");
}

/* ---- the subprotocol ---- */

/* Without what was offered, @p is told of the subprotocol; with it, not. */
static bool is_missed(const struct doctor_chart *chart,
		      const struct doctor_probe *p)
{
	return p && chart->c->subprotocols &&
	       doctor_says(p, DOCTOR_F_SAYS_SUBPROTOCOL) &&
	       !doctor_says(doctor_baseline(chart), DOCTOR_F_SAYS_SUBPROTOCOL);
}

static void find_subprotocol(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally with = doctor_tally(chart, DOCTOR_SUBPROTOCOL);
	struct doctor_tally without = doctor_tally(chart, DOCTOR_NO_SUBPROTOCOL);
	/* it names one whatever is offered: nothing was looked for */
	bool any = doctor_found(chart, DOCTOR_F_BAD_101_UNASKED) ||
		   bytes_find_byte(ses_head_get(&base->parsed,
						"Sec-WebSocket-Protocol"),
				   ',') >= 0;
	const struct doctor_probe *worse = !chart->c->subprotocols ? NULL
					   : with.worse		   ? with.worse
							: without.worse;

	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->probe[i]->trial.change == DOCTOR_SUBPROTOCOL &&
		    doctor_chooses(base, chart->probe[i]))
			doctor_tell(chart, DOCTOR_F_SUBPROTOCOL_OPENS,
				    chart->probe[i]);
	if (with.opened || without.opened) {
		doctor_tell(chart,
			    any		  ? DOCTOR_F_SUBPROTOCOL_MET
			    : with.opened ? DOCTOR_F_SUBPROTOCOL_OPENS
					  : DOCTOR_F_SUBPROTOCOL_REMOVED_OPENS,
			    with.opened ? with.opened : without.opened);
		return;
	}
	if (base->outcome == DOCTOR_OPEN)
		return;
	if (base->outcome == DOCTOR_CLOSED_AFTER && base->subprotocol.len == 0 &&
	    (base->close_code == 1002 || base->close_code == 1003))
		doctor_note(
			chart, DOCTOR_F_SUBPROTOCOL_UNSPOKEN, base, NULL,
			"accepted without a subprotocol, and closed at once "
			"with %u, a fault of the protocol",
			base->close_code);
	if (is_missed(chart, without.changed) || is_missed(chart, with.changed))
		doctor_tell(chart, DOCTOR_F_SUBPROTOCOL_CLAIMED,
			    is_missed(chart, without.changed) ? without.changed
							      : with.changed);
	else if (with.changed || without.changed)
		doctor_tell(chart, DOCTOR_F_SUBPROTOCOL_CHANGES_ANSWER,
			    with.changed ? with.changed : without.changed);
	else if (worse && doctor_is_left_alone(base, worse))
		doctor_tell(chart, DOCTOR_F_SUBPROTOCOL_CLAIMED, worse);
	else if (without.same || (with.same && !chart->c->subprotocols))
		doctor_tell_same(
			chart, DOCTOR_F_SUBPROTOCOL_NO_EFFECT,
			with.same ? with.same : without.same,
			"with other subprotocols the answer is the same");
}

/* ---- the other fields ---- */

/* One field with next to nothing in it, which tells size from content. */
static void find_short(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_SHORT_HEADER);

	if (t.opened)
		doctor_tell(chart, DOCTOR_F_HEADER_SHORT_OPENS, t.opened);
	else if (t.answered ||
		 (t.changed && (base->status == 400 || base->status == 413 ||
				base->status == 414 || base->status == 431 ||
				base->status == 494)))
		doctor_tell(chart, DOCTOR_F_HEADER_SHORT_ANSWERS,
			    t.answered ? t.answered : t.changed);
	else if (t.same)
		doctor_tell_same(
			chart, DOCTOR_F_HEADER_SHORT_SAME, t.same,
			"with the largest field cut short the answer is the "
			"same");
}

/* One of the credentials holds what rules of firewalls look for. */
static bool has_odd_credentials(const struct doctor_case *c)
{
	for (size_t i = 0; i < c->n_headers; i++)
		if ((strcasecmp(c->header[i].name, "Cookie") == 0 ||
		     doctor_is_secret_name(bytes_of_str(c->header[i].name))) &&
		    doctor_is_attack(bytes_of_str(c->header[i].value), false))
			return true;
	return false;
}

static struct bytes cookie_name(const struct ses_field *f)
{
	ptrdiff_t equals = bytes_find_byte(f->value, '=');

	if (equals < 0 || !bytes_equal_nocase(f->name, BYTES("Set-Cookie")))
		return bytes_of(NULL, 0);
	return bytes_first(f->value, (size_t)equals);
}

static bool sets_cookie(const struct doctor_probe *p, struct bytes name)
{
	for (size_t i = 0; i < p->parsed.n_fields; i++)
		if (bytes_equal(cookie_name(&p->parsed.fields[i]), name))
			return true;
	return false;
}

/* A session begins with the credentials, and none without them. */
static bool are_known(const struct doctor_probe *base,
		      const struct doctor_probe *without)
{
	if (base->outcome != DOCTOR_ANSWERED || base->status == 401 ||
	    without->outcome != DOCTOR_ANSWERED)
		return false;
	for (size_t i = 0; i < base->parsed.n_fields; i++) {
		struct bytes name = cookie_name(&base->parsed.fields[i]);

		if (name.len > 0 && !sets_cookie(without, name))
			return true;
	}
	return false;
}

/*
 * Without the credentials they are asked for, with them it is another refusal;
 * the status tells it, or, where a library has one for all, the words.
 */
static bool are_judged(const struct doctor_probe *base,
		       const struct doctor_probe *without)
{
	if (without->status == 401)
		return base->status != 401;
	return doctor_says(base, DOCTOR_F_SAYS_PERMISSION) &&
	       !doctor_says(without, DOCTOR_F_SAYS_PERMISSION) &&
	       (doctor_says(without, DOCTOR_F_SAYS_CREDENTIALS) ||
		doctor_says(without, DOCTOR_F_SAYS_BAD_TOKEN));
}

/* Whoever the credentials belong to has had its share. */
static bool is_of_share(const struct doctor_probe *base)
{
	return base->status == 409 || base->status == 423 ||
	       doctor_says(base, DOCTOR_F_SAYS_TAKEN) ||
	       doctor_says(base, DOCTOR_F_SAYS_FULL) ||
	       doctor_says(base, DOCTOR_F_SAYS_MANY) ||
	       doctor_says(base, DOCTOR_F_SAYS_RATE);
}

static void find_credentials(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct doctor_tally t = doctor_tally(chart, DOCTOR_NO_CREDENTIALS);

	if (t.opened && doctor_found(chart, DOCTOR_F_HEADER_SHORT_OPENS))
		return; /* what was in the way was their length */
	if (t.opened && is_about_size(chart) &&
	    !doctor_found(chart, DOCTOR_F_HEADER_SHORT_SAME))
		doctor_tell(chart, DOCTOR_F_HEADER_LARGE_REMOVED_OPENS,
			    t.opened);
	else if (t.opened && base->status != 401 && has_odd_credentials(chart->c))
		doctor_tell(chart, DOCTOR_F_HEADER_ATTACK_OPENS, t.opened);
	else if (t.opened && base->status == 404 && chart->c->n_headers == 0 &&
		 chart->c->url.query.len > 0)
		/* who finds the target without it compares all of the target */
		doctor_tell(chart, DOCTOR_F_QUERY_REMOVED_OPENS, t.opened);
	else if (t.opened && is_of_share(base))
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_HELD, t.opened);
	else if (t.opened)
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_REMOVED_OPENS, t.opened);
	else if (t.changed && t.changed->status == 401 && base->status == 400)
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_UNREAD, t.changed);
	else if (t.changed && t.changed->status == 401 && is_of_share(base))
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_HELD, t.changed);
	else if (t.changed && are_judged(base, t.changed))
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_JUDGED, t.changed);
	else if (t.changed && are_known(base, t.changed))
		doctor_tell_same(chart, DOCTOR_F_CREDENTIALS_KNOWN, t.changed,
				 "with the credentials a session begins, "
				 "without them none does");
	else if (t.changed)
		doctor_tell(chart, DOCTOR_F_CREDENTIALS_CHANGE_ANSWER,
			    t.changed);
	else if (t.same && doctor_found(chart, DOCTOR_F_NGINX_500))
		doctor_tell_same(chart, DOCTOR_F_NGINX_500_ANYWAY, t.same,
				 "without the credentials nginx's own question "
				 "fails as well");
	else if (t.same)
		doctor_tell_same(
			chart, DOCTOR_F_CREDENTIALS_NO_EFFECT, t.same,
			"without the credentials the answer is the same");
}

static void find_agent(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_USER_AGENT);

	if (t.opened)
		doctor_tell(chart, DOCTOR_F_AGENT_OPENS, t.opened);
	else if (t.changed)
		doctor_tell(chart, DOCTOR_F_AGENT_CHANGES_ANSWER, t.changed);
	else if (t.same)
		doctor_tell_same(
			chart, DOCTOR_F_AGENT_NO_EFFECT, t.same,
			"with a browser's User-Agent the answer is the same");
}

static bool removes_attack(const struct doctor_case *c,
			   const struct doctor_probe *p)
{
	const struct doctor_header *h = doctor_case_header(c, p->trial.value);

	return h && doctor_is_attack(bytes_of_str(h->value), false);
}

static bool opens_without_extensions(const struct doctor_chart *chart)
{
	return doctor_tally(chart, DOCTOR_NO_EXTENSIONS).opened != NULL;
}

static void find_removed_header(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_NO_HEADER);

	if (t.opened && removes_attack(chart->c, t.opened))
		doctor_tell(chart, DOCTOR_F_HEADER_ATTACK_OPENS, t.opened);
	else if (t.opened)
		doctor_tell(
			chart,
			doctor_found(chart, DOCTOR_F_HEAD_LARGE) ||
					doctor_found(chart,
						     DOCTOR_F_HEADER_SHORT_OPENS)
				? DOCTOR_F_HEADER_LARGE_REMOVED_OPENS
				: DOCTOR_F_HEADER_REMOVED_OPENS,
			t.opened);
}

static void find_standard(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_STANDARD);

	if (t.opened)
		doctor_tell(chart,
			    doctor_found(chart, DOCTOR_F_HANDSHAKE_BY_HAND)
				    ? DOCTOR_F_STANDARD_OPENS
				    : DOCTOR_F_HEADER_REMOVED_OPENS,
			    t.opened);
	else if (t.same && !opens_without_extensions(chart))
		doctor_tell_same(
			chart, DOCTOR_F_STANDARD_NO_EFFECT, t.same,
			"with the standard fields of the handshake the answer "
			"is the same");
}

static void find_minimal(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_MINIMAL);

	if (t.opened)
		doctor_tell(chart,
			    doctor_found(chart, DOCTOR_F_HEAD_MANY)
				    ? DOCTOR_F_MINIMAL_OF_MANY_OPENS
				    : DOCTOR_F_MINIMAL_OPENS,
			    t.opened);
	else if (t.same && !opens_without_extensions(chart))
		doctor_tell_same(
			chart, DOCTOR_F_MINIMAL_NO_EFFECT, t.same,
			"with nothing but the handshake itself the answer is "
			"the same");
	if (t.opened && doctor_fills_packet(doctor_baseline(chart)))
		doctor_note(chart, DOCTOR_F_LARGE_UNHEARD, t.opened,
			    doctor_baseline(chart),
			    "a head of %zu bytes gets no answer, and a short "
			    "one opens: large packets vanish on the way",
			    strlen(doctor_baseline(chart)->request));
}

static void find_version(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_VERSION);

	if (t.opened)
		doctor_tell(chart,
			    doctor_found(chart, DOCTOR_F_VERSION_BY_HAND)
				    ? DOCTOR_F_VERSION_13_OPENS
				    : DOCTOR_F_VERSION_OPENS,
			    t.opened);
	else if (t.changed && doctor_found(chart, DOCTOR_F_VERSION_BY_HAND))
		doctor_tell(chart, DOCTOR_F_VERSION_13_ANSWERS, t.changed);
}

static void find_extensions(struct doctor_chart *chart)
{
	struct doctor_tally t = doctor_tally(chart, DOCTOR_NO_EXTENSIONS);

	/* after a 101 it is agreed on wrongly; before one it is not suffered */
	if (t.opened)
		doctor_tell(chart,
			    doctor_rank(doctor_baseline(chart)) <= 2
				    ? DOCTOR_F_EXTENSIONS_UNSUFFERED
				    : DOCTOR_F_EXTENSIONS_REMOVED_OPENS,
			    t.opened);
}

void doctor_find_fields(struct doctor_chart *chart)
{
	find_subprotocol(chart);
	find_short(chart);
	find_credentials(chart);
	find_agent(chart);
	find_removed_header(chart);
	find_standard(chart);
	find_minimal(chart);
	find_version(chart);
	find_extensions(chart);
}
