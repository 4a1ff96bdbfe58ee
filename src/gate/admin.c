/* SPDX-License-Identifier: MIT */
/*
 * One request for each connection, with a limit on all of it. A browser can be
 * made to ask anything of a loopback address, so requests that a foreign page
 * causes are refused, and so are names that are not ours: a page whose name
 * was pointed here (DNS rebinding) would pass for one of our own.
 */
#include "gate/admin_inner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gate/log.h"
#include "wire/url.h"

#define CALLERS	  64 /* at a time, and as many at the control socket */
#define CALL_MS	  5000
#define LINGER_MS 5000

/* ---- Answering ---- */

static const char *phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	default:
		return "Service Unavailable";
	}
}

static void free_caller(struct caller *c)
{
	ses_timers_stop(&c->admin->loop->timers, &c->patience);
	gate_enquiry_forget(c->enquiry);
	ses_list_remove(&c->link);
	c->admin->n_callers[c->may_change]--;
	ses_intake_fini(&c->intake);
	ses_stream_close(c->stream);
	free(c);
}

void gate_admin_send(struct caller *c, struct answer *a)
{
	struct ses_stream *stream = c->stream;
	struct ses_buf head;

	ses_buf_init(&head, 4096);
	ses_buf_printf(&head,
		       "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
		       "Content-Length: %zu\r\nConnection: close\r\n"
		       "Cache-Control: no-store\r\n"
		       "X-Content-Type-Options: nosniff\r\n"
		       "Cross-Origin-Resource-Policy: same-origin\r\n"
		       "Referrer-Policy: no-referrer\r\n"
		       "Content-Security-Policy: %s\r\n%s%s%s\r\n",
		       a->status, phrase(a->status),
		       a->type ? a->type : "text/plain; charset=utf-8",
		       ses_buf_len(&a->body),
		       a->page ? gate_status_csp() : "default-src 'none'",
		       a->allow ? "Allow: " : "", a->allow ? a->allow : "",
		       a->allow ? "\r\n" : "");
	c->stream = NULL;
	ses_stream_send(stream, ses_buf_bytes(&head));
	if (!c->head_only)
		ses_stream_send(stream, ses_buf_bytes(&a->body));
	ses_stream_linger(stream, LINGER_MS);
	ses_buf_fini(&head);
	ses_buf_fini(&a->body);
	free_caller(c);
}

/* ---- Who asks ---- */

/* The host of "host:port", without brackets; empty: it is no Host field. */
static struct bytes host_of(struct bytes field)
{
	bool six = field.len && field.data[0] == '[';
	ptrdiff_t end = bytes_find_byte(field, six ? ']' : ':');

	if (!ses_url_host_field_valid(field))
		return bytes_of(NULL, 0);
	if (six)
		return bytes_first(bytes_from(field, 1), (size_t)end - 1);
	return end < 0 ? field : bytes_first(field, (size_t)end);
}

static bool is_our_name(const struct gate_admin *admin, struct bytes host)
{
	const struct gate_admin_settings *s =
		&gate_house_doors(admin->view->house)->policy->admin;
	struct ses_addr addr;

	if (ses_addr_parse(host, 0, &addr) ||
	    bytes_equal_nocase(host, BYTES("localhost")))
		return true;
	for (size_t i = 0; i < s->n_names; i++)
		if (bytes_equal_nocase(host, bytes_of_str(s->name[i])))
			return true;
	return false;
}

