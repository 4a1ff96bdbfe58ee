/* SPDX-License-Identifier: MIT */
/*
 * Fields of the request whose names are misspelt where a configuration asks for
 * them: %{HTTP:Upgrdae}, hdr(Upgrd), $http_upgarde, header Upgrdae. The server
 * starts with such a name, for a field may be called anything, and what it
 * stands for is always empty. A name is meant if a slip or two lead to it, and
 * nothing in the configuration sets a field of that name.
 */
#include "lint/field.h"

#include <ctype.h>
#include <stdio.h>

#include "base/text.h"
#include "lint/match.h"

#define MAX_NAME  48
#define MAX_WALKS 64 /* through all that is set, in one run */

/* What clients send with a handshake. Host and Cookie are not here: too many
 * short words are near them. */
static const char *const sent[] = {
	"Upgrade",
	"Connection",
	"Origin",
	"User-Agent",
	"Sec-WebSocket-Key",
	"Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol",
	"Sec-WebSocket-Extensions",
};

/* How a language writes a field of the request: @before NAME, and one of
 * @until. The text from the last sign in @before on is unique enough to mend. */
struct form {
	enum lint_language language;
	const char *before, *until;
};

static const struct form forms[] = {
	{LINT_NGINX, "$http_", " \"'$/;:.,-{}()"},
	{LINT_NGINX, "${http_", "}"},
	{LINT_APACHE, "%{HTTP:", "}"},
	{LINT_APACHE, "%{LA-U:HTTP:", "}"},
	{LINT_APACHE, "%{req:", "}"},
	{LINT_APACHE, "%{req_novary:", "}"},
	{LINT_APACHE, "http('", "'"},
	{LINT_APACHE, "req('", "'"},
	{LINT_HAPROXY, "hdr(", "),"},
	{LINT_HAPROXY, "hdr_beg(", "),"},
	{LINT_HAPROXY, "hdr_cnt(", "),"},
	{LINT_HAPROXY, "hdr_dir(", "),"},
	{LINT_HAPROXY, "hdr_dom(", "),"},
	{LINT_HAPROXY, "hdr_end(", "),"},
	{LINT_HAPROXY, "hdr_reg(", "),"},
	{LINT_HAPROXY, "hdr_str(", "),"},
	{LINT_HAPROXY, "hdr_sub(", "),"},
	{LINT_CADDY, "{header.", "}"},
	{LINT_CADDY, "{http.request.header.", "}"},
};

struct look {
	struct lint_run *run;
	enum lint_language language;
	int walks;
};

/* ---- names ---- */

/* nginx writes - as _, and small letters. */
static void plain_name(struct bytes name, char *out)
{
	size_t i;

	for (i = 0; i < name.len && i + 1 < MAX_NAME; i++)
		out[i] = name.data[i] == '_' ? '-'
					     : (char)byte_lower(name.data[i]);
	out[i] = 0;
}

const char *lint_field_meant(struct bytes written)
{
	char name[MAX_NAME];
	const char *meant = NULL;
	int best = 3;

	if (written.len < 4 || written.len >= MAX_NAME)
		return NULL;
	plain_name(written, name);
	if (strncmp(name, "x-", 2) == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(sent) / sizeof(*sent); i++) {
		int d = text_distance(name, sent[i]);

		if (d == 0)
			return NULL;
		if (d < best && (d == 1 || written.len > 4)) {
			best = d;
			meant = sent[i];
		}
	}
	return meant;
}

/* Whether another line gives a field of this name a value. */
static bool is_set(struct look *look, const struct lint_node *here,
		   struct bytes name)
{
	char wanted[MAX_NAME], other[MAX_NAME];

	if (++look->walks > MAX_WALKS)
		return true;
	plain_name(name, wanted);
	for (const struct lint_node *n = look->run->root; n; n = lint_next(n))
		for (size_t i = 0; i < n->n_args && n != here; i++) {
			plain_name(bytes_of_str(n->arg[i]), other);
			if (strcmp(wanted, other) == 0)
				return true;
		}
	return false;
}

/* ---- findings ---- */

/* Servers, sites and frontends: of several a request goes through one. */
static bool is_house(const struct lint_node *n)
{
	static const char *const names[] = {"server", "VirtualHost", "frontend",
					    "listen", "site"};

	for (size_t i = 0; n->block && i < sizeof(names) / sizeof(*names); i++)
		if (lint_same(n->name, names[i]))
			return true;
	return false;
}

/* Without a request all is judged; with one, what it may never come to is not
 * surely its trouble. */
