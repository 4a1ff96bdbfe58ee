/* SPDX-License-Identifier: MIT */
/*
 * `sesame explain`: the manual of causes on a terminal. A word may be a cause,
 * a category, a status or close code, a topic or a stack; what is known of
 * each stands in the rows of src/why, here it is only laid out.
 */
#include "cli/command.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/explain.h"
#include "cli/options.h"
#include "cli/term.h"
#include "why/manual.h"
#include "why/remedy.h"

struct options {
	const char *word; /* what to explain, or NULL: list everything */
	int stack;	  /* whose remedies, or WHY_STACK_NONE: general ones */
	bool all_stacks;
	bool json, markdown, help;
};

/* --- Laying out ----------------------------------------------------------- */

static void print_heading(const char *text)
{
	bool colour = term_colour(stdout);

	printf("%s%s%s\n", colour ? TERM_BOLD : "", text,
	       colour ? TERM_RESET : "");
}

/* The lead of a paragraph that is worth a heading, or NULL. */
static const char *lead_of(const char *paragraph)
{
	static const char *const leads[] = {"How it looks", "To make sure",
					    "Traps"};

	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++) {
		size_t n = strlen(leads[i]);

		if (!strncmp(paragraph, leads[i], n) &&
		    !strncmp(paragraph + n, ". ", 2))
			return leads[i];
	}
	return NULL;
}

static void print_paragraph(const char *text, size_t len)
{
	const char *lead = lead_of(text);
	size_t skip = lead ? strlen(lead) + 2 : 0;
	char *copy = strndup(text + skip, len - skip);

	putchar('\n');
	if (lead)
		print_heading(lead);
	if (copy)
		term_wrap(stdout, copy, 2);
	else /* better long lines than none */
		printf("  %.*s\n", (int)(len - skip), text + skip);
	free(copy);
}

static void print_text(const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);

		print_paragraph(text, len);
		text += len + (end ? 2 : 0);
	}
}

/* --- Remedies ------------------------------------------------------------- */

