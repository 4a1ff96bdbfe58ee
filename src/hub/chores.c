/* SPDX-License-Identifier: MIT */
/*
 * What is due: telling who came and went, and forgetting what is too old. The
 * seat whose thread makes such work has a timer run until there is none left.
 */
#include "hub/envelope.h"
#include "hub/hub_inner.h"
#include "net/clock.h"

/* ---- Who came and went ---- */

void hub_note_news(struct hub *hub, struct hub_channel *c)
{
	if (c->roster && hub_roster_has_news(c->roster) &&
	    ses_list_empty(&c->news))
		ses_list_append(&hub->news, &c->news);
}

static void tell(struct hub *hub, struct hub_channel *c)
{
	struct hub_message *m = NULL;
	struct hub_news news;
	struct ses_buf json;

	if (c->unlooked)
		hub_have_looked(hub, c);
	if (!c->roster)
		return;
	ses_buf_init(&json, HUB_NAMES_TOLD * 2 * 6 * HUB_WHO_SIZE + 1024);
	if (c->n_members && hub_roster_tell(c->roster, &news) &&
	    hub_envelope_news(&news, &json) >= 0)
		m = hub_message_news(ses_buf_bytes(&json), hub->n_seats);
	hub_roster_settle(c->roster);
	if (m) {
		hub_hand_out(hub, c, m);
		hub_drop_message(m);
	}
	ses_buf_fini(&json);
}

/* In how many milliseconds some are due; 0: there are none. */
static unsigned tell_news(struct hub *hub, uint64_t now_ms)
{
	struct ses_list *link = hub->news.next, *next;
	unsigned wait = 0;

	for (; link != &hub->news; link = next) {
		struct hub_channel *c =
			ses_container_of(link, struct hub_channel, news);

		next = link->next;
		if (now_ms < c->told_ms + HUB_NEWS_MS) {
			wait = HUB_NEWS_MS;
			continue;
		}
		ses_list_remove(link);
		c->told_ms = now_ms;
		tell(hub, c);
	}
	return wait;
}

/* ---- The timer ---- */

static void on_chores(struct ses_timer *timer)
{
	struct hub_seat *seat = ses_container_of(timer, struct hub_seat, chores);
	struct hub *hub = seat->hub;
	uint64_t now_ms = seat->loop->now_ms;
	unsigned wait;
	bool swept = false;

	pthread_mutex_lock(&hub->lock);
	wait = tell_news(hub, now_ms);
	if (now_ms >= hub->swept_ms + HUB_SWEEP_MS) {
		hub->swept_ms = now_ms;
		hub->holds = hub_table_sweep(&hub->table, HUB_SWEPT,
					     ses_clock_wall_ms());
		swept = true;
	}
	if (!wait && (hub->holds || !swept))
		wait = HUB_SWEEP_MS;
	pthread_mutex_unlock(&hub->lock);
	if (wait)
		hub_start_chores(seat, wait);
}

void hub_start_chores(struct hub_seat *seat, unsigned in_ms)
{
	uint64_t at_ms = seat->loop->now_ms + in_ms;

	if (ses_timer_running(&seat->chores) && seat->chores.at_ms <= at_ms)
		return;
	seat->chores.fire = on_chores;
	/* Without memory the next one who makes work tries again. */
	ses_timers_start(&seat->loop->timers, &seat->chores, at_ms);
}
