/* SPDX-License-Identifier: MIT */
/*
 * Two requests of any kind: what distinguishes them is found without reading
 * past either, has words without control bytes, and makes an experiment. A line
 * is a field of the one or, after "\n\n", of the other; "^" begins a URL.
 */
#include <assert.h>
#include <stdlib.h>

#include "doctor/differ.h"

#define MOST_FIELDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct request {
	struct doctor_case c;
	struct doctor_header *header;
	char *text;
};

static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	*rest = end ? end + 1 : line + strlen(line);
	if (end)
		*end = 0;
	return line;
}

static void read_field(struct doctor_case *c, char *line)
{
	char *colon = strchr(line, ':');

	if (!colon || colon == line || c->n_headers == MOST_FIELDS)
		return;
	*colon = 0;
	c->header[c->n_headers].name = line;
	c->header[c->n_headers++].value = colon + 1 + (colon[1] == ' ');
}

static void read_url(struct doctor_case *c, char *text)
{
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;

	ses_url_parse(bytes_of_str(text), &url, &fault, &at);
	if (fault != SES_URL_OK && fault != SES_URL_HTTP)
		return;
	c->url_text = text;
	c->url = url;
}

/* Everything up to an empty line; what is left is the other one. */
static void read_request(struct doctor_case *c, char **rest)
{
	static char usual[] = "ws://127.0.0.1:8080/chat?room=1";
	static char agent[] = "sesame";
	char *line;

	c->user_agent = agent; /* a case has one */
	read_url(c, usual);
	while (**rest && *(line = next_line(rest))) {
		if (line[0] == '^')
			read_url(c, line + 1);
		else if (line[0] == 'O' && line[1] == '=')
			c->origin = line + 2;
		else if (line[0] == 'S' && line[1] == '=')
			c->subprotocols = line + 2;
		else
			read_field(c, line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct doctor_differ d;
	static struct doctor_case mine, other;
	char *text = malloc(size + 1), *rest = text, shown[300];
	struct doctor_trial trial;

	memset(&mine, 0, sizeof(mine));
	memset(&other, 0, sizeof(other));
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	read_request(&mine, &rest);
	read_request(&other, &rest);
	doctor_differ(&d, &mine, &other);
	assert(d.n <= 2 * DOCTOR_MAX_ITEMS && d.n_bits <= DOCTOR_MAX_DIFFERENCES);
	for (size_t i = 0; i < d.n; i++) {
		assert(d.one[i].from || d.one[i].to);
		doctor_difference_text(&d.one[i], shown, sizeof(shown));
		for (const char *c = shown; *c; c++)
			assert((uint8_t)*c >= ' ' && *c != 0x7f);
		assert(doctor_applies(&d.one[i], doctor_differ_all(&d)));
	}
	doctor_differ_trial(&d, doctor_differ_all(&d), &trial);
	for (unsigned bit = 0; bit < d.n_bits; bit++)
		doctor_differ_trial(&d, (uint64_t)1 << bit, &trial);
	free(text);
	return 0;
}
