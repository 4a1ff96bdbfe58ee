/* SPDX-License-Identifier: MIT */
/*
 * SQLite in write-ahead mode. Two arrays take turns: the loop fills one while
 * the thread writes the other in one transaction. A killed process loses what
 * the thread had not yet begun to write, a twentieth of a second's refusals.
 */
#include "gate/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sesame/error.h>

#include "gate/log.h"

#define QUEUE_ROWS 256
#define REST_MS	   50 /* between two transactions */

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=NORMAL;"
	"PRAGMA journal_size_limit=4194304;"
	"CREATE TABLE IF NOT EXISTS refusals ("
	" id INTEGER PRIMARY KEY, reference TEXT NOT NULL, time_ms INTEGER,"
	" status INTEGER, observed INTEGER, cause TEXT, target TEXT, host TEXT,"
	" origin TEXT, user_agent TEXT, address TEXT, hops TEXT,"
	" listener TEXT, route TEXT,"
	" upstream TEXT, look TEXT, rule TEXT, preset INTEGER, file TEXT,"
	" line INTEGER, compared TEXT, nearest TEXT, note TEXT, trace TEXT);"
	"CREATE INDEX IF NOT EXISTS by_reference ON refusals (reference);"
	"CREATE TABLE IF NOT EXISTS left_out ("
	" id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER, last_ms INTEGER);"
	"PRAGMA user_version=1;";

/*
 * The columns in their order, with where a story keeps them. Writing binds
 * them and reading fills them in from this one table.
 */
enum column_kind { TEXT, INT, INT64, BOOL };

static const struct column {
	const char *name;
	enum column_kind kind;
	size_t offset, size;
} columns[] = {
#define COLUMN(name, kind, field)                               \
	{                                                       \
		name, kind, offsetof(struct gate_story, field), \
			sizeof(((struct gate_story *)0)->field) \
	}
	COLUMN("reference", TEXT, reference),
	COLUMN("time_ms", INT64, time_ms),
	COLUMN("status", INT, status),
	COLUMN("observed", BOOL, observed),
	COLUMN("cause", TEXT, cause),
	COLUMN("target", TEXT, target),
	COLUMN("host", TEXT, host),
	COLUMN("origin", TEXT, origin),
	COLUMN("user_agent", TEXT, user_agent),
	COLUMN("address", TEXT, address),
	COLUMN("hops", TEXT, hops),
	COLUMN("listener", TEXT, listener),
	COLUMN("route", TEXT, route),
	COLUMN("upstream", TEXT, upstream),
	COLUMN("look", TEXT, check),
	COLUMN("rule", TEXT, rule),
	COLUMN("preset", BOOL, preset),
	COLUMN("file", TEXT, file),
	COLUMN("line", INT, line),
	COLUMN("compared", TEXT, compared),
	COLUMN("nearest", TEXT, nearest),
	COLUMN("note", TEXT, note),
	COLUMN("trace", TEXT, trace),
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char insert_sql[] =
	"INSERT INTO refusals (reference, time_ms, status, observed, cause,"
	" target, host, origin, user_agent, address, hops, listener, route, "
	"upstream,"
	" look, rule, preset, file, line, compared, nearest, note, trace)"
	" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

#define SELECT                                                              \
	"SELECT reference, time_ms, status, observed, cause, target, host," \
	" origin, user_agent, address, hops, listener, route, upstream, "   \
	"look, rule,"                                                       \
	" preset, file, line, compared, nearest, note, trace FROM refusals "

struct gate_journal {
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *file;
	uint64_t max_rows;
	pthread_t thread;
	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t work;
	struct gate_story *filling, *writing; /* QUEUE_ROWS each */
	size_t n_filling;
	uint64_t left_out; /* not yet in the file */
	bool closing;
};

/* ---- The file's place ---- */

bool gate_journal_default_file(char *out, size_t size)
{
	const char *state = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && *state)
		n = snprintf(out, size, "%s/journal.db", state);
	else if (geteuid() == 0)
		n = snprintf(out, size, "/var/lib/sesame/journal.db");
	else if (xdg && xdg[0] == '/')
		n = snprintf(out, size, "%s/sesame/journal.db", xdg);
	else if (home && *home)
		n = snprintf(out, size, "%s/.local/state/sesame/journal.db",
			     home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

static void make_folders(const char *file)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s", file) >= sizeof(path))
		return;
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(path, 0700); /* fails where it is there already */
		*p = '/';
	}
}

