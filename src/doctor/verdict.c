/* SPDX-License-Identifier: MIT */
/*
 * From numbers back to words. The best cause becomes a sentence with the values
 * of this very case in it; the findings that weighed most become its evidence;
 * the remedies are those of the stack that refused, the safe form first. What
 * is hard is to say who has to act: that is where the refusal was written.
 */
#include "doctor/verdict.h"

#include <stdio.h>

#include <sesame/error.h>

#include "doctor/apart.h"
#include "doctor/calibrate.h"
#include "doctor/config.h"
#include "doctor/facts.h"
#include "doctor/harvest.h"
#include "doctor/key.h"
#include "doctor/redact.h"
#include "doctor/result.h"

/* A finding that added less to the log odds is not worth a line. */
#define LEAST_EVIDENCE 0.3
/* A cause less likely than this is no alternative. */
#define LEAST_ALTERNATIVE 0.02
/* So likely the next fault is named, by its first answer alone. */
#define NEXT_LIKELY 0.5

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- who answered ---- */

static bool proxy_refused(const struct doctor_chart *chart)
{
	for (size_t i = 0; i < chart->n_findings; i++)
		if (doctor_is_proxy_symptom(chart->finding[i].kind))
			return true;
	return false;
}

bool doctor_same_way(const struct doctor_trial *t)
{
	static const enum doctor_change others[] = {
		DOCTOR_PAGE,   DOCTOR_BACKEND, DOCTOR_PORT,
		DOCTOR_SCHEME, DOCTOR_DIRECT,  DOCTOR_HOST,
		DOCTOR_H2,     DOCTOR_FAMILY,  DOCTOR_NAME};

	for (size_t i = 0; i < LEN(others); i++)
		if (others[i] == t->change)
			return false;
	return true;
}

static void name_hops(struct doctor_facts *f, const struct why_hops *h)
{
	const struct why_hops all = doctor_all_hops(f->chart, h);
	struct doctor_verdict *v = f->v;

	for (size_t i = 0; i < all.n && v->n_hops < LEN(v->hop); i++)
		snprintf(v->hop[v->n_hops++], sizeof(v->hop[0]), "%s (%s)",
			 all.hop[i].text, all.hop[i].mark);
	if (h->writer < 0 || (size_t)h->writer >= h->n)
		return;
	snprintf(v->refused_by, sizeof(v->refused_by), "%s",
		 h->hop[h->writer].text);
	v->layer = why_stack(h->hop[h->writer].stack)->layer;
}

static bool is_of_proxy(const struct why_hops *h)
{
	return h->writer >= 0 && (size_t)h->writer < h->n &&
	       why_stack(h->hop[h->writer].stack)->layer ==
		       WHY_LAYER_REVERSE_PROXY;
}

static void find_responder(struct doctor_facts *f, struct why_hops *ret_hops)
{
	bool proxy =
		f->base && proxy_refused(f->chart) && !doctor_missed_proxy(f);

	*ret_hops = (struct why_hops){.writer = -1};
	if (!f->base || f->chart->blind)
		return;
	if (proxy)
		doctor_recognise_proxy(&f->base->dial, ret_hops);
	else if (f->base->status)
		*ret_hops = f->base->hops;
	if (f->base->status == 101 && is_of_proxy(ret_hops))
		ret_hops->writer = -1; /* who speaks in the tunnel is behind */
	name_hops(f, ret_hops);
	if (proxy) {
		if (!f->v->refused_by[0])
			snprintf(f->v->refused_by, sizeof(f->v->refused_by),
				 "the forward proxy");
		f->v->layer = WHY_LAYER_FORWARD_PROXY;
	}
	if (f->base->outcome == DOCTOR_OPEN) { /* nobody refused */
		f->v->refused_by[0] = 0;
		f->v->layer = WHY_LAYER_NONE;
	}
}

/* "proxy" when a proxy wrote the refusal, "server" otherwise. */
static const char *who_refused(const struct doctor_verdict *v)
{
	return v->layer == WHY_LAYER_REVERSE_PROXY ||
			       v->layer == WHY_LAYER_CDN ||
			       v->layer == WHY_LAYER_FORWARD_PROXY
		       ? "proxy"
		       : "server";
}

