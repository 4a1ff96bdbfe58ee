/* SPDX-License-Identifier: MIT */
/*
 * A doctor's whole examination without a network: a script says what each
 * trial would get, the real plan, findings and judgement do the rest. Answers
 * are written as they come over the wire, or, after an @, in a word:
 *   @open [SUBPROTOCOL]  @close CODE REASON  @cut MS  @bad101 [ACCEPT]  @badframe
 *   @opens FIELDS (a 101 with these)
 *   @unasked SUBPROTOCOL (a 101 that names it)
 *   @told open|close|cut MESSAGE (and what comes after it)
 *   @tunnel BYTES (a 101, and then these)
 *   @silent  @closed [late: after a second]  @reset  @raw BYTES
 *   @late ANSWER (a second later)
 *   @unreachable MS (an error of the way, after so long)
 *   @refused  @lost  @noname  @v4only (with -6)  @mute (the resolver)  @tls FAULT
 *   @proxy STATUS [REASON CR LF FIELDS CR LF CR LF BODY]
 *   @proxytls FAULT (of the certificate of the proxy itself)
 *   @h2 ANSWER  @h2open (over HTTP/2)
 * "A || B" is told by two servers that take turns; "A >> B" is A the first time,
 * and B from then on.
 */
#ifndef TESTS_DOCTOR_BEDSIDE_H
#define TESTS_DOCTOR_BEDSIDE_H

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>

#include "doctor/alike.h"
#include "doctor/limit.h"
#include "doctor/plan.h"
#include "doctor/verdict.h"

struct answer {
	enum doctor_change change;
	const char *value; /* NULL: any */
	const char *what;
};

#define MAX_ANSWERS 12

struct patient {
	const char *name;
	const char *url;
	const char *origin, *subprotocols, *proxy, *header, *agent, *page,
		*backend, *host;
	const char *chosen; /* the subprotocol that each 101 names */
	const char *answer; /* what the request as given gets */
	struct answer answers[MAX_ANSWERS]; /* what else gets something else */
	const char *cause;
	double at_least, at_most; /* the confidence; 0: not looked at */
	bool asked_for_cert;
	int family; /* -4 or -6 */
	bool large; /* the request head has 6,000 bytes */
	bool local; /* whatever the name, it leads to this machine */
	bool both;  /* the name has addresses of both families; IPv6 answers */
};

struct bed {
	struct doctor_case c;
	struct doctor_chart chart;
	struct doctor_opinion opinion;
	struct doctor_verdict verdict;
};

static inline void lie_answered(struct doctor_probe *p, struct bytes text)
{
	struct ses_head_parser parser;
	enum ses_fault fault;
	size_t n = 0;
	int r;

	p->head = malloc(2 * text.len + 8);
	for (size_t i = 0; i < text.len; i++) { /* LF becomes CR LF */
		if (text.data[i] == '\n' &&
		    (i == 0 || text.data[i - 1] != '\r'))
			p->head[n++] = '\r';
		p->head[n++] = (char)text.data[i];
	}
	p->head_len = n;
	ses_head_init(&parser, false, NULL);
	parser.tolerant = true;
	r = ses_head_parse(&parser, bytes_of(p->head, n), &p->parsed, &fault);
	if (r == 0)
		r = ses_head_finish(&parser, bytes_of(p->head, n), &p->parsed,
				    &fault);
	if (r <= 0) {
		p->outcome = DOCTOR_NOT_HTTP;
		return;
	}
	p->outcome = DOCTOR_ANSWERED;
	p->status = p->parsed.status;
	p->body_len = n - (size_t)r;
	p->body = malloc(p->body_len + 1);
	memcpy(p->body, p->head + r, p->body_len);
	p->head_len = (size_t)r;
	struct why_answer answer = {.status = p->status,
				    .reason = p->parsed.reason,
				    .fields = p->parsed.fields,
				    .n_fields = p->parsed.n_fields,
				    .body = bytes_of(p->body, p->body_len)};
	why_recognise(&answer, &p->hops);
}

