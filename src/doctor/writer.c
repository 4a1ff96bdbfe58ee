/* SPDX-License-Identifier: MIT */
/*
 * Who wrote the answer? A proxy, a CDN, or software that speaks WebSocket, as
 * why/stack.h recognises it; and whether anything stands in between at all. A
 * blind examination leaves the fingerprints out, and goes by fields alone.
 */
#include "doctor/finding_inner.h"

/* ---- who wrote it, and who passed it on ---- */

bool doctor_wrote(const struct doctor_probe *p, enum why_stack stack)
{
	return p->hops.writer >= 0 && p->hops.hop[p->hops.writer].stack == stack;
}

bool doctor_passed_by(const struct doctor_probe *p, enum why_stack stack)
{
	for (size_t i = 0; i < p->hops.n; i++)
		if (p->hops.hop[i].stack == stack)
			return true;
	return false;
}

/* An answer that only who relays has: what is behind does not answer. */
static bool is_of_gateway(const struct doctor_probe *p)
{
	return p->status >= 502 && p->status <= 504;
}

static void writer_by_layer(struct doctor_chart *chart,
			    const struct doctor_probe *p,
			    const struct why_hop *hop)
{
	static const enum why_stack asgi[] = {
		WHY_STACK_UVICORN, WHY_STACK_HYPERCORN, WHY_STACK_DAPHNE,
		WHY_STACK_FASTAPI};
	static const enum why_stack http_only[] = {
		WHY_STACK_PYTHON_HTTP, WHY_STACK_PHP,	   WHY_STACK_GUNICORN,
		WHY_STACK_LIGHTTPD,    WHY_STACK_WAITRESS, WHY_STACK_WEBRICK};
	static const enum why_stack frameworks[] = {
		WHY_STACK_EXPRESS, WHY_STACK_DJANGO, WHY_STACK_RAILS,
		WHY_STACK_NEXTJS};
	enum why_layer layer = why_stack(hop->stack)->layer;

	for (size_t i = 0; i < sizeof(frameworks) / sizeof(frameworks[0]); i++)
		if (hop->stack == frameworks[i])
			return;
	for (size_t i = 0; i < sizeof(asgi) / sizeof(asgi[0]); i++)
		if (hop->stack == asgi[i] && p->status == 403)
			doctor_note(
				chart, DOCTOR_F_WRITER_ASGI, p, NULL,
				"%s wrote the answer; it has one status for "
				"every refusal",
				hop->text);
	for (size_t i = 0; i < sizeof(http_only) / sizeof(http_only[0]); i++)
		if (hop->stack == http_only[i] && !is_of_gateway(p)) {
			doctor_note(chart, DOCTOR_F_WRITER_HTTP_ONLY, p, NULL,
				    "%s wrote the answer; it serves no "
				    "WebSocket by itself",
				    hop->text);
			return;
		}
	if (layer == WHY_LAYER_REVERSE_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_PROXY, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_CDN)
		doctor_note(chart, DOCTOR_F_WRITER_CDN, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_FORWARD_PROXY)
		doctor_note(chart, DOCTOR_F_WRITER_FORWARD, p, NULL,
			    "%s wrote the answer itself (%s)", hop->text,
			    hop->mark);
	if (layer == WHY_LAYER_APPLICATION)
		doctor_note(chart, DOCTOR_F_WRITER_APP, p, NULL,
			    "%s wrote the answer (%s)", hop->text, hop->mark);
}

/* Whether all proxies that are seen are such as hand an Upgrade on unasked. */
static bool forwards_unasked(const struct why_hops *h)
{
	bool any = false;

	for (size_t i = 0; i < h->n; i++) {
		enum why_stack stack = h->hop[i].stack;

		if (stack == WHY_STACK_CADDY || stack == WHY_STACK_HAPROXY)
			any = true;
		else if (why_stack(stack)->layer <= WHY_LAYER_REVERSE_PROXY)
			return false;
	}
	return any;
}

