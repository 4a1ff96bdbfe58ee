/* SPDX-License-Identifier: MIT */
/* The journal on a real file: nothing lost, nothing beyond its ceiling. */
#include "gate/journal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/lookup.h"
#include "test.h"

struct place {
	char folder[64], file[160];
};

static struct place new_place(void)
{
	struct place p = {"/tmp/sesame-journal-XXXXXX", ""};

	assert_non_null(mkdtemp(p.folder));
	snprintf(p.file, sizeof(p.file), "%s/a/b/journal.db", p.folder);
	return p;
}

static void remove_place(const struct place *p)
{
	char name[200];
	static const char *const ends[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", p->file, ends[i]);
		unlink(name);
	}
	snprintf(name, sizeof(name), "%s/a/b", p->folder);
	rmdir(name);
	snprintf(name, sizeof(name), "%s/a", p->folder);
	rmdir(name);
	assert_int_equal(rmdir(p->folder), 0);
}

static struct gate_journal *open_journal(const struct place *p, uint64_t rows)
{
	char text[512] = "";
	struct gate_journal *j =
		gate_journal_open(p->file, rows, 0, text, sizeof(text));

	if (!j)
		fail_msg("%s", text);
	return j;
}

static struct gate_lookup *read_journal(const struct place *p)
{
	char text[512] = "";
	struct gate_lookup *r = gate_lookup_open(p->file, text, sizeof(text));

	if (!r)
		fail_msg("%s", text);
	return r;
}

static struct gate_story story_of(unsigned number)
{
	struct gate_story s = {.time_ms = 1700000000000 + number,
			       .status = 403,
			       .observed = number % 2,
			       .cause = "access.origin",
			       .target = "/chat?x='; DROP TABLE refusals; --",
			       .origin = "https://evil.example",
			       .check = "origin",
			       .rule = "no entry matches",
			       .preset = true,
			       .file = "sesame.yaml",
			       .line = 12,
			       .trace = "[]"};

	why_reference_write(number, s.reference);
	return s;
}

TEST("a story comes back as it was told")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 10);
	struct gate_lookup *r;
	struct gate_story s = story_of(7), back;
	struct stat st;

	assert_true(gate_journal_add(j, &s));
	gate_journal_close(j);
	r = read_journal(&p);
	assert_int_equal(gate_lookup_find(r, s.reference, &back), 1);
	assert_memory_equal(&s, &back, sizeof(s));
	assert_int_equal(gate_lookup_find(r, "0000-0000", &back), 0);
	gate_lookup_close(r);
	assert_int_equal(stat(p.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	remove_place(&p);
}

static const struct gate_search any = {0};

static void count_rows(struct gate_lookup *r, uint64_t *ret_rows,
		       uint64_t *ret_left_out)
{
	struct gate_lookup_state state;

	gate_lookup_state(r, &state);
	*ret_rows = state.refusals;
	*ret_left_out = state.sampled + state.busy + state.unwritten;
}

static void count(void *user, const struct gate_story *story)
{
	unsigned *n = user;

	*n = *n * 10 + (unsigned)(story->time_ms % 10);
}

TEST("the oldest stories go when the ceiling is reached")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 5);
	struct gate_lookup *r;
	uint64_t rows, left_out;
	unsigned order = 0;

	for (unsigned i = 0; i < 99; i++) {
		struct gate_story s = story_of(i);

		gate_journal_add(j, &s);
	}
	gate_journal_close(j);
	r = read_journal(&p);
	count_rows(r, &rows, &left_out);
	assert_int_equal(rows, 5);
	assert_int_equal(left_out, 0);
	assert_int_equal(gate_lookup_search(r, &any, 3, count, &order), 3);
	assert_int_equal(order, 876); /* 98, 97, 96: newest first */
	gate_lookup_close(r);
	remove_place(&p);
}

TEST("a flood does not wait: what has no room is left out and counted")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 1000000);
	struct gate_lookup *r;
	uint64_t rows, left_out, taken = 0;

	for (unsigned i = 0; i < 5000; i++) {
		struct gate_story s = story_of(i);

		taken += gate_journal_add(j, &s);
	}
	assert_true(taken < 5000);
	gate_journal_close(j);
	r = read_journal(&p);
	count_rows(r, &rows, &left_out);
	assert_int_equal(rows, taken);
	assert_int_equal(rows + left_out, 5000);
	gate_lookup_close(r);
	remove_place(&p);
}

