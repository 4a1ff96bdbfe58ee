/* SPDX-License-Identifier: MIT */
/*
 * What is wrong for WebSockets in a configuration of HAProxy. The way is
 * frontend, its http-request rules, use_backend in order, then the backend's
 * rules. With 2.6 neither httpclose nor http-server-close harms a WebSocket,
 * though old advice says so; forceclose and http-tunnel are refused as unknown.
 */
#include "lint/haproxy.h"

#include <stdio.h>
#include <stdlib.h>

#define SHORT_MS 60000

/* Whether the section itself says that WebSockets come by. */
static bool section_smells(const struct haproxy *h,
			   const struct lint_node *section)
{
	const struct lint_node *n;
	char text[2048];

	if (lint_smells(lint_arg(section, 0)))
		return true;
	for (n = section->first; n && !haproxy_tired(h); n = n->next) {
		haproxy_join(n, text, sizeof(text));
		if (haproxy_about_upgrade(text) ||
		    (strcmp(n->name, "timeout") == 0 &&
		     strcmp(lint_arg(n, 0), "tunnel") == 0))
			return true;
		if ((strcmp(n->name, "acl") == 0 ||
		     strcmp(n->name, "use_backend") == 0) &&
		    haproxy_is(section, "listen") && lint_smells(text))
			return true;
	}
	return false;
}

/* ---- what a way is like ---- */

static const struct lint_node *ssl_bind(const struct lint_node *front)
{
	const struct lint_node *n, *last = NULL;
	size_t i;

	for (n = front->first; n; n = n->next)
		for (i = 1; strcmp(n->name, "bind") == 0 && i < n->n_args; i++)
			if (strcmp(n->arg[i], "ssl") == 0)
				last = n;
	return last;
}

/* What the section tells of the scheme: NULL, or the last rule about it. */
static const struct lint_node *scheme_rule(const struct haproxy *h,
					   const struct lint_node *section)
{
	const struct lint_node *n, *found = NULL;
	int depth;

	for (depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		for (n = section->first; n && !haproxy_tired(h); n = n->next)
			if (strcmp(n->name, "http-request") == 0 &&
			    lint_same(lint_arg(n, 1), "X-Forwarded-Proto") &&
			    strcmp(lint_arg(n, 0), "del-header") != 0 &&
			    (!found || lint_holds(lint_arg(n, 2), "https")))
				found = n;
		section = haproxy_defaults(h, section);
	}
	return found;
}

static void judge_scheme(const struct haproxy_way *w)
{
	const struct lint_node *bind = ssl_bind(w->front), *rule;
	struct lint_finding *f;

	if (!bind)
		return;
	rule = scheme_rule(w->h, w->front);
	if (!rule && w->back)
		rule = scheme_rule(w->h, w->back);
	if (!rule) {
		f = haproxy_note(
			w, LINT_SCHEME_LOST, bind, w->sure,
			"what is behind is not told that the client came over "
			"TLS, so it takes the page's https:// for a foreign "
			"origin");
		haproxy_put_below(
			w->run, f, bind,
			"http-request set-header X-Forwarded-Proto https if "
			"{ ssl_fc }");
	} else if (lint_same(lint_arg(rule, 2), "http") &&
		   !haproxy_condition(rule)) {
		f = haproxy_note(
			w, LINT_SCHEME_LOST, rule, w->sure,
			"the client came over TLS, and what is behind is told "
			"that it did not");
		haproxy_put_instead(
			w->run, f, rule,
			"http-request set-header X-Forwarded-Proto https if "
			"{ ssl_fc }");
	}
}

static int64_t span_of(const struct lint_node *n)
{
	return n ? lint_duration_ms(lint_arg(n, 1), 1) : -1;
}

static bool leads_on(const struct lint_node *front)
{
	return lint_child(front, "use_backend", NULL) ||
	       lint_child(front, "default_backend", NULL);
}

/* Whether @section takes over what stands in @from, or is it. */
static bool takes_over(const struct haproxy *h, const struct lint_node *section,
		       const struct lint_node *from)
{
	for (int depth = 0; section && depth < LINT_MAX_DEPTH; depth++) {
		if (section == from)
			return true;
		section = haproxy_defaults(h, section);
	}
	return false;
}

