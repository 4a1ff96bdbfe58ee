/* SPDX-License-Identifier: MIT */
/*
 * What each option of `sesame doctor` means. Options are rows of options.def,
 * with curl's letters where curl has them; a field given by -H and the option
 * for the same field mean the same. Whatever is wrong is told at once, with
 * what would be right.
 */
#include "doctor/options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/options.h"
#include "net/addr.h"
#include "wire/head.h"

#define MAX_PROBES 40
#define HELP_WIDTH 80

int doctor_complain(const char *format, ...)
{
	va_list args;

	fputs("sesame doctor: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 2;
}

int doctor_set_bytes(char **to, struct bytes text)
{
	char *copy = malloc(text.len + 1);

	if (!copy)
		return doctor_complain("out of memory");
	if (text.len)
		memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	free(*to);
	*to = copy;
	return 0;
}

int doctor_set_text(char **to, const char *text)
{
	return doctor_set_bytes(to, bytes_of_str(text));
}

void doctor_drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

/* A value for a field, which may hold no line end: nobody smuggles here. */
static int set_field(struct doctor_command_line *r, char **to, const char *value)
{
	if (!ses_is_field_value(bytes_of_str(value)))
		return doctor_complain(
			"%s holds a control character; a header field "
			"is one line of text",
			r->option);
	return doctor_set_text(to, value);
}

/* ---- the request ---- */

static int take_origin(struct doctor_command_line *r, const char *value)
{
	r->c->origin_given = true;
	if (*value)
		return set_field(r, &r->c->origin, value);
	doctor_drop_text(&r->c->origin);
	return 0;
}

static int take_no_origin(struct doctor_command_line *r, const char *value)
{
	return take_origin(r, "");
}

static int take_user_agent(struct doctor_command_line *r, const char *value)
{
	r->c->user_agent_given = true;
	return set_field(r, &r->c->user_agent, value);
}

static void drop_header(struct doctor_command_line *r, size_t i)
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
static void replace_copied(struct doctor_command_line *r, struct bytes name)
{
	struct doctor_case *c = r->c;

	for (size_t i = c->n_headers; i > 0 && !r->copied; i--)
		if (r->copied_header[i - 1] &&
		    bytes_equal_nocase(bytes_of_str(c->header[i - 1].name), name))
			drop_header(r, i - 1);
}

static int add_header(struct doctor_command_line *r, struct bytes name,
		      struct bytes value)
{
	struct doctor_case *c = r->c;
	struct doctor_header *h;

	replace_copied(r, name);
	h = &c->header[c->n_headers];
	if (c->n_headers == DOCTOR_MAX_HEADERS)
		return doctor_complain("more than %d header fields",
				       DOCTOR_MAX_HEADERS);
	*h = (struct doctor_header){0};
	if (doctor_set_bytes(&h->name, name) ||
	    doctor_set_bytes(&h->value, value)) {
		free(h->name);
		return 2;
	}
	r->copied_header[c->n_headers++] = r->copied;
	return 0;
}

/* Append to a list-valued text: "a" and "b" become "a<glue>b". */
static int extend(char **text, const char *glue, const char *more)
{
	char *joined;

	if (!*text || !**text)
		return doctor_set_text(text, more);
	if (asprintf(&joined, "%s%s%s", *text, glue, more) < 0)
		return doctor_complain("out of memory");
	free(*text);
	*text = joined;
	return 0;
}

static int take_cookie(struct doctor_command_line *r, const char *value)
{
	const struct doctor_header *h;

	if (!ses_is_field_value(bytes_of_str(value)))
		return doctor_complain("%s holds a control character",
				       r->option);
	replace_copied(r, BYTES("Cookie"));
	h = doctor_case_header(r->c, "Cookie");
	if (!h)
		return add_header(r, BYTES("Cookie"), bytes_of_str(value));
	return extend(&r->c->header[h - r->c->header].value, "; ", value);
}

int doctor_take_basic(struct doctor_command_line *r, struct bytes user)
{
	char text[4096] = "Basic ";

	if (SES_BASE64_LEN(user.len) > sizeof(text) - sizeof("Basic "))
		return doctor_complain("user and password are too long");
	text[6 + ses_base64_encode(user, text + 6)] = 0;
	return add_header(r, BYTES("Authorization"), bytes_of_str(text));
}

static int take_user(struct doctor_command_line *r, const char *value)
{
	if (!strchr(value, ':'))
		return doctor_complain("%s is NAME:PASSWORD; it has no colon",
				       r->option);
	return doctor_take_basic(r, bytes_of_str(value));
}

/* Offered as browsers write it, "a, b", however it was given. */
static int take_subprotocol(struct doctor_command_line *r, const char *value)
{
	struct bytes list = bytes_of_str(value), one;
	char token[2048];
	int status = 0;

	if (bytes_trim(list).len == 0)
		return doctor_complain(
			"%s is empty; leave it out to offer none", r->option);
	if (r->copied_protocols && !r->copied)
		doctor_drop_text(&r->c->subprotocols);
	r->copied_protocols = r->copied;
	while (status == 0 && bytes_next_element(&list, &one)) {
		if (!ses_is_token(one) || one.len >= sizeof(token))
			return doctor_complain("%s", SES_SUBPROTOCOL_WRONG);
		status = extend(&r->c->subprotocols, ", ",
				bytes_printable(one, token, sizeof(token)));
	}
	return status;
}

static int take_host(struct doctor_command_line *r, const char *value)
{
	return set_field(r, &r->c->host, value);
}

/* Fields that have an option of their own. */
static int take_known_header(struct doctor_command_line *r, struct bytes name,
			     const char *value, bool *ret_known)
{
	static const struct {
		const char *name;
		int (*take)(struct doctor_command_line *r, const char *value);
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
static int take_empty_header(struct doctor_command_line *r, struct bytes name)
{
	if (!ses_is_token(name))
		return doctor_complain(
			"%s: what stands before the semicolon is no "
			"field name",
			r->option);
	return add_header(r, name, BYTES(" "));
}

/* 'Name: value'; 'Name:' leaves the field out, as curl has it. */
static int take_header(struct doctor_command_line *r, const char *text)
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
		return doctor_complain(
			"%s wants 'Name: value'; there is no colon in "
			"it",
			r->option);
	name = bytes_trim(bytes_of(text, (size_t)(colon - text)));
	value = bytes_trim(bytes_of_str(colon + 1));
	if (!ses_is_token(name))
		return doctor_complain(
			"%s: what stands before the colon is no field "
			"name",
			r->option);
	if (!ses_is_field_value(value))
		return doctor_complain(
			"%s: the value holds a control character", r->option);
	if (doctor_set_bytes(&copy, value))
		return 2;
	status = take_known_header(r, name, copy, &known);
	free(copy);
	return known ? status : add_header(r, name, value);
}

/* ---- the way ---- */

static int take_proxy(struct doctor_command_line *r, const char *value)
{
	r->proxy = value;
	return 0;
}

static int take_no_proxy(struct doctor_command_line *r, const char *value)
{
	r->no_proxy = true;
	return 0;
}

static int take_cacert(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->ca_file, value);
}

static int take_insecure(struct doctor_command_line *r, const char *value)
{
	r->c->insecure = true;
	return 0;
}

static int take_proxy_cacert(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->proxy_ca_file, value);
}