void doctor_find_writer(struct doctor_chart *chart, const struct doctor_probe *p)
{
	const struct why_hops *h = &p->hops;

	if (chart->blind || !p->status)
		return;
	if (h->writer >= 0 && (size_t)h->writer < h->n)
		writer_by_layer(chart, p, &h->hop[h->writer]);
	if (forwards_unasked(h) && (p->status < 500 || p->status == 501))
		doctor_note(chart, DOCTOR_F_FORWARDS_UNASKED, p, NULL,
			    "who stands in front hands an Upgrade on by "
			    "itself");
	for (size_t i = 0; i < h->n; i++) {
		enum why_layer layer = why_stack(h->hop[i].stack)->layer;

		if (layer == WHY_LAYER_CDN)
			doctor_note(chart, DOCTOR_F_CDN_SEEN, p, NULL,
				    "%s stands in between (%s)", h->hop[i].text,
				    h->hop[i].mark);
		if (layer == WHY_LAYER_REVERSE_PROXY && h->writer < 0)
			doctor_note(chart, DOCTOR_F_PROXY_SEEN, p, NULL,
				    "%s wrote the answer or passed it on (%s)",
				    h->hop[i].text, h->hop[i].mark);
		else if (layer == WHY_LAYER_REVERSE_PROXY && (int)i != h->writer)
			doctor_note(chart, DOCTOR_F_RELAYED, p, NULL,
				    "%s passed on an answer that another wrote "
				    "(%s)",
				    h->hop[i].text, h->hop[i].mark);
	}
}

/* ---- whether anybody is in between ---- */

/* Fields that only who stands in between adds. */
static bool has_relay_field(const struct doctor_probe *p)
{
	static const char *const names[] = {"Via",	     "X-Cache",
					    "Age",	     "X-Cache-Status",
					    "X-Proxy-Cache", "X-Served-By",
					    "X-Upstream",    "X-Forwarded-For"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ses_head_get(&p->parsed, names[i]).data)
			return true;
	return false;
}

static bool shows_proxy(const struct doctor_probe *p)
{
	for (size_t i = 0; i < p->hops.n; i++) {
		enum why_layer layer = why_stack(p->hops.hop[i].stack)->layer;

		if (layer == WHY_LAYER_REVERSE_PROXY ||
		    layer == WHY_LAYER_CDN || layer == WHY_LAYER_FORWARD_PROXY)
			return true;
	}
	return p->outcome == DOCTOR_ANSWERED && has_relay_field(p);
}

/*
 * Servers that cannot take an Upgrade, whatever runs in them. Where one of them
 * answers beside this path, the proxy has no WebSocket to pass one on to.
 */
static void find_files_behind(struct doctor_chart *chart,
			      const struct doctor_probe *base)
{
	static const enum why_stack unable[] = {
		WHY_STACK_PYTHON_HTTP, WHY_STACK_WEBRICK, WHY_STACK_WAITRESS};

	if (!doctor_found(chart, DOCTOR_F_GET_SAME_PAGE))
		return;
	for (size_t i = 0; i < chart->n_probes; i++) {
		const struct doctor_probe *p = chart->probe[i];

		if (p->trial.change != DOCTOR_PATH &&
		    p->trial.change != DOCTOR_PLAIN_GET_PATH)
			continue;
		for (size_t k = 0; k < sizeof(unable) / sizeof(unable[0]); k++)
			if (doctor_passed_by(p, unable[k]))
				doctor_note(chart, DOCTOR_F_FILES_BEHIND, p,
					    base,
					    "beside this page %s answers, "
					    "which takes no Upgrade",
					    why_stack(unable[k])->name);
	}
}

/* What Node says on a connection of its own; a proxy has its own there. */
static bool is_node_itself(const struct doctor_probe *p)
{
	return bytes_equal(ses_head_get(&p->parsed, "Keep-Alive"),
			   BYTES("timeout=5")) &&
	       bytes_equal_nocase(ses_head_get(&p->parsed, "Connection"),
				  BYTES("keep-alive"));
}

/* What software that speaks WebSocket says of a handshake without Upgrade. */
static bool lost_upgrade(const struct doctor_chart *chart)
{
	return doctor_found(chart, DOCTOR_F_GET_SAME_WS) ||
	       doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE);
}

/* CDNs that hand upgrades on for those customers only who switched it on. */
static bool is_off_by_default(enum why_stack stack)
{
	return stack == WHY_STACK_FASTLY || stack == WHY_STACK_AKAMAI ||
	       stack == WHY_STACK_AZURE_FRONT_DOOR;
}

/* Such a CDN, where no proxy is seen behind it. Varnish is Fastly's own. */
static const struct why_hop *edge_alone(const struct doctor_probe *p)
{
	const struct why_hop *edge = NULL;

	for (size_t i = 0; i < p->hops.n; i++) {
		const struct why_hop *h = &p->hops.hop[i];

		if (is_off_by_default(h->stack))
			edge = h;
		else if (why_stack(h->stack)->layer == WHY_LAYER_REVERSE_PROXY &&
			 h->stack != WHY_STACK_VARNISH)
			return NULL;
	}
	return edge;
}

