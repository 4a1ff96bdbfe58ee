/* SPDX-License-Identifier: MIT */
/* Reading the files; the memory that held a secret is wiped. */
#include "gate/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void gate_secret_complain(const struct gate_secret_file *file, unsigned line,
			  const char *format, ...)
{
	char text[400], where[16] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line)
		snprintf(where, sizeof(where), ":%u", line);
	gate_complain(file->wrong, file->at, "%.256s%s: %s", file->name, where,
		      text);
}

/* @line counts. False: that was all. */
static bool next_line(struct bytes *rest, unsigned *line, struct bytes *ret_text)
{
	while (rest->len) {
		ptrdiff_t end = bytes_find_byte(*rest, '\n');
		struct bytes text =
			bytes_first(*rest, end < 0 ? rest->len : (size_t)end);

		*rest = bytes_from(*rest, text.len + 1);
		++*line;
		if (text.len && text.data[text.len - 1] == '\r')
			text.len--;
		text = bytes_trim(text);
		if (text.len == 0 || text.data[0] == '#')
			continue;
		*ret_text = text;
		return true;
	}
	return false;
}

#define MAX_WRONG 10

bool gate_secret_each_line(const struct gate_secret_file *file,
			   bool (*read)(void *to,
					const struct gate_secret_file *file,
					struct bytes text, unsigned line),
			   void *to)
{
	struct bytes rest = file->text, text;
	unsigned line = 0, n_wrong = 0;

	while (n_wrong < MAX_WRONG && next_line(&rest, &line, &text))
		n_wrong += !read(to, file, text, line);
	return n_wrong == 0;
}

/* 0, or an errno. One byte more than allowed is asked for, to see it. */
static int read_all(int fd, size_t size, struct ses_buf *out)
{
	uint8_t *room = ses_buf_room(out, size + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!room)
		return ENOMEM;
	while (n > 0 && len < size + 1) {
		n = read(fd, room + len, size + 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	ses_buf_commit(out, len);
	if (n < 0)
		return errno;
	return len > size ? EAGAIN : 0;
}

static const char *open_fault(int fd, struct stat *ret)
{
	if (fd < 0 || fstat(fd, ret) != 0)
		return strerror(errno);
	if (!S_ISREG(ret->st_mode))
		return "it is no file";
	if (ret->st_size > GATE_SECRET_FILE_MAX)
		return "it is larger than 4 MiB";
	return NULL;
}

bool gate_secret_file_open(struct gate_secret_file *file, struct ses_buf *out)
{
	/* A FIFO in its place is not to hold us up. */
	int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *wrong;
	struct stat st;
	int error;

	ses_buf_init(out, GATE_SECRET_FILE_MAX + 1);
	wrong = open_fault(fd, &st);
	if (!wrong) {
		error = read_all(fd, (size_t)st.st_size, out);
		wrong = error == EAGAIN ? "it grew while it was being read"
			: error		? strerror(error)
					: NULL;
	}
	if (fd >= 0)
		close(fd);
	if (wrong) {
		gate_secret_complain(file, 0, "cannot be read: %s", wrong);
		gate_secret_file_close(out);
		return false;
	}
	file->text = ses_buf_bytes(out);
	return true;
}

void gate_secret_file_close(struct ses_buf *out)
{
	if (out->data)
		explicit_bzero(out->data, out->capacity);
	ses_buf_fini(out);
}
