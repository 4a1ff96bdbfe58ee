/* SPDX-License-Identifier: MIT */
/*
 * Contexts that a loop's clients share. To make one means to read every CA
 * certificate of the system, in the loop's thread, which is far more work than
 * the handshake that follows. A file that was replaced makes another one.
 */
#include "net/tls_cache.h"

#include <stdlib.h>
#include <sys/stat.h>

#define MOST_CONTEXTS 8

struct entry {
	struct ses_buf key; /* the options, as bytes */
	struct ses_tls_context *ctx;
};

struct ses_tls_cache {
	struct entry entry[MOST_CONTEXTS];
	size_t next; /* to be replaced */
};

/* ---- what makes two contexts the same ---- */

static int put(struct ses_buf *key, const void *data, size_t len)
{
	return ses_buf_append(key, bytes_of(data, len));
}

/* The name, and what changes when the file does. */
static int put_file(struct ses_buf *key, const char *name)
{
	struct stat about = {0};
	int error;

	if (!name)
		return put(key, "", 1);
	error = put(key, name, strlen(name) + 1);
	if (error || stat(name, &about) < 0)
		return error;
	if (put(key, &about.st_dev, sizeof(about.st_dev)) ||
	    put(key, &about.st_ino, sizeof(about.st_ino)) ||
	    put(key, &about.st_size, sizeof(about.st_size)))
		return SESAME_ENOMEM;
	return put(key, &about.st_mtim, sizeof(about.st_mtim));
}

static int write_key(struct ses_buf *key, const struct ses_tls_client_options *o)
{
	uint8_t insecure = o->insecure;

	if (put_file(key, o->ca_file) || put_file(key, o->cert_file) ||
	    put_file(key, o->key_file))
		return SESAME_ENOMEM;
	return put(key, &insecure, sizeof(insecure));
}

static bool is_shareable(const struct ses_tls_client_options *o)
{
	return !o->alpn && !o->min_version && !o->max_version;
}

/* ---- the cache ---- */

static struct ses_tls_cache *cache_of(struct sesame_loop *loop)
{
	if (!loop->tls_cache)
		loop->tls_cache = calloc(1, sizeof(*loop->tls_cache));
	return loop->tls_cache;
}

static struct ses_tls_context *find(const struct ses_tls_cache *cache,
				    struct bytes key)
{
	for (size_t i = 0; i < MOST_CONTEXTS; i++) {
		const struct entry *e = &cache->entry[i];

		if (e->ctx && bytes_equal(ses_buf_bytes(&e->key), key))
			return e->ctx;
	}
	return NULL;
}

static void drop(struct entry *e)
{
	ses_tls_context_unref(e->ctx);
	ses_buf_fini(&e->key);
	e->ctx = NULL;
}

/* @key is taken over. */
static void keep(struct ses_tls_cache *cache, const struct ses_buf *key,
		 struct ses_tls_context *ctx)
{
	struct entry *e = &cache->entry[cache->next];

	cache->next = (cache->next + 1) % MOST_CONTEXTS;
	drop(e);
	ses_tls_context_ref(ctx);
	*e = (struct entry){*key, ctx};
}

struct ses_tls_context *
ses_tls_client_shared(struct sesame_loop *loop,
		      const struct ses_tls_client_options *options, char *text,
		      size_t text_size)
{
	struct ses_tls_cache *cache = cache_of(loop);
	struct ses_tls_context *ctx;
	struct ses_buf key;

	ses_buf_init(&key, 64 * 1024);
	if (!cache || !is_shareable(options) || write_key(&key, options) < 0) {
		ses_buf_fini(&key);
		return ses_tls_client_new(options, text, text_size);
	}
	ctx = find(cache, ses_buf_bytes(&key));
	if (ctx) {
		ses_buf_fini(&key);
		ses_tls_context_ref(ctx);
		return ctx;
	}
	ctx = ses_tls_client_new(options, text, text_size);
	if (ctx)
		keep(cache, &key, ctx);
	else
		ses_buf_fini(&key);
	return ctx;
}

void ses_tls_cache_free(struct ses_tls_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < MOST_CONTEXTS; i++)
		drop(&cache->entry[i]);
	free(cache);
}
