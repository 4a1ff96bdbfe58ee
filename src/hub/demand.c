/* SPDX-License-Identifier: MIT */
/*
 * An object that is published goes on as it was written, so of what is sent
 * only the members are looked at that are named here (wire/json.h). These may
 * not stand twice: two readers could take two different values.
 */
#include "hub/demand.h"

#include "base/base64.h"

#define TOO_DEEP "JSON of more than 128 levels is not read"
#define NO_TEXT	 "half of a pair of surrogates is no text"

const char hub_no_memory[] = "out of memory";

/* ---- Texts ---- */

/*
 * What @quoted says, in @own if it is not found as it is written. NULL, or what
 * is wrong.
 */
static const char *take_text(struct bytes quoted, struct ses_buf *own,
			     struct bytes *ret_text)
{
	uint8_t *room;
	size_t n;

	if (ses_json_borrow(quoted, ret_text))
		return NULL;
	room = ses_buf_room(own, quoted.len);
	if (!room)
		return hub_no_memory;
	if (!ses_json_text(quoted, room, &n))
		return NO_TEXT;
	ses_buf_commit(own, n);
	*ret_text = bytes_of(room, n);
	return NULL;
}

/* A short one, to @out of @size bytes. False: it is longer, or no text. */
#define ESCAPED	  6 /* bytes that one byte may be written with */
#define SHORT_MAX 256

static bool copy_short(struct bytes quoted, uint8_t out[SHORT_MAX],
		       size_t *ret_len)
{
	uint8_t room[ESCAPED * SHORT_MAX + 2];
	size_t n;

	if (quoted.len > sizeof(room) || !ses_json_text(quoted, room, &n) ||
	    n > SHORT_MAX)
		return false;
	memcpy(out, room, n);
	*ret_len = n;
	return true;
}

/* ---- Demands ---- */

enum member {
	REF,
	PUBLISH,
	PUBLISH_BASE64,
	RESUME,
	PRESENCE,
	LIMIT,
	AFTER,
	N_MEMBERS,
};

static const char *const names[N_MEMBERS] = {
	[REF] = "ref",
	[PUBLISH] = "publish",
	[PUBLISH_BASE64] = "publish_base64",
	[RESUME] = "resume",
	[PRESENCE] = "presence",
	[LIMIT] = "limit",
	[AFTER] = "after",
};

/* Those that an envelope has; of no sort: it has it not. */
struct members {
	struct ses_json_item of[N_MEMBERS];
	bool twice;
};

static void keep(struct members *m, const struct ses_json_item *item)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (!ses_json_is(item->name, names[i]))
			continue;
		m->twice |= m->of[i].sort != SES_JSON_NONE;
		m->of[i] = *item;
	}
}

static const char *read_publish(const struct ses_json_item *publish,
				struct hub_demand *d)
{
	d->sort = HUB_PUBLISH;
	if (publish->sort == SES_JSON_TEXT)
		return take_text(publish->value, &d->own, &d->data);
	if (publish->sort != SES_JSON_OBJECT && publish->sort != SES_JSON_ARRAY)
		return "publish is a text, an object or a list";
	d->data = publish->value;
	return NULL;
}

static const char *decode(struct bytes text, struct hub_demand *d)
{
	uint8_t *room = ses_buf_room(&d->own, text.len + 1);
	size_t n;

	if (!room)
		return hub_no_memory;
	if (ses_base64_decode(text, room, text.len, &n) < 0)
		return "publish_base64 is no base64";
	ses_buf_commit(&d->own, n);
	d->data = bytes_of(room, n);
	return NULL;
}

static const char *read_bytes(const struct ses_json_item *base64,
			      struct hub_demand *d)
{
	struct ses_buf unescaped;
	const char *wrong;
	struct bytes text;

	d->sort = HUB_PUBLISH_BYTES;
	if (base64->sort != SES_JSON_TEXT)
		return "publish_base64 is a text";
	ses_buf_init(&unescaped, base64->value.len);
	wrong = take_text(base64->value, &unescaped, &text);
	if (!wrong)
		wrong = decode(text, d);
	ses_buf_fini(&unescaped);
	return wrong;
}

