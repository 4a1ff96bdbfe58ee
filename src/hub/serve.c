/* SPDX-License-Identifier: MIT */
/*
 * What goes out. A member that keeps up is sent what comes into its seat's
 * inbox; one that does not gets nothing of it, and is served from what the
 * channel holds behind its mark as soon as it can take more. The last look at
 * what is held and the return to the inbox are one step under the lock, and
 * what is in the inbox by then is behind the mark.
 */
#include "hub/envelope.h"
#include "hub/hub_inner.h"

#define BATCH	      64 /* messages taken at a time */
#define BATCH_BYTES   ((size_t)64 * 1024)
#define TURN_BYTES    ((size_t)256 * 1024) /* to the slow, in one turn */
#define MESSAGE_COST  256 /* bytes that any message counts as, more */
#define SCRATCH_BYTES ((size_t)1024 * 1024) /* kept for the next frame */
#define MOST_ASKED    3

/* The frames of one message, as far as they were asked for. */
struct frames {
	struct hub_message *message;
	struct ses_buf *scratch;
	struct bytes of[2];
	bool have[2];
};

static struct bytes frame_for(struct frames *f, const struct hub_member *m)
{
	bool envelope = m->envelopes;

	if (!f->have[envelope])
		f->of[envelope] =
			hub_message_frame(f->message, envelope, f->scratch);
	f->have[envelope] = true;
	return f->of[envelope];
}

/* ---- Falling behind ---- */

static void fall_behind(struct hub_seat *seat, struct hub_member *member)
{
	pthread_mutex_lock(&seat->hub->lock);
	hub_member_fall_behind(member);
	pthread_mutex_unlock(&seat->hub->lock);
}

/*
 * Nothing would make it be tried again, and what follows cannot be understood
 * without it.
 */
static enum hub_taken lacks_memory(struct hub_seat *seat,
				   struct hub_member *member)
{
	if (!member->dismissed)
		seat->hub->events->no_memory(member);
	member->dismissed = true;
	return HUB_GONE;
}

static enum hub_taken send(struct hub_seat *seat, struct hub_member *member,
			   struct frames *f)
{
	const struct hub_message *m = f->message;
	struct hub_parcel parcel = {
		.n = 1, .payload_bytes = m->payload_len, .more = true};
	enum hub_taken taken;

	if (m->sender == member->id && !member->echo) {
		member->served = m->seq;
		return HUB_TAKEN;
	}
	parcel.frames = frame_for(f, member);
	if (!parcel.frames.data)
		return lacks_memory(seat, member);
	taken = seat->hub->events->deliver(member, &parcel);
	if (taken == HUB_TAKEN || taken == HUB_TAKEN_LAST)
		member->served = m->seq;
	return taken;
}

static void catch_up(struct hub_seat *seat, struct hub_member *member);

static void bring(struct hub_seat *seat, struct hub_member *member,
		  struct frames *f)
{
	enum hub_taken taken;

	if (f->message->era != member->era) {
		/* Numbers begin anew: what is held is looked at instead. */
		if (f->message->era > member->era)
			fall_behind(seat, member);
		return;
	}
	if (f->message->seq <= member->served)
		return;
	if (f->message->seq > member->served + 1) {
		/* One could not be read, or was conflated while the node was
		 * cut off: what is held says which, and nothing else will. */
		fall_behind(seat, member);
		catch_up(seat, member);
		return;
	}
	taken = send(seat, member, f);
	if (taken == HUB_TAKEN_LAST || taken == HUB_NOT_TAKEN)
		fall_behind(seat, member);
}

/* ---- Catching up ---- */

static void dismiss(struct hub_seat *seat, struct hub_member *member)
{
	member->dismissed = true;
	atomic_fetch_add(&seat->hub->n_closed, 1);
	seat->hub->events->too_slow(member);
}

/* Frees @json, of which @error says whether it could be written. */
static enum hub_taken send_json(struct hub_seat *seat, struct hub_member *member,
				struct ses_buf *json, int error)
{
	struct hub_parcel parcel = {.more = true};
	struct hub_message *m = NULL;
	enum hub_taken taken;

	if (!error)
		m = hub_message_news(ses_buf_bytes(json), 0);
	ses_buf_fini(json);
	if (!m)
		return lacks_memory(seat, member);
	parcel.frames = ses_buf_bytes(&m->frame);
	taken = seat->hub->events->deliver(member, &parcel);
	hub_drop_message(m);
	return taken;
}

