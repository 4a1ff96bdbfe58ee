/* SPDX-License-Identifier: MIT */
/* The story of a refusal, as JSON, with one allocation of it failing. */
#include "rig.h"

#include <jansson.h>

#include "gate/story.h"
#include "test.h"

static void advise(const struct gate_story *s, char out[1024])
{
	struct ses_buf advice;
	size_t len;

	ses_buf_init(&advice, 1024);
	assert_int_equal(gate_story_advise(s, &advice), 0);
	len = ses_buf_len(&advice);
	assert_true(len < 1024);
	memcpy(out, ses_buf_bytes(&advice).data, len);
	out[len] = '\0';
	ses_buf_fini(&advice);
}

static int play(void *arg)
{
	const struct gate_story *s = arg;
	char whole[1024];
	const char *told;
	json_t *o;
	int r = 0;

	rig_spare();
	advise(s, whole);
	rig_strike();
	o = gate_story_object(s);
	rig_spare();
	told = json_string_value(json_object_get(o, "advice"));
	if (told && strcmp(told, whole) != 0)
		r = 1;
	json_decref(o);
	return r;
}

static bool at_place(enum rig_kind kind, long nth, void *arg)
{
	rig_run(kind, nth, play, arg);
	rig_check_end();
	if (rig->status)
		rig_fail("the advice is neither whole nor left out");
	return rig->struck;
}

TEST("a story has its advice whole, or none, where memory lacks")
{
	struct gate_story path = {
		.status = 404,
		.cause = "url.path",
		.check = "path",
		.file = "sesame.yaml",
	};
	struct gate_story origin = {
		.status = 403,
		.cause = "access.origin",
		.check = "origin",
		.preset = true,
		.host = "app.example",
		.compared = "https://a-page-of-another-site.example",
	};

	rig_each(RIG_MEMORY, at_place, &path);
	rig_each(RIG_MEMORY, at_place, &origin);
}
