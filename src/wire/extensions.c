/* SPDX-License-Identifier: MIT */
/*
 * Sec-WebSocket-Extensions (RFC 6455 9.1) and the bargain over
 * permessage-deflate (RFC 7692 sections 5 and 7.1). An offer that asks for
 * what is not known, or says something twice, is declined, not refused; an
 * answer that does so ends the connection.
 */
#include "wire/extensions.h"

#include <sesame/error.h>

#define WINDOW_MAX 15
#define WINDOW_MIN 8
/*
 * zlib makes no raw stream for a window of 8 bits: who is to keep to that sends
 * his messages as they are (RFC 7692 6 lets him).
 */
#define WINDOW_ZLIB_MIN 9

#define NAME		   "permessage-deflate"
#define SERVER_NO_TAKEOVER "server_no_context_takeover"
#define CLIENT_NO_TAKEOVER "client_no_context_takeover"
#define SERVER_WINDOW	   "server_max_window_bits"
#define CLIENT_WINDOW	   "client_max_window_bits"

/* ---- grammar ---- */

static void skip_blanks(struct bytes *in)
{
	while (in->len > 0 && (in->data[0] == ' ' || in->data[0] == '\t'))
		*in = bytes_of(in->data + 1, in->len - 1);
}

/* Take @c, and the blanks around it, if it comes next. */
static bool take_mark(struct bytes *in, uint8_t c)
{
	skip_blanks(in);
	if (in->len == 0 || in->data[0] != c)
		return false;
	*in = bytes_of(in->data + 1, in->len - 1);
	skip_blanks(in);
	return true;
}

static bool take_token(struct bytes *in, struct bytes *ret_token)
{
	size_t n = 0;

	while (n < in->len && ses_is_token(bytes_of(in->data + n, 1)))
		n++;
	*ret_token = bytes_first(*in, n);
	*in = bytes_of(in->data + n, in->len - n);
	return n > 0;
}

/*
 * The rest of a quoted string after its first quote. What it says has to be a
 * token once the backslashes are gone (RFC 6455 9.1), so they may stand before
 * token bytes only.
 */
static bool take_quoted(struct bytes *in, struct bytes *ret_raw)
{
	size_t n = 0;
	bool any = false;

	for (; n < in->len && in->data[n] != '"'; n++) {
		if (in->data[n] == '\\' && ++n == in->len)
			return false;
		if (!ses_is_token(bytes_of(in->data + n, 1)))
			return false;
		any = true;
	}
	if (n == in->len || !any)
		return false;
	*ret_raw = bytes_first(*in, n);
	*in = bytes_of(in->data + n + 1, in->len - n - 1);
	return true;
}

static bool take_param(struct bytes *in, struct ses_extension *ext)
{
	size_t i = ext->n_params;

	if (i == SES_EXTENSION_MAX_PARAMS)
		return false;
	memset(&ext->params[i], 0, sizeof(ext->params[i]));
	if (!take_token(in, &ext->params[i].name))
		return false;
	ext->n_params++;
	/* The rule of implied blanks (RFC 6455 4.3) holds here, too. */
	if (!take_mark(in, '='))
		return true;
	ext->params[i].has_value = true;
	if (in->len > 0 && in->data[0] == '"') {
		*in = bytes_of(in->data + 1, in->len - 1);
		ext->params[i].quoted = true;
		return take_quoted(in, &ext->params[i].value);
	}
	return take_token(in, &ext->params[i].value);
}

int ses_extension_next(struct bytes *list, struct ses_extension *ret_ext)
{
	struct bytes in = *list;
	struct ses_extension ext;

	ext.n_params = 0;
	skip_blanks(&in);
	while (take_mark(&in, ',')) /* empty elements: RFC 9110 5.6.1 */
		;
	if (in.len == 0) {
		*list = in;
		return 0;
	}
	if (!take_token(&in, &ext.name))
		return SESAME_EPROTO;
	while (take_mark(&in, ';'))
		if (!take_param(&in, &ext))
			return SESAME_EPROTO;
	if (in.len > 0 && !take_mark(&in, ','))
		return SESAME_EPROTO;
	*list = in;
	*ret_ext = ext;
	return 1;
}

/* ---- permessage-deflate's parameters ---- */

/* What an offer or an answer says; bits 0: not mentioned. */
struct terms {
	bool server_no_takeover, client_no_takeover;
	uint8_t server_bits, client_bits;
	bool client_bits_open; /* mentioned without a value */
};

