/* SPDX-License-Identifier: MIT */
/*
 * Files with their includes, and the memory that trees are made of. What is
 * hard is to stay bounded whatever a configuration includes how often: files,
 * bytes, nodes and the text that is read again and again all have a ceiling.
 */
#include "lint/source.h"

#include <sesame/error.h>

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>

#define CHUNK 65536

struct lint_chunk {
	struct lint_chunk *next;
	size_t used, size;
	max_align_t data[];
};

/* ---- memory ---- */

struct lint_source *lint_source_new(void)
{
	return calloc(1, sizeof(struct lint_source));
}

void lint_source_free(struct lint_source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->n_files; i++) {
		free(source->file[i].heap);
		free(source->file[i].start);
	}
	while (source->chunk) {
		struct lint_chunk *next = source->chunk->next;

		free(source->chunk);
		source->chunk = next;
	}
	free(source);
}

static struct lint_chunk *add_chunk(struct lint_source *source, size_t len)
{
	size_t size = len > CHUNK / 4 ? len : CHUNK;
	struct lint_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	*chunk = (struct lint_chunk){.size = size, .next = source->chunk};
	/* A large one stands behind the one that is being filled. */
	if (size == len && source->chunk) {
		chunk->next = source->chunk->next;
		source->chunk->next = chunk;
	} else {
		source->chunk = chunk;
	}
	return chunk;
}

