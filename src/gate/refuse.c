/* SPDX-License-Identifier: MIT */
/* The answer to a refused client: text, or problem details (RFC 9457). */
#include "gate/refuse.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <sesame/error.h>
#include <sesame/version.h>

#include "wire/upgrade.h"

#define BODY_BYTES  4096
#define USUAL_BYTES 256
#define SENTENCE_SIZE 480
#define MORE_FIELDS 4

/* The sentence of a status; %s is the path. */
static const struct {
	int status;
	const char *sentence;
} sentences[] = {
	{401, "%s on this server needs credentials, and none that are good "
	      "came with the handshake."},
	{403, "You don't have permission to access %s on this server."},
	{404, "There is no WebSocket at %s on this server."},
	{426, "%s on this server is a WebSocket: connect to it with ws:// or "
	      "wss://, not by plain HTTP."},
	{429, "Too many requests for %s for now; try again later."},
	{408, "The handshake did not arrive in time."},
	{502, "The upstream server of %s is not there, or gave no valid "
	      "answer."},
	{503, "Too many connections to %s; try again later."},
	{504, "The upstream server of %s did not answer in time."},
};

/*
 * The sentence of a cause, which helps more. Which rule it was is disclosed
 * only where the operator says so; what a client has to bring is no secret.
 */
static const struct {
	enum why_cause cause;
	enum gate_disclose from;
	const char *sentence;
} reasons[] = {
	{WHY_ACCESS_CLIENT_CERT, GATE_TELL_REFERENCE,
	 "%s on this server needs a client certificate that it accepts."},
	{WHY_ACCESS_PERMISSION, GATE_TELL_REFERENCE,
	 "Your credentials are good, but insufficient for %s."},
	{WHY_SERVER_SUBPROTOCOL, GATE_TELL_REFERENCE,
	 "No subprotocol that is spoken at %s was offered."},
	{WHY_ACCESS_ORIGIN, GATE_TELL_REASON,
	 "This origin is not allowed at %s."},
	{WHY_ACCESS_ORIGIN_MISSING, GATE_TELL_REASON,
	 "Missing Origin: no page that may use %s sends none."},
	{WHY_ACCESS_HOST, GATE_TELL_REASON,
	 "This host is not allowed at %s: the Host header names another one."},
	{WHY_ACCESS_IP, GATE_TELL_REASON,
	 "Your IP address is not allowed at %s."},
	{WHY_ACCESS_USER_AGENT, GATE_TELL_REASON,
	 "This user agent is not allowed at %s."},
};

static const char *format_of(const struct gate_answer *a)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].cause == a->cause &&
		    a->disclose >= reasons[i].from)
			return reasons[i].sentence;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].status == a->status)
			return sentences[i].sentence;
	return "This handshake is refused.";
}

/* Put together by hand: no format comes from a variable. */
static void fill_in(const char *format, struct bytes path, char *out,
		    size_t size)
{
	const char *gap = strstr(format, "%s");
	char shown[240];

	bytes_printable(path, shown, sizeof(shown));
	if (gap)
		snprintf(out, size, "%.*s%s%s", (int)(gap - format), format,
			 shown[0] ? shown : "/", gap + 2);
	else
		snprintf(out, size, "%s", format);
}

static void write_sentence(const struct gate_answer *a, char *out, size_t size)
{
	if (!a->sentence) {
		fill_in(format_of(a), a->path, out, size);
		return;
	}
	snprintf(out, size, "%s", a->sentence);
	if (out[0] >= 'a' && out[0] <= 'z')
		out[0] -= 'a' - 'A';
	if (out[0] && out[strlen(out) - 1] != '.' && strlen(out) + 1 < size)
		strcat(out, ".");
}

static int write_text(const struct gate_answer *a, const char *sentence,
		      struct ses_buf *body)
{
	ses_buf_append_str(body, ses_status_phrase(a->status));
	ses_buf_append_str(body, ": ");
	ses_buf_append_str(body, sentence);
	if (a->reference) {
		ses_buf_append_str(body, "\n\nReference: ");
		ses_buf_append_str(body, a->reference);
	}
	ses_buf_append_str(body, "\n");
	if (a->disclose >= GATE_TELL_REASON && a->reference)
		ses_buf_printf(body, "Cause: %s\n", why_cause(a->cause)->id);
	if (a->disclose == GATE_TELL_FULL && a->line)
		ses_buf_printf(body, "Rule: %s\nAt: %s:%u\n", a->rule, a->file,
			       a->line);
	return 0;
}

static int write_json(const struct gate_answer *a, const char *sentence,
		      struct ses_buf *body)
{
	json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:s*}", "type",
			      "about:blank", "title",
			      ses_status_phrase(a->status), "status", a->status,
			      "detail", sentence, "reference", a->reference);
	char *text;
	int r;

	if (a->disclose >= GATE_TELL_REASON && a->reference)
		json_object_set_new(o, "cause",
				    json_string(why_cause(a->cause)->id));
	if (a->disclose == GATE_TELL_FULL && a->line) {
		json_object_set_new(o, "rule", json_string(a->rule));
		json_object_set_new(o, "file", json_string(a->file));
		json_object_set_new(o, "line", json_integer(a->line));
	}
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	r = text ? ses_buf_printf(body, "%s\n", text) : SESAME_ENOMEM;
	free(text);
	return r;
}

int gate_problem_write(const struct gate_answer *a, struct ses_buf *out)
{
	char sentence[SENTENCE_SIZE];

	write_sentence(a, sentence, sizeof(sentence));
	return write_json(a, sentence, out);
}