static int take_proxy_insecure(struct doctor_command_line *r, const char *value)
{
	r->c->proxy_insecure = true;
	return 0;
}

static int take_cert(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->cert_file, value);
}

static int take_key(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->key_file, value);
}

static int take_source(struct doctor_command_line *r, const char *value)
{
	struct ses_addr addr;

	if (!ses_addr_parse(bytes_of_str(value), 0, &addr))
		return doctor_complain(
			"%s wants an address of this machine, such as "
			"192.0.2.7; `ip address` lists them",
			r->option);
	return doctor_set_text(&r->c->source, value);
}

static int take_ipv4(struct doctor_command_line *r, const char *value)
{
	r->c->family = 4;
	return 0;
}

static int take_ipv6(struct doctor_command_line *r, const char *value)
{
	r->c->family = 6;
	return 0;
}

static int add_mapping(struct doctor_command_line *r, const char *value,
		       bool connect_to)
{
	const char *wrong = doctor_route_add(&r->mappings, value, connect_to);

	return wrong ? doctor_complain("%s %s", r->option, wrong) : 0;
}

static int take_resolve(struct doctor_command_line *r, const char *value)
{
	return add_mapping(r, value, false);
}

static int take_connect_to(struct doctor_command_line *r, const char *value)
{
	return add_mapping(r, value, true);
}

/* ---- how far, and the report ---- */

static int take_max_probes(struct doctor_command_line *r, const char *value)
{
	uint64_t n;

	if (!bytes_to_u64(bytes_of_str(value), MAX_PROBES, &n) || n == 0)
		return doctor_complain("%s wants a number from 1 to %d",
				       r->option, MAX_PROBES);
	r->c->max_probes = (unsigned)n;
	return 0;
}

static int read_seconds(struct doctor_command_line *r, const char *value,
			double max, unsigned *ret_ms)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0.01) || seconds > max)
		return doctor_complain("%s wants seconds, from 0.01 to %.0f",
				       r->option, max);
	*ret_ms = (unsigned)(seconds * 1000 + 0.5);
	return 0;
}

static int take_timeout(struct doctor_command_line *r, const char *value)
{
	return read_seconds(r, value, 600, &r->c->timeout_ms);
}

static int take_hold(struct doctor_command_line *r, const char *value)
{
	r->c->hold_given = true;
	return read_seconds(r, value, 86400, &r->c->hold_ms);
}