/* Nobody is seen but one who stands before others: a challenge is its own. */
static bool stands_alone(const struct doctor_facts *f)
{
	const struct why_hops *h = f->base ? &f->base->hops : NULL;

	return h && h->n == 1 && !f->chart->blind &&
	       (why_stack(h->hop[0].stack)->layer == WHY_LAYER_REVERSE_PROXY ||
		why_stack(h->hop[0].stack)->layer == WHY_LAYER_CDN);
}

/* The proxy asks for credentials itself, and what says that they do not do has
 * no field of a server. */
static bool is_judged_by_proxy(const struct doctor_facts *f)
{
	const struct doctor_probe *p =
		doctor_tried(f->chart, DOCTOR_NO_CREDENTIALS, NULL);

	return p && p->hops.writer >= 0 && f->base &&
	       f->base->outcome == DOCTOR_ANSWERED &&
	       why_stack(p->hops.hop[p->hops.writer].stack)->layer ==
		       WHY_LAYER_REVERSE_PROXY &&
	       !ses_head_get(&f->base->parsed, "Date").data &&
	       !ses_head_get(&f->base->parsed, "Server").data;
}

/* A refusal by choice is changed by whoever chose; nobody sees from outside
 * whether the client would rather give in. */
static const char *who_acts(const struct doctor_facts *f)
{
	const struct doctor_verdict *v = f->v;
	bool connected = f->base && f->base->outcome != DOCTOR_NO_CONNECTION;

	if (doctor_missed_proxy(f) || doctor_mistook_proxy(f))
		return "client"; /* which names it */
	if (f->base && doctor_is_proxy_tls(f->base))
		return "proxy";
	if (doctor_sent_no_origin(f) ||
	    (v->cause == WHY_OK && f->chart->c->failed_there[0]))
		return "client";
	switch (v->cause) {
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_SERVER_CDN_WEBSOCKETS_OFF:
	case WHY_SERVER_BACKEND_DOWN:
	case WHY_SERVER_STICKY_SESSION:
	case WHY_NET_PROXY_DENIED:
	case WHY_NET_PROXY_STRIPS_UPGRADE:
		return "proxy";
	case WHY_NET_IDLE_TIMEOUT:
		return doctor_is_closed_idle(f) ? "server" : "proxy";
	case WHY_ACCESS_WAF:
		return stands_alone(f) ? "proxy" : who_refused(v);
	case WHY_NET_TIMEOUT:
	case WHY_NET_RESET:
		if (doctor_found(f->chart, DOCTOR_F_LARGE_UNHEARD))
			return "network";
		return connected ? "server" : "network";
	case WHY_ACCESS_PERMISSION:
		return is_judged_by_proxy(f) ? "proxy" : who_refused(v);
	case WHY_SERVER_VERSION:
		return doctor_found(f->chart, DOCTOR_F_VERSION_BY_HAND)
			       ? "client"
			       : "server";
	case WHY_SERVER_REDIRECT:
	case WHY_SERVER_LIMIT:
		return who_refused(v);
	default:
		return bytes_equal_str(why_category(v->cause), "access")
			       ? who_refused(v)
			       : why_cause(v->cause)->who;
	}
}

/* ---- the parts of the verdict ---- */

static const char *outcome_of(const struct doctor_facts *f)
{
	if (!f->base)
		return "unreachable";
	switch (f->base->outcome) {
	case DOCTOR_OPEN:
		return "open"; /* what is at fault shows elsewhere */
	case DOCTOR_ANSWERED:
	case DOCTOR_CLOSED_AFTER:
		return "refused";
	case DOCTOR_BAD_101:
	case DOCTOR_BAD_FRAME:
	case DOCTOR_CUT_AFTER:
		return "broken";
	default:
		return "unreachable";
	}
}

static const struct {
	const char *proven, *otherwise;
} summaries[] = {
#define SUMMARY(cause, proven, otherwise) [WHY_##cause] = {proven, otherwise},
#include "doctor/summaries.def"
#undef SUMMARY
};

