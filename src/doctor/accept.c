/* SPDX-License-Identifier: MIT */
/*
 * Whose key does a 101 prove that does not prove ours? A server that computes
 * wrongly gives the same key the same value each time (RFC 6455 section 4.2.2);
 * where a hop loses the key, the value is that of another one, or of none.
 */
#include "doctor/pair.h"

#include "doctor/finding_inner.h"
#include "wire/upgrade.h"

static bool is_wrong(const struct doctor_probe *p)
{
	return p->outcome == DOCTOR_BAD_101 &&
	       p->fault == SES_FAULT_RESPONSE_ACCEPT;
}

static struct bytes accept_of(const struct doctor_probe *p)
{
	return ses_head_get(&p->parsed, "Sec-WebSocket-Accept");
}

bool doctor_key_to_ask_again(const struct doctor_chart *chart, char *out,
			     size_t size)
{
	static const char name[] = "\r\nSec-WebSocket-Key: ";
	const struct doctor_probe *base = doctor_baseline(chart);
	const char *at;

	if (!base || !is_wrong(base) || !base->request ||
	    accept_of(base).len != SES_ACCEPT_LEN || size <= SES_KEY_LEN)
		return false;
	at = strcasestr(base->request, name);
	if (!at || strcspn(at + strlen(name), "\r\n") != SES_KEY_LEN)
		return false;
	memcpy(out, at + strlen(name), SES_KEY_LEN);
	out[SES_KEY_LEN] = '\0';
	return true;
}

/* A server chooses one subprotocol (RFC 6455 section 4.2.2); this is a list. */
static void find_listed_back(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	struct bytes chosen = {0};

	if (base->outcome == DOCTOR_BAD_101)
		chosen = ses_head_get(&base->parsed, "Sec-WebSocket-Protocol");
	if (bytes_find_byte(chosen, ',') >= 0)
		doctor_note(chart, DOCTOR_F_BAD_101_LIST, base, NULL,
			    "the 101 names a list of subprotocols, where a "
			    "server has to choose one");
}

void doctor_find_accept(struct doctor_chart *chart)
{
	const struct doctor_probe *base = doctor_baseline(chart);
	const struct doctor_probe *p = doctor_tried(chart, DOCTOR_KEY, NULL);
	char none[SES_ACCEPT_LEN];

	find_listed_back(chart);
	if (!is_wrong(base))
		return;
	ses_key_accept(BYTES(""), none);
	if (bytes_equal(accept_of(base), bytes_of(none, sizeof(none))))
		doctor_note(chart, DOCTOR_F_ACCEPT_OF_NO_KEY, base, NULL,
			    "Sec-WebSocket-Accept is the value for no key at "
			    "all");
	else if (p && is_wrong(p) && accept_of(p).len == SES_ACCEPT_LEN &&
		 bytes_equal(accept_of(base), accept_of(p)))
		doctor_note(chart, DOCTOR_F_ACCEPT_OF_KEY, p, base,
			    "the same key gets the same Sec-WebSocket-Accept");
	else if (p && is_wrong(p) && accept_of(p).len == SES_ACCEPT_LEN)
		doctor_note(chart, DOCTOR_F_ACCEPT_OF_OTHER_KEY, p, base,
			    "the same key gets another Sec-WebSocket-Accept "
			    "each time: another key is sent on in its place");
}
