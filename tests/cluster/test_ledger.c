/* SPDX-License-Identifier: MIT */
/* The book that a cluster is judged by: it has to see what went wrong. */
#include "cluster/ledger.h"

#include <stdio.h>

#include "test.h"

static struct ledger *book;
static struct ledger_reader *reader, *other;

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

/* ---- What happens, in words ---- */

/*
 * Of the reader that was there before all:
 *
 *     A2:0        it hears what stands at place 0 as number 2 of epoch A
 *     A2-A4(3)    a gap of 3, from A2 to A4; "gap": one of unknown size
 *
 * The same behind a star is of the other reader, which comes with @A2, the id
 * in its welcome. And of all:
 *
 *     say         the publisher says one more
 *     0=A1  0=no  what stands at place 0 is acked, or refused
 *     0-4         these five are acked as A1 to A5, and heard
 *     keep, loss  Redis forgets, from keep on, or all
 */

static struct ledger_id id_of(char epoch, unsigned long long seq)
{
	struct ledger_id id = {"", seq};

	memset(id.epoch, epoch - 'A' + 'a', sizeof(id.epoch) - 1);
	return id;
}

static void acked_and_heard(unsigned from, unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		struct ledger_id id = id_of('A', i + 1);

		ledger_ack(book, 0, i, &id);
		ledger_hear(reader, &id, i);
	}
}

static bool happens_to_reader(struct ledger_reader *r, const char *word)
{
	static const struct ledger_id none = {"", 0};
	unsigned long long seq, last;
	struct ledger_id from, to;
	unsigned n;
	char e, f;

	if (strcmp(word, "gap") == 0) {
		ledger_gap(r, &none, &none, -1);
	} else if (sscanf(word, "%c%llu:%u", &e, &seq, &n) == 3) {
		from = id_of(e, seq);
		ledger_hear(r, &from, n);
	} else if (sscanf(word, "%c%llu-%c%llu(%u)", &e, &seq, &f, &last, &n) ==
		   5) {
		from = id_of(e, seq);
		to = id_of(f, last);
		ledger_gap(r, &from, &to, n);
	} else {
		return false;
	}
	return true;
}

static bool happens_to_all(const char *word)
{
	unsigned long long seq;
	unsigned n, last;
	struct ledger_id id;
	char e;

	if (strcmp(word, "say") == 0) {
		ledger_say(book, 0, 7, 0);
	} else if (strcmp(word, "keep") == 0) {
		ledger_keep(book);
	} else if (strcmp(word, "loss") == 0) {
		ledger_loss(book);
	} else if (sscanf(word, "@%c%llu", &e, &seq) == 2) {
		id = id_of(e, seq);
		other = ledger_reader(book, 0);
		ledger_welcome(other, &id, false);
	} else if (sscanf(word, "%u=%c%llu", &n, &e, &seq) == 3) {
		id = id_of(e, seq);
		ledger_ack(book, 0, n, &id);
	} else if (sscanf(word, "%u=n%c", &n, &e) == 2) {
		ledger_refuse(book, 0, n);
	} else if (sscanf(word, "%u-%u", &n, &last) == 2) {
		acked_and_heard(n, last);
	} else {
		return false;
	}
	return true;
}

static void happen(const char *words)
{
	char text[200], *rest = text, *word;

	snprintf(text, sizeof(text), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (!happens_to_all(word) &&
		    !(word[0] == '*' ? happens_to_reader(other, word + 1)
				     : happens_to_reader(reader, word)))
			fail_msg("%s: nothing that happens", word);
}

/* Publisher 7 has said @n messages; a reader was there before. */
static void begin(unsigned n, bool holds_all)
{
	struct ledger_id first = id_of('A', 0);

	book = ledger_new(1, NULL);
	if (holds_all)
		ledger_holds_all(book, 0);
	reader = ledger_reader(book, 0);
	ledger_welcome(reader, &first, false);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(ledger_say(book, 0, 7, 0), i);
}

static void judge(unsigned said, const char *words, const char *expected)
{
	begin(said, true);
	happen(words);
	end(expected);
}

/* Five were accepted in a channel that holds little; the first was heard. */
static void judge_shallow(const char *words, const char *expected)
{
	begin(5, false);
	happen("0=A1 1=A2 2=A3 3=A4 4=A5 A1:0");
	happen(words);
	end(expected);
}

#define MISSING "an accepted message never came, and no gap covers it"

/* ---- Its judgement ---- */

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
	judge(5, "0-4", "");
}

TEST("what was neither acked nor heard may be missing, or come")
{
	judge(3, "A1:1", "");
}

TEST("an acked message that never comes is seen")
{
	judge(3, "0-1 2=A3", MISSING);
}

