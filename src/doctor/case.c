/* SPDX-License-Identifier: MIT */
/*
 * Opening a case: the command line of `sesame doctor` becomes the request that
 * is to be explained. Options are rows of options.def, with curl's letters
 * where curl has them; a field given by -H and the option for the same field
 * mean the same. Whatever is wrong is told at once, with what would be right.
 */
#include "doctor/case.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/version.h>

#include "base/base64.h"
#include "base/percent.h"
#include "base/options.h"
#include "doctor/har.h"
#include "doctor/import.h"
#include "doctor/route.h"
#include "net/addr.h"
#include "net/tls.h"
#include "wire/head.h"

#define USER_AGENT   "sesame/" SESAME_VERSION " (doctor)"
#define MAX_MAPPINGS 16
#define MAX_PROBES   40
#define MAX_PLACE    500 /* bytes of a page's URL, or a backend's */
#define HELP_WIDTH   80

/* The command line while it is read; texts are borrowed from it. */
struct reading {
	struct doctor_case *c;
	const char *option; /* the one being taken, for complaints */
	const char *url, *copied_url;
	const char *proxy;
	bool no_proxy, help;
	/* What is read now comes from a copy, and gives way to options. */
	bool copied;
	bool copied_header[DOCTOR_MAX_HEADERS], copied_protocols;
	struct {
		const char *text;
		bool connect_to;
	} mapping[MAX_MAPPINGS];
	size_t n_mappings;
};

