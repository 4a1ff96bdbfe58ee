/* SPDX-License-Identifier: MIT */
/*
 * What a remedy may need to be true before it is worth printing: conditions
 * that the handshake shows, of which no text has to say anything. What is hard
 * is to ask for no more than can be seen from outside.
 */
#include <stdio.h>

#include "doctor/facts.h"
#include "doctor/said.h"
#include "net/proxy.h"

/* AJP carries no reason phrase, and Apache then repeats the status: "404 404". */
static bool is_of_ajp(const struct doctor_facts *f)
{
	char status[12];

	if (!f->base || f->base->status < 400)
		return false;
	snprintf(status, sizeof(status), "%d", f->base->status);
	return bytes_equal_str(f->base->parsed.reason, status);
}

static bool begins_with_hit(struct bytes value)
{
	return bytes_equal_nocase(bytes_first(value, 3), BYTES("HIT"));
}

/* Varnish names two requests where it had the answer: this one, and the one
 * that brought it. It sends "Age: 0" with what it has just fetched. */
static bool is_of_varnish_cache(const struct ses_head *head)
{
	return bytes_find_byte(bytes_trim(ses_head_get(head, "X-Varnish")),
			       ' ') >= 0;
}

static bool is_aged(const struct ses_head *head)
{
	struct bytes age = bytes_trim(ses_head_get(head, "Age"));

	return age.len > 0 && !bytes_equal(age, BYTES("0"));
}

/* Whether the answer says that a cache had it (RFC 9111, section 5.1). */
static bool is_cached(const struct doctor_facts *f)
{
	static const char *const fields[] = {"X-Cache", "X-Cache-Status",
					     "X-Proxy-Cache", "CF-Cache-Status",
					     "X-Nginx-Cache"};
	const struct ses_head *head;
	bool is_hit = false;

	if (!f->base || !f->base->status)
		return false;
	head = &f->base->parsed;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		is_hit |= begins_with_hit(ses_head_get(head, fields[i]));
	return is_hit || is_of_varnish_cache(head) || is_aged(head);
}

/* "Connection: keep-alive, Upgrade", as Firefox sends it. */
static bool lists_upgrade(const struct doctor_facts *f)
{
	const struct doctor_header *h =
		doctor_case_header(f->chart->c, "Connection");
	const struct ses_field field = {BYTES("Connection"),
					bytes_of_str(h ? h->value : "")};

	return bytes_find_byte(field.value, ',') >= 0 &&
	       ses_field_has_token(&field, 1, "Connection", "upgrade");
}

static bool has_underscore(const struct doctor_facts *f)
{
	const struct doctor_case *c = f->chart->c;

	for (size_t i = 0; i < c->n_headers; i++)
		if (strchr(c->header[i].name, '_'))
			return true;
	return false;
}

static bool has_agent(const struct doctor_facts *f)
{
	return *f->chart->c->user_agent;
}

static bool has_no_agent(const struct doctor_facts *f)
{
	return !has_agent(f);
}

/* Who speaks HTTP/2 alone: the server at this port, or one behind it? */
static bool answers_in_http1(const struct doctor_facts *f)
{
	return f->base && f->base->status;
}

static bool answers_not_in_http1(const struct doctor_facts *f)
{
	return !answers_in_http1(f);
}

/* Browsers open WebSockets over HTTP/2 by themselves, where that is offered. */
static bool opens_in_http2(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_H2_OPENS);
}

static bool was_asked_in_http2(const struct doctor_facts *f)
{
	return f->base && f->base->h2_spoken;
}

static bool is_bodiless(const struct doctor_facts *f)
{
	return f->base && f->base->body_len == 0;
}

static bool is_large_lost(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_LARGE_UNHEARD);
}

static bool is_all_lost(const struct doctor_facts *f)
{
	return !is_large_lost(f);
}

static bool is_wordless(const struct doctor_facts *f)
{
	return f->base && f->base->outcome == DOCTOR_NO_ANSWER;
}

static bool is_for_balancers(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_PROXY_LINE_OPENS) ||
	       doctor_found(f->chart, DOCTOR_F_PROXY_LINE_ANSWERS);
}

/* The URL that opened can be written down: it has one parameter changed. */
static bool is_query_known(const struct doctor_facts *f)
{
	return f->key && f->key->outcome == DOCTOR_OPEN &&
	       (f->key->trial.change == DOCTOR_PARAMETER ||
		f->key->trial.change == DOCTOR_NO_PARAMETER);
}

static bool is_miscopied(const struct doctor_facts *f)
{
	return is_query_known(f) && f->key->trial.value[0] == '&';
}

static bool is_engine_not_asked(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_ENGINE_NOT_ASKED);
}