/* How often all but this thread went to sleep. */
static long sleeps_of_others(void)
{
	struct rusage all, own;

	getrusage(RUSAGE_SELF, &all);
	getrusage(RUSAGE_THREAD, &own);
	return all.ru_nvcsw - own.ru_nvcsw;
}

TEST("a flood wakes the thread that writes now and then, not for each")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 1000);
	struct gate_story s = story_of(1);
	long before = sleeps_of_others();
	int told = 0;

	for (; told < 400; told++) {
		if (told % 2)
			gate_journal_add(j, &s);
		else
			gate_journal_wants(j, 1, WHY_ACCESS_ORIGIN, 1);
		usleep(100);
	}
	assert_true(sleeps_of_others() - before < told / 4);
	gate_journal_close(j);
	remove_place(&p);
}

TEST("a journal is read while it is written")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 100);
	struct gate_lookup *r = read_journal(&p);
	struct gate_story s = story_of(1), back;
	int found = 0;

	gate_journal_add(j, &s);
	for (int i = 0; i < 100 && found == 0; i++) {
		found = gate_lookup_find(r, s.reference, &back);
		if (found == 0)
			usleep(20000);
	}
	assert_int_equal(found, 1);
	gate_lookup_close(r);
	gate_journal_close(j);
	remove_place(&p);
}

TEST("what is no journal is told so, for reading and for writing")
{
	struct place p = new_place();
	char text[512] = "";
	FILE *f;

	assert_null(gate_lookup_open(p.file, text, sizeof(text)));
	assert_non_null(strstr(text, p.file));
	gate_journal_close(open_journal(&p, 5));
	f = fopen(p.file, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", f);
	fclose(f);
	assert_null(gate_lookup_open(p.file, text, sizeof(text)));
	assert_null(gate_journal_open(p.file, 5, 0, text, sizeof(text)));
	assert_non_null(strstr(text, p.file));
	assert_null(gate_journal_open("/proc/nowhere/x.db", 5, 0, text,
				      sizeof(text)));
	remove_place(&p);
}

static void run_sql(const struct place *p, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static unsigned mode_of(const char *file)
{
	struct stat status;

	assert_int_equal(stat(file, &status), 0);
	return status.st_mode & 07777;
}

TEST("what is another program's is left as it is")
{
	struct place p = new_place();
	char text[512];
	unsigned null_mode = mode_of("/dev/null");

	gate_journal_close(open_journal(&p, 10)); /* makes the folders */
	run_sql(&p, "DROP TABLE refusals; CREATE TABLE users (name TEXT);"
		    "PRAGMA user_version=7;");
	chmod(p.file, 0644);
	assert_null(gate_journal_open(p.file, 10, 0, text, sizeof(text)));
	assert_non_null(strstr(text, "another program's"));
	assert_int_equal(mode_of(p.file), 0644);
	run_sql(&p, "CREATE TABLE refusals (id INTEGER)"); /* was not there */
	assert_null(gate_journal_open("/dev/null", 10, 0, text, sizeof(text)));
	assert_non_null(strstr(text, "not a plain file"));
	assert_null(gate_lookup_open("/dev/null", text, sizeof(text)));
	assert_non_null(strstr(text, "not a plain file"));
	assert_int_equal(mode_of("/dev/null"), null_mode);
	remove_place(&p);
}

static void keep_story(void *user, const struct gate_story *story)
{
	*(struct gate_story *)user = *story;
}

TEST("what somebody else wrote into it cannot paint the terminal")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 10);
	struct gate_lookup *r;
	struct gate_story s = story_of(1);

	gate_journal_add(j, &s);
	gate_journal_close(j);
	run_sql(&p, "UPDATE refusals SET note = 'a' || char(27) || '[31m',"
		    " origin = x'ff0a'");
	r = read_journal(&p);
	assert_int_equal(gate_lookup_search(r, &any, 1, keep_story, &s), 1);
	assert_string_equal(s.note, "a\\x1b[31m");
	assert_string_equal(s.origin, "\\xff\\x0a");
	gate_lookup_close(r);
	remove_place(&p);
}

