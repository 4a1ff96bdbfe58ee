/* SPDX-License-Identifier: MIT */
/*
 * Commas separate both the challenges of a list and the parameters of a
 * challenge; what tells them apart is that a parameter's name is followed by
 * "=", and a scheme is not.
 */
#include "wire/challenge.h"

#include "wire/head.h"

/* The bytes of @in that @belongs to the run, from the first on. */
static struct bytes span(struct bytes in, bool (*belongs)(uint8_t c))
{
	size_t n = 0;

	while (n < in.len && belongs(in.data[n]))
		n++;
	return bytes_first(in, n);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_blank_or_comma(uint8_t c)
{
	return is_blank(c) || c == ',';
}

static bool is_token_byte(uint8_t c)
{
	return ses_is_token(bytes_of(&c, 1));
}

static bool is_token68(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr("-._~+/", c);
}

static bool is_equals(uint8_t c)
{
	return c == '=';
}

static struct bytes skip(struct bytes in, bool (*belongs)(uint8_t c))
{
	return bytes_from(in, span(in, belongs).len);
}

/* A value as it stands: a token, or with its quotes. Empty: there is none. */
static struct bytes cut_value(struct bytes *in)
{
	struct bytes value = *in;
	size_t n = 1;

	if (in->len == 0 || in->data[0] != '"') {
		value = span(*in, is_token_byte);
		*in = bytes_from(*in, value.len);
		return value;
	}
	while (n < in->len && in->data[n] != '"')
		n += in->data[n] == '\\' ? 2 : 1;
	if (n >= in->len) { /* the quotes do not end */
		*in = bytes_from(*in, in->len);
		return bytes_of(value.data, 0);
	}
	*in = bytes_from(*in, n + 1);
	return bytes_first(value, n + 1);
}

/* name = value off the beginning of @in; false, and @in as it was: no such. */
static bool cut_param(struct bytes *in, struct ses_field *ret)
{
	struct bytes rest = *in;

	ret->name = span(rest, is_token_byte);
	rest = skip(bytes_from(rest, ret->name.len), is_blank);
	if (ret->name.len == 0 || rest.len == 0 || rest.data[0] != '=')
		return false;
	rest = skip(bytes_from(rest, 1), is_blank);
	ret->value = cut_value(&rest);
	*in = rest;
	return true;
}

/* "YII...==" alone, up to a comma or the end. */
static bool cut_token68(struct bytes *in, struct bytes *ret)
{
	struct bytes rest = skip(skip(*in, is_token68), is_equals);
	size_t n = in->len - rest.len;

	rest = skip(rest, is_blank);
	if (n == 0 || (rest.len > 0 && rest.data[0] != ','))
		return false;
	*ret = bytes_first(*in, n);
	*in = rest;
	return true;
}

bool ses_challenge_next(struct bytes *list, struct ses_challenge *ret)
{
	struct bytes rest = skip(*list, is_blank_or_comma), at;
	struct ses_field param;

	*ret = (struct ses_challenge){.scheme = span(rest, is_token_byte)};
	rest = bytes_from(rest, ret->scheme.len);
	*list = rest;
	if (ret->scheme.len == 0)
		return false;
	if (rest.len > 0 && !is_blank_or_comma(rest.data[0])) {
		*list = bytes_of(rest.data, 0); /* no scheme ends like this */
		return false;
	}
	rest = skip(rest, is_blank);
	if (cut_token68(&rest, &ret->token)) {
		*list = rest;
		return true;
	}
	at = rest;
	while (cut_param(&rest, &param)) {
		ret->params = bytes_first(at, at.len - rest.len);
		rest = skip(rest, is_blank_or_comma);
	}
	*list = rest;
	return true;
}

/* Without quotes and backslashes. */
static bool unquote(struct bytes value, char *out, size_t size)
{
	bool quoted = value.len >= 2 && value.data[0] == '"';
	size_t n = 0;

	if (quoted)
		value = bytes_of(value.data + 1, value.len - 2);
	for (size_t i = 0; i < value.len; i++) {
		if (quoted && value.data[i] == '\\' && i + 1 < value.len)
			i++;
		if (n + 1 >= size || value.data[i] == 0)
			return false;
		out[n++] = (char)value.data[i];
	}
	out[n] = 0;
	return true;
}

bool ses_challenge_param(const struct ses_challenge *challenge,
			 const char *name, char *out, size_t size)
{
	struct bytes rest = challenge->params;
	struct ses_field param;

	while (cut_param(&rest, &param)) {
		if (bytes_equal_nocase(param.name, bytes_of_str(name)))
			return unquote(param.value, out, size);
		rest = skip(rest, is_blank_or_comma);
	}
	return false;
}