static void judge_timeout(const struct haproxy_way *w)
{
	const struct lint_node *back = w->back ? w->back : w->front;
	const struct lint_node *tunnel =
		haproxy_setting(w->h, back, "timeout", "tunnel");
	const struct lint_node *client =
		haproxy_setting(w->h, w->front, "timeout", "client");
	const struct lint_node *server =
		haproxy_setting(w->h, back, "timeout", "server");
	const struct lint_node *at = tunnel;
	int64_t ms = span_of(tunnel);
	struct lint_finding *f;
	char span[32], text[256];

	if (!w->back && leads_on(w->front)) /* who knows what it has? */
		return;
	if (!tunnel) {
		at = server;
		ms = span_of(server);
		if (span_of(client) > 0 && (ms <= 0 || span_of(client) < ms)) {
			at = client;
			ms = span_of(client);
		}
	}
	if (!at || ms <= 0 || ms > SHORT_MS)
		return;
	snprintf(text, sizeof(text),
		 tunnel ? "a WebSocket in which nobody speaks for %s is cut"
			: "without timeout tunnel a WebSocket in which nobody "
			  "speaks for %s is cut",
		 lint_duration_text(ms, span, sizeof(span)));
	f = haproxy_note(w, LINT_SHORT_TIMEOUT, at, w->sure, text);
	if (tunnel)
		haproxy_put_instead(w->run, f, tunnel, "timeout tunnel 1h");
	else if (takes_over(w->h, back, at->parent))
		haproxy_put_below(w->run, f, at, "timeout tunnel 1h");
	else /* that of the frontend, which takes no timeout tunnel */
		haproxy_put_below(w->run, f, back, "timeout tunnel 1h");
}

static const char *option_of(const struct lint_node *n, const char *name)
{
	size_t i;

	for (i = 1; i + 1 < n->n_args; i++)
		if (strcmp(n->arg[i], name) == 0)
			return n->arg[i + 1];
	return "";
}

static void judge_version(const struct haproxy_way *w, const struct lint_node *n)
{
	const char *alpn = option_of(n, "alpn");
	bool server = strcmp(n->name, "server") == 0;
	struct lint_finding *f;
	struct bytes line = lint_line(w->run, n->file, n->line);

	if (server && *option_of(n, "ws") == '\0' &&
	    (strcmp(option_of(n, "proto"), "h2") == 0 ||
	     strcmp(alpn, "h2") == 0)) {
		f = haproxy_note(
			w, LINT_HTTP_VERSION, n, w->sure,
			"the server behind is spoken to in HTTP/2 alone; most "
			"do not take WebSockets over it");
		lint_fix(f, "ws h1");
		if (!line.len || !memchr(line.data, '#', line.len))
			lint_append(w->run, f, n, " ws h1");
	} else if (!server && strcmp(alpn, "h2") == 0) {
		f = haproxy_note(
			w, LINT_HTTP_VERSION, n, w->sure,
			"clients that speak HTTP/1.1 alone, as most WebSocket "
			"clients do, find no common protocol here");
		haproxy_swap(w->run, f, n, "alpn h2", "alpn h2,http/1.1");
	}
}

static void judge_lines(const struct haproxy_way *w,
			const struct lint_node *section)
{
	const struct lint_node *n;

	for (n = section->first; n && !haproxy_tired(w->h); n = n->next) {
		if (strcmp(n->name, "server") == 0 ||
		    strcmp(n->name, "default-server") == 0 ||
		    strcmp(n->name, "bind") == 0)
			judge_version(w, n);
		if (strcmp(n->name, "http-send-name-header") == 0 &&
		    lint_same(lint_arg(n, 0), "Host"))
			lint_delete(
				w->run,
				haproxy_note(w, LINT_HOST_REPLACED, n, w->sure,
					     "the server behind gets its "
					     "own name as Host, so one that "
					     "compares Origin with Host "
					     "refuses browsers"),
				n->file, n->line);
		if (strcmp(n->name, "bind") == 0 &&
		    strcmp(option_of(n, "verify"), "required") == 0)
			lint_fix(haproxy_note(
					 w, LINT_CERTIFICATE_RULE, n, w->sure,
					 "a client without a certificate is "
					 "refused "
					 "in the TLS handshake"),
				 "verify optional");
	}
}

