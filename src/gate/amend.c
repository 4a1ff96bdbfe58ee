/* SPDX-License-Identifier: MIT */
/*
 * An entry that excludes is taken out, or one address let out of it; what no
 * entry admits is put in, and a
 * default is replaced by a list that has what the default let in, too. A list
 * that only excludes admits all others, which it would not with one entry
 * that admits: there nothing is put in.
 */
#include "gate/amend.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/index.h"

/* ---- Changing a policy ---- */

static bool compile(struct gate_policy *p)
{
	static const uint8_t seed[SES_HASH_SEED];

	gate_index_free(p->index);
	p->index = gate_index_new(p, seed);
	return p->index;
}

static bool put_rule(struct gate_rules *rules, enum gate_list list,
		     struct bytes entry, unsigned line)
{
	struct gate_rule *more, *rule;

	if (!entry.len) /* nothing was sent that could be listed */
		return false;
	more = realloc(rules->rule, (rules->n + 1) * sizeof(*more));
	if (!more)
		return false;
	rules->rule = more;
	rule = &more[rules->n];
	*rule = (struct gate_rule){
		.text = strndup((const char *)entry.data, entry.len),
		.line = line};
	if (!rule->text || gate_rule_read(list, rule) || rule->negative) {
		free(rule->text);
		return false;
	}
	rules->n++;
	rules->line = rules->line ? rules->line : line;
	return true;
}

static bool take_rule(struct gate_rules *rules, const char *text)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (rules->rule[i].text != text)
			continue;
		free(rules->rule[i].text);
		rules->rule[i] = rules->rule[--rules->n];
		if (!rules->n)
			rules->line = 0; /* a list without entries is none */
		return true;
	}
	return false;
}

/* ---- What is missing ---- */

static bool put_origin(struct gate_rules *rules, unsigned line,
		       const char *scheme, struct bytes origin,
		       struct gate_amendment *a)
{
	char entry[300];
	size_t at = strlen(a->entry);

	snprintf(entry, sizeof(entry), "%s%.*s", scheme, BYTES_ARG(origin));
	if (!put_rule(rules, GATE_ORIGINS, bytes_of_str(entry), line))
		return false;
	/* An origin from the wire may hold anything; a pattern may not. */
	snprintf(a->entry + at, sizeof(a->entry) - at, "%s%s", at ? ", " : "",
		 entry);
	return true;
}

static bool replace_default(struct gate_route *route,
			    const struct gate_request *request,
			    struct gate_amendment *a)
{
	struct gate_rules *rules = &route->allow[GATE_ORIGINS];

	a->kind = GATE_ADD_LIST;
	a->line = route->line;
	put_origin(rules, route->line, "none", bytes_of("", 0), a);
	if (!request->secure)
		put_origin(rules, route->line, "http://", request->host, a);
	put_origin(rules, route->line, "https://", request->host, a);
	return put_origin(rules, route->line, "", request->origin, a);
}

static bool add_entry(const struct gate_policy *policy,
		      struct gate_route *route, enum gate_list list,
		      struct bytes value, struct gate_amendment *a)
{
	if (gate_index_only_excludes(policy, route, list))
		return false;
	if (!value.data && list == GATE_ORIGINS)
		value = BYTES("none");
	a->kind = GATE_ADD_ENTRY;
	a->line = route->allow[list].line;
	bytes_printable(value, a->entry, sizeof(a->entry));
	return put_rule(&route->allow[list], list, value, a->line);
}

/* Subprotocols stand in no index, and their entries are names alone. */
static bool add_subprotocol(struct gate_route *route,
			    const struct gate_trace *decider,
			    struct gate_amendment *a)
{
	struct gate_rules *rules = &route->subprotocols;
	struct bytes name = decider->value.data ? decider->value : BYTES("none");
	struct gate_rule *more =
		realloc(rules->rule, (rules->n + 1) * sizeof(*more));

	if (!more)
		return false;
	rules->rule = more;
	more[rules->n] = (struct gate_rule){
		.text = strndup((const char *)name.data, name.len),
		.line = rules->line};
	more[rules->n].glob = bytes_of_str(more[rules->n].text);
	rules->n += more[rules->n].text != NULL;
	*a = (struct gate_amendment){.kind = GATE_ADD_ENTRY,
				     .list = "subprotocols",
				     .route = route->path,
				     .line = rules->line};
	bytes_printable(name, a->entry, sizeof(a->entry));
	return true;
}

