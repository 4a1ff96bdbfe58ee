/* SPDX-License-Identifier: MIT */
/* What is for whoever runs the gateway: log, admin, stop and files. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/reading.h"
#include "gate/value.h"

#define ADMIN_PORT 9464

/* A file name; "" for none. */
static void read_file_or_none(struct gate_reader *r, const struct gate_item *i,
			      void *to)
{
	if (gate_is_single(i) && bytes_equal(gate_text_of(i), BYTES("none")))
		gate_put(to, gate_enough(r, strdup("")));
	else
		gate_read_file_name(r, i, to);
}

/* ---- journal and log ---- */

/* What SQLite would say at the start, as far as one look tells. */
static const char *wrong_with_journal(const char *file)
{
	static const char magic[16] = "SQLite format 3";
	char begin[sizeof(magic)];
	const char *wrong = NULL;
	struct stat st;
	int fd;

	if (stat(file, &st) != 0)
		return NULL; /* it will be made */
	if (!S_ISREG(st.st_mode))
		return "is no file";
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return strerror(errno);
	if (st.st_size &&
	    (read(fd, begin, sizeof(begin)) != (ssize_t)sizeof(begin) ||
	     memcmp(begin, magic, sizeof(magic)) != 0))
		wrong = "is there already, and is no SQLite file";
	close(fd);
	return wrong;
}

/* Lines of one among the pages of the other would destroy both. */
static void keep_apart(struct gate_reader *r, const struct gate_item *i)
{
	const char *journal = r->policy->journal, *log = r->policy->log_file;

	if (journal && log && *journal && strcmp(journal, log) == 0)
		gate_complain(r->wrong, i->at,
			      "journal.file and log.file are the same file");
}

void gate_read_journal_file(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	char **file = to;
	const char *wrong;

	read_file_or_none(r, i, to);
	r->policy->journal_at = i->at;
	keep_apart(r, i);
	wrong = r->open_files && *file && **file ? wrong_with_journal(*file)
						 : NULL;
	if (wrong)
		gate_complain(r->wrong, i->at, "file: `%s` %s",
			      gate_show(bytes_of_str(*file)).text, wrong);
}

void gate_read_log(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_policy *policy = to;
	struct gate_seen seen;

	if (gate_read_submap(r, i, policy, &seen) && !policy->log_file)
		policy->log_file = gate_enough(r, strdup("stderr"));
}

void gate_read_log_file(struct gate_reader *r, const struct gate_item *i,
			void *to)
{
	struct bytes s = gate_is_single(i) ? gate_text_of(i) : BYTES("");

	if (bytes_equal(s, BYTES("stdout")) || bytes_equal(s, BYTES("stderr")))
		gate_put(to, gate_copy(r, s));
	else
		read_file_or_none(r, i, to);
	r->policy->log_file_at = i->at;
	keep_apart(r, i);
}

/* ---- admin ---- */

void gate_read_admin(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_admin_settings *admin = to;
	struct gate_seen seen;

	if (!gate_read_submap(r, i, admin, &seen))
		return;
	admin->on = true;
	if (seen.row[GATE_SET_ADMIN_ADDRESS])
		return;
	admin->host = gate_enough(r, strdup("127.0.0.1"));
	admin->port = ADMIN_PORT;
}

void gate_read_admin_address(struct gate_reader *r, const struct gate_item *i,
			     void *to)
{
	struct gate_admin_settings *admin = to;
	const char *wrong;
	struct bytes s, host;

	if (!gate_want_text(r, i, &s))
		return;
	wrong = gate_listen_read(s, &host, &admin->port);
	if (wrong)
		gate_complain(r->wrong, i->at, "address `%s` %s",
			      gate_show(s).text, wrong);
	else
		gate_put(&admin->host, gate_copy(r, host));
}

static const char *wrong_with_host(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (strchr("*/:", name.data[i]))
			return "is no plain name, without port and wildcard";
	return NULL;
}

void gate_read_admin_hosts(struct gate_reader *r, const struct gate_item *i,
			   void *to)
{
	struct gate_admin_settings *admin = to;

	admin->name = gate_read_texts(r, i, wrong_with_host, &admin->n_names);
}

void gate_read_admin_socket(struct gate_reader *r, const struct gate_item *i,
			    void *to)
{
	read_file_or_none(r, i, to);
	r->policy->admin.socket_at = i->at;
}

void gate_check_admin(struct gate_reader *r)
{
	const struct gate_admin_settings *admin = &r->policy->admin;

	for (size_t i = 0; admin->on && admin->port && i < r->policy->n_listen;
	     i++) {
		const struct gate_listen *l = &r->policy->listen[i];

		if (l->port == admin->port && l->host && admin->host &&
		    strcmp(l->host, admin->host) == 0)
			gate_complain(r->wrong,
				      (struct gate_place){(int)l->line,
							  (int)l->column},
				      "admin.address is this listener's");
	}
}

/* ---- user, group and pid_file ---- */

/* Only the machine that it is for knows its users. */
void gate_read_user(struct gate_reader *r, const struct gate_item *i, void *to)
{
	bool group = i->row == gate_setting(GATE_SET_GROUP);
	char **name = to;
	uint64_t number;

	gate_read_text(r, i, to);
	if (!r->open_files || !*name ||
	    bytes_to_u64(bytes_of_str(*name), UINT32_MAX - 1, &number))
		return;
	if (group ? !getgrnam(*name) : !getpwnam(*name))
		gate_complain(r->wrong, i->at, "there is no %s `%s` here",
			      group ? "group" : "user",
			      gate_show(bytes_of_str(*name)).text);
}

void gate_read_pid_file(struct gate_reader *r, const struct gate_item *i,
			void *to)
{
	gate_read_file_name(r, i, to);
	r->policy->pid_file_at = i->at;
}

/* ---- refusal.explain ---- */

static const char *wrong_with_path(struct bytes s)
{
	struct gate_path_pattern pattern;
	const char *wrong = gate_path_pattern_read(s, &pattern);

	if (wrong)
		return wrong;
	if (bytes_find_byte(s, '*') >= 0)
		return "is one path, without *";
	return s.data[s.len - 1] == '/' ? "ends in a slash; leave it out" : NULL;
}

void gate_read_explain(struct gate_reader *r, const struct gate_item *i,
		       void *to)
{
	const char *wrong;
	struct bytes s;

	if (!gate_want_text(r, i, &s))
		return;
	if (bytes_equal(s, BYTES("none"))) {
		gate_put(to, gate_enough(r, strdup("")));
		return;
	}
	wrong = wrong_with_path(s);
	if (wrong)
		gate_complain(r->wrong, i->at, "explain: `%s` %s",
			      gate_show(s).text, wrong);
	else
		gate_put(to, gate_copy(r, s));
}

/* ---- stop ---- */

void gate_read_stop(struct gate_reader *r, const struct gate_item *i, void *to)
{
	struct gate_stop *stop = to;
	struct gate_seen seen;

	if (!gate_read_submap(r, i, stop, &seen))
		return;
	if (!seen.row[GATE_SET_STOP_SPREAD] &&
	    stop->spread_ms > stop->deadline_ms)
		stop->spread_ms = stop->deadline_ms / 2;
	if (stop->spread_ms > stop->deadline_ms)
		gate_complain(r->wrong, i->at,
			      "stop.spread is longer than stop.deadline, which "
			      "ends what is still open");
}
