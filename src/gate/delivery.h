/* SPDX-License-Identifier: MIT */
/*
 * Pages on their way. Their visits are over, and the system still holds what a
 * slow client has not read. So each goes on counting in the limits that it came
 * under, until it has arrived or is given up, and all of a worker have a bound
 * in bytes: past it the one that has been on its way longest is given up.
 */
#ifndef GATE_DELIVERY_H
#define GATE_DELIVERY_H

#include "gate/gate.h"
#include "gate/limits.h"

#define GATE_DELIVERY_BYTES (64 * 1024 * 1024) /* of one worker */

/*
 * @stream, taken, has @bytes in its queue: give it @timeout_ms to deliver them,
 * and give @holds (taken; or NULL) back when it has.
 */
void gate_deliver(struct gate *gate, struct ses_stream *stream, size_t bytes,
		  struct gate_limit_holds *holds, unsigned timeout_ms);
/* Let go of all that are on their way: the gateway ends. */
void gate_deliveries_end(struct gate *gate);

#endif