static void count_gap(struct hub_seat *seat, struct hub_member *member,
		      const struct hub_gap *gap)
{
	uint64_t n = gap->from ? gap->to - gap->from + 1 : 0;

	atomic_fetch_add(&seat->hub->n_gaps, 1);
	atomic_fetch_add(&seat->hub->n_missed, n);
	seat->hub->events->missed(member, n, false);
}

/* Some of what it missed; how many, and what comes before them. */
struct batch {
	struct hub_message *message[BATCH];
	size_t n;
	struct hub_gap gap;
	struct hub_epoch epoch;
	uint32_t era;
};

/* A plain client cannot be told. False: it can take no more for now. */
static bool tell_gap(struct hub_seat *seat, struct hub_member *member,
		     const struct batch *b)
{
	const struct hub_gap *gap = &b->gap;
	enum hub_taken taken = HUB_TAKEN;
	struct ses_buf json;
	int error;

	if (member->envelopes) {
		ses_buf_init(&json, 512);
		error = hub_envelope_gap(&b->epoch, gap->from, gap->to, &json);
		taken = send_json(seat, member, &json, error);
	}
	if (taken == HUB_NOT_TAKEN || taken == HUB_GONE)
		return false;
	count_gap(seat, member, gap);
	member->served = gap->served;
	member->era = b->era;
	member->lost = false;
	member->whole = member->channel->states;
	return taken == HUB_TAKEN;
}

/* False: there was nothing left, and it keeps up from now on. */
static bool take_batch(struct hub_seat *seat, struct hub_member *member,
		       struct batch *b)
{
	const struct hub_channel *c = member->channel;

	b->n = 0;
	b->gap = (struct hub_gap){.is = false};
	pthread_mutex_lock(&seat->hub->lock);
	if (c->ready) {
		b->gap = hub_member_gap(member);
		b->epoch = c->epoch;
		b->era = c->era;
		if (!b->gap.is)
			b->n = hub_member_next(member, b->message, BATCH,
					       BATCH_BYTES);
		if (!b->gap.is && !b->n) {
			member->whole = false;
			member->served = c->last_id;
			hub_member_catch_up(member);
		}
	}
	pthread_mutex_unlock(&seat->hub->lock);
	return b->gap.is || b->n;
}

static void note_conflated(struct hub_seat *seat, struct hub_member *member,
			   uint64_t before, uint64_t sent)
{
	uint64_t n = member->served - before;

	if (member->whole || !member->channel->states || n <= sent)
		return;
	atomic_fetch_add(&seat->hub->n_conflated, n - sent);
	seat->hub->events->missed(member, n - sent, true);
}

/* False: it can take no more for now. */
static bool send_batch(struct hub_seat *seat, struct hub_member *member,
		       struct batch *b, size_t *cost)
{
	enum hub_taken taken = HUB_TAKEN;
	uint64_t before = member->served, sent = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct frames f = {b->message[i], &seat->scratch, {{0}}, {0}};

		if (taken == HUB_TAKEN)
			taken = send(seat, member, &f);
		*cost += f.of[member->envelopes].len + MESSAGE_COST;
		sent += taken == HUB_TAKEN || taken == HUB_TAKEN_LAST;
		hub_drop_message(b->message[i]);
	}
	note_conflated(seat, member, before, sent);
	return taken == HUB_TAKEN;
}

/* Who came and went while it was behind is not told; it may ask. */
static void tell_unseen(struct hub_seat *seat, struct hub_member *member)
{
	struct hub_news news = {.more = true};
	struct ses_buf json;
	int error;

	if (!member->unseen)
		return;
	member->unseen = false;
	pthread_mutex_lock(&seat->hub->lock);
	news.count = member->channel->roster ? member->channel->roster->n : 0;
	pthread_mutex_unlock(&seat->hub->lock);
	ses_buf_init(&json, 512);
	error = hub_envelope_news(&news, &json);
	member->unseen = send_json(seat, member, &json, error) == HUB_NOT_TAKEN;
}

static bool must_go(const struct hub_member *member, const struct hub_gap *gap)
{
	return gap->is && gap->from && member->closes && member->kept_up;
}

