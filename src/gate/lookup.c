/* SPDX-License-Identifier: MIT */
/*
 * Questions to the journal, read-only. A column or table that an older file
 * lacks reads as empty. Conditions are always the same, with NULL for those
 * that do not matter; patterns and networks are compared by the gateway's own
 * functions.
 */
#include "gate/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sesame/error.h>

#include "gate/columns.h"
#include "gate/journal_db.h"
#include "gate/match.h"

#define LEAST_BYTES 65536 /* that a writer needs to have left */

struct gate_lookup {
	sqlite3 *db;
	bool runs, full; /* when it was opened */
	bool no_memory; /* for the latest question; SQLite knows nothing of it */
	char wrong[300];
};

#define FITS                                                        \
	" WHERE (?1 IS NULL OR time_ms >= ?1)"                      \
	" AND (?2 IS NULL OR fits(?2, coalesce(origin, '')))"       \
	" AND (?3 IS NULL OR fits(?3, coalesce(route, '')))"        \
	" AND (?4 IS NULL OR cause = ?4 OR fits(?4 || '.*', cause)" \
	"      OR fits(?4, cause))"                                 \
	" AND (?5 IS NULL OR within(?5, address))"

/* ---- Functions that SQLite asks ---- */

static struct bytes text_of(sqlite3_value *v)
{
	return bytes_of_str((const char *)sqlite3_value_text(v));
}

static void tell_fits(sqlite3_context *to, int n, sqlite3_value **v)
{
	struct bytes pattern = text_of(v[0]), text = text_of(v[1]);

	if (bytes_equal(pattern, BYTES("none")))
		sqlite3_result_int(to, text.len == 0);
	else
		sqlite3_result_int(to, gate_glob_has(pattern, text));
}

static void tell_within(sqlite3_context *to, int n, sqlite3_value **v)
{
	struct gate_network net;
	struct gate_address address;

	sqlite3_result_int(to,
			   !gate_network_read(text_of(v[0]), &net) &&
				   gate_address_read(text_of(v[1]), &address) &&
				   gate_network_has(&net, &address));
}

/* ---- Opening ---- */

/* Whoever writes holds a shared lock; so when we get ours alone, nobody does. */
static bool is_written(const char *file)
{
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return taken;
}

static bool is_full(const char *file)
{
	struct statvfs disk;

	return statvfs(file, &disk) == 0 && disk.f_blocks &&
	       (uint64_t)disk.f_bavail * disk.f_frsize < LEAST_BYTES;
}

static bool is_journal(struct gate_lookup *l)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;

	return sqlite3_create_function(l->db, "fits", 2, flags, NULL, tell_fits,
				       NULL, NULL) == SQLITE_OK &&
	       sqlite3_create_function(l->db, "within", 2, flags, NULL,
				       tell_within, NULL, NULL) == SQLITE_OK &&
	       sqlite3_exec(l->db, "SELECT id, reference FROM refusals LIMIT 1",
			    NULL, NULL, NULL) == SQLITE_OK;
}

/* NULL, or why it cannot be read. */
static const char *open_journal(struct gate_lookup *l, const char *file)
{
	if (gate_journal_db_open(file, SQLITE_OPEN_READONLY, &l->db) ==
	    SQLITE_OK) {
		sqlite3_busy_timeout(l->db, 1000);
		if (gate_journal_db_is_spoiled(l->db, l->wrong, sizeof(l->wrong)))
			return l->wrong;
		if (is_journal(l))
			return NULL;
	}
	return gate_journal_db_wrong(l->db, l->wrong, sizeof(l->wrong));
}

struct gate_lookup *gate_lookup_open(const char *file, char *text,
				     size_t text_size)
{
	struct gate_lookup *l = calloc(1, sizeof(*l));
	struct stat status;
	const char *why;

	if (!l) {
		snprintf(text, text_size, "out of memory");
		return NULL;
	}
	errno = 0;
	if (access(file, R_OK) != 0 || stat(file, &status) != 0 ||
	    !S_ISREG(status.st_mode)) {
		snprintf(text, text_size, "the journal %s cannot be read: %s",
			 file,
			 errno ? strerror(errno) : "it is not a plain file");
		free(l);
		return NULL;
	}
	l->runs = is_written(file);
	l->full = is_full(file);
	why = open_journal(l, file);
	if (!why)
		return l;
	snprintf(text, text_size, "%s is no journal of sesame: %s", file, why);
	gate_lookup_close(l);
	return NULL;
}

void gate_lookup_close(struct gate_lookup *l)
{
	if (!l)
		return;
	sqlite3_close(l->db);
	free(l);
}