/* Rules about HTTP, in a section that does not read HTTP. */
static void judge_mode(const struct haproxy_way *w,
		       const struct lint_node *section)
{
	const struct lint_node *mode =
		haproxy_setting(w->h, section, "mode", NULL);
	const struct lint_node *n, *rule = NULL;
	struct lint_finding *f;
	char text[2048], told_text[256];

	/* Without any mode it is tcp, but a fragment may take its from elsewhere. */
	if (mode ? strcmp(lint_arg(mode, 0), "tcp") != 0
		 : !haproxy_defaults(w->h, section))
		return;
	for (n = section->first; n && !rule && !haproxy_tired(w->h);
	     n = n->next) {
		haproxy_join(n, text, sizeof(text));
		if (strcmp(n->name, "http-request") == 0 ||
		    (strcmp(n->name, "acl") == 0 &&
		     (lint_holds(text, "hdr(") || lint_holds(text, " path"))) ||
		    (strcmp(n->name, "use_backend") == 0 &&
		     (lint_holds(text, "hdr(") || lint_holds(text, " path"))))
			rule = n;
	}
	if (!rule)
		return;
	snprintf(told_text, sizeof(told_text),
		 "in mode tcp nobody waits for the head of a request, so line "
		 "%u (%s) works by chance at best",
		 rule->line, rule->name);
	f = haproxy_note(w, LINT_ENGINE_OFF, mode ? mode : section,
			 mode != NULL && (w->sure || haproxy_about_upgrade(text)),
			 told_text);
	if (mode)
		haproxy_put_instead(w->run, f, mode, "mode http");
	else
		haproxy_put_below(w->run, f, section, "mode http");
}

/* Whether rules of the section give the request another path. */
static bool changes_path(const struct haproxy *h,
			 const struct lint_node *section)
{
	static const char *const verbs[] = {
		"set-path",	 "set-pathq",	"set-uri",	 "replace-path",
		"replace-pathq", "replace-uri", "normalize-uri", NULL};
	const struct lint_node *n;

	for (n = section->first; n && !haproxy_tired(h); n = n->next)
		if (strcmp(n->name, "http-request") == 0 &&
		    haproxy_one_of(lint_arg(n, 0), verbs))
			return true;
	return false;
}

static void judge_way(const struct haproxy_way *w)
{
	bool before = w->h->path_changed;

	judge_mode(w, w->front);
	haproxy_judge_rules(w, w->front);
	judge_lines(w, w->front);
	judge_scheme(w);
	judge_timeout(w);
	if (w->back && w->back != w->front) {
		w->h->path_changed |= changes_path(w->h, w->back);
		haproxy_judge_rules(w, w->back);
		judge_lines(w, w->back);
		w->h->path_changed = before;
	}
}

/* ---- routing ---- */

