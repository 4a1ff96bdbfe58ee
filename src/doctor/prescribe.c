/* SPDX-License-Identifier: MIT */
/*
 * What is to be done: the remedies for the cause, of the stack that refused
 * first, filled with the values of this case. What is hard is the order: a rule
 * is mended where it stands, a header where it is lost, and a proxy that left
 * no mark may be the one at fault.
 */
#include "doctor/facts.h"

#include <ctype.h>
#include <stdio.h>

#include "doctor/apart.h"
#include "doctor/compare.h"
#include "doctor/redact.h"

/* Who is less sure should look before changing anything, or before all else. */
#define SURE_ENOUGH 0.9
#define IN_DOUBT    0.5

/* The same words to another server are another fix. */
static bool is_known_fix(const struct doctor_verdict *v,
			 const struct doctor_fix *fix)
{
	for (size_t i = 0; i < v->n_fixes; i++)
		if (v->fix[i].stack == fix->stack &&
		    strcmp(v->fix[i].what, fix->what) == 0)
			return true;
	return false;
}

/* Whether all that @text cannot do without is known. */
static bool is_telling(const struct doctor_facts *f, const char *text)
{
	return ((f->proven && f->pastable) || !strstr(text, "{expected}")) &&
	       (f->slashed[0] || !strstr(text, "{slashed}")) &&
	       (f->target[0] || !strstr(text, "{target}"));
}

static void fill(const struct doctor_facts *f, const char *text, char *out,
		 size_t size)
{
	out[0] = 0;
	if (text && is_telling(f, text))
		why_remedy_fill(text, f->value, f->n_values, out, size);
}

/* Where it goes, and into whose configuration. */
static void fill_place(const struct doctor_facts *f, const struct why_remedy *r,
		       char *out, size_t size)
{
	char where[128];

	fill(f, r->where, where, sizeof(where));
	if (r->stack == WHY_STACK_NONE)
		snprintf(out, size, "%s", where);
	else
		snprintf(out, size, "%s%s%s", why_stack(r->stack)->name,
			 where[0] ? ", " : "", where);
}

/* Whether the redirect leads where it came from, or to the next redirect. */
static bool leads_nowhere(const struct doctor_facts *f)
{
	struct bytes to, path;
	char own[600];

	if (!f->base || f->base->status / 100 != 3)
		return false;
	to = ses_head_get(&f->base->parsed, "Location");
	if (to.len > 0 && to.data[0] == '/')
		path = to;
	else if (doctor_own_origin(f->chart->c, false, own, sizeof(own)) &&
		 bytes_starts(to, bytes_of_str(own)))
		path = bytes_from(to, strlen(own));
	else
		return false;
	for (size_t i = 0; i < f->chart->n_probes; i++) {
		const struct doctor_probe *p = f->chart->probe[i];

		if (p->trial.change == DOCTOR_PATH && p->status / 100 == 3 &&
		    bytes_equal_str(path, p->trial.value))
			return true;
	}
	return bytes_equal(path, f->chart->c->url.path.len ? f->chart->c->url.path
							   : BYTES("/"));
}

/* Everybody whom a proxy of that machine hands on comes from its loopback
 * address: an exception for it is one for them all, and the last resort. */
static bool lets_all_in(const struct doctor_facts *f, const struct why_remedy *r)
{
	return f->v->cause == WHY_ACCESS_CREDENTIALS && r->snippet &&
	       (strstr(r->snippet, "{address}") ||
		strstr(r->snippet, "{from}")) &&
	       (strncmp(f->address, "127.", 4) == 0 ||
		strcmp(f->address, "::1") == 0);
}

/* What opened is engine.io's endpoint, and the request was for another path. */
static bool is_elsewhere_of_engine(const struct doctor_facts *f)
{
	return f->v->cause == WHY_URL_PATH && f->key &&
	       f->key->trial.change == DOCTOR_PATH &&
	       strstr(f->key->trial.value, "EIO=") &&
	       !doctor_is_engine(f->chart->c);
}

static bool is_a_hop(const struct doctor_facts *f, enum why_stack stack)
{
	for (size_t i = 0; f->base && i < f->base->hops.n; i++)
		if (f->base->hops.hop[i].stack == stack)
			return true;
	return false;
}

