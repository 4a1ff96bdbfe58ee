/* SPDX-License-Identifier: MIT */
/*
 * SQLite in write-ahead mode. A file of an older version is brought up to date
 * by adding the columns that it lacks. Bounds: rows, bytes (the oldest eighth
 * goes when nine tenths are used, and free pages are used again or given
 * back), and the log beside it, which somebody else's long look can keep from
 * being emptied.
 */
#include "gate/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/columns.h"
#include "net/clock.h"

#define PAGE_BYTES     4096
#define LOG_PAGES      4096 /* of the log, before nothing more is added */
#define CHECKPOINT     1000 /* pages of it that begin to be moved */
#define RUNS	       50   /* kept */
#define ADMITTED_SHARE 4    /* a quarter as many rows as refusals */
#define LAST_ID	       (INT64_C(1) << 53) /* more rows were never written */

static const char *omission_name(enum gate_omission omission)
{
	static const char *const names[GATE_N_OMISSIONS] = {
		[GATE_SAMPLED] = "sampled",
		[GATE_BUSY] = "busy",
		[GATE_UNWRITTEN] = "unwritten",
	};

	return names[omission];
}

/* ---- Small words with SQLite ---- */

static uint64_t ask_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

static int run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

__attribute__((format(printf, 2, 3))) static int
run_with(sqlite3 *db, const char *format, ...)
{
	char sql[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	return run(db, sql);
}

/* Step a prepared statement to its end. */
static int finish(sqlite3_stmt *stmt)
{
	int r = sqlite3_step(stmt) == SQLITE_DONE
			? SQLITE_OK
			: sqlite3_errcode(sqlite3_db_handle(stmt));

	sqlite3_reset(stmt);
	return r;
}

/* ---- The layout ---- */

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL,
					     NULL, NULL, NULL) == SQLITE_OK;
}

static int add_missing_columns(sqlite3 *db, const char *table)
{
	int r = SQLITE_OK;

	for (size_t i = 0; r == SQLITE_OK && i < gate_columns_count(); i++)
		if (!has_column(db, table, gate_column_name(i)))
			r = run_with(db, "ALTER TABLE %s ADD COLUMN %s %s",
				     table, gate_column_name(i),
				     gate_column_type(i));
	return r;
}

static int make_tables(sqlite3 *db)
{
	struct ses_buf sql;
	int r;

	ses_buf_init(&sql, 65536);
	ses_buf_append_str(&sql, "CREATE TABLE IF NOT EXISTS refusals ("
				 "id INTEGER PRIMARY KEY, ");
	gate_columns_define(&sql);
	ses_buf_append_str(&sql, ");CREATE TABLE IF NOT EXISTS admitted ("
				 "key INTEGER PRIMARY KEY, ");
	gate_columns_define(&sql);
	ses_buf_append_str(
		&sql,
		");CREATE TABLE IF NOT EXISTS omitted (cause TEXT, why TEXT,"
		" n INTEGER, last_ms INTEGER, PRIMARY KEY (cause, why));"
		"CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY,"
		" pid INTEGER, start_ms INTEGER, last_ms INTEGER,"
		" end_ms INTEGER);");
	r = ses_buf_append(&sql, bytes_of("", 1)) < 0
		    ? SQLITE_NOMEM
		    : run(db, (const char *)ses_buf_bytes(&sql).data);
	ses_buf_fini(&sql);
	return r;
}

/* Version 1 had one count of what it left out. */
static int take_over_version_1(sqlite3 *db)
{
	if (!has_column(db, "left_out", "n"))
		return SQLITE_OK;
	return run(db, "INSERT OR REPLACE INTO omitted (cause, why, n, last_ms)"
		       " SELECT '', 'busy', n, last_ms FROM left_out;"
		       "DROP TABLE left_out;");
}

