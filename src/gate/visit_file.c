/* SPDX-License-Identifier: MIT */
/* `to: files`: a small page for a GET; a WebSocket handshake is refused. */
#include "gate/visit_inner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sesame/version.h>

#include "gate/delivery.h"
#include "gate/files.h"

#define LINGER_MS  30000 /* for a page to arrive on a slow way */
#define HEAD_BYTES 4096

static enum gate_outcome refuse(struct gate_visit *v, enum why_cause cause,
				int status, const char *sentence,
				const char *note)
{
	struct gate_refusal why = {
		.cause = cause,
		.status = status,
		.sentence = sentence,
		.note = note ? note : sentence,
		.quiet = status == 404 && cause == WHY_URL_PATH,
	};

	if (why.quiet) /* else the line is the refusal's */
		gate_record_answer(v, status, 0);
	return gate_visit_refuse(v, &why);
}

/* The visit is over, and its page goes on counting until it has arrived. */
static enum gate_outcome deliver(struct gate_visit *v, struct ses_buf *out)
{
	struct ses_stream *stream = v->stream;
	struct gate_limit_holds *holds = v->holds;
	size_t bytes = ses_buf_len(out);

	v->stream = NULL;
	v->holds = NULL;
	ses_stream_send(stream, ses_buf_bytes(out));
	ses_buf_fini(out);
	gate_deliver(v->gate, stream, bytes, holds, LINGER_MS);
	gate_visit_farewell(v);
	return GATE_OVER;
}

static enum gate_outcome send_page(struct gate_visit *v, const char *type,
				   struct ses_buf *page)
{
	static const struct ses_field fields[] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("X-Content-Type-Options"), BYTES("nosniff")},
		{BYTES("Cache-Control"), BYTES("no-cache")},
	};
	struct bytes body = ses_buf_bytes(page);
	struct ses_buf out, head;
	bool all = !bytes_equal(v->asking->head->method, BYTES("HEAD"));

	ses_buf_init(&out, GATE_FILE_MAX + HEAD_BYTES);
	ses_upgrade_write_answer(200, fields, sizeof(fields) / sizeof(fields[0]),
				 bytes_of_str(type), body, &out);
	gate_record_answer(v, 200, all ? body.len : 0);
	if (!all) {
		ses_buf_init(&head, HEAD_BYTES);
		ses_buf_append(&head, bytes_first(ses_buf_bytes(&out),
						  ses_buf_len(&out) - body.len));
		ses_buf_fini(&out);
		out = head;
	}
	ses_buf_fini(page);
	return deliver(v, &out);
}

/* Links in a folder's page are read from its path with the last slash. */
static enum gate_outcome send_away(struct gate_visit *v)
{
	struct bytes path = gate_path_of(v->asking->request.target);
	char place[2048];
	struct ses_field fields[] = {
		{BYTES("Server"), BYTES("sesame/" SESAME_VERSION)},
		{BYTES("Location"), bytes_of(place, path.len + 1)},
	};
	struct ses_buf out;

	if (path.len >= sizeof(place))
		return refuse(v, WHY_URL_PATH, 404, NULL, "the path is long");
	memcpy(place, path.data, path.len);
	place[path.len] = '/';
	gate_record_answer(v, 308, 0);
	ses_buf_init(&out, HEAD_BYTES);
	ses_upgrade_write_answer(308, fields, 2, bytes_of(NULL, 0),
				 bytes_of(NULL, 0), &out);
	return gate_visit_answer(v, &out, LINGER_MS);
}

static enum gate_outcome refuse_result(struct gate_visit *v,
				       enum gate_file_result result)
{
	if (result == GATE_FILE_FOLDER)
		return send_away(v);
	if (result == GATE_FILE_MISSING)
		return refuse(v, WHY_URL_PATH, 404, "There is no such page",
			      NULL);
	return refuse(v, WHY_SERVER_NO_WEBSOCKET, 500, "The page cannot be read",
		      result == GATE_FILE_LARGE
			      ? "the file is larger than 1 MiB"
			      : strerror(errno));
}

enum gate_outcome gate_visit_file(struct gate_visit *v)
{
	const struct ses_head *head = v->asking->head;
	struct bytes path = gate_path_of(v->asking->request.target);
	enum gate_file_result result;
	const char *type = "";
	struct ses_buf page;

	if (ses_field_has_token(head->fields, head->n_fields, "Upgrade",
				"websocket"))
		return refuse(v, WHY_SERVER_NO_WEBSOCKET, 404,
			      "Pages are at this path, and no WebSocket", NULL);
	if (!bytes_equal(head->method, BYTES("GET")) &&
	    !bytes_equal(head->method, BYTES("HEAD")))
		return refuse(v, WHY_CLIENT_BAD_HANDSHAKE, 405,
			      "Pages are only read here", NULL);
	ses_buf_init(&page, GATE_FILE_MAX + 1);
	path = gate_path_pattern_rest(&v->route->pattern, path);
	result = gate_file_read(v->route->root, path, &page, &type);
	if (result == GATE_FILE_FOUND)
		return send_page(v, type, &page);
	ses_buf_fini(&page);
	return refuse_result(v, result);
}