static bool binds_port(const struct lint_node *bind, unsigned port)
{
	const char *at = lint_arg(bind, 0), *colon;
	bool found = false;

	/* bind 10.0.0.1:80,10.0.0.2:8000-8010 */
	while (at && !found) {
		char *end;
		unsigned long first, last;

		colon = strchr(at, ',');
		colon = colon ? colon : at + strlen(at);
		while (colon > at && *colon != ':')
			colon--;
		first = *colon == ':' ? strtoul(colon + 1, &end, 10) : 0;
		last = *colon == ':' && *end == '-' ? strtoul(end + 1, NULL, 10)
						    : first;
		found = first && port >= first && port <= last;
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return found;
}

static const struct lint_node *choose_front(const struct haproxy *h)
{
	const struct lint_request *q = h->run->request;
	const struct lint_node *n, *bind, *same_tls = NULL, *any = NULL;

	for (n = h->run->root->first; n && !haproxy_tired(h); n = n->next) {
		bool door =
			haproxy_is(n, "frontend") || haproxy_is(n, "listen");
		bool tls = ssl_bind(n) != NULL;

		if (!door)
			continue;
		for (bind = n->first; bind && !haproxy_tired(h);
		     bind = bind->next)
			if (strcmp(bind->name, "bind") == 0 &&
			    binds_port(bind, q->port))
				return n;
		any = any ? any : n;
		if (tls == q->tls)
			same_tls = same_tls ? same_tls : n;
	}
	return same_tls ? same_tls : any;
}

/* Whether the use_backend takes the request. What names its backend as it comes
 * ("%[...]") is passed by when there is none of that name. */
static enum lint_truth takes(const struct haproxy *h,
			     const struct lint_node *front,
			     const struct lint_node *n)
{
	enum lint_truth hit = haproxy_holds(h, front, n);

	return strchr(lint_arg(n, 0), '%') ? lint_and(hit, LINT_PERHAPS) : hit;
}

/* The first path that a condition names: what its WebSockets ask for. */
static bool path_in(const struct haproxy *h, const struct lint_node *section,
		    const struct lint_node *n, char *out, size_t size)
{
	char text[2048];
	const char *at;

	haproxy_condition_text(h, section, n, text, sizeof(text));
	at = strstr(text, " /");
	if (!at || !lint_holds(text, "path"))
		return false;
	snprintf(out, size, "%.*s", (int)strcspn(at + 1, " "), at + 1);
	return true;
}

/* Lines that go up together: a rule, and the acls that it names. */
struct moving {
	const struct haproxy_way *w;
	const struct lint_node *late, *early;
	struct lint_finding *f;
	bool is_near; /* all of it stands in the file of @early */
	bool is_long; /* and is too long to be moved */
	char text[2048];
};

static void move_line(struct moving *m, const struct lint_node *n)
{
	struct bytes line = lint_line(m->w->run, n->file, n->line);
	size_t used = strlen(m->text);

	m->is_long |= line.len + 2 > sizeof(m->text) - used;
	snprintf(m->text + used, sizeof(m->text) - used, "%s%.*s",
		 used ? "\n" : "", (int)line.len, (const char *)line.data);
	if (m->is_near)
		lint_delete(m->w->run, m->f, n->file, n->line);
}

/* HAProxy knows an acl from its line on, and does not start before. */
static void move_acl(void *ctx, const char *name)
{
	struct moving *m = ctx;
	const struct lint_node *n;

	for (n = m->early->next; n && n != m->late; n = n->next)
		if (strcmp(n->name, "acl") == 0 &&
		    strcmp(lint_arg(n, 0), name) == 0)
			move_line(m, n);
}

static void judge_order(const struct haproxy_way *w,
			const struct lint_node *late,
			const struct lint_node *early)
{
	struct moving m = {.w = w,
			   .late = late,
			   .early = early,
			   .is_near = strcmp(late->file, early->file) == 0};
	char text[256];

	snprintf(text, sizeof(text),
		 "use_backend of line %u takes this first, so WebSockets never "
		 "get here; put this above it",
		 early->line);
	m.f = haproxy_note(w, LINT_ORDER, late, true, text);
	haproxy_each_name(late, move_acl, &m);
	move_line(&m, late);
	lint_fix(m.f, "%s", m.text);
	if (m.is_near)
		lint_insert(w->run, m.f, early->file, early->line - 1, "%s",
			    m.text);
	if (m.is_long)
		lint_no_edits(m.f);
}

/* A rule for WebSockets behind one that takes everything they could be. */
static void check_order(struct haproxy_way *w, const struct lint_node *front)
{
	const struct lint_request *real = w->h->request;
	const struct lint_node *late, *early;

	for (late = front->first; late && !haproxy_tired(w->h);
	     late = late->next) {
		struct lint_request made = {0};
		char path[256];

		if (strcmp(late->name, "use_backend") != 0 ||
		    !haproxy_is_ws(w->h, front, late))
			continue;
		if (!real && path_in(w->h, front, late, path, sizeof(path))) {
			made.path = path;
			made.tls = ssl_bind(front) != NULL;
			w->h->request = &made;
		}
		for (early = front->first;
		     early != late && !haproxy_tired(w->h); early = early->next)
			if (strcmp(early->name, "use_backend") == 0 &&
			    strcmp(lint_arg(early, 0), lint_arg(late, 0)) != 0 &&
			    takes(w->h, front, early) == LINT_YES &&
			    haproxy_holds(w->h, front, late) != LINT_NO) {
				judge_order(w, late, early);
				break;
			}
		w->h->request = real;
	}
}

static const struct lint_node *first_backend(struct haproxy *h)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n && !haproxy_tired(h); n = n->next)
		if (haproxy_is(n, "backend"))
			return n;
	return NULL;
}

/* The rule of @front that takes the request for sure, or NULL; whether one
 * before it might. */
static const struct lint_node *
taking_rule(struct haproxy *h, const struct lint_node *front, bool *ret_perhaps)
{
	const struct lint_node *n;

	*ret_perhaps = false;
	for (n = front->first; n; n = n->next) {
		enum lint_truth hit;

		if (strcmp(n->name, "use_backend") != 0)
			continue;
		hit = takes(h, front, n);
		*ret_perhaps |= hit == LINT_PERHAPS;
		if (hit == LINT_YES)
			return n;
	}
	return NULL;
}