/* An exception for who asks, where it is known to be what is asked. */
static bool is_beside_suspect(const struct doctor_facts *f,
			      const struct why_remedy *r)
{
	return f->v->cause == WHY_ACCESS_WAF && f->suspect[0] && r->snippet &&
	       strstr(r->snippet, "{address}");
}

/* What is general advice, where a row of its own says better what it is: the
 * client's own version, the port in Host. */
static bool is_too_general(const struct doctor_facts *f,
			   const struct why_remedy *r)
{
	if (r->needs)
		return false;
	return (doctor_differs_in_port(f) && !is_a_hop(f, r->stack)) ||
	       (f->v->cause == WHY_SERVER_VERSION &&
		doctor_holds(f, "version_by_hand"));
}

/* What does harm, or "use the address that the redirect names", where that does
 * not help. */
static bool is_vain(const struct doctor_facts *f, const struct why_remedy *r)
{
	if (is_too_general(f, r))
		return true;
	if (((lets_all_in(f, r) || is_beside_suspect(f, r)) && !f->at_last) ||
	    (r->stack == WHY_STACK_NODE_WS && is_elsewhere_of_engine(f)))
		return true;
	return f->v->cause == WHY_SERVER_REDIRECT && !r->stack && r->snippet &&
	       strcmp(r->snippet, "{target}") == 0 && leads_nowhere(f);
}

/* A URL to paste whose query was hidden does not work as it stands. */
static void tell_hidden(struct doctor_fix *fix)
{
	const char *query = strchr(fix->snippet, '?');
	size_t n = strlen(fix->what);

	if (query && strstr(query, "=***"))
		snprintf(fix->what + n, sizeof(fix->what) - n,
			 " Your own values go where *** hides them.");
}

/* An exception from the redirect to a login is one from the login. */
static void tell_danger(const struct doctor_facts *f, struct doctor_fix *fix)
{
	size_t n = strlen(fix->what);

	if (f->v->cause == WHY_SERVER_REDIRECT && fix->snippet[0] &&
	    strcmp(fix->who, "client") != 0 && doctor_holds(f, "login"))
		snprintf(fix->what + n, sizeof(fix->what) - n,
			 " Whoever is not signed in gets in then: only where "
			 "the application behind looks at credentials itself.");
}

/* What had another before it in its table, and now comes first: "Or, where a
 * map decides" is "Where a map decides". */
static void begin_afresh(struct doctor_fix *fix)
{
	char *what = fix->what;
	size_t skip = strncmp(what, "Or, ", 4) == 0  ? 4
		      : strncmp(what, "Or ", 3) == 0 ? 3
						     : 0;

	if (skip == 0)
		return;
	memmove(what, what + skip, strlen(what + skip) + 1);
	what[0] = (char)toupper((unsigned char)what[0]);
}

static void add_fix(struct doctor_facts *f, const struct why_remedy *r)
{
	struct doctor_verdict *v = f->v;
	struct doctor_fix *fix = &v->fix[v->n_fixes];

	if (v->n_fixes == DOCTOR_MAX_FIXES || is_vain(f, r) ||
	    (r->needs && !doctor_holds(f, r->needs)))
		return;
	fix->stack = r->stack ? why_stack(r->stack)->id : NULL;
	fill(f, r->what, fix->what, sizeof(fix->what));
	if (!fix->what[0] || is_known_fix(v, fix))
		return;
	if (!f->has_remedy)
		begin_afresh(fix);
	f->has_remedy = true;
	fix->who = r->who;
	fill_place(f, r, fix->where, sizeof(fix->where));
	fill(f, r->snippet, fix->snippet, sizeof(fix->snippet));
	tell_hidden(fix);
	tell_danger(f, fix);
	v->n_fixes++;
}

static void add_fixes_against(struct doctor_facts *f, enum why_cause cause,
			      enum why_stack stack, const char *who)
{
	const struct why_remedy *r;

	for (size_t i = 0; (r = why_remedy(cause, stack, i)); i++)
		if ((r->stack == WHY_STACK_NONE) == (stack == WHY_STACK_NONE) &&
		    (!who || strcmp(r->who, who) == 0))
			add_fix(f, r);
}

/* What the client can do, or whoever is meant: @who NULL. */
static void add_fixes_for(struct doctor_facts *f, enum why_stack stack,
			  const char *who)
{
	add_fixes_against(f, f->v->cause, stack, who);
}

