/* SPDX-License-Identifier: MIT */
/*
 * What refusals say in so many words: the rows of telltales.def, looked for in
 * one answer. What is hard is that a long page may hold any word, so most rows
 * are read in short texts only (a page is as long as what people read of it),
 * and none within what the client itself sent.
 */
#include <stdio.h>

#include "doctor/echo.h"
#include "doctor/finding_inner.h"
#include "doctor/harvest.h"
#include "doctor/redact.h"
#include "doctor/said.h"
#include "doctor/told.h"
#include "doctor/tongue.h"
#include "doctor/visible.h"

enum where { WORD, PHRASE, REASON, FIELD, TOLD, LITERAL, MISSING };

struct telltale {
	enum where where;
	const char *phrase;
	enum doctor_finding_kind kind;
};

static const struct telltale telltales[] = {
#define TELLTALE(where, phrase, kind, source) {where, phrase, DOCTOR_F_##kind},
#include "doctor/telltales.def"
#undef TELLTALE
};

/* A body up to this long, and no markup, is a sentence of its author. */
#define SHORT_BODY 1000
/* So is a page that is hardly more than its heading and one line. */
#define SHORT_PAGE 420
/* However much of it is for the eye. */
#define SHORT_TEXT 300
/* Success pages are read no further: they are no refusals. */
#define LONG_BODY 4096
/* Nobody hides a reason further down than this. */
#define MOST 16384

static bool is_letter(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* After the end of a word there may be the s of a plural, and no more. */
static bool word_ends(struct bytes rest)
{
	if (rest.len > 0 && byte_lower(rest.data[0]) == 's')
		rest = bytes_from(rest, 1);
	return rest.len == 0 || !is_letter(rest.data[0]);
}

/*
 * Whether @at stands in a raw field of CORS or of caches, as bodies hold that
 * are an answer once more: Access-Control-Allow-Origin says nothing of a reason.
 */
static bool in_raw_field(struct bytes text, size_t at)
{
	static const char *const names[] = {"Access-Control-", "Vary:"};
	size_t from = at;

	while (from > 0 && text.data[from - 1] != '\n')
		from--;
	text = bytes_trim(bytes_of(text.data + from, at - from));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes name = bytes_of_str(names[i]);

		if (bytes_equal_nocase(bytes_first(text, name.len), name))
			return true;
	}
	return false;
}

/*
 * Whether @text begins with @phrase. What programs call a refusal is the sentence
 * without its blanks: host_not_allowed. Markup has such names for other things.
 * A * stands for a word.
 */
static bool begins_so(struct bytes text, struct bytes phrase, bool names)
{
	size_t at = 0;

	for (size_t i = 0; i < phrase.len; i++, at++) {
		uint8_t c = at < text.len ? byte_lower(text.data[at]) : 0;

		if (phrase.data[i] == '*') {
			while (at + 1 < text.len && text.data[at + 1] > ' ')
				at++;
			continue;
		}
		if (names && phrase.data[i] == ' ' && (c == '_' || c == '-'))
			continue;
		if (at >= text.len || c != byte_lower(phrase.data[i]))
			return false;
	}
	return true;
}

/* Where @phrase stands in @text at the beginning of a word, or -1. */
static ptrdiff_t find_phrase(struct bytes text, const char *phrase)
{
	struct bytes p = bytes_of_str(phrase);
	bool whole = p.len > 0 && p.data[p.len - 1] == '$';
	struct bytes start = bytes_trim(text);
	bool names = start.len > 0 && start.data[0] != '<';

	p.len -= whole;
	if (p.len == 0 || text.len < p.len)
		return -1;
	for (size_t i = 0; i <= text.len - p.len; i++) {
		if (!begins_so(bytes_from(text, i), p, names))
			continue;
		if (i > 0 && is_letter(text.data[i - 1]) && is_letter(p.data[0]))
			continue;
		if (whole && !word_ends(bytes_from(text, i + p.len)))
			continue;
		if (!in_raw_field(text, i))
			return (ptrdiff_t)i;
	}
	return -1;
}

/* What may be all that an answer says. */
enum voice { CLOSE, MESSAGE, SENTENCE, STATUS, N_VOICES };

