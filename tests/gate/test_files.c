/* SPDX-License-Identifier: MIT */
/* Pages out of a folder: what is served, and what never is. */
#include "gate/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char top[64], root[96];

static const char *at(const char *folder, const char *name)
{
	static char path[4][512];
	static unsigned turn;

	snprintf(path[++turn % 4], sizeof(path[0]), "%s/%s", folder, name);
	return path[turn % 4];
}

static void put(const char *folder, const char *name, const char *text)
{
	FILE *f = fopen(at(folder, name), "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void put_large(const char *name, off_t size)
{
	put(root, name, "");
	assert_int_equal(truncate(at(root, name), size), 0);
}

/* A folder to serve, with something beside it that is not to be served. */
static void build(void)
{
	strcpy(top, "/tmp/sesame-files-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/root", top);
	put(top, "outside.txt", "outside");
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdir(at(root, "sub"), 0700), 0);
	assert_int_equal(mkdir(at(root, "bare"), 0700), 0);
	assert_int_equal(mkdir(at(root, "odd"), 0700), 0);
	assert_int_equal(mkdir(at(root, "odd/index.html"), 0700), 0);
	put(root, "index.html", "first");
	put(root, "sub/index.html", "below");
	put(root, "a b.txt", "blank");
	put(root, "empty.txt", "");
	put(root, "..hidden", "no");
	put(root, ".secret", "no");
	assert_int_equal(symlink("../outside.txt", at(root, "link.txt")), 0);
	assert_int_equal(symlink("..", at(root, "up")), 0);
	assert_int_equal(symlink("sub", at(root, "inside")), 0);
	assert_int_equal(symlink("sub/index.html", at(root, "near.html")), 0);
	assert_int_equal(mkfifo(at(root, "pipe"), 0600), 0);
}

static void clear(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", top);
	assert_int_equal(system(command), 0);
}

static enum gate_file_result get(struct bytes path, char *text, size_t size,
				 const char **type)
{
	enum gate_file_result result;
	struct ses_buf out;

	ses_buf_init(&out, GATE_FILE_MAX + 1);
	*type = "";
	result = gate_file_read(root, path, &out, type);
	bytes_printable(ses_buf_bytes(&out), text, size);
	ses_buf_fini(&out);
	return result;
}

TEST("a path leads to a file below the root, or to nothing at all")
{
	static const struct {
		struct bytes path;
		enum gate_file_result result;
		const char *text;
	} rows[] = {
		{BYTES(""), GATE_FILE_FOUND, "first"},
		{BYTES("index.html"), GATE_FILE_FOUND, "first"},
		{BYTES("sub/"), GATE_FILE_FOUND, "below"},
		{BYTES("sub/index.html"), GATE_FILE_FOUND, "below"},
		{BYTES("a%20b.txt"), GATE_FILE_FOUND, "blank"},
		{BYTES("empty.txt"), GATE_FILE_FOUND, ""},
		{BYTES("sub"), GATE_FILE_FOLDER, ""},
		{BYTES("bare"), GATE_FILE_FOLDER, ""},
		{BYTES("bare/"), GATE_FILE_MISSING, ""},
		{BYTES("odd/"), GATE_FILE_MISSING, ""},
		{BYTES("none"), GATE_FILE_MISSING, ""},
		{BYTES("index.html/"), GATE_FILE_MISSING, ""},
		{BYTES("index.html/x"), GATE_FILE_MISSING, ""},
		/* upwards, however it is written */
		{BYTES(".."), GATE_FILE_MISSING, ""},
		{BYTES("../outside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("sub/../../outside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("%2e%2e/outside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("%2E%2E%2Foutside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("..%2foutside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("sub%2findex.html"), GATE_FILE_MISSING, ""},
		{BYTES("%2fetc%2fpasswd"), GATE_FILE_MISSING, ""},
		{BYTES("/etc/passwd"), GATE_FILE_MISSING, ""},
		{BYTES("sub//index.html"), GATE_FILE_MISSING, ""},
		{BYTES("."), GATE_FILE_MISSING, ""},
		{BYTES("./index.html"), GATE_FILE_MISSING, ""},
		/* what is hidden */
		{BYTES(".secret"), GATE_FILE_MISSING, ""},
		{BYTES("%2esecret"), GATE_FILE_MISSING, ""},
		{BYTES("..hidden"), GATE_FILE_MISSING, ""},
		/* a byte that ends a name in C */
		{BYTES("index.html%00.png"), GATE_FILE_MISSING, ""},
		{BYTES("index.html\0x"), GATE_FILE_MISSING, ""},
		{BYTES("%00"), GATE_FILE_MISSING, ""},
		/* links, wherever they lead, and what is no file */
		{BYTES("link.txt"), GATE_FILE_MISSING, ""},
		{BYTES("up/outside.txt"), GATE_FILE_MISSING, ""},
		{BYTES("inside/index.html"), GATE_FILE_MISSING, ""},
		{BYTES("near.html"), GATE_FILE_MISSING, ""},
		{BYTES("pipe"), GATE_FILE_MISSING, ""},
	};
	char text[64];
	const char *type;

	build();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum gate_file_result result =
			get(rows[i].path, text, sizeof(text), &type);

		if (result != rows[i].result || strcmp(text, rows[i].text) != 0)
			fail_msg("%.*s: %d \"%s\"", BYTES_ARG(rows[i].path),
				 (int)result, text);
	}
	clear();
}

TEST("a name is as long as the system takes it, and no longer")
{
	char name[300], text[8];
	const char *type;

	build();
	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	put(root, name, "long");
	assert_int_equal(get(bytes_of(name, 255), text, sizeof(text), &type),
			 GATE_FILE_FOUND);
	for (size_t n = 256; n < sizeof(name); n++) {
		name[n - 1] = 'x';
		assert_int_equal(
			get(bytes_of(name, n), text, sizeof(text), &type),
			GATE_FILE_MISSING);
	}
	clear();
}

TEST("the ending of a name says the type, in whatever case")
{
	static const struct {
		const char *name, *type;
	} rows[] = {
		{"a.html", "text/html; charset=utf-8"},
		{"a.HTML", "text/html; charset=utf-8"},
		{"a.css", "text/css; charset=utf-8"},
		{"a.min.js", "text/javascript; charset=utf-8"},
		{"a.mjs", "text/javascript; charset=utf-8"},
		{"a.json", "application/json"},
		{"a.txt", "text/plain; charset=utf-8"},
		{"a.svg", "image/svg+xml"},
		{"a.png", "image/png"},
		{"a.jpg", "image/jpeg"},
		{"a.webp", "image/webp"},
		{"a.ico", "image/x-icon"},
		{"a.woff2", "font/woff2"},
		{"a.wasm", "application/wasm"},
		{"a.html.bak", "application/octet-stream"},
		{"html", "application/octet-stream"},
		{"a.", "application/octet-stream"},
	};
	char text[8];
	const char *type;

	build();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(root, rows[i].name, "x");
		assert_int_equal(get(bytes_of_str(rows[i].name), text,
				     sizeof(text), &type),
				 GATE_FILE_FOUND);
		assert_string_equal(type, rows[i].type);
	}
	clear();
}

static long peak_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

TEST("a mebibyte is served whole, and more is not taken into memory")
{
	struct ses_buf out;
	const char *type;
	long before;

	build();
	put_large("most.bin", (off_t)GATE_FILE_MAX);
	put_large("more.bin", (off_t)GATE_FILE_MAX + 1);
	put_large("huge.bin", (off_t)1 << 32);
	ses_buf_init(&out, GATE_FILE_MAX + 1);
	assert_int_equal(gate_file_read(root, BYTES("most.bin"), &out, &type),
			 GATE_FILE_FOUND);
	assert_int_equal(ses_buf_len(&out), GATE_FILE_MAX);
	ses_buf_fini(&out);
	before = peak_kb();
	assert_int_equal(gate_file_read(root, BYTES("more.bin"), &out, &type),
			 GATE_FILE_LARGE);
	assert_int_equal(gate_file_read(root, BYTES("huge.bin"), &out, &type),
			 GATE_FILE_LARGE);
	assert_int_equal(ses_buf_len(&out), 0);
	assert_true(peak_kb() - before < 4096);
	ses_buf_fini(&out);
	clear();
}

TEST("no descriptor is left open, whatever is asked for")
{
	static const struct bytes paths[] = {
		BYTES(""),
		BYTES("sub"),
		BYTES("sub/"),
		BYTES("none"),
		BYTES("sub/none/x"),
		BYTES("link.txt"),
		BYTES("pipe"),
		BYTES("sub/../x"),
		BYTES("odd/"),
		BYTES("bare/"),
		BYTES("up/outside.txt"),
	};
	char text[64];
	const char *type;
	int free_fd;

	build();
	free_fd = dup(0);
	close(free_fd);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		get(paths[i], text, sizeof(text), &type);
	assert_int_equal(dup(0), free_fd);
	close(free_fd);
	clear();
}

TEST("a root that is gone is told as missing")
{
	char text[8];
	const char *type;

	build();
	clear();
	assert_int_equal(get(BYTES("index.html"), text, sizeof(text), &type),
			 GATE_FILE_MISSING);
}