static int lay_out(sqlite3 *db)
{
	int r = run(db, "BEGIN IMMEDIATE");

	if (r == SQLITE_OK)
		r = make_tables(db);
	if (r == SQLITE_OK)
		r = add_missing_columns(db, "refusals");
	if (r == SQLITE_OK)
		r = add_missing_columns(db, "admitted");
	if (r == SQLITE_OK)
		r = take_over_version_1(db);
	if (r == SQLITE_OK)
		r = run(db, "CREATE INDEX IF NOT EXISTS by_reference"
			    " ON refusals (reference)");
	if (r == SQLITE_OK)
		r = run_with(db, "PRAGMA user_version=%d", GATE_JOURNAL_VERSION);
	if (r == SQLITE_OK)
		return run(db, "COMMIT");
	return r; /* and closing rolls back: to do it here would forget why */
}

static int prepare_insert(sqlite3 *db, const char *table, const char *tail,
			  sqlite3_stmt **ret)
{
	bool keyed = tail[0] != '\0';
	struct ses_buf sql;
	int r = SQLITE_NOMEM;

	ses_buf_init(&sql, 65536);
	ses_buf_printf(&sql, "INSERT INTO %s (", table);
	gate_columns_list(&sql);
	ses_buf_append_str(&sql, keyed ? ", key) VALUES (" : ") VALUES (");
	gate_columns_marks(&sql);
	if (keyed)
		ses_buf_printf(&sql, ", ?%zu", gate_columns_count() + 1);
	ses_buf_printf(&sql, ")%s", tail);
	if (ses_buf_append(&sql, bytes_of("", 1)) == 0)
		r = sqlite3_prepare_v2(db,
				       (const char *)ses_buf_bytes(&sql).data,
				       -1, ret, NULL);
	ses_buf_fini(&sql);
	return r;
}

static int prepare_statements(struct gate_journal_file *f)
{
	int r = prepare_insert(f->db, "refusals", "", &f->refusal);

	if (r == SQLITE_OK)
		r = prepare_insert(f->db, "admitted",
				   " ON CONFLICT (key) DO UPDATE SET"
				   " count = count + excluded.count,"
				   " time_ms = excluded.time_ms",
				   &f->admitted);
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(f->db,
				       "UPDATE admitted SET count = count + ?2,"
				       " time_ms = ?3 WHERE key = ?1",
				       -1, &f->recount, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_prepare_v2(
			f->db,
			"INSERT INTO omitted (cause, why, n, last_ms)"
			" VALUES (?1, ?2, ?3, ?4) ON CONFLICT (cause, why)"
			" DO UPDATE SET n = n + excluded.n,"
			" last_ms = excluded.last_ms",
			-1, &f->omitted, NULL);
	return r;
}

/* ---- Opening ---- */

static void unlock(struct gate_journal_file *f)
{
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	f->lock_fd = -1;
}

/*
 * Make the file, or see that it may be written: 0, or why not. SQLite opens
 * devices too, and tells only that it could not, not why. The descriptor
 * stays open: a lock on it tells readers that somebody writes, and closing it
 * earlier would drop SQLite's own locks.
 */
static const char *prepare_file(struct gate_journal_file *f, const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat status;

	if (fd >= 0)
		flock(fd, LOCK_SH | LOCK_NB);
	unlock(f); /* now: whoever looks finds the one or the other locked */
	f->lock_fd = fd;
	if (fd < 0 || fstat(fd, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is not a plain file";
	f->device = status.st_dev;
	f->inode = status.st_ino;
	f->log_inode = 0;
	return NULL;
}

static bool is_of_another_program(sqlite3 *db)
{
	return ask_number(db, "SELECT count(*) FROM sqlite_master") > 0 &&
	       !has_column(db, "refusals", "reference");
}

/* The row after the last one of all would get any number, and soon be gone. */
static bool is_numbered_to_the_end(sqlite3 *db)
{
	static const char *const tables[] = {"refusals", "runs"};
	bool any = false;
	char sql[100];

	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM %s WHERE id > %lld", tables[i],
			 (long long)LAST_ID);
		any |= ask_number(db, sql) > 0;
	}
	return any;
}

static int begin_run(struct gate_journal_file *f)
{
	int64_t now = ses_clock_wall_ms();
	int r = run_with(f->db,
			 "INSERT INTO runs (pid, start_ms, last_ms) "
			 "VALUES (%d, %lld, %lld)",
			 (int)getpid(), (long long)now, (long long)now);

	f->run = sqlite3_last_insert_rowid(f->db);
	if (r == SQLITE_OK)
		r = run_with(f->db, "DELETE FROM runs WHERE id <= %lld",
			     (long long)f->run - RUNS);
	return r;
}

static int move_log(void *user, sqlite3 *db, const char *name, int pages)
{
	struct gate_journal_file *f = user;

	f->log_pages = pages;
	if (pages >= CHECKPOINT)
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE,
					  NULL, NULL);
	return SQLITE_OK;
}

