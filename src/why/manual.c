/* SPDX-License-Identifier: MIT */
/* The rows of statuses and topics, and the Markdown page made of all rows. */
#include "why/manual.h"

#include <stdio.h>

#include "why/remedy.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct why_status statuses[] = {
#define SHARE(cause, percent) {WHY_##cause, percent},
#define STATUS(first, last, word, name, threads, says, next, shares) \
	{first, last,	  word,                                      \
	 name,	threads,  says,                                      \
	 next,	{shares}, N(((const struct why_share[]){shares}))},
#include "why/statuses.def"
#undef STATUS
#undef SHARE
};

static const struct why_topic topics[] = {
#define TOPIC(id, question, text) {id, question, text},
#include "why/topics.def"
#undef TOPIC
};

const struct why_status *why_status(size_t i)
{
	return i < N(statuses) ? &statuses[i] : NULL;
}

const struct why_topic *why_topic(size_t i)
{
	return i < N(topics) ? &topics[i] : NULL;
}

const struct why_status *why_status_find(int number)
{
	for (size_t i = 0; i < N(statuses); i++)
		if (number >= statuses[i].first && number <= statuses[i].last)
			return &statuses[i];
	return NULL;
}

const struct why_topic *why_topic_find(struct bytes id)
{
	for (size_t i = 0; i < N(topics); i++)
		if (bytes_equal_nocase(id, bytes_of_str(topics[i].id)))
			return &topics[i];
	return NULL;
}

/*
 * Markdown takes <, *, _ and the like for its own. In running text they are
 * escaped; examples go into fences as they are.
 */
static int put_escaped(struct ses_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct bytes c = bytes_of(text + i, 1);
		int r = strchr("<>*_[]`|\\", text[i])
				? ses_buf_append(out, BYTES("\\"))
				: 0;

		if (r < 0 || (r = ses_buf_append(out, c)) < 0)
			return r;
	}
	return 0;
}

/* The leads of a cause's paragraphs, see causes.def. */
static size_t lead_length(const char *line)
{
	static const char *const leads[] = {"How it looks. ", "To make sure. ",
					    "Traps. "};

	for (size_t i = 0; i < N(leads); i++)
		if (!strncmp(line, leads[i], strlen(leads[i])))
			return strlen(leads[i]) - 1;
	return 0;
}

static int put_prose(struct ses_buf *out, const char *text, size_t len)
{
	size_t lead = lead_length(text);
	int r = 0;

	if (lead)
		r = ses_buf_printf(out, "**%.*s**", (int)lead, text);
	if (r >= 0)
		r = put_escaped(out, text + lead, len - lead);
	return r < 0 ? r : ses_buf_append(out, BYTES("\n"));
}

#define EXAMPLE_INDENT 4

static bool is_example(const char *line)
{
	return !strncmp(line, "    ", EXAMPLE_INDENT);
}

/* Paragraphs; a run of lines that begin with blanks becomes a code block. */
static int put_text(struct ses_buf *out, const char *text)
{
	bool fenced = false;
	int r = 0;

	while (*text && r >= 0) {
		size_t len = strcspn(text, "\n");

		if (is_example(text) != fenced) {
			fenced = !fenced;
			r = ses_buf_append_str(out,
					       fenced ? "\n```\n" : "```\n");
		}
		if (r >= 0 && fenced)
			r = ses_buf_printf(out, "%.*s\n",
					   (int)len - EXAMPLE_INDENT,
					   text + EXAMPLE_INDENT);
		else if (r >= 0)
			r = put_prose(out, text, len);
		text += len;
		text += *text == '\n';
	}
	if (r >= 0 && fenced)
		r = ses_buf_append_str(out, "```\n");
	return r;
}

/* Lines to paste, as a block within the item of a list. */
static int put_snippet(struct ses_buf *out, const char *snippet)
{
	int r = ses_buf_append_str(out, "\n  ```\n");

	while (*snippet && r >= 0) {
		size_t len = strcspn(snippet, "\n");

		r = ses_buf_printf(out, "%s%.*s\n", len ? "  " : "", (int)len,
				   snippet);
		snippet += len + (snippet[len] == '\n');
	}
	return r < 0 ? r : ses_buf_append_str(out, "  ```\n\n");
}

static int put_remedy(struct ses_buf *out, const struct why_remedy *remedy)
{
	const char *snippet = remedy->snippet;
	int r = ses_buf_append_str(out, "- ");

	if (r >= 0 && remedy->stack != WHY_STACK_NONE)
		r = ses_buf_printf(out,
				   "**%s**: ", why_stack(remedy->stack)->name);
	if (r >= 0)
		r = put_escaped(out, remedy->what, strlen(remedy->what));
	if (r >= 0 && remedy->where)
		r = ses_buf_append_str(out, " In: ");
	if (r >= 0 && remedy->where)
		r = put_escaped(out, remedy->where, strlen(remedy->where));
	if (r >= 0)
		r = ses_buf_append_str(out, remedy->where ? ".\n" : "\n");
	/* A value that only a case can give says nothing by itself. */
	if (r < 0 || !snippet || !strcmp(snippet, "{expected}") ||
	    !strcmp(snippet, "{target}"))
		return r;
	return put_snippet(out, snippet);
}