static bool is_proxy(enum why_stack stack)
{
	return why_stack(stack)->layer <= WHY_LAYER_REVERSE_PROXY;
}

static bool is_written_by_proxy(const struct why_hops *h)
{
	return h->writer >= 0 && (size_t)h->writer < h->n &&
	       is_proxy(h->hop[h->writer].stack);
}

static bool is_seen(const struct why_hops *h, bool proxy)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->hop[i].stack != WHY_STACK_NONE &&
		    is_proxy(h->hop[i].stack) == proxy)
			return true;
	return false;
}

static void add_fixes_for_layer(struct doctor_facts *f, const struct why_hops *h,
				bool proxies, const char *who)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->hop[i].stack != WHY_STACK_NONE &&
		    is_proxy(h->hop[i].stack) == proxies)
			add_fixes_for(f, h->hop[i].stack, who);
}

/*
 * Causes for which a proxy may act without leaving a mark: the answer is the
 * application's own, or there was none to know it by. The usual ones then each
 * get a say, since one of them probably stands there.
 */
static bool may_be_unseen(const struct doctor_facts *f, const struct why_hops *h)
{
	bool is_nameless = !is_seen(h, false) && h->writer < 0;

	switch (f->v->cause) {
	case WHY_NET_IDLE_TIMEOUT:
		return !doctor_is_closed_idle(f);
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_NET_ADDRESS_FAMILY:
	case WHY_SERVER_HTTP2: /* behind whoever answered in HTTP/1.1 */
	case WHY_SERVER_BAD_ACCEPT:
		return true;
	case WHY_SERVER_SUBPROTOCOL:
		return is_nameless;
	case WHY_TLS_VERSION:
		return f->v->status == 0;
	case WHY_NET_TIMEOUT:
	case WHY_NET_RESET: /* of who took the connection, and says nothing */
		return is_nameless && f->base &&
		       f->base->outcome == DOCTOR_NO_ANSWER;
	case WHY_SERVER_REDIRECT:
		return is_nameless;
	case WHY_URL_HOST:
	case WHY_URL_PATH:
		return is_nameless && !f->key;
	case WHY_SERVER_NO_WEBSOCKET:
		return is_nameless && !f->key && f->v->confidence < IN_DOUBT;
	default: /* an answer in the words of whoever runs it */
		return is_nameless &&
		       bytes_equal_str(why_category(f->v->cause), "access");
	}
}

/* The first of a stack's own that is not for the client. */
static void add_first_fix(struct doctor_facts *f, enum why_stack stack)
{
	const struct why_remedy *r;
	size_t n = f->v->n_fixes;

	for (size_t i = 0;
	     f->v->n_fixes == n && (r = why_remedy(f->v->cause, stack, i)) &&
	     r->stack == stack;
	     i++)
		if (strcmp(r->who, "client") != 0)
			add_fix(f, r);
}

static void add_fixes_for_unseen(struct doctor_facts *f,
				 const struct why_hops *h)
{
	static const enum why_stack usual[] = {
		WHY_STACK_NGINX, WHY_STACK_HAPROXY, WHY_STACK_APACHE,
		WHY_STACK_CADDY};

	if (f->chart->blind || is_seen(h, true) || !may_be_unseen(f, h))
		return;
	add_fixes_for(f, WHY_STACK_NONE, "proxy");
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		add_first_fix(f, usual[i]);
}

/*
 * Of two things a proxy does to an Origin that is the site's own: what it wrote
 * itself is its own rule, and none of the application that it hides.
 */
static void add_fixes_for_own_rule(struct doctor_facts *f,
				   const struct why_hops *h)
{
	if ((f->v->cause == WHY_SERVER_PROXY_HOST ||
	     f->v->cause == WHY_SERVER_PROXY_PROTO) &&
	    f->origin[0] && is_written_by_proxy(h))
		add_fixes_against(f, WHY_ACCESS_ORIGIN, h->hop[h->writer].stack,
				  NULL);
}

