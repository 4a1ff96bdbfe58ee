/* SPDX-License-Identifier: MIT */
/*
 * What clients of channels send: envelopes, payloads of states, batches, ids.
 * What is taken out of them is JSON where it has to be, and every text comes
 * back from JSON as it went in.
 */
#include <assert.h>
#include <jansson.h>

#include "hub/demand.h"
#include "hub/envelope.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_json(struct bytes text)
{
	json_error_t error;
	json_t *o = json_loadb((const char *)text.data, text.len,
			       JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	bool is = o != NULL;

	json_decref(o);
	return is;
}

static void try_demand(struct bytes in)
{
	struct hub_demand d;
	const char *wrong = hub_demand_read(in, &d);
	struct bytes payload = d.data;

	assert(d.ref >= -1);
	if (!wrong && d.sort == HUB_PUBLISH)
		assert(ses_utf8_valid(payload) && payload.len <= in.len);
	if (!wrong && d.sort == HUB_LIST)
		assert(d.limit >= 1 && d.limit <= HUB_LIST_MAX &&
		       d.after_len <= sizeof(d.after));
	hub_demand_fini(&d);
}

static void try_about(struct bytes in)
{
	struct hub_about about;

	if (!hub_about_read(in, "key", &about))
		assert(about.key_len && about.key_len <= sizeof(about.key));
}

static void try_list(struct bytes in)
{
	struct hub_list list;
	struct bytes one;
	size_t n = 0;

	if (!hub_list_read(in, &list)) {
		for (; hub_list_next(&list, &one); n++)
			assert(ses_utf8_valid(one) && one.len <= in.len);
		assert(list.wrong || n == list.n);
	}
	hub_list_fini(&list);
}

static void try_text(struct bytes in)
{
	struct ses_buf out;
	json_error_t error;
	json_t *back;

	if (!ses_utf8_valid(in))
		return;
	ses_buf_init(&out, 6 * in.len + 2);
	assert(hub_json_text(&out, in) == 0 && is_json(ses_buf_bytes(&out)));
	back = json_loadb((const char *)ses_buf_bytes(&out).data,
			  ses_buf_len(&out), JSON_DECODE_ANY | JSON_ALLOW_NUL,
			  &error);
	assert(bytes_equal(
		bytes_of(json_string_value(back), json_string_length(back)), in));
	json_decref(back);
	ses_buf_fini(&out);
}

static void try_id(struct bytes in)
{
	char text[HUB_ID_SIZE];
	struct hub_id id;

	if (!hub_id_read(in, &id))
		return;
	hub_id_write(&id.epoch, id.seq, text);
	assert(bytes_equal(in, bytes_of_str(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	try_demand(in);
	try_about(in);
	try_list(in);
	try_text(in);
	try_id(in);
	return 0;
}