static const char *value_of(const struct doctor_facts *f, const char *name,
			    size_t len)
{
	for (size_t i = 0; i < f->n_values; i++)
		if (strlen(f->value[i].name) == len &&
		    strncmp(f->value[i].name, name, len) == 0)
			return f->value[i].value;
	return "unknown";
}

/* Summaries know more names than remedies do. */
static void fill_summary(const struct doctor_facts *f, const char *text,
			 char *out, size_t size)
{
	size_t len = 0;

	while (*text && len + 1 < size) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		int n;

		if (!end) {
			out[len++] = *text++;
			continue;
		}
		n = snprintf(out + len, size - len, "%s",
			     value_of(f, text + 1, (size_t)(end - text) - 1));
		len = (size_t)n < size - len ? len + (size_t)n : size - 1;
		text = end + 1;
	}
	out[len] = 0;
}

/* Whether the proof is an answer that comes further, and does not open. */
static bool opens_another_door(const struct doctor_facts *f)
{
	return f->key && f->base->outcome != DOCTOR_OPEN &&
	       f->key->outcome != DOCTOR_OPEN &&
	       f->key->outcome != DOCTOR_NO_CONNECTION && f->v->cause != WHY_OK;
}

/*
 * Doors stand one behind the other: what the proof came to when not open, and
 * what is the matter there.
 */
static void tell_of_next(const struct doctor_facts *f, char *s, size_t size)
{
	char result[256], change[200];
	size_t len = strlen(s);
	struct doctor_opinion next;

	if (!opens_another_door(f))
		return;
	doctor_result_text(f->key, result, sizeof(result));
	if (!doctor_next_fault(f->chart, &next)) {
		snprintf(s + len, size - len,
			 " That alone does not open it: the next answer is %s.",
			 result);
		return;
	}
	doctor_trial_text(f->chart->c, &f->key->trial, change, sizeof(change));
	len += (size_t)snprintf(s + len, size - len,
				" A second fault stands behind it: after one "
				"change (%s) the next answer is %s",
				change, result);
	if (len < size)
		snprintf(s + len, size - len,
			 next.p[next.best] < NEXT_LIKELY ? "."
							 : " (probably %s).",
			 why_cause(next.best)->id);
}

/* The door is open at one address of the name, and shut at another. */
static void tell_of_family(const struct doctor_facts *f, char *s, size_t size)
{
	const struct doctor_finding *shut =
		doctor_found(f->chart, DOCTOR_F_FAMILY_REFUSES);
	const struct doctor_probe *p;
	char result[256];
	size_t len = strlen(s);

	if (!shut || f->v->cause != WHY_OK)
		return;
	p = f->chart->probe[shut->probe - 1];
	doctor_result_text(p, result, sizeof(result));
	snprintf(s + len, size - len,
		 " So it is over IPv%c; over IPv%s the same name gets %s, and "
		 "programs differ in which they take.",
		 *p->trial.value == '6' ? '4' : '6', p->trial.value, result);
}

/* Nobody's rule is told of: what is known is that servers disagree. */
static bool is_mostly_split(const struct doctor_facts *f)
{
	return doctor_is_split(f) && f->v->confidence < DOCTOR_RULE_TOLD;
}

/* The cause is that of some of the servers alone. */
static void tell_of_split(const struct doctor_facts *f, char *s, size_t size)
{
	size_t len = strlen(s);

	if (!doctor_is_split(f) || is_mostly_split(f))
		return;
	snprintf(s + len, size - len,
		 " At other times the same request is let in, so not all of "
		 "the servers that share the load do so%s%s%s.",
		 f->nodes[0] ? " (" : "", f->nodes, f->nodes[0] ? ")" : "");
}

