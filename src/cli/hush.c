/* SPDX-License-Identifier: MIT */
/* The doctor knows how secrets are hidden; here it is told which there are. */
#include "cli/hush.h"

#include <stdlib.h>

#include "base/base64.h"
#include "doctor/redact.h"

static void add_field(struct doctor_case *c, const char *name, const char *value)
{
	if (c->n_headers == DOCTOR_MAX_HEADERS)
		return;
	c->header[c->n_headers++] = (struct doctor_header){
		(char *)(uintptr_t)name, (char *)(uintptr_t)value};
}

/* "ann:secret" as it is sent. */
static char *basic_of(const char *user)
{
	struct bytes plain = bytes_of_str(user);
	char *text = malloc(6 + SES_BASE64_LEN(plain.len) + 1);

	if (!text)
		return NULL;
	memcpy(text, "Basic ", 6);
	ses_base64_encode(plain, text + 6);
	text[6 + SES_BASE64_LEN(plain.len)] = 0;
	return text;
}

int hush_init(struct hush *h, const char *url,
	      const struct sesame_client_options *o)
{
	enum ses_url_fault fault;
	size_t at;

	*h = (struct hush){
		.secrets = {
			.url_text = (char *)(uintptr_t)url,
			.origin = (char *)(uintptr_t)o->origin,
			.proxy = (char *)(uintptr_t)o->proxy,
			.subprotocols = (char *)(uintptr_t)o->protocols,
		}};
	ses_url_parse(bytes_of_str(url), &h->secrets.url, &fault, &at);
	if (o->basic_auth) {
		h->basic = basic_of(o->basic_auth);
		if (!h->basic)
			return SESAME_ENOMEM;
		add_field(&h->secrets, "Authorization", h->basic);
	}
	for (size_t i = 0; i < o->n_headers; i++)
		add_field(&h->secrets, o->headers[i].name, o->headers[i].value);
	return 0;
}

void hush_fini(struct hush *h)
{
	free(h->basic);
	h->basic = NULL;
}

char *hush_text(const struct hush *h, const char *text, size_t len, char *out,
		size_t size)
{
	return doctor_redact(&h->secrets, bytes_of(text, len), out, size);
}

void hush_print_head(const struct hush *h, FILE *f, char mark, const char *head,
		     size_t len)
{
	char prefix[] = {mark, ' ', 0};
	struct ses_buf out;

	ses_buf_init(&out, 1024 * 1024);
	if (doctor_redact_head(&h->secrets, bytes_of(head, len), prefix,
			       &out) == 0)
		fwrite(ses_buf_bytes(&out).data, 1, ses_buf_len(&out), f);
	else
		fprintf(f, "%c (too long to show)\n", mark);
	ses_buf_fini(&out);
}

void hush_print_body(const struct hush *h, FILE *f, const char *body, size_t len)
{
	struct bytes rest = bytes_of(body, len);
	char shown[4096];

	while (rest.len > 0) {
		ptrdiff_t end = bytes_find_byte(rest, '\n');
		struct bytes line =
			end < 0 ? rest : bytes_first(rest, (size_t)end);

		rest = bytes_from(rest, line.len + 1);
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		fprintf(f, "%s%s",
			doctor_redact(&h->secrets, line, shown, sizeof(shown)),
			end < 0 ? "" : "\n");
	}
}
