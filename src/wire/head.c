/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 heads (RFC 9112 sections 2 to 5). A state machine looks at every
 * byte once, when it arrives, and refuses what two readers could understand
 * differently; when the empty line has come, one more pass notes where the
 * parts are. So the whole is linear however the bytes are cut, and nothing is
 * stored for heads that never end.
 */
#include "wire/head.h"

#include <string.h>

#include <sesame/error.h>

#define LINE_BYTES  (8 * 1024)
#define TOTAL_BYTES (32 * 1024)
#define FIELDS	    100

enum state {
	/* the first line of a request */
	METHOD,
	TARGET,
	VERSION,
	/* the first line of a response */
	PROTOCOL,
	STATUS,
	REASON,
	LOOSE_LINE, /* a tolerant parser's, after "HTTP/" */
	/* every line */
	START_END,
	START_LF,
	FIELD_BEGIN,
	NAME,
	VALUE,
	FIELD_LF,
	END_LF,
	WHOLE,
};

/* ---- what bytes may stand where ---- */

#define TOKEN 1 /* tchar, RFC 9110 5.6.2 */
#define PLAIN 2 /* in a field value: all but control bytes; tab is fine */
#define PATH  4 /* in a request target: visible ASCII but "#" */

static const uint8_t byte_class[256] = {
	['\t'] = PLAIN,
	[' '] = PLAIN,
	['!'] = TOKEN | PLAIN | PATH,
	['"'] = PLAIN | PATH,
	['#'] = TOKEN | PLAIN,
	['$' ... '\''] = TOKEN | PLAIN | PATH,
	['(' ... ')'] = PLAIN | PATH,
	['*' ... '+'] = TOKEN | PLAIN | PATH,
	[','] = PLAIN | PATH,
	['-' ... '.'] = TOKEN | PLAIN | PATH,
	['/'] = PLAIN | PATH,
	['0' ... '9'] = TOKEN | PLAIN | PATH,
	[':' ... '@'] = PLAIN | PATH,
	['A' ... 'Z'] = TOKEN | PLAIN | PATH,
	['[' ... ']'] = PLAIN | PATH,
	['^' ... 'z'] = TOKEN | PLAIN | PATH,
	['{'] = PLAIN | PATH,
	['|'] = TOKEN | PLAIN | PATH,
	['}'] = PLAIN | PATH,
	['~'] = TOKEN | PLAIN | PATH,
	[0x80 ... 0xff] = PLAIN,
};

static bool is_class(uint8_t c, uint8_t class)
{
	return byte_class[c] & class;
}

static bool all_of_class(struct bytes text, uint8_t class)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_class(text.data[i], class))
			return false;
	return true;
}

bool ses_is_token(struct bytes text)
{
	return text.len > 0 && all_of_class(text, TOKEN);
}

