/* SPDX-License-Identifier: MIT */
/*
 * Recognition of who wrote an answer. Every row of marks.def is a set of
 * conditions on one answer; the rows that hold become hops, and the strongest
 * of them names the writer. Hard is only the difference between a hop that
 * relayed (it left its Server field) and the one whose words these are.
 */
#include "why/stack.h"

#include <stdio.h>

static const struct why_stack_row stacks[] = {
	[WHY_STACK_NONE] = {"unknown", "unknown", WHY_LAYER_NONE},
#define STACK(symbol, id, name, layer) [WHY_STACK_##symbol] = {id, name, layer},
#include "why/stacks.def"
#undef STACK
};

/* A field that must be there; value: how it starts, holds: a part of it. */
struct field_test {
	const char *name, *value, *holds;
	bool spelt; /* the name in exactly these letters */
};

struct mark {
	enum why_stack stack;
	enum why_role role;
	int status;	    /* 0: any */
	const char *reason; /* the whole reason phrase */
	struct field_test with[3];
	const char *without[4]; /* fields that must be absent */
	const char *body;	/* a phrase of the body */
	const char *also;	/* another one */
	const char *exactly;	/* the whole body, blanks around it aside */
	bool bare;		/* no field at all */
	bool empty;		/* no body */
	bool refusal;		/* a status of 400 or more */
	bool counted;		/* Content-Length is behind with[0], or absent */
	bool dated;		/* Date is behind with[0] */
	bool sized;		/* Content-Length is before with[0] */
};

