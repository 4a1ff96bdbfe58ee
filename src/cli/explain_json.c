/* SPDX-License-Identifier: MIT */
/* The manual of causes for machines: the rows of src/why, as they are. */
#include "cli/explain.h"

#include <jansson.h>

#include "why/remedy.h"

bool explain_has_own(int cause, int stack)
{
	const struct why_remedy *first = why_remedy(cause, stack, 0);

	return first && first->stack != WHY_STACK_NONE;
}

static json_t *json_remedies(int cause, int stack)
{
	json_t *list = json_array();
	const struct why_remedy *r;

	for (int s = 0; s < WHY_N_STACKS; s++) {
		if (stack != WHY_STACK_NONE && s != stack)
			continue;
		for (size_t i = 0; (r = why_remedy(cause, s, i)); i++) {
			bool own = (int)r->stack == s;

			if (!own && stack == WHY_STACK_NONE)
				continue;
			json_array_append_new(
				list,
				json_pack(
					"{s:s?, s:s, s:s, s:s?, s:s?}", "stack",
					r->stack ? why_stack(r->stack)->id : NULL,
					"who", r->who, "what", r->what, "where",
					r->where, "snippet", r->snippet));
		}
	}
	return list;
}

json_t *explain_json_cause(int cause, int stack)
{
	const struct why_cause_row *row = why_cause(cause);
	struct bytes category = why_category(cause);

	return json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s, s:o}", "kind", "cause",
			 "id", row->id, "category", category.data, category.len,
			 "who", row->who, "sentence", row->sentence, "text",
			 row->text, "remedies", json_remedies(cause, stack));
}

json_t *explain_json_status(const struct why_status *status)
{
	json_t *causes = json_array();

	for (size_t i = 0; i < status->n_shares; i++) {
		const struct why_share *share = &status->share[i];

		json_array_append_new(
			causes,
			json_pack("{s:s, s:o}", "cause",
				  why_cause(share->cause)->id, "percent",
				  share->percent ? json_integer(share->percent)
						 : json_null()));
	}
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:i, s:o}", "kind",
			 "status", "first", status->first, "last", status->last,
			 "name", status->name, "says", status->says, "next",
			 status->next, "threads", status->threads, "causes",
			 causes);
}

json_t *explain_json_topic(const struct why_topic *topic)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "kind", "topic", "id",
			 topic->id, "question", topic->question, "text",
			 topic->text);
}

json_t *explain_json_stack(int stack)
{
	json_t *causes = json_array();
	const struct why_stack_row *row = why_stack(stack);

	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (explain_has_own(c, stack))
			json_array_append_new(causes,
					      explain_json_cause(c, stack));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "kind", "stack", "id",
			 row->id, "name", row->name, "layer",
			 why_layer_name(row->layer), "causes", causes);
}

json_t *explain_json_causes(struct bytes category, int stack)
{
	json_t *list = json_array();

	for (int c = 0; c < WHY_N_CAUSES; c++)
		if (!category.len ||
		    bytes_equal_nocase(why_category(c), category))
			json_array_append_new(list,
					      explain_json_cause(c, stack));
	return list;
}

json_t *explain_json_contents(int stack)
{
	json_t *statuses = json_array(), *topics = json_array();

	for (size_t i = 0; why_status(i); i++)
		json_array_append_new(statuses,
				      explain_json_status(why_status(i)));
	for (size_t i = 0; why_topic(i); i++)
		json_array_append_new(topics, explain_json_topic(why_topic(i)));
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", "contents", "causes",
			 explain_json_causes(bytes_of(NULL, 0), stack),
			 "statuses", statuses, "topics", topics);
}