/* ---- Writing ---- */

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

static void bind_story(sqlite3_stmt *stmt, const struct gate_story *story)
{
	for (size_t i = 0; i < N_COLUMNS; i++) {
		const char *at = (const char *)story + columns[i].offset;
		int to = (int)i + 1;

		switch (columns[i].kind) {
		case TEXT:
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

static int run(sqlite3 *db, const char *format, uint64_t a, uint64_t b)
{
	char sql[256];

	snprintf(sql, sizeof(sql), format, (unsigned long long)a,
		 (unsigned long long)b);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static void complain_of_failure(struct gate_journal *j)
{
	static time_t last;
	time_t now = time(NULL);

	if (now - last < 60)
		return;
	last = now;
	gate_log("sesame: the journal %s cannot be written: %s", j->file,
		 sqlite3_errmsg(j->db));
}

static int write_batch(struct gate_journal *j, size_t n, uint64_t left_out)
{
	int r = run(j->db, "BEGIN IMMEDIATE", 0, 0);

	for (size_t i = 0; r == SQLITE_OK && i < n; i++) {
		bind_story(j->insert, &j->writing[i]);
		r = sqlite3_step(j->insert) == SQLITE_DONE ? SQLITE_OK
							   : SQLITE_ERROR;
		sqlite3_reset(j->insert);
	}
	if (r == SQLITE_OK)
		r = run(j->db,
			"DELETE FROM refusals WHERE id <= "
			"(SELECT max(id) FROM refusals) - %llu",
			j->max_rows, 0);
	if (r == SQLITE_OK && left_out)
		r = run(j->db,
			"INSERT INTO left_out VALUES (1, %llu, %llu) "
			"ON CONFLICT (id) DO UPDATE SET n = n + excluded.n,"
			" last_ms = excluded.last_ms",
			left_out, (uint64_t)time(NULL) * 1000);
	if (r == SQLITE_OK)
		r = run(j->db, "COMMIT", 0, 0);
	if (r != SQLITE_OK) {
		complain_of_failure(j); /* the next call forgets the reason */
		run(j->db, "ROLLBACK", 0, 0);
	}
	return r;
}

/* Sleep, unless it is to close. With the lock held. */
static void rest(struct gate_journal *j)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += REST_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!j->closing &&
	       pthread_cond_timedwait(&j->work, &j->lock, &until) == 0)
		;
}

static void *write_on(void *user)
{
	struct gate_journal *j = user;

	pthread_mutex_lock(&j->lock);
	while (!j->closing || j->n_filling || j->left_out) {
		struct gate_story *full = j->filling;
		size_t n = j->n_filling;
		uint64_t left_out = j->left_out;
		int r;

		if (n == 0 && left_out == 0) {
			pthread_cond_wait(&j->work, &j->lock);
			continue;
		}
		j->filling = j->writing;
		j->writing = full;
		j->n_filling = 0;
		j->left_out = 0;
		pthread_mutex_unlock(&j->lock);
		r = write_batch(j, n, left_out);
		pthread_mutex_lock(&j->lock);
		if (r != SQLITE_OK && !j->closing)
			j->left_out += n + left_out;
		rest(j);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static void free_journal(struct gate_journal *j)
{
	sqlite3_finalize(j->insert);
	sqlite3_close(j->db);
	free(j->filling);
	free(j->writing);
	free(j->file);
	free(j);
}

/*
 * Make the file, or see that it may be written: NULL, or why not. SQLite opens
 * devices too, and tells only that it could not, not why.
 */
static const char *prepare_file(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat status;
	const char *why = NULL;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &status) < 0)
		why = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		why = "it is not a plain file";
	close(fd);
	return why;
}

static bool is_of_another_program(sqlite3 *db)
{
	static const char tables[] = "SELECT count(*) FROM sqlite_master";
	static const char ours[] = "SELECT count(*) FROM sqlite_master "
				   "WHERE type = 'table' AND name = 'refusals'";

	return ask_number(db, tables) > 0 && ask_number(db, ours) == 0;
}

/* Why SQLite failed last: that it cannot open a file is not all it knows. */
static const char *why_not(sqlite3 *db)
{
	int why = db && sqlite3_errcode(db) == SQLITE_CANTOPEN
			  ? sqlite3_system_errno(db)
			  : 0;

	if (!db)
		return "out of memory";
	return why ? strerror(why) : sqlite3_errmsg(db);
}

/* NULL, or why not. */
static const char *open_database(struct gate_journal *j, const char *file)
{
	if (sqlite3_open_v2(file, &j->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(j->db, 1000);
		if (is_of_another_program(j->db))
			return "it is another program's database";
		if (sqlite3_exec(j->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_prepare_v2(j->db, insert_sql, -1, &j->insert,
				       NULL) == SQLITE_OK)
			return NULL;
	}
	return why_not(j->db);
}

static bool open_file(struct gate_journal *j, const char *file, char *text,
		      size_t text_size)
{
	const char *why;

	make_folders(file);
	why = prepare_file(file);
	if (!why)
		why = open_database(j, file);
	if (!why) {
		chmod(file, 0600); /* it holds addresses of people */
		return true;
	}
	snprintf(text, text_size, "the journal %s cannot be opened: %s%s", file,
		 why,
		 strcmp(why, strerror(EMFILE)) == 0
			 ? "; raise the limit of descriptors (ulimit -n 1024)"
			 : "");
	return false;
}

/* Its waits go by a clock that nobody sets. */
static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t how;

	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &how);
	pthread_condattr_destroy(&how);
}

struct gate_journal *gate_journal_open(const char *file, uint64_t max_rows,
				       char *text, size_t text_size)
{
	struct gate_journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j) {
		snprintf(text, text_size, "out of memory");
		return NULL;
	}
	j->max_rows = max_rows;
	j->file = strdup(file);
	j->filling = calloc(QUEUE_ROWS, sizeof(*j->filling));
	j->writing = calloc(QUEUE_ROWS, sizeof(*j->writing));
	pthread_mutex_init(&j->lock, NULL);
	init_condition(&j->work);
	if (!j->file || !j->filling || !j->writing) {
		snprintf(text, text_size, "out of memory");
		free_journal(j);
		return NULL;
	}
	if (!open_file(j, file, text, text_size)) {
		free_journal(j);
		return NULL;
	}
	r = pthread_create(&j->thread, NULL, write_on, j);
	if (r != 0) {
		snprintf(text, text_size, "no thread for the journal: %s",
			 strerror(r));
		free_journal(j);
		return NULL;
	}
	return j;
}

bool gate_journal_has_room(struct gate_journal *j)
{
	bool room;

	pthread_mutex_lock(&j->lock);
	room = j->n_filling < QUEUE_ROWS;
	j->left_out += !room;
	pthread_mutex_unlock(&j->lock);
	return room;
}

bool gate_journal_add(struct gate_journal *j, const struct gate_story *story)
{
	bool room;

	pthread_mutex_lock(&j->lock);
	room = j->n_filling < QUEUE_ROWS;
	if (room)
		j->filling[j->n_filling++] = *story;
	else
		j->left_out++;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	return room;
}

void gate_journal_close(struct gate_journal *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->closing = true;
	pthread_cond_signal(&j->work);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->work);
	free_journal(j);
}