const char *gate_admin_why_not(const struct gate_admin *admin,
			       const struct ses_head *head)
{
	struct bytes host = ses_head_get(head, "Host");
	struct bytes origin = ses_head_get(head, "Origin");
	struct bytes site = ses_head_get(head, "Sec-Fetch-Site");

	if (ses_field_count(head->fields, head->n_fields, "Host") != 1 ||
	    !is_our_name(admin, host_of(host)))
		return "This Host is not known here; admin.hosts names more.";
	if (ses_field_count(head->fields, head->n_fields, "Origin") > 1 ||
	    (origin.data && !(bytes_starts(origin, BYTES("http://")) &&
			      bytes_equal_nocase(bytes_from(origin, 7), host))))
		return "Pages of other origins get no answer here.";
	if (ses_field_count(head->fields, head->n_fields, "Sec-Fetch-Site") > 1 ||
	    (site.data && !bytes_equal(site, BYTES("same-origin")) &&
	     !bytes_equal(site, BYTES("none"))))
		return "Pages of other sites get no answer here.";
	return NULL;
}

/* ---- Callers ---- */

static void on_bytes(struct ses_stream *s, uint8_t *data, size_t len)
{
	struct caller *c = s->owner;
	enum ses_fault fault = SES_FAULT_NONE;
	struct answer a = {.status = 400};
	struct ses_head head;
	size_t used = 0;
	int r;

	if (c->heard)
		return; /* it has asked, and waits */
	r = ses_intake_feed(&c->intake, data, len, &head, &used, &fault);
	if (r == 0)
		return;
	if (r > 0) {
		gate_admin_answer(c, &head);
		return;
	}
	ses_buf_init(&a.body, 4096);
	ses_buf_printf(&a.body, "%s\n", ses_fault_row(fault)->sentence);
	gate_admin_send(c, &a);
}

/* Who says no more may still hear. */
static void on_end(struct ses_stream *s, int error)
{
	struct caller *c = s->owner;

	if (error || !c->heard)
		free_caller(c);
}

static const struct ses_stream_events calling = {.on_bytes = on_bytes,
						 .on_end = on_end};

static void on_late(struct ses_timer *timer)
{
	struct caller *c = ses_container_of(timer, struct caller, patience);

	if (c->heard)
		gate_admin_answer_without(c);
	else
		free_caller(c);
}

/*
 * Who has waited longest without asking makes room: so whoever opens many
 * connections and says nothing does not shut out a probe.
 */
static void make_room(struct gate_admin *admin, bool may_change)
{
	struct ses_list *link = admin->callers.next;

	if (admin->n_callers[may_change] < CALLERS)
		return;
	while (ses_container_of(link, struct caller, link)->may_change !=
	       may_change)
		link = link->next;
	free_caller(ses_container_of(link, struct caller, link));
}

static void begin_call(struct gate_admin *admin, int fd, bool may_change)
{
	static const struct ses_stream_limits limits = {
		.queue = GATE_ADMIN_BYTES + 4096,
		.queue_high = GATE_ADMIN_BYTES};
	struct caller *c = calloc(1, sizeof(*c));

	make_room(admin, may_change);
	if (c)
		c->stream =
			ses_stream_new(admin->loop, fd, &calling, c, &limits);
	else
		close(fd);
	if (!c || !c->stream) {
		free(c);
		return;
	}
	c->admin = admin;
	c->may_change = may_change;
	c->patience.fire = on_late;
	ses_intake_init(&c->intake, true);
	ses_list_init(&c->link);
	ses_list_append(&admin->callers, &c->link);
	admin->n_callers[may_change]++;
	if (ses_timers_start(&admin->loop->timers, &c->patience,
			     admin->loop->now_ms + CALL_MS) < 0)
		free_caller(c);
}

static void on_accept(struct ses_listener *listener, int fd,
		      const struct ses_addr *peer)
{
	begin_call(listener->owner, fd, false);
}

/* ---- The control socket ---- */