/* What a proxy does wrong, whoever then refuses. */
static bool is_of_the_proxy(enum why_cause cause)
{
	switch (cause) {
	case WHY_SERVER_PROXY_UPGRADE:
	case WHY_SERVER_PROXY_HOST:
	case WHY_SERVER_PROXY_PROTO:
	case WHY_SERVER_CDN_WEBSOCKETS_OFF:
	case WHY_SERVER_STICKY_SESSION:
	case WHY_SERVER_BACKEND_DOWN:
	case WHY_NET_IDLE_TIMEOUT:
		return true;
	default:
		return false;
	}
}

/* What is built on the writer, and shows in the answer that opened, has the
 * settings that the writer alone has not. */
static void add_fixes_for_whole(struct doctor_facts *f, enum why_stack writer,
				const char *who)
{
	const struct why_hops *h = f->key ? &f->key->hops : NULL;

	for (size_t i = 0; h && !f->chart->blind && i < h->n; i++)
		if (why_contains(h->hop[i].stack, writer))
			add_fixes_for(f, h->hop[i].stack, who);
}

/*
 * Whether somebody behind the proxy wrote the answer, though nobody knows who: it
 * is data, or has a field that says by what it was made, and a proxy's own
 * answers are pages, and have neither.
 */
static bool is_passed_on(const struct doctor_facts *f, const struct why_hops *h)
{
	static const char *const fields[] = {"X-Powered-By", "Set-Cookie",
					     "X-Request-Id", "ETag", "Vary"};
	struct bytes type;

	if (!f->base || f->base->outcome != DOCTOR_ANSWERED || h->writer >= 0 ||
	    !is_seen(h, true) || is_seen(h, false))
		return false;
	type = ses_head_get(&f->base->parsed, "Content-Type");
	if (bytes_contains_nocase(type, BYTES("json")))
		return true;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (ses_head_get(&f->base->parsed, fields[i]).data)
			return true;
	return false;
}

/*
 * The rules that refused are the writer's, and no other's. Where the writer is
 * unknown, the application's come first: a proxy's own page is known.
 */
static void add_fixes_for_refuser(struct doctor_facts *f,
				  const struct why_hops *h, const char *who)
{
	if (h->writer >= 0 && (size_t)h->writer < h->n) {
		add_fixes_for_whole(f, h->hop[h->writer].stack, who);
		add_fixes_for(f, h->hop[h->writer].stack, who);
		if (f->v->cause == WHY_URL_PATH ||
		    f->v->cause == WHY_SERVER_SUBPROTOCOL) /* it changed it? */
			add_fixes_for_layer(f, h, true, who);
		return;
	}
	add_fixes_for_layer(f, h, false, who);
	if (is_passed_on(f, h) &&
	    bytes_equal_str(why_category(f->v->cause), "access"))
		add_fixes_for(f, WHY_STACK_NONE, "server");
	if (f->v->cause != WHY_SERVER_FORWARDED_UNTRUSTED)
		add_fixes_for_layer(f, h, true, who);
}

/* They keep a clock from running out, whoever's it is. */
static void add_pings(struct doctor_facts *f, const struct why_hops *h)
{
	add_fixes_for_layer(f, h, false, "server");
	add_fixes_for(f, WHY_STACK_NONE, "server");
}

static void prescribe_to(struct doctor_facts *f, const struct why_hops *h,
			 const char *who)
{
	if (is_of_the_proxy(f->v->cause) && !doctor_is_closed_idle(f)) {
		add_fixes_for_own_rule(f, h);
		if (f->v->cause == WHY_NET_IDLE_TIMEOUT && !is_seen(h, true))
			add_pings(f, h);
		add_fixes_for_layer(f, h, true, who);
		add_fixes_for_unseen(f, h);
		add_fixes_for_layer(f, h, false, who);
	} else {
		add_fixes_for_refuser(f, h, who);
	}
	add_fixes_for(f, WHY_STACK_NONE, who);
}

/* What the server could do instead opens the door a little for others too. */
static bool client_comes_first(enum why_cause cause)
{
	return cause == WHY_ACCESS_CREDENTIALS ||
	       cause == WHY_ACCESS_CLIENT_CERT ||
	       cause == WHY_ACCESS_ORIGIN_MISSING || cause == WHY_ACCESS_RATE ||
	       cause == WHY_NET_PROXY_AUTH || cause == WHY_SERVER_REDIRECT;
}

