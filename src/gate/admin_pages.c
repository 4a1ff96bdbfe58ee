/* SPDX-License-Identifier: MIT */
/*
 * What the admin listener answers. Most of it is at hand; what other gateways
 * have to be asked for comes later, or does not come in time.
 */
#include "gate/admin_inner.h"

#include <stdlib.h>
#include <string.h>

#include "gate/census.h"
#include "gate/cluster.h"
#include "hub/redis.h"

#define ASK_MS 3000 /* that others have for their answer */

static const char figures_type[] = "text/plain; version=0.0.4; charset=utf-8";

static void say(struct answer *a, int status, const char *text)
{
	a->status = status;
	ses_buf_printf(&a->body, "%s\n", text);
}

/* ---- What is at hand ---- */

static void put_json(struct answer *a, json_t *document)
{
	char *text = json_dumps(document, JSON_INDENT(2));

	a->type = "application/json";
	if (text)
		ses_buf_printf(&a->body, "%s\n", text);
	else
		a->status = 503;
	free(text);
	json_decref(document);
}

static void show_alive(struct caller *c, struct answer *a, struct bytes rest)
{
	say(a, 200, "ok");
}

static void show_ready(struct caller *c, struct answer *a, struct bytes rest)
{
	if (gate_house_is_ready(c->admin->view->house))
		say(a, 200, "ready");
	else if (c->admin->view->leaving)
		say(a, 503, "stopping");
	else
		say(a, 503, "not all doors are open");
}

static void show_figures(struct caller *c, struct answer *a, struct bytes rest)
{
	a->type = figures_type;
	gate_status_figures(c->admin->view, &a->body);
}

static void show_json(struct caller *c, struct answer *a, struct bytes rest)
{
	put_json(a, gate_status_json(c->admin->view));
}

static void show_page(struct caller *c, struct answer *a, struct bytes rest)
{
	json_t *all = gate_status_json(c->admin->view);

	a->type = "text/html; charset=utf-8";
	a->page = true;
	gate_status_page(all, &a->body);
	json_decref(all);
}

/* ---- What others are asked for ---- */

static void hear(void *user, const struct gate_note *said)
{
	struct caller *c = user;
	struct answer a = {.status = 200};

	c->enquiry = NULL;
	ses_buf_init(&a.body, GATE_ADMIN_BYTES);
	c->heard(c, &a, said);
	gate_admin_send(c, &a);
}

void gate_admin_answer_without(struct caller *c)
{
	gate_enquiry_forget(c->enquiry);
	c->late = true;
	hear(c, NULL);
}

/* NULL: nobody can be asked. */
static void await(struct caller *c, struct answer *a,
		  struct gate_enquiry *enquiry, heard_fn heard)
{
	struct sesame_loop *loop = c->admin->loop;

	if (!enquiry || ses_timers_start(&loop->timers, &c->patience,
					 loop->now_ms + ASK_MS) < 0) {
		gate_enquiry_forget(enquiry);
		heard(c, a, NULL);
		return;
	}
	c->enquiry = enquiry;
	c->heard = heard;
}

static void put_cluster(struct caller *c, struct answer *a,
			const struct gate_note *said)
{
	a->type = figures_type;
	gate_census_write(c->admin->view, said, &a->body);
}

static void show_cluster(struct caller *c, struct answer *a, struct bytes rest)
{
	await(c, a, gate_census_ask(c->admin->view, hear, c), put_cluster);
}

static void put_unknown(struct caller *c, struct answer *a)
{
	struct hub_redis_figures f = {.up = true};
	bool shared = gate_cluster_count(
		gate_house_cluster(c->admin->view->house), &f);

	if (c->late || !f.up)
		say(a, 503,
		    "It is not among the latest here, and other gateways "
		    "cannot be asked: the backplane does not answer. `sesame "
		    "why` has the journal.");
	else if (shared)
		say(a, 404,
		    "It is not among the latest here, nor among what other "
		    "gateways told of; `sesame why` has the journal of each.");
	else
		say(a,
		    404, "It is not among the latest; `sesame why` has the journal.");
}