/* Once, when the file is a long way over its bound: give back what is free. */
static void shrink(struct gate_journal_file *f)
{
	uint64_t pages = ask_number(f->db, "PRAGMA page_count");

	if (pages * PAGE_BYTES > f->max_bytes ||
	    ask_number(f->db, "PRAGMA auto_vacuum") == 0) {
		run(f->db, "PRAGMA auto_vacuum=INCREMENTAL");
		if (pages * PAGE_BYTES < 256 << 20)
			run(f->db, "VACUUM");
	}
}

static int set_up(struct gate_journal_file *f)
{
	int r;

	sqlite3_busy_timeout(f->db, 1000);
	/* Before the first table is made; on an older file it says nothing. */
	run(f->db, "PRAGMA auto_vacuum=INCREMENTAL");
	r = run(f->db, "PRAGMA journal_mode=WAL;"
		       "PRAGMA synchronous=NORMAL;"
		       "PRAGMA journal_size_limit=4194304;"
		       "PRAGMA secure_delete=ON;");
	if (r == SQLITE_OK)
		r = lay_out(f->db);
	if (r == SQLITE_OK)
		r = prepare_statements(f);
	if (r == SQLITE_OK)
		r = begin_run(f);
	if (r != SQLITE_OK)
		return r;
	shrink(f);
	run_with(f->db, "PRAGMA max_page_count=%llu",
		 (unsigned long long)(f->max_bytes / PAGE_BYTES));
	sqlite3_wal_hook(f->db, move_log, f);
	return SQLITE_OK;
}

static bool is_passing(int code)
{
	code &= 0xff;
	return code == SQLITE_BUSY || code == SQLITE_LOCKED ||
	       code == SQLITE_FULL || code == SQLITE_IOERR;
}

/* NULL, or why it is left as it is; that may be put into @wrong. */
static const char *find_strange(struct gate_journal_file *f, char *wrong,
				size_t size)
{
	if (gate_journal_db_is_spoiled(f->db, wrong, size))
		return wrong;
	if (is_of_another_program(f->db))
		return "it is another program's database";
	if (ask_number(f->db, "PRAGMA user_version") > GATE_JOURNAL_VERSION)
		return "it is of a newer version of sesame";
	if (is_numbered_to_the_end(f->db))
		return "a row in it has a number that sesame never gives: "
		       "somebody else wrote into it, so move it away";
	return NULL;
}

/* NULL, or why not. */
static const char *open_database(struct gate_journal_file *f, const char *name,
				 bool *ret_passing)
{
	int r = gate_journal_db_open(
		name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, &f->db);
	const char *strange =
		r == SQLITE_OK ? find_strange(f, f->wrong, sizeof(f->wrong))
			       : NULL;

	if (strange)
		return strange;
	if (r == SQLITE_OK)
		r = set_up(f);
	if (r == SQLITE_OK)
		return NULL;
	*ret_passing = is_passing(r);
	return gate_journal_db_wrong(f->db, f->wrong, sizeof(f->wrong));
}

static void close_database(struct gate_journal_file *f)
{
	sqlite3_finalize(f->refusal);
	sqlite3_finalize(f->admitted);
	sqlite3_finalize(f->recount);
	sqlite3_finalize(f->omitted);
	f->refusal = f->admitted = f->recount = f->omitted = NULL;
	sqlite3_close(f->db);
	f->db = NULL;
}

