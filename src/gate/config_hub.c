/* SPDX-License-Identifier: MIT */
/* `to: hub` and `to: files`: what their settings mean together. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "gate/reading.h"
#include "gate/tokens.h"
#include "wire/frame.h"

#define DEFAULT_CHANNELS 10000
#define DEFAULT_MEMBERS	 10000
#define DEFAULT_QUEUE	 (1024 * 1024)
#define DEFAULT_MESSAGE	 (64 * 1024)

void gate_read_publish(struct gate_reader *r, const struct gate_item *i,
		       void *to)
{
	struct gate_seen seen;

	if (gate_read_submap(r, i, to, &seen))
		gate_need(r, &seen, GATE_SET_PUBLISH_HASHES, i->at);
}

static void load_tokens(struct gate_reader *r, struct gate_publish *publish)
{
	struct gate_secret_file file = {
		.name = publish->hashes_file.name,
		.at = publish->hashes_file.at,
		.wrong = r->wrong,
	};
	struct ses_buf content;

	if (!r->open_files || !gate_secret_file_open(&file, &content))
		return;
	publish->tokens = gate_tokens_read(&file);
	gate_secret_file_close(&content);
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
	if (route->hub.queue < route->limits.message_bytes + SES_FRAME_HEAD_MAX)
		gate_complain(r->wrong, i->at,
			      "hub.queue has to be more than limits.message, "
			      "or the longest messages never fit");
	if (route->hub.publish.hashes_file.name)
		load_tokens(r, &route->hub.publish);
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