/* What stands in the snippets where the doctor puts the real values. */
static const struct why_value samples[] = {
	{"origin", "https://app.example"},
	{"host", "app.example"},
	{"port", "8080"},
	{"path", "/chat"},
	{"url", "wss://app.example/chat"},
	{"scheme", "wss"},
	{"subprotocol", "chat.v1"},
	{"user_agent", "ExampleClient/1.0"},
	{"address", "203.0.113.9"},
	{"upstream", "127.0.0.1:3000"},
	{"slashed", "/chat/"},
	{"host_port", "app.example"},
	{"origin_host", "app.example"},
	{"bare_path", "chat"},
	{"http", "https"},
	{"parameter", "room"},
	{"asking", "wss://app.example/chat?room=VALUE"},
	{"from", "10.0.0.5"},
	{"user", "USER"},
	{"blocked_at", "http://proxy.example/blocked"},
	{"seconds", "60"},
	{"reference", "ABCD-EFGH"},
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

static const char *fill(const char *text, char *out, size_t size)
{
	return why_remedy_fill(text, samples, N_SAMPLES, out, size);
}

/* Without a case at hand, a value that only a case can give says nothing. */
static bool is_telling(const char *snippet)
{
	return snippet && !strstr(snippet, "{expected}") &&
	       !strstr(snippet, "{target}");
}

static void print_snippet(const char *snippet)
{
	char filled[2048];
	const char *line = fill(snippet, filled, sizeof(filled));

	putchar('\n');
	while (*line) {
		int len = (int)strcspn(line, "\n");

		printf("%s%.*s\n", len ? "        " : "", len, line);
		line += len + (line[len] == '\n');
	}
	putchar('\n');
}

static void print_remedy(const struct why_remedy *remedy)
{
	char line[512], what[384];

	fill(remedy->what, what, sizeof(what));
	if (remedy->stack == WHY_STACK_NONE)
		snprintf(line, sizeof(line), "(%s) %s", remedy->who, what);
	else
		snprintf(line, sizeof(line), "(%s, %s) %s",
			 why_stack(remedy->stack)->name, remedy->who, what);
	term_wrap(stdout, line, 2);
	if (remedy->where && is_telling(remedy->snippet)) {
		snprintf(line, sizeof(line), "in: %s", remedy->where);
		term_wrap(stdout, line, 4);
	}
	if (is_telling(remedy->snippet))
		print_snippet(remedy->snippet);
}

/* Whether the first remedy is of exactly this stack, not of its kin. */
static bool is_own(int cause, int stack)
{
	return (int)why_remedy(cause, stack, 0)->stack == stack;
}

/* The stacks that have lines of their own, as one running sentence. */
static void print_stacks(int cause)
{
	struct ses_buf names;
	char hint[160];
	bool lost = false;
	int n = 0;

	ses_buf_init(&names, 1 << 14);
	for (int s = 1; s < WHY_N_STACKS; s++)
		if (is_own(cause, s))
			lost |= ses_buf_printf(
					&names, "%s%s",
					n++ ? ", "
					    : "Lines to paste are there for ",
					why_stack(s)->id) < 0;
	lost |= ses_buf_append(&names, bytes_of(".\0", 2)) < 0;
	if (lost) {
		fputs("sesame explain: out of memory for the names of stacks\n",
		      stderr);
	} else if (n) {
		putchar('\n');
		term_wrap(stdout, (const char *)ses_buf_bytes(&names).data, 2);
		snprintf(hint, sizeof(hint),
			 "    sesame explain %s --stack NAME    (or: all)",
			 why_cause(cause)->id);
		printf("%s\n", hint);
	}
	ses_buf_fini(&names);
}

/* For what a single case shows; that nothing special is to be seen is usual. */
static bool is_particular(const struct why_remedy *remedy)
{
	return remedy->needs && strncmp(remedy->needs, "no_", 3) &&
	       strncmp(remedy->needs, "unseen_", 7);
}

/* Either those for every case, or those for what a single case shows. */
static void print_rows(int cause, int stack, bool own_only, bool particular)
{
	const struct why_remedy *remedy;

	for (size_t i = 0; (remedy = why_remedy(cause, stack, i)); i++)
		if ((!own_only || (int)remedy->stack == stack) &&
		    is_particular(remedy) == particular)
			print_remedy(remedy);
}

static void print_all_rows(int cause, const struct options *options,
			   bool particular)
{
	print_rows(cause, options->stack, false, particular);
	for (int s = 1; s < WHY_N_STACKS && options->all_stacks; s++)
		print_rows(cause, s, true, particular);
}

static bool has_particular(int cause, const struct options *options)
{
	const struct why_remedy *remedy;

	for (int s = 0; s < WHY_N_STACKS; s++)
		for (size_t i = 0; (s == options->stack || options->all_stacks) &&
				   (remedy = why_remedy(cause, s, i));
		     i++)
			if (is_particular(remedy))
				return true;
	return false;
}

static void print_remedies(int cause, const struct options *options)
{
	putchar('\n');
	print_heading("What to do");
	print_all_rows(cause, options, false);
	if (has_particular(cause, options)) {
		putchar('\n');
		print_heading("What to do where the doctor sees that it applies");
		print_all_rows(cause, options, true);
	}
	if (options->stack == WHY_STACK_NONE && !options->all_stacks)
		print_stacks(cause);
}

/* --- The kinds of things that can be explained ---------------------------- */

static const char *name_of_who(const char *who)
{
	static const char *const names[][2] = {
		{"nobody", "nobody"},
		{"client", "the client: whoever wrote the page or program"},
		{"proxy", "whoever runs the proxy"},
		{"server", "whoever runs the server, its proxy included"},
		{"network", "whoever runs the network in between"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i][0], who))
			return names[i][1];
	return who;
}

static void print_cause(int cause, const struct options *options)
{
	const struct why_cause_row *row = why_cause(cause);

	print_heading(row->id);
	term_wrap(stdout, row->sentence, 2);
	printf("\n  Who has to act: %s.\n", name_of_who(row->who));
	print_text(row->text);
	print_remedies(cause, options);
}

static void print_line(const char *word, const char *sentence)
{
	printf("  %s\n", word);
	term_wrap(stdout, sentence, 6);
}