static inline struct ses_dial_step *lie_step(struct doctor_probe *p,
					     enum ses_dial_kind kind, int error)
{
	struct ses_dial_step *s = &p->dial.step[p->dial.n_steps++];

	s->kind = kind;
	s->error = error;
	p->error = error;
	return s;
}

/* "404 No such domain" and more fields, then after an empty line the body. */
static inline void lie_proxied(struct doctor_probe *p, const char *answer)
{
	struct ses_dial_report *d = &p->dial;
	const char *body = strstr(answer, "\r\n\r\n");
	int head = body ? (int)(body - answer) : (int)strlen(answer);

	if (!strchr(answer, ' '))
		return;
	d->proxy_head_len =
		(size_t)snprintf(d->proxy_head, sizeof(d->proxy_head),
				 "HTTP/1.1 %.*s\r\n\r\n", head, answer);
	if (body)
		d->proxy_body_len =
			(size_t)snprintf(d->proxy_body, sizeof(d->proxy_body),
					 "%s", body + 4);
}

static inline void lie_unconnected(struct doctor_probe *p, const char *word)
{
	static const char *const faults[] = {
		"ok", "not-tls", "version", "untrusted", "expired", "hostname",
		"client-cert", "alert", "cut", "other"};

	p->outcome = DOCTOR_NO_CONNECTION;
	if (strcmp(word, "refused") == 0) {
		lie_step(p, SES_DIAL_CONNECT, SESAME_ECONNECT)->sys_errno =
			ECONNREFUSED;
	} else if (strncmp(word, "unreachable ", 12) == 0) {
		lie_step(p, SES_DIAL_CONNECT, SESAME_ECONNECT)->sys_errno =
			EHOSTUNREACH;
		p->ms = atof(word + 12);
	} else if (strcmp(word, "lost") == 0) {
		lie_step(p, SES_DIAL_CONNECT, SESAME_ETIMEOUT);
	} else if (strcmp(word, "noname") == 0) {
		lie_step(p, SES_DIAL_NAMES, SESAME_ENAME)->sys_errno =
			EAI_NONAME;
	} else if (strcmp(word, "v4only") == 0) {
		struct ses_dial_step *s =
			lie_step(p, SES_DIAL_NAMES, SESAME_ENAME);

		s->sys_errno = EAI_ADDRFAMILY;
		snprintf(s->text, sizeof(s->text),
			 "no IPv6 address, but 192.0.2.1");
	} else if (strcmp(word, "mute") == 0) {
		lie_step(p, SES_DIAL_NAMES, SESAME_ENAME)->sys_errno = EAI_AGAIN;
	} else if (strncmp(word, "proxy ", 6) == 0) {
		lie_step(p, SES_DIAL_PROXY, SESAME_EPROXY);
		p->dial.proxy_status = atoi(word + 6);
		lie_proxied(p, word + 6);
	} else if (strncmp(word, "proxytls ", 9) == 0) {
		lie_unconnected(p, word + 5);
		p->error = SESAME_EPROXY;
	} else if (strncmp(word, "tls ", 4) == 0) {
		lie_step(p, SES_DIAL_TLS, SESAME_ETLS);
		for (int i = 0; i < 10; i++)
			if (strncmp(word + 4, faults[i], strlen(faults[i])) == 0)
				p->dial.tls.fault = (enum ses_tls_fault)i;
		if (strstr(word, "sent "))
			snprintf(p->dial.tls.text, sizeof(p->dial.tls.text),
				 "the peer does not speak TLS; it %s",
				 strstr(word, "sent "));
		else if (strchr(word, ':'))
			snprintf(p->dial.tls.alert, sizeof(p->dial.tls.alert),
				 "%s", strchr(word, ':') + 1);
	}
}