int gate_answer_write(const struct gate_answer *a, struct ses_buf *out)
{
	bool json = gate_prefers_json(a->accept);
	struct ses_field fields[4 + MORE_FIELDS] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("X-Content-Type-Options"), BYTES("nosniff")},
		{BYTES("Cache-Control"), BYTES("no-store")},
	};
	size_t n = 3;
	char sentence[SENTENCE_SIZE];
	struct ses_buf body;
	int r;

	if (a->reference)
		fields[n++] = (struct ses_field){BYTES("Sesame-Reference"),
						 bytes_of_str(a->reference)};
	for (size_t i = 0; i < a->n_fields && i < MORE_FIELDS; i++)
		fields[n++] = a->fields[i];
	ses_buf_init(&body, BODY_BYTES);
	ses_buf_room(&body, USUAL_BYTES); /* at once, if it can be */
	write_sentence(a, sentence, sizeof(sentence));
	r = json ? write_json(a, sentence, &body)
		 : write_text(a, sentence, &body);
	if (r >= 0)
		r = ses_upgrade_write_answer(
			a->status, fields, n,
			json ? BYTES("application/problem+json")
			     : BYTES("text/plain; charset=utf-8"),
			ses_buf_bytes(&body), out);
	ses_buf_fini(&body);
	return r;
}

#define MAX_REASON 123 /* bytes (RFC 6455 5.5) */

unsigned gate_close_code(int status)
{
	switch (status) {
	case 429:
		return 4429;
	case 503:
		return 1013;
	default:
		return status >= 500 ? 1011 : 4403;
	}
}

int gate_answer_write_close(const struct gate_answer *a, struct ses_buf *out)
{
	char reason[MAX_REASON + 1], sentence[SENTENCE_SIZE];
	unsigned code = gate_close_code(a->status);
	uint8_t head[4] = {0x88, 0, (uint8_t)(code >> 8), (uint8_t)code};
	int n, r;

	write_sentence(a, sentence, sizeof(sentence));
	if (a->disclose >= GATE_TELL_REASON)
		n = snprintf(reason, sizeof(reason), "%s %s %s", a->reference,
			     why_cause(a->cause)->id, sentence);
	else
		n = snprintf(reason, sizeof(reason), "%s", a->reference);
	if (n > MAX_REASON)
		n = MAX_REASON; /* of ASCII, which can be cut anywhere */
	head[1] = (uint8_t)(2 + n);
	r = ses_buf_append(out, bytes_of(head, sizeof(head)));
	return r < 0 ? r : ses_buf_append(out, bytes_of(reason, (size_t)n));
}

/* ---- Accept ---- */

/* The weight in thousandths: ";q=0.8" gives 800. */
static int weight(struct bytes parameters)
{
	struct bytes q;
	int value = 0, scale = 100;

	while (parameters.len) {
		ptrdiff_t semicolon = bytes_find_byte(parameters, ';');
		size_t n = semicolon < 0 ? parameters.len : (size_t)semicolon;

		q = bytes_trim(bytes_first(parameters, n));
		parameters = bytes_from(parameters, n + 1);
		if (q.len < 3 || byte_lower(q.data[0]) != 'q' ||
		    q.data[1] != '=')
			continue;
		if (q.data[2] == '1')
			return 1000;
		for (size_t i = 4; i < q.len && scale; i++, scale /= 10)
			if (q.data[i] >= '0' && q.data[i] <= '9')
				value += (q.data[i] - '0') * scale;
		return value;
	}
	return 1000;
}

/* How well a range of Accept names a type: 0 not at all, 3 in full. */
static int specificity(struct bytes range, const char *const *names)
{
	for (int fit = 3; *names; names++, fit--)
		if (bytes_equal_nocase(range, bytes_of_str(*names)))
			return fit;
	return 0;
}

struct wish {
	int fit, weight;
	int place; /* among the ranges: earlier wins a tie */
};

static void consider(struct wish *w, struct bytes element, int place,
		     const char *const *names)
{
	ptrdiff_t semicolon = bytes_find_byte(element, ';');
	size_t n = semicolon < 0 ? element.len : (size_t)semicolon;
	int fit = specificity(bytes_trim(bytes_first(element, n)), names);

	if (fit > w->fit)
		*w = (struct wish){fit, weight(bytes_from(element, n + 1)),
				   place};
}

static const struct wish *stronger(const struct wish *a, const struct wish *b)
{
	if (a->weight != b->weight)
		return a->weight > b->weight ? a : b;
	return a->fit >= b->fit ? a : b;
}

bool gate_prefers_json(struct bytes accept)
{
	static const char *const problem[] = {"application/problem+json",
					      "application/*", "*/*", NULL};
	static const char *const json[] = {"application/json", "application/*",
					   "*/*", NULL};
	static const char *const plain[] = {"text/plain", "text/*", "*/*", NULL};
	static const char *const html[] = {"text/html", "text/*", "*/*", NULL};
	struct wish wishes[4] = {{0}};
	const struct wish *j, *t;
	struct bytes element;

	for (int place = 1; bytes_next_element(&accept, &element); place++) {
		consider(&wishes[0], element, place, problem);
		consider(&wishes[1], element, place, json);
		consider(&wishes[2], element, place, plain);
		consider(&wishes[3], element, place, html);
	}
	j = stronger(&wishes[0], &wishes[1]);
	t = stronger(&wishes[2], &wishes[3]);
	if (j->fit < 2 || j->weight == 0)
		return false;
	if (j->weight != t->weight)
		return j->weight > t->weight;
	return t->fit < 2 || j->place < t->place;
}
