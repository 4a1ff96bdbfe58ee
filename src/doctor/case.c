/* SPDX-License-Identifier: MIT */
/*
 * Opening a case: the command line of `sesame doctor`, and the copies that it
 * names, become the request that is to be explained. What an option means is
 * in options.c; here is what follows from all of them together.
 */
#include "doctor/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sesame/version.h>

#include "base/percent.h"
#include "doctor/har.h"
#include "doctor/import.h"
#include "doctor/options.h"
#include "doctor/route.h"
#include "doctor/way.h"
#include "net/proxy.h"
#include "net/tls.h"

#define USER_AGENT "sesame/" SESAME_VERSION " (doctor)"
#define MAX_PLACE  500 /* bytes of a page's URL, or a backend's */

/* ---- copies of a request ---- */

static int add_remark(struct doctor_case *c, const char *whose,
		      const char *remark)
{
	char text[320];

	if (c->n_remarks == DOCTOR_MAX_REMARKS)
		return 0;
	snprintf(text, sizeof(text), "%s: %s", whose, remark);
	return doctor_set_text(&c->remark[c->n_remarks++], text);
}

/*
 * A copy speaks as if its options stood on the command line; what does stand
 * there is read after it. Texts are borrowed from @m. Remarks go to @to.
 */
static int take_copy(struct doctor_command_line *r, const char *option,
		     const struct doctor_import *m, struct doctor_case *to)
{
	int status = 0;

	r->copied = true;
	r->option = option;
	for (size_t i = 0; i < m->n_said && status == 0; i++)
		if (strcmp(m->said[i].option, "url") == 0)
			r->copied_url = m->said[i].value;
		else
			status = doctor_take_option(r, m->said[i].option,
						    m->said[i].value);
	for (size_t i = 0; i < m->n_notes && status == 0; i++)
		status = add_remark(to, option, m->note[i]);
	r->c->bare_copy = m->no_credentials;
	if (to == r->c)
		snprintf(to->failed_there, sizeof(to->failed_there), "%s",
			 m->failure);
	r->copied = false;
	return status;
}

/* The case's own copy, if there is one, into @m. */
static int read_copy(struct doctor_command_line *r, struct doctor_import *m)
{
	const struct doctor_case *c = r->c;
	char shown[256];

	if (c->curl && c->har)
		return doctor_complain(
			"--curl and --har each hold a request; give "
			"one of them");
	if (c->match && !c->har)
		return doctor_complain(
			"--match chooses from a recording; --har FILE "
			"names it");
	if (c->curl && doctor_import_command(m, c->curl) < 0)
		return doctor_complain("--curl: %s", m->complaint);
	if (c->har && doctor_har_read(c->har, c->match, m) < 0)
		return doctor_complain("--har %s: %s",
				       bytes_printable(bytes_of_str(c->har),
						       shown, sizeof(shown)),
				       m->complaint);
	return take_copy(r, c->curl ? "--curl" : "--har", m, r->c);
}

/* ---- from what was read to the case ---- */

static int complain_no_url(void)
{
	return doctor_complain("which URL? For example:\n"
			       "  sesame doctor wss://example.org/chat\n"
			       "  sesame doctor --origin https://app.example "
			       "wss://example.org/chat\n"
			       "`sesame doctor --help` lists the options.");
}

static int open_url(struct doctor_command_line *r)
{
	struct doctor_case *c = r->c;

	if (!r->url)
		r->url = r->copied_url;
	if (!r->url)
		return complain_no_url();
	if (doctor_set_text(&c->url_text, r->url))
		return 2;
	c->url_error = ses_url_parse(bytes_of_str(c->url_text), &c->url,
				     &c->url_fault, &c->url_fault_at);
	/* browsers take http(s) for ws(s) by now, and so can we */
	if (c->url_error && c->url_fault == SES_URL_HTTP)
		c->url_error = 0;
	return 0;
}

/* "ann:s%40" becomes "ann:s@". @out has room for all of @in. */
static size_t decode_percent(struct bytes in, uint8_t *out)
{
	size_t n = 0;

	while (in.len > 0)
		out[n++] = ses_percent_next(&in);
	return n;
}

/* User and password in the URL are sent as Basic, unless -H or -u says more. */
static int open_userinfo(struct doctor_command_line *r)
{
	struct bytes userinfo = r->c->url.userinfo;
	uint8_t plain[2048];
	size_t len;

	if (r->c->url_error || !userinfo.data || userinfo.len == 0 ||
	    doctor_case_header(r->c, "Authorization"))
		return 0;
	if (userinfo.len >= sizeof(plain))
		return doctor_complain("user and password are too long");
	len = decode_percent(userinfo, plain);
	if (!memchr(plain, ':', len))
		plain[len++] = ':';
	return doctor_take_basic(r, bytes_of(plain, len));
}

