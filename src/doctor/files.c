/* SPDX-License-Identifier: MIT */
/*
 * What is read and listed is bounded here, and by src/lint in all. A pattern
 * that leads through more folders than any configuration has is not followed
 * to its end: it is handed on as the name of a file, which cannot be read.
 */
#include "doctor/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of names that the patterns of one configuration are held against. */
#define MAX_NAMES 50000

struct named {
	const char *path;
	bool standard;
};

/* glob() asks back without a context. */
static size_t names_left;

/* ---- reading ---- */

static int open_named(const struct named *n)
{
	if (n->standard && strcmp(n->path, "-") == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return open(n->path, O_RDONLY | O_CLOEXEC);
}

/* Nothing but a plain file is opened, not even for a look. */
static int open_included(const char *path)
{
	struct stat s;
	int fd;

	if (stat(path, &s) < 0)
		return -1;
	if (!S_ISREG(s.st_mode)) {
		errno = S_ISDIR(s.st_mode) ? EISDIR : EOPNOTSUPP;
		return -1;
	}
	/* files of the kernel may wait for news */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &s) < 0 || !S_ISREG(s.st_mode))) {
		close(fd);
		errno = EOPNOTSUPP;
		return -1;
	}
	return fd;
}

/* All of @f; an errno. */
static int read_all(FILE *f, char **ret, size_t *ret_len)
{
	char *text = malloc(LINT_MAX_BYTES + 1), *fitting;
	int error = 0;

	if (!text)
		return ENOMEM;
	errno = 0;
	*ret_len = fread(text, 1, LINT_MAX_BYTES, f);
	if (ferror(f))
		error = errno ? errno : EIO;
	else if (fgetc(f) != EOF)
		error = EFBIG;
	if (error) {
		free(text);
		return error;
	}
	fitting = realloc(text, *ret_len + 1);
	*ret = fitting ? fitting : text;
	return 0;
}

static int read_file(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	const struct named *n = ctx;
	int fd = strcmp(path, n->path) == 0 ? open_named(n)
					    : open_included(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
	int error = errno;

	if (f) {
		error = read_all(f, ret, ret_len);
		fclose(f);
	} else if (fd >= 0) {
		close(fd);
	}
	return error;
}

/* ---- listing ---- */

static void *open_folder(const char *path)
{
	if (names_left > 0)
		return opendir(path);
	errno = EMFILE;
	return NULL;
}

static struct dirent *next_name(void *folder)
{
	if (names_left == 0)
		return NULL;
	names_left--;
	return readdir(folder);
}

static void close_folder(void *folder)
{
	closedir(folder);
}

static int list_files(void *ctx, const char *pattern,
		      void (*found)(void *found_ctx, const char *path),
		      void *found_ctx)
{
	glob_t names = {
		.gl_opendir = open_folder,
		.gl_readdir = next_name,
		.gl_closedir = close_folder,
		.gl_lstat = lstat,
		.gl_stat = stat,
	};
	int r = glob(pattern, GLOB_ALTDIRFUNC, NULL, &names);

	if (names_left == 0)
		found(found_ctx, pattern);
	for (size_t i = 0; r == 0 && names_left && i < names.gl_pathc; i++)
		found(found_ctx, names.gl_pathv[i]);
	if (r == 0)
		globfree(&names);
	return r == GLOB_NOSPACE ? ENOMEM : 0;
}

struct lint_files doctor_files(const char *named, bool standard)
{
	static struct named one; /* there is one at a time */

	one = (struct named){named, standard};
	names_left = MAX_NAMES;
	return (struct lint_files){
		.read = read_file, .list = list_files, .ctx = &one};
}