bool ses_is_field_value(struct bytes text)
{
	return all_of_class(text, PLAIN);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* ---- one function per state: take a byte, say what it breaks ---- */

/* A tolerant parser notes the first fault and goes on. */
static enum ses_fault forgive(struct ses_head_parser *p, enum ses_fault fault)
{
	if (!p->tolerant)
		return fault;
	if (p->tolerated == SES_FAULT_NONE)
		p->tolerated = fault;
	return SES_FAULT_NONE;
}

static enum ses_fault enter(struct ses_head_parser *p, enum state state)
{
	p->state = state;
	p->mark = p->scanned + 1;
	return SES_FAULT_NONE;
}

/* How many bytes of the element came before this one. */
static size_t nth(const struct ses_head_parser *p)
{
	return p->scanned - p->mark;
}

/* After a line's last byte: CR wants its LF, a bare LF wants forgiveness. */
static enum ses_fault end_line(struct ses_head_parser *p, uint8_t c,
			       enum state lf_state)
{
	if (c == '\r')
		return enter(p, lf_state);
	enter(p, lf_state == END_LF ? WHOLE : FIELD_BEGIN);
	return forgive(p, SES_FAULT_HEAD_LINE_END);
}

static bool is_line_end(uint8_t c)
{
	return c == '\r' || c == '\n';
}

static enum ses_fault take_method(struct ses_head_parser *p, uint8_t c)
{
	if (is_class(c, TOKEN))
		return SES_FAULT_NONE;
	if (nth(p) == 0)
		return SES_FAULT_HEAD_NOT_HTTP;
	if (c == ' ')
		return enter(p, TARGET);
	return is_line_end(c) ? SES_FAULT_HEAD_START_LINE
			      : SES_FAULT_HEAD_METHOD;
}

static enum ses_fault take_target(struct ses_head_parser *p, uint8_t c)
{
	if (is_class(c, PATH))
		return SES_FAULT_NONE;
	if (c == ' ' && nth(p) > 0)
		return enter(p, VERSION);
	return is_line_end(c) ? SES_FAULT_HEAD_START_LINE
			      : SES_FAULT_HEAD_TARGET;
}

/*
 * "HTTP/1.0" or "HTTP/1.1" at the @n-th byte: is @c right there? A wrong
 * letter is no HTTP, a wrong digit another version.
 */
static enum ses_fault match_version(size_t n, uint8_t c, enum ses_fault not_http)
{
	if (n < 5)
		return c == "HTTP/"[n] ? SES_FAULT_NONE : not_http;
	if (n == 5 ? c == '1' : n == 6 ? c == '.' : c == '0' || c == '1')
		return SES_FAULT_NONE;
	return is_digit(c) || (n == 6 && is_line_end(c))
		       ? SES_FAULT_HEAD_VERSION
		       : SES_FAULT_HEAD_START_LINE;
}

static enum ses_fault take_version(struct ses_head_parser *p, uint8_t c)
{
	enum ses_fault fault;

	/* Not the version's first letter: the blank stood in the target. */
	if (nth(p) == 0 && c != 'H' && !is_line_end(c))
		return SES_FAULT_HEAD_TARGET;
	fault = match_version(nth(p), c, SES_FAULT_HEAD_START_LINE);
	return !fault && nth(p) == 7 ? enter(p, START_END) : fault;
}

static enum ses_fault take_start_end(struct ses_head_parser *p, uint8_t c)
{
	if (is_line_end(c))
		return end_line(p, c, START_LF);
	return is_digit(c) ? SES_FAULT_HEAD_VERSION : SES_FAULT_HEAD_START_LINE;
}

static enum ses_fault take_protocol(struct ses_head_parser *p, uint8_t c)
{
	enum ses_fault fault;

	if (nth(p) == 8) {
		if (c == ' ')
			return enter(p, STATUS);
		return is_digit(c) ? SES_FAULT_HEAD_VERSION
				   : SES_FAULT_HEAD_START_LINE;
	}
	fault = match_version(nth(p), c, SES_FAULT_HEAD_NOT_HTTP);
	if (!fault && p->tolerant && nth(p) == 4)
		return enter(p, LOOSE_LINE);
	return fault;
}

/* Three digits; without a reason phrase their blank may be missing, too. */
static enum ses_fault take_status(struct ses_head_parser *p, uint8_t c)
{
	size_t n = nth(p);

	if (n < 3)
		return is_digit(c) && !(n == 0 && c == '0')
			       ? SES_FAULT_NONE
			       : SES_FAULT_HEAD_STATUS;
	if (c == ' ')
		return enter(p, REASON);
	return is_line_end(c) ? end_line(p, c, START_LF) : SES_FAULT_HEAD_STATUS;
}

static enum ses_fault take_reason(struct ses_head_parser *p, uint8_t c)
{
	if (is_class(c, PLAIN))
		return SES_FAULT_NONE;
	return is_line_end(c) ? end_line(p, c, START_LF)
			      : SES_FAULT_HEAD_START_LINE;
}

static enum ses_fault take_loose_line(struct ses_head_parser *p, uint8_t c)
{
	if (is_line_end(c))
		return end_line(p, c, START_LF);
	if (!is_class(c, PLAIN))
		return forgive(p, SES_FAULT_HEAD_START_LINE);
	return SES_FAULT_NONE;
}

static enum ses_fault begin_field(struct ses_head_parser *p)
{
	enter(p, NAME);
	if (p->n_fields == p->limits.fields)
		return forgive(p, SES_FAULT_HEAD_TOO_MANY_FIELDS);
	p->n_fields++;
	return SES_FAULT_NONE;
}

static enum ses_fault take_field_begin(struct ses_head_parser *p, uint8_t c)
{
	p->line_start = p->scanned;
	if (is_class(c, TOKEN))
		return begin_field(p);
	if (is_line_end(c))
		return end_line(p, c, END_LF);
	if (is_blank(c)) {
		enter(p, VALUE);
		return forgive(p, SES_FAULT_HEAD_FOLDED);
	}
	enter(p, c == ':' ? VALUE : NAME);
	return forgive(p, SES_FAULT_HEAD_NAME);
}

static enum ses_fault take_name(struct ses_head_parser *p, uint8_t c)
{
	if (is_class(c, TOKEN))
		return SES_FAULT_NONE;
	if (c == ':')
		return enter(p, VALUE);
	if (is_line_end(c) && p->tolerant)
		end_line(p, c, FIELD_LF);
	return forgive(p, SES_FAULT_HEAD_NAME);
}

static enum ses_fault take_value(struct ses_head_parser *p, uint8_t c)
{
	if (is_class(c, PLAIN))
		return SES_FAULT_NONE;
	if (is_line_end(c))
		return end_line(p, c, FIELD_LF);
	return forgive(p, SES_FAULT_HEAD_VALUE);
}

/* A CR came. Without its LF it is just a byte to a tolerant parser. */
static enum ses_fault take_lf(struct ses_head_parser *p, uint8_t c)
{
	if (c == '\n')
		return enter(p, p->state == END_LF ? WHOLE : FIELD_BEGIN);
	if (c != '\r')
		p->state = p->state == START_LF ? LOOSE_LINE : VALUE;
	return forgive(p, SES_FAULT_HEAD_LINE_END);
}

static enum ses_fault (*const take[])(struct ses_head_parser *, uint8_t) = {
	[METHOD] = take_method,
	[TARGET] = take_target,
	[VERSION] = take_version,
	[PROTOCOL] = take_protocol,
	[STATUS] = take_status,
	[REASON] = take_reason,
	[LOOSE_LINE] = take_loose_line,
	[START_END] = take_start_end,
	[START_LF] = take_lf,
	[FIELD_BEGIN] = take_field_begin,
	[NAME] = take_name,
	[VALUE] = take_value,
	[FIELD_LF] = take_lf,
	[END_LF] = take_lf,
};

/* ---- the parts of a head that is whole ---- */

/* Cut the next line off @in, with its end; *ret_line comes without. */
static bool next_line(struct bytes *in, struct bytes *ret_line)
{
	ptrdiff_t lf = bytes_find_byte(*in, '\n');
	size_t n = lf < 0 ? in->len : (size_t)lf;

	if (in->len == 0)
		return false;
	*ret_line = bytes_first(*in, n);
	*in = lf < 0 ? bytes_of(in->data + n, 0)
		     : bytes_of(in->data + n + 1, in->len - n - 1);
	if (n > 0 && ret_line->data[n - 1] == '\r')
		ret_line->len--;
	return true;
}

/* Up to the next blank; the blank is gone afterwards. */
static struct bytes next_word(struct bytes *line)
{
	ptrdiff_t blank = bytes_find_byte(*line, ' ');
	struct bytes word = *line;

	if (blank < 0) {
		*line = bytes_of(line->data + line->len, 0);
		return word;
	}
	word.len = (size_t)blank;
	*line = bytes_of(line->data + blank + 1, line->len - word.len - 1);
	return word;
}

static void store_request_line(struct ses_head *head, struct bytes line)
{
	head->method = next_word(&line);
	head->target = next_word(&line);
	head->minor_version = line.data[line.len - 1] - '0';
}

/* "403" gives 403; only tolerant parsers meet anything else. */
static int read_status(struct bytes word)
{
	uint64_t value;

	if (word.len != 3 || !bytes_to_u64(word, 999, &value) || value < 100)
		return 0;
	return (int)value;
}

static void store_status_line(struct ses_head_parser *p, struct ses_head *head,
			      struct bytes line)
{
	struct bytes protocol = next_word(&line);

	head->minor_version = !bytes_equal(protocol, BYTES("HTTP/1.0"));
	if (p->tolerant) {
		if (head->minor_version &&
		    !bytes_equal(protocol, BYTES("HTTP/1.1")))
			forgive(p, SES_FAULT_HEAD_VERSION);
		line = bytes_trim(line);
	}
	head->status = read_status(next_word(&line));
	if (head->status == 0)
		forgive(p, SES_FAULT_HEAD_STATUS);
	head->reason = bytes_trim(line);
}

/* The folded value reaches from the field's colon to this line's end. */
static void unfold(struct ses_head *head, struct bytes line)
{
	struct bytes *value;
	const uint8_t *end = line.data + line.len;

	if (head->n_fields == 0)
		return;
	value = &head->fields[head->n_fields - 1].value;
	value->len = (size_t)(end - value->data);
	*value = bytes_trim(*value);
}

static void store_field(const struct ses_head_parser *p, struct ses_head *head,
			struct bytes line)
{
	ptrdiff_t colon = bytes_find_byte(line, ':');
	struct ses_field *field;

	if (line.len > 0 && is_blank(line.data[0])) {
		unfold(head, line);
		return;
	}
	if (colon <= 0 || head->n_fields == p->limits.fields)
		return;
	field = &head->fields[head->n_fields++];
	field->name = bytes_trim(bytes_first(line, (size_t)colon));
	field->value = bytes_trim(
		bytes_of(line.data + colon + 1, line.len - (size_t)colon - 1));
}

static int store(struct ses_head_parser *p, struct bytes in,
		 struct ses_head *head)
{
	struct bytes line;

	head->is_request = p->is_request;
	head->method = head->target = head->reason = bytes_of(NULL, 0);
	head->status = 0;
	head->n_fields = 0;
	head->length = in.len;
	next_line(&in, &line);
	if (p->is_request)
		store_request_line(head, line);
	else
		store_status_line(p, head, line);
	while (next_line(&in, &line) && line.len > 0)
		store_field(p, head, line);
	return (int)head->length;
}

/* ---- the story ---- */

static size_t at_most(size_t given, size_t otherwise, size_t ceiling)
{
	size_t value = given ? given : otherwise;

	return value < ceiling ? value : ceiling;
}

void ses_head_init(struct ses_head_parser *p, bool is_request,
		   const struct ses_head_limits *limits)
{
	static const struct ses_head_limits none;

	limits = limits ? limits : &none;
	*p = (struct ses_head_parser){
		.is_request = is_request,
		.state = is_request ? METHOD : PROTOCOL,
		.limits =
			{
				.line_bytes = at_most(limits->line_bytes,
						      LINE_BYTES, INT32_MAX),
				.total_bytes = at_most(limits->total_bytes,
						       TOTAL_BYTES, INT32_MAX),
				.fields = at_most(limits->fields, FIELDS,
						  SES_HEAD_MAX_FIELDS),
			},
	};
}

static enum ses_fault check_line_limit(const struct ses_head_parser *p,
				       uint8_t c)
{
	if (p->state == FIELD_BEGIN || is_line_end(c) ||
	    p->scanned - p->line_start < p->limits.line_bytes)
		return SES_FAULT_NONE;
	return p->state == TARGET ? SES_FAULT_HEAD_TARGET_TOO_LONG
				  : SES_FAULT_HEAD_LINE_TOO_LONG;
}

/* All eight are PLAIN; a tab may be none here. */
static bool eight_are_plain(const uint8_t *at)
{
	const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
	uint64_t word, del;

	memcpy(&word, at, sizeof(word));
	del = word ^ ones * 0x7f;
	return !((((word - ones * ' ') & ~word) | ((del - ones) & ~del)) & tops);
}

/* Pass over bytes that leave the state as it is, as far as the line may go. */
static void skip_run(struct ses_head_parser *p, struct bytes in)
{
	static const uint8_t class_of[WHOLE + 1] = {
		[METHOD] = TOKEN, [TARGET] = PATH, [REASON] = PLAIN,
		[NAME] = TOKEN,	  [VALUE] = PLAIN,
	};
	uint8_t class = class_of[p->state];
	size_t end = p->line_start + p->limits.line_bytes, i = p->scanned;

	if (end > in.len)
		end = in.len;
	if (class == PLAIN)
		while (i + 8 <= end && eight_are_plain(in.data + i))
			i += 8;
	while (i < end && is_class(in.data[i], class))
		i++;
	p->scanned = i;
}

/* Look at the bytes that are new, up to the head's end or the first fault. */
static enum ses_fault scan(struct ses_head_parser *p, struct bytes in)
{
	enum ses_fault fault;

	in = bytes_first(in, p->limits.total_bytes);
	while (p->state != WHOLE && p->scanned < in.len) {
		uint8_t c;

		skip_run(p, in);
		if (p->scanned == in.len)
			break;
		c = in.data[p->scanned];
		fault = check_line_limit(p, c);
		if (!fault)
			fault = take[p->state](p, c);
		if (fault)
			return fault;
		p->scanned++;
	}
	if (p->state != WHOLE && p->scanned >= p->limits.total_bytes)
		return SES_FAULT_HEAD_TOO_LONG;
	return SES_FAULT_NONE;
}

int ses_head_parse(struct ses_head_parser *p, struct bytes in,
		   struct ses_head *ret_head, enum ses_fault *ret_fault)
{
	enum ses_fault fault = scan(p, in);

	if (fault) {
		*ret_fault = fault;
		return SESAME_EPROTO;
	}
	if (p->state != WHOLE)
		return 0;
	return store(p, bytes_first(in, p->scanned), ret_head);
}

int ses_head_finish(struct ses_head_parser *p, struct bytes in,
		    struct ses_head *ret_head, enum ses_fault *ret_fault)
{
	int n = ses_head_parse(p, in, ret_head, ret_fault);
	struct ses_head head;

	if (n != 0)
		return n;
	*ret_fault = SES_FAULT_HEAD_CUT;
	if (!p->tolerant || p->is_request || p->state == PROTOCOL)
		return SESAME_EPROTO;
	n = store(p, in, &head);
	if (head.status == 0)
		return SESAME_EPROTO;
	forgive(p, SES_FAULT_HEAD_CUT);
	*ret_head = head;
	*ret_fault = SES_FAULT_NONE;
	return n;
}

int64_t ses_head_content_length(const struct ses_head *head)
{
	uint64_t length = 0, again;
	bool given = false;

	for (size_t i = 0; i < head->n_fields; i++) {
		const struct ses_field *field = &head->fields[i];

		if (!bytes_equal_nocase(field->name, BYTES("Content-Length")))
			continue;
		if (!bytes_to_u64(field->value, INT64_MAX, &again) ||
		    (given && again != length))
			return -2;
		length = again;
		given = true;
	}
	return given ? (int64_t)length : -1;
}