/* ---- Reading ---- */

struct gate_journal_reader {
	sqlite3 *db;
};

struct gate_journal_reader *gate_journal_read(const char *file, char *text,
					      size_t text_size)
{
	struct gate_journal_reader *r = calloc(1, sizeof(*r));
	struct stat status;

	if (!r) {
		snprintf(text, text_size, "out of memory");
		return NULL;
	}
	errno = 0;
	if (access(file, R_OK) != 0 || stat(file, &status) != 0 ||
	    !S_ISREG(status.st_mode)) {
		snprintf(text, text_size, "the journal %s cannot be read: %s",
			 file,
			 errno ? strerror(errno) : "it is not a plain file");
		free(r);
		return NULL;
	}
	if (sqlite3_open_v2(file, &r->db, SQLITE_OPEN_READONLY, NULL) ==
		    SQLITE_OK &&
	    sqlite3_busy_timeout(r->db, 1000) == SQLITE_OK &&
	    sqlite3_exec(r->db, "SELECT id FROM refusals LIMIT 1", NULL, NULL,
			 NULL) == SQLITE_OK)
		return r;
	snprintf(text, text_size, "%s is no journal of sesame: %s", file,
		 why_not(r->db));
	gate_journal_read_close(r);
	return NULL;
}

void gate_journal_read_close(struct gate_journal_reader *r)
{
	if (!r)
		return;
	sqlite3_close(r->db);
	free(r);
}

