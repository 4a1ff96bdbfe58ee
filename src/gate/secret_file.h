/* SPDX-License-Identifier: MIT */
/*
 * Files that hold keys, tokens and passwords. They are read here, whole and
 * bounded; what is in them is read by functions that open nothing.
 */
#ifndef GATE_SECRET_FILE_H
#define GATE_SECRET_FILE_H

#include "base/buf.h"
#include "gate/complaints.h"

#define GATE_SECRET_FILE_MAX (4 * 1024 * 1024) /* bytes */

/* A setting that names a file. */
struct gate_file_name {
	char *name; /* as to be opened; NULL: not given */
	struct gate_place at;
};

/* A file that has been read, and where to complain of it; all borrowed. */
struct gate_secret_file {
	const char *name;
	struct bytes text;
	struct gate_place at; /* of the setting that names it */
	struct gate_complaints *wrong;
};

/* Complain of @line of the file; 0: of the file as a whole. */
void gate_secret_complain(const struct gate_secret_file *file, unsigned line,
			  const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Call @read with each line but empty ones and comments ("#"), without its end
 * and outer blanks. It returns false when it has complained of it; after ten
 * such the rest is not read. Whether nothing was wrong.
 */
bool gate_secret_each_line(const struct gate_secret_file *file,
			   bool (*read)(void *to,
					const struct gate_secret_file *file,
					struct bytes text, unsigned line),
			   void *to);

/*
 * Read file->name into @out and let file->text be its content, until
 * gate_secret_file_close(). False: a complaint says why.
 */
bool gate_secret_file_open(struct gate_secret_file *file, struct ses_buf *out);
/* Wipe the content and free it. */
void gate_secret_file_close(struct ses_buf *out);

#endif