__attribute__((format(printf, 1, 2))) static int complain(const char *format,
							  ...)
{
	va_list args;

	fputs("sesame doctor: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 2;
}

static int set_bytes(char **to, struct bytes text)
{
	char *copy = malloc(text.len + 1);

	if (!copy)
		return complain("out of memory");
	if (text.len)
		memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	free(*to);
	*to = copy;
	return 0;
}

static int set_text(char **to, const char *text)
{
	return set_bytes(to, bytes_of_str(text));
}

static void drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

/* A value for a field, which may hold no line end: nobody smuggles here. */
static int set_field(struct reading *r, char **to, const char *value)
{
	if (!ses_is_field_value(bytes_of_str(value)))
		return complain("%s holds a control character; a header field "
				"is one line of text",
				r->option);
	return set_text(to, value);
}

/* ---- the request ---- */

static int take_origin(struct reading *r, const char *value)
{
	r->c->origin_given = true;
	if (*value)
		return set_field(r, &r->c->origin, value);
	drop_text(&r->c->origin);
	return 0;
}

static int take_no_origin(struct reading *r, const char *value)
{
	return take_origin(r, "");
}

static int take_user_agent(struct reading *r, const char *value)
{
	r->c->user_agent_given = true;
	return set_field(r, &r->c->user_agent, value);
}

static void drop_header(struct reading *r, size_t i)
{
	struct doctor_case *c = r->c;
	size_t behind = --c->n_headers - i;

	free(c->header[i].name);
	free(c->header[i].value);
	memmove(&c->header[i], &c->header[i + 1], behind * sizeof(c->header[0]));
	memmove(&r->copied_header[i], &r->copied_header[i + 1],
		behind * sizeof(r->copied_header[0]));
}

/* Options replace what a copy says of the same field. */
static void replace_copied(struct reading *r, struct bytes name)
{
	struct doctor_case *c = r->c;

	for (size_t i = c->n_headers; i > 0 && !r->copied; i--)
		if (r->copied_header[i - 1] &&
		    bytes_equal_nocase(bytes_of_str(c->header[i - 1].name), name))
			drop_header(r, i - 1);
}

static int add_header(struct reading *r, struct bytes name, struct bytes value)
{
	struct doctor_case *c = r->c;
	struct doctor_header *h;

	replace_copied(r, name);
	h = &c->header[c->n_headers];
	if (c->n_headers == DOCTOR_MAX_HEADERS)
		return complain("more than %d header fields",
				DOCTOR_MAX_HEADERS);
	*h = (struct doctor_header){0};
	if (set_bytes(&h->name, name) || set_bytes(&h->value, value)) {
		free(h->name);
		return 2;
	}
	r->copied_header[c->n_headers++] = r->copied;
	return 0;
}

const struct doctor_header *doctor_case_header(const struct doctor_case *c,
					       const char *name)
{
	for (size_t i = 0; i < c->n_headers; i++)
		if (bytes_equal_nocase(bytes_of_str(c->header[i].name),
				       bytes_of_str(name)))
			return &c->header[i];
	return NULL;
}

/* Append to a list-valued text: "a" and "b" become "a<glue>b". */
static int extend(char **text, const char *glue, const char *more)
{
	char *joined;

	if (!*text || !**text)
		return set_text(text, more);
	if (asprintf(&joined, "%s%s%s", *text, glue, more) < 0)
		return complain("out of memory");
	free(*text);
	*text = joined;
	return 0;
}

static int take_cookie(struct reading *r, const char *value)
{
	const struct doctor_header *h;

	if (!ses_is_field_value(bytes_of_str(value)))
		return complain("%s holds a control character", r->option);
	replace_copied(r, BYTES("Cookie"));
	h = doctor_case_header(r->c, "Cookie");
	if (!h)
		return add_header(r, BYTES("Cookie"), bytes_of_str(value));
	return extend(&r->c->header[h - r->c->header].value, "; ", value);
}

static int take_basic(struct reading *r, struct bytes user)
{
	char text[4096] = "Basic ";

	if (SES_BASE64_LEN(user.len) > sizeof(text) - sizeof("Basic "))
		return complain("user and password are too long");
	text[6 + ses_base64_encode(user, text + 6)] = 0;
	return add_header(r, BYTES("Authorization"), bytes_of_str(text));
}

static int take_user(struct reading *r, const char *value)
{
	if (!strchr(value, ':'))
		return complain("%s is NAME:PASSWORD; it has no colon",
				r->option);
	return take_basic(r, bytes_of_str(value));
}

/* Offered as browsers write it, "a, b", however it was given. */
static int take_subprotocol(struct reading *r, const char *value)
{
	struct bytes list = bytes_of_str(value), one;
	char token[2048];
	int status = 0;

	if (bytes_trim(list).len == 0)
		return complain("%s is empty; leave it out to offer none",
				r->option);
	if (r->copied_protocols && !r->copied)
		drop_text(&r->c->subprotocols);
	r->copied_protocols = r->copied;
	while (status == 0 && bytes_next_element(&list, &one)) {
		if (!ses_is_token(one) || one.len >= sizeof(token))
			return complain("a subprotocol is a word without "
					"blanks or any of ( ) < > @ , ; : \\ "
					"\" / [ ] ? = { }");
		status = extend(&r->c->subprotocols, ", ",
				bytes_printable(one, token, sizeof(token)));
	}
	return status;
}

static int take_host(struct reading *r, const char *value)
{
	return set_field(r, &r->c->host, value);
}

/* Fields that have an option of their own. */
static int take_known_header(struct reading *r, struct bytes name,
			     const char *value, bool *ret_known)
{
	static const struct {
		const char *name;
		int (*take)(struct reading *r, const char *value);
	} known[] = {
		{"Origin", take_origin},
		{"User-Agent", take_user_agent},
		{"Cookie", take_cookie},
		{"Host", take_host},
		{"Sec-WebSocket-Protocol", take_subprotocol},
	};

	*ret_known = true;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_equal_nocase(name, bytes_of_str(known[i].name)))
			return known[i].take(r, value);
	*ret_known = false;
	return 0;
}

/* 'Name;' sends the field without a value. A blank is none to a server. */
static int take_empty_header(struct reading *r, struct bytes name)
{
	if (!ses_is_token(name))
		return complain("%s: what stands before the semicolon is no "
				"field name",
				r->option);
	return add_header(r, name, BYTES(" "));
}

