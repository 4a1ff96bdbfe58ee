/* SPDX-License-Identifier: MIT */
/*
 * A secret may be an ordinary word, and then it stands in our own sentences as
 * well. To hide it there tells it to whoever knows the sentence, and leaves
 * none of it to read. Only what is ours to the letter is let be, with the words
 * on both sides of it: that shows nothing but what stands there for everybody.
 */
#include "doctor/secrets.h"

#define AROUND 12 /* bytes on either side that have to be the same */
#define LEAST  8  /* of them both, where a sentence or a value ends */

static const char *const sentences[] = {
#define SUMMARY(cause, proven, otherwise) proven, otherwise,
#include "doctor/summaries.def"
#undef SUMMARY
#define REMEDY(cause, stack, who, what, ...) what,
#include "why/remedies.def"
#undef REMEDY
	"the credentials that were sent are wrong, expired or not where it "
	"looks for them",
	"The server makes the rule; the client can meet it.",
	"The proxy makes the rule; the client can meet it.",
	"The client has to act: the request must change.",
	"What failed in the recording is on the browser's side, or is over.",
	"Whoever runs the proxy has to act.",
	"Whoever runs the server has to act.",
	"Whoever runs the network in between has to act.",
};

/* How many bytes before both places are the same, up to a value in @ours;
 * AROUND + 1: they differ before that. */
static size_t same_before(struct bytes ours, size_t k, struct bytes text,
			  size_t at)
{
	size_t n = 0;

	while (n < AROUND && n < k && ours.data[k - n - 1] != '}') {
		if (n >= at || byte_lower(ours.data[k - n - 1]) !=
				       byte_lower(text.data[at - n - 1]))
			return AROUND + 1;
		n++;
	}
	return n;
}

static size_t same_after(struct bytes ours, size_t k, struct bytes text,
			 size_t at)
{
	size_t n = 0;

	while (n < AROUND && k + n < ours.len && ours.data[k + n] != '{') {
		if (at + n >= text.len || byte_lower(ours.data[k + n]) !=
						  byte_lower(text.data[at + n]))
			return AROUND + 1;
		n++;
	}
	return n;
}

/* Whether the word at @at stands in @ours as it stands in @text. */
static bool stands_in(struct bytes ours, struct bytes text, size_t at,
		      size_t len)
{
	struct bytes word = bytes_of(text.data + at, len);

	for (size_t k = 0; k + len <= ours.len; k++) {
		size_t before, after;

		if (!bytes_equal_nocase(bytes_of(ours.data + k, len), word))
			continue;
		before = same_before(ours, k, text, at);
		after = same_after(ours, k + len, text, at + len);
		if (before <= AROUND && after <= AROUND &&
		    before + after >= LEAST)
			return true;
	}
	return false;
}

bool doctor_is_own_word(struct bytes text, size_t at, size_t len)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i] &&
		    stands_in(bytes_of_str(sentences[i]), text, at, len))
			return true;
	return false;
}