/* What failed in the browser opens here: one of the two sides differs. */
static void tell_of_recording(const struct doctor_facts *f, char *s, size_t size)
{
	const struct doctor_case *c = f->chart->c;
	size_t len = strlen(s);

	if (!c->failed_there[0] || f->v->cause != WHY_OK)
		return;
	snprintf(s + len, size - len,
		 " In the recording it failed (%s); from here it opens now. "
		 "What may differ: the browser's network and proxy, the "
		 "certificates that it trusts, and the Origin and cookies that "
		 "it sent%s.",
		 c->failed_there,
		 c->bare_copy ? ", which the recording does not hold" : "");
}

/* ---- what stands in the place of a cause's usual summary ---- */

static bool mistook_known_proxy(const struct doctor_facts *f)
{
	return doctor_mistook_proxy(f) && f->proxy_try[0];
}

static bool has_passed(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_PASSED) != NULL;
}

/* An http:// URL, and there is nothing else wrong. */
static bool took_for_websocket(const struct doctor_facts *f)
{
	return f->v->cause == WHY_URL_SCHEME && f->proven &&
	       f->chart->c->url_fault == SES_URL_HTTP && f->base &&
	       f->base->outcome == DOCTOR_OPEN;
}

static bool has_foreign_scheme(const struct doctor_facts *f)
{
	return f->v->cause == WHY_URL_SCHEME && f->chart->c->url_error;
}

static bool opens_below_by_any_name(const struct doctor_facts *f)
{
	return f->v->cause == WHY_URL_PATH && f->key &&
	       doctor_any_name_opens(f->chart);
}

static bool offers_no_subprotocol(const struct doctor_facts *f)
{
	return f->v->cause == WHY_SERVER_SUBPROTOCOL &&
	       !f->chart->c->subprotocols;
}

static bool knows_wanted_subprotocol(const struct doctor_facts *f)
{
	return offers_no_subprotocol(f) && f->proven && !opens_another_door(f);
}

static bool changed_host(const struct doctor_facts *f)
{
	return f->v->cause == WHY_SERVER_PROXY_HOST && f->arrived.host[0];
}

static bool is_split_by_node(const struct doctor_facts *f)
{
	return is_mostly_split(f) && f->nodes[0];
}

static bool is_held_by_network(const struct doctor_facts *f)
{
	return f->v->cause == WHY_NET_PROXY_AUTH && doctor_holds(f, "portal");
}

static bool gave_proxy_user(const struct doctor_facts *f)
{
	return f->v->cause == WHY_NET_PROXY_AUTH &&
	       doctor_holds(f, "proxy_user");
}

static bool has_suspect(const struct doctor_facts *f)
{
	return f->suspect[0] != 0;
}

/* The first that is so says it better than the cause alone could. */
static const struct {
	bool (*is_so)(const struct doctor_facts *f);
	const char *text;
} special[] = {
	{doctor_missed_proxy,
	 "The forward proxy {certified}, {proxy_from}, cannot be reached: "
	 "{result}. {host} itself was not asked."},
	{mistook_known_proxy,
	 "{certified}, {proxy_from}, {is} no proxy of that kind: {proxy_kind} "
	 "({result}). Try {proxy_try}."},
	{doctor_mistook_proxy,
	 "{certified}, {proxy_from}, {is} no proxy of that kind: {proxy_kind} "
	 "({result})."},
	{doctor_sent_no_origin,
	 "{server} refuses the Origin {origin}, and that is no origin, so no "
	 "list can name it: one is scheme, host and port, such as "
	 "https://app.example, without a slash at the end."},
	{has_passed,
	 "It was refused once: {result}. The same request opened each time "
	 "after that: what was in the way came and went, as when a server "
	 "starts or is overloaded."},
	{doctor_is_closed_idle,
	 "The handshake succeeds, and after {seconds} seconds of silence the "
	 "server closes the connection itself: {result}. A proxy's clock sends "
	 "no close frame."},
	{took_for_websocket,
	 "Taken as {expected} it opens. http:// and https:// are no schemes of "
	 "a WebSocket: newer browsers take them for one, most other clients "
	 "refuse them."},
	{has_foreign_scheme,
	 "The scheme is that of another protocol. A WebSocket has wss://, or "
	 "ws:// where the port speaks no TLS: {expected}."},
	{opens_below_by_any_name,
	 "There is no WebSocket at {path}; below it any name opens one "
	 "({expected}), even a made-up one: which name is meant (a channel, a "
	 "room) is the application's to say."},
	{knows_wanted_subprotocol,
	 "{server} wants a subprotocol, and none was offered; with {expected} "
	 "the same request opens."},
	{offers_no_subprotocol,
	 "{server} wants a subprotocol, and none was offered: {result}."},
	{changed_host,
	 "A reverse proxy changes Host on the way: {arrived} reaches the "
	 "application, where the request had {sent_host}, and is refused: "
	 "{result}."},
	{is_split_by_node,
	 "Servers that share the load do not agree about the very same request "
	 "({nodes}); where it is refused it gets {result}."},
	{is_mostly_split,
	 "The very same request is let in at one time and refused at another, "
	 "as where servers that share the load do not agree: {result}."},
	{is_held_by_network,
	 "The network that this machine is in wants a sign-in before it lets "
	 "anything through: {result}. {host} itself was not asked."},
	{gave_proxy_user,
	 "The forward proxy refuses the user name and password that it is "
	 "given: {result}."},
	{has_suspect,
	 "{server} takes {suspect} for an attack, as a web application "
	 "firewall does: {by} the same request opens, and with it the answer "
	 "is {result}."},
	{doctor_differs_in_port,
	 "{server} does not accept the port in the Host {host_port}; with "
	 "{expected} the same request opens."},
	{doctor_lost_key,
	 "A reverse proxy does not pass Sec-WebSocket-Key on as it was sent, "
	 "so the proof in the answer is not for the client's key: {result}."},
};

