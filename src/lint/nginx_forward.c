/* SPDX-License-Identifier: MIT */
/*
 * What reaches the server behind: Upgrade and Connection, the HTTP version, and
 * for how long. Values are judged by what they come to for a WebSocket
 * handshake, not by how they are written.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "lint/nginx.h"

#define DEFAULT_TIMEOUT_MS 60000
#define SHORT_TIMEOUT_MS   120000

enum look { MISSING, EMPTY, GOOD, UNDEFINED, WRONG, UNKNOWN };

/* ---- values ---- */

static bool has_undefined(struct lint_run *run, const char *text,
			  struct bytes *ret)
{
	while (nginx_next_variable(&text, ret))
		if (!nginx_is_defined(run, *ret))
			return true;
	return false;
}

static bool has_token(const char *value, const char *token)
{
	struct bytes list = bytes_of_str(value), element;

	while (bytes_next_element(&list, &element))
		if (bytes_equal_nocase(element, bytes_of_str(token)))
			return true;
	return false;
}

static enum look look_at(struct nginx_world *w, const struct lint_node *node,
			 const char *token)
{
	char value[NGINX_MAX_VALUE];
	struct bytes name;

	if (has_undefined(w->run, lint_arg(node, 1), &name))
		return UNDEFINED;
	if (!nginx_evaluate(w, lint_arg(node, 1), value, sizeof(value)))
		return UNKNOWN;
	if (!value[0])
		return EMPTY;
	return has_token(value, token) ? GOOD : WRONG;
}

/* The field's proxy_set_header at @level; of several, the one that is good. */
static enum look look_for(struct lint_run *run, const struct lint_node *level,
			  const char *field, const char *token,
			  const struct lint_node **ret)
{
	const struct lint_node *node = NULL;
	enum look best = MISSING, look;
	struct nginx_world w;

	nginx_world_of(run, nginx_server(level), &w);
	*ret = NULL;
	while ((node = nginx_header(level, field, node))) {
		look = look_at(&w, node, token);
		if (best == MISSING || look == GOOD) {
			best = look;
			*ret = node;
		}
		if (look == GOOD)
			break;
	}
	return best;
}

static bool is_fine(enum look look)
{
	return look == GOOD || look == UNKNOWN;
}

static bool is_version_fine(const struct lint_node *level)
{
	const struct lint_node *version =
		nginx_value(level, "proxy_http_version");

	return version && (strcmp(lint_arg(version, 0), "1.1") == 0 ||
			   lint_arg(version, 0)[0] == '$');
}

bool nginx_passes_upgrade(struct lint_run *run, const struct lint_node *level)
{
	const struct lint_node *node;

	return lint_child(level, "proxy_pass", NULL) &&
	       is_fine(look_for(run, level, "Upgrade", "websocket", &node)) &&
	       is_fine(look_for(run, level, "Connection", "upgrade", &node));
}

bool nginx_is_set_up(struct lint_run *run, const struct lint_node *level)
{
	return nginx_passes_upgrade(run, level) && is_version_fine(level);
}

/* ---- what to write ---- */

/* A map that gives "upgrade" where there is one, else the word itself. */
static const char *connection_value(struct lint_run *run,
				    const struct lint_node *level)
{
	static const char variable[] = "$connection_upgrade";
	char value[NGINX_MAX_VALUE];
	struct nginx_world w;

	nginx_world_of(run, nginx_server(level), &w);
	return nginx_evaluate(&w, variable, value, sizeof(value)) &&
			       has_token(value, "upgrade")
		       ? variable
		       : "\"upgrade\"";
}

void nginx_add_line(struct nginx_mend *m, const struct lint_node *after,
		    char *paste, size_t size, const char *line)
{
	size_t used = strlen(paste);

	nginx_mend_add(m, after, "%s", line);
	snprintf(paste + used, size - used, "%s%s", used ? "\n" : "", line);
}

