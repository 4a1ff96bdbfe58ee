/* SPDX-License-Identifier: MIT */
/* The proxy that the environment asks for, the same for every command. */
#include "cli/proxy.h"

#include "doctor/route.h"

const char *cli_proxy_for(const char *text, const char **ret_from)
{
	enum ses_url_fault fault;
	struct ses_url url;
	size_t at;

	if (ses_url_parse(bytes_of_str(text), &url, &fault, &at) < 0)
		return NULL;
	return doctor_route_proxy(&url, ret_from);
}
