/* SPDX-License-Identifier: MIT */
/* The book that a cluster is judged by: it has to see what went wrong. */
#include "cluster/ledger.h"

#include <stdio.h>

#include "test.h"

static struct ledger *book;
static struct ledger_reader *reader;

#define A(seq) (&(struct ledger_id){"aaaaaaaa", (seq)})
#define B(seq) (&(struct ledger_id){"bbbbbbbb", (seq)})
#define NONE   (&(struct ledger_id){"", 0})

/* Publisher 7 has said @n messages; a reader was there before. */
static void begin(unsigned n)
{
	book = ledger_new(1, NULL);
	ledger_holds_all(book, 0);
	reader = ledger_reader(book, 0);
	ledger_welcome(reader, A(0), false);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(ledger_say(book, 0, 7, 0), i);
}

static void acked_and_heard(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		ledger_ack(book, 0, i, A(i + 1));
		ledger_hear(reader, A(i + 1), i);
	}
}

/* These faults, and no others. */
static void end(const char *expected)
{
	char found[400] = "";

	ledger_close(book);
	for (unsigned i = 0; i < LEDGER_FAULTS; i++)
		if (ledger_counts(book)->faults[i])
			snprintf(found + strlen(found), 200, "%s%s",
				 found[0] ? "; " : "", ledger_fault_text(i));
	assert_string_equal(found, expected);
	ledger_free(book);
}

TEST("ids are read, and what is none is not")
{
	struct ledger_id id;

	assert_true(ledger_read_id("k3m7t2ax-1207\"", &id));
	assert_string_equal(id.epoch, "k3m7t2ax");
	assert_int_equal(id.seq, 1207);
	assert_false(ledger_read_id("k3m7t2a-1207", &id));
	assert_false(ledger_read_id("k3m7t2ax-", &id));
	assert_false(ledger_read_id("", &id));
}

TEST("all that is acked and heard once and in order is right")
{
	begin(5);
	acked_and_heard(0, 5);
	end("");
}

TEST("what was neither acked nor heard may be missing, or come")
{
	begin(3);
	ledger_hear(reader, A(1), 1);
	end("");
}

TEST("an acked message that never comes is seen")
{
	begin(3);
	acked_and_heard(0, 2);
	ledger_ack(book, 0, 2, A(3));
	end("an accepted message never came, and no gap covers it");
}

TEST("what one client heard and another one did not is seen, acked or not")
{
	struct ledger_reader *other;

	begin(2);
	other = ledger_reader(book, 0);
	ledger_welcome(other, A(0), false);
	ledger_say(book, 0, 7, 0);
	acked_and_heard(0, 2);
	ledger_hear(other, A(1), 0);
	ledger_hear(other, A(2), 1);
	ledger_hear(reader, A(3), 2);
	end("an accepted message never came, and no gap covers it");
}

TEST("a message that comes twice is seen, by its number or another one")
{
	begin(3);
	acked_and_heard(0, 3);
	ledger_hear(reader, A(3), 2);
	end("a message came twice to a client; a number came again or too "
	    "late");

	begin(3);
	acked_and_heard(0, 3);
	ledger_hear(reader, A(4), 1);
	end("a message came twice to a client; a message has two numbers; "
	    "messages of one publisher changed places");
}

TEST("messages that change places are seen")
{
	begin(3);
	ledger_ack(book, 0, 0, A(2));
	ledger_ack(book, 0, 1, A(1));
	ledger_hear(reader, A(1), 1);
	ledger_hear(reader, A(2), 0);
	end("messages of one publisher changed places");

	begin(2);
	ledger_hear(reader, A(2), 1);
	ledger_hear(reader, A(1), 0);
	end("a number came again or too late; "
	    "numbers are missing without a gap");
}

TEST("what was never acked may come behind what its publisher said later")
{
	begin(1);
	ledger_say(book, 0, 7, 1);
	ledger_ack(book, 0, 1, A(1));
	ledger_hear(reader, A(1), 1);
	ledger_hear(reader, A(2), 0);
	end("");
}

TEST("a hole is seen even where nobody knows of a message in it")
{
	begin(2);
	ledger_hear(reader, A(1), 0);
	ledger_hear(reader, A(3), 1);
	end("numbers are missing without a gap");
}

TEST("an id that stands for two messages is seen")
{
	struct ledger_reader *other;

	begin(0);
	other = ledger_reader(book, 0);
	ledger_welcome(other, A(0), false);
	ledger_say(book, 0, 7, 0);
	ledger_say(book, 0, 8, 0);
	ledger_hear(reader, A(1), 0);
	ledger_hear(other, A(1), 1);
	ledger_hear(reader, A(2), 1);
	ledger_hear(other, A(2), 0);
	end("an id stands for two messages");
}

TEST("a message with another number than that of its ack is seen")
{
	begin(2);
	acked_and_heard(0, 1);
	ledger_ack(book, 0, 1, A(3));
	ledger_hear(reader, A(2), 1);
	end("a message has two numbers");
}

TEST("a refused message that comes is seen, whichever is first")
{
	begin(1);
	ledger_refuse(book, 0, 0);
	ledger_hear(reader, A(1), 0);
	end("a message came that was refused");

	begin(1);
	ledger_hear(reader, A(1), 0);
	ledger_refuse(book, 0, 0);
	end("a message came that was refused");
}

