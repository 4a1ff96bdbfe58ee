/* SPDX-License-Identifier: MIT */
/* `listen`: where the gateway is reached. */
#include <stdlib.h>
#include <string.h>

#include "gate/certificate.h"
#include "gate/reading.h"
#include "gate/value.h"

void gate_read_listen_address(struct gate_reader *r, const struct gate_item *i,
			      void *to)
{
	struct gate_listen *listen = to;
	const char *wrong;
	struct bytes s, host;

	if (!gate_want_text(r, i, &s))
		return;
	wrong = gate_listen_read(s, &host, &listen->port);
	if (wrong)
		gate_complain(r->wrong, i->at, "address `%s` %s",
			      gate_show(s).text, wrong);
	else
		gate_put(&listen->host, gate_copy(r, host));
}

static void read_identity(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_seen seen;

	if (!gate_want(r, i, gate_is_map(i), "a map with a certificate"))
		return;
	gate_read_map(r, "listen[].tls.certificates[].", i, to, &seen);
	gate_need(r, &seen, GATE_SET_IDENTITY_CERTIFICATE, i->at);
}

void gate_read_listen_identities(struct gate_reader *r,
				 const struct gate_item *i, void *to)
{
	struct gate_listen *listen = to;

	listen->others = gate_read_maps(r, i, sizeof(*listen->others),
					read_identity, &listen->n_others);
}

/* Without a certificate of its own, the first of the list is the listener's. */
static void first_of_others(struct gate_listen *listen)
{
	if (!listen->n_others)
		return;
	free(listen->first.key);
	listen->first = listen->others[0];
	listen->n_others--;
	memmove(listen->others, listen->others + 1,
		listen->n_others * sizeof(*listen->others));
}

void gate_read_listen_tls(struct gate_reader *r, const struct gate_item *i,
			  void *to)
{
	struct gate_listen *listen = to;
	struct gate_seen seen;

	if (!gate_read_submap(r, i, listen, &seen))
		return;
	listen->tls = true;
	if (!seen.row[GATE_SET_LISTEN_CERTIFICATE] &&
	    !seen.row[GATE_SET_LISTEN_CERTIFICATES])
		gate_need(r, &seen, GATE_SET_LISTEN_CERTIFICATE, i->at);
	if (!listen->first.certificate)
		first_of_others(listen);
	if (listen->client_cert != GATE_CERT_OFF &&
	    !seen.row[GATE_SET_LISTEN_CLIENT_CA])
		gate_complain(r->wrong, i->at,
			      "client_cert needs `client_ca`: whose "
			      "certificates are good?");
	if (listen->client_cert == GATE_CERT_OFF &&
	    seen.row[GATE_SET_LISTEN_CLIENT_CA])
		gate_complain(r->wrong, i->at,
			      "client_ca has no effect while client_cert "
			      "is off");
	if (r->open_files)
		gate_certificate_check(listen, i->at, r->wrong);
}

static void read_one_listen(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	struct gate_listen *listen = to;
	struct gate_seen seen;

	if (!gate_want(r, i, gate_is_map(i), "a map with an address"))
		return;
	listen->line = (unsigned)i->at.line;
	listen->column = (unsigned)i->at.column;
	gate_read_map(r, "listen[].", i, listen, &seen);
	gate_need(r, &seen, GATE_SET_LISTEN_ADDRESS, i->at);
}

static bool is_same_door(const struct gate_listen *a,
			 const struct gate_listen *b)
{
	struct gate_address x, y;

	return a->port == b->port && a->port != 0 && a->host && b->host &&
	       gate_address_read(bytes_of_str(a->host), &x) &&
	       gate_address_read(bytes_of_str(b->host), &y) &&
	       memcmp(&x, &y, sizeof(x)) == 0;
}

static void find_twin_listeners(struct gate_reader *r)
{
	const struct gate_listen *listen = r->policy->listen;

	for (size_t b = 1; b < r->policy->n_listen; b++) {
		size_t a = 0;

		while (a < b && !is_same_door(&listen[a], &listen[b]))
			a++;
		if (a == b)
			continue;
		gate_complain(r->wrong,
			      (struct gate_place){(int)listen[b].line,
						  (int)listen[b].column},
			      "this address has a listener already, at line %u",
			      listen[a].line);
	}
}

void gate_read_listen(struct gate_reader *r, const struct gate_item *i, void *to)
{
	r->policy->listen =
		gate_read_maps(r, i, sizeof(struct gate_listen),
			       read_one_listen, &r->policy->n_listen);
	find_twin_listeners(r);
}