static void await_turn(struct hub_seat *seat, struct hub_member *member)
{
	ses_list_append(&seat->turns, &member->turn);
	pthread_mutex_lock(&seat->lock);
	hub_wake(seat);
	pthread_mutex_unlock(&seat->lock);
}

/* At what cost; who could take more than a turn's worth waits for the next. */
static void catch_up_some(struct hub_seat *seat, struct hub_member *member,
			  size_t *cost)
{
	struct batch b;

	while (member->behind && member->begun && !member->dismissed) {
		if (*cost >= TURN_BYTES) {
			await_turn(seat, member);
			return;
		}
		if (!take_batch(seat, member, &b))
			break;
		if (must_go(member, &b.gap)) {
			dismiss(seat, member);
			return;
		}
		if (b.gap.is && !tell_gap(seat, member, &b))
			return;
		if (!send_batch(seat, member, &b, cost))
			return;
	}
	if (member->behind)
		return;
	member->kept_up = true;
	tell_unseen(seat, member);
}

static void shed_scratch(struct hub_seat *seat)
{
	if (ses_buf_len(&seat->scratch) > SCRATCH_BYTES)
		ses_buf_fini(&seat->scratch);
}

/* Where others wait already, one comes behind them. */
static void catch_up(struct hub_seat *seat, struct hub_member *member)
{
	size_t cost = 0;

	if (!ses_list_empty(&member->turn))
		return;
	if (member->behind && !ses_list_empty(&seat->turns))
		await_turn(seat, member);
	else
		catch_up_some(seat, member, &cost);
	shed_scratch(seat);
}

void hub_serve_turns(struct hub_seat *seat)
{
	struct ses_list *link;
	size_t cost = 0;

	while (cost < TURN_BYTES && (link = ses_list_first(&seat->turns))) {
		ses_list_remove(link);
		catch_up_some(seat,
			      ses_container_of(link, struct hub_member, turn),
			      &cost);
	}
	shed_scratch(seat);
	if (ses_list_empty(&seat->turns))
		return;
	pthread_mutex_lock(&seat->lock);
	hub_wake(seat);
	pthread_mutex_unlock(&seat->lock);
}

void hub_drained(struct hub_seat *seat, struct hub_member *member)
{
	if (member->channel)
		catch_up(seat, member);
}

/* ---- Who is behind while others are served ---- */

/* Where the slow are closed that is done even if they read nothing at all. */
static void look_after(struct hub_seat *seat, struct hub_member *member)
{
	struct hub_gap gap;

	if (!member->closes || !member->kept_up || !member->begun ||
	    member->dismissed)
		return;
	pthread_mutex_lock(&seat->hub->lock);
	gap = hub_member_gap(member);
	pthread_mutex_unlock(&seat->hub->lock);
	if (must_go(member, &gap))
		dismiss(seat, member);
}

static void bring_news(struct hub_seat *seat, struct hub_member *member,
		       const struct hub_message *m)
{
	struct hub_parcel parcel = {.frames = ses_buf_bytes(&m->frame)};
	enum hub_taken taken;

	if (!member->sees || !member->envelopes || !member->begun)
		return;
	if (member->behind || member->unseen) {
		member->unseen = true;
		return;
	}
	taken = seat->hub->events->deliver(member, &parcel);
	member->unseen = taken == HUB_NOT_TAKEN;
	if (taken == HUB_TAKEN_LAST || taken == HUB_NOT_TAKEN)
		fall_behind(seat, member);
}

/* What the channel holds has changed as a whole. */
static bool is_refused(struct hub *hub, const struct hub_channel *c)
{
	bool is;

	pthread_mutex_lock(&hub->lock);
	is = c->refused;
	pthread_mutex_unlock(&hub->lock);
	return is;
}

static void look_again(struct hub_seat *seat, struct hub_member *member)
{
	if (!member->begun) {
		if (is_refused(seat->hub, member->channel))
			seat->hub->events->refused(member);
		else
			seat->hub->events->ready(member);
		return;
	}
	fall_behind(seat, member);
	catch_up(seat, member);
}

/* ---- What came together ---- */

/* Whether all of @run is for @member, and next. */
static bool is_next(const struct hub_run *run, const struct hub_member *member)
{
	const struct hub_message *first = run->message[0];

	if (first->era != member->era || first->seq != member->served + 1)
		return false;
	for (size_t i = 0; i < run->n && !member->echo; i++)
		if (run->message[i]->sender == member->id)
			return false;
	return true;
}