static void *take(struct lint_run *run, size_t len)
{
	struct lint_source *source = run->report->source;
	struct lint_chunk *chunk = source->chunk;
	void *place;

	len = (len + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (len > LINT_MAX_KEPT - source->kept) {
		lint_fail(run, run->root->file, 0, 0,
			  "the configuration is too large when all includes "
			  "are followed");
		return NULL;
	}
	if (!chunk || len > chunk->size - chunk->used)
		chunk = add_chunk(source, len);
	if (!chunk) {
		source->no_memory = true;
		return NULL;
	}
	place = (uint8_t *)chunk->data + chunk->used;
	chunk->used += len;
	source->kept += len;
	return place;
}

const char *lint_keep(struct lint_run *run, struct bytes text)
{
	char *copy = take(run, text.len + 1);

	if (!copy)
		return NULL;
	if (text.len)
		memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	return copy;
}

/* Without memory it is that; with a text it is the text. */
static int failed(struct lint_run *run)
{
	return run->report->source->no_memory ? SESAME_ENOMEM : SESAME_EINVAL;
}

int lint_fail(struct lint_run *run, const char *file, unsigned line,
	      unsigned column, const char *format, ...)
{
	struct lint_error *error = run->error;
	va_list args;

	if (error->text[0])
		return SESAME_EINVAL;
	snprintf(error->file, sizeof(error->file), "%s", file ? file : "");
	error->line = line;
	error->column = column;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return SESAME_EINVAL;
}

/* ---- files ---- */

static struct lint_text *find_file(struct lint_source *source, const char *name)
{
	for (size_t i = 0; i < source->n_files; i++)
		if (strcmp(source->file[i].name, name) == 0)
			return &source->file[i];
	return NULL;
}

static unsigned count_lines(struct bytes text)
{
	unsigned n = 1;
	ptrdiff_t at;

	while ((at = bytes_find_byte(text, '\n')) >= 0) {
		text = bytes_from(text, (size_t)at + 1);
		n++;
	}
	return n;
}

/* A configuration is text. With that sure, all that follows are C strings. */
static int check_text(struct lint_run *run, const char *name, struct bytes text)
{
	ptrdiff_t nul = bytes_find_byte(text, 0);
	struct bytes before = bytes_first(text, nul < 0 ? 0 : (size_t)nul);
	size_t column = 1;

	if (nul < 0)
		return 0;
	while (column <= before.len && before.data[before.len - column] != '\n')
		column++;
	return lint_fail(run, name, count_lines(before), (unsigned)column,
			 "a NUL byte; a configuration is text (if this is "
			 "UTF-16, save it as UTF-8)");
}

/* Room for one more file of @len bytes, or an error. */
static int make_room(struct lint_run *run, const char *name, size_t len)
{
	struct lint_source *source = run->report->source;

	if (source->n_files == LINT_MAX_FILES)
		return lint_fail(run, name, 0, 0,
				 "more than %d files; give the one that "
				 "matters instead",
				 LINT_MAX_FILES);
	if (len > LINT_MAX_BYTES - source->bytes)
		return lint_fail(run, name, 0, 0,
				 "more than %d MiB in all; give the file that "
				 "matters instead",
				 LINT_MAX_BYTES / (1024 * 1024));
	return 0;
}

static int add_file(struct lint_run *run, const char *name, struct bytes text,
		    char *heap)
{
	struct lint_source *source = run->report->source;
	struct lint_text *file;
	int error = make_room(run, name, heap ? text.len : 0);

	if (!error)
		error = check_text(run, name, text);
	if (!error && !(name = lint_keep(run, bytes_of_str(name))))
		error = failed(run);
	if (error) {
		free(heap);
		return error;
	}
	file = &source->file[source->n_files++];
	*file = (struct lint_text){.name = name, .text = text, .heap = heap};
	if (heap)
		source->bytes += text.len;
	return 0;
}

int lint_add_part(struct lint_run *run, const char *name, struct bytes text)
{
	int error = add_file(run, name, text, NULL);

	if (!error)
		run->report->source->n_parts++;
	return error;
}

/* An included file may be missing: what it would say is not known then. */
static int miss(struct lint_run *run, const char *path, int errnum,
		const struct lint_node *from)
{
	if (!from)
		return lint_fail(run, path, 0, 0, "cannot be read: %s",
				 strerror(errnum));
	lint_note(run, LINT_CANNOT_READ, from, false, "",
		  "%s cannot be read (%s), so what it says is not judged", path,
		  run->report->source->n_parts ? "it is not in this output"
					       : strerror(errnum));
	return add_file(run, path, bytes_of(NULL, 0), NULL);
}

static int load(struct lint_run *run, const char *path,
		const struct lint_node *from)
{
	size_t len = 0;
	char *heap = NULL;
	int error;

	if (from && run->report->source->n_parts)
		return miss(run, path, 0, from);
	error = run->files->read(run->files->ctx, path, &heap, &len);
	if (error == ENOMEM) {
		run->report->source->no_memory = true;
		return SESAME_ENOMEM;
	}
	/* a shortage of ours says nothing about the file */
	if (error)
		return miss(run, path, error,
			    error == EMFILE || error == ENFILE ? NULL : from);
	return add_file(run, path, bytes_of(heap, len), heap);
}

int lint_read(struct lint_run *run, const char *path,
	      const struct lint_node *from, struct bytes *ret,
	      const char **ret_name)
{
	struct lint_source *source = run->report->source;
	struct lint_text *file = find_file(source, path);
	int error;

	if (!file) {
		error = load(run, path, from);
		if (error)
			return error;
		file = find_file(source, path);
	}
	if (file->text.len > LINT_MAX_PARSED - source->parsed)
		return lint_fail(run, from ? from->file : path,
				 from ? from->line : 0, from ? from->column : 0,
				 "the same files are included too often");
	source->parsed += file->text.len;
	*ret = file->text;
	*ret_name = file->name;
	return 0;
}

int lint_list(struct lint_run *run, const char *pattern,
	      void (*found)(void *ctx, const char *path), void *ctx)
{
	struct lint_source *source = run->report->source;

	if (!source->n_parts)
		return run->files->list(run->files->ctx, pattern, found, ctx);
	for (size_t i = 0; i < source->n_files; i++)
		if (fnmatch(pattern, source->file[i].name, FNM_PATHNAME) == 0)
			found(ctx, source->file[i].name);
	return 0;
}

const char *lint_path_beside(struct lint_run *run, const char *beside,
			     const char *path)
{
	const char *slash = strrchr(beside, '/');
	size_t folder = slash ? (size_t)(slash - beside) + 1 : 0;
	size_t len = strlen(path);
	char *whole;

	if (path[0] == '/' || !folder)
		return lint_keep(run, bytes_of_str(path));
	whole = take(run, folder + len + 1);
	if (!whole)
		return NULL;
	memcpy(whole, beside, folder);
	memcpy(whole + folder, path, len + 1);
	return whole;
}

/* ---- lines ---- */

static bool index_lines(struct lint_source *source, struct lint_text *file)
{
	struct bytes rest = file->text;
	size_t n = count_lines(rest), at = 0;

	file->start = malloc(n * sizeof(*file->start));
	if (!file->start) {
		source->no_memory = true;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');

		file->start[i] = at;
		at += (size_t)end + 1;
		rest = bytes_from(rest, (size_t)end + 1);
	}
	/* Nothing behind the last newline is no line. */
	file->n_lines = n - (file->start[n - 1] == file->text.len);
	return true;
}

bool lint_source_line(struct lint_source *source, struct lint_text *file,
		      size_t n, struct bytes *ret)
{
	ptrdiff_t end;

	if (!file->start && !index_lines(source, file))
		return false;
	if (n == 0 || n > file->n_lines)
		return false;
	*ret = bytes_from(file->text, file->start[n - 1]);
	end = bytes_find_byte(*ret, '\n');
	*ret = bytes_first(*ret, end < 0 ? ret->len : (size_t)end);
	return true;
}

struct bytes lint_line(struct lint_run *run, const char *file, unsigned n)
{
	struct lint_text *text = find_file(run->report->source, file);
	struct bytes line = {NULL, 0};

	if (text)
		lint_source_line(run->report->source, text, n, &line);
	return line;
}

/* ---- nodes ---- */

struct lint_node *lint_node_new(struct lint_run *run, struct lint_node *parent,
				const char *file, unsigned line,
				unsigned column, const char *name)
{
	struct lint_source *source = run->report->source;
	struct lint_node *node;

	if (source->n_nodes == LINT_MAX_NODES) {
		lint_fail(run, file, line, column,
			  "more than %d directives in all; give the file that "
			  "matters instead",
			  LINT_MAX_NODES);
		return NULL;
	}
	name = lint_keep(run, bytes_of_str(name));
	node = name ? take(run, sizeof(*node)) : NULL;
	if (!node)
		return NULL;
	source->n_nodes++;
	*node = (struct lint_node){
		.name = name,
		.file = file,
		.line = line,
		.column = column,
		.last_line = line,
		.parent = parent,
	};
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->names |= lint_name_bit(name);
	return node;
}

/* Room for one more: at 0, 2, 4, 8, ... the array moves to a larger one. */
static int grow(struct lint_run *run, struct lint_node *node)
{
	size_t n = node->n_args;
	const char **larger;

	if (n == 1 || (n & (n - 1)) != 0)
		return 0;
	larger = take(run, (n ? 2 * n : 2) * sizeof(*larger));
	if (!larger)
		return failed(run);
	if (n)
		memcpy(larger, node->arg, n * sizeof(*larger));
	node->arg = larger;
	return 0;
}

int lint_node_arg(struct lint_run *run, struct lint_node *node,
		  struct bytes text)
{
	const char *copy;
	int error;

	if (node->n_args == LINT_MAX_ARGS)
		return lint_fail(run, node->file, node->line, node->column,
				 "%.40s: more than %d arguments; is the end of "
				 "the line missing?",
				 node->name, LINT_MAX_ARGS);
	error = grow(run, node);
	if (error)
		return error;
	copy = lint_keep(run, text);
	if (!copy)
		return failed(run);
	node->arg[node->n_args++] = copy;
	return 0;
}
