/* SPDX-License-Identifier: MIT */
/*
 * Lines of the access log out of whatever clients sent: one line each, as JSON
 * an object with these fields and no others, as text nothing that passes for a
 * field which is none. The input is values, each behind its length.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "gate/line.h"

#define MOST_FIELDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[MOST_FIELDS] = {"a", "b", "c", "d",
					       "e", "f", "g", "h"};

static void check_bytes(struct bytes line)
{
	assert(line.len > 0 && line.len < GATE_LINE_BYTES);
	assert(line.data[line.len - 1] == '\n');
	for (size_t i = 0; i + 1 < line.len; i++)
		assert(line.data[i] >= ' ' && line.data[i] != 0x7f);
}

static void check_json(struct bytes line, size_t n)
{
	json_error_t error;
	json_t *o = json_loadb((const char *)line.data, line.len,
			       JSON_REJECT_DUPLICATES, &error);
	const char *name;
	json_t *value;

	assert(json_is_object(o));
	json_object_foreach(o, name, value) assert(
		strcmp(name, "time") == 0 || strcmp(name, "event") == 0 ||
		strcmp(name, "number") == 0 || strcmp(name, "seconds") == 0 ||
		(!name[1] && (size_t)(name[0] - 'a') < n));
	json_decref(o);
}

/* Read as a shell would: words, and what stands in quotes has no quote. */
static void check_text(struct bytes line, size_t n)
{
	size_t i = 0, fields = 0;
	bool quoted = false;

	for (; i < line.len; i++) {
		if (line.data[i] == '"')
			quoted = !quoted;
		if (line.data[i] == '=' && !quoted)
			fields++;
	}
	assert(!quoted && fields <= n + 2);
}

static void write_one(bool json, const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), line;
	struct gate_line l;
	size_t n = 0;

	gate_line_begin(&l, json, 1700000000000, "open");
	while (in.len && n < MOST_FIELDS) {
		size_t len = in.data[0] * (size_t)8;

		in = bytes_from(in, 1);
		gate_line_text(&l, names[n++], bytes_first(in, len));
		in = bytes_from(in, len);
	}
	gate_line_number(&l, "number", size);
	gate_line_seconds(&l, "seconds", size);
	line = gate_line_end(&l);
	check_bytes(line);
	if (json)
		check_json(line, n);
	else
		check_text(line, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	write_one(true, data, size);
	write_one(false, data, size);
	return 0;
}