static void put_refusal(struct caller *c, struct answer *a,
			const struct gate_note *said)
{
	struct gate_cluster *cluster = gate_house_cluster(c->admin->view->house);
	struct gate_story *story = calloc(1, sizeof(*story));

	if (story && said &&
	    gate_cluster_hear_why(cluster, said, c->reference, story) &&
	    gate_status_story_page(story, &a->body)) {
		a->type = "text/html; charset=utf-8";
		a->page = true;
	} else {
		put_unknown(c, a);
	}
	free(story);
}

static void show_refusal(struct caller *c, struct answer *a, struct bytes rest)
{
	struct gate_view *v = c->admin->view;
	uint64_t number = 0;
	bool is_one = why_reference_read(rest, &number);
	json_t *all = gate_status_json(v);

	why_reference_write(number, c->reference);
	if (!is_one) {
		say(a, 404, "That is no reference: one looks like 7K2M-Q4XD.");
	} else if (gate_status_refusal_page(all, bytes_of_str(c->reference),
					    &a->body)) {
		a->type = "text/html; charset=utf-8";
		a->page = true;
	} else {
		await(c, a,
		      gate_cluster_ask_why(gate_house_cluster(v->house),
					   c->reference, hear, c),
		      put_refusal);
	}
	json_decref(all);
}

/* ---- What changes something ---- */

static void reload(struct caller *c, struct answer *a, bool plan)
{
	json_t *done = c->admin->reload ? c->admin->reload(c->admin->user, plan)
					: NULL;

	if (!done) {
		say(a, 503, "This cannot be done now.");
		return;
	}
	if (!json_is_true(json_object_get(done, "done")))
		a->status = 409;
	put_json(a, done);
}

static void do_reload(struct caller *c, struct answer *a, struct bytes rest)
{
	reload(c, a, false);
}

static void do_plan(struct caller *c, struct answer *a, struct bytes rest)
{
	reload(c, a, true);
}

/* ---- Finding it ---- */

static const struct place {
	const char *path;
	bool begins;  /* the path goes on */
	bool changes; /* a POST through the control socket */
	void (*show)(struct caller *c, struct answer *a, struct bytes rest);
} places[] = {
	{"/healthz", false, false, show_alive},
	{"/readyz", false, false, show_ready},
	{"/metrics", false, false, show_figures},
	{"/metrics/cluster", false, false, show_cluster},
	{"/status.json", false, false, show_json},
	{"/refusals/", true, false, show_refusal},
	{"/", false, false, show_page},
	{"/reload", false, true, do_reload},
	{"/reload-plan", false, true, do_plan},
};

static const struct place *find_place(const struct caller *c, struct bytes path,
				      struct bytes *ret_rest)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *p = &places[i];
		size_t len = strlen(p->path);

		if (p->changes && !c->may_change)
			continue;
		if (!bytes_starts(path, bytes_of_str(p->path)) ||
		    (path.len > len && !p->begins))
			continue;
		*ret_rest = bytes_from(path, len);
		return p;
	}
	return NULL;
}

/* Those that @place takes, if @method is none of them; or NULL. */
static const char *other_methods(const struct place *place, struct bytes method)
{
	if (place->changes)
		return bytes_equal(method, BYTES("POST")) ? NULL : "POST";
	return bytes_equal(method, BYTES("GET")) ||
			       bytes_equal(method, BYTES("HEAD"))
		       ? NULL
		       : "GET, HEAD";
}

void gate_admin_answer(struct caller *c, const struct ses_head *head)
{
	struct answer a = {.status = 200};
	ptrdiff_t query = bytes_find_byte(head->target, '?');
	struct bytes path = query < 0 ? head->target
				      : bytes_first(head->target, (size_t)query);
	const struct place *p;
	const char *wrong;
	struct bytes rest;

	c->head_only = bytes_equal(head->method, BYTES("HEAD"));
	ses_buf_init(&a.body, GATE_ADMIN_BYTES);
	p = find_place(c, path, &rest);
	if (!c->admin->view)
		say(&a, 503, "starting");
	else if (!c->may_change && (wrong = gate_admin_why_not(c->admin, head)))
		say(&a, 403, wrong);
	else if (!p)
		say(&a, 404,
		    "Here are /, /status.json, /metrics, /metrics/cluster, "
		    "/healthz and /readyz.");
	else if ((a.allow = other_methods(p, head->method)))
		say(&a, 405, "Not by this method.");
	else
		p->show(c, &a, rest);
	if (c->heard)
		ses_buf_fini(&a.body);
	else
		gate_admin_send(c, &a);
}
