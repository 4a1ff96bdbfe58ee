/* SPDX-License-Identifier: MIT */
/*
 * A view may never come to an end, a trigger may undo what was written: both
 * are switched off, and a file that has one is told to be another's work.
 */
#include "gate/journal_db.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MAX_ROW (1 << 20)

int gate_journal_db_open(const char *name, int flags, sqlite3 **ret_db)
{
	static const struct {
		int what, on;
	} settings[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	};
	int r = sqlite3_open_v2(name, ret_db, flags, NULL);

	for (size_t i = 0; r == SQLITE_OK && i < 4; i++)
		r = sqlite3_db_config(*ret_db, settings[i].what, settings[i].on,
				      NULL);
	if (r == SQLITE_OK)
		sqlite3_limit(*ret_db, SQLITE_LIMIT_LENGTH, MAX_ROW);
	return r;
}

static struct bytes text_of(sqlite3_stmt *stmt, int column)
{
	return bytes_of_str((const char *)sqlite3_column_text(stmt, column));
}

bool gate_journal_db_is_spoiled(sqlite3 *db, char *out, size_t size)
{
	/* What has no page of its own is no table and no index. */
	static const char ask[] =
		"SELECT replace(type, 'table', 'virtual table'), name FROM "
		"sqlite_master WHERE rootpage = 0 "
		"OR type NOT IN ('table', 'index') LIMIT 1";
	char type[20], name[60];
	sqlite3_stmt *stmt = NULL;
	bool found;

	found = sqlite3_prepare_v2(db, ask, -1, &stmt, NULL) == SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW;
	if (found)
		snprintf(out, size,
			 "there is a %s in it, %s, and sesame makes none: "
			 "somebody else wrote into it, so move it away",
			 bytes_printable(text_of(stmt, 0), type, sizeof(type)),
			 bytes_printable(text_of(stmt, 1), name, sizeof(name)));
	sqlite3_finalize(stmt);
	return found;
}

const char *gate_journal_db_wrong(sqlite3 *db, char *out, size_t size)
{
	int why = db && sqlite3_errcode(db) == SQLITE_CANTOPEN
			  ? sqlite3_system_errno(db)
			  : 0;
	/* That it cannot open a file is not all that SQLite knows. */
	const char *text = !db	 ? "out of memory"
			   : why ? strerror(why)
				 : sqlite3_errmsg(db);

	return bytes_printable(bytes_of_str(text), out, size);
}
