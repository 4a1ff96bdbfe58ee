/* SPDX-License-Identifier: MIT */
/*
 * crowd [option...] HOST:PORT...: publishes and reads at these nodes until it
 * is told to end, and says whether what docs/delivery.md promises was kept.
 * Lines on standard input, each answered by "ok":
 *
 *   keep            what is known by now outlives the next loss
 *   loss            all that was held until now, but for that, is gone
 *   move NODE       who is at that node goes elsewhere
 *   leave PERCENT MS, slow PERCENT MS
 *                   so many go away, or do not read, for about so long
 *   end             say no more, hear all, report
 *
 * Lines on standard output: "go" once all have joined, "stat ..." a few times a
 * second, a "fault ..." for each of the first ones, and a "verdict {...}".
 */
#include "cluster/crowd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS	   10
#define STAT_MS	   100
#define END_MS	   60000 /* to come to the end */
#define ANSWERS_MS 20000 /* for what was said last to be answered */

static struct crowd crowd = {
	.n_channels = 16,
	.n_readers = 4,
	.n_publishers = 1,
	.n_posters = 4,
	.rate = 2000,
	.post_rate = 50,
	.seed = 1,
	.token = "",
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* ---- What all of it agrees about ---- */

bool crowd_holds_all(unsigned channel)
{
	return channel % 4 != 3;
}

void crowd_path(unsigned channel, char path[32])
{
	snprintf(path, 32, "/%s/c%u",
		 crowd_holds_all(channel) ? "deep" : "shallow", channel);
}

/* Its length differs, and so does what it is made of. */
int crowd_payload(char *out, size_t size, unsigned channel, uint32_t place)
{
	static const char filling[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"
		"Z";
	unsigned from = (place * 7 + channel) % 40, n = place * 13 % 80;

	return snprintf(out, size, "%u of %u %.*s", place, channel, (int)n,
			filling + from);
}

uint32_t crowd_random(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)((*state >> 33) % n) : 0;
}

/* ---- Output ---- */

static void tell_fault(const char *line)
{
	printf("fault %s\n", line);
	fflush(stdout);
}

static void tell_stat(void)
{
	const struct ledger_counts *c = ledger_counts(crowd.ledger);

	printf("stat acked=%" PRIu64 " heard=%" PRIu64 " open=%u waiting=%u\n",
	       c->acked, c->heard, crowd_members_open(&crowd),
	       crowd_members_waiting(&crowd));
	fflush(stdout);
}

static int tell_verdict(void)
{
	const struct ledger_counts *c = ledger_counts(crowd.ledger);
	const struct crowd_figures *f = &crowd.figures;
	uint64_t faults = ledger_close(crowd.ledger);

	printf("verdict {\"said\": %" PRIu64 ", \"acked\": %" PRIu64
	       ", \"refused\": %" PRIu64 ", \"unknown\": %" PRIu64
	       ", \"heard\": %" PRIu64 ", \"gaps\": %" PRIu64
	       ", \"missing\": %" PRIu64 ", \"unknown_gaps\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"repeats\": %" PRIu64
	       ", \"epochs\": %" PRIu64 ", \"losses\": %" PRIu64,
	       c->said, c->acked, c->refused, c->unknown, c->heard, c->gaps,
	       c->missing, c->unknown_gaps, c->lost, c->repeats, c->epochs,
	       c->losses);
	printf(", \"opened\": %" PRIu64 ", \"resumed\": %" PRIu64
	       ", \"not_let_in\": %" PRIu64 ", \"broken\": %" PRIu64
	       ", \"errors\": %" PRIu64 ", \"retries\": %" PRIu64
	       ", \"slowest_ms\": %" PRIu64 ", \"faults\": {",
	       f->opened, f->resumed, f->refused, f->broken, f->errors,
	       f->retries, f->slowest_ms);
	for (unsigned i = 0, n = 0; i < LEDGER_FAULTS; i++)
		if (c->faults[i])
			printf("%s\"%s\": %" PRIu64, n++ ? ", " : "",
			       ledger_fault_text(i), c->faults[i]);
	printf("}}\n");
	fflush(stdout);
	return faults ? 1 : 0;
}

/* ---- Input ---- */

static bool ends;

static void obey(const char *line)
{
	unsigned a, b;

	pthread_mutex_lock(&crowd.lock);
	if (!strcmp(line, "keep"))
		ledger_keep(crowd.ledger);
	if (!strcmp(line, "loss"))
		ledger_loss(crowd.ledger);
	pthread_mutex_unlock(&crowd.lock);
	if (sscanf(line, "move %u", &a) == 1)
		crowd_members_leave(&crowd, (int)a, 0, 0);
	else if (sscanf(line, "leave %u %u", &a, &b) == 2)
		crowd_members_leave(&crowd, -1, a, b);
	else if (sscanf(line, "slow %u %u", &a, &b) == 2)
		crowd_members_slow(&crowd, a, b);
	else if (!strcmp(line, "end"))
		ends = true;
	printf("ok\n");
	fflush(stdout);
}

static void on_input(void *user)
{
	struct sesame_watch **watch = user;
	static char text[4096];
	static size_t len;
	ssize_t n = read(0, text + len, sizeof(text) - 1 - len);
	char *end;

	if (n <= 0) {
		/* Whoever told us what to do is gone. */
		sesame_watch_stop(*watch);
		exit(3);
	}
	len += (size_t)n;
	text[len] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		obey(text);
		len -= (size_t)(end + 1 - text);
		memmove(text, end + 1, len + 1);
	}
}

