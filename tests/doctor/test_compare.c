/* SPDX-License-Identifier: MIT */
/* Two requests: what differs, what a mixed one carries where, what matters. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/compare.h"
#include "doctor/diagnose.h"
#include "doctor/mix.h"

/* A case from words of the doctor's command line; "works" is NULL or a text. */
static void open_case(struct doctor_case *c, const char *curl, const char *works)
{
	char *argv[] = {(char *)"doctor",
			(char *)"--no-proxy",
			(char *)"--curl",
			(char *)curl,
			(char *)"--works",
			(char *)works,
			NULL};

	assert_int_equal(
		doctor_case_open(c, works ? 6 : 4,
				 works ? argv
				       : (char *[]){argv[0], argv[1], argv[2],
						    argv[3], NULL}),
		0);
}

static char *list(const struct doctor_differ *d, char *out, size_t size)
{
	char text[300];
	size_t n = 0;

	out[0] = 0;
	for (size_t i = 0; i < d->n; i++)
		n += (size_t)snprintf(
			out + n, size - n, "%s%s", i ? "; " : "",
			doctor_difference_text(&d->one[i], text, sizeof(text)));
	return out;
}

TEST("two requests differ part by part")
{
	static const struct {
		const char *mine, *other, *differences;
	} rows[] = {
		{"curl ws://h/", "curl http://h:80", ""},
		{"curl ws://h/ -H 'X-A: 1'", "curl ws://h/ -H 'x-a: 1'", ""},
		{"curl ws://h/", "curl wss://h/", "wss:// as scheme"},
		{"curl ws://h/", "curl ws://h:81/", "port 81"},
		{"curl ws://h:81/", "curl ws://h/", "the usual port"},
		{"curl ws://h/", "curl ws://g/", "the host g"},
		{"curl ws://h/a", "curl ws://h/b", "path /b"},
		{"curl 'ws://h/?a=1&b=2'", "curl 'ws://h/?b=3&c=4'",
		 "without the parameter \"a\"; the parameter \"b\" with "
		 "another value; the parameter \"c\""},
		{"curl ws://h/", "curl ws://h/ -H 'Origin: https://a'",
		 "Origin: https://a"},
		{"curl ws://h/ -H 'Origin: https://a'", "curl ws://h/",
		 "no Origin"},
		{"curl ws://h/ -b 'a=1; b=2'", "curl ws://h/ -b 'b=3; c=4'",
		 "without the cookie \"a\"; the cookie \"b\" with another "
		 "value; the cookie \"c\""},
		{"curl ws://h/", "curl ws://h/ -u a:b -H 'X: 1' -A ua",
		 "the field \"Authorization\"; User-Agent: ua; the field "
		 "\"X\""},
		{"curl ws://h/ -H 'Sec-WebSocket-Protocol: a, b'",
		 "curl ws://h/ -H 'Sec-WebSocket-Protocol: b,c'",
		 "without the subprotocol \"a\"; the subprotocol \"c\""},
		{"curl ws://h/ -H 'Sec-WebSocket-Version: 8'", "curl ws://h/",
		 "without the field \"Sec-WebSocket-Version\""},
		{"curl ws://h/", "curl ws://h/ -H 'Host: g'", "Host: g"},
		{"curl ws://h/", "curl ws://h/ -k -4",
		 "--insecure; the address family"},
	};
	struct doctor_differ *d = malloc(sizeof(*d));
	struct doctor_case c;
	char out[1024];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		open_case(&c, rows[i].mine, rows[i].other);
		doctor_differ(d, &c, c.other);
		if (strcmp(list(d, out, sizeof(out)), rows[i].differences))
			fail_msg("row %zu: %s", i, out);
		doctor_case_close(&c);
	}
	free(d);
}

static const char *value_of(const struct doctor_mix *m, const char *name)
{
	const struct doctor_header *h = doctor_case_header(&m->c, name);

	return h ? h->value : "";
}

TEST("with all differences applied, the one request is the other")
{
	struct doctor_differ *d = malloc(sizeof(*d)), *left = malloc(sizeof(*d));
	struct doctor_mix *m = malloc(sizeof(*m));
	struct doctor_case c;
	char out[1024];

	open_case(&c,
		  "curl 'ws://h/a?x=1&y=2' -b 'a=1; b=2' -H 'X: 1' -A one "
		  "-H 'Origin: https://a' -H 'Sec-WebSocket-Protocol: p'",
		  "curl 'wss://g:81/b?y=3&z=4' -b 'b=3; c=4' -H 'Y: 1' -u a:b "
		  "-H 'Sec-WebSocket-Protocol: q, r' -k");
	doctor_differ(d, &c, c.other);
	assert_int_equal(doctor_differ_mix(d, doctor_differ_all(d), m), 0);
	doctor_differ(left, &m->c, c.other);
	assert_string_equal(list(left, out, sizeof(out)), "");
	assert_false(m->withheld);
	assert_int_equal(doctor_differ_mix(d, 0, m), 0);
	doctor_differ(left, &m->c, &c);
	assert_string_equal(list(left, out, sizeof(out)), "");
	doctor_case_close(&c);
	free(m);
	free(left);
	free(d);
}