static void judge_request(struct haproxy *h)
{
	struct haproxy_way w = {.h = h, .run = h->run, .sure = true};
	const struct lint_node *n, *by;
	struct lint_finding *f;
	bool perhaps = false;

	w.front = choose_front(h);
	if (!w.front) /* a part of a configuration */
		w.front = w.back = first_backend(h);
	if (!w.front)
		return;
	h->path_changed = changes_path(h, w.front);
	by = taking_rule(h, w.front, &perhaps);
	if (!by)
		by = haproxy_setting(h, w.front, "default_backend", NULL);
	if (by)
		w.back = haproxy_backend(h, lint_arg(by, 0));
	else if (lint_child(w.front, "server", NULL) ||
		 haproxy_is(w.front, "listen"))
		w.back = w.front;
	w.sure = !perhaps;
	check_order(&w, w.front);
	judge_way(&w);
	if (!by && !w.back) {
		f = haproxy_note(
			&w, LINT_NO_ROUTE, w.front, !perhaps,
			"no use_backend takes this request and there is no "
			"default_backend: the answer is 503");
		lint_fix(f, "default_backend BACKEND");
	}
	n = w.back && w.back->n_args ? w.back : by ? by : w.front;
	snprintf(h->run->report->route, sizeof(h->run->report->route),
		 "%s:%u %s %s", n->file, n->line, n->name, lint_arg(n, 0));
}

/* ---- everywhere ---- */

static bool leads_ws(const struct haproxy *h, const struct lint_node *front,
		     const struct lint_node *n)
{
	const struct lint_node *back = haproxy_backend(h, lint_arg(n, 0));

	return haproxy_is_ws(h, front, n) || (back && section_smells(h, back));
}

static void judge_front(struct haproxy *h, const struct lint_node *front)
{
	struct haproxy_way w = {.h = h, .run = h->run, .front = front};
	const struct lint_node *n;
	bool smells = section_smells(h, front), separate = false;
	size_t ways = 0;

	h->path_changed = changes_path(h, front);
	for (n = front->first; n && !haproxy_tired(h); n = n->next)
		separate |= strcmp(n->name, "use_backend") == 0 &&
			    leads_ws(h, front, n);
	w.sure = smells || separate;
	check_order(&w, front);
	for (n = front->first; n && ways < 64 && !haproxy_tired(h); n = n->next) {
		if (strcmp(n->name, "use_backend") != 0 &&
		    strcmp(n->name, "default_backend") != 0)
			continue;
		w.back = haproxy_backend(h, lint_arg(n, 0));
		w.sure = leads_ws(h, front, n) || (smells && !separate);
		/* What is not for WebSockets where others are: not judged. */
		if (separate && !w.sure)
			continue;
		judge_way(&w);
		ways++;
	}
	if (!ways) {
		w.back = haproxy_is(front, "listen") ? front : NULL;
		judge_way(&w);
	}
}

static bool has_door(const struct haproxy *h)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n; n = n->next)
		if (haproxy_is(n, "frontend"))
			return true;
	return false;
}

static void judge_buffer(struct haproxy *h, const struct lint_node *global)
{
	const struct lint_node *size = lint_child(global, "tune.bufsize", NULL);

	if (size && atol(lint_arg(size, 0)) < 8192)
		lint_note(h->run, LINT_HEADER_LIMIT, size, false, "global",
			  "the head of a request, cookies and all, has to fit "
			  "into this buffer; 16384 is usual");
}

void haproxy_judge(struct haproxy *h)
{
	const struct lint_node *n;

	for (n = h->run->root->first; n; n = n->next) {
		if (haproxy_is_proxy(n))
			haproxy_check_names(h, n);
		if (haproxy_is_proxy(n) || haproxy_is(n, "defaults"))
			haproxy_judge_outdated(h->run, n);
		if (haproxy_is(n, "global"))
			judge_buffer(h, n);
	}
	if (h->run->request) {
		judge_request(h);
		return;
	}
	for (n = h->run->root->first; n; n = n->next) {
		if (haproxy_is(n, "frontend") || haproxy_is(n, "listen"))
			judge_front(h, n);
		else if (haproxy_is(n, "backend") && !has_door(h)) {
			struct haproxy_way w = {h, h->run, n, n,
						section_smells(h, n)};

			judge_way(&w);
		}
	}
}
