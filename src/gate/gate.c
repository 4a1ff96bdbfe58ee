/* SPDX-License-Identifier: MIT */
/* Opening the doors, and closing them again. */
#include "gate/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sesame/error.h>

#include "gate/log.h"
#include "gate/visit.h"

#define SHORT_MS 10000 /* between two complaints about descriptors */

/* No line in the journal: who was not let in has not said a word yet. */
static void tell_full(struct gate *gate, const char *why, const char *remedy)
{
	if (gate->short_told_ms &&
	    gate->loop->now_ms - gate->short_told_ms < SHORT_MS)
		return;
	gate->short_told_ms = gate->loop->now_ms;
	gate_log("sesame: no more connections for now: %s; %zu are open%s", why,
		 gate->n_visits, remedy);
}

static void on_accept(struct ses_listener *listener, int fd,
		      const struct ses_addr *peer)
{
	struct gate_door *door = listener->owner;

	if (door->gate->n_visits < GATE_MAX_VISITS) {
		gate_visit_begin(door, fd, peer);
		return;
	}
	close(fd);
	tell_full(door->gate, "the gateway holds no more", "");
}

static void on_short(struct ses_listener *listener, int sys_errno)
{
	struct gate_door *door = listener->owner;

	tell_full(door->gate, strerror(sys_errno),
		  ". Raise the limit (ulimit -n, LimitNOFILE=)");
}

/* What helps against the system's refusal to listen. */
static const char *remedy(int sys_errno)
{
	switch (sys_errno) {
	case EADDRINUSE:
		return "; another program has this port (ss -ltnp shows which)"
		       ", or choose another";
	case EACCES:
		return "; ports below 1024 need root or CAP_NET_BIND_SERVICE, "
		       "or choose another";
	case EADDRNOTAVAIL:
		return "; no interface of this machine has this address";
	case EMFILE:
	case ENFILE:
		return "; raise the limit (ulimit -n, LimitNOFILE=)";
	default:
		return "";
	}
}

static bool open_tls(struct gate_door *door, const struct gate_listen *listen,
		     char *text, size_t text_size)
{
	struct ses_tls_server_options options = {
		.cert_file = listen->certificate,
		.key_file = listen->key,
		.client_ca_file = listen->client_ca,
		.client_cert_required =
			listen->client_cert == GATE_CERT_REQUIRED,
	};

	if (!listen->tls)
		return true;
	door->tls = ses_tls_server_new(&options, text, text_size);
	return door->tls != NULL;
}

static bool open_door(struct gate_door *door, const struct gate_listen *listen,
		      char *text, size_t text_size)
{
	char shown[SES_ADDR_TEXT];
	struct ses_addr at;

	if (!ses_addr_parse(bytes_of_str(listen->host), listen->port, &at)) {
		snprintf(text, text_size, "%s is no address", listen->host);
		return false;
	}
	if (!open_tls(door, listen, text, text_size))
		return false;
	if (ses_listener_open(&door->listener, door->gate->loop, &at, false) <
	    0) {
		int saved = errno;

		snprintf(text, text_size, "cannot listen at %s: %s%s",
			 ses_addr_format(&at, shown), strerror(saved),
			 remedy(saved));
		return false;
	}
	door->open = true;
	door->listener.owner = door;
	door->listener.on_accept = on_accept;
	door->listener.on_short = on_short;
	snprintf(door->url, sizeof(door->url), "%s://%s",
		 listen->tls ? "wss" : "ws",
		 ses_addr_format(&door->listener.at, shown));
	return true;
}

struct gate *gate_open(struct sesame_loop *loop,
		       const struct gate_policy *policy,
		       struct gate_journal *journal, char *text,
		       size_t text_size)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	snprintf(text, text_size, "out of memory");
	if (!gate)
		return NULL;
	gate->loop = loop;
	gate->policy = policy;
	gate->journal = journal;
	ses_list_init(&gate->visits);
	gate->live = calloc(policy->n_routes, sizeof(*gate->live));
	gate->door = calloc(policy->n_listen, sizeof(*gate->door));
	for (size_t i = 0; gate->door && i < policy->n_listen; i++) {
		gate->door[i].gate = gate;
		if (open_door(&gate->door[i], &policy->listen[i], text,
			      text_size))
			continue;
		gate_free(gate);
		return NULL;
	}
	if (!gate->live || !gate->door) {
		gate_free(gate);
		return NULL;
	}
	return gate;
}

static void close_doors(struct gate *gate)
{
	for (size_t i = 0; gate->door && i < gate->policy->n_listen; i++) {
		if (gate->door[i].open)
			ses_listener_close(&gate->door[i].listener);
		gate->door[i].open = false;
	}
}

void gate_leave(struct gate *gate)
{
	struct ses_list *link, *next;

	gate->leaving = true;
	close_doors(gate);
	/* A visitor may be gone when its turn is over, but only that one. */
	for (link = gate->visits.next; link != &gate->visits; link = next) {
		next = link->next;
		gate_visit_dismiss(link);
	}
}

bool gate_is_empty(const struct gate *gate)
{
	return gate->n_visits == 0;
}

void gate_free(struct gate *gate)
{
	struct ses_list *link;

	if (!gate)
		return;
	if (gate->n_not_logged)
		gate_log("sesame: %u more refusals not shown",
			 gate->n_not_logged);
	gate->leaving = false;
	close_doors(gate);
	while ((link = ses_list_first(&gate->visits)))
		gate_visit_expel(link);
	for (size_t i = 0; gate->door && i < gate->policy->n_listen; i++)
		ses_tls_context_unref(gate->door[i].tls);
	free(gate->door);
	free(gate->live);
	free(gate);
}