static bool is_redirected(const struct doctor_facts *f)
{
	return f->base && f->base->status / 100 == 3;
}

bool doctor_is_closed_idle(const struct doctor_facts *f)
{
	return f->v->cause == WHY_NET_IDLE_TIMEOUT &&
	       ((f->base && f->base->close_code) ||
		doctor_found(f->chart, DOCTOR_F_SAYS_IDLE) ||
		doctor_found(f->chart, DOCTOR_F_HELD_CLOSED));
}

static bool is_proxy_seen(const struct doctor_facts *f)
{
	const struct why_hops *h = f->base ? &f->base->hops : NULL;

	for (size_t i = 0; h && !f->chart->blind && i < h->n; i++)
		if (why_stack(h->hop[i].stack)->layer <= WHY_LAYER_REVERSE_PROXY)
			return true;
	return false;
}

static bool is_cut_by_seen(const struct doctor_facts *f)
{
	return !doctor_is_closed_idle(f) && is_proxy_seen(f);
}

static bool is_cut_by_unseen(const struct doctor_facts *f)
{
	return !doctor_is_closed_idle(f) && !is_proxy_seen(f);
}

/* Most clocks of hops run for a minute. */
static bool is_watched_briefly(const struct doctor_facts *f)
{
	return f->chart->c->hold_ms < 60000;
}

static bool is_plain(const struct doctor_facts *f)
{
	return !f->chart->c->url.tls;
}

/* A port that a forward proxy may refuse for its number. */
static bool is_off_443(const struct doctor_facts *f)
{
	return is_plain(f) || f->chart->c->url.port != 443;
}

static bool leads_to_login(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_SAYS_LOGIN);
}

static bool leads_to_no_login(const struct doctor_facts *f)
{
	return !leads_to_login(f);
}

/* Told that this is a TLS port, at one that does not speak TLS. */
static bool is_tls_behind(const struct doctor_facts *f)
{
	static const char words[] = "plain HTTP request was sent to HTTPS port";
	const struct doctor_probe *tls =
		doctor_tried(f->chart, DOCTOR_SCHEME, "wss");

	return f->base && f->base->status && f->base->body_len > 0 &&
	       memmem(f->base->body, f->base->body_len, words,
		      sizeof(words) - 1) &&
	       tls && tls->dial.tls.fault == SES_TLS_NOT_TLS;
}

/* Whether a handshake that offered no subprotocol did not open either. */
static bool is_none_refused(const struct doctor_facts *f)
{
	const struct doctor_probe *none =
		f->chart->c->subprotocols
			? doctor_tried(f->chart, DOCTOR_NO_SUBPROTOCOL, NULL)
			: f->base;

	return none && none->outcome != DOCTOR_OPEN;
}

static bool may_offer_none(const struct doctor_facts *f)
{
	return !is_none_refused(f);
}

/* The 101 names a subprotocol that nobody offered. */
static bool is_subprotocol_unasked(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_BAD_101_SUBPROTOCOL) ||
	       doctor_found(f->chart, DOCTOR_F_BAD_101_UNASKED);
}

static bool is_list_named(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_BAD_101_LIST);
}

static bool is_one_unasked(const struct doctor_facts *f)
{
	return is_subprotocol_unasked(f) && !is_list_named(f);
}

static bool is_proof_wrong(const struct doctor_facts *f)
{
	return !is_subprotocol_unasked(f);
}

static bool speaks_of_csrf(const struct doctor_facts *f)
{
	struct bytes said;

	return f->base && (doctor_says_word(f->base, "csrf", &said) ||
			   doctor_says_word(f->base, "xsrf", &said));
}

static bool speaks_of_no_csrf(const struct doctor_facts *f)
{
	return !speaks_of_csrf(f);
}

/* Whether credentials were sent, and the refusal has @word for them. */
static bool is_said_of_credential(const struct doctor_facts *f, const char *word)
{
	struct bytes said;

	if (!f->base || !doctor_has_credentials(f->chart->c))
		return false;
	if (doctor_said_of_credential(f->base, &said) &&
	    bytes_contains_nocase(said, bytes_of_str(word)))
		return true;
	return doctor_says_word(f->base, word, &said);
}

static bool is_expired(const struct doctor_facts *f)
{
	return is_said_of_credential(f, "expired") ||
	       doctor_found(f->chart, DOCTOR_F_TOKEN_OVER);
}

static bool is_for_others(const struct doctor_facts *f)
{
	return is_said_of_credential(f, "audience");
}

static bool is_by_others(const struct doctor_facts *f)
{
	return is_said_of_credential(f, "issuer");
}

static bool is_signed_wrong(const struct doctor_facts *f)
{
	return is_said_of_credential(f, "signature");
}