/* A gateway that gave a reference knows the rule, and its line. */
static void advise_to_ask(struct doctor_facts *f)
{
	static const struct why_remedy ask = {
		.stack = WHY_STACK_SESAME,
		.who = "server",
		.what = "Ask the gateway before anything is changed: it knows "
			"which rule refused, and its line.",
		.where = "the gateway's machine",
		.snippet = "sesame why {reference}"};

	add_fix(f, &ask);
	f->has_remedy = false;
}

/* What settles it before anybody changes anything: the refuser's own log. */
static void advise_to_look(struct doctor_facts *f, const struct why_hops *h)
{
	struct doctor_fix *fix = &f->v->fix[f->v->n_fixes];
	char words[256];

	/* servers ask for credentials by 401; a 403 is another's, behind them */
	if (f->v->cause == WHY_ACCESS_CREDENTIALS && f->base &&
	    f->base->status == 403)
		return;
	if (f->v->n_fixes == DOCTOR_MAX_FIXES ||
	    !*doctor_log_words(f->v->cause, h, words, sizeof(words)))
		return;
	*fix = (struct doctor_fix){.who = f->v->who};
	snprintf(fix->what, sizeof(fix->what), "To be sure, look: %s", words);
	f->v->n_fixes++;
}

/* ---- what stands before the server ---- */

static bool prescribe_on_this_side(struct doctor_facts *f)
{
	const struct why_remedy *rows = doctor_remedies_on_this_side(f);

	for (size_t i = 0; rows && rows[i].what; i++)
		add_fix(f, &rows[i]);
	return rows != NULL;
}

static void advise_difference(struct doctor_facts *f,
			      const struct doctor_difference *one)
{
	struct doctor_fix *fix = &f->v->fix[f->v->n_fixes];
	bool is_cookie = one->part == DOCTOR_PART_COOKIE;
	char text[300], shown[300], name[120];

	doctor_difference_text(one, text, sizeof(text));
	doctor_redact(f->chart->c, bytes_of_str(text), shown, sizeof(shown));
	*fix = (struct doctor_fix){.who = "client"};
	snprintf(fix->where, sizeof(fix->where), "the request");
	if (one->to && one->to->name.len > 0)
		snprintf(fix->what, sizeof(fix->what),
			 "Send %s that the request that works has.", shown);
	else
		snprintf(fix->what, sizeof(fix->what),
			 "Do as the request that works does: %s.", shown);
	if (is_cookie && one->to) {
		bytes_printable(one->to->name, name, sizeof(name));
		snprintf(fix->snippet, sizeof(fix->snippet), "Cookie: %s=***",
			 name);
	}
	f->v->n_fixes++;
}

/* What the comparison proved comes before what is usual for the cause. */
static void advise_what_works(struct doctor_facts *f)
{
	const struct doctor_comparison *k = f->chart->comparison;

	if (!k || !k->minimal || !doctor_compared(f->chart))
		return;
	for (size_t i = 0; i < k->differ.n; i++)
		if (doctor_applies(&k->differ.one[i], k->deciding) &&
		    f->v->n_fixes < 2)
			advise_difference(f, &k->differ.one[i]);
}

/* Whoever dials Socket.IO by hand is let in, and then says nothing it knows. */
static void advise_engine(struct doctor_facts *f)
{
	static const struct why_remedy engine = {
		.who = "client",
		.what = "What listens there is Socket.IO: use its client "
			"library, which knows the path and the protocol.",
		.where = "socket.io-client",
		.snippet = "io('{http}://{host_port}');"};

	if (is_elsewhere_of_engine(f))
		add_fix(f, &engine);
}

/* The name that is refused is nobody's but the doctor's. */
static void advise_own_agent(struct doctor_facts *f)
{
	static const struct why_remedy own = {
		.who = "client",
		.what = "The User-Agent that is refused is the doctor's own, and "
			"your client sends another: ask again with that one, "
			"before a rule is changed.",
		.where = "the doctor's command line",
		.snippet = "sesame doctor -A 'YOUR CLIENT/1.0' {url}"};

	if (f->v->cause == WHY_ACCESS_USER_AGENT &&
	    !f->chart->c->user_agent_given)
		add_fix(f, &own);
}

