/* SPDX-License-Identifier: MIT */
/* TLS contexts that the clients of a loop share. */
#ifndef NET_TLS_CACHE_H
#define NET_TLS_CACHE_H

#include "net/loop.h"
#include "net/tls.h"

/*
 * As ses_tls_client_new(), but the context that was made before for the same
 * options, as long as their files are the same. The reference is the caller's.
 */
struct ses_tls_context *
ses_tls_client_shared(struct sesame_loop *loop,
		      const struct ses_tls_client_options *options, char *text,
		      size_t text_size);
/* For the loop alone. NULL is fine. */
void ses_tls_cache_free(struct ses_tls_cache *cache);

#endif