TEST("no mixed request carries a credential to a place it was not for")
{
	static const struct {
		const char *mine, *other;
	} rows[] = {
		{"curl 'ws://h/?token=MINE' -b s=MINE -u a:MINE",
		 "curl 'ws://g/?token=YOURS' -b s=YOURS -u a:YOURS"},
		{"curl 'ws://h/?token=MINE' -b s=MINE -H 'X-Key: MINE'",
		 "curl 'wss://h/?token=YOURS' -b s=YOURS -H 'X-Key: YOURS'"},
		{"curl 'ws://h/?token=MINE' -b s=MINE",
		 "curl 'ws://h:81/?token=YOURS' -b s=YOURS"},
		{"curl 'ws://h/' -b s=MINE -H 'X-Anything: MINE'",
		 "curl 'ws://h/' -H 'Host: g' -b s=YOURS -H 'X-Other: YOURS'"},
		{"curl 'wss://h/' -b s=MINE", "curl -k 'wss://h/' -b t=YOURS"},
	};
	struct doctor_differ *d = malloc(sizeof(*d));
	struct doctor_mix *m = malloc(sizeof(*m));
	struct doctor_case c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		open_case(&c, rows[i].mine, rows[i].other);
		doctor_differ(d, &c, c.other);
		for (uint64_t bits = 0; bits <= doctor_differ_all(d); bits++) {
			bool home, away;
			bool mine, yours;
			char all[2048];

			assert_int_equal(doctor_differ_mix(d, bits, m), 0);
			home = m->c.url.tls == c.url.tls &&
			       m->c.url.port == c.url.port &&
			       bytes_equal(m->c.url.host, c.url.host) &&
			       !m->c.host && !m->c.insecure;
			away = m->c.url.tls == c.other->url.tls &&
			       m->c.url.port == c.other->url.port &&
			       bytes_equal(m->c.url.host, c.other->url.host) &&
			       (!m->c.host == !c.other->host);
			snprintf(all, sizeof(all), "%s|%s|%s|%s|%s|%s",
				 m->c.url_text, value_of(m, "Cookie"),
				 value_of(m, "Authorization"),
				 value_of(m, "X-Key"), value_of(m, "X-Anything"),
				 value_of(m, "X-Other"));
			mine = strstr(all, "MINE") || strstr(all, "Basic");
			yours = strstr(all, "YOURS") || strstr(all, "Basic");
			if (mine && !home &&
			    !(strstr(all, "Basic") && away &&
			      !strstr(all, "MINE")))
				fail_msg("row %zu, %x: %s", i, (int)bits, all);
			if (yours && !away &&
			    !(strstr(all, "Basic") && home &&
			      !strstr(all, "YOURS")))
				fail_msg("row %zu, %x: %s", i, (int)bits, all);
		}
		doctor_case_close(&c);
	}
	free(m);
	free(d);
}

/* ---- the search ---- */

/* What a pretended server wants to see in a request, all of it. */
static const char *const *wanted;
static bool fickle; /* it opens for the whole other request alone */
static int asked;

static bool has(const struct doctor_case *c, const char *what)
{
	if (strncmp(what, "Origin: ", 8) == 0)
		return c->origin && strcmp(c->origin, what + 8) == 0;
	if (*what == '/')
		return bytes_equal_str(c->url.path, what);
	if (strchr(what, '=')) {
		const struct doctor_header *h = doctor_case_header(c, "Cookie");

		return h && strstr(h->value, what);
	}
	return doctor_case_header(c, what);
}

static int ask(struct doctor_chart *chart, const struct doctor_trial *trial)
{
	struct doctor_probe *p = calloc(1, sizeof(*p));
	struct doctor_mix *m = malloc(sizeof(*m));
	const struct doctor_case *c = chart->c;

	if (trial->parts) {
		assert_int_equal(doctor_differ_mix(&chart->comparison->differ,
						   trial->parts, m),
				 0);
		c = &m->c;
	}
	p->outcome = DOCTOR_OPEN;
	p->status = 101;
	for (size_t i = 0; wanted[i]; i++)
		if (!has(c, wanted[i])) {
			p->outcome = DOCTOR_ANSWERED;
			p->status = 403;
		}
	if (fickle && trial->parts &&
	    trial->parts != doctor_differ_all(&chart->comparison->differ)) {
		p->outcome = DOCTOR_ANSWERED;
		p->status = 403;
	}
	p->trial = *trial;
	p->c = chart->c;
	p->n = (int)chart->n_probes + 1;
	p->hops.writer = -1;
	chart->probe[chart->n_probes++] = p;
	free(m);
	asked++;
	return 0;
}