static void print_share(const struct why_share *share)
{
	char word[80];

	if (share->percent)
		snprintf(word, sizeof(word), "%3d %%  %s", share->percent,
			 why_cause(share->cause)->id);
	else
		snprintf(word, sizeof(word), "       %s",
			 why_cause(share->cause)->id);
	printf("  %s\n", word);
	term_wrap(stdout, why_cause(share->cause)->sentence, 13);
}

static void print_status(const struct why_status *status)
{
	char line[160];
	bool counted = status->threads && status->share[0].percent;

	snprintf(line, sizeof(line), "%s %s", status->word, status->name);
	print_heading(line);
	term_wrap(stdout, status->says, 2);
	putchar('\n');
	print_heading("What to do first");
	term_wrap(stdout, status->next, 2);
	putchar('\n');
	print_heading("What may be behind it, the likeliest first");
	for (size_t i = 0; i < status->n_shares; i++)
		print_share(&status->share[i]);
	putchar('\n');
	if (counted) {
		snprintf(line, sizeof(line),
			 "The shares come from a study of 365 classified "
			 "public threads, %d of them with this symptom.",
			 status->threads);
		term_wrap(stdout, line, 2);
	}
	term_wrap(stdout,
		  "`sesame explain CAUSE` tells each in full; `sesame doctor "
		  "URL` finds out which one it is.",
		  2);
}

static void print_topic(const struct why_topic *topic)
{
	print_heading(topic->question);
	print_text(topic->text);
}

/* The causes whose category is @category; 0 when there are none. */
static int print_category(struct bytes category)
{
	int n = 0;

	for (int i = 0; i < WHY_N_CAUSES; i++) {
		if (!bytes_equal_nocase(why_category(i), category))
			continue;
		if (n++ == 0)
			print_heading("Causes");
		print_line(why_cause(i)->id, why_cause(i)->sentence);
	}
	return n;
}

/* Some topics, such as tls, are the name of a category as well. */
static void print_topic_and_causes(const struct why_topic *topic)
{
	struct bytes id = bytes_of_str(topic->id);

	print_topic(topic);
	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (bytes_equal(why_category(c), id)) {
			putchar('\n');
			print_category(id);
			break;
		}
}

/* -1: nothing is called so. */
static int find_stack(const char *name)
{
	int stack = (int)why_stack_find(bytes_of_str(name));

	return stack == WHY_STACK_NONE ? -1 : stack;
}

/* All that is known to help with one stack, cause by cause. */
static void print_stack(int stack)
{
	int n = 0;

	print_heading(why_stack(stack)->name);
	for (int c = 0; c < WHY_N_CAUSES; c++) {
		if (!explain_has_own(c, stack))
			continue;
		n++;
		putchar('\n');
		print_heading(why_cause(c)->id);
		for (size_t i = 0; why_remedy(c, stack, i); i++)
			if (why_remedy(c, stack, i)->stack != WHY_STACK_NONE)
				print_remedy(why_remedy(c, stack, i));
	}
	if (!n)
		term_wrap(stdout,
			  "The doctor knows it by its answers. What opens the "
			  "door is the same as elsewhere: sesame explain CAUSE "
			  "tells it.",
			  2);
}