/* An answer's body, and what of it is the sentence of its author. */
struct reading {
	const struct doctor_probe *p;
	struct bytes body;
	struct bytes said[N_VOICES]; /* SENTENCE is empty: it has more to say */
	struct doctor_gloss gloss[N_VOICES];
	char text[MOST];
};

/* Who writes to the bare socket leaves the head out, and says why all the same. */
static struct bytes body_of(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_NOT_HTTP ? bytes_of(p->head, p->head_len)
					     : bytes_of(p->body, p->body_len);
}

/* Letters that take two bytes or three make no text longer. */
static size_t characters(struct bytes text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += (text.data[i] & 0xc0) != 0x80;
	return n;
}

static struct bytes sentence_of(struct reading *r)
{
	struct bytes text = doctor_text_start(r->body), visible;
	bool markup = text.len > 0 && text.data[0] == '<';

	if (characters(text) <= (markup ? SHORT_PAGE : SHORT_BODY))
		return r->body;
	if (!markup)
		return bytes_of(NULL, 0);
	visible = doctor_visible_text(text, r->text, sizeof(r->text));
	return bytes_first(visible, characters(visible) <= SHORT_TEXT
					    ? visible.len
					    : 0);
}

/* What is merely repeated of the request says nothing in any language. */
static void gloss(struct bytes said, const char *request,
		  struct doctor_gloss *ret)
{
	char own[MOST];

	if (!doctor_gloss(said, ret) || !request || said.len > sizeof(own))
		return;
	doctor_blank_echo(request, said, own);
	doctor_gloss(bytes_of(own, said.len), ret);
}

static void read_answer(struct reading *r, const struct doctor_probe *p)
{
	r->p = p;
	r->body = bytes_first(body_of(p), MOST);
	r->said[CLOSE] = bytes_of_str(p->close_reason);
	r->said[MESSAGE] = bytes_of_str(p->first_message);
	r->said[SENTENCE] = sentence_of(r);
	r->said[STATUS] = p->status ? p->parsed.reason : bytes_of(NULL, 0);
	for (size_t i = 0; i < N_VOICES; i++)
		gloss(r->said[i], p->request, &r->gloss[i]);
}

static bool field_says(const struct doctor_probe *p, const char *phrase,
		       struct bytes *ret_said)
{
	const char *colon = strchr(phrase, ':');
	struct bytes name = bytes_of(phrase, (size_t)(colon - phrase));
	struct bytes value = bytes_trim(bytes_of_str(colon + 1));

	for (size_t i = 0; i < p->parsed.n_fields; i++) {
		const struct ses_field *f = &p->parsed.fields[i];
		bool prefix = name.len && name.data[name.len - 1] == '-';

		if (!(prefix ? bytes_equal_nocase(
				       bytes_first(f->name, name.len), name)
			     : bytes_equal_nocase(f->name, name)))
			continue;
		*ret_said = f->value;
		if (value.len == 0 || bytes_contains_nocase(f->value, value))
			return true;
	}
	return false;
}

#define MOST_QUOTED 100 /* on either side of the phrase */

/* Where a quote may begin or end; no secret of JSON's goes on past a ". */
static bool is_between(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"';
}

/*
 * The line round @at, for quoting. A word that the limit cuts goes as a whole:
 * the end of a token is not known again for a secret.
 */
static struct bytes line_at(struct bytes text, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && at - from < MOST_QUOTED &&
	       text.data[from - 1] != '\n' && text.data[from - 1] != '>')
		from--;
	while (to < text.len && to - at < MOST_QUOTED &&
	       text.data[to] != '\n' && text.data[to] != '<')
		to++;
	if (at - from == MOST_QUOTED)
		while (from < at && !is_between(text.data[from]))
			from++;
	if (to - at == MOST_QUOTED && to < text.len)
		while (to > at && !is_between(text.data[to - 1]))
			to--;
	return bytes_trim(bytes_of(text.data + from, to - from));
}

/* What an answer repeats of the request it does not say. */
static ptrdiff_t find_own_phrase(const struct doctor_probe *p,
				 struct bytes text, const char *phrase)
{
	ptrdiff_t at = find_phrase(text, phrase);
	char own[MOST];

