/* SPDX-License-Identifier: MIT */
/*
 * The recording is walked as it is read: log, entries, and of each entry the
 * few things that matter; bodies are passed over. An entry is kept only while
 * it is read, and the best one beside it. What browsers leave out of a
 * recording (cookies, above all) is told, because it may be what is missed.
 */
#include "doctor/har.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor/json.h"
#include "doctor/redact.h"
#include "wire/url.h"

#define MAX_ENTRY (512 * 1024) /* of its URL, fields and cookies */

/* The better an entry fits, the larger; the last of the best is taken. */
enum fit {
	NO_WEBSOCKET,
	OPENED,
	SILENT, /* a 101, and no message was ever seen */
	FAILED,
};

/* A name and its value, where they stand in an entry's text. */
struct pair {
	size_t name, value;
};

struct entry {
	struct ses_buf text; /* all its strings, each with a NUL */
	size_t url;	     /* where in there; SIZE_MAX: none */
	struct pair field[DOCTOR_MAX_SAID], cookie[DOCTOR_MAX_SAID];
	size_t n_fields, n_cookies;
	bool unfit;	     /* too large, or with a NUL in it */
	bool is_websocket;   /* says so */
	bool tells_messages; /* the recording has a list of them */
	bool has_messages;   /* and it is not empty */
	bool has_error;
	bool is_document;
	size_t error; /* what the browser says of it; SIZE_MAX: nothing */
	int status;   /* -1: none */
	enum fit fit;
	uint64_t number; /* from 1 */
};

struct reading {
	struct doctor_json json;
	struct doctor_import *m;
	const char *match;
	struct entry now, best;
	uint64_t n_entries;
	uint64_t n_of_fit[FAILED + 1]; /* of those that match */
	uint64_t n_unmatched;
	bool log, entries; /* were found */
	char page[600];	   /* URL of the last page by now, or "" */
	char page_of_best[600];
};

/* ---- one entry ---- */

static void clear(struct entry *e)
{
	struct ses_buf text = e->text;

	ses_buf_consume(&text, ses_buf_len(&text));
	*e = (struct entry){
		.text = text, .url = SIZE_MAX, .error = SIZE_MAX, .status = -1};
}

/* Keep the string that was just read; its place, or SIZE_MAX. */
static size_t keep(struct reading *r)
{
	struct entry *e = &r->now;
	size_t at = ses_buf_len(&e->text);

	if (r->json.cut || memchr(r->json.text, 0, r->json.text_len) ||
	    ses_buf_append(&e->text,
			   bytes_of(r->json.text, r->json.text_len + 1)) < 0) {
		e->unfit = true;
		return SIZE_MAX;
	}
	return at;
}

static const char *text_at(const struct entry *e, size_t at)
{
	if (at == SIZE_MAX)
		return "";
	return (const char *)ses_buf_bytes(&e->text).data + at;
}

static bool is_key(const struct reading *r, const char *name)
{
	return strcmp(r->json.text, name) == 0;
}

/* The value of the key just read: @member for each key, when it is an object. */
static bool walk(struct reading *r, bool (*member)(struct reading *r))
{
	enum doctor_json_event event = doctor_json_next(&r->json);

	if (event != DOCTOR_JSON_OBJECT)
		return doctor_json_pass(&r->json, event);
	while ((event = doctor_json_next(&r->json)) == DOCTOR_JSON_KEY)
		if (!member(r))
			return false;
	return event == DOCTOR_JSON_OBJECT_END;
}

/* The same for the elements of an array; each begins with the event @e. */
static bool each(struct reading *r,
		 bool (*element)(struct reading *r, enum doctor_json_event e))
{
	enum doctor_json_event event = doctor_json_next(&r->json);

	if (event != DOCTOR_JSON_ARRAY)
		return doctor_json_pass(&r->json, event);
	while ((event = doctor_json_next(&r->json)) != DOCTOR_JSON_ARRAY_END)
		if (event == DOCTOR_JSON_ERROR || !element(r, event))
			return false;
	return true;
}

