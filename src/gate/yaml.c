/* SPDX-License-Identifier: MIT */
/*
 * Nodes of libfyaml and their places. An item is a node and what it is read
 * for; nobody else sees the node.
 */
#include "gate/yaml.h"

#include <libfyaml.h>

#include "gate/hide.h"
#include "wire/utf8.h"

/* ---- Nodes ---- */

static struct gate_place place_of_token(struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	return mark ? (struct gate_place){mark->line + 1, mark->column + 1}
		    : (struct gate_place){0, 0};
}

/* Where a node begins: of maps and lists, where their first element does. */
static struct gate_place place_of(struct fy_node *node,
				  struct gate_place otherwise)
{
	struct gate_place at = {0, 0};
	void *iterator = NULL;

	for (int depth = 0; node && depth < 64; depth++, iterator = NULL) {
		if (fy_node_is_scalar(node)) {
			at = place_of_token(fy_node_get_scalar_token(node));
			break;
		}
		if (fy_node_is_sequence(node)) {
			node = fy_node_sequence_iterate(node, &iterator);
		} else {
			struct fy_node_pair *pair =
				fy_node_mapping_iterate(node, &iterator);

			node = pair ? fy_node_pair_key(pair) : NULL;
		}
	}
	return at.line ? at : otherwise;
}

const char *gate_key_name(const struct gate_setting_row *row)
{
	const char *dot = strrchr(row->path, '.');

	return dot ? dot + 1 : row->path;
}

static struct bytes scalar(struct fy_node *node)
{
	size_t len = 0;
	const char *s = fy_node_get_scalar(node, &len);

	return bytes_of(s, s ? len : 0);
}

static bool is_null(struct fy_node *node)
{
	struct bytes s;

	if (!node)
		return true;
	if (!fy_node_is_scalar(node) || fy_node_get_style(node) != FYNS_PLAIN)
		return false;
	s = scalar(node);
	return s.len == 0 || bytes_equal(s, BYTES("~")) ||
	       bytes_equal(s, BYTES("null"));
}

static const char *kind_of(struct fy_node *node)
{
	if (is_null(node))
		return "nothing";
	if (fy_node_is_alias(node))
		return "an alias";
	return fy_node_is_scalar(node)	   ? "a single value"
	       : fy_node_is_sequence(node) ? "a list"
					   : "a map";
}

bool gate_want(struct gate_reader *r, const struct gate_item *i, bool fits,
	       const char *wanted)
{
	if (fits)
		return true;
	gate_complain(r->wrong, i->at, "%s: %s is needed here, not %s",
		      gate_key_name(i->row), wanted, kind_of(i->node));
	return false;
}

struct gate_shown gate_show(struct bytes value)
{
	struct gate_shown s;

	gate_hide_url(value, s.text, sizeof(s.text));
	return s;
}

/* Of lists and numbers the row bounds something else than the text. */
static size_t most_bytes(const struct gate_setting_row *row)
{
	return row->kind == GATE_TEXT || row->kind == GATE_FILE ? row->most
								: 4096;
}

/*
 * A word that begins with ! and stands without quotes is a tag for YAML: an
 * exclusion would be gone, or, as in `! 10.0.0.0/8`, its opposite. The tags
 * that YAML itself has, as !!str, are harmless.
 */
static bool is_tagged(struct gate_reader *r, const struct gate_item *i)
{
	size_t len = 0;
	const char *tag = i->node ? fy_node_get_tag(i->node, &len) : NULL;
	struct bytes word = bytes_of(tag, tag ? len : 0), value;

	if (word.len == 0 || word.data[0] != '!')
		return false;
	value = gate_text_of(i);
	gate_complain(r->wrong, place_of_token(fy_node_get_tag_token(i->node)),
		      "%s: for YAML a word that begins with ! is a tag; write "
		      "the entry in quotes: \"%s%s\"",
		      gate_key_name(i->row), gate_show(word).text,
		      gate_show(value).text);
	return true;
}

bool gate_want_text(struct gate_reader *r, const struct gate_item *i,
		    struct bytes *ret_text)
{
	struct bytes s;

	if (is_tagged(r, i))
		return false;
	if (!gate_want(r, i,
		       i->node && fy_node_is_scalar(i->node) &&
			       !fy_node_is_alias(i->node) &&
			       !(is_null(i->node) && i->row->kind != GATE_TEXTS),
		       "a single value"))
		return false;
	s = scalar(i->node);
	if (s.len == 0) {
		gate_complain(r->wrong, i->at, "%s is empty",
			      gate_key_name(i->row));
		return false;
	}
	if (s.len > most_bytes(i->row)) {
		gate_complain(r->wrong, i->at, "%s is longer than %zu bytes",
			      gate_key_name(i->row), most_bytes(i->row));
		return false;
	}
	if (memchr(s.data, 0, s.len)) {
		gate_complain(r->wrong, i->at, "%s holds a NUL byte",
			      gate_key_name(i->row));
		return false;
	}
	*ret_text = s;
	return true;
}

/* ---- Items ---- */

bool gate_is_map(const struct gate_item *i)
{
	return i->node && fy_node_is_mapping(i->node);
}

bool gate_is_list(const struct gate_item *i)
{
	return i->node && fy_node_is_sequence(i->node);
}

bool gate_is_single(const struct gate_item *i)
{
	return i->node && fy_node_is_scalar(i->node) &&
	       !fy_node_is_alias(i->node);
}

bool gate_is_null(const struct gate_item *i)
{
	return is_null(i->node);
}