	if (at < 0 || !p->request || strchr(phrase, '*'))
		return at;
	text = bytes_first(text, sizeof(own));
	doctor_blank_echo(p->request, text, own);
	return find_phrase(bytes_of(own, text.len), phrase);
}

static bool text_says(const struct doctor_probe *p, struct bytes text,
		      const struct telltale *t, struct bytes *ret_said)
{
	ptrdiff_t at = t->where == LITERAL   ? doctor_said_address(text)
		       : t->where == MISSING ? doctor_said_missing(text)
					     : find_own_phrase(p, text,
							       t->phrase);

	if (at >= 0)
		*ret_said = line_at(text, (size_t)at);
	return at >= 0;
}

/* Whether it says so in another language. */
static bool gloss_says(const struct reading *r, enum voice voice,
		       const struct telltale *t, struct bytes *ret_said)
{
	const struct doctor_gloss *g = &r->gloss[voice];
	ptrdiff_t at = -1;

	if (t->where != LITERAL)
		at = find_phrase(bytes_of(g->text, g->len), t->phrase);
	if (at >= 0)
		*ret_said = line_at(r->said[voice],
				    doctor_glossed_at(g, (size_t)at));
	return at >= 0;
}

static bool voice_says(const struct reading *r, enum voice voice,
		       const struct telltale *t, struct bytes *ret_said)
{
	return text_says(r->p, r->said[voice], t, ret_said) ||
	       gloss_says(r, voice, t, ret_said);
}

/* Fields that servers give their reason in, whatever they call them. */
bool doctor_gives_reason(struct bytes name)
{
	static const char *const parts[] = {"reason", "error",	"message",
					    "reject", "denied", "detail",
					    "refused"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (bytes_contains_nocase(name, bytes_of_str(parts[i])))
			return true;
	return false;
}

static bool reason_says(const struct doctor_probe *p, const struct telltale *t,
			struct bytes *ret_said)
{
	for (size_t i = 0; p->status && i < p->parsed.n_fields; i++) {
		const struct ses_field *f = &p->parsed.fields[i];

		if (doctor_gives_reason(f->name) &&
		    text_says(p, f->value, t, ret_said))
			return true;
	}
	return false;
}

/*
 * Stock sentences: the pages that servers have for a status, whoever caused it.
 * They guess at reasons, and know of none.
 */
static const struct {
	enum doctor_finding_kind kind;
	const char *phrase;
} stock[] = {
	/* Apache, Werkzeug */
	{DOCTOR_F_SAYS_FULL, "maintenance downtime or capacity"},
	{DOCTOR_F_SAYS_MAINTENANCE, "maintenance downtime or capacity"},
	{DOCTOR_F_SAYS_PERMISSION, "don't have permission to access"},
	{DOCTOR_F_SAYS_PERMISSION, "don't have the permission to access"},
	/* many a library: one is about the client, the other about the server */
	{DOCTOR_F_SAYS_MANY, "rate limit exceeded"},
	/* and a quota of connections counts no requests */
	{DOCTOR_F_SAYS_RATE, "connection quota"},
	/* none is about what is spoken within */
	{DOCTOR_F_SAYS_SUBPROTOCOL, "protocol upgrade"},
	{DOCTOR_F_SAYS_SUBPROTOCOL, "protocol version"},
	{DOCTOR_F_SAYS_SUBPROTOCOL, "protocol error"},
	/* IIS */
	{DOCTOR_F_SAYS_PERMISSION, "permission to view this directory"},
	{DOCTOR_F_SAYS_CREDENTIALS, "permission to view this directory"},
};

static bool has_stock(const struct doctor_probe *p, struct bytes phrase)
{
	return bytes_contains_nocase(bytes_of(p->body, p->body_len), phrase) ||
	       bytes_contains_nocase(bytes_of_str(p->first_message), phrase) ||
	       bytes_contains_nocase(bytes_of_str(p->close_reason), phrase);
}

/*
 * 426 is also what an application says to a client that is too old. Who misses
 * an Upgrade says so by a field (RFC 9110 section 15.5.22) or in a word.
 */
bool doctor_wants_newer_client(const struct doctor_probe *p)
{
	static const char *const words[] = {"outdated", "minimum", "newer",
					    "update ",	"latest",  "too old",
					    "your app", "the app"};
	struct bytes body = bytes_of(p->body, p->body_len);

	if (p->outcome != DOCTOR_ANSWERED || p->status != 426 ||
	    bytes_trim(body).len == 0 ||
	    ses_head_get(&p->parsed, "Upgrade").data ||
	    ses_head_get(&p->parsed, "Sec-WebSocket-Version").data ||
	    bytes_contains_nocase(body, BYTES("websocket")))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bytes_contains_nocase(body, bytes_of_str(words[i])))
			return true;
	return !bytes_contains_nocase(body, BYTES("upgrade"));
}

