/* SPDX-License-Identifier: MIT */
/*
 * A journal as it may be found: damaged, of another version, or made by
 * somebody who wants to be read by `sesame why`. Whatever the file holds, texts
 * come out whole and fit for a terminal.
 */
#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/json.h"
#include "gate/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
	char shown[65536];

	assert(strnlen(text, room) < room && room <= sizeof(shown));
	bytes_printable(bytes_of_str(text), shown, sizeof(shown));
	assert(strcmp(text, shown) == 0);
}

/* As those who show them find them: taken out of their JSON. */
static void check_looks(const struct gate_story *s)
{
	static const char *const names[] = {"check", "rule", "value"};
	json_t *trace = gate_json_load(s->trace), *look;
	size_t i;

	assert(json_is_array(trace));
	json_array_foreach(trace, i, look)
	{
		for (size_t n = 0; n < 3; n++) {
			json_t *text = json_object_get(look, names[n]);

			if (!json_is_null(text))
				check_text(json_string_value(text), 160);
		}
	}
	json_decref(trace);
}

#define CHECK(field) check_text(s->field, sizeof(s->field))

static void on_story(void *user, const struct gate_story *s)
{
	struct ses_buf advice;
	char *json;

	CHECK(reference);
	CHECK(cause);
	CHECK(method);
	CHECK(target);
	CHECK(host);
	CHECK(origin);
	CHECK(user_agent);
	CHECK(protocols);
	CHECK(address);
	CHECK(hops);
	CHECK(listener);
	CHECK(credential);
	CHECK(fault);
	CHECK(subject);
	CHECK(certificate);
	CHECK(route);
	CHECK(upstream);
	CHECK(check);
	CHECK(rule);
	CHECK(file);
	CHECK(whole_file);
	CHECK(compared);
	CHECK(nearest);
	CHECK(note);
	CHECK(trace);
	check_looks(s);
	gate_story_verb(s);
	gate_story_has_no_credentials(s);
	json = gate_story_json(s, false);
	check_text(json, 65536);
	free(json);
	ses_buf_init(&advice, 65536);
	gate_story_advise(s, &advice);
	ses_buf_fini(&advice);
}

static void on_top(void *user, const struct gate_top_row *row)
{
	check_text(row->value, sizeof(row->value));
	check_text(row->reference, sizeof(row->reference));
}

static void on_omitted(void *user, const char *cause, const char *why,
		       uint64_t n)
{
	check_text(cause, 60);
	check_text(why, 20);
}

static void look_through(struct gate_lookup *l)
{
	struct gate_search all = {0}, some = {.since_ms = 1,
					      .origin = "*e*",
					      .route = "/*",
					      .cause = "access",
					      .address = "10.0.0.0/8"};
	struct gate_lookup_state state;
	struct gate_story story;

	gate_lookup_search(l, &all, 20, on_story, NULL);
	gate_lookup_search(l, &some, 20, on_story, NULL);
	gate_lookup_admitted(l, on_story, NULL);
	if (gate_lookup_find(l, "0000-0001", &story) > 0)
		on_story(NULL, &story);
	for (int top = 0; top < GATE_N_TOPS; top++)
		gate_lookup_top(l, &all, (enum gate_top)top, 5, on_top, NULL);
	gate_lookup_state(l, &state);
	gate_lookup_omitted(l, on_omitted, NULL);
	check_text(gate_lookup_error(l), 512);
}

/* SQLite wants a name to open, and has files of its own beside it. */
static char folder[] = "/tmp/sesame-fuzz-journal-XXXXXX";
static char file[sizeof(folder) + 16];

static void remove_files(void)
{
	char name[sizeof(file) + 8];
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", file, ends[i]);
		unlink(name);
	}
}

static void remove_folder(void)
{
	remove_files();
	rmdir(folder);
}

/* Else nothing would be looked through, and nobody would know. */
static void prove_readable(void)
{
	struct gate_lookup *l;
	char text[512] = "";
	sqlite3 *db;

	assert(sqlite3_open(file, &db) == SQLITE_OK);
	assert(sqlite3_exec(db, "CREATE TABLE refusals (id, reference)", NULL,
			    NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
	l = gate_lookup_open(file, text, sizeof(text));
	assert(l);
	gate_lookup_close(l);
	remove_files();
}

static void make_folder(void)
{
	if (file[0])
		return;
	if (!mkdtemp(folder))
		abort();
	atexit(remove_folder);
	snprintf(file, sizeof(file), "%s/journal", folder);
	prove_readable();
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512] = "";
	struct gate_lookup *l;

	make_folder();
	write_file(data, size);
	l = gate_lookup_open(file, text, sizeof(text));
	check_text(text, sizeof(text));
	assert(l || text[0]);
	if (l)
		look_through(l);
	gate_lookup_close(l);
	remove_files();
	return 0;
}