static void on_control(struct ses_polled *polled, unsigned ready)
{
	struct gate_admin *admin =
		ses_container_of(polled, struct gate_admin, control);
	int fd = accept4(polled->io.fd, NULL, NULL,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0)
		return;
	/* The file's mode says so too; a folder can be mounted anyhow. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    (peer.uid != geteuid() && peer.uid != 0))
		close(fd);
	else
		begin_call(admin, fd, true);
}

bool gate_admin_default_socket(char *out, size_t size)
{
	char *slash;

	if (!gate_journal_default_file(out, size) ||
	    !(slash = strrchr(out, '/')) ||
	    size - (size_t)(slash - out) < sizeof("/control.sock"))
		return false;
	strcpy(slash, "/control.sock");
	return true;
}

static bool put_path(struct sockaddr_un *to, const char *file)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	if (strlen(file) >= sizeof(to->sun_path))
		return false;
	strcpy(to->sun_path, file);
	return true;
}

/* A file that a gateway left behind is taken away, one that is heard is not. */
static bool is_heard(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool heard = fd >= 0 &&
		     connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

	if (fd >= 0)
		close(fd);
	return heard;
}

static void remove_left_over(const char *file)
{
	struct stat status;

	if (lstat(file, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(file);
}

static int listen_at(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	bool bound = fd >= 0 &&
		     bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;
	int saved = errno;

	umask(before);
	if (bound && listen(fd, 8) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

bool gate_admin_open_socket(struct gate_admin *admin, const char *file,
			    char *text, size_t text_size)
{
	struct sockaddr_un at;
	int fd;

	snprintf(text, text_size, "admin.socket: %s is too long a name", file);
	if (!put_path(&at, file))
		return false;
	gate_make_folders(file);
	if (is_heard(&at)) {
		snprintf(text, text_size,
			 "another gateway has the control socket %s; set "
			 "admin.socket for this one",
			 file);
		return false;
	}
	remove_left_over(file);
	fd = listen_at(&at);
	admin->control =
		(struct ses_polled){.io.fd = fd, .on_ready = on_control};
	if (fd < 0 ||
	    ses_io_watch(admin->loop, &admin->control.io, SES_READABLE) < 0) {
		snprintf(text, text_size, "no control socket at %s: %s", file,
			 strerror(errno));
		if (fd >= 0)
			close(fd);
		admin->control.io.fd = -1;
		return false;
	}
	admin->control_file = strdup(file);
	return true;
}

/* ---- The whole ---- */

struct gate_admin *gate_admin_open(struct sesame_loop *loop,
				   const struct gate_admin_settings *settings,
				   char *text, size_t text_size)
{
	struct gate_admin *admin = calloc(1, sizeof(*admin));
	char shown[SES_ADDR_TEXT];
	struct ses_addr at;

	snprintf(text, text_size, "out of memory");
	if (!admin)
		return NULL;
	admin->loop = loop;
	admin->control.io.fd = -1;
	ses_list_init(&admin->callers);
	if (!ses_addr_parse(bytes_of_str(settings->host), settings->port, &at) ||
	    ses_listener_open(&admin->listener, loop, &at, false) < 0) {
		snprintf(text, text_size, "cannot listen at %s:%u for admin: %s",
			 settings->host, settings->port, strerror(errno));
		free(admin);
		return NULL;
	}
	admin->listener.owner = admin;
	admin->listener.on_accept = on_accept;
	snprintf(admin->url, sizeof(admin->url), "http://%s",
		 ses_addr_format(&admin->listener.at, shown));
	return admin;
}

void gate_admin_show(struct gate_admin *admin, struct gate_view *view)
{
	admin->view = view;
}

void gate_admin_obey(struct gate_admin *admin,
		     json_t *(*reload_now)(void *user, bool plan), void *user)
{
	admin->reload = reload_now;
	admin->user = user;
}

const char *gate_admin_url(const struct gate_admin *admin)
{
	return admin->url;
}

void gate_admin_close(struct gate_admin *admin)
{
	struct ses_list *link;

	if (!admin)
		return;
	while ((link = ses_list_first(&admin->callers)))
		free_caller(ses_container_of(link, struct caller, link));
	ses_listener_close(&admin->listener);
	if (admin->control.io.fd >= 0) {
		ses_io_forget(admin->loop, &admin->control.io);
		close(admin->control.io.fd);
		unlink(admin->control_file);
	}
	free(admin->control_file);
	free(admin);
}