void nginx_keep_inherited(struct nginx_mend *m, const struct lint_node *level,
			  const struct lint_node *after, char *paste,
			  size_t size)
{
	const struct lint_node *around =
		nginx_list_level(level, "proxy_set_header");
	const struct lint_node *n = NULL;
	char line[900];

	if (!around || around == level)
		return;
	while ((n = lint_child(around, "proxy_set_header", n))) {
		struct bytes text = lint_line(m->run, n->file, n->line);
		size_t from = n->column - 1, len = n->last_column - from;

		if (lint_same(lint_arg(n, 0), "Upgrade") ||
		    lint_same(lint_arg(n, 0), "Connection"))
			continue;
		if (n->line != n->last_line || len >= sizeof(line))
			m->failed = true;
		text = bytes_first(bytes_from(text, from), len);
		snprintf(line, sizeof(line), "%.*s", BYTES_ARG(text));
		nginx_add_line(m, after, paste, size, line);
	}
}

/* What of the three lines is missing at @level, below @after. */
static void add_missing(struct nginx_mend *m, const struct lint_node *level,
			const struct lint_node *after, char *paste, size_t size)
{
	const struct lint_node *node;
	char line[128];
	bool upgrade = look_for(m->run, level, "Upgrade", "websocket", &node) ==
		       MISSING;
	bool connection = look_for(m->run, level, "Connection", "upgrade",
				   &node) == MISSING;

	paste[0] = 0;
	if (!nginx_value(level, "proxy_http_version"))
		nginx_add_line(m, after, paste, size, "proxy_http_version 1.1;");
	if (upgrade || connection)
		nginx_keep_inherited(m, level, after, paste, size);
	if (upgrade)
		nginx_add_line(m, after, paste, size,
			       "proxy_set_header Upgrade $http_upgrade;");
	if (!connection)
		return;
	snprintf(line, sizeof(line), "proxy_set_header Connection %s;",
		 connection_value(m->run, level));
	nginx_add_line(m, after, paste, size, line);
}

/* ---- Upgrade and Connection are missing ---- */

static const char *missing_words(enum look upgrade, enum look connection)
{
	if (upgrade == MISSING && connection == MISSING)
		return "Upgrade and Connection are";
	return upgrade == MISSING ? "Upgrade is" : "Connection is";
}

/* Why they are, where a reader would believe that they are not. */
static void reason(const struct lint_node *level, char *out, size_t size)
{
	const struct lint_node *around = NULL, *n = NULL;

	out[0] = 0;
	if (lint_child(level, "proxy_set_header", NULL) && level->parent)
		around = nginx_header(level->parent, "Upgrade", NULL);
	if (around) {
		snprintf(
			out, size,
			": the proxy_set_header lines here cancel all of those "
			"around (line %u)",
			around->line);
		return;
	}
	while ((n = lint_child(level, "add_header", n)))
		if (lint_same(lint_arg(n, 0), "Upgrade") ||
		    lint_same(lint_arg(n, 0), "Connection"))
			snprintf(out, size,
				 ": add_header (line %u) speaks to the client; "
				 "proxy_set_header speaks to the server behind",
				 n->line);
}

/* A field whose name is a slip of the pen: "Upgrde". */
static const struct lint_node *misspelt_name(const struct lint_node *level,
					     const char *field)
{
	const struct lint_node *n = NULL;

	level = nginx_list_level(level, "proxy_set_header");
	while (level && (n = lint_child(level, "proxy_set_header", n))) {
		const char *name = lint_arg(n, 0);

		if (!lint_same(name, field) && strlen(name) > 4 &&
		    text_distance(name, field) <= 2)
			return n;
	}
	return NULL;
}

static bool judge_name(struct lint_run *run, const struct lint_node *level,
		       const char *field, const char *value, bool sure)
{
	const struct lint_node *node = misspelt_name(level, field);
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;

	if (!node)
		return false;
	f = nginx_note(run, LINT_MISSPELT_VARIABLE, level, node, sure,
		       "there is no field \"%.60s\"; %s is meant, and the "
		       "server behind does not get it",
		       lint_arg(node, 0), field);
	lint_fix(f, "proxy_set_header %s %s;", field, value);
	nginx_mend_replace(&m, node, "proxy_set_header %s %s;", field, value);
	nginx_mend_done(&m, f);
	return true;
}

