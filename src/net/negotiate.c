/* SPDX-License-Identifier: MIT */
/* One token from the ticket cache of whoever runs the program. */
#include "net/negotiate.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef SESAME_GSSAPI
#include <gssapi/gssapi.h>
#endif

#include "base/base64.h"

#define MOST_TOKEN (64 * 1024) /* tickets with many groups are large */

struct job {
	char host[256];
	char *token;
	char text[256];
	void (*done)(const char *token, const char *text, void *user);
};

#ifdef SESAME_GSSAPI

/* SPNEGO, 1.3.6.1.5.5.2 (RFC 4178). */
static unsigned char spnego_bytes[] = {0x2b, 6, 1, 5, 5, 2};
static gss_OID_desc spnego = {sizeof(spnego_bytes), spnego_bytes};

/* The library's first sentence about what went wrong. */
static void explain(struct job *job, OM_uint32 status, int kind)
{
	gss_buffer_desc words = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, more = 0;

	if (gss_display_status(&minor, status, kind, GSS_C_NO_OID, &more,
			       &words) != GSS_S_COMPLETE)
		return;
	snprintf(job->text, sizeof(job->text), "no Kerberos ticket: %.*s",
		 (int)words.length, (const char *)words.value);
	gss_release_buffer(&minor, &words);
}

static void keep_token(struct job *job, const gss_buffer_desc *token)
{
	size_t n;

	if (token->length == 0 || token->length > MOST_TOKEN)
		return;
	job->token = malloc(SES_BASE64_LEN(token->length) + 1);
	if (!job->token)
		return;
	n = ses_base64_encode(bytes_of(token->value, token->length), job->token);
	job->token[n] = 0;
}

static void make_token(void *arg)
{
	struct job *job = arg;
	char service[300];
	gss_buffer_desc name, token = GSS_C_EMPTY_BUFFER;
	gss_name_t target = GSS_C_NO_NAME;
	gss_ctx_id_t ctx = GSS_C_NO_CONTEXT;
	OM_uint32 major, minor = 0, unused;

	name.length = (size_t)snprintf(service, sizeof(service), "HTTP@%s",
				       job->host);
	name.value = service;
	major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE,
				&target);
	if (!GSS_ERROR(major))
		major = gss_init_sec_context(
			&minor, GSS_C_NO_CREDENTIAL, &ctx, target, &spnego, 0,
			0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL,
			&token, NULL, NULL);
	if (!GSS_ERROR(major))
		keep_token(job, &token);
	else
		explain(job, minor ? minor : major,
			minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE);
	gss_release_buffer(&unused, &token);
	gss_release_name(&unused, &target);
	if (ctx != GSS_C_NO_CONTEXT)
		gss_delete_sec_context(&unused, &ctx, GSS_C_NO_BUFFER);
}

#else

static void make_token(void *arg)
{
	struct job *job = arg;

	snprintf(job->text, sizeof(job->text),
		 "the proxy wants Negotiate, and this program was built "
		 "without GSSAPI");
}

#endif

static void tell(void *arg, void *user)
{
	const struct job *job = arg;

	job->done(job->token, job->text, user);
}

static void free_job(void *arg)
{
	struct job *job = arg;

	free(job->token);
	free(job);
}

struct ses_call *ses_negotiate(struct sesame_loop *loop, const char *host,
			       void (*done)(const char *token, const char *text,
					    void *user),
			       void *user)
{
	struct job *job = calloc(1, sizeof(*job));
	struct ses_call *call;

	if (!job)
		return NULL;
	snprintf(job->host, sizeof(job->host), "%s", host);
	snprintf(job->text, sizeof(job->text), "no Kerberos ticket was made");
	job->done = done;
	call = ses_call_start(loop, make_token, tell, free_job, job, user);
	if (!call)
		free(job);
	return call;
}