/* What is to be said of a cause where this was found, too. */
static const char *said_with(const struct doctor_facts *f)
{
	static const char alone[] =
		"{server} refuses {path} alone: a made-up name beside it "
		"opens. This one has its fill, or is not for everybody: "
		"{result}.";
	static const struct {
		enum why_cause cause;
		enum doctor_finding_kind found;
		const char *text;
	} rows[] = {
		{WHY_NET_TIMEOUT, DOCTOR_F_LARGE_UNHEARD,
		 "A short request to {host} opens, and one that fills a packet "
		 "is not heard: large packets vanish on the way."},
		{WHY_URL_SCHEME, DOCTOR_F_SCHEME_ELSEWHERE,
		 "{server} wants TLS, and this port speaks none: wss://, at "
		 "the port that it has for that: {result}."},
		{WHY_NET_PROXY_DENIED, DOCTOR_F_SAYS_FILTERED,
		 "The forward proxy, or a filter behind it, answers in the "
		 "place of {host}: {result}."},
		{WHY_SERVER_LIMIT, DOCTOR_F_NAME_BESIDE_OPENS, alone},
		{WHY_ACCESS_PERMISSION, DOCTOR_F_NAME_BESIDE_OPENS, alone},
		{WHY_ACCESS_ORIGIN, DOCTOR_F_PAGE_NULL_REFUSED,
		 "The page's own policy puts it into a sandbox, so a browser "
		 "sends Origin: null for it, and {server} refuses that; with "
		 "{origin} the same request opens."},
		{WHY_BROWSER_CSP, DOCTOR_F_PAGE_SCRIPTLESS,
		 "The page's own policy puts it into a sandbox in which no "
		 "script runs, so it opens no WebSocket, whatever the server "
		 "would say."},
		{WHY_SERVER_STICKY_SESSION, DOCTOR_F_SPLIT_SESSION,
		 "Servers share the load, and not all of them know the "
		 "session that the request has: {result}."},
		{WHY_SERVER_BAD_ACCEPT, DOCTOR_F_ANSWER_NOT_TAKEN,
		 "{server} takes plain answers from what is behind it, and "
		 "not the one to a handshake: it is no valid 101, or none at "
		 "all: {result}."},
		{WHY_SERVER_BACKEND_DOWN, DOCTOR_F_NGINX_500_ANYWAY,
		 "{server} asks somebody else about each request, as by "
		 "auth_request, and that fails with the credentials and "
		 "without: {result}."},
		{WHY_SERVER_LIMIT, DOCTOR_F_SAYS_QUEUE,
		 "{server} lets clients wait on a page, and in when others "
		 "have left; a WebSocket cannot wait there: {result}."},
		{WHY_SERVER_BACKEND_DOWN, DOCTOR_F_GET_REACHES,
		 "{server} is there, and what is behind it answers plain "
		 "requests; a handshake gets no answer from there: {result}."},
	};

	for (size_t i = 0; i < LEN(rows); i++)
		if (f->v->cause == rows[i].cause &&
		    doctor_found(f->chart, rows[i].found))
			return rows[i].text;
	return NULL;
}

