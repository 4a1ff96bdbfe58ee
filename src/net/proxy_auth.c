/* SPDX-License-Identifier: MIT */
/*
 * Digest as RFC 7616 has it, for MD5 and SHA-256, with quality "auth" or, for
 * old proxies, none. A proxy that offers several digests gets the best.
 */
#include "net/proxy_auth.h"

#include <sesame/error.h>

#include <stdarg.h>
#include <stdio.h>

#include "wire/digest.h"

#define TEXT 512

struct algorithm {
	const char *name; /* as challenges have it */
	const char *digest;
	bool session; /* the key is made of both nonces, too */
};

/* Best first. */
static const struct algorithm algorithms[] = {
	{"SHA-256", "SHA256", false},
	{"SHA-256-sess", "SHA256", true},
	{"MD5", "MD5", false},
	{"MD5-sess", "MD5", true},
};

#define N_ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

/* The rank of a challenge's algorithm; N_ALGORITHMS: not known. */
static size_t rank_of(const struct ses_challenge *challenge)
{
	char name[32] = "MD5";
	size_t i = 0;

	ses_challenge_param(challenge, "algorithm", name, sizeof(name));
	while (i < N_ALGORITHMS &&
	       !bytes_equal_nocase(bytes_of_str(name),
				   bytes_of_str(algorithms[i].name)))
		i++;
	return i;
}

static bool has_scheme(const struct ses_challenge *c, const char *name)
{
	return bytes_equal_nocase(c->scheme, bytes_of_str(name));
}

enum ses_proxy_scheme ses_proxy_choose(const struct ses_proxy *proxy,
				       const struct ses_head *head,
				       struct ses_challenge *ret_challenge)
{
	enum ses_proxy_scheme found = SES_PROXY_NO_SCHEME;
	size_t best = N_ALGORITHMS;
	struct ses_challenge c;

	for (size_t i = 0; i < head->n_fields; i++) {
		struct bytes list = head->fields[i].value;

		if (!bytes_equal_nocase(head->fields[i].name,
					BYTES("Proxy-Authenticate")))
			continue;
		while (ses_challenge_next(&list, &c)) {
			if (proxy->ticket && has_scheme(&c, "Negotiate")) {
				*ret_challenge = c;
				return SES_PROXY_NEGOTIATE;
			}
			if (!proxy->has_user || !has_scheme(&c, "Digest") ||
			    rank_of(&c) >= best)
				continue;
			best = rank_of(&c);
			*ret_challenge = c;
			found = SES_PROXY_DIGEST;
		}
	}
	return found;
}

/* What the answer is made of; all as it is sent. */
struct answer {
	const struct algorithm *by;
	char realm[TEXT], nonce[TEXT], opaque[TEXT];
	bool has_opaque, has_quality; /* qop=auth is offered */
	const char *cnonce;
};

/* The digest of a text that is made by a format, in hex. */
__attribute__((format(printf, 3, 4))) static int
hash(const struct answer *a, char out[SES_HEX_LEN], const char *format, ...)
{
	char text[8 * TEXT];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		return SESAME_EPROXY;
	return ses_digest_hex(a->by->digest, bytes_of(text, (size_t)len), out)
		       ? 0
		       : SESAME_ENOMEM;
}

/* H(A1): who; with -sess bound to these two nonces (3.4.2). */
static int hash_user(const struct answer *a, const struct ses_proxy *proxy,
		     char out[SES_HEX_LEN])
{
	char plain[SES_HEX_LEN];
	int r = hash(a, plain, "%s:%s:%s", proxy->user, a->realm,
		     proxy->password);

	if (r != 0)
		return r;
	if (a->by->session)
		return hash(a, out, "%s:%s:%s", plain, a->nonce, a->cnonce);
	memcpy(out, plain, sizeof(plain));
	return 0;
}

static int respond(const struct answer *a, const struct ses_proxy *proxy,
		   const char *target, char out[SES_HEX_LEN])
{
	char who[SES_HEX_LEN], what[SES_HEX_LEN];
	int r = hash_user(a, proxy, who);

	if (r == 0)
		r = hash(a, what, "CONNECT:%s", target);
	if (r != 0)
		return r;
	if (!a->has_quality) /* as RFC 2069 had it */
		return hash(a, out, "%s:%s:%s", who, a->nonce, what);
	return hash(a, out, "%s:%s:00000001:%s:auth:%s", who, a->nonce,
		    a->cnonce, what);
}

/* Whether a comma-separated list holds "auth". */
static bool offers_auth(struct bytes list)
{
	struct bytes one;

	while (bytes_next_element(&list, &one))
		if (bytes_equal_nocase(one, BYTES("auth")))
			return true;
	return false;
}

static bool read_challenge(const struct ses_challenge *c, struct answer *ret)
{
	char quality[TEXT];
	size_t rank = rank_of(c);
	bool asked = ses_challenge_param(c, "qop", quality, sizeof(quality));

	if (rank == N_ALGORITHMS ||
	    (asked && !offers_auth(bytes_of_str(quality))))
		return false;
	ret->by = &algorithms[rank];
	ret->has_quality = asked;
	ret->has_opaque = ses_challenge_param(c, "opaque", ret->opaque,
					      sizeof(ret->opaque));
	return ses_challenge_param(c, "realm", ret->realm, sizeof(ret->realm)) &&
	       ses_challenge_param(c, "nonce", ret->nonce, sizeof(ret->nonce));
}

/* name="value", and a comma. What would break out of its line is refused. */
static int append_quoted(struct ses_buf *out, const char *name,
			 const char *value)
{
	int r;

	if (!ses_is_field_value(bytes_of_str(value)))
		return SESAME_EPROXY;
	r = ses_buf_printf(out, "%s=\"", name);
	for (; r == 0 && *value; value++) {
		if (*value == '"' || *value == '\\')
			r = ses_buf_append(out, BYTES("\\"));
		if (r == 0)
			r = ses_buf_append(out, bytes_of(value, 1));
	}
	return r ? r : ses_buf_append(out, BYTES("\", "));
}

static int append_answer(const struct answer *a, const struct ses_proxy *proxy,
			 const char *target, struct ses_buf *out)
{
	char response[SES_HEX_LEN];
	int r = respond(a, proxy, target, response);

	if (r == 0)
		r = ses_buf_append_str(out, "Digest ");
	if (r == 0)
		r = append_quoted(out, "username", proxy->user);
	if (r == 0)
		r = append_quoted(out, "realm", a->realm);
	if (r == 0)
		r = append_quoted(out, "nonce", a->nonce);
	if (r == 0)
		r = append_quoted(out, "uri", target);
	if (r == 0 && a->has_opaque)
		r = append_quoted(out, "opaque", a->opaque);
	if (r == 0 && a->has_quality)
		r = ses_buf_printf(out, "qop=auth, nc=00000001, cnonce=\"%s\", ",
				   a->cnonce);
	return r ? r
		 : ses_buf_printf(out, "algorithm=%s, response=\"%s\"",
				  a->by->name, response);
}

int ses_proxy_write_digest(const struct ses_proxy *proxy,
			   const struct ses_challenge *challenge,
			   const char *target, const char *cnonce,
			   struct ses_buf *out)
{
	struct answer answer = {.cnonce = cnonce};

	if (!read_challenge(challenge, &answer))
		return SESAME_EPROXY;
	return append_answer(&answer, proxy, target, out);
}