/* TLS within HTTP (RFC 2817) and HTTP/2 are asked for by the same status. */
const char *doctor_wants_other_upgrade(const struct doctor_probe *p)
{
	struct bytes to = p->outcome == DOCTOR_ANSWERED
				  ? ses_head_get(&p->parsed, "Upgrade")
				  : (struct bytes){0};

	if (p->status != 426 || to.len == 0 ||
	    bytes_contains_nocase(to, BYTES("websocket")))
		return NULL;
	if (bytes_contains_nocase(to, BYTES("tls")))
		return "TLS";
	return bytes_contains_nocase(to, BYTES("h2")) ||
			       bytes_contains_nocase(to, BYTES("http/2"))
		       ? "HTTP/2"
		       : "";
}

static bool is_of_varnish(const struct doctor_probe *p)
{
	for (size_t i = 0; i < p->hops.n; i++)
		if (p->hops.hop[i].stack == WHY_STACK_VARNISH)
			return true;
	return false;
}

/* Of the other 4xx each has a reason of its own to be asked again later. */
static bool may_be_ban(int status)
{
	return status == 400 || status == 403 || status == 418 || status == 420;
}

/* Varnish sends Retry-After with whatever it makes up itself. */
static bool is_moot(const struct doctor_probe *p, const struct telltale *t)
{
	for (size_t i = 0; i < sizeof(stock) / sizeof(stock[0]); i++)
		if (stock[i].kind == t->kind &&
		    has_stock(p, bytes_of_str(stock[i].phrase)))
			return true;
	if (t->kind == DOCTOR_F_SAYS_NO_UPGRADE &&
	    (doctor_wants_newer_client(p) || doctor_wants_other_upgrade(p)))
		return true;
	if (p->status == 511) /* it is the network that they are for */
		return t->kind == DOCTOR_F_SAYS_CREDENTIALS ||
		       t->kind == DOCTOR_F_SAYS_BAD_TOKEN ||
		       t->kind == DOCTOR_F_SAYS_PERMISSION;
	if (t->kind == DOCTOR_F_RETRY_AFTER_BAN)
		return !may_be_ban(p->status) || is_of_varnish(p);
	return t->kind == DOCTOR_F_RETRY_AFTER && p->status != 429 &&
	       p->status != 503;
}

/* In the message or the close after a 101, which is all that was said. */
static bool told(const struct reading *r, const struct telltale *t,
		 struct bytes *ret_said)
{
	return voice_says(r, CLOSE, t, ret_said) ||
	       voice_says(r, MESSAGE, t, ret_said);
}

static bool says(const struct reading *r, const struct telltale *t,
		 struct bytes *ret_said)
{
	const struct doctor_probe *p = r->p;
	bool short_only = t->where == WORD || t->where == LITERAL ||
			  t->where == MISSING;
	struct bytes body = short_only ? r->said[SENTENCE] : r->body;

	if ((p->outcome == DOCTOR_OPEN && !doctor_tells_error(p)) ||
	    is_moot(p, t))
		return false;
	if (t->where == FIELD)
		return p->status && field_says(p, t->phrase, ret_said);
	if (t->where != TOLD && voice_says(r, STATUS, t, ret_said))
		return true;
	if (t->where == REASON)
		return false;
	if (told(r, t, ret_said))
		return true;
	if (t->where == TOLD)
		return false;
	if (reason_says(p, t, ret_said))
		return true;
	if (p->status < 400 && body.len > LONG_BODY)
		return false;
	return text_says(p, body, t, ret_said) ||
	       gloss_says(r, SENTENCE, t, ret_said);
}

