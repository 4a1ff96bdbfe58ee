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

/* "" is as good as nothing: an empty field would be sent, and refused. */
static struct bytes given(const char *text)
{
	return bytes_of_str(text && *text ? text : NULL);
}

static struct ses_upgrade_request request_of(const struct sesame_offer *offer,
					     const uint8_t key[16])
{
	struct ses_upgrade_request request = {
		.origin = given(offer->origin),
		.protocols = given(offer->protocols),
		.deflate.enabled = offer->deflate,
	};

	ses_key_encode(key, request.key);
	return request;
}

int sesame_handshake_offer(const char *url_text, const uint8_t key[16],
			   const struct sesame_offer *offer, char *out,
			   size_t size)
{
	struct ses_upgrade_request request = request_of(offer, key);
	char host[1024], target[TEXT_MAX];
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
	return write_request(&request, out, size);
}

int sesame_handshake_request(const char *url, const uint8_t key[16],
			     const char *origin, const char *protocols,
			     char *out, size_t size)
{
	struct sesame_offer offer = {.origin = origin, .protocols = protocols};

	return sesame_handshake_offer(url, key, &offer, out, size);
}

/* ---- the client's check ---- */

static bool is_interim(const struct ses_head *response)
{
	return response->status >= 100 && response->status < 200 &&
	       response->status != 101;
}

/* The answer's head, behind those that only announced it (RFC 9110 15.2). */
static int find_answer(struct bytes in, struct ses_head *ret_response)
{
	size_t at = 0;

	while (at < TEXT_MAX) {
		struct ses_head_parser parser;
		enum ses_fault fault;
		int n;

		ses_head_init(&parser, false, NULL);
		n = ses_head_parse(&parser, bytes_from(in, at), ret_response,
				   &fault);
		if (n <= 0)
			return n;
		at += (size_t)n;
		if (!is_interim(ret_response))
			return (int)at;
	}
	return SESAME_EPROTO;
}

int sesame_handshake_agree(const void *data, size_t len, const uint8_t key[16],
			   const struct sesame_offer *offer, int *ret_status,
			   struct sesame_agreement *ret_agreement)
{
	struct ses_upgrade_request request = request_of(offer, key);
	struct ses_upgrade_result result;
	struct ses_head response;
	enum ses_fault fault;
	int n = find_answer(bytes_of(data, len), &response), error;

	if (n <= 0)
		return n;
	if (ret_status)
		*ret_status = response.status;
	error = ses_upgrade_check_response(&request, &response, &result, &fault);
	if (error)
		return error;
	*ret_agreement = (struct sesame_agreement){
		.protocol = (const char *)result.subprotocol.data,
		.protocol_len = result.subprotocol.len,
		.deflate = result.deflate,
	};
	return n;
}

int sesame_handshake_check(const void *data, size_t len, const uint8_t key[16],
			   const char *protocols, int *ret_status)
{
	struct sesame_offer offer = {.protocols = protocols};
	struct sesame_agreement agreement;

	return sesame_handshake_agree(data, len, key, &offer, ret_status,
				      &agreement);
}

/* ---- the server's side ---- */

/* @section says where the broken rule stands; NULL: it is the caller's. */
static int write_refusal(int status, const char *text, const char *section,
			 struct ses_buf *out)
{
	struct ses_buf body;
	int error;

	ses_buf_init(&body, TEXT_MAX);
	error = section ? ses_buf_printf(&body, "%s (%s)\n", text, section)
			: ses_buf_printf(&body, "%s\n", text);
	if (!error)
		error = ses_upgrade_write_answer(
			status, NULL, 0, BYTES("text/plain; charset=utf-8"),
			ses_buf_bytes(&body), out);
	ses_buf_fini(&body);
	return error;
}

static int refuse_fault(enum ses_fault fault, struct ses_buf *out)
{
	const struct ses_fault_row *row = ses_fault_row(fault);
	int error = write_refusal(row->status ? row->status : 400,
				  row->sentence, row->section, out);

	return error ? error : SESAME_EPROTO;
}