/* Keep the value of the key just read; SIZE_MAX unless it is a text. */
static bool read_text(struct reading *r, size_t *ret_at)
{
	enum doctor_json_event event = doctor_json_next(&r->json);

	*ret_at = SIZE_MAX;
	if (event == DOCTOR_JSON_STRING)
		*ret_at = keep(r);
	return doctor_json_pass(&r->json, event);
}

/* The same without keeping it: "" unless it is a text, until the next event. */
static bool read_word(struct reading *r, const char **ret_word)
{
	enum doctor_json_event event = doctor_json_next(&r->json);

	*ret_word = event == DOCTOR_JSON_STRING ? r->json.text : "";
	return doctor_json_pass(&r->json, event);
}

/* {"name": ..., "value": ...}; both are SIZE_MAX where they are not said. */
static bool read_pair(struct reading *r, struct pair *ret)
{
	enum doctor_json_event event;

	*ret = (struct pair){SIZE_MAX, SIZE_MAX};
	while ((event = doctor_json_next(&r->json)) == DOCTOR_JSON_KEY) {
		size_t *to = is_key(r, "name")	  ? &ret->name
			     : is_key(r, "value") ? &ret->value
						  : NULL;

		if (!(to ? read_text(r, to) : doctor_json_skip(&r->json)))
			return false;
	}
	return event == DOCTOR_JSON_OBJECT_END;
}

/* One more of @list, which has room for DOCTOR_MAX_SAID. */
static bool append_pair(struct reading *r, enum doctor_json_event event,
			struct pair *list, size_t *n)
{
	struct pair pair;

	if (event != DOCTOR_JSON_OBJECT)
		return doctor_json_pass(&r->json, event);
	if (!read_pair(r, &pair))
		return false;
	if (pair.name == SIZE_MAX || pair.value == SIZE_MAX)
		return true;
	if (*n == DOCTOR_MAX_SAID)
		r->now.unfit = true;
	else
		list[(*n)++] = pair;
	return true;
}

static bool read_field(struct reading *r, enum doctor_json_event event)
{
	struct entry *e = &r->now;
	size_t before = e->n_fields;

	if (!append_pair(r, event, e->field, &e->n_fields))
		return false;
	if (e->n_fields > before &&
	    strcasecmp(text_at(e, e->field[before].name), "Upgrade") == 0 &&
	    strcasecmp(text_at(e, e->field[before].value), "websocket") == 0)
		e->is_websocket = true;
	return true;
}

static bool read_cookie(struct reading *r, enum doctor_json_event event)
{
	return append_pair(r, event, r->now.cookie, &r->now.n_cookies);
}

static bool begins_ws(const char *url)
{
	return strncasecmp(url, "ws://", 5) == 0 ||
	       strncasecmp(url, "wss://", 6) == 0;
}

static bool read_request(struct reading *r)
{
	if (is_key(r, "url")) {
		if (!read_text(r, &r->now.url))
			return false;
		r->now.is_websocket |= begins_ws(text_at(&r->now, r->now.url));
		return true;
	}
	if (is_key(r, "headers"))
		return each(r, read_field);
	if (is_key(r, "cookies"))
		return each(r, read_cookie);
	return doctor_json_skip(&r->json);
}

/* Chrome says what went wrong in "_error", often as null. */
static bool read_error(struct reading *r)
{
	size_t at;

	if (!read_text(r, &at))
		return false;
	if (*text_at(&r->now, at)) {
		r->now.has_error = true;
		r->now.error = at;
	}
	return true;
}

static bool read_response(struct reading *r)
{
	enum doctor_json_event event;

	if (is_key(r, "_error"))
		return read_error(r);
	if (!is_key(r, "status"))
		return doctor_json_skip(&r->json);
	event = doctor_json_next(&r->json);
	if (event == DOCTOR_JSON_NUMBER)
		r->now.status = atoi(r->json.text);
	return doctor_json_pass(&r->json, event);
}

static bool read_message(struct reading *r, enum doctor_json_event event)
{
	r->now.has_messages = true;
	return doctor_json_pass(&r->json, event);
}

