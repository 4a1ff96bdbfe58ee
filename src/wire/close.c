/* SPDX-License-Identifier: MIT */
/*
 * Close codes (RFC 6455 section 7.4 and the registry that it opened) and the
 * body of close frames (section 5.5.1).
 */
#include "wire/close.h"

#include "wire/utf8.h"

#include <sesame/error.h>

/* The registered codes that may stand in a frame: 1004..1006 and 1015 not. */
static const struct {
	uint16_t code;
	const char *name;
} registered[] = {
	{1000, "normal closure"},  {1001, "going away"},
	{1002, "protocol error"},  {1003, "unsupported data"},
	{1007, "invalid data"},	   {1008, "policy violation"},
	{1009, "message too big"}, {1010, "extension missing"},
	{1011, "internal error"},  {1012, "service restart"},
	{1013, "try again later"}, {1014, "bad gateway"},
};

/* Codes that only programs tell each other, never peers. */
static const char *local_name(unsigned code)
{
	switch (code) {
	case SES_CLOSE_NONE:
		return "no code";
	case SES_CLOSE_CUT:
		return "cut off without a close frame";
	case 1015:
		return "TLS failed";
	default:
		return "";
	}
}

bool ses_close_code_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

const char *ses_close_code_name(unsigned code)
{
	for (size_t i = 0; i < sizeof(registered) / sizeof(*registered); i++)
		if (registered[i].code == code)
			return registered[i].name;
	return local_name(code);
}

static enum ses_fault check_body(struct bytes body)
{
	if (body.len == 1)
		return SES_FAULT_CLOSE_LENGTH;
	if (!ses_close_code_valid(body.data[0] * 256u + body.data[1]))
		return SES_FAULT_CLOSE_CODE;
	if (!ses_utf8_valid(bytes_from(body, 2)))
		return SES_FAULT_CLOSE_REASON_UTF8;
	return SES_FAULT_NONE;
}

int ses_close_parse(struct bytes body, uint16_t *ret_code,
		    struct bytes *ret_reason, enum ses_fault *ret_fault)
{
	enum ses_fault fault = body.len ? check_body(body) : SES_FAULT_NONE;

	if (fault) {
		*ret_fault = fault;
		return SESAME_EPROTO;
	}
	*ret_code = SES_CLOSE_NONE;
	if (body.len)
		*ret_code = (uint16_t)(body.data[0] * 256 + body.data[1]);
	*ret_reason = bytes_from(body, 2);
	return 0;
}