#define SHORT_REASON 160 /* whoever gives a reason in so few has but one */

/* A short refusal that has the User-Agent in it is about that. */
static bool quotes_agent(const struct doctor_case *c, const struct reading *r,
			 struct bytes *ret_said)
{
	if (!c->user_agent || strlen(c->user_agent) < 5 ||
	    (r->p->outcome == DOCTOR_OPEN && !doctor_tells_error(r->p)) ||
	    (r->p->outcome == DOCTOR_ANSWERED && r->p->status < 400))
		return false;
	for (size_t i = 0; i < N_VOICES; i++) {
		*ret_said = r->said[i];
		if (ret_said->len <= SHORT_REASON &&
		    bytes_contains_nocase(*ret_said,
					  bytes_of_str(c->user_agent)))
			return true;
	}
	return false;
}

bool doctor_says_word(const struct doctor_probe *p, const char *word,
		      struct bytes *ret)
{
	struct telltale t = {
		.where = WORD, .phrase = word, .kind = DOCTOR_F_SAYS_QUERY};
	struct reading r;

	read_answer(&r, p);
	return says(&r, &t, ret);
}

bool doctor_says(const struct doctor_probe *p, enum doctor_finding_kind kind)
{
	struct reading r;
	struct bytes said;

	read_answer(&r, p);
	for (size_t i = 0; i < sizeof(telltales) / sizeof(telltales[0]); i++)
		if (telltales[i].kind == kind && says(&r, &telltales[i], &said))
			return true;
	return false;
}

/*
 * Where the same sentence says two things, the one that only comes along with
 * the other: whoever lacks a scope is told of a token, too.
 */
static const struct {
	enum doctor_finding_kind says, and_not;
} outdone[] = {
	{DOCTOR_F_SAYS_PARAMETERS, DOCTOR_F_SAYS_GRAPHQL},
	{DOCTOR_F_SAYS_PARAMETERS, DOCTOR_F_SAYS_BAD_TOKEN},
	{DOCTOR_F_SAYS_PARAMETERS, DOCTOR_F_SAYS_CREDENTIALS},
	{DOCTOR_F_SAYS_BAD_TOKEN, DOCTOR_F_SAYS_QUERY},
	{DOCTOR_F_SAYS_BAD_TOKEN, DOCTOR_F_SAYS_PERMISSION},
	{DOCTOR_F_SAYS_SCOPE, DOCTOR_F_SAYS_BAD_TOKEN},
	{DOCTOR_F_SAYS_PERMISSION, DOCTOR_F_SAYS_QUERY},
	{DOCTOR_F_SAYS_PERMISSION, DOCTOR_F_SAYS_CREDENTIALS},
	{DOCTOR_F_SAYS_PERMISSION, DOCTOR_F_TOLD_UNAUTHORIZED},
	{DOCTOR_F_SAYS_ORIGIN, DOCTOR_F_TOLD_UNAUTHORIZED},
	{DOCTOR_F_SAYS_ORIGIN, DOCTOR_F_TOLD_FORBIDDEN},
	{DOCTOR_F_SAYS_ORIGIN, DOCTOR_F_SAYS_ADDRESS},
	{DOCTOR_F_SAYS_HOST, DOCTOR_F_SAYS_ADDRESS},
	{DOCTOR_F_SAYS_AGENT, DOCTOR_F_SAYS_ADDRESS},
	{DOCTOR_F_SAYS_HOST, DOCTOR_F_TOLD_UNAUTHORIZED},
	{DOCTOR_F_SAYS_HOST, DOCTOR_F_TOLD_FORBIDDEN},
	{DOCTOR_F_SAYS_ADDRESS, DOCTOR_F_TOLD_UNAUTHORIZED},
	{DOCTOR_F_SAYS_ADDRESS, DOCTOR_F_TOLD_FORBIDDEN},
	{DOCTOR_F_SAYS_AGENT, DOCTOR_F_TOLD_FORBIDDEN},
	{DOCTOR_F_SAYS_RATE, DOCTOR_F_TOLD_FORBIDDEN},
	{DOCTOR_F_SAYS_RATE, DOCTOR_F_SAYS_ADDRESS},
	{DOCTOR_F_RETRY_AFTER_BAN, DOCTOR_F_SAYS_ADDRESS},
	{DOCTOR_F_SAYS_RATE, DOCTOR_F_SAYS_CREDENTIALS},
	{DOCTOR_F_SAYS_NO_UPGRADE, DOCTOR_F_SAYS_BAD_TOKEN},
	{DOCTOR_F_SAYS_NO_UPGRADE, DOCTOR_F_SAYS_CREDENTIALS},
	{DOCTOR_F_SAYS_BAD_TOKEN, DOCTOR_F_SAYS_GRAPHQL},
	{DOCTOR_F_SAYS_CREDENTIALS, DOCTOR_F_SAYS_GRAPHQL},
	{DOCTOR_F_SAYS_PERMISSION, DOCTOR_F_SAYS_GRAPHQL},
	{DOCTOR_F_SAYS_GRAPHQL, DOCTOR_F_SAYS_QUERY},
	{DOCTOR_F_SAYS_INSPECTOR, DOCTOR_F_SAYS_NO_UPGRADE},
	{DOCTOR_F_SAYS_SESSION, DOCTOR_F_SAYS_BAD_TOKEN},
	{DOCTOR_F_SAYS_PROTOCOL_VERSION, DOCTOR_F_SAYS_VERSION},
	{DOCTOR_F_SAYS_CONNECTOR, DOCTOR_F_SAYS_NO_WEBSOCKET},
	{DOCTOR_F_SAYS_CONNECTOR, DOCTOR_F_SAYS_NO_UPGRADE},
	{DOCTOR_F_SAYS_NO_WEBSOCKET, DOCTOR_F_SAYS_NO_UPGRADE},
	{DOCTOR_F_SAYS_CHALLENGE, DOCTOR_F_SAYS_RATE},
};