/* "8" to "15", quoted or not, without leading zeros. */
static bool read_bits(struct bytes value, uint8_t *ret_bits)
{
	uint8_t digits[2];
	size_t n = 0;
	uint64_t bits;

	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] == '\\') /* only in quoted strings */
			continue;
		if (n == sizeof(digits))
			return false;
		digits[n++] = value.data[i];
	}
	if (n == 0 || digits[0] == '0' ||
	    !bytes_to_u64(bytes_of(digits, n), WINDOW_MAX, &bits) ||
	    bits < WINDOW_MIN)
		return false;
	*ret_bits = (uint8_t)bits;
	return true;
}

static bool read_flag(bool *flag, bool has_value)
{
	if (*flag || has_value)
		return false;
	return *flag = true;
}

/* False: a parameter is unknown, repeated, or has no lawful value. */
static bool read_terms(const struct ses_extension *ext, bool is_offer,
		       struct terms *t)
{
	*t = (struct terms){0};
	for (size_t i = 0; i < ext->n_params; i++) {
		struct bytes name = ext->params[i].name;
		struct bytes value = ext->params[i].value;
		bool has_value = ext->params[i].has_value, ok = false;

		if (bytes_equal_str(name, SERVER_NO_TAKEOVER))
			ok = read_flag(&t->server_no_takeover, has_value);
		else if (bytes_equal_str(name, CLIENT_NO_TAKEOVER))
			ok = read_flag(&t->client_no_takeover, has_value);
		else if (bytes_equal_str(name, SERVER_WINDOW))
			ok = !t->server_bits && has_value &&
			     read_bits(value, &t->server_bits);
		else if (bytes_equal_str(name, CLIENT_WINDOW) &&
			 !t->client_bits && !t->client_bits_open)
			ok = has_value
				     ? read_bits(value, &t->client_bits)
				     : is_offer && (t->client_bits_open = true);
		if (!ok)
			return false;
	}
	return true;
}

static uint8_t policy_bits(const struct ses_deflate_policy *policy)
{
	uint8_t bits = policy->max_window_bits;

	if (bits == 0 || bits > WINDOW_MAX)
		return WINDOW_MAX;
	return bits < WINDOW_ZLIB_MIN ? WINDOW_ZLIB_MIN : bits;
}