/* A certificate made on the way, for whatever name is asked for. */
static bool is_of_inspection(const char *issuer)
{
	static const char *const words[] = {
		"inspect", "intercept", "decrypt",   "mitm",	  "firewall",
		"gateway", "proxy",	"zscaler",   "fortinet",  "fortigate",
		"sophos",  "netskope",	"blue coat", "forcepoint"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(bytes_of_str(issuer),
					  bytes_of_str(words[i])))
			return true;
	return false;
}

/* The words are a CDN's own, or of what is behind it: nobody else is seen. */
static void find_edge_says_off(struct doctor_chart *chart,
			       const struct doctor_probe *base)
{
	bool cdn = false;

	if (chart->blind || !doctor_found(chart, DOCTOR_F_SAYS_NO_WEBSOCKET))
		return;
	for (size_t i = 0; i < base->hops.n; i++)
		if (why_stack(base->hops.hop[i].stack)->layer == WHY_LAYER_CDN)
			cdn = true;
		else
			return;
	if (cdn)
		doctor_note(chart, DOCTOR_F_EDGE_SAYS_OFF, base, NULL,
			    "nobody but %s is seen to have written that",
			    base->hops.hop[0].text);
}

static void find_lost_on_way(struct doctor_chart *chart,
			     const struct doctor_probe *base)
{
	const struct why_hop *edge = edge_alone(base);

	if (base->outcome != DOCTOR_ANSWERED || !lost_upgrade(chart))
		return;
	if (is_of_inspection(base->dial.tls.issuer))
		doctor_note(chart, DOCTOR_F_INSPECTED, base, NULL,
			    "the certificate was issued by \"%s\", as those "
			    "are that inspect TLS on the way",
			    base->dial.tls.issuer);
	else if (edge && !chart->blind)
		doctor_note(chart, DOCTOR_F_LOST_AT_EDGE, base, NULL,
			    "the server behind %s was asked without an "
			    "Upgrade, which that hands on only where it is "
			    "switched on",
			    edge->text);
	else if (base->status == 400 && !shows_proxy(base) && !chart->blind &&
		 !doctor_found(chart, DOCTOR_F_SAYS_NO_UPGRADE))
		doctor_note(chart, DOCTOR_F_LOST_UNSEEN, base, NULL,
			    "no reverse proxy is seen that could have lost the "
			    "Upgrade");
}

/*
 * Proxies can be quiet; yet where nothing in any answer is a proxy's, and the
 * server behind does not speak of an Upgrade that it missed, there may be none.
 */
void doctor_find_no_proxy(struct doctor_chart *chart,
			  const struct doctor_probe *base)
{
	static const enum doctor_finding_kind missed[] = {
		DOCTOR_F_SAYS_NO_UPGRADE,    DOCTOR_F_SAYS_HTTP10,
		DOCTOR_F_SAYS_RELAY,	     DOCTOR_F_ASGI_404,
		DOCTOR_F_SAYS_CONNECTOR,     DOCTOR_F_ACTIONCABLE_404,
		DOCTOR_F_VERSION_13_LISTED,  DOCTOR_F_GET_SAME_WS,
		DOCTOR_F_SAYS_UPGRADE_FAILED};

	if (!chart->blind)
		find_files_behind(chart, base);
	find_lost_on_way(chart, base);
	find_edge_says_off(chart, base);
	if (base->outcome != DOCTOR_ANSWERED || base->status == 426 ||
	    base->status == 502 || base->status >= 504 || chart->c->proxy ||
	    chart->config)
		return;
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++)
		if (doctor_found(chart, missed[i]) &&
		    /* a page of software that can be told to do without */
		    !(missed[i] == DOCTOR_F_GET_SAME_WS && base->status == 200))
			return;
	for (size_t i = 0; i < chart->n_probes; i++)
		if (chart->blind ? has_relay_field(chart->probe[i])
				 : shows_proxy(chart->probe[i]))
			return;
	if (!chart->blind)
		doctor_note(chart, DOCTOR_F_NO_PROXY_SIGN, base, NULL,
			    "nothing in the answers is a proxy's");
	if (!chart->blind && base->status / 100 == 2 && is_node_itself(base))
		doctor_note(chart, DOCTOR_F_NODE_ITSELF, base, NULL,
			    "Node itself keeps this connection (Keep-Alive: "
			    "timeout=5)");
	if (chart->blind && (base->status / 100 == 2 || base->status == 405))
		doctor_note(chart, DOCTOR_F_NO_RELAY_FIELD, base, NULL,
			    "no answer has a field that a relay adds");
}