static void drop(struct doctor_chart *chart, enum doctor_finding_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < chart->n_findings; i++)
		if (chart->finding[i].kind != kind)
			chart->finding[n++] = chart->finding[i];
	chart->n_findings = n;
}

/* Whether a row of @kind stands in @text alone. */
static bool stands_in(struct bytes text, enum doctor_finding_kind kind)
{
	for (size_t i = 0; i < sizeof(telltales) / sizeof(telltales[0]); i++)
		if (telltales[i].kind == kind &&
		    find_phrase(text, telltales[i].phrase) >= 0)
			return true;
	return false;
}

/*
 * A library has one name for whatever its user refuses; where the message has a
 * sentence of its own, and a number for it, that name says nothing.
 */
static void forget_names(struct doctor_chart *chart, struct bytes message)
{
	static const enum doctor_finding_kind kinds[] = {
		DOCTOR_F_TOLD_UNAUTHORIZED, DOCTOR_F_TOLD_FORBIDDEN};
	struct bytes sentence = doctor_told_sentence(message);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (sentence.len > 0 && doctor_found(chart, kinds[i]) &&
		    !stands_in(sentence, kinds[i]))
			drop(chart, kinds[i]);
}

/* After a 101 a status of HTTP can be told in words alone. */
static void find_told_status(struct doctor_chart *chart,
			     const struct doctor_probe *p)
{
	struct bytes message = bytes_of_str(p->first_message);
	int status = doctor_spelled_status(message);

	if (p->status != 101 ||
	    (p->outcome == DOCTOR_OPEN && !doctor_tells_error(p)))
		return;
	if (doctor_found(chart, DOCTOR_F_SAYS_PATH))
		doctor_note(chart, DOCTOR_F_TOLD_NO_PATH, p, NULL,
			    "who accepted it says so of the path");
	if (!status)
		status = doctor_spelled_status(bytes_of_str(p->close_reason));
	if (!status || status == 401 || status == 403)
		return;
	forget_names(chart, message);
	if (status == 404 || status == 410)
		doctor_note(chart, DOCTOR_F_TOLD_404, p, NULL,
			    "after the 101 it is a %d, in words", status);
	else if (status >= 500)
		doctor_note(chart, DOCTOR_F_TOLD_5XX, p, NULL,
			    "after the 101 it is a %d, in words", status);
}