static void note_missing(struct lint_run *run, const struct lint_node *level,
			 enum look upgrade, enum look connection, bool sure)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	struct nginx_mend m = {.run = run};
	char where[128], paste[480], why[160];
	struct lint_finding *f;

	nginx_where(level, where, sizeof(where));
	reason(level, why, sizeof(why));
	f = lint_note(
		run, LINT_UPGRADE_NOT_FORWARDED, pass, sure, where,
		"%s not passed on to %.80s%s; it sees an ordinary request "
		"and refuses%s",
		missing_words(upgrade, connection), lint_arg(pass, 0), why,
		nginx_value(level, "proxy_http_version")
			? ""
			: ", in HTTP/1.0 (before nginx 1.29.7)");
	add_missing(&m, level, pass, paste, sizeof(paste));
	lint_fix(f, "%s", paste);
	nginx_mend_done(&m, f);
}

/* ---- they are there and wrong ---- */

/* The place above the first server of the file: there a map can stand. */
static bool place_of_map(const struct lint_node *level, unsigned *ret_line)
{
	const struct lint_node *server = nginx_server(level), *first;

	if (!server->parent)
		return false;
	for (first = server->parent->first; first; first = first->next)
		if (nginx_is(first, "server") && first->file == server->file)
			break;
	if (!first ||
	    (first->parent->parent && first->line == first->parent->line))
		return false;
	*ret_line = first->line - 1;
	return true;
}

static void add_map(struct lint_run *run, struct lint_finding *f,
		    const struct lint_node *level, const char *variable)
{
	char indent[64];
	unsigned line;

	if (!f || !place_of_map(level, &line))
		return;
	lint_indent(run, nginx_server(level)->file, line + 1, indent,
		    sizeof(indent));
	lint_insert(run, f, nginx_server(level)->file, line,
		    "%smap $http_upgrade $%s {\n%s    default upgrade;\n"
		    "%s    ''      close;\n%s}",
		    indent, variable, indent, indent, indent);
	lint_fix(f,
		 "map $http_upgrade $%s {\n    default upgrade;\n"
		 "    ''      close;\n}",
		 variable);
}

/* $connection_upgrade is nginx's no more than any other: a map makes it. */
static bool is_map_missing(const char *field, const char *value)
{
	return lint_same(field, "Connection") && value[0] == '$' &&
	       lint_holds(value, "upgrade");
}

static void note_undefined(struct lint_run *run, const struct lint_node *level,
			   const struct lint_node *node, const char *value,
			   bool sure)
{
	const char *text = lint_arg(node, 1), *near;
	char name[64], almost[64], where[128];
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	struct bytes variable;
	bool lone = !lint_child(run->root, "http", NULL);

	if (lint_told(run, LINT_MISSPELT_VARIABLE, node))
		return;
	has_undefined(run, text, &variable);
	snprintf(name, sizeof(name), "%.*s", BYTES_ARG(variable));
	near = nginx_nearest(run, name, almost, sizeof(almost));
	nginx_where(level, where, sizeof(where));
	f = lint_note(run, LINT_MISSPELT_VARIABLE, node, sure && !lone, where,
		      "$%s is not defined%s%s%s; nginx does not start with it",
		      name, lone ? " in this file" : "",
		      near ? ", perhaps $" : "", near ? near : "");
	if (!near && is_map_missing(lint_arg(node, 0), text)) {
		add_map(run, f, level, name);
		return;
	}
	lint_fix(f, "proxy_set_header %s %s;", lint_arg(node, 0), value);
	nginx_mend_replace(&m, node, "proxy_set_header %s %s;",
			   lint_arg(node, 0), value);
	nginx_mend_done(&m, f);
}

