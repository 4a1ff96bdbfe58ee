/* SPDX-License-Identifier: MIT */
/*
 * The system's resolver blocks, and nothing but itself knows for how long, so
 * it is asked in a thread that owns its question and answer.
 */
#include "net/names.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

struct question {
	char host[256];
	char port[8];
	int family;
	void (*done)(const struct ses_names *names, void *user);
	struct ses_names answer;
};

bool ses_names_is_address(struct bytes host)
{
	struct ses_addr a;

	return ses_addr_parse(host, 0, &a);
}

static void add(struct ses_names *names, const struct ses_addr *a, int family)
{
	if (names->n == SES_NAMES_MOST ||
	    (family != 0 && ses_addr_family(a) != family))
		return;
	names->address[names->n++] = *a;
}

static void add_text(struct ses_names *names, const char *text, uint16_t port,
		     int family)
{
	struct ses_addr a;

	if (ses_addr_parse(bytes_of_str(text), port, &a))
		add(names, &a, family);
}

static bool is_localhost(struct bytes host)
{
	static const char name[] = "localhost", below[] = ".localhost";

	if (host.len > 0 && host.data[host.len - 1] == '.')
		host.len--;
	return bytes_equal_nocase(host, bytes_of_str(name)) ||
	       (host.len >= sizeof(below) &&
		bytes_equal_nocase(
			bytes_from(host, host.len - (sizeof(below) - 1)),
			bytes_of_str(below)));
}

bool ses_names_known(struct bytes host, uint16_t port, int family,
		     struct ses_names *ret)
{
	struct ses_addr a;

	*ret = (struct ses_names){0};
	if (ses_addr_parse(host, port, &a)) {
		add(ret, &a, family);
		return true;
	}
	if (!is_localhost(host))
		return false;
	add_text(ret, "::1", port, family);
	add_text(ret, "127.0.0.1", port, family);
	return true;
}

/* ---- asking ---- */

static bool is_known_already(const struct ses_names *names,
			     const struct addrinfo *ai)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->address[i].len == ai->ai_addrlen &&
		    memcmp(&names->address[i].any, ai->ai_addr,
			   ai->ai_addrlen) == 0)
			return true;
	return false;
}

static struct addrinfo *skip_to(struct addrinfo *ai, int family)
{
	while (ai && ai->ai_family != family)
		ai = ai->ai_next;
	return ai;
}

/* The resolver's order within a family, the families in turns (RFC 8305 4). */
static void interleave(struct addrinfo *list, struct ses_names *ret)
{
	int first = list->ai_family, second = AF_INET;
	struct addrinfo *next[2];

	if (first == AF_INET)
		second = AF_INET6;
	next[0] = skip_to(list, first);
	next[1] = skip_to(list, second);
	for (int turn = 0; next[0] || next[1]; turn = !turn) {
		struct addrinfo *ai = next[turn];
		struct ses_addr a = {0};

		if (!ai)
			continue;
		next[turn] = skip_to(ai->ai_next, ai->ai_family);
		if (ai->ai_addrlen > sizeof(a.v6) || is_known_already(ret, ai))
			continue;
		a.len = ai->ai_addrlen;
		memcpy(&a.v6, ai->ai_addr, ai->ai_addrlen);
		add(ret, &a, 0);
	}
}

static void ask_of(const struct question *q, int family, struct ses_names *ret)
{
	struct addrinfo hints = {
		.ai_family = family == 4   ? AF_INET
			     : family == 6 ? AF_INET6
					   : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;

	ret->gai_error = getaddrinfo(q->host, q->port, &hints, &list);
	ret->sys_errno = errno;
	if (ret->gai_error == 0 && list)
		interleave(list, ret);
	if (list)
		freeaddrinfo(list);
}

/*
 * "No such name" is what resolvers say of a name without an address of the
 * family as well (RFC 3493 6.1 leaves it to them), so it is asked once more.
 */
static void look_for_other(struct question *q)
{
	struct ses_names other = {0};
	int error = q->answer.gai_error;

	if (!q->family || (error != EAI_NONAME && error != EAI_NODATA &&
			   error != EAI_ADDRFAMILY))
		return;
	ask_of(q, q->family == 4 ? 6 : 4, &other);
	if (other.gai_error || other.n == 0)
		return;
	q->answer.gai_error = EAI_ADDRFAMILY;
	q->answer.other = other.address[0];
}

static void ask(void *job)
{
	struct question *q = job;

	ask_of(q, q->family, &q->answer);
	look_for_other(q);
}

static void answered(void *job, void *user)
{
	struct question *q = job;

	q->done(&q->answer, user);
}

struct ses_call *ses_names_ask(
	struct sesame_loop *loop, struct bytes host, uint16_t port, int family,
	void (*done)(const struct ses_names *names, void *user), void *user)
{
	struct question *q = calloc(1, sizeof(*q));
	struct ses_call *call;

	if (!q || host.len >= sizeof(q->host)) {
		free(q);
		return NULL;
	}
	memcpy(q->host, host.data, host.len);
	snprintf(q->port, sizeof(q->port), "%u", port);
	q->family = family;
	q->answer.gai_error = EAI_AGAIN; /* until somebody was asked */
	q->done = done;
	call = ses_call_start(loop, ask, answered, free, q, user);
	if (!call)
		free(q);
	return call;
}

const char *ses_names_error(const struct ses_names *names)
{
	switch (names->gai_error) {
	case 0:
		return names->n ? "" : "the name has no such address";
	case EAI_NONAME:
		return "no such name";
	case EAI_NODATA:
		return "the name exists but has no address";
	case EAI_ADDRFAMILY:
		return "the name has no address of this family";
	case EAI_AGAIN:
		return "the name server does not answer";
	case EAI_FAIL:
		return "the name server failed";
	case EAI_SYSTEM:
		return strerror(names->sys_errno);
	default:
		return gai_strerror(names->gai_error);
	}
}
