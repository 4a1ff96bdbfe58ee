/* SPDX-License-Identifier: MIT */
/* Trying what `serve` will need, so that `check` finds it out before. */
#include "gate/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls.h"

/* The file is there and can be read; OpenSSL says the rest. */
static bool can_read(struct gate_complaints *wrong, struct gate_place at,
		     const char *what, const char *file)
{
	struct stat st;

	if (!file)
		return true;
	if (stat(file, &st) != 0 || access(file, R_OK) != 0) {
		gate_complain(wrong, at, "%s %s cannot be read: %s", what, file,
			      strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		gate_complain(wrong, at, "%s %s is no file", what, file);
		return false;
	}
	return true;
}

struct ses_tls_context *gate_tls_open(const struct gate_listen *listen,
				      char *text, size_t text_size)
{
	struct ses_tls_identity *others =
		calloc(listen->n_others + 1, sizeof(*others));
	struct ses_tls_server_options options = {
		.cert_file = listen->first.certificate,
		.key_file = listen->first.key,
		.others = others,
		.n_others = listen->n_others,
		.min_version = listen->min_version ? 13 : 12,
		.client_ca_file = listen->client_ca,
		.client_cert_required =
			listen->client_cert == GATE_CERT_REQUIRED,
	};
	struct ses_tls_context *ctx;

	if (!others) {
		snprintf(text, text_size, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < listen->n_others; i++)
		others[i] = (struct ses_tls_identity){
			listen->others[i].certificate, listen->others[i].key};
	ctx = ses_tls_server_new(&options, text, text_size);
	free(others);
	return ctx;
}

static bool can_read_identity(struct gate_complaints *wrong,
			      struct gate_place at,
			      const struct gate_identity *id)
{
	bool good = can_read(wrong, at, "certificate", id->certificate);

	return can_read(wrong, at, "key", id->key) && good;
}

void gate_certificate_check(const struct gate_listen *listen,
			    struct gate_place at, struct gate_complaints *wrong)
{
	struct ses_tls_context *ctx;
	char text[256] = "";
	bool good;

	if (!listen->first.certificate)
		return;
	/* Each file that cannot be read has its own sentence. */
	good = can_read_identity(wrong, at, &listen->first);
	for (size_t i = 0; i < listen->n_others; i++)
		good = can_read_identity(wrong, at, &listen->others[i]) && good;
	good = can_read(wrong, at, "client_ca", listen->client_ca) && good;
	if (!good)
		return;
	ctx = gate_tls_open(listen, text, sizeof(text));
	if (!ctx)
		gate_complain(wrong, at, "TLS cannot use these files: %s", text);
	ses_tls_context_unref(ctx);
}