/* 'Name: value'; 'Name:' leaves the field out, as curl has it. */
static int take_header(struct reading *r, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = strlen(text);
	struct bytes name, value;
	char *copy = NULL;
	bool known;
	int status;

	if (!colon && len > 1 && text[len - 1] == ';')
		return take_empty_header(r, bytes_of(text, len - 1));
	if (!colon)
		return complain("%s wants 'Name: value'; there is no colon in "
				"it",
				r->option);
	name = bytes_trim(bytes_of(text, (size_t)(colon - text)));
	value = bytes_trim(bytes_of_str(colon + 1));
	if (!ses_is_token(name))
		return complain("%s: what stands before the colon is no field "
				"name",
				r->option);
	if (!ses_is_field_value(value))
		return complain("%s: the value holds a control character",
				r->option);
	if (set_bytes(&copy, value))
		return 2;
	status = take_known_header(r, name, copy, &known);
	free(copy);
	return known ? status : add_header(r, name, value);
}

/* ---- the way ---- */

static int take_proxy(struct reading *r, const char *value)
{
	r->proxy = value;
	return 0;
}

static int take_no_proxy(struct reading *r, const char *value)
{
	r->no_proxy = true;
	return 0;
}

static int take_cacert(struct reading *r, const char *value)
{
	return set_text(&r->c->ca_file, value);
}

static int take_insecure(struct reading *r, const char *value)
{
	r->c->insecure = true;
	return 0;
}

static int take_proxy_cacert(struct reading *r, const char *value)
{
	return set_text(&r->c->proxy_ca_file, value);
}

static int take_proxy_insecure(struct reading *r, const char *value)
{
	r->c->proxy_insecure = true;
	return 0;
}

static int take_cert(struct reading *r, const char *value)
{
	return set_text(&r->c->cert_file, value);
}

static int take_key(struct reading *r, const char *value)
{
	return set_text(&r->c->key_file, value);
}

static int take_source(struct reading *r, const char *value)
{
	struct ses_addr addr;

	if (!ses_addr_parse(bytes_of_str(value), 0, &addr))
		return complain("%s wants an address of this machine, such as "
				"192.0.2.7; `ip address` lists them",
				r->option);
	return set_text(&r->c->source, value);
}

static int take_ipv4(struct reading *r, const char *value)
{
	r->c->family = 4;
	return 0;
}

static int take_ipv6(struct reading *r, const char *value)
{
	r->c->family = 6;
	return 0;
}

static int add_mapping(struct reading *r, const char *value, bool connect_to)
{
	if (!doctor_route_valid(value, connect_to))
		return complain("%s wants %s", r->option,
				connect_to ? "H1:P1:H2:P2, such as "
					     "example.org:443:127.0.0.1:8443"
					   : "HOST:PORT:ADDRESS, such as "
					     "example.org:443:127.0.0.1");
	if (r->n_mappings == MAX_MAPPINGS)
		return complain("more than %d of %s", MAX_MAPPINGS, r->option);
	r->mapping[r->n_mappings].text = value;
	r->mapping[r->n_mappings++].connect_to = connect_to;
	return 0;
}

static int take_resolve(struct reading *r, const char *value)
{
	return add_mapping(r, value, false);
}

static int take_connect_to(struct reading *r, const char *value)
{
	return add_mapping(r, value, true);
}

/* ---- how far, and the report ---- */

static int take_max_probes(struct reading *r, const char *value)
{
	uint64_t n;

	if (!bytes_to_u64(bytes_of_str(value), MAX_PROBES, &n) || n == 0)
		return complain("%s wants a number from 1 to %d", r->option,
				MAX_PROBES);
	r->c->max_probes = (unsigned)n;
	return 0;
}

static int read_seconds(struct reading *r, const char *value, double max,
			unsigned *ret_ms)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0.01) || seconds > max)
		return complain("%s wants seconds, from 0.01 to %.0f",
				r->option, max);
	*ret_ms = (unsigned)(seconds * 1000 + 0.5);
	return 0;
}