struct bytes gate_text_of(const struct gate_item *i)
{
	return i->node && fy_node_is_scalar(i->node) ? scalar(i->node)
						     : bytes_of(NULL, 0);
}

size_t gate_count(const struct gate_item *list)
{
	int n = gate_is_list(list) ? fy_node_sequence_item_count(list->node) : 0;

	return n > 0 ? (size_t)n : 0;
}

bool gate_next_element(const struct gate_item *list, void **state,
		       struct gate_item *ret_element)
{
	*ret_element = *list;
	ret_element->node = fy_node_sequence_iterate(list->node, state);
	ret_element->at = place_of(ret_element->node, list->at);
	return ret_element->node != NULL;
}

bool gate_next_pair(const struct gate_item *map, void **state,
		    struct gate_item *ret_key, struct gate_item *ret_value)
{
	struct fy_node_pair *pair = fy_node_mapping_iterate(map->node, state);

	if (!pair)
		return false;
	*ret_key = *ret_value = *map;
	ret_key->node = fy_node_pair_key(pair);
	ret_key->at = ret_key->key = place_of(ret_key->node, map->at);
	ret_value->node = fy_node_pair_value(pair);
	ret_value->key = ret_key->at;
	ret_value->at = place_of(ret_value->node, ret_key->at);
	return true;
}

/* ---- Documents ---- */

typedef void (*read_root_fn)(struct gate_reader *r,
			     const struct gate_item *root);

/* Maps and lists of no element have no place of their own: the file's start. */
static void read_root(struct gate_reader *r, struct fy_node *node,
		      read_root_fn read)
{
	struct gate_item root = {
		.node = node, .at = place_of(node, (struct gate_place){1, 1})};

	read(r, &root);
}

static void read_yaml_faults(struct gate_reader *r, struct fy_diag *diag)
{
	struct fy_diag_error *e;
	void *iterator = NULL;

	while ((e = fy_diag_errors_iterate(diag, &iterator)))
		gate_complain(r->wrong, (struct gate_place){e->line, e->column},
			      "this is not YAML: %s%s", e->msg,
			      strstr(e->msg, "alias")
				      ? "; a value that begins with * is "
					"written in quotes: \"*\""
				      : "");
	if (r->wrong->n == 0)
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "this is not YAML");
}

static void read_documents(struct gate_reader *r, struct fy_parser *parser,
			   struct fy_diag *diag, read_root_fn read)
{
	struct fy_document *doc = fy_parse_load_document(parser), *second;

	if (!doc || fy_parser_get_stream_error(parser)) {
		read_yaml_faults(r, diag);
		fy_parse_document_destroy(parser, doc);
		return;
	}
	read_root(r, fy_document_root(doc), read);
	fy_parse_document_destroy(parser, doc);
	second = fy_parse_load_document(parser);
	if (second)
		gate_complain(
			r->wrong,
			place_of(fy_document_root(second),
				 (struct gate_place){0}),
			"a second document; one file is one configuration");
	else if (fy_parser_get_stream_error(parser))
		read_yaml_faults(r, diag);
	fy_parse_document_destroy(parser, second);
}

static void read_yaml(struct gate_reader *r, struct bytes text,
		      read_root_fn read)
{
	struct fy_diag_cfg diag_cfg;
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET |
					    FYPCF_ALLOW_DUPLICATE_KEYS |
					    FYPCF_DISABLE_RECYCLING};
	struct fy_parser *parser;

	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag_cfg.level = FYET_ERROR;
	cfg.diag = fy_diag_create(&diag_cfg);
	if (cfg.diag)
		fy_diag_set_collect_errors(cfg.diag, true);
	parser = cfg.diag ? fy_parser_create(&cfg) : NULL;
	if (parser && fy_parser_set_string(parser, (const char *)text.data,
					   text.len) == 0)
		read_documents(r, parser, cfg.diag, read);
	else
		gate_complain(r->wrong, (struct gate_place){0, 0},
			      "out of memory");
	fy_parser_destroy(parser);
	fy_diag_destroy(cfg.diag);
}

/* Nothing but blanks and comments. */
static bool is_blank_text(struct bytes text)
{
	bool comment = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		comment = c == '#' || (comment && c != '\n');
		if (!comment && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return false;
	}
	return true;
}

/* What no configuration has, and libfyaml would stumble or loop over. */
static const char *wrong_in_line(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.data[i] < ' ' && line.data[i] != '\t' &&
		     line.data[i] != '\r') ||
		    line.data[i] == 0x7f)
			return "it holds a control byte";
	if (!ses_utf8_valid(line))
		return "it is not UTF-8";
	if (line.len && line.data[0] == '%')
		return "a line begins with % (YAML directives are not taken)";
	return NULL;
}

static bool is_text(struct gate_reader *r, struct bytes text)
{
	for (int number = 1; text.len; number++) {
		ptrdiff_t end = bytes_find_byte(text, '\n');
		size_t len = end < 0 ? text.len : (size_t)end;
		const char *wrong = wrong_in_line(bytes_first(text, len));

		if (wrong) {
			gate_complain(r->wrong, (struct gate_place){number, 1},
				      "this is not YAML: %s", wrong);
			return false;
		}
		text = bytes_from(text, len + 1);
	}
	return true;
}

void gate_yaml_read(struct gate_reader *r, struct bytes text,
		    void (*read)(struct gate_reader *r,
				 const struct gate_item *root))
{
	if (is_blank_text(text))
		read_root(r, NULL, read);
	else if (is_text(r, text))
		read_yaml(r, text, read);
}