/* @proxy as dial takes it: with a scheme that it knows. */
static int set_proxy(struct doctor_case *c, const char *proxy, const char *from)
{
	char text[256], *whole;

	if (doctor_route_check_proxy(proxy, from, text, sizeof(text)) < 0)
		return doctor_complain("%s", text);
	if (asprintf(&whole, "%s%s", strstr(proxy, "://") ? "" : "http://",
		     proxy) < 0)
		return doctor_complain("out of memory");
	c->proxy = whole;
	return doctor_set_text(&c->proxy_from, from);
}

static int open_proxy(struct doctor_command_line *r)
{
	const char *proxy = r->proxy, *from = "--proxy";

	if (r->no_proxy || (proxy && !*proxy) || r->c->url_error)
		return 0;
	if (!proxy)
		proxy = doctor_route_proxy(&r->c->url, &from);
	return proxy ? set_proxy(r->c, proxy, from) : 0;
}

/* Where --resolve or --connect-to sends who asks for @url. */
static int map(const struct doctor_command_line *r, const struct ses_url *url,
	       char **ret_host, uint16_t *ret_port)
{
	struct bytes host;

	return doctor_route_maps(&r->mappings, url, &host, ret_port)
		       ? doctor_set_bytes(ret_host, host)
		       : 0;
}

static int open_mapping(struct doctor_command_line *r)
{
	struct doctor_case *c = r->c;

	return c->url_error
		       ? 0
		       : map(r, &c->url, &c->connect_host, &c->connect_port);
}

/* Certificates that cannot be used are told now, not as a refusal later. */
static int check_files(const struct doctor_case *c)
{
	struct ses_tls_client_options tls = {
		.ca_file = c->ca_file,
		.cert_file = c->cert_file,
		.key_file = c->key_file,
	};
	struct ses_tls_context *ctx;
	char text[256] = "";

	if (c->key_file && !c->cert_file)
		return doctor_complain(
			"--key without --cert: a key alone shows "
			"nothing");
	if (c->proxy_ca_file) {
		ctx = ses_tls_client_new(
			&(struct ses_tls_client_options){
				.ca_file = c->proxy_ca_file},
			text, sizeof(text));
		if (!ctx)
			return doctor_complain("--proxy-cacert: %s", text);
		ses_tls_context_unref(ctx);
	}
	if (!c->ca_file && !c->cert_file)
		return 0;
	ctx = ses_tls_client_new(&tls, text, sizeof(text));
	if (!ctx)
		return doctor_complain("%s", text);
	ses_tls_context_unref(ctx);
	return 0;
}

/* A URL that is named besides the one in question. */
static int read_place(const char *option, const char *text, bool ws_too,
		      struct ses_url *ret)
{
	enum ses_url_fault fault = SES_URL_OK;
	char shown[256];
	size_t at;
	int r = ses_url_parse(bytes_of_str(text), ret, &fault, &at);

	if (strlen(text) < MAX_PLACE &&
	    (fault == SES_URL_HTTP || (r == 0 && ws_too)))
		return 0;
	return doctor_complain(
		"%s wants a URL such as %s, of less than %d bytes; %s is none",
		option,
		ws_too ? "http://127.0.0.1:3000" : "https://app.example/",
		MAX_PLACE, doctor_url_shown(text, shown, sizeof(shown)));
}

/* Browsers send the origin of the page, and so does this, unless told. */
static int open_places(struct doctor_command_line *r)
{
	struct doctor_case *c = r->c;
	char origin[600];
	struct ses_url url;
	int status = 0;

	if (c->backend)
		status = read_place("--backend", c->backend, true, &url);
	if (status || !c->page)
		return status;
	status = read_place("--page", c->page, false, &url);
	if (status == 0)
		status = map(r, &url, &c->page_host, &c->page_port);
	if (status == 0 && !c->origin && !c->origin_given &&
	    ses_url_origin(&url, origin, sizeof(origin)) >= 0)
		status = doctor_set_text(&c->origin, origin);
	return status;
}

static int open_rest(struct doctor_command_line *r)
{
	int status = open_url(r);

	if (status == 0)
		status = open_userinfo(r);
	if (status == 0)
		status = open_proxy(r);
	if (status == 0)
		status = open_mapping(r);
	if (status == 0)
		status = open_places(r);
	if (status == 0)
		status = doctor_check_way(r->c);
	return status ? status : check_files(r->c);
}