static bool read_limit(const struct ses_json_item *limit, struct hub_demand *d)
{
	int64_t n = (int64_t)d->limit;

	if (limit->sort != SES_JSON_NONE && (limit->sort != SES_JSON_NUMBER ||
					     !ses_json_integer(limit->value, &n)))
		return false;
	d->limit = (size_t)n;
	return n >= 1 && n <= HUB_LIST_MAX;
}

_Static_assert(HUB_AFTER_MAX == SHORT_MAX && HUB_KEY_MAX == SHORT_MAX,
	       "both are read by copy_short()");

static const char *read_presence(const struct members *m, struct hub_demand *d)
{
	const struct ses_json_item *presence = &m->of[PRESENCE];
	const struct ses_json_item *after = &m->of[AFTER];
	bool is_text = presence->sort == SES_JSON_TEXT;

	if (is_text && ses_json_is(presence->value, "count"))
		d->sort = HUB_COUNT;
	else if (is_text && ses_json_is(presence->value, "list"))
		d->sort = HUB_LIST;
	else
		return "presence is \"list\" or \"count\"";
	if (!read_limit(&m->of[LIMIT], d))
		return "limit is a number from 1 to 1000";
	if (after->sort != SES_JSON_NONE &&
	    (after->sort != SES_JSON_TEXT ||
	     !copy_short(after->value, d->after, &d->after_len)))
		return "after is a name out of members";
	return NULL;
}

static const char *read_resume(const struct ses_json_item *id,
			       struct hub_demand *d)
{
	d->sort = HUB_RESUME;
	return id->sort == SES_JSON_TEXT
		       ? take_text(id->value, &d->own, &d->data)
		       : "resume is an id";
}

static const char *read_ref(const struct ses_json_item *item,
			    struct hub_demand *d)
{
	int64_t ref;

	if (item->sort == SES_JSON_NONE)
		return NULL;
	if (item->sort != SES_JSON_NUMBER ||
	    !ses_json_integer(item->value, &ref) || ref < 0 ||
	    ref > INT64_C(9007199254740991))
		return "ref is a number from 0 to 2^53 - 1";
	d->ref = ref;
	return NULL;
}

static const char *read_members(const struct members *m, struct hub_demand *d)
{
	const char *wrong = read_ref(&m->of[REF], d);
	unsigned n = 0;

	if (m->twice)
		return "a member of the envelope stands twice";
	if (wrong)
		return wrong;
	for (size_t i = PUBLISH; i <= PRESENCE; i++)
		n += m->of[i].sort != SES_JSON_NONE;
	if (n != 1)
		return "one of publish, publish_base64, resume and presence "
		       "is needed";
	if (m->of[PUBLISH].sort)
		return read_publish(&m->of[PUBLISH], d);
	if (m->of[PUBLISH_BASE64].sort)
		return read_bytes(&m->of[PUBLISH_BASE64], d);
	if (m->of[RESUME].sort)
		return read_resume(&m->of[RESUME], d);
	return read_presence(m, d);
}

const char *hub_demand_read(struct bytes text, struct hub_demand *d)
{
	struct members m = {.twice = false};
	struct ses_json_item item;
	const char *wrong;
	struct ses_json in;

	*d = (struct hub_demand){.ref = -1, .limit = 100};
	ses_buf_init(&d->own, text.len + 1);
	ses_json_begin(&in, text);
	while (in.sort == SES_JSON_OBJECT && ses_json_next(&in, &item))
		keep(&m, &item);
	if (in.fault)
		d->broken_at = text.len - in.rest.len;
	if (in.fault == SES_JSON_DEEP)
		return TOO_DEEP;
	if (in.sort != SES_JSON_OBJECT || in.fault)
		return "an envelope is a JSON object";
	wrong = read_members(&m, d);
	d->no_memory = wrong == hub_no_memory;
	return wrong;
}

void hub_demand_fini(struct hub_demand *d)
{
	ses_buf_fini(&d->own);
}