static bool read_type(struct reading *r)
{
	const char *word;

	if (!read_word(r, &word))
		return false;
	r->now.is_websocket |= strcasecmp(word, "websocket") == 0;
	r->now.is_document |= strcasecmp(word, "document") == 0;
	return true;
}

static bool read_member(struct reading *r)
{
	if (is_key(r, "request"))
		return walk(r, read_request);
	if (is_key(r, "response"))
		return walk(r, read_response);
	if (is_key(r, "_error"))
		return read_error(r);
	if (is_key(r, "_resourceType") || is_key(r, "resourceType"))
		return read_type(r);
	if (is_key(r, "_webSocketMessages")) {
		r->now.tells_messages = true;
		return each(r, read_message);
	}
	return doctor_json_skip(&r->json);
}

static enum fit judge(const struct entry *e)
{
	if (!e->is_websocket || e->url == SIZE_MAX)
		return NO_WEBSOCKET;
	if (e->status != 101 || e->has_error)
		return FAILED;
	return e->tells_messages && !e->has_messages ? SILENT : OPENED;
}

static void remember_page(struct reading *r, const char *url)
{
	if ((strncasecmp(url, "http://", 7) == 0 ||
	     strncasecmp(url, "https://", 8) == 0) &&
	    strlen(url) < sizeof(r->page))
		snprintf(r->page, sizeof(r->page), "%s", url);
}

static bool read_entry(struct reading *r, enum doctor_json_event event)
{
	struct entry spare;
	enum doctor_json_event inner;

	r->n_entries++;
	if (event != DOCTOR_JSON_OBJECT)
		return doctor_json_pass(&r->json, event);
	clear(&r->now);
	r->now.number = r->n_entries;
	while ((inner = doctor_json_next(&r->json)) == DOCTOR_JSON_KEY)
		if (!read_member(r))
			return false;
	if (inner != DOCTOR_JSON_OBJECT_END)
		return false;
	if (r->now.is_document)
		remember_page(r, text_at(&r->now, r->now.url));
	r->now.fit = judge(&r->now);
	if (r->now.fit == NO_WEBSOCKET)
		return true;
	if (r->match && !strstr(text_at(&r->now, r->now.url), r->match)) {
		r->n_unmatched++;
		return true;
	}
	r->n_of_fit[r->now.fit]++;
	if (r->now.fit < r->best.fit)
		return true;
	memcpy(r->page_of_best, r->page, sizeof(r->page));
	spare = r->best;
	r->best = r->now;
	r->now = spare;
	return true;
}

/* ---- the file ---- */

/* Browsers name a page by its URL, some by its title. */
static bool read_page(struct reading *r, enum doctor_json_event event)
{
	const char *word;

	if (event != DOCTOR_JSON_OBJECT)
		return doctor_json_pass(&r->json, event);
	while ((event = doctor_json_next(&r->json)) == DOCTOR_JSON_KEY) {
		if (!is_key(r, "title")) {
			if (!doctor_json_skip(&r->json))
				return false;
			continue;
		}
		if (!read_word(r, &word))
			return false;
		remember_page(r, word);
	}
	return event == DOCTOR_JSON_OBJECT_END;
}

static bool read_log(struct reading *r)
{
	if (is_key(r, "pages"))
		return each(r, read_page);
	if (!is_key(r, "entries"))
		return doctor_json_skip(&r->json);
	r->entries = true;
	return each(r, read_entry);
}

static bool read_top(struct reading *r)
{
	if (!is_key(r, "log"))
		return doctor_json_skip(&r->json);
	r->log = true;
	return walk(r, read_log);
}

/* ---- what was found becomes the request ---- */

static bool has_field(const struct entry *e, const char *name)
{
	for (size_t i = 0; i < e->n_fields; i++)
		if (strcasecmp(text_at(e, e->field[i].name), name) == 0)
			return true;
	return false;
}

