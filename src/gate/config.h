/* SPDX-License-Identifier: MIT */
/*
 * From a YAML file to a policy. All faults of a file are found in one run,
 * each with its line and column; a file with a fault makes no policy at all.
 */
#ifndef GATE_CONFIG_H
#define GATE_CONFIG_H

#include "base/buf.h"
#include "gate/policy.h"

enum gate_setting {
#define SETTING(symbol, ...) GATE_SET_##symbol,
#include "gate/settings.def"
#undef SETTING
	GATE_N_SETTINGS
};

enum gate_setting_kind {
	GATE_MAP,
	GATE_MAPS, /* a list of maps */
	GATE_TEXT,
	GATE_TEXTS,
	GATE_FILE,
	GATE_CHOICE,
	GATE_FLAG, /* true or false */
	GATE_COUNT,
	GATE_SIZE,
	GATE_DURATION,
	GATE_RATE,  /* "20/minute" */
	GATE_PAIRS, /* a map of names and values that no row knows */
	GATE_ANY,   /* a text or a list of texts */
};

struct gate_setting_row {
	const char *path;
	enum gate_setting_kind kind;
	const char *unit;
	uint64_t least, most;
	const char *preset; /* the default, for people */
	const char *text;
};

/* The row of a setting; static. */
const struct gate_setting_row *gate_setting(enum gate_setting setting);

/*
 * Read @file. NULL when it has faults: then @errors has one line each,
 * "FILE:LINE:COLUMN: sentence", in the order of the file.
 */
struct gate_policy *gate_config_read(const char *file, struct ses_buf *errors);
/*
 * The same from @text that came from @file. @open_files: whether to look into
 * the certificates that it names.
 */
struct gate_policy *gate_config_parse(const char *file, struct bytes text,
				      bool open_files, struct ses_buf *errors);
/* What `serve` does without a file: an echo for this machine. NULL: no memory. */
struct gate_policy *gate_config_builtin(void);

#endif