/* The list of the server never names a page that has no origin. */
static const struct why_remedy for_sandboxed_page = {
	.who = "server",
	.what = "Give the page its origin back, in its Content-Security-Policy: "
		"as long as its sandbox lacks allow-same-origin, a browser "
		"sends Origin: null. Let no server take null: every page in a "
		"sandbox sends it, a stranger's too.",
	.where = "where the page's Content-Security-Policy is set",
	.snippet = "sandbox allow-scripts allow-same-origin ..."};

/* No connect-src helps where nothing runs. */
static const struct why_remedy for_scriptless_page = {
	.who = "server",
	.what = "Let the page's scripts run, and give it its origin back: both "
		"words belong into the sandbox of its Content-Security-Policy.",
	.where = "where the page's Content-Security-Policy is set",
	.snippet = "sandbox allow-scripts allow-same-origin ..."};

static void advise_for_sandbox(struct doctor_facts *f)
{
	if (f->v->cause == WHY_BROWSER_CSP &&
	    doctor_found(f->chart, DOCTOR_F_PAGE_SCRIPTLESS))
		add_fix(f, &for_scriptless_page);
	if (f->v->cause == WHY_ACCESS_ORIGIN &&
	    doctor_found(f->chart, DOCTOR_F_PAGE_SANDBOXED))
		add_fix(f, &for_sandboxed_page);
}

/* The page's sandbox is all that is in the way. */
static bool is_sandbox_alone(const struct doctor_facts *f)
{
	if (f->v->cause == WHY_BROWSER_CSP)
		return doctor_found(f->chart, DOCTOR_F_PAGE_SCRIPTLESS) &&
		       !doctor_found(f->chart, DOCTOR_F_PAGE_FORBIDS);
	return f->v->cause == WHY_ACCESS_ORIGIN &&
	       doctor_found(f->chart, DOCTOR_F_PAGE_NULL_REFUSED);
}

/* No rule is wrong that most of the servers do not have. */
static void advise_of_split(struct doctor_facts *f)
{
	static const struct why_remedy odd = {
		.who = "server",
		.what = "Ask each server of the pool by its own address, give the "
			"one that refuses the version and the configuration of "
			"the others, and until then take it out of the pool.",
		.where = "the load balancer's list of servers, and each of them",
		.snippet = "sesame doctor --connect-to ::ADDRESS:PORT {url}"};
	static const struct why_remedy session = {
		.who = "proxy",
		.what = "If it is a session that the one knows and the other "
			"does not, lead a client to the same server each time, "
			"or share the sessions.",
		.where = "the load balancer"};

	if (!doctor_is_split(f))
		return;
	add_fix(f, &odd);
	if (f->v->confidence < DOCTOR_RULE_TOLD)
		add_fix(f, &session);
}

/* What the doctor does not say, the user's own program may well do. */
static const struct why_remedy in_the_first_message = {
	.who = "client",
	.what = "If your program gives its credentials in the first message of "
		"this protocol, nothing has to be done: the doctor says that "
		"message without any, and was refused for it. If it gives "
		"none, give them there.",
	.where = "connectionParams of GraphQL, auth of Socket.IO, the user "
		 "name and password of MQTT, login and passcode of STOMP",
};

static void advise_inside(struct doctor_facts *f)
{
	if (doctor_found(f->chart, DOCTOR_F_HELLO_REFUSED) &&
	    (f->v->cause == WHY_ACCESS_CREDENTIALS ||
	     f->v->cause == WHY_ACCESS_PERMISSION))
		add_fix(f, &in_the_first_message);
}

/* A URL that opened is there to be used, and so is a subprotocol: nobody has to
 * change a server first, nor a proxy that passes the field on. */
static void advise_what_opened(struct doctor_facts *f)
{
	if (f->key && f->key->outcome == DOCTOR_OPEN && f->proven &&
	    f->pastable && f->base->outcome != DOCTOR_OPEN &&
	    (f->v->cause == WHY_URL_PATH || f->v->cause == WHY_URL_PORT ||
	     f->v->cause == WHY_URL_HOST ||
	     (f->v->cause == WHY_SERVER_SUBPROTOCOL &&
	      f->key->trial.change == DOCTOR_SUBPROTOCOL)))
		add_fixes_for(f, WHY_STACK_NONE, "client");
}

/* One value is taken for an attack: that alone is exempted, and the core rules
 * have one tag by which that goes for them all. */