int gate_journal_file_open(struct gate_journal_file *f, const char *name,
			   char *text, size_t text_size, bool *ret_passing)
{
	const char *why = prepare_file(f, name);

	*ret_passing = why && (errno == ENOSPC || errno == EDQUOT);
	if (!why)
		why = open_database(f, name, ret_passing);
	if (!why) {
		fchmod(f->lock_fd, 0600); /* it holds addresses of people */
		return 0;
	}
	snprintf(text, text_size, "%s%s", why,
		 strcmp(why, strerror(EMFILE)) == 0
			 ? "; raise the limit of descriptors (ulimit -n 1024)"
			 : "");
	close_database(f);
	if (!*ret_passing)
		unlock(f);
	return -1;
}

bool gate_journal_file_is_there(const struct gate_journal_file *f,
				const char *name)
{
	char log[4200];
	struct stat status;

	if (stat(name, &status) < 0 || status.st_dev != f->device ||
	    status.st_ino != f->inode)
		return false;
	if (!f->log_inode)
		return true;
	snprintf(log, sizeof(log), "%s-wal", name);
	return stat(log, &status) == 0 && status.st_ino == f->log_inode;
}

static void note_log(struct gate_journal_file *f, const char *name)
{
	char log[4200];
	struct stat status;

	if (f->log_inode)
		return;
	snprintf(log, sizeof(log), "%s-wal", name);
	if (stat(log, &status) == 0)
		f->log_inode = status.st_ino;
}

void gate_journal_file_close(struct gate_journal_file *f, bool ended)
{
	if (f->db && ended)
		run_with(f->db, "UPDATE runs SET end_ms = %lld WHERE id = %lld",
			 (long long)ses_clock_wall_ms(), (long long)f->run);
	close_database(f);
	unlock(f); /* before that, SQLite's locks would end with it */
}

void gate_journal_file_rest(struct gate_journal_file *f)
{
	close_database(f);
}

/* ---- One batch ---- */

static int put_stories(struct gate_journal_file *f, const struct gate_batch *b)
{
	int r = SQLITE_OK;

	for (size_t i = 0; r == SQLITE_OK && i < b->n; i++) {
		uint64_t key = b->story[i].key;
		sqlite3_stmt *stmt = key ? f->admitted : f->refusal;

		gate_columns_bind(stmt, &b->story[i].story);
		if (key)
			sqlite3_bind_int64(stmt, (int)gate_columns_count() + 1,
					   (int64_t)key);
		r = finish(stmt);
	}
	return r;
}

static int put_recounts(struct gate_journal_file *f, const struct gate_batch *b)
{
	int r = SQLITE_OK;

	for (size_t i = 0; r == SQLITE_OK && i < b->n_recounts; i++) {
		sqlite3_bind_int64(f->recount, 1, (int64_t)b->recount[i].key);
		sqlite3_bind_int64(f->recount, 2, (int64_t)b->recount[i].n);
		sqlite3_bind_int64(f->recount, 3, b->recount[i].last_ms);
		r = finish(f->recount);
	}
	return r;
}

static int put_omitted(struct gate_journal_file *f, const struct gate_batch *b)
{
	int r = SQLITE_OK;

	for (int i = 0; r == SQLITE_OK && i < GATE_N_OMISSIONS * WHY_N_CAUSES;
	     i++) {
		int why = i / WHY_N_CAUSES, cause = i % WHY_N_CAUSES;

		if (!b->omitted[why][cause])
			continue;
		sqlite3_bind_text(f->omitted, 1,
				  why_cause((enum why_cause)cause)->id, -1,
				  SQLITE_STATIC);
		sqlite3_bind_text(f->omitted, 2,
				  omission_name((enum gate_omission)why), -1,
				  SQLITE_STATIC);
		sqlite3_bind_int64(f->omitted, 3,
				   (int64_t)b->omitted[why][cause]);
		sqlite3_bind_int64(f->omitted, 4, b->now_ms);
		r = finish(f->omitted);
	}
	return r;
}

static bool has_keys(const struct gate_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->story[i].key)
			return true;
	return false;
}

