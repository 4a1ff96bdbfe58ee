/* SPDX-License-Identifier: MIT */
/* Trying what `serve` will need, so that `check` finds it out before. */
#include "gate/certificate.h"

#include <errno.h>
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

void gate_certificate_check(const struct gate_listen *listen,
			    struct gate_place at, struct gate_complaints *wrong)
{
	struct ses_tls_server_options options = {
		.cert_file = listen->certificate,
		.key_file = listen->key,
		.client_ca_file = listen->client_ca,
		.client_cert_required =
			listen->client_cert == GATE_CERT_REQUIRED,
	};
	struct ses_tls_context *ctx;
	char text[256] = "";
	bool good;

	if (!listen->certificate)
		return;
	/* Each file that cannot be read has its own sentence. */
	good = can_read(wrong, at, "certificate", listen->certificate);
	good = can_read(wrong, at, "key", listen->key) && good;
	good = can_read(wrong, at, "client_ca", listen->client_ca) && good;
	if (!good)
		return;
	ctx = ses_tls_server_new(&options, text, sizeof(text));
	if (!ctx)
		gate_complain(wrong, at, "TLS cannot use these files: %s", text);
	ses_tls_context_unref(ctx);
}
