/* SPDX-License-Identifier: MIT */
/*
 * Contradictions of the command line, told before anybody is asked: a failure
 * that this machine makes by itself would be laid at the server's door.
 */
#include "doctor/way.h"

#include "doctor/options.h"
#include "net/addr.h"
#include "net/proxy.h"

/*
 * What is connected to, if it is written as an address: the proxy's, that of
 * --resolve or --connect-to, or the URL's own.
 */
static bool first_address(const struct doctor_case *c, struct ses_addr *ret)
{
	struct ses_proxy proxy;
	const char *fault;

	if (c->proxy)
		return ses_proxy_parse(c->proxy, &proxy, &fault) == 0 &&
		       ses_addr_parse(bytes_of_str(proxy.host), 0, ret);
	if (c->connect_host)
		return ses_addr_parse(bytes_of_str(c->connect_host), 0, ret);
	return !c->url_error && ses_addr_parse(c->url.host, 0, ret);
}

static int check_family(const struct doctor_case *c)
{
	char text[SES_ADDR_TEXT];
	struct ses_addr to;

	if (!c->family || !first_address(c, &to) ||
	    ses_addr_family(&to) == c->family)
		return 0;
	return doctor_complain("-%d asks for IPv%d, and %s is an IPv%d "
			       "address: leave out -%d, or name a host instead "
			       "of the address",
			       c->family, c->family,
			       ses_addr_format_host(&to, text),
			       ses_addr_family(&to), c->family);
}

static int check_source(const struct doctor_case *c)
{
	char text[SES_ADDR_TEXT];
	struct ses_addr from, to;
	int family;

	if (!c->source || !ses_addr_parse(bytes_of_str(c->source), 0, &from))
		return 0;
	family = ses_addr_family(&from);
	if (c->family && family != c->family)
		return doctor_complain("--source %s is not an IPv%d address, "
				       "which -%d asks for",
				       c->source, c->family, c->family);
	if (first_address(c, &to) && ses_addr_family(&to) != family)
		return doctor_complain(
			"--source %s is an IPv%d address, and "
			"%s an IPv%d one: no connection leads "
			"from one to the other; leave out "
			"--source, or give one of IPv%d",
			c->source, family, ses_addr_format_host(&to, text),
			ses_addr_family(&to), ses_addr_family(&to));
	if (!ses_addr_is_here(&from))
		return doctor_complain("--source %s is no address of this "
				       "machine; `ip address` lists those "
				       "that it has",
				       c->source);
	return 0;
}

int doctor_check_way(const struct doctor_case *c)
{
	int status = check_family(c);

	return status ? status : check_source(c);
}