/* ---- States ---- */

/* As it is written, for there is one way only; but -0 is 0. */
static bool is_whole(struct bytes number)
{
	for (size_t i = number.data[0] == '-'; i < number.len; i++)
		if (number.data[i] < '0' || number.data[i] > '9')
			return false;
	return true;
}

static const char *read_key(const struct ses_json_item *key,
			    struct hub_about *about)
{
	struct bytes digits = key->value;
	bool fits;

	if (key->sort == SES_JSON_NUMBER && is_whole(digits)) {
		if (bytes_equal_str(digits, "-0"))
			digits = BYTES("0");
		fits = digits.len <= sizeof(about->key);
		about->key_len = fits ? digits.len : 0;
		memcpy(about->key, digits.data, about->key_len);
	} else if (key->sort == SES_JSON_TEXT) {
		fits = copy_short(key->value, (uint8_t *)about->key,
				  &about->key_len);
	} else {
		return "The payload has no key: a text or a whole number";
	}
	return fits && about->key_len
		       ? NULL
		       : "The key of the payload is empty, or longer than 256 "
			 "bytes";
}

const char *hub_about_read(struct bytes payload, const char *name,
			   struct hub_about *about)
{
	struct ses_json_item key = {.sort = SES_JSON_NONE}, item;
	bool twice = false;
	struct ses_json in;

	*about = (struct hub_about){.gone = true};
	ses_json_begin(&in, payload);
	while (in.sort == SES_JSON_OBJECT && ses_json_next(&in, &item)) {
		if (ses_json_is(item.name, name)) {
			twice |= key.sort != SES_JSON_NONE;
			key = item;
		} else if (item.sort != SES_JSON_NULL) {
			about->gone = false;
		}
	}
	if (in.fault == SES_JSON_DEEP)
		return TOO_DEEP;
	if (in.sort != SES_JSON_OBJECT || in.fault)
		return "A payload of this channel is a JSON object";
	if (twice)
		return "The payload has two keys";
	return read_key(&key, about);
}

/* ---- Lists ---- */

static bool is_payload(const struct ses_json_item *item)
{
	return item->sort == SES_JSON_TEXT || item->sort == SES_JSON_OBJECT ||
	       item->sort == SES_JSON_ARRAY;
}

const char *hub_list_read(struct bytes text, struct hub_list *list)
{
	struct ses_json_item item;
	struct bytes plain;
	bool good = true;
	size_t room = 0;

	*list = (struct hub_list){.n = 0};
	ses_buf_init(&list->own, text.len);
	ses_json_begin(&list->in, text);
	while (list->in.sort == SES_JSON_ARRAY &&
	       ses_json_next(&list->in, &item)) {
		list->n++;
		good &= is_payload(&item);
		if (item.sort == SES_JSON_TEXT &&
		    !ses_json_borrow(item.value, &plain))
			room += item.value.len;
	}
	if (list->in.fault)
		list->broken_at = text.len - list->in.rest.len;
	if (list->in.fault == SES_JSON_DEEP)
		return TOO_DEEP;
	if (list->in.sort != SES_JSON_ARRAY || list->in.fault || !list->n)
		return "A batch is a JSON list of payloads";
	if (list->n > HUB_LIST_MAX)
		return "A batch has at most 1000 payloads";
	if (!good)
		return "A payload of a batch is a text, an object or a list";
	/* All at once, so that none of them is moved by the next. */
	if (room && !ses_buf_room(&list->own, room))
		return hub_no_memory;
	ses_json_begin(&list->in, text);
	return NULL;
}

bool hub_list_next(struct hub_list *list, struct bytes *ret_payload)
{
	struct ses_json_item item;

	if (!ses_json_next(&list->in, &item))
		return false;
	*ret_payload = item.value;
	if (item.sort == SES_JSON_TEXT)
		list->wrong = take_text(item.value, &list->own, ret_payload);
	return !list->wrong;
}

void hub_list_fini(struct hub_list *list)
{
	ses_buf_fini(&list->own);
}