static bool is_on_the_way(const struct look *look)
{
	int houses = 0;

	if (!look->run->request)
		return true;
	for (const struct lint_node *n = look->run->root; n; n = lint_next(n))
		houses += is_house(n);
	return houses <= 1;
}

static void title(const struct look *look, const struct lint_node *n, char *out,
		  size_t size)
{
	const struct lint_node *around = n->parent;
	bool apache = look->language == LINT_APACHE;
	const char *first;

	out[0] = 0;
	if (!around || !around->parent)
		return;
	first = lint_arg(around, 0);
	if (strcmp(around->name, "site") == 0)
		snprintf(out, size, "%s", first);
	else
		snprintf(out, size, "%s%s%s%s%s", apache ? "<" : "",
			 around->name, *first ? " " : "", first,
			 apache ? ">" : "");
}

/* @sign: what stands before the name, from its last sign on. */
static void note(struct look *look, const struct lint_node *node,
		 const char *sign, struct bytes name, const char *meant)
{
	char where[128], from[96], to[96], good[MAX_NAME];
	struct lint_finding *f;

	if (lint_told(look->run, LINT_MISSPELT_VARIABLE, node) ||
	    is_set(look, node, name))
		return;
	snprintf(good, sizeof(good), "%s", meant);
	for (char *c = good; look->language == LINT_NGINX && *c; c++)
		*c = *c == '-' ? '_' : (char)tolower((unsigned char)*c);
	title(look, node, where, sizeof(where));
	f = lint_note(look->run, LINT_MISSPELT_VARIABLE, node,
		      is_on_the_way(look), where,
		      "no client sends a field %.*s, so what is asked here is "
		      "always empty; write %s",
		      BYTES_ARG(name), good);
	snprintf(from, sizeof(from), "%s%.*s", sign, BYTES_ARG(name));
	snprintf(to, sizeof(to), "%s%s", sign, good);
	lint_swap(look->run, f, node, from, to, true);
}

static const char *last_sign(const char *before)
{
	const char *sign = before;

	for (; *before; before++)
		if (!isalnum((unsigned char)*before) && *before != '_')
			sign = before;
	return sign;
}

/* res.hdr() and shdr() are of the answer. */
static bool is_of_answer(const struct look *look, const char *text,
			 const char *at)
{
	const char *from = at;

	while (from > text && (isalnum((unsigned char)from[-1]) ||
			       from[-1] == '.' || from[-1] == '_'))
		from--;
	return look->language == LINT_HAPROXY &&
	       (strncmp(from, "res", 3) == 0 || (from < at && at[-1] == 's'));
}

static void look_for(struct look *look, const struct lint_node *node,
		     const char *text, const struct form *form)
{
	const char *at = text;

	while ((at = strcasestr(at, form->before))) {
		const char *name = at + strlen(form->before);
		struct bytes written =
			bytes_of(name, strcspn(name, form->until));
		const char *meant = lint_field_meant(written);

		if (meant && !is_of_answer(look, text, at))
			note(look, node, last_sign(form->before), written,
			     meant);
		at = name;
	}
}

/* A matcher "header NAME ...", SetEnvIf NAME ...: a bare word. */
static void look_at_word(struct look *look, const struct lint_node *node)
{
	const char *word = NULL, *meant;

	if (look->language == LINT_APACHE &&
	    (lint_same(node->name, "SetEnvIf") ||
	     lint_same(node->name, "SetEnvIfNoCase")))
		word = lint_arg(node, 0);
	else if (look->language == LINT_CADDY && node->parent &&
		 node->parent->name[0] == '@' &&
		 strcmp(node->name, "header") == 0)
		word = lint_arg(node, 0);
	else if (look->language == LINT_CADDY && node->name[0] == '@' &&
		 strcmp(lint_arg(node, 0), "header") == 0)
		word = lint_arg(node, 1);
	meant = word ? lint_field_meant(bytes_of_str(word)) : NULL;
	if (meant)
		note(look, node, "", bytes_of_str(word), meant);
}

static void look_at(struct look *look, const struct lint_node *node)
{
	for (size_t k = 0; k < sizeof(forms) / sizeof(*forms); k++)
		for (size_t i = 0;
		     forms[k].language == look->language && i < node->n_args;
		     i++)
			look_for(look, node, node->arg[i], &forms[k]);
	look_at_word(look, node);
}

void lint_judge_fields(struct lint_run *run, enum lint_language language)
{
	struct look look = {.run = run, .language = language};

	for (const struct lint_node *n = run->root; n; n = lint_next(n))
		look_at(&look, n);
}