static void advise_on_suspect(struct doctor_facts *f, const struct why_hops *h)
{
	static const char what[] =
		"A rule takes {suspect} for an attack. Find it in the "
		"firewall's log, and exempt that one value from it on this "
		"path.";
	static const struct why_remedy any = {.who = "server", .what = what};
	static const struct why_remedy core_rules = {
		.who = "server",
		.what = what,
		.where = "ModSecurity with its core rules (CRS): before them",
		.snippet = "SecRule REQUEST_FILENAME \"@streq {path}\" "
			   "\"id:190002,phase:1,pass,nolog,"
			   "ctl:ruleRemoveTargetByTag=OWASP_CRS;{exempt}\""};
	static const struct why_remedy otherwise = {
		.who = "client",
		.what = "Or send that value otherwise: in the first message, "
			"or "
			"in a form that does not look like an attack."};
	enum why_stack writer = h->writer >= 0 && (size_t)h->writer < h->n
					? h->hop[h->writer].stack
					: WHY_STACK_NONE;

	if (!f->suspect[0])
		return;
	add_fix(f, writer == WHY_STACK_NGINX || writer == WHY_STACK_APACHE
			   ? &core_rules
			   : &any);
	add_fix(f, &otherwise);
}

/* Who closes without a word has no name, but in its other answers. */
static struct why_hops known_hops(const struct doctor_facts *f,
				  const struct why_hops *seen)
{
	struct why_hops hops = *seen;

	if (!f->base || f->base->outcome != DOCTOR_NO_ANSWER || hops.n > 0 ||
	    f->chart->blind)
		return hops;
	for (size_t i = 0; i < f->chart->n_probes; i++)
		if (doctor_same_way(&f->chart->probe[i]->trial))
			why_join_hops(&hops, &f->chart->probe[i]->hops);
	hops.writer = -1;
	return hops;
}

/* What the refusal says is wrong with the token, before how tokens are sent. */
static void advise_as_told(struct doctor_facts *f)
{
	static const struct why_remedy told[] = {
		{.who = "client",
		 .what = "Get a new token, and connect with that: this one is "
			 "over. Get it right before each connection, and again "
			 "before each reconnect.",
		 .where = "the client's token",
		 .needs = "expired"},
		{.who = "client",
		 .what = "Get a token for this service: the one that was sent "
			 "is "
			 "made out to another audience (aud).",
		 .where = "the client's request for a token: audience, or "
			  "resource",
		 .needs = "audience"},
		{.who = "client",
		 .what = "Get the token from the issuer (iss) that this "
			 "service "
			 "trusts; this one is by another.",
		 .where = "the client's request for a token",
		 .needs = "issuer"},
		{.who = "client",
		 .what = "Get the token from who signs for this service, and "
			 "send it unchanged: its signature is not by the key "
			 "that the service knows.",
		 .where = "the client's token",
		 .needs = "signature"},
	};

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (f->v->cause == WHY_ACCESS_CREDENTIALS)
			add_fix(f, &told[i]);
}

void doctor_prescribe(struct doctor_facts *f, const struct why_hops *seen)
{
	const struct why_hops hops = known_hops(f, seen);

	f->has_remedy = f->v->n_fixes > 0;
	if (prescribe_on_this_side(f))
		return;
	advise_for_sandbox(f);
	if (is_sandbox_alone(f))
		return;
	advise_of_split(f);
	if (doctor_is_split(f) && f->v->confidence < DOCTOR_RULE_TOLD)
		return;
	advise_what_works(f);
	advise_inside(f);
	advise_engine(f);
	advise_own_agent(f);
	if (f->v->reference[0] && f->v->confidence < SURE_ENOUGH)
		advise_to_ask(f);
	else if (f->v->confidence < IN_DOUBT)
		advise_to_look(f, &hops);
	advise_as_told(f);
	advise_what_opened(f);
	advise_on_suspect(f, &hops);
	if (client_comes_first(f->v->cause))
		prescribe_to(f, &hops, "client");
	prescribe_to(f, &hops, NULL);
	add_fixes_for_unseen(f, &hops); /* if that was not its turn yet */
	if (!f->v->reference[0] && f->v->confidence >= IN_DOUBT &&
	    f->v->confidence < SURE_ENOUGH)
		advise_to_look(f, &hops);
	f->at_last = true;
	prescribe_to(f, &hops, NULL);
	add_fixes_for_unseen(f, &hops);
}