/*
 * Who came by TLS and is asked for it was passed on without. A port that is
 * itself spoken to in the wrong way says so in other words.
 */
static void find_lost_tls(struct doctor_chart *chart,
			  const struct doctor_probe *p)
{
	struct bytes body = bytes_of(p->body, p->body_len);

	if (!chart->c->url.tls || p->outcome != DOCTOR_ANSWERED ||
	    !doctor_found(chart, DOCTOR_F_SAYS_TLS_PORT) ||
	    bytes_contains_nocase(body, BYTES("plain http")) ||
	    bytes_contains_nocase(body, BYTES("http request")))
		return;
	drop(chart, DOCTOR_F_SAYS_TLS_PORT);
	doctor_note(chart, DOCTOR_F_SAYS_TLS_LOST, p, NULL,
		    "the request came by TLS, and the answer asks for TLS: "
		    "whoever ended it did not say so");
}

static void find_other_upgrade(struct doctor_chart *chart,
			       const struct doctor_probe *p)
{
	const char *to = doctor_wants_other_upgrade(p);

	if (!to || (strcmp(to, "TLS") == 0 && chart->c->url.tls))
		return;
	doctor_note(chart,
		    strcmp(to, "TLS") == 0 ? DOCTOR_F_WANTS_TLS
		    : *to		   ? DOCTOR_F_WANTS_H2
					   : DOCTOR_F_WANTS_OTHER,
		    p, NULL,
		    "the 426 asks for an upgrade to %s, and not to websocket",
		    *to ? to : "something else");
}

static void find_quoted_agent(struct doctor_chart *chart,
			      const struct reading *r)
{
	char quote[160];
	struct bytes said;

	if (doctor_found(chart, DOCTOR_F_SAYS_AGENT) ||
	    !quotes_agent(chart->c, r, &said))
		return;
	doctor_redact(chart->c, said, quote, sizeof(quote));
	doctor_note(chart, DOCTOR_F_SAYS_AGENT, r->p, NULL,
		    "the answer names the User-Agent: \"%s\"", quote);
}

#define MOST_ENGLISH 60 /* of a gloss, in a report */

/* What @said means by @t, where it is in another language: " (access denied)" */
static void tell_gloss(struct bytes said, const struct telltale *t, char *out,
		       size_t size)
{
	struct doctor_gloss g;

	*out = 0;
	if (t->where != FIELD && find_phrase(said, t->phrase) < 0 &&
	    doctor_gloss(said, &g))
		snprintf(out, size, " (%.*s)", MOST_ENGLISH, g.text);
}

void doctor_find_words(struct doctor_chart *chart, const struct doctor_probe *p)
{
	struct bytes said = {0};
	struct reading r;
	char quote[160], english[80];

	read_answer(&r, p);
	for (size_t i = 0; i < sizeof(telltales) / sizeof(telltales[0]); i++) {
		const struct telltale *t = &telltales[i];

		if (doctor_found(chart, t->kind) || !says(&r, t, &said))
			continue;
		doctor_redact(chart->c, said, quote, sizeof(quote));
		tell_gloss(said, t, english, sizeof(english));
		if (t->where == FIELD)
			doctor_note(chart, t->kind, p, NULL,
				    "the answer has the field %.*s: %s",
				    (int)(strchr(t->phrase, ':') - t->phrase),
				    t->phrase, quote);
		else
			doctor_note(chart, t->kind, p, NULL,
				    "the answer says \"%s\"%s", quote, english);
	}
	find_quoted_agent(chart, &r);
	for (size_t i = 0; i < sizeof(outdone) / sizeof(outdone[0]); i++)
		if (doctor_found(chart, outdone[i].says))
			drop(chart, outdone[i].and_not);
	if (doctor_wants_newer_client(p))
		doctor_note(chart, DOCTOR_F_OWN_426, p, NULL,
			    "the 426 has a reason of the application's own, "
			    "and asks for no Upgrade by a field");
	find_other_upgrade(chart, p);
	find_lost_tls(chart, p);
	find_told_status(chart, p);
}
