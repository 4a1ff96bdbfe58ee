/* SPDX-License-Identifier: MIT */
/*
 * The journal, an SQLite file with a ceiling: refusals, the kinds of handshakes
 * that were let in, and counts of what was left out. A thread of its own writes
 * it from a bounded queue, so the door never waits for a disk. When the file
 * cannot be written (a full disk, another program's lock, a file that somebody
 * removed) the gateway serves on; the journal says so once a minute and takes
 * up its work by itself when it can. Reading is in gate/lookup.h.
 */
#ifndef GATE_JOURNAL_H
#define GATE_JOURNAL_H

#include "gate/story.h"

#define GATE_JOURNAL_REST_MS 40 /* between two transactions */

struct gate_journal;

/*
 * The journal that a policy without a file has: see journal.file in
 * settings.def. False when no place is known (no home).
 */
bool gate_journal_default_file(char *out, size_t size);
/* Make the folders that @file is to be in, as far as they are missing. */
void gate_make_folders(const char *file);

/*
 * Open for writing and start the thread; folders are made. NULL: @text says
 * why. Where what is wrong may pass (a lock, a full disk) it is told on
 * standard error and tried again later. @max_bytes bounds the file, without
 * the log beside it (20 MB at most); 0: 64 MiB. The caller blocks the signals
 * that the thread is not to get.
 */
struct gate_journal *gate_journal_open(const char *file, uint64_t max_rows,
				       uint64_t max_bytes, char *text,
				       size_t text_size);
/*
 * Whether a refusal of @kind is to be kept: see gate/sampler.h. If not, one of
 * @cause is counted as left out. @now_ms is a clock that never goes back.
 */
bool gate_journal_wants(struct gate_journal *journal, uint64_t kind,
			enum why_cause cause, uint64_t now_ms);
/* Queue a copy of @story. Never waits. False: the queue is full. */
bool gate_journal_add(struct gate_journal *journal,
		      const struct gate_story *story);
/*
 * A handshake of the kind @key (not 0) was let in at @time_ms. True: it is
 * counted, nothing more to do. False: this kind is new, and its story is
 * wanted by gate_journal_admit().
 */
bool gate_journal_counts(struct gate_journal *journal, uint64_t key,
			 int64_t time_ms);
void gate_journal_admit(struct gate_journal *journal, uint64_t key,
			const struct gate_story *story);
/*
 * From now on @kept is told each refusal that was written, in the journal's
 * thread; NULL: nobody is, and after the call nobody is being told.
 */
void gate_journal_tell(struct gate_journal *journal,
		       void (*kept)(void *user, const struct gate_story *story),
		       void *user);
/* Write what is queued and close. NULL is fine. */
void gate_journal_close(struct gate_journal *journal);

/* How it is, for whoever looks after the gateway. */
struct gate_journal_health {
	bool written;	   /* nothing is wrong */
	char wrong[300];   /* else what, as it was told */
	uint64_t kept, left_out; /* since the start */
};

void gate_journal_health(struct gate_journal *journal,
			 struct gate_journal_health *ret_health);

#endif
