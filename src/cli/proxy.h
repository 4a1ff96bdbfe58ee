/* SPDX-License-Identifier: MIT */
/* The proxy that the environment asks for, the same for every command. */
#ifndef CLI_PROXY_H
#define CLI_PROXY_H

/* Borrowed from the environment; NULL: none, or @url is no URL. *ret_from is the
 * name of the variable. */
const char *cli_proxy_for(const char *url, const char **ret_from);

#endif
