/* SPDX-License-Identifier: MIT */
/*
 * Addresses by inet_pton(3), which takes the canonical forms alone: "127.1",
 * octal and hexadecimal parts are no addresses here.
 */
#include "net/addr.h"

#include <sesame/error.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

/* "eth0" or "2" after the % of a link-local address. */
static bool parse_scope(const char *text, uint32_t *ret)
{
	uint64_t n;

	if (bytes_to_u64(bytes_of_str(text), UINT32_MAX, &n))
		*ret = (uint32_t)n;
	else
		*ret = if_nametoindex(text);
	return *ret != 0;
}

static bool parse_v6(char *text, uint16_t port, struct ses_addr *ret)
{
	struct ses_addr a = {.len = sizeof(a.v6)};
	char *percent = strchr(text, '%');

	if (percent)
		*percent = 0;
	a.v6.sin6_family = AF_INET6;
	a.v6.sin6_port = htons(port);
	if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1)
		return false;
	if (percent && !parse_scope(percent + 1, &a.v6.sin6_scope_id))
		return false;
	*ret = a;
	return true;
}

static bool parse_v4(const char *text, uint16_t port, struct ses_addr *ret)
{
	struct ses_addr a = {.len = sizeof(a.v4)};

	a.v4.sin_family = AF_INET;
	a.v4.sin_port = htons(port);
	if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1)
		return false;
	*ret = a;
	return true;
}

bool ses_addr_parse(struct bytes text, uint16_t port, struct ses_addr *ret)
{
	char copy[SES_ADDR_TEXT];

	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.data, 0, text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = 0;
	return parse_v4(copy, port, ret) || parse_v6(copy, port, ret);
}

char *ses_addr_format_host(const struct ses_addr *a, char out[SES_ADDR_TEXT])
{
	char scope[12] = "";

	if (ses_addr_family(a) == 4) {
		inet_ntop(AF_INET, &a->v4.sin_addr, out, SES_ADDR_TEXT);
		return out;
	}
	inet_ntop(AF_INET6, &a->v6.sin6_addr, out, SES_ADDR_TEXT);
	if (a->v6.sin6_scope_id)
		snprintf(scope, sizeof(scope), "%%%u", a->v6.sin6_scope_id);
	strcat(out, scope); /* 46 + 12 bytes fit */
	return out;
}

char *ses_addr_format(const struct ses_addr *a, char out[SES_ADDR_TEXT])
{
	char host[SES_ADDR_TEXT];
	const char *format = ses_addr_family(a) == 4 ? "%s:%u" : "[%s]:%u";

	snprintf(out, SES_ADDR_TEXT, format, ses_addr_format_host(a, host),
		 ses_addr_port(a));
	return out;
}

int ses_addr_family(const struct ses_addr *a)
{
	return a->any.sa_family == AF_INET6 ? 6 : 4;
}

bool ses_addr_is_loopback(const struct ses_addr *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return a->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

uint16_t ses_addr_port(const struct ses_addr *a)
{
	return ntohs(ses_addr_family(a) == 4 ? a->v4.sin_port : a->v6.sin6_port);
}

static bool switch_on(int fd, int level, int option)
{
	int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one)) == 0;
}

static bool make_listening(int fd, const struct ses_addr *at, bool reuse_port,
			   int backlog)
{
	if (!switch_on(fd, SOL_SOCKET, SO_REUSEADDR))
		return false;
	if (reuse_port && !switch_on(fd, SOL_SOCKET, SO_REUSEPORT))
		return false;
	if (ses_addr_family(at) == 6 && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY))
		return false;
	return bind(fd, &at->any, at->len) == 0 && listen(fd, backlog) == 0;
}

int ses_listen(const struct ses_addr *at, bool reuse_port, int backlog)
{
	int fd = socket(at->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return SESAME_ESYSTEM;
	if (make_listening(fd, at, reuse_port, backlog))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return SESAME_ESYSTEM;
}

int ses_addr_of_socket(int fd, bool peer, struct ses_addr *ret)
{
	struct ses_addr a = {.len = sizeof(a.v6)};
	int r = peer ? getpeername(fd, &a.any, &a.len)
		     : getsockname(fd, &a.any, &a.len);

	if (r < 0)
		return SESAME_ESYSTEM;
	*ret = a;
	return 0;
}

bool ses_addr_is_here(const struct ses_addr *a)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool here;

	if (fd < 0)
		return true;
	here = bind(fd, &a->any, a->len) == 0 || errno != EADDRNOTAVAIL;
	close(fd);
	return here;
}
