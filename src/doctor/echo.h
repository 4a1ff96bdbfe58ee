/* SPDX-License-Identifier: MIT */
/*
 * What an answer merely repeats of the request: debug pages print all that was
 * sent, and the field "User-Agent" on such a page is no reason.
 */
#ifndef DOCTOR_ECHO_H
#define DOCTOR_ECHO_H

#include "base/bytes.h"

/* What stands for each repeated byte: no letter, and in no phrase. */
#define DOCTOR_ECHO '\1'

/*
 * Copy @said to @text (of the same length) with all blanked out that repeats
 * @request, a head as it was sent: target, query and field values, and the
 * name before a value where both stand by themselves, as on a page that lists
 * fields. "Invalid origin: https://a" is a sentence, and keeps its words.
 */
void doctor_blank_echo(const char *request, struct bytes said, char *text);

#endif
