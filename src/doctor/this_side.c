/* SPDX-License-Identifier: MIT */
/*
 * Remedies for what stands before the server, whose rules are not what has to
 * change: a forward proxy, a resolver, an Origin that is none, a lost key. The
 * cause alone does not show it, so these are no rows of why/remedies.def. Each
 * table ends with an empty row.
 */
#include "doctor/facts.h"

#include <netdb.h>

#include "doctor/harvest.h"
#include "doctor/result.h"

#define OR_START_IT                                                     \
	{                                                               \
		.who = "proxy",                                         \
		.what = "Or start it. Whether it runs, and at which "   \
			"address and port it listens, its own machine " \
			"tells.",                                       \
		.where = "the proxy's machine", .snippet = "ss -ltnp",  \
	}

/* A forward proxy that is not there: it was named by an option, */
static const struct why_remedy for_proxy_of_option[] = {
	{.who = "client",
	 .what = "Go without it, or name the proxy that is there.",
	 .where = "--proxy, or --no-proxy",
	 .snippet = "sesame doctor --no-proxy {url}"},
	OR_START_IT,
	{0},
};

/* or by the environment, perhaps long ago. */
static const struct why_remedy for_proxy_of_variable[] = {
	{.who = "client",
	 .what = "Go without it for this host, or for all: unset {variable} "
		 "(sesame's option for that is --no-proxy).",
	 .where = "the environment",
	 .snippet = "export no_proxy=\"$no_proxy,{host}\""},
	{.who = "client",
	 .what = "Or write the proxy that is there into {variable}.",
	 .where = "the environment"},
	OR_START_IT,
	{0},
};

/* A forward proxy that is of another kind than its URL says, */
static const struct why_remedy for_proxy_of_other_kind[] = {
	{.who = "client",
	 .what = "Name it by what it speaks.",
	 .where = "--proxy, or the variable that names it",
	 .snippet = "sesame doctor --proxy {proxy_try} {url}"},
	{.who = "client",
	 .what = "Or go without it for this host.",
	 .where = "--no-proxy, or the variable no_proxy",
	 .snippet = "sesame doctor --no-proxy {url}"},
	{0},
};

/* or of none at all. */
static const struct why_remedy for_no_proxy_there[] = {
	{.who = "client",
	 .what = "Go without it, or name the port at which the proxy is.",
	 .where = "--proxy and --no-proxy, or the variables proxy and no_proxy",
	 .snippet = "sesame doctor --no-proxy {url}"},
	{0},
};

/* The Upgrade arrives, and the key does not: whose line it is, nobody shows. */
#define KEY_AS_IT_CAME                                                   \
	"Pass Sec-WebSocket-Key on as it came: take away the line that " \
	"deletes it, sets it or keeps only fields of a list."
static const struct why_remedy for_lost_key[] = {
	{.stack = WHY_STACK_HAPROXY,
	 .who = "proxy",
	 .what = KEY_AS_IT_CAME,
	 .where = "frontend and backend: http-request",
	 .snippet = "# remove: http-request del-header Sec-WebSocket-...\n"
		    "# remove: http-request set-header Sec-WebSocket-..."},
	{.stack = WHY_STACK_NGINX,
	 .who = "proxy",
	 .what = KEY_AS_IT_CAME,
	 .where = "location, server or http: proxy_set_header",
	 .snippet = "# remove: proxy_set_header Sec-WebSocket-...\n"
		    "# remove: proxy_pass_request_headers off"},
	{.stack = WHY_STACK_APACHE,
	 .who = "proxy",
	 .what = KEY_AS_IT_CAME,
	 .where = "virtual host or Location: RequestHeader",
	 .snippet = "# remove: RequestHeader unset Sec-WebSocket-...\n"
		    "# remove: RequestHeader set Sec-WebSocket-..."},
	{0},
};

/* A resolver that is mute says nothing about the name. */
static const struct why_remedy for_mute_resolver[] = {
	{.who = "client",
	 .what = "See which resolver this machine asks, and whether it answers "
		 "for any other name.",
	 .where = "the shell",
	 .snippet = "cat /etc/resolv.conf\ngetent hosts {host}"},
	{.who = "network",
	 .what = "If it answers for none, open the way to it (port 53, UDP and "
		 "TCP; a VPN may have to be up), or name one that answers.",
	 .where = "/etc/resolv.conf, or whatever writes it"},
	{.who = "network",
	 .what = "If it answers for others, the name servers of this domain "
		 "are what does not answer.",
	 .where = "the shell",
	 .snippet = "dig +trace {host}"},
	{0},
};

static const struct why_remedy for_untrusted_proxy[] = {
	{.who = "client",
	 .what = "Give the proxy's authority to the client; do not switch "
		 "verification off.",
	 .where = "the client's trust store",
	 .snippet = "sesame doctor --proxy-cacert ca.pem {url}"},
	{.who = "proxy",
	 .what = "Or let the proxy send its full chain, its own certificate "
		 "first and then the intermediates, from an authority that "
		 "clients know."},
	{0},
};

/* What no list can name is mended where it is made. */
static const struct why_remedy for_no_origin[] = {
	{.who = "client",
	 .what = "Send an origin as browsers do: scheme, host and port, and "
		 "nothing behind. A program that is no page may send none.",
	 .where = "Origin",
	 .snippet = "Origin: {mended}"},
	{.who = "server",
	 .what = "If that one is refused as well, it is what is missing on the "
		 "list; what was sent is no entry for it.",
	 .where = "the server's list of allowed origins"},
	{0},
};

/* Whatever the name is, the door opens, and behind it stands another room. */
static const struct why_remedy for_any_name[] = {
	{.who = "client",
	 .what = "Put the name that the application means in the place of "
		 "NAME. The server takes every name, so a wrong one opens as "
		 "well, where nobody else may be.",
	 .where = "the URL"},
	{0},
};

static bool is_mute_resolver(const struct doctor_facts *f)
{
	int code = f->base ? doctor_name_error(f->base) : 0;

	return f->v->cause == WHY_NET_DNS &&
	       (code == EAI_AGAIN || code == EAI_FAIL);
}

const struct why_remedy *
doctor_remedies_on_this_side(const struct doctor_facts *f)
{
	const char *from = f->chart->c->proxy_from;

	if (doctor_missed_proxy(f))
		return from && from[0] != '-' ? for_proxy_of_variable
					      : for_proxy_of_option;
	if (doctor_mistook_proxy(f))
		return f->proxy_try[0] ? for_proxy_of_other_kind
				       : for_no_proxy_there;
	if (doctor_lost_key(f))
		return for_lost_key;
	if (doctor_sent_no_origin(f))
		return for_no_origin;
	if (f->v->cause == WHY_URL_PATH && f->key &&
	    doctor_any_name_opens(f->chart))
		return for_any_name;
	if (is_mute_resolver(f))
		return for_mute_resolver;
	if (f->base && doctor_is_proxy_tls(f->base) &&
	    f->v->cause == WHY_TLS_UNTRUSTED)
		return for_untrusted_proxy;
	return NULL;
}
