/* SPDX-License-Identifier: MIT */
/* What the hub tells those of its members that are visits. */
#ifndef GATE_VISIT_MEMBER_H
#define GATE_VISIT_MEMBER_H

#include "hub/hub.h"

extern const struct hub_events gate_hub_events;

#endif
