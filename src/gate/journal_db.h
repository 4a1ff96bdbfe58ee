/* SPDX-License-Identifier: MIT */
/*
 * The database that a journal is, as those who write and those who read it
 * open it. Whoever can write to the file may have put more into it than rows:
 * nothing of that is run, and what SQLite says of it is fit for a terminal.
 */
#ifndef GATE_JOURNAL_DB_H
#define GATE_JOURNAL_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Open @name by the @flags of sqlite3_open_v2(). Views and triggers do not
 * work in it, and no row of more than a megabyte is read: a story has some
 * kilobytes. SQLITE_OK or SQLite's code; *ret_db is to be closed in both
 * cases, and NULL where there is no memory.
 */
int gate_journal_db_open(const char *name, int flags, sqlite3 **ret_db);
/*
 * Whether there is a view, a trigger or a virtual table in @db, of which
 * sesame makes none. Then @out says which, and what to do.
 */
bool gate_journal_db_is_spoiled(sqlite3 *db, char *out, size_t size);
/* Why the latest call with @db, or NULL, failed: @out. */
const char *gate_journal_db_wrong(sqlite3 *db, char *out, size_t size);

#endif