static int say_cookies(struct doctor_import *m, const struct entry *e)
{
	int status = 0;

	for (size_t i = 0; i < e->n_cookies && status == 0; i++) {
		char *one;

		if (asprintf(&one, "%s=%s", text_at(e, e->cookie[i].name),
			     text_at(e, e->cookie[i].value)) < 0)
			return doctor_import_fail(m, "out of memory");
		status = doctor_import_say(m, "cookie", bytes_of_str(one));
		free(one);
	}
	return status;
}

/* A query may hold what the fields do not. */
static bool has_secret_query(const struct entry *e)
{
	return ses_url_has_secret(bytes_of_str(text_at(e, e->url)));
}

/* Of a connection that failed some exports have no field at all. */
static int say_origin(const struct reading *r, struct doctor_import *m)
{
	char origin[600];
	struct ses_url url;
	enum ses_url_fault fault = SES_URL_HTTP;
	size_t at;

	if (r->best.n_fields > 0)
		return 0;
	m->no_credentials = !has_secret_query(&r->best);
	if ((ses_url_parse(bytes_of_str(r->page_of_best), &url, &fault, &at) < 0 &&
	     fault != SES_URL_HTTP) ||
	    ses_url_origin(&url, origin, sizeof(origin)) < 0) {
		doctor_import_note(m, "the recording has no field of this "
				      "request, neither Origin nor Cookie nor "
				      "Authorization; give them by --origin, "
				      "-b or -H");
		return 0;
	}
	doctor_import_note(m,
			   "the recording has no field of this request, "
			   "neither Origin nor Cookie nor Authorization; the "
			   "Origin is that of its page, %.60s; give the others "
			   "by -b or -H",
			   origin);
	return doctor_import_say(m, "origin", bytes_of_str(origin));
}

static void tell_left_out(struct doctor_import *m, const struct entry *e)
{
	if (e->n_fields == 0 || has_field(e, "Cookie") ||
	    has_field(e, "Authorization") || e->n_cookies > 0)
		return;
	doctor_import_note(m, "the recording has neither Cookie nor "
			      "Authorization for this request: browsers leave "
			      "them out unless it is exported with sensitive "
			      "data; give them by -b or -H if there are any");
	m->no_credentials = !has_secret_query(e);
}

static void tell_which(const struct reading *r, struct doctor_import *m)
{
	static const char *const ways[] = {
		"", "that opened", "that got no message", "that failed"};
	const struct entry *e = &r->best;
	uint64_t others = r->n_of_fit[OPENED] + r->n_of_fit[SILENT] +
			  r->n_of_fit[FAILED] - 1;
	char url[4096], shown[110], rest[80] = "";

	if (ses_url_redact(bytes_of_str(text_at(e, e->url)), url, sizeof(url)) <
	    0)
		snprintf(url, sizeof(url), "a long URL");
	bytes_printable(bytes_of_str(url), shown, sizeof(shown));
	if (others)
		snprintf(rest, sizeof(rest),
			 "; %" PRIu64 " other%s left out, of which %" PRIu64
			 " failed",
			 others, others == 1 ? " was" : "s were",
			 r->n_of_fit[FAILED] - (e->fit == FAILED));
	doctor_import_note(m,
			   "from the recording, entry %" PRIu64
			   ", the last WebSocket %s: %s%s",
			   e->number, ways[e->fit], shown, rest);
	if (e->fit != FAILED)
		doctor_import_note(m, "no WebSocket in the recording failed%s",
				   r->match ? " among those that match" : "");
}

/* "net::ERR_FAILED", "403", or that nothing came back. */
static void tell_failure(struct doctor_import *m, const struct entry *e)
{
	const char *said = text_at(e, e->error);

	if (e->fit != FAILED)
		return;
	if (*said)
		bytes_printable(bytes_of_str(said), m->failure,
				sizeof(m->failure));
	else if (e->status > 0)
		snprintf(m->failure, sizeof(m->failure), "%d", e->status);
	else
		snprintf(m->failure, sizeof(m->failure), "no answer");
}