static int take_timeout(struct reading *r, const char *value)
{
	return read_seconds(r, value, 600, &r->c->timeout_ms);
}

static int take_hold(struct reading *r, const char *value)
{
	r->c->hold_given = true;
	return read_seconds(r, value, 86400, &r->c->hold_ms);
}

static int take_blind(struct reading *r, const char *value)
{
	r->c->blind = true;
	return 0;
}

/* ---- what else to look at ---- */

static int take_page(struct reading *r, const char *value)
{
	return set_text(&r->c->page, value);
}

static int take_backend(struct reading *r, const char *value)
{
	return set_text(&r->c->backend, value);
}

static int take_config(struct reading *r, const char *value)
{
	struct doctor_case *c = r->c;

	if (c->n_configs == DOCTOR_MAX_CONFIGS)
		return complain("more than %d of %s; one file may include "
				"others",
				DOCTOR_MAX_CONFIGS, r->option);
	return set_text(&c->config[c->n_configs++], value);
}

static int take_curl(struct reading *r, const char *value)
{
	return set_text(&r->c->curl, value);
}

static int take_har(struct reading *r, const char *value)
{
	return set_text(&r->c->har, value);
}

static int take_match(struct reading *r, const char *value)
{
	return set_text(&r->c->match, value);
}

static int take_works(struct reading *r, const char *value)
{
	return set_text(&r->c->works, value);
}

static int take_html(struct reading *r, const char *value)
{
	return set_text(&r->c->html, value);
}

static int take_json(struct reading *r, const char *value)
{
	r->c->json = true;
	return 0;
}

static int take_quiet(struct reading *r, const char *value)
{
	r->c->quiet = true;
	return 0;
}

static int take_verbose(struct reading *r, const char *value)
{
	r->c->verbose = true;
	return 0;
}

static int take_help(struct reading *r, const char *value)
{
	r->help = true;
	return 0;
}

/* ---- the table of options ---- */

static const struct option_row rows[] = {
#define GROUP(title) {"doctor", NULL, 0, NULL, "\n" title},
#define OPTION(name, letter, argument, take, text) \
	{"doctor", name, letter, argument, text},
#include "doctor/options.def"
#undef OPTION
#undef GROUP
};