#define WORKS                                                               \
	"curl 'ws://h/feed' -H 'Origin: https://good' -H 'Accept: */*' -H " \
	"'Accept-Language: de' -H 'Cache-Control: no-cache' -H 'Pragma: "   \
	"no-cache' -H 'X-A: 1' -H 'X-B: 2' -H 'X-C: 3' -H 'X-D: 4' -b "     \
	"'a=1; b=2; sid=3; theme=dark' -A Browser"

/* Compare, and judge; what mattered, in words. */
static char *compare(const char *mine, const char *works,
		     const char *const *wants, unsigned budget,
		     enum why_cause *ret_cause, char *out, size_t size)
{
	struct doctor_chart *chart = calloc(1, sizeof(*chart));
	struct doctor_opinion opinion;
	struct doctor_case c;

	wanted = wants;
	asked = 0;
	open_case(&c, mine, works);
	c.max_probes = budget;
	chart->c = &c;
	assert_int_equal(doctor_compare(chart, ask), 0);
	doctor_find(chart);
	doctor_diagnose(chart, &opinion);
	*ret_cause = opinion.best;
	snprintf(out, size, "%s", doctor_remark(chart, 0));
	for (size_t i = 0; i < chart->n_probes; i++)
		free(chart->probe[i]);
	doctor_compare_end(chart);
	doctor_case_close(&c);
	free(chart);
	return out;
}

TEST("the smallest difference that matters is found in a few handshakes")
{
	static const struct {
		const char *wants[4];
		const char *says;
		int most;
		enum why_cause cause;
	} rows[] = {
		{{"Origin: https://good"},
		 "matters: Origin: https://good (",
		 7,
		 WHY_ACCESS_ORIGIN},
		{{"sid=3"},
		 "matters: the cookie \"sid\" (",
		 10,
		 WHY_ACCESS_CREDENTIALS},
		{{"/feed"}, "matters: path /feed (", 10, WHY_URL_PATH},
		{{"X-C"},
		 "matters: the field \"X-C\" (",
		 10,
		 WHY_ACCESS_CREDENTIALS},
		{{"Pragma"}, "matters: the field \"Pragma\" (", 10, WHY_N_CAUSES},
		{{"a=1", "X-D"},
		 "matters: the cookie \"a\" and the field \"X-D\" (",
		 14,
		 WHY_N_CAUSES},
	};
	enum why_cause cause;
	char out[600];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		compare("curl ws://h/chat -H 'Origin: https://bad'", WORKS,
			rows[i].wants, 20, &cause, out, sizeof(out));
		if (!strstr(out, rows[i].says) || asked > rows[i].most)
			fail_msg("row %zu, %d asked: %s", i, asked, out);
		if (rows[i].cause != WHY_N_CAUSES)
			assert_int_equal(cause, rows[i].cause);
	}
}

TEST("where handshakes run out, no more is claimed than was seen")
{
	static const char *const sid[] = {"sid=3", NULL};
	enum why_cause cause;
	char out[600];

	compare("curl ws://h/", WORKS, sid, 6, &cause, out, sizeof(out));
	assert_non_null(strstr(out, "among"));
	assert_non_null(strstr(out, "no handshakes were left"));
	assert_true(asked <= 6);
}

TEST("where parts hinder each other, only what opened is told")
{
	static const char *const nothing[] = {"X-A", NULL};
	enum why_cause cause;
	char out[600];

	fickle = true;
	compare("curl ws://h/", WORKS, nothing, 40, &cause, out, sizeof(out));
	fickle = false;
	assert_null(strstr(out, "smallest difference that matters: the field"));
}

TEST("requests that are not one good and one bad are told apart")
{
	static const char *const none[] = {NULL}, *const x[] = {"X", NULL};
	enum why_cause cause;
	char out[600];

	compare("curl ws://h/", WORKS, none, 20, &cause, out, sizeof(out));
	assert_non_null(strstr(out, "both requests open"));
	assert_int_equal(asked, 2);
	compare("curl ws://h/", WORKS, x, 20, &cause, out, sizeof(out));
	assert_non_null(strstr(out, "does not open from here either: 403"));
	compare("curl ws://h/ -H 'X: 1'", WORKS, x, 20, &cause, out,
		sizeof(out));
	assert_non_null(strstr(out, "this request opens, and the one"));
	compare("curl ws://h/", "curl ws://h/", x, 20, &cause, out, sizeof(out));
	assert_non_null(strstr(out, "is the same one"));
}
