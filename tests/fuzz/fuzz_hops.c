/* SPDX-License-Identifier: MIT */
/*
 * Who the client is, from lists that anybody wrote. The input is split at line
 * ends into fields, by turns of both kinds; whatever they say, an untrusted
 * peer is itself the client, and what a trusted one put at the right end counts.
 */
#include <assert.h>

#include "gate/hops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"X-Forwarded-For", "Forwarded",
				    "X-Forwarded-Proto"};

static void read_fields(struct bytes in, struct ses_head *head)
{
	while (in.len && head->n_fields < 10) {
		ptrdiff_t end = bytes_find_byte(in, '\n');
		struct bytes line =
			bytes_first(in, end < 0 ? in.len : (size_t)end);

		head->fields[head->n_fields] = (struct ses_field){
			bytes_of_str(names[head->n_fields % 3]),
			bytes_trim(line)};
		head->n_fields++;
		in = bytes_from(in, line.len + 1);
	}
}

static void check(const struct gate_hops *h)
{
	char line[256], text[GATE_ADDRESS_TEXT];

	assert(h->n > 0 && h->n <= GATE_MAX_HOPS + 2);
	assert(memcmp(&h->client, &h->hop[h->n - 1].address, 16) == 0);
	gate_address_format(&h->client, text);
	assert(strcmp(text, h->client_text) == 0);
	gate_hops_format(h, line, sizeof(line));
	assert(strlen(line) < sizeof(line));
	for (const char *c = line; *c; c++)
		assert((uint8_t)*c >= ' ' && *c != 0x7f);
}

static void append_honestly(struct gate_hops_input *in, struct ses_head *head,
			    struct gate_hops *h)
{
	head->fields[head->n_fields] = (struct ses_field){
		bytes_of_str(names[in->field]),
		in->field == GATE_HOPS_FORWARDED
			? BYTES("for=\"[2001:db8::9]:80\";proto=https")
			: BYTES("2001:db8::9")};
	head->n_fields++;
	gate_hops_read(in, h);
	assert(h->n == 2 && strcmp(h->client_text, "2001:db8::9") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_hops h;
	static struct ses_head head;
	struct gate_network trusted[2];
	struct gate_hops_input in = {
		.head = &head, .trusted = trusted, .n_trusted = 2};

	head.n_fields = 0;
	read_fields(bytes_of(data, size), &head);
	gate_network_read(BYTES("10.0.0.0/8"), &trusted[0]);
	gate_network_read(BYTES("::1"), &trusted[1]);
	for (int field = 0; field < 2; field++) {
		in.field = (enum gate_hops_field)field;
		gate_address_read(BYTES("10.0.0.1"), &in.peer);
		gate_hops_read(&in, &h);
		check(&h);
		append_honestly(&in, &head, &h);
		head.n_fields--;
		gate_address_read(BYTES("203.0.113.1"), &in.peer);
		gate_hops_read(&in, &h);
		check(&h);
		assert(h.n == 1 && !h.tls);
	}
	return 0;
}