/* The scheme that the answer's first challenge names (RFC 9110, section 11.6.1). */
static bool is_asked_for(const struct doctor_facts *f, const char *scheme)
{
	struct bytes asked = {NULL, 0};
	size_t len = 0;

	if (f->base && f->base->status)
		asked = bytes_trim(
			ses_head_get(&f->base->parsed, "WWW-Authenticate"));
	while (len < asked.len && asked.data[len] != ' ' &&
	       asked.data[len] != ',')
		len++;
	return bytes_equal_nocase(bytes_first(asked, len), bytes_of_str(scheme));
}

static bool wants_basic(const struct doctor_facts *f)
{
	return is_asked_for(f, "Basic");
}

static bool wants_digest(const struct doctor_facts *f)
{
	return is_asked_for(f, "Digest");
}

static bool wants_negotiate(const struct doctor_facts *f)
{
	return is_asked_for(f, "Negotiate") || is_asked_for(f, "NTLM");
}

/* A token, or nothing that is named. */
static bool wants_token(const struct doctor_facts *f)
{
	return !wants_basic(f) && !wants_digest(f) && !wants_negotiate(f);
}

static bool is_version_by_hand(const struct doctor_facts *f)
{
	return f->proven && doctor_found(f->chart, DOCTOR_F_VERSION_BY_HAND);
}

static bool wants_token_alone(const struct doctor_facts *f)
{
	return wants_token(f) && speaks_of_no_csrf(f);
}

/* Whether a forward proxy was given a user name. */
static bool has_proxy_user(const struct doctor_facts *f)
{
	const char *proxy = f->chart->c->proxy;
	struct ses_proxy parsed;
	const char *fault;

	return proxy && ses_proxy_parse(proxy, &parsed, &fault) == 0 &&
	       parsed.has_user;
}

/* The network's own answer (RFC 6585 section 6), whatever the server is. */
static bool is_portal(const struct doctor_facts *f)
{
	return doctor_found(f->chart, DOCTOR_F_STATUS_511);
}

static bool is_no_portal(const struct doctor_facts *f)
{
	return !is_portal(f);
}

static bool has_no_proxy_user(const struct doctor_facts *f)
{
	return !has_proxy_user(f) && !is_portal(f);
}

static const struct {
	const char *name; /* why_remedy.needs */
	bool (*holds)(const struct doctor_facts *f);
} conditions[] = {
	{"ajp", is_of_ajp},
	{"cached", is_cached},
	{"listed", lists_upgrade},
	{"underscored", has_underscore},
	{"user_agent", has_agent},
	{"agentless", has_no_agent},
	{"h2_behind", answers_in_http1},
	{"h2_front", answers_not_in_http1},
	{"h2_opens", opens_in_http2},
	{"h2_asked", was_asked_in_http2},
	{"bodiless", is_bodiless},
	{"large_lost", is_large_lost},
	{"all_lost", is_all_lost},
	{"wordless", is_wordless},
	{"proxy_line", is_for_balancers},
	{"query_opens", is_query_known},
	{"miscopied", is_miscopied},
	{"engine_not_asked", is_engine_not_asked},
	{"redirected", is_redirected},
	{"closed_idle", doctor_is_closed_idle},
	{"seen_idle", is_cut_by_seen},
	{"unseen_idle", is_cut_by_unseen},
	{"watched_briefly", is_watched_briefly},
	{"plain", is_plain},
	{"off_443", is_off_443},
	{"login", leads_to_login},
	{"no_login", leads_to_no_login},
	{"tls_behind", is_tls_behind},
	{"none_refused", is_none_refused},
	{"none_open", may_offer_none},
	{"unasked", is_one_unasked},
	{"listed_back", is_list_named},
	{"asked", is_proof_wrong},
	{"csrf", speaks_of_csrf},
	{"proxy_user", has_proxy_user},
	{"no_proxy_user", has_no_proxy_user},
	{"portal", is_portal},
	{"no_portal", is_no_portal},
	{"basic", wants_basic},
	{"digest", wants_digest},
	{"negotiate", wants_negotiate},
	{"token", wants_token},
	{"token_alone", wants_token_alone},
	{"expired", is_expired},
	{"audience", is_for_others},
	{"issuer", is_by_others},
	{"signature", is_signed_wrong},
	{"version_by_hand", is_version_by_hand},
	{"port_alone", doctor_differs_in_port},
};

bool doctor_holds(const struct doctor_facts *f, const char *need)
{
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		if (strcmp(conditions[i].name, need) == 0)
			return conditions[i].holds(f);
	for (size_t i = 0; i < f->n_values; i++)
		if (strcmp(f->value[i].name, need) == 0)
			return true;
	return false;
}
