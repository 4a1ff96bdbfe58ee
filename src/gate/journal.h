/* SPDX-License-Identifier: MIT */
/*
 * The journal of refusals, an SQLite file with a ceiling. A thread of its own
 * writes it from a bounded queue, so the door never waits for a disk: when the
 * queue is full, a story is left out and counted. Readers open the file
 * read-only, while it is being written too.
 */
#ifndef GATE_JOURNAL_H
#define GATE_JOURNAL_H

#include "gate/story.h"

struct gate_journal;

/*
 * The journal that a policy without a file has: see journal.file in
 * settings.def. False when no place is known (no home).
 */
bool gate_journal_default_file(char *out, size_t size);

/*
 * Open for writing and start the thread; folders are made. NULL: @text says
 * why. The caller blocks the signals that the thread is not to get.
 */
struct gate_journal *gate_journal_open(const char *file, uint64_t max_rows,
				       char *text, size_t text_size);
/* Queue a copy of @story. Never waits. False: the queue is full. */
bool gate_journal_add(struct gate_journal *journal,
		      const struct gate_story *story);
/* Whether gate_journal_add() would take one; else count one left out. */
bool gate_journal_has_room(struct gate_journal *journal);
/* Write what is queued and close. NULL is fine. */
void gate_journal_close(struct gate_journal *journal);

/* ---- Reading ---- */

struct gate_journal_reader;

/* NULL: @text says why. */
struct gate_journal_reader *gate_journal_read(const char *file, char *text,
					      size_t text_size);
void gate_journal_read_close(struct gate_journal_reader *reader);
/* Find a story: 1, 0 when there is none, or SESAME_ESYSTEM. */
int gate_journal_find(struct gate_journal_reader *reader, const char *reference,
		      struct gate_story *ret_story);
/* The latest @n stories, newest first. How many, or SESAME_ESYSTEM. */
int gate_journal_last(struct gate_journal_reader *reader, unsigned n,
		      void (*each)(void *user, const struct gate_story *story),
		      void *user);
/* Why the last call failed; until the next one. */
const char *gate_journal_error(struct gate_journal_reader *reader);
/* How many stories there are, and how many were left out under load. */
void gate_journal_count(struct gate_journal_reader *reader, uint64_t *ret_rows,
			uint64_t *ret_left_out);

#endif