TEST("nor can the looks, which stand in it as JSON")
{
	static const struct {
		const char *written, *read;
	} cases[] = {
		{"[{\"check\":\"origin\",\"passed\":false,\"rule\":"
		 "\"\\u001b[31m\\u009b2J\",\"line\":3,"
		 "\"value\":\"\\u202e\\r\\u0007\"}]",
		 "[{\"check\":\"origin\",\"passed\":false,\"rule\":"
		 "\"\\\\x1b[31m\\\\xc2\\\\x9b2J\",\"line\":3,"
		 "\"value\":\"\\\\xe2\\\\x80\\\\xae\\\\x0d\\\\x07\"}]"},
		{"[{\"check\":\"host\",\"passed\":true,\"rule\":\"*\","
		 "\"line\":0,\"value\":null}]",
		 "[{\"check\":\"host\",\"passed\":true,\"rule\":\"*\","
		 "\"line\":0,\"value\":null}]"},
		{"{\"check\":\"\\u001b\"}", "[]"},
		{"[{\"check\":", "[]"},
	};
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 10);
	struct gate_lookup *r;
	struct gate_story s = story_of(1);
	char sql[500];

	gate_journal_add(j, &s);
	gate_journal_close(j);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(sql, sizeof(sql), "UPDATE refusals SET trace = '%s'",
			 cases[i].written);
		run_sql(&p, sql);
		r = read_journal(&p);
		assert_int_equal(gate_lookup_search(r, &any, 1, keep_story, &s),
				 1);
		assert_string_equal(s.trace, cases[i].read);
		gate_lookup_close(r);
	}
	remove_place(&p);
}

TEST("what would be run is no journal, for reading and for writing")
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{"CREATE VIEW \"a\x1b[31m\" AS SELECT 1",
		 "a view in it, a\\x1b[31m, and sesame makes none"},
		{"CREATE TRIGGER t AFTER INSERT ON runs BEGIN "
		 "DELETE FROM runs; END",
		 "a trigger in it, t, and"},
		{"PRAGMA writable_schema=ON;"
		 "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, "
		 "'CREATE VIRTUAL TABLE v USING fts5(a)')",
		 "a virtual table in it, v, and"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct place p = new_place();
		char text[512] = "";

		gate_journal_close(open_journal(&p, 10));
		run_sql(&p, cases[i].sql);
		assert_null(gate_lookup_open(p.file, text, sizeof(text)));
		assert_non_null(strstr(text, cases[i].says));
		text[0] = '\0';
		assert_null(gate_journal_open(p.file, 10, 0, text, sizeof(text)));
		assert_non_null(strstr(text, cases[i].says));
		assert_non_null(strstr(text, "move it away"));
		remove_place(&p);
	}
}

TEST("a trigger that is made while it is written does nothing")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 10);
	struct gate_lookup *r;
	struct gate_story s = story_of(1);

	run_sql(&p, "CREATE TRIGGER t AFTER INSERT ON refusals BEGIN "
		    "DELETE FROM refusals; END");
	assert_true(gate_journal_add(j, &s));
	gate_journal_close(j);
	run_sql(&p, "DROP TRIGGER t");
	r = read_journal(&p);
	assert_int_equal(gate_lookup_find(r, s.reference, &s), 1);
	gate_lookup_close(r);
	remove_place(&p);
}

TEST("after the last number there is no row is written")
{
	struct place p = new_place();
	char text[512] = "";

	gate_journal_close(open_journal(&p, 10));
	run_sql(&p, "INSERT INTO refusals (id) VALUES (9223372036854775807)");
	assert_null(gate_journal_open(p.file, 10, 0, text, sizeof(text)));
	assert_non_null(strstr(text, "a number that sesame never gives"));
	run_sql(&p, "DELETE FROM refusals;"
		    "INSERT INTO runs (id) VALUES (9223372036854775807)");
	assert_null(gate_journal_open(p.file, 10, 0, text, sizeof(text)));
	remove_place(&p);
}

TEST("a row of megabytes is not read, and that is said")
{
	struct place p = new_place();
	struct gate_lookup *r;
	struct gate_story s;

	gate_journal_close(open_journal(&p, 10));
	run_sql(&p, "INSERT INTO refusals (note) VALUES (zeroblob(2000000))");
	r = read_journal(&p);
	assert_true(gate_lookup_search(r, &any, 1, keep_story, &s) < 0);
	assert_non_null(strstr(gate_lookup_error(r), "too big"));
	gate_lookup_close(r);
	remove_place(&p);
}