static const struct mark marks[] = {
#define MARK(symbol, role_, ...) \
	{.stack = WHY_STACK_##symbol, .role = WHY_##role_, __VA_ARGS__},
#include "why/marks.def"
#undef MARK
};

#define N_MARKS (sizeof(marks) / sizeof(marks[0]))
#define N_TESTS 3
#define N_WITHOUT 4

const struct why_stack_row *why_stack(enum why_stack stack)
{
	return (unsigned)stack < WHY_N_STACKS ? &stacks[stack] : NULL;
}

const char *why_layer_name(enum why_layer layer)
{
	static const char *const names[] = {
		[WHY_LAYER_CLIENT] = "client",
		[WHY_LAYER_FORWARD_PROXY] = "forward-proxy",
		[WHY_LAYER_CDN] = "cdn",
		[WHY_LAYER_REVERSE_PROXY] = "reverse-proxy",
		[WHY_LAYER_SERVER] = "server",
		[WHY_LAYER_APPLICATION] = "application",
	};

	return (unsigned)layer <= WHY_LAYER_APPLICATION ? names[layer] : NULL;
}

static bool starts_nocase(struct bytes a, struct bytes prefix)
{
	return bytes_equal_nocase(bytes_first(a, prefix.len), prefix);
}

static bool field_passes(const struct ses_field *field,
			 const struct field_test *test)
{
	struct bytes name = bytes_of_str(test->name);

	if (test->spelt ? !bytes_equal(field->name, name)
			: !bytes_equal_nocase(field->name, name))
		return false;
	if (test->value &&
	    !starts_nocase(field->value, bytes_of_str(test->value)))
		return false;
	return !test->holds ||
	       bytes_contains_nocase(field->value, bytes_of_str(test->holds));
}

/* The field of @answer that passes @test, or NULL. */
static const struct ses_field *find_field(const struct why_answer *answer,
					  const struct field_test *test)
{
	for (size_t i = 0; i < answer->n_fields; i++)
		if (field_passes(&answer->fields[i], test))
			return &answer->fields[i];
	return NULL;
}

/*
 * Servers that count what they write, and date it, add that to the end of the
 * head; of what they pass on it stands among the fields that came with it.
 */
static bool is_behind(const struct why_answer *answer, const char *name,
		      const struct field_test *own)
{
	const struct field_test test = {.name = name};
	const struct ses_field *field = find_field(answer, &test);

	return field && field > find_field(answer, own);
}

static bool is_counted(const struct why_answer *answer,
		       const struct field_test *own)
{
	return !ses_field_find(answer->fields, answer->n_fields,
			       "Content-Length") ||
	       is_behind(answer, "Content-Length", own);
}

static bool fields_hold(const struct why_answer *answer, const struct mark *mark)
{
	if (mark->bare && answer->n_fields)
		return false;
	for (int i = 0; i < N_TESTS && mark->with[i].name; i++)
		if (!find_field(answer, &mark->with[i]))
			return false;
	for (int i = 0; i < N_WITHOUT && mark->without[i]; i++)
		if (ses_field_find(answer->fields, answer->n_fields,
				   mark->without[i]))
			return false;
	return (!mark->counted || is_counted(answer, &mark->with[0])) &&
	       (!mark->dated || is_behind(answer, "Date", &mark->with[0])) &&
	       (!mark->sized || !is_counted(answer, &mark->with[0]));
}

static struct bytes without_blanks(struct bytes a)
{
	while (a.len && a.data[a.len - 1] <= ' ')
		a.len--;
	while (a.len && a.data[0] <= ' ')
		a = bytes_from(a, 1);
	return a;
}

/* Whether the @len bytes at @at are part of @echo, told again in @body. */
static bool is_within(struct bytes body, size_t at, size_t len,
		      struct bytes echo)
{
	size_t before = echo.len - len;
	size_t from = at > before ? at - before : 0;

	for (; from <= at; from++)
		if (bytes_equal_nocase(
			    bytes_first(bytes_from(body, from), echo.len), echo))
			return true;
	return false;
}

/* Whether @body says @phrase of its own, not where it repeats what was asked. */
static bool says(const struct why_answer *answer, const char *phrase)
{
	struct bytes words = bytes_of_str(phrase), asked = answer->asked;
	struct bytes body = answer->body;

	if (!bytes_contains_nocase(asked, words))
		return bytes_contains_nocase(body, words);
	for (size_t at = 0; at + words.len <= body.len; at++)
		if (starts_nocase(bytes_from(body, at), words) &&
		    !is_within(body, at, words.len, asked))
			return true;
	return false;
}

static bool body_holds(const struct why_answer *answer, const struct mark *mark)
{
	struct bytes body = answer->body;

	if (mark->empty && body.len)
		return false;
	if (mark->exactly &&
	    !bytes_equal_str(without_blanks(body), mark->exactly))
		return false;
	return (!mark->body || says(answer, mark->body)) &&
	       (!mark->also || says(answer, mark->also));
}

static bool mark_holds(const struct why_answer *answer, const struct mark *mark)
{
	if (mark->status && mark->status != answer->status)
		return false;
	if (mark->refusal && answer->status < 400)
		return false;
	if (mark->reason && !bytes_equal_str(answer->reason, mark->reason))
		return false;
	return fields_hold(answer, mark) && body_holds(answer, mark);
}

static bool is_version_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/* The version in "name/1.2" or "name(1.2" somewhere in @text, or nothing. */
static struct bytes version_after(struct bytes text, struct bytes name)
{
	if (name.len &&
	    (name.data[name.len - 1] == '/' || name.data[name.len - 1] == '('))
		name.len--;
	for (; text.len > name.len; text = bytes_from(text, 1)) {
		struct bytes rest = bytes_from(text, name.len);
		size_t n = 0;

		if (!starts_nocase(text, name) ||
		    (rest.data[0] != '/' && rest.data[0] != '('))
			continue;
		rest = bytes_from(rest, 1);
		while (n < rest.len && is_version_byte(rest.data[n]))
			n++;
		if (n && rest.data[0] >= '0' && rest.data[0] <= '9')
			return bytes_first(rest, n);
	}
	return bytes_of(NULL, 0);
}

/* Write "nginx/1.22.1" when @text shows the version, or else "nginx". */
static void write_text(const struct mark *mark, struct bytes text,
		       struct bytes needle, char *out, size_t size)
{
	struct bytes version = version_after(text, needle);
	const char *id = stacks[mark->stack].id;

	if (version.len && version.len < 24)
		snprintf(out, size, "%s/%.*s", id, BYTES_ARG(version));
	else
		snprintf(out, size, "%s", id);
}

/* Only what writes to the socket by hand forgets the date. */
static bool lacks_date(const struct mark *mark)
{
	for (int i = 0; i < N_WITHOUT && mark->without[i]; i++)
		if (!strcmp(mark->without[i], "Date"))
			return true;
	return false;
}

/* What of @answer made @mark hold, for people: one field, phrase or line. */
static void write_hop(const struct why_answer *answer, const struct mark *mark,
		      struct why_hop *hop)
{
	const struct field_test *test = &mark->with[0];
	const struct ses_field *field =
		test->name ? find_field(answer, test) : NULL;
	const char *phrase = mark->body ? mark->body : mark->exactly;
	struct bytes needle =
		bytes_of_str(test->holds ? test->holds : test->value);
	char value[48];

	hop->stack = mark->stack;
	snprintf(hop->text, sizeof(hop->text), "%s", stacks[mark->stack].id);
	if (phrase) {
		bytes_printable(bytes_of_str(phrase), value, sizeof(value));
		snprintf(hop->mark, sizeof(hop->mark), "body: \"%s\"", value);
		write_text(mark, answer->body,
			   bytes_of_str(stacks[mark->stack].id), hop->text,
			   sizeof(hop->text));
	} else if (field) {
		bytes_printable(field->value, value, sizeof(value));
		snprintf(hop->mark, sizeof(hop->mark), "%s%s%.26s: %s",
			 mark->empty ? "no body, " : "",
			 lacks_date(mark) ? "no Date, " : "", test->name, value);
		if (needle.len)
			write_text(mark, field->value, needle, hop->text,
				   sizeof(hop->text));
	} else {
		bytes_printable(answer->reason, value, sizeof(value));
		snprintf(hop->mark, sizeof(hop->mark), "status line: %d %s",
			 answer->status, value);
	}
}

/* Hops in the order of stacks.def, which is from the client on. */
struct found {
	const struct mark *best[WHY_N_STACKS]; /* the strongest mark, or NULL */
	const struct mark *named[WHY_N_STACKS]; /* a mark with a version */
};

/*
 * Stacks that contain another: both leave marks, and it is one hop. Without
 * this a service mesh or an ASGI server would be counted twice.
 */
static const struct {
	enum why_stack whole, part;
} built_on[] = {
	{WHY_STACK_ISTIO, WHY_STACK_ENVOY},
	{WHY_STACK_UVICORN, WHY_STACK_PYTHON_WEBSOCKETS},
	{WHY_STACK_HOME_ASSISTANT, WHY_STACK_AIOHTTP},
	{WHY_STACK_JUPYTER, WHY_STACK_TORNADO},
	{WHY_STACK_STREAMLIT, WHY_STACK_TORNADO},
	{WHY_STACK_JENKINS, WHY_STACK_JETTY},
	{WHY_STACK_NEXTJS, WHY_STACK_EXPRESS},
	{WHY_STACK_NEXTJS, WHY_STACK_NODE},
	{WHY_STACK_EXPRESS, WHY_STACK_NODE},
	{WHY_STACK_RAILS, WHY_STACK_PUMA},
	{WHY_STACK_PHOENIX, WHY_STACK_COWBOY},
	{WHY_STACK_VITE, WHY_STACK_NODE_WS},
};

bool why_contains(enum why_stack whole, enum why_stack part)
{
	for (size_t i = 0; i < sizeof(built_on) / sizeof(*built_on); i++)
		if (built_on[i].whole == whole && built_on[i].part == part)
			return true;
	return false;
}

static void join_parts(struct found *found)
{
	for (size_t i = 0; i < sizeof(built_on) / sizeof(*built_on); i++)
		if (found->best[built_on[i].whole])
			found->best[built_on[i].part] = NULL;
}

static void note_mark(const struct why_answer *answer, const struct mark *mark,
		      struct found *found)
{
	const struct mark **best = &found->best[mark->stack];
	const struct mark **named = &found->named[mark->stack];
	struct why_hop hop;

	if (!*best || mark->role > (*best)->role)
		*best = mark;
	write_hop(answer, mark, &hop);
	if (!*named && strchr(hop.text, '/'))
		*named = mark;
}

/* ---- where it stands ---- */

/* The next entry of a Via field; what is in brackets may hold commas. */
static bool next_entry(struct bytes *list, struct bytes *ret)
{
	size_t n = 0;
	int depth = 0;

	if (list->len == 0)
		return false;
	for (; n < list->len && (depth > 0 || list->data[n] != ','); n++)
		depth += (list->data[n] == '(') - (list->data[n] == ')');
	*ret = bytes_trim(bytes_first(*list, n));
	*list = bytes_from(*list, n + 1);
	return true;
}

static bool is_entry_of(struct bytes entry, enum why_stack stack)
{
	const struct ses_field field = {.name = BYTES("Via"), .value = entry};

	for (size_t i = 0; i < N_MARKS; i++)
		for (int k = 0; k < N_TESTS && marks[i].with[k].name; k++)
			if (marks[i].stack == stack &&
			    field_passes(&field, &marks[i].with[k]))
				return true;
	return bytes_contains_nocase(entry, bytes_of_str(stacks[stack].id));
}

/*
 * Whoever passes an answer on appends itself (RFC 9110 section 7.6.3), so the
 * last entry of all is the nearest hop. 0: @stack has none.
 */
static uint8_t place_in_via(const struct why_answer *answer,
			    enum why_stack stack)
{
	uint8_t place = 0, n = 0;

	for (size_t i = 0; i < answer->n_fields; i++) {
		struct bytes list = answer->fields[i].value, entry;

		if (!bytes_equal_nocase(answer->fields[i].name, BYTES("Via")))
			continue;
		while (n < UINT8_MAX && next_entry(&list, &entry)) {
			n++;
			if (is_entry_of(entry, stack))
				place = n;
		}
	}
	return place ? n - place + 1 : 0;
}

/*
 * Connection speaks of one connection, so the nearest hop wrote it. nginx
 * writes its own fields before those that it relays, so whether Connection
 * comes before or behind Via tells on which side of that hop it stands.
 */
static void note_connection(const struct why_answer *answer, struct why_hop *hop)
{
	bool server = false, connection = false;

	if (hop->stack != WHY_STACK_NGINX && hop->stack != WHY_STACK_OPENRESTY)
		return;
	for (size_t i = 0; i < answer->n_fields; i++) {
		struct bytes name = answer->fields[i].name;

		if (bytes_equal_nocase(name, BYTES("Server")))
			server = starts_nocase(
				answer->fields[i].value,
				bytes_of_str(stacks[hop->stack].id));
		else if (bytes_equal_nocase(name, BYTES("Via")) && server)
			*(connection ? &hop->is_next : &hop->is_behind) = true;
		else if (bytes_equal_nocase(name, BYTES("Connection")))
			connection = server;
	}
	hop->is_behind &= connection && !hop->is_next;
}

static void add_hop(const struct why_answer *answer, const struct found *found,
		    int stack, struct why_hops *hops)
{
	struct why_hop *hop = &hops->hop[hops->n];
	struct why_hop named;

	write_hop(answer, found->best[stack], hop);
	if (found->named[stack]) {
		write_hop(answer, found->named[stack], &named);
		memcpy(hop->text, named.text, sizeof(hop->text));
	}
	hop->role = found->best[stack]->role;
	hop->via = place_in_via(answer, hop->stack);
	note_connection(answer, hop);
	hops->n++;
}

void why_recognise(const struct why_answer *answer, struct why_hops *ret_hops)
{
	struct found found = {0};
	enum why_role strongest = WHY_HOP;

	memset(ret_hops, 0, sizeof(*ret_hops));
	ret_hops->writer = -1;
	for (size_t i = 0; i < N_MARKS; i++)
		if (mark_holds(answer, &marks[i]))
			note_mark(answer, &marks[i], &found);
	join_parts(&found);
	for (int s = 0; s < WHY_N_STACKS && ret_hops->n < WHY_MAX_HOPS; s++) {
		if (!found.best[s])
			continue;
		/* Of equally strong marks, the one farther away wrote it. */
		if (found.best[s]->role >= WHY_OWNER &&
		    found.best[s]->role >= strongest) {
			strongest = found.best[s]->role;
			ret_hops->writer = (int)ret_hops->n;
		}
		add_hop(answer, &found, s, ret_hops);
	}
}

/* Whether @hops have @stack, or the whole that it is a part of. */
static bool covers(const struct why_hops *hops, enum why_stack stack)
{
	for (size_t i = 0; i < hops->n; i++) {
		if (hops->hop[i].stack == stack ||
		    why_contains(hops->hop[i].stack, stack))
			return true;
	}
	return false;
}

static void insert_hop(struct why_hops *hops, const struct why_hop *hop)
{
	size_t at = 0;

	while (at < hops->n && hops->hop[at].stack < hop->stack)
		at++;
	memmove(&hops->hop[at + 1], &hops->hop[at],
		(hops->n - at) * sizeof(hops->hop[0]));
	hops->hop[at] = *hop;
	hops->n++;
	hops->writer += hops->writer >= (int)at;
}

void why_join_hops(struct why_hops *hops, const struct why_hops *more)
{
	for (size_t i = 0; i < more->n && hops->n < WHY_MAX_HOPS; i++)
		if (!covers(hops, more->hop[i].stack))
			insert_hop(hops, &more->hop[i]);
}
