/* SPDX-License-Identifier: MIT */
/* Opening the file below the root, and knowing what it is by its name. */
#include "gate/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/percent.h"

#define NAME_BYTES 256

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".txt", "text/plain; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".jpg", "image/jpeg"},
	{".webp", "image/webp"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".wasm", "application/wasm"},
};

static const char *type_of(const char *name)
{
	const char *ending = strrchr(name, '.');

	for (size_t i = 0; ending && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(ending, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/*
 * Cut the next component off @path, decoded. False: it is no name of a file
 * that everybody may see.
 */
static bool next_name(struct bytes *path, char name[NAME_BYTES])
{
	ptrdiff_t slash = bytes_find_byte(*path, '/');
	struct bytes part =
		bytes_first(*path, slash < 0 ? path->len : (size_t)slash);
	size_t n;

	if (part.len >= NAME_BYTES)
		return false;
	n = ses_percent_decode(part, (uint8_t *)name);
	name[n] = '\0';
	*path = bytes_from(*path, part.len + (slash >= 0));
	return n && name[0] != '.' && !memchr(name, '/', n) && strlen(name) == n;
}

static enum gate_file_result failed(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
			       errno == ENXIO
		       ? GATE_FILE_MISSING
		       : GATE_FILE_BROKEN;
}

static enum gate_file_result read_file(int fd, size_t size, struct ses_buf *out)
{
	uint8_t *room = ses_buf_room(out, size ? size : 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!room)
		return GATE_FILE_BROKEN;
	while (n > 0 && len < size) {
		n = read(fd, room + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	ses_buf_commit(out, len);
	return n < 0 ? GATE_FILE_BROKEN : GATE_FILE_FOUND;
}

/* What is open at @fd, whose name is the last one of the path. */
static enum gate_file_result take(int fd, struct ses_buf *out)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return GATE_FILE_BROKEN;
	if (S_ISDIR(st.st_mode))
		return GATE_FILE_FOLDER;
	if (!S_ISREG(st.st_mode))
		return GATE_FILE_MISSING;
	if ((uint64_t)st.st_size > GATE_FILE_MAX)
		return GATE_FILE_LARGE;
	return read_file(fd, (size_t)st.st_size, out);
}

/* Go from the folder @fd (taken) into what @name in it is. */
static int enter(int fd, const char *name)
{
	/* Not to wait for a pipe's other end. */
	int next = openat(fd, name,
			  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = errno;

	close(fd);
	errno = error;
	return next;
}

enum gate_file_result gate_file_read(const char *root, struct bytes path,
				     struct ses_buf *out, const char **ret_type)
{
	enum gate_file_result result = GATE_FILE_MISSING;
	bool folder = !path.len || path.data[path.len - 1] == '/';
	char name[NAME_BYTES] = "index.html";
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && path.len) {
		if (!next_name(&path, name)) {
			close(fd);
			return GATE_FILE_MISSING;
		}
		fd = enter(fd, name);
	}
	if (fd >= 0 && folder) {
		strcpy(name, "index.html");
		fd = enter(fd, name);
	}
	if (fd < 0)
		return failed();
	result = take(fd, out);
	if (folder && result == GATE_FILE_FOLDER)
		result = GATE_FILE_MISSING;
	close(fd);
	*ret_type = type_of(name);
	return result;
}
