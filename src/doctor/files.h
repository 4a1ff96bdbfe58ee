/* SPDX-License-Identifier: MIT */
/*
 * The files of this machine for src/lint, read with care: a configuration may
 * come from anybody, and what it includes may be a pipe that never speaks, a
 * device that acts when it is opened, or half the disk.
 */
#ifndef DOCTOR_FILES_H
#define DOCTOR_FILES_H

#include "lint/lint.h"

/*
 * Files for one configuration. @named is the one that the user named: it alone
 * may be a pipe or, when it is "-" and @standard, the standard input. Included
 * ones are plain files. Borrowed until the reading is over.
 */
struct lint_files doctor_files(const char *named, bool standard);

#endif