static inline void lie_in_a_word(struct doctor_probe *p, const char *word)
{
	p->open_ms = 500;
	if (strncmp(word, "open", 4) == 0 && word[4] != 's') {
		p->outcome = DOCTOR_OPEN;
		p->status = 101;
		p->open_ms = p->trial.change == DOCTOR_HOLD ? 4000 : 500;
		if (word[4]) {
			p->head = strdup(word);
			p->subprotocol = bytes_of_str(p->head + 5);
		}
	} else if (strncmp(word, "close ", 6) == 0) {
		p->outcome = DOCTOR_CLOSED_AFTER;
		p->status = 101;
		p->open_ms = 1;
		p->close_code = (uint16_t)atoi(word + 6);
		if (strlen(word) > 11)
			snprintf(p->close_reason, sizeof(p->close_reason),
				 "%.120s", word + 11);
	} else if (strncmp(word, "told ", 5) == 0) {
		p->outcome = word[5] == 'o'   ? DOCTOR_OPEN
			     : word[6] == 'u' ? DOCTOR_CUT_AFTER
					      : DOCTOR_CLOSED_AFTER;
		p->status = 101;
		p->open_ms = p->outcome == DOCTOR_OPEN ? 500 : 1;
		p->told_ms = p->open_ms;
		p->close_code = p->outcome == DOCTOR_CLOSED_AFTER ? 1000 : 0;
		snprintf(p->first_message, sizeof(p->first_message), "%s",
			 strchr(word + 5, ' ') + 1);
	} else if (strncmp(word, "cut ", 4) == 0) {
		p->outcome = DOCTOR_CUT_AFTER;
		p->status = 101;
		p->open_ms = atof(word + 4);
	} else if (strcmp(word, "h2open") == 0) {
		p->outcome = DOCTOR_OPEN;
		p->status = 200;
		p->h2_spoken = p->h2_offered = true;
	} else if (strncmp(word, "h2 ", 3) == 0) {
		p->h2_spoken = true;
		lie_answered(p, bytes_of_str(word + 3));
	} else if (strncmp(word, "bad101", 6) == 0) {
		char head[200];

		snprintf(head, sizeof(head),
			 "HTTP/1.1 101 Switching Protocols\n"
			 "Sec-WebSocket-Accept: %s\n\n",
			 word[6] ? word + 7 : "x");
		lie_answered(p, bytes_of_str(head));
		p->outcome = DOCTOR_BAD_101;
		p->status = 101;
		p->fault = SES_FAULT_RESPONSE_ACCEPT;
	} else if (strncmp(word, "opens ", 6) == 0) {
		char head[200];

		snprintf(head, sizeof(head),
			 "HTTP/1.1 101 Switching Protocols\n%.100s\n\n",
			 word + 6);
		lie_answered(p, bytes_of_str(head));
		p->outcome = DOCTOR_OPEN;
		p->status = 101;
	} else if (strncmp(word, "unasked ", 8) == 0) {
		char head[200];

		snprintf(head, sizeof(head),
			 "HTTP/1.1 101 Switching Protocols\n"
			 "Sec-WebSocket-Protocol: %.100s\n\n",
			 word + 8);
		lie_answered(p, bytes_of_str(head));
		p->outcome = DOCTOR_BAD_101;
		p->status = 101;
		p->fault = SES_FAULT_RESPONSE_SUBPROTOCOL;
	} else if (strcmp(word, "badframe") == 0) {
		p->outcome = DOCTOR_BAD_FRAME;
		p->status = 101;
		p->fault = SES_FAULT_MASKED;
	} else if (strncmp(word, "tunnel ", 7) == 0) {
		p->outcome = DOCTOR_BAD_FRAME;
		p->status = 101;
		p->fault = SES_FAULT_MASKED;
		p->body = (uint8_t *)strdup(word + 7);
		p->body_len = strlen(word + 7);
	} else if (strncmp(word, "raw ", 4) == 0) {
		p->outcome = DOCTOR_NOT_HTTP;
		p->head = strdup(word + 4);
		p->head_len = strlen(p->head);
	} else if (strcmp(word, "silent") == 0 || strcmp(word, "closed") == 0 ||
		   strcmp(word, "closed late") == 0 ||
		   strcmp(word, "reset") == 0) {
		p->outcome = DOCTOR_NO_ANSWER;
		p->error = *word == 's'   ? SESAME_ETIMEOUT
			   : *word == 'c' ? SESAME_ECLOSED
					  : SESAME_ERESET;
		p->open_ms = 0;
		/* whoever waited in vain once waits less for the next */
		p->ms = *word != 's' ? (strstr(word, "late") ? 1000 : 1)
			: p->trial.change == DOCTOR_NOTHING ? 5000
							    : 2000;
	} else {
		lie_unconnected(p, word);
	}
}