TEST("what nobody said is seen")
{
	begin(1);
	acked_and_heard(0, 1);
	ledger_hear(reader, A(2), UINT32_MAX);
	end("a message came that nobody sent");

	begin(1);
	ledger_ack(book, 0, 0, A(UINT64_MAX));
	end("an accepted message never came, and no gap covers it; "
	    "a message came that nobody sent");
}

/* The reader of a channel that holds little. */
static void begin_shallow(unsigned n)
{
	book = ledger_new(1, NULL);
	reader = ledger_reader(book, 0);
	ledger_welcome(reader, A(0), false);
	for (unsigned i = 0; i < n; i++) {
		ledger_say(book, 0, 7, 0);
		ledger_ack(book, 0, i, A(i + 1));
	}
	ledger_hear(reader, A(1), 0);
}

TEST("a gap covers exactly what it names")
{
	begin_shallow(5);
	ledger_gap(reader, A(2), A(4), 3);
	ledger_hear(reader, A(5), 4);
	end("");

	begin_shallow(5);
	ledger_gap(reader, A(2), A(3), 2);
	ledger_hear(reader, A(5), 4);
	end("numbers are missing without a gap; "
	    "an accepted message never came, and no gap covers it");

	begin_shallow(5);
	ledger_gap(reader, A(2), A(4), 2);
	ledger_hear(reader, A(5), 4);
	end("a gap is told where there is none, or another one");

	begin_shallow(5);
	ledger_gap(reader, A(3), A(4), 2);
	ledger_hear(reader, A(5), 4);
	end("a gap is told where there is none, or another one; "
	    "an accepted message never came, and no gap covers it");
}

TEST("where all is held no gap with a number is right")
{
	begin(2);
	ledger_ack(book, 0, 0, A(1));
	ledger_ack(book, 0, 1, A(2));
	ledger_gap(reader, A(1), A(1), 1);
	ledger_hear(reader, A(2), 1);
	end("a gap is told where there is none, or another one");
}

TEST("another epoch without a gap is seen, and a gap without another epoch")
{
	begin(2);
	acked_and_heard(0, 1);
	ledger_hear(reader, B(2), 1);
	end("another epoch without a gap");

	begin(2);
	acked_and_heard(0, 1);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_hear(reader, A(2), 1);
	end("an unknown gap within an epoch");
}

TEST("an epoch that goes on after another one leaves nothing out")
{
	begin(3);
	acked_and_heard(0, 1);
	ledger_ack(book, 0, 1, A(2));
	ledger_gap(reader, NONE, NONE, -1);
	ledger_hear(reader, B(2), 1);
	ledger_hear(reader, B(3), 2);
	end("");

	begin(3);
	acked_and_heard(0, 1);
	ledger_ack(book, 0, 1, A(2));
	ledger_gap(reader, NONE, NONE, -1);
	ledger_hear(reader, B(3), 2);
	end("an accepted message never came, and no gap covers it");
}

TEST("after a loss what was accepted before it may be missing, not later ones")
{
	begin(3);
	acked_and_heard(0, 1);
	ledger_ack(book, 0, 1, A(2));
	ledger_loss(book);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_ack(book, 0, 2, B(1));
	ledger_hear(reader, B(1), 2);
	assert_int_equal(ledger_close(book), 0);
	assert_int_equal(ledger_counts(book)->lost, 1);
	end("");

	begin(3);
	acked_and_heard(0, 1);
	ledger_loss(book);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_ack(book, 0, 1, B(1));
	ledger_ack(book, 0, 2, B(2));
	ledger_hear(reader, B(2), 2);
	end("an accepted message never came, and no gap covers it");
}

TEST("a loss that nobody is told of is seen")
{
	begin(2);
	ledger_ack(book, 0, 0, A(1));
	ledger_loss(book);
	end("an accepted message never came, and no gap covers it");
}

TEST("only what was lost before its ack may come again, behind a gap")
{
	begin(2);
	ledger_hear(reader, A(1), 0);
	ledger_loss(book);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_hear(reader, B(1), 1);
	ledger_hear(reader, B(2), 0);
	ledger_ack(book, 0, 0, B(2));
	assert_int_equal(ledger_counts(book)->repeats, 1);
	end("messages of one publisher changed places");

	begin(1);
	acked_and_heard(0, 1);
	ledger_loss(book);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_hear(reader, B(2), 0);
	end("a message came twice to a client; a message has two numbers");
}

TEST("what comes again behind a loss comes again to all")
{
	struct ledger_reader *other;

	begin(0);
	other = ledger_reader(book, 0);
	ledger_welcome(other, A(0), false);
	ledger_say(book, 0, 7, 0);
	ledger_hear(reader, A(2), 0);
	ledger_hear(other, A(2), 0);
	ledger_loss(book);
	ledger_gap(reader, NONE, NONE, -1);
	ledger_gap(other, NONE, NONE, -1);
	ledger_hear(reader, B(1), 0);
	ledger_ack(book, 0, 0, B(1));
	ledger_hear(other, B(1), 0);
	end("numbers are missing without a gap");
}

TEST("who joins late is owed what is said from then on")
{
	struct ledger_reader *late;

	begin(2);
	acked_and_heard(0, 2);
	late = ledger_reader(book, 0);
	ledger_welcome(late, A(2), false);
	ledger_say(book, 0, 7, 0);
	acked_and_heard(2, 3);
	ledger_hear(late, A(3), 2);
	end("");
}
