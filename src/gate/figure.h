/* SPDX-License-Identifier: MIT */
/*
 * What is counted of a gateway as a whole (figures.def): /metrics shows it of
 * this one, the census of all gateways of a backplane.
 */
#ifndef GATE_FIGURE_H
#define GATE_FIGURE_H

#include "gate/status.h"

enum gate_figure {
#define FIGURE(symbol, ...) GATE_FIGURE_##symbol,
#include "gate/figures.def"
	GATE_N_FIGURES
};

struct gate_figure_row {
	const char *key; /* in a note; "": none */
	const char *name, *label, *type, *help;
};

const struct gate_figure_row *gate_figure(enum gate_figure which);

/* Those of channels, into their places in @to. */
void gate_count_channels(const struct gate_view *view,
			 int64_t to[GATE_N_FIGURES]);
/* Those of the backplane. False: there is none. */
struct hub_redis_figures;
bool gate_count_backplane(const struct gate_view *view,
			  int64_t to[GATE_N_FIGURES],
			  struct hub_redis_figures *ret_all);
/* All of them, and the refusals by cause. */
void gate_count_all(const struct gate_view *view, int64_t to[GATE_N_FIGURES],
		    int64_t refused[WHY_N_CAUSES]);

/* Those of channels, or of the backplane. */
bool gate_figure_is_of_channels(enum gate_figure which);
bool gate_figure_is_of_backplane(enum gate_figure which);

#endif
