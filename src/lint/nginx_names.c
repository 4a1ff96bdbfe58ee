/* SPDX-License-Identifier: MIT */
/*
 * The variables that nginx has, and those that a configuration makes. They are
 * collected once, since a configuration may ask for them a hundred thousand
 * times; regular expressions are tried so often and no more.
 */
#include <sesame/error.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "lint/nginx.h"

#define MAX_REGEXES 4000
#define MAX_NEAR    512 /* names that a typo is compared with */

static const char *const known[] = {
	"ancient_browser",
	"args",
	"binary_remote_addr",
	"body_bytes_sent",
	"bytes_received",
	"bytes_sent",
	"connection",
	"connection_requests",
	"connection_time",
	"connections_active",
	"connections_reading",
	"connections_waiting",
	"connections_writing",
	"content_length",
	"content_type",
	"date_gmt",
	"date_local",
	"document_root",
	"document_uri",
	"fastcgi_path_info",
	"fastcgi_script_name",
	"geoip_area_code",
	"geoip_city",
	"geoip_city_continent_code",
	"geoip_city_country_code",
	"geoip_city_country_code3",
	"geoip_city_country_name",
	"geoip_country_code",
	"geoip_country_code3",
	"geoip_country_name",
	"geoip_dma_code",
	"geoip_latitude",
	"geoip_longitude",
	"geoip_org",
	"geoip_postal_code",
	"geoip_region",
	"geoip_region_name",
	"gzip_ratio",
	"host",
	"hostname",
	"http2",
	"http3",
	"https",
	"invalid_referer",
	"is_args",
	"is_request_port",
	"limit_conn_status",
	"limit_rate",
	"limit_req_status",
	"memcached_key",
	"modern_browser",
	"msec",
	"msie",
	"nginx_version",
	"pid",
	"pipe",
	"proxy_add_x_forwarded_for",
	"proxy_host",
	"proxy_internal_body_length",
	"proxy_port",
	"proxy_protocol_addr",
	"proxy_protocol_port",
	"proxy_protocol_server_addr",
	"proxy_protocol_server_port",
	"query_string",
	"quic",
	"realip_remote_addr",
	"realip_remote_port",
	"realpath_root",
	"remote_addr",
	"remote_port",
	"remote_user",
	"request",
	"request_body",
	"request_body_file",
	"request_completion",
	"request_filename",
	"request_id",
	"request_length",
	"request_method",
	"request_port",
	"request_time",
	"request_uri",
	"scheme",
	"secure_link",
	"secure_link_expires",
	"server_addr",
	"server_name",
	"server_port",
	"server_protocol",
	"session_log_binary_id",
	"session_log_id",
	"slice_range",
	"spdy",
	"spdy_request_priority",
	"ssl_alpn_protocol",
	"ssl_cipher",
	"ssl_ciphers",
	"ssl_client_cert",
	"ssl_client_escaped_cert",
	"ssl_client_fingerprint",
	"ssl_client_i_dn",
	"ssl_client_i_dn_legacy",
	"ssl_client_raw_cert",
	"ssl_client_s_dn",
	"ssl_client_s_dn_legacy",
	"ssl_client_serial",
	"ssl_client_v_end",
	"ssl_client_v_remain",
	"ssl_client_v_start",
	"ssl_client_verify",
	"ssl_curve",
	"ssl_curves",
	"ssl_early_data",
	"ssl_protocol",
	"ssl_server_name",
	"ssl_session_id",
	"ssl_session_reused",
	"ssl_sigalg",
	"ssl_client_sigalg",
	"ssl_preread_alpn_protocols",
	"ssl_preread_protocol",
	"ssl_preread_server_name",
	"status",
	"tcpinfo_rcv_space",
	"tcpinfo_rtt",
	"tcpinfo_rttvar",
	"tcpinfo_snd_cwnd",
	"time_iso8601",
	"time_local",
	"uid_got",
	"uid_reset",
	"uid_set",
	"upstream_addr",
	"upstream_bytes_received",
	"upstream_bytes_sent",
	"upstream_cache_status",
	"upstream_connect_time",
	"upstream_first_byte_time",
	"upstream_header_time",
	"upstream_last_server_name",
	"upstream_queue_time",
	"upstream_response_length",
	"upstream_response_time",
	"upstream_session_time",
	"upstream_status",
	"uri",
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

/* Families of variables, and modules that bring their own. */
static const char *const families[] = {
	"http_",
	"sent_http_",
	"upstream_http_",
	"upstream_cookie_",
	"cookie_",
	"arg_",
	"sent_trailer_",
	"upstream_trailer_",
	"jwt_",
	"geoip2_",
	"brotli_",
	"zstd_",
	"otel_",
	"opentelemetry_",
	"opentracing_",
	"modsecurity_",
	"lua_",
	"pagespeed",
	"upload_",
	"rtmp_",
	"vts_",
	"session_log_",
	"acme_",
	"oidc_",
	"proxy_protocol_tlv_",
	"secure_",
	"spnego_",
};

/* ---- the names in a text ---- */

static size_t name_len(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

bool nginx_next_variable(const char **text, struct bytes *ret)
{
	const char *at = *text;

	while ((at = strchr(at, '$'))) {
		bool braced = at[1] == '{';
		size_t len = name_len(at + 1 + braced);

		at += 1 + braced;
		if (!len)
			continue;
		*ret = bytes_of(at, len);
		*text = at + len + (braced && at[len] == '}');
		return true;
	}
	return false;
}

/* ---- the names that a configuration makes ---- */

struct collector {
	struct nginx_own *own;
	size_t room;
	bool failed;
};

static void add_name(struct collector *c, const char *name, size_t len,
		     const struct lint_node *node)
{
	struct nginx_own *own = c->own;

	if (!len || c->failed)
		return;
	if (own->n_names == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		void *larger = realloc(own->name, room * sizeof(*own->name));

		c->failed = !larger;
		if (c->failed)
			return;
		own->name = larger;
		c->room = room;
	}
	own->name[own->n_names++] = (struct nginx_name){name, len, node};
}

/* (?<name>...), (?P<name>...), (?'name'...) */
static void add_groups(struct collector *c, const char *text,
		       const struct lint_node *node)
{
	while ((text = strstr(text, "(?"))) {
		text += 2;
		text += *text == 'P';
		if (*text == '<' || *text == '\'')
			add_name(c, text + 1, name_len(text + 1), node);
	}
}

static void add_names_of(struct collector *c, const struct lint_node *node)
{
	static const char *const makers[] = {"map",
					     "set",
					     "geo",
					     "split_clients",
					     "perl_set",
					     "js_set",
					     "js_var",
					     "auth_request_set",
					     "auth_jwt_claim_set",
					     "auth_jwt_header_set",
					     "keyval",
					     "userid",
					     "geoip2",
					     "set_secure_random_alphanum",
					     "limit_except",
					     "upstream_conf",
					     "auth_oauth2_set",
					     "set_form_input"};

	add_groups(c, node->name, node);
	for (size_t i = 0; i < node->n_args; i++)
		add_groups(c, node->arg[i], node);
	for (size_t m = 0; m < sizeof(makers) / sizeof(makers[0]); m++) {
		if (strncmp(node->name, makers[m], strlen(makers[m])) != 0)
			continue;
		for (size_t i = 0; i < node->n_args; i++)
			if (node->arg[i][0] == '$')
				add_name(c, node->arg[i] + 1,
					 name_len(node->arg[i] + 1), node);
	}
	/* In a geoip2 block the names come first. */
	if (node->name[0] == '$')
		add_name(c, node->name + 1, name_len(node->name + 1), node);
}

static int by_name(const void *pa, const void *pb)
{
	const struct nginx_name *a = pa, *b = pb;
	size_t n = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->name, b->name, n);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

int nginx_own_init(struct lint_run *run, struct nginx_own *own)
{
	struct collector c = {.own = own};

	*own = (struct nginx_own){0};
	run->own = own;
	for (const struct lint_node *node = run->root; node;
	     node = lint_next(node))
		add_names_of(&c, node);
	if (c.failed)
		return SESAME_ENOMEM;
	if (own->n_names)
		qsort(own->name, own->n_names, sizeof(*own->name), by_name);
	return 0;
}

void nginx_own_fini(struct nginx_own *own)
{
	free(own->name);
	*own = (struct nginx_own){0};
}

/* The first of its name, or NULL. */
static const struct nginx_name *find(struct lint_run *run, struct bytes name)
{
	struct nginx_own *own = run->own;
	struct nginx_name key = {(const char *)name.data, name.len, NULL};
	size_t from = 0, to = own->n_names;

	/* all of a file may be of one name, so nothing is gone through */
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (by_name(&own->name[middle], &key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == own->n_names || by_name(&own->name[from], &key) != 0)
		return NULL;
	return &own->name[from];
}

const struct lint_node *nginx_map(struct lint_run *run, const char *name)
{
	struct nginx_own *own = run->own;
	const struct nginx_name *at = find(run, bytes_of_str(name));
	struct nginx_name key = {name, strlen(name), NULL};

	for (; at && at < own->name + own->n_names && by_name(at, &key) == 0;
	     at++)
		if (nginx_is(at->node, "map") && at->node->block &&
		    at->name == lint_arg(at->node, 1) + 1)
			return at->node;
	return NULL;
}

bool nginx_is_defined(struct lint_run *run, struct bytes name)
{
	if (name.len && isdigit(name.data[0]))
		return true; /* a group of a regular expression */
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (bytes_starts(name, bytes_of_str(families[i])))
			return true;
	for (size_t i = 0; i < N_KNOWN; i++)
		if (bytes_equal_nocase(name, bytes_of_str(known[i])))
			return true;
	return find(run, name) != NULL;
}

const char *nginx_nearest(struct lint_run *run, const char *name, char *out,
			  size_t size)
{
	static const char *const usual[] = {
		"http_upgrade",	  "http_host",	 "http_origin",
		"host",		  "scheme",	 "connection_upgrade",
		"remote_addr",	  "request_uri", "proxy_add_x_forwarded_for",
		"server_name",	  "server_port", "http_connection",
		"http_user_agent"};
	static const char connection[] = "connection_upgrade";
	struct nginx_own *own = run->own;
	char made[MAX_NEAR][48];
	const char *words[MAX_NEAR + 16], *near;
	size_t n = 0;

	for (; n < sizeof(usual) / sizeof(usual[0]); n++)
		words[n] = usual[n];
	for (size_t i = 0; i < own->n_names && i < MAX_NEAR; i++) {
		snprintf(made[i], sizeof(made[i]), "%.*s",
			 (int)(own->name[i].len < 47 ? own->name[i].len : 47),
			 own->name[i].name);
		words[n++] = made[i];
	}
	near = text_suggest(name, words, n);
	if (!near || strcmp(near, name) == 0 ||
	    (strcmp(near, connection) == 0 &&
	     !nginx_is_defined(run, bytes_of_str(near))))
		return NULL;
	snprintf(out, size, "%s", near);
	return out;
}

enum lint_truth nginx_regex(struct lint_run *run, const char *pattern,
			    bool nocase, const char *subject)
{
	struct nginx_own *own = run->own;

	if (own->regexes++ >= MAX_REGEXES)
		return LINT_PERHAPS;
	return lint_regex(pattern, nocase, subject);
}
