/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without a fuzzer: over files and folders of seeds, so that
 * no past finding comes back, and then over as many changes of these seeds as
 * "-n NUMBER" says. They come from a generator that begins the same every time,
 * so what fails once fails again; the input at work is written down before an
 * abort ends the program.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES (1 << 20)
#define MOST_SEEDS 1024
#define MOST_EDITS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
	uint8_t *data;
	size_t len;
};

static struct seed seeds[MOST_SEEDS];
static size_t n_seeds;

/* What is being tried, for the handler of the abort. */
static const uint8_t *at_work;
static size_t at_work_len;

static void try_one(const uint8_t *data, size_t len)
{
	/* An exact copy, so that ASan sees a read past its end. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	at_work = copy;
	at_work_len = len;
	LLVMFuzzerTestOneInput(copy, len);
	at_work_len = 0;
	free(copy);
}

/* ---- Seeds ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool keep_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct seed *seed = &seeds[n_seeds];

	if (!f || n_seeds == MOST_SEEDS)
		return false;
	seed->data = malloc(MOST_BYTES);
	seed->len = fread(seed->data, 1, MOST_BYTES, f);
	seed->data = realloc(seed->data, seed->len ? seed->len : 1);
	n_seeds++;
	fclose(f);
	return true;
}

/* In the order of their names, which is the same everywhere. */
static void keep(const char *path)
{
	struct dirent **entry;
	struct stat st;
	char child[4096];
	int n;

	if (stat(path, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		keep_file(path);
		return;
	}
	n = scandir(path, &entry, NULL, by_name);
	for (int i = 0; i < n; i++) {
		snprintf(child, sizeof(child), "%s/%s", path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			keep(child);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

/* ---- Changes ---- */

static uint64_t state = 0x9e3779b97f4a7c15;

static size_t below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (size_t)(state >> 11) % n : 0;
}

/* Put @n bytes from @from in the place of @gone bytes at @at. */
static void put_in(struct seed *s, size_t at, size_t gone, const uint8_t *from,
		   size_t n)
{
	gone = gone < s->len - at ? gone : s->len - at;
	if (s->len - gone + n > MOST_BYTES)
		return;
	memmove(s->data + at + n, s->data + at + gone, s->len - at - gone);
	memmove(s->data + at, from, n);
	s->len = s->len - gone + n;
}

static void change(struct seed *s)
{
	static const uint8_t telling[] = {0,	1,    0x7f, 0x80, 0xff, '\r',
					  '\n', '\t', ' ',  '"',  '%',	'=',
					  ';',	',',  ':',  '/',  '{',	'}'};
	const struct seed *other = &seeds[below(n_seeds)];
	uint8_t byte = (uint8_t)below(256), some[64];
	size_t at = below(s->len + 1), from = below(other->len + 1);
	size_t n = below(other->len - from + 1);

	n = n < sizeof(some) ? n : below(sizeof(some));
	switch (below(7)) {
	case 0: /* a bit */
		if (at < s->len)
			s->data[at] ^= (uint8_t)(1 << below(8));
		break;
	case 1: /* a byte in its place, or one more */
		put_in(s, at, below(2), &byte, 1);
		break;
	case 2:
		put_in(s, at, below(2), &telling[below(sizeof(telling))], 1);
		break;
	case 3: /* less */
		put_in(s, at, below(16) + 1, &byte, 0);
		break;
	case 4: /* the end is missing */
		s->len = at;
		break;
	case 5: /* a part twice */
		n = s->len - at < sizeof(some) ? s->len - at : sizeof(some);
		memcpy(some, s->data + at, n);
		put_in(s, at, 0, some, n);
		break;
	default: /* a part of another */
		memcpy(some, other->data + from, n);
		put_in(s, at, below(2) ? n : 0, some, n);
	}
}

static void try_changed(struct seed *work)
{
	const struct seed *seed = &seeds[below(n_seeds)];

	memcpy(work->data, seed->data, seed->len);
	work->len = seed->len;
	for (size_t i = below(MOST_EDITS) + 1; i > 0; i--)
		change(work);
	try_one(work->data, work->len);
}

/* ---- The run ---- */

static const char *program;

static void on_abort(int number)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s-abort", program);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, at_work, at_work_len) >= 0)
		fprintf(stderr, "the input is in %s\n", name);
	signal(number, SIG_DFL);
	raise(number);
}

int main(int argc, char **argv)
{
	struct seed work = {malloc(MOST_BYTES + 64), 0};
	long n_changed = 0;

	program = argv[0];
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
			n_changed = atol(argv[++i]);
		else
			keep(argv[i]);
	}
	for (size_t i = 0; i < n_seeds; i++)
		try_one(seeds[i].data, seeds[i].len);
	for (long i = 0; n_seeds && i < n_changed; i++)
		try_changed(&work);
	printf("%zu inputs replayed, %ld changed ones tried\n", n_seeds,
	       n_changed);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].data);
	free(work.data);
	return n_seeds > 0 ? 0 : 1;
}