const char *gate_lookup_error(struct gate_lookup *l)
{
	return gate_journal_db_wrong(l->no_memory ? NULL : l->db, l->wrong,
				     sizeof(l->wrong));
}

/* ---- Stories ---- */

static bool has_column(struct gate_lookup *l, const char *table,
		       const char *column)
{
	return sqlite3_table_column_metadata(l->db, NULL, table, column, NULL,
					     NULL, NULL, NULL,
					     NULL) == SQLITE_OK;
}

/* @error: of what was written to @sql so far. */
static sqlite3_stmt *prepare(struct gate_lookup *l, struct ses_buf *sql,
			     int error)
{
	sqlite3_stmt *stmt = NULL;

	if (!error)
		error = ses_buf_append(sql, bytes_of("", 1));
	l->no_memory = error < 0;
	if (!error)
		sqlite3_prepare_v2(l->db, (const char *)ses_buf_bytes(sql).data,
				   -1, &stmt, NULL);
	ses_buf_fini(sql);
	return stmt;
}

/* "SELECT the columns FROM table tail"; what the file lacks is NULL. */
static sqlite3_stmt *select_stories(struct gate_lookup *l, const char *table,
				    const char *tail)
{
	struct ses_buf sql;
	const char *name;
	int error;

	ses_buf_init(&sql, 65536);
	error = ses_buf_append_str(&sql, "SELECT ");
	for (size_t i = 0; !error && (name = gate_column_name(i)); i++)
		error = ses_buf_printf(
			&sql, "%s%s%s", i ? ", " : "",
			gate_column_is_new(i) && !has_column(l, table, name)
				? "NULL AS "
				: "",
			name);
	if (!error)
		error = ses_buf_printf(&sql, " FROM %s%s", table, tail);
	return prepare(l, &sql, error);
}

static void bind_text(sqlite3_stmt *stmt, int to, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, to, text, -1, SQLITE_STATIC);
}

static void bind_search(sqlite3_stmt *stmt, const struct gate_search *s)
{
	if (s->since_ms)
		sqlite3_bind_int64(stmt, 1, s->since_ms);
	bind_text(stmt, 2, s->origin);
	bind_text(stmt, 3, s->route);
	bind_text(stmt, 4, s->cause);
	bind_text(stmt, 5, s->address);
}

