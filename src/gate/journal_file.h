/* SPDX-License-Identifier: MIT */
/*
 * The journal's file: its layout, made anew or brought up to date; whether the
 * file at its place is still the one that is open; and one batch, written in
 * one transaction. For the thread that writes the journal, and for nobody else.
 */
#ifndef GATE_JOURNAL_FILE_H
#define GATE_JOURNAL_FILE_H

#include <sys/types.h>

#include "gate/journal_db.h"
#include "gate/story.h"

#define GATE_JOURNAL_VERSION 4

struct gate_journal_file {
	sqlite3 *db; /* NULL: not open */
	sqlite3_stmt *refusal, *admitted, *recount, *omitted;
	int lock_fd; /* held while a gateway writes or tries; -1: not */
	dev_t device;
	ino_t inode, log_inode; /* log: 0 before there is one */
	int64_t run;   /* the row of this run */
	int log_pages; /* of the write-ahead log */
	uint64_t max_rows, max_bytes;
	char wrong[200];
};

/* What was not kept, and why. */
enum gate_omission {
	GATE_SAMPLED,  /* one of many alike */
	GATE_BUSY,     /* the queue was full */
	GATE_UNWRITTEN, /* the file could not be written */
	GATE_N_OMISSIONS
};

/* An admitted kind of handshake: it came @n more times. */
struct gate_recount {
	uint64_t key;
	int64_t last_ms;
	uint64_t n;
};

struct gate_batch_story {
	uint64_t key; /* of an admitted kind; 0: a refusal */
	struct gate_story story;
};

struct gate_batch {
	struct gate_batch_story *story;
	size_t n;
	const struct gate_recount *recount;
	size_t n_recounts;
	/* by cause, as added since the last batch */
	uint64_t (*omitted)[WHY_N_CAUSES];
	int64_t now_ms;
};

/*
 * Open @name, make or migrate what is there. 0, or -1: @text says why not, and
 * *ret_passing whether that may be over by itself.
 */
int gate_journal_file_open(struct gate_journal_file *file, const char *name,
			   char *text, size_t text_size, bool *ret_passing);
/* Whether @name is still what is open. */
bool gate_journal_file_is_there(const struct gate_journal_file *file,
				const char *name);
/*
 * Write @batch whole or not at all: SQLITE_OK or SQLite's code; then
 * file->wrong says why not.
 */
int gate_journal_file_write(struct gate_journal_file *file, const char *name,
			    const struct gate_batch *batch);
/*
 * Close what could not be written, to be opened again; its readers are to know
 * meanwhile that there is a gateway.
 */
void gate_journal_file_rest(struct gate_journal_file *file);
/* @ended: this run came to its end in order. */
void gate_journal_file_close(struct gate_journal_file *file, bool ended);

#endif