static const char *title_of(struct bytes category)
{
	static const char *const titles[][2] = {
		{"ok", "Nothing is wrong"},
		{"url", "The URL"},
		{"client", "The client's own request"},
		{"browser", "The browser stops it itself"},
		{"access", "Who may come in"},
		{"net", "The network"},
		{"tls", "Certificates and encryption"},
		{"server", "The server and what stands before it"},
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
		if (bytes_equal_str(category, titles[i][0]))
			return titles[i][1];
	return "More";
}

/* "  403   Forbidden", what is long wrapped below its own beginning. */
static void print_row(const char *word, int width, const char *text)
{
	struct ses_buf lines;
	int indent = 2 + width;

	ses_buf_init(&lines, 1 << 12);
	if (text_wrap(&lines, text, indent, 80) == 0 &&
	    ses_buf_append(&lines, bytes_of("", 1)) == 0)
		printf("  %-*s%s", width, word,
		       (const char *)ses_buf_bytes(&lines).data + indent);
	ses_buf_fini(&lines);
}

static void print_contents(void)
{
	struct bytes last = bytes_of(NULL, 0);

	for (int i = 0; i < WHY_N_CAUSES; i++) {
		struct bytes category = why_category(i);

		if (!bytes_equal(category, last)) {
			printf("%s", i ? "\n" : "");
			print_heading(title_of(category));
		}
		print_line(why_cause(i)->id, why_cause(i)->sentence);
		last = category;
	}
	putchar('\n');
	print_heading("Statuses and close codes");
	for (size_t i = 0; why_status(i); i++)
		print_row(why_status(i)->word, 6, why_status(i)->name);
	putchar('\n');
	print_heading("Questions");
	for (size_t i = 0; why_topic(i); i++)
		print_row(why_topic(i)->id, 15, why_topic(i)->question);
	printf("\n  sesame explain access.origin | 403 | same-origin | "
	       "nginx\n");
}

/* --- For machines --------------------------------------------------------- */

static int print_json(json_t *value)
{
	int r = value ? json_dumpf(value, stdout, JSON_INDENT(2)) : -1;

	putchar('\n');
	json_decref(value);
	return r == 0 ? EXIT_OK : EXIT_NO_ANSWER;
}

/* --- Finding out what was asked for --------------------------------------- */

/* The status row for "403", "none" or "Forbidden", or NULL. */
static const struct why_status *find_status(const char *word)
{
	struct bytes w = bytes_of_str(word);
	uint64_t number;

	if (bytes_to_u64(w, 9999, &number))
		return number ? why_status_find((int)number) : NULL;
	for (size_t i = 0; why_status(i); i++)
		if (bytes_equal_nocase(w, bytes_of_str(why_status(i)->word)) ||
		    bytes_equal_nocase(w, bytes_of_str(why_status(i)->name)))
			return why_status(i);
	return NULL;
}

#define MAX_WORDS (WHY_N_CAUSES + WHY_N_STACKS + 256)

/* Nothing has this name: say so, with the nearest that has. */
static int complain(const char *word)
{
	const char *words[MAX_WORDS];
	const char *near;
	char shown[80];
	size_t n = 0;

	for (int c = 0; c < WHY_N_CAUSES; c++)
		words[n++] = why_cause(c)->id;
	for (int s = 1; s < WHY_N_STACKS; s++)
		words[n++] = why_stack(s)->id;
	for (size_t i = 0; why_topic(i) && n < MAX_WORDS; i++)
		words[n++] = why_topic(i)->id;
	for (size_t i = 0; why_status(i) && n < MAX_WORDS; i++)
		words[n++] = why_status(i)->word;
	for (size_t i = 0; why_stack_alias(i) && n < MAX_WORDS; i++)
		words[n++] = why_stack_alias(i);
	/* The number next to a number means something else altogether. */
	near = strspn(word, "0123456789") == strlen(word)
		       ? NULL
		       : text_suggest(word, words, n);
	fprintf(stderr, "sesame explain: nothing is known of \"%s\"%s%s%s\n",
		bytes_printable(bytes_of_str(word), shown, sizeof(shown)),
		near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	fprintf(stderr, "`sesame explain` lists all causes, statuses and "
			"questions.\n");
	return EXIT_USAGE;
}

static int explain_in_json(const struct options *options)
{
	struct bytes word = bytes_of_str(options->word);
	const struct why_status *status = find_status(options->word);
	const struct why_topic *topic = why_topic_find(word);
	int cause = why_cause_find(word);
	int stack = find_stack(options->word);
	json_t *list;

	if (cause >= 0)
		return print_json(explain_json_cause(cause, options->stack));
	if (status)
		return print_json(explain_json_status(status));
	if (topic)
		return print_json(explain_json_topic(topic));
	list = explain_json_causes(word, options->stack);
	if (json_array_size(list))
		return print_json(list);
	json_decref(list);
	return stack < 0 ? complain(options->word)
			 : print_json(explain_json_stack(stack));
}

static int explain_word(const struct options *options)
{
	struct bytes word = bytes_of_str(options->word);
	const struct why_status *status = find_status(options->word);
	const struct why_topic *topic = why_topic_find(word);
	int cause = why_cause_find(word);
	int stack = find_stack(options->word);

	if (!word.len)
		return complain(options->word);
	if (options->json)
		return explain_in_json(options);
	if (cause >= 0)
		print_cause(cause, options);
	else if (status)
		print_status(status);
	else if (topic)
		print_topic_and_causes(topic);
	else if (!print_category(word) && stack < 0)
		return complain(options->word);
	else if (stack >= 0)
		print_stack(stack);
	return EXIT_OK;
}

static int print_markdown(void)
{
	struct ses_buf page;
	int r;

	ses_buf_init(&page, 1 << 20);
	r = why_manual_markdown(&page);
	if (r >= 0)
		fwrite(page.data + page.start, 1, ses_buf_len(&page), stdout);
	ses_buf_fini(&page);
	return r < 0 ? EXIT_NO_ANSWER : EXIT_OK;
}

static int print_help(void)
{
	puts("Usage: sesame explain [options] [CAUSE|STATUS|TOPIC|STACK]\n\n"
	     "The manual of causes: why a WebSocket handshake is refused, how "
	     "it looks, how to\nmake sure, and what opens the door. Without a "
	     "word: the table of contents.\n\n"
	     "Options");
	option_list(stdout, "explain");
	puts("\nExamples\n"
	     "  sesame explain 403\n"
	     "  sesame explain access.origin --stack nginx\n"
	     "  sesame explain 1006\n"
	     "  sesame explain client-fault\n\n"
	     "Exit status: 0 explained, 2 nothing is known of that word.");
	return EXIT_OK;
}

static int complain_two(const char *word, const char *other)
{
	fprintf(stderr,
		"sesame explain: one word at a time, not %s and %s. For "
		"example:\n"
		"  sesame explain 403\n"
		"  sesame explain access.origin --stack nginx\n",
		word, other);
	return EXIT_USAGE;
}

static int read_stack(const char *name, struct options *options)
{
	const char *ids[WHY_N_STACKS];
	const char *near;
	char shown[80];

	if (!*name) {
		fputs("sesame explain: --stack needs a name, such as nginx, or "
		      "all\n",
		      stderr);
		return EXIT_USAGE;
	}
	options->all_stacks = !strcmp(name, "all");
	options->stack = options->all_stacks ? 0 : find_stack(name);
	if (options->stack >= 0)
		return 0;
	for (int s = 0; s < WHY_N_STACKS; s++)
		ids[s] = why_stack(s)->id;
	near = text_suggest(name, ids + 1, WHY_N_STACKS - 1);
	fprintf(stderr, "sesame explain: no stack is called \"%s\"%s%s%s\n",
		bytes_printable(bytes_of_str(name), shown, sizeof(shown)),
		near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	return EXIT_USAGE;
}

/* 0, or EXIT_USAGE when it was told what is wrong. */
static int read_options(char **argv, struct options *options)
{
	struct option_reader r = {.command = "explain", .next = argv + 1};
	int more, status = 0;

	while (status == 0 && (more = option_next(&r)) > 0) {
		if (!r.name && options->word)
			status = complain_two(options->word, r.value);
		else if (!r.name)
			options->word = r.value;
		else if (strcmp(r.name, "stack") == 0)
			status = read_stack(r.value, options);
		else if (strcmp(r.name, "json") == 0)
			options->json = true;
		else if (strcmp(r.name, "markdown") == 0)
			options->markdown = true;
		else
			options->help = true;
	}
	return status == 0 && more < 0 ? EXIT_USAGE : status;
}

/* Words by which people ask for the contents. */
static bool is_contents(const char *word)
{
	return !strcmp(word, "causes") || !strcmp(word, "topics") ||
	       !strcmp(word, "contents");
}

int cmd_explain(int argc, char **argv)
{
	struct options options = {0};
	int r = read_options(argv, &options);

	if (r)
		return r;
	if (options.help)
		return print_help();
	if (options.markdown)
		return print_markdown();
	if (options.word && !is_contents(options.word))
		return explain_word(&options);
	if (options.json)
		return print_json(explain_json_contents(options.stack));
	print_contents();
	return EXIT_OK;
}