TEST("what one client heard and another one did not is seen, acked or not")
{
	judge(2, "@A0 say 0-1 *A1:0 *A2:1 A3:2", MISSING);
}

TEST("a message that comes twice is seen, by its number or another one")
{
	judge(3, "0-2 A3:2",
	      "a message came twice to a client; a number came again or too "
	      "late");
	judge(3, "0-2 A4:1",
	      "a message came twice to a client; a message has two numbers; "
	      "messages of one publisher changed places");
}

TEST("messages that change places are seen")
{
	judge(3, "0=A2 1=A1 A1:1 A2:0",
	      "messages of one publisher changed places");
	judge(2, "A2:1 A1:0",
	      "a number came again or too late; "
	      "numbers are missing without a gap");
}

TEST("what was never acked may come behind what its publisher said later")
{
	begin(1, true);
	ledger_say(book, 0, 7, 1);
	happen("1=A1 A1:1 A2:0");
	end("");
}

TEST("a hole is seen even where nobody knows of a message in it")
{
	judge(2, "A1:0 A3:1", "numbers are missing without a gap");
}

TEST("an id that stands for two messages is seen")
{
	begin(0, true);
	happen("@A0 say");
	ledger_say(book, 0, 8, 0);
	happen("A1:0 *A1:1 A2:1 *A2:0");
	end("an id stands for two messages");
}

TEST("a message with another number than that of its ack is seen")
{
	judge(2, "0-0 1=A3 A2:1", "a message has two numbers");
}

TEST("a refused message that comes is seen, whichever is first")
{
	judge(1, "0=no A1:0", "a message came that was refused");
	judge(1, "A1:0 0=no", "a message came that was refused");
}

TEST("what nobody said is seen")
{
	judge(1, "0-0 A2:4294967295", "a message came that nobody sent");
	judge(1, "0=A18446744073709551615",
	      MISSING "; a message came that nobody sent");
}

TEST("a gap covers exactly what it names")
{
	judge_shallow("A2-A4(3) A5:4", "");
	judge_shallow("A2-A3(2) A5:4",
		      "numbers are missing without a gap; " MISSING);
	judge_shallow("A2-A4(2) A5:4",
		      "a gap is told where there is none, or another one");
	judge_shallow(
		"A3-A4(2) A5:4",
		"a gap is told where there is none, or another one; " MISSING);
}

TEST("where all is held no gap with a number is right")
{
	judge(2, "0=A1 1=A2 A1-A1(1) A2:1",
	      "a gap is told where there is none, or another one");
}

TEST("another epoch without a gap is seen, and a gap without another epoch")
{
	judge(2, "0-0 B2:1", "another epoch without a gap");
	judge(2, "0-0 gap A2:1", "an unknown gap within an epoch");
}

TEST("an epoch that goes on after another one leaves nothing out")
{
	judge(3, "0-0 1=A2 gap B2:1 B3:2", "");
	judge(3, "0-0 1=A2 gap B3:2", MISSING);
}

TEST("after a loss what was accepted before it may be missing, not later ones")
{
	begin(3, true);
	happen("0-0 1=A2 loss gap 2=B1 B1:2");
	assert_int_equal(ledger_close(book), 0);
	assert_int_equal(ledger_counts(book)->lost, 1);
	end("");

	judge(3, "0-0 loss gap 1=B1 2=B2 B2:2", MISSING);
}

TEST("what was known before what was kept may not be missing, later ones may")
{
	judge(3, "0-0 1=A2 keep loss gap 2=B3 B3:2", MISSING);
	judge(4, "0-1 keep 2=A3 loss gap 3=B3 B3:3", "");
	judge(4, "0-1 keep 2=A3 loss 3=B3 gap B3:3 keep loss", "");
	judge(1, "A1:0 keep loss gap B2:0",
	      "a message came twice to a client; a message has two numbers");
	judge(1, "keep A1:0 loss gap B2:0", "");
}

TEST("a loss that nobody is told of is seen")
{
	judge(2, "0=A1 loss", MISSING);
}

TEST("only what was lost before its ack may come again, behind a gap")
{
	begin(2, true);
	happen("A1:0 loss gap B1:1 B2:0 0=B2");
	assert_int_equal(ledger_counts(book)->repeats, 1);
	end("messages of one publisher changed places");

	judge(1, "0-0 loss gap B2:0",
	      "a message came twice to a client; a message has two numbers");
}

TEST("what comes again behind a loss comes again to all")
{
	judge(0, "@A0 say A2:0 *A2:0 loss gap *gap B1:0 0=B1 *B1:0",
	      "numbers are missing without a gap");
}

TEST("who joins late is owed what is said from then on")
{
	judge(2, "0-1 @A2 say 2-2 *A3:2", "");
}