/* ---- The story ---- */

static uint64_t turn(void)
{
	uint64_t before = sesame_loop_now_ms(crowd.loop);

	sesame_loop_turn(crowd.loop, TICK_MS);
	return sesame_loop_now_ms(crowd.loop) - before;
}

static void stat_now_and_then(void)
{
	static uint64_t next_ms;
	uint64_t now = sesame_loop_now_ms(crowd.loop);

	if (now < next_ms)
		return;
	next_ms = now + STAT_MS;
	tell_stat();
}

static void join_all(void)
{
	crowd_members_start(&crowd);
	while (crowd_members_joined(&crowd) < crowd.n_members)
		turn();
	printf("go\n");
	fflush(stdout);
}

static void talk(void)
{
	uint64_t debt = 0;

	crowd_posters_start(&crowd);
	while (!ends) {
		debt += turn();
		if (debt >= TICK_MS) {
			crowd_members_speak(&crowd, debt);
			debt = 0;
		}
		stat_now_and_then();
	}
	atomic_store(&crowd.ending, true);
}

/* What waits for an answer gets it or not; then the last is said. */
static void *say_last(void *user)
{
	uint32_t *places = user;

	for (unsigned i = 0; i < crowd.n_channels; i++)
		places[i] = crowd_post_last(&crowd, i);
	atomic_fetch_sub(&crowd.n_posting, 1);
	return NULL;
}

static void hear_all(void)
{
	uint32_t *places = calloc(crowd.n_channels, sizeof(uint32_t));
	uint64_t until = sesame_loop_now_ms(crowd.loop) + ANSWERS_MS;
	pthread_t thread;

	assert(places);
	while (atomic_load(&crowd.n_posting) ||
	       (crowd_members_waiting(&crowd) &&
		sesame_loop_now_ms(crowd.loop) < until))
		turn();
	crowd_posters_join(&crowd);
	atomic_store(&crowd.n_posting, 1);
	if (pthread_create(&thread, NULL, say_last, places))
		abort();
	while (atomic_load(&crowd.n_posting))
		turn();
	pthread_join(thread, NULL);
	until = sesame_loop_now_ms(crowd.loop) + END_MS;
	while (crowd_members_behind(&crowd, places, false) &&
	       sesame_loop_now_ms(crowd.loop) < until)
		turn();
	crowd_members_behind(&crowd, places, true);
	free(places);
}

static bool read_node(const char *text, struct crowd_node *node)
{
	if (sscanf(text, "%63[0-9.]:%d", node->host, &node->port) != 2)
		return false;
	node->addr.sin_family = AF_INET;
	node->addr.sin_port = htons((uint16_t)node->port);
	return inet_pton(AF_INET, node->host, &node->addr.sin_addr) == 1;
}

static void read_options(int argc, char **argv)
{
	static const struct {
		char letter;
		unsigned *number;
	} numbers[] = {
		{'c', &crowd.n_channels},   {'r', &crowd.n_readers},
		{'p', &crowd.n_publishers}, {'P', &crowd.n_posters},
		{'R', &crowd.rate},	    {'Q', &crowd.post_rate},
		{'s', &crowd.seed},
	};
	int c;

	while ((c = getopt(argc, argv, "c:r:p:P:R:Q:s:t:")) != -1) {
		if (c == '?')
			exit(2);
		if (c == 't')
			crowd.token = optarg;
		for (unsigned i = 0; i < 7; i++)
			if (numbers[i].letter == c)
				*numbers[i].number = (unsigned)atoi(optarg);
	}
	for (; optind < argc && crowd.n_nodes < CROWD_NODES; optind++)
		if (!read_node(argv[optind], &crowd.nodes[crowd.n_nodes++]))
			exit(2);
	if (!crowd.n_nodes || !crowd.n_channels)
		exit(2);
}

int main(int argc, char **argv)
{
	struct sesame_watch *watch;
	int r;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	crowd.loop = sesame_loop_new();
	crowd.ledger = ledger_new(crowd.n_channels, tell_fault);
	assert(crowd.loop);
	for (unsigned i = 0; i < crowd.n_channels; i++)
		if (crowd_holds_all(i))
			ledger_holds_all(crowd.ledger, i);
	watch = sesame_watch_start(crowd.loop, 0, on_input, &watch);
	assert(watch);
	join_all();
	talk();
	hear_all();
	r = tell_verdict();
	crowd_members_stop(&crowd);
	while (crowd_members_open(&crowd))
		turn();
	sesame_watch_stop(watch);
	ledger_free(crowd.ledger);
	free(crowd.members);
	return r;
}