static int use(struct reading *r, struct doctor_import *m)
{
	const struct entry *e = &r->best;
	int status;

	if (e->unfit)
		return doctor_import_fail(
			m,
			"entry %" PRIu64
			" is no handshake: too large, or with a NUL",
			e->number);
	status = doctor_import_url(m, bytes_of_str(text_at(e, e->url)));
	for (size_t i = 0; i < e->n_fields && status == 0; i++)
		status = doctor_import_field(
			m, bytes_of_str(text_at(e, e->field[i].name)),
			bytes_of_str(text_at(e, e->field[i].value)));
	if (status == 0 && !has_field(e, "Cookie"))
		status = say_cookies(m, e);
	if (status == 0)
		status = say_origin(r, m);
	if (status < 0)
		return status;
	tell_which(r, m);
	tell_failure(m, e);
	tell_left_out(m, e);
	return 0;
}

/* Whoever gave another file may never have seen such a one. */
static int fail_foreign(struct doctor_import *m, const char *why)
{
	return doctor_import_fail(
		m,
		"this is no recording of a browser (a HAR file: JSON that "
		"lists all requests of a page): %s; to make one, open the "
		"network panel of the browser (F12), load the page again, and "
		"export as HAR",
		why);
}

static int fail_broken(const struct reading *r, struct doctor_import *m)
{
	char why[160];

	if (r->log)
		return doctor_import_fail(m,
					  "the recording is broken at byte "
					  "%" PRIu64 " (%s), and no WebSocket "
					  "stands before that",
					  r->json.error_at, r->json.error);
	snprintf(why, sizeof(why), "%s at byte %" PRIu64, r->json.error,
		 r->json.error_at);
	return fail_foreign(m, why);
}

static int fail_none(const struct reading *r, struct doctor_import *m)
{
	if (!r->log || !r->entries)
		return fail_foreign(m, "it has no log.entries");
	if (r->n_unmatched)
		return doctor_import_fail(
			m,
			"%" PRIu64 " WebSocket%s recorded, and no URL of "
			"them holds the text of --match",
			r->n_unmatched, r->n_unmatched == 1 ? " is" : "s are");
	return doctor_import_fail(m,
				  "none of the %" PRIu64
				  " entries is a WebSocket; open the tools of "
				  "the browser first, then load the page",
				  r->n_entries);
}

int doctor_har_read_from(size_t (*refill)(void *context, uint8_t *room,
					  size_t size),
			 void *context, const char *match,
			 struct doctor_import *m)
{
	struct reading *r = calloc(1, sizeof(*r));
	bool whole;
	int status;

	if (!r || doctor_json_init(&r->json, refill, context) < 0) {
		if (r)
			doctor_json_fini(&r->json);
		free(r);
		return doctor_import_fail(m, "out of memory");
	}
	r->match = match;
	ses_buf_init(&r->now.text, MAX_ENTRY);
	ses_buf_init(&r->best.text, MAX_ENTRY);
	whole = walk(r, read_top) &&
		doctor_json_next(&r->json) == DOCTOR_JSON_END;
	if (r->best.fit != NO_WEBSOCKET)
		status = use(r, m);
	else if (whole || !r->json.error)
		status = fail_none(r, m);
	else
		status = fail_broken(r, m);
	if (status == 0 && r->json.error)
		doctor_import_note(m,
				   "the recording is broken at byte %" PRIu64
				   " (%s); only what stands before was used",
				   r->json.error_at, r->json.error);
	ses_buf_fini(&r->now.text);
	ses_buf_fini(&r->best.text);
	doctor_json_fini(&r->json);
	free(r);
	return status;
}

struct file {
	int fd;
	int error; /* errno of a read that failed, or 0 */
};

static size_t refill_from_file(void *context, uint8_t *room, size_t size)
{
	struct file *f = context;
	ssize_t n = read(f->fd, room, size);

	if (n < 0)
		f->error = errno;
	return n > 0 ? (size_t)n : 0;
}

int doctor_har_read(const char *path, const char *match, struct doctor_import *m)
{
	struct file f = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	int status;

	if (f.fd < 0)
		return doctor_import_fail(m, "%s", strerror(errno));
	status = doctor_har_read_from(refill_from_file, &f, match, m);
	close(f.fd);
	return f.error ? doctor_import_fail(m, "%s", strerror(f.error)) : status;
}