static inline void lie_chosen(struct doctor_probe *p, const char *subprotocol)
{
	const struct ses_field field = {BYTES("Sec-WebSocket-Protocol"),
					bytes_of_str(subprotocol)};
	const struct why_answer answer = {
		.status = 101, .fields = &field, .n_fields = 1};

	p->subprotocol = field.value;
	why_recognise(&answer, &p->hops);
}

/* Which of the servers that share the load is asked the @n-th time. */
static inline const char *whose_turn(const char *what, int n, char *out,
				     size_t size)
{
	const char *since = strstr(what, " >> ");
	int servers = 1;

	if (since && n == 1) {
		snprintf(out, size, "%.*s", (int)(since - what), what);
		return out;
	}
	if (since)
		what = since + 4;
	for (const char *s = what; (s = strstr(s, " || ")); s += 4)
		servers++;
	for (n = (n - 1) % servers; n > 0; n--)
		what = strstr(what, " || ") + 4;
	snprintf(out, size, "%s", what);
	if (strstr(out, " || "))
		*strstr(out, " || ") = 0;
	return out;
}

/* A probe as if it had been performed. */
static inline struct doctor_probe *lie(const struct doctor_trial *trial, int n,
				       const char *what)
{
	struct doctor_probe *p = calloc(1, sizeof(*p));

	p->n = n;
	p->trial = *trial;
	p->hops.writer = -1;
	p->ms = 1;
	p->request = strdup("GET / HTTP/1.1\r\n"
			    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
			    "\r\n");
	if (strncmp(what, "@late ", 6) == 0) {
		lie_answered(p, bytes_of_str(what + 6));
		p->ms = 1005;
	} else if (*what == '@') {
		lie_in_a_word(p, what + 1);
	} else {
		lie_answered(p, bytes_of_str(what));
	}
	doctor_hash_body(p, bytes_of_str(trial->value), bytes_of_str(""),
			 bytes_of_str(""));
	return p;
}

static inline void bed_make(struct bed *b, const struct patient *patient)
{
	struct doctor_case *c = &b->c;
	char *colon;

	memset(b, 0, sizeof(*b));
	c->opened_s = 1790000000;
	c->url_text = strdup(patient->url);
	c->url_error = ses_url_parse(bytes_of_str(c->url_text), &c->url,
				     &c->url_fault, &c->url_fault_at);
	if (c->url_error && c->url_fault == SES_URL_HTTP)
		c->url_error = 0; /* as doctor_case_open() has it */
	c->origin = patient->origin ? strdup(patient->origin) : NULL;
	c->subprotocols =
		patient->subprotocols ? strdup(patient->subprotocols) : NULL;
	c->proxy = patient->proxy ? strdup(patient->proxy) : NULL;
	c->user_agent = strdup(patient->agent ? patient->agent : "sesame/1");
	c->host = patient->host ? strdup(patient->host) : NULL;
	c->family = patient->family;
	c->user_agent_given = patient->agent != NULL;
	if (patient->header) {
		c->header[0].name = strdup(patient->header);
		colon = strchr(c->header[0].name, ':');
		*colon = 0;
		c->header[0].value = strdup(colon + 2);
		c->n_headers = 1;
	}
	c->page = patient->page ? strdup(patient->page) : NULL;
	c->backend = patient->backend ? strdup(patient->backend) : NULL;
	c->max_probes = 20;
	b->chart.c = c;
}