static int keep_rows(struct gate_journal_file *f, const struct gate_batch *b)
{
	uint64_t admitted = f->max_rows / ADMITTED_SHARE + 1;
	int r = run_with(f->db,
			 "DELETE FROM refusals WHERE id <= "
			 "(SELECT max(id) FROM refusals) - %llu",
			 (unsigned long long)f->max_rows);

	if (r == SQLITE_OK && has_keys(b))
		r = run_with(f->db,
			     "DELETE FROM admitted WHERE key IN (SELECT key "
			     "FROM admitted ORDER BY time_ms DESC, key "
			     "LIMIT -1 OFFSET %llu)",
			     (unsigned long long)admitted);
	return r;
}

/* The oldest eighth of all goes. */
static int make_room(struct gate_journal_file *f)
{
	int r = run(f->db, "DELETE FROM refusals WHERE id <= (SELECT id FROM "
			   "refusals ORDER BY id LIMIT 1 OFFSET "
			   "(SELECT count(*) / 8 FROM refusals))");

	if (r == SQLITE_OK)
		r = run(f->db, "DELETE FROM admitted WHERE key IN (SELECT key "
			       "FROM admitted ORDER BY time_ms LIMIT "
			       "(SELECT count(*) / 8 FROM admitted))");
	return r;
}

static uint64_t used_bytes(struct gate_journal_file *f)
{
	return (ask_number(f->db, "PRAGMA page_count") -
		ask_number(f->db, "PRAGMA freelist_count")) *
	       PAGE_BYTES;
}

/* Room is made when nine tenths are used, so that there always is some. */
static int keep_bytes(struct gate_journal_file *f)
{
	if (used_bytes(f) <= f->max_bytes / 10 * 9)
		return SQLITE_OK;
	return make_room(f);
}

/*
 * Somebody who looks at the file for a long time keeps the log from being
 * emptied; it does not grow without end for that.
 */
static bool log_is_full(struct gate_journal_file *f)
{
	if (f->log_pages < LOG_PAGES)
		return false;
	if (sqlite3_wal_checkpoint_v2(f->db, "main", SQLITE_CHECKPOINT_RESTART,
				      NULL, NULL) != SQLITE_OK)
		return true;
	f->log_pages = 0;
	return false;
}

static int write_once(struct gate_journal_file *f, const struct gate_batch *b)
{
	int r = run(f->db, "BEGIN IMMEDIATE");

	if (r == SQLITE_OK)
		r = keep_bytes(f);
	if (r == SQLITE_OK)
		r = put_stories(f, b);
	if (r == SQLITE_OK)
		r = put_recounts(f, b);
	if (r == SQLITE_OK)
		r = put_omitted(f, b);
	if (r == SQLITE_OK && b->n)
		r = keep_rows(f, b);
	if (r == SQLITE_OK)
		r = run_with(f->db,
			     "UPDATE runs SET last_ms = %lld WHERE id = %lld",
			     (long long)b->now_ms, (long long)f->run);
	if (r == SQLITE_OK)
		r = run(f->db, "COMMIT");
	return r;
}

/* What fails is undone; why it did is kept, for SQLite forgets it by that. */
static int try_to_write(struct gate_journal_file *f, const struct gate_batch *b)
{
	int r = write_once(f, b);

	if (r == SQLITE_OK)
		return r;
	gate_journal_db_wrong(f->db, f->wrong, sizeof(f->wrong));
	run(f->db, "ROLLBACK");
	return r;
}

/* It was our own bound that was reached, not the disk's. */
static bool is_at_bound(struct gate_journal_file *f, int code)
{
	return (code & 0xff) == SQLITE_FULL && used_bytes(f) > f->max_bytes / 2;
}

int gate_journal_file_write(struct gate_journal_file *f, const char *name,
			    const struct gate_batch *b)
{
	int r;

	if (log_is_full(f)) {
		snprintf(f->wrong, sizeof(f->wrong),
			 "somebody has been reading it for so long that its "
			 "log is full");
		return SQLITE_BUSY;
	}
	r = try_to_write(f, b);
	for (int i = 0; i < 8 && is_at_bound(f, r); i++) {
		if (make_room(f) != SQLITE_OK)
			break;
		r = try_to_write(f, b);
	}
	if (r == SQLITE_OK)
		note_log(f, name);
	return r;
}