static const char *summary_text(const struct doctor_facts *f)
{
	const char *proven = summaries[f->v->cause].proven;

	for (size_t i = 0; i < LEN(special); i++)
		if (special[i].is_so(f))
			return special[i].text;
	if (said_with(f))
		return said_with(f);
	/* "proven" says that it opens */
	return f->proven && proven && f->v->cause != WHY_OK &&
			       !opens_another_door(f)
		       ? proven
		       : summaries[f->v->cause].otherwise;
}

static void begin_sentence(char *s)
{
	if (*s >= 'a' && *s <= 'z')
		*s = (char)(*s - 'a' + 'A');
}

static void summarise(struct doctor_facts *f)
{
	const char *text = summary_text(f);
	size_t size = sizeof(f->v->summary);
	char *s = f->v->summary;

	fill_summary(f, text, s, size);
	if (strncmp(text, "{server}", strlen("{server}")) == 0 &&
	    !f->v->refused_by[0]) /* "the server" */
		begin_sentence(s);
	tell_of_split(f, s, size);
	tell_of_next(f, s, size);
	tell_of_family(f, s, size);
	tell_of_recording(f, s, size);
}

static void add_evidence(struct doctor_facts *f,
			 const struct doctor_finding *finding, double weight)
{
	struct doctor_verdict *v = f->v;
	char *line = v->evidence[v->n_evidence];

	for (size_t i = 0; i < v->n_evidence; i++)
		if (strstr(v->evidence[i], finding->text))
			return; /* the same words, heard in two ways */
	if (finding->probe)
		snprintf(line, sizeof(v->evidence[0]), "probe %d: %s",
			 finding->probe, finding->text);
	else
		snprintf(line, sizeof(v->evidence[0]), "%s%s",
			 f->base ? "" : "URL: ", finding->text);
	v->evidence_weight[v->n_evidence++] = weight;
}

/* Findings that only say that nothing is special are no evidence to show. */
static bool is_ordinary(enum doctor_finding_kind kind, enum why_cause cause)
{
	static const enum doctor_finding_kind ordinary[] = {
		DOCTOR_F_PLAIN,
		DOCTOR_F_PROXY_NOT_USED,
		DOCTOR_F_HANDSHAKE_STANDARD,
		DOCTOR_F_HEAD_SMALL,
		DOCTOR_F_CREDENTIALS_NOT_SENT,
		DOCTOR_F_SUBPROTOCOL_NOT_SENT};

	for (size_t i = 0; i < LEN(ordinary); i++)
		if (ordinary[i] == kind)
			return true;
	return kind == DOCTOR_F_ORIGIN_NOT_SENT &&
	       cause != WHY_ACCESS_ORIGIN_MISSING;
}

/* What was asked for by name, or changes how all the rest is to be read. */
static bool is_always_told(enum doctor_finding_kind kind)
{
	static const enum doctor_finding_kind told[] = {
		DOCTOR_F_SPLIT,		  DOCTOR_F_PASSED,
		DOCTOR_F_BACKEND_SAME,	  DOCTOR_F_BACKEND_OPENS,
		DOCTOR_F_BACKEND_DIFFERS, DOCTOR_F_BACKEND_GONE,
		DOCTOR_F_PAGE_LOST,	  DOCTOR_F_PAGE_UPGRADES,
		DOCTOR_F_PAGE_SANDBOXED,  DOCTOR_F_PAGE_SCRIPTLESS,
		DOCTOR_F_FAMILY_REFUSES};

	for (size_t i = 0; i < LEN(told); i++)
		if (told[i] == kind)
			return true;
	return doctor_is_symptom(kind);
}