static int take_no_hello(struct doctor_command_line *r, const char *value)
{
	r->c->no_hello = true;
	return 0;
}

static int take_blind(struct doctor_command_line *r, const char *value)
{
	r->c->blind = true;
	return 0;
}

/* ---- what else to look at ---- */

static int take_page(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->page, value);
}

static int take_backend(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->backend, value);
}

static int take_config(struct doctor_command_line *r, const char *value)
{
	struct doctor_case *c = r->c;

	if (c->n_configs == DOCTOR_MAX_CONFIGS)
		return doctor_complain(
			"more than %d of %s; one file may include "
			"others",
			DOCTOR_MAX_CONFIGS, r->option);
	return doctor_set_text(&c->config[c->n_configs++], value);
}

static int take_curl(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->curl, value);
}

static int take_har(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->har, value);
}

static int take_match(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->match, value);
}

static int take_works(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->works, value);
}

static int take_html(struct doctor_command_line *r, const char *value)
{
	return doctor_set_text(&r->c->html, value);
}

static int take_json(struct doctor_command_line *r, const char *value)
{
	r->c->json = true;
	return 0;
}

static int take_quiet(struct doctor_command_line *r, const char *value)
{
	r->c->quiet = true;
	return 0;
}

static int take_verbose(struct doctor_command_line *r, const char *value)
{
	r->c->verbose = true;
	return 0;
}

static int take_help(struct doctor_command_line *r, const char *value)
{
	r->help = true;
	return 0;
}

/* ---- the table of options ---- */

static const struct option_row rows[] = {
#define GROUP(title) {"doctor", NULL, 0, NULL, "\n" title},
#define OPTION(name, letter, argument, when, take, text) \
	{"doctor", name, letter, argument, text},
#include "doctor/options.def"
#undef OPTION
#undef GROUP
};

/* What each row means, and when it is read. */
static const struct {
	int (*take)(struct doctor_command_line *r, const char *value);
	enum doctor_pass when;
} meanings[] = {
#define GROUP(title) {NULL, DOCTOR_OTHERS},
#define OPTION(name, letter, argument, when, take, text) \
	{take_##take, DOCTOR_##when},
#include "doctor/options.def"
#undef OPTION
#undef GROUP
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct option_row *doctor_option_rows(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return rows;
}

static void print_options(void)
{
	struct ses_buf out;

	ses_buf_init(&out, 64 * 1024);
	if (option_write(&out, rows, N_ROWS, "doctor", HELP_WIDTH) == 0)
		printf("%.*s", BYTES_ARG(ses_buf_bytes(&out)));
	ses_buf_fini(&out);
}

void doctor_print_help(void)
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
	     "  sesame doctor --curl -          (paste what a browser copied "
	     "as cURL)\n"
	     "  sesame doctor --json --max-probes 8 ws://127.0.0.1:8080/ | "
	     "jq .verdict");
	print_options();
	puts("\nExit status: 0 it opens, 1 a fault was diagnosed, 2 wrong "
	     "usage, 3 no verdict.");
}

/* What may be a URL, and may hold a password or what drives a terminal. */
const char *doctor_url_shown(const char *word, char *out, size_t size)
{
	char text[8192];

	if (ses_url_redact(bytes_of_str(word), text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "(too long to show)");
	return bytes_printable(bytes_of_str(text), out, size);
}

static int read_url_word(struct doctor_command_line *r, const char *word)
{
	char shown[256];

	if (r->url)
		return doctor_complain(
			"one URL, please; what is '%s'?",
			doctor_url_shown(word, shown, sizeof(shown)));
	r->url = word;
	return 0;
}

/* @row: NULL for a word, which is the URL. */
static bool is_of_pass(const struct option_row *row, enum doctor_pass pass)
{
	enum doctor_pass when = row ? meanings[row - rows].when : DOCTOR_OTHERS;

	return pass == DOCTOR_OTHERS ? when != DOCTOR_COPIES : when == pass;
}

int doctor_read_words(struct doctor_command_line *r, char **words,
		      enum doctor_pass pass)
{
	struct option_reader o = {.command = "doctor",
				  .rows = rows,
				  .n_rows = N_ROWS,
				  .next = words};
	int more, status = 0;

	while (status == 0 && !r->help && (more = option_read(&o)) != 0) {
		r->option = o.written;
		if (more < 0)
			status = doctor_complain("%s", o.complaint);
		else if (!is_of_pass(o.row, pass))
			continue;
		else if (o.row)
			status = meanings[o.row - rows].take(r, o.value);
		else
			status = read_url_word(r, o.value);
	}
	r->option = "";
	return status;
}

int doctor_take_option(struct doctor_command_line *r, const char *option,
		       const char *value)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name && strcmp(rows[i].name, option) == 0)
			return meanings[i].take(r, value);
	assert(false);
	return 2;
}