static inline void bed_strip(struct bed *b)
{
	for (size_t i = 0; i < b->chart.n_probes; i++) {
		doctor_probe_fini(b->chart.probe[i]);
		free(b->chart.probe[i]);
	}
	doctor_case_close(&b->c);
}

static inline const char *bed_answer(const struct patient *patient,
				     const struct doctor_trial *trial)
{
	for (size_t i = 0; i < MAX_ANSWERS && patient->answers[i].what; i++) {
		const struct answer *a = &patient->answers[i];

		if (a->change == trial->change &&
		    (!a->value || strcmp(a->value, trial->value) == 0))
			return a->what;
	}
	if (trial->change == DOCTOR_SILENCE) /* most wait to be asked */
		return "@silent";
	return patient->answer;
}

/* Add one probe to the chart and look at everything again. */
static inline void bed_probe(struct bed *b, const struct patient *patient,
			     const struct doctor_trial *trial)
{
	struct doctor_chart *chart = &b->chart;
	int n = (int)chart->n_probes + 1;
	char what[4096];
	struct doctor_probe *p =
		lie(trial, n,
		    whose_turn(bed_answer(patient, trial), n, what,
			       sizeof(what)));

	for (size_t i = 0; i < chart->n_probes; i++)
		if (p->ms == 2000 &&
		    (chart->probe[i]->status ||
		     chart->probe[i]->dial.tls.fault == SES_TLS_NOT_TLS ||
		     trial->change == DOCTOR_SCHEME))
			p->ms = 800; /* who answers others at once */
	if (patient->chosen && p->status == 101)
		lie_chosen(p, patient->chosen);
	p->dial.tls.asked_for_cert = patient->asked_for_cert;
	if (patient->local) {
		p->dial.peer.len = sizeof(p->dial.peer.v4);
		p->dial.peer.v4.sin_family = AF_INET;
		p->dial.peer.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	if (patient->both) {
		p->dial.n_addresses = 2;
		p->dial.address[0].len = sizeof(p->dial.peer.v6);
		p->dial.address[0].v6.sin6_family = AF_INET6;
		p->dial.address[1].len = sizeof(p->dial.peer.v4);
		p->dial.address[1].v4.sin_family = AF_INET;
		p->dial.peer = p->dial.address[0];
	}
	if (patient->large) {
		free(p->request);
		p->request = calloc(1, 6001);
		memset(p->request, 'x', 6000);
	}
	chart->probe[chart->n_probes++] = p;
	if (p->status == 429 && !doctor_may_mean_agent(&b->c, p))
		chart->stopped = "429";
	doctor_find(chart);
	doctor_diagnose(chart, &b->opinion);
}

static inline void bed_examine(struct bed *b, const struct patient *patient)
{
	struct doctor_trial trial;

	bed_make(b, patient);
	doctor_find(&b->chart);
	doctor_diagnose(&b->chart, &b->opinion);
	for (;;) {
		memset(&trial, 0, sizeof(trial));
		if (!doctor_plan(&b->chart, &b->opinion, &trial))
			break;
		bed_probe(b, patient, &trial);
	}
	doctor_pronounce(&b->chart, &b->opinion, &b->verdict);
	/* whatever came first in the table, the first remedy follows nothing */
	if (strncmp(b->verdict.fix[0].what, "Or", 2) == 0) {
		fprintf(stderr, "begins with Or: %s\n", b->verdict.fix[0].what);
		abort();
	}
}

#endif