/* What is wrong with a value that comes to @value. */
static enum lint_rule rule_of(const char *field, const char *written,
			      const char *value)
{
	bool is_connection = lint_same(field, "Connection");

	if (!value[0])
		return is_connection ? LINT_UPGRADE_NOT_FORWARDED
				     : LINT_UPGRADE_REMOVED;
	if (is_connection &&
	    (has_token(value, "close") || has_token(value, "keep-alive")))
		return LINT_UPGRADE_NOT_FORWARDED;
	return LINT_MISSPELT_VARIABLE;
}

static void note_wrong(struct lint_run *run, const struct lint_node *level,
		       const struct lint_node *node, const char *good, bool sure)
{
	const char *field = lint_arg(node, 0), *written = lint_arg(node, 1);
	char value[NGINX_MAX_VALUE] = "", where[128];
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	struct nginx_world w;
	enum lint_rule rule;

	nginx_world_of(run, nginx_server(level), &w);
	nginx_evaluate(&w, written, value, sizeof(value));
	rule = rule_of(field, written, value);
	if (lint_told(run, rule, node))
		return;
	nginx_where(level, where, sizeof(where));
	f = lint_note(
		run, rule, node, sure, where,
		"%s is sent as \"%.60s\"%s, so the server behind does not "
		"see a WebSocket handshake; write %s",
		field, value,
		nginx_is_defined(run, bytes_of_str(written)) &&
				!strchr(written, '$')
			? " (the $ is missing)"
			: "",
		good);
	lint_fix(f, "proxy_set_header %s %s;", field, good);
	nginx_mend_replace(&m, node, "proxy_set_header %s %s;", field, good);
	nginx_mend_done(&m, f);
}

/*
 * $http_upgarde is the client's field Upgarde: nginx starts with it, and it is
 * always empty. A name is meant if a slip or two lead to it.
 */
static bool is_nearly(const char *written, const char *meant)
{
	const char *name = written + strlen("$http_");
	int distance;

	if (strncmp(written, "$http_", strlen("$http_")) != 0)
		return false;
	distance = text_distance(name, meant);
	return distance > 0 && distance <= 2;
}

static void note_empty_field(struct lint_run *run, const struct lint_node *level,
			     const struct lint_node *node, const char *good,
			     bool sure)
{
	const char *written = lint_arg(node, 1);
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	char where[128];

	if (lint_told(run, LINT_MISSPELT_VARIABLE, node))
		return;
	nginx_where(level, where, sizeof(where));
	f = lint_note(run, LINT_MISSPELT_VARIABLE, node, sure, where,
		      "%.60s is a field that no client sends, so %s is always "
		      "empty; write %s",
		      written, lint_arg(node, 0), good);
	lint_fix(f, "proxy_set_header %s %s;", lint_arg(node, 0), good);
	nginx_mend_replace(&m, node, "proxy_set_header %s %s;",
			   lint_arg(node, 0), good);
	nginx_mend_done(&m, f);
}

static void judge_field(struct lint_run *run, const struct lint_node *level,
			const struct lint_node *node, enum look look,
			const char *good, bool sure)
{
	if (look == UNDEFINED)
		note_undefined(run, level, node, good, sure);
	else if (node && is_nearly(lint_arg(node, 1),
				   lint_same(lint_arg(node, 0), "Upgrade")
					   ? "upgrade"
					   : "connection"))
		note_empty_field(run, level, node, good, sure);
	else if (look == WRONG || look == EMPTY)
		note_wrong(run, level, node, good, sure);
}

/* ---- the version ---- */

static void note_version(struct lint_run *run, const struct lint_node *level,
			 bool sure)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *version =
		nginx_value(level, "proxy_http_version");
	const struct lint_node *at = version ? version : pass;
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;

	f = nginx_note(run, LINT_HTTP_VERSION, level, at, sure,
		       "the server behind is spoken to in HTTP/%.8s, which has "
		       "no Upgrade%s",
		       version ? lint_arg(version, 0) : "1.0",
		       version ? ""
			       : " (1.1 is the default from nginx 1.29.7 on)");
	lint_fix(f, "proxy_http_version 1.1;");
	if (version)
		nginx_mend_replace(&m, version, "proxy_http_version 1.1;");
	else
		nginx_mend_add(&m, pass, "proxy_http_version 1.1;");
	nginx_mend_done(&m, f);
}

