/* SPDX-License-Identifier: MIT */
/*
 * Small pages out of a folder. A path is walked component by component without
 * following symbolic links, so nothing outside of the folder is ever opened.
 */
#ifndef GATE_FILES_H
#define GATE_FILES_H

#include "base/buf.h"

#define GATE_FILE_MAX ((size_t)1024 * 1024)

enum gate_file_result {
	GATE_FILE_FOUND,
	GATE_FILE_MISSING, /* or one that is not for everybody */
	GATE_FILE_FOLDER,  /* its path lacks the last slash */
	GATE_FILE_LARGE,   /* over GATE_FILE_MAX */
	GATE_FILE_BROKEN,  /* it cannot be read; errno says why */
};

/*
 * Append to @out what lies at @path (percent-encoded, without a slash at its
 * beginning) below the folder @root; of a folder its index.html. *ret_type is
 * its media type.
 */
enum gate_file_result gate_file_read(const char *root, struct bytes path,
				     struct ses_buf *out, const char **ret_type);

#endif
