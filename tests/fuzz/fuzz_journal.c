/* SPDX-License-Identifier: MIT */
/*
 * A journal as it may be found: damaged, of another version, or made by
 * somebody who wants to be read by `sesame why`. Whatever the file holds, texts
 * come out whole and fit for a terminal. The file lives in memory.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gate/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
	assert(strnlen(text, room) < room);
	for (; *text; text++)
		assert((uint8_t)*text >= ' ' && *text != 0x7f);
}

#define CHECK(field) check_text(s->field, sizeof(s->field))

static void on_story(void *user, const struct gate_story *s)
{
	struct ses_buf advice;

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
	CHECK(subject);
	CHECK(certificate);
	CHECK(route);
	CHECK(upstream);
	CHECK(check);
	CHECK(rule);
	CHECK(file);
	CHECK(compared);
	CHECK(nearest);
	CHECK(note);
	gate_story_verb(s);
	gate_story_has_no_credentials(s);
	free(gate_story_json(s, true));
	ses_buf_init(&advice, 65536);
	gate_story_advise(s, &advice);
	ses_buf_fini(&advice);
}

static void on_top(void *user, const struct gate_top_row *row)
{
	check_text(row->value, sizeof(row->value));
}

static void on_omitted(void *user, const char *cause, const char *why,
		       uint64_t n)
{
	assert(cause && why);
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
	assert(gate_lookup_error(l));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("journal", MFD_CLOEXEC);
	char name[64], text[512] = "";
	struct gate_lookup *l;

	assert(fd >= 0);
	if (write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	l = gate_lookup_open(name, text, sizeof(text));
	assert(l || text[0]);
	if (l)
		look_through(l);
	gate_lookup_close(l);
	close(fd);
	return 0;
}