/*
 * Of networks the longest prefix decides, so one address is let out of an
 * exclusion by an entry of its own, and its neighbours stay out. Where all
 * entries exclude, that entry would exclude everybody else.
 */
static bool add_exception(const struct gate_policy *policy,
			  struct gate_route *route, enum gate_list list,
			  const struct gate_request *request,
			  struct gate_amendment *a)
{
	const struct gate_rule *rule =
		gate_index_rule(policy, route, list, request);

	return list == GATE_ADDRESSES && rule && rule->network.prefix < 128 &&
	       add_entry(policy, route, list, request->address_text, a);
}

/* Give the look that refused what it misses; false: no list can. */
static bool amend_once(struct gate_policy *policy,
		       const struct gate_request *request,
		       const struct gate_decision *d, struct gate_amendment *a)
{
	const struct gate_trace *decider = gate_decider(d);
	struct gate_route *route;

	if (!d->route)
		return false;
	route = &policy->route[d->route - policy->route];
	if (strcmp(decider->check, "subprotocol") == 0)
		return add_subprotocol(route, decider, a);
	if (d->list == GATE_N_LISTS)
		return false;
	*a = (struct gate_amendment){.list = gate_list_name(d->list),
				     .route = route->path};
	if (!route->allow[d->list].line)
		return d->list == GATE_ORIGINS &&
		       replace_default(route, request, a);
	if (decider->rule[0] != '!')
		return add_entry(policy, route, d->list,
				 gate_list_value(request, d->list), a);
	if (add_exception(policy, route, d->list, request, a))
		return true;
	a->kind = GATE_REMOVE_ENTRY;
	a->line = decider->line;
	bytes_printable(bytes_of_str(decider->rule), a->entry, sizeof(a->entry));
	return take_rule(&route->allow[d->list], decider->rule);
}

void gate_amend(struct gate_policy *policy, const struct gate_request *request,
		struct gate_amendments *ret)
{
	struct gate_trial *trial = &ret->trial;

	ret->n = 0;
	/* Who brought none has none after the change, either. */
	trial->judges =
		request->any_credentials ? GATE_JUDGES_NONE : GATE_JUDGES_ALL;
	for (;;) {
		gate_try(policy, request, trial, &ret->then);
		gate_trial_fini(trial);
		ret->assumed = trial->assumed != 0;
		if (ret->then.admitted || ret->n == GATE_MAX_AMENDMENTS ||
		    !amend_once(policy, request, &ret->then,
				&ret->amendment[ret->n]))
			return;
		ret->n++;
		if (!compile(policy)) {
			ret->then.admitted = false;
			return;
		}
	}
}

/* ---- Telling ---- */

/* Entries in quotes, as YAML has them in any case; of a @list after commas. */
static int put_quoted(struct ses_buf *out, const char *entries, bool list)
{
	int r = ses_buf_append_str(out, "\"");

	for (; r >= 0 && *entries; entries++) {
		if (list && strncmp(entries, ", ", 2) == 0)
			r = ses_buf_append_str(out, "\",");
		else if (*entries == '"' || *entries == '\\')
			r = ses_buf_printf(out, "\\%c", *entries);
		else if (list && entries[0] == ' ' && entries[-1] == ',')
			r = ses_buf_append_str(out, " \"");
		else
			r = ses_buf_printf(out, "%c", *entries);
	}
	return r < 0 ? r : ses_buf_append_str(out, "\"");
}

int gate_amendment_tell(const struct gate_amendment *a, const char *file,
			struct ses_buf *out)
{
	const char *list = a->list;

	switch (a->kind) {
	case GATE_REMOVE_ENTRY:
		ses_buf_printf(out,
			       "remove or narrow the entry at %s:%u:\n\n"
			       "    %s: [..., ",
			       file, a->line, list);
		put_quoted(out, a->entry, false);
		return ses_buf_append_str(out, ", ...]\n");
	case GATE_ADD_LIST:
		ses_buf_printf(out,
			       "give route %s (%s:%u) a list, which takes the "
			       "place of the default:\n\n    allow: {%s: [",
			       a->route, file, a->line, list);
		put_quoted(out, a->entry, true);
		return ses_buf_append_str(out, "]}\n");
	case GATE_ADD_ENTRY:
	default:
		ses_buf_printf(out,
			       "add it to the list at %s:%u:\n\n    %s: [..., ",
			       file, a->line, list);
		put_quoted(out, a->entry, false);
		return ses_buf_append_str(out, "]\n");
	}
}