static uint8_t lesser(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* ---- server ---- */

static bool accept_offer(const struct ses_extension *ext,
			 const struct ses_deflate_policy *policy,
			 struct sesame_deflate *chosen)
{
	uint8_t ours = policy_bits(policy);
	struct terms t;

	if (!bytes_equal_str(ext->name, NAME) || !read_terms(ext, true, &t))
		return false;
	*chosen = (struct sesame_deflate){
		.on = true,
		.server_no_context_takeover =
			t.server_no_takeover || policy->no_context_takeover,
		.client_no_context_takeover =
			t.client_no_takeover || policy->no_context_takeover,
		.server_max_window_bits = ours,
		.client_max_window_bits = WINDOW_MAX,
	};
	/*
	 * Who asks for a window has to be given one in the answer, and 15 there
	 * stands for "not asked"; the same or less is lawful (7.1.2.1), so who
	 * asks for 15 gets 14.
	 */
	if (t.server_bits)
		chosen->server_max_window_bits =
			lesser(ours, lesser(t.server_bits, WINDOW_MAX - 1));
	if (t.client_bits || t.client_bits_open)
		chosen->client_max_window_bits =
			lesser(ours, t.client_bits ? t.client_bits : WINDOW_MAX);
	return true;
}

/* Whether a later offer would be no better. */
static bool is_content(const struct sesame_deflate *chosen)
{
	return chosen->on && chosen->server_max_window_bits >= WINDOW_ZLIB_MIN;
}

/*
 * The first offer of one field that can be met is chosen; one that leaves the
 * server without a compressor (a window of 8) only when no other follows.
 */
static int choose_in(struct bytes list, const struct ses_deflate_policy *policy,
		     struct sesame_deflate *chosen)
{
	struct ses_extension ext;
	int n;

	while ((n = ses_extension_next(&list, &ext)) > 0)
		if (policy->enabled && !is_content(chosen))
			accept_offer(&ext, policy, chosen);
	return n;
}

static bool is_extensions_field(const struct ses_field *field)
{
	return bytes_equal_nocase(field->name,
				  BYTES("Sec-WebSocket-Extensions"));
}

int ses_deflate_choose(const struct ses_head *request,
		       const struct ses_deflate_policy *policy,
		       struct sesame_deflate *ret_chosen)
{
	struct sesame_deflate chosen = {0};
	int error;

	for (size_t i = 0; i < request->n_fields; i++) {
		if (!is_extensions_field(&request->fields[i]))
			continue;
		error = choose_in(request->fields[i].value, policy, &chosen);
		if (error)
			return error;
	}
	*ret_chosen = chosen;
	return 0;
}

static int write_terms(const struct terms *t, struct ses_buf *out)
{
	struct ses_buf draft;
	int error;

	ses_buf_init(&draft, 256);
	error = ses_buf_append_str(&draft, NAME);
	if (!error && t->server_no_takeover)
		error = ses_buf_append_str(&draft, "; " SERVER_NO_TAKEOVER);
	if (!error && t->client_no_takeover)
		error = ses_buf_append_str(&draft, "; " CLIENT_NO_TAKEOVER);
	if (!error && t->server_bits)
		error = ses_buf_printf(&draft, "; " SERVER_WINDOW "=%u",
				       t->server_bits);
	if (!error && t->client_bits)
		error = ses_buf_printf(&draft, "; " CLIENT_WINDOW "=%u",
				       t->client_bits);
	if (!error && t->client_bits_open)
		error = ses_buf_append_str(&draft, "; " CLIENT_WINDOW);
	if (!error)
		error = ses_buf_append(out, ses_buf_bytes(&draft));
	ses_buf_fini(&draft);
	return error;
}

/* 15 is what holds when nothing is said. */
static uint8_t bits_to_say(uint8_t bits)
{
	return bits < WINDOW_MAX ? bits : 0;
}

int ses_deflate_write_choice(const struct sesame_deflate *chosen,
			     struct ses_buf *out)
{
	struct terms t = {
		.server_no_takeover = chosen->server_no_context_takeover,
		.client_no_takeover = chosen->client_no_context_takeover,
		.server_bits = bits_to_say(chosen->server_max_window_bits),
		.client_bits = bits_to_say(chosen->client_max_window_bits),
	};

	return write_terms(&t, out);
}

/* ---- client ---- */

static struct terms terms_offered(const struct ses_deflate_policy *policy)
{
	uint8_t bits = bits_to_say(policy_bits(policy));

	return (struct terms){
		.server_no_takeover = policy->no_context_takeover,
		.client_no_takeover = policy->no_context_takeover,
		.server_bits = bits,
		.client_bits = bits,
		.client_bits_open = bits == 0,
	};
}

int ses_deflate_write_offer(const struct ses_deflate_policy *policy,
			    struct ses_buf *out)
{
	struct terms t = terms_offered(policy);

	return write_terms(&t, out);
}

/* Does the answer keep to what was offered (7.1.1 and 7.1.2)? */
static bool keeps_to(const struct terms *offered, const struct terms *answer)
{
	if (offered->server_no_takeover && !answer->server_no_takeover)
		return false;
	if (offered->server_bits &&
	    (!answer->server_bits || answer->server_bits > offered->server_bits))
		return false;
	return !offered->client_bits ||
	       answer->client_bits <= offered->client_bits;
}

static bool agree(const struct ses_extension *ext,
		  const struct ses_deflate_policy *policy,
		  struct sesame_deflate *agreed)
{
	struct terms offered = terms_offered(policy), t;

	if (!policy->enabled || agreed->on || !bytes_equal_str(ext->name, NAME))
		return false;
	if (!read_terms(ext, false, &t) || !keeps_to(&offered, &t))
		return false;
	*agreed = (struct sesame_deflate){
		.on = true,
		.server_no_context_takeover = t.server_no_takeover,
		/* Having hinted at it, the client keeps to it (7.1.1.2). */
		.client_no_context_takeover =
			t.client_no_takeover || offered.client_no_takeover,
		.server_max_window_bits =
			t.server_bits ? t.server_bits : WINDOW_MAX,
		.client_max_window_bits =
			t.client_bits ? t.client_bits : policy_bits(policy),
	};
	return true;
}

int ses_deflate_check_answer(const struct ses_head *response,
			     const struct ses_deflate_policy *policy,
			     struct sesame_deflate *ret_agreed)
{
	struct sesame_deflate agreed = {0};
	struct ses_extension ext;
	int n;

	for (size_t i = 0; i < response->n_fields; i++) {
		struct bytes list = response->fields[i].value;

		if (!is_extensions_field(&response->fields[i]))
			continue;
		while ((n = ses_extension_next(&list, &ext)) > 0)
			if (!agree(&ext, policy, &agreed))
				return SESAME_EPROTO;
		if (n < 0)
			return n;
	}
	*ret_agreed = agreed;
	return 0;
}