/* What each row means. */
static int (*const takes[])(struct reading *r, const char *value) = {
#define GROUP(title)					   NULL,
#define OPTION(name, letter, argument, take, text) take_##take,
#include "doctor/options.def"
#undef OPTION
#undef GROUP
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void print_options(void)
{
	struct ses_buf out;

	ses_buf_init(&out, 64 * 1024);
	if (option_write(&out, rows, N_ROWS, "doctor", HELP_WIDTH) == 0)
		printf("%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

static void print_help(void)
{
	puts("Usage: sesame doctor [options] URL\n\n"
	     "Find out why a WebSocket connection is refused, prove it, and "
	     "say what opens it.\n\n"
	     "Examples\n"
	     "  sesame doctor wss://example.org/chat\n"
	     "  sesame doctor --origin https://app.example "
	     "wss://example.org/chat\n"
	     "  sesame doctor --cookie session=TOKEN --hold 90 "
	     "wss://example.org/feed\n"
	     "  sesame doctor --json --max-probes 8 ws://127.0.0.1:8080/ | "
	     "jq .verdict");
	print_options();
	puts("\nExit status: 0 it opens, 1 a fault was diagnosed, 2 wrong "
	     "usage, 3 no verdict.");
}

static int complain_no_url(void)
{
	complain("which URL? For example:\n"
		 "  sesame doctor wss://example.org/chat\n"
		 "  sesame doctor --origin https://app.example "
		 "wss://example.org/chat\n"
		 "`sesame doctor --help` lists the options.");
	return 2;
}

/* What may be a URL, and may hold a password or what drives a terminal. */
static const char *url_shown(const char *word, char *out, size_t size)
{
	char text[8192];

	if (ses_url_redact(bytes_of_str(word), text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "(too long to show)");
	return bytes_printable(bytes_of_str(text), out, size);
}

static int read_url_word(struct reading *r, const char *word)
{
	char shown[256];

	if (r->url)
		return complain("one URL, please; what is '%s'?",
				url_shown(word, shown, sizeof(shown)));
	r->url = word;
	return 0;
}

/* Which of the options on the command line are taken. */
enum pass {
	COPIES, /* where the request is copied from; help */
	OTHERS, /* all the others, and the URL */
	WAY,	/* those of the way to the server, and how far to go */
};

static bool is_copy(const struct option_row *row)
{
	static const char *const names[] = {"curl", "har", "match", "works",
					    "help"};

	for (size_t i = 0; row && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(row->name, names[i]) == 0)
			return true;
	return false;
}

/* Whether an option holds for the request that works, too. */
static bool is_way(const struct option_row *row)
{
	if (!row)
		return false;
	while (row->name)
		row--;
	return strstr(row->text, "The way to the server") ||
	       strstr(row->text, "How far to go");
}

static bool is_of_pass(const struct option_row *row, enum pass pass)
{
	if (pass == WAY)
		return is_way(row);
	return is_copy(row) == (pass == COPIES);
}

static int read_words(struct reading *r, char **words, enum pass pass)
{
	struct option_reader o = {.command = "doctor",
				  .rows = rows,
				  .n_rows = N_ROWS,
				  .next = words};
	int more, status = 0;

	while (status == 0 && !r->help && (more = option_read(&o)) != 0) {
		r->option = o.written;
		if (more < 0)
			status = complain("%s", o.complaint);
		else if (!is_of_pass(o.row, pass))
			continue;
		else if (o.row)
			status = takes[o.row - rows](r, o.value);
		else
			status = read_url_word(r, o.value);
	}
	r->option = "";
	return status;
}

/* ---- copies of a request ---- */

static int take_said(struct reading *r, const char *option, const char *value)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name && strcmp(rows[i].name, option) == 0)
			return takes[i](r, value);
	assert(false);
	return 2;
}

static int add_remark(struct doctor_case *c, const char *whose,
		      const char *remark)
{
	char text[320];

	if (c->n_remarks == DOCTOR_MAX_REMARKS)
		return 0;
	snprintf(text, sizeof(text), "%s: %s", whose, remark);
	return set_text(&c->remark[c->n_remarks++], text);
}

/*
 * A copy speaks as if its options stood on the command line; what does stand
 * there is read after it. Texts are borrowed from @m. Remarks go to @to.
 */
static int take_copy(struct reading *r, const char *option,
		     const struct doctor_import *m, struct doctor_case *to)
{
	int status = 0;

	r->copied = true;
	r->option = option;
	for (size_t i = 0; i < m->n_said && status == 0; i++)
		if (strcmp(m->said[i].option, "url") == 0)
			r->copied_url = m->said[i].value;
		else
			status = take_said(r, m->said[i].option,
					   m->said[i].value);
	for (size_t i = 0; i < m->n_notes && status == 0; i++)
		status = add_remark(to, option, m->note[i]);
	r->c->bare_copy = m->no_credentials;
	r->copied = false;
	return status;
}

/* The case's own copy, if there is one, into @m. */
static int read_copy(struct reading *r, struct doctor_import *m)
{
	const struct doctor_case *c = r->c;
	char shown[256];

	if (c->curl && c->har)
		return complain("--curl and --har each hold a request; give "
				"one of them");
	if (c->match && !c->har)
		return complain("--match chooses from a recording; --har FILE "
				"names it");
	if (c->curl && doctor_import_command(m, c->curl) < 0)
		return complain("--curl: %s", m->complaint);
	if (c->har && doctor_har_read(c->har, c->match, m) < 0)
		return complain("--har %s: %s",
				bytes_printable(bytes_of_str(c->har), shown,
						sizeof(shown)),
				m->complaint);
	return take_copy(r, c->curl ? "--curl" : "--har", m, r->c);
}

/* ---- from what was read to the case ---- */

static int open_url(struct reading *r)
{
	struct doctor_case *c = r->c;

	if (!r->url)
		r->url = r->copied_url;
	if (!r->url)
		return complain_no_url();
	if (set_text(&c->url_text, r->url))
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
static int open_userinfo(struct reading *r)
{
	struct bytes userinfo = r->c->url.userinfo;
	uint8_t plain[2048];
	size_t len;

	if (r->c->url_error || !userinfo.data || userinfo.len == 0 ||
	    doctor_case_header(r->c, "Authorization"))
		return 0;
	if (userinfo.len >= sizeof(plain))
		return complain("user and password are too long");
	len = decode_percent(userinfo, plain);
	if (!memchr(plain, ':', len))
		plain[len++] = ':';
	return take_basic(r, bytes_of(plain, len));
}

/* @proxy as dial takes it: with a scheme that it knows. */
static int set_proxy(struct doctor_case *c, const char *proxy, const char *from)
{
	static const char *const known[] = {"http://", "https://", "socks5://",
					    "socks5h://"};
	struct bytes text = bytes_of_str(proxy);
	bool fits = false;
	char *whole;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		fits |= bytes_equal_nocase(bytes_first(text, strlen(known[i])),
					   bytes_of_str(known[i]));
	if (!fits && strstr(proxy, "://")) {
		complain("%s: this kind of proxy is not spoken; http://, "
			 "https:// and socks5:// are, --no-proxy goes without",
			 from);
		return 2;
	}
	if (asprintf(&whole, "%s%s", fits ? "" : "http://", proxy) < 0)
		return complain("out of memory");
	c->proxy = whole;
	return set_text(&c->proxy_from, from);
}

static int open_proxy(struct reading *r)
{
	const char *proxy = r->proxy, *from = "--proxy";

	if (r->no_proxy || (proxy && !*proxy) || r->c->url_error)
		return 0;
	if (!proxy)
		proxy = doctor_route_proxy(&r->c->url, &from);
	return proxy ? set_proxy(r->c, proxy, from) : 0;
}

static int open_mapping(struct reading *r)
{
	struct doctor_case *c = r->c;
	struct bytes host;
	uint16_t port;

	for (size_t i = 0; i < r->n_mappings && !c->url_error; i++) {
		if (!doctor_route_maps(r->mapping[i].text,
				       r->mapping[i].connect_to, &c->url, &host,
				       &port))
			continue;
		c->connect_port = port;
		return set_bytes(&c->connect_host,
				 host.len ? host : c->url.host);
	}
	return 0;
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
		return complain("--key without --cert: a key alone shows "
				"nothing");
	if (c->proxy_ca_file) {
		ctx = ses_tls_client_new(
			&(struct ses_tls_client_options){
				.ca_file = c->proxy_ca_file},
			text, sizeof(text));
		if (!ctx)
			return complain("--proxy-cacert: %s", text);
		ses_tls_context_unref(ctx);
	}
	if (!c->ca_file && !c->cert_file)
		return 0;
	ctx = ses_tls_client_new(&tls, text, sizeof(text));
	if (!ctx)
		return complain("%s", text);
	ses_tls_context_unref(ctx);
	return 0;
}

static int check_family(const struct doctor_case *c)
{
	struct ses_addr addr;

	if (!c->source || !c->family ||
	    !ses_addr_parse(bytes_of_str(c->source), 0, &addr) ||
	    ses_addr_family(&addr) == c->family)
		return 0;
	return complain("--source %s is not an IPv%d address, which -%d asks "
			"for",
			c->source, c->family, c->family);
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
	return complain("%s wants a URL such as %s, of less than %d bytes; %s is none",
			option,
			ws_too ? "http://127.0.0.1:3000"
			       : "https://app.example/",
			MAX_PLACE,
			url_shown(text, shown, sizeof(shown)));
}

/* Browsers send the origin of the page, and so does this, unless told. */
static int open_places(struct reading *r)
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
	if (status == 0 && !c->origin && !c->origin_given &&
	    ses_url_origin(&url, origin, sizeof(origin)) >= 0)
		status = set_text(&c->origin, origin);
	return status;
}

static int open_rest(struct reading *r)
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
		status = check_family(r->c);
	return status ? status : check_files(r->c);
}

/* As browsers write it: "null", or scheme, host, port and nothing behind. */
static bool is_origin(const char *text)
{
	const char *host = strstr(text, "://");

	if (strcmp(text, "null") == 0)
		return true;
	return host && host > text && host[3] && !strpbrk(host + 3, "/?#\\ @");
}

/* It is sent all the same: programs do send such, and servers refuse it. */
static void doubt_origin(const struct doctor_case *c)
{
	char shown[256];

	if (!c->origin || is_origin(c->origin))
		return;
	bytes_printable(bytes_of_str(c->origin), shown, sizeof(shown));
	fprintf(stderr,
		"sesame doctor: no browser sends the Origin %s: it is scheme, "
		"host and port, such as\nhttps://app.example, without a slash "
		"at "
		"the end. It is sent as given.\n",
		shown);
}

static int begin(struct doctor_case *c)
{
	*c = (struct doctor_case){.max_probes = 20, .timeout_ms = 5000};
	return set_text(&c->user_agent, USER_AGENT);
}

/* A Host field that only repeats the URL was not set by hand. */
static void drop_usual_host(struct doctor_case *c)
{
	char usual[512];

	if (c->host && !c->url_error &&
	    ses_url_host_field(&c->url, usual, sizeof(usual)) == 0 &&
	    strcasecmp(c->host, usual) == 0)
		drop_text(&c->host);
}

/* The request that --works holds; the way there is the same. */
static int open_other(struct doctor_case *c, char **words)
{
	struct doctor_case *other = calloc(1, sizeof(*other));
	struct reading r = {.c = other};
	struct doctor_import m;
	int status;

	if (!other)
		return complain("out of memory");
	c->other = other;
	doctor_import_init(&m);
	status = begin(other);
	if (status == 0 && doctor_import_command(&m, c->works) < 0)
		status = complain("--works: %s", m.complaint);
	if (status == 0)
		status = take_copy(&r, "--works", &m, c);
	if (status == 0)
		status = read_words(&r, words, WAY);
	if (status == 0)
		status = open_rest(&r);
	if (status == 0 && other->url_error)
		status = complain("--works: its URL cannot be read");
	if (status == 0)
		drop_usual_host(other);
	doctor_import_fini(&m);
	return status;
}

static int open_case(struct doctor_case *c, char **words,
		     struct doctor_import *m)
{
	struct reading r = {.c = c};
	int status = begin(c);

	if (status == 0)
		status = read_words(&r, words, COPIES);
	if (status == 0 && r.help) {
		print_help();
		return -1;
	}
	if (status == 0)
		status = read_copy(&r, m);
	if (status == 0)
		status = read_words(&r, words, OTHERS);
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
	return status;
}

void doctor_case_close(struct doctor_case *c)
{
	char **texts[] = {&c->url_text,	  &c->origin,	    &c->user_agent,
			  &c->host,	  &c->subprotocols, &c->proxy,
			  &c->proxy_from, &c->ca_file,	    &c->cert_file,
			  &c->key_file,	  &c->proxy_ca_file,	  &c->source,	    &c->connect_host,
			  &c->page,	  &c->backend,	    &c->curl,
			  &c->har,	  &c->match,	    &c->works,
			  &c->html};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		drop_text(texts[i]);
	for (size_t i = 0; i < c->n_configs; i++)
		free(c->config[i]);
	for (size_t i = 0; i < c->n_remarks; i++)
		drop_text(&c->remark[i]);
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