static int refuse(const struct sesame_reply *reply, struct ses_buf *out)
{
	const char *text = reply->body;
	int error;

	if (reply->status < 400 || reply->status > 599)
		return SESAME_EINVAL;
	text = text ? text : ses_status_phrase(reply->status);
	error = write_refusal(reply->status, text, NULL, out);
	return error ? error : SESAME_EREFUSED;
}

/* The request's length and what it offers, 0, or SESAME_EPROTO. */
static int read_request(struct bytes in, struct ses_head *ret_request,
			struct ses_upgrade_offer *ret_offer,
			enum ses_fault *ret_fault)
{
	struct ses_head_parser parser;
	int n;

	ses_head_init(&parser, true, NULL);
	n = ses_head_parse(&parser, in, ret_request, ret_fault);
	if (n > 0 &&
	    ses_upgrade_check_request(ret_request, ret_offer, ret_fault) != 0)
		return SESAME_EPROTO;
	return n;
}

/* Accept; what is to be sent is in @out. 0 or an error. */
static int accept_request(const struct ses_head *request,
			  const struct ses_upgrade_offer *offer,
			  const struct sesame_reply *reply, struct ses_buf *out,
			  struct sesame_agreement *ret_agreement)
{
	struct ses_deflate_policy policy = {.enabled = reply->deflate};
	struct bytes protocol = given(reply->protocol);
	struct sesame_agreement agreement = {
		.protocol = reply->protocol,
		.protocol_len = protocol.len,
	};
	int error;

	if (protocol.len && !ses_upgrade_offers(request, protocol))
		return SESAME_EINVAL;
	if (ses_deflate_choose(request, &policy, &agreement.deflate) < 0)
		return refuse_fault(SES_FAULT_REQUEST_EXTENSIONS, out);
	error = ses_upgrade_write_response(offer, protocol, &agreement.deflate,
					   bytes_of(NULL, 0), out);
	if (!error)
		*ret_agreement = agreement;
	return error;
}

/* Read and answer; what is to be sent is in @out. */
static int answer(struct bytes in, const struct sesame_reply *reply,
		  struct ses_buf *out, struct sesame_agreement *ret_agreement)
{
	struct ses_upgrade_offer offer;
	struct ses_head request;
	enum ses_fault fault;
	int n = read_request(in, &request, &offer, &fault), error;

	if (n == 0)
		return 0;
	if (n < 0)
		return refuse_fault(fault, out);
	if (reply->status && reply->status != 101)
		return refuse(reply, out);
	error = accept_request(&request, &offer, reply, out, ret_agreement);
	return error ? error : n;
}

int sesame_handshake_reply(const void *data, size_t len,
			   const struct sesame_reply *reply, char *out,
			   size_t size, size_t *ret_written,
			   struct sesame_agreement *ret_agreement)
{
	struct ses_buf made;
	int n, written;

	ses_buf_init(&made, TEXT_MAX * 2);
	n = answer(bytes_of(data, len), reply, &made, ret_agreement);
	written = hand_over(&made, out, size);
	ses_buf_fini(&made);
	if (n < 0 && n != SESAME_EPROTO && n != SESAME_EREFUSED)
		return n;
	if (written < 0)
		return written;
	*ret_written = (size_t)written;
	return n;
}

int sesame_handshake_answer(const void *data, size_t len, char *out,
			    size_t size, size_t *ret_written)
{
	static const struct sesame_reply accept;
	struct sesame_agreement agreement;

	return sesame_handshake_reply(data, len, &accept, out, size,
				      ret_written, &agreement);
}

int sesame_handshake_read(const void *data, size_t len,
			  struct sesame_handshake *ret_handshake)
{
	struct ses_upgrade_offer offer;
	struct ses_head request;
	enum ses_fault fault;
	int n = read_request(bytes_of(data, len), &request, &offer, &fault);

	if (n <= 0)
		return n;
	*ret_handshake = (struct sesame_handshake){
		.target = (const char *)offer.target.data,
		.target_len = offer.target.len,
		.host = (const char *)offer.host.data,
		.host_len = offer.host.len,
		.origin = (const char *)offer.origin.data,
		.origin_len = offer.origin.len,
		.protocols = (const char *)offer.protocols.data,
		.protocols_len = offer.protocols.len,
	};
	return n;
}
