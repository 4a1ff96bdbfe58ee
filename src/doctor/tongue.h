/* SPDX-License-Identifier: MIT */
/*
 * Refusals in other languages, read as the English that programs refuse in:
 * "Zugriff verweigert" is "access denied" (tongues.def). Pure.
 */
#ifndef DOCTOR_TONGUE_H
#define DOCTOR_TONGUE_H

#include "base/bytes.h"

#define DOCTOR_MOST_GLOSSED 1024
#define DOCTOR_MOST_GLOSSES 24

/* What of a text is known in another language, and where it stands there. */
struct doctor_gloss {
	char text[DOCTOR_MOST_GLOSSED]; /* in English, a blank between two */
	size_t len;
	size_t n;
	struct {
		uint16_t at, said_at; /* in text, and in what was glossed */
	} phrase[DOCTOR_MOST_GLOSSES];
};

/*
 * Gloss @said: phrases of tongues.def become English, words of all languages
 * are kept, all else is left out. Capitals and accents do not count, nor whether
 * a letter is written as such, as an entity of HTML, or as \uXXXX of JSON; what is
 * no UTF-8 is taken for Latin-1. Of @said no more than DOCTOR_MOST_GLOSSED
 * characters are read.
 *
 * Returns whether it holds a phrase of another language; @ret_gloss is empty where
 * it does not.
 */
bool doctor_gloss(struct bytes said, struct doctor_gloss *ret_gloss);

/* Where in what was said that stands which stands at @at of @gloss's text. */
size_t doctor_glossed_at(const struct doctor_gloss *gloss, size_t at);

#endif
