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
#define DEFAULT_KEYS	 10000
#define DEFAULT_HISTORY	 1000
#define DEFAULT_AGE_MS	 3600000
#define DEFAULT_BYTES	 (4 * 1024 * 1024)
#define DEFAULT_KEPT	 (256 * 1024 * 1024)

void gate_read_publish(struct gate_reader *r, const struct gate_item *i,
		       void *to)
{
	struct gate_seen seen;
	struct gate_token_settings *settings =
		gate_read_token_map(r, i, to, &seen);

	if (!settings)
		return;
	gate_need(r, &seen,
		  i->row == gate_setting(GATE_SET_HUB_READ)
			  ? GATE_SET_READ_HASHES
			  : GATE_SET_PUBLISH_HASHES,
		  i->at);
	if (settings->hashes_file.name)
		gate_token_load(settings, r->open_files, r->wrong);
}

void gate_read_history(struct gate_reader *r, const struct gate_item *i,
		       void *to)
{
	struct gate_hub_settings *hub = to;
	struct gate_seen seen;

	if (gate_read_submap(r, i, hub, &seen) &&
	    !seen.row[GATE_SET_HISTORY_MESSAGES])
		hub->history_messages = DEFAULT_HISTORY;
}

void gate_read_may(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_may *may = to;
	struct bytes word = gate_text_of(i);

	if (gate_is_map(i))
		may->n_claims = gate_read_claims(r, i, &may->claim);
	else if (gate_want(r, i,
			   bytes_equal(word, BYTES("nobody")) ||
				   bytes_equal(word, BYTES("everybody")),
			   "everybody, nobody or a map of claims"))
		may->nobody = bytes_equal(word, BYTES("nobody"));
}

static void or_default(uint64_t *value, uint64_t preset)
{
	if (!*value)
		*value = preset;
}

static void set_defaults(struct gate_route *route)
{
	struct gate_hub_settings *hub = &route->hub;

	or_default(&hub->keys, DEFAULT_KEYS);
	or_default(&hub->history_ms, DEFAULT_AGE_MS);
	or_default(&hub->history_bytes, DEFAULT_BYTES);
	or_default(&hub->kept, DEFAULT_KEPT);
	if (!hub->channels)
		hub->channels = DEFAULT_CHANNELS;
	if (!hub->members)
		hub->members = DEFAULT_MEMBERS;
	if (!hub->queue)
		hub->queue = DEFAULT_QUEUE;
	if (!route->limits.message_bytes)
		route->limits.message_bytes = DEFAULT_MESSAGE;
}

static void check_kind(struct gate_reader *r, const struct gate_item *i,
		       struct gate_route *route)
{
	struct gate_hub_settings *hub = &route->hub;
	bool states = hub->kind == GATE_KIND_STATE;

	if (!states && hub->slow == HUB_CONFLATE)
		gate_complain(r->wrong, i->at,
			      "hub.slow: conflate needs `kind: state`: only "
			      "there newer messages take the place of older "
			      "ones");
	if (!states && hub->key)
		gate_complain(r->wrong, i->at, "hub.key needs `kind: state`");
	if (states && hub->slow == HUB_DROP)
		hub->slow = HUB_CONFLATE;
	if (states && !hub->key)
		hub->key = gate_copy(r, BYTES("key"));
}

/* Claims are of tokens that are signed. */
static void check_may(struct gate_reader *r, const struct gate_item *i,
		      const struct gate_route *route)
{
	const struct gate_hub_settings *hub = &route->hub;

	if ((hub->may_publish.n_claims || hub->may_presence.n_claims) &&
	    !(route->token && route->token->jwt.at.line))
		gate_complain(r->wrong, i->at,
			      "hub.may: claims need `allow.token.jwt`: whose "
			      "would they be?");
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
	check_kind(r, i, route);
	check_may(r, i, route);
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
