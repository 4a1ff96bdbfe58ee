/* SPDX-License-Identifier: MIT */
/* `sesame doctor URL`: the terminal's side of it; the story is doctor/doctor.c. */
#include "cli/command.h"
#include "cli/term.h"
#include "doctor/doctor.h"

int cmd_doctor(int argc, char **argv)
{
	const struct doctor_look look = {
		.colour = term_colour(stdout),
		.width = term_width(stdout),
	};

	return doctor_main(argc, argv, &look);
}