/* Texts are fit for a terminal, whoever else wrote into the file. */
static void read_story(sqlite3_stmt *stmt, struct gate_story *story)
{
	memset(story, 0, sizeof(*story));
	for (size_t i = 0; i < N_COLUMNS; i++) {
		char *at = (char *)story + columns[i].offset;
		const unsigned char *text;

		switch (columns[i].kind) {
		case TEXT:
			text = sqlite3_column_text(stmt, (int)i);
			bytes_printable(bytes_of_str((const char *)text), at,
					columns[i].size);
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
}

int gate_journal_find(struct gate_journal_reader *r, const char *reference,
		      struct gate_story *ret_story)
{
	sqlite3_stmt *stmt = NULL;
	int found = SESAME_ESYSTEM;

	if (sqlite3_prepare_v2(r->db,
			       SELECT "WHERE reference = ? ORDER BY id DESC "
				      "LIMIT 1",
			       -1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, reference, -1, SQLITE_STATIC);
		switch (sqlite3_step(stmt)) {
		case SQLITE_ROW:
			read_story(stmt, ret_story);
			found = 1;
			break;
		case SQLITE_DONE:
			found = 0;
		}
	}
	sqlite3_finalize(stmt);
	return found;
}

int gate_journal_last(struct gate_journal_reader *r, unsigned n,
		      void (*each)(void *user, const struct gate_story *story),
		      void *user)
{
	struct gate_story *story = malloc(sizeof(*story));
	sqlite3_stmt *stmt = NULL;
	int count = 0, state = SQLITE_ERROR;

	if (story && sqlite3_prepare_v2(r->db, SELECT "ORDER BY id DESC LIMIT ?",
					-1, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, n);
		while ((state = sqlite3_step(stmt)) == SQLITE_ROW) {
			read_story(stmt, story);
			each(user, story);
			count++;
		}
	}
	sqlite3_finalize(stmt);
	free(story);
	return state == SQLITE_DONE ? count : SESAME_ESYSTEM;
}

const char *gate_journal_error(struct gate_journal_reader *r)
{
	return why_not(r->db);
}

void gate_journal_count(struct gate_journal_reader *r, uint64_t *ret_rows,
			uint64_t *ret_left_out)
{
	*ret_rows = ask_number(r->db, "SELECT count(*) FROM refusals");
	*ret_left_out = ask_number(r->db, "SELECT sum(n) FROM left_out");
}