TEST("the journal's place is the state directory of whoever runs it")
{
	char file[4096];

	setenv("STATE_DIRECTORY", "/state/sesame", 1);
	assert_true(gate_journal_default_file(file, sizeof(file)));
	assert_string_equal(file, "/state/sesame/journal.db");
	setenv("STATE_DIRECTORY", "/state/first:/state/second", 1);
	assert_true(gate_journal_default_file(file, sizeof(file)));
	assert_string_equal(file, "/state/first/journal.db");
	unsetenv("STATE_DIRECTORY");
	assert_true(gate_journal_default_file(file, sizeof(file)));
	assert_non_null(strstr(file, "sesame/journal.db"));
	assert_false(gate_journal_default_file(file, 4));
}

#define CROWD  4
#define KNOCKS 3000

struct worker {
	struct gate_journal *journal;
	unsigned number;
	uint64_t kept, left_out, let_in;
};

/* As a worker does: refusals of a few kinds, admissions of a few more. */
static void *knock(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < KNOCKS; i++) {
		struct gate_story s = story_of(w->number * KNOCKS + i);
		struct gate_journal_health health;
		uint64_t key = 1000 + i % 7;

		if (!gate_journal_wants(w->journal, i % 5, WHY_ACCESS_ORIGIN,
					1000 + i))
			w->left_out++;
		else if (gate_journal_add(w->journal, &s))
			w->kept++;
		else
			w->left_out++;
		strcpy(s.cause, "ok");
		s.count = 1;
		if (!gate_journal_counts(w->journal, key, s.time_ms))
			gate_journal_admit(w->journal, key, &s);
		if (i % 500 == 0)
			gate_journal_health(w->journal, &health);
	}
	return NULL;
}

static void add_up(void *user, const struct gate_story *story)
{
	*(uint64_t *)user += (uint64_t)story->count;
}

TEST("a crowd of workers loses no count between them")
{
	struct place p = new_place();
	struct gate_journal *j = open_journal(&p, 100000);
	struct worker workers[CROWD];
	struct gate_lookup_state found;
	uint64_t kept = 0, left_out = 0, let_in = 0;
	pthread_t thread[CROWD];
	struct gate_lookup *r;

	for (unsigned i = 0; i < CROWD; i++) {
		workers[i] = (struct worker){.journal = j, .number = i};
		assert_int_equal(
			pthread_create(&thread[i], NULL, knock, &workers[i]), 0);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		pthread_join(thread[i], NULL);
		kept += workers[i].kept;
		left_out += workers[i].left_out;
	}
	gate_journal_close(j);
	r = read_journal(&p);
	gate_lookup_state(r, &found);
	assert_int_equal(kept + left_out, CROWD * KNOCKS);
	assert_int_equal(found.refusals, kept);
	assert_int_equal(found.sampled + found.busy, left_out);
	assert_int_equal(found.admitted, 7);
	assert_int_equal(gate_lookup_admitted(r, add_up, &let_in), 7);
	/* Those that came in the moment between two of one new kind as well. */
	assert_true(let_in <= CROWD * KNOCKS && let_in + 200 >= CROWD * KNOCKS);
	assert_false(found.killed);
	gate_lookup_close(r);
	remove_place(&p);
}

TEST("what has no column yet gets it, and what is there stays")
{
	struct place p = new_place();
	struct gate_story s = story_of(7), back;
	struct gate_journal *j = open_journal(&p, 10);
	struct gate_lookup *r;

	assert_true(gate_journal_add(j, &s));
	gate_journal_close(j);
	run_sql(&p, "ALTER TABLE refusals DROP COLUMN hops;"
		    "ALTER TABLE refusals DROP COLUMN method;"
		    "DROP TABLE admitted; DROP TABLE omitted; DROP TABLE runs;"
		    "PRAGMA user_version=1;");
	for (int i = 0; i < 2; i++) {
		r = read_journal(&p);
		assert_int_equal(gate_lookup_find(r, s.reference, &back), 1);
		assert_memory_equal(&s, &back, sizeof(s));
		gate_lookup_close(r);
		gate_journal_close(open_journal(&p, 10)); /* migrates */
	}
	remove_place(&p);
}
