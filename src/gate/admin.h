/* SPDX-License-Identifier: MIT */
/*
 * The admin listener, for people, probes and Prometheus, and the control
 * socket, for `sesame reload`. Both speak HTTP and live in the loop of the
 * house, so a busy worker does not hold them up nor they it. The listener
 * changes nothing; what changes something is asked for at the socket, which
 * the gateway's own user and root alone may open.
 */
#ifndef GATE_ADMIN_H
#define GATE_ADMIN_H

#include "gate/status.h"

struct gate_admin;

/*
 * Listen as @settings say. It answers 503 until gate_admin_show(). NULL: @text
 * says why it cannot.
 */
struct gate_admin *gate_admin_open(struct sesame_loop *loop,
				   const struct gate_admin_settings *settings,
				   char *text, size_t text_size);
/*
 * Open the control socket, as the user that the gateway goes on as. False:
 * @text says why there is none.
 */
bool gate_admin_open_socket(struct gate_admin *admin, const char *file,
			    char *text, size_t text_size);
/* What is shown from now on; borrowed. */
void gate_admin_show(struct gate_admin *admin, struct gate_view *view);
/*
 * What is done when somebody asks to reload, or, with @plan, what it would do.
 * Returns a document for the answer; "done" in it says how it went.
 */
void gate_admin_obey(struct gate_admin *admin,
		     json_t *(*reload)(void *user, bool plan), void *user);
/* "http://127.0.0.1:9464" */
const char *gate_admin_url(const struct gate_admin *admin);
/* NULL is fine. */
void gate_admin_close(struct gate_admin *admin);

/* Where the control socket is without admin.socket. False: no place is known. */
bool gate_admin_default_socket(char *out, size_t size);

#endif