/* ---- fields of the handshake that are taken away ---- */

static void judge_removed(struct lint_run *run, const struct lint_node *level,
			  bool sure)
{
	static const char *const needed[] = {"Sec-WebSocket-Key",
					     "Sec-WebSocket-Version"};
	const struct lint_node *off =
		nginx_value(level, "proxy_pass_request_headers");
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;

	if (off && lint_same(lint_arg(off, 0), "off")) {
		f = nginx_note(run, LINT_UPGRADE_REMOVED, level, off, sure,
			       "the client's fields are not passed on, "
			       "Sec-WebSocket-Key among them");
		lint_fix(f, "proxy_pass_request_headers on;");
		nginx_mend_replace(&m, off, "proxy_pass_request_headers on;");
		nginx_mend_done(&m, f);
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const struct lint_node *n = nginx_header(level, needed[i], NULL);

		if (!n || lint_arg(n, 1)[0])
			continue;
		f = nginx_note(
			run, LINT_UPGRADE_REMOVED, level, n, sure,
			"%s is taken out of the request; without it there "
			"is no WebSocket handshake",
			needed[i]);
		nginx_mend_delete(&m, n);
		nginx_mend_done(&m, f);
	}
}

void nginx_judge_upgrade(struct lint_run *run, const struct lint_node *level,
			 bool sure)
{
	const struct lint_node *upgrade_node, *connection_node;
	const char *connection_good = connection_value(run, level);
	enum look upgrade =
		look_for(run, level, "Upgrade", "websocket", &upgrade_node);
	enum look connection =
		look_for(run, level, "Connection", "upgrade", &connection_node);
	bool missing = upgrade == MISSING || connection == MISSING;

	judge_removed(run, level, sure);
	judge_field(run, level, upgrade_node, upgrade, "$http_upgrade", sure);
	judge_field(run, level, connection_node, connection, connection_good,
		    sure);
	if (upgrade == MISSING &&
	    judge_name(run, level, "Upgrade", "$http_upgrade", sure))
		upgrade = UNKNOWN;
	if (connection == MISSING &&
	    judge_name(run, level, "Connection", connection_good, sure))
		connection = UNKNOWN;
	if (upgrade == MISSING || connection == MISSING)
		note_missing(run, level, upgrade, connection, sure);
	if (!is_version_fine(level) &&
	    (!missing || nginx_value(level, "proxy_http_version")))
		note_version(run, level, sure);
}

/* ---- time ---- */

static void judge_time(struct lint_run *run, const struct lint_node *level,
		       bool sure)
{
	const struct lint_node *pass = lint_child(level, "proxy_pass", NULL);
	const struct lint_node *node = nginx_value(level, "proxy_read_timeout");
	int64_t ms = node ? lint_duration_ms(lint_arg(node, 0), 1000)
			  : DEFAULT_TIMEOUT_MS;
	struct nginx_mend m = {.run = run};
	struct lint_finding *f;
	char time[32];

	if (ms < 0 || ms >= SHORT_TIMEOUT_MS)
		return;
	/* Many servers ping more often than that. */
	f = nginx_note(
		run, LINT_SHORT_TIMEOUT, level, node ? node : pass,
		sure && (node || run->request),
		"a WebSocket is cut when the server behind is silent for "
		"%s%s; let that be longer, or ping more often",
		lint_duration_text(ms, time, sizeof(time)),
		node ? "" : " (the default)");
	lint_fix(f, "proxy_read_timeout 1h;");
	if (node && node->parent == level)
		nginx_mend_replace(&m, node, "proxy_read_timeout 1h;");
	else
		nginx_mend_add(&m, pass, "proxy_read_timeout 1h;");
	nginx_mend_done(&m, f);
}

void nginx_judge_rest(struct lint_run *run, const struct lint_node *level,
		      bool sure)
{
	nginx_judge_host(run, level, sure);
	nginx_judge_path(run, level);
	nginx_judge_scheme(run, level, sure);
	judge_time(run, level, sure);
}
