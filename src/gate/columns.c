/* SPDX-License-Identifier: MIT */
/* Where a story keeps what each column holds. */
#include "gate/columns.h"

enum kind { TEXT, LOOKS, INT, INT64, BOOL };

static const struct column {
	const char *name;
	enum kind kind;
	size_t offset, size;
	int since; /* version of the file */
} columns[] = {
#define COLUMN(name, kind, field, since)                               \
	{                                                              \
		name, kind, offsetof(struct gate_story, field),        \
			sizeof(((struct gate_story *)0)->field), since \
	}
	COLUMN("reference", TEXT, reference, 1),
	COLUMN("time_ms", INT64, time_ms, 1),
	COLUMN("first_ms", INT64, first_ms, 2),
	COLUMN("count", INT64, count, 2),
	COLUMN("status", INT, status, 1),
	COLUMN("observed", BOOL, observed, 1),
	COLUMN("cause", TEXT, cause, 1),
	COLUMN("method", TEXT, method, 2),
	COLUMN("target", TEXT, target, 1),
	COLUMN("host", TEXT, host, 1),
	COLUMN("origin", TEXT, origin, 1),
	COLUMN("user_agent", TEXT, user_agent, 1),
	COLUMN("protocols", TEXT, protocols, 2),
	COLUMN("address", TEXT, address, 1),
	COLUMN("hops", TEXT, hops, 2),
	COLUMN("listener", TEXT, listener, 1),
	COLUMN("tls", BOOL, secure, 3),
	COLUMN("credential", TEXT, credential, 2),
	COLUMN("fault", TEXT, fault, 2),
	COLUMN("subject", TEXT, subject, 2),
	COLUMN("certificate", TEXT, certificate, 2),
	COLUMN("route", TEXT, route, 1),
	COLUMN("upstream", TEXT, upstream, 1),
	COLUMN("look", TEXT, check, 1),
	COLUMN("rule", TEXT, rule, 1),
	COLUMN("preset", BOOL, preset, 1),
	COLUMN("file", TEXT, file, 1),
	COLUMN("whole_file", TEXT, whole_file, 4),
	COLUMN("line", INT, line, 1),
	COLUMN("compared", TEXT, compared, 1),
	COLUMN("nearest", TEXT, nearest, 1),
	COLUMN("note", TEXT, note, 1),
	COLUMN("trace", LOOKS, trace, 1),
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

size_t gate_columns_count(void)
{
	return N_COLUMNS;
}

const char *gate_column_name(size_t i)
{
	return i < N_COLUMNS ? columns[i].name : NULL;
}

const char *gate_column_type(size_t i)
{
	return columns[i].kind <= LOOKS ? "TEXT" : "INTEGER";
}

bool gate_column_is_new(size_t i)
{
	return columns[i].since > 1;
}

static const char *comma(size_t i)
{
	return i ? ", " : "";
}

int gate_columns_define(struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < N_COLUMNS; i++)
		r = ses_buf_printf(out, "%s%s %s", comma(i), columns[i].name,
				   gate_column_type(i));
	return r;
}

int gate_columns_list(struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < N_COLUMNS; i++)
		r = ses_buf_printf(out, "%s%s", comma(i), columns[i].name);
	return r;
}

int gate_columns_marks(struct ses_buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < N_COLUMNS; i++)
		r = ses_buf_printf(out, "%s?%zu", comma(i), i + 1);
	return r;
}

void gate_columns_bind(sqlite3_stmt *stmt, const struct gate_story *story)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		const char *at = (const char *)story + columns[i].offset;
		int to = (int)i + 1;

		switch (columns[i].kind) {
		case TEXT:
		case LOOKS:
			sqlite3_bind_text(stmt, to, at, -1, SQLITE_STATIC);
			break;
		case INT:
			sqlite3_bind_int(stmt, to, *(const int *)at);
			break;
		case INT64:
			sqlite3_bind_int64(stmt, to, *(const int64_t *)at);
			break;
		case BOOL:
			sqlite3_bind_int(stmt, to, *(const bool *)at);
			break;
		}
	}
}

static const char *text_of(sqlite3_stmt *stmt, size_t i)
{
	return (const char *)sqlite3_column_text(stmt, (int)i);
}

int gate_columns_read(sqlite3_stmt *stmt, struct gate_story *story)
{
	int r = 0;

	memset(story, 0, sizeof(*story));
	for (size_t i = 0; i < N_COLUMNS; i++) {
		char *at = (char *)story + columns[i].offset;

		switch (columns[i].kind) {
		case TEXT:
			bytes_printable(bytes_of_str(text_of(stmt, i)), at,
					columns[i].size);
			break;
		case LOOKS:
			r = gate_story_put_trace(story, text_of(stmt, i));
			break;
		case INT:
			*(int *)at = sqlite3_column_int(stmt, (int)i);
			break;
		case INT64:
			*(int64_t *)at = sqlite3_column_int64(stmt, (int)i);
			break;
		case BOOL:
			*(bool *)at = sqlite3_column_int(stmt, (int)i) != 0;
			break;
		}
	}
	return r;
}
