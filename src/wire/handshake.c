/* SPDX-License-Identifier: MIT */
/*
 * The opening handshake for programs with an event loop of their own: the
 * public face of url, head and upgrade, from bytes to bytes.
 */
#include <sesame/protocol.h>

#include "wire/fault.h"
#include "wire/upgrade.h"
#include "wire/url.h"

#define TEXT_MAX (16 * 1024)

/* Copy what was written to the caller's memory; its length, or an error. */
static int hand_over(const struct ses_buf *made, char *out, size_t size)
{
	size_t n = ses_buf_len(made);

	if (n > size || n > INT32_MAX)
		return SESAME_ELIMIT;
	if (n > 0)
		memcpy(out, ses_buf_bytes(made).data, n);
	return (int)n;
}

static int write_request(const struct ses_upgrade_request *request, char *out,
			 size_t size)
{
	struct ses_buf made;
	int n;

	ses_buf_init(&made, TEXT_MAX * 4);
	n = ses_upgrade_write_request(request, &made);
	if (n == 0)
		n = hand_over(&made, out, size);
	ses_buf_fini(&made);
	return n;
}

int sesame_handshake_request(const char *url_text, const uint8_t key[16],
			     const char *origin, const char *protocols,
			     char *out, size_t size)
{
	char host[1024], target[TEXT_MAX];
	struct ses_upgrade_request request = {
		.origin = bytes_of_str(origin),
		.protocols = bytes_of_str(protocols),
	};
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;

	if (!url_text)
		return SESAME_EINVAL;
	if (ses_url_parse(bytes_of_str(url_text), &url, &fault, &at) != 0)
		return SESAME_EURL;
	if (ses_url_host_field(&url, host, sizeof(host)) != 0 ||
	    ses_url_target(&url, target, sizeof(target)) != 0)
		return SESAME_ELIMIT;
	request.host = bytes_of_str(host);
	request.target = bytes_of_str(target);
	ses_key_encode(key, request.key);
	return write_request(&request, out, size);
}

/*
 * The caller keeps the list of what it offered; this has the key alone. So any
 * one subprotocol passes, and no extension, for none was offered.
 */
static int check_answer(const struct ses_head *response, const uint8_t key[16])
{
	struct ses_upgrade_request request = {
		.protocols = ses_head_get(response, "Sec-WebSocket-Protocol"),
	};
	struct ses_upgrade_result result;
	enum ses_fault fault;

	ses_key_encode(key, request.key);
	return ses_upgrade_check_response(&request, response, &result, &fault);
}

int sesame_handshake_check(const void *data, size_t len, const uint8_t key[16],
			   int *ret_status)
{
	struct ses_head_parser parser;
	struct ses_head response;
	enum ses_fault fault;
	int n, error;

	ses_head_init(&parser, false, NULL);
	n = ses_head_parse(&parser, bytes_of(data, len), &response, &fault);
	if (n <= 0)
		return n;
	if (ret_status)
		*ret_status = response.status;
	error = check_answer(&response, key);
	return error ? error : n;
}

static int write_refusal(enum ses_fault fault, struct ses_buf *out)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	struct ses_buf body;
	int error;

	ses_buf_init(&body, 1024);
	error = ses_buf_printf(&body, "%s (%s)\n", row->sentence, row->section);
	if (!error)
		error = ses_upgrade_write_refusal(
			row->status ? row->status : 400, NULL, 0,
			BYTES("text/plain; charset=utf-8"),
			ses_buf_bytes(&body), out);
	ses_buf_fini(&body);
	return error;
}

/* Read and answer; what is to be sent is in @out. */
static int answer(struct bytes in, struct ses_buf *out)
{
	struct ses_head_parser parser;
	struct ses_upgrade_offer offer;
	struct ses_head request;
	enum ses_fault fault;
	int n, error;

	ses_head_init(&parser, true, NULL);
	n = ses_head_parse(&parser, in, &request, &fault);
	if (n == 0)
		return 0;
	if (n < 0 || ses_upgrade_check_request(&request, &offer, &fault) != 0) {
		error = write_refusal(fault, out);
		return error ? error : SESAME_EPROTO;
	}
	error = ses_upgrade_write_response(&offer, bytes_of(NULL, 0), NULL,
					   bytes_of(NULL, 0), out);
	return error ? error : n;
}

int sesame_handshake_answer(const void *data, size_t len, char *out,
			    size_t size, size_t *ret_written)
{
	struct ses_buf made;
	int n, written;

	ses_buf_init(&made, TEXT_MAX);
	n = answer(bytes_of(data, len), &made);
	written = hand_over(&made, out, size);
	ses_buf_fini(&made);
	if (n != SESAME_EPROTO && n < 0)
		return n;
	if (written < 0)
		return written;
	*ret_written = (size_t)written;
	return n;
}