/* The general remedies, then each stack's own in the order of the stacks. */
static int put_remedies(struct ses_buf *out, int cause)
{
	const struct why_remedy *remedy;
	int r = ses_buf_append_str(out, "\nWhat to do:\n\n");

	for (int s = 0; s < WHY_N_STACKS && r >= 0; s++)
		for (size_t i = 0; (remedy = why_remedy(cause, s, i)) && r >= 0;
		     i++)
			if ((int)remedy->stack == s)
				r = put_remedy(out, remedy);
	return r;
}

static int put_cause(struct ses_buf *out, int cause)
{
	const struct why_cause_row *row = why_cause(cause);
	int r = ses_buf_printf(out, "\n### %s\n\n**", row->id);

	if (r >= 0)
		r = ses_buf_append_str(out, row->sentence);
	if (r >= 0)
		r = ses_buf_printf(out, "** Who has to act: %s.\n\n", row->who);
	if (r >= 0)
		r = put_text(out, row->text);
	return r < 0 ? r : put_remedies(out, cause);
}

static int put_status(struct ses_buf *out, const struct why_status *status)
{
	int r = ses_buf_printf(out, "\n### %s: %s\n\n%s\n\n%s\n\n", status->word,
			       status->name, status->says, status->next);

	for (size_t i = 0; i < status->n_shares && r >= 0; i++) {
		const struct why_share *share = &status->share[i];
		const char *id = why_cause(share->cause)->id;

		if (share->percent)
			r = ses_buf_printf(out, "- `%s`, %d %% of %d threads\n",
					   id, share->percent, status->threads);
		else
			r = ses_buf_printf(out, "- `%s`\n", id);
	}
	return r;
}

static int put_topic(struct ses_buf *out, const struct why_topic *topic)
{
	int r = ses_buf_printf(out, "\n### %s\n\n", topic->question);

	return r < 0 ? r : put_text(out, topic->text);
}

/* As GitHub makes it of a heading: small letters and digits, - for blanks. */
static int put_anchor(struct ses_buf *out, const char *heading)
{
	int r = 0;

	for (; *heading && r >= 0; heading++) {
		uint8_t c = byte_lower((uint8_t)*heading);
		bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_';

		if (c == ' ')
			r = ses_buf_append(out, BYTES("-"));
		else if (kept)
			r = ses_buf_append(out, bytes_of(&c, 1));
	}
	return r;
}

static int put_link(struct ses_buf *out, const char *before, const char *text,
		    const char *heading)
{
	int r = ses_buf_printf(out, "%s[%s](#", before, text);

	if (r >= 0)
		r = put_anchor(out, heading);
	return r < 0 ? r : ses_buf_append(out, BYTES(")"));
}

/* One line for each category of causes. */
static int put_cause_links(struct ses_buf *out)
{
	struct bytes last = bytes_of(NULL, 0);
	int r = 0;

	for (int i = 0; i < WHY_N_CAUSES && r >= 0; i++) {
		bool first = !bytes_equal(why_category(i), last);

		last = why_category(i);
		r = put_link(out, first ? "\n- " : ",\n  ", why_cause(i)->id,
			     why_cause(i)->id);
	}
	return r;
}

static int put_contents(struct ses_buf *out)
{
	char heading[200];
	int r = ses_buf_append_str(out, "\n**Contents**\n");

	if (r >= 0)
		r = put_cause_links(out);
	for (size_t i = 0; i < N(statuses) && r >= 0; i++) {
		snprintf(heading, sizeof(heading), "%s: %s", statuses[i].word,
			 statuses[i].name);
		r = put_link(out, i ? ",\n  " : "\n- ", statuses[i].word,
			     heading);
	}
	for (size_t i = 0; i < N(topics) && r >= 0; i++)
		r = put_link(out, "\n- ", topics[i].question,
			     topics[i].question);
	return r < 0 ? r : ses_buf_append(out, BYTES("\n"));
}

static const char head[] =
	"# Why WebSocket handshakes are refused\n\n"
	"This page is made from the rows in `src/why/` by "
	"`sesame explain --markdown`; a test\nkeeps the two equal. "
	"`sesame explain` shows the same on a terminal. Names in braces,\n"
	"such as `{origin}`, stand for your own values, and 127.0.0.1:3000 "
	"for your application.\n";
static const char study[] =
	"\n## Statuses and close codes\n\n"
	"The shares are what a study of 365 classified public threads found "
	"behind each\nstatus. They say where to look first, and prove "
	"nothing.\n";

int why_manual_markdown(struct ses_buf *out)
{
	int r = ses_buf_append_str(out, head);

	if (r >= 0)
		r = put_contents(out);
	if (r >= 0)
		r = ses_buf_append_str(out, "\n## Causes\n");
	for (int i = 0; i < WHY_N_CAUSES && r >= 0; i++)
		r = put_cause(out, i);
	if (r >= 0)
		r = ses_buf_append_str(out, study);
	for (size_t i = 0; i < N(statuses) && r >= 0; i++)
		r = put_status(out, &statuses[i]);
	if (r >= 0)
		r = ses_buf_append_str(out, "\n## Questions\n");
	for (size_t i = 0; i < N(topics) && r >= 0; i++)
		r = put_topic(out, &topics[i]);
	return r;
}