/* Every row of @stmt, which is used up. How many, or SESAME_ESYSTEM. */
static int tell_stories(struct gate_lookup *l, sqlite3_stmt *stmt,
			gate_lookup_fn each, void *user)
{
	struct gate_story *story = malloc(sizeof(*story));
	int count = 0, state = SQLITE_ERROR;

	l->no_memory |= !story;
	while (story && stmt && (state = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (gate_columns_read(stmt, story) < 0) {
			l->no_memory = true;
			break;
		}
		each(user, story);
		count++;
	}
	free(story);
	/* What went wrong is the connection's last word; keep it so. */
	if (state != SQLITE_DONE)
		count = SESAME_ESYSTEM;
	sqlite3_finalize(stmt);
	return count;
}

static void keep(void *user, const struct gate_story *story)
{
	*(struct gate_story *)user = *story;
}

static int find_in(struct gate_lookup *l, const char *table, const char *order,
		   const char *reference, struct gate_story *ret_story)
{
	char tail[100];
	sqlite3_stmt *stmt;

	snprintf(tail, sizeof(tail),
		 " WHERE reference = ?1 ORDER BY %s DESC LIMIT 1", order);
	stmt = select_stories(l, table, tail);
	bind_text(stmt, 1, reference);
	return tell_stories(l, stmt, keep, ret_story);
}

int gate_lookup_find(struct gate_lookup *l, const char *reference,
		     struct gate_story *ret_story)
{
	int n = find_in(l, "refusals", "id", reference, ret_story);

	if (n == 0 && has_column(l, "admitted", "key"))
		n = find_in(l, "admitted", "key", reference, ret_story);
	return n;
}

int gate_lookup_search(struct gate_lookup *l, const struct gate_search *search,
		       unsigned n, gate_lookup_fn each, void *user)
{
	sqlite3_stmt *stmt = select_stories(l, "refusals",
					    FITS " ORDER BY id DESC LIMIT ?6");

	bind_search(stmt, search);
	sqlite3_bind_int64(stmt, 6, n ? (int64_t)n : -1);
	return tell_stories(l, stmt, each, user);
}

int gate_lookup_admitted(struct gate_lookup *l, gate_lookup_fn each, void *user)
{
	if (!has_column(l, "admitted", "key"))
		return 0;
	return tell_stories(
		l, select_stories(l, "admitted", " ORDER BY time_ms DESC, key"),
		each, user);
}

/* ---- Counts ---- */

static const struct {
	const char *name, *value;
} tops[GATE_N_TOPS] = {
	[GATE_TOP_CAUSE] = {"cause", "cause"},
	[GATE_TOP_ORIGIN] = {"origin", "coalesce(origin, '')"},
	[GATE_TOP_ROUTE] = {"route", "coalesce(route, '')"},
	[GATE_TOP_ADDRESS] = {"address", "address"},
	[GATE_TOP_RULE] = {"rule",
			   "CASE WHEN coalesce(look, '') = '' THEN '' "
			   "ELSE CASE WHEN line > 0 THEN file || ':' || "
			   "line || ' ' ELSE '' END || look || "
			   "': ' || rule END"},
};

const char *gate_top_name(enum gate_top top)
{
	return tops[top].name;
}

static void read_text(sqlite3_stmt *stmt, int from, char *out, size_t size)
{
	bytes_printable(
		bytes_of_str((const char *)sqlite3_column_text(stmt, from)),
		out, size);
}

int gate_lookup_top(struct gate_lookup *l, const struct gate_search *search,
		    enum gate_top top, unsigned n,
		    void (*each)(void *user, const struct gate_top_row *row),
		    void *user)
{
	struct gate_top_row row;
	struct ses_buf sql;
	sqlite3_stmt *stmt;
	int count = 0, state = SQLITE_ERROR, error;

	ses_buf_init(&sql, 65536);
	/* With max() the other columns are of the row that has it. */
	error = ses_buf_printf(
		&sql,
		"SELECT %s AS value, count(*), max(id), time_ms, "
		"reference FROM refusals" FITS
		" GROUP BY value ORDER BY 2 DESC, 3 DESC LIMIT ?6",
		tops[top].value);
	stmt = prepare(l, &sql, error);
	bind_search(stmt, search);
	sqlite3_bind_int64(stmt, 6, n);
	while (stmt && (state = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_text(stmt, 0, row.value, sizeof(row.value));
		row.n = (uint64_t)sqlite3_column_int64(stmt, 1);
		row.last_ms = sqlite3_column_int64(stmt, 3);
		read_text(stmt, 4, row.reference, sizeof(row.reference));
		each(user, &row);
		count++;
	}
	sqlite3_finalize(stmt);
	return state == SQLITE_DONE ? count : SESAME_ESYSTEM;
}

/* ---- About the journal itself ---- */

static int64_t ask_number(struct gate_lookup *l, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t n = 0;

	if (sqlite3_prepare_v2(l->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static uint64_t ask_omitted(struct gate_lookup *l, const char *why)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		 "SELECT sum(n) FROM omitted WHERE why = '%s' AND cause != "
		 "'ok'",
		 why);
	return (uint64_t)ask_number(l, sql);
}

void gate_lookup_state(struct gate_lookup *l, struct gate_lookup_state *ret)
{
	*ret = (struct gate_lookup_state){
		.refusals = (uint64_t)ask_number(
			l, "SELECT count(*) FROM refusals"),
		.admitted = (uint64_t)ask_number(
			l, "SELECT count(*) FROM admitted"),
		.sampled = ask_omitted(l, "sampled"),
		/* version 1 had one number for all */
		.busy = ask_omitted(l, "busy") +
			(uint64_t)ask_number(l, "SELECT sum(n) FROM left_out"),
		.unwritten = ask_omitted(l, "unwritten"),
		.oldest_ms = ask_number(
			l, "SELECT time_ms FROM refusals ORDER BY id LIMIT 1"),
		.last_ms = ask_number(
			l, "SELECT last_ms FROM runs ORDER BY id DESC LIMIT 1"),
		.killed = !l->runs &&
			  ask_number(l, "SELECT end_ms IS NULL FROM runs "
					"ORDER BY id DESC LIMIT 1"),
		.runs = l->runs,
		.full = l->full,
	};
}

int gate_lookup_omitted(struct gate_lookup *l,
			void (*each)(void *user, const char *cause,
				     const char *why, uint64_t n),
			void *user)
{
	sqlite3_stmt *stmt = NULL;
	char cause[60], why[20];
	int count = 0;

	sqlite3_prepare_v2(l->db,
			   "SELECT cause, why, n FROM omitted "
			   "ORDER BY n DESC, cause, why",
			   -1, &stmt, NULL);
	while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
		read_text(stmt, 0, cause, sizeof(cause));
		read_text(stmt, 1, why, sizeof(why));
		each(user, cause, why, (uint64_t)sqlite3_column_int64(stmt, 2));
		count++;
	}
	sqlite3_finalize(stmt);
	return count;
}