static void gather_evidence(struct doctor_facts *f,
			    const struct doctor_opinion *o)
{
	const struct doctor_chart *chart = f->chart;
	bool taken[DOCTOR_MAX_FINDINGS] = {false};

	while (f->v->n_evidence < DOCTOR_MAX_EVIDENCE) {
		size_t best = chart->n_findings;

		for (size_t i = 0; i < chart->n_findings; i++)
			if (!taken[i] &&
			    !is_ordinary(chart->finding[i].kind, o->best) &&
			    (o->weight[i] >= LEAST_EVIDENCE ||
			     is_always_told(chart->finding[i].kind)) &&
			    (best == chart->n_findings ||
			     o->weight[i] > o->weight[best]))
				best = i;
		if (best == chart->n_findings)
			return;
		taken[best] = true;
		add_evidence(f, &chart->finding[best], o->weight[best]);
	}
}

/* ---- alternatives ---- */

static void weigh_alternatives(struct doctor_facts *f,
			       const struct doctor_opinion *o,
			       const struct why_hops *hops)
{
	struct doctor_verdict *v = f->v;
	bool taken[WHY_N_CAUSES] = {false};
	double others = 1 - o->p[o->best], share = 0;

	if (f->chart->c->url_error)
		return; /* nothing was asked that could decide */
	if (others > 0)
		share = (1 - v->confidence) / others;
	taken[o->best] = true;
	while (v->n_alternatives < DOCTOR_MAX_ALTERNATIVES) {
		int best = -1;

		for (int c = 0; c < WHY_N_CAUSES; c++)
			if (!taken[c] && (best < 0 || o->p[c] > o->p[best]))
				best = c;
		if (best < 0 || o->p[best] * share < LEAST_ALTERNATIVE)
			return;
		taken[best] = true;
		v->alternative[v->n_alternatives].cause = (enum why_cause)best;
		v->alternative[v->n_alternatives].confidence =
			o->p[best] * share;
		doctor_tell_apart(v->n_alternatives ? NULL : f->chart->c,
				  o->best, (enum why_cause)best, hops,
				  v->alternative[v->n_alternatives].tell_apart,
				  sizeof(v->alternative[0].tell_apart));
		v->n_alternatives++;
	}
}

/* Interrupted before the first answer: whatever is likeliest is no finding. */
static void admit_ignorance(struct doctor_verdict *v)
{
	v->is_unknown = true;
	v->confidence = 0;
	v->outcome = "unreachable";
	v->who = "nobody";
	snprintf(v->summary, sizeof(v->summary),
		 "Nothing is known yet: no answer had come when it was "
		 "interrupted.");
	v->n_fixes = 1;
	v->fix[0] = (struct doctor_fix){
		.who = "client",
		.what = "Ask again and wait for the answer; --timeout SECONDS "
			"says how long at most."};
}

void doctor_pronounce(const struct doctor_chart *chart,
		      const struct doctor_opinion *opinion,
		      struct doctor_verdict *ret_verdict)
{
	struct doctor_verdict *v = ret_verdict;
	struct doctor_facts f = {.chart = chart, .v = v};
	struct why_hops hops;

	*v = (struct doctor_verdict){
		.cause = opinion->best,
		.confidence = doctor_calibrate(opinion->p[opinion->best])};
	f.base = doctor_baseline(chart);
	f.key = doctor_telling_key(chart, opinion);
	if (!f.base && !chart->c->url_error) {
		admit_ignorance(v);
		return;
	}
	v->status = f.base ? f.base->status : 0;
	v->outcome = outcome_of(&f);
	find_responder(&f, &hops);
	v->who = who_acts(&f);
	doctor_prove(&f);
	doctor_know(&f);
	summarise(&f);
	gather_evidence(&f, opinion);
	doctor_config_prescribe(chart, v);
	doctor_prescribe(&f, &hops);
	weigh_alternatives(&f, opinion, &hops);
}
