/* SPDX-License-Identifier: MIT */
/*
 * The columns of a story in the journal, in one table: the file's layout, what
 * is written and what is read are all made of it, so none of them can go out
 * of step with the others, and a file of an older version is known by what it
 * lacks.
 */
#ifndef GATE_COLUMNS_H
#define GATE_COLUMNS_H

#include <sqlite3.h>

#include "base/buf.h"
#include "gate/story.h"

/* The name of column @i with its SQL type, or NULL after the last one. */
const char *gate_column_name(size_t i);
const char *gate_column_type(size_t i);
/* Whether files of the first version may be without it. */
bool gate_column_is_new(size_t i);
size_t gate_columns_count(void);

/* Append "reference TEXT, time_ms INTEGER, ...". */
int gate_columns_define(struct ses_buf *out);
/* Append "reference, time_ms, ...". */
int gate_columns_list(struct ses_buf *out);
/* Append "?1, ?2, ...". */
int gate_columns_marks(struct ses_buf *out);

/* Bind all columns from ?1 on; texts are borrowed until the next reset. */
void gate_columns_bind(sqlite3_stmt *stmt, const struct gate_story *story);
/*
 * Fill @story from the first columns of a row. Texts become fit for a
 * terminal, and so do those in the JSON of its trace, whoever else wrote into
 * the file. 0 or SESAME_ENOMEM.
 */
int gate_columns_read(sqlite3_stmt *stmt, struct gate_story *ret_story);

#endif