/*
 * Without a copy for each of very many members. False: it has to be looked at
 * one by one.
 */
static bool bring_at_once(struct hub_seat *seat, struct hub_member *member,
			  struct hub_run *run)
{
	struct hub_parcel parcel = {.n = run->n,
				    .payload_bytes = run->payload_bytes};
	enum hub_taken taken;

	if (!is_next(run, member))
		return false;
	parcel.frames = hub_run_frames(run, member->envelopes, &seat->scratch);
	if (!parcel.frames.data)
		return false;
	taken = seat->hub->events->deliver(member, &parcel);
	if (taken == HUB_NOT_TAKEN)
		return false;
	if (taken == HUB_TAKEN || taken == HUB_TAKEN_LAST)
		member->served = run->message[run->n - 1]->seq;
	if (taken == HUB_TAKEN_LAST)
		fall_behind(seat, member);
	return true;
}

static void bring_run(struct hub_seat *seat, struct hub_member *member,
		      struct hub_run *run)
{
	if (!member->begun) {
		fall_behind(seat, member);
		return;
	}
	if (!member->behind && bring_at_once(seat, member, run))
		return;
	for (size_t i = 0; i < run->n && !member->behind; i++) {
		struct frames f = {run->message[i], &seat->scratch, {{0}}, {0}};

		bring(seat, member, &f);
	}
	if (member->behind)
		look_after(seat, member);
}

void hub_serve(struct hub_seat *seat, struct hub_run *run)
{
	const struct hub_message *m = run->message[0];
	struct ses_list *members = &m->channel->crowd[seat->number].members;
	struct ses_list *link, *next;

	for (link = members->next; link != members; link = next) {
		struct hub_member *member =
			ses_container_of(link, struct hub_member, link);

		next = link->next;
		if (m->sort == HUB_NEWS)
			bring_news(seat, member, m);
		else if (m->sort == HUB_LOOK)
			look_again(seat, member);
		else
			bring_run(seat, member, run);
	}
	shed_scratch(seat);
}

/* ---- The beginning ---- */

static void welcome(struct hub_seat *seat, struct hub_member *member,
		    struct hub_welcome *w)
{
	const struct hub_channel *c = member->channel;
	struct ses_buf json;
	int error;

	if (!member->envelopes)
		return;
	w->channel = bytes_of(c->name, c->name_len);
	ses_buf_init(&json, 8 * (HUB_NAME_MAX + HUB_WHO_SIZE) + 512);
	error = hub_envelope_welcome(w, &json);
	send_json(seat, member, &json, error);
}

/*
 * Other nodes may know more. What is answered next may have been asked before
 * it came, and what members are told of then may be on its way already.
 */
static bool asks(struct hub *hub, struct hub_member *member, struct bytes since)
{
	const struct hub_backplane_ops *ops = hub->backplane->ops;

	if (!ops->refresh || !since.data || member->asked == MOST_ASKED ||
	    !hub_channel_lacks(member->channel, since))
		return false;
	member->asked++;
	member->channel->unheard = false;
	ops->refresh(hub->backplane, member->channel);
	return !member->channel->unheard;
}

bool hub_begin(struct hub_seat *seat, struct hub_member *member,
	       const char *you, struct bytes since)
{
	struct hub *hub = seat->hub;
	const struct hub_channel *c = member->channel;
	struct hub_welcome w = {.you = bytes_of_str(you)};
	struct hub_epoch epoch;
	bool ready;

	pthread_mutex_lock(&hub->lock);
	ready = c->ready && !asks(hub, member, since);
	if (ready && since.data)
		hub_member_begin_at(member, since);
	else if (ready && member->era != c->era)
		hub_member_begin_afresh(member);
	/* What it missed while it was not begun is behind its mark. */
	if (ready && member->served < c->last_id)
		hub_member_fall_behind(member);
	epoch = c->epoch;
	w.seq = c->last_id;
	w.states = c->states;
	w.count = c->roster ? c->roster->n : 0;
	pthread_mutex_unlock(&hub->lock);
	if (!ready)
		return false;
	w.epoch = &epoch;
	w.resumed = member->resumed;
	w.tells_count = c->roster && member->sees;
	member->begun = true;
	member->kept_up = !member->behind;
	welcome(seat, member, &w);
	catch_up(seat, member);
	return true;
}
