/* SPDX-License-Identifier: MIT */
/* A gateway while it runs: signals, reloads, the way out. */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include "base/buf.h"
#include "gate/journal.h"
#include "gate/policy.h"

struct running_setup {
	struct gate_policy *policy; /* borrowed */
	/* Read the configuration again. NULL: @errors has why not, in lines. */
	struct gate_policy *(*read)(void *user, struct ses_buf *errors);
	/* Open the journal that it has. False: it cannot run, which is told. */
	bool (*open_journal)(void *user, const struct gate_policy *policy,
			     struct gate_journal **ret);
	void *user;
};

/*
 * Run until told to stop; an exit status. There are no threads before this is
 * called, so the signals that it blocks are blocked in all of them.
 */
int running_serve(const struct running_setup *setup);

#endif