/* It is sent all the same: programs do send such, and servers refuse it. */
static void doubt_origin(const struct doctor_case *c)
{
	char url[256], shown[256];

	if (!c->origin || doctor_is_origin(c->origin))
		return;
	if (ses_url_redact(bytes_of_str(c->origin), url, sizeof(url)) < 0)
		snprintf(url, sizeof(url), "(too long to show)");
	bytes_printable(bytes_of_str(url), shown, sizeof(shown));
	fprintf(stderr,
		"sesame doctor: no browser sends the Origin %s: it is scheme, "
		"host and port, such as\nhttps://app.example, without a slash "
		"at "
		"the end. It is sent as given.\n",
		shown);
}

static int set_defaults(struct doctor_case *c)
{
	*c = (struct doctor_case){.max_probes = 20, .timeout_ms = 5000};
	return doctor_set_text(&c->user_agent, USER_AGENT);
}

/* A Host field that only repeats the URL was not set by hand. */
static void drop_usual_host(struct doctor_case *c)
{
	char usual[512];

	if (c->host && !c->url_error &&
	    ses_url_host_field(&c->url, usual, sizeof(usual)) == 0 &&
	    strcasecmp(c->host, usual) == 0)
		doctor_drop_text(&c->host);
}

/* The request that --works holds; the way there is the same. */
static int open_other(struct doctor_case *c, char **words)
{
	struct doctor_case *other = calloc(1, sizeof(*other));
	struct doctor_command_line r = {.c = other};
	struct doctor_import m;
	int status;

	if (!other)
		return doctor_complain("out of memory");
	c->other = other;
	doctor_import_init(&m);
	status = set_defaults(other);
	if (status == 0 && doctor_import_command(&m, c->works) < 0)
		status = doctor_complain("--works: %s", m.complaint);
	if (status == 0)
		status = take_copy(&r, "--works", &m, c);
	if (status == 0)
		status = doctor_read_words(&r, words, DOCTOR_WAY);
	if (status == 0)
		status = open_rest(&r);
	if (status == 0 && other->url_error)
		status = doctor_complain("--works: its URL cannot be read");
	if (status == 0)
		drop_usual_host(other);
	doctor_import_fini(&m);
	return status;
}

static int open_case(struct doctor_case *c, char **words,
		     struct doctor_import *m)
{
	struct doctor_command_line r = {.c = c};
	int status = set_defaults(c);

	if (status == 0)
		status = doctor_read_words(&r, words, DOCTOR_COPIES);
	if (status == 0 && r.help) {
		doctor_print_help();
		return -1;
	}
	if (status == 0)
		status = read_copy(&r, m);
	if (status == 0)
		status = doctor_read_words(&r, words, DOCTOR_OTHERS);
	if (status == 0)
		status = open_rest(&r);
	if (status == 0 && r.copied_url)
		drop_usual_host(c);
	if (status == 0 && c->works)
		status = open_other(c, words);
	return status;
}

int doctor_case_open(struct doctor_case *c, int argc, char **argv)
{
	struct doctor_import m;
	int status;

	doctor_import_init(&m);
	status = open_case(c, argv + 1, &m);
	doctor_import_fini(&m);
	if (status != 0)
		doctor_case_close(c);
	else
		doubt_origin(c);
	c->opened_s = time(NULL);
	return status;
}

void doctor_case_close(struct doctor_case *c)
{
	char **texts[] = {&c->url_text,	    &c->origin,	       &c->user_agent,
			  &c->host,	    &c->subprotocols,  &c->proxy,
			  &c->proxy_from,   &c->ca_file,       &c->cert_file,
			  &c->key_file,	    &c->proxy_ca_file, &c->source,
			  &c->connect_host, &c->page_host,     &c->page,
			  &c->backend,	    &c->curl,	       &c->har,
			  &c->match,	    &c->works,	       &c->html};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		doctor_drop_text(texts[i]);
	for (size_t i = 0; i < c->n_configs; i++)
		free(c->config[i]);
	for (size_t i = 0; i < c->n_remarks; i++)
		doctor_drop_text(&c->remark[i]);
	c->n_remarks = 0;
	if (c->other)
		doctor_case_close(c->other);
	free(c->other);
	c->other = NULL;
	for (size_t i = 0; i < c->n_headers; i++) {
		free(c->header[i].name);
		free(c->header[i].value);
	}
	c->n_headers = 0;
}
