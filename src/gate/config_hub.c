/* SPDX-License-Identifier: MIT */
/* `to: hub` and `to: files`: what their settings mean together. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "gate/credential.h"
#include "gate/reading.h"
#include "hub/hub.h"
#include "wire/frame.h"

#define DEFAULT_CHANNELS 10000
#define DEFAULT_MEMBERS	 10000
#define DEFAULT_QUEUE	 (1024 * 1024)
#define DEFAULT_MESSAGE	 (64 * 1024)

void gate_read_publish(struct gate_reader *r, const struct gate_item *i,
		       void *to)
{
	struct gate_seen seen;
	struct gate_token_settings *settings =
		gate_read_token_map(r, i, to, &seen);

	if (!settings)
		return;
	gate_need(r, &seen, GATE_SET_PUBLISH_HASHES, i->at);
	if (settings->hashes_file.name)
		gate_token_load(settings, r->open_files, r->wrong);
}

static void set_defaults(struct gate_route *route)
{
	struct gate_hub_settings *hub = &route->hub;

	if (!hub->channels)
		hub->channels = DEFAULT_CHANNELS;
	if (!hub->members)
		hub->members = DEFAULT_MEMBERS;
	if (!hub->queue)
		hub->queue = DEFAULT_QUEUE;
	if (!route->limits.message_bytes)
		route->limits.message_bytes = DEFAULT_MESSAGE;
}

void gate_check_hub(struct gate_reader *r, const struct gate_item *i,
		    const struct gate_seen *seen, struct gate_route *route)
{
	if (route->to != GATE_TO_HUB) {
		if (seen->row[GATE_SET_ROUTE_HUB])
			gate_complain(r->wrong, i->at,
				      "hub is for routes that lead `to: hub`");
		return;
	}
	set_defaults(route);
	if (route->limits.message_bytes > HUB_FULL_BYTES)
		gate_complain(r->wrong, i->at,
			      "limits.message of a channel is 64MiB at most, "
			      "which is all that may be on its way");
	if (route->hub.queue < route->limits.message_bytes + SES_FRAME_HEAD_MAX)
		gate_complain(r->wrong, i->at,
			      "hub.queue has to be more than limits.message, "
			      "or the longest messages never fit");
}

void gate_check_files(struct gate_reader *r, const struct gate_item *i,
		      const struct gate_seen *seen, struct gate_route *route)
{
	int fd;

	if (route->to != GATE_TO_FILES) {
		if (seen->row[GATE_SET_ROUTE_ROOT])
			gate_complain(
				r->wrong, i->at,
				"root is for routes that lead `to: files`");
		return;
	}
	gate_need(r, seen, GATE_SET_ROUTE_ROOT, i->at);
	if (!route->root || !r->open_files)
		return;
	fd = open(route->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		gate_complain(r->wrong, i->at, "root: %s: %s", route->root,
			      strerror(errno));
	else
		close(fd);
}
